"""Call every rule of a model once, with placeholders for its indices.

All that touches Pyomo's template classes, which are not public, stands here and in `guards.py`; a test fails when Pyomo
changes them.
Nothing of Pyomo knows the data: sets hold one stand-in member, so that no set is empty while a rule runs, and what
would look at it (its length, its first member, a condition on an index) is refused instead of being baked in.
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

from etsopt.compiler.guards import Guard, GuardWithoutLoop, RefusedError, guarded, with_checked_sums
from etsopt.compiler.mistakes import RuleError, mistake_in, quietly
from etsopt.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS = (pyo.Set, pyo.RangeSet, pyo.Param, pyo.Var, pyo.Expression, pyo.Constraint, pyo.Objective)
LISTS = (pyo.ConstraintList, pyo.VarList, pyo.ObjectiveList)


class CompileError(ModelError):
    """A component that cannot be stamped; the reference way builds it row by row."""

    def __init__(self, component: str, reason: str, way_round: str) -> None:
        advice = f"{way_round} Or solve it the reference way, which builds every row: method 'pyomo'."
        super().__init__(f"{component} cannot be stamped: {reason}.", advice)


@dataclass(frozen=True)
class Template:
    """What a rule returns for placeholders, and the placeholders.

    Parameters
    ----------
    title
        Kind and name of the component, for messages.
    index_set
        Set of Pyomo that its indices come from, or None for a scalar component.
    indices
        One placeholder for each index.
    expression
        What the rule returned.
    """

    title: str
    index_set: Any
    indices: tuple[Any, ...]
    expression: Any


def needs_data(component: Any) -> bool:
    """Whether a set or parameter takes its content from outside; ranges and products have their own."""
    return component.ctype is pyo.Param or (
        component.ctype is pyo.Set and not isinstance(component, SetOperator | SetOf | GlobalSetBase)
    )


def prepare(model: Any, parameters: Mapping[str, Any], dimensions: Mapping[str, int]) -> Any:
    """Copy a model and make its components answer with placeholders.

    Parameters
    ----------
    model
        The mathematics without data; it stays as it is.
    parameters
        Values of the scalar parameters, for ranges that depend on them.
    dimensions
        How many indices name a member of each set that has data.

    Raises
    ------
    CompileError
        If it has a component that is none of `KINDS`.
    """
    copy = model.clone()
    components = list(copy.component_objects(descend_into=False))
    for component in components:
        if component.ctype not in KINDS or isinstance(component, LISTS):
            kind = component.ctype if component.ctype not in KINDS else type(component)
            reason = f"it is a {kind.__name__.removeprefix('Abstract')}"
            raise CompileError(f"The component {component.local_name}", reason, "Write it as rows over sets.")
    for component in components:
        if component.ctype is pyo.Param and not component.is_indexed():
            # The domain may be a set that has no members yet; the value is held to it when it is taken in.
            domain, component.domain = component.domain, pyo.Any
            component.construct({None: parameters[component.local_name]})
            component.domain = domain
    for component in components:
        _fill(component, dimensions.get(component.local_name, 1))
    for component in components:
        _guard(component, dimensions.get(component.local_name, 1))
    return copy


def _fill(component: Any, dimensions: int) -> None:
    """Give a set its stand-in, and let everything else count as constructed."""
    if component.ctype is pyo.Set and needs_data(component):
        # No set of the model checks the stand-in; the data themselves are checked when they are taken in.
        component.declared_within = component._init_domain
        component._init_domain = pyo.Set()._init_domain
    if component.ctype in (pyo.Set, pyo.RangeSet) and not component.is_indexed():
        component.construct({None: [(0,) * dimensions if dimensions > 1 else 0]} if needs_data(component) else None)
    else:
        component._constructed = True


def _guard(component: Any, dimensions: int) -> None:
    if component.ctype is pyo.Param and not component.is_indexed():
        # A number would be baked into the templates; without a value the parameter itself stays in them.
        component._mutable = True
        component.clear()
    elif component.ctype is pyo.Set and needs_data(component):
        guard = GuardWithoutLoop if component.is_indexed() else Guard
        component.__class__ = guarded(component.__class__, guard)
        component.dimensions = dimensions
    elif component.ctype in (pyo.Param, pyo.Var, pyo.Expression) and component.is_indexed():
        component.__class__ = guarded(component.__class__, GuardWithoutLoop)


def title_of(component: Any) -> str:
    """Kind and name of a component, for messages."""
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
        raise CompileError(title, "it has no rule", "Write one, or take the component out.")
    try:
        with quietly():
            expression, indices = templatize_rule(component.parent_block(), partial(with_checked_sums, rule), index_set)
    except Exception as error:
        raise _explained(title, error) from error
    return Template(title, index_set, indices, expression)


def relation_of(template: Template) -> Any:
    """The relation of a constraint's template.

    Raises
    ------
    CompileError
        If the rule gave none: a boolean would lose the row without a word.
    """
    found = template.expression
    if found.__class__ is tuple:
        try:
            found = tuple_to_relational_expr(found)
        except Exception as error:
            raise _explained(template.title, error) from error
    if not isinstance(found, RelationalExpression):
        reason = f"its rule gives {found!r} and no relation between two sides"
        way = "A row that is not wanted has no index in its set; with no variables in it there is nothing to decide."
        raise CompileError(template.title, reason, way)
    return found


CONDITION = "Make the condition a set of its own, and a smallest or largest value an array that `parameters` computes."
LOOP = "Write sum(... for i in m.SET); a condition is a set of its own, a ragged loop a set of tuples."
NUMBER = "Let `parameters` compute the array."


def _explained(title: str, error: Exception) -> ModelError:
    """Say in words why a rule cannot be called with placeholders, or at all."""
    if mistake := mistake_in(error):
        return RuleError(f"The rule of {title[0].lower()}{title[1:]} fails: {mistake}", "Correct the rule.")
    chain: list[BaseException] = [error]
    while chain[-1].__context__ is not None:
        chain.append(chain[-1].__context__)
    # The first failure tells; Pyomo raises a second one over loops that it left open.
    for cause in reversed(chain):
        text = " ".join(str(cause).split())
        if isinstance(cause, RefusedError):
            return CompileError(title, f"its rule {cause}", NUMBER)
        if "to bool" in text or "unhashable type: 'IndexTemplate'" in text:
            return CompileError(title, "its rule decides by an index, a parameter or a variable", CONDITION)
        if "Implicit conversion" in text or "__round__" in text or "currently set to an invalid value" in text:
            return CompileError(title, "its rule makes a plain number of a parameter or an index", NUMBER)
    if isinstance(error, TemplateExpressionError):
        return CompileError(title, "its rule loops over a set outside of sum(...)", LOOP)
    first = f"{type(chain[-1]).__name__}: {' '.join(str(chain[-1]).split()) or 'without a word'}"
    return CompileError(title, f"its rule fails ({first[:200]})", "Correct the rule.")
