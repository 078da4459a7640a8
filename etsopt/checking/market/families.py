"""Sets of measures without two of one exclusive group, as numbers with a digit for each group.

A digit is 0 for no measure of the group and ``j`` for its measure ``j``; a measure without a group is a group of its
own. The digit of the first group varies fastest: the sets without measures of the later groups come first, and those
with one measure of the next group repeat them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Family:
    """All sets of a unit's slots that hold at most one slot of each group.

    Parameters
    ----------
    groups
        Slots of each group.
    stops
        True for groups whose measures may stop: any set may follow any other in them.
    """

    groups: tuple[tuple[int, ...], ...]
    stops: tuple[bool, ...]

    def __len__(self) -> int:
        return prod(len(group) + 1 for group in self.groups)

    @cached_property
    def has(self) -> NDArray[np.bool_]:
        """True if a set holds a slot, shape ``(sets, slots)``."""
        has = np.zeros((len(self), sum(map(len, self.groups))), dtype=bool)
        rest = np.arange(len(self))
        for group in self.groups:
            rest, digit = np.divmod(rest, len(group) + 1)
            for number, slot in enumerate(group, 1):
                has[:, slot] = digit == number
        return has

    def accumulate(self, each: NDArray[np.float64], join: np.ufunc) -> NDArray[np.float64]:
        """Return the product or sum over the slots of every set, shape ``(sets, units)`` from ``(slots, units)``."""
        total = np.full((len(self), each.shape[1]), float(join.identity or 0))
        filled = 1
        for group in self.groups:
            for number, slot in enumerate(group, 1):
                join(total[:filled], each[slot], out=total[number * filled : (number + 1) * filled])
            filled *= len(group) + 1
        return total

    def minimise_over_supersets(self, value: NDArray[np.float64]) -> None:
        """Replace the value of every set by the least over those that may follow it, in place, shape ``(sets, units)``.

        These are its supersets, but for measures that stop.
        """
        below = 1
        for group, stops in zip(self.groups, self.stops, strict=True):
            digits = value.reshape(-1, len(group) + 1, below, value.shape[1])
            below *= len(group) + 1
            if stops:
                digits[...] = np.minimum.reduce(digits, axis=1)[:, None]
                continue
            for number in range(1, len(group) + 1):
                np.minimum(digits[:, 0], digits[:, number], out=digits[:, 0])

    def supersets(self, sets: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return True for the sets that may follow each of some sets, shape ``(len(sets), sets)``."""
        lasts = [slot for group, stops in zip(self.groups, self.stops, strict=True) if not stops for slot in group]
        lacking = self.has[sets][:, lasts].astype(np.float32) @ (~self.has[:, lasts].T).astype(np.float32)
        supersets: NDArray[np.bool_] = lacking == 0
        return supersets
