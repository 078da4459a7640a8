"""The checker of investments: worse decisions, forged numbers, hints that prove nothing, and bounds that none lifts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking import Verdict
from etsopt.checking.investment import bound as bounds
from etsopt.checking.investment.objective import Objective
from etsopt_models._investment.programs import PreparedInvestment
from tests.investments import by_hand, random_investment, two_scenarios
from tests.judging import check

Tables = dict[str, pd.DataFrame]
CVAR = {"investment.cvar_weight": 0.5, "investment.cvar_level": 0.6}


@dataclass(frozen=True)
class Stated:
    name: str
    value: float


def report_on(instance: etsopt.Instance, tables: Tables, result: etsopt.Results, gap: float = 0.0) -> Verdict:
    """The report on tables whose cost is stated as the tables have it."""
    summary = tables["investment_summary"]
    value = float(summary["objective_cny"].iloc[-1])
    levels = [Stated(level.name, level.value) for level in result.levels if level.name != "cost"]
    return check(instance, tables, [*levels, Stated("cost", value)], gap, "investment")


def deciding(
    instance: etsopt.Instance, decide: Callable[[np.ndarray], np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> tuple[Tables, etsopt.Results]:
    """Tables in which every number follows from another decision than the best one."""
    installed = PreparedInvestment.installed
    with monkeypatch.context() as patch:
        patch.setattr(PreparedInvestment, "installed", lambda self, install: decide(installed(self, install)))
        # The claim of the objective is that of the true answer, and is stated again by `report_on`.
        patch.setattr("etsopt.running.solve_task.judge", lambda *_: Verdict((), ()))
        result = etsopt.solve(instance, "investment")
    return result.tables, result


def test_the_best_decision_is_certified() -> None:
    for instance in (by_hand(), two_scenarios(), random_investment(1)):
        result = etsopt.solve(instance, "investment")
        report = report_on(instance, result.tables, result)
        assert report.violations == ()
        assert report.status == "certified_optimal"


def test_another_decision_is_no_answer_that_is_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = by_hand()
    tables, result = deciding(instance, np.zeros_like, monkeypatch)
    report = report_on(instance, tables, result)
    # All that is stated of waiting is true, and that it is 100,000 CNY dearer than the best decision is found.
    assert report.violations == ()
    assert not report.certified
    assert report.levels[-1].gap == pytest.approx(100_000, abs=1)
    assert report_on(instance, tables, result, gap=0.2).status == "certified_gap"


@pytest.mark.everyday("policy1")
@pytest.mark.parametrize("policy", [CVAR, {"investment.budget_cny": 4e6}, {"investment.budget_cny": 4e6} | CVAR])
def test_without_combinations_the_multipliers_alone_bound_within_a_gap(
    policy: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = random_investment(3, units=8).with_policy(policy)
    result = etsopt.solve(instance, "investment")
    exact = report_on(instance, result.tables, result).levels[-1]
    monkeypatch.setattr(bounds, "INVESTMENT_COMBINATIONS_MAX", 0)
    level = report_on(instance, result.tables, result).levels[-1]
    assert level.bound <= exact.bound + exact.tolerance
    # At most what the last investment would save that does not fit into a budget, or weights that are not whole.
    assert 0 <= level.gap <= 1e6


def test_no_weights_and_multipliers_lift_the_bound_above_the_best_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = random_investment(3).with_policy({"investment.budget_cny": 4e6} | CVAR)
    result = etsopt.solve(instance, "investment", gap=0.0)
    best = result.levels[-1].value
    monkeypatch.setattr(bounds, "INVESTMENT_COMBINATIONS_MAX", 0)
    rng = np.random.default_rng(1)
    for _ in range(8):
        costs, summary = result.tables["scenario_costs"], result.tables["investment_summary"]
        weights, prices = rng.exponential(1, len(costs)), rng.exponential(0.3, len(summary))
        forged = result.tables | {
            "scenario_costs": costs.assign(weight=weights),
            "investment_summary": summary.assign(budget_shadow_price=np.append(prices[:-1], np.nan)),
        }
        report = report_on(instance, forged, result)
        assert report.levels[-1].bound <= best + report.levels[-1].tolerance


def test_weights_nearby_are_those_that_cvar_allows() -> None:
    rng = np.random.default_rng(2)
    for _ in range(50):
        chance, weight, tail = rng.dirichlet(np.ones(5)), rng.uniform(0, 1), rng.uniform(0.05, 1)
        objective = Objective(chance, tail, weight)
        weights = objective.nearest_weights(rng.normal(0.2, 0.5, (3, 5)))
        lower = (1 - weight) * chance
        assert (weights >= lower - 1e-12).all()
        assert (weights <= lower + weight * chance / tail + 1e-12).all()
        assert weights.sum(axis=1) == pytest.approx(1)
        costs = rng.normal(0, 1, 5)
        # The mean by any of them is a lower bound of the objective.
        assert (weights @ costs <= objective.value(costs) + 1e-12).all()


def changed(tables: Tables, name: str, column: str, value: object, row: int = 0) -> Tables:
    cells = tables[name][column].copy()
    cells.iloc[row] = value
    return tables | {name: tables[name].assign(**{column: cells})}


@pytest.mark.everyday("measures_are_on_offer")
@pytest.mark.parametrize(
    ("name", "column", "value", "rule"),
    [
        ("investments", "installed", False, "same_rows"),
        ("investments", "installed_at_mean", True, "at_mean"),
        ("investments", "measure_id", "other", "measures_are_on_offer"),
        ("investments", "investment_cny", 4_000_000.0, "tables_follow"),
        ("investments", "first_year", 2026.0, "tables_follow"),
        ("operations", "runs", False, "tables_follow"),
        ("operations", "scenario", "middle", "measures_are_on_offer"),
        ("scenario_years", "bought_t", -1.0, "not_negative"),
        ("scenario_years", "sold_t", 15_000.0, "borrowing"),
        ("scenario_years", "bought_t", 9_000.0, "held"),
        ("scenario_years", "price_cny_per_t", 100.0, "tables_follow"),
        ("scenario_costs", "probability", 0.4, "tables_follow"),
        ("scenario_costs", "regret_cny", 10.0, "tables_follow"),
        ("scenario_costs", "weight", 0.6, "weights"),
        ("investment_summary", "value_of_stochastic_solution_cny", 0.0, "tables_follow"),
        ("investment_summary", "price_year", 2024, "tables_follow"),
    ],
)
def test_a_number_that_does_not_follow_is_refused_by_its_rule(name: str, column: str, value: object, rule: str) -> None:
    result = etsopt.solve(by_hand(), "investment")
    report = report_on(by_hand(), changed(result.tables, name, column, value), result)
    assert rule in {violation.rule for violation in report.violations}


def test_an_investment_above_the_budget_is_refused() -> None:
    instance = by_hand().with_policy({"investment.budget_cny": 6e6})
    result = etsopt.solve(instance, "investment")
    report = report_on(by_hand().with_policy({"investment.budget_cny": 4e6}), result.tables, result)
    assert {"budget", "tables_follow"} <= {violation.rule for violation in report.violations}


def test_a_multiplier_of_a_budget_beyond_every_saving_is_refused() -> None:
    instance = by_hand().with_policy({"investment.budget_cny": 6e6})
    result = etsopt.solve(instance, "investment")
    for price in (1.0, -1.0):
        forged = changed(result.tables, "investment_summary", "budget_shadow_price", price)
        report = report_on(instance, forged, result)
        assert "budget_prices" in {violation.rule for violation in report.violations}


def test_what_excludes_or_requires_another_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = random_investment(3)
    result = etsopt.solve(instance, "investment")
    rows = result.tables["investments"]
    every = result.tables | {"investments": rows.assign(installed=True)}
    report = report_on(instance, every, result)
    # The rows of what may run are those of what is installed, so that the decision alone is refused already.
    assert {violation.rule for violation in report.violations} == {"same_rows"}
    lasting = instance.measures.assign(stops="no") if instance.measures is not None else None
    frames = {name: frame for name, frame in instance.tables.items() if name != "measures"}
    policy = instance.policy.model_dump(exclude_unset=True, exclude_none=True)
    without_stops = etsopt.Instance.from_frames(policy=policy, measures=lasting, **frames)
    result = etsopt.solve(without_stops, "investment")
    for installed, rule in ((True, "exclusive_group"), (rows["measure_id"] == "m1", "requires")):
        forged = result.tables | {"investments": result.tables["investments"].assign(installed=installed)}
        assert rule in {violation.rule for violation in report_on(without_stops, forged, result).violations}
