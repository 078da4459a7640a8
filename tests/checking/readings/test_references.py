"""References of the rules that are no plan of China's system, by hand, in the year of the tables and in later ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.checking.readings.references import by_year, outside_plans
from etsopt.checking.readings.targets import due_if_fixed
from tests.builders import given as given_units

UNITS = pd.DataFrame(
    {
        "unit_id": ["a", "b"],
        "enterprise_id": ["p", "q"],
        "sector": ["cement", "steel"],
        "province": ["Anhui", "Hebei"],
        "output_t": [100_001.0, 20_000.0],
        "emissions_tco2e": [85_000.0, 40_000.0],
        "prior_emissions_tco2e": [84_000.0, 41_000.0],
        "reference_t": [80_000.0, 39_000.0],
    }
)
FORECAST = pd.DataFrame(
    {"unit_id": ["a", "a"], "year": [2026, 2027], "output_factor": [1.5, 2.0], "intensity_factor": [0.5, 0.25]}
)
YEARS = np.array([2025, 2026, 2027])


def given(rule: dict[str, Any], forecast: pd.DataFrame | None = FORECAST) -> InstanceInputs:
    policy = {"year": 2025, "rule": rule, "horizon": {"last_year": 2027}}
    units = UNITS if rule["name"] == "given" else UNITS.drop(columns="reference_t")
    return InstanceInputs.of(etsopt.Instance.from_frames(units, policy, forecast=forecast))


def test_a_benchmark_counts_the_output_of_each_year_and_rounds_down() -> None:
    own = given({"name": "benchmark", "benchmarks": {"cement": 0.86, "steel": 2.0}})
    # 0.86 of 100,001 t are 86,000.86 t; one and a half times as much 129,001.29 t, and twice 172,001.72 t.
    assert outside_plans(own) == pytest.approx([86_000.86, 40_000.0])
    yearly = by_year(own, YEARS)
    assert yearly is not None
    assert yearly.tolist() == [[86_000, 129_001, 172_001], [40_000] * 3]


def test_grandfathering_counts_the_emissions_of_the_year_before() -> None:
    own = given({"name": "grandfathering", "factor": 0.9})
    assert outside_plans(own) == pytest.approx([75_600.0, 36_900.0])
    yearly = by_year(own, YEARS)
    assert yearly is not None
    # Those stated for 2024, those of 2025, and those of 2026: one and a half times the output at half the intensity.
    assert yearly.tolist() == [[75_600, 76_500, np.floor(0.9 * 85_000 * 0.75)], [36_900, 36_000, 36_000]]
    assert outside_plans(given({"name": "grandfathering"})) == pytest.approx([84_000.0, 41_000.0])


def test_stated_references_are_those_of_the_forecast_where_it_has_some() -> None:
    assert by_year(given({"name": "given"}), YEARS) is None
    assert by_year(given({"name": "given"}, None), YEARS) is None
    stated = FORECAST.assign(reference_t=[70_000.0, np.nan])
    own = given({"name": "given"}, stated)
    assert outside_plans(own).tolist() == [80_000.0, 39_000.0]
    yearly = by_year(own, YEARS)
    assert yearly is not None
    np.testing.assert_array_equal(yearly, [[80_000, 70_000, np.nan], [39_000, np.nan, np.nan]])


def test_at_rest_a_unit_without_emissions_gets_what_its_rule_entitles_it_to() -> None:
    rows = [("a", "a", "cement", "p", 1000.0, 900.0), ("b", "b", "cement", "p", 0.0, 40.5)]
    instance = given_units(rows, {})
    assert due_if_fixed(InstanceInputs.of(instance)).tolist() == [1000.0, 40.5]
    whole = instance.with_policy({"allocation.integer_allowances": True})
    assert due_if_fixed(InstanceInputs.of(whole)).tolist() == [1000.0, 40.0]
