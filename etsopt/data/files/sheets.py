"""Cells of sheets as texts, and problems of cells whose value the file does not hold."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from etsopt.common.errors import Problem
from etsopt.common.language import _
from etsopt.data.files.workbook import column_name
from etsopt.data.messages import counted

if TYPE_CHECKING:
    from etsopt.data.files.workbook import Cells, Flaws

LOST_FROM = 1e15
"""Whole numbers from which on a spreadsheet may have replaced digits of an identifier."""

TIMES = (datetime.date, datetime.time, datetime.timedelta)
DATE = (_("cell is a date"), _("cells are dates"))
LOST = (_("identifier has lost digits"), _("identifiers have lost digits"))
WRITE_AGAIN = _("Format the cell as text or number, and write the value again.")
WRITE_AS_TEXT = _("Write the code as a text: a spreadsheet keeps 15 digits of a number.")
DAY = "%Y-%m-%d"

HIDDEN_SHOWN = 8
"""Hidden rows that a note names."""

Marked = list[tuple[int, int, str]]
"""Row and column of cells, from 0 on, and the value to show."""


def problems_of_flaws(place: str, cells: list[Cells], flaws: Flaws, top: int) -> list[Problem]:
    """Return a problem of each kind of cell, from the row of headings on, whose value the file does not hold.

    Cells with an error and formulas without a value become what the file has, so that later checks do not see an empty
    cell.
    """
    errors, uncalculated = ([one for one in marked if one[0] >= top] for marked in (flaws.errors, flaws.uncalculated))
    problems = problem_of_marked(
        place,
        errors,
        (_("cell is an error"), _("cells are errors")),
        _("Correct the formula, write the value, or empty the cell."),
    )
    what = (_("formula has no value"), _("formulas have no value"))
    advice = _("Open the workbook in a spreadsheet program, which calculates it, and save it; or write the values.")
    problems += problem_of_marked(place, uncalculated, what, advice)
    merged = []
    for first, left, last, right in flaws.merged:
        if last >= top:
            value = cells[first][left] if first < len(cells) and left < len(cells[first]) else ""
            corner = f"{column_name(left)}{first + 1}"
            merged.append((f"cell {corner}:{column_name(right)}{last + 1}", text_of(value, False)))
    if merged:
        what = (_("range of cells is merged"), _("ranges of cells are merged"))
        advice = _("Unmerge them, and fill every cell: only the first of a range has its value.")
        problems.append(Problem(place, counted(len(merged), *what), advice, cells=tuple(merged)))
    for row, column, shown in (*flaws.errors, *flaws.uncalculated):
        if row < len(cells) and column < len(cells[row]):
            cells[row][column] = shown
    return problems


def note_of_hidden(place: str, cells: list[Cells], flaws: Flaws, top: int) -> str:
    """Return a note on the hidden rows that are read, below the row of headings; empty if there are none."""
    rows = [row for row in flaws.hidden if top < row < len(cells) and any(cell != "" for cell in cells[row])]
    if not rows:
        return ""
    shown = ", ".join(str(row + 1) for row in rows[:HIDDEN_SHOWN])
    more = f" ... {rows[-1] + 1}" if len(rows) > HIDDEN_SHOWN else ""
    count = counted(len(rows), _("hidden row is read"), _("hidden rows are read"))
    return _("{place}: {count} like any other: {rows}.", place=place, count=count, rows=shown + more)


def problem_of_marked(
    place: str, marked: Marked, what: tuple[str, str], advice: str, column: str = ""
) -> list[Problem]:
    """Return a problem of some cells of a sheet, or none without any; ``what`` describes one and several."""
    cells = tuple((f"cell {column_name(position)}{row + 1}", value) for row, position, value in marked)
    return [Problem(place, counted(len(cells), *what), advice, column, cells)] if cells else []


def is_number(cell: Any) -> bool:
    """Return True for a number, which a truth value is not here."""
    return isinstance(cell, (int, float)) and not isinstance(cell, bool)


def text_of(cell: Any, exact: bool, dates: str = DAY) -> str:
    """Return a cell as a CSV file would have it.

    Parameters
    ----------
    exact
        True to keep every digit of a number, of which an identifier has 15.
    dates
        Format of dates.

    >>> text_of(12.5, True), text_of(1.0, False), text_of(True, False)
    ('12.5', '1', 'TRUE')
    """
    if isinstance(cell, datetime.date):
        return cell.strftime(dates)
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return (repr(cell) if exact else f"{cell:.15g}").removesuffix(".0")
    return str(cell)
