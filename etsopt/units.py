"""Units of measure: their names, exact conversions, and how quantities are written for people."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TONNE = "t"
RATE = "rate"

# Activity data, emissions and allowances reach 1e8 tonnes in a unit; double precision then carries an error
# of about 1e-7 t through a formula of a few operations. A value this close below a whole tonne is that tonne.
ROUNDING_NOISE_T = 1e-6

RELATIVE_TOLERANCE = 1e-9
LEAST_TOLERANCE = {TONNE: 2e-2, RATE: 2e-10, "CNY": 1e-2}
"""Least tolerance of a level by its unit: 20 kg, and what that is to 1e8 t, and a fen; the solver's own 1e-10 of the
largest unit comes to about as much."""


def tolerance_of(value: float, unit: str) -> float:
    """How far the value of a level may be off, in its unit: to later levels, and to its bound.

    >>> tolerance_of(1e6, "t"), tolerance_of(1e8, "t")
    (0.02, 0.1)
    """
    return max(RELATIVE_TOLERANCE * abs(value), LEAST_TOLERANCE.get(unit, RELATIVE_TOLERANCE))


def whole_tonnes(tonnes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round down to whole tonnes, as the allocation plans do.

    A value that is whole but for floating-point noise is not rounded one tonne too far.

    >>> whole_tonnes(np.array([1789.70, 790116.9999999999]))
    array([  1789., 790117.])
    """
    return np.floor(tonnes + ROUNDING_NOISE_T)


def sums(group: NDArray[np.int64], values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Sums of the values of each group, shape ``(count,)``; one after the other, a million values would drift.

    Whole tonnes add up without any rounding, so they are added apart from what is left of each value.

    >>> sums(np.array([0, 1, 0]), np.array([1e15, 2.5, 0.25]), 2)
    array([1.0e+15, 2.5e+00])
    """
    whole = np.floor(values)
    total: NDArray[np.float64] = np.bincount(group, whole, count).astype(float)
    part = values - whole
    return total + np.bincount(group, part, count) if part.any() else total


def format_tonnes(tonnes: float) -> str:
    """Write a quantity in tonnes for people: grouped thousands, no decimals that mean nothing.

    >>> format_tonnes(1014304.9999), format_tonnes(-0.25), format_tonnes(0.0)
    ('1,014,305', '-0.25', '0')
    """
    if not math.isfinite(tonnes):
        return str(tonnes)
    if abs(tonnes) >= 100 or tonnes == round(tonnes):
        return f"{tonnes:,.0f}"
    return f"{tonnes:,.3g}"


def format_rate(rate: float) -> str:
    """Write a rate as a percentage.

    >>> format_rate(0.03), format_rate(-0.0123456)
    ('3.00 %', '-1.23 %')
    """
    # Adding zero turns a negative zero, which rounding leaves, into a plain one.
    return f"{round(100 * rate, 2) + 0.0:.2f} %" if math.isfinite(rate) else "-"
