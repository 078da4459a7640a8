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

from etsopt_models._parts.core import CORE, core_of
from etsopt_models._parts.plans import Plans
from etsopt_models._parts.portfolio import Menu, Portfolio
from etsopt_models._parts.search import ENOUGH, search, unit_prices

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._parts.search import Found, Market


FEW = 1_500
"""Units whose plans stand one by one in a program that is solved within hundredths of a second."""

SOME = 4 * FEW
"""Units that are not worth a sample."""

DEVIATIONS = 3.0
"""By how many standard deviations a sample may be wrong."""

ROUNDS = 20

LEAST_WIDTH = 1e-6
"""Least distance of the prices to either side, against the price; twice that, and so on, while few are left."""

WIDER = 12
"""How often it is doubled."""


def declines(instance: Instance) -> str:
    """Why the method cannot serve: each enterprise has its own prices where trading costs something."""
    if instance.policy.market.transaction_cost_cny_per_t > 0:
        return "with a transaction cost every enterprise has an account of its own"
    return ""


def narrowed(market: Market) -> tuple[dict[str, Any], Found]:
    """Parameters of a small program over those who are near a tie, as `etsopt_models._parts.search.search` returns."""
    plans = Plans.of(market.instance, market.found)
    crowd = Crowd(market, plans)
    if crowd.narrow() and crowd.prove():
        found = core_of(crowd)
        if found is not None:
            return found
    # Few units, or demand that a sample or a core alone cannot meet: all plans of all units stand in one program.
    return search(market)


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
        """Ask samples for prices and everyone for answers until few are left; whether there were many, and prices."""
        size = self.market.found.emissions.sum(axis=1)
        many = len(self.left) > FEW
        while len(self.left) > (SOME if len(self.left) < len(self.sets) else FEW):
            sample, times = sample_by_size(size[self.left], FEW)
            prices = self._prices_of(self.plans.only(self.left[sample], times), times)
            if not prices:
                return False
            open_ = self._asked(prices)
            for _ in range(WIDER):
                if open_.sum() >= CORE:
                    break
                prices = _twice_as_far(prices)
                open_ = self._asked(prices)
            before = len(self.left)
            self.leave(open_)
            if len(self.left) > before / 2:
                break
        return many

    def _asked(self, prices: list[NDArray[np.float64]]) -> NDArray[np.bool_]:
        """Who of those that are left answers differently to some prices; the first answer stands."""
        plans = self.plans.only(self.left)
        self.answers = [plans.best(*one)[1] for one in prices]
        self.sets[self.left] = self.answers[0]
        return np.any([answer != self.answers[0] for answer in self.answers[1:]], axis=(0, 2))

    def market_of(self, units: int) -> Market:
        """The market of some units beside the rest."""
        own = replace(self.market.own, of_unit=np.zeros(units, dtype=np.int64))
        return replace(self.market, own=own, rest=self.rest)

    def _prices_of(self, plans: Plans, times: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        """Prices of the relaxation over a sample, and those to either side; none where it has no solution."""
        market = self.market_of(len(plans.kind))
        portfolio, _ = market.least_missing(Portfolio.start(plans))
        portfolio, solution = market.settle(portfolio)
        if not solution.levels:
            return []
        # Who stands for himself alone is not wrong.
        best, _ = portfolio.apart(_prices(market, solution))
        relief = portfolio.menu.relief[best][times != 1]
        unasked = np.sqrt(max(1 - len(times) / len(self.left), 0.0))
        wrong = DEVIATIONS * unasked * np.sqrt(len(relief)) * relief.std(axis=0)
        prices = [_prices(market, solution)]
        for change in (-wrong, wrong):
            _, other = market.settle(portfolio, {"lacking": market.lacking + change})
            prices.append(_prices(market, other) if other.levels else 2 * prices[0])
        return prices

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
        for _ in range(ROUNDS):
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
        self.rest = self.rest.plus(Menu(had.unit, -had.cost, -had.relief, -had.abated))
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


def _twice_as_far(prices: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Prices in the middle, and to either side of it twice as far away."""
    middle, *sides = prices
    least = LEAST_WIDTH * np.abs(middle)
    steps = zip((-1.0, 1.0), (2 * (side - middle) for side in sides), strict=True)
    return [middle, *(middle + np.where(np.abs(step) > least, step, sign * least) for sign, step in steps)]
