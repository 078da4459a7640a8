r"""Removal of rounding from the totals and rates of a projection.

Totals of a million numbers miss their limits by rounding, and so do rates that many duals have to make equal. The gap
of the answer is the violation of a row times its dual. So for each row with a dual, and each equality, units are moved
by the violation of the exact total, some thousandths of a tonne at most.

- In a column of totals one unit moves: that with the finest numbers among those with room.
- Units that rows of rates tie to each other have one rate to the last digit, and move together.

Integer projection: the closest point in whole tonnes, from the closest real point and its duals.

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
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt.common.units import ROUNDING_NOISE_T
from etsopt_models._allocation.coupling import small_program
from etsopt_models._effort import (
    POLISHING_ROUNDS_MAX,
    POLISHING_WORK_MAX,
    PROJECTION_REACH_FACTOR,
    PROJECTION_REACH_FIRST_T,
    PROJECTION_TONNES_ROUNDS_MAX,
)
from etsopt_models._tolerances import (
    POLISHED_VIOLATION_MAX_T,
    POLISHING_ROOM_PER_VIOLATION,
    REDUNDANT_ROW_RELATIVE,
    TONNE_COST_ROUNDING_RELATIVE,
    TONNE_GAIN_RELATIVE,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt_models._allocation.coupling import Coupling
    from etsopt_models._projection.least_squares import Projection


FRACTION = 2.0**30
"""Parts of a tonne in which fractions add up without rounding."""


def polished(problem: Projection, answer: NDArray[np.float64], duals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the answer with rows that have a dual exactly at their limits, shape ``(units,)`` [t]."""
    entries, tight = problem.entries, problem.is_equality | (duals > 0)
    in_rates = np.bincount(entries.row, np.abs(entries.value) != 1, problem.rows) > 0
    tied = Tied.of(problem, in_rates & tight)
    answer = tied.equalled(answer)
    of_totals = np.flatnonzero(tight & ~in_rates)
    if not len(of_totals) or len(of_totals) ** 2 * entries.columns > POLISHING_WORK_MAX:
        return problem.whole_if_near(answer)
    full = _dense(problem, of_totals)
    of_groups = tied.sums(full)
    for _round in range(POLISHING_ROUNDS_MAX):
        off = _off(problem, answer)[of_totals]
        most = float(np.max(np.abs(off)))
        if not off.any() or most > POLISHED_VIOLATION_MAX_T:
            break
        room = np.minimum(answer - problem.lower, problem.upper - answer) >= POLISHING_ROOM_PER_VIOLATION * max(
            most, ROUNDING_NOISE_T
        )
        alone = _finest(problem, answer, room & (tied.group < 0))
        columns, groups = np.flatnonzero(alone >= 0), tied.with_room(room)
        if not len(columns) + len(groups):
            break
        ways = np.hstack([full[:, columns], of_groups[:, groups]])
        moves = np.linalg.lstsq(ways, -off, rcond=REDUNDANT_ROW_RELATIVE)[0].astype(np.float64)
        if np.max(np.abs(moves)) > POLISHING_ROOM_PER_VIOLATION * most:
            break
        answer[alone[columns]] += moves[: len(columns)]
        answer = tied.shifted(answer, groups, moves[len(columns) :])
    return problem.whole_if_near(np.clip(answer, problem.lower, problem.upper))


@dataclass(frozen=True)
class Tied:
    """Units tied to each other by rows of rates with a dual.

    Parameters
    ----------
    problem
        Units and rows.
    group
        Number of the group of each unit, -1 if it is tied to none, shape ``(units,)``.
    firm
        True for units that a row of rates with a dual ties to a number, not to another unit.
    """

    problem: Projection
    group: NDArray[np.int64]
    firm: NDArray[np.bool_]

    @classmethod
    def of(cls, problem: Projection, rows: NDArray[np.bool_]) -> Tied:
        """Return the units tied by those of some rows of rates that have two units and no number."""
        entries, units = problem.entries, len(problem.emissions)
        group, firm = np.full(units, -1), np.zeros(units, dtype=bool)
        row = rows[entries.row]
        if not row.any():
            return cls(problem, group, firm)
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        pairs = (np.bincount(entries.row, minlength=problem.rows) == 2) & (problem.least == 0) & rows
        order = np.flatnonzero(pairs[entries.row])
        order = order[np.argsort(entries.row[order], kind="stable")]
        first, second = entries.column[order[::2]], entries.column[order[1::2]]
        graph = coo_array((np.ones(len(first)), (first, second)), shape=(units, units))
        label = connected_components(graph, directed=False)[1]
        members = np.unique(np.concatenate([first, second]))
        group[members] = np.unique(label[members], return_inverse=True)[1]
        firm[entries.column[row & ~pairs[entries.row]]] = True
        return cls(problem, group, firm)

    @cached_property
    def members(self) -> NDArray[np.int64]:
        """Units tied to others."""
        return np.flatnonzero(self.group >= 0)

    @cached_property
    def emissions(self) -> NDArray[np.float64]:
        """Emissions of each group [tCO2e]."""
        return np.bincount(self.group[self.members], self.problem.emissions[self.members]).astype(float)

    def equalled(self, answer: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the answer with one rate in each group: that of a unit at an end of its interval, else the mean."""
        members, answer = self.members, answer.copy()
        group, emissions = self.group[members], self.problem.emissions[members]
        rate = np.bincount(group, answer[members]) / self.emissions
        lower, upper = self.problem.lower[members], self.problem.upper[members]
        held = self.firm[members] | (answer[members] <= lower) | (answer[members] >= upper)
        rate[group[held]] = answer[members][held] / emissions[held]
        answer[members] = np.clip(rate[group] * emissions, lower, upper)
        return answer

    def with_room(self, room: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return the groups all of whose units have room."""
        stays = self.members[~room[self.members] | self.firm[self.members]]
        return np.setdiff1d(np.unique(self.group[self.members]), self.group[stays])

    def sums(self, full: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the change of some rows per tonne added to each group, shape ``(rows, groups)``."""
        members = self.members
        sums = np.zeros((len(self.emissions), len(full)))
        np.add.at(sums, self.group[members], (full[:, members] * self.problem.emissions[members]).T)
        return (sums / self.emissions[:, np.newaxis]).T

    def shifted(
        self, answer: NDArray[np.float64], groups: NDArray[np.int64], moves: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the answer with some groups moved [t], and one rate in each."""
        by_group = np.zeros(len(self.emissions))
        by_group[groups] = moves
        members, answer = self.members, answer.copy()
        own = self.group[members]
        answer[members] += by_group[own] * self.problem.emissions[members] / self.emissions[own]
        return self.equalled(answer)


def _dense(problem: Projection, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return some rows as a dense matrix, shape ``(rows, columns)``."""
    place = np.full(problem.rows, -1)
    place[rows] = np.arange(len(rows))
    entry = np.flatnonzero(place[problem.entries.row] >= 0)
    full = np.zeros((len(rows), problem.entries.columns))
    full[place[problem.entries.row[entry]], problem.entries.column[entry]] = problem.entries.value[entry]
    return full


def _off(problem: Projection, answer: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the excess of each row over its right-hand side, exact to about a billionth."""
    whole = np.rint(answer)
    fraction = np.rint((answer - whole) * FRACTION) / FRACTION
    parts = whole, fraction, (answer - whole) - fraction
    totals = [problem.entries.times(problem.by_column(part)) for part in parts]
    off: NDArray[np.float64] = (totals[0] - problem.least) + (totals[1] + totals[2])
    return off


def _finest(problem: Projection, answer: NDArray[np.float64], may: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the unit of each column with the finest numbers among those that may move; -1 if there is none."""
    size = np.where(may, answer, np.inf)
    least = size
    if problem.cell is not None:
        least = np.full(problem.entries.columns, np.inf)
        np.minimum.at(least, problem.cell, size)
    chosen = np.flatnonzero((size == problem.of_units(least)) & may)
    finest = np.full(problem.entries.columns, -1)
    finest[chosen if problem.cell is None else problem.cell[chosen]] = chosen
    return finest


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
