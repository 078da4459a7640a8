"""One function for each statement that the tables of an allocation must satisfy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.checking.report import Violation
from etsopt.rules.registry import parameters_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from etsopt.checking.limits import Demands
    from etsopt.data.instance import Instance

UNIT_TOLERANCE_T = 1e-3
"""An allowance may leave a bound by a kilogram."""

ROW_TOLERANCE = {"fair_order": 1e-8, "equal_rates": 1e-8}
ROW_TOLERANCE_T = 2e-2
"""A total may leave its limit by 20 kg, an order of rates by 1e-8; sums of 1e9 t carry an error of about 1e-7 t."""

ROW_IN_WORDS = {
    "sector_target": ("t", "the allowances of the sector meet its target"),
    "province_balance": ("t", "surpluses and deficits of the province stay within its balance"),
    "national_total": ("t", "all allowances together meet the national total"),
    "enterprise_band": ("t", "the enterprise stays inside its band"),
    "fair_order": ("rate", "a lower intensity never gets a lower surplus rate"),
    "equal_rates": ("rate", "equal intensities get equal surplus rates"),
}


def _worst_first(
    rule: str, names: NDArray[np.object_], by: NDArray[np.float64], tolerance: float, unit: str, message: str
) -> Iterator[Violation]:
    """A violation for every amount above the tolerance, the largest first; an amount that is no number is one too."""
    wrong = np.flatnonzero(~(by <= tolerance))
    for position in wrong[np.argsort(-np.nan_to_num(by[wrong], nan=np.inf), kind="stable")]:
        yield Violation(rule, str(names[position]), float(by[position]), unit, message)


def same_units(instance: Instance, table: pd.DataFrame) -> list[Violation]:
    """The table has every unit of the instance once, with its own emissions, enterprise, sector and province."""
    wanted = instance.units["unit_id"].tolist()
    if table["unit_id"].tolist() != wanted:
        missing = sorted(set(wanted) ^ set(table["unit_id"])) or ["order of rows"]
        return [
            Violation("same_units", missing[0], float(len(missing)), "units", "the table has every unit once")
        ]
    found = []
    for column in ("enterprise_id", "sector", "province", "emissions_tco2e"):
        differs = (table[column].to_numpy() != instance.units[column].to_numpy()).astype(float)
        message = f"the {column} of the table is that of the instance"
        found += list(_worst_first("same_units", table["unit_id"].to_numpy(), differs, 0.0, "cells", message))
    return found


def columns_agree(instance: Instance, table: pd.DataFrame) -> list[Violation]:
    """Surplus is allowance minus emissions, its rate that over emissions, and issuing adds up."""
    names, allowance = table["unit_id"].to_numpy(), table["allowance_t"].to_numpy()
    emissions = instance.emissions_tco2e
    surplus = np.abs(table["surplus_t"].to_numpy() - (allowance - emissions))
    rate = np.divide(allowance - emissions, emissions, out=np.zeros(len(table)), where=emissions > 0)
    given_rate = np.nan_to_num(table["surplus_rate"].to_numpy(), nan=0.0)
    issued = np.abs(table["pre_allocated_t"] + table["true_up_t"] - table["owed_t"] - allowance).to_numpy()
    negative = -np.minimum.reduce([allowance, table["true_up_t"].to_numpy(), table["owed_t"].to_numpy()])
    tolerance = UNIT_TOLERANCE_T
    return [
        *_worst_first("surplus", names, surplus, tolerance, "t", "surplus is allowance minus emissions"),
        *_worst_first(
            "surplus_rate",
            names,
            np.abs(given_rate - rate),
            1e-9,
            "rate",
            "the rate is surplus over emissions",
        ),
        *_worst_first(
            "issuance",
            names,
            issued,
            tolerance,
            "t",
            "issued in advance plus true-up less what is owed is the allowance",
        ),
        *_worst_first(
            "not_negative",
            names,
            negative,
            tolerance,
            "t",
            "allowances, true-up and what is owed are not negative",
        ),
    ]


def pre_allocation(instance: Instance, table: pd.DataFrame) -> list[Violation]:
    """What was issued in advance is what the instance states, else the rule's share of last year's emissions."""
    units = instance.units
    issued = np.zeros(len(units))
    if "prior_emissions_tco2e" in units:
        share = parameters_of(instance).pre_allocation_share
        issued = np.floor(np.nan_to_num(units["prior_emissions_tco2e"].to_numpy()) * share + 1e-6)
    if "pre_allocated_t" in units:
        stated = units["pre_allocated_t"].to_numpy()
        issued = np.where(np.isnan(stated), issued, stated)
    off = np.abs(table["pre_allocated_t"].to_numpy() - issued)
    return list(
        _worst_first(
            "pre_allocation",
            units["unit_id"].to_numpy(),
            off,
            UNIT_TOLERANCE_T,
            "t",
            "pre-allocation follows the rule",
        )
    )


def reference_follows_rule(
    instance: Instance, table: pd.DataFrame, sectors: pd.DataFrame, fixed: NDArray[np.bool_]
) -> list[Violation]:
    """Reference allowances are those of the rule, evaluated again from the published balance values."""
    expected = _reference_again(instance, sectors, fixed)
    off = np.abs(table["reference_t"].to_numpy() - expected)
    # A tonne where a whole number falls on the edge of rounding is no violation, more than that is.
    tolerance = 1.0 if instance.policy.rule.name != "given" else UNIT_TOLERANCE_T
    names = table["unit_id"].to_numpy()
    return list(
        _worst_first(
            "reference_follows_rule", names, off, tolerance, "t", "reference allowances follow the rule"
        )
    )


def _reference_again(
    instance: Instance, sectors: pd.DataFrame, fixed: NDArray[np.bool_]
) -> NDArray[np.float64]:
    units, name = instance.units, instance.policy.rule.name
    parameters, emissions = parameters_of(instance), instance.emissions_tco2e
    if name == "given":
        return np.where(fixed, emissions, units["reference_t"].to_numpy())
    if name in ("cn-2025", "cn-2026"):
        balance = units["sector"].map(sectors.set_index("sector")["balance_value"]).to_numpy(dtype=float)
        deviation = 1 - instance.intensity / balance
        cap, slope = parameters.cap, parameters.slope  # type: ignore[attr-defined]
        exact = emissions + emissions * np.minimum(np.maximum(slope * deviation, -cap), cap)
    elif name == "grandfathering":
        exact = parameters.factor * units["prior_emissions_tco2e"].to_numpy()  # type: ignore[attr-defined]
    elif name == "benchmark":
        exact = units["sector"].map(parameters.benchmarks).to_numpy() * units["output_t"].to_numpy()  # type: ignore[attr-defined]
    else:
        exact = emissions
    return np.floor(np.where(fixed, emissions, exact) + 1e-6)


def balance_value_balances(
    instance: Instance, sectors: pd.DataFrame, fixed: NDArray[np.bool_]
) -> list[Violation]:
    """At the balance value, before rounding, the allowances of a sector equal its emissions."""
    parameters = parameters_of(instance)
    if "balance_value" not in sectors or getattr(parameters, "balance_value_decimals", "none") != "none":
        return []
    found = []
    for name, value in sectors[["sector", "balance_value"]].itertuples(index=False):
        here = (instance.units["sector"] == name).to_numpy() & ~fixed
        if not here.any():
            continue
        emissions = instance.emissions_tco2e[here]
        rate = np.clip(
            parameters.slope * (1 - instance.intensity[here] / value), -parameters.cap, parameters.cap
        )  # type: ignore[attr-defined]
        off = abs(float(np.sum(emissions * rate)))
        if not off <= 1e-9 * emissions.sum():
            found.append(
                Violation("balance_value", str(name), off, "t", "at the balance value the sector balances")
            )
    return found


def fixed_get_emissions(instance: Instance, table: pd.DataFrame, fixed: NDArray[np.bool_]) -> list[Violation]:
    """Special cases and small enterprises get A = E, whole tonnes where the rule rounds."""
    emissions = instance.emissions_tco2e
    due = emissions if instance.policy.rule.name == "given" else np.floor(emissions + 1e-6)
    off = np.where(fixed, np.abs(table["allowance_t"].to_numpy() - due), 0.0)
    names = table["unit_id"].to_numpy()
    return list(
        _worst_first(
            "fixed_get_emissions", names, off, UNIT_TOLERANCE_T, "t", "a special case gets its emissions"
        )
    )


def inside_band(demands: Demands, table: pd.DataFrame) -> list[Violation]:
    """Every unit that is not fixed stays inside its band."""
    allowance = table["allowance_t"].to_numpy()
    outside = np.maximum(demands.lower - allowance, allowance - demands.upper)
    outside = np.where(demands.fixed, 0.0, outside)
    names = table["unit_id"].to_numpy()
    return list(
        _worst_first("inside_band", names, outside, UNIT_TOLERANCE_T, "t", "the unit stays inside its band")
    )


def bounds_are_named(demands: Demands, table: pd.DataFrame) -> list[Violation]:
    """``at_bound`` names the bound at which a unit stands."""
    allowance, named = table["allowance_t"].to_numpy(), table["at_bound"].fillna("").to_numpy()
    at = np.where(
        allowance <= demands.lower + 1e-3, "lower", np.where(allowance >= demands.upper - 1e-3, "upper", "")
    )
    expected = np.where(demands.fixed, "fixed", at)
    wrong = (named != expected).astype(float)
    names = table["unit_id"].to_numpy()
    return list(
        _worst_first("bounds_are_named", names, wrong, 0.0, "cells", "at_bound names the bound of the unit")
    )


def rows_are_met(demands: Demands, table: pd.DataFrame) -> list[Violation]:
    """Targets, balances, the national total, enterprise bands and the order of rates hold."""
    rows = demands.rows
    totals = rows.totals(table["allowance_t"].to_numpy())
    outside = np.maximum(rows.least - totals, totals - rows.most)
    found = []
    for (rule, index), by in zip(rows.names, outside, strict=True):
        if not by <= ROW_TOLERANCE.get(rule, ROW_TOLERANCE_T):
            unit, message = ROW_IN_WORDS[rule]
            found.append(Violation(rule, index or "nation", float(by), unit, message))
    return sorted(found, key=lambda violation: -violation.amount)


def totals_add_up(table: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> list[Violation]:
    """Sums by enterprise, sector and province are those of the units."""
    found = []
    for name, key in (("enterprises", "enterprise_id"), ("sectors", "sector"), ("provinces", "province")):
        if name not in tables:
            found.append(Violation("totals_add_up", name, 1.0, "tables", "the table of totals is there"))
            continue
        totals = tables[name].set_index(key)
        for column in ("emissions_tco2e", "reference_t", "allowance_t", "surplus_t"):
            sums = table.groupby(key)[column].sum()
            off = (totals[column].reindex(sums.index) - sums).abs().to_numpy()
            extra = len(totals) - len(sums)
            message = f"{column} of a {key.removesuffix('_id')} is the sum over its units"
            found += list(
                _worst_first("totals_add_up", sums.index.to_numpy(), off, ROW_TOLERANCE_T, "t", message)
            )
            if extra:
                found.append(
                    Violation("totals_add_up", name, float(extra), "rows", "every total belongs to units")
                )
    return found


def targets_are_stated(demands: Demands, sectors: pd.DataFrame) -> list[Violation]:
    """The targets of the table are those of the policy."""
    stated = sectors.set_index("sector")["target_t"]
    found = []
    for (rule, index), most in zip(demands.rows.names, demands.rows.most, strict=True):
        if rule == "sector_target" and not abs(float(stated.get(index, np.nan)) - most) <= ROW_TOLERANCE_T:
            by = abs(float(stated.get(index, np.nan)) - most)
            found.append(
                Violation("targets_are_stated", index, by, "t", "the target of the table is the policy's")
            )
    return found
