"""Kinds of cells: of what kind each column is, tables whose columns hold cells of one kind, and distances of numbers.

A column is of the same kind wherever its name stands. What is neither a text nor a boolean is a number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.checking.verdict import Violation
from etsopt.common.language import _, chain, pgettext

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from etsopt.checking.arrays import Floats


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


TEXTS = _names(
    "unit_id enterprise_id sector province city name at_bound target_sense level against allocation row index unit "
    "obtained regime quantity_id statement_id basis kind reason case free_part supply_id status measures measure_id "
    "scenario way_out limit"
)
"""Columns of texts."""

BOOLEANS = _names(
    "at_risk usable gross_error capped in_scope installed installed_at_mean runs exceptional "
    "target_relaxation_exceptional band_relaxation_exceptional"
)
"""Columns of booleans."""

MAY_BE_ABSENT = _names(
    "intensity surplus_rate target_t under_target_t balance_limit_t reported balance_value balance_value_lower "
    "balance_value_upper balance_value_before gini theil_between theil_within hoover atkinson coverage first_year step "
    "budget_cny budget_shadow_price cap_t new_capacity_t observed_price_cny_per_t output_factor intensity_factor "
    "available_days left_days marginal_incentive_cny_per_t marginal_incentive_elsewhere_cny_per_t"
)
"""Columns in which a number may be absent."""

INFERRED_TEXTS = ("string", "empty")
INFERRED_NUMBERS = {"integer": float, "floating": float, "mixed-integer-float": float, "boolean": bool}
"""Kinds of cells that pandas infers, and the types to which their columns are converted."""


def typed_columns(tables: Mapping[str, pd.DataFrame]) -> tuple[dict[str, pd.DataFrame], list[Violation]]:
    """Return the tables with absent strings empty and numbers as numbers, and a violation per column of mixed cells.

    A run folder is read in this form. Tables in memory may hold any objects, which can only be refused.
    """
    violations = misshapen(tables)
    if violations:
        return dict(tables), violations
    typed = dict[str, pd.DataFrame]()
    for name, table in tables.items():
        changed: dict[Any, pd.Series[Any]] = {}
        for column, cells in table.items():
            strings = isinstance(cells.dtype, pd.StringDtype)
            if pd.api.types.is_extension_array_dtype(cells.dtype) and not strings:
                # Types of pandas with absent cells of their own are judged like columns of objects.
                cells = cells.astype(object).where(cells.notna(), np.nan)
            if not (strings or pd.api.types.is_object_dtype(cells.dtype)):
                continue
            if not strings and pd.api.types.infer_dtype(cells, skipna=False) == "string":
                continue  # Strings throughout, as most columns are: no cell is absent.
            kind = "string" if strings else pd.api.types.infer_dtype(cells, skipna=True)
            absent = cells.hasnans
            if kind in INFERRED_TEXTS:
                changed |= {column: cells.where(cells.notna(), "")} if absent else {}
            elif kind in INFERRED_NUMBERS and not (absent and INFERRED_NUMBERS[kind] is bool):
                changed[column] = cells.astype(INFERRED_NUMBERS[kind])
            else:
                message = _("a column holds strings, numbers or booleans, and nothing else")
                violations.append(Violation("tables", f"{name}.{column}", 1.0, "cells", message))
        typed[name] = table.assign(**{str(column): cells for column, cells in changed.items()}) if changed else table
    return typed, violations


def misshapen(tables: Mapping[str, pd.DataFrame]) -> list[Violation]:
    """Return a violation per column that only a table in memory can have: two of one name, and complex numbers."""
    once = _("a table has one column of each name")
    plain = _("a column holds strings, numbers or booleans, and nothing else")
    return [
        Violation("tables", f"{name}.{column}", 1.0, "columns", once if twice else plain)
        for name, table in tables.items()
        for place, (column, twice) in enumerate(zip(table.columns, table.columns.duplicated(), strict=True))
        if twice or pd.api.types.is_complex_dtype(table.dtypes.iloc[place])
    ]


def are_whole(
    tables: Mapping[str, pd.DataFrame], columns: Mapping[str, Sequence[str]], may_lack: Collection[str] = ()
) -> list[Violation]:
    """Check that every table and column is present and of its kind, and that required numbers are finite.

    Parameters
    ----------
    columns
        Columns of each table by name.
    may_lack
        Columns that need not be present.
    """
    violations = []
    for name, wanted in columns.items():
        if (table := tables.get(name)) is None:
            violations.append(Violation("tables", name, 1.0, "tables", _("the table is present")))
            continue
        required = (column for column in wanted if column in table or column not in may_lack)
        violations += [
            Violation("tables", f"{name}.{column}", 1.0, "columns", _("the column {demand}", demand=wrong))
            for column in required
            if (wrong := wrong_with(table, column))
        ]
    return violations


def wrong_with(table: pd.DataFrame, column: str) -> str:
    """Return the demand that a column fails to meet, empty if it meets all."""
    if column not in table:
        return _("is present")
    cells = table[column]
    if not len(table):
        return ""
    if column in BOOLEANS:
        return "" if pd.api.types.is_bool_dtype(cells.dtype) and not cells.hasnans else _("holds true or false")
    if column in TEXTS:
        strings = isinstance(cells.dtype, pd.StringDtype)
        kind = "string" if strings else pd.api.types.infer_dtype(cells, skipna=True)
        return "" if kind in INFERRED_TEXTS else _("holds strings")
    if not pd.api.types.is_numeric_dtype(cells.dtype):
        return _("holds numbers")
    finite = column in MAY_BE_ABSENT or np.isfinite(cells.to_numpy(dtype=float)).all()
    return "" if finite else _("holds finite numbers")


def crossed(**keys: Iterable[Any]) -> dict[str, Any]:
    """Return the keys of a table with a row for every combination, of which the last key changes fastest.

    >>> {key: cells.tolist() for key, cells in crossed(sector=["a", "b"], year=[2025, 2026]).items()}
    {'sector': ['a', 'a', 'b', 'b'], 'year': [2025, 2026, 2025, 2026]}
    """
    rows = pd.MultiIndex.from_product(keys.values())
    return {key: rows.get_level_values(place) for place, key in enumerate(keys)}


def rows_are(name: str, table: pd.DataFrame, keys: Mapping[str, Any]) -> list[Violation]:
    """Check that the table has the rows with these keys, in their order; the first column that differs is named."""
    for column, wanted in keys.items():
        if column not in table or table[column].tolist() != list(wanted):
            key = chain(keys, pgettext("list", "{first} and {second}"))
            message = _("the table has a row for every {key}, in order", key=key)
            return [Violation("same_rows", f"{name}.{column}", 1.0, "rows", message)]
    return []


def above(rule: str, names: object, by: object, tolerance: object, unit: str, message: str) -> list[Violation]:
    """Return a violation for every amount above the tolerance or NaN, the largest first."""
    labels, amounts = np.asarray(names), np.asarray(by, dtype=float)
    wrong = np.flatnonzero(~(amounts <= np.asarray(tolerance, dtype=float)))
    order = wrong[np.argsort(-np.nan_to_num(amounts[wrong], nan=np.inf), kind="stable")]
    return [Violation(rule, str(labels[one]), float(amounts[one]), unit, message) for one in order]


def distance(stated: object, expected: object) -> Floats:
    """Return the distance of numbers from the expected ones; NaN is right if NaN is expected."""
    given, wanted = np.asarray(stated, dtype=float), np.asarray(expected, dtype=float)
    off = np.abs(given - wanted)
    if not np.isnan(off).any():
        return off
    return np.where(np.isnan(wanted), np.where(np.isnan(given), 0.0, np.inf), off)
