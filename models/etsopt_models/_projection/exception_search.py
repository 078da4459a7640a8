"""The first choice of exceptions with enough gain, by a depth-first search in lexicographic order."""

from __future__ import annotations

import math
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt_models._effort import EXCEPTION_UNITS_TRIED_MAX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class TooManyError(Exception):
    """The search reached its limit."""


def order_key(sizes: NDArray[np.float64], places: NDArray[np.float64], most: int) -> NDArray[np.object_]:
    """Return one integer per unit that orders by size, then by place.

    Sizes of 1e8 t times places of many units exceed the precision of a float, so these are Python integers.

    Parameters
    ----------
    sizes, places
        Integers, shape ``(units,)``.
    most
        Most units of a choice.
    """
    exact, place = (part.astype(np.int64).astype(object) for part in (sizes, places))
    key: NDArray[np.object_] = exact * (most * len(places) + 1) + place
    return key


def fewest(gains: NDArray[np.float64], wanted: NDArray[np.float64]) -> int:
    """Return the number of units that the demand for most of them needs, at least; all if they do not suffice.

    Parameters
    ----------
    gains, wanted
        As in `first_choice`.
    """
    sums = np.cumsum(-np.sort(-gains, axis=1), axis=1)
    needed = (sums < wanted[:, None]).sum(axis=1) + (wanted > 0)
    return int(np.minimum(needed, gains.shape[1]).max(initial=0))


def first_choice(  # long because the state of the search is in one place
    count: int, key: NDArray[np.object_], gains: NDArray[np.float64], wanted: NDArray[np.float64], least: int
) -> list[int] | None:
    """Return the choice of ``count`` units with enough gain and the least sum of keys; None if there is none.

    Parameters
    ----------
    key
        Python integers, which are exact at any size, shape ``(units,)``.
    gains, wanted
        Gain of each unit and least total gain of a choice, shapes ``(demands, units)`` and ``(demands,)``.
    least
        Lower bound of the sum of keys: a choice that attains it is the first.

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
    # State: units taken, sums of keys, and gains still needed; `here` is the next place to try.
    taken: list[int] = []
    spent, left = [0], [wanted]
    position = 0
    while True:
        checkpoint(_("choices of exceptions"))
        to_take = count - len(taken)
        if to_take == 0 and (left[-1] <= 0).all():
            best, limit = list(taken), spent[-1]
            if limit <= least:
                break
        # Keys rise and the possible gain falls from place to place, so the first place ruled out ends a row.
        fits = to_take > 0 and position + to_take <= len(order)
        fits = fits and spent[-1] + keys[position + to_take] - keys[position] < limit
        if fits and _can_gain(most[: to_take + 1, :, position], left[-1], apart):
            tried += 1
            if tried > EXCEPTION_UNITS_TRIED_MAX:
                raise TooManyError
            taken.append(position)
            spent.append(spent[-1] + keys[position + 1] - keys[position])
            left.append(left[-1] - ordered[:, position])
            position += 1
            continue
        if not taken:
            break
        position = taken.pop() + 1
        spent.pop()
        left.pop()
    return None if best is None else sorted(int(order[place]) for place in best)


def _can_gain(most: NDArray[np.float64], left: NDArray[np.float64], apart: list[NDArray[np.int64]]) -> bool:
    """Return True if the units still to be taken can attain the gains needed, also for demands without common units."""
    enough = most >= left
    if not enough[-1].all():
        return False
    needed = np.argmax(enough, axis=0)
    return all(int(needed[group].sum()) < len(most) for group in apart)


def demands_apart(gains: NDArray[np.float64]) -> list[NDArray[np.int64]]:
    """Return groups of demands to which no unit contributes twice, one group starting at each demand."""
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
    """Return the largest gain of a number of units from each place on, by number; each of the shape of ``gains``."""
    demands, units = gains.shape
    most = [np.zeros((demands, units + 1))]
    for number in range(1, count + 1):
        # The unit at the place with the best behind it, or the best from a later place on.
        own = np.full((demands, units + 1), -np.inf)
        own[:, :units] = gains + most[number - 1][:, 1:]
        most.append(np.maximum.accumulate(own[:, ::-1], axis=1)[:, ::-1])
    return most
