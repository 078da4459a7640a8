"""A box of two policies and a claim on it, put together by hand from the parts that the checker has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.checking.allocation.bands import Bands
from etsopt.checking.allocation.limits import Demands
from etsopt.checking.allocation.policy_box import PolicyBox
from etsopt.checking.allocation.rows import CouplingRows
from etsopt.checking.allocation.segments import Segment, _Certificate

if TYPE_CHECKING:
    from collections.abc import Sequence


def rows_over(units: Sequence[Sequence[int]], least: Sequence[float], most: Sequence[float], rule: str) -> CouplingRows:
    """Rows in tonnes over some units each."""
    row, ones = np.repeat(np.arange(len(units)), [len(some) for some in units]), np.ones(sum(map(len, units)))
    names = np.array([f"row {number}" for number in range(len(units))], dtype=object)
    limits = np.array(least, dtype=float), np.array(most, dtype=float)
    position = np.array([unit for some in units for unit in some], dtype=np.int64)
    return CouplingRows(row, position, ones, ones, *limits, np.full(len(units), rule, dtype=object), names)


def demands_of(
    lower: Sequence[float], upper: Sequence[float], target: Sequence[float], rows: CouplingRows, fixed: Sequence[bool]
) -> Demands:
    """Demands without exceptions, enterprises and whole tonnes."""
    low, high, rate = (np.array(part, dtype=float) for part in (lower, upper, target))
    none = np.zeros(len(low))
    bands = Bands(low, high, none, none, low, high, none, none)
    return Demands(np.array(fixed, dtype=bool), False, low, high, rate, rows, bands, np.full(len(low), -1))


def box_by_hand(**changes: Any) -> PolicyBox:
    """A box of one axis; what has two ends is stated for both, and the rows are not rounded unless it is stated."""
    said: dict[str, Any] = {
        "e": [100.0],
        "r": [90.0],
        "lower": [[80.0], [80.0]],
        "upper": [[120.0], [120.0]],
        "target": [[95.0], [95.0]],
        "units": [[0]],
        "least": [[0.0], [0.0]],
        "most": [[1000.0], [1000.0]],
        "rule": "sector_target",
        "objectives": ("change",),
    } | changes
    fixed, ends = said.get("fixed", np.zeros(len(said["e"]), dtype=bool)), []
    for q in (0, 1):
        rows = rows_over(said["units"], said["least"][q], said["most"][q], said["rule"])
        ends.append(demands_of(said["lower"][q], said["upper"][q], said["target"][q], rows, fixed))
    box = PolicyBox((), tuple(ends), np.array(said["r"], dtype=float))
    vars(box).update(
        all_emissions=np.array(said["e"], dtype=float),
        names=(*said["objectives"], "least_squares"),
        rounding_t=np.array(said.get("rounding_t", np.zeros(len(said["units"])))),
        _targets=[demands.at_target_rate for demands in ends],
    )
    return box


def claim_by_hand(box: PolicyBox, answers: Any, points: Any = (0.0, 1.0), **changes: Any) -> Segment:
    """A claim with duals of zero and without weights, unless they are stated."""
    rows = len(box.demands[0].rows)
    duals = {name: np.zeros((2, rows) if name == "least_squares" else rows) for name in box.names}
    duals |= {name: np.array(dual, dtype=float) for name, dual in changes.get("duals", {}).items()}
    weights = np.array(changes.get("weights", np.zeros(len(box.all_emissions))), dtype=float)
    return Segment(np.array(points, dtype=float)[:, None], np.array(answers, dtype=float), duals, weights)


def proof_by_hand(answers: Any, *, duals: Any = None, weights: Any = None, **changes: Any) -> _Certificate:
    """The proof of a claim between both ends of a box."""
    box = box_by_hand(**changes)
    stated = {name: part for name, part in (("duals", duals), ("weights", weights)) if part is not None}
    return _Certificate(box, claim_by_hand(box, answers, **stated))
