r"""Exceptions of `allocation` by logic-based Benders cuts: fewest units, then most emissions, then first ids.

Without wider bands the program may be infeasible. For duals $y$ of the coupling rows a choice $S$ of exceptions is
feasible only if

$$\sum_{i \in S} g_i(y) \ge F(y) = \sum_i \min_{\underline B_i \le a \le \overline B_i} (-\pi_i a) + y^T d$$

where $g_i$ is the gain from the margin of $i$. The method searches the choices in their order for the first that
satisfies every such demand known so far, at first those of single rows, and tests its feasibility. If it is infeasible,
the rows of least infeasibility have duals that exclude it and similar choices. The first feasible choice is the
answer, and the duals prove it.

References: Hooker and Ottosson (2003), Logic-based Benders decomposition.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt_models._allocation.coupling import COUPLING, coupling, intervals, least_infeasibility
from etsopt_models._effort import EXCEPTION_ROUNDS_MAX
from etsopt_models._projection.exception_search import (
    Demands,
    TooManyError,
    fewest,
    first_choice,
    order_key,
    with_exceptions,
)
from etsopt_models._projection.least_squares import ObjectiveSolution
from etsopt_models._tolerances import LIMIT_EXCESS_T

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray


def solve_objective(
    parameters: Mapping[str, Any], program: Any, solve: Any
) -> ObjectiveSolution | None:  # long because each end of the search is one statement here
    """Solve the three objectives of exceptions at once; None if the search is too long.

    Parameters
    ----------
    parameters
        As `allocation.parameters` returns them.
    program
        Program before any objective.
    solve
        Solver of programs through the engine.
    """
    demands = Demands(parameters, program)
    for row in _each_side(program):
        demands.add(row, only_if_infeasible=True)
    key = order_key(parameters["size_gap"], parameters["place"], parameters["exceptions_most"])
    count, least, most = 0, 0, parameters["exceptions_most"]
    for rounds in range(EXCEPTION_ROUNDS_MAX):
        checkpoint(_("exceptions, choice"), rounds + 1)
        if (needed := fewest(*demands.stacked())) > count:
            count, least = needed, 0
        if count > most:
            return None
        try:
            chosen = first_choice(count, key, *demands.stacked(), least)
        except TooManyError:
            return None
        if chosen is None:
            count, least = count + 1, 0
            if count > most:
                return None
            continue
        least = int(key[chosen].sum())
        held = with_exceptions(program, chosen)
        lower, upper = intervals(held)
        rows = coupling(held, lower, upper)
        infeasibility = least_infeasibility(held, solve, rows, lower, upper)
        if infeasibility is None:
            return None
        if infeasibility.infeasibility_t <= LIMIT_EXCESS_T:
            values = {"exceptional": held.column_lower[program.columns["exceptional"]]}
            text = _("prices, {rounds} choices tried", rounds=rounds + 1)
            first, *further = demands.duals or [{}]
            return ObjectiveSolution(values, first, count, count, text, held, tuple(further))
        duals = rows.multipliers(program, infeasibility.duals)
        demands.add({name: duals[name] for name in COUPLING})
        if not demands.rule_out(chosen):
            # Integer allowances are infeasible and real ones are not, which no duals prove.
            return None
    return None


def _each_side(program: Any) -> Iterator[dict[str, NDArray[np.float64]]]:
    """Yield a dual of one on each side of each coupling row alone."""
    for name in COUPLING:
        for row in np.eye(program.rows[name].stop - program.rows[name].start):
            yield {name: row}
            yield {name: -row}
