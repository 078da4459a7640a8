"""Derive who gets A = E, and what sectors and the nation may get."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.readings import plan
from etsopt.checking.readings.instance_inputs import TONNE_ROUNDING_T, cached, whole
from etsopt.checking.readings.references import outside_plans
from etsopt.common.units import sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.checking.readings.instance_inputs import InstanceInputs

TONNE_ROUNDING_RELATIVE = 1e-14
"""Distance to a whole tonne that counts as rounding beside `TONNE_ROUNDING_T`, relative to the quantity."""


def floored(tonnes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return finite quantities rounded down to whole tonnes [t]."""
    result: NDArray[np.float64] = np.floor(tonnes + (TONNE_ROUNDING_T + TONNE_ROUNDING_RELATIVE * np.abs(tonnes)))
    return result


@cached
def fixed_at_emissions(instance: InstanceInputs) -> NDArray[np.bool_]:
    """Return the units that nothing moves: those that get A = E, and any without emissions in scope."""
    fixed: NDArray[np.bool_] = gets_emissions(instance) | (plan.emissions_inside(instance) <= 0)
    return fixed


@cached
def gets_emissions(instance: InstanceInputs) -> NDArray[np.bool_]:
    """Return the units that get A = E: special cases, small enterprises, and units outside the scope.

    Under China's plans so does a unit without emissions; other rules may entitle it.
    """
    owner, emissions = instance.labels("enterprise_id"), plan.emissions_inside(instance)
    small = owner.sums(emissions)[owner.code] < plan.threshold(instance)
    none = emissions <= 0 if plan.follows_plan(instance) else ~plan.inside(instance)
    equal: NDArray[np.bool_] = small | none | plan.is_special(instance)
    return equal


def at_emissions(instance: InstanceInputs) -> NDArray[np.bool_]:
    """Return the units whose reference is their emissions, shape ``(units,)``: in 2024 all of industry."""
    everywhere = plan.follows_plan(instance) and plan.year_of(instance) == 2024
    return gets_emissions(instance) | (everywhere & ~plan.of_power(instance))


def entitled_at_rest(instance: InstanceInputs) -> NDArray[np.bool_]:
    """Return the units without emissions that get what the rule says."""
    return fixed_at_emissions(instance) & ~gets_emissions(instance)


def due_at_emissions(instance: InstanceInputs) -> NDArray[np.float64]:
    """Return the emissions of every unit as they are owed, and allocated where A = E: to the nearest tonne [t]."""
    return whole(plan.emissions_inside(instance) + 0.5)


def due_if_fixed(instance: InstanceInputs, optimised: bool = True) -> NDArray[np.float64]:
    """Return what each unit gets if nothing moves it [t].

    It is A = E, or the reference of a unit without emissions that the rule entitles, in whole tonnes if the rule or the
    optimised policy says so.
    """
    due, entitled = due_at_emissions(instance), entitled_at_rest(instance)
    if not entitled.any():
        return due
    of_rule = np.nan_to_num(outside_plans(instance))
    if instance.policy.rule.name != "given":
        of_rule = whole(of_rule)
    elif optimised and instance.policy.allocation.integer_allowances:
        of_rule = floored(of_rule)
    return np.where(entitled, of_rule, due)


def sector_targets(
    instance: InstanceInputs, fixed: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return emissions of the adjustable units of each sector, and the least and the most that these may get [t].

    The most is NaN in a sector without a target. It has one if the policy states one, or if the plan of industry has a
    balance value, at which allowances equal its emissions.
    """
    sector, emissions = instance.labels("sector"), plan.emissions_inside(instance)
    emitted = sums(sector.code[~fixed], emissions[~fixed], len(sector))
    power = sector.names == "power" if instance.policy.rule.name == plan.NATIONAL else np.zeros(len(sector), dtype=bool)
    outside = np.array([plan.is_from_outside(instance, name) for name in sector.names.astype(str)], dtype=bool)
    balanced = ~power & ~outside & plan.has_balance_value(instance)
    least, most = np.zeros(len(sector)), np.where(balanced, emitted, np.nan)
    for place, name in enumerate(sector.names):
        section = instance.policy.sectors.get(name)
        if section is None:
            continue
        if section.target_t is not None:
            most[place] = section.target_t
        elif section.target_intensity is not None:
            in_sector = sector.where(name) & ~fixed
            most[place] = section.target_intensity * float(instance.units["output_t"].to_numpy()[in_sector].sum())
        elif section.target_change is not None:
            most[place] = emitted[place] + section.target_change * emitted[place]
        elif section.target_sense is not None:
            most[place] = emitted[place] if section.target_sense != "none" else np.nan
        least[place] = most[place] if section.target_sense == "exactly" else 0.0
    return emitted, least, most


def national_target(instance: InstanceInputs, fixed: NDArray[np.bool_]) -> tuple[float, float] | None:
    """Return the least and the most that all adjustable units may get [t]; None without a national target."""
    due = due_at_emissions(instance)
    section = instance.policy.national
    total = national_total(instance, np.where(fixed, due, plan.emissions_inside(instance)))
    if section is None or total is None:
        return None
    most = total - float(due_if_fixed(instance)[fixed].sum())
    return (most if section.target_sense == "exactly" else min(0.0, most)), most


def national_total(instance: InstanceInputs, emissions: NDArray[np.float64]) -> float | None:
    """Return the most that all units may get, those with A = E included [t]; None without a national target.

    Parameters
    ----------
    emissions
        Emissions of which a change is measured, shape ``(units,)`` [tCO2e].
    """
    section = instance.policy.national
    if section is None or (section.target_t is None and section.target_change is None):
        return None
    if section.target_t is not None:
        return section.target_t
    return float(emissions.sum()) * (1 + (section.target_change or 0.0))
