r"""The last step of `allocation` by prices: the one closest point among all optima of the levels.

The program that comes here holds exactly the optima of the levels, and all its columns but $A$ only measure. What they
and their rows allow is an interval of each $A_i$; what is left is

$$\min_A \sum_i (A_i - R_i)^2 / E_i \quad\text{s.t.}\quad \underline A \le A \le \overline A,\quad G A \ge d$$

where $G$ stacks the rows that couple units. With a price $y \ge 0$ for each row (free for an equality) a unit's best
answer is $A_i = \mathrm{clip}(R_i + \tfrac12 E_i (G^T y)_i)$, and the dual function is concave, once differentiable and
piecewise quadratic. Newton's method on its pieces, with a projection on $y \ge 0$ and a line search, finds its maximum
in a few steps; nothing in it depends on the order of the units.

References: Qi and Sun (1993), A nonsmooth version of Newton's method; Bertsekas (1982), Projected Newton methods.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt_models._parts.coupling import coupling, held_by_rows, intervals
from etsopt_models._parts.limits import IN_RATES
from etsopt_models._parts.newton import Curvature
from etsopt_models._parts.settled import Settled
from etsopt_models._parts.whole_tonnes import Rounding, point_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

MOST_STEPS = 200
HALVINGS, FLAT, AT_START = 60, 0.1, 1e-3
"""Halvings of a step; the share of the first slope that is flat enough to end it; the share of a step that is a short
start of it."""

ACCURACY, CLOSE = 1e-15, 1e-6
"""Violation of a row, against the sum of its absolute terms: where the method stops, and from where on it may stall."""

ENOUGH_T, ENOUGH_RATE = 1e-2, 1e-8
"""Violation of a row [t] and [rate] that is accepted where the rounding of the levels before allows no less."""


def settle(parameters: Mapping[str, Any], program: Any, solve: Any) -> Settled | None:
    """The closest point; where Newton's method stops short of its accuracy, ``algorithm`` says so.

    Parameters
    ----------
    parameters
        As `allocation.parameters` returns them.
    program
        The program after the levels, narrowed to their optima.
    solve
        Solves small programs through the engine; needed where allowances are whole.
    """
    return nearest(program, solve, parameters["emissions"], parameters["reference"])


def nearest(program: Any, solve: Any, emissions: NDArray[np.float64], reference: NDArray[np.float64]) -> Settled | None:
    """The point of a program nearest to a reference, where squared distances count by the inverse of emissions."""
    block = program.columns["whole_allowance"]
    whole = block.stop > block.start
    if whole and held_by_rows(program):
        return _unsettled(program, solve, emissions, reference)
    lower, upper = intervals(program)
    if whole:
        lower, upper = np.round(lower), np.round(upper)
    rows = coupling(program, lower, upper)
    enough = np.array([ENOUGH_RATE if name in IN_RATES else ENOUGH_T for name, _, _ in rows.source])
    problem = _Problem(emissions, reference, lower, upper, rows.matrix, rows.least, rows.free, enough)
    prices, steps, reached = problem.maximise()
    allowance = problem.respond(prices)[0]
    algorithm = f"prices, {steps} Newton steps{'' if reached else ', stopped short'}"
    if whole:
        rounded = Rounding(emissions, reference, lower, upper, rows, solve).settle(program, prices)
        if rounded is None:
            return _unsettled(program, solve, emissions, reference)
        allowance, prices, rounds = rounded
        algorithm += f", {rounds} linear programs for whole tonnes"
    value = float(np.sum((allowance - reference) ** 2 / emissions))
    values = {"allowance": allowance} | ({"whole_allowance": allowance} if whole else {})
    return Settled(values, rows.multipliers(program, prices), value, value, algorithm)


def _unsettled(
    program: Any, solve: Any, emissions: NDArray[np.float64], reference: NDArray[np.float64]
) -> Settled | None:
    """Any whole point of the levels, where the one closest is out of reach; nothing but zero bounds its distance."""
    point, block = point_of(program, solve), program.columns["allowance"]
    if point is None:
        return None
    allowance = np.round(point[block])
    value = float(np.sum((allowance - reference) ** 2 / emissions))
    values = {"allowance": allowance, "whole_allowance": allowance}
    return Settled(values, {}, value, 0.0, "branch and bound for a whole point of the levels; not the closest one")


@dataclass(frozen=True)
class _Point:
    """Prices, which units would move with a price, and how each row is met and missed, against its size too."""

    prices: NDArray[np.float64]
    moves: NDArray[np.bool_]
    surplus: NDArray[np.float64]
    missed: NDArray[np.float64]
    wanted: NDArray[np.float64]


@dataclass(frozen=True)
class _Problem:
    """Units with their intervals, and the rows that couple them."""

    emissions: NDArray[np.float64]
    reference: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    matrix: Any
    least: NDArray[np.float64]
    free: NDArray[np.bool_]
    enough: NDArray[np.float64]

    @cached_property
    def curvature(self) -> Curvature:
        """What weights of the units make of the rows."""
        return Curvature(self.matrix)

    def respond(self, prices: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Best answer of every unit to the prices, and which of them would move with a price."""
        wish = self.reference + self.emissions / 2 * self.matrix.transposed_times(prices)
        answer: NDArray[np.float64] = np.clip(wish, self.lower, self.upper)
        return answer, (answer == wish) & (self.lower < self.upper)

    def look(self, prices: NDArray[np.float64]) -> _Point:
        """Everything the method needs to know at some prices."""
        answer, moves = self.respond(prices)
        surplus = self.matrix @ answer - self.least
        size = np.maximum(self.matrix.absolute() @ np.abs(answer) + np.abs(self.least), 1e-300)
        missed = np.where(self.free | (prices > 0), np.abs(surplus), np.maximum(-surplus, 0.0))
        return _Point(prices, moves, surplus, missed, missed / size)

    def maximise(self) -> tuple[NDArray[np.float64], int, bool]:
        """Prices that maximise the dual function, the number of Newton steps, and whether they reach the accuracy."""
        point = self.look(np.zeros(len(self.least)))
        for step in range(MOST_STEPS):
            distance = float(np.max(point.wanted, initial=0.0))
            if distance <= ACCURACY:
                return point.prices, step, True
            trial = self._search(point, self._newton(point, distance, 1.0))
            trial = trial or self._search(point, self._newton(point, distance, AT_START))
            if trial is None:
                break
            # Rounding of the levels before may leave no room for more: what is good enough and gets no better, ends.
            stalled = distance < CLOSE and np.max(trial.wanted) > 0.5 * distance
            if stalled and np.all(point.missed <= self.enough):
                break
            point = trial
        return point.prices, step, bool(np.all(point.missed <= self.enough))

    def _search(self, point: _Point, direction: NDArray[np.float64]) -> _Point | None:
        """The point on the way where the dual function is about highest; None where the way does not rise.

        The way ends where a price becomes zero. Slopes tell, not values, which close to the end move less than their
        own rounding: a slope is a sum of violations. It falls all the way, so halving finds where it is flat, even in a
        narrow gap between two kinks.
        """
        first = -float(point.surplus @ direction)
        if not first > 0:
            return None
        falls = ~self.free & (direction < 0)
        there = share = float(min(1.0, np.min(point.prices[falls] / -direction[falls], initial=1.0)))
        here, best = 0.0, None
        for _ in range(HALVINGS):
            prices = point.prices + share * direction
            trial = self.look(np.where(self.free, prices, np.maximum(prices, 0.0)))
            slope = -float(trial.surplus @ direction)
            if slope >= 0:
                here, best = share, trial
            else:
                there = share
            if abs(slope) <= FLAT * first or here == there:
                return trial
            share = (here + there) / 2
        return best

    def _newton(self, point: _Point, distance: float, start: float) -> NDArray[np.float64]:
        """Newton's direction on the prices that may move; damped far from the end (Levenberg-Marquardt).

        A price that would fall through zero within the start of the step, a share of it, goes to zero and moves no
        other; with a short start the direction is sure to rise.
        """
        may = self.free | (point.prices > 0) | (point.surplus < 0)
        weight = np.where(point.moves, self.emissions / 2, 0.0)
        direction = np.where(may, 0.0, -point.prices)
        squares = self.matrix.sums(self.matrix.data**2 * (self.emissions / 2)[self.matrix.indices])
        while may.any():
            active = np.flatnonzero(may)
            missing = -point.surplus
            if start == 1.0:
                missing = missing - self.matrix @ (weight * self.matrix.transposed_times(np.where(may, 0.0, direction)))
            scale, ridge = 1 / np.sqrt(squares[active]), 1e-12 + min(1e-3, distance)
            step = self.curvature.solve(weight, active, scale, ridge, scale * missing[active])
            direction[active] = scale * step
            blocked = may & ~self.free & (point.prices + start * direction < 0)
            if not blocked.any():
                break
            gone = blocked & ((point.surplus > 0) | (start == 1.0))
            direction = np.where(gone, -point.prices, np.where(blocked, 0.0, direction))
            may &= ~blocked
        return direction
