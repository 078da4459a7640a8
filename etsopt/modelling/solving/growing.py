"""A linear program that stays in the solver while rows and columns join it and bounds move: a master problem.

The caller examines its solutions, and computes bounds from its multipliers. No certificate depends on the solver's
claims here, so a failed run is a valid outcome: None.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.errors import SolverError, StoppedError
from etsopt.common.language import _
from etsopt.common.progress import is_over, seconds_left
from etsopt.modelling.program.program import Objective, Program
from etsopt.modelling.program.sparse_rows import SparseRows
from etsopt.modelling.solving.highs import STATUS
from etsopt.modelling.solving.interrupt import stoppable
from etsopt.modelling.solving.loading import construct, load, require, set_options
from etsopt.modelling.solving.options import OWN_OPTIONS, algorithm_for
from etsopt.modelling.solving.running import run
from etsopt.modelling.solving.scaling import WIDEST_RATIO, Scaled, scale
from etsopt.modelling.solving.solution import STOPPED, Termination

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt.modelling.solving.options import SolveOptions

REFUSED = "a change of the program was not accepted"


@dataclass(frozen=True)
class Vertex:
    """Vertex at the end of a run: value, columns, row activities, and multipliers (d value / d right-hand side)."""

    value: float
    x: NDArray[np.float64]
    activity: NDArray[np.float64]
    multipliers: NDArray[np.float64]


SCALING = "simplex_scale_strategy"


class Growing:
    """A program in the solver; every run begins at the vertex of the last one.

    Parameters
    ----------
    program, name
        A linear program, and the objective to minimise.
    size
        Typical size of a row or a column, by the name of its component; 1 for others and for all that joins. Bounds
        that no column meets say little of a program that has yet to grow.
    worth
        Typical size of the objective.
    near
        A program of the same rows and columns with other numbers, at whose last vertex the first run begins.
    """

    def __init__(
        self,
        program: Program,
        name: str,
        options: SolveOptions,
        size: Mapping[str, float],
        worth: float,
        near: Growing | None = None,
    ) -> None:
        self.program = program
        self._row, self._column = np.ones(len(program.row_lower)), np.ones(len(program.column_lower))
        for key, factor in size.items():
            if key in program.rows:
                self._row[program.rows[key]] = 1 / factor
            if key in program.columns:
                self._column[program.columns[key]] = factor
        scaled = np.abs(program.matrix.data) * self._column[program.matrix.indices]
        scaled *= np.repeat(self._row, np.diff(program.matrix.indptr))
        large = replace(program, matrix=program.matrix.only(scaled >= 1 / WIDEST_RATIO))
        self._scaled = scale(large, name, Scaled(program, self._row, self._column, 1 / worth))
        # A fixed column is a number in the limits of its rows, whatever these become.
        fixed = np.where(program.column_lower == program.column_upper, program.column_lower, 0.0)
        self._moved: NDArray[np.float64] = large.matrix @ fixed
        self._highs = construct()
        defaults = OWN_OPTIONS | {"random_seed": options.seed} | algorithm_for(program, name)
        set_options(self._highs, defaults | options.solver_options)
        load(self._highs, self._scaled.program, name)
        if near is not None and (basis := near._highs.getBasis()).valid:
            require(self._highs.setBasis(basis), REFUSED)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and columns so far."""
        return len(self._row), len(self._column)

    def add_rows(
        self,
        lower: NDArray[np.float64],
        upper: NDArray[np.float64],
        places: NDArray[np.int64] | None = None,
        values: NDArray[np.float64] | None = None,
    ) -> None:
        """Add rows with limits of shape ``(rows,)``.

        Parameters
        ----------
        places, values
            Columns of each row, and its coefficients there, shape ``(rows, entries)``; negligible ones beside the
            typical size are dropped. None for rows without columns as yet.
        """
        count = len(lower)
        if places is None or values is None:
            places, values = np.zeros((count, 0), dtype=np.int64), np.zeros((count, 0))
        starts, index, data = _packed(values * self._column[places], places)
        require(self._highs.addRows(count, lower, upper, len(data), starts, index, data), REFUSED)
        self._row = np.append(self._row, np.ones(count))
        self._moved = np.append(self._moved, np.zeros(count))

    def add_columns(self, cost: NDArray[np.float64], places: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Add columns between zero and one, costs of shape ``(columns,)``; places and values as in `add_rows`."""
        count = len(cost)
        starts, index, data = _packed(values * self._row[places], places)
        bounds = np.zeros(count), np.ones(count)
        scaled = cost * self._scaled.objective
        require(self._highs.addCols(count, scaled, *bounds, len(data), starts, index, data), REFUSED)
        self._column = np.append(self._column, np.ones(count))

    def hold(self, columns: NDArray[np.int64], lower: NDArray[np.float64], upper: NDArray[np.float64]) -> None:
        """Move the bounds of some columns."""
        scale_of = self._column[columns]
        status = self._highs.changeColsBounds(
            len(columns), columns.astype(np.int32), lower / scale_of, upper / scale_of
        )
        require(status, REFUSED)

    def limit(self, rows: NDArray[np.int64], lower: NDArray[np.float64], upper: NDArray[np.float64]) -> None:
        """Move the limits of some rows."""
        scale_of, moved = self._row[rows], self._moved[rows]
        bounds = (lower - moved) * scale_of, (upper - moved) * scale_of
        require(self._highs.changeRowsBounds(len(rows), rows.astype(np.int32), *bounds), REFUSED)

    def price(self, columns: NDArray[np.int64], cost: NDArray[np.float64]) -> None:
        """Change the costs of some columns."""
        scaled = cost * self._scaled.objective * self._column[columns]
        require(self._highs.changeColsCost(len(columns), columns.astype(np.int32), scaled), REFUSED)

    def solve(self, again: bool = True) -> Vertex | None:
        """Return the optimal vertex; None if the program is infeasible or the solver fails.

        Parameters
        ----------
        again
            Run once more, from no vertex, before accepting a run without an optimum.

        Raises
        ------
        StoppedError
            At the deadline.
        """
        ended = self._run()
        if ended is Termination.SOLVER_ERROR:
            # The optimum of the program as HiGHS scales it anew misses limits in this one's scale, of very unequal
            # enterprises above all. Without that it goes on from the vertex.
            of_user = self._highs.getOptionValue(SCALING)[1]
            set_options(self._highs, {SCALING: 0})
            ended = self._run()
            set_options(self._highs, {SCALING: of_user})
        if again and ended is not Termination.OPTIMAL:
            # From the vertex of other bounds simplex may fail; a second run without a vertex decides.
            require(self._highs.clearSolver(), "the solver could not be cleared")
            ended = self._run()
        if ended is not Termination.OPTIMAL:
            return None
        highs = self._highs
        solution, factor = highs.getSolution(), self._scaled.objective
        x = np.asarray(solution.col_value) * self._column
        activity = np.asarray(solution.row_value) / self._row + self._moved
        multipliers = np.asarray(solution.row_dual) * self._row / factor
        if not (np.isfinite(x).all() and np.isfinite(multipliers).all()):
            raise SolverError(_("HiGHS returned an optimum that is not finite."), _("Report it with the instance."))
        return Vertex(highs.getInfo().objective_function_value / factor, x, activity, multipliers)

    def _run(self) -> Termination:
        highs = self._highs
        set_options(highs, {"time_limit": highs.getRunTime() + seconds_left()})
        with stoppable(highs):
            run(highs)
        # Only simplex begins at the vertex of the last run.
        set_options(highs, {"solver": "simplex"})
        ended = STATUS.get(highs.getModelStatus().name, Termination.SOLVER_ERROR)
        if ended in STOPPED:
            raise StoppedError(is_over() or ended)
        return ended


def without_rows(lower: NDArray[np.float64], upper: NDArray[np.float64]) -> Program:
    """Return a program of columns ``x`` alone, at no cost, that rows may join; its objective is ``cost``."""
    count = len(lower)
    empty, none = np.zeros(0), np.zeros(0, dtype=np.int32)
    matrix = SparseRows(empty, none, np.zeros(1, dtype=np.int64), count)
    objective = Objective(np.zeros(count), None, 0.0, "")
    integer = np.zeros(count, dtype=bool)
    return Program(matrix, empty, empty, lower, upper, integer, {}, {"x": slice(0, count)}, {"cost": objective})


def _packed(values: NDArray[np.float64], places: NDArray[np.int64]) -> tuple[Any, Any, Any]:
    """Return starts, places and coefficients in the solver's form, without those that the solver would drop."""
    kept = np.abs(values) >= 1 / WIDEST_RATIO
    starts = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])[:-1].astype(np.int32)
    return starts, places[kept].astype(np.int32), values[kept]
