"""Multipliers as the table states them: each of a row of the program, once, with its sign."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from etsopt.checking.allocation.duals import KEPT, LARGEST_CHANGE_COVERS, Stated, read_duals, table_of_kept
from etsopt.checking.allocation.limits import derive
from etsopt.checking.readings.instance_inputs import InstanceInputs
from tests.builders import given

ROWS = [(name, name, "cement", "p", 1000.0, 1000.0) for name in "abc"]
NAMES = ["largest_change", "change", "least_squares"]
RIGHT: list[tuple[str, str, object, float]] = [
    ("largest_change", "sector_target", "cement", 2.0),
    ("largest_change", LARGEST_CHANGE_COVERS, "a", -0.125),
    ("largest_change", LARGEST_CHANGE_COVERS, "b", -0.5),
    ("largest_change", LARGEST_CHANGE_COVERS, "c", -0.25),
    ("change", "sector_target", "cement", 3.0),
    ("change", LARGEST_CHANGE_COVERS, "a", -9.0),
    ("change", KEPT, "largest_change", -7.0),
    ("least_squares", KEPT, "change", -5.0),
]


def read(lines: list[tuple[str, str, object, float]]) -> tuple[Stated, list[str]]:
    instance = given(ROWS, {"sectors": {"cement": {"target_change": 0.0}}})
    duals = pd.DataFrame(lines, columns=["level", "row", "index", "multiplier"])
    stated, found = read_duals(InstanceInputs.of(instance), duals, derive(InstanceInputs.of(instance)).rows, NAMES)
    assert all(violation.rule == "duals" and violation.amount == 1.0 for violation in found)
    return stated, [violation.where for violation in found]


def test_multipliers_are_read_by_level_with_those_of_units_and_levels_less_their_sign() -> None:
    stated, wrong = read(RIGHT)
    assert wrong == []
    assert {name: price.tolist() for name, price in stated.duals.items()} == {
        "largest_change": [2.0],
        "change": [3.0],
        "least_squares": [0.0],
    }
    assert stated.weights.tolist() == [0.125, 0.5, 0.25]
    assert stated.kept == {("change", "largest_change"): 7.0, ("least_squares", "change"): 5.0}


def test_a_table_without_kept_levels_says_of_none() -> None:
    stated, wrong = read([RIGHT[0], ("exceptions:2", "sector_target", "cement", 8.0)])
    assert wrong == []
    assert stated.kept is None
    assert stated.duals["exceptions:2"].tolist() == [8.0]


@pytest.mark.parametrize(
    "line",
    [
        ("change", "sector_target", "steel", 1.0),
        ("change", "nothing", "cement", 1.0),
        ("change", LARGEST_CHANGE_COVERS, "aa", 1.0),
        ("change", LARGEST_CHANGE_COVERS, "d", 1.0),
        ("change", "sector_target", "a", 1.0),
        ("change", KEPT, "change", 1.0),
        ("change", KEPT, "least_squares", 1.0),
        ("unknown", KEPT, "change", 1.0),
        ("unknown", KEPT, "largest_change", 1.0),
        ("unknown", KEPT, "unknown", 1.0),
        ("change", KEPT, "unknown", 1.0),
    ],
)
def test_a_multiplier_of_no_row_is_found(line: tuple[str, str, object, float]) -> None:
    stated, wrong = read([RIGHT[0], line])
    assert wrong == [f"{line[0]}, {line[1]} {line[2]}"]
    assert stated.weights.tolist() == [0.0] * 3


def test_a_multiplier_that_is_stated_twice_is_found() -> None:
    _, wrong = read([*RIGHT, RIGHT[2]])
    assert wrong == [f"largest_change, {LARGEST_CHANGE_COVERS} b"]


def test_without_units_nothing_names_one() -> None:
    instance = given(ROWS, {"sectors": {"cement": {"target_change": 0.0}}})
    rows = derive(InstanceInputs.of(instance)).rows
    empty = replace(instance, units=instance.units.head(0))
    duals = pd.DataFrame([RIGHT[2]], columns=["level", "row", "index", "multiplier"])
    _, found = read_duals(InstanceInputs.of(empty), duals, rows, NAMES)
    assert len(found) == 1


def test_kept_levels_are_written_as_they_are_read() -> None:
    kept = {("change", "largest_change"): 7.0}
    table = table_of_kept(kept, {"change": "t", "largest_change": "rate"})
    assert table.to_numpy().tolist() == [["change", KEPT, "largest_change", -7.0, "t/rate"]]
    assert table.columns.tolist() == ["level", "row", "index", "multiplier", "unit"]
    assert np.isfinite(table["multiplier"]).all()
