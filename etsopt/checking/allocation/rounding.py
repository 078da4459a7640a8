r"""Check whole tonnes near a real answer, and bound their distance from it.

An order of rates applies before rounding. So the objectives and the order are those of the real allowances $a$ in the
column ``before_rounding_t``; the whole ones $z$ meet every limit but the order. For duals $y$ of the rows over whole
tonnes no $z$ has a sum of squared moves below

$$\sum_i \min_{z \in \mathbb{Z}, \underline A_i \le z \le \overline A_i} \bigl((z - a_i)^2 - \pi_i z\bigr)
  + \sum_r y_r d_r,$$

and the gap to it is the bound of `etsopt.checking.allocation.certificate` with one for every $E_i$.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.checking.allocation import statements
from etsopt.checking.allocation.certificate import Intervals, Square, units_gap
from etsopt.checking.arithmetic import gamma, total, upward
from etsopt.checking.theorem import ROUNDING
from etsopt.checking.tolerances import MOVE_START_DECIMALS
from etsopt.checking.verdict import LevelCheck, Violation
from etsopt.common.language import _
from etsopt.common.units import RELATIVE_TOLERANCE

if TYPE_CHECKING:
    from etsopt.checking.allocation.limits import Demands
    from etsopt.checking.arrays import Floats, Mask
    from etsopt.checking.readings.instance_inputs import InstanceInputs
    from etsopt.checking.verdict import Columns


def before(instance: InstanceInputs) -> InstanceInputs:
    """Return the instance with the limits and objectives of the real allowances."""
    return instance.with_allocation(integer_allowances=False)


def after(instance: InstanceInputs) -> InstanceInputs:
    """Return the instance with the limits of the whole allowances."""
    return instance.with_allocation(intensity_order=False)


def real_table(allocation: Columns) -> dict[str, Any]:
    """Return the allocation with the allowances before rounding."""
    return {**allocation, "allowance_t": allocation["before_rounding_t"]}


def before_rounding(
    real: InstanceInputs, demands: Demands, fixed: Mask, allocation: Columns, rounded: bool
) -> list[Violation]:
    """Check that real allowances meet every limit, also the order; without rounding they are the allowances."""
    table = real_table(allocation)
    violations = [
        *statements.fixed_get_emissions(real, table, fixed, True),
        *statements.inside_band(demands, table),
        *statements.rows_are_met(demands, table),
    ]
    violations = [
        replace(violation, message=_("before rounding, {statement}", statement=violation.message))
        for violation in violations
    ]
    return violations if rounded else violations + statements.not_moved(allocation)


def largest_move(allocation: Columns) -> float:
    """Return the largest move of an allowance by rounding [t]."""
    whole, real = (np.asarray(allocation[name], dtype=float) for name in ("allowance_t", "before_rounding_t"))
    return float(np.max(np.abs(whole - real), initial=0.0))


def check_rounding(demands: Demands, allocation: Columns, dual: Floats) -> LevelCheck:
    """Bound the sum of squared moves; a certified result states the moves themselves and does not need the bound.

    Parameters
    ----------
    demands
        Demands on the whole allowances, with the chosen exceptions.
    dual
        Duals of the rows, shape ``(rows,)``.
    """
    dual = demands.rows.supported_duals(dual)
    free, integer = ~demands.fixed, np.asarray(allocation["allowance_t"], dtype=float)
    intervals = Intervals.around(integer[free], demands.lower[free], demands.upper[free])
    # Fractions of a kilogram are rounding of the real answer.
    point = np.round(np.asarray(allocation["before_rounding_t"], dtype=float)[free], MOVE_START_DECIMALS)
    value, error = total((intervals.answer - point) ** 2)
    square = Square(np.ones(len(point)), point, integer=True)
    gap = units_gap(intervals, [], demands.rows.dual_activity(dual, len(free)).of(free), square)
    gap = upward(gap + demands.rows.gap(demands.rows.totals(integer), dual) + error + gamma(6) * value, 6)
    gap = min(gap, value) if gap < np.inf else value
    tolerance = RELATIVE_TOLERANCE * (value + len(point))
    return LevelCheck(ROUNDING, "t²", value, value - gap, gap, tolerance, needed=False)
