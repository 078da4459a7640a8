r"""Sums and products of floating-point numbers with a bound of what rounding did to them, known before they are formed.

With the unit roundoff $u = 2^{-53}$, a result that passes through $n$ roundings is off by at most

$$\gamma_n = \frac{n u}{1 - n u}$$

of the sum of its absolute terms, in whatever order they are added. The bounds hold for IEEE doubles rounded to nearest,
which numpy uses everywhere; extended precision, which some machines lack, is not used.

Reference: Higham (2002), Accuracy and Stability of Numerical Algorithms, sections 2.2, 3.1 and 4.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROUNDOFF = 2.0**-53

UNDERFLOW = 1e-280
"""More than all that underflow can take from a sum of 1e12 terms."""

BLOCK = 64
"""So many terms are added one after the other, then so many of these sums, and on: a million numbers pass 256
roundings."""

FRACTION = 2.0**30
"""Fractions of a tonne are added up to this part of it without rounding, what is left of them with it."""


def gamma(roundings: float) -> float:
    """Largest relative error of a product after so many roundings, or of a sum against its absolute terms."""
    return roundings * ROUNDOFF / (1 - roundings * ROUNDOFF)


def upward(value: float, roundings: float) -> float:
    """A number that a computed one, zero or more, stands for at most after so many roundings."""
    return float(value * (1 + 2 * (roundings + 2) * ROUNDOFF) + UNDERFLOW)


def total(terms: NDArray[np.float64]) -> tuple[float, float]:
    """Sum of the terms, and a bound of its rounding.

    >>> value, error = total(np.array([1e16, 1.0, -1e16]))
    >>> abs(value - 1.0) <= error
    True
    """
    value, roundings = column_totals(terms)
    size, _ = column_totals(np.abs(terms))
    return float(value), upward(gamma(roundings) * float(size), roundings + 2)


def column_totals(terms: NDArray[np.float64]) -> tuple[NDArray[np.float64], int]:
    """Sums over the first axis, and through how many roundings each goes."""
    roundings = 0
    while len(terms) > 1:
        terms = np.add.reduceat(terms, np.arange(0, len(terms), BLOCK), axis=0)
        roundings += BLOCK
    return (terms[0] if len(terms) else np.zeros(terms.shape[1:])), roundings


def most_of(terms: NDArray[np.float64]) -> float:
    """The most that the sum of terms, each zero or more, can be."""
    value, error = total(terms)
    return upward(value + error, 2)


def difference(one: NDArray[np.float64], other: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The difference as an unevaluated sum of two numbers, exact where it does not overflow (Knuth's TwoSum)."""
    high = one - other
    taken = high - one
    return high, (one - (high - taken)) - (other + taken)


def exact_sums(
    group: NDArray[np.int64], values: NDArray[np.float64], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Sums of the values of each group as an unevaluated sum of two numbers, and a bound of its error.

    Whole tonnes below 2^53 add up without rounding, and so do their fractions up to a billionth; what is left of each
    is below half of that.

    >>> high, low, error = exact_sums(np.array([0, 0]), np.array([1e15, 0.3]), 1)
    >>> print(high[0], round(low[0], 12), error[0] < 1e-15)
    1000000000000000.0 0.3 True
    """
    whole = np.rint(values)
    high, size = (np.bincount(group, part, count).astype(np.float64) for part in (whole, np.abs(whole)))
    lost = np.where(size < 2.0**53, 0.0, np.inf)
    rest = values - whole
    if not rest.any():
        return high, np.zeros(count), lost
    fraction = np.rint(rest * FRACTION) / FRACTION
    low, tail = (np.bincount(group, part, count).astype(np.float64) for part in (fraction, rest - fraction))
    low = low + tail
    terms = np.bincount(group, minlength=count).astype(float)
    # Above 2^23 terms their fractions may round as well.
    lost += gamma(8) * np.abs(low) + 1.01 * terms**2 * ROUNDOFF / FRACTION
    lost += np.where(terms < 2.0**23, 0.0, 1.01 * terms**2 * ROUNDOFF)
    return high, low, lost
