"""Abatement at given prices: cases solved by hand, and the direction in which an answer must move."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import etsopt
from etsopt.common.errors import DataError
from tests.markets import market, random_market


def plant(price: Any, **policy: Any) -> etsopt.Instance:
    """One unit of 1,000,000 t with 900,000 t free, and two measures: 10 % at 40 CNY/t, and 20 % at 90 CNY/t."""
    measures: list[dict[str, object]] = [
        # The cost is one of output, and each tonne of output emits a tonne: 4 CNY for 0.1 t are 40 CNY/t.
        {"measure_id": "cheap", "unit_id": "u0", "abatement_rate": 0.1, "variable_opex_cny_per_t": 4.0},
        {"measure_id": "dear", "unit_id": "u0", "abatement_rate": 0.2, "variable_opex_cny_per_t": 18.0},
    ]
    units = {"emissions_tco2e": [1_000_000.0], "reference_t": [900_000.0]}
    stated = {"prices_cny_per_t": price, **policy.pop("market", {})}
    return market(units, measures, market=stated, **policy)


@pytest.mark.parametrize(
    ("price", "taken", "cost"),
    [
        # 100,000 t are bought.
        (30.0, [], 3_000_000),
        # The cheap measure costs 4,000,000 CNY and covers the net demand.
        (60.0, ["cheap"], 4_000_000),
        # Both leave 0.9 x 0.8 = 72 % of the emissions: 180,000 t are sold at 120 CNY.
        (120.0, ["cheap", "dear"], 22_000_000 - 180_000 * 120),
    ],
)
def test_a_measure_is_taken_where_the_price_is_above_its_cost(price: float, taken: list[str], cost: float) -> None:
    result = etsopt.solve(plant(price), "abatement")
    assert result.status == "certified_optimal"
    assert sorted(result.tables["plans"]["measure_id"]) == taken
    assert result.levels[-1].value == pytest.approx(cost, abs=1e-3)


def test_the_second_measure_abates_a_share_of_what_the_first_leaves() -> None:
    # 20 % of 900,000 t are 180,000 t for 18,000,000 CNY: at 95 CNY/t they do not pay, though 90 CNY/t were stated.
    result = etsopt.solve(plant(95.0), "abatement")
    assert sorted(result.tables["plans"]["measure_id"]) == ["cheap"]
    assert sorted(etsopt.solve(plant(101.0), "abatement").tables["plans"]["measure_id"]) == ["cheap", "dear"]


def test_half_a_measure_is_chosen_only_where_plans_are_divisible() -> None:
    # Without a market to sell to, at a transaction cost above any gain, 100,000 t of net demand need all of the cheap
    # measure; 50,000 t need half of it.
    half = {"abatement.divisible_measures": True, "market.transaction_cost_cny_per_t": 500.0}
    instance = plant(60.0).with_policy(half)
    units = instance.units.assign(reference_t=[950_000.0])
    given = instance.policy.model_dump(mode="json", exclude_none=True, exclude_unset=True)
    result = etsopt.solve(etsopt.Instance.from_frames(units, given, measures=instance.measures), "abatement")
    assert result.certified
    assert result.tables["plans"]["share"].tolist() == pytest.approx([0.5])


def test_a_price_above_the_cost_of_an_outstanding_tonne_is_refused() -> None:
    # Owing costs five times the reference price of 20 and, at the end, the price itself: 120 CNY/t.
    with pytest.raises(DataError, match=r"penalty\.reference_price_cny_per_t"):
        etsopt.solve(plant(121.0, penalty={"reference_price_cny_per_t": 20.0}), "abatement")
    assert etsopt.solve(plant(120.0, penalty={"reference_price_cny_per_t": 20.0}), "abatement").certified


@pytest.mark.parametrize("seed", range(8))
def test_a_higher_price_never_leaves_more_emissions(seed: int) -> None:
    instance = random_market(seed, market={"prices_cny_per_t": 0.0})
    emissions = [
        etsopt.solve(instance.with_policy({"market.prices_cny_per_t": price}), "abatement")
        .tables["years"]["emissions_tco2e"]
        .sum()
        for price in (0.0, 30.0, 80.0, 200.0)
    ]
    assert (np.diff(emissions) <= 1e-6 * emissions[0]).all()
