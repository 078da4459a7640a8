"""Sheets of annex tables as they are in the files: a folder of CSV files, one CSV file, or a workbook."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from etsopt.common.errors import Problem, UsageError, brief
from etsopt.common.language import _
from etsopt.data.files.atomic_folder import finish
from etsopt.data.files.workbook import WORKBOOKS, Cells, read_workbook
from etsopt.data.tables.raw import PROTECTED, decode

CSV = ".csv"


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
            raise UsageError(_("The folder {path!r} has no CSV files.", path=str(path)), _advice(path))
        return _together([_csv_sheet(file) for file in files])
    if not path.is_file():
        what = _("There is no file or folder {path!r}.", path=str(path))
        raise UsageError(what, _("Name a folder of CSV files, or a workbook."))
    if path.suffix.lower() == CSV:
        return _together([_csv_sheet(path)])
    if path.suffix.lower() in WORKBOOKS:
        return _workbook(path)
    advice = _("Save it as a workbook (.xlsx), or each table as a CSV file in one folder.")
    raise UsageError(_("{name} is neither a CSV file nor a workbook.", name=path.name), advice)


def _advice(folder: Path) -> str:
    """Return what to name instead of a folder without CSV files."""
    books = sorted(file.name for file in folder.iterdir() if file.suffix.lower() in WORKBOOKS)
    if books:
        return _("Name the workbook itself: {path}.", path=brief(str(folder / books[0])))
    return _("Name the folder that `etsopt export` wrote, or a workbook.")


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
        what = _("is not valid CSV in line {line:,} ({error})", line=line, error=error)
        return Problem(path.name, what, _("Look for a stray quotation mark, or export the table again."))
    return Sheet(path.name, path.stem, rows, numbers)


def _workbook(path: Path) -> tuple[list[Sheet], list[Problem]]:
    """Read the sheets of a workbook: the values that it stores, formulas and links are not evaluated."""
    sheets, problems = read_workbook(path, _("name a folder of CSV files"))
    numbered = [(name, rows, list(range(1, len(rows) + 1))) for name, rows in sheets.items()]
    return [Sheet(f"{path.name}, sheet {name}", name, rows, numbers) for name, rows, numbers in numbered], problems
