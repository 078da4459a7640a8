"""Helpers of rows on processes and run folders: commands in separate processes, and contents of folders."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.reliability.row import Found
from benchmarks.reporting import ROOT, python_path
from etsopt.cli import main
from etsopt.data.files.atomic_folder import HIDDEN_NAMES

if TYPE_CHECKING:
    from random import Random

NEW = ("--set", "sectors.cement.target_change=-0.01")
"""Change that makes the new run of ``tiny`` differ from the old one in every table and in its instance."""

NOTES = "notes.txt"
"""A user's file in a run folder, which no command may touch."""

MEMORY = Path("/dev/shm")
"""Folder in memory: a killed process loses no data held by the system, and a disk would take most of the time."""

MOST_S = 60.0
"""Upper limit of the time of any command here, also on a busy machine [s]."""

Trial = Callable[[int, Path], str]
"""Runs the trial of a number in an empty folder; returns the outcome or raises `WrongError`."""


class WrongError(Exception):
    """Forbidden outcome of a trial."""


def see(holds: bool, words: str) -> None:
    """Raise `WrongError` with a reason unless a condition holds."""
    if not holds:
        raise WrongError(words)


def each_measured(trial: Callable[[int, Path, Found], str]) -> Callable[[Iterable[int]], Found]:
    """Run trials in order, each with the collected outcomes for its figures; an error is a failure."""

    def work(numbers: Iterable[int]) -> Found:
        found = Found()
        for number in numbers:
            with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as place:
                try:
                    found.saw(trial(number, Path(place), found))
                except Exception as error:
                    said = str(error) if isinstance(error, WrongError) else f"{type(error).__name__}: {error}"
                    found.saw("failed")
                    found.failed(number, said)
        return found

    return work


def each(trial: Trial) -> Callable[[Iterable[int]], Found]:
    """Run trials in order; an error is a failure of its trial."""
    return each_measured(lambda number, folder, found: trial(number, folder))


def started(*arguments: str, limit: Callable[[], None] | None = None, before: str = "") -> subprocess.Popen[str]:
    """Start a command in a separate process and session.

    Parameters
    ----------
    limit
        Called in the process before Python begins, to limit its resources.
    before
        Python code to run in the process before the command.
    """
    code = f"import sys\n{before}\nfrom etsopt.__main__ import main\nsys.exit(main())"
    start = ["-c", code] if before else ["-m", "etsopt"]
    return subprocess.Popen(
        [sys.executable, *start, *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": python_path()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=limit,
        start_new_session=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Wait for a process; return its exit code and both streams."""
    try:
        out, errors = process.communicate(timeout=MOST_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise WrongError(f"it had not ended after {MOST_S:g} s") from None
    return process.returncode, out, errors


def command(*arguments: str) -> tuple[int, str]:
    """Run a command in this process; return its exit code and output."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = main(list(arguments))
    return code, said.getvalue()


def done(*arguments: str) -> None:
    """Run a command in this process that must succeed."""
    code, said = command(*arguments)
    see(code == 0, f"`etsopt {arguments[0]}` ended with {code}: {said.strip()[:300]}")


def awaited(process: subprocess.Popen[str], *paths: Path) -> None:
    """Wait until a process has created one of some files or has ended."""
    until = time.monotonic() + MOST_S
    while process.poll() is None and not any(path.exists() for path in paths):
        see(time.monotonic() < until, f"{paths[0].name} did not appear")
        time.sleep(0.0002)


def paused(random: Random, longest_s: float) -> None:
    """Wait for a random time."""
    time.sleep(random.uniform(0, longest_s))


def content(folder: Path) -> dict[str, Any]:
    """Return every file of a folder with its bytes, ``result.json`` without the seconds of the solve."""
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    found: dict[str, Any] = {name: held for name, held in files.items() if HIDDEN_NAMES.isdisjoint(Path(name).parts)}
    if "result.json" in found:
        found["result.json"] = json.loads(found["result.json"]) | {"seconds": {}}
    found.pop(NOTES, None)
    return found


def save_old(folder: Path, table_format: str = "csv") -> None:
    """Put the old run into a folder, with a user's file."""
    for name, held in _kept("old", table_format).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(held)
    (folder / NOTES).write_text("Mine.", encoding="utf-8")


@cache
def _kept(which: str, table_format: str) -> dict[str, bytes]:
    """Return the files of the old or the new run as an undisturbed command writes them."""
    with tempfile.TemporaryDirectory() as place:
        run = Path(place) / "run"
        done("solve", "tiny", *(NEW if which == "new" else ()), "--out", str(run), "--format", table_format)
        return {str(path.relative_to(run)): path.read_bytes() for path in run.rglob("*") if path.is_file()}


@cache
def undisturbed(which: str, table_format: str = "csv") -> dict[str, Any]:
    """Return the `content` of the old or the new run."""
    with tempfile.TemporaryDirectory() as place:
        for name, held in _kept(which, table_format).items():
            (Path(place) / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(place) / name).write_bytes(held)
        return content(Path(place))


def held(folder: Path, table_format: str = "csv") -> str:
    """Return the run of a folder after a disturbed command: ``old`` or ``new``, complete and valid.

    Raises
    ------
    WrongError
        If the folder holds neither, or differs in a byte from an undisturbed command.
    """
    done("check", str(folder))
    found = content(folder)
    same = [which for which in ("old", "new") if found == undisturbed(which, table_format)]
    see(len(same) == 1, f"the run is neither the old nor the new one: {sorted(found)}")
    see((folder / NOTES).read_text(encoding="utf-8") == "Mine.", "a file of the user's own has changed")
    return same[0]


def see_next_works(folder: Path, table_format: str = "csv") -> None:
    """Check that the next command writes the new run, and that no hidden file remains.

    Raises
    ------
    WrongError
        If one of these does not hold.
    """
    done("solve", "tiny", *NEW, "--out", str(folder), "--format", table_format)
    see(held(folder, table_format) == "new", "the next solve did not write its run")
    left = {path.name for path in folder.iterdir()} - {"tables", "instance", "result.json", NOTES}
    see(not left, f"left in the folder: {sorted(left)}")


def in_turn(*trials: Trial) -> Callable[[Iterable[int]], Found]:
    """Run trials of several kinds in turn, each with its own numbers from 0."""

    def trial(number: int, folder: Path) -> str:
        return trials[number % len(trials)](number // len(trials), folder)

    return each(trial)


solve_new = partial(started, "solve", "tiny", *NEW, "--out")
"""Start the command that replaces the old run by the new one."""
