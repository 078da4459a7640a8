"""Tables with one kind of cells in each column, whatever somebody put into them in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from etsopt.checking.report import Violation

if TYPE_CHECKING:
    from collections.abc import Mapping

TEXTS = ("string", "empty")
NUMBERS = {"integer": float, "floating": float, "mixed-integer-float": float, "boolean": bool}
"""Kinds of cells that pandas tells, and what a column of them becomes."""


def plain(tables: Mapping[str, pd.DataFrame]) -> tuple[dict[str, pd.DataFrame], list[Violation]]:
    """The tables with absent texts empty and numbers as numbers, and the columns whose cells are of several kinds.

    A run folder is read so; tables in memory may hold anything, and what is compared with it may only be refused.
    """
    made, found = dict[str, pd.DataFrame](), list[Violation]()
    for name, table in tables.items():
        changed: dict[Any, pd.Series[Any]] = {}
        for column, cells in table.items():
            if not (pd.api.types.is_object_dtype(cells) or isinstance(cells.dtype, pd.StringDtype)):
                continue
            kind, absent = pd.api.types.infer_dtype(cells, skipna=True), bool(cells.isna().any())
            if kind in TEXTS:
                changed |= {column: cells.where(cells.notna(), "")} if absent else {}
            elif kind in NUMBERS and not (absent and NUMBERS[kind] is bool):
                changed[column] = cells.astype(NUMBERS[kind])
            else:
                message = "a column holds texts, numbers, or truths, and nothing else"
                found.append(Violation("tables", f"{name}.{column}", 1.0, "cells", message))
        made[name] = table.assign(**{str(column): cells for column, cells in changed.items()}) if changed else table
    return made, found
