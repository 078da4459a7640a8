"""Multipliers that prove a solution of a program: one set for a linear objective, a tree of them beside integers.

They are hints: the checker proves its bound with any numbers, and these make it a good one. Each objective is minimised
over the whole program with earlier ones as rows, and linearised at the solution, where a convex objective has the
optimum of its tangent.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.errors import SolverError, StoppedError
from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt.modelling.program.program import NO_OBJECTIVE, Objective
from etsopt.modelling.program.sparse_rows import from_entries
from etsopt.modelling.solving.highs import Loaded
from etsopt.modelling.solving.integer import free_integers
from etsopt.modelling.solving.options import counts
from etsopt.modelling.solving.solution import Termination, Tree

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from etsopt.modelling.program.program import Program
    from etsopt.modelling.solving.options import SolveOptions
    from etsopt.modelling.solving.solution import Level, Outcome

MOST_NODES = 2_000
"""Nodes of a tree after which it is left as it is; the checker then proves a larger gap:
`docs/decisions/0085-own-models-as-programs.md`."""

MOST_NUMBERS = 2e7
"""Most multipliers of a tree, and a few thousand times the entries of its rows: some seconds of work."""

FRACTION = 1e-6
"""Distance from a whole number above which a value counts as fractional."""


def alone(multipliers: NDArray[np.float64] | None) -> Tree:
    """Return the tree of a whole program without splits."""
    none = np.zeros(1, dtype=np.int64)
    return Tree(none, none, none.astype(bool), none.astype(float), [multipliers])


def prove(
    program: Program,
    levels: Sequence[Level],
    x: NDArray[np.float64],
    fix_after: Mapping[str, Sequence[str]],
    options: SolveOptions,
) -> dict[str, Tree]:
    """Return a tree for each objective that was solved, in their order; one that is not found proves little.

    Parameters
    ----------
    x
        The solution, shape ``(columns,)``.
    fix_after
        By objective, the variables that keep their values after it.
    """
    trees: dict[str, Tree] = {}
    rows, count, in_time = dict(program.rows), len(program.row_lower), True
    for place, level in enumerate(levels):
        stated = np.zeros(count + place)
        for row, multipliers in level.multipliers.items():
            if row in rows:
                stated[rows[row]] = multipliers
        trees[level.name] = alone(stated)
        squares = program.objectives[level.name].quadratic is not None
        tangent = _tangent(program.objectives[level.name], x)
        program = replace(program, objectives={**program.objectives, level.name: tangent})
        # Those of the solver are of the whole program only at the first objective, and prove it only if that is linear.
        if in_time and (place or squares or free_integers(program).any()):
            try:
                trees[level.name] = _proof_of(program, level.name, x, options)
            except (StoppedError, SolverError):
                in_time = False
        program = program.limited(level.name, tangent.value(x)).fixed_at(fix_after.get(level.name, ()), x)
    return trees


def _proof_of(program: Program, name: str, x: NDArray[np.float64], options: SolveOptions) -> Tree:
    """Return the tree of a linear objective over a program that keeps those before it."""
    objective = program.objectives[name]
    value = objective.value(x)
    accepted = 0.9 * max(options.gap_or_default * abs(value), objective.tolerance(value))
    # A bound above the next smaller whole number is one of the value itself.
    return _Growth(program, name, options).grown(value - (1 - FRACTION if counts(program, name) else accepted))


def _tangent(objective: Objective, x: NDArray[np.float64]) -> Objective:
    """Return an objective, linearised at a point."""
    if objective.quadratic is None:
        return objective
    slope = objective.linear + 2 * objective.quadratic * x
    return Objective(slope, None, objective.value(x) - float(slope @ x), objective.unit, objective.reach)


def refute(program: Program, options: SolveOptions) -> Tree:
    """Return a tree that proves that a program has no point, as far as it can be found.

    Raises
    ------
    StoppedError
        At the deadline.
    """
    if program.without_value().any():
        return alone(np.zeros(len(program.row_lower)))
    return _Growth(program.without_objective(), NO_OBJECTIVE, options).grown(math.inf)


def violated_least(program: Program, options: SolveOptions) -> Outcome:
    """Return the outcome of the linear program that violates rows least, each in units of its largest entry.

    Its multipliers prove that there is no point, if the bound is above zero.
    """
    largest = program.matrix.largest()
    size = np.where(largest > 0, largest, 1.0)
    most = program.matrix.absolute() @ program.reach
    parts = []
    for limit, sign in ((program.row_lower, 1.0), (program.row_upper, -1.0)):
        row = np.flatnonzero(np.isfinite(limit))
        parts.append((row, sign * size[row], (most[row] + np.abs(limit[row])) / size[row]))
    row, entry, upper = (np.concatenate(part) for part in zip(*parts, strict=True))
    count, more = len(program.column_lower), len(row)
    matrix = from_entries(
        np.concatenate([program.matrix.row_of_each(), row]),
        np.concatenate([program.matrix.indices, count + np.arange(more)]),
        np.concatenate([program.matrix.data, entry]),
        (len(program.row_lower), count + more),
    )
    elastic = replace(
        program,
        matrix=matrix,
        column_lower=np.concatenate([program.column_lower, np.zeros(more)]),
        column_upper=np.concatenate([program.column_upper, upper]),
        integer=np.zeros(count + more, dtype=bool),
        columns={**program.columns, "violation": slice(count, count + more)},
        objectives={NO_OBJECTIVE: Objective(np.concatenate([np.zeros(count), np.ones(more)]), None, 0.0, "")},
    )
    return Loaded(elastic, NO_OBJECTIVE, options).solve()


@dataclass
class _Growth:
    """A tree that grows at the leaf of the least bound."""

    program: Program
    name: str
    options: SolveOptions
    parent: list[int] = field(default_factory=lambda: [0])
    column: list[int] = field(default_factory=lambda: [0])
    above: list[bool] = field(default_factory=lambda: [False])
    value: list[float] = field(default_factory=lambda: [0.0])
    multipliers: list[NDArray[np.float64] | None] = field(default_factory=list)

    def grown(self, target: float) -> Tree:
        """Return the tree once every leaf has a bound of the target, or after its largest number of nodes."""
        free = free_integers(self.program)
        relaxed = self.program.relaxed()
        loaded, worth = Loaded(relaxed, self.name, self.options), _Worth(len(free))
        numbers = len(relaxed.row_lower) + relaxed.matrix.nnz / 100
        most = min(MOST_NODES, int(MOST_NUMBERS / max(1.0, numbers))) if free.any() else 1
        root = self._outcome(loaded, relaxed)
        leaves = [(root.bound, 0, relaxed, root)] if root.x is not None else []
        while leaves and leaves[0][0] < target and len(self.parent) + 2 <= most:
            bound, node, box, outcome = heapq.heappop(leaves)
            assert outcome.x is not None
            column = worth.best(outcome.x, free)
            if column is None:
                continue
            if node:
                # Those of the whole program are shown as its shadow prices.
                self.multipliers[node] = None
            share = outcome.x[column] - math.floor(outcome.x[column])
            for above in (False, True):
                split = math.floor(outcome.x[column]) + above
                side = _side(box, column, float(split), above)
                self.parent.append(node)
                self.column.append(column)
                self.above.append(above)
                self.value.append(float(split))
                found = self._outcome(loaded, side)
                worth.learn(column, above, (found.bound - bound) / max(1 - share if above else share, FRACTION))
                if found.x is not None:
                    heapq.heappush(leaves, (found.bound, len(self.parent) - 1, side, found))
        return Tree(
            np.array(self.parent), np.array(self.column), np.array(self.above), np.array(self.value), self.multipliers
        )

    def _outcome(self, loaded: Loaded, program: Program) -> Outcome:
        """Return the outcome of a leaf and keep its multipliers; if it has no point, those that prove that."""
        checkpoint(_("parts of the proof of {name}", name=self.name), len(self.parent))
        if program is not loaded.program:
            loaded.change(program)
        outcome = loaded.solve()
        if outcome.termination is Termination.INFEASIBLE:
            found = None if program.crosses() else violated_least(program, self.options).multipliers
            self.multipliers.append(np.zeros(len(program.row_lower)) if found is None else found)
            return replace(outcome, bound=math.inf, x=None)
        if outcome.termination is not Termination.OPTIMAL:
            # Without an optimum the leaf has no multipliers, and proves little.
            checkpoint()
            self.multipliers.append(np.zeros(len(program.row_lower)))
            return replace(outcome, bound=-math.inf, x=None)
        self.multipliers.append(outcome.multipliers)
        return outcome


class _Worth:
    """What splits of each column raised the bound by on either side, per unit of its fraction."""

    def __init__(self, columns: int) -> None:
        self.sums, self.times = np.zeros((2, columns)), np.zeros((2, columns))

    def learn(self, column: int, above: bool, rise: float) -> None:
        """Keep what a split raised the bound by."""
        if math.isfinite(rise):
            self.sums[int(above), column] += max(rise, 0.0)
            self.times[int(above), column] += 1

    def best(self, x: NDArray[np.float64], free: NDArray[np.bool_]) -> int | None:
        """Return the fractional column whose split promises most on both sides; None if none is fractional."""
        fraction = x - np.floor(x)
        places = np.flatnonzero(free & (np.minimum(fraction, 1 - fraction) > FRACTION))
        if not len(places):
            return None
        known = self.times > 0
        average = [self.sums[side].sum() / max(1.0, self.times[side].sum()) for side in (0, 1)]
        promised = np.where(known, self.sums / np.maximum(self.times, 1), np.array(average)[:, None])[:, places] + 1e-9
        return int(places[np.argmax(promised[0] * fraction[places] * promised[1] * (1 - fraction[places]))])


def _side(program: Program, column: int, value: float, above: bool) -> Program:
    """Return the program with a column at least, or at most, a value."""
    lower, upper = program.column_lower.copy(), program.column_upper.copy()
    (lower if above else upper)[column] = value
    return replace(program, column_lower=lower, column_upper=upper)
