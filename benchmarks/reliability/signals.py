"""Commands that are interrupted: by Ctrl-C, by SIGTERM, and by Ctrl-C again."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from benchmarks.reliability.commands import (
    NEW,
    NOTES,
    awaited,
    command,
    each_measured,
    ended,
    held,
    paused,
    save_old,
    see,
    see_next_works,
    started,
)
from benchmarks.reliability.row import Row
from etsopt.data.files.atomic_folder import LOCK, PART
from tests.hard import HARD_MODEL

if TYPE_CHECKING:
    from subprocess import Popen

    from benchmarks.reliability.row import Found

PHASES = ("load", "load", "solve", "write", "search", "twice")
"""Phases of the signal; ``search`` is within endless branch and bound, ``twice`` two signals within it."""

LONGEST_S = {"load": 1.2, "solve": 0.1, "write": 0.04, "search": 1.5, "twice": 1.5}
"""Approximate latest time of the signal after the begin of the phase [s]."""

WITHIN_S = 5.0

CODES = {signal.SIGINT: (130, -signal.SIGINT), signal.SIGTERM: (143, -signal.SIGTERM)}
"""Exit codes by signal: of the command, and of a process before or after it, as shells report them."""


def interrupted(number: int, folder: Path, found: Found) -> str:
    """Send a signal in a phase of a command, and check its end."""
    random, phase = Random(number), PHASES[number % len(PHASES)]
    sent = (signal.SIGINT, signal.SIGTERM)[number // len(PHASES) % 2]
    run, program, hard = folder / "run", folder / "program.mps", folder / "hard.py"
    save_old(run)
    searches = phase in ("search", "twice")
    hard.write_text(HARD_MODEL, encoding="utf-8")
    process = started("solve", "tiny", *(("--model", str(hard)) if searches else NEW), *_to(run, program))
    if phase != "load":
        awaited(process, *((run / LOCK, run / PART) if phase == "write" else (program,)))
    paused(random, LONGEST_S[phase])
    process.send_signal(sent)
    at = time.monotonic()
    if phase == "twice":
        paused(random, 0.1)
        process.send_signal(sent)
    code, _, errors = ended(process)
    seconds = time.monotonic() - at
    found.measured(f"seconds to the end, {'twice' if phase == 'twice' else 'once'}", seconds)
    see(seconds < WITHIN_S, f"{phase}: it ended {seconds:.1f} s after the signal")
    see(not _is_left(process), f"{phase}: a process of it is left")
    # Before any code of etsopt runs, Python ends by itself with a traceback.
    if phase == "load" and "Traceback" in errors and "etsopt/cli" not in errors:
        return _whole(run, "Python's own end while it starts")
    see("Traceback" not in errors, f"{phase}: {errors.strip()[-300:]}")
    see(code in (0, *CODES[sent]), f"{phase}: it ended with {code}: {errors.strip()[-300:]}")
    return _whole(run, "it had done its work" if code == 0 else "ended by the signal")


def _to(run: Path, program: Path) -> tuple[str, ...]:
    return "--out", str(run), "--mps", str(program)


def _is_left(process: Popen[str]) -> bool:
    """Return True if a process of the session of an ended one still runs."""
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True


def _whole(run: Path, outcome: str) -> str:
    """Check that a run is complete: the old one, the new one, or the incumbent; and that the next solve works."""
    code, said = command("check", str(run))
    see(code in (0, 6), f"the run does not check: {code}, {said.strip()[:300]}")
    interrupted = json.loads((run / "result.json").read_text(encoding="utf-8"))["termination"] == "interrupted"
    which = "what was held" if interrupted else f"the {held(run)} run"
    see((run / NOTES).read_text(encoding="utf-8") == "Mine.", "a file of the user's own has changed")
    see_next_works(run)
    return f"{outcome}; {which} is there"


ROWS = [
    Row(
        "C5",
        "Ctrl-C or SIGTERM at random moments of `etsopt solve --out`: while it loads, solves, searches and writes, and "
        "twice",
        "it ends within 5 s with 130 or 143, or with 0 where its work was done; no traceback but Python's own before "
        "any of ours runs, no process left; the old run, the new one or what was held is there; the next solve works",
        60,
        3,
        each_measured(interrupted),
        chunk=60,
    )
]
