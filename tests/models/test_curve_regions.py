"""A region of a curve: what its multipliers give at a point is the answer, and its margins say how far they serve."""

from __future__ import annotations

import numpy as np
import pytest

import etsopt
from etsopt.studies.curves.axes import Axis
from etsopt.studies.curves.solver import CurveSolver
from etsopt_models._curve import Affine, larger, smaller, where

CEMENT, BALANCE = "sectors.cement.target_change", "provinces.balance"


def test_affine_numbers_carry_their_slopes() -> None:
    one = Affine(np.array([1.0, 2.0]), np.array([[1.0, 0.0]]))
    other = Affine(np.array([3.0, 1.0]), np.array([[0.0, -1.0]]))
    for found, value, slope in (
        (one + other, [4.0, 3.0], [1.0, -1.0]),
        (one - other, [-2.0, 1.0], [1.0, 1.0]),
        (one * 2.0, [2.0, 4.0], [2.0, 0.0]),
        (larger(one, other), [3.0, 2.0], [0.0, 0.0]),
        (smaller(one, other), [1.0, 1.0], [1.0, -1.0]),
        (where(np.array([True, False]), one, other), [1.0, 1.0], [1.0, -1.0]),
    ):
        assert found.value.tolist() == value
        assert found.slope[0].tolist() == slope
    assert one.at(np.array([0.5])).tolist() == [1.5, 2.0]
    assert Affine.joined([one, other])[1:3].value.tolist() == [2.0, 3.0]


@pytest.fixture(scope="module")
def box() -> CurveSolver:
    return CurveSolver(etsopt.read("cn-2025"), [Axis({CEMENT: (-0.01, 0.0)}), Axis({BALANCE: (0.004, 0.01)})])


def test_a_region_has_the_answer_of_its_point_and_of_every_point_inside(box: CurveSolver) -> None:
    point = np.array([0.53, 0.61])
    region = box.region(point)
    assert region is not None
    assert region.holds(point)
    for direction in (np.array([1.0, 0.0]), np.array([0.0, 1.0]), np.array([0.6, -0.8])):
        back, forth = region.steps(direction)
        for step in (-0.9 * back, 0.9 * min(forth, 0.3)):
            inside = point + step * direction
            assert region.holds(inside)
            own = box.results(inside).tables["allocation"]["allowance_t"]
            assert np.abs(box.allowances(region, [inside])[0] - own).max() <= 1e-5


def test_beyond_its_margins_another_answer_is_better(box: CurveSolver) -> None:
    point, direction = np.array([0.53, 0.61]), np.array([1.0, 0.0])
    region = box.region(point)
    assert region is not None
    for step in region.steps(direction):
        assert np.isfinite(step)
    beyond = point + 1.5 * region.steps(direction)[1] * direction
    assert not region.holds(beyond)
    assert not box.certified(region, (beyond, beyond)).certified


def test_a_region_is_made_again_from_its_multipliers(box: CurveSolver) -> None:
    point = np.array([0.53, 0.61])
    region = box.region(point)
    assert region is not None
    # Prices of the tie-break follow from the multipliers of the others.
    for stated in ({**region.duals, "least_squares": region.prices.value}, region.duals):
        again = box.parametric.region_of(point, stated)
        assert np.allclose(again.answer.value, region.answer.value, rtol=0, atol=1e-7)
        assert np.allclose(again.answer.slope, region.answer.slope, rtol=1e-9, atol=1e-6)
        assert np.array_equal(again.weights, region.weights)


def test_where_regions_meet_the_multipliers_of_both_serve() -> None:
    box = CurveSolver(etsopt.read("tiny"), [Axis({CEMENT: (-0.01, 0.0)}), Axis({BALANCE: (0.01, 0.02)})])
    # There the third unit reaches its end, and neither side's prices move with the rows while it is held.
    kink = np.array([11 / 56, 1 / 8])
    for aside in (-1e-3, 1e-3):
        side = box.region(kink + np.array([aside, 0.0]))
        assert side is not None
        at_kink = box.parametric.region_of(kink, side.duals)
        assert at_kink is not None
        assert box.certified(at_kink, (kink, kink)).certified
        assert at_kink.holds(kink, 1e-6)
