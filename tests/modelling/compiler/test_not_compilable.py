"""The compiler refuses rules that it cannot compile, and never builds a program that differs from the Pyomo build."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

from etsopt.common.errors import ModelError
from etsopt.modelling.compiler import compiled, pyomo_build
from etsopt.modelling.compiler.mistakes import RuleError
from etsopt.modelling.compiler.templates import CompileError
from tests.modelling.compiler.plant import data, plant, with_cost, with_expression, with_row
from tests.modelling.compiler.test_both_ways import Cases, cases

REFERENCE = "Or use method 'pyomo', which builds every row by Pyomo."
NEITHER = ("it is not linear", "it is a strict inequality", "its domain FiniteScalarRangeSet is not an interval")


def refused(m: Any, given: dict[str, Any] | None = None) -> CompileError:
    with pytest.raises(CompileError) as caught:
        compiled.build_program(m, data() if given is None else given)
    return caught.value


def assert_refused(m: Any, component: str, reason: str, capfd: Any, given: dict[str, Any] | None = None) -> None:
    """The error names the component and the reason, and says what to do; nothing else is said."""
    error = refused(m, given)
    what, _, advice = str(error).partition("\n\n")
    assert what.startswith(f"The {component} cannot be compiled: ")
    assert reason in what
    # What the solver does not take, Pyomo builds in vain.
    assert advice.endswith(REFERENCE) is not any(one in what for one in NEITHER)
    assert len(advice.removesuffix(REFERENCE)) > 5
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")


LOOPS: Cases = {
    "quicksum": ("loops over a set outside of sum", lambda m: pyo.quicksum(m.x[i] for i in m.I) <= 1),
    "sum_product": ("", lambda m: pyo.sum_product(m.a, m.x) <= 1),
    "sum_product over a set": ("", lambda m: pyo.sum_product(m.a, m.x, index=m.I) <= 1),
    "summation": ("", lambda m: pyo.summation(m.x) <= 1),
    "dot_product": ("", lambda m: pyo.dot_product(m.a, m.x) <= 1),
    "prod": ("loops over a set", lambda m: pyo.prod(m.a[i] for i in m.I) * m.z <= 1),
    "fsum": ("", lambda m: math.fsum(m.a[i] for i in m.I) * m.z <= 1),
    "for": ("", lambda m: next(m.x[i] for i in m.I) <= 1),
    "list in sum": ("", lambda m: sum([m.x[i] for i in m.I]) <= 1),
    "list": ("", lambda m: sum(m.x[i] for i in list(m.I)) <= 1),
    "part of a list": ("", lambda m: sum(m.x[i] for i in list(m.I)[1:]) <= 1),
    "sorted": ("", lambda m: sum(m.x[i] for i in sorted(m.I)) <= 1),
    "set": ("", lambda m: sum(m.x[i] for i in set(m.I)) <= 1),
    "reversed": ("looks at the members of I", lambda m: sum(m.x[i] for i in reversed(m.I)) <= 1),
    "enumerate": ("plain numbers in one loop", lambda m: sum(n * m.x[i] for n, i in enumerate(m.I)) <= 1),
    "zip of sets": ("by way of zip", lambda m: sum(m.y[i, j] for i, j in zip(m.I, m.J, strict=False)) <= 1),
    "zip with numbers": ("", lambda m: sum(n * m.x[i] for i, n in zip(m.I, [2.0, 3, 5], strict=True)) <= 1),
    "inner zip": (
        "by way of zip",
        lambda m: sum(m.y[n, j] for n in m.I for _, j in zip(m.J, m.J, strict=True)) <= 1,
    ),
    "islice": ("by way of zip", lambda m: sum(m.x[i] for i in itertools.islice(m.I, 2)) <= 1),
    "inner islice": ("by way of zip", lambda m: sum(m.y[i, j] for i in m.I for j in itertools.islice(m.J, 1)) <= 1),
    "chain": ("by way of zip", lambda m: sum(m.x[i] for i in itertools.chain(m.I, m.J)) <= 1),
    "map of two": ("by way of zip", lambda m: sum(map(lambda i, j: m.y[i, j], m.I, m.J)) <= 1),
    "pairs of neighbours": ("", lambda m: sum(m.x[i] - m.x[j] for i, j in itertools.pairwise(m.I)) <= 1),
    "product of itertools": ("", lambda m: sum(m.y[i, j] for i, j in itertools.product(m.I, m.J)) <= 1),
    "combinations": ("", lambda m: sum(m.x[i] + m.x[j] for i, j in itertools.combinations(m.I, 2)) <= 1),
    "plain numbers after a set": ("plain numbers in one loop", lambda m: sum(m.x[i] for i in m.I for _ in [0, 1]) <= 1),
    "plain numbers inside": ("plain numbers in one loop", lambda m: sum(m.y[i, k] for i in m.I for k in [0, 1]) <= 1),
    "plain numbers before a set": ("loops over a set", lambda m: sum(m.y[i, k] for k in [0, 1] for i in m.I) <= 1),
    "over a variable": ("loops over x, which is not a set", lambda m: sum(m.x[i] for i in m.x) <= 1),
    "over a parameter": ("loops over a, which is not a set", lambda m: sum(m.x[i] for i in m.a) <= 1),
    "values": ("looks at the members of x", lambda m: sum(m.x.values()) <= 1),
    "items": ("looks at the members of a", lambda m: sum(v * m.x[i] for i, v in m.a.items()) <= 1),
    "extract_values": ("looks at the members of a", lambda m: sum(m.a.extract_values().values()) * m.z <= 1),
    "number of values": ("looks at the members of x", lambda m: len(m.x.get_values()) * m.z <= 1),
    "slice": ("", lambda m: sum(m.x[:]) <= 1),
    "slice of two": ("", lambda m: sum(m.y[0, :]) <= 1),
    "ellipsis": ("", lambda m: sum(m.y[...]) <= 1),
}

LOOKING: Cases = {
    "len(set)": ("asks for the number of members of I", lambda m: len(m.I) * m.z <= 1),
    "len(group)": ("asks for the number of members of IN_BOX", lambda m: len(m.IN_BOX[0]) * m.z <= 1),
    "len(variable)": ("asks for the number of members of x", lambda m: len(m.x) * m.z <= 1),
    "len(product)": ("asks for the number of members of I", lambda m: len(m.I * m.J) * m.z <= 1),
    "len(index_set)": ("asks for the number of members of I", lambda m: len(m.x.index_set()) * m.z <= 1),
    "in": ("asks whether something is in I", lambda m: m.z * (0 in m.I) <= 1),
    "in a group": ("asks whether something is in IN_BOX", lambda m: m.z * (0 in m.IN_BOX[0]) <= 1),
    "in a parameter": ("asks whether something is in a", lambda m: m.z * (0 in m.a) <= 1),
    "first": ("looks at the members of I", lambda m: m.x[m.I.first()] <= 1),
    "last": ("looks at the members of I", lambda m: m.x[m.I.last()] <= 1),
    "next": ("looks at the members of I", lambda m: m.x[m.I.next(0)] <= 1),
    "ord": ("looks at the members of I", lambda m: m.I.ord(0) * m.z <= 1),
    "by place": ("takes a member of I by its position", lambda m: m.x[m.I[1]] <= 1),
    "at": ("looks at the members of I", lambda m: m.x[m.I.at(1)] <= 1),
    "bounds": ("looks at the members of I", lambda m: m.I.bounds()[1] * m.z <= 1),
    "card": ("looks at the members of I", lambda m: m.I.card(1) * m.z <= 1),
    "data": ("looks at the members of I", lambda m: len(m.I.data()) * m.z <= 1),
    "ranges": ("looks at the members of I", lambda m: sum(m.z for _ in m.I.ranges()) <= 1),
    "sorted_iter": ("looks at the members of I", lambda m: sum(m.x[i] for i in m.I.sorted_iter()) <= 1),
    "subset": ("", lambda m: m.z * m.J.issubset(m.I) <= 1),
    "comparison of sets": ("", lambda m: m.z * (m.J <= m.I) <= 1),
    "truth of a set": ("", lambda m: m.z * (2 if m.I else 3) <= 1),
    "max of a set": ("", lambda m: m.x[max(m.I)] <= 1),
}

CONDITIONS: Cases = {
    "if on an index": ("branches on an index", lambda m, i: m.x[i] <= 1 if i > 0 else m.x[i] >= 1),
    "if on a parameter": ("branches on an index, a parameter", lambda m, i: m.x[i] <= (1 if m.a[i] > 2 else 2)),
    "if on a scalar": ("", lambda m, i: m.x[i] <= (1 if m.k > 2 else 2)),
    "truth of a scalar": ("", lambda m, i: m.x[i] <= (1 if m.k else 2)),
    "skip": ("branches on an index", lambda m, i: pyo.Constraint.Skip if i == 0 else m.x[i] <= 1),
    "min": ("branches on", lambda m, i: m.x[i] <= min(m.a[i], 3)),
    "max": ("branches on", lambda m, i: m.x[i] <= max(m.a[i], 3)),
    "max of a sum": ("", lambda m, i: max(m.a[n] for n in m.I) * m.x[i] <= 1),
    "filtered": ("branches on", lambda m, i: sum(m.x[n] for n in m.I if n != i) <= 1),
    "filtered by a parameter": ("branches on", lambda m, i: m.z + sum(m.x[n] for n in m.I if m.a[n] > 2) <= 1),
    "filtered by a set": ("asks whether", lambda m, i: m.z + sum(m.x[n] for n in m.I if n in m.J) <= 1),
    "filtered by a list": ("branches on", lambda m, i: m.z + sum(m.x[n] for n in m.I if n in (0, 1)) <= 1),
    "chained": ("branches on", lambda m, i: 0 <= m.x[i] <= m.a[i]),
    "dictionary": ("branches on an index", lambda m, i: {0: 1, 1: 2, 2: 3}[i] * m.x[i] <= 1),
    "array by an index": ("its rule fails (IndexError", lambda m, i: np.array([1.0, 2, 3])[i] * m.x[i] <= 1),
    "list by an index": ("its rule fails (TypeError", lambda m, i: [1, 2, 3][i] * m.x[i] <= 1),
    "int": ("to a plain number", lambda m, i: int(m.a[i]) * m.x[i] <= 1),
    "int of an index": ("to a plain number", lambda m, i: int(i) * m.x[i] <= 1),
    "round": ("to a plain number", lambda m, i: round(m.a[i]) * m.x[i] <= 1),
    "float": ("to a plain number", lambda m, i: float(m.k) * m.x[i] <= 1),
    "floor": ("to a plain number", lambda m, i: math.floor(m.a[i]) * m.x[i] <= 1),
    "value": ("", lambda m, i: pyo.value(m.a[i]) * m.x[i] <= 1),
    "value of a scalar": ("to a plain number", lambda m, i: pyo.value(m.k) * m.x[i] <= 1),
    "value of an index": ("", lambda m, i: pyo.value(i) * m.x[i] <= 1),
    "attribute": ("to a plain number", lambda m, i: m.k.value * m.x[i] <= 1),
    "call": ("to a plain number", lambda m, i: m.k() * m.x[i] <= 1),
    "bound of a variable": ("", lambda m, i: m.x[i].ub * m.z <= 1),
    "remainder": ("its rule fails (TypeError", lambda m, i: m.a[i] % 2 * m.x[i] <= 1),
    "True": ("returns True, not a relation", lambda m, i: True),
    "None": ("returns None, not a relation", lambda m, i: None),
    "Skip": (", not a relation", lambda m, i: pyo.Constraint.Skip),
    "Feasible": ("it has no variables", lambda m, i: pyo.Constraint.Feasible),
    "a number": ("returns 3, not a relation", lambda m, i: 3),
    "an expression": (", not a relation", lambda m, i: m.x[i]),
    "no side": (", not a relation", lambda m, i: (None, m.x[i], None)),
    "no variables": ("it has no variables", lambda m, i: m.a[i] <= 3),
    "no variables in a range": ("it has no variables", lambda m, i: (0, m.a[i], 9)),
    "strict": ("it is a strict inequality", lambda m, i: m.x[i] < 3),
    "strict range": ("it is a strict inequality", lambda m, i: pyo.inequality(0, m.x[i], 9, strict=True)),
    "variable limit of a range": ("a limit of its range has variables", lambda m, i: (0, m.x[i], m.z)),
    "product": ("it is not linear", lambda m, i: m.x[i] * m.z <= 1),
    "square": ("it is not linear", lambda m, i: m.x[i] ** 2 <= 1),
    "cube": ("it is not linear", lambda m, i: m.x[i] ** 3 <= 1),
    "exp": ("it is not linear", lambda m, i: pyo.exp(m.x[i]) <= 1),
    "abs": ("it is not linear", lambda m, i: abs(m.x[i]) <= 1),
    "quotient": ("it is not linear", lambda m, i: 1 / m.x[i] <= 1),
    "power of a parameter": ("it is not linear", lambda m, i: m.a[i] ** m.x[i] <= 1),
    "case of a variable": ("it is not linear", lambda m, i: pyo.Expr_if(m.x[i] >= 0, m.x[i], m.z) <= 1),
    "too large": ("looks up x, and the index 3 is not in I", lambda m, i: m.x[i + 1] <= 1),
    "negative": ("looks up x, and the index -1 is not in I", lambda m, i: m.x[i - 1] <= 1),
    "beside the pairs": ("the index 1, 0 is not in PAIRS", lambda m, i: sum(m.x[n] for n in m.I) <= m.of_pairs[i, 0]),
    "parameter too large": ("looks up a, and the index 7 is not in I", lambda m, i: m.x[i] <= m.a[7]),
    "group too large": (
        "looks up IN_BOX, and the index 2 is not in J",
        lambda m, i: sum(m.x[n] for n in m.IN_BOX[i]) <= 1,
    ),
    "no whole number": ("looks up x at a fractional index", lambda m, i: m.x[m.a[i] / 2] <= 1),
    "half": ("looks up x at a fractional index", lambda m, i: m.x[0.5] <= 1),
    "name": ("it has 'one' in place of a number or an index", lambda m, i: m.x["one"] <= 1),
    "nothing": ("in place of a number or an index", lambda m, i: m.x[None] <= 1),
}

MISTAKES: Cases = {
    "a component": ("the model has no component `cosst`; did you mean `cost`?", lambda m, i: m.x[i] <= m.cosst[i]),
    "a component in a sum": (
        "the model has no component `xx`; did you mean `x`?",
        lambda m, i: m.x[i] + sum(m.xx[n] for n in m.I) <= 1,
    ),
    "a component like no other": ("the model has no component `penguins`.", lambda m, i: m.x[i] <= m.penguins),
    "a name": ("the name `cost` is not defined.", lambda m, i: m.x[i] <= cost),  # type: ignore[name-defined]  # noqa: F821
    "a name of a module": (
        "the module math has no `sqqrt`; did you mean `sqrt`?",
        lambda m, i: m.x[i] <= math.sqqrt(4),  # type: ignore[attr-defined]
    ),
    "a call": (r"<lambda>() missing 1 required positional argument: 'j'.", lambda m, i, j: m.x[i] <= 1),
    "a division": ("it divides by zero.", lambda m, i: m.x[i] <= 1 / 0),
}
"""Rules that fail whatever way the model is built."""


@cases(LOOPS)
def test_a_loop_that_is_no_sum_over_sets_is_refused(case: Any, capfd: Any) -> None:
    assert_refused(with_row(case[1]), "constraint row", case[0], capfd)


@cases(LOOKING)
def test_what_looks_at_members_is_refused(case: Any, capfd: Any) -> None:
    assert_refused(with_row(case[1]), "constraint row", case[0], capfd)


@cases(CONDITIONS)
def test_what_a_template_has_no_answer_for_is_refused(case: Any, capfd: Any) -> None:
    m = plant()
    m.of_pairs = pyo.Param(m.PAIRS)
    m.row = pyo.Constraint(m.I, rule=case[1])
    assert_refused(m, "constraint row", case[0], capfd, data(of_pairs=np.ones(3)))


@pytest.mark.parametrize("build", [compiled.build_program, pyomo_build.build_program], ids=["compiled", "pyomo"])
@cases(MISTAKES)
def test_a_mistake_of_the_users_own_is_told_and_no_way_round_is_advised(case: Any, build: Any, capfd: Any) -> None:
    m = plant()
    m.cost = pyo.Param(m.I)
    m.row = pyo.Constraint(m.I, rule=case[1])
    with pytest.raises(RuleError) as caught:
        build(m, data(cost=np.ones(3)))
    what, _, advice = str(caught.value).partition("\n\n")
    whose = "The rule of the constraint row" if build is compiled.build_program else f"A rule of the model {m.name!r}"
    assert (what, advice) == (f"{whose} fails: {case[0]}", "Correct the rule.")
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")


@pytest.mark.parametrize(
    ("rule", "what"),
    [(lambda m, i: m.x[i, i] <= 1, "x: expected 1, got 2"), (lambda m, i: m.y[i] <= 1, "y: expected 2, got 1")],
)
def test_a_wrong_number_of_indices_is_a_mistake_too(rule: Any, what: str) -> None:
    m = plant()
    m.row = pyo.Constraint(m.I, rule=rule)
    with pytest.raises(RuleError) as caught:
        compiled.build_program(m, data())
    wanted = f"The constraint row has the wrong number of indices for {what}.\n\nGive one for each of its sets."
    assert str(caught.value) == wanted


@pytest.mark.parametrize(
    ("expression", "use", "reason"),
    [
        (lambda m, i: m.x[0], lambda m, i: m.x[i] + m.e[i + 1] <= 1, "looks up e, and the index 3 is not in I"),
        (lambda m, i: m.x[0], lambda m, i: m.x[i] + m.e[99] <= 1, "looks up e, and the index 99 is not in I"),
        (lambda m, i: m.x[0] * i, lambda m, i: m.x[i] + m.e[m.a[i] / 2] <= 1, "looks up e at a fractional index"),
        (lambda m, i: m.x[0], lambda m, i: m.x[i] + m.e[i, i] <= 1, "gives e 2 indices"),
        (lambda m, i: None, lambda m, i: m.x[i] + m.e[i] <= 1, "the rule of e returns None"),
        (lambda m, i: m.x[0], lambda m, i: m.x[i] + sum(m.e) <= 1, "loops over e, which is not a set"),
        (lambda m, i: m.x[i] * m.z, lambda m, i: m.x[i] + m.e[i] <= 1, "it is not linear"),
        (lambda m, i: m.e[i] + 1, lambda m, i: m.x[i] + m.e[i] <= 1, "cannot be evaluated (RecursionError"),
    ],
)
def test_a_named_expression_is_held_to_its_index(expression: Any, use: Any, reason: str, capfd: Any) -> None:
    assert_refused(with_expression(expression, use, "I"), "constraint row", reason, capfd)


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (lambda m: m.z * m.x[0], "it is not linear"),
        (lambda m: m.z**3, "it is not linear"),
        (lambda m: sum(m.x[i] for i in m.I) ** 2, "it is not linear"),
        (lambda m: sum((m.x[i] - m.z) ** 2 for i in m.I), "it is not linear"),
        (lambda m: sum(m.x[i] * m.x[m.box[i]] for i in m.I), "it is not linear"),
        (lambda m: pyo.log(m.z), "it is not linear"),
        (lambda m: None, "returns None, not an expression"),
    ],
)
def test_an_objective_that_is_no_sum_of_squares_is_refused(rule: Any, reason: str, capfd: Any) -> None:
    assert_refused(with_cost(rule), "objective cost", reason, capfd)


def test_an_objective_over_a_set_is_refused(capfd: Any) -> None:
    m = plant()
    m.cost = pyo.Objective(m.I, rule=lambda m, i: m.x[i])
    assert_refused(m, "objective cost", "it has an index", capfd)


def test_an_objective_to_maximise_is_refused_as_on_the_reference_way() -> None:
    m = plant()
    m.cost = pyo.Objective(rule=lambda m: m.z, sense=pyo.maximize)
    for way in (compiled, pyomo_build):
        with pytest.raises(ModelError, match="The objective cost has the wrong sense: expected minimise, got maximise"):
            way.build_program(m, data())
