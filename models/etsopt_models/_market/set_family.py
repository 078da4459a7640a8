"""Sets of a unit's measures that hold at most one measure of each exclusive group.

The family contains every subset of its members. It has one set for each choice of one measure, or none, in each group:
the product over groups of the number of measures plus one. A set that includes another has the same measure in every
group in which the other has one.

Sets are numbered in the order of their binary codes, in which measure ``k`` counts ``2**k``; without groups the number
of a set is its code. So the sets whose last measure is ``k`` are one block, each its parent, which comes before it, and
that measure. For minima, sets are an array with one axis for each group; if the measures of every group are neighbours,
this is the order of the numbers.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class SetFamily:
    """Sets of some measures without an excluded pair.

    Parameters
    ----------
    groups
        Positions of the measures of each group, ascending, in the order of their first; a measure without a group is
        one of its own.
    stops
        True for groups whose measures may stop: a set may follow another whatever both have of them. Empty for none.

    Attributes
    ----------
    has
        True if a set holds a measure, shape ``(sets, measures)``.
    """

    def __init__(self, groups: tuple[tuple[int, ...], ...], stops: tuple[bool, ...] = ()) -> None:
        self.groups, self._sizes = groups, [len(group) + 1 for group in groups]
        self.stops = stops or (False,) * len(groups)
        sets, measures = int(np.prod(self._sizes, dtype=np.int64)), sum(map(len, groups))
        has, weight = np.zeros((sets, measures), dtype=bool), np.zeros(measures, dtype=np.int64)
        digits, chosen, step, bit, self._lasting = *np.zeros((2, sets), dtype=np.int64), 1, 0, 0
        for group, size, stop in zip(groups, self._sizes, self.stops, strict=True):
            # In the array of sets the first group varies fastest, and a measure shifts a set by its weight.
            choice, numbers = np.arange(sets) // step % size, np.arange(1, size)
            has[:, group], weight[list(group)] = choice[:, None] == numbers, numbers * step
            # The choice is a digit of as many bits as the group needs, all of them set in `chosen` if it is not none.
            bits = len(group).bit_length()
            digits |= choice << bit
            if not stop:
                chosen |= np.where(choice > 0, (1 << bits) - 1, 0) << bit
                self._lasting |= ((1 << bits) - 1) << bit
            step, bit = step * size, bit + bits
        order = np.lexsort(has.T) if measures else np.zeros(1, dtype=np.int64)
        number = np.argsort(order)
        self.has, self._digits, self._chosen = has[order], digits[order], chosen[order]
        self.has.setflags(write=False)
        self._array = None if (order == np.arange(sets)).all() else (number, order)
        # The first set of a block is its measure alone.
        starts = [*number[weight].tolist(), sets]
        self._blocks = [
            (slice(start, stop), _as_slice(number[order[start:stop] - shift]))
            for start, stop, shift in zip(starts[:-1], starts[1:], weight.tolist(), strict=True)
        ]

    def __len__(self) -> int:
        return len(self.has)

    def with_measure(self) -> SetFamily:
        """Return the sets with and without one more measure: those without come first, in the same order."""
        return family_of((*self.groups, (self.has.shape[1],)), (*self.stops, False))

    def includes(self, sets: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return True if a set includes another but for measures that stop, by broadcasting."""
        result: NDArray[np.bool_] = (self._digits[sets] & self._chosen[others]) == self._digits[others] & self._lasting
        return result

    def products(self, factors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the product of the factors of each set, shape ``(sets, units)`` from ``(measures, units)``.

        >>> SetFamily(((0,), (1,))).products(np.array([[0.5], [0.1]]))[:, 0]
        array([1.  , 0.5 , 0.1 , 0.05])
        >>> SetFamily(((0, 1),)).products(np.array([[0.5], [0.1]]))[:, 0]
        array([1. , 0.5, 0.1])
        """
        return self._accumulated(factors, np.multiply)

    def sums(self, terms: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum of the terms of each set, shape ``(sets, units)`` from ``(measures, units)``.

        >>> SetFamily(((0,), (1,))).sums(np.array([[1.0], [10.0]]))[:, 0]
        array([ 0.,  1., 10., 11.])
        """
        return self._accumulated(terms, np.add)

    def _accumulated(self, each: NDArray[np.float64], join: np.ufunc) -> NDArray[np.float64]:
        total = np.full((len(self), each.shape[1]), float(join.identity or 0))
        for term, (block, parents) in zip(each, self._blocks, strict=True):
            join(total[parents], term, out=total[block])
        return total

    def least_of_supersets(self, value: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the least value over all sets that include each set, as in `includes`, shape ``(sets, units)``.

        >>> SetFamily(((0,), (1,))).least_of_supersets(np.array([[3.0], [1.0], [2.0], [4.0]]))[:, 0]
        array([1., 1., 2., 4.])
        >>> SetFamily(((0, 1),)).least_of_supersets(np.array([[3.0], [1.0], [2.0]]))[:, 0]
        array([1., 1., 2.])
        >>> SetFamily(((0,),), (True,)).least_of_supersets(np.array([[1.0], [3.0]]))[:, 0]
        array([1., 1.])
        """
        least = value.copy() if self._array is None else value[self._array[0]]
        step = 1
        for size, stop in zip(self._sizes, self.stops, strict=True):
            # Sets without a measure of the group are compared with the same sets with each of its measures.
            choices = least.reshape(-1, size, step, value.shape[1])
            if stop:
                choices[:] = choices.min(axis=1, keepdims=True)
                step *= size
                continue
            for choice in range(1, size):
                np.minimum(choices[:, 0], choices[:, choice], out=choices[:, 0])
            step *= size
        return least if self._array is None else least[self._array[1]]


def _as_slice(numbers: NDArray[np.int64]) -> slice | NDArray[np.int64]:
    """Return numbers as a slice if they are the first ones, which costs no copy."""
    return slice(0, len(numbers)) if (numbers == np.arange(len(numbers))).all() else numbers


@lru_cache(maxsize=32)
def family_of(groups: tuple[tuple[int, ...], ...], stops: tuple[bool, ...] = ()) -> SetFamily:
    """Return the family of some groups; units of many instances have the same few."""
    return SetFamily(groups, stops)
