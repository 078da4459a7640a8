"""By how much an exception widens its band; what limits are made of, so nothing here knows them."""

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
    """Tonnes by which an exception widens its band on each side; arrays over the units that are not fixed.

    Parameters
    ----------
    units
        How many units may be exceptions.
    lower, upper
        By how much the band of the unit becomes wider, or its enterprise's where the band stands on that.
    """

    units: int
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]


def wider_rates(
    instance: Instance, lower: NDArray[np.float64], upper: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Band rates of exceptions; a side that is no wider than the unit's own band leaves that as it is."""
    exceptions = instance.policy.allocation.exceptions
    if not exceptions.units:
        return lower, upper
    return np.maximum(lower, exceptions.lower), np.maximum(upper, exceptions.upper)


def in_whole_tonnes(tonnes: NDArray[np.float64], whole: bool) -> NDArray[np.float64]:
    """A widening that adds whole tonnes only, where allowances are whole."""
    return down(tonnes) if whole else tonnes
