"""Tables of people's own files as they are meant: example rows, own columns, and identifiers that others imply.

Each step says what it assumed, for a warning.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.errors import brief
from etsopt.common.language import Text, _
from etsopt.data.files.lenient.enterprise_names import heading_of_names, with_enterprise_names
from etsopt.data.messages import did_you_mean, first_of
from etsopt.data.tables.chinese import HEADINGS
from etsopt.data.tables.headings import column_of, heading_of
from etsopt.data.tables.measurement import converted, factor_of
from etsopt.data.tables.recognise import plain
from etsopt.data.tables.schema import TABLES, UNITS, USER_COLUMN_PREFIX
from etsopt.data.tables.text_columns import normalise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt.data.tables.raw import RawTable
    from etsopt.data.tables.table import Table

EXAMPLES = ("example", "示例")
"""Identifier of a row, in English and in Chinese, that shows how one is filled in."""


def normalised_tables(tables: Mapping[str, RawTable]) -> tuple[dict[str, RawTable], list[str]]:
    """Return the tables of a person's own file as they are meant, and sentences on what is assumed or not read.

    Tables without rows are left out, but for the units.
    """
    notes: list[str] = []
    found = {
        table.name: _without_examples(tables[table.name], table, notes) for table in TABLES if table.name in tables
    }
    found = {name: raw for name, raw in found.items() if len(raw.rows) or name == UNITS.name}
    found = with_enterprise_names(found, notes) if UNITS.name in found else found
    for table in (table for table in TABLES if table.name in found):
        raw = _with_columns_joined(found[table.name], table, notes)
        raw = _with_identifiers(raw, notes) if table is UNITS else raw
        found[table.name] = _with_own_columns(raw, table, notes)
    return found, notes


def _without_examples(raw: RawTable, table: Table, notes: list[str]) -> RawTable:
    """Leave out rows that show how one is filled in."""
    of_key = next((heading for heading in raw.columns if column_of(heading, table) == table.key[0]), None)
    if of_key is None:
        return raw
    example = np.array([plain(str(cell)) in EXAMPLES for cell in raw.columns[of_key]], dtype=bool)
    if not example.any():
        return raw
    rows = ", ".join(map(str, raw.rows[example]))
    one, several = (
        _("{place}: row {rows} is an example, and not read."),
        _("{place}: rows {rows} are examples, and not read."),
    )
    notes.append(_(several if example.sum() > 1 else one, place=raw.place, rows=rows))
    kept = {heading: cells[~example] for heading, cells in raw.columns.items()}
    return replace(raw, columns=kept, rows=raw.rows[~example])


def _with_columns_joined(raw: RawTable, table: Table, notes: list[str]) -> RawTable:
    """Join columns of one quantity of which every row fills at most one, such as the output of each product."""
    same: dict[str, list[str]] = {}
    for heading in raw.columns:
        column = column_of(heading, table)
        if column and table.column(column).number:
            same.setdefault(column, []).append(heading)
    for column, headings in same.items():
        cells = _joined(raw, headings, table, table.column(column).unit)
        if cells is not None:
            which = ", ".join(map(brief, headings))
            notes.append(
                _("{place}: {which} are one quantity, as each row fills one of them.", place=raw.place, which=which)
            )
            columns = {name: own for name, own in raw.columns.items() if name not in headings[1:]}
            letters = {name: own for name, own in raw.letters.items() if name not in headings[1:]}
            raw = replace(raw, columns=columns | {headings[0]: cells}, letters=letters)
            raw = raw.renamed({headings[0]: column})
    return raw


def _joined(raw: RawTable, headings: list[str], table: Table, unit: str) -> NDArray[np.object_] | None:
    """Return the cells of several columns as one, in a unit of measure; None if a row fills two, or there is one."""
    cells = np.full(len(raw.rows), "", dtype=object)
    for heading in headings if len(headings) > 1 else ():
        factor = factor_of(heading_of(heading, table, informal=True).unit or unit, unit)
        further = np.array([str(cell).strip() for cell in raw.columns[heading]], dtype=object)
        if factor is None or ((further != "") & (cells != "")).any():
            return None
        cells = np.where(further == "", cells, [converted(cell, factor) for cell in further]).astype(object)
    return cells if len(headings) > 1 else None


def _with_own_columns(raw: RawTable, table: Table, notes: list[str]) -> RawTable:
    """Mark columns that the schema does not have as the user's own, unless the name is nearly one of the schema's."""
    known = [column.name for column in table.columns]
    own = [
        heading
        for heading in raw.columns
        if not heading.startswith(USER_COLUMN_PREFIX)
        and not column_of(heading, table)
        and not did_you_mean(heading, known)
    ]
    if not own:
        return raw
    which = ", ".join(map(brief, own))
    notes.append(
        _(
            "{place}: columns of your own, which are carried to the results and not used: {which}.",
            place=raw.place,
            which=which,
        )
    )
    return raw.renamed({heading: f"{USER_COLUMN_PREFIX}{heading}" for heading in own})


IDENTIFIED_BY = (("enterprise_id", _("every enterprise is one unit")), (_("name"), _("the name identifies the unit")))
"""Columns whose cells identify units, and why."""


def _with_identifiers(raw: RawTable, notes: list[str]) -> RawTable:
    """Take the name of the enterprise for its identifier, and that for the unit's, where there is no other."""
    has = {column_of(heading, UNITS): heading for heading in raw.columns}
    if "enterprise_id" not in has:
        others = (
            heading_of_names(raw.columns),
            has.get("unit_id"),
            has.get("name"),
        )
        stated = next(filter(None, others), None)
        if stated is None:
            return raw
        notes.append(
            _(
                "{place}: {stated} identifies the enterprise, as there is no column enterprise_id.",
                place=raw.place,
                stated=brief(stated),
            )
        )
        raw = _with(raw, "enterprise_id", stated)
        has["enterprise_id"] = "enterprise_id"
    for column, what in IDENTIFIED_BY:
        cells = raw.columns[has[column]] if column in has else np.array([""] * 2)
        if "unit_id" not in has and len(set(cells.tolist())) == len(cells):
            notes.append(_("{place}: {what}, as there is no column unit_id.", place=raw.place, what=Text(what)))
            raw = _with(raw, "unit_id", has[column])
            has["unit_id"] = "unit_id"
    if "unit_id" not in has and "name" in has:
        notes += _note_of_repeats(raw, has["name"])
    return raw


def _note_of_repeats(raw: RawTable, named: str) -> list[str]:
    """Return the sentence on names of units that cannot identify them, as several units have one."""
    cells = [normalise(str(cell)) for cell in raw.columns[named]]
    count = Counter(cells)
    repeated = next(cell for cell in cells if count[cell] > 1)
    rows = first_of([row for cell, row in zip(cells, raw.rows, strict=True) if cell == repeated])
    what = brief(repeated) if repeated else _("an empty cell")
    return [
        _(
            "{place}: {named} does not identify the units: rows {rows} have {what} alike. A column unit_id ({heading}) "
            "with cells of enterprise and {named} together would.",
            place=raw.place,
            named=brief(named),
            what=what,
            rows=rows,
            heading=HEADINGS["unit_id"][0],
        )
    ]


def _with(raw: RawTable, column: str, heading: str) -> RawTable:
    """Return a table with a further column, which has the cells of another; that one goes if it is none of units."""
    columns = {**raw.columns, column: raw.columns[heading]}
    if not column_of(heading, UNITS):
        del columns[heading]
    letters = {**raw.letters, column: raw.letters[heading]} if heading in raw.letters else raw.letters
    return replace(raw, columns=columns, letters=letters, headings={**raw.headings, column: raw.heading_of(heading)})
