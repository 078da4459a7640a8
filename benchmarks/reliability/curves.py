"""Random points of certified curves: the checker's whole check of each, and a solve of its own."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

import etsopt
from benchmarks.reliability.row import Found, Row
from tests.builders import random_instance

if TYPE_CHECKING:
    from collections.abc import Iterable

    from etsopt.studies.curves import Curve

CEMENT, STEEL, BALANCE = "sectors.cement.target_change", "sectors.steel.target_change", "provinces.balance"
LINES: tuple[tuple[dict[str, Any], dict[str, tuple[float, float]]], ...] = (
    ({}, {CEMENT: (-0.01, 0.0)}),
    ({}, {STEEL: (-0.01, 0.0)}),
    ({CEMENT: -0.005}, {BALANCE: (0.003, 0.01)}),
    ({BALANCE: 0.01}, {"national.target_change": (-0.006, 0.0)}),
    ({}, {CEMENT: (0.0, -0.01), STEEL: (0.0, -0.005), BALANCE: (0.004, 0.005)}),
)
"""Changes of `cn-2025`, and the keys of a line with both ends."""

OBJECTIVES = (["change", "largest_change"], ["deficit", "spread"], ["spread", "change"], ["largest_change"])
RANDOM = 1
"""Of ten trials so many are of random instances, each with a curve of its own."""

NEAR_T = 1e-6
"""Distance from a solve of its own, relative to the largest unit in Mt, or in tonnes where that is larger [t]."""


@cache
def line(number: int) -> Curve:
    """Return the curve of a line of `cn-2025`."""
    changes, keys = LINES[number]
    instance = etsopt.read("cn-2025").with_policy(changes)
    found = etsopt.curve(instance, keys) if len(keys) == 1 else etsopt.curve(instance, along=keys)
    assert isinstance(found, etsopt.Curve)
    return found


def of_random(number: int) -> Curve:
    """Return the curve of the cement target of a random instance."""
    enterprise = {"band_on": "enterprise"} if number % 7 == 0 else {}
    instance = random_instance(number, 8 + number % 30, objectives=OBJECTIVES[number % len(OBJECTIVES)], **enterprise)
    found = etsopt.curve(instance, {CEMENT: (-0.02, 0.01)})
    assert isinstance(found, etsopt.Curve)
    return found


def points(numbers: Iterable[int]) -> Found:
    """Compare the answer at a random place of a curve with a solve of its own, for each number."""
    found = Found()
    for number in numbers:
        random = np.random.default_rng(number)
        is_random = number % 10 < RANDOM
        curve = of_random(number) if is_random else line(number % len(LINES))
        place = float(random.uniform(0.0, 1.0))
        outcome, wrong = at(curve, curve.axis.shown(place), place)
        found.tried(number, f"{'random instance' if is_random else 'cn-2025'}: {outcome}", wrong)
        if is_random and not curve.proven:
            found.named(number, f"proven at {100 * curve.certified_share:.6f} % of the length")
    return found


def at(curve: Curve, value: float, place: float) -> tuple[str, str]:
    """Return what happened at a value of a curve, and what is wrong with it."""
    point, own = curve.at(value), curve.solver.results(np.array([place]))
    if point.solved:
        return "solved, since no piece is proven there", ""
    if point.status == "infeasible_certified":
        wrong = "" if own.termination == "infeasible" else f"infeasible at {value}, where a solve is {own.status}"
        return "no allocation", wrong
    if "allocation" not in own.tables:
        return "an allocation", f"certified at {value}, where a solve is {own.status}"
    results = curve.results(value)
    off = float(np.abs(point.allowance_t - own.tables["allocation"]["allowance_t"]).max())
    near = max(NEAR_T, NEAR_T * float(point.allowance_t.max()) / 1e6)
    if not results.certified:
        return "an allocation", f"the whole check says {results.status} at {value}"
    if own.certified and off > near:
        return "an allocation", f"{off:.1e} t from a solve of its own at {value}"
    return "certified, and that of a solve of its own", ""


ROWS = (
    Row(
        "A16",
        "random places of five lines of cn-2025 and of curves of random instances, against the whole check of a run "
        "and a solve of its own",
        "Every answer of a proven piece is certified as a run, and within a millionth of a tonne of a solve of its "
        "own; where a curve says that there is none, a solve finds none.",
        10_000,
        20,
        points,
        chunk=500,
        patience_s=3_000.0,
    ),
)
