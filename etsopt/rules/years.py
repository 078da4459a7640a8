"""Reference allowances by year: a rule is called for each year of the horizon, with the instance of that year."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _
from etsopt.data.content import Derived
from etsopt.data.messages import cells_of
from etsopt.data.projection import development
from etsopt.data.tables.schema import FORECAST
from etsopt.data.tables.validate import order_of
from etsopt.rules.registry import GIVEN, fixed_units, parameters_of, reference_allowances

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance

OUTPUT = ("output_t", "intensity_output_t", "generation_mwh", "supply_mwh", "heat_gj")
EMISSIONS = ("emissions_tco2e", "intensity_emissions_tco2e")


def instance_of_year(instance: Instance, year: int) -> Instance:
    """Return the instance as a rule sees it in a year of the horizon, whose policy has that year.

    Output and emissions are those of the forecast, and prior emissions those of the year before. There is no forecast,
    since it refers to the year of the tables, which is the instance itself.
    """
    if year == instance.policy.year:
        return instance
    units, grown = instance.units, development(instance, [year - 1, year])
    emitted = grown.output_factor * grown.intensity_factor
    columns = {name: units[name] * grown.output_factor[:, 1] for name in OUTPUT if name in units}
    columns |= {name: units[name] * emitted[:, 1] for name in EMISSIONS if name in units}
    columns["prior_emissions_tco2e"] = units["emissions_tco2e"] * emitted[:, 0]
    policy = instance.policy.model_copy(update={"year": year})
    return replace(instance, units=units.assign(**columns), policy=policy, forecast=None, derived=Derived())


def references_of_years(instance: Instance, years: Sequence[int]) -> NDArray[np.float64] | None:
    """Return the reference allowances of every unit in each year, shape ``(units, years)`` [t].

    None if no year has its own: under China's plans, and under ``given`` if the forecast states no ``reference_t``.

    Raises
    ------
    DataError
        If the rule fails in a year, or ``given`` has references for some later years or units and not for all.
    """
    if instance.policy.follows_plan:
        return None
    if instance.policy.rule.name != GIVEN:
        found = [reference_allowances(instance_of_year(instance, int(year))).reference_t for year in years]
        return np.column_stack(found)
    rows = instance.forecast
    if list(years) == [instance.policy.year]:
        return reference_allowances(instance).reference_t[:, None]
    if rows is None or "reference_t" not in rows or rows["reference_t"].isna().all():
        return None
    stated = rows[rows["reference_t"].notna()].pivot_table(index="unit_id", columns="year", values="reference_t")
    reference = reference_allowances(instance)
    table = stated.reindex(index=instance.units["unit_id"], columns=[float(year) for year in years]).to_numpy()
    table = np.where(np.asarray(years) <= instance.policy.year, reference.reference_t[:, None], table)
    absent = np.isnan(table) & ~fixed_units(instance, parameters_of(instance))[:, None]
    if absent.any():
        year = years[int(absent.any(axis=0).argmax())]
        what = _("has no reference allowances of {year} for units that have some in other years", year=year)
        advice = _("State reference_t of each unit in each year of the horizon, or in none.")
        cells = cells_of(instance.units, np.asarray(absent.any(axis=1)))
        raise DataError(
            _("The instance {name!r}", name=instance.name),
            [Problem("forecast.csv", what, advice, "reference_t", cells)],
        )
    # A unit with A = E needs none.
    return np.nan_to_num(table)


def with_references(instance: Instance, references_t: Mapping[int, NDArray[np.float64]]) -> Instance:
    """Return the instance whose forecast states the references of some later years, each of shape ``(units,)`` [t]."""
    names, years = instance.units["unit_id"].to_numpy(), list(references_t)
    rows = pd.DataFrame({"unit_id": np.tile(names, len(years)), "year": np.repeat(np.array(years, float), len(names))})
    rows["reference_t"] = np.concatenate([references_t[year] for year in years])
    if instance.forecast is not None:
        before = instance.forecast.drop(columns="reference_t", errors="ignore")
        rows = before.assign(unit_id=before.get("unit_id", "")).merge(rows, on=["unit_id", "year"], how="outer")
    numbers = {column.name for column in FORECAST.columns if column.number}
    # Texts are Python strings, absent ones empty, as in a table that was read.
    cells = {
        name: rows[name].to_numpy() if name in numbers else rows[name].fillna("").to_numpy(object) for name in rows
    }
    order, _ = order_of([cells[name] for name in FORECAST.key if name in cells])
    where = np.arange(len(rows)) if order is None else order
    table = pd.DataFrame({name: pd.Series(column[where], dtype=column.dtype) for name, column in cells.items()})
    return replace(instance, forecast=table, derived=Derived())
