r"""The least that any plan of a unit comes to at some prices, exactly and without a list of plans.

Measures once started run on, so a plan is a chain of growing sets. From the last year back,

$$W_t(S) = \min_{S' \supseteq S} \bigl[ v_t(S') + W_{t+1}(S') \bigr],$$

$v_t(S')$ being what running the set $S'$ in year $t$ comes to, infinite where it may not run. The minimum over all
supersets is taken measure by measure: what holds without one becomes the better of without and with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.checking.market.baseline import Baseline
    from etsopt.checking.market.choices import Choices

CELLS = 1_000_000
"""Units times sets that are looked at together."""


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
    least, count = np.zeros(len(offered.code)), offered.count
    for measures in np.unique(count):
        here = np.flatnonzero(count == measures)
        step = max(1, CELLS >> int(measures))
        for start in range(0, len(here), step):
            units = here[start : start + step]
            least[units] = _least(found, offered, units, int(measures), need[units], emitted[units])
    return least


def _least(
    found: Baseline,
    offered: Choices,
    units: NDArray[np.int64],
    measures: int,
    need: NDArray[np.float64],
    emitted: NDArray[np.float64],
) -> NDArray[np.float64]:
    left, kept = (_over_sets(part[units, :measures], np.multiply) for part in (offered.left, offered.intensity_left))
    fixed, variable = (_over_sets(part[units, :measures], np.add) for part in (offered.fixed, offered.variable))
    possible = _possible(offered, units, measures)
    ahead = np.zeros(left.shape)
    for year in reversed(range(len(found.years))):
        emissions = found.emissions[units, year, None] * left
        lacking = emissions - found.free(units, year, emissions, kept)
        cost = found.discount[year] * (fixed + found.output[units, year, None] * variable)
        ahead = ahead + cost + need[:, [year]] * lacking + emitted[:, [year]] * emissions
        early = _sets_with(offered.first_year[units, :measures] > found.years[year])
        ahead[~possible | early] = np.inf
        for slot in range(measures):
            pairs = ahead.reshape(len(units), -1, 2, 1 << slot)
            np.minimum(pairs[:, :, 0], pairs[:, :, 1], out=pairs[:, :, 0])
    return ahead[:, 0]


def _over_sets(each: NDArray[np.float64], join: np.ufunc) -> NDArray[np.float64]:
    """Product or sum over the measures of every set, shape ``(units, sets)``; bit ``k`` of a set is slot ``k``."""
    units, measures = each.shape
    total = np.full((units, 1), float(join.identity or 0))
    for slot in range(measures):
        total = np.hstack([total, join(total, each[:, [slot]])])
    return total


def _sets_with(barred: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Sets that hold one of the barred measures, shape ``(units, sets)`` from ``(units, measures)``."""
    return _over_sets(barred.astype(float), np.add) > 0


def _possible(offered: Choices, units: NDArray[np.int64], measures: int) -> NDArray[np.bool_]:
    """Sets that hold no two measures of a group, and with a measure all that it requires."""
    sets = np.arange(1 << measures)
    has = [(sets >> slot) & 1 > 0 for slot in range(measures)]
    code, group, required = offered.code[units], offered.group[units], offered.required[units]
    possible = np.ones((len(units), len(sets)), dtype=bool)
    for one in range(measures):
        for other in range(one):
            clash = (group[:, one] == group[:, other]) & (group[:, one] >= 0)
            if clash.any():
                possible &= ~(clash[:, None] & (has[one] & has[other]))
        for needed in required[:, one].T:
            there = needed[:, None] == code[:, :measures]
            for other in range(measures):
                if there[:, other].any():
                    possible &= ~(there[:, [other]] & (has[one] & ~has[other]))
            if (needed == -1).any():
                possible &= ~((needed == -1)[:, None] & has[one])
    return possible
