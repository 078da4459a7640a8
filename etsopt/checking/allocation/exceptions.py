r"""Prove that fewer exceptions, or a choice that precedes this one, would not suffice.

For any duals $y$ of the coupling rows, allocations with the exceptions $S$ exist only if

$$F(y) \le \sum_{i \in S} g_i(y)$$

where $F(y)$ is the infeasibility without exceptions and $g_i$ its reduction by the wider band of $i$
(`etsopt.checking.allocation.infeasibility`).
So the number of exceptions is at least that of the largest gains that total $F$. A choice precedes another only if its
gains suffice as well, which a search through the choices in their order finds or rules out. Limits count as far as the
answer meets them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.checking.allocation.bands import rounded
from etsopt.checking.allocation.infeasibility import least_infeasibility
from etsopt.checking.arithmetic import UNDERFLOW, gamma, total
from etsopt.checking.effort import EXCEPTION_PARTS_MAX
from etsopt.checking.theorem import EXCEPTIONS
from etsopt.checking.verdict import LevelCheck
from etsopt.common.units import tolerance_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from etsopt.checking.allocation.infeasibility import Infeasibility
    from etsopt.checking.allocation.limits import Demands
    from etsopt.checking.arrays import Floats, Mask
    from etsopt.checking.readings.instance_inputs import InstanceInputs
    from etsopt.checking.verdict import Columns

LEVELS = dict(zip(EXCEPTIONS, ("units", "t", "places"), strict=True))
"""Objectives that choose the exceptions, in their order, and their units."""


def exceptional_units(instance: InstanceInputs, table: Columns) -> Mask:
    """Return the exceptions of the table, shape ``(units,)``; none if the policy allows none."""
    if not instance.policy.allocation.exceptions.units:
        return np.zeros(len(table["unit_id"]), dtype=bool)
    return np.asarray(table["exceptional"], dtype=bool)


def check_exceptions(  # long because three objectives share their costs and proofs
    demands: Demands,
    emissions: Floats,
    chosen: Mask,
    names: Sequence[str],
    duals: Mapping[str, Floats],
    misses: tuple[Floats, float],
) -> list[LevelCheck]:
    """Bound the objectives that choose the exceptions.

    Parameters
    ----------
    demands
        Demands without exceptions.
    emissions, chosen
        Emissions and exceptions of the adjustable units.
    names
        Objectives that the result states, in their order.
    duals
        Duals of the coupling rows, by objective, or by objective and number if it has several proofs.
    misses
        Amounts by which the answer misses each row, and at most the interval of a unit.
    """
    proofs = {name: least_infeasibility(demands, dual, *misses) for name, dual in duals.items()}
    sizes = rounded(emissions)
    places = np.arange(1, len(emissions) + 1).astype(float)
    costs: dict[str, Floats] = {
        "exceptions": np.ones(len(emissions)),
        "exception_size": np.max(sizes, initial=0.0) - sizes,
        "exception_order": places,
    }
    count = int(chosen.sum())
    # Sizes first, places among equal sizes: one integer holds both, exact however large.
    exact = {name: cost.astype(np.int64).astype(object) for name, cost in costs.items()}
    exact["exception_order"] += exact["exception_size"] * (count * len(places))
    every = list(proofs.values())
    checks = []
    for name in names:
        value = float(np.sum(costs[name][chosen]))
        if name == "exceptions":
            bound = float(_least_count(count, every))
        else:
            key = exact[name]
            certain = count == 0 or not _is_choice(count, key, int(key[chosen].sum()), every)
            bound = value if certain else min(value, _lagrangian_bound(costs[name], count, proofs[name]))
        unit = LEVELS[name]
        checks.append(LevelCheck(name, unit, value, bound, value - bound, tolerance_of(value, unit)))
    return checks


def _least_count(count: int, proofs: Sequence[Infeasibility]) -> int:
    """Return the least number of exceptions, up to a count; a choice that suffices still does with one more."""
    # Large gains first, so that the search soon finds a choice or ends.
    sizes = [proof.gains / max(float(np.max(proof.gains, initial=0.0)), 1e-300) for proof in proofs]
    order = np.argsort(np.argsort(-np.sum(sizes, axis=0), kind="stable"), kind="stable").astype(object)
    # One fewer is usually ruled out at once; otherwise bisect below.
    low, high, fewer = 0, count, count - 1
    while low < high:
        low, high = (low, fewer) if _is_choice(fewer, order, math.inf, proofs) else (fewer + 1, high)
        fewer = (low + high) // 2
    return low


def _lagrangian_bound(costs: Floats, count: int, proof: Infeasibility) -> float:
    """Return the Lagrangian lower bound of the cost of ``count`` exceptions."""
    least = np.sort(costs - proof.gains * (1 + gamma(4)))[:count]
    value, error = total(least)
    return max(0.0, (proof.least - proof.tolerated) + value - error - gamma(8) * (abs(proof.least) + abs(value)))


def _is_choice(  # long because a part of the choices is narrowed, told empty or split in one place
    count: int, key: NDArray[Any], limit: float, proofs: Sequence[Infeasibility]
) -> bool:
    """Return False if it is proven that no choice of ``count`` units gains enough, with keys that total below a limit.

    All choices are split into those with a unit and those without it, until in each part a sum of largest gains or of
    least keys rules out the rest. The same sums find the units that every choice of a part needs, and those in none.
    """
    # Sums of gains are rounded, so each is increased a little.
    gains = np.array([proof.gains * (1 + gamma(2 * count + 8)) for proof in proofs]).reshape(len(proofs), len(key))
    wanted = np.array([proof.least - proof.tolerated for proof in proofs])
    wanted -= gamma(4) * np.abs(wanted)
    parts = [(np.argsort(key, kind="stable"), count, 0, np.zeros(len(proofs)))]
    for _ in range(EXCEPTION_PARTS_MAX):
        if not parts:
            break
        rest, left, spent, gained = parts.pop()
        if not 0 <= left <= len(rest):
            continue
        least, largest = spent + sum(key[rest[:left]].tolist()), -np.sort(-gains[:, rest], axis=1)
        most = gained + largest[:, :left].sum(axis=1)
        if least >= limit or (most < wanted).any() or _need_more(gains[:, rest], largest, wanted - gained, left):
            continue
        if left == len(rest) or (gained + gains[:, rest[:left]].sum(axis=1) >= wanted).all():
            return True
        # A unit left out gives its place to the best one outside; one that comes in takes that of the last or dearest.
        without = most[:, None] - np.maximum(gains[:, rest] - largest[:, [left]], 0.0)
        within = most[:, None] - np.maximum(largest[:, [left - 1]] - gains[:, rest], 0.0)
        lacking = wanted[:, None] - gamma(8) * most[:, None]
        needed, hopeless = (without < lacking).any(axis=0), (within < lacking).any(axis=0)
        hopeless |= (np.arange(len(rest)) >= left) & (least - key[rest[left - 1]] + key[rest] >= limit)
        if not (needed | hopeless).any():
            # The scarcest gain of all decides on which unit to split.
            scarce = np.argmax(np.maximum(wanted - gained, 0.0) / np.maximum(most - gained, UNDERFLOW))
            split = np.arange(len(rest)) == np.argmax(gains[scarce, rest])
            parts.append((rest[~split], left, spent, gained))
            needed = split
        taken = rest[needed]
        parts.append(
            (
                rest[~(needed | hopeless)],
                left - len(taken),
                spent + sum(key[taken].tolist()),
                gained + gains[:, taken].sum(axis=1),
            )
        )
    return bool(parts)


def _need_more(gains: Floats, largest: Floats, wanted: Floats, left: int) -> bool:
    """Return True if proofs that no unit serves twice need more units together than are left."""
    fewest = (np.cumsum(largest, axis=1) < wanted[:, None]).sum(axis=1) + 1
    lacking = np.flatnonzero(wanted > 0)
    return any(fewest[lacking][group].sum() > left for group in _without_common_units(gains[lacking]))


def _without_common_units(gains: Floats) -> list[list[int]]:
    """Return lists of proofs that share no unit: each proof with later ones that still fit."""
    serves = gains > 0
    lists = []
    for first in range(len(gains)):
        chosen, served = [first], serves[first].copy()
        for other in [*range(first + 1, len(gains)), *range(first)]:
            if not (serves[other] & served).any():
                chosen.append(other)
                served |= serves[other]
        if len(chosen) > 1:
            lists.append(chosen)
    return lists
