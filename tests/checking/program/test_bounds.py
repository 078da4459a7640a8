"""Boxes, objectives and rows of a program, each by hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from etsopt.checking.program.bounds import Box, Goal, Rows

INF = np.inf

# 2 x0 - 3 x2 in [-6, 8]; nothing, within [0, 0]; x0 at least 1.
ROWS = Rows(
    np.array([2.0, -3.0, 1.0]),
    np.array([0, 0, 2]),
    np.array([0, 2, 0]),
    np.array([-6.0, 0.0, 1.0]),
    np.array([8.0, 0.0, INF]),
    3,
)


def test_the_largest_term_of_each_row() -> None:
    assert ROWS.terms(np.array([4.0, 5.0, 2.0])).tolist() == [8.0, 0.0, 4.0]
    assert ROWS.terms(np.zeros(3)).tolist() == [0.0, 0.0, 0.0]


def test_values_of_rows_with_a_bound_of_their_rounding() -> None:
    x = np.array([0.1, 7.0, 0.3])
    value, error = ROWS.times(x)
    exact = [2 * Fraction(0.1) - 3 * Fraction(0.3), Fraction(0), Fraction(0.1)]
    for found, most, true in zip(value.tolist(), error.tolist(), exact, strict=True):
        assert abs(Fraction(found) - true) <= Fraction(most)
        assert most < 1e-14


def test_limits_are_widened_and_reach_a_point() -> None:
    wider = ROWS.widened(np.array([1.0, 2.0, 3.0]), 0.5)
    assert wider.lower.tolist() == [-10.0, -2.0, -2.5]
    assert wider.upper.tolist() == [13.0, 2.0, INF]
    reached = ROWS.reaching(np.array([0.0, 0.0, 4.0]))
    assert reached.lower == pytest.approx([-12.0, 0.0, 0.0], abs=1e-12)
    assert reached.upper[:2] == pytest.approx([8.0, 0.0], abs=1e-12)
    assert reached.lower[0] <= -12.0


def test_an_objective_that_is_kept_is_a_row_more() -> None:
    kept = ROWS.below(Goal(np.array([0.0, 4.0, 0.0]), np.zeros(3), 5.0), 25.0)
    assert kept.count == 4
    assert (kept.data[-1], kept.row[-1], kept.column[-1]) == (4.0, 3, 1)
    assert (kept.lower[-1], kept.squares) == (-INF, {})
    # Its limit is 20, and by a rounding more.
    assert 20.0 < kept.upper[-1] < 20.0 + 1e-13
    square = ROWS.below(Goal(np.zeros(3), np.array([0.0, 0.0, 2.0]), 0.0), 8.0)
    assert square.squares[3].tolist() == [0.0, 0.0, 2.0]


def test_rows_narrow_what_columns_may_be() -> None:
    box = Box(np.array([0.0, -1.0, 0.0]), np.array([10.0, 1.0, 10.0]))
    found = ROWS.narrowed(box, np.zeros(3, dtype=bool))
    assert found is not None
    # x0 at least 1; 2 x0 at least 3 x2 - 6 and at most 3 x2 + 8, so that x2 is at most 26/3.
    assert found.lower == pytest.approx([1.0, -1.0, 0.0])
    assert found.upper == pytest.approx([10.0, 1.0, 26 / 3])
    whole = ROWS.narrowed(box, np.array([False, False, True]))
    assert whole is not None
    assert whole.upper[2] == 8.0
    assert ROWS.narrowed(Box(np.zeros(3), np.array([0.5, 1.0, 1.0])), np.zeros(3, dtype=bool)) is None
    assert ROWS.narrowed(Box(np.ones(3), np.zeros(3)), np.zeros(3, dtype=bool)) is None


def test_a_box_is_rounded_split_and_fixed() -> None:
    box = Box(np.array([-2.5, 0.2]), np.array([1.5, 3.7]))
    assert box.reach.tolist() == [2.5, 3.7]
    whole = box.whole(np.array([True, False]))
    assert (whole.lower.tolist(), whole.upper.tolist()) == ([-2.0, 0.2], [1.0, 3.7])
    above, below = box.split(1, 2.0, above=True), box.split(1, 2.0, above=False)
    assert (above.lower.tolist(), above.upper.tolist()) == ([-2.5, 2.0], [1.5, 3.7])
    assert (below.lower.tolist(), below.upper.tolist()) == ([-2.5, 0.2], [1.5, 2.0])
    # A side beyond a bound moves nothing.
    assert box.split(1, 0.0, above=True).lower.tolist() == [-2.5, 0.2]
    assert box.split(1, 9.0, above=False).upper.tolist() == [1.5, 3.7]
    fixed = box.fixed_at(np.array([0.5, 0.5]), [slice(1, 2)])
    assert (fixed.lower.tolist(), fixed.upper.tolist()) == ([-2.5, 0.5], [1.5, 0.5])
    assert box.lower.tolist() == [-2.5, 0.2]


def test_an_objective_by_its_terms() -> None:
    goal = Goal(np.array([1.0, -2.0]), np.array([0.5, 0.0]), 3.0)
    value, error = goal.at(np.array([2.0, 1.0]))
    assert value == 2.0 - 2.0 + 2.0 + 3.0
    assert 0 < error < 1e-12
    assert not goal.is_nothing
    assert Goal.nothing(2).is_nothing
    for more in ({"linear": np.array([0.0, 1.0])}, {"quadratic": np.array([0.0, 1.0])}, {"constant": 1.0}):
        assert not replace(Goal.nothing(2), **more).is_nothing


@pytest.mark.parametrize(
    ("linear", "quadratic", "constant", "integer", "counts"),
    [
        ([1, -2], [0, 0], 3, [True, True], True),
        ([1, 0], [0, 0], 0, [True, False], True),
        ([1, -2], [0, 0], 3, [True, False], False),
        ([1.5, 0], [0, 0], 0, [True, True], False),
        ([1, 0], [0, 0], 0.5, [True, True], False),
        ([1, 0], [1, 0], 0, [True, True], False),
        ([0, 0], [0, 0], 1, [True, True], False),
    ],
)
def test_an_objective_counts_where_only_whole_numbers_add_up(
    linear: list[float], quadratic: list[float], constant: float, integer: list[bool], counts: bool
) -> None:
    goal = Goal(np.array(linear, dtype=float), np.array(quadratic, dtype=float), constant)
    assert goal.counts(np.array(integer)) is counts


def test_a_limit_of_squares_has_no_price_above_zero() -> None:
    rows = Rows(np.zeros(0), np.zeros(0, dtype=int), np.zeros(0, dtype=int), np.zeros(0), np.zeros(0), 1)
    rows = rows.below(Goal(np.zeros(1), np.array([1.0]), 0.0), 4.0)
    box, goal = Box(np.array([-2.0]), np.array([3.0])), Goal(np.array([1.0]), np.zeros(1), 0.0)
    assert rows.bound(box, goal, np.array([0.5])) == rows.bound(box, goal, np.zeros(1)) == pytest.approx(-2.0)


@pytest.mark.parametrize(("data", "price"), [((0.1, 0.2), 1.0), ((0.1, 0.7), -1.0)])
def test_the_side_that_columns_give_a_row_is_no_tighter_than_without_rounding(
    data: tuple[float, float], price: float
) -> None:
    rows = Rows(np.array(data), np.zeros(2, dtype=int), np.arange(2), np.array([-INF]), np.array([INF]), 1)
    # Added up, 0.1 and 0.2 are above their sum, and 0.1 and 0.7 below it.
    exact = Fraction(data[0]) + Fraction(data[1])
    assert price * (Fraction(data[0] + data[1]) - exact) > 0
    (side,) = rows._sides(Box(np.ones(2), np.ones(2)), np.array([price])).tolist()
    assert Fraction(side) <= Fraction(price) * exact
    assert side == pytest.approx(price * (data[0] + data[1]), rel=1e-14)
