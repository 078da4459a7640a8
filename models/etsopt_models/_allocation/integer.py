"""Limits in whole tonnes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.units import ROUNDING_NOISE_T

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

RELATIVE_NOISE = 1e-14
"""Rounding of a sum against the sum; it is no tonne either."""


def down(tonnes: ArrayLike) -> NDArray[np.float64]:
    """The whole tonnes in a quantity.

    >>> down([3.0, 2.9999999, 2.99])
    array([3., 3., 2.])
    """
    size = np.asarray(tonnes, dtype=float)
    whole: NDArray[np.float64] = np.floor(size + _noise(size))
    return whole


def nearest(tonnes: ArrayLike) -> NDArray[np.float64]:
    """The nearest whole tonnes; a half goes up.

    >>> nearest([2.4, 2.5, 3.5])
    array([2., 3., 4.])
    """
    return down(np.asarray(tonnes, dtype=float) + 0.5)


def inward(least: ArrayLike, most: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The least and most whole tonnes between two limits.

    Where there are none, as for a target that is exact and not whole, it is the whole tonne below for both, since the
    rules round down.

    >>> inward([1.2, 1.2], [3.9, 1.2])
    (array([2., 1.]), array([3., 1.]))
    """
    upper = down(most)
    return np.minimum(-down(-np.asarray(least, dtype=float)), upper), upper


def _noise(tonnes: NDArray[np.float64]) -> NDArray[np.float64]:
    finite = np.where(np.isfinite(tonnes), tonnes, 0.0)
    noise: NDArray[np.float64] = ROUNDING_NOISE_T + RELATIVE_NOISE * np.abs(finite)
    return noise
