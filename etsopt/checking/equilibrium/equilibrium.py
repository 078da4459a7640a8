"""Check an equilibrium: every unit's choice is a best response, and every sector that should balance does.

The check proves that the answer is an equilibrium, not that there is no other. Of others it compares totals alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.checking.cells import above, are_whole, rows_are
from etsopt.checking.equilibrium.points import Year, fixed_points
from etsopt.checking.market.plans import SelectedPlans, of_units, plans_are_admissible
from etsopt.checking.market.statements import columns_follow
from etsopt.checking.readings import plan
from etsopt.checking.readings.balance import balance_value
from etsopt.checking.readings.baseline import derive_baseline
from etsopt.checking.readings.choices import derive_choices
from etsopt.checking.readings.instance_inputs import by_year
from etsopt.checking.readings.targets import fixed_at_emissions
from etsopt.checking.theorem import OWN_TABLES
from etsopt.checking.tolerances import NUMBER_RELATIVE
from etsopt.checking.verdict import Violation
from etsopt.common.language import _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt.checking.arrays import Floats, Mask
    from etsopt.checking.readings.baseline import Baseline
    from etsopt.checking.readings.instance_inputs import InstanceInputs

NO_FIXED_POINT = "no_fixed_point"
"""Rule of a sector without a fixed point: it violates nothing and is not proven."""

SUMMED = ("emissions_before_tco2e", "emissions_tco2e", "allowance_t", "auctioned_t", "measures_cost_cny")
COLUMNS = OWN_TABLES["equilibrium"]

OBTAINED = {
    "none": ("every unit gets its emissions",),
    "cycle": ("where the surplus jumps over zero by the least",),
    "fixed point": ("reached from no abatement", "the only one"),
    "several": ("reached from no abatement", "of least cost"),
}
"""Origins of the reported balance value, by status."""


def check_equilibrium(instance: InstanceInputs, tables: Mapping[str, pd.DataFrame]) -> list[Violation]:
    """Return the violations of the tables, and each sector without a fixed point."""
    if violations := _tables(instance, tables):
        return violations
    baseline = derive_baseline(instance, None)
    for place, number in enumerate(instance.years.tolist()):
        rows = {name: tables[name][tables[name]["year"] == number] for name in COLUMNS}
        broken = _check_year(instance, _year(instance, baseline, place), rows)
        violations += [replace(violation, where=f"{violation.where} {number}") for violation in broken]
    return violations


def _check_year(instance: InstanceInputs, year: Year, tables: Mapping[str, pd.DataFrame]) -> list[Violation]:
    """Return the violations of the rows of one year."""
    units = {key: instance.units[key] for key in ("unit_id", "enterprise_id", "sector", "province")}
    rows: dict[str, dict[str, Any]] = {"units": units, "equilibrium": {"sector": instance.sectors}}
    if violations := [one for name, keys in rows.items() for one in rows_are(name, tables[name], keys)]:
        return violations
    taken, violations = _taken(instance, year, tables["units"])
    if taken is None:
        return violations
    sectors = tables["equilibrium"].set_index("sector")
    balance = instance.units["sector"].map(sectors["balance_value"]).to_numpy(dtype=float)
    return [
        *violations,
        *plans_are_admissible(instance, year.baseline, year.offered, taken),
        *_units(instance, year, taken, tables["units"], balance),
        *_sectors(instance, year, tables),
        *fixed_points(instance, year, tables),
    ]


def _tables(instance: InstanceInputs, tables: Mapping[str, pd.DataFrame]) -> list[Violation]:
    """Check that tables and columns are present and that every row is of a year of the horizon."""
    if violations := are_whole(tables, COLUMNS):
        return violations
    message = _("every row is of a year of the horizon")
    outside = (name for name in COLUMNS if not tables[name]["year"].isin(instance.years).all())
    return [Violation("tables", name, 1.0, "rows", message) for name in outside]


def _year(instance: InstanceInputs, baseline: Baseline, place: int) -> Year:
    """Return a year of the horizon as a baseline of one year, in CNY of that year."""
    market, of_year = instance.policy.market, slice(place, place + 1)
    years, slope, cap = baseline.years[of_year], plan.slope(instance), plan.cap(instance)
    columns = ("output", "emissions", "intensity", "measured_output", "given", "balance_value")
    alone = replace(
        baseline,
        years=years,
        discount=np.ones(1),
        paid_share=by_year(market.paid_share, years, 0.0),
        follows=np.ones((len(baseline.emissions), 1), dtype=bool),
        outside=np.zeros((1, 1), dtype=bool),
        slope=np.array([slope]),
        cap=np.array([cap]),
        **{name: getattr(baseline, name)[:, of_year] for name in columns},
    )
    price = float(by_year(market.prices_cny_per_t, years)[0])
    free = ~fixed_at_emissions(instance)
    return Year(alone, derive_choices(instance, alone), price, slope, cap, free)


def _taken(instance: InstanceInputs, year: Year, units: pd.DataFrame) -> tuple[SelectedPlans | None, list[Violation]]:
    """Read the sets of measures of the table; None if a measure is not on offer."""
    names = [str(text).split() if isinstance(text, str) else [] for text in units["measures"]]
    unit = np.repeat(np.arange(len(names)), [len(words) for words in names])
    codes = pd.Index(year.offered.names).get_indexer([word for words in names for word in words])
    slot = year.offered.slot_of(unit, codes.astype(np.int64))
    ids = instance.units["unit_id"].to_numpy()
    wrong = (slot < 0) | pd.Series(list(zip(unit, slot, strict=True)), dtype=object).duplicated().to_numpy()
    if wrong.any():
        message = _("every measure is on offer at its unit and listed once")
        return None, above("measures", ids[unit], wrong, 0.0, "measures", message)
    runs = np.zeros((*year.offered.code.shape, len(year.baseline.years)), dtype=bool)
    runs[unit, slot] = True
    every_unit = np.arange(len(names))
    return SelectedPlans(every_unit, np.ones(len(names)), runs), []


def _units(
    instance: InstanceInputs, year: Year, taken: SelectedPlans, table: pd.DataFrame, balance: Floats
) -> list[Violation]:
    """Check that a unit's columns follow from its measures, and that its set is a best response."""
    now, labels = year.at(balance), instance.units["unit_id"].to_numpy()
    amounts = of_units(now, year.offered, taken, np.array([year.price]))[0]
    runs = taken.runs[:, :, 0]
    kept = np.where(runs, year.offered.intensity_left, 1.0).prod(axis=1)[:, None]
    free_allowances = amounts.free
    paid = now.paid_share[0]
    # Before the paid share is taken off: the same at a share of zero.
    unpaid = replace(now, paid_share=np.zeros_like(now.paid_share))
    before_paid_share = unpaid.free(taken.unit, 0, amounts.emissions, kept)
    net = year.price * (amounts.emissions - free_allowances)
    expected = {
        "emissions_before_tco2e": now.emissions,
        "emissions_tco2e": amounts.emissions,
        "allowance_t": free_allowances,
        "auctioned_t": paid * before_paid_share,
        "surplus_t": free_allowances - amounts.emissions,
        "measures_cost_cny": amounts.cost,
        "allowances_cost_cny": net,
        "total_cost_cny": amounts.cost + net,
        "marginal_incentive_cny_per_t": amounts.incentive_measured,
        "marginal_incentive_elsewhere_cny_per_t": amounts.incentive_elsewhere,
    }
    value = (amounts.cost + net)[:, 0]
    # A sum of costs has the rounding of its largest term, which cancellation hides in the sum.
    scale = year.price * amounts.emissions[:, 0] + 1
    factor = year.offered.factor(now.years[0])
    scale += np.abs((year.offered.fixed + year.offered.variable * now.output) * factor).sum(axis=1)
    message = _("no other set of measures costs the unit less at this balance value")
    return [
        *columns_follow("units", labels, now.years, table, expected),
        *_intensities(labels, table, (now.intensity * kept)[:, 0]),
        *above("best_response", labels, value - year.best(balance)[0], NUMBER_RELATIVE * scale, "CNY", message),
    ]


def _intensities(labels: NDArray[np.object_], table: pd.DataFrame, expected: Floats) -> list[Violation]:
    """Check that intensities follow from the measures."""
    off = np.where(np.isnan(expected), 0.0, np.abs(table["intensity"].to_numpy(dtype=float) - expected))
    message = _("the intensity is the baseline intensity times the share left by the measures")
    return above("units", labels, off, NUMBER_RELATIVE * np.nan_to_num(expected), "t/t", message)


def _sectors(instance: InstanceInputs, year: Year, tables: Mapping[str, pd.DataFrame]) -> list[Violation]:
    """Check totals, residuals and statuses, and report each sector without a fixed point."""
    units, violations = tables["units"], []
    of_unit = instance.units["sector"].to_numpy()
    counts = {name: tables[name]["sector"].value_counts() for name in ("fixed_points", "cycles")}
    for row in tables["equilibrium"].to_dict("records"):
        name = row["sector"]
        free = (of_unit == name) & year.free
        points, steps = (int(counts[key].get(name, 0)) for key in ("fixed_points", "cycles"))
        status = {0: "cycle", 1: "fixed point"}.get(points, "several") if free.any() else "fixed point"
        wrong = {
            "status": row["status"] != status,
            "fixed_points": row["fixed_points"] != points,
            "cycle_length": row["cycle_length"] != steps,
            "price_cny_per_t": row["price_cny_per_t"] != year.price,
            "balance_value_before": not _is_without_abatement(
                row["balance_value_before"], year, free, _half_decimal(instance)
            ),
            # Without adjustable units there is nothing to balance.
            "balance_value": not (free.any() or np.isnan(row["balance_value"])),
            "residual_t": not (free.any() or row["residual_t"] == 0),
            "obtained": row["obtained"] not in (OBTAINED[status] if free.any() else ("every unit gets its emissions",)),
        }
        message = _("the cell follows from the policy and the other tables")
        violations += [
            Violation("sectors", f"{name}.{key}", 1.0, "cells", message) for key, bad in wrong.items() if bad
        ]
        in_sector = of_unit == name
        for column in SUMMED:
            off = abs(row[column] - units.loc[in_sector, column].sum())
            if not off <= 2e-2 + NUMBER_RELATIVE * units.loc[in_sector, column].abs().sum():
                message = _("the total is the sum over the units")
                violations.append(Violation("totals_add_up", f"{name}.{column}", off, "", message))
        if free.any():
            emissions, intensity = (units.loc[free, key].to_numpy() for key in ("emissions_tco2e", "intensity"))
            violations += _balance(instance, year, row, emissions, intensity)
    return violations


def _is_without_abatement(stated: float, year: Year, free: Mask, half: float) -> bool:
    """Return True if a balance value is that without abatement, within rounding; NaN without adjustable units."""
    if not free.any():
        return bool(np.isnan(stated))
    emissions, intensity = year.baseline.emissions[free, 0], year.baseline.intensity[free, 0]
    before = balance_value(emissions, intensity, year.slope, year.cap)
    return bool(abs(stated - before) <= NUMBER_RELATIVE * before + half)


def _half_decimal(instance: InstanceInputs) -> float:
    """Return half of the last decimal of a published balance value, zero if it is not rounded [t/t]."""
    decimals = plan.parameter(instance, "balance_value_decimals", "none")
    return 0.0 if decimals == "none" else float(0.5 * 10.0**-decimals)


def _balance(
    instance: InstanceInputs, year: Year, row: dict[str, Any], emissions: Floats, intensity: Floats
) -> list[Violation]:
    """Check the residual of the rule, and that the balance value balances its sector."""
    name, value, total = str(row["sector"]), row["balance_value"], float(emissions.sum())
    residual, violations = year.excess(value, emissions, intensity), []
    if not abs(residual - row["residual_t"]) <= 2e-2 + NUMBER_RELATIVE * total:
        message = _("the residual is the sum of allowances less emissions")
        violations.append(Violation("residual", name, abs(residual - row["residual_t"]), "t", message))
    if row["status"] == "cycle":
        message = _(
            "the balance value is no fixed point: every unit's set is a best response, one unit is indifferent, and "
            "the sector does not balance"
        )
        return [*violations, Violation(NO_FIXED_POINT, name, abs(residual), "t", message)]
    half = _half_decimal(instance)
    below, above = (year.excess(value + side * half, emissions, intensity) for side in (-1, 1))
    if not (below <= NUMBER_RELATIVE * total and above >= -NUMBER_RELATIVE * total):
        message = _("at the balance value, allowances equal emissions")
        violations.append(Violation("balance_value", name, abs(residual), "t", message))
    rounded = round(value, plan.parameter(instance, "balance_value_decimals", 0)) if half else value
    if not abs(value - rounded) <= NUMBER_RELATIVE * half:
        message = _("the balance value has the decimals of the rule")
        violations.append(Violation("balance_value", name, half, "t/t", message))
    return violations
