"""The first of all choices of some units that gain enough, by a search through them in their order."""

from __future__ import annotations

import math
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from etsopt.progress import checkpoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MOST_TRIED = 300_000
"""Units that the search adds to a choice before it gives up."""


class TooManyError(Exception):
    """The search gave up."""


def order_key(sizes: NDArray[np.float64], places: NDArray[np.float64], most: int) -> NDArray[np.object_]:
    """Sizes first, places among equal sizes: one whole number for each unit that has room for both.

    Sizes of 1e8 t times places of many units are beyond what a float tells apart, so these are Python's whole numbers.

    Parameters
    ----------
    sizes, places
        Whole numbers, shape ``(units,)``.
    most
        How many units a choice has at most.
    """
    exact, place = (part.astype(np.int64).astype(object) for part in (sizes, places))
    key: NDArray[np.object_] = exact * (most * len(places) + 1) + place
    return key


def first_choice(  # long because the state of the search stands in one place
    count: int, key: NDArray[np.object_], gains: NDArray[np.float64], wanted: NDArray[np.float64], least: int
) -> list[int] | None:
    """The choice of ``count`` units with the least sum of keys that gains enough; None where no choice does.

    Parameters
    ----------
    key
        Python's whole numbers, which are exact however large, shape ``(units,)``.
    gains, wanted
        What each unit gains and what a choice must gain in all, shapes ``(demands, units)`` and ``(demands,)``.
    least
        A sum of keys that no choice falls below: one that reaches it is the first.

    Raises
    ------
    TooManyError
        After many tries without an answer.
    """
    order = np.argsort(key, kind="stable")
    keys = list(accumulate(key[order], initial=0))
    ordered = gains[:, order]
    most = np.stack(most_of_rest(ordered, count))
    apart = demands_apart(gains)
    best: list[int] | None = None
    limit, tried = math.inf, 0
    # Each entry: units taken, the next place to try, what is left to gain.
    taken: list[int] = []
    spent, left = [0], [wanted]
    here = 0
    while True:
        checkpoint("choices of exceptions")
        to_take = count - len(taken)
        if to_take == 0 and (left[-1] <= 0).all():
            best, limit = list(taken), spent[-1]
            if limit <= least:
                break
        # Keys rise and what the rest can gain falls from place to place, so the first that is ruled out ends a row.
        fits = to_take > 0 and here + to_take <= len(order)
        fits = fits and spent[-1] + keys[here + to_take] - keys[here] < limit
        if fits and _can_gain(most[: to_take + 1, :, here], left[-1], apart):
            tried += 1
            if tried > MOST_TRIED:
                raise TooManyError
            taken.append(here)
            spent.append(spent[-1] + keys[here + 1] - keys[here])
            left.append(left[-1] - ordered[:, here])
            here += 1
            continue
        if not taken:
            break
        here = taken.pop() + 1
        spent.pop()
        left.pop()
    return None if best is None else sorted(int(order[place]) for place in best)


def _can_gain(most: NDArray[np.float64], left: NDArray[np.float64], apart: list[NDArray[np.int64]]) -> bool:
    """Whether as many units as may still be taken can gain what is left, also where demands share no units."""
    enough = most >= left
    if not enough[-1].all():
        return False
    needed = np.argmax(enough, axis=0)
    return all(int(needed[group].sum()) < len(most) for group in apart)


def demands_apart(gains: NDArray[np.float64]) -> list[NDArray[np.int64]]:
    """Groups of demands to which no unit contributes twice, one group from each demand on."""
    helps = gains > 0
    groups = set()
    for first in range(len(gains)):
        group, taken = [first], helps[first]
        for other in range(len(gains)):
            if other != first and not (helps[other] & taken).any():
                group.append(other)
                taken = taken | helps[other]
        groups.add(tuple(sorted(group)))
    return [np.array(group) for group in sorted(groups) if len(group) > 1]


def most_of_rest(gains: NDArray[np.float64], count: int) -> Sequence[NDArray[np.float64]]:
    """What any so many units from a place on gain at most, by number of units; each of the shape of ``gains``."""
    demands, units = gains.shape
    most = [np.zeros((demands, units + 1))]
    for number in range(1, count + 1):
        # The unit at the place with the best of those behind it, or the best from a later place on.
        own = np.full((demands, units + 1), -np.inf)
        own[:, :units] = gains + most[number - 1][:, 1:]
        most.append(np.maximum.accumulate(own[:, ::-1], axis=1)[:, ::-1])
    return most
