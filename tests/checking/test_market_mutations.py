"""The checker of markets: what is right is proven, what is changed is seen, and no multiplier proves too much."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.market.search import least_of_all_plans
from etsopt.checking.readings.balance import balance_value
from etsopt.checking.readings.baseline import derive_baseline
from etsopt.checking.readings.choices import Choices, derive_choices
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.rules import balance
from etsopt.running.results.results import LevelResult
from tests.builders import random_units
from tests.judging import check
from tests.markets import grouped_market, market, of_model, random_market

if TYPE_CHECKING:
    from etsopt.checking import Verdict

Tables = dict[str, pd.DataFrame]

EVERYTHING: dict[str, Any] = {
    "market": {
        "ccer_price_cny_per_t": 20.0,
        "ccer_supply_t": 3_000.0,
        "floor_price_cny_per_t": 30.0,
        "ceiling_price_cny_per_t": 60.0,
        "reserve_t": 20_000.0,
        "auctioned_t": 10_000.0,
        "paid_share": 0.05,
        "terminal_price_cny_per_t": 20.0,
        "external_demand_t": 500.0,
        "prices_cny_per_t": 50.0,
        "transaction_cost_cny_per_t": 1.0,
    },
    "abatement": {"divisible_measures": True, "output_cut": {"cement": {"share": 0.05, "margin_cny_per_t": 30.0}}},
}
POLICIES: dict[str, dict[str, Any]] = {
    "nothing more": {},
    "friction": {"market": {"transaction_cost_cny_per_t": 3.0}},
    "offsets": {"market": {"ccer_price_cny_per_t": 20.0, "ccer_supply_t": 10_000.0}},
    "reserve": {"market": {"floor_price_cny_per_t": 30.0, "ceiling_price_cny_per_t": 60.0, "reserve_t": 2e4}},
    "banking": {"market": {"auctioned_t": {"2025": 3e4, "2026": 0.0}, "terminal_price_cny_per_t": 40.0}},
    "no borrowing": {"market": {"borrow_pre_allocation": False, "paid_share": 0.1, "external_demand_t": -5e3}},
    "left": {"abatement": {"no_regret": "exclude"}},
    "everything": EVERYTHING,
}

RULED: dict[str, Any] = {
    "year": 2025,
    "rule": {"name": "cn-2025"},
    "horizon": {"last_year": 2029, "discount_rate": 0.06},
    "abatement": {"divisible_measures": True},
    "market": {"prices_cny_per_t": {"2025": 60.0, "2028": 90.0}, "external_demand_t": {"2027": 200_000.0}},
    "penalty": {"reference_price_cny_per_t": 75.0},
    "pathway": {
        "self_balancing_until": 2026,
        "tightening": 0.02,
        "band": 0.06,
        "paid_share": {"2028": 0.1},
        "cap_from": 2028,
        "cap_change": -0.02,
    },
}


def ruled(seed: int = 3) -> etsopt.Instance:
    """An instance under the intensity rule over five years with forecasts, holdings and measures of all kinds."""
    units = random_units(seed, 12)
    measures = pd.DataFrame(
        [
            ("a", "cement", 0.1, 0.12, 30.0, 2025, "", ""),
            ("b", "cement", 0.2, 0.2, 90.0, 2026, "g", ""),
            ("c", "cement", 0.15, 0.1, 40.0, 2025, "g", "a"),
            ("a", "steel", 0.05, 0.1, 20.0, 2027, "", ""),
            ("d", "aluminium", 0.1, 0.1, -4.0, 2025, "", ""),
            # All of what "e" abates goes with the output, and a part of what "f" abates.
            ("e", "cement", 0.04, 0.04, 1.0, 2025, "", ""),
            ("f", "steel", 0.08, 0.05, 3.0, 2025, "", ""),
        ],
        columns=[
            *("measure_id", "sector", "abatement_rate", "intensity_abatement_rate"),
            *("variable_opex_cny_per_t", "first_year", "exclusive_group", "requires"),
        ],
    ).assign(lifetime_years=10, capex_cny_per_t=50.0, maximum_share=0.8, output_abatement_rate=0.0)
    measures.loc[measures["measure_id"].isin(["e", "f"]), ["output_abatement_rate", "capex_cny_per_t"]] = 0.04, 0.0
    sectors = set(units["sector"])
    owners = sorted(set(units["enterprise_id"]))
    enterprises = pd.DataFrame(
        {
            "enterprise_id": owners,
            "opening_2023_t": np.linspace(0, 40_000, len(owners)),
            "opening_2025_t": 500.0,
            "net_sales_t": np.linspace(-5_000, 15_000, len(owners)),
        }
    )
    forecast = pd.DataFrame(
        {"sector": ["cement", "cement"], "year": [2027, 2029], "output_factor": [0.9, 1.05], "intensity_factor": 0.97}
    )
    measures = measures[measures["sector"].isin(sectors)]
    return etsopt.Instance.from_frames(units, RULED, enterprises, measures, forecast)


@cache
def solved(kind: str, name: str) -> tuple[etsopt.Instance, etsopt.Results]:
    instance = ruled() if name == "ruled" else of_model(random_market(5, 3, **EVERYTHING), kind)
    return instance, etsopt.solve(instance, kind)


@pytest.mark.everyday("abatement-everything")
@pytest.mark.parametrize("name", ["everything", "ruled"])
@pytest.mark.parametrize("kind", ["abatement", "clearing", "pathway"])
def test_a_right_answer_is_proven_in_memory_and_from_its_folder(kind: str, name: str, tmp_path: Path) -> None:
    instance, result = solved(kind, name)
    assert result.violations == ()
    assert result.status == "certified_optimal"
    result.save(tmp_path, instance)
    report = etsopt.check(instance, etsopt.load(tmp_path))
    assert report.violations == ()
    assert report.certified


@pytest.mark.everyday("everything-1")
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("kind", ["abatement", "clearing"])
def test_whole_plans_are_proven_and_cost_no_less_than_mixed_ones(kind: str, name: str, seed: int) -> None:
    policy = {key: dict(section) for key, section in POLICIES[name].items()}
    policy["market"] = {"prices_cny_per_t": {"2025": 50.0, "2026": 70.0}} | policy.get("market", {})
    instance = random_market(seed, 1 + seed % 3, **policy)
    mixed = etsopt.solve(instance.with_policy({"abatement.divisible_measures": True}), kind)
    assert mixed.status == "certified_optimal"
    whole = etsopt.solve(instance.with_policy({"abatement.divisible_measures": False}), kind)
    assert whole.violations == ()
    assert whole.certified
    least, near = mixed.levels[-1].value, 1e-8 * abs(mixed.levels[-1].value)
    assert least - near <= whole.levels[-1].bound <= whole.levels[-1].value + 1e-3


# Every plan by hand.


def every_plan(offered: Choices, unit: int, years: Any) -> list[tuple[int, ...]]:
    """Starts of every admissible plan of a unit, by looking at all combinations."""
    slots = int(offered.count[unit])
    found = []
    for starts in itertools.product(range(len(years) + 1), repeat=slots):
        runs = [start < len(years) for start in starts]
        code, group = offered.code[unit], offered.group[unit]
        early = any(runs[k] and years[starts[k]] < offered.first_year[unit, k] for k in range(slots))
        groups = [group[k] for k in range(slots) if runs[k] and group[k] >= 0]
        lacks = any(
            runs[k]
            and needed > -2
            and min([starts[m] for m in range(slots) if code[m] == needed], default=99) > starts[k]
            for k in range(slots)
            for needed in offered.required[unit, k]
        )
        if not early and len(groups) == len(set(groups)) and not lacks:
            found.append(starts)
    return found


@pytest.mark.parametrize("seed", range(3))
def test_the_search_finds_the_best_of_all_plans(seed: int) -> None:
    instance = ruled(seed).with_policy({"horizon.last_year": 2027})
    found, offered = (
        derive_baseline(InstanceInputs.of(instance), None),
        derive_choices(InstanceInputs.of(instance), derive_baseline(InstanceInputs.of(instance), None)),
    )
    rng = np.random.default_rng(seed)
    need, emitted = rng.uniform(-50, 300, found.emissions.shape), rng.uniform(-20, 0, found.emissions.shape)
    least = least_of_all_plans(found, offered, need, emitted)
    for unit in range(len(least)):
        values = []
        for starts in every_plan(offered, unit, found.years):
            total = 0.0
            for year in range(len(found.years)):
                runs = [k for k, start in enumerate(starts) if start <= year]
                emissions = found.emissions[unit, [year]] * np.prod(offered.left[unit, runs])
                kept = np.array([np.prod(offered.intensity_left[unit, runs])])
                produced = np.array([np.prod(offered.output_left[unit, runs])])
                free = found.free(np.array([unit]), year, emissions, kept, produced)[0]
                cost = np.sum(offered.fixed[unit, runs] + offered.variable[unit, runs] * found.output[unit, year])
                total += found.discount[year] * cost + need[unit, year] * (emissions[0] - free)
                total += emitted[unit, year] * emissions[0]
            values.append(total)
        assert least[unit] == pytest.approx(min(values), rel=1e-12)


def small() -> tuple[etsopt.Instance, float]:
    """A year of three units of one enterprise, and the least cost by looking at all their plans."""
    cost, rate, emissions = np.array([4.0, 15.0]), np.array([0.1, 0.25]), np.array([1e5, 6e4, 3e4])
    measures: list[dict[str, object]] = [
        {"measure_id": f"m{k}", "sector": "cement", "abatement_rate": rate[k], "variable_opex_cny_per_t": cost[k]}
        for k in range(2)
    ]
    instance = market(
        {"emissions_tco2e": list(emissions), "reference_t": list(0.9 * emissions)},
        measures,
        market={"terminal_price_cny_per_t": 10.0},
        penalty={"reference_price_cny_per_t": 20.0},
    )
    least = np.inf
    for sets in itertools.product(itertools.product([False, True], repeat=2), repeat=3):
        left = emissions * [np.prod(np.where(one, 1 - rate, 1)) for one in sets]
        lacking = left.sum() - 0.9 * emissions.sum()
        paid = float(emissions @ [cost @ np.array(one) for one in sets])
        # Six times the reference price for what is owed, the terminal price for what is left.
        least = min(least, paid + (120 * lacking if lacking > 0 else 10 * lacking))
    return instance, least


@pytest.mark.nightly
def test_no_multipliers_prove_more_than_the_optimum() -> None:
    instance, least = small()
    result = etsopt.solve(instance, "clearing")
    assert result.levels[-1].value == pytest.approx(least)
    rng = np.random.default_rng(1)
    for _ in range(200):
        tables = dict(result.tables)
        duals = tables["duals"].copy()
        duals["multiplier"] = rng.uniform(-150, 150, len(duals)) * rng.choice([0, 1, 1e-3, 10], len(duals))
        tables["duals"] = duals
        assert checked(instance, tables, result.levels, "clearing").levels[-1].bound <= least + 1e-6


@pytest.mark.everyday("clearing")
@pytest.mark.parametrize("kind", ["abatement", "clearing", "pathway"])
def test_forged_multipliers_over_years_prove_no_more_either(kind: str) -> None:
    instance, result = solved(kind, "everything")
    rng = np.random.default_rng(2)
    for size in (1e-6, 1e-3, 1.0, 100.0):
        tables = dict(result.tables)
        duals = tables["duals"].copy()
        duals["multiplier"] += size * rng.normal(size=len(duals)) * (duals["level"] == "cost")
        tables["duals"] = duals
        report = checked(instance, tables, result.levels, kind)
        assert report.levels[-1].bound <= result.levels[-1].value + 1e-3


# What is changed is seen.


def checked(instance: etsopt.Instance, tables: Tables, levels: tuple[LevelResult, ...], kind: str) -> Verdict:
    return check(instance, tables, levels, 1e-4, kind)


def market_cells(kind: str) -> list[tuple[str, str]]:
    _, result = solved(kind, "everything")
    names = ("years", "sector_years", "enterprise_years", "unit_years", "plans", "measure_years")
    return [(name, column) for name in names for column in result.tables[name] if column != "price_unit"]


@pytest.mark.nightly
@pytest.mark.parametrize("kind", ["abatement", "clearing", "pathway"])
def test_every_cell_that_is_changed_is_seen(kind: str) -> None:
    instance, result = solved(kind, "everything")
    unseen = []
    for name, column in market_cells(kind):
        if not len(result.tables[name]):
            continue
        table = result.tables[name].copy()
        cells = table[column].astype(object).to_list()
        cells[-1] = f"{cells[-1]}x" if isinstance(cells[-1], str) else cells[-1] + 10
        table[column] = cells
        if not all(isinstance(cell, str) for cell in cells):
            table[column] = table[column].astype(float)
        if not checked(instance, {**result.tables, name: table}, result.levels, kind).violations:
            unseen.append((name, column))
    assert unseen == []


@pytest.mark.parametrize("table", ["years", "sector_years", "enterprise_years", "unit_years", "measure_years", "plans"])
def test_a_table_or_a_row_that_is_missing_is_seen(table: str) -> None:
    instance, result = solved("clearing", "ruled")
    without = {name: content for name, content in result.tables.items() if name != table}
    assert not checked(instance, without, result.levels, "clearing").certified
    shorter = {**result.tables, table: result.tables[table].iloc[1:].reset_index(drop=True)}
    report = checked(instance, shorter, result.levels, "clearing")
    assert report.violations
    assert not report.certified


def with_plans(change: Callable[[pd.DataFrame], pd.DataFrame], **policy: Any) -> set[str]:
    """Rules that a changed table of plans breaks, one unit with every plan stated by hand."""
    kinds: dict[str, dict[str, object]] = {
        "a": {"exclusive_group": "g"},
        "b": {"exclusive_group": "g"},
        "c": {"requires": "a"},
        "d": {"first_year": 2026},
        "e": {"electricity_only": "yes", "abatement_rate": 0.0, "variable_opex_cny_per_t": 0.0},
        "f": {"variable_opex_cny_per_t": -1.0},
    }
    measures: list[dict[str, object]] = [
        {"measure_id": name, "sector": "cement", "abatement_rate": 0.1, "variable_opex_cny_per_t": 1.0, **more}
        for name, more in kinds.items()
    ]
    absent = {"exclusive_group": "", "requires": "", "electricity_only": "no"}
    instance = market(
        {"emissions_tco2e": [1e5], "reference_t": [9e4]},
        [{**absent, **one} for one in measures],
        horizon={"last_year": 2027},
        penalty={"reference_price_cny_per_t": 70.0},
        abatement={"no_regret": "exclude", **policy},
    )
    result = etsopt.solve(instance, "clearing")
    assert result.violations == ()
    tables = {**result.tables, "plans": change(result.tables["plans"])}
    return {violation.rule for violation in checked(instance, tables, result.levels, "clearing").violations}


def plan(*rows: tuple[str, int], share: float = 1.0, unit: str = "u0", number: int = 0) -> pd.DataFrame:
    return pd.DataFrame(
        [(unit, number, share, name, year) for name, year in rows],
        columns=["unit_id", "plan", "share", "measure_id", "start_year"],
    )


@pytest.mark.everyday("table5-measures_are_on_offer")
@pytest.mark.parametrize(
    ("table", "rule"),
    [
        (plan(("a", 2025), ("b", 2026)), "exclusive_group"),
        (plan(("c", 2025)), "requires"),
        (plan(("a", 2026), ("c", 2025)), "requires"),
        (plan(("d", 2025)), "first_year"),
        (plan(("e", 2025)), "measures_are_on_offer"),
        (plan(("f", 2025)), "measures_are_on_offer"),
        (plan(("z", 2025)), "measures_are_on_offer"),
        (plan(("a", 2025), unit="u9"), "plans_are_known"),
        (plan(("a", 2030)), "plans_are_known"),
        (plan(("a", 2025), ("a", 2026)), "plans_are_known"),
        (plan(("a", 2025), share=0.5), "shares"),
        (plan(("a", 2025), share=-1.0), "shares"),
        (pd.concat([plan(("a", 2025)), plan(("b", 2025), number=1)], ignore_index=True), "shares"),
        (pd.concat([plan(("a", 2025)), plan(("d", 2026), share=0.5)], ignore_index=True), "plans_are_known"),
    ],
)
def test_a_plan_that_may_not_be_taken_is_seen(table: pd.DataFrame, rule: str) -> None:
    assert rule in with_plans(lambda _: table)


def test_plans_that_may_be_mixed_add_up_to_one_at_most() -> None:
    halves = pd.concat([plan(("a", 2025), share=0.5), plan(("b", 2025), share=0.4, number=1)], ignore_index=True)
    assert "shares" not in with_plans(lambda _: halves, divisible_measures=True)
    assert "shares" in with_plans(lambda _: halves.assign(share=0.6), divisible_measures=True)


@pytest.mark.parametrize(
    ("column", "change", "rule"),
    [
        ("sold_t", -1e6, "not_negative"),
        ("sold_t", 1e8, "borrowing"),
        ("offset_t", 1e6, "offset_limit"),
        ("outstanding_t", 1e9, "owed"),
    ],
)
def test_a_limit_of_an_account_that_is_passed_is_seen(column: str, change: float, rule: str) -> None:
    instance, result = solved("clearing", "ruled")
    table = result.tables["enterprise_years"].copy()
    table[column] += change
    report = checked(instance, {**result.tables, "enterprise_years": table}, result.levels, "clearing")
    assert rule in {violation.rule for violation in report.violations}


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"released_t": -1e4}, "market_not_negative"),
        ({"reserve_t": -1e9}, "market_not_negative"),
        ({"offset_t": 1e6}, "offsets_on_offer"),
        ({"unsold_t": 1e6}, "auctions"),
        ({"price_lower_cny_per_t": 1.0}, "price"),
        ({"price_upper_cny_per_t": -1.0}, "price"),
    ],
)
def test_a_limit_of_the_market_that_is_passed_is_seen(changes: dict[str, float], rule: str) -> None:
    instance, result = solved("clearing", "everything")
    table = result.tables["years"].copy()
    for column, by in changes.items():
        table[column] += by
    report = checked(instance, {**result.tables, "years": table}, result.levels, "clearing")
    assert rule in {violation.rule for violation in report.violations}


def test_nobody_borrows_more_than_he_may_where_one_account_stands_for_all() -> None:
    # All together borrow all they may; those who abate have their part of what is issued in advance nevertheless.
    changes = {"market.external_demand_t": {"2025": 1e6}, "penalty.reference_price_cny_per_t": 30.0}
    instance = ruled().with_policy(changes)
    result = etsopt.solve(instance, "pathway")
    assert result.tables["enterprise_years"]["banked_t"].min() < -1_000
    assert result.status == "certified_optimal"


def test_a_market_without_any_measure_is_proven() -> None:
    instance = market(
        {"emissions_tco2e": [1e5], "reference_t": [9e4]}, market={"auctioned_t": 20_000.0, "floor_price_cny_per_t": 8.0}
    )
    assert etsopt.solve(instance, "clearing").status == "certified_optimal"


def test_a_reserve_without_a_ceiling_sells_nothing() -> None:
    instance, result = solved("clearing", "ruled")
    table = result.tables["years"].assign(released_t=1e4, intake_t=1e4)
    report = checked(instance, {**result.tables, "years": table}, result.levels, "clearing")
    assert "reserve" in {violation.rule for violation in report.violations}


@pytest.mark.parametrize(
    "change",
    [
        lambda duals: duals.assign(multiplier=2 * duals["multiplier"]),
        lambda duals: duals.assign(unit="t/t"),
        lambda duals: duals.assign(year=duals["year"] + 50),
        lambda duals: duals.assign(row="other"),
        lambda duals: pd.concat([duals, duals], ignore_index=True),
        lambda duals: duals.drop(columns="multiplier"),
        lambda duals: duals.iloc[:0],
    ],
)
def test_multipliers_that_are_changed_are_seen(change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    instance, result = solved("pathway", "ruled")
    report = checked(instance, {**result.tables, "duals": change(result.tables["duals"])}, result.levels, "pathway")
    assert report.violations
    assert not report.certified


def test_a_cost_that_is_not_that_of_the_tables_is_seen() -> None:
    instance, result = solved("clearing", "ruled")
    (*first, cost) = result.levels
    wrong = LevelResult("cost", cost.value + 100, cost.bound, cost.gap, "CNY", True, "")
    for levels in ((*first, wrong), tuple(first), (cost, *first)):
        report = checked(instance, result.tables, levels, "clearing")
        rules = {violation.rule for violation in report.violations}
        assert rules & {"level_is_kept", "levels"} or levels == tuple(first)
        assert not report.certified


@pytest.mark.everyday("more")
@pytest.mark.parametrize("by", [-1e-3, 1e-3, 1.0], ids=["less", "more", "twice"])
def test_a_spending_that_is_not_that_of_the_tables_is_no_claim(by: float) -> None:
    instance = grouped_market(0)
    result = etsopt.solve(instance, "clearing")
    (*first, cost) = result.levels
    # Every measure costs something here and nothing else does, so that all of the cost is spent.
    assert cost.spending == pytest.approx(cost.value, rel=1e-9)
    assert not etsopt.check(instance, result).violations
    assert cost.spending is not None
    wrong = replace(cost, spending=cost.spending * (1 + by))
    broken = etsopt.check(instance, replace(result, levels=(*first, wrong))).violations
    assert [violation.where for violation in broken] == ["cost, spending"]
    # Earlier versions stated none, and parts of plans have none.
    assert not etsopt.check(instance, replace(result, levels=(*first, replace(cost, spending=None)))).violations
    divisible = etsopt.solve(instance.with_policy({"abatement.divisible_measures": True}), "clearing")
    assert divisible.levels[-1].spending is None


def test_the_allocation_behind_a_market_is_checked_too() -> None:
    instance, result = solved("clearing", "ruled")
    table = result.tables["allocation"].copy()
    table.loc[0, "allowance_t"] += 5_000
    report = checked(instance, {**result.tables, "allocation": table}, result.levels, "clearing")
    assert {violation.rule for violation in report.violations} >= {"surplus", "unit_years"}


@pytest.mark.parametrize("seed", range(5))
def test_the_balance_value_is_that_of_the_rule(seed: int) -> None:
    rng = np.random.default_rng(seed)
    emissions, intensity = rng.uniform(1e5, 1e7, 9), rng.uniform(0.5, 1.5, 9)
    assert balance_value(emissions, intensity, 0.15, 0.03) == pytest.approx(
        balance.balance_value(emissions, intensity, 0.15, 0.03).value, rel=1e-13
    )
    flat = balance.balance_value(np.array([5.0, 5.0]), np.array([0.5, 1.5]), 0.15, 0.03)
    assert balance_value(np.array([5.0, 5.0]), np.array([0.5, 1.5]), 0.15, 0.03) == pytest.approx(flat.value)
