"""The plans among which a program chooses, found by prices: a plan enters where it beats those that are there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt_models._parts.plans import Plans, Quantities


@dataclass(frozen=True)
class Portfolio:
    """Some plans of every unit, those of a unit together and the one without measures first.

    Parameters
    ----------
    unit
        Position of the unit of each plan, shape ``(plans,)``.
    sets
        Chain of measure sets of each plan, shape ``(plans, years)``.
    quantities
        What each comes to in each year.
    """

    plans: Plans
    unit: NDArray[np.int64]
    sets: NDArray[np.int64]
    quantities: Quantities

    @classmethod
    def start(cls, plans: Plans) -> Portfolio:
        """The plan without measures of each unit."""
        units = np.arange(len(plans.kind))
        sets = np.zeros(plans.prospects.emissions.shape, dtype=np.int64)
        return cls(plans, units, sets, plans.quantities(units, sets))

    def added(self, unit: NDArray[np.int64], sets: NDArray[np.int64]) -> Portfolio:
        """These plans and others, each once."""
        both = np.concatenate(
            [np.column_stack([self.unit, self.sets]), np.column_stack([unit, sets])], axis=0, dtype=np.int64
        )
        every = np.unique(both, axis=0)
        unit, sets = every[:, 0], every[:, 1:]
        return Portfolio(self.plans, unit, sets, self.plans.quantities(unit, sets))

    @property
    def first(self) -> NDArray[np.int64]:
        """Where the plans of each unit begin, shape ``(units,)``."""
        return np.flatnonzero(np.diff(self.unit, prepend=-1))

    @property
    def cost(self) -> NDArray[np.float64]:
        """Discounted cost of each plan, shape ``(plans,)`` [CNY]."""
        return self.quantities.cost @ self.plans.prospects.discount

    @property
    def abated(self) -> NDArray[np.float64]:
        """Emissions that each plan avoids, shape ``(plans, years)`` [tCO2e]."""
        return self._before(self.quantities.emissions) - self.quantities.emissions

    @property
    def relief(self) -> NDArray[np.float64]:
        """By how much each plan lowers what its unit lacks in allowances, shape ``(plans, years)`` [t]."""
        gained = self.quantities.allowance - self._before(self.quantities.allowance)
        return self.abated + gained

    def _before(self, of_plans: NDArray[np.float64]) -> NDArray[np.float64]:
        """For each plan what its unit has without measures."""
        before: NDArray[np.float64] = of_plans[self.first][self.unit]
        return before

    def values(
        self, need_price: NDArray[np.float64], emissions_price: NDArray[np.float64], cost_weight: float = 1.0
    ) -> NDArray[np.float64]:
        """Discounted cost of each plan at prices of `Plans.best`, shape ``(plans,)`` [CNY]."""
        need = self.quantities.emissions - self.quantities.allowance
        paid = need_price[self.unit] * need + emissions_price[self.unit] * self.quantities.emissions
        values: NDArray[np.float64] = cost_weight * self.cost + paid.sum(axis=1)
        return values

    def improved(
        self, need_price: NDArray[np.float64], emissions_price: NDArray[np.float64], cost_weight: float = 1.0
    ) -> tuple[Portfolio, float]:
        """These plans and better ones at some prices, and by how much those are better in all [CNY].

        The cost at which the plans here are best, less that, bounds the cost of every plan from below.
        """
        value, sets = self.plans.best(need_price, emissions_price, cost_weight)
        here = np.minimum.reduceat(self.values(need_price, emissions_price, cost_weight), self.first)
        gain = np.maximum(here - value, 0.0)
        # What is better by rounding alone is the same plan, or as good as it.
        better = gain > 1e-12 * (1 + np.abs(here))
        if not better.any():
            return self, 0.0
        return self.added(np.flatnonzero(better), sets[better]), float(gain.sum())
