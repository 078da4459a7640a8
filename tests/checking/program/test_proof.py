"""Parts of the proof of a program by hand: rows that are missed, and boxes without a point."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.program.bounds import Box, Rows
from etsopt.checking.program.proof import _has_no_point, _is_finite, _missed, keeps_rows
from etsopt.modelling.solving.proving import alone
from tests.checking.test_program import HAND, INF, judged, program

if TYPE_CHECKING:
    from etsopt.modelling.program.program import Program


def missed(limit: float, x: list[float], most: float, least: float = -INF) -> list[tuple[str, float, bool]]:
    """Rule and amount of what an answer to ``x0 - x1`` within limits misses, and whether bounds are to be narrower."""
    asked = program([[1, -1]], [(least, limit)], [(0, most), (0, most)], {"cost": [1, 0]})
    found = _missed(asked, Rows.of(asked), np.array(x))
    return [(one.rule, one.amount, "narrower bounds" in str(one.message)) for one in found]


def test_a_row_may_be_missed_by_a_billionth_of_its_limit_or_by_the_rounding_of_its_terms() -> None:
    assert missed(1e-3, [1e-3 + 0.9e-12, 0.0], 10.0) == []
    assert [rule for rule, *_ in missed(1e-3, [1e-3 + 1.1e-12, 0.0], 10.0)] == ["rows_are_met"]
    # Terms of a million that cancel are rounded to ten decimals, and a limit beside them counts to its billionth.
    assert missed(1e-3, [1e6 + 1e-3 + 6e-10, 1e6], 1e7) == []
    assert [rule for rule, *_ in missed(1e-3, [1e6 + 1e-3 + 1.2e-9, 1e6], 1e7)] == ["rows_are_met"]
    # Around a limit of zero a share of the terms counts, and what columns could reach does not.
    assert missed(0.0, [1.0 + 0.9e-12, 1.0], 10.0) == []
    assert [rule for rule, *_ in missed(0.0, [1.0 + 1.1e-12, 1.0], 10.0)] == ["rows_are_met"]
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


def test_no_more_than_a_limit_is_known_makes_the_next_whole_number() -> None:
    # The rounding of a limit of three.
    asked = program([[1]], [(3.0000000001, INF)], [(0, 100)], {"cost": [1]}, whole=True)
    for amount, status in ((3.0, "certified_program"), (4.0, "feasible")):
        found = judged(asked, [amount], {"cost": alone(np.array([1.0]))})
        assert (found.status, found.levels[0].bound) == (status, 3.0)
    above = Rows.of(replace(asked, row_lower=np.array([3.00000001])))
    narrow = above.narrowed(Box(np.array([0.0]), np.array([9.0])), np.array([True]))
    assert narrow is not None
    assert narrow.lower.tolist() == [4.0]


def test_a_row_is_missed_by_what_whole_numbers_leave_of_its_limit_and_no_more() -> None:
    # Nothing is made while the plant is closed: made + 1e9 closed <= 1e9.
    switch = program([[1, 1e9]], [(-INF, 1e9)], [(0, 1e9), (0, 1)], {"cost": [0, -1]}, whole=[False, True])

    def kept(asked: Program, *x: float) -> bool:
        return keeps_rows(asked, np.array(x))

    assert [kept(switch, 0, 1), kept(switch, 0.9e9, 0), kept(switch, 1e9 + 0.9, 0)] == [True, True, False]
    assert [kept(switch, 1.0, 1), kept(switch, 1e-3, 1), kept(switch, 3e-7, 1)] == [False, False, True]
    # With whole numbers alone the limit leaves no unit of them.
    whole = replace(switch, integer=np.array([True, True]), column_upper=np.array([1e10, 1]))
    assert [kept(whole, 0, 1), kept(whole, 1, 1), kept(whole, 1e9, 0), kept(whole, 1e9 + 1, 0)] == [
        True,
        False,
        True,
        False,
    ]
    parity = program([[2, -2]], [(1, 1)], [(1e9, 2e9)] * 2, {"cost": [1, -1]}, whole=True)
    assert not kept(parity, 1e9, 1e9)
    fixed = program([[1, 1e9]], [(-INF, 1e9)], [(0, 1e9), (1, 1)], {"cost": [0, -1]})
    assert [kept(fixed, 0, 1), kept(fixed, 1, 1)] == [True, False]


def test_numbers_are_finite_but_for_limits_of_rows_that_are_none() -> None:
    assert _is_finite(HAND)
    none = np.full(len(HAND.row_lower), INF)
    assert _is_finite(replace(HAND, row_lower=-none, row_upper=none))
    for wrong in (
        replace(HAND, row_upper=-none),
        replace(HAND, row_lower=none),
        replace(HAND, row_upper=none * np.nan),
        replace(HAND, column_upper=np.full(len(HAND.column_upper), INF)),
    ):
        assert not _is_finite(wrong)
