"""Tables in Parquet, which stores types and is several times as fast as CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.common.errors import Problem, UsageError
from etsopt.common.language import _
from etsopt.data.tables.raw import RawTable, cells_of_series, problems_of_names

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SUFFIX = ".parquet"

LARGEST_EXACT_INTEGER = 2**53
"""Largest integer up to which every integer is exact in double precision."""

SAMPLE_ROWS = 10_000
"""Number of rows sampled to decide if a column has few distinct texts."""


def read_parquet(path: Path) -> tuple[RawTable | None, list[Problem]]:
    """Read a Parquet file into cells of types still to be validated, or return the problem that prevents it.

    Rows are counted from 1. A text in a column of numbers is treated as in CSV.

    Raises
    ------
    UsageError
        If pyarrow is not installed.
    """
    try:
        columns = _columns(path)
    except ValueError as error:
        # Only the first line of the reason is needed.
        reason = str(error).partition("\n")[0].rstrip(".")
        return None, [
            Problem(
                path.name,
                _("is not a Parquet file ({reason})", reason=reason),
                _("Write it again, or provide a CSV file."),
            )
        ]
    problems = problems_of_names([name for name, _ in columns], path.name)
    if problems:
        return None, problems
    count = len(columns[0][1]) if columns else 0
    cells = {name: own if isinstance(own, np.ndarray) else cells_of_series(own) for name, own in columns}
    return RawTable(path.name, cells, np.arange(1, count + 1)), []


def read_frame(path: Path) -> pd.DataFrame:
    """Read a Parquet file as a frame: texts are Python strings, whatever pandas would infer, and absent ones empty.

    Raises
    ------
    ValueError
        If it is not a Parquet file, or two columns have one name.
    """
    columns = _columns(path)
    if problems := problems_of_names([name for name, _ in columns], path.name):
        raise ValueError(f"{path.name} {problems[0].what}")
    return pd.DataFrame({name: pd.Series(cells, dtype=cells.dtype) for name, cells in columns})


def _columns(path: Path) -> list[tuple[str, Any]]:
    """Return name and cells of every column: an array of texts, else the pandas series of its type."""
    arrow, parquet = load_pyarrow()
    with path.open("rb") as file:
        try:
            return _converted(parquet.ParquetFile(file).read(), arrow)
        except (OSError, arrow.ArrowException) as error:
            # pyarrow raises OSError for a damaged page, which is no failure of the operating system, and other types
            # for a text in another encoding.
            raise ValueError(str(error)) from None


def _converted(table: Any, arrow: Any) -> list[tuple[str, Any]]:
    """Return name and cells of the columns of a pyarrow table."""
    columns = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        text = arrow.types.is_string(column.type) or arrow.types.is_large_string(column.type)
        # With absent cells pandas reads integers as floats, in which long identifiers lose digits.
        inexact = arrow.types.is_integer(column.type) and column.null_count > 0 and _exceeds_float(column)
        columns.append((name, _texts(column.fill_null("")) if text else column.to_pandas(integer_object_nulls=inexact)))
    return columns


def _exceeds_float(column: Any) -> bool:
    """Return True if a column has integers beyond the exact range of floats."""
    integers = column.drop_null().to_numpy()
    return bool(len(integers)) and max(abs(int(integers.min())), abs(int(integers.max()))) > LARGEST_EXACT_INTEGER


def _texts(column: Any) -> NDArray[np.object_]:
    """Return the cells of a text column; if distinct texts are few, cells share them, which saves time."""
    if len(column.slice(0, SAMPLE_ROWS).unique()) > SAMPLE_ROWS // 10:
        texts: NDArray[np.object_] = column.to_numpy()
        return texts
    encoded = column.dictionary_encode().combine_chunks()
    return encoded.dictionary.to_numpy(zero_copy_only=False)[encoded.indices.to_numpy()]


def write_parquet(table: pd.DataFrame, path: Path) -> None:
    """Write a table; absent numbers are absent in the file too.

    Raises
    ------
    UsageError
        If pyarrow is not installed.
    """
    arrow, parquet = load_pyarrow()
    parquet.write_table(arrow.Table.from_pandas(table, preserve_index=False), path)


def load_pyarrow() -> tuple[Any, Any]:
    """Import pyarrow and its Parquet module only when needed: they are optional, and slow to load."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        advice = _('Install it, `pip install "etsopt[parquet]"`, or use CSV.')
        raise UsageError(_("Parquet needs pyarrow, which is not installed."), advice) from None
    return pyarrow, parquet
