"""Plans of reviews: solved by hand, against every subset, and what the draws and the days change."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.checking.review_plan.required import required_of
from etsopt.common.errors import DataError
from etsopt_models._review_plan import reviews_of
from tests.review_plans import PLAN, best_by_brute_force, by_hand, instance_of, random_reviews


def solved(instance: etsopt.Instance, **options: Any) -> etsopt.Results:
    return etsopt.solve(instance, "review_plan", **options)


def reviewed(result: etsopt.Results, level: str) -> str:
    plan = result.tables["plan"]
    return "".join(plan.loc[plan["level"] == level, "enterprise_id"])


def test_the_plan_solved_by_hand() -> None:
    # Fujian has 3 days: a trip to X and both enterprises there take 1 + 1 + 1 and cover 160 t; Y and c take 2 for 50 t.
    # Gansu has 1 day, and d takes 2. The national level has 2 days, for d (80 t) or c (50 t). So c is left.
    result = solved(by_hand())
    assert result.status == "certified_optimal"
    assert [reviewed(result, level) for level in ("municipal", "provincial", "national")] == ["abcd", "ab", "d"]
    (level,) = result.levels
    assert (level.name, level.unit, level.value) == ("uncovered", "t", 50.0)
    assert result.tables["uncovered"][["enterprise_id", "at_risk_tco2e"]].to_numpy().tolist() == [["c", 50.0]]
    plan = result.tables["plan"].set_index(["level", "enterprise_id"])
    assert plan["reason"].tolist() == ["coverage"] * 4 + ["risk"] * 3
    assert plan["covered_tco2e"].tolist() == [0.0] * 4 + [100.0, 60.0, 80.0]
    groups = result.tables["review_days"].set_index(["level", "province"])
    north = groups.loc[("provincial", "Fujian")]
    assert north[["reviews", "review_days", "travel_days", "left_days", "covered_tco2e"]].tolist() == [2, 2, 1, 0, 160]
    trips = result.tables["trips"]
    assert trips.loc[trips["level"] == "provincial", ["province", "city", "reviews"]].to_numpy().tolist() == [
        ["Fujian", "X", 2]
    ]
    # A place without a city is the enterprise's own.
    assert trips.loc[trips["level"] == "national", "enterprise_id"].tolist() == ["d"]


def test_least_numbers_and_draws_come_first() -> None:
    # Fujian has to review all three: a trip more and a day more. The draw is forced by its number.
    every = by_hand(PLAN | {"provincial": PLAN["provincial"] | {"least_share": 0.67, "days": 5.0}})
    result = solved(every)
    assert reviewed(result, "provincial") == "abcd"
    assert result.tables["review_days"]["least_reviews"].tolist() == [3, 1, 3, 1, 0]
    sample = by_hand(PLAN | {"national": {"days": 20.0, "drawn": 4}})
    result = solved(sample)
    drawn_at_both = solved(sample.with_policy({"review_plan.provincial": {"least": 3}}))
    plan = result.tables["plan"]
    assert set(plan.loc[plan["level"] == "national", "reason"]) == {"drawn"}
    assert result.levels[0].value == 0.0
    # Provincial reviews would serve nothing; where they have to be, an enterprise counts once, at that level.
    assert reviewed(result, "provincial") == ""
    more = drawn_at_both.tables["plan"].set_index(["level", "enterprise_id"])["covered_tco2e"]
    assert more.sum() == 290.0
    assert more["provincial"].sum() == 290.0


def test_missing_days_are_proven_and_named() -> None:
    # Three enterprises in two cities take 3 + 2 x 0.5 days at the municipal level; two of Gansu's provincial level 2.
    plan = {
        "municipal": {"days": 3.25, "travel_days": 0.5},
        "provincial": {"days": 1.5, "travel_days": 1.0, "least": 1},
    }
    result = solved(by_hand(plan))
    assert (result.status, result.termination) == ("infeasible_certified", "infeasible")
    table = result.tables["missing_days"]
    found = table[["level", "province", "needed_days", "available_days", "missing_days"]].to_numpy().tolist()
    assert found == [
        ["municipal", "Fujian", 4.0, 3.25, 0.75],
        ["provincial", "Fujian", 2.0, 1.5, 0.5],
        ["provincial", "Gansu", 2.0, 1.5, 0.5],
    ]
    (level,) = result.levels
    assert (level.name, level.unit, level.value, level.bound) == ("missing_days", "days", 1.75, 1.75)
    assert result.infeasible_by_t is None


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("least", [False, True])
def test_no_subset_of_reviews_leaves_less(seed: int, least: bool) -> None:
    instance = random_reviews(seed, least=least)
    best, result = best_by_brute_force(instance), solved(instance, gap=0.0)
    if best is None:
        assert result.status == "infeasible_certified"
        return
    (level,) = result.levels
    assert level.value == pytest.approx(best, abs=0.01)
    assert level.bound <= best + 0.02
    # Without least numbers every price is kept as days, and nothing stays open.
    assert least or result.status == "certified_optimal"


def test_both_builds_of_the_program_give_one_plan() -> None:
    for instance in (by_hand(), random_reviews(3, 8), by_hand({"municipal": {"days": 1.0}})):
        one, other = (solved(instance, method=method) for method in ("direct", "pyomo"))
        assert one.status == other.status
        for name, table in one.tables.items():
            pd.testing.assert_frame_equal(table, other.tables[name])


def drawn(count: int, **plan: Any) -> set[str]:
    """The draw of 20 of so many enterprises, as the model and the checker find it."""
    rows = [(f"e{number:03d}", "Fujian", "", 1.0 + number % 7) for number in range(count)]
    enterprises = pd.DataFrame(rows, columns=["enterprise_id", "province", "city", "at_risk_tco2e"])
    instance = instance_of(enterprises, {"national": {"drawn": 20}, **plan})
    found = reviews_of(instance)
    by_model = set(found.enterprises[found.drawn.reshape(3, -1)[2]])
    by_checker = required_of(InstanceInputs.of(instance)).drawn["national"]
    assert by_model == set(by_checker.index[by_checker])
    return by_model


@pytest.mark.nightly
def test_a_draw_follows_from_seed_level_and_name_alone() -> None:
    first = drawn(100)
    assert len(first) == 20
    assert drawn(100, seed=2) != first
    assert drawn(100, drawn_by="equal") != first
    # Twenty more only take places: who stays was drawn before, and none of the hundred comes in.
    assert drawn(120) & {f"e{number:03d}" for number in range(100)} <= first
    # Large enterprises are drawn more often: over 20 draws the mean size exceeds that of all by far.
    sizes = [1.0 + int(name[1:]) % 7 for seed in range(20) for name in drawn(100, seed=seed)]
    equal = [1.0 + int(name[1:]) % 7 for seed in range(20) for name in drawn(100, seed=seed, drawn_by="equal")]
    assert np.mean(sizes) > 4.4 > np.mean(equal) > 3.5


def test_a_share_is_rounded_up_but_not_by_the_rounding_of_its_product() -> None:
    # 0.07 x 100 is 7.000000000000001 in binary fractions.
    assert len(drawn(100, national={"drawn_share": 0.07})) == 7
    assert len(drawn(100, national={"drawn_share": 0.071})) == 8
    assert len(drawn(100, national={"drawn": 500})) == 100


@pytest.mark.parametrize("seed", [0, 4])
def test_more_days_never_leave_more_and_order_does_not_matter(seed: int) -> None:
    instance = random_reviews(seed, 12)
    result = solved(instance)
    assert result.status == "certified_optimal"
    value = result.levels[0].value
    more = instance.with_policy({"review_plan.provincial.days": 6.0, "review_plan.national.days": 4.0})
    assert solved(more).levels[0].value <= value + 0.01
    assert instance.enterprises is not None
    turned = etsopt.Instance.from_frames(
        instance.units.iloc[::-1], instance.policy.model_dump(exclude_none=True), instance.enterprises.iloc[::-1]
    )
    pd.testing.assert_frame_equal(solved(turned).tables["plan"], solved(instance).tables["plan"])


def test_days_by_province_name_every_province() -> None:
    with pytest.raises(DataError, match="names other provinces than those of the enterprises: 'Gansu', 'Suoth'"):
        solved(by_hand({"provincial": {"days": {"Fujian": 1.0, "Suoth": 2.0}}}))
    with pytest.raises(DataError, match="names no province"):
        by_hand({"provincial": {"days": {}}})


def test_without_a_section_emissions_are_at_risk_and_all_is_covered() -> None:
    result = solved(etsopt.read("tiny"))
    assert result.status == "certified_optimal"
    assert result.tables["uncovered"].empty
    tiny = etsopt.read("tiny")
    assert result.tables["review_summary"]["covered_tco2e"].item() == tiny.units["emissions_tco2e"].sum()
