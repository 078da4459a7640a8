"""The second look in rational numbers finds the minimum itself: against a search over every point that may be one."""

from __future__ import annotations

from fractions import Fraction
from math import inf
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etsopt.checking.allocation import rational
from etsopt.checking.allocation.certificate import Intervals, Kinked, Square
from etsopt.checking.allocation.rows import CouplingRows
from etsopt.checking.arithmetic import upward

TONNES = st.integers(-12, 12)


def one(value: float) -> np.ndarray:
    return np.array([float(value)])


def value_at(at: Fraction, pieces: list[Kinked], pull: Fraction, square: Square | None) -> Fraction:
    found = -pull * at
    for piece in pieces:
        beyond = at - Fraction(float(piece.kink[0]))
        found += Fraction(piece.times) * max(Fraction(side) * beyond for side in (piece.left, piece.right))  # type: ignore[arg-type]
    if square is not None:
        found += (at - Fraction(float(square.centre[0]))) ** 2 / Fraction(float(square.weight[0]))
    return found


@settings(max_examples=40)
@given(
    TONNES,
    TONNES,
    TONNES,
    st.integers(-12, 12),
    st.lists(st.tuples(TONNES, st.integers(-4, 4), st.integers(0, 4), st.integers(0, 2)), max_size=3),
    st.sampled_from([None, False, True]),
)
def test_the_gap_of_a_unit_is_its_distance_from_the_least_of_all_points(
    answer: int, lower: int, upper: int, pulled: int, some: list[tuple[int, int, int, int]], whole: bool | None
) -> None:
    low, high = min(answer, lower, upper), max(answer, lower, upper)
    pieces = [Kinked(one(kink), left, left + by, times) for kink, left, by, times in some]
    square = None if whole is None else Square(one(4), one(1.5), whole)
    pull = Fraction(pulled, 4)
    found = rational.unit_gap(Intervals(one(answer), one(low), one(high)), 0, pieces, pull, square)
    # With slopes of whole numbers and pulls of quarters the minimum lies on a grid of halves.
    grid = [Fraction(step, 2) for step in range(2 * low, 2 * high + 1)]
    points = [at for at in grid if not whole or at.denominator == 1]
    values = [value_at(at, pieces, pull, square) for at in points]
    assert found == value_at(Fraction(answer), pieces, pull, square) - min(values)


def levels(allowance: list[float], free: list[bool], intervals: Intervals) -> Any:
    """A target of units 0 and 2, an order of rates of 0 and 1, and a balance of all."""
    rows = CouplingRows(
        row=np.array([0, 0, 1, 1, 2, 2, 2]),
        position=np.array([0, 2, 0, 1, 0, 1, 2]),
        sign=np.array([1.0, 1.0, 1.0, -1.0, 1.0, 1.0, 1.0]),
        divisor=np.array([1.0, 1.0, 3.0, 7.0, 1.0, 1.0, 1.0]),
        least=np.array([0.0, 0.0, 1.0]),
        most=np.array([9.0, inf, 20.0]),
        rule=np.array(["sector_target", "intensity_order", "province_balance"], dtype=object),
        index=np.array(["a", "b", "c"], dtype=object),
    )
    return SimpleNamespace(rows=rows, units=3, free=np.array(free), intervals=intervals)


def test_rows_add_their_distance_from_the_side_that_is_priced() -> None:
    answer = np.array([3.5, 2.25])
    at = levels([3.5, 0.0, 2.25], [True, False, True], Intervals(answer, answer.copy(), answer.copy()))
    for price, known in (
        ([2.0, 0.0, 0.0], 2 * Fraction(23, 4)),
        ([-2.0, 0.0, 0.0], 2 * (9 - Fraction(23, 4))),
        ([0.0, 3.0, 0.0], 3 * Fraction(7, 2) / 3),
        ([0.0, 0.0, 1.0], Fraction(23, 4) - 1),
        ([0.0, 0.0, -1.0], 20 - Fraction(23, 4)),
        ([0.0, 0.0, 0.0], 0),
    ):
        assert rational.exact_gap(at, [], np.array(price), None) == known
    missed = levels([], [True, False, True], Intervals(answer * 3, answer * 3, answer * 3))
    assert rational.exact_gap(missed, [], np.array([-2.0, 0.0, 0.0]), None) == 0


def test_totals_and_pulls_are_those_of_every_entry() -> None:
    at = levels([], [True] * 3, Intervals(np.zeros(3), np.zeros(3), np.zeros(3)))
    totals, pull = rational.of_rows(at.rows, np.array([3.0, 14.0, 0.5]), np.array([2.0, -3.0, 0.25]))
    assert totals == [Fraction(7, 2), Fraction(1) - 2, Fraction(35, 2)]
    assert pull == [2 - 1 + Fraction(1, 4), Fraction(3, 7) + Fraction(1, 4), Fraction(9, 4)]


def test_units_add_up_with_the_pull_of_their_own_and_each_is_rounded_up_by_less_than_anything() -> None:
    answer, lower, upper = np.array([3.0, 2.0]), np.array([0.0, 0.0]), np.array([5.0, 5.0])
    at = levels([], [True, False, True], Intervals(answer, lower, upper))
    piece = Kinked(np.array([1.0, 1.0]), np.array([-1.0, -2.0]), np.array([1.0, 3.0]))
    price = np.array([0.0, 1.0, 0.0])
    # Unit 0 is pulled up by a third, unit 2 by nothing; the row adds a unit's tonne over three.
    own = (Fraction(2) - Fraction(2, 3)) + 3 + 1
    found = rational.exact_gap(at, [piece], price, None)
    assert own <= found <= own + Fraction(2, rational.GRAIN)
    assert rational.gap(at, [piece], price, None) == upward(float(found), 2)


def test_a_multiplier_that_is_no_number_proves_nothing() -> None:
    nothing = np.zeros(3)
    at = levels([], [True] * 3, Intervals(nothing, nothing, nothing))
    piece = Kinked(nothing, -1.0, 1.0, inf)
    assert rational.gap(at, [], np.array([np.nan, 0.0, 0.0]), None) == inf
    assert rational.gap(at, [piece], np.zeros(3), None) == inf
    assert rational.gap(at, [Kinked(nothing, -1.0, 1.0), piece], np.zeros(3), None) == inf
    assert rational.gap(at, [], np.zeros(3), None) == pytest.approx(0.0, abs=1e-270)
    assert rational.GRAIN == 2**1400
