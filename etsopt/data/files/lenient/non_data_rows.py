"""Rows of a person's own table that are none of it: totals, which would count twice, and notes below the table.

Each kind is one problem, because no cell of such a row is worth one of its own.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.errors import Problem
from etsopt.common.language import _
from etsopt.data.files.lenient.enterprise_names import heading_of_names
from etsopt.data.messages import first_of
from etsopt.data.tables.headings import column_of

if TYPE_CHECKING:
    from etsopt.data.files.workbook import Cells, Flaws
    from etsopt.data.tables.raw import RawTable
    from etsopt.data.tables.table import Table

TOTAL = re.compile(r"(sub|grand )?totals?\b.*|sums?|合计|小计|总计|.*(合计|小计|总计)", re.IGNORECASE)
"""Names of rows that add up others."""

NOTE = re.compile(
    r"(?:附?注|备注|(?:填表)?说明|(?:单位|部门)?负责人|(?:填表|填报|制表|编制|审核|复核|批准|联系)人|联系电话|电话"
    r"|(?:填表|填报|制表|报送)?日期|(?:数据|资料)?来源|(?:填报|编制)单位"
    r"|notes?|remarks?|sources?|(?:prepared|checked|reviewed|approved) by|contact|date)"
    r"\s*\d{0,2}\s*(?:[:.、(].*)?",
    re.IGNORECASE | re.DOTALL,
)
"""Beginnings of notes below a table, in characters of one width."""

SENTENCE = re.compile(r"[:：。；]")
"""A mark by which a text that is alone in its row is a note."""

IDENTIFYING = frozenset(("unit_id", "enterprise_id", "name"))


def is_note(texts: list[str]) -> bool:
    """Return True if the texts of a row, from left to right, are a note."""
    begins = NOTE.fullmatch(unicodedata.normalize("NFKC", texts[0]).strip()) is not None
    return begins or (len(texts) == 1 and SENTENCE.search(texts[0]) is not None)


def beside_notes(flaws: Flaws, cells: list[Cells], top: int) -> Flaws:
    """Return the flaws of a sheet without the merged cells of totals and notes below its headings, told as one."""
    merged = []
    for marked in flaws.merged:
        row = cells[marked[0]] if top < marked[0] < len(cells) else []
        texts = [str(cell) for cell in row if cell != ""]
        if not texts or not (is_note(texts) or TOTAL.fullmatch(texts[0].strip())):
            merged.append(marked)
    return replace(flaws, merged=merged)


def without_totals(raw: RawTable, table: Table) -> tuple[RawTable, list[Problem]]:
    """Return a table without its rows of totals, and their problem.

    The word for a total stands in a column that identifies the row, or in any other of a row that nothing identifies.
    """
    columns = {heading: column_of(heading, table) for heading in raw.columns}
    names = [heading for heading, column in columns.items() if column in IDENTIFYING or heading_of_names([heading])]
    nameless = np.ones(len(raw.rows), dtype=bool)
    for heading in names:
        nameless &= np.array([not str(cell).strip() for cell in raw.columns[heading]], dtype=bool)
    found: dict[int, str] = {}
    for heading, cells in raw.columns.items():
        for at in np.flatnonzero(nameless | (heading in names)).tolist():
            if TOTAL.fullmatch(str(cells[at]).strip()):
                found.setdefault(at, heading)
    which = first_of(raw.rows[sorted(found)])
    if len(found) > 1:
        what = _("{count} rows look like totals", count=len(found))
        advice = _("Delete rows {rows}: their units would count twice.", rows=which)
    else:
        what = _("1 row looks like a total")
        advice = _("Delete row {row}: its units would count twice.", row=which)
    return _left_out(raw, table, found, what, advice)


def without_notes(raw: RawTable, table: Table) -> tuple[RawTable, list[Problem]]:
    """Return a table without its rows of notes, which have no figures, and their problem."""
    figures = [
        cells
        for heading, cells in raw.columns.items()
        if (column := column_of(heading, table)) and table.column(column).number
    ]
    found: dict[int, str] = {}
    for at in range(len(raw.rows)):
        # Nearly all rows have a figure, which is seen at once.
        if any(is_number(cells[at]) for cells in figures):
            continue
        texts = {heading: str(cells[at]).strip() for heading, cells in raw.columns.items() if str(cells[at]).strip()}
        if texts and is_note([*texts.values()]):
            found[at] = next(iter(texts))
    which = first_of(raw.rows[sorted(found)])
    if len(found) > 1:
        what = _("{count} rows look like notes", count=len(found))
        advice = _("Delete them, or move them to another sheet: rows {rows}.", rows=which)
    else:
        what = _("1 row looks like a note")
        advice = _("Delete it, or move it to another sheet: row {row}.", row=which)
    return _left_out(raw, table, found, what, advice)


def _left_out(
    raw: RawTable, table: Table, found: dict[int, str], what: str, advice: str
) -> tuple[RawTable, list[Problem]]:
    """Return a table without some rows, and their problem, if there are any.

    Parameters
    ----------
    found
        Heading of the cell that shows what each of the rows is, by position.
    """
    if not found:
        return raw, []
    rows = sorted(found)
    shown = tuple((label_of(raw, found[at], at), str(raw.columns[found[at]][at])) for at in rows)
    headings = {column_of(heading, table) or heading for heading in found.values()}
    kept = np.setdiff1d(np.arange(len(raw.rows)), rows)
    rest = replace(raw, columns={name: cells[kept] for name, cells in raw.columns.items()}, rows=raw.rows[kept])
    return rest, [Problem(raw.place, what, advice, headings.pop() if len(headings) == 1 else "", shown)]


def label_of(raw: RawTable, heading: str, at: int) -> str:
    """Return the place of a cell for messages: its letter and row in a sheet, else its row."""
    letter = raw.letters.get(heading, "")
    return f"cell {letter}{raw.rows[at]}" if letter else str(raw.rows[at])


def is_number(cell: object) -> bool:
    """Return True for a cell that reads as a finite number."""
    try:
        return bool(np.isfinite(float(str(cell))))
    except ValueError:
        return False
