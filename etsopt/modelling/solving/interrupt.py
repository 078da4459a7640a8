"""Let the deadline and Ctrl-C stop the solver."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from etsopt.common.progress import is_over, watched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.modelling.program.program import Program


SHORT = 10_000
"""Most coefficients of a linear program that ends within milliseconds: to ask after each step would take as long.
`docs/decisions/0133-small-programs.md`."""


@contextmanager
def stoppable(highs: Any, program: Program | None = None) -> Iterator[None]:
    """Let the solver stop and keep its incumbent; alone it ignores Ctrl-C, and its time limit in some phases.

    Parameters
    ----------
    program
        What it solves; a short one is solved to its end. None if its size is not known.
    """
    if program is not None and program.matrix.nnz <= SHORT and not program.integer.any():
        with watched():
            yield
        return

    def ask_to_stop(event: Any) -> None:
        if is_over():
            event.interrupt()

    callbacks = (highs.cbSimplexInterrupt, highs.cbMipInterrupt, highs.cbIpmInterrupt)
    for callback in callbacks:
        callback.subscribe(ask_to_stop)
    try:
        with watched():
            yield
    finally:
        for callback in callbacks:
            callback.unsubscribe(ask_to_stop)
