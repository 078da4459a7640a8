r"""Markets of very many units by prices: those that choose the same at all prices nearby have chosen.

A unit's least cost is a concave function of the prices, and the cost of one plan is linear in them. So a plan that is
best at several prices is best at all between them, and its unit need not be asked again. That narrows many units down:

1. *Sample.* Units drawn by size stand for their neighbours, each as one that is so many times as large. The relaxation
   over the sample gives prices. All units answer these, which tells by how much the sample is wrong; with that put
   right it gives better prices, and so on: what is wrong is only how much answers change from one price to the next.
2. *Pass.* All units answer the last prices and prices to either side, as far away as the last but one. Who gives one
   answer has chosen, and joins the rest, whose plans are subtracted from what is lacking; a few in a hundred are left.
3. *Proof.* The relaxation over the plans of those left and the rest is solved exactly. At its prices all units
   are asked once more: who would rather take another plan is heard again. When nobody does, no plan of any unit lowers
   the cost of the relaxation, so its value bounds the cost of all whole choices.
4. *Core.* Of those that are left, the units whose second best plan is nearly as good choose anew in the mixed-integer
   program of the model's own formulation; everyone else is the rest.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.progress import checkpoint
from etsopt_models._parts.core import CORE, core_of
from etsopt_models._parts.plans import Plans
from etsopt_models._parts.portfolio import Menu, Portfolio
from etsopt_models._parts.search import ENOUGH, search, unit_prices

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt_models._parts.search import Found, Market


FEW = 1_500
"""Units whose plans stand one by one in a program that is solved within hundredths of a second."""

CORRECTIONS = 6
"""How often a sample is put right, at most."""

NEAR = 1e-3
"""Prices that move by less, against the highest, are good enough."""

STAGES, ENOUGH_TO_SOLVE = 3, 3_000
"""How often those who are left are narrowed down again, at most, and how few of them need that no more."""

ROUNDS = 20

LEAST_WIDTH = 1e-6
"""Least distance of the prices to either side, against the price."""

FARTHER, WIDER = 8.0, 7
"""By how much they go farther while too few are left for a core, and how often."""


def narrowed(market: Market) -> tuple[dict[str, Any], Found]:
    """Parameters of a small program over those who are near a tie, as `etsopt_models._parts.search.search` returns."""
    plans = Plans.of(market.instance, market.found)
    crowd = Crowd(market, plans)
    if not crowd.narrow():
        return search(market, "units are few, or a sample of them cannot meet the demand")
    if not crowd.prove():
        return search(market, "those near a tie cannot meet the demand")
    return core_of(crowd) or search(market, "those near a tie cannot take up what the others leave")


class Crowd:
    """All units: who has chosen, and who is still to choose.

    Attributes
    ----------
    sets
        Chain of measure sets of every unit, shape ``(units, years)``; of those still to choose an answer of theirs.
    left
        Units that are still to choose, shape ``(left,)``.
    rest
        What those come to together who have chosen.
    portfolio, solution, prices
        Plans of those left, the relaxation over these, and its prices, once `prove` went well.
    """

    def __init__(self, market: Market, plans: Plans) -> None:
        self.market, self.plans = market, plans
        count, years = market.found.emissions.shape
        self.sets = np.zeros((count, years), dtype=np.int16)
        self.left = np.arange(count)
        self.rest = Menu(np.zeros(1, dtype=np.int64), np.zeros(1), np.zeros((1, years)), np.zeros((1, years)))
        self.answers: list[NDArray[np.int16]] = [self.sets]

    def narrow(self) -> bool:
        """Ask a sample for prices and everyone for answers, until few are left; whether there were many, and prices."""
        if len(self.left) <= FEW:
            return False
        for again in range(STAGES):
            prices = self._prices_of_sample()
            if not prices:
                return again > 0
            open_ = self._asked(prices)
            for _ in range(WIDER):
                if open_.sum() >= CORE or not prices[0].any():
                    break
                prices = _farther(prices)
                open_ = self._asked(prices)
            self.leave(open_)
            if len(self.left) <= ENOUGH_TO_SOLVE:
                break
        return True

    def _asked(self, prices: list[NDArray[np.float64]]) -> NDArray[np.bool_]:
        """Who of those left answers differently to some prices; the first answer stands."""
        mine = self._plans_of_left()
        self.answers = [mine.best(*one)[1] for one in prices]
        self.sets[self.left] = self.answers[0]
        return np.any([answer != self.answers[0] for answer in self.answers[1:]], axis=(0, 2))

    def _plans_of_left(self) -> Plans:
        return self.plans if len(self.left) == len(self.sets) else self.plans.only(self.left)

    def market_of(self, units: int) -> Market:
        """The market of some units beside the rest."""
        own = replace(self.market.own, of_unit=np.zeros(units, dtype=np.int64))
        return replace(self.market, own=own, rest=self.rest)

    def _prices_of_sample(self) -> list[NDArray[np.float64]]:
        """Prices of the relaxation, nearly, and prices to either side; none where the sample has no solution."""
        sample, times = sample_by_size(self.market.found.emissions[self.left].sum(axis=1), FEW)
        mine, nothing, found = self._plans_of_left(), self.rest, []
        plans = mine.only(sample, times)
        portfolio, _ = self.market_of(len(sample)).least_missing(Portfolio.start(plans))
        for number in range(CORRECTIONS):
            checkpoint("prices of a sample, correction", number + 1, CORRECTIONS)
            market = self.market_of(len(sample))
            portfolio, solution = market.settle(portfolio)
            if not solution.levels:
                break
            found.append(_prices(market, solution))
            if len(found) > 1 and np.abs(found[-1] - found[-2]).max() <= NEAR * np.abs(found[-1]).max():
                break
            self.sets[self.left] = mine.best(*found[-1])[1]
            drawn = Portfolio.of(plans, np.arange(len(sample)), self.sets[self.left[sample]]).menu.together
            self.rest = nothing.plus(self._menu(self.left).together.minus(drawn))
        self.rest = nothing
        if not found:
            return []
        step = np.abs(found[-1] - found[max(len(found) - 2, 0)])
        return [found[-1], found[-1] - step, found[-1] + step]

    def leave(self, open_: NDArray[np.bool_]) -> None:
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
        for number in range(ROUNDS):
            checkpoint(f"proof over all units, {len(self.left):,} of them open, round", number + 1)
            market = self.market_of(len(self.left))
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
        self.rest = self.rest.minus(had)
        self.answers = []
        before, self.left = self.left, np.sort(np.concatenate([self.left, units]))
        own = self.plans.only(self.left)
        place = np.searchsorted(self.left, before)[portfolio.unit]
        new = np.searchsorted(self.left, units)
        return Portfolio.start(own).added(
            np.concatenate([place, new, new]), np.concatenate([portfolio.sets, self.sets[units], sets])
        )


def sample_by_size(size: NDArray[np.float64], count: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Units that stand for all, about so many, and how many times as large each stands.

    The largest stand for themselves; the others are drawn evenly along their sizes, so that all who are drawn come out
    equally large.

    >>> sample_by_size(np.array([1.0, 1.0, 1.0, 1.0, 20.0]), 3)
    (array([0, 2, 4]), array([2., 2., 1.]))
    """
    certain = size * count >= size.sum()
    others = np.flatnonzero(~certain)
    others = others[np.argsort(size[others], kind="stable")]
    up_to, draws = np.cumsum(size[others]), max(count - int(certain.sum()), 1)
    step = up_to[-1] / draws if len(others) else 0.0
    drawn, hits = np.unique(np.searchsorted(up_to, (np.arange(draws) + 0.5) * step), return_counts=True)
    sample = np.concatenate([np.flatnonzero(certain), others[drawn]])
    times = np.concatenate([np.ones(int(certain.sum())), hits * step / size[others[drawn]]])
    order = np.argsort(sample)
    return sample[order], times[order]


def _prices(market: Market, solution: Any) -> NDArray[np.float64]:
    """Prices that all units pay, as `Plans.best` takes them, shape ``(2, 1, years)``."""
    one = replace(market.own, of_unit=np.zeros(1, dtype=np.int64))
    return np.stack(unit_prices(market.instance, one, solution))


def _farther(prices: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Prices in the middle, and to either side of it farther away."""
    middle, *sides = prices
    least = LEAST_WIDTH * np.abs(middle)
    steps = zip((-1.0, 1.0), (FARTHER * (side - middle) for side in sides), strict=True)
    return [middle, *(middle + np.where(np.abs(step) > least, step, sign * least) for sign, step in steps)]
