"""Bounds that dwarf an optimum do not blunt it, small prices count, and what is rounding of large ones does not."""

from __future__ import annotations

import math

import numpy as np
import pytest

import etsopt
from etsopt.modelling.program.sparse_rows import dense
from etsopt.modelling.solving.highs import _noise
from etsopt.modelling.solving.levels import as_answered
from etsopt.modelling.solving.scaling import scale, scale_below
from etsopt.modelling.solving.solution import Level
from tests.builders import given
from tests.modelling.solving.test_highs import program, solve

LARGE = 2.0**34


def test_limits_of_rows_bound_the_columns_between_them() -> None:
    # x + y <= 3 and y >= 2 leave x at most 1; 2 z <= x leaves z a half at most.
    matrix = dense(np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 2.0]]))
    limits = np.array([-math.inf, 2.0, -math.inf]), np.array([3.0, math.inf, 0.0])
    lower, upper = matrix.propagated(limits, (np.zeros(3), np.full(3, 100.0)))
    assert lower.tolist() == [0.0, 2.0, 0.0]
    assert upper.tolist() == [1.0, 3.0, 0.5]


def test_a_program_near_its_optimum_keeps_its_scale() -> None:
    # At least 60 of each hundred are needed.
    near = program([[1.0, 1.0]], [120.0], [1.0, 1.0])
    assert scale_below(near, "cost", 120.0, scale(near, "cost")) is None


def test_a_program_far_above_its_optimum_is_scaled_by_that() -> None:
    far = program([[1.0, 1.0]], [0.9], [1.0, 1.0], LARGE)
    scaled = scale_below(far, "cost", 0.9, scale(far, "cost"))
    assert scaled is not None
    assert scaled.column.tolist() == [1.0, 1.0]


def test_an_optimum_of_zero_is_scaled_by_the_rounding_of_its_terms_and_no_further() -> None:
    # One column must have the whole value, which is rounding; of the other nothing is left but rounding of that.
    none = program([[1.0, 0.0]], [1e-16], [1.0, 1.0])
    scaled = scale_below(none, "cost", 1e-16, scale(none, "cost"))
    assert scaled is not None
    assert scaled.column.min() >= 2.0**-39


def test_a_column_that_an_optimum_leaves_nothing_keeps_its_cost() -> None:
    # The fixed column has the whole value, so that the other is zero in every optimum, which its cost has to say.
    lower, upper = np.array([1.0, 0.0]), np.array([1.0, 100.0])
    outcome = solve(program([[2.0, 1e-4]], [0.5], [1.0, 1.0], column_lower=lower, column_upper=upper))
    assert outcome.column_side is not None
    assert outcome.column_side.tolist() == [-1, -1]


def test_a_scale_that_is_wider_than_the_solver_takes_is_not_taken() -> None:
    # The first column costs 1e13, and adds next to nothing to the one row it shares with the second.
    wide = program([[1e-4, 1.0]], [1.0], [1e9, 0.0], LARGE)
    assert scale_below(wide, "cost", 1e-3, scale(wide, "cost")) is None


def test_a_least_rate_is_exact_where_its_bound_is_a_billion_times_as_large() -> None:
    # A tonne and a million share 1000 t at the least largest rate. By hand that is 1000 over their sum.
    rows = [[1.0, 1.0, 0.0], [-1.0, 0.0, 1.0], [0.0, -1.0, 1e6]]
    outcome = solve(program(rows, [1000.0, 0.0, 0.0], [0.0, 0.0, 1.0], LARGE))
    assert outcome.x is not None
    assert outcome.x[2] == pytest.approx(1000.0 / 1_000_001.0, rel=1e-12)


def test_a_program_counted_from_a_point_has_its_points_as_distances() -> None:
    near = program([[1.0, 2.0]], [120.0], [1.0, 1.0])
    point = np.array([20.0, 49.0])
    assert near.missed(point) == 2.0
    assert near.missed(np.array([101.0, 49.0])) == 1.0
    moved = near.shifted(point, near.matrix @ point, 4.0)
    assert (moved.row_lower.tolist(), moved.column_lower.tolist()) == ([8.0], [-80.0, -196.0])
    # A distance of 2 is one of 8 in the finer numbers.
    assert moved.missed(4.0 * np.array([2.0, 0.0])) == 0.0


def test_a_level_is_stated_as_the_answer_has_it_where_that_is_rounding() -> None:
    levels = [Level(name, "t", 100.0, 100.0, 0.02, {}, "") for name in ("change", "deficit", "spread")]
    answered = {"change": 100.0005, "deficit": 101.0}
    assert [level.value for level in as_answered(levels, answered)] == [100.0005, 100.0, 100.0]


def test_a_price_is_no_better_known_than_the_terms_of_the_column_that_sets_it() -> None:
    # The price of the first row is set by the first column, beside one of a million in the second row.
    scaled = program([[1.0, 0.0], [1.0, 1.0]], [0.0, 0.0], [1.0, 1.0])
    of_columns, of_rows = _noise(scaled, "cost", np.array([0.0, 1.0]), np.array([-1e6, 1e6]))
    assert of_rows[0] >= 1e-4
    assert of_columns[0] >= 1e-4
    # Where no column sets a price, it is known as well as the solver works.
    assert _noise(scaled, "cost", np.array([1.0, 1.0]), np.zeros(2))[1].tolist() == pytest.approx([1.5e-10] * 2)


def test_the_smallest_unit_is_settled_beside_one_a_hundred_million_times_as_large() -> None:
    units = [(f"u{k}", f"e{k}", "cement", "North", 10.0**k, (1 + 0.01 * (-1) ** k) * 10.0**k) for k in range(9)]
    policy = {
        "sectors": {"cement": {"band": 0.05, "target_change": -0.001}},
        "allocation": {"objectives": ["largest_change", "deficit", "spread", "change"]},
    }
    result = etsopt.solve(given(units, policy))
    assert result.status == "certified_optimal"
