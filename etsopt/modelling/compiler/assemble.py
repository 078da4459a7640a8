"""Assemble terms into the rows of a sparse matrix, or the costs of an objective, without sorting."""

from __future__ import annotations

from itertools import combinations, groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.modelling.compiler.spaces import aligned
from etsopt.modelling.program.sparse_rows import SparseRows, from_entries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etsopt.modelling.compiler.evaluate import Term
    from etsopt.modelling.compiler.spaces import Space


def rows_of(terms: Sequence[Term], count: int, columns: int) -> SparseRows:
    """Return the rows of terms as a sparse matrix; duplicate entries are summed, zeros dropped.

    Parameters
    ----------
    count, columns
        Number of rows and of columns.
    """
    if all(term.space.rows is None for term in terms):
        matrix = _of_equal_length(terms, count, columns)
    else:
        matrix = _of_any_length(terms, count, columns)
    if not _is_distinct(terms):
        return from_entries(matrix.row_of_each(), matrix.indices.astype(np.int64), matrix.data, matrix.shape)
    return matrix.only(matrix.data != 0) if not matrix.data.all() else matrix


def costs_of(terms: Sequence[Term], columns: int) -> NDArray[np.float64]:
    """Return the cost of every column, shape ``(columns,)``."""
    costs = np.zeros(columns)
    for term in terms:
        where = term.space.full(term.columns).reshape(-1)
        values = term.space.full(np.asarray(term.coefficient, dtype=float)).reshape(-1)
        if len(where) and where[-1] - where[0] == len(where) - 1 and (np.diff(where) == 1).all():
            costs[where[0] : where[-1] + 1] += values
        else:
            np.add.at(costs, where, values)
    return costs


def _of_equal_length(terms: Sequence[Term], count: int, columns: int) -> SparseRows:
    """Return rows of one length: a rectangle, filled term by term."""
    width = sum(term.space.inner for term in terms)
    indices, data = np.empty((count, width), dtype=np.int32), np.empty((count, width))
    first = 0
    for term in terms:
        last = first + term.space.inner
        _fill(indices[:, first:last], term.space, term.columns)
        _fill(data[:, first:last], term.space, term.coefficient)
        first = last
    indptr = np.arange(count + 1, dtype=np.int64) * width
    return SparseRows(data.reshape(-1), indices.reshape(-1), indptr, columns)


def _fill(target: NDArray[Any], space: Space, value: Any) -> None:
    """Write a value over all elements of a space into its part of a rectangle, one line per row."""
    if np.ndim(value) == 0:
        target[...] = value
    elif np.shape(value) == (len(target),) and space.inner == 1:
        target[...] = value.reshape(-1, 1)
    else:
        target[...] = space.full(value).reshape(target.shape)


def _of_any_length(terms: Sequence[Term], count: int, columns: int) -> SparseRows:
    """Return rows of different lengths, with the entries of each space together in every row."""
    blocks = []
    for _, group in groupby(terms, key=lambda term: id(term.space)):
        blocks.append(_block(list(group), count))
    if len(blocks) == 1:
        lengths, indices, data = blocks[0]
        return SparseRows(data, indices, _starts(lengths), columns)
    starts = _starts(np.sum([lengths for lengths, _, _ in blocks], axis=0))
    indices, data = np.empty(starts[-1], dtype=np.int32), np.empty(starts[-1])
    first = starts[:-1].copy()
    for lengths, block_indices, block_data in blocks:
        # Each block is in row order, so its entries move by the same distance within a row.
        move = first - _starts(lengths)[:-1]
        place = np.arange(len(block_data)) + np.repeat(move, lengths)
        indices[place], data[place] = block_indices, block_data
        first += lengths
    return SparseRows(data, indices, starts, columns)


def _block(terms: list[Term], count: int) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
    """Return the number of entries per row, columns and coefficients of the terms of one space, in row order."""
    space = terms[0].space
    elements = count if space.rows is None else len(space.rows)
    width = space.inner * len(terms)
    indices, data = np.empty((elements, width), dtype=np.int32), np.empty((elements, width))
    for number, term in enumerate(terms):
        block = slice(number * space.inner, (number + 1) * space.inner)
        for target, value in ((indices[:, block], term.columns), (data[:, block], term.coefficient)):
            target[...] = space.full(value).reshape(target.shape)
    per_row = np.ones(count, dtype=np.int64) if space.rows is None else np.bincount(space.rows, minlength=count)
    return per_row * width, indices.reshape(-1), data.reshape(-1)


def _starts(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])


def _is_distinct(terms: Sequence[Term]) -> bool:
    """Return True if no column can occur twice in a row."""
    if not all(term.distinct for term in terms):
        return False
    return not any(one.variable == other.variable and _may_meet(one, other) for one, other in combinations(terms, 2))


def _may_meet(one: Term, other: Term) -> bool:
    """Return True if two terms of one variable may share a column in a row; exact if each has one per row."""
    if any(term.space.rows is not None or term.space.inner != 1 for term in (one, other)):
        return True
    dimensions = max(np.ndim(one.columns), np.ndim(other.columns))
    same = aligned(one.columns, dimensions) == aligned(other.columns, dimensions)
    return bool(np.any(same))
