"""The allocation model: by hand, against independent methods, and by what must hold whatever the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.rules import reference_allowances
from tests.builders import allowances, given, random_instance, random_policy, random_units
from tests.oracle import extrapolated
from tests.whole_oracle import OBJECTIVES

if TYPE_CHECKING:
    from etsopt.running.results.results import Results

SEEDS = range(16)
"""The rows A1 and A7 of the reliability matrix try thousands of instances and relations."""


def solve(instance: etsopt.Instance) -> Results:
    result = etsopt.solve(instance)
    assert result.certified, (result.status, result.violations, result.levels)
    return result


def value(result: Results, level: str) -> float:
    return next(item.value for item in result.levels if item.name == level)


# By hand.


def test_the_tiny_instance_has_the_answer_of_its_readme() -> None:
    result = solve(etsopt.read("tiny"))
    table = result.tables["allocation"].set_index("unit_id")
    assert table["reference_t"].to_dict() == {"north-1": 103_000, "north-2": 301_800, "south-1": 155_200}
    expected = {"north-1": 101_500.0, "north-2": 297_300.0, "south-1": 158_400.0}
    assert table["allowance_t"].to_dict() == pytest.approx(expected, abs=1e-6)
    rates = {"north-1": 0.015, "north-2": -0.009, "south-1": -0.01}
    assert table["surplus_rate"].to_dict() == pytest.approx(rates, abs=1e-12)
    assert [(level.name, level.unit) for level in result.levels] == [
        ("change", "t"),
        ("largest_change", "rate"),
        ("least_squares", "t"),
    ]
    assert [level.value for level in result.levels] == pytest.approx([9_200.0, 0.02, 154.0])
    assert (table["at_bound"] == "").all()
    assert result.tables["sectors"]["balance_value"].item() == pytest.approx(0.8, abs=1e-12)


def test_an_allocation_has_a_column_of_the_scope_only_where_a_unit_is_outside_it() -> None:
    instance = etsopt.read("tiny")
    assert "in_scope" not in solve(instance).tables["allocation"]
    lines = instance.units.assign(special_case=["closed", "", ""])
    policy: dict[str, Any] = {"year": 2025, "rule": {"name": "cn-2025"}, "sectors": {"cement": {"band": 0.03}}}
    policy |= {"provinces": {"names": "any"}}
    outside = etsopt.Instance.from_frames(lines, policy)
    assert solve(outside).tables["allocation"]["in_scope"].tolist() == [False, True, True]


def test_the_prices_of_the_tiny_instance_are_those_of_its_readme() -> None:
    prices = solve(etsopt.read("tiny")).prices
    change = prices[prices["level"] == "change"].set_index(["row", "index"])["price"]
    assert change["sector_target", "cement"] == pytest.approx(-1.0)
    # The balance of South binds from below: a tonne more on its right-hand side adds two.
    assert change["province_balance", "South"] == pytest.approx(2.0)
    assert set(prices.loc[prices["level"] == "change", "unit"]) == {"t/t"}


def test_one_more_tonne_of_target_changes_the_first_level_by_its_price() -> None:
    instance = etsopt.read("tiny")
    looser = instance.with_policy({"sectors.cement.target_t": 557_201.0})
    assert value(solve(looser), "change") == pytest.approx(9_199.0, abs=1e-6)
    wider = instance.with_policy({"provinces.balance": {"North": 0.01, "South": 1_601.0 / 160_000.0}})
    assert value(solve(wider), "change") == pytest.approx(9_198.0, abs=1e-6)


@pytest.mark.parametrize("seed", range(10))
def test_with_sector_rows_alone_the_last_step_is_a_clipped_shift_of_the_reference(seed: int) -> None:
    units = random_units(seed, 25, cases=False)
    policy = random_policy(seed, units, objectives=[]) | {"provinces": {}, "national": {}}
    instance = etsopt.Instance.from_frames(units, policy)
    result = solve(instance)
    table = result.tables["allocation"]
    reference = reference_allowances(instance)
    free = table[~reference.fixed]
    assert set(free["at_bound"]) >= {""}
    for name, group in free.groupby("sector"):
        e, r, a = (group[column].to_numpy() for column in ("emissions_tco2e", "reference_t", "allowance_t"))
        band = instance.policy.sectors[name].band
        assert band is not None
        lower, upper = np.floor((1 - band.lower) * e + 1e-6), (1 + band.upper) * e
        target = e.sum() * (1 + (instance.policy.sectors[name].target_change or 0.0))
        assert a == pytest.approx(shifted(e, r, lower, upper, target), abs=1e-3)


def shifted(e: Any, r: Any, lower: Any, upper: Any, target: float) -> Any:
    """A = clip(R + lambda E) with the largest lambda up to zero at which the sum meets the target, by bisection."""
    low, high = -1.0, 0.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (low, middle) if np.clip(r + middle * e, lower, upper).sum() > target else (middle, high)
    return np.clip(r + high * e, lower, upper)


# What holds whatever the numbers.

WAYS: list[Mapping[str, Any]] = [
    {},
    {"objectives": []},
    {"objectives": ["deficit", "spread"]},
    {"band_on": "enterprise"},
    {"intensity_order": True},
    {"band_on": "enterprise", "intensity_order": True, "objectives": ["largest_change", "deficit", "change", "spread"]},
]


@pytest.mark.nightly
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_every_random_instance_is_certified(way: Mapping[str, Any]) -> None:
    for seed in SEEDS:
        result = solve(random_instance(seed, **way))
        assert result.status == "certified_optimal"
        assert all(level.certified for level in result.levels)
        assert [level.name for level in result.levels] == [
            *way.get("objectives", ["change", "largest_change"]),
            "least_squares",
        ]


@pytest.mark.parametrize(("seed", "way"), [(9, 4), (27, 5), (1000, 4), (1194, 5), (1200, 4), (1233, 5), (2087, 5)])
def test_instances_at_which_the_last_step_once_stopped_short_are_certified(seed: int, way: int) -> None:
    solve(random_instance(seed, **WAYS[way]))
    solve(random_instance(seed, **{**WAYS[way], "objectives": []}))


@pytest.mark.nightly
def test_a_looser_band_never_raises_the_change_and_a_tighter_target_never_lowers_it() -> None:
    moved = 0
    for seed in SEEDS:
        instance = random_instance(seed, objectives=["change"])
        base = value(solve(instance), "change")
        wide = {f"sectors.{name}.band": 0.08 for name in instance.sectors}
        looser = value(solve(instance.with_policy(wide)), "change")
        tight = {f"sectors.{name}.target_change": -0.014 for name in instance.sectors}
        tighter = value(solve(instance.with_policy(tight)), "change")
        assert looser <= base + 1e-3
        assert tighter >= base - 1e-3
        moved += tighter > base + 1
    assert moved > len(SEEDS) // 2


@pytest.mark.everyday("{'objectives': []}")
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_other_names_and_another_order_of_rows_change_no_allowance(way: Mapping[str, Any]) -> None:
    for seed in range(0, len(SEEDS), 2):
        units = random_units(seed, 14)
        policy = random_policy(seed, units, **way)
        before = allowances(solve(etsopt.Instance.from_frames(units, policy)))
        order = np.random.default_rng(seed).permutation(len(units))
        new = {name: f"z{place:03d}" for place, name in zip(order, units["unit_id"], strict=True)}
        renamed = units.assign(
            unit_id=units["unit_id"].map(new), enterprise_id="q" + units["enterprise_id"].str[::-1]
        ).iloc[order]
        after = allowances(solve(etsopt.Instance.from_frames(renamed.reset_index(drop=True), policy)))
        assert after.loc[list(new.values())].to_numpy() == pytest.approx(before.loc[list(new)].to_numpy(), abs=1.0)


@pytest.mark.everyday("{'objectives': []}")
@pytest.mark.parametrize("way", WAYS[:4], ids=str)
def test_two_equal_halves_of_a_unit_get_together_what_it_had(way: Mapping[str, Any]) -> None:
    for seed in range(0, len(SEEDS), 4):
        units = references(random_units(seed, 12, cases=False), seed)
        policy = random_policy(seed, units, **way) | {"rule": {"name": "given"}}
        before = allowances(solve(etsopt.Instance.from_frames(units, policy)))
        cut = units.iloc[[3]].copy()
        for column in ("emissions_tco2e", "output_t", "reference_t", "prior_emissions_tco2e"):
            cut[column] /= 2
        halves = pd.concat([cut.assign(unit_id="u003a"), cut.assign(unit_id="u003b")])
        whole = pd.concat([units.drop(index=3), halves], ignore_index=True)
        after = allowances(solve(etsopt.Instance.from_frames(whole, policy)))
        assert after["u003a"] + after["u003b"] == pytest.approx(before["u003"], abs=2.0)
        assert after["u003a"] == pytest.approx(after["u003b"], abs=1.0)
        others = before.index.drop("u003")
        assert after[others].to_numpy() == pytest.approx(before[others].to_numpy(), abs=1.0)


def references(units: pd.DataFrame, seed: int) -> pd.DataFrame:
    """References of the rule ``given``, within three per cent of emissions, and equal for equal intensities."""
    rate = np.random.default_rng(seed + 77).uniform(-0.03, 0.03, len(units))
    rate[1] = rate[0]
    return units.assign(reference_t=units["emissions_tco2e"] * (1 + rate))


@pytest.mark.nightly
def test_targets_at_present_emissions_leave_the_rule_as_it_is() -> None:
    for seed in SEEDS:
        units = random_units(seed, 20)
        policy = {"year": 2025, "rule": {"name": "cn-2025", "threshold_tco2e": 50_000.0}}
        instance = etsopt.Instance.from_frames(units, policy)
        table = solve(instance).tables["allocation"]
        assert (table["allowance_t"] - table["reference_t"]).abs().max() < 1e-6
        alone = etsopt.solve(instance, "balance_value").tables["allocation"]
        assert table["allowance_t"].to_numpy() == pytest.approx(alone["allowance_t"].to_numpy(), abs=1e-6)


ORDERS = [list(order) for count in range(5) for order in permutations(OBJECTIVES, count)]


@pytest.mark.nightly
@pytest.mark.parametrize("intensity_order", [False, True], ids=["free", "fair order"])
def test_each_order_of_levels_is_certified(intensity_order: bool) -> None:
    instance = random_instance(3, intensity_order=intensity_order)
    assert len(ORDERS) == 65
    for order in ORDERS:
        result = solve(instance.with_policy({"allocation.objectives": order}))
        assert [level.name for level in result.levels] == [*order, "least_squares"]


@pytest.mark.nightly
def test_a_level_is_never_better_when_it_comes_later() -> None:
    for seed in range(8):
        instance = random_instance(seed)
        for level in OBJECTIVES:
            first = value(solve(instance.with_policy({"allocation.objectives": [level]})), level)
            others = [name for name in OBJECTIVES if name != level]
            last = value(solve(instance.with_policy({"allocation.objectives": [*others, level]})), level)
            assert first <= last + 1e-3


@pytest.mark.nightly
def test_a_lower_intensity_never_gets_a_lower_rate_in_its_sector() -> None:
    unfair = 0
    for seed in SEEDS:
        for fair in (True, False):
            instance = random_instance(seed, intensity_order=fair)
            table = solve(instance).tables["allocation"]
            table = table[table["at_bound"] != "fixed"]
            for _, group in table.groupby("sector"):
                pairs = group.sort_values(["intensity", "surplus_rate"], ascending=[True, False])
                falls = pairs["surplus_rate"].diff().fillna(0.0)
                same = pairs["intensity"].diff() == 0
                if fair:
                    assert falls.max() <= 1e-8
                    assert (falls[same].abs() <= 1e-8).all()
                else:
                    unfair += bool(falls.max() > 1e-6)
    assert unfair > 0


@pytest.mark.nightly
def test_every_unit_or_every_enterprise_stays_inside_its_band() -> None:
    outside = 0
    for seed in SEEDS:
        instance = random_instance(seed, band_on="enterprise")
        table = solve(instance).tables["allocation"]
        free = table[table["at_bound"] != "fixed"].copy()
        bands: dict[str, Any] = {name: sector.band for name, sector in instance.policy.sectors.items()}
        free["low"] = [
            (1 - bands[s].lower) * e - 1 for s, e in zip(free["sector"], free["emissions_tco2e"], strict=True)
        ]
        free["high"] = [(1 + bands[s].upper) * e for s, e in zip(free["sector"], free["emissions_tco2e"], strict=True)]
        sums = free.groupby("enterprise_id")[["allowance_t", "low", "high"]].sum()
        assert (sums["allowance_t"] >= sums["low"] - 1e-2).all()
        assert (sums["allowance_t"] <= sums["high"] + 1e-2).all()
        outside += int(((free["allowance_t"] > free["high"] + 1) | (free["allowance_t"] < free["low"] - 1)).sum())
        units = solve(instance.with_policy({"allocation.band_on": "unit"})).tables["allocation"]
        inside = units.loc[free.index, "allowance_t"]
        assert ((inside >= free["low"] - 1e-3) & (inside <= free["high"] + 1e-3)).all()
    assert outside > 0


@pytest.mark.nightly
def test_all_allowances_together_meet_the_national_total() -> None:
    for seed in range(10):
        instance = random_instance(seed, objectives=["change"]).with_policy({"national": {"target_change": -0.013}})
        table = solve(instance).tables["allocation"]
        total = table["emissions_tco2e"].sum() * (1 - 0.013)
        assert table["allowance_t"].sum() <= total + 1e-2
        exact = solve(instance.with_policy({"national.target_sense": "exactly", "national.target_change": -0.0135}))
        assert exact.tables["allocation"]["allowance_t"].sum() == pytest.approx(total / 0.987 * 0.9865, abs=2e-2)


def test_an_exact_target_is_met_from_below_too() -> None:
    for seed in range(10):
        instance = random_instance(seed, objectives=["change"]).with_policy(
            {"sectors.cement.target_change": 0.01, "sectors.cement.target_sense": "exactly", "provinces": {}}
        )
        instance = instance.with_policy({"national": {}})
        sectors = solve(instance).tables["sectors"].set_index("sector")
        assert sectors.loc["cement", "under_target_t"] == pytest.approx(0.0, abs=2e-2)
        assert sectors.loc["cement", "target_sense"] == "exactly"


def test_the_two_sides_of_a_band_may_differ() -> None:
    policy = {"sectors": {"cement": {"band": {"lower": 0.02, "upper": 0.01}, "target_change": 0.5}}}
    units = [("a", "a", "cement", "North", 1000.0, 2000.0), ("b", "b", "cement", "North", 1000.0, 0.0)]
    table = solve(given(units, policy)).tables["allocation"]
    assert table["allowance_t"].tolist() == pytest.approx([1010.0, 980.0])
    assert table["at_bound"].tolist() == ["upper", "lower"]


def test_a_province_without_a_share_of_its_own_has_no_balance() -> None:
    policy = {"sectors": {"cement": {"band": 0.1, "target_change": 0.1}}, "provinces": {"balance": {"North": 0.01}}}
    units = [("a", "a", "cement", "North", 1000.0, 1080.0), ("b", "b", "cement", "South", 1000.0, 1080.0)]
    result = solve(given(units, policy))
    assert allowances(result).tolist() == pytest.approx([1010.0, 1080.0])
    limits = result.tables["provinces"].set_index("province")["balance_limit_t"]
    assert limits["North"] == pytest.approx(10.0)
    assert np.isnan(limits["South"])


@pytest.mark.nightly
def test_fixed_units_get_their_emissions_and_count_in_balances_but_not_in_targets() -> None:
    units = [
        ("a", "a", "cement", "North", 1000.0, 1050.0),
        ("b", "b", "cement", "North", 1000.0, 1050.0),
        ("c", "c", "cement", "North", 8000.0, 9000.0),
    ]
    policy = {"sectors": {"cement": {"band": 0.1, "target_change": 0.01}}, "provinces": {"balance": 0.001}}
    result = solve(given(units, policy, special_case=["", "", "new"]))
    table, sectors = result.tables["allocation"], result.tables["sectors"]
    # The target is 1.01 times 2000 t; the balance is a thousandth of all 10,000 t, and binds first.
    assert sectors["target_t"].item() == pytest.approx(2020.0)
    assert table["allowance_t"].tolist() == pytest.approx([1005.0, 1005.0, 8000.0])
    assert table["at_bound"].tolist() == ["", "", "fixed"]
    for seed in SEEDS:
        table = solve(random_instance(seed)).tables["allocation"]
        fixed = table[table["at_bound"] == "fixed"]
        assert (fixed["allowance_t"] == fixed["emissions_tco2e"]).all()


def test_an_instance_of_fixed_units_alone_has_nothing_to_decide() -> None:
    units = [("a", "a", "cement", "North", 1000.0, 1050.0)]
    result = etsopt.solve(given(units, {}, special_case=["new"]))
    assert allowances(result).tolist() == [1000.0]
    assert result.certified


# Against independent methods.


def small(seed: int, **allocation: Any) -> etsopt.Instance:
    """Eight units of the rule ``given``, with everything but fixed units."""
    units = references(random_units(seed, 8, cases=False), seed)
    policy = random_policy(seed, units, **allocation) | {"rule": {"name": "given"}}
    return etsopt.Instance.from_frames(units, policy)


ORACLE_WAYS: list[tuple[list[str], str, bool]] = [
    (["change", "largest_change"], "unit", False),
    (["largest_change", "change"], "enterprise", False),
    (["deficit", "spread"], "unit", True),
    (["spread", "largest_change", "change"], "unit", False),
    ([], "enterprise", True),
]


@pytest.mark.everyday("[]-enterprise-True")
@pytest.mark.parametrize(("order", "band_on", "fair"), ORACLE_WAYS, ids=str)
def test_levels_and_last_step_are_those_of_an_independent_method(order: list[str], band_on: str, fair: bool) -> None:
    for seed in range(12):
        instance = small(seed, objectives=order, band_on=band_on, intensity_order=fair)
        result = solve(instance)
        values, answer = extrapolated(instance, order)
        for level, best in zip(order, values, strict=True):
            unit = next(item.unit for item in result.levels if item.name == level)
            assert value(result, level) == pytest.approx(best, rel=1e-6, abs=1e-2 if unit == "t" else 1e-8)
        assert allowances(result).to_numpy() == pytest.approx(answer, abs=0.1)


LONG_ORDERS = [
    (-0.005, ["change", "largest_change"]),
    (-0.005, []),
    (-0.005, ["largest_change"]),
    (0.0, ["largest_change"]),
]


@pytest.mark.nightly
@pytest.mark.parametrize(("cut", "objectives"), LONG_ORDERS)
def test_an_order_of_a_thousand_rates_is_certified(cut: float, objectives: list[str]) -> None:
    changes = {
        "sectors.cement.target_change": cut,
        "allocation.intensity_order": True,
        "allocation.objectives": objectives,
    }
    solve(etsopt.read("cn-2025").with_policy(changes))


def test_a_target_that_meets_the_bands_but_for_rounding_is_not_called_infeasible() -> None:
    """Least allowances are 0.97 E by unit and by sum; the two differ by their rounding, here to the wrong side."""
    random = np.random.default_rng(34)
    emissions = np.round(10 ** random.uniform(4.5, 7, 200), 2)
    names = [f"u{number:03d}" for number in range(200)]
    units = pd.DataFrame(
        {
            "unit_id": names,
            "enterprise_id": names,
            "sector": "cement",
            "province": "Hebei",
            "emissions_tco2e": emissions,
            "reference_t": emissions,
        }
    )
    policy = {"year": 2025, "rule": {"name": "given"}, "sectors": {"cement": {"band": 0.03, "target_change": -0.03}}}
    result = etsopt.solve(etsopt.Instance.from_frames(units, policy))
    assert result.termination == "optimal"
    assert result.violations == ()
    assert np.allclose(result.tables["allocation"]["allowance_t"], 0.97 * emissions, rtol=0, atol=0.02)
