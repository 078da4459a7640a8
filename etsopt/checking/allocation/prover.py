r"""Find multipliers of earlier objectives from the duals of the rows; nothing here needs trust.

The duals of an objective show the points at which a unit loses nothing: an end of its interval, the kink, or all of
it. So each objective narrows the intervals and rows to its optimal face. If a later objective gains outside, the
objective that set the end loses there, and its multiplier is the largest ratio of the two. Bad duals make the ratios
large, and the certificate, which is independent of this module, then proves less.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.tolerances import ZERO_SLOPE_RELATIVE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.checking.allocation.certificate import Kinked, Square

POLICY = -1
"""Owner of an end that the policy has set, and no objective."""

Slopes = tuple["NDArray[np.float64]", "NDArray[np.float64]", "NDArray[np.float64]"]
"""Slopes just below the lower and just above the upper ends of the intervals, and the duals of the rows."""


@dataclass
class OptimalFace:
    """Intervals of the units and limits of the rows on the optimal face so far, and the objective that set each end.

    Parameters
    ----------
    lower, upper
        Shape ``(units,)``.
    least, most
        Shape ``(rows,)``.
    reach
        Largest contribution of a unit to each row, shape ``(rows,)``.
    emissions
        Scale on which slopes of units are compared, shape ``(units,)``.
    """

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    least: NDArray[np.float64]
    most: NDArray[np.float64]
    reach: NDArray[np.float64]
    emissions: NDArray[np.float64]
    earlier: list[Slopes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.owner_lower, self.owner_upper = (np.full(len(self.lower), POLICY) for _ in range(2))
        self.owner_row = np.full(len(self.least), POLICY)

    def slopes(self, piece: Kinked, activity: NDArray[np.float64], dual: NDArray[np.float64]) -> Slopes:
        """Return the slopes of an objective just outside the present intervals."""
        fall, rise = piece.left - activity, piece.right - activity
        before = np.where(self.lower > piece.kink, rise, fall)
        return before, np.where(self.upper < piece.kink, fall, rise), dual

    def slopes_of_square(self, square: Square, activity: NDArray[np.float64], dual: NDArray[np.float64]) -> Slopes:
        """Return the slopes of the tie-break."""
        before, after = (2 * (end - square.centre) / square.weight - activity for end in (self.lower, self.upper))
        return before, after, dual

    def multipliers(self, level: Slopes, at_least: float = 0.0) -> list[float]:
        """Return the multiplier of every earlier objective for the next one."""
        before, after, dual = (part.copy() for part in level)
        multipliers = [0.0] * len(self.earlier)
        for number in reversed(range(len(self.earlier))):
            fall, rise, earlier = self.earlier[number]
            lower, upper, row = (owner == number for owner in (self.owner_lower, self.owner_upper, self.owner_row))
            with np.errstate(all="ignore"):
                ratios = np.concatenate(
                    [before[lower] / -fall[lower], -after[upper] / rise[upper], -dual[row] / earlier[row]]
                )
            times = max(float(np.max(ratios[np.isfinite(ratios)], initial=0.0)), at_least)
            multipliers[number] = times
            before += times * fall
            after += times * rise
            dual += times * earlier
        return multipliers

    def fix_at_optimum(self, piece: Kinked, activity: NDArray[np.float64], dual: NDArray[np.float64]) -> None:
        """Restrict intervals and rows to the optimal face of an objective."""
        number, fall, rise = len(self.earlier), piece.left - activity, piece.right - activity
        slope = (np.abs(activity) + piece.steepest) * self.emissions
        flat = ZERO_SLOPE_RELATIVE * float(np.max(slope, initial=0.0)) / self.emissions
        # A dual counts by its effect on the largest unit of its row.
        effect = np.abs(dual) * self.reach
        counts = effect > ZERO_SLOPE_RELATIVE * float(np.max(effect, initial=0.0))
        inside = np.clip(piece.kink, self.lower, self.upper)
        lower = np.where(fall >= -flat, self.lower, np.where(rise >= -flat, inside, self.upper))
        upper = np.where(rise <= flat, self.upper, np.where(fall <= flat, inside, self.lower))
        self.owner_lower[lower > self.lower] = number
        self.owner_upper[upper < self.upper] = number
        self.lower, self.upper = lower, upper
        low, high = counts & (dual > 0), counts & (dual < 0)
        self.owner_row[counts & (self.least < self.most)] = number
        self.most = np.where(low, self.least, self.most)
        self.least = np.where(high, self.most, self.least)
        self.earlier.append(self.slopes(piece, activity, dual))

    def restrict(self, lower: NDArray[np.float64], upper: NDArray[np.float64]) -> None:
        """Restrict the intervals to limits that belong to no objective."""
        lower, upper = np.clip(lower, self.lower, self.upper), np.clip(upper, self.lower, self.upper)
        self.owner_lower[lower > self.lower] = POLICY
        self.owner_upper[upper < self.upper] = POLICY
        self.lower, self.upper = lower, upper
