"""Statements on allowances themselves: their bounds, exceptions and rows, inside and outside of what is let off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.allocation import statements
from etsopt.checking.allocation.limits import Demands, derive
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.checking.verdict import Violation
from tests.builders import given
from tests.checking.allocation.test_statements import JUST, changed, made, wrong


def by_hand(whole: bool = False, **allocation: Any) -> tuple[etsopt.Instance, Demands, pd.DataFrame]:
    """Units with bands of 10 t, of which the last is fixed at its emissions."""
    rows = [(name, name, "cement", "p", 1000.0, 1000.0) for name in "abc"] + [("d", "d", "cement", "p", 1.5, 1.0)]
    policy = {
        "sectors": {"cement": {"band": 0.01, "target_t": 3000.0}},
        "rule": {"name": "given", "threshold_tco2e": 10.0},
        "allocation": {"integer_allowances": whole, **allocation},
    }
    instance = given(rows, policy)
    # The emissions are 1.5 t.
    due = 2.0
    table = pd.DataFrame(
        {
            "unit_id": list("abcd"),
            "allowance_t": [990.0, 1000.0, 1010.0, due],
            "reference_t": [990.0, 1000.0, 1010.0, due],
            "before_rounding_t": [990.0, 1000.0, 1010.0, due],
            "at_bound": ["lower", "", "upper", "fixed"],
            "exceptional": False,
        }
    )
    return instance, derive(InstanceInputs.of(instance)), table


Statement = Callable[[etsopt.Instance, Demands, pd.DataFrame], list[Violation]]
FIXED = np.array([False, False, False, True])


@pytest.mark.parametrize(
    ("statement", "place", "column", "tolerance", "whole"),
    [
        (
            lambda i, d, t: statements.fixed_get_emissions(InstanceInputs.of(i), t, d.fixed, True),
            3,
            "allowance_t",
            1e-3,
            False,
        ),
        (
            lambda i, d, t: statements.fixed_get_emissions(InstanceInputs.of(i), t, d.fixed, True),
            3,
            "allowance_t",
            1e-3,
            True,
        ),
        (lambda i, d, t: statements.integer_allowances(d, t), 1, "allowance_t", 0.0, True),
        (lambda i, d, t: statements.not_moved(t), 1, "allowance_t", 0.0, False),
        (lambda i, d, t: statements.not_moved(t), 1, "before_rounding_t", 0.0, False),
        (lambda i, d, t: statements.allowances_follow_rule(t), 1, "allowance_t", 1e-3, False),
        (lambda i, d, t: statements.allowances_follow_rule(t), 1, "reference_t", 1e-3, False),
    ],
)
def test_an_allowance_may_be_off_by_its_tolerance(
    statement: Statement, place: int, column: str, tolerance: float, whole: bool
) -> None:
    instance, demands, table = by_hand(whole)
    assert statement(instance, demands, table) == []
    for sign in (1, -1):
        assert statement(instance, demands, changed(table, place, column, sign * tolerance * (1 - JUST))) == []
        outside = changed(table, place, column, sign * (tolerance * (1 + JUST) + 1e-9))
        assert [violation.where for violation in statement(instance, demands, outside)] == ["abcd"[place]]


def test_real_allowances_need_not_be_whole_and_other_units_than_fixed_ones_need_not_get_their_emissions() -> None:
    instance, demands, table = by_hand()
    assert statements.integer_allowances(demands, changed(table, 1, "allowance_t", 0.5)) == []
    moved = changed(table, 1, "allowance_t", 0.5)
    assert statements.fixed_get_emissions(InstanceInputs.of(instance), moved, demands.fixed, True) == []


@pytest.mark.parametrize(("place", "sign"), [(0, -1.0), (2, 1.0)])
def test_a_unit_may_leave_its_band_by_a_kilogram(place: int, sign: float) -> None:
    _, demands, table = by_hand()
    assert statements.inside_band(demands, changed(table, place, "allowance_t", sign * 0.999e-3)) == []
    found = statements.inside_band(demands, changed(table, place, "allowance_t", sign * 1.001e-3))
    assert wrong(found) == [("inside_band", "abcd"[place])]
    assert statements.inside_band(demands, changed(table, place, "allowance_t", -sign * 1.0)) == []
    assert statements.inside_band(demands, changed(table, 3, "allowance_t", 99.0)) == []


def test_at_bound_names_the_bound_within_a_kilogram() -> None:
    instance, demands, table = by_hand()
    assert statements.bounds_are_named(InstanceInputs.of(instance), demands, table) == []
    for place, by, named in (
        (0, 0.999e-3, "lower"),
        (0, 1.001e-3, ""),
        (0, -1.0, "lower"),
        (2, -0.999e-3, "upper"),
        (2, -1.001e-3, ""),
        (2, 1.0, "upper"),
        (3, 5.0, "fixed"),
    ):
        for name in ("lower", "upper", "fixed", "", "other"):
            cells = table["at_bound"].tolist()
            cells[place] = name
            other = changed(table, place, "allowance_t", by).assign(at_bound=cells)
            assert (statements.bounds_are_named(InstanceInputs.of(instance), demands, other) == []) is (name == named)
    missing = table.assign(at_bound=pd.Series(["lower", None, "upper", "fixed"], dtype=object))
    assert statements.bounds_are_named(InstanceInputs.of(instance), demands, missing) == []
    # Where a band is a point its lower end is named, and one outside the scope stands at none.
    point = replace(demands, lower=demands.upper.copy())
    cells = table.assign(allowance_t=[1010.0, 1000.0, 1010.0, 1.5], at_bound=["lower", "lower", "lower", "fixed"])
    assert statements.bounds_are_named(InstanceInputs.of(instance), point, cells) == []
    upper = cells.assign(at_bound=["upper", "lower", "lower", "fixed"])
    assert len(statements.bounds_are_named(InstanceInputs.of(instance), point, upper)) == 1


def test_one_outside_the_scope_stands_at_no_bound() -> None:
    instance, tables = made()
    table, demands = tables["allocation"], derive(InstanceInputs.of(instance))
    assert statements.bounds_are_named(InstanceInputs.of(instance), demands, table) == []
    outside = int(np.flatnonzero(~instance.in_scope)[0])
    assert table["at_bound"].fillna("")[outside] == ""
    named = table["at_bound"].fillna("").tolist()
    named[outside] = "fixed"
    assert len(statements.bounds_are_named(InstanceInputs.of(instance), demands, table.assign(at_bound=named))) == 1


def test_no_more_units_are_exceptions_than_are_allowed_and_none_of_them_is_fixed() -> None:
    instance, demands, table = by_hand(exceptions={"units": 1, "lower": 0.1, "upper": 0.1})
    for chosen, optimised, amounts in (
        ([], True, []),
        ([1], True, []),
        ([1], False, [1.0]),
        ([0, 1], True, [1.0]),
        ([3], True, [1.0]),
        ([0, 1, 3], True, [2.0, 1.0]),
    ):
        exceptional = np.isin(np.arange(4), chosen)
        found = statements.exceptions_are_allowed(
            InstanceInputs.of(instance), demands.fixed, table.assign(exceptional=exceptional), optimised
        )
        assert [violation.amount for violation in found] == amounts


def test_a_row_may_be_missed_by_its_tolerance_and_the_largest_miss_comes_first() -> None:
    _, demands, table = by_hand()
    assert statements.rows_are_met(demands, changed(table, 1, "allowance_t", 0.0199)) == []
    found = statements.rows_are_met(demands, changed(table, 1, "allowance_t", 0.0201))
    assert wrong(found) == [("sector_target", "cement")]
    assert found[0].unit == "t"
    instance = given(
        [(name, name, "cement", "p", 1000.0, 1000.0) for name in "abc"],
        {"sectors": {"cement": {"target_t": 3000.0}}, "national": {"target_t": 2000.0}},
    )
    both = statements.rows_are_met(derive(InstanceInputs.of(instance)), table.head(3).assign(allowance_t=1010.0))
    assert [violation.where for violation in both] == ["nation", "cement"]
    assert [violation.amount for violation in both] == pytest.approx([1030.0, 30.0])
