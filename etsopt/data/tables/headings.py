"""Headings and words of tables, Chinese or English, as columns and values of the schema.

A heading may state its unit of measure in brackets, such as ``排放量(万吨)``: the numbers are then converted exactly.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.data.tables.chinese import HEADINGS, NAMES, WORDS
from etsopt.data.tables.measurement import KNOWN, converted, factor_of
from etsopt.data.tables.provinces import one_name_each
from etsopt.data.tables.recognise import Heading, known, problem_of_unit, problems_of_repeats, recognised
from etsopt.data.tables.row_scope import row_names
from etsopt.data.tables.schema import USER_COLUMN_PREFIX
from etsopt.data.tables.text_columns import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from etsopt.common.errors import Problem
    from etsopt.data.tables.raw import RawTable
    from etsopt.data.tables.table import Column, Table


@cache
def _columns_of(table: Table, informal: bool) -> dict[str, str]:
    """Return the columns of a table by the headings that it understands, in their plain form."""
    names = [column.name for column in table.columns]
    words = {name: NAMES[table.name] if name == "name" else HEADINGS[name] for name in names}
    return known({name: [word for word in own if informal or not word.isascii()] for name, own in words.items()})


def heading_of(text: str, table: Table, informal: bool = False) -> Heading:
    """Return what a heading names.

    Parameters
    ----------
    informal
        True to understand English headings beside the names of the columns.
    """
    return recognised(
        text, _columns_of(table, informal), lambda column, unit: bool(factor_of(unit, table.column(column).unit))
    )


def column_of(text: object, table: Table) -> str:
    """Return the column that a heading of a person's own file names; empty if it names none."""
    return heading_of(str(text), table, informal=True).column


def in_schema(raw: RawTable, table: Table, informal: bool = False) -> tuple[RawTable, list[Problem]]:
    """Return a raw table with columns, units of measure and words of the schema, and problems of its headings.

    Columns that it does not know stay as they are. The headings and cells of converted columns are kept for messages.
    """
    names = {column.name for column in table.columns}
    found = {
        heading: Heading(heading) if heading in names else heading_of(heading, table, informal)
        for heading in raw.columns
        if not heading.startswith(USER_COLUMN_PREFIX)
    }
    places: dict[str, list[tuple[str, str]]] = {}
    for heading, (column, *_other) in found.items():
        if column:
            places.setdefault(column, []).append((raw.label_of(heading), raw.heading_of(heading)))
    of_years = {named.column for named in found.values() if named.year and informal}
    problems = problems_of_repeats(raw.place, places, of_years)
    columns: dict[str, NDArray[Any]] = {}
    stated: dict[str, tuple[str, NDArray[Any]]] = {}
    letters = {**raw.letters}
    for heading, cells in raw.columns.items():
        named = found.get(heading, Heading())
        column = named.column
        if not column:
            columns[heading] = cells
        if not column or column in columns:
            continue
        columns[column], of_column = _converted(raw, heading, named, table.column(column))
        problems += of_column
        if column != raw.heading_of(heading) or columns[column] is not cells:
            stated[column] = raw.heading_of(heading), cells
        letters |= {column: raw.letters[heading]} if heading in raw.letters else {}
    return replace(raw, columns=columns, stated=stated, letters=letters), problems


def _converted(raw: RawTable, heading: str, named: Heading, column: Column) -> tuple[NDArray[Any], list[Problem]]:
    """Return the cells of a column in its unit of measure, and in the words of the schema."""
    cells = raw.columns[heading]
    if named.unit:
        factor = factor_of(named.unit, column.unit) if column.number else None
        if factor is None:
            units = KNOWN.get(column.unit.partition("/year")[0], "")
            return cells, [problem_of_unit(raw.place, named, (raw.label_of(heading), raw.heading_of(heading)), units)]
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
    letter = raw.letters.get(problem.column, "")
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
    letters, key = {column_of(name, table): one for name, one in raw.letters.items()}, table.key[0]
    letter = letters.get(re.split(" or |, ", problem.column)[0]) or letters.get(key)
    if letter is None:
        return problem
    names = row_names(in_schema(raw, table, informal=True)[0].columns, table)
    # A name that several rows have is the place of none.
    count = Counter(names)
    row_of = {name: row for name, row in zip(names, raw.rows, strict=True) if count[name] == 1}
    cells = tuple((f"cell {letter}{row_of[row]}" if row in row_of else row, value) for row, value in problem.cells)
    return replace(problem, cells=cells)
