"""Reader of monthly reports: ``register.csv`` with every CSV file and workbook in ``reports``, or one workbook."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.accounting.checks import RowChecks
from etsopt.accounting.coded import FLOW, Coded
from etsopt.accounting.reading import read_rows
from etsopt.accounting.register import validate_register
from etsopt.accounting.schema import REGISTER, ROWS
from etsopt.accounting.validated_rows import validated, with_defaults
from etsopt.accounting.versions import latest
from etsopt.accounting.vocabulary import STATED
from etsopt.accounting.workbooks import SheetOfRows, read_book
from etsopt.common.errors import DataError, Problem, UsageError
from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt.data.files.lenient.one_file import find_file
from etsopt.data.files.read import REPORTS, find_folder
from etsopt.data.files.workbook import WORKBOOKS
from etsopt.data.tables.raw import RawTable, read_csv

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

CSV = ".csv"
OTHER_FORMATS = (".xls", ".xlsb", ".ods", ".parquet", ".txt", ".tsv")
LOCK = "~$"
"""Beginning of the name of the file by which a spreadsheet program marks an open workbook."""


@dataclass(frozen=True, eq=False)
class Reports:
    """Validated monthly reports.

    Parameters
    ----------
    register
        Units, by ``unit_id``.
    rows
        All rows of all files, with their ``file`` (of a workbook: and sheet) and ``line``.
    refused
        Problems of rows that were read to be screened alone: with any, reports have no accounts.
    """

    register: pd.DataFrame
    rows: pd.DataFrame
    refused: tuple[Problem, ...] = ()

    @classmethod
    def from_frames(cls, register: pd.DataFrame, rows: pd.DataFrame) -> Reports:
        """Build reports from data frames, validated as files are; lines are those of the frame's index.

        Raises
        ------
        DataError
            With every problem of both tables.
        """
        for name, frame in (("register", register), ("rows", rows)):
            if not isinstance(frame, pd.DataFrame):
                raise UsageError(
                    _("`{name}` is {kind}: expected a data frame.", name=name, kind=type(frame).__name__),
                    _("Pass a data frame."),
                )
        frame, problems = validated(RawTable.from_frame(rows, "rows"))
        return _reports(RawTable.from_frame(register, "register"), [frame], problems)

    @cached_property
    def coded(self) -> Coded:
        """Codes of the words of every row."""
        return Coded.of(self.rows, self.register)

    @cached_property
    def current(self) -> NDArray[np.bool_]:
        """True for the rows of the highest version, shape ``(rows,)``."""
        return latest(self.rows, self.coded)

    @cached_property
    def counted(self) -> NDArray[np.bool_]:
        """True for current rows that accounts take: none of purchases, stocks and monitors, shape ``(rows,)``."""
        return self.current & ~np.isin(self.coded.flow, [FLOW[name] for name in STATED])


def read_reports(source: str | Path, to_screen: bool = False) -> Reports:
    """Read the register and the monthly reports of a folder, or of a workbook that has both.

    Parameters
    ----------
    to_screen
        True to read calorific values that look like kcal or kJ as they are, for screening, which finds them.

    Raises
    ------
    UsageError
        If there is no such folder or workbook, or a workbook needs a package that is not installed.
    DataError
        With every problem of every file: file, line or cell, column and value, and what to do.
    """
    place = find_reports(source)
    paths, problems = ([place], []) if place.is_file() else _files(place / REPORTS)
    registers, frames, sheets = list[RawTable](), list["pd.DataFrame | None"](), list[SheetOfRows]()
    for number, path in enumerate(paths):
        checkpoint(_("reading reports"), number, len(paths))
        name = path.name if path == place else f"{REPORTS}/{path.name}"
        if path.suffix.lower() not in WORKBOOKS:
            frame, of_file = read_rows(path, name, ROWS, validated)
            frames.append(frame)
            problems += of_file
            continue
        book = read_book(path, name)
        registers += book.registers
        problems += book.problems
        for sheet, raw in book.rows:
            frame, of_sheet = validated(raw)
            sheets.append(sheet)
            frames.append(frame)
            problems += of_sheet
    register, of_register = _one_register(place, registers)
    return _reports(register, frames, of_register + problems, place.name, sheets, to_screen)


def find_reports(source: str | Path) -> Path:
    """Return the folder of monthly reports by its path or its shipped name, or the workbook that has them all.

    Raises
    ------
    UsageError
        If there is none.
    """
    if not is_book(source):
        return find_folder(source)
    find_file(Path(source))
    return Path(source)


def is_book(source: str | Path) -> bool:
    """Return True for the name of a workbook."""
    return Path(source).suffix.lower() in WORKBOOKS and not Path(source).is_dir()


SAVE_IT = _("Save it as CSV in UTF-8 or as .xlsx, or move it out of the folder.")


def _files(folder: Path) -> tuple[list[Path], list[Problem]]:
    """Return the CSV files and workbooks of a folder, and the problems of none and of formats that are not read."""
    files = sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
    files = [path for path in files if not path.name.startswith(LOCK)]
    what = _("is neither a CSV file nor a workbook")
    problems = [
        Problem(f"{REPORTS}/{path.name}", what, SAVE_IT) for path in files if path.suffix.lower() in OTHER_FORMATS
    ]
    paths = [path for path in files if path.suffix.lower() in (CSV, *WORKBOOKS)]
    if not paths:
        advice = _(
            "Add {reports}/2025.csv or others, with columns {listed}.",
            reports=REPORTS,
            listed=", ".join(column.name for column in ROWS.columns),
        )
        problems.append(Problem(f"{REPORTS}/*.csv", _("no file is there"), advice))
    return paths, problems


def read_register(source: str | Path) -> pd.DataFrame:
    """Read the register alone, for a list by stated emissions.

    Raises
    ------
    UsageError
        If there is no such folder.
    DataError
        With every problem of the file.
    """
    raw, problems = _read_register(find_folder(source))
    if raw is not None:
        units, problems = validate_register(raw)
        if not problems:
            return with_defaults(units, REGISTER.columns)
    raise DataError(_("The register"), problems)


def _read_register(folder: Path) -> tuple[RawTable | None, list[Problem]]:
    path = folder / REGISTER.file
    if not path.is_file():
        advice = _("Add it, with columns {listed}.", listed=", ".join(column.name for column in REGISTER.columns))
        return None, [Problem(REGISTER.file, _("the file is missing"), advice)]
    return read_csv(path.read_bytes(), REGISTER.file)


def _one_register(place: Path, registers: list[RawTable]) -> tuple[RawTable | None, list[Problem]]:
    """Return the one register of ``register.csv`` and of sheets of workbooks, or the problem of none or several."""
    if place.is_file() and not registers:
        advice = _(
            "Add a sheet with one row of headings, such as {listed}; `etsopt new FILE.xlsx --monthly` writes one.",
            listed=", ".join(column.name for column in REGISTER.columns if column.required),
        )
        return None, [Problem(place.name, _("has no sheet with headings of the register"), advice)]
    if place.is_dir() and ((place / REGISTER.file).is_file() or not registers):
        raw, problems = _read_register(place)
    else:
        raw, problems = registers.pop(0), []
    first = REGISTER.file if raw is None else raw.place
    advice = _("Keep one of them. Workbooks with a register of their own are read one at a time, or by a store.")
    return raw, problems + [
        Problem(one.place, _("is present beside {first}", first=first), advice) for one in registers
    ]


def _reports(
    register: RawTable | None,
    frames: list[pd.DataFrame | None],
    problems: list[Problem],
    name: str = "frames",
    sheets: Sequence[SheetOfRows] = (),
    to_screen: bool = False,
) -> Reports:
    """Validate register and rows together, and raise once; problems of sheets name their headings and cells."""
    units = None
    if register is not None:
        units, of_register = validate_register(register)
        problems = [*problems, *of_register]
    rows = [frame for frame in frames if frame is not None]
    refused = tuple(problem for problem in problems if to_screen and problem.code == "other_unit")
    problems = [problem for problem in problems if problem not in refused]
    found = None
    if rows and units is not None and {"unit_id", "sector"} <= {*units.columns}:
        found = Reports(with_defaults(units, REGISTER.columns), pd.concat(rows, ignore_index=True), refused)
        problems = problems + RowChecks(found.rows, found.coded).all()
    if problems or found is None:
        for sheet in sheets:
            problems = [sheet.named(problem) for problem in problems]
        of_book, of_folder = _("The workbook {name!r}"), _("The folder of reports {name!r}")
        raise DataError(_(of_book if is_book(name) else of_folder, name=name), problems)
    return found
