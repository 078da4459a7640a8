"""What sets the prices of three years: every reason inside and outside its tolerance, and the table cell by cell."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from etsopt.checking.market import closure
from etsopt.checking.market.closure import COLUMNS, _expected, _up_to, closure_follows
from etsopt.checking.tolerances import EMPTY_BANK_SHARE, OUTSTANDING_ROUNDING_T, PRICE_EQUALITY_RELATIVE
from tests.checking.market.small import table

EMITTED = 1e6
NEAR = 2.0**-10
"""Relative difference of equal prices in these tests, exact in binary."""


def market_of(**changes: Any) -> Any:
    """Three years of a million tonnes, in which no instrument has a price that these tests name otherwise."""
    parts: dict[str, Any] = {
        "discount": np.array([1.0, 0.5, 0.25]),
        "emissions": table((EMITTED / 4,) * 3, (EMITTED * 3 / 4,) * 3, (0, 0, 0)),
        "balances": np.zeros((3, 3), dtype=bool),
        "given": np.full((3, 3), 8.0),
        "paid_share": np.array([0.25, 0.5, 0.5]),
        "transaction_cost": np.zeros(3),
        "terminal_price": 4096.0,
        "ceiling": np.full(3, np.inf),
        "floor": np.zeros(3),
        "offset_supply": np.zeros(3),
        "offset_price": np.zeros(3),
        "auctioned": np.array([6.0, 12.0, 12.0]),
        "demand": np.zeros(3),
        "banks": np.ones(3, dtype=bool),
        "code": np.array([[0], [-1]]),
        "held_most": table((1, 1, 0), (0, 0, 1), (0, 0, 2)),
    } | changes
    groups = {
        "baseline": ("discount", "emissions", "balances", "given", "paid_share"),
        "offered": ("code",),
        "accounts": ("held_most",),
    }
    of = {name: SimpleNamespace(**{key: parts.pop(key) for key in keys}) for name, keys in groups.items()}
    return SimpleNamespace(market=SimpleNamespace(**of, terms=SimpleNamespace(**parts)))


def years_of(prices: Any, banked: Any = (0, 0, 0), outstanding: Any = (0, 0, 0), before: Any = (0, 0, 0)) -> Any:
    columns = {"price_cny_per_t": prices, "banked_t": banked, "outstanding_t": outstanding, "banked_before_t": before}
    return pd.DataFrame(
        {"year": [2025, 2026, 2027]} | {name: np.array(cells, float) for name, cells in columns.items()}
    )


def reasons(prices: Any, *amounts: Any, **parts: Any) -> list[str]:
    result: list[str] = _expected(market_of(**parts), years_of(prices, *amounts))["set_by"].tolist()
    return result


@pytest.mark.parametrize(
    ("reason", "place", "parts"),
    [
        ("ceiling", 1, {"ceiling": np.array([np.inf, 64.0, np.inf])}),
        ("floor", 1, {"floor": np.array([0.0, 64.0, 0.0])}),
        ("offsets", 1, {"offset_price": np.full(3, 64.0), "offset_supply": np.array([0.0, 0.5, 0.0])}),
        ("terminal price", 2, {"terminal_price": 64.0}),
    ],
)
def test_a_price_equals_that_of_an_instrument_within_its_tolerance_and_the_transaction_cost(
    reason: str, place: int, parts: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closure, "PRICE_EQUALITY_RELATIVE", NEAR)
    for cost in (0.0, 2.0):
        for sign in (1, -1):
            # The tolerance is relative to the price itself, 64 +- off.
            off = (64 * NEAR + cost) / (1 - sign * NEAR)
            for by, found in ((0.999, reason), (1.001, "abatement")):
                prices = [64.0 + sign * by * off] * 3
                made = reasons(prices, transaction_cost=np.full(3, cost), **parts)
                assert made == ["abatement" if year != place else found for year in range(3)]
    # Exactly at the tolerance a price is still that of the instrument.
    other = {name: np.where(values == 64.0, 64.0625, values) for name, values in parts.items()}
    assert reasons([64.0] * 3, **other)[place] == reason


def test_a_price_of_an_instrument_that_is_not_there_is_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closure, "PRICE_EQUALITY_RELATIVE", NEAR)
    assert reasons([64.0] * 3, offset_price=np.full(3, 64.0)) == ["abatement"] * 3
    assert reasons([NEAR, -NEAR, 0.0]) == ["no scarcity"] * 3
    assert reasons([NEAR, -NEAR, 0.0], floor=np.full(3, NEAR / 2), terminal_price=0.0) == ["no scarcity"] * 3
    assert reasons([1.001 * NEAR] * 3, terminal_price=-5.0) == ["abatement"] * 3
    # A terminal price that is reached but no more than rounding sets nothing.
    assert reasons([1.0, 1.0, NEAR], terminal_price=NEAR)[2] == "no scarcity"
    assert reasons([1.0, 1.0, 2 * NEAR], terminal_price=NEAR)[2] == "terminal price"


def test_an_obligation_outstanding_above_half_a_tonne_is_a_penalty_and_else_measures_or_scarcity() -> None:
    assert reasons([9.0] * 3, (0, 0, 0), (0.5, 0.51, 0)) == ["abatement", "penalty", "abatement"]
    assert reasons([9.0] * 3, code=np.full((2, 1), -1)) == ["scarcity"] * 3


def test_a_bank_is_empty_up_to_a_millionth_of_emissions_and_tells_when_it_will_be() -> None:
    for banked, empty_in in (
        ((0, 0, 0), [2025, 2026, 2027]),
        ((1, 1.5, 1), [2025, 2027, 2027]),
        ((5, 5, 5), [np.nan] * 3),
        ((5, 1, 5), [2026, 2026, np.nan]),
    ):
        made = _expected(market_of(), years_of([9.0] * 3, banked))
        assert made["bank_empty_in"].tolist() == pytest.approx(empty_in, nan_ok=True)
        assert made["banked_t"].tolist() == list(banked)
        assert made["price_cny_per_t"].tolist() == [9.0] * 3
        assert made["year"].tolist() == [2025, 2026, 2027]
        assert made["terminal_price_cny_per_t"].tolist() == [4096.0] * 3


def test_years_that_a_bank_links_share_the_latest_reason_but_abatement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closure, "PRICE_EQUALITY_RELATIVE", NEAR)
    ceiling = {"ceiling": np.array([np.inf, np.inf, 64.0])}
    # Discounted by half a year each, 16, 32 and 64 CNY are the same price.
    assert reasons([16, 32, 64], (5, 5, 0), **ceiling) == ["ceiling"] * 3
    assert reasons([16, 32, 64], (5, 0, 0), **ceiling) == ["abatement", "abatement", "ceiling"]
    assert reasons([16, 32, 64], (0, 5, 0), **ceiling) == ["abatement", "ceiling", "ceiling"]
    assert reasons([16, 32, 64], (5, 5, 0), (3, 0, 0), **ceiling) == ["ceiling"] * 3
    assert reasons([16, 32, 64], (5, 5, 0), (3, 0, 0)) == ["penalty"] * 3
    assert reasons([16, 32, 64], (5, 5, 0), code=np.full((2, 1), -1)) == ["scarcity"] * 3
    for by, last in ((1.0, "ceiling"), (1.01, "abatement")):
        middle = 32 / (1 - by * NEAR)
        assert reasons([1, middle, 64], (0, 5, 0), **ceiling)[1] == last
    # Prices of 33 and 32 CNY are apart by exactly their tolerance, of which the transaction cost is the larger part.
    for cost, last in ((1 - 33 * NEAR, "ceiling"), (1 - 34 * NEAR, "abatement")):
        assert reasons([1, 33, 64], (0, 5, 0), transaction_cost=np.full(3, cost), **ceiling)[1] == last


def test_a_year_in_which_allowances_are_emissions_balances_itself() -> None:
    follows = np.array([[False, True, True], [False, True, True], [False, False, False]])

    def middle(before: float = 0.0, banked: float = 0.0, **parts: Any) -> bool:
        made = reasons([9.0] * 3, (0, banked, 0), (0, 0, 0), (0, before, 0), **({"balances": follows} | parts))
        assert made[0] == "abatement"
        return made[1] == "self-balancing"

    assert middle()
    assert not middle(balances=follows & (np.arange(3) > 0)[:, None])
    assert not middle(emissions=table((EMITTED,) * 3, (EMITTED,) * 3, (0, 0.5, 0)))
    for tonnes, balances in ((1.0, True), (1.5, False)):
        assert middle(before=tonnes) is balances
        assert middle(banked=tonnes) is balances
        # Half of 24 t is sold by the paid share; what is offered beyond comes from outside.
        for sign in (1, -1):
            assert middle(auctioned=np.array([6.0, 12.0 + sign * tonnes, 12.0])) is balances
    for demand in (1e-3, -1e-3):
        assert not middle(demand=np.array([0.0, demand, 0.0]))


def test_a_tonne_at_the_end_is_worth_the_least_to_accounts_that_may_bank() -> None:
    given: Any = SimpleNamespace(account_balance=table((9, 9, 1), (9, 9, 2048), (9, 9, 4096)))
    root = market_of()
    assert _up_to(root, given) == 2048 / 0.25
    assert _up_to(market_of(terminal_price=8200.0), given) == 8200.0
    assert _up_to(market_of(held_most=table((0, 0, 1), (0, 0, 1), (0, 0, 1)), terminal_price=3.0), given) == 4.0
    assert _up_to(market_of(held_most=np.zeros((3, 3))), given) == np.inf
    lapses = {"banks": np.array([True, True, False]), "terminal_price": 0.0}
    assert _up_to(market_of(**lapses), given) == np.inf


def refused(given: Any = None, rows: Any = None, **cells: Any) -> list[tuple[str, float, str]]:
    worth: Any = SimpleNamespace(account_balance=np.full((3, 3), 2048.0))
    root, years = market_of(**(given or {})), years_of([9.0, 8.0, 0.5], (5, 5, 5) if rows is None else rows)
    right = _expected(root, years).assign(unchanged_up_to_cny_per_t=_up_to(root, worth))
    violations = closure_follows(root, worth, years, right.assign(**cells))
    return [(violation.where, violation.amount, violation.unit) for violation in violations]


def test_every_cell_of_the_table_follows_within_its_tolerance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closure, "PRICE_EQUALITY_RELATIVE", NEAR)
    assert refused() == refused(rows=(5, 0, 0)) == []
    for size in (9 * NEAR, -9 * NEAR):
        assert refused(price_cny_per_t=[9 + size, 8, 0.5]) == []
        assert refused(price_cny_per_t=[9 + 1.01 * size, 8, 0.5]) == [("price_cny_per_t", 1.0, "cells")]
    # Below one the tolerance stays that of one.
    assert refused(price_cny_per_t=[9, 8, 0.5 + NEAR]) == []
    assert refused(price_cny_per_t=[9, 8, 0.5 + 1.01 * NEAR]) == [("price_cny_per_t", 1.0, "cells")]
    for column, cells in (
        ("set_by", ["abatement", "abatement", "penalty"]),
        ("set_by", [1.0, 2.0, 3.0]),
        ("year", [2025, 2026, 2030]),
        ("price_cny_per_t", ["9", "8", "0.5"]),
        ("banked_t", [5.0, 5.0, np.nan]),
        ("bank_empty_in", [np.nan, np.nan, 2027.0]),
        ("terminal_price_cny_per_t", [4096.0, 4096.0, np.inf]),
        ("unchanged_up_to_cny_per_t", [np.inf] * 3),
    ):
        assert refused(**{column: cells}) == [(column, 1.0, "cells")]
    nobody = {"held_most": np.zeros((3, 3))}
    assert refused(nobody) == []
    assert refused(nobody, unchanged_up_to_cny_per_t=4096.0) == [("unchanged_up_to_cny_per_t", 1.0, "cells")]


def test_the_table_has_its_columns_and_a_row_for_every_year() -> None:
    worth: Any = SimpleNamespace(account_balance=np.full((3, 3), 2048.0))
    root, years = market_of(), years_of([9.0, 8.0, 7.0])
    right = _expected(root, years).assign(unchanged_up_to_cny_per_t=_up_to(root, worth))
    assert tuple(right.columns) == COLUMNS
    assert closure_follows(root, worth, years, right) == []
    for wrong in (None, right.drop(columns="set_by"), right.iloc[:2], right.assign(more=1.0)):
        (violation,) = closure_follows(root, worth, years, wrong)
        assert (violation.amount, violation.unit) == (1.0, "tables")
    assert (PRICE_EQUALITY_RELATIVE, EMPTY_BANK_SHARE, OUTSTANDING_ROUNDING_T) == (1e-6, 1e-6, 0.5)
