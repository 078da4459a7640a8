"""The balance value: the plan's example, the flat case by hand, and its properties on seeded random sectors."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from etsopt.common.units import whole_tonnes
from etsopt.rules.balance import BalanceValue, balance_value, surplus_rates

SLOPE, CAP = 0.15, 0.03
Sector = tuple[NDArray[np.float64], NDArray[np.float64]]


def excess(emissions: NDArray[np.float64], intensity: NDArray[np.float64], value: float) -> float:
    """Sum of E alpha, exactly rounded [t]."""
    return math.fsum(emissions * surplus_rates(intensity, value, SLOPE, CAP))


def random_sector(seed: int) -> Sector:
    """Up to 60 units; some sectors narrow, some so wide that most units stand at the cap; equal intensities occur."""
    random = np.random.default_rng(seed)
    units = int(random.integers(1, 61))
    spread = random.choice([0.01, 0.06, 0.3, 1.0])
    intensity = 0.83 * np.exp(spread * random.normal(size=units))
    return np.round(10 ** random.uniform(4, 8, units)), np.round(intensity, int(random.choice([1, 2, 4, 12]))) + 0.05


@st.composite
def sectors(draw: st.DrawFn) -> Sector:
    """Few values of emissions and intensity, so that ties are frequent and so are intervals of balance values."""
    intensity = st.sampled_from([0.5, 0.51, 0.8, 1.0, 1.5, 2.0, 3.0])
    rows = draw(st.lists(st.tuples(st.integers(1, 6), intensity), min_size=1, max_size=8))
    emissions, intensities = np.array(rows, dtype=float).T
    return emissions, intensities


def by_bisection(emissions: NDArray[np.float64], intensity: NDArray[np.float64], sign: int) -> float:
    """The least balance value where `sign` is 1, the greatest where it is -1; excess never falls as the value grows."""
    total = math.fsum(emissions)
    low, high = float(intensity.min()) / 2, float(intensity.max()) * 2
    for _ in range(100):
        middle = 0.5 * (low + high)
        # A sum this small is zero but for rounding.
        now = excess(emissions, intensity, middle) / total
        now = 0.0 if abs(now) < 1e-15 else now
        if now > 0 or (now == 0 and sign > 0):
            high = middle
        else:
            low = middle
    return 0.5 * (low + high)


def test_the_five_lines_of_the_plan_get_their_allowances_to_the_tonne() -> None:
    # Output 1.0, 1.2, 0.8, 1.5 and 0.5 Mt. Only line 5 stands at the cap, so with E in kt the value solves
    # 0.15 (sum of E - sum of E I / BP) = 0.03 x 540 over lines 1 to 4. There sum of E is 3726 and sum of E I is
    # 0.78 x 780 + 0.82 x 984 + 0.84 x 672 + 0.86 x 1290 = 3089.16: BP = 0.15 x 3089.16 / (0.15 x 3726 - 16.2).
    emissions = np.array([780_000.0, 984_000.0, 672_000.0, 1_290_000.0, 540_000.0])
    intensity = np.array([0.78, 0.82, 0.84, 0.86, 1.08])
    found = balance_value(emissions, intensity, SLOPE, CAP)
    assert round(found.value, 6) == 0.853831
    assert found.value == pytest.approx(0.15 * 3089.16 / (0.15 * 3726 - 16.2), rel=1e-15)
    assert found.lower == found.value == found.upper
    rates = surplus_rates(intensity, found.value, SLOPE, CAP)
    assert np.round(100 * rates, 4).tolist() == [1.2971, 0.5943, 0.2430, -0.1084, -3.0]
    allowances = whole_tonnes(emissions * (1 + rates))
    assert allowances.tolist() == [790_117.0, 989_848.0, 673_632.0, 1_288_601.0, 523_800.0]
    assert allowances.sum() - emissions.sum() == -2


def test_the_steel_enterprise_of_the_plan_gets_its_allowances_to_the_tonne() -> None:
    # Iron 5 Mt, ironmaking 3.3 Mt, sintering 1.1 Mt: I = 0.88. The rate stands on all 10.5 Mt of the enterprise.
    rates = surplus_rates(np.array([(3.3e6 + 1.1e6) / 5e6]), 0.92, SLOPE, CAP)
    assert rates[0] == pytest.approx(0.0065217, abs=5e-8)
    assert whole_tonnes(10_500_000 * (1 + rates)).tolist() == [10_568_478.0]


def test_a_unit_alone_is_its_own_balance() -> None:
    found = balance_value(np.array([123_457.0]), np.array([0.8731]), SLOPE, CAP)
    assert found.value == pytest.approx(0.8731, rel=1e-15)
    assert found.lower == found.value == found.upper


def test_without_clipping_the_value_is_the_mean_intensity_by_emissions() -> None:
    # (1 x 0.80 + 3 x 0.88) / 4 = 0.86, and both stand within 20 % of it.
    found = balance_value(np.array([1e6, 3e6]), np.array([0.80, 0.88]), SLOPE, CAP)
    assert found.value == pytest.approx(0.86, rel=1e-15)


def test_where_every_unit_stands_at_the_cap_the_interval_is_reported_with_its_midpoint() -> None:
    # Equal emissions, one far below and one far above. The clean one is at the cap from (B - 1)/B = 0.2, B = 1.25;
    # the dirty one until (B - 2)/B = -0.2, B = 5/3. The midpoint is that of B, 35/24, not of 1/B.
    found = balance_value(np.array([5.0, 5.0]), np.array([1.0, 2.0]), SLOPE, CAP)
    assert found.lower == pytest.approx(1.25, rel=1e-15)
    assert found.upper == pytest.approx(5 / 3, rel=1e-15)
    assert found.value == pytest.approx(35 / 24, rel=1e-15)
    for value in (found.lower, found.value, found.upper):
        assert excess(np.array([5.0, 5.0]), np.array([1.0, 2.0]), value) == pytest.approx(0, abs=1e-15)


def test_next_to_a_flat_interval_the_value_is_one_point() -> None:
    # A tonne more at the clean unit: it leaves the cap where 6 x 0.15 (1 - 1/B) = 5 x 0.03, so B = 6/5 = 1.2.
    assert balance_value(np.array([6.0, 5.0]), np.array([1.0, 2.0]), SLOPE, CAP).value == pytest.approx(1.2, rel=1e-15)


def test_a_cap_above_the_slope_clips_only_deficits() -> None:
    # With the cap at 0.3 a surplus rate of 0.15 (1 - I/B) never reaches it, and a deficit does from I = 3 B on.
    # 9 x 0.15 (1 - 1/B) = 1 x 0.3 at B = 9/7; there the dirty unit's I = 10 is beyond 3 B = 27/7.
    found = balance_value(np.array([9.0, 1.0]), np.array([1.0, 10.0]), SLOPE, 0.3)
    assert found.value == pytest.approx(9 / 7, rel=1e-15)


@pytest.mark.parametrize("seed", range(120))
def test_surpluses_and_deficits_balance_between_the_extreme_intensities(seed: int) -> None:
    emissions, intensity = random_sector(seed)
    found = balance_value(emissions, intensity, SLOPE, CAP)
    assert abs(excess(emissions, intensity, found.value)) <= 1e-12 * emissions.sum()
    assert found.lower <= found.value <= found.upper
    assert intensity.min() * (1 - 1e-12) <= found.value <= intensity.max() * (1 + 1e-12)
    assert intensity.min() / 1.2 <= found.lower
    assert found.upper <= intensity.max() / 0.8


@given(sectors())
def test_surpluses_and_deficits_balance_where_ties_are_frequent(sector: Sector) -> None:
    emissions, intensity = sector
    found = balance_value(emissions, intensity, SLOPE, CAP)
    for value in (found.lower, found.value, found.upper):
        assert abs(excess(emissions, intensity, value)) <= 1e-12 * emissions.sum()


@given(sectors())
def test_bisection_finds_the_same_interval(sector: Sector) -> None:
    emissions, intensity = sector
    found = balance_value(emissions, intensity, SLOPE, CAP)
    assert by_bisection(emissions, intensity, 1) == pytest.approx(found.lower, rel=1e-9)
    assert by_bisection(emissions, intensity, -1) == pytest.approx(found.upper, rel=1e-9)


@pytest.mark.parametrize("seed", range(40))
def test_the_order_of_the_units_does_not_matter(seed: int) -> None:
    emissions, intensity = random_sector(seed)
    order = np.random.default_rng(seed).permutation(len(emissions))
    assert balance_value(emissions[order], intensity[order], SLOPE, CAP) == balance_value(
        emissions, intensity, SLOPE, CAP
    )


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("factor", [2.0**-20, 0.001, 3.0, 1e6])
def test_the_scale_of_the_emissions_does_not_matter(seed: int, factor: float) -> None:
    emissions, intensity = random_sector(seed)
    found = balance_value(emissions, intensity, SLOPE, CAP)
    scaled = balance_value(factor * emissions, intensity, SLOPE, CAP)
    assert scaled.value == pytest.approx(found.value, rel=1e-12)


@example((np.array([1.0, 5.0, 6.0]), np.array([0.5, 0.5, 1.5])), 0.1)
@given(sectors(), st.sampled_from([0.1, 0.001, 1 / 3]))
def test_emissions_that_are_no_whole_tonnes_leave_the_interval_as_it_is(sector: Sector, factor: float) -> None:
    emissions, intensity = sector
    found = balance_value(emissions, intensity, SLOPE, CAP)
    scaled = balance_value(factor * emissions, intensity, SLOPE, CAP)
    assert scaled.lower == pytest.approx(found.lower, rel=1e-12)
    assert scaled.upper == pytest.approx(found.upper, rel=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_the_value_scales_with_the_intensities(seed: int) -> None:
    emissions, intensity = random_sector(seed)
    found = balance_value(emissions, intensity, SLOPE, CAP)
    doubled = balance_value(emissions, 2 * intensity, SLOPE, CAP)
    assert doubled == BalanceValue(2 * found.value, 2 * found.lower, 2 * found.upper)


@pytest.mark.parametrize("seed", range(20))
def test_a_dirtier_unit_never_lowers_the_value(seed: int) -> None:
    emissions, intensity = random_sector(seed)
    dirtier = intensity.copy()
    dirtier[0] *= 1.1
    before = balance_value(emissions, intensity, SLOPE, CAP)
    after = balance_value(emissions, dirtier, SLOPE, CAP)
    assert after.lower >= before.lower * (1 - 1e-12)
    assert after.upper >= before.upper * (1 - 1e-12)
