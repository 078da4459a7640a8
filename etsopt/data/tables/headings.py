"""Headings and words of tables, Chinese or English, as columns and values of the schema.

A heading may state its unit of measure in brackets, such as ``排放量(万吨)``: the numbers are then converted exactly.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from etsopt.data.tables.chinese import HEADINGS, NAMES, WORDS
from etsopt.data.tables.measurement import KNOWN, converted, factor_of
from etsopt.data.tables.provinces import one_name_each
from etsopt.data.tables.row_scope import row_names
from etsopt.data.tables.schema import USER_COLUMN_PREFIX
from etsopt.data.tables.text_columns import normalise
from etsopt.errors import Problem, brief
from etsopt.language import _

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from etsopt.data.tables.raw import RawTable
    from etsopt.data.tables.table import Column, Table

ENGLISH: dict[str, tuple[str, ...]] = {
    "unit_id": ("unit", "plant", "plant id", "line", "installation", "id", "facility", "site", "plant / line"),
    "enterprise_id": ("enterprise", "company", "owner", "entity", "firm", "operator"),
    "name": ("plant name", "unit name"),
    "sector": ("industry",),
    "province": ("region", "province/region"),
    "emissions_tco2e": (
        *("emissions", "verified emissions", "ghg emissions", "co2 emissions", "co2e", "total emissions"),
        *("annual emissions", "emissions, verified", "emission", "co2", "tco2", "verified co2"),
    ),
    "output_t": (
        *("output", "production", "clinker output", "clinker production", "crude steel output", "annual output"),
        *("annual production", "crude steel production", "aluminium output", "aluminium production"),
        *("clinker", "crude steel", "primary aluminium"),
    ),
    "intensity_output_t": ("iron output", "intensity output", "pig iron", "hot metal", "iron production"),
    "intensity_emissions_tco2e": (
        *("intensity emissions", "iron & sintering emissions", "iron and sintering emissions"),
        *("ironmaking and sintering emissions", "ironmaking & sintering emissions"),
    ),
    "generation_mwh": ("generation", "gross generation"),
    "capacity_mw": ("capacity", "rated power"),
    "heat_gj": ("heat", "heat supply"),
    "prior_emissions_tco2e": ("prior emissions", "last year's emissions"),
    "pre_allocated_t": ("pre-allocated", "pre-allocation"),
    "reference_t": ("reference", "reference allowances"),
}
"""Headings that people write, beside the names of the columns; understood in workbooks and single files alone, because
the tables of an instance state every unit in the name."""

YEAR = re.compile(r"^20\d\d(年度?(?!度?配额)|(?=[a-z]))(?=.)|(?<=[a-z])20\d\d$")
IN_BRACKETS = re.compile(r"(.+)[(\[]([^()\[\]]+)[)\]]")
BEHIND = re.compile(r"(.+?)\s*(?:/|,|,|，|\bin\b)\s*([^/,，]+)")
"""The year before or after a heading, and the unit of measure after it, in brackets or behind a mark."""


class Heading(NamedTuple):
    """A heading as a column of the schema, empty if it is none, and the unit of measure that it states."""

    column: str
    unit: str


def plain(text: str) -> str:
    """Return a heading without variants of width, case, spacing and joints.

    >>> plain("Unit ID") == plain("unit_id"), plain(" 省（区、市）")
    (True, '省(区、市)')
    """
    return re.sub(r"[\s_-]", "", unicodedata.normalize("NFKC", text)).casefold()


@cache
def _columns_of(table: Table, of_people: bool) -> dict[str, str]:
    """Return the column of each heading that a table understands, in its plain form."""
    columns = {plain(column.name): column.name for column in table.columns}
    for column in table.columns:
        chinese = NAMES.get(table.name, ()) if column.name == "name" else HEADINGS[column.name]
        english = ENGLISH.get(column.name, ()) if of_people else ()
        for word in (*chinese, *english):
            columns.setdefault(plain(word), column.name)
    return columns


def heading_of(text: str, table: Table, of_people: bool = False) -> Heading:
    """Return what a heading names.

    Parameters
    ----------
    of_people
        True to understand `ENGLISH` headings too.
    """
    known, name = _columns_of(table, of_people), plain(text)
    for whole in (name, YEAR.sub("", name)):
        if whole in known:
            return Heading(known[whole], "")
    stated = unicodedata.normalize("NFKC", text).strip()
    for pattern in (IN_BRACKETS, BEHIND):
        if not (parts := pattern.fullmatch(stated)):
            continue
        before, unit = plain(parts[1]), parts[2].strip()
        for whole in (before, YEAR.sub("", before)):
            # Behind a mark any word may stand; in brackets a unit is meant, and refused if it cannot be told.
            if whole in known and (pattern is IN_BRACKETS or factor_of(unit, table.column(known[whole]).unit)):
                return Heading(known[whole], unit)
    return Heading("", "")


def in_schema(raw: RawTable, table: Table, of_people: bool = False) -> tuple[RawTable, list[Problem]]:
    """Return a raw table with columns, units of measure and words of the schema, and problems of its headings.

    Columns that it does not know stay as they are. The headings and cells of converted columns are kept for messages.
    """
    names = {column.name for column in table.columns}
    found = {
        heading: Heading(heading, "") if heading in names else heading_of(heading, table, of_people)
        for heading in raw.columns
        if not heading.startswith(USER_COLUMN_PREFIX)
    }
    problems = _problems_of_repeats(raw, found)
    columns: dict[str, NDArray[Any]] = {}
    stated: dict[str, tuple[str, NDArray[Any]]] = {}
    for heading, cells in raw.columns.items():
        column, unit = found.get(heading, Heading("", ""))
        if not column:
            columns[heading] = cells
        if not column or column in columns:
            continue
        columns[column], of_column = _converted(raw, heading, unit, table.column(column))
        problems += of_column
        if column != heading or columns[column] is not cells:
            stated[column] = heading, cells
    return replace(raw, columns=columns, stated=stated), problems


def _problems_of_repeats(raw: RawTable, found: Mapping[str, Heading]) -> list[Problem]:
    headings: dict[str, list[str]] = {}
    for heading, (column, _other) in found.items():
        headings.setdefault(column, []).append(heading)
    return [
        Problem(
            raw.place,
            _("{count} headings are of one column", count=len(same)),
            _("Keep one of them: which of them holds cannot be told."),
            column,
            tuple((raw.label_of(heading), heading) for heading in same),
        )
        for column, same in headings.items()
        if column and len(same) > 1
    ]


def _converted(raw: RawTable, heading: str, unit: str, column: Column) -> tuple[NDArray[Any], list[Problem]]:
    """Return the cells of a column in its unit of measure, and in the words of the schema."""
    cells = raw.columns[heading]
    if unit:
        factor = factor_of(unit, column.unit) if column.number else None
        if factor is None:
            known = KNOWN.get(column.unit.partition("/year")[0])
            advice = (
                _("Use one of {known}, and convert the numbers.", known=known)
                if known
                else _("Write the heading without brackets.")
            )
            what = _("the unit {unit} in the heading cannot be told", unit=brief(unit))
            return cells, [Problem(raw.place, what, advice, column.name, ((raw.label_of(heading), heading),))]
        if factor != 1:
            cells = np.array([converted(cell, factor) for cell in cells], dtype=object)
    if cells.dtype != object:
        return cells, []
    if column.name == "province":
        return one_name_each(cells), []
    return (_in_words(cells, WORDS[column.name]) if column.name in WORDS else cells), []


def _in_words(cells: NDArray[np.object_], words: Mapping[str, Iterable[str]]) -> NDArray[np.object_]:
    """Return cells with each word that is understood, with capitals or without, replaced by that of the schema."""
    code, different = pd.factorize(cells)
    known = {word.casefold(): name for name, others in words.items() for word in (name, *others)}
    found = [known.get(normalise(str(cell)).casefold(), cell) for cell in different]
    replaced = np.array(found, dtype=object)
    return cells if (replaced == different).all() else replaced[code]


def as_stated(problem: Problem, raw: RawTable) -> Problem:
    """Return a problem of a table with the heading, the cells and the labels that its file has."""
    if problem.place != raw.place:
        return problem
    heading, cells = raw.stated.get(problem.column, (_missing(problem.column, raw), None))
    letter = raw.letters.get(heading, "")
    shown = []
    places = {str(row): position for position, row in enumerate(raw.rows)} if cells is not None else {}
    for row, value in problem.cells:
        if cells is not None and row in places:
            value = normalise(str(cells[places[row]]))
        shown.append((f"cell {letter}{row}" if letter and row.isdigit() else row, value))
    named = f"{heading} ({problem.column})" if heading != problem.column else problem.column
    return replace(problem, column=named, cells=tuple(shown))


def _missing(column: str, raw: RawTable) -> str:
    """Return the Chinese heading of a column that a file with Chinese headings does not have; else its name."""
    known = column not in raw.columns and column in HEADINGS
    chinese = known and any(not heading.isascii() for heading, _ in raw.stated.values())
    return HEADINGS[column][0] if chinese else column


def in_cells(problem: Problem, raw: RawTable, table: Table) -> Problem:
    """Return a problem of rows that are named by their key, with the cells of a sheet.

    A problem of two columns, such as of their ratio, is shown at the first of them.
    """
    letters, key = {heading_of(name, table, True).column: one for name, one in raw.letters.items()}, table.key[0]
    letter = letters.get(re.split(" or |, ", problem.column)[0]) or letters.get(key)
    if letter is None:
        return problem
    names = row_names(in_schema(raw, table, of_people=True)[0].columns, table)
    # A name that several rows have is the place of none.
    count = Counter(names)
    row_of = {name: row for name, row in zip(names, raw.rows, strict=True) if count[name] == 1}
    cells = tuple((f"cell {letter}{row_of[row]}" if row in row_of else row, value) for row, value in problem.cells)
    return replace(problem, cells=cells)
