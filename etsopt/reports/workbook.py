"""The result of a solve as a workbook: summary, certificate, prices, and a sheet for each table.

It is for people: ``etsopt check`` reads the run folder beside it, which has every digit and the instance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from etsopt.common.language import _
from etsopt.common.vocabulary import in_words
from etsopt.data.files.policy_sheet import rows_of_policy
from etsopt.data.files.spreadsheet import require_fits
from etsopt.data.files.write import toml_value
from etsopt.presenting.documents.columns import heading_of_result, quantity_of
from etsopt.presenting.documents.document import Column, Document, Facts, Section, Table, named
from etsopt.presenting.documents.workbook import write_workbook
from etsopt.reports.allocation import relaxed
from etsopt.reports.answer import answer, status
from etsopt.reports.certificate import certificate, reproduce
from etsopt.reports.inputs_section import inputs_section
from etsopt.reports.outlook import by_unit
from etsopt.reports.remarks import warnings
from etsopt.reports.run import Run
from etsopt.reports.stated import as_stated, within_scope
from etsopt.running.results.equal_allocation import equal_allocation
from etsopt.running.results.words import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from etsopt.running.results.results import Results

FIRST_SHEETS = ("allocation", "enterprises", "sectors", "provinces", "compliance", "years", "equilibrium")
"""Tables in this order, before others."""

TOTALS = ("sector", "units", "emissions_tco2e", "allowance_t", "target_t", "surplus_t", "surplus_rate")
"""Columns of the totals by sector in the summary."""

KEYS = {"allocation": "unit_id", "issuance": "unit_id", "enterprises": "enterprise_id", "compliance_sectors": "sector"}
"""Tables with figures of a pre-allocation, and the column of the units that names their rows."""


def write_result_workbook(results: Results, path: Path, folder: str = "") -> None:
    """Write the result as a workbook, whose texts are texts and never formulas or links.

    Parameters
    ----------
    folder
        Run folder with the same result, which the workbook names.

    Raises
    ------
    UsageError
        If xlsxwriter is not installed, a table does not fit into a sheet, or another process is writing the file.
    OSError
        With the name of the file that cannot be written.
    """
    for name, table in results.tables.items():
        require_fits(table, name, above=1)
    comments = {"target_t": text} if (text := equal_allocation(results.tables)) else {}
    sheets = ((TABLES.get(name, name), content) for name, content in _sheets(results, folder))
    write_workbook(path, sheets, comments)


def _sheets(results: Results, folder: str) -> Iterator[tuple[str, Document | Table]]:
    yield "summary", _summary(results, folder)
    first = [name for name in FIRST_SHEETS if name in results.tables]
    for name in first:
        yield name, _table(_for_people(results, name))
    if len(results.prices):
        yield "prices", _table(results.prices)
    yield "certificate", _table(_levels(results))
    for name in results.tables:
        if name == "outlook_sectors":
            yield from ((part, _table(table)) for part, table in by_unit(results.tables[name]).items())
        elif name not in first:
            yield name, _table(_for_people(results, name))


def _table(frame: pd.DataFrame, caption: str = "") -> Table:
    """Return a table with the headings of results."""
    columns, cells = [], []
    for name, values in frame.items():
        columns.append(Column(heading_of_result(str(name)), quantity_of(str(name), values), name=str(name)))
        cells.append(in_words(str(name), values).tolist())
    return Table(caption, tuple(columns), tuple(zip(*cells, strict=True)))


def _for_people(results: Results, name: str) -> pd.DataFrame:
    """Return a table with empty cells where the run has numbers for what nothing states, or is outside the scope."""
    table = _in_order_of_file(results, name)
    if name in KEYS and results.held is not None:
        table = as_stated(table, results.instance, KEYS[name])
        table = within_scope(table, results.instance) if KEYS[name] == "unit_id" else table
    return table


def _in_order_of_file(results: Results, name: str) -> pd.DataFrame:
    """Return a table; that of the units in the order of the file that they came from, if this process has read it."""
    table, order = results.tables[name], getattr(results.held, "order", None)
    return table if name != "allocation" or order is None or len(order) != len(table) else table.iloc[order]


def _levels(results: Results) -> pd.DataFrame:
    columns = ("name", "value", "bound", "gap", "unit", "certified", "algorithm")
    rows = [[getattr(level, column) for column in columns] for level in results.levels]
    return pd.DataFrame(rows, columns=["level", *columns[1:]])


def _summary(results: Results, folder: str) -> Document:
    """Return the answer, what was asked and is proven, totals by sector, and how to check it."""
    run = Run(results, folder)
    title = named(run.about.instance, run.about.model)
    told = (answer(run), status(run), results.certified, warnings(run))
    return Document(title, title, *told, sections=tuple(_sections(run)))


def _sections(run: Run) -> Iterator[Section]:
    results = run.results
    yield inputs_section(run)
    facts: list[tuple[str, str]] = []
    if results.held is not None:
        keys = [f"{key} = {toml_value(value)}" for key, value in _stated(results)]
        facts += zip([_("policy"), *[""] * len(keys)], keys, strict=False)
    if about_targets := equal_allocation(results.tables):
        facts.append((_("equal allocation"), about_targets))
    if facts:
        yield Section("policy", "", (Facts(tuple(facts)),))
    # Tables of limits and objectives have sheets of their own.
    for section in (*relaxed(run), certificate(run, checked=False)):
        yield Section(section.key, section.title, tuple(one for one in section.blocks if not isinstance(one, Table)))
    if "sectors" in results.tables:
        sectors = results.tables["sectors"]
        table = _table(sectors[[name for name in TOTALS if name in sectors]], _("By sector"))
        yield Section("totals", _("Totals and targets"), (table,))
    again = reproduce(run)
    # Without a folder there is nothing to name in a command.
    yield again if run.folder else Section(again.key, again.title, again.blocks[1:])


def _stated(results: Results) -> Iterator[tuple[str, object]]:
    """Yield the keys of the policy that this allocation states, but year and rule."""
    policy = results.instance.policy.model_dump(exclude_unset=True, exclude_none=True)
    parts: dict[str, Any] = {
        name: policy[name] for name in ("sectors", "provinces", "national", "allocation") if name in policy
    }
    yield from rows_of_policy(parts)
