r"""Extend the certificate to whole tonnes: fix units by reduced cost, and rule out rates without whole tonnes.

Every allocation that meets an objective, and the earlier ones, at least as well as the answer loses at most $Y$ over
all units against their minima, and no unit alone gains more than its part of that. So a unit to which a tonne more
(less) costs more than $Y$ has no more (less) in any of them, and is fixed for the later objectives.

A rate $w$ leaves unit $i$ the whole numbers within $w E_i$ of $R_i$. With the functions $h$ of the earlier objectives
alone, no whole allowances lie there if

$$\sum_i \min_{a \in [\underline A_i(w), \overline A_i(w)]} \bigl( h_i(a) - h_i(A_i) \bigr) > \sum_r |y_r|\, d_r,$$

which can only become true as $w$ falls, so bisection finds the largest rate that is ruled out. Minima are at ends and
kinks, all of which are whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.allocation.certificate import Intervals, corners_of, rise
from etsopt.checking.arithmetic import ROUNDOFF, gamma, total, upward
from etsopt.checking.effort import RATE_BISECTIONS
from etsopt.checking.tolerances import JUST_SMALLER_RATE_FACTOR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etsopt.checking.allocation.certificate import DualActivity, Kinked
    from etsopt.checking.arrays import Floats, Mask


def room_within(rate: float, emissions: Floats) -> Floats:
    """Return at least the whole tonnes within a rate of the emissions, shape ``(units,)`` [t]."""
    return np.asarray(np.floor(rate * emissions * (1 + 4 * ROUNDOFF)))


def within_rate(rate: float, reference: Floats, emissions: Floats, integer: bool) -> tuple[Floats, Floats]:
    """Return the least and the most of units whose change against emissions is within a rate, or a bit more [t]."""
    rate = upward(rate, 4)
    # The rate covers the rounding of the value, of its product and of that part of the end.
    real = rate * emissions + 4 * ROUNDOFF * np.abs(reference)
    room = room_within(rate, emissions) if integer else real
    return reference - room, reference + room


def gap_of_largest_change(
    value: float,
    intervals: Intervals,
    reference: Floats,
    emissions: Floats,
    pieces: Sequence[Kinked],
    activity: DualActivity,
    of_rows: float,
) -> float:
    """Return the distance of a rate above the largest that is ruled out.

    Parameters
    ----------
    pieces
        Functions of the earlier objectives, each with its multiplier.
    of_rows
        Largest contribution of the rows.
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
                rises, error = rise(intervals.answer, corner, pieces, activity)
                least = np.minimum(least, rises - error)
                size = np.maximum(size, np.abs(rises) + error)
            sure, rounding = total(least)
            return bool(sure - rounding - gamma(4) * total(size)[0] > of_rows)

    if not value > 0 or not np.isfinite(of_rows):
        return value
    just = value * JUST_SMALLER_RATE_FACTOR
    if ruled_out(just):
        return upward(value - just, 2)
    if not ruled_out(0.0):
        return value
    low, high = 0.0, just
    for _ in range(RATE_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if ruled_out(middle) else (low, middle)
    return upward(value - low, 2)


def fixed_by_reduced_cost(
    answer: Floats, pieces: Sequence[Kinked], activity: DualActivity, gap: float
) -> tuple[Mask, Mask]:
    """Return the units that can have no tonne less, and no tonne more, if the objective may lose a gap in total."""
    right, left, uncertain = -activity.at_unit, -activity.at_unit, activity.uncertain
    for piece in pieces:
        right = right + piece.times * np.where(answer >= piece.kink, piece.right, piece.left)
        left = left + piece.times * np.where(answer > piece.kink, piece.right, piece.left)
        uncertain = uncertain + gamma(len(pieces) + 10) * piece.steepest
    enough = upward(gap, 4) + 1.01 * uncertain
    return -left > enough, right > enough
