"""Bands of units and enterprises, those of exceptions too, and what is whole, derived again from the instance alone.

Written apart from the models on purpose, as `etsopt.checking.allocation.limits` is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking import plan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance

NOISE_T, NOISE = 1e-6, 1e-14
"""What lacks to a whole tonne and is rounding: absolute, and against the quantity."""


def floored(tonnes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Whole tonnes in quantities that are finite."""
    result: NDArray[np.float64] = np.floor(tonnes + (NOISE_T + NOISE * np.abs(tonnes)))
    return result


def rounded(tonnes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Nearest whole tonnes, a half up."""
    return floored(tonnes + 0.5)


def whole_limits(least: NDArray[np.float64], most: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Limits rounded inward; where no whole tonne lies between them, both are the one below."""
    top = floored(most)
    bottom = -floored(-least)
    return np.where(bottom > top, top, bottom), top


@dataclass(frozen=True)
class Bands:
    """Tonnes that the band allows each unit, exceptions apart, and what an exception adds; in the instance's order.

    Parameters
    ----------
    lower, upper
        Band of the unit by itself.
    added_below, added_above
        What an exception adds to the band of its unit.
    shared_lower, shared_upper
        What the unit contributes to the band of an enterprise, before that is rounded.
    shared_below, shared_above
        What an exception adds to the band of its enterprise.
    """

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    added_below: NDArray[np.float64]
    added_above: NDArray[np.float64]
    shared_lower: NDArray[np.float64]
    shared_upper: NDArray[np.float64]
    shared_below: NDArray[np.float64]
    shared_above: NDArray[np.float64]


def band_rates(instance: Instance) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Largest deficit and surplus rate of every unit, by its sector, else by the rule."""
    default, units = plan.cap(instance), len(instance.units)
    down, up = np.full(units, default), np.full(units, default)
    for name, section in instance.policy.sectors.items():
        if section.band is not None:
            here = instance.labels("sector").where(name)
            down[here], up[here] = section.band.lower, section.band.upper
    return down, up


def bands(instance: Instance) -> Bands:
    """The band of every unit by its sector, else by the rule, and the wider one of exceptions."""
    policy, emissions = instance.policy, instance.emissions_tco2e
    down, up = band_rates(instance)
    exceptions = policy.allocation.exceptions
    if exceptions.units:
        wide_down, wide_up = np.maximum(down, exceptions.lower), np.maximum(up, exceptions.upper)
    else:
        wide_down, wide_up = down, up
    lower, upper = emissions - down * emissions, emissions + up * emissions
    wide_lower, wide_upper = emissions - wide_down * emissions, emissions + wide_up * emissions
    if policy.rule.name != "given":
        # A rule in whole tonnes rounds down, below the band itself.
        lower, wide_lower = np.floor(lower + NOISE_T), np.floor(wide_lower + NOISE_T)
    # Nobody has less than no allowances, whatever deficit a band allows.
    lower, wide_lower = np.where(lower > 0, lower, 0.0), np.where(wide_lower > 0, wide_lower, 0.0)
    if not policy.allocation.integer_allowances:
        below, above = lower - wide_lower, wide_upper - upper
        return Bands(lower, upper, below, above, lower, upper, below, above)
    own_lower, own_upper = whole_limits(lower, upper)
    # Where the narrow band has no whole tonne it is the one below, which the wider band then has as well.
    own_wide_lower, own_wide_upper = whole_limits(wide_lower, wide_upper)
    own_wide_lower, own_wide_upper = np.minimum(own_lower, own_wide_lower), np.maximum(own_upper, own_wide_upper)
    return Bands(
        own_lower,
        own_upper,
        own_lower - own_wide_lower,
        own_wide_upper - own_upper,
        lower,
        upper,
        floored(lower - wide_lower),
        floored(wide_upper - upper),
    )
