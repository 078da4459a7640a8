"""Bound the cost of plans of a few units restricted by the branchings of a leaf."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from etsopt.checking.market.search import least_of_chains
from etsopt.checking.readings.sets import Sets

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from etsopt.checking.arrays import Floats, Ints, Mask
    from etsopt.checking.readings.baseline import Baseline
    from etsopt.checking.readings.choices import Choices


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
        kind, families = offered.kinds
        for of in np.unique(kind[mine]).tolist():
            same = mine[kind[mine] == of]
            self.sets[of] = Sets.of(baseline, offered, same, families[of])
            self.place |= {unit: (of, number) for number, unit in enumerate(same.tolist())}

    def least(
        self, baseline: Baseline, branchings: Sequence[Branching], demand_dual: Floats, emission_dual: Floats
    ) -> tuple[Ints, Floats]:
        """Return the units with branchings, and the least cost of each, infinite if it has no plan left [CNY].

        Parameters
        ----------
        baseline
            Baseline of the units; without discount factors measures cost nothing.
        demand_dual, emission_dual
            As in `etsopt.checking.market.search.least_of_all_plans`, for all units.
        """
        by_kind: dict[int, dict[int, Mask]] = {}
        years = len(baseline.years)
        for unit, year, slot, runs in branchings:
            kind, number = self.place[unit]
            masks, family = by_kind.setdefault(kind, {}), self.sets[kind].family
            if number not in masks:
                masks[number] = np.ones((years, len(family)), dtype=bool)
            masks[number][year] &= family.has[:, slot] == runs
        units, least = [np.zeros(0, dtype=np.int64)], [np.zeros(0)]
        for kind, masks in by_kind.items():
            sets = self.sets[kind].select(np.array(list(masks)))
            may_run = np.stack(list(masks.values()), axis=2)
            units.append(sets.units)
            least.append(least_of_chains(baseline, sets, demand_dual, emission_dual, may_run))
        return np.concatenate(units), np.concatenate(least)
