"""Every set of measures that a unit may run: what it leaves, what it costs, and whether it has all that it requires."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.readings.choices import NOT_ON_OFFER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from etsopt.checking.readings.baseline import Baseline
    from etsopt.checking.readings.choices import Choices
    from etsopt.checking.readings.families import Family

CELLS_AT_ONCE = 1 << 16
"""Number of units times sets evaluated together, so that their data stay in the cache."""


@dataclass(frozen=True)
class Sets:
    """Every set of measures of units of one kind, shape ``(sets, units)`` unless stated otherwise.

    Parameters
    ----------
    family
        The sets, none of which has two measures of a group.
    units
        Positions of the units, shape ``(units,)``.
    left, kept
        Share of emissions, and of intensity, that a set leaves.
    produced
        Share of output that it leaves; ones of shape ``(1, units)`` if no allowance follows it.
    fixed, variable
        Yearly cost [CNY], and cost per tonne of the year's output [CNY/t], in the base year.
    possible
        True if a set has all that its measures require.
    first_year
        Earliest year of each measure, shape ``(measures, units)``.
    changing
        Both costs of each measure, and their factor from year to year, shapes ``(measures, units)``; empty if costs
        stay.
    base_year
        Year in which costs are stated.
    """

    family: Family
    units: NDArray[np.int64]
    left: NDArray[np.float64]
    kept: NDArray[np.float64]
    produced: NDArray[np.float64]
    fixed: NDArray[np.float64]
    variable: NDArray[np.float64]
    possible: NDArray[np.bool_]
    first_year: NDArray[np.int64]
    changing: tuple[NDArray[np.float64], ...]
    base_year: int

    @classmethod
    def of(cls, baseline: Baseline, offered: Choices, units: NDArray[np.int64], family: Family) -> Sets:
        """Return the sets of units that have a family of sets."""
        measures = family.has.shape[1]

        def each(part: NDArray[np.float64], join: np.ufunc) -> NDArray[np.float64]:
            return family.accumulate(np.ascontiguousarray(part[units, :measures].T), join)

        left = each(offered.left, np.multiply)
        # Intensity matters only in years in which allowances follow emissions.
        kept = each(offered.intensity_left, np.multiply) if baseline.follows[units].any() else left
        cuts = baseline.follows_output.any() and (offered.output_left[units] != 1).any()
        produced = each(offered.output_left, np.multiply) if cuts else np.ones((1, len(units)))
        fixed, variable = each(offered.fixed, np.add), each(offered.variable, np.add)
        first, growth = offered.first_year[units, :measures].T, offered.growth[units, :measures].T
        changing: tuple[NDArray[np.float64], ...] = ()
        if (growth != 1).any():
            changing = (offered.fixed[units, :measures].T, offered.variable[units, :measures].T, growth)
        met = _met(offered, units, family)
        return cls(family, units, left, kept, produced, fixed, variable, met, first, changing, offered.base_year)

    def costs(self, year: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return yearly cost and cost per tonne of output in a compliance year, shape ``(sets, units)``."""
        if not self.changing:
            return self.fixed, self.variable
        fixed, variable, growth = self.changing
        factor = growth ** (int(year) - self.base_year)
        return self.family.accumulate(fixed * factor, np.add), self.family.accumulate(variable * factor, np.add)

    def select(self, places: NDArray[np.int64]) -> Sets:
        """Return the sets of some units."""
        names = ("left", "kept", "produced", "fixed", "variable", "possible", "first_year")
        changing = tuple(part[:, places] for part in self.changing)
        some = {name: getattr(self, name)[:, places] for name in names}
        return replace(self, units=self.units[places], changing=changing, **some)

    def running_cost(
        self, baseline: Baseline, year: int, demand_dual: NDArray[np.float64], emission_dual: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the cost of running each set in a year, infinite if it may not run, shape ``(sets, units)`` [CNY].

        Parameters
        ----------
        demand_dual, emission_dual
            Cost of a tonne of net demand, and of a tonne of emissions alone, in CNY of the first year, shape
            ``(some units, years)`` [CNY/t].
        """
        emissions = self.left * baseline.emissions[self.units, year]
        fixed, variable = self.costs(baseline.years[year])
        value = variable * baseline.output[self.units, year]
        value += fixed
        value *= baseline.discount[year]
        value += emissions * (demand_dual[:, year] + emission_dual[:, year])
        free = baseline.free(self.units, year, emissions.T, self.kept.T, self.produced.T).T
        value -= demand_dual[:, year] * free
        value[~self.possible] = np.inf
        late = self.first_year > baseline.years[year]
        if late.any():
            value[self.family.accumulate(late.astype(float), np.add) > 0] = np.inf
        return value


def batches(baseline: Baseline, offered: Choices, units: NDArray[np.int64]) -> Iterator[Sets]:
    """Yield the sets of some units, in batches that stay in the cache."""
    kind, families = offered.kinds
    for number in np.unique(kind[units]).tolist():
        of_kind = units[kind[units] == number]
        step = max(1, CELLS_AT_ONCE // len(families[number]))
        for start in range(0, len(of_kind), step):
            yield Sets.of(baseline, offered, of_kind[start : start + step], families[number])


def _met(offered: Choices, units: NDArray[np.int64], family: Family) -> NDArray[np.bool_]:
    """Return True for sets with all that their measures require, shape ``(sets, units)``."""
    code, required = offered.code[units], offered.required[units]
    met = np.ones((len(family), len(units)), dtype=bool)
    for one in range(family.has.shape[1]):
        has = family.has[:, [one]]
        for needed in required[:, one].T:
            if (needed < NOT_ON_OFFER).all():
                continue
            for other in range(family.has.shape[1]):
                there = needed == code[:, other]
                if there.any():
                    met &= ~(there & (has & ~family.has[:, [other]]))
            if (needed == NOT_ON_OFFER).any():
                met &= ~((needed == NOT_ON_OFFER) & has)
    return met
