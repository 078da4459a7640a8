"""Column pool: the plans among which a program chooses. A plan enters if it beats those that are there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt_models._market.plans import Plans, Quantities


@dataclass(frozen=True)
class PlanColumns:
    """Plans as columns of a program, sorted by unit; a unit may stand for many, and its plan for theirs.

    Parameters
    ----------
    unit
        Position of the unit of each plan, shape ``(plans,)``.
    cost
        Discounted cost, shape ``(plans,)`` [CNY].
    demand_reduction
        Reduction of the net demand of its unit, shape ``(plans, years)`` [t].
    abated
        Emissions that the plan avoids, shape ``(plans, years)`` [tCO2e].
    """

    unit: NDArray[np.int64]
    cost: NDArray[np.float64]
    demand_reduction: NDArray[np.float64]
    abated: NDArray[np.float64]

    @property
    def total(self) -> PlanColumns:
        """The sum of all plans, as one plan of one unit."""
        one_unit = np.zeros(1, dtype=np.int64)
        sums = (part.sum(axis=0, keepdims=True) for part in (self.cost, self.demand_reduction, self.abated))
        return PlanColumns(one_unit, *sums)

    def select(self, plans: NDArray[np.bool_] | NDArray[np.int64]) -> PlanColumns:
        """Return some of the plans."""
        return PlanColumns(self.unit[plans], self.cost[plans], self.demand_reduction[plans], self.abated[plans])

    def on_accounts(self, account: NDArray[np.int64], count: int) -> PlanColumns:
        """Return the sums of all plans on each account of their units, as one plan.

        Parameters
        ----------
        account
            Account of every unit, shape ``(units,)``.
        count
            Number of accounts.
        """
        demand_reduction, abated = (np.zeros((count, self.demand_reduction.shape[1])) for _ in range(2))
        np.add.at(demand_reduction, account[self.unit], self.demand_reduction)
        np.add.at(abated, account[self.unit], self.abated)
        return PlanColumns(np.zeros(1, dtype=np.int64), self.cost.sum(keepdims=True), demand_reduction, abated)

    def plus(self, other: PlanColumns) -> PlanColumns:
        """Return the sum with other columns, plan by plan."""
        return PlanColumns(
            self.unit,
            self.cost + other.cost,
            self.demand_reduction + other.demand_reduction,
            self.abated + other.abated,
        )

    def followed_by(self, other: PlanColumns) -> PlanColumns:
        """Return these columns followed by others."""
        pairs = ((getattr(self, name), getattr(other, name)) for name in self.__dataclass_fields__)
        return PlanColumns(*(np.concatenate(pair) for pair in pairs))

    def minus(self, other: PlanColumns) -> PlanColumns:
        """Return the difference from other columns, plan by plan."""
        return self.plus(PlanColumns(other.unit, -other.cost, -other.demand_reduction, -other.abated))


@dataclass(frozen=True)
class ColumnPool:
    """Some plans of every unit, sorted by unit.

    Parameters
    ----------
    unit
        Position of the unit of each plan, shape ``(plans,)``.
    sets
        Chain of measure sets of each plan, shape ``(plans, years)``.
    quantities
        Quantities of each plan in each year.
    """

    plans: Plans
    unit: NDArray[np.int64]
    sets: NDArray[np.int16]
    quantities: Quantities

    @classmethod
    def of(cls, plans: Plans, unit: NDArray[np.int64], sets: NDArray[np.int16]) -> ColumnPool:
        """Return the pool of plans with given units, in order, and chains of sets."""
        return cls(plans, unit, sets, plans.quantities(unit, sets))

    @classmethod
    def start(cls, plans: Plans) -> ColumnPool:
        """Return the pool with the plan without measures of each unit."""
        shape = plans.baseline.emissions.shape
        return cls.of(plans, np.arange(shape[0]), np.zeros(shape, dtype=np.int16))

    def with_columns(self, unit: NDArray[np.int64], sets: NDArray[np.int16]) -> ColumnPool:
        """Return the pool with other plans added, each plan once."""
        both = np.concatenate(
            [np.column_stack([self.unit, self.sets]), np.column_stack([unit, sets])], axis=0, dtype=np.int64
        )
        every = np.unique(both, axis=0)
        return ColumnPool.of(self.plans, every[:, 0], every[:, 1:].astype(np.int16))

    def among(self, units: NDArray[np.int64]) -> ColumnPool:
        """Return the pool with units numbered by position in `units`, which are sorted and include all of them."""
        return ColumnPool(self.plans.only(units), np.searchsorted(units, self.unit), self.sets, self.quantities)

    def select(self, plans: NDArray[np.bool_] | NDArray[np.int64]) -> ColumnPool:
        """Return some of the plans."""
        return ColumnPool(self.plans, self.unit[plans], self.sets[plans], self.quantities.select(plans))

    @cached_property
    def first(self) -> NDArray[np.int64]:
        """Position of the first plan of each unit, shape ``(units,)``."""
        return np.flatnonzero(np.diff(self.unit, prepend=-1))

    @property
    def cost(self) -> NDArray[np.float64]:
        """Discounted cost of each plan, shape ``(plans,)`` [CNY]."""
        return self.quantities.cost @ self.plans.baseline.discount

    @property
    def abated(self) -> NDArray[np.float64]:
        """Emissions that each plan avoids, shape ``(plans, years)`` [tCO2e]."""
        return self.plans.baseline.emissions[self.unit] - self.quantities.emissions

    @property
    def columns(self) -> PlanColumns:
        """The plans as columns of a program."""
        abated = self.abated
        gained = self.quantities.allowance - self.plans.baseline.free[self.unit]
        return PlanColumns(self.unit, self.cost, abated + gained, abated)

    def values(
        self, need_price: NDArray[np.float64], emissions_price: NDArray[np.float64], cost_weight: float = 1.0
    ) -> NDArray[np.float64]:
        """Return the discounted cost of each plan at prices as in `Plans.best`, shape ``(plans,)`` [CNY]."""
        need = self.quantities.emissions - self.quantities.allowance
        need_paid, emissions_paid = (
            prices if len(prices) == 1 else prices[self.unit] for prices in (need_price, emissions_price)
        )
        paid = need_paid * need + emissions_paid * self.quantities.emissions
        values: NDArray[np.float64] = cost_weight * self.cost + paid.sum(axis=1)
        return values
