"""The balance value of a sector where sums are as small as their rounding, and what a baseline leaves out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.readings import plan, power
from etsopt.checking.readings.balance import balance_value
from etsopt.checking.readings.baseline import NO_BALANCE, _kept, derive_baseline
from etsopt.checking.readings.instance_inputs import InstanceInputs
from tests.checking.market.small import baseline_of, table
from tests.checking.readings.test_baseline import ALLOCATION, UNITS, instance

UNIT = 2.0**-52
"""Unit in the last place of one, in which these tests measure how much more one of two units emits."""


def surplus_balances(more: int, cap: float) -> bool:
    """Return True if a unit at its surplus and one at its deficit count as balanced, so that an interval is left.

    Their intensities are 0.5 and 1.5 and the slope is four times the cap, so the interval is from 2/3 to 1.2.
    """
    emissions = np.array([1 + more / 2 * UNIT, 1 - more / 2 * UNIT])
    value = balance_value(emissions, np.array([0.5, 1.5]), 4 * cap, cap)
    middle = (0.5 / 0.75 + 1.5 / 1.25) / 2
    # A surplus moves the value down to where it vanishes, and a deficit up.
    edge = 0.5 / 0.75 if more > 0 else 1.5 / 1.25
    assert value == pytest.approx(middle, rel=1e-9) or value == pytest.approx(edge, rel=1e-9)
    return bool(abs(value - middle) < 1e-9)


def test_a_sum_counts_as_zero_up_to_its_rounding() -> None:
    """Of terms up to a cap of one 40 units may be lost of each of two, of smaller caps the least is 2^-50 of both.

    A surplus of exactly this much is none, but a deficit is one.
    """
    for most, cap in ((80, 1.0), (8 * 32, 1 / 32)):
        assert [surplus_balances(more, cap) for more in (most, most + 2)] == [True, False]
        assert [surplus_balances(-more, cap) for more in (most - 2, most)] == [True, False]


def test_units_between_their_caps_give_the_last_digits() -> None:
    """A unit of one tonne decides between two of a billion at their caps, whose sum hides it."""
    emissions, intensity = np.array([1e12, 1.0, 1e12]), np.array([0.5, 1.0, 1.5])
    assert balance_value(emissions, intensity, 0.15, 0.03) == pytest.approx(1.0, rel=1e-12)


def test_every_unit_may_be_between_its_caps_however_wide_these_are() -> None:
    emissions, intensity = np.array([1.0, 3.0]), np.array([0.25, 2.0])
    for cap in (1.0, 100.0):
        assert balance_value(emissions, intensity, 0.1, cap) == pytest.approx(6.25 / 4, rel=1e-14)
    assert balance_value(np.array([2.0, 5.0]), np.full(2, 0.75), 0.15, 0.03) == 0.75
    assert NO_BALANCE == 1e-300


def test_the_share_of_emissions_that_is_held_is_one_where_nothing_is() -> None:
    emissions = table((0, 0.25, 6), (0, 0.25, 2), (5, 5, 5))
    held = table((3, 0.25, 2), (np.nan, 4, 10))
    kept = _kept(np.array([0, 0, 1]), emissions, held)
    assert kept.tolist() == [[1, 0.5, 0.25], [1, 0.5, 0.25], [1, 0.8, 2]]


def test_allowances_of_a_plan_are_given_by_output_and_without_a_rule_ask_for_no_balance_value() -> None:
    never = np.zeros((3, 2), dtype=bool)
    found = baseline_of(follows=never, follows_output=np.array([True, False]), balance_value=np.zeros((3, 2)))
    one, tonnes = np.array([1]), np.array([200.0])
    assert found.free(one, 0, tonnes, np.ones(1), np.array([0.5])).tolist() == [172.5 / 2]
    assert found.free(one, 1, tonnes, np.ones(1), np.array([0.5])).tolist() == [220 * 0.875]
    some = baseline_of(follows=np.array([[False, True], [False, False], [False, False]]))
    both = some.free(np.array([0, 1]), 1, np.array([60.0, 100.0]), np.ones(2))
    assert both == pytest.approx([60 * 1.1 * 0.875, 220 * 0.875])


def test_in_sum_allowances_are_free_and_output_in_tonnes_is_that_of_units_that_state_it() -> None:
    found = baseline_of(in_tonnes=np.array([True, False, True]))
    assert found.output_t.tolist() == [[100, 110], [0, 0], [40, 0]]
    assert (found.in_sum, found.balanced_in_sum.in_sum) == (False, True)
    assert found.free_share.tolist() == [0.75, 0.875]
    assert found.balanced_in_sum.free_share.tolist() == [1.0, 1.0]


def test_a_unit_that_is_never_in_scope_or_states_no_output_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    units = UNITS.assign(
        output_t=[100_000.0, np.nan, 30_000.0, 40_000.0], sector=["cement", "power", "steel", "cement"]
    )
    units = units.assign(generation_mwh=np.nan, unit_class="I")
    made = instance(pathway={"self_balancing_until": 2024}, forecast=None)
    changed = type(made)(**(vars(made) | {"units": units}))
    inside = np.array([[True] * 3, [True] * 3, [False] * 3, [False, True, True]])
    monkeypatch.setattr(plan, "inside_in", lambda *_: inside)
    found = derive_baseline(InstanceInputs.of(changed), ALLOCATION)
    assert found.base_output.tolist() == [100_000, 0, 0, 40_000]
    assert found.in_tonnes.tolist() == [True, False, True, True]


def test_a_line_of_half_a_tonne_keeps_the_ratio_of_its_allowance() -> None:
    units = UNITS.assign(
        emissions_tco2e=[0.5, 126_000.0, 60_000.0, 30_000.0], output_t=[0.625, 140_000.0, 30_000.0, 40_000.0]
    )
    content: dict[str, Any] = {"year": 2025, "rule": {"name": "given"}, "pathway": {"self_balancing_until": 2024}}
    made = etsopt.Instance.from_frames(units, content | {"horizon": {"first_year": 2025, "last_year": 2025}})
    allowances = pd.DataFrame({"allowance_t": [0.25, 120_000.0, 60_000.0, 30_000.0]})
    assert derive_baseline(InstanceInputs.of(made), allowances).given[0].tolist() == [0.25]


def test_the_national_rule_balances_from_2025_on() -> None:
    made = instance("cn", year=2024, horizon={"first_year": 2024, "last_year": 2026}, forecast=None)
    found = derive_baseline(InstanceInputs.of(made), None)
    assert np.isnan(found.balance_value[0]).tolist() == [True, False, False]
    assert found.slope.tolist() == [0.15] * 3


def test_allowances_follow_output_before_the_cap_of_a_path_and_in_every_year_of_a_market() -> None:
    path = {"phase_2_from": 2026, "cap_from": 2027, "cap_change": 0.0, "self_balancing_until": 2024}
    made = instance("cn-2025", pathway=path, forecast=None)
    assert derive_baseline(InstanceInputs.of(made), None).follows_output.tolist() == [True, True, False]
    assert derive_baseline(InstanceInputs.of(made), ALLOCATION).follows_output.tolist() == [True, True, True]


def test_power_is_given_by_the_benchmarks_of_the_year_in_whole_tonnes() -> None:
    """One unit of power of three; its benchmark does not change, and its output grows by half in 2026."""
    units = UNITS.iloc[:3].assign(sector=["power", "cement", "steel"], unit_class=["II", None, None])
    units = units.assign(output_t=[np.nan, 140_000.0, 30_000.0], generation_mwh=[100_000.0, np.nan, np.nan])
    units = units.assign(load_factor=[0.9, np.nan, np.nan])
    content: dict[str, Any] = {"year": 2025, "rule": {"name": "cn"}, "horizon": {"first_year": 2025, "last_year": 2026}}
    rows = {"unit_id": ["a"], "year": [2026], "output_factor": [1.5], "intensity_factor": [1.0]}
    made = etsopt.Instance.from_frames(units, content, forecast=pd.DataFrame(rows))
    found = derive_baseline(InstanceInputs.of(made), None)
    rate = power.ELECTRICITY[max(power.ELECTRICITY)]["II"]
    assert found.given[0] == pytest.approx([np.floor(1e5 * rate), np.floor(1.5e5 * rate)], rel=0.05)
    assert (found.given[0] == np.floor(found.given[0])).all()
    assert found.given[1:, 0].tolist() == found.emissions[1:, 0].tolist()
