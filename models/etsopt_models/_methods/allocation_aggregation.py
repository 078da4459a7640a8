r"""Exact aggregation: all objectives of `allocation` over cells, for very many units.

Coupling rows distinguish units only by sector, province and nation. Units that agree in these form a *cell*, and the
cost of an objective to a cell is a convex function of one number, the allowances of the cell. So each objective is the
formulation of `allocation` over some hundred cells:

- exact for `change`, `deficit` and `spread` (`_aggregation/aggregation.py`);
- exact after a few rounds for `largest_change` (`_aggregation/largest_change.py`);
- with the few units of each cell that may be exceptions (`_aggregation/exceptions.py`);
- in whole tonnes, for `largest_change` and the tie-break, as in `_aggregation/integer.py`.

The duals of the rows give every unit the interval of allowances that an objective leaves. Over these intervals the
tie-break is solved for all units, with one dual activity per cell (`_projection/least_squares.py`). The multipliers are
those of the rows of the full program, so they prove the objectives in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.errors import StoppedError
from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt.common.units import TONNE, tolerance_of
from etsopt.modelling import ModelMethod
from etsopt.rules import reference_allowances
from etsopt_models._aggregation.aggregation import (
    Aggregated,
    Cells,
    OptimalFace,
    Ranges,
    choose_exceptions,
    elastic_cells,
    program_over,
    solve_linear,
)
from etsopt_models._aggregation.integer import closest_whole, solve_largest_change, solve_largest_change_in_tonnes
from etsopt_models._allocation.coupling import SQUARES, square_of
from etsopt_models._effort import AGGREGATED_CELLS_MAX, AGGREGATED_UNITS_PER_CELL_MIN
from etsopt_models._projection.least_squares import Entries, Projection
from etsopt_models._projection.polishing import polished
from etsopt_models._projection.proximal import maximise
from etsopt_models._tolerances import EARLIER_OBJECTIVES_MISS_T

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._aggregation.aggregation import Run

EXCEPTIONS = ("exceptions", "exception_size", "exception_order")


def declines(instance: Instance) -> str:
    """Return why the units of an instance cannot be aggregated; empty if they can."""
    allocation = instance.policy.allocation
    if allocation.intensity_order:
        return _("`intensity_order` couples each unit with its neighbours")
    if allocation.band_on == "enterprise":
        free = ~reference_allowances(instance).fixed
        owned = np.bincount(instance.labels("enterprise_id").code[free])
        if several := np.count_nonzero(owned > 1):
            return _("the bands of {count:,} enterprises apply to several units each and couple them", count=several)
    sector, province = instance.labels("sector"), instance.labels("province")
    if instance.policy.provinces.balance is not None and len(sector) * len(province) > AGGREGATED_CELLS_MAX:
        cells = len(np.unique(sector.code * len(province) + province.code))
        if cells > AGGREGATED_CELLS_MAX and AGGREGATED_UNITS_PER_CELL_MIN * cells > len(instance.units):
            return _(
                "{units:,} units are in {pairs:,} pairs of sector and province, too many to aggregate",
                units=len(instance.units),
                pairs=cells,
            )
    return ""


def solve(instance: Instance, parameters: dict[str, Any], names: list[str], run: Run) -> Any:
    """Solve the objectives over cells.

    Parameters
    ----------
    parameters
        As `allocation.parameters` returns them.
    names
        Objectives in their order; without a tie-break at the end, any allocation of the others is the answer.
    run
        Solver of `allocation` with other parameters through the engine.

    Returns
    -------
    Solution
        With the allowances of all units, and the multipliers of their rows.
    """
    chain = _Chain(parameters, Cells.of(parameters), OptimalFace.of(parameters), run)
    try:
        return _solved(chain, names)
    except StoppedError as stopped:
        if chain.solution is None:
            raise
        held = chain.stopped()
        return replace(held, termination=type(held.termination)(stopped.termination))


def _solved(chain: _Chain, names: list[str]) -> Any:
    """Solve the objectives in their order, as far as they have an optimum."""
    first = [name for name in names if name in EXCEPTIONS]
    levels = [name for name in names if name not in (*EXCEPTIONS, *SQUARES.values())]
    if first and not chain.chooses(first):
        return chain.stopped()
    for name in levels:
        checkpoint(_("objective {name} over cells:", name=name), len(chain.cells))
        if not chain.solves(name):
            return chain.stopped()
    if not first and not levels and not chain.is_feasible():
        # No objective was solved yet, so feasibility is unknown.
        return chain.stopped()
    return chain.finished(names[-1]) if names[-1] in SQUARES.values() else chain.stopped()


@dataclass
class _Chain:
    """State after the objectives so far: their optimal face, and the last solution over cells."""

    parameters: dict[str, Any]
    cells: Cells
    face: OptimalFace
    run: Run
    exceptional: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    levels: list[Any] = field(default_factory=list)
    solution: Any = None
    totals: NDArray[np.float64] | None = None

    def chooses(self, names: list[str]) -> bool:
        """Choose the exceptions by their objectives; return True if they are optimal."""
        within = replace(self.face, lower=self.parameters["band_lower"], upper=self.parameters["band_upper"])
        result = choose_exceptions(self.parameters, self.cells, within, names, self.run)
        self.solution, self.exceptional, self.face = result
        for level in self.solution.levels:
            own, *proofs = (
                {name: of_rows for name, of_rows in duals.items() if name in self.cells.blocks}
                for duals in (level.multipliers, *level.proofs)
            )
            self.levels.append(replace(level, multipliers=own, proofs=tuple(proofs)))
        return self._is_optimal()

    def solves(self, name: str) -> bool:
        """Solve an objective and fix it at its optimum; return True if it is optimal."""
        given, covers = (self.parameters, self.cells, self.face), {}
        if name != "largest_change":
            result = solve_linear(*given, name, self.run)
        elif len(self.parameters["WHOLE"]):
            result = solve_largest_change_in_tonnes(*given, self.run)
        else:
            result = solve_largest_change(*given, self.run)
            if isinstance(result, tuple):
                result, covers = result[0], {"largest_change_covers": result[1]}
        if not isinstance(result, Aggregated):
            self.solution = result
            return False
        self.solution, self.face, self.totals = result.solution, result.face, result.totals
        level = result.solution.levels[-1]
        algorithm = f"{level.algorithm.partition(',')[0]}, {len(self.cells):,} cells"
        self.levels.append(_level(level, result.value, self._multipliers(result.duals) | covers, algorithm))
        return True

    def is_feasible(self) -> bool:
        """Return True if there is any allocation."""
        low = self.cells.sums(self.face.lower)
        room = self.cells.sums(self.face.upper) - low
        ranges = Ranges(np.arange(len(self.cells)), room, self.cells.totals(low))
        program = program_over(self.parameters, self.cells, self.face, ranges)
        self.solution = self.run(program, ["change"])
        return self._is_optimal()

    def finished(self, name: str) -> Any:
        """Return the solution with its tie-break, an objective of `SQUARES`."""
        weight, centre = square_of(name, self.parameters)
        problem, rows, signs = self._projection(weight, centre)
        duals, steps, reached = maximise(problem)
        allowance = polished(problem, problem.answer(duals), duals)
        duals = np.bincount(rows, signs * duals, len(self.face.least)).astype(float)
        algorithm = f"prices, {steps} Newton steps{'' if reached else ', stopped short'}"
        if len(self.parameters["WHOLE"]):
            result = closest_whole(name, self.parameters, self.cells, self.face, duals, self.run)
            if not isinstance(result, tuple):
                self.solution = result
                return self.stopped()
            allowance, duals, how = result
            algorithm += f", {how}"
        value = float(np.sum((allowance - centre) ** 2 / weight))
        like = replace(self.solution.levels[-1], name=name, unit=TONNE, proofs=())
        level = _level(like, value, self._multipliers(duals), algorithm)
        return replace(self.solution, values=self._values(allowance), levels=(*self.levels, level))

    def stopped(self) -> Any:
        """Return the solution without the tie-break: an allocation of the objectives so far, if it is real."""
        solution = self.solution
        if self.totals is None or len(self.parameters["WHOLE"]):
            return replace(solution, values={}, levels=())
        if solution.termination == "infeasible":
            # The earlier objectives have an allocation, so the solver failed; the instance is feasible.
            solution = replace(solution, termination=type(solution.termination)("solver_error"))
        # In each cell every unit takes the same share of its interval.
        low, high = (self.cells.sums(end) for end in (self.face.lower, self.face.upper))
        share = np.clip((self.totals - low) / np.where(high > low, high - low, 1.0), 0.0, 1.0)[self.cells.of_unit]
        allowance = self.face.lower + share * (self.face.upper - self.face.lower)
        return replace(solution, values=self._values(allowance), levels=tuple(self.levels))

    def _is_optimal(self) -> bool:
        return bool(self.solution.levels) and self.solution.termination == "optimal"

    def _values(self, allowance: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        return {"allowance": allowance, "exceptional": self.exceptional}

    def _multipliers(self, duals: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        return {name: duals[block] for name, block in self.cells.blocks.items()}

    def _projection(
        self, weight: NDArray[np.float64], centre: NDArray[np.float64]
    ) -> tuple[Projection, NDArray[np.int64], NDArray[np.float64]]:
        """Return the tie-break over all units, and for each of its rows the row of the model and the sign.

        A side of a row that the intervals guarantee is left out.
        """
        cells, face = self.cells, self.face
        smallest, largest = (cells.totals(cells.sums(end)) for end in (face.lower, face.upper))
        equal = face.least == face.most
        at_least = np.flatnonzero(equal | (face.least > smallest))
        at_most = np.flatnonzero(~equal & (face.most < largest))
        rows, signs = np.concatenate([at_least, at_most]), np.repeat([1.0, -1.0], [len(at_least), len(at_most)])
        row, cell = cells.entries
        place = np.full((2, len(equal)), -1)
        place[0, at_least], place[1, at_most] = np.arange(len(at_least)), len(at_least) + np.arange(len(at_most))
        sides = np.concatenate([place[0, row], place[1, row]])
        entry = np.flatnonzero(sides >= 0)
        side = sides[entry]
        problem = Projection(
            self.parameters["emissions"],
            centre,
            face.lower,
            face.upper,
            cells.of_unit,
            Entries(side, np.tile(cell, 2)[entry], signs[side], len(rows), len(cells)),
            np.concatenate([face.least[at_least], -face.most[at_most]]),
            np.concatenate([equal[at_least], np.zeros(len(at_most), dtype=bool)]),
            np.full(len(rows), EARLIER_OBJECTIVES_MISS_T),
            weight,
        )
        return problem, rows, signs


def _level(level: Any, value: float, multipliers: dict[str, NDArray[np.float64]], algorithm: str) -> Any:
    """Return an objective of the full program from that of the aggregated one."""
    tolerance = tolerance_of(value, level.unit)
    return replace(level, value=value, bound=value, tolerance=tolerance, multipliers=multipliers, algorithm=algorithm)


# From so many units on a solve takes half of the time, check and tables included; below it is a little faster.
METHOD = ModelMethod(from_units=500, declines=declines, solve=solve, elastic=elastic_cells)
