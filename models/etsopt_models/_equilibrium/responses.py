r"""Best responses of units to a balance value, for every balance value at once.

With $z = 1/B$ the value of a measure set is a ramp in $z$: flat while the unit has the full surplus, then a rising
line, then flat at the full deficit. At the full deficit the same set is always the best, so one constant represents it.
The rest of each ramp is the larger of a constant and a line, which bends once.

The least of these functions is found between two values of $z$ by cutting. If a set bends in between, and is better at
its bend than the best sets of the two ends, its bend is the next cut. If there is none, the next cut is the crossing of
the lines of those two; if no set is better there, none is better anywhere in between, since the differences are linear
between ends, bends and crossing. Nothing is sampled, and a set is dropped beforehand only if its constant alone is no
better than the full deficit of the best.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt_models._market.measures import known
from etsopt_models._tolerances import INTENSITY_LEFT_MIN_SHARE, RESPONSE_TIE_RELATIVE

if TYPE_CHECKING:
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
