"""The least that plans of a few units come to where only some of their sets may run: what a leaf holds of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from etsopt.checking.market.search import Sets, over_supersets

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from etsopt.checking.market.baseline import Baseline
    from etsopt.checking.market.choices import Choices


class Held(NamedTuple):
    """A unit runs the measure in a slot in a year, by its position, or does not."""

    unit: int
    year: int
    slot: int
    runs: bool


class Restricted:
    """Units of which something is held, with all their sets.

    Parameters
    ----------
    units
        Their positions.
    """

    def __init__(self, found: Baseline, offered: Choices, units: Collection[int]) -> None:
        self.sets, self.place = dict[int, Sets](), dict[int, tuple[int, int]]()
        mine = np.array(sorted(units), dtype=np.int64)
        for count in np.unique(offered.count[mine]).tolist():
            same = mine[offered.count[mine] == count]
            self.sets[count] = Sets.of(found, offered, same, count)
            self.place |= {unit: (count, number) for number, unit in enumerate(same.tolist())}

    def least(
        self, found: Baseline, held: Sequence[Held], need: NDArray[np.float64], emitted: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Units of which something is held, and the least that each comes to; infinite where no plan is left [CNY].

        Parameters
        ----------
        found
            What lies before them; without discount factors measures cost nothing.
        need, emitted
            As in `etsopt.checking.market.search.least_of_all_plans`, of all units.
        """
        by_count: dict[int, dict[int, NDArray[np.bool_]]] = {}
        years = len(found.years)
        for unit, year, slot, runs in held:
            count, number = self.place[unit]
            masks = by_count.setdefault(count, {})
            if number not in masks:
                masks[number] = np.ones((years, 1 << count), dtype=bool)
            masks[number][year] &= ((np.arange(1 << count) >> slot) & 1 > 0) == runs
        units, least = [np.zeros(0, dtype=np.int64)], [np.zeros(0)]
        for count, masks in by_count.items():
            sets = self.sets[count].some(np.array(list(masks)))
            mask = np.stack(list(masks.values()), axis=2)
            ahead = np.zeros(sets.left.shape)
            for year in reversed(range(years)):
                ahead += sets.running(found, year, need[sets.units], emitted[sets.units])
                ahead[~mask[year]] = np.inf
                over_supersets(ahead)
            units.append(sets.units)
            least.append(ahead[0])
        return np.concatenate(units), np.concatenate(least)
