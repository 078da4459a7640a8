r"""Compute the least cost of any plan of a unit at given multipliers, exactly and without a list of plans.

Started measures keep running but for those that stop, and a measure with steps begins one a year, so a plan is a chain
of sets, each of which may follow the one before, $S' \succeq S$. From the last year back,

$$W_t(S) = \min_{S' \succeq S} \bigl[ v_t(S') + W_{t+1}(S') \bigr],$$

with $v_t(S')$ the cost of running the set $S'$ in year $t$, infinite if it may not run. The minimum is taken group by
group (`etsopt.checking.readings.families`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.readings.sets import batches

if TYPE_CHECKING:
    from etsopt.checking.arrays import Floats, Mask
    from etsopt.checking.readings.baseline import Baseline
    from etsopt.checking.readings.choices import Choices
    from etsopt.checking.readings.sets import Sets


def least_of_all_plans(baseline: Baseline, offered: Choices, demand_dual: Floats, emission_dual: Floats) -> Floats:
    """Return the discounted cost of the best plan of every unit, shape ``(units,)`` [CNY].

    Parameters
    ----------
    demand_dual, emission_dual
        Cost of a tonne of net demand, and of a tonne of emissions alone, in CNY of the
        first year, shape ``(units, years)`` [CNY/t].
    """
    least = np.zeros(len(offered.code))
    for sets in batches(baseline, offered, np.arange(len(least))):
        least[sets.units] = least_of_chains(baseline, sets, demand_dual, emission_dual)
    return least


def least_of_chains(
    baseline: Baseline, sets: Sets, demand_dual: Floats, emission_dual: Floats, may_run: Mask | None = None
) -> Floats:
    """Return the discounted cost of the best plan of some units, infinite without one [CNY].

    Parameters
    ----------
    may_run
        Sets that may run in each year, shape ``(years, sets, units)``; None if all that are possible may.
    """
    ahead = np.zeros(sets.left.shape)
    for year in reversed(range(len(baseline.years))):
        ahead += sets.running_cost(baseline, year, demand_dual[sets.units], emission_dual[sets.units])
        if may_run is not None:
            ahead[~may_run[year]] = np.inf
        sets.family.minimise_over_next(ahead)
    return np.asarray(ahead[0])
