"""One objective of a program through HiGHS: runs, warm starts, and outcomes."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import highspy
import numpy as np

from etsopt.common.language import _
from etsopt.common.progress import is_over, seconds_left
from etsopt.modelling.solving.interrupt import stoppable
from etsopt.modelling.solving.loading import construct, load, require, set_options
from etsopt.modelling.solving.options import OWN_OPTIONS, algorithm_for, algorithm_of, gaps_for, refuse_own
from etsopt.modelling.solving.running import otherwise, run
from etsopt.modelling.solving.scaling import Scaled, scale, scale_below
from etsopt.modelling.solving.solution import Outcome, Termination, without_columns

if TYPE_CHECKING:
    from etsopt.modelling.program.program import Program
    from etsopt.modelling.solving.options import SolveOptions

# By name, since not every release of HiGHS has all of them.
STATUS = {
    "kOptimal": Termination.OPTIMAL,
    "kModelEmpty": Termination.OPTIMAL,
    # Within the gap of a bound known beforehand.
    "kObjectiveTarget": Termination.OPTIMAL,
    "kInfeasible": Termination.INFEASIBLE,
    # Every column has finite bounds, so "unbounded or infeasible" can only be infeasible.
    "kUnboundedOrInfeasible": Termination.INFEASIBLE,
    "kTimeLimit": Termination.TIME_LIMIT,
    "kInterrupt": Termination.INTERRUPTED,
    "kHighsInterrupt": Termination.INTERRUPTED,
    "kMemoryLimit": Termination.MEMORY,
}

SOLUTION_FEASIBLE = int(highspy.SolutionStatus.kSolutionStatusFeasible)

LEAST_MISSED, FINEST = 1e-13, 40
"""Tolerated violation of limits in scaled numbers, and the largest power of two that magnifies a refinement:
`docs/decisions/0045-bounds-that-dwarf-the-optimum.md`."""

ZERO_DUAL = 1.5e-10
"""A scaled dual up to this is zero, and a reduced cost up to this share of its terms; the solver works to 1e-10."""

_IDLE: list[Any] = []
"""Solvers that hold nothing: to construct and destroy one takes as long as to solve a small program."""


def solve(program: Program, name: str, options: SolveOptions, bound: float = -math.inf) -> Outcome:
    """Minimise one objective of a program until the deadline of `etsopt.common.progress`.

    Parameters
    ----------
    program
        The program; the function scales it, and the outcome is in its original units.
    name
        Of the objective.
    bound
        A bound known beforehand: with integer columns, a value within the gap of it is enough.

    Raises
    ------
    SolverError
        If the program is refused before or while it is loaded.
    UsageError
        If a solver option is unknown, of the wrong type, or reserved.
    """
    highs = _IDLE.pop() if _IDLE else construct()
    outcome = Loaded(program, name, options, bound, highs).solve()
    # One that was asked to stop, or failed, may be asked or fail ever after.
    if outcome.termination is Termination.OPTIMAL and not is_over():
        require(highs.clear(), "the solver could not be cleared")
        _IDLE.append(highs)
    return outcome


class Loaded:
    """A program in the solver that takes other numbers; the next run begins at the basis of the last one.

    Parameters
    ----------
    program, name, options, bound
        As `solve` takes them, and with the same errors.
    highs
        A solver that holds nothing; None for a new one.
    """

    def __init__(
        self, program: Program, name: str, options: SolveOptions, bound: float = -math.inf, highs: Any = None
    ) -> None:
        refuse_own(options.solver_options)
        self._program, self._name, self._options, self._scaled = program, name, options, scale(program, name)
        self._bound = bound
        self._highs = construct() if highs is None else highs
        set_options(self._highs, OWN_OPTIONS | {"random_seed": options.seed})
        self._adapt(algorithm_for(program, name))
        load(self._highs, self._scaled.program, name)

    def _adapt(self, algorithm: dict[str, Any]) -> None:
        """Set the options that depend on the numbers of the program; the caller's options take precedence."""
        gaps: dict[str, float] = {}
        if self._program.integer.any():
            gaps = gaps_for(self._program, self._name, self._scaled, self._options.gap_or_default, self._bound)
        set_options(self._highs, {"solver": "choose"} | algorithm | gaps)
        set_options(self._highs, self._options.solver_options)

    @property
    def program(self) -> Program:
        """The program that it holds."""
        return self._program

    def change(self, program: Program) -> None:
        """Take another program, and pass only the numbers that differ.

        If rows, columns or places of coefficients differ, or numbers have outgrown their scale, it is loaded again.

        Raises
        ------
        SolverError
            As `solve` does.
        """
        scaled = scale(program, self._name)
        alike = program.has_shape_of(self._program) and scaled.is_near(self._scaled)
        if alike:
            scaled = scale(program, self._name, self._scaled)
        old, new = self._scaled.program, scaled.program
        basis = self._highs.getBasis()
        if alike and new.matrix.has_pattern_of(old.matrix) and program.objectives[self._name].quadratic is None:
            _pass_changes(self._highs, old, new, self._name)
        else:
            load(self._highs, new, self._name)
            if alike and basis.valid:
                require(self._highs.setBasis(basis), "the basis was not accepted")
        self._program, self._scaled = program, scaled
        # Only simplex begins at a basis.
        self._adapt({} if alike and basis.valid else algorithm_for(program, self._name))

    def solve(self) -> Outcome:
        """Minimise the objective until the deadline of `etsopt.common.progress`."""
        if self._program.crosses():
            return Outcome(Termination.INFEASIBLE, None, None, None, None, -math.inf, "limits that cross")
        if not self._program.matrix.columns:
            return without_columns(self._program, self._name)
        # The solver counts the time of all its runs.
        set_options(self._highs, {"time_limit": self._highs.getRunTime() + seconds_left()})
        with stoppable(self._highs, self._program):
            status = run(self._highs)
            if other := otherwise(self._highs, self._program, self._name):
                before = {key: self._highs.getOptionValue(key)[1] for key in other}
                set_options(self._highs, other)
                status = run(self._highs)
                set_options(self._highs, before)
        if status == highspy.HighsStatus.kError:
            of_memory = STATUS.get(self._highs.getModelStatus().name) is Termination.MEMORY
            stopped = Termination.MEMORY if of_memory else Termination.SOLVER_ERROR
            return Outcome(stopped, None, None, None, None, -math.inf, "HiGHS reported an error")
        outcome = _outcome(self._highs, self._scaled, self._program, self._name)
        basis = self._highs.getBasis()
        if not basis.valid or self._program.integer.any() or self._program.objectives[self._name].quadratic is not None:
            return outcome
        for refine in (self._rescaled_by_value, self._refined_at_point):
            refined = refine(outcome, basis) if outcome.termination is Termination.OPTIMAL else None
            if refined is not None and refined.termination is Termination.OPTIMAL:
                refined = refined.with_sides_of(outcome, self._program, self._name)
                outcome = replace(refined, algorithm=outcome.algorithm)
        return outcome

    def _rescaled_by_value(self, outcome: Outcome, basis: Any) -> Outcome | None:
        """Solve again in the scale that the outcome's value leaves to columns; None if that is near, or finds worse."""
        scaled = scale_below(self._program, self._name, outcome.bound, self._scaled)
        highs = None if scaled is None else self._again(scaled.program, basis)
        if scaled is None or highs is None:
            return None
        refined = _outcome(highs, scaled, self._program, self._name)
        assert outcome.x is not None
        keeps = scaled.program.missed(outcome.x / scaled.column) <= OWN_OPTIONS["primal_feasibility_tolerance"]
        # A cost that the narrower scale hides would leave its column anywhere.
        worse = refined.bound - outcome.bound > self._program.objectives[self._name].tolerance(outcome.bound)
        return None if keeps and worse else refined

    def _refined_at_point(self, outcome: Outcome, basis: Any) -> Outcome | None:
        """Move the outcome onto the limits that it violates within the solver's tolerance; None if there are none.

        The program counts from the point, magnified by the violation: iterative refinement after Gleixner, Steffy and
        Wolter (2016), Iterative refinement for linear programming, of primal values alone.
        """
        assert outcome.x is not None
        scaled = self._scaled
        program, point = scaled.program, outcome.x / scaled.column
        missed = program.missed(point)
        if not missed > LEAST_MISSED:
            return None
        point = np.clip(point, program.column_lower, program.column_upper)
        fine, total = float(2.0 ** min(FINEST, -math.frexp(missed)[1])), program.matrix @ point
        highs = self._again(program.shifted(point, total, fine), basis)
        if highs is None:
            return None
        moved = point + np.asarray(highs.getSolution().col_value) / fine
        moved = np.clip(moved, program.column_lower, program.column_upper) * scaled.column
        value = self._program.objectives[self._name].value(moved)
        return replace(_outcome(highs, scaled, self._program, self._name), x=moved, bound=value)

    def _again(self, program: Program, basis: Any) -> Any:
        """Run another solver from a basis and return it; None if it found no optimum."""
        highs = construct()
        options = OWN_OPTIONS | {"random_seed": self._options.seed, "time_limit": seconds_left()}
        set_options(highs, options | self._options.solver_options)
        load(highs, program, self._name)
        require(highs.setBasis(basis), "the basis was not accepted")
        with stoppable(highs, program):
            run(highs)
        return highs if STATUS.get(highs.getModelStatus().name) is Termination.OPTIMAL else None


def _pass_changes(highs: Any, old: Program, new: Program, name: str) -> None:
    """Pass the numbers that differ between two scaled programs with coefficients in the same places."""
    failure = _("changed numbers were not accepted")
    one, other = old.objectives[name], new.objectives[name]
    columns = _differing((old.column_lower, new.column_lower), (old.column_upper, new.column_upper))
    if len(columns):
        bounds = new.column_lower[columns], new.column_upper[columns]
        require(highs.changeColsBounds(len(columns), columns, *bounds), failure)
    rows = _differing((old.row_lower, new.row_lower), (old.row_upper, new.row_upper))
    if len(rows):
        require(highs.changeRowsBounds(len(rows), rows, new.row_lower[rows], new.row_upper[rows]), failure)
    costs = _differing((one.linear, other.linear))
    if len(costs):
        require(highs.changeColsCost(len(costs), costs, other.linear[costs]), failure)
    require(highs.changeObjectiveOffset(other.constant), failure)
    entries = _differing((old.matrix.data, new.matrix.data))
    row_of = np.searchsorted(new.matrix.indptr, entries, side="right") - 1
    for row, entry in zip(row_of.tolist(), entries.tolist(), strict=True):
        column, value = int(new.matrix.indices[entry]), float(new.matrix.data[entry])
        require(highs.changeCoeff(row, column, value), failure)


def _differing(*pairs: tuple[Any, Any]) -> Any:
    """Return the positions at which one of the pairs of arrays differs."""
    return np.flatnonzero(np.any([one != other for one, other in pairs], axis=0)).astype(np.int32)


def _side(dual: Any, noise: Any) -> Any:
    return -np.sign(np.where(np.abs(dual) > noise, dual, 0.0)).astype(np.int8)


def _noise(program: Program, name: str, reduced: Any, dual: Any) -> tuple[Any, Any]:
    """Return the tolerances up to which reduced costs and duals of a scaled program are zero.

    A dual makes the reduced cost of a basic column zero, and is known no better than the terms of that: of a unit whose
    equal rate costs a million, a dual of a millionth is rounding.
    """
    matrix = program.matrix.absolute()
    terms = ZERO_DUAL * (np.abs(program.objectives[name].linear) + matrix.transposed_times(np.abs(dual)))
    basic = np.flatnonzero((reduced == 0)[matrix.indices])
    of_rows = np.full(len(dual), np.inf)
    np.minimum.at(of_rows, matrix.row_of_each()[basic], (terms[matrix.indices] / matrix.data)[basic])
    of_rows = np.maximum(np.where(np.isfinite(of_rows), of_rows, 0.0), ZERO_DUAL)
    return np.maximum(terms, matrix.transposed_times(of_rows)), of_rows


def _outcome(highs: Any, scaled: Scaled, program: Program, name: str) -> Outcome:
    termination = STATUS.get(highs.getModelStatus().name, Termination.SOLVER_ERROR)
    if termination is Termination.INTERRUPTED and is_over() == Termination.TIME_LIMIT:
        # The deadline stopped the solver in a phase that ignores its own limit.
        termination = Termination.TIME_LIMIT
    info, solution = highs.getInfo(), highs.getSolution()
    feasible = info.primal_solution_status == SOLUTION_FEASIBLE
    has_integers = bool(program.integer.any())
    x = multipliers = column_side = row_side = None
    bound = -math.inf
    if solution.value_valid and feasible:
        x = np.asarray(solution.col_value) * scaled.column
    if solution.dual_valid and not has_integers:
        reduced, dual = np.asarray(solution.col_dual), np.asarray(solution.row_dual)
        multipliers = dual * scaled.row / scaled.objective
        # A positive reduced cost or dual fixes every optimum at the lower side, a negative one at the upper.
        of_columns, of_rows = _noise(scaled.program, name, reduced, dual)
        column_side, row_side = _side(reduced, of_columns), _side(dual, of_rows)
    if has_integers:
        bound = info.mip_dual_bound / scaled.objective
    elif x is not None and termination is Termination.OPTIMAL:
        bound = program.objectives[name].value(x)
    if x is None and termination is Termination.OPTIMAL:
        # The solver itself finds that its optimum violates a limit.
        termination = Termination.SOLVER_ERROR
    algorithm = algorithm_of(info, has_integers, program.objectives[name].quadratic is not None)
    return Outcome(termination, x, multipliers, column_side, row_side, bound, f"HiGHS {algorithm}")
