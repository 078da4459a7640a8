"""Cells as text, exactly as they stand in the file, before anything converts them.

pandas would turn the id '007' into 7, the name 'NA' into a missing value, and a row with one cell too many into a
table shifted by a column, all without a word. So files are read here, and only what passed the checks becomes a frame.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.errors import Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class RawTable:
    """A table of unconverted cells.

    Parameters
    ----------
    place
        What the user calls it: a file name, or a frame's.
    columns
        Cells by column: text from a file, numbers too from a frame.
    rows
        Label of each row as the user sees it: the line in the file, or the frame's index.
    """

    place: str
    columns: dict[str, NDArray[Any]]
    rows: NDArray[Any]

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, place: str) -> RawTable:
        """Take a frame's cells; missing ones become empty text, numbers stay numbers."""
        columns = {}
        for name in frame.columns:
            series = frame[name]
            if pd.api.types.is_numeric_dtype(series.dtype) and not pd.api.types.is_bool_dtype(series.dtype):
                columns[str(name)] = series.to_numpy(dtype=float, na_value=np.nan)
            else:
                columns[str(name)] = np.array(
                    ["" if pd.isna(cell) else str(cell) for cell in series], dtype=object
                )
        return cls(place, columns, frame.index.to_numpy())


def decode(content: bytes, place: str) -> tuple[str, list[Problem]]:
    """Decode a file: UTF-8 with or without byte-order mark, or GBK that is plainly Chinese.

    A Western European file often decodes as GBK too, into nonsense; so GBK is taken only where every character
    beyond ASCII is one of the everyday set GB 2312, and most are of its common first level.
    """
    for mark, name in ((b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16")):
        if content.startswith(mark):
            return "", [Problem(place, f"is encoded in {name}", "Save it as UTF-8 (in Excel: 'CSV UTF-8').")]
    try:
        return content.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        position = error.start
    try:
        text = content.decode("gb2312")
    except UnicodeDecodeError:
        text = ""
    beyond = [character.encode("gb2312")[0] for character in text if ord(character) > 127]
    common = sum(0xB0 <= lead <= 0xD7 or lead == 0xA3 for lead in beyond)
    if beyond and 2 * common > len(beyond):
        return text, []
    line = content[:position].count(b"\n") + 1
    what = f"is neither UTF-8 (byte 0x{content[position]:02x} in line {line}) nor plainly Chinese GBK"
    return "", [
        Problem(place, what, "Find out its encoding, for example Latin-1 or GB18030, and save it as UTF-8.")
    ]


def read_csv(content: bytes, place: str) -> tuple[RawTable | None, list[Problem]]:
    """Read a CSV file into unconverted cells, or say why its shape is wrong."""
    text, problems = decode(content, place)
    if problems:
        return None, problems
    if "\0" in text:
        return None, [
            Problem(place, "contains NUL characters", "It is no CSV file, or damaged: export it again.")
        ]
    try:
        records = [record for record in csv.reader(io.StringIO(text, newline=""), strict=True) if record]
    except csv.Error as error:
        return None, [Problem(place, f"is not valid CSV ({error})", "Look for a stray quotation mark.")]
    if not records:
        return None, [Problem(place, "is empty", "Write a line of column names and a line for each row.")]
    header = [name.strip() for name in records[0]]
    problems = _problems_of_shape(header, records, place)
    if problems:
        return None, problems
    cells = np.array(records[1:], dtype=object).reshape(len(records) - 1, len(header))
    columns = {name: cells[:, position] for position, name in enumerate(header)}
    return RawTable(place, columns, np.arange(2, len(records) + 1)), []


def _problems_of_shape(header: list[str], records: list[list[str]], place: str) -> list[Problem]:
    if len(header) == 1 and any(separator in header[0] for separator in ";\t|"):
        return [
            Problem(place, "is not separated by commas", "Save it with commas between the cells.", header[0])
        ]
    problems = []
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        problems.append(
            Problem(place, f"has two columns named {', '.join(map(repr, twice))}", "Keep one of them.")
        )
    if "" in header:
        problems.append(Problem(place, "has a column without a name", "Name it, or remove the empty column."))
    width = len(header)
    uneven = tuple(
        (str(row), f"{len(record)} cells") for row, record in enumerate(records, 1) if len(record) != width
    )
    if uneven:
        what = f"{len(uneven)} rows do not have the {width} cells of the first line"
        advice = "Quote a text that contains a comma, and leave thousands separators out of numbers."
        problems.append(Problem(place, what, advice, cells=uneven))
    return problems
