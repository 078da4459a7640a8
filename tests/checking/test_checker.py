"""The order of checks: what comes first ends the check where nothing after it can be read, and nothing crashes."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import etsopt
from etsopt.checking import check
from tests.markets import market

if TYPE_CHECKING:
    from etsopt.checking.report import Violation


@cache
def solved(model: str = "clearing", short: bool = False) -> tuple[etsopt.Instance, etsopt.Results]:
    """Two units of which one is short, and a measure; or a market that cannot clear."""
    units = {"emissions_tco2e": [1e6, 1e6], "reference_t": [1.02e6, 0.97e6]}
    cut = {"measure_id": "cut", "unit_id": "u0", "abatement_rate": 0.05, "variable_opex_cny_per_t": 1.0}
    demand = 1e6 if short else 5e3
    instance = market(units, [cut], market={"external_demand_t": demand, "prices_cny_per_t": 50.0})
    instance = replace(instance, given=frozenset())
    return instance, etsopt.solve(instance, model)


def found(tables: dict[str, pd.DataFrame], short: bool = False, **changes: Any) -> list[Violation]:
    instance, results = solved(short=short)
    report = check(instance, {**tables, **changes}, results.levels, kind="clearing")
    assert not report.certified
    return list(report.violations)


def test_columns_of_mixed_cells_end_the_check() -> None:
    """Their numbers cannot be compared with anything."""
    tables = dict(solved()[1].tables)
    years = tables["years"].astype({"price_cny_per_t": object})
    years.loc[0, "price_cny_per_t"] = "fifty"
    mixed = pd.concat([years, years.assign(price_cny_per_t=50.0)])
    violations = found(tables, years=mixed)
    assert [(violation.rule, violation.where) for violation in violations] == [("tables", "years.price_cny_per_t")]


def test_a_market_without_the_allocation_from_which_it_starts_is_not_looked_at() -> None:
    tables = {name: table for name, table in solved()[1].tables.items() if name != "allocation"}
    instance, results = solved()
    report = check(instance, tables, results.levels, kind="clearing")
    assert not report.certified
    assert "cost" not in {level.name for level in report.levels}


@pytest.mark.parametrize("damage", ["row", "unit", "column"])
def test_a_market_whose_allocation_is_of_other_units_is_not_looked_at(damage: str) -> None:
    tables = dict(solved()[1].tables)
    allocation = tables["allocation"]
    damaged = {
        "row": allocation.iloc[:1],
        "unit": allocation.assign(unit_id=["u1", "u0"]),
        "column": allocation.drop(columns="allowance_t"),
    }[damage]
    violations = found(tables, allocation=damaged)
    assert {violation.rule for violation in violations} <= {"same_units", "tables"}


def test_unmet_demand_needs_its_numbers() -> None:
    tables = dict(solved(short=True)[1].tables)
    for column in ("unmet_t", "year"):
        violations = found(tables, short=True, unmet_demand=tables["unmet_demand"].drop(columns=column))
        assert f"unmet_demand.{column}" in {violation.where for violation in violations}
    texts = tables["unmet_demand"].assign(unmet_t="many")
    assert "unmet_demand.unmet_t" in {v.where for v in found(tables, short=True, unmet_demand=texts)}


def test_the_cost_is_the_last_objective_and_stated_once() -> None:
    instance, results = solved()
    first, last = results.levels[0], results.levels[-1]
    assert last.name == "cost"
    for levels in ((last, first), (last, last), (first,)):
        report = check(instance, results.tables, levels, kind="clearing")
        assert "levels" in {violation.rule for violation in report.violations}
    assert check(instance, results.tables, results.levels, kind="clearing").violations == ()
