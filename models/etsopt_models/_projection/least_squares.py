r"""Weighted least-squares projection of a reference onto intervals and rows, by duals of the rows.

$$\min_A \sum_i (A_i - R_i)^2 / W_i \quad\text{s.t.}\quad \underline A \le A \le \overline A,\quad G A \ge d.$$

With a dual $y \ge 0$ for each row (unsigned for an equality) a unit's best response is
$A_i = \mathrm{clip}(R_i + \tfrac12 W_i (G^T y)_i)$. `proximal.maximise` finds the duals at which the responses meet the
rows, and `polishing.polished` removes the rounding of large totals. Units with the same column of $G$ form a cell.

The linear systems of Newton's method on duals of rows: few rows in numpy, many in scipy.

Result of a faster method for one objective.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt_models._effort import DENSE_SYSTEM_ROWS_MAX
from etsopt_models._tolerances import ALLOWANCE_ROUNDING_LAST_PLACES

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Entries:
    """Coefficients of rows, in any order: position and value.

    Parameters
    ----------
    rows, columns
        Numbers of rows and columns.
    """

    row: NDArray[np.int64]
    column: NDArray[np.int64]
    value: NDArray[np.float64]
    rows: int
    columns: int

    @classmethod
    def of(cls, matrix: Any) -> Entries:
        """Return the coefficients of a program's matrix."""
        return cls(matrix.row_of_each(), matrix.indices, matrix.data, *matrix.shape)

    def absolute(self) -> Entries:
        """Return the absolute coefficients."""
        return replace(self, value=np.abs(self.value))

    def squared(self) -> Entries:
        """Return the squared coefficients."""
        return replace(self, value=self.value**2)

    def times(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the product with a vector of shape ``(columns,)``."""
        return np.bincount(self.row, self.value * x[self.column], self.rows).astype(float)

    def transposed_times(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the product of the transposed matrix with a vector of shape ``(rows,)``."""
        return np.bincount(self.column, self.value * y[self.row], self.columns).astype(float)


class Curvature:
    r"""The matrix $G\,\mathrm{diag}(w)\,G^T$ of rows $G$ for any weights of the columns.

    Parameters
    ----------
    entries
        The rows; each column has few entries, so the pairs of entries of a column are few.
    """

    def __init__(self, entries: Entries) -> None:
        self.rows = entries.rows
        order = np.argsort(entries.column, kind="stable")
        column, row, value = entries.column[order], entries.row[order], entries.value[order]
        parts = [(row, row, column, value * value)]
        distance = 1
        while True:
            same = np.flatnonzero(column[distance:] == column[:-distance]) if distance < len(column) else np.zeros(0)
            if not len(same):
                break
            other, both = same + distance, value[same] * value[same + distance]
            parts += [(row[same], row[other], column[same], both), (row[other], row[same], column[same], both)]
            distance += 1
        self._one, self._other, self._column, self._product = (
            np.concatenate([part[k] for part in parts]) for k in range(4)
        )

    def solve(
        self,
        weight: NDArray[np.float64],
        active: NDArray[np.int64],
        scale: NDArray[np.float64],
        ridge: float,
        right: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Solve the scaled system of some rows with a ridge on its diagonal.

        Parameters
        ----------
        weight
            Weight of every column.
        active, scale, right
            The rows of the system, the factor of each, and its right-hand side.
        """
        values = self._product * weight[self._column]
        if self.rows <= DENSE_SYSTEM_ROWS_MAX:
            place = self._one * self.rows + self._other
            full = np.bincount(place, values, self.rows**2).reshape(self.rows, self.rows)[np.ix_(active, active)]
            scaled = full * np.outer(scale, scale) + ridge * np.eye(len(active))
            return np.asarray(np.linalg.solve(scaled, right), dtype=float)
        from scipy.sparse import coo_array, csc_array, diags_array, eye_array
        from scipy.sparse.linalg import splu

        shape = (self.rows, self.rows)
        everything = coo_array((values, (self._one, self._other)), shape=shape).tocsr()
        scaled = diags_array(scale) @ everything[active, :][:, active] @ diags_array(scale)
        solution: NDArray[np.float64] = splu(csc_array(scaled + ridge * eye_array(len(active)))).solve(right)
        return solution


@dataclass(frozen=True)
class ObjectiveSolution:
    """Values, multipliers by row, value and bound of an objective, algorithm, program for the next, and more proofs."""

    values: dict[str, NDArray[np.float64]]
    multipliers: dict[str, NDArray[np.float64]]
    value: float
    bound: float
    algorithm: str
    program: Any = None
    proofs: tuple[dict[str, NDArray[np.float64]], ...] = ()


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
