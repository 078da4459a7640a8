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
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.allocation.bands import rounded
from etsopt.checking.allocation.infeasibility import least_infeasibility
from etsopt.checking.arithmetic import gamma, total
from etsopt.checking.theorem import EXCEPTIONS
from etsopt.checking.verdict import LevelCheck
from etsopt.units import tolerance_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.checking.allocation.infeasibility import Infeasibility
    from etsopt.checking.allocation.limits import Demands
    from etsopt.data.instance import Instance

LEVELS = dict(zip(EXCEPTIONS, ("units", "t", "places"), strict=True))
"""Objectives that choose the exceptions, in their order, and their units."""

MAX_STEPS = 200_000
"""Limit of the search, in steps that add or remove a unit."""


def exceptional_units(instance: Instance, table: pd.DataFrame) -> NDArray[np.bool_]:
    """Return the exceptions of the table, shape ``(units,)``; none if the policy allows none."""
    if not instance.policy.allocation.exceptions.units:
        return np.zeros(len(table), dtype=bool)
    chosen: NDArray[np.bool_] = table["exceptional"].to_numpy(dtype=bool)
    return chosen


def check_exceptions(  # long because three objectives share their costs and proofs
    demands: Demands,
    emissions: NDArray[np.float64],
    chosen: NDArray[np.bool_],
    names: Sequence[str],
    duals: Mapping[str, NDArray[np.float64]],
    misses: tuple[NDArray[np.float64], float],
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
    costs: dict[str, NDArray[np.float64]] = {
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


def _lagrangian_bound(costs: NDArray[np.float64], count: int, proof: Infeasibility) -> float:
    """Return the Lagrangian lower bound of the cost of ``count`` exceptions."""
    least = np.sort(costs - proof.gains * (1 + gamma(4)))[:count]
    value, error = total(least)
    return max(0.0, (proof.least - proof.tolerated) + value - error - gamma(8) * (abs(proof.least) + abs(value)))


def _is_choice(  # long because the state of the search is kept in one place
    count: int, key: NDArray[np.object_], limit: float, proofs: Sequence[Infeasibility]
) -> bool:
    """Return True if a choice of ``count`` units gains enough in all proofs, with keys that total less than a limit."""
    order = np.argsort(key, kind="stable")
    keys = list(accumulate(key[order], initial=0))
    # Sums of gains are rounded, so each is increased a little.
    gains = np.array([proof.gains[order] * (1 + gamma(2 * count + 8)) for proof in proofs])
    wanted = np.array([proof.least - proof.tolerated for proof in proofs])
    wanted -= gamma(4) * np.abs(wanted)
    most = np.stack(_most_of_rest(gains, count))
    apart = _without_common_units(gains)

    def can_gain(here: int, left: int, gained: NDArray[np.float64]) -> bool:
        enough = gained + most[: left + 1, :, here] >= wanted
        # Proofs that no unit serves twice need different units.
        fewest = enough.argmax(axis=0)
        return bool(enough[left].all()) and all(fewest[group].sum() <= left for group in apart)

    # For each unit of the choice: its place, the total of the keys, and the gains. There is no recursion, because a
    # choice may have more units than calls may be nested.
    places: list[int] = []
    spent, gained = [0], [np.zeros(len(proofs))]
    here = 0
    for _ in range(MAX_STEPS):
        left = count - len(places)
        if left == 0 and (gained[-1] >= wanted).all():
            return True
        # Keys ascend and gains of the rest fall, so once either rules out a choice it rules out the others.
        fits = 0 < left <= len(order) - here
        fits = fits and spent[-1] + keys[here + left] - keys[here] < limit and can_gain(here, left, gained[-1])
        if fits:
            places.append(here)
            spent.append(spent[-1] + keys[here + 1] - keys[here])
            gained.append(gained[-1] + gains[:, here])
            here += 1
        elif places:
            here = places.pop() + 1
            spent.pop()
            gained.pop()
        else:
            return False
    return True


def _without_common_units(gains: NDArray[np.float64]) -> list[list[int]]:
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


def _most_of_rest(gains: NDArray[np.float64], count: int) -> list[NDArray[np.float64]]:
    """Return the largest gain of up to ``count`` units from a place on, by number, proof and place."""
    proofs, units = gains.shape
    most = [np.zeros((proofs, units + 1))]
    for _ in range(count):
        # A unit with the best of those after it; after the last place there is none.
        with_rest = np.full((proofs, units + 1), -np.inf)
        with_rest[:, :units] = gains + most[-1][:, 1:]
        most.append(np.maximum.accumulate(with_rest[:, ::-1], axis=1)[:, ::-1])
    return most
