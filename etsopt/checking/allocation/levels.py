"""Every level of an allocation, in its order, with a bound of how far it can be from the best."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.allocation import rational
from etsopt.checking.allocation.certificate import Intervals, Kinked, units_gap
from etsopt.checking.allocation.duals import table_of_kept
from etsopt.checking.allocation.exceptions import LEVELS, check_exceptions
from etsopt.checking.allocation.integer import gap_of_largest_change, room_within, stays
from etsopt.checking.allocation.limits import derive
from etsopt.checking.allocation.measures import UNITS, Measures
from etsopt.checking.allocation.prover import Prover
from etsopt.checking.arithmetic import ROUNDOFF, upward
from etsopt.checking.report import LevelCheck

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.checking.allocation.certificate import Pull
    from etsopt.checking.allocation.duals import Stated
    from etsopt.checking.allocation.limits import Demands
    from etsopt.checking.allocation.measures import Level
    from etsopt.data.instance import Instance

SECOND_LOOK = 20_000
"""Up to so many units a level that floating-point numbers do not prove is looked at in rational ones."""

HOPELESS = 1e-3
"""A gap above this share of the value is none of rounding, and no second look is taken."""

SEARCHED = (0.0, *10.0 ** np.arange(-6, 7))
"""Least multipliers that are tried for whole rates: a whole tonne costs a held level its slope and not less."""


@dataclass(frozen=True)
class Held:
    """A level before: its functions, None where intervals hold it; multipliers of rows; what divides its sum."""

    name: str
    piece: Kinked | None
    price: NDArray[np.float64]
    scale: float


def check_levels(
    instance: Instance,
    demands: Demands,
    reference: NDArray[np.float64],
    allowance: NDArray[np.float64],
    chosen: NDArray[np.bool_],
    stated: Stated,
    names: Sequence[str],
) -> tuple[list[LevelCheck], pd.DataFrame]:
    """Bound every level in its order; arrays over all units of the instance, the demands with the chosen exceptions.

    Returns
    -------
    checks, kept
        Of every level, and rows of ``duals`` with the multipliers of earlier levels that were looked for.
    """
    levels = Levels(instance, demands, reference, allowance, stated)
    first = [name for name in names if name in LEVELS]
    checks = []
    if first:
        proofs = {name: price for name, price in stated.prices.items() if str(name).partition(":")[0] in first}
        misses = demands.rows.misses(levels.totals), demands.unit_miss(allowance)
        emissions, free = instance.emissions_tco2e, ~demands.fixed
        checks = check_exceptions(derive(instance), emissions[free], chosen[free], first, proofs, misses)
    # What overflows proves nothing, and is compared as such.
    with np.errstate(over="ignore", invalid="ignore"):
        checks += [levels.check(name, stated.prices[name]) for name in names if name not in LEVELS]
    return checks, table_of_kept(levels.found, UNITS)


class Levels:
    """The levels over allowances, each over what those before it leave.

    Parameters
    ----------
    demands
        With the chosen exceptions, for all units of the instance as the arrays are.
    reference, allowance
        Shape ``(units,)`` [t].
    stated
        Multipliers; where those of earlier levels are not stated, they are looked for.
    """

    def __init__(
        self,
        instance: Instance,
        demands: Demands,
        reference: NDArray[np.float64],
        allowance: NDArray[np.float64],
        stated: Stated,
    ) -> None:
        emissions = instance.emissions_tco2e
        self.rows, self.whole, self.units = demands.rows, demands.whole, len(emissions)
        self.free = ~demands.fixed
        self.totals = self.rows.totals(allowance)
        self.measures = Measures.of(instance, demands, reference, allowance, stated.weights)
        self.e, self.r, answer = self.measures.e, self.measures.r, self.measures.answer
        lower, upper = demands.lower[self.free], demands.upper[self.free]
        self.intervals = Intervals.around(answer, lower, upper)
        self.held: list[Held] = []
        self.kept = stated.kept
        self.found: dict[tuple[str, str], float] = {}
        self.prover = None
        if self.kept is None:
            reach = self.rows.reach(emissions)
            self.prover = Prover(lower, upper, self.rows.least, self.rows.most, reach, self.e)

    def check(self, name: str, price: NDArray[np.float64]) -> LevelCheck:
        """Bound a level, and hold it for those after it."""
        level, uncertain = self.measures.level(name, price)
        multipliers = self._prove(level) if self.prover else self._stated(level)
        gap, of_sum, pull, pieces = self._bounded(level, multipliers, looks_again=True)
        # No level is below zero.
        gap = gap if gap < level.value else upward(level.value + uncertain, 4)
        self._hold(level, of_sum, pull, pieces)
        distance = None
        if name == "least_squares" and not self.whole and len(self.e):
            # The level is 2/E-strongly convex, and what keeps limits and levels is convex and holds the answer.
            distance = upward(math.sqrt(float(np.max(self.e, initial=0.0)) * gap), 6)
        # The value is a rounded number too.
        gap = min(upward(gap + uncertain, 4), level.value)
        tolerance = self.measures.tolerance(name, level.value)
        return LevelCheck(name, UNITS[name], level.value, level.value - gap, gap, tolerance, distance_t=distance)

    def _stated(self, level: Level) -> list[float]:
        """Multipliers of the earlier levels as the result states them; a level costs nothing to hold, or something."""
        assert self.kept is not None
        stated = [max(self.kept.get((level.name, held.name), 0.0), 0.0) for held in self.held]
        return [
            times * level.scale / held.scale if times < math.inf else 0.0
            for times, held in zip(stated, self.held, strict=True)
        ]

    def _prove(self, level: Level) -> list[float]:
        """The best multipliers of the earlier levels that are found."""
        assert self.prover is not None
        pull = self.rows.pull(level.price, self.units).at_unit[self.free]
        if level.square is not None:
            slopes = self.prover.slopes_of_square(self.r, pull, level.price)
        else:
            slopes = self.prover.slopes(level.piece or Kinked(self.r, 0 * pull, 0 * pull), pull, level.price)
        tried = SEARCHED if level.name == "largest_change" and self.whole and self.held else SEARCHED[:1]
        best, least = [0.0] * len(self.held), self._bounded(level, [0.0] * len(self.held))[0] if self.held else 0.0
        for at_least in tried:
            if least <= self.measures.tolerance(level.name, level.value) / 1e3:
                break
            # As they will be stated, and read again.
            stated = [
                times * held.scale / level.scale
                for times, held in zip(self.prover.multipliers(slopes, at_least), self.held, strict=True)
            ]
            multipliers = [times * level.scale / held.scale for times, held in zip(stated, self.held, strict=True)]
            gap = self._bounded(level, multipliers)[0]
            if gap < least:
                best, least = multipliers, gap
        for times, held in zip(best, self.held, strict=True):
            if times:
                self.found[level.name, held.name] = times * held.scale / level.scale
        return best

    def _bounded(
        self, level: Level, multipliers: Sequence[float], looks_again: bool = False
    ) -> tuple[float, float, Pull, list[Kinked]]:
        """The gap of a level; of its sum over units and rows; the pull of all rows; the functions that were added."""
        price = level.price
        pieces = [] if level.piece is None else [level.piece]
        for times, held in zip(multipliers, self.held, strict=True):
            if times > 0:
                price = price + times * held.price
                pieces += [] if held.piece is None else [replace(held.piece, times=times)]
        price = self.rows.priced(price)
        pull = self.rows.pull(price, self.units).of(self.free)
        of_rows = self.rows.gap(self.totals, price)
        if level.name == "largest_change" and self.whole:
            gap = gap_of_largest_change(level.value, self.intervals, self.r, self.e, pieces, pull, of_rows)
            return gap, gap, pull, pieces
        of_sum = upward(units_gap(self.intervals, pieces, pull, level.square) + of_rows, 4)
        gap = self.measures.gap_of_value(level, of_sum)
        if looks_again and self._may_be_rounding(level, gap):
            of_sum = min(of_sum, rational.gap(self, pieces, price, level.square))
            gap = self.measures.gap_of_value(level, of_sum)
        return gap, of_sum, pull, pieces

    def _may_be_rounding(self, level: Level, gap: float) -> bool:
        return (
            self.measures.tolerance(level.name, level.value) < gap < HOPELESS * max(level.value, 1.0 / level.scale)
            and level.value > self.measures.tolerance(level.name, level.value)
            and len(self.e) <= SECOND_LOOK
        )

    def _hold(self, level: Level, of_sum: float, pull: Pull, pieces: Sequence[Kinked]) -> None:
        """Hold a level: `largest_change` by intervals, whole tonnes that cannot move, and the rest by its functions."""
        if level.name == "least_squares":
            return
        answer, lower, upper = self.intervals.answer, self.intervals.lower, self.intervals.upper
        if level.name == "largest_change":
            room = upward(level.value, 4) * self.e * (1 + 4 * ROUNDOFF)
            room = room_within(upward(level.value, 4), self.e) if self.whole else room + 4 * ROUNDOFF * np.abs(self.r)
            lower, upper = np.maximum(lower, self.r - room), np.minimum(upper, self.r + room)
        elif self.whole:
            no_less, no_more = stays(answer, pieces, pull, of_sum)
            lower, upper = np.where(no_less, answer, lower), np.where(no_more, answer, upper)
        self.intervals = Intervals.around(answer, lower, upper)
        piece = None if level.name == "largest_change" else level.piece
        self.held.append(Held(level.name, piece, level.price, level.scale))
        if self.prover:
            own = self.rows.pull(level.price, self.units).at_unit[self.free]
            if level.name == "largest_change":
                self.prover.within(self.r - level.value * self.e, self.r + level.value * self.e)
            # Multipliers that rule out whole rates say of no single unit or row where it stands.
            counts = 0.0 if level.name == "largest_change" and self.whole else 1.0
            self.prover.hold(piece or Kinked(self.r, 0 * own, 0 * own), counts * own, counts * level.price)
