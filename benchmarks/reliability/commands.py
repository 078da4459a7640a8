"""What rows about processes and run folders share: commands in processes of their own, and what a folder holds."""

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
from etsopt.data.aside import HIDDEN_NAMES

if TYPE_CHECKING:
    from random import Random

NEW = ("--set", "sectors.cement.target_change=-0.01")
"""Makes the new run of ``tiny`` differ from the old one in every table, and in its instance."""

NOTES = "notes.txt"
"""A file of the user's own in a run folder, which nothing may touch."""

MEMORY = Path("/dev/shm")
"""A process that is killed loses nothing that the system holds: that needs no disk, which takes most of the time."""

MOST_S = 60.0
"""No command here takes longer, however busy the machine is."""

Trial = Callable[[int, Path], str]
"""Makes the trial of a number in an empty folder of its own; returns the outcome or raises what must not happen."""


class WrongError(Exception):
    """What must not happen in a trial."""


def see(holds: bool, words: str) -> None:
    """Let a trial fail, saying why, unless something holds."""
    if not holds:
        raise WrongError(words)


def each_measured(trial: Callable[[int, Path, Found], str]) -> Callable[[Iterable[int]], Found]:
    """Make one trial after the other, each with what was found, to keep figures in; what one raises is its failure."""

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
    """Make one trial after the other; whatever one raises is its failure."""
    return each_measured(lambda number, folder, found: trial(number, folder))


def started(*arguments: str, limit: Callable[[], None] | None = None, before: str = "") -> subprocess.Popen[str]:
    """Start a command in a process and a session of its own.

    Parameters
    ----------
    limit
        Called in the process before Python begins, to limit what it may take.
    before
        Python that is run in it before the command.
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
    """Exit code of a process and both of its streams, once it has ended."""
    try:
        out, errors = process.communicate(timeout=MOST_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise WrongError(f"it had not ended after {MOST_S:g} s") from None
    return process.returncode, out, errors


def command(*arguments: str) -> tuple[int, str]:
    """Exit code of a command that is run here, and what it says."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = main(list(arguments))
    return code, said.getvalue()


def done(*arguments: str) -> None:
    """Run a command here that has to end well."""
    code, said = command(*arguments)
    see(code == 0, f"`etsopt {arguments[0]}` ended with {code}: {said.strip()[:300]}")


def awaited(process: subprocess.Popen[str], *paths: Path) -> None:
    """Wait until a process has made one of some files, or has ended."""
    until = time.monotonic() + MOST_S
    while process.poll() is None and not any(path.exists() for path in paths):
        see(time.monotonic() < until, f"{paths[0].name} did not appear")
        time.sleep(0.0002)


def paused(random: Random, longest_s: float) -> None:
    """Let a random time pass."""
    time.sleep(random.uniform(0, longest_s))


def content(folder: Path) -> dict[str, Any]:
    """Every file in a folder with its bytes; of ``result.json`` all but the seconds that the solve took."""
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    found: dict[str, Any] = {name: held for name, held in files.items() if HIDDEN_NAMES.isdisjoint(Path(name).parts)}
    if "result.json" in found:
        found["result.json"] = json.loads(found["result.json"]) | {"seconds": {}}
    found.pop(NOTES, None)
    return found


def save_old(folder: Path, table_format: str = "csv") -> None:
    """Put the old run into a folder, with a file of the user's own."""
    for name, held in _kept("old", table_format).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(held)
    (folder / NOTES).write_text("Mine.", encoding="utf-8")


@cache
def _kept(which: str, table_format: str) -> dict[str, bytes]:
    """Files of the old or the new run as an undisturbed command writes them."""
    with tempfile.TemporaryDirectory() as place:
        run = Path(place) / "run"
        done("solve", "tiny", *(NEW if which == "new" else ()), "--out", str(run), "--format", table_format)
        return {str(path.relative_to(run)): path.read_bytes() for path in run.rglob("*") if path.is_file()}


@cache
def undisturbed(which: str, table_format: str = "csv") -> dict[str, Any]:
    """`content` of the old or the new run."""
    with tempfile.TemporaryDirectory() as place:
        for name, held in _kept(which, table_format).items():
            (Path(place) / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(place) / name).write_bytes(held)
        return content(Path(place))


def held(folder: Path, table_format: str = "csv") -> str:
    """Which run a folder holds after something happened to a command: ``old`` or ``new``, whole and valid.

    Raises
    ------
    WrongError
        If it holds neither, or not what an undisturbed command writes, byte by byte.
    """
    done("check", str(folder))
    found = content(folder)
    same = [which for which in ("old", "new") if found == undisturbed(which, table_format)]
    see(len(same) == 1, f"the run is neither the old nor the new one: {sorted(found)}")
    see((folder / NOTES).read_text(encoding="utf-8") == "Mine.", "a file of the user's own has changed")
    return same[0]


def see_next_works(folder: Path, table_format: str = "csv") -> None:
    """See that the next command writes the new run, and that nothing hidden is left beside it.

    Raises
    ------
    WrongError
        If one of it does not hold.
    """
    done("solve", "tiny", *NEW, "--out", str(folder), "--format", table_format)
    see(held(folder, table_format) == "new", "the next solve did not write its run")
    left = {path.name for path in folder.iterdir()} - {"tables", "instance", "result.json", NOTES}
    see(not left, f"left in the folder: {sorted(left)}")


def in_turn(*trials: Trial) -> Callable[[Iterable[int]], Found]:
    """Make trials of several kinds in turn, each with numbers of its own from 0 on."""

    def trial(number: int, folder: Path) -> str:
        return trials[number % len(trials)](number // len(trials), folder)

    return each(trial)


solve_new = partial(started, "solve", "tiny", *NEW, "--out")
"""Start the command that puts the new run in the place of the old one."""
