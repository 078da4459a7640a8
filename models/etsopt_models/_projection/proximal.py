r"""Duals of the rows at which units respond with the projection, by a proximal Newton method.

The dual function $g$ of the projection is concave, once differentiable and piecewise quadratic. If rows are redundant,
or leave no room beside earlier objectives, pieces of it are flat and its maximum is far away. So each round adds a
parabola around the duals $\hat y$ of the round before,

$$\max_y\; g(y) - \tfrac12 \rho \sum_r s_r (y_r - \hat y_r)^2 \qquad y_r \ge 0 \text{ unless row } r \text{ is an equality,}$$

with $s_r$ the curvature of row $r$ if all its units moved. Then every piece is curved, and Newton's method on the
pieces, with a projection and a line search, ends in a few steps. The rounds converge to a maximum of $g$ for any
$\rho > 0$, faster if it is smaller; so $\rho$ falls after few steps, and rises after many. Nothing depends on the order
of the units.

References: Rockafellar (1976), Monotone operators and the proximal point algorithm; Qi and Sun (1993), A nonsmooth
version of Newton's method; Bertsekas (1982), Projected Newton methods; Li, Sun and Toh (2018), A highly efficient
semismooth Newton augmented Lagrangian method.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt_models._effort import (
    LINE_SEARCH_HALVINGS_MAX,
    LINE_SEARCH_START_SHARE,
    PROXIMAL_RIDGE_FIRST,
    PROXIMAL_RIDGE_MAX,
    PROXIMAL_RIDGE_MIN,
    PROXIMAL_ROUNDS_MAX,
    PROXIMAL_ROUNDS_WITHOUT_GAIN_MAX,
    PROXIMAL_STEPS_FEW,
    PROXIMAL_STEPS_MAX,
)
from etsopt_models._tolerances import (
    LINE_SEARCH_SLOPE_RELATIVE,
    NEWTON_MISS_RELATIVE,
    PROXIMAL_MISS_RELATIVE,
    PROXIMAL_ROUND_SLOPE_RELATIVE,
    PROXIMAL_SLOPE_ROUNDING_RELATIVE,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt_models._projection.least_squares import Point, Projection


def maximise(problem: Projection) -> tuple[NDArray[np.float64], int, bool]:
    """Return duals that maximise the dual function, the Newton steps, and True if every row is met well enough."""
    start = problem.look(np.zeros(problem.rows))
    size, ridge, without_gain = _slope(problem, start), PROXIMAL_RIDGE_FIRST, 0
    # Without flat pieces the least parabola has no effect, and a few steps suffice.
    point, steps, _ = Round(problem, start.duals, PROXIMAL_RIDGE_MIN, size, 0).run(
        PROXIMAL_STEPS_FEW, NEWTON_MISS_RELATIVE
    )
    # Duals beyond the reach of the first parabola are those of redundant rows.
    near = float(np.max(np.abs(point.duals) * problem.scale, initial=0.0)) <= size / PROXIMAL_RIDGE_FIRST
    if _missed(point) <= NEWTON_MISS_RELATIVE and near:
        # One more step removes the rounding of the first from the duals, and so from whole tonnes.
        last, more, _ = Round(problem, point.duals, PROXIMAL_RIDGE_MIN, size, steps).run(1)
        return (last if _missed(last) <= _missed(point) else point).duals, steps + more, True
    best = point = start
    distance = _missed(start)
    for _ in range(PROXIMAL_ROUNDS_MAX):
        if distance <= PROXIMAL_MISS_RELATIVE or without_gain >= PROXIMAL_ROUNDS_WITHOUT_GAIN_MAX:
            break
        point, taken, ended = Round(problem, point.duals, ridge, size, steps).run()
        steps += taken
        reached = _missed(point)
        without_gain = without_gain + 1 if reached > 0.5 * distance and ridge == PROXIMAL_RIDGE_MIN else 0
        if reached < distance:
            best, distance = point, reached
        if not ended:
            ridge = min(10 * ridge, PROXIMAL_RIDGE_MAX)
        elif taken <= PROXIMAL_STEPS_FEW:
            ridge = max(ridge / 10, PROXIMAL_RIDGE_MIN)
    return best.duals, steps, bool(np.all(best.missed <= problem.enough))


def _missed(point: Point) -> float:
    """Return the largest relative violation of a row."""
    return float(np.max(point.wanted, initial=0.0))


def _slope(problem: Projection, point: Point) -> float:
    """Return the steepest slope along a dual that may move, each in the scale of its row."""
    slope = np.where(problem.is_equality | (point.duals > 0), np.abs(point.surplus), np.maximum(-point.surplus, 0.0))
    return float(np.max(slope / problem.scale, initial=0.0))


@dataclass(frozen=True)
class Round:
    """A round of the method.

    Parameters
    ----------
    problem
        Units and rows.
    anchor
        Duals at the centre of the parabola, shape ``(rows,)``.
    ridge
        The parabola relative to the curvature of each row.
    size
        The steepest slope at duals of zero.
    steps
        Steps of the earlier rounds.
    """

    problem: Projection
    anchor: NDArray[np.float64]
    ridge: float
    size: float
    steps: int

    def run(self, most_steps: int = PROXIMAL_STEPS_MAX, met: float = -1.0) -> tuple[Point, int, bool]:
        """Return the last point, the steps to it, and True if the round has converged.

        A round ends sooner if no row is missed by more than ``met`` relative to its size.
        """
        point = self._look(self.anchor)
        slope = _slope(self.problem, point)
        for step in range(most_steps):
            checkpoint(_("least squares, Newton step"), self.steps + step + 1)
            moved = float(np.max(np.abs(point.duals - self.anchor) * self.problem.scale, initial=0.0))
            if slope <= PROXIMAL_ROUND_SLOPE_RELATIVE * self.ridge * moved or _missed(point) <= met:
                return point, step, True
            trial = self._search(point, self._newton(point, 1.0)) or self._search(
                point, self._newton(point, LINE_SEARCH_START_SHARE)
            )
            if trial is None:
                return point, step, True
            there = _slope(self.problem, trial)
            if there > 0.5 * slope and there < PROXIMAL_SLOPE_ROUNDING_RELATIVE * self.size:
                return (trial if there < slope else point), step + 1, True
            point, slope = trial, there
        return point, most_steps, False

    def _look(self, duals: NDArray[np.float64]) -> Point:
        """Return the point at some duals, its surplus with the slope of the parabola."""
        point = self.problem.look(duals)
        return replace(point, surplus=point.surplus + self.ridge * self.problem.squares * (duals - self.anchor))

    def _search(self, point: Point, direction: NDArray[np.float64]) -> Point | None:
        """Return the point of the line search where the function is about highest; None if it does not rise.

        The search ends where a dual becomes zero. It uses slopes, which are sums of violations: values near the end
        change by less than their rounding. The slope falls monotonically, so bisection finds where it is flat, even in
        a narrow gap between two kinks.
        """
        first, is_equality = -float(point.surplus @ direction), self.problem.is_equality
        if not first > 0:
            return None
        falls = ~is_equality & (direction < 0)
        there = share = float(min(1.0, np.min(point.duals[falls] / -direction[falls], initial=1.0)))
        step, best = 0.0, None
        for _time in range(LINE_SEARCH_HALVINGS_MAX):
            duals = point.duals + share * direction
            trial = self._look(np.where(is_equality, duals, np.maximum(duals, 0.0)))
            slope = -float(trial.surplus @ direction)
            if slope >= 0:
                step, best = share, trial
            else:
                there = share
            if abs(slope) <= LINE_SEARCH_SLOPE_RELATIVE * first or step == there:
                return trial
            share = (step + there) / 2
        return best

    def _newton(self, point: Point, start: float) -> NDArray[np.float64]:
        """Return Newton's direction on the duals that may move.

        A dual that would become negative within `start`, a share of the step, goes to zero and moves no other; with a
        short start the direction is sure to rise.
        """
        problem = self.problem
        may = problem.is_equality | (point.duals > 0) | (point.surplus < 0)
        weight = problem.by_column(np.where(point.moves, problem.half, 0.0))
        direction = np.where(may, 0.0, -point.duals)
        while may.any():
            active = np.flatnonzero(may)
            right = -point.surplus
            if start == 1.0:
                moved = problem.entries.transposed_times(np.where(may, 0.0, direction))
                right = right - problem.entries.times(weight * moved)
            scale = 1 / problem.scale[active]
            step = problem.curvature.solve(weight, active, scale, self.ridge, scale * right[active])
            direction[active] = scale * step
            blocked = may & ~problem.is_equality & (point.duals + start * direction < 0)
            if not blocked.any():
                break
            gone = blocked & ((point.surplus > 0) | (start == 1.0))
            direction = np.where(gone, -point.duals, np.where(blocked, 0.0, direction))
            may &= ~blocked
        return direction
