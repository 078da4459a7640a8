r"""The restricted master of a market: the solver holds the units that still choose, with the plans generated so far.

Dantzig and Wolfe (1960) price the plans of every unit at the multipliers $y$ of the rows that couple them. The value of
the program over the plans at hand, less the saving by better plans at its multipliers,

$$L(y) = z - \sum_i \max\Bigl(0, \min_{j \text{ at hand}} v_j(y) - \min_{j \in J_i} v_j(y)\Bigr),$$

is Geoffrion's (1974) Lagrangian bound over *all* plans, without a list: the least value of a unit's plans follows from
a minimum over supersets (`etsopt_models._market.plans`). The bound also holds if some units must, or must not, run a
measure in a year: a mask on the sets that may run. At a vertex no more units are fractional than rows couple them.

Fixed units are part of the right-hand side with one plan each; a unit with a better plan joins the program with both.

Branches (a unit runs a measure in a year, or does not) and masks (the sets that branches leave to a unit).

Plans at hand of a market in the solver: choosing units have a row; fixed units are part of the right-hand side.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt_models._effort import PRICING_ROUNDS_MAX
from etsopt_models._market.column_generation import unit_prices
from etsopt_models._market.column_pool import ColumnPool, PlanColumns
from etsopt_models._tolerances import (
    FRACTIONAL_SHARE_MIN,
    PLAN_GAIN_RELATIVE,
    PRICING_GAIN_RELATIVE,
    TYPICAL_PRICE_CNY_PER_T,
    UNMET_TOLERANCE_T,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from etsopt_models._market.column_generation import Market
    from etsopt_models._market.plans import Plans


class Branch(NamedTuple):
    """A unit that runs, or does not run, a measure in a year; the measure by its place among those of its unit."""

    unit: int
    year: int
    measure: int
    runs: bool


class Masks(NamedTuple):
    """Units with branches, in order, and True for the sets that each may run, shape ``(units, years, sets)``."""

    units: NDArray[np.int64]
    may: NDArray[np.bool_]


NO_MASKS = Masks(np.zeros(0, dtype=np.int64), np.zeros((0, 0, 0), dtype=bool))
"""Masks without branches."""


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


class Priced(NamedTuple):
    """Result of pricing a node.

    Parameters
    ----------
    bound, multipliers
        A lower bound, and the multipliers by row that prove it.
    value, share
        Cost of the last vertex of the master, and the share of each plan at hand; None if infeasible.
    """

    bound: float
    multipliers: dict[str, NDArray[np.float64]]
    value: float
    share: NDArray[np.float64] | None


class Master(PlansAtHand):
    """The program over the plans at hand, and its prices; parameters as for `PlansAtHand`."""

    _phase_one: Master | None = None

    def masks(self, branches: Sequence[Branch]) -> Masks:
        """Return the sets that may run in each year, for every unit with branches."""
        units = np.unique(np.array([branch.unit for branch in branches], dtype=np.int64))
        may = self.plans.may_run(units)
        place = {unit: number for number, unit in enumerate(units.tolist())}
        for unit, year, measure, runs in branches:
            family = self.plans.family(unit)
            may[place[unit], year, : len(family)] &= family.has[:, measure] == runs
        return Masks(units, may)

    def prices(self, multipliers: Mapping[str, NDArray[np.float64]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the cost of a tonne of net demand and of a tonne emitted, by unit, or for one account [CNY/t]."""
        return unit_prices(self.market.instance, self.market.accounts, multipliers)

    def best(
        self, prices: tuple[NDArray[np.float64], NDArray[np.float64]], masks: Masks
    ) -> tuple[NDArray[np.float64], NDArray[np.int16]]:
        """Return the value [CNY] and chain of the best of all plans of every unit within the masks."""
        weight = float(self.objective == COST)
        value, sets = self.plans.best(*prices, weight)
        if len(masks.units):
            value, sets = value.copy(), sets.copy()
            value[masks.units], sets[masks.units] = self.plans.best_under(*masks, *prices, weight)
        return value, sets

    def at_hand(self, prices: tuple[NDArray[np.float64], NDArray[np.float64]]) -> NDArray[np.float64]:
        """Return the value of the best plan at hand of every unit, shape ``(units,)`` [CNY]."""
        worth = self.worth(self._base_columns, prices)
        worth[self.row >= 0] = np.inf
        left = ~self._shut
        np.minimum.at(worth, self.unit[left], self.values(prices)[left])
        return worth

    def values(self, prices: tuple[NDArray[np.float64], NDArray[np.float64]]) -> NDArray[np.float64]:
        """Return the value of every plan at hand, shape ``(plans,)`` [CNY]."""
        return self.worth(self.plan_columns, prices, self.unit)

    def worth(
        self, columns: PlanColumns, prices: tuple[NDArray[np.float64], NDArray[np.float64]], units: Any = slice(None)
    ) -> NDArray[np.float64]:
        """Return the value of plans of some units, or of one plan of each, shape ``(plans,)`` [CNY]."""
        need, emitted = (price if len(price) == 1 else price[units] for price in prices)
        baseline = self.market.baseline
        emissions, free = baseline.emissions[units], baseline.free[units]
        # The plan's changes apply to its unit without measures.
        paid = need * (emissions - free - columns.demand_reduction) + emitted * (emissions - columns.abated)
        value: NDArray[np.float64] = float(self.objective == COST) * columns.cost + paid.sum(axis=1)
        return value

    def gains(
        self, prices: tuple[NDArray[np.float64], NDArray[np.float64]], masks: Masks
    ) -> tuple[NDArray[np.float64], NDArray[np.int16]]:
        """Return the gain of the best of all plans within the masks over those at hand [CNY], and its chain."""
        best, sets = self.best(prices, masks)
        return self._gain(self.at_hand(prices), best), sets

    def gains_of(
        self, units: NDArray[np.int64], prices: tuple[NDArray[np.float64], NDArray[np.float64]]
    ) -> tuple[NDArray[np.float64], NDArray[np.int16]]:
        """Return the same as `gains` for some units without masks, in their order."""
        need, emitted = (price if len(price) == 1 else price[units] for price in prices)
        best, sets = self.plans.only(units).best(need, emitted, float(self.objective == COST))
        return self._gain(self.at_hand(prices)[units], best), sets

    @staticmethod
    def _gain(at_hand: NDArray[np.float64], best: NDArray[np.float64]) -> NDArray[np.float64]:
        gain = at_hand - best
        return np.where(gain > PLAN_GAIN_RELATIVE * (1 + np.abs(best)), gain, 0.0)

    def relaxed(self, masks: Masks, enough: float) -> Priced:
        """Generate columns until none lowers the cost within the masks, or the bound is enough.

        Returns
        -------
        Priced
            Its bound is minus infinity if the plans at hand are infeasible.
        """
        best = Priced(-np.inf, {}, np.inf, None)
        for number in range(PRICING_ROUNDS_MAX):
            checkpoint(_("prices over {count:,} plans, round", count=len(self.unit)), number + 1)
            self.close(masks)
            vertex = self.solve()
            if vertex is None:
                return best
            value, share, multipliers = vertex
            gain, sets = self.gains(self.prices(multipliers), masks)
            bound = value - float(gain.sum())
            if bound > best.bound:
                best = Priced(bound, multipliers, value, share)
            best = best._replace(value=value, share=share)
            if best.bound >= enough or gain.sum() <= PRICING_GAIN_RELATIVE * (1 + abs(value)):
                return best
            better = np.flatnonzero(gain > 0)
            if not self.add(better, sets[better]):
                return best
        return best

    def cleared(self) -> Priced:
        """Solve the relaxation, with the plans that the market needs to clear; without shares if it cannot."""
        priced = self.relaxed(NO_MASKS, np.inf)
        if priced.share is not None:
            return priced
        proof = self.infeasibility_proof(NO_MASKS)
        return self.relaxed(NO_MASKS, np.inf) if proof is None else proof._replace(share=None)

    @property
    def phase_one(self) -> Master:
        """The same program in which only unmet demand counts, in tonnes."""
        if self._phase_one is None:
            order = np.argsort(self.unit, kind="stable")
            pool = ColumnPool.of(self.plans, self.unit[order], self.sets[order])
            market = replace(self.market, rest=self.beside)
            self._phase_one = Master(market, self.plans, self.base.sets, pool, UNMET)
        self._phase_one.update_right_hand_side(self.beside)
        return self._phase_one

    def infeasibility_proof(self, masks: Masks) -> Priced | None:
        """Return a proof that the market cannot clear under masks; None if it can, with the plans for it at hand."""
        if "supply" not in self.market.extra:
            return None
        one = self.phase_one
        one.give_plans(masks)
        priced = one.relaxed(masks, np.inf)
        if priced.share is None or priced.value > UNMET_TOLERANCE_T:
            return priced
        self.add(one.unit, one.sets)
        self.allow_unmet(one.flows["unmet"])
        return None

    def give_plans(self, masks: Masks) -> bool:
        """Give every unit under a mask a plan at hand; return False if one of them has none left."""
        without = ~np.isin(masks.units, self.unit[self.allowed(masks)])
        nothing = np.zeros((1, self.years))
        value, sets = self.plans.best_under(masks.units[without], masks.may[without], nothing, nothing)
        if np.isinf(value).any():
            return False
        self.add(masks.units[without], sets)
        return True

    def most_taken(self, share: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the position of the plan of largest share of every choosing unit, among the first plans at hand."""
        unit = self.unit[: len(share)]
        order = np.lexsort((-share, unit))
        return order[np.diff(unit[order], prepend=-1) > 0]

    def fractional(self, share: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the fractional units, those with most tonnes between plans first; of the first plans at hand."""
        count = len(share)
        top = np.ones(len(self.row))
        top[self.unit[:count]] = 0.0
        np.maximum.at(top, self.unit[:count], share)
        fractional = np.flatnonzero(top < 1 - FRACTIONAL_SHARE_MIN)
        moved = [self._moved(int(unit), share) for unit in fractional]
        order: NDArray[np.int64] = fractional[np.argsort(-np.array(moved), kind="stable")]
        return order

    def _moved(self, unit: int, share: NDArray[np.float64]) -> float:
        """Return the tonnes between the mixture of a unit and its plan of largest share."""
        of_unit = np.flatnonzero(self.unit[: len(share)] == unit)
        demand_reduction = self.plan_columns.demand_reduction[of_unit]
        apart = np.abs(demand_reduction - demand_reduction[np.argmax(share[of_unit])]).sum(axis=1)
        return float(apart @ share[of_unit])

    def other_spending(self, units: NDArray[np.int64]) -> float:
        """Return the spending on plans of other units and on trades of the last vertex [CNY]."""
        others = np.ones(len(self.row), dtype=bool)
        others[units] = False
        linear = self.grown.program.objectives[COST].linear
        trading_cost = sum(
            np.maximum(linear[self.columns[name]] * values, 0.0).sum() for name, values in self.flows.items()
        )
        return float(np.maximum(self._base_columns.cost[others], 0.0).sum() + trading_cost)
