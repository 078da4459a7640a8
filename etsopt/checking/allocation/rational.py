"""The same bound in rational numbers: a second look at small instances, where rounding alone stands between.

Every quantity is the number that its floating-point form is; sums and quotients are exact. A unit's term is rounded up
once, or denominators would grow with every unit.
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

    from numpy.typing import NDArray

    from etsopt.checking.allocation.certificate import Kinked, Square
    from etsopt.checking.allocation.rows import CouplingRows

GRAIN = 1 << 1400
"""Terms are rounded up to whole parts of one over this, far below the least that doubles hold."""


def gap(levels: Any, pieces: Sequence[Kinked], price: NDArray[np.float64], square: Square | None) -> float:
    """The same as a floating-point number, no less; infinite where a multiplier is no number."""
    if not np.isfinite(price).all() or not all(piece.times < math.inf for piece in pieces):
        return math.inf
    return upward(float(exact_gap(levels, pieces, price, square)), 2)


def exact_gap(levels: Any, pieces: Sequence[Kinked], price: NDArray[np.float64], square: Square | None) -> Fraction:
    """How far the sum of a level can lie above its minimum, as `etsopt.checking.allocation.certificate` has it.

    Parameters
    ----------
    levels
        `etsopt.checking.allocation.levels.Levels`: its rows, free units and their intervals.
    price
        Multipliers of the rows, none on a side that does not exist.
    """
    rows, allowance = levels.rows, np.zeros(levels.units)
    allowance[levels.free] = levels.intervals.answer
    totals, pull = of_rows(rows, allowance, price)
    from_rows = Fraction(0)
    for row in np.flatnonzero(price):
        side = Fraction(float(rows.least[row] if price[row] > 0 else rows.most[row]))
        away = totals[row] - side if price[row] > 0 else side - totals[row]
        from_rows += abs(Fraction(float(price[row]))) * max(away, Fraction(0))
    parts = 0
    for place, unit in enumerate(np.flatnonzero(levels.free).tolist()):
        own = unit_gap(levels.intervals, place, pieces, pull[unit], square)
        parts += -((-own.numerator * GRAIN) // own.denominator)
    return Fraction(parts, GRAIN) + from_rows


def of_rows(
    rows: CouplingRows, allowance: NDArray[np.float64], price: NDArray[np.float64]
) -> tuple[list[Fraction], list[Fraction]]:
    """Totals of the rows, and what their multipliers come to at units."""
    totals, pull = [Fraction(0)] * len(rows), [Fraction(0)] * len(allowance)
    factors = zip(rows.row.tolist(), rows.position.tolist(), rows.sign.tolist(), rows.divisor.tolist(), strict=True)
    prices, given = [Fraction(value) for value in price.tolist()], allowance.tolist()
    for row, unit, sign, divisor in factors:
        factor = Fraction(sign) / Fraction(divisor)
        totals[row] += factor * Fraction(given[unit])
        pull[unit] += factor * prices[row]
    return totals, pull


def unit_gap(intervals: Any, place: int, pieces: Sequence[Kinked], pull: Fraction, square: Square | None) -> Fraction:
    """How far the function of one unit lies above its minimum."""
    answer, lower, upper = (
        Fraction(float(part[place])) for part in (intervals.answer, intervals.lower, intervals.upper)
    )
    own = [tuple(_number(part, place) for part in (piece.kink, piece.left, piece.right)) for piece in pieces]
    times = [Fraction(piece.times) for piece in pieces]

    def value(at: Fraction) -> Fraction:
        found = -pull * at
        for factor, (kink, left, right) in zip(times, own, strict=True):
            found += factor * max(left * (at - kink), right * (at - kink))
        if square is not None:
            reference, emissions = (Fraction(float(part[place])) for part in (square.reference, square.emissions))
            found += (at - reference) ** 2 / emissions
        return found

    corners = sorted({lower, upper, *(min(max(kink, lower), upper) for kink, _, _ in own)})
    points = list(corners)
    if square is not None:
        reference, emissions = (Fraction(float(part[place])) for part in (square.reference, square.emissions))
        for start, end in pairwise(corners):
            middle = (start + end) / 2
            slope = -pull
            for factor, (kink, left, right) in zip(times, own, strict=True):
                slope += factor * (right if middle > kink else left)
            best = min(max(reference - emissions * slope / 2, start), end)
            points += [Fraction(math.floor(best)), Fraction(math.ceil(best))] if square.whole else [best]
    return value(answer) - min(value(point) for point in points if lower <= point <= upper)


def _number(values: NDArray[np.float64] | float, place: int) -> Fraction:
    """A number of one unit, or of all."""
    return Fraction(float(values[place] if isinstance(values, np.ndarray) else values))
