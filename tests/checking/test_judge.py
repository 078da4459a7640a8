"""The order of checks: what comes first ends the check where nothing after it can be read, and nothing crashes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.judge import _values_are_kept
from etsopt.checking.verdict import LevelCheck, Violation
from tests import investments, outlooks, reconciliations, review_plans
from tests.builders import given
from tests.judging import check
from tests.markets import market

if TYPE_CHECKING:
    from collections.abc import Mapping


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
        rules = {violation.rule for violation in report.violations}
        # Without the cost nothing is wrong, and nothing of the market is proven.
        assert rules == (set() if levels == (first,) else {"levels"})
        assert not report.certified
    assert check(instance, results.tables, results.levels, kind="clearing").violations == ()


def test_a_proof_of_infeasibility_needs_the_way_out_that_it_is_of() -> None:
    instance = etsopt.read("tiny").with_policy({"sectors.cement.target_change": -0.5})
    result = etsopt.solve(instance)
    assert result.status == "infeasible_certified"
    units = result.tables["relaxed_units"].drop(columns="target_relaxation_allowance_t")
    found = check(instance, result.tables | {"relaxed_units": units}, ()).violations
    assert [one.where for one in found] == ["relaxed_units.target_relaxation_allowance_t"]


@dataclass(frozen=True)
class Stated:
    name: str
    value: float


@cache
def allocated(
    exceptions: int = 0, integer: bool = False, target: float = 5850.0
) -> tuple[etsopt.Instance, etsopt.Results]:
    """Two units of cement that have 150 t less than their references."""
    rows = [("a", "a", "cement", "p", 2000.0, 2000.0), ("b", "b", "cement", "p", 4000.0, 4000.0)]
    allocation: dict[str, Any] = {"objectives": ["change"], "integer_allowances": integer}
    if exceptions:
        allocation["exceptions"] = {"units": exceptions, "lower": 0.3, "upper": 0.3}
    policy = {"sectors": {"cement": {"band": 0.1, "target_t": target}}, "allocation": allocation}
    instance = given(rows, policy)
    return instance, etsopt.solve(instance)


def levels_of(results: etsopt.Results) -> list[Stated]:
    return [Stated(level.name, level.value) for level in results.levels]


def test_an_infeasibility_of_real_allowances_is_checked_with_their_limits_though_whole_ones_lack_more() -> None:
    # Bands and balance leave cement 35.473 t, 38 kg above its target. The order of rates may be missed by as much, so
    # nothing is proven; whole tonnes lack a whole one.
    units = [
        ("u0", "e2", "steel", "S", 13.3, 13.791766),
        ("u1", "e2", "steel", "S", 13.3, 13.791766),
        ("u2", "e0", "cement", "S", 38.6, 36.210287),
    ]
    policy = {
        "sectors": {
            "cement": {"band": 0.1, "target_change": -0.082},
            "steel": {"band": 0.1, "target_change": -0.005},
        },
        "provinces": {"balance": 0.05},
        "allocation": {"band_on": "enterprise", "intensity_order": True, "integer_allowances": True},
    }
    instance = given(units, policy, output_t=[14.0, 14.8, 38.6])
    result = etsopt.solve(instance)
    assert (result.status, result.infeasible_by_t, result.violations) == ("infeasible_unproven", None, ())
    report = etsopt.check(instance, result)
    assert (report.violations, report.tolerated) == ((), True)
    assert report.infeasible_by_t == pytest.approx(0.0382, abs=1e-9)


def test_objectives_are_those_of_the_policy_in_order() -> None:
    instance, results = allocated()
    assert check(instance, results.tables, levels_of(results)).violations == ()
    report = check(instance, results.tables, levels_of(results)[::-1])
    message = "the objectives are, in order: change, least_squares"
    assert report.violations == (Violation("levels", "least_squares, change", 1.0, "levels", message),)
    assert not any(level.unit for level in report.levels)
    # Without the last the others are checked, and nothing of it is proven.
    change, tie_break = check(instance, results.tables, levels_of(results)[:1]).levels
    assert (change.certified, tie_break.name, tie_break.certified) == (True, "least_squares", False)
    assert (tie_break.bound, tie_break.gap, tie_break.tolerance) == (-np.inf, np.inf, 0.0)
    # Without a gap of the solve none counts.
    assert change.asked == 0.0


def test_an_objective_is_that_of_the_allowances_within_both_tolerances() -> None:
    level = LevelCheck("change", "t", 0.0, 0.0, 0.0, 0.03)
    assert _values_are_kept([Stated("change", 0.05)], {"change": level}) == []
    message = "the objective recomputed from the tables is 0"
    wanted = [Violation("level_is_kept", "change", 0.0625, "t", message)]
    assert _values_are_kept([Stated("change", -0.0625)], {"change": level}) == wanted


@pytest.mark.parametrize(("exceptions", "integer", "asked"), [(0, False, 1e-8), (0, True, 0.5), (1, False, 0.5)])
def test_the_gap_of_the_solve_counts_for_whole_tonnes_and_exceptions(
    exceptions: int, integer: bool, asked: float
) -> None:
    instance, results = allocated(exceptions, integer)
    report = check(instance, results.tables, levels_of(results), gap=0.5)
    change = next(level for level in report.levels if level.name == "change")
    assert change.value == pytest.approx(150.0)
    assert change.asked == asked * change.value
    # A smaller gap counts as it is.
    report = check(instance, results.tables, levels_of(results), gap=1e-9)
    assert next(level for level in report.levels if level.name == "change").asked == 1e-9 * change.value


def test_multipliers_of_an_infeasibility_are_tonnes_by_tonnes() -> None:
    instance, results = allocated(target=5000.0)
    tables: Mapping[str, pd.DataFrame] = results.tables
    report = check(instance, tables, ())
    assert (report.violations, report.certified) == ((), True)
    wrong = check(instance, {**tables, "duals": tables["duals"].assign(unit="t/rate")}, ())
    assert {violation.rule for violation in wrong.violations} == {"prices_are_stated"}


def test_an_allocation_without_duals_ends_the_check_of_its_market() -> None:
    tables = {name: table for name, table in solved()[1].tables.items() if name != "duals"}
    instance, results = solved()
    report = check(instance, tables, results.levels, kind="clearing")
    assert {(violation.rule, violation.where) for violation in report.violations} == {("tables", "duals")}


def test_a_table_that_states_another_value_dual_or_price_is_refused() -> None:
    instance, results = allocated()
    tables, levels = dict(results.tables), levels_of(results)
    duals = tables["duals"]
    twice = {**tables, "duals": pd.concat([duals, duals], ignore_index=True)}
    assert "duals" in {violation.rule for violation in check(instance, twice, levels).violations}
    forged = [Stated(levels[0].name, levels[0].value + 1.0), *levels[1:]]
    assert {violation.rule for violation in check(instance, tables, forged).violations} == {"level_is_kept"}
    priced = {**tables, "sectors": tables["sectors"].assign(change_shadow_price=7.0)}
    assert {violation.rule for violation in check(instance, priced, levels).violations} == {"prices_are_stated"}


def test_the_largest_miss_is_that_of_a_unit_or_of_a_row() -> None:
    instance, results = allocated()
    allocation = results.tables["allocation"]
    for allowances, miss in (([1800.0, 4400.0005], 350.0005), ([1799.0, 4000.0], 1.0)):
        tables = {**results.tables, "allocation": allocation.assign(allowance_t=allowances)}
        assert check(instance, tables, levels_of(results)).misses_t == pytest.approx(miss)


def test_the_unmet_demand_is_that_of_its_table_within_its_tolerance() -> None:
    instance, results = solved(short=True)
    *others, unmet = levels_of(results)
    assert unmet.name == "unmet_demand"
    for off, refused in ((0.0, False), (1.0, True)):
        stated = [*others, Stated(unmet.name, unmet.value + off)]
        violations = check(instance, results.tables, stated, kind="clearing").violations
        assert [(violation.rule, violation.where) for violation in violations] == [
            ("level_is_kept", "unmet_demand")
        ] * refused


@pytest.mark.parametrize(
    ("model", "instance", "table", "column"),
    [
        ("review_plan", review_plans.by_hand(), "review_days", "covered_tco2e"),
        ("reconciliation", reconciliations.by_hand(), "reconciled_quantities", "reconciled"),
        ("outlook", outlooks.by_hand(), "outlook_years", "price_cny_per_t"),
        ("investment", investments.by_hand(), "scenario_years", "price_cny_per_t"),
    ],
)
def test_each_model_is_judged_by_its_own_room(model: str, instance: etsopt.Instance, table: str, column: str) -> None:
    right = etsopt.solve(instance, model)
    assert check(instance, right.tables, right.levels, gap=1e-4, kind=model).certified
    rows = right.tables[table]
    wrong = {**right.tables, table: rows.assign(**{column: rows[column] + 1.0})}
    report = check(instance, wrong, right.levels, gap=1e-4, kind=model)
    assert not report.certified
    assert report.violations
