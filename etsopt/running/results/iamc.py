"""Results as a table in the format of the Integrated Assessment Modeling Consortium: five columns, and one a year.

The format is that of pyam and of scenario databases: ``model, scenario, region, variable, unit`` and the years. Prices
are in real CNY of the price year of the policy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from etsopt.running.results.prices import has_price

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from etsopt.common.provenance import Provenance

INDEX = ["model", "scenario", "region", "variable", "unit"]
MEGATONNES, MILLION = "Mt CO2-equiv/yr", "million CNY"


class Variable(NamedTuple):
    """A column of a table as a variable: its name, unit, and the factor to that unit."""

    column: str
    name: str
    unit: str
    factor: float


def _tonnes(column: str, name: str) -> Variable:
    return Variable(column, name, MEGATONNES, 1e-6)


OF_YEARS = (
    _tonnes("emissions_tco2e", "Emissions|ETS"),
    _tonnes("emissions_before_tco2e", "Emissions|ETS|Before Measures"),
    _tonnes("allowance_t", "Allowances|ETS|Free"),
    _tonnes("auctioned_t", "Allowances|ETS|Auctioned"),
    _tonnes("banked_t", "Allowances|ETS|Banked"),
    _tonnes("surrendered_t", "Allowances|ETS|Surrendered"),
    _tonnes("offset_t", "Offsets|ETS"),
    Variable("measures_cost_cny", "Cost|ETS|Measures", MILLION, 1e-6),
    Variable("total_cost_cny", "Cost|ETS|Total", MILLION, 1e-6),
)
OF_SECTORS = (
    _tonnes("emissions_tco2e", "Emissions|ETS|{}"),
    _tonnes("emissions_before_tco2e", "Emissions|ETS|{}|Before Measures"),
    _tonnes("allowance_t", "Allowances|ETS|Free|{}"),
    _tonnes("reference_t", "Allowances|ETS|Reference|{}"),
    Variable("measures_cost_cny", "Cost|ETS|Measures|{}", MILLION, 1e-6),
)
OF_PROVINCES = (
    _tonnes("emissions_tco2e", "Emissions|ETS"),
    _tonnes("allowance_t", "Allowances|ETS|Free"),
    _tonnes("reference_t", "Allowances|ETS|Reference"),
)


def to_iamc(
    tables: Mapping[str, pd.DataFrame], about: Provenance, scenario: str = "", region: str = "China"
) -> pd.DataFrame:
    """Return the totals of a run in the IAMC format, one row a variable and one column a year.

    Parameters
    ----------
    about
        Provenance of the run.
    scenario
        Name of the scenario; default the name of the instance.
    region
        Name of the whole; provinces are regions below it.
    """
    year = about.policy["year"]
    rows = [*_of_years(tables, region), *_of_sectors(tables, region, year), *_of_provinces(tables, region, year)]
    model = f"etsopt {about.versions.etsopt}"
    table = pd.DataFrame(rows, columns=["region", "variable", "unit", "year", "value"])
    table = table.assign(model=model, scenario=scenario or about.instance)
    table = table[np.isfinite(table["value"])].drop_duplicates([*INDEX, "year"])
    wide = table.pivot_table("value", INDEX, "year").reset_index()
    wide.columns.name = None
    return wide


Row = tuple[str, str, str, int, float]


def _of_years(tables: Mapping[str, pd.DataFrame], region: str) -> Iterator[Row]:
    """Yield totals and prices of each year of a market."""
    closure = tables.get("closure")
    balancing = set() if closure is None else set(closure.loc[closure["set_by"] == "self-balancing", "year"])
    priced = "years" in tables and has_price(tables)
    for row in tables["years"].to_dict("records") if "years" in tables else ():
        # Of a self-balancing year every price above some clears, so that it has none to report.
        if priced and "price_cny_per_t" in row and row["year"] not in balancing:
            unit = str(row.get("price_unit", "CNY/t")).removesuffix("/t")
            yield region, "Price|Carbon", f"{unit}/t CO2", int(row["year"]), float(row["price_cny_per_t"])
        for variable in OF_YEARS:
            if variable.column in row:
                value = float(row[variable.column]) * variable.factor
                yield region, variable.name, variable.unit, int(row["year"]), value


def _of_sectors(tables: Mapping[str, pd.DataFrame], region: str, year: int) -> Iterator[Row]:
    """Yield totals of each sector: of each year of a market, else of the year of the allocation."""
    name = "sector_years" if "sector_years" in tables else "sectors"
    for row in tables[name].to_dict("records") if name in tables else ():
        for variable in OF_SECTORS:
            if variable.column in row:
                title = variable.name.format(str(row["sector"]).capitalize())
                value = float(row[variable.column]) * variable.factor
                yield region, title, variable.unit, int(row.get("year", year)), value


def _of_provinces(tables: Mapping[str, pd.DataFrame], region: str, year: int) -> Iterator[Row]:
    """Yield totals of each province in the year of the allocation, and of the whole if there is no market."""
    if "provinces" not in tables:
        return
    table = tables["provinces"]
    for variable in OF_PROVINCES:
        if "years" not in tables:
            yield region, variable.name, variable.unit, year, float(table[variable.column].sum()) * variable.factor
        for province, value in zip(table["province"], table[variable.column], strict=True):
            yield f"{region}|{province}", variable.name, variable.unit, year, float(value) * variable.factor
