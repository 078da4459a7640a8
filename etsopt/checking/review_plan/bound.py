r"""Bound the tonnes that any plan of reviews leaves uncovered, by dynamic programming and prices, whatever these are.

The numbers of reviews are priced: with $\lambda_g \ge 0$ no plan that has at least $n_g$ reviews leaves fewer tonnes
than

$$\sum_g \lambda_g n_g + \min \Bigl[ \sum_i r_i (1 - z_i) - \sum_j \lambda_{g(j)} x_j \Bigr]$$

over the plans within the days and with all draws. The days of a group are either kept, by a state of the program for
each number of days, or priced as well, with $\mu_g \ge 0$ and the constant $-\mu_g D_g$. Kept are the days of a
province, whose places follow one another, and those of the national level, which the provinces share: the function of a
province says how few tonnes it leaves with each number of national days, and the functions are combined.

Days are kept in whole parts of a day, $1/q$: those of reviews and trips are rounded down, so that more plans are
possible and the bound stays one. If every number is a multiple of $1/q$ nothing is rounded. Each bound has its rounding
subtracted, so that prices of any kind give a true one.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.arithmetic import gamma
from etsopt.checking.effort import DAY_PARTS, DAY_STATES_MAX, REVIEW_CELLS_MAX
from etsopt.checking.review_plan.required import COUNTING
from etsopt.checking.tolerances import DAY_PARTS_ROUNDING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from etsopt.checking.arrays import Floats, Ints, Mask
    from etsopt.checking.review_plan.required import Required

PROVINCIAL, NATIONAL = COUNTING

Price = dict[tuple[str, str], float]


@dataclass(frozen=True)
class Prices:
    """Prices of a day and of a review by group of a level at which reviews are chosen, zero or more [tCO2e]."""

    day: Price
    review: Price

    @classmethod
    def of(cls, groups: pd.DataFrame, day: Floats, review: Floats) -> Prices:
        """Return prices in the order of the groups; days without a limit have none."""
        chosen, limited = groups.index.isin(COUNTING, level="level"), groups["available"].notna().to_numpy()
        pairs = (np.where(limited, np.maximum(day, 0.0), 0.0), np.maximum(review, 0.0))
        return cls(*(dict(zip(groups.index[chosen], pair[chosen].tolist(), strict=True)) for pair in pairs))

    def without_reviews(self) -> Prices:
        """Return the prices of days alone."""
        return Prices(self.day, dict.fromkeys(self.review, 0.0))


def best_bound(required: Required, prices: Prices, value: float, enough: float) -> float:
    """Return the largest bound of the uncovered tonnes [tCO2e]; the search ends within ``enough`` of the value."""
    best = 0.0
    candidates = [prices, prices.without_reviews()] if any(prices.review.values()) else [prices]
    for kept in ((PROVINCIAL,), COUNTING):
        for one in candidates:
            if value - best > enough and _cells(required, kept) <= REVIEW_CELLS_MAX:
                best = max(best, bound(required, one, kept))
    return min(best, value)


def bound(required: Required, prices: Prices, kept: tuple[str, ...]) -> float:
    """Return a bound of the uncovered tonnes with the days of some levels kept, and those of the others priced."""
    parts = {level: _parts(required, level) if level in kept else 0 for level in COUNTING}
    national = _states(required, (NATIONAL, ""), parts[NATIONAL])
    combined, size = np.zeros(national + 1), 0.0
    for province in sorted(set(required.enterprises["province"])):
        provincial = _states(required, (PROVINCIAL, province), parts[PROVINCIAL])
        own, of_own = _of_province(required, prices, province, parts, (provincial, national))
        combined = _combined(combined, own)
        size += of_own
    constants = [price * float(required.groups.loc[group, "least"]) for group, price in prices.review.items()]
    for group, price in prices.day.items():
        if price and not parts[group[0]]:
            constants.append(-price * float(required.groups.loc[group, "available"]))
    size += sum(map(abs, constants))
    found = float(combined[-1]) + sum(constants)
    return found - gamma(10 * len(required.enterprises) + 1000) * size if np.isfinite(size) else -np.inf


def _parts(required: Required, level: str) -> int:
    """Return the parts of a day in which the days of a level are kept; 0 if it has no limit, which need not be kept."""
    limits = required.groups.loc[level, "available"].to_numpy(dtype=float)
    if np.isnan(limits).any():
        return 0
    days = np.append(required.days[level].to_numpy(), required.travel[level])
    exact = next(
        (part for part in DAY_PARTS if (np.abs(days * part - np.rint(days * part)) <= DAY_PARTS_ROUNDING).all()),
        DAY_PARTS[-1],
    )
    # Coarser parts round more days down, and no plan is lost.
    return max(1, min(exact, int(DAY_STATES_MAX / (1 + limits.max()))))


def _states(required: Required, group: tuple[str, str], parts: int) -> int:
    """Return the days of a group in their parts, no more than all of its reviews and trips need; 0 if priced."""
    if not parts:
        return 0
    members = required.members(*group)
    weights = _whole(required.days.loc[members, group[0]].to_numpy(), parts).sum()
    trips = required.enterprises.loc[members, "place"].nunique() * int(_whole(required.travel[group[0]], parts))
    return int(min(weights + trips, _whole(required.groups.loc[group, "available"], parts)))


def _whole(days: float | Floats, parts: int) -> Ints:
    return np.floor(np.asarray(days) * parts + DAY_PARTS_ROUNDING).astype(np.int64)


def _cells(required: Required, kept: tuple[str, ...]) -> float:
    """Return the number of cells that a bound examines."""
    parts = {level: _parts(required, level) if level in kept else 0 for level in COUNTING}
    national = _states(required, (NATIONAL, ""), parts[NATIONAL])
    sizes = required.enterprises.groupby("province").size()
    states = [_states(required, (PROVINCIAL, str(name)), parts[PROVINCIAL]) + 1 for name in sizes.index]
    return float(9 * (national + 1) * (np.array(states) @ sizes.to_numpy()))


def _of_province(  # long because weights and prices of both levels stand beside each other
    required: Required, prices: Prices, province: str, parts: Mapping[str, int], states: tuple[int, int]
) -> tuple[Floats, float]:
    """Return the least priced tonnes that a province leaves by national days, and the size of all terms."""
    own = required.enterprises[required.enterprises["province"] == province]
    at_risk = own["at_risk"].to_numpy(dtype=float)
    weight, cost, drawn, trip = [], [], [], []
    for level, group in ((PROVINCIAL, (PROVINCIAL, province)), (NATIONAL, (NATIONAL, ""))):
        days = required.days.loc[own.index, level].to_numpy(dtype=float)
        by_state = parts[level] > 0
        price = 0.0 if by_state else prices.day[group]
        weight.append(_whole(days, parts[level]) if by_state else np.zeros(len(own), dtype=np.int64))
        cost.append(price * days - prices.review[group])
        drawn.append(required.drawn.loc[own.index, level].to_numpy())
        travel = required.travel[level]
        trip.append((int(_whole(travel, parts[level])) if by_state else 0, price * travel))
    left = np.zeros((states[0] + 1, states[1] + 1))
    place = own["place"].to_numpy()
    order = sorted(range(len(own)), key=lambda row: place[row])
    for _, rows in itertools.groupby(order, key=lambda row: place[row]):
        open_rows, best = list(rows), np.full_like(left, np.inf)
        for visits in itertools.product((0, 1), repeat=2):
            (first, of_first), (second, of_second) = ((v * w, v * c) for v, (w, c) in zip(visits, trip, strict=True))
            after = _shifted(left, first, second) + (of_first + of_second)
            for row in open_rows:
                after = _with_enterprise(after, row, visits, at_risk[row], weight, cost, drawn)
            best = np.minimum(best, after)
        left = best
    size = float(at_risk.sum() + np.abs(cost).sum() + sum(abs(one[1]) for one in trip) * len(own))
    return left[-1], size


def _with_enterprise(
    after: Floats,
    row: int,
    visits: tuple[int, ...],
    at_risk: float,
    weight: list[Ints],
    cost: list[Floats],
    drawn: list[Mask],
) -> Floats:
    """Return the least by states once the reviews of one more enterprise at a place are chosen."""
    best = np.full_like(after, np.inf)
    for reviewed in itertools.product((0, 1), repeat=2):
        if any(taken > visit for taken, visit in zip(reviewed, visits, strict=True)):
            continue
        if any(drawn[level][row] and not taken for level, taken in enumerate(reviewed)):
            continue
        moved = _shifted(after, *(int(taken * weight[level][row]) for level, taken in enumerate(reviewed)))
        price = sum(float(cost[level][row]) for level, taken in enumerate(reviewed) if taken)
        np.minimum(best, moved + (price if any(reviewed) else at_risk), out=best)
    return best


def _shifted(table: Floats, first: int, second: int) -> Floats:
    """Return the table after some states are used; states that do not suffice have no plan."""
    if not first and not second:
        return table
    moved, (rows, columns) = np.full_like(table, np.inf), table.shape
    first, second = min(first, rows), min(second, columns)
    moved[first:, second:] = table[: rows - first, : columns - second]
    return moved


def _combined(one: Floats, other: Floats) -> Floats:
    """Return the least sum of both by the states that they share."""
    best = np.full_like(one, np.inf)
    for used, value in enumerate(other):
        np.minimum(best[used:], one[: len(one) - used] + value, out=best[used:])
    return best
