"""Whether two programs are the same, entry by entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.errors import ModelError
from etsopt.modelling.compiler import compiled, pyomo_build

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    from etsopt.modelling.program.program import Objective, Program

TOLERANCE = 1e-12
"""Relative; the two ways may add the same numbers in another order."""


def assert_same(one: Program, other: Program, either_way_round: Collection[str] = ()) -> None:
    """Rows, columns, bounds, whole numbers, coefficients, limits and objectives are the same.

    Parameters
    ----------
    either_way_round
        Constraints with variables on both sides, whose rows may be multiplied by -1. Python asks the right side of
        ``a == b`` first where its class is derived from that of the left, and Pyomo drops a side that is zero, so the
        sign of such a row depends on the classes of its sides.
    """
    assert (one.rows, one.columns) == (other.rows, other.columns)
    assert one.matrix.shape == other.matrix.shape
    _assert_is_well_formed(one)
    _assert_is_well_formed(other)
    _assert_equal(one.column_lower, other.column_lower)
    _assert_equal(one.column_upper, other.column_upper)
    assert one.integer.dtype == other.integer.dtype == bool
    assert np.array_equal(one.integer, other.integer)
    sign = np.ones(one.matrix.shape[0])
    for name in either_way_round:
        sign[one.rows[name]] = [_sign(one, other, row) for row in range(*one.rows[name].indices(len(sign)))]
    _assert_rows_are_same(one, other, sign)
    assert list(one.objectives) == list(other.objectives)
    for name, objective in one.objectives.items():
        _assert_objectives_are_same(objective, other.objectives[name])


def assert_same_both_ways(model: Any, data: Mapping[str, Any], either_way_round: Collection[str] = ()) -> Program:
    """Compile a model and build it with Pyomo; they are the same. Returns the compiled program."""
    found = compiled.build_program(model, data)
    assert_same(found, pyomo_build.build_program(model, data), either_way_round)
    return found


def assert_never_silently_wrong(model: Any, data: Mapping[str, Any]) -> ModelError | None:
    """Compile a model: either it is refused, and the error is returned, or it is what Pyomo builds."""
    try:
        found = compiled.build_program(model, data)
    except ModelError as error:
        return error
    assert_same(found, pyomo_build.build_program(model, data))
    return None


def _assert_is_well_formed(program: Program) -> None:
    """No column stands twice in a row, nothing is zero, and all arrays have the length they should."""
    matrix, (rows, columns) = program.matrix, program.matrix.shape
    assert len(matrix.data) == len(matrix.indices) == matrix.indptr[-1]
    assert len(np.unique(matrix.row_of_each() * columns + matrix.indices)) == matrix.nnz
    assert np.all(matrix.data != 0)
    for array, length in (
        (program.row_lower, rows),
        (program.row_upper, rows),
        (program.column_lower, columns),
        (program.column_upper, columns),
        (program.integer, columns),
        *((objective.linear, columns) for objective in program.objectives.values()),
    ):
        assert array.shape == (length,)


def _assert_equal(one: Any, other: Any, scale: Any = 0.0) -> None:
    """Equal to a tolerance relative to the numbers and to a scale; infinities and what is no number are equal."""
    one, other = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    assert one.shape == other.shape
    finite = np.isfinite(one) & np.isfinite(other)
    size = np.maximum(np.abs(np.where(finite, one, 0)), np.abs(np.where(finite, other, 0)))
    near = np.abs(np.where(finite, one - np.where(finite, other, 0), 0)) <= TOLERANCE * np.maximum(size, scale)
    same = np.where(finite, near, (one == other) | (np.isnan(one) & np.isnan(other)))
    assert same.all(), (one[~same], other[~same])


def _sign(one: Program, other: Program, row: int) -> float:
    """-1 where a row is the other one multiplied by -1, else 1."""
    here, there = one.matrix.part(slice(row, row + 1)), other.matrix.part(slice(row, row + 1))
    first, second = _dense(here), _dense(there)
    turned = np.allclose(first, -second) and np.allclose(one.row_lower[row], -other.row_upper[row])
    return -1.0 if turned and np.allclose(one.row_upper[row], -other.row_lower[row]) else 1.0


def _dense(row: Any) -> NDArray[np.float64]:
    return row.toarray()[0]


def _in_order(matrix: Any) -> tuple[Any, ...]:
    rows = matrix.row_of_each()
    order = np.lexsort((matrix.indices, rows))
    return rows[order], matrix.indices[order], matrix.data[order]


def _assert_rows_are_same(one: Program, other: Program, sign: NDArray[np.float64]) -> None:
    (rows, columns, data), (other_rows, other_columns, other_data) = _in_order(one.matrix), _in_order(other.matrix)
    assert np.array_equal(one.matrix.indptr, other.matrix.indptr)
    assert np.array_equal(rows, other_rows)
    assert np.array_equal(columns, other_columns)
    _assert_equal(data, other_data * sign[other_rows])
    lower = np.where(sign > 0, other.row_lower, -other.row_upper)
    upper = np.where(sign > 0, other.row_upper, -other.row_lower)
    _assert_equal(one.row_lower, lower)
    _assert_equal(one.row_upper, upper)


def _assert_objectives_are_same(one: Objective, other: Objective) -> None:
    _assert_equal(one.linear, other.linear)
    _assert_equal(one.constant, other.constant)
    assert isinstance(one.constant, float | int)
    assert one.unit == other.unit
    assert (one.quadratic is None) == (other.quadratic is None)
    if one.quadratic is not None:
        assert other.quadratic is not None
        _assert_equal(one.quadratic, other.quadratic)
