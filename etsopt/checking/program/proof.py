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
by what `Rows.may_be_missed` says; where there is no answer, limits are widened by more than that.

Reference: Neumaier and Shcherbina (2004), Safe bounds in linear and mixed-integer linear programming.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.arithmetic import upward
from etsopt.checking.program.bounds import Box, Goal, Rows
from etsopt.checking.tolerances import NEGLECTED_TERM_RELATIVE, PROGRAM_MISS_RELATIVE, REAL_GAP_RELATIVE
from etsopt.checking.verdict import LevelCheck, Verdict, Violation
from etsopt.common.language import _
from etsopt.common.units import tolerance_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from etsopt.checking.arrays import Floats, Mask
    from etsopt.checking.program.interfaces import Program, Tree
    from etsopt.checking.verdict import LevelStated

NO_POINT = "no point"
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

    x: Floats | None
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
    with np.errstate(over="ignore", invalid="ignore"):
        return _judged(question, answer, theorem)


def keeps_rows(program: Program, x: Floats) -> bool:
    """Return True if a point keeps rows and bounds as well as an answer has to."""
    return next(_missed(program, Rows.of(program), x), None) is None


def name_of(position: int, places: Mapping[str, slice]) -> str:
    """Return component and position in it of a row or column.

    >>> name_of(3, {"one": slice(0, 1), "other": slice(1, 5)})
    'other[2]'
    """
    return next(f"{name}[{position - at.start}]" for name, at in places.items() if at.start <= position < at.stop)


def _judged(question: ProgramQuestion, answer: ProgramAnswer, theorem: str) -> Verdict:
    program, x = question.program, answer.x
    about = Verdict((), (), theorem=theorem, of_program=True, answered=x is not None, stopped=answer.stopped)
    if not _is_finite(program):
        text = _("its numbers and the bounds of its columns are finite")
        return replace(about, violations=(_broken("program", text),))
    rows, box = Rows.of(program), Box(program.column_lower, program.column_upper).whole(program.integer)
    if x is None:
        reach = (rows.narrowed(box, program.integer) or box).reach
        wide = rows.widened(PROGRAM_MISS_RELATIVE * rows.terms(reach), PROGRAM_MISS_RELATIVE)
        return replace(about, infeasible=_has_no_point(program, wide, box, answer.trees.get(NO_POINT)))
    if x.shape != box.lower.shape or not np.isfinite(x).all():
        return replace(about, violations=(_broken("values", _("every column has a finite value")),))
    violations = [*_fractional(program, x), *_missed(program, rows, x)]
    if violations:
        return replace(about, violations=tuple(violations))
    found = [*_levels(question, answer, rows, box)]
    levels = tuple(level for level, _ in found)
    unproven = tuple(level.name for level, priced in found if not priced)
    violations = [*_not_kept(answer.levels, levels)]
    return replace(about, violations=tuple(violations), levels=levels, unproven_prices=unproven)


def _levels(
    question: ProgramQuestion, answer: ProgramAnswer, rows: Rows, box: Box
) -> Iterator[tuple[LevelCheck, bool]]:
    """Yield every objective with its bound, and whether the multipliers of the whole program alone prove it.

    Of an objective that the answer does not state no bound is proven.
    """
    program, x, stated = question.program, answer.x, {level.name for level in answer.levels}
    reach = Box(program.column_lower, program.column_upper).reach
    assert x is not None
    # Limits are widened to what the answer misses of them by rounding, which its multipliers price.
    missed, rows = rows.missed(x)[0], rows.reaching(x)
    for name in question.names:
        goal, unit = Goal.of(program.objectives[name]), program.objectives[name].unit
        value, noise = goal.at(x)
        whole = program.integer & (box.lower < box.upper)
        counts, tolerance = goal.counts(program.integer), tolerance_of(value, unit, goal.largest_term(reach))
        # A point above the cutoff is no better than the answer, and needs no bound.
        cutoff = value - (1.0 if counts else tolerance / 2) if whole.any() else value + noise
        tree, bound, priced, won = answer.trees.get(name), -np.inf, False, 0.0
        accepted = abs(value) * (question.gap if whole.any() else min(question.gap, REAL_GAP_RELATIVE))
        if tree is not None and name in stated and _is_tree(tree, program, rows.count):
            # A limit is known to a share of itself, and no more of it makes the next whole number.
            known = rows.widened(np.zeros(rows.count), PROGRAM_MISS_RELATIVE) if counts else rows
            bound = _least(known.below(goal, cutoff), box, whole, goal, tree)
            bound = float(min(np.ceil(bound), value) if counts else min(bound, cutoff, value))
            priced = _is_priced(rows, box, goal, tree, value - max(tolerance, accepted))
            prices = [np.abs(one[: len(missed)]) for one in tree.multipliers if one is not None]
            won = float(np.max(prices, axis=0) @ missed) if prices else 0.0
        gap = value - bound if counts else upward(value - bound + noise + won, 8)
        yield LevelCheck(name, unit, value, bound, gap, tolerance, accepted), priced
        rows = rows.below(goal, value + noise)
        box = box.fixed_at(x, [program.columns[one] for one in question.fix_after.get(name, ())])


def _is_priced(rows: Rows, box: Box, goal: Goal, tree: Tree, least: float) -> bool:
    """Return True if multipliers of the whole program prove a bound by themselves, so that they are its prices."""
    multipliers = tree.multipliers[0]
    return multipliers is not None and rows.bound(box, goal, multipliers) >= least


def _has_no_point(program: Program, rows: Rows, box: Box, tree: Tree | None) -> bool:
    """Return True if no point keeps the rows, by the bounds of columns alone or by a tree."""
    if rows.narrowed(box, program.integer) is None:
        return True
    if tree is None or not _is_tree(tree, program, rows.count):
        return False
    return _least(rows, box, program.integer, Goal.nothing(rows.columns), tree) > 0


def _least(rows: Rows, box: Box, whole: Mask, goal: Goal, tree: Tree) -> float:
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
        bound = rows.bound(narrow, goal, prices)
        if bound < least and (goal.is_nothing or not rows.bound(narrow, nothing, prices) > 0):
            least = bound
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


def _is_finite(program: Program) -> bool:
    """Return True if every number of a program is finite but for limits of rows that are none."""
    parts = [program.matrix.data, program.column_lower, program.column_upper]
    for objective in program.objectives.values():
        parts += [objective.linear, np.array([objective.constant])]
        parts += [] if objective.quadratic is None else [objective.quadratic]
    limits = (program.row_lower < np.inf) & (program.row_upper > -np.inf)
    return all(np.isfinite(part).all() for part in parts) and bool(limits.all())


def _missed(program: Program, rows: Rows, x: Floats) -> Iterator[Violation]:
    """Yield the first row and the first column that an answer leaves.

    Of what the columns of a row may reach nothing counts: a plant that is not built makes nothing, and what is not
    bought is not sold.
    """
    by, limit = rows.missed(x)
    settled = program.integer | (program.column_lower == program.column_upper)
    missed = np.flatnonzero(by > rows.may_be_missed(x, limit, settled))
    if len(missed):
        place = int(missed[0])
        text = _("the limit is {limit:.12g}", limit=limit[place])
        reach = Box(program.column_lower, program.column_upper).reach
        if by[place] <= NEGLECTED_TERM_RELATIVE * rows.terms(reach)[place]:
            further = _(
                "{text}; beside what its terms may reach the solver neglects that: give its variables narrower bounds "
                "and the row smaller factors"
            )
            text = _(further, text=text)
        yield _broken(name_of(place, program.rows), text, float(by[place]), "rows_are_met")
    outside = np.maximum(program.column_lower - x, x - program.column_upper)
    if (outside > 0).any():
        place = int(np.argmax(outside > 0))
        text = _("the value is within its bounds")
        yield _broken(name_of(place, program.columns), text, float(outside[place]), "bounds_are_kept")


def _fractional(program: Program, x: Floats) -> Iterator[Violation]:
    """Yield the first column whose value should be whole."""
    by = np.where(program.integer, np.abs(x - np.round(x)), 0.0)
    if by.any():
        place = int(np.argmax(by > 0))
        text = _("the value is a whole number")
        yield _broken(name_of(place, program.columns), text, float(by[place]), "whole_numbers")


def _not_kept(stated: Sequence[LevelStated], levels: Sequence[LevelCheck]) -> Iterator[Violation]:
    """Yield the objectives whose stated value differs from the one recomputed from the values of columns."""
    known = {level.name: level for level in levels}
    for level in stated:
        check = known.get(level.name)
        if check is not None and not abs(check.value - level.value) <= 2 * check.tolerance:
            text = _("the objective recomputed is {value:.12g}", value=check.value)
            yield _broken(level.name, text, abs(check.value - level.value), "level_is_kept")


def _broken(where: str, message: str, by: float = 1.0, rule: str = "program") -> Violation:
    return Violation(rule, where, by, "", message)
