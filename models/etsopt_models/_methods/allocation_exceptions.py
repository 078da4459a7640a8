r"""Which units of `allocation` are exceptions, by prices: fewest units, then the most emissions, then the first ids.

Without its wider bands the program may lack tonnes. For prices $y$ of the coupling rows a choice $S$ of exceptions can
only do if

$$\sum_{i \in S} g_i(y) \ge F(y) = \sum_i \min_{\underline B_i \le a \le \overline B_i} (-\pi_i a) + y^T d$$

where $g_i$ is what the wider band of $i$ adds. So: find the first choice that satisfies every such demand known so far,
by a search through the choices in their order; see whether it does; if not, the rows that lack least have prices that
rule it out and others like it. The first choice that does is the answer, and the prices prove it.

References: Hooker and Ottosson (2003), Logic-based Benders decomposition.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.progress import checkpoint
from etsopt_models._allocation.coupling import COUPLING, coupling, intervals, least_infeasibility
from etsopt_models._projection.exception_search import TooManyError, first_choice, order_key
from etsopt_models._projection.objective_solution import ObjectiveSolution

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

MOST_ROUNDS = 200
ENOUGH_T, NOISE = 1e-3, 1e-12
"""What rows may lack that are met, and the rounding of what a choice must gain against the sum of its terms."""


def solve_objective(
    parameters: Mapping[str, Any], program: Any, solve: Any
) -> ObjectiveSolution | None:  # long because each way out of the search is one statement here
    """The exceptions, all three levels at once, and the program with them; None where the search is too long.

    Parameters
    ----------
    parameters
        As `allocation.parameters` returns them.
    program
        The program before any level.
    solve
        Solves programs through the engine.
    """
    relaxed = solve(replace(program, integer=np.zeros_like(program.integer)), "exceptions")
    if relaxed.x is None or relaxed.multipliers is None:
        return None
    demands = _Demands(parameters, program)
    demands.add({name: relaxed.multipliers[block] for name, block in program.rows.items() if name in COUPLING})
    for row in _each_side(program):
        demands.add(row, only_if_lacking=True)
    key = order_key(parameters["smaller"], parameters["place"], parameters["exceptions_most"])
    count, least, most = 0, 0, parameters["exceptions_most"]
    for rounds in range(MOST_ROUNDS):
        checkpoint("exceptions, choice", rounds + 1)
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
        found = least_infeasibility(held, solve, rows, lower, upper)
        if found is None:
            return None
        if found.lacking <= ENOUGH_T:
            values = {"exceptional": held.column_lower[program.columns["exceptional"]]}
            text = f"prices, {rounds + 1} choices tried"
            return ObjectiveSolution(values, demands.prices[0], count, count, text, held, tuple(demands.prices[1:]))
        prices = rows.multipliers(program, found.prices)
        demands.add({name: prices[name] for name in COUPLING})
        if not demands.rule_out(chosen):
            # Whole allowances lack where real ones do not, and no prices tell.
            return None
    return None


def _each_side(program: Any) -> Iterator[dict[str, NDArray[np.float64]]]:
    """A price of one on each side of each coupling row alone."""
    for name in COUPLING:
        for row in np.eye(program.rows[name].stop - program.rows[name].start):
            yield {name: row}
            yield {name: -row}


def _with_exceptions(program: Any, chosen: list[int]) -> Any:
    """The program with these units as exceptions and no others."""
    lower, upper = program.column_lower.copy(), program.column_upper.copy()
    block = program.columns["exceptional"]
    lower[block] = upper[block] = 0.0
    lower[block.start + np.array(chosen, dtype=np.int64)] = upper[block.start + np.array(chosen, dtype=np.int64)] = 1.0
    return replace(program, column_lower=lower, column_upper=upper)


class _Demands:
    """What prices demand of every choice."""

    def __init__(self, parameters: Mapping[str, Any], program: Any) -> None:
        self.program, self.own = program, np.zeros(len(parameters["emissions"]), dtype=bool)
        self.own[parameters["WITH_OWN_BAND"]] = True
        block = program.columns["allowance"]
        # A unit of an enterprise may hold anything up to all of that, with every exception.
        self.lower = np.where(self.own, parameters["band_lower"], program.column_lower[block])
        self.upper = np.where(self.own, parameters["band_upper"], program.column_upper[block])
        self.below, self.above = parameters["widening_lower"], parameters["widening_upper"]
        self.prices: list[dict[str, NDArray[np.float64]]] = []
        self.gains: list[NDArray[np.float64]] = []
        self.wanted: list[float] = []

    def add(self, prices: dict[str, NDArray[np.float64]], only_if_lacking: bool = False) -> None:
        """Add what prices demand."""
        program = self.program
        price = np.zeros(program.matrix.shape[0])
        for name, part in prices.items():
            price[program.rows[name]] = part
        side = np.where(price > 0, program.row_lower, program.row_upper)
        price = np.where(np.isfinite(side), price, 0.0)
        matrix = program.matrix.toscipy()
        pull = price @ matrix[:, program.columns["allowance"]]
        lowest = np.minimum(-pull * self.lower, -pull * self.upper)
        terms = np.concatenate([lowest, price[price != 0] * side[price != 0]])
        gains = np.where(pull > 0, pull * self.above, -pull * self.below) * self.own
        gains = gains + price @ matrix[:, program.columns["exceptional"]]
        wanted = float(np.sum(terms)) - NOISE * float(np.sum(np.abs(terms)))
        if wanted > 0 or not only_if_lacking:
            self.prices.append(prices)
            self.gains.append(gains)
            self.wanted.append(wanted)

    def rule_out(self, chosen: list[int]) -> bool:
        """Whether the last prices rule out a choice."""
        return float(np.sum(self.gains[-1][chosen])) < self.wanted[-1]

    def stacked(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Gains by demand and unit, and what is wanted by demand."""
        return np.stack(self.gains), np.array(self.wanted)
