r"""Markets of very many units by prices: those that choose the same at all prices nearby have chosen.

A unit's least cost is a concave function of the prices, and the cost of one plan is linear in them. So a plan that is
best at several prices is best at all between them, and its unit need not be asked again. That narrows many units down:

1. *Sample.* Every so manieth unit, by size, stands for its neighbours as one that is so many times as large. The
   relaxation over the sample gives prices; with demand higher and lower by what the sample may be wrong, prices to
   either side.
2. *Pass.* All units answer these prices. Who gives one answer has chosen, and joins the rest, which is one unit of the
   program with one plan; the others, a few in a hundred, are narrowed down again.
3. *Proof.* Once few are left the relaxation over their plans and the rest is solved exactly. At its prices all units
   are asked once more: who would rather take another plan is heard again. When nobody does, no plan of any unit lowers
   the cost of the relaxation, so its value bounds the cost of all whole choices.
4. *Core.* Of those that are left, the units whose second best plan is nearly as good choose anew in the mixed-integer
   program of the model's own formulation; everyone else is the rest.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt_models._parts.plans import Plans
from etsopt_models._parts.portfolio import Menu, Portfolio
from etsopt_models._parts.search import ENOUGH, Found, Market, search, unit_prices

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Prices = tuple[NDArray[np.float64], NDArray[np.float64]]

FEW = 1_500
"""Units whose plans stand one by one in a program that is solved within hundredths of a second."""

CORE = 200
"""Units among which branch and bound chooses."""

DEVIATIONS = 3.0
"""By how many standard deviations a sample may be wrong."""

ROUNDS = 20


def narrowed(market: Market) -> tuple[dict[str, Any], Found]:
    """Parameters of a small program over those who are near a tie, as `etsopt_models._parts.search.search` returns."""
    plans = Plans.of(market.instance, market.found)
    crowd = _Crowd(market, plans)
    if not crowd.narrow() or not crowd.prove():
        # Few units, or demand that the sample alone cannot meet: all plans of all units stand in one program.
        return search(market)
    return crowd.core()


class _Crowd:
    """All units: who has chosen, and who is still to choose.

    Attributes
    ----------
    sets
        Chain of measure sets of every unit, shape ``(units, years)``; of those still to choose an answer of theirs.
    left
        Units that are still to choose, shape ``(left,)``.
    portfolio, solution
        Their plans, and the relaxation over these.
    """

    def __init__(self, market: Market, plans: Plans) -> None:
        self.market, self.plans = market, plans
        count, years = market.found.emissions.shape
        self.sets = np.zeros((count, years), dtype=np.int16)
        self.left = np.arange(count)
        self.rest = Menu(np.zeros(1, dtype=np.int64), np.zeros(1), np.zeros((1, years)), np.zeros((1, years)))
        self.answers: list[NDArray[np.int16]] = [self.sets]

    def narrow(self) -> bool:
        """Ask samples for prices and everyone for answers until few are left; whether that went well."""
        size = self.market.found.emissions.sum(axis=1)
        while len(self.left) > FEW:
            order = self.left[np.argsort(size[self.left], kind="stable")]
            step = len(order) / FEW
            sample = np.sort(order[((np.arange(FEW) + 0.5) * step).astype(np.int64)])
            prices = self._prices_of(self.plans.only(sample, step))
            if not prices:
                return False
            plans = self.plans.only(self.left)
            self.answers = [plans.best(*one)[1] for one in prices]
            self.sets[self.left] = self.answers[0]
            open_ = np.any([answer != self.answers[0] for answer in self.answers[1:]], axis=(0, 2))
            if open_.mean() > 0.5:
                return False
            self._leave(open_)
        return True

    def _market(self, units: int) -> Market:
        """The market of some units beside the rest."""
        own = replace(self.market.own, of_unit=np.zeros(units + 1, dtype=np.int64))
        return replace(self.market, own=own, rest=self.rest)

    def _prices_of(self, plans: Plans) -> list[Prices]:
        """Prices of the relaxation over a sample, and those to either side; none where it has no solution."""
        market = self._market(len(plans.kind))
        portfolio, missing = market.least_missing(Portfolio.start(plans))
        portfolio, solution = market.settle(portfolio)
        if not solution.levels:
            return []
        relief = _best_of(portfolio, _prices(market, solution))
        wrong = DEVIATIONS * np.sqrt(len(relief)) * relief.std(axis=0)
        prices = [_prices(market, solution)]
        for change in (-wrong, wrong):
            _, other = market.settle(portfolio, {"lacking": market.lacking + change})
            prices.append(_prices(market, other) if other.levels else tuple(2 * part for part in prices[0]))
        return prices

    def _leave(self, open_: NDArray[np.bool_]) -> None:
        """Those who have chosen join the rest."""
        done = self.left[~open_]
        self.rest = self.rest.plus(self._menu(done).together)
        self.left, self.answers = self.left[open_], [answer[open_] for answer in self.answers]

    def _menu(self, units: NDArray[np.int64]) -> Menu:
        return Portfolio.of(self.plans, units, self.sets[units]).menu

    def prove(self) -> bool:
        """Solve the relaxation over the plans of those who are left until nobody at all would take another."""
        own = self.plans.only(self.left)
        everyone = np.tile(np.arange(len(self.left)), len(self.answers))
        portfolio = Portfolio.start(own).added(everyone, np.concatenate(self.answers))
        for _ in range(ROUNDS):
            market = self._market(len(self.left))
            portfolio, solution = market.settle(portfolio)
            if not solution.levels:
                return False
            prices = _prices(market, solution)
            value, sets = self.plans.best(*prices)
            other = (sets != self.sets).any(axis=1)
            other[self.left] = False
            heard = np.flatnonzero(other)
            gain = Portfolio.of(self.plans, heard, self.sets[heard]).values(*prices) - value[heard]
            heard = heard[gain > 0]
            if gain.clip(min=0.0).sum() <= ENOUGH * (1 + abs(solution.levels[0].value)):
                self.portfolio, self.solution, self.prices = portfolio, solution, prices
                return True
            portfolio = self._hear(heard, sets[heard], portfolio)
        return False

    def _hear(self, units: NDArray[np.int64], sets: NDArray[np.int16], portfolio: Portfolio) -> Portfolio:
        """Units that had chosen choose anew: what they had and what they would rather have."""
        had = self._menu(units).together
        self.rest = self.rest.plus(Menu(had.unit, -had.cost, -had.relief, -had.abated))
        before, self.left = self.left, np.sort(np.concatenate([self.left, units]))
        own = self.plans.only(self.left)
        place = np.searchsorted(self.left, before)[portfolio.unit]
        new = np.searchsorted(self.left, units)
        return Portfolio.start(own).added(
            np.concatenate([place, new, new]), np.concatenate([portfolio.sets, self.sets[units], sets])
        )

    def core(self) -> tuple[dict[str, Any], Found]:
        """Parameters over the plans of those near a tie, and what the tables need of everyone."""
        portfolio = self.portfolio
        market = self._market(len(self.left))
        interval = ()
        if "supply" in market.more:
            interval = market.price_interval(portfolio, self.solution)
        values = portfolio.values(*self.prices)
        best = np.minimum.reduceat(values, portfolio.first)
        at_best = np.flatnonzero(values == best[portfolio.unit])
        at_best = at_best[np.unique(portfolio.unit[at_best], return_index=True)[1]]
        self.sets[self.left] = portfolio.sets[at_best]
        values[at_best] = np.inf
        regret = np.minimum.reduceat(values, portfolio.first) - best
        chosen = np.zeros(len(self.left), dtype=bool)
        chosen[np.argsort(regret, kind="stable")[:CORE]] = True
        self._leave(chosen)
        mine = portfolio.kept(chosen[portfolio.unit])
        core = Portfolio.of(self.plans.only(self.left), np.cumsum(chosen)[mine.unit] - 1, mine.sets)
        market = self._market(len(self.left))
        everyone = Portfolio.of(self.plans, np.arange(len(self.sets)), self.sets)
        return market.parameters(core), Found(core, self.market.own, *interval, everyone=everyone, core=self.left)


def _prices(market: Market, solution: Any) -> Prices:
    """Prices that all units pay, shapes ``(1, years)``."""
    need, emitted = unit_prices(market.instance, market.own, solution)
    return need[:1], emitted[:1]


def _best_of(portfolio: Portfolio, prices: Prices) -> NDArray[np.float64]:
    """Relief by the plans that are best at some prices, shape ``(units, years)`` [t]."""
    values = portfolio.values(*prices)
    best = np.flatnonzero(values == np.minimum.reduceat(values, portfolio.first)[portfolio.unit])
    first = np.unique(portfolio.unit[best], return_index=True)[1]
    return portfolio.menu.relief[best[first]]
