"""Scope of rows of measures and forecasts: one unit, or every unit of a sector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from etsopt.common.errors import Problem
from etsopt.common.language import _
from etsopt.data.messages import counted
from etsopt.data.tables.text_columns import normalise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from etsopt.data.tables.table import Table


def filled(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Return a table with every column of its schema, and absent cells filled with the schema's defaults.

    Without a default, numbers stay NaN and texts empty.
    """
    cells = {column.name: filled_column(frame, table, column.name) for column in table.columns}
    columns = {name: pd.Series(values, dtype=values.dtype, index=frame.index) for name, values in cells.items()}
    return pd.DataFrame(columns, index=frame.index)


def filled_column(frame: pd.DataFrame, table: Table, name: str) -> NDArray[Any]:
    """Return one column of `filled`; read-only, because without absent cells it is the array of the table itself."""
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
    by_column = column.number and column.default in columns
    return np.where(absent, filled_column(frame, table, str(column.default)) if by_column else column.default, cells)


def unit_positions(rows: pd.DataFrame, units: pd.DataFrame) -> NDArray[np.int64]:
    """Return the position of each row's unit, shape ``(rows,)``; -1 for a row of a sector or an unknown unit."""
    return pd.Index(units["unit_id"]).get_indexer(rows["unit_id"]).astype(np.int64)


class RowCheck(NamedTuple):
    """A check of the rows of a table.

    Parameters
    ----------
    bad
        True for rows that fail, shape ``(rows,)``.
    column
        Column, or columns, of the defect.
    what
        Description of the defect for one row and for several.
    advice
        The remedy.
    """

    bad: NDArray[np.bool_]
    column: str
    what: tuple[str, str]
    advice: str


def problems_of_rows(table: Table, rows: pd.DataFrame, checks: Sequence[RowCheck]) -> list[Problem]:
    """Return a problem for each check that rows fail."""
    return [
        Problem(
            table.file,
            counted(int(check.bad.sum()), *check.what),
            check.advice,
            check.column,
            _cells_of(rows[check.bad], check.column),
        )
        for check in checks
        if check.bad.any()
    ]


def _cells_of(rows: pd.DataFrame, column: str) -> tuple[tuple[str, str], ...]:
    """Return name and cell of each row: unit or sector name it, because the rows are sorted by now."""
    names = []
    for _other, cells in rows.iterrows():
        place = _place(cells["unit_id"], cells["sector"])
        name = f"of {place} in {cells['year']:g}" if "year" in rows else f"of {cells['measure_id']} at {place}"
        cell = cells.get(column, "")
        names.append((name, f"{cell:.12g}" if isinstance(cell, float) else str(cell)))
    return tuple(names)


def row_names(columns: Mapping[str, NDArray[Any]], table: Table) -> list[str]:
    """Return the names by which checks of an instance call the rows of a table, from its cells as they are read."""
    count = len(next(iter(columns.values()), ()))
    cells = {name: columns.get(name, np.full(count, "", dtype=object)) for name in table.key}
    keys = {name: [normalise(str(cell)) for cell in column] for name, column in cells.items()}
    if not {"unit_id", "sector"} <= keys.keys():
        return [f"of {name}" for name in keys[table.key[0]]]
    places = [_place(*both) for both in zip(keys["unit_id"], keys["sector"], strict=True)]
    if "year" in keys:
        return [f"of {place} in {year}" for place, year in zip(places, keys["year"], strict=True)]
    return [f"of {name} at {place}" for name, place in zip(keys[table.key[0]], places, strict=True)]


def _place(unit: str, sector: str) -> str:
    return " ".join(filter(None, (unit, sector))) or "nothing"


def problems_of_scope(table: Table, rows: pd.DataFrame, unit: NDArray[np.int64]) -> list[Problem]:
    """Find rows that name neither or both of unit and sector, or an unknown unit.

    Parameters
    ----------
    unit
        Result of `unit_positions` for the rows.
    """
    not_one = ((rows["unit_id"] == "") == (rows["sector"] == "")).to_numpy()
    unknown = (unit < 0) & (rows["unit_id"] != "").to_numpy()
    checks = [
        RowCheck(
            not_one,
            "unit_id, sector",
            (_("row does not name exactly one of the two"), _("rows do not name exactly one of the two")),
            _("Name the unit, or the sector for all its units."),
        ),
        RowCheck(
            unknown,
            "unit_id",
            (_("row is of a unit that units.csv does not have"), _("rows are of units that units.csv does not have")),
            _("Correct the unit_id, or remove the row."),
        ),
    ]
    return problems_of_rows(table, rows, checks)
