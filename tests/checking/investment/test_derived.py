"""What an investment takes as given: scenarios, baselines, budgets, and the investment of each measure."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from etsopt.checking.investment.derived import Derived, _capital, derive
from etsopt.checking.readings.instance_inputs import InstanceInputs
from tests.checking.investment.small import choices_of, units_alone
from tests.investments import LOW_AND_HIGH, with_scenarios
from tests.markets import market

ALLOCATION = pd.DataFrame({"allowance_t": [900.0, 400.0, 50.0]})
MEASURES: list[dict[str, object]] = [
    {"measure_id": "a", "sector": "cement", "capex_cny_per_t": 5.0, "largest_new_share_a_year": 0.25},
    # Of its own the first unit is offered the same measure at another price, and in one step.
    {"measure_id": "b", "unit_id": "u0", "capex_cny_per_t": 7.0, "maximum_share": 1.0, "requires": "a"},
    {"measure_id": "b", "sector": "cement", "capex_cny_per_t": 8.0},
    # It earns more than it costs.
    {"measure_id": "c", "sector": "steel", "capex_cny_per_t": 9.0, "variable_opex_cny_per_t": -99.0},
]
SHARED: dict[str, object] = {"abatement_rate": 0.1, "maximum_share": 0.5, "lifetime_years": 4, "cost_change_rate": -0.5}


@cache
def given(no_regret: str = "include") -> InstanceInputs:
    units: dict[str, Any] = {
        "emissions_tco2e": [1000.0, 500.0, 60.0],
        "reference_t": [900.0, 400.0, 50.0],
        "output_t": [100.0, 200.0, 40.0],
        "sector": ["cement", "cement", "steel"],
        "enterprise_id": ["e", "f", "g"],
    }
    made = market(
        units,
        [SHARED | {"requires": "", "sector": "", "unit_id": ""} | measure for measure in MEASURES],
        horizon={"last_year": 2027, "discount_rate": 0.0},
        abatement={"no_regret": no_regret},
        investment={"cvar_level": 0.75, "cvar_weight": 0.5},
    )
    return InstanceInputs.of(
        with_scenarios(made, LOW_AND_HIGH.assign(output_factor=[0.5, 1.5], probability=[0.75, 0.25]))
    )


@cache
def derived() -> Derived:
    return derive(given(), ALLOCATION)


def budgets(stated: Any) -> list[float]:
    """The budget of each enterprise under this one of the policy, of an instance without measures."""
    own = given().policy.investment.model_copy(update={"budget_cny": stated})
    policy = given().policy.model_copy(update={"investment": own})
    return derive(replace(given(), policy=policy, measures=None), ALLOCATION).budget.tolist()


def test_the_baselines_are_those_of_every_scenario_and_last_of_their_mean() -> None:
    found = derived()
    assert found.states.names == ("high", "low")
    assert [baseline.emissions[0].tolist() for baseline in found.baselines] == [[1500] * 3, [500] * 3, [750] * 3]
    assert found.before.emissions[0].tolist() == [1000] * 3
    assert (found.objective.tail, found.objective.weight) == (0.25, 0.5)
    assert found.objective.probability.tolist() == [0.25, 0.75]


def test_the_investment_of_a_slot_is_that_of_its_step_in_its_first_year() -> None:
    found = derived()
    # Two steps of a half each, of which the second waits a year and what requires it as well; costs fall by a half.
    assert found.first.tolist() == [[0, 1, 1], [0, 1, 0], [0, 0, 0]]
    assert found.investment[:2].tolist() == [
        [0.25 * 5 * 100, 0.25 * 5 * 100 / 2, 7 * 100 / 2],
        [0.25 * 5 * 200, 0.25 * 5 * 200 / 2, 0.5 * 8 * 200],
    ]
    assert found.investment[2].tolist() == [0.5 * 9 * 40, 0, 0]


def test_without_a_table_of_measures_nothing_is_invested() -> None:
    assert _capital(units_alone(), choices_of([-1, -1], [-1, -1], [-1, -1])).tolist() == [[0, 0]] * 3


def test_what_is_excluded_from_the_measures_on_offer_has_no_investment() -> None:
    found = derive(given("exclude"), ALLOCATION)
    assert found.offered.code[2].tolist() == [-1, -1, -1]
    assert found.investment[2].tolist() == [0, 0, 0]
    assert found.investment[:2].tolist() == derived().investment[:2].tolist()


@pytest.mark.parametrize(
    ("stated", "limits"),
    [
        (None, [np.inf] * 3),
        (5e6, [5e6] * 3),
        (0.0, [0.0] * 3),
        ({"f": 3e6}, [np.inf, 3e6, np.inf]),
        ({"e": 0.0, "g": 1.0}, [0.0, np.inf, 1.0]),
    ],
)
def test_a_budget_is_that_of_all_enterprises_or_of_some(stated: Any, limits: list[float]) -> None:
    assert budgets(stated) == limits


@pytest.mark.parametrize(
    ("limits", "told"), [([np.inf, np.inf], True), ([np.inf, 5.0], False), ([0.0, np.inf], False), ([1.0, 2.0], False)]
)
def test_values_of_information_are_stated_if_nobody_has_a_budget(limits: list[float], told: bool) -> None:
    assert replace(derived(), budget=np.array(limits)).values_are_stated == told
