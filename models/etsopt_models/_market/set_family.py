"""Sets of a unit's measures: at most one of each exclusive group, and the first ones of each chain.

A group is a part of the measures from which a set chooses by itself. Among *alternatives* it has none or one. In a
*chain* it has the first ones: each needs those before, as the steps of a measure do, and measures that require each
other. So the family has one set for each choice in each group: the product over groups of their measures plus one.

Sets are numbered as an array with an axis for each group, the first of which varies fastest; with one measure in every
group, the number of a set is its binary code.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


class Group(NamedTuple):
    """Measures from which a set chooses by itself.

    Parameters
    ----------
    places
        Places of the measures; in a chain in its order.
    reach
        Of a chain, the most measures that it may have in a year, by how many it has in the year before, from none on.
        Empty for alternatives.
    stops
        True if its measures may stop, so that it may have any choice within reach in the next year.
    """

    places: tuple[int, ...]
    reach: tuple[int, ...] = ()
    stops: bool = False


class SetFamily:
    """Sets of the measures of some groups.

    Parameters
    ----------
    groups
        Groups, in which each measure has one place.

    Attributes
    ----------
    has
        True if a set holds a measure, shape ``(sets, measures)``.
    """

    def __init__(self, groups: tuple[Group, ...]) -> None:
        self.groups = groups
        sets = int(np.prod([len(group.places) + 1 for group in groups], dtype=np.int64))
        self.has = np.zeros((sets, sum(len(group.places) for group in groups)), dtype=bool)
        self._digits, self._chosen, self._lasting = *np.zeros((2, sets), dtype=np.int64), 0
        self._chains: list[tuple[Group, NDArray[np.int64]]] = []
        bit = 0
        for group, below in self._axes():
            size = len(group.places) + 1
            choice = np.arange(sets) // below % size
            if group.reach:
                self.has[:, group.places] = choice[:, None] >= np.arange(1, size)
                self._chains.append((group, choice))
                continue
            self.has[:, group.places] = choice[:, None] == np.arange(1, size)
            # The choice is a digit of as many bits as the group needs, all of them set in `chosen` if it is not none.
            bits = len(group.places).bit_length()
            self._digits |= choice << bit
            if not group.stops:
                self._chosen |= np.where(choice > 0, (1 << bits) - 1, 0) << bit
                self._lasting |= ((1 << bits) - 1) << bit
            bit += bits
        self.has.setflags(write=False)

    def _axes(self) -> Iterator[tuple[Group, int]]:
        """Yield each group, and the number of sets of the groups before it."""
        below = 1
        for group in self.groups:
            yield group, below
            below *= len(group.places) + 1

    def __len__(self) -> int:
        return len(self.has)

    @property
    def may_stop(self) -> bool:
        """True if some measure may stop, so that a set may be followed by one with a lower number."""
        return any(group.stops for group in self.groups)

    def with_measure(self) -> SetFamily:
        """Return the sets with and without one more measure: those without come first, in the same order."""
        return family_of((*self.groups, Group((self.has.shape[1],))))

    def follows(self, sets: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return True if a set may run in the year after another, by broadcasting.

        It has all of the other but what stops, and in chains no more than is within reach.
        """
        result: NDArray[np.bool_] = (self._digits[sets] & self._chosen[others]) == self._digits[others] & self._lasting
        for group, choice in self._chains:
            now, before = choice[sets], choice[others]
            result = result & (now <= np.array(group.reach)[before])
            if not group.stops:
                result &= now >= before
        return result

    def reached(self, admissible: NDArray[np.bool_]) -> list[int]:
        """Return how many of the first sets hold all that a unit without measures can have reached by each year.

        They have the first choices of the last group, so that the functions below take them for a family of their own.

        Parameters
        ----------
        admissible
            True if a set may run in a year, shape ``(years, sets)``, or ``(years, sets, units)``.
        """
        if not self.groups:
            return [1] * len(admissible)
        *_, (group, below) = self._axes()
        counts, built = [], 0
        # Sets of one choice of the last group are neighbours.
        runs = np.logical_or.reduce(admissible.reshape(len(admissible), len(self), -1), axis=2)
        for t in range(len(runs)):
            may = int(np.flatnonzero(runs[t]).max(initial=0)) // below
            built = max(built, min(may, group.reach[built]) if group.reach else may)
            counts.append((built + 1) * below)
        return counts

    def products(self, factors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the product of the factors of each set, shape ``(sets, units)`` from ``(measures, units)``.

        >>> SetFamily((Group((0,)), Group((1,)))).products(np.array([[0.5], [0.1]]))[:, 0]
        array([1.  , 0.5 , 0.1 , 0.05])
        >>> SetFamily((Group((0, 1)),)).products(np.array([[0.5], [0.1]]))[:, 0]
        array([1. , 0.5, 0.1])
        >>> SetFamily((Group((0, 1), reach=(1, 2, 2)),)).products(np.array([[0.5], [0.1]]))[:, 0]
        array([1.  , 0.5 , 0.05])
        """
        return self._accumulated(factors, np.multiply, 1.0)

    def sums(
        self,
        terms: NDArray[np.float64],
        start: float | NDArray[np.float64] = 0.0,
        out: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float64]:
        """Return a start and the sum of the terms of each set, shape ``(sets, units)`` from ``(measures, units)``.

        >>> SetFamily((Group((0,)), Group((1,)))).sums(np.array([[1.0], [10.0]]))[:, 0]
        array([ 0.,  1., 10., 11.])
        """
        return self._accumulated(terms, np.add, start, out)

    def _accumulated(
        self,
        each: NDArray[np.float64],
        join: np.ufunc,
        start: float | NDArray[np.float64],
        out: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float64]:
        total = np.empty((len(self), each.shape[1])) if out is None else out
        total[0] = start
        for group, below in self._axes():
            for number, place in enumerate(group.places[: len(total) // below - 1], 1):
                # Alternatives join the sets without the group, a measure of a chain those with the measures before it.
                first = (number - 1) * below if group.reach else 0
                join(total[first : first + below], each[place], out=total[number * below : (number + 1) * below])
        return total

    def least_of_next(self, value: NDArray[np.float64], out: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Return the least value over all sets that may follow each set, as in `follows`, shape ``(sets, units)``.

        >>> SetFamily((Group((0,)), Group((1,)))).least_of_next(np.array([[3.0], [1.0], [2.0], [4.0]]))[:, 0]
        array([1., 1., 2., 4.])
        >>> SetFamily((Group((0, 1)),)).least_of_next(np.array([[3.0], [1.0], [2.0]]))[:, 0]
        array([1., 1., 2.])
        >>> SetFamily((Group((0, 1), reach=(1, 2, 2)),)).least_of_next(np.array([[3.0], [2.0], [1.0]]))[:, 0]
        array([2., 1., 1.])
        >>> SetFamily((Group((0,), stops=True),)).least_of_next(np.array([[1.0], [3.0]]))[:, 0]
        array([1., 1.])
        """
        least = np.empty_like(value) if out is None else out
        least[:] = value
        for group, below in self._axes():
            size = min(len(group.places) + 1, len(value) // below)
            choices = least.reshape(-1, size, below, value.shape[1])
            if group.reach:
                _least_within_reach(choices, group)
            elif group.stops:
                choices[:] = choices.min(axis=1, keepdims=True)
            else:
                for choice in range(1, choices.shape[1]):
                    np.minimum(choices[:, 0], choices[:, choice], out=choices[:, 0])
        return least

    def least_of_running(self, value: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the least value over the sets that may run where each set is installed, shape ``(sets, units)``.

        >>> SetFamily((Group((0,), stops=True), Group((1,)))).least_of_running(np.array([[1.0], [3.0], [2.0], [0.0]]))[:, 0]
        array([1., 1., 2., 0.])
        >>> SetFamily((Group((0, 1), stops=True),)).least_of_running(np.array([[2.0], [1.0], [3.0]]))[:, 0]
        array([2., 1., 2.])
        >>> SetFamily((Group((0, 1), (1, 2, 2), True),)).least_of_running(np.array([[2.0], [1.0], [3.0]]))[:, 0]
        array([2., 1., 1.])
        """
        least = value.copy()
        for group, below in self._axes():
            choices = least.reshape(-1, len(group.places) + 1, below, value.shape[1])
            if group.stops:
                for choice in range(1, choices.shape[1]):
                    before = choices[:, choice - 1 if group.reach else 0]
                    np.minimum(choices[:, choice], before, out=choices[:, choice])
        return least

    def may_run(self, installed: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return True for the sets that may run where some sets are installed, shape ``(sets, len(installed))``.

        They are part of the installed set, and have all of it that does not stop.
        """
        lasting = np.zeros(self.has.shape[1], dtype=bool)
        for group in self.groups:
            lasting[list(group.places)] = not group.stops
        is_installed = self.has[installed]
        within = ~(self.has[:, None] & ~is_installed[None]).any(axis=2)
        kept = (self.has[:, None] | ~(is_installed & lasting)[None]).all(axis=2)
        result: NDArray[np.bool_] = np.logical_and(within, kept)
        return result


def _least_within_reach(choices: NDArray[np.float64], group: Group) -> None:
    """Replace the values of a chain by the least within reach, in place; its choices are the second axis."""
    size = choices.shape[1]
    reach = [min(most, size - 1) for most in group.reach[:size]]
    if group.stops:
        for choice in range(1, size):
            np.minimum(choices[:, choice], choices[:, choice - 1], out=choices[:, choice])
        for choice, most in enumerate(reach):
            choices[:, choice] = choices[:, most]
        return
    # From the first choice on, those further ahead still have their own values.
    for choice, most in enumerate(reach):
        for further in range(choice + 1, most + 1):
            np.minimum(choices[:, choice], choices[:, further], out=choices[:, choice])


@lru_cache(maxsize=32)
def family_of(groups: tuple[Group, ...]) -> SetFamily:
    """Return the family of some groups; units of many instances have the same few."""
    return SetFamily(groups)
