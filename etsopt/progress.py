"""How far a long computation is, and when it has to stop: one deadline for a command, asked by all that loops.

Whoever runs a command says `watched`; every loop of every model and method says `checkpoint` at each turn, and the
solver takes `seconds_left`. So the deadline need not be handed through each function between the two.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from etsopt.errors import StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LEAST_S = 1e-2
"""What a call of the solver may take at least, however late it is [s]."""

BETWEEN_S = 0.1
"""How often a loop is told of at most [s]."""

ANYWHERE_S = 0.5
"""How often what says no `checkpoint` is asked whether time is up, in seconds of its own CPU time."""


def _silent(line: str) -> None:
    """Take progress nowhere."""


@dataclass(frozen=True)
class _Watch:
    """A deadline, who is told of progress and was told when, and whether somebody asked to stop."""

    deadline: float = math.inf
    tell: Callable[[str], None] = _silent
    stop: threading.Event = field(default_factory=threading.Event)
    told: list[float] = field(default_factory=lambda: [-math.inf])


_WATCH: ContextVar[_Watch | None] = ContextVar("watch", default=None)


@contextmanager
def watched(time_limit_s: float | None = None, tell: Callable[[str], None] | None = None) -> Iterator[None]:
    """Give what runs inside so many seconds from now on, and let Ctrl-C stop it.

    The first Ctrl-C asks to stop, so that what is held is kept; the second stops at once. Inside another `watched` the
    earlier deadline counts.

    Parameters
    ----------
    time_limit_s
        None for no limit [s].
    tell
        Takes lines that say what is being done; None for who is told already.
    """
    around = _WATCH.get()
    watch = around or _Watch()
    deadline = math.inf if time_limit_s is None else time.perf_counter() + time_limit_s
    watch = replace(watch, deadline=min(deadline, watch.deadline), tell=tell or watch.tell)
    token = _WATCH.set(watch)
    try:
        with nullcontext() if around else _stopped_by_ctrl_c(watch):
            yield
    finally:
        _WATCH.reset(token)


@contextmanager
def unlimited() -> Iterator[None]:
    """Let what runs inside, such as tables and checks of what is held, take its time."""
    around = _WATCH.get()
    token = _WATCH.set(_Watch(tell=around.tell) if around else None)
    try:
        yield
    finally:
        _WATCH.reset(token)


@contextmanager
def stopped_anywhere(phase: str = "") -> Iterator[None]:
    """Stop what runs inside though it says no `checkpoint`: only for what may be left at any point and is thrown away.

    Where the system has no such timer, and in threads, it runs to its end.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGVTALRM, lambda number, frame: checkpoint(phase))
    signal.setitimer(signal.ITIMER_VIRTUAL, ANYWHERE_S, ANYWHERE_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        signal.signal(signal.SIGVTALRM, before)


@contextmanager
def _stopped_by_ctrl_c(watch: _Watch) -> Iterator[None]:
    """Ask a watch to stop at the first Ctrl-C; signals reach the main thread alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def asked(number: int, frame: object) -> None:
        if watch.stop.is_set():
            raise KeyboardInterrupt
        watch.stop.set()
        watch.tell("stopping: what is held is checked and written; Ctrl-C again ends at once")

    before = signal.signal(signal.SIGINT, asked)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def quietly() -> Iterator[None]:
    """Leave the last line where it is: what runs inside is a small part of what that says."""
    around = _WATCH.get()
    token = _WATCH.set(replace(around, tell=_silent) if around else None)
    try:
        yield
    finally:
        _WATCH.reset(token)


def checkpoint(phase: str = "", done: int | None = None, of: int | None = None) -> None:
    """Say where a loop is, and end it where time is up.

    Parameters
    ----------
    phase
        What is being done, in a few words; nothing is told where it is empty.
    done, of
        Turns done so far, and how many there are at most.

    Raises
    ------
    StoppedError
        If the deadline has passed, or somebody asked to stop.
    """
    watch = _WATCH.get()
    if watch is None:
        return
    now = time.perf_counter()
    if phase and now - watch.told[0] >= BETWEEN_S:
        count = "" if done is None else f" {done:,}" if of is None else f" {done:,} of {of:,}"
        tell(f"{phase}{count}")
    if reason := is_over():
        raise StoppedError(reason)


def tell(line: str) -> None:
    """Say what is being done, however little time has passed since the last line."""
    if watch := _WATCH.get():
        watch.told[0] = time.perf_counter()
        watch.tell(line)


def seconds_left() -> float:
    """Seconds until the deadline, infinite where there is none, and never less than a call of the solver needs."""
    watch = _WATCH.get()
    return max(watch.deadline - time.perf_counter(), LEAST_S) if watch else math.inf


def is_over() -> str:
    """Why what runs has to stop, `interrupted` or `time_limit`; empty where it has not."""
    watch = _WATCH.get()
    if watch is None:
        return ""
    return "interrupted" if watch.stop.is_set() else "time_limit" if time.perf_counter() > watch.deadline else ""


def ask_to_stop() -> bool:
    """Ask what runs to stop and keep what it holds; whether it can be asked, and was not asked before."""
    watch = _WATCH.get()
    if watch is None or watch.stop.is_set():
        return False
    watch.stop.set()
    return True
