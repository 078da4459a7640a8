"""Markets with transaction costs by prices: the same answers as the whole program, whole plans, and proven ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from benchmarks.at_scale.markets import instance_of
from etsopt.common.errors import UsageError
from etsopt.data.generate import generate
from etsopt_models._columns import enterprise_decomposition
from etsopt_models._enterprises.core import PriceSearch
from tests.judging import check
from tests.markets import as_filed, random_market

if TYPE_CHECKING:
    from etsopt.data.instance import Instance

OFFSETS = {"ccer_price_cny_per_t": 30.0, "ccer_supply_t": 4_000.0, "ccer_share": 0.1}

PRICE_TAKERS: dict[str, dict[str, Any]] = {
    "plain": {},
    "offsets": OFFSETS,
    "kept": {"terminal_price_cny_per_t": 35.0},
    "nothing in advance": {"borrow_pre_allocation": False},
    "falling": {"prices_cny_per_t": {"2025": 60.0, "2026": 40.0, "2027": 30.0}},
}


@pytest.mark.everyday("falling-0")
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", PRICE_TAKERS)
def test_price_takers_answer_as_in_the_whole_program_and_are_proven_without_a_gap(name: str, seed: int) -> None:
    market = {"prices_cny_per_t": 40.0, "transaction_cost_cny_per_t": 8.0, **PRICE_TAKERS[name]}
    instance = random_market(seed, years=3, market=market)
    whole = etsopt.solve(instance, "abatement", method="direct", gap=1e-9)
    priced = etsopt.solve(instance, "abatement", method="decomposition")
    assert priced.provenance.method == "decomposition"
    assert priced.violations == whole.violations == ()
    assert priced.levels[-1].value == pytest.approx(whole.levels[-1].value, rel=1e-8, abs=1.0)
    # A mixture of plans would buy and sell less: the bound is that of whole plans.
    assert priced.levels[-1].bound == pytest.approx(priced.levels[-1].value, rel=1e-8, abs=1.0)
    assert priced.certified


@pytest.mark.parametrize("seed", range(6))
def test_the_bound_of_whole_plans_is_one_for_any_multipliers(seed: int) -> None:
    # Whatever stands in the table of multipliers, the least cost of the whole program is no less than the bound.
    market = {"prices_cny_per_t": 40.0, "transaction_cost_cny_per_t": 8.0, **OFFSETS}
    instance = random_market(10 + seed, years=3, market=market)
    result = etsopt.solve(instance, "abatement", method="direct", gap=1e-9)
    random = np.random.default_rng(seed)
    duals = result.tables["duals"].copy()
    duals["multiplier"] *= random.uniform(0.8, 1.2, len(duals))
    checked = check(instance, result.tables | {"duals": duals}, result.levels, 1e-9, "abatement")
    bound = checked.levels[-1].bound
    assert bound is not None
    assert bound <= result.levels[-1].value + 1e-3


def generated(units: int, **market: Any) -> Instance:
    """Units with measures of their own sector, a tightening path of four years and a transaction cost."""
    return as_filed(
        generate(units, seed=3, measures=4),
        {
            "horizon.last_year": 2028,
            "pathway.phase_2_from": 2026,
            "pathway.tightening": 0.02,
            "pathway.paid_share": 0.03,
            "market.transaction_cost_cny_per_t": 2.0,
            **{f"market.{key}": value for key, value in market.items()},
        },
    )


@pytest.mark.everyday("market2")
@pytest.mark.parametrize("market", [{}, {"terminal_price_cny_per_t": 40.0}, OFFSETS | {"ccer_supply_t": 2e6}])
def test_a_path_by_prices_is_the_one_of_the_whole_program_within_their_gaps(market: dict[str, Any]) -> None:
    instance = generated(60, **market)
    whole = etsopt.solve(instance, "pathway", method="direct", time_limit_s=6)
    priced = etsopt.solve(instance, "pathway", method="decomposition")
    assert priced.provenance.method == "decomposition"
    assert priced.violations == whole.violations == ()
    one, other = priced.levels[-1], whole.levels[-1]
    assert one.value >= other.bound - 1.0
    assert other.value >= one.bound - 1.0
    assert one.bound >= other.bound - 1e-6 * abs(other.value)


@pytest.mark.nightly
@pytest.mark.everyday("market1")
@pytest.mark.parametrize("market", [{}, {"terminal_price_cny_per_t": 40.0}, OFFSETS | {"ccer_supply_t": 2e6}])
def test_many_units_are_certified_to_a_millionth(market: dict[str, Any]) -> None:
    # Among 2,500 units the largest leave 1e-6 to 4e-6: what is left over falls as units become many.
    result = etsopt.solve(generated(20_000, **market), "pathway", method="decomposition")
    assert result.provenance.method == "decomposition"
    assert result.violations == ()
    assert result.certified
    assert result.levels[-1].gap <= 1e-6 * abs(result.levels[-1].value)
    years = result.tables["years"]
    assert (years["price_lower_cny_per_t"] <= years["price_cny_per_t"]).all()
    assert (years["price_cny_per_t"] <= years["price_upper_cny_per_t"]).all()


@pytest.mark.nightly
def test_a_pass_of_balance_values_starts_from_the_prices_of_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    found, at_constant, runs = PriceSearch.constant_price, [], []

    def constant_price(self: PriceSearch) -> Any:
        at_constant.append(len(self.population.shift))
        return found(self)

    def of_pass(self: Any, *given: Any) -> Any:
        runs.append(given)
        return clear(self, *given)

    clear = enterprise_decomposition._clear_market
    monkeypatch.setattr(PriceSearch, "constant_price", constant_price)
    monkeypatch.setattr(enterprise_decomposition, "_clear_market", of_pass)
    result = etsopt.solve(instance_of("pathway", 2_500, 1.0), "pathway", method="decomposition")
    assert result.certified
    assert len(runs) > 1 == len(at_constant)


@pytest.mark.nightly
def test_lump_sums_and_allowances_that_follow_emissions_clear_too() -> None:
    # Other sectors want 0.2 % of all emissions, so that the market is short.
    instance = generated(2_500, external_demand_t=11e6)
    instance = instance.with_policy({"pathway.self_balancing_until": 2025})
    for model in ("clearing", "pathway"):
        result = etsopt.solve(instance, model, method="decomposition")
        assert result.provenance.method == "decomposition"
        assert result.violations == ()
        assert result.certified


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"market.floor_price_cny_per_t": 10.0}, "a reserve trades at a floor or ceiling price"),
        ({"abatement.divisible_measures": True}, "plans may be mixed"),
        (
            {"market.ccer_price_cny_per_t": 1.0, "market.ccer_supply_t": 1e6},
            "an offset costs no more than a transaction",
        ),
    ],
)
def test_what_prices_cannot_serve_is_told(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        etsopt.solve(generated(60).with_policy(changes), "pathway", method="decomposition")


def test_a_price_that_everybody_buys_ahead_of_is_declined() -> None:
    changes = {"market.prices_cny_per_t": {"2025": 40.0, "2026": 80.0}}
    with pytest.raises(UsageError, match="every account buys ahead"):
        etsopt.solve(generated(60).with_policy(changes), "abatement", method="decomposition")


@pytest.mark.everyday("prices2")
@pytest.mark.parametrize("prices", [{"2025": 80.0, "2027": 95.0}, {"2025": 80.0, "2026": 95.0}, {"2025": 80.0}])
@pytest.mark.parametrize("borrow", [True, False])
def test_accounts_add_up_to_one_where_a_line_joins_and_prices_rise_faster_than_interest(
    prices: dict[str, float], borrow: bool
) -> None:
    units = pd.DataFrame(
        {
            "unit_id": ["a", "b"],
            "enterprise_id": ["a", "b"],
            "sector": "cement",
            "province": "Hebei",
            "emissions_tco2e": 100_000.0,
            "output_t": 120_000.0,
            "special_case": ["", "new"],
        }
    )
    costs = []
    for cost in (0.0, 1e-7):
        market = {"prices_cny_per_t": prices, "transaction_cost_cny_per_t": cost, "borrow_pre_allocation": borrow}
        policy = {"year": 2025, "rule": {"name": "cn-2025"}, "horizon": {"last_year": 2027}, "market": market}
        result = etsopt.solve(etsopt.Instance.from_frames(units, policy), "abatement")
        assert result.status == "certified_optimal"
        costs.append(result.levels[-1].value)
    assert costs[0] == pytest.approx(costs[1], abs=0.5)
