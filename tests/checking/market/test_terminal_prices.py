"""Which terminal prices an answer has to state, and how near to its bound a certified one has to be."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from etsopt.checking.market import terminal_prices
from etsopt.checking.market.terminal_prices import ends_of
from etsopt.checking.tolerances import PRICE_PROOF_RELATIVE
from tests.checking.market.small import market_of, terms_of
from tests.judging import check
from tests.models.test_lapsing import three
from tests.models.test_terminal_prices import ceiling, solved

LAST = {"year": 2026, "unchanged_up_to_cny_per_t": 60.0, "bank_empty_in": 2025, "set_by": "measure"}


@pytest.mark.parametrize(
    ("terms", "last", "kind", "ends"),
    [
        ({}, {}, "pathway", [0.0, 5.0, 90.0]),
        ({}, {}, "clearing", []),
        ({"transaction_cost": np.array([0.0, 1.0])}, {}, "pathway", []),
        ({"ceiling": np.array([90.0, np.inf])}, {}, "pathway", [0.0, 5.0]),
        ({"ceiling": np.array([90.0, np.inf]), "terminal_price": 0.0}, {}, "pathway", []),
        ({"terminal_price": 0.0}, {}, "pathway", [0.0, 90.0]),
        ({}, {"set_by": "self-balancing"}, "pathway", []),
        # Without a bank the price moves with a terminal price above those that do not move it, up to the ceiling.
        ({}, {"bank_empty_in": 2026}, "pathway", [0.0, 5.0, 90.0]),
        ({}, {"bank_empty_in": 2026, "unchanged_up_to_cny_per_t": 90.0}, "pathway", []),
        ({}, {"unchanged_up_to_cny_per_t": 90.0}, "pathway", [0.0, 5.0, 90.0]),
        ({}, {"unchanged_up_to_cny_per_t": np.inf}, "pathway", []),
    ],
)
def test_other_terminal_prices_are_nothing_and_the_ceiling_if_they_move_the_price_of_a_path(
    terms: dict[str, Any], last: dict[str, Any], kind: str, ends: list[float]
) -> None:
    own = {"transaction_cost": np.zeros(2), "ceiling": np.array([np.inf, 90.0])} | terms
    # The last row decides.
    closure = pd.DataFrame([LAST | {"year": 2025, "set_by": "self-balancing"}, LAST | last])
    assert ends_of(market_of(terms=terms_of(**own)), closure, kind) == ends


@pytest.mark.parametrize(("value", "spending", "size"), [(2.0, 1e9, 1e9), (-2e9, 1e9, 2e9)])
def test_a_certified_end_is_as_near_to_its_bound_as_prices_are_proven(
    value: float, spending: float, size: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what is spent, or of the emissions of a year at the prices of all, a small share is left unproven."""
    instance, seen = ceiling(three()), dict[str, Any]()
    results, proven = solved(instance), -1e12

    def cost(at_end: Any, *_: Any) -> tuple[float, float, float]:
        seen["emissions"] = at_end.baseline.emissions
        return value, 1e3, spending

    def bound(_: Any, given: Any, __: Any) -> Any:
        seen["price"] = given.market_balance
        return SimpleNamespace(of_all=lambda: proven)

    monkeypatch.setattr(terminal_prices, "cost_of", cost)
    monkeypatch.setattr(terminal_prices, "Bound", bound)
    monkeypatch.setattr(terminal_prices, "tolerance_of_cost", lambda cost, _: 5e3 if cost == value else 0.0)

    def refused() -> list[float]:
        found = check(instance, results.tables, results.levels, kind="pathway").violations
        assert {(one.rule, one.where, one.unit) for one in found} <= {("terminal_prices", "300", "CNY")}
        return [one.amount for one in found]

    assert len(refused()) == 1
    emitted = sum(float(np.mean(of_unit)) for of_unit in seen["emissions"])
    missed = 5e3 + PRICE_PROOF_RELATIVE * (size + emitted * sum(abs(price) for price in seen["price"]))
    for times, is_refused in ((1 - 1e-6, False), (1 + 1e-6, True)):
        # The rounding of the cost is taken off as well.
        proven = value - times * missed + 1e3
        assert refused() == ([pytest.approx(times * missed)] if is_refused else [])
