r"""Exact aggregation of allocations: cells of units that are alike in every coupling row, and objectives over them.

Objectives of `allocation` over cells instead of units.

An objective $\sum_i \phi_i(A_i)$ has the same slopes $f \le g$ at every unit, left and right of a kink $K_i$. Over the
intervals $[l_i, u_i]$ that earlier objectives leave, the units of a cell $c$ together cost, with the best sharing of
$A_c$,

$$\min \Bigl\{ \sum_{i \in c} \phi_i(A_i) : \sum_{i \in c} A_i = A_c \Bigr\}
  = \sum_{i \in c} \phi_i(B_i) + \phi(A_c - B_c), \qquad B_i = \mathrm{clip}(K_i, l_i, u_i),$$

where $\phi$ has the slopes $f$ and $g$ left and right of zero: a unit whose interval excludes its kink has one slope
throughout, which the clipping counts. So a cell is a unit of the formulation. Its allowances are counted from
$\sum_i l_i$ on; otherwise the solver would have to resolve tonnes in sums thirty times as large.

At the duals $y$ of the rows an objective keeps its optimum where every unit minimises $\phi_i(a) - \pi_c a$, with
$\pi = G^T y$, and every row with a dual is at its side. This optimal face is left to the next objective.

Cells: units in the same coupling rows, which no row distinguishes.

Exceptions of `allocation` over cells, and the elastic program there.

The margin of an exception counts in the rows like that of any other unit of its cell. So of two units in a cell, an
exception of the first (the larger, or of equal ones the first by `unit_id`) is as good as one of the other, unless the
other's margin is larger, as that of a smaller unit may be by rounding. A unit behind as many equally good ones as
exceptions are allowed is never an exception. The few others in each cell stay separate, and the rest is aggregated.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.data.groups import Groups
from etsopt_models._allocation.limits import IN_TONNES
from etsopt_models._effort import COUNTED_CODES_PER_UNIT_MAX
from etsopt_models._tolerances import CELL_LIMIT_ROUNDING_RELATIVE, PART_ROOM_ROUNDING_RELATIVE, ZERO_SLOPE_RELATIVE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Run = Callable[..., Any]


@dataclass(frozen=True)
class Cells:
    """Cells of units; the rows of all components are numbered one after another.

    Parameters
    ----------
    of_unit
        Cell of every unit, shape ``(units,)``.
    sector, province
        Row of every cell; -1 for no sector with a target, no province with a balance.
    counts
        Number of rows of each component, in the order of `IN_TONNES`.
    """

    of_unit: NDArray[np.int64]
    sector: NDArray[np.int64]
    province: NDArray[np.int64]
    counts: tuple[int, int, int]

    @classmethod
    def of(cls, parameters: Mapping[str, Any], apart: NDArray[np.int64] | None = None) -> Cells:
        """Return the cells of the units that the parameters of `allocation` describe.

        Parameters
        ----------
        apart
            Labels from 0 on; units that differ in them are in different cells. None for no labels.
        """
        counts = parameters["SECTORS"], parameters["PROVINCES"], parameters["NATION"]
        sector = _labels(parameters["UNITS_IN_SECTOR"], parameters["UNITS"])
        province = _labels(parameters["UNITS_IN_PROVINCE"], parameters["UNITS"])
        most = (counts[0] + 1) * (counts[1] + 1)
        code = (sector + 1) * (counts[1] + 1) + province + 1
        label = np.zeros_like(code) if apart is None else apart
        number, codes = numbered(label * most + code, (int(np.max(label, initial=0)) + 1) * most)
        codes = codes % most
        return cls(number, codes // (counts[1] + 1) - 1, codes % (counts[1] + 1) - 1, counts)

    def __len__(self) -> int:
        return len(self.sector)

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum of the values of the units in every cell."""
        return np.bincount(self.of_unit, values, len(self)).astype(float)

    @cached_property
    def blocks(self) -> dict[str, slice]:
        """Positions of the rows of each component."""
        ends = np.cumsum([0, *self.counts]).tolist()
        return {name: slice(*part) for name, part in zip(IN_TONNES, pairwise(ends), strict=True)}

    @cached_property
    def entries(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Row and cell of each coefficient, all of which are one."""
        all_cells = np.arange(len(self))
        sector, province, nation = (self.blocks[name].start for name in IN_TONNES)
        targeted, counted = np.flatnonzero(self.sector >= 0), np.flatnonzero(self.province >= 0)
        of_nation = all_cells[: len(self) * self.counts[2]]
        rows = [self.sector[targeted] + sector, self.province[counted] + province, np.full(len(of_nation), nation)]
        return np.concatenate(rows), np.concatenate([targeted, counted, of_nation])

    def totals(self, by_cell: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the left-hand side of every row."""
        rows, cells = self.entries
        return np.bincount(rows, by_cell[cells], sum(self.counts)).astype(float)

    def dual_activity(self, duals: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the dual activity of every cell: the sum of the duals of its rows."""
        rows, cells = self.entries
        return np.bincount(cells, duals[rows], len(self)).astype(float)

    def largest(self, by_row: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the largest value among the rows of each cell; zero if it is in none."""
        rows, cells = self.entries
        largest = np.zeros(len(self))
        np.maximum.at(largest, cells, by_row[rows])
        return largest

    def groups(self, cell: NDArray[np.int64]) -> dict[str, Groups]:
        """Return the grouped sets of `allocation` for parts of cells, by the cell of each."""
        sector, province, _ = self.counts
        return {
            "UNITS_IN_SECTOR": Groups.from_labels(self.sector[cell], sector),
            "UNITS_IN_PROVINCE": Groups.from_labels(self.province[cell], province),
        }


def numbered(codes: NDArray[np.int64], most: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number the codes that occur, which are from 0 to below ``most``: the number of each, and the code of each number.

    >>> numbered(np.array([7, 2, 7]), 9)
    (array([1, 0, 1]), array([2, 7]))
    """
    if most > COUNTED_CODES_PER_UNIT_MAX * len(codes) + 1000:
        occurring, number = np.unique(codes, return_inverse=True)
        return number, occurring
    occurring = np.flatnonzero(np.bincount(codes, minlength=most))
    place = np.zeros(most, dtype=np.int64)
    place[occurring] = np.arange(len(occurring))
    return place[codes], occurring


def _labels(groups: Groups, units: int) -> NDArray[np.int64]:
    """Return the group of every unit; -1 for none."""
    label = np.full(units, -1)
    label[groups.members] = np.repeat(np.arange(len(groups)), np.diff(groups.starts))
    return label


MEASURES = {
    "change": ("CHANGE_MEASURED", "reference", -1.0, 1.0),
    "deficit": ("DEFICIT_MEASURED", "obligation", -1.0, 0.0),
    "spread": ("SPREAD_MEASURED", "at_target_rate", -1.0, 1.0),
}
"""Units that an objective measures, its kinks, and its slopes left and right of them; `spread` is also scaled."""

PER_UNIT = (
    "emissions",
    "per_emission",
    "per_reference",
    "reference",
    "obligation",
    "at_target_rate",
    "increase_most",
    "decrease_most",
    "size_gap",
    "place",
    "band_lower",
    "band_upper",
    "widening_lower",
    "widening_upper",
)
"""Parameters of units beside their bounds."""

SETS = (
    "CHANGE_MEASURED",
    "LARGEST_CHANGE_MEASURED",
    "DEFICIT_MEASURED",
    "SPREAD_MEASURED",
    "ROUNDING_MEASURED",
    "WHOLE",
    "MAY_BE_EXCEPTIONAL",
    "WITH_OWN_BAND",
)
"""Sets of units that may be empty for an objective."""


@dataclass(frozen=True)
class OptimalFace:
    """The optimal face of some objectives: intervals of the units and limits of the rows [t].

    Parameters
    ----------
    lower, upper
        Intervals, shape ``(units,)``.
    least, most
        Limits, shape ``(rows,)``, all components one after another.
    """

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    least: NDArray[np.float64]
    most: NDArray[np.float64]

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> OptimalFace:
        """Return the face of `allocation` before any objective."""
        least, most = (np.concatenate([parameters[limits[side]] for limits in IN_TONNES.values()]) for side in (0, 1))
        return cls(parameters["lower"], parameters["upper"], least, most)

    def with_duals(self, duals: NDArray[np.float64]) -> OptimalFace:
        """Return the face with every row that has a dual fixed at the side of the dual."""
        duals = significant(duals)
        most = np.where(duals > 0, self.least, self.most)
        return replace(self, least=np.where(duals < 0, most, self.least), most=most)


@dataclass(frozen=True)
class Ranges:
    """Ranges of the allowances of parts of cells, which count from the lower ends of their units on [t].

    Parameters
    ----------
    cell
        Cell of each part, shape ``(parts,)``.
    room
        Size of the range, shape ``(parts,)``.
    base
        Sum of the lower ends in every row, shape ``(rows,)``.
    """

    cell: NDArray[np.int64]
    room: NDArray[np.float64]
    base: NDArray[np.float64]


@dataclass(frozen=True)
class Aggregated:
    """An objective solved over cells: value, duals of the rows, optimal face, solution and totals of the cells."""

    value: float
    duals: NDArray[np.float64]
    face: OptimalFace
    solution: Any
    totals: NDArray[np.float64]


def significant(duals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the duals with rounding set to zero."""
    return np.where(np.abs(duals) > ZERO_SLOPE_RELATIVE * np.max(np.abs(duals), initial=0.0), duals, 0.0)


def program_over(parameters: Mapping[str, Any], cells: Cells, face: OptimalFace, ranges: Ranges) -> dict[str, Any]:
    """Return the parameters of `allocation` over parts of cells, without objectives."""
    cell, room, base = ranges.cell, ranges.room, ranges.base
    count = len(cell)
    rooms = cells.totals(np.bincount(cell, room, len(cells)).astype(float))
    # Sums of whole tonnes are exact.
    noise = 0.0 if len(parameters["WHOLE"]) else CELL_LIMIT_ROUNDING_RELATIVE * (np.abs(base) + rooms)
    sides = face.least - base - noise, face.most - base + noise
    limits = {
        name: side[cells.blocks[row]]
        for row, names in IN_TONNES.items()
        for name, side in zip(names, sides, strict=True)
    }
    return {
        **parameters,
        **dict.fromkeys(PER_UNIT, np.zeros(count)),
        **dict.fromkeys(SETS, np.arange(0)),
        "per_emission": np.ones(count),
        "LIMITED": 0,
        "UNITS": count,
        "lower": np.zeros(count),
        "upper": _beyond_rounding(room, cells, base, cell),
        **cells.groups(cell),
        **limits,
    }


def _beyond_rounding(
    room: NDArray[np.float64], cells: Cells, base: NDArray[np.float64], cell: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the room of parts of cells, zero where it is rounding of the sums in their rows."""
    return np.where(room > PART_ROOM_ROUNDING_RELATIVE * cells.largest(base)[cell], room, 0.0)


def duals_of(cells: Cells, solution: Any) -> NDArray[np.float64]:
    """Return the duals of all rows from the multipliers of the last objective of a solution."""
    multipliers = solution.levels[-1].multipliers
    return np.concatenate([multipliers[name] for name in cells.blocks])


def side_terms(
    duals: NDArray[np.float64], least: NDArray[np.float64], most: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return, for the rows that have a dual, the dual times its side of the limits of the row."""
    side = np.where(duals > 0, least, most)
    terms: NDArray[np.float64] = duals[duals != 0] * side[duals != 0]
    return terms


def side_value(duals: NDArray[np.float64], face: OptimalFace, base: NDArray[np.float64]) -> float:
    """Return the sum over the rows of the dual times its side, counted from the lower ends on."""
    return float(np.sum(side_terms(duals, face.least - base, face.most - base)))


def solve_linear(
    parameters: Mapping[str, Any], cells: Cells, face: OptimalFace, name: str, run: Run
) -> Aggregated | Any:
    """Solve one of the objectives of `MEASURES`; return a solution without an optimum as it is."""
    measured, kinks, left, right = MEASURES[name]
    weight = parameters["per_total_emissions"] if name == "spread" else 1.0
    kink = parameters[kinks]
    inside = np.clip(kink, face.lower, face.upper)
    off = kink - inside
    constant = weight * float(np.sum(np.abs(off) if right else np.maximum(off, 0.0)))
    low = cells.sums(face.lower)
    base, room, all_cells = cells.totals(low), cells.sums(face.upper - face.lower), np.arange(len(cells))
    reach, beyond = cells.sums(inside - face.lower), cells.sums(face.upper - inside)
    # As a bound, what rounding leaves of a kink at an end would be out of all proportion to the room beside it.
    reach, beyond = (_beyond_rounding(part, cells, base, all_cells) for part in (reach, beyond))
    program = program_over(parameters, cells, face, Ranges(all_cells, room, base)) | {
        measured: all_cells,
        kinks: reach,
        "increase_most": beyond,
        "decrease_most": reach,
    }
    solution = run(program, [name])
    if not solution.levels or solution.termination != "optimal":
        return solution
    duals = duals_of(cells, solution)
    dual_activity = cells.dual_activity(duals)
    falls, rises = left * weight - dual_activity, right * weight - dual_activity
    # The value follows from the duals, independent of the solver's tolerances.
    at_ends = -left * weight * reach, rises * room - right * weight * reach
    least = np.where(falls > 0, at_ends[0], np.where(rises < 0, at_ends[1], -dual_activity * reach))
    value = constant + float(np.sum(least)) + side_value(duals, face, base)
    flat = ZERO_SLOPE_RELATIVE * float(np.max(np.abs(dual_activity), initial=0.0) + weight)
    slopes = (np.where(np.abs(slope) > flat, slope, 0.0)[cells.of_unit] for slope in (falls, rises))
    optimal = _optimal_intervals(face, inside, *slopes).with_duals(duals)
    return Aggregated(value, duals, optimal, solution, low + solution.values["allowance"])


def _optimal_intervals(
    face: OptimalFace, inside: NDArray[np.float64], falls: NDArray[np.float64], rises: NDArray[np.float64]
) -> OptimalFace:
    """Return the intervals on which an objective keeps its optimum.

    Parameters
    ----------
    inside
        Kinks, clipped to the intervals of the face, shape ``(units,)`` [t].
    falls, rises
        Slopes left and right of the kinks, zero where a unit is indifferent, shape ``(units,)``.
    """
    # The lower end is kept if the function does not fall below the kink; else it moves to the kink or to the upper end.
    lower, upper = face.lower, face.upper
    narrow_lower = np.where(rises < 0, upper, np.where(falls < 0, inside, lower))
    narrow_upper = np.where(falls > 0, lower, np.where(rises > 0, inside, upper))
    return replace(face, lower=narrow_lower, upper=narrow_upper)


def first_in_cells(
    cells: Cells, order: NDArray[np.float64], widening: tuple[NDArray[np.float64], NDArray[np.float64]], most: int
) -> NDArray[np.bool_]:
    """Return True for units that may be among the ``most`` best of their cell.

    Parameters
    ----------
    order
        Units with the least numbers come first, equal ones by their position.
    widening
        Margins of each unit below and above its band [t].
    """
    widens = (widening[0] > 0) | (widening[1] > 0)
    if not most:
        return np.zeros_like(widens)
    sorted_units = np.lexsort((order, ~widens, cells.of_unit))
    starts = np.concatenate([[0], np.cumsum(np.bincount(cells.of_unit, minlength=len(cells)))[:-1]])
    place = np.empty(len(order), dtype=np.int64)
    place[sorted_units] = np.arange(len(order))
    first = widens & (place - starts[cells.of_unit] < most)
    kept = first.copy()
    for side in widening:
        # Units with a margin above the least of the first ones, however small they are.
        least = np.full(len(cells), np.inf)
        np.minimum.at(least, cells.of_unit[first], side[first])
        kept |= side > least[cells.of_unit]
    return kept


def _apart(cells: Cells, alone: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the parts if some units are parts of their own and the rest of each cell is one.

    Returns
    -------
    tuple
        The part of every unit, the cell of every part, and the unit of every part; -1 if it is the rest of a cell.
    """
    units = np.flatnonzero(alone)
    code = cells.of_unit.copy()
    code[units] = len(cells) + np.arange(len(units))
    of_unit, codes = numbered(code, len(cells) + len(units))
    unit = np.where(codes < len(cells), -1, 0)
    unit[codes >= len(cells)] = units
    cell = np.where(unit < 0, codes, cells.of_unit[unit])
    return of_unit, cell, unit


def elastic_cells(parameters: Mapping[str, Any]) -> tuple[dict[str, Any], NDArray[np.int64]]:
    """Return the parameters of `allocation_elastic` over cells, from those over units, and the part of every unit."""
    # The bands of a sector widen together, with a target or without.
    cells = Cells.of(parameters, parameters["sector"])
    sector = np.zeros(len(cells), dtype=np.int64)
    sector[cells.of_unit] = parameters["sector"]
    widening = parameters["widening_lower"], parameters["widening_upper"]
    most = parameters["exceptions_most"]
    alone = np.zeros(len(cells.of_unit), dtype=bool)
    for side in widening:
        # Exceptions have no order here: the units with the largest margin on either side may be one.
        alone |= first_in_cells(cells, -side, (side, 0 * side), most)
    of_unit, cell, unit = _apart(cells, alone)
    sums = {
        name: np.bincount(of_unit, parameters[name], len(cell)).astype(float)
        for name in ("emissions", "band_lower", "band_upper", "allowance_most")
    }
    wider = {
        name: np.where(unit < 0, 0.0, side[unit])
        for name, side in zip(("widening_lower", "widening_upper"), widening, strict=True)
    }
    aggregated = {
        **parameters,
        **sums,
        **wider,
        "UNITS": len(cell),
        "WITH_OWN_BAND": np.arange(len(cell)),
        "per_emission": 1 / sums["emissions"],
        "sector": sector[cell],
        **cells.groups(cell),
    }
    return aggregated, of_unit


def choose_exceptions(
    parameters: Mapping[str, Any], cells: Cells, face: OptimalFace, names: list[str], run: Run
) -> tuple[Any, NDArray[np.float64], OptimalFace]:
    """Return a solution of the objectives of exceptions, the exceptions, and the face with them; `face` is without."""
    lower, upper = parameters["widening_lower"], parameters["widening_upper"]
    most = parameters["exceptions_most"]
    of_unit, cell, unit = _apart(cells, first_in_cells(cells, parameters["size_gap"], (lower, upper), most))
    exists = unit >= 0
    below, above = np.where(exists, lower[unit], 0.0), np.where(exists, upper[unit], 0.0)
    low, high = (np.bincount(of_unit, end, len(cell)).astype(float) for end in (face.lower, face.upper))
    # Allowances count from the widest lower ends on.
    base = cells.totals(np.bincount(cell, low - below, len(cells)).astype(float))
    all_parts = np.arange(len(cell))
    program = program_over(parameters, cells, face, Ranges(cell, high - low + below + above, base)) | {
        "MAY_BE_EXCEPTIONAL": all_parts,
        "WITH_OWN_BAND": all_parts,
        "LIMITED": 1,
        "band_lower": below,
        "band_upper": below + high - low,
        "widening_lower": below,
        "widening_upper": above,
        # An aggregated part has no margin as an exception, and comes last.
        "size_gap": np.where(exists, parameters["size_gap"][unit], np.max(parameters["size_gap"], initial=0.0)),
        "place": np.where(exists, parameters["place"][unit], len(of_unit) + 1.0),
    }
    solution = run(program, names, by_solver=False)
    exceptional = np.zeros(len(of_unit))
    if solution.values:
        exceptional[unit[(solution.values["exceptional"] > 0.5) & exists]] = 1.0
    wider = replace(face, lower=face.lower - exceptional * lower, upper=face.upper + exceptional * upper)
    return solution, exceptional, wider
