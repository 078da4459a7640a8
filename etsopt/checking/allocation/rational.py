"""Repeat a bound in rational numbers, for small instances that only rounding leaves unproven.

Every quantity is the number that its floating-point form represents; sums and quotients are exact. A unit's term is
rounded up once, because denominators would grow with every unit.
"""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.checking.arithmetic import upward

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etsopt.checking.allocation.certificate import Kinked, Square
    from etsopt.checking.allocation.rows import CouplingRows
    from etsopt.checking.arrays import Floats

GRAIN = 1 << 1400
"""Denominator to which terms are rounded up, far finer than the least number that doubles hold."""


def gap(levels: Any, pieces: Sequence[Kinked], dual: Floats, square: Square | None) -> float:
    """Return the gap as a floating-point number, rounded up; infinite if a multiplier is not finite."""
    if not np.isfinite(dual).all() or not all(piece.times < math.inf for piece in pieces):
        return math.inf
    return upward(float(exact_gap(levels, pieces, dual, square)), 2)


def exact_gap(levels: Any, pieces: Sequence[Kinked], dual: Floats, square: Square | None) -> Fraction:
    """Return the distance of an objective's sum above its minimum, as `etsopt.checking.allocation.certificate` has it.

    Parameters
    ----------
    levels
        `etsopt.checking.allocation.levels.Levels`: its rows, adjustable units and their intervals.
    dual
        Duals of the rows, zero on a side that does not exist.
    """
    rows, allowance = levels.rows, np.zeros(levels.units)
    allowance[levels.free] = levels.intervals.answer
    totals, activity = of_rows(rows, allowance, dual)
    from_rows = Fraction(0)
    for row in np.flatnonzero(dual):
        side = Fraction(float(rows.least[row] if dual[row] > 0 else rows.most[row]))
        away = totals[row] - side if dual[row] > 0 else side - totals[row]
        from_rows += abs(Fraction(float(dual[row]))) * max(away, Fraction(0))
    parts = 0
    for place, unit in enumerate(np.flatnonzero(levels.free).tolist()):
        own = unit_gap(levels.intervals, place, pieces, activity[unit], square)
        parts += -((-own.numerator * GRAIN) // own.denominator)
    return Fraction(parts, GRAIN) + from_rows


def of_rows(rows: CouplingRows, allowance: Floats, dual: Floats) -> tuple[list[Fraction], list[Fraction]]:
    """Return the totals of the rows, and the activity of their duals at units."""
    totals, activity = [Fraction(0)] * len(rows), [Fraction(0)] * len(allowance)
    factors = zip(rows.row.tolist(), rows.position.tolist(), rows.sign.tolist(), rows.divisor.tolist(), strict=True)
    duals, given = [Fraction(value) for value in dual.tolist()], allowance.tolist()
    for row, unit, sign, divisor in factors:
        factor = Fraction(sign) / Fraction(divisor)
        totals[row] += factor * Fraction(given[unit])
        activity[unit] += factor * duals[row]
    return totals, activity


def unit_gap(
    intervals: Any, place: int, pieces: Sequence[Kinked], activity: Fraction, square: Square | None
) -> Fraction:
    """Return the distance of a unit's function above its minimum."""
    answer, lower, upper = (
        Fraction(float(part[place])) for part in (intervals.answer, intervals.lower, intervals.upper)
    )
    own = [tuple(_number(part, place) for part in (piece.kink, piece.left, piece.right)) for piece in pieces]
    times = [Fraction(piece.times) for piece in pieces]

    def value(at: Fraction) -> Fraction:
        total = -activity * at
        for factor, (kink, left, right) in zip(times, own, strict=True):
            total += factor * max(left * (at - kink), right * (at - kink))
        if square is not None:
            reference, emissions = (Fraction(float(part[place])) for part in (square.centre, square.weight))
            total += (at - reference) ** 2 / emissions
        return total

    corners = sorted({lower, upper, *(min(max(kink, lower), upper) for kink, _, _ in own)})
    points = list(corners)
    if square is not None:
        reference, emissions = (Fraction(float(part[place])) for part in (square.centre, square.weight))
        for start, end in pairwise(corners):
            middle = (start + end) / 2
            slope = -activity
            for factor, (kink, left, right) in zip(times, own, strict=True):
                slope += factor * (right if middle > kink else left)
            best = min(max(reference - emissions * slope / 2, start), end)
            points += [Fraction(math.floor(best)), Fraction(math.ceil(best))] if square.integer else [best]
    return value(answer) - min(value(point) for point in points if lower <= point <= upper)


def _number(values: Floats | float, place: int) -> Fraction:
    """Return the number of one unit, or the common one."""
    return Fraction(float(values[place] if isinstance(values, np.ndarray) else values))
