r"""The closest point in whole tonnes, from the closest point in real numbers and its prices.

Each unit takes the whole number next to its best answer to the prices; then the rows lack or exceed a few tonnes. With
columns $0 \le z_{ik} \le 1$ for the next tonnes of each unit, which cost what they add to its parabola less the prices,

$$\min \sum_{ik} \Bigl(\frac{2 (a_{ik} - R_i) + 1}{E_i} - \pi_i\Bigr) z_{ik} + y^T s
  \quad\text{s.t.}\quad G \Bigl(a + \sum_k z_{\cdot k}\Bigr) - s = d, \quad s \ge 0$$

is a linear program with whole vertices where the rows are a network. A large unit bends less than a small one and may
have to move by many tonnes, so whoever stands at the end of its columns and would go on gets more of them. At the end
the duals, added to the prices, price whole tonnes exactly: no unit has a better whole number, and they prove it.

Among equally good answers the tonnes go to those that come first by `unit_id`.

References: Hochbaum and Shanthikumar (1990), Convex separable optimization is not much harder than linear optimization.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.progress import checkpoint
from etsopt_models._allocation.coupling import small_program

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt_models._allocation.coupling import Coupling

MOST_ROUNDS, FIRST_STEPS, TIMES = 40, 2.0, 4.0
"""Rounds at most; tonnes up and down that each unit has at first; how many times as many whoever needs more gets."""

INDIFFERENT, ROUNDING = 1e-9, 1e-11
"""A gain up to this share of what a tonne of the smallest unit costs is none; a cost up to that one is rounding."""


@dataclass(frozen=True)
class Rounding:
    """Units with their intervals in whole tonnes and places, the rows that couple them, and the engine's ``solve``."""

    emissions: NDArray[np.float64]
    reference: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    place: NDArray[np.float64]
    rows: Coupling
    solve: Any

    def solve_objective(
        self, program: Any, prices: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], int] | None:
        """Closest allowances in whole tonnes, their prices, and how many programs it took; None where none was found.

        Parameters
        ----------
        program
            Any program of the engine, whose kind the small ones have.
        prices
            Of the rows for the closest point in real numbers.
        """
        pull = self.rows.matrix.transposed_times(prices)
        wish = np.floor(self.reference + self.emissions / 2 * pull + 0.5)
        centre = np.clip(wish, self.lower, self.upper)
        if not len(prices):
            return centre, prices, 0
        reach = np.full(len(centre), FIRST_STEPS)
        for rounds in range(1, MOST_ROUNDS + 1):
            checkpoint("whole tonnes, round", rounds)
            low, high = np.maximum(self.lower, centre - reach), np.minimum(self.upper, centre + reach)
            found = self._between(program, low, high, prices)
            if not isinstance(found, tuple):
                # More columns help where there are too few of them, and not where the time is over.
                if found != "infeasible" or ((low == self.lower).all() and (high == self.upper).all()):
                    return None
                reach = reach * TIMES
                continue
            allowance, duals = found
            stuck = self._would_go_on(allowance, low, high, pull + self.rows.matrix.transposed_times(duals))
            if not stuck.any():
                return allowance, prices + duals, rounds
            centre, reach = allowance, np.where(stuck, TIMES * reach, reach)
        return None

    def _would_go_on(
        self, allowance: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64], pull: Any
    ) -> NDArray[np.bool_]:
        """Which units stand at an end of their columns and not of their interval, and gain from a tonne more."""
        enough = INDIFFERENT / self.emissions.min()
        slope = 2 * (allowance - self.reference)
        more = (allowance >= high) & (high < self.upper) & ((slope + 1) / self.emissions < pull - enough)
        less = (allowance <= low) & (low > self.lower) & ((slope - 1) / self.emissions > pull + enough)
        result: NDArray[np.bool_] = more | less
        return result

    def _between(
        self, program: Any, low: NDArray[np.float64], high: NDArray[np.float64], prices: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]] | str:
        """Best whole allowances between two ends, and the duals of the rows; why there are none where there are none."""
        pull = self.rows.matrix.transposed_times(prices)
        count = np.round(high - low).astype(np.int64)
        owner = np.repeat(np.arange(len(low)), count)
        step = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
        slope = 2 * (low[owner] + step - self.reference[owner]) + 1
        # In units of a tonne of the smallest, so that costs are about one. What a row has to spare costs its price, or
        # the prices would not be those of the objective itself.
        size, spare = float(self.emissions.min()), np.flatnonzero(~self.rows.free)
        # Loaded beside Pyomo, scipy loads scipy.stats; only whole tonnes and exceptions are worth that.
        from scipy.sparse import eye_array, hstack

        matrix = self.rows.matrix.toscipy()
        least = self.rows.least - matrix @ low
        most = np.maximum(matrix.maximum(0) @ (high - low) - least, 0.0)[spare] + 1.0
        cost = size * np.concatenate([slope / self.emissions[owner] - pull[owner], prices[spare]])
        # Tonnes that cost the prices' own rounding cost nothing, or it would choose between equal ones.
        cost = np.where(np.abs(cost) <= ROUNDING, 0.0, cost)
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
    """Any point of a program; None where the solver finds none."""
    objective = type(next(iter(program.objectives.values())))
    nothing = objective(np.zeros(len(program.column_lower)), None, 0.0, "")
    program.objectives["point"] = nothing
    outcome = solve(program, "point")
    del program.objectives["point"]
    point: NDArray[np.float64] | None = outcome.x
    return point
