"""Fast reader of regular CSV files, a column at a time.

`etsopt.data.tables.raw` defines the meaning of a file, cell by cell; here pandas reads the same, many times as quickly.
Files that pandas would read otherwise (a row with too few cells, a stray quotation mark, a line of spaces) are found by
counting bytes; for these, and for a cell that cannot be converted, the fast reader returns None.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.common.characters import HIDDEN
from etsopt.common.language import _
from etsopt.data.tables.raw import PROTECTED, RawTable
from etsopt.data.tables.schema import USER_COLUMN_PREFIX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etsopt.data.tables.table import Table

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
QUOTE, COMMA, LINE_END = (ord(sign) for sign in '",\n')
BOOLEAN = re.compile(rb"true|false", re.IGNORECASE)

EXACT_NUMBERS: dict[str, Any] = (
    {} if tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1) else {"float_precision": "round_trip"}
)
"""Option that makes pandas read every number as Python does, which is the default from pandas 3.1 on."""


def read_csv_fast(content: bytes, table: Table) -> RawTable | None:
    """Read a file in UTF-8 into columns of texts and numbers; return None if it is not regular.

    Rows are not labelled with their lines: after a problem the file is read again, cell by cell.
    """
    content = content.removeprefix(BYTE_ORDER_MARK)
    if b"\r" in content and content.count(b"\r") != content.count(b"\r\n"):
        return None
    header = _header(content[: content.find(b"\n") + 1].rstrip(b"\r\n"), table)
    if header is None:
        return None
    numbers = {column.name for column in table.columns if column.number}
    try:
        frame = parsed(content, [float if name in numbers else object for name in header])
    except ValueError:
        return None
    if not len(frame):
        return None
    columns: dict[str, NDArray[Any]] = {name: frame[position].to_numpy() for position, name in enumerate(header)}
    floats = [cells for cells in columns.values() if cells.dtype != object]
    if any(np.isinf(cells).any() for cells in floats):
        return None
    # pandas turns a column of TRUE and FALSE alone into ones and zeros.
    if any(((cells == 0) | (cells == 1) | np.isnan(cells)).all() for cells in floats) and BOOLEAN.search(content):
        return None
    for name in header:
        if name.startswith(USER_COLUMN_PREFIX) and any(map(PROTECTED.match, columns[name])):
            return None
    return RawTable(table.file, columns, np.arange(len(frame)))


def _header(line: bytes, table: Table) -> list[str] | None:
    """Return the column names if the table knows all of them and none is repeated; else None."""
    try:
        names = [name.strip() for name in next(csv.reader([line.decode()], strict=True), [])]
    except (UnicodeDecodeError, csv.Error):
        return None
    known = {column.name for column in table.columns}
    valid = all(name in known or (name.startswith(USER_COLUMN_PREFIX) and not HIDDEN.search(name)) for name in names)
    return names if valid and len(names) == len(set(names)) > 1 else None


def shape_of(content: bytes) -> tuple[int, int] | None:
    """Count lines and commas outside quotation marks; return None if these do not enclose whole cells."""
    open_end = 0 if content.endswith(b"\n") else 1
    if b'"' not in content:
        return content.count(b"\n") + open_end, content.count(b",")
    letters = np.frombuffer(content, dtype=np.uint8)
    quotes = np.flatnonzero(letters == QUOTE)
    if len(quotes) % 2:
        return None
    opening, closing = quotes[::2], quotes[1::2]
    before, after = letters[opening - 1], letters[np.minimum(closing + 1, len(letters) - 1)]
    # Two marks in a row inside a cell are one escaped mark: they close and open again.
    again = opening[1:] == closing[:-1] + 1
    begins = np.append(True, again) if opening[0] == 0 else np.append(False, again)
    begins |= (before == COMMA) | (before == LINE_END)
    ends = np.append(again, closing[-1] == len(letters) - 1)
    ends |= (after == COMMA) | (after == LINE_END) | (after == ord("\r"))
    if not (begins & ends[: len(begins)]).all():
        return None
    outside = ~np.bitwise_xor.accumulate(letters == QUOTE)
    lines, commas = (int(np.count_nonzero((letters == sign) & outside)) for sign in (LINE_END, COMMA))
    return lines + open_end, commas


def parsed(content: bytes, kinds: Sequence[Any]) -> pd.DataFrame:
    """Read the cells below the header, columns by position.

    Parameters
    ----------
    kinds
        Type of each column: ``object`` for texts, which stay as they are, any other for numbers, of which an empty cell
        is an absent one; None for numbers if all cells are some.

    Raises
    ------
    ValueError
        If a cell is not of its type, or a row has not one cell for each column.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            frame = pd.read_csv(
                io.BytesIO(content),
                names=range(len(kinds)),
                header=0,
                index_col=False,
                dtype={position: kind for position, kind in enumerate(kinds) if kind is not None},
                keep_default_na=False,
                na_values={position: [""] for position, kind in enumerate(kinds) if kind is not object},
                encoding="utf-8",
                # In a table of one column a line of blanks is a text.
                skip_blank_lines=False,
                **EXACT_NUMBERS,
            )
        except (ValueError, TypeError, OverflowError, Warning) as error:
            raise ValueError(_("cannot be read ({reason})", reason=str(error).splitlines()[0])) from None
    # pandas pads short rows and accepts stray quotation marks.
    lines = len(frame) + 1
    if b"\0" in content or shape_of(content) != (lines, lines * (len(kinds) - 1)):
        raise ValueError(_("has rows that do not match the header"))
    return frame
