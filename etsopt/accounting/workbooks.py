"""Sheets of workbooks as tables of rows of monthly reports, with Chinese or English headings.

A sheet has one row of headings, below titles if it has any, and a quantity a row below it. A cell whose value the file
does not hold is refused, and never taken as an empty one: an error, a formula without a value, a merged range.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.accounting.coded import month_of
from etsopt.accounting.headings import ROW_HEADINGS
from etsopt.accounting.schema import ROWS
from etsopt.accounting.vocabulary import UNIT_WORDS, folded
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
from etsopt.data.tables.recognise import Heading, known, problem_of_unit, problems_of_repeats, recognised
from etsopt.data.tables.text_columns import normalise
from etsopt.errors import AssumedWarning, Problem, warn
from etsopt.language import _

if TYPE_CHECKING:
    from pathlib import Path

LEAST_HEADINGS = 3
"""Headings that make a row the row of headings."""

NUMBERS = frozenset(column.name for column in ROWS.columns if column.number)
DATES = {"month": "%Y-%m", "reported_on": "%Y-%m-%d", "calibrated_on": "%Y-%m-%d"}

COLUMNS = known({column.name: ROW_HEADINGS.get(column.name, ()) for column in ROWS.columns})
"""Columns by their headings, in their plain form."""

NCV_UNITS = frozenset(("gj/t", "gj/1e4nm3", "gj/10^4nm3", "gj/万nm3"))
"""Units of calorific values, as a heading may state them one by one."""


def heading_of(text: str) -> Heading:
    """Return what a heading names.

    >>> heading_of(" 数量（万吨）")[:2], heading_of("month")[:2], heading_of("备注")[:2]
    (('quantity', '万吨'), ('month', ''), ('', ''))
    """
    return recognised(text, COLUMNS, is_unit)


def is_unit(column: str, unit: str) -> bool:
    """Return True for a unit of measure that the heading of a column may state.

    >>> [is_unit("ncv_gj_per_unit", unit) for unit in ("GJ/t", "GJ/t或GJ/万Nm3", "kJ/kg")]
    [True, True, False]
    """
    stated = "".join(unit.split()).casefold()
    if column == "quantity":
        return folded(stated) in UNIT_WORDS
    return column == "ncv_gj_per_unit" and all(part in NCV_UNITS for part in re.split("[,、;或]|or", stated))


@dataclass
class SheetOfRows:
    """A sheet whose rows are being read.

    Parameters
    ----------
    place
        File and sheet, as messages and the trail name them.
    columns
        Position and heading of each column, by its name in the schema.
    unit
        Unit of measure that the heading of the quantity states; empty without one.
    """

    place: str
    columns: dict[str, tuple[int, str]] = field(default_factory=dict)
    unit: str = ""

    def named(self, problem: Problem) -> Problem:
        """Return a problem of this sheet with its heading and cells instead of column and rows."""
        column = problem.column.split(", ")[-1]
        if problem.place != self.place or column not in self.columns:
            return problem
        position, heading = self.columns[column]
        cells = tuple(
            (f"cell {column_name(position)}{row}" if row.isdigit() else row, value) for row, value in problem.cells
        )
        shown = heading if heading == column else f"{heading} ({column})"
        return replace(problem, column=shown if column == problem.column else problem.column, cells=cells)


def read_sheets_of_rows(path: Path, place: str) -> tuple[list[tuple[SheetOfRows, RawTable]], list[Problem]]:
    """Read the rows of every sheet of a workbook as texts, and the problems of its file, headings and cells.

    Raises
    ------
    UsageError
        If python-calamine is not installed.
    """
    sheets, problems = read_workbook(path, _("save the sheets as CSV in UTF-8 in its place"))
    if problems:
        return [], [replace(problem, place=place) for problem in problems]
    try:
        flaws = flaws_of_cells(path.read_bytes())
    except (KeyError, ValueError):
        flaws = {}
    found = []
    for name, cells in sheets.items():
        if not any(cell != "" for row in cells for cell in row):
            continue
        sheet = SheetOfRows(f"{place}, sheet {name}")
        if name not in flaws:
            # Errors and formulas without a value would be read as empty cells.
            what = _("is laid out unlike the workbooks of spreadsheet programs: its cells cannot be examined")
            problems.append(Problem(sheet.place, what, _("Open it in a spreadsheet program, and save it as .xlsx.")))
            continue
        raw, of_sheet = _read(sheet, cells, flaws[name])
        problems += of_sheet
        if raw is not None:
            found.append((sheet, raw))
    return found, problems


def _read(sheet: SheetOfRows, cells: list[list[Any]], flaws: Flaws) -> tuple[RawTable | None, list[Problem]]:
    """Return the rows below the headings; None for a sheet with wrong headings or none."""
    counts = (sum(heading_of(str(cell)).column != "" for cell in row) for row in cells)
    top = next((row for row, count in enumerate(counts) if count >= LEAST_HEADINGS), None)
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


def _rows(sheet: SheetOfRows, cells: list[list[Any]], top: int) -> tuple[RawTable, list[Problem]]:
    """Return the rows below the headings as texts, and problems of cells that a spreadsheet program changed."""
    rows = [row for row in range(top + 1, len(cells)) if any(cell != "" for cell in cells[row])]
    columns: dict[str, Any] = {}
    dates: Marked = []
    lost: Marked = []
    for name, (position, _other) in sheet.columns.items():
        for row in rows:
            cell = cells[row][position]
            if isinstance(cell, TIMES) and not (name in DATES and isinstance(cell, datetime.date)):
                dates.append((row, position, str(cell)))
            elif is_number(cell) and abs(cell) >= LOST_FROM and name not in NUMBERS:
                lost.append((row, position, f"{cell:.15g}"))
        columns[name] = np.array([_text(cells[row][position], name) for row in rows], dtype=object)
    problems = problem_of_marked(
        sheet.place, dates, DATE, _("Format the cell as text or number, and write the value again.")
    )
    problems += problem_of_marked(
        sheet.place, lost, LOST, _("Write the code as a text: a spreadsheet keeps 15 digits of a number.")
    )
    if sheet.unit:
        columns["unit"] = np.full(len(rows), sheet.unit, dtype=object)
    return RawTable(sheet.place, columns, np.array(rows, dtype=np.int64) + 1), problems


def _name_columns(sheet: SheetOfRows, cells: list[list[Any]], top: int) -> list[Problem]:
    """Name the columns by their headings; return the problems of headings."""
    problems: list[Problem] = []
    cells_of: dict[str, list[tuple[str, str]]] = {}
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
        here = (f"cell {column_name(position)}{top + 1}", heading)
        sheet.columns.setdefault(column or heading, (position, heading))
        cells_of.setdefault(column or heading, []).append(here)
        problems += problem_of_stated_unit(sheet.place, named, here)
        if column == "quantity":
            sheet.unit = "".join(unit.split())
    return problems + problems_of_columns(sheet.place, cells_of, sheet.unit)


def problems_of_columns(place: str, headings: dict[str, list[tuple[str, str]]], unit: str) -> list[Problem]:
    """Return the problems of columns that several headings name, and of a unit of the quantity that two state.

    Parameters
    ----------
    headings
        Places and texts of the headings of each column.
    unit
        Unit that the heading of the quantity states; empty without one.
    """
    problems = problems_of_repeats(place, headings)
    if unit and "unit" in headings:
        twice = _("two headings state the unit of the quantity")
        advice = _("State it in the heading of the quantity, or in a column of units, and not in both.")
        problems.append(Problem(place, twice, advice, "unit", (*headings["quantity"], *headings["unit"])))
    return problems


def problem_of_stated_unit(place: str, named: Heading, cell: tuple[str, str]) -> list[Problem]:
    """Return the problem of a unit in a heading that its column cannot have; none if it can, or there is none."""
    if not named.unit or is_unit(named.column, named.unit):
        return []
    return [problem_of_unit(place, named, cell, UNITS_IN_HEADINGS.get(named.column, ""))]


UNITS_IN_HEADINGS = {"quantity": _("t, 1e4 t, Nm3, 1e4 Nm3"), "ncv_gj_per_unit": _("GJ/t, GJ/1e4 Nm3")}


def _text(cell: Any, column: str) -> str:
    """Return a cell as a CSV file would have it.

    >>> _text(12.5, "quantity"), _text(1.0, "unit_id"), _text("2025年3月", "month")
    ('12.5', '1', '2025-03')
    """
    text = text_of(cell, column in NUMBERS, DATES.get(column, DAY))
    return month_of(text) if column == "month" else text
