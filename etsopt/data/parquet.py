"""Tables in Parquet, which hold types and are read and written several times as quickly as CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.data.raw import RawTable, cells_of_series, problems_of_names
from etsopt.errors import Problem, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SUFFIX = ".parquet"

LARGEST_WHOLE = 2**53
"""Up to here every whole number is a float."""

SAMPLE = 10_000
"""Rows by which it is judged whether the texts of a column are few."""


def read_parquet(path: Path) -> tuple[RawTable | None, list[Problem]]:
    """Read a Parquet file into cells whose types the schema has still to confirm, or say why it cannot be read.

    Rows are counted from 1. A text in a column of numbers is taken as it would be in CSV.

    Raises
    ------
    UsageError
        If pyarrow is not installed.
    """
    try:
        columns = _columns(path)
    except ValueError as error:
        # The reason may run over several lines; the first of them says it.
        reason = str(error).partition("\n")[0].rstrip(".")
        return None, [Problem(path.name, f"is not a Parquet file ({reason})", "Write it anew, or give a CSV file.")]
    problems = problems_of_names([name for name, _ in columns], path.name)
    if problems:
        return None, problems
    count = len(columns[0][1]) if columns else 0
    cells = {name: own if isinstance(own, np.ndarray) else cells_of_series(own) for name, own in columns}
    return RawTable(path.name, cells, np.arange(1, count + 1)), []


def read_frame(path: Path) -> pd.DataFrame:
    """Read a Parquet file as a frame: texts are plain ones, whatever pandas would make of them, absent ones empty.

    Raises
    ------
    ValueError
        If it is none, or two columns have one name.
    """
    columns = _columns(path)
    if problems := problems_of_names([name for name, _ in columns], path.name):
        raise ValueError(f"{path.name} {problems[0].what}")
    return pd.DataFrame({name: pd.Series(cells, dtype=cells.dtype) for name, cells in columns})


def _columns(path: Path) -> list[tuple[str, Any]]:
    """Name and cells of every column: an array of texts, else what pandas makes of its type."""
    arrow, parquet = load_pyarrow()
    with path.open("rb") as file:
        try:
            return _converted(parquet.ParquetFile(file).read(), arrow)
        except (OSError, arrow.ArrowException) as error:
            # What pyarrow says of a damaged page is no failure of the operating system, and of a text in another
            # encoding no error of a value.
            raise ValueError(str(error)) from None


def _converted(table: Any, arrow: Any) -> list[tuple[str, Any]]:
    """Name and cells of the columns of a table of pyarrow."""
    columns = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        text = arrow.types.is_string(column.type) or arrow.types.is_large_string(column.type)
        # Beside absent ones pandas takes whole numbers as floats, in which long identifiers lose digits.
        long = arrow.types.is_integer(column.type) and column.null_count > 0 and _is_long(column)
        columns.append((name, _texts(column.fill_null("")) if text else column.to_pandas(integer_object_nulls=long)))
    return columns


def _is_long(column: Any) -> bool:
    """Whether some of a column's whole numbers have more digits than a float keeps."""
    found = column.drop_null().to_numpy()
    return bool(len(found)) and max(abs(int(found.min())), abs(int(found.max()))) > LARGEST_WHOLE


def _texts(column: Any) -> NDArray[np.object_]:
    """Cells of a column of text; those of few distinct texts share them, which saves making each anew."""
    if len(column.slice(0, SAMPLE).unique()) > SAMPLE // 10:
        texts: NDArray[np.object_] = column.to_numpy()
        return texts
    encoded = column.dictionary_encode().combine_chunks()
    return encoded.dictionary.to_numpy(zero_copy_only=False)[encoded.indices.to_numpy()]


def write_parquet(table: pd.DataFrame, path: Path) -> None:
    """Write a table; numbers that are absent are absent in the file too.

    Raises
    ------
    UsageError
        If pyarrow is not installed.
    """
    arrow, parquet = load_pyarrow()
    parquet.write_table(arrow.Table.from_pandas(table, preserve_index=False), path)


def load_pyarrow() -> tuple[Any, Any]:
    """Import pyarrow and its part for Parquet where they are needed: they are optional, and slow to load."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        advice = 'Install it, `pip install "etsopt[parquet]"`, or use CSV.'
        raise UsageError("Parquet needs pyarrow, which is not installed.", advice) from None
    return pyarrow, parquet
