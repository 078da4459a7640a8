r"""Weighted least-squares projection of a reference onto intervals and rows, by duals of the rows.

$$\min_A \sum_i (A_i - R_i)^2 / W_i \quad\text{s.t.}\quad \underline A \le A \le \overline A,\quad G A \ge d.$$

With a dual $y \ge 0$ for each row (unsigned for an equality) a unit's best response is
$A_i = \mathrm{clip}(R_i + \tfrac12 W_i (G^T y)_i)$. `proximal.maximise` finds the duals at which the responses meet the
rows, and `polishing.polished` removes the rounding of large totals. Units with the same column of $G$ form a cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt_models._projection.newton import Curvature
from etsopt_models._tolerances import ALLOWANCE_ROUNDING_LAST_PLACES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt_models._projection.newton import Entries


@dataclass(frozen=True)
class Point:
    """Duals, units that move with a dual, and surplus and violation of each row, also relative to its size."""

    duals: NDArray[np.float64]
    moves: NDArray[np.bool_]
    surplus: NDArray[np.float64]
    missed: NDArray[np.float64]
    wanted: NDArray[np.float64]


@dataclass(frozen=True)
class Projection:
    """A projection: units with their intervals, and the rows that couple them.

    Parameters
    ----------
    emissions, reference, lower, upper
        Quantities of the units, shape ``(units,)`` [t].
    cell
        Column of every unit; None if each has one of its own.
    entries
        Coefficients of the rows.
    least
        Right-hand sides, shape ``(rows,)``.
    is_equality
        True for rows that are equalities.
    enough
        Violation of each row that is accepted because of the rounding of earlier objectives.
    weight
        Divisor $W$ of the squares; None for emissions.
    """

    emissions: NDArray[np.float64]
    reference: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    cell: NDArray[np.int64] | None
    entries: Entries
    least: NDArray[np.float64]
    is_equality: NDArray[np.bool_]
    enough: NDArray[np.float64]
    weight: NDArray[np.float64] | None = None

    @cached_property
    def curvature(self) -> Curvature:
        """Curvature of the rows for weights of the columns."""
        return Curvature(self.entries)

    @cached_property
    def half(self) -> NDArray[np.float64]:
        """Move of every unit per unit of its dual activity."""
        return (self.emissions if self.weight is None else self.weight) / 2

    @cached_property
    def squares(self) -> NDArray[np.float64]:
        """Move of every row per unit of its dual, if all units moved."""
        return self.entries.squared().times(self.by_column(self.half))

    @cached_property
    def scale(self) -> NDArray[np.float64]:
        """Scale of every row: the root of its curvature, one if none of its units would move."""
        return np.sqrt(np.where(self.squares > 0, self.squares, 1.0))

    def by_column(self, of_units: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sums over the units of each column."""
        return of_units if self.cell is None else np.bincount(self.cell, of_units, self.entries.columns).astype(float)

    def of_units(self, by_column: NDArray[Any]) -> NDArray[Any]:
        """Return the value of the column of each unit."""
        return by_column if self.cell is None else by_column[self.cell]

    def respond(self, duals: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the best response of every unit to the duals, and True for units that would move with a dual."""
        wish = self.reference + self.half * self.of_units(self.entries.transposed_times(duals))
        answer: NDArray[np.float64] = np.clip(wish, self.lower, self.upper)
        return answer, (answer == wish) & (self.lower < self.upper)

    def answer(self, duals: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the best response of every unit to the duals, with whole tonnes where only the last digits differ."""
        return self.whole_if_near(self.respond(duals)[0])

    def whole_if_near(self, answer: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the answer with whole tonnes where only the last digits differ."""
        whole = np.clip(np.round(answer), self.lower, self.upper)
        near: NDArray[np.float64] = np.where(
            np.abs(answer - whole) <= ALLOWANCE_ROUNDING_LAST_PLACES * np.spacing(answer), whole, answer
        )
        return near

    @property
    def rows(self) -> int:
        """Number of the rows."""
        return len(self.least)

    def look(self, duals: NDArray[np.float64]) -> Point:
        """Return the point at some duals."""
        answer, moves = self.respond(duals)
        # Allowances are not negative, so the absolute terms of a column are its total.
        totals = self.by_column(answer)
        surplus = self.entries.times(totals) - self.least
        size = np.maximum(self.entries.absolute().times(np.abs(totals)) + np.abs(self.least), 1e-300)
        missed = np.where(self.is_equality | (duals > 0), np.abs(surplus), np.maximum(-surplus, 0.0))
        return Point(duals, moves, surplus, missed, missed / size)
