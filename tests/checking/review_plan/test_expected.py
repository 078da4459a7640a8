"""Tables that follow from the pairs of a plan of reviews, and the least days of its groups, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from etsopt.checking.review_plan.expected import groups_of, plan_of, trips_of, uncovered_of
from etsopt.checking.review_plan.least_days import _of_place, least_days
from etsopt.checking.review_plan.required import LEVELS, Required
from tests.checking.review_plan.small import Enterprise, required

MUNICIPAL, PROVINCIAL, NATIONAL = LEVELS


def small() -> Required:
    own = [
        Enterprise("a", 100.0, place="X", days=(1 / 3, 2.0), drawn=(True, False)),
        Enterprise("b", 0.0, place="X", days=(1.0, 2.0)),
        Enterprise("c", 50.0, days=(1.0, 2.0), drawn=(False, True)),
        Enterprise("d", 0.5, "Gansu", days=(1.0, 1 / 7)),
        Enterprise("e", 50.0, "Gansu", days=(1.0, 1 / 7)),
        Enterprise("f", 0.0, "Gansu"),
    ]
    return required(own, {PROVINCIAL: 5.0, NATIONAL: 6.0}, {PROVINCIAL: 1, NATIONAL: 2}, travel=(1 / 9, 0.5))


def plan(required: Required) -> pd.DataFrame:
    pairs = [(NATIONAL, "d"), (PROVINCIAL, "b"), (PROVINCIAL, "a"), (MUNICIPAL, "c"), (NATIONAL, "c"), (NATIONAL, "a")]
    return plan_of(required, pd.DataFrame(pairs, columns=["level", "enterprise_id"]))


def test_a_plan_is_sorted_by_level_and_place_and_covers_an_enterprise_once() -> None:
    table = plan(small())
    assert (table["level"] + " " + table["enterprise_id"]).tolist() == [
        "municipal c",
        "provincial a",
        "provincial b",
        "national c",
        "national a",
        "national d",
    ]
    # Municipal reviews cover nothing, nor does a second one of a.
    assert table["covered_tco2e"].tolist() == [0.0, 100.0, 0.0, 50.0, 0.0, 0.5]
    assert table["at_risk_tco2e"].tolist() == [50.0, 100.0, 0.0, 50.0, 100.0, 0.5]
    assert table["reason"].tolist() == ["coverage", "drawn", "coverage", "drawn", "coverage", "risk"]
    assert table["days"].tolist() == [1.0, 1 / 3, 1.0, 2.0, 2.0, 1 / 7]
    assert table.index.tolist() == list(range(6))


def test_trips_and_days_of_each_group_are_counted() -> None:
    required_, table = small(), plan(small())
    trips = trips_of(required_, table)
    assert trips[["level", "province", "city", "enterprise_id", "reviews"]].to_numpy().tolist() == [
        ["municipal", "Fujian", "", "c", 1],
        ["provincial", "Fujian", "X", "", 2],
        ["national", "Fujian", "", "c", 1],
        ["national", "Fujian", "X", "", 1],
        ["national", "Gansu", "", "d", 1],
    ]
    assert trips["travel_days"].tolist() == [0.0, 1 / 9, 0.5, 0.5, 0.5]
    groups = groups_of(required_, table, trips).set_index(["level", "province"])
    columns = ["enterprises", "reviews", "least_reviews", "drawn", "covered_tco2e"]
    assert groups[columns].to_numpy().tolist() == [
        [3, 1, 3, 0, 0],
        [3, 0, 3, 0, 0],
        [3, 2, 1, 1, 100],
        [3, 0, 1, 0, 0],
        [6, 3, 2, 1, 50.5],
    ]
    # Six decimals of each, and of what is left.
    days = ["review_days", "travel_days", "left_days"]
    assert groups.loc[(PROVINCIAL, "Fujian"), days].tolist() == [1.333333, 0.111111, 3.555556]
    assert groups.loc[(NATIONAL, ""), days].tolist() == [4.142857, 1.5, 0.357143]
    assert groups.loc[(PROVINCIAL, "Gansu"), days].tolist() == [0.0, 0.0, 5.0]


def test_what_is_left_uncovered_is_listed_the_largest_first() -> None:
    left = uncovered_of(small(), plan(small()).query("level != 'national'"))
    assert left["enterprise_id"].tolist() == ["c", "e", "d"]
    assert left["at_risk_tco2e"].tolist() == [50.0, 50.0, 0.5]
    assert left.index.tolist() == [0, 1, 2]


@pytest.mark.parametrize("available", [1.0, 0.5000004])
def test_days_that_are_left_are_rounded_to_six_decimals(available: float) -> None:
    one = required([Enterprise("a", 1.0, days=(0.25, 1.0))], {PROVINCIAL: available}, travel=(0.125, 0.0))
    pairs = pd.DataFrame([(PROVINCIAL, "a")], columns=["level", "enterprise_id"])
    table = plan_of(one, pairs)
    left = groups_of(one, table, trips_of(one, table)).loc[1, "left_days"]
    assert left == (0.625 if available == 1.0 else 0.125)


def test_the_least_days_at_a_place_take_what_is_drawn_and_the_cheapest_others() -> None:
    inf = np.inf
    assert _of_place(np.array([]), np.array([3.0, 1.0]), 0.5).tolist() == [0.0, 1.5, 4.5]
    # A trip and the review of nothing drawn would be no cheaper than none.
    assert _of_place(np.array([2.0]), np.array([3.0, 1.0]), 0.5).tolist() == [inf, 2.5, 3.5, 6.5]


@pytest.mark.parametrize(
    ("least", "drawn", "days"),
    [
        (0, "", 0.0),
        (1, "", 1.5),
        # The cheapest of two places take less than both of one.
        (2, "", 3.0),
        (3, "", 5.0),
        (4, "", 8.5),
        (1, "a", 2.5),
        (1, "ad", 6.0),
        (3, "d", 6.5),
        (0, "abcd", 8.5),
    ],
)
def test_the_least_days_of_a_group_are_those_of_its_best_places(least: int, drawn: str, days: float) -> None:
    rows = [("a", "X", 2.0), ("b", "X", 1.0), ("c", "Y", 1.0), ("d", "Z", 3.0)]
    own = [
        Enterprise(name, 1.0, place=place, days=(needed, 9.0), drawn=(name in drawn, False))
        for name, place, needed in rows
    ]
    found = least_days(required(own, {PROVINCIAL: 1.0}, {PROVINCIAL: least}, travel=(0.5, 0.0)))
    assert found[PROVINCIAL, "Fujian"] == days
    assert found[MUNICIPAL, "Fujian"] == 4.0
