"""The linear systems of Newton's method on duals of rows: few rows in numpy, many in scipy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt_models._effort import DENSE_SYSTEM_ROWS_MAX

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
