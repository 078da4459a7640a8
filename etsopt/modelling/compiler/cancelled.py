"""What rounding leaves of the sums of a row that Pyomo built, which is no coefficient and no limit of it.

Pyomo adds terms up, and tells only what is left. So where that is tiny, the terms are looked at one by one.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pyomo.environ as pyo
from pyomo.core.expr import numeric_expr
from pyomo.core.expr.numvalue import native_numeric_types

from etsopt.modelling.program.sparse_rows import without_rounding

if TYPE_CHECKING:
    from collections.abc import Iterator

SUSPICIOUS_RELATIVE = 1e-9
"""Size of a coefficient or limit, beside the others of its row, below which it may be what rounding leaves of a sum."""


def coefficients_and_limits(body: Any, form: Any, limits: tuple[float, float]) -> tuple[Any, tuple[float, float]]:
    """Return coefficients and limits of a row, zero where they are what rounding leaves of a sum.

    Pyomo adds terms up, so that their sizes are looked for where something tiny is left.
    """
    left = [limit - form.constant for limit in limits]
    largest = max(
        1.0, *map(abs, form.linear_coefs), abs(form.constant), *(abs(one) for one in limits if math.isfinite(one))
    )
    if not any(0 < abs(one) <= SUSPICIOUS_RELATIVE * largest for one in (*form.linear_coefs, *left)):
        return form.linear_coefs, (left[0], left[1])
    sizes: dict[Any, list[float]] = defaultdict(list)
    for key, size in _sizes(body, 1.0):
        sizes[key].append(size)
    of_terms = [sizes[id(variable)] for variable in form.linear_vars]
    of_limits = [[abs(limit), *sizes[None]] for limit in limits]
    coefficients, (least, most) = (
        without_rounding(np.array(sums, dtype=float), np.array([*map(sum, parts)]), np.array([*map(len, parts)]))
        for sums, parts in ((form.linear_coefs, of_terms), (left, of_limits))
    )
    return coefficients.tolist(), (float(least), float(most))


def _sizes(expression: Any, factor: float) -> Iterator[tuple[Any, float]]:
    """Yield the size of every term of a linear expression, by the variable, of a number without one."""
    kind = type(expression)
    if kind in native_numeric_types:
        yield None, abs(factor * expression)
    elif not expression.is_expression_type():
        fixed = expression.is_fixed()
        yield (None, abs(factor * pyo.value(expression))) if fixed else (id(expression), abs(factor))
    elif isinstance(expression, numeric_expr.ProductExpression):
        one, other = expression.args
        number, part = (one, other) if pyo.is_fixed(one) else (other, one)
        yield from _sizes(part, factor * pyo.value(number))
    elif isinstance(expression, numeric_expr.DivisionExpression):
        yield from _sizes(expression.args[0], factor / pyo.value(expression.args[1]))
    elif isinstance(expression, numeric_expr.SumExpression | numeric_expr.NegationExpression) or (
        expression.is_named_expression_type()
    ):
        for part in expression.args:
            yield from _sizes(part, factor)
    elif pyo.is_fixed(expression):
        yield None, abs(factor * pyo.value(expression))
