"""Progress and the deadline of a command, in one context for all its loops.

A command runs inside `watched`; every loop of every model and method calls `checkpoint` at each iteration, and the
solver takes `seconds_left`. So the deadline need not be passed through each function between the two.
"""

from __future__ import annotations

import logging
import math
import signal
import threading
import time
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from etsopt.common.errors import StoppedError
from etsopt.common.language import Text, _

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LEAST_SOLVER_TIME_S = 1e-2
"""Shortest time limit of a call of the solver, even after the deadline [s]."""

REPORT_INTERVAL_S = 0.1
"""Shortest time between two reports of a loop [s]."""

POLL_INTERVAL_S = 0.5
"""CPU time between two checks of the deadline in code without a `checkpoint` [s]."""


LOGGER = logging.getLogger("etsopt")


def _silent(line: str) -> None:
    """Discard a report."""


@dataclass(frozen=True)
class _Watch:
    """A deadline, the receiver and time of the last report, and the request to stop."""

    deadline: float = math.inf
    report: Callable[[str], None] = _silent
    stop_requested: threading.Event = field(default_factory=threading.Event)
    reported_at: list[float] = field(default_factory=lambda: [-math.inf])


_WATCH: ContextVar[_Watch | None] = ContextVar("watch", default=None)


@contextmanager
def watched(time_limit_s: float | None = None, tell: Callable[[str], None] | None = None) -> Iterator[None]:
    """Set a deadline for the code inside, and let Ctrl-C stop it.

    The first Ctrl-C requests a stop that keeps the solution found so far; the second stops at once. Inside another
    `watched` the earlier deadline applies.

    Parameters
    ----------
    time_limit_s
        Time limit from now [s]; None for no limit.
    tell
        Receiver of progress lines; None for that of the outer `watched`.
    """
    outer = _WATCH.get()
    watch = outer or _Watch()
    deadline = math.inf if time_limit_s is None else time.perf_counter() + time_limit_s
    watch = replace(watch, deadline=min(deadline, watch.deadline), report=tell or watch.report)
    token = _WATCH.set(watch)
    try:
        with nullcontext() if outer else _stopped_by_ctrl_c(watch):
            yield
    finally:
        _WATCH.reset(token)


@contextmanager
def every(interval_s: float, act: Callable[[], None]) -> Iterator[None]:
    """Do something at intervals while the code inside runs, however long a step of it takes."""
    ended = threading.Event()

    def repeat() -> None:
        while not ended.wait(interval_s):
            act()

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def unlimited() -> Iterator[None]:
    """Lift the deadline for the code inside, such as tables and checks of the solution found."""
    outer = _WATCH.get()
    token = _WATCH.set(_Watch(report=outer.report) if outer else None)
    try:
        yield
    finally:
        _WATCH.reset(token)


@contextmanager
def stopped_anywhere(phase: str = "") -> Iterator[None]:
    """Stop code inside that calls no `checkpoint`; only for code that may be left at any point and is then discarded.

    In threads, and on systems without such a timer, the code runs to its end.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGVTALRM, lambda number, frame: checkpoint(phase))
    signal.setitimer(signal.ITIMER_VIRTUAL, POLL_INTERVAL_S, POLL_INTERVAL_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        signal.signal(signal.SIGVTALRM, before)


@contextmanager
def _stopped_by_ctrl_c(watch: _Watch) -> Iterator[None]:
    """Request a stop of a watch at the first Ctrl-C; only the main thread receives signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def request_stop(number: int, frame: object) -> None:
        if watch.stop_requested.is_set():
            raise KeyboardInterrupt
        watch.stop_requested.set()
        watch.report("stopping: the solution found so far is checked and written; press Ctrl-C again to end at once")

    before = signal.signal(signal.SIGINT, request_stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def quietly() -> Iterator[None]:
    """Keep the last progress line, because the code inside is a small part of that phase."""
    outer = _WATCH.get()
    token = _WATCH.set(replace(outer, report=_silent) if outer else None)
    try:
        yield
    finally:
        _WATCH.reset(token)


def checkpoint(phase: str = "", done: int | None = None, of: int | None = None) -> None:
    """Report the progress of a loop, and end it after the deadline.

    Parameters
    ----------
    phase
        Name of the phase; nothing is reported if it is empty.
    done, of
        Iterations done so far, and their largest number.

    Raises
    ------
    StoppedError
        If the deadline has passed, or a stop was requested.
    """
    watch = _WATCH.get()
    if watch is None:
        return
    now = time.perf_counter()
    if phase and now - watch.reported_at[0] >= REPORT_INTERVAL_S:
        phase = phase if isinstance(phase, Text) else Text(phase)
        if done is None:
            tell(phase)
        elif of is None:
            tell(_("{phase} {done:,}", phase=phase, done=done))
        else:
            tell(_("{phase} {done:,} of {of:,}", phase=phase, done=done, of=of))
    if reason := is_over():
        raise StoppedError(reason)


def tell(line: str) -> None:
    """Report a line, however little time has passed since the last one."""
    if watch := _WATCH.get():
        watch.reported_at[0] = time.perf_counter()
        LOGGER.debug(line)
        watch.report(line)


def seconds_left() -> float:
    """Return the time until the deadline, infinite without one and at least `LEAST_SOLVER_TIME_S` [s]."""
    watch = _WATCH.get()
    return max(watch.deadline - time.perf_counter(), LEAST_SOLVER_TIME_S) if watch else math.inf


def is_over() -> str:
    """Return the reason to stop, ``interrupted`` or ``time_limit``; empty if there is none."""
    watch = _WATCH.get()
    if watch is None:
        return ""
    return (
        "interrupted" if watch.stop_requested.is_set() else "time_limit" if time.perf_counter() > watch.deadline else ""
    )


def ask_to_stop() -> bool:
    """Request a stop that keeps the solution found so far; return False without a watch or at a second request."""
    watch = _WATCH.get()
    if watch is None or watch.stop_requested.is_set():
        return False
    watch.stop_requested.set()
    return True
