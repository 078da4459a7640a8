"""Multipliers of held levels: what a level leaves for the next, and what keeps a later one from leaving it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from etsopt.checking.allocation.certificate import Kinked, Square
from etsopt.checking.allocation.prover import POLICY, OptimalFace
from etsopt.checking.tolerances import ZERO_SLOPE_RELATIVE


def prover(rows: int = 2) -> OptimalFace:
    """Four units between 0 and 10, of one tonne of emissions each, and rows between 0 and 5."""
    return OptimalFace(np.zeros(4), np.full(4, 10.0), np.zeros(rows), np.full(rows, 5.0), np.ones(rows), np.ones(4))


KINKED = Kinked(np.array([4.0, 4.0, 4.0, -1.0]), -1.0, 2.0)
NOTHING = np.zeros(2)


def test_a_level_leaves_of_each_unit_where_it_loses_nothing() -> None:
    own = prover()
    # Pulled by nothing a unit stays at its kink; beyond a slope it goes to an end; at a slope it may go that way.
    own.fix_at_optimum(KINKED, np.array([0.0, 3.0, 2.0, -1.0]), NOTHING)
    assert own.lower.tolist() == [4.0, 10.0, 4.0, 0.0]
    assert own.upper.tolist() == [4.0, 10.0, 10.0, 0.0]
    assert own.owner_lower.tolist() == [0, 0, 0, POLICY]
    assert own.owner_upper.tolist() == [0, POLICY, POLICY, 0]
    other = prover()
    other.fix_at_optimum(KINKED, np.array([-3.0, -1.0, 0.0, 0.0]), NOTHING)
    assert other.lower.tolist() == [0.0, 0.0, 4.0, 0.0]
    assert other.upper.tolist() == [0.0, 4.0, 4.0, 0.0]


@pytest.mark.parametrize(("share", "flat"), [(0.9, True), (1.1, False)])
def test_a_slope_that_is_rounding_leaves_a_unit_indifferent(share: float, flat: bool) -> None:
    """The steepest is that of the last unit, of 100 and a slope of two."""
    piece = Kinked(np.full(4, 4.0), -1.0, 2.0)
    tiny = share * ZERO_SLOPE_RELATIVE * 102.0
    own = prover()
    own.fix_at_optimum(piece, np.array([2.0 + tiny, 2.0 - tiny, -1.0 - tiny, 100.0]), NOTHING)
    assert own.lower.tolist()[:3] == [4.0 if flat else 10.0, 4.0, 0.0]
    assert own.upper.tolist()[:3] == [10.0, 10.0 if flat else 4.0, 4.0 if flat else 0.0]


@pytest.mark.parametrize(("share", "flat"), [(0.9, True), (1.1, False)])
def test_slopes_are_compared_by_what_they_come_to_over_the_emissions(share: float, flat: bool) -> None:
    """The last unit has four tonnes of emissions: its slope of 27 counts as 216 to a unit of half a tonne."""
    emissions = np.array([0.5, 1.0, 1.0, 4.0])
    own = OptimalFace(np.zeros(4), np.full(4, 10.0), NOTHING, NOTHING, NOTHING, emissions)
    own.fix_at_optimum(
        Kinked(np.full(4, 4.0), -1.0, 2.0),
        np.array([2.0 + share * ZERO_SLOPE_RELATIVE * 216.0, 0.0, 0.0, 25.0]),
        NOTHING,
    )
    assert own.lower[0] == (4.0 if flat else 10.0)


def test_what_a_later_level_takes_of_rows_counts_for_those_before() -> None:
    own = prover()
    own.fix_at_optimum(KINKED, np.zeros(4), np.array([2.0, 0.0]))
    own.fix_at_optimum(KINKED, np.zeros(4), np.array([1.0, 4.0]))
    assert own.owner_row.tolist() == [0, 1]
    # The second row is held twice by the second level, which adds two to the first row besides.
    nothing = np.zeros(4)
    assert own.multipliers((nothing, nothing, np.array([-8.0, -8.0]))) == [3.0, 2.0]
    # What keeps nobody from leaving counts for nothing, and small multipliers hold their rows as well.
    small = prover()
    small.fix_at_optimum(KINKED, np.zeros(4), np.array([0.5, -0.5]))
    assert (small.least.tolist(), small.most.tolist()) == ([0.0, 5.0], [0.0, 5.0])


def test_a_row_with_a_multiplier_is_held_at_its_side() -> None:
    own = prover(4)
    own.fix_at_optimum(KINKED, np.zeros(4), np.array([1.0, -1.0, 0.0, 0.9e-9]))
    assert own.least.tolist() == [0.0, 5.0, 0.0, 0.0]
    assert own.most.tolist() == [0.0, 5.0, 5.0, 5.0]
    assert own.owner_row.tolist() == [0, 0, POLICY, POLICY]
    reached = OptimalFace(np.zeros(4), np.full(4, 10.0), np.zeros(2), np.full(2, 5.0), np.array([1.0, 2.0]), np.ones(4))
    reached.fix_at_optimum(KINKED, np.zeros(4), np.array([1.0, 0.6e-9]))
    assert reached.owner_row.tolist() == [0, 0]


def test_slopes_beyond_the_intervals_are_those_of_the_side_on_which_they_end() -> None:
    own = prover()
    own.lower, own.upper = np.array([5.0, 0.0, 4.0, 2.0]), np.array([9.0, 3.0, 4.0, 8.0])
    pull, price = np.array([0.5, 0.5, 0.0, 0.0]), np.array([1.0, 2.0])
    before, after, prices = own.slopes(KINKED, pull, price)
    assert before.tolist() == [1.5, -1.5, -1.0, 2.0]
    assert after.tolist() == [1.5, -1.5, 2.0, 2.0]
    assert prices is price
    square = Square(np.ones(4), np.full(4, 5.0))
    before, after, _ = own.slopes_of_square(square, pull, price)
    assert before.tolist() == [-0.5, -10.5, -2.0, -6.0]
    assert after.tolist() == [7.5, -4.5, -2.0, 6.0]
    half = replace(square, weight=np.full(4, 0.5))
    assert own.slopes_of_square(half, 0 * pull, price)[1].tolist() == [16.0, -8.0, -4.0, 12.0]


def test_a_level_counts_as_often_as_the_most_that_a_later_one_gains_by_leaving_it() -> None:
    own = prover()
    own.fix_at_optimum(KINKED, np.zeros(4), np.array([2.0, 0.0]))
    # Below its kink a unit gains three a tonne where the level loses one; above, four where it loses two.
    nothing = np.zeros(4)
    below = np.array([3.0, 0.0, 0.0, 0.0]), nothing, NOTHING
    assert own.multipliers(below) == [3.0]
    above = nothing, np.array([0.0, -4.0, 0.0, 0.0]), NOTHING
    assert own.multipliers(above) == [2.0]
    assert own.multipliers((nothing, nothing, np.array([-5.0, 9.0]))) == [2.5]
    both = np.array([3.0, 0.0, 0.0, 0.0]), np.array([0.0, -8.0, 0.0, 0.0]), np.array([-5.0, 0.0])
    assert own.multipliers(both) == [4.0]
    assert own.multipliers((nothing - 1, nothing + 1, NOTHING)) == [0.0]
    assert own.multipliers((nothing, nothing, NOTHING), 7.0) == [7.0]
    assert below[0].tolist() == [3.0, 0.0, 0.0, 0.0]


def test_later_levels_come_first_and_what_they_take_counts_for_those_before() -> None:
    own = prover()
    # The first level holds units 0 to 2 at their kinks; the second pulls the last one up to its end.
    own.fix_at_optimum(KINKED, np.array([0.0, 0.0, 2.0, 2.0]), NOTHING)
    assert own.upper.tolist() == [4.0, 4.0, 10.0, 10.0]
    second = Kinked(np.full(4, 6.0), -1.0, 1.0)
    own.fix_at_optimum(second, np.zeros(4), NOTHING)
    assert own.owner_lower.tolist() == [0, 0, 1, 1]
    assert own.owner_upper.tolist() == [0, 0, 1, 1]
    # Unit 2 gains two by less, which the second level holds twice; by that unit 0 gains two by more besides its one.
    before, after = np.array([0.0, 0.0, 2.0, 0.0]), np.array([-1.0, 0.0, 0.0, 0.0])
    assert own.multipliers((before, after, NOTHING)) == [1.5, 2.0]


def test_an_interval_that_is_no_levels_is_nobodys() -> None:
    own = prover()
    own.fix_at_optimum(KINKED, np.array([0.0, 3.0, 2.0, 2.0]), NOTHING)
    own.restrict(np.array([0.0, 0.0, 5.0, -5.0]), np.array([10.0, 20.0, 8.0, 20.0]))
    assert own.lower.tolist() == [4.0, 10.0, 5.0, 0.0]
    assert own.upper.tolist() == [4.0, 10.0, 8.0, 10.0]
    assert own.owner_lower.tolist() == [0, 0, POLICY, POLICY]
    assert own.owner_upper.tolist() == [0, POLICY, POLICY, POLICY]


def test_an_objective_without_slopes_leaves_every_interval() -> None:
    own = prover()
    own.fix_at_optimum(Kinked(np.full(4, 4.0), 0.0, 0.0), np.zeros(4), NOTHING)
    assert own.lower.tolist() == [0.0] * 4
    assert own.upper.tolist() == [10.0] * 4
    assert {*own.owner_lower.tolist(), *own.owner_upper.tolist()} == {POLICY}
