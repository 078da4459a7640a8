"""Allocation over merged cells: by hand, against the whole program, and by what must hold whatever the numbers."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.modelling.solving.solution import Solution, Termination
from etsopt_models._methods import allocation_aggregation
from etsopt_models._projection.polishing import Rounding
from tests.builders import allowances, given, random_instance, random_units
from tests.whole_oracle import OBJECTIVES

if TYPE_CHECKING:
    from etsopt.running.results.results import Results

ORDERS = [list(order) for count in range(5) for order in permutations(OBJECTIVES, count)]


def solve(instance: etsopt.Instance) -> Results:
    result = etsopt.solve(instance, method="aggregation")
    assert result.provenance.method == "aggregation"
    return result


def same(instance: etsopt.Instance) -> Results:
    """Solve both ways, and see that levels, allowances and certificates agree."""
    merged, stamped = solve(instance), etsopt.solve(instance, method="direct")
    assert (merged.termination, merged.status) == (stamped.termination, stamped.status), merged.violations
    assert [level.name for level in merged.levels] == [level.name for level in stamped.levels]
    for one, other in zip(merged.levels, stamped.levels, strict=True):
        assert one.value == pytest.approx(other.value, rel=1e-9, abs=1e-9)
        assert one.certified == other.certified
    if "allocation" in stamped.tables:
        assert allowances(merged).to_numpy() == pytest.approx(allowances(stamped).to_numpy(), abs=1e-2)
    return merged


# By hand.


def test_the_tiny_instance_has_the_answer_of_its_readme() -> None:
    result = solve(etsopt.read("tiny"))
    assert result.status == "certified_optimal"
    assert [level.value for level in result.levels] == pytest.approx([9_200.0, 0.02, 154.0])
    expected = {"north-1": 101_500.0, "north-2": 297_300.0, "south-1": 158_400.0}
    assert allowances(result).to_dict() == pytest.approx(expected, abs=1e-6)
    change = result.prices[result.prices["level"] == "change"].set_index(["row", "index"])["price"]
    assert change.to_dict() == pytest.approx({("sector_target", "cement"): -1.0, ("province_balance", "South"): 2.0})


def test_a_rate_passes_the_ends_of_units_that_can_go_no_further() -> None:
    # Both references together lie 6,000 t above the target. One unit can fall by 1,000 t to its band, at a rate of
    # 0.01; from there on the other falls alone, by 5,000 t. Were both to follow the rate it would be 0.03.
    rows = [
        ("a", "a", "steel", "Hebei", 100_000.0, 98_000.0),
        ("b", "b", "steel", "Hebei", 100_000.0, 103_000.0),
    ]
    sectors = {"steel": {"band": 0.03, "target_t": 195_000.0}}
    result = solve(given(rows, {"sectors": sectors, "allocation": {"objectives": ["largest_change"]}}))
    assert result.status == "certified_optimal"
    assert result.levels[0].value == pytest.approx(0.05, abs=1e-15)
    assert allowances(result).to_dict() == pytest.approx({"a": 97_000.0, "b": 98_000.0}, abs=1e-6)
    duals = result.tables["duals"]
    covers = duals[duals["row"] == "largest_change_covers"].set_index("index")["multiplier"]
    # A tonne of target more lowers the rate by a tonne of the one unit that follows it.
    assert covers.to_dict() == pytest.approx({"b": -1e-5})


def test_a_reference_outside_its_band_needs_a_rate_of_its_own() -> None:
    rows = [
        ("a", "a", "steel", "Hebei", 100_000.0, 110_000.0),
        ("b", "b", "steel", "Hebei", 100_000.0, 104_000.0),
        ("c", "c", "steel", "Hebei", 100_000.0, 100_000.0),
    ]
    sectors = {"steel": {"band": 0.03, "target_t": 306_000.0}}
    result = solve(given(rows, {"sectors": sectors, "allocation": {"objectives": ["largest_change", "change"]}}))
    assert result.status == "certified_optimal"
    assert [level.value for level in result.levels[:2]] == pytest.approx([0.07, 8_000.0])
    duals = result.tables["duals"]
    assert set(duals["row"][duals["level"] == "largest_change"]) == {"largest_change_covers"}


# Against the whole program.


@pytest.mark.parametrize("seed", range(len(ORDERS)))
def test_the_answer_is_that_of_the_whole_program_in_every_order_of_the_levels(seed: int) -> None:
    instance = random_instance(seed, 3 + seed % 37, objectives=ORDERS[seed])
    if seed % 4 == 1:
        instance = instance.with_policy({"sectors.cement.target_sense": "exactly"})
    same(instance)


@pytest.mark.parametrize("name", ["tiny", "cn-2025", "eu-2019"])
def test_the_answer_is_that_of_the_whole_program_on_shipped_instances(name: str) -> None:
    same(etsopt.read(name))


def test_the_answer_is_that_of_the_whole_program_on_many_units() -> None:
    instance = etsopt.generate(1_500)
    for objectives in (["change", "largest_change"], ["largest_change", "deficit", "spread"]):
        same(instance.with_policy({"allocation.objectives": objectives}))


@pytest.mark.parametrize("seed", range(12))
def test_whole_tonnes_are_those_of_the_whole_program(seed: int) -> None:
    result = same(random_instance(seed, 4 + 3 * seed, objectives=ORDERS[5 * seed + 4], integer_allowances=True))
    assert np.array_equal(allowances(result), np.round(allowances(result)))


@pytest.mark.parametrize("whole", [False, True], ids=["real", "whole"])
@pytest.mark.parametrize("seed", range(12))
def test_exceptions_are_those_of_the_whole_program(seed: int, whole: bool) -> None:
    exceptions = {"units": 3, "lower": 0.1, "upper": 0.08}
    instance = random_instance(seed, 12 + seed, exceptions=exceptions, integer_allowances=whole)
    # Below what the bands allow, so that there is none without an exception.
    result = same(instance.with_policy({"sectors.cement.target_change": -0.045 - 0.001 * (seed % 4)}))
    if "allocation" in result.tables:
        stamped = etsopt.solve(instance, method="direct")
        assert stamped.termination == "optimal"


def test_a_unit_that_goes_first_is_an_exception_in_its_cell() -> None:
    # Eight units of one cell may fall by 3 %, two of them by 10 %. The target lies 12 kt below all bands: the two
    # largest add 7 % of their emissions each, 7.5 and 7.4 kt.
    emissions = [100_000.0, 107_000.0, 101_000.0, 106_000.0, 102_000.0, 105_000.0, 103_000.0, 104_000.0]
    rows = [(f"u{n}", f"u{n}", "steel", "Hebei", size, size) for n, size in enumerate(emissions)]
    policy = {
        "sectors": {"steel": {"band": 0.03, "target_t": 0.97 * sum(emissions) - 12_000.0}},
        "allocation": {"exceptions": {"units": 2, "lower": 0.1, "upper": 0.03}},
    }
    result = same(given(rows, policy))
    table = result.tables["allocation"]
    assert set(table["unit_id"][table["exceptional"]]) == {"u1", "u3"}
    assert [level.value for level in result.levels[:2]] == [2.0, 1_000.0]


def test_equal_units_have_their_tonnes_in_the_order_of_their_names() -> None:
    # Ten equal units share 1,000,007 t: 100,000.7 t each, so seven of them have a tonne more.
    rows = [(f"u{n}", f"u{n}", "steel", "Hebei", 101_000.0, 101_000.0) for n in range(10)]
    policy = {
        "sectors": {"steel": {"band": 0.03, "target_t": 1_000_007.0}},
        "allocation": {"objectives": [], "integer_allowances": True},
    }
    assert allowances(same(given(rows, policy))).to_list() == [100_001.0] * 7 + [100_000.0] * 3


@pytest.mark.parametrize("seed", range(8))
def test_what_has_to_give_way_is_that_of_the_whole_program(seed: int) -> None:
    exceptions = {"units": seed % 3, "lower": 0.06, "upper": 0.06}
    instance = random_instance(seed, 15 + seed, exceptions=exceptions).with_policy(
        {"sectors.cement.target_change": -0.1, "provinces.balance": 0.001}
    )
    merged, stamped = solve(instance), etsopt.solve(instance, method="direct")
    assert merged.status == stamped.status == "infeasible_certified"
    assert merged.infeasible_by_t == pytest.approx(stamped.infeasible_by_t, rel=1e-9)
    for way, gives in stamped.tables["relaxed_limits"].groupby("way_out"):
        found = merged.tables["relaxed_limits"]
        # Which limits give way may not be the only choice; how much they do is.
        assert found["by"][found["way_out"] == way].sum() == pytest.approx(gives["by"].sum(), rel=1e-6)


def test_limits_that_meet_but_for_rounding_are_relaxed() -> None:
    random = np.random.default_rng(0)
    emissions = random.uniform(1e5, 1e6, 30)
    rows = [(f"u{n:02d}", f"u{n:02d}", "steel", "Hebei", size, size) for n, size in enumerate(emissions)]
    target = float(np.sum(0.97 * emissions)) - 4e-3
    result = same(given(rows, {"sectors": {"steel": {"band": 0.03, "target_t": target}}}))
    assert result.termination == "optimal"
    assert not result.violations
    assert allowances(result).to_numpy() == pytest.approx(0.97 * emissions)


def test_a_policy_without_levels_is_merged_too() -> None:
    same(random_instance(5, 30, objectives=[]))
    tight = {"sectors.cement.target_change": -0.2}
    assert same(random_instance(5, 30, objectives=[]).with_policy(tight)).termination == "infeasible"


def test_bands_of_enterprises_with_one_unit_each_are_those_of_the_units() -> None:
    instance = etsopt.Instance.from_frames(
        random_units(4, 30).assign(enterprise_id=[f"e{number}" for number in range(30)]),
        {"year": 2025, "rule": {"name": "cn-2025"}, "allocation": {"band_on": "enterprise"}},
    )
    same(instance)


@pytest.mark.everyday("-0.01-none that is not fixed", "0.0-none that is not fixed")
@pytest.mark.parametrize("case", ["", "new"], ids=["one unit", "none that is not fixed"])
@pytest.mark.parametrize("total", [0.0, -0.01])
def test_one_unit_and_none_at_all_are_merged_too(case: str, total: float) -> None:
    for allocation in (
        {},
        {"integer_allowances": True},
        {"exceptions": {"units": 1}},
        {"objectives": ["largest_change"]},
    ):
        policy = {"allocation": allocation, "national": {"target_change": total}}
        rows = [("a", "a", "steel", "Hebei", 100_000.0, 100_000.0)]
        same(given(rows, policy, special_case=[case]))


def test_units_that_nearly_all_differ_in_their_rows_are_declined() -> None:
    count = 2_500
    place = np.arange(count)
    units = pd.DataFrame(
        {
            "unit_id": [f"u{number:04d}" for number in place],
            "enterprise_id": [f"e{number:04d}" for number in place],
            "sector": np.where(place % 2, "cement", "steel"),
            "province": [f"p{number // 2:04d}" for number in place],
            "emissions_tco2e": 1e5,
            "reference_t": 1e5,
        }
    )
    policy = {"year": 2025, "rule": {"name": "given"}, "provinces": {"balance": 0.01}}
    instance = etsopt.Instance.from_frames(units, policy)
    assert (
        allocation_aggregation.declines(instance)
        == "2,500 units are in 2,500 pairs of sector and province, too many to aggregate"
    )
    assert allocation_aggregation.declines(instance.with_policy({"provinces": {}})) == ""


def test_a_time_limit_keeps_the_levels_that_were_solved(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = etsopt.generate(300)
    done = solve(instance).levels[0].value
    monkeypatch.setattr(allocation_aggregation, "solve_largest_change", _out_of_time)
    result = solve(instance)
    assert (result.termination, result.status) == ("time_limit", "feasible")
    assert [level.name for level in result.levels] == ["change"]
    assert result.levels[0].value == pytest.approx(done)
    assert not result.violations


def _out_of_time(*given: Any) -> Solution:
    return Solution(Termination.TIME_LIMIT, {}, ())


# Whatever the numbers.


def test_names_and_order_of_the_units_change_nothing() -> None:
    units = random_units(3, 40, cases=False)
    policy: dict[str, Any] = {
        "year": 2025,
        "rule": {"name": "cn-2025"},
        "sectors": {"cement": {"target_change": -0.01}},
        "provinces": {"balance": 0.02},
        "allocation": {"objectives": ["largest_change", "change", "spread"]},
    }
    one = solve(etsopt.Instance.from_frames(units, policy))
    order = np.random.default_rng(0).permutation(len(units))
    renamed = units.iloc[order].assign(unit_id=[f"n{number:03d}" for number in range(len(units))])
    other = solve(etsopt.Instance.from_frames(renamed, policy))
    there = pd.Series(allowances(other).to_numpy(), index=units["unit_id"].to_numpy()[order])
    assert allowances(one).to_numpy() == pytest.approx(there[allowances(one).index].to_numpy(), abs=1e-6)


@pytest.mark.parametrize("level", ["change", "largest_change", "least_squares"])
def test_a_wrong_price_is_not_certified(level: str) -> None:
    instance = etsopt.generate(300)
    result = solve(instance)
    assert etsopt.check(instance, result).certified
    duals = result.tables["duals"].copy()
    row = duals.index[(duals["level"] == level) & (duals["row"] != "largest_change_covers")][0]
    duals.loc[row, "multiplier"] *= 1.01
    wrong = replace(result, tables={**result.tables, "duals": duals})
    assert not etsopt.check(instance, wrong).certified


@pytest.mark.parametrize(
    ("allocation", "why"),
    [
        ({"intensity_order": True}, "`intensity_order` couples each unit with its neighbours"),
        ({"band_on": "enterprise"}, "the bands of 3 enterprises apply to several units each"),
    ],
)
def test_what_cannot_be_merged_is_declined(allocation: dict[str, Any], why: str) -> None:
    instance = random_instance(0, 10, **allocation)
    with pytest.raises(etsopt.common.errors.UsageError, match=why):
        etsopt.solve(instance, method="aggregation")


def test_a_whole_point_that_is_not_the_closest_is_held_without_a_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    # As where the time is over: the last step over the units that may move gives any whole point of the levels.
    monkeypatch.setattr(Rounding, "solve_objective", lambda self, program, prices: None)
    instance = random_instance(0, 30, cases=False, integer_allowances=True)
    result = solve(instance)
    assert (result.termination, result.status, result.violations) == ("optimal", "feasible", ())
    assert [level.certified for level in result.levels] == [True, True, False]
    assert result.levels[-1].algorithm.endswith("any whole point of the levels")
    assert np.array_equal(allowances(result), np.round(allowances(result)))


@pytest.mark.parametrize("method", ["aggregation", "direct"])
def test_a_last_step_that_is_stopped_looks_no_further(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    # Only where too few tonnes of each unit are listed would more of them help.
    asked = []

    def stopped(*arguments: Any) -> str:
        asked.append(arguments)
        return "time_limit"

    monkeypatch.setattr(Rounding, "_between", stopped)
    result = etsopt.solve(random_instance(0, 30, cases=False, integer_allowances=True), method=method)
    assert result.status == "feasible"
    assert len(asked) == 1


def test_parts_that_stand_at_their_references_but_for_rounding_are_no_coefficients_without_size() -> None:
    # The spread leaves every unit one allowance: a and b give 3.1768 % of their emissions, c and d share out their
    # references at one rate, so that these are their total but for rounding. A change bounded by that would be nothing
    # beside the rate. The largest is that of a: 801,454.87 t against 0.968232 of 805,096 t.
    rows = [
        ("a", "a", "cement", "South", 805_096.0, 801_454.8726355392),
        ("b", "b", "cement", "South", 1_610_192.0, 1_596_023.875639385),
        ("c", "c", "aluminium", "North", 241_793.0, 240_876.81468831803),
        ("d", "d", "aluminium", "South", 51_465.0, 51_689.57808592772),
    ]
    sectors = {"cement": {"band": 0.0318, "target_change": -0.031768}, "aluminium": {"band": 0.03}}
    result = same(given(rows, {"sectors": sectors, "allocation": {"objectives": ["spread", "largest_change"]}}))
    assert result.status == "certified_optimal"
    assert result.levels[1].value == pytest.approx(801_454.8726355392 / 805_096 - 1 + 0.031768, rel=1e-9)


def test_a_target_that_meets_the_lower_band_leaves_no_room_but_rounding() -> None:
    # The deficit leaves aluminium at the target, which is the lower end of its band: what the sums of two units differ
    # by there is 5e-10 t, and no room of a cell.
    units = [
        ("a", "e1", "aluminium", "W", 261_392.0, 261_392.0),
        ("b", "e2", "aluminium", "N", 119_360.0, 119_360.0),
        ("c", "e3", "cement", "N", 1_967_144.0, 1_967_144.0),
        ("d", "e4", "cement", "N", 3_934_288.0, 3_934_288.0),
    ]
    policy = {
        "sectors": {
            "aluminium": {"band": {"lower": 0.0561, "upper": 0.042}, "target_change": -0.0561},
            "cement": {"band": {"lower": 0.0563, "upper": 0.0347}, "target_sense": "none"},
        },
        "allocation": {"objectives": ["deficit", "spread"]},
    }
    result = etsopt.solve(given(units, policy), method="aggregation")
    assert result.status == "certified_optimal"
    rates = result.tables["allocation"].set_index("unit_id")["surplus_rate"]
    assert rates[["a", "b"]].tolist() == pytest.approx([-0.0561, -0.0561], abs=1e-9)
