"""Rows that belong to one unit or to every unit of a sector: measures and forecasts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.data.messages import counted
from etsopt.errors import Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.table import Table


def filled(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Give a table every column of its schema, and absent cells the default that the schema states.

    Numbers without a default stay NaN, texts empty.
    """
    cells = {column.name: filled_column(frame, table, column.name) for column in table.columns}
    columns = {name: pd.Series(values, dtype=values.dtype, index=frame.index) for name, values in cells.items()}
    return pd.DataFrame(columns, index=frame.index)


def filled_column(frame: pd.DataFrame, table: Table, name: str) -> NDArray[Any]:
    """One column of `filled`; where no cell is absent the array of the table itself, which is not to be written to."""
    columns = {column.name: column for column in table.columns}
    column = columns[name]
    if name in frame:
        cells: NDArray[Any] = frame[name].to_numpy()
    else:
        cells = np.full(len(frame), np.nan) if column.number else np.full(len(frame), "", dtype=object)
    if column.default is None:
        return cells
    absent = np.isnan(cells) if column.number else cells == ""
    if not absent.any():
        return cells
    other = column.number and column.default in columns
    return np.where(absent, filled_column(frame, table, str(column.default)) if other else column.default, cells)


def unit_positions(rows: pd.DataFrame, units: pd.DataFrame) -> NDArray[np.int64]:
    """Position of each row's unit, shape ``(rows,)``; -1 for a row of a sector, or of no unit of the instance."""
    return pd.Index(units["unit_id"]).get_indexer(rows["unit_id"]).astype(np.int64)


def problems_of_rows(
    table: Table,
    rows: pd.DataFrame,
    bad: NDArray[np.bool_],
    column: str,
    what: tuple[str, str],
    advice: str,
) -> list[Problem]:
    """Say what is wrong with some rows, `what` being said of one and of several; nothing where none is bad.

    Rows are named in words, since they are sorted by now, with the cell of the column where it is one.
    """
    if not bad.any():
        return []
    names = []
    for _, cells in rows[bad].iterrows():
        place = " ".join(cell for cell in (cells["unit_id"], cells["sector"]) if cell) or "nothing"
        name = f"of {place} in {cells['year']:g}" if "year" in rows else f"of {cells['measure_id']} at {place}"
        cell = cells.get(column, "")
        names.append((name, f"{cell:.12g}" if isinstance(cell, float) else str(cell)))
    return [Problem(table.file, counted(len(names), *what), advice, column, tuple(names))]


def problems_of_belonging(table: Table, rows: pd.DataFrame, unit: NDArray[np.int64]) -> list[Problem]:
    """Find rows that belong to nothing, to two things at once, or to a unit that is not there.

    Parameters
    ----------
    unit
        What `unit_positions` finds for the rows.
    """
    both = ((rows["unit_id"] == "") == (rows["sector"] == "")).to_numpy()
    unknown = (unit < 0) & (rows["unit_id"] != "").to_numpy()
    return [
        *problems_of_rows(
            table,
            rows,
            both,
            "unit_id, sector",
            ("row does not name exactly one of the two", "rows do not name exactly one of the two"),
            "Name the unit, or the sector whose every unit it is for.",
        ),
        *problems_of_rows(
            table,
            rows,
            unknown,
            "unit_id",
            ("row is of a unit that units.csv does not have", "rows are of units that units.csv does not have"),
            "Correct the unit_id, or remove the row.",
        ),
    ]
