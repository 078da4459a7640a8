"""Derive the bands of units, enterprises and exceptions again from the instance alone, and the rounding of limits.

This module is independent of the models, as `etsopt.checking.allocation.limits` is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.readings import plan
from etsopt.checking.readings.instance_inputs import whole
from etsopt.checking.readings.references import outside_plans
from etsopt.checking.readings.targets import due_at_emissions, floored
from etsopt.checking.tolerances import UNLIMITED_ALLOWANCE_FACTOR

if TYPE_CHECKING:
    from etsopt.checking.arrays import Floats
    from etsopt.checking.readings.instance_inputs import InstanceInputs


def rounded(tonnes: Floats) -> Floats:
    """Return the nearest whole tonnes, a half up [t]."""
    return floored(tonnes + 0.5)


def whole_limits(least: Floats, most: Floats) -> tuple[Floats, ...]:
    """Return limits rounded inward [t]; if no whole tonne lies between them, both are the one below."""
    top = floored(most)
    bottom = -floored(-least)
    return np.where(bottom > top, top, bottom), top


@dataclass(frozen=True)
class Bands:
    """Bands of the units without exceptions, and the additions of an exception [t], in the instance's order.

    Parameters
    ----------
    lower, upper
        Band of the unit by itself.
    added_below, added_above
        Widening of the unit's band by an exception.
    shared_lower, shared_upper
        Contribution of the unit to the band of its enterprise, before that is rounded.
    shared_below, shared_above
        Widening of the enterprise's band by an exception.
    """

    lower: Floats
    upper: Floats
    added_below: Floats
    added_above: Floats
    shared_lower: Floats
    shared_upper: Floats
    shared_below: Floats
    shared_above: Floats


def band_rates(instance: InstanceInputs) -> tuple[Floats, Floats]:
    """Return the largest deficit and surplus rate of units, by sector, for all, or by the rule, shape ``(units,)``.

    Without a band they are infinite.
    """
    default, units = plan.cap(instance), len(instance.units)
    down = np.where(plan.of_power(instance), plan.BAND_OF_POWER, np.full(units, default))
    up = down.copy()
    every = instance.policy.allocation.band
    if every is not None:
        down, up = np.full(units, every.lower), np.full(units, every.upper)
    for name, section in instance.policy.sectors.items():
        if section.band is not None:
            in_sector = instance.labels("sector").where(name)
            down[in_sector], up[in_sector] = section.band.lower, section.band.upper
    return down, up


def derive_bands(instance: InstanceInputs) -> Bands:
    """Return the band of every unit by its sector, else by the rule, and the wider band of exceptions [t]."""
    policy = instance.policy
    down, up = band_rates(instance)
    exceptions = policy.allocation.exceptions
    if exceptions.units:
        wide_down, wide_up = np.maximum(down, exceptions.lower), np.maximum(up, exceptions.upper)
    else:
        wide_down, wide_up = down, up
    lower, upper = _end(instance, -down), _end(instance, up)
    wide_lower, wide_upper = _end(instance, -wide_down), _end(instance, wide_up)
    if policy.rule.name != "given":
        # A rule in whole tonnes rounds down, below the band itself, and A = E to the nearest tonne.
        lower, wide_lower = whole(lower), whole(wide_lower)
        upper, wide_upper = (np.maximum(part, due_at_emissions(instance)) for part in (upper, wide_upper))
    # Allowances are never negative, whatever deficit a band allows.
    lower, wide_lower = np.where(lower > 0, lower, 0.0), np.where(wide_lower > 0, wide_lower, 0.0)
    if not policy.allocation.integer_allowances:
        below, above = lower - wide_lower, wide_upper - upper
        return Bands(lower, upper, below, above, lower, upper, below, above)
    unit_lower, unit_upper = whole_limits(lower, upper)
    # A narrow band without a whole tonne becomes the tonne below it, which the wider band then contains as well.
    unit_wide_lower, unit_wide_upper = whole_limits(wide_lower, wide_upper)
    unit_wide_lower, unit_wide_upper = np.minimum(unit_lower, unit_wide_lower), np.maximum(unit_upper, unit_wide_upper)
    return Bands(
        unit_lower,
        unit_upper,
        unit_lower - unit_wide_lower,
        unit_wide_upper - unit_upper,
        lower,
        upper,
        floored(lower - wide_lower),
        floored(wide_upper - upper),
    )


def _end(instance: InstanceInputs, rate: Floats) -> Floats:
    """Return the allowances at a surplus rate, shape ``(units,)`` [t]; zero or the most if the rate is infinite."""
    emissions, bounded = plan.emissions_inside(instance), np.isfinite(rate)
    if bounded.all():
        return emissions + rate * emissions
    most = UNLIMITED_ALLOWANCE_FACTOR * np.fmax(emissions, outside_plans(instance)) * (rate > 0)
    return np.where(bounded, emissions + np.where(bounded, rate, 0.0) * emissions, most)
