"""The result of a solve as a formatted workbook: summary, certificate, prices, and a sheet for each table.

It is for people: ``etsopt check`` reads the run folder beside it, which has every digit and the instance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from etsopt.data.files.policy_sheet import rows_of_policy
from etsopt.data.files.spreadsheet import new_workbook, see_that_fits, set_up_page, write_column
from etsopt.data.files.write import toml_value
from etsopt.language import _, in_chinese, joined, pgettext
from etsopt.reports.stated import as_stated, within_scope
from etsopt.results.equal_allocation import equal_allocation
from etsopt.results.notices import notices
from etsopt.results.words import STATUSES, TABLES, TERMINATIONS, heading_of_result
from etsopt.units import format_tonnes
from etsopt.vocabulary import in_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from etsopt.results.results import Results

FIRST_SHEETS = ("allocation", "enterprises", "sectors", "provinces", "compliance", "years", "equilibrium")
"""Tables in this order, before others."""

STYLES: dict[str, dict[str, Any]] = {
    "title": {"bold": True, "font_size": 15},
    "good": {"bold": True, "font_color": "#1B6E36"},
    "open": {"bold": True, "font_color": "#A15C00"},
    "heading": {"bold": True, "bg_color": "#1F4E79", "font_color": "#FFFFFF", "text_wrap": True, "valign": "vcenter"},
    "label": {"bold": True, "font_color": "#444B55", "valign": "top"},
    "text": {"text_wrap": True, "valign": "top"},
    "tonnes": {"num_format": "#,##0;[Red]-#,##0;0"},
    "rate": {"num_format": "0.00%;[Red]-0.00%;0.00%"},
    "price": {"num_format": "#,##0.00"},
    "fine": {"num_format": "0.000000"},
    "exact": {"num_format": "0.0E+00"},
    "plain": {"num_format": "0"},
    "general": {},
}

SHOWN_AS_ZERO = {"tonnes": 0.5, "rate": 0.5e-4, "price": 0.5e-2, "fine": 0.5e-6}
"""Numbers of a format whose absolute value is below this are written as the zero that they would be shown as."""

ENDINGS = {"_t": "tonnes", "_tco2e": "tonnes", "_cny": "tonnes", "_cny_per_t": "price", "_rate": "rate"}
"""Format of a column of numbers by the end of its name; the longest one counts."""

NAMED = {
    **dict.fromkeys(("year", "vintage", "start_year", "plan", "step", "number", "leaf"), "plain"),
    **dict.fromkeys(("balance_value", "intensity", "multiplier", "balance_value_before", "share"), "fine"),
    **dict.fromkeys(("balance_value_lower", "balance_value_upper"), "fine"),
    **dict.fromkeys(("gap",), "exact"),
    **dict.fromkeys(("units", "enterprises", "units_lower", "units_upper", "units_fixed"), "tonnes"),
}
"""Format of a column of numbers by its name."""


class Book(NamedTuple):
    """A workbook that is being written, and its formats."""

    book: Any
    formats: Mapping[str, Any]
    about_targets: str
    """Sentence on the units that a target leaves out, a comment at the heading of targets; empty without any."""


def write_result_workbook(results: Results, path: Path, run: str = "") -> None:
    """Write the result as a workbook, whose texts are texts and never formulas or links.

    Parameters
    ----------
    run
        Run folder with the same result, which the workbook names.

    Raises
    ------
    UsageError
        If xlsxwriter is not installed, a table does not fit into a sheet, or another process is writing the file.
    OSError
        With the name of the file that cannot be written.
    """
    for name, table in results.tables.items():
        see_that_fits(table, name, above=1)
    with new_workbook(path) as book:
        formats = {name: book.add_format(style) for name, style in STYLES.items()}
        into = Book(book, formats, str(equal_allocation(results.tables) or ""))
        _write_summary(into, results, run)
        first = [name for name in FIRST_SHEETS if name in results.tables]
        for name in first:
            _write_table(into, name, _for_people(results, name))
        if len(results.prices):
            _write_table(into, "prices", results.prices)
        _write_table(into, "certificate", _levels(results))
        for name in results.tables:
            if name not in first:
                _write_table(into, name, _for_people(results, name))


KEYS = {"allocation": "unit_id", "issuance": "unit_id", "enterprises": "enterprise_id", "compliance_sectors": "sector"}
"""Tables with figures of a pre-allocation, and the column of the units that names their rows."""


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
    return pd.DataFrame(rows, columns=["level", *columns[1:]]).replace([np.inf, -np.inf], np.nan)


def _write_summary(into: Book, results: Results, run: str) -> None:
    """Write the answer in a sentence, what was asked, totals by sector, and how to check it."""
    sheet = into.book.add_worksheet(str(TABLES["summary"]))
    sheet.hide_gridlines(2)
    set_up_page(sheet, 0)
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 8, 18)
    about = results.provenance
    title = _("{label}: {value}", label=about["instance"], value=about["model"])
    sheet.write_string(0, 0, str(title), into.formats["title"])
    states = [STATUSES[results.status], *filter(None, [TERMINATIONS.get(results.termination)])]
    sheet.write_string(1, 0, joined(states, "，"), into.formats["good" if results.certified else "open"])
    row = 3
    for label, text in _facts(into, results, run):
        sheet.write_string(row, 0, str(label), into.formats["label"])
        sheet.merge_range(row, 1, row, 6, "", into.formats["text"])
        sheet.write_string(row, 1, str(text), into.formats["text"])
        sheet.set_row(row, 15 * (1 + len(str(text)) // (55 if in_chinese() else 100)))
        row += 1
    if "sectors" in results.tables:
        columns = ["sector", "units", "emissions_tco2e", "allowance_t", "target_t", "surplus_t", "surplus_rate"]
        sectors = results.tables["sectors"]
        _write_cells(into, sheet, row + 1, sectors[[name for name in columns if name in sectors]])


def _facts(into: Book, results: Results, run: str) -> list[tuple[str, str]]:
    """Return labels and texts of the summary."""
    about = results.provenance
    policy = about["policy"]
    year, rule = policy["year"], policy["rule"]["name"]
    asked = _("compliance year {year}, rule {rule}", year=year, rule=rule)
    facts: list[tuple[str, str]] = [(_("asked"), asked)]
    if results.held is not None:
        keys = [f"{key} = {toml_value(value)}" for key, value in _stated(results)]
        facts += zip([_("policy"), *[""] * len(keys)], keys, strict=False)
    facts.append((_("certificate"), _certificate(results)))
    if results.held is not None:
        for remedy in results.remedies:
            way = _("{label}: {value}", label=remedy.way, value=remedy.text)
            facts.append((pgettext("reports", "remedy {number}", number=remedy.number), way))
    if into.about_targets:
        facts.append((_("equal allocation"), into.about_targets))
    facts += [(_("notice"), text) for text in notices(about)]
    if results.infeasible_by_t is not None:
        by = format_tonnes(results.infeasible_by_t)
        facts.append((_("infeasible by"), _("at least {by} t", by=by)))
    if run:
        check = f"etsopt check {run}"
        facts.append((_("check it again"), check))
    facts.append((_("instance"), f"SHA-256 {about['instance_hash']}"))
    versions = joined(f"{name} {version}" for name, version in about["versions"].items())
    facts.append((_("versions"), versions))
    return facts


def _stated(results: Results) -> Iterator[tuple[str, object]]:
    """Yield the keys of the policy that this allocation states, but year and rule."""
    policy = results.instance.policy.model_dump(exclude_unset=True, exclude_none=True)
    parts: dict[str, Any] = {
        name: policy[name] for name in ("sectors", "provinces", "national", "allocation") if name in policy
    }
    yield from rows_of_policy(parts)


def _certificate(results: Results) -> str:
    """Return what is proven."""
    if not results.certified:
        return _("No optimality is proven; see the sheet `certificate`.")
    if results.misses_t is None:
        return _("Every limit was recomputed, and the bound that proves the status.")
    text = _("The allocation misses no limit by more than {misses:.2g} t, and none that keeps all limits is better.")
    misses = _(text, misses=results.misses_t)
    if results.distance_t is None:
        return misses
    text = _("{misses} No unit is farther than {away:.2g} t from the one solution of the tie-break.")
    return _(text, misses=misses, away=max(results.distance_t, 1e-9))


def _write_table(into: Book, name: str, table: pd.DataFrame) -> None:
    """Write a table into a sheet of its own, which can be filtered and whose headings stay in view."""
    sheet = into.book.add_worksheet(str(TABLES.get(name, name))[:31])
    _write_cells(into, sheet, 0, table)
    set_up_page(sheet, 1)
    sheet.set_row(0, 32)
    texts = [at for at, column in enumerate(table) if not _is_number(table[column])]
    sheet.freeze_panes(1, 1 if 0 in texts else 0)
    if len(table):
        sheet.autofilter(0, 0, len(table), len(table.columns) - 1)


def _write_cells(into: Book, sheet: Any, row: int, table: pd.DataFrame) -> None:
    """Write headings and cells from a row on."""
    for place, column in enumerate(map(str, table)):
        cells = table.iloc[:, place]
        sheet.write_string(row, place, heading_of_result(column), into.formats["heading"])
        if column == "target_t" and into.about_targets:
            sheet.write_comment(row, place, into.about_targets, {"x_scale": 2.5, "author": "etsopt"})
        cells = in_words(column, cells)
        style = _format_of(column) if _is_number(cells) else "general"
        if style in SHOWN_AS_ZERO:
            # Otherwise a spreadsheet shows -0, in red.
            cells = cells.where(~(cells.abs() < SHOWN_AS_ZERO[style]), 0.0)
        write_column(sheet, place, row + 1, cells.replace([np.inf, -np.inf], np.nan), into.formats[style])
        if row == 0:
            widest = cells.astype(str).str.len().clip(upper=40).max() if not _is_number(cells) and len(cells) else 0
            sheet.set_column(place, place, max(13, min(40, 2 + int(widest or 0))))


def _is_number(cells: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(cells.dtype) and not pd.api.types.is_bool_dtype(cells.dtype)


def _format_of(column: str) -> str:
    """Return the format of a column of numbers.

    >>> _format_of("allowance_t"), _format_of("price_cny_per_t"), _format_of("year"), _format_of("x_any")
    ('tonnes', 'price', 'plain', 'general')
    """
    if column in NAMED:
        return NAMED[column]
    fitting = [ending for ending in ENDINGS if column.endswith(ending)]
    return ENDINGS[max(fitting, key=len)] if fitting and not column.startswith("x_") else "general"
