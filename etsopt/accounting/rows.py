"""Reader of monthly reports: ``register.csv``, and every CSV file and workbook in ``reports``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.accounting.checks import RowChecks
from etsopt.accounting.coded import FLOW, Coded, months_of
from etsopt.accounting.reading import read_rows
from etsopt.accounting.register import validate_register
from etsopt.accounting.schema import REGISTER, ROWS
from etsopt.accounting.versions import latest
from etsopt.accounting.vocabulary import (
    FLOW_WORDS,
    ITEM_WORDS,
    POWERS_OF_TEN,
    PROCESS_WORDS,
    STATED,
    UNIT_WORDS,
    folded,
)
from etsopt.accounting.workbooks import (
    SheetOfRows,
    heading_of,
    problem_of_stated_unit,
    problems_of_columns,
    read_sheets_of_rows,
)
from etsopt.data.files.read import REPORTS, find_folder
from etsopt.data.files.workbook import WORKBOOKS
from etsopt.data.tables.headings import as_stated
from etsopt.data.tables.raw import RawTable, read_csv
from etsopt.data.tables.recognise import Heading
from etsopt.data.tables.schema import USER_COLUMN_PREFIX
from etsopt.data.tables.text_columns import normalise
from etsopt.data.tables.validate import validate_table
from etsopt.errors import DataError, Problem, UsageError
from etsopt.language import _
from etsopt.progress import checkpoint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

WORDS = {"process": PROCESS_WORDS, "item": ITEM_WORDS, "flow": FLOW_WORDS, "unit": UNIT_WORDS}

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
    """

    register: pd.DataFrame
    rows: pd.DataFrame

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
        frame, problems = _validated(RawTable.from_frame(rows, "rows"))
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


def read_reports(source: str | Path) -> Reports:
    """Read the register and the monthly reports of a folder.

    Raises
    ------
    UsageError
        If there is no such folder, or a workbook needs a package that is not installed.
    DataError
        With every problem of every file: file, line or cell, column and value, and what to do.
    """
    folder = find_folder(source)
    register, problems = _read_register(folder)
    paths, others = _files(folder / REPORTS)
    problems += [Problem(f"{REPORTS}/{name}", _("is neither a CSV file nor a workbook"), SAVE_IT) for name in others]
    if not paths:
        advice = _(
            "Add {reports}/2025.csv or others, with columns {listed}.",
            reports=REPORTS,
            listed=", ".join(column.name for column in ROWS.columns),
        )
        problems.append(Problem(f"{REPORTS}/*.csv", _("no file is there"), advice))
    frames: list[pd.DataFrame | None] = []
    sheets: list[SheetOfRows] = []
    for number, path in enumerate(paths):
        checkpoint(_("reading reports"), number, len(paths))
        if path.suffix.lower() in WORKBOOKS:
            of_book, problems_of_book = _read_workbook(path, sheets)
            frames += of_book
            problems += problems_of_book
            continue
        frame, of_file = read_rows(path, f"{REPORTS}/{path.name}", ROWS, _validated)
        problems += of_file
        frames.append(frame)
    return _reports(register, frames, problems, folder.name, sheets)


SAVE_IT = _("Save it as CSV in UTF-8 or as .xlsx, or move it out of the folder.")


def _files(folder: Path) -> tuple[list[Path], list[str]]:
    """Return the CSV files and workbooks of a folder, and the names of tables in formats that nobody would read."""
    files = sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
    files = [path for path in files if not path.name.startswith(LOCK)]
    others = [path.name for path in files if path.suffix.lower() in OTHER_FORMATS]
    return [path for path in files if path.suffix.lower() in (CSV, *WORKBOOKS)], others


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
            return _with_defaults(units, REGISTER.columns)
    raise DataError(_("The register"), problems)


def _read_register(folder: Path) -> tuple[RawTable | None, list[Problem]]:
    path = folder / REGISTER.file
    if not path.is_file():
        advice = _("Add it, with columns {listed}.", listed=", ".join(column.name for column in REGISTER.columns))
        return None, [Problem(REGISTER.file, _("the file is missing"), advice)]
    return read_csv(path.read_bytes(), REGISTER.file)


def _read_workbook(path: Path, sheets: list[SheetOfRows]) -> tuple[list[pd.DataFrame | None], list[Problem]]:
    """Read the rows of every sheet of a workbook, and add the sheets, which know the cells of their rows."""
    found, problems = read_sheets_of_rows(path, f"{REPORTS}/{path.name}")
    frames = []
    for sheet, raw in found:
        sheets.append(sheet)
        frame, of_sheet = _validated(raw)
        problems += of_sheet
        frames.append(frame)
    return frames, problems


def _validated(raw: RawTable) -> tuple[pd.DataFrame | None, list[Problem]]:
    """Validate the cells of rows; return them with file and line, None if a required column is missing."""
    raw, of_headings = _named(raw)
    frame, problems = validate_table(_translated(raw), ROWS)
    problems = of_headings + [as_stated(problem, raw) for problem in problems]
    if not all(column.name in frame for column in ROWS.columns if column.required):
        return None, problems
    frame = _with_defaults(frame, ROWS.columns)
    power = _powers_of_ten(raw)
    for row in np.flatnonzero(power):
        # Shifting the decimal point of the number as it is written is exact; a product would be rounded.
        shifted = Decimal(repr(float(frame["quantity"].iat[row]))).scaleb(int(power[row]))
        frame.iat[row, frame.columns.get_loc("quantity")] = float(shifted)
    frame.insert(0, "file", np.full(len(frame), raw.place, dtype=object))
    frame.insert(1, "line", raw.rows)
    return frame, problems


def _named(raw: RawTable) -> tuple[RawTable, list[Problem]]:
    """Return a table with headings as the schema has them and a column of the unit that one states, and its problems.

    Unknown headings stay; those of sheets are known before.
    """
    columns: dict[str, NDArray[Any]] = {}
    stated, places = dict(raw.stated), dict[str, list[tuple[str, str]]]()
    problems, unit = list[Problem](), ""
    for heading, cells in raw.columns.items():
        own = heading.startswith(USER_COLUMN_PREFIX)
        named = Heading(heading) if own else heading_of(heading)
        name, here = named.column or heading, (raw.label_of(heading), raw.heading_of(heading))
        places.setdefault(name, []).append(here)
        problems += problem_of_stated_unit(raw.place, named, here)
        if name == "quantity":
            unit = unit or "".join(named.unit.split())
        if name != heading:
            stated[name] = heading, cells
        columns.setdefault(name, cells)
    problems += problems_of_columns(raw.place, places, unit)
    if unit and "unit" not in columns:
        columns["unit"] = np.full(len(raw.rows), unit, dtype=object)
    return replace(raw, columns=columns, stated=stated), problems


def _translated(raw: RawTable) -> RawTable:
    """Return a table with the words of its columns as the schema has them; unknown words stay."""
    columns = dict(raw.columns)
    if (months := columns.get("month")) is not None and months.dtype == object:
        columns["month"] = months_of(months)
    for name, words in WORDS.items():
        cells = columns.get(name)
        if cells is not None and cells.dtype == object:
            code, spellings = pd.factorize(cells)
            known = [words.get(folded(normalise(word)), words.get(normalise(word), word)) for word in spellings]
            columns[name] = np.array(known, dtype=object)[code]
    return replace(raw, columns=columns)


def _powers_of_ten(raw: RawTable) -> NDArray[np.int64]:
    """Return the power of ten by which the unit of each row multiplies its quantity, shape ``(rows,)``."""
    cells = raw.columns.get("unit", np.zeros(0))
    if cells.dtype != object:
        return np.zeros(len(raw.rows), dtype=np.int64)
    code, spellings = pd.factorize(cells)
    return np.array([POWERS_OF_TEN.get(folded(normalise(word)), 0) for word in spellings], dtype=np.int64)[code]


def _reports(
    register: RawTable | None,
    frames: list[pd.DataFrame | None],
    problems: list[Problem],
    name: str = "frames",
    sheets: Sequence[SheetOfRows] = (),
) -> Reports:
    """Validate register and rows together, and raise once; problems of sheets name their headings and cells."""
    units = None
    if register is not None:
        units, of_register = validate_register(register)
        problems = [*problems, *of_register]
    rows = [frame for frame in frames if frame is not None]
    found = None
    if rows and units is not None and {"unit_id", "sector"} <= {*units.columns}:
        found = Reports(_with_defaults(units, REGISTER.columns), pd.concat(rows, ignore_index=True))
        problems = problems + RowChecks(found.rows, found.coded).all()
    if problems or found is None:
        for sheet in sheets:
            problems = [sheet.named(problem) for problem in problems]
        raise DataError(_("The folder of reports {name!r}", name=name), problems)
    return found


def _with_defaults(frame: pd.DataFrame, columns: Any) -> pd.DataFrame:
    """Return a frame in which absent optional cells have their defaults."""
    frame = frame.copy(deep=False)
    for column in columns:
        if column.name not in frame:
            absent = np.nan if column.number else ""
            frame[column.name] = np.full(len(frame), absent, dtype=float if column.number else object)
        if column.number and column.default is not None:
            frame[column.name] = frame[column.name].fillna(column.default)
    return frame
