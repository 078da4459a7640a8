"""Bands of units and of enterprises, as arrays over the adjustable units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.data.groups import Groups
from etsopt.rules.bands import band_ends, band_rates, shares_band
from etsopt_models._allocation.exception_margin import ExceptionMargin, in_whole_tonnes, wider_rates
from etsopt_models._allocation.integer import inward

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt.rules import Reference


@dataclass(frozen=True)
class Bands:
    """Bounds of the units, True for units with a band of their own, and the rows of the enterprises."""

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    unit_band: NDArray[np.bool_]
    margin: ExceptionMargin
    enterprises: list[str]
    rows: dict[str, Any]


def bands_of(instance: Instance, reference: Reference, free: NDArray[np.int64]) -> Bands:
    """Return the bands; that of an enterprise with one unit becomes a bound of the unit."""
    emissions, allocation = instance.emissions_tco2e[free], instance.policy.allocation
    whole, units = allocation.integer_allowances, allocation.exceptions.units
    rates = [rate[free] for rate in band_rates(instance, reference)]
    exact = reference.exact_t[free]
    lower, upper = wide_lower, wide_upper = band_ends(reference, emissions, exact, rates)
    if units:
        wide_lower, wide_upper = band_ends(reference, emissions, exact, wider_rates(instance, *rates))
    names, label = _owners(instance, reference, free)
    inside = label >= 0
    least, most = (np.bincount(label[inside], side[inside], len(names)).astype(float) for side in (lower, upper))
    margin = [in_whole_tonnes(tonnes, whole) for tonnes in (lower - wide_lower, wide_upper - upper)]
    if whole:
        least, most = inward(least, most)
        lower, upper = inward(lower, upper)
        # A band without a whole tonne becomes the tonne below it, which no exception may lose.
        wide_lower, wide_upper = inward(wide_lower, wide_upper)
        wide_lower, wide_upper = np.minimum(wide_lower, lower), np.maximum(wide_upper, upper)
        margin = [
            np.where(inside, tonnes, plain)
            for tonnes, plain in zip(margin, (lower - wide_lower, wide_upper - upper), strict=True)
        ]
    lower[inside], upper[inside] = 0.0, most[label[inside]]
    rows = {
        "ENTERPRISES": len(names),
        "UNITS_OF_ENTERPRISE": Groups.from_labels(label, len(names)),
        "enterprise_lower": least,
        "enterprise_upper": most,
    }
    return Bands(lower, upper, ~inside, ExceptionMargin(units, *margin), names, rows)


def _owners(instance: Instance, reference: Reference, free: NDArray[np.int64]) -> tuple[list[str], NDArray[np.int64]]:
    """Return the enterprises with a band over several units, and that of each unit; -1 for none."""
    owner, shares = instance.labels("enterprise_id"), shares_band(instance, reference)[free]
    several = np.flatnonzero(np.bincount(owner.code[free[shares]], minlength=len(owner)) > 1)
    number = np.full(len(owner), -1)
    number[several] = np.arange(len(several))
    return [str(name) for name in owner.names[several]], np.where(shares, number[owner.code[free]], -1)
