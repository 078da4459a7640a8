"""Raw cells as text, exactly as in the file, before any conversion.

pandas would silently turn the id '007' into 7, the name 'NA' into a missing value, and a row with an extra cell into a
table shifted by a column. So files are read here, and only validated cells become a frame.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.common.characters import HIDDEN
from etsopt.common.errors import DataError, Problem, brief
from etsopt.common.language import _
from etsopt.data.messages import counted
from etsopt.data.tables.schema import LONGEST_TEXT, USER_COLUMN_PREFIX
from etsopt.data.tables.user_columns import as_texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


FORMULA_BEGINS = "=+@＝＋＠－\t\r\n-"
"""Characters that begin a formula in a spreadsheet (in some languages the full-width ones), or that it skips."""

PROTECTED = re.compile(f"'+[{FORMULA_BEGINS}]")
"""A text that a spreadsheet would run as a formula, with the apostrophe that protects it."""


@dataclass(frozen=True)
class RawTable:
    """A table of unconverted cells.

    Parameters
    ----------
    place
        Name of the file, or of the frame.
    columns
        Cells by column: texts from a file, texts or numbers from a frame.
    rows
        Label of each row for the user: the line in the file or the row of the sheet, or the frame's index.
    letters
        Letters of the columns of a sheet, by heading.
    top
        Row of the headings of a sheet, from 1 on.
    stated
        Heading and cells, as the file has them, of each column that was renamed or converted, by its present name.
    whole
        False if rows of the file are left out because their cells cannot be told apart.
    headings
        Headings of the file by that of a column that has another by now.
    """

    place: str
    columns: dict[str, NDArray[Any]]
    rows: NDArray[Any]
    letters: Mapping[str, str] = field(default_factory=dict)
    top: int = 1
    stated: Mapping[str, tuple[str, NDArray[Any]]] = field(default_factory=dict)
    whole: bool = True
    headings: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, place: str) -> RawTable:
        """Build a raw table from a frame; missing cells become empty texts, numbers stay numbers.

        Raises
        ------
        DataError
            If two columns have one name.
        """
        names = [str(name) for name in frame.columns]
        problems = problems_of_names(names, place)
        if problems:
            raise DataError(_("The data frame"), problems)
        frame = as_texts(frame)
        return cls(
            place,
            {name: cells_of_series(frame[own]) for name, own in zip(names, frame.columns, strict=True)},
            frame.index.to_numpy(),
        )

    def renamed(self, names: Mapping[str, str]) -> RawTable:
        """Return the table with some columns under other headings, by their present ones."""
        headings = {**self.headings, **{new: self.heading_of(old) for old, new in names.items()}}
        letters = {names.get(heading, heading): letter for heading, letter in self.letters.items()}
        columns = {names.get(heading, heading): cells for heading, cells in self.columns.items()}
        return replace(self, columns=columns, letters=letters, headings=headings)

    def heading_of(self, heading: str) -> str:
        """Return the heading of the file, of the column that has one by now."""
        return self.headings.get(heading, heading)

    def label_of(self, heading: str) -> str:
        """Return the place of a heading for messages: its cell in a sheet, else empty for the first row."""
        return f"cell {self.letters[heading]}{self.top}" if heading in self.letters else "of headings"


def cells_of_series(series: pd.Series[Any]) -> NDArray[Any]:
    """Return the cells of a frame's column; integers stay integers, since an identifier may exceed a float."""
    if isinstance(series.dtype, np.dtype) and series.dtype.kind in "iu":
        return series.to_numpy()
    number = pd.api.types.is_numeric_dtype(series.dtype) and not pd.api.types.is_complex_dtype(series.dtype)
    if number and not pd.api.types.is_bool_dtype(series.dtype):
        return series.to_numpy(dtype=float, na_value=np.nan)
    cells = series.to_numpy(dtype=object)
    absent = pd.isna(cells)
    if pd.api.types.infer_dtype(cells[~absent], skipna=False) == "string":
        return np.where(absent, "", cells)
    return np.array(["" if none else str(cell) for cell, none in zip(cells, absent, strict=True)], dtype=object)


def decode(content: bytes, place: str) -> tuple[str, list[Problem]]:
    """Decode a file: UTF-8 with or without byte-order mark, or GBK that is plainly Chinese.

    A Western European or Big5 file may also decode as GBK, into rare characters. So GBK is accepted only if most
    characters beyond ASCII are common ones, and at least as many as under Big5. GB 18030 is used because it has all
    rare characters of names, such as 镕.
    """
    for mark, name in ((b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16")):
        if content.startswith(mark):
            return "", [
                Problem(place, _("is encoded in {name}", name=name), _("Save it as UTF-8 (in Excel: 'CSV UTF-8')."))
            ]
    try:
        return content.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        position = error.start
    try:
        text = content.decode("gb18030")
    except UnicodeDecodeError:
        text = ""
    share = _common_share(text, "gb18030", 0xD7)
    if share > 0.5 and share >= _common_share(content.decode("big5", errors="replace"), "big5", 0xC6):
        return text, []
    line = content[:position].count(b"\n") + 1
    what = _(
        "is neither UTF-8 (byte 0x{content:02x} in line {line}) nor plainly Chinese GBK",
        content=content[position],
        line=line,
    )
    return "", [Problem(place, what, _("Find out its encoding, for example Latin-1 or Big5, and save it as UTF-8."))]


def _common_share(text: str, encoding: str, last: int) -> float:
    """Return the share of common characters among those beyond ASCII.

    Common are the first level of GB 2312 or Big5, whose codes begin with bytes up to ``last``, and full-width marks.
    """
    beyond = {character: count for character, count in Counter(text).items() if not character.isascii()}
    first, marks = (0xB0, (0xA1, 0xA3)) if encoding == "gb18030" else (0xA4, (0xA1,))
    common = 0
    for character, count in beyond.items():
        code = character.encode(encoding, errors="ignore")
        two_bytes = len(code) == 2 and (encoding == "big5" or code[1] > 0xA0)
        common += count * (two_bytes and (first <= code[0] <= last or code[0] in marks))
    return common / max(sum(beyond.values()), 1)


def read_csv(content: bytes, place: str, *, partly: bool = False) -> tuple[RawTable | None, list[Problem]]:
    """Read a CSV file into unconverted cells, or return the problems of its shape.

    Parameters
    ----------
    partly
        Where rows have too many or too few cells, return the others beside the problem, so that theirs are reported.
    """
    text, problems = decode(content, place)
    if problems:
        return None, problems
    if "\0" in text:
        what = _(
            "contains NUL characters, the first in line {count:,}", count=text.partition(chr(0))[0].count(chr(10)) + 1
        )
        return None, [Problem(place, what, _("Export it again: it is damaged or not a CSV file."))]
    records, lines, line = [], [], 1
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for record in reader:
            if record:
                records.append(record)
                lines.append(line)
            line = reader.line_num + 1
    except csv.Error as error:
        if "field limit" in str(error):
            what = _(
                "has a cell of more than {longest_text:,} characters in line {line:,}",
                longest_text=LONGEST_TEXT,
                line=line,
            )
            return None, [Problem(place, what, _("Look for a missing quotation mark: no name or number is that long."))]
        return None, [
            Problem(
                place,
                _("is not valid CSV in line {line:,} ({error})", line=line, error=error),
                _("Look for a stray quotation mark."),
            )
        ]
    if not records:
        return None, [Problem(place, _("is empty"), _("Write a line of column names and a line for each row."))]
    header = [name.strip() for name in records[0]]
    if len(header) == 1 and any(separator in header[0] for separator in ";\t|"):
        return None, [Problem(place, _("is not separated by commas"), _("Save it with commas between the cells."))]
    problems = problems_of_names(header, place)
    uneven = _problems_of_rows(len(header), records, lines, place)
    fitting = [number for number, record in enumerate(records) if len(record) == len(header)]
    if problems or (uneven and not (partly and len(fitting) > 1)):
        return None, problems + uneven
    records, lines = [records[number] for number in fitting], [lines[number] for number in fitting]
    cells = np.array(records[1:], dtype=object).reshape(len(records) - 1, len(header))
    columns = {name: cells[:, position] for position, name in enumerate(header)}
    for name in header:
        if name.startswith(USER_COLUMN_PREFIX):
            columns[name] = np.array([cell[bool(PROTECTED.match(cell)) :] for cell in columns[name]], dtype=object)
    return RawTable(place, columns, np.array(lines[1:]), whole=not uneven), uneven


def _problems_of_rows(width: int, records: list[list[str]], lines: list[int], place: str) -> list[Problem]:
    """Find rows with too many or too few cells, such as by a comma in a text."""
    uneven = tuple(
        (str(line), counted(len(record), _("cell"), _("cells")))
        for line, record in zip(lines, records, strict=True)
        if len(record) != width
    )
    if not uneven:
        return []
    count = counted(len(uneven), _("row does"), _("rows do"))
    what = _(
        "{count} not have the {counted} of the first line", count=count, counted=counted(width, _("cell"), _("cells"))
    )
    advice = _("Quote a text that contains a comma, and leave thousands separators out of numbers.")
    return [Problem(place, what, advice, cells=uneven)]


def problems_of_names(names: list[str], place: str) -> list[Problem]:
    """Find names of columns that are repeated, empty, or have hidden characters."""
    counts = Counter(names)
    problems = [
        Problem(place, _("has {count} columns named {name}", count=count, name=brief(name)), _("Keep one of them."))
        for name, count in sorted(counts.items())
        if name and count > 1
    ]
    if "" in counts:
        problems.append(Problem(place, _("has a column without a name"), _("Name it, or remove the empty column.")))
    for name in filter(HIDDEN.search, counts):
        what = _("has a column {name}, with a control or invisible character in its name", name=brief(name))
        problems.append(Problem(place, what, _("Retype the name.")))
    return problems
