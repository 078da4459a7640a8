"""What sets the prices: the terminal price where a bank is left, else abatement, offsets, ceiling, floor or penalty."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.common.errors import DataError
from etsopt.reports.market import closure
from tests.judging import check
from tests.markets import of_model, random_market, some_market

MEASURES = pd.DataFrame(
    {
        "measure_id": ["cheap", "dear"],
        "sector": "cement",
        "abatement_rate": [0.05, 0.05],
        "lifetime_years": 1,
        "variable_opex_cny_per_t": [2.0, 4.0],
    }
)
"""40 and, of what is left, about 84 CNY per tonne abated at a unit of 1 t/t."""


def one(last_year: int = 2025, **market: Any) -> etsopt.Instance:
    """A clinker line of 1 Mt a year that gets its emissions; measures may be mixed."""
    units = pd.DataFrame(
        {
            "unit_id": ["a"],
            "enterprise_id": ["A"],
            "sector": "cement",
            "province": "Hebei",
            "emissions_tco2e": 1e6,
            "output_t": 1e6,
        }
    )
    policy = {
        "year": 2025,
        "rule": {"name": "cn-2024"},
        "horizon": {"last_year": last_year, "discount_rate": 0.1},
        "abatement": {"divisible_measures": True},
        "market": {"borrow_pre_allocation": False, **market},
    }
    return etsopt.Instance.from_frames(units, policy, measures=MEASURES)


def solved(instance: etsopt.Instance) -> pd.DataFrame:
    results = etsopt.solve(instance, "clearing")
    assert results.certified, results.status
    assert results.violations == ()
    return results.tables["closure"]


def test_a_shortage_at_the_end_sets_the_price_up_to_the_cost_of_its_abatement() -> None:
    """External demand of 20,000 t takes part of the cheap measure: 40 CNY/t, whatever a bank were worth up to there."""
    table = solved(one(external_demand_t=20_000.0, terminal_price_cny_per_t=10.0))
    assert table["set_by"].tolist() == ["abatement"]
    assert table["unchanged_up_to_cny_per_t"].tolist() == pytest.approx([40.0])
    assert table["bank_empty_in"].tolist() == [2025.0]
    assert closure(table) == [
        "Prices are set by: abatement (2025).",
        "They are independent of the terminal price up to 40.00 CNY/t.",
    ]


@pytest.mark.everyday("39.9-True", "41.0-False")
@pytest.mark.parametrize(("terminal", "same"), [(0.0, True), (25.0, True), (39.9, True), (41.0, False)])
def test_up_to_that_terminal_price_the_price_is_the_same(terminal: float, same: bool) -> None:
    price = solved(one(external_demand_t=20_000.0, terminal_price_cny_per_t=terminal))["price_cny_per_t"][0]
    assert bool(abs(price - 40) < 1e-6) is same


def test_without_scarcity_the_price_is_the_terminal_price_in_every_year() -> None:
    table = solved(one(2027, terminal_price_cny_per_t=60.5))
    assert table["set_by"].tolist() == ["terminal price"] * 3
    assert table["price_cny_per_t"].tolist() == pytest.approx([50.0, 55.0, 60.5])
    assert table["unchanged_up_to_cny_per_t"].tolist() == pytest.approx([60.5] * 3)
    assert table["bank_empty_in"].isna().all()
    assert closure(table) == [
        "Prices are set by: terminal price (2025-2027).",
        "They are not independent of the terminal price, which is an assumption: a bank of 150.000\xa0kt is never "
        "used; from 2025 on the price is the terminal price.",
    ]


def test_a_price_of_nothing_has_no_scarcity() -> None:
    table = solved(one(auctioned_t=10_000.0))
    assert table["set_by"].tolist() == ["no scarcity"]
    assert closure(table)[0] == "Prices are set by: no scarcity (2025)."


def test_a_bank_carries_the_scarcity_of_a_later_year_back() -> None:
    """In 2026 demand of 80,000 t exceeds the cheap measure; what was banked in 2025 meets it."""
    table = solved(one(2027, external_demand_t={"2026": 80_000.0, "2027": 0.0}))
    assert table["set_by"].tolist()[:2] == ["abatement", "abatement"]
    assert table["bank_empty_in"].tolist()[:2] == [2026.0, 2026.0]
    assert table["price_cny_per_t"][1] == pytest.approx(1.1 * table["price_cny_per_t"][0])


@pytest.mark.parametrize(
    ("market", "by"),
    [
        ({"external_demand_t": 200_000.0, "ceiling_price_cny_per_t": 120.0, "reserve_t": 1e6}, "ceiling"),
        ({"auctioned_t": 10_000.0, "floor_price_cny_per_t": 20.0}, "floor"),
        ({"external_demand_t": 20_000.0, "ccer_price_cny_per_t": 30.0, "ccer_supply_t": 40_000.0}, "offsets"),
    ],
)
def test_instruments_that_set_the_price_are_named(market: dict[str, Any], by: str) -> None:
    assert solved(one(**market))["set_by"].tolist() == [by]


def test_a_shortfall_is_set_by_the_penalty() -> None:
    short = one(external_demand_t=200_000.0).with_policy({"penalty.reference_price_cny_per_t": 100.0})
    assert solved(short)["set_by"].tolist() == ["penalty"]


def test_stated_prices_have_no_closure() -> None:
    results = etsopt.solve(one().with_policy({"market.prices_cny_per_t": 50.0}), "abatement")
    assert "closure" not in results.tables


@pytest.mark.everyday("pathway-0")
@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("model", ["clearing", "pathway"])
def test_at_the_stated_terminal_price_the_prices_are_still_the_same(seed: int, model: str) -> None:
    """What the line says is tried: solved again just below that terminal price, the prices are those before."""
    instance = of_model(random_market(seed, years=1 + seed % 3), model).with_policy(
        {"abatement.divisible_measures": True}
    )
    results = etsopt.solve(instance, model)
    if "closure" not in results.tables:
        return
    assert results.violations == ()
    table = results.tables["closure"]
    terminal, most = table["terminal_price_cny_per_t"][0], table["unchanged_up_to_cny_per_t"][0]
    assert most >= terminal
    if most <= terminal * (1 + 1e-6) + 1e-6 or most > 1e4:
        return
    for share in (0.5, 0.999):
        higher = terminal + share * (most - terminal)
        again = etsopt.solve(instance.with_policy({"market.terminal_price_cny_per_t": higher}), model)
        years = results.tables["years"]
        low, high = (years[f"price_{end}_cny_per_t"].to_numpy() for end in ("lower", "upper"))
        price = again.tables["years"]["price_cny_per_t"].to_numpy()
        size = 1e-3 * np.maximum(high, 1.0)
        assert (price >= low - size).all(), (higher, price, low)
        assert (price <= high + size).all(), (higher, price, high)
        assert again.levels[-1].value == pytest.approx(results.levels[-1].value, rel=1e-6, abs=10.0)


@pytest.mark.everyday("terminal_price_cny_per_t")
@pytest.mark.parametrize("column", ["price_cny_per_t", "banked_t", "terminal_price_cny_per_t", "bank_empty_in"])
def test_a_damaged_number_is_refused(column: str) -> None:
    damage(column, lambda values: values.fillna(0.0) + 1.0)


@pytest.mark.nightly
def test_a_damaged_word_and_a_larger_reach_are_refused() -> None:
    damage("set_by", lambda values: values.replace("abatement", "ceiling"))
    damage("unchanged_up_to_cny_per_t", lambda values: 1.001 * values)
    damage("unchanged_up_to_cny_per_t", lambda values: 0.999 * values)


def damage(column: str, change: Any) -> None:
    instance = one(external_demand_t=20_000.0, terminal_price_cny_per_t=10.0)
    results = etsopt.solve(instance, "clearing")
    table = results.tables["closure"].copy()
    table[column] = change(table[column])
    found = check(instance, {**results.tables, "closure": table}, results.levels, kind="clearing").violations
    assert ("closure", column) in {(violation.rule, violation.where) for violation in found}


def test_a_table_without_a_row_or_a_column_and_one_that_is_missing_are_refused() -> None:
    instance = one(external_demand_t=20_000.0)
    results = etsopt.solve(instance, "clearing")
    table = results.tables["closure"]
    for other in (table.iloc[:0], table.drop(columns="set_by"), table.assign(more=1.0)):
        found = check(instance, {**results.tables, "closure": other}, results.levels, kind="clearing").violations
        assert {"closure", "tables"} & {violation.rule for violation in found}
    without = {name: frame for name, frame in results.tables.items() if name != "closure"}
    assert check(instance, without, results.levels, kind="clearing").violations


def test_multipliers_that_reach_farther_than_the_bound_are_refused() -> None:
    """A larger multiplier of the last year states a larger reach, at which the bound of the cost falls."""
    instance = one(external_demand_t=20_000.0)
    results = etsopt.solve(instance, "clearing")
    duals = results.tables["duals"].copy()
    of_balance = (duals["level"] == "cost") & (duals["row"] == "account_balance")
    duals.loc[of_balance, "multiplier"] *= 2
    table = results.tables["closure"].assign(unchanged_up_to_cny_per_t=80.0)
    tables = {**results.tables, "duals": duals, "closure": table}
    report = check(instance, tables, results.levels, kind="clearing")
    assert not report.certified


def test_the_last_years_terminal_price_is_a_key_of_the_policy() -> None:
    with pytest.raises(DataError):
        one(terminal_price_cny_per_t=-1.0)
    assert replace(one(), forecast=None).policy.market.terminal_price_cny_per_t == 0


@pytest.mark.parametrize("seed", range(30))
def test_markets_of_whole_plans_and_own_accounts_state_it_too(seed: int) -> None:
    results = etsopt.solve(some_market(seed), "clearing")
    assert results.violations == ()
    assert ("closure" in results.tables) is ("years" in results.tables)


def test_where_nothing_may_be_banked_no_terminal_price_matters() -> None:
    table = solved(one(external_demand_t=5_000.0, paid_share=1.0))
    assert table["unchanged_up_to_cny_per_t"].tolist() == [np.inf]
    assert closure(table)[1] == "They are independent of the terminal price: nothing may be banked at the end."


def test_a_balanced_market_says_from_when_on_a_bank_would_pay() -> None:
    lines = closure(solved(one(terminal_price_cny_per_t=10.0)))
    assert lines[1] == "At a terminal price above 10.00 CNY/t allowances would be banked for it."


@pytest.mark.parametrize(
    ("market", "by"),
    [
        ({}, "penalty"),
        ({"ceiling_price_cny_per_t": 80.0, "reserve_t": 1e6}, "ceiling"),
    ],
)
def test_a_bank_carries_the_reason_of_the_year_in_which_it_ends(market: dict[str, Any], by: str) -> None:
    instance = one(2026, auctioned_t={"2025": 5e4, "2026": 0.0}, external_demand_t={"2025": 0.0, "2026": 1e5}, **market)
    short = replace(instance, measures=None).with_policy({"penalty.reference_price_cny_per_t": 100.0})
    assert solved(short)["set_by"].tolist() == [by, by]


def test_without_measures_no_price_is_set_by_abatement() -> None:
    table = solved(replace(one(external_demand_t=1_000.0, auctioned_t=1_000.0), measures=None))
    assert set(table["set_by"]) <= {"scarcity", "no scarcity"}


def test_a_price_within_the_transaction_cost_of_the_terminal_price_is_set_by_it() -> None:
    table = solved(one(terminal_price_cny_per_t=60.0, transaction_cost_cny_per_t=2.0))
    assert table["set_by"].tolist() == ["terminal price"]


def test_multipliers_worse_than_those_of_an_end_of_the_price_are_refused() -> None:
    """Forged multipliers of the cost prove less than the stated ends of the interval, which betrays them."""
    instance = one(2026, external_demand_t={"2025": 5e4, "2026": 0.0}).with_policy(
        {"abatement.divisible_measures": False}
    )
    results = etsopt.solve(instance, "clearing")
    duals = results.tables["duals"].copy()
    assert duals["level"].str.fullmatch(r"cost:\d+").any()
    for row, sign in (("account_balance", 1.0), ("market_balance", -1.0)):
        here = (duals["level"] == "cost") & (duals["row"] == row) & (duals["year"] == 2026)
        duals.loc[here, "multiplier"] += 40 * sign
    found = check(instance, {**results.tables, "duals": duals}, results.levels, 1e-4, "clearing").violations
    assert "price" in {violation.rule for violation in found}


def test_a_market_in_which_nothing_costs_anything_is_certified() -> None:
    short = one().with_policy({"penalty.reference_price_cny_per_t": 80.0})
    assert etsopt.solve(short, "clearing").certified
    assert etsopt.solve(
        etsopt.read("cn-2025").with_policy({"market.terminal_price_cny_per_t": 0.0}), "clearing"
    ).certified


def test_offsets_in_one_year_set_the_prices_of_all_years_that_a_bank_links() -> None:
    """Offsets at 30 CNY/t in 2025 meet the last tonne of two years; in 2026 the price is 33 by banking."""
    instance = one(
        2026,
        external_demand_t={"2025": 0.0, "2026": 3e4},
        ccer_price_cny_per_t=30.0,
        ccer_supply_t={"2025": 40_000.0, "2026": 0.0},
    )
    table = solved(instance)
    assert table["price_cny_per_t"].tolist() == pytest.approx([30.0, 33.0])
    assert table["set_by"].tolist() == ["offsets", "offsets"]
