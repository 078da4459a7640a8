"""What a report says of its levels and of the whole: certified, optimal, or nothing of the kind."""

from __future__ import annotations

import math
from math import inf, nan

import pytest

from etsopt.checking.verdict import LevelCheck, Verdict, Violation

BROKEN = Violation("rule", "where", 1.0, "t", "message")


def level(gap: float, tolerance: float = 1.0, asked: float = 0.0, *, needed: bool = True) -> LevelCheck:
    return LevelCheck("change", "t", 10.0, 10.0 - gap, gap, tolerance, asked, needed)


@pytest.mark.parametrize(
    ("gap", "asked", "optimal", "certified"),
    [
        (-1e-9, 0.0, False, False),
        (0.0, 0.0, True, True),
        (1.0, 0.0, True, True),
        (1.5, 0.0, False, False),
        (1.5, 1.5, False, True),
        (1.5, 1.4, False, False),
        (-1.0, 5.0, False, False),
    ],
)
def test_a_level_is_optimal_within_its_tolerance_and_certified_within_what_was_asked(
    gap: float, asked: float, optimal: bool, certified: bool
) -> None:
    one = level(gap, asked=asked)
    assert (one.optimal, one.certified) == (optimal, certified)


def test_a_gap_that_is_no_number_proves_nothing() -> None:
    one = level(nan)
    assert (one.bound, one.gap, one.certified) == (-inf, inf, False)
    assert level(0.5).bound == 9.5


@pytest.mark.parametrize(
    ("levels", "violations", "certified", "optimal"),
    [
        ((level(0.0),), (), True, True),
        ((level(0.0), level(1.5, asked=2.0)), (), True, False),
        ((level(0.0), level(3.0)), (), False, False),
        ((level(0.0), level(3.0, needed=False)), (), True, True),
        ((level(3.0, needed=False),), (), False, False),
        ((level(0.0),), (BROKEN,), False, False),
        ((), (), False, False),
    ],
)
def test_a_result_is_certified_where_nothing_is_broken_and_every_needed_level_is(
    levels: tuple[LevelCheck, ...], violations: tuple[Violation, ...], certified: bool, optimal: bool
) -> None:
    report = Verdict(violations, levels)
    assert (report.certified, report.status == "certified_optimal") == (certified, optimal)


@pytest.mark.parametrize(
    ("lacks", "tolerated", "violations", "certified"),
    [(0.5, False, (), True), (0.0, False, (), False), (5.0, True, (), False), (5.0, False, (BROKEN,), False)],
)
def test_infeasibility_is_certified_where_more_than_nothing_is_proven_to_lack(
    lacks: float, tolerated: bool, violations: tuple[Violation, ...], certified: bool
) -> None:
    assert Verdict(violations, (), lacks, tolerated=tolerated, answered=False).certified is certified


def test_what_is_proven_is_named() -> None:
    assert Verdict((), (level(0.0),)).status == "certified_optimal"
    assert Verdict((), (level(0.0),), rounded_by_t=0.0).status == "certified_rounded"
    assert Verdict((), (level(1.5, asked=2.0),), rounded_by_t=0.0).status == "certified_gap"
    assert Verdict((), (), calculated=True).status == "calculated"
    assert Verdict((), ()).status == "feasible"
    assert Verdict((BROKEN,), (level(0.0),)).status == "refused"
    assert Verdict((), (level(0.0),), stopped=True).status == "feasible"
    assert Verdict((), (level(0.0),), unproven=True).status == "feasible"
    assert Verdict((), (level(1.5),)).status == "feasible"
    assert Verdict((), (), answered=False).status == "infeasible_unproven"
    assert Verdict((), (), answered=False, stopped=True).status == "none"
    assert Verdict((), (), missing_days=2.0, answered=False).status == "infeasible_certified"
    # Where a market cannot clear from a start that is not proven, nothing is proven.
    assert Verdict((), (level(1.5),), 5.0, answered=False).status == "infeasible_unproven"


def test_the_largest_gap_is_relative_and_of_needed_levels() -> None:
    one, other = LevelCheck("a", "t", 200.0, 199.0, 1.0, 0.02), LevelCheck("b", "t", 0.0, 0.0, 0.0, 0.02)
    unneeded = LevelCheck("rounding", "t²", 1.0, 0.0, 1.0, 0.0, needed=False)
    assert Verdict((), (one, other, unneeded)).largest_gap == 0.005
    assert Verdict((), ()).largest_gap == 0.0
    assert LevelCheck("c", "t", 0.0, -1.0, 1.0, 0.02).relative_gap == math.inf
    # A cost of nothing, and a bound of nothing: as shares of one another they were 540,000.
    assert LevelCheck("cost", "CNY", 1.2e-7, -0.066, 0.066, 1.8).relative_gap == 0.0
    assert LevelCheck("cost", "CNY", 2.0, 1.0, 1.0, 1.8).relative_gap == 0.5


def test_the_distance_is_that_of_the_level_that_tells_one() -> None:
    told = LevelCheck("least_squares", "t", 1.0, 1.0, 0.0, 1.0, distance_t=3.0)
    assert Verdict((), (level(0.0), told)).distance_t == 3.0
    assert Verdict((), (level(0.0),)).distance_t is None


def test_the_report_says_nothing_unless_it_is_told_so() -> None:
    report = Verdict((), ())
    assert (report.unproven, report.tolerated, report.misses_t, report.kept) == (False, False, None, None)
    one = level(0.0)
    assert (one.asked, LevelCheck("a", "t", 1.0, 1.0, 0.0, 1.0).needed, one.distance_t) == (0.0, True, None)
    assert LevelCheck("a", "t", 1.0, 1.0, 0.0, 1.0).asked == 0.0


def test_the_table_has_a_row_for_every_violation() -> None:
    table = Verdict((BROKEN,), ()).table
    assert table.columns.tolist() == ["rule", "where", "amount", "unit", "message"]
    assert table.to_numpy().tolist() == [["rule", "where", 1.0, "t", "message"]]
