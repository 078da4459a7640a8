"""Every number of an equilibrium just inside and outside its tolerance, and what is said of sectors without one."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.equilibrium import equilibrium
from etsopt.checking.equilibrium.equilibrium import COLUMNS, SUMMED, check_equilibrium
from etsopt.checking.readings.instance_inputs import InstanceInputs
from tests.models.test_equilibrium import CYCLE, TWO, sector

if TYPE_CHECKING:
    from etsopt.checking.verdict import Violation

    Tables = dict[str, pd.DataFrame]

COUNTED = {"tables", "columns", "rows", "cells", "measures"}
"""Units of violations without a size, of which each counts one."""

RULES: dict[str, Any] = {"rule": {"balance_value_decimals": 3}, "market": {"paid_share": 0.1}}


@cache
def solved(name: str = "two") -> tuple[etsopt.Instance, Tables]:
    """A sector with two fixed points, one with rounded balance values and a paid share, or one that goes round."""
    if name == "cycle":
        instance = sector(*CYCLE)
    else:
        instance = sector(TWO, [(1, 0.1, 170e3)], 100.0, **(RULES if name == "rounded" else {}))
    return instance, dict(etsopt.solve(instance, "equilibrium").tables)


def violations_of(name: str, tables: Tables) -> list[Violation]:
    instance, right = solved(name)
    violations = check_equilibrium(InstanceInputs.of(instance), right | tables)
    assert all(violation.amount == 1.0 for violation in violations if violation.unit in COUNTED)
    return violations


def found(name: str = "two", **tables: pd.DataFrame) -> list[str]:
    return [violation.rule for violation in violations_of(name, tables)]


def changed(table: str, column: str, row: int, cell: Any, name: str = "two") -> list[str]:
    """What is found where a number is added to a cell, or another text stands there."""
    _, right = solved(name)
    made = right[table].copy()
    if isinstance(cell, float):
        made[column] = made[column].astype(float)
        made.loc[row, column] += cell
    else:
        made[column] = made[column].astype(object)
        made.loc[row, column] = cell
    return found(name, **{table: made})


@pytest.mark.parametrize("name", ["two", "rounded"])
def test_a_right_equilibrium_breaks_nothing(name: str) -> None:
    assert found(name) == []


def test_that_there_is_no_fixed_point_is_said_of_a_sector_that_goes_round() -> None:
    assert found("cycle") == [equilibrium.NO_FIXED_POINT]
    assert "sectors" in changed("equilibrium", "cycle_length", 0, 1.0, "cycle")


@pytest.mark.parametrize("column", SUMMED)
def test_totals_of_a_sector_are_those_of_its_units(column: str) -> None:
    _, right = solved()
    tolerance = 2e-2 + 1e-9 * right["units"][column].abs().sum()
    for sign in (1.0, -1.0):
        assert changed("equilibrium", column, 0, sign * 0.999 * tolerance) == []
        assert changed("equilibrium", column, 0, sign * 1.001 * tolerance) == ["totals_add_up"]


@pytest.mark.parametrize(
    ("column", "least"),
    [
        ("emissions_tco2e", 2e-2),
        ("allowance_t", 2e-2),
        ("surplus_t", 2e-2),
        ("allowances_cost_cny", 1.0),
        ("total_cost_cny", 1.0),
        ("measures_cost_cny", 1.0),
        ("marginal_incentive_cny_per_t", 1e-6),
        ("marginal_incentive_elsewhere_cny_per_t", 1e-6),
        ("emissions_before_tco2e", 2e-2),
        ("auctioned_t", 2e-2),
    ],
)
@pytest.mark.parametrize("name", ["two", "rounded"])
def test_what_a_unit_does_follows_from_its_measures(column: str, least: float, name: str) -> None:
    _, right = solved(name)
    tolerance = least + 1e-9 * abs(right["units"][column][1])
    assert "units" not in changed("units", column, 1, 0.99 * tolerance, name)
    assert "units" in changed("units", column, 1, 1.01 * tolerance, name)


def test_the_intensity_and_the_residual_are_those_of_the_answer() -> None:
    _, right = solved()
    intensity, total = right["units"]["intensity"][0], right["units"]["emissions_tco2e"].sum()
    for sign in (1.0, -1.0):
        assert changed("units", "intensity", 0, sign * 0.99e-9 * intensity) == []
        assert "units" in changed("units", "intensity", 0, sign * 1.01e-9 * intensity)
        residual = 2e-2 + 1e-9 * total
        assert changed("equilibrium", "residual_t", 0, sign * 0.999 * residual) == []
        assert changed("equilibrium", "residual_t", 0, sign * 1.001 * residual) == ["residual"]


def test_at_its_balance_value_a_sector_balances_and_that_before_is_without_abatement() -> None:
    _, right = solved()
    value, before = (right["equilibrium"][name][0] for name in ("balance_value", "balance_value_before"))
    for sign in (1.0, -1.0):
        assert changed("equilibrium", "balance_value_before", 0, sign * 0.99e-9 * before) == []
        assert changed("equilibrium", "balance_value_before", 0, sign * 1.01e-9 * before) == ["sectors"]
        assert changed("equilibrium", "balance_value_before", 0, sign * 0.99 * 5e-4, "rounded") in ([], ["sectors"])
        assert "balance_value" in changed("equilibrium", "balance_value", 0, sign * 1e-6 * value)
    assert "balance_value" in changed("equilibrium", "balance_value", 0, 1e-9, "rounded")


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("status", "fixed point"),
        ("status", "cycle"),
        ("fixed_points", 1.0),
        ("cycle_length", 1.0),
        ("price_cny_per_t", 1e-9),
        ("obtained", "the only one"),
        ("obtained", "every unit gets its emissions"),
    ],
)
def test_what_is_said_of_a_sector_is_what_the_other_tables_say(column: str, cell: Any) -> None:
    assert "sectors" in changed("equilibrium", column, 0, cell)


@pytest.mark.parametrize(
    ("measures", "rule"), [("m0 m0", "measures"), ("m1", "measures"), ("", "best_response"), ("m0", "measures")]
)
def test_measures_are_on_offer_taken_once_and_the_best(measures: str, rule: str) -> None:
    _, right = solved()
    taken = right["units"]["measures"].tolist()
    row = 0 if measures == "m0" else 1
    other = "m0" if not taken[1] and not measures else measures
    assert rule in changed("units", "measures", row, other) or taken[1] == other


def test_an_intensity_may_be_off_by_rounding_alone() -> None:
    labels = np.array(["a", "b"], dtype=object)
    stated = pd.DataFrame({"intensity": [1.0 + 0.99e-9, 1.0 + 1.01e-9]})
    wrong = list(equilibrium._intensities(labels, stated, np.array([1.0, 1.0])))
    assert [violation.where for violation in wrong] == ["b"]
    assert list(equilibrium._intensities(labels, stated, np.full(2, np.nan))) == []


def wheres(tables: Tables) -> list[tuple[str, str]]:
    return [(violation.rule, violation.where) for violation in violations_of("two", tables)]


def test_tables_and_their_columns_are_there() -> None:
    instance, right = solved()
    for name in COLUMNS:
        without = {other: table for other, table in right.items() if other != name}
        broken: list[Violation] = check_equilibrium(InstanceInputs.of(instance), without)
        assert [(violation.where, violation.amount) for violation in broken] == [(name, 1.0)]
        for column in COLUMNS[name]:
            assert wheres({name: right[name].drop(columns=column)})
        other_year = right[name].assign(year=2031)
        if len(other_year):
            assert ("tables", name) in wheres({name: other_year})


def test_rows_are_those_of_the_units_and_sectors_in_their_order() -> None:
    _, right = solved()
    units = right["units"]
    for wrong in (
        units.iloc[::-1],
        units.assign(province="x"),
    ):
        assert {rule for rule, _ in wheres({"units": wrong.reset_index(drop=True)})} == {"same_rows"}
    more = pd.concat([right["equilibrium"]] * 2, ignore_index=True)
    assert {rule for rule, _ in wheres({"equilibrium": more})} == {"same_rows"}
