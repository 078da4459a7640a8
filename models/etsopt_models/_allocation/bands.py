"""Bands of units and of enterprises, as arrays over the adjustable units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.data.groups import Groups
from etsopt.units import nearest_tonnes
from etsopt_models._allocation.exception_margin import ExceptionMargin, in_whole_tonnes, wider_rates
from etsopt_models._allocation.integer import inward

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt.rules import Reference


def band_rates(instance: Instance, reference: Reference) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the largest deficit and surplus rate of every unit: those of its sector, else of the rule."""
    bands = {name: instance.policy.band_of(name) for name in instance.policy.sectors}
    stated = {name: band for name, band in bands.items() if band is not None}
    sector, default = instance.labels("sector"), reference.band
    lower = sector.mapped({**reference.bands, **{name: band.lower for name, band in stated.items()}}, default)
    return lower, sector.mapped({**reference.bands, **{name: band.upper for name, band in stated.items()}}, default)


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
    lower, upper = _ends(reference, emissions, rates)
    wide_lower, wide_upper = _ends(reference, emissions, wider_rates(instance, *rates)) if units else (lower, upper)
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


def _ends(
    reference: Reference, emissions: NDArray[np.float64], rates: Sequence[NDArray[np.float64]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lower and upper end of each band, from the largest deficit and surplus rates."""
    # Allowances are never negative, however large the deficit that a band allows.
    lower, upper = np.maximum(1 - rates[0], 0.0) * emissions, (1 + rates[1]) * emissions
    # A rule in whole tonnes may leave the band by less than one, below it by rounding down, and above it where A = E.
    return (np.floor(lower + 1e-6), np.maximum(upper, nearest_tonnes(emissions))) if reference.whole else (lower, upper)


def _owners(instance: Instance, reference: Reference, free: NDArray[np.int64]) -> tuple[list[str], NDArray[np.int64]]:
    """Return the enterprises with a band over several units, and that of each unit; -1 for none.

    Units of a sector with a band of the rule's own, such as power, which has none in effect, do not share a band: it
    would be that of every other unit of the enterprise.
    """
    if instance.policy.allocation.band_on == "unit":
        return [], np.full(len(free), -1)
    owner = instance.labels("enterprise_id")
    alone = {name: 1.0 for name in reference.bands if instance.policy.band_of(name) is None}
    shares = instance.labels("sector").mapped(alone, 0.0)[free] == 0
    several = np.flatnonzero(np.bincount(owner.code[free[shares]], minlength=len(owner)) > 1)
    number = np.full(len(owner), -1)
    number[several] = np.arange(len(several))
    return [str(name) for name in owner.names[several]], np.where(shares, number[owner.code[free]], -1)
