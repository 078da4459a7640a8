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


FEW = 1_500
"""Units whose plans stand one by one in a program that is solved within hundredths of a second."""

SOME = 4 * FEW
"""Units that are not worth a sample."""

CORE = 150
"""Units among which branch and bound chooses."""

PLANS_OF_CORE = 16
"""Plans of each of them."""

DEVIATIONS = 3.0
"""By how many standard deviations a sample may be wrong."""

ROUNDS = 20

MOST = {
    "bought": "buying_most",
    "sold": "selling_most",
    "offset": "offsets_most",
    "owed": "owed_most",
    "unsold": "auctioned",
    "released": "released_most",
    "absorbed": "absorbed_most",
}
"""Parameters that bound flows from above, and what is owed."""

LEAST_WIDTH = 1e-6
"""Least distance of the prices to either side, against the price; twice that, and so on, while few are left."""

WIDER = 12
"""How often it is doubled."""


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
            self._leave(open_)
            if len(self.left) > before / 2:
                break
        return many

    def _asked(self, prices: list[NDArray[np.float64]]) -> NDArray[np.bool_]:
        """Who of those that are left answers differently to some prices; the first answer stands."""
        plans = self.plans.only(self.left)
        self.answers = [plans.best(*one)[1] for one in prices]
        self.sets[self.left] = self.answers[0]
        return np.any([answer != self.answers[0] for answer in self.answers[1:]], axis=(0, 2))

    def _market(self, units: int) -> Market:
        """The market of some units beside the rest."""
        own = replace(self.market.own, of_unit=np.zeros(units, dtype=np.int64))
        return replace(self.market, own=own, rest=self.rest)

    def _prices_of(self, plans: Plans, times: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        """Prices of the relaxation over a sample, and those to either side; none where it has no solution."""
        market = self._market(len(plans.kind))
        portfolio, _ = market.least_missing(Portfolio.start(plans))
        portfolio, solution = market.settle(portfolio)
        if not solution.levels:
            return []
        # Who stands for himself alone is not wrong.
        best, _ = _apart(portfolio, _prices(market, solution))
        relief = portfolio.menu.relief[best][times != 1]
        unasked = np.sqrt(max(1 - len(times) / len(self.left), 0.0))
        wrong = DEVIATIONS * unasked * np.sqrt(len(relief)) * relief.std(axis=0)
        prices = [_prices(market, solution)]
        for change in (-wrong, wrong):
            _, other = market.settle(portfolio, {"lacking": market.lacking + change})
            prices.append(_prices(market, other) if other.levels else 2 * prices[0])
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
        interval = market.price_interval(portfolio, self.solution)
        best, apart = _apart(portfolio, self.prices)
        self.sets[self.left] = portfolio.sets[best]
        nearest = np.minimum.reduceat(apart, portfolio.first)
        chosen = np.zeros(len(self.left), dtype=bool)
        chosen[np.argsort(nearest, kind="stable")[:CORE]] = True
        self._leave(chosen)
        mine = portfolio.kept(chosen[portfolio.unit])
        own = self.plans.only(self.left)
        unit, sets = own.through_every_set(*self.prices)
        core = Portfolio.of(own, np.cumsum(chosen)[mine.unit] - 1, mine.sets).added(unit, sets)
        best, apart = _apart(core, self.prices)
        apart[best] = 0.0
        order = np.lexsort((apart, core.unit))
        rank = np.arange(len(order)) - core.first[core.unit[order]]
        core = core.kept(np.sort(order[rank < PLANS_OF_CORE]))
        everyone = Portfolio.of(self.plans, np.arange(len(self.sets)), self.sets)
        found = Found(core, self.market.own, everyone=everyone, core=self.left, proof=self.solution)
        return self._near(core), replace(found, price_lower=interval.get("price_lower"), price_upper=interval.get("price_upper"))

    def _near(self, core: Portfolio) -> dict[str, Any]:
        """Parameters of the core's program, its flows and stocks held where the core can bring them.

        From where they are in the relaxation no choice of the core moves them farther than all its tonnes together. A
        solver's rows hold to a share of the largest flow they could have: without this, hundreds of tonnes at a million
        units.
        """
        relief, first = core.menu.relief, core.first
        reach = float((np.maximum.reduceat(relief, first) - np.minimum.reduceat(relief, first)).sum())
        parameters, values = self._market(len(self.left)).parameters(core), self.solution.values
        for flow, most in MOST.items():
            if flow in values:
                now = values[flow].reshape(parameters[most].shape)
                parameters[most] = np.minimum(parameters[most], now + reach)
        for stock in ("banked", "reserve"):
            if stock in values:
                least, most = f"{stock}_least", f"{stock}_most"
                now = values[stock].reshape(parameters[most].shape)
                parameters[least] = np.maximum(parameters[least], np.minimum(now - reach, parameters[most]))
                parameters[most] = np.minimum(parameters[most], np.maximum(now + reach, parameters[least]))
        return parameters


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


def _apart(portfolio: Portfolio, prices: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Position of each unit's best plan, and how far each plan is from a tie with it, as a share of the price.

    The share is what the plan costs more, against what the tonnes by which the two differ are worth.
    """
    values = portfolio.values(*prices)
    order = np.lexsort((values, portfolio.unit))
    best = order[portfolio.first]
    own = portfolio.quantities
    need = own.emissions - own.allowance
    worth = np.abs(prices[0]) * np.abs(need - need[best][portfolio.unit])
    worth += np.abs(prices[1]) * np.abs(own.emissions - own.emissions[best][portfolio.unit])
    total = worth.sum(axis=1)
    regret = values - values[best][portfolio.unit]
    apart = np.divide(regret, total, out=np.full_like(total, np.inf), where=total > 0)
    apart[best] = np.inf
    return best, apart
