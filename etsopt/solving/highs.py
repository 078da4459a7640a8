"""The only file that speaks to HiGHS.

Pyomo's own interface ignores HiGHS's return codes: one coefficient of 1e15 makes HiGHS refuse every row, and the
answer still says "optimal". Here each call's status is checked, and what was loaded is counted.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import highspy
import numpy as np

from etsopt.errors import SolverError, UsageError, brief
from etsopt.progress import is_over, seconds_left
from etsopt.solving.interrupt import stoppable
from etsopt.solving.options import OWN_OPTIONS, WORDS, algorithm_for, algorithm_of, gaps_for, refuse_own
from etsopt.solving.running import is_doubtful, run
from etsopt.solving.scaling import Scaled, scale
from etsopt.solving.silence import silenced
from etsopt.solving.solution import Outcome, Termination, without_columns

if TYPE_CHECKING:
    from pathlib import Path

    from etsopt.solving.options import SolveOptions
    from etsopt.stamp.program import Program

# By name, since not every release of HiGHS has all of them.
STATUS = {
    "kOptimal": Termination.OPTIMAL,
    "kModelEmpty": Termination.OPTIMAL,
    # Within the gap of a bound that was known beforehand.
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

NO_PRICE = 1e-9
"""A scaled dual up to this is zero, and a reduced cost up to this share of its terms; the solver works to 1e-10."""


def solve(program: Program, name: str, options: SolveOptions, bound: float = -math.inf) -> Outcome:
    """Minimise one objective of a program until the deadline of `etsopt.progress`.

    Parameters
    ----------
    program
        The program; it is scaled inside, and the outcome is in its own units.
    name
        Of the objective.
    bound
        A bound that is known beforehand: where some columns are whole numbers, a value within the gap of it is enough.

    Raises
    ------
    SolverError
        If the program is refused before or while it is loaded.
    UsageError
        If a solver option is unknown, of the wrong type, or not the caller's to choose.
    """
    return Loaded(program, name, options, bound).solve()


class Loaded:
    """A program in the solver that takes other numbers; the next run begins where the last one ended.

    Parameters
    ----------
    program, name, options, bound
        As `solve` takes them, and with the same errors.
    """

    def __init__(self, program: Program, name: str, options: SolveOptions, bound: float = -math.inf) -> None:
        refuse_own(options.solver_options)
        self._program, self._name, self._options, self._scaled = program, name, options, scale(program, name)
        self._bound = bound
        self._highs = _construct()
        _set_options(self._highs, OWN_OPTIONS | {"random_seed": options.seed})
        self._adapt(algorithm_for(program, name))
        _load(self._highs, self._scaled.program, name)

    def _adapt(self, algorithm: dict[str, Any]) -> None:
        """Set the options that depend on the numbers of the program; what the caller chose goes first."""
        gaps = gaps_for(self._program, self._name, self._scaled, self._options.gap_or_default, self._bound)
        _set_options(self._highs, {"solver": "choose"} | algorithm | gaps)
        _set_options(self._highs, self._options.solver_options)

    def change(self, program: Program) -> None:
        """Take another program: numbers that differ are passed, and nothing else.

        Where rows, columns or places of coefficients differ, or numbers have outgrown their scale, it is loaded anew.

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
            _load(self._highs, new, self._name)
            if alike and basis.valid:
                _require(self._highs.setBasis(basis), "the basis was not accepted")
        self._program, self._scaled = program, scaled
        # Only simplex begins at a basis.
        self._adapt({} if alike and basis.valid else algorithm_for(program, self._name))

    def solve(self) -> Outcome:
        """Minimise the objective until the deadline of `etsopt.progress`."""
        if self._program.crosses():
            return Outcome(Termination.INFEASIBLE, None, None, None, None, -math.inf, "limits that cross")
        if not self._program.matrix.columns:
            return without_columns(self._program, self._name)
        # The solver counts the time of all its runs.
        _set_options(self._highs, {"time_limit": self._highs.getRunTime() + seconds_left()})
        with stoppable(self._highs):
            status = run(self._highs)
            if not self._program.integer.any() and is_doubtful(self._highs):
                _set_options(self._highs, {"presolve": "off"})
                status = run(self._highs)
                _set_options(self._highs, {"presolve": "choose"} | self._options.solver_options)
        if status == highspy.HighsStatus.kError:
            of_memory = STATUS.get(self._highs.getModelStatus().name) is Termination.MEMORY
            stopped = Termination.MEMORY if of_memory else Termination.SOLVER_ERROR
            return Outcome(stopped, None, None, None, None, -math.inf, "HiGHS reported an error")
        return _outcome(self._highs, self._scaled, self._program, self._name)


def _pass_changes(highs: Any, old: Program, new: Program, name: str) -> None:
    """Pass the numbers that differ between two scaled programs with coefficients in the same places."""
    failure = "changed numbers were not accepted"
    one, other = old.objectives[name], new.objectives[name]
    columns = _differing((old.column_lower, new.column_lower), (old.column_upper, new.column_upper))
    if len(columns):
        bounds = new.column_lower[columns], new.column_upper[columns]
        _require(highs.changeColsBounds(len(columns), columns, *bounds), failure)
    rows = _differing((old.row_lower, new.row_lower), (old.row_upper, new.row_upper))
    if len(rows):
        _require(highs.changeRowsBounds(len(rows), rows, new.row_lower[rows], new.row_upper[rows]), failure)
    costs = _differing((one.linear, other.linear))
    if len(costs):
        _require(highs.changeColsCost(len(costs), costs, other.linear[costs]), failure)
    _require(highs.changeObjectiveOffset(other.constant), failure)
    entries = _differing((old.matrix.data, new.matrix.data))
    row_of = np.searchsorted(new.matrix.indptr, entries, side="right") - 1
    for row, entry in zip(row_of.tolist(), entries.tolist(), strict=True):
        column, value = int(new.matrix.indices[entry]), float(new.matrix.data[entry])
        _require(highs.changeCoeff(row, column, value), failure)


def _differing(*pairs: tuple[Any, Any]) -> Any:
    """Positions at which one of the pairs of arrays differs."""
    return np.flatnonzero(np.any([one != other for one, other in pairs], axis=0)).astype(np.int32)


def write_model(program: Program, name: str, path: Path) -> None:
    """Write a program as MPS, unscaled, every row and column named after its component and its position in it.

    HiGHS does not notice where a disk is full: `etsopt.solving.mps` sees to that.
    """
    highs = _construct()
    _set_options(highs, {"output_flag": False})
    _load(highs, program, name)
    for slices, pass_name in ((program.rows, highs.passRowName), (program.columns, highs.passColName)):
        for block, part in slices.items():
            for position in range(part.start, part.stop):
                _require(pass_name(position, f"{block}_{position - part.start}"), f"{block} could not be named")
    _require(highs.writeModel(str(path)), f"the file {path} could not be written")


def _construct() -> Any:
    """Make a solver; from 1.16 on HiGHS prints a banner to the standard output while it does."""
    with silenced():
        return highspy.Highs()


def _require(status: Any, failure: str) -> None:
    """Stop unless a call returned without even a warning."""
    if status != highspy.HighsStatus.kOk:
        advice = "The solver gave no reason; report it with the instance and the model."
        raise SolverError(f"HiGHS: {failure} ({status}).", advice)


def _set_options(highs: Any, options: dict[str, Any]) -> None:
    kinds = {
        highspy.HighsOptionType.kBool: bool,
        highspy.HighsOptionType.kInt: int,
        highspy.HighsOptionType.kDouble: float,
        highspy.HighsOptionType.kString: str,
    }
    for key, value in options.items():
        status, kind = highs.getOptionType(key)
        if status != highspy.HighsStatus.kOk:
            raise UsageError(f"HiGHS has no option {brief(key)}.", "Its options are listed at https://highs.dev.")
        wanted = kinds[kind]
        if wanted is str and key not in WORDS:
            what = f"The option {key} of HiGHS cannot be chosen: it names a file of the scaled program."
            raise UsageError(what, "Leave it out; --mps writes the program to a file.")
        given = float(value) if wanted is float and type(value) is int else value
        if type(given) is not wanted:
            raise UsageError(f"The option {key} of HiGHS is {brief(value)}.", f"It takes a {wanted.__name__}.")
        # HiGHS takes NaN for any number, which no comparison finds out of range.
        if given != given or highs.setOptionValue(key, given) != highspy.HighsStatus.kOk:
            raise UsageError(f"HiGHS refuses {brief(value)} for its option {key}.", "The value is out of its range.")


def _load(highs: Any, program: Program, name: str) -> None:
    """Pass a program in one call, and count what arrived."""
    objective, matrix = program.objectives[name], program.matrix
    rows, columns = matrix.shape
    status = highs.passModel(
        columns,
        rows,
        matrix.nnz,
        int(highspy.MatrixFormat.kRowwise),
        int(highspy.ObjSense.kMinimize),
        objective.constant,
        objective.linear,
        program.column_lower,
        program.column_upper,
        program.row_lower,
        program.row_upper,
        matrix.indptr.astype(np.int32),
        matrix.indices.astype(np.int32),
        matrix.data,
        program.integer.astype(np.int32),
    )
    _require(status, "the program was not accepted")
    if objective.quadratic is not None:
        # HiGHS minimises half of x'Qx, so the diagonal is doubled.
        where = np.flatnonzero(objective.quadratic)
        starts = np.searchsorted(where, np.arange(columns + 1)).astype(np.int32)
        status = highs.passHessian(
            columns, len(where), 1, starts, where.astype(np.int32), 2 * objective.quadratic[where]
        )
        _require(status, "the quadratic objective was not accepted")
    loaded = (highs.getNumRow(), highs.getNumCol(), highs.getNumNz())
    if loaded != (rows, columns, matrix.nnz):
        what = f"HiGHS holds {loaded} rows, columns and coefficients of {(rows, columns, matrix.nnz)} built."
        raise SolverError(what, "Nothing is solved on a part of a program; report it with the instance and the model.")


def _side(price: Any, nothing: Any) -> Any:
    return -np.sign(np.where(np.abs(price) > nothing, price, 0.0)).astype(np.int8)


def _outcome(highs: Any, scaled: Scaled, program: Program, name: str) -> Outcome:
    termination = STATUS.get(highs.getModelStatus().name, Termination.SOLVER_ERROR)
    if termination is Termination.INTERRUPTED and is_over() == Termination.TIME_LIMIT:
        # The deadline stopped the solver where it did not look at its own limit.
        termination = Termination.TIME_LIMIT
    info, solution = highs.getInfo(), highs.getSolution()
    feasible = info.primal_solution_status == SOLUTION_FEASIBLE
    whole = bool(program.integer.any())
    x = multipliers = column_side = row_side = None
    bound = -math.inf
    if solution.value_valid and feasible:
        x = np.asarray(solution.col_value) * scaled.column
    if solution.dual_valid and not whole:
        reduced, dual = np.asarray(solution.col_dual), np.asarray(solution.row_dual)
        multipliers = dual * scaled.row / scaled.objective
        # A positive reduced cost or dual keeps every optimum at the lower side, a negative one at the upper.
        terms = np.abs(scaled.program.objectives[name].linear) + scaled.program.matrix.absolute().transposed_times(
            np.abs(dual)
        )
        column_side, row_side = _side(reduced, NO_PRICE * terms), _side(dual, NO_PRICE)
    if whole:
        bound = info.mip_dual_bound / scaled.objective
    elif x is not None and termination is Termination.OPTIMAL:
        bound = program.objectives[name].value(x)
    if x is None and termination is Termination.OPTIMAL:
        # An optimum that the solver itself finds to miss a limit is none.
        termination = Termination.SOLVER_ERROR
    ran = algorithm_of(info, whole, program.objectives[name].quadratic is not None)
    return Outcome(termination, x, multipliers, column_side, row_side, bound, f"HiGHS {ran}")
