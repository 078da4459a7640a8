"""Settlement: two cases solved by hand, one in either law, and what must hold of any."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.common.errors import DataError
from etsopt.running.results.results import load
from tests.compliance_years import by_hand, random_compliance_year

IN, OUT = (
    ("opening_t", "carried_over_t", "issued_t", "bought_t"),
    ("surrendered_t", "sold_t", "cancelled_t", "closing_t"),
)
SEEDS = range(16)


def settled(instance: etsopt.Instance) -> dict[str, pd.DataFrame]:
    """Tables of a compliance year, which has to be certified."""
    result = etsopt.solve(instance, "compliance")
    assert (result.status, result.violations) == ("certified_optimal", ())
    return result.tables


def row(table: pd.DataFrame, **where: Any) -> pd.Series[Any]:
    """The one row of a table with these cells."""
    here = np.all([table[name] == value for name, value in where.items()], axis=0)
    assert here.sum() == 1
    return table[here].iloc[0]


def test_every_way_of_2025_as_derived_by_hand() -> None:
    # Price 80, each side of a trade 1, kept allowances worth 70: what is over is sold for 79. An offset at 75 is less
    # than these 79, a purchase costs 81, a tonne of shortfall 5 x 90 = 450. Obligations are 1,000, 2,000 (2,000.4
    # rounded), 3,001 (3,000.5) and 1,100 t, in all 7,101; the 100 t of offsets make 14, 28, 42 and 15 t of them.
    #
    # a: 20,000 t of old vintages, 2,000 t sold net: 10,000 + 1.5 x 2,000 = 13,000 t of 2021 become 2025. With 100 t of
    #    2025 and 1,030 t issued it holds 14,130; 14 offsets, 986 surrendered, 13,144 sold.
    # b: at risk by name. 1,950 t in advance, 1,900 due: 50 t are returned. The province surrenders the 1,900; of 100 t
    #    missing 28 are offset, 30 of vintage 2026, 42 bought.
    # c: does not buy. 40 t of 2024 become 2025 (net sales are negative: 10,000 t are free), 2,900 issued; 42 offsets;
    #    3,001 - 2,940 - 42 = 19 t are missing: 19 x 450 = 8,550 and the fixed fine.
    # d: at risk by its closed unit, which gets its 500 t. The province receives 1,150, surrenders 1,100 first although
    #    offsets are cheaper, releases 50, which are sold.
    tables = settled(by_hand())
    table = tables["compliance"].set_index("enterprise_id")
    expected = pd.DataFrame(
        {
            "province": ["North", "West", "South", "North"],
            "at_risk": [False, True, False, True],
            "obligation_t": [1000, 2000, 3001, 1100],
            "issued_t": [1030, 1950, 2900, 1150],
            "offset_t": [14, 28, 42, 0],
            "bought_t": [0, 42, 0, 0],
            "surrendered_t": [986, 1972, 2940, 1100],
            "shortfall_t": [0, 0, 19, 0],
            "sold_t": [13_144, 0, 0, 50],
            "cancelled_t": [0, 50, 0, 0],
            "closing_t": [7000, 0, 0, 0],
            "province_received_t": [0, 1900, 0, 1150],
            "province_surrendered_t": [0, 1900, 0, 1100],
            "province_released_t": [0, 0, 0, 50],
            "purchases_cny": [0.0, 3360.0, 0.0, 0.0],
            "offsets_cny": [1050.0, 2100.0, 3150.0, 0.0],
            "sales_cny": [1_051_520.0, 0.0, 0.0, 4000.0],
            "transactions_cny": [13_144.0, 42.0, 0.0, 50.0],
            "penalty_cny": [0.0, 0.0, 8550.0, 0.0],
            "fixed_fine_cny": [0.0, 0.0, 1e6, 0.0],
            "cost_cny": [-1_037_326.0, 5502.0, 1_011_700.0, -3950.0],
            "deducted_next_year_t": [0, 0, 0, 0],
        },
        index=pd.Index(["a", "b", "c", "d"], name="enterprise_id"),
    )
    pd.testing.assert_frame_equal(table[list(expected)], expected, check_index_type=False)
    converted = row(tables["holdings"], enterprise_id="a", vintage=2021)
    assert (converted["carried_over_t"], converted["closing_t"], converted["usable"]) == (-13_000, 2000, False)
    newer = row(tables["holdings"], enterprise_id="b", vintage=2026)
    assert (newer["surrendered_t"], newer["closing_t"]) == (30, 0)
    (short,) = tables["shortfalls"].to_dict("records")
    assert (short["enterprise_id"], short["shortfall_t"], short["regime"]) == ("c", 19, "from 2026-08-15")
    assert tables["nation"][["obligation_t", "bought_t", "sold_t"]].to_numpy().tolist() == [[7101, 42, 13_194]]


def test_the_levels_of_2025_as_derived_by_hand() -> None:
    # Cost: a 14 x 75 - 13,144 x 79, b 28 x 75 + 42 x 81, c 42 x 75 + 19 x 450, d -50 x 79; the fixed fine is no choice.
    # Effort: offsets once, purchases twice, shortfall three times, sales once. Of vintage 2026, place 1, b has 30 t.
    levels = etsopt.solve(by_hand(), "compliance").levels
    assert [level.value for level in levels] == pytest.approx([-1_024_074.0, 13_419.0, 30.0])
    assert all(level.certified for level in levels)


def test_a_year_up_to_2024_takes_its_own_vintages_and_deducts_what_is_missing() -> None:
    # Kept allowances are worth 80, sold ones 79: nothing is sold. By the official parameters of 2024 no vintage is
    # converted, and none after 2024 settles.
    # a: 15,000 t of 2021 and 5,000 of 2024 beside the 1,030 issued: 986 of the oldest are surrendered, as an offset at
    #    75 is cheaper than 80 and 14 are to be had. 100 t of 2025 stay.
    # c: 40 t of 2024 and 2,900 issued, 42 offsets, 19 missing, which are deducted from next year; no fixed fine.
    changes = {"year": 2024, "rule.carry_over_base_t": 0.0, "market.terminal_price_cny_per_t": 80.0}
    tables = settled(by_hand().with_policy(changes))
    table = tables["compliance"].set_index("enterprise_id")
    assert table["carried_over_t"].tolist() == [0, 0, 0, 0]
    assert table["sold_t"].tolist() == [0, 0, 0, 0]
    assert row(tables["holdings"], enterprise_id="a", vintage=2021)["surrendered_t"] == 986
    assert row(tables["holdings"], enterprise_id="a", vintage=2025)[["usable", "closing_t"]].tolist() == [False, 100]
    # b has 30 t of 2026 that settle nothing, and buys 72 instead of 42.
    assert table.loc["b", ["bought_t", "closing_t"]].tolist() == [72, 30]
    assert table.loc["c", ["shortfall_t", "deducted_next_year_t"]].tolist() == [19, 19]
    assert table.loc["c", ["penalty_cny", "fixed_fine_cny"]].tolist() == [8550.0, 0.0]
    assert tables["shortfalls"]["regime"].tolist() == ["until 2026-08-14"]


def test_what_is_kept_is_worth_next_years_price() -> None:
    # Next year's price of 100, discounted by 5 %, is 95.24: more than the 79 that a sale brings, so that a keeps what
    # it need not surrender. It is more than the 81 of a purchase too: where a speculates, it buys what it owes beyond
    # 14 offsets, and keeps what it holds.
    changes = {"market.prices_cny_per_t": {"2025": 80.0, "2026": 100.0}, "horizon.last_year": 2026}
    table = settled(by_hand().with_policy(changes))["compliance"].set_index("enterprise_id")
    assert table.loc["a", ["sold_t", "bought_t", "closing_t"]].tolist() == [0, 0, 20_144]
    assert table.loc["a", "kept_worth_cny"] == pytest.approx(13_144 * 100 / 1.05)
    changes["compliance.speculating"] = ["a"]
    table = settled(by_hand().with_policy(changes))["compliance"].set_index("enterprise_id")
    assert table.loc["a", ["sold_t", "bought_t", "closing_t"]].tolist() == [0, 986, 21_130]
    assert table.loc["a", "kept_worth_cny"] == pytest.approx(14_130 * 100 / 1.05)


# Years in which somebody lacks: in others there is nothing to buy.
@pytest.mark.parametrize("seed", [0, 2, 3, 5, 7, 8])
def test_nobody_buys_more_than_it_lacks_whatever_a_kept_allowance_is_worth(seed: int) -> None:
    instance = random_compliance_year(seed).with_policy({"market.terminal_price_cny_per_t": 200.0})
    tables = settled(instance)
    lots = tables["holdings"][tables["holdings"]["usable"].astype(bool)]
    held = lots["opening_t"] + lots["carried_over_t"] + lots["issued_t"] - lots["cancelled_t"]
    table = tables["compliance"].set_index("enterprise_id")
    lacking = table["obligation_t"] - held.groupby(lots["enterprise_id"]).sum().reindex(table.index, fill_value=0)
    assert (table["bought_t"] <= lacking.clip(lower=0)).all()
    assert table["bought_t"].sum() > 0


def test_a_fine_below_the_price_is_preferred_but_never_to_holdings() -> None:
    # 5 x 10 = 50 is less than 81: b buys nothing, yet surrenders and offsets all that it can.
    table = settled(by_hand().with_policy({"penalty.reference_price_cny_per_t": 10.0}))["compliance"]
    b = row(table, enterprise_id="b")
    assert b[["surrendered_t", "offset_t", "bought_t", "shortfall_t"]].tolist() == [1930, 28, 0, 42]


def test_paid_shares_are_not_issued() -> None:
    table = settled(by_hand().with_policy({"market.paid_share": 0.5}))["issuance"]
    assert table["allowance_t"].tolist() == [515, 950, 1450, 250, 325]


@pytest.mark.parametrize("seed", SEEDS)
def test_conservation_to_the_allowance(seed: int) -> None:
    tables = settled(random_compliance_year(seed))
    for name in ("compliance", "holdings", "compliance_provinces", "nation"):
        table = tables[name]
        assert all(table[flow].dtype == np.int64 for flow in (*IN, *OUT))
        # In sums over vintages carry-over is no inflow: it moves tonnes between them.
        moved = table["carried_over_t"] if name != "holdings" else 0
        assert (table[list(IN)].sum(axis=1) - moved == table[list(OUT)].sum(axis=1)).all(), name
    by_vintage = tables["holdings"].groupby("enterprise_id")["carried_over_t"]
    assert (by_vintage.sum() == 0).all()
    table = tables["compliance"]
    # An enterprise without a lot has a row in compliance alone.
    joined = by_vintage.apply(lambda moved: moved.clip(lower=0).sum()).reindex(table["enterprise_id"], fill_value=0)
    assert table.set_index("enterprise_id")["carried_over_t"].equals(joined)
    assert (table["obligation_t"] == table["surrendered_t"] + table["offset_t"] + table["shortfall_t"]).all()
    received = table["province_surrendered_t"] + table["province_released_t"]
    assert (table["province_received_t"] == received).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_rows_changes_nothing(seed: int) -> None:
    instance = random_compliance_year(seed)
    random = np.random.default_rng(seed)
    shuffled = etsopt.Instance.from_frames(
        instance.units.iloc[random.permutation(len(instance.units))],
        instance.policy.model_dump(exclude_unset=True),
        enterprises=instance.enterprises.iloc[::-1],  # type: ignore[union-attr]
    )
    tables = settled(shuffled)
    for name, table in settled(instance).items():
        pd.testing.assert_frame_equal(table, tables[name])


@pytest.mark.parametrize("seed", SEEDS[:6])
def test_more_offsets_and_cheaper_ones_never_cost_more(seed: int) -> None:
    # Where a fine were less than an offset, one more of them would forbid to prefer the fine.
    instance = random_compliance_year(seed).with_policy({"penalty.reference_price_cny_per_t": 1000.0})
    cost = etsopt.solve(instance, "compliance").levels[0].value
    cheaper = instance.policy.market.ccer_price_cny_per_t * 0.9  # type: ignore[operator]
    for changes in (
        {"market.ccer_supply_t": 1e9},
        {"market.ccer_share": 0.1},
        {"market.ccer_price_cny_per_t": cheaper},
    ):
        assert etsopt.solve(instance.with_policy(changes), "compliance").levels[0].value <= cost + 1e-9 * abs(cost)


def test_offsets_stay_within_their_share() -> None:
    changes = {"market.ccer_supply_t": 1e6, "market.ccer_price_cny_per_t": 1.0}
    table = settled(by_hand().with_policy(changes))["compliance"]
    # 5 % of 1,000, 2,000, 3,001 and 1,100 t; the province has settled d before.
    assert table["offset_t"].tolist() == [50, 100, 150, 0]


def test_an_enterprise_without_units_keeps_its_account() -> None:
    instance = random_compliance_year(1)
    table = settled(instance)["compliance"]
    idle = row(table, enterprise_id="e98")
    assert (idle["units"], idle["obligation_t"]) == (0, 0)
    assert idle["opening_t"] == idle["sold_t"] + idle["closing_t"]


def test_a_run_folder_is_read_back_and_certified_again(tmp_path: Any) -> None:
    instance = by_hand()
    etsopt.solve(instance, "compliance").save(tmp_path, instance)
    again = load(tmp_path)
    assert etsopt.check(instance, again).certified
    assert again.tables["compliance"]["closing_t"].tolist() == [7000, 0, 0, 0]


def test_prices_that_are_needed_are_asked_for() -> None:
    with pytest.raises(DataError) as caught:
        etsopt.solve(etsopt.read("tiny").with_policy({"sectors": {}}), "compliance")
    assert str(caught.value) == (
        "The policy has a problem.\n\n"
        "1. policy.toml, market.prices_cny_per_t: states no price of 2025, at which enterprises buy and sell.\n"
        "   State it, such as 80 [CNY/t]: --set market.prices_cny_per_t.2025=80."
    )
    content = by_hand().policy.model_dump(exclude_unset=True)
    content.pop("penalty")
    instance = by_hand()
    without = etsopt.Instance.from_frames(instance.units, content, enterprises=instance.enterprises)
    with pytest.raises(DataError, match="1 enterprise that does not buy falls short by 19 t"):
        etsopt.solve(without, "compliance")


def test_names_that_are_no_enterprise_are_refused() -> None:
    with pytest.raises(DataError) as caught:
        by_hand().with_policy({"compliance.at_risk": ["e"]})
    assert "compliance.at_risk: the enterprise 'e' has no unit." in str(caught.value)


@pytest.mark.everyday("rule0-emissions0", "rule1-emissions1", "rule2-emissions2")
@pytest.mark.parametrize(
    ("emissions", "owed"),
    [
        # An enterprise owes what its units owe, 0.6 and 0.6 t more than 1 Mt are 2 t, and gets as much in 2024.
        ([500_000.6, 500_000.6], 1_000_002),
        ([500_000.5, 500_000.4], 1_000_001),
        ([500_000.4, 500_000.4], 1_000_000),
    ],
)
@pytest.mark.parametrize("rule", [{"name": "cn-2024"}, {"name": "cn"}, {"name": "given", "special_cases": ["new"]}])
def test_where_allowances_equal_emissions_nothing_is_bought_or_sold(
    rule: dict[str, Any], emissions: list[float], owed: int
) -> None:
    units = pd.DataFrame(
        {
            "unit_id": ["a", "b"],
            "enterprise_id": "A",
            "sector": "cement",
            "province": "Hebei",
            "emissions_tco2e": emissions,
            "output_t": 6e5,
            "reference_t": 1.0,
            "special_case": "new" if rule["name"] == "given" else "",
        }
    )
    policy = {"year": 2024, "rule": rule, "market": {"prices_cny_per_t": 80.0, "terminal_price_cny_per_t": 0.0}}
    instance = etsopt.Instance.from_frames(units, policy)
    result = etsopt.solve(instance, "compliance")
    assert (result.status, result.violations) == ("certified_optimal", ())
    year = result.tables["compliance"].iloc[0]
    names = ["issued_t", "obligation_t", "bought_t", "sold_t"]
    assert year[names].tolist() == [owed, owed, 0, 0]
    # Rounded down, as before, the checker refuses both.
    issued = result.tables["issuance"]
    for column in ("reference_t", "allowance_t", "top_up_t"):
        issued[column] = np.floor(emissions)
    wrong = {violation.rule for violation in etsopt.check(instance, result).violations}
    assert not wrong if owed == 1_000_000 else "reference_follows_rule" in wrong


def test_an_allocation_of_2024_is_that_of_the_rule_to_the_tonne() -> None:
    units = pd.DataFrame(
        {
            "unit_id": ["a", "b", "c"],
            "enterprise_id": ["A", "B", "C"],
            "sector": "cement",
            "province": "Hebei",
            "emissions_tco2e": [500_000.6, 400_000.5, 300_000.4],
            "output_t": 6e5,
        }
    )
    for integer in (True, False):
        policy = {"year": 2024, "rule": {"name": "cn"}, "allocation": {"integer_allowances": integer}}
        result = etsopt.solve(etsopt.Instance.from_frames(units, policy), "allocation")
        assert (result.status, result.violations) == ("certified_optimal", ())
        assert result.tables["allocation"]["allowance_t"].tolist() == [500_001, 400_001, 300_000]
