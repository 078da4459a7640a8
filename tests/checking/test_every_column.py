"""Every column of every table of a run is recomputed: changed in one cell or in all, the checker refuses it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.running import run
from etsopt.running.results.results import load_both
from tests import investments, markets, outlooks, reconciliations, review_plans
from tests.builders import random_instance
from tests.compliance_years import by_hand
from tests.market_of_everything import a_market

Change = Callable[["pd.Series[Any]"], "pd.Series[Any]"]


def everything() -> etsopt.Instance:
    order = ["largest_change", "deficit", "change", "spread"]
    instance = random_instance(0, 24, band_on="enterprise", intensity_order=True, objectives=order)
    changes = {"sectors.steel.target_sense": "exactly", "provinces.balance": 0.008, "rule.name": "cn-2026"}
    return etsopt.Instance.from_frames(
        instance.units.assign(x_note="seen"), instance.with_policy(changes).policy.model_dump(exclude_none=True)
    )


KINDS: dict[str, tuple[Callable[[], etsopt.Instance], str]] = {
    "tiny": (lambda: etsopt.read("tiny"), "allocation"),
    "everything": (everything, "allocation"),
    "exceptions": (
        lambda: random_instance(3, 16, integer_allowances=True, exceptions={"units": 2, "lower": 0.1, "upper": 0.1}),
        "allocation",
    ),
    "rounded": (lambda: random_instance(5, 12, integer_allowances=True, intensity_order=True), "allocation"),
    "infeasible": (lambda: etsopt.read("tiny").with_policy({"sectors.cement.target_change": -0.04}), "allocation"),
    "two conflicts": (lambda: etsopt.read("eu-2019"), "allocation"),
    "the rule": (lambda: etsopt.read("tiny"), "balance_value"),
    "compliance": (by_hand, "compliance"),
    "reconciliation": (reconciliations.by_hand, "reconciliation"),
    "equilibrium": (lambda: etsopt.read("cn-2025"), "equilibrium"),
    "clearing": (a_market, "clearing"),
    "abatement": (lambda: a_market().with_policy({"market.prices_cny_per_t": 120.0}), "abatement"),
    "pathway": (lambda: markets.of_model(a_market(), "pathway"), "pathway"),
    "review plan": (lambda: review_plans.random_reviews(3, 9, least=True), "review_plan"),
    "missing days": (lambda: review_plans.by_hand({"municipal": {"days": 2.5}}), "review_plan"),
    "outlook": (lambda: outlooks.by_hand(outlook__highest_terminal_price_cny_per_t=60.0), "outlook"),
    "investment": (lambda: investments.random_investment(4, investment={"cvar_weight": 0.5}), "investment"),
    "investment within budgets": (
        lambda: investments.random_investment(5, investment={"budget_cny": 2e6, "cvar_weight": 0.5}),
        "investment",
    ),
    "missing": (lambda: markets.random_market(7, 2, market={"external_demand_t": 3e7}), "clearing"),
}


SLOW = frozenset(("clearing", "abatement", "pathway", "compliance"))
"""Kinds of which each column is changed in one of the ways, in turn: a check of a market takes a tenth of a second."""


@cache
def solved(kind: str) -> tuple[etsopt.Instance, etsopt.Results]:
    make, model = KINDS[kind]
    instance = make()
    result = etsopt.solve(instance, model)
    assert result.tables
    assert run.check(instance, result).violations == ()
    return instance, result


def one_cell(column: pd.Series[Any], value: object) -> pd.Series[Any]:
    cells = column.astype(object).copy()
    cells.iloc[-1] = value
    return cells


def changes(column: pd.Series[Any]) -> Iterator[tuple[str, pd.Series[Any]]]:
    """The column with one cell and with all cells changed; types stay those of the column."""
    last = column.iloc[-1]
    if pd.api.types.is_bool_dtype(column):
        yield "one", one_cell(column, not last).astype(bool)
        yield "all", ~column
    elif pd.api.types.is_numeric_dtype(column):
        values = column.astype(float)
        # By more than what rounding may change in a sum of a thousand million tonnes at sixty CNY each.
        larger = 2 * np.abs(values.fillna(0.0)) + 1e6
        yield "one", one_cell(values, larger.iloc[-1]).astype(float)
        yield "all", larger
        if values.notna().any():
            yield "none", values * np.nan
    else:
        yield "one", one_cell(column.fillna(""), f"{last}x")
        yield "all", column.astype(object).fillna("") + "x"


@pytest.mark.everyday("infeasible")
@pytest.mark.parametrize("kind", KINDS)
def test_every_column_that_is_changed_is_refused(kind: str) -> None:
    instance, result = solved(kind)
    unseen = []
    for name, table in result.tables.items():
        for place, column in enumerate(table.columns if len(table) else ()):
            each = [*changes(table[column])]
            for how, changed in each[place % len(each) :][:1] if kind in SLOW else each:
                tables = result.tables | {name: table.assign(**{column: changed})}
                report = run.check(instance, replace(result, tables=tables))
                unseen += [] if report.violations else [f"{name}.{column}, {how}"]
    assert unseen == []


@pytest.mark.everyday("compliance", "infeasible", "pathway")
@pytest.mark.parametrize("kind", KINDS)
def test_a_column_of_the_users_own_is_named_and_changes_nothing(kind: str) -> None:
    instance, result = solved(kind)
    # Names begin alike for all of a user's columns; this one is in no instance.
    tables = {name: table.assign(x_approved="yes", x_part=0.5) for name, table in result.tables.items()}
    report = run.check(instance, replace(result, tables=tables))
    assert report.violations == ()
    own = {f"{name}.{column}" for name in tables for column in ("x_approved", "x_part")}
    assert own <= {*report.not_proven}


@pytest.mark.everyday("compliance", "infeasible")
@pytest.mark.parametrize("kind", KINDS)
def test_columns_that_only_memory_can_hold_are_refused(kind: str) -> None:
    instance, result = solved(kind)
    for name, table in result.tables.items():
        column = table.columns[-1]
        for wrong in (pd.concat([table, table[[column]]], axis=1), table.assign(**{column: 1 + 2j})):
            report = run.check(instance, replace(result, tables=result.tables | {name: wrong}))
            assert [one.where for one in report.violations] == [f"{name}.{column}"]


@pytest.mark.everyday("investment within budgets")
@pytest.mark.parametrize("kind", KINDS)
def test_every_table_that_is_dropped_or_has_a_row_twice_is_refused(kind: str) -> None:
    instance, result = solved(kind)
    unseen = []
    for name, table in result.tables.items():
        without = {other: kept for other, kept in result.tables.items() if other != name}
        dropped = run.check(instance, replace(result, tables=without))
        # Fairness follows from other tables, and runs of many units state none.
        unseen += [] if dropped.violations or name == "fairness" else [f"{name} dropped"]
        if len(table):
            twice = result.tables | {name: pd.concat([table, table.tail(1)], ignore_index=True)}
            unseen += [] if run.check(instance, replace(result, tables=twice)).violations else [f"{name} twice"]
    assert unseen == []


@pytest.mark.everyday("infeasible", "two conflicts", "reconciliation")
@pytest.mark.parametrize(
    "kind",
    [
        "tiny",
        "infeasible",
        "two conflicts",
        "compliance",
        "reconciliation",
        "review plan",
        "clearing",
        "missing",
        "investment",
    ],
)
def test_a_cell_of_another_kind_is_refused_and_no_crash(kind: str) -> None:
    instance, result = solved(kind)
    others: tuple[object, ...] = ([1], {}, "x", 7, True)
    unseen, number = [], 0
    for name, table in result.tables.items():
        for column in table.columns if len(table) else ():
            cells = table[column].astype(object).copy()
            number += 1
            cells.iat[-1] = cell = others[number % len(others)]
            tables = result.tables | {name: table.assign(**{column: cells})}
            # A truth is a one, and a column of one row is then of that kind.
            same = table[column].iloc[-1] in (1, 7) and isinstance(cell, int)
            if not same and not run.check(instance, replace(result, tables=tables)).violations:
                unseen.append(f"{name}.{column}: {cell}")
    assert unseen == []


@pytest.mark.everyday("tiny")
@pytest.mark.parametrize("kind", ["tiny", "clearing"])
def test_a_cell_that_is_absent_is_no_crash(kind: str) -> None:
    instance, result = solved(kind)
    for name, table in result.tables.items():
        for column in table.columns if len(table) else ():
            cells = table[column].astype(object).copy()
            cells.iat[-1] = None
            report = run.check(
                instance, replace(result, tables=result.tables | {name: table.assign(**{column: cells})})
            )
            # An absent text is an empty one, in files too.
            assert report.violations or table[column].iloc[-1] in ("", None) or pd.isna(table[column].iloc[-1]), column


@pytest.mark.parametrize("table_format", ["csv", "parquet"])
def test_the_users_own_columns_of_any_type_pass_a_run_folder(tmp_path: Path, table_format: str) -> None:
    """Numbers, texts that are numbers, and cells without either, of units and of enterprises."""
    units = etsopt.read("tiny").units
    own = {
        "x_size": [1, 2, 3],
        "x_share": [0.5, np.nan, 7.0],
        "x_code": ["007", "8", ""],
        "x_open": [True, False, True],
    }
    enterprises = pd.DataFrame({"enterprise_id": sorted(set(units["enterprise_id"]))})
    enterprises = enterprises.assign(opening_2025_t=5.0, x_rank=np.arange(len(enterprises)) + 1)
    policy = etsopt.read("tiny").policy.model_dump(mode="json", exclude_none=True)
    instance = etsopt.Instance.from_frames(units.assign(**own), policy, enterprises=enterprises)
    result = etsopt.solve(instance)
    assert result.certified
    if table_format == "parquet":
        pytest.importorskip("pyarrow")
    result.save(tmp_path / "run", instance, table_format)
    saved, held = load_both(tmp_path / "run")
    report = run.check(held, saved)
    assert report.violations == ()
    assert report.certified
