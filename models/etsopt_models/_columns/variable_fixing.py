r"""Who is still to choose in a market of very many units: those that choose the same at all prices nearby have chosen.

A unit's least cost is a concave function of the prices, and the cost of one plan is linear in them. So a plan that is
best at several prices is best at all between them, and its unit need not be asked again. That narrows many units down:

1. *Sample.* Units drawn by size stand for their neighbours, each as one that is so many times as large. The relaxation
   over the sample gives prices. All units answer these, which tells by how much the sample is wrong; with that put
   right it gives better prices, and so on: what is wrong is only how much answers change from one price to the next.
2. *Pass.* All units answer the last prices and prices to either side, as far away as the last but one. Who gives one
   answer has chosen, and stands on the right-hand side with it; a few in a hundred are left.

Nothing rests on it: the master (`etsopt_models._columns.master`) asks all units at its own prices, and whoever would rather
have another plan chooses again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.progress import checkpoint
from etsopt_models._columns.master import Master
from etsopt_models._market.accounts import accounts_of
from etsopt_models._market.column_pool import ColumnPool, PlanColumns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt_models._market.column_generation import Market
    from etsopt_models._market.plans import Plans


FEW = 1_500
"""Units whose plans stand one by one in a program that is solved within hundredths of a second."""

CORRECTIONS = 6
"""How often a sample is put right, at most."""

NEAR = 1e-3
"""Prices that move by less, against the highest, are good enough."""

STAGES, ENOUGH_TO_SOLVE = 3, 3_000
"""How often those who are left are narrowed down again, at most, and how few of them need that no more."""

LEAST_WIDTH = 1e-6
"""Least distance of the prices to either side, against the price."""

LEAST_OPEN = 300
"""So many units are left to choose at least: fewer may not take up what the others leave, and then all would be asked."""

FARTHER, WIDER = 8.0, 7
"""By how much prices go farther while fewer are left, and how often."""


def fix_variables(market: Market, plans: Plans) -> tuple[NDArray[np.int16], ColumnPool]:
    """Chain of every unit that has chosen, shape ``(units, years)``, and plans of the others by their position.

    Where enterprises have accounts of their own, these are plans of a market in which trading is free, at its prices and
    at those from which, and to which, a trade costs something.
    """
    friction = market.instance.policy.market.transaction_cost_cny_per_t * market.baseline.discount
    population = Population(market if not friction.any() else pooled(market), plans)
    if len(population.left) > FEW:
        population.fix_units()
    if population.prices is None:
        return population.sets, ColumnPool.start(plans)
    if friction.any():
        need, emitted = population.prices
        others = [plans.best(need + times * friction, emitted)[1] for times in FRICTIONS]
    else:
        others = [population.sets.copy() for _ in population.answers]
        for whole, response in zip(others, population.answers, strict=True):
            whole[population.left] = response
    left = np.flatnonzero(np.any([other != population.sets for other in others], axis=(0, 2)))
    answers = np.concatenate([other[left] for other in (np.zeros_like(population.sets), population.sets, *others)])
    nothing = ColumnPool.of(plans, left[:0], population.sets[:0])
    return population.sets, nothing.with_columns(np.tile(left, len(others) + 2), answers)


FRICTIONS = (-1.0, 1.0, -2.0, 2.0)
"""At how many transaction costs from the price other plans are asked for: who buys pays one more, who sells gets one less,
and who does either with different plans lies between."""


class Population:
    """All units: who has chosen, and who is still to choose.

    Attributes
    ----------
    sets
        Chain of measure sets of every unit, shape ``(units, years)``; of those still to choose an answer of theirs.
    left
        Units that are still to choose, shape ``(left,)``.
    rest
        What those come to together who have chosen.
    answers, prices
        Of those, to the last prices and to those at either side, and these prices; None before there are any.
    """

    def __init__(self, market: Market, plans: Plans) -> None:
        self.market, self.plans = market, plans
        count, years = market.baseline.emissions.shape
        self.sets = np.zeros((count, years), dtype=np.int16)
        self.left = np.arange(count)
        self.rest = PlanColumns(np.zeros(1, dtype=np.int64), np.zeros(1), np.zeros((1, years)), np.zeros((1, years)))
        self.answers: list[NDArray[np.int16]] = [self.sets]
        self.prices: NDArray[np.float64] | None = None

    def fix_units(self) -> None:
        """Ask a sample for prices and everyone for answers, until few are left."""
        for _ in range(STAGES):
            prices = self._prices_of_sample()
            if not prices:
                return
            open_ = self._asked(prices)
            for _ in range(WIDER):
                if open_.sum() >= LEAST_OPEN or not prices[0].any():
                    break
                prices = _farther(prices)
                open_ = self._asked(prices)
            self.prices = prices[0]
            self.fix_all_but(open_)
            if len(self.left) <= ENOUGH_TO_SOLVE:
                return

    def _asked(self, prices: list[NDArray[np.float64]]) -> NDArray[np.bool_]:
        """Who of those left answers differently to some prices; the first answer stands."""
        mine = self._plans_of_left()
        self.answers = [mine.best(*one)[1] for one in prices]
        self.sets[self.left] = self.answers[0]
        return np.any([response != self.answers[0] for response in self.answers[1:]], axis=(0, 2))

    def _plans_of_left(self) -> Plans:
        return self.plans if len(self.left) == len(self.sets) else self.plans.only(self.left)

    def _prices_of_sample(self) -> list[NDArray[np.float64]]:
        """Prices of the relaxation, nearly, and prices to either side; none where the sample has no solution."""
        sample, times = sample_by_size(self.market.baseline.emissions[self.left].sum(axis=1), FEW)
        mine, nothing, prices = self._plans_of_left(), self.rest, []
        plans = mine.only(sample, times)
        accounts = replace(self.market.accounts, of_unit=np.zeros(len(sample), dtype=np.int64))
        market = replace(self.market, baseline=plans.baseline, accounts=accounts, rest=nothing)
        sets = np.zeros((len(sample), self.sets.shape[1]), dtype=np.int16)
        master, rest = Master(market, plans, sets, ColumnPool.start(plans)), nothing
        for number in range(CORRECTIONS):
            checkpoint("prices of a sample, correction", number + 1, CORRECTIONS)
            master.update_right_hand_side(rest)
            priced = master.cleared()
            if priced.share is None:
                break
            prices.append(np.stack(master.prices(priced.multipliers)))
            if len(prices) > 1 and np.abs(prices[-1] - prices[-2]).max() <= NEAR * np.abs(prices[-1]).max():
                break
            self.sets[self.left] = mine.best(*prices[-1])[1]
            drawn = ColumnPool.of(plans, np.arange(len(sample)), self.sets[self.left[sample]]).columns.total
            rest = nothing.plus(self._columns_of(self.left).total.minus(drawn))
        if not prices:
            return []
        step = np.abs(prices[-1] - prices[max(len(prices) - 2, 0)])
        return [prices[-1], prices[-1] - step, prices[-1] + step]

    def fix_all_but(self, open_: NDArray[np.bool_]) -> None:
        """Those who have chosen join the rest."""
        done = self.left[~open_]
        self.rest = self.rest.plus(self._columns_of(done).total)
        self.left, self.answers = self.left[open_], [response[open_] for response in self.answers]

    def _columns_of(self, units: NDArray[np.int64]) -> PlanColumns:
        return ColumnPool.of(self.plans, units, self.sets[units]).columns


def pooled(market: Market) -> Market:
    """The market with one account for all."""
    accounts = accounts_of(market.instance, market.baseline, pooled=True, market="supply" in market.extra)
    return replace(market, accounts=accounts)


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


def _farther(prices: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Prices in the middle, and to either side of it farther away."""
    middle, *sides = prices
    least = LEAST_WIDTH * np.abs(middle)
    steps = zip((-1.0, 1.0), (FARTHER * (side - middle) for side in sides), strict=True)
    return [middle, *(middle + np.where(np.abs(step) > least, step, sign * least) for sign, step in steps)]
