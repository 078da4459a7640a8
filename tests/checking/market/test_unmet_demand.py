"""Unmet demand as a table states it, against a bound that is given, and what an answer may miss in every limit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from etsopt.checking.market import unmet_demand
from etsopt.checking.market.unmet_demand import check_unmet_demand
from etsopt.checking.tolerances import MISS_COMPARISON_FACTOR
from etsopt.common.units import tolerance_of
from tests.checking.market.small import accounts_of, market_of, terms_of

ASKED: list[tuple[Any, ...]] = []


def checked(
    unmet: Any, proven: float, with_misses: float = 1.0, market: Any = None, **tables: pd.DataFrame
) -> tuple[list[Any], float | None, bool]:
    """Of a market for which multipliers prove so much, and so much less what an answer may miss."""
    ASKED.clear()

    class Given:
        def __init__(self, *given: Any) -> None:
            ASKED.append(given)
            self.least = [proven, with_misses][len(ASKED) - 1]

        def of_all(self) -> float:
            return self.least

    duals = pd.DataFrame({"level": ["unmet_demand"], "row": "market_balance", "index": "", "year": 2026})
    stated = {"unmet_demand": pd.DataFrame({"year": [2025, 2026], "unmet_t": unmet})}
    stated["duals"] = duals.assign(multiplier=-1.0, unit="t/t")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(unmet_demand, "derive_market", lambda *_, **__: market or market_of())
        patched.setattr(unmet_demand, "Bound", Given)
        violations, *rest = check_unmet_demand(None, stated | tables, "clearing")  # type: ignore[arg-type]
    return [(violation.rule, violation.amount) for violation in violations], *rest  # type: ignore[return-value]


@pytest.mark.parametrize("proven", [0.0, 1e6, 1e12])
def test_what_is_stated_totals_what_is_proven(proven: float) -> None:
    size = tolerance_of(proven, "t") + 1e-6 * proven
    assert checked([proven / 2] * 2, proven) == ([], proven, False)
    for by, wrong in ((0.999, []), (-0.999, []), (1.001, ["unmet_demand"]), (-1.001, ["unmet_demand"])):
        unmet = [proven + by * size, 0.0] if proven else [max(by * size, 0.0), 0.0]
        found = checked(unmet, proven)[0]
        assert [rule for rule, _ in found] == (wrong if proven or by > 0 else [])
        assert [amount for _, amount in found] == pytest.approx([abs(by) * size] * len(found), rel=1e-3)


def test_no_year_has_less_than_nothing_and_no_bound_proves_less() -> None:
    assert checked([2e-2, 0.0], -5.0) == ([], 0.0, False)
    assert checked([2.1e-2, 0.0], -5.0)[0] == [("unmet_demand", 2.1e-2)]
    assert checked([5.0 + 1e-9, -1e-9], 5.0)[0] == [("unmet_demand", pytest.approx(0, abs=1e-9))]


@pytest.mark.parametrize(("least", "tolerated"), [(1e-300, False), (0.0, True), (-1.0, True), (np.nan, True)])
def test_what_an_answer_may_miss_proves_nothing(least: float, tolerated: bool) -> None:
    assert checked([5.0, 0.0], 5.0, least) == ([], 5.0, tolerated)


@pytest.mark.parametrize("pooled", [False, True])
def test_an_answer_may_miss_20_kg_and_a_billionth_in_every_limit(pooled: bool) -> None:
    large = accounts_of(emissions=np.full((2, 2), 2.0**40))
    market = market_of(accounts=large, terms=terms_of())
    # Runs of earlier versions state multipliers of accounts, which prove as much.
    row = {"level": "unmet_demand", "row": "account_balance", "index": "" if pooled else "e", "year": 2026}
    duals = pd.DataFrame([row | {"multiplier": 0.0}, row | {"row": "market_balance", "index": "", "multiplier": -1.0}])
    assert checked([5.0, 0.0], 5.0, market=market, duals=duals.assign(unit="t/t"))[0] == []
    (_, given, none, most), (_, _, misses, _) = ASKED
    assert given.market_balance.tolist() == [0, -1]
    assert most == market.unmet_most
    for part in none.__dataclass_fields__:
        assert (getattr(none, part) == 0).all()
    each = MISS_COMPARISON_FACTOR * (2e-2 + 1e-9 * 2.0**40)
    assert misses.banked == pytest.approx(np.full((1, 2), 2 * each) if pooled else np.full((2, 2), each))
    of_market = MISS_COMPARISON_FACTOR * (2e-2 + 1e-9 * market.baseline.emissions.sum(axis=0))
    assert misses.unsold == pytest.approx(of_market, rel=1e-12)


def test_tables_are_there_before_anything_is_proven() -> None:
    for tables in (
        {"unmet_demand": pd.DataFrame({"year": [2025], "unmet_t": 1.0})},
        {"unmet_demand": pd.DataFrame({"year": [2025, 2026]})},
        {
            "duals": pd.DataFrame(
                {"level": ["unmet_demand"], "row": "market_balance", "index": "", "year": 2025, "unit": ""}
            )
        },
    ):
        violations, proven, tolerated = checked([1.0, 0.0], 1.0, **tables)
        assert (len(violations), proven, tolerated) == (1, None, True)
        assert ASKED == []
