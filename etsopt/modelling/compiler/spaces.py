"""Iteration spaces: the indices over which a template is evaluated, as axes of arrays.

A row index or a sum over a set is an axis, and a lookup that follows an axis is a view: `m.cost[i]` inside a sum over
`k` is an array of shape ``(UNITS, 1)``. A sum over the members of a group has another length for each group, so it
lays all axes out flat into one, and records the origin of each element.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.modelling.compiler.sets import IndexSet


@dataclass(frozen=True)
class AxisIndex:
    """An index that runs along an axis: one column of the members of a set."""

    members: IndexSet
    axis: int
    column: int

    def value(self) -> NDArray[np.int64]:
        """Return its values, with one dimension for each axis up to its own."""
        return self.members.column(self.column).reshape((1,) * self.axis + (-1,))

    def position(self) -> NDArray[np.int64]:
        """Return the positions of its members in their set."""
        return np.arange(self.members.size).reshape((1,) * self.axis + (-1,))


@dataclass(frozen=True)
class ValueIndex:
    """An index whose values are known element by element.

    `distinct` is the number of indices of its group, itself included, whose values no two elements of a row share;
    0 if that is unknown.
    """

    values: Any
    distinct: int = 0

    def value(self) -> Any:
        """Return its values, aligned with the leading axes."""
        return self.values


@dataclass(frozen=True)
class Space:
    """Axes, and the binding of each index to them.

    Parameters
    ----------
    shape
        Length of each axis.
    row_axes
        Number of leading axes that identify the row; the others are summed.
    rows
        Row of each element of the first axis, in order, if a group was laid out flat; else None.
    bound
        Binding of each index, by the identity of its placeholder.
    parent, origin
        The space before a group was laid out flat, and its element that each element comes from.
    """

    shape: tuple[int, ...]
    row_axes: int
    rows: NDArray[np.int64] | None
    bound: dict[int, AxisIndex | ValueIndex]
    parent: Space | None = None
    origin: NDArray[np.int64] | None = None

    @property
    def inner(self) -> int:
        """Number of elements of each row, or each element of a flat axis, along the summed axes."""
        return prod(self.shape[1 if self.rows is not None else self.row_axes :])

    def along(self, members: IndexSet, placeholders: tuple[Any, ...]) -> Space:
        """Return the space with one more axis, the members of a set."""
        axis = len(self.shape)
        new: dict[int, AxisIndex | ValueIndex] = {
            id(item): AxisIndex(members, axis, column) for column, item in enumerate(placeholders)
        }
        return Space((*self.shape, members.size), self.row_axes, self.rows, self.bound | new, self.parent, self.origin)

    def binding(self, values: dict[int, AxisIndex | ValueIndex]) -> Space:
        """Return the space with more indices."""
        return Space(self.shape, self.row_axes, self.rows, self.bound | values, self.parent, self.origin)

    def laid_out(self, counts: NDArray[np.int64], members: list[ValueIndex], placeholders: tuple[Any, ...]) -> Space:
        """Return the space of the members of a group for each element, ``counts`` of them in row-major order."""
        origin = np.repeat(np.arange(len(counts)), counts)
        bound: dict[int, AxisIndex | ValueIndex] = {
            id(item): value for item, value in zip(placeholders, members, strict=True)
        }
        return Space((len(origin),), 0, self.row_of_each()[origin], bound, self, origin)

    def row_of_each(self) -> NDArray[np.int64]:
        """Return the row of every element in row-major order."""
        if self.rows is not None:
            return np.repeat(self.rows, self.inner) if self.inner != 1 else self.rows
        rows = np.arange(prod(self.shape[: self.row_axes]))
        return rows if self.inner == 1 else np.repeat(rows, self.inner)

    def value(self, placeholder: Any) -> Any:
        """Return the values of an index, aligned with the leading axes.

        Raises
        ------
        LookupError
            If this space does not bind it.
        """
        binding = self.bound.get(id(placeholder))
        if binding is not None:
            return binding.value()
        if self.parent is None:
            raise LookupError
        return self.carried(self.parent.value(placeholder))

    def carried(self, value: Any) -> Any:
        """Return a value of the parent space in this one."""
        if np.ndim(value) == 0:
            return value
        assert self.parent is not None
        assert self.origin is not None
        return self.parent.full(value).reshape(-1)[self.origin]

    def elementwise(self) -> Space:
        """Return the same space with every element as a row of its own."""
        return Space(self.shape, len(self.shape), None, self.bound, self.parent, self.origin)

    def sum_by_row(self, value: Any, count: int) -> Any:
        """Return the sum of a value over the summed axes, shape ``(count,)``, or one number for all rows."""
        if self.rows is None and np.ndim(value) == 0:
            return value * self.inner
        full = self.full(value)
        if self.rows is None:
            return full.reshape(-1) if self.inner == 1 else full.reshape(count, self.inner).sum(axis=1)
        return np.bincount(self.rows, full.reshape(len(self.rows), self.inner).sum(axis=1), count)

    def full(self, value: Any) -> NDArray[Any]:
        """Return a value broadcast to every element of the space."""
        known = aligned(value, len(self.shape))
        is_full = isinstance(known, np.ndarray) and known.shape == self.shape
        return known if is_full else np.broadcast_to(known, self.shape)


def aligned(value: Any, dimensions: int) -> Any:
    """Return an array over the leading axes with axes of length one for those that follow."""
    missing = dimensions - np.ndim(value)
    return value if missing <= 0 or np.ndim(value) == 0 else value.reshape(value.shape + (1,) * missing)


def all_aligned(values: list[Any]) -> list[Any]:
    """Return values aligned with the leading axes, all with the same number of dimensions; scalars stay scalars."""
    dimensions = max((np.ndim(value) for value in values), default=0)
    return [aligned(value, dimensions) for value in values]


def times(one: Any, other: Any) -> Any:
    """Return the product of two values, both aligned with the leading axes."""
    one, other = all_aligned([one, other])
    return one * other


def plus(one: Any, other: Any) -> Any:
    """Return the sum of two values, both aligned with the leading axes."""
    one, other = all_aligned([one, other])
    return one + other
