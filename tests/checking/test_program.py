"""Programs as arrays: what is certified is true, whatever multipliers and trees are brought."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from etsopt.checking.program import NO_POINT, ProgramAnswer, ProgramQuestion, judge_program
from etsopt.checking.program.bounds import Box, Goal, Rows
from etsopt.modelling.program.program import Objective, Program
from etsopt.modelling.program.sparse_rows import dense
from etsopt.modelling.solving.levels import settled, solve_levels
from etsopt.modelling.solving.options import SolveOptions
from etsopt.modelling.solving.proving import alone, prove, refute
from etsopt.modelling.solving.solution import Termination, Tree

if TYPE_CHECKING:
    from etsopt.checking.verdict import Verdict

Level = SimpleNamespace


def program(
    rows: list[list[float]],
    limits: list[tuple[float, float]],
    bounds: list[tuple[float, float]],
    costs: dict[str, list[float]],
    whole: bool | list[bool] = False,
    squares: dict[str, list[float]] | None = None,
) -> Program:
    matrix = dense(np.array(rows, dtype=float).reshape(len(limits), len(bounds)))
    low, high = (np.array([pair[end] for pair in limits], dtype=float) for end in (0, 1))
    least, most = (np.array([pair[end] for pair in bounds], dtype=float) for end in (0, 1))
    objectives = {
        name: Objective(np.array(cost, dtype=float), _array(squares, name), 0.0, "t") for name, cost in costs.items()
    }
    integer = np.broadcast_to(np.array(whole), (len(bounds),)).copy()
    return Program(
        matrix,
        low,
        high,
        least,
        most,
        integer,
        {"row": slice(0, len(limits))},
        {"x": slice(0, len(bounds))},
        objectives,
    )


def _array(squares: dict[str, list[float]] | None, name: str) -> NDArray[np.float64] | None:
    return None if squares is None or name not in squares else np.array(squares[name], dtype=float)


INF = np.inf

# Two units of 10 t each; together at least 12 t, the first no more than 5 t. Least total, then least of the second.
HAND = program([[1, 1], [1, 0]], [(12, INF), (-INF, 5)], [(0, 10), (0, 10)], {"total": [1, 1], "second": [0, 1]})


def judged(asked: Program, x: list[float], trees: dict[str, Tree], **values: float) -> Verdict:
    names = list(asked.objectives)
    point = np.array(x, dtype=float)
    levels = [Level(name=name, value=values.get(name, asked.objectives[name].value(point))) for name in names]
    return judge_program(ProgramQuestion(asked, names, 1e-4), ProgramAnswer(point, levels, trees), "hand")


def test_an_answer_by_hand_is_certified_by_the_multipliers_that_one_finds_by_hand() -> None:
    # One tonne more of the sum costs a tonne. The second unit gains nothing once the total is kept: it is 12 less 5.
    trees = {"total": alone(np.array([1.0, 0.0])), "second": alone(np.array([1.0, -1.0, 0.0]))}
    verdict = judged(HAND, [5, 7], trees)
    assert verdict.status == "certified_program"
    assert [(level.value, round(level.bound, 9)) for level in verdict.levels] == [(12.0, 12.0), (7.0, 7.0)]
    # Another point of least total is feasible, and its second objective is not proven.
    worse = judged(HAND, [4, 8], trees)
    assert worse.status == "feasible"
    assert worse.levels[0].certified
    assert worse.levels[1].gap == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("x", "values", "rule"),
    [
        ([5, 6.9], {}, ("rows_are_met", 0.1)),
        ([5.1, 6.9], {}, ("rows_are_met", 0.1)),
        ([1, 11], {}, ("bounds_are_kept", 1.0)),
        ([5, 7], {"total": 11.0}, ("level_is_kept", 1.0)),
        ([5, np.nan], {}, ("program", 1.0)),
        ([5, 7, 1], {}, ("program", 1.0)),
    ],
)
def test_a_point_or_a_value_that_is_wrong_is_refused(
    x: list[float], values: dict[str, float], rule: tuple[str, float]
) -> None:
    names = list(HAND.objectives)
    levels = [Level(name=name, value={"total": 12.0, "second": 7.0, **values}[name]) for name in names]
    answer = ProgramAnswer(np.array(x, dtype=float), levels, {})
    verdict = judge_program(ProgramQuestion(HAND, names, 1e-4), answer, "hand")
    assert verdict.status == "refused"
    first = verdict.violations[0]
    assert first.rule == rule[0]
    assert first.amount == pytest.approx(rule[1])


def test_a_fraction_is_no_whole_number() -> None:
    whole = replace(HAND, integer=np.array([True, True]))
    assert judged(whole, [4.5, 7.5], {}).violations[0].rule == "whole_numbers"


def random_program(seed: int, whole: bool) -> Program:
    """Return a small program with whole coefficients, often degenerate, sometimes without a point."""
    draw = np.random.default_rng(seed)
    rows, columns = int(draw.integers(1, 4)), int(draw.integers(1, 4))
    matrix = draw.integers(-3, 4, (rows, columns)).astype(float)
    centre = draw.integers(-4, 8, rows)
    low = np.where(draw.random(rows) < 0.6, centre - draw.integers(0, 3, rows), -INF)
    high = np.where(draw.random(rows) < 0.6, centre + draw.integers(0, 3, rows), INF)
    least = draw.integers(-2, 2, columns).astype(float)
    most = least + draw.integers(0, 4, columns)
    costs = {f"goal{place}": draw.integers(-3, 4, columns).tolist() for place in range(int(draw.integers(1, 3)))}
    pairs = (list(zip(low.tolist(), high.tolist(), strict=True)), list(zip(least.tolist(), most.tolist(), strict=True)))
    return program(matrix.tolist(), *pairs, costs, whole)


def points(asked: Program, step: int = 1) -> Iterator[tuple[Fraction, ...]]:
    """Yield every point of a grid that keeps all rows, exactly."""
    ends = zip(asked.column_lower, asked.column_upper, strict=True)
    grids = [[Fraction(one, step) for one in range(int(low) * step, int(high) * step + 1)] for low, high in ends]
    full = asked.matrix.toarray()
    for point in itertools.product(*grids):
        totals = [sum(int(a) * x for a, x in zip(row, point, strict=True)) for row in full]
        if all(low <= one <= high for low, one, high in zip(asked.row_lower, totals, asked.row_upper, strict=True)):
            yield point


def ordered(asked: Program, point: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    """Return the values of all objectives at a point."""
    return tuple(
        sum((int(c) * x for c, x in zip(one.linear, point, strict=True)), Fraction())
        for one in asked.objectives.values()
    )


@pytest.mark.parametrize("seed", range(120))
def test_whole_programs_are_certified_at_their_best_point_alone(seed: int) -> None:
    asked = random_program(seed, whole=True)
    found = sorted(points(asked), key=lambda point: ordered(asked, point))
    solution = solve_levels(asked, list(asked.objectives), SolveOptions(), {})
    if not found:
        assert solution.termination is Termination.INFEASIBLE
        trees = {NO_POINT: refute(asked, SolveOptions())}
        nothing = ProgramAnswer(None, (), trees)
        assert (
            judge_program(ProgramQuestion(asked, [*asked.objectives], 1e-4), nothing, "m").status
            == "infeasible_program"
        )
        return
    x = solution.values["x"]
    trees = prove(asked, solution.levels, x, {}, SolveOptions())
    verdict = judged(asked, x.tolist(), trees)
    assert verdict.status == "certified_program"
    best = ordered(asked, found[0])
    assert [level.value for level in verdict.levels] == [float(one) for one in best]
    draw = np.random.default_rng(seed)
    for point in found[1:]:
        if ordered(asked, point) == best:
            continue
        # No tree proves a worse point: neither that of the answer, nor any other numbers in it.
        wrong = {name: _shaken(tree, draw) for name, tree in trees.items()} if draw.random() < 0.8 else trees
        assert not judged(asked, [float(one) for one in point], wrong).certified
    empty = ProgramAnswer(None, (), {NO_POINT: _shaken(alone(np.zeros(len(asked.row_lower))), draw)})
    assert not judge_program(ProgramQuestion(asked, [*asked.objectives], 1e-4), empty, "m").certified


def _shaken(tree: Tree, draw: np.random.Generator) -> Tree:
    return replace(
        tree,
        multipliers=[
            None
            if one is None
            else one * draw.choice([0.0, 1.0, 10.0]) + draw.normal(0, draw.choice([0, 1, 1e6]), len(one))
            for one in tree.multipliers
        ],
    )


@pytest.mark.parametrize("seed", range(120))
def test_real_programs_are_certified_and_no_point_of_a_grid_is_better(seed: int) -> None:
    asked = random_program(seed, whole=False)
    solution = solve_levels(asked, list(asked.objectives), SolveOptions(), {})
    grid = [*points(asked, 4)]
    if solution.termination is Termination.INFEASIBLE:
        assert not grid
        nothing = ProgramAnswer(None, (), {NO_POINT: refute(asked, SolveOptions())})
        assert (
            judge_program(ProgramQuestion(asked, [*asked.objectives], 1e-4), nothing, "m").status
            == "infeasible_program"
        )
        return
    x = solution.values["x"]
    verdict = judged(asked, x.tolist(), prove(asked, solution.levels, x, {}, SolveOptions()))
    assert verdict.status == "certified_program"
    if grid:
        assert verdict.levels[0].value <= float(min(ordered(asked, point)[0] for point in grid)) + 1e-9


def several(seed: int) -> tuple[Program, Program]:
    """Return a mixed program of four objectives with constants, and the same with its whole numbers free."""
    draw = np.random.default_rng(seed)
    whole, count = int(draw.integers(1, 4)), int(draw.integers(1, 3))
    columns, rows = whole + count, int(draw.integers(1, 4))
    least = np.concatenate([draw.integers(-2, 1, whole), np.zeros(count)])
    most = least + np.concatenate([draw.integers(0, 4, whole), draw.integers(1, 11, count)])
    centre = np.round(draw.uniform(least, most) * np.repeat([1, 2], [whole, count])) / np.repeat([1, 2], [whole, count])
    matrix = draw.integers(-3, 4, (rows, columns)).astype(float)
    total, side = matrix @ centre, draw.integers(0, 3, rows)
    low, high = np.where(side == 0, -INF, total - (side == 1) / 2), np.where(side == 1, INF, total + (side == 0) / 2)
    limits = list(zip(low.tolist(), high.tolist(), strict=True))
    costs = {f"goal{place}": draw.integers(-3, 4, columns).tolist() for place in range(4)}
    made = program(matrix.tolist(), limits, list(zip(least.tolist(), most.tolist(), strict=True)), costs, whole=True)
    constants = {
        name: replace(one, constant=float(draw.choice([0, 1, 1000, -2.5]))) for name, one in made.objectives.items()
    }
    integer = np.arange(columns) < whole
    return replace(made, objectives=constants, integer=integer), replace(
        made, objectives=constants, integer=0 * integer > 0
    )


@pytest.mark.parametrize("seed", range(80))
def test_four_objectives_are_certified_in_their_order_beside_whole_numbers_and_without(seed: int) -> None:
    for asked in several(seed):
        solution = settled(asked, solve_levels(asked, list(asked.objectives), SolveOptions(), {}), SolveOptions(), {})
        assert solution.termination is Termination.OPTIMAL
        x = solution.values["x"]
        verdict = judged(asked, x.tolist(), prove(asked, solution.levels, x, {}, SolveOptions()))
        assert verdict.status == "certified_program"


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("count", [1, 3])
def test_a_last_objective_with_squares_is_certified(seed: int, count: int) -> None:
    _, asked = several(seed)
    names = [*asked.objectives][:count]
    last, chosen = asked.objectives[names[-1]], np.random.default_rng(seed).random(len(asked.column_lower))
    squares = replace(last, linear=last.linear * chosen, quadratic=np.where(chosen > 0.3, chosen, 0.0))
    asked = replace(asked, objectives={name: asked.objectives[name] for name in names} | {names[-1]: squares})
    solution = solve_levels(asked, names, SolveOptions(), {})
    x = np.clip(solution.values["x"], asked.column_lower, asked.column_upper)
    verdict = judged(asked, x.tolist(), prove(asked, solution.levels, x, {}, SolveOptions()))
    assert verdict.status == "certified_program"


@pytest.mark.parametrize("seed", range(60))
def test_a_bound_holds_for_any_multipliers_and_curves(seed: int) -> None:
    draw = np.random.default_rng(seed)
    asked = random_program(seed, whole=False)
    grid = np.array([[float(one) for one in point] for point in points(asked, 4)])
    count = len(asked.column_lower)
    goal = Goal(draw.normal(size=count), draw.normal(size=count) * draw.integers(0, 2), float(draw.normal()))
    earlier = Goal(draw.normal(size=count), np.abs(draw.normal(size=count)) * draw.integers(0, 2), 0.0)
    rows, box = Rows.of(asked), Box(asked.column_lower, asked.column_upper)
    if not len(grid):
        return
    reached = (grid @ earlier.linear) + (grid**2 @ earlier.quadratic)
    most = float(np.median(reached))
    rows = rows.below(earlier, most)
    narrow = rows.narrowed(box, np.zeros(count, dtype=bool))
    assert narrow is not None
    kept = grid[reached <= most]
    assert ((kept >= narrow.lower) & (kept <= narrow.upper)).all()
    values = kept @ goal.linear + kept**2 @ goal.quadratic + goal.constant
    for scale in (0.0, 1.0, 1e3):
        assert rows.bound(narrow, goal, draw.normal(0, 1, rows.count) * scale) <= values.min()


def knapsack() -> Program:
    """Return a program whose relaxation is no proof, and whose bounds alone prove no side of a split."""
    draw = np.random.default_rng(2)
    sizes = draw.integers(5, 60, (2, 10)).astype(float)
    limits = [(-INF, float(row.sum() // 2)) for row in sizes]
    worth = (sizes.mean(0) + draw.random(10)).tolist()
    return program(sizes.tolist(), limits, [(0, 1)] * 10, {"most": [-one for one in worth]}, whole=True)


def test_a_tree_proves_what_multipliers_alone_do_not_and_each_fault_in_it_loses_the_proof() -> None:
    asked = knapsack()
    solution = solve_levels(asked, ["most"], SolveOptions(), {})
    best = solution.values["x"].tolist()
    tree = prove(asked, solution.levels, solution.values["x"], {}, SolveOptions())["most"]
    nodes, count = np.arange(len(tree.parent)), len(tree.parent)
    assert count > 5
    assert judged(asked, best, {"most": tree}).status == "certified_program"
    without = [[None if node == one else of for node, of in enumerate(tree.multipliers)] for one in nodes[-10:]]
    statuses = {judged(asked, best, {"most": replace(tree, multipliers=one)}).status for one in without}
    # Some sides have no better point by the bounds of columns alone, and need no multipliers.
    assert statuses == {"certified_program", "feasible"}
    faults: list[Any] = [
        alone(tree.multipliers[0]),
        replace(tree, parent=np.full_like(tree.parent, -1)),
        replace(tree, parent=tree.parent + 1),
        replace(tree, parent=np.where(nodes > 2, 0, tree.parent)),
        replace(tree, above=np.ones_like(tree.above)),
        replace(tree, above=~tree.above),
        replace(tree, value=tree.value + nodes * 0.5),
        replace(tree, value=tree.value + (nodes == 1)),
        replace(tree, column=np.full_like(tree.column, 10)),
        replace(tree, column=np.where(nodes == 2, (tree.column + 1) % 10, tree.column)),
        replace(tree, multipliers=[np.full(2, np.nan), *tree.multipliers[1:]]),
        replace(tree, multipliers=tree.multipliers[:-1]),
        *(_cut(tree, length) for length in (0, count - 1)),
    ]
    for fault in faults:
        assert judged(asked, best, {"most": fault}).status == "feasible"
    # Sides of a column of real numbers leave out what lies between them.
    real = replace(asked, integer=np.zeros(10, dtype=bool))
    assert judged(real, best, {"most": tree}).status == "feasible"


def _cut(tree: Tree, length: int) -> Tree:
    at = slice(length)
    return Tree(tree.parent[at], tree.column[at], tree.above[at], tree.value[at], tree.multipliers[at])


def test_squares_are_proven_by_the_multipliers_of_their_tangent() -> None:
    # The least sum of squares with a sum of 12 is 6 and 6; the first stays at 5, and then the second is 7.
    asked = program(
        [[1, 1], [1, 0]], [(12, INF), (-INF, 5)], [(0, 10), (0, 10)], {"squares": [0, 0]}, squares={"squares": [1, 1]}
    )
    solution = solve_levels(asked, ["squares"], SolveOptions(), {})
    x = solution.values["x"]
    assert x == pytest.approx([5, 7])
    trees = prove(asked, solution.levels, x, {}, SolveOptions())
    assert judged(asked, x.tolist(), trees).status == "certified_program"
    assert judged(asked, [4, 8], trees).status == "feasible"


def test_later_objectives_are_bounded_with_the_variables_that_stay_fixed() -> None:
    asked = program([[1, 1]], [(3, 3)], [(0, 3), (0, 3)], {"none": [0, 0], "first": [1, 0]}, whole=[True, False])
    names = ["none", "first"]
    x = np.array([2.0, 1.0])
    levels = [Level(name="none", value=0.0), Level(name="first", value=2.0)]
    trees = {"none": alone(np.zeros(1)), "first": alone(np.zeros(2))}
    fixed = ProgramQuestion(asked, names, 1e-4, {"none": ("x",)})
    assert judge_program(fixed, ProgramAnswer(x, levels, trees), "m").status == "certified_program"
    assert judge_program(ProgramQuestion(asked, names, 1e-4), ProgramAnswer(x, levels, trees), "m").status == "feasible"


def test_wide_bounds_of_variables_cost_no_proof() -> None:
    # Reduced costs of a solver are zero but for rounding, which beside a bound of 1e12 t would be many tonnes.
    draw = np.random.default_rng(0)
    emissions = draw.uniform(1e4, 1e7, 500)
    asked = program(
        [(1 / emissions).tolist(), np.ones(500).tolist()],
        [(400, INF), (0.9 * emissions.sum(), INF)],
        [(0, 1e12)] * 500,
        {"total": (1 + draw.random(500)).tolist()},
    )
    solution = solve_levels(asked, ["total"], SolveOptions(), {})
    trees = prove(asked, solution.levels, solution.values["x"], {}, SolveOptions())
    assert judged(asked, solution.values["x"].tolist(), trees).status == "certified_program"


@pytest.mark.parametrize("most", [1e6, 1e7, 1e9])
@pytest.mark.parametrize("needed", [1e-3, 1e-6, 1e-12])
def test_a_plant_that_is_not_built_makes_nothing_however_much_it_could(most: float, needed: float) -> None:
    # It costs 10 to build, and what is needed is less than a billionth of what it makes: so it was "proven" to cost 0.
    asked = program(
        [[1, -most], [1, 0]], [(-INF, 0), (needed, INF)], [(0, most), (0, 1)], {"cost": [0, 10]}, [False, True]
    )
    for point in ([needed, 0.0], [0.0, 0.0]):
        verdict = judged(asked, point, {"cost": alone(np.zeros(2))})
        assert (verdict.status, verdict.violations[0].rule) == ("refused", "rows_are_met")
    tree = Tree(
        np.zeros(3, dtype=np.int64),
        np.array([0, 1, 1]),
        np.array([False, False, True]),
        np.array([0.0, 0.0, 1.0]),
        [None, np.array([-1e3 / needed, 1e3 / needed]), np.zeros(2)],
    )
    built = judged(asked, [needed, 1.0], {"cost": tree})
    assert (built.status, built.levels[0].value) == ("certified_program", 10.0)


def test_what_a_row_is_missed_by_within_rounding_counts_at_its_price() -> None:
    # A billionth of a million tonnes is 0.9 kg, which at 99,000 CNY/t is 89 CNY.
    asked = program([[1, 0]], [(-INF, 1e6)], [(0, 2e6), (0, 1)], {"won": [-99_000, 0]})
    tree = {"won": alone(np.array([-99_000.0]))}
    assert judged(asked, [1e6, 0.0], tree).status == "certified_program"
    missed = judged(asked, [1e6 + 0.9e-3, 0.0], tree)
    assert missed.violations == ()
    assert missed.levels[0].gap == pytest.approx(89.1, rel=1e-3)


@pytest.mark.parametrize("trees", [{"bought": alone(np.zeros(1)), "won": alone(np.zeros(2))}, {}])
def test_what_is_not_bought_is_not_sold_however_much_it_could_be(trees: dict[str, Tree]) -> None:
    # 0.99 of a billion sold, none of it bought: narrowing by the row that is missed needed no multiplier.
    asked = program([[1, -1]], [(-INF, 0)], [(0, 1e9), (0, 1e9)], {"bought": [0, 1], "won": [-900_000, 0]})
    verdict = judged(asked, [0.99, 0.0], trees)
    assert (verdict.status, verdict.violations[0].rule) == ("refused", "rows_are_met")
    assert judged(asked, [0.0, 0.0], {"bought": alone(np.zeros(1)), "won": alone(np.zeros(2))}).certified


@pytest.mark.parametrize("seed", range(6))
def test_the_least_of_squares_over_a_box_is_at_an_end_or_where_the_slope_is_zero(seed: int) -> None:
    random = np.random.default_rng(seed)
    nothing = np.zeros(0, dtype=np.int64)
    for _ in range(50):
        curve, slope = random.choice([-1.0, 0.0, 0.5, 2.0]), float(random.integers(-6, 7))
        lower = float(random.integers(-4, 4))
        upper = lower + float(random.integers(0, 5))
        at = np.append(np.linspace(lower, upper, 4001), np.clip(-slope / (2 * curve), lower, upper) if curve else lower)
        rows = Rows(np.zeros(0), nothing, nothing, np.zeros(0), np.zeros(0), 1)
        goal = Goal(np.array([slope]), np.array([curve]), 0.25)
        bound = rows.bound(Box(np.array([lower]), np.array([upper])), goal, np.zeros(0))
        least = float((curve * at * at + slope * at).min()) + 0.25
        assert least - 1e-9 <= bound <= least
