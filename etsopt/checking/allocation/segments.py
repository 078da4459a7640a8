r"""Prove an allocation at every place between two, from their ends alone.

A segment joins two points of a box of policies (`policy_box`). On it the answer, bounds, kinks and sides of rows are
affine in the place $x \in [0, 1]$; the duals of the linear objectives are the same at both ends, and those of the
tie-break are affine. With the notation of `certificate`, choose for each unit a point $B_i$, affine in $x$, near the
answer. Let $s^+_i$ and $s^-_i$ bound from above what $h_i$ falls per tonne above and below $B_i$, over both sides of
every kink that the two ends see. A convex function is above its tangents, so at each place

$$Y \le \sum_i \bigl[ s^+_i (\overline A_i - B_i)^+ + s^-_i (B_i - \underline A_i)^+ + \mathrm{Lip}_i\, |A_i - B_i|
  \bigr] + \sum_r |y_r|\, d_r .$$

Every factor is at most an affine function of $x$ between its values at the ends, and zero or more. With $S_{pq}$ the
sum of the first factors of end $p$ times the second ones of end $q$,

$$Y(x) \le (1-x)^2 S_{00} + x^2 S_{11} + x (1-x) (S_{01} + S_{10})
  \le \max \bigl( S_{00},\ S_{11},\ \tfrac12 (S_{01} + S_{10}) \bigr).$$

Two optimal ends alone prove nothing between them: of $\min a^2,\ a \ge t$ on $[-1, 1]$ both ends are optimal, and the
middle of their chord is 1/4 off. The crossed sums see that: they are zero only if no unit and no row has a multiplier
at one end and room at the other.

`largest_change`: with weights $w$ its gap is at most $(Y + \sum_i w_i (v E_i - |A_i - R_i|)) / \sum_i w_i E_i$, and its
value $v$ is convex in $x$ and so below its chord. A unit with a weight must not change sides of $R_i$. Later objectives
have the intervals $R \pm v E$ with the chord, which contain the true ones.

Limits are met between the ends because they are met at both: what misses an affine limit is convex. Tolerances are
those of the least value on the segment. The answer at a place is a rounded number, and so is a limit there: both are
counted. A wrong multiplier, answer or end makes $Y$ large and proves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.checking.allocation.certificate import Kinked, Square
from etsopt.checking.allocation.infeasibility import ELASTIC_ROWS, least_infeasibility
from etsopt.checking.allocation.measures import UNITS
from etsopt.checking.allocation.prover import OptimalFace
from etsopt.checking.arithmetic import ROUNDOFF, gamma, sum_at_most, total, upward
from etsopt.checking.tolerances import (
    MISS_COMPARISON_FACTOR,
    SNAPPED_POINT_T,
    TOTAL_RESOLUTION_RELATIVE,
    UNIT_TOLERANCE_T,
)
from etsopt.common.units import RELATIVE_TOLERANCE, tolerance_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from etsopt.checking.allocation.policy_box import Limits, PolicyBox
    from etsopt.checking.allocation.rows import CouplingRows, Totals
    from etsopt.checking.arrays import Floats

PAIRS = ((0, 0), (1, 1), (0, 1), (1, 0))
"""End of the first factors and of the second ones."""

ANSWER_ROUNDINGS = 4
"""Roundings that the answer at a place between the ends passes."""


@dataclass(frozen=True)
class Segment:
    """A claim: answers at two points of a box of policies, and multipliers that prove all between.

    Parameters
    ----------
    points
        Both ends in the unit box, shape ``(2, axes)``.
    allowances
        Allowances of all units at both ends, shape ``(2, units)`` [t].
    duals
        Duals of the rows by objective: shape ``(rows,)`` of a linear one, ``(2, rows)`` of the tie-break.
    weights
        Weights of all units in the largest rate, shape ``(units,)``.
    """

    points: Floats
    allowances: Floats
    duals: Mapping[str, Floats]
    weights: Floats


@dataclass(frozen=True)
class LevelBound:
    """An objective on a segment: no answer at any place of it is better by more than the gap.

    Parameters
    ----------
    values
        At both ends, in its unit, recomputed from the answer.
    """

    name: str
    unit: str
    values: tuple[float, float]
    gap: float
    tolerance: float

    @property
    def certified(self) -> bool:
        """True if the gap is within its tolerance."""
        return 0 <= self.gap <= self.tolerance


@dataclass(frozen=True)
class SegmentVerdict:
    """What is proven of a segment.

    Parameters
    ----------
    levels
        Objectives in lexicographic order.
    misses_t
        Largest amount by which the answer misses a bound or a row at an end [t].
    meets_limits
        True if that is within the tolerances.
    kept
        Multipliers of the sums of earlier objectives, in their order, that served to bound that of each.
    """

    levels: tuple[LevelBound, ...]
    misses_t: float
    meets_limits: bool
    kept: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @property
    def certified(self) -> bool:
        """True if every place of the segment is proven."""
        return self.meets_limits and all(level.certified for level in self.levels)


@dataclass(frozen=True)
class _End:
    """Limits of an end and the answer there; arrays of adjustable units."""

    limits: Limits
    answer: Floats
    totals: Totals

    @property
    def lower(self) -> Floats:
        return np.minimum(self.limits.lower, self.answer)

    @property
    def upper(self) -> Floats:
        return np.maximum(self.limits.upper, self.answer)


@dataclass(frozen=True)
class _Piece:
    """Kinked functions of the units at both ends, ``max(left * (a - kink), right * (a - kink))`` times a factor."""

    kinks: Sequence[Floats]
    left: Floats | float
    right: Floats | float
    times: float = 1.0

    @property
    def steepest(self) -> Floats | float:
        slope: Floats | float = self.times * np.maximum(np.abs(self.left), np.abs(self.right))
        return slope


@dataclass(frozen=True)
class _Earlier:
    """An earlier objective: its functions, None if intervals keep it, duals of its sum, and the divisor of that."""

    name: str
    piece: _Piece | None
    dual: Floats
    scale: float


def certify(box: PolicyBox, segment: Segment) -> SegmentVerdict:
    """Bound every objective at every place of a segment; NaN, infinity and points outside the box prove nothing."""
    if not np.all((segment.points >= 0) & (segment.points <= 1)):
        return SegmentVerdict((), np.inf, meets_limits=False)
    with np.errstate(all="ignore"):
        return _Certificate(box, segment).verdict()


class _Certificate:
    """The proof of one segment, objective by objective."""

    def __init__(self, box: PolicyBox, segment: Segment) -> None:
        self.box, self.segment = box, segment
        self.e, self.free = box.emissions, box.free
        ends = []
        for point, allowance in zip(segment.points, segment.allowances, strict=True):
            limits = box.at(point)
            ends.append(_End(limits, allowance[self.free], limits.rows.totals(allowance)))
        self.ends = ends
        self.rows: CouplingRows = ends[0].limits.rows
        self.kinks = {name: tuple(end.limits.kinks[name] for end in ends) for name in ("change", "deficit", "spread")}
        self.r = self.kinks["change"]
        weights = np.maximum(segment.weights[self.free], 0.0)
        self.weights = weights / max(float(np.sum(weights * self.e)), 1e-300)
        # Ends of the intervals, of which any may bound a unit.
        self.lowers = [tuple(end.lower for end in ends)]
        self.uppers = [tuple(end.upper for end in ends)]
        self.earlier: list[_Earlier] = []

    def verdict(self) -> SegmentVerdict:
        kept = self._kept()
        levels = tuple(self._level(name, kept[name]) for name in self.box.names)
        of_rows = [end.limits.rows.misses(end.totals) + self.box.rounding_t for end in self.ends]
        of_units = [np.maximum(end.limits.lower - end.answer, end.answer - end.limits.upper) for end in self.ends]
        # NaN is within no tolerance.
        within = [np.all(missed <= self.rows.tolerance) for missed in of_rows]
        within += [np.all(missed <= UNIT_TOLERANCE_T) for missed in of_units]
        misses = float(np.max(np.concatenate([*of_rows, *of_units]), initial=0.0))
        return SegmentVerdict(levels, misses, all(within), kept)

    def _duals(self, name: str) -> tuple[Floats, float]:
        """Return the duals of an objective's sum at both ends, shape ``(2, rows)``, and the divisor of the sum."""
        scale = max(float(self.e.sum()), 1e-300) if name == "spread" else 1.0
        return np.broadcast_to(self.segment.duals[name], (2, len(self.rows))) * scale, scale

    def _piece(self, name: str) -> _Piece | None:
        """Return the functions that an objective sums; None for the tie-break, which is no kink."""
        if name == "least_squares":
            return None
        if name == "largest_change":
            return _Piece(self.r, -self.weights, self.weights)
        return _Piece(self.kinks[name], -1.0, 0.0 if name == "deficit" else 1.0)

    def _level(self, name: str, kept: Sequence[float]) -> LevelBound:
        """Bound an objective, and fix it at its value for the later ones."""
        (duals, scale), own = self._duals(name), self._piece(name)
        y, pieces = duals, [] if own is None else [own]
        for times, earlier in zip(kept, self.earlier, strict=True):
            if times > 0:
                y = y + times * earlier.dual
                if earlier.piece is not None:
                    pieces.append(_Piece(earlier.piece.kinks, earlier.piece.left, earlier.piece.right, times))
        y = np.stack([end.limits.rows.supported_duals(dual) for end, dual in zip(self.ends, y, strict=True)])
        activities = [self.rows.dual_activity(dual, len(self.free)).of(self.free) for dual in y]
        squared = name == "least_squares"
        units = self._of_units(pieces, [a.at_unit for a in activities], [a.size for a in activities], squared)
        rows = self._of_rows(y)
        sums = {pair: upward(units[pair] + rows[pair], 4) for pair in PAIRS}
        values = [self._value(name, end) / scale for end in self.ends]
        if name == "largest_change":
            sums = self._of_rate(sums, [upward(value, 4) for value in values])
        else:
            sums = {pair: upward(part / scale, 4) for pair, part in sums.items()}
        form = max(sums[0, 0], sums[1, 1], upward((sums[0, 1] + sums[1, 0]) / 2, 4))
        rounding = self._rounding(pieces, activities, squared, values) / scale
        # No objective is below zero, and none of these convex ones is above the larger of its ends.
        gap = min(upward(form + rounding, 8), upward(max(values) + rounding, 8))
        stated = name, UNITS[name], (values[0], values[1])
        tolerance = self._tolerance(name, values, scale)
        self.earlier.append(_Earlier(name, None if name == "largest_change" else own, duals, scale))
        if name == "largest_change":
            self._keep_rate([upward(value, 4) for value in values])
        return LevelBound(*stated, gap if np.isfinite(gap) else np.inf, tolerance)

    def _of_rows(self, y: Floats) -> dict[tuple[int, int], float]:
        """Return the sums over rows of dual times distance from the side that it supports, for each pair of ends."""
        sums = {}
        for p, q in PAIRS:
            end, worth = self.ends[q], float(np.sum(np.abs(y[p]) * self.box.rounding_t))
            sums[p, q] = upward(end.limits.rows.gap(end.totals, y[p]) + worth, 8)
        return sums

    def _of_units(
        self, pieces: Sequence[_Piece], prices: Sequence[Any], sizes: Sequence[Any], squared: bool
    ) -> dict[tuple[int, int], float]:
        """Return the sums over units for each pair of ends, each unit at the better of two points."""
        snapped = [self._snapped(q, pieces) for q in (0, 1)]
        best = self._at_points(snapped, pieces, prices, sizes, squared)
        plain = self._at_points([end.answer for end in self.ends], pieces, prices, sizes, squared)
        better = plain.sum(axis=0) < best.sum(axis=0)
        best = np.where(better, plain, best)
        return {pair: sum_at_most(part) for pair, part in zip(PAIRS, best, strict=True)}

    def _snapped(self, q: int, pieces: Sequence[_Piece]) -> Floats:
        """Return the answer at an end, or a kink or bound next to it."""
        answer = base = self.ends[q].answer
        for place in (*(side[q] for side in (*self.lowers, *self.uppers)), *(piece.kinks[q] for piece in pieces)):
            base = np.where(np.abs(answer - place) <= SNAPPED_POINT_T, place, base)
        return base

    def _at_points(  # long because slopes, rooms and their rounding belong together
        self,
        base: Sequence[Floats],
        pieces: Sequence[_Piece],
        prices: Sequence[Floats],
        sizes: Sequence[Floats],
        squared: bool,
    ) -> Floats:
        """Return the terms of every unit for each pair of ends, with slopes from its point, shape ``(4, units)``."""
        left, right, steep = np.zeros(len(self.e)), np.zeros(len(self.e)), np.zeros(len(self.e))
        for piece in pieces:
            falls = [np.where(base[q] > piece.kinks[q], piece.right, piece.left) for q in (0, 1)]
            rises = [np.where(base[q] >= piece.kinks[q], piece.right, piece.left) for q in (0, 1)]
            left = left + piece.times * np.maximum(*falls)
            right = right + piece.times * np.minimum(*rises)
            steep = steep + piece.steepest
        down, up, off, uncertain = [], [], [], []
        for p in (0, 1):
            bend = 2 * (base[p] - self.r[p]) / self.e if squared else np.zeros(len(self.e))
            moved = 2 * np.abs(self.ends[p].answer - self.r[p]) / self.e if squared else np.zeros(len(self.e))
            noise = gamma(self.rows.most_of_unit + 20) * sizes[p] + gamma(len(pieces) + 14) * steep
            noise = 1.01 * (noise + gamma(10) * np.abs(bend))
            down.append(np.maximum(left + bend - prices[p] + noise, 0.0))
            up.append(np.maximum(prices[p] - right - bend + noise, 0.0))
            off.append(np.abs(self.ends[p].answer - base[p]))
            uncertain.append(steep + np.abs(prices[p]) + np.abs(bend) + moved)
        below = _nearest([[base[q] - lower[q] for q in (0, 1)] for lower in self.lowers])
        above = _nearest([[upper[q] - base[q] for q in (0, 1)] for upper in self.uppers])
        terms = [
            down[p] * np.maximum(below[q], 0.0) + up[p] * np.maximum(above[q], 0.0) + uncertain[p] * off[q]
            for p, q in PAIRS
        ]
        return np.stack([np.where(np.isfinite(term), term * (1 + 16 * ROUNDOFF), np.inf) for term in terms])

    def _of_rate(self, sums: Mapping[tuple[int, int], float], values: Sequence[float]) -> dict[tuple[int, int], float]:
        """Return the gap of the largest rate from that of its weighted sum, for each pair of ends."""
        weights, away = self.weights, [end.answer - r for end, r in zip(self.ends, self.r, strict=True)]
        sign = np.sign(away[0] + away[1])
        if np.any((weights > 0) & ((sign * away[0] < 0) | (sign * away[1] < 0))):
            return dict.fromkeys(PAIRS, np.inf)
        all_weight, error = total(weights * self.e)
        all_weight -= error + gamma(4) * all_weight
        if not all_weight > 0:
            return dict.fromkeys(PAIRS, np.inf)
        found = {}
        for p, q in PAIRS:
            most, change = values[q] * self.e, sign * away[q]
            own = sum_at_most(weights * (np.maximum(most - change, 0.0) + gamma(8) * (most + np.abs(change))))
            found[p, q] = upward((sums[p, q] + own) / all_weight, 8)
        return found

    def _keep_rate(self, values: Sequence[float]) -> None:
        """Add the intervals that the chord of the largest rate leaves to later objectives."""
        lower, upper = [], []
        for value, r, end in zip(values, self.r, self.ends, strict=True):
            room = value * self.e * (1 + 4 * ROUNDOFF) + 4 * ROUNDOFF * np.abs(r)
            lower.append(np.minimum(r - room, end.answer))
            upper.append(np.maximum(r + room, end.answer))
        self.lowers.append(tuple(lower))
        self.uppers.append(tuple(upper))

    def _rounding(
        self, pieces: Sequence[_Piece], activities: Sequence[Any], squared: bool, values: Sequence[float]
    ) -> float:
        """Return what the rounding of the answer at a place may cost an objective's sum."""
        steep = np.zeros(len(self.e))
        for piece in pieces:
            steep = steep + piece.steepest
        if squared:
            one, other = (np.abs(2 * (end.answer - r) / self.e) for end, r in zip(self.ends, self.r, strict=True))
            steep = steep + np.maximum(one, other)
        steep = steep + 2 * np.maximum(activities[0].size, activities[1].size)
        tonnes = np.maximum(np.abs(self.ends[0].answer), np.abs(self.ends[1].answer))
        return sum_at_most(steep * ANSWER_ROUNDINGS * ROUNDOFF * tonnes) + gamma(600) * max(values)

    def _value(self, name: str, end: _End) -> float:
        """Return the value of an objective's sum at an end."""
        away = end.answer - end.limits.kinks["change" if name not in self.kinks else name]
        if name == "least_squares":
            return float(np.sum(away**2 / self.e))
        if name == "largest_change":
            return float(np.max(np.abs(away) / self.e, initial=0.0))
        return float(np.sum(np.maximum(-away, 0.0) if name == "deficit" else np.abs(away)))

    def _tolerance(self, name: str, values: Sequence[float], scale: float) -> float:
        """Return the tolerance of the gap at the least value of the segment: its chord less the most that it sags."""
        if name == "largest_change":
            # A largest of convex values may sag anywhere; its tolerance is then the least.
            return tolerance_of(0.0, UNITS[name])
        if name == "least_squares":
            sag = float(np.sum((self.ends[1].answer - self.ends[0].answer) ** 2 / self.e)) / 4
            return max(
                RELATIVE_TOLERANCE * max(min(values) - sag, 0.0), TOTAL_RESOLUTION_RELATIVE * float(np.sum(self.e))
            )
        first, last = (end.answer - end.limits.kinks[name] for end in self.ends)
        crossing = first * last < 0
        sag = 2 * float(np.sum(np.minimum(np.abs(first), np.abs(last))[crossing])) / scale
        return tolerance_of(max(min(values) - sag, 0.0), UNITS[name])

    def _kept(self) -> dict[str, list[float]]:
        """Return for every objective multipliers of the earlier ones that serve both ends; nothing here needs trust.

        More of one multiplier costs nothing only together with those that its own objective needs: one more of level k
        is one more of its certificate, which holds earlier ones too.
        """
        tables = [self._kept_at(q) for q in (0, 1)]
        kept: dict[str, list[float]] = {}
        names = self.box.names
        for place, name in enumerate(names):
            found = [0.0] * place
            for j in reversed(range(place)):
                found[j] = max(
                    table[name][j] + sum((found[k] - table[name][k]) * kept[names[k]][j] for k in range(j + 1, place))
                    for table in tables
                )
            kept[name] = found
        return kept

    def _kept_at(self, q: int) -> dict[str, list[float]]:
        """Return the multipliers of earlier objectives that the duals imply at an end."""
        end = self.ends[q]
        limits = end.limits
        reach = self.rows.reach(self.box.all_emissions)
        face = OptimalFace(limits.lower, limits.upper, limits.rows.least, limits.rows.most, reach, self.e)
        nothing, found = Kinked(self.r[q], 0.0, 0.0), {}
        for name in self.box.names:
            dual = self._duals(name)[0][q]
            activity = self.rows.dual_activity(dual, len(self.free)).at_unit[self.free]
            own = self._piece(name)
            piece = nothing if own is None else Kinked(own.kinks[q], own.left, own.right)
            if name == "least_squares":
                slopes = face.slopes_of_square(Square(self.e, self.r[q]), activity, dual)
            else:
                slopes = face.slopes(piece, activity, dual)
            found[name] = face.multipliers(slopes)
            if name == "largest_change":
                room = self._value(name, end) * self.e
                face.restrict(self.r[q] - room, self.r[q] + room)
                piece = nothing
            face.fix_at_optimum(piece, activity, dual)
        return found


def _nearest(rooms: Sequence[Sequence[Floats]]) -> list[Floats]:
    """Return for each unit the rooms at both ends to the one of several valid ends with less room in sum."""
    best = list(rooms[0])
    for room in rooms[1:]:
        nearer = np.maximum(room[0], 0) + np.maximum(room[1], 0) < np.maximum(best[0], 0) + np.maximum(best[1], 0)
        best = [np.where(nearer, new, old) for new, old in zip(room, best, strict=True)]
    return best


def infeasible_by_t(box: PolicyBox, points: Floats, dual: Floats) -> float:
    """Return the tonnes by which limits are missed everywhere between points, at least; zero if that is not proven.

    With fixed duals the bound of `infeasibility` is affine in the point, so that it holds between points, shape
    ``(points, axes)``, if it does at each.
    """
    if not np.all((points >= 0) & (points <= 1)):
        return 0.0
    rows = box.demands[0].rows
    dual = np.where(np.isin(rows.rule, ELASTIC_ROWS), np.clip(dual, -1.0, 1.0), dual)
    misses = MISS_COMPARISON_FACTOR * rows.tolerance + box.rounding_t
    proofs = [
        least_infeasibility(box.demands_at(point), dual, misses, MISS_COMPARISON_FACTOR * UNIT_TOLERANCE_T)
        for point in points
    ]
    beyond = min(proof.least - proof.tolerated for proof in proofs)
    return min(proof.least for proof in proofs) if beyond > 0 else 0.0
