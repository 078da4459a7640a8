"""What a solve gives back, before anybody has checked it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.program.program import Program


class Termination(StrEnum):
    """Why the solve stopped."""

    OPTIMAL = "optimal"
    INFEASIBLE = "infeasible"
    TIME_LIMIT = "time_limit"
    INTERRUPTED = "interrupted"
    MEMORY = "memory"
    SOLVER_ERROR = "solver_error"
    REFUSED = "refused"


STOPPED = (Termination.TIME_LIMIT, Termination.INTERRUPTED)
"""What stopped from outside, so that nothing follows from it but what is held."""


@dataclass(frozen=True)
class Outcome:
    """Outcome of one objective over one program.

    Parameters
    ----------
    termination
        Why it stopped.
    x
        Column values, or None where no feasible point was found.
    multipliers
        What one more unit on each row's right-hand side adds to the objective, or None.
    column_side, row_side
        Of a linear program: 1 where every optimum stands at the upper bound or limit, -1 at the lower, else 0.
    bound
        The solver's own lower bound of the objective.
    algorithm
        Which algorithm ran, and its iterations.
    """

    termination: Termination
    x: NDArray[np.float64] | None
    multipliers: NDArray[np.float64] | None
    column_side: NDArray[np.int8] | None
    row_side: NDArray[np.int8] | None
    bound: float
    algorithm: str


@dataclass(frozen=True)
class Level:
    """One solved level.

    Parameters
    ----------
    name, unit
        Of the objective.
    value, bound
        Value reached, and the solver's own lower bound.
    tolerance
        How far above `value` rounding may leave it once the later levels are solved.
    multipliers
        By row component of the model.
    algorithm
        Which algorithm ran.
    proofs
        More multipliers like those, where one set of them alone does not prove the value.
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
class Solution:
    """Values of every variable after the last level that was solved.

    Parameters
    ----------
    termination
        Why the last level stopped.
    values
        By variable of the model, one array in the order of its index; empty where nothing feasible is known.
    levels
        The solved levels, in their order.
    before
        The solution that this one was made from, where a model solves something afterwards.
    """

    termination: Termination
    values: dict[str, NDArray[np.float64]]
    levels: tuple[Level, ...]
    before: Solution | None = None


def without_columns(program: Program, name: str) -> Outcome:
    """The outcome where nothing is to be chosen, which HiGHS calls optimal whatever the rows demand."""
    if ((program.row_lower > 0) | (program.row_upper < 0)).any():
        return Outcome(Termination.INFEASIBLE, None, None, None, None, -math.inf, "rows without columns")
    nothing, rows = np.zeros(0), np.zeros(len(program.row_lower))
    sides = nothing.astype(np.int8), rows.astype(np.int8)
    return Outcome(Termination.OPTIMAL, nothing, rows, *sides, program.objectives[name].constant, "nothing to choose")
