"""The check of a whole investment: a plant that waits or invests, and one that does neither, with tables by hand."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from etsopt.checking.investment import investment as of_investment
from etsopt.checking.investment.bound import Bound
from etsopt.checking.investment.derived import Derived, derive
from etsopt.checking.investment.investment import _level, _stated_multipliers, _totals, check
from etsopt.checking.readings.instance_inputs import InstanceInputs, Names
from etsopt.checking.verdict import LevelCheck, Verdict
from tests.checking.investment.small import objective_of, told
from tests.checking.market.small import table
from tests.investments import LOW_AND_HIGH, with_scenarios
from tests.markets import market

Tables = dict[str, pd.DataFrame]
ALLOCATION = pd.DataFrame({"allowance_t": [90_000.0, 12_000.0]})


@cache
def plants() -> InstanceInputs:
    """The first of 100,000 t may cut 20,000 t for 500,000 CNY a year and 60 CNY/t; the other has 2,000 t to spare."""
    units: dict[str, Any] = {
        "emissions_tco2e": [100_000.0, 10_000.0],
        "reference_t": [90_000.0, 12_000.0],
        "enterprise_id": ["e", "f"],
        "sector": ["cement", "steel"],
    }
    measures: list[dict[str, object]] = [
        {
            "measure_id": "m",
            "sector": "cement",
            "abatement_rate": 0.2,
            "capex_cny_per_t": 50.0,
            "lifetime_years": 10,
            "variable_opex_cny_per_t": 12.0,
            "stops": "yes",
        }
    ]
    made = market(
        units,
        measures,
        horizon={"discount_rate": 0.0},
        market={"terminal_price_cny_per_t": 50.0},
    )
    return InstanceInputs.of(with_scenarios(made, LOW_AND_HIGH))


@cache
def derived() -> Derived:
    return derive(plants(), ALLOCATION)


@pytest.fixture(autouse=True)
def derived_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_investment, "derive", lambda *_: derived())


def tables(**changed: dict[str, Any]) -> Tables:
    """The measure is installed, and runs at 120 CNY/t and not at 40, at which who can keeps allowances for 50 CNY/t."""
    columns: dict[str, dict[str, Any]] = {
        "allocation": {"allowance_t": ALLOCATION["allowance_t"]},
        "investments": {
            "unit_id": ["u0"],
            "enterprise_id": ["e"],
            "sector": ["cement"],
            "measure_id": ["m"],
            "installed": [True],
            # At 80 CNY/t it would save 400,000 CNY.
            "installed_at_mean": [False],
            "first_year": [2025.0],
            "investment_cny": [5e6],
        },
        "operations": {
            "unit_id": ["u0"] * 2,
            "measure_id": ["m"] * 2,
            "scenario": ["high", "low"],
            "year": [2025] * 2,
            "runs": [True, False],
        },
        "scenario_years": {
            "enterprise_id": list("eeff"),
            "scenario": ["high", "low"] * 2,
            "year": [2025] * 4,
            "price_cny_per_t": [120.0, 40.0] * 2,
            "emissions_tco2e": [80_000.0, 100_000, 10_000, 10_000],
            "allowance_t": [90_000.0, 90_000, 12_000, 12_000],
            "measures_cost_cny": [1.7e6, 5e5, 0, 0],
            "bought_t": [0.0, 10_000, 0, 0],
            "sold_t": [10_000.0, 0, 2_000, 0],
            "banked_t": [0.0, 0, 0, 2_000],
            "allowances_cost_cny": [-1.2e6, 4e5, -2.4e5, 0],
            "total_cost_cny": [5e5, 9e5, -2.4e5, 0],
        },
        "scenario_costs": {
            "enterprise_id": list("eeff"),
            "scenario": ["high", "low"] * 2,
            "probability": [0.5] * 4,
            "weight": [0.5] * 4,
            "cost_cny": [5e5, 9e5, -2.4e5, -1e5],
            # Who waits buys 20,000 t more at 120 CNY/t and pays nothing for the measure.
            "cost_at_mean_cny": [1.2e6, 4e5, -2.4e5, -1e5],
            "least_cost_cny": [5e5, 4e5, -2.4e5, -1e5],
            "regret_cny": [0.0, 5e5, 0, 0],
        },
        "investment_summary": {
            "enterprise_id": ["e", "f", ""],
            "investment_cny": [5e6, 0, 5e6],
            "expected_cost_cny": [7e5, -1.7e5, 5.3e5],
            "cvar_cny": [9e5, -1e5, 8e5],
            "objective_cny": [7e5, -1.7e5, 5.3e5],
            "objective_at_mean_cny": [8e5, -1.7e5, 6.3e5],
            "objective_perfect_information_cny": [4.5e5, -1.7e5, 2.8e5],
            "value_of_stochastic_solution_cny": [1e5, 0.0, 1e5],
            "value_of_perfect_information_cny": [2.5e5, 0.0, 2.5e5],
            "price_year": [2025] * 3,
        },
    }
    return {name: pd.DataFrame(cells | changed.get(name, {})) for name, cells in columns.items()}


def checked(gap: float = 0.0, **changed: dict[str, Any]) -> Verdict:
    return check(plants(), tables(**changed), gap)


def test_the_best_decision_is_right_and_its_cost_is_that_of_its_bound() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(of_investment, "derive", derive)
        found = checked(0.5)
    assert found.violations == ()
    [level] = found.levels
    assert (level.name, level.unit, level.value, level.tolerance) == ("cost", "CNY", 5.3e5, 0.01)
    assert level.value - 0.01 < level.bound < level.value
    assert level.gap == level.value - level.bound
    # Half of what is spent at both prices: 1.7e6 and 1.44e6 of trades, and 5e5 and 4e5.
    assert level.asked == 0.5 * (0.5 * 3.14e6 + 0.5 * 9e5)


def test_a_worse_decision_is_right_as_well_and_its_cost_above_the_bound() -> None:
    # Who waits as he would at the mean buys 20,000 t more at 120 CNY/t, and needs no measure.
    found = checked(
        investments={"installed": [False]},
        operations={name: [] for name in ("unit_id", "measure_id", "scenario", "year", "runs")},
        scenario_years={
            "emissions_tco2e": [100_000.0, 100_000, 10_000, 10_000],
            "measures_cost_cny": 0.0,
            "bought_t": [10_000.0, 10_000, 0, 0],
            "sold_t": [0.0, 0, 2_000, 0],
            "allowances_cost_cny": [1.2e6, 4e5, -2.4e5, 0],
            "total_cost_cny": [1.2e6, 4e5, -2.4e5, 0],
        },
        scenario_costs={"cost_cny": [1.2e6, 4e5, -2.4e5, -1e5], "regret_cny": [7e5, 0.0, 0, 0]},
        investment_summary={
            "investment_cny": 0.0,
            "expected_cost_cny": [8e5, -1.7e5, 6.3e5],
            "cvar_cny": [1.2e6, -1e5, 1.1e6],
            "objective_cny": [8e5, -1.7e5, 6.3e5],
            "value_of_stochastic_solution_cny": 0.0,
            "value_of_perfect_information_cny": [3.5e5, 0.0, 3.5e5],
        },
    )
    assert found.violations == ()
    assert found.levels[0].gap == pytest.approx(1e5, abs=0.01)


@pytest.mark.parametrize(
    ("name", "columns", "places", "proven"),
    [
        ("scenario_costs", {"weight": "x"}, [("tables", "scenario_costs.weight", 1.0)], False),
        ("operations", {"year": 2026}, [("measures_are_on_offer", "operations, u0", 1.0)] * 2, False),
        ("scenario_years", {"year": 2026}, [("same_rows", "scenario_years.year", 1.0)], False),
        ("investments", {"sector": "steel"}, [("tables_follow", "investments.sector", 1.0)], True),
        ("scenario_years", {"banked_t": 9.0}, [("tables_follow", "e high 2025, banked_t", 9.0)], True),
        ("scenario_years", {"banked_t": "x"}, [("tables", "scenario_years.banked_t", 1.0)], False),
        (
            "scenario_costs",
            {"regret_cny": [0.0, 5e5, 9.0, 0]},
            [("tables_follow", "scenario_costs.regret_cny, row 2", 9.0)],
            True,
        ),
        ("scenario_costs", {"weight": [0.5, 0.5, 0.75, 0.25]}, [("weights", "f", 0.25)], True),
        ("scenario_costs", {"scenario": "high"}, [("same_rows", "scenario_costs.scenario", 1.0)], True),
        (
            "investment_summary",
            {"cvar_cny": [9e5, -1e5, 0]},
            [("tables_follow", "investment_summary.cvar_cny, row 2", 8e5)],
            True,
        ),
        (
            "investment_summary",
            {"budget_shadow_price": [0.0, 0.25, np.nan]},
            [("budget_prices", "f", 0.25)],
            True,
        ),
    ],
)
def test_what_is_wrong_with_a_table_is_told_and_the_cost_is_bounded_if_it_can_be(
    name: str, columns: dict[str, Any], places: list[tuple[str, str, float]], proven: bool
) -> None:
    changed: dict[str, Any] = {name: columns}
    found = checked(**changed)
    assert told(found.violations) == places
    assert len(found.levels) == proven


def test_what_would_cost_less_at_the_mean_is_told_with_all_that_follows_from_it() -> None:
    # It would cost 1e5 CNY more there, and in every scenario as much as it does now.
    found = checked(investments={"installed_at_mean": [True]})
    assert told(found.violations) == [
        ("at_mean", "u0", pytest.approx(1e5)),
        ("tables_follow", "scenario_costs.cost_at_mean_cny, row 0", 7e5),
        ("tables_follow", "investment_summary.objective_at_mean_cny, row 0", 1e5),
        ("tables_follow", "investment_summary.value_of_stochastic_solution_cny, row 0", 1e5),
    ]
    assert len(found.levels) == 1


def test_one_violation_hides_no_other() -> None:
    dear = {"investment_cny": [5e6 + 9]}
    told_of_it = ("tables_follow", "investments.investment_cny, row 0", 9.0)
    # A column of another kind leaves nothing to bound.
    found = checked(investments=dear, scenario_years={"banked_t": "x"}, scenario_costs={"weight": np.nan})
    assert told(found.violations) == [
        ("tables", "scenario_years.banked_t", 1.0),
        ("tables", "scenario_costs.weight", 1.0),
    ]
    assert found.levels == ()
    # Rows that are not those of the scenarios have no weights.
    changes: list[dict[str, Any]] = [{}, {"investments": dear}]
    for changed in changes:
        short = tables(**changed)
        short["scenario_costs"] = short["scenario_costs"].iloc[:3]
        found = check(plants(), short, 0.0)
        assert told(found.violations) == [told_of_it] * len(changed) + [
            ("same_rows", "scenario_costs.enterprise_id", 1.0)
        ]
        assert len(found.levels) == 1
    found = checked(investments=dear, scenario_costs={"weight": [0.75, 0.25, 0.5, 0.5]})
    assert told(found.violations) == [told_of_it, ("weights", "e", 0.25)]


def test_what_may_not_be_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = replace(derived().offered, required=np.array([[[-1]], [[-2]]]))
    monkeypatch.setattr(of_investment, "derive", lambda *_: replace(derived(), offered=lacking))
    assert ("requires", "u0, installed", 1.0) in told(checked().violations)


def within(
    monkeypatch: pytest.MonkeyPatch, budget: tuple[float, float], prices: Any = (0.0, 0.0, np.nan), **changed: Any
) -> Verdict:
    """The check of the same tables with budgets, without what a model says of values of information."""
    made = replace(derived(), budget=np.array(budget), **changed)
    monkeypatch.setattr(of_investment, "derive", lambda *_: made)
    limits = [np.nan if np.isinf(limit) else limit for limit in budget]
    rows = tables(investment_summary={"budget_cny": [*limits, np.nan], "budget_shadow_price": prices})
    rows["investments"] = rows["investments"].drop(columns="installed_at_mean")
    return check(plants(), rows, 0.0)


@pytest.mark.parametrize(("over", "refused"), [(-1.0, False), (0.0, False), (4e-3, False), (6e-3, True), (9.0, True)])
def test_investment_exceeds_no_budget_by_more_than_a_billionth_of_the_largest(
    over: float, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = within(monkeypatch, (5e6 - over, np.inf))
    assert told(found.violations) == [("budget", "e", pytest.approx(over, abs=1e-8))] * refused
    assert len(found.levels) == 1


@pytest.mark.parametrize(("invested", "refused"), [(1e-9, False), (1.5e-9, True), (0.5, True)])
def test_investment_exceeds_no_budget_by_more_than_a_billionth_of_a_cny(
    invested: float, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = within(monkeypatch, (0.0, np.inf), investment=table((invested,), (0,)))
    # The tables still say five million.
    over = [(rule, name, by) for rule, name, by in told(found.violations) if rule == "budget"]
    assert over == [("budget", "e", invested)] * refused


def recording(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What every bound is made of."""
    recorded: list[dict[str, Any]] = []

    def bound(objective: Any, enterprises: Any, weights: Any, multipliers: Any) -> Bound:
        recorded.append({"enterprises": enterprises, "weights": weights, "multipliers": multipliers})
        return Bound(objective, enterprises, weights, multipliers)

    monkeypatch.setattr(of_investment, "Bound", bound)
    return recorded


@pytest.mark.parametrize(
    ("stated", "tried"), [(0.25, 0.25), (2.0, 2.0), (0.0, 0.0), (-1.0, 0.0), (np.nan, 0.0), (1e13, 1e12)]
)
def test_a_stated_price_of_a_budget_is_tried_within_its_limits_and_none_without_a_budget(
    stated: float, tried: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = recording(monkeypatch)
    found = within(monkeypatch, (6e6, np.inf), prices=[stated, 3.0, np.nan])
    assert recorded[0]["multipliers"].tolist() == [tried, 0.0]
    assert recorded[0]["enterprises"].value.tolist() == [7e5, -1.7e5]
    # 5e6 CNY of investment save 1e5 CNY: a fiftieth of each.
    wrong = ["e"] * (stated != 0) + ["f"]
    assert [(rule, name) for rule, name, _ in told(found.violations)] == [("budget_prices", name) for name in wrong]


def test_stated_weights_of_scenarios_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = recording(monkeypatch)
    made = replace(derived(), objective=objective_of([0.5, 0.5], 0.5, 0.5))
    monkeypatch.setattr(of_investment, "derive", lambda *_: made)
    checked(scenario_costs={"weight": [0.25, 0.75, 0.375, 0.625]})
    assert recorded[0]["weights"].tolist() == [[0.25, 0.75], [0.375, 0.625]]


@pytest.mark.parametrize(("above", "refused"), [(-9.0, False), (0.0, False), (0.01, False), (0.02, True), (9.0, True)])
def test_a_cost_below_its_bound_is_told(above: float, refused: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    # A level that is made of both has a bound up to its value alone.
    level = LevelCheck("cost", "CNY", 5.3e5, 5.3e5 + above, 0.0, 0.01)
    monkeypatch.setattr(Bound, "total", lambda _: level.bound)
    monkeypatch.setattr(of_investment, "_level", lambda *_: level)
    found = checked()
    assert told(found.violations) == [("cost", "", pytest.approx(above))] * refused
    assert found.levels == (level,)


def test_a_gap_is_what_a_cost_exceeds_its_bound_and_asked_for_relative_to_what_is_spent() -> None:
    level = _level(100.0, 60.0, 0.5, 300.0)
    assert (level.value, level.bound, level.gap, level.asked) == (100.0, 60.0, 40.0, 150.0)
    level = _level(-400.0, -300.0, 0.5, 300.0)
    assert (level.value, level.bound, level.gap, level.asked) == (-400.0, -400.0, 0.0, 200.0)


def test_costs_of_units_add_up_to_those_of_their_enterprises() -> None:
    owner = Names(np.array(["e", "f"], dtype=object), np.array([1, 0, 1]))
    assert _totals(owner, table((1, 2, 3), (4, 5, 6), (7, 8, 9))).tolist() == [[4, 5, 6], [8, 10, 12]]


def stated(weights: Any, **summary: Any) -> tuple[list[Any], list[Any]]:
    rows = {"scenario_costs": pd.DataFrame({"weight": weights}), "investment_summary": pd.DataFrame(summary)}
    found = _stated_multipliers(rows, 2, 3)
    return found[0].tolist(), found[1].tolist()


def test_multipliers_are_those_stated_and_zero_if_their_rows_do_not_fit() -> None:
    weights, names = [0.5, 0.25, 0.25, 0.125, 0.25, 0.625], ["e", "f", ""]
    right = [[0.5, 0.25, 0.25], [0.125, 0.25, 0.625]]
    assert stated(weights, name=names, budget_shadow_price=[1.0, 2.0, 3.0]) == (right, [1.0, 2.0])
    assert stated(weights, name=names) == (right, [0.0, 0.0])
    assert stated(weights, budget_shadow_price=[1.0, 2.0, 3.0, 4.0]) == (right, [1.0, 2.0])
    for short in ([], [1.0], [1.0, 2.0]):
        assert stated(weights, budget_shadow_price=short) == (right, [0.0, 0.0])
    for wrong in (weights[:5], [*weights, 0.5], []):
        assert stated(wrong, name=names) == ([[0.0] * 3] * 2, [0.0, 0.0])


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("investments", "first_year"),
        ("investments", "investment_cny"),
        ("scenario_costs", "cost_cny"),
        ("scenario_costs", "probability"),
        ("investment_summary", "objective_cny"),
        ("investment_summary", "budget_shadow_price"),
    ],
)
def test_a_text_in_place_of_a_number_is_refused_by_its_column(
    monkeypatch: pytest.MonkeyPatch, name: str, column: str
) -> None:
    made = replace(derived(), budget=np.array([1e9, 1e9]))
    monkeypatch.setattr(of_investment, "derive", lambda *_: made)
    rows = tables(investment_summary={"budget_cny": [1e9, 1e9, np.nan], "budget_shadow_price": [0.0, 0.0, np.nan]})
    rows[name] = rows[name].assign(**{column: "much"})
    assert ("tables", f"{name}.{column}") in [
        (rule, where) for rule, where, _ in told(check(plants(), rows, 0.0).violations)
    ]


def test_a_summary_without_rows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    made = replace(derived(), budget=np.array([1e9, 1e9]))
    monkeypatch.setattr(of_investment, "derive", lambda *_: made)
    rows = tables(investment_summary={"budget_cny": [1e9, 1e9, np.nan], "budget_shadow_price": [0.0, 0.0, np.nan]})
    rows["investment_summary"] = rows["investment_summary"].iloc[:0]
    assert {rule for rule, _, _ in told(check(plants(), rows, 0.0).violations)} == {"same_rows"}
