"""Accounts and terms of a market, each against its definition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from etsopt.checking.market.accounts import derive_accounts, derive_terms, pool_accounts
from etsopt.checking.readings.baseline import Baseline, derive_baseline
from etsopt.checking.readings.instance_inputs import InstanceInputs
from tests.checking.market.small import accounts_of, baseline_of, table
from tests.markets import market

if TYPE_CHECKING:
    import etsopt


def made(**policy: Any) -> tuple[etsopt.Instance, Baseline]:
    enterprises = pd.DataFrame(
        {
            "enterprise_id": ["e", "f"],
            "opening_2021_t": [70_000.0, 5.0],
            "opening_2024_t": [40_000.7, np.nan],
            "opening_2025_t": [3.0, 0.0],
            "opening_2026_t": [4.5, 0.25],
            "net_sales_t": [10.0, -20.0],
        }
    )
    units = {
        "emissions_tco2e": [1000.0, 2000.0, 500.0],
        "reference_t": [900.0, 1900.0, 500.0],
        "enterprise_id": ["e", "e", "f"],
    }
    content = {"horizon": {"last_year": 2026}, "enterprises": enterprises} | policy
    instance = market(units, **content)  # type: ignore[arg-type]
    allocation = pd.DataFrame({"allowance_t": [900.0, 1900.0, 500.0]})
    return instance, derive_baseline(InstanceInputs.of(instance), allocation)


def test_what_may_be_held_and_dealt_follows_from_what_is_given_and_needed() -> None:
    own = accounts_of()
    assert own.later.tolist() == [[636, 316], [50, 0]]
    assert own.so_far.tolist() == [[320, 636], [50, 50]]
    gained = table((255, 555), (40.75, 43.25))
    assert own.gained.tolist() == gained.tolist()
    assert own.held_most.tolist() == [[255 + 316 + 12, 555 + 12], [43.75, 46.25]]
    dealt = [[255 + 636 + 12 + 40, 555 + 636 + 12 + 40], [40.75 + 50 + 3 + 5, 43.25 + 50 + 3 + 5]]
    assert own.traded_most.tolist() == dealt
    pool = pool_accounts(own)
    assert pool.labels.tolist() == [""]
    assert pool.of_unit.tolist() == [0, 0, 0]
    assert (pool.opening.tolist(), pool.external_supply.tolist()) == ([37.0], [15.0])
    assert pool.emissions.tolist() == [[370, 316]]
    assert pool.free_most.tolist() == [[258.75, 302.5]]
    assert pool.borrowed_most.tolist() == [[45, 0]]
    assert own.total(table((1, 2), (3, 4), (5, 6))).tolist() == [[4, 6], [5, 6]]


def test_accounts_begin_with_what_may_be_carried_over_and_with_later_vintages_in_full() -> None:
    instance, found = made(
        market={"paid_share": 0.25, "reserve_t": 30.0, "external_demand_t": {"2025": -70.0, "2026": 5.0}}
    )
    own = derive_accounts(InstanceInputs.of(instance), found, "clearing")
    # Of 110,000.7 t of old vintages 100,015 t are carried over, of 5 t all of it.
    assert own.opening.tolist() == [100_015.0 + 7.5, 5.25]
    assert own.emissions.tolist() == [[3000.0, 3000.0], [500.0, 500.0]]
    assert own.free_most.tolist() == [[2800 * 0.75] * 2, [500 * 0.75] * 2]
    assert own.borrowed_most.tolist() == [[1500.0, 0.0], [250.0, 0.0]]
    assert own.external_supply == pytest.approx([100 * 6000 / 7000, 100 * 1000 / 7000])
    assert derive_accounts(InstanceInputs.of(instance), found, "abatement").external_supply.tolist() == [0.0, 0.0]
    alone, before = made(market={"borrow_pre_allocation": False})
    nobody = derive_accounts(InstanceInputs.of(alone), before, "clearing")
    assert nobody.borrowed_most.tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_whole_tonnes_of_old_vintages_are_carried_over_and_all_of_them_before_2025() -> None:
    instance, found = made(rule={"name": "given", "carry_over_base_t": 3.7, "carry_over_factor": 0.0})
    assert derive_accounts(InstanceInputs.of(instance), found, "clearing").opening.tolist() == [3.0 + 7.5, 3.25]
    early = instance.with_policy({"year": 2024, "horizon.first_year": 2024})
    assert derive_accounts(InstanceInputs.of(early), found, "clearing").opening.tolist() == [110_000.7, 5.0]
    alone = market({"emissions_tco2e": [10.0], "reference_t": [9.0]})
    own = derive_accounts(
        InstanceInputs.of(alone),
        derive_baseline(InstanceInputs.of(alone), pd.DataFrame({"allowance_t": [9.0]})),
        "clearing",
    )
    assert own.opening.tolist() == [0.0]


def test_where_allowances_follow_emissions_no_more_than_the_cap_is_given() -> None:
    instance, _ = made(market={"paid_share": 0.25})
    found = baseline_of(years=np.array([2025, 2026]), paid_share=np.array([0.25, 0.125]))
    own = derive_accounts(InstanceInputs.of(instance), found, "clearing")
    assert own.free_most[0].tolist() == [(70 + 230) * 0.75, pytest.approx((88 + 228) * 1.2 * 0.875)]


def test_what_others_leave_is_shared_alike_where_nobody_emits() -> None:
    instance, _ = made(market={"reserve_t": 30.0})
    own = derive_accounts(InstanceInputs.of(instance), baseline_of(emissions=np.zeros((3, 2))), "clearing")
    assert own.external_supply.tolist() == [15.0, 15.0]


def test_tonnes_are_shared_by_emissions_also_of_a_tonne_in_all() -> None:
    instance, _ = made(market={"reserve_t": 30.0})
    own = derive_accounts(
        InstanceInputs.of(instance), baseline_of(emissions=table((0.5, 0), (0.25, 0), (0.25, 0))), "clearing"
    )
    assert own.external_supply.tolist() == [22.5, 7.5]


def test_a_later_year_borrows_by_the_share_of_the_year_after_it() -> None:
    """Half of the emissions of 2025 are issued early for 2026, and a fifth of those of 2026 for 2027."""
    shares = {"2025": 0.7, "2026": 0.5, "2027": 0.2}
    instance, found = made(horizon={"last_year": 2027}, rule={"name": "given", "pre_allocation_share": shares})
    assert derive_accounts(InstanceInputs.of(instance), found, "clearing").borrowed_most[0].tolist() == [
        1500.0,
        600.0,
        0.0,
    ]


def test_vintages_of_2019_are_old_ones_and_amounts_begin_in_their_first_year() -> None:
    enterprises = pd.DataFrame({"enterprise_id": ["e", "f"], "opening_2019_t": [7.0, 2.0]})
    late = {"2026": 5.0}
    policy = {"auctioned_t": late, "ccer_supply_t": late, "external_demand_t": late, "ccer_price_cny_per_t": late}
    penalty = {"reference_price_cny_per_t": 70.0, "multiple": 5.0}
    parts = {"horizon": {"last_year": 2027}, "market": policy, "penalty": penalty}
    instance, found = made(enterprises=enterprises, **parts)
    assert derive_accounts(InstanceInputs.of(instance), found, "clearing").opening.tolist() == [7.0, 2.0]
    terms = derive_terms(InstanceInputs.of(instance), found, "clearing", np.zeros(3))
    for amounts in (terms.auctioned, terms.offset_supply, terms.demand, terms.offset_price):
        assert amounts.tolist() == [0.0, 5.0, 5.0]
    assert terms.outstanding_cost == pytest.approx([350.0, 350.0, 420.0])


def test_terms_are_those_of_the_policy() -> None:
    policy: dict[str, Any] = {
        "market": {
            "prices_cny_per_t": {"2025": 50.0, "2026": 60.0},
            "transaction_cost_cny_per_t": 2.0,
            "ccer_price_cny_per_t": 20.0,
            "ccer_share": 0.04,
            "ccer_supply_t": 10.0,
            "auctioned_t": {"2025": 30.0, "2026": 7.0},
            "external_demand_t": 5.0,
            "floor_price_cny_per_t": 11.0,
            "ceiling_price_cny_per_t": 99.0,
            "reserve_t": 40.0,
            "terminal_price_cny_per_t": 6.0,
        },
        "penalty": {"reference_price_cny_per_t": 70.0, "multiple": 5.0},
    }
    instance, _ = made(**policy)
    found, remainder = baseline_of(), np.array([3.0, 0.0])
    own = derive_terms(InstanceInputs.of(instance), found, "clearing", remainder)
    assert own.transaction_cost.tolist() == [2.0, 2.0]
    assert own.offset_price.tolist() == [20.0, 20.0]
    assert own.outstanding_cost == pytest.approx([350.0, 350.0 * 1.2])
    assert (own.terminal_price, own.offset_share, own.reserve) == (6.0, 0.04, 40.0)
    assert own.offset_supply.tolist() == [10.0, 10.0]
    assert np.isnan(own.expected_price).all()
    assert own.auctioned.tolist() == [30 + 0.25 * 345 + 3, 7 + 0.125 * 298]
    assert own.remainder.tolist() == [3.0, 0.0]
    assert own.demand.tolist() == [5.0, 5.0]
    assert (own.floor.tolist(), own.ceiling.tolist()) == ([11.0] * 2, [99.0] * 2)
    assert own.capacity == 40 + 686
    assert derive_terms(InstanceInputs.of(instance), found, "abatement", remainder).expected_price.tolist() == [
        50.0,
        60.0,
    ]
    plain = derive_terms(InstanceInputs.of(made()[0]), found, "clearing", 0 * remainder)
    assert plain.outstanding_cost.tolist() == [np.inf, np.inf]
    assert (plain.floor.tolist(), plain.ceiling.tolist()) == ([0.0, 0.0], [np.inf, np.inf])
    assert plain.auctioned.tolist() == [0.25 * 345, 0.125 * 298]
    assert (plain.offset_price.tolist(), plain.offset_supply.tolist(), plain.demand.tolist()) == ([0.0, 0.0],) * 3
