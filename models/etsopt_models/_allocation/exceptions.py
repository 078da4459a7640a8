"""How far the units that are exceptions may leave their band."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt_models._allocation.limits import Limits


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
        "LIMITED": int(allowed and len(found.free) > 0),
        "exceptions_most": found.widening.units,
        "band_lower": found.lower,
        "band_upper": found.upper,
        "widening_lower": found.widening.lower,
        "widening_upper": found.widening.upper,
    }
