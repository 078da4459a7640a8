r"""Regions of limits on which one set of multipliers serves, so that the answer is affine there.

Numbers that are affine in the axes of a box near a point: values there, and slopes carried along.

Prices of the tie-break where earlier objectives left an interval to each unit and sides to each row.

The region of limits on which one set of multipliers serves: answer, prices and margins as affine functions.

Duals $y^k$ of the linear objectives that are optimal at a point stay so wherever an allocation meets the limits and is
complementary to them: each unit at a minimum of $\phi_i(a) - \pi_i a$, and each row with a dual at its side. So an
objective leaves every unit an interval whose ends are bounds, kinks, or $R_i \pm w E_i$ with the largest rate $w$, all
affine in the parameters; which of them it is follows from signs of duals, which do not move. The rate itself follows
from its duals, as in `_aggregation/largest_change.py`:

$$w = \Bigl(\sum_r y_r d_r - \sum_i |\pi_i|\, (\text{own end or } R_i \text{ of unit } i) \Bigr) \Big/
  \sum_{i \text{ at the rate}} |\pi_i| E_i.$$

Within these intervals the tie-break gives $A_i = \mathrm{clip}(R_i + \tfrac12 E_i \pi_i)$ with its own prices $y$. As long
as no unit and no row changes its side, rows with a price stay at their sides, so that $y$ moves by

$$G\, \mathrm{diag}(\tfrac12 E_i\, [i \text{ inside}])\, G^T \dot y = \dot d - G\, \dot A_\text{at an end or } R .$$

A *margin* is a number that must stay zero or more for all of this to hold: the distance of an answer from each of its
bounds, of the unbounded answer beyond the end at which its unit is, of a row without a price from its sides, and each
price of a row that is at one side. The margins bound the region, a polyhedron in the box. Nothing here needs
trust: the checker proves what is said of a region from its ends.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt_models._aggregation.aggregation import MEASURES, significant
from etsopt_models._allocation.limits import IN_TONNES
from etsopt_models._effort import RATE_STEPS_MAX
from etsopt_models._projection.least_squares import Entries, Projection
from etsopt_models._projection.proximal import maximise
from etsopt_models._tolerances import (
    AT_END_RELATIVE,
    DEPENDENT_ROW_RELATIVE,
    EARLIER_OBJECTIVES_MISS_T,
    MARGIN_SLOPE_MIN,
    MOVING_SIDES_MISS_RELATIVE,
    MOVING_SIDES_ROUNDING_RELATIVE,
    PINNED_INTERVAL_T,
    ZERO_SLOPE_RELATIVE,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Affine:
    """Numbers at a point with their slopes.

    Parameters
    ----------
    value
        At the point, shape ``(n,)``.
    slope
        By axis, shape ``(axes, n)``.
    """

    value: Array
    slope: Array

    @classmethod
    def constant(cls, value: Array, axes: int) -> Affine:
        """Return numbers that do not move."""
        return cls(value, np.zeros((axes, len(value))))

    @classmethod
    def joined(cls, parts: Sequence[Affine]) -> Affine:
        """Return several arrays one after another."""
        return cls(np.concatenate([part.value for part in parts]), np.concatenate([part.slope for part in parts], 1))

    def __add__(self, other: Affine) -> Affine:
        return Affine(self.value + other.value, self.slope + other.slope)

    def __sub__(self, other: Affine) -> Affine:
        return Affine(self.value - other.value, self.slope - other.slope)

    def __mul__(self, factor: Any) -> Affine:
        return Affine(self.value * factor, self.slope * factor)

    def __getitem__(self, which: Any) -> Affine:
        return Affine(self.value[which], self.slope[:, which])

    def at(self, step: Array) -> Array:
        """Return the numbers a step away from the point, shape ``(axes,)`` to ``(n,)``."""
        return shifted(self.value, step, self.slope)


def shifted(value: Array, step: Array, slope: Array) -> Array:
    """Return numbers a step away, axis by axis: a product of matrices so flat takes longer than its sums."""
    for size, along in zip(step, slope, strict=True):
        value = value + size * along
    return value


def where(condition: NDArray[np.bool_], one: Affine, other: Affine) -> Affine:
    """Return one or the other number by a condition that does not depend on the point."""
    return Affine(np.where(condition, one.value, other.value), np.where(condition, one.slope, other.slope))


def larger(one: Affine, other: Affine) -> Affine:
    """Return the numbers that are larger at the point."""
    return where(one.value >= other.value, one, other)


def smaller(one: Affine, other: Affine) -> Affine:
    """Return the numbers that are smaller at the point."""
    return where(one.value <= other.value, one, other)


def prices_between(
    rows: Entries, emissions: Array, reference: Array, units: tuple[Affine, Affine], sides: tuple[Affine, Affine]
) -> Array:
    """Return duals of the rows at which units respond with the tie-break, shape ``(rows,)``.

    Parameters
    ----------
    units
        Lower and upper ends of the intervals of units.
    sides
        Lower and upper sides of the rows; a row with equal ones is an equality.
    """
    (lower, upper), (least, most) = units, (side.value for side in sides)
    equal = least == most
    # Each side is a row of its own: the upper ones with their signs reversed, an equality once.
    below, above = np.flatnonzero(np.isfinite(least)), np.flatnonzero(np.isfinite(most) & ~equal)
    parts = [(below, 1.0), (above, -1.0)]
    row, column, value = [], [], []
    for first, (which, sign) in zip((0, len(below)), parts, strict=True):
        place = np.full(rows.rows, -1)
        place[which] = first + np.arange(len(which))
        of = place[rows.row]
        row.append(of[of >= 0])
        column.append(rows.column[of >= 0])
        value.append(sign * rows.value[of >= 0])
    stacked = replace(
        rows,
        row=np.concatenate(row),
        column=np.concatenate(column),
        value=np.concatenate(value),
        rows=len(below) + len(above),
    )
    asked = np.concatenate([least[below], -most[above]])
    is_equality = np.concatenate([equal[below], np.zeros(len(above), dtype=bool)])
    ends = np.minimum(lower.value, upper.value), upper.value
    enough = np.full(len(asked), EARLIER_OBJECTIVES_MISS_T)
    duals, _, _ = maximise(Projection(emissions, reference, *ends, None, stacked, asked, is_equality, enough))
    found = np.zeros(rows.rows)
    found[below] = duals[: len(below)]
    found[above] -= duals[len(below) :]
    return found


ROWS = {**IN_TONNES, "enterprise_band": ("enterprise_lower", "enterprise_upper")}
"""Rows that couple units, and the parameters of their limits."""

MOVING = (
    *("lower", "upper", "reference", "obligation", "at_target_rate"),
    *(name for limits in ROWS.values() for name in limits),
)
"""Parameters of `allocation` that limits move."""


@dataclass(frozen=True)
class Region:
    """A piece of the answer around a point.

    Parameters
    ----------
    point
        Where it was solved, shape ``(axes,)``.
    answer
        Allowances of adjustable units [t].
    prices
        Duals of the rows in the tie-break.
    duals
        Duals of the rows in every linear objective, by name, shape ``(rows,)``.
    weights
        Multiplier of each unit in the largest rate, shape ``(units,)``.
    margins
        Numbers that are zero or more on the region.
    """

    point: Array
    answer: Affine
    prices: Affine
    duals: Mapping[str, Array]
    weights: Array
    margins: Affine

    def holds(self, point: Array, tolerance: float = 0.0) -> bool:
        """Return True if a point is in the region."""
        return bool(np.all(self.margins.at(point - self.point) >= -tolerance))

    def steps(self, direction: Array) -> tuple[float, float]:
        """Return how far the region reaches from its point, against and along a direction."""
        slope = direction @ self.margins.slope
        room = np.maximum(self.margins.value, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = np.where(slope == 0, np.inf, room / np.abs(slope))
        return (
            float(np.min(reach[slope > 0], initial=np.inf)),
            float(np.min(reach[slope < 0], initial=np.inf)),
        )


@dataclass(frozen=True)
class Parametric:
    """Parameters of `allocation` over a box of values of some keys.

    Parameters
    ----------
    origin
        Parameters at the first corner of the box.
    corners
        Parameters at the corner of each axis.
    names
        Name and index of each row.
    free
        Positions of the adjustable units in the instance.
    """

    origin: Mapping[str, Any]
    corners: Sequence[Mapping[str, Any]]
    names: Sequence[tuple[str, str]]
    free: NDArray[np.int64]

    @property
    def axes(self) -> int:
        """Number of axes of the box."""
        return len(self.corners)

    @cached_property
    def emissions(self) -> Array:
        """Emissions of adjustable units, shape ``(units,)`` [tCO2e]."""
        emissions: Array = self.origin["emissions"]
        return emissions

    @property
    def spread_weight(self) -> float:
        """Weight of a tonne in the objective `spread`."""
        return float(self.origin["per_total_emissions"])

    @cached_property
    def slopes(self) -> dict[str, Array]:
        """Move of every parameter along each axis, shape ``(axes, n)``."""
        return {
            name: np.stack([np.asarray(corner[name]) - np.asarray(self.origin[name]) for corner in self.corners])
            for name in MOVING
        }

    @cached_property
    def rows(self) -> Entries:
        """Rows over units, all components one after another; every coefficient is one."""
        units, row, column, first = self.origin["UNITS"], [], [], 0
        groups = [self.origin[name] for name in ("UNITS_IN_SECTOR", "UNITS_IN_PROVINCE")]
        parts = [(np.repeat(np.arange(len(group)), np.diff(group.starts)), group.members) for group in groups]
        parts.append(
            (np.zeros(units * self.origin["NATION"], dtype=np.int64), np.arange(units * self.origin["NATION"]))
        )
        owned = self.origin["UNITS_OF_ENTERPRISE"]
        parts.append((np.repeat(np.arange(len(owned)), np.diff(owned.starts)), owned.members))
        for (own, members), (least, _) in zip(parts, ROWS.values(), strict=True):
            row.append(first + own)
            column.append(members)
            first += len(self.origin[least])
        rows, columns = np.concatenate(row), np.concatenate(column)
        return Entries(rows, columns, np.ones(len(rows)), first, units)

    def given(self, point: Array) -> dict[str, Any]:
        """Return the parameters at a point of the unit box."""
        return {
            **self.origin,
            **{name: shifted(self.origin[name], point, along) for name, along in self.slopes.items()},
        }

    def limits(self, point: Array) -> dict[str, Affine]:
        """Return the moving parameters at a point, those of the rows joined as ``least`` and ``most``."""
        limits = {name: Affine(shifted(self.origin[name], point, along), along) for name, along in self.slopes.items()}
        sides = ([limits.pop(pair[k]) for pair in ROWS.values()] for k in (0, 1))
        least, most = (Affine.joined(side) for side in sides)
        return {**limits, "least": least, "most": most}

    def duals(self, multipliers: Mapping[str, Array]) -> Array:
        """Return the duals of all rows from the multipliers of a level, by component."""
        return np.concatenate(
            [multipliers.get(name, np.zeros(len(self.origin[least]))) for name, (least, _) in ROWS.items()]
        )

    def multipliers(self, duals: Array) -> dict[str, Array]:
        """Return the multipliers of a level by component from the duals of all rows."""
        ends = np.cumsum([len(self.origin[least]) for least, _ in ROWS.values()])
        return dict(zip(ROWS, np.split(duals, ends[:-1]), strict=True))

    def solved(
        self, weight: Array, active: NDArray[np.bool_], right: Array, most_missed: float, redundant: float
    ) -> Array | None:
        """Return duals of active rows that move their totals by some right-hand sides, zero for the other rows.

        Parameters
        ----------
        weight
            Move of every unit with its dual activity, shape ``(units,)``.
        right
            Shape ``(axes, rows)``.
        most_missed
            Miss of a right-hand side above which there is no solution.
        """
        moved = np.zeros((len(right), self.rows.rows))
        place = np.flatnonzero(active)
        if not len(place):
            return moved
        matrix = self._curvature(weight)[np.ix_(place, place)]
        wanted = right[:, place].T
        found = np.linalg.lstsq(matrix, wanted, rcond=redundant)[0]
        if np.max(np.abs(matrix @ found - wanted), initial=0.0) > most_missed:
            return None
        moved[:, place] = found.T
        return moved

    def _curvature(self, weight: Array) -> Array:
        """Return the rows times the weights of units times the transposed rows, shape ``(rows, rows)``."""
        count = self.rows.rows
        one, other, unit = self._pairs
        return np.bincount(one * count + other, weight[unit], count * count).reshape(count, count).astype(float)

    @cached_property
    def _pairs(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Both rows and the unit of every pair of entries of a unit."""
        order = np.argsort(self.rows.column, kind="stable")
        row, unit = self.rows.row[order], self.rows.column[order]
        parts, distance = [(row, row, unit)], 1
        while len(same := np.flatnonzero(unit[distance:] == unit[:-distance])):
            parts += [(row[same], row[same + distance], unit[same]), (row[same + distance], row[same], unit[same])]
            distance += 1
        one, other, of = (np.concatenate([part[k] for part in parts]) for k in range(3))
        return one, other, of

    def region(self, point: Array, solution: Any) -> Region | None:
        """Return the region around a point that was solved; None where its multipliers are degenerate."""
        duals = {level.name: self.duals(level.multipliers) for level in solution.levels}
        return region_of(self, point, duals)

    def region_of(self, point: Array, duals: Mapping[str, Array]) -> Region | None:
        """Return the region around a point from the duals of the rows by objective; those of the tie-break may be left out."""
        return region_of(self, point, duals)


@dataclass
class _Face:
    """Intervals of the units and sides of the rows that objectives leave, and the bounds that an answer must keep."""

    lower: Affine
    upper: Affine
    least: Affine
    most: Affine
    lowers: list[Affine] = field(default_factory=list)
    uppers: list[Affine] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lowers.append(self.lower)
        self.uppers.append(self.upper)

    def at_least(self, bound: Affine, mask: NDArray[np.bool_]) -> None:
        """Bound units from below; where the bound is above the interval, they are at its upper end."""
        beyond = mask & (bound.value > self.upper.value)
        self.lower = where(mask, where(beyond, self.upper, larger(self.lower, bound)), self.lower)
        self.lowers.append(where(mask & ~beyond, bound, _nowhere(bound, -np.inf)))
        self.uppers.append(where(beyond, bound, _nowhere(bound, np.inf)))

    def at_most(self, bound: Affine, mask: NDArray[np.bool_]) -> None:
        """Bound units from above; where the bound is below the interval, they are at its lower end."""
        beyond = mask & (bound.value < self.lower.value)
        self.upper = where(mask, where(beyond, self.lower, smaller(self.upper, bound)), self.upper)
        self.uppers.append(where(mask & ~beyond, bound, _nowhere(bound, np.inf)))
        self.lowers.append(where(beyond, bound, _nowhere(bound, -np.inf)))

    def pin(self, at_lower: NDArray[np.bool_], at_upper: NDArray[np.bool_]) -> None:
        """Pin units at an end of their intervals."""
        lower, upper = self.lower, self.upper
        self.lower, self.upper = where(at_upper, upper, lower), where(at_lower, lower, upper)

    def with_duals(self, duals: Array) -> None:
        """Fix rows at the sides that duals support."""
        least, most = self.least, self.most
        self.most = where(duals > 0, least, most)
        self.least = where(duals < 0, most, least)


def _nowhere(like: Affine, value: float) -> Affine:
    return Affine(np.full_like(like.value, value), np.zeros_like(like.slope))


def region_of(at: Parametric, point: Array, all_duals: Mapping[str, Array]) -> Region | None:
    """Return the region around a point from the multipliers that are optimal there; None where it is degenerate.

    Parameters
    ----------
    all_duals
        Duals of the rows by objective, the tie-break last; without it they are found from those of the others.
    """
    limits = at.limits(point)
    face = _Face(limits["lower"], limits["upper"], limits["least"], limits["most"])
    linear = {name: duals for name, duals in all_duals.items() if name != "least_squares"}
    margins: list[Affine] = []
    weights = np.zeros(len(at.emissions))
    for name, stated in linear.items():
        duals = significant(stated)
        if name == "largest_change":
            moving, weights = _rate(at, face, limits, duals)
            margins.append(moving)
            _keep_rate(at, face, limits, duals, moving)
        else:
            _keep_linear(at, face, limits, duals, name)
        face.with_duals(duals)
    start = all_duals.get("least_squares")
    if start is None:
        units, sides = (face.lower, face.upper), (face.least, face.most)
        start = prices_between(at.rows, at.emissions, limits["reference"].value, units, sides)
    # Where regions meet, a unit reaches its end: held there it may leave rows that nothing moves, inside it is of one.
    tried = (_tie_break(at, face, limits, start, at_ends) for at_ends in (0.0, AT_END_RELATIVE))
    found = next((one for one in tried if one is not None), None)
    if found is None:
        return None
    answer, prices, of_tie_break = found
    return Region(point, answer, prices, linear, weights, _moving([*margins, *of_tie_break]))


def _keep_linear(at: Parametric, face: _Face, limits: Mapping[str, Affine], duals: Array, name: str) -> None:
    """Restrict intervals to those on which a linear objective keeps its optimum."""
    _, kink, left, right = MEASURES[name]
    weight = at.spread_weight if name == "spread" else 1.0
    activity = at.rows.transposed_times(duals)
    flat = ZERO_SLOPE_RELATIVE * (float(np.max(np.abs(activity), initial=0.0)) + weight)
    falls, rises = (
        np.where(np.abs(slope) > flat, slope, 0.0) for slope in (left * weight - activity, right * weight - activity)
    )
    face.at_least(limits[kink], (falls < 0) & (rises >= 0))
    face.at_most(limits[kink], (rises > 0) & (falls <= 0))
    face.pin(falls > 0, rises < 0)


def _rate(at: Parametric, face: _Face, limits: Mapping[str, Affine], duals: Array) -> tuple[Affine, Array]:
    """Return the largest rate as its duals state it, and the multiplier of each unit's rate in it.

    What duals state falls as a convex, piecewise linear function of the rate, so that Newton's steps from zero meet it.
    """
    moving, weights = _rate_beyond(at, face, limits, duals, 0.0)
    for _step in range(RATE_STEPS_MAX):
        rate = float(moving.value[0])
        moving, weights = _rate_beyond(at, face, limits, duals, rate)
        if moving.value[0] <= rate:
            break
    return moving, weights


def _rate_beyond(
    at: Parametric, face: _Face, limits: Mapping[str, Affine], duals: Array, rate: float
) -> tuple[Affine, Array]:
    """Return the same where the units are held whose ends are beyond a rate."""
    activity = significant(at.rows.transposed_times(duals))
    reference, emissions = limits["reference"], at.emissions
    end = where(activity > 0, face.upper, face.lower)
    by_rate = (activity != 0) & (np.abs(end.value - reference.value) > rate * emissions * (1 + ZERO_SLOPE_RELATIVE))
    weights = np.where(by_rate, np.abs(activity), 0.0)
    if weights.any():
        side = where(duals > 0, face.least, face.most)
        own = where(by_rate, reference, end)
        # Numbers that move not at all may be infinite on the side that no dual supports.
        counted, priced = duals != 0, activity != 0
        demand, supply = side[counted] * duals[counted], own[priced] * activity[priced]
        asked = Affine(
            np.array([demand.value.sum() - supply.value.sum()]),
            (demand.slope.sum(axis=1) - supply.slope.sum(axis=1))[:, None],
        )
        return asked * (1 / float(np.sum(weights * emissions))), weights
    # One unit alone needs the rate, since its interval excludes its reference; or none does.
    needs = np.maximum(face.lower.value - reference.value, reference.value - face.upper.value) / emissions
    place = int(np.argmax(needs))
    if not needs[place] > 0:
        return Affine.constant(np.array([rate]), at.axes), weights
    unit, weights[place] = slice(place, place + 1), 1 / emissions[place]
    above = face.lower.value[place] > reference.value[place]
    away = face.lower[unit] - reference[unit] if above else reference[unit] - face.upper[unit]
    return away * (1 / emissions[unit]), weights


def _keep_rate(at: Parametric, face: _Face, limits: Mapping[str, Affine], duals: Array, rate: Affine) -> None:
    """Restrict intervals to those within the largest rate, and pin units that its duals push."""
    room = Affine(rate.value * at.emissions, rate.slope * at.emissions)
    everywhere = np.ones(len(at.emissions), dtype=bool)
    face.at_least(limits["reference"] - room, everywhere)
    face.at_most(limits["reference"] + room, everywhere)
    activity = significant(at.rows.transposed_times(duals))
    face.pin(activity < 0, activity > 0)


def _tie_break(  # long because sides, slopes and margins belong together
    at: Parametric, face: _Face, limits: Mapping[str, Affine], duals: Array, at_ends: float
) -> tuple[Affine, Affine, list[Affine]] | None:
    """Return answer, prices and margins of the tie-break; None where its prices do not move with the sides.

    Units whose unbounded answer is beyond an end by no more than a share of it are inside.
    """
    half, rows, reference = at.emissions / 2, at.rows, limits["reference"]
    pinned = face.upper.value - face.lower.value <= PINNED_INTERVAL_T
    equal = face.least.value == face.most.value
    active = equal | (np.abs(duals) > 0)
    wanted = reference.value + half * rows.transposed_times(duals)
    near = at_ends * np.abs(wanted)
    below, above = pinned | (wanted + near <= face.lower.value), ~pinned & (wanted - near >= face.upper.value)
    inside = ~below & ~above
    held = where(inside, reference, where(below, face.lower, face.upper))
    at_least = np.where(equal, True, duals > 0)
    side = where(at_least, face.least, face.most)
    moving = side.slope - np.stack([rows.times(slope) for slope in held.slope])
    # Where no unit is inside, the moves of side and units cancel but for their rounding.
    terms = np.abs(side.slope[:, active]) + np.stack([rows.times(np.abs(slope))[active] for slope in held.slope])
    missed = MOVING_SIDES_MISS_RELATIVE * float(np.max(np.abs(moving[:, active]), initial=0.0))
    missed += MOVING_SIDES_ROUNDING_RELATIVE * float(np.max(terms, initial=0.0))
    moved = at.solved(half * inside, active, moving, missed, DEPENDENT_ROW_RELATIVE)
    # The prices of the solve are those of its last step: one more step meets the sides to rounding.
    base = np.where(active, duals, 0.0)
    response = np.where(inside, reference.value + half * rows.transposed_times(base), held.value)
    last = at.solved(half * inside, active, (side.value - rows.times(response))[None], np.inf, DEPENDENT_ROW_RELATIVE)
    if moved is None or last is None:
        return None
    prices = Affine(base + last[0], moved)
    wish = Affine(
        reference.value + half * rows.transposed_times(prices.value),
        reference.slope + half * np.stack([rows.transposed_times(slope) for slope in prices.slope]),
    )
    answer = where(inside, wish, held)
    totals = Affine(rows.times(answer.value), np.stack([rows.times(slope) for slope in answer.slope]))
    margins = [answer - bound for bound in face.lowers] + [bound - answer for bound in face.uppers]
    margins += [(face.lower - wish)[below & ~pinned], (wish - face.upper)[above]]
    margins += [(totals - face.least)[~active], (face.most - totals)[~active]]
    one_sided = active & ~equal
    margins.append((prices * np.where(at_least, 1.0, -1.0))[one_sided])
    return answer, prices, margins


def _moving(margins: list[Affine]) -> Affine:
    """Return the margins that are finite and may reach zero."""
    everything = Affine.joined(margins)
    size = np.max(np.abs(everything.slope), axis=0, initial=0.0)
    kept = np.isfinite(everything.value) & (size > MARGIN_SLOPE_MIN)
    return everything[kept]
