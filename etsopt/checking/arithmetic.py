r"""Sum and multiply floating-point numbers with a bound of the rounding error that is known in advance.

With the unit roundoff $u = 2^{-53}$, a result that passes through $n$ roundings is off by at most

$$\gamma_n = \frac{n u}{1 - n u}$$

of the sum of its absolute terms, in whatever order they are added. The bounds hold for IEEE doubles rounded to nearest,
which numpy uses everywhere. Extended precision, which some machines do not have, is not used.

Reference: Higham (2002), Accuracy and Stability of Numerical Algorithms, sections 2.2, 3.1 and 4.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from etsopt.checking.arrays import Floats, Ints

ROUNDOFF = 2.0**-53

UNDERFLOW = 1e-280
"""Exceeds all that underflow can take from a sum of 1e12 terms."""

BLOCK = 64
"""Number of terms that are added one after the other, then number of these sums, and so on: a million numbers pass 256
roundings."""

FRACTION = 2.0**30
"""Fractions of a tonne are added up to this part of it without rounding; their remainders are added apart."""


def gamma(roundings: float) -> float:
    """Return the largest relative error of a product after some roundings, or of a sum against its absolute terms."""
    return roundings * ROUNDOFF / (1 - roundings * ROUNDOFF)


def upward(value: float, roundings: float) -> float:
    """Return an upper bound of the exact value of a computed number, zero or more, after so many roundings."""
    return float(value * (1 + 2 * (roundings + 2) * ROUNDOFF) + UNDERFLOW)


def total(terms: Floats) -> tuple[float, float]:
    """Return the sum of the terms and a bound of its rounding.

    >>> value, error = total(np.array([1e16, 1.0, -1e16]))
    >>> abs(value - 1.0) <= error
    True
    """
    value, roundings = column_totals(terms)
    size, _ = column_totals(np.abs(terms))
    return float(value), upward(gamma(roundings) * float(size), roundings + 2)


def column_totals(terms: Floats) -> tuple[Floats, int]:
    """Return the sums over the first axis and the number of roundings that each passes."""
    roundings = 0
    while len(terms) > 1:
        terms = np.add.reduceat(terms, np.arange(0, len(terms), BLOCK), axis=0)
        roundings += BLOCK
    return (terms[0] if len(terms) else np.zeros(terms.shape[1:])), roundings


def sum_at_most(terms: Floats) -> float:
    """Return an upper bound of the sum of terms that are each zero or more."""
    value, error = total(terms)
    return upward(value + error, 2)


def difference(one: Floats, other: Floats) -> tuple[Floats, Floats]:
    """Return the difference as an unevaluated sum of two numbers, exact unless it overflows (Knuth's TwoSum)."""
    high = one - other
    taken = high - one
    return high, (one - (high - taken)) - (other + taken)


def exact_sums(group: Ints, values: Floats, count: int) -> tuple[Floats, Floats, Floats]:
    """Return the sums of the values of each group as an unevaluated sum of two numbers, and a bound of its error.

    Whole tonnes below 2^53 add up without rounding, and so do their fractions up to a billionth; the remainder of each
    is below half of that.

    >>> high, low, error = exact_sums(np.array([0, 0]), np.array([1e15, 0.3]), 1)
    >>> print(high[0], round(low[0], 12), error[0] < 1e-15)
    1000000000000000.0 0.3 True
    """
    whole = np.rint(values)
    high, size = (np.bincount(group, part, count).astype(np.float64) for part in (whole, np.abs(whole)))
    error = np.where(size < 2.0**53, 0.0, np.inf)
    rest = values - whole
    if not rest.any():
        return high, np.zeros(count), error
    fraction = np.rint(rest * FRACTION) / FRACTION
    low, tail = (np.bincount(group, part, count).astype(np.float64) for part in (fraction, rest - fraction))
    low = low + tail
    terms = np.bincount(group, minlength=count).astype(float)
    # Above 2^23 terms the sums of fractions may round as well.
    error += gamma(8) * np.abs(low) + 1.01 * terms**2 * ROUNDOFF / FRACTION
    error += np.where(terms < 2.0**23, 0.0, 1.01 * terms**2 * ROUNDOFF)
    return high, low, error
