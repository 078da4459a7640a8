"""Rows of headings in a person's sheet: which they are, and headings in two levels, which are refused.

A second row may repeat the headings in the other language. Where it divides them, as products below their output, what
a column holds would be a guess.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.common.errors import Problem
from etsopt.common.language import _
from etsopt.data.files.workbook import column_name
from etsopt.data.tables.headings import column_of, heading_of
from etsopt.data.tables.text_columns import normalise

if TYPE_CHECKING:
    from etsopt.data.files.workbook import Cells
    from etsopt.data.tables.table import Table

LEAST_HEADINGS = 2
"""Headings that make a row the row of headings; a table has at least as many required columns."""

LEAST_OF_UNITS = 3
"""Headings by which a sheet of any name is that of the units: identifier, emissions, sector or province."""


def row_of_headings(cells: list[Cells], table: Table, least: int) -> int | None:
    """Return the first row with so many headings of a table."""
    for row, content in enumerate(cells):
        if len({column_of(cell, table) for cell in content if cell != ""} - {""}) >= least:
            return row
    return None


def repeats(below: Cells, headings: list[str], table: Table) -> bool:
    """Return True for a second row of headings, which name the columns of those above."""
    same = 0
    for cell, heading in zip(below, headings, strict=True):
        column = column_of(cell, table)
        if column and column != column_of(heading, table):
            return False
        same += bool(column)
    return same >= LEAST_HEADINGS


def with_units_of_both(headings: list[str], below: Cells, table: Table) -> list[str]:
    """Return headings with the unit of measure that only the second row states."""
    both = []
    for heading, cell in zip(headings, below, strict=True):
        lower = heading_of(str(cell), table, informal=True)
        bare = lower.unit and not heading_of(heading, table, informal=True).unit
        both.append(f"{heading}({lower.unit})" if bare else heading)
    return both


def problems_of_levels(place: str, cells: list[Cells], top: int, table: Table) -> list[Problem]:
    """Return the problem of headings in two levels, or none."""
    if top + 1 >= len(cells) or not _divides(cells[top + 1], cells[top], table):
        return []
    lower = tuple(
        (f"cell {column_name(position)}{top + 2}", normalise(str(cell)))
        for position, cell in enumerate(cells[top + 1])
        if cell not in ("", cells[top][position])
    )
    what = _("the headings stand in two levels, in rows {first} and {second}", first=top + 1, second=top + 2)
    advice = _(
        "Write them in one row without merged cells, each with its unit of measure, such as {example}, and delete the "
        "other row.",
        example="熟料产量（万吨）",
    )
    return [Problem(place, what, advice, cells=lower)]


def _divides(below: Cells, above: Cells, table: Table) -> bool:
    """Return True for a row of words below headings of numbers, or below none; a row of the table has others too."""
    if any(cell != "" and not isinstance(cell, str) for cell in below) or repeats(below, [*map(str, above)], table):
        return False
    words = [(heading, cell) for heading, cell in zip(above, below, strict=True) if cell not in ("", heading)]
    if len({column_of(cell, table) for _, cell in words} - {""}) >= LEAST_HEADINGS:
        return True
    columns = [(str(heading).strip(), column_of(heading, table)) for heading, _ in words]
    return bool(words) and all(not heading or (name and table.column(name).number) for heading, name in columns)
