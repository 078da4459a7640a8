r"""The objective `largest_change` of `allocation` over cells.

A rate $w$ leaves unit $i$ the allowances from $\max(l_i, R_i - w E_i)$ to $\min(u_i, R_i + w E_i)$. At a given $w$
either its own end or the rate binds, below and above. Units of a cell with the same binding ends are aggregated: their
sums of ends, $R$ and $E$ form a unit of the formulation. As a largest sum is at most the sum of the largest, that is a
relaxation for every $w$, and exact at the $w$ for which it was made. So its least rate is a lower bound; the units are
aggregated again at that rate, and so on: Newton's method on the rows, whose rates rise to the least rate of all units.

A unit whose interval excludes $R$ needs a rate of its own; the one that needs the largest is not aggregated.

The duals of the rows, with those of `largest_change_covers` that each unit takes from its part, prove the rate. It
follows from them: the demand of the rows on the units at rate zero, over the supply added by a rate of one,

$$w = \Bigl(\sum_r y_r d_r - \sum_i |\pi_i| (\text{end of } i \text{ at } 0)\Bigr) \Big/ \sum_{i \text{ with a rate}} |\pi_i| E_i.$$
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt_models._aggregation.aggregation import Aggregated, Ranges, duals_of, program_over, side_value, significant
from etsopt_models._aggregation.cells import numbered
from etsopt_models._allocation.rates import rates_needed
from etsopt_models._effort import CELL_RATE_ROUNDS_MAX
from etsopt_models._tolerances import LARGEST_RATE_RISE_RELATIVE, PART_CHANGE_MIN_RATE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt_models._aggregation.aggregation import OptimalFace, Run
    from etsopt_models._aggregation.cells import Cells


@dataclass(frozen=True)
class _Parts:
    """Units aggregated by cell and binding ends: part of every unit, and cell, ends and sums of every part [t].

    Parameters
    ----------
    own_lower, own_upper
        True if the part's own end binds and not the rate.
    reference, room
        Sums of R and of the upper ends, both from the lower ends on.
    """

    of_unit: NDArray[np.int64]
    cell: NDArray[np.int64]
    own_lower: NDArray[np.bool_]
    own_upper: NDArray[np.bool_]
    reference: NDArray[np.float64]
    room: NDArray[np.float64]
    emissions: NDArray[np.float64]

    def ends(self, rate: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the ends of every part within a rate, from the lower ends on."""
        lower = np.where(self.own_lower, 0.0, self.reference - rate * self.emissions)
        return lower, np.where(self.own_upper, self.room, self.reference + rate * self.emissions)


def solve_largest_change(
    parameters: Mapping[str, Any], cells: Cells, face: OptimalFace, run: Run
) -> tuple[Aggregated, NDArray[np.float64]] | Any:
    """Return the objective and each unit's multiplier of `largest_change_covers`; else a solution without optimum."""
    units = _Units(parameters["emissions"], parameters["reference"] - face.lower, face.upper - face.lower)
    low = cells.sums(face.lower)
    base = cells.totals(low)
    rate, first = units.forced(), units.needs_most()
    for number in range(CELL_RATE_ROUNDS_MAX):
        checkpoint(_("largest rate over cells, round"), number + 1)
        parts = units.aggregated(cells, rate, first)
        solution = run(_program(parameters, cells, parts, face, base), ["largest_change"])
        if not solution.levels or solution.termination != "optimal":
            return solution
        duals = duals_of(cells, solution)
        # The rate that follows from the duals is exact; the solver's own has its tolerance.
        reached = max(rate, _rate(cells, parts, duals, side_value(duals, face, base)))
        done = reached <= rate * (1 + LARGEST_RATE_RISE_RELATIVE) or _within(
            cells, parts, units.aggregated(cells, reached, first), solution, reached
        )
        rate = reached
        if done:
            break
    covers = solution.levels[-1].multipliers["largest_change_covers"][parts.of_unit]
    room = rate * units.emissions
    lower = np.maximum(face.lower, np.minimum(parameters["reference"] - room, face.upper))
    upper = np.minimum(face.upper, np.maximum(parameters["reference"] + room, face.lower))
    dual_activity = significant(cells.dual_activity(duals))[cells.of_unit]
    optimal = replace(
        face, lower=np.where(dual_activity > 0, upper, lower), upper=np.where(dual_activity < 0, lower, upper)
    )
    totals = low + np.bincount(parts.cell, solution.values["allowance"], len(cells))
    return Aggregated(rate, duals, optimal.with_duals(duals), solution, totals), covers


@dataclass(frozen=True)
class _Units:
    """Units with their references and upper ends, both from their lower ends on [t]."""

    emissions: NDArray[np.float64]
    reference: NDArray[np.float64]
    room: NDArray[np.float64]

    def needs(self) -> NDArray[np.float64]:
        """Return the rate that each unit alone needs."""
        return rates_needed(-self.reference, self.reference - self.room, self.emissions)

    def forced(self) -> float:
        """Return the largest rate that a unit alone needs."""
        return float(np.max(self.needs(), initial=0.0))

    def needs_most(self) -> int:
        """Return the unit that needs it; -1 if none needs any."""
        needs = self.needs()
        return int(np.argmax(needs)) if np.max(needs, initial=0.0) > 0 else -1

    def aggregated(self, cells: Cells, rate: float, apart: int) -> _Parts:
        """Aggregate the units, all but one, by cell and by the ends that bind at a rate."""
        room = rate * self.emissions
        own_lower, own_upper = self.reference <= room, self.room - self.reference <= room
        code = 4 * cells.of_unit + 2 * own_lower + own_upper
        if apart >= 0:
            code[apart] += 4 * len(cells)
        of_unit, codes = numbered(code, 8 * len(cells))
        sums = [
            np.bincount(of_unit, values, len(codes)).astype(float)
            for values in (self.reference, self.room, self.emissions)
        ]
        return _Parts(of_unit, codes // 4 % len(cells), codes & 2 > 0, codes & 1 > 0, *sums)


def _program(
    parameters: Mapping[str, Any], cells: Cells, parts: _Parts, face: OptimalFace, base: NDArray[np.float64]
) -> dict[str, Any]:
    """Return the parameters of `allocation` over the parts."""
    all_parts, least = np.arange(len(parts.cell)), PART_CHANGE_MIN_RATE * parts.emissions
    return program_over(parameters, cells, face, Ranges(parts.cell, parts.room, base)) | {
        "CHANGE_MEASURED": all_parts,
        "LARGEST_CHANGE_MEASURED": all_parts,
        "emissions": parts.emissions,
        "reference": parts.reference,
        "increase_most": np.maximum(parts.room - parts.reference, least),
        "decrease_most": np.maximum(parts.reference, least),
    }


def _rate(cells: Cells, parts: _Parts, duals: NDArray[np.float64], sides: float) -> float:
    """Return the least rate that the duals do not exclude; minus infinity if they exclude none."""
    dual_activity = cells.dual_activity(duals)[parts.cell]
    lower, upper = parts.ends(0.0)
    adds = np.where(dual_activity > 0, ~parts.own_upper, ~parts.own_lower) * np.abs(dual_activity) * parts.emissions
    asked = sides - float(np.sum(dual_activity * np.where(dual_activity > 0, upper, lower)))
    return asked / float(np.sum(adds)) if np.any(adds > 0) else -np.inf


def _within(cells: Cells, parts: _Parts, updated: _Parts, solution: Any, rate: float) -> bool:
    """Return True if the totals of the cells are within a rate, with parts updated to it: the rate is then optimal."""
    totals = np.bincount(parts.cell, solution.values["allowance"], len(cells))
    lower, upper = (np.bincount(updated.cell, end, len(cells)) for end in updated.ends(rate))
    return bool(np.all(totals >= lower) and np.all(totals <= upper))
