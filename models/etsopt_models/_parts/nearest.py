r"""The point of intervals and rows that is nearest to a reference, by prices of the rows.

$$\min_A \sum_i (A_i - R_i)^2 / E_i \quad\text{s.t.}\quad \underline A \le A \le \overline A,\quad G A \ge d.$$

With a price $y \ge 0$ for each row (free for an equality) a unit's best answer is
$A_i = \mathrm{clip}(R_i + \tfrac12 E_i (G^T y)_i)$, and the dual function is concave, once differentiable and piecewise
quadratic. Newton's method on its pieces, with a projection on $y \ge 0$ and a line search, finds its maximum in a few
steps; nothing in it depends on the order of the units. Units with the same column of $G$ are a cell and have one price.

Totals that add a million numbers leave their limits by their rounding. So where a row has a price, or is an equality,
one unit of each column that has room is moved by what the exact total is off, some thousandths of a tonne at most: the
gap of the answer is that times the price.

References: Qi and Sun (1993), A nonsmooth version of Newton's method; Bertsekas (1982), Projected Newton methods.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.progress import checkpoint
from etsopt.units import ROUNDING_NOISE_T
from etsopt_models._parts.newton import Curvature

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt_models._parts.newton import Entries

MOST_STEPS = 200
HALVINGS, FLAT, AT_START = 60, 0.1, 1e-3
"""Halvings of a step; the share of the first slope that is flat enough to end it; the share of a step that is a short
start of it."""

LAST_DIGITS = 8
"""So many units in the last place of an allowance, some billionths of a tonne, are its rounding."""

POLISHED, MOST_OFF_T, ROOM_T = 3, 1.0, 1e3
"""Rounds of moves onto limits; tonnes up to which a total may be off to be moved there; times as much room a unit needs
for its move."""

MOST_WORK = 1e8
"""Rows squared times columns up to which the moves are found, by one dense system; it takes a tenth of a second."""

FRACTION = 2.0**30
"""Fractions of a tonne add up to this part of it without rounding."""

ACCURACY, CLOSE = 1e-15, 1e-6
"""Violation of a row, against the sum of its absolute terms: where the method stops, and from where on it may stall."""


@dataclass(frozen=True)
class Point:
    """Prices, which units would move with a price, and how each row is met and missed, against its size too."""

    prices: NDArray[np.float64]
    moves: NDArray[np.bool_]
    surplus: NDArray[np.float64]
    missed: NDArray[np.float64]
    wanted: NDArray[np.float64]


@dataclass(frozen=True)
class Nearest:
    """Units with their intervals, and the rows that couple them.

    Parameters
    ----------
    emissions, reference, lower, upper
        Shape ``(units,)``.
    cell
        Column of every unit; None where each has one of its own.
    entries
        Coefficients of the rows.
    least
        Right-hand sides, shape ``(rows,)``.
    free
        Which rows are equalities.
    enough
        How far each row may be missed where the rounding of the levels before allows no less.
    """

    emissions: NDArray[np.float64]
    reference: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    cell: NDArray[np.int64] | None
    entries: Entries
    least: NDArray[np.float64]
    free: NDArray[np.bool_]
    enough: NDArray[np.float64]

    @cached_property
    def curvature(self) -> Curvature:
        """What weights of the columns make of the rows."""
        return Curvature(self.entries)

    @cached_property
    def half(self) -> NDArray[np.float64]:
        """How far a price moves every unit."""
        return self.emissions / 2

    @cached_property
    def squares(self) -> NDArray[np.float64]:
        """How far a price of its own would move every row, if all units moved."""
        return self.entries.squared().times(self.by_column(self.half))

    def by_column(self, of_units: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sums over the units of each column."""
        return of_units if self.cell is None else np.bincount(self.cell, of_units, self.entries.columns).astype(float)

    def of_units(self, by_column: NDArray[Any]) -> NDArray[Any]:
        """What stands at the column of each unit."""
        return by_column if self.cell is None else by_column[self.cell]

    def respond(self, prices: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Best answer of every unit to the prices, and which of them would move with a price."""
        wish = self.reference + self.half * self.of_units(self.entries.transposed_times(prices))
        answer: NDArray[np.float64] = np.clip(wish, self.lower, self.upper)
        return answer, (answer == wish) & (self.lower < self.upper)

    def answer(self, prices: NDArray[np.float64]) -> NDArray[np.float64]:
        """Best answer of every unit to the prices; what is whole but for its last digits is whole, if it may be."""
        answer = self.respond(prices)[0]
        whole = np.clip(np.round(answer), self.lower, self.upper)
        near: NDArray[np.float64] = np.where(np.abs(answer - whole) <= LAST_DIGITS * np.spacing(answer), whole, answer)
        return near

    def polished(self, answer: NDArray[np.float64], prices: NDArray[np.float64]) -> NDArray[np.float64]:
        """The answer with rows of tonnes that have a price exactly at their limits, as near as its numbers allow."""
        answer, tight = answer.copy(), self.free | (prices > 0)
        # Rows of rates have other entries; a unit in one that has a price stays where it is.
        in_rates = np.bincount(self.entries.row, np.abs(self.entries.value) != 1, self.rows) > 0
        stays = np.bincount(self.entries.column, (in_rates & tight)[self.entries.row], self.entries.columns) > 0
        tight &= ~in_rates
        if not tight.any() or np.count_nonzero(tight) ** 2 * self.entries.columns > MOST_WORK:
            return answer
        full = np.zeros((self.rows, self.entries.columns))
        full[self.entries.row, self.entries.column] = self.entries.value
        for _ in range(POLISHED):
            off = self._off(answer)[tight]
            room = np.where(self.of_units(stays), 0.0, np.minimum(answer - self.lower, self.upper - answer))
            unit = self._finest(answer, room >= ROOM_T * max(float(np.max(np.abs(off))), ROUNDING_NOISE_T))
            columns = np.flatnonzero(unit >= 0)
            if not off.any() or np.max(np.abs(off)) > MOST_OFF_T or not len(columns):
                break
            answer[unit[columns]] += np.linalg.lstsq(full[np.ix_(tight, columns)], -off, rcond=None)[0]
        return np.clip(answer, self.lower, self.upper)

    @property
    def rows(self) -> int:
        """Number of the rows."""
        return len(self.least)

    def _off(self, answer: NDArray[np.float64]) -> NDArray[np.float64]:
        """By how much each row is above its right-hand side; exact but for what no fraction of a billionth tells."""
        whole = np.rint(answer)
        fraction = np.rint((answer - whole) * FRACTION) / FRACTION
        parts = whole, fraction, (answer - whole) - fraction
        totals = [self.entries.times(self.by_column(part)) for part in parts]
        off: NDArray[np.float64] = (totals[0] - self.least) + (totals[1] + totals[2])
        return off

    def _finest(self, answer: NDArray[np.float64], may: NDArray[np.bool_]) -> NDArray[np.int64]:
        """The unit of each column that has the finest numbers among those that may move, -1 in a column without any."""
        size = np.where(may, answer, np.inf)
        least = size
        if self.cell is not None:
            least = np.full(self.entries.columns, np.inf)
            np.minimum.at(least, self.cell, size)
        chosen = np.flatnonzero((size == self.of_units(least)) & may)
        found = np.full(self.entries.columns, -1)
        found[chosen if self.cell is None else self.cell[chosen]] = chosen
        return found

    def look(self, prices: NDArray[np.float64]) -> Point:
        """Everything the method needs to know at some prices."""
        answer, moves = self.respond(prices)
        # Allowances are not negative, so the absolute terms of a column are its total.
        totals = self.by_column(answer)
        surplus = self.entries.times(totals) - self.least
        size = np.maximum(self.entries.absolute().times(np.abs(totals)) + np.abs(self.least), 1e-300)
        missed = np.where(self.free | (prices > 0), np.abs(surplus), np.maximum(-surplus, 0.0))
        return Point(prices, moves, surplus, missed, missed / size)

    def maximise(self) -> tuple[NDArray[np.float64], int, bool]:
        """Prices that maximise the dual function, the number of Newton steps, and whether they reach the accuracy."""
        point = self.look(np.zeros(len(self.least)))
        for step in range(MOST_STEPS):
            checkpoint("last step, Newton step", step + 1)
            distance = float(np.max(point.wanted, initial=0.0))
            if distance <= ACCURACY:
                return point.prices, step, True
            trial = self._search(point, self._newton(point, distance, 1.0))
            trial = trial or self._search(point, self._newton(point, distance, AT_START))
            if trial is None:
                break
            # Rounding of the levels before may leave no room for more: what is good enough and gets no better, ends.
            stalled = distance < CLOSE and np.max(trial.wanted) > 0.5 * distance
            if stalled and np.all(point.missed <= self.enough):
                break
            point = trial
        return point.prices, step, bool(np.all(point.missed <= self.enough))

    def _search(self, point: Point, direction: NDArray[np.float64]) -> Point | None:
        """The point on the way where the dual function is about highest; None where the way does not rise.

        The way ends where a price becomes zero. Slopes tell, not values, which close to the end move less than their
        own rounding: a slope is a sum of violations. It falls all the way, so halving finds where it is flat, even in a
        narrow gap between two kinks.
        """
        first = -float(point.surplus @ direction)
        if not first > 0:
            return None
        falls = ~self.free & (direction < 0)
        there = share = float(min(1.0, np.min(point.prices[falls] / -direction[falls], initial=1.0)))
        here, best = 0.0, None
        for _ in range(HALVINGS):
            prices = point.prices + share * direction
            trial = self.look(np.where(self.free, prices, np.maximum(prices, 0.0)))
            slope = -float(trial.surplus @ direction)
            if slope >= 0:
                here, best = share, trial
            else:
                there = share
            if abs(slope) <= FLAT * first or here == there:
                return trial
            share = (here + there) / 2
        return best

    def _newton(self, point: Point, distance: float, start: float) -> NDArray[np.float64]:
        """Newton's direction on the prices that may move; damped far from the end (Levenberg-Marquardt).

        A price that would fall through zero within the start of the step, a share of it, goes to zero and moves no
        other; with a short start the direction is sure to rise.
        """
        may = self.free | (point.prices > 0) | (point.surplus < 0)
        weight = self.by_column(np.where(point.moves, self.half, 0.0))
        direction = np.where(may, 0.0, -point.prices)
        while may.any():
            active = np.flatnonzero(may)
            missing = -point.surplus
            if start == 1.0:
                moved = self.entries.transposed_times(np.where(may, 0.0, direction))
                missing = missing - self.entries.times(weight * moved)
            scale, ridge = 1 / np.sqrt(self.squares[active]), 1e-12 + min(1e-3, distance)
            step = self.curvature.solve(weight, active, scale, ridge, scale * missing[active])
            direction[active] = scale * step
            blocked = may & ~self.free & (point.prices + start * direction < 0)
            if not blocked.any():
                break
            gone = blocked & ((point.surplus > 0) | (start == 1.0))
            direction = np.where(gone, -point.prices, np.where(blocked, 0.0, direction))
            may &= ~blocked
        return direction
