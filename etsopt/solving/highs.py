"""The only file that speaks to HiGHS.

Pyomo's own interface ignores HiGHS's return codes: one coefficient of 1e15 makes HiGHS refuse every row, and the
answer still says "optimal". Here each call's status is checked, and what was loaded is counted.
"""

from __future__ import annotations

import math
import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import highspy
import numpy as np

from etsopt.errors import SolverError, UsageError
from etsopt.solving.options import DEFAULT_GAP
from etsopt.solving.scaling import Scaled, scale
from etsopt.solving.solution import Outcome, Termination
from etsopt.units import tolerance_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from etsopt.solving.options import SolveOptions
    from etsopt.stamp.program import Program

# By name, since not every release of HiGHS has all of them.
STATUS = {
    "kOptimal": Termination.OPTIMAL,
    "kModelEmpty": Termination.OPTIMAL,
    "kInfeasible": Termination.INFEASIBLE,
    # Every column has finite bounds, so "unbounded or infeasible" can only be infeasible.
    "kUnboundedOrInfeasible": Termination.INFEASIBLE,
    "kTimeLimit": Termination.TIME_LIMIT,
    "kInterrupt": Termination.INTERRUPTED,
    "kHighsInterrupt": Termination.INTERRUPTED,
    "kMemoryLimit": Termination.MEMORY,
}

OWN_OPTIONS: dict[str, Any] = {
    "output_flag": False,
    "threads": 1,
    "parallel": "off",
    # The tightest that HiGHS takes, because the program is scaled so that 1 is a typical value.
    "primal_feasibility_tolerance": 1e-10,
    "dual_feasibility_tolerance": 1e-10,
    "mip_feasibility_tolerance": 1e-9,
    "small_matrix_value": 1e-12,
}

PRINTING = ("output_flag", "log_to_console", "log_file")
CHOSEN = ("threads", "parallel")
"""Options that a caller may not choose; so is every ``write_...``, which writes a file of the scaled program."""

NO_PRICE = 1e-9
"""A scaled dual up to this is zero, and a reduced cost up to this share of its terms; the solver works to 1e-10."""


def solve(program: Program, name: str, options: SolveOptions, time_left_s: float | None = None) -> Outcome:
    """Minimise one objective of a program.

    Parameters
    ----------
    program
        The program; it is scaled inside, and the outcome is in its own units.
    name
        Of the objective.
    time_left_s
        Seconds left for this call.

    Raises
    ------
    SolverError
        If the program is refused before or while it is loaded.
    UsageError
        If a solver option is unknown, of the wrong type, or not the caller's to choose.
    """
    _refuse_own(options.solver_options)
    if (program.column_lower > program.column_upper).any() or (program.row_lower > program.row_upper).any():
        return Outcome(Termination.INFEASIBLE, None, None, None, None, -math.inf, "limits that cross")
    scaled = scale(program, name)
    highs = _construct()
    limit = {} if time_left_s is None else {"time_limit": max(time_left_s, 0.01)}
    _set_options(highs, OWN_OPTIONS | _whole_options(program, name, scaled, options.gap) | limit)
    _set_options(highs, {"random_seed": options.seed})
    _set_options(highs, options.solver_options)
    _load(highs, scaled.program, name)
    with _interruptible(highs):
        status = highs.run()
    if status == highspy.HighsStatus.kError:
        return Outcome(Termination.SOLVER_ERROR, None, None, None, None, -math.inf, "HiGHS reported an error")
    return _outcome(highs, scaled, program, name)


def _whole_options(program: Program, name: str, scaled: Scaled, gap: float) -> dict[str, float]:
    """How near to its bound a value must be where some columns are whole numbers."""
    objective = program.objectives[name]
    return {
        # Where only whole numbers are counted a small gap may be one of them: stop at none unless a large one is asked.
        "mip_rel_gap": gap if objective.linear[~program.integer].any() or gap > DEFAULT_GAP else 0.0,
        "mip_abs_gap": tolerance_of(0.0, objective.unit) * scaled.objective,
    }


def write_mps(program: Program, name: str, path: Path) -> None:
    """Write a program as MPS, unscaled, every row and column named after its component and its position in it.

    Raises
    ------
    UsageError
        If the name of the file does not end in ``.mps``.
    """
    if path.suffix != ".mps":
        raise UsageError(
            f"The file {str(path)!r} does not end in .mps.", "Name one that does: HiGHS tells formats by it."
        )
    highs = _construct()
    _set_options(highs, {"output_flag": False})
    _load(highs, program, name)
    for slices, pass_name in ((program.rows, highs.passRowName), (program.columns, highs.passColName)):
        for block, part in slices.items():
            for position in range(part.start, part.stop):
                _require(pass_name(position, f"{block}_{position - part.start}"), f"{block} could not be named")
    # Where a file cannot be written HiGHS gives no reason, but the operating system does.
    path.open("wb").close()
    _require(highs.writeModel(str(path)), f"the file {path} could not be written")


def _construct() -> Any:
    """Make a solver; from 1.16 on HiGHS prints a banner to the standard output while it does."""
    if sys.stdout is not None:
        sys.stdout.flush()
    try:
        kept = os.dup(1)
    except OSError:
        # The standard output is closed, and nothing can be printed to it.
        return highspy.Highs()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        return highspy.Highs()
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _require(status: Any, failure: str) -> None:
    """Stop unless a call returned without even a warning."""
    if status != highspy.HighsStatus.kOk:
        advice = "The solver gave no reason; report it with the instance and the model."
        raise SolverError(f"HiGHS: {failure} ({status}).", advice)


def _refuse_own(options: Mapping[str, Any]) -> None:
    """Refuse options that would print among the results, or undo what makes an answer the same each time."""
    for key in options:
        if key in PRINTING or key.startswith("write_"):
            what = f"The option {key} of HiGHS cannot be chosen: it writes among the results, or beside them."
            raise UsageError(what, "Leave it out; --mps writes the program to a file.")
        if key in CHOSEN:
            what = f"The option {key} of HiGHS cannot be chosen: in one thread the same input gives the same answer."
            raise UsageError(what, "Leave it out.")


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
            raise UsageError(f"HiGHS has no option {key!r}.", "Its options are listed at https://highs.dev.")
        wanted = kinds[kind]
        given = float(value) if wanted is float and type(value) is int else value
        if type(given) is not wanted:
            raise UsageError(f"The option {key} of HiGHS is {value!r}.", f"It takes a {wanted.__name__}.")
        if highs.setOptionValue(key, given) != highspy.HighsStatus.kOk:
            raise UsageError(f"HiGHS refuses {value!r} for its option {key}.", "The value is out of its range.")


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


@contextmanager
def _interruptible(highs: Any) -> Iterator[None]:
    """Let Ctrl-C stop the solver and keep what it holds; without this HiGHS runs on to its end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed = threading.Event()

    def ask_to_stop(event: Any) -> None:
        if pressed.is_set():
            event.interrupt()

    for callback in (highs.cbSimplexInterrupt, highs.cbMipInterrupt, highs.cbIpmInterrupt):
        callback.subscribe(ask_to_stop)
    before = signal.signal(signal.SIGINT, lambda number, frame: pressed.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _side(price: Any, nothing: Any) -> Any:
    return -np.sign(np.where(np.abs(price) > nothing, price, 0.0)).astype(np.int8)


def _outcome(highs: Any, scaled: Scaled, program: Program, name: str) -> Outcome:
    termination = STATUS.get(highs.getModelStatus().name, Termination.SOLVER_ERROR)
    info, solution = highs.getInfo(), highs.getSolution()
    feasible = info.primal_solution_status == int(highspy.SolutionStatus.kSolutionStatusFeasible)
    whole = bool(program.integer.any())
    x = multipliers = column_side = row_side = None
    bound = -math.inf
    if solution.value_valid and feasible:
        x = np.asarray(solution.col_value) * scaled.column
    if solution.dual_valid and not whole:
        reduced, dual = np.asarray(solution.col_dual), np.asarray(solution.row_dual)
        multipliers = dual * scaled.row / scaled.objective
        # A positive reduced cost or dual keeps every optimum at the lower side, a negative one at the upper.
        terms = np.abs(scaled.program.objectives[name].linear) + abs(scaled.program.matrix).T @ np.abs(dual)
        column_side, row_side = _side(reduced, NO_PRICE * terms), _side(dual, NO_PRICE)
    if whole:
        bound = info.mip_dual_bound / scaled.objective
    elif x is not None and termination is Termination.OPTIMAL:
        bound = program.objectives[name].value(x)
    kind = (
        "branch and bound" if whole else "active set" if program.objectives[name].quadratic is not None else "simplex"
    )
    count = max(info.simplex_iteration_count, info.ipm_iteration_count, info.qp_iteration_count, 0)
    return Outcome(termination, x, multipliers, column_side, row_side, bound, f"HiGHS {kind}, {count} iterations")
