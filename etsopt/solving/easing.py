"""Programs with other limits: wider by what is rounding, or with variables at zero."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from etsopt.stamp.program import Program

EASED_T = 1e-2
"""Tonnes that a limit may lack for want of rounding alone; the checker tolerates twice as much."""


def eased(program: Program, relief: Any) -> Program:
    """The program with the limits in tonnes that may give way wider by what is rounding."""
    lower, upper = program.row_lower.copy(), program.row_upper.copy()
    for name in relief.GIVES:
        lower[program.rows[name]] -= EASED_T
        upper[program.rows[name]] += EASED_T
    return replace(program, row_lower=lower, row_upper=upper)


def pinned(program: Program, variables: tuple[str, ...]) -> Program:
    """The program with some variables at zero, their lower bound."""
    side = np.zeros(len(program.column_lower), dtype=np.int8)
    for name in variables:
        side[program.columns[name]] = -1
    return program.narrowed(side, np.zeros(len(program.row_lower), dtype=np.int8))
