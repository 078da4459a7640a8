r"""Best responses of units to a balance value, for every balance value at once.

With $z = 1/B$ the value of a measure set is a ramp in $z$: flat while the unit has the full surplus, then a rising
line, then flat at the full deficit. At the full deficit the same set is always the best, so one constant represents it.
The rest of each ramp is the larger of a constant and a line, which bends once.

The least of these functions is found between two values of $z$ by cutting. If a set bends in between, and is better at
its bend than the best sets of the two ends, its bend is the next cut. If there is none, the next cut is the crossing of
the lines of those two; if no set is better there, none is better anywhere in between, since the differences are linear
between ends, bends and crossing. Nothing is sampled, and a set is dropped beforehand only if its constant alone is no
better than the full deficit of the best.

All balance values that a sector's best responses reproduce, or the point where the map jumps over them.

With $z = 1/B$, let $g(z)$ be the surplus $\sum_i (A_i - E_i)$ of all units at their best responses to $B$. While no
response changes, $g$ is the excess whose root is the balance value, and falls; where one changes, it jumps. So the
balance values that reproduce themselves are the zeros of $g$. As $g$ is positive for small $z$ and negative for large,
it passes zero downwards at least once: continuously, at a fixed point, or by a jump, at which a unit is indifferent.
Running sums scan the pieces between jumps at once. Where $g$ does not have one sign at both ends of a piece, the exact
balance value of its responses confirms the fixed point.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt.rules.balance import balance_value, surplus_rates
from etsopt_models._market.measures import known
from etsopt_models._tolerances import (
    INTENSITY_LEFT_MIN_SHARE,
    RESPONSE_EDGE_RELATIVE,
    RESPONSE_TIE_RELATIVE,
    SURPLUS_ROUNDING_RELATIVE,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etsopt_models._market.measures import Measures
    from etsopt_models._market.plans import Plans


@dataclass(frozen=True)
class Setting:
    """Price and rule of the year.

    Parameters
    ----------
    price
        Price of an allowance [CNY/t].
    paid_share
        Share of the allowances that is auctioned instead of given.
    slope, cap
        Slope and cap of the surplus rate.
    free
        True for units to which the rule applies, shape ``(units,)``; the others get A = E.
    """

    price: float
    paid_share: float
    slope: float
    cap: float
    free: NDArray[np.bool_]


@dataclass(frozen=True)
class Ramps:
    """Values of measure sets as functions of ``z``: the larger of ``flat`` and ``foot + rise z``.

    Parameters
    ----------
    units
        Positions, shape ``(units,)``.
    sets
        Sets with the fewest measures first, that of the full deficit last, shape ``(units, sets)``.
    flat, foot, rise, bend
        Shape ``(units, sets)`` [CNY, CNY, CNY t/t, t/t].
    tolerance
        Shape ``(units,)`` [CNY].
    reach
        Least and greatest intensity of all sets that count, shape ``(2, units)`` [t/t].
    """

    units: NDArray[np.int64]
    sets: NDArray[np.int64]
    flat: NDArray[np.float64]
    foot: NDArray[np.float64]
    rise: NDArray[np.float64]
    bend: NDArray[np.float64]
    tolerance: NDArray[np.float64]
    reach: NDArray[np.float64]

    def at(
        self, row: NDArray[np.int64], column: NDArray[np.int64] | slice, z: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the values of some sets, or of all of them if `column` is a slice."""
        line = self.foot[row, column] + self.rise[row, column] * z
        value: NDArray[np.float64] = np.maximum(self.flat[row, column], line)
        return value

    def best(self, row: NDArray[np.int64], z: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return the least value of each of some units at a value of ``z``, and the first set that attains it."""
        value = self.at(row, slice(None), z[:, None])
        least = value.min(axis=1)
        return least, (value <= (least + self.tolerance[row])[:, None]).argmax(axis=1)


@dataclass(frozen=True)
class Pieces:
    """Best responses by pieces: a unit takes the set from ``start`` up to its next piece.

    All of shape ``(pieces,)``, sorted by unit and start.
    """

    unit: NDArray[np.int64]
    start: NDArray[np.float64]
    sets: NDArray[np.int64]


@dataclass(frozen=True)
class _Cells:
    """Cells between two values of ``z``, each of one unit, all of shape ``(cells,)``.

    Parameters
    ----------
    row
        Row of the unit of each cell.
    low, high
        The two ends.
    first, last
        Columns of the best sets at the two ends.
    """

    row: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]


def ramps_of(plans: Plans, part: Measures, setting: Setting) -> Ramps:
    """Return the values of all sets of some units that can be best at some balance value."""
    baseline, units = plans.baseline, part.units
    family = part.family
    sets = np.flatnonzero(part.admissible[0] & family.follows(np.arange(len(family)), np.zeros(1, dtype=np.int64)))
    sets = sets[np.argsort(family.has[sets].sum(axis=1), kind="stable")]
    each = (part.fixed + part.variable * known(baseline.output[units, 0])[:, None]) * part.growth ** part.elapsed[0]
    cost = family.sums(each.T)[sets].T
    emissions = baseline.emissions[units, 0, None] * family.products(part.emissions_left.T)[sets].T
    intensity_left = np.maximum(family.products(part.intensity_left.T)[sets].T, INTENSITY_LEFT_MIN_SHARE)
    intensity = baseline.intensity[units, 0, None] * intensity_left
    at_stake = setting.price * (1 - setting.paid_share) * np.where(setting.free[units], 1.0, 0.0)[:, None] * emissions
    base_value = cost + setting.price * setting.paid_share * emissions
    deficit = base_value + setting.cap * at_stake
    tolerance = RESPONSE_TIE_RELATIVE * np.abs(base_value).max(axis=1) + RESPONSE_TIE_RELATIVE * at_stake.max(axis=1)
    worst = (deficit <= (deficit.min(axis=1) + tolerance)[:, None]).argmax(axis=1)[:, None]
    flat = base_value - setting.cap * at_stake
    counts = flat < np.take_along_axis(deficit, worst, axis=1)
    # Units keep different numbers of sets; all get as many columns as the one with most.
    kept = np.argsort(~counts, axis=1, kind="stable")[:, : int(counts.sum(axis=1).max())]
    rows = np.arange(len(units))[:, None]
    reach = np.stack([np.where(counts, intensity, np.inf).min(axis=1), np.where(counts, intensity, 0.0).max(axis=1)])
    own = baseline.intensity[units, 0]
    constant = deficit[rows, worst]
    return Ramps(
        units,
        np.column_stack([sets[kept], sets[worst]]),
        np.column_stack([flat[rows, kept], constant]),
        np.column_stack([(base_value - setting.slope * at_stake)[rows, kept], constant]),
        np.column_stack([setting.slope * (at_stake * intensity)[rows, kept], 0 * constant]),
        np.column_stack([(1 - setting.cap / setting.slope) / intensity[rows, kept], 0 * constant]),
        tolerance,
        # The unit without measures counts too: the search begins there.
        np.stack([np.fmin(reach[0], own), np.fmax(reach[1], own)]),
    )


def pieces_of(ramps: Ramps, low: NDArray[np.float64], high: NDArray[np.float64]) -> Pieces:
    """Return the best responses of all units of some ramps between two values of ``z``, shapes ``(units,)``."""
    row = np.arange(len(ramps.units))
    cells = _Cells(row, low, high, ramps.best(row, low)[1], ramps.best(row, high)[1])
    finished = []
    while len(cells.row):
        checkpoint(_("best responses, cells"), len(cells.row))
        cells, done = _cut(ramps, cells)
        finished.append(done)
    row, start, column = (np.concatenate(parts) for parts in zip(*finished, strict=True))
    order = np.lexsort((start, row))
    row, start, sets = row[order], start[order], ramps.sets[row[order], column[order]]
    new = np.ones(len(row), dtype=bool)
    new[1:] = (row[1:] != row[:-1]) | (sets[1:] != sets[:-1])
    return Pieces(ramps.units[row[new]], start[new], sets[new])


def _cut(ramps: Ramps, cells: _Cells) -> tuple[_Cells, tuple[NDArray[Any], ...]]:
    """Cut cells once; return the cells left and the certain pieces (row, start, column)."""
    row, first, last = cells.row, cells.first, cells.last
    at_bend, column = _better_bend(ramps, cells)
    cut = np.where(at_bend, ramps.bend[row, column], _crossing(ramps, cells))
    least, best = ramps.best(row, cut)
    held = np.minimum(ramps.at(row, first, cut), ramps.at(row, last, cut))
    done = ~at_bend & ((first == last) | (held <= least + ramps.tolerance[row]))
    more = ~done
    left = _Cells(
        np.concatenate([row[more], row[more]]),
        np.concatenate([cells.low[more], cut[more]]),
        np.concatenate([cut[more], cells.high[more]]),
        np.concatenate([first[more], best[more]]),
        np.concatenate([best[more], last[more]]),
    )
    two = done & (first != last)
    certain = (
        np.concatenate([row[done], row[two]]),
        np.concatenate([cells.low[done], cut[two]]),
        np.concatenate([first[done], last[two]]),
    )
    return left, certain


def _better_bend(ramps: Ramps, cells: _Cells) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return True for cells with a bend that beats the sets of both ends, and the column that gains most.

    The bends of those two themselves count as well: without them both are lines in the cell.
    """
    row, first, last = cells.row, cells.first, cells.last
    bend = ramps.bend[row]
    inside = (bend > cells.low[:, None]) & (bend < cells.high[:, None])
    held = np.minimum(
        ramps.at(row[:, None], first[:, None], bend),
        ramps.at(row[:, None], last[:, None], bend),
    )
    gain = np.where(inside, held - ramps.flat[row], -np.inf)
    for own in (first, last):
        bends = inside[np.arange(len(row)), own]
        gain[bends, own[bends]] = np.inf
    column = gain.argmax(axis=1)
    return gain[np.arange(len(row)), column] > ramps.tolerance[row], column


def _crossing(ramps: Ramps, cells: _Cells) -> NDArray[np.float64]:
    """Return the crossing of the lines of the sets at the two ends of a cell; the middle if they are parallel."""
    row, low, high = cells.row, cells.low, cells.high

    def line(column: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        flat = ramps.bend[row, column] >= cells.high
        foot = np.where(flat, ramps.flat[row, column], ramps.foot[row, column])
        return foot, np.where(flat, 0.0, ramps.rise[row, column])

    (foot, rise), (other_foot, other_rise) = line(cells.first), line(cells.last)
    parallel = rise == other_rise
    cut = (other_foot - foot) / np.where(parallel, 1.0, rise - other_rise)
    clipped: NDArray[np.float64] = np.clip(np.where(parallel, 0.5 * (low + high), cut), low, high)
    return clipped


@dataclass(frozen=True)
class Point:
    """A balance value, the pieces of the responses, and the excess of allowances over emissions [t]."""

    balance_value: float
    pieces: NDArray[np.int64]
    residual_t: float


@dataclass(frozen=True)
class SectorEquilibrium:
    """The equilibrium of a sector.

    Parameters
    ----------
    points
        All balance values that reproduce themselves, in ascending order.
    chosen
        The point reported; without a fixed point, that where the surplus jumps over zero by the least tonnes.
    cycle
        Balance values among which repeated responses cycle, in order; empty if they converge.
    obtained
        Method by which the point reported was found.
    """

    points: Sequence[Point]
    chosen: Point
    cycle: Sequence[float]
    obtained: str


@dataclass(frozen=True)
class Sector:
    """Responses of the units of a sector, with their emissions, intensity and cost.

    Parameters
    ----------
    pieces
        Pieces sorted by unit and start.
    emissions, intensity, cost
        Quantities of the set of each piece, shape ``(pieces,)`` [tCO2e, t/t, CNY].
    setting
        Price and rule.
    decimals
        Decimals of a published balance value; None for no rounding.
    end
        Value of ``z`` at the end of the last pieces.
    """

    pieces: Pieces
    emissions: NDArray[np.float64]
    intensity: NDArray[np.float64]
    cost: NDArray[np.float64]
    setting: Setting
    decimals: int | None
    end: float
    edges: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "edges", np.append(np.unique(self.pieces.start), self.end))

    def published(self, value: float) -> float:
        """Return a balance value as it is published."""
        return value if self.decimals is None else round(value, self.decimals)

    def balance(self, emissions: NDArray[np.float64], intensity: NDArray[np.float64]) -> float:
        """Return the balance value of some emissions and intensities."""
        # A unit without emissions gets a negligible weight, so that the value stays defined.
        weight = np.maximum(emissions, INTENSITY_LEFT_MIN_SHARE)
        return self.published(balance_value(weight, intensity, self.setting.slope, self.setting.cap).value)

    def responses(self, z: float) -> NDArray[np.int64]:
        """Return the piece with which each unit responds from ``z`` on."""
        first = np.flatnonzero(np.diff(self.pieces.unit, prepend=-1))
        started = np.add.reduceat((self.pieces.start <= z).astype(np.int64), first)
        return first + np.maximum(started, 1) - 1

    def point(self, balance: float, pieces: NDArray[np.int64]) -> Point:
        """Return the point of some responses at a balance value."""
        rates = surplus_rates(self.intensity[pieces], balance, self.setting.slope, self.setting.cap)
        return Point(balance, pieces, float(self.emissions[pieces] @ rates))

    def interval(self, balance: float) -> int:
        """Return the interval between edges in which a balance value lies."""
        place = int(np.searchsorted(self.edges, 1 / balance, side="right")) - 1
        return min(max(place, 0), len(self.edges) - 2)

    def own_point(self, interval: int) -> tuple[bool, Point]:
        """Return the responses in an interval at their own balance value, and True if that is in the interval."""
        low, high = self.edges[interval], self.edges[interval + 1]
        pieces = self.responses(low)
        value = self.balance(self.emissions[pieces], self.intensity[pieces])
        inside = low * (1 - RESPONSE_EDGE_RELATIVE) <= 1 / value <= high * (1 + RESPONSE_EDGE_RELATIVE)
        return inside, self.point(value, pieces)


def sector_equilibrium(sector: Sector, start: float) -> SectorEquilibrium:
    """Return all balance values of a sector that reproduce themselves, and the one reported.

    Parameters
    ----------
    start
        Balance value from which responses are repeated: the one without abatement.
    """
    left, right = _surplus_at_edges(sector)
    slack = SURPLUS_ROUNDING_RELATIVE * sector.emissions.max() * len(sector.emissions)
    if sector.decimals is not None:
        # Rounding may move a value into an interval: the surplus may miss zero by as much.
        weight = np.maximum.reduceat(
            sector.emissions * sector.intensity, np.flatnonzero(np.diff(sector.pieces.unit, prepend=-1))
        ).sum()
        moved = 0.5 * 10.0**-sector.decimals * (2 * sector.edges[1:]) ** 2
        slack = slack + sector.setting.slope * weight * moved
    may = np.flatnonzero((left >= -slack) & (right <= slack))
    points = {int(k): point for k in may for inside, point in [sector.own_point(int(k))] if inside}
    reached, cycle = _repeated(sector, start, points)
    ascending = sorted(points.values(), key=lambda point: point.balance_value)
    if not points:
        return SectorEquilibrium(
            (), _least_jump(sector, left, right), cycle, "where the surplus jumps over zero by the least"
        )
    if reached is not None:
        return SectorEquilibrium(ascending, reached, (), "reached from no abatement")
    cheapest = min(ascending, key=lambda point: float(sector.cost[point.pieces].sum()))
    return SectorEquilibrium(ascending, cheapest, cycle, "of least cost" if len(ascending) > 1 else "the only one")


def _repeated(sector: Sector, start: float, points: dict[int, Point]) -> tuple[Point | None, list[float]]:
    """Repeat the responses, and return the fixed point reached, or the balance values of the cycle."""
    values, seen = [start], {}
    while (interval := sector.interval(values[-1])) not in seen:
        checkpoint(_("fixed points, step"), len(values))
        if interval in points:
            return points[interval], []
        seen[interval] = len(values) - 1
        values.append(sector.own_point(interval)[1].balance_value)
    return None, values[seen[interval] + 1 :]


def _least_jump(sector: Sector, left: NDArray[np.float64], right: NDArray[np.float64]) -> Point:
    """Return the point where the surplus is closest to zero: without a fixed point, beside a jump."""
    at_left = np.abs(left).min() <= np.abs(right).min()
    k = int(np.abs(left if at_left else right).argmin())
    z = float(sector.edges[k if at_left else k + 1])
    value = sector.published(1 / z)
    pieces = sector.responses(float(sector.edges[k]) if sector.decimals is None else 1 / value)
    return sector.point(value, pieces)


def _surplus_at_edges(sector: Sector) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the surplus just after the left and before the right end of each interval, shapes ``(intervals,)`` [t]."""
    setting, start, unit = sector.setting, sector.pieces.start, sector.pieces.unit
    end = np.where(np.append(unit[1:] != unit[:-1], True), sector.end, np.append(start[1:], sector.end))
    ratio = setting.cap / setting.slope
    enter, leave = (np.clip((1 + side * ratio) / sector.intensity, start, end) for side in (-1, 1))
    capped, nothing = setting.cap * sector.emissions, np.zeros(len(start))
    linear = setting.slope * sector.emissions
    # Each piece is a constant, a line and a constant again.
    at = np.concatenate([start, enter, leave, enter, leave, end])
    constant = np.concatenate([capped, linear, -capped, -capped, -linear, capped])
    rise = -linear * sector.intensity
    per_z = np.concatenate([nothing, rise, nothing, nothing, -rise, nothing])
    order = np.argsort(at, kind="stable")
    at = at[order]
    sums = [np.concatenate([[0.0], np.cumsum(part[order])]) for part in (constant, per_z)]

    def surplus(z: NDArray[np.float64], side: str) -> NDArray[np.float64]:
        place = np.searchsorted(at, z, side=side)  # type: ignore[call-overload]
        result: NDArray[np.float64] = sums[0][place] + sums[1][place] * z
        return result

    return surplus(sector.edges[:-1], "right"), surplus(sector.edges[1:], "left")
