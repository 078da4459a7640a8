"""Outcomes and solutions of the solver, before the checker has checked them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from etsopt.modelling.program.program import Program

    Sides = NDArray[np.int8] | None


class Termination(StrEnum):
    """Reason for which the solve stopped."""

    OPTIMAL = "optimal"
    INFEASIBLE = "infeasible"
    TIME_LIMIT = "time_limit"
    INTERRUPTED = "interrupted"
    MEMORY = "memory"
    SOLVER_ERROR = "solver_error"


STOPPED = (Termination.TIME_LIMIT, Termination.INTERRUPTED)
"""Terminations from outside, after which only the incumbent is known."""


AT_LIMIT_RELATIVE = 1e-10
"""Distance from its limit, relative to its terms, at which a row is there."""


@dataclass(frozen=True)
class Outcome:
    """Outcome of one objective over one program.

    Parameters
    ----------
    termination
        Reason for which it stopped.
    x
        Column values, or None if no feasible point was found.
    multipliers
        Increase of the objective per unit on each row's right-hand side, or None.
    column_side, row_side
        Of a linear program: 1 if every optimum is at the upper bound or limit, -1 at the lower, else 0.
    bound
        The solver's own lower bound of the objective.
    algorithm
        Name of the algorithm, and its iterations.
    """

    termination: Termination
    x: NDArray[np.float64] | None
    multipliers: NDArray[np.float64] | None
    column_side: NDArray[np.int8] | None
    row_side: NDArray[np.int8] | None
    bound: float
    algorithm: str

    def with_sides_of(self, other: Outcome, program: Program, name: str) -> Outcome:
        """Return the outcome with the sides of another as well, if that has the same value.

        Where a scale leaves a column nothing, its cost is none, and later objectives would take it for free. Every
        optimum is at the sides of both.
        """
        same = abs(self.bound - other.bound) <= program.objectives[name].tolerance(other.bound)
        if not same or self.x is None:
            return self
        reach = program.matrix.absolute() @ np.abs(self.x)
        columns = self.x, program.column_lower, program.column_upper, 0.0
        rows = program.matrix @ self.x, program.row_lower, program.row_upper, AT_LIMIT_RELATIVE * reach
        return replace(
            self,
            column_side=_with_sides(self.column_side, other.column_side, *columns),
            row_side=_with_sides(self.row_side, other.row_side, *rows),
        )


def _with_sides(own: Sides, other: Sides, value: Any, lower: Any, upper: Any, miss: Any) -> Sides:
    """Return sides, and those of another outcome where a value is there, within what it may miss."""
    if own is None or other is None:
        return own
    bound = np.where(other < 0, lower, np.where(other > 0, upper, value))
    return np.where((own == 0) & (np.abs(value - bound) <= miss), other, own)


@dataclass(frozen=True)
class Level:
    """One solved objective.

    Parameters
    ----------
    name, unit
        Of the objective.
    value, bound
        Value reached, and the solver's own lower bound.
    tolerance
        Largest rise of `value` by rounding once the later objectives are solved.
    multipliers
        By row component of the model.
    algorithm
        Name of the algorithm.
    proofs
        Further multipliers, if one set of them alone does not prove the value.
    """

    name: str
    unit: str
    value: float
    bound: float
    tolerance: float
    multipliers: dict[str, NDArray[np.float64]]
    algorithm: str
    proofs: tuple[dict[str, NDArray[np.float64]], ...] = ()


@dataclass(frozen=True)
class Tree:
    """Splits of integer columns as they come, the parent before both sides; node 0 is the whole program.

    Parameters
    ----------
    parent, column, above, value
        Shape ``(nodes,)``: node ``n`` is the side of its parent on which the column is at least, or at most, a value.
    multipliers
        Of rows and earlier objectives, at each leaf; None at an inner node.
    """

    parent: NDArray[np.int64]
    column: NDArray[np.int64]
    above: NDArray[np.bool_]
    value: NDArray[np.float64]
    multipliers: Sequence[NDArray[np.float64] | None]


@dataclass(frozen=True)
class Proof:
    """A program, its objectives in their order, the gap that is accepted, and by objective the tree of its bound.

    ``compared`` is True if the program was seen to be the one that Pyomo builds.
    """

    program: Program
    names: tuple[str, ...]
    gap: float
    trees: Mapping[str, Tree]
    compared: bool


@dataclass(frozen=True)
class Solution:
    """Values of every variable after the last solved objective.

    Parameters
    ----------
    termination
        Reason for which the last objective stopped.
    values
        By variable of the model, one array in the order of its index; empty if no feasible point is known.
    levels
        The solved objectives, in their order.
    before
        The first solution, if the model solves another program afterwards.
    proof
        Of a program that the checker proves as arrays, what proves it.
    """

    termination: Termination
    values: dict[str, NDArray[np.float64]]
    levels: tuple[Level, ...]
    before: Solution | None = None
    proof: Proof | None = None


def without_columns(program: Program, name: str) -> Outcome:
    """Return the outcome of a program without columns, which HiGHS calls optimal whatever its rows."""
    if ((program.row_lower > 0) | (program.row_upper < 0)).any():
        return Outcome(Termination.INFEASIBLE, None, None, None, None, -math.inf, "rows without columns")
    empty, rows = np.zeros(0), np.zeros(len(program.row_lower))
    sides = empty.astype(np.int8), rows.astype(np.int8)
    return Outcome(Termination.OPTIMAL, empty, rows, *sides, program.objectives[name].constant, "nothing to choose")
