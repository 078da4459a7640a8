r"""Bound the cost of whole plans by several vectors of multipliers together: each choice by the best for it.

At multipliers $y$ no choice $j_i$ of plans costs less than $L(y) + \sum_i e_{i j_i}(y)$, with the bound $L(y)$ over all
plans and the cost $e_{ij}(y) \ge 0$ of a plan above the best of its unit (`bound`). So no answer costs less than

$$\min_j \; \max_v \Bigl[ L(y_v) + \sum_i e_{i j_i}(y_v) \Bigr].$$

All choices are formed, unit by unit. A part of a choice is dropped once one vector brings it to the cost of the answer,
for what is added is not negative; a plan that does so alone is not listed at all.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.effort import (
    COMBINATION_PLANS_MAX,
    COMBINATION_SUMS_MAX,
    COMBINATION_VECTORS_MAX,
    COMBINATION_WORK_MAX,
)
from etsopt.checking.market.bound import Bound
from etsopt.checking.market.whole_plans import NearOptimalPlans, concatenated, plans_of_units
from etsopt.checking.theorem import COST

if TYPE_CHECKING:
    from etsopt.checking.arrays import Floats, Ints
    from etsopt.checking.market.prices import StatedMultipliers
    from etsopt.checking.verdict import Violation


def proven_together(stated: StatedMultipliers, root: Bound, value: float) -> tuple[float, list[Bound], list[Violation]]:
    """Return the bound of stated multipliers together, at most the value [CNY], that of each, and violations of these.

    It is minus infinity without any, and where units trade on several accounts: rounding is bounded on one.
    """
    levels = [level for level in stated.places if re.fullmatch(rf"{COST}:together:\d+", level)]
    if not levels or len(levels) >= COMBINATION_VECTORS_MAX or len(root.market.accounts.labels) > 1:
        return -np.inf, [], []
    bounds: list[Bound] = [root]
    violations: list[Violation] = []
    for level in levels:
        given, wrong = stated.at(level, "CNY/t")
        bounds.append(Bound(root.market, given, root.leeway))
        violations += wrong
    return bound_of_choices(bounds, value), bounds, violations


def bound_of_choices(bounds: list[Bound], value: float) -> float:
    """Return the least bound of any choice of whole plans, at most the value [CNY]; minus infinity if too many.

    Parameters
    ----------
    bounds
        At several vectors of multipliers, of one account; plans are listed at the first.
    """
    root, market = bounds[0], bounds[0].market
    plans = _listed(root, value)
    if plans is None:
        return -np.inf
    sizes = market.sizes
    worth, rest = np.empty((len(plans.owner), len(bounds))), np.empty(len(bounds))
    with np.errstate(all="ignore"):
        for place, bound in enumerate(bounds):
            paid = bound.demand_dual[0] * plans.net_demand + bound.emission_dual[0] * plans.emissions
            worth[:, place] = plans.cost + paid.sum(axis=1)
            # Plans are computed in another way than their best, and added up unit by unit.
            rounding = sizes.error(bound.demand_dual, np.abs(bound.emission_dual))
            rounding *= 2 + 4 * sizes.units / sizes.roundings
            rest[place] = bound.of_all() - bound.plans.sum() - rounding.sum()
        # No sum of terms whose sizes add up to a number overflows.
        usable = np.isfinite(np.abs(np.vstack([worth, rest])).sum(axis=0))
    count = np.bincount(plans.owner)
    return least_of_choices(worth[:, usable], rest[usable], count, value) if usable.any() else -np.inf


def _listed(root: Bound, value: float) -> NearOptimalPlans | None:
    """Return the plans of every unit that may be in an answer below a value [CNY]; None if they are too many."""
    market = root.market
    every = np.arange(len(market.accounts.of_unit))
    # Plans that only rounding may bring below the value are listed as well.
    budget = value - root.of_all() + 4 * float(root.errors.sum())
    if not 0 <= budget < np.inf:
        return None
    parts, count = list[NearOptimalPlans](), 0
    for units, part in plans_of_units(
        market, (root.demand_dual, root.emission_dual), np.full(len(every), budget), every
    ):
        count += len(part.owner)
        if count > COMBINATION_PLANS_MAX or len(np.unique(part.owner)) < len(units):
            return None
        parts.append(part)
    return concatenated(parts)


def least_of_choices(worth: Floats, rest: Floats, count: Ints, value: float) -> float:
    """Return the least over choices of the largest sum; finite values of plans have the shape ``(plans, vectors)``.

    >>> plans = np.array([[0.0, 0.0], [0.0, 3.0], [0.0, 0.0], [0.0, 5.0]])
    >>> least_of_choices(plans, np.array([1.0, -2.0]), np.array([2, 2]), 9.0)
    1.0
    """
    first = np.cumsum(count) - count
    least = np.minimum.reduceat(worth, first)
    above = worth - np.repeat(least, count, axis=0)
    several, work = np.flatnonzero(count > 1), 0
    largest = np.maximum.reduceat(above.max(axis=1), first)[several]
    sums = (rest + least.sum(axis=0))[None]
    for unit in several[np.argsort(-largest, kind="stable")].tolist():
        mine = above[first[unit] : first[unit] + count[unit]]
        work += len(sums) * mine.size
        if len(sums) * mine.size > COMBINATION_SUMS_MAX or work > COMBINATION_WORK_MAX:
            return -np.inf
        sums = (sums[:, None] + mine).reshape(len(sums) * len(mine), len(rest))
        sums = sums[(sums < value).all(axis=1)]
    return float(sums.max(axis=1).min(initial=value))
