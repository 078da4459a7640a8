r"""Bound the distance of an answer from the optimum in real numbers, for any multipliers.

Objectives are sums over units of convex functions $\phi_i$ with one kink; the answer is $A$. For any duals $y$ of the
coupling rows and any multipliers $\lambda_j \ge 0$ of the earlier objectives, let

$$h_i(a) = \phi_i(a) + \sum_j \lambda_j \phi_{ji}(a) - \pi_i a, \qquad \pi = G^T y.$$

No allocation that meets every limit and every earlier objective at least as well as $A$ has this objective below its
value less

$$Y = \sum_i \Bigl[ h_i(A_i) - \min_{a \in [\underline A_i, \overline A_i]} h_i(a) \Bigr] + \sum_r |y_r|\, d_r$$

where $d_r$ is the distance of row $r$ from the side that $y_r$ supports: the lower one for $y_r > 0$, the upper for
$y_r < 0$. Intervals and sides that the answer misses are extended to it, so every term is zero or more. No large terms
cancel: each difference is formed before it is multiplied, with a bound of its rounding added. A wrong multiplier makes
$Y$ large and proves nothing.

A row counts only by its supported side, so $y_r$ may have any sign; a dual of a side that does not exist counts as
zero. The minimum of $h_i$ is at an end of the interval or at a kink. In the tie-break, $h_i$ also has the term
$(a - C_i)^2 / W_i$: from a point $c$ with outward slope $s$ the gain is at most $\max_d (s d - d^2 / W_i)$, so any $c$
bounds the minimum, and the best of a few is taken.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.arithmetic import ROUNDOFF, gamma, sum_at_most
from etsopt.checking.effort import UNITS_AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Kinked:
    """Functions ``max(left * (a - kink), right * (a - kink))`` of units, ``left <= right``, times a common factor.

    Parameters
    ----------
    kink
        Shape ``(units,)`` [t].
    left, right
        Slopes, numbers or shape ``(units,)``.
    times
        Zero or more.
    """

    kink: NDArray[np.float64]
    left: NDArray[np.float64] | float
    right: NDArray[np.float64] | float
    times: float = 1.0

    def at(self, allowance: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the value of every unit's function."""
        beyond = allowance - self.kink
        values: NDArray[np.float64] = self.times * np.maximum(self.left * beyond, self.right * beyond)
        return values

    def of(self, units: slice) -> Kinked:
        """Return the functions of some units."""
        left, right = (side[units] if isinstance(side, np.ndarray) else side for side in (self.left, self.right))
        return Kinked(self.kink[units], left, right, self.times)

    @property
    def steepest(self) -> NDArray[np.float64] | float:
        """Largest slope in absolute value."""
        slope: NDArray[np.float64] | float = self.times * np.maximum(np.abs(self.left), np.abs(self.right))
        return slope

    def change(self, start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the rise of every function between two points, formed apart on each side of the kink."""
        above = np.maximum(end, self.kink) - np.maximum(start, self.kink)
        below = np.minimum(end, self.kink) - np.minimum(start, self.kink)
        # Slopes are multiplied first: tiny tonnes would lose their digits before a large factor scales them.
        rise: NDArray[np.float64] = (self.times * self.right) * above + (self.times * self.left) * below
        return rise


@dataclass(frozen=True)
class DualActivity:
    """Activity $A^T y$ of the row duals at units, with the data of its error.

    Parameters
    ----------
    at_unit, size
        Sum of the duals of the unit's rows and of their absolute values, shape ``(units,)``.
    rows
        Largest number of rows of a unit.
    """

    at_unit: NDArray[np.float64]
    size: NDArray[np.float64]
    rows: int

    def of(self, units: slice | NDArray[np.bool_]) -> DualActivity:
        """Return the activity at some units."""
        return DualActivity(self.at_unit[units], self.size[units], self.rows)

    @property
    def uncertain(self) -> NDArray[np.float64]:
        """Error of the activity times a distance, per tonne of that distance."""
        return gamma(self.rows + 16) * self.size


@dataclass(frozen=True)
class Square:
    """The tie-break ``(a - centre)**2 / weight``, over whole tonnes if ``integer``."""

    weight: NDArray[np.float64]
    centre: NDArray[np.float64]
    integer: bool = False


@dataclass(frozen=True)
class Intervals:
    """An answer and the intervals of its units extended to it, shape ``(units,)`` [t]."""

    answer: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]

    @classmethod
    def around(cls, answer: NDArray[np.float64], lower: NDArray[np.float64], upper: NDArray[np.float64]) -> Intervals:
        """Return the intervals, extended to the answer if it is outside."""
        return cls(answer, np.minimum(lower, answer), np.maximum(upper, answer))

    def of(self, units: slice) -> Intervals:
        """Return the answer and intervals of some units."""
        return Intervals(self.answer[units], self.lower[units], self.upper[units])


def upward_each(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return upper bounds of the exact values of computed numbers, zero or more, after a few roundings."""
    return values * (1 + 16 * ROUNDOFF)


def units_gap(
    intervals: Intervals, pieces: Sequence[Kinked], activity: DualActivity, square: Square | None = None
) -> float:
    """Return an upper bound of the sum over units of their functions less activity, above their minima."""
    # Infinite values and NaN prove nothing, and compare as such.
    with np.errstate(all="ignore"):
        return sum_at_most(np.concatenate([np.zeros(0), *_by_block(intervals, pieces, activity, square)]))


def _by_block(
    intervals: Intervals, pieces: Sequence[Kinked], activity: DualActivity, square: Square | None
) -> Iterator[NDArray[np.float64]]:
    # Objectives that measure from the same tonnes share one kink.
    kinks = list({id(piece.kink): piece.kink for piece in pieces}.values())
    for start in range(0, len(intervals.answer), UNITS_AT_ONCE):
        block = slice(start, start + UNITS_AT_ONCE)
        one, own, at = intervals.of(block), [piece.of(block) for piece in pieces], activity.of(block)
        corners = corners_of(one, [kink[block] for kink in kinks])
        if square is None:
            gap = _above_minimum(one, corners, own, at)
        else:
            parabola = replace(square, weight=square.weight[block], centre=square.centre[block])
            gap = _above_parabola(one, corners, own, at, parabola)
        yield np.where(np.isnan(gap), np.inf, np.maximum(upward_each(gap), 0.0))


def corners_of(intervals: Intervals, kinks: Sequence[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Return the possible minimisers: both ends and every kink within the interval."""
    inside = [np.minimum(np.maximum(kink, intervals.lower), intervals.upper) for kink in kinks]
    return [intervals.lower, intervals.upper, *inside]


def rise(
    start: NDArray[np.float64], end: NDArray[np.float64], pieces: Sequence[Kinked], activity: DualActivity
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the rise of the units' functions between two points, and a bound of its rounding."""
    move = end - start
    change, uncertain = -activity.at_unit * move, activity.uncertain
    for piece in pieces:
        change = change + piece.change(start, end)
        uncertain = uncertain + gamma(len(pieces) + 10) * piece.steepest
    return change, 1.01 * uncertain * np.abs(move)


def _above_minimum(
    intervals: Intervals, corners: Sequence[NDArray[np.float64]], pieces: Sequence[Kinked], activity: DualActivity
) -> NDArray[np.float64]:
    most = np.zeros(len(intervals.answer))
    for corner in corners:
        above, error = rise(corner, intervals.answer, pieces, activity)
        # np.maximum keeps NaN.
        most = np.maximum(most, above + error)
    return most


def _above_parabola(
    intervals: Intervals,
    corners: Sequence[NDArray[np.float64]],
    pieces: Sequence[Kinked],
    activity: DualActivity,
    square: Square,
) -> NDArray[np.float64]:
    answer, emissions, reference = intervals.answer, square.weight, square.centre
    least = np.full(len(answer), np.inf)
    for base in [*corners, answer]:
        from_base = base - reference
        higher = 0.0 if base is answer else _above_base(base, answer, pieces, activity, square)
        slope = 2 * from_base / emissions - activity.at_unit
        uncertain = activity.uncertain + gamma(8) * np.abs(2 * from_base / emissions)
        right, left = slope, slope
        for piece in pieces:
            right = right + piece.times * np.where(base >= piece.kink, piece.right, piece.left)
            left = left + piece.times * np.where(base > piece.kink, piece.right, piece.left)
            uncertain = uncertain + gamma(len(pieces) + 10) * piece.steepest
        uncertain = 1.01 * uncertain
        up = _beyond(np.maximum(uncertain - right, 0.0), intervals.upper - base, square)
        down = _beyond(np.maximum(left + uncertain, 0.0), base - intervals.lower, square)
        # A point of which nothing is known is left out.
        least = np.fmin(least, higher + np.maximum(up, down))
    return least


def _above_base(
    base: NDArray[np.float64],
    answer: NDArray[np.float64],
    pieces: Sequence[Kinked],
    activity: DualActivity,
    square: Square,
) -> NDArray[np.float64]:
    """Return an upper bound of the rise of the functions, squares included, from a base to the answer."""
    above, error = rise(base, answer, pieces, activity)
    away, from_base = answer - square.centre, base - square.centre
    parabola = (answer - base) * (away + from_base) / square.weight
    error = error + gamma(12) * np.abs(answer - base) * (np.abs(away) + np.abs(from_base)) / square.weight
    error = error + gamma(4) * (np.abs(above) + np.abs(parabola))
    higher: NDArray[np.float64] = above + parabola + error
    return higher


def _beyond(slope: NDArray[np.float64], room: NDArray[np.float64], square: Square) -> NDArray[np.float64]:
    """Return the largest gain of a unit by an outward move along which its function falls by slope less parabola."""
    if not square.integer:
        return upward_each(np.minimum(square.weight * slope * slope / 4, slope * room))
    # The gain of a move is concave, so the best whole move is next to the best real one.
    below = np.floor(slope * square.weight / 2)
    moves = [np.minimum(move, np.floor(room)) for move in (below, below + 1)]
    gains = [move * (slope - move / square.weight) + gamma(8) * move * slope for move in moves]
    return upward_each(np.maximum(*gains))
