r"""Variable fixing in markets of very many units: a unit with the same best plan at all prices nearby is fixed at it.

A unit's least cost is a concave function of the prices, and the cost of one plan is linear in them. So a plan that is
best at several prices is best at all prices between them, and its unit need not be priced again:

1. *Sample.* Units drawn by size, each scaled up, represent the others. The relaxation over the sample gives prices. The
   responses of all units to these reveal the error of the sample; the corrected sample gives better prices, and so on.
   The remaining error is only the change of responses from one price to the next.
2. *Pass.* All units respond to the last prices and to prices on either side, at the distance of the last but one. A
   unit with one response is fixed, and joins the right-hand side; a few per cent stay free.

The proof does not depend on it: the master (`etsopt_models._columns.master`) prices all units at its own prices, and a
unit with a better plan chooses again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt_models._columns.master import Master
from etsopt_models._effort import (
    FIXING_STAGES_MAX,
    FREE_UNITS_MAX,
    FREE_UNITS_MIN,
    PRICE_DISTANCE_FACTOR,
    PRICE_DISTANCE_MIN_RELATIVE,
    PRICE_DISTANCE_STEPS_MAX,
    PRICED_TRANSACTION_COSTS,
    SAMPLE_CORRECTIONS_MAX,
    SAMPLE_UNITS_MAX,
)
from etsopt_models._market.accounts import accounts_of
from etsopt_models._market.column_pool import ColumnPool, PlanColumns
from etsopt_models._tolerances import PRICE_CHANGE_RELATIVE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etsopt_models._market.column_generation import Market
    from etsopt_models._market.plans import Plans


def fix_variables(market: Market, plans: Plans) -> tuple[NDArray[np.int16], ColumnPool]:
    """Return the chain of every fixed unit, shape ``(units, years)``, and the pool of the free units by position.

    With accounts of enterprises, these are plans of a market with free trading, at its prices and at these plus or
    minus transaction costs.
    """
    transaction_cost = market.instance.policy.market.transaction_cost_cny_per_t * market.baseline.discount
    population = Population(market if not transaction_cost.any() else pooled(market), plans)
    if len(population.left) > SAMPLE_UNITS_MAX:
        population.fix_units()
    if population.prices is None:
        return population.sets, ColumnPool.start(plans)
    if transaction_cost.any():
        need, emitted = population.prices
        others = [plans.best(need + times * transaction_cost, emitted)[1] for times in PRICED_TRANSACTION_COSTS]
    else:
        others = [population.sets.copy() for _ in population.answers]
        for whole, response in zip(others, population.answers, strict=True):
            whole[population.left] = response
    left = np.flatnonzero(np.any([other != population.sets for other in others], axis=(0, 2)))
    answers = np.concatenate([other[left] for other in (np.zeros_like(population.sets), population.sets, *others)])
    nothing = ColumnPool.of(plans, left[:0], population.sets[:0])
    return population.sets, nothing.with_columns(np.tile(left, len(others) + 2), answers)


class Population:
    """All units, fixed and free.

    Attributes
    ----------
    sets
        Chain of measure sets of every unit, shape ``(units, years)``; for free units one of their responses.
    left
        Free units, shape ``(left,)``.
    rest
        Total of the fixed units.
    answers, prices
        Responses of the free units to the last prices and those on either side; the last prices, None before any.
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
        """Fix units, stage by stage, by prices of a sample and responses of all, until few are free."""
        for _time in range(FIXING_STAGES_MAX):
            prices = self._prices_of_sample()
            if not prices:
                return
            open_ = self._asked(prices)
            for _time in range(PRICE_DISTANCE_STEPS_MAX):
                if open_.sum() >= FREE_UNITS_MIN or not prices[0].any():
                    break
                prices = _farther(prices)
                open_ = self._asked(prices, self.answers[:1])
            self.prices = prices[0]
            self.fix_all_but(open_)
            if len(self.left) <= FREE_UNITS_MAX:
                return

    def _asked(self, prices: list[NDArray[np.float64]], known: Sequence[NDArray[np.int16]] = ()) -> NDArray[np.bool_]:
        """Return True for free units whose responses to some prices differ; keep the first response.

        Responses to the first of these prices that are known are not sought again.
        """
        mine = self._plans_of_left()
        self.answers = [*known, *(mine.best(*one)[1] for one in prices[len(known) :])]
        self.sets[self.left] = self.answers[0]
        return np.any([response != self.answers[0] for response in self.answers[1:]], axis=(0, 2))

    def _plans_of_left(self) -> Plans:
        return self.plans if len(self.left) == len(self.sets) else self.plans.only(self.left)

    def _prices_of_sample(self) -> list[NDArray[np.float64]]:
        """Return approximate prices of the relaxation, and prices on either side; none without a solution."""
        sample, times = sample_by_size(self.market.baseline.emissions[self.left].sum(axis=1), SAMPLE_UNITS_MAX)
        mine, nothing, prices = self._plans_of_left(), self.rest, []
        plans = mine.only(sample, times)
        accounts = replace(self.market.accounts, of_unit=np.zeros(len(sample), dtype=np.int64))
        market = replace(self.market, baseline=plans.baseline, accounts=accounts, rest=nothing)
        sets = np.zeros((len(sample), self.sets.shape[1]), dtype=np.int16)
        master, rest = Master(market, plans, sets, ColumnPool.start(plans)), nothing
        for number in range(SAMPLE_CORRECTIONS_MAX):
            checkpoint(_("prices of a sample, correction"), number + 1, SAMPLE_CORRECTIONS_MAX)
            master.update_right_hand_side(rest)
            priced = master.cleared()
            if priced.share is None:
                break
            prices.append(np.stack(master.prices(priced.multipliers)))
            if (
                len(prices) > 1
                and np.abs(prices[-1] - prices[-2]).max() <= PRICE_CHANGE_RELATIVE * np.abs(prices[-1]).max()
            ):
                break
            self.sets[self.left] = mine.best(*prices[-1])[1]
            drawn = ColumnPool.of(plans, np.arange(len(sample)), self.sets[self.left[sample]]).columns.total
            rest = nothing.plus(self._columns_of(self.left).total.minus(drawn))
        if not prices:
            return []
        step = np.abs(prices[-1] - prices[max(len(prices) - 2, 0)])
        return [prices[-1], prices[-1] - step, prices[-1] + step]

    def fix_all_but(self, open_: NDArray[np.bool_]) -> None:
        """Fix all free units but some."""
        done = self.left[~open_]
        self.rest = self.rest.plus(self._columns_of(done).total)
        self.left, self.answers = self.left[open_], [response[open_] for response in self.answers]

    def _columns_of(self, units: NDArray[np.int64]) -> PlanColumns:
        return ColumnPool.of(self.plans, units, self.sets[units]).columns


def pooled(market: Market) -> Market:
    """Return the market with one account for all."""
    accounts = accounts_of(market.instance, market.baseline, pooled=True, market="supply" in market.extra)
    return replace(market, accounts=accounts)


def sample_by_size(size: NDArray[np.float64], count: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Draw about `count` units that represent all, with the factor by which each is scaled.

    The largest represent themselves; the others are drawn evenly along their sizes, so that all of these are scaled to
    the same size.

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
    """Return the same middle prices, with those on either side farther away."""
    middle, *sides = prices
    least = PRICE_DISTANCE_MIN_RELATIVE * np.abs(middle)
    steps = zip((-1.0, 1.0), (PRICE_DISTANCE_FACTOR * (side - middle) for side in sides), strict=True)
    return [middle, *(middle + np.where(np.abs(step) > least, step, sign * least) for sign, step in steps)]
