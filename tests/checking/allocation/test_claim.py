"""Multipliers that a solve states as arrays, by the rows of the checker."""

from __future__ import annotations

import numpy as np

from etsopt.checking.allocation.claim import ArrayMultipliers
from tests.checking.allocation.small import rows_over

ROWS = rows_over([[0], [1], [0, 1]], [0.0] * 3, [1.0] * 3, "sector_target")


def read(rows: list[tuple[str, str]], **duals: list[float]) -> tuple[dict[str, list[float]], list[tuple[str, str]]]:
    stated = ArrayMultipliers(rows, {name: np.array(own) for name, own in duals.items()}, np.zeros(2))
    found, violations = stated.read(ROWS, ["change", "spread"])
    assert found.weights.tolist() == [0.0, 0.0]
    return {name: own.tolist() for name, own in found.duals.items()}, [(one.where, one.rule) for one in violations]


def test_multipliers_go_to_their_rows_in_any_order_and_those_of_one_row_are_added() -> None:
    rows = [("sector_target", "row 2"), ("sector_target", "row 0"), ("sector_target", "row 2")]
    found, violations = read(rows, change=[1.0, 2.0, 4.0])
    assert found == {"change": [2.0, 0.0, 5.0], "spread": [0.0, 0.0, 0.0]}
    assert violations == []


def test_a_multiplier_of_no_row_is_refused_unless_it_is_zero() -> None:
    rows = [("sector_target", "row 7"), ("province_balance", "row 1"), ("sector_target", "row 0")]
    found, violations = read(rows, change=[3.0, 0.0, 1.0], spread=[0.0, 0.0, 1.0])
    assert found == {"change": [1.0, 0.0, 0.0], "spread": [1.0, 0.0, 0.0]}
    assert violations == [("change, sector_target row 7", "duals")]


def test_a_further_proof_of_an_objective_is_read_as_well() -> None:
    found, _ = read([("sector_target", "row 1")], **{"change": [1.0], "change:2": [5.0]})
    assert found["change:2"] == [0.0, 5.0, 0.0]
