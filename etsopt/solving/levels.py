"""Objectives solved one after another, each held before the next."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from etsopt.errors import SolverError, StoppedError
from etsopt.program.program import Objective
from etsopt.progress import checkpoint, tell
from etsopt.solving import integer as whole
from etsopt.solving.mps import write_mps
from etsopt.solving.options import counts
from etsopt.solving.solution import STOPPED, Level, Outcome, Solution, Termination
from etsopt.units import tolerance_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from etsopt.program.program import Program
    from etsopt.solving.options import SolveOptions

NO_OBJECTIVE = "none"

ROUNDED = 1e-5
"""Part of a level by which later levels may move it: what the solver rounds beside units a million times as large."""


class Settled(Protocol):
    """What a faster method gives back for its step."""

    values: Mapping[str, NDArray[np.float64]]
    multipliers: Mapping[str, NDArray[np.float64]]
    value: float
    bound: float
    algorithm: str
    program: Program | None
    """A program that holds the optima of the step; None leaves the program as it is."""
    proofs: Sequence[Mapping[str, NDArray[np.float64]]]
    """More multipliers, where one set of them alone does not prove the value."""


class Solve(Protocol):
    """Minimise an objective of any program through the engine."""

    def __call__(self, program: Program, name: str) -> Outcome:
        """Return the outcome, with the options and within the time of the whole solve."""


class Settle(Protocol):
    """A faster method for one objective."""

    def __call__(self, program: Program, solve: Solve) -> Settled | None:
        """Minimise the objective over a program that holds the optima of the levels before; None declines."""


def solve_levels(  # long because each way out of a level is one statement here
    program: Program,
    names: Sequence[str],
    options: SolveOptions,
    settle: Mapping[str, Settle],
    fix_after: Mapping[str, Sequence[str]] | None = None,
) -> Solution:
    """Minimise the objectives in their order.

    Parameters
    ----------
    names
        Objectives, the most important first.
    settle
        Faster methods by objective; the solver does what has none.
    fix_after
        By objective, the variables of whole numbers that keep the values they have after it.

    Returns
    -------
    Solution
        Stops at the first level that is not optimal, or at the deadline of `etsopt.progress`; a level that was begun
        keeps its incumbent and bound, if it has them.
    """
    levels: list[Level] = []
    values: dict[str, NDArray[np.float64]] = {}
    termination = Termination.OPTIMAL

    def solve(program: Program, name: str) -> Outcome:
        checkpoint()
        return whole.solve(program, name, options)

    def solve_to_the_end(program: Program, name: str) -> Outcome:
        """For faster methods, which would take an outcome that was stopped for a verdict."""
        outcome = solve(program, name)
        if outcome.termination in STOPPED:
            raise StoppedError(outcome.termination)
        return outcome

    base = program
    if options.mps is not None:
        write_mps(program, names[0], Path(options.mps))
    try:
        if names[0] in settle:
            # A faster method takes for granted that there is a feasible point; where no level comes first, find one.
            outcome = solve(_without_objective(program), NO_OBJECTIVE)
            if outcome.x is None:
                return Solution(outcome.termination, {}, ())
            values = _by_variable(program, outcome.x)
        for name in names:
            tell(f"objective {name}: {len(program.row_lower):,} rows, {len(program.column_lower):,} columns")
            settled = settle[name](program, solve_to_the_end) if name in settle else None
            if settled is not None:
                values = {**values, **settled.values}
                levels.append(_settled_level(program, name, settled))
                program = settled.program or program
                continue
            if program.objectives[name].quadratic is not None and whole.free_integers(program).any():
                # HiGHS takes no squares beside whole numbers; what the levels before hold is kept.
                if levels:
                    termination = Termination.SOLVER_ERROR
                    break
                what = f"The objective {name} has squares beside whole numbers, which HiGHS does not take."
                raise SolverError(what, "State it with linear terms, or offer a faster method for it.")
            outcome = solve(program, name)
            termination = outcome.termination
            if outcome.x is None:
                if termination is Termination.INFEASIBLE and levels:
                    # The earlier levels left a feasible point, so this is the solver's failure, not the instance's.
                    termination = Termination.SOLVER_ERROR
                break
            values = _by_variable(program, outcome.x)
            level = _level(program, name, outcome)
            levels.append(level)
            if termination is not Termination.OPTIMAL:
                break
            if program.objectives[name].quadratic is None:
                program = _hold(program, level, outcome)
            if fix_after is not None and name in fix_after:
                base, program = (_fixed(part, fix_after[name], outcome.x) for part in (base, program))
                if not any(_is_open(base, level.name) for level in levels):
                    # The levels so far count these variables alone, so nothing else of what held them is needed.
                    program = base
    except StoppedError as stopped:
        termination = Termination(stopped.termination)
    return Solution(termination, values, tuple(levels))


def as_answered(levels: Sequence[Level], values: Mapping[str, float]) -> tuple[Level, ...]:
    """Levels with the values that an answer has, by name, where these are no further off than `ROUNDED`."""
    return tuple(
        replace(level, value=values[level.name])
        if abs(values.get(level.name, np.inf) - level.value) <= ROUNDED * abs(level.value)
        else level
        for level in levels
    )


def _by_variable(program: Program, x: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    return {key: x[block] for key, block in program.columns.items()}


def _fixed(program: Program, variables: Sequence[str], x: NDArray[np.float64]) -> Program:
    """The program with some variables of whole numbers fixed at their values, so that they are numbers like others."""
    lower, upper, integer = program.column_lower.copy(), program.column_upper.copy(), program.integer.copy()
    for name in variables:
        block = program.columns[name]
        lower[block] = upper[block] = np.round(x[block])
        integer[block] = False
    return replace(program, column_lower=lower, column_upper=upper, integer=integer)


def _is_open(program: Program, name: str) -> bool:
    """Whether an objective still depends on columns that are not fixed."""
    objective, moves = program.objectives[name], program.column_lower < program.column_upper
    return objective.quadratic is not None or bool(objective.linear[moves].any())


def _without_objective(program: Program) -> Program:
    nothing = Objective(np.zeros(len(program.column_lower)), None, 0.0, "")
    return replace(program, objectives={NO_OBJECTIVE: nothing})


def _hold(program: Program, level: Level, outcome: Outcome) -> Program:
    """Keep exactly the optima of a level by the sides that duals tell; where there is no such dual, by a limit."""
    lone = np.flatnonzero(program.objectives[level.name].linear)
    assert outcome.x is not None
    if outcome.column_side is not None and outcome.row_side is not None:
        held = program.narrowed(outcome.column_side, outcome.row_side)
        if len(lone) == 1 and np.count_nonzero(held.matrix.indices == lone[0]) > 1:
            # An objective that is a single column of many rows, such as a largest rate, is its value from now on. One
            # of a single row, such as the deficit of a lone unit, stays open: fixed, it would fix that unit, and the
            # rows that hold the unit would have no price in later levels.
            held.column_lower[lone] = held.column_upper[lone] = outcome.x[lone]
        return held
    # A value that can only be whole is kept by any limit below the next whole number.
    limit = level.value + (0.5 if counts(program, level.name) else level.tolerance)
    return program.held(level.name, limit)


def _level(program: Program, name: str, outcome: Outcome) -> Level:
    assert outcome.x is not None
    objective = program.objectives[name]
    value = objective.value(outcome.x)
    multipliers = {}
    if outcome.multipliers is not None:
        multipliers = {row: outcome.multipliers[block] for row, block in program.rows.items()}
    return Level(
        name,
        objective.unit,
        value,
        outcome.bound,
        tolerance_of(value, objective.unit),
        multipliers,
        outcome.algorithm,
    )


def _settled_level(program: Program, name: str, settled: Settled) -> Level:
    unit = program.objectives[name].unit
    return Level(
        name,
        unit,
        settled.value,
        settled.bound,
        tolerance_of(settled.value, unit),
        dict(settled.multipliers),
        settled.algorithm,
        tuple(dict(multipliers) for multipliers in settled.proofs),
    )
