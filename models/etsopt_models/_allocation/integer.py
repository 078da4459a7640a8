"""Limits in whole tonnes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.units import ROUNDING_NOISE_T
from etsopt_models._tolerances import LIMIT_ROUNDING_RELATIVE

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def down(tonnes: ArrayLike) -> NDArray[np.float64]:
    """Round down to whole tonnes, within the noise.

    >>> down([3.0, 2.9999999, 2.99])
    array([3., 3., 2.])
    """
    size = np.asarray(tonnes, dtype=float)
    whole: NDArray[np.float64] = np.floor(size + _noise(size))
    return whole


def nearest(tonnes: ArrayLike) -> NDArray[np.float64]:
    """Round to the nearest whole tonne; a half goes up.

    >>> nearest([2.4, 2.5, 3.5])
    array([2., 3., 4.])
    """
    return down(np.asarray(tonnes, dtype=float) + 0.5)


def inward(least: ArrayLike, most: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the least and most whole tonnes between two limits.

    If there are none, as for an exact target that is not whole, both are the whole tonne below, since the rules round
    down.

    >>> inward([1.2, 1.2], [3.9, 1.2])
    (array([2., 1.]), array([3., 1.]))
    """
    upper = down(most)
    return np.minimum(-down(-np.asarray(least, dtype=float)), upper), upper


def _noise(tonnes: NDArray[np.float64]) -> NDArray[np.float64]:
    finite = np.where(np.isfinite(tonnes), tonnes, 0.0)
    noise: NDArray[np.float64] = ROUNDING_NOISE_T + LIMIT_ROUNDING_RELATIVE * np.abs(finite)
    return noise
