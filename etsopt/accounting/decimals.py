"""Rounding to the decimals of the guidelines, and exact sums in hundredths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NCV_DECIMALS, INTENSITY_DECIMALS = 3, 4
"""Decimals of the steel guideline: calorific values, and intensities; quantities, outputs and emissions have two."""

CARBON_DECIMALS = 4
"""Decimals of carbon contents of power units: an assumption, as their guideline was not obtained."""

NOISE_DECIMALS = 6
"""A half is recognised within this many decimals of the last place: products in binary miss it by less."""


def rounded(values: Any, decimals: int) -> NDArray[np.float64]:
    """Round halves away from zero.

    >>> rounded(np.array([0.125, -2.675, 1.005]), 2)
    array([ 0.13, -2.68,  1.01])
    """
    scale = 10.0**decimals
    return _whole(np.asarray(values, dtype=float) * scale) / scale


def hundredths(values: Any) -> NDArray[np.int64]:
    """Return values as whole hundredths, such as emissions in units of 0.01 t; their sums are exact.

    >>> hundredths([104.4, 0.005])
    array([10440,     1])
    """
    return _whole(np.asarray(values, dtype=float) * 100.0).astype(np.int64)


def _whole(scaled: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round to whole numbers, halves away from zero, as the eye would from the decimals."""
    whole: NDArray[np.float64] = np.sign(scaled) * np.floor(np.round(np.abs(scaled), NOISE_DECIMALS) + 0.5)
    # Adding zero removes the sign of a negative zero.
    return whole + 0.0


def added(group: NDArray[np.int64], values: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return the sum of whole numbers by group, shape ``(count,)``; exact up to 9e13 t in hundredths."""
    return np.bincount(group, values, count).astype(np.int64)
