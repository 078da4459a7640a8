"""A segment is proven at every place or not at all: ends that are optimal prove nothing between them by themselves."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan
from typing import Any

import numpy as np
import pytest

import etsopt
from etsopt.checking import arithmetic
from etsopt.checking.allocation import segments
from etsopt.checking.allocation.infeasibility import Infeasibility
from etsopt.checking.allocation.policy_box import PolicyBox
from etsopt.checking.allocation.segments import (
    PAIRS,
    LevelBound,
    Segment,
    SegmentVerdict,
    _Certificate,
    _nearest,
    _Piece,
    certify,
    infeasible_by_t,
)
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.rules import as_given, reference_allowances
from etsopt.studies.curves import Curve, curve
from etsopt.studies.curves.axes import Axis, corners
from tests.builders import given
from tests.checking.allocation.small import box_by_hand, claim_by_hand, proof_by_hand

CEMENT = "sectors.cement.target_change"
U = 2.0**-53
COARSE = 2.0**-20
"""A unit roundoff that shows how many roundings a margin holds."""


def box_of(instance: etsopt.Instance, line: dict[str, tuple[float, float]]) -> PolicyBox:
    """Return the box of an instance along a line."""
    origin, other = map(as_given, corners(instance, [Axis(line)]))
    return PolicyBox.of(InstanceInputs.of(origin), [InstanceInputs.of(other)], reference_allowances(origin).reference_t)


def segment(ends: Any, allowances: Any, duals: dict[str, Any], units: int) -> Segment:
    """Return a claim without weights."""
    points = np.array(ends, dtype=float)[:, None]
    stated = {name: np.asarray(dual, dtype=float) for name, dual in duals.items()}
    return Segment(points, np.asarray(allowances, dtype=float), stated, np.zeros(units))


@pytest.fixture(scope="module")
def found() -> Curve:
    made = curve(etsopt.read("cn-2025"), {CEMENT: (-0.01, 0.0)})
    assert isinstance(made, Curve)
    assert made.certified_share == 1.0
    return made


def whole_of(box: PolicyBox, duals: dict[str, Any]) -> dict[str, Any]:
    """Return zero duals of the rows of a box."""
    rows = len(box.demands[0].rows)
    return {name: np.zeros((2, rows) if name == "least_squares" else rows) for name in duals}


def test_optimal_ends_prove_nothing_if_a_bound_moves_past_the_reference() -> None:
    # The unit wants 940 t and must get at least 900 t at one end, and 980 t at the other: 940 t and 980 t are optimal
    # there, and in the middle 940 t is allowed, while the chord has 960 t.
    rows = [("a", "e", "cement", "Anhui", 1_000.0, 940.0)]
    policy = {"sectors": {"cement": {"band": {"lower": 0.1, "upper": 0.0}}}, "allocation": {"objectives": ["change"]}}
    box = box_of(given(rows, policy), {"sectors.cement.band.lower": (0.1, 0.02)})
    assert not [*box.bends()]
    duals = whole_of(box, {"change": 0, "least_squares": 0})
    for place, tonnes in ((0.0, 940.0), (1.0, 980.0)):
        assert certify(box, segment((place, place), [[tonnes]] * 2, duals, 1)).certified
    chord = certify(box, segment((0, 1), [[940.0], [980.0]], duals, 1))
    assert chord.meets_limits
    # 20 t of change, and of the tie-break 20 t squared over 1,000 t.
    assert [level.certified for level in chord.levels] == [False, False]
    assert chord.levels[0].gap >= 20.0
    assert chord.levels[1].gap >= 0.4
    # Cut where the bound passes the reference, both parts are proven.
    assert certify(box, segment((0, 0.5), [[940.0], [940.0]], duals, 1)).certified
    assert certify(box, segment((0.5, 1), [[940.0], [980.0]], duals, 1)).certified


def test_pieces_are_proven_and_what_is_changed_of_them_is_refused(found: Curve) -> None:
    solver, piece = found.solver, found.cover.pieces[3]
    claim = solver.claim(piece.region, piece.ends)
    assert certify(solver.box, claim).certified
    priced = int(np.argmax(np.abs(claim.duals["change"])))
    one, other = claim.allowances.copy(), claim.allowances.copy()
    one[0, np.flatnonzero(solver.box.free)[:2]] += (5.0, -5.0)
    other[1] *= 1.0001
    changed = {name: dual.copy() for name, dual in claim.duals.items()}
    changed["change"][priced] *= 1.01
    prices = {name: dual.copy() for name, dual in claim.duals.items()}
    prices["least_squares"] *= 1.001
    nothing = {name: np.full_like(dual, np.nan) for name, dual in claim.duals.items()}
    for forged in (
        replace(claim, allowances=one),
        replace(claim, allowances=other),
        replace(claim, allowances=np.full_like(one, np.nan)),
        replace(claim, duals=changed),
        replace(claim, duals=prices),
        replace(claim, duals=nothing),
        replace(claim, weights=np.zeros_like(claim.weights)),
        *(replace(claim, points=np.array([[0.0], [end]])) for end in (1.5, -0.5, np.inf, np.nan)),
    ):
        assert not certify(solver.box, forged).certified


def test_other_limits_or_references_are_not_those_of_a_piece(found: Curve) -> None:
    solver, piece = found.solver, found.cover.pieces[3]
    claim, box = solver.claim(piece.region, piece.ends), solver.box
    one, other = box.demands
    wider = replace(other, rows=replace(other.rows, most=other.rows.most * 1.001))
    assert not certify(replace(box, demands=(one, wider)), claim).certified
    assert not certify(replace(box, reference=box.reference + np.arange(len(box.reference)) % 7), claim).certified
    moved = replace(one, lower=one.lower + 200.0), replace(other, lower=other.lower + 200.0)
    assert not certify(replace(box, demands=moved), claim).certified


def test_a_piece_beyond_its_end_is_refused_or_right(found: Curve) -> None:
    solver, refused = found.solver, 0
    for piece, after in zip(found.cover.pieces, found.cover.pieces[1:], strict=False):
        far = np.array([after.start + (after.end - after.start) / 2])
        ends = (np.array([piece.start]), far)
        if solver.certified(piece.region, ends).certified:
            # Then it is the answer there too.
            assert np.allclose(
                solver.allowances(piece.region, [far])[0], found.at(found.axis.shown(far[0])).allowance_t
            )
        else:
            refused += 1
    assert refused >= 30


def test_a_chord_over_two_pieces_is_refused_although_its_ends_are_optimal(found: Curve) -> None:
    solver, refused = found.solver, 0
    for piece, after in zip(found.cover.pieces, found.cover.pieces[1:], strict=False):
        first, second = solver.claim(piece.region, piece.ends), solver.claim(after.region, after.ends)
        prices = np.stack([first.duals["least_squares"][0], second.duals["least_squares"][1]])
        joined = Segment(
            np.stack([first.points[0], second.points[1]]),
            np.stack([first.allowances[0], second.allowances[1]]),
            {**first.duals, "least_squares": prices},
            first.weights,
        )
        refused += not certify(solver.box, joined).certified
    assert refused == len(found.cover.pieces) - 1


def test_infeasibility_is_proven_between_its_ends_and_nowhere_else() -> None:
    made = curve(etsopt.read("cn-2025"), {"sectors.steel.target_change": (-0.01, 0.0)})
    assert isinstance(made, Curve)
    (stretch,) = made.cover.stretches
    box = made.solver.box
    inside = np.array([[stretch.proven_start], [stretch.proven_end]])
    assert infeasible_by_t(box, inside, stretch.dual) > 0
    assert infeasible_by_t(box, np.array([[0.0], [0.5]]), stretch.dual) == 0
    assert infeasible_by_t(box, inside, -stretch.dual) == 0
    assert infeasible_by_t(box, inside, np.full_like(stretch.dual, np.nan)) == 0
    # Larger multipliers prove no more: a tonne of a relaxed limit counts once.
    larger = infeasible_by_t(box, inside, 1e3 * stretch.dual)
    assert larger <= infeasible_by_t(box, inside, np.sign(stretch.dual)) * (1 + 1e-9)


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Margins for rounding billions of times as large, so that each shows."""
    monkeypatch.setattr(arithmetic, "ROUNDOFF", COARSE)
    monkeypatch.setattr(segments, "ROUNDOFF", COARSE)


def roundings(found: float, exact: float) -> float:
    """Return what is added to an exact number, in units of a coarse roundoff."""
    return (found - exact) / COARSE


def pair_of(*numbers: float) -> list[np.ndarray]:
    """One number of one unit at each end."""
    return [np.array([number], dtype=float) for number in numbers]


# What is proven of a segment


@pytest.mark.parametrize(("gap", "proven"), [(0.0, True), (0.5, True), (0.501, False), (-1e-9, False), (nan, False)])
def test_a_gap_from_zero_to_its_tolerance_is_proven(gap: float, proven: bool) -> None:
    level = LevelBound("change", "t", (1.0, 2.0), gap, 0.5)
    assert level.certified is proven
    assert SegmentVerdict((level,), 0.0, True).certified is proven
    assert not SegmentVerdict((level,), 0.0, False).certified


def test_a_segment_is_proven_if_all_its_objectives_are() -> None:
    good, bad = (LevelBound("change", "t", (1.0, 2.0), gap, 0.5) for gap in (0.5, 0.6))
    assert SegmentVerdict((good, good), 0.0, True).certified
    assert not SegmentVerdict((good, bad), 0.0, True).certified


def of_one_unit(points: tuple[float, float], answers: tuple[float, float]) -> SegmentVerdict:
    """A unit with a reference of 90 t and limits that stay, whatever the place."""
    box = box_by_hand()
    return certify(box, claim_by_hand(box, [[answer] for answer in answers], points))


@pytest.mark.parametrize("points", [(0.0, 1.0), (1.0, 0.0), (0.5, 0.5)])
def test_what_stays_at_its_reference_is_proven_at_every_place_of_the_box(points: tuple[float, float]) -> None:
    found = of_one_unit(points, (90.0, 90.0))
    assert found.certified
    assert found.misses_t == 0
    assert [level.name for level in found.levels] == ["change", "least_squares"]


@pytest.mark.parametrize("points", [(-0.1, 0.5), (0.5, 1.1), (nan, 0.5), (0.5, inf)])
def test_a_segment_that_leaves_the_box_is_not_looked_at(points: tuple[float, float]) -> None:
    # The limits stay whatever the place, so that the claim would be proven.
    assert of_one_unit(points, (90.0, 90.0)) == SegmentVerdict((), inf, False)


@pytest.mark.parametrize("end", [0, 1])
@pytest.mark.parametrize("unit", [0, 1])
@pytest.mark.parametrize("side", ["lower", "upper"])
def test_a_unit_may_miss_its_bound_by_a_kilogram(side: str, unit: int, end: int) -> None:
    # Both units are at 0 t, beyond a bound of one of them at one end.
    for missed, met in ((0.001, True), (0.0011, False)):
        bounds = np.zeros((2, 2))
        bounds[end, unit] = missed if side == "lower" else -missed
        sides = {"lower": [[-9.0] * 2] * 2, "upper": [[9.0] * 2] * 2} | {side: bounds}
        box = box_by_hand(
            e=[100.0] * 2, r=[0.0] * 2, target=[[0.0] * 2] * 2, units=[[0, 1]], least=[[-inf]] * 2, **sides
        )
        found = certify(box, claim_by_hand(box, np.zeros((2, 2))))
        assert found.meets_limits is met
        assert found.misses_t == missed


@pytest.mark.parametrize("end", [0, 1])
@pytest.mark.parametrize("row", [0, 1])
def test_a_row_may_be_missed_by_20_kg_with_what_its_limit_is_rounded(row: int, end: int) -> None:
    rounding = np.zeros(2)
    rounding[row] = 0.01
    for missed, met in ((0.0099, True), (0.0101, False)):
        most = np.full((2, 2), 100.0)
        most[end, row] = 90.0 - missed
        box = box_by_hand(units=[[0], [0]], least=[[0.0] * 2] * 2, most=most, rounding_t=rounding)
        found = certify(box, claim_by_hand(box, [[90.0]] * 2))
        assert found.meets_limits is met
        assert found.misses_t == pytest.approx(missed + 0.01, rel=1e-9)
    whole = box_by_hand(rounding_t=[0.02])
    assert certify(whole, claim_by_hand(whole, [[90.0]] * 2)).meets_limits


# Objectives, and what they are measured by

MANY: dict[str, Any] = {
    "e": [100.0, 50.0, 250.0],
    "r": [90.0, 60.0, 240.0],
    "lower": [[80.0, 40.0, 200.0]] * 2,
    "upper": [[120.0, 70.0, 300.0]] * 2,
    "target": [[95.0, 55.0, 260.0], [97.0, 55.0, 255.0]],
    "units": [[0, 1], [1, 2]],
    "least": [[0.0, -inf]] * 2,
    "most": [[inf, 1000.0]] * 2,
    "objectives": ("largest_change", "change", "deficit", "spread"),
}
OF_MANY = [[95.0, 57.0, 250.0], [94.0, 60.0, 245.0]]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        # Of rates of 5 %, 6 % and 4 %, and 4 %, 0 % and 2 %.
        ("largest_change", (0.06, 0.04)),
        ("change", (5 + 3 + 10, 4 + 0 + 5)),
        ("deficit", (5 + 0 + 0, 6 + 0 + 5)),
        ("spread", (0 + 2 + 10, 3 + 5 + 10)),
        ("least_squares", (25 / 100 + 9 / 50 + 100 / 250, 16 / 100 + 25 / 250)),
    ],
)
def test_the_values_of_objectives_are_those_of_the_answers(name: str, values: tuple[float, float]) -> None:
    proof = proof_by_hand(OF_MANY, **MANY)
    assert [proof._value(name, end) for end in proof.ends] == pytest.approx(values, rel=1e-14)


def test_objectives_are_kinked_where_they_are_measured_from() -> None:
    proof = proof_by_hand(OF_MANY, weights=[2.0, -1.0, 4.0], **MANY)
    # 2 * 100 + 4 * 250 = 1,200; a weight below zero is none.
    weights = [2 / 1200, 0.0, 4 / 1200]
    assert proof.weights.tolist() == pytest.approx(weights)
    found = {name: proof._piece(name) for name in ("largest_change", "change", "deficit", "spread")}
    slopes = {name: (np.ravel(one.left).tolist(), np.ravel(one.right).tolist()) for name, one in found.items() if one}
    falling, rising = slopes.pop("largest_change")
    assert falling == pytest.approx([-weight for weight in weights])
    assert rising == pytest.approx(weights)
    assert slopes == {"change": ([-1.0], [1.0]), "deficit": ([-1.0], [0.0]), "spread": ([-1.0], [1.0])}
    kinks = {name: [kink.tolist() for kink in one.kinks] for name, one in found.items() if one}
    assert kinks == {
        "largest_change": [MANY["r"]] * 2,
        "change": [MANY["r"]] * 2,
        "deficit": [MANY["e"]] * 2,
        "spread": MANY["target"],
    }
    assert proof._piece("least_squares") is None
    assert [one.times for one in found.values() if one] == [1.0] * 4
    assert _Piece((), -2.0, 1.0, 3.0).steepest == _Piece((), -1.0, 2.0, 3.0).steepest == 6.0


def test_duals_of_rates_are_those_of_tonnes_over_all_emissions() -> None:
    duals = {"change": [2.0, 3.0], "spread": [2.0, 3.0], "least_squares": [[1.0, 2.0], [3.0, 4.0]]}
    proof = proof_by_hand(OF_MANY, duals=duals, **MANY)
    for name, known, scale in (
        ("change", [[2.0, 3.0]] * 2, 1.0),
        ("spread", [[800.0, 1200.0]] * 2, 400.0),
        ("least_squares", [[1.0, 2.0], [3.0, 4.0]], 1.0),
    ):
        found, divisor = proof._duals(name)
        assert found.tolist() == known
        assert divisor == scale


@pytest.mark.parametrize(
    ("name", "values", "tolerance"),
    [
        # The rate may sag anywhere.
        ("largest_change", (0.9, 0.8), 2e-10),
        # The first unit passes its reference: of 3e8 t and 1e8 t twice the less, beside 6e8 t; the others stay above.
        ("change", (9e8, 8e8), 0.6),
        ("change", (8e8, 9e8), 0.6),
        ("change", (9e8, 1e8), 0.02),
        # The same of 1e9 t of emissions.
        ("spread", (0.9, 0.8), 6e-10),
        ("spread", (0.9, 0.1), 2e-10),
        # A quarter of the squares of the moves of 4e8 t, 3e8 t and none: 1.6e17 / 4e8 + 9e16 / 3e8 = 7e8.
        ("least_squares", (9e9, 8e9), 7.825),
        ("least_squares", (9e9, 1e8), 1e-6),
    ],
)
def test_a_tolerance_is_that_of_the_least_value_between_the_ends(
    name: str, values: tuple[float, float], tolerance: float
) -> None:
    of = {"e": [4e8, 3e8, 3e8], "r": [0.0] * 3, "target": [[0.0] * 3] * 2, "objectives": ("change", "spread")}
    wide: dict[str, Any] = {"lower": [[-1e9] * 3] * 2, "upper": [[1e9] * 3] * 2}
    proof = proof_by_hand([[-3e8, 1e8, 0.5], [1e8, 4e8, 0.5]], **of, **wide)
    scale = 1e9 if name == "spread" else 1.0
    assert proof._tolerance(name, values, scale) == pytest.approx(tolerance, rel=1e-13, abs=0.0)


# The sum over units


def at_points(proof: _Certificate, *parts: Any) -> list[float]:
    """The terms of one unit for the pairs of ends."""
    return proof._at_points(*parts)[:, 0].tolist()


SLOPES = [
    # Kinks at both ends, slopes on their sides, and a factor: points right of both, on the first and left of the
    # second, right of one alone, and on both. What falls below them is 3 - 4 + 0.5 + 0.25 - 2 = -2.25 per tonne, and
    # above them 3 - 4 - 0.5 - 0.25 + 2 = 0.25.
    _Piece(pair_of(90, 90), -2.0, 3.0),
    _Piece(pair_of(95, 100), -1.0, 1.0, 4.0),
    _Piece(pair_of(90, 98), -1.0, 1.0, 0.5),
    _Piece(pair_of(96, 96), -1.0, 1.0, 0.25),
    _Piece(pair_of(95, 97), -1.0, 1.0, 2.0),
]
BASES, PRICES, NO_SIZES = pair_of(95, 97), pair_of(-5.75, 3.75), pair_of(0, 0)


@pytest.mark.parametrize(
    ("r", "squared", "terms"),
    [
        # Below the point 3.5 per tonne at the first end, over 10 t and 11 t; above it 3.5 at the second, over 5 t and
        # 7 t; the answer is 1 t and 2 t from the point, times all slopes: 9.75 + 5.75 and 9.75 + 3.75.
        (90.0, False, [35 + 15.5, 24.5 + 27, 38.5 + 31, 17.5 + 13.5]),
        # The tie-break has slopes of 0.1 and 0.14 at the points, and of 0.08 and 0.18 at the answers.
        (90.0, True, [36 + 15.68, 3.36 * 7 + 27.64, 39.6 + 31.36, 3.36 * 5 + 13.82]),
        # Of -0.3 and -0.26, and of -0.32 and -0.22.
        (110.0, True, [32 + 16.12, 3.76 * 7 + 27.96, 35.2 + 32.24, 3.76 * 5 + 13.98]),
    ],
)
def test_slopes_of_one_end_meet_rooms_of_the_other(r: float, squared: bool, terms: list[float]) -> None:
    proof = proof_by_hand([[94.0], [99.0]], r=[r], lower=[[85.0], [86.0]], upper=[[100.0], [104.0]])
    assert at_points(proof, BASES, SLOPES, PRICES, NO_SIZES, squared) == pytest.approx(terms, rel=1e-12)


def test_no_room_is_below_zero() -> None:
    proof = proof_by_hand([[99.0], [99.0]], lower=[[97.0], [98.0]], upper=[[99.0], [99.5]])
    # The point is below the interval, and no price of the second end is above its slope there.
    assert at_points(proof, BASES, SLOPES, pair_of(-6, -6), NO_SIZES, False) == pytest.approx([63.0, 31.5, 31.5, 63.0])
    above = at_points(proof, pair_of(101, 100), [_Piece(pair_of(0, 0), 0.0, 0.0)], pair_of(4, 4), NO_SIZES, False)
    assert above == pytest.approx([8.0, 4.0, 4.0, 8.0])


def test_slopes_that_cancel_leave_the_rounding_of_all_that_they_are_made_of() -> None:
    proof = proof_by_hand(
        [[95.0], [111.0]], e=[128.0], r=[79.0], lower=[[85.0], [100.0]], upper=[[100.0], [118.0]], units=[[0], [0]],
        least=[[0.0] * 2] * 2, most=[[1e3] * 2] * 2,
    )  # fmt: skip
    # The unit is in two rows and in one function besides the tie-break, which has slopes of 0.25 and 0.5.
    piece, prices, sizes = _Piece(pair_of(95, 111), -3.0, 1.0), pair_of(-2.75, 1.5), pair_of(5, 7)
    first, second = (22 * size + 15 * 3 + 10 * bend for size, bend in ((5, 0.25), (7, 0.5)))
    known = [1.01 * U * part for part in (first * 10, second * 7, first * 11, second * 5)]
    found = at_points(proof, pair_of(95, 111), [piece], prices, sizes, True)
    assert found == pytest.approx(known, rel=1e-12, abs=0.0)
    plain = at_points(proof, pair_of(95, 111), [piece], pair_of(-3, 1), sizes, False)
    known = [1.01 * U * (22 * size + 15 * 3) * room for size, room in ((5, 10), (7, 7), (5, 11), (7, 5))]
    assert plain == pytest.approx(known, rel=1e-12, abs=0.0)


@pytest.mark.usefixtures("coarse")
def test_a_term_is_rounded_up_16_times_and_no_number_is_infinite() -> None:
    proof = proof_by_hand([[91.0], [91.0]], lower=[[91.0], [91.0]], upper=[[91.0], [91.0]])
    flat = _Piece(pair_of(0, 0), 0.0, 0.0)
    # A tonne beyond both bounds, and a tonne from the answer.
    found = at_points(proof, pair_of(92, 92), [flat], pair_of(1, nan), NO_SIZES, False)
    assert [roundings(found[place], 1.0) for place in (0, 2)] == pytest.approx([16.0, 16.0], rel=1e-3)
    assert found[1] == found[3] == inf


def test_of_several_ends_of_an_interval_the_one_with_less_room_in_sum_counts() -> None:
    # Nearer, farther, as near, nearer and farther within a tonne, and one that the point is beyond.
    old = [np.array([10, 10, 10, 0.5, 0.2, -5.0]), np.array([20, 20, 20, 0.5, 0.7, 3.0])]
    new = [np.array([12, 9, 15, 0.2, 0.5, 2.0]), np.array([17, 22, 15, 0.7, 0.5, -9.0])]
    found = [end.tolist() for end in _nearest([old, new])]
    assert found == [[12, 10, 10, 0.2, 0.2, 2], [17, 20, 20, 0.7, 0.7, -9]]
    assert [end.tolist() for end in _nearest([old, old, new])] == found
    assert [end.tolist() for end in _nearest([old, new, old])] == found
    assert [end.tolist() for end in _nearest([old])] == [end.tolist() for end in old]


def test_the_point_of_a_unit_is_a_bound_or_kink_within_a_gram_of_the_answer() -> None:
    units: dict[str, Any] = {"e": [100.0] * 4, "r": [0.0] * 4, "target": [[0.0] * 4] * 2, "units": [[0, 1, 2, 3]]}
    low, high = [0.0, 9.0, 9.0, -9.0], [20.0, 20.0, 10.0, 20.0]
    gram = 1e-6
    proof = proof_by_hand(
        [[5e-7, 10.0, 10 - 5e-7, 0.0], [5.0] * 4], lower=[low, [0.0] * 4], upper=[high, [20.0] * 4], **units
    )
    kink = np.array([3.0, 10 + 9e-7, 3.0, gram]), np.array([3.0, 3.0, 3.0, 5 + 2 * gram])
    found = [proof._snapped(q, [_Piece(kink, -1.0, 1.0)]).tolist() for q in (0, 1)]
    assert found == [[0.0, 10 + 9e-7, 10.0, gram], [5.0] * 4]
    # An end that the largest rate leaves is a bound as well.
    proof.lowers.append((np.array([5e-7, 10 - 8e-7, 0.0, 9.0]), np.full(4, 5 - 1e-7)))
    assert proof._snapped(0, []).tolist() == [5e-7, 10 - 8e-7, 10.0, 0.0]
    assert proof._snapped(1, []).tolist() == [5 - 1e-7] * 4


def test_a_unit_takes_the_better_of_its_two_points_for_all_pairs_of_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    proof = proof_by_hand(
        [[80.0 + 5e-7] * 3, [90.0 + 5e-7] * 3],
        e=[100.0] * 3, r=[90.0] * 3, target=[[0.0] * 3] * 2, lower=[[80.0] * 3] * 2, upper=[[120.0] * 3] * 2,
        units=[[0, 1, 2]],
    )  # fmt: skip
    # The first unit is better at the bound and at the kink, the second at its answers, and the third as good.
    terms = {
        (80.0, 90.0): [[1, 8, 1], [1, 1, 2], [1, 1, 3], [1, 1, 4]],
        (80.0 + 5e-7, 90.0 + 5e-7): [[0, 2, 4], [0, 2, 3], [0, 2, 2], [5, 2, 1]],
    }

    def at_points(base: Any, *_: Any) -> Any:
        return np.array(terms[base[0][0], base[1][0]], dtype=float)

    monkeypatch.setattr(proof, "_at_points", at_points)
    found = proof._of_units([_Piece(proof.r, -1.0, 1.0)], [], [], False)
    assert list(found) == [(0, 0), (1, 1), (0, 1), (1, 0)] == list(PAIRS)
    assert [*found.values()] == pytest.approx([4.0, 5.0, 6.0, 7.0], rel=1e-12)


# The sum over rows


@pytest.mark.usefixtures("coarse")
def test_a_dual_is_charged_with_the_distance_of_its_row_and_the_rounding_of_its_limit() -> None:
    proof = proof_by_hand([[105.0], [98.0]], least=[[100.0], [96.0]], most=[[inf]] * 2, rounding_t=[0.5])
    found = proof._of_rows(np.array([[2.0], [3.0]]))
    known = {(0, 0): 10 + 1.0, (1, 1): 6 + 1.5, (0, 1): 4 + 1.0, (1, 0): 15 + 1.5}
    assert found == pytest.approx(known, rel=1e-3)
    # The distance of 5 t passes 4 roundings and its sum 8, and all of it 20.
    assert roundings(found[0, 0], 11.0) == pytest.approx(2 * 5 * (4 + 8) + 11 * 20, rel=1e-3)


# The largest rate


def of_rate(answers: Any, weights: Any, sums: Any, values: Any) -> dict[tuple[int, int], float]:
    units = len(answers[0])
    proof = proof_by_hand(
        answers, weights=weights, e=[100.0] * units, r=[90.0] * units, target=[[0.0] * units] * 2,
        lower=[[0.0] * units] * 2, upper=[[200.0] * units] * 2, units=[[*range(units)]],
    )  # fmt: skip
    return proof._of_rate(dict(zip(PAIRS, sums, strict=True)), values)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.usefixtures("coarse")
def test_a_unit_that_moves_less_than_the_largest_rate_is_charged_with_the_difference(sign: int) -> None:
    # Changes of 5 t and 6 t, of 7 t and 9 t at the rate.
    found = of_rate([[90.0 + sign * 5], [90.0 + sign * 6]], [3.0], [0.0, 0.5, 1.0, 2.0], [0.07, 0.09])
    assert [*found.values()] == pytest.approx([0.02, 0.53, 1.03, 2.02], rel=1e-3)
    # Of 2 t and 8 roundings of 12 t, over 100 t, the sum passes 8 roundings, the weights 4 and all of it 20.
    assert roundings(found[0, 0], 0.02) == pytest.approx(0.02 * 32 + 0.12 * 8, rel=1e-3)
    # One that is beyond the rate of another end has nothing to gain.
    assert of_rate([[90.0 + sign * 5], [90.0 + sign * 6]], [3.0], [0.0] * 4, [0.0, 0.0])[0, 0] < 1e-3


@pytest.mark.usefixtures("coarse")
def test_the_sum_of_weights_is_rounded_down() -> None:
    found = of_rate([[95.0, 95.0]] * 2, [1.0, 1.0], [1.0] * 4, [0.05] * 2)
    # 64 roundings of the sum and 4 of each weight; 20 of the quotient, and 8 of 10 t over 100 t of what moves as far.
    assert roundings(found[0, 0], 1.0) == pytest.approx(64 + 4 + 20 + 0.8, rel=1e-3)


@pytest.mark.parametrize("answers", [(95.0, 90.0 - 1e-9), (85.0, 90.0 + 1e-9), (90.0 + 1e-9, 85.0)])
@pytest.mark.parametrize("unit", [0, 1])
def test_a_unit_with_a_weight_that_passes_its_reference_proves_no_rate(unit: int, answers: tuple[float, float]) -> None:
    both = np.array([[95.0, 95.0]] * 2)
    both[:, unit] = answers
    for weights, known in (([1.0, 1.0], inf), ([1.0, 0.0], None), ([0.0, 1.0], None)):
        found = of_rate(both, weights, [0.0] * 4, [0.05] * 2)
        if known or weights[unit]:
            assert [*found.values()] == [inf] * 4
        else:
            assert np.isfinite([*found.values()]).all()


@pytest.mark.parametrize(("first", "last"), [(90.0, 95.0), (95.0, 90.0), (85.0, 90.0), (90.0, 85.0), (90.0, 90.0)])
def test_a_unit_at_its_reference_at_an_end_has_not_passed_it(first: float, last: float) -> None:
    rates = [abs(first - 90) / 100, abs(last - 90) / 100]
    found = of_rate([[first], [last]], [1.0], [0.0] * 4, rates)
    assert [*found.values()] == pytest.approx([0.0] * 4, abs=1e-15)


@pytest.mark.parametrize(("last", "proven"), [(90.0, True), (90.0 - 1e-9, False)])
def test_a_rate_is_not_proven_by_a_unit_that_passes_its_reference_by_no_more_than_rounding(
    last: float, proven: bool
) -> None:
    # The unit gets no more than it must: 95 t, and its reference of 90 t or just less. The sums are within tolerance.
    box = box_by_hand(least=[[95.0], [last]], objectives=("largest_change",))
    claim = claim_by_hand(box, [[95.0], [last]], weights=[1.0], duals={"largest_change": [0.01]})
    verdict = certify(box, claim)
    assert verdict.meets_limits
    assert verdict.levels[0].certified is proven


def test_without_weights_no_rate_is_proven() -> None:
    assert [*of_rate([[95.0]] * 2, [0.0], [0.0] * 4, [0.05] * 2).values()] == [inf] * 4
    assert [*of_rate([[95.0]] * 2, [-1.0], [0.0] * 4, [0.05] * 2).values()] == [inf] * 4
    assert [*of_rate([[95.0]] * 2, [nan], [0.0] * 4, [0.05] * 2).values()] == [inf] * 4


@pytest.mark.usefixtures("coarse")
def test_later_objectives_have_the_intervals_of_the_largest_rate_with_its_rounding() -> None:
    proof = proof_by_hand([[95.0], [82.0]], upper=[[120.0], [120.0]])
    proof._keep_rate([0.06, 0.07])
    (first,), (second,) = proof.lowers[1]
    assert [first, second] == pytest.approx([84.0, 82.0], rel=1e-3)
    assert roundings(first, 84.0) == pytest.approx(-4 * 6 - 4 * 90, rel=1e-3)
    # The answer is inside, whatever the rate.
    assert second == 82.0
    (first,), (second,) = proof.uppers[1]
    assert roundings(first, 96.0) == pytest.approx(4 * 6 + 4 * 90, rel=1e-3)
    assert roundings(second, 97.0) == pytest.approx(4 * 7 + 4 * 90, rel=1e-3)
    proof = proof_by_hand([[95.0], [99.0]])
    proof._keep_rate([0.06, 0.07])
    assert proof.uppers[1][1].tolist() == [99.0]
    assert len(proof.lowers) == len(proof.uppers) == 2


# The bound of an objective


class _Size:
    """Activity of the duals at the units, of which the size alone is asked."""

    def __init__(self, *sizes: float) -> None:
        self.size = np.array(sizes)


def test_an_answer_at_a_place_is_rounded_four_times_with_all_slopes_of_its_unit() -> None:
    proof = proof_by_hand([[-95.0], [60.0]], lower=[[-200.0]] * 2)
    pieces = [_Piece(proof.r, -2.0, 1.0, 3.0), _Piece(proof.r, -1.0, 5.0)]
    # Slopes of 6 and 5, and twice the larger size of 7; the tie-break has 2 * 185 / 100 and 2 * 30 / 100.
    found = proof._rounding(pieces, [_Size(3.0), _Size(7.0)], False, [2.0, 1.0])
    assert found / U == pytest.approx((6 + 5 + 14) * 4 * 95 + 600 * 2, rel=1e-12)
    found = proof._rounding(pieces, [_Size(7.0), _Size(3.0)], True, [1.0, 2.0])
    assert found / U == pytest.approx((6 + 5 + 14 + 3.7) * 4 * 95 + 600 * 2, rel=1e-12)
    other = proof_by_hand([[60.0], [-95.0]], lower=[[-200.0]] * 2)
    assert other._rounding(pieces, [_Size(7.0), _Size(3.0)], True, [1.0, 2.0]) == found


LARGE = dict.fromkeys(PAIRS, 1e6)


def bound_of(
    monkeypatch: pytest.MonkeyPatch,
    units: Any,
    rows: Any = (0.0, 0.0, 0.0, 0.0),
    *,
    name: str = "change",
    rounding: float = 0.0,
    answers: Any = ((95.0,), (97.0,)),
) -> LevelBound:
    """The bound of an objective with stated sums over units and rows."""
    proof = proof_by_hand(answers, objectives=("change", "spread"))
    monkeypatch.setattr(proof, "_of_units", lambda *_: dict(zip(PAIRS, units, strict=True)))
    monkeypatch.setattr(proof, "_of_rows", lambda *_: dict(zip(PAIRS, rows, strict=True)))
    monkeypatch.setattr(proof, "_rounding", lambda *_: rounding)
    return proof._level(name, [])


@pytest.mark.parametrize(
    ("units", "rows", "gap"),
    [
        ((6.0, 2.0, 3.0, 1.0), (0.0, 0.0, 0.0, 0.0), 6.0),
        ((2.0, 6.0, 1.0, 3.0), (0.0, 0.0, 0.0, 0.0), 6.0),
        ((1.0, 2.0, 3.0, 7.0), (0.0, 0.0, 0.0, 0.0), 5.0),
        ((1.0, 2.0, 7.0, 3.0), (0.0, 0.0, 0.0, 0.0), 5.0),
        ((1.0, 2.0, 3.0, 4.0), (1.0, 2.0, 3.0, 2.0), 6.0),
        # Values of 5 t and 7 t of change are no further from the optimum than from zero.
        ((9.0, 8.0, 20.0, 9.0), (0.0, 0.0, 0.0, 0.0), 7.0),
        ((nan, 1.0, 1.0, 1.0), (0.0, 0.0, 0.0, 0.0), inf),
    ],
)
def test_a_gap_is_the_largest_of_both_ends_and_half_of_the_crossed_sums(
    units: Any, rows: Any, gap: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = bound_of(monkeypatch, units, rows)
    assert found.gap == pytest.approx(gap, rel=1e-13)
    assert (found.name, found.unit, found.values, found.tolerance) == ("change", "t", (5.0, 7.0), 0.02)
    shifted = bound_of(monkeypatch, units, rows, rounding=0.25)
    assert shifted.gap == pytest.approx(gap + 0.25, rel=1e-13)


def test_a_gap_of_a_rate_is_that_of_tonnes_over_all_emissions(monkeypatch: pytest.MonkeyPatch) -> None:
    # From 95 t to targets of 95 t, and from 102 t: 0 % and 7 %.
    found = bound_of(monkeypatch, (1.0, 2.0, 3.0, 7.0), name="spread", rounding=1.0, answers=((95.0,), (102.0,)))
    assert (found.name, found.unit, found.values) == ("spread", "rate", (0.0, 0.07))
    assert found.gap == pytest.approx(0.06, rel=1e-13)
    assert found.tolerance == pytest.approx(2e-10)


@pytest.mark.usefixtures("coarse")
def test_a_gap_is_rounded_up_at_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    # Sums are rounded up by 12 and again by 12 as they are divided, the half of crossed ones by 12, and all by 20.
    found = bound_of(monkeypatch, (5.0, 1.0, 1.0, 1.0)).gap
    assert roundings(found, 5.0) == pytest.approx(5 * 44, rel=1e-3)
    found = bound_of(monkeypatch, (1.0, 1.0, 1.0, 9.0)).gap
    assert roundings(found, 5.0) == pytest.approx(5 * 56, rel=1e-3)
    found = bound_of(monkeypatch, (9.0, 9.0, 9.0, 9.0)).gap
    assert roundings(found, 7.0) == pytest.approx(7 * 20, rel=1e-3)


@pytest.mark.usefixtures("coarse")
def test_the_largest_rate_is_bounded_by_its_weighted_sum_and_bounds_units_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proof, asked = proof_by_hand([[95.0], [97.0]], objectives=("largest_change",), weights=[1.0]), []

    def of_rate(sums: Any, values: Any) -> Any:
        asked.append((sums, values))
        return dict(zip(PAIRS, (0.01, 0.02, 0.03, 0.09), strict=True))

    monkeypatch.setattr(proof, "_of_units", lambda *_: dict.fromkeys(PAIRS, 3.0))
    monkeypatch.setattr(proof, "_of_rows", lambda *_: dict.fromkeys(PAIRS, 1.0))
    monkeypatch.setattr(proof, "_rounding", lambda *_: 0.005)
    monkeypatch.setattr(proof, "_of_rate", of_rate)
    monkeypatch.setattr(proof, "_keep_rate", lambda values: asked.append(values))
    found = proof._level("largest_change", [])
    assert (found.name, found.unit, found.values, found.tolerance) == ("largest_change", "rate", (0.05, 0.07), 2e-10)
    # (0.03 + 0.09) / 2, and the rounding of the answer.
    assert roundings(found.gap, 0.065) == pytest.approx(0.06 * 12 + 0.065 * 20, rel=1e-3)
    (sums, values), kept = asked
    assert roundings(sums[0, 1], 4.0) == pytest.approx(4 * 12, rel=1e-3)
    assert [roundings(*pair) for pair in zip(values, (0.05, 0.07), strict=True)] == pytest.approx([0.6, 0.84], rel=1e-3)
    assert kept == values
    (earlier,) = proof.earlier
    assert (earlier.name, earlier.piece, earlier.scale) == ("largest_change", None, 1.0)


@pytest.mark.parametrize(
    ("kept", "y", "times"),
    [
        ([0.5, 2.0], [[1 + 1.0 + 8.0], [2 + 1.0 + 8.0]], [0.5]),
        ([0.5, 0.0], [[1 + 1.0], [2 + 1.0]], [0.5]),
        ([0.0, 2.0], [[1 + 8.0], [2 + 8.0]], []),
        ([0.0, 0.0], [[1.0], [2.0]], []),
        # A dual that supports no side is none.
        ([-1.0, -1.0], [[1.0], [2.0]], []),
    ],
)
def test_earlier_objectives_are_kept_by_their_functions_and_duals_times_a_multiplier(
    kept: list[float], y: Any, times: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    duals = {"change": [2.0], "largest_change": [4.0], "least_squares": [[1.0], [2.0]]}
    proof = proof_by_hand([[95.0], [97.0]], objectives=("change", "largest_change"), duals=duals, weights=[1.0])
    proof._level("change", [])
    proof._level("largest_change", [0.0])
    asked: list[Any] = []

    def of_units(pieces: Any, *parts: Any) -> Any:
        asked.extend([[(piece.kinks, piece.left, piece.right, piece.times) for piece in pieces], *parts])
        return LARGE

    def of_rows(duals: Any) -> Any:
        asked.append(duals.tolist())
        return LARGE

    monkeypatch.setattr(proof, "_of_units", of_units)
    monkeypatch.setattr(proof, "_of_rows", of_rows)
    proof._level("least_squares", kept)
    pieces, prices, sizes, squared, rows = asked
    assert pieces == [(proof.r, -1.0, 1.0, one) for one in times]
    assert rows == [price.tolist() for price in prices] == y
    assert [size.tolist() for size in sizes] == [[pytest.approx(one[0])] for one in y]
    assert squared
    assert [(one.name, one.dual.tolist()) for one in proof.earlier[:2]] == [
        ("change", [[2.0]] * 2),
        ("largest_change", [[4.0]] * 2),
    ]


def test_an_earlier_objective_without_a_multiplier_takes_no_part_whatever_its_duals_are() -> None:
    duals = {"change": [nan]}
    proof = proof_by_hand([[90.0], [90.0]], duals=duals)
    assert proof._level("change", []).gap == inf
    assert proof._level("least_squares", [0.0]).gap < 1e-9
    proof = proof_by_hand([[90.0], [90.0]], duals=duals)
    proof._level("change", [])
    assert proof._level("least_squares", [0.5]).gap == inf


# Multipliers of earlier objectives


def test_more_of_a_multiplier_takes_along_what_its_own_objective_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    proof = proof_by_hand([[95.0], [97.0]], objectives=("change", "deficit", "spread"))
    tables: list[dict[str, list[float]]] = [
        {"change": [], "deficit": [2.0], "spread": [1.0, 3.0], "least_squares": [5.0, 1.0, 2.0]},
        {"change": [], "deficit": [1.0], "spread": [4.0, 2.0], "least_squares": [6.0, 2.0, 0.5]},
    ]
    monkeypatch.setattr(proof, "_kept_at", lambda q: tables[q])
    assert proof._kept() == {
        "change": [],
        "deficit": [2.0],
        # One more of the deficit takes two more of the change along: 4 + (3 - 2) * 2.
        "spread": [6.0, 3.0],
        # 2 + 1.5 * 3, and 6 + (6.5 - 2) * 2 + 1.5 * 6.
        "least_squares": [24.0, 6.5, 2.0],
    }


def test_a_multiplier_is_what_a_later_objective_gains_beyond_the_face_of_an_earlier_one() -> None:
    # The change holds the unit at 90 t, where it loses 2 CNY a tonne below, and its row, which has a dual of 1.
    duals = {"change": [1.0], "least_squares": [[-0.3], [-0.5]]}
    proof = proof_by_hand([[95.0], [95.0]], least=[[95.0], [95.0]], duals=duals)
    assert proof._kept_at(0) == {"change": [], "least_squares": [pytest.approx(0.3)]}
    assert proof._kept_at(1) == {"change": [], "least_squares": [pytest.approx(0.5)]}
    # At its reference, which the change holds on both sides, the unit gains 1 of a deficit and 0.5 of a dual.
    duals = {"change": [0.0], "deficit": [0.5], "least_squares": [[0.0], [0.0]]}
    proof = proof_by_hand([[90.0], [90.0]], objectives=("change", "deficit"), duals=duals)
    assert proof._kept_at(0)["deficit"] == [pytest.approx(1.5)]


def test_the_largest_rate_bounds_the_units_and_is_kept_by_its_row() -> None:
    # A rate of 5 % leaves 85 t to 95 t; the dual of its row keeps the unit at 95 t for a hundredth a tonne.
    duals = {"largest_change": [0.01], "change": [0.0], "least_squares": [[0.0], [0.0]]}
    kwargs: dict[str, Any] = {"objectives": ("largest_change", "change"), "weights": [1.0], "duals": duals}
    proof = proof_by_hand([[95.0], [94.0]], least=[[95.0], [94.0]], **kwargs)
    for q, away in ((0, 5.0), (1, 4.0)):
        kept = proof._kept_at(q)
        assert kept["largest_change"] == []
        assert kept["change"] == [pytest.approx(100.0)]
        # The slope of the tie-break there, over a hundredth.
        assert kept["least_squares"][0] == pytest.approx(2 * away / 100 / 0.01)


# Infeasibility


def missing_box(**changes: Any) -> PolicyBox:
    """A unit of 80 t to 120 t that must get 130 t at one end and 140 t at the other, and at most 60 t and 50 t."""
    return box_by_hand(**{"least": [[130.0], [140.0]], "most": [[60.0], [50.0]]} | changes)


ENDS = np.array([[0.0], [1.0]])


@pytest.mark.parametrize(
    ("dual", "rule", "missed"),
    [
        # Half of the width of the interval, from the middle of it.
        (1.0, "sector_target", 30 - 20),
        (0.5, "sector_target", 5.0),
        (2.0, "sector_target", 10.0),
        (-1.0, "sector_target", 40 - 20),
        (-0.5, "sector_target", 10.0),
        (-2.0, "sector_target", 20.0),
        # No limit of an enterprise is relaxed, so that its multiplier may be any.
        (2.0, "enterprise_band", 20.0),
        (0.0, "sector_target", 0.0),
        (nan, "sector_target", 0.0),
    ],
)
def test_limits_are_missed_by_what_the_duals_prove_at_the_end_that_misses_less(
    dual: float, rule: str, missed: float
) -> None:
    for ends in (ENDS, ENDS[::-1]):
        assert infeasible_by_t(missing_box(rule=rule), ends, np.array([dual])) == pytest.approx(missed, rel=1e-12)
    least = infeasible_by_t(missing_box(), np.array([[0.5], [1.0]]), np.array([1.0]))
    assert least == pytest.approx(15.0)


@pytest.mark.parametrize("points", [(-0.1, 1.0), (0.0, 1.1), (nan, 1.0)])
def test_nothing_is_missed_outside_the_box(points: tuple[float, float]) -> None:
    assert infeasible_by_t(missing_box(), np.array(points)[:, None], np.array([1.0])) == 0.0


def test_limits_are_missed_only_beyond_the_tolerances_of_answers() -> None:
    tolerated = (0.02 + 0.001) * (1 + 1e-6)
    for less, proven in ((1e-9, True), (-1e-9, False)):
        box = missing_box(rounding_t=[10 - tolerated - less])
        assert (infeasible_by_t(box, ENDS, np.array([1.0])) > 0) is proven


@pytest.mark.parametrize(
    ("least", "tolerated", "missed"),
    [((5.0, 7.0), (4.0, 6.5), 5.0), ((5.0, 7.0), (4.0, 7.0), 0.0), ((5.0, 7.0), (5.5, 6.0), 0.0)],
)
def test_each_end_must_miss_its_limits_by_more_than_it_tolerates(
    least: Any, tolerated: Any, missed: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    proofs = iter(Infeasibility(*pair, np.zeros(1)) for pair in zip(least, tolerated, strict=True))
    monkeypatch.setattr(segments, "least_infeasibility", lambda *_: next(proofs))
    assert infeasible_by_t(missing_box(), ENDS, np.array([1.0])) == missed
