"""Break one value of a certified compliance and see that the checker refuses it, by the statement that is broken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.cells import BOOLEANS, TEXTS
from etsopt.checking.compliance.compliance import COLUMNS
from tests.compliance_years import by_hand, random_compliance_year
from tests.judging import check

if TYPE_CHECKING:
    from etsopt.checking.verdict import Verdict
    from etsopt.running.results.results import Results

Tables = dict[str, pd.DataFrame]
Mutation = Callable[[Tables], None]


@dataclass(frozen=True)
class Stated:
    name: str
    value: float


@cache
def solved() -> tuple[etsopt.Instance, Results]:
    instance = by_hand()
    result = etsopt.solve(instance, "compliance")
    assert result.certified
    return instance, result


def checked(mutate: Mutation, *, restate: bool = False) -> Verdict:
    """Check broken tables; with levels stated as these have them, so that only what remains wrong is found."""
    instance, result = solved()
    tables = {name: table.copy() for name, table in result.tables.items()}
    mutate(tables)
    levels = [Stated(level.name, level.value) for level in result.levels]
    report = check(instance, tables, levels, kind="compliance")
    if restate and report.levels:
        levels = [Stated(level.name, level.value) for level in report.levels]
        report = check(instance, tables, levels, kind="compliance")
    return report


def rules(report: Verdict) -> set[str]:
    return {violation.rule for violation in report.violations}


def add(table: str, column: str, by: float, **where: Any) -> Mutation:
    """Add to the cells of a table where others have these values."""

    def mutate(tables: Tables) -> None:
        here = np.ones(len(tables[table]), dtype=bool)
        for name, value in where.items():
            here &= (tables[table][name] == value).to_numpy()
        assert here.any()
        tables[table][column] = tables[table][column].where(~here, tables[table][column] + by)

    return mutate


def everywhere(enterprise: str, vintage: int, changes: dict[str, int]) -> Mutation:
    """Change flows of a vintage and all that is summed from them, as a consistent cheat would."""
    instance, _ = solved()
    province = {"a": "North", "b": "West", "c": "South", "d": "North"}[enterprise]

    def mutate(tables: Tables) -> None:
        for column, by in changes.items():
            if column in tables["holdings"]:
                add("holdings", column, by, enterprise_id=enterprise, vintage=vintage)(tables)
            add("compliance", column, by, enterprise_id=enterprise)(tables)
            add("compliance_provinces", column, by, province=province)(tables)
            add("nation", column, by)(tables)

    assert instance.policy.year == 2025
    return mutate


def test_nothing_is_found_where_nothing_is_broken() -> None:
    report = checked(lambda tables: None)
    assert (report.violations, report.certified) == ((), True)


WORDS = TEXTS | BOOLEANS
CELLS = [
    (table, column)
    for table, columns in COLUMNS.items()
    for column in columns
    if column not in WORDS and not column.startswith("balance_value")
]


@pytest.mark.everyday("1.0-compliance-issued_t", "0.5-holdings-bought_t")
@pytest.mark.parametrize(("table", "column"), CELLS)
@pytest.mark.parametrize("by", [1.0, 0.5])
def test_no_number_may_be_another(table: str, column: str, by: float) -> None:
    report = checked(lambda tables: add(table, column, by, **first(tables[table]))(tables))
    assert report.violations


@pytest.mark.parametrize(("table", "column"), CELLS)
def test_no_number_may_be_absent(table: str, column: str) -> None:
    report = checked(lambda tables: add(table, column, np.nan, **first(tables[table]))(tables))
    assert rules(report) == {"tables"}


@pytest.mark.everyday("compliance_sectors-sector")
@pytest.mark.parametrize(
    ("table", "column"),
    [(table, column) for table, columns in COLUMNS.items() for column in columns if column in WORDS - {"in_scope"}],
)
def test_no_text_may_be_another(table: str, column: str) -> None:
    def mutate(tables: Tables) -> None:
        values = tables[table][column].astype(object).to_list()
        values[0] = (not values[0]) if isinstance(values[0], bool | np.bool_) else "elsewhere"
        tables[table][column] = values

    assert checked(mutate).violations


def first(table: pd.DataFrame) -> dict[str, Any]:
    return {table.columns[0]: table.iloc[0, 0]}


@pytest.mark.parametrize("table", list(COLUMNS))
def test_no_table_may_be_missing_or_lack_a_row(table: str) -> None:
    def drop(tables: Tables) -> None:
        del tables[table]

    def shorten(tables: Tables) -> None:
        tables[table] = tables[table].iloc[1:].reset_index(drop=True)

    assert rules(checked(drop)) == {"tables"}
    assert checked(shorten).violations


@pytest.mark.parametrize(
    ("rule", "mutation"),
    [
        # What comes in is not what goes out, although every sum agrees.
        ("conservation", everywhere("a", 2025, {"closing_t": 1})),
        ("conservation", everywhere("b", 2025, {"cancelled_t": -1})),
        # Half a tonne, or less than nothing.
        ("whole_tonnes", everywhere("a", 2025, {"sold_t": -0.5, "closing_t": 0.5})),  # type: ignore[dict-item]
        ("not_negative", everywhere("c", 2025, {"sold_t": 1, "closing_t": -1})),
        # Openings, conversions and what is issued are not to be chosen.
        ("opening_t", everywhere("a", 2025, {"opening_t": 5, "sold_t": 5})),
        ("carried_over_t", everywhere("a", 2024, {"carried_over_t": -1, "closing_t": -1})),
        ("issued_t", everywhere("d", 2025, {"issued_t": 5, "sold_t": 5})),
        ("cancelled_t", everywhere("b", 2025, {"issued_t": 5, "cancelled_t": 5})),
        # A vintage of 2024 settles nothing in 2025, and is not sold.
        ("vintages", everywhere("a", 2024, {"surrendered_t": 10, "closing_t": -10})),
        ("vintages", everywhere("a", 2024, {"sold_t": 10, "closing_t": -10})),
        ("obligation_met", everywhere("a", 2025, {"surrendered_t": 1, "sold_t": -1})),
        ("obligation", everywhere("a", 2025, {"obligation_t": 1, "surrendered_t": 1, "sold_t": -1})),
        # 14 t are a's part of the offsets.
        ("offsets", everywhere("a", 2025, {"offset_t": 1, "surrendered_t": -1, "sold_t": 1})),
        # c does not buy; what b buys it surrenders.
        ("purchases", everywhere("c", 2025, {"bought_t": 1, "surrendered_t": 1, "shortfall_t": -1})),
        ("purchases", everywhere("a", 2025, {"bought_t": 2000, "sold_t": 2000})),
        ("shortfall", everywhere("a", 2025, {"shortfall_t": 1, "surrendered_t": -1, "sold_t": 1})),
        # The province surrenders first what it holds for those at risk.
        ("province_account", everywhere("d", 2025, {"surrendered_t": -1, "sold_t": 1, "offset_t": 1})),
        ("province_account", everywhere("d", 2025, {"province_surrendered_t": -1, "province_released_t": 1})),
        ("province_account", everywhere("a", 2025, {"province_received_t": 1, "province_released_t": 1})),
        ("deduction", everywhere("c", 2025, {"deducted_next_year_t": 19})),
        ("money", everywhere("c", 2025, {"penalty_cny": -1, "cost_cny": -1})),
        ("money", everywhere("c", 2025, {"fixed_fine_cny": -1_000_000, "cost_cny": -1_000_000})),
        ("money", everywhere("a", 2025, {"kept_worth_cny": 1})),
    ],
)
def test_a_consistent_cheat_is_found_by_the_statement_it_breaks(rule: str, mutation: Mutation) -> None:
    assert rule in rules(checked(mutation, restate=True))


def test_what_costs_more_than_it_must_is_not_certified() -> None:
    # a keeps a tonne for 70 that it could sell for 79; everything else is right.
    changes: dict[str, Any] = {"sold_t": -1, "closing_t": 1, "sales_cny": -80, "transactions_cny": -1, "cost_cny": 79}
    report = checked(everywhere("a", 2025, {**changes, "kept_worth_cny": 70}), restate=True)
    assert report.violations == ()
    (cost, *_) = report.levels
    assert (cost.certified, report.certified) == (False, False)
    assert cost.gap == pytest.approx(9.0)


def test_a_newer_vintage_is_not_surrendered_before_an_older_one() -> None:
    instance = random_compliance_year(13)
    result = etsopt.solve(instance, "compliance")
    assert result.certified
    tables = {name: table.copy() for name, table in result.tables.items()}
    table = tables["holdings"]
    own = table["surrendered_t"] - table["bought_t"]
    pairs = [
        (old, new)
        for old in table.index[table["usable"] & (own > 0)]
        for new in table.index[table["usable"] & (table["closing_t"] > 0)]
        if table.loc[old, "enterprise_id"] == table.loc[new, "enterprise_id"] and old < new
    ]
    assert pairs
    old, new = pairs[0]
    table.loc[[old, new], "surrendered_t"] += [-1, 1]
    table.loc[[old, new], "closing_t"] += [1, -1]
    levels = [Stated(level.name, level.value) for level in result.levels]
    broken = check(instance, tables, levels, kind="compliance")
    report = check(instance, tables, [Stated(level.name, level.value) for level in broken.levels], kind="compliance")
    assert rules(broken) == {"level_is_kept"}
    assert not report.certified
    assert [level.certified for level in report.levels] == [True, True, False]


def test_a_settlement_is_not_taken_for_an_allocation() -> None:
    instance, result = solved()
    assert not check(instance, result.tables, result.levels).certified
