"""Call every rule of a model once, with placeholders for its indices.

Only this module and `guards.py` use Pyomo's template classes, which are not public; a test fails when Pyomo changes
them.
No Pyomo component holds the data: sets hold one placeholder member, so that no set is empty while a rule runs. A rule
that looks at it (its length, its first member, a condition on an index) is refused, not compiled with its value.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pyomo.environ as pyo
from pyomo.common.errors import TemplateExpressionError
from pyomo.core.base.global_set import GlobalSetBase
from pyomo.core.base.set import SetOf, SetOperator
from pyomo.core.expr.relational_expr import RelationalExpression, tuple_to_relational_expr
from pyomo.core.expr.template_expr import templatize_rule

from etsopt.common.errors import ModelError
from etsopt.common.language import _
from etsopt.modelling.compiler.guards import Guard, GuardWithoutLoop, RefusedError, guarded, with_checked_sums
from etsopt.modelling.compiler.mistakes import RuleError, mistake_in, quietly

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS = (pyo.Set, pyo.RangeSet, pyo.Param, pyo.Var, pyo.Expression, pyo.Constraint, pyo.Objective)
LISTS = (pyo.ConstraintList, pyo.VarList, pyo.ObjectiveList)


class CompileError(ModelError):
    """A component that cannot be compiled; the Pyomo build may take it, unless the solver takes none such."""

    def __init__(self, component: str, reason: str, way_round: str, by_pyomo: bool = True) -> None:
        advice = (
            _("{way_round} Or use method 'pyomo', which builds every row by Pyomo.", way_round=way_round)
            if by_pyomo
            else way_round
        )
        super().__init__(f"{component} cannot be compiled: {reason}.", advice)


@dataclass(frozen=True)
class Template:
    """The result of a rule on placeholders, and the placeholders.

    Parameters
    ----------
    title
        Kind and name of the component, for messages.
    index_set
        Set of Pyomo that its indices come from, or None for a scalar component.
    indices
        One placeholder for each index.
    expression
        Result of the rule.
    """

    title: str
    index_set: Any
    indices: tuple[Any, ...]
    expression: Any


def needs_data(component: Any) -> bool:
    """Return True if a set or parameter takes data; ranges and products compute their own."""
    return component.ctype is pyo.Param or (
        component.ctype is pyo.Set and not isinstance(component, SetOperator | SetOf | GlobalSetBase)
    )


def prepare(model: Any, parameters: Mapping[str, Any], dimensions: Mapping[str, int]) -> Any:
    """Return a copy of a model whose components answer with placeholders.

    Parameters
    ----------
    model
        The mathematics without data; it is not changed.
    parameters
        Values of the scalar parameters, for ranges that depend on them.
    dimensions
        Number of indices of a member of each set that has data.

    Raises
    ------
    CompileError
        If it has a component of a kind outside `KINDS`.
    """
    copy = model.clone()
    components = list(copy.component_objects(descend_into=False))
    for component in components:
        if component.ctype not in KINDS or isinstance(component, LISTS):
            kind = component.ctype if component.ctype not in KINDS else type(component)
            reason = f"it is a {kind.__name__.removeprefix('Abstract')}"
            raise CompileError(f"The component {component.local_name}", reason, _("Write it as rows over sets."))
    for component in components:
        if component.ctype is pyo.Param and not component.is_indexed():
            # The domain may be a set that has no members yet; the value is checked against it later.
            domain, component.domain = component.domain, pyo.Any
            component.construct({None: parameters[component.local_name]})
            component.domain = domain
    for component in components:
        _fill(component, dimensions.get(component.local_name, 1))
    for component in components:
        _guard(component, dimensions.get(component.local_name, 1))
    return copy


def _fill(component: Any, dimensions: int) -> None:
    """Give a set its placeholder member, and mark every other component as constructed."""
    if component.ctype is pyo.Set and needs_data(component):
        # No set of the model checks the placeholder; the data themselves are checked later.
        component.declared_within = component._init_domain
        component._init_domain = pyo.Set()._init_domain
    if component.ctype in (pyo.Set, pyo.RangeSet) and not component.is_indexed():
        component.construct({None: [(0,) * dimensions if dimensions > 1 else 0]} if needs_data(component) else None)
    else:
        component._constructed = True


def _guard(component: Any, dimensions: int) -> None:
    if component.ctype is pyo.Param and not component.is_indexed():
        # A number would become a constant of the templates; without a value the parameter itself stays in them.
        component._mutable = True
        component.clear()
    elif component.ctype is pyo.Set and needs_data(component):
        guard = GuardWithoutLoop if component.is_indexed() else Guard
        component.__class__ = guarded(component.__class__, guard)
        component.dimensions = dimensions
    elif component.ctype in (pyo.Param, pyo.Var, pyo.Expression) and component.is_indexed():
        component.__class__ = guarded(component.__class__, GuardWithoutLoop)


def title_of(component: Any) -> str:
    """Return kind and name of a component, for messages."""
    kind = {pyo.Var: "variable"}.get(component.ctype, component.ctype.__name__.lower())
    return f"The {kind} {component.local_name}"


def template_of(component: Any, rule: Any = None) -> Template:
    """Call a rule once.

    Parameters
    ----------
    component
        An expression, constraint, objective or variable of a prepared model.
    rule
        The rule, if it is not the component's own.

    Raises
    ------
    CompileError
        If the rule cannot be called with placeholders.
    RuleError
        If it cannot be called at all.
    """
    title = title_of(component)
    rule = component._rule if rule is None else rule
    index_set = component.index_set() if component.is_indexed() else None
    if rule is None:
        raise CompileError(title, _("it has no rule"), _("Write one, or take the component out."))
    try:
        with quietly():
            expression, indices = templatize_rule(component.parent_block(), partial(with_checked_sums, rule), index_set)
    except Exception as error:
        raise _explained(title, error) from error
    return Template(title, index_set, indices, expression)


def relation_of(template: Template) -> Any:
    """Return the relation of a constraint's template.

    Raises
    ------
    CompileError
        If the rule returned none: a boolean would silently lose the row.
    """
    relation = template.expression
    if relation.__class__ is tuple:
        try:
            relation = tuple_to_relational_expr(relation)
        except Exception as error:
            raise _explained(template.title, error) from error
    if not isinstance(relation, RelationalExpression):
        reason = _("its rule returns {relation!r}, not a relation between two sides", relation=relation)
        way = "Leave the index of an unwanted row out of its set; a row without variables decides nothing."
        raise CompileError(template.title, reason, way)
    return relation


CONDITION = "Make the condition a set of its own, and a smallest or largest value an array that `parameters` computes."
LOOP = "Write sum(... for i in m.SET), with a set of its own for a condition and a set of tuples for a ragged loop."
NUMBER = "Let `parameters` compute the array."


def _explained(title: str, error: Exception) -> ModelError:
    """Return the error that explains why a rule cannot be called with placeholders, or at all."""
    if mistake := mistake_in(error):
        return RuleError(f"The rule of {title[0].lower()}{title[1:]} fails: {mistake}", _("Correct the rule."))
    chain: list[BaseException] = [error]
    while chain[-1].__context__ is not None:
        chain.append(chain[-1].__context__)
    # The first failure is informative; Pyomo raises a second one over loops that it left open.
    for cause in reversed(chain):
        text = " ".join(str(cause).split())
        if isinstance(cause, RefusedError):
            return CompileError(title, f"its rule {cause}", NUMBER)
        if "to bool" in text or "unhashable type: 'IndexTemplate'" in text:
            return CompileError(title, _("its rule branches on an index, a parameter or a variable"), CONDITION)
        if "Implicit conversion" in text or "__round__" in text or "currently set to an invalid value" in text:
            return CompileError(title, _("its rule converts a parameter or an index to a plain number"), NUMBER)
    if isinstance(error, TemplateExpressionError):
        return CompileError(title, _("its rule loops over a set outside of sum(...)"), LOOP)
    first = f"{type(chain[-1]).__name__}: {' '.join(str(chain[-1]).split()) or 'without a message'}"
    return CompileError(title, f"its rule fails ({first[:200]})", _("Correct the rule."))
