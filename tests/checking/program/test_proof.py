"""Parts of the proof of a program by hand: rows that are missed, and boxes without a point."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from etsopt.checking.program.bounds import Box, Rows
from etsopt.checking.program.proof import _has_no_point, _missed
from etsopt.solving.proving import alone
from tests.checking.test_program import HAND, INF, program


def missed(limit: float, x: list[float], most: float, least: float = -INF) -> list[tuple[str, float, bool]]:
    """Rule and amount of what an answer to ``x0 - x1`` within limits misses, and whether bounds are to be narrower."""
    asked = program([[1, -1]], [(least, limit)], [(0, most), (0, most)], {"cost": [1, 0]})
    found = _missed(asked, Rows.of(asked), np.array(x))
    return [(one.rule, one.amount, "narrower bounds" in str(one.message)) for one in found]


def test_a_row_may_be_missed_by_a_billionth_of_its_limit_or_of_its_terms() -> None:
    assert missed(1e-3, [1e-3 + 0.9e-12, 0.0], 10.0) == []
    assert [rule for rule, *_ in missed(1e-3, [1e-3 + 1.1e-12, 0.0], 10.0)] == ["rows_are_met"]
    # Terms of 100 that cancel are rounded to a billionth of themselves.
    assert missed(1e-3, [100.0 + 1e-3 + 0.9e-7, 100.0], 1000.0) == []
    assert [rule for rule, *_ in missed(1e-3, [100.0 + 1e-3 + 1.2e-7, 100.0], 1000.0)] == ["rows_are_met"]
    # Of a limit of zero terms alone count, and what columns could reach does not.
    assert missed(0.0, [1.0 + 0.9e-9, 1.0], 10.0) == []
    assert [rule for rule, *_ in missed(0.0, [1.0 + 1.1e-9, 1.0], 10.0)] == ["rows_are_met"]
    assert [rule for rule, *_ in missed(0.0, [1e-300, 0.0], 10.0)] == ["rows_are_met"]
    assert [(rule, round(by, 9)) for rule, by, _ in missed(INF, [1.0, 3.0], 10.0, least=-1.0)] == [
        ("rows_are_met", 1.0)
    ]


def test_what_a_solver_neglects_beside_wide_bounds_is_said() -> None:
    assert missed(1.0, [1.5, 0.0], 1e12) == [("rows_are_met", 0.5, True)]
    assert missed(1.0, [1.5, 0.0], 10.0) == [("rows_are_met", 0.5, False)]
    assert missed(1.0, [1.5, 0.0], 0.4e9) == [("rows_are_met", 0.5, False)]
    assert missed(1.0, [1.5, 0.0], 0.6e9) == [("rows_are_met", 0.5, True)]


def test_the_first_column_outside_its_bounds_is_named() -> None:
    assert missed(100.0, [11.0, -2.0], 10.0) == [("bounds_are_kept", 1.0, False)]
    assert missed(100.0, [10.0, -2.0], 10.0) == [("bounds_are_kept", 2.0, False)]


def test_a_box_has_no_point_where_rows_narrow_it_away_or_a_tree_proves_it() -> None:
    rows, box = Rows.of(HAND), Box(HAND.column_lower, HAND.column_upper)
    assert not _has_no_point(HAND, rows, box, None)
    assert not _has_no_point(HAND, rows, box, alone(np.array([1.0, 0.0])))
    narrow = replace(box, upper=np.array([1.0, 1.0]))
    assert _has_no_point(HAND, rows, narrow, None)
    # Both sums of two thirds: rows alone narrow nothing away, and their sum with the third shows it.
    thirds = program([[1, 1], [1, -1], [-1, -1]], [(1, INF), (0, 0), (-0.8, INF)], [(0, 1), (0, 1)], {"cost": [0, 0]})
    rows, box = Rows.of(thirds), Box(thirds.column_lower, thirds.column_upper)
    proof = alone(np.array([1.0, 0.0, 1.0]))
    assert _has_no_point(thirds, rows, box, proof)
    assert not _has_no_point(thirds, rows, box, alone(np.array([1.0, 0.0, 0.5])))
    # A tree that is none proves nothing.
    assert not _has_no_point(thirds, rows, box, replace(proof, multipliers=[np.array([1.0, 0.0, 1.0, 0.0])]))
