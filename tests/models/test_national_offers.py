"""Offers to all: offsets, auctions and what other sectors sell count once, whatever trading costs."""

from __future__ import annotations

from typing import Any

import pytest

import etsopt
from tests.markets import market, random_market

COSTS = (0.0, 1e-9, 1e-6)
"""Transaction costs: one account for all, and one of each enterprise where trading costs nearly nothing [CNY/t]."""


def four(cost: float, **stated: Any) -> etsopt.Instance:
    """Four enterprises of 1,000,000 t, each of which lacks 100,000 t."""
    units = {"emissions_tco2e": [1e6] * 4, "reference_t": [9e5] * 4}
    return market(units, market={"transaction_cost_cny_per_t": cost, **stated})


@pytest.mark.everyday("0.0-decomposition", "1e-06-direct")
@pytest.mark.parametrize("method", ["direct", "decomposition"])
@pytest.mark.parametrize("cost", COSTS)
def test_price_takers_share_the_offsets_on_offer(cost: float, method: str) -> None:
    # Each could settle 5 %, 50,000 t, at 40 CNY instead of 80; on offer are 50,000 t for all four. So they buy
    # 350,000 t at 80 and use 50,000 t at 40: 30,000,000 CNY.
    instance = four(cost, prices_cny_per_t=80.0, ccer_price_cny_per_t=40.0, ccer_supply_t=50_000.0)
    result = etsopt.solve(instance, "abatement", method=method)
    assert result.status == "certified_optimal"
    assert result.tables["years"]["offset_t"].item() == pytest.approx(50_000)
    assert result.tables["years"]["bought_t"].item() == pytest.approx(350_000)
    assert result.levels[-1].value == pytest.approx(30_000_000, abs=1.0)
    # One offset more would save 40 CNY; for one account of all the offers are a bound of its own.
    duals = result.tables["duals"].query("row == 'offsets_on_offer'")["multiplier"]
    assert duals.tolist() == pytest.approx([-40.0] if cost else [], rel=1e-6)
    assert result.provenance.method == method


@pytest.mark.everyday("0.0-0.0", "-500000.0-1e-09", "500000.0-1e-06")
@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("supply", [0.0, -500_000.0, 500_000.0])
def test_price_takers_deal_at_the_price_whatever_other_sectors_sell(cost: float, supply: float) -> None:
    # A tonne that is kept is worth 60 and costs 40, so each buys the 1,000,000 t that it may ever need and keeps
    # 900,000: 4 x (40 - 0.9 x 60) = -56 million CNY.
    stated = {"prices_cny_per_t": 40.0, "terminal_price_cny_per_t": 60.0, "external_demand_t": supply}
    result = etsopt.solve(four(cost, **stated), "abatement")
    assert result.status == "certified_optimal"
    assert result.levels[-1].value == pytest.approx(-56_000_000, abs=10.0)


@pytest.mark.everyday("1e-09")
@pytest.mark.parametrize("cost", COSTS)
def test_what_other_sectors_sell_is_held_once_in_a_market_that_clears(cost: float) -> None:
    # 10,000,000 t are auctioned and others sell 500,000; kept tonnes are worth 60. The four may buy their emissions and
    # the 500,000 t: 4,500,000, of which they surrender 400,000 and keep the rest.
    stated = {"auctioned_t": 1e7, "terminal_price_cny_per_t": 60.0, "external_demand_t": -500_000.0}
    result = etsopt.solve(four(cost, **stated), "clearing")
    assert result.status == "certified_optimal"
    years = result.tables["years"].iloc[0]
    assert years["bought_t"] - years["sold_t"] == pytest.approx(4_500_000, abs=1.0)
    assert years["banked_t"] == pytest.approx(4_100_000, abs=1.0)
    assert result.levels[-1].value == pytest.approx(-60 * 4_100_000, abs=10.0)


OFFERS: dict[str, dict[str, Any]] = {
    "offsets": {"ccer_price_cny_per_t": 25.0, "ccer_supply_t": 4_000.0},
    "auctions": {"auctioned_t": 20_000.0, "terminal_price_cny_per_t": 30.0},
    "others sell": {"external_demand_t": {"2025": -20_000.0, "2026": 10_000.0}, "terminal_price_cny_per_t": 30.0},
    "reserve": {"reserve_t": 20_000.0, "floor_price_cny_per_t": 20.0, "ceiling_price_cny_per_t": 60.0},
}


@pytest.mark.everyday("abatement-offsets-0")
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", OFFERS)
@pytest.mark.parametrize("model", ["abatement", "clearing"])
def test_own_accounts_are_one_account_for_all_as_the_cost_of_trading_goes_to_zero(
    model: str, name: str, seed: int
) -> None:
    found = []
    for cost in COSTS:
        stated = {"prices_cny_per_t": 40.0, "transaction_cost_cny_per_t": cost, **OFFERS[name]}
        instance = random_market(seed, years=2, market=stated)
        result = etsopt.solve(instance, model, method="direct", gap=1e-9)
        assert result.violations == ()
        found.append(result)
    pooled = found[0]
    size = abs(pooled.levels[-1].value)
    for own in found[1:]:
        assert own.levels[-1].bound == pytest.approx(pooled.levels[-1].bound, rel=1e-7, abs=10 + 1e-7 * size)
        assert own.levels[-1].value == pytest.approx(pooled.levels[-1].value, rel=1e-7, abs=10 + 1e-7 * size)
        for column in ("offset_t", "emissions_tco2e", "measures_cost_cny"):
            theirs, all_ = (each.tables["years"][column].sum() for each in (own, pooled))
            assert theirs == pytest.approx(all_, rel=1e-6, abs=1.0), column


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("share", [0.2, 0.6])
def test_scarce_offsets_are_shared_by_prices_as_in_the_whole_program(seed: int, share: float) -> None:
    stated: dict[str, Any] = {
        "prices_cny_per_t": 60.0,
        "transaction_cost_cny_per_t": 2.0,
        "ccer_price_cny_per_t": {"2025": 30.0, "2026": 33.0},
    }
    instance = etsopt.generate(60, seed, measures=3)
    offered = share * 0.05 * float(instance.emissions_tco2e.sum())
    keys = {f"market.{key}": value for key, value in stated.items()}
    instance = instance.with_policy({**keys, "market.ccer_supply_t": offered, "horizon.last_year": 2026})
    priced, whole = (etsopt.solve(instance, "abatement", method=method) for method in ("decomposition", "direct"))
    assert priced.provenance.method == "decomposition"
    assert priced.violations == whole.violations == ()
    one, other = priced.levels[-1], whole.levels[-1]
    assert one.value >= other.bound - 1e-8 * abs(other.value)
    assert other.value >= one.bound - 1e-8 * abs(other.value)
    assert one.value == pytest.approx(other.value, rel=1e-4)
    assert priced.tables["years"]["offset_t"].to_numpy() == pytest.approx(offered, rel=1e-6)


@pytest.mark.nightly
def test_offers_that_are_used_twice_are_refused() -> None:
    stated = {"prices_cny_per_t": 80.0, "ccer_price_cny_per_t": 40.0}
    for model in ("abatement", "clearing"):
        for cost in (0.0, 1.0):
            twice = four(cost, **stated, ccer_supply_t=100_000.0, external_demand_t=-400_000.0)
            once = twice.with_policy({"market.ccer_supply_t": 50_000.0})
            result = etsopt.solve(twice, model)
            assert result.violations == ()
            used = result.tables["years"]["offset_t"].item()
            rules = {violation.rule for violation in etsopt.check(once, result).violations}
            assert ("offsets_on_offer" in rules) is (used > 50_001)
            assert used > 50_001 or model == "clearing"
