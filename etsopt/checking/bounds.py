r"""Lower bounds of every level from the multipliers of the coupling rows alone.

For prices $y$ of the coupling rows, whatever their values, no allocation can bring a level below

$$\sum_i \min_{\underline A_i \le a \le \overline A_i} \bigl(\phi_i(a) - \pi_i a\bigr) + \sum_r y_r \, d_r,
  \qquad \pi = G^T y$$

where $d_r$ is the side of the row that $y_r$ prices: the lower for $y_r > 0$, the upper for $y_r < 0$. With convex
$\phi_i$ of one kink each minimum stands at a bound or at the kink; for the last step it is a clipped parabola. `worst`
is a sum too, with weights $\tau_i$, $\sum_i \tau_i E_i = 1$. The gap of an allocation is a sum of terms that are each
zero or positive, so no cancellation blurs it.

Later levels stand on the optima of the earlier ones. Those are exactly the allocations that attain the minimum of
every unit and meet every priced row at its side, so each level narrows the intervals and the rows for the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.checking.report import LevelCheck

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.checking.limits import Demands
    from etsopt.data.instance import Instance

RELATIVE_GAP = 1e-9
LEAST_TOLERANCE = {"t": 2e-2, "rate": 2e-10}
"""A gap up to 20 kg, or what that is to 1e8 t, is rounding."""

ONE_ANSWER_T = 10.0
"""How far from the one answer of the last step an allowance may be, at most; the largest units reach 1e8 t."""

FLAT = 1e-9
"""A slope up to this share of the steepest leaves a unit indifferent, and a price up to it is none."""


def tolerance_of(value: float, unit: str) -> float:
    """Largest gap of a certified level, in its unit."""
    return max(RELATIVE_GAP * abs(value), LEAST_TOLERANCE.get(unit, RELATIVE_GAP))


@dataclass
class Region:
    """Where the optima of the levels so far lie: intervals of the free units, and limits of the rows."""

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    least: NDArray[np.float64]
    most: NDArray[np.float64]


@dataclass(frozen=True)
class Shape:
    """A level as a sum over units of a convex function with one kink, and slopes left and right of it."""

    kink: NDArray[np.float64]
    left: NDArray[np.float64]
    right: NDArray[np.float64]

    def at(self, allowance: NDArray[np.float64]) -> NDArray[np.float64]:
        """Value of every unit's function."""
        beyond = allowance - self.kink
        return np.maximum(self.left * beyond, self.right * beyond)


def check_levels(
    instance: Instance,
    demands: Demands,
    reference: NDArray[np.float64],
    allowance: NDArray[np.float64],
    duals: pd.DataFrame,
    names: list[str],
) -> list[LevelCheck]:
    """Bound every level in its order; arrays over all units of the instance."""
    free = np.flatnonzero(~demands.fixed)
    rows = zip(duals["level"], duals["row"], duals["index"], strict=True)
    lookup = dict(zip(rows, duals["multiplier"], strict=True))
    region = Region(demands.lower.copy(), demands.upper.copy(), demands.rows.least.copy(), demands.rows.most.copy())
    emissions = instance.emissions_tco2e
    unit_ids = instance.units["unit_id"].to_numpy()
    checks = []
    for name in names:
        price = np.array([lookup.get((name, *row), 0.0) for row in demands.rows.names])
        pull = demands.rows.pull(price, len(emissions))
        rows_gap = _rows_gap(price, demands.rows.totals(allowance), region)
        if name == "closest":
            value, units_gap = _closest(emissions, reference, allowance, pull, region, free)
            gap = units_gap + rows_gap
            # The gap is at least the sum of (A - A*)²/E, so none is that far from the one answer A*.
            tolerance = ONE_ANSWER_T**2 / float(np.max(emissions[free], initial=1.0))
            checks.append(LevelCheck(name, "t", value, value - gap, gap, tolerance))
            continue
        weights = np.array([-lookup.get((name, "worst_covers", unit), 0.0) for unit in unit_ids])
        shape = _shape(name, emissions, reference, demands.at_target_rate, weights, free)
        value, excess = _value(name, shape, emissions, reference, allowance, free)
        units_gap = _narrow(shape, pull, allowance, region, free, emissions)
        _tighten(price, demands.rows.reach(emissions), region)
        if name == "worst":
            _hold_worst(value, shape.right * emissions, emissions, reference, region)
        checks.append(
            _level(name, "rate" if name in ("worst", "spread") else "t", value, units_gap + rows_gap + excess)
        )
    return checks


def _level(name: str, unit: str, value: float, gap: float) -> LevelCheck:
    return LevelCheck(name, unit, value, value - gap, gap, tolerance_of(value, unit))


def _rows_gap(price: NDArray[np.float64], totals: NDArray[np.float64], region: Region) -> float:
    """Sum of price times distance from the priced side; infinite where a side is priced that does not exist."""
    side = np.where(price > 0, region.least, region.most)
    priced = price != 0
    return float(np.sum(price[priced] * (totals - side)[priced]))


def _shape(
    name: str,
    emissions: NDArray[np.float64],
    reference: NDArray[np.float64],
    at_target_rate: NDArray[np.float64],
    weights: NDArray[np.float64],
    free: NDArray[np.int64],
) -> Shape:
    ones = np.ones(len(emissions))
    if name == "change":
        return Shape(reference, -ones, ones)
    if name == "deficit":
        return Shape(emissions, -ones, 0 * ones)
    if name == "spread":
        share = ones / emissions[free].sum()
        return Shape(at_target_rate, -share, share)
    weights = np.maximum(weights, 0.0)
    total = float(np.sum((weights * emissions)[free]))
    weights = weights / total if total > 0 else weights
    return Shape(reference, -weights, weights)


def _value(
    name: str,
    shape: Shape,
    emissions: NDArray[np.float64],
    reference: NDArray[np.float64],
    allowance: NDArray[np.float64],
    free: NDArray[np.int64],
) -> tuple[float, float]:
    """Value of a level, and how far it exceeds the sum of the units' functions."""
    total = float(np.sum(shape.at(allowance)[free]))
    if name != "worst":
        return total, 0.0
    value = float(np.max(np.abs(allowance - reference)[free] / emissions[free], initial=0.0))
    return value, value - total


def _narrow(
    shape: Shape,
    pull: NDArray[np.float64],
    allowance: NDArray[np.float64],
    region: Region,
    free: NDArray[np.int64],
    emissions: NDArray[np.float64],
) -> float:
    """Gap of the units, and the intervals narrowed to where each attains its minimum."""
    lower, upper = region.lower[free], region.upper[free]
    part = Shape(shape.kink[free], shape.left[free], shape.right[free])
    kink = np.clip(part.kink, lower, upper)
    falls, rises = part.left - pull[free], part.right - pull[free]
    # The function falls before its kink and rises after it, or goes one way all along.
    best = np.where(falls > 0, lower, np.where(rises < 0, upper, kink))
    here = allowance[free]
    # The function of a unit lies above its minimum by the slopes in between, taken as one difference.
    gap = part.at(here) - part.at(best) - pull[free] * (here - best)
    slope = (np.abs(pull[free]) + np.maximum(np.abs(part.left), np.abs(part.right))) * emissions[free]
    flat = FLAT * float(np.max(slope, initial=0.0)) / emissions[free]
    region.lower[free] = np.where(falls >= -flat, lower, np.where(rises >= -flat, kink, upper))
    region.upper[free] = np.where(rises <= flat, upper, np.where(falls <= flat, kink, lower))
    return float(np.sum(gap))


def _tighten(price: NDArray[np.float64], reach: NDArray[np.float64], region: Region) -> None:
    """Rows that have a price stay at their side from now on; what counts is what the price does to the largest unit."""
    worth = price * reach
    threshold = FLAT * float(np.max(np.abs(worth), initial=0.0))
    low, high = worth > threshold, worth < -threshold
    region.most = np.where(low, region.least, region.most)
    region.least = np.where(high, region.most, region.least)


def _hold_worst(
    value: float,
    weight: NDArray[np.float64],
    emissions: NDArray[np.float64],
    reference: NDArray[np.float64],
    region: Region,
) -> None:
    """No unit changes by more than the worst rate from now on, and one that the bound weighs changes by just that."""
    most = value * emissions
    region.lower = np.maximum(region.lower, np.minimum(reference - most, region.upper))
    region.upper = np.minimum(region.upper, np.maximum(reference + most, region.lower))
    weighed = weight > FLAT * np.max(weight, initial=0.0)
    region.lower = np.where(weighed & (region.lower >= reference), region.upper, region.lower)
    region.upper = np.where(weighed & (region.upper <= reference), region.lower, region.upper)


def _closest(
    emissions: NDArray[np.float64],
    reference: NDArray[np.float64],
    allowance: NDArray[np.float64],
    pull: NDArray[np.float64],
    region: Region,
    free: NDArray[np.int64],
) -> tuple[float, float]:
    """Sum of squares of the last step, and its gap over the units."""
    e, r, a = emissions[free], reference[free], allowance[free]
    best = np.clip(r + e / 2 * pull[free], region.lower[free], region.upper[free])
    gap = (a - best) * ((a + best - 2 * r) / e - pull[free])
    return float(np.sum((a - r) ** 2 / e)), float(np.sum(gap))


def proven_shortfall(demands: Demands, duals: pd.DataFrame, level: str) -> float:
    """Tonnes by which the limits of the coupling rows must give way, at least; zero where nothing is proven.

    A tonne of give costs one in every row that may give, so their prices are held to one; fair order and the bands of
    enterprises may not give, and any price of theirs with the right sign is valid.
    """
    lookup = {
        (row, index): value
        for row, index, value in duals.loc[duals["level"] == level, ["row", "index", "multiplier"]].itertuples(
            index=False
        )
    }
    price = np.array([lookup.get(row, 0.0) for row in demands.rows.names])
    gives = np.array([row in ("sector_target", "province_balance", "national_total") for row, _ in demands.rows.names])
    price = np.where(gives, np.clip(price, -1.0, 1.0), price)
    side = np.where(price > 0, demands.rows.least, demands.rows.most)
    priced = price != 0
    if not np.isfinite(side[priced]).all():
        return 0.0
    free = ~demands.fixed
    pull = demands.rows.pull(price, len(demands.fixed))[free]
    lowest = np.minimum(-pull * demands.lower[free], -pull * demands.upper[free])
    return float(np.sum(lowest) + np.sum(price[priced] * side[priced]))
