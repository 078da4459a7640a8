"""Workbooks (.xlsx): the values that their sheets store, and cells whose value a reader would lose.

Formulas and links are not evaluated. The extra ``excel`` brings python-calamine, which reads a cell with an error, or a
formula that was never calculated, as an empty one, and all but the first cell of a merged range too. `flaws_of_cells`
finds these in the file itself.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from contextlib import suppress
from dataclasses import dataclass, field
from functools import reduce
from html import unescape
from typing import TYPE_CHECKING, Any

import pandas as pd

from etsopt.common.errors import Problem, UsageError
from etsopt.common.language import _

if TYPE_CHECKING:
    from pathlib import Path

Cells = list[Any]

WORKBOOKS = (".xlsx", ".xlsm")

COMPOUND_FILE = b"\xd0\xcf\x11\xe0"
"""First bytes of an encrypted workbook, and of one in the format before 2007."""

MOST_CELLS, MOST_BYTES = 40_000_000, 2_000_000_000
"""Cells of a sheet, empty ones included, and bytes of a workbook unpacked: a table has 30 columns."""

MUCH, MOST_PACKED = 100_000_000, 200
"""Bytes of a part unpacked from which on it is looked at how densely it is packed: sheets of tables are 10 to 50 times
as large as packed."""

REFERENCE = re.compile(rb"\br=[\"']([A-Z]{1,3})([0-9]{1,7})[\"']")
"""Column and row of a cell."""

NO_REFERENCE = re.compile(rb"<(?:\w+:)?c\b[^>]*?\br=[\"'](?![A-Z]{1,3}[0-9]{1,7}[\"'])([^\"'>]*)")
"""Name of a cell that no sheet has, which python-calamine does not bear."""

HIDDEN_ROW = re.compile(rb"<(?:\w+:)?row\b(?=[^>]*\bhidden=[\"'](?:1|true)[\"'])[^>]*\br=[\"']([0-9]+)[\"']")

CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*[^>/])>(.*?)</(?:\w+:)?c>", re.DOTALL)
FORMULA = re.compile(rb"<(?:\w+:)?f\b[^>]*?(?:/>|>(.*?)</(?:\w+:)?f>)", re.DOTALL)
VALUE = re.compile(rb"<(?:\w+:)?v\b[^>]*>(.*?)</(?:\w+:)?v>", re.DOTALL)
KIND = re.compile(rb"\bt=[\"'](\w+)[\"']")
MERGED = re.compile(rb"<(?:\w+:)?mergeCell\b[^>]*\bref=[\"']([A-Z]+)([0-9]+):([A-Z]+)([0-9]+)[\"']")
FLAWED = re.compile(rb"\bt=[\"']e[\"']|<(?:\w+:)?f\b")
"""Parts of a sheet: attributes and content of a cell, its formula, value and type, a merged range, and what a sheet
with flawed cells has."""

SHEET = re.compile(rb"<(?:\w+:)?sheet\b[^>]*>")
RELATION = re.compile(rb"<(?:\w+:)?Relationship\b[^>]*>")


@dataclass(frozen=True)
class Flaws:
    """Cells of a sheet whose value is lost; rows and columns count from 0.

    Parameters
    ----------
    errors
        Row, column and text of cells with an error, such as ``#N/A``.
    uncalculated
        Row, column and formula of cells without a stored value.
    merged
        First row and column, last row and column of each merged range.
    hidden
        Rows that a spreadsheet program does not show.
    """

    errors: list[tuple[int, int, str]] = field(default_factory=list)
    uncalculated: list[tuple[int, int, str]] = field(default_factory=list)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden: list[int] = field(default_factory=list)


def names_of_sheets(path: Path) -> list[str]:
    """Return the names of the sheets of a workbook; none of a file that cannot be read."""
    try:
        import python_calamine

        return list(python_calamine.CalamineWorkbook.from_path(path).sheet_names)
    # Whoever reads the file tells its problems.
    except Exception:
        return []


def read_workbook(path: Path, otherwise: str) -> tuple[dict[str, list[Cells]], list[Problem]]:
    """Read the cells of every sheet: texts, numbers and dates, empty ones as an empty text; and problems of the file.

    Parameters
    ----------
    otherwise
        What to do without the extra, such as ``name a folder of CSV files``.

    Raises
    ------
    UsageError
        If python-calamine is not installed.
    """
    try:
        import python_calamine
    except ImportError:
        advice = _('Install it, `pip install "etsopt[excel]"`, or {otherwise}.', otherwise=otherwise)
        what = _("Reading the workbook {name} needs python-calamine, which is not installed.", name=path.name)
        raise UsageError(what, advice) from None
    content = path.read_bytes()
    if content.startswith(COMPOUND_FILE):
        what = _("is encrypted, or of the format before 2007")
        return {}, [Problem(path.name, what, _("Remove the password, and save it as .xlsx."))]
    if too_large := _too_large(content):
        return {}, [
            Problem(path.name, too_large, _("Delete the rows and columns outside the tables, and save it again."))
        ]
    try:
        frames = pd.read_excel(
            io.BytesIO(content), sheet_name=None, header=None, dtype=object, na_filter=False, engine="calamine"
        )
    except BaseException as error:
        # A panic inside python-calamine is no Exception.
        panic = type(error).__module__ == "pyo3_runtime"
        if not (panic or isinstance(error, (python_calamine.CalamineError, ValueError))):
            raise
        reason = str(error).partition("\n")[0].rstrip(".")
        advice = _("Open it in a spreadsheet program and save it again as .xlsx, or export the tables again.")
        return {}, [Problem(path.name, _("is damaged or no workbook ({reason})", reason=reason), advice)]
    return {
        name: [["" if cell is None or cell is pd.NaT else cell for cell in row] for row in frame.to_numpy().tolist()]
        for name, frame in frames.items()
    }, []


def column_name(position: int) -> str:
    """Return the letters of a column, which counts from 0.

    >>> column_name(0), column_name(25), column_name(26), column_name(702)
    ('A', 'Z', 'AA', 'AAA')
    """
    letters = ""
    while position >= 0:
        letters = chr(ord("A") + position % 26) + letters
        position = position // 26 - 1
    return letters


def _column_position(letters: bytes) -> int:
    return reduce(lambda number, letter: 26 * number + letter - ord("A") + 1, letters, 0) - 1


def _too_large(content: bytes) -> str:
    """Return why a workbook does not fit into memory, as with one cell far beyond its table; else empty.

    Calamine would reserve memory for every cell up to the last one.
    """
    # Calamine reports whatever is wrong with a damaged archive.
    with suppress(Exception), zipfile.ZipFile(io.BytesIO(content)) as parts:
        if sum(part.file_size for part in parts.infolist()) > MOST_BYTES:
            return _("holds more than {most:,} bytes", most=MOST_BYTES)
        for packed in parts.infolist():
            if packed.file_size > MUCH and packed.file_size > MOST_PACKED * packed.compress_size:
                return _(
                    "unpacks {packed:,} bytes to {size:,}, as no table does",
                    packed=packed.compress_size,
                    size=packed.file_size,
                )
        for part in parts.namelist():
            if not part.startswith("xl/worksheets/"):
                continue
            sheet = parts.read(part)
            if odd := NO_REFERENCE.search(sheet):
                return _("has a cell named {name!r}, as no sheet has", name=odd[1][:20].decode(errors="replace"))
            cells = REFERENCE.findall(sheet)
            column = max((name for name, _row in cells), key=lambda name: (len(name), name), default=b"A")
            last = max((int(row) for _name, row in cells), default=1)
            if (_column_position(column) + 1) * last > MOST_CELLS:
                return _(
                    "has a sheet that reaches to column {column} and row {row:,}", column=column.decode(), row=last
                )
    return ""


def flaws_of_cells(content: bytes) -> dict[str, Flaws]:
    """Return the flaws of each sheet of a workbook that `read_workbook` could read, by its name.

    Raises
    ------
    KeyError, ValueError
        If the file is laid out in a way that this function cannot examine.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        targets = {}
        for tag in RELATION.findall(parts.read("xl/_rels/workbook.xml.rels")):
            target = _attribute(tag, "Target")
            # A target is relative to the folder of the workbook, or to the archive.
            targets[_attribute(tag, "Id")] = posixpath.normpath(
                target[1:] if target.startswith("/") else posixpath.join("xl", target)
            )
        found = {}
        for tag in SHEET.findall(parts.read("xl/workbook.xml")):
            part = targets.get(_attribute(tag, r"\w+:id"), "")
            # A sheet of charts has no cells.
            if part in parts.namelist() and "worksheets" in part:
                found[_attribute(tag, "name")] = _flaws(parts.read(part))
    return found


def _attribute(tag: bytes, name: str) -> str:
    found = re.search(rf"""\s{name}=(?:"([^"]*)"|'([^']*)')""", tag.decode())
    return unescape(found[1] or found[2] or "") if found else ""


def _flaws(sheet: bytes) -> Flaws:
    flaws = Flaws()
    # Cells of plain numbers and shared texts, nearly all of a table, are passed over by two searches.
    if FLAWED.search(sheet):
        for attributes, inside in CELL.findall(sheet):
            kind, formula, value = KIND.search(attributes), FORMULA.search(inside), VALUE.search(inside)
            is_error = kind is not None and kind[1] == b"e"
            # The empty text is a value that a formula may have; its cell is of the type of texts.
            is_text = kind is not None and kind[1] == b"str"
            lost = value is None or not (value[1] or is_text)
            if not is_error and not (formula and lost):
                continue
            place = REFERENCE.search(attributes)
            if place is None:
                raise ValueError(_("a cell has no reference"))
            row, column = int(place[2]) - 1, _column_position(place[1])
            if is_error:
                flaws.errors.append((row, column, unescape(value[1].decode()) if value else "#ERROR"))
            elif formula:
                flaws.uncalculated.append((row, column, f"={unescape((formula[1] or b'...').decode())}"))
    flaws.hidden.extend(int(row) - 1 for row in HIDDEN_ROW.findall(sheet))
    for first, top, last, bottom in MERGED.findall(sheet):
        flaws.merged.append((int(top) - 1, _column_position(first), int(bottom) - 1, _column_position(last)))
    return flaws
