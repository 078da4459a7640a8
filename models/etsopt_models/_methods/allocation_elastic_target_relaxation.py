r"""Smallest relaxation of `allocation_elastic` over all choices of exceptions, each with a proof, where they are few.

For duals $y$ of the coupling rows a choice $S$ of exceptions leaves an infeasibility of at least
$F(y) - \sum_{i \in S} g_i(y)$, as in `allocation_exceptions`. The choice with the least of these bounds is solved, and
its duals bound all others; once no bound is below the best value, that is the least, and the duals prove it together. A
relaxation of the whole program proves less: parts of exceptions may meet limits that no whole ones do.
"""

from __future__ import annotations

from itertools import combinations
from math import comb, inf
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt.common.units import tolerance_of
from etsopt_models._allocation.coupling import COUPLING
from etsopt_models._effort import EXCEPTION_CHOICES_MAX, EXCEPTION_CHOICES_SOLVED_MAX
from etsopt_models._projection.exception_search import Demands, with_exceptions
from etsopt_models._projection.least_squares import ObjectiveSolution

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "target_relaxation"


def solve_objective(parameters: Mapping[str, Any], program: Any, solve: Any) -> ObjectiveSolution | None:
    """Solve the objective; None without exceptions, or if their choices are too many.

    Parameters
    ----------
    parameters
        As `allocation_elastic.parameters` returns them.
    program
        Program whose bands do not widen.
    solve
        Solver of programs through the engine.
    """
    units = np.flatnonzero((parameters["widening_lower"] > 0) | (parameters["widening_upper"] > 0))
    count = min(int(parameters["exceptions_most"]), len(units))
    if not count or comb(len(units), count) > EXCEPTION_CHOICES_MAX:
        return None
    choices = np.array(list(combinations(units.tolist(), count)))
    bounds, demands = np.full(len(choices), -inf), Demands(parameters, program)
    best: tuple[float, Any, Any] = inf, None, None
    for rounds in range(EXCEPTION_CHOICES_SOLVED_MAX):
        checkpoint(_("choices of exceptions"), rounds + 1)
        place = int(np.argmin(bounds))
        if bounds[place] >= best[0] - tolerance_of(best[0], "t") / 2:
            values = {name: best[1][block] for name, block in program.columns.items()}
            text = _("prices, {rounds} of {count:,} choices tried", rounds=rounds, count=len(choices))
            first, *further = demands.duals
            return ObjectiveSolution(values, first, best[0], float(bounds[place]), text, best[2], tuple(further))
        held = with_exceptions(program, choices[place])
        outcome = solve(held, NAME)
        if outcome.x is None or outcome.multipliers is None:
            return None
        bounds[place] = value = float(program.objectives[NAME].value(outcome.x))
        best = min(best, (value, outcome.x, held), key=lambda known: known[0])
        demands.add({name: outcome.multipliers[program.rows[name]] for name in COUPLING if name in program.rows})
        bounds = np.maximum(bounds, demands.wanted[-1] - demands.gains[-1][choices].sum(axis=1))
    return None
