"""Units of measure that a note above the headings, or below the table, states for all of it, such as 单位：万吨.

No heading says that it means this unit, so that its figures would be read in that of its column: another unit in a note
is refused.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from etsopt.common.errors import Problem, brief
from etsopt.common.language import _
from etsopt.data.files.lenient.non_data_rows import is_note
from etsopt.data.files.workbook import column_name
from etsopt.data.messages import counted
from etsopt.data.tables.headings import column_of, heading_of
from etsopt.data.tables.measurement import factor_of, units_in
from etsopt.data.tables.recognise import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.data.files.workbook import Cells
    from etsopt.data.tables.table import Column, Table

NAMES_UNIT = (
    re.compile(
        r"(?<!排放)(?<!填报)(?<!编制)(?<!报送)(?<!报告)单位(?:均|统一)?(?:[为是]|\W|(?=[千万亿百十吨公兆吉])|$)(.*)"
    ),
    re.compile(r"以(.{1,12}?)(?:为单位|计)"),
    re.compile(r"\bunits?\b(?: of measure(?:ment)?)?\W*(?:(?:in|are|is) )?(.*)", re.IGNORECASE),
)
"""What introduces the unit of a table; 填报单位 and 排放单位 are enterprises."""

UNIT_ALONE = (re.compile(r"[(\[]([^()\[\]]+)[)\]]"), re.compile(r"\bin ([^()]{1,12})$"), re.compile(r"(.*)"))
"""Parts of a text that state the unit of a table if they hold nothing else."""

LAST_ROWS = 30
"""Rows at the end of a sheet among which notes are looked for."""


class UnitNote(NamedTuple):
    """A note beside a table: its row and column from 0 on, its text and the units that it states."""

    row: int
    position: int
    text: str
    units: list[str]


def stated_units(text: str) -> list[str]:
    """Return the units of measure that a note states for its table.

    >>> stated_units("（单位：万吨）"), stated_units("2025年产量（kt）"), stated_units("填报单位：百万吨级水泥厂")
    (['万吨'], ['kt'], [])
    """
    text = unicodedata.normalize("NFKC", text).strip()
    found = [unit for pattern in NAMES_UNIT for part in pattern.findall(text) for unit in units_in(part)]
    for part in (part for pattern in UNIT_ALONE for part in pattern.findall(text)):
        units = units_in(part)
        rest = part
        for unit in units:
            rest = rest.replace(unit, "")
        found += units if not re.search(r"\w", rest) else []
    return list(dict.fromkeys(found))


def _notes(cells: list[Cells], top: int) -> Iterator[UnitNote]:
    """Yield the notes above the headings and below the table that state a unit, in one cell or in two."""
    for row in (*range(top), *range(max(top + 1, len(cells) - LAST_ROWS), len(cells))):
        texts = [(position, cell) for position, cell in enumerate(cells[row]) if isinstance(cell, str) and cell != ""]
        if row > top and not (texts and is_note([str(cell) for cell in cells[row] if cell != ""])):
            continue
        for at, (position, text) in enumerate(texts):
            if re.search(r"(单位|\bunits?)\s*[:：]?\s*$", text, re.IGNORECASE) and at + 1 < len(texts):
                text = f"{text} {texts[at + 1][1]}"
            if units := stated_units(text):
                yield UnitNote(row, position, text, units)


def _states_its_own(heading: str, column: Column, table: Table) -> bool:
    """Return True for a heading with a unit of measure, in brackets or in the name of its column."""
    return bool(heading_of(heading, table, informal=True).unit) or plain(heading) == plain(column.name)


def problems_of_unit_notes(
    place: str, cells: list[Cells], top: int, headings: list[str], table: Table
) -> list[Problem]:
    """Return the problem of a note that states another unit of measure than headings without one are read in, or none.

    Parameters
    ----------
    top
        Row of the headings, from 0 on.
    headings
        Headings with their units of measure, by position.
    """
    bare: dict[int, Column] = {}
    for position, heading in enumerate(headings):
        name = column_of(heading, table)
        if name and table.column(name).number and not _states_its_own(heading, table.column(name), table):
            bare[position] = table.column(name)
    for note in _notes(cells, top):
        meant = {
            position: unit
            for position, column in bare.items()
            for unit in note.units
            if factor_of(unit, column.unit) not in (None, 1)
        }
        if not meant:
            continue
        first = next(iter(meant))
        what = _(
            "the note {text} in cell {letter}{row} states a unit of measure, but {headings}",
            text=brief(note.text),
            letter=column_name(note.position),
            row=note.row + 1,
            headings=counted(len(meant), _("heading states none"), _("headings state none")),
        )
        usual = "吨" if bare[first].unit in ("t", "tCO2e") and not meant[first].isascii() else bare[first].unit
        advice = _(
            "Write the unit into each of these headings, such as {heading}({unit}), or {heading}({usual}) if that is "
            "the unit of its figures.",
            heading=headings[first],
            unit=meant[first],
            usual=usual,
        )
        shown = tuple((f"cell {column_name(position)}{top + 1}", headings[position]) for position in meant)
        return [Problem(place, what, advice, cells=shown)]
    return []
