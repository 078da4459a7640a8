"""Whole tonnes: the largest rate that is ruled out, and who can have no tonne less or more, by hand and by search."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from etsopt.checking.allocation.certificate import DualActivity, Intervals, Kinked
from etsopt.checking.allocation.integer import fixed_by_reduced_cost, gap_of_largest_change, room_within
from etsopt.checking.arithmetic import ROUNDOFF, gamma


def pulls(*values: float, rows: int = 1) -> DualActivity:
    return DualActivity(np.array(values), np.abs(values), rows)


def test_the_room_of_a_rate_is_whole_and_no_fewer_than_there_are() -> None:
    rates = np.array([0.1, 0.1999, 0.2, 1 / 3])
    rooms = [room_within(float(rate), np.array([10.0, 30.0]))[:] for rate in rates]
    assert [room.tolist() for room in rooms] == [[1.0, 3.0], [1.0, 5.0], [2.0, 6.0], [3.0, 10.0]]
    just_below = 3 * (1 - 3 * 2.0**-53)
    assert room_within(just_below, np.ones(1))[0] == 3.0
    assert room_within(3 * (1 - 12 * 2.0**-53), np.ones(1))[0] == 2.0


def gap(
    value: float,
    lower: list[float],
    upper: list[float],
    pull: DualActivity,
    of_rows: float = 0.0,
    pieces: list[Kinked] | None = None,
) -> float:
    """Two units of 100 t and 50 t at their references of 100 and 50, an answer in the middle."""
    reference, emissions = np.array([100.0, 50.0]), np.array([100.0, 50.0])
    answer = np.array([104.0, 50.0])
    around = Intervals.around(answer, np.array(lower), np.array(upper))
    return gap_of_largest_change(value, around, reference, emissions, pieces or [], pull, of_rows)


def test_bounds_alone_rule_out_a_rate() -> None:
    """The first unit has 104 t at least, so no rate below 4 % is possible."""
    assert gap(0.04, [104.0, 0.0], [200.0, 100.0], pulls(0.0, 0.0)) == pytest.approx(0.04e-13, rel=0.01, abs=0)
    # An answer at 5 % lies 1 % above what is ruled out.
    assert gap(0.05, [104.0, 0.0], [200.0, 100.0], pulls(0.0, 0.0)) == pytest.approx(0.01, rel=1e-9)
    # A unit that has 4 t less at most rules out as much.
    assert gap(0.05, [0.0, 0.0], [200.0, 48.0], pulls(0.0, 0.0)) == pytest.approx(0.05, abs=1e-12)


def test_a_price_of_rows_rules_out_what_units_cannot_make_up() -> None:
    """Both are pulled up by one a tonne from an answer of 104 t and 50 t; the rows may give 0.5 t."""
    wide: tuple[list[float], list[float]] = ([0.0, 0.0], [200.0, 100.0])
    # At a rate w the two have 150 + [100 w] + [50 w] at most, and need more than 154 - 0.5.
    found = gap(0.04, *wide, pulls(1.0, 1.0), 0.5)
    assert found == pytest.approx(0.04 - 0.03, rel=1e-9)
    assert gap(0.03, *wide, pulls(1.0, 1.0), 0.5) == pytest.approx(0.03e-13, rel=0.01, abs=0)
    # Where rows may give more than there is, nothing is ruled out.
    assert gap(0.04, *wide, pulls(1.0, 1.0), 4.5) == 0.04
    assert gap(0.04, *wide, pulls(1.0, 1.0), 3.5) == pytest.approx(0.03, rel=1e-9)


def test_kinks_of_earlier_levels_count_where_a_minimum_stands() -> None:
    """The first unit loses three a tonne above 102 t, and two below it: what is gained is 6, at 102 t."""
    piece = Kinked(np.array([102.0, 50.0]), -2.0, 3.0)
    wide: tuple[list[float], list[float]] = ([0.0, 0.0], [200.0, 100.0])
    assert gap(0.04, *wide, pulls(0.0, 0.0), 5.9, [piece]) == 0.04
    # Below a rate of 1 % the first unit has 100 t, and loses 4 of the 6.
    assert gap(0.04, *wide, pulls(0.0, 0.0), -2.1, [piece]) == pytest.approx(0.03, rel=1e-9)
    assert gap(0.04, *wide, pulls(0.0, 0.0), -1.9, [piece]) == 0.04
    assert gap(0.04, *wide, pulls(0.0, 0.0), -6.1, [piece]) == pytest.approx(0.04e-13, rel=0.01, abs=0)


@pytest.mark.parametrize(("value", "of_rows"), [(0.0, 0.0), (0.04, inf), (0.04, np.nan)])
def test_nothing_is_ruled_out_below_nothing_or_where_rows_give_anything(value: float, of_rows: float) -> None:
    assert gap(value, [104.0, 0.0], [200.0, 100.0], pulls(0.0, 0.0), of_rows) == value


def test_what_is_gained_is_certain_but_for_its_rounding() -> None:
    """A thousand terms of a tonne are off by 149 roundings of 1000 t in all, which rows may give as well."""
    reference, emissions = np.full(1000, 1e6), np.full(1000, 1e6)
    answer = reference + 1000.0
    around = Intervals(answer, answer - 1.0, answer.copy())
    pull = pulls(*np.full(1000, 1.0))
    for short, is_ruled_out in ((1.6e-11, False), (1.75e-11, True)):
        found = gap_of_largest_change(1e-3, around, reference, emissions, [], pull, 1e3 - short)
        assert (found < 1e-15) is is_ruled_out


def test_a_unit_stays_where_a_tonne_costs_more_than_the_gap() -> None:
    """At the kink a tonne less costs 2 + pull, and a tonne more 3 - pull."""
    answer = np.array([5.0, 5.0, 6.0, 4.0])
    piece = Kinked(np.full(4, 5.0), -1.0, 1.5, 2.0)
    no_less, no_more = fixed_by_reduced_cost(answer, [piece], pulls(0.0, 1.0, 0.0, 0.0), 2.5)
    assert no_more.tolist() == [True, False, True, False]
    assert no_less.tolist() == [False, True, False, False]
    no_less, no_more = fixed_by_reduced_cost(answer, [piece], pulls(0.0, -1.0, -4.0, 3.0), 0.5)
    assert no_less.tolist() == [True, True, False, True]
    assert no_more.tolist() == [True, True, True, False]


def test_a_unit_stays_only_beyond_the_rounding_of_its_slope_and_of_the_gap() -> None:
    """A slope of 2e15 is uncertain by some tonnes, which the cost of a tonne has to exceed."""
    size = 1e15
    answer, piece = np.array([5.0]), Kinked(np.array([5.0]), -size, size, 2.0)
    pull = DualActivity(np.array([2 * size - 64.0]), np.array([2 * size]), 3)
    uncertain = 1.01 * (gamma(19) * 2 * size + gamma(11) * 2 * size)
    room = 64.0 - uncertain
    assert 55 < room < 60
    for gap_, known in ((room - 0.01, True), (room + 0.01, False)):
        assert fixed_by_reduced_cost(answer, [piece], pull, gap_)[1].tolist() == [known]
        mirrored = DualActivity(-pull.at_unit, pull.size, 3)
        assert fixed_by_reduced_cost(answer, [piece], mirrored, gap_)[0].tolist() == [known]
    exact = fixed_by_reduced_cost(np.array([5.0]), [Kinked(np.array([5.0]), -1.0, 1.0)], pulls(0.0), 1.0)
    assert [part.tolist() for part in exact] == [[False], [False]]
    # A gap of one is raised by twice six roundings, the next number is two more.
    for roundings, known in ((12, False), (14, True)):
        slope = np.array([1 + roundings * ROUNDOFF])
        for sign, place in ((-1.0, 1), (1.0, 0)):
            certain = DualActivity(sign * slope, np.zeros(1), 0)
            assert fixed_by_reduced_cost(np.array([5.0]), [], certain, 1.0)[place].tolist() == [known]
