"""Any table on a terminal: texts to the left, numbers to the right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from rich.table import Table

from etsopt.cli.fitting import FittingTable
from etsopt.cli.shown import Text

if TYPE_CHECKING:
    from typing import Any


def table_of(table: pd.DataFrame, title: str, shown: int | None = None) -> Table:
    """Return the first rows of a table for a console.

    Parameters
    ----------
    shown
        Number of rows; None for all.
    """
    made = FittingTable(title, lines=False)
    for name in table:
        numbers = pd.api.types.is_numeric_dtype(table[name])
        made.add_column(str(name).replace("_", " "), justify="right" if numbers else "left")
    for row in table.head(len(table) if shown is None else shown).itertuples(index=False):
        made.add_row(*(Text(_cell(cell)) for cell in row))
    return made


def _cell(cell: Any) -> str:
    """Return a cell: absent numbers empty, floats with two decimals."""
    if isinstance(cell, float):
        return "" if cell != cell else f"{cell:,.2f}".removesuffix(".00")
    if isinstance(cell, bool):
        return "x" if cell else ""
    return f"{cell:,}" if isinstance(cell, int) else str(cell)
