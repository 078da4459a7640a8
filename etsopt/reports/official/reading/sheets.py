"""Sheets of annex tables as they are in the files: a folder of CSV files, one CSV file, or a workbook."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from etsopt.data.files.aside import finish
from etsopt.data.tables.raw import PROTECTED, decode
from etsopt.errors import Problem, UsageError, brief

if TYPE_CHECKING:
    from collections.abc import Iterator

Cells = list[Any]

WORKBOOKS, CSV = (".xlsx", ".xlsm"), ".csv"

COMPOUND_FILE = b"\xd0\xcf\x11\xe0"
"""First bytes of an encrypted workbook, and of one in the format before 2007."""


MOST_CELLS, MOST_BYTES = 40_000_000, 2_000_000_000
"""Cells of a sheet, empty ones included, and bytes of a workbook unpacked: a table has 30 columns."""

REFERENCE = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')
"""Column and row of a cell."""


@dataclass(frozen=True)
class Sheet:
    """A sheet of unconverted cells.

    Parameters
    ----------
    place
        File, and sheet of a workbook, as messages name it.
    name
        Name by which the table is recognised: of the file, or of the sheet.
    rows
        Cells of each row: texts of a CSV file; texts and numbers of a workbook, empty ones as an empty text.
    numbers
        Number of each row in the file, from 1 on.
    """

    place: str
    name: str
    rows: list[Cells]
    numbers: list[int]


def read_sheets(source: str | Path) -> tuple[list[Sheet], list[Problem]]:
    """Read every sheet of a folder of CSV files, a CSV file or a workbook, and the problems of files.

    Raises
    ------
    UsageError
        If there is no such file or folder, it holds neither, or the workbook needs a package that is not installed.
    """
    path = Path(source)
    if path.is_dir():
        finish(path)
        files = sorted(file for file in path.iterdir() if file.suffix.lower() == CSV and file.is_file())
        if not files:
            raise UsageError(f"The folder {str(path)!r} has no CSV files.", _advice(path))
        return _together([_csv_sheet(file) for file in files])
    if not path.is_file():
        raise UsageError(f"There is no file or folder {str(path)!r}.", "Name a folder of CSV files, or a workbook.")
    if path.suffix.lower() == CSV:
        return _together([_csv_sheet(path)])
    if path.suffix.lower() in WORKBOOKS:
        return _workbook(path)
    advice = "Save it as a workbook (.xlsx), or each table as a CSV file in one folder."
    raise UsageError(f"{path.name} is neither a CSV file nor a workbook.", advice)


def _advice(folder: Path) -> str:
    """Return what to name instead of a folder without CSV files."""
    books = sorted(file.name for file in folder.iterdir() if file.suffix.lower() in WORKBOOKS)
    if books:
        return f"Name the workbook itself: {brief(str(folder / books[0]))}."
    return "Name the folder that `etsopt export` wrote, or a workbook."


def _together(read: list[Sheet | Problem]) -> tuple[list[Sheet], list[Problem]]:
    sheets = [one for one in read if isinstance(one, Sheet)]
    return sheets, [one for one in read if isinstance(one, Problem)]


def _csv_sheet(path: Path) -> Sheet | Problem:
    """Read a CSV file, or return the problem that prevents it."""
    text, problems = decode(path.read_bytes(), path.name)
    if problems:
        return problems[0]
    rows, numbers, line = [], [], 1
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for record in reader:
            # The writer protects texts that a spreadsheet would run.
            rows.append([cell[bool(PROTECTED.match(cell)) :] for cell in record])
            numbers.append(line)
            line = reader.line_num + 1
    except csv.Error as error:
        what = f"is not valid CSV in line {line:,} ({error})"
        return Problem(path.name, what, "Look for a stray quotation mark, or export the table again.")
    return Sheet(path.name, path.stem, rows, numbers)


def _workbook(path: Path) -> tuple[list[Sheet], list[Problem]]:
    """Read the sheets of a workbook: the values that it stores, formulas and links are not evaluated."""
    try:
        import python_calamine
    except ImportError:
        advice = 'Install it, `pip install "etsopt[excel]"`, or name a folder of CSV files.'
        raise UsageError("Reading a workbook needs python-calamine, which is not installed.", advice) from None
    content = path.read_bytes()
    if content.startswith(COMPOUND_FILE):
        what = "is encrypted, or of the format before 2007"
        return [], [Problem(path.name, what, "Remove the password, and save it as .xlsx.")]
    if too_large := _too_large(content):
        return [], [Problem(path.name, too_large, "Delete the rows and columns outside the tables, and save it again.")]
    try:
        frames = pd.read_excel(
            io.BytesIO(content), sheet_name=None, header=None, dtype=object, na_filter=False, engine="calamine"
        )
    except (python_calamine.CalamineError, ValueError) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        advice = "Open it in a spreadsheet program and save it again as .xlsx, or export the tables again."
        return [], [Problem(path.name, f"is damaged or no workbook ({reason})", advice)]
    return list(_sheets(path.name, frames)), []


def _too_large(content: bytes) -> str:
    """Return why a workbook does not fit into memory, as with one cell far beyond its table; else empty.

    Calamine would reserve memory for every cell up to the last one.
    """
    # Calamine reports whatever is wrong with a damaged archive.
    with suppress(Exception), zipfile.ZipFile(io.BytesIO(content)) as parts:
        if sum(part.file_size for part in parts.infolist()) > MOST_BYTES:
            return f"holds more than {MOST_BYTES:,} bytes"
        for part in parts.namelist():
            if not part.startswith("xl/worksheets/"):
                continue
            cells = REFERENCE.findall(parts.read(part))
            column = max((name for name, _ in cells), key=lambda name: (len(name), name), default=b"A")
            last = max((int(row) for _, row in cells), default=1)
            width = reduce(lambda number, letter: 26 * number + letter - ord("A") + 1, column, 0)
            if width * last > MOST_CELLS:
                return f"has a sheet that reaches to column {column.decode()} and row {last:,}"
    return ""


def _sheets(file: str, frames: dict[str, pd.DataFrame]) -> Iterator[Sheet]:
    for name, frame in frames.items():
        rows = [["" if cell is None or cell is pd.NaT else cell for cell in row] for row in frame.to_numpy().tolist()]
        yield Sheet(f"{file}, sheet {name}", name, rows, list(range(1, len(rows) + 1)))
