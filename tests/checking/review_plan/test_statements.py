"""Statements on the tables of a plan of reviews, each at the edge of what it tolerates."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.cells import are_whole
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.checking.review_plan.bound import Prices
from etsopt.checking.review_plan.expected import groups_of, plan_of, trips_of
from etsopt.checking.review_plan.required import LEVELS, required_of
from etsopt.checking.review_plan.review_plan import (
    _compared,
    _missing,
    _pairs,
    _prices,
    _requirements,
    _summary,
    check,
)
from etsopt.checking.theorem import MISSING, OWN_TABLES
from etsopt.checking.verdict import LevelCheck, Violation
from tests.checking.review_plan.small import Enterprise, required
from tests.review_plans import by_hand

MUNICIPAL, PROVINCIAL, NATIONAL = LEVELS
COLUMNS = OWN_TABLES["review_plan"]


@cache
def tables() -> dict[str, pd.DataFrame]:
    return dict(etsopt.solve(by_hand(), "review_plan").tables)


def named(violations: Iterable[Violation]) -> dict[str, float]:
    return {violation.where: violation.amount for violation in violations}


def test_every_table_and_column_is_present_and_of_its_kind() -> None:
    assert are_whole(tables(), COLUMNS) == []
    without = {name: table for name, table in tables().items() if name != "trips"}
    assert are_whole(without, COLUMNS) == [Violation("tables", "trips", 1.0, "tables", "the table is present")]
    for column, cells, demand in (
        ("days", "two", "holds numbers"),
        ("days", np.nan, "holds finite numbers"),
        ("reason", 1.0, "holds strings"),
    ):
        changed = tables() | {"plan": tables()["plan"].assign(**{column: cells})}
        wanted = Violation("tables", f"plan.{column}", 1.0, "columns", f"the column {demand}")
        assert are_whole(changed, COLUMNS) == [wanted]


def test_only_days_without_a_limit_are_absent() -> None:
    days = tables()["review_days"]
    for column, refused in (("available_days", False), ("left_days", False), ("review_days", True)):
        changed = tables() | {"review_days": days.assign(**{column: np.nan})}
        assert named(are_whole(changed, COLUMNS)) == ({f"review_days.{column}": 1.0} if refused else {})
        changed = tables() | {"review_days": days.assign(**{column: "none"})}
        assert named(are_whole(changed, COLUMNS)) == {f"review_days.{column}": 1.0}
    # Where a plan is missing days, those that are available are known.
    missing = pd.DataFrame({"available_days": [2.0], "needed_days": 3.0})
    unknown = missing.assign(available_days=np.nan)
    assert set(named(_compared(MISSING, unknown, missing))) == {f"{MISSING}.available_days"}


def test_a_row_is_the_only_review_of_a_known_enterprise_at_a_known_level() -> None:
    one = required([Enterprise("a", 1.0)], {})
    rows = pd.DataFrame({"level": [PROVINCIAL, NATIONAL, "local", NATIONAL], "enterprise_id": ["a", "z", "a", "z"]})
    of_instance = "a review is of an enterprise of the instance, at a level"
    assert list(_pairs(one, rows)) == [
        *(Violation("reviews", name, 1.0, "rows", of_instance) for name in "zaz"),
        Violation("reviews", "z", 1.0, "rows", "an enterprise is reviewed once at a level"),
    ]


def test_cells_follow_from_the_reviews_within_a_hundred_thousandth_of_a_day() -> None:
    expected = pd.DataFrame({"level": [PROVINCIAL, NATIONAL], "review_days": [2.0, 1e6], "left_days": [1.0, np.nan]})
    message = "the column follows from the reviews"
    assert list(_compared("review_days", expected, expected)) == []
    assert list(_compared("review_days", expected.iloc[:0], expected.iloc[:0])) == []
    longer = list(_compared("review_days", pd.concat([expected] * 2), expected))
    assert longer == [Violation("tables_follow_plan", "review_days", 2.0, "rows", "the table has 2 rows")]
    swapped = list(_compared("review_days", expected.assign(level=NATIONAL), expected))
    assert swapped == [Violation("tables_follow_plan", "review_days.level", 1.0, "cells", message)]
    absent = list(_compared("review_days", expected.assign(left_days=[1.0, 0.0]), expected))
    assert absent == [Violation("tables_follow_plan", "review_days.left_days", np.inf, "days", message)]
    nothing = expected.assign(review_days=0.0)
    assert list(_compared("review_days", nothing.assign(review_days=1e-5), nothing)) == []
    # Beside that, a billionth of the quantity: 1e-3 of a million days.
    for row, off, refused in ((0, 0.9e-5, False), (0, 1.1e-5, True), (1, 1.0e-3, False), (1, 1.1e-3, True)):
        stated = expected.copy()
        stated.loc[row, "review_days"] += off
        found = named(_compared("review_days", stated, expected))
        assert found == ({"review_days.review_days": pytest.approx(off, rel=1e-3)} if refused else {})


def test_draws_and_municipal_reviews_are_in_the_plan() -> None:
    own = [Enterprise("a", 5.0, drawn=(True, False)), Enterprise("b", 4.0, drawn=(False, True))]
    one = required(own, {})
    pairs = [(MUNICIPAL, "a"), (MUNICIPAL, "b"), (PROVINCIAL, "a"), (NATIONAL, "b")]

    def without(place: int | None) -> list[Violation]:
        rows = [pair for number, pair in enumerate(pairs) if number != place]
        plan = plan_of(one, pd.DataFrame(rows, columns=["level", "enterprise_id"]))
        groups = groups_of(one, plan, trips_of(one, plan)).assign(least_reviews=0)
        return list(_requirements(one, plan, groups))

    every, drawn = "every enterprise has a municipal review", "a drawn enterprise is reviewed"
    assert without(None) == []
    assert without(1) == [Violation("every_enterprise", "b, municipal", 1.0, "reviews", every)]
    assert without(2) == [Violation("drawn", "a, provincial", 1.0, "reviews", drawn)]
    assert without(3) == [Violation("drawn", "b, national", 1.0, "reviews", drawn)]


def test_a_group_has_its_least_number_and_keeps_its_days() -> None:
    one, plan = required([Enterprise("a", 5.0)], {}), pd.DataFrame({"level": [MUNICIPAL], "enterprise_id": ["a"]})
    row = {"level": NATIONAL, "province": "", "reviews": 3, "least_reviews": 3}
    row |= {"review_days": 4.0, "travel_days": 2.0, "available_days": 6.0}

    def of(**changes: float) -> list[Violation]:
        return list(_requirements(one, plan, pd.DataFrame([row | changes])))

    assert of() == of(available_days=6.0 - 0.9e-5) == of(available_days=np.nan) == []
    assert of(review_days=1e-5, travel_days=0.0, available_days=0.0) == []
    message = "a group has its least number of reviews"
    assert of(reviews=1) == [Violation("enough_reviews", "national", 2.0, "reviews", message)]
    (over,) = of(available_days=6.0 - 1.1e-5)
    assert (over.rule, over.where, over.unit) == ("days_of_group", "national", "days")
    assert over.amount == pytest.approx(1.1e-5)


# A day covers 50 t of a, 30 t of c or 40 t of b, which is drawn as d is; in all 260 t are at risk.
PRICED = required(
    [
        Enterprise("a", 100.0, days=(2.0, 1.0)),
        Enterprise("b", 120.0, days=(1.0, 3.0), drawn=(True, True)),
        Enterprise("c", 30.0),
        Enterprise("d", 10.0, "Gansu", drawn=(True, False)),
    ],
    {MUNICIPAL: 9.0, PROVINCIAL: 5.0},
    {MUNICIPAL: 3, PROVINCIAL: 1, NATIONAL: 2},
)


@pytest.mark.parametrize(
    ("group", "day", "review"),
    [
        # Municipal reviews are fixed, as is all of South; the one review of North is that of b, which is drawn.
        (0, 0.0, 0.0),
        (2, 50.0, 0.0),
        (3, 0.0, 0.0),
        # National days have no limit, and one review is not drawn.
        (4, 0.0, 260.0),
    ],
)
def test_a_price_is_at_most_what_a_day_or_a_review_can_be_worth(group: int, day: float, review: float) -> None:
    groups = PRICED.groups.reset_index().rename(columns={"available": "available_days", "least": "least_reviews"})
    where = " ".join(PRICED.groups.index[group]).strip()

    def off(day_off: float, review_off: float) -> dict[str, float]:
        days, reviews = np.zeros(5), np.zeros(5)
        days[group], reviews[group] = day + day_off, review + review_off
        return named(_prices(PRICED, groups, days, reviews))

    assert off(0.0, 0.0) == off(day * 0.9e-9, review * 0.9e-9) == {}
    # A billionth of it is rounding.
    for share in (1.2e-9, 1e-3):
        if day:
            found = off(day * share, 0.0)
            assert found == {f"further_day_covers_tco2e, {where}": pytest.approx(day * (share - 1e-9), rel=1e-5)}
        if review:
            found = off(0.0, review * share)
            assert found == {f"further_review_costs_tco2e, {where}": pytest.approx(review * (share - 1e-9), rel=1e-5)}
    above = off(0.25, 0.0)
    assert above == {f"further_day_covers_tco2e, {where}": pytest.approx(0.25, abs=1e-6)}
    assert off(0.0, 0.25) == {f"further_review_costs_tco2e, {where}": pytest.approx(0.25, abs=1e-6)}
    assert off(-day - 0.25, 0.0) == {f"further_day_covers_tco2e, {where}": 0.25}
    assert off(0.0, -review - 0.25) == {f"further_review_costs_tco2e, {where}": 0.25}


def test_the_summary_has_exact_counts_and_tonnes_within_their_rounding() -> None:
    instance = by_hand()
    own = required_of(InstanceInputs.of(instance))
    zero = np.zeros(len(own.groups))
    prices = Prices.of(own.groups, zero, zero)
    true = pd.DataFrame(
        {
            "enterprises": [4.0],
            "seed": [float(instance.policy.review_plan.seed)],
            "at_risk_tco2e": [290.0],
            "covered_tco2e": [240.0],
            "uncovered_tco2e": [50.0],
            "priced_bound_tco2e": [0.0],
        }
    )
    assert list(_summary(InstanceInputs.of(instance), own, true, 50.0, prices)) == []
    for column in true:
        # 20 kg and 1e-8 of all tonnes at risk, 2.9e-6.
        for off in (0.020002, 0.020004) if column.endswith("tco2e") else (0.0, 0.001):
            found = named(
                _summary(InstanceInputs.of(instance), own, true.assign(**{column: true[column] + off}), 50.0, prices)
            )
            assert found == ({str(column): pytest.approx(off)} if off in (0.020004, 0.001) else {})
    (violation,) = _summary(InstanceInputs.of(instance), own, true.assign(covered_tco2e=0.0), 50.0, prices)
    assert violation == Violation("summary", "covered_tco2e", 240.0, "tco2e", "it is 240")


def test_missing_days_are_those_of_groups_that_have_too_few() -> None:
    own = [Enterprise("a", 1.0, days=(2.0, 3.0)), Enterprise("b", 1.0, days=(1.0, 3.0), drawn=(False, True))]
    one = required(own, {MUNICIPAL: 2.0, PROVINCIAL: 0.5, NATIONAL: 2.0}, {PROVINCIAL: 1})
    rows = [(PROVINCIAL, "Fujian", 2, 1, 0.5, 1.0, 0.5), (NATIONAL, "", 2, 1, 2.0, 3.0, 1.0)]
    columns = ["level", "province", "enterprises", "needed_reviews", "available_days", "needed_days", "missing_days"]
    stated = pd.DataFrame(rows, columns=columns)
    report = _missing(one, stated)
    assert report.violations == ()
    assert report.levels == (LevelCheck(MISSING, "days", 1.5, 1.5, 0.0, 2e-5),)
    assert report.missing_days == 1.5
    assert named(_missing(one, stated.iloc[:1]).violations) == {MISSING: 1.0}
    # Rounding is nothing that is missing.
    enough = required(own, {PROVINCIAL: 1.0 - 0.9e-5}, {PROVINCIAL: 1})
    assert _missing(enough, stated.iloc[:0]).levels == (LevelCheck(MISSING, "days", 0.0, 0.0, 0.0, 1e-5),)
    short = [Enterprise("a", 1.0, days=(1e-5, 1.0))]
    assert _missing(required(short, {PROVINCIAL: 0.0}, {PROVINCIAL: 1}), stated.iloc[:0]).missing_days == 0.0
    less = required(own, {PROVINCIAL: 1.0 - 1.1e-5}, {PROVINCIAL: 1})
    assert named(_missing(less, stated.iloc[:0]).violations) == {MISSING: 1.0}


def test_a_summary_has_one_row_and_a_table_that_is_missing_ends_the_check() -> None:
    twice = pd.concat([tables()["review_summary"]] * 2, ignore_index=True)
    (violation,) = check(InstanceInputs.of(by_hand()), tables() | {"review_summary": twice}, 0.0).violations
    assert violation == Violation("tables", "review_summary", 1.0, "rows", "the summary has one row")
    report = check(InstanceInputs.of(by_hand()), {"plan": tables()["plan"]}, 0.0)
    assert {one.where for one in report.violations} == set(COLUMNS) - {"plan"}
    # A table that does not follow from the plan ends it as well.
    wrong = tables() | {"trips": tables()["trips"].assign(reviews=9)}
    report = check(InstanceInputs.of(by_hand()), wrong, 0.0)
    assert named(report.violations).keys() == {"trips.reviews"}
    assert report.levels == ()
    found = check(InstanceInputs.of(by_hand()), tables(), 0.25).levels
    assert found == (LevelCheck("uncovered", "t", 50.0, found[0].bound, 50.0 - found[0].bound, 0.02, asked=12.5),)
