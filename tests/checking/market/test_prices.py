"""Multipliers of a market as the table states them, each in its place, and what is wrong with them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from etsopt.checking.market.prices import CLEARS, StatedMultipliers
from tests.checking.market.small import accounts_of, baseline_of

LINES: list[tuple[Any, ...]] = [
    ("cost", "account_balance", "e", 2025, 1.0, "CNY/t"),
    ("cost", "account_balance", "f", 2026, 2.0, "CNY/t"),
    ("cost:1", "market_balance", "", 2025, 9.0, "CNY/t"),
    ("cost", "offset_limit", "f", 2025, -3.0, "CNY/t"),
    ("cost", "newly_owed", "e", 2026, -4.0, "CNY/t"),
    ("cost", "market_balance", "", 2026, 5.0, "CNY/t"),
    ("cost", "reserve_stock", None, 2025, 6.0, "CNY/t"),
    ("cost", "offsets_on_offer", "", 2026, -7.0, "CNY/t"),
    ("unmet_demand", "market_balance", "", 2026, 8.0, "t/t"),
]
COLUMNS = ["level", "row", "index", "year", "multiplier", "unit"]


def stated(lines: list[tuple[Any, ...]]) -> StatedMultipliers:
    return StatedMultipliers(baseline_of(), accounts_of(), pd.DataFrame(lines, columns=COLUMNS))


def test_multipliers_stand_by_row_account_and_year() -> None:
    found, broken = stated(LINES).at("cost", "CNY/t")
    assert broken == []
    assert found.account_balance.tolist() == [[1, 0], [0, 2]]
    assert found.offset_limit.tolist() == [[0, 0], [-3, 0]]
    assert found.newly_owed.tolist() == [[0, -4], [0, 0]]
    assert found.market_balance.tolist() == [0, 5]
    assert found.reserve_stock.tolist() == [6, 0]
    assert found.offsets_on_offer.tolist() == [0, -7]
    other, broken = stated(LINES).at("cost:1", "CNY/t")
    assert (other.market_balance.tolist(), broken) == ([9, 0], [])
    assert other.account_balance.tolist() == [[0, 0], [0, 0]]
    missing, broken = stated(LINES).at("unmet_demand", "t/t")
    assert (missing.market_balance.tolist(), broken) == ([0, 8], [])
    nothing, broken = stated(LINES).at("cost:7", "CNY/t")
    assert (nothing.market_balance.tolist(), broken) == ([0, 0], [])
    assert set(stated(LINES).places) == {"cost", "cost:1", "unmet_demand"}
    assert stated([]).places == {}


@pytest.mark.parametrize(
    "line",
    [
        ("cost", "account_balance", "x", 2025, 1.0, "CNY/t"),
        ("cost", "account_balance", "", 2025, 1.0, "CNY/t"),
        ("cost", "market_balance", "e", 2025, 1.0, "CNY/t"),
        ("cost", "unknown", "", 2025, 1.0, "CNY/t"),
        ("cost", "market_balance", "", 2024, 1.0, "CNY/t"),
        ("cost", "market_balance", "", 2025.5, 1.0, "CNY/t"),
        ("cost", "market_balance", "", 2025, np.inf, "CNY/t"),
        ("cost", "market_balance", "", 2025, np.nan, "CNY/t"),
        ("cost", "market_balance", "", 2025, 1.0, "t/t"),
        ("cost", "market_balance", "", 2026, 1.0, "CNY/t"),
    ],
)
def test_a_multiplier_is_a_number_of_a_row_of_the_program_once(line: tuple[Any, ...]) -> None:
    found, broken = stated([*LINES, line]).at("cost", "CNY/t")
    assert [(violation.where, violation.amount) for violation in broken] == [(line[1], 1.0)]
    assert found.market_balance.tolist() == [0, 5]
    assert found.account_balance.tolist() == [[1, 0], [0, 2]]
    assert CLEARS == 1.01e-7
