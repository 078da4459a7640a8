"""Scale a program by powers of two, and refuse numbers that a floating-point solver is known to get wrong.

Tonnes of a unit reach 1e8 beside rates; HiGHS compares with absolute tolerances, and in tonnes it has called a largest
rate of 0.023 optimal where the optimum is 0.0125. Powers of two change no digit of any number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.errors import SolverError
from etsopt.common.language import _
from etsopt.modelling.program.program import Objective, Program

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.modelling.program.sparse_rows import SparseRows

WIDEST_RATIO = 1e11
"""Largest ratio of coefficients in a row after scaling, where an entry is the most that its column adds. By option
HiGHS keeps entries down to 1e-12; smaller ones that it dropped led to false answers."""

LEAST_REACH = 1e-9
"""Least scale of a column relative to the largest of its component."""

SCALING_RATIO_MAX = 2.0**6
"""Largest ratio of the factors of a changed program to those it is scaled with."""

DWARFED = 2.0**20
"""Largest ratio of a column's reach to its range at an optimum: the solver compares with 1e-10 in its scale, and of a
number a millionth as large it knows four digits: `docs/decisions/0045-bounds-that-dwarf-the-optimum.md`."""

SUM_NOISE = 1e-14
"""Rounding of a sum, relative to the sum of the absolute terms."""

LARGEST_BOUND = 1e15
"""Largest finite bound. HiGHS takes 1e20 for infinite, and Pyomo's interface lost whole models to 1e15."""


@dataclass(frozen=True)
class Scaled:
    """A scaled program, and the factors that scale its solutions back.

    ``x = column * x_scaled``; a row of the scaled program is ``row`` times the row of the original; its objective is
    ``objective`` times the original.
    """

    program: Program
    row: NDArray[np.float64]
    column: NDArray[np.float64]
    objective: float

    def is_near(self, other: Scaled) -> bool:
        """Return True if the factors of another program of the same shape suit this one."""
        pairs = ((self.row, other.row), (self.column, other.column), (self.objective, other.objective))
        return all(bool(np.all(np.maximum(one / two, two / one) <= SCALING_RATIO_MAX)) for one, two in pairs)


def _power_of_two(magnitude: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the power of two at or just above each magnitude; 1 for zero."""
    fraction, exponent = np.frexp(magnitude)
    # A fraction is from a half to below one: a half is the power of two itself, and only zero has fraction zero.
    exponent -= fraction == 0.5
    powers: NDArray[np.float64] = np.ldexp(1.0, np.where(fraction == 0, 0, exponent))
    return powers


def scale(program: Program, name: str, like: Scaled | None = None, reach: NDArray[np.float64] | None = None) -> Scaled:
    """Scale a program with one objective: columns by their bounds, rows and costs by their largest entry.

    Parameters
    ----------
    like
        Take the factors of another program of the same shape, whatever the numbers are.
    reach
        Largest size of each column, shape ``(columns,)``; by default that of its bounds.

    Raises
    ------
    SolverError
        If a number is not finite, a column has no finite bounds, or coefficients span too many orders of magnitude.
    """
    objective = program.objectives[name]
    _check_finite(program, objective)
    if reach is None:
        reach = _reach(program, program.column_lower, program.column_upper)
    column = np.where(program.integer, 1.0, _power_of_two(reach)) if like is None else like.column
    # A fixed column is a number: it moves into the limits, in which a tiny one beside large ones does no harm.
    fixed = program.column_lower == program.column_upper
    moved = noise = np.zeros(program.matrix.shape[0])
    matrix = program.matrix
    if fixed.any():
        of_fixed = fixed[matrix.indices]
        moving = matrix.only(of_fixed)
        moved = moving @ program.column_lower
        noise = SUM_NOISE * (moving.absolute() @ np.abs(program.column_lower))
        matrix = matrix.only(~of_fixed)
    data = matrix.data * column[matrix.indices]
    row = 1 / _power_of_two(replace(matrix, data=data).largest()) if like is None else like.row
    data *= np.repeat(row, np.diff(matrix.indptr))
    matrix = replace(matrix, data=data)
    _check_ratio(program, matrix)
    cost = objective.linear * column
    quadratic = None if objective.quadratic is None else objective.quadratic * column * column
    top = max(np.abs(cost).max(initial=0.0), 0.0 if quadratic is None else np.abs(quadratic).max(initial=0.0))
    factor = float(1 / _power_of_two(np.array([top]))[0]) if like is None else like.objective
    scaled_objective = Objective(
        cost * factor,
        None if quadratic is None else quadratic * factor,
        objective.constant * factor,
        objective.unit,
    )
    scaled = replace(
        program,
        matrix=matrix,
        row_lower=_left(program.row_lower, moved, noise) * row,
        row_upper=_left(program.row_upper, moved, noise) * row,
        column_lower=program.column_lower / column,
        column_upper=program.column_upper / column,
        objectives={name: scaled_objective},
    )
    return Scaled(scaled, row, column, factor)


def scale_below(program: Program, name: str, value: float, scaled: Scaled) -> Scaled | None:
    """Scale a program by the column bounds that a limit on a linear objective implies.

    Return None if that is near the present scale, or wider than the solver supports. Bounds of a rate may reach a
    million when the least largest rate is a hundredth.
    """
    objective = program.objectives[name]
    matrix = program.matrix.appended(objective.linear)
    # Of a value of zero the solver leaves rounding, which as a limit would make every scale one of rounding.
    most = value - objective.constant + SUM_NOISE * float(np.abs(objective.linear) @ scaled.column)
    limits = np.append(program.row_lower, -np.inf), np.append(program.row_upper, most)
    reach = _reach(program, *matrix.propagated(limits, (program.column_lower, program.column_upper)))
    dwarfed = scaled.column >= DWARFED * _power_of_two(reach)
    if not dwarfed[program.column_lower < program.column_upper].any():
        return None
    try:
        return scale(program, name, reach=reach)
    except SolverError:
        return None


def _left(limit: NDArray[np.float64], moved: NDArray[np.float64], noise: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rest of a limit less the terms of fixed columns; zero if the rest is rounding alone."""
    left = limit - moved
    return np.where(np.abs(left) <= noise, 0.0, left)


def _reach(program: Program, lower: NDArray[np.float64], upper: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the largest size of each column, at least a small share of the largest of its component.

    A range of a millionth of a gram is rounding, and as a scale it would dwarf all others.
    """
    reach: NDArray[np.float64] = np.maximum(np.abs(lower), np.abs(upper))
    for block in program.columns.values():
        reach[block] = np.maximum(reach[block], LEAST_REACH * np.max(reach[block], initial=0.0))
    return reach


def _name_of(position: int, slices: dict[str, slice]) -> str:
    """Return component and position in it of a row or column."""
    for name, block in slices.items():
        if block.start <= position < block.stop:
            return f"{name}[{position - block.start}]"
    return f"number {position}"


def _check_finite(program: Program, objective: Objective) -> None:
    advice = _("Look for a number of the instance in a wrong unit, or an undefined parameter of the model.")
    entry = np.flatnonzero(~np.isfinite(program.matrix.data))
    if len(entry):
        row = int(np.searchsorted(program.matrix.indptr, entry[0], side="right")) - 1
        column = _name_of(int(program.matrix.indices[entry[0]]), program.columns)
        value = program.matrix.data[entry[0]]
        what = _(
            "A coefficient of row {name_of} is not finite: {value:g}, that of {column}.",
            name_of=_name_of(row, program.rows),
            value=value,
            column=column,
        )
        raise SolverError(what, advice)
    costs = objective.linear if objective.quadratic is None else objective.linear + objective.quadratic
    endless = np.flatnonzero(~np.isfinite(costs))
    if len(endless):
        column = _name_of(int(endless[0]), program.columns)
        raise SolverError(
            _(
                "A cost of the objective is not finite: {costs:g}, that of {column}.",
                costs=costs[endless[0]],
                column=column,
            ),
            advice,
        )
    if not np.isfinite(objective.constant):
        raise SolverError(
            _("The constant of the objective is not finite: {constant:g}.", constant=objective.constant), advice
        )
    limits = np.stack([program.column_lower, program.column_upper])
    for position in np.flatnonzero(~(np.abs(limits) <= LARGEST_BOUND).all(axis=0)):
        name = _name_of(int(position), program.columns)
        low, high = limits[:, position]
        what = _(
            "The variable {name} has bounds {low:g} and {high:g}: expected finite ones up to {largest_bound:g},",
            name=name,
            low=low,
            high=high,
            largest_bound=LARGEST_BOUND,
        )
        advice = _("Give it `bounds` in the model; if it has some, look for a number of the instance in a wrong unit.")
        raise SolverError(_("{what} without which no optimum can be certified.", what=what), advice)
    for bounds, worst in ((program.row_lower, np.inf), (program.row_upper, -np.inf)):
        bad = np.flatnonzero(
            np.isnan(bounds) | (bounds == worst) | (np.isfinite(bounds) & (np.abs(bounds) > LARGEST_BOUND))
        )
        if len(bad):
            name = _name_of(int(bad[0]), program.rows)
            what = _(
                "The row {name} has the limit {bounds:g}: expected one up to {largest_bound:g}.",
                name=name,
                bounds=bounds[bad[0]],
                largest_bound=LARGEST_BOUND,
            )
            raise SolverError(what, advice)


def _check_ratio(program: Program, matrix: SparseRows) -> None:
    """Refuse rows whose entries still differ too much: the solver would silently drop the small ones."""
    sizes = np.abs(matrix.data)
    small = np.flatnonzero((sizes > 0) & (sizes < 1 / WIDEST_RATIO))
    if not len(small):
        return
    row = int(np.searchsorted(matrix.indptr, small[0], side="right")) - 1
    what = _(
        "Coefficients of row {name_of} differ by a factor of {sizes:.0e} even after scaling; "
        "beyond {widest_ratio:.0e} the solver drops the small ones silently.",
        name_of=_name_of(row, program.rows),
        sizes=1 / sizes[small[0]],
        widest_ratio=WIDEST_RATIO,
    )
    raise SolverError(
        what, _("Look for a slip of units, an identifier in a column of numbers, or a far too small unit.")
    )
