r"""The least that any plan of a unit comes to at some prices, exactly and without a list of plans.

Measures once started run on, so a plan is a chain of growing sets. From the last year back,

$$W_t(S) = \min_{S' \supseteq S} \bigl[ v_t(S') + W_{t+1}(S') \bigr],$$

$v_t(S')$ being what running the set $S'$ in year $t$ comes to, infinite where it may not run. The minimum over all
supersets is taken measure by measure: what holds without one becomes the better of without and with it.
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
"""Units times sets that are looked at together: what stays in the processor's cache."""


@dataclass(frozen=True)
class Sets:
    """Every set of measures of some units with equally many, shape ``(sets, units)`` where not said otherwise.

    Bit ``k`` of a set is slot ``k`` of its unit.

    Parameters
    ----------
    units
        Positions of the units, shape ``(units,)``.
    left, kept
        Share of emissions, and of intensity, that a set leaves.
    fixed, variable
        Yearly cost [CNY], and cost of a tonne of the year's output [CNY/t].
    possible
        Whether a set holds no two measures of a group, and with a measure all that it requires.
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
    def of(cls, found: Baseline, offered: Choices, units: NDArray[np.int64], measures: int) -> Sets:
        """Sets of units that have so many measures."""

        def each(part: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.ascontiguousarray(part[units, :measures].T)

        left = _over_sets(each(offered.left), np.multiply)
        # Without years in which allowances follow emissions nobody asks for intensity.
        kept = _over_sets(each(offered.intensity_left), np.multiply) if found.follows.any() else left
        fixed, variable = _over_sets(each(offered.fixed), np.add), _over_sets(each(offered.variable), np.add)
        first = offered.first_year[units, :measures].T
        return cls(units, left, kept, fixed, variable, _possible(offered, units, measures), first)

    def some(self, places: NDArray[np.int64]) -> Sets:
        """Those of some units."""
        return Sets(
            self.units[places], *(getattr(self, name)[:, places] for name in list(self.__dataclass_fields__)[1:])
        )

    def running(
        self, found: Baseline, year: int, need: NDArray[np.float64], emitted: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """What running each set in a year comes to [CNY]; infinite where it may not run.

        Parameters
        ----------
        need, emitted
            As in `least_of_all_plans`, of these units.
        """
        emissions = self.left * found.emissions[self.units, year]
        value = self.variable * found.output[self.units, year]
        value += self.fixed
        value *= found.discount[year]
        value += emissions * (need[:, year] + emitted[:, year])
        value -= need[:, year] * found.free(self.units, year, emissions.T, self.kept.T).T
        value[~self.possible] = np.inf
        late = self.first_year > found.years[year]
        if late.any():
            value[_over_sets(late.astype(float), np.add) > 0] = np.inf
        return value


def least_of_all_plans(
    found: Baseline, offered: Choices, need: NDArray[np.float64], emitted: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Discounted cost of the best of all plans of every unit, shape ``(units,)`` [CNY].

    Parameters
    ----------
    need, emitted
        What a tonne of emissions beyond free allowances, and a tonne of emissions by itself, costs in terms of the
        first year, shape ``(units, years)`` [CNY/t].
    """
    least = np.zeros(len(offered.code))
    for sets in batches(found, offered, np.arange(len(least))):
        ahead = np.zeros(sets.left.shape)
        for year in reversed(range(len(found.years))):
            ahead += sets.running(found, year, need[sets.units], emitted[sets.units])
            over_supersets(ahead)
        least[sets.units] = ahead[0]
    return least


def batches(found: Baseline, offered: Choices, units: NDArray[np.int64]) -> Iterator[Sets]:
    """Sets of some units, of few enough at a time that they stay in the cache."""
    count = offered.count[units]
    for measures in np.unique(count).tolist():
        here = units[count == measures]
        step = max(1, CELLS >> measures)
        for start in range(0, len(here), step):
            yield Sets.of(found, offered, here[start : start + step], measures)


def over_supersets(value: NDArray[np.float64]) -> None:
    """Put in the place of every set the least over all sets that hold it, shape ``(sets, units)``."""
    sets, units = value.shape
    for slot in range(sets.bit_length() - 1):
        pairs = value.reshape(-1, 2, 1 << slot, units)
        np.minimum(pairs[:, 0], pairs[:, 1], out=pairs[:, 0])


def _over_sets(each: NDArray[np.float64], join: np.ufunc) -> NDArray[np.float64]:
    """Product or sum over the measures of every set, shape ``(sets, units)`` from ``(measures, units)``."""
    measures, units = each.shape
    total = np.full((1 << measures, units), float(join.identity or 0))
    for slot in range(measures):
        join(total[: 1 << slot], each[slot], out=total[1 << slot : 2 << slot])
    return total


def _possible(offered: Choices, units: NDArray[np.int64], measures: int) -> NDArray[np.bool_]:
    """Sets that hold no two measures of a group, and with a measure all that it requires, shape ``(sets, units)``."""
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
