"""Whole allowances: by hand, against every allocation of tiny instances, and by what must hold."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import etsopt
from tests.builders import allowances, given, random_instance, random_policy, random_units
from tests.whole_oracle import OBJECTIVES, answer, tiny_instance

if TYPE_CHECKING:
    from etsopt.running.results.results import Results

ORDERS = [list(order) for count in range(5) for order in permutations(OBJECTIVES, count)]
NETWORKS: list[dict[str, Any]] = [
    {},
    {"objectives": []},
    {"objectives": ["deficit", "spread"]},
    {"band_on": "enterprise", "objectives": ["largest_change", "change"]},
]


def solve(instance: etsopt.Instance) -> Results:
    result = etsopt.solve(instance)
    assert result.status == "certified_optimal", (result.status, result.violations, result.levels)
    allowance = result.tables["allocation"]["allowance_t"]
    assert (allowance == np.round(allowance)).all()
    return result


def whole(rows: list[tuple[str, str, str, str, float, float]], target_t: float, *levels: str, **more: Any) -> Any:
    """Units of one sector with a band of 10 % and a target."""
    policy = {
        "sectors": {"cement": {"band": 0.1, "target_t": target_t, **more}},
        "allocation": {"integer_allowances": True, "objectives": list(levels)},
    }
    return given(rows, policy)


def unit(name: str, emissions: float, reference: float | None = None) -> tuple[str, str, str, str, float, float]:
    return (name, name, "cement", "North", emissions, emissions if reference is None else reference)


# By hand.


def test_what_a_target_takes_goes_by_largest_remainder_weighted_by_size() -> None:
    # Real: A = E (1 - 4/600), that is 99.33, 198.67 and 298. In whole tonnes 1, 1 and 2 go, for 1/100 + 1/200 + 4/300;
    # 0, 2 and 2 would cost 4/200 + 4/300, and 0, 1 and 3 would cost 1/200 + 9/300.
    result = solve(whole([unit("a", 100), unit("b", 200), unit("c", 300)], 596))
    assert allowances(result).tolist() == [99, 199, 298]
    assert result.levels[-1].value == pytest.approx(1 / 100 + 1 / 200 + 4 / 300)


def test_equal_units_keep_their_tonnes_in_the_order_of_their_ids() -> None:
    result = solve(whole([unit(name, 100) for name in "dbac"], 398))
    assert allowances(result).to_dict() == {"a": 100, "b": 100, "c": 99, "d": 99}


def test_a_target_and_a_band_that_are_not_whole_are_rounded_inward() -> None:
    # The band of 10 % of 105 t is 94.5 to 115.5; the target of 94.9 t is one of 94, which lies below the band of 95.
    assert allowances(solve(whole([unit("a", 105)], 95.9))).tolist() == [95]
    result = etsopt.solve(whole([unit("a", 105)], 94.9))
    assert result.status == "infeasible_certified"
    assert result.infeasible_by_t == pytest.approx(1.0, rel=1e-12)


def test_an_exact_target_that_is_not_whole_is_the_tonne_below() -> None:
    result = solve(whole([unit("a", 100), unit("b", 100)], 190.7, target_sense="exactly"))
    assert allowances(result).tolist() == [95, 95]


def test_levels_measure_from_the_nearest_whole_tonne() -> None:
    # The reference of 99.5 counts as 100.
    result = solve(whole([unit("a", 100, 99.5), unit("b", 100, 99.4)], 300, "change"))
    assert allowances(result).tolist() == [100, 99]
    assert result.levels[0].value == 0


def test_the_least_worst_rate_in_whole_tonnes_is_above_the_real_one() -> None:
    # Three tonnes must go, in real numbers 3/40 of everything. Below a rate of 1/10 the units may lose 0, 0 and 1 whole
    # tonne; at 1/10 they may lose 1, 1 and 2, which is enough.
    units = [unit("a", 10), unit("b", 10), unit("c", 20)]
    result = solve(whole(units, 37, "largest_change"))
    real = etsopt.solve(whole(units, 37, "largest_change").with_policy({"allocation.integer_allowances": False}))
    assert real.levels[0].value == pytest.approx(3 / 40)
    assert result.levels[0].value == pytest.approx(1 / 10)


def test_a_large_unit_moves_by_many_tonnes_so_that_small_ones_stay_near() -> None:
    # 4 % are asked of all. Real: each small unit gives 0.4 t. In whole tonnes they give nothing, for 0.16/10 instead of
    # 0.36/10 off their best, and the large one bears their four tonnes almost for free.
    units = [unit(f"u{number}", 10) for number in range(10)] + [unit("z", 1_000_000)]
    result = solve(whole(units, 1_000_100 - 40_004))
    table = allowances(result)
    assert table.iloc[:10].tolist() == [10] * 10
    assert table["z"] == 1_000_000 - 40_004


def test_a_fixed_unit_gets_the_tonnes_that_it_owes() -> None:
    policy = {"sectors": {"cement": {"band": 0.1}}, "allocation": {"integer_allowances": True}}
    rows = [unit("a", 100), unit("b", 50.7)]
    result = solve(given(rows, policy, special_case=["", "new"]))
    assert allowances(result).to_dict() == {"a": 100, "b": 51}


# Against every allocation.


@pytest.mark.nightly
@pytest.mark.parametrize("band_on", ["unit", "enterprise"])
def test_every_order_of_levels_is_that_of_the_best_of_all_allocations(band_on: str) -> None:
    feasible = 0
    for seed in range(2 * len(ORDERS) if band_on == "unit" else len(ORDERS)):
        instance = tiny_instance(seed, ORDERS[seed % len(ORDERS)], 0, band_on)
        expected = answer(instance)
        if expected is None:
            assert etsopt.solve(instance).status == "infeasible_certified"
            continue
        result = solve(instance)
        feasible += 1
        assert [level.value for level in result.levels] == pytest.approx(expected.values, rel=1e-9, abs=1e-9)
        assert allowances(result).tolist() == expected.allowances.tolist()
    assert feasible > 40


# What holds whatever the numbers.


@pytest.mark.nightly
@pytest.mark.parametrize("way", NETWORKS, ids=str)
def test_every_random_instance_is_certified(way: dict[str, Any]) -> None:
    for seed in range(15):
        instance = random_instance(seed, integer_allowances=True, **way)
        result = solve(instance)
        real = etsopt.solve(instance.with_policy({"allocation.integer_allowances": False}))
        if len(result.levels) > 1 and result.levels[0].unit == "t":
            assert result.levels[0].value >= real.levels[0].value - 2 * len(instance.units)
        assert (allowances(result) - allowances(real)).abs().max() < 50


@pytest.mark.everyday("['largest_change', 'deficit', 'spread']")
@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_each_order_of_levels_is_certified(order: list[str]) -> None:
    solve(random_instance(3, integer_allowances=True, objectives=order))


@pytest.mark.nightly
def test_another_order_of_rows_changes_no_allowance_and_other_names_only_ties() -> None:
    for seed in range(8):
        units = random_units(seed, 14)
        policy = random_policy(seed, units, integer_allowances=True)
        before = solve(etsopt.Instance.from_frames(units, policy))
        shuffled = units.sample(frac=1, random_state=seed).reset_index(drop=True)
        after = solve(etsopt.Instance.from_frames(shuffled, policy))
        assert allowances(after).equals(allowances(before))
        renamed = units.assign(unit_id=[f"z{number:03d}" for number in range(len(units))][::-1])
        other = solve(etsopt.Instance.from_frames(renamed, policy))
        assert [level.value for level in other.levels] == pytest.approx([level.value for level in before.levels])


@pytest.mark.everyday("-0.01")
@pytest.mark.parametrize("change", [0.0, -0.01])
def test_china_in_whole_tonnes_is_certified(change: float) -> None:
    changes = {"allocation.integer_allowances": True, "sectors.cement.target_change": change}
    solve(etsopt.read("cn-2025").with_policy(changes))
