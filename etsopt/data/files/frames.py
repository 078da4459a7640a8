"""Tables of results in files: the stated types of their columns, and an exact reader.

CSV holds no types: a text column may look like numbers, and integers like real numbers. So a run states the type of
every column, by the name in numpy or pandas, or ``text``.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.common.errors import DataError, EtsoptError, Problem
from etsopt.common.language import _
from etsopt.data.files.csv_fast import parsed
from etsopt.data.files.parquet import SUFFIX, read_frame
from etsopt.data.tables.raw import PROTECTED, cells_of_series, problems_of_names, read_csv
from etsopt.data.tables.schema import USER_COLUMN_PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TEXT = "text"
SIZES = ("8", "16", "32", "64")
INTEGERS = frozenset(kind + size for kind in ("int", "uint") for size in SIZES)
NUMBERS = frozenset(("bool", "float32", "float64", *INTEGERS))
NULLABLE = frozenset(("boolean", "Float32", "Float64", *(kind + size for kind in ("Int", "UInt") for size in SIZES)))
"""Types of pandas that tell absent cells from NaN."""

TYPES = frozenset((TEXT, *NUMBERS, *NULLABLE))

TEXT_COLUMNS = frozenset(
    (
        *("unit_id", "enterprise_id", "sector", "province", "name", "city", "at_bound", "target_sense", "level", "row"),
        *("index", "unit", "way_out", "limit", "rule", "where", "message", "regime", "measure_id", "price_unit"),
        *("price_obtained", "measures", "status", "obtained", "against", "allocation"),
    )
)
"""Text columns of runs that state no types."""

ADVICE = _("Solve again, and do not edit tables of a run.")


def types_of(table: pd.DataFrame) -> dict[str, str]:
    """Return the type of every column, one of `TYPES`."""
    return {str(name): _type_of(table[name].dtype) for name in table.columns}


def _type_of(dtype: Any) -> str:
    name = str(getattr(dtype, "name", dtype))
    if isinstance(dtype, np.dtype) and dtype.kind == "f" and name not in NUMBERS:
        return "float64"
    return name if name in NUMBERS | NULLABLE else TEXT


def as_written(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a table as files can hold it: absent texts become empty, and other types than `TYPES` become text.

    Raises
    ------
    DataError
        If two columns have one name, or one has none.
    """
    names = [str(column) for column in table.columns]
    if problems := problems_of_names(names, f"table {name}"):
        raise DataError(_("The result"), problems)
    columns = {}
    for position, (column, type_name) in enumerate(types_of(table).items()):
        cells = table.iloc[:, position]
        # As objects texts stay Python strings, whatever type pandas would infer.
        columns[column] = (
            pd.Series(cells_of_series(cells), dtype=object)
            if type_name == TEXT
            else cells.astype(type_name).reset_index(drop=True)
        )
    return pd.DataFrame(columns, index=range(len(table) if columns else 0))


def read_table(path: Path, types: Mapping[str, str] | None, other_texts: bool = True) -> pd.DataFrame:
    """Read a table of a run with every cell as it was written.

    Parameters
    ----------
    types
        Types by column as the run states them; None for a run that states none.
    other_texts
        If True, a column that is neither in ``types`` nor in `TEXT_COLUMNS` may hold texts too.

    Raises
    ------
    DataError
        If the file is damaged, with the cells that do not have their column's type.
    """
    place = f"{path.parent.name}/{path.name}"
    stated = types or {}
    if path.suffix == SUFFIX:
        return _typed(_read_parquet(path, place), stated, place)
    content = path.read_bytes()
    names = _header(content, place)
    if not names and types == {}:
        return pd.DataFrame()
    if not names:
        raise _damaged(content, place, {}, _("has no column names"))
    texts = {name for name in names if (stated.get(name) or _guessed(name)) == TEXT}
    table = _read_csv(content, place, names, texts, stated)
    for name in names:
        if name in texts:
            table[name] = _unprotected(table[name]) if name in stated else table[name]
        elif name not in stated and not pd.api.types.is_numeric_dtype(table[name]):
            # A text column of a run without types; without rows it is taken for numbers.
            if len(table) and not other_texts:
                raise _damaged(content, place, {**stated, name: "float64"}, _("cannot be read"))
            table[name] = table[name].fillna("").astype(object) if len(table) else table[name].astype(float)
    return table


def _guessed(name: str) -> str:
    return TEXT if name in TEXT_COLUMNS or name.startswith(USER_COLUMN_PREFIX) else ""


def _header(content: bytes, place: str) -> list[str]:
    """Return the column names; empty if the table has none."""
    try:
        names = next(csv.reader(io.TextIOWrapper(io.BytesIO(content), "utf-8", newline=""), strict=True), [])
    except (UnicodeDecodeError, csv.Error):
        raise _damaged(content, place, {}, _("cannot be read")) from None
    if problems := problems_of_names(names, place):
        raise DataError(_("The run"), problems)
    return names


def _read_csv(content: bytes, place: str, names: list[str], texts: set[str], stated: Mapping[str, str]) -> pd.DataFrame:
    """Read the cells below the header at once: texts as they are, others by their type, or as numbers."""
    try:
        table = parsed(content, [object if name in texts else stated.get(name) for name in names])
    except ValueError as error:
        raise _damaged(content, place, stated, error.args[0]) from None
    table.columns = pd.Index(names)
    return table


def _unprotected(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Remove the apostrophe that protects texts from spreadsheets."""
    if not any(cell[:1] == "'" for cell in cells):
        return cells
    return pd.Series([cell[bool(PROTECTED.match(cell)) :] for cell in cells], dtype=object)


def _damaged(content: bytes, place: str, stated: Mapping[str, str], otherwise: str) -> DataError:
    """Return an error that describes the damage of a CSV file, from its raw cells."""
    raw, problems = read_csv(content, place)
    if raw is not None:
        for name, cells in raw.columns.items():
            kind = stated.get(name, TEXT)
            wrong = [(str(row), str(cell)) for row, cell in zip(raw.rows, cells, strict=True) if not _fits(cell, kind)]
            if wrong:
                what = _("does not hold {kind_name}", kind_name=_kind_name(kind))
                problems.append(Problem(place, what, ADVICE, name, tuple(wrong)))
    return DataError(_("The run"), problems or [Problem(place, otherwise, ADVICE)])


def _fits(cell: str, kind: str) -> bool:
    """Return True if a cell in CSV may be of a type."""
    if kind == TEXT or (not cell and kind not in INTEGERS and kind != "bool"):
        return True
    if kind in ("bool", "boolean"):
        return cell in ("True", "False")
    try:
        if "int" not in kind.lower():
            float(cell)
            return True
        limits = np.iinfo(kind.lower())
        return limits.min <= int(cell) <= limits.max
    except ValueError:
        return False


def _kind_name(kind: str) -> str:
    if kind in ("bool", "boolean"):
        return _("True or False")
    return _("whole numbers") if "int" in kind.lower() else "numbers" if kind != TEXT else "texts"


def _read_parquet(path: Path, place: str) -> pd.DataFrame:
    try:
        return read_frame(path)
    except (EtsoptError, OSError):
        raise
    except Exception as error:
        # A damaged file may raise any error of pyarrow.
        what = _("is not a Parquet file ({rstrip})", rstrip=str(error).partition(chr(10))[0].rstrip("."))
        raise DataError(_("The run"), [Problem(place, what, ADVICE)]) from None


def _typed(table: pd.DataFrame, stated: Mapping[str, str], place: str) -> pd.DataFrame:
    """Return a table from Parquet with the types that the run states."""
    problems, columns = [], {}
    for name in table.columns:
        kind, cells = stated.get(name), table[name]
        if kind in (None, str(cells.dtype)):
            columns[name] = cells
        elif kind == TEXT:
            columns[name] = cells.astype(object)
            if len(cells) and pd.api.types.infer_dtype(cells, skipna=False) != "string":
                problems.append(Problem(place, _("does not hold texts"), ADVICE, name))
        else:
            try:
                columns[name] = cells.astype(kind)
                same = (columns[name].astype(object) == cells.astype(object)) | cells.isna()
            except (ValueError, TypeError, OverflowError):
                same = np.array([False])
            if not np.all(same):
                problems.append(
                    Problem(place, _("does not hold {kind_name}", kind_name=_kind_name(kind)), ADVICE, name)
                )
    if problems:
        raise DataError(_("The run"), problems)
    return pd.DataFrame(columns, index=range(len(table)))
