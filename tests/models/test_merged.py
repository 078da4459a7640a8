"""Allocation over merged cells: by hand, against the whole program, and by what must hold whatever the numbers."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.data.policy import LEVELS
from tests.builders import allowances, given, random_instance, random_units

if TYPE_CHECKING:
    from etsopt.results import Results

ORDERS = [list(order) for count in range(5) for order in permutations(LEVELS, count)]


def solve(instance: etsopt.Instance) -> Results:
    result = etsopt.solve(instance, method="merged")
    assert result.provenance["method"] == "merged"
    return result


def same(instance: etsopt.Instance) -> Results:
    """Solve both ways, and see that levels, allowances and certificates agree."""
    merged, stamped = solve(instance), etsopt.solve(instance, method="stamped")
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
    result = solve(given(rows, {"sectors": sectors, "allocation": {"objectives": ["worst"]}}))
    assert result.status == "certified_optimal"
    assert result.levels[0].value == pytest.approx(0.05, abs=1e-15)
    assert allowances(result).to_dict() == pytest.approx({"a": 97_000.0, "b": 98_000.0}, abs=1e-6)
    duals = result.tables["duals"]
    covers = duals[duals["row"] == "worst_covers"].set_index("index")["multiplier"]
    # A tonne of target more lowers the rate by a tonne of the one unit that follows it.
    assert covers.to_dict() == pytest.approx({"b": -1e-5})


def test_a_reference_outside_its_band_needs_a_rate_of_its_own() -> None:
    rows = [
        ("a", "a", "steel", "Hebei", 100_000.0, 110_000.0),
        ("b", "b", "steel", "Hebei", 100_000.0, 104_000.0),
        ("c", "c", "steel", "Hebei", 100_000.0, 100_000.0),
    ]
    sectors = {"steel": {"band": 0.03, "target_t": 306_000.0}}
    result = solve(given(rows, {"sectors": sectors, "allocation": {"objectives": ["worst", "change"]}}))
    assert result.status == "certified_optimal"
    assert [level.value for level in result.levels[:2]] == pytest.approx([0.07, 8_000.0])
    duals = result.tables["duals"]
    assert set(duals["row"][duals["level"] == "worst"]) == {"worst_covers"}


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
    for objectives in (["change", "worst"], ["worst", "deficit", "spread"]):
        same(instance.with_policy({"allocation.objectives": objectives}))


# Whatever the numbers.


def test_names_and_order_of_the_units_change_nothing() -> None:
    units = random_units(3, 40, cases=False)
    policy: dict[str, Any] = {
        "year": 2025,
        "rule": {"name": "cn-2025"},
        "sectors": {"cement": {"target_change": -0.01}},
        "provinces": {"balance": 0.02},
        "allocation": {"objectives": ["worst", "change", "spread"]},
    }
    one = solve(etsopt.Instance.from_frames(units, policy))
    order = np.random.default_rng(0).permutation(len(units))
    renamed = units.iloc[order].assign(unit_id=[f"n{number:03d}" for number in range(len(units))])
    other = solve(etsopt.Instance.from_frames(renamed, policy))
    there = pd.Series(allowances(other).to_numpy(), index=units["unit_id"].to_numpy()[order])
    assert allowances(one).to_numpy() == pytest.approx(there[allowances(one).index].to_numpy(), abs=1e-6)


@pytest.mark.parametrize("level", ["change", "worst", "closest"])
def test_a_wrong_price_is_not_certified(level: str) -> None:
    instance = etsopt.generate(300)
    result = solve(instance)
    assert etsopt.check(instance, result).certified
    duals = result.tables["duals"].copy()
    row = duals.index[(duals["level"] == level) & (duals["row"] != "worst_covers")][0]
    duals.loc[row, "multiplier"] *= 1.01
    wrong = replace(result, tables={**result.tables, "duals": duals})
    assert not etsopt.check(instance, wrong).certified


@pytest.mark.parametrize(
    ("allocation", "why"),
    [
        ({"fair_order": True}, "the fair order links each unit to its neighbours"),
    ],
)
def test_what_cannot_be_merged_is_declined(allocation: dict[str, Any], why: str) -> None:
    instance = random_instance(0, 10, **allocation)
    with pytest.raises(etsopt.errors.UsageError, match=why):
        etsopt.solve(instance, method="merged")
