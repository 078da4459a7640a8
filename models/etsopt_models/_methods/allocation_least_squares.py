r"""The tie-break of `allocation` by duals: the closest point among all optima of the objectives.

The program is fixed exactly at the optima of the objectives, and all its columns but $A$ only measure. They and their
rows leave an interval of each $A_i$, so it reduces to

$$\min_A \sum_i (A_i - C_i)^2 / W_i \quad\text{s.t.}\quad \underline A \le A \le \overline A,\quad G A \ge d$$

with the centre $C$ and weight $W$ of the tie-break (`_allocation/squares.py`), where $G$ stacks the rows that couple units: `_projection/least_squares.py` finds its one solution.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt_models._allocation.coupling import coupling, fixed_by_rows, intervals, square_of
from etsopt_models._allocation.limits import IN_RATES
from etsopt_models._projection.least_squares import Entries, ObjectiveSolution, Projection
from etsopt_models._projection.polishing import Rounding, point_of, polished
from etsopt_models._projection.proximal import maximise
from etsopt_models._tolerances import EARLIER_OBJECTIVES_MISS_RATE, EARLIER_OBJECTIVES_MISS_T

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


def solve_square(name: str, parameters: Mapping[str, Any], program: Any, solve: Any) -> ObjectiveSolution | None:
    """Find the closest point; ``algorithm`` states if Newton's method stops short of its accuracy.

    Parameters
    ----------
    name
        Objective, one of `SQUARES`.
    parameters
        As `allocation.parameters` returns them.
    program
        Program fixed at the optima of the objectives.
    solve
        Solver of small programs through the engine, for integer allowances.
    """
    weight, centre = square_of(name, parameters)
    return nearest(program, solve, parameters["emissions"], weight, centre, parameters["place"])


solve_objective = partial(solve_square, "least_squares")


def nearest(
    program: Any,
    solve: Any,
    emissions: NDArray[np.float64],
    weight: NDArray[np.float64],
    centre: NDArray[np.float64],
    place: NDArray[np.float64],
) -> ObjectiveSolution | None:
    """Find the point of a program nearest to a centre, with squared distances over a weight.

    Parameters
    ----------
    emissions
        Emissions, over which rates are measured.
    place
        Places of the units by `unit_id`: among equally good whole tonnes the first get more.
    """
    block = program.columns["whole_allowance"]
    whole = block.stop > block.start
    if whole and fixed_by_rows(program):
        return _unsettled(program, solve, weight, centre)
    lower, upper = intervals(program)
    if whole:
        lower, upper = np.round(lower), np.round(upper)
    rows = coupling(program, lower, upper)
    enough = np.array(
        [EARLIER_OBJECTIVES_MISS_RATE if name in IN_RATES else EARLIER_OBJECTIVES_MISS_T for name, _, _ in rows.source]
    )
    entries = Entries.of(rows.matrix)
    problem = Projection(emissions, centre, lower, upper, None, entries, rows.least, rows.is_equality, enough, weight)
    duals, steps, reached = maximise(problem)
    allowance = problem.answer(duals) if whole else polished(problem, problem.answer(duals), duals)
    algorithm = f"prices, {steps} Newton steps{'' if reached else ', stopped short'}"
    if whole:
        rounded = Rounding(weight, centre, lower, upper, place, rows, solve).solve_objective(program, duals)
        if rounded is None:
            return _unsettled(program, solve, weight, centre)
        allowance, duals, rounds = rounded
        algorithm += f", {rounds} linear programs for whole tonnes"
    value = float(np.sum((allowance - centre) ** 2 / weight))
    values = {"allowance": allowance} | ({"whole_allowance": allowance} if whole else {})
    return ObjectiveSolution(values, rows.multipliers(program, duals), value, value, algorithm)


def _unsettled(
    program: Any, solve: Any, weight: NDArray[np.float64], centre: NDArray[np.float64]
) -> ObjectiveSolution | None:
    """Return any integer point of the objectives if the closest is out of reach; the bound of its distance is zero."""
    point, block = point_of(program, solve), program.columns["allowance"]
    if point is None:
        return None
    allowance = np.round(point[block])
    value = float(np.sum((allowance - centre) ** 2 / weight))
    values = {"allowance": allowance, "whole_allowance": allowance}
    return ObjectiveSolution(
        values, {}, value, 0.0, "branch and bound for a whole point of the levels; not the closest one"
    )
