"""Scenarios as their table states them, and the baseline of each, by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from etsopt.checking.investment.states import States, read_states
from etsopt.checking.readings.instance_inputs import InstanceInputs
from tests.checking.investment.small import UNITS, baseline_of, units_alone
from tests.checking.market.small import table

YEARS = np.array([2025, 2026, 2027])
FACTORS = ("output_factor", "balance_value_factor", "allowance_factor")


def given(rows: dict[str, list[Any]] | None, prices: Any = None) -> InstanceInputs:
    policy: Any = SimpleNamespace(market=SimpleNamespace(prices_cny_per_t=prices))
    return InstanceInputs(units=UNITS, policy=policy, scenarios=None if rows is None else pd.DataFrame(rows))


def three_states() -> States:
    """Of two sectors over two years, with a probability of a half and two of a quarter."""
    factors: Any = np.ones((3, 3, 2, 2))
    # Output, balance value and other allowances of cement and steel in the second scenario.
    factors[1] = [[[0.5, 2], [4, 1]], [[3, 5], [7, 9]], [[0.25, 0.75], [1.5, 0.125]]]
    return States(("a", "b", "c"), np.array([0.5, 0.25, 0.25]), table((10, 20), (30, 40), (50, 80)), factors)


def test_without_a_table_the_one_state_has_the_prices_of_the_policy() -> None:
    found = read_states(given(None, {"2025": 50.0, "2027": 70.0}), YEARS)
    assert found.names == ("expected",)
    assert found.probability.tolist() == [1.0]
    assert found.price.tolist() == [[50.0, 50.0, 70.0]]
    assert found.factors.tolist() == np.ones((1, 3, 2, 3)).tolist()


def test_the_mean_state_has_the_mean_of_every_number_by_probability() -> None:
    mean = three_states().mean
    assert mean.names == ("mean",)
    assert mean.probability.tolist() == [1.0]
    # 5 + 7.5 + 12.5 and 10 + 10 + 20.
    assert mean.price.tolist() == [[25.0, 40.0]]
    # Three quarters of one and a quarter of the factor of the second scenario.
    assert mean.factors[0, 0].tolist() == [[0.875, 1.25], [1.75, 1.0]]
    assert mean.factors[0, 1].tolist() == [[1.5, 2.0], [2.5, 3.0]]


def test_a_state_scales_what_is_made_and_emitted_by_the_factor_of_the_sector() -> None:
    before = baseline_of()
    found = three_states().baseline(units_alone(), before, 1)
    output = table((0.5, 2), (4, 1), (0.5, 2))
    assert found.output.tolist() == (before.output * output).tolist()
    assert found.emissions.tolist() == [[50, 160], [240, 60], [20, 80]]
    assert found.measured_output.tolist() == [[5, 20], [80, 20], [2, 8]]
    assert found.balance_value[:2].tolist() == [[24, 40], [28, 36]]
    # Lump sums fall by their own factor alone: 70 / 4, 90 * 0.75; 60 * 1.5, 50 / 8; 50 / 4, 44 * 0.75.
    assert found.given.tolist() == [[17.5, 67.5], [90.0, 6.25], [12.5, 33.0]]
    same = three_states().baseline(units_alone(), before, 0)
    assert same.given.tolist() == before.given.tolist()
    assert same.emissions.tolist() == before.emissions.tolist()


def test_allowances_that_follow_emissions_or_output_grow_with_the_output_too() -> None:
    follows = np.array([[True, False], [False, False], [False, False]])
    before = baseline_of(follows=follows, follows_output=np.array([False, True]))
    found = three_states().baseline(units_alone(), before, 1)
    # In the first year that of the first unit alone, in the second one those of all.
    assert found.given.tolist() == [[17.5 * 0.5, 67.5 * 2], [90.0, 6.25], [12.5, 33.0 * 2]]


def test_scenarios_are_read_by_name_with_probabilities_that_add_up_to_one() -> None:
    rows: dict[str, list[Any]] = {
        "scenario": ["low", "high", "high"],
        "year": [2025, 2027, 2026],
        "probability": [1.0, 3.0, 3.0],
        "price_cny_per_t": [10.0, 40.0, 30.0],
    }
    found = read_states(given(rows, 50.0), YEARS)
    assert found.names == ("high", "low")
    assert found.probability.tolist() == [0.75, 0.25]
    # Before its first year a scenario has the price of the policy, and after it that of its last row.
    assert found.price.tolist() == [[50.0, 30.0, 40.0], [10.0, 10.0, 10.0]]
    assert found.factors.tolist() == np.ones((2, 3, 2, 3)).tolist()


def test_an_empty_price_states_nothing_and_an_empty_factor_is_one() -> None:
    rows: dict[str, list[Any]] = {
        "scenario": ["s"] * 3,
        "year": [2025, 2026, 2027],
        "probability": [1.0] * 3,
        "price_cny_per_t": [10.0, np.nan, 30.0],
        "output_factor": [3.0, np.nan, 5.0],
    }
    found = read_states(given(rows), YEARS)
    assert found.price.tolist() == [[10.0, 10.0, 30.0]]
    assert found.factors[0, 0].tolist() == [[3.0, 1.0, 5.0]] * 2
    assert found.factors[0, 1:].tolist() == np.ones((2, 2, 3)).tolist()
    # Without a column of prices they are those of the policy.
    del rows["price_cny_per_t"]
    assert read_states(given(rows, 20.0), YEARS).price.tolist() == [[20.0] * 3]


@pytest.mark.parametrize("column", FACTORS)
def test_a_sector_with_rows_of_its_own_has_no_factor_of_the_others(column: str) -> None:
    rows: dict[str, list[Any]] = {
        "scenario": ["s", "s", "s"],
        "sector": ["", "steel", ""],
        "year": [2025, 2026, 2027],
        "probability": [1.0] * 3,
        "price_cny_per_t": [10.0, np.nan, 20.0],
        column: [2.0, 4.0, 3.0],
    }
    found = read_states(given(rows), YEARS)
    expected = np.ones((3, 2, 3))
    # Cement has no row of its own; steel has one, so that it has a factor of one before it.
    expected[FACTORS.index(column)] = [[2, 2, 3], [1, 4, 4]]
    assert found.factors[0].tolist() == expected.tolist()
    assert found.price.tolist() == [[10.0, 10.0, 20.0]]
