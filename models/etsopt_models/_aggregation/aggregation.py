r"""Objectives of `allocation` over cells instead of units.

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
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt_models._allocation.limits import IN_TONNES
from etsopt_models._tolerances import CELL_LIMIT_ROUNDING_RELATIVE, PART_ROOM_ROUNDING_RELATIVE, ZERO_SLOPE_RELATIVE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from etsopt_models._aggregation.cells import Cells

    Run = Callable[..., Any]

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
