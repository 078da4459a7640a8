"""Margins by which exceptions widen their bands; limits are built from them, so this file does not import limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from etsopt_models._allocation.integer import down

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance


@dataclass(frozen=True)
class ExceptionMargin:
    """Tonnes by which an exception widens its band on each side; arrays over the adjustable units.

    Parameters
    ----------
    units
        Number of units that may be exceptions.
    lower, upper
        Margins of the unit's band, or of its enterprise's if the band applies to that.
    """

    units: int
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]


def wider_rates(
    instance: Instance, lower: NDArray[np.float64], upper: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the band rates of exceptions; a side no wider than the unit's own band leaves that unchanged."""
    exceptions = instance.policy.allocation.exceptions
    if not exceptions.units:
        return lower, upper
    return np.maximum(lower, exceptions.lower), np.maximum(upper, exceptions.upper)


def in_whole_tonnes(tonnes: NDArray[np.float64], whole: bool) -> NDArray[np.float64]:
    """Return the margin, rounded down to whole tonnes if allowances are integer."""
    return down(tonnes) if whole else tonnes
