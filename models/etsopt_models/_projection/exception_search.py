"""The first choice of exceptions with enough gain, by a depth-first search in lexicographic order.

What duals of the coupling rows demand of every choice of exceptions, and programs with a choice.
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt_models._effort import EXCEPTION_UNITS_TRIED_MAX
from etsopt_models._tolerances import DUAL_PROOF_ROUNDING_RELATIVE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray


def with_exceptions(program: Any, chosen: list[int]) -> Any:
    """Return the program with these units as exceptions and no others."""
    lower, upper = program.column_lower.copy(), program.column_upper.copy()
    block = program.columns["exceptional"]
    lower[block] = upper[block] = 0.0
    lower[block.start + np.array(chosen, dtype=np.int64)] = upper[block.start + np.array(chosen, dtype=np.int64)] = 1.0
    return replace(program, column_lower=lower, column_upper=upper)


class Demands:
    """Demands of duals on every choice."""

    def __init__(self, parameters: Mapping[str, Any], program: Any) -> None:
        self.program, self.unit_band = program, np.zeros(len(parameters["emissions"]), dtype=bool)
        self.unit_band[parameters["WITH_OWN_BAND"]] = True
        block = program.columns["allowance"]
        # A unit of an enterprise with a band may hold all of its allowances, with every exception.
        self.lower = np.where(self.unit_band, parameters["band_lower"], program.column_lower[block])
        self.upper = np.where(self.unit_band, parameters["band_upper"], program.column_upper[block])
        self.below, self.above = parameters["widening_lower"], parameters["widening_upper"]
        self.duals: list[dict[str, NDArray[np.float64]]] = []
        self.gains: list[NDArray[np.float64]] = []
        self.wanted: list[float] = []

    def add(self, duals: dict[str, NDArray[np.float64]], only_if_infeasible: bool = False) -> None:
        """Add the demand of some duals."""
        program = self.program
        dual = np.zeros(program.matrix.shape[0])
        for name, part in duals.items():
            dual[program.rows[name]] = part
        side = np.where(dual > 0, program.row_lower, program.row_upper)
        dual = np.where(np.isfinite(side), dual, 0.0)
        matrix = program.matrix.toscipy()
        dual_activity = dual @ matrix[:, program.columns["allowance"]]
        lowest = np.minimum(-dual_activity * self.lower, -dual_activity * self.upper)
        terms = np.concatenate([lowest, dual[dual != 0] * side[dual != 0]])
        gains = np.where(dual_activity > 0, dual_activity * self.above, -dual_activity * self.below) * self.unit_band
        gains = gains + dual @ matrix[:, program.columns["exceptional"]]
        wanted = float(np.sum(terms)) - DUAL_PROOF_ROUNDING_RELATIVE * float(np.sum(np.abs(terms)))
        if wanted > 0 or not only_if_infeasible:
            self.duals.append(duals)
            self.gains.append(gains)
            self.wanted.append(wanted)

    def rule_out(self, chosen: list[int]) -> bool:
        """Return True if the last duals exclude a choice."""
        return float(np.sum(self.gains[-1][chosen])) < self.wanted[-1]

    def stacked(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the gains by demand and unit, and the gain wanted by demand."""
        return np.array(self.gains).reshape(len(self.gains), len(self.below)), np.array(self.wanted)


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
