r"""Bounds of `worst` and the last step over whole allowances; the other levels have their kinks at whole numbers.

A rate $w$ leaves unit $i$ the whole numbers within $w E_i$ of $R_i$. For prices $y$ no whole allowances lie there if

$$\sum_i \min_{a \in [\underline A_i(w), \overline A_i(w)]} (-\pi_i a) + \sum_r y_r d_r > 0,$$

which falls in steps as $w$ grows, so halving finds the largest rate that is ruled out. In the last step the minimum of
each unit's parabola stands at the whole number next to that of the real one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.region import NOBODY, Slopes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.checking.region import Region

PRODUCT = 1e-12
"""Rounding of a rate times emissions: what lacks no more to a whole tonne counts as that tonne."""

HALVINGS = 100

ROUNDING = 1e-12
"""Rounding of a sum against the sum of its absolute terms."""


def within(
    rate: float, emissions: NDArray[np.float64], reference: NDArray[np.float64], region: Region
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ends of the whole numbers within a rate; the lower is above the upper where there are none."""
    room = np.floor(rate * emissions * (1 + PRODUCT))
    return np.maximum(region.lower, reference - room), np.minimum(region.upper, reference + room)


def gap_of_worst(
    value: float,
    emissions: NDArray[np.float64],
    reference: NDArray[np.float64],
    allowance: NDArray[np.float64],
    pull: NDArray[np.float64],
    price: NDArray[np.float64],
    rows_gap: float,
    region: Region,
) -> float:
    """How far the largest rate that the prices rule out lies below a value."""
    win = region.win(Slopes(-pull, -pull, price))
    below, above = _firm_ends(region)

    def ruled_out(rate: float) -> bool:
        lower, upper = within(rate, emissions, reference, region)
        empty = (
            np.maximum(below, reference - upper_room(rate)) > np.minimum(above, reference + upper_room(rate))
        ).any()
        terms = pull * (allowance - np.where(pull > 0, upper, lower))
        enough = win + ROUNDING * float(np.sum(np.abs(terms)) + abs(rows_gap))
        return bool(empty) or float(np.sum(terms)) - rows_gap > enough

    def upper_room(rate: float) -> NDArray[np.float64]:
        return np.floor(rate * emissions * (1 + PRODUCT))

    low, high = 0.0, value
    if not value > 0 or not ruled_out(0.0):
        return value
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if ruled_out(middle) else (low, middle)
    return value - low


def _firm_ends(region: Region) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ends of the intervals that no whole allowance can pass: it would cost a level more than that may lose."""
    lower, upper = region.lower.copy(), region.upper.copy()
    for number, hold in enumerate(region.holds):
        lower[(region.owner_lower == number) & ~(np.abs(hold.slopes.before) > hold.gap)] = -np.inf
        upper[(region.owner_upper == number) & ~(np.abs(hold.slopes.after) > hold.gap)] = np.inf
    return lower, upper


def hold_worst(value: float, emissions: NDArray[np.float64], reference: NDArray[np.float64], region: Region) -> None:
    """Keep to the whole numbers within the value: it is kept there and nowhere else."""
    lower, upper = within(value, emissions, reference, region)
    lower, upper = np.minimum(lower, region.upper), np.maximum(upper, region.lower)
    region.owner_lower[lower > region.lower] = NOBODY
    region.owner_upper[upper < region.upper] = NOBODY
    region.lower, region.upper = lower, upper


def closest_whole(
    emissions: NDArray[np.float64], reference: NDArray[np.float64], pull: NDArray[np.float64], region: Region
) -> NDArray[np.float64]:
    """The whole number that is best for each unit at the prices."""
    best: NDArray[np.float64] = np.clip(np.floor(reference + emissions / 2 * pull + 0.5), region.lower, region.upper)
    return best
