"""Rows, bounds of columns and objectives of a program, with sums and products whose rounding is bounded."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.arithmetic import ROUNDOFF, UNDERFLOW, exact_sums, gamma, total, upward
from etsopt.checking.effort import NARROWING_ROUNDS
from etsopt.checking.tolerances import CANCELLED_TERM_RELATIVE, PROGRAM_MISS_RELATIVE, WHOLE_ROW_MISS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from etsopt.checking.arrays import Floats, Ints, Mask
    from etsopt.checking.program.interfaces import Objective, Program


@dataclass(frozen=True)
class Box:
    """Bounds of columns, both of shape ``(columns,)``."""

    lower: Floats
    upper: Floats

    @property
    def reach(self) -> Floats:
        """Largest size of each column."""
        return np.maximum(np.abs(self.lower), np.abs(self.upper))

    def whole(self, integer: Mask) -> Box:
        """Return the bounds with those of whole numbers at whole numbers."""
        return Box(
            np.where(integer, np.ceil(self.lower), self.lower), np.where(integer, np.floor(self.upper), self.upper)
        )

    def split(self, column: int, value: float, above: bool) -> Box:
        """Return the side of a column that is at least a value, or at most."""
        lower, upper = self.lower.copy(), self.upper.copy()
        if above:
            lower[column] = max(lower[column], value)
        else:
            upper[column] = min(upper[column], value)
        return Box(lower, upper)

    def fixed_at(self, x: Floats, blocks: Sequence[slice]) -> Box:
        """Return the bounds with some columns at their values."""
        lower, upper = self.lower.copy(), self.upper.copy()
        for block in blocks:
            lower[block] = upper[block] = x[block]
        return Box(lower, upper)


@dataclass(frozen=True)
class Goal:
    """An objective as the checker reads it."""

    linear: Floats
    quadratic: Floats
    constant: float
    unit: str = ""

    @classmethod
    def of(cls, objective: Objective) -> Goal:
        """Read an objective."""
        quadratic = np.zeros_like(objective.linear) if objective.quadratic is None else objective.quadratic
        return cls(objective.linear, quadratic, objective.constant)

    @classmethod
    def nothing(cls, columns: int) -> Goal:
        """Return the objective that is zero everywhere."""
        return cls(np.zeros(columns), np.zeros(columns), 0.0)

    @property
    def is_nothing(self) -> bool:
        """True if it is zero everywhere."""
        return not (self.linear.any() or self.quadratic.any() or self.constant)

    def at(self, x: Floats) -> tuple[float, float]:
        """Return the value at a point, and a bound of its rounding."""
        terms = np.concatenate([self.linear * x, self.quadratic * x * x, [self.constant]])
        value, error = total(terms)
        return value, upward(error + gamma(3) * float(np.abs(terms).sum()), 4)

    def largest_term(self, reach: Floats) -> float:
        """Return the largest size of a term where columns reach these sizes: tonnes are not always those of plants."""
        return float(np.maximum(np.abs(self.linear) * reach, np.abs(self.quadratic) * reach**2).max(initial=0.0))

    def counts(self, integer: Mask) -> bool:
        """Return True if the value can only be a whole number."""
        whole = (self.linear == np.round(self.linear)).all() and self.constant == round(self.constant)
        return bool(whole and not self.quadratic.any() and not self.linear[~integer].any() and self.linear.any())


@dataclass(frozen=True)
class Rows:
    """Rows with limits; some have squares beside their linear terms, and only an upper limit.

    Parameters
    ----------
    data, row, column
        Coefficients with their places, shape ``(nnz,)``.
    lower, upper
        Shape ``(rows,)``, perhaps infinite.
    columns
        Number of columns.
    squares
        By row, the coefficients of squares, shape ``(columns,)``.
    """

    data: Floats
    row: Ints
    column: Ints
    lower: Floats
    upper: Floats
    columns: int
    squares: Mapping[int, Floats] = field(default_factory=dict)

    @classmethod
    def of(cls, program: Program) -> Rows:
        """Read the rows of a program."""
        matrix = program.matrix
        row = np.repeat(np.arange(len(program.row_lower)), np.diff(matrix.indptr))
        columns = len(program.column_lower)
        return cls(matrix.data, row, matrix.indices.astype(np.int64), program.row_lower, program.row_upper, columns)

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.lower)

    def times(self, x: Floats) -> tuple[Floats, Floats]:
        """Return the linear part of every row at a point, and a bound of its rounding."""
        terms = self.data * x[self.column]
        high, low, error = exact_sums(self.row, terms, self.count)
        size = np.bincount(self.row, np.abs(terms), self.count)
        # Sums above 2^53 are not exact.
        error = np.where(np.isfinite(error), error, self._gammas(8) * size)
        return high + low, error + 4 * ROUNDOFF * size * (1 + gamma(len(terms))) + UNDERFLOW

    def terms(self, size: Floats) -> Floats:
        """Return the largest term of each row for columns of some sizes."""
        found = np.zeros(self.count)
        np.maximum.at(found, self.row, np.abs(self.data) * size[self.column])
        return found

    def widened(self, amount: Floats, share: float) -> Rows:
        """Return the rows with limits that are wider by an amount, and by a share of themselves."""
        lower, upper = (
            amount + share * np.where(np.isfinite(side), np.abs(side), 0.0) for side in (self.lower, self.upper)
        )
        return replace(self, lower=self.lower - lower, upper=self.upper + upper)

    def missed(self, x: Floats) -> tuple[Floats, Floats]:
        """Return what a point misses of each limit, zero if it keeps it, and these limits."""
        value = self.times(x)[0]
        limit = np.where(value < self.lower, self.lower, self.upper)
        return np.maximum(np.maximum(self.lower - value, value - self.upper), 0.0), limit

    def may_be_missed(self, x: Floats, limit: Floats, settled: Mask) -> Floats:
        """Return by how much a point may miss limits.

        It may by a share of what whole numbers leave of the limit to the other terms; where they leave nothing, as a
        large factor of a switch does, by a share of these terms; and by the rounding of all. No share of terms counts
        beside a limit of its own: terms that cancel can be as large as their bounds.

        Parameters
        ----------
        settled
            True for columns of whole numbers, and those with one value, shape ``(columns,)``.
        """
        terms, real = self.data * x[self.column], ~settled[self.column]
        rounding = 4 * ROUNDOFF * np.bincount(self.row, np.abs(terms), self.count)
        left = np.abs(limit - np.bincount(self.row, np.where(real, 0.0, terms), self.count))
        largest = self.terms(np.where(settled, 0.0, np.abs(x)))
        of_real = np.where(left <= rounding, CANCELLED_TERM_RELATIVE * largest, PROGRAM_MISS_RELATIVE * left)
        of_whole = np.minimum(PROGRAM_MISS_RELATIVE * np.abs(limit), WHOLE_ROW_MISS)
        has_real = np.bincount(self.row[real], minlength=self.count) > 0
        return np.maximum(np.where(has_real, of_real, of_whole), rounding)

    def reaching(self, x: Floats) -> Rows:
        """Return the rows with limits that are widened to a point."""
        value, error = self.times(x)
        return replace(self, lower=np.minimum(self.lower, value - error), upper=np.maximum(self.upper, value + error))

    def below(self, goal: Goal, most: float) -> Rows:
        """Return the rows with one more: an objective is at most a value."""
        where, number = np.flatnonzero(goal.linear), self.count
        limit = most - goal.constant
        limit += 2 * ROUNDOFF * (abs(most) + abs(goal.constant))
        return replace(
            self,
            data=np.append(self.data, goal.linear[where]),
            row=np.append(self.row, np.full(len(where), number)),
            column=np.append(self.column, where),
            lower=np.append(self.lower, -np.inf),
            upper=np.append(self.upper, limit),
            squares={**self.squares, number: goal.quadratic} if goal.quadratic.any() else self.squares,
        )

    def narrowed(self, box: Box, whole: Mask) -> Box | None:
        """Return the bounds that rows leave to columns, or None if they leave no point.

        Parameters
        ----------
        whole
            True for columns of whole numbers, shape ``(columns,)``.
        """
        lower, upper, a, i, j = box.lower.copy(), box.upper.copy(), self.data, self.row, self.column
        least, most = self._linear_limits()
        roundings, whole_of = self._gammas(8), whole[j]
        # A limit is known to a share of itself, and no more of it makes the next whole number.
        sides = (np.where(np.isfinite(side), np.abs(side), 0.0) for side in (least, most))
        room = PROGRAM_MISS_RELATIVE * np.maximum(*sides)[i] / np.abs(a)
        for _ in range(NARROWING_ROUNDS):
            if (lower > upper).any():
                return None
            small, large = np.where(a > 0, lower[j], upper[j]) * a, np.where(a > 0, upper[j], lower[j]) * a
            sizes = np.maximum(np.abs(small), np.abs(large))
            lowest, highest, size = (np.bincount(i, part, self.count) for part in (small, large, sizes))
            slack = roundings * size + UNDERFLOW
            if ((lowest - slack > most) | (highest + slack < least)).any():
                return None
            # What the rest of its row leaves to each entry, and to be safe a bound of all rounding more.
            left_most = (most + slack + roundings * np.abs(most))[i] - (lowest[i] - small)
            left_least = (least - slack - roundings * np.abs(least))[i] - (highest[i] - large)
            above, below = np.where(a > 0, left_most, left_least) / a, np.where(a > 0, left_least, left_most) / a
            above, below = above + 4 * ROUNDOFF * np.abs(above), below - 4 * ROUNDOFF * np.abs(below)
            above[whole_of] = np.floor((above + room)[whole_of])
            below[whole_of] = np.ceil((below - room)[whole_of])
            # Where a sum overflows, nothing is known.
            np.fmin.at(upper, j, above)
            np.fmax.at(lower, j, below)
        return None if (lower > upper).any() else Box(lower, upper)

    def bound(self, box: Box, goal: Goal, multipliers: Floats) -> float:
        """Return a lower bound of an objective over all points, less all rounding; minus infinity if it overflows.

        Parameters
        ----------
        multipliers
            Of rows, shape ``(rows,)``: any finite numbers.
        """
        prices = multipliers.copy()
        for number in self.squares:
            prices[number] = min(prices[number], 0.0)
        weights = self.data * prices[self.row]
        slope = goal.linear - np.bincount(self.column, weights, self.columns)
        size = np.abs(goal.linear) + np.bincount(self.column, np.abs(weights), self.columns)
        curve, curve_size = goal.quadratic, np.abs(goal.quadratic)
        for number, square in self.squares.items():
            curve, curve_size = curve - prices[number] * square, curve_size + np.abs(prices[number] * square)
        least = np.minimum(*((curve * end + slope) * end for end in (box.lower, box.upper)))
        bends = curve > 0
        if bends.any():
            lowest = np.where(bends, -slope / np.where(bends, 2 * curve, 1.0), box.lower)
            inside = bends & (lowest > box.lower) & (lowest < box.upper)
            least = np.where(inside, slope * lowest / 2, least)
        reach = box.reach
        terms = np.concatenate([least, self._sides(box, prices), [goal.constant]])
        value, error = total(terms)
        of_slopes = _gammas(self._entries[1] + 4) * size + gamma(8) * np.abs(slope) + UNDERFLOW
        of_curves = gamma(8 + len(self.squares)) * curve_size
        lost = float((of_slopes * reach + of_curves * reach * reach).sum()) + gamma(2) * float(np.abs(terms).sum())
        bound = value - upward(error + upward(lost, len(terms)), 4)
        return bound if np.isfinite(bound) else -np.inf

    @cached_property
    def _entries(self) -> tuple[Ints, Ints]:
        """Number of coefficients of each row, and of each column."""
        return np.bincount(self.row, minlength=self.count), np.bincount(self.column, minlength=self.columns)

    def _gammas(self, more: int) -> Floats:
        """Return the largest relative error of the sum of each row and of some roundings more."""
        return _gammas(self._entries[0] + more)

    def _linear_limits(self) -> tuple[Floats, Floats]:
        """Return the limits of rows without squares; others have none."""
        upper = self.upper.copy()
        upper[list(self.squares)] = np.inf
        return self.lower, upper

    def _sides(self, box: Box, prices: Floats) -> Floats:
        """Return the part of each row in a bound: its multiplier times the side that this supports."""
        ends = self.data * box.lower[self.column], self.data * box.upper[self.column]
        small, large = (np.bincount(self.row, part(*ends), self.count) for part in (np.minimum, np.maximum))
        size = np.bincount(self.row, np.maximum(*map(np.abs, ends)), self.count)
        error = self._gammas(2) * size + UNDERFLOW
        lower, upper = np.maximum(self.lower, small - error), np.minimum(self.upper, large + error)
        for number in self.squares:
            upper[number] = self.upper[number]
        return np.where(prices > 0, prices * lower, np.where(prices < 0, prices * upper, 0.0))


def _gammas(roundings: Ints) -> Floats:
    """Return the largest relative error of each sum after its number of roundings."""
    return roundings * ROUNDOFF / (1 - roundings * ROUNDOFF)
