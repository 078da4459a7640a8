"""The checker is not blind: start from a right result, break one thing, and exactly the rule that says so fires."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.allocation import statements, totals
from etsopt.checking.allocation.limits import derive
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.rules.fairness import fairness_table
from etsopt_models._allocation.tables import allocation_tables
from tests.builders import given, moved, random_instance
from tests.judging import check

if TYPE_CHECKING:
    from etsopt.checking import Verdict
    from etsopt.running.results.results import Results

Tables = dict[str, pd.DataFrame]
Mutation = Callable[[Tables], None]
TOTALS = (("enterprises", "enterprise_id"), ("sectors", "sector"), ("provinces", "province"))
CHECKED_BY_SUM = ("emissions_tco2e", "reference_t", "allowance_t", "surplus_t")


@dataclass(frozen=True)
class Stated:
    """A level as a result states it."""

    name: str
    value: float


@cache
def solved(name: str) -> tuple[etsopt.Instance, Results]:
    """A right result to break: by hand, or random with every feature of a policy."""
    instance = etsopt.read("tiny") if name == "tiny" else _everything()
    result = etsopt.solve(instance)
    assert result.certified, result.violations
    return instance, result


def _everything() -> etsopt.Instance:
    order = ["largest_change", "deficit", "change", "spread"]
    instance = random_instance(0, 24, band_on="enterprise", intensity_order=True, objectives=order)
    # Under the plan of 2026 a new line is a special case; test_rules_by_year looks at the scope of 2025.
    changes = {"sectors.steel.target_sense": "exactly", "provinces.balance": 0.008, "rule.name": "cn-2026"}
    return instance.with_policy(changes)


def copied(result: Results) -> Tables:
    return {name: table.copy() for name, table in result.tables.items()}


def stated(result: Results) -> list[Stated]:
    return [Stated(level.name, level.value) for level in result.levels]


def consistent(tables: Tables, instance: etsopt.Instance | None = None) -> Tables:
    """The totals of a broken table of allocations, added up right, and with an instance its fairness."""
    table = tables["allocation"]
    if instance is not None and pd.api.types.is_numeric_dtype(table["reference_t"]):
        tables["fairness"] = fairness_table(instance, *table[["reference_t", "allowance_t"]].to_numpy(dtype=float).T)
    for name, key in TOTALS:
        groups = table.groupby(key)
        for column in (*CHECKED_BY_SUM, "pre_allocated_t", "top_up_t", "return_t"):
            if column in tables[name]:
                tables[name][column] = tables[name][key].map(groups[column].sum())
        for side in ("lower", "upper", "fixed"):
            counts = (table["at_bound"] == side).groupby(table[key]).sum()
            tables[name][f"units_{side}"] = tables[name][key].map(counts)
        tables[name]["surplus_rate"] = tables[name]["surplus_t"] / tables[name]["emissions_tco2e"]
    return tables


def rules(report: Verdict) -> set[str]:
    return {violation.rule for violation in report.violations}


def restated(instance: etsopt.Instance, tables: Tables, levels: list[Stated]) -> Verdict:
    """Check again with every level stated as its broken allowances have it, so that only what remains wrong fires."""
    report = check(instance, tables, levels)
    return check(instance, tables, [Stated(level.name, level.value) for level in report.levels])


def free_unit(tables: Tables) -> int:
    """Position of a unit that is neither fixed nor at a bound, with something left to top up."""
    table = tables["allocation"]
    return int(np.flatnonzero((table["at_bound"] == "") & (table["top_up_t"] > 20))[0])


def cell(table: str, column: str, change: Callable[[Any], object]) -> Mutation:
    """Change one cell: of a free unit in the table of allocations, of the first row elsewhere."""

    def mutate(tables: Tables) -> None:
        row = free_unit(tables) if table == "allocation" else 0
        values = tables[table][column].astype(object).to_list()
        values[row] = change(values[row])
        tables[table][column] = values

    return mutate


def both(*parts: Mutation) -> Mutation:
    def mutate(tables: Tables) -> None:
        for part in parts:
            part(tables)

    return mutate


def by(tonnes: float) -> Callable[[float], float]:
    return lambda value: value + tonnes


def rows(change: Callable[[pd.DataFrame], pd.DataFrame], table: str = "allocation") -> Mutation:
    def mutate(tables: Tables) -> None:
        tables[table] = change(tables[table]).reset_index(drop=True)

    return mutate


def missing(value: float) -> float:
    return float("nan")


@pytest.fixture(params=["tiny", "everything"])
def right(request: pytest.FixtureRequest) -> tuple[etsopt.Instance, Results]:
    return solved(request.param)


def test_the_instance_with_everything_has_every_feature() -> None:
    instance, result = solved("everything")
    table, duals = result.tables["allocation"], result.tables["duals"]
    assert set(table["at_bound"]) >= {"", "fixed"}
    assert (table["return_t"] > 0).any()
    assert (table["top_up_t"] > 0).any()
    assert {*statements.ROW_IN_WORDS, "largest_change_covers"} - set(duals["row"]) == {"enterprise_band"}
    assert {name for name, _ in row_names(instance)} == set(statements.ROW_IN_WORDS)


def row_names(instance: etsopt.Instance) -> list[tuple[str, str]]:
    found = derive(InstanceInputs.of(instance)).rows
    return list(zip(found.rule, found.index, strict=True))


def test_a_right_result_breaks_no_rule(right: tuple[etsopt.Instance, Results]) -> None:
    instance, result = right
    report = check(instance, result.tables, result.levels)
    assert report.certified
    assert not report.violations
    assert [level.name for level in report.levels] == [level.name for level in result.levels]


# What the table of allocations says of its units.

CELLS: dict[str, tuple[Mutation, set[str]]] = {
    "a unit is missing": (rows(lambda table: table.iloc[1:]), {"same_units"}),
    "a unit stands there twice": (rows(lambda table: table.iloc[[0, *range(len(table))]]), {"same_units"}),
    "units are in another order": (rows(lambda table: table.iloc[::-1]), {"same_units"}),
    "a unit has another name": (cell("allocation", "unit_id", lambda name: f"{name}x"), {"same_units"}),
    "a unit has another owner": (cell("allocation", "enterprise_id", lambda name: f"{name}x"), {"same_units"}),
    "a unit is in another sector": (cell("allocation", "sector", lambda name: "power"), {"same_units"}),
    "a unit is in another province": (cell("allocation", "province", lambda name: "Nowhere"), {"same_units"}),
    "emissions are wrong": (cell("allocation", "emissions_tco2e", by(1)), {"same_units"}),
    "emissions are no number": (cell("allocation", "emissions_tco2e", missing), {"tables"}),
    "a reference is wrong": (cell("allocation", "reference_t", by(10)), {"reference_follows_rule", "change"}),
    "a change is wrong": (cell("allocation", "change_t", by(10)), {"change"}),
    "a surplus is wrong": (cell("allocation", "surplus_t", by(10)), {"surplus"}),
    "a surplus is no number": (cell("allocation", "surplus_t", missing), {"tables"}),
    "a surplus rate is wrong": (cell("allocation", "surplus_rate", by(1e-6)), {"surplus_rate"}),
    "a surplus rate is no number": (cell("allocation", "surplus_rate", missing), {"surplus_rate"}),
    "a bound is named at which no unit stands": (
        cell("allocation", "at_bound", lambda name: "lower"),
        {"bounds_are_named"},
    ),
    "a free unit is called fixed": (cell("allocation", "at_bound", lambda name: "fixed"), {"bounds_are_named"}),
    "more is topped up than due": (cell("allocation", "top_up_t", by(10)), {"issuance"}),
    "less is topped up than due": (cell("allocation", "top_up_t", by(-10)), {"issuance"}),
    "more is owed than issued": (cell("allocation", "return_t", by(10)), {"issuance"}),
    "the same is topped up and owed": (
        both(cell("allocation", "top_up_t", by(10)), cell("allocation", "return_t", by(10))),
        {"issuance"},
    ),
    "a true-up is no number": (cell("allocation", "top_up_t", missing), {"tables"}),
    "more was issued in advance": (
        both(cell("allocation", "pre_allocated_t", by(10)), cell("allocation", "top_up_t", by(-10))),
        {"pre_allocation"},
    ),
    "an allowance is no number": (cell("allocation", "allowance_t", missing), {"tables"}),
    "a reference is no number": (cell("allocation", "reference_t", missing), {"tables"}),
    "an intensity is wrong": (cell("allocation", "intensity", by(1e-6)), {"intensity"}),
    "a balance value is wrong": (cell("sectors", "balance_value", lambda v: v * (1 + 2e-8)), {"balance_value"}),
    "the end of a balance value is wrong": (
        cell("sectors", "balance_value_upper", lambda v: v * (1 + 1e-6)),
        {"balance_value"},
    ),
    "a balance value is no number": (
        cell("sectors", "balance_value", missing),
        {"balance_value", "reference_follows_rule"},
    ),
    "the sense of a target is wrong": (
        cell("sectors", "target_sense", lambda sense: "exactly" if sense == "at_most" else "at_most"),
        {"targets_are_stated"},
    ),
    "what a target leaves is wrong": (cell("sectors", "under_target_t", by(10)), {"targets_are_stated"}),
    "the balance of a province is wrong": (cell("provinces", "balance_limit_t", by(10)), {"balances_are_stated"}),
    "a price of a sector is wrong": (cell("sectors", "change_shadow_price", by(1)), {"prices_are_stated"}),
    "a price of a province is no number": (
        cell("provinces", "largest_change_shadow_price", missing),
        {"prices_are_stated"},
    ),
    "the unit of a multiplier is wrong": (cell("duals", "unit", lambda unit: "CNY/t"), {"prices_are_stated"}),
    "a multiplier is no number": (cell("duals", "multiplier", missing), {"tables"}),
    "a multiplier is infinite": (cell("duals", "multiplier", lambda v: float("inf")), {"tables"}),
    "a number is text": (rows(lambda table: table.assign(allowance_t="many")), {"tables"}),
    "a target is wrong": (cell("sectors", "target_t", by(10)), {"targets_are_stated"}),
    "a target is no number": (cell("sectors", "target_t", missing), {"targets_are_stated"}),
}


@pytest.mark.parametrize("what", CELLS)
def test_one_wrong_cell_is_named(what: str, right: tuple[etsopt.Instance, Results]) -> None:
    mutate, expected = CELLS[what]
    instance, result = right
    tables = copied(result)
    mutate(tables)
    if not expected & {"same_units", "tables"}:
        consistent(tables, instance)
    report = restated(instance, tables, stated(result))
    assert rules(report) == expected
    assert not report.certified


@pytest.mark.everyday("everything-more-enterprises-reference_t")
@pytest.mark.parametrize("column", CHECKED_BY_SUM)
@pytest.mark.parametrize("name", [name for name, _ in TOTALS])
@pytest.mark.parametrize("change", [by(10), by(-10), missing], ids=["more", "less", "no number"])
def test_a_wrong_total_is_named(
    name: str, column: str, change: Callable[[float], float], right: tuple[etsopt.Instance, Results]
) -> None:
    instance, result = right
    tables = copied(result)
    cell(name, column, change)(tables)
    report = check(instance, tables, result.levels)
    assert rules(report) == {"tables" if change is missing else "totals_add_up"}
    assert not report.certified


@pytest.mark.parametrize("name", [name for name, _ in TOTALS])
def test_a_total_that_is_missing_or_one_too_many_is_named(name: str, right: tuple[etsopt.Instance, Results]) -> None:
    instance, result = right
    key = dict(TOTALS)[name]
    tables = copied(result)
    extra = tables[name].iloc[[0]].assign(**{key: "nobody"})
    tables[name] = pd.concat([tables[name], extra], ignore_index=True)
    assert "totals_add_up" in rules(check(instance, tables, result.levels))
    tables = copied(result)
    tables[name] = tables[name].iloc[1:].reset_index(drop=True)
    assert "totals_add_up" in rules(check(instance, tables, result.levels))
    tables = copied(result)
    tables[name] = tables[name].iloc[[0, *range(len(tables[name]))]].reset_index(drop=True)
    assert "totals_add_up" in rules(check(instance, tables, result.levels))


@pytest.mark.parametrize("name", ["allocation", "enterprises", "sectors", "provinces", "duals"])
def test_a_missing_table_is_a_violation_and_no_crash(name: str, right: tuple[etsopt.Instance, Results]) -> None:
    instance, result = right
    tables = copied(result)
    del tables[name]
    report = check(instance, tables, result.levels)
    assert not report.certified


def every_column() -> list[tuple[str, str]]:
    tables = solved("everything")[1].tables
    return [(name, str(column)) for name, table in tables.items() for column in table.columns]


@pytest.mark.parametrize(("name", "column"), every_column())
def test_a_missing_column_is_a_violation_and_no_crash(name: str, column: str) -> None:
    instance, result = solved("everything")
    tables = copied(result)
    tables[name] = tables[name].drop(columns=column)
    report = check(instance, tables, result.levels)
    assert not report.certified
    assert report.violations


def every_number() -> list[tuple[str, str]]:
    tables = solved("everything")[1].tables
    return [
        (name, column)
        for name, column in every_column()
        if pd.api.types.is_numeric_dtype(tables[name][column].dtype) and name != "duals"
    ]


@pytest.mark.parametrize(
    ("name", "column"), [(name, column) for name, columns in totals.TEXTS.items() for column in columns]
)
@pytest.mark.parametrize("cell", [5, True], ids=["a number", "a truth"])
def test_a_cell_that_is_no_text_is_a_violation_and_no_crash(name: str, column: str, cell: object) -> None:
    instance, result = solved("everything")
    tables = copied(result)
    for count in (1, len(tables[name])):
        cells = tables[name][column].astype(object)
        cells.iloc[:count] = cell
        report = check(instance, {**tables, name: tables[name].assign(**{column: cells})}, stated(result))
        assert [violation.where for violation in report.violations] == [f"{name}.{column}"]


@pytest.mark.everyday("allocation-intensity-a little more")
@pytest.mark.parametrize("value", [1e-5, np.nan], ids=["a little more", "no number"])
@pytest.mark.parametrize(("name", "column"), every_number())
def test_every_number_of_every_table_is_checked(name: str, column: str, value: float) -> None:
    """In one row at least where the number is there; by a relative 1e-5, or gone."""
    instance, result = solved("everything")
    tables = copied(result)
    numbers = tables[name][column].to_numpy(dtype=float).copy()
    row = int(np.nanargmax(np.abs(numbers)))
    numbers[row] += value * max(abs(numbers[row]), 1.0)
    tables[name][column] = numbers
    report = check(instance, tables, result.levels)
    assert report.violations
    assert not report.certified


# What the rule says of special cases, and of an allocation that nobody optimised.


def test_a_special_case_that_gets_more_than_its_emissions_is_named() -> None:
    instance, result = solved("everything")
    tables = copied(result)
    table = tables["allocation"]
    row = int(np.flatnonzero(table["at_bound"] == "fixed")[0])
    for column in ("allowance_t", "surplus_t"):
        table.loc[row, column] += 10
    table.loc[row, "surplus_rate"] = table.loc[row, "surplus_t"] / table.loc[row, "emissions_tco2e"]
    table.loc[row, "top_up_t"] = max(table.loc[row, "allowance_t"] - table.loc[row, "pre_allocated_t"], 0)
    table.loc[row, "return_t"] = max(table.loc[row, "pre_allocated_t"] - table.loc[row, "allowance_t"], 0)
    report = check(instance, consistent(tables, instance), result.levels)
    assert rules(report) == {"fixed_get_emissions", "change"}


def test_the_rule_alone_gives_every_unit_its_reference() -> None:
    instance = solved("everything")[0].with_policy({"national": {}})
    result = etsopt.solve(instance, "balance_value")
    assert result.certified
    tables = copied(result)
    table = tables["allocation"]
    row = int(np.flatnonzero((table["at_bound"] == "") & (table["top_up_t"] > 20))[0])
    for column in ("allowance_t", "surplus_t", "top_up_t"):
        table.loc[row, column] += 10
    table.loc[row, "surplus_rate"] = table.loc[row, "surplus_t"] / table.loc[row, "emissions_tco2e"]
    consistent(tables, instance)
    tables["sectors"]["under_target_t"] -= 10.0 * (tables["sectors"]["sector"] == table.loc[row, "sector"])
    report = check(instance, tables, (), kind="balance_value")
    assert rules(report) == {"allowances_follow_rule", "change"}


def test_an_allocation_that_stopped_before_its_first_level_is_checked_against_its_limits() -> None:
    instance, result = solved("tiny")
    tables = moved(instance, result, {"north-2": 10.0})
    without_prices(tables, "change", "largest_change", "least_squares")
    assert rules(check(instance, tables, ())) == {"sector_target"}


# What couples units: each kind of row, broken on either side where it has two.

BAND = {"sectors": {"cement": {"band": 0.1, "target_change": 0.05}}}


def four_units(policy: dict[str, object], intensity: tuple[float, ...] = (0.7, 0.8, 0.9, 1.0)) -> etsopt.Instance:
    """Four lines of two enterprises in two provinces, whose references are their emissions."""
    emissions = (100_000.0, 200_000.0, 300_000.0, 400_000.0)
    units = [
        (f"u{number}", "a" if number < 2 else "b", "cement", "North" if number % 2 else "South", e, e)
        for number, e in enumerate(emissions)
    ]
    output = [e / i for e, i in zip(emissions, intensity, strict=True)]
    return given(units, {**BAND, **policy}, output_t=output)


def with_target(**target: object) -> dict[str, object]:
    return {"sectors": {"cement": {"band": 0.1, **target}}}


ENTERPRISE: dict[str, object] = {
    "sectors": {"cement": {"band": 0.0, "target_change": 0.0}},
    "allocation": {"band_on": "enterprise"},
}
FAIR: dict[str, object] = {"allocation": {"intensity_order": True}}

ROWS: dict[str, tuple[dict[str, object], tuple[float, ...], dict[str, float], str]] = {
    "a sector above its target": (with_target(target_change=0.0), (1, 2, 3, 4), {"u0": 10.0}, "sector_target"),
    "a sector below its exact target": (
        with_target(target_change=0.0, target_sense="exactly"),
        (1, 2, 3, 4),
        {"u0": -10.0},
        "sector_target",
    ),
    "a province above its balance": (
        {"provinces": {"balance": 0.0}},
        (1, 2, 3, 4),
        {"u1": 10.0},
        "province_balance",
    ),
    "a province below its balance": (
        {"provinces": {"balance": {"South": 0.0}}},
        (1, 2, 3, 4),
        {"u2": -10.0},
        "province_balance",
    ),
    "a nation above its total": (
        {"national": {"target_change": 0.0}},
        (1, 2, 3, 4),
        {"u3": 10.0},
        "national_total",
    ),
    "a nation below its exact total": (
        {"national": {"target_change": 0.0, "target_sense": "exactly"}},
        (1, 2, 3, 4),
        {"u3": -10.0},
        "national_total",
    ),
    "an enterprise above its band": (
        {**ENTERPRISE, "sectors": {"cement": {"band": 0.0, "target_change": 0.5}}},
        (1, 2, 3, 4),
        {"u0": 10.0},
        "enterprise_band",
    ),
    "an enterprise below its band": (ENTERPRISE, (1, 2, 3, 4), {"u3": -10.0}, "enterprise_band"),
    "a unit above its band": (
        {"sectors": {"cement": {"band": 0.0, "target_change": 0.5}}},
        (1, 2, 3, 4),
        {"u2": 10.0},
        "inside_band",
    ),
    "a unit below its band": ({"sectors": {"cement": {"band": 0.0}}}, (1, 2, 3, 4), {"u2": -10.0}, "inside_band"),
    "a better unit below a worse one": (FAIR, (1, 2, 3, 4), {"u1": -10.0, "u0": 10.0}, "intensity_order"),
    "two of the same intensity apart": (FAIR, (1, 1, 3, 4), {"u0": 10.0}, "equal_rates"),
}


@pytest.mark.everyday("a province below its balance")
@pytest.mark.parametrize("what", ROWS)
def test_a_broken_row_is_named(what: str) -> None:
    policy, intensity, move, rule = ROWS[what]
    instance = four_units(policy, intensity)
    result = etsopt.solve(instance)
    assert result.certified, result.violations
    report = restated(instance, moved(instance, result, move), stated(result))
    assert rules(report) == {rule}
    assert not report.certified


def test_each_kind_of_row_is_broken_above() -> None:
    assert {rule for *_, rule in ROWS.values()} == {*statements.ROW_IN_WORDS, "inside_band"}


def test_a_negative_allowance_is_named() -> None:
    instance = four_units({**BAND, "allocation": {"band_on": "enterprise"}})
    result = etsopt.solve(instance)
    report = restated(instance, moved(instance, result, {"u0": -100_010.0, "u1": 100_010.0}), stated(result))
    assert "not_negative" in rules(report)


# What the levels say.


def test_a_level_stated_too_high_or_too_low_is_named(right: tuple[etsopt.Instance, Results]) -> None:
    instance, result = right
    for number, level in enumerate(result.levels):
        for factor in (1 + 1e-3, 1 - 1e-3, np.nan, np.inf):
            levels = stated(result)
            levels[number] = Stated(level.name, level.value * factor)
            report = check(instance, result.tables, levels)
            assert [(item.rule, item.where) for item in report.violations] == [("level_is_kept", level.name)]
            assert not report.certified


def test_levels_in_another_order_are_named(right: tuple[etsopt.Instance, Results]) -> None:
    instance, result = right
    levels = stated(result)
    report = check(instance, result.tables, [levels[1], levels[0], *levels[2:]])
    assert rules(report) == {"levels"}
    assert not report.certified
    assert rules(check(instance, result.tables, [*levels, levels[0]])) == {"levels"}
    assert rules(check(instance, result.tables, [Stated("other", 0.0), *levels[1:]])) == {"levels"}


def test_a_level_that_was_not_solved_is_not_certified(right: tuple[etsopt.Instance, Results]) -> None:
    instance, result = right
    tables = without_prices(copied(result), "least_squares")
    report = check(instance, tables, stated(result)[:-1])
    assert not report.violations
    assert not report.certified
    assert [level.certified for level in report.levels] == [True] * (len(result.levels) - 1) + [False]


def without_prices(tables: Tables, *levels: str) -> Tables:
    """Tables without the multipliers of some levels."""
    tables["duals"] = tables["duals"][~tables["duals"]["level"].isin(levels)].reset_index(drop=True)
    for name in ("sectors", "provinces"):
        gone = [f"{level}_shadow_price" for level in levels]
        tables[name] = tables[name].drop(columns=[column for column in gone if column in tables[name]])
    return tables


def multipliers(result: Results) -> list[int]:
    """Rows of the table of duals that prove something: that is, whose multiplier is not lost in rounding."""
    duals = result.tables["duals"]
    largest = duals.groupby("level")["multiplier"].transform(lambda column: column.abs().max())
    coupling = duals["row"] != "largest_change_covers"
    return [int(row) for row in np.flatnonzero((duals["multiplier"].abs() > 1e-4 * largest) & coupling)]


@pytest.mark.everyday("everything-turned", "tiny-doubled")
@pytest.mark.parametrize("change", [lambda v: -v, lambda v: 0 * v, lambda v: 2 * v], ids=["turned", "gone", "doubled"])
def test_a_wrong_price_of_a_target_takes_the_certificate_of_its_level(
    change: Callable[[float], float], right: tuple[etsopt.Instance, Results]
) -> None:
    instance, result = right
    chosen = multipliers(result)
    assert len(chosen) >= 4
    for row in chosen:
        tables = copied(result)
        duals = tables["duals"]
        if duals.loc[row, "row"] in ("intensity_order", "equal_rates"):
            continue
        duals.loc[row, "multiplier"] = change(duals.loc[row, "multiplier"])
        report = check(instance, tables, result.levels)
        level = next(level for level in report.levels if level.name == duals.loc[row, "level"])
        if not level.certified:
            continue
        # Prices are not always unique: then the bound must still be one.
        assert level.bound <= level.value + level.tolerance, duals.loc[row]
        assert is_degenerate(instance, result, row), duals.loc[row]


def is_degenerate(instance: etsopt.Instance, result: Results, row: int) -> bool:
    """Whether a level has other prices that prove as much: that of this row may then be something else."""
    tables = copied(result)
    duals = tables["duals"]
    duals.loc[row, "multiplier"] *= 1 + 1e-3
    report = check(instance, tables, result.levels)
    return next(level for level in report.levels if level.name == duals.loc[row, "level"]).certified


TINY_PRICES = [("change", "sector_target", "cement"), ("change", "province_balance", "South")]


@pytest.mark.parametrize("change", [lambda v: -v, lambda v: 0 * v, lambda v: 2 * v])
@pytest.mark.parametrize("key", TINY_PRICES)
def test_a_wrong_price_of_the_hand_solved_instance_opens_a_gap(
    key: tuple[str, str, str], change: Callable[[float], float]
) -> None:
    instance, result = solved("tiny")
    tables = copied(result)
    duals = tables["duals"]
    row = int(np.flatnonzero((duals[["level", "row", "index"]] == list(key)).all(axis=1))[0])
    duals.loc[row, "multiplier"] = change(duals.loc[row, "multiplier"])
    report = check(instance, tables, result.levels)
    assert not report.levels[0].certified
    assert not report.certified


def test_a_price_on_a_side_that_does_not_exist_proves_nothing() -> None:
    instance = four_units(FAIR).with_policy({"sectors.cement.target_change": -0.01})
    result = etsopt.solve(instance)
    assert result.certified
    gaps = []
    for multiplier in (-1e9, 0.0):
        tables = copied(result)
        price = {"level": "change", "row": "intensity_order", "index": "u0", "multiplier": multiplier, "unit": "t/rate"}
        tables["duals"] = pd.DataFrame([price])
        level = check(instance, tables, result.levels).levels[0]
        assert level.value > 1
        assert not level.certified
        gaps.append(level.gap)
    assert gaps[0] == gaps[1]


def test_without_prices_no_level_is_certified() -> None:
    instance, result = solved("tiny")
    tables = without_prices(copied(result), "change", "largest_change", "least_squares")
    report = check(instance, tables, result.levels)
    assert not report.violations
    assert not any(level.certified for level in report.levels)


# Feasible, but not the best.


def test_a_feasible_allocation_that_is_not_the_best_has_a_gap() -> None:
    instance, result = solved("tiny")
    report = restated(instance, moved(instance, result, {"north-1": -10.0}), stated(result))
    assert not report.violations
    assert report.levels[0].gap == pytest.approx(10.0)
    assert not report.levels[0].certified


def test_a_worse_second_level_has_a_gap_and_the_first_has_none() -> None:
    instance, result = solved("tiny")
    # Line 1 falls by 2,600 t and line 2 by 3,400 t: the change is the same, the largest rate 0.026.
    tables = moved(instance, result, {"north-1": -1100.0, "north-2": 1100.0})
    report = restated(instance, tables, stated(result))
    assert not report.violations
    assert [level.certified for level in report.levels] == [True, False, False]
    assert report.levels[1].gap == pytest.approx(0.006)


def test_a_last_step_moved_by_ten_tonnes_among_the_optima_loses_its_certificate() -> None:
    instance, result = solved("tiny")
    report = restated(instance, moved(instance, result, {"north-1": -10.0, "north-2": 10.0}), stated(result))
    assert not report.violations
    assert [level.certified for level in report.levels] == [True, True, False]


@pytest.mark.parametrize("size", [1e5, 1e7])
def test_a_last_step_moved_by_ten_tonnes_is_seen_in_units_of_any_size(size: float) -> None:
    units = [(f"u{k}", f"e{k}", "cement", "North", size, size) for k in range(3)]
    instance = given(units, {"sectors": {"cement": {"band": 0.1, "target_change": -0.01}}})
    result = etsopt.solve(instance)
    assert result.certified
    report = restated(instance, moved(instance, result, {"u0": -10.0, "u1": 10.0}), stated(result))
    assert not report.violations
    assert [level.name for level in report.levels if not level.certified] == ["least_squares"] or not report.levels[
        1
    ].certified


@pytest.mark.everyday("tiny")
def test_each_unit_moved_by_ten_tonnes_loses_the_certificate(right: tuple[etsopt.Instance, Results]) -> None:
    instance, result = right
    table = result.tables["allocation"]
    for unit in table["unit_id"][table["at_bound"] != "fixed"]:
        for tonnes in (10.0, -10.0):
            report = restated(instance, moved(instance, result, {unit: tonnes}), stated(result))
            assert not report.certified


# The instance itself.


def test_a_result_of_another_policy_is_not_certified() -> None:
    instance, result = solved("tiny")
    for change, rule in (
        ({"sectors.cement.target_change": -0.006}, "sector_target"),
        ({"provinces.balance": 0.009}, "province_balance"),
        ({"sectors.cement.band": 0.012}, "inside_band"),
        ({"national": {"target_t": 557_100.0}}, "national_total"),
        ({"rule.slope": 0.2}, "balance_value"),
        ({"rule.threshold_tco2e": 200_000.0}, "fixed_get_emissions"),
        ({"allocation.objectives": ["largest_change", "change"]}, "levels"),
    ):
        report = check(instance.with_policy(change), result.tables, result.levels)
        assert rule in rules(report), change
        assert not report.certified


def test_a_result_of_other_emissions_is_not_certified() -> None:
    instance, result = solved("tiny")
    units = instance.units.assign(emissions_tco2e=instance.units["emissions_tco2e"] + [0.0, 0.0, 1.0])
    assert rules(check(replace(instance, units=units), result.tables, result.levels)) == {"same_units"}


def test_a_result_of_other_output_is_not_certified() -> None:
    instance, result = solved("tiny")
    units = instance.units.assign(output_t=instance.units["output_t"] * [1.0, 1.001, 1.0])
    found = rules(check(replace(instance, units=units), result.tables, result.levels))
    assert {"reference_follows_rule", "balance_value"} <= found


def test_what_the_user_states_of_units_and_enterprises_is_as_it_was_given() -> None:
    instance = given([("a", "e", "cement", "North", 1e6, 1e6)], {"sectors": {"cement": {"band": 0.1}}}, x_note=["seen"])
    enterprises = pd.DataFrame({"enterprise_id": ["e"], "opening_2025_t": [20.0], "x_owner": ["state"]})
    instance = replace(instance, enterprises=enterprises)
    result = etsopt.solve(instance)
    assert check(instance, result.tables, result.levels).certified
    for table, column, value in (
        ("allocation", "x_note", "unseen"),
        ("enterprises", "opening_2025_t", 21.0),
        ("enterprises", "x_owner", ""),
    ):
        tables = copied(result)
        tables[table][column] = value
        assert rules(check(instance, tables, result.levels)) == {"as_given"}


# Infeasibility and its proof.


@cache
def infeasible() -> tuple[etsopt.Instance, Results]:
    instance = etsopt.read("tiny").with_policy({"sectors.cement.target_change": -0.04})
    return instance, etsopt.solve(instance)


def test_the_proof_of_infeasibility_stands_on_its_prices() -> None:
    instance, result = infeasible()
    assert check(instance, result.tables, ()).certified
    for change in (lambda v: 0 * v, lambda v: -v, lambda v: v * np.nan):
        tables = copied(result)
        tables["duals"]["multiplier"] = change(tables["duals"]["multiplier"])
        assert not check(instance, tables, ()).certified


def test_prices_prove_nothing_where_an_allocation_exists() -> None:
    _, result = infeasible()
    tables = copied(result)
    report = check(etsopt.read("tiny"), tables, ())
    assert not report.certified


@pytest.mark.nightly
def test_rounding_alone_proves_no_infeasibility() -> None:
    """The only allocation stands at its lower bounds and meets its target exactly, but for the last digit of a sum."""
    random = np.random.default_rng(5)
    proofs = []
    for _ in range(200):
        emissions = random.uniform(1e5, 1e7, 5)
        units = [(f"u{k}", f"e{k}", "cement", "North", e, e) for k, e in enumerate(emissions)]
        lowest = sum(float(e - 0.1 * e) for e in reversed(emissions))
        policy = {"sectors": {"cement": {"band": 0.1, "target_t": lowest}}}
        dual = {"level": "target_relaxation", "row": "sector_target", "index": "cement", "multiplier": -1.0}
        report = check(given(units, policy), {"duals": pd.DataFrame([dual | {"unit": "t/t"}])}, ())
        assert report.infeasible_by_t is not None
        proofs.append(report.infeasible_by_t)
        assert not report.certified
    assert max(proofs) == 0


def test_a_price_above_one_is_cut_and_proves_no_more_than_is_missing() -> None:
    instance, result = infeasible()
    tables = copied(result)
    tables["duals"]["multiplier"] *= 5
    report = check(instance, tables, ())
    assert report.infeasible_by_t is not None
    assert report.infeasible_by_t <= (result.infeasible_by_t or 0.0) + 1e-6


def test_nothing_at_all_is_not_certified() -> None:
    report = check(etsopt.read("tiny"), {}, ())
    assert report.status == "infeasible_unproven"
    assert not report.certified


# Whole allowances and exceptions.


@cache
def whole_with_exceptions() -> tuple[etsopt.Instance, Results]:
    """Three whole units; without an exception the target lacks 10 t, and with one 10 t are to spare.

    One of 300 t may fall to 270 instead of 285, so the larger of the two is the exception. `d` is fixed.
    """
    rows = [
        ("a", "a", "cement", "North", 200.0, 200.0),
        ("b", "b", "cement", "North", 300.0, 300.0),
        ("c", "c", "cement", "South", 100.0, 100.0),
        ("d", "d", "cement", "South", 50.0, 50.0),
    ]
    policy = {
        "sectors": {"cement": {"band": 0.05, "target_t": 560.0}},
        "allocation": {"integer_allowances": True, "exceptions": {"units": 1, "lower": 0.1, "upper": 0.05}},
    }
    instance = given(rows, policy, special_case=["", "", "", "new"])
    result = etsopt.solve(instance)
    assert result.certified
    table = result.tables["allocation"]
    assert table["exceptional"].tolist() == [False, True, False, False]
    return instance, result


def set_exceptional(*chosen: bool) -> Mutation:
    return rows(lambda table: table.assign(exceptional=list(chosen)))


def part_of_a_tonne(tables: Tables) -> None:
    table = tables["allocation"]
    for row, tonnes in ((1, 1e-4), (0, -1e-4)):
        for column in ("allowance_t", "surplus_t", "top_up_t"):
            table.loc[row, column] += tonnes
    table["surplus_rate"] = table["surplus_t"] / table["emissions_tco2e"]
    consistent(tables)


WHOLE: dict[str, tuple[Mutation, str]] = {
    "an allowance is not whole": (part_of_a_tonne, "integer_allowances"),
    "another unit is called the exception": (set_exceptional(True, False, False, False), "inside_band"),
    "no unit is called the exception": (set_exceptional(False, False, False, False), "inside_band"),
    "more units are exceptions than are allowed": (set_exceptional(True, True, False, False), "exceptions_are_allowed"),
    "a fixed unit is an exception": (set_exceptional(False, False, False, True), "exceptions_are_allowed"),
    "the exceptions are not named": (rows(lambda table: table.drop(columns="exceptional")), "tables"),
    "the exceptions are numbers": (rows(lambda table: table.assign(exceptional=1.0)), "tables"),
}


@pytest.mark.parametrize("what", WHOLE)
def test_what_is_wrong_with_whole_allowances_and_exceptions_is_found(what: str) -> None:
    instance, result = whole_with_exceptions()
    change, rule = WHOLE[what]
    tables = copied(result)
    change(tables)
    report = check(instance, tables, result.levels)
    assert rule in rules(report)
    assert not report.certified


def test_a_smaller_exception_that_would_do_as_well_is_not_certified() -> None:
    instance, result = whole_with_exceptions()
    # Both may fall by 10 t more than their band lets them: a from 190 to 180, b from 285 to 270.
    allowance, exceptional = np.array([180.0, 285.0, 95.0]), np.array([True, False, False])
    tables = allocation_tables(instance, allowance, [], exceptional)
    tables["duals"] = result.tables["duals"]
    report = check(instance, tables, stated(result))
    size = next(level for level in report.levels if level.name == "exception_size")
    assert (size.value, size.bound) == (100.0, 0.0)
    assert not size.certified


def test_a_gap_is_certified_only_where_it_was_asked_for() -> None:
    instance, result = whole_with_exceptions()
    tables = copied(result)
    duals = tables["duals"]
    # Without a price nothing bounds the change but zero.
    duals.loc[duals["level"] == "change", "multiplier"] *= 0.99
    for gap, certified in ((0.001, False), (0.05, True)):
        change = next(level for level in check(instance, tables, stated(result), gap).levels if level.name == "change")
        assert change.gap > change.tolerance
        assert change.certified is certified
        assert not change.optimal


def test_a_real_answer_that_was_moved_without_rounding_is_found() -> None:
    changes = {"allocation.intensity_order": True, "allocation.integer_allowances": True}
    instance = etsopt.read("tiny").with_policy(changes)
    result = etsopt.solve(instance)
    assert result.status == "certified_rounded"
    assert result.rounded_by_t is not None
    tables = copied(result)
    tables["allocation"]["before_rounding_t"] += 0.25
    # Without the level that rounds, real allowances are all that a result may hold.
    report = check(instance, tables, result.levels[:-1])
    assert "not_moved" in rules(report)
    assert not report.certified


# Nothing is left out.


HELPERS = ("advance", "imbalance_t", "may_lack", "tables_are_whole")
"""Public functions of the statements that state nothing themselves."""


def test_every_statement_is_broken_by_a_test_of_this_file() -> None:
    """Each public function of the statements makes violations of named rules; each name is expected somewhere here."""
    source = Path(__file__).read_text(encoding="utf-8").split("# Nothing is left out.")[0]
    functions = [
        node
        for module in (statements, totals)
        for node in ast.parse(inspect.getsource(module)).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and node.name not in HELPERS
    ]
    named = set()
    for function in functions:
        texts = {node.value for node in ast.walk(function) if isinstance(node, ast.Constant)}
        names = {name for name in RULES if name in texts}
        names |= set(statements.ROW_IN_WORDS) if function.name == "rows_are_met" else set()
        assert names, f"{function.name} names no rule of RULES"
        named |= names
    assert named == RULES | set(statements.ROW_IN_WORDS)
    assert not [name for name in named if f'"{name}"' not in source]


RULES = {
    "same_units",
    "surplus",
    "surplus_rate",
    "issuance",
    "not_negative",
    "pre_allocation",
    "reference_follows_rule",
    "balance_value",
    "fixed_get_emissions",
    "allowances_follow_rule",
    "integer_allowances",
    "not_moved",
    "exceptions_are_allowed",
    "inside_band",
    "bounds_are_named",
    "totals_add_up",
    "targets_are_stated",
    "balances_are_stated",
    "prices_are_stated",
    "intensity",
    "as_given",
}


def test_a_stray_price_cannot_make_a_wrong_allocation_certified() -> None:
    """A price of 1e-7 would pin the first level's optima if its gap of 4 g were taken for zero."""
    size = 1e6
    units = pd.DataFrame(
        {
            "unit_id": ["a", "b", "c", "d"],
            "enterprise_id": ["a", "b", "c", "d"],
            "sector": "cement",
            "province": ["N", "N", "S", "S"],
            "emissions_tco2e": size,
            "reference_t": size,
        }
    )
    policy = {
        "year": 2025,
        "rule": {"name": "given"},
        "sectors": {"cement": {"band": 0.03, "target_change": -0.01}},
        "provinces": {"balance": 0.02},
    }
    instance = etsopt.Instance.from_frames(units, policy)
    assert etsopt.solve(instance).levels[1].value == pytest.approx(0.01)
    stray = {"sector_target": np.array([-1.0]), "province_balance": np.array([1e-7, 0.0])}
    weights = {"sector_target": np.array([-0.5e-6]), "largest_change_covers": np.array([0.0, 0.0, -0.5e-6, -0.5e-6])}
    levels = [
        SimpleNamespace(name="change", unit="t", value=40_000.0, multipliers=stray, proofs=()),
        SimpleNamespace(name="largest_change", unit="rate", value=0.02, multipliers=weights, proofs=()),
        SimpleNamespace(name="least_squares", unit="t", value=800.0, multipliers={}, proofs=()),
    ]
    wrong = np.array([1.0, 1.0, 0.98, 0.98]) * size
    report = check(instance, allocation_tables(instance, wrong, levels), levels)
    assert not report.violations
    assert report.levels[0].certified
    assert not report.levels[1].certified
    assert not report.certified


def test_references_a_tonne_off_are_noticed_on_every_unit() -> None:
    instance = etsopt.read("cn-2025")
    tables = dict(etsopt.solve(instance, "balance_value").tables)
    allocation = tables["allocation"].copy()
    allocation["reference_t"] += 1.0
    tables["allocation"] = allocation
    report = check(instance, tables, (), kind="balance_value")
    assert sum(item.rule == "reference_follows_rule" for item in report.violations) == len(allocation)
