"""No method answers with dealings that break a limit: what would is dealt anew, or the whole program is solved."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt_models._columns import enterprise_decomposition
from etsopt_models._enterprises import core
from etsopt_models._enterprises.subproblem import Flows, TradeTerms
from tests.judging import check
from tests.markets import market, of_model, random_market

FOREVER = np.inf + np.zeros(3)


def terms(*prices: float) -> TradeTerms:
    """Prices of an allowance, which cost 1 CNY/t to trade; no offsets, and nothing is worth anything at the end."""
    price = np.array(prices)
    return TradeTerms(price, 0 * price + 1.0, FOREVER[: len(price)], 0.0, 0 * price, 0.0)


def test_of_equal_years_the_last_is_that_to_sell_in_and_the_first_to_buy_in() -> None:
    # Nothing lacks in the first year, and 10 t are over in the second: they cannot be sold before. The other account
    # lacks 10 t in the first year, and gets by without them no longer.
    trade, weight = terms(20.0, 20.0), np.array([[0.0, -10.0], [10.0, 0.0]])
    _, path = trade.best(weight, 0 * weight)
    flows = trade.trades(weight, 0 * weight, path)
    assert flows.sold.tolist() == [[0.0, 10.0], [0.0, 0.0]]
    assert flows.bought.tolist() == [[0.0, 0.0], [10.0, 0.0]]


@pytest.mark.parametrize("seed", range(20))
def test_dealings_at_one_price_keep_holdings_in_every_year(seed: int) -> None:
    random = np.random.default_rng(seed)
    years = int(random.integers(2, 7))
    # The same price in some years, interest in others.
    price = 50.0 * np.cumprod(np.where(random.random(years) < 0.6, 1.0, 0.97))
    trade = replace(terms(*price), offset_price=np.full(years, np.inf))
    weight = np.round(random.normal(size=(40, years)) * 100)
    _, path = trade.best(weight, 0 * weight)
    flows = trade.trades(weight, 0 * weight, path)
    held = np.cumsum(flows.net - weight, axis=1)
    assert (held >= -1e-9).all()
    # At equal prices no dealings cost less than the multipliers prove.
    paid = flows.bought @ (trade.price + 1) - flows.sold @ (trade.price - 1)
    assert paid == pytest.approx((path * weight).sum(axis=1), abs=1e-6)


def path_of_ten_years() -> etsopt.Instance:
    """300 units over ten years with a demand of other sectors: some sold in 2025 what they were given later."""
    count, seed = 300, 11
    made = etsopt.generate(count, seed=seed, measures=4, own=True)
    assert made.measures is not None
    late = np.random.default_rng(count + seed).random(len(made.measures)) < 0.25
    policy = made.policy.model_dump(mode="json", exclude_none=True)
    demand = round(0.03 * float(made.emissions_tco2e.sum()))
    policy["market"] |= {"transaction_cost_cny_per_t": 1.0, "external_demand_t": demand}
    policy["horizon"]["last_year"] = policy["year"] + 9
    measures = made.measures.assign(first_year=np.where(late, 2028.0, np.nan))
    return etsopt.Instance.from_frames(made.units, policy, measures=measures)


@pytest.mark.nightly
def test_a_path_by_prices_borrows_no_more_than_is_issued_in_advance() -> None:
    # Within a hundredth: what is issued in advance limits any answer, and closing the gap takes minutes.
    result = etsopt.solve(path_of_ten_years(), "pathway", method="decomposition", gap=1e-2)
    assert result.provenance.method == "decomposition"
    assert result.violations == ()


def sold_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everybody sell in the first year whatever he sells at all: before most of it is there."""
    plain = TradeTerms.trades

    def first(self: TradeTerms, *arrays: Any) -> Flows:
        flows = plain(self, *arrays)
        sold = np.zeros_like(flows.sold)
        sold[:, 0] = flows.sold.sum(axis=1)
        return replace(flows, sold=sold)

    monkeypatch.setattr(TradeTerms, "trades", first)


PRICE_TAKERS = {"market.prices_cny_per_t": 40.0, "market.transaction_cost_cny_per_t": 1.0, "horizon.last_year": 2028}


def takers() -> etsopt.Instance:
    return etsopt.generate(60, seed=3, measures=3).with_policy(PRICE_TAKERS)


def test_who_would_break_a_limit_deals_anew_in_the_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enterprise_decomposition, "TREE_AT_ONCE_MAX_ACCOUNT_YEARS", 0)
    right = etsopt.solve(takers(), "abatement", method="decomposition")
    sold_first(monkeypatch)
    result = etsopt.solve(takers(), "abatement", method="decomposition")
    assert result.provenance.method == right.provenance.method == "decomposition"
    assert result.violations == ()
    assert result.levels[-1].value == pytest.approx(right.levels[-1].value, rel=1e-9)


def test_where_too_many_would_break_a_limit_the_whole_program_is_solved_and_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sold_first(monkeypatch)
    monkeypatch.setattr(enterprise_decomposition, "TREE_AT_ONCE_MAX_ACCOUNT_YEARS", 0)
    monkeypatch.setattr(core, "RETRADING_ENTERPRISES_MAX", 3)
    result = etsopt.solve(takers(), "abatement", method="decomposition")
    assert result.provenance.method == "direct"
    assert "enterprises would trade, hold or borrow beyond their limits" in result.provenance.method_reason
    assert result.violations == ()


@pytest.mark.nightly
def test_more_offsets_than_are_on_offer_are_left_to_the_whole_program(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = TradeTerms.trades

    def greedy(self: TradeTerms, weight: Any, emissions: Any, path: Any) -> Flows:
        flows = plain(self, weight, emissions, path)
        more = self.offsets_most(emissions) - flows.offset
        return replace(flows, offset=flows.offset + more, sold=flows.sold + more)

    offered = {"market.ccer_price_cny_per_t": 20.0, "market.ccer_supply_t": 1e5}
    instance = etsopt.generate(400, seed=3, measures=3).with_policy(PRICE_TAKERS | offered)
    monkeypatch.setattr(TradeTerms, "trades", greedy)
    monkeypatch.setattr(enterprise_decomposition, "TREE_AT_ONCE_MAX_ACCOUNT_YEARS", 0)
    result = etsopt.solve(instance, "abatement", method="decomposition")
    assert result.provenance.method == "direct"
    assert result.violations == ()


def test_nobody_owes_more_than_he_emitted_where_one_account_stands_for_all() -> None:
    # Each lacks 40 % of 100,000 t, and the next year 40 % of 1,000 and of 5,000 t; nothing is for sale. By the
    # emissions of that year the second would owe 5/6 of 82,400 t, and hand over less than nothing.
    forecast = pd.DataFrame({"sector": ["cement", "steel"], "year": 2026, "output_factor": [0.01, 0.05]})
    instance = market(
        {"emissions_tco2e": [1e5, 1e5], "reference_t": [6e4, 6e4], "sector": ["cement", "steel"]},
        horizon={"last_year": 2026},
        forecast=forecast,
        penalty={"reference_price_cny_per_t": 20.0},
        market={"borrow_pre_allocation": False},
    )
    result = etsopt.solve(instance, "clearing")
    assert result.status == "certified_optimal"
    assert result.tables["enterprise_years"]["outstanding_t"].tolist() == pytest.approx(
        [40_000, 40_400, 40_000, 42_000]
    )
    assert result.tables["enterprise_years"]["surrendered_t"].tolist() == pytest.approx([60_000, 600, 60_000, 3_000])


# What breaks a limit is refused.


@pytest.mark.parametrize("model", ["abatement", "clearing", "pathway"])
def test_what_is_borrowed_without_being_issued_in_advance_is_refused(model: str) -> None:
    lacking = market(
        {"emissions_tco2e": [1e5], "reference_t": [90e3]},
        horizon={"last_year": 2026},
        market={"auctioned_t": {"2025": 0, "2026": 20_000}, "prices_cny_per_t": {"2025": 50.0, "2026": 20.0}},
        penalty={"reference_price_cny_per_t": 60.0},
    )
    instance = of_model(lacking, model)
    result = etsopt.solve(instance, model)
    assert result.violations == ()
    # On the path allowances are the rule's own, and here A = E: nobody has to borrow.
    borrowed = -float(result.tables["enterprise_years"]["banked_t"].min())
    assert (borrowed > 1_000) is (model != "pathway")
    never = instance.with_policy({"market.borrow_pre_allocation": False})
    rules = {violation.rule for violation in etsopt.check(never, result).violations}
    assert ("borrowing" in rules) is (borrowed > 1)


@pytest.mark.everyday("bought_t")
@pytest.mark.parametrize("cost", [0.0, 1.0])
@pytest.mark.parametrize(("column", "rule"), [("bought_t", "held"), ("sold_t", "borrowing")])
def test_who_deals_beyond_his_own_need_is_refused(column: str, rule: str, cost: float) -> None:
    instance = random_market(2, 2, market={"transaction_cost_cny_per_t": cost})
    result = etsopt.solve(instance, "clearing")
    assert result.violations == ()
    result.tables["enterprise_years"].loc[0, column] += 1e8
    assert rule in {violation.rule for violation in etsopt.check(instance, result).violations}


# What is owed.


def falling(cost: float) -> etsopt.Instance:
    """Two that lack 40 % each; the first then emits a fiftieth, and may borrow as much less."""
    forecast = pd.DataFrame(
        {
            "sector": ["cement", "cement", "steel", "steel"],
            "year": [2026, 2027] * 2,
            "output_factor": [0.02] * 2 + [3.0] * 2,
        }
    )
    return market(
        {"emissions_tco2e": [1e5, 1e5], "reference_t": [6e4, 6e4], "sector": ["cement", "steel"]},
        horizon={"last_year": 2027},
        forecast=forecast,
        penalty={"reference_price_cny_per_t": 20.0},
        market={"transaction_cost_cny_per_t": cost},
    )


@pytest.mark.parametrize("cost", [0.0, 1.0])
def test_what_is_borrowed_is_not_given_back_by_owing_more_than_is_due(cost: float) -> None:
    # Of the 40,000 t that the first lacks in 2025 it may borrow 40,000, and in 2026 hold no less than -1,000: it gave
    # back 39,000 t by owing them, while it emitted 2,000.
    result = etsopt.solve(falling(cost), "clearing")
    assert result.status == "certified_optimal"
    assert (result.tables["enterprise_years"]["surrendered_t"] >= -1e-3).all()


@pytest.mark.nightly
def test_multipliers_of_what_is_newly_owed_prove_no_more_than_the_optimum() -> None:
    instance = falling(1.0)
    result = etsopt.solve(instance, "clearing")
    assert "newly_owed" in set(result.tables["duals"]["row"])
    random = np.random.default_rng(4)
    for size in (1.0, 30.0, 300.0):
        for _ in range(20):
            duals = result.tables["duals"].copy()
            duals["multiplier"] += size * random.normal(size=len(duals)) * (duals["level"] == "cost")
            tables = {**result.tables, "duals": duals}
            report = check(instance, tables, result.levels, 1e-4, "clearing")
            assert report.levels[-1].bound <= result.levels[-1].value + 1e-3
