"""Rows that conflict: none of them can be left out, which every subset shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from etsopt.modelling.solving.conflict import conflicting_rows
from etsopt.modelling.solving.options import SolveOptions
from tests.checking.test_program import INF, program, random_program

if TYPE_CHECKING:
    from etsopt.modelling.program.program import Program


def has_point(asked: Program, rows: list[int]) -> bool:
    """Return True if a point keeps some rows, by scipy."""
    limits = LinearConstraint(asked.matrix.toarray()[rows], asked.row_lower[rows], asked.row_upper[rows])
    bounds = Bounds(asked.column_lower, asked.column_upper)
    costs = np.zeros(len(asked.column_lower))
    found = milp(costs, constraints=[limits] if rows else [], integrality=asked.integer, bounds=bounds)
    return bool(found.success)


def test_two_of_three_rows_conflict() -> None:
    limits = [(25.0, INF), (-INF, 3.0), (-INF, 9.0)]
    asked = program([[1, 1], [1, 0], [0, 1]], limits, [(0, 20), (0, 20)], {"none": [0, 0]})
    rows, least = conflicting_rows(asked, SolveOptions())
    assert least
    # 3 t and 20 t are too little; 20 t and 9 t would be enough.
    assert rows.tolist() == [0, 1]


@pytest.mark.everyday("True")
@pytest.mark.parametrize("whole", [False, True])
def test_no_row_can_be_left_out(whole: bool) -> None:
    tried = 0
    for seed in range(200):
        asked = random_program(seed, whole)
        if has_point(asked, [*range(len(asked.row_lower))]):
            continue
        found, least = conflicting_rows(asked, SolveOptions())
        assert least
        tried, rows = tried + 1, found.tolist()
        assert not has_point(asked, rows)
        assert all(has_point(asked, [one for one in rows if one != row]) for row in rows)
    assert tried > 30
