r"""The least largest rate of `allocation` in whole tonnes, by duals of the rows.

A rate $w$ leaves each unit the integers with $|A_i - R_i| \le w E_i$. Sector, province and national rows are a network,
so integer allowances exist there if and only if real ones do, and if there are none, duals $y$ prove it:

$$D(y, w) = \sum_i \min_{a \in [\underline A_i(w), \overline A_i(w)]} (-\pi_i a) + y^T d > 0, \qquad \pi = G^T y.$$

For given duals $D$ falls in steps as $w$ grows. As in Dinkelbach's method, find the least $w$ that the duals do not
exclude. If integer allowances exist there it is the answer, and the duals prove it; else the rows of least
infeasibility give new duals. The first duals are those of the linear relaxation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt_models._allocation.coupling import (
    coupling,
    fixed_by_rows,
    intervals,
    is_above_zero,
    least_infeasibility,
    per_rate,
    rates_needed,
    tonnes_within,
)
from etsopt_models._effort import RATE_HALVINGS_MAX, WHOLE_TONNES_ROUNDS_MAX
from etsopt_models._projection.least_squares import ObjectiveSolution

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt_models._allocation.coupling import Coupling


def solve_objective(parameters: Mapping[str, Any], program: Any, solve: Any) -> ObjectiveSolution | None:
    """Find the least rate and its program; None if allowances are real or a row fixes an objective.

    Parameters
    ----------
    parameters
        As `allocation.parameters` returns them.
    program
        Program fixed at the optimum of the earlier objectives.
    solve
        Solver of programs through the engine.
    """
    if not len(parameters["WHOLE"]) or fixed_by_rows(program):
        return None
    relaxed = solve(replace(program, integer=np.zeros_like(program.integer)), "largest_change")
    if relaxed.x is None or relaxed.multipliers is None:
        return None
    lower, upper = (np.round(end) for end in intervals(program))
    rows = coupling(program, lower, upper)
    problem = _Problem(parameters["emissions"], parameters["reference"], lower, upper, rows)
    duals = np.array([sign * relaxed.multipliers[program.rows[name]][at] for name, at, sign in rows.source])
    # Each of the two sides of a row has its own sign.
    duals = np.where(rows.is_equality, duals, np.maximum(duals, 0.0))
    rate = problem.first()
    for rounds in range(1, WHOLE_TONNES_ROUNDS_MAX + 1):
        checkpoint(_("largest rate, round"), rounds)
        rate = problem.least_unproven(duals, rate, parameters["largest_rate_most"])
        nearest = least_infeasibility(program, solve, rows, *problem.integers_within(rate))
        if nearest is None:
            return None
        if nearest.infeasibility_t < 0.5:
            allowance = np.round(nearest.allowance)
            multipliers = rows.multipliers(program, problem.per_rate(duals, rate))
            held = _within(program, *problem.integers_within(rate), rate)
            values = {"allowance": allowance, "whole_allowance": allowance, "largest_rate": np.array([rate])}
            return ObjectiveSolution(values, multipliers, rate, rate, f"prices, {rounds} linear programs", held)
        duals = nearest.duals
    return None


def _within(program: Any, lower: NDArray[np.float64], upper: NDArray[np.float64], rate: float) -> Any:
    """Return the program with every allowance bounded by the rate, and its rows of the rate relaxed."""
    column_lower, column_upper = program.column_lower.copy(), program.column_upper.copy()
    for name in ("allowance", "whole_allowance"):
        column_lower[program.columns[name]], column_upper[program.columns[name]] = lower, upper
    column_lower[program.columns["largest_rate"]] = column_upper[program.columns["largest_rate"]] = rate
    row_lower, row_upper = program.row_lower.copy(), program.row_upper.copy()
    row_lower[program.rows["largest_change_covers"]], row_upper[program.rows["largest_change_covers"]] = -np.inf, np.inf
    return replace(
        program, column_lower=column_lower, column_upper=column_upper, row_lower=row_lower, row_upper=row_upper
    )


@dataclass(frozen=True)
class _Problem:
    """Units with their intervals in whole tonnes, and the rows that couple them."""

    emissions: NDArray[np.float64]
    reference: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    rows: Coupling

    def integers_within(self, rate: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the integers of each unit within a rate; the lower end exceeds the upper if there are none."""
        room = tonnes_within(rate, self.emissions)
        return np.maximum(self.lower, self.reference - room), np.minimum(self.upper, self.reference + room)

    def first(self) -> float:
        """Return the least rate at which every unit alone has an integer."""
        needed = rates_needed(self.lower - self.reference, self.reference - self.upper, self.emissions)
        return float(np.max(needed, initial=0.0))

    def proves(self, duals: NDArray[np.float64], rate: float) -> bool:
        """Return True if the duals prove that no allowances lie within a rate."""
        lower, upper = self.integers_within(rate)
        dual_activity = self.rows.matrix.transposed_times(duals)
        # Relative to the reference, to avoid cancellation in the sum.
        best = np.where(dual_activity > 0, upper, lower) - self.reference
        asked = duals * (self.rows.least - self.rows.matrix @ self.reference)
        return is_above_zero(np.concatenate([asked, -dual_activity * best]))

    def least_unproven(self, duals: NDArray[np.float64], low: float, high: float) -> float:
        """Return the least rate from ``low`` on that the duals do not exclude."""
        if not self.proves(duals, low):
            return low
        for _time in range(RATE_HALVINGS_MAX):
            middle = (low + high) / 2
            if middle in (low, high):
                break
            low, high = (middle, high) if self.proves(duals, middle) else (low, middle)
        # The step crossed: the largest of those up to here.
        return float(np.max(tonnes_within(high, self.emissions) / self.emissions))

    def per_rate(self, duals: NDArray[np.float64], rate: float) -> NDArray[np.float64]:
        """Return the duals in rate per tonne, scaled by the dual activity that units add per rate."""
        lower, upper = self.integers_within(rate)
        dual_activity = self.rows.matrix.transposed_times(duals)
        moves = np.where(dual_activity > 0, upper < self.upper, lower > self.lower)
        return per_rate(duals, dual_activity, self.emissions, moves)
