"""Evaluate templates in numpy: numbers from parameters, and linear terms from variables."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
import pyomo.environ as pyo
from pyomo.core.expr import numeric_expr
from pyomo.core.expr.numvalue import native_numeric_types
from pyomo.core.expr.template_expr import GetItemExpression, IndexTemplate, TemplateSumExpression

from etsopt.common.language import _
from etsopt.modelling.compiler.guards import MembersOf
from etsopt.modelling.compiler.lookups import Lookups, is_distinct, is_expression, is_number
from etsopt.modelling.compiler.spaces import AxisIndex, Space, ValueIndex, all_aligned, plus, times
from etsopt.modelling.program.sparse_rows import without_rounding

if TYPE_CHECKING:
    from collections.abc import Callable

    from etsopt.modelling.compiler.templates import CompileError, Template


@dataclass(frozen=True)
class Term:
    """Coefficients of one variable: columns and coefficients, aligned with the leading axes of the space.

    `distinct` means that no column occurs twice in a row.
    """

    space: Space
    variable: str
    columns: Any
    coefficient: Any
    distinct: bool


@dataclass
class Terms:
    """Parts of an expression: constants, linear terms, and squares of single variables."""

    constants: list[tuple[Space, Any]] = field(default_factory=list)
    linear: list[Term] = field(default_factory=list)
    squares: list[Term] = field(default_factory=list)

    def constant(self, count: int) -> Any:
        """Return the sum of the constants of every row, shape ``(count,)``, or one number for all."""
        return without_rounding(*self.summed(count))

    def summed(self, count: int) -> tuple[Any, Any, Any]:
        """Return sums, sizes and numbers of the constants of every row."""
        total, size, terms = 0.0, 0.0, 0.0
        for space, value in self.constants:
            total = total + space.sum_by_row(value, count)
            size = size + space.sum_by_row(np.abs(value), count)
            terms = terms + space.sum_by_row(1.0, count)
        return total, size, terms


class Evaluator(Lookups):
    """Evaluator of templates on the data of a model."""

    def over(self, template: Template) -> Space:
        """Return the space of a template's own indices; later errors name its title."""
        self.title, self.reads = template.title, set()
        space = Space((), 0, None, {})
        space = self._along(template.index_set, template.indices, space) if template.indices else space
        return space.elementwise()

    def number(self, node: Any, space: Space) -> Any:
        """Return the value of an expression without variables: a number, or an array over the leading axes."""
        if node.__class__ in native_numeric_types or node.__class__ is bool:
            return +node
        if not hasattr(node, "is_expression_type") or isinstance(node, type):
            raise self.not_compilable(f"it has {node!r} in place of a number or an index", _("Give numbers."))
        if isinstance(node, IndexTemplate):
            return self.index(node, space)
        if isinstance(node, GetItemExpression) and node.arg(0).ctype is pyo.Param:
            return self.lookup(node.arg(0), self.parameter(node.arg(0)), node.args[1:], space, self.number)
        if isinstance(node, GetItemExpression | TemplateSumExpression) or node.is_named_expression_type():
            return self._constant(node, space)
        if not node.is_expression_type() and node.ctype is pyo.Param:
            return self.parameter(node)[()]
        if not node.is_expression_type():
            raise self._not_linear()
        # Integers of numpy overflow; those of Python do not.
        values = all_aligned([_in_floats(self.number(part, space)) for part in node.args])
        if isinstance(node, numeric_expr.UnaryFunctionExpression):
            return getattr(np, IN_NUMPY.get(node.getname(), node.getname()))(*values)
        if isinstance(node, numeric_expr.Expr_ifExpression):
            return np.where(*values)
        if isinstance(node, numeric_expr.DivisionExpression):
            return np.divide(*values)
        return node._apply_operation(values)

    def linear(self, node: Any, space: Space, factor: Any, terms: Terms) -> None:
        """Add an expression times a factor to the terms.

        Raises
        ------
        CompileError
            If it is not linear in single variables or their squares.
        """

        def inside(inner: Any, at: Space) -> None:
            self.linear(inner, at, factor, terms)

        if isinstance(node, TemplateSumExpression):
            self._sum(node, space, factor, terms)
        elif is_number(node):
            terms.constants.append((space, times(factor, self.number(node, space))))
        elif isinstance(node, GetItemExpression):
            if node.arg(0).ctype is pyo.Var:
                self._variable(node.arg(0), node.args[1:], space, factor, terms)
            else:
                self._named(node.arg(0), node.args[1:], space, inside)
        elif isinstance(node, numeric_expr.SumExpression):
            for part in node.args:
                self.linear(part, space, factor, terms)
        elif isinstance(node, numeric_expr.NegationExpression):
            self.linear(node.arg(0), space, times(-1.0, factor), terms)
        elif isinstance(node, numeric_expr.ProductExpression):
            self._product(node, space, factor, terms)
        elif isinstance(node, numeric_expr.DivisionExpression):
            self.linear(node.arg(0), space, times(factor, np.divide(1.0, self.number(node.arg(1), space))), terms)
        elif isinstance(node, numeric_expr.PowExpression) and node.arg(1).__class__ in native_numeric_types:
            self._power(node, space, factor, terms)
        elif node.is_named_expression_type():
            self._named(node, (), space, inside)
        elif node.is_variable_type():
            self._variable(node, (), space, factor, terms)
        else:
            # An expression of no known form may still consist of cases and named expressions without variables.
            terms.constants.append((space, times(factor, self.number(node, space))))

    def _constant(self, node: Any, space: Space) -> Any:
        """Return the value of a sum or a named expression without variables, for every element of the space."""
        terms = Terms()
        self.linear(node, space.elementwise(), 1.0, terms)
        if terms.linear or terms.squares:
            raise self._not_linear()
        value = terms.constant(prod(space.shape))
        return value.reshape(space.shape) if np.ndim(value) else value

    def _product(self, node: Any, space: Space, factor: Any, terms: Terms) -> None:
        one, other = node.args
        if is_number(one):
            self.linear(other, space, times(factor, self.number(one, space)), terms)
        elif is_number(other):
            self.linear(one, space, times(factor, self.number(other, space)), terms)
        else:
            self._multiplied(one, other, space, factor, terms)

    def _power(self, node: Any, space: Space, factor: Any, terms: Terms) -> None:
        base, exponent = node.args
        if exponent == 1:
            self.linear(base, space, factor, terms)
        elif exponent == 2:
            self._multiplied(base, base, space, factor, terms)
        else:
            raise self._not_linear()

    def _multiplied(self, one: Any, other: Any, space: Space, factor: Any, terms: Terms) -> None:
        """Add the product of two expressions: one is a number, or both have the same single variable."""
        each = space.elementwise()
        parts = []
        for node in (one, other):
            factors = Terms()
            self.linear(node, each, 1.0, factors)
            constant = factors.constant(prod(space.shape))
            parts.append((factors, constant.reshape(space.shape) if np.ndim(constant) else constant))
        (left, left_constant), (right, right_constant) = parts
        for factors, constant, node in ((left, left_constant, other), (right, right_constant, one)):
            if not factors.linear and not factors.squares:
                self.linear(node, space, times(factor, constant), terms)
                return
        single = all(
            len(part.linear) == 1 and not part.squares and part.linear[0].space is each for part in (left, right)
        )
        if not single:
            raise self._not_linear()
        x, y = left.linear[0], right.linear[0]
        if x.variable != y.variable or not np.array_equal(x.columns, y.columns):
            raise self._not_linear()
        mixed = plus(times(x.coefficient, right_constant), times(y.coefficient, left_constant))
        both = times(x.coefficient, y.coefficient)
        terms.squares.append(Term(space, x.variable, x.columns, times(factor, both), x.distinct))
        terms.linear.append(Term(space, x.variable, x.columns, times(factor, mixed), x.distinct))
        terms.constants.append((space, times(factor, times(left_constant, right_constant))))

    def _variable(self, component: Any, arguments: Any, space: Space, factor: Any, terms: Terms) -> None:
        name = component.local_name
        place = self.inputs.columns[name]
        numbers = np.arange(place.start, place.stop, dtype=np.int32)
        columns = self.lookup(component, numbers, arguments, space, self.number)
        terms.linear.append(Term(space, name, columns, factor, is_distinct(arguments, space)))

    def _named(self, component: Any, arguments: Any, space: Space, use: Callable[[Any, Space], None]) -> None:
        """Use the rule of a named expression with its indices bound to the values of the arguments."""
        template = self.inputs.expression(component)
        if not is_expression(template.expression):
            reason = _(
                "the rule of {local_name} returns {expression!r}, not an expression",
                local_name=component.local_name,
                expression=template.expression,
            )
            raise self.not_compilable(reason, _("Return an expression or a number."))
        if len(template.indices) != len(arguments):
            reason = _(
                "its rule gives {local_name} {count} indices", local_name=component.local_name, count=len(arguments)
            )
            raise self.not_compilable(reason, _("Give one for each of its sets."))
        self.check_index(component, arguments, space, self.number)
        bound: dict[int, AxisIndex | ValueIndex] = {}
        for placeholder, argument in zip(template.indices, arguments, strict=True):
            known = space.bound.get(id(argument)) if isinstance(argument, IndexTemplate) else None
            bound[id(placeholder)] = known or ValueIndex(self.number(argument, space))
        use(template.expression, space.binding(bound))

    def _sum(self, node: Any, space: Space, factor: Any, terms: Terms) -> None:
        """Enter the loops of a sum one after the other, and add its summand."""
        for placeholders in node.template_iters():
            source = placeholders[0]._set
            if isinstance(source, MembersOf):
                space = self._into_group(source, placeholders, space)
                factor = space.carried(factor)
            else:
                space = self._along(source, placeholders, space)
        self.linear(node._local_args_[0], space, factor, terms)

    def _along(self, source: Any, placeholders: Any, space: Space) -> Space:
        """Return the space with an axis for each set of a product."""
        first = 0
        for members in self.inputs.sets_of(source):
            last = first + members.dimensions
            space = space.along(members, tuple(placeholders[first:last]))
            first = last
        return space

    def _into_group(self, source: MembersOf, placeholders: Any, space: Space) -> Space:
        grouped = self.inputs.grouped[source.component.local_name]
        starts, members = grouped.groups.starts, grouped.groups.members
        numbers = np.arange(len(starts) - 1)
        which = self.lookup(source.component, numbers, source.arguments, space, self.number)
        group = space.full(which).reshape(-1)
        counts = starts[group + 1] - starts[group]
        if not np.array_equal(group, numbers):
            before = np.cumsum(counts) - counts
            members = members[np.arange(counts.sum()) + np.repeat(starts[group] - before, counts)]
        columns = [members] if members.ndim == 1 else list(members.T)
        once = grouped.is_partition and space.rows is None and is_distinct(source.arguments, space)
        distinct = len(columns) if once else 0
        return space.laid_out(counts, [ValueIndex(values, distinct) for values in columns], tuple(placeholders))

    def _not_linear(self) -> CompileError:
        way = "Write it with linear terms, and objectives with squares of single variables."
        return self.not_compilable(_("it is not linear"), way, by_pyomo=False)


def _in_floats(value: Any) -> Any:
    return value if np.asarray(value).dtype == bool else np.asarray(value, dtype=float)[()]


IN_NUMPY = {
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "atanh": "arctanh",
}
