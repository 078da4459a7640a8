"""Accounts, limits and prices of a compliance year by hand, and its least cost against every way to settle."""

from __future__ import annotations

import itertools
from dataclasses import replace
from math import inf, nan
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.compliance import limits
from etsopt.checking.compliance.limits import Tariff
from etsopt.checking.readings.instance_inputs import InstanceInputs
from tests.compliance_years import by_hand


def units_of(instance: etsopt.Instance, allowance: list[float]) -> pd.DataFrame:
    """Allowances of units as a result has them, half of them issued in advance."""
    tonnes = np.array(allowance)
    table = instance.units[["unit_id", "enterprise_id"]].assign(allowance_t=tonnes, pre_allocated_t=tonnes // 2)
    return table.assign(top_up_t=tonnes - tonnes // 2, return_t=np.arange(len(tonnes)))


@pytest.mark.parametrize(("keep", "sells"), [(70.0, True), (79.0, False), (79.5, False), (78.5, True)])
def test_what_is_not_surrendered_is_sold_where_that_brings_more(keep: float, sells: bool) -> None:
    tariff = Tariff(80.0, 1.0, keep, 75.0, 90.0, 5.0)
    assert tariff.sells is sells
    assert tariff.alternative == max(79.0, keep)


def test_prices_are_those_of_the_year_and_what_is_kept_is_worth_the_next_one_discounted() -> None:
    instance = by_hand()
    tariff = limits.tariff(InstanceInputs.of(instance))
    assert (tariff.market, tariff.transaction, tariff.keep) == (80.0, 1.0, 70.0)
    assert (tariff.offset, tariff.reference, tariff.multiple) == (75.0, 90.0, instance.policy.penalty.multiple)
    later = instance.with_policy(
        {
            "horizon.last_year": 2027,
            "horizon.discount_rate": 0.25,
            "market.prices_cny_per_t": {"2025": 80.0, "2026": 100.0, "2027": 500.0},
        }
    )
    assert limits.tariff(InstanceInputs.of(later)).keep == pytest.approx(80.0)
    assert limits.tariff(InstanceInputs.of(later)).market == 80.0


def test_what_is_known_of_an_enterprise_is_that_of_its_units() -> None:
    instance = by_hand()
    known = limits.enterprises(InstanceInputs.of(instance), units_of(instance, [1000.0, 1900.0, 2900.0, 400.0, 650.0]))
    assert known.index.tolist() == ["a", "b", "c", "d"]
    assert known["province"].tolist() == ["North", "West", "South", "North"]
    assert known["units"].tolist() == [1, 1, 1, 2]
    assert known["emissions"].tolist() == [1000.0, 2000.4, 3000.5, 1100.0]
    assert known["obligation"].tolist() == [1000.0, 2000.0, 3001.0, 1100.0]
    # Who is named is at risk, and whoever closes a line.
    assert known["at_risk"].tolist() == [False, True, False, True]
    assert known["received"].tolist() == [0.0, 1900.0, 0.0, 1050.0]
    assert known["from_province"].tolist() == [0.0, 1900.0, 0.0, 1050.0]
    assert known["buys"].tolist() == [True, True, False, True]
    share = 0.05
    supply = [np.floor(100 * part / 7101) for part in (1000, 2000, 3001, 1100)]
    assert known["offset_most"].tolist() == [
        min(np.floor(share * o), s) for o, s in zip(known["obligation"], supply, strict=True)
    ]
    more = limits.enterprises(
        InstanceInputs.of(instance.with_policy({"market.ccer_supply_t": 1e6})),
        units_of(instance, [0.0, 3000.0, 0.0, 0.0, 0.0]),
    )
    assert more["offset_most"].tolist() == [50.0, 100.0, 150.0, 55.0]
    assert more["from_province"].tolist()[1] == 2000.0


def test_an_enterprise_without_units_has_no_allowance_and_provinces_may_be_those_of_the_units() -> None:
    instance = by_hand()
    assert instance.enterprises is not None
    more = pd.DataFrame({"enterprise_id": ["e"], "deduction_t": [5.0]})
    enterprises = pd.concat([instance.enterprises.drop(columns="province"), more], ignore_index=True)
    known = limits.enterprises(
        InstanceInputs.of(replace(instance, enterprises=enterprises)),
        units_of(instance, [1000.0, 1900.0, 2900.0, 400.0, 650.0]),
    )
    assert known["province"].tolist() == ["North", "North", "South", "North", ""]
    assert known.loc["e", ["units", "emissions", "deducted", "received"]].tolist() == [0, 0.0, 0.0, 0.0]


def test_without_a_table_of_enterprises_they_are_those_of_the_units() -> None:
    made = by_hand()
    policy = made.policy.model_dump(mode="json", exclude_none=True)
    units = made.units.assign(emissions_tco2e=0.0).drop(columns="special_case")
    policy["compliance"] = {}
    alone = etsopt.Instance.from_frames(units, policy)
    known = limits.enterprises(InstanceInputs.of(alone), units_of(alone, [0.0] * 5))
    # Of two units with as much the first by its name is that of the enterprise.
    assert known["province"].tolist() == ["North", "North", "South", "South"]
    assert known["offset_most"].tolist() == [0.0] * 4
    assert known["at_risk"].tolist() == [False] * 4
    held = limits.holdings(InstanceInputs.of(alone), units_of(alone, [0.0] * 5), known.index)
    assert not held["opening_t"].to_numpy().any()


def test_an_enterprise_without_units_in_the_scope_counts_none() -> None:
    made = by_hand()
    instance = made.with_policy({"rule.name": "given", "rule.outside_scope": ["closed"]})
    known = limits.enterprises(InstanceInputs.of(instance), units_of(instance, [1.0] * 5))
    assert known["units"].tolist() == [1, 1, 1, 1]
    assert known["emissions"].tolist()[3] == 600.0


def test_an_enterprise_without_units_holds_what_it_holds_and_owes_nothing() -> None:
    made = by_hand()
    assert made.enterprises is not None
    more = pd.DataFrame({"enterprise_id": ["e"], "province": "East", "opening_2025_t": 7.0, "opening_2024_t": 3.0})
    policy = made.policy.model_dump(mode="json", exclude_none=True)
    instance = etsopt.Instance.from_frames(made.units, policy, enterprises=pd.concat([made.enterprises, more]))
    units = units_of(instance, [1000.0, 1900.0, 2900.0, 400.0, 650.0])
    known = limits.enterprises(InstanceInputs.of(instance), units).loc["e"]
    assert (known["province"], known["units"], known["emissions"], known["obligation"]) == ("East", 0, 0.0, 0.0)
    assert (known["received"], known["from_province"], known["offset_most"], bool(known["at_risk"])) == (
        0.0,
        0.0,
        0.0,
        False,
    )
    held = {
        name: table.loc["e"]
        for name, table in limits.holdings(InstanceInputs.of(instance), units, pd.Index(["e"])).items()
    }
    assert (held["opening_t"][2025], held["carried_over_t"][2025], held["issued_t"].sum()) == (7.0, 3.0, 0.0)
    assert held["cancelled_t"].sum() == 0.0


def test_holdings_begin_with_their_vintages_of_which_some_is_carried_over() -> None:
    instance = by_hand()
    units = units_of(instance, [1000.0, 1901.0, 2900.0, 400.0, 650.0])
    held = limits.holdings(InstanceInputs.of(instance), units, pd.Index(list("abcd")))
    vintages = list(range(2019, 2027))
    assert all(table.columns.tolist() == vintages for table in held.values())
    lists = {name: table.to_numpy().tolist() for name, table in held.items()}
    assert lists["opening_t"] == [
        [0, 0, 15_000, 0, 0, 5_000, 100, 0],
        [0, 0, 0, 0, 0, 0, 0, 30],
        [0, 0, 0, 0, 0, 40, 0, 0],
        [0] * 8,
    ]
    # 10,000 t and 1.5 t for each of 2000 t that were sold net: the oldest first.
    assert lists["carried_over_t"] == [
        [0, 0, -13_000, 0, 0, 0, 13_000, 0],
        [0] * 8,
        [0, 0, 0, 0, 0, -40, 40, 0],
        [0] * 8,
    ]
    assert held["issued_t"][2025].tolist() == [1000.0, 1901.0, 2900.0, 1050.0]
    assert held["cancelled_t"][2025].tolist() == [0.0, 1.0, 2.0, 7.0]
    assert held["issued_t"].to_numpy().sum() == 6851.0
    assert held["cancelled_t"].to_numpy().sum() == 10.0


def test_deductions_are_cancelled_and_obligations_outstanding_are_due() -> None:
    made = by_hand()
    assert made.enterprises is not None
    table = made.enterprises.assign(deduction_t=[0.0, 100.7, 5000.0, np.nan], outstanding_t=[np.nan, 20.9, 0.0, 7.0])
    policy = made.policy.model_dump(mode="json", exclude_none=True)
    instance = etsopt.Instance.from_frames(made.units, policy, enterprises=table)
    units = units_of(instance, [1000.0, 1900.0, 2900.0, 400.0, 650.0]).assign(return_t=0.0)
    known, before = (
        limits.enterprises(InstanceInputs.of(instance), units),
        limits.enterprises(InstanceInputs.of(made), units),
    )
    # Whole tonnes, and no more than the allowances of the year; the account of the province gets what is left.
    assert known["deducted"].tolist() == [0, 100, 2900, 0]
    assert known["obligation"].tolist() == [1000, 2020, 3001, 1107]
    assert known["received"].tolist() == [0, 1800, 0, 1050]
    assert known["from_province"].tolist() == [0, 1800, 0, 1050]
    # Offsets are a share of the year's own obligation.
    assert known["offset_most"].tolist() == before["offset_most"].tolist()
    held = limits.holdings(InstanceInputs.of(instance), units, pd.Index(list("abcd")))
    assert held["issued_t"][2025].tolist() == [1000, 1900, 2900, 1050]
    assert held["cancelled_t"][2025].tolist() == [0, 100, 2900, 0]


def test_vintages_are_those_to_2026_those_that_are_held_and_that_of_the_year() -> None:
    made = by_hand()
    first = list(range(2019, 2027))
    assert limits.vintages_of(InstanceInputs.of(made)) == first
    assert limits.vintages_of(InstanceInputs.of(made.with_policy({"year": 2030}))) == [*first, 2030]
    assert made.enterprises is not None
    policy = made.policy.model_dump(mode="json", exclude_none=True) | {"year": 2029}
    table = made.enterprises.assign(opening_2028_t=[1.0, 2.0, 3.0, 4.0])
    instance = etsopt.Instance.from_frames(made.units, policy, enterprises=table)
    assert limits.vintages_of(InstanceInputs.of(instance)) == [*first, 2028, 2029]
    held = limits.holdings(InstanceInputs.of(instance), units_of(instance, [0.0] * 5), pd.Index(list("abcd")))
    assert held["opening_t"][2028].tolist() == [1, 2, 3, 4]
    assert limits.vintages_of(InstanceInputs.of(replace(instance, enterprises=None))) == [*first, 2029]


def test_what_is_carried_over_leaves_the_oldest_vintages_first() -> None:
    made = by_hand()
    assert made.enterprises is not None
    table = made.enterprises.assign(opening_2019_t=[5_000.4, 0.0, 0.0, 0.0], opening_2028_t=[1.0, 2.0, 3.0, 4.0])
    policy = made.policy.model_dump(mode="json", exclude_none=True)
    instance = etsopt.Instance.from_frames(
        made.units, policy, enterprises=table.drop(columns=["net_sales_t", "opening_2028_t"])
    )
    held = limits.holdings(InstanceInputs.of(instance), units_of(instance, [0.0] * 5), pd.Index(list("abcd")))
    assert held["opening_t"].loc["a"].tolist() == [5000, 0, 15_000, 0, 0, 5_000, 100, 0]
    assert held["carried_over_t"].loc["a"].tolist() == [-5000, 0, -5000, 0, 0, 0, 10_000, 0]
    # Net sales that are not stated are none.
    blank = table.assign(net_sales_t=np.nan).drop(columns="opening_2028_t")
    instance = etsopt.Instance.from_frames(made.units, policy, enterprises=blank)
    again = limits.holdings(InstanceInputs.of(instance), units_of(instance, [0.0] * 5), pd.Index(list("abcd")))
    pd.testing.assert_frame_equal(again["carried_over_t"], held["carried_over_t"])


@pytest.mark.parametrize(
    ("year", "settling"),
    [(2023, [2022, 2023]), (2024, [2022, 2023, 2024]), (2025, [2025, 2026]), (2026, [2025, 2026])],
)
def test_vintages_from_2025_on_settle_years_from_2025_on_and_older_ones_their_own(
    year: int, settling: list[int]
) -> None:
    vintages = np.arange(2022, 2027)
    assert vintages[limits.usable(vintages, year)].tolist() == settling


def known_of(obligation: int, first: int, offset_most: int, buys: bool, speculates: bool = False) -> pd.DataFrame:
    limited = {"obligation": [obligation], "from_province": [first], "offset_most": [offset_most]}
    return pd.DataFrame({**limited, "buys": [buys], "speculates": [speculates]})


def by_every_way(known: pd.DataFrame, held: list[int], newest: int, prices: Tariff) -> tuple[float, float, float]:
    """Least cost, then least effort, then the oldest vintages, over all ways to settle in whole tonnes."""
    row = known.iloc[0]
    missing = max(row["obligation"] - row["offset_most"] - sum(held), 0) * (not np.isnan(prices.reference))
    best = (inf, inf, inf)
    for used in itertools.product(*(range(lot + 1) for lot in held)):
        if used[newest] < row["from_province"]:
            continue
        for offset in range(int(row["offset_most"]) + 1):
            for short in range(int(missing) + 1):
                bought = int(row["obligation"]) - sum(used) - offset - short
                most = row["obligation"] if row["speculates"] else row["obligation"] - sum(held)
                if bought < 0 or (bought and not (row["buys"] and bought <= most)):
                    continue
                left = sum(held) - sum(used)
                amounts = (
                    ((prices.market + prices.transaction), bought),
                    (prices.offset, offset),
                    (prices.multiple * prices.reference, short),
                    (-prices.alternative, left),
                )
                cost = sum(price * tonnes for price, tonnes in amounts if tonnes)
                effort = offset + 2 * bought + 3 * short + left * prices.sells
                older = sum(place * tonnes for place, tonnes in enumerate(used))
                best = min(best, (round(cost, 9), effort, older))
    return best


PRICES = [
    Tariff(80.0, 1.0, 70.0, 75.0, 90.0, 5.0),
    Tariff(80.0, 1.0, 90.0, 95.0, 10.0, 1.0),
    Tariff(80.0, 1.0, 85.0, 75.0, 10.0, 8.0),
    Tariff(80.0, 0.0, 80.0, 80.0, 80.0, 1.0),
    Tariff(80.0, 5.0, 60.0, 60.0, nan, 5.0),
    Tariff(80.0, 1.0, 99.0, 75.0, nan, 5.0),
]


@pytest.mark.everyday("prices2", "prices5")
@pytest.mark.parametrize("prices", PRICES)
def test_filling_an_obligation_in_the_order_of_cost_is_the_best_of_every_way(prices: Tariff) -> None:
    random = np.random.default_rng(0)
    tried = 0
    for _ in range(60):
        held = random.integers(0, 3, 3).tolist()
        newest, obligation = int(random.integers(0, 3)), int(random.integers(0, 6))
        first, offset = min(int(random.integers(0, 2)), held[newest], obligation), int(random.integers(0, 3))
        buys, speculates = (bool(random.integers(0, 2)) for _ in range(2))
        known = known_of(obligation, first, min(offset, obligation), buys, speculates)
        best = by_every_way(known, held, newest, prices)
        if best[0] == inf:
            continue
        tried += 1
        found = limits.best(known, np.array([held], dtype=float), newest, prices)
        assert (found.cost, found.effort, found.older_first) == pytest.approx(best)
    assert tried > 20


def test_levels_of_several_enterprises_add_up_and_amounts_count_in_absolute_terms() -> None:
    prices = PRICES[0]
    one, other = known_of(5, 0, 1, True), known_of(2, 0, 0, True)
    held = np.array([[1.0, 2.0], [4.0, 0.0]])
    both = limits.best(pd.concat([one, other]), held, 1, prices)
    apart = [limits.best(known, held[[k]], 1, prices) for k, known in enumerate((one, other))]
    assert both.cost == pytest.approx(sum(part.cost for part in apart))
    assert both.effort == sum(part.effort for part in apart)
    assert both.older_first == sum(part.older_first for part in apart)
    # One offset at 75 CNY, one tonne that is bought at 81 CNY, and two that are sold at 79 CNY.
    assert both.turnover == pytest.approx(75 + 81 + 2 * 79)
    assert both.cost == pytest.approx(75 + 81 - 2 * 79)


def test_no_more_may_be_missing_than_holdings_and_offsets_cannot_settle() -> None:
    known: Any = pd.concat([known_of(9, 0, 2, True), known_of(3, 0, 2, True)])
    assert limits.largest_shortfall(known, np.array([[1.0, 2.0], [4.0, 0.0]])).tolist() == [4.0, 0.0]


def test_before_the_first_stated_supply_no_offsets_are_on_offer_even_to_a_lone_enterprise() -> None:
    instance = by_hand()
    alone = replace(instance, units=instance.units.head(1), enterprises=None)
    later = {"market.ccer_supply_t": {"2026": 100.0}, "compliance.at_risk": [], "compliance.without_purchases": []}
    without = alone.with_policy(later)
    known = limits.enterprises(InstanceInputs.of(without), units_of(without, [1000.0]))
    assert known["offset_most"].tolist() == [0.0]
