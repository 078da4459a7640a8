r"""What whole tonnes add to a certificate: units that no allocation can move, and rates that leave no whole tonnes.

Every allocation that keeps a level, and those before it, at least as well as the answer loses at most $Y$ over all
units against their minima, and no unit alone gains more than its part of that. So where a tonne more (less) costs a
unit more than $Y$ it has no more (less) in any of them, and stays for the levels after it.

A rate $w$ leaves unit $i$ the whole numbers within $w E_i$ of $R_i$. With the functions $h$ of the levels before alone,
no whole allowances lie there if

$$\sum_i \min_{a \in [\underline A_i(w), \overline A_i(w)]} \bigl( h_i(a) - h_i(A_i) \bigr) > \sum_r |y_r|\, d_r,$$

which can only become true as $w$ falls, so halving finds the largest rate that is ruled out. Minima stand at ends and
kinks, all of which are whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.allocation.certificate import Intervals, corners_of, rise
from etsopt.checking.arithmetic import ROUNDOFF, gamma, total, upward

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etsopt.checking.allocation.certificate import Kinked, Pull

JUST_BELOW = 1 - 1e-13
"""The first rate to be ruled out against that of the answer; of the best answer it is, and no other need be tried."""

HALVINGS = 50


def room_within(rate: float, emissions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Whole tonnes within a rate of the emissions, no fewer than there are."""
    room: NDArray[np.float64] = np.floor(rate * emissions * (1 + 4 * ROUNDOFF))
    return room


def gap_of_largest_change(
    value: float,
    intervals: Intervals,
    reference: NDArray[np.float64],
    emissions: NDArray[np.float64],
    pieces: Sequence[Kinked],
    pull: Pull,
    of_rows: float,
) -> float:
    """How far a rate can lie above the largest that is ruled out.

    Parameters
    ----------
    pieces
        Functions of the levels before, each with its multiplier.
    of_rows
        What the rows may give, at most.
    """

    def ruled_out(rate: float) -> bool:
        room = room_within(rate, emissions)
        lower, upper = np.maximum(intervals.lower, reference - room), np.minimum(intervals.upper, reference + room)
        if (lower > upper).any():
            return True
        least, size = np.full(len(reference), np.inf), np.zeros(len(reference))
        corners = corners_of(Intervals(intervals.answer, lower, upper), [piece.kink for piece in pieces])
        with np.errstate(all="ignore"):
            for corner in corners:
                rises, error = rise(intervals.answer, corner, pieces, pull)
                least = np.minimum(least, rises - error)
                size = np.maximum(size, np.abs(rises) + error)
            sure, rounding = total(least)
            return bool(sure - rounding - gamma(4) * total(size)[0] > of_rows)

    if not value > 0 or not np.isfinite(of_rows):
        return value
    just = value * JUST_BELOW
    if ruled_out(just):
        return upward(value - just, 2)
    if not ruled_out(0.0):
        return value
    low, high = 0.0, just
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if ruled_out(middle) else (low, middle)
    return upward(value - low, 2)


def stays(
    answer: NDArray[np.float64], pieces: Sequence[Kinked], pull: Pull, gap: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which units can have no tonne less, and which no tonne more, where a level may lose a gap in all."""
    right, left, uncertain = -pull.at_unit, -pull.at_unit, pull.uncertain
    for piece in pieces:
        right = right + piece.times * np.where(answer >= piece.kink, piece.right, piece.left)
        left = left + piece.times * np.where(answer > piece.kink, piece.right, piece.left)
        uncertain = uncertain + gamma(len(pieces) + 10) * piece.steepest
    enough = upward(gap, 4) + 1.01 * uncertain
    return -left > enough, right > enough
