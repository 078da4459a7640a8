"""The checker of plans of reviews: every requirement, forged prices and claims, and bounds that no price can lift."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.checking.review_plan import bound as bounds
from etsopt.checking.review_plan.bound import Prices, best_bound, bound
from etsopt.checking.review_plan.required import COUNTING, required_of
from etsopt.running import run
from tests.judging import check
from tests.review_plans import PLAN, best_by_brute_force, by_hand, instance_of, random_reviews

Tables = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Stated:
    name: str
    value: float


def rules(instance: etsopt.Instance, tables: Tables, *levels: Stated, gap: float = 0.0) -> set[str]:
    report = check(instance, tables, levels, gap, "review_plan")
    return {violation.rule for violation in report.violations}


def planned(instance: etsopt.Instance, chosen: Callable[[pd.DataFrame], pd.Series[bool]]) -> Tables:
    """The tables of the solved plan without some of its reviews, otherwise consistent with what is left."""
    from etsopt.checking.review_plan.expected import groups_of, plan_of, trips_of, uncovered_of

    tables = etsopt.solve(instance, "review_plan").tables
    required = required_of(InstanceInputs.of(instance))
    rows = tables["plan"]
    plan = plan_of(required, rows[chosen(rows)][["level", "enterprise_id"]])
    trips = trips_of(required, plan)
    groups = groups_of(required, plan, trips)
    priced = tables["review_days"][["further_day_covers_tco2e", "further_review_costs_tco2e"]]
    left = uncovered_of(required, plan)
    value = left["at_risk_tco2e"].sum()
    summary = tables["review_summary"].assign(
        uncovered_tco2e=value, covered_tco2e=tables["review_summary"]["at_risk_tco2e"] - value
    )
    return tables | {
        "plan": plan.drop(columns="place"),
        "trips": trips,
        "review_days": groups.join(priced),
        "uncovered": left,
        "review_summary": summary,
    }


def test_a_plan_that_lacks_a_requirement_is_refused_by_its_name() -> None:
    instance = by_hand(PLAN | {"provincial": PLAN["provincial"] | {"days": 5.0, "least": 1}, "seed": 1})
    whole = planned(instance, lambda rows: rows["days"] > 0)
    value = float(whole["uncovered"]["at_risk_tco2e"].sum())
    assert rules(instance, whole, Stated("uncovered", value)) == set()
    without = {
        "every_enterprise": lambda rows: ~((rows["level"] == "municipal") & (rows["enterprise_id"] == "c")),
        "enough_reviews": lambda rows: ~((rows["level"] == "provincial") & (rows["province"] == "Gansu")),
    }
    for rule, chosen in without.items():
        tables = planned(instance, chosen)
        left = float(tables["uncovered"]["at_risk_tco2e"].sum())
        assert rule in rules(instance, tables, Stated("uncovered", left)) <= {rule, "enough_reviews"}
    fewer_days = instance.with_policy({"review_plan.provincial.days": 2.5})
    assert "days_of_group" in rules(fewer_days, whole, Stated("uncovered", value))
    drawn = instance.with_policy({"review_plan.national": {"days": 2.0, "travel_days": 1.0, "drawn": 4}})
    assert "drawn" in rules(drawn, whole, Stated("uncovered", value))


def test_rows_of_no_review_and_wrong_objectives_are_refused() -> None:
    instance, result = by_hand(), etsopt.solve(by_hand(), "review_plan")
    tables, plan, value = result.tables, result.tables["plan"], Stated("uncovered", 50.0)
    for broken in (
        pd.concat([plan, plan.iloc[[0]]], ignore_index=True),
        plan.assign(enterprise_id=plan["enterprise_id"].replace("a", "z")),
        plan.assign(level=plan["level"].replace("national", "local")),
    ):
        assert rules(instance, tables | {"plan": broken}, value) == {"reviews"}
    assert rules(instance, tables, Stated("uncovered", 49.0)) == {"level_is_kept"}
    assert rules(instance, tables, Stated("covered", 50.0)) == {"levels"}
    assert rules(instance, tables) == set()
    assert rules(instance, tables | {"review_summary": tables["review_summary"].iloc[:0]}, value) == {"tables"}


def test_a_worse_plan_is_no_lie_but_not_proven() -> None:
    # Without b the plan leaves 110 t; every statement holds, and the gap is what the best plan would cover more.
    instance = by_hand()
    tables = planned(instance, lambda rows: ~((rows["level"] == "provincial") & (rows["enterprise_id"] == "b")))
    report = check(instance, tables, [Stated("uncovered", 110.0)], 0.0, "review_plan")
    (level,) = report.levels
    assert report.violations == ()
    assert not report.certified
    assert level.value == 110.0
    assert level.bound == pytest.approx(50.0, abs=1e-6)
    assert check(instance, tables, [Stated("uncovered", 110.0)], 0.6, "review_plan").status == "certified_gap"


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("kept", [(), COUNTING[:1], COUNTING[1:], COUNTING])
def test_no_price_lifts_a_bound_above_the_best_plan(seed: int, kept: tuple[str, ...]) -> None:
    instance = random_reviews(seed, 5, least=seed % 2 == 0)
    best, required = best_by_brute_force(instance), required_of(InstanceInputs.of(instance))
    random = np.random.default_rng(seed)
    for size in (1.0, 1e3, 1e9):
        day, review = (size * random.standard_normal(len(required.groups)) for _ in range(2))
        found = bound(required, Prices.of(required.groups, day, review), kept)
        # Without a plan any bound is one.
        assert best is None or found <= best + 1e-6
    # With the days of both levels kept and nothing else required, nothing is left open.
    if best is not None and kept == COUNTING and seed % 2:
        zero = np.zeros(len(required.groups))
        assert bound(required, Prices.of(required.groups, zero, zero), kept) == pytest.approx(best, abs=1e-4)


def test_forged_prices_and_bounds_are_refused() -> None:
    instance = random_reviews(5, 9, least=True)
    result = etsopt.solve(instance, "review_plan")
    assert result.certified
    groups, summary = result.tables["review_days"], result.tables["review_summary"]

    def refused(**tables: pd.DataFrame) -> set[str]:
        report = run.check(instance, replace(result, tables=result.tables | tables))
        return {violation.rule for violation in report.violations}

    column = "further_day_covers_tco2e"
    limited = groups["available_days"].notna() & (groups["level"] != "municipal")
    assert refused(review_days=groups.assign(**{column: groups[column] + 50.0 * limited})) >= {"summary"}
    assert "prices" in refused(review_days=groups.assign(**{column: groups[column] - 1e6}))
    assert refused(review_summary=summary.assign(priced_bound_tco2e=summary["priced_bound_tco2e"] + 1.0)) >= {"summary"}
    # Both together state a true bound; the proof of the plan does not depend on them where all days are kept.
    report = run.check(instance, replace(result, tables=result.tables | {"review_summary": summary}))
    assert report.violations == ()
    claimed = replace(result, levels=(replace(result.levels[0], bound=result.levels[0].value + 5.0, gap=-5.0),))
    assert {violation.rule for violation in run.check(instance, claimed).violations} == {"claim"}


def test_days_that_are_no_part_of_a_day_are_rounded_down_and_the_bound_stays_one() -> None:
    rows = [("a", "Fujian", "", 100.0, 1.000001), ("b", "Fujian", "", 60.0, 1.333333), ("c", "Fujian", "", 50.0, 0.1)]
    names = ["enterprise_id", "province", "city", "at_risk_tco2e", "review_days"]
    instance = instance_of(pd.DataFrame(rows, columns=names), {"provincial": {"days": 2.333333}})
    required = required_of(InstanceInputs.of(instance))
    best = best_by_brute_force(instance.with_policy({"review_plan.national.days": 0.0}))
    zero = np.zeros(len(required.groups))
    assert best == 60.0
    # In hundredths a and b take 2.33 of 2.33 days, so that the bound believes in both.
    closed = required_of(InstanceInputs.of(instance.with_policy({"review_plan.national.days": 0.0})))
    assert bound(closed, Prices.of(closed.groups, zero, zero), COUNTING) == pytest.approx(50.0, abs=1e-6)


def test_a_bound_that_would_take_too_long_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = random_reviews(5, 9, least=False)
    result = etsopt.solve(instance, "review_plan")
    required = required_of(InstanceInputs.of(instance))
    day, review = (
        result.tables["review_days"][name].to_numpy()
        for name in ("further_day_covers_tco2e", "further_review_costs_tco2e")
    )
    prices = Prices.of(required.groups, day, review)
    value = result.levels[0].value
    monkeypatch.setattr(bounds, "REVIEW_CELLS_MAX", 0.0)
    assert best_bound(required, prices, value, 0.0) == 0.0
    monkeypatch.setattr(bounds, "REVIEW_CELLS_MAX", 1e9)
    monkeypatch.setattr(bounds, "DAY_STATES_MAX", 2)
    assert best_bound(required, prices, value, 0.0) <= value


def test_missing_days_are_refused_where_there_is_a_plan() -> None:
    instance: Any = by_hand({"municipal": {"days": 2.5}})
    tables = etsopt.solve(instance, "review_plan").tables
    report = check(instance, tables, (), 0.0, "review_plan")
    assert report.certified
    assert report.missing_days == pytest.approx(0.5)
    enough = instance.with_policy({"review_plan.municipal.days": 4.0})
    report = check(enough, tables, (), 0.0, "review_plan")
    assert not report.certified
    assert {violation.rule for violation in report.violations} == {"tables_follow_plan"}
    assert not check(enough, {"missing_days": tables["missing_days"].iloc[:0]}, (), 0.0, "review_plan").certified
