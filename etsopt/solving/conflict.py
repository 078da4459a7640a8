"""Rows of a program that no point keeps together, of which none can be left out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.program.program import Objective
from etsopt.progress import checkpoint, quietly
from etsopt.solving import integer
from etsopt.solving.proving import NO_OBJECTIVE, violated_least
from etsopt.solving.solution import Termination

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.program.program import Program
    from etsopt.solving.options import SolveOptions

MOST_TRIED = 2_000
"""Programs that are solved in search of rows to leave out."""

ZERO = 1e-9
"""Multipliers up to this share of the largest are zero."""


def with_rows(program: Program, rows: NDArray[np.int64]) -> Program:
    """Return the program in which only some rows have limits."""
    lower, upper = np.full_like(program.row_lower, -np.inf), np.full_like(program.row_upper, np.inf)
    lower[rows], upper[rows] = program.row_lower[rows], program.row_upper[rows]
    return replace(program, row_lower=lower, row_upper=upper)


def conflicting_rows(program: Program, options: SolveOptions) -> NDArray[np.int64] | None:
    """Return rows that no point keeps, in their order; without any of them there is one.

    If there is none without whole numbers either, the search starts from the rows with a multiplier in a proof. Parts
    of them are left out, half of all at first and single ones at last, as long as the rest has no point.

    Returns
    -------
    numpy.ndarray or None
        None if that many programs did not suffice.

    Raises
    ------
    StoppedError
        At the deadline.
    """
    nothing = Objective(np.zeros(len(program.column_lower)), None, 0.0, "")
    program = replace(program, objectives={NO_OBJECTIVE: nothing})
    rows: NDArray[np.int64] | None = np.flatnonzero(np.isfinite(program.row_lower) | np.isfinite(program.row_upper))
    relaxed = replace(program, integer=np.zeros_like(program.integer))
    assert rows is not None
    if _has_none(relaxed, rows, options):
        found = violated_least(relaxed, options).multipliers
        sizes = np.zeros(len(program.row_lower)) if found is None else np.abs(found)
        support = np.flatnonzero(sizes > ZERO * sizes.max(initial=0.0))
        rows = _fewer(relaxed, support if _has_none(relaxed, support, options) else rows, options)
    # Whole numbers may conflict with fewer rows than real ones do.
    return _fewer(program, rows, options) if rows is not None and program.integer.any() else rows


def _fewer(program: Program, rows: NDArray[np.int64], options: SolveOptions) -> NDArray[np.int64] | None:
    """Return those of some rows without a point that cannot be left out."""
    tried, part = 0, max(1, len(rows) // 2)
    while True:
        start = 0
        while start < len(rows):
            if (tried := tried + 1) > MOST_TRIED:
                return None
            rest = np.delete(rows, slice(start, start + part))
            if _has_none(program, rest, options):
                rows = rest
            else:
                start += part
        if part == 1:
            return rows
        part = max(1, part // 2)


def _has_none(program: Program, rows: NDArray[np.int64], options: SolveOptions) -> bool:
    """Return True if no point keeps some rows."""
    checkpoint()
    with quietly():
        outcome = integer.solve(with_rows(program, rows), NO_OBJECTIVE, options)
    return outcome.termination is Termination.INFEASIBLE
