r"""Find the least days in which a group can do its least number of reviews and its draws, exactly.

At a visited place the cheapest enterprises are taken, so the least days of $m$ reviews there are a sum. Over places
they are combined number by number: $f(m) = \min_{m'} f'(m - m') + c(m')$.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from etsopt.checking.arrays import Floats
    from etsopt.checking.review_plan.required import Required


def least_days(required: Required) -> pd.Series:
    """Return the least days of every group [days], with travel."""
    days = required.groups["available"].copy()
    days[:] = [_of_group(required, level, province) for level, province in days.index]
    return days


def _of_group(required: Required, level: str, province: str) -> float:
    members = required.members(level, province)
    drawn = required.drawn.loc[members, level]
    number = max(int(required.groups.loc[(level, province), "least"]), int(drawn.sum()))
    least = np.full(number + 1, np.inf)
    least[0] = 0.0
    places = required.enterprises.loc[members, "place"]
    for _, at_place in places.groupby(places):
        must = drawn[at_place.index]
        days = required.days.loc[at_place.index, level]
        costs = _of_place(days[must].to_numpy(), days[~must].to_numpy(), required.travel[level])
        combined = np.full(number + 1, np.inf)
        for taken, cost in enumerate(costs[: number + 1]):
            combined[taken:] = np.minimum(combined[taken:], least[: number + 1 - taken] + cost)
        least = combined
    return float(least[number])


def _of_place(drawn: Floats, others: Floats, travel: float) -> Floats:
    """Return the least days of each number of reviews at a place: none only if nothing is drawn there."""
    cheapest = np.concatenate([[0.0], np.cumsum(np.sort(others))])
    costs = np.concatenate([np.full(len(drawn), np.inf), travel + drawn.sum() + cheapest])
    if not len(drawn):
        costs[0] = 0.0
    return costs
