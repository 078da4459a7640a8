"""A sparse matrix by rows, with the operations that programs need, in numpy alone.

Loading scipy beside Pyomo makes Pyomo load scipy.stats, which costs more than all other imports.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


ROUNDING_RELATIVE, ROUNDING_MAX_RELATIVE = 2.0**-52, 2.0**-48
"""Share of the terms of a sum up to which what is left of it is their rounding: for each of them, and at most. A plain
difference of two computed numbers leaves a unit or two in the last place."""


def without_rounding(total: Any, size: Any, terms: Any) -> Any:
    """Return sums, and zero in place of those that are the rounding of so many terms of some size."""
    share = np.minimum(ROUNDING_RELATIVE * terms, ROUNDING_MAX_RELATIVE)
    return np.where(np.isfinite(total) & (np.abs(total) <= share * size), 0.0, total)


@dataclass(frozen=True)
class SparseRows:
    """Row ``r`` has the coefficients ``data[indptr[r]:indptr[r + 1]]`` in the columns ``indices[...]``.

    No column occurs twice in a row, and no coefficient is zero.

    Parameters
    ----------
    data
        Coefficients, shape ``(nnz,)``.
    indices
        Their columns, shape ``(nnz,)``.
    indptr
        Shape ``(rows + 1,)``.
    columns
        Number of columns.
    """

    data: NDArray[np.float64]
    indices: NDArray[np.int32]
    indptr: NDArray[np.int64]
    columns: int

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and columns."""
        return len(self.indptr) - 1, self.columns

    @property
    def nnz(self) -> int:
        """Number of coefficients."""
        return len(self.data)

    def row_of_each(self) -> NDArray[np.int64]:
        """Return the row of each coefficient, shape ``(nnz,)``."""
        return np.repeat(np.arange(self.shape[0]), np.diff(self.indptr))

    def __matmul__(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the product with a vector, shape ``(columns,)``."""
        return self.sums(self.data * x[self.indices])

    def transposed_times(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the product of the transposed matrix with a vector, shape ``(rows,)``."""
        weights = self.data * np.repeat(y, np.diff(self.indptr))
        return np.bincount(self.indices, weights, self.columns).astype(float)

    def absolute(self) -> SparseRows:
        """Return the matrix of absolute coefficients."""
        return SparseRows(np.abs(self.data), self.indices, self.indptr, self.columns)

    def largest(self) -> NDArray[np.float64]:
        """Return the largest absolute coefficient of each row; zero if it is empty."""
        return self._by_row(np.maximum, np.abs(self.data))

    def only(self, kept: NDArray[np.bool_]) -> SparseRows:
        """Return the matrix with the kept coefficients alone, shape ``(nnz,)``."""
        if kept.all():
            return self
        before = np.concatenate([[0], np.cumsum(kept)])
        return SparseRows(self.data[kept], self.indices[kept], before[self.indptr], self.columns)

    def part(self, rows: slice) -> SparseRows:
        """Return the matrix of consecutive rows."""
        first, last = self.indptr[rows.start], self.indptr[rows.stop]
        indptr = self.indptr[rows.start : rows.stop + 1] - first
        return SparseRows(self.data[first:last], self.indices[first:last], indptr, self.columns)

    def select(self, rows: NDArray[np.int64], columns: slice) -> SparseRows:
        """Return the matrix of rows in any order, and of consecutive columns."""
        counts = np.diff(self.indptr)[rows]
        starts = np.concatenate([[0], np.cumsum(counts)])
        place = np.arange(starts[-1]) + np.repeat(self.indptr[:-1][rows] - starts[:-1], counts)
        indices = self.indices[place]
        inside = (indices >= columns.start) & (indices < columns.stop)
        before = np.concatenate([[0], np.cumsum(inside)])
        kept = self.data[place][inside], indices[inside] - np.int32(columns.start)
        return SparseRows(*kept, before[starts], columns.stop - columns.start)

    def times_rows(self, factors: NDArray[np.float64]) -> SparseRows:
        """Return the matrix with every row times a nonzero factor."""
        return SparseRows(self.data * np.repeat(factors, np.diff(self.indptr)), self.indices, self.indptr, self.columns)

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum of values, one for each coefficient, in every row."""
        return self._by_row(np.add, values)

    def propagated(
        self,
        limits: tuple[NDArray[np.float64], NDArray[np.float64]],
        bounds: tuple[NDArray[np.float64], NDArray[np.float64]],
        rounds: int = 3,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the column bounds that the row limits imply from finite bounds, after some rounds of propagation.

        Three rounds lead from a column of many rows to its neighbours, from these to a third, and back.
        """
        (least, most), rows, columns, entries = limits, self.row_of_each(), self.indices, self.data
        lower, upper = bounds[0].copy(), bounds[1].copy()
        for _ in range(rounds):
            small = np.where(entries > 0, entries * lower[columns], entries * upper[columns])
            large = np.where(entries > 0, entries * upper[columns], entries * lower[columns])
            # The part of each limit that the rest of the row leaves to an entry.
            left_least = least[rows] - (self.sums(large)[rows] - large)
            left_most = most[rows] - (self.sums(small)[rows] - small)
            np.maximum.at(lower, columns, np.where(entries > 0, left_least, left_most) / entries)
            np.minimum.at(upper, columns, np.where(entries > 0, left_most, left_least) / entries)
            # Rounding may cross the bounds of a column that has a single value.
            lower, upper = np.minimum(lower, upper), np.maximum(lower, upper)
        return lower, upper

    def has_pattern_of(self, other: SparseRows) -> bool:
        """Return True if another matrix has its coefficients in the same places, in the same order."""
        return np.array_equal(self.indptr, other.indptr) and np.array_equal(self.indices, other.indices)

    def equals(self, other: SparseRows) -> bool:
        """Return True if another matrix has the same coefficients in the same places."""
        return self.has_pattern_of(other) and np.array_equal(self.data, other.data)

    def appended(self, row: NDArray[np.float64]) -> SparseRows:
        """Return the matrix with one more row, given in full, shape ``(columns,)``."""
        where = np.flatnonzero(row)
        return SparseRows(
            np.append(self.data, row[where]),
            np.append(self.indices, where.astype(self.indices.dtype)),
            np.append(self.indptr, self.indptr[-1] + len(where)),
            self.columns,
        )

    def toarray(self) -> NDArray[np.float64]:
        """Return all coefficients, shape ``(rows, columns)``; for small matrices."""
        full = np.zeros(self.shape)
        full[self.row_of_each(), self.indices] = self.data
        return full

    @classmethod
    def fromscipy(cls, matrix: Any) -> SparseRows:
        """Return a sparse matrix of scipy, with duplicate entries summed and zeros dropped."""
        rows = matrix.tocsr().copy()
        rows.sum_duplicates()
        rows.eliminate_zeros()
        return cls(rows.data, rows.indices.astype(np.int32), rows.indptr.astype(np.int64), rows.shape[1])

    def toscipy(self) -> Any:
        """Return the matrix as a `scipy.sparse.csr_array`."""
        from scipy.sparse import csr_array

        return csr_array((self.data, self.indices, self.indptr), self.shape)

    def _by_row(self, reduce: np.ufunc, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Reduce the values of each row; zero if it is empty."""
        result = np.zeros(self.shape[0])
        filled = np.flatnonzero(np.diff(self.indptr))
        if len(filled):
            result[filled] = reduce.reduceat(values, self.indptr[:-1][filled])
        return result


def dense(full: NDArray[np.float64]) -> SparseRows:
    """Return a matrix from all its coefficients, shape ``(rows, columns)``; for small matrices."""
    rows, columns = np.nonzero(full)
    return from_entries(rows, columns, full[rows, columns], full.shape)


def from_entries(
    rows: NDArray[np.int64], columns: NDArray[np.int64], data: NDArray[np.float64], shape: tuple[int, ...]
) -> SparseRows:
    """Return a matrix from entries in any order; duplicate entries are summed, and dropped if nothing is left of them.

    Ten shares of a tenth less one leave 1e-16, which is rounding and no coefficient.
    """
    order = np.lexsort((columns, rows))
    rows, columns, data = rows[order], columns[order], data[order]
    first = np.ones(len(rows), dtype=bool)
    first[1:] = (rows[1:] != rows[:-1]) | (columns[1:] != columns[:-1])
    where = np.flatnonzero(first)
    total, size = (np.add.reduceat(part, where) if len(where) else data for part in (data, np.abs(data)))
    indptr = np.searchsorted(rows[where], np.arange(shape[0] + 1))
    matrix = SparseRows(total, columns[where].astype(np.int32), indptr.astype(np.int64), shape[1])
    return matrix.only(without_rounding(total, size, np.diff(where, append=len(rows))) != 0)


def stacked(parts: list[SparseRows], columns: int) -> SparseRows:
    """Return one matrix of the rows of all parts."""
    if len(parts) == 1:
        return parts[0]
    before = np.cumsum([0, *(part.nnz for part in parts)])
    indptr = [part.indptr[:-1] + start for part, start in zip(parts, before, strict=False)]
    return SparseRows(
        np.concatenate([part.data for part in parts] or [np.zeros(0)]),
        np.concatenate([part.indices for part in parts] or [np.zeros(0, dtype=np.int32)]),
        np.concatenate([*indptr, before[-1:]]),
        columns,
    )
