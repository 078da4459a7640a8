"""Investment under uncertainty: a case by hand, both ways to the answer, every decision tried, and properties."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.common.errors import DataError
from etsopt_models._investment import programs
from tests.investments import (
    LOW_AND_HIGH,
    best_by_trying,
    by_hand,
    by_plan,
    random_investment,
    two_scenarios,
    with_scenarios,
)

METHODS = ("direct", "pyomo", "decomposition")
CVAR = {"investment.cvar_weight": 0.5, "investment.cvar_level": 0.6}


def solved(instance: etsopt.Instance, **options: Any) -> etsopt.Results:
    result = etsopt.solve(instance, "investment", gap=0.0, **options)
    assert result.certified, (result.status, result.violations)
    return result


def cost(result: etsopt.Results) -> float:
    return float(result.levels[-1].value)


@pytest.mark.everyday("decomposition")
@pytest.mark.parametrize("method", METHODS)
def test_a_plant_that_would_wait_at_the_expected_price_invests(method: str) -> None:
    # Derived on the page of the model: 700,000 CNY expected, 800,000 by waiting, 450,000 for who knows the price.
    result = solved(by_hand(), method=method)
    assert result.status == "certified_optimal"
    assert cost(result) == pytest.approx(700_000)
    measure = result.tables["investments"].iloc[0]
    assert measure["installed"]
    assert not measure["installed_at_mean"]
    assert measure["investment_cny"] == pytest.approx(5_000_000)
    runs = result.tables["operations"].set_index("scenario")["runs"]
    assert runs["high"]
    assert not runs["low"]
    later = result.tables["scenario_years"].set_index("scenario")
    assert later.loc["low", ["bought_t", "sold_t", "total_cost_cny"]].tolist() == [10_000, 0, 900_000]
    assert later.loc["high", ["bought_t", "sold_t", "total_cost_cny"]].tolist() == [0, 10_000, 500_000]
    costs = result.tables["scenario_costs"].set_index("scenario")
    assert costs["regret_cny"].to_dict() == {"high": 0, "low": 500_000}
    summary = result.tables["investment_summary"].iloc[0]
    assert summary["value_of_stochastic_solution_cny"] == pytest.approx(100_000)
    assert summary["value_of_perfect_information_cny"] == pytest.approx(250_000)


@pytest.mark.everyday("decomposition")
@pytest.mark.parametrize("method", METHODS)
def test_a_budget_below_the_investment_makes_the_plant_wait(method: str) -> None:
    result = solved(by_hand().with_policy({"investment.budget_cny": 4_999_999.0}), method=method)
    assert not result.tables["investments"]["installed"].any()
    assert cost(result) == pytest.approx(800_000)
    assert "regret_cny" not in result.tables["scenario_costs"]
    assert cost(solved(by_hand().with_policy({"investment.budget_cny": {"u0": 5e6}}), method=method)) == 700_000


def test_cvar_is_the_mean_cost_of_the_worst_scenarios() -> None:
    # At the level 0.5 the worse scenario counts alone: 1,200,000 by waiting, 900,000 by investing. At 0.25 it is two
    # thirds of the tail: (2 * 900,000 + 500,000) / 3.
    for level, expected in ((0.5, 900_000), (0.25, 2_300_000 / 3), (0.0, 700_000)):
        policy = {"investment.cvar_weight": 1.0, "investment.cvar_level": level}
        result = solved(by_hand().with_policy(policy))
        assert cost(result) == pytest.approx(expected)
        assert result.tables["investment_summary"]["cvar_cny"].iloc[0] == pytest.approx(expected)


def test_who_weighs_the_worst_scenario_insures_against_it() -> None:
    # Dearer by 150,000 CNY a year the measure is not worth 700,000 + 150,000 > 800,000 in expectation; but in the worse
    # scenario waiting costs 1,200,000, and investing 900,000 + 150,000.
    instance = by_hand()
    assert instance.measures is not None
    dear = with_scenarios(instance, LOW_AND_HIGH, measures=instance.measures.assign(fixed_opex_cny_per_t=1.5))
    assert not solved(dear).tables["investments"]["installed"].any()
    careful = dear.with_policy({"investment.cvar_weight": 1.0, "investment.cvar_level": 0.5})
    assert solved(careful).tables["investments"]["installed"].all()


@pytest.mark.everyday("policy3-0")
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("policy", [{}, CVAR, {"investment.budget_cny": 4e6}, {"investment.budget_cny": 2e6} | CVAR])
def test_the_extensive_form_and_the_priced_program_have_the_same_value(seed: int, policy: dict[str, Any]) -> None:
    instance = random_investment(seed).with_policy(policy)
    instance = by_plan(instance) if seed % 2 else instance
    values = [cost(solved(instance, method=method)) for method in ("direct", "decomposition")]
    assert values[0] == pytest.approx(values[1], rel=1e-9, abs=1e-3)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", [0, 2, 3])
@pytest.mark.parametrize("policy", [{}, CVAR, {"investment.budget_cny": 2e6} | CVAR])
def test_no_decision_of_all_that_are_tried_is_better(seed: int, policy: dict[str, Any]) -> None:
    instance = random_investment(seed, units=2, scenarios=2).with_policy(policy)
    assert cost(solved(instance)) == pytest.approx(best_by_trying(instance), rel=1e-9)


@pytest.mark.parametrize("policy", [CVAR, {"investment.budget_cny": 4e6}])
def test_a_program_decides_enterprises_with_many_combinations_alike(
    policy: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = random_investment(7, units=5).with_policy(policy)
    by_combination = cost(solved(instance, method="decomposition"))
    monkeypatch.setattr(programs, "INVESTMENT_COMBINATIONS_MAX", 0)
    result = etsopt.solve(instance, "investment", method="decomposition", gap=0.0)
    assert result.certified
    assert cost(result) == pytest.approx(by_combination, rel=1e-9)


def test_a_large_extensive_form_is_priced_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = random_investment(2)
    whole = cost(solved(instance, method="direct"))
    monkeypatch.setattr(programs, "EXTENSIVE_FORM_CELLS_MAX", 10)
    assert cost(solved(instance, method="direct")) == pytest.approx(whole, rel=1e-9)


@pytest.mark.nightly
def test_one_scenario_and_year_is_the_model_abatement() -> None:
    for seed in range(4):
        instance = random_investment(seed, years=1, scenarios=1)
        alone = with_scenarios(instance, None).with_policy({"market.prices_cny_per_t": 90.0})
        alone = alone.with_policy({"market.terminal_price_cny_per_t": 0.0, "market.borrow_pre_allocation": False})
        abated = etsopt.solve(with_scenarios(alone, None), "abatement")
        # What a unit abates may be installed as well: every measure is available in the only year.
        assert cost(solved(as_file(alone))) == pytest.approx(float(abated.levels[-1].value), rel=1e-6)


def as_file(instance: etsopt.Instance) -> etsopt.Instance:
    """The instance as if its policy stood in a file, of which each model reads its part."""
    return with_scenarios(instance, instance.scenarios)


@pytest.mark.nightly
def test_information_and_the_stochastic_solution_are_never_worth_less_than_nothing() -> None:
    for seed in range(8):
        for policy in ({}, CVAR):
            summary = solved(random_investment(seed).with_policy(policy)).tables["investment_summary"]
            for name in ("value_of_stochastic_solution_cny", "value_of_perfect_information_cny"):
                assert (summary[name] >= -1.0).all(), (seed, name)


@pytest.mark.nightly
def test_a_scenario_that_is_split_in_two_changes_nothing() -> None:
    instance = random_investment(1)
    assert instance.scenarios is not None
    rows = instance.scenarios
    halves = [
        rows[rows["scenario"] == "s0"].assign(probability=lambda part: part["probability"] / 2, scenario=name)
        for name in ("s0", "twin")
    ]
    split = pd.concat([rows[rows["scenario"] != "s0"], *halves], ignore_index=True)
    for policy in ({}, CVAR):
        one, two = solved(instance.with_policy(policy)), solved(with_scenarios(instance, split).with_policy(policy))
        assert cost(one) == pytest.approx(cost(two), rel=1e-9)
        assert one.tables["investments"].equals(two.tables["investments"])


@pytest.mark.nightly
def test_a_larger_budget_never_costs_more() -> None:
    instance = random_investment(3)
    total = float(solved(instance).tables["investments"]["investment_cny"].sum())
    found = [cost(solved(instance.with_policy({"investment.budget_cny": share * total}))) for share in (0, 0.1, 0.3, 1)]
    assert found == sorted(found, reverse=True)
    assert found[-1] == pytest.approx(cost(solved(instance)), rel=1e-9)


def test_a_measure_waits_for_its_first_year_for_its_steps_and_for_what_it_requires() -> None:
    instance = two_scenarios().with_policy({"horizon.last_year": 2028, "investment.budget_cny": None})
    measures = pd.DataFrame(
        {
            "measure_id": ["base", "later", "stepped"],
            "sector": "cement",
            "abatement_rate": [0.05, 0.1, 0.3],
            "lifetime_years": 10,
            "first_year": [2026.0, np.nan, np.nan],
            "requires": ["", "base", ""],
            "largest_new_share_a_year": [np.nan, np.nan, 0.5],
        }
    )
    table = solved(with_scenarios(instance, LOW_AND_HIGH, measures=measures)).tables["investments"]
    assert table["first_year"].tolist() == [2026, 2026, 2025, 2026]
    assert table["installed"].all()


@pytest.mark.everyday("decomposition")
@pytest.mark.parametrize("method", ["direct", "decomposition"])
def test_units_without_measures_only_trade(method: str) -> None:
    instance = random_investment(1)
    assert instance.measures is not None
    cement = with_scenarios(
        instance, instance.scenarios, measures=instance.measures[instance.measures["sector"] == "cement"]
    )
    assert set(solved(cement, method=method).tables["investments"]["sector"]) == {"cement"}
    # Without measures the plant buys 10,000 t at 80 CNY on average, whatever it weighs.
    none = with_scenarios(by_hand(), LOW_AND_HIGH, measures=None)
    assert cost(solved(none, method=method)) == pytest.approx(800_000)
    assert cost(solved(none.with_policy({"investment.budget_cny": 5.0} | CVAR), method=method)) == pytest.approx(1e6)


def test_without_a_table_of_scenarios_the_policy_states_the_one() -> None:
    without = with_scenarios(by_hand(market={"prices_cny_per_t": 120.0}), None)
    result = solved(without)
    assert result.tables["scenario_costs"]["scenario"].tolist() == ["expected"]
    assert cost(result) == pytest.approx(500_000)
    with pytest.raises(DataError, match="the price of 2025 is missing in the scenario 'expected'"):
        etsopt.solve(with_scenarios(by_hand(), None), "investment")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"probability": [0.5, 0.4]}, "the probabilities of the scenarios add up to 0.9: expected 1"),
        ({"scenario": ["low", "low"], "year": [2025, 2026], "probability": [0.5, 1.0]}, "1 row differs from the first"),
        ({"sector": ["cement", ""]}, "price_cny_per_t: 1 row of a sector states a price"),
        ({"output_factor": [0.0, 1.0]}, "output_factor: "),
    ],
)
def test_a_wrong_table_of_scenarios_is_refused(change: dict[str, Any], told: str) -> None:
    with pytest.raises(DataError) as caught:
        with_scenarios(by_hand(), LOW_AND_HIGH.assign(**change))
    assert told in str(caught.value)


def test_a_budget_of_an_enterprise_without_a_unit_is_refused() -> None:
    with pytest.raises(DataError, match=r"investment\.budget_cny: the enterprise .*nobody.* has no unit"):
        by_hand().with_policy({"investment.budget_cny": {"nobody": 1.0}})
