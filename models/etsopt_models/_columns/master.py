r"""The restricted master of a market: the solver holds the units that still choose, with the plans generated so far.

Dantzig and Wolfe (1960) price the plans of every unit at the multipliers $y$ of the rows that couple them. The value of
the program over the plans at hand, less the saving by better plans at its multipliers,

$$L(y) = z - \sum_i \max\Bigl(0, \min_{j \text{ at hand}} v_j(y) - \min_{j \in J_i} v_j(y)\Bigr),$$

is Geoffrion's (1974) Lagrangian bound over *all* plans, without a list: the least value of a unit's plans follows from
a minimum over supersets (`etsopt_models._market.plans`). The bound also holds if some units must, or must not, run a
measure in a year: a mask on the sets that may run. At a vertex no more units are fractional than rows couple them.

Fixed units are part of the right-hand side with one plan each; a unit with a better plan joins the program with both.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt_models._columns.branches import NO_MASKS, Masks
from etsopt_models._columns.plans_at_hand import COST, UNMET, PlansAtHand
from etsopt_models._effort import PRICING_ROUNDS_MAX
from etsopt_models._market.column_generation import unit_prices
from etsopt_models._market.column_pool import ColumnPool
from etsopt_models._tolerances import FRACTIONAL_SHARE_MIN, PLAN_GAIN_RELATIVE, PRICING_GAIN_RELATIVE, UNMET_TOLERANCE_T

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from etsopt_models._columns.branches import Branch
    from etsopt_models._market.column_pool import PlanColumns


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
