r"""Levels of `allocation` over cells instead of units.

A level $\sum_i \phi_i(A_i)$ has the same slopes $f \le g$ at every unit, left and right of a kink $K_i$. Over the
intervals $[l_i, u_i]$ that the levels before leave, the units of a cell $c$ together cost, as they share $A_c$ out best,

$$\min \Bigl\{ \sum_{i \in c} \phi_i(A_i) : \sum_{i \in c} A_i = A_c \Bigr\}
  = \sum_{i \in c} \phi_i(B_i) + \phi(A_c - B_c), \qquad B_i = \mathrm{clip}(K_i, l_i, u_i),$$

where $\phi$ has the slopes $f$ and $g$ left and right of zero: a unit that its interval keeps off its kink costs one
slope all along, which the clipping has counted. So a cell is a unit of the formulation, whose allowances are counted
from $\sum_i l_i$ on, or the solver would tell tonnes from sums that are thirty times as large.

At the prices $y$ of the rows a level loses nothing where every unit stands at the minimum of
$\phi_i(a) - \pi_c a$, with $\pi = G^T y$, and every row with a price at its side. The next level has what that leaves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt_models._allocation.limits import IN_TONNES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from etsopt_models._aggregation.cells import Cells

    Run = Callable[..., Any]

FLAT = 1e-9
"""A slope up to this share of the steepest leaves units indifferent, and a price up to that share is none."""

ROUNDING = 1e-13
"""Rounding of a sum against the sum of its absolute terms; it must not leave a level without an allocation."""

NO_ROOM = 1e-14
"""Room of a part, against the lower ends in the largest of its rows, that is rounding."""

MEASURES = {
    "change": ("CHANGED", "reference", -1.0, 1.0),
    "deficit": ("SHORT", "obligation", -1.0, 0.0),
    "spread": ("SPREAD", "at_target_rate", -1.0, 1.0),
}
"""The set of units that a level measures, its kinks, and its slopes left and right of them; `spread` is scaled besides."""

PER_UNIT = (
    "emissions",
    "per_emission",
    "reference",
    "obligation",
    "at_target_rate",
    "increase_most",
    "decrease_most",
    "smaller",
    "place",
    "band_lower",
    "band_upper",
    "widening_lower",
    "widening_upper",
)
"""Parameters of units beside their bounds."""

SETS = ("CHANGED", "WORST", "SHORT", "SPREAD", "ROUNDED", "WHOLE", "MAY_BE_EXCEPTIONAL", "WITH_OWN_BAND")
"""Sets of units that a level may be without."""


@dataclass(frozen=True)
class OptimalFace:
    """Intervals of the units and limits of the rows that some levels leave [t].

    Parameters
    ----------
    lower, upper
        Shape ``(units,)``.
    least, most
        Shape ``(rows,)``, all components one after another.
    """

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    least: NDArray[np.float64]
    most: NDArray[np.float64]

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> OptimalFace:
        """What `allocation` leaves before any level."""
        least, most = (np.concatenate([parameters[limits[side]] for limits in IN_TONNES.values()]) for side in (0, 1))
        return cls(parameters["lower"], parameters["upper"], least, most)

    def with_duals(self, duals: NDArray[np.float64]) -> OptimalFace:
        """The region with every row that has a price at the side that it prices."""
        duals = significant(duals)
        most = np.where(duals > 0, self.least, self.most)
        return replace(self, least=np.where(duals < 0, most, self.least), most=most)


@dataclass(frozen=True)
class Aggregated:
    """A level that was solved over cells: its value, the prices of the rows, what it leaves, and totals of the cells."""

    value: float
    duals: NDArray[np.float64]
    face: OptimalFace
    solution: Any
    totals: NDArray[np.float64]


def significant(duals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Prices without what is their rounding."""
    return np.where(np.abs(duals) > FLAT * np.max(np.abs(duals), initial=0.0), duals, 0.0)


def program_over(
    parameters: Mapping[str, Any],
    cells: Cells,
    cell: NDArray[np.int64],
    room: NDArray[np.float64],
    face: OptimalFace,
    base: NDArray[np.float64],
) -> dict[str, Any]:
    """Parameters of `allocation` over parts of cells, with no level; allowances count from the lower ends on.

    Parameters
    ----------
    cell, room
        Cell of each part, and how far its allowances reach.
    base
        Sum of the lower ends in every row.
    """
    count = len(cell)
    rooms = cells.totals(np.bincount(cell, room, len(cells)).astype(float))
    # Sums of whole tonnes are exact.
    noise = 0.0 if len(parameters["WHOLE"]) else ROUNDING * (np.abs(base) + rooms)
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
        "upper": np.where(room > NO_ROOM * cells.largest(base)[cell], room, 0.0),
        **cells.groups(cell),
        **limits,
    }


def duals_of(cells: Cells, solution: Any) -> NDArray[np.float64]:
    """Prices of all rows from the multipliers of the last level of a solution."""
    multipliers = solution.levels[-1].multipliers
    return np.concatenate([multipliers[name] for name in cells.blocks])


def side_value(duals: NDArray[np.float64], face: OptimalFace, base: NDArray[np.float64]) -> float:
    """Sum over the rows of price times the side that it prices, counted from the lower ends on."""
    side = np.where(duals > 0, face.least, face.most) - base
    return float(np.sum(duals[duals != 0] * side[duals != 0]))


def solve_linear(
    parameters: Mapping[str, Any], cells: Cells, face: OptimalFace, name: str, run: Run
) -> Aggregated | Any:
    """Solve one of the levels of `MEASURES`; a solution without an optimum is returned as it is."""
    measured, kinks, left, right = MEASURES[name]
    weight = parameters["per_total_emissions"] if name == "spread" else 1.0
    kink = parameters[kinks]
    inside = np.clip(kink, face.lower, face.upper)
    off = kink - inside
    constant = weight * float(np.sum(np.abs(off) if right else np.maximum(off, 0.0)))
    low = cells.sums(face.lower)
    base, reach, room = cells.totals(low), cells.sums(inside - face.lower), cells.sums(face.upper - face.lower)
    everyone = np.arange(len(cells))
    program = program_over(parameters, cells, everyone, room, face, base) | {
        measured: everyone,
        kinks: reach,
        "increase_most": room - reach,
        "decrease_most": reach,
    }
    solution = run(program, [name])
    if not solution.levels or solution.termination != "optimal":
        return solution
    duals = duals_of(cells, solution)
    dual_activity = cells.dual_activity(duals)
    falls, rises = left * weight - dual_activity, right * weight - dual_activity
    # What the prices prove is the value, and owes nothing to the solver's tolerances.
    at_ends = -left * weight * reach, rises * room - right * weight * reach
    least = np.where(falls > 0, at_ends[0], np.where(rises < 0, at_ends[1], -dual_activity * reach))
    value = constant + float(np.sum(least)) + side_value(duals, face, base)
    flat = FLAT * float(np.max(np.abs(dual_activity), initial=0.0) + weight)
    narrowed = _narrowed(cells, face, inside, falls, rises, flat).with_duals(duals)
    return Aggregated(value, duals, narrowed, solution, low + solution.values["allowance"])


def _narrowed(
    cells: Cells,
    face: OptimalFace,
    inside: NDArray[np.float64],
    falls: NDArray[np.float64],
    rises: NDArray[np.float64],
    flat: float,
) -> OptimalFace:
    """The intervals where a level loses nothing: its slopes are those of each cell, its kinks are clipped."""
    # The lower end stays where the function does not fall below the kink, else it goes there or all the way up.
    lower, upper = face.lower, face.upper
    rise, fall = (falls < -flat)[cells.of_unit], (rises > flat)[cells.of_unit]
    top, bottom = (rises < -flat)[cells.of_unit], (falls > flat)[cells.of_unit]
    narrow_lower = np.where(top, upper, np.where(rise, inside, lower))
    narrow_upper = np.where(bottom, lower, np.where(fall, inside, upper))
    return replace(face, lower=narrow_lower, upper=narrow_upper)
