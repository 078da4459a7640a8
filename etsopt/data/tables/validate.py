"""Validation of raw tables against the schema: collects every problem, and converts valid cells."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.common.characters import CONTROL, HIDDEN
from etsopt.common.errors import PROBLEMS_SHOWN, Problem
from etsopt.common.language import _, chain, pgettext
from etsopt.data.messages import counted, did_you_mean, of_one_comma
from etsopt.data.tables.labels import sortable
from etsopt.data.tables.schema import LONGEST_IDENTIFIER, LONGEST_TEXT, USER_COLUMN_PREFIX
from etsopt.data.tables.table import Column
from etsopt.data.tables.text_columns import FORMULA_START, matched_choices, normalise, normalised_column
from etsopt.data.tables.user_columns import mark, numbers_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.tables.raw import RawTable
    from etsopt.data.tables.table import Table

EMPTY = (_("cell is empty"), _("cells are empty"))
NOT_A_NUMBER = (_("cell is not a number"), _("cells are not numbers"))
NOT_WHOLE = (_("value is not a whole number"), _("values are not whole numbers"))
OUT_OF_RANGE = (_("value is out of range"), _("values are out of range"))
TOO_LARGE = (_("value is far too large"), _("values are far too large"))
LOST_DIGITS = (_("identifier has lost digits"), _("identifiers have lost digits"))
FORMULA = (_("cell holds a formula"), _("cells hold a formula"))
UNKNOWN = (_("value is not known"), _("values are not known"))
TOO_LONG = (_("text is too long"), _("texts are too long"))
HOLDS_HIDDEN = (_("cell holds a control or invisible character"), _("cells hold control or invisible characters"))
CONTROLS = (_("cell holds a control character"), _("cells hold control characters"))
RETYPE = _("Retype the text, on one line: hidden characters change how it looks, or make it a different text.")
NUMBER_CHARACTERS = frozenset("0123456789.+-eE ")


def validate_table(raw: RawTable, table: Table) -> tuple[pd.DataFrame, list[Problem]]:
    """Validate a table's columns and cells; return it with typed columns, sorted by its key, and its problems.

    Optional numbers that are absent become NaN, optional texts the empty text. A column of the user becomes numbers if
    these write the same cells again.
    """
    problems = _problems_of_columns(raw, table)
    without_point = []
    converted: dict[str, NDArray[Any]] = {}
    for name, cells in raw.columns.items():
        if name.startswith(USER_COLUMN_PREFIX):
            problems += _problems_of_user_column(_RawColumn(raw, cells, Column(name, "a column of the user")))
            numbers, whole = numbers_of(cells) if cells.dtype == object else (None, False)
            converted[name] = cells if numbers is None else numbers
            without_point += [name] * whole
        elif name in {column.name for column in table.columns}:
            column = table.column(name)
            converted[name], of_column = (_numbers if column.number else _texts)(_RawColumn(raw, cells, column))
            problems += of_column
    key = [name for name in table.key if name in converted]
    order = None
    if key and all(name in converted for name in table.key if table.column(name).required):
        order, unique = order_of([converted[name] for name in key])
        problems += [] if unique else _problems_of_key(raw, converted, table, key)
    if not len(raw.rows):
        problems.append(Problem(raw.place, _("has no rows"), _("Add {meaning}.", meaning=table.meaning)))
    if order is not None and not problems:
        converted = {name: cells[order] for name, cells in converted.items()}
    # Stated dtypes keep pandas from inferring others; texts stay Python strings.
    frame = pd.DataFrame({name: pd.Series(cells, dtype=cells.dtype) for name, cells in converted.items()})
    mark(frame, without_point)
    return frame, problems


def order_of(keys: list[NDArray[Any]]) -> tuple[NDArray[np.int64] | None, bool]:
    """Return the order of rows by their keys, the first key first, and True if no two rows have the same.

    The order is None if the rows are sorted already, as in every file that the package wrote.
    """
    if _ascending(keys).all():
        return None, True
    keys = [sortable(key) if key.dtype == object else key for key in keys]
    order = np.lexsort(keys[::-1])
    return order, bool(_ascending([key[order] for key in keys]).all())


def _ascending(keys: list[NDArray[Any]]) -> NDArray[np.bool_]:
    """Return True for rows whose keys are above those of the row before, shape ``(rows - 1,)``."""
    last = keys[-1]
    ascending: NDArray[np.bool_] = last[:-1] < last[1:]
    for key in keys[-2::-1]:
        ascending = (key[:-1] < key[1:]) | ((key[:-1] == key[1:]) & ascending)
    return ascending


def _problems_of_columns(raw: RawTable, table: Table) -> list[Problem]:
    known = [column.name for column in table.columns]
    problems = [
        Problem(
            raw.place,
            _("the column is missing"),
            _("Add it: {meaning}.", meaning=column.meaning),
            column.name,
        )
        for column in table.columns
        if column.required and column.name not in raw.columns
    ]
    for name in raw.columns:
        if name not in known and not name.startswith(USER_COLUMN_PREFIX):
            guess = did_you_mean(name, known) if len(problems) < PROBLEMS_SHOWN else ""
            advice = _("{guess}Rename it, or begin a column of your own with 'x_'.", guess=guess)
            cells = ((raw.label_of(name), ""),) if raw.letters else ()
            problems.append(Problem(raw.place, _("is not a column of this table"), advice, name, cells))
    return problems


@dataclass(frozen=True)
class _RawColumn:
    """Cells of a column of a raw table, and the column of the schema that they belong to."""

    raw: RawTable
    cells: NDArray[Any]
    column: Column

    def problem(self, bad: NDArray[np.bool_], what: tuple[str, str], advice: str) -> Problem:
        """Return a problem of the bad cells, in the order of the file; ``what`` describes one and several."""
        rows, cells, where = self.raw.rows, self.cells, np.flatnonzero(bad)
        # An absent number is NaN in a frame and an empty cell in a file.
        shown = tuple((str(rows[row]), "" if cells[row] != cells[row] else str(cells[row])) for row in where)
        return Problem(self.raw.place, counted(len(where), *what), advice, self.column.name, shown)


def _numbers(stated: _RawColumn) -> tuple[NDArray[np.float64], list[Problem]]:
    """Convert a column of numbers and check its range."""
    cells, column = stated.cells, stated.column
    unit = f" [{column.unit}]" if column.unit else ""
    if cells.dtype == object:
        stripped = np.array([str(cell).strip() for cell in cells], dtype=object)
        absent = stripped == ""
        numbers = readable(stripped) & ~absent
        values = np.full(len(cells), np.nan)
        values[numbers] = stripped[numbers].astype(float)
        unreadable = ~numbers & ~absent
    else:
        values = np.asarray(cells, dtype=float)
        absent, unreadable = np.isnan(values), np.isinf(values)
    problems = []
    if unreadable.any():
        advice = _(
            "Write a plain finite number{unit}: digits with a point, no formula, separator, unit or NaN.", unit=unit
        )
        if both := of_one_comma(cells[unreadable]):
            advice = _("{advice} {both}", advice=advice, both=both)
        problems.append(stated.problem(unreadable, NOT_A_NUMBER, advice))
    if column.required and absent.any():
        advice = _("Fill it in every row{unit}: {meaning}.", unit=unit, meaning=column.meaning)
        problems.append(stated.problem(absent, EMPTY, advice))
    return values, problems + _problems_of_range(stated, values, ~unreadable & ~absent)


def _problems_of_range(stated: _RawColumn, values: NDArray[np.float64], number: NDArray[np.bool_]) -> list[Problem]:
    """Find numbers outside their column's limits, broken ones where whole ones are expected, and far too large ones."""
    column, problems = stated.column, []
    unit = f" [{column.unit}]" if column.unit else ""
    with np.errstate(invalid="ignore"):
        outside = _outside(values, column) & number
        broken = column.whole & (values != np.rint(values)) & number & ~outside
        huge = (np.abs(values) > 1e12) & number & ~outside
    zero = outside & (values == 0) & bool(column.at_zero)
    if zero.any():
        problems.append(stated.problem(zero, OUT_OF_RANGE, column.at_zero))
    if (outside & ~zero).any():
        advice = _("Correct it to {limits}{unit}: {meaning}.", limits=column.limits, unit=unit, meaning=column.meaning)
        problems.append(stated.problem(outside & ~zero, OUT_OF_RANGE, advice))
    if broken.any():
        advice = _("Correct it to a whole number{unit}: {meaning}.", unit=unit, meaning=column.meaning)
        problems.append(stated.problem(broken, NOT_WHOLE, advice))
    if huge.any():
        advice = _("Look for an identifier or a wrong unit of measure: no unit has 1e12{unit} or more.", unit=unit)
        problems.append(stated.problem(huge, TOO_LARGE, advice))
    return problems


def _outside(values: NDArray[np.float64], column: Column) -> NDArray[np.bool_]:
    """Return True for numbers outside the limits of their column; False for NaN."""
    outside = np.zeros(len(values), dtype=bool)
    if column.at_least is not None:
        outside |= values < column.at_least
    if column.above is not None:
        outside |= values <= column.above
    if column.at_most is not None:
        outside |= values > column.at_most
    return outside


def readable(cells: NDArray[Any]) -> NDArray[np.bool_]:
    """Return True for plain finite numbers; Python alone would also accept '1_000', 'nan' and full-width digits."""
    if set("".join(cells)) <= NUMBER_CHARACTERS:
        try:
            values: NDArray[np.float64] = np.where(cells == "", "0", cells).astype(float)
            return np.isfinite(values)
        except ValueError:
            pass
    return np.array([_is_number(cell) for cell in cells], dtype=bool)


def _is_number(cell: str) -> bool:
    try:
        return set(cell) <= NUMBER_CHARACTERS and bool(np.isfinite(float(cell)))
    except ValueError:
        return False


def _texts(stated: _RawColumn) -> tuple[NDArray[Any], list[Problem]]:
    """Normalise and validate a text column."""
    cells, column = stated.cells, stated.column
    if cells.dtype == object:
        fast = (
            matched_choices(cells, column.choices, column.required)
            if column.choices
            else normalised_column(cells, column.required, LONGEST_IDENTIFIER if column.identifier else LONGEST_TEXT)
        )
        if fast is not None:
            return cells if column.verbatim else fast, []
    problems = []
    if cells.dtype.kind == "f":
        lossy = np.abs(cells) >= 1e15
        if lossy.any():
            advice = _("Give the column as text: floating-point numbers keep 15 digits.")
            problems.append(stated.problem(lossy, LOST_DIGITS, advice))
        cells = np.array(["" if np.isnan(cell) else f"{cell:.15g}" for cell in cells], dtype=object)
    elif cells.dtype != object:
        cells = cells.astype(str)
    stated = replace(stated, cells=cells)
    texts = np.array([normalise(cell) for cell in cells], dtype=object)
    empty = texts == ""
    if column.required and empty.any():
        advice = _("Fill it in every row: {meaning}.", meaning=column.meaning)
        problems.append(stated.problem(empty, EMPTY, advice))
    hidden = np.array([bool(HIDDEN.search(text)) for text in texts], dtype=bool)
    if hidden.any():
        problems.append(stated.problem(hidden, HOLDS_HIDDEN, RETYPE))
    formula = np.array([bool(FORMULA_START.match(text)) for text in texts], dtype=bool)
    if formula.any():
        advice = _("Write the text itself, and leave an absent one empty: a spreadsheet would run the formula.")
        problems.append(stated.problem(formula, FORMULA, advice))
    if column.choices:
        wrong = ~np.isin(texts, column.choices) & ~empty & ~hidden
        if wrong.any():
            guess = did_you_mean(str(texts[wrong][0]), column.choices)
            advice = _(
                "{guess}Use one of {choices}.",
                guess=guess,
                choices=chain((pgettext(column.name, choice) for choice in column.choices), _("{first}, {second}")),
            )
            problems.append(stated.problem(wrong, UNKNOWN, advice))
    kept = np.where(empty, "", cells) if column.verbatim else texts
    return kept, problems + _problems_of_length(stated, texts)


def _problems_of_length(stated: _RawColumn, texts: NDArray[np.object_]) -> list[Problem]:
    """Find texts that are too long for their column."""
    longest = LONGEST_IDENTIFIER if stated.column.identifier else LONGEST_TEXT
    long = np.array([len(text) > longest for text in texts], dtype=bool)
    advice = _("Use at most {longest:,} characters.", longest=longest)
    return [stated.problem(long, TOO_LONG, advice)] if long.any() else []


def _problems_of_user_column(stated: _RawColumn) -> list[Problem]:
    """Find texts in a user column that are too long or have control characters; several lines are allowed."""
    cells = stated.cells
    if cells.dtype != object:
        return []
    problems = _problems_of_length(stated, cells)
    if CONTROL.search(" ".join(cells).replace("\r\n", "\n")):
        wrong = np.array([bool(CONTROL.search(cell.replace("\r\n", "\n"))) for cell in cells], dtype=bool)
        problems.append(stated.problem(wrong, CONTROLS, _("Remove it, or leave the column out.")))
    return problems


def _problems_of_key(raw: RawTable, converted: dict[str, NDArray[Any]], table: Table, key: list[str]) -> list[Problem]:
    """Find rows with the same key; rows without a required part of it have a problem already."""
    keys = pd.DataFrame({name: pd.Series(converted[name], dtype=converted[name].dtype) for name in key})
    stated = np.ones(len(keys), dtype=bool)
    for name in key:
        if table.column(name).required:
            stated &= (keys[name].notna() & (keys[name] != "")).to_numpy()
    twice = keys.duplicated(keep=False).to_numpy() & stated
    if not twice.any():
        return []
    texts = [[f"{cell:g}" if isinstance(cell, float) else str(cell) for cell in keys[name]] for name in key]
    names = np.array([" ".join(part for part in parts if part) for parts in zip(*texts, strict=True)], dtype=object)
    order = np.argsort(names[twice], kind="stable")
    cells = tuple((str(raw.rows[row]), str(names[row])) for row in np.flatnonzero(twice)[order])
    what = _("{count} rows share an identifier", count=len(cells))
    return [Problem(raw.place, what, _("Give each row its own."), ", ".join(key), cells)]
