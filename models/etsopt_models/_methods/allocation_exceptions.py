r"""Exceptions of `allocation` by logic-based Benders cuts: fewest units, then most emissions, then first ids.

Without wider bands the program may be infeasible. For duals $y$ of the coupling rows a choice $S$ of exceptions is
feasible only if

$$\sum_{i \in S} g_i(y) \ge F(y) = \sum_i \min_{\underline B_i \le a \le \overline B_i} (-\pi_i a) + y^T d$$

where $g_i$ is the gain from the margin of $i$. The method searches the choices in their order for the first that
satisfies every such demand known so far, at first those of single rows, and tests its feasibility. If it is infeasible,
the rows of least infeasibility have duals that exclude it and similar choices. The first feasible choice is the answer, and the duals
prove it.

References: Hooker and Ottosson (2003), Logic-based Benders decomposition.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.progress import checkpoint
from etsopt_models._allocation.coupling import COUPLING, coupling, intervals, least_infeasibility
from etsopt_models._projection.exception_search import TooManyError, fewest, first_choice, order_key
from etsopt_models._projection.objective_solution import ObjectiveSolution

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

MOST_ROUNDS = 200
ENOUGH_T, NOISE = 1e-3, 1e-12
"""Infeasibility of rows that counts as none [t]; rounding of the gain that a choice needs, relative to its terms."""


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
    demands = _Demands(parameters, program)
    for row in _each_side(program):
        demands.add(row, only_if_infeasible=True)
    key = order_key(parameters["smaller"], parameters["place"], parameters["exceptions_most"])
    count, least, most = 0, 0, parameters["exceptions_most"]
    for rounds in range(MOST_ROUNDS):
        checkpoint("exceptions, choice", rounds + 1)
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
        held = _with_exceptions(program, chosen)
        lower, upper = intervals(held)
        rows = coupling(held, lower, upper)
        infeasibility = least_infeasibility(held, solve, rows, lower, upper)
        if infeasibility is None:
            return None
        if infeasibility.infeasibility_t <= ENOUGH_T:
            values = {"exceptional": held.column_lower[program.columns["exceptional"]]}
            text = f"prices, {rounds + 1} choices tried"
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


def _with_exceptions(program: Any, chosen: list[int]) -> Any:
    """Return the program with these units as exceptions and no others."""
    lower, upper = program.column_lower.copy(), program.column_upper.copy()
    block = program.columns["exceptional"]
    lower[block] = upper[block] = 0.0
    lower[block.start + np.array(chosen, dtype=np.int64)] = upper[block.start + np.array(chosen, dtype=np.int64)] = 1.0
    return replace(program, column_lower=lower, column_upper=upper)


class _Demands:
    """Demands of duals on every choice."""

    def __init__(self, parameters: Mapping[str, Any], program: Any) -> None:
        self.program, self.unit_band = program, np.zeros(len(parameters["emissions"]), dtype=bool)
        self.unit_band[parameters["WITH_OWN_BAND"]] = True
        block = program.columns["allowance"]
        # A unit of an enterprise with a band may hold all of its allowances, with every exception.
        self.lower = np.where(self.unit_band, parameters["band_lower"], program.column_lower[block])
        self.upper = np.where(self.unit_band, parameters["band_upper"], program.column_upper[block])
        self.below, self.above = parameters["widening_lower"], parameters["widening_upper"]
        self.duals: list[dict[str, NDArray[np.float64]]] = []
        self.gains: list[NDArray[np.float64]] = []
        self.wanted: list[float] = []

    def add(self, duals: dict[str, NDArray[np.float64]], only_if_infeasible: bool = False) -> None:
        """Add the demand of some duals."""
        program = self.program
        dual = np.zeros(program.matrix.shape[0])
        for name, part in duals.items():
            dual[program.rows[name]] = part
        side = np.where(dual > 0, program.row_lower, program.row_upper)
        dual = np.where(np.isfinite(side), dual, 0.0)
        matrix = program.matrix.toscipy()
        dual_activity = dual @ matrix[:, program.columns["allowance"]]
        lowest = np.minimum(-dual_activity * self.lower, -dual_activity * self.upper)
        terms = np.concatenate([lowest, dual[dual != 0] * side[dual != 0]])
        gains = np.where(dual_activity > 0, dual_activity * self.above, -dual_activity * self.below) * self.unit_band
        gains = gains + dual @ matrix[:, program.columns["exceptional"]]
        wanted = float(np.sum(terms)) - NOISE * float(np.sum(np.abs(terms)))
        if wanted > 0 or not only_if_infeasible:
            self.duals.append(duals)
            self.gains.append(gains)
            self.wanted.append(wanted)

    def rule_out(self, chosen: list[int]) -> bool:
        """Return True if the last duals exclude a choice."""
        return float(np.sum(self.gains[-1][chosen])) < self.wanted[-1]

    def stacked(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the gains by demand and unit, and the gain wanted by demand."""
        return np.array(self.gains).reshape(len(self.gains), len(self.below)), np.array(self.wanted)
