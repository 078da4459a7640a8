"""Convert tables so that each column holds cells of one kind, whatever they held in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from etsopt.checking.verdict import Violation
from etsopt.language import _

if TYPE_CHECKING:
    from collections.abc import Mapping

TEXTS = ("string", "empty")
NUMBERS = {"integer": float, "floating": float, "mixed-integer-float": float, "boolean": bool}
"""Kinds of cells that pandas infers, and the types to which their columns are converted."""


def typed_columns(tables: Mapping[str, pd.DataFrame]) -> tuple[dict[str, pd.DataFrame], list[Violation]]:
    """Return the tables with absent strings empty and numbers as numbers, and a violation per column of mixed cells.

    A run folder is read in this form. Tables in memory may hold any objects, which can only be refused.
    """
    typed, violations = dict[str, pd.DataFrame](), list[Violation]()
    for name, table in tables.items():
        changed: dict[Any, pd.Series[Any]] = {}
        for column, cells in table.items():
            strings = isinstance(cells.dtype, pd.StringDtype)
            if not (strings or pd.api.types.is_object_dtype(cells.dtype)):
                continue
            if not strings and pd.api.types.infer_dtype(cells, skipna=False) == "string":
                continue  # Strings throughout, as most columns are: no cell is absent.
            kind = "string" if strings else pd.api.types.infer_dtype(cells, skipna=True)
            absent = cells.hasnans
            if kind in TEXTS:
                changed |= {column: cells.where(cells.notna(), "")} if absent else {}
            elif kind in NUMBERS and not (absent and NUMBERS[kind] is bool):
                changed[column] = cells.astype(NUMBERS[kind])
            else:
                message = _("a column holds strings, numbers or booleans, and nothing else")
                violations.append(Violation("tables", f"{name}.{column}", 1.0, "cells", message))
        typed[name] = table.assign(**{str(column): cells for column, cells in changed.items()}) if changed else table
    return typed, violations


def of_column(demand: str) -> str:
    """Return the statement that a column meets a demand."""
    return _("the column {demand}", demand=demand)
