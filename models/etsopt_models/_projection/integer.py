r"""Integer projection: the closest point in whole tonnes, from the closest real point and its duals.

Each unit takes the integer next to its best response to the duals; then the rows are missed by a few tonnes. Columns
$0 \le z_{ik} \le 1$ for the next tonnes of each unit cost their increase of its parabola less the duals. So

$$\min \sum_{ik} \Bigl(\frac{2 (a_{ik} - C_i) + 1}{W_i} - \pi_i\Bigr) z_{ik} + y^T s
  \quad\text{s.t.}\quad G \Bigl(a + \sum_k z_{\cdot k}\Bigr) - s = d, \quad s \ge 0$$

is a linear program with integer vertices if the rows are a network. The parabola of a large unit is flatter, and it may
have to move by many tonnes; so a unit at the end of its columns that would move on gets more of them. At the end the
duals of the program, added to the first, prove that no unit has a better integer.

Among equally good answers the tonnes go to the first units by `unit_id`.

References: Hochbaum and Shanthikumar (1990), Convex separable optimization is not much harder than linear optimization.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt_models._allocation.coupling import small_program
from etsopt_models._effort import PROJECTION_REACH_FACTOR, PROJECTION_REACH_FIRST_T, PROJECTION_TONNES_ROUNDS_MAX
from etsopt_models._tolerances import TONNE_COST_ROUNDING_RELATIVE, TONNE_GAIN_RELATIVE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt_models._allocation.coupling import Coupling


@dataclass(frozen=True)
class Rounding:
    """Squares of units, their intervals in whole tonnes and places, the rows that couple them, and the engine's ``solve``."""

    weight: NDArray[np.float64]
    centre: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    place: NDArray[np.float64]
    rows: Coupling
    solve: Any

    def solve_objective(
        self, program: Any, duals: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], int] | None:
        """Return the closest allowances in whole tonnes, their duals and the number of programs; None if none is found.

        Parameters
        ----------
        program
            Program of the engine whose type the small ones take.
        duals
            Duals of the rows for the closest point in real numbers.
        """
        dual_activity = self.rows.matrix.transposed_times(duals)
        wish = np.floor(self.centre + self.weight / 2 * dual_activity + 0.5)
        centre = np.clip(wish, self.lower, self.upper)
        if not len(duals):
            return centre, duals, 0
        reach = np.full(len(centre), PROJECTION_REACH_FIRST_T)
        for rounds in range(1, PROJECTION_TONNES_ROUNDS_MAX + 1):
            checkpoint(_("whole tonnes, round"), rounds)
            low, high = np.maximum(self.lower, centre - reach), np.minimum(self.upper, centre + reach)
            answer = self._between(program, low, high, duals)
            if not isinstance(answer, tuple):
                # More columns help if there are too few of them, but not after the time limit.
                if answer != "infeasible" or ((low == self.lower).all() and (high == self.upper).all()):
                    return None
                reach = reach * PROJECTION_REACH_FACTOR
                continue
            allowance, changes = answer
            stuck = self._would_go_on(allowance, low, high, dual_activity + self.rows.matrix.transposed_times(changes))
            if not stuck.any():
                return allowance, duals + changes, rounds
            centre, reach = allowance, np.where(stuck, PROJECTION_REACH_FACTOR * reach, reach)
        return None

    def _would_go_on(
        self, allowance: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64], dual_activity: Any
    ) -> NDArray[np.bool_]:
        """Return True for units at an end of their columns, but not of their interval, that gain from a tonne more."""
        enough = TONNE_GAIN_RELATIVE / self.weight.min()
        slope = 2 * (allowance - self.centre)
        more = (allowance >= high) & (high < self.upper) & ((slope + 1) / self.weight < dual_activity - enough)
        less = (allowance <= low) & (low > self.lower) & ((slope - 1) / self.weight > dual_activity + enough)
        result: NDArray[np.bool_] = more | less
        return result

    def _between(
        self, program: Any, low: NDArray[np.float64], high: NDArray[np.float64], duals: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]] | str:
        """Return the best integer allowances between two ends and the duals of the rows, else the termination."""
        dual_activity = self.rows.matrix.transposed_times(duals)
        count = np.round(high - low).astype(np.int64)
        owner = np.repeat(np.arange(len(low)), count)
        step = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
        slope = 2 * (low[owner] + step - self.centre[owner]) + 1
        # Costs are relative to a tonne of the smallest unit, hence about one. Slack of a row costs its dual: so the
        # duals are those of the objective itself.
        size, spare = float(self.weight.min()), np.flatnonzero(~self.rows.is_equality)
        # Loaded beside Pyomo, scipy loads scipy.stats; only whole tonnes and exceptions are worth that.
        from scipy.sparse import eye_array, hstack

        matrix = self.rows.matrix.toscipy()
        least = self.rows.least - matrix @ low
        most = np.maximum(matrix.maximum(0) @ (high - low) - least, 0.0)[spare] + 1.0
        cost = size * np.concatenate([slope / self.weight[owner] - dual_activity[owner], duals[spare]])
        # Costs within the rounding of the duals are zero; else rounding would break ties.
        cost = np.where(np.abs(cost) <= TONNE_COST_ROUNDING_RELATIVE, 0.0, cost)
        part = small_program(
            program,
            {"step": (np.zeros(len(owner)), np.ones(len(owner)), True), "spare": (0 * most, most, False)},
            hstack([matrix[:, owner], -eye_array(len(least)).tocsc()[:, spare]], format="csr"),
            (least, least),
            {"least_squares": cost, "order": np.concatenate([self.place[owner] / np.max(self.place), 0 * most])},
        )
        outcome = self.solve(part, "least_squares")
        if outcome.x is None:
            return str(outcome.termination)
        best = outcome
        if outcome.column_side is not None:
            tied = self.solve(part.fixed_at_sides(outcome.column_side, outcome.row_side), "order")
            best = tied if tied.x is not None else outcome
        taken = np.bincount(owner, np.round(best.x[: len(owner)]), len(low))
        return low + taken, outcome.multipliers / size


def point_of(program: Any, solve: Any) -> NDArray[np.float64] | None:
    """Return any point of a program; None if the solver finds none."""
    objective = type(next(iter(program.objectives.values())))
    nothing = objective(np.zeros(len(program.column_lower)), None, 0.0, "")
    program.objectives["point"] = nothing
    outcome = solve(program, "point")
    del program.objectives["point"]
    point: NDArray[np.float64] | None = outcome.x
    return point
