"""Templates of single variables, constraints and objectives, and their evaluation on the data of a model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import inf, prod
from typing import TYPE_CHECKING, Any

import numpy as np
from pyomo.core.expr.relational_expr import EqualityExpression, RangedExpression

from etsopt.common.language import _
from etsopt.modelling.compiler.assemble import costs_of, rows_of
from etsopt.modelling.compiler.evaluate import Terms
from etsopt.modelling.compiler.lookups import is_expression, is_number
from etsopt.modelling.compiler.sets import DOMAIN, interval_of
from etsopt.modelling.compiler.templates import CompileError, needs_data, relation_of, template_of, title_of
from etsopt.modelling.program.program import Objective, refuse_to_maximise, unit_of
from etsopt.modelling.program.sparse_rows import without_rounding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.modelling.compiler.evaluate import Evaluator
    from etsopt.modelling.compiler.spaces import Space
    from etsopt.modelling.program.sparse_rows import SparseRows


@dataclass(frozen=True)
class Bounds:
    """Bounds of the columns of a variable, and which of them are integer."""

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    integer: NDArray[np.bool_]


class Columns:
    """The columns of a variable."""

    def __init__(self, variable: Any) -> None:
        self.variable, self.name, self.title = variable, variable.local_name, title_of(variable)
        if not variable._dense:
            raise CompileError(
                self.title, _("it is sparse (dense=False)"), _("Index it by just the members that are needed.")
            )
        self._bounds = None
        if variable._rule_bounds is not None:
            self._bounds = template_of(variable, variable._rule_bounds)
            if not isinstance(self._bounds.expression, tuple | list) or len(self._bounds.expression) != 2:
                reason = _("its bounds are {expression!r}, not a pair", expression=self._bounds.expression)
                raise CompileError(self.title, reason, _("Give lower and upper bound, None for none."))
        self._least, self._most, self._integer = self._domain(variable)

    def _domain(self, variable: Any) -> tuple[float, float, bool]:
        """Return the least and largest value of the domain, and True if it holds integers only."""
        rule = partial(_called_for, variable)
        domain = template_of(variable, rule).expression
        interval = None if needs_data(domain) else interval_of(domain)
        if interval is None:
            reason = _("its domain {domain} is not an interval", domain=domain.local_name)
            raise CompileError(self.title, reason, DOMAIN, by_pyomo=needs_data(domain))
        least, most, whole = interval
        return -inf if least is None else least, inf if most is None else most, whole

    def evaluated(self, evaluator: Evaluator) -> Bounds:
        """Return the bounds on the data: the tighter of domain and rule."""
        place = evaluator.inputs.columns[self.name]
        size = place.stop - place.start
        ends = np.full(size, float(self._least)), np.full(size, float(self._most))
        bounds = Bounds(*ends, np.full(size, self._integer))
        if self._bounds is None:
            return bounds
        space = evaluator.over(self._bounds)
        lower, upper = self._bounds.expression
        if lower is not None:
            np.maximum(bounds.lower, _spread(evaluator.number(lower, space), space), out=bounds.lower)
        if upper is not None:
            np.minimum(bounds.upper, _spread(evaluator.number(upper, space), space), out=bounds.upper)
        return bounds


def _called_for(variable: Any, block: Any, index: Any) -> Any:
    return variable._rule_domain(block, index, variable)


def _spread(value: Any, space: Space) -> Any:
    """Return a value for every element of a space in row-major order; a scalar stays one."""
    return space.full(value).reshape(-1) if np.ndim(value) else float(value)


@dataclass(frozen=True)
class Body:
    """Coefficients of the rows of a constraint, their constants, and the parameters from which these follow.

    ``constants`` are sums, sizes and numbers of the terms of each row.
    """

    matrix: SparseRows
    constants: tuple[Any, Any, Any]
    reads: frozenset[str]


@dataclass(frozen=True)
class Block:
    """The rows of a constraint."""

    body: Body
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]


class Rows:
    """The rows of a constraint."""

    def __init__(self, constraint: Any) -> None:
        self.name, self.title = constraint.local_name, title_of(constraint)
        self._template = template_of(constraint)
        self._lower, self._body, self._upper = self._sides(relation_of(self._template))

    def _sides(self, relation: Any) -> tuple[Any, list[tuple[float, Any]], Any]:
        """Return lower limit, signed parts of the body and upper limit, as Pyomo places them."""
        if isinstance(relation, RangedExpression):
            lower, body, upper = relation.args
            if not (is_number(lower) and is_number(upper)):
                raise CompileError(
                    self.title, _("a limit of its range has variables"), _("Make two constraints of it.")
                )
            strict: Any = any(relation.strict)
        else:
            one, other = relation.args
            equal = isinstance(relation, EqualityExpression)
            strict = not equal and relation.strict
            if is_number(other):
                lower, body, upper = other if equal else None, one, other
            elif is_number(one):
                lower, body, upper = one, other, one if equal else None
            else:
                return 0.0 if equal else None, [(1.0, one), (-1.0, other)], 0.0
        if strict:
            raise CompileError(self.title, _("it is a strict inequality"), _("Write <= or >=."), by_pyomo=False)
        if is_number(body):
            raise CompileError(self.title, _("it has no variables"), _("Check the data in `parameters`."))
        return lower, [(1.0, body)], upper

    def evaluated(self, evaluator: Evaluator, body: Body | None = None) -> Block:
        """Return the rows on the data; with the body that they had, if that does not change."""
        space = evaluator.over(self._template)
        body = self._body_on(evaluator, space) if body is None else body
        count, limits = prod(space.shape), []
        total, size, terms = body.constants
        for side, absent in ((self._lower, -inf), (self._upper, inf)):
            limit = absent if side is None else _spread(evaluator.number(side, space), space)
            limit = without_rounding(limit - total, np.abs(limit) + size, terms + 1)
            limits.append(np.broadcast_to(limit, (count,)))
        return Block(body, *limits)

    def _body_on(self, evaluator: Evaluator, space: Space) -> Body:
        terms, count = Terms(), prod(space.shape)
        for sign, part in self._body:
            evaluator.linear(part, space, sign, terms)
        if terms.squares:
            raise CompileError(self.title, _("it is not linear"), _("Write it with linear terms only."), by_pyomo=False)
        matrix = rows_of(terms.linear, count, evaluator.inputs.column_count)
        return Body(matrix, terms.summed(count), frozenset(evaluator.reads))


class Cost:
    """An objective."""

    def __init__(self, objective: Any) -> None:
        self.name, self.title = objective.local_name, title_of(objective)
        self._unit = unit_of(objective)
        if objective.is_indexed():
            raise CompileError(self.title, _("it has an index"), _("Write one named objective for each member."))
        refuse_to_maximise(self.name, objective._init_sense(objective.parent_block(), None))
        self._template = template_of(objective)
        if not is_expression(self._template.expression):
            reason = _("its rule returns {expression!r}, not an expression", expression=self._template.expression)
            raise CompileError(self.title, reason, _("Return an expression."))

    def evaluated(self, evaluator: Evaluator) -> Objective:
        """Return the objective on the data."""
        space, terms = evaluator.over(self._template), Terms()
        evaluator.linear(self._template.expression, space, 1.0, terms)
        columns = evaluator.inputs.column_count
        squares = costs_of(terms.squares, columns)
        quadratic = squares if np.any(squares) else None
        constant = float(np.sum(terms.constant(1)))
        return Objective(costs_of(terms.linear, columns), quadratic, constant, self._unit)
