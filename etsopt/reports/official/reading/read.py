"""Annex tables read back as an instance: every problem at once, then the instance and what it agrees with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.common.errors import DataError, Problem, UsageError
from etsopt.common.language import _, chain
from etsopt.common.progress import tell
from etsopt.data.instance import Instance
from etsopt.data.policy.official import LAST_YEAR
from etsopt.data.policy.plans import NATIONAL
from etsopt.reports.official.headings import ANNEXES
from etsopt.reports.official.reading.agreement import problems_of_agreement
from etsopt.reports.official.reading.frames import HEADINGS, at_risk, enterprises_frame, units_frame
from etsopt.reports.official.reading.joined import Joined
from etsopt.reports.official.reading.matching import Found, find_table
from etsopt.reports.official.reading.sheets import read_sheets
from etsopt.reports.official.reading.tables import AnnexTable, convert, of_province, province_of, year_of
from etsopt.reports.official.reading.units import cases_of
from etsopt.reports.official.tables import FIRST_YEAR
from etsopt.rules import issuance, reference_allowances, steps_of_power

if TYPE_CHECKING:
    from collections.abc import Mapping

SUBJECT = _("The set of official tables")


@dataclass(frozen=True)
class OfficialReading:
    """An instance read from annex tables.

    Parameters
    ----------
    tables
        File, or workbook and sheet, of each table that was read, by its name.
    comparison
        By sector: units, units whose allowances by the rule are those of the tables, both sums [t], and the balance
        values of the rule and of the tables [t/t], NaN without one.
    notes
        Sentences on what was passed over, and what the tables do not hold.
    """

    instance: Instance
    tables: dict[str, list[str]]
    comparison: pd.DataFrame
    notes: list[str]


def read_official_tables(source: str | Path, *, year: int | None = None, province: str = "") -> Instance:
    """Read annex tables, as `write_official_tables` and provinces write them, as an instance under the rule ``cn``.

    Parameters
    ----------
    source
        A folder of CSV files, a CSV file, or a workbook (.xlsx).
    year
        Compliance year; by default that of the titles, which CSV files lack.
    province
        Province of tables that do not name theirs; of tables with a column of provinces, only its rows are read.

    Raises
    ------
    UsageError
        If there are no tables of units, or the year is not stated or has no plan.
    DataError
        With every problem of every table: file, row, heading and value.
    """
    return read_back(source, year, province).instance


def read_back(source: str | Path, year: int | None = None, province: str = "") -> OfficialReading:
    """Read annex tables as `read_official_tables` does, and return what they agree with as well."""
    tell(_("reading official tables"))
    found, passed_over, problems = _find(source)
    stated_year, of_year = year_of(found, year)
    if not FIRST_YEAR <= stated_year <= LAST_YEAR:
        text = _("The year is {year}: expected {first} to {last}, which have plans with these tables.")
        what = _(text, year=stated_year, first=FIRST_YEAR, last=LAST_YEAR)
        raise UsageError(what, _("State the compliance year with --year."))
    problems += of_year
    tables = []
    for one in found:
        name, of_one = province_of(one, province)
        table, of_cells = convert(one, name)
        tables.append(table)
        problems += of_one + of_cells
    tables = of_province(tables, province)
    joined = Joined(tables)
    if not len(joined.determined):
        raise _without_units(source)
    problems += problems_of_agreement(joined)
    cases, of_cases = cases_of(joined.units.rename(columns={"place_2": "place", "row_2": "row"}))
    problems += of_cases
    if problems:
        raise DataError(SUBJECT, problems)
    units = units_frame(joined, cases)
    policy: dict[str, Any] = {"year": stated_year, "rule": {"name": NATIONAL}}
    if risky := at_risk(joined):
        policy["compliance"] = {"at_risk": risky}
    named = _named(Path(source))
    instance = _instance(units, policy, joined, named)
    instance = _instance(_with_allowances(units, instance, joined), policy, joined, named)
    places: dict[str, list[str]] = {}
    for kept in tables:
        places.setdefault(kept.annex.name, []).append(kept.place)
    return OfficialReading(instance, places, _compared(instance, joined), [*passed_over, *_not_there(tables)])


def _named(source: Path) -> str:
    return source.resolve().stem or "official tables"


def _find(source: str | Path) -> tuple[list[Found], list[str], list[Problem]]:
    """Return the annex tables of a source, sentences on what is none, and the problems of files and shapes."""
    sheets, problems = read_sheets(source)
    found, others, columns = [], [], []
    for sheet in sheets:
        table, of_sheet = find_table(sheet)
        problems += of_sheet
        if table is not None:
            found.append(table)
            columns += [f"{heading} of {table.place}" for heading in table.ignored]
        elif not of_sheet:
            others.append(sheet.place)
    notes: list[str] = [_("Not an annex table, passed over: {names}.", names=", ".join(others))] if others else []
    if columns:
        notes.append(_("Columns that are not of the annex, passed over: {names}.", names=", ".join(columns)))
    if not any(table.annex.number[:2] == "2-" and table.annex.number != "2-5" for table in found):
        if problems:
            raise DataError(SUBJECT, problems)
        raise _without_units(source)
    return found, notes, problems


def _without_units(source: str | Path) -> UsageError:
    text = _("{name} has no rows of determined allowances, in tables 2-1 to 2-4.")
    what = _(text, name=Path(source).name)
    advice = _("They hold the verified emissions of the units. Name files or sheets by their numbers, as in 2-1.")
    return UsageError(what, advice)


def _instance(units: pd.DataFrame, policy: Mapping[str, Any], joined: Joined, name: str) -> Instance:
    """Build the instance and evaluate its rule; problems name file, row and heading of the tables."""
    try:
        instance = Instance.from_frames(units, policy, enterprises=enterprises_frame(joined), name=name)
        reference_allowances(instance)
    except DataError as error:
        rows = joined.units.assign(unit_id=units["unit_id"].to_numpy()).set_index("unit_id")
        # Every code of an enterprise is in the units as well.
        problems = [one for one in error.problems if (one.place, one.column) != ("enterprises", "enterprise_id")]
        raise DataError(SUBJECT, [_in_words_of_tables(one, rows) for one in problems]) from None
    return instance


def _in_words_of_tables(problem: Problem, rows: pd.DataFrame) -> Problem:
    """Return a problem of the instance with rows of the tables and the heading of the annex."""
    if not problem.place.startswith(("units", "enterprises")):
        return problem
    cells, sectors = [], []
    for label, value in problem.cells:
        unit = label.removeprefix("of ")
        if label.startswith("of ") and unit in rows.index:
            row = rows.loc[unit]
            sectors.append(row["sector"])
            label = _("{row} of {place}", row=row["row_2"], place=row["place_2"])
        cells.append((label, value))
    key = HEADINGS.get(problem.column, "")
    headings = [
        {one: chinese for one, chinese, _ in annex.columns}.get(key, "")
        for annex in ANNEXES
        if annex.number[:2] == "2-" and (annex.sector in sectors or not sectors)
    ]
    heading = next(filter(None, headings), "")
    column = f"{heading} ({problem.column})" if heading else problem.column
    return replace(problem, place="tables of units", column=column, cells=tuple(cells))


def _with_allowances(units: pd.DataFrame, instance: Instance, joined: Joined) -> pd.DataFrame:
    """Add the allowances of the plan as ``reference_t``, and pre-allocation where it is not the share of the plan."""
    at = pd.Index(instance.units["unit_id"]).get_indexer(units["unit_id"])
    rows = joined.units
    by_share = issuance(instance, np.zeros(len(units)))["pre_allocated_t"].to_numpy()[at]
    stated = rows["pre_allocated"].to_numpy()
    other = np.where(stated == by_share, np.nan, stated)
    added = np.zeros(len(units))
    if "power" in instance.sectors:
        power_units = np.flatnonzero(instance.labels("sector").where("power"))
        steps = steps_of_power(instance)
        assert steps is not None
        of_all = np.zeros(len(units))
        of_all[power_units] = steps.added_t
        added = np.where(rows["as_planned"], of_all[at], 0.0)
    planned = rows["planned_t"].to_numpy()
    reference = np.where(np.isnan(planned), rows["determined"].to_numpy() + added, planned)
    more = {"pre_allocated_t": other, "reference_t": reference}
    return units.assign(**{name: cells for name, cells in more.items() if not np.isnan(cells).all()})


def _compared(instance: Instance, joined: Joined) -> pd.DataFrame:
    """Return by sector how far the rule on the instance gives the allowances of the tables."""
    reference = reference_allowances(instance)
    units = instance.units
    stated = units.get("reference_t", pd.Series(np.nan, units.index)).to_numpy(dtype=float)
    rows = pd.DataFrame(
        {
            "sector": units["sector"],
            "units": 1,
            "same": reference.reference_t == stated,
            "rule_t": reference.reference_t,
            "tables_t": stated,
        }
    )
    table = rows.groupby("sector", sort=True)[["units", "same", "rule_t", "tables_t"]].sum()
    values = reference.sectors.get("balance_value", pd.Series(dtype=float))
    table["balance_value"] = values.reindex(table.index)
    table["balance_value_of_tables"] = joined.units.groupby("sector")["balance_value"].median().reindex(table.index)
    return table.reset_index()


def _not_there(tables: list[AnnexTable]) -> list[str]:
    """Return sentences on columns of an instance that stay unknown."""
    numbers = {table.annex.number for table in tables}
    notes: list[str] = [_("Not in the tables: {parts}.", parts=chain(NOT_HELD, _("{first}; {second}")))]
    if not any(number.startswith("1-") and number != "1-5" for number in numbers):
        notes.append(_("Without tables 1-1 to 1-4, last year's emissions and pre-allocated allowances are not known."))
    if not numbers & {"1-5", "2-5"}:
        notes.append(_("Without tables 1-5 and 2-5, deductions are not known."))
    return notes


NOT_HELD = (
    _("names of units, identifiers of steel enterprises as units, cities"),
    _("verified emissions of units outside the scope"),
    _("net supply, heat supply ratio and cooling of power units, which the plans read up to 2022"),
    _("opening holdings, net sales and outstanding obligations"),
    _("measures, forecast, and a policy beyond rule, year and enterprises at risk"),
)
"""Parts of an instance that annex tables have no columns for."""
