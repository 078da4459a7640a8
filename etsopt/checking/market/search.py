r"""Compute the least cost of any plan of a unit at given multipliers, exactly and without a list of plans.

Started measures keep running, so a plan is a chain of growing sets. From the last year back,

$$W_t(S) = \min_{S' \supseteq S} \bigl[ v_t(S') + W_{t+1}(S') \bigr],$$

with $v_t(S')$ the cost of running the set $S'$ in year $t$, infinite if it may not run. The minimum over all
supersets is taken measure by measure: the value without a measure becomes the better of without and with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from etsopt.checking.market.baseline import Baseline
    from etsopt.checking.market.choices import Choices

CELLS = 1 << 16
"""Number of units times sets evaluated together, so that their data stay in the cache."""


@dataclass(frozen=True)
class Sets:
    """Every set of measures of units with equally many measures, shape ``(sets, units)`` unless stated otherwise.

    Bit ``k`` of a set is slot ``k`` of its unit.

    Parameters
    ----------
    units
        Positions of the units, shape ``(units,)``.
    left, kept
        Share of emissions, and of intensity, that a set leaves.
    fixed, variable
        Yearly cost [CNY], and cost per tonne of the year's output [CNY/t].
    possible
        True if a set has no two measures of a group, and all that its measures require.
    first_year
        Earliest year of each measure, shape ``(measures, units)``.
    """

    units: NDArray[np.int64]
    left: NDArray[np.float64]
    kept: NDArray[np.float64]
    fixed: NDArray[np.float64]
    variable: NDArray[np.float64]
    possible: NDArray[np.bool_]
    first_year: NDArray[np.int64]

    @classmethod
    def of(cls, baseline: Baseline, offered: Choices, units: NDArray[np.int64], measures: int) -> Sets:
        """Return the sets of units that have so many measures."""

        def each(part: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.ascontiguousarray(part[units, :measures].T)

        left = _accumulate(each(offered.left), np.multiply)
        # Intensity matters only in years in which allowances follow emissions.
        kept = _accumulate(each(offered.intensity_left), np.multiply) if baseline.follows.any() else left
        fixed, variable = _accumulate(each(offered.fixed), np.add), _accumulate(each(offered.variable), np.add)
        first = offered.first_year[units, :measures].T
        return cls(units, left, kept, fixed, variable, _possible(offered, units, measures), first)

    def select(self, places: NDArray[np.int64]) -> Sets:
        """Return the sets of some units."""
        return Sets(
            self.units[places], *(getattr(self, name)[:, places] for name in list(self.__dataclass_fields__)[1:])
        )

    def running_cost(
        self, baseline: Baseline, year: int, demand_dual: NDArray[np.float64], emission_dual: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the cost of running each set in a year, infinite if it may not run, shape ``(sets, units)`` [CNY].

        Parameters
        ----------
        demand_dual, emission_dual
            As in `least_of_all_plans`, for these units.
        """
        emissions = self.left * baseline.emissions[self.units, year]
        value = self.variable * baseline.output[self.units, year]
        value += self.fixed
        value *= baseline.discount[year]
        value += emissions * (demand_dual[:, year] + emission_dual[:, year])
        value -= demand_dual[:, year] * baseline.free(self.units, year, emissions.T, self.kept.T).T
        value[~self.possible] = np.inf
        late = self.first_year > baseline.years[year]
        if late.any():
            value[_accumulate(late.astype(float), np.add) > 0] = np.inf
        return value


def least_of_all_plans(
    baseline: Baseline, offered: Choices, demand_dual: NDArray[np.float64], emission_dual: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the discounted cost of the best plan of every unit, shape ``(units,)`` [CNY].

    Parameters
    ----------
    demand_dual, emission_dual
        Cost of a tonne of net demand, and of a tonne of emissions alone, in CNY of the
        first year, shape ``(units, years)`` [CNY/t].
    """
    least = np.zeros(len(offered.code))
    for sets in batches(baseline, offered, np.arange(len(least))):
        ahead = np.zeros(sets.left.shape)
        for year in reversed(range(len(baseline.years))):
            ahead += sets.running_cost(baseline, year, demand_dual[sets.units], emission_dual[sets.units])
            minimise_over_supersets(ahead)
        least[sets.units] = ahead[0]
    return least


def batches(baseline: Baseline, offered: Choices, units: NDArray[np.int64]) -> Iterator[Sets]:
    """Yield the sets of some units, in batches that stay in the cache."""
    count = offered.count[units]
    for measures in np.unique(count).tolist():
        here = units[count == measures]
        step = max(1, CELLS >> measures)
        for start in range(0, len(here), step):
            yield Sets.of(baseline, offered, here[start : start + step], measures)


def minimise_over_supersets(value: NDArray[np.float64]) -> None:
    """Replace the value of every set by the least over its supersets, in place, shape ``(sets, units)``."""
    sets, units = value.shape
    for slot in range(sets.bit_length() - 1):
        pairs = value.reshape(-1, 2, 1 << slot, units)
        np.minimum(pairs[:, 0], pairs[:, 1], out=pairs[:, 0])


def _accumulate(each: NDArray[np.float64], join: np.ufunc) -> NDArray[np.float64]:
    """Return the product or sum over the measures of every set, shape ``(sets, units)`` from ``(measures, units)``."""
    measures, units = each.shape
    total = np.full((1 << measures, units), float(join.identity or 0))
    for slot in range(measures):
        join(total[: 1 << slot], each[slot], out=total[1 << slot : 2 << slot])
    return total


def _possible(offered: Choices, units: NDArray[np.int64], measures: int) -> NDArray[np.bool_]:
    """Return the sets with no two measures of a group, and with all required measures, shape ``(sets, units)``."""
    sets = np.arange(1 << measures)
    has = [((sets >> slot) & 1 > 0)[:, None] for slot in range(measures)]
    code, group, required = offered.code[units], offered.group[units], offered.required[units]
    possible = np.ones((len(sets), len(units)), dtype=bool)
    for one in range(measures):
        for other in range(one):
            clash = (group[:, one] == group[:, other]) & (group[:, one] >= 0)
            if clash.any():
                possible &= ~(clash & (has[one] & has[other]))
        for needed in required[:, one].T:
            there = needed[:, None] == code[:, :measures]
            for other in range(measures):
                if there[:, other].any():
                    possible &= ~(there[:, other] & (has[one] & ~has[other]))
            if (needed == -1).any():
                possible &= ~((needed == -1) & has[one])
    return possible
