"""Statements on the tables of an investment, each at the edge of what it tolerates."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from etsopt.checking.investment import statements as says
from etsopt.checking.investment.statements import cells_follow
from etsopt.checking.readings.families import SlotGroup
from etsopt.checking.tolerances import MULTIPLIER_TOLERANCE
from etsopt.checking.verdict import Violation
from tests.checking.investment.small import UNITS, choices_of, costs_of, objective_of, told, units_alone
from tests.checking.market.small import table


def derived_of(**changes: Any) -> Any:
    """What the statements ask of the things derived: measures, states, an objective and budgets."""
    made: dict[str, Any] = {
        "instance": SimpleNamespace(units=UNITS, labels=units_alone().labels, price_year=2024),
        "offered": choices_of([0, 1], [-1, -1], [2, -1]),
        "before": SimpleNamespace(years=np.array([2025, 2026])),
        "first": np.array([[0, 1], [0, 0], [2, 0]]),
        "investment": table((5e9, 70), (0, 0), (30, 0)),
        "states": SimpleNamespace(names=("a", "b", "c"), probability=np.array([0.5, 0.25, 0.25])),
        "objective": objective_of([0.5, 0.25, 0.25], 0.25, 0.5),
        "budget": np.array([np.inf, np.inf]),
        "values_are_stated": True,
    }
    return SimpleNamespace(**(made | changes))


ROWS = pd.DataFrame(
    {
        "unit_id": ["u2", "u0", "u0"],
        "enterprise_id": ["f", "e", "e"],
        "sector": ["cement", "cement", "cement"],
        "measure_id": ["c", "a", "b"],
        "first_year": [np.nan, 2025.0, 2026.0],
        "investment_cny": [30.0, 5e9, 70.0],
    }
)


def test_columns_of_a_measure_are_those_of_its_unit_and_of_what_is_derived() -> None:
    assert list(says.rows_follow(derived_of(), ROWS)) == []
    assert list(says.rows_follow(derived_of(), ROWS.iloc[::-1])) == []
    # The sector of another unit, in one of the rows.
    for column, cells in (("enterprise_id", ["f", "f", "e"]), ("sector", ["cement", "cement", "steel"])):
        wanted = Violation("tables_follow", f"investments.{column}", 1.0, "cells", "the column is that of the unit")
        assert list(says.rows_follow(derived_of(), ROWS.assign(**{column: cells}))) == [wanted]


def test_first_year_and_investment_are_those_derived() -> None:
    early = ROWS.assign(first_year=[2027.0, 2025.0, 2026.0])
    assert told(says.rows_follow(derived_of(), early)) == [("tables_follow", "investments.first_year, row 0", np.inf)]
    late = ROWS.assign(first_year=[np.nan, 2025.0, 2025.0])
    assert told(says.rows_follow(derived_of(), late)) == [("tables_follow", "investments.first_year, row 2", 1.0)]
    dear = ROWS.assign(investment_cny=[30.0, 5e9, 72.0])
    assert told(says.rows_follow(derived_of(), dear)) == [("tables_follow", "investments.investment_cny, row 2", 2.0)]


def test_where_nothing_is_on_offer_a_table_without_rows_follows() -> None:
    for offered in (choices_of([0], [1], [2]), choices_of([], [], [])):
        derived = derived_of(
            offered=offered, first=np.zeros(offered.code.shape, dtype=int), investment=np.zeros(offered.code.shape)
        )
        assert list(says.rows_follow(derived, ROWS.iloc[:0])) == []


def cells(expected: dict[str, Any], **columns: Any) -> list[tuple[str, str, float]]:
    return told(cells_follow("t", pd.DataFrame(columns), expected))


def test_of_every_column_the_first_row_that_is_off_is_told() -> None:
    expected = {"x_cny": [1.0, 2.0], "year": [3.0, 4.0]}
    assert cells(expected, x_cny=[1.0, 2.0], year=[3.0, 4.0]) == []
    off = list(cells_follow("t", pd.DataFrame({"x_cny": [9.0, 9.0], "year": [3.0, 5.0]}), expected))
    assert off == [
        Violation("tables_follow", "t.x_cny, row 0", 8.0, "CNY", "it is 1"),
        Violation("tables_follow", "t.year, row 1", 1.0, "units", "it is 4"),
    ]


@pytest.mark.parametrize(
    ("column", "size", "tolerance"),
    [("x_cny", 0.0, 1.0), ("x_cny", -4e9, 5.0), ("probability", 0.25, 0.25e-9), ("price_year", 2e9, 2.0)],
)
def test_an_amount_may_be_off_by_a_cny_and_every_number_by_a_billionth(
    column: str, size: float, tolerance: float
) -> None:
    for share in (-1.1, -0.9, 0.9, 1.1):
        found = cells({column: [1.0, size]}, **{column: [1.0, size + share * tolerance]})
        assert [place for _, place, _ in found] == ([f"t.{column}, row 1"] if abs(share) > 1 else [])
    assert cells({column: [size, 0.0]}, **{column: [size, 0.0]}) == []


def test_a_cny_is_tolerated_and_zero_is_zero_in_other_columns() -> None:
    assert cells({"x_cny": [0.0]}, x_cny=[1.0]) == []
    assert cells({"year": [0.0]}, year=[0.5]) == [("tables_follow", "t.year, row 0", 0.5)]


def test_a_number_is_absent_where_none_is_expected_and_nowhere_else() -> None:
    assert cells({"budget_cny": [np.nan, 1.0]}, budget_cny=[np.nan, 1.0]) == []
    stated = {"budget_cny": [np.nan, 1.0]}
    assert cells(stated, budget_cny=[0.0, 1.0]) == [("tables_follow", "t.budget_cny, row 0", np.inf)]
    [(rule, place, _)] = cells(stated, budget_cny=[np.nan, np.nan])
    assert (rule, place) == ("tables_follow", "t.budget_cny, row 1")


@pytest.mark.parametrize("least", [0.0, 3e9])
@pytest.mark.parametrize(("share", "places"), [(-9.0, []), (0.9, []), (1.1, ["u2", "u0"])])
def test_what_is_installed_at_the_mean_costs_least_there(share: float, places: list[str], least: float) -> None:
    more = least + share * (1.0 + 1e-9 * least)
    # Sets without and with the one measure, of units 2, 0 and 1: the first of them alone installs it.
    installed = np.array([[False], [False], [True]])
    at_mean = ((least, more, least), (more, least, least + 9.0))
    costs = costs_of([2, 0, 1], np.zeros((1, 2, 3)), np.zeros((2, 3)), at_mean=at_mean, groups=(SlotGroup((0,)),))
    found = list(says.mean_is_least(units_alone(), costs, installed))
    assert [(v.rule, v.where, v.unit) for v in found] == [("at_mean", place, "CNY") for place in places]
    assert [v.amount for v in found] == pytest.approx([more - least] * len(places))


def test_a_set_that_costs_a_cny_more_at_the_mean_is_as_good() -> None:
    costs = costs_of([0], np.zeros((1, 2, 1)), np.zeros((2, 1)), at_mean=((-1,), (0,)), groups=(SlotGroup((0,)),))
    assert list(says.mean_is_least(units_alone(), costs, np.array([[True]]))) == []


# At a weight of a half and a tail of a quarter: from 0.25, 0.125 and 0.125 to 1.25, 0.625 and 0.625.
RIGHT = [[0.25, 0.125, 0.625], [0.5, 0.25, 0.25]]


def weights(*rows: Any, objective: Any = None) -> list[tuple[str, str, float]]:
    derived = derived_of() if objective is None else derived_of(objective=objective)
    return told(says.weights_are_possible(derived, pd.DataFrame({"weight": np.ravel(rows)})))


def test_weights_of_scenarios_add_up_to_one_within_the_limits_of_cvar() -> None:
    assert weights(*RIGHT) == []
    for place, (first, second, third) in (("e", (0.0, 0.5, 0.5)), ("f", (0.25, 0.0, 0.75)), ("f", (0.5, 0.5, 0.0))):
        rows = [[first, second, third] if place == name else [0.5, 0.25, 0.25] for name in ("e", "f")]
        # By a quarter or an eighth below its lower limit.
        assert weights(*rows) == [("weights", place, 0.25 if first == 0 else 0.125)]
    assert weights([0.125, 0.1875, 0.6875], [0.5, 0.25, 0.25]) == [("weights", "e", 0.125)]
    assert weights([0.25, 0.0625, 0.6875], [0.5, 0.125, 0.125]) == [("weights", "f", 0.25), ("weights", "e", 0.0625)]
    assert ("weights", "e", 0.5) in weights([0.5, 0.5, 0.5], [0.5, np.nan, 0.25])
    assert [name for _, name, _ in weights([0.5, 0.25, 0.25], [0.5, np.nan, 0.25])] == ["f"]


def test_a_weight_above_what_the_tail_allows_is_refused() -> None:
    # Half of the scenarios, each by a half of 0.25: at most 0.5 for the first, and 0.25 for the others.
    objective = objective_of([0.5, 0.25, 0.25], 0.5, 1.0)
    assert weights([1.0, 0.0, 0.0], [0.5, 0.5, 0.0], objective=objective) == []
    assert weights([0.5, 0.75, -0.25], [0.25, 0.75, 0.0], objective=objective) == [
        ("weights", "e", 0.25),
        ("weights", "f", 0.25),
    ]


@pytest.mark.parametrize(("by", "count"), [(0.9e-6, 0), (1.1e-6, 1)])
def test_weights_may_be_off_by_a_millionth(by: float, count: int) -> None:
    found = weights([0.25 - by, 0.125 + by, 0.625], [0.5, 0.25, 0.25 + by])
    assert [(rule, place) for rule, place, _ in found] == [("weights", "e"), ("weights", "f")][: 2 * count]
    assert [amount for _, _, amount in found] == pytest.approx([by] * 2 * count)


def test_a_weight_at_the_edge_of_its_tolerance_is_possible() -> None:
    objective = objective_of([0.5, 0.25, 0.25], 0.25, 1.0)
    assert weights([-MULTIPLIER_TOLERANCE, 0.5, 0.5], [0.5, 0.25, 0.25], objective=objective) == []


def prices(first: float, second: float, last: float = np.nan, most: float = 0.5) -> list[Violation]:
    derived = derived_of(budget=np.array([100.0, np.inf]))
    stated = pd.DataFrame({"budget_shadow_price": [first, second, last]})
    return list(says.budget_prices_are_possible(derived, stated, np.array([most, 9.0])))


def test_a_price_of_a_budget_is_from_zero_to_the_most_that_a_cny_saves() -> None:
    assert prices(0.0, 0.0) == prices(0.25, 0.0) == prices(0.5, 0.0) == []
    message = "it is from 0 to 0.5, which a CNY of investment saves at most"
    for price in (0.75, -0.25, np.inf):
        assert prices(price, 0.0) == [Violation("budget_prices", "e", abs(price), "CNY/CNY", message)]
    # Where there is no budget it is zero.
    message = message.replace("0.5", "0")
    assert prices(0.25, 0.75) == [Violation("budget_prices", "f", 0.75, "CNY/CNY", message)]
    assert [violation.where for violation in prices(np.nan, np.nan)] == ["e", "f"]


def test_all_enterprises_together_have_no_price_of_a_budget() -> None:
    message = "all enterprises together have no budget"
    assert prices(0.25, 0.0, last=0.0) == [Violation("budget_prices", "all", 1.0, "CNY/CNY", message)]
    assert [violation.where for violation in prices(0.75, 0.0, last=0.25)] == ["all", "e"]


@pytest.mark.parametrize("most", [0.0, 0.5, 1e3])
def test_a_price_of_a_budget_may_be_off_by_a_millionth_of_a_cny_and_of_itself(most: float) -> None:
    by = 1e-6 + 1e-6 * most
    assert prices(most + 0.9 * by, 0.0, most=most) == []
    assert [violation.where for violation in prices(most + 1.1 * by, 0.0, most=most)] == ["e"]
    assert prices(-0.9e-6, 0.9e-6, most=most) == []
    assert [violation.where for violation in prices(-1.1e-6, 1.1e-6, most=most)] == ["e", "f"]
    assert prices(-MULTIPLIER_TOLERANCE, MULTIPLIER_TOLERANCE, most=most) == []


# By enterprise and scenario.
COSTS = table((100, 40, 20), (-8, 4, 12))
AT_MEAN = table((160, 40, 20), (-8, 20, 12))
LEAST = table((60, 40, 0), (-8, 4, -4))
STATED: dict[str, Any] = {
    "probability": [0.5, 0.25, 0.25] * 2,
    "cost_cny": [100, 40, 20, -8, 4, 12],
    "cost_at_mean_cny": [160, 40, 20, -8, 20, 12],
    "least_cost_cny": [60, 40, 0, -8, 4, -4],
    "regret_cny": [40, 0, 20, 0, 0, 16],
}
VALUES = ("cost_at_mean_cny", "least_cost_cny", "regret_cny")


def scenario_costs(**columns: Any) -> pd.DataFrame:
    keys = {"enterprise_id": list("eeefff"), "scenario": list("abcabc")}
    return pd.DataFrame(keys | STATED | columns).astype(dict.fromkeys(STATED, float))


def costs_in(rows: pd.DataFrame, values_are_stated: bool = True) -> list[tuple[str, str, float]]:
    derived = derived_of(values_are_stated=values_are_stated)
    return told(says.costs_follow(derived, rows, COSTS, [AT_MEAN, LEAST]))


def test_costs_and_regret_of_every_scenario_follow() -> None:
    assert costs_in(scenario_costs()) == []
    for column in STATED:
        place = f"scenario_costs.{column}"
        wrong = np.array(STATED[column], dtype=float)
        wrong[4] += 2.0
        assert costs_in(scenario_costs(**{column: wrong})) == [("tables_follow", f"{place}, row 4", 2.0)]


def test_with_a_budget_costs_alone_are_stated() -> None:
    assert costs_in(scenario_costs().drop(columns=list(VALUES)), values_are_stated=False) == []
    wrong = scenario_costs(**dict.fromkeys(VALUES, 9.0), cost_cny=[100, 40, 23, -8, 4, 12])
    assert costs_in(wrong, values_are_stated=False) == [("tables_follow", "scenario_costs.cost_cny, row 2", 3.0)]


@pytest.mark.parametrize("column", ["enterprise_id", "scenario"])
def test_rows_of_costs_are_the_scenarios_of_each_enterprise(column: str) -> None:
    rows = scenario_costs()
    wrong = rows.assign(**{column: rows[column].to_numpy()[::-1], "cost_cny": 0.0})
    wanted = Violation(
        "same_rows",
        f"scenario_costs.{column}",
        1.0,
        "rows",
        "the table has a row for every enterprise_id and scenario, in order",
    )
    assert list(says.costs_follow(derived_of(), wrong, COSTS, [AT_MEAN, LEAST])) == [wanted]
    assert [rule for rule, _, _ in costs_in(rows.iloc[:5])] == ["same_rows"]


# The mean of each enterprise by probability, and by a weight of a half its worst quarter: 65 and 100 of the first.
SUMMARY: dict[str, Any] = {
    "investment_cny": [7000.0, 500, 7500],
    "expected_cost_cny": [65.0, 0, 65],
    "cvar_cny": [100.0, 12, 112],
    "objective_cny": [82.5, 6, 88.5],
    # 95 and 160; 4 and 20.
    "objective_at_mean_cny": [127.5, 12, 139.5],
    # 40 and 60; -4 and 4.
    "objective_perfect_information_cny": [50.0, 0, 50],
    "value_of_stochastic_solution_cny": [45.0, 6, 51],
    "value_of_perfect_information_cny": [32.5, 6, 38.5],
    "price_year": [2024] * 3,
}
OF_INFORMATION = list(SUMMARY)[4:8]
OF_BUDGET: dict[str, Any] = {"budget_cny": [9000.0, np.nan, np.nan], "budget_shadow_price": [0.0, 0.0, np.nan]}


def summary(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"enterprise_id": ["e", "f", ""]} | SUMMARY | columns)


def summary_of(rows: pd.DataFrame, **changes: Any) -> list[tuple[str, str, float]]:
    derived = derived_of(**changes)
    return told(says.summary_follows(derived, rows, COSTS, [AT_MEAN, LEAST], np.array([7000.0, 500.0])))


def test_the_objective_of_every_enterprise_the_values_of_information_and_their_sums_follow() -> None:
    assert summary_of(summary()) == []
    for column in SUMMARY:
        place = f"investment_summary.{column}"
        wrong = np.array(SUMMARY[column], dtype=float)
        wrong[2] -= 2.0
        assert summary_of(summary(**{column: wrong})) == [("tables_follow", f"{place}, row 2", 2.0)]


def test_with_budgets_these_and_their_prices_are_stated_and_no_values_of_information() -> None:
    own: dict[str, Any] = {"values_are_stated": False, "budget": np.array([9000.0, np.inf])}
    rows = summary(**OF_BUDGET).drop(columns=OF_INFORMATION)
    assert summary_of(rows, **own) == []
    assert summary_of(rows.assign(budget_cny=[9000.0, np.nan, 9000.0]), **own) == [
        ("tables_follow", "investment_summary.budget_cny, row 2", np.inf)
    ]
    # Without budgets none of them is asked for.
    assert summary_of(summary(**OF_BUDGET).assign(budget_cny=5.0)) == []


def test_the_summary_has_a_row_for_each_enterprise_and_for_all() -> None:
    wanted = Violation(
        "same_rows",
        "investment_summary.enterprise_id",
        1.0,
        "rows",
        "the table has a row for every enterprise_id, in order",
    )
    rows = summary(objective_cny=0.0)
    for wrong in (rows.iloc[:2], rows.iloc[[1, 0, 2]], rows.assign(enterprise_id=["e", "f", "all"])):
        assert list(says.summary_follows(derived_of(), wrong, COSTS, [AT_MEAN, LEAST], np.zeros(2))) == [wanted]
