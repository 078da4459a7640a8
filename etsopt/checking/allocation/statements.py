"""Check each statement that the tables of an allocation must satisfy, one function for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.checking.allocation.exceptions import exceptional_units
from etsopt.checking.allocation.totals import BALANCE_VALUES
from etsopt.checking.cells import above, distance
from etsopt.checking.readings import plan
from etsopt.checking.readings.balance import IMBALANCE_RELATIVE, imbalance_t
from etsopt.checking.readings.instance_inputs import whole
from etsopt.checking.readings.power import allowances_of_power
from etsopt.checking.readings.references import outside_plans
from etsopt.checking.readings.targets import at_emissions, due_at_emissions, due_if_fixed, entitled_at_rest
from etsopt.checking.tolerances import ROUNDING_EDGE_T, UNIT_TOLERANCE_T
from etsopt.checking.verdict import Violation
from etsopt.common.language import _

if TYPE_CHECKING:
    from etsopt.checking.allocation.limits import Demands
    from etsopt.checking.arrays import Floats, Mask
    from etsopt.checking.readings.instance_inputs import InstanceInputs
    from etsopt.checking.verdict import Columns

ROW_IN_WORDS = {
    "sector_target": ("t", _("the allowances of the sector meet its target")),
    "province_balance": ("t", _("surpluses and deficits of the province stay within its balance")),
    "national_total": ("t", _("all allowances together meet the national total")),
    "enterprise_band": ("t", _("the enterprise is within its band")),
    "intensity_order": ("rate", _("a lower intensity never gets a lower surplus rate")),
    "equal_rates": ("rate", _("equal intensities get equal surplus rates")),
}


def same_units(instance: InstanceInputs, table: pd.DataFrame) -> list[Violation]:
    """Check that the table has every unit once, with its emissions, enterprise, sector, province and scope."""
    wanted = instance.units["unit_id"].tolist()
    if table["unit_id"].tolist() != wanted:
        missing = sorted(set(wanted) ^ set(table["unit_id"])) or [_("order of rows")]
        return [Violation("same_units", missing[0], float(len(missing)), "units", _("the table has every unit once"))]
    emissions = plan.emissions_inside(instance)
    # Without the column every unit is in scope.
    marked = np.ones(len(table), dtype=bool) if "in_scope" not in table else table["in_scope"].to_numpy()
    wrong = marked != plan.inside(instance)
    message = _("in_scope is that of the plan of the year")
    violations = above("same_units", table["unit_id"], wrong, 0.0, "cells", message)
    for column in ("enterprise_id", "sector", "province", "emissions_tco2e"):
        own = emissions if column == "emissions_tco2e" else instance.units[column].to_numpy()
        differs = table[column].to_numpy() != own
        message = _("the {column} of the table is that of the instance", column=column)
        violations += above("same_units", table["unit_id"], differs, 0.0, "cells", message)
    return violations


def columns_agree(instance: InstanceInputs, table: pd.DataFrame) -> list[Violation]:
    """Check change, surplus, surplus rate, intensity, and top-up or return of every unit."""
    names, allowance = table["unit_id"].to_numpy(), table["allowance_t"].to_numpy()
    emissions, issued = plan.emissions_inside(instance), table["pre_allocated_t"].to_numpy()
    surplus = allowance - emissions
    rate = np.divide(surplus, emissions, out=np.full(len(table), np.nan), where=emissions > 0)
    due = np.maximum(
        np.abs(table["top_up_t"].to_numpy() - np.maximum(allowance - issued, 0.0)),
        np.abs(table["return_t"].to_numpy() - np.maximum(issued - allowance, 0.0)),
    )
    change = distance(table["change_t"], allowance - table["reference_t"].to_numpy())
    difference, intensity = distance(table["surplus_t"], surplus), distance(table["intensity"], instance.intensity)
    issuance = _("allowance less pre-allocation is topped up, or returned if negative")
    statements = (
        ("change", change, UNIT_TOLERANCE_T, "t", _("change is allowance minus reference")),
        ("surplus", difference, UNIT_TOLERANCE_T, "t", _("surplus is allowance minus emissions")),
        ("surplus_rate", distance(table["surplus_rate"], rate), 1e-9, "rate", _("the rate is surplus over emissions")),
        ("intensity", intensity, 1e-9, "t/t", _("the intensity is the instance's")),
        ("issuance", due, UNIT_TOLERANCE_T, "t", issuance),
    )
    return [
        violation
        for rule, off, tolerance, unit, message in statements
        for violation in above(rule, names, off, tolerance, unit, message)
    ]


def not_negative(table: Columns) -> list[Violation]:
    """Check that no allowance is below zero."""
    below, message = -np.asarray(table["allowance_t"]), _("allowances are not negative")
    return above("not_negative", table["unit_id"], below, UNIT_TOLERANCE_T, "t", message)


def advance(instance: InstanceInputs) -> Floats:
    """Return the pre-allocation of the instance, else the year's share of last year's emissions [t]."""
    units = instance.units
    issued = np.zeros(len(units))
    if "prior_emissions_tco2e" in units:
        share = plan.advance_shares(instance, [instance.policy.year])[:, 0] * plan.inside(instance)
        issued = whole(np.nan_to_num(units["prior_emissions_tco2e"].to_numpy()) * share)
    if "pre_allocated_t" in units:
        stated = units["pre_allocated_t"].to_numpy()
        issued = np.where(np.isnan(stated), issued, stated)
    return issued


def pre_allocation(instance: InstanceInputs, table: pd.DataFrame) -> list[Violation]:
    """Check that pre-allocation is that of the instance, else the rule's share of last year's emissions."""
    off = np.abs(table["pre_allocated_t"].to_numpy() - advance(instance))
    message = _("pre-allocation follows the rule")
    return above("pre_allocation", instance.units["unit_id"], off, UNIT_TOLERANCE_T, "t", message)


def reference_follows_rule(instance: InstanceInputs, table: Columns, sectors: Columns, fixed: Mask) -> list[Violation]:
    """Check reference allowances against the rule, evaluated again from the published balance values."""
    exact, given = before_rounding(instance, sectors, fixed), np.asarray(table["reference_t"])
    least = most = exact
    if instance.policy.rule.name != "given":
        # At the edge of rounding the whole tonne on either side is right.
        least, most = np.floor(exact - ROUNDING_EDGE_T), np.floor(exact + ROUNDING_EDGE_T)
    equal = at_emissions(instance)
    least, most = (np.where(equal, due_at_emissions(instance), end) for end in (least, most))
    off = np.maximum(least - given, given - most)
    message = _("reference allowances follow the rule")
    if np.isnan(exact).any():
        message = _("the checker has no derivation of the rule {rule}", rule=instance.policy.rule.name)
    return above("reference_follows_rule", table["unit_id"], off, UNIT_TOLERANCE_T, "t", message)


def before_rounding(instance: InstanceInputs, sectors: Columns, fixed: Mask) -> Floats:
    """Return the reference allowances before rounding, shape ``(units,)`` [t]."""
    emissions = plan.emissions_inside(instance)
    if plan.has_balance_value(instance):
        balance = instance.labels("sector").mapped(dict(zip(sectors["sector"], sectors["balance_value"], strict=True)))
        deviation = 1 - instance.intensity / balance
        cap, slope = plan.cap(instance), plan.slope(instance)
        exact = emissions + emissions * np.minimum(np.maximum(slope * deviation, -cap), cap)
    elif plan.follows_plan(instance):
        exact = emissions
    else:
        exact = outside_plans(instance)
    if (power := plan.of_power(instance)).any():
        exact = np.where(power, allowances_of_power(instance, fixed, instance.policy.year, 1.0, emissions), exact)
    # Without emissions, output and base emissions may be absent.
    exact = np.where(entitled := entitled_at_rest(instance), np.nan_to_num(exact), exact)
    return np.where(fixed & ~entitled, emissions, exact)


def balance_value_balances(instance: InstanceInputs, sectors: Columns, fixed: Mask) -> list[Violation]:
    """Check that each sector balances at both ends of its balance value's interval, and is the middle of it.

    A balance value from outside is as stated, and balances nothing.
    """
    if not plan.has_balance_value(instance):
        values = [np.asarray(sectors[name], dtype=float) for name in set(sectors.keys()).intersection(BALANCE_VALUES)]
        stated = np.any([~np.isnan(value) for value in values] or [np.zeros(len(sectors["sector"]))], axis=0)
        message = _("a sector whose rule has no balance value states none")
        return above("balance_value", sectors["sector"], stated, 0.0, "cells", message)
    slope, cap = plan.slope(instance), plan.cap(instance)
    decimals = plan.parameter(instance, "balance_value_decimals", "none")
    violations = []
    columns = ["sector", *BALANCE_VALUES]
    for name, value, lower, upper in zip(*(np.asarray(sectors[column]) for column in columns), strict=True):
        in_sector = instance.labels("sector").where(name) & ~fixed
        emissions = plan.emissions_inside(instance)[in_sector]
        if not len(emissions) or not plan.has_balance_value(instance, str(name)):
            if not np.isnan([value, lower, upper]).all():
                message = _("a sector without adjustable units has no balance value")
                violations.append(Violation("balance_value", str(name), 1.0, "cells", message))
            continue
        if plan.is_from_outside(instance, str(name)):
            outside = plan.balance_value_from_outside(instance, str(name), [instance.policy.year])[0]
            off = float(np.max(np.abs(np.array([value, lower, upper]) - outside)))
            if off != 0:
                message = _("the balance value is that which the policy states")
                violations.append(Violation("balance_value", str(name), off, "t/t", message))
            continue
        for end in (lower, upper):
            off = imbalance_t(emissions, instance.intensity[in_sector], end, slope, cap)
            if not off <= IMBALANCE_RELATIVE * emissions.sum():
                message = _("at the balance value the sector's allowances equal its emissions")
                violations.append(Violation("balance_value", str(name), off, "t", message))
        middle = (lower + upper) / 2
        off = abs(value - (middle if decimals == "none" else round(middle, decimals)))
        if not off <= 1e-9 * abs(middle):
            message = _("the balance value is the middle of its interval")
            violations.append(Violation("balance_value", str(name), off, "t/t", message))
    return violations


def fixed_get_emissions(instance: InstanceInputs, table: Columns, fixed: Mask, optimised: bool) -> list[Violation]:
    """Check that units that nothing moves get A = E, or what the rule says, rounded if rule or policy rounds."""
    due = due_if_fixed(instance, optimised)
    off = np.where(fixed, np.abs(np.asarray(table["allowance_t"]) - due), 0.0)
    message = _("a unit at A = E gets its emissions")
    return above("fixed_get_emissions", table["unit_id"], off, UNIT_TOLERANCE_T, "t", message)


def integer_allowances(demands: Demands, table: Columns) -> list[Violation]:
    """Check that every allowance is a whole number of tonnes if the policy asks for it."""
    allowance = np.asarray(table["allowance_t"])
    off = np.abs(allowance - np.round(allowance)) if demands.integer else 0 * allowance
    message = _("the allowance is a whole number of tonnes")
    return above("integer_allowances", table["unit_id"], off, 0.0, "t", message)


def not_moved(table: Columns) -> list[Violation]:
    """Check that allowances that are not rounded equal those before rounding."""
    off = np.abs(np.asarray(table["allowance_t"], dtype=float) - np.asarray(table["before_rounding_t"], dtype=float))
    message = _("without rounding, the allowance is that before rounding")
    return above("not_moved", table["unit_id"], off, 0.0, "t", message)


def exceptions_are_allowed(instance: InstanceInputs, fixed: Mask, table: Columns, optimised: bool) -> list[Violation]:
    """Check that exceptions are adjustable, and at most the allowed number, or none without optimisation."""
    most = instance.policy.allocation.exceptions.units * optimised
    chosen = exceptional_units(instance, table)
    violations = []
    if chosen.sum() > most:
        message = _("at most {most} units are exceptions", most=most)
        violations.append(Violation("exceptions_are_allowed", "nation", float(chosen.sum() - most), "units", message))
    message = _("a unit at A = E is no exception")
    return violations + above("exceptions_are_allowed", table["unit_id"], chosen & fixed, 0.0, "cells", message)


def allowances_follow_rule(table: Columns) -> list[Violation]:
    """Check that allowances that are not optimised equal the reference allocation."""
    off = np.abs(np.asarray(table["allowance_t"], dtype=float) - np.asarray(table["reference_t"], dtype=float))
    message = _("without optimisation, the allowance is the reference allowance")
    return above("allowances_follow_rule", table["unit_id"], off, UNIT_TOLERANCE_T, "t", message)


def inside_band(demands: Demands, table: Columns) -> list[Violation]:
    """Check that every adjustable unit is within its band."""
    allowance = np.asarray(table["allowance_t"])
    outside = np.maximum(demands.lower - allowance, allowance - demands.upper)
    outside = np.where(demands.fixed, 0.0, outside)
    return above("inside_band", table["unit_id"], outside, UNIT_TOLERANCE_T, "t", _("the unit is within its band"))


def bounds_are_named(instance: InstanceInputs, demands: Demands, table: pd.DataFrame) -> list[Violation]:
    """Check that ``at_bound`` names the bound at which a unit is; units outside the scope have none."""
    allowance, named = table["allowance_t"].to_numpy(), table["at_bound"].fillna("").to_numpy()
    low, high = allowance <= demands.lower + 1e-3, allowance >= demands.upper - 1e-3
    free, inside = ~demands.fixed, plan.inside(instance)
    none = (free & ~low & ~high) | ~inside
    expected = {"fixed": demands.fixed & inside, "lower": free & low, "upper": free & high & ~low, "": none}
    right = np.zeros(len(table), dtype=bool)
    for side, values in expected.items():
        right |= values & (named == side)
    return above("bounds_are_named", table["unit_id"], ~right, 0.0, "cells", _("at_bound names the bound of the unit"))


def rows_are_met(demands: Demands, table: Columns) -> list[Violation]:
    """Check targets, balances, the national total, enterprise bands and the order of rates."""
    rows = demands.rows
    outside = rows.misses(rows.totals(np.asarray(table["allowance_t"])))
    violations = []
    for row in np.flatnonzero(~(outside <= rows.tolerance)):
        unit, message = ROW_IN_WORDS[rows.rule[row]]
        violations.append(Violation(rows.rule[row], rows.index[row] or "nation", float(outside[row]), unit, message))
    return sorted(violations, key=lambda violation: -violation.amount)
