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
from etsopt.reports.stated import as_stated, within_scope
from etsopt.results.cell_words import in_chinese
from etsopt.results.equal_allocation import equal_allocation
from etsopt.results.notices import notices
from etsopt.results.words import STATUSES, TABLES, TERMINATIONS, heading_of_result
from etsopt.units import format_tonnes

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
    """A workbook that is being written, its formats and its language."""

    book: Any
    formats: Mapping[str, Any]
    in_chinese: bool
    about_targets: str = ""
    """Sentence on the units that a target leaves out, a comment at the heading of targets; empty without any."""

    def word(self, both: tuple[str, str]) -> str:
        """Return the text of the language."""
        return both[self.in_chinese]


def write_result_workbook(results: Results, path: Path, in_chinese: bool = False, run: str = "") -> None:
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
        into = Book(book, {name: book.add_format(style) for name, style in STYLES.items()}, in_chinese)
        into = into._replace(about_targets=into.word(equal_allocation(results.tables) or ("", "")))
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
    sheet = into.book.add_worksheet(into.word(TABLES["summary"]))
    sheet.hide_gridlines(2)
    set_up_page(sheet, 0)
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 8, 18)
    about = results.provenance
    colon = into.word((": ", "："))
    sheet.write_string(0, 0, f"{about['instance']}{colon}{about['model']}", into.formats["title"])
    status = into.word(STATUSES[results.status])
    stop = TERMINATIONS.get(results.termination)
    status += f"{into.word((', ', '，'))}{into.word(stop)}" if stop else ""
    sheet.write_string(1, 0, status, into.formats["good" if results.certified else "open"])
    row = 3
    for label, text in _facts(into, results, run):
        sheet.write_string(row, 0, label, into.formats["label"])
        sheet.merge_range(row, 1, row, 6, "", into.formats["text"])
        sheet.write_string(row, 1, text, into.formats["text"])
        sheet.set_row(row, 15 * (1 + len(text) // (55 if into.in_chinese else 100)))
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
    asked = (f"compliance year {year}, rule {rule}", f"{year}年度，规则 {rule}")
    facts = [(into.word(("asked", "计算要求")), into.word(asked))]
    if results.held is not None:
        keys = [f"{key} = {toml_value(value)}" for key, value in _stated(results)]
        facts += zip([into.word(("policy", "政策")), *[""] * len(keys)], keys, strict=False)
    facts.append((into.word(("certificate", "证明")), into.word(_certificate(results))))
    if results.held is not None:
        for remedy in results.remedies:
            label = into.word((f"remedy {remedy.number}", f"可行方案 {remedy.number}"))
            facts.append((label, f"{into.word(remedy.way)}{into.word((': ', '：'))}{remedy.text}"))
    if into.about_targets:
        facts.append((into.word(("equal allocation", "等量分配")), into.about_targets))
    facts += [(into.word(("notice", "提示")), into.word(words)) for words in notices(about)]
    if results.infeasible_by_t is not None:
        by = format_tonnes(results.infeasible_by_t)
        facts.append((into.word(("infeasible by", "不可行量")), into.word((f"at least {by} t", f"至少 {by} 吨"))))
    if run:
        check = f"etsopt check {run}"
        facts.append((into.word(("check it again", "再次检查")), check))
    facts.append((into.word(("instance", "算例")), f"SHA-256 {about['instance_hash']}"))
    versions = into.word((", ", "、")).join(f"{name} {version}" for name, version in about["versions"].items())
    facts.append((into.word(("versions", "版本")), versions))
    return facts


def _stated(results: Results) -> Iterator[tuple[str, object]]:
    """Yield the keys of the policy that this allocation states, but year and rule."""
    policy = results.instance.policy.model_dump(exclude_unset=True, exclude_none=True)
    parts: dict[str, Any] = {
        name: policy[name] for name in ("sectors", "provinces", "national", "allocation") if name in policy
    }
    yield from rows_of_policy(parts)


def _certificate(results: Results) -> tuple[str, str]:
    """Return what is proven, in both languages."""
    if not results.certified:
        return ("No optimality is proven; see the sheet `certificate`.", "最优性未证明，见“证明”表。")
    if results.misses_t is None:
        return (
            "Every limit was recomputed, and the bound that proves the status.",
            "已重新计算全部限值和证明状态的界。",
        )
    misses = f"{results.misses_t:.2g}"
    away = None if results.distance_t is None else max(results.distance_t, 1e-9)
    english = f"The allocation misses no limit by more than {misses} t, and none that keeps all limits is better."
    chinese = f"该分配方案偏离任何限值不超过 {misses} 吨，且没有满足全部限值的更优方案。"
    if away is not None:
        english += f" No unit is farther than {away:.2g} t from the one solution of the tie-break."
        chinese += f"任何单元与唯一解的距离不超过 {away:.2g} 吨。"
    return english, chinese


def _write_table(into: Book, name: str, table: pd.DataFrame) -> None:
    """Write a table into a sheet of its own, which can be filtered and whose headings stay in view."""
    sheet = into.book.add_worksheet(into.word(TABLES.get(name, (name, name)))[:31])
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
        heading = heading_of_result(column) if into.in_chinese else column
        sheet.write_string(row, place, heading, into.formats["heading"])
        if column == "target_t" and into.about_targets:
            sheet.write_comment(row, place, into.about_targets, {"x_scale": 2.5, "author": "etsopt"})
        if into.in_chinese:
            cells = in_chinese(column, cells)
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
