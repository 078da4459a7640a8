"""Rows and objectives in every form that can be compiled: both builds give the same program."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

from etsopt.data.groups import Groups
from etsopt.modelling.compiler import compiled
from tests.modelling.compiler.plant import data, plant, sizes, with_cost, with_expression, with_row
from tests.modelling.compiler.same import assert_same_both_ways

ROOT = Path(__file__).parents[3]
Cases = dict[str, tuple[Any, ...]]


def cases(table: Cases) -> Any:
    return pytest.mark.parametrize("case", list(table.values()), ids=list(table))


SUMS: Cases = {
    "over a set": (lambda m: sum(m.a[i] * m.x[i] for i in m.I) <= m.k,),
    "over a set beside the row": (lambda m, i: m.x[i] + sum(m.y[i, j] for j in m.J) <= m.k, "I"),
    "of one factor for all": (lambda m, j: sum(m.table[i, j] * m.z for i in m.I) <= 1, "J"),
    "over two sets at once": (lambda m: sum(m.table[i, j] * m.y[i, j] for i in m.I for j in m.J) <= m.k,),
    "over two sets the other way round": (lambda m: sum(m.a[i] * m.y[i, j] for j in m.J for i in m.I) <= m.k,),
    "over three sets, one twice": (lambda m: sum(m.y[i, j] * m.a[n] for i in m.I for j in m.J for n in m.I) <= m.k,),
    "over a product": (lambda m: sum(m.y[i, j] for i, j in m.I * m.J) <= m.k,),
    "over a product as one index": (lambda m: sum(m.y[both] for both in m.I * m.J) <= m.k,),
    "over pairs": (lambda m: sum(m.table[i, j] * m.y[i, j] for i, j in m.PAIRS) <= m.k,),
    "over pairs, by one index of them": (lambda m: sum(m.x[i] for i, _ in m.PAIRS) <= m.k,),
    "over pairs as one index": (lambda m: sum(m.x[pair[0]] for pair in m.PAIRS) <= m.k,),
    "in a sum": (lambda m: sum(m.a[i] * sum(m.y[i, j] + m.x[i] for j in m.J) for i in m.I) <= m.k,),
    "and sums": (
        lambda m, i: sum(m.x[n] for n in m.I) - sum(m.y[i, j] for j in m.J) + 2 * sum(m.x[n] for n in m.I) <= 1,
        "I",
    ),
    "of constants": (lambda m, i: m.x[i] + sum(m.table[i, j] + 1 for j in m.J) <= sum(m.a[n] for n in m.I), "I"),
    "as a factor": (lambda m, i: sum(m.table[i, j] for j in m.J) * m.x[i] <= 1, "I"),
    "of rows over pairs": (lambda m, i, j: m.table[i, j] * m.y[i, j] + m.x[i] <= m.a[i] * j, "PAIRS"),
    "with a start": (lambda m: sum((m.x[i] for i in m.I), m.z + 1) <= m.k,),
    "by way of map": (lambda m: sum(map(lambda i: m.a[i] * m.x[i], m.I)) <= m.k,),  # noqa: C417  meant
    "of a list without sets": (lambda m: sum([m.x[0], m.x[1], 2.0]) <= m.k,),
    "in a plain loop": (lambda m: sum(sum(m.y[i, k] for i in m.I) for k in [0, 1]) <= m.k,),
}

GROUPS: Cases = {
    "of the row": (lambda m, j: sum(m.a[i] * m.x[i] for i in m.IN_BOX[j]) <= m.k, "J"),
    "of pairs": (lambda m, j: sum(m.table[i, n] * m.y[i, n] for i, n in m.PAIRS_OF[j]) <= m.k, "J"),
    "of pairs, by one index of them": (lambda m, j: sum(m.x[i] for i, _ in m.PAIRS_OF[j]) <= m.k, "J"),
    "of two sets": (lambda m, j: sum(m.a[i] * m.x[n] for i in m.I for n in m.NEAR[i, j]) <= m.k, "J"),
    "of two sets in rows": (lambda m, i, j: m.z + sum(m.x[n] for n in m.NEAR[i, j]) <= m.a[i], "I", "J"),
    "looked up by a parameter": (lambda m, i: sum(m.x[n] for n in m.IN_BOX[m.box[i]]) <= m.a[i], "I"),
    "looked up by a group": (
        lambda m, j: sum(m.a[i] * m.x[n] for i in m.IN_BOX[j] for n in m.IN_BOX[m.box[i]]) <= 1,
        "J",
    ),
    "the same one twice": (lambda m, j: sum(m.x[i] * m.a[n] for i in m.IN_BOX[j] for n in m.IN_BOX[j]) <= 1, "J"),
    "before a set": (lambda m, j: sum(m.table[i, n] * m.y[i, n] for i in m.IN_BOX[j] for n in m.J) <= 1, "J"),
    "after a set": (lambda m: sum(m.table[i, n] * m.y[i, n] for n in m.J for i in m.IN_BOX[n]) <= 1,),
    "around a sum": (lambda m, j: sum(m.a[i] * sum(m.y[i, n] for n in m.J) for i in m.IN_BOX[j]) <= 1, "J"),
    "by a number": (lambda m: sum(m.x[i] for i in m.IN_BOX[1]) <= 1,),
    "beside a set": (lambda m, j: sum(m.x[i] for i in m.IN_BOX[j]) - sum(m.a[i] * m.x[i] for i in m.I) <= 1, "J"),
    "of constants": (lambda m, j: m.z <= sum(m.a[i] + m.k for i in m.IN_BOX[j]), "J"),
    "by the index of a row": (lambda m, i, j: m.y[i, j] <= sum(m.x[n] for n in m.IN_BOX[j]) - m.a[i], "I", "J"),
}

LOOKUPS: Cases = {
    "by a parameter": (lambda m, i: m.y[i, m.box[i]] <= m.table[i, m.box[i]], "I"),
    "by a parameter of a parameter": (lambda m, i: m.x[i] <= m.a[m.box[m.box[i]]], "I"),
    "of the next": (lambda m, i: m.x[i] <= m.a[2 - i], "I"),
    "at a number": (lambda m, i: m.x[0] + m.y[i, 0] <= m.a[2] * i, "I"),
    "at a whole number that is none of Python's": (lambda m, i: m.x[1.0] + m.x[np.int64(0)] <= m.a[i], "I"),
    "at a scalar parameter": (lambda m: m.x[m.k - 5] <= 1,),
    "with the index as a number": (lambda m, i: (i + 1) * m.x[i] + i <= i * i, "I"),
    "of part of the row's index": (lambda m, i, j: m.a[i] * m.y[i, j] <= m.a[i], "I", "J"),
    "in another order": (lambda m, j, i: m.y[i, j] * m.table[i, j] + sum(m.y[n, j] for n in m.I) <= m.a[i], "J", "I"),
    "of a set that stands twice": (lambda m, i, j: m.x[i] + m.x[j] + m.a[i] * m.z <= m.a[j], "I", "I"),
    "of three sets": (lambda m, i, j, n: m.y[i, j] + m.a[n] * m.y[n, j] <= m.a[i], "I", "J", "I"),
}

REPEATED: Cases = {
    "index": (lambda m, i: m.x[i] + 2 * m.x[i] <= 1, "I"),
    "number": (lambda m, i: m.x[i] - m.x[0] + m.x[1] <= i, "I"),
    "lookup": (lambda m, i: m.x[i] + m.x[m.box[i]] <= 1, "I"),
    "sum": (lambda m, i: m.x[i] + sum(m.x[n] for n in m.I) <= 1, "I"),
    "group": (lambda m, i: m.x[i] + sum(m.x[n] for n in m.IN_BOX[m.box[i]]) <= 1, "I"),
    "for every member": (lambda m: sum(m.x[m.box[i]] for i in m.I) <= 1,),
    "that cancels": (lambda m, i: m.x[i] + m.z - m.x[i] <= 1, "I"),
    "that cancels in some rows": (lambda m, i: m.x[i] - m.x[0] + m.z <= 1, "I"),
    "times zero": (lambda m, i: m.z + m.box[i] * m.x[i] <= 1, "I"),
    "times zero alone": (lambda m, i: m.box[i] * m.x[i] <= 1, "I"),
}

EXPRESSIONS: Cases = {
    "indexed": (lambda m, i: m.a[i] * m.x[i] + 1, lambda m, i: m.e[i] + 2 * m.e[0] <= m.k, "I"),
    "scalar": (lambda m: m.z + sum(m.x[i] for i in m.I), lambda m, i: m.x[i] + m.a[i] * m.e <= 1),
    "in a sum": (
        lambda m, i: sum(m.table[i, j] * m.y[i, j] for j in m.J),
        lambda m, i: m.x[i] + sum(m.a[n] * m.e[n] for n in m.I) <= 1,
        "I",
    ),
    "over pairs": (
        lambda m, i, j: m.x[i] * m.table[i, j],
        lambda m, i: m.x[i] + sum(m.e[n, j] for n, j in m.PAIRS) <= 1,
        "PAIRS",
    ),
    "in a group": (
        lambda m, i: m.x[i] + sum(m.y[i, j] for j in m.J),
        lambda m, i: m.z + sum(m.a[n] * m.e[n] for n in m.IN_BOX[m.box[i]]) <= 1,
        "I",
    ),
    "of parameters": (lambda m, i: m.a[i] + m.k, lambda m, i: m.e[i] * m.x[i] - m.z * m.e[0] <= m.e[i], "I"),
    "of parameters, squared": (lambda m, i: m.a[i] + m.k, lambda m, i: m.e[i] ** 2 * m.x[i] <= 1, "I"),
    "of parameters on the left": (lambda m, i: m.a[i] + m.k, lambda m, i: m.e[i] >= m.x[i], "I"),
    "of a number": (lambda m, i: 3.0, lambda m, i: m.x[i] + m.e[i] <= 1, "I"),
    "looked up": (lambda m, j: sum(m.x[i] for i in m.IN_BOX[j]), lambda m, i: m.x[i] - m.e[m.box[i]] <= 1, "J"),
}


@cases(SUMS)
def test_sums_are_the_same_both_ways(case: Any) -> None:
    assert_same_both_ways(with_row(*case), data())


@cases(GROUPS)
def test_groups_are_the_same_both_ways(case: Any) -> None:
    assert_same_both_ways(with_row(*case), data())


@cases(LOOKUPS)
def test_lookups_are_the_same_both_ways(case: Any) -> None:
    assert_same_both_ways(with_row(*case), data())


@cases(REPEATED)
def test_a_variable_that_stands_twice_is_the_same_both_ways(case: Any) -> None:
    assert_same_both_ways(with_row(*case), data())


@cases(EXPRESSIONS)
def test_named_expressions_are_the_same_both_ways(case: Any) -> None:
    assert_same_both_ways(with_expression(*case), data())


def test_a_sum_over_a_set_is_the_row_written_by_hand() -> None:
    program = assert_same_both_ways(with_row(*SUMS["over a set"]), data())
    assert program.matrix.toarray()[:, program.columns["x"]].tolist() == [[2.0, 3.0, 5.0]]
    assert (program.row_lower.tolist(), program.row_upper.tolist()) == ([-np.inf], [7.0])


def test_a_group_of_pairs_is_the_matrix_written_by_hand() -> None:
    program = assert_same_both_ways(with_row(*GROUPS["of pairs"]), data())
    by_hand = [[1.0, 2.0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 6.0]]
    assert program.matrix.toarray()[:, program.columns["y"]].tolist() == by_hand


def test_pairs_that_share_an_index_add_up_to_one_coefficient() -> None:
    program = assert_same_both_ways(with_row(*GROUPS["of pairs, by one index of them"]), data())
    assert program.matrix.toarray()[:, program.columns["x"]].tolist() == [[2.0, 0, 0], [0, 0, 1.0]]


def test_a_cancelled_coefficient_has_no_entry() -> None:
    program = assert_same_both_ways(with_row(*REPEATED["that cancels"]), data())
    assert (program.matrix.nnz, program.matrix.data.tolist()) == (3, [1.0, 1.0, 1.0])


@pytest.mark.parametrize(("items", "boxes"), [(0, 0), (1, 1), (1, 0), (0, 1), (3, 0), (0, 2), (1, 3)])
@pytest.mark.parametrize(
    "case",
    [
        (lambda m, i: m.x[i] + sum(m.y[i, j] for j in m.J) <= m.k, "I"),
        (lambda m, i, j: m.x[i] + m.a[i] * m.y[i, j] <= m.k, "I", "J"),
        (lambda m, j: m.z + sum(m.x[i] for i in m.IN_BOX[j]) <= m.k, "J"),
        (lambda m, j: m.z + sum(m.y[i, n] for i, n in m.PAIRS_OF[j]) <= m.k, "J"),
        (lambda m, i, j: m.y[i, j] + sum(m.x[n] for n in m.NEAR[i, j]) <= m.k, "I", "J"),
        (lambda m: m.z + sum(m.table[i, j] * m.y[i, j] for i, j in m.PAIRS) <= m.k,),
        (lambda m: m.z + sum(m.a[i] * sum(m.y[i, j] for j in m.J) for i in m.I) <= m.k,),
    ],
    ids=["sum", "rows of two", "group", "group of pairs", "group of two sets", "pairs", "sum in a sum"],
)
def test_sets_of_no_and_of_one_member_are_the_same_both_ways(case: Any, items: int, boxes: int) -> None:
    assert_same_both_ways(with_row(*case), sizes(items, boxes))


def test_a_row_over_an_empty_group_has_no_entries_where_the_reference_way_refuses_it() -> None:
    groups = Groups(np.array([0, 0, 1]), np.array([1]))
    m = with_row(*GROUPS["of the row"])
    program = compiled.build_program(m, data(IN_BOX=groups))
    assert np.diff(program.matrix.indptr).tolist() == [0, 1]
    assert program.row_upper.tolist() == [7.0, 7.0]


COSTS: Cases = {
    "linear": (lambda m: sum(m.a[i] * m.x[i] for i in m.I) + m.z,),
    "constant": (lambda m: 5 + m.k,),
    "with a constant": (lambda m: m.z / m.k - m.k + sum(m.a[i] for i in m.I),),
    "squares": (lambda m: sum((m.a[i] - m.x[i]) ** 2 for i in m.I),),
    "weighted squares": (lambda m: sum(m.a[i] * (m.table[i, 0] * m.x[i] - m.a[i]) ** 2 for i in m.I) + m.z,),
    "products of one variable": (lambda m: sum((m.x[i] - m.a[i]) * (m.x[i] + 1) for i in m.I),),
    "squares of one variable": (lambda m: sum((m.x[0] - m.a[i]) ** 2 for i in m.I) + (m.z - 1) ** 2,),
    "squares in a group": (lambda m: sum((m.x[i] - m.k) ** 2 for j in m.J for i in m.IN_BOX[j]),),
    "squares times zero": (lambda m: m.z + sum(0 * m.a[i] * m.x[i] ** 2 for i in m.I),),
    "first power": (lambda m: sum(m.x[i] ** 1 for i in m.I),),
    "a variable": (lambda m: m.z,),
    "squares that cancel": (lambda m: m.z + sum(m.x[i] ** 2 - m.x[i] ** 2 for i in m.I),),
    "repeated": (lambda m: m.z + sum(m.x[m.box[i]] + m.x[i] for i in m.I),),
}


@cases(COSTS)
def test_objectives_are_the_same_both_ways(case: Any) -> None:
    program = assert_same_both_ways(with_cost(*case), data())
    assert program.objectives["cost"].unit == "CNY"


def test_several_objectives_are_the_same_both_ways() -> None:
    m = plant()
    m.first = pyo.Objective(expr=m.z + m.k, doc="first [t]")
    m.second = pyo.Objective(rule=lambda m: sum(m.x[i] ** 2 for i in m.I), doc="second [kg]")
    m.third = pyo.Objective(rule=lambda m: 0 * m.z)
    m.fourth = pyo.Objective(rule=lambda m: m.z)
    m.fourth.deactivate()
    assert list(assert_same_both_ways(m, data()).objectives) == ["first", "second", "third"]


def test_squares_over_an_empty_set_leave_a_linear_objective() -> None:
    m = with_cost(lambda m: m.z + sum(m.x[i] ** 2 for i in m.I))
    assert assert_same_both_ways(m, sizes(0, 0)).objectives["cost"].quadratic is None


AFTER_ANOTHER_SUM = """
import pyomo.environ as pyo
from tests.modelling.compiler.plant import data, with_row
from tests.modelling.compiler.same import assert_same_both_ways
first = {first}
assert_same_both_ways(with_row(first), data())
assert_same_both_ways(with_row(lambda m: sum(m.x[i] for i in m.I) + sum(m.y[i, 0] for i in m.I) <= 1), data())
assert_same_both_ways(with_row(lambda m: m.z + sum(m.a[i] for i in m.I) <= 1 - sum(m.a[i] for i in m.I)), data())
"""


@pytest.mark.parametrize(
    "first",
    [
        "lambda m: sum(m.a[i] for i in m.I) + sum(m.a[i] for i in m.I) + m.z <= 1",
        "lambda m: sum(m.x[i] for i in m.I) + sum(m.x[i] for i in m.I) <= 1",
    ],
)
def test_a_sum_is_what_it_is_whatever_was_summed_first_in_the_process(first: str) -> None:
    # Pyomo keeps for each class of expressions whether the first one that it met had variables.
    code = AFTER_ANOTHER_SUM.format(first=first)
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
