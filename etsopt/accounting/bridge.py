"""From accounts to an instance: the units of an allocation with their emissions, outputs and intensities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.accounting.decimals import rounded
from etsopt.accounting.factors import MARKS
from etsopt.accounting.schema import ALLOCATED_BY
from etsopt.accounting.vocabulary import ITEMS, POWER, STEEL
from etsopt.common.errors import UsageError
from etsopt.common.language import _

if TYPE_CHECKING:
    from etsopt.accounting.accounts import Accounts

MADE = ("generation_mwh", "heat_gj")
"""What a power unit makes; its class, capacity and load factor are in no report: the register states them."""

ADDED = ("emissions_tco2e", "output_t", "intensity_output_t", "intensity_emissions_tco2e")


KINDS = "x_clinker_kind"
PARTS_OF_EMISSIONS = (
    *("x_iron_emissions", "x_sinter_emissions", "x_fuel_emissions", "x_process_emissions"),
    *("x_anode_emissions", "x_anode_effect_emissions"),
)
"""Columns of `parts_of` that add up to emissions as accounted."""


def units_of(accounts: Accounts, year: int | None = None, whole_tonnes: bool = True) -> pd.DataFrame:
    """Return the units of a year as ``units.csv`` of an instance has them.

    A steel complex is one unit and one enterprise, as it reports. ``x_months`` is the least number of months with
    reports, and ``x_confidence`` the least confidence of the factors.

    Parameters
    ----------
    year
        Year of the emissions; None for the last one of the accounts.
    whole_tonnes
        True to round the emissions of steel to whole tonnes, as the summary of its guideline does. The emissions of
        clinker lines and electrolysis processes are those of their intensity, with two decimals.

    Raises
    ------
    UsageError
        If no unit has reports in that year.
    """
    years = accounts.unit_years
    year = int(years["year"].max()) if year is None else year
    own = years[years["year"] == year]
    if own.empty:
        known = ", ".join(map(str, sorted(set(years["year"].tolist()))))
        raise UsageError(_("No unit has reports of {year}.", year=year), _("Choose one of {known}.", known=known))
    register = accounts.register[["unit_id", "enterprise_id", "name", "province", "complex_id", *ALLOCATED_BY]]
    units = own.merge(register, on="unit_id")
    # Of carbide slag and clinker the rate alone is known; lines form no complexes, so that it is never added up.
    for name in ("unit_id", "enterprise_id"):
        units[name] = id_in_instance(units, name)
    units["mark"] = units["confidence"].map(MARKS.index)
    totals = {name: (name, "sum") for name in ADDED}
    identified = ("enterprise_id", "name", "sector", "province", "carbide_slag_rate", *ALLOCATED_BY)
    first = {name: (name, "first") for name in identified}
    found = units.groupby("unit_id", as_index=False).agg(
        **first, **totals, x_months=("months", "min"), mark=("mark", "max")
    )
    for name in ADDED:
        found[name] = rounded(found[name], 2)
    if whole_tonnes:
        whole = rounded(found["emissions_tco2e"], 0)
        found["emissions_tco2e"] = found["emissions_tco2e"].where(found["sector"] != STEEL, whole)
    for name in ("output_t", "intensity_output_t"):
        found[name] = found[name].where(found[name] > 0)
    # No plan measures the intensity of a power unit.
    found["intensity_emissions_tco2e"] = found["intensity_emissions_tco2e"].where(found["sector"] != POWER)
    found["x_confidence"] = np.array(MARKS, dtype=object)[found.pop("mark").to_numpy()]
    columns = ["unit_id", "enterprise_id", "name", "sector", "province", *ADDED, "carbide_slag_rate"]
    if (found["sector"] == POWER).any():
        made = accounts.power[accounts.power["month"].str.startswith(f"{year:04d}-")]
        made = made.groupby("unit_id")[[*MADE]].sum(min_count=1)
        found = found.join(made.round(2), on="unit_id")
        columns += MADE
    columns += [name for name in ALLOCATED_BY if (found[name].notna() & (found[name] != "")).any()]
    parts = parts_of(accounts, year)
    parts = parts.groupby(id_in_instance(accounts.register, "unit_id").set_axis(accounts.register["unit_id"])).agg(
        lambda own: own.sum(min_count=1) if own.dtype != object else "、".join(dict.fromkeys(own.dropna()))
    )
    found = found.join(parts, on="unit_id")
    found[KINDS] = found[KINDS].astype(object).fillna("")
    columns += [name for name in parts if (found[name].notna() & (found[name] != "")).any()]
    return found[[*columns, "x_months", "x_confidence"]]


def parts_of(accounts: Accounts, year: int) -> pd.DataFrame:
    """Return what the official tables ask of units beside their sums, by unit of the register.

    Returns
    -------
    pandas.DataFrame
        User columns of `etsopt.reports.official.headings`: emissions of ironmaking and sintering, of fuels and the
        process of clinker, of anodes and their effect [tCO2e], carbide slag [t] and the kinds of clinker. The process
        has no emissions of its own where a deduction is booked: the tables do not say which of the two it lessens.
    """
    lines = accounts.lines[accounts.lines["month"].str.startswith(f"{year:04d}-")]
    emitted = lines.pivot_table(index="unit_id", columns="formula", values="emissions_tco2e", aggfunc="sum")
    annual = accounts.annual[accounts.annual["year"] == year]
    steel = annual.pivot_table(index="unit_id", columns="process", values="emissions_tco2e", aggfunc="sum")
    slag = lines[(lines["item"] == "carbide_slag") & (lines["flow"] == "in")].groupby("unit_id")["quantity"].sum()
    made = lines[(lines["process"] == "clinker") & (lines["flow"] == "product") & (lines["quantity"] > 0)]
    kinds = made.groupby("unit_id")["item"].agg(lambda own: "、".join(ITEMS[name].chinese for name in sorted(set(own))))
    process, deduction = emitted.get("clinker, process"), emitted.get("clinker, deduction")
    if process is not None and deduction is not None:
        process = process.where(deduction.fillna(0.0) == 0)
    effect = [name for name in emitted if str(name).startswith("anode effect")]
    found = {
        "x_iron_emissions": steel.get("ironmaking"),
        "x_sinter_emissions": steel.get("sintering"),
        "x_fuel_emissions": emitted.get("clinker, fuel"),
        "x_process_emissions": process,
        "x_slag": slag.reindex(kinds.index).fillna(0.0),
        KINDS: kinds,
        "x_anode_emissions": emitted.get("anode"),
        "x_anode_effect_emissions": emitted[effect].sum(axis=1, min_count=1),
    }
    parts = pd.DataFrame({name: values for name, values in found.items() if values is not None})
    numbers = parts.select_dtypes("number").columns
    return parts.assign(**{name: rounded(parts[name], 2) for name in numbers}).reindex(accounts.register["unit_id"])


def enterprises_of(register: pd.DataFrame) -> pd.DataFrame:
    """Return the enterprises whose names a register states, with ``enterprise_id`` and ``name``.

    A complex has the name that its legal entities share; with several it has none.
    """
    named = register[register["enterprise_name"] != ""]
    names = named.groupby(id_in_instance(named, "enterprise_id"))["enterprise_name"].unique()
    names = names[names.map(len) == 1].map(lambda of_one: of_one[0])
    return names.rename_axis("enterprise_id").rename("name").reset_index()


def id_in_instance(register: pd.DataFrame, name: str) -> pd.Series[Any]:
    """Return an id of the units of a register as an instance has it: that of the complex, if a unit is part of one."""
    return register["complex_id"].where(register["complex_id"] != "", register[name])
