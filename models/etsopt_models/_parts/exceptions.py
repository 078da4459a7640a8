"""How far the units that are exceptions may leave their band."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt_models._parts.whole import down

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._parts.limits import Limits


@dataclass(frozen=True)
class Widening:
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


def bounds_with(found: Limits, exceptional: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bounds of the allowances where some units are exceptions.

    Parameters
    ----------
    exceptional
        Of the units that are not fixed.
    """
    lower = np.where(exceptional & found.own_band, found.widening.lower, 0.0)
    upper = np.where(exceptional, found.widening.upper, 0.0)
    for group in range(len(found.enterprises)):
        here = found.rows["UNITS_OF_ENTERPRISE"][group]
        # Inside an enterprise a unit may hold everything that it may.
        upper[here] = upper[here].sum()
    return found.lower - lower, found.upper + upper


def exception_rows(found: Limits) -> dict[str, Any]:
    """Sets and parameters of the rows that say what an exception is, by the names of the models."""
    everyone, nobody = np.arange(len(found.free)), np.arange(0)
    allowed, enterprises = found.widening.units > 0, len(found.enterprises)
    return {
        "MAY_BE_EXCEPTIONAL": everyone if allowed else nobody,
        "WITH_OWN_BAND": np.flatnonzero(found.own_band) if allowed else nobody,
        "WIDENED": np.arange(enterprises if allowed else 0),
        "LIMITED": int(allowed),
        "exceptions_most": found.widening.units,
        "band_lower": found.lower,
        "band_upper": found.upper,
        "widening_lower": found.widening.lower,
        "widening_upper": found.widening.upper,
    }


def in_whole_tonnes(tonnes: NDArray[np.float64], whole: bool) -> NDArray[np.float64]:
    """A widening that adds whole tonnes only, where allowances are whole."""
    return down(tonnes) if whole else tonnes
