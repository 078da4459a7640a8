"""Objectives solved one after another, each held before the next."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from etsopt.solving import highs
from etsopt.solving.solution import Level, Outcome, Solution, Termination
from etsopt.stamp.program import Objective
from etsopt.units import tolerance_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from etsopt.solving.options import SolveOptions
    from etsopt.stamp.program import Program

NO_OBJECTIVE = "none"


class Settled(Protocol):
    """What a faster method gives back for its step."""

    values: Mapping[str, NDArray[np.float64]]
    multipliers: Mapping[str, NDArray[np.float64]]
    value: float
    algorithm: str


class Settle(Protocol):
    """A faster method for one objective."""

    def __call__(self, program: Program) -> Settled:
        """Minimise the objective over a program that holds the optima of the levels solved before."""


def solve_levels(
    program: Program, names: Sequence[str], options: SolveOptions, settle: Mapping[str, Settle]
) -> Solution:
    """Minimise the objectives in their order.

    Parameters
    ----------
    names
        Objectives, the most important first.
    settle
        Faster methods by objective; the solver does what has none.

    Returns
    -------
    Solution
        Stops at the first level that is not optimal; that one keeps its incumbent and bound, if it has them.
    """
    started = time.perf_counter()
    levels: list[Level] = []
    values: dict[str, NDArray[np.float64]] = {}
    termination = Termination.OPTIMAL
    if options.mps is not None:
        highs.write_mps(program, names[0], options.mps)
    if names[0] in settle:
        # A faster method takes for granted that there is a feasible point; where no level comes first, look for one.
        outcome = highs.solve(_without_objective(program), NO_OBJECTIVE, options, options.time_limit_s)
        if outcome.x is None:
            return Solution(outcome.termination, {}, ())
    for name in names:
        options.progress(f"level {name}")
        if name in settle:
            settled = settle[name](program)
            values = {**values, **settled.values}
            levels.append(_settled_level(program, name, settled))
            continue
        left = None if options.time_limit_s is None else options.time_limit_s - (time.perf_counter() - started)
        outcome = highs.solve(program, name, options, left)
        termination = outcome.termination
        if outcome.x is not None:
            values = {key: outcome.x[block] for key, block in program.columns.items()}
        if outcome.x is None:
            if termination is Termination.INFEASIBLE and levels:
                # The earlier levels left a feasible point, so this is the solver's failure and not the instance's.
                termination = Termination.SOLVER_ERROR
            break
        level = _level(program, name, outcome)
        levels.append(level)
        if termination is not Termination.OPTIMAL:
            break
        if program.objectives[name].quadratic is None:
            program = _hold(program, level, outcome)
    return Solution(termination, values, tuple(levels))


def _without_objective(program: Program) -> Program:
    nothing = Objective(np.zeros(len(program.column_lower)), None, 0.0, "")
    return replace(program, objectives={NO_OBJECTIVE: nothing})


def _hold(program: Program, level: Level, outcome: Outcome) -> Program:
    """Keep exactly the optima of a linear level; with whole numbers there is no dual to tell them, so a row does."""
    if outcome.column_side is None or outcome.row_side is None:
        return program.held(level.name, level.value + level.tolerance)
    held = program.narrowed(outcome.column_side, outcome.row_side)
    lone = np.flatnonzero(program.objectives[level.name].linear)
    if len(lone) == 1 and outcome.x is not None:
        # An objective that is a single column, such as a largest rate, is that column's value from now on.
        held.column_lower[lone] = held.column_upper[lone] = outcome.x[lone]
    return held


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
        settled.value,
        tolerance_of(settled.value, unit),
        dict(settled.multipliers),
        settled.algorithm,
    )
