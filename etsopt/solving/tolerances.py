"""What is no more than rounding, and programs with variables at zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from etsopt.program.program import Program

EASED_T = 1.9e-2
"""Tonnes that a limit may lack for want of rounding alone; the checker tolerates 20 kg."""


def pinned(program: Program, variables: tuple[str, ...]) -> Program:
    """The program with some variables at zero, their lower bound."""
    side = np.zeros(len(program.column_lower), dtype=np.int8)
    for name in variables:
        side[program.columns[name]] = -1
    return program.narrowed(side, np.zeros(len(program.row_lower), dtype=np.int8))
