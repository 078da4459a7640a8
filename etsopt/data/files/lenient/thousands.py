"""Thousands separators in numbers of a person's own table, which are left out where they can be nothing else.

A comma may also be that of a decimal fraction. Two groups of three digits, or a decimal point behind a group, show that
it is none; for ``1,234`` alone another cell of its column has to.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from etsopt.common.language import _
from etsopt.data.files.lenient.non_data_rows import label_of
from etsopt.data.messages import first_of
from etsopt.data.tables.headings import column_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from etsopt.data.tables.raw import RawTable
    from etsopt.data.tables.table import Table

SEPARATED = re.compile(r"[+-]?(?=.*,|.*\..*\.)[0-9.,]+")
"""A number with a comma or several points, whatever they mean."""

GROUPED = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]+)?")
"""A number in groups of three digits."""


class Ungrouped(NamedTuple):
    """A cell by its table and its place, the number as it was written, and without separators."""

    place: str
    cell: str
    was: str
    now: str


def without_separators(raw: RawTable, table: Table) -> tuple[RawTable, list[Ungrouped]]:
    """Return a table whose numbers have no separators that are certainly those of thousands, and the changed cells."""
    columns, changed = {**raw.columns}, list[Ungrouped]()
    for heading, cells in raw.columns.items():
        name = column_of(heading, table)
        if not name or not table.column(name).number:
            continue
        found = dict(_ungrouped(cells))
        if found:
            columns[heading] = cells.copy()
            for at, number in found.items():
                changed.append(Ungrouped(raw.place, label_of(raw, heading, at), str(cells[at]), number))
                columns[heading][at] = number
    return replace(raw, columns=columns), changed


def notes_of_separators(changed: list[Ungrouped]) -> Iterator[str]:
    """Yield a sentence on the cells that were changed, if there are any."""
    if changed:
        which = first_of([f"{one.cell.removeprefix('cell ')} {one.was}" for one in changed])
        yield _("{place}: commas that separate thousands are left out: {which}.", place=changed[0].place, which=which)


def _ungrouped(cells: NDArray[Any]) -> Iterator[tuple[int, str]]:
    """Yield the position of each cell with separators of thousands, and its number without them."""
    texts = {at: str(cell).strip().replace("，", ",") for at, cell in enumerate(cells)}
    texts = {at: text for at, text in texts.items() if SEPARATED.fullmatch(text)}
    certain = {at for at, text in texts.items() if GROUPED.fullmatch(text) and (text.count(",") > 1 or "." in text)}
    # A sign that certainly means something else, as in 12,34, leaves every single group of the column in doubt.
    of_column = bool(certain) and all(map(GROUPED.fullmatch, texts.values()))
    for at in texts if of_column else sorted(certain):
        yield at, texts[at].replace(",", "")
