"""Measures of inequality: published examples, identities, and what they do not depend on."""

from __future__ import annotations

import numpy as np
import pytest

from etsopt.rules.inequality import Distribution

INEQ = np.array([541, 1463, 2445, 3438, 4437, 5401, 6392, 8304, 11904, 22261.0])
"""Incomes of the examples of R's package ineq, as open-risk/concentrationMetrics repeats them."""

JULIA = np.array([8, 5, 1, 3, 5, 6, 7, 6, 3.0])
"""Amounts of the docstrings of Julia's Inequality.jl."""

STOERMANN = np.array([10, 10, 10, 20, 50.0])
"""Amounts of the R package REAT after Stoermann (2009); its `theil` is Theil L."""


def equal(amounts: np.ndarray) -> Distribution:
    return Distribution.of(amounts, np.ones(len(amounts)))


def some(seed: int, members: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    weight = rng.uniform(1, 9, members)
    return rng.lognormal(0, 1, members) * weight, weight


@pytest.mark.parametrize(
    ("found", "published"),
    [
        (equal(INEQ).gini, 0.4620911),
        (equal(INEQ).atkinson(), 0.1796591),
        (equal(INEQ).atkinson(1.0), 0.3518251),
        # Theil L, by its definition the mean of minus the logarithm of the rates.
        (-np.log(equal(STOERMANN).rate).mean(), 0.2326302),
    ],
)
def test_published_examples_to_seven_digits(found: float, published: float) -> None:
    assert found == pytest.approx(published, abs=5e-8)


def test_the_docstrings_of_inequality_jl() -> None:
    assert equal(JULIA).gini == pytest.approx(0.2373737373737374, abs=1e-12)
    assert equal(JULIA).theil == pytest.approx(0.10494562214323544, abs=1e-12)
    assert equal(JULIA).atkinson(1.2) == pytest.approx(0.1631765870035865, abs=1e-12)


def test_three_members_by_hand() -> None:
    """Amounts 1, 2, 5 of weights 1, 1, 2: shares 1/8, 1/4, 5/8 of 1/4, 1/4, 1/2, rates 1/2, 1, 5/4."""
    measured = Distribution.of(np.array([5.0, 1.0, 2.0]), np.array([2.0, 1.0, 1.0]))
    weights, amounts = measured.lorenz()
    assert weights.tolist() == [0, 0.25, 0.5, 1]
    assert amounts.tolist() == [0, 0.125, 0.375, 1]
    # Twice the area under the line, 1/2, less that under the points: 1/64 + 1/16 + 11/32.
    assert measured.gini == pytest.approx(1 - 2 * (1 / 64 + 1 / 16 + 11 / 32))
    assert measured.hoover == 0.125
    assert measured.theil == pytest.approx(np.log(0.5) / 8 + 5 / 8 * np.log(1.25))


@pytest.mark.parametrize("seed", range(5))
def test_gini_is_the_mean_difference_of_pairs_and_twice_the_area_of_the_lorenz_points(seed: int) -> None:
    measured = Distribution.of(*some(seed))
    pairs = np.abs(measured.rate[:, None] - measured.rate) * np.outer(measured.weights, measured.weights)
    assert measured.gini == pytest.approx(pairs.sum() / 2, abs=1e-14)
    assert measured.gini == pytest.approx(1 - 2 * np.trapezoid(*measured.lorenz()[::-1]), abs=1e-14)


@pytest.mark.parametrize("seed", range(5))
def test_neither_the_split_of_a_member_nor_the_order_nor_the_units_of_measure_matter(seed: int) -> None:
    amount, weight = some(seed)
    whole, rng = Distribution.of(amount, weight), np.random.default_rng(seed)
    part, order = rng.uniform(0.1, 0.9), rng.permutation(len(amount) + 1)
    split = Distribution.of(
        *(7.5 * np.r_[own, part * own[0], (1 - part) * own[0]][1:][order] for own in (amount, weight))
    )
    for one, other in zip(measures(whole), measures(split), strict=True):
        assert one == pytest.approx(other, rel=1e-12)


def measures(of: Distribution) -> tuple[float, ...]:
    return of.gini, of.theil, of.hoover, of.atkinson(), of.atkinson(1.0), of.atkinson(2.0)


def test_equal_rates_are_zero_and_a_tonne_from_a_lower_to_a_higher_rate_raises_every_measure() -> None:
    amount, weight = some(9)
    assert measures(Distribution.of(0.97 * weight, weight)) == pytest.approx((0,) * 6, abs=1e-14)
    low, high = np.argmin(amount / weight), np.argmax(amount / weight)
    moved = amount.copy()
    moved[[low, high]] += np.array([-0.1, 0.1]) * amount[low]
    before, after = (measures(Distribution.of(own, weight)) for own in (amount, moved))
    assert all(one < other for one, other in zip(before, after, strict=True))


def test_an_amount_of_zero_counts_and_no_amounts_or_members_at_all_have_no_measure() -> None:
    """One of two equal weights has all: Gini and Hoover 1/2, Theil T ln 2, Atkinson 1/2 at aversion 1/2, 1 at 1."""
    assert measures(equal(np.array([0.0, 3.0])))[:5] == pytest.approx((0.5, np.log(2), 0.5, 0.5, 1.0))
    assert np.isnan(measures(equal(np.zeros(3)))[:5]).all()
    assert equal(np.array([3.0])).gini == 0.0
