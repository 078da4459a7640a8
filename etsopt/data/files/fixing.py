"""A person's own file as a workbook that is read without an assumption, with lists of changes and of what is left.

The tables are those that the reader makes of the file, so that both read as the same instance. What it refuses stays as
it is, in colour: nothing is guessed.
"""

from __future__ import annotations

import re
import warnings
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from etsopt.common.errors import AssumedWarning, DataError, Problem, UsageError
from etsopt.common.language import _, in_chinese, pgettext
from etsopt.data.files.book import Listed
from etsopt.data.files.instance_sheets import as_cells, heading, write_sheets
from etsopt.data.files.lenient.ignored_content import notes_of_policy
from etsopt.data.files.lenient.one_file import read_one_file
from etsopt.data.files.policy_sheet import as_cell, plain_value, rows_of_policy
from etsopt.data.files.problem_places import locate_problems
from etsopt.data.files.read import DEFAULT_POLICY, instance_of_file, read_instance
from etsopt.data.files.workbook import column_name
from etsopt.data.policy.keys import english_path
from etsopt.data.tables import chinese
from etsopt.data.tables.headings import column_of, heading_of, in_schema
from etsopt.data.tables.measurement import factor_of
from etsopt.data.tables.provinces import SHORT
from etsopt.data.tables.schema import TABLES, UNITS, USER_COLUMN_PREFIX
from etsopt.data.tables.text_columns import normalise
from etsopt.data.tables.validate import readable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from etsopt.data.files.lenient.found import OneFile
    from etsopt.data.files.read import Wanted
    from etsopt.data.instance import Instance
    from etsopt.data.tables.raw import RawTable
    from etsopt.data.tables.table import Column, Table

FIRST_ROW = 3
"""Row of a sheet with the first cells of its table."""

CHANGES: dict[str, int] = {
    **{pgettext("log", "in the file"): 34, pgettext("log", "cell"): 12, pgettext("log", "as it was"): 34},
    **{pgettext("log", "as it is"): 34, pgettext("log", "why"): 80},
}
TO_DO: dict[str, int] = {
    **{pgettext("log", "cell here"): 18, pgettext("log", "column"): 34, pgettext("log", "value"): 24},
    **{pgettext("log", "what is wrong or in doubt"): 60, pgettext("log", "what to do"): 60},
    **{pgettext("log", "in the file"): 34, pgettext("log", "cell"): 12},
}
"""Headings of the lists of changes and of what is left, and the width of each column."""

ALIKE = _("characters of one width, without spaces around them")
WHY = {**dict.fromkeys(chinese.WORDS, _("one word for one thing")), "province": _("one name for a province")}
"""Why a text is another one, by column."""


class Change(NamedTuple):
    """A change: the table or sheet of the file, its cell, what that was and is now, and why; or a sentence alone."""

    place: str
    cell: str
    was: str
    now: str
    why: str


class Fixed(NamedTuple):
    """What was changed in a file, and what a person has to do: correct problems, and look at what is in doubt."""

    changes: list[Change]
    problems: list[Problem]
    doubts: list[str]


def fix(
    source: Path, target: Path, evaluate: Callable[[Instance], Any] | None = None, wanted: Wanted | None = None
) -> Fixed:
    """Write a person's own file as a workbook in the language of the moment.

    Parameters
    ----------
    evaluate, wanted
        As `read_instance` takes them.

    Raises
    ------
    DataError
        With its problems, if it has no table of units that could be written.
    UsageError
        If a package is not installed, or the workbook would not read back as the same instance.
    OSError
        With the name of the file that cannot be read or written.
    """
    found, instance, problems = read_one_file(source), None, list[Problem]()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", AssumedWarning)
        try:
            instance = instance_of_file(source, found, wanted=wanted)
            if evaluate is not None:
                with locate_problems(found.tables, found):
                    evaluate(instance)
        except DataError as error:
            instance, problems = None, error.problems
    if UNITS.name not in found.tables:
        raise DataError(_("The file {name!r}", name=source.name), problems)
    notes: list[str] = [one.message.args[0] for one in caught if isinstance(one.message, AssumedWarning)]
    policy, settled = _policy(source.name, found)
    written = [
        Written(table, in_schema(_apart(found.tables[table.name], table), table, informal=True)[0])
        for table in TABLES
        if table.name in found.tables
    ]
    changes = [change for one in written for change in one.changes(found)] + [*_changes_of_policy(found, policy)]
    changes += [Change("", "", "", "", note) for note in settled]
    doubts = [note for note in notes if note not in (*settled, *found.of_separators)]
    _write(target, written, policy, Fixed(changes, problems, doubts))
    if instance is not None and _again(target).hash != instance.hash:
        what = _("{file!r} does not read back as the instance that was written to it.", file=str(target))
        raise UsageError(what, _("Do not use it, and report the defect as SECURITY.md says."))
    return Fixed(changes, problems, doubts)


def _again(target: Path) -> Instance:
    """Read the workbook that was written."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AssumedWarning)
        return read_instance(target)


def _apart(raw: RawTable, table: Table) -> RawTable:
    """Return a table in which the second of two columns of one meaning, which is refused, is one of the user's own."""
    first: dict[str, str] = {}
    again = [name for name in raw.columns if (of := column_of(name, table)) and first.setdefault(of, name) != name]
    return raw.renamed({name: f"{USER_COLUMN_PREFIX}{raw.heading_of(name)}" for name in again})


def _policy(name: str, found: OneFile) -> tuple[dict[str, Any], list[str]]:
    """Return the policy to write, and the sentences on what is assumed that are settled by what is written.

    A year that the file contradicts, as by a title, is left to a person, and so is one whose cell is empty.
    """
    stated = found.policy or {}
    assumed = {key: value for key, value in DEFAULT_POLICY.items() if key not in stated}
    told = list(notes_of_policy(name, assumed, found.years))
    empty = {".".join(english_path(text.split("."))) for _cell, text, value in found.policy_rows if value == ""}
    if len(told) > 1 or ("year" in assumed and "year" in empty):
        return {**DEFAULT_POLICY, **stated, "year": None}, found.notes
    return {**DEFAULT_POLICY, **stated}, [*found.notes, *told]


def _changes_of_policy(found: OneFile, policy: Mapping[str, Any]) -> Iterator[Change]:
    """Yield the keys and values that are written in other words."""
    key_of, values = {cell: key for key, cell in found.policy_cells.items()}, dict(rows_of_policy(policy))
    for cell, text, value in found.policy_rows:
        key = key_of.get(cell, text)
        if value != "" and key in values and (text, plain_value(value)) != (key, values[key]):
            was, now = f"{text} = {value}", f"{key} = {as_cell(values[key])}"
            yield Change(found.place_of_policy, _short(cell), was, now, _("key and value as the schema has them"))


def _short(cell: str) -> str:
    """Return the label of a cell or row for a column of such."""
    return str(_("row {number}", number=cell)) if cell.isdigit() else cell.removeprefix("cell ")


class Written:
    """A table as it is written.

    Parameters
    ----------
    raw
        The table in the schema, with the headings, cells and places of its file.
    """

    def __init__(self, table: Table, raw: RawTable) -> None:
        self.table, self.raw = table, raw
        columns: dict[str, pd.Series[Any]] = {}
        self.without: dict[tuple[str, int], str] = {}
        """Cells of numbers that hold none, with their texts, and of columns that are needed and missing."""
        for column in table.columns:
            if column.name not in raw.columns and not column.required:
                continue
            cells = raw.columns.get(column.name, np.full(len(raw.rows), "", dtype=object))
            texts = np.array([normalise(str(cell)) for cell in cells], dtype=object)
            numbers = readable(texts) & (texts != "")
            if column.name not in raw.columns or column.number:
                bad = (texts != "") & ~numbers if column.name in raw.columns else np.full(len(texts), True)
                self.without |= {(column.name, row): texts[row] for row in np.flatnonzero(bad).tolist()}
            texts = np.where(numbers, texts, "nan").astype(float) if column.number else texts
            columns[column.name] = pd.Series(texts, dtype=texts.dtype)
        own = {name: pd.Series(cells, dtype=object) for name, cells in raw.columns.items() if name not in columns}
        self.frame = pd.DataFrame(columns | own)

    @cached_property
    def rows(self) -> dict[str, int]:
        """Position of each row by its label in problems: its number in the file, or its key."""
        keys = self.frame.get(self.table.key[0], ())
        return {f"of {key}": at for at, key in enumerate(keys)} | {str(row): at for at, row in enumerate(self.raw.rows)}

    @cached_property
    def of_letter(self) -> dict[str, str]:
        """Columns by their letters in the file."""
        return {letter: name for name, letter in self.raw.letters.items() if name in self.frame}

    def place_of(self, label: str, column: str) -> tuple[str, int] | None:
        """Return the column and the row, from 0 on, of a cell that a problem names; None if it is not written."""
        cell = re.fullmatch(r"cell ([A-Z]+)(\d+)(?::.*)?", label)
        name, row = (
            (self.of_letter.get(cell[1], ""), self.rows.get(cell[2])) if cell else (column, self.rows.get(label))
        )
        return (name, row) if name in self.frame and row is not None else None

    def cell(self, place: tuple[str, int]) -> str:
        """Return the cell of the workbook by its column and row."""
        name = chinese.TABLES[self.table.name] if in_chinese() else self.table.name
        return f"{name}!{column_name(self.frame.columns.get_loc(place[0]))}{place[1] + FIRST_ROW}"

    def changes(self, found: OneFile) -> Iterator[Change]:
        """Yield the changes of headings, units of measure, words and separators."""
        known = {column.name: column for column in self.table.columns}
        for name in self.raw.columns:
            letter = self.raw.letters.get(name, "")
            was, cells = self.raw.stated.get(name, (self.raw.heading_of(name), self.raw.columns[name]))
            column = known.get(name)
            usual = {normalise(heading(column, self.table, flag)) for flag in (False, True)} if column else {name}
            # The unit of measure may be that of a second row of headings.
            if not usual & {was, re.sub(r"\([^()]*\)$", "", was)}:
                place = f"{letter}{self.raw.top}" if letter else str(_("row of headings"))
                why = _("the heading of its column") if column else _("a column of your own begins with x_")
                written = heading(column, self.table, in_chinese()) if column else name
                yield Change(self.raw.place, place, was, written, why)
            if column is not None:
                for row, *change in self._changes_of(column, was, cells):
                    yield Change(self.raw.place, _short(f"{letter}{self.raw.rows[row]}"), *change)
        for one in found.ungrouped.get(self.table.name, ()):
            yield Change(one.place, _short(one.cell), one.was, one.now, _("commas that separate thousands"))

    def _changes_of(self, column: Column, heading_was: str, cells: NDArray[Any]) -> Iterator[tuple[int, str, str, str]]:
        """Yield the row of each other cell, what it was and is, and why; of another unit of measure the first alone."""
        if not column.number:
            shown = as_cells(self.frame[column.name], column, in_chinese()).tolist()
            for row, (cell, word) in enumerate(zip(map(str, cells), self.frame[column.name], strict=True)):
                chinese_word = SHORT.get(word, word) if column.name == "province" else _first(column, word)
                if cell not in (shown[row], word, chinese_word):
                    yield row, cell, shown[row], WHY.get(column.name, ALIKE)
            return
        for row, (cell, number) in enumerate(zip(cells, self.raw.columns[column.name], strict=True)):
            if str(cell) != str(number):
                text = _("all numbers of the column are converted from {unit} to {usual}; this is the first")
                yield row, str(cell), str(number), _(text, unit=self._unit(heading_was), usual=column.unit)
                return

    def _unit(self, heading_was: str) -> str:
        """Return the unit of measure that a heading states; empty if it states none, or that of its column."""
        name, unit, _year = heading_of(heading_was, self.table, informal=True)
        return unit if unit and factor_of(unit, self.table.column(name).unit) != 1 else ""

    def with_unit(self, advice: str, name: str) -> str:
        """Return what to do with a cell of a column, with its unit of measure if that was another one in the file."""
        stated = self._unit(self.raw.stated[name][0]) if name in self.raw.stated else ""
        text = _("{advice} The unit of the column is {usual} here, and {unit} in the file.")
        return _(text, advice=advice, usual=self.table.column(name).unit, unit=stated) if stated else advice


def _first(column: Column, word: str) -> str:
    """Return the Chinese word of templates for a word of the schema."""
    return next(iter(chinese.WORDS.get(column.name, {}).get(word, ())), word)


def _write(target: Path, written: Sequence[Written], policy: Mapping[str, Any], fixed: Fixed) -> None:
    """Write the workbook, with a sheet of the changes and, if a person has to do something, a list of that."""
    wrong = {(one.table.name, *place): text for one in written for place, text in one.without.items()}
    to_do: list[tuple[str, ...]] = []
    for problem in fixed.problems:
        column = (re.findall(r"\((\w+)\)$", problem.column) or re.split(" or |, ", problem.column))[0]
        at_place = [one for one in written if one.raw.place == problem.place]
        for label, value in problem.cells or (("", ""),):
            places = [(one, place) for one in at_place if (place := one.place_of(label, column)) is not None]
            cell, advice = _("left out") if at_place and value else "", problem.advice
            for one, place in places[:1]:
                wrong.setdefault((one.table.name, *place), "")
                cell, advice = one.cell(place), one.with_unit(advice, place[0])
            to_do.append((cell, problem.column, value, problem.what, advice, problem.place, _short(label)))
    to_do += [("", "", "", doubt) for doubt in fixed.doubts]
    lists = [Listed(pgettext("sheet", "changes"), CHANGES, fixed.changes)]
    lists += [Listed(pgettext("sheet", "to do"), TO_DO, to_do)] if to_do else []
    frames = {one.table.name: one.frame for one in written}
    write_sheets(target, frames, policy, in_chinese(), wrong, lists)
