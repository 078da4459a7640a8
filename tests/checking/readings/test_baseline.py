"""What lies before every unit in every year, by hand: emissions, allowances, balance values and the path."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.readings.balance import balance_value
from etsopt.checking.readings.baseline import Baseline, Held, derive_baseline
from etsopt.checking.readings.instance_inputs import InstanceInputs
from tests.checking.market.small import baseline_of

UNITS = pd.DataFrame(
    {
        "unit_id": ["a", "b", "c", "d"],
        "enterprise_id": ["a", "b", "c", "d"],
        "sector": ["cement", "cement", "steel", "cement"],
        "province": "Hebei",
        "emissions_tco2e": [80_000.0, 126_000.0, 60_000.0, 30_000.0],
        "output_t": [100_000.0, 140_000.0, 30_000.0, 40_000.0],
        "special_case": ["", "", "", "new"],
    }
)
FORECAST = pd.DataFrame({"sector": ["cement"], "year": [2026], "output_factor": [0.5], "intensity_factor": [0.75]})


def instance(rule: str = "cn-2025", forecast: pd.DataFrame | None = FORECAST, **policy: Any) -> etsopt.Instance:
    horizon = {"first_year": 2025, "last_year": 2027, "discount_rate": 0.25}
    content = {"year": 2025, "rule": {"name": rule}, "horizon": horizon} | policy
    return etsopt.Instance.from_frames(UNITS, content, forecast=forecast)


ALLOCATION = pd.DataFrame({"allowance_t": [81_000.0, 120_000.0, 60_000.0, 0.0]})


def test_allowances_keep_their_ratio_to_emissions() -> None:
    never = {"self_balancing_until": 2024}
    found = derive_baseline(
        InstanceInputs.of(instance(market={"paid_share": {"2026": 0.1}}, pathway=never)), ALLOCATION
    )
    assert found.years.tolist() == [2025, 2026, 2027]
    assert found.discount == pytest.approx([1.0, 0.8, 0.64])
    factor = np.array([1.0, 0.375, 0.375])
    emissions = [80_000 * factor, 126_000 * factor, [60_000.0] * 3, [0.0, 11_250.0, 11_250.0]]
    assert found.emissions == pytest.approx(np.array(emissions))
    given = [81_000 * factor, 120_000 * factor, [60_000.0] * 3, [0.0, 11_250.0, 11_250.0]]
    assert found.given == pytest.approx(np.array(given))
    assert found.paid_share.tolist() == [0.0, 0.1, 0.1]
    output = np.array([1.0, 0.5, 0.5])
    assert found.output == pytest.approx(
        np.array([100_000 * output, 140_000 * output, [30_000.0] * 3, [0, 20_000, 20_000]])
    )
    assert found.measured_output[3] == pytest.approx([40_000, 20_000, 20_000])
    assert found.base_output.tolist() == [100_000, 140_000, 30_000, 40_000]
    assert found.intensity[0] == pytest.approx([0.8, 0.6, 0.6])
    assert not found.follows.any()
    assert (found.slope.tolist(), found.cap.tolist()) == ([0.0] * 3, [0.0] * 3)
    assert np.isnan(found.balance_value).all()


def test_a_sector_that_an_allocation_gives_its_emissions_balances_itself_until_2026() -> None:
    found = derive_baseline(InstanceInputs.of(instance()), ALLOCATION)
    # The units of cement get 5,000 t less than they emit, the mill of steel its emissions.
    assert found.follows.tolist() == [[False] * 3] * 2 + [[True, True, False]] + [[False] * 3]
    near = derive_baseline(
        InstanceInputs.of(instance()), ALLOCATION.assign(allowance_t=[80_000.0, 125_997.0, 60_000.0, 0.0])
    )
    assert near.follows.tolist() == [[True, True, False]] * 4
    far = derive_baseline(
        InstanceInputs.of(instance()), ALLOCATION.assign(allowance_t=[80_000.0, 125_996.5, 60_000.0, 0.0])
    )
    assert not far.follows[[0, 1, 3]].any()


def test_what_is_held_replaces_balance_values_and_decides_what_a_paid_share_offers() -> None:
    values, emissions = np.full((2, 3), np.nan), np.full((2, 3), np.nan)
    values[0, 0], emissions[0, 0] = 0.75, 103_000.0
    held = Held(values, emissions)
    path = instance(pathway={"tightening": 0.1}, forecast=None)
    found, before = derive_baseline(InstanceInputs.of(path), None, held), derive_baseline(InstanceInputs.of(path), None)
    assert found.balance_value[:2, 0].tolist() == [0.75, 0.75]
    # The path goes on from the balance value before abatement, and has no paid share in phase 1.
    assert found.balance_value[:2, 1:].tolist() == before.balance_value[:2, 1:].tolist()
    assert found.given.tolist() == before.given.tolist()
    one_year = {"self_balancing_until": 2025}
    paid = derive_baseline(
        InstanceInputs.of(instance(forecast=None, market={"paid_share": 0.1}, pathway=one_year)), ALLOCATION, held
    )
    # Half of the 206,000 t is left, and shared by emissions before abatement.
    assert paid.given[:2, 0] == pytest.approx([40_000.0, 63_000.0])
    free = derive_baseline(InstanceInputs.of(instance(forecast=None, pathway=one_year)), ALLOCATION, held)
    assert free.given[:2, 0].tolist() == [80_000.0, 126_000.0]


def test_in_sum_plans_get_what_they_emit() -> None:
    found = derive_baseline(
        InstanceInputs.of(instance(pathway={"self_balancing_until": 2025})), ALLOCATION
    ).balanced_in_sum
    one, emissions = np.array([0]), np.array([50_000.0])
    assert found.free(one, 0, emissions, np.array([0.8])).tolist() == [50_000.0]
    assert found.given[:, 0].tolist() == [0.0] * 4
    assert found.free(one, 1, emissions, np.array([0.8])) == pytest.approx([81_000 * 0.375])


def test_years_in_which_allowances_follow_emissions_have_the_rule() -> None:
    found = derive_baseline(InstanceInputs.of(instance(pathway={"self_balancing_until": 2026})), ALLOCATION)
    assert found.follows.tolist() == [[True, True, False]] * 4
    assert (found.slope.tolist(), found.cap.tolist()) == ([0.15] * 3, [0.03] * 3)
    for year in range(3):
        here = [0, 1]
        known = balance_value(found.emissions[here, year], found.intensity[here, year], 0.15, 0.03)
        assert found.balance_value[here, year].tolist() == [known, known]
        assert found.balance_value[2, year] == found.intensity[2, year]
    assert np.isnan(found.balance_value[3, 0])


def excess(value: float, emissions: np.ndarray, intensity: np.ndarray, slope: float, cap: float) -> float:
    return float((emissions * np.clip(slope * (1 - intensity / value), -cap, cap)).sum())


@pytest.mark.parametrize("seed", range(6))
def test_at_its_balance_value_a_sector_balances(seed: int) -> None:
    random = np.random.default_rng(seed)
    emissions, intensity = random.uniform(1e4, 1e6, 12), random.uniform(0.6, 1.2, 12)
    for slope, cap in ((0.15, 0.03), (0.5, 0.03), (0.1, 0.2), (1.0, 1.5)):
        value = balance_value(emissions, intensity, slope, cap)
        assert abs(excess(value, emissions, intensity, slope, cap)) <= 1e-13 * emissions.sum()


def test_the_balance_value_is_the_middle_of_its_interval() -> None:
    """Below 0.9 / 0.8 one unit has its surplus of 3 %, and above 1.1 / 1.2 the other its deficit."""
    emissions, intensity = np.array([100.0, 100.0]), np.array([0.6, 1.2])
    value = balance_value(emissions, intensity, 0.15, 0.03)
    assert value == pytest.approx((0.6 / 0.8 + 1.2 / 1.2) / 2, rel=1e-12)
    three = balance_value(np.array([100.0, 60.0, 40.0]), np.array([0.6, 1.2, 1.3]), 0.15, 0.03)
    assert three == pytest.approx((0.6 / 0.8 + 1.2 / 1.2) / 2, rel=1e-12)
    alone = balance_value(np.array([5.0]), np.array([0.7]), 0.15, 0.03)
    assert alone == pytest.approx(0.7, rel=1e-15)
    # With one unit at its cap the others make up for it: 4.5 t of them at the slope.
    one = balance_value(np.array([300.0, 100.0, 100.0]), np.array([1.0, 1.1, 3.0]), 0.15, 0.03)
    inner = np.array([300.0, 100.0])
    known = 0.15 * (inner * [1.0, 1.1]).sum() / (0.15 * inner.sum() - 0.03 * 100)
    assert one == pytest.approx(known, rel=1e-13)


def test_a_path_begins_with_the_rule_and_goes_on_with_its_own() -> None:
    pathway = {
        "phase_2_from": 2026,
        "tightening": {"2026": 0.1, "2027": 0.2},
        "slope": {"2027": 0.3},
        "band": {"2027": 0.06},
        "paid_share": {"2026": 0.1},
    }
    made = instance(pathway=pathway | {"self_balancing_until": 2027}, forecast=None)
    found = derive_baseline(InstanceInputs.of(made), None)
    first = balance_value(found.emissions[:2, 0], found.intensity[:2, 0], 0.15, 0.03)
    assert found.balance_value[0] == pytest.approx([first, first * 0.9, first * 0.9 * 0.8])
    assert found.slope.tolist() == [0.15, 0.15, 0.3]
    assert found.cap.tolist() == [0.03, 0.03, 0.06]
    assert found.paid_share.tolist() == [0.0, 0.1, 0.1]
    assert found.follows.tolist() == [[True, False, False]] * 4
    # In the first year a sector gets its emissions, and later what the rule gives.
    assert found.given[:, 0].tolist() == found.emissions[:, 0].tolist()
    for unit in range(2):
        for year in (1, 2):
            wanted = found.slope[year] * (1 - found.intensity[unit, year] / found.balance_value[unit, year])
            rate = np.clip(wanted, -found.cap[year], found.cap[year])
            assert found.given[unit, year] == pytest.approx(found.emissions[unit, year] * (1 + rate))
    assert found.given[3, 1] == found.emissions[3, 1]
    early = derive_baseline(
        InstanceInputs.of(instance(pathway=pathway | {"phase_2_from": 2025, "tightening": 0.1}, forecast=None)), None
    )
    assert early.balance_value[0] == pytest.approx([first * 0.9, first * 0.81, first * 0.729])
    assert early.paid_share.tolist() == [0.0, 0.1, 0.1]


def test_a_cap_cuts_what_would_exceed_it_from_the_last_free_year_on() -> None:
    pathway: dict[str, Any] = {"phase_2_from": 2026, "tightening": 0.0, "cap_from": 2026, "cap_change": -0.1}
    capped = derive_baseline(InstanceInputs.of(instance(pathway=pathway, forecast=None)), None).given.sum(axis=0)
    free = derive_baseline(
        InstanceInputs.of(instance(pathway=pathway | {"cap_from": 2029}, forecast=None)), None
    ).given.sum(axis=0)
    assert capped[0] == free[0]
    assert capped[1:] == pytest.approx([0.9 * free[0], 0.81 * free[0]])
    assert (free[1:] > capped[1:]).all()
    wide = derive_baseline(
        InstanceInputs.of(instance(pathway=pathway | {"cap_change": 0.5}, forecast=None)), None
    ).given.sum(axis=0)
    assert wide == pytest.approx(free)
    later = derive_baseline(
        InstanceInputs.of(instance(pathway=pathway | {"cap_from": 2027}, forecast=None)), None
    ).given.sum(axis=0)
    assert later.tolist()[:2] == free.tolist()[:2]
    assert later[2] == pytest.approx(0.9 * free[1])


def test_free_allowances_follow_emissions_or_are_a_lump() -> None:
    found: Baseline = baseline_of()
    units, emissions = np.array([1, 0]), np.array([[200.0, 150.0], [80.0, 60.0]])
    kept = np.array([[1.0, 0.5], [1.0, 0.9]])
    assert found.free(units, 0, emissions, kept).tolist() == [[172.5] * 2, [52.5] * 2]
    second = found.free(units, 1, emissions, kept)
    rates = [[-0.1, 0.2], [0.1, 0.5 * (1 - 0.72)]]
    assert second == pytest.approx(emissions * (1 + np.array(rates)) * 0.875)
    assert found.free(np.array([2]), 1, np.array([7.0]), np.array([1.0])).tolist() == [7 * 0.875]
    other = baseline_of(balance_value=np.full((3, 2), 0.75))
    known = 60 * (1 + 0.5 * (1 - 0.8 * 0.9 / 0.75)) * 0.875
    assert other.free(np.array([0]), 1, np.array([60.0]), np.array([0.9])) == pytest.approx([known])


def test_of_another_rule_allowances_that_follow_emissions_are_emissions() -> None:
    found = derive_baseline(
        InstanceInputs.of(instance("cn-2024", year=2024, pathway={"self_balancing_until": 2026})), ALLOCATION
    )
    assert (found.slope.tolist(), found.cap.tolist()) == ([0.0] * 3, [0.0] * 3)
    assert np.isnan(found.balance_value).all()
