"""A canary: the non-public parts of Pyomo on which the compiler depends are those that it was written for."""

from __future__ import annotations

import builtins
from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.common.errors import TemplateExpressionError
from pyomo.core.base.set import IndexedSet, InsertionOrderSetData, OrderedScalarSet, SetProduct, SortedScalarSet
from pyomo.core.expr import numeric_expr, template_expr
from pyomo.core.expr.relational_expr import tuple_to_relational_expr
from pyomo.version import version_info

WRITTEN_FOR = (6, 10)
LOOK_AT = (
    "Pyomo no longer fits the compiler: look at templates.py and guards.py (rules called with placeholders), "
    "inputs.py (sets, domains) and components.py (bounds, domains, senses), then at what changed in "
    "pyomo.core.expr.template_expr, and run tests/modelling/compiler with the new version before WRITTEN_FOR and the "
    "requirement in pyproject.toml are raised."
)


def placeholders(rule: Any, *sets: Any) -> Any:
    """What a rule returns for placeholders, over sets of a model."""
    m = pyo.ConcreteModel()
    m.I = pyo.Set(initialize=[0, 1])
    m.x, m.p = pyo.Var(m.I), pyo.Param(m.I, initialize=1.0, mutable=True)
    return template_expr.templatize_rule(m, lambda block, index: rule(block, *index), m.I if sets else None)


def test_pyomo_is_the_version_that_the_compiler_was_written_for() -> None:
    assert tuple(version_info[:2]) == WRITTEN_FOR, LOOK_AT


def test_a_sum_over_a_set_becomes_one_node_with_its_loops() -> None:
    node, indices = placeholders(lambda m: sum(m.x[i] for i in m.I))
    assert indices == (), LOOK_AT
    assert isinstance(node, template_expr.TemplateSumExpression), LOOK_AT
    ((placeholder,),) = node.template_iters()
    assert isinstance(placeholder, template_expr.IndexTemplate), LOOK_AT
    assert placeholder._set.local_name == "I", LOOK_AT
    (term,) = node._local_args_
    assert isinstance(term, template_expr.GetItemExpression), LOOK_AT
    assert (term.arg(0).local_name, term.args[1]) == ("x", placeholder), LOOK_AT


def test_a_rule_over_a_set_is_called_with_one_placeholder() -> None:
    _, indices = placeholders(lambda m, i: m.x[i] <= m.p[i], "I")
    assert [type(index) for index in indices] == [template_expr.IndexTemplate], LOOK_AT


def test_an_open_loop_is_an_error() -> None:
    with pytest.raises(TemplateExpressionError, match="for loops"):
        placeholders(lambda m: next(m.x[i] for i in m.I))


def test_sum_is_replaced_while_a_rule_runs_and_only_then() -> None:
    before = builtins.sum
    seen: list[Any] = []
    placeholders(lambda m: seen.append(builtins.sum))
    assert builtins.sum is before, LOOK_AT
    assert seen[0].__func__ is template_expr._template_iter_context.sum_template, LOOK_AT


def test_the_loops_of_a_rule_are_known_to_one_manager() -> None:
    assert template_expr._TemplateIterManager.context is None, LOOK_AT
    seen: list[Any] = []
    placeholders(lambda m: seen.append(template_expr._TemplateIterManager.context))
    assert isinstance(seen[0].get_iter(None), template_expr._set_iterator_template_generator), LOOK_AT


def test_components_keep_their_rules_where_they_are_looked_for() -> None:
    m = pyo.AbstractModel()
    m.I = pyo.Set()
    of_sets = ("_filter", "_validate", "_init_domain", "_init_dimen", "_constructed")
    components: list[tuple[Any, tuple[str, ...]]] = [
        (pyo.Constraint(m.I, rule=lambda m, i: m.x[i] <= 1), ("_rule",)),
        (pyo.Objective(rule=lambda m: 0), ("_rule", "_init_sense")),
        (pyo.Expression(m.I, rule=lambda m, i: 0), ("_rule",)),
        (pyo.Var(m.I, bounds=(0, 1)), ("_rule_bounds", "_rule_domain", "_dense")),
        (pyo.Param(m.I), ("_validate", "domain", "_constructed")),
        (pyo.Set(), of_sets),
        (pyo.Set(m.I), of_sets),
    ]
    missing = [
        f"{type(item).__name__}.{name}" for item, names in components for name in names if not hasattr(item, name)
    ]
    assert missing == [], LOOK_AT
    assert pyo.Param()._mutable is False, LOOK_AT


def test_domains_and_dimensions_are_asked_for_as_before() -> None:
    m = pyo.AbstractModel()
    m.I = pyo.Set()
    assert pyo.Set(dimen=2)._init_dimen(None, None) == 2, LOOK_AT
    assert pyo.Set(within=m.I)._init_domain(m, None, None) is m.I, LOOK_AT
    assert pyo.NonNegativeIntegers.get_interval() == (0, None, 1), LOOK_AT
    assert pyo.Binary.get_interval() == (0, 1, 1), LOOK_AT


def test_sets_have_the_classes_that_tell_what_they_are() -> None:
    m = pyo.AbstractModel()
    m.I = pyo.Set()
    assert isinstance(m.I, OrderedScalarSet), LOOK_AT
    assert issubclass(OrderedScalarSet, InsertionOrderSetData), LOOK_AT
    assert isinstance(pyo.Set(m.I), IndexedSet), LOOK_AT
    assert isinstance(pyo.Set(ordered=pyo.Set.SortedOrder), SortedScalarSet), LOOK_AT
    product = m.I * m.I
    assert isinstance(product, SetProduct), LOOK_AT
    assert list(product.subsets(False)) == [m.I, m.I], LOOK_AT


def test_expressions_can_be_applied_to_numbers() -> None:
    values = {
        numeric_expr.ProductExpression: ([2.0, 3.0], 6.0),
        numeric_expr.SumExpression: ([2.0, 3.0], 5.0),
        numeric_expr.NegationExpression: ([2.0], -2.0),
        numeric_expr.PowExpression: ([2.0, 3.0], 8.0),
        numeric_expr.AbsExpression: ([-2.0], 2.0),
    }
    found = {kind: kind(tuple(args))._apply_operation(args) for kind, (args, _) in values.items()}
    assert found == {kind: expected for kind, (_, expected) in values.items()}, LOOK_AT
    assert tuple_to_relational_expr((None, pyo.Var(), 1.0)) is not None, LOOK_AT
