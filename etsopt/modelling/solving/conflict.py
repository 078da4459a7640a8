"""Rows of a program that no point keeps together, few as possible."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.errors import StoppedError
from etsopt.common.progress import checkpoint, quietly, watched
from etsopt.modelling.program.program import NO_OBJECTIVE
from etsopt.modelling.solving import integer
from etsopt.modelling.solving.proving import violated_least
from etsopt.modelling.solving.solution import STOPPED, Termination

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from etsopt.modelling.program.program import Program
    from etsopt.modelling.solving.options import SolveOptions

SECONDS = 20.0
"""Time in which rows are left out; those that are left by then conflict too."""

MOST_WHOLE = 30
"""Most rows of which the search tries whether whole numbers conflict with fewer of them."""

ZERO_MULTIPLIER_RELATIVE = 1e-9
"""Multipliers up to this share of the largest are zero."""


def with_rows(program: Program, rows: NDArray[np.int64]) -> Program:
    """Return the program in which only some rows have limits."""
    lower, upper = np.full_like(program.row_lower, -np.inf), np.full_like(program.row_upper, np.inf)
    lower[rows], upper[rows] = program.row_lower[rows], program.row_upper[rows]
    return replace(program, row_lower=lower, row_upper=upper)


def conflicting_rows(program: Program, options: SolveOptions) -> tuple[NDArray[np.int64], bool]:
    """Return rows that no point keeps, in their order, and whether none of them can be left out.

    If there is no point without whole numbers either, the search starts from the rows with a multiplier in a proof.
    Parts of them are left out, half of all at first and single ones at last, as long as the rest has no point, until
    the deadline of `etsopt.common.progress` or for `SECONDS`.
    """
    if program.without_value().any():
        return np.zeros(0, dtype=np.int64), True
    program = program.without_objective()
    found = [np.flatnonzero(np.isfinite(program.row_lower) | np.isfinite(program.row_upper))]
    try:
        with watched(SECONDS), quietly():
            whole = program.integer.any()
            relaxed = program.relaxed()
            if _has_none(relaxed, found[0], options):
                multipliers = violated_least(relaxed, options).multipliers
                sizes = np.zeros(len(program.row_lower)) if multipliers is None else np.abs(multipliers)
                support = np.flatnonzero(sizes > ZERO_MULTIPLIER_RELATIVE * sizes.max(initial=0.0))
                found += [support] if _has_none(relaxed, support, options) else []
                _leave_out(found, lambda rows: _has_none(relaxed, rows, options))
                if whole and len(found[-1]) > MOST_WHOLE:
                    return found[-1], False
            if whole:
                _leave_out(found, lambda rows: _has_none(program, rows, options))
    except StoppedError:
        return found[-1], False
    return found[-1], True


def _leave_out(found: list[NDArray[np.int64]], has_none: Callable[[NDArray[np.int64]], bool]) -> None:
    """Append ever fewer rows without a point, until none can be left out."""
    part = max(1, len(found[-1]) // 2)
    while True:
        start = 0
        while start < len(found[-1]):
            rest = np.delete(found[-1], slice(start, start + part))
            if has_none(rest):
                found.append(rest)
            else:
                start += part
        if part == 1:
            return
        part = max(1, part // 2)


def _has_none(program: Program, rows: NDArray[np.int64], options: SolveOptions) -> bool:
    """Return True if no point keeps some rows.

    Raises
    ------
    StoppedError
        At the deadline.
    """
    checkpoint()
    outcome = integer.solve(with_rows(program, rows), NO_OBJECTIVE, options)
    if outcome.termination in STOPPED:
        raise StoppedError(outcome.termination)
    return outcome.termination is Termination.INFEASIBLE
