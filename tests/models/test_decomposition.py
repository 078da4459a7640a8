"""Markets by prices: the bound of the whole program, and what is found near it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt_models._columns import variable_fixing
from etsopt_models._columns.variable_fixing import sample_by_size
from tests.markets import MARKETS, as_filed, market, of_model, random_market

if TYPE_CHECKING:
    from etsopt.running.results.results import Results

SHORT: dict[str, Any] = {"market": {"prices_cny_per_t": 40.0}, "penalty": {"reference_price_cny_per_t": 300.0}}
"""Where the price is that of measures, and owing is dear."""


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let some dozens of units be many, so that samples are drawn."""
    for name, value in {"SAMPLE_UNITS_MAX": 12, "FREE_UNITS_MIN": 10}.items():
        monkeypatch.setattr(variable_fixing, name, value)


def many(units: int = 60, measures: int = 3, **changes: Any) -> etsopt.Instance:
    """A generated market in which other sectors want a thirtieth of all emissions."""
    instance = etsopt.generate(units, 3, measures)
    demand = 0.03 * float(instance.emissions_tco2e.sum())
    # Lump sums: a market is solved once.
    stated = {"market.external_demand_t": demand, "horizon.last_year": 2025, "pathway.self_balancing_until": 2024}
    stated |= SHORT_KEYS
    return as_filed(instance, stated | changes)


SHORT_KEYS = {"market.prices_cny_per_t": 40.0, "penalty.reference_price_cny_per_t": 300.0}


def same(instance: etsopt.Instance, model: str, gap: float = 1e-6) -> Results:
    """Solve by prices and as a whole: the relaxations agree, and so do values, up to what is left to either."""
    instance = of_model(instance, model)
    by_prices, whole = (etsopt.solve(instance, model, method=method, gap=gap) for method in ("decomposition", "direct"))
    about = by_prices.provenance
    assert about.method == "decomposition", about.method_reason
    assert not by_prices.violations
    assert by_prices.termination == whole.termination
    if not whole.levels:
        return by_prices
    one, other = by_prices.levels[-1], whole.levels[-1]
    size = abs(other.value) + 1.0
    assert one.bound == pytest.approx(other.bound, rel=1e-8, abs=1.0)
    # The core is a part of the program: what it finds may be dearer, and what the whole found lies within its own gap.
    assert one.value >= other.bound - 1e-8 * size
    assert one.value <= other.value + 2e-2 * size
    np.testing.assert_allclose(by_prices.prices["price"], whole.prices["price"], rtol=1e-5, atol=1e-5)
    return by_prices


def shipped(name: str) -> etsopt.Instance:
    instance = etsopt.read(name)
    stated = instance.policy.market.prices_cny_per_t is not None
    return instance if stated else instance.with_policy({"market.prices_cny_per_t": 62.36})


@pytest.mark.everyday("cn-2025-pathway")
@pytest.mark.parametrize("model", MARKETS)
@pytest.mark.parametrize("name", ["cn-2025", "cn-2025-2035"])
def test_a_shipped_instance_has_one_answer_by_either_method(
    name: str, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its 1,280 units are fewer than a sample: a smaller sample is drawn of them.
    monkeypatch.setattr(variable_fixing, "SAMPLE_UNITS_MAX", 300)
    same(shipped(name), model, gap=1e-4)


@pytest.mark.everyday("divisible_measures-pathway")
@pytest.mark.parametrize("model", MARKETS)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"horizon.last_year": 2028},
        {"horizon.last_year": 2027, "market.terminal_price_cny_per_t": 50.0},
        {"pathway.self_balancing_until": 2025, "horizon.last_year": 2026},
        {"abatement.divisible_measures": True},
        {"abatement.no_regret": "exclude"},
        {"abatement.output_cut": {"cement": {"share": 0.1, "margin_cny_per_t": 60.0}}},
        {"market.ccer_supply_t": 1e6, "market.ccer_price_cny_per_t": 20.0, "horizon.last_year": 2026},
        {"market.auctioned_t": 1e6, "market.floor_price_cny_per_t": 5.0, "market.ceiling_price_cny_per_t": 45.0,
         "market.reserve_t": 2e6},
        {"market.borrow_pre_allocation": True, "horizon.last_year": 2027},
    ],
    ids=lambda changes: " ".join(key.split(".")[1] for key in changes) or "one year",
)  # fmt: skip
@pytest.mark.usefixtures("few")
def test_many_units_narrowed_down_have_the_bound_of_the_whole_program(model: str, changes: dict[str, Any]) -> None:
    same(many(**changes), model, gap=1e-4)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("years", [1, 3])
def test_a_random_market_has_the_bound_of_the_whole_program(
    seed: int, years: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(variable_fixing, "SAMPLE_UNITS_MAX", 1)
    same(random_market(seed, years), MARKETS[1 + seed % 2])


def test_where_allowances_are_missing_both_methods_miss_as_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variable_fixing, "SAMPLE_UNITS_MAX", 1)
    measures: list[dict[str, object]] = [
        {"measure_id": "cut", "sector": "cement", "abatement_rate": 0.1, "variable_opex_cny_per_t": 5.0}
    ]
    units = {"emissions_tco2e": [1000.0, 2000.0, 3000.0], "reference_t": [800.0, 1700.0, 2500.0]}
    results = [
        etsopt.solve(market(units, measures), "clearing", method=method) for method in ("decomposition", "direct")
    ]
    for result in results:
        assert result.termination == "infeasible"
        # 1,000 t are lacking, and all measures together avoid 600 t.
        assert result.tables["unmet_demand"]["unmet_t"].sum() == pytest.approx(400.0)


def test_an_allocation_that_cannot_be_is_told_as_ever() -> None:
    result = etsopt.solve(etsopt.read("eu-2019"), "clearing", method="decomposition")
    assert result.termination == etsopt.solve(etsopt.read("eu-2019"), "clearing", method="direct").termination


def test_thousands_of_units_are_certified_to_the_gap_that_is_left_by_the_largest() -> None:
    result = etsopt.solve(many(6_000, 4), "clearing")
    assert result.provenance.method == "decomposition"
    assert result.status in ("certified_gap", "certified_optimal")
    assert 0 <= result.levels[-1].gap <= 1e-4 * result.levels[-1].value
    assert not etsopt.check(many(6_000, 4), result).violations


@pytest.mark.parametrize("seed", range(12))
def test_however_few_are_left_to_choose_at_first_the_answer_is_the_same(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SAMPLE_UNITS_MAX", "FREE_UNITS_MIN"):
        monkeypatch.setattr(variable_fixing, name, 1)
    instance = random_market(seed, 2)
    by_prices, whole = (etsopt.solve(instance, "clearing", method=method) for method in ("decomposition", "direct"))
    assert not by_prices.violations
    assert by_prices.termination == whole.termination == "optimal"
    assert by_prices.levels[-1].bound == pytest.approx(whole.levels[-1].bound, rel=1e-8)
    assert by_prices.levels[-1].value >= whole.levels[-1].bound * (1 - 1e-8)


@pytest.mark.parametrize("seed", range(5))
def test_a_sample_stands_for_the_size_of_all(seed: int) -> None:
    size = np.exp(2 * np.random.default_rng(seed).normal(size=5_000))
    sample, times = sample_by_size(size, 200)
    assert len(sample) <= 200
    assert (np.diff(sample) > 0).all()
    assert (size[sample] * times).sum() == pytest.approx(size.sum(), rel=1e-9)
    assert (times > 0.5).all()


@pytest.mark.everyday("True-pathway")
@pytest.mark.parametrize("model", MARKETS)
@pytest.mark.parametrize("divisible", [False, True])
def test_holdings_at_the_start_stay_when_units_choose_again(few: None, model: str, divisible: bool) -> None:
    """Units that choose again move the right-hand side, of which the holdings, a fixed variable, are a part."""
    instance = many(**{"horizon.last_year": 2027, "abatement.divisible_measures": divisible})
    owners = sorted(instance.units["enterprise_id"].unique())
    opening = 0.06 * float(instance.emissions_tco2e.sum()) / len(owners)
    enterprises = pd.DataFrame({"enterprise_id": owners, "opening_2025_t": round(opening)})
    found = same(replace(instance, enterprises=enterprises), model)
    assert found.certified, found.status
