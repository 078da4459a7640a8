r"""Multipliers of held levels from those of the rows alone; nothing here needs trust.

A level with multipliers says of each unit where it loses nothing: an end of the interval, or the kink, or all of it. So
each level narrows the intervals and rows for the next. Where a later level would gain by leaving them, the level that
set the end loses there, and its multiplier is the largest ratio of the two. Stray multipliers make the ratios large,
and the certificate, which is written apart from this, then proves less.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.checking.allocation.certificate import Kinked

FLAT = 1e-9
"""A slope up to this share of the steepest leaves a unit indifferent, and a multiplier up to it is none."""

NOBODY = -1
"""Owner of an end that no level, but the policy itself, has set."""

Slopes = tuple["NDArray[np.float64]", "NDArray[np.float64]", "NDArray[np.float64]"]
"""Slopes just below the lower ends and just above the upper ends of the intervals, and the multipliers of the rows."""


@dataclass
class Prover:
    """Intervals of the units and limits of the rows that the levels so far leave, and which level set each end.

    Parameters
    ----------
    lower, upper
        Shape ``(units,)``.
    least, most
        Shape ``(rows,)``.
    reach
        What a unit adds at most to each row, shape ``(rows,)``.
    emissions
        By which slopes of units are compared, shape ``(units,)``.
    """

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    least: NDArray[np.float64]
    most: NDArray[np.float64]
    reach: NDArray[np.float64]
    emissions: NDArray[np.float64]
    held: list[Slopes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.owner_lower, self.owner_upper = (np.full(len(self.lower), NOBODY) for _ in range(2))
        self.owner_row = np.full(len(self.least), NOBODY)

    def slopes(self, piece: Kinked, pull: NDArray[np.float64], price: NDArray[np.float64]) -> Slopes:
        """How a level changes beyond the intervals as they are now."""
        falls, rises = piece.left - pull, piece.right - pull
        before = np.where(self.lower > piece.kink, rises, falls)
        return before, np.where(self.upper < piece.kink, falls, rises), price

    def slopes_of_square(
        self, reference: NDArray[np.float64], pull: NDArray[np.float64], price: NDArray[np.float64]
    ) -> Slopes:
        """The same of the last step."""
        before, after = (2 * (end - reference) / self.emissions - pull for end in (self.lower, self.upper))
        return before, after, price

    def multipliers(self, level: Slopes, at_least: float = 0.0) -> list[float]:
        """Multiplier of every level so far for the next one."""
        before, after, price = (part.copy() for part in level)
        found = [0.0] * len(self.held)
        for number in reversed(range(len(self.held))):
            falls, rises, held = self.held[number]
            lower, upper, row = (owner == number for owner in (self.owner_lower, self.owner_upper, self.owner_row))
            with np.errstate(all="ignore"):
                ratios = np.concatenate(
                    [before[lower] / -falls[lower], -after[upper] / rises[upper], -price[row] / held[row]]
                )
            times = max(float(np.max(ratios[np.isfinite(ratios)], initial=0.0)), at_least)
            found[number] = times
            before += times * falls
            after += times * rises
            price += times * held
        return found

    def hold(self, piece: Kinked, pull: NDArray[np.float64], price: NDArray[np.float64]) -> None:
        """Keep to where a level loses nothing."""
        number, falls, rises = len(self.held), piece.left - pull, piece.right - pull
        slope = (np.abs(pull) + piece.steepest) * self.emissions
        flat = FLAT * float(np.max(slope, initial=0.0)) / self.emissions
        # What counts of a multiplier is what it does to the largest unit of its row.
        worth = np.abs(price) * self.reach
        counts = worth > FLAT * float(np.max(worth, initial=0.0))
        inside = np.clip(piece.kink, self.lower, self.upper)
        lower = np.where(falls >= -flat, self.lower, np.where(rises >= -flat, inside, self.upper))
        upper = np.where(rises <= flat, self.upper, np.where(falls <= flat, inside, self.lower))
        self.owner_lower[lower > self.lower] = number
        self.owner_upper[upper < self.upper] = number
        self.lower, self.upper = lower, upper
        low, high = counts & (price > 0), counts & (price < 0)
        self.owner_row[counts & (self.least < self.most)] = number
        self.most = np.where(low, self.least, self.most)
        self.least = np.where(high, self.most, self.least)
        self.held.append(self.slopes(piece, pull, price))

    def within(self, lower: NDArray[np.float64], upper: NDArray[np.float64]) -> None:
        """Keep to an interval that is no level's: leaving it breaks a limit."""
        lower, upper = np.clip(lower, self.lower, self.upper), np.clip(upper, self.lower, self.upper)
        self.owner_lower[lower > self.lower] = NOBODY
        self.owner_upper[upper < self.upper] = NOBODY
        self.lower, self.upper = lower, upper
