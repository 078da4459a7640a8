"""Rows of the annex tables of units: what the run and its instance state of each, by the keys of the headings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _
from etsopt.common.units import nearest_tonnes
from etsopt.data.content import intensity_base
from etsopt.data.tables.chinese import CASES
from etsopt.reports.official.headings import NUMBERS_OF_USER, OUTSIDE, TEXTS_OF_USER
from etsopt.rules import parameters_of, pre_allocation, pre_allocation_shares, reference_allowances, steps_of_power
from etsopt.rules.balance import surplus_rates
from etsopt.rules.intensity import IntensityParameters
from etsopt.running.results.comparison import SOLVE_AGAIN, require

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt.running.results.results import Results

WITHOUT_IRONMAKING = "平衡值未全部按炼铁工序产品产量计算，⑧栏不填"
"""Note of steel works at a balance value to which crude steel counted as output."""

ISSUED = ("allowance_t", "pre_allocated_t", "top_up_t", "return_t")
NUMBERS = ("emissions_tco2e", "reference_t", *ISSUED)

STEPS = {
    "load_correction": "load_correction",
    "electricity": "electricity_t",
    "heat_allowances": "heat_t",
    "gas_top_up": "gas_top_up_t",
    "exemption": "added_t",
}
"""Columns of the steps of power, and their names in `PowerSteps`."""

SAME_T = 1e-6
"""Largest difference of a figure of the run from that of its instance, by rounding alone [t]."""


def unit_rows(instance: Instance, results: Results) -> pd.DataFrame:
    """Return a row for each unit, in the order of the instance, with the columns of all sectors.

    Raises
    ------
    DataError
        If the table of the run is damaged, or holds other units or figures than the instance and its rule give.
    """
    name = table_of_units(results)
    units, table = instance.units, results.tables[name]
    require(results, {name: ("unit_id",)}, {name: NUMBERS}, _("The run"))
    if list(table["unit_id"]) != list(units["unit_id"]):
        what = _("does not hold the units of the instance in its order")
        raise DataError(_("The run"), [Problem(f"tables/{name}", what, SOLVE_AGAIN, "unit_id")])
    reference = reference_allowances(instance)
    _same(table, name, "emissions_tco2e", instance.emissions_tco2e)
    _same(table, name, "reference_t", reference.reference_t)
    rows = units[["province", "enterprise_id", "sector"]].assign(unit=units["unit_id"])
    rows["name"], rows["uscc"] = _of_enterprises(instance)
    rows["emissions"], rows["obligation"] = instance.emissions_tco2e, nearest_tonnes(instance.emissions_tco2e)
    for column in ISSUED:
        rows[column] = table[column].to_numpy(dtype=float)
    rows["pre_allocated"], rows["reference"] = rows["pre_allocated_t"], reference.reference_t
    rows["fixed"], rows["in_scope"] = reference.fixed, instance.in_scope
    rows["stated"] = ~np.isnan(pre_allocation(instance))
    # Nothing is missing of a unit outside the scope, which gets no pre-allocation.
    rows["all_stated"] = rows["stated"] | ~rows["in_scope"]
    rows = rows.assign(**_pre_allocation(instance), **_industry(instance), **_power(instance))
    rows["as_planned"] = (rows["allowance_t"] == rows["reference"]).to_numpy()
    # What an enterprise gets beside the allowances of its units is stated in its own row.
    rows["exemption"] = np.where(rows["as_planned"], rows["exemption"].fillna(0.0), 0.0)
    rows["determined"] = rows["allowance_t"] - rows["exemption"]
    rows["notes"] = _notes(instance, rows)
    return rows


def table_of_units(results: Results) -> str:
    """Return the name of the table of a run that holds the allowances of its units."""
    return "allocation" if "allocation" in results.tables else "issuance"


def _same(table: pd.DataFrame, name: str, column: str, expected: NDArray[np.float64]) -> None:
    """Raise DataError if a column of the run differs from what the instance gives."""
    actual = table[column].to_numpy(dtype=float)
    wrong = np.flatnonzero(~(np.abs(actual - expected) <= SAME_T))
    if len(wrong):
        cells = tuple((f"of {table['unit_id'].iloc[row]}", f"{actual[row]:,.6g}") for row in wrong)
        what = _("{count} of its figures are not those of the instance", count=len(wrong))
        raise DataError(_("The run"), [Problem(f"tables/{name}", what, SOLVE_AGAIN, column, cells)])


CODE = re.compile("[0-9A-Z]{18}")
"""Form of a unified social credit code (GB 32100)."""


def _of_enterprises(instance: Instance) -> tuple[pd.Series, pd.Series]:
    """Return name and code of the enterprise of each unit: its identifier for a name, and for a code if it is one."""
    owner, table = instance.units["enterprise_id"], instance.enterprises
    columns = []
    for column, otherwise in (("name", owner), ("x_uscc", owner.where(owner.str.fullmatch(CODE), ""))):
        texts = otherwise
        if table is not None and column in table:
            stated = owner.map(_texts(table.set_index("enterprise_id")[column])).fillna("")
            texts = stated.where(stated != "", otherwise)
        columns.append(texts)
    return columns[0], columns[1]


def _pre_allocation(instance: Instance) -> dict[str, Any]:
    """Return last year's emissions, and the share of them that is pre-allocated [%]; NaN where it is not known."""
    units = instance.units
    prior, stated = (_numbers(units, column) for column in ("prior_emissions_tco2e", "pre_allocated_t"))
    share = pre_allocation_shares(instance, [instance.policy.year])[:, 0]
    # A percentage of two decimals remains one after the product.
    percent = np.where(np.isnan(prior) | ~instance.in_scope, np.nan, np.round(100 * share, 9))
    ratio = 100 * np.divide(stated, prior, out=np.full(len(units), np.nan), where=prior > 0)
    by_share = np.isnan(stated) & ~np.isnan(percent)
    return {"prior": prior, "share_percent": np.where(np.isnan(stated), percent, ratio), "by_share": by_share}


def _industry(instance: Instance) -> dict[str, Any]:
    """Return the columns of steel, cement and aluminium, with those of which only the user knows."""
    units = instance.units
    slag = 100 * _numbers(units, "carbide_slag_rate")
    columns = {key: _of_user(units, f"x_{key}") for key in NUMBERS_OF_USER}
    columns |= {key: _texts(units.get(f"x_{key}", pd.Series("", units.index))) for key in TEXTS_OF_USER}
    columns |= {"crude_steel": _numbers(units, "output_t"), "slag_percent": slag, **_measured(instance)}
    parameters, reference = parameters_of(instance), reference_allowances(instance)
    values, rates = np.full(len(units), np.nan), np.full(len(units), np.nan)
    if isinstance(parameters, IntensityParameters):
        for sector, value in reference.sectors["balance_value"].items():
            in_sector = instance.labels("sector").where(sector) & ~reference.fixed
            values[in_sector] = value
            rates[in_sector] = surplus_rates(instance.intensity[in_sector], value, parameters.slope, parameters.cap)
    columns |= {"deviation_percent": np.round(100 * (values - instance.intensity) / values, 9)}
    # A balance value that crude steel of some works entered is none per tonne of product of ironmaking.
    steel = (units["sector"] == "steel").to_numpy()
    mixed = steel & np.isnan(columns["intensity"]) & ~np.isnan(values)
    stated = np.where(steel & mixed.any(), np.nan, values)
    return columns | {"balance_value": stated, "coefficient": rates}


def _measured(instance: Instance) -> dict[str, Any]:
    """Return the output on which intensity is measured, and the intensity; of steel by its key processes alone."""
    units, output, intensity = instance.units, intensity_base(instance.units)[0], instance.intensity
    # Without figures of ironmaking and sintering the rule takes crude steel and the whole works, which are other
    # quantities than the headings of table 2-2 name.
    iron, emissions = (_numbers(units, f"intensity_{name}") for name in ("output_t", "emissions_tco2e"))
    steel = (units["sector"] == "steel").to_numpy()
    intensity = np.where(steel & np.isnan(iron + emissions), np.nan, intensity)
    return {"output": np.where(steel, iron, output), "intensity": intensity}


def _power(instance: Instance) -> dict[str, Any]:
    """Return the columns of power units; NaN or empty for others, and for steps that the rule does not have."""
    units = instance.units
    power_units = (
        np.flatnonzero(instance.labels("sector").where("power")) if "power" in instance.sectors else np.zeros(0, int)
    )
    classes = units["unit_class"].fillna("").astype(str) if "unit_class" in units else pd.Series("", units.index)
    columns = {
        "unit_class": classes,
        "merged": classes.str.contains("+", regex=False).map({True: "是", False: ""}),
        "fuel": classes.map({"": "", "IV": "燃气"}).fillna("燃煤"),
        "capacity": _numbers(units, "capacity_mw"),
        "generation": _numbers(units, "generation_mwh"),
        "heat": _numbers(units, "heat_gj"),
        "load_percent": 100 * _numbers(units, "load_factor"),
    }
    steps = steps_of_power(instance) if len(power_units) else None
    adjustable = ~reference_allowances(instance).fixed[power_units]
    for key, of in STEPS.items():
        columns[key] = np.full(len(units), np.nan)
        if steps is not None:
            # Special cases get their emissions, whatever the steps give.
            exempted = key == "exemption"
            columns[key][power_units] = np.where(adjustable | exempted, getattr(steps, of), np.nan)
    columns["initial"] = columns["electricity"] + columns["heat_allowances"]
    return columns


def _notes(instance: Instance, rows: pd.DataFrame) -> list[str]:
    """Return the note of each unit, in Chinese: special case, other allowances than those of the plan, and steel."""
    units = instance.units
    case = units["special_case"].map(CASES).fillna("") if "special_case" in units else pd.Series("", units.index)
    several = rows.groupby(["province", "enterprise_id", "sector"])["unit"].transform("size") > 1
    notes = []
    for row, reason, many in zip(rows.itertuples(index=False), case, several, strict=True):
        parts = [f"钢铁企业：{row.unit}"] if row.sector == "steel" and many else []
        if not row.in_scope:
            parts.append(f"{OUTSIDE}{f'（{reason}）' if reason else ''}")
        elif row.fixed:
            parts.append(f"配额与经核查排放量相等{f'（{reason}）' if reason else ''}")
        if row.sector == "steel" and np.isnan(row.balance_value) and not np.isnan(row.coefficient):
            parts.append(WITHOUT_IRONMAKING)
        if not row.as_planned:
            parts.append(f"按分配方案计算为{row.reference:.0f}吨")
        notes.append("；".join(parts))
    return notes


def _numbers(units: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """Return a column of numbers; NaN where it is absent."""
    return units[column].to_numpy(dtype=float) if column in units else np.full(len(units), np.nan)


def _texts(cells: pd.Series) -> pd.Series:
    """Return texts; a user column of codes such as 1 and 2 is read as numbers."""
    if pd.api.types.is_numeric_dtype(cells):
        return cells.map(lambda number: "" if number != number else f"{number:.15g}")
    return cells.fillna("").astype(str)


def _of_user(units: pd.DataFrame, column: str) -> Any:
    """Return a user column, as numbers if all of it are; NaN if there is none."""
    if column not in units:
        return np.full(len(units), np.nan)
    if pd.api.types.is_numeric_dtype(units[column]):
        return units[column].to_numpy(dtype=float)
    numbers = pd.to_numeric(units[column].replace("", np.nan), errors="coerce")
    return numbers if (numbers.notna() | (units[column].fillna("") == "")).all() else units[column]
