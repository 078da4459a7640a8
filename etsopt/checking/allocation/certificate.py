r"""How far an answer can be from the best: a bound of real numbers, whatever the multipliers are.

Levels are sums over units of convex functions $\phi_i$ with one kink; the answer is $A$, and for multipliers $y$ of the
coupling rows and $\lambda_j \ge 0$ of the levels before, whatever their values, let

$$h_i(a) = \phi_i(a) + \sum_j \lambda_j \phi_{ji}(a) - \pi_i a, \qquad \pi = G^T y.$$

No allocation that keeps every limit and every earlier level at least as well as $A$ does has this level below its value
less

$$Y = \sum_i \Bigl[ h_i(A_i) - \min_{a \in [\underline A_i, \overline A_i]} h_i(a) \Bigr] + \sum_r |y_r|\, d_r$$

where $d_r$ is how far row $r$ is from the side that $y_r$ prices: the lower one for $y_r > 0$, the upper for $y_r < 0$.
Intervals and sides reach as far as the answer itself where that misses them, so every term is zero or more. Nothing
large cancels: each difference is formed before it is multiplied, with a bound of its rounding added, and a multiplier
that is wrong by any amount makes $Y$ large and proves nothing.

A row counts only what lies on its priced side, so any sign of $y_r$ is right, and one of a side that does not exist
counts as zero. The minimum of $h_i$ stands at an end of the interval or at a kink. In the last step $h_i$ has
$(a - R_i)^2 / E_i$ besides; from a point $c$ on, with slope $s$ outward, nothing is gained beyond
$\max_d (s d - d^2 / E_i)$, so any $c$ bounds the minimum and the best of a few is taken.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.arithmetic import ROUNDOFF, gamma, most_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray


BLOCK = 1 << 15
"""Units that are looked at together, so that what is computed of them stays in the cache."""


@dataclass(frozen=True)
class Kinked:
    """Functions ``max(left * (a - kink), right * (a - kink))`` of units, ``left <= right``, times a factor of all.

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
        """Value of every unit's function."""
        beyond = allowance - self.kink
        values: NDArray[np.float64] = self.times * np.maximum(self.left * beyond, self.right * beyond)
        return values

    def of(self, units: slice) -> Kinked:
        """The functions of some units."""
        left, right = (side[units] if isinstance(side, np.ndarray) else side for side in (self.left, self.right))
        return Kinked(self.kink[units], left, right, self.times)

    @property
    def steepest(self) -> NDArray[np.float64] | float:
        """Largest slope in absolute value."""
        found: NDArray[np.float64] | float = self.times * np.maximum(np.abs(self.left), np.abs(self.right))
        return found

    def change(self, start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
        """By how much every function rises from one point to another; what lies on each side of the kink, apart."""
        above = np.maximum(end, self.kink) - np.maximum(start, self.kink)
        below = np.minimum(end, self.kink) - np.minimum(start, self.kink)
        # Slopes first: the least numbers there are would lose their digits before a large factor counts them.
        rise: NDArray[np.float64] = (self.times * self.right) * above + (self.times * self.left) * below
        return rise


@dataclass(frozen=True)
class Pull:
    """What multipliers of the rows come to at units, with what its error is measured by.

    Parameters
    ----------
    at_unit, size
        Sum of the multipliers of the unit's rows and of their absolute values, shape ``(units,)``.
    rows
        Rows of a unit at most.
    """

    at_unit: NDArray[np.float64]
    size: NDArray[np.float64]
    rows: int

    def of(self, units: slice | NDArray[np.bool_]) -> Pull:
        """Of some units."""
        return Pull(self.at_unit[units], self.size[units], self.rows)

    @property
    def uncertain(self) -> NDArray[np.float64]:
        """Error of the pull times a distance, for each tonne of that."""
        return gamma(self.rows + 16) * self.size


@dataclass(frozen=True)
class Square:
    """The last step: ``(a - reference)**2 / emissions``, over whole tonnes where these count alone."""

    emissions: NDArray[np.float64]
    reference: NDArray[np.float64]
    whole: bool = False


@dataclass(frozen=True)
class Intervals:
    """An answer, and the intervals of its units widened to it, shape ``(units,)`` [t]."""

    answer: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]

    @classmethod
    def around(cls, answer: NDArray[np.float64], lower: NDArray[np.float64], upper: NDArray[np.float64]) -> Intervals:
        """Intervals that reach the answer where it misses them."""
        return cls(answer, np.minimum(lower, answer), np.maximum(upper, answer))

    def of(self, units: slice) -> Intervals:
        """Those of some units."""
        return Intervals(self.answer[units], self.lower[units], self.upper[units])


def upward_each(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Numbers that computed ones, zero or more, stand for at most after a few roundings."""
    return values * (1 + 16 * ROUNDOFF)


def units_gap(intervals: Intervals, pieces: Sequence[Kinked], pull: Pull, square: Square | None = None) -> float:
    """Sum over the units of how far their functions less their pull lie above their minima, at most."""
    # What goes to infinity or is no number proves nothing, and is compared as such.
    with np.errstate(all="ignore"):
        return most_of(np.concatenate([np.zeros(0), *_by_block(intervals, pieces, pull, square)]))


def _by_block(
    intervals: Intervals, pieces: Sequence[Kinked], pull: Pull, square: Square | None
) -> Iterator[NDArray[np.float64]]:
    # Levels that measure from the same tonnes have one kink.
    kinks = list({id(piece.kink): piece.kink for piece in pieces}.values())
    for start in range(0, len(intervals.answer), BLOCK):
        here = slice(start, start + BLOCK)
        one, own, at = intervals.of(here), [piece.of(here) for piece in pieces], pull.of(here)
        corners = corners_of(one, [kink[here] for kink in kinks])
        if square is None:
            gap = _above_minimum(one, corners, own, at)
        else:
            parabola = replace(square, emissions=square.emissions[here], reference=square.reference[here])
            gap = _above_parabola(one, corners, own, at, parabola)
        yield np.where(np.isnan(gap), np.inf, np.maximum(upward_each(gap), 0.0))


def corners_of(intervals: Intervals, kinks: Sequence[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Points at which a minimum may stand: both ends and every kink, inside the interval."""
    inside = [np.minimum(np.maximum(kink, intervals.lower), intervals.upper) for kink in kinks]
    return [intervals.lower, intervals.upper, *inside]


def rise(
    start: NDArray[np.float64], end: NDArray[np.float64], pieces: Sequence[Kinked], pull: Pull
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """By how much the functions of units rise from one point to another, and a bound of its rounding."""
    move = end - start
    change, uncertain = -pull.at_unit * move, pull.uncertain
    for piece in pieces:
        change = change + piece.change(start, end)
        uncertain = uncertain + gamma(len(pieces) + 10) * piece.steepest
    return change, 1.01 * uncertain * np.abs(move)


def _above_minimum(
    intervals: Intervals, corners: Sequence[NDArray[np.float64]], pieces: Sequence[Kinked], pull: Pull
) -> NDArray[np.float64]:
    most = np.zeros(len(intervals.answer))
    for corner in corners:
        above, error = rise(corner, intervals.answer, pieces, pull)
        # A comparison that keeps what is no number.
        most = np.maximum(most, above + error)
    return most


def _above_parabola(  # long because the value at a point and the slopes outward of it belong together
    intervals: Intervals,
    corners: Sequence[NDArray[np.float64]],
    pieces: Sequence[Kinked],
    pull: Pull,
    square: Square,
) -> NDArray[np.float64]:
    answer, emissions, reference = intervals.answer, square.emissions, square.reference
    least = np.full(len(answer), np.inf)
    for base in [*corners, answer]:
        above, error = rise(base, answer, pieces, pull)
        away, from_base = answer - reference, base - reference
        parabola = (answer - base) * (away + from_base) / emissions
        error = error + gamma(12) * np.abs(answer - base) * (np.abs(away) + np.abs(from_base)) / emissions
        error = error + gamma(4) * (np.abs(above) + np.abs(parabola))
        slope = 2 * from_base / emissions - pull.at_unit
        uncertain = pull.uncertain + gamma(8) * np.abs(2 * from_base / emissions)
        right, left = slope, slope
        for piece in pieces:
            right = right + piece.times * np.where(base >= piece.kink, piece.right, piece.left)
            left = left + piece.times * np.where(base > piece.kink, piece.right, piece.left)
            uncertain = uncertain + gamma(len(pieces) + 10) * piece.steepest
        uncertain = 1.01 * uncertain
        upper_room, lower_room = intervals.upper - base, base - intervals.lower
        up = _beyond(np.where(upper_room > 0, np.maximum(uncertain - right, 0.0), 0.0), upper_room, square)
        down = _beyond(np.where(lower_room > 0, np.maximum(left + uncertain, 0.0), 0.0), lower_room, square)
        gap = above + parabola + error + np.maximum(up, down)
        least = np.where(gap < least, gap, least)
    return least


def _beyond(slope: NDArray[np.float64], room: NDArray[np.float64], square: Square) -> NDArray[np.float64]:
    """The most that a unit gains by a move outward where its function falls by a slope less the parabola."""
    most = np.minimum(square.emissions * slope * slope / 4, slope * room)
    if square.whole:
        # The function of a move is concave, so the best whole move is next to the best one.
        near = np.rint(np.minimum(slope * square.emissions / 2, room))
        best = np.zeros(len(slope))
        for move in (near - 1, near, near + 1):
            move = np.clip(move, 0.0, np.floor(room))
            best = np.maximum(best, move * (slope - move / square.emissions) + gamma(8) * move * slope)
        most = np.minimum(most, best)
    return upward_each(most)
