"""The bound of a level is no less than it is in rational numbers, and more by nothing but its rounding."""

from __future__ import annotations

from fractions import Fraction
from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etsopt.checking.allocation import rational
from etsopt.checking.allocation.certificate import (
    DualActivity,
    Intervals,
    Kinked,
    Square,
    corners_of,
    rise,
    units_gap,
    upward_each,
)
from etsopt.checking.arithmetic import gamma, sum_at_most
from etsopt.checking.effort import UNITS_AT_ONCE

U = 2.0**-53
TONNES, SLOPES = st.integers(-40, 40), st.integers(-8, 8)


def one(value: float) -> np.ndarray:
    return np.array([float(value)])


def interval(answer: float, lower: float, upper: float) -> Intervals:
    return Intervals.around(one(answer), one(lower), one(upper))


def pull_of(at_unit: float, size: float | None = None, rows: int = 1) -> DualActivity:
    return DualActivity(one(at_unit), one(abs(at_unit) if size is None else size), rows)


def kinked(kink: float, left: float, right: float, times: float = 1.0) -> Kinked:
    return Kinked(one(kink), left, right, times)


pieces_of = st.lists(st.tuples(TONNES, SLOPES, st.integers(0, 9), st.integers(0, 3)), max_size=3)


def test_a_kinked_function_is_the_larger_of_its_two_lines() -> None:
    piece = Kinked(np.array([2.0, 2.0, 2.0]), np.array([-3.0, -3.0, 1.0]), np.array([5.0, 5.0, 4.0]), 2.0)
    assert piece.at(np.array([1.0, 4.0, 1.0])).tolist() == [6.0, 20.0, -2.0]
    part = piece.of(slice(1, 3))
    assert (part.kink.tolist(), part.left.tolist(), part.times) == ([2.0, 2.0], [-3.0, 1.0], 2.0)  # type: ignore[union-attr]
    assert np.asarray(piece.steepest).tolist() == [10.0, 10.0, 8.0]
    assert Kinked(one(0), -7.0, 5.0, 2.0).steepest == 14.0
    assert Kinked(one(0), -7.0, 5.0).times == 1.0
    assert Kinked(one(0), -7.0, 5.0).of(slice(0, 1)).left == -7.0


@settings(max_examples=40)
@given(TONNES, TONNES, TONNES, SLOPES, SLOPES, st.integers(0, 5))
def test_a_change_is_the_difference_of_two_values(
    start: int, end: int, kink: int, left: int, right: int, n: int
) -> None:
    left, right = min(left, right), max(left, right)
    piece = kinked(kink, left, right, n)
    assert piece.change(one(start), one(end))[0] == piece.at(one(end))[0] - piece.at(one(start))[0]


def test_a_pull_is_uncertain_by_the_rows_of_a_unit_and_sixteen_roundings() -> None:
    pull = DualActivity(np.array([1.0, 2.0]), np.array([3.0, 4.0]), 5)
    assert pull.uncertain == pytest.approx([gamma(21) * 3, gamma(21) * 4], rel=1e-12)
    some = pull.of(np.array([False, True]))
    assert (some.at_unit.tolist(), some.size.tolist(), some.rows) == ([2.0], [4.0], 5)


def test_intervals_reach_the_answer_where_it_misses_them() -> None:
    found = Intervals.around(np.array([1.0, 5.0, 9.0]), np.full(3, 2.0), np.full(3, 7.0))
    assert (found.lower.tolist(), found.upper.tolist()) == ([1.0, 2.0, 2.0], [7.0, 7.0, 9.0])
    part = found.of(slice(1, 3))
    assert (part.answer.tolist(), part.lower.tolist(), part.upper.tolist()) == ([5.0, 9.0], [2.0, 2.0], [7.0, 9.0])


def test_corners_are_both_ends_and_every_kink_inside() -> None:
    corners = corners_of(interval(3, 2, 7), [one(1), one(5), one(8)])
    assert [corner[0] for corner in corners] == [2.0, 7.0, 2.0, 5.0, 7.0]


def test_upward_adds_sixteen_roundings() -> None:
    assert upward_each(one(1.0))[0] == 1 + 16 * U


def test_a_rise_is_that_of_all_functions_less_the_pull_and_is_off_by_its_sizes() -> None:
    pieces = [kinked(2, -3, 5, 2.0), kinked(4, -1, 1)]
    change, error = rise(one(1), one(6), pieces, pull_of(0.5, 7.0, 3))
    assert change[0] == (40 - 6) + (2 - 3) - 2.5
    known = 1.01 * 5 * (gamma(19) * 7 + gamma(12) * (10 + 1))
    assert error[0] == pytest.approx(known, rel=1e-12)
    back, error = rise(one(6), one(1), pieces, pull_of(0.5, 7.0, 3))
    assert back[0] == -change[0]
    assert error[0] == pytest.approx(known, rel=1e-12)


def exact_gap(intervals: Intervals, pieces: list[Kinked], pull: DualActivity, square: Square | None = None) -> Fraction:
    return rational.unit_gap(intervals, 0, pieces, Fraction(float(pull.at_unit[0])), square)


@settings(max_examples=40)
@given(TONNES, TONNES, TONNES, st.integers(-20, 20), pieces_of, st.sampled_from([None, False, True]), st.integers(1, 9))
def test_a_gap_is_that_in_rational_numbers_and_its_rounding(
    answer: int,
    lower: int,
    upper: int,
    pulled: int,
    some: list[tuple[int, int, int, int]],
    whole: bool | None,
    emissions: int,
) -> None:
    at = interval(answer, min(lower, upper), max(lower, upper))
    pieces = [kinked(kink, left, left + by, times) for kink, left, by, times in some]
    square = None if whole is None else Square(one(emissions), one(3), whole)
    pull = pull_of(pulled / 4)
    exact = exact_gap(at, pieces, pull, square)
    found = units_gap(at, pieces, pull, square)
    assert Fraction(found) >= exact
    if square is None or not pieces:
        assert found <= float(exact) + 1e-11
    else:
        # With kinks the best of a few points bounds the parabola, not its minimum itself.
        assert np.isfinite(found)


def test_a_parabola_alone_is_bounded_by_its_minimum_inside_or_at_an_end() -> None:
    square = Square(one(100), one(50))
    for answer, lower, upper, pulled, known in (
        (50.0, 0.0, 100.0, 0.0, 0.0),
        (60.0, 0.0, 100.0, 0.0, 1.0),
        (40.0, 0.0, 100.0, 0.0, 1.0),
        (50.0, 0.0, 100.0, 0.2, 1.0),
        (50.0, 0.0, 100.0, -0.2, 1.0),
        (50.0, 48.0, 52.0, 0.2, 0.4 - 0.04),
        (50.0, 48.0, 52.0, -0.2, 0.4 - 0.04),
        (50.0, 50.0, 52.0, -0.2, 0.0),
        (50.0, 48.0, 50.0, 0.2, 0.0),
    ):
        at = interval(answer, lower, upper)
        found = units_gap(at, [], pull_of(pulled), square)
        assert found == pytest.approx(known, abs=1e-12)
        assert Fraction(found) >= exact_gap(at, [], pull_of(pulled), square)


def test_a_parabola_with_a_kink_is_bounded_near_its_minimum() -> None:
    square = Square(one(100), one(50))
    for answer, kink, left, right, times, pulled, known in (
        (50.0, 50.0, -1.0, 1.0, 1.0, 0.5, 0.0),
        (50.0, 50.0, -1.0, 1.0, 1.0, -0.5, 0.0),
        (50.0, 50.0, -1.0, 1.0, 0.25, 0.5, 25 * 0.25**2),
        (50.0, 50.0, -1.0, 1.0, 0.25, -0.5, 25 * 0.25**2),
        (60.0, 60.0, -1.0, 1.0, 0.5, 0.0, 0.0),
        (60.0, 55.0, -1.0, 1.0, 0.5, 0.0, 2.5 + 1 - 0.25),
    ):
        at, piece = interval(answer, 0.0, 100.0), kinked(kink, left, right, times)
        assert units_gap(at, [piece], pull_of(pulled), square) == pytest.approx(known, abs=1e-12)


@pytest.mark.parametrize(("whole", "known"), [(False, 0.36 / 4), (True, 0.0), (None, 0.0)])
def test_a_move_of_less_than_a_tonne_counts_in_real_numbers_alone(whole: bool | None, known: float) -> None:
    square = Square(one(1), one(10)) if whole is None else Square(one(1), one(10), whole)
    found = units_gap(interval(10, 5, 15), [], pull_of(0.6), square)
    assert found == pytest.approx(known if whole is not None else 0.09, abs=1e-14)


@pytest.mark.parametrize(
    ("pulled", "known"), [(1.0, 0.0), (1.5, 0.5), (2.0, 1.0), (3.2, 2.4), (5.0, 6.0), (20.0, 75.0)]
)
def test_of_whole_moves_the_best_is_next_to_the_best_of_all(pulled: float, known: float) -> None:
    """A move of ``d`` tonnes gains ``pulled d - d²``, of at most five."""
    for sign in (1.0, -1.0):
        found = units_gap(interval(10, 5, 15), [], pull_of(sign * pulled), Square(one(1), one(10), True))
        assert found == pytest.approx(known, abs=1e-12)


def test_a_whole_move_gains_no_more_than_its_rounding_beside_one_that_gains_as_much() -> None:
    # A tonne gains 1 - 1, of which the sizes are rounded eight times; so does none.
    for lower, upper, pulled in ((10.0, 11.0, 1.0), (9.0, 10.0, -1.0)):
        found = units_gap(interval(10, lower, upper), [], pull_of(pulled, 0.0), Square(one(1), one(10), True))
        assert found == pytest.approx(gamma(8), rel=1e-9, abs=0.0)


def by_hand(answer: float, base: float, lower: float, upper: float, pulled: float, e: float, r: float) -> float:
    """What a base bounds a parabola by without kinks, written again with its rounding."""
    pull = pull_of(pulled, 64.0)
    above, error = -pulled * (answer - base), 1.01 * gamma(17) * 64.0 * abs(answer - base)
    away, from_base = answer - r, base - r
    parabola = (answer - base) * (away + from_base) / e
    error += gamma(12) * abs(answer - base) * (abs(away) + abs(from_base)) / e
    error += gamma(4) * (abs(above) + abs(parabola))
    slope = 2 * from_base / e - pulled
    uncertain = 1.01 * (float(pull.uncertain[0]) + gamma(8) * abs(2 * from_base / e))
    up = max(uncertain - slope, 0.0) if upper > base else 0.0
    down = max(slope + uncertain, 0.0) if base > lower else 0.0
    best = max(min(e * s * s / 4, s * room) for s, room in ((up, upper - base), (down, base - lower)))
    return above + parabola + error + best * (1 + 16 * U)


@pytest.mark.parametrize(
    ("answer", "lower", "upper", "pulled", "e"),
    [
        (50.0, 50.0, 50.0, 0.0, 4.0),
        (50.0, 40.0, 52.0, 5.0, 4.0),
        (50.0, 46.0, 60.0, -8.0, 4.0),
        (1e9, 0.0, 1e9, 9.0, 4.0),
    ],
)
def test_what_is_added_for_rounding_is_what_the_sizes_of_the_terms_call_for(
    answer: float, lower: float, upper: float, pulled: float, e: float
) -> None:
    reference = 50.0
    known = min(by_hand(answer, base, lower, upper, pulled, e, reference) for base in (lower, upper, answer))
    found = units_gap(interval(answer, lower, upper), [], pull_of(pulled, 64.0), Square(one(e), one(reference)))
    assert found == pytest.approx(sum_at_most(upward_each(one(max(known, 0.0)))), rel=1e-15, abs=1e-290)


def test_an_uncertain_slope_at_a_kink_counts_the_steepest_of_each_function() -> None:
    """Answer, kink and reference agree and the slopes balance, so that only what is uncertain is left."""
    square, piece = Square(one(1.0), one(50.0)), kinked(50.0, -1e7, 1e7, 2.0)
    # The pull balances the right slope of the function, so a step to the right gains what is uncertain alone.
    found = units_gap(interval(50, 50, 60), [piece], pull_of(2e7, 2e7), square)
    uncertain = 1.01 * (gamma(17) * 2e7 + gamma(11) * 2e7)
    assert found == pytest.approx(uncertain**2 / 4, rel=1e-9, abs=1e-300)
    found = units_gap(interval(50, 40, 50), [piece], pull_of(-2e7, 2e7), square)
    assert found == pytest.approx(uncertain**2 / 4, rel=1e-9, abs=1e-300)


def test_the_gap_of_many_units_is_the_sum_over_every_block() -> None:
    count = 2 * UNITS_AT_ONCE + 3
    answer = np.zeros(count)
    answer[[0, UNITS_AT_ONCE - 1, UNITS_AT_ONCE, 2 * UNITS_AT_ONCE, count - 1]] = [1.0, 2.0, 4.0, 8.0, 16.0]
    at = Intervals(answer, np.zeros(count), answer.copy())
    piece, nothing = Kinked(np.zeros(count), -1.0, 1.0), DualActivity(np.zeros(count), np.zeros(count), 0)
    assert units_gap(at, [piece], nothing) == pytest.approx(31.0)
    square = Square(np.ones(count), np.zeros(count))
    assert units_gap(at, [], nothing, square) == pytest.approx(1 + 4 + 16 + 64 + 256.0)
    assert units_gap(at.of(slice(0, 0)), [], nothing.of(slice(0, 0))) == pytest.approx(0.0, abs=1e-270)


@pytest.mark.parametrize("bad", [inf, np.nan, 1e308])
def test_what_overflows_proves_nothing(bad: float) -> None:
    at = interval(1e9, 0.0, 1e10)
    assert not units_gap(at, [kinked(0, -1, 1)], DualActivity(one(bad), one(abs(bad)), 1)) < 1e300
    assert not units_gap(at, [], DualActivity(one(bad), one(abs(bad)), 1), Square(one(1), one(0))) < 1e300


def test_a_gap_is_no_less_than_nothing() -> None:
    found = units_gap(interval(5, 5, 5), [kinked(5, -1, 1)], pull_of(0.0))
    assert 0.0 <= found <= 1e-270
