r"""Lower bounds of every level from the multipliers of the coupling rows alone.

For prices $y$ of the coupling rows, whatever their values, no allocation can bring a level below

$$\sum_i \min_{\underline A_i \le a \le \overline A_i} \bigl(\phi_i(a) - \pi_i a\bigr) + \sum_r y_r \, d_r,
  \qquad \pi = G^T y$$

where $d_r$ is the side of the row that $y_r$ prices: the lower for $y_r > 0$, the upper for $y_r < 0$. With convex
$\phi_i$ of one kink each minimum stands at a bound or at the kink; for the last step it is a clipped parabola. `worst`
is a sum too, with weights $\tau_i$, $\sum_i \tau_i E_i = 1$. The gap of an allocation is a sum of terms that are each
zero or positive, so no cancellation blurs it.

Later levels stand on the optima of the earlier ones: `etsopt.checking.region` says how.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.checking.bands import rounded
from etsopt.checking.exceptions import LEVELS, check_exceptions, proof_of
from etsopt.checking.limits import derive
from etsopt.checking.region import FLAT, Region, Slopes
from etsopt.checking.report import LevelCheck
from etsopt.checking.whole import closest_whole, gap_of_worst, hold_worst
from etsopt.units import RELATIVE_TOLERANCE, sums, tolerance_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.checking.limits import Demands
    from etsopt.data.instance import Instance

ROUNDING = 1e-15
"""Rounding of a difference of two sums against the sum of its absolute terms."""


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
    chosen: NDArray[np.bool_],
    duals: pd.DataFrame,
    names: list[str],
) -> list[LevelCheck]:
    """Bound every level in its order; arrays over all units of the instance, the demands with the chosen exceptions."""
    emissions, free = instance.emissions_tco2e, ~demands.fixed
    stated = duals["level"].to_numpy()
    of_level = {level: duals[stated == level] for level in dict.fromkeys([*names, *pd.unique(stated)])}
    price_of = {level: demands.rows.prices(own) for level, own in of_level.items()}
    first = [name for name in names if name in LEVELS]
    proofs = {level: price for level, price in price_of.items() if str(level).partition(":")[0] in first}
    checks = check_exceptions(derive(instance), emissions[free], chosen[free], first, proofs) if first else []
    weights = -_by_unit(instance, of_level.get("worst", duals[:0]), "worst_covers")[free]
    at_target_rate = _at_target_rate(instance, demands, reference)
    levels = _Levels(demands, emissions, reference, allowance, at_target_rate, weights)
    return checks + [levels.check(name, price_of[name]) for name in names if name not in LEVELS]


def _at_target_rate(instance: Instance, demands: Demands, reference: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the allowances at the rate from which `spread` measures, shape ``(units,)`` [t].

    It is that of the sector's target; without one, that of the reference allowances of its adjustable units.
    """
    without = np.isnan(demands.at_target_rate)
    if not without.any():
        return demands.at_target_rate
    sector, emissions = instance.labels("sector"), instance.emissions_tco2e
    given, own = (sums(sector.code[without], tonnes[without], len(sector)) for tonnes in (reference, emissions))
    rate = np.divide(given, own, out=np.ones(len(own)), where=own > 0)
    at_rate = emissions * rate[sector.code]
    return np.where(without, rounded(at_rate) if demands.whole else at_rate, demands.at_target_rate)


def _by_unit(instance: Instance, duals: pd.DataFrame, row: str) -> NDArray[np.float64]:
    """Multipliers of a row that every unit has, in the order of the instance; zero where none is stated."""
    stated = duals[duals["row"].to_numpy() == row]
    # The units stand in the order of their names, so each name is found by halving.
    names, wanted = instance.units["unit_id"].to_numpy(), stated["index"].fillna("").to_numpy()
    place = np.minimum(np.searchsorted(names, wanted), len(names) - 1)
    there = names[place] == wanted
    found = np.zeros(len(names))
    found[place[there]] = stated["multiplier"].to_numpy(dtype=float)[there]
    return found


class _Levels:
    """The levels over allowances, each on the region that those before it leave."""

    def __init__(
        self,
        demands: Demands,
        emissions: NDArray[np.float64],
        reference: NDArray[np.float64],
        allowance: NDArray[np.float64],
        at_target_rate: NDArray[np.float64],
        weights: NDArray[np.float64],
    ) -> None:
        free, whole = ~demands.fixed, demands.whole
        self.rows, self.whole, self.free, self.weights = demands.rows, whole, free, weights
        self.totals, self.reach = demands.rows.totals(allowance), demands.rows.reach(emissions)
        self.missable = demands.rows.tolerance
        self.e, self.a = emissions[free], allowance[free]
        # Levels measure from whole tonnes where allowances are whole.
        self.r, self.due = (rounded(tonnes[free]) if whole else tonnes[free] for tonnes in (reference, emissions))
        self.at_target_rate = at_target_rate[free]
        self.region = Region(
            demands.lower[free], demands.upper[free], demands.rows.least.copy(), demands.rows.most.copy()
        )

    def check(self, name: str, price: NDArray[np.float64]) -> LevelCheck:
        """Bound a level, and hold it for those after it."""
        pull = self.rows.pull(price, len(self.free))[self.free]
        slack = float(np.abs(price) @ self.missable)
        rows_gap = gap_of_rows(price, self.totals, self.region)
        e, r, a, region = self.e, self.r, self.a, self.region
        unit = "rate" if name in ("worst", "spread") else "t"
        if name == "closest":
            value, units_gap = value_and_gap_of_closest(e, r, a, pull, region, self.whole)
            slopes = Slopes(2 * (region.lower - r) / e - pull, 2 * (region.upper - r) / e - pull, price)
            gap = units_gap + rows_gap + region.win(slopes)
            return LevelCheck(name, unit, value, value - gap, gap, _tolerance_of_closest(value, e), slack)
        shape = _shape(name, e, r, self.due, self.at_target_rate, self.weights)
        value, excess = _value(name, shape, e, r, a)
        tolerance = tolerance_of(value, unit)
        if name == "worst" and self.whole:
            gap = gap_of_worst(value, e, r, a, pull, price, rows_gap, region)
            hold_worst(value, e, r, region)
            return LevelCheck(name, unit, value, value - gap, gap, tolerance, slack)
        gap = _units_gap(shape, pull, a, region) + rows_gap + excess
        if name == "worst":
            # What keeps the worst rate keeps every unit within it; inside, only the prices of the rows tell.
            region.lower = np.maximum(region.lower, np.minimum(r - value * e, region.upper))
            region.upper = np.minimum(region.upper, np.maximum(r + value * e, region.lower))
            shape = Shape(r, 0 * e, 0 * e)
        gap += _hold(shape, pull, price, self.reach, gap, region, e)
        return LevelCheck(name, unit, value, value - gap, gap, tolerance, slack)


def _tolerance_of_closest(value: float, emissions: NDArray[np.float64]) -> float:
    """Largest gap of the last step, which is at least the sum of (A - A*)²/E over the distances from the one answer."""
    return max(RELATIVE_TOLERANCE * value, ROUNDING * float(np.sum(emissions)))


def gap_of_rows(price: NDArray[np.float64], totals: NDArray[np.float64], region: Region) -> float:
    """Sum of price times distance from the priced side; infinite where a side is priced that does not exist."""
    side = np.where(price > 0, region.least, region.most)
    priced = price != 0
    return float(np.sum(price[priced] * (totals - side)[priced]))


def _shape(
    name: str,
    emissions: NDArray[np.float64],
    reference: NDArray[np.float64],
    due: NDArray[np.float64],
    at_target_rate: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> Shape:
    ones = np.ones(len(emissions))
    if name == "change":
        return Shape(reference, -ones, ones)
    if name == "deficit":
        return Shape(due, -ones, 0 * ones)
    if name == "spread":
        share = ones / max(float(emissions.sum()), 1e-300)
        return Shape(at_target_rate, -share, share)
    weights = np.maximum(weights, 0.0)
    total = float(np.sum(weights * emissions))
    weights = weights / total if total > 0 else weights
    return Shape(reference, -weights, weights)


def _value(
    name: str,
    shape: Shape,
    emissions: NDArray[np.float64],
    reference: NDArray[np.float64],
    allowance: NDArray[np.float64],
) -> tuple[float, float]:
    """Value of a level, and how far it exceeds the sum of the units' functions."""
    total = float(np.sum(shape.at(allowance)))
    if name != "worst":
        return total, 0.0
    value = float(np.max(np.abs(allowance - reference) / emissions, initial=0.0))
    return value, value - total


def _units_gap(shape: Shape, pull: NDArray[np.float64], allowance: NDArray[np.float64], region: Region) -> float:
    """How far the units' functions less their pull lie above their minima."""
    falls, rises = shape.left - pull, shape.right - pull
    kink = np.clip(shape.kink, region.lower, region.upper)
    # The function falls before its kink and rises after it, or goes one way all along.
    best = np.where(falls > 0, region.lower, np.where(rises < 0, region.upper, kink))
    # A function lies above its minimum by the slopes in between, taken as one difference.
    return float(np.sum(shape.at(allowance) - shape.at(best) - pull * (allowance - best)))


def _hold(
    shape: Shape,
    pull: NDArray[np.float64],
    price: NDArray[np.float64],
    reach: NDArray[np.float64],
    gap: float,
    region: Region,
    emissions: NDArray[np.float64],
) -> float:
    """Hold a level for the later ones; returns what it could itself win by leaving the region of the earlier ones."""
    falls, rises = shape.left - pull, shape.right - pull
    win = region.win(region.beyond(shape.kink, falls, rises, price))
    rounding = ROUNDING * float(np.sum(np.abs(pull) * (region.upper - region.lower)))
    slope = (np.abs(pull) + np.maximum(np.abs(shape.left), np.abs(shape.right))) * emissions
    flat = FLAT * float(np.max(slope, initial=0.0)) / emissions
    # What counts of a price is what it does to the largest unit of its row.
    worth = np.abs(price) * reach
    priced = worth > FLAT * float(np.max(worth, initial=0.0))
    region.narrow(shape.kink, falls, rises, flat, price, priced, abs(gap) + win + rounding)
    return win


def value_and_gap_of_closest(
    emissions: NDArray[np.float64],
    reference: NDArray[np.float64],
    allowance: NDArray[np.float64],
    pull: NDArray[np.float64],
    region: Region,
    whole: bool,
) -> tuple[float, float]:
    """Sum of squares of the last step, and its gap over the units."""
    if whole:
        best = closest_whole(emissions, reference, pull, region)
    else:
        best = np.clip(reference + emissions / 2 * pull, region.lower, region.upper)
    gap = (allowance - best) * ((allowance + best - 2 * reference) / emissions - pull)
    return float(np.sum((allowance - reference) ** 2 / emissions)), float(np.sum(gap))


def proven_shortfall(demands: Demands, exceptions: int, duals: pd.DataFrame, level: str) -> float:
    """Tonnes by which the limits of the coupling rows must give way, at least; zero where nothing is proven.

    A tonne of give costs one in every row that may give, so their prices are held to one; fair order and the bands of
    enterprises may not give, and any price of theirs with the right sign is valid. What as many exceptions as are
    allowed could mend at these prices is taken off.
    """
    price = demands.rows.prices(duals[duals["level"].to_numpy() == level])
    gives = np.isin(demands.rows.rule, ("sector_target", "province_balance", "national_total"))
    proof = proof_of(demands, np.where(gives, np.clip(price, -1.0, 1.0), price))
    if not np.isfinite(proof.lacking):
        return 0.0
    return proof.lacking - float(np.sum(np.sort(proof.gains)[::-1][:exceptions]))
