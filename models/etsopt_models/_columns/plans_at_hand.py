"""Plans at hand of a market in the solver: choosing units have a row; fixed units are part of the right-hand side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt_models._market.column_pool import ColumnPool, PlanColumns
from etsopt_models._tolerances import TYPICAL_PRICE_CNY_PER_T

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt_models._columns.branches import Masks
    from etsopt_models._market.column_generation import Market
    from etsopt_models._market.plans import Plans

IN_TONNES = (
    *("account_balance", "offset_limit", "newly_owed", "offsets_on_offer", "market_balance", "reserve_stock"),
    *("bought", "sold", "offset", "banked", "outstanding", "unsold", "released", "intake", "unmet", "reserve"),
)
"""Rows and columns of the formulation in tonnes; choices and `one_plan` are not."""

COST, UNMET = "cost", "unmet_demand"


class PlansAtHand:
    """The program over the plans at hand, which grows.

    Parameters
    ----------
    market, plans
        Market and plans of all units.
    sets
        Chain of sets of every unit, shape ``(units, years)``; fixed units keep theirs.
    pool
        Plans of the choosing units, by their position among all units.
    objective
        `COST`, or `UNMET` if only tonnes count.
    """

    def __init__(
        self, market: Market, plans: Plans, sets: NDArray[np.int16], pool: ColumnPool, objective: str = COST
    ) -> None:
        self.market, self.plans, self.objective = market, plans, objective
        self.account, self.years = market.accounts.of_unit, sets.shape[1]
        self.base = ColumnPool.of(plans, np.arange(len(sets)), sets.copy())
        self._base_columns = self.base.columns
        self.row = np.full(len(sets), -1)
        opened = np.unique(pool.unit)
        self.beside = market.rest
        self.rest = self._of_accounts(np.setdiff1d(np.arange(len(sets)), opened))
        # Tonnes are scaled by those of a typical unit, money by their worth at a typical price.
        typical = max(float(market.baseline.emissions.mean()), 1.0)
        worth = typical * (TYPICAL_PRICE_CNY_PER_T if objective == COST else 1.0)
        parameters = market.of(opened, self._others).parameters(pool.among(opened), self._anything)
        size = dict.fromkeys(IN_TONNES, typical)
        self.grown = market.relax.growing(parameters, objective, size, worth)
        self.rows, self.columns = self.grown.program.rows, self.grown.program.columns
        self.row[opened] = self.rows["one_plan"].start + np.arange(len(opened))
        self._paid = float(self._others.cost[0])
        self.limits: dict[str, NDArray[np.float64]] = {}
        # Plans at hand: unit, chain, and the column in the solver.
        self.unit, self.sets, self.plan_columns = pool.unit, pool.sets, pool.columns
        block = self.columns["choice"]
        self.column = np.arange(block.start, block.stop)
        self._known = {
            self._key(*one): place for place, one in enumerate(zip(self.unit.tolist(), self.sets, strict=True))
        }
        self._shut = np.zeros(len(self.unit), dtype=bool)
        if objective == COST:
            self.allow_unmet(np.zeros(self.years))

    @property
    def _others(self) -> PlanColumns:
        """Sums on each account of the fixed units, and of units outside the master."""
        return self.rest if self.beside is None else self.rest.plus(self.beside)

    @property
    def _anything(self) -> dict[str, Any]:
        """Bound of the unmet demand, so that no scale of the program is smaller."""
        if "supply" not in self.market.extra:
            return {}
        most = self.market.baseline.emissions.sum() + np.abs(self.market.extra["supply"]).sum()
        return {"unmet_most": np.full(self.years, most)}

    def allow_unmet(self, most: NDArray[np.float64]) -> None:
        """Bound the unmet demand of each year, shape ``(years,)`` [t]."""
        if "unmet" in self.columns:
            block = self.columns["unmet"]
            self.grown.hold(np.arange(block.start, block.stop), np.zeros(self.years), most)

    @staticmethod
    def _key(unit: int, chain: NDArray[np.int16]) -> tuple[int, bytes]:
        return unit, chain.tobytes()

    def _of_accounts(self, units: NDArray[np.int64]) -> PlanColumns:
        """Return the sums of the plans of some fixed units on each account."""
        return self._base_columns.select(units).on_accounts(self.account, len(self.market.accounts.labels))

    def open(self, units: NDArray[np.int64]) -> None:
        """Let fixed units choose again, with their fixed plan as the first column."""
        units = np.unique(units[self.row[units] < 0])
        if not len(units):
            return
        self.row[units] = self.grown.shape[0] + np.arange(len(units))
        self.grown.add_rows(np.ones(len(units)), np.ones(len(units)))
        self.rest = self.rest.minus(self._of_accounts(units))
        self.update_right_hand_side(self.beside)
        self._join(units, self.base.sets[units])

    def places(self, units: NDArray[np.int64], sets: NDArray[np.int16]) -> dict[int, int]:
        """Return the position among the plans at hand of one plan of each of some units, by unit."""
        return {unit: self._known[self._key(unit, chain)] for unit, chain in zip(units.tolist(), sets, strict=True)}

    def update_right_hand_side(self, beside: PlanColumns | None) -> None:
        """Set the right-hand side to the net demand left by fixed units and by units outside the master."""
        self.beside = beside
        others, accounts = self._others, self.market.accounts
        left, net_demand = (
            accounts.emissions - others.abated,
            accounts.emissions - accounts.allowance - others.demand_reduction,
        )
        share = float(self.market.instance.policy.market.ccer_share)
        limits = {
            "account_balance": (net_demand, net_demand),
            "offset_limit": (np.full_like(left, -np.inf), share * left),
        }
        if self._owes:
            limits["newly_owed"] = (np.full_like(left, -np.inf), left)
        self.limits = {name: upper.ravel() for name, (_, upper) in limits.items()}
        for name, (lower, upper) in limits.items():
            block = self.rows[name]
            self.grown.limit(np.arange(block.start, block.stop), lower.ravel(), upper.ravel())

    @property
    def _owes(self) -> bool:
        block = self.rows["newly_owed"]
        return block.stop > block.start

    def add(self, units: NDArray[np.int64], sets: NDArray[np.int16]) -> bool:
        """Add plans, and return True if any of them is new."""
        self.open(units)
        return self._join(units, sets)

    def picked(self, units: NDArray[np.int64], sets: NDArray[np.int16]) -> dict[int, int]:
        """Return the positions of one plan of each of some units, by unit, without plans at which a unit is fixed."""
        differs = (self.row[units] >= 0) | (self.base.sets[units] != sets).any(axis=1)
        self.add(units[differs], sets[differs])
        return self.places(units[differs], sets[differs])

    def _join(self, units: NDArray[np.int64], sets: NDArray[np.int16]) -> bool:
        keys = [self._key(*one) for one in zip(units.tolist(), sets, strict=True)]
        new = [place for place, key in enumerate(keys) if key not in self._known]
        if not new:
            return False
        self._known |= {keys[place]: len(self.unit) + number for number, place in enumerate(new)}
        unit, chains = units[new], np.ascontiguousarray(sets[new])
        new_columns = ColumnPool.of(self.plans, unit, chains).columns
        self.column = np.append(self.column, self.grown.shape[1] + np.arange(len(unit)))
        cost = new_columns.cost if self.objective == COST else 0 * new_columns.cost
        self.grown.add_columns(cost, *self.entries(unit, new_columns))
        self.unit, self.sets = np.append(self.unit, unit), np.concatenate([self.sets, chains])
        parts = (np.concatenate(pair) for pair in zip(_parts(self.plan_columns), _parts(new_columns), strict=True))
        self.plan_columns, self._shut = (
            PlanColumns(self.unit, *parts),
            np.append(self._shut, np.zeros(len(unit), dtype=bool)),
        )
        return True

    def entries(self, unit: NDArray[np.int64], columns: PlanColumns) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the rows of plans and their coefficients, as in the formulation."""
        share = float(self.market.instance.policy.market.ccer_share)
        of_account = self.account[unit, None] * self.years + np.arange(self.years)
        rows, values = [self.rows["account_balance"].start + of_account], [columns.demand_reduction]
        rows.append(self.rows["offset_limit"].start + of_account)
        values.append(share * columns.abated)
        if self._owes:
            rows.append(self.rows["newly_owed"].start + of_account)
            values.append(columns.abated)
        rows.append(self.row[unit, None])
        values.append(np.ones((len(unit), 1)))
        return np.hstack(rows), np.hstack(values)

    def allowed(self, masks: Masks) -> NDArray[np.bool_]:
        """Return True for plans at hand within the masks, shape ``(plans,)``."""
        allowed = np.ones(len(self.unit), dtype=bool)
        if len(masks.units):
            place = np.minimum(np.searchsorted(masks.units, self.unit), len(masks.units) - 1)
            of_unit = np.flatnonzero(masks.units[place] == self.unit)
            allowed[of_unit] = masks.may[place[of_unit, None], np.arange(self.years), self.sets[of_unit]].all(axis=1)
        return allowed

    def close(self, masks: Masks, only: Mapping[int, int] | None = None) -> None:
        """Fix at zero all plans outside the masks, and all but one, given by position, of some units."""
        self.open(masks.units)
        shut = ~self.allowed(masks)
        if only:
            alone = np.zeros(len(self.row), dtype=bool)
            alone[list(only)] = True
            shut |= alone[self.unit]
            shut[list(only.values())] = False
        changed = np.flatnonzero(shut != self._shut)
        if len(changed):
            upper = np.where(shut[changed], 0.0, 1.0)
            self.grown.hold(self.column[changed], np.zeros(len(changed)), upper)
            self._shut = shut

    def solve(self, again: bool = True) -> tuple[float, NDArray[np.float64], dict[str, NDArray[np.float64]]] | None:
        """Return the value, share of each plan at hand and multipliers by row; None if infeasible.

        Parameters
        ----------
        again
            As in `etsopt.modelling.solving.growing.Growing.solve`.
        """
        vertex = self.grown.solve(again)
        if vertex is None:
            return None
        value = vertex.value + (float(self._others.cost[0]) - self._paid if self.objective == COST else 0.0)
        multipliers = {name: vertex.multipliers[block] for name, block in self.rows.items() if name != "one_plan"}
        self.activity = {name: vertex.activity[block] for name, block in self.rows.items()}
        self.flows = {name: vertex.x[block] for name, block in self.columns.items() if name != "choice"}
        return value, vertex.x[self.column], multipliers


def _parts(columns: PlanColumns) -> tuple[NDArray[np.float64], ...]:
    return columns.cost, columns.demand_reduction, columns.abated
