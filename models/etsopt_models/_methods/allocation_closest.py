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
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csc_array, csr_array, diags_array, eye_array, vstack
from scipy.sparse.linalg import splu

from etsopt_models._parts.limits import IN_RATES

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


@dataclass(frozen=True)
class Settled:
    """Allowances, prices by row of the model, the value of the objective, and what ran."""

    values: dict[str, NDArray[np.float64]]
    multipliers: dict[str, NDArray[np.float64]]
    value: float
    algorithm: str


def settle(parameters: Mapping[str, Any], program: Any) -> Settled:
    """The closest point; where Newton's method stops short of its accuracy, ``algorithm`` says so.

    Parameters
    ----------
    parameters
        As `allocation.parameters` returns them.
    program
        The program after the levels, narrowed to their optima.
    """
    emissions, reference = parameters["emissions"], parameters["reference"]
    lower, upper = intervals(program)
    coupling = _coupling(program, lower, upper)
    enough = np.array([ENOUGH_RATE if name in IN_RATES else ENOUGH_T for name, _, _ in coupling.source])
    problem = _Problem(emissions, reference, lower, upper, coupling.matrix, coupling.least, coupling.free, enough)
    prices, steps, reached = problem.maximise()
    allowance = problem.respond(prices)[0]
    multipliers = {name: np.zeros(block.stop - block.start) for name, block in program.rows.items()}
    for (name, position, sign), price in zip(coupling.source, prices, strict=True):
        multipliers[name][position] += sign * price
    value = float(np.sum((allowance - reference) ** 2 / emissions))
    return Settled(
        {"allowance": allowance},
        multipliers,
        value,
        f"prices, {steps} Newton steps{'' if reached else ', stopped short'}",
    )


def intervals(program: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Interval of each allowance that the rows of its own unit allow, by propagating bounds through them.

    Each such row joins one allowance to columns that only measure it, so three rounds reach every bound: from a common
    rate to the measures, from the measures to the allowance, and back.
    """
    own = _own_rows(program)
    matrix = csr_array(program.matrix.toscipy()[own, :])
    least, most = program.row_lower[own], program.row_upper[own]
    lower, upper = program.column_lower.copy(), program.column_upper.copy()
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    columns, entries = matrix.indices, matrix.data
    for _ in range(3):
        small = np.where(entries > 0, entries * lower[columns], entries * upper[columns])
        large = np.where(entries > 0, entries * upper[columns], entries * lower[columns])
        # What the rest of the row leaves to each entry.
        left_least = least[rows] - (np.bincount(rows, large, len(least))[rows] - large)
        left_most = most[rows] - (np.bincount(rows, small, len(least))[rows] - small)
        np.maximum.at(lower, columns, np.where(entries > 0, left_least, left_most) / entries)
        np.minimum.at(upper, columns, np.where(entries > 0, left_most, left_least) / entries)
        # Rounding may cross the bounds of a column that has one value only.
        lower, upper = np.minimum(lower, upper), np.maximum(lower, upper)
    block = program.columns["allowance"]
    return lower[block], upper[block]


def _own_rows(program: Any) -> NDArray[np.int64]:
    """Rows that hold at most one allowance."""
    block = program.columns["allowance"]
    held = np.diff(csr_array(program.matrix.toscipy()[:, block]).indptr)
    return np.flatnonzero((held <= 1) & ~_is_coupling(program))


def _is_coupling(program: Any) -> NDArray[np.bool_]:
    """Rows of the components that couple units, even where one of them holds a single unit."""
    coupling = np.zeros(program.matrix.shape[0], dtype=bool)
    for name in COUPLING:
        coupling[program.rows[name]] = True
    return coupling


COUPLING = ("sector_target", "province_balance", "national_total", "enterprise_band", *IN_RATES)


@dataclass(frozen=True)
class _Coupling:
    r"""Coupling rows $G A \ge d$: whether each price is free, and the component, position and sign of each row."""

    matrix: csr_array
    least: NDArray[np.float64]
    free: NDArray[np.bool_]
    source: list[tuple[str, int, float]]


def _coupling(program: Any, lower: NDArray[np.float64], upper: NDArray[np.float64]) -> _Coupling:
    """Every side of a coupling row that the intervals alone do not guarantee."""
    where = np.flatnonzero(_is_coupling(program))
    matrix = csr_array(program.matrix.toscipy()[where, :][:, program.columns["allowance"]])
    low, high = program.row_lower[where], program.row_upper[where]
    positive, negative = matrix.maximum(0), matrix.minimum(0)
    smallest, largest = positive @ lower + negative @ upper, positive @ upper + negative @ lower
    equal = low == high
    at_least, at_most = np.flatnonzero(equal | (low > smallest)), np.flatnonzero(~equal & (high < largest))
    names = [
        (name, row - block.start)
        for name, block in program.rows.items()
        for row in range(block.start, block.stop)
        if name in COUPLING
    ]
    names = [names[position] for position in np.argsort([program.rows[name].start + row for name, row in names])]
    return _Coupling(
        csr_array(vstack([matrix[at_least, :], -matrix[at_most, :]], format="csr")),
        np.concatenate([low[at_least], -high[at_most]]),
        np.concatenate([equal[at_least], np.zeros(len(at_most), dtype=bool)]),
        [(*names[row], 1.0) for row in at_least] + [(*names[row], -1.0) for row in at_most],
    )


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
    matrix: csr_array
    least: NDArray[np.float64]
    free: NDArray[np.bool_]
    enough: NDArray[np.float64]

    def respond(self, prices: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Best answer of every unit to the prices, and which of them would move with a price."""
        wish = self.reference + self.emissions / 2 * (self.matrix.T @ prices)
        answer: NDArray[np.float64] = np.clip(wish, self.lower, self.upper)
        return answer, (answer == wish) & (self.lower < self.upper)

    def look(self, prices: NDArray[np.float64]) -> _Point:
        """Everything the method needs to know at some prices."""
        answer, moves = self.respond(prices)
        surplus = self.matrix @ answer - self.least
        size = np.maximum(abs(self.matrix) @ np.abs(answer) + np.abs(self.least), 1e-300)
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
        while may.any():
            active = np.flatnonzero(may)
            jacobian = self.matrix[active, :]
            missing = -point.surplus[active]
            if start == 1.0:
                missing -= jacobian @ (weight * (self.matrix.T @ np.where(may, 0.0, direction)))
            scale = 1 / np.sqrt((jacobian * jacobian) @ (self.emissions / 2))
            scaled = diags_array(scale) @ jacobian
            hessian = scaled @ diags_array(weight) @ scaled.T
            ridge = eye_array(len(scale)) * (1e-12 + min(1e-3, distance))
            direction[active] = scale * splu(csc_array(hessian + ridge)).solve(scale * missing)
            blocked = may & ~self.free & (point.prices + start * direction < 0)
            if not blocked.any():
                break
            gone = blocked & ((point.surplus > 0) | (start == 1.0))
            direction = np.where(gone, -point.prices, np.where(blocked, 0.0, direction))
            may &= ~blocked
        return direction
