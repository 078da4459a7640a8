"""Tables in Parquet, which hold types and are read and written several times as quickly as CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from etsopt.data.raw import RawTable, problems_of_names
from etsopt.errors import Problem, UsageError

if TYPE_CHECKING:
    from pathlib import Path

SUFFIX = ".parquet"


def read_parquet(path: Path) -> tuple[RawTable | None, list[Problem]]:
    """Read a Parquet file into cells whose types the schema has still to confirm, or say why it cannot be read.

    Rows are counted from 1. A text in a column of numbers is taken as it would be in CSV.

    Raises
    ------
    UsageError
        If pyarrow is not installed.
    """
    try:
        frame = read_frame(path)
    except ValueError as error:
        # The reason may run over several lines; the first of them says it.
        reason = str(error).partition("\n")[0].rstrip(".")
        return None, [Problem(path.name, f"is not a Parquet file ({reason})", "Write it anew, or give a CSV file.")]
    problems = problems_of_names([str(name) for name in frame.columns], path.name)
    if problems:
        return None, problems
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    return RawTable.from_frame(frame, path.name), []


def read_frame(path: Path) -> pd.DataFrame:
    """Read a Parquet file; texts come as plain ones, whatever pandas would make of them.

    Raises
    ------
    ValueError
        If it is none.
    """
    arrow, parquet = load_pyarrow()
    with path.open("rb") as file:
        try:
            table = parquet.read_table(file)
        except OSError as error:
            # What pyarrow says of a damaged page is no failure of the operating system.
            raise ValueError(str(error)) from None
    columns = []
    for column in table.columns:
        text = arrow.types.is_string(column.type) or arrow.types.is_large_string(column.type)
        columns.append(pd.Series(column.to_numpy(), dtype=object) if text else column.to_pandas())
    frame = pd.concat(columns, axis="columns") if columns else pd.DataFrame(index=range(table.num_rows))
    frame.columns = table.column_names
    return frame


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
