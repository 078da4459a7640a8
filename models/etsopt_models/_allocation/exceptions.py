"""Bounds and rows of units that are exceptions to their band."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt_models._allocation.limits import Limits


def bounds_with(limits: Limits, exceptional: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the bounds of the allowances if some units are exceptions.

    Parameters
    ----------
    exceptional
        True for exceptions among the adjustable units.
    """
    lower = np.where(exceptional & limits.unit_band, limits.margin.lower, 0.0)
    upper = np.where(exceptional, limits.margin.upper, 0.0)
    for group in range(len(limits.enterprises)):
        units = limits.rows["UNITS_OF_ENTERPRISE"][group]
        # A unit of an enterprise with a band may hold all allowances of the enterprise.
        upper[units] = upper[units].sum()
    return limits.lower - lower, limits.upper + upper


def exception_rows(limits: Limits) -> dict[str, Any]:
    """Return the sets and parameters of the rows of exceptions, by the names of the models."""
    all_units, no_units = np.arange(len(limits.free)), np.arange(0)
    allowed, enterprises = limits.margin.units > 0, len(limits.enterprises)
    return {
        "MAY_BE_EXCEPTIONAL": all_units if allowed else no_units,
        "WITH_OWN_BAND": np.flatnonzero(limits.unit_band) if allowed else no_units,
        "WIDENED": np.arange(enterprises if allowed else 0),
        "LIMITED": int(allowed and len(limits.free) > 0),
        "exceptions_most": limits.margin.units,
        "band_lower": limits.lower,
        "band_upper": limits.upper,
        "widening_lower": limits.margin.lower,
        "widening_upper": limits.margin.upper,
    }
