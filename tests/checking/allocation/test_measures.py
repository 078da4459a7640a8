"""What every level measures, and up to what gap it counts as optimal, against its definition."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from etsopt.checking.allocation.limits import derive
from etsopt.checking.allocation.measures import Measures, at_target_rate
from etsopt.checking.arithmetic import ROUNDOFF, gamma, total, upward
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.checking.tolerances import PROOF_WEIGHT_SHARE_MIN, TOTAL_RESOLUTION_RELATIVE
from etsopt.common.units import tolerance_of
from tests.builders import given

E = np.array([100.0, 200.0, 50.0])
R = np.array([110.0, 190.0, 50.0])
ANSWER = np.array([105.0, 198.0, 49.0])
DUE = np.array([101.0, 199.0, 50.0])
TARGET = np.array([98.0, 196.0, 49.5])
WEIGHTS = np.array([0.25, 0.5, 0.0])


def measures(whole: bool = False, **changes: Any) -> Measures:
    return replace(Measures(ANSWER, E, R, DUE, TARGET, WEIGHTS, whole), **changes)


PRICE = np.array([2.0])


def test_change_is_the_sum_of_all_distances_from_the_reference() -> None:
    level, uncertain = measures().level("change", PRICE)
    assert level.value == 5 + 8 + 1
    assert (level.scale, level.dual[0], level.square) == (1.0, 2.0, None)
    assert level.piece is not None
    assert (level.piece.kink.tolist(), level.piece.left, level.piece.right) == (R.tolist(), -1.0, 1.0)
    _, error = total(np.array([5.0, 8.0, 1.0]))
    assert uncertain == upward(error + gamma(6) * 14, 4)


def test_a_deficit_is_what_lacks_to_emissions_alone() -> None:
    level, _ = measures().level("deficit", PRICE)
    assert level.value == 1 + 1
    assert level.piece is not None
    assert (level.piece.kink.tolist(), level.piece.left, level.piece.right) == (DUE.tolist(), -1.0, 0.0)


def test_a_spread_is_the_sum_of_distances_from_the_target_rate_over_all_emissions() -> None:
    level, uncertain = measures().level("spread", PRICE)
    assert level.value == pytest.approx((7 + 2 + 0.5) / 350)
    assert (level.scale, level.dual[0]) == (350.0, 700.0)
    assert level.piece is not None
    assert (level.piece.kink.tolist(), level.piece.left, level.piece.right) == (TARGET.tolist(), -1.0, 1.0)
    _, error = total(np.array([7.0, 2.0, 0.5]))
    assert uncertain == pytest.approx(error / 350 + gamma(6) * level.value, rel=1e-9)
    nobody = measures(e=np.zeros(3)).level("spread", PRICE)[0]
    assert nobody.scale == 1e-300


def test_least_squares_is_the_sum_of_squares_over_emissions() -> None:
    level, uncertain = measures().level("least_squares", PRICE)
    terms = (ANSWER - R) ** 2 / E
    value, error = total(terms)
    assert (level.value, level.piece, level.scale) == (value, None, 1.0)
    assert uncertain == error + gamma(6) * value
    assert level.square is not None
    assert not level.square.integer
    whole = measures(True).level("least_squares", PRICE)[0].square
    assert whole is not None
    assert whole.integer


def test_the_largest_change_is_a_rate_with_weights_that_add_up_to_one_over_emissions() -> None:
    level, uncertain = measures().level("largest_change", PRICE)
    assert level.value == 0.05
    assert uncertain == gamma(4) * 0.05
    assert level.piece is not None
    assert np.asarray(level.piece.right) == pytest.approx(WEIGHTS / 125)
    assert np.asarray(level.piece.left) == pytest.approx(-WEIGHTS / 125)
    assert level.piece.kink.tolist() == R.tolist()
    assert (level.scale, level.square) == (1.0, None)
    assert measures(True).level("largest_change", PRICE)[0].piece is None
    nothing = measures(weights=np.zeros(3)).level("largest_change", PRICE)[0]
    assert nothing.piece is not None
    assert np.asarray(nothing.piece.right).tolist() == [0.0] * 3
    half = measures(weights=WEIGHTS / 250).level("largest_change", PRICE)[0]
    assert half.piece is not None
    assert np.asarray(half.piece.right) == pytest.approx(WEIGHTS / 125)


def test_a_level_counts_as_optimal_up_to_what_its_unit_can_be_told_apart_by() -> None:
    own = measures()
    assert own.tolerance("change", 1e6) == 2e-2
    assert own.tolerance("deficit", 1e9) == 1.0
    assert own.tolerance("spread", 0.01) == 2e-10
    assert own.tolerance("least_squares", 1e3) == pytest.approx(1e-6, rel=1e-12)
    assert own.tolerance("least_squares", 1e-9) == TOTAL_RESOLUTION_RELATIVE * 350


def test_the_largest_rate_is_known_no_better_than_its_smallest_unit_that_bears_the_proof() -> None:
    """Of the three the first two move by 5 %; all emissions are large enough for a share of 1e-15 of them to count."""
    large = np.array([100.0, 200.0, 1e9])
    own = measures(e=large, answer=np.array([105.0, 200.0, 50.0]), r=np.array([110.0, 190.0, 50.0]))
    floor = TOTAL_RESOLUTION_RELATIVE * (large.sum())
    assert own.tolerance("largest_change", 0.05) == pytest.approx(floor / 100)
    # A weight below the least share of all is none.
    for share, smallest in ((0.9, 200.0), (1.1, 100.0)):
        few = PROOF_WEIGHT_SHARE_MIN * share * 200 / 100
        weights = np.array([few / (1 - PROOF_WEIGHT_SHARE_MIN * share), 1.0, 0.0])
        found = replace(own, weights=weights).tolerance("largest_change", 0.05)
        assert found == pytest.approx(floor / smallest)
    # One that moves less than the value has no part.
    assert own.tolerance("largest_change", 0.05001) == 2e-10
    near = own.tolerance("largest_change", 0.05 + 1e-10)
    assert near == pytest.approx(floor / 100)
    assert own.tolerance("spread", 0.05) == 2e-10
    assert (PROOF_WEIGHT_SHARE_MIN, TOTAL_RESOLUTION_RELATIVE) == (1e-3, 1e-15)
    less = replace(own, weights=np.array([0.0, 1.0, 0.0])).tolerance("largest_change", 0.05)
    assert less == pytest.approx(floor / 200)


def test_no_weight_of_a_tiny_unit_widens_the_tolerance_of_all_by_more_than_a_millionth() -> None:
    """A unit of 1 t among 1e12 t is known to 1e-15 of these, which is a tenth of a per cent of it."""
    own = measures(e=np.array([1.0, 200.0, 1e12]), answer=np.array([0.95, 190.0, 5.0]), r=np.array([1.0, 200.0, 5.0]))
    assert own.tolerance("largest_change", 0.05) == pytest.approx(0.05e-6)


def test_the_gap_of_a_rate_is_what_units_lack_to_it_and_the_gap_of_the_sum_over_all_weight() -> None:
    own = measures()
    level, _ = own.level("largest_change", PRICE)
    # The weights come to one over the emissions; the second unit lacks 2 t to 5 % of 200 t.
    known = 0.5 / 125 * 2
    assert own.gap_of_value(level, 0.0) == pytest.approx(known, rel=1e-9)
    assert own.gap_of_value(level, 0.01) == pytest.approx(known + 0.01, rel=1e-9)
    assert own.gap_of_value(level, 0.01) >= known + 0.01
    nothing = replace(own, weights=np.zeros(3))
    assert nothing.gap_of_value(nothing.level("largest_change", PRICE)[0], 0.01) == inf
    assert level.piece is not None
    twice = replace(level, piece=replace(level.piece, right=2 * np.asarray(level.piece.right)))
    assert own.gap_of_value(twice, 0.01) == pytest.approx(known + 0.005, rel=1e-9)
    spread, _ = own.level("spread", PRICE)
    assert own.gap_of_value(spread, 7.0) == upward(7.0 / 350, 4)


def test_what_a_rate_lacks_counts_eight_roundings_of_its_parts() -> None:
    """Every unit moves by the rate itself, so that only rounding is left."""
    own = measures(answer=R + 0.5 * E, weights=np.ones(3))
    level, _ = own.level("largest_change", PRICE)
    parts = 2 * 0.5 * 350 / 350
    found = own.gap_of_value(level, 0.0)
    assert gamma(8) * parts <= found <= (gamma(8) + 15 * 2.0**-53) * parts


def test_the_gap_of_a_rate_counts_all_of_its_rounding() -> None:
    nothing, one = np.zeros(1), np.ones(1)
    own = Measures(nothing, one, nothing, nothing, nothing, one, False)
    at_zero, _ = own.level("largest_change", PRICE)
    # A weight of one: four roundings of it, and twice ten of the quotient.
    assert own.gap_of_value(at_zero, 1.0) - 1.0 == pytest.approx(24 * ROUNDOFF, rel=0.01, abs=0.0)
    moved = replace(own, answer=one)
    at_one, _ = moved.level("largest_change", PRICE)
    # The value of one is raised by twice six, and either part of the move has eight more.
    assert moved.gap_of_value(at_one, 0.0) == pytest.approx((12 + 2 * 8) * ROUNDOFF, rel=0.01, abs=0.0)


def test_the_target_rate_of_the_smallest_sector_is_that_of_its_references() -> None:
    rows = [("a", "a", "cement", "p", 0.25, 0.25), ("b", "b", "cement", "p", 0.5, 0.35)]
    instance = given(rows, {})
    found = at_target_rate(InstanceInputs.of(instance), derive(InstanceInputs.of(instance)), np.array([0.25, 0.35]))
    assert found == pytest.approx([0.2, 0.4])


def three_lines(policy: dict[str, Any], references: tuple[float, ...] = (1100.2, 1800.0, 100.0)) -> Any:
    rows = [
        ("a", "a", "cement", "p", 1000.0, references[0]),
        ("b", "b", "cement", "p", 2000.4, references[1]),
        ("c", "c", "steel", "p", 100.0, references[2]),
    ]
    return InstanceInputs.of(given(rows, policy))


@pytest.mark.parametrize("whole", [False, True])
def test_the_target_rate_is_that_of_the_target_else_of_the_references(whole: bool) -> None:
    instance = three_lines({"sectors": {"steel": {"target_change": -0.1}}, "allocation": {"integer_allowances": whole}})
    demands, reference = derive(instance), instance.units["reference_t"].to_numpy(dtype=float)
    rate = 2900.2 / 3000.4
    known = [1000 * rate, 2000.4 * rate, 90.0]
    found = at_target_rate(instance, demands, reference)
    assert found == pytest.approx([round(part) for part in known] if whole else known)
    stated = three_lines({"sectors": {name: {"target_change": 0.0} for name in ("cement", "steel")}})
    assert at_target_rate(stated, derive(stated), reference) == pytest.approx([1000.0, 2000.4, 100.0])


def test_levels_measure_the_units_that_are_not_fixed_in_whole_tonnes_where_allowances_are() -> None:
    for whole in (False, True):
        instance = three_lines({"allocation": {"integer_allowances": whole}}, (1100.6, 1800.0, 100.0))
        demands = replace(derive(instance), fixed=np.array([False, False, True]))
        reference = instance.units["reference_t"].to_numpy(dtype=float)
        weights = np.array([0.5, -1.0, 2.0])
        own = Measures.of(instance, demands, reference, np.array([1000.0, 1900.0, 100.0]), weights)
        assert own.answer.tolist() == [1000.0, 1900.0]
        assert own.e.tolist() == [1000.0, 2000.4]
        assert own.r.tolist() == ([1101.0, 1800.0] if whole else [1100.6, 1800.0])
        assert own.due.tolist() == ([1000.0, 2000.0] if whole else [1000.0, 2000.4])
        assert own.weights.tolist() == [0.5, 0.0]
        assert own.integer is whole


def test_a_sector_without_emissions_has_a_rate_of_one() -> None:
    instance = three_lines({})
    demands = SimpleNamespace(at_target_rate=np.array([np.nan, np.nan, 5.0]), integer=False)
    zero = replace(instance, units=instance.units.assign(emissions_tco2e=[0.0, 0.0, 100.0]))
    assert at_target_rate(zero, demands, np.array([7.0, 8.0, 9.0])).tolist() == [0.0, 0.0, 5.0]  # type: ignore[arg-type]


def test_a_unit_that_moves_by_just_the_largest_rate_less_its_tolerance_bears_the_proof() -> None:
    """Of 1 t it moves 0.5 t, which is exactly the value less its tolerance of a billionth."""
    own = measures(e=np.array([1.0, 1e6, 1e15]), answer=np.array([0.5, 1e6, 0.0]), r=np.array([1.0, 1e6, 0.0]))
    own = replace(own, weights=np.array([1.0, 0.0, 0.0]))
    near = 0.5 + tolerance_of(0.5, "rate")
    edges = near, np.nextafter(near, 1), np.nextafter(near, 0)
    edge = next(one for one in edges if one - tolerance_of(one, "rate") == 0.5)
    assert own.tolerance("largest_change", edge) == pytest.approx(1e-6 * edge)
