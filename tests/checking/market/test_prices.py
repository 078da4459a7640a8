"""Multipliers of a market as the table states them, each in its place, and what is wrong with them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from etsopt.checking.market import prices
from etsopt.checking.market.prices import StatedMultipliers, interval_is_proven
from etsopt.checking.tolerances import PRICE_PROOF_RELATIVE
from etsopt.common.units import tolerance_of
from tests.checking.market.small import accounts_of, baseline_of, market_of

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
if TYPE_CHECKING:
    from collections.abc import Sequence

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
    assert nothing.account_balance.tolist() == [[0, 0], [0, 0]]
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
    assert PRICE_PROOF_RELATIVE == 1.01e-7


def clears(
    bounds: list[float], *, size: float = 0.0, ends: Any = None, stated_ends: Any = None, others: Sequence[float] = ()
) -> list[Any]:
    """Of prices of 50 and 60 CNY, with 40 in the first year at one end, and 70 in the second at the other.

    Discounted, the ends are 18 CNY apart, and the reported prices at most 10 from them. The multipliers of the reported
    prices and of the ends bound the cost by so much.
    """
    lines = [("cost:1", 2025, -40.0), ("cost:1", 2026, -48.0), ("cost:2", 2025, -50.0), ("cost:2", 2026, -56.0)]
    rows = [(level, "market_balance", "", year, value, "CNY/t") for level, year, value in lines if ends is None]
    market = market_of(baseline=baseline_of(emissions=size * baseline_of().emissions))
    found = StatedMultipliers(market.baseline, accounts_of(), pd.DataFrame([*rows, *(ends or [])], columns=COLUMNS))
    lower, upper = ([40.0, 60.0], [50.0, 70.0]) if stated_ends is None else stated_ends
    years = pd.DataFrame({"price_lower_cny_per_t": lower, "price_upper_cny_per_t": upper})
    root: Any = SimpleNamespace(market=market, leeway="leeway")
    left = list(bounds[1:])

    def bound_of(*given: Any) -> Any:
        assert given[0] is market
        assert given[2] == "leeway"
        return SimpleNamespace(of_all=lambda: left.pop(0))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(prices, "Bound", bound_of)
        violations = interval_is_proven(
            root,
            [SimpleNamespace(of_all=lambda value=value: value) for value in others],  # type: ignore[misc]
            found,
            years,
            np.array([50.0, 60.0]),
            bounds[0],
            tolerance_of(bounds[0], "CNY"),
        )
    return [(f"{violation.rule} {violation.where}".strip(), violation.amount) for violation in violations]


def test_the_interval_is_spanned_by_the_prices_that_are_stated() -> None:
    assert clears([0.0] * 3) == []
    assert clears([0.0], ends=[], stated_ends=([50.0, 60.0],) * 2) == []
    for wrong, where in (
        (([41.0, 60.0], [50.0, 70.0]), "2025"),
        (([40.0, 60.0], [50.0, 69.0]), "2026"),
        (([40.0, 60.0], [51.0, 70.0]), "2025"),
    ):
        assert clears([0.0] * 3, stated_ends=wrong) == [(f"years {where}", 1.0)]
    line = ("cost:1", "market_balance", "", 2027, 0.0, "CNY/t")
    rows = [(f"cost:{k}", "market_balance", "", *at, "CNY/t") for k, at in enumerate([(2025, -50.0), (2026, -48.0)])]
    assert clears([0.0] * 3, ends=[*rows, line], stated_ends=([0.0, 0.0], [50.0, 60.0])) == [
        ("duals market_balance", 1.0)
    ]


@pytest.mark.parametrize("bound", [0.0, 1e9, -1e9])
def test_no_stated_prices_bound_the_cost_better_than_those_reported(bound: float) -> None:
    most = tolerance_of(bound, "CNY") + PRICE_PROOF_RELATIVE * abs(bound)
    assert clears([bound, bound + 0.999 * most, bound]) == []
    off = pytest.approx(1.01 * most)
    # Then the market does not clear at the reported prices and at the other end.
    for place, other in ((1, "price cost:2"), (2, "price cost:1")):
        bounds = [bound] * 3
        bounds[place] += 1.01 * most
        assert clears(bounds) == [("price cost", off), ("price cost", off), (other, off)]
    # At exactly the tolerance, which is that of a cost of nothing, they bound it no better.
    assert clears([0.0, tolerance_of(0.0, "CNY"), 0.0]) == []


def test_prices_that_bound_the_cost_worse_than_the_multipliers_of_a_leaf_are_refused() -> None:
    reported: dict[str, Any] = {"ends": [], "stated_ends": ([50.0, 60.0],) * 2}
    assert clears([1e9], others=[5e8, 1e9], **reported) == []
    assert clears([1e9], others=[5e8, 1.5e9], **reported) == [("price cost", 5e8)]


def test_at_every_stated_price_the_market_clears_up_to_a_little_demand_between_them() -> None:
    demand = PRICE_PROOF_RELATIVE * 1e9 * 343
    for place, apart in ((0, 10.0), (1, 18.0), (2, 18.0)):
        for by, wrong in ((0.999, False), (1.001, True)):
            bounds = [0.0] * 3
            bounds[place] = -by * (demand * apart + tolerance_of(0.0, "CNY"))
            found = clears(bounds, size=1e9)
            line = (f"price {['cost', 'cost:1', 'cost:2'][place]}", pytest.approx(-bounds[place]))
            # Reported prices are bounded worse than the ends as well, whatever the demand.
            assert found == [line] * (int(wrong) + int(place == 0))
    best = 1e9
    for by, wrong in ((0.999, False), (1.001, True)):
        most = tolerance_of(best, "CNY") + PRICE_PROOF_RELATIVE * best
        found = clears([best, best, best - by * most])
        assert found == ([("price cost:2", pytest.approx(by * most))] if wrong else [])
    assert clears([0.0, 0.0, -tolerance_of(0.0, "CNY")]) == []
