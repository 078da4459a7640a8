"""One objective over a mixed-integer program: the linear relaxation first, then branch and bound if it is fractional.

An integral optimum of the relaxation is an optimum of the program too, and its duals describe all optima: the integral
points of the relaxation's optimal face. So a program with integral vertices is solved as a linear one. Next, branch and
bound takes only the integer columns of the objective, and last all of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.modelling.solving import highs
from etsopt.modelling.solving.options import counts
from etsopt.modelling.solving.solution import Outcome, Termination

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.modelling.program.program import Objective, Program
    from etsopt.modelling.solving.options import SolveOptions

ABSOLUTE, RELATIVE = 1e-9, 1e-12
"""Integrality tolerances: absolute, and relative to the size that a column may have."""


def solve(program: Program, name: str, options: SolveOptions) -> Outcome:
    """Minimise one objective of a program, with the parameters of `etsopt.modelling.solving.highs.solve`.

    In the outcome of a program with integer columns

    - ``multipliers`` are those of the relaxation, which prove its bound;
    - sides are given if the relaxation has the same value, so that its duals describe all optima;
    - ``bound`` is the better of those of relaxation and branch and bound.
    """
    if program.without_value().any():
        return Outcome(Termination.INFEASIBLE, None, None, None, None, -math.inf, "bounds without a value")
    task, free = _Task(program, name, options), free_integers(program)
    relaxed = task.minimised(program, np.zeros_like(free))
    if relaxed.x is None or relaxed.termination is not Termination.OPTIMAL:
        return relaxed if not free.any() else replace(relaxed, x=None)
    if _is_integral(program, relaxed.x):
        return replace(relaxed, x=_rounded(program, relaxed.x))
    outcome = None
    in_objective = free & (program.objectives[name].linear != 0)
    for integer in (in_objective, free) if in_objective.any() and (in_objective != free).any() else (free,):
        outcome = task.branched(integer, relaxed)
        if outcome.x is not None or outcome.termination is not Termination.OPTIMAL:
            break
    assert outcome is not None
    return _with_relaxation(program.objectives[name], outcome, relaxed, counts(program, name))


@dataclass(frozen=True)
class _Task:
    """An objective of a program, to be minimised with some of its columns integer."""

    program: Program
    name: str
    options: SolveOptions

    def minimised(self, program: Program, integer: NDArray[np.bool_], bound: float = -math.inf) -> Outcome:
        """Return the outcome over the program, or over another form of it."""
        return highs.solve(replace(program, integer=integer), self.name, self.options, bound)

    def branched(self, integer: NDArray[np.bool_], relaxed: Outcome) -> Outcome:
        """Return the outcome of branch and bound, with a point only if all integer columns are integral there."""
        # Integers are not scaled, and tolerances are absolute: count from the integers nearest to the relaxation.
        assert relaxed.x is not None
        origin = np.round(relaxed.x)
        outcome = self.minimised(_counted_from(self.program, self.name, origin), integer, relaxed.bound)
        if outcome.x is None:
            return outcome
        x = self._polished(integer, outcome.x + origin)
        return replace(outcome, x=None if x is None or not _is_integral(self.program, x) else _rounded(self.program, x))

    def _polished(self, integer: NDArray[np.bool_], x: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """Return the optimum with the integers of a point: the rest is exact, and perhaps integral too."""
        outcome = self.minimised(self.program.at_whole_numbers(integer, x), np.zeros_like(integer))
        return outcome.x if outcome.termination is Termination.OPTIMAL else x


def _counted_from(program: Program, name: str, origin: NDArray[np.float64]) -> Program:
    """Return the program in the distances of its columns from a point, with one linear objective."""
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
    """Return True for integer columns that are not fixed, shape ``(columns,)``."""
    free: NDArray[np.bool_] = program.integer & (program.column_lower < program.column_upper)
    return free


def _with_relaxation(objective: Objective, outcome: Outcome, relaxed: Outcome, count: bool) -> Outcome:
    """Return the outcome of branch and bound with the bound and the duals of the relaxation."""
    bound = max(outcome.bound, relaxed.bound)
    if count and math.isfinite(bound):
        # The next integer, unless the bound is one but for rounding.
        bound = math.ceil(bound - max(1e-6, 1e-9 * abs(bound)))
    outcome = replace(outcome, multipliers=relaxed.multipliers, bound=bound)
    if outcome.x is None:
        # Branch and bound ended, but its point is not integral once the rest is solved exactly.
        lost = outcome.termination is Termination.OPTIMAL
        return replace(outcome, termination=Termination.SOLVER_ERROR) if lost else outcome
    value = objective.value(outcome.x)
    if value - relaxed.bound > objective.tolerance(value):
        return outcome
    return replace(outcome, column_side=relaxed.column_side, row_side=relaxed.row_side)


def _is_integral(program: Program, x: NDArray[np.float64]) -> bool:
    free = free_integers(program)
    return bool(np.all(np.abs(x[free] - np.round(x[free])) <= ABSOLUTE + RELATIVE * program.reach[free]))


def _rounded(program: Program, x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(program.integer, np.round(x), x)
