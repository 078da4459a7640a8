"""Objectives in lexicographic order, each fixed at its optimum before the next."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from etsopt.common.errors import SolverError, StoppedError
from etsopt.common.language import _
from etsopt.common.progress import checkpoint, tell
from etsopt.modelling.program.program import NO_OBJECTIVE
from etsopt.modelling.solving import integer
from etsopt.modelling.solving.mps import write_mps
from etsopt.modelling.solving.options import counts
from etsopt.modelling.solving.solution import STOPPED, Level, Outcome, Solution, Termination

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from etsopt.modelling.program.program import Program
    from etsopt.modelling.solving.options import SolveOptions

ROUNDED = 1e-5
"""Share of its value by which later objectives may move one: rounding beside units a million times as large."""


class ObjectiveSolution(Protocol):
    """Solution of one objective by a faster method."""

    values: Mapping[str, NDArray[np.float64]]
    multipliers: Mapping[str, NDArray[np.float64]]
    value: float
    bound: float
    algorithm: str
    program: Program | None
    """A program whose feasible points are the optima of the objective; None leaves the program unchanged."""
    proofs: Sequence[Mapping[str, NDArray[np.float64]]]
    """Further multipliers, if one set of them alone does not prove the value."""


class Solve(Protocol):
    """Minimise an objective of any program through the engine."""

    def __call__(self, program: Program, name: str) -> Outcome:
        """Return the outcome, with the options and within the time of the whole solve."""


class SolveObjective(Protocol):
    """A faster method for one objective."""

    def __call__(self, program: Program, solve: Solve) -> ObjectiveSolution | None:
        """Minimise the objective over a program with earlier objectives fixed at their optima; None declines."""


def solve_levels(  # long because each exit from an objective is one statement here
    program: Program,
    names: Sequence[str],
    options: SolveOptions,
    faster: Mapping[str, SolveObjective],
    fix_after: Mapping[str, Sequence[str]] | None = None,
) -> Solution:
    """Minimise the objectives in their order.

    Parameters
    ----------
    names
        Objectives, the most important first.
    faster
        Faster methods by objective; the solver minimises the others.
    fix_after
        By objective, the variables that are fixed at their values after it.

    Returns
    -------
    Solution
        Stops at the first objective that is not optimal, or at the deadline of `etsopt.common.progress`; an objective
        that was begun keeps its incumbent and bound, if it has them.
    """
    levels: list[Level] = []
    values: dict[str, NDArray[np.float64]] = {}
    termination = Termination.OPTIMAL

    def solve(program: Program, name: str) -> Outcome:
        checkpoint()
        return integer.solve(program, name, options)

    def solve_to_the_end(program: Program, name: str) -> Outcome:
        """Raise if the solve was stopped: a faster method would take the outcome for final."""
        outcome = solve(program, name)
        if outcome.termination in STOPPED:
            raise StoppedError(outcome.termination)
        return outcome

    base = program
    if options.mps is not None:
        write_mps(program, names[0], Path(options.mps))
    try:
        if names[0] in faster:
            # A faster method assumes that a feasible point exists; if it comes first, find one.
            outcome = solve(program.without_objective(), NO_OBJECTIVE)
            if outcome.x is None:
                return Solution(outcome.termination, {}, ())
            values = _by_variable(program, outcome.x)
        for name in names:
            tell(
                _(
                    "objective {name}: {rows:,} rows, {columns:,} columns",
                    name=name,
                    rows=len(program.row_lower),
                    columns=len(program.column_lower),
                )
            )
            solved = faster[name](program, solve_to_the_end) if name in faster else None
            if solved is not None:
                values = {**values, **solved.values}
                levels.append(_level_by_method(program, name, solved))
                program = solved.program or program
                continue
            if program.objectives[name].quadratic is not None and name != names[-1]:
                what = _("The objective {name} has squares, and others come after it.", name=name)
                raise SolverError(what, _("Make it the last: no linear row keeps it."))
            if program.objectives[name].quadratic is not None and integer.free_integers(program).any():
                # HiGHS does not support squares beside integers; the solution of earlier objectives is kept.
                if levels:
                    termination = Termination.SOLVER_ERROR
                    break
                what = _(
                    "The objective {name} has squares beside integer variables, which HiGHS does not support.",
                    name=name,
                )
                raise SolverError(what, _("State it with linear terms, or offer a faster method for it."))
            outcome = solve(program, name)
            termination = outcome.termination
            if outcome.x is None:
                if termination is Termination.INFEASIBLE and levels:
                    # The earlier objectives left a feasible point, so the solver failed, and the instance did not.
                    termination = Termination.SOLVER_ERROR
                break
            values = _by_variable(program, outcome.x)
            level = _level(program, name, outcome)
            levels.append(level)
            if termination is not Termination.OPTIMAL:
                break
            if program.objectives[name].quadratic is None:
                program = _fix_at_optimum(program, level, outcome, len(base.row_lower))
            if fix_after is not None and name in fix_after:
                base, program = (_fixed(part, fix_after[name], outcome.x) for part in (base, program))
                if not any(_is_open(base, level.name) for level in levels):
                    # The objectives so far depend on these variables alone, so no other row has to fix them.
                    program = base
    except StoppedError as stopped:
        termination = Termination(stopped.termination)
    return Solution(termination, values, tuple(levels))


def settled(
    program: Program, solution: Solution, options: SolveOptions, fix_after: Mapping[str, Sequence[str]]
) -> Solution:
    """Return a solution with the optimal rest of its whole numbers: nothing else keeps an earlier objective exactly.

    Beside whole numbers a limit keeps an earlier objective, with some tolerance, and a later one would spend it all.
    """
    if len(solution.levels) < 2 or solution.termination is not Termination.OPTIMAL or not program.integer.any():
        return solution
    rest = program.at_whole_numbers(program.integer, program.point_of(solution.values))
    names = [level.name for level in solution.levels]
    again = solve_levels(rest, names, replace(options, mps=None), {}, fix_after)
    if again.termination is not Termination.OPTIMAL:
        return solution
    levels = tuple(replace(one, value=new.value) for one, new in zip(solution.levels, again.levels, strict=True))
    return replace(solution, values=again.values, levels=levels)


def as_answered(levels: Sequence[Level], values: Mapping[str, float]) -> tuple[Level, ...]:
    """Return the objectives with their values at an answer, by name, if these differ by `ROUNDED` at most."""
    return tuple(
        replace(level, value=values[level.name])
        if abs(values.get(level.name, np.inf) - level.value) <= ROUNDED * abs(level.value)
        else level
        for level in levels
    )


def _by_variable(program: Program, x: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    return {key: x[block] for key, block in program.columns.items()}


def _fixed(program: Program, variables: Sequence[str], x: NDArray[np.float64]) -> Program:
    """Return the program with variables fixed at their values, and no longer integer."""
    is_integer = program.integer.copy()
    for name in variables:
        is_integer[program.columns[name]] = False
    values = np.where(program.integer, np.round(x), x)
    return replace(program.fixed_at(variables, values), integer=is_integer)


def _is_open(program: Program, name: str) -> bool:
    """Return True if an objective still depends on columns that are not fixed."""
    objective, moves = program.objectives[name], program.column_lower < program.column_upper
    return objective.quadratic is not None or bool(objective.linear[moves].any())


def _fix_at_optimum(program: Program, level: Level, outcome: Outcome, rows: int) -> Program:
    """Return the program over the optimal face: fixed at the sides of nonzero duals, or by a limit without duals.

    Beside whole numbers no point may be where all of the tolerance of an earlier objective is spent. So its limit,
    a row behind those of the program itself, is never fixed.
    """
    lone = np.flatnonzero(program.objectives[level.name].linear)
    assert outcome.x is not None
    mixed = integer.free_integers(program).any()
    if (
        outcome.column_side is not None
        and outcome.row_side is not None
        and not (mixed and outcome.row_side[rows:].any())
    ):
        face = program.fixed_at_sides(outcome.column_side, outcome.row_side)
        if len(lone) == 1 and np.count_nonzero(face.matrix.indices == lone[0]) > 1:
            # An objective that is a single column of many rows, such as a largest rate, is fixed at its value. One of a
            # single row, such as the deficit of a lone unit, stays open: fixed, it would fix that unit, and the rows
            # over the unit would have no dual in later objectives.
            face.column_lower[lone] = face.column_upper[lone] = outcome.x[lone]
        return face
    # An integer value is kept by any limit below the next integer.
    limit = level.value + (0.5 if counts(program, level.name) else level.tolerance)
    return program.limited(level.name, limit)


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
        objective.tolerance(value),
        multipliers,
        outcome.algorithm,
    )


def _level_by_method(program: Program, name: str, solved: ObjectiveSolution) -> Level:
    objective = program.objectives[name]
    return Level(
        name,
        objective.unit,
        float(solved.value),
        float(solved.bound),
        objective.tolerance(solved.value),
        dict(solved.multipliers),
        solved.algorithm,
        tuple(dict(multipliers) for multipliers in solved.proofs),
    )
