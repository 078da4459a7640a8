"""Sums, products and differences carry a bound of their rounding that is no less, and no larger, than is derived."""

from __future__ import annotations

from fractions import Fraction
from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etsopt.checking import arithmetic
from etsopt.checking.arithmetic import (
    UNDERFLOW,
    column_totals,
    difference,
    exact_sums,
    gamma,
    sum_at_most,
    total,
    upward,
)

U = 2.0**-53
NUMBERS = st.floats(-1e12, 1e12)


def test_a_product_of_so_many_roundings_is_off_by_gamma() -> None:
    assert gamma(1) == pytest.approx(U, rel=1e-15)
    assert gamma(2.0**40) == pytest.approx(1 / (2.0**13 - 1), rel=1e-15)


@pytest.mark.parametrize("roundings", [0, 2, 10, 64])
def test_upward_adds_twice_the_roundings_and_what_underflow_can_take(roundings: int) -> None:
    assert upward(1.0, roundings) == 1 + (roundings + 2) * 2.0**-52
    assert upward(0.0, roundings) == UNDERFLOW == 1e-280


@pytest.mark.parametrize(
    ("count", "roundings"), [(0, 0), (1, 0), (2, 64), (64, 64), (65, 128), (4096, 128), (4097, 192)]
)
def test_sums_go_through_a_block_of_roundings_for_each_power_of_the_block(count: int, roundings: int) -> None:
    terms = np.column_stack([np.ones(count), np.arange(float(count))]).astype(np.float64)
    sums, passed = column_totals(terms)
    assert sums.tolist() == [count, count * (count - 1) / 2]
    assert passed == roundings
    assert total(terms[:, 0]) == (count, upward(gamma(roundings) * count, roundings + 2))


@settings(max_examples=40)
@given(st.lists(NUMBERS, max_size=200))
def test_a_sum_is_within_its_bound_and_a_sum_of_sizes_below_its_most(terms: list[float]) -> None:
    value, error = total(np.array(terms))
    assert abs(Fraction(value) - sum(map(Fraction, terms))) <= Fraction(error)
    sizes = np.abs(terms)
    assert Fraction(sum_at_most(sizes)) >= sum(map(Fraction, sizes.tolist()))


def test_the_most_of_a_sum_is_the_sum_and_its_bound() -> None:
    value, error = total(np.array([0.1, 0.2, 0.7]))
    assert sum_at_most(np.array([0.1, 0.2, 0.7])) == upward(value + error, 2)
    assert sum_at_most(np.zeros(0)) == pytest.approx(0.0, abs=1e-270)


@settings(max_examples=40)
@given(NUMBERS, NUMBERS)
def test_a_difference_loses_nothing(one: float, other: float) -> None:
    high, low = (part.item() for part in difference(np.array([one]), np.array([other])))
    assert Fraction(high) + Fraction(low) == Fraction(one) - Fraction(other)
    assert high == one - other


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 2), NUMBERS), min_size=1, max_size=60))
def test_sums_of_groups_are_within_their_bounds(terms: list[tuple[int, float]]) -> None:
    group, values = np.array([g for g, _ in terms]), np.array([value for _, value in terms])
    high, low, error = exact_sums(group, values, 3)
    for place in range(3):
        exact = sum((Fraction(value) for g, value in terms if g == place), Fraction(0))
        assert abs(Fraction(high[place]) + Fraction(low[place]) - exact) <= Fraction(error[place])
        assert error[place] <= 1e-4 + 1e-14 * abs(float(exact))


def test_whole_tonnes_below_2_to_the_53_add_up_without_rounding() -> None:
    group = np.array([0, 1, 2, 2, 3])
    values = np.array([2.0**53 - 1, 2.0**53, 2.0**52, -(2.0**52), 7.0])
    high, low, error = exact_sums(group, values, 4)
    assert high.tolist() == [2.0**53 - 1, 2.0**53, 0.0, 7.0]
    assert low.tolist() == [0.0] * 4
    assert error.tolist() == [0.0, inf, inf, 0.0]


def test_fractions_add_up_to_a_billionth_and_the_rest_counts_by_the_square_of_its_terms() -> None:
    values = np.array([10.25, 3.3, -2.1, 0.4])
    high, low, error = exact_sums(np.array([0, 1, 1, 1]), values, 2)
    assert high.tolist() == [10.0, 1.0]
    assert low[0] == 0.25
    assert low[1] == pytest.approx(0.6, abs=1e-15)
    for place, terms in ((0, 1), (1, 3)):
        rest = 1.01 * terms**2 * U / 2.0**30
        assert error[place] == pytest.approx(gamma(8) * abs(low[place]) + rest, rel=1e-12, abs=0)
    # Where the fractions themselves cancel, only the square of the terms is left.
    _, low, error = exact_sums(np.zeros(2, dtype=int), np.array([0.25, -0.25]), 1)
    assert low[0] == 0.0
    assert error[0] == pytest.approx(1.01 * 4 * U / 2.0**30, rel=1e-12)
    assert arithmetic.FRACTION == 2.0**30


@pytest.mark.nightly
def test_from_8_million_terms_on_fractions_may_round_as_well() -> None:
    terms = 2**23
    values = np.zeros(terms)
    values[0] = 0.5
    _, _, error = exact_sums(np.zeros(terms, dtype=np.int64), values, 1)
    known = gamma(8) * 0.5 + 1.01 * terms**2 * U / 2.0**30 + 1.01 * terms**2 * U
    assert error[0] == pytest.approx(known, rel=1e-12)
