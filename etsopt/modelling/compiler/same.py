"""Whether two programs are the same but for rounding: what is compiled of a model, and what Pyomo builds of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt.modelling.program.program import Objective, Program

SAME_RELATIVE = 1e-9
"""Difference of two sums of the same numbers, relative to them."""

ROUNDED_RELATIVE = 1e-14
"""Difference of two sums of the same numbers, relative to other numbers beside them, which may be terms of the sums."""


@np.errstate(invalid="ignore")
def first_difference(one: Program, other: Program) -> str:
    """Return the name of the first component in which two programs differ, and nothing if they are the same.

    A row may be the other multiplied by -1: that depends in Pyomo on the classes of the sides of an equation.
    """
    for blocks, others in ((one.columns, other.columns), (one.rows, other.rows)):
        if blocks != others:
            return next(name for name in {**blocks, **others} if blocks.get(name) != others.get(name))
    columns = ("column_lower", "column_upper", "integer")
    pairs = [(getattr(one, name), getattr(other, name)) for name in columns]
    differs = np.any([~_same(*pair) for pair in pairs], axis=0)
    if differs.any():
        return _name(one.columns, int(np.argmax(differs)))
    differs = _rows_that_differ(one, other)
    if differs.any():
        return _name(one.rows, int(np.argmax(differs)))
    names = [*{**one.objectives, **other.objectives}]
    return next((name for name in names if _costs_differ(one.objectives.get(name), other.objectives.get(name))), "")


def _name(blocks: Mapping[str, slice], place: int) -> str:
    return next(name for name, block in blocks.items() if block.start <= place < block.stop)


def _same(one: Any, other: Any, size: Any = 0.0) -> NDArray[np.bool_]:
    """Return True where numbers are the same, infinite ones and those that are none too."""
    one, other = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    near = np.abs(one - other) <= np.maximum(
        SAME_RELATIVE * np.maximum(np.abs(one), np.abs(other)), ROUNDED_RELATIVE * size
    )
    finite = np.isfinite(one) & np.isfinite(other)
    return np.asarray((one == other) | (near & finite) | (np.isnan(one) & np.isnan(other)))


def _rows_that_differ(one: Program, other: Program) -> NDArray[np.bool_]:
    """Return True for rows that differ, shape ``(rows,)``."""
    (row, column, data), (row_there, column_there, data_there) = (_in_order(program.matrix) for program in (one, other))
    count = len(one.row_lower)
    differs = np.bincount(row, minlength=count) != np.bincount(row_there, minlength=count)
    if differs.any():
        return differs
    sign = np.ones(count)
    first = np.flatnonzero(np.diff(row, prepend=-1))
    sign[row[first]] = np.where(data[first] * data_there[first] < 0, -1.0, 1.0)
    largest = np.zeros(count)
    np.maximum.at(largest, row, np.abs(data))
    terms = (column != column_there) | ~_same(data, sign[row] * data_there, largest[row])
    differs[row[terms]] = True
    lower = np.where(sign > 0, other.row_lower, -other.row_upper)
    upper = np.where(sign > 0, other.row_upper, -other.row_lower)
    size = np.fmax(*(np.where(np.isfinite(side), np.abs(side), 0.0) for side in (lower, upper)))
    return np.asarray(differs | ~_same(one.row_lower, lower, size) | ~_same(one.row_upper, upper, size))


def _in_order(matrix: Any) -> tuple[Any, Any, Any]:
    """Return rows, columns and coefficients, those of zero apart."""
    row, there = matrix.row_of_each(), matrix.data != 0
    order = np.lexsort((matrix.indices[there], row[there]))
    return row[there][order], matrix.indices[there][order], matrix.data[there][order]


def _costs_differ(one: Objective | None, other: Objective | None) -> bool:
    if one is None or other is None:
        return True
    squares = [np.zeros_like(cost.linear) if cost.quadratic is None else cost.quadratic for cost in (one, other)]
    largest = max(float(np.abs(cost.linear).max(initial=0.0)) for cost in (one, other))
    same = _same(one.linear, other.linear, largest).all() and _same(*squares).all()
    return not (same and _same(one.constant, other.constant, largest).all())
