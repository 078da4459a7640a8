"""Bound the cost of plans of a few units restricted by the branchings of a leaf."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from etsopt.checking.market.search import Sets, minimise_over_supersets

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from etsopt.checking.market.baseline import Baseline
    from etsopt.checking.market.choices import Choices


class Branching(NamedTuple):
    """A branching: a unit runs the measure of a slot in a year, by position, or does not."""

    unit: int
    year: int
    slot: int
    runs: bool


class Restricted:
    """Units with branchings, and all their sets of measures.

    Parameters
    ----------
    units
        Positions of the units.
    """

    def __init__(self, baseline: Baseline, offered: Choices, units: Collection[int]) -> None:
        self.sets, self.place = dict[int, Sets](), dict[int, tuple[int, int]]()
        mine = np.array(sorted(units), dtype=np.int64)
        for count in np.unique(offered.count[mine]).tolist():
            same = mine[offered.count[mine] == count]
            self.sets[count] = Sets.of(baseline, offered, same, count)
            self.place |= {unit: (count, number) for number, unit in enumerate(same.tolist())}

    def least(
        self,
        baseline: Baseline,
        branchings: Sequence[Branching],
        demand_dual: NDArray[np.float64],
        emission_dual: NDArray[np.float64],
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the units with branchings, and the least cost of each, infinite if it has no plan left [CNY].

        Parameters
        ----------
        baseline
            Baseline of the units; without discount factors measures cost nothing.
        demand_dual, emission_dual
            As in `etsopt.checking.market.search.least_of_all_plans`, for all units.
        """
        by_count: dict[int, dict[int, NDArray[np.bool_]]] = {}
        years = len(baseline.years)
        for unit, year, slot, runs in branchings:
            count, number = self.place[unit]
            masks = by_count.setdefault(count, {})
            if number not in masks:
                masks[number] = np.ones((years, 1 << count), dtype=bool)
            masks[number][year] &= ((np.arange(1 << count) >> slot) & 1 > 0) == runs
        units, least = [np.zeros(0, dtype=np.int64)], [np.zeros(0)]
        for count, masks in by_count.items():
            sets = self.sets[count].select(np.array(list(masks)))
            mask = np.stack(list(masks.values()), axis=2)
            ahead = np.zeros(sets.left.shape)
            for year in reversed(range(years)):
                ahead += sets.running_cost(baseline, year, demand_dual[sets.units], emission_dual[sets.units])
                ahead[~mask[year]] = np.inf
                minimise_over_supersets(ahead)
            units.append(sets.units)
            least.append(ahead[0])
        return np.concatenate(units), np.concatenate(least)
