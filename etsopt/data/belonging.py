"""Rows that belong to one unit or to every unit of a sector: measures and forecasts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.data.words import counted
from etsopt.errors import Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.table import Table


def filled(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Give a table every column of its schema, and absent cells the default that the schema states.

    Numbers without a default stay NaN, texts empty.
    """
    columns: dict[str, Any] = {}
    for column in table.columns:
        absent = np.full(len(frame), np.nan) if column.number else np.full(len(frame), "", dtype=object)
        cells = frame[column.name].to_numpy() if column.name in frame else absent
        if column.default is not None:
            default = columns[column.default] if column.number and column.default in columns else column.default
            cells = np.where(np.isnan(cells) if column.number else cells == "", default, cells)
        columns[column.name] = pd.Series(cells, dtype=cells.dtype, index=frame.index)
    return pd.DataFrame(columns, index=frame.index)


def unit_positions(rows: pd.DataFrame, units: pd.DataFrame) -> NDArray[np.int64]:
    """Position of each row's unit, shape ``(rows,)``; -1 for a row of a sector, or of no unit of the instance."""
    return pd.Index(units["unit_id"]).get_indexer(rows["unit_id"]).astype(np.int64)


def row_names(rows: pd.DataFrame, where: NDArray[np.bool_], values: str = "") -> tuple[tuple[str, str], ...]:
    """Name rows in words, since they are sorted by now, with the cell of a column where one is asked for."""
    names = []
    for row in np.flatnonzero(where):
        cells = rows.iloc[row]
        place = " ".join(cell for cell in (cells["unit_id"], cells["sector"]) if cell) or "nothing"
        name = f"of {place} in {cells['year']:g}" if "year" in rows else f"of {cells['measure_id']} at {place}"
        cell = cells[values] if values else ""
        names.append((name, f"{cell:.12g}" if isinstance(cell, float) else str(cell)))
    return tuple(names)


def problems_of_belonging(table: Table, rows: pd.DataFrame, units: pd.DataFrame) -> list[Problem]:
    """Find rows that belong to nothing, to two things at once, or to a unit that is not there."""
    problems = []
    both = (rows["unit_id"] == "") == (rows["sector"] == "")
    if both.any():
        what = counted(int(both.sum()), "row does", "rows do") + " not name exactly one of unit_id and sector"
        advice = "Name the unit, or the sector whose every unit it is for."
        problems.append(Problem(table.file, what, advice, "unit_id, sector", row_names(rows, both.to_numpy())))
    unknown = (unit_positions(rows, units) < 0) & (rows["unit_id"] != "").to_numpy()
    if unknown.any():
        what = counted(int(unknown.sum()), "row is of a unit", "rows are of units") + " that units.csv does not have"
        advice = "Correct the unit_id, or remove the row."
        problems.append(Problem(table.file, what, advice, "unit_id", row_names(rows, unknown)))
    return problems
