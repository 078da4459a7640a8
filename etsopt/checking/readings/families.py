"""Sets of measures as numbers with a digit for each group of slots.

Of an exclusive group a digit is 0 for no measure and ``j`` for its measure ``j``. Of a line, in which each slot needs
the one before, it counts the slots that run: the steps of a measure, and measures that require each other. A measure
without either is a group of its own. The digit of the first group varies fastest: the sets without measures of the
later groups come first, and those with one measure of the next group repeat them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class SlotGroup(NamedTuple):
    """Slots of an exclusive group or line; a line has the measure of each slot too.

    Parameters
    ----------
    slots
        The slots, of a line in its order.
    measures
        Of a line, a number for the measure of each slot: of one measure, one step begins a year. Empty otherwise.
    stops
        True if any digit may follow a greater one.
    """

    slots: tuple[int, ...]
    measures: tuple[int, ...] = ()
    stops: bool = False

    def highest(self, digit: int) -> int:
        """Return the highest digit of a line in the year after a digit.

        >>> [SlotGroup((0, 1, 2), (7, 7, 8)).highest(digit) for digit in range(4)]
        [1, 3, 3, 3]
        """
        begun = set[int]()
        while digit < len(self.slots) and self.measures[digit] not in begun:
            begun.add(self.measures[digit])
            digit += 1
        return digit


@dataclass(frozen=True)
class Family:
    """All sets of a unit's slots with one digit for each group."""

    groups: tuple[SlotGroup, ...]

    def __len__(self) -> int:
        return prod(len(group.slots) + 1 for group in self.groups)

    @cached_property
    def has(self) -> NDArray[np.bool_]:
        """True if a set holds a slot, shape ``(sets, slots)``."""
        has = np.zeros((len(self), sum(len(group.slots) for group in self.groups)), dtype=bool)
        rest = np.arange(len(self))
        for slots, measures, _ in self.groups:
            rest, digit = np.divmod(rest, len(slots) + 1)
            for number, slot in enumerate(slots, 1):
                has[:, slot] = digit >= number if measures else digit == number
        return has

    def accumulate(self, each: NDArray[np.float64], join: np.ufunc) -> NDArray[np.float64]:
        """Return the product or sum over the slots of every set, shape ``(sets, units)`` from ``(slots, units)``."""
        total = np.full((len(self), each.shape[1]), float(join.identity or 0))
        filled = 1
        for slots, measures, _ in self.groups:
            for number, slot in enumerate(slots, 1):
                without = total[(number - 1) * filled : number * filled] if measures else total[:filled]
                join(without, each[slot], out=total[number * filled : (number + 1) * filled])
            filled *= len(slots) + 1
        return total

    def minimise_over_next(self, value: NDArray[np.float64]) -> None:
        """Replace the value of every set by the least over those that may follow it, in place, shape ``(sets, units)``.

        These have all of it, but for measures that stop, and no second step more of a measure.
        """
        below = 1
        for group in self.groups:
            size = len(group.slots) + 1
            digits = value.reshape(-1, size, below, value.shape[1])
            below *= size
            if group.measures:
                before = digits.copy()
                for digit in range(size):
                    first = 0 if group.stops else digit
                    digits[:, digit] = before[:, first : group.highest(digit) + 1].min(axis=1)
            elif group.stops:
                digits[...] = np.minimum.reduce(digits, axis=1)[:, None]
            else:
                for number in range(1, size):
                    np.minimum(digits[:, 0], digits[:, number], out=digits[:, 0])

    def next(self, sets: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return True for the sets that may follow each of some sets, shape ``(len(sets), sets)``."""
        held = self.has.astype(np.float32)
        lasts = [slot for group in self.groups if not group.stops for slot in group.slots]
        may: NDArray[np.bool_] = held[sets][:, lasts] @ (1 - held[:, lasts].T) == 0
        for group in self.groups:
            for measure in {one for one in group.measures if group.measures.count(one) > 1}:
                steps = [slot for slot, one in zip(group.slots, group.measures, strict=True) if one == measure]
                count = self.has[:, steps].sum(axis=1)
                may &= count <= count[sets][:, None] + 1
        return may
