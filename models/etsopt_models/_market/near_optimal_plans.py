"""Enumeration of near-optimal plans of units and accounts at some prices, if they are few."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.progress import checkpoint
from etsopt_models._effort import COMBINED_PLANS_FACTOR, ENUMERATED_PLANS_MAX, OWNER_PLANS_MAX
from etsopt_models._market.measures import known

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt_models._market.measures import Measures
    from etsopt_models._market.plans import Plans
    from etsopt_models._market.set_family import SetFamily


@dataclass(frozen=True)
class Listed:
    """Near-optimal plans: owner of each in order, excess over the best [CNY], and the plans of units in it.

    Parameters
    ----------
    owner
        Position of the unit, or of the account, shape ``(plans,)``.
    excess
        Cost above the best, shape ``(plans,)`` [CNY].
    parts
        Plans of units that it consists of, padded with -1, shape ``(plans, most units)``.
    """

    owner: NDArray[np.int64]
    excess: NDArray[np.float64]
    parts: NDArray[np.int64]


def near_optimal_plans(
    plans: Plans, need_price: NDArray[np.float64], emissions_price: NDArray[np.float64], budget: NDArray[np.float64]
) -> tuple[Listed, NDArray[np.int16]]:
    """Enumerate the plans of every unit whose cost at some prices exceeds the best by at most its budget.

    Parameters
    ----------
    need_price, emissions_price
        As in `Plans.best`, shape ``(units, years)`` [CNY/t].
    budget
        Largest excess, shape ``(units,)`` [CNY].

    Returns
    -------
    listed, sets
        Plans by unit, and the chain of sets of each, shape ``(plans, years)``; none for a unit that has too many.
    """
    owners, excesses, chains = [], [], []
    for part in plans.parts():
        values = _set_values(plans, part, need_price[part.units], emissions_price[part.units])
        owner, excess, chain = _near_optimal_chains(part.family, values, budget[part.units])
        owners.append(part.units[owner])
        excesses.append(excess)
        chains.append(chain)
    owner, excess, chain = np.concatenate(owners), np.concatenate(excesses), np.concatenate(chains)
    order = np.argsort(owner, kind="stable")
    return Listed(owner[order], excess[order], np.arange(len(order))[:, None]), chain[order]


def _set_values(
    plans: Plans, part: Measures, need_price: NDArray[np.float64], emissions_price: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """Return the value of running each set in each year, shape ``(sets, units)``; infinite if it may not run."""
    baseline, units = plans.baseline, part.units
    left, *of_rule = plans.shares_left(part)
    output = known(baseline.output[units])
    values = []
    for t in range(len(baseline.years)):
        emissions = left * baseline.emissions[units, t]
        value = part.family.sums(baseline.discount[t] * part.costs(t, output[:, t]))
        value += emissions * (need_price[:, t] + emissions_price[:, t])
        value -= need_price[:, t] * plans.allowance(units, t, left, *of_rule)
        value[~part.admissible[t]] = np.inf
        values.append(value)
    return values


def _near_optimal_chains(
    family: SetFamily, values: list[NDArray[np.float64]], budget: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int16]]:
    """Return the chains whose best continuation stays within the budget: unit, excess and chain."""
    ahead = [np.zeros(values[0].shape)]
    for value in reversed(values):
        ahead.insert(0, family.least_of_next(value + ahead[0]))
    least, names = ahead[0][0], np.arange(len(values[0]))
    unit, now, paid = np.arange(len(least)), np.zeros(len(least), dtype=np.int64), np.zeros(len(least))
    chain = np.zeros((len(least), 0), dtype=np.int16)
    for t, value in enumerate(values):
        checkpoint()
        total = paid[:, None] + (value + ahead[t + 1]).T[unit]
        within = (total <= (least + budget)[unit, None]) & family.follows(names, now[:, None])
        row, now = np.nonzero(within)
        few = are_few(np.bincount(unit[row], minlength=len(least)))
        row, now = row[few[unit[row]]], now[few[unit[row]]]
        paid, unit = paid[row] + value[now, unit[row]], unit[row]
        chain = np.column_stack([chain[row], now]).astype(np.int16)
    return unit, paid - least[unit], chain


def are_few(
    count: NDArray[np.int64] | NDArray[np.float64],
    each: float = OWNER_PLANS_MAX,
    together: float = ENUMERATED_PLANS_MAX,
) -> NDArray[np.bool_]:
    """Return True for owners with few plans: at most `each`, and `together` for the owners with fewest."""
    order = np.argsort(count, kind="stable")
    few = np.zeros(len(count), dtype=bool)
    few[order] = np.cumsum(count[order]) <= together
    result: NDArray[np.bool_] = few & (count <= each)
    return result


def combined(of_units: Listed, account: NDArray[np.int64], budget: NDArray[np.float64]) -> Listed:
    """Combine plans of units into plans of accounts, in every combination within the account's budget.

    Parameters
    ----------
    account
        Account of each unit, shape ``(units,)``.
    budget
        Largest excess, shape ``(accounts,)`` [CNY].

    Returns
    -------
    Listed
        Parts are positions in ``of_units``; none for an account that has too many.
    """
    count = np.bincount(of_units.owner, minlength=len(account))
    first = np.cumsum(count) - count
    order = np.argsort(account, kind="stable")
    units_of_account = np.bincount(account, minlength=len(budget))
    begins = np.cumsum(units_of_account) - units_of_account
    owner, excess = np.arange(len(budget)), np.zeros(len(budget))
    parts = np.zeros((len(budget), 0), dtype=np.int64)
    for place in range(int(units_of_account.max(initial=0))):
        checkpoint()
        has = units_of_account[owner] > place
        # Accounts with too many combinations are dropped before these are formed.
        grown = np.where(has, count[order[np.where(has, begins[owner] + place, 0)]], 1)
        kept = are_few(
            np.bincount(owner, grown, len(budget)),
            COMBINED_PLANS_FACTOR * OWNER_PLANS_MAX,
            COMBINED_PLANS_FACTOR * ENUMERATED_PLANS_MAX,
        )[owner]
        owner, excess, parts, has = owner[kept], excess[kept], parts[kept], has[kept]
        unit = order[np.where(has, begins[owner] + place, 0)]
        times = np.where(has, count[unit], 1)
        row = np.repeat(np.arange(len(owner)), times)
        step = np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times)
        plan = np.where(has[row], first[unit[row]] + step, -1)
        excess = excess[row] + np.where(has[row], of_units.excess[plan], 0.0)
        owner, parts = owner[row], np.column_stack([parts[row], plan])
        within = excess <= budget[owner]
        kept = within & are_few(np.bincount(owner[within], minlength=len(budget)))[owner]
        owner, excess, parts = owner[kept], excess[kept], parts[kept]
    return Listed(owner, excess, parts)
