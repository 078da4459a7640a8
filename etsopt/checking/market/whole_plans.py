r"""What an enterprise comes to with its best whole plan: a bound that no mixture of plans weakens.

At multipliers $\mu$ no plan $j$ of an enterprise comes to less than $L_j(\mu)$, and the best of them to
$L(\mu) = \min_j L_j(\mu)$. An enterprise that buys with one plan and sells with the next pays the transaction cost with
either, but not with a mixture of both: $L(\mu)$ stays below what it can do, whatever $\mu$ is. So let it spend
$\theta$. Every plan that could come to less than $\theta$ has $L_j(\mu) < \theta$, and these few are listed: a chain of
sets is followed from the first year on as long as the best that may come of it stays below $\theta$. Each is bounded by
multipliers of its own, $\max_{\mu'} L_j(\mu')$, and the enterprise comes to

$$\min \Bigl\{ \theta,\; \min_{j : L_j(\mu) < \theta} \max_{\mu'} L_j(\mu') \Bigr\}$$

at least. The multipliers of a plan never rise over the years, stay within the transaction cost of the prices, and are
among the levels at which somebody buys, sells, offsets or keeps: the best path through the levels follows year by
year. Whatever path is found, the bound holds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.arithmetic import gamma
from etsopt.checking.market.search import batches, over_supersets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.checking.market.accounts import Accounts
    from etsopt.checking.market.baseline import Baseline
    from etsopt.checking.market.choices import Choices
    from etsopt.checking.market.dealings import PlanSizes, Trade
    from etsopt.checking.market.search import Sets

MOST_PLANS, MOST_ROWS, GROWN = 20_000, 2_000_000, 4
"""Plans of a unit or an enterprise that are listed at most, and of all together, and so many times as many while they
are combined; of those that have more, multipliers alone are the bound."""

WORTH_IT = 1e-9
"""What all enterprises together may leave unproven, against what they spend."""


@dataclass(frozen=True)
class Listed:
    """Plans of units or of accounts that come near the best.

    Parameters
    ----------
    owner
        Position of the unit or account of each, in order, shape ``(plans,)``.
    excess
        By how much it exceeds the best at the multipliers [CNY].
    cost
        Discounted cost of its measures [CNY].
    lacking, emissions
        Emissions beyond free allowances, and emissions, shape ``(plans, years)`` [t].
    """

    owner: NDArray[np.int64]
    excess: NDArray[np.float64]
    cost: NDArray[np.float64]
    lacking: NDArray[np.float64]
    emissions: NDArray[np.float64]

    def kept(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> Listed:
        """Some of them."""
        return Listed(*(getattr(self, name)[which] for name in self.__dataclass_fields__))


def raised(
    found: Baseline,
    offered: Choices,
    own: Accounts,
    trade: Trade,
    sizes: PlanSizes,
    multipliers: tuple[NDArray[np.float64], NDArray[np.float64]],
    bounds: tuple[NDArray[np.float64], NDArray[np.float64]],
    spent: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Bounds of accounts in real numbers, raised to those of their whole plans, shape ``(accounts,)`` [CNY].

    Parameters
    ----------
    multipliers
        Of `account_balance`, and of what is emitted by itself, shape ``(accounts, years)``.
    sizes
        What the rounding of plans is measured by.
    bounds
        At these multipliers, and what is uncertain of them.
    spent
        What accounts come to, at least.
    """
    values, errors = bounds
    enough = WORTH_IT * float(np.abs(spent).sum()) / len(spent)
    # Plans that only rounding may bring below what is spent are listed as well.
    budget = np.where(spent - values > enough, spent - values + 4 * errors, -1.0)
    plans, open_ = near_best(found, offered, own, multipliers, budget)
    if not len(plans.owner):
        return values - errors
    least = spent.copy()
    np.minimum.at(least, plans.owner, _with_dealings(own, trade, sizes, plans))
    return np.where(open_, np.maximum(values - errors, least), values - errors)


def near_best(
    found: Baseline,
    offered: Choices,
    own: Accounts,
    multipliers: tuple[NDArray[np.float64], NDArray[np.float64]],
    budget: NDArray[np.float64],
) -> tuple[Listed, NDArray[np.bool_]]:
    """All plans of accounts that exceed the best by no more than a budget, and of which accounts all are listed.

    Parameters
    ----------
    budget
        Below zero where nothing is to be listed, shape ``(accounts,)`` [CNY].
    """
    listing = budget >= 0
    units = np.flatnonzero(listing[own.of_unit])
    need, emitted = multipliers
    parts = [
        _of_units(found, sets, need[own.of_unit], emitted[own.of_unit], budget[own.of_unit])
        for sets in batches(found, offered, units)
    ]
    if not parts:
        return _nothing(len(found.years), 0), np.zeros(len(budget), dtype=bool)
    one = Listed(*(np.concatenate([getattr(part, name) for part in parts]) for name in Listed.__dataclass_fields__))
    one = one.kept(np.argsort(one.owner, kind="stable"))
    count = np.bincount(one.owner, minlength=len(own.of_unit))
    # The list of a unit was given up where it has no plan.
    listing[own.of_unit[units[count[units] == 0]]] = False
    return _joined(one.kept(listing[own.of_unit[one.owner]]), own, budget, listing)


def _of_units(  # long because a chain is followed and added up in one place
    found: Baseline,
    sets: Sets,
    need: NDArray[np.float64],
    emitted: NDArray[np.float64],
    budget: NDArray[np.float64],
) -> Listed:
    """Plans of a batch of units within their budgets; none where there are too many."""
    units, years = sets.units, len(found.years)
    running = [sets.running(found, year, need[units], emitted[units]) for year in range(years)]
    ahead = [np.zeros(sets.left.shape)]
    for year in reversed(range(years)):
        ahead.insert(0, ahead[0] + running[year])
        over_supersets(ahead[0])
    least = ahead[0][0]
    names = np.arange(len(sets.left))
    plan_of, now, paid = np.arange(len(units)), np.zeros(len(units), dtype=np.int64), np.zeros(len(units))
    chain = np.zeros((len(units), 0), dtype=np.int64)
    for year in range(years):
        total = paid[:, None] + (running[year] + ahead[year + 1]).T[plan_of]
        within = total <= (least + budget[units])[plan_of, None]
        within &= (names & now[:, None]) == now[:, None]
        row, now = np.nonzero(within)
        few = _few(np.bincount(plan_of[row], minlength=len(units)))[plan_of[row]]
        row, now = row[few], now[few]
        paid, plan_of = paid[row] + running[year][now, plan_of[row]], plan_of[row]
        chain = np.column_stack([chain[row], now])
    plans = replace(_nothing(years, len(plan_of)), owner=units[plan_of], excess=paid - least[plan_of])
    for year in range(years):
        here = chain[:, year], plan_of
        emissions = sets.left[here] * found.emissions[plans.owner, year]
        plans.emissions[:, year] = emissions
        plans.lacking[:, year] = emissions - found.free(plans.owner, year, emissions, sets.kept[here])
        plans.cost[:] += found.discount[year] * (
            sets.fixed[here] + sets.variable[here] * found.output[plans.owner, year]
        )
    return plans


def _nothing(years: int, count: int) -> Listed:
    flows = (np.zeros((count, years)) for _ in range(2))
    return Listed(np.zeros(count, dtype=np.int64), np.zeros(count), np.zeros(count), *flows)


def _joined(
    one: Listed, own: Accounts, budget: NDArray[np.float64], listing: NDArray[np.bool_]
) -> tuple[Listed, NDArray[np.bool_]]:
    """Plans of accounts from those of their units, in every combination within the budget."""
    units = np.unique(one.owner)
    first, count = np.searchsorted(one.owner, units), np.bincount(one.owner)[units]
    order = np.argsort(own.of_unit[units], kind="stable")
    first, count, account = first[order], count[order], own.of_unit[units][order]
    begins = np.searchsorted(account, np.arange(len(budget)))
    owns = np.bincount(account, minlength=len(budget))
    accounts = np.flatnonzero(listing)
    joined = replace(_nothing(one.lacking.shape[1], len(accounts)), owner=accounts)
    for place in range(int(owns.max(initial=0))):
        unit = begins[joined.owner] + place
        more = owns[joined.owner] > place
        times = np.where(more, count[np.minimum(unit, len(count) - 1)], 1)
        few = _few(np.bincount(joined.owner, times, len(budget)), GROWN)
        listing &= few
        kept = few[joined.owner]
        joined, unit, more, times = joined.kept(kept), unit[kept], more[kept], times[kept]
        row = np.repeat(np.arange(len(times)), times)
        step = np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times)
        before, adds = joined.kept(row), more[row]
        plan = np.where(adds, first[np.minimum(unit, len(first) - 1)][row] + step, 0)
        sums = (
            getattr(before, name) + np.where(adds.reshape(-1, *[1] * (values.ndim - 1)), values, 0.0)
            for name in ("excess", "cost", "lacking", "emissions")
            for values in [getattr(one, name)[plan]]
        )
        joined = Listed(before.owner, *sums)
        joined = joined.kept(joined.excess <= budget[joined.owner])
        listing &= _few(np.bincount(joined.owner, minlength=len(budget)))
        joined = joined.kept(listing[joined.owner])
    return joined, listing


def _few(count: NDArray[np.int64] | NDArray[np.float64], times: int = 1) -> NDArray[np.bool_]:
    """Which owners have few plans: each no more than so many, and the smaller ones of them all together."""
    order = np.argsort(count, kind="stable")
    few = np.zeros(len(count), dtype=bool)
    few[order] = np.cumsum(count[order]) <= times * MOST_ROWS
    result: NDArray[np.bool_] = few & (count <= times * MOST_PLANS)
    return result


def _with_dealings(own: Accounts, trade: Trade, sizes: PlanSizes, plans: Listed) -> NDArray[np.float64]:
    """The least that each plan comes to with the best dealings, in real numbers, shape ``(plans,)`` [CNY]."""
    fields = ("labels", "opening", "emissions", "free_most", "borrowed_most", "pressed")
    theirs = replace(own, **{name: getattr(own, name)[plans.owner] for name in fields})
    need = dearest_path(theirs, trade, plans)
    # Where offsets on offer are fewer than the share, they and not the share are what is short.
    short = trade.deal.offset_share * plans.emissions <= trade.deal.offset_supply
    limit = np.where(short, np.minimum(trade.offset_price - need, 0.0), 0.0)
    values, errors = trade.least(theirs, need, limit, 0 * need, plans.owner)
    emitted = trade.deal.offset_share * limit
    paid = (need * plans.lacking + emitted * plans.emissions).sum(axis=1)
    errors = errors + (1 + sizes.units / sizes.roundings) * sizes.error(need, np.abs(emitted), plans.owner)
    bound: NDArray[np.float64] = values + plans.cost + paid
    return bound - errors - gamma(8) * (np.abs(values) + np.abs(plans.cost) + np.abs(paid))


def dearest_path(own: Accounts, trade: Trade, plans: Listed) -> NDArray[np.float64]:
    """Multipliers of each plan that bound its dealings best among the levels, shape ``(plans, years)`` [CNY/t]."""
    found, deal, price = trade.found, trade.deal, trade.price
    friction, years = found.discount * deal.friction, len(price)
    worth, offers = found.discount[-1] * deal.worth, deal.offset_supply > 0
    # What is lacking in a year, with what may be borrowed at its end and was at its beginning.
    borrowed = -own.borrowed_most
    weight = plans.lacking + borrowed
    weight[:, 0] -= own.opening
    weight[:, 1:] -= borrowed[:, :-1]
    levels = np.unique(np.concatenate([price + friction, price - friction, [worth], trade.offset_price[offers]]))
    most = np.minimum.accumulate(price + friction)
    least = np.maximum(np.maximum.accumulate((price - friction)[::-1])[::-1], worth)
    above = np.where(offers, np.maximum(levels[:, None] - trade.offset_price, 0.0), 0.0)
    ahead, steps = np.zeros((len(levels), len(weight))), []
    for year in range(years):
        offsets = np.minimum(deal.offset_share * plans.emissions[:, year], deal.offset_supply[year])
        gained = ahead + levels[:, None] * weight[:, year] - above[:, [year]] * offsets
        # Levels outside stay possible where none is inside, at a price that any other beats.
        outside = np.maximum(least[year] - levels, 0.0) + np.maximum(levels - most[year], 0.0)
        gained -= (outside * OUTSIDE)[:, None]
        best = np.empty(gained.shape, dtype=np.int64)
        best[-1] = len(levels) - 1
        for k in reversed(range(len(levels) - 1)):
            higher = gained[k + 1] > gained[k]
            best[k] = np.where(higher, best[k + 1], k)
            np.maximum(gained[k], gained[k + 1], out=gained[k])
        ahead = gained
        steps.append(best)
    path = np.empty(weight.shape)
    here, everyone = np.zeros(len(weight), dtype=np.int64), np.arange(len(weight))
    for year in reversed(range(years)):
        here = steps[year][here, everyone]
        path[:, year] = levels[here]
    return path


OUTSIDE = 1e15
"""Tonnes at which a level outside the transaction cost of the prices is charged."""
