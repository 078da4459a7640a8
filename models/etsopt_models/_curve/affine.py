"""Numbers that are affine in the axes of a box near a point: values there, and slopes carried along."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Affine:
    """Numbers at a point with their slopes.

    Parameters
    ----------
    value
        At the point, shape ``(n,)``.
    slope
        By axis, shape ``(axes, n)``.
    """

    value: Array
    slope: Array

    @classmethod
    def constant(cls, value: Array, axes: int) -> Affine:
        """Return numbers that do not move."""
        return cls(value, np.zeros((axes, len(value))))

    @classmethod
    def joined(cls, parts: Sequence[Affine]) -> Affine:
        """Return several arrays one after another."""
        return cls(np.concatenate([part.value for part in parts]), np.concatenate([part.slope for part in parts], 1))

    def __add__(self, other: Affine) -> Affine:
        return Affine(self.value + other.value, self.slope + other.slope)

    def __sub__(self, other: Affine) -> Affine:
        return Affine(self.value - other.value, self.slope - other.slope)

    def __mul__(self, factor: Any) -> Affine:
        return Affine(self.value * factor, self.slope * factor)

    def __getitem__(self, which: Any) -> Affine:
        return Affine(self.value[which], self.slope[:, which])

    def at(self, step: Array) -> Array:
        """Return the numbers a step away from the point, shape ``(axes,)`` to ``(n,)``."""
        return shifted(self.value, step, self.slope)


def shifted(value: Array, step: Array, slope: Array) -> Array:
    """Return numbers a step away, axis by axis: a product of matrices so flat takes longer than its sums."""
    for size, along in zip(step, slope, strict=True):
        value = value + size * along
    return value


def where(condition: NDArray[np.bool_], one: Affine, other: Affine) -> Affine:
    """Return one or the other number by a condition that does not depend on the point."""
    return Affine(np.where(condition, one.value, other.value), np.where(condition, one.slope, other.slope))


def larger(one: Affine, other: Affine) -> Affine:
    """Return the numbers that are larger at the point."""
    return where(one.value >= other.value, one, other)


def smaller(one: Affine, other: Affine) -> Affine:
    """Return the numbers that are smaller at the point."""
    return where(one.value <= other.value, one, other)
