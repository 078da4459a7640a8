"""Writer of workbooks with an instance: a sheet for each table and the policy; without an instance, one to fill in.

Headings stand in two rows, the first in the language asked for. Cells explain themselves when they are chosen, and
offer the words that the schema allows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from etsopt.data.files.book import STYLES, Book, Listed, write_listed
from etsopt.data.files.fields import Field, add_lists, add_sheet
from etsopt.data.files.policy_sheet import as_cell, rows_of_policy
from etsopt.data.files.sheets import text_of
from etsopt.data.files.spreadsheet import new_workbook, require_fits, set_up_page, write_column
from etsopt.data.files.template_words import CHINESE, EXAMPLES, NOTES, TEMPLATE, UNITS_IN_CHINESE, meaning_of
from etsopt.data.tables import chinese
from etsopt.data.tables.provinces import SHORT
from etsopt.data.tables.report_columns import REPORT_COLUMNS
from etsopt.data.tables.schema import ENTERPRISES, MEASURES, TABLES, UNITS, VINTAGES
from etsopt.data.tables.user_columns import as_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from etsopt.data.instance import Instance
    from etsopt.data.tables.table import Column, Table

OFFERED = (UNITS, ENTERPRISES, MEASURES)
"""Tables that a workbook to fill in has."""

NOT_OFFERED = {column.name for column in REPORT_COLUMNS} | {f"opening_{year}_t" for year in VINTAGES if year > 2026}
"""Columns that nobody fills in by hand, and vintages that do not exist yet."""


def write_workbook(path: Path, instance: Instance | None = None, in_chinese: bool = False) -> None:
    """Write an instance as a workbook, which reads back as the same instance; or one to fill in.

    Raises
    ------
    UsageError
        If xlsxwriter is not installed, a table does not fit into a sheet, or another process is writing the file.
    OSError
        With the name of the file that cannot be written.
    """
    if instance is None:
        write_sheets(path, {}, None, in_chinese)
    else:
        tables = {name: as_texts(table) for name, table in instance.tables.items()}
        write_sheets(path, tables, instance.policy.model_dump(exclude_unset=True, exclude_none=True), in_chinese)


def write_sheets(
    path: Path,
    tables: Mapping[str, pd.DataFrame],
    stated: Mapping[str, Any] | None,
    in_chinese: bool,
    wrong: Mapping[tuple[str, str, int], str] | None = None,
    lists: Iterable[Listed] = (),
) -> None:
    """Write tables and a policy as a workbook; without a policy, one to fill in.

    Parameters
    ----------
    wrong
        Cells to colour, as `Book` has them.
    lists
        Further sheets behind them.

    Raises
    ------
    UsageError, OSError
        As `write_workbook`.
    """
    for name, table in tables.items():
        require_fits(table, name, above=2)
    with new_workbook(path) as book:
        formats = {name: book.add_format(style) for name, style in STYLES.items()}
        into = Book(book, formats, in_chinese, {}, wrong or {})
        written = [table for table in TABLES if table.name in tables or (stated is None and table in OFFERED)]
        for table in written:
            _write_table(into, table, tables.get(table.name))
        _write_policy(into, stated)
        for listed in lists:
            write_listed(into, listed)
        _write_notes(into, written)
        add_lists(into)


def heading(column: Column, table: Table, in_chinese: bool) -> str:
    """Return the heading of a column; a Chinese one has the unit of measure in brackets.

    >>> heading(UNITS.column("emissions_tco2e"), UNITS, True)
    '经核查排放量（tCO2e）'
    """
    if not in_chinese:
        return column.name
    words = chinese.NAMES[table.name] if column.name == "name" else chinese.HEADINGS[column.name]
    unit = UNITS_IN_CHINESE.get(column.unit, "") if column.number else ""
    return f"{words[0]}（{unit}）" if unit else words[0]


def _write_table(into: Book, table: Table, cells: pd.DataFrame | None) -> None:
    """Write a table, or headings and an example row of one to fill in."""
    known = {column.name: column for column in table.columns}
    names = [name for name in known if name not in NOT_OFFERED] if cells is None else [str(name) for name in cells]
    fields = [_field(name, known.get(name), table, into.in_chinese) for name in names]
    sheet = add_sheet(into, into.word(table.name, chinese.TABLES[table.name]), fields)
    for place, name in enumerate(names):
        if cells is not None:
            shown = as_cells(cells[name], known.get(name), into.in_chinese)
            write_column(sheet, place, 2, shown)
            for row, text in ((row, text) for (*of, row), text in into.wrong.items() if of == [table.name, name]):
                value = text or ("" if shown.iloc[row] != shown.iloc[row] else shown.iloc[row])
                sheet.write(row + 2, place, value, into.formats["wrong"])
        else:
            for row, example in enumerate(EXAMPLES[table.name][into.in_chinese], 2):
                if name in example:
                    sheet.write(row, place, example[name], into.formats["example"])
    if cells is not None:
        sheet.autofilter(1, 0, len(cells) + 1, len(names) - 1)


def _field(name: str, column: Column | None, table: Table, in_chinese: bool) -> Field:
    """Return a column as a sheet has it; one of the user's own explains nothing."""
    if column is None:
        return Field(name, (name, name))
    unit = f" [{column.unit}]" if column.unit else ""
    return Field(
        name,
        (heading(column, table, False), heading(column, table, True)),
        f"{chinese.MEANINGS[name] if in_chinese else column.meaning}{unit}",
        column.required,
        column.number,
        words_of(column),
    )


def as_cells(cells: pd.Series, column: Column | None, in_chinese: bool) -> pd.Series:
    """Return the cells of a column in the language of the lists beside them.

    Those of a column of the user's own are numbers where these read back as the same text.
    """
    if column is not None:
        words = dict(zip(*words_of(column), strict=True)) if in_chinese else {}
        return cells.replace(words) if words else cells
    if cells.dtype.kind == "b":
        return cells
    texts = [repr(cell) if isinstance(cell, float) else str(cell) for cell in cells.tolist()]
    numbers = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce")
    again = ["" if number != number else text_of(number, False) for number in numbers.tolist()]
    texts = ["" if text == "nan" else text for text in texts]
    return numbers if again == texts and any(texts) else pd.Series(texts, dtype=object)


def words_of(column: Column) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the words that a column offers in English and in Chinese; a province may also be another."""
    if column.name == "province":
        return tuple(SHORT), tuple(SHORT.values())
    words = chinese.WORDS.get(column.name, {})
    return column.choices, tuple(words[choice][0] if choice in words else choice for choice in column.choices)


def _write_policy(into: Book, stated: Mapping[str, Any] | None) -> None:
    """Write the stated keys of a policy, or those of a new one, and others that may be stated."""
    sheet = into.book.add_worksheet(into.word("policy", "政策"))
    headings = ("key", "value", "meaning", "说明") if not into.in_chinese else ("参数", "取值", "说明", "meaning")
    for place, text in enumerate(headings):
        sheet.write_string(0, place, text, into.formats["needed" if place < 2 else "optional"])
    for place, width in enumerate((38, 18, 60, 60)):
        sheet.set_column(place, place, width)
    sheet.freeze_panes(1, 0)
    set_up_page(sheet, 1)
    values = TEMPLATE if stated is None else dict(rows_of_policy(stated))
    # A key below a stated one, or above it, would state it twice.
    others = [
        key
        for key in TEMPLATE
        if not any(f"{one}.".startswith(f"{key}.") or f"{key}.".startswith(f"{one}.") for one in values)
    ]
    for row, key in enumerate((*values, *others), 1):
        sheet.write_string(row, 0, key, into.formats["top"])
        if (value := values.get(key)) is not None:
            sheet.write(row, 1, as_cell(value), into.formats["top"])
        meanings = (meaning_of(key), CHINESE.get(key, ""))
        for place, text in enumerate(reversed(meanings) if into.in_chinese else meanings, 2):
            sheet.write_string(row, place, text, into.formats["wrapped"])
    truths = {"validate": "list", "source": ["TRUE", "FALSE"]}
    for row, key in enumerate((*values, *others), 1):
        if isinstance(TEMPLATE.get(key), bool):
            sheet.data_validation(row, 1, row, 1, truths)


def _write_notes(into: Book, tables: Iterable[Table]) -> None:
    """Write what every column means, and how to go on."""
    sheet = into.book.add_worksheet(into.word("notes", "说明"))
    set_up_page(sheet, 0)
    sheet.write_string(0, 0, into.word("How to fill this workbook in", "填写说明"), into.formats["title"])
    row = 1
    for row, text in enumerate(NOTES[into.in_chinese], 1):
        sheet.write_string(row, 0, text)
    headings = ("sheet", "column", "列", "unit", "required", "meaning", "说明")
    for place, (text, width) in enumerate(zip(headings, (14, 28, 28, 14, 10, 70, 60), strict=True)):
        sheet.write_string(row + 2, place, text, into.formats["optional"])
        sheet.set_column(place, place, width)
    row += 3
    for table in tables:
        for column in table.columns:
            if column.name in NOT_OFFERED:
                continue
            cells = (
                *(into.word(table.name, chinese.TABLES[table.name]), column.name, heading(column, table, True)),
                *(column.unit, into.word("yes", "是") if column.required else "", column.meaning),
                chinese.MEANINGS[column.name],
            )
            for place, text in enumerate(cells):
                sheet.write_string(row, place, text, into.formats["wrapped"])
            row += 1
