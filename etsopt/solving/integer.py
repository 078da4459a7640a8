"""One objective over a program with whole numbers: the linear relaxation first, branches only where it is not enough.

Where the optimum of the relaxation is whole it is the optimum of the program too, and its duals tell every optimum:
those are the whole points of the relaxation's optimal face. So a program whose vertices are whole is solved as a linear
one. Next, only the whole numbers that the objective counts are branched on, and last all of them.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.solving import highs
from etsopt.solving.options import counts
from etsopt.solving.solution import Outcome, Termination
from etsopt.units import tolerance_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.program.program import Objective, Program
    from etsopt.solving.options import SolveOptions

ABSOLUTE, RELATIVE = 1e-9, 1e-12
"""How far from a whole number a value may be that is one, and that against the size which its column may have."""


def solve(
    program: Program, name: str, options: SolveOptions
) -> Outcome:  # long because the order of relaxation and branches is told in one place
    """Minimise one objective of a program, with the parameters of `etsopt.solving.highs.solve`.

    Of the outcome of a program with whole numbers

    - ``multipliers`` are those of the relaxation, which prove its bound;
    - sides are given where the relaxation has the same value, so that its duals tell every optimum;
    - ``bound`` is the better of those of relaxation and branch and bound.
    """

    def minimise(integer: NDArray[np.bool_], part: Program = program, bound: float = -math.inf) -> Outcome:
        return highs.solve(replace(part, integer=integer), name, options, bound)

    def branch(integer: NDArray[np.bool_]) -> Outcome:
        # Whole numbers are not scaled, and tolerances are absolute: count them from those next to the relaxation.
        assert relaxed.x is not None
        origin = np.round(relaxed.x)
        found = minimise(integer, _counted_from(program, name, origin), relaxed.bound)
        return found if found.x is None else replace(found, x=found.x + origin)

    free = free_integers(program)
    nothing = np.zeros_like(free)
    relaxed = minimise(nothing)
    if relaxed.x is None or relaxed.termination is not Termination.OPTIMAL:
        return relaxed if not free.any() else replace(relaxed, x=None)
    if _is_whole(program, relaxed.x):
        return replace(relaxed, x=_rounded(program, relaxed.x))
    found = None
    own = free & (program.objectives[name].linear != 0)
    for integer in (own, free) if own.any() and (own != free).any() else (free,):
        found = branch(integer)
        if found.x is not None:
            # With the whole numbers fixed the rest is exact, and what was not branched on may turn out whole.
            column_lower, column_upper = (
                np.where(integer, np.round(found.x), side) for side in (program.column_lower, program.column_upper)
            )
            polished = minimise(nothing, replace(program, column_lower=column_lower, column_upper=column_upper))
            x = polished.x if polished.termination is Termination.OPTIMAL else found.x
            found = replace(found, x=None if x is None or not _is_whole(program, x) else _rounded(program, x))
        if found.x is not None or found.termination is not Termination.OPTIMAL:
            break
    assert found is not None
    return _with_relaxation(program.objectives[name], found, relaxed, counts(program, name))


def _counted_from(program: Program, name: str, origin: NDArray[np.float64]) -> Program:
    """The program in the distances of its columns from a point, with one of its objectives, which is linear."""
    objective, moved = program.objectives[name], program.matrix @ origin
    constant = objective.constant + float(objective.linear @ origin)
    return replace(
        program,
        column_lower=program.column_lower - origin,
        column_upper=program.column_upper - origin,
        row_lower=program.row_lower - moved,
        row_upper=program.row_upper - moved,
        objectives={name: replace(objective, constant=constant)},
    )


def free_integers(program: Program) -> NDArray[np.bool_]:
    """Columns that are whole numbers and not fixed at one."""
    found: NDArray[np.bool_] = program.integer & (program.column_lower < program.column_upper)
    return found


def _with_relaxation(objective: Objective, found: Outcome, relaxed: Outcome, count: bool) -> Outcome:
    """What branch and bound found, with what the relaxation proves."""
    bound = max(found.bound, relaxed.bound)
    if count and math.isfinite(bound):
        # The next whole number, unless it is one but for rounding.
        bound = math.ceil(bound - max(1e-6, 1e-9 * abs(bound)))
    found = replace(found, multipliers=relaxed.multipliers, bound=bound)
    if found.x is None:
        # Branch and bound ended, but what it found is not whole once the rest is solved exactly.
        lost = found.termination is Termination.OPTIMAL
        return replace(found, termination=Termination.SOLVER_ERROR) if lost else found
    value = objective.value(found.x)
    if value - relaxed.bound > tolerance_of(value, objective.unit):
        return found
    return replace(found, column_side=relaxed.column_side, row_side=relaxed.row_side)


def _is_whole(program: Program, x: NDArray[np.float64]) -> bool:
    free = free_integers(program)
    reach = np.maximum(np.abs(program.column_lower), np.abs(program.column_upper))[free]
    return bool(np.all(np.abs(x[free] - np.round(x[free])) <= ABSOLUTE + RELATIVE * reach))


def _rounded(program: Program, x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(program.integer, np.round(x), x)
