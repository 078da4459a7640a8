"""Allowances that lapse: none is banked into the year of `pathway.no_bank_from` or a later one, nor kept at the end."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.common.errors import DataError
from tests.judging import check
from tests.markets import of_model, random_market
from tests.models.test_closure import MEASURES, one


def three(**path: Any) -> etsopt.Instance:
    """A clinker line that gets its 1 Mt a year; others sell 10,000 t in 2025, and need 20,000 t in 2026 and
    30,000 t in 2027.

    The cheap measure abates 50,000 t at 40 CNY/t. Interest is 10 %.
    """
    demand = {"2025": -10_000.0, "2026": 20_000.0, "2027": 30_000.0}
    return one(2027, external_demand_t=demand).with_policy({f"pathway.{name}": value for name, value in path.items()})


def solved(instance: etsopt.Instance) -> etsopt.Results:
    results = etsopt.solve(instance, "pathway")
    assert results.certified, results.status
    assert results.violations == ()
    return results


def column(results: etsopt.Results, name: str, table: str = "years") -> list[float]:
    return list(results.tables[table][name].round(6) + 0.0)


def test_without_the_key_a_bank_meets_part_of_the_demand_of_2026_and_nothing_lapses() -> None:
    results = solved(three())
    assert "lapsed_t" not in results.tables["years"]
    assert "lapsed_t" not in results.tables["enterprise_years"]
    assert column(results, "banked_t") == [10_000, 0, 0]
    assert column(results, "emissions_tco2e") == [1e6, 990_000, 970_000]
    assert column(results, "price_cny_per_t") == pytest.approx([40 / 1.1, 40, 40], abs=1e-5)


def test_what_is_left_before_the_year_lapses_and_its_price_is_nothing() -> None:
    """Nobody needs the tonnes of 2025 in 2025; 2026 and 2027 abate what they sell."""
    results = solved(three(no_bank_from=2026))
    for table in ("years", "enterprise_years"):
        assert column(results, "lapsed_t", table) == [10_000, 0, 0]
        assert column(results, "banked_t", table) == column(results, "banked_before_t", table) == [0, 0, 0]
    assert column(results, "emissions_tco2e") == [1e6, 980_000, 970_000]
    assert column(results, "price_cny_per_t") == pytest.approx([0, 40, 40], abs=1e-5)
    assert results.tables["closure"]["set_by"].tolist() == ["no scarcity", "abatement", "abatement"]


@pytest.mark.everyday("2028")
@pytest.mark.parametrize("first", [2027, 2028])
def test_a_bank_before_that_stays_and_a_terminal_price_has_no_effect(first: int) -> None:
    """At 300 CNY/t after 2027 the line would abate all it can and bank it; where that lapses nothing changes."""
    results = [
        solved(three(no_bank_from=first).with_policy({"market.terminal_price_cny_per_t": price}))
        for price in (0.0, 300.0)
    ]
    for found in results:
        assert column(found, "banked_t") == [10_000, 0, 0]
        assert column(found, "price_cny_per_t") == pytest.approx([40 / 1.1, 40, 40], abs=1e-5)
        assert found.tables["closure"]["terminal_price_cny_per_t"].tolist() == [0.0] * 3
        assert found.tables["closure"]["unchanged_up_to_cny_per_t"].tolist() == [np.inf] * 3
    kept = solved(three().with_policy({"market.terminal_price_cny_per_t": 300.0}))
    assert column(kept, "banked_t")[-1] > 0


def test_nothing_is_borrowed_from_a_year_that_takes_nothing() -> None:
    """Demand of 2025 is met by the advance issue of 2026, unless 2026 stands alone; what the measure frees lapses."""
    market = {"external_demand_t": {"2025": 20_000.0, "2026": 0.0}, "borrow_pre_allocation": True}
    borrowing = one(2026).with_policy({f"market.{name}": value for name, value in market.items()})
    assert column(solved(borrowing), "banked_t") == [-20_000, 0]
    alone = solved(borrowing.with_policy({"pathway.no_bank_from": 2026}))
    assert column(alone, "banked_t") == [0, 0]
    assert column(alone, "emissions_tco2e") == [980_000, 980_000]
    assert column(alone, "lapsed_t") == [0, 20_000]


@pytest.mark.everyday("0-0")
@pytest.mark.parametrize("cost", [0, 3])
@pytest.mark.parametrize("seed", range(12))
def test_random_paths_are_proven_and_emit_no_more_than_their_own_allowances(seed: int, cost: int) -> None:
    """From the year on every enterprise surrenders allowances of the year and offsets alone, whatever it held."""
    path = of_model(random_market(seed, years=3), "pathway")
    first = path.policy.years[1]
    changes = {"pathway.no_bank_from": first, "market.transaction_cost_cny_per_t": cost}
    results = etsopt.solve(path.with_policy(changes), "pathway")
    assert results.violations == ()
    assert results.certified or results.status == "feasible"
    if "enterprise_years" not in results.tables:
        return
    table = results.tables["enterprise_years"]
    inside = table[table["year"] >= first]
    assert (inside[["banked_before_t", "banked_t"]].abs() < 1e-6).all(axis=None)
    assert (inside["lapsed_t"] >= -0.02).all()
    got = inside["allowance_t"] + inside["bought_t"] - inside["sold_t"]
    assert np.allclose(got - inside["lapsed_t"], inside["surrendered_t"], atol=0.02, rtol=1e-9)


@pytest.mark.parametrize(("name", "row"), [("banked_t", 0), ("banked_t", 2), ("lapsed_t", 0), ("banked_before_t", 1)])
def test_a_forged_bank_is_refused(name: str, row: int) -> None:
    instance = three(no_bank_from=2026)
    results = solved(instance)
    for forged in ("years", "enterprise_years"):
        table = results.tables[forged].copy()
        table.loc[row, name] += 1.0
        found = check(instance, {**results.tables, forged: table}, results.levels, kind="pathway")
        assert (forged, False) in {(violation.rule, found.certified) for violation in found.violations}


def test_an_answer_that_spends_a_bank_is_none_where_it_lapses() -> None:
    """The answer without the key, checked under it: 2026 surrenders 10,000 t that lapsed."""
    instance = three()
    results = solved(instance)
    tables = {
        name: table.assign(lapsed_t=0.0) if name in ("years", "enterprise_years") else table
        for name, table in results.tables.items()
    }
    found = check(instance.with_policy({"pathway.no_bank_from": 2026}), tables, results.levels, kind="pathway")
    assert "borrowing" in {violation.rule for violation in found.violations}


def test_the_year_is_after_the_first() -> None:
    with pytest.raises(DataError, match="no_bank_from"):
        three(no_bank_from=2025)
    assert len(MEASURES) == 2
    assert isinstance(three(no_bank_from=2026).measures, pd.DataFrame)
