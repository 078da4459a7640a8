"""A segment is proven at every place or not at all: ends that are optimal prove nothing between them by themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import etsopt
from etsopt.checking.allocation.policy_box import PolicyBox
from etsopt.checking.allocation.segments import Segment, certify, infeasible_by_t
from etsopt.curves import Curve, curve
from etsopt.curves.axes import Axis, corners
from etsopt.readings.given import Given
from etsopt.rules import as_given, reference_allowances
from tests.builders import given

CEMENT = "sectors.cement.target_change"


def box_of(instance: etsopt.Instance, line: dict[str, tuple[float, float]]) -> PolicyBox:
    """Return the box of an instance along a line."""
    origin, other = map(as_given, corners(instance, [Axis(line)]))
    return PolicyBox.of(Given.of(origin), [Given.of(other)], reference_allowances(origin).reference_t)


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
