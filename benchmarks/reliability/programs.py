"""Small programs as users write them, defects of some of them, and their exact solutions."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from itertools import combinations, product
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NEAR = Fraction(1, 10**6)
"""Tolerance of a row relative to its largest term: the default of HiGHS."""

GAP = Fraction(1, 10**4)
"""Tolerance of a value relative to the optimum or to one: the default gap of HiGHS."""


@dataclass(frozen=True)
class Written:
    """Program: minimise ``cost @ x`` with ``least <= matrix @ x <= most``, ``lower <= x <= upper``, partly integer."""

    matrix: list[list[float]]
    least: list[float]
    most: list[float]
    lower: list[float]
    upper: list[float]
    cost: list[float]
    whole: list[bool]

    def as_json(self) -> str:
        return json.dumps(asdict(self))

    @property
    def is_meant(self) -> bool:
        """Return True if the program is valid: coefficients, costs and bounds finite, and no limit NaN."""
        finite = [*self.cost, *self.lower, *self.upper, *(value for row in self.matrix for value in row)]
        return all(map(math.isfinite, finite)) and not any(map(math.isnan, [*self.least, *self.most]))


KINDS = ("standard", "large constants", "equalities", "fixed columns")


def random_program(number: int) -> Written:
    """Return a random mixed-integer program with few, bounded columns and rows."""
    random, kind = np.random.default_rng(number), KINDS[number % len(KINDS)]
    columns, rows = int(random.integers(2, 7)), int(random.integers(1, 5))
    matrix = random.integers(-9, 10, (rows, columns)) * (random.random((rows, columns)) < 0.5)
    matrix[~matrix.any(axis=1), 0] = 1
    lower = random.choice([0, 0, 0, -1, -3], columns)
    upper = lower + random.integers(kind != "fixed columns", 11, columns)
    whole = random.random(columns) < 0.5
    if kind == "large constants":
        switch = int(random.integers(columns))
        lower[switch], upper[switch], whole[switch] = 0, 1, True
        large = random.choice([100, 1000, 10_000], rows) * random.choice([-1, 1], rows)
        matrix[:, switch] = np.where(random.random(rows) < 0.6, large, matrix[:, switch])
    # Around a point inside the bounds, so that most are feasible; halves, which integer columns alone do not meet.
    inside = lower + np.round(random.random(columns) * (upper - lower))
    limit = matrix @ inside + random.integers(-2, 5, rows) / 2
    least, most = np.full(rows, -math.inf), np.full(rows, math.inf)
    sense = random.integers(0, 5, rows)
    most[sense < 2], least[sense >= 2] = limit[sense < 2], limit[sense >= 2]
    both = sense == 4
    most[both] = limit[both] + (0 if kind == "equalities" else random.integers(0, 6))
    cost = random.integers(-9, 10, columns)
    parts = (matrix, least, most, lower, upper, cost)
    return Written(*(part.astype(float).tolist() for part in parts), whole.tolist())


def least_by_another_program(program: Written) -> float | None:
    """Return the optimum by the HiGHS of scipy, without presolve; None if infeasible."""
    found = milp(
        np.array(program.cost),
        constraints=LinearConstraint(np.array(program.matrix), np.array(program.least), np.array(program.most)),
        bounds=Bounds(np.array(program.lower), np.array(program.upper)),
        integrality=np.array(program.whole, dtype=int),
        options={"presolve": False, "mip_rel_gap": 0.0},
    )
    assert found.status in (0, 2), found.message
    return float(found.fun) if found.status == 0 else None


# Hostile ones.

NOT_FINITE = {"NaN": math.nan, "infinite": math.inf}


def harmless(random: np.random.Generator) -> Written:
    """Return three columns, each with a lower bound, and a total of at least nine."""
    least = [float(random.integers(1, 4)) for _ in range(3)]
    rows = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 1.0, 1.0], [1.0, 2.0, 1.0]]
    cost = [float(random.integers(1, 6)) for _ in range(3)]
    limits = [*least, float(random.integers(9, 13)), 1.0]
    whole = [bool(random.integers(2))] * 3
    return Written(rows, limits, [math.inf] * 5, [0.0] * 3, [10.0] * 3, cost, whole)


def with_coefficient(program: Written, value: float, row: int = 4, column: int = 0) -> Written:
    matrix = [list(entries) for entries in program.matrix]
    matrix[row][column] = value
    return replace(program, matrix=matrix)


def with_value(program: Written, part: str, position: int, value: float) -> Written:
    return replace(
        program, **{part: [*getattr(program, part)[:position], value, *getattr(program, part)[position + 1 :]]}
    )


def tiny_coefficient(program: Written, random: np.random.Generator) -> Written:
    """Return a column in a far too small unit, with a coefficient that HiGHS drops; its row may need it."""
    size = float(random.uniform(1e-10, 9e-10))
    program = with_value(with_value(program, "upper", 0, 100 / size), "cost", 0, size)
    program = with_coefficient(with_coefficient(replace(program, whole=[False] * 3), 0.0, 3), size)
    if random.integers(2):
        program = replace(program, upper=[program.upper[0], 100.0, 100.0])
    return with_value(program, "least", 4, 60.0)


CAUSES = (
    "coefficient of 1e15 or more",
    "coefficient below 1e-9",
    "NaN coefficient",
    "infinite coefficient",
    "right-hand side of 1e20 or more",
    "NaN right-hand side",
    "NaN cost",
    "infinite cost",
    "NaN bound",
    "misspelt solver option",
)


def hostile(number: int) -> tuple[str, Written, dict[str, Any]]:
    """Return cause, program and solver options of a hostile number of random place and size."""
    random, cause = np.random.default_rng(number), CAUSES[number % len(CAUSES)]
    program, column = harmless(random), int(random.integers(3))
    if cause == CAUSES[0]:
        return cause, with_coefficient(program, float(10 ** random.uniform(15, 19)), column=column), {}
    if cause == CAUSES[1]:
        return cause, tiny_coefficient(program, random), {}
    if cause in CAUSES[2:4]:
        value = NOT_FINITE[cause.split()[0]]
        return cause, with_coefficient(program, value, int(random.integers(3, 5)), column), {}
    if cause in CAUSES[4:6]:
        value = float(10 ** random.uniform(20, 25)) if cause == CAUSES[4] else math.nan
        return cause, with_value(program, str(random.choice(["least", "most"])), int(random.integers(3, 5)), value), {}
    if cause in CAUSES[6:8]:
        return cause, with_value(program, "cost", column, NOT_FINITE[cause.split()[0]]), {}
    if cause == CAUSES[8]:
        return cause, with_value(program, str(random.choice(["lower", "upper"])), column, math.nan), {}
    return cause, program, dict([[("presolv", "off"), ("mip_rel_gapp", 0.0), ("random_sed", 3)][column]])


# Exact answers.


def is_wrong(program: Written, x: Sequence[float] | None, best: Fraction | None) -> str:
    """Return the error of a point reported as optimal, or of None for infeasible; empty without one."""
    if x is None:
        return "" if best is None else "said to have no solution"
    if not all(map(math.isfinite, x)):
        return "not a number"
    if not program.is_meant:
        return "an optimum of what has no meaning"
    point = [Fraction(value) for value in x]
    for value, whole in zip(point, program.whole, strict=True):
        if whole and abs(value - round(value)) > 10 * NEAR:
            return "not whole"
    for terms, least, most in limits(program, point):
        size = max(map(abs, (Fraction(1), *terms, *(Fraction(side) for side in (least, most) if math.isfinite(side)))))
        if below(least, sum(terms), NEAR * size) or below(-most, -sum(terms), NEAR * size):
            return "breaks a constraint"
    if best is None:
        return "a solution of what has none"
    value = sum((Fraction(cost) * part for cost, part in zip(program.cost, point, strict=True)), Fraction(0))
    return "not the optimum" if abs(value - best) > GAP * max(Fraction(1), abs(best)) else ""


def below(limit: float, value: Fraction, by: Fraction) -> bool:
    return math.isfinite(limit) and Fraction(limit) - value > by


def limits(program: Written, point: Sequence[Fraction]) -> Iterator[tuple[list[Fraction], float, float]]:
    """Return terms and both limits of every row and bound at a point."""
    for row, least, most in zip(program.matrix, program.least, program.most, strict=True):
        yield [Fraction(value) * part for value, part in zip(row, point, strict=True)], least, most
    for part, least, most in zip(point, program.lower, program.upper, strict=True):
        yield [part], least, most


def exact_least(program: Written) -> Fraction | None:
    """Return the optimum in exact arithmetic over all vertices or integer points; None if infeasible."""
    if all(program.whole):
        ranges = (range(math.ceil(a), math.floor(b) + 1) for a, b in zip(program.lower, program.upper, strict=True))
        points: Any = ([Fraction(value) for value in point] for point in product(*ranges))
    else:
        assert not any(program.whole)
        points = vertices(program)
    costs = [Fraction(value) for value in program.cost]
    feasible = (point for point in points if holds(program, point))
    return min((sum(c * part for c, part in zip(costs, point, strict=True)) for point in feasible), default=None)


def holds(program: Written, point: Sequence[Fraction]) -> bool:
    nothing = Fraction(0)
    return not any(
        below(least, sum(terms), nothing) or below(-most, -sum(terms), nothing)
        for terms, least, most in limits(program, point)
    )


def vertices(program: Written) -> Iterator[list[Fraction]]:
    """Yield points at which as many rows or bounds are at a limit as there are columns."""
    count = len(program.cost)
    unit = [[float(i == j) for j in range(count)] for i in range(count)]
    sides = zip(
        [*program.matrix, *unit], [*program.least, *program.lower], [*program.most, *program.upper], strict=True
    )
    planes = [(row, side) for row, *both in sides for side in both if math.isfinite(side)]
    for chosen in combinations(planes, count):
        point = solved([[Fraction(value) for value in (*row, side)] for row, side in chosen])
        if point is not None:
            yield point


def solved(rows: list[list[Fraction]]) -> list[Fraction] | None:
    """Return the unique solution of a square system by elimination, or None."""
    for place in range(len(rows)):
        pivot = next((row for row in range(place, len(rows)) if rows[row][place]), None)
        if pivot is None:
            return None
        rows[place], rows[pivot] = rows[pivot], rows[place]
        rows[place] = [value / rows[place][place] for value in rows[place]]
        for other in range(len(rows)):
            if other != place and (factor := rows[other][place]):
                rows[other] = [a - factor * b for a, b in zip(rows[other], rows[place], strict=True)]
    return [row[-1] for row in rows]
