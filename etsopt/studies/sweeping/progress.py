"""Outcomes as they come: where a sweep stands, told to the caller and to the logger, and outcomes in groups."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from etsopt.common.errors import StoppedError
from etsopt.common.language import _
from etsopt.common.progress import LOGGER, every, watched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from etsopt.common.language import Text
    from etsopt.studies.sweeping.outcome import Outcome

LOGGED_S = 30.0
"""Time between two lines of the logger ``etsopt`` on where a sweep stands [s]."""

MOST_KEPT, LONGEST_KEPT_S = 256, 1.0
"""Outcomes that are kept together at most, and seconds after which they are kept whatever their number."""


@dataclass(frozen=True)
class Progress:
    """Where a sweep stands.

    Parameters
    ----------
    done, of
        Scenarios solved in this run, and those that it has to solve.
    elapsed_s, left_s
        Seconds since its beginning, and to its end at the rate so far.
    last
        The outcome that has just come.
    """

    done: int
    of: int
    elapsed_s: float
    left_s: float
    last: Outcome

    @property
    def line(self) -> Text:
        """The number of scenarios that are solved, and how many in a second."""
        rate = self.done / self.elapsed_s if self.elapsed_s else 0.0
        text = _("{phase} {done:,} of {of:,}, {rate:,.1f} a second")
        return _(text, phase=_("scenarios"), done=self.done, of=self.of, rate=rate)

    def __str__(self) -> str:
        return str(self.line)


def collect(
    outcomes: Iterator[Outcome],
    of: int,
    receive: Callable[[list[Outcome]], None],
    progress: Callable[[Progress], None] | None = None,
    done: int = 0,
) -> str:
    """Pass outcomes on as they come, and return why they ended: ``optimal``, or what stopped them.

    Parameters
    ----------
    outcomes
        As the engine yields them.
    of, done
        Their number, and how many of them were there before.
    receive
        Receiver of some outcomes at a time; of the last ones too if they are stopped.
    progress
        Receiver of the progress after each outcome.
    """
    waiting: list[Outcome] = []
    received_at = 0.0
    try:
        with watched(), _logged(of, progress) as tell:
            for now in _timed(outcomes, of, done):
                waiting.append(now.last)
                if len(waiting) >= MOST_KEPT or now.elapsed_s - received_at > LONGEST_KEPT_S:
                    receive(waiting)
                    waiting, received_at = [], now.elapsed_s
                tell(now)
    except StoppedError as stopped:
        return stopped.termination
    finally:
        if waiting:
            receive(waiting)
    return "optimal"


def _timed(outcomes: Iterator[Outcome], of: int, done: int) -> Iterator[Progress]:
    """Yield each outcome with the time so far and the time left; some of them may be done before."""
    began = time.perf_counter()
    for count, outcome in enumerate(outcomes, 1):
        elapsed = time.perf_counter() - began
        yield Progress(done + count, of, elapsed, elapsed / count * (of - done - count), outcome)


@contextmanager
def _logged(of: int, progress: Callable[[Progress], None] | None) -> Iterator[Callable[[Progress], None]]:
    """Yield the receiver of progress that passes it on, and that the logger tells of now and then, and at the end."""
    last, failed, began = None, 0, time.perf_counter()

    def receive(now: Progress) -> None:
        nonlocal last, failed
        last, failed = now, failed + (not now.last.certified)
        if progress is not None:
            progress(now)

    def line() -> None:
        done, left = (last.done, f"{last.left_s:,.0f} s") if last else (0, "unknown")
        elapsed = time.perf_counter() - began
        LOGGER.info("scenarios %d of %d, %d without a proven answer, %.0f s, left: %s", done, of, failed, elapsed, left)

    try:
        with every(LOGGED_S, line):
            yield receive
    finally:
        line()
