"""Let Ctrl-C stop the solver."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def interruptible(highs: Any) -> Iterator[None]:
    """Let Ctrl-C stop the solver and keep what it holds; without this HiGHS runs on to its end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed = threading.Event()

    def ask_to_stop(event: Any) -> None:
        if pressed.is_set():
            event.interrupt()

    for callback in (highs.cbSimplexInterrupt, highs.cbMipInterrupt, highs.cbIpmInterrupt):
        callback.subscribe(ask_to_stop)
    before = signal.signal(signal.SIGINT, lambda number, frame: pressed.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
