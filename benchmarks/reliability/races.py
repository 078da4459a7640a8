"""Several processes that write to one run folder simultaneously, and one that reads it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

from benchmarks.reliability.commands import (
    MOST_S,
    ended,
    held,
    in_turn,
    save_old,
    see,
    see_next_works,
    solve_new,
    started,
)
from benchmarks.reliability.kills import runs
from benchmarks.reliability.row import Row
from etsopt.common.errors import UsageError
from etsopt.data.files import lock
from tests.saving import forked

REFUSED = 2
LATEST_S = 0.03
"""Latest start of a process after the first [s]."""

Ended = Callable[[], int | None]
"""Returns the exit code of a process, or None while it runs."""


def solves(number: int, folder: Path) -> str:
    """Run two commands that solve into one folder."""
    run = folder / "run"
    save_old(run)
    one = solve_new(str(run))
    time.sleep(Random(number).uniform(0, LATEST_S))
    other = started("solve", "tiny", "--out", str(run))
    _read_while([one.poll, other.poll], run)
    codes = []
    for code, _, errors in (ended(one), ended(other)):
        refused = code == REFUSED and "is being written by" in errors
        see(code == 0 or refused, f"it ended with {code}: {errors.strip()[-300:]}")
        codes.append(code)
    return _at_last(run, codes)


def saves(wait_s: float, number: int, folder: Path) -> str:
    """Run two or three processes that save into one folder.

    Parameters
    ----------
    wait_s
        Time for which each waits for another.
    """
    run, random = folder / "run", Random(number)
    save_old(run)
    delays = [random.uniform(0, LATEST_S) for _ in range(random.choice((2, 3)))]
    works = [partial(_save, which % 2, run, delay, wait_s) for which, delay in enumerate(delays)]
    runs()
    polls = [_ended(forked(work)) for work in works]
    _read_while(polls, run)
    codes = [poll() for poll in polls]
    see(set(codes) <= {0, REFUSED}, f"they ended with {codes}")
    see(not wait_s or set(codes) == {0}, "one was refused that would have waited")
    return _at_last(run, codes)


def _save(which: int, run: Path, delay_s: float, wait_s: float) -> None:
    """Save a run in a separate process, which exits with a particular code if refused."""
    lock.WAIT_S = wait_s
    time.sleep(delay_s)
    try:
        runs().save(which, run)
    except UsageError as error:
        os._exit(REFUSED if "is being written by" in str(error) else 1)


def _ended(child: int) -> Ended:
    codes: list[int] = []

    def poll() -> int | None:
        if not codes and (found := os.waitpid(child, os.WNOHANG))[0]:
            codes.append(os.waitstatus_to_exitcode(found[1]))
        return codes[0] if codes else None

    return poll


def _read_while(polls: list[Ended], run: Path) -> None:
    """Read a run repeatedly while processes write to it: it is always one of theirs, complete."""
    until = time.monotonic() + MOST_S
    while any(poll() is None for poll in polls):
        found = runs().found(run)
        see(found in ("old", "new"), f"who reads sees {found}")
        see(time.monotonic() < until, "they do not end")


def _at_last(run: Path, codes: list[int | None]) -> str:
    see(0 in codes, "all were refused")
    held(run)
    see_next_works(run)
    return "one was refused" if REFUSED in codes else "one after the other"


ROWS = [
    Row(
        "C8",
        "two `etsopt solve --out`, or two or three saves, into one folder at the same time, and one process that reads",
        "each waits for the other or is refused with 2; who reads sees one run, whole, and one is there at last",
        100,
        4,
        in_turn(solves, partial(saves, lock.WAIT_S), partial(saves, 0.0), partial(saves, 0.0)),
    )
]
