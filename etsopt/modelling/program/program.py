"""A program: the arrays that a solver needs, and the names of its rows and columns."""

from __future__ import annotations

import math
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.errors import ModelError
from etsopt.common.language import _
from etsopt.common.units import tolerance_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from etsopt.modelling.program.sparse_rows import SparseRows


NO_OBJECTIVE = "none"
"""Name of the objective that is zero everywhere."""


def refuse_to_maximise(name: str, sense: Any) -> None:
    """Raise if an objective is maximised: its value would be reported with the other sign.

    Raises
    ------
    ModelError
        If it is.
    """
    if int(sense) != 1:
        advice = _("Minimise its negative; values and bounds are then those of the negative.")
        raise ModelError(
            _("The objective {name} has the wrong sense: expected minimise, got maximise.", name=name), advice
        )


def unit_of(component: Any) -> str:
    """Return the unit in brackets at the end of a component's doc; empty without one."""
    _, bracket, unit = (component.doc or "").rpartition("[")
    return unit.rstrip("]") if bracket else ""


WHOLE_RELATIVE = 1e-9
"""Share of a bound by which it may miss a whole number."""


@dataclass(frozen=True)
class Objective:
    """An objective to minimise: ``constant + linear @ x + x @ diag(quadratic) @ x``.

    Parameters
    ----------
    linear, quadratic
        Shape ``(columns,)``; ``quadratic`` is None if the objective is linear.
    constant
        Constant term.
    unit
        Unit of its value.
    reach
        Largest size that one of its terms may reach, which limits its tolerance; infinite if its unit alone does.
    """

    linear: NDArray[np.float64]
    quadratic: NDArray[np.float64] | None
    constant: float
    unit: str
    reach: float = math.inf

    def tolerance(self, value: float) -> float:
        """Return the tolerance of a value."""
        return tolerance_of(value, self.unit, self.reach)

    def value(self, x: NDArray[np.float64]) -> float:
        """Return the value at a point, shape ``(columns,)``."""
        total = self.constant + float(self.linear @ x)
        return total if self.quadratic is None else total + float(self.quadratic @ (x * x))


class Objectives(MutableMapping[str, Objective]):
    """Objectives by name, of which one may be found only once it is asked for."""

    def __init__(self, known: MutableMapping[str, Objective]) -> None:
        self._held: dict[str, Objective | Callable[[], Objective]] = {}
        self._held.update(known._held if isinstance(known, Objectives) else known)

    def find_later(self, name: str, find: Callable[[], Objective]) -> None:
        """Take what finds an objective."""
        self._held[name] = find

    def __getitem__(self, name: str) -> Objective:
        held = self._held[name]
        if not isinstance(held, Objective):
            held = self._held[name] = held()
        return held

    def __setitem__(self, name: str, objective: Objective) -> None:
        self._held[name] = objective

    def __delitem__(self, name: str) -> None:
        del self._held[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)


@dataclass(frozen=True)
class Program:
    """A linear or mixed-integer program with one or several objectives.

    Parameters
    ----------
    matrix
        Coefficients, shape ``(rows, columns)``.
    row_lower, row_upper, column_lower, column_upper
        Bounds; those of rows may be infinite.
    integer
        True for integer columns, shape ``(columns,)``.
    rows, columns
        Position of each component, by its name in the model.
    objectives
        By their name in the model.
    """

    matrix: SparseRows
    row_lower: NDArray[np.float64]
    row_upper: NDArray[np.float64]
    column_lower: NDArray[np.float64]
    column_upper: NDArray[np.float64]
    integer: NDArray[np.bool_]
    rows: dict[str, slice]
    columns: dict[str, slice]
    objectives: MutableMapping[str, Objective]

    def has_shape_of(self, other: Program) -> bool:
        """Return True if another program has rows, columns and integers of the same names in the same places."""
        same = self.rows == other.rows and self.columns == other.columns
        return same and np.array_equal(self.integer, other.integer)

    def crosses(self) -> bool:
        """Return True if a column has no value between its bounds, or the limits of a row cross."""
        return bool(self.without_value().any() or (self.row_lower > self.row_upper).any())

    def without_value(self) -> NDArray[np.bool_]:
        """Return True for each column without a value, or a whole number, between its bounds."""
        none: NDArray[np.bool_] = self.column_lower > self.column_upper
        return none | (self.integer & (np.ceil(self.column_lower) > np.floor(self.column_upper)))

    def missed(self, x: NDArray[np.float64]) -> float:
        """Return the largest violation of a row limit or a column bound at a point."""
        total = self.matrix @ x
        rows, columns = (self.row_lower - total, total - self.row_upper), (self.column_lower - x, x - self.column_upper)
        return max(0.0, *(float(np.max(by, initial=0.0)) for by in (*rows, *columns)))

    def shifted(self, point: NDArray[np.float64], total: NDArray[np.float64], fine: float) -> Program:
        """Return the program in distances from a point with these row totals, magnified by a factor.

        Objectives keep their coefficients: their values are those of the distances.
        """
        return replace(
            self,
            column_lower=(self.column_lower - point) * fine,
            column_upper=(self.column_upper - point) * fine,
            row_lower=(self.row_lower - total) * fine,
            row_upper=(self.row_upper - total) * fine,
        )

    def fixed_at_sides(self, column_side: NDArray[np.int8], row_side: NDArray[np.int8]) -> Program:
        """Return the program with columns and rows fixed at a side: -1 the lower, 1 the upper, 0 neither.

        With the sides of the nonzero duals of an optimal dual solution, its feasible points are exactly the optima: a
        feasible point is optimal if and only if it is complementary to one optimal dual solution.
        """

        def fix(lower: Any, upper: Any, side: Any) -> tuple[Any, Any]:
            return np.where(side > 0, upper, lower), np.where(side < 0, lower, upper)

        column_lower, column_upper = fix(self.column_lower, self.column_upper, column_side)
        row_lower, row_upper = fix(self.row_lower, self.row_upper, row_side)
        return replace(
            self,
            column_lower=column_lower,
            column_upper=column_upper,
            row_lower=row_lower,
            row_upper=row_upper,
        )

    def relaxed(self) -> Program:
        """Return the linear relaxation."""
        return replace(self, integer=np.zeros_like(self.integer))

    def at_whole_bounds(self) -> Program:
        """Return the program with each bound of whole numbers that misses one by its rounding at this one.

        An upper bound of 2.9999999998 leaves room for three.
        """
        if not self.integer.any():
            return self
        ends = []
        for bound in (self.column_lower, self.column_upper):
            near = np.round(bound)
            is_near = np.abs(bound - near) <= WHOLE_RELATIVE * np.maximum(np.abs(near), 1.0)
            ends.append(np.where(self.integer & is_near, near, bound))
        same = np.array_equal(ends[0], self.column_lower) and np.array_equal(ends[1], self.column_upper)
        return self if same else replace(self, column_lower=ends[0], column_upper=ends[1])

    @property
    def reach(self) -> NDArray[np.float64]:
        """Largest size of each column, shape ``(columns,)``."""
        found: NDArray[np.float64] = np.maximum(np.abs(self.column_lower), np.abs(self.column_upper))
        return found

    def with_reach(self) -> Program:
        """Return the program with objectives whose tolerances follow from its own bounds, whatever their units."""

        def largest(factor: NDArray[np.float64], size: NDArray[np.float64]) -> float:
            counts = factor != 0
            return float(np.max(np.abs(factor[counts]) * size[counts], initial=0.0))

        reach, objectives = self.reach, {}
        for name, one in self.objectives.items():
            of_squares = 0.0 if one.quadratic is None else largest(one.quadratic, reach * reach)
            objectives[name] = replace(one, reach=max(largest(one.linear, reach), of_squares))
        return replace(self, objectives=objectives)

    def point_of(self, values: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        """Return the values of variables, by name, as a point, shape ``(columns,)``."""
        return np.concatenate([np.zeros(0), *(values[name] for name in self.columns)])

    def at_whole_numbers(self, whole: NDArray[np.bool_], x: NDArray[np.float64]) -> Program:
        """Return the program without whole numbers, where some columns are at those that are next to a point."""
        lower, upper = (np.where(whole, np.round(x), side) for side in (self.column_lower, self.column_upper))
        return replace(self, column_lower=lower, column_upper=upper, integer=np.zeros_like(self.integer))

    def without_objective(self) -> Program:
        """Return the program with `NO_OBJECTIVE` alone."""
        return replace(self, objectives={NO_OBJECTIVE: Objective(np.zeros_like(self.column_lower), None, 0.0, "")})

    def fixed_at(self, variables: Sequence[str], x: NDArray[np.float64]) -> Program:
        """Return the program with some variables at their values at a point, shape ``(columns,)``."""
        lower, upper = self.column_lower.copy(), self.column_upper.copy()
        for name in variables:
            block = self.columns[name]
            lower[block] = upper[block] = x[block]
        return replace(self, column_lower=lower, column_upper=upper)

    def limited(self, name: str, limit: float) -> Program:
        """Return the program with a row ``<name>_stays_optimal`` more: the linear objective stays within a limit."""
        objective = self.objectives[name]
        count, row = self.matrix.shape[0], f"{name}_stays_optimal"
        while row in self.rows:
            row += "_"
        return replace(
            self,
            matrix=self.matrix.appended(objective.linear),
            row_lower=np.append(self.row_lower, -np.inf),
            row_upper=np.append(self.row_upper, limit - objective.constant),
            rows={**self.rows, row: slice(count, count + 1)},
        )
