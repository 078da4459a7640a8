r"""Prove an answer to a linear or mixed-integer program by multipliers that nobody has to trust.

Objectives $f_k(x) = c_k + \sum_j (l_{kj} x_j + q_{kj} x_j^2)$ are least in their order over all points that keep rows
$L \le A x \le U$, bounds $\underline{x} \le x \le \overline{x}$, and whole numbers. With the answer $x^*$ each earlier
objective becomes a row $f_j(x) \le f_j(x^*)$. For any multipliers $\pi$ of rows, every such point has

$$f_k(x) \ge c_k + \sum_i \left( \max(\pi_i, 0) L_i + \min(\pi_i, 0) U_i \right)
  + \sum_j \min_{\underline{x}_j \le x_j \le \overline{x}_j} \left( q_j x_j^2 + d_j x_j \right),
  \qquad d = l_k - A^\top \pi$$

A side $L_i$ or $U_i$ that is infinite, or wider than what the bounds of its columns leave, is that. Bounds of columns
are narrowed beforehand by rows, and by the objective itself, since a point that is no better needs no bound. Beside
whole numbers a **tree** splits a column at each inner node into $x_j \le v$ and $x_j \ge v + 1$, and each leaf has
multipliers of its own; the bound is the least of its leaves. With $l = q = c = 0$ a bound above zero proves that there
is no point, of a leaf or of the whole program.

Limits are widened to what the answer attains, so that it is one of the points, and no gap is negative. It may miss them
by `MISSED`; where there is no answer, limits are widened by that.

Reference: Neumaier and Shcherbina (2004), Safe bounds in linear and mixed-integer linear programming.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.arithmetic import upward
from etsopt.checking.program.bounds import Box, Goal, Rows
from etsopt.checking.verdict import LevelCheck, Verdict, Violation
from etsopt.units import tolerance_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from etsopt.checking.program.given import Program, Tree
    from etsopt.checking.verdict import LevelStated

MISSED = 1e-9
"""Share of a limit, or of the largest term of its row, by which an answer may miss it."""

LINEAR_GAP = 1e-8
"""Largest relative gap of an objective without whole numbers that numbers over many decades leave."""

NOISE = 1e-10
"""Share of the largest term that an objective can have which a solver neglects."""

NO_POINT = "no_point"
"""Name of the tree that proves that there is no point."""


@dataclass(frozen=True)
class ProgramQuestion:
    """What is asked of a program.

    Parameters
    ----------
    program
        Rows, bounds, whole numbers, and objectives.
    names
        Objectives in their order.
    gap
        Largest relative gap that proves an objective beside whole numbers.
    fix_after
        By objective, the variables that keep their values after it.
    """

    program: Program
    names: Sequence[str]
    gap: float
    fix_after: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class ProgramAnswer:
    """What is brought.

    Parameters
    ----------
    x
        Values of columns, shape ``(columns,)``; None if there is said to be no point.
    levels
        Objectives with their stated values.
    trees
        By objective; `NO_POINT` names the tree that proves that there is none.
    stopped
        True if a limit or a failure ended the solve.
    """

    x: NDArray[np.float64] | None
    levels: Sequence[LevelStated]
    trees: Mapping[str, Tree]
    stopped: bool = False


def judge_program(question: ProgramQuestion, answer: ProgramAnswer, theorem: str) -> Verdict:
    """Judge an answer to a program: recompute rows, bounds and whole numbers, and bound every objective.

    Parameters
    ----------
    theorem
        Name of the theorem in the verdict, such as that of the model file.
    """
    program, x = question.program, answer.x
    rows, box = Rows.of(program), Box(program.column_lower, program.column_upper)
    about = Verdict((), (), theorem=theorem, of_program=True, answered=x is not None, stopped=answer.stopped)
    most = rows.largest_terms(rows.narrowed(box, program.integer) or box)
    if x is None:
        proven = _has_no_point(program, rows.widened(MISSED * most, MISSED), box, answer.trees.get(NO_POINT))
        return replace(about, infeasible=proven)
    if x.shape != box.lower.shape or not np.isfinite(x).all():
        return replace(about, violations=(_broken("values", "every column has a finite value"),))
    violations = [*_missed(program, rows, x, most), *_fractional(program, x)]
    if violations:
        return replace(about, violations=tuple(violations))
    levels = tuple(_levels(question, answer, rows, x))
    return replace(about, violations=tuple(_not_kept(answer.levels, levels)), levels=levels)


def name_of(position: int, places: Mapping[str, slice]) -> str:
    """Return component and position in it of a row or column.

    >>> name_of(3, {"one": slice(0, 1), "other": slice(1, 5)})
    'other[2]'
    """
    return next(f"{name}[{position - at.start}]" for name, at in places.items() if at.start <= position < at.stop)


def _levels(
    question: ProgramQuestion, answer: ProgramAnswer, rows: Rows, x: NDArray[np.float64]
) -> Iterator[LevelCheck]:
    """Yield every objective with its bound; of one that the answer does not state none is proven."""
    program, stated = question.program, {level.name for level in answer.levels}
    rows, box = rows.reaching(x), Box(program.column_lower, program.column_upper).reaching(x)
    for name in question.names:
        goal, unit = Goal.of(program.objectives[name]), program.objectives[name].unit
        value, noise = goal.at(x)
        whole = program.integer & (box.lower < box.upper)
        counts = goal.counts(program.integer)
        tolerance = max(tolerance_of(value, unit), NOISE * goal.largest_term(rows.narrowed(box, whole) or box))
        # A point above the cutoff is no better than the answer, and needs no bound.
        cutoff = value - (1.0 if counts else tolerance / 2) if whole.any() else value + noise
        tree, bound = answer.trees.get(name), -np.inf
        if tree is not None and name in stated and _is_tree(tree, program, rows.count):
            bound = _least(rows.below(goal, cutoff), box, whole, goal, tree)
            bound = float(min(np.ceil(bound), value) if counts else min(bound, cutoff, value))
        gap = value - bound if counts else upward(value - bound + noise, 4)
        accepted = question.gap if whole.any() else min(question.gap, LINEAR_GAP)
        yield LevelCheck(name, unit, value, bound, gap, tolerance, accepted * abs(value))
        rows = rows.below(goal, value + noise)
        box = box.fixed_at(x, [program.columns[one] for one in question.fix_after.get(name, ())])


def _has_no_point(program: Program, rows: Rows, box: Box, tree: Tree | None) -> bool:
    """Return True if no point keeps the rows, by the bounds of columns alone or by a tree."""
    if rows.narrowed(box, program.integer) is None:
        return True
    if tree is None or not _is_tree(tree, program, rows.count):
        return False
    return _least(rows, box, program.integer, Goal.nothing(rows.columns), tree) > 0


def _least(rows: Rows, box: Box, whole: NDArray[np.bool_], goal: Goal, tree: Tree) -> float:
    """Return the least bound of the leaves of a tree: infinite if no point is left in any."""
    boxes, least, inner = [box], np.inf, set(tree.parent[1:].tolist())
    nothing = Goal.nothing(rows.columns)
    for node, multipliers in enumerate(tree.multipliers):
        if node:
            side = int(tree.column[node]), float(tree.value[node]), bool(tree.above[node])
            boxes.append(boxes[int(tree.parent[node])].split(*side))
        narrow = None if node in inner else rows.narrowed(boxes[node], whole)
        if narrow is None:
            continue
        if multipliers is None:
            return -np.inf
        # The row of the objective itself, which only narrows, comes last and has no multiplier.
        prices = np.concatenate([multipliers, np.zeros(rows.count - len(multipliers))])
        if not goal.is_nothing and rows.bound(narrow, nothing, prices) > 0:
            continue
        least = min(least, rows.bound(narrow, goal, prices))
    return least


def _is_tree(tree: Tree, program: Program, rows: int) -> bool:
    """Return True if every point of the program is in a leaf, since both sides of each split are there."""
    parts = (tree.parent, tree.column, tree.above, tree.value, tree.multipliers)
    if len({len(part) for part in parts}) != 1 or not len(tree.parent):
        return False
    if any(one is not None and (len(one) != rows or not np.isfinite(one).all()) for one in tree.multipliers):
        return False
    parent, column, above, value = tree.parent[1:], tree.column[1:], tree.above[1:], tree.value[1:]
    if ((parent < 0) | (parent > np.arange(len(parent))) | (column < 0) | (column >= len(program.integer))).any():
        return False
    if len(parent) % 2 or not program.integer[column].all() or (value != np.round(value)).any():
        return False
    order = np.lexsort((above, parent))
    parent, column, above, value = parent[order], column[order], above[order], value[order]
    one, other = slice(0, None, 2), slice(1, None, 2)
    sides = (parent[one] == parent[other]) & (column[one] == column[other]) & (value[one] + 1 == value[other])
    twice = parent[one][1:] == parent[one][:-1]
    return bool((sides & ~above[one] & above[other]).all() and not twice.any())


def _missed(program: Program, rows: Rows, x: NDArray[np.float64], most: NDArray[np.float64]) -> Iterator[Violation]:
    """Yield the first row and the first bound of a column that an answer misses.

    Parameters
    ----------
    most
        Largest term that each row can have, shape ``(rows,)``: beside a variable that may reach 1e12 a solver neglects
        50, so that the terms at the answer count, and beside a limit of zero those of the largest of each component.
    """
    largest = np.abs(x)
    for block in program.columns.values():
        largest[block] = largest[block].max(initial=0.0)
    terms = [rows.largest_terms(Box(-size, size)) for size in (np.abs(x), largest)]
    for values, lower, upper, own, beside, places in (
        (rows.times(x)[0], rows.lower, rows.upper, terms[0], np.minimum(terms[1], most), program.rows),
        (x, program.column_lower, program.column_upper, np.abs(x), largest, program.columns),
    ):
        limit = np.where(values < lower, lower, upper)
        by = np.maximum(lower - values, values - upper)
        size = np.maximum(np.where(np.isfinite(limit), np.abs(limit), 0.0), np.where(limit == 0, beside, own))
        missed = np.flatnonzero(by > MISSED * size)
        if len(missed):
            place = int(missed[0])
            text = f"the limit is {limit[place]:.12g}; a solver may neglect that beside wide bounds of variables"
            yield _broken(name_of(place, places), text, float(by[place]), "rows_are_met")


def _fractional(program: Program, x: NDArray[np.float64]) -> Iterator[Violation]:
    """Yield the first column whose value should be whole."""
    by = np.where(program.integer, np.abs(x - np.round(x)), 0.0)
    if by.any():
        place = int(np.argmax(by > 0))
        yield _broken(name_of(place, program.columns), "the value is a whole number", float(by[place]), "whole_numbers")


def _not_kept(stated: Sequence[LevelStated], levels: Sequence[LevelCheck]) -> Iterator[Violation]:
    """Yield the objectives whose stated value differs from the one recomputed from the values of columns."""
    known = {level.name: level for level in levels}
    for level in stated:
        check = known.get(level.name)
        if check is not None and not abs(check.value - level.value) <= 2 * check.tolerance:
            text = f"the objective recomputed is {check.value:.12g}"
            yield _broken(level.name, text, abs(check.value - level.value), "level_is_kept")


def _broken(where: str, message: str, by: float = 1.0, rule: str = "program") -> Violation:
    return Violation(rule, where, by, "", message)
