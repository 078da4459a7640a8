"""What tables of a market must satisfy, each column by hand and each limit just inside and outside its tolerance."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from etsopt.checking.market import statements as says
from etsopt.checking.market.plans import Amounts
from etsopt.checking.readings import plan
from etsopt.checking.tolerances import CELL_TOLERANCE, NUMBER_RELATIVE, OUTSTANDING_ROUNDING_T
from tests.checking.market.small import (
    accounts_of,
    baseline_of,
    holdings_of,
    in_three_years,
    market_of,
    table,
    terms_of,
)

YEARS = np.array([2025, 2026])


def test_the_unit_of_a_column_is_told_by_the_end_of_its_name() -> None:
    names = ("price_cny_per_t", "total_cost_cny", "bought_t", "emissions_tco2e", "units", "in_scope")
    assert [says.unit_of(name) for name in names] == ["CNY/t", "CNY", "t", "t", "units", "units"]
    assert CELL_TOLERANCE == {"t": 2e-2, "CNY": 1.0, "CNY/t": 1e-6, "units": 1e-6}
    assert (NUMBER_RELATIVE, OUTSTANDING_ROUNDING_T) == (1e-9, 0.5)


def test_columns_of_numbers_hold_numbers() -> None:
    made = pd.DataFrame({"a": [1.0], "b": ["x"]})
    found = says.numbers_are_there("t", made, ["a", "b", "c"])
    assert [(v.where, v.amount, v.rule) for v in found] == [("t.b", 1.0, "tables"), ("t.c", 1.0, "tables")]
    assert says.numbers_are_there("t", made.head(0), ["a", "b"]) == []


@pytest.mark.parametrize(
    ("column", "least"), [("bought_t", 2e-2), ("cost_cny", 1.0), ("price_cny_per_t", 1e-6), ("units", 1e-6)]
)
@pytest.mark.parametrize("size", [0.0, 1e12, -1e12])
def test_a_column_may_be_off_by_its_tolerance(column: str, least: float, size: float) -> None:
    labels, expected = np.array(["a", "b"], dtype=object), table((size, 1.0), (2.0, np.nan))
    tolerance = least + 1e-9 * abs(size)
    for by, broken in ((0.99, []), (-0.99, []), (1.01, ["a 2025"]), (-1.01, ["a 2025"])):
        made = pd.DataFrame({column: [size + by * tolerance, 1.0, 2.0, np.nan]})
        found = says.columns_follow("rule", labels, YEARS, made, {column: expected})
        assert [v.where for v in found] == broken
    stated = pd.DataFrame({column: [size, 1.0, 2.0, 0.0]})
    assert [v.where for v in says.columns_follow("rule", labels, YEARS, stated, {column: expected})] == ["b 2026"]
    absent = pd.DataFrame({column: [size, np.nan, 2.0, np.nan]})
    assert [v.where for v in says.columns_follow("rule", labels, YEARS, absent, {column: expected})] == ["a 2026"]
    other = says.columns_follow("rule", labels, YEARS, stated.rename(columns={column: "x"}), {column: expected})
    assert [v.rule for v in other] == ["tables"]


def test_a_column_of_texts_says_the_same_in_every_row() -> None:
    made = pd.DataFrame({"unit": ["a", "a"]})
    assert says.texts_follow("rule", made, "unit", "a") == []
    for wrong, column in ((made, "other"), (made.assign(unit=["a", "b"]), "unit"), (made.assign(unit="b"), "unit")):
        assert [(v.where, v.amount) for v in says.texts_follow("rule", wrong, column, "a")] == [(column, 1.0)]


def test_what_is_held_adds_up_from_what_is_decided() -> None:
    decided = pd.DataFrame(
        {
            "bought_t": [20.0, 0.0, 6.0, 0.0],
            "sold_t": [0.0, 9.0, 0.0, 1.0],
            "offset_t": [8.0, 3.0, 1.0, 0.0],
            "outstanding_t": [4.0, 2.0, 0.0, 0.0],
        }
    )
    emissions, free = table((310, 300), (50, 0)), table((290, 301), (33, 2))
    held = says.read_holdings(decided, accounts_of(), emissions, free, np.ones(2, dtype=bool))
    assert held.surrendered.tolist() == [[310 - 8 - 4, 300 - 3 + 2], [49, 0]]
    first, second = 30 + 290 + 20 - 298, 7 + 33 + 6 - 49
    assert held.banked.tolist() == [[first, first + 301 - 9 - 299], [second, second + 2 - 1]]
    assert held.bought.tolist() == [[20, 0], [6, 0]]
    assert held.outstanding.tolist() == [[4, 2], [0, 0]]
    assert held.offset.tolist() == [[8, 3], [1, 0]]
    assert held.sold.tolist() == [[0, 9], [0, 1]]
    lapses = says.read_holdings(decided, accounts_of(), emissions, free, np.array([False, True]))
    assert lapses.banked.tolist() == [[first, 301 - 9 - 299], [second, 2 - 1]]


def amounts_of() -> Amounts:
    return Amounts(
        emissions=table((70, 80), (240, 220), (50, 0)),
        free=table((60, 70), (230, 220), (33, 2)),
        cost=table((10, 20), (30, 40), (5, 0)),
        incentive_measured=table((1, 1), (1, 1), (1, 1)),
        incentive_elsewhere=table((1, 1), (1, 1), (1, 1)),
    )


def columns_of(outstanding_cost: Any = (500.0, 700.0), owed: Any = ((4, 2), (0, 0))) -> dict[str, Any]:
    instance = SimpleNamespace(policy=SimpleNamespace(penalty=SimpleNamespace(multiple=7.0, fixed_fine_cny=None)))
    held = holdings_of(outstanding=table(*owed))
    found = says.enterprise_columns(
        instance,  # type: ignore[arg-type]
        market_of(terms=terms_of(outstanding_cost=np.array(outstanding_cost))),
        held,
        amounts_of(),
        np.array([50.0, 60.0]),
    )
    return {name: values.tolist() for name, values in found.items()}


def test_columns_of_enterprises_follow_from_what_they_do() -> None:
    found = columns_of()
    penalty = [4 * 500 + 1e6, 2 * 700 * 7 / 8 + 1e6]
    costs: dict[str, Any] = {
        "measures_cost_cny": [[40, 60], [5, 0]],
        "allowances_cost_cny": [[1000, -540], [300, -60]],
        "transaction_cost_cny": [[40, 18], [12, 2]],
        "offsets_cost_cny": [[160, 90], [20, 0]],
        "penalty_cny": [penalty, [0, 0]],
    }
    total = np.sum(list(costs.values()), axis=0)
    assert found == {
        "emissions_before_tco2e": [[320, 316], [50, 0]],
        "emissions_tco2e": [[310, 300], [50, 0]],
        "allowance_t": [[290, 290], [33, 2]],
        "banked_before_t": [[30, 11], [7, 2]],
        "surrendered_t": [[300, 290], [49, 0]],
        "banked_t": [[11, 6], [2, 4]],
        **costs,
        "total_cost_cny": total.tolist(),
        "cost_cny_per_t": [
            [total[0, 0] / 300, total[0, 1] / 300],
            [total[1, 0] / 40, pytest.approx(np.nan, nan_ok=True)],
        ],
    }


def test_the_last_of_three_years_is_owed_once_more_and_what_is_banked_is_there_in_the_next() -> None:
    instance: Any = SimpleNamespace(policy=SimpleNamespace(penalty=SimpleNamespace(multiple=7.0)))
    baseline = in_three_years(baseline_of(output=table((0.25, 1, 1), (0.25, 0, 1), (0, 0, 1))))
    market = market_of(
        baseline=baseline, accounts=in_three_years(accounts_of()), terms=in_three_years(terms_of(), floor=np.zeros(3))
    )
    held = in_three_years(holdings_of(), outstanding=table((0, 2, 3), (0, 0, 0)), banked=table((1, 2, 3), (4, 5, 6)))
    costs = Amounts(*[np.full((3, 3), 5.0)] * 5)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(plan, "fixed_fines", lambda *_: np.zeros(3))
        found = says.enterprise_columns(instance, market, held, costs, np.zeros(3))
    assert found["penalty_cny"].tolist() == [[0, 1400, 3 * 700 * 7 / 8], [0, 0, 0]]
    assert found["banked_before_t"].tolist() == [[30, 1, 2], [7, 4, 5]]
    # Half a tonne of output has a cost per tonne as well.
    assert found["cost_cny_per_t"][0, 0] == found["total_cost_cny"][0, 0] / 0.5


def test_an_amount_at_its_tolerance_is_within_it() -> None:
    labels, by = np.array(["a"], dtype=object), table((0.25, 0.5, np.nan))
    found = says.violations_above(
        "rule", labels, np.array([2025, 2026, 2027]), "message", by, np.full((1, 3), 0.25), "t"
    )
    assert [(v.where, v.amount, v.unit) for v in found][:1] == [("a 2026", 0.5, "t")]
    assert [v.where for v in found] == ["a 2026", "a 2027"]


def test_what_is_owed_by_rounding_alone_is_no_shortfall_and_costs_nothing_without_a_price() -> None:
    assert columns_of((np.inf, 700.0), ((0.5, 0.51), (0, 0)))["penalty_cny"] == [
        [0.0, pytest.approx(0.51 * 612.5 + 1e6)],
        [0, 0],
    ]


def limits(emissions: Any = ((320, 316), (50, 0)), outstanding_cost: Any = (500.0, 700.0), **changes: Any) -> list[str]:
    held = holdings_of(**{name: table(*rows) for name, rows in changes.items()})
    found = says.limits_of_accounts(
        market_of(terms=terms_of(outstanding_cost=np.array(outstanding_cost))), held, table(*emissions)
    )
    return [f"{v.rule} {v.where}" for v in found]


def test_nobody_deals_less_than_nothing_borrows_offsets_or_owes_more_than_may_be() -> None:
    assert limits() == []
    size = 2e-2 + 1e-9 * 320
    for inside, by in ((True, (1 - 1e-6) * size), (False, (1 + 1e-6) * size)):
        for name in ("bought", "sold", "offset", "outstanding", "surrendered"):
            assert limits(**{name: ((-by, 1), (1, 0))}) == ([] if inside else ["not_negative e 2025"])
        assert limits(banked=((-40 - by, 0), (0, 0))) == ([] if inside else ["borrowing e 2025"])
        assert limits(offset=((16 + by, 0), (0, 0))) == ([] if inside else ["offset_limit e 2025"])
        assert limits(outstanding=((320 + by, 0), (0, 0))) == ([] if inside else ["owed e 2025"])
        assert limits(outstanding=((by, 0), (0, 0)), outstanding_cost=(np.inf, 700.0)) == (
            [] if inside else ["owed e 2025"]
        )
    assert limits(outstanding=((0, 636), (0, 50))) == []
    assert limits(outstanding=((0, 636.1), (0, 50))) == ["owed e 2026"]


def test_nobody_holds_more_than_he_may_have_and_still_need() -> None:
    own = accounts_of()
    most = own.held_most[0, 0]
    size = 2e-2 + 1e-9 * 320
    for by, count in (((1 - 1e-6) * size, 0), ((1 + 1e-6) * size, 1)):
        held = holdings_of(banked=table((most + by, 0), (0, 0)))
        assert len(says.holdings_within_need(baseline_of(), own, held)) == count
    # Where one account stands for all it is what all hold together.
    pool = accounts_of(
        labels=np.array([""], dtype=object),
        of_unit=np.zeros(3, dtype=np.int64),
        **{name: getattr(own, name).sum(axis=0, keepdims=True) for name in ("opening", "emissions", "free_most")},
        borrowed_most=table((45, 0)),
        external_supply=np.array([15.0]),
    )
    together = pool.held_most[0, 0]
    for by, count in ((-1.0, 0), (1.0, 1)):
        held = holdings_of(banked=table((together + by - 5.0, 0), (5.0, 0)))
        assert len(says.holdings_within_need(baseline_of(), pool, held)) == count


def yearly(**changes: Any) -> pd.DataFrame:
    columns = {
        "intake_t": [2.0, 0.0],
        "released_t": [1.0, 0.0],
        "unsold_t": [18.0, 80.0],
        "reserve_t": [26.0, 26.0],
        "offset_t": [9.0, 3.0],
        "price_cny_per_t": [50.0, 60.0],
        "price_lower_cny_per_t": [50.0, 60.0],
        "price_upper_cny_per_t": [50.0, 60.0],
        "price_obtained": "multiplier of the market balance over all plans",
    }
    return pd.DataFrame(columns | changes)


def test_columns_of_years_are_sums_and_the_markets_own() -> None:
    enterprises = pd.DataFrame(
        {
            "bought_t": [20.0, 0.0, 6.0, 0.0],
            "sold_t": [0.0, 9.0, 0.0, 1.0],
            "measures_cost_cny": [1.0, 2.0, 3.0, 4.0],
            "transaction_cost_cny": [0.5, 0.0, 0.5, 0.0],
            "offsets_cost_cny": [0.0, 3.0, 0.0, 2.0],
            "allowances_cost_cny": [10.0, -4.0, 0.0, 1.0],
            "penalty_cny": [0.0, 0.0, 5.0, 6.0],
            "emissions_tco2e": [5.0, 6.0, 7.0, 8.0],
            "cost_cny_per_t": 9.0,
            "year": 2025,
        }
    )
    found = says.year_columns(baseline_of(), terms_of(), enterprises, yearly(), "clearing")
    sums = {
        **{"bought_t": [[26, 0]], "sold_t": [[0, 10]], "measures_cost_cny": [[4, 6]], "transaction_cost_cny": [[1, 0]]},
        **{"offsets_cost_cny": [[0, 5]], "allowances_cost_cny": [[10, -3]], "penalty_cny": [[5, 6]]},
        **{"emissions_tco2e": [[12, 14]], "transfers_cny": [[15, 3]], "resource_cost_cny": [[5, 11]]},
    }
    assert {name: values.tolist() for name, values in found.items()} == sums | {
        "unsold_t": [[60 - 15 - 26 - 2 + 1, 50 + 20 + 10]],
        "auctioned_t": [[42, -30]],
        "external_demand_t": [[15, -20]],
        "rounding_remainder_t": [[3, 0]],
        "reserve_t": [[26, 26]],
    }
    assert set(says.year_columns(baseline_of(), terms_of(), enterprises, yearly(), "abatement")) == set(sums)


def market_limits(kind: str = "clearing", /, derived: Any = None, terms: Any = None, **changes: Any) -> list[str]:
    made = {"unsold_t": table((18, 40)), "reserve_t": table((26, 26))} | (derived or {})
    years = yearly(**({"unsold_t": [18.0, 40.0]} | changes))
    of_policy = {"states_price": kind == "abatement", **(terms or {})}
    found = says.limits_of_market(baseline_of(), terms_of(**of_policy), years, made, kind)
    assert all(v.amount == 1.0 for v in found if v.unit == "cells")
    return [f"{v.rule} {v.where}" for v in found]


def test_limits_of_the_market_hold_within_their_tolerance() -> None:
    assert market_limits() == []
    size = 2e-2 + 1e-9 * 370
    for inside, by in ((True, (1 - 1e-6) * size), (False, (1 + 1e-6) * size)):
        assert market_limits(offset_t=[10 + by, 0.0]) == ([] if inside else ["offsets_on_offer 2025"])
        for name in ("intake_t", "released_t", "unsold_t", "reserve_t"):
            assert market_limits("clearing", **{name: [-by, 0.0]}) == ([] if inside else ["market_not_negative 2025"])
        for name in ("unsold_t", "reserve_t"):
            assert market_limits(derived={name: table((-by, 0))}) == ([] if inside else ["market_not_negative 2025"])
        assert market_limits(unsold_t=[60 + by, 0.0]) == ([] if inside else ["auctions 2025"])
        assert market_limits(derived={"unsold_t": table((60 + by, 0))}) == ([] if inside else ["auctions 2025"])
    second = 2e-2 + 1e-9 * 316
    for by, broken_ in (((1 - 1e-6) * second, []), ((1 + 1e-6) * second, ["reserve 2026"])):
        assert market_limits(intake_t=[0.0, by]) == broken_
        assert market_limits(released_t=[0.0, by]) == broken_
    assert market_limits(intake_t=[9.0, 0.0], released_t=[9.0, 0.0]) == []
    small: Any = {"terms": {"floor": np.array([0.5, 0.0])}}
    assert market_limits(intake_t=[9.0, 0.0], **small) == []


def test_the_interval_of_a_price_holds_it_and_it_says_how_it_was_obtained() -> None:
    for by, broken in ((0.99e-6, []), (1.01e-6, ["price 2026"])):
        assert market_limits(price_lower_cny_per_t=[0.0, 60 + by]) == broken
        assert market_limits(price_upper_cny_per_t=[99.0, 60 - by]) == broken
    assert market_limits(price_obtained="stated by the policy") == ["price price_obtained"]
    assert market_limits("abatement", price_obtained="stated by the policy", unsold_t=[-99.0, 0.0]) == []
    part = {"states_price": True}
    assert market_limits(price_obtained="stated by the policy", terms=part) == []
    assert market_limits(terms=part) == ["price price_obtained"]
    assert market_limits("abatement") == ["price price_obtained"]
