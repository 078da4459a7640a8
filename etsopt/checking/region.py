r"""Where the optima of the levels so far lie, and what leaving that region would cost them.

A level with prices and a gap proves: an allocation that keeps the level at its value loses at most the gap, over all
units and rows together, against the minimum of every unit and the priced side of every row. Were the gap zero, its
optima would be exactly the allocations that lose nothing; so each level narrows the intervals and rows for the next
to where nothing is lost. What the next level could still win by leaving them is bounded: leaving by $d$ costs the
earlier level at least $s\,d$ there and wins the later at most $s'\,d$, so with $M$ the largest $s'/s$ the win is at
most $M$ times the gap. That is added to the later level's own gap. A stray price makes $M$ large and proves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FLAT = 1e-9
"""A slope up to this share of the steepest leaves a unit indifferent, and a price up to it is none."""

NOBODY = -1
"""Owner of an end that no level, but the policy itself, has set."""


@dataclass(frozen=True)
class Slopes:
    """How a level changes beyond the region: per tonne at the ends of every interval, and by price in every row.

    ``before`` is the slope just below the lower end, ``after`` the one just above the upper end; shape ``(units,)``.
    """

    before: NDArray[np.float64]
    after: NDArray[np.float64]
    price: NDArray[np.float64]


@dataclass(frozen=True)
class Hold:
    """A held level: its slopes beyond the region, and how much an allocation that keeps it may lose in all."""

    slopes: Slopes
    gap: float


@dataclass
class Region:
    """Intervals of the units and limits of the rows, and which level set each end."""

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    least: NDArray[np.float64]
    most: NDArray[np.float64]
    holds: list[Hold] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.owner_lower = np.full(len(self.lower), NOBODY)
        self.owner_upper = np.full(len(self.upper), NOBODY)
        self.owner_row = np.full(len(self.least), NOBODY)

    def narrow(
        self,
        kink: NDArray[np.float64],
        falls: NDArray[np.float64],
        rises: NDArray[np.float64],
        flat: NDArray[np.float64],
        price: NDArray[np.float64],
        priced: NDArray[np.bool_],
        gap: float,
    ) -> None:
        """Keep to where a level loses nothing, and remember what it costs to leave.

        Parameters
        ----------
        kink, falls, rises
            Kink of every unit's function, which may lie outside its interval, and the slopes below and above it.
        flat
            Slope of every unit up to which it is indifferent.
        price, priced
            Price of every row, and which of them count.
        gap
            What the level may lose in all.
        """
        number = len(self.holds)
        inside = np.clip(kink, self.lower, self.upper)
        lower = np.where(falls >= -flat, self.lower, np.where(rises >= -flat, inside, self.upper))
        upper = np.where(rises <= flat, self.upper, np.where(falls <= flat, inside, self.lower))
        self.owner_lower[lower > self.lower] = number
        self.owner_upper[upper < self.upper] = number
        self.lower, self.upper = lower, upper
        low, high = priced & (price > 0), priced & (price < 0)
        self.owner_row[priced & (self.least < self.most)] = number
        self.most = np.where(low, self.least, self.most)
        self.least = np.where(high, self.most, self.least)
        self.holds.append(Hold(self.beyond(kink, falls, rises, price), gap))

    def beyond(
        self,
        kink: NDArray[np.float64],
        falls: NDArray[np.float64],
        rises: NDArray[np.float64],
        price: NDArray[np.float64],
    ) -> Slopes:
        """Slopes of a level just beyond the ends of the intervals as they are now."""
        before = np.where(self.lower > kink, rises, falls)
        after = np.where(self.upper < kink, falls, rises)
        return Slopes(before, after, price)

    def win(self, level: Slopes) -> float:
        """What a later level could win at most by leaving the region, where the earlier ones lose up to their gaps."""
        before, after, price = level.before.copy(), level.after.copy(), level.price.copy()
        total = 0.0
        for number in reversed(range(len(self.holds))):
            hold = self.holds[number]
            own_lower, own_upper, own_row = (
                owner == number for owner in (self.owner_lower, self.owner_upper, self.owner_row)
            )
            ratios = np.concatenate(
                [
                    before[own_lower] / -hold.slopes.before[own_lower],
                    -after[own_upper] / hold.slopes.after[own_upper],
                    -price[own_row] / hold.slopes.price[own_row],
                ]
            )
            times = float(np.max(ratios, initial=0.0))
            total += times * hold.gap
            before += times * hold.slopes.before
            after += times * hold.slopes.after
            price += times * hold.slopes.price
        return total
