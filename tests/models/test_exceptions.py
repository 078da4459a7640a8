"""Exceptions from the band: by hand, against every allocation of tiny instances, and by what must hold."""

from __future__ import annotations

from itertools import combinations, permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.optimize import linprog

import etsopt
from etsopt.checking.allocation.limits import derive
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.cli import main
from tests.builders import given, random_instance
from tests.whole_oracle import OBJECTIVES, answer, tiny_instance

if TYPE_CHECKING:
    from etsopt.running.results.results import Results

ORDERS = [list(order) for count in range(5) for order in permutations(OBJECTIVES, count)]


def solve(instance: etsopt.Instance) -> Results:
    result = etsopt.solve(instance)
    assert result.status == "certified_optimal", (result.status, result.violations, result.levels)
    return result


def exceptions(result: Results) -> list[str]:
    table = result.tables["allocation"]
    return list(table.loc[table["exceptional"], "unit_id"])


def two_sectors(units: list[tuple[str, float]], target_t: float, allowed: int, **allocation: Any) -> etsopt.Instance:
    """Cement units in a band of 5 %, which exceptions may leave down to 10 %, with a target; each its own owner."""
    rows = [(name, name, "cement", "North", size, size) for name, size in units]
    policy = {
        "sectors": {"cement": {"band": 0.05, "target_t": target_t}},
        "allocation": {"exceptions": {"units": allowed, "lower": 0.1, "upper": 0.05}, **allocation},
    }
    return given(rows, policy)


# By hand.


def test_no_unit_is_an_exception_where_none_is_needed() -> None:
    result = solve(two_sectors([("a", 1000), ("b", 2000)], 2850, 2))
    assert exceptions(result) == []
    assert [level.value for level in result.levels[:3]] == [0, 0, 0]


def test_of_two_units_that_would_do_the_larger_is_the_exception() -> None:
    # The band leaves 2850 t; 2820 are asked, so 30 more must go: a may give 50 more, b 100.
    result = solve(two_sectors([("a", 1000), ("b", 2000)], 2820, 2))
    assert exceptions(result) == ["b"]
    assert [level.value for level in result.levels[:3]] == [1, 0, 2]
    table = result.tables["allocation"].set_index("unit_id")
    assert table["allowance_t"].to_dict() == pytest.approx({"a": 950.0, "b": 1870.0})
    # Its own band is the wider one: neither bound of that is reached.
    assert table["at_bound"].to_dict() == {"a": "lower", "b": ""}


def test_of_equal_units_the_first_is_the_exception() -> None:
    result = solve(two_sectors([("b", 1000), ("c", 1000), ("a", 1000)], 2820, 3))
    assert exceptions(result) == ["a"]


def test_as_many_units_are_exceptions_as_are_needed_and_no_more() -> None:
    # Three units of 1000 t: 50 t each inside the band, 50 more each as exceptions; 250 t need two of them.
    result = solve(two_sectors([("a", 1000), ("b", 1000), ("c", 1000)], 2750, 3))
    assert exceptions(result) == ["a", "b"]


def test_what_even_all_exceptions_cannot_mend_is_proven_infeasible() -> None:
    # With one exception 200 t may go, and 250 are asked.
    result = etsopt.solve(two_sectors([("a", 1000), ("b", 1000), ("c", 1000)], 2750, 1))
    assert result.status == "infeasible_certified"
    assert result.infeasible_by_t == pytest.approx(50.0)
    alone = result.tables["relaxed_limits"].query("way_out == 'alone'")
    assert alone["by"].tolist() == pytest.approx([50.0])
    allowed = etsopt.solve(two_sectors([("a", 1000), ("b", 1000), ("c", 1000)], 2750, 2))
    assert allowed.status == "certified_optimal"


def test_a_side_that_is_no_wider_leaves_the_band_as_it_is() -> None:
    instance = two_sectors([("a", 1000)], 900, 1).with_policy({"allocation.exceptions.lower": 0.02})
    assert etsopt.solve(instance).status == "infeasible_certified"


def test_an_exception_widens_the_band_of_its_enterprise_by_its_own_share() -> None:
    # Together a and b may give 150 t, as an exception b 100 more; c is alone and stays inside its band.
    rows = [(name, owner, "cement", "N", size, size) for name, owner, size in (("a", "x", 1e3), ("b", "x", 2e3))]
    policy = {
        "sectors": {"cement": {"band": 0.05, "target_t": 2760.0}},
        "allocation": {"band_on": "enterprise", "exceptions": {"units": 1, "lower": 0.1, "upper": 0.05}},
    }
    result = solve(given(rows, policy))
    assert exceptions(result) == ["b"]
    assert result.tables["allocation"]["allowance_t"].sum() == pytest.approx(2760.0)
    lacking = etsopt.solve(given(rows, policy).with_policy({"sectors.cement.target_t": 2740.0}))
    assert lacking.infeasible_by_t == pytest.approx(10.0)


def tiny_units(sizes: list[tuple[str, float]], target_t: float, sense: str, **exceptions: float) -> etsopt.Instance:
    """Units in a band of 3 %, in whole tonnes."""
    rows = [(name, name, "cement", "North", size, size) for name, size in sizes]
    policy = {
        "sectors": {"cement": {"band": 0.03, "target_t": target_t, "target_sense": sense}},
        "allocation": {"integer_allowances": True, "exceptions": exceptions},
    }
    return given(rows, policy)


def test_a_band_without_a_whole_tonne_is_the_tonne_below_and_an_exception_has_it_too() -> None:
    # The band of 10.4 t is 10.088 to 10.712, so 10 t; that of an exception reaches 11.44 t and 11 t.
    wide = {"units": 2, "lower": 0.03, "upper": 0.1}
    for target, sense in ((20.0, "at_most"), (10.0, "at_most"), (10.0, "exactly")):
        result = solve(tiny_units([("a", 10.4)], target, sense, **wide))
        assert exceptions(result) == []
        assert result.tables["allocation"]["allowance_t"].tolist() == [10]
    result = solve(tiny_units([("a", 10.4)], 11.0, "exactly", **wide))
    assert exceptions(result) == ["a"]
    # Of the two one must be 11 t: the first; the other keeps the tonne below its own band.
    result = solve(tiny_units([("a", 10.4), ("b", 10.4)], 21.0, "exactly", **wide))
    assert exceptions(result) == ["a"]
    assert result.tables["allocation"]["allowance_t"].tolist() == [11, 10]
    # 20.4 t may be 20 or 21, as an exception 22: the larger one comes first.
    result = solve(tiny_units([("a", 10.4), ("b", 20.4)], 32.0, "exactly", **wide))
    assert exceptions(result) == ["b"]
    assert result.tables["allocation"]["allowance_t"].tolist() == [10, 22]


@pytest.mark.parametrize(("lower", "upper"), [(0.03, 0.03), (0.03, 0.1), (0.1, 0.03)])
@pytest.mark.parametrize("allowed", [0, 1])
def test_a_target_below_a_band_without_a_whole_tonne_is_explained(lower: float, upper: float, allowed: int) -> None:
    # 10.4 t in a band of 10 % would be 9.36 t and more: 10 t again.
    result = etsopt.solve(tiny_units([("a", 10.4)], 9.0, "at_most", units=allowed, lower=lower, upper=upper))
    assert result.status == "infeasible_certified"
    assert result.infeasible_by_t == pytest.approx(1.0, rel=1e-12)
    assert result.tables["relaxed_limits"].query("way_out == 'target_relaxation'")["by"].tolist() == [1.0]


def test_the_level_that_counts_exceptions_needs_several_proofs_where_several_limits_lack() -> None:
    # Cement and steel lack each, so no price alone says that one exception is too few.
    rows = [(f"{sector}{n}", f"{sector}{n}", sector, "N", 1e3, 1e3) for sector in ("cement", "steel") for n in (1, 2)]
    policy = {
        "sectors": {name: {"band": 0.05, "target_t": 1870.0} for name in ("cement", "steel")},
        "allocation": {"exceptions": {"units": 4, "lower": 0.1, "upper": 0.05}},
    }
    result = solve(given(rows, policy))
    assert exceptions(result) == ["cement1", "steel1"]
    assert not result.prices["level"].str.contains(":").any()


def test_one_exception_for_two_sectors_that_each_lack_is_proven_not_to_do() -> None:
    # Cement lacks 200 t and steel 20 t, and half an exception in each would meet both.
    rows = [
        ("a", "a", "cement", "p", 1000.0, 1000.0),
        ("b", "b", "cement", "q", 2000.0, 2000.0),
        ("c", "c", "steel", "p", 500.0, 500.0),
    ]
    policy: dict[str, Any] = {
        "sectors": {"cement": {"band": 0.1, "target_t": 2500.0}, "steel": {"band": 0.1, "target_t": 430.0}},
        "allocation": {"exceptions": {"units": 1, "lower": 0.5, "upper": 0.5}},
    }
    instance = given(rows, policy)
    result = etsopt.solve(instance)
    assert result.status == "infeasible_certified"
    assert result.infeasible_by_t == pytest.approx(20.0)
    assert etsopt.check(instance, result).certified
    assert solve(instance.with_policy({"allocation.exceptions.units": 2})).status == "certified_optimal"


# Against every allocation.


@pytest.mark.nightly
@pytest.mark.parametrize("band_on", ["unit", "enterprise"])
def test_exceptions_and_levels_are_those_of_the_best_of_all_allocations(band_on: str) -> None:
    needed = 0
    for seed in range(len(ORDERS)):
        instance = tiny_instance(seed, ORDERS[seed % len(ORDERS)], 2, band_on)
        expected = answer(instance)
        result = etsopt.solve(instance)
        if expected is None:
            assert result.status == "infeasible_certified", (seed, result.status)
            continue
        assert result.status == "certified_optimal", (seed, result.status, result.levels)
        table = result.tables["allocation"]
        assert tuple(np.flatnonzero(table["exceptional"])) == expected.exceptions
        assert [level.value for level in result.levels[3:]] == pytest.approx(expected.values, rel=1e-9, abs=1e-9)
        assert table["allowance_t"].tolist() == expected.allowances.tolist()
        needed += len(expected.exceptions) > 0
    assert needed > 10


# What holds whatever the numbers.


@pytest.mark.everyday("enterprise-real")
@pytest.mark.parametrize("whole", [False, True], ids=["real", "whole"])
@pytest.mark.parametrize("band_on", ["unit", "enterprise"])
def test_random_instances_that_need_exceptions_are_certified(band_on: str, whole: bool) -> None:
    needed = 0
    for seed in range(10):
        instance = random_instance(seed, band_on=band_on, integer_allowances=whole)
        tight: dict[str, Any] = {f"sectors.{name}.target_change": -0.045 for name in instance.sectors}
        tight |= {"provinces.balance": 0.06, "national": {}}
        tight["allocation.exceptions"] = {"units": 5, "lower": 0.1, "upper": 0.05}
        result = etsopt.solve(instance.with_policy(tight))
        assert result.status in ("certified_optimal", "infeasible_certified"), (seed, result.levels)
        needed += result.status == "certified_optimal" and len(exceptions(result)) > 0
    assert needed > 3


@pytest.mark.nightly
@pytest.mark.parametrize("whole", [False, True], ids=["real", "whole"])
def test_china_with_a_deep_cut_of_cement_needs_exceptions_and_is_certified(whole: bool) -> None:
    changes = {
        "sectors.cement.target_change": -0.04,
        "provinces.balance": 0.03,
        "allocation.exceptions": {"units": 100, "lower": 0.1, "upper": 0.03},
        "allocation.integer_allowances": whole,
    }
    result = solve(etsopt.read("cn-2025").with_policy(changes))
    table = result.tables["allocation"]
    chosen = table[table["exceptional"]]
    assert set(chosen["sector"]) == {"cement"}
    assert 0 < len(chosen) <= 100


def test_a_run_with_exceptions_is_saved_checked_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    instance = two_sectors([("a", 1000), ("b", 2000)], 2820, 2, integer_allowances=True)
    result = solve(instance)
    result.save(tmp_path / "run", instance)
    assert main(["check", str(tmp_path / "run")]) == 0
    loaded = etsopt.load(tmp_path / "run")
    assert loaded.tables["allocation"]["exceptional"].tolist() == [False, True]
    assert main(["solve", str(tmp_path / "run" / "instance")]) == 0
    assert "Exceptions: 1 of at most 2 units use the wider band: b." in capsys.readouterr().out


# Without an answer.


def least_over_choices(instance: etsopt.Instance, allowed: int) -> float:
    """The least relaxation of targets, balances and totals over every choice of exceptions, a linear program each."""
    demands = derive(InstanceInputs.of(instance))
    rows, free = demands.rows, np.flatnonzero(~demands.fixed)
    left = np.zeros((len(rows), len(demands.fixed)))
    np.add.at(left, (rows.row, rows.position), rows.sign)
    least = np.inf
    for chosen in combinations(free, min(allowed, len(free))):
        own = derive(InstanceInputs.of(instance), np.isin(np.arange(len(demands.fixed)), chosen))
        slack, count = np.eye(len(rows)), len(rows)
        found = linprog(
            np.concatenate([np.zeros(len(free)), np.ones(2 * count)]),
            np.vstack([np.hstack([left[:, free], -slack, slack]), np.hstack([-left[:, free], slack, -slack])]),
            np.concatenate([own.rows.most, -own.rows.least]),
            bounds=[*zip(own.lower[free], own.upper[free], strict=True), *[(0, None)] * (2 * count)],
        )
        least = min(least, found.fun)
    return float(least)


@pytest.mark.everyday("0", "1", "2")
@pytest.mark.parametrize("seed", range(24))
def test_the_least_relaxation_is_that_of_every_choice_and_proven(seed: int) -> None:
    random = np.random.default_rng(seed)
    allowed = int(random.integers(1, 4))
    drawn = random_instance(
        seed,
        int(random.integers(4, 9)),
        integer_allowances=bool(seed % 2),
        exceptions={"units": allowed, "lower": 0.1, "upper": 0.1},
    )
    instance = drawn.with_policy({f"sectors.{name}.target_change": -random.uniform(0.2, 0.3) for name in drawn.sectors})
    result = etsopt.solve(instance)
    assert result.status == "infeasible_certified"
    (level,) = result.levels
    assert level.certified
    assert level.bound == pytest.approx(level.value, abs=0.02)
    assert level.value == pytest.approx(least_over_choices(instance, allowed), abs=0.02)
