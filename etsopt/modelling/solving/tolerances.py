"""The tolerance of limits by rounding, and programs with variables fixed at their lower bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from etsopt.modelling.program.program import Program

RELAXED_T = 1.9e-2
"""Largest infeasibility of limits that is taken for rounding [t]; the checker tolerates 20 kg:
`docs/decisions/0047-infeasible-by-rounding.md`."""


def fixed_at_lower(program: Program, variables: tuple[str, ...]) -> Program:
    """Return the program with some variables fixed at zero, their lower bound."""
    side = np.zeros(len(program.column_lower), dtype=np.int8)
    for name in variables:
        side[program.columns[name]] = -1
    return program.fixed_at_sides(side, np.zeros(len(program.row_lower), dtype=np.int8))
