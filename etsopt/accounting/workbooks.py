"""Sheets of workbooks as tables of rows of monthly reports, with Chinese or English headings.

A sheet has one row of headings, below titles if it has any, and a quantity a row below it. A cell whose value the file
does not hold is refused, and never taken as an empty one: an error, a formula without a value, a merged range.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.accounting.coded import month_of
from etsopt.accounting.headings import ROW_HEADINGS
from etsopt.accounting.row_headings import (
    OF_QUANTITIES,
    OF_TONNES,
    heading_of,
    problem_of_stated_unit,
    problems_of_columns,
)
from etsopt.accounting.schema import REGISTER, ROWS
from etsopt.common.errors import AssumedWarning, Problem, warn
from etsopt.common.language import _
from etsopt.data.files.lenient.found import OneFile
from etsopt.data.files.lenient.heading_rows import row_of_headings
from etsopt.data.files.lenient.one_file import NOT_TABLES, read_sheet, tell
from etsopt.data.files.sheets import (
    DATE,
    DAY,
    LOST,
    LOST_FROM,
    TIMES,
    Marked,
    is_number,
    note_of_hidden,
    problem_of_marked,
    problems_of_flaws,
    text_of,
)
from etsopt.data.files.workbook import Flaws, column_name, flaws_of_cells, read_workbook
from etsopt.data.tables.raw import RawTable
from etsopt.data.tables.recognise import plain
from etsopt.data.tables.text_columns import normalise

if TYPE_CHECKING:
    from pathlib import Path

SHEET = ", sheet "
"""What stands between the file and the sheet in the trail."""

LEAST_HEADINGS = 3
"""Headings that make a row the row of headings."""

NUMBERS = frozenset(
    (*(column.name for column in ROWS.columns if column.number), *OF_QUANTITIES, *OF_TONNES, "x_carbon_tc_per_t")
)
DATES = {"month": "%Y-%m"} | dict.fromkeys(("reported_on", "calibrated_on", "x_sampled_on", "x_tested_on"), DAY)

NO_ROWS = NOT_TABLES | {"evidence", "证据清单"}
"""Sheets that a workbook to fill in has beside those of rows, in the plain form of their names."""


@dataclass
class SheetOfRows:
    """A sheet whose rows are being read.

    Parameters
    ----------
    place
        File and sheet, as messages and the trail name them.
    columns
        Position and heading of each column, by its name in the schema.
    """

    place: str
    columns: dict[str, tuple[int, str]] = field(default_factory=dict)

    def named(self, problem: Problem) -> Problem:
        """Return a problem of this sheet with its heading and cells instead of column and rows."""
        if problem.place != self.place:
            return problem
        problem, column = replace(problem, place=place_of(self.place)), problem.column.split(", ")[-1]
        if column not in self.columns:
            return problem
        position, heading = self.columns[column]
        cells = tuple(
            (f"cell {column_name(position)}{row}" if row.isdigit() else row, value) for row, value in problem.cells
        )
        shown = heading if heading == column else f"{heading} ({column})"
        return replace(problem, column=shown if column == problem.column else problem.column, cells=cells)


def place_of(file: str) -> str:
    """Return the file of a row, with the sheet of a workbook in the words of the language.

    >>> str(place_of("plants.xlsx, sheet stock")), str(place_of("reports/2025.csv"))
    ('plants.xlsx, sheet stock', 'reports/2025.csv')
    """
    book, between, name = file.partition(SHEET)
    return _("{file}, sheet {name}", file=book, name=name) if between else file


@dataclass
class BookOfReports:
    """The sheets of a workbook of monthly reports as texts.

    Parameters
    ----------
    registers
        Sheets with headings of the register.
    rows
        Sheets of rows; those without rows are left out, unless none has any.
    problems
        Problems of the file, and of headings and cells.
    """

    registers: list[RawTable] = field(default_factory=list)
    rows: list[tuple[SheetOfRows, RawTable]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_book(path: Path, place: str) -> BookOfReports:
    """Read the sheets of a workbook: each is the register or has rows, by its headings.

    Raises
    ------
    UsageError
        If python-calamine is not installed.
    """
    sheets, problems = read_workbook(path, _("save the sheets as CSV in UTF-8 in its place"))
    if problems:
        return BookOfReports(problems=[replace(problem, place=place) for problem in problems])
    try:
        flaws = flaws_of_cells(path.read_bytes())
    except (KeyError, ValueError):
        flaws = {}
    found = BookOfReports()
    for name, cells in sheets.items():
        if not any(cell != "" for row in cells for cell in row):
            continue
        sheet = SheetOfRows(f"{place}{SHEET}{name}")
        counts = (sum(heading_of(str(cell)).column != "" for cell in row) for row in cells)
        top = next((row for row, count in enumerate(counts) if count >= LEAST_HEADINGS), None)
        if top is None and plain(name) in NO_ROWS:
            continue
        if name not in flaws:
            # Errors and formulas without a value would be read as empty cells.
            what = _("is laid out unlike the workbooks of spreadsheet programs: its cells cannot be examined")
            advice = _("Open it in a spreadsheet program, and save it as .xlsx.")
            found.problems.append(Problem(sheet.place, what, advice))
        elif top is None and row_of_headings(cells, REGISTER, LEAST_HEADINGS) is not None:
            of_sheet = OneFile()
            read_sheet(of_sheet, REGISTER, sheet.place, cells, flaws[name])
            found.registers += of_sheet.tables.values()
            found.problems += of_sheet.problems
            tell(of_sheet.sentences)
        else:
            raw, of_rows = _read(sheet, cells, flaws[name], top)
            found.problems += of_rows
            found.rows += [] if raw is None else [(sheet, raw)]
    found.rows = [one for one in found.rows if len(one[1].rows)] or found.rows[:1]
    return found


def _read(
    sheet: SheetOfRows, cells: list[list[Any]], flaws: Flaws, top: int | None
) -> tuple[RawTable | None, list[Problem]]:
    """Return the rows below the headings in row ``top``; None for a sheet with wrong headings or none."""
    if top is None:
        headings = "、".join(words[0] for words in ROW_HEADINGS.values())
        advice = _(
            "Write one row of them, in English ({row_headings}) or Chinese ({headings}), or delete it.",
            row_headings=", ".join(ROW_HEADINGS),
            headings=headings,
        )
        return None, [Problem(sheet.place, _("has no row of headings"), advice)]
    if note := note_of_hidden(sheet.place, cells, flaws, top):
        warn(note, AssumedWarning)
    problems = problems_of_flaws(sheet.place, cells, flaws, top)
    of_headings = _name_columns(sheet, cells, top)
    if of_headings:
        return None, problems + of_headings
    raw, of_cells = _rows(sheet, cells, top)
    return raw, problems + of_cells


def _repeats(below: list[Any], above: list[Any]) -> bool:
    """Return True for a second row of headings, which name the columns of those above in the other language."""
    named = [tuple(heading_of(str(cell)).column or cell for cell in pair) for pair in zip(below, above, strict=True)]
    named = [(lower, upper) for lower, upper in named if lower != ""]
    return len(named) >= LEAST_HEADINGS and all(lower == upper for lower, upper in named)


def _rows(sheet: SheetOfRows, cells: list[list[Any]], top: int) -> tuple[RawTable, list[Problem]]:
    """Return the rows below the headings as texts, and problems of cells that a spreadsheet program changed."""
    first = top + 2 if top + 1 < len(cells) and _repeats(cells[top + 1], cells[top]) else top + 1
    rows = [row for row in range(first, len(cells)) if any(cell != "" for cell in cells[row])]
    columns: dict[str, Any] = {}
    letters: dict[str, str] = {}
    dates: Marked = []
    lost: Marked = []
    for name, (position, heading) in sheet.columns.items():
        for row in rows:
            cell = cells[row][position]
            if isinstance(cell, TIMES) and not (name in DATES and isinstance(cell, datetime.date)):
                dates.append((row, position, str(cell)))
            elif is_number(cell) and abs(cell) >= LOST_FROM and name not in NUMBERS:
                lost.append((row, position, f"{cell:.15g}"))
        # Headings of quantities stay, as each may state a unit of its own.
        key = heading if name in OF_QUANTITIES else name
        letters[key] = column_name(position)
        columns[key] = np.array([_text(cells[row][position], name) for row in rows], dtype=object)
    problems = problem_of_marked(
        sheet.place, dates, DATE, _("Format the cell as text or number, and write the value again.")
    )
    problems += problem_of_marked(
        sheet.place, lost, LOST, _("Write the code as a text: a spreadsheet keeps 15 digits of a number.")
    )
    return RawTable(sheet.place, columns, np.array(rows, dtype=np.int64) + 1, letters, top + 1), problems


def _name_columns(sheet: SheetOfRows, cells: list[list[Any]], top: int) -> list[Problem]:
    """Name the columns by their headings; return the problems of headings."""
    problems: list[Problem] = []
    cells_of: dict[str, list[tuple[str, str]]] = {}
    units: list[str] = []
    for position, cell in enumerate(cells[top]):
        heading = normalise(str(cell))
        named = heading_of(heading)
        column, unit, _year = named
        if not heading:
            filled = [(row, position, _text(cells[row][position], "")) for row in range(top + 1, len(cells))]
            what = (_("cell has no heading"), _("cells have no heading"))
            filled = [one for one in filled if one[2]]
            problems += problem_of_marked(sheet.place, filled, what, _("Write a heading above them, or empty them."))
            continue
        label = (f"cell {column_name(position)}{top + 1}", heading)
        sheet.columns.setdefault(column or heading, (position, heading))
        cells_of.setdefault(column or heading, []).append(label)
        problems += problem_of_stated_unit(sheet.place, named, label)
        if unit and column in OF_QUANTITIES:
            units.append(column)
    return problems + problems_of_columns(sheet.place, cells_of, units)


def _text(cell: Any, column: str) -> str:
    """Return a cell as a CSV file would have it.

    >>> _text(12.5, "quantity"), _text(1.0, "unit_id"), _text("2025年3月", "month")
    ('12.5', '1', '2025-03')
    """
    text = text_of(cell, column in NUMBERS, DATES.get(column, DAY))
    return month_of(text) if column == "month" else text
