r"""Bound the cost of an enterprise over its whole plans, which no mixture of plans weakens.

At multipliers $\mu$, plan $j$ of an enterprise costs at least $L_j(\mu)$, and its best plan at least
$L(\mu) = \min_j L_j(\mu)$. An enterprise that buys with one plan and sells with another pays the transaction cost with
either, but not with a mixture of both: $L(\mu)$ is below its actual cost for every $\mu$. Let its actual cost be
$\theta$. Every plan that could cost less than $\theta$ has $L_j(\mu) < \theta$, and these few are listed: a chain of
sets is extended year by year while its lower bound is below $\theta$. Each plan is bounded by
multipliers of its own, $\max_{\mu'} L_j(\mu')$, and the enterprise costs at least

$$\min \Bigl\{ \theta,\; \min_{j : L_j(\mu) < \theta} \max_{\mu'} L_j(\mu') \Bigr\}.$$

The multipliers of a plan never rise over the years, stay within the transaction cost of the prices, and are
among the prices at which an account buys, sells, offsets or banks. Dynamic programming over years and these prices
finds the best path. Any path gives a valid bound.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.arithmetic import gamma
from etsopt.checking.effort import COMBINED_PLANS_FACTOR, ENUMERATED_PLANS_MAX, OWNER_PLANS_MAX
from etsopt.checking.readings.sets import batches
from etsopt.checking.tolerances import OUTSIDE_PRICE_CHARGE_T, UNPROVEN_SPENDING_SHARE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from etsopt.checking.arrays import Floats, Ints, Mask
    from etsopt.checking.market.accounts import Accounts
    from etsopt.checking.market.derived import Market
    from etsopt.checking.market.plan_sizes import PlanSizes
    from etsopt.checking.market.trade_bounds import Trading
    from etsopt.checking.readings.baseline import Baseline
    from etsopt.checking.readings.sets import Sets


@dataclass(frozen=True)
class NearOptimalPlans:
    """Near-optimal plans of units or of accounts.

    Parameters
    ----------
    owner
        Position of the unit or account of each, in order, shape ``(plans,)``.
    excess
        Excess over the best at the multipliers [CNY].
    cost
        Discounted cost of its measures [CNY].
    net_demand, emissions
        Emissions less free allowances, and emissions, shape ``(plans, years)`` [t].
    """

    owner: Ints
    excess: Floats
    cost: Floats
    net_demand: Floats
    emissions: Floats

    def select(self, which: Mask | Ints) -> NearOptimalPlans:
        """Return some of the plans."""
        return NearOptimalPlans(*(getattr(self, name)[which] for name in self.__dataclass_fields__))


def raised_bounds(
    trading: Trading, sizes: PlanSizes, multipliers: tuple[Floats, Floats], bounds: tuple[Floats, Floats], spent: Floats
) -> Floats:
    """Return bounds of accounts in real numbers, raised to those of whole plans, shape ``(accounts,)`` [CNY].

    Parameters
    ----------
    multipliers
        Multipliers of `account_balance` and of emissions alone, shape ``(accounts, years)``.
    sizes
        Sizes that bound the rounding of plans.
    bounds
        Bounds at these multipliers, and their uncertainty.
    spent
        Lower bound of the cost of each account's answer.
    """
    values, errors = bounds
    enough = UNPROVEN_SPENDING_SHARE * float(np.abs(spent).sum()) / len(spent)
    # Plans that only rounding may bring below the spending are listed as well.
    budget = np.where(spent - values > enough, spent - values + 4 * errors, -1.0)
    plans, open_ = near_optimal_plans(trading.market, multipliers, budget)
    if not len(plans.owner):
        return values - errors
    least = spent.copy()
    np.minimum.at(least, plans.owner, _with_trades(trading, sizes, plans))
    return np.where(open_, np.maximum(values - errors, least), values - errors)


def near_optimal_plans(
    market: Market, multipliers: tuple[Floats, Floats], budget: Floats
) -> tuple[NearOptimalPlans, Mask]:
    """Return all plans of accounts whose excess is within a budget, and True for accounts whose list is complete.

    Parameters
    ----------
    budget
        Negative if nothing is to be listed, shape ``(accounts,)`` [CNY].
    """
    accounts, listing = market.accounts, budget >= 0
    units = np.flatnonzero(listing[accounts.of_unit])
    if not len(units):
        return _nothing(len(market.baseline.years), 0), listing
    parts = plans_of_units(market, multipliers, budget[accounts.of_unit], units)
    one = concatenated([part for _, part in parts])
    count = np.bincount(one.owner, minlength=len(accounts.of_unit))
    # A unit without a plan has exceeded the limit of its list.
    listing[accounts.of_unit[units[count[units] == 0]]] = False
    return _joined(one.select(listing[accounts.of_unit[one.owner]]), accounts, budget, listing)


def plans_of_units(
    market: Market, multipliers: tuple[Floats, Floats], budget: Floats, units: Ints
) -> Iterator[tuple[Ints, NearOptimalPlans]]:
    """Yield some units at a time, with their plans whose excess is within the budget of each unit [CNY].

    A unit with too many has none; multipliers are those of `raised_bounds`.
    """
    baseline, at = market.baseline, market.accounts.of_unit
    demand_dual, emission_dual = (part[at] for part in multipliers)
    for sets in batches(baseline, market.offered, units):
        yield sets.units, _of_units(baseline, sets, demand_dual, emission_dual, budget)


def concatenated(parts: Sequence[NearOptimalPlans]) -> NearOptimalPlans:
    """Return the plans of all parts, by unit."""
    every = NearOptimalPlans(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in NearOptimalPlans.__dataclass_fields__)
    )
    return every.select(np.argsort(every.owner, kind="stable"))


def _of_units(  # long because a chain is followed and summed in one place
    baseline: Baseline, sets: Sets, demand_dual: Floats, emission_dual: Floats, budget: Floats
) -> NearOptimalPlans:
    """Return the plans of a batch of units within their budgets; none if there are too many."""
    units, years = sets.units, len(baseline.years)
    running = [sets.running_cost(baseline, year, demand_dual[units], emission_dual[units]) for year in range(years)]
    ahead = [np.zeros(sets.left.shape)]
    for year in reversed(range(years)):
        ahead.insert(0, ahead[0] + running[year])
        sets.family.minimise_over_next(ahead[0])
    least = ahead[0][0]
    plan_of, now, paid = np.arange(len(units)), np.zeros(len(units), dtype=np.int64), np.zeros(len(units))
    chain = np.zeros((len(units), 0), dtype=np.int64)
    for year in range(years):
        total = paid[:, None] + (running[year] + ahead[year + 1]).T[plan_of]
        within = total <= (least + budget[units])[plan_of, None]
        within &= sets.family.next(now)
        row, now = np.nonzero(within)
        few = _within_limits(np.bincount(plan_of[row], minlength=len(units)))[plan_of[row]]
        row, now = row[few], now[few]
        paid, plan_of = paid[row] + running[year][now, plan_of[row]], plan_of[row]
        chain = np.column_stack([chain[row], now])
    plans = replace(_nothing(years, len(plan_of)), owner=units[plan_of], excess=paid - least[plan_of])
    for year in range(years):
        chain_and_plan = chain[:, year], plan_of
        emissions = sets.left[chain_and_plan] * baseline.emissions[plans.owner, year]
        plans.emissions[:, year] = emissions
        produced = np.broadcast_to(sets.produced, sets.left.shape)[chain_and_plan]
        free = baseline.free(plans.owner, year, emissions, sets.kept[chain_and_plan], produced)
        plans.net_demand[:, year] = emissions - free
        fixed, variable = sets.costs(baseline.years[year])
        plans.cost[:] += baseline.discount[year] * (
            fixed[chain_and_plan] + variable[chain_and_plan] * baseline.output[plans.owner, year]
        )
    return plans


def _nothing(years: int, count: int) -> NearOptimalPlans:
    flows = (np.zeros((count, years)) for _ in range(2))
    return NearOptimalPlans(np.zeros(count, dtype=np.int64), np.zeros(count), np.zeros(count), *flows)


def _joined(one: NearOptimalPlans, accounts: Accounts, budget: Floats, listing: Mask) -> tuple[NearOptimalPlans, Mask]:
    """Return the plans of accounts: every combination of plans of their units within the budget."""
    units = np.unique(one.owner)
    first, count = np.searchsorted(one.owner, units), np.bincount(one.owner)[units]
    order = np.argsort(accounts.of_unit[units], kind="stable")
    first, count, account = first[order], count[order], accounts.of_unit[units][order]
    begins = np.searchsorted(account, np.arange(len(budget)))
    owns = np.bincount(account, minlength=len(budget))
    listed = np.flatnonzero(listing)
    joined = replace(_nothing(one.net_demand.shape[1], len(listed)), owner=listed)
    for place in range(int(owns.max(initial=0))):
        unit = begins[joined.owner] + place
        more = owns[joined.owner] > place
        times = np.where(more, count[np.minimum(unit, len(count) - 1)], 1)
        few = _within_limits(np.bincount(joined.owner, times, len(budget)), COMBINED_PLANS_FACTOR)
        listing &= few
        kept = few[joined.owner]
        joined, unit, more, times = joined.select(kept), unit[kept], more[kept], times[kept]
        row = np.repeat(np.arange(len(times)), times)
        step = np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times)
        before, adds = joined.select(row), more[row]
        plan = np.where(adds, first[np.minimum(unit, len(first) - 1)][row] + step, 0)
        sums = (
            getattr(before, name) + np.where(adds.reshape(len(adds), *[1] * (values.ndim - 1)), values, 0.0)
            for name in ("excess", "cost", "net_demand", "emissions")
            for values in [getattr(one, name)[plan]]
        )
        joined = NearOptimalPlans(before.owner, *sums)
        joined = joined.select(joined.excess <= budget[joined.owner])
        listing &= _within_limits(np.bincount(joined.owner, minlength=len(budget)))
        joined = joined.select(listing[joined.owner])
    return joined, listing


def _within_limits(count: Ints | Floats, times: int = 1) -> Mask:
    """Return True for owners with few plans: each within its limit, the smallest ones within the total."""
    order = np.argsort(count, kind="stable")
    few = np.zeros(len(count), dtype=bool)
    few[order] = np.cumsum(count[order]) <= times * ENUMERATED_PLANS_MAX
    return np.asarray(few & (count <= times * OWNER_PLANS_MAX))


def _with_trades(trading: Trading, sizes: PlanSizes, plans: NearOptimalPlans) -> Floats:
    """Return the least cost of each plan with its best trades, in real numbers, shape ``(plans,)`` [CNY]."""
    fields = ("labels", "opening", "emissions", "free_most", "borrowed_most", "external_supply")
    accounts, terms = trading.market.accounts, trading.market.terms
    of_plans = replace(accounts, **{name: getattr(accounts, name)[plans.owner] for name in fields})
    demand_dual = best_path(of_plans, trading, plans)
    # If the offsets on offer are fewer than the share, the offer is the binding limit.
    short = terms.offset_share * plans.emissions <= terms.offset_supply
    limit = np.where(short, np.minimum(trading.offset_price - demand_dual, 0.0), 0.0)
    values, errors = trading.least(of_plans, demand_dual, limit, 0 * demand_dual, plans.owner)
    emission_dual = terms.offset_share * limit
    paid = (demand_dual * plans.net_demand + emission_dual * plans.emissions).sum(axis=1)
    errors = errors + (1 + sizes.units / sizes.roundings) * sizes.error(demand_dual, np.abs(emission_dual), plans.owner)
    bound: Floats = values + plans.cost + paid
    return bound - errors - gamma(8) * (np.abs(values) + np.abs(plans.cost) + np.abs(paid))


def best_path(accounts: Accounts, trading: Trading, plans: NearOptimalPlans) -> Floats:
    """Return multipliers that bound the trades of each plan best among the prices, shape ``(plans, years)`` [CNY/t]."""
    baseline, terms, price = trading.market.baseline, trading.market.terms, trading.price
    transaction_cost, years = baseline.discount * terms.transaction_cost, len(price)
    terminal_value, offers = baseline.discount[-1] * terms.terminal_price, terms.offset_supply > 0
    # Net demand of a year, with the borrowing at its end and at its beginning.
    borrowed = -accounts.borrowed_most
    weight = plans.net_demand + borrowed
    weight[:, 0] -= accounts.opening
    weight[:, 1:] -= borrowed[:, :-1]
    prices = np.unique(
        np.concatenate(
            [price + transaction_cost, price - transaction_cost, [terminal_value], trading.offset_price[offers]]
        )
    )
    most = np.minimum.accumulate(price + transaction_cost)
    least = np.maximum(np.maximum.accumulate((price - transaction_cost)[::-1])[::-1], terminal_value)
    above = np.where(offers, np.maximum(prices[:, None] - trading.offset_price, 0.0), 0.0)
    ahead, steps = np.zeros((len(prices), len(weight))), []
    for year in range(years):
        offsets = np.minimum(terms.offset_share * plans.emissions[:, year], terms.offset_supply[year])
        gained = ahead + prices[:, None] * weight[:, year] - above[:, [year]] * offsets
        # Prices outside stay possible if none is inside, at a charge that exceeds any other.
        outside = np.maximum(least[year] - prices, 0.0) + np.maximum(prices - most[year], 0.0)
        gained -= (outside * OUTSIDE_PRICE_CHARGE_T)[:, None]
        best = np.empty(gained.shape, dtype=np.int64)
        best[-1] = len(prices) - 1
        for k in reversed(range(len(prices) - 1)):
            higher = gained[k + 1] > gained[k]
            best[k] = np.where(higher, best[k + 1], k)
            np.maximum(gained[k], gained[k + 1], out=gained[k])
        ahead = gained
        steps.append(best)
    path = np.empty(weight.shape)
    state, every_plan = np.zeros(len(weight), dtype=np.int64), np.arange(len(weight))
    for year in reversed(range(years)):
        state = steps[year][state, every_plan]
        path[:, year] = prices[state]
    return path
