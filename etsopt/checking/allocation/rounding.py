r"""Whole tonnes near a real answer: what each of the two must satisfy, and that no whole tonnes are nearer.

An order of rates is one before rounding. So the levels and the order are those of the real allowances $a$, which the
column ``before_rounding_t`` states; the whole ones $z$ keep every limit but the order. For prices $y$ of the rows over
whole tonnes no $z$ has a sum of squared moves below

$$\sum_i \min_{z \in \mathbb{Z}, \underline A_i \le z \le \overline A_i} \bigl((z - a_i)^2 - \pi_i z\bigr)
  + \sum_r y_r d_r,$$

and the gap to it is the bound of `etsopt.checking.allocation.certificate` with one for every $E_i$.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.checking.allocation import statements
from etsopt.checking.allocation.certificate import Intervals, Square, units_gap
from etsopt.checking.arithmetic import gamma, total, upward
from etsopt.checking.report import LevelCheck, Violation
from etsopt.units import RELATIVE_TOLERANCE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.checking.allocation.limits import Demands
    from etsopt.data.instance import Instance

ROUNDING = "rounding"
"""The level that rounds."""

KILOGRAMS = 3
"""Decimals of the tonnes from which moves are measured."""


def before(instance: Instance) -> Instance:
    """The instance whose limits and levels the real allowances are held to."""
    return instance.with_policy({"allocation.integer_allowances": False})


def after(instance: Instance) -> Instance:
    """The instance whose limits the whole allowances are held to."""
    return instance.with_policy({"allocation.intensity_order": False})


def real_table(allocation: pd.DataFrame) -> pd.DataFrame:
    """The table as it was before rounding, as far as limits go."""
    return allocation.assign(allowance_t=allocation["before_rounding_t"])


def before_rounding(
    real: Instance, demands: Demands, fixed: NDArray[np.bool_], allocation: pd.DataFrame, rounded: bool
) -> list[Violation]:
    """Real allowances meet every limit, that of the order too; before they are rounded they are all there is."""
    table = real_table(allocation)
    found = [
        *statements.fixed_get_emissions(real, table, fixed, True),
        *statements.inside_band(demands, table),
        *statements.rows_are_met(demands, table),
    ]
    found = [replace(violation, message=f"before rounding, {violation.message}") for violation in found]
    return found if rounded else found + statements.not_moved(allocation)


def largest_move(allocation: pd.DataFrame) -> float:
    """By how much rounding moves an allowance at most [t]."""
    return float(np.max(_moves(allocation), initial=0.0))


def _moves(allocation: pd.DataFrame) -> NDArray[np.float64]:
    moves: NDArray[np.float64] = np.abs(allocation["allowance_t"] - allocation["before_rounding_t"]).to_numpy(float)
    return moves


def check_rounding(demands: Demands, allocation: pd.DataFrame, duals: pd.DataFrame) -> LevelCheck:
    """Bound the sum of squared moves; a certified result does not need it proven, since it states the moves themselves.

    Parameters
    ----------
    demands
        Of the whole allowances, with the chosen exceptions.
    """
    price = demands.rows.priced(demands.rows.prices(duals[duals["level"].to_numpy() == ROUNDING]))
    free, whole = ~demands.fixed, allocation["allowance_t"].to_numpy(dtype=float)
    intervals = Intervals.around(whole[free], demands.lower[free], demands.upper[free])
    # What is less than a kilogram is the rounding of the real answer.
    point = np.round(allocation["before_rounding_t"].to_numpy(dtype=float)[free], KILOGRAMS)
    value, error = total((intervals.answer - point) ** 2)
    square = Square(np.ones(len(point)), point, whole=True)
    gap = units_gap(intervals, [], demands.rows.pull(price, len(free)).of(free), square)
    gap = upward(gap + demands.rows.gap(demands.rows.totals(whole), price) + error + gamma(6) * value, 6)
    gap = min(gap, value) if gap < np.inf else value
    tolerance = RELATIVE_TOLERANCE * (value + len(point))
    return LevelCheck(ROUNDING, "t²", value, value - gap, gap, tolerance, needed=False)
