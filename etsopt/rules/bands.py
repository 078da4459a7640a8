"""Bands of the surplus rate: those that the policy or the rule states, and the references that they move."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.provenance import BandMove
from etsopt.common.units import LEAST_TOLERANCE, TONNE, nearest_tonnes
from etsopt.rules.registry import reference_allowances

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt.rules.reference import Reference

LARGEST_MULTIPLE = 100.0
"""Without a band an allowance is at most this multiple of the larger of emissions and reference: a proof needs a finite
bound, and this one moves no reference. `docs/decisions/0019-bands-are-stated.md`."""


def band_rates(instance: Instance, reference: Reference) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the largest deficit and surplus rate of every unit, shape ``(units,)``; infinite without a band.

    They are those that the policy states for the sector, else for all sectors, else those of the rule.
    """
    bands = {name: instance.policy.band_of(name) for name in instance.sectors}
    stated = {name: band for name, band in bands.items() if band is not None}
    sector, default = instance.labels("sector"), np.inf if reference.band is None else reference.band
    lower = sector.mapped({**reference.bands, **{name: band.lower for name, band in stated.items()}}, default)
    return lower, sector.mapped({**reference.bands, **{name: band.upper for name, band in stated.items()}}, default)


def band_ends(
    reference: Reference, emissions: NDArray[np.float64], exact_t: NDArray[np.float64], rates: Sequence[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the least and most allowances of units within their bands, shape ``(units,)`` [t].

    Parameters
    ----------
    emissions, exact_t
        Emissions of these units [tCO2e], and their reference allowances before rounding [t].
    rates
        Their largest deficit and surplus rates.
    """
    # Allowances are never negative, however large the deficit that a band allows.
    lower = np.maximum(1 - rates[0], 0.0) * emissions
    most = LARGEST_MULTIPLE * np.maximum(emissions, exact_t)
    upper = np.where(np.isinf(rates[1]), most, (1 + np.where(np.isinf(rates[1]), 0.0, rates[1])) * emissions)
    # A rule in whole tonnes may leave the band by less than one, below it by rounding down, and above it where A = E.
    return (np.floor(lower + 1e-6), np.maximum(upper, nearest_tonnes(emissions))) if reference.whole else (lower, upper)


def shares_band(instance: Instance, reference: Reference) -> NDArray[np.bool_]:
    """Return the units whose band is that of their enterprise, shape ``(units,)``.

    Units without a band, or of a sector with one of the rule's own, such as power, which has none in effect, do not
    share a band: it would be that of every other unit of the enterprise.
    """
    if instance.policy.allocation.band_on == "unit":
        return np.zeros(len(instance.units), dtype=bool)
    alone = {name: 1.0 for name in reference.bands if instance.policy.band_of(name) is None}
    shares: NDArray[np.bool_] = instance.labels("sector").mapped(alone, 0.0) == 0
    return shares & np.isfinite(band_rates(instance, reference)[0])


def moved_by_bands(instance: Instance) -> list[BandMove]:
    """Return the references that the bands of an instance move, by band; empty if they move none.

    Where enterprises share a band, its units are those of the enterprises that leave it.
    """
    reference = reference_allowances(instance)
    free = np.flatnonzero(~reference.fixed)
    emissions, given = instance.emissions_tco2e[free], reference.reference_t[free]
    rates = [rate[free] for rate in band_rates(instance, reference)]
    ends = band_ends(reference, emissions, reference.exact_t[free], rates)
    alone = ~shares_band(instance, reference)[free]
    owner = np.where(alone, len(instance.units) + free, instance.labels("enterprise_id").code[free])
    owner = np.unique(owner, return_inverse=True)[1]
    least, most, total = (np.bincount(owner, side, len(free)) for side in (*ends, given))
    off = np.maximum(np.maximum(least - total, total - most), 0.0)
    off = np.where(off > LEAST_TOLERANCE[TONNE], off, 0.0)[owner] / np.bincount(owner, minlength=len(free))[owner]
    bands = sorted(set(zip(*(rate[off > 0].tolist() for rate in rates), strict=True)))
    entries = []
    for lower, upper in bands:
        is_alike = (off > 0) & (rates[0] == lower) & (rates[1] == upper)
        entries.append(BandMove(lower=lower, upper=upper, units=int(is_alike.sum()), tonnes=float(off[is_alike].sum())))
    return entries
