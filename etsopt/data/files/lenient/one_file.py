"""Instances in one file: a workbook with a sheet for each table, or a CSV file of units alone.

Sheets are tables by their names, English or Chinese; a sheet of another name is that of the units if its headings are.
Such files are written by people: headings may be words, columns of their own need no prefix, and a policy may be
absent. Whatever is assumed or not read is told as a warning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.errors import AssumedWarning, Problem, UsageError, brief, warn
from etsopt.common.language import _
from etsopt.data.files.lenient.credit_codes import notes_of_codes
from etsopt.data.files.lenient.found import OneFile
from etsopt.data.files.lenient.heading_rows import (
    LEAST_HEADINGS,
    LEAST_OF_UNITS,
    problems_of_levels,
    repeats,
    row_of_headings,
    with_units_of_both,
)
from etsopt.data.files.lenient.ignored_content import notes_of_cases, years_in
from etsopt.data.files.lenient.last_year import with_last_year
from etsopt.data.files.lenient.non_data_rows import beside_notes, without_notes, without_totals
from etsopt.data.files.lenient.normalised_tables import normalised_tables
from etsopt.data.files.lenient.table_plausibility import problems_of_percent
from etsopt.data.files.lenient.thousands import without_separators
from etsopt.data.files.lenient.unit_notes import problems_of_unit_notes
from etsopt.data.files.policy_sheet import POLICY, POLICY_SHEETS, heading_row, read_policy_sheet, rows_as_written
from etsopt.data.files.sheets import (
    DATE,
    LOST,
    LOST_FROM,
    TIMES,
    WRITE_AGAIN,
    WRITE_AS_TEXT,
    is_number,
    note_of_hidden,
    problem_of_marked,
    problems_of_flaws,
    text_of,
)
from etsopt.data.files.workbook import WORKBOOKS, Flaws, column_name, flaws_of_cells, read_workbook
from etsopt.data.tables import chinese
from etsopt.data.tables.headings import column_of
from etsopt.data.tables.raw import RawTable, problems_of_names, read_csv
from etsopt.data.tables.recognise import plain
from etsopt.data.tables.schema import ENTERPRISES, TABLES, UNITS
from etsopt.data.tables.text_columns import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from etsopt.data.files.workbook import Cells
    from etsopt.data.instance import Instance
    from etsopt.data.tables.table import Table

SUFFIXES = (*WORKBOOKS, ".csv")

NOT_TABLES = frozenset(("notes", "说明", "lists", "选项", "changes", "更改", "todo", "待办"))
"""Sheets that the package writes beside those of an instance, in the plain form of their names."""

NO_EVIDENCE = _("its cells cannot be examined: it is laid out unlike the workbooks of spreadsheet programs")


def tell(notes: Iterable[str]) -> None:
    """Warn of what is assumed, and of what is not read."""
    for note in notes:
        warn(note, AssumedWarning)


def read_one_file(path: Path) -> OneFile:
    """Read a workbook, or a CSV file of units.

    Raises
    ------
    UsageError
        If python-calamine is not installed, which reads workbooks.
    """
    found = OneFile(years=years_in(path.stem, _("the name of the file {text}")))
    if path.suffix.lower() not in WORKBOOKS:
        raw, found.problems = read_csv(path.read_bytes(), path.name, partly=True)
        if raw is not None:
            _add(found, UNITS, raw)
        return found
    sheets, found.problems = read_workbook(path, _("save the sheets as CSV files"))
    if found.problems:
        return found
    try:
        flaws = flaws_of_cells(path.read_bytes())
    except (KeyError, ValueError):
        flaws = {}
    filled = {name: cells for name, cells in sheets.items() if any(cell != "" for row in cells for cell in row)}
    _see_that_examined(found, path.name, filled, flaws)
    roles = _roles(found, path.name, {name: cells for name, cells in filled.items() if name in flaws})
    for name, role in roles.items():
        place = _("{file}, sheet {name}", file=path.name, name=name)
        if isinstance(role, str):
            found.place_of_policy = place
            found.problems += problems_of_flaws(place, filled[name], flaws[name], heading_row(filled[name]) or 0)
            found.policy, found.policy_cells, of_policy = read_policy_sheet(filled[name], place)
            found.problems += of_policy
            if (top := heading_row(filled[name])) is not None:
                found.policy_rows = [*rows_as_written(filled[name], top)]
        else:
            found.years |= years_in(name, _("the name of the sheet {text}")) if role is UNITS else {}
            read_sheet(found, role, place, filled[name], flaws[name])
    return found


def _see_that_examined(found: OneFile, file: str, sheets: Iterable[str], flaws: dict[str, Flaws]) -> None:
    """Refuse sheets of which errors and formulas without a value would be read as empty cells."""
    advice = _("Open it in a spreadsheet program, and save it as .xlsx.")
    found.problems += [
        Problem(_("{file}, sheet {name}", file=file, name=name), NO_EVIDENCE, advice)
        for name in sheets
        if name not in flaws
    ]


def _roles(found: OneFile, file: str, sheets: dict[str, list[Cells]]) -> dict[str, Table | str]:
    """Return the table of each sheet that is one, or the word for the policy."""
    by_name: dict[str, Table | str] = dict.fromkeys(POLICY_SHEETS, POLICY)
    by_name |= {plain(name): table for table in TABLES for name in (table.name, chinese.TABLES[table.name])}
    roles = {name: by_name[plain(name)] for name in sheets if plain(name) in by_name}
    for role in {id(role): role for role in roles.values()}.values():
        same = [name for name, other in roles.items() if other is role]
        if len(same) > 1:
            what = _("has {count} sheets of one table: {same}", count=len(same), same=", ".join(same))
            found.problems.append(Problem(file, what, _("Keep one of them.")))
    others = [name for name in sheets if name not in roles and plain(name) not in NOT_TABLES]
    if UNITS not in roles.values():
        like_units = [name for name in others if row_of_headings(sheets[name], UNITS, LEAST_OF_UNITS) is not None]
        if len(like_units) == 1:
            roles[like_units[0]] = UNITS
        else:
            headings = ", ".join(column.name for column in UNITS.columns if column.required)
            what = _("has {value} sheets with headings of units", value=len(like_units) or _("no"))
            advice = _(
                "Name the sheet of the units `units` or 单元, with one row of headings, such as {headings}.",
                headings=headings,
            )
            found.problems.append(Problem(file, what, advice))
            others = []
    if unread := [name for name in others if name not in roles]:
        which = ", ".join(map(brief, unread))
        names = ", ".join((*(table.name for table in TABLES), POLICY_SHEETS[0]))
        found.notes.append(
            _(
                "{file}: not read are the sheets {which}. Sheets that are read are named {names}.",
                file=file,
                which=which,
                names=names,
            )
        )
    return roles


def read_sheet(found: OneFile, table: Table, place: str, cells: list[Cells], flaws: Flaws) -> None:
    """Read the rows of a sheet below its headings, which may stand in two rows, one for each language."""
    top = row_of_headings(cells, table, LEAST_HEADINGS)
    if top is None:
        needed = ", ".join(column.name for column in table.columns if column.required)
        advice = _(
            "Write one row of headings, such as {needed}; a template has them all: etsopt new FILE.xlsx", needed=needed
        )
        found.problems.append(Problem(place, _("has no row of headings"), advice))
        return
    if of_levels := problems_of_levels(place, cells, top, table):
        # What the columns are cannot be told, so that no cell of them is examined.
        found.problems += of_levels
        return
    found.problems += problems_of_flaws(place, cells, beside_notes(flaws, cells, top), top)
    found.notes += filter(None, [note_of_hidden(place, cells, flaws, top)])
    if table is UNITS:
        for title in (cell for row in cells[:top] for cell in row if isinstance(cell, str)):
            found.years |= years_in(title, _("the title {text}"))
    headings = [normalise(text_of(cell, False)) for cell in cells[top]]
    first = top + 1
    if first < len(cells) and repeats(cells[first], headings, table):
        headings = with_units_of_both(headings, cells[first], table)
        first += 1
    found.problems += problems_of_unit_notes(place, cells, top, headings, table)
    rows = [row for row in range(first, len(cells)) if any(cell != "" for cell in cells[row])]
    named = [position for position, heading in enumerate(headings) if heading]
    bare = [(row, at, text_of(cells[row][at], False)) for at in set(range(len(headings))) - {*named} for row in rows]
    what = (_("cell has no heading"), _("cells have no heading"))
    advice = _("Write a heading above them, or empty them.")
    found.problems += problem_of_marked(place, [one for one in bare if one[2]], what, advice)
    found.problems += problems_of_names([headings[position] for position in named], place)
    # The first of repeated headings stands for all, so that the other columns are examined.
    named = [position for position in named if headings.index(headings[position]) == position]
    columns = {}
    for position in named:
        column = column_of(headings[position], table)
        columns[headings[position]], of_column = _cells_of(place, cells, rows, position, table, column)
        found.problems += of_column
    letters = {headings[position]: column_name(position) for position in named}
    raw = RawTable(place, columns, np.array(rows, dtype=np.int64) + 1, letters, top + 1)
    _add(found, table, raw)


def _cells_of(
    place: str, cells: list[Cells], rows: list[int], position: int, table: Table, column: str
) -> tuple[np.ndarray, list[Problem]]:
    """Return a column as texts, and problems of cells that a spreadsheet program changed."""
    is_number_column = bool(column) and table.column(column).number
    stated = [(row, cells[row][position]) for row in rows]
    problems = []
    if column:
        dates = [(row, position, str(cell)) for row, cell in stated if isinstance(cell, TIMES)]
        problems += problem_of_marked(place, dates, DATE, WRITE_AGAIN, column)
    if column and not is_number_column:
        lost = [(row, position, f"{cell:.15g}") for row, cell in stated if is_number(cell) and abs(cell) >= LOST_FROM]
        problems += problem_of_marked(place, lost, LOST, WRITE_AS_TEXT, column)
    return np.array([text_of(cell, is_number_column) for _, cell in stated], dtype=object), problems


def _add(found: OneFile, table: Table, raw: RawTable) -> None:
    """Add a table as people write them, with notes on it."""
    raw, found.ungrouped[table.name] = without_separators(raw, table)
    if table in (UNITS, ENTERPRISES):
        for leave_out in (without_totals, without_notes):
            raw, of_rows = leave_out(raw, table)
            found.problems += of_rows
        found.doubts += notes_of_codes(raw, table)
    if table is UNITS:
        found.problems += problems_of_percent(raw)
        found.doubts += notes_of_cases(raw)
    found.tables[table.name] = raw


def take_as_meant(found: OneFile, year: int | None) -> None:
    """Take the tables as people mean them, with notes on what is assumed or not read.

    Parameters
    ----------
    year
        Year of the policy; None if it is not stated.
    """
    for table in (table for table in TABLES if table.name in found.tables):
        found.tables[table.name], told = with_last_year(found.tables[table.name], table, year)
        found.notes += told
    for heading in found.tables[UNITS.name].columns if UNITS.name in found.tables else ():
        if column_of(heading, UNITS) == "emissions_tco2e":
            found.years |= years_in(heading, _("the heading {text}"))
    found.tables, notes = normalised_tables(found.tables)
    found.notes += notes


def find_file(source: Path) -> None:
    """Raise UsageError if a file of an instance is missing.

    Raises
    ------
    UsageError
        If there is no such file.
    """
    if not source.is_file():
        advice = _("Check its name; `etsopt new FILE.xlsx` writes a workbook to fill in.")
        raise UsageError(_("There is no file {source!r}.", source=str(source)), advice)


def order_of_file(instance: Instance, raw: RawTable) -> NDArray[np.int64] | None:
    """Return the positions of the units in the order of their file, shape ``(units,)``; None if it is theirs."""
    of_key = next(cells for name, cells in raw.columns.items() if column_of(name, UNITS) == "unit_id")
    position = {name: at for at, name in enumerate(instance.units["unit_id"])}
    order = np.array([position[normalise(str(name))] for name in of_key], dtype=np.int64)
    return None if (np.diff(order) > 0).all() else order
