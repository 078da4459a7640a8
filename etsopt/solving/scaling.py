"""Scale a program by powers of two, and refuse what a floating-point solver is known to get wrong.

Tonnes reach 1e8 in a unit and rates stand beside them; HiGHS compares with absolute tolerances, and in tonnes it has
called a largest rate of 0.023 optimal where 0.0125 is. Powers of two change no digit of any number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.errors import SolverError
from etsopt.program.program import Objective, Program

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.program.sparse_rows import SparseRows

WIDEST_RATIO = 1e11
"""Largest ratio of coefficients in a row after scaling, where an entry is what its column adds at most. HiGHS is told
to keep entries down to 1e-12; what it dropped beyond that led to false answers."""

LEAST_REACH = 1e-9
"""Least scale of a column against the largest of its component."""

MISSED = 1e-6
"""Part of a limit, or of the largest term beside it, by which an answer may miss the limit."""

NEAR = 2.0**6
"""How far the factors of a changed program may be from those it is scaled with."""

DWARFED = 2.0**20
"""How far the reach of a column may be above what an optimum leaves of it: the solver compares with 1e-10 in its scale,
and of what is a millionth as large it knows four digits."""

MOVED_NOISE = 1e-14
"""Rounding of what fixed columns move into a limit, against the sum of the absolute terms."""

LARGEST_BOUND = 1e15
"""Largest finite bound. HiGHS takes 1e20 for infinite, and Pyomo's interface lost whole models to 1e15."""


@dataclass(frozen=True)
class Scaled:
    """A scaled program, and the factors that lead back.

    ``x = column * x_scaled``; a row of the scaled program is ``row`` times the row of the original; its objective is
    ``objective`` times the original.
    """

    program: Program
    row: NDArray[np.float64]
    column: NDArray[np.float64]
    objective: float

    def is_near(self, other: Scaled) -> bool:
        """Whether the factors of another program of the same shape would do for this one."""
        pairs = ((self.row, other.row), (self.column, other.column), (self.objective, other.objective))
        return all(bool(np.all(np.maximum(one / two, two / one) <= NEAR)) for one, two in pairs)


def _power_of_two(magnitude: NDArray[np.float64]) -> NDArray[np.float64]:
    """The power of two at or just above each magnitude; 1 where it is zero."""
    fraction, exponent = np.frexp(magnitude)
    # A fraction is from a half to below one: a half is the power of two itself, and zero stands for zero alone.
    exponent -= fraction == 0.5
    powers: NDArray[np.float64] = np.ldexp(1.0, np.where(fraction == 0, 0, exponent))
    return powers


def scale(program: Program, name: str, like: Scaled | None = None, reach: NDArray[np.float64] | None = None) -> Scaled:
    """Scale a program with the objective of that name: columns by their bounds, rows and costs by their largest entry.

    Parameters
    ----------
    like
        Take the factors of another program of the same shape, whatever the numbers are.
    reach
        How large each column may be, shape ``(columns,)``; by its bounds where it is not given.

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
    # A fixed column is a number: it moves into the limits, where a tiny one beside large ones does no harm.
    fixed = program.column_lower == program.column_upper
    moved = noise = np.zeros(program.matrix.shape[0])
    matrix = program.matrix
    if fixed.any():
        gone = fixed[matrix.indices]
        moving = matrix.only(gone)
        moved = moving @ program.column_lower
        noise = MOVED_NOISE * (moving.absolute() @ np.abs(program.column_lower))
        matrix = matrix.only(~gone)
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
    """Scale a program by what a linear objective leaves of its columns where it is at most a value.

    None where that is near the scale there is, or wider than the solver takes. Bounds of a rate may reach a million
    where the least largest one is a hundredth.
    """
    objective = program.objectives[name]
    matrix = program.matrix.appended(objective.linear)
    limits = np.append(program.row_lower, -np.inf), np.append(program.row_upper, value - objective.constant)
    reach = _reach(program, *matrix.propagated(limits, (program.column_lower, program.column_upper)))
    dwarfed = scaled.column >= DWARFED * _power_of_two(reach)
    if not dwarfed[program.column_lower < program.column_upper].any():
        return None
    try:
        return scale(program, name, reach=reach)
    except SolverError:
        return None


def refuse_missed_rows(program: Program, x: NDArray[np.float64]) -> None:
    """See that a point meets every limit that is not zero, each by its own size.

    The solver meets a scaled limit within its tolerance: of a variable that may reach 1e12, it takes no notice of 50.

    Raises
    ------
    SolverError
        If a limit is missed.
    """
    total, terms = program.matrix @ x, program.matrix.absolute() @ np.abs(x)
    for limit, sign in ((program.row_lower, 1.0), (program.row_upper, -1.0)):
        stated = np.isfinite(limit) & (limit != 0)
        by = np.where(stated, sign * (np.where(stated, limit, 0.0) - total), 0.0)
        missed = np.flatnonzero(by > MISSED * np.where(stated, np.maximum(np.abs(limit), terms), 1.0))
        if len(missed):
            row = int(missed[0])
            what = (
                f"The row {_name_of(row, program.rows)} has the limit {limit[row]:g}, and the answer misses it by "
                f"{by[row]:g}: beside what the bounds of its variables let it reach the solver takes no notice of that."
            )
            raise SolverError(what, "Give these variables narrower bounds.")


def _left(limit: NDArray[np.float64], moved: NDArray[np.float64], noise: NDArray[np.float64]) -> NDArray[np.float64]:
    """What fixed columns leave of a limit; zero where no more is left than rounding, which must not decide."""
    left = limit - moved
    return np.where(np.abs(left) <= noise, 0.0, left)


def _reach(program: Program, lower: NDArray[np.float64], upper: NDArray[np.float64]) -> NDArray[np.float64]:
    """How large each column may be, those of one component not too unlike each other.

    A range of a millionth of a gram is rounding, and as a scale it would dwarf everything beside it.
    """
    reach: NDArray[np.float64] = np.maximum(np.abs(lower), np.abs(upper))
    for block in program.columns.values():
        reach[block] = np.maximum(reach[block], LEAST_REACH * np.max(reach[block], initial=0.0))
    return reach


def _name_of(position: int, slices: dict[str, slice]) -> str:
    """Component and position in it of a row or column."""
    for name, block in slices.items():
        if block.start <= position < block.stop:
            return f"{name}[{position - block.start}]"
    return f"number {position}"


def _check_finite(program: Program, objective: Objective) -> None:
    advice = "A number in the instance may be in the wrong unit, or a parameter of the model undefined."
    entry = np.flatnonzero(~np.isfinite(program.matrix.data))
    if len(entry):
        row = int(np.searchsorted(program.matrix.indptr, entry[0], side="right")) - 1
        column = _name_of(int(program.matrix.indices[entry[0]]), program.columns)
        value = program.matrix.data[entry[0]]
        what = f"A coefficient of row {_name_of(row, program.rows)} is not finite: {value:g}, that of {column}."
        raise SolverError(what, advice)
    costs = objective.linear if objective.quadratic is None else objective.linear + objective.quadratic
    endless = np.flatnonzero(~np.isfinite(costs))
    if len(endless):
        column = _name_of(int(endless[0]), program.columns)
        raise SolverError(f"A cost of the objective is not finite: {costs[endless[0]]:g}, that of {column}.", advice)
    if not np.isfinite(objective.constant):
        raise SolverError(f"The constant of the objective is not finite: {objective.constant:g}.", advice)
    limits = np.stack([program.column_lower, program.column_upper])
    for position in np.flatnonzero(~(np.abs(limits) <= LARGEST_BOUND).all(axis=0)):
        name = _name_of(int(position), program.columns)
        low, high = limits[:, position]
        what = f"The variable {name} has bounds {low:g} and {high:g}; finite ones below {LARGEST_BOUND:g} are needed."
        raise SolverError(what, f"Without them no bound can be certified. {advice}")
    for bounds, worst in ((program.row_lower, np.inf), (program.row_upper, -np.inf)):
        bad = np.flatnonzero(
            np.isnan(bounds) | (bounds == worst) | (np.isfinite(bounds) & (np.abs(bounds) > LARGEST_BOUND))
        )
        if len(bad):
            name = _name_of(int(bad[0]), program.rows)
            raise SolverError(f"The row {name} has the limit {bounds[bad[0]]:g}.", advice)


def _check_ratio(program: Program, matrix: SparseRows) -> None:
    """Refuse rows whose entries still differ too much: the solver would drop the small ones without a word."""
    sizes = np.abs(matrix.data)
    small = np.flatnonzero((sizes > 0) & (sizes < 1 / WIDEST_RATIO))
    if not len(small):
        return
    row = int(np.searchsorted(matrix.indptr, small[0], side="right")) - 1
    what = (
        f"Coefficients of row {_name_of(row, program.rows)} differ by a factor of {1 / sizes[small[0]]:.0e} even after "
        f"scaling; beyond {WIDEST_RATIO:.0e} the solver drops the small ones silently."
    )
    raise SolverError(what, "Look for a slip of units, an identifier in a column of numbers, or a far too small unit.")
