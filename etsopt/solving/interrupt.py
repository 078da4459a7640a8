"""Let the deadline and Ctrl-C stop the solver."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from etsopt.progress import is_over, watched

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def stoppable(highs: Any) -> Iterator[None]:
    """Let the solver stop and keep its incumbent; alone it ignores Ctrl-C, and its time limit in some phases."""

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
