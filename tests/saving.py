"""Kills while a run is saved over another; run as a program of its own, which may fork: ``python -m tests.saving``.

``steps N``: killed at every Nth call to the operating system that opens, makes, renames, removes or synchronises.
``random N``: killed by a signal at N random moments. ``full N``: N limits on the size of a file, each smaller than what
is to be written. ``readers``: read while two processes save in turn. Each prints what it saw as JSON.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import etsopt
from etsopt.data.files.atomic_folder import HIDDEN_NAMES
from etsopt.running.results.results import Results, load_both

STEPS = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.fsync")
SEED = 10


class Runs:
    """Two runs of every table that differ in all of them, and in their instances."""

    def __init__(self) -> None:
        tiny = etsopt.read("tiny")
        self.instances = [tiny, tiny.with_policy({"sectors.cement.target_change": -0.01})]
        self.results = [etsopt.solve(instance) for instance in self.instances]

    def save(self, which: int, folder: Path) -> None:
        self.results[which].save(folder, self.instances[which])

    def found(self, folder: Path) -> str:
        """Which of the two runs a folder holds, whole; or what else."""
        try:
            read, instance = load_both(folder)
        except etsopt.EtsoptError as error:
            return f"{type(error).__name__}: {error}"
        same = [number for number, run in enumerate(self.results) if _is_same(read, run)]
        whole = len(same) == 1 and instance.hash == self.instances[same[0]].hash
        return ("old", "new")[same[0]] if whole else f"a mixture of {same}"


def _is_same(one: Results, other: Results) -> bool:
    return one.tables.keys() == other.tables.keys() and all(
        table.astype(object).equals(other.tables[name].astype(object)) for name, table in one.tables.items()
    )


def forked(work: Callable[[], Any]) -> int:
    """Run work in a child; its process id."""
    with warnings.catch_warnings():
        # Threads of the solver or of numpy may be there; the child makes none and needs none of them.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return child


def killed_at(step: int, work: Callable[[], Any]) -> None:
    """Do work until a step is about to happen, and end there without any clearing up."""
    left = [step]

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in STEPS:
            left[0] -= 1
            if left[0] < 0:
                os._exit(9)

    sys.addaudithook(hook)
    # A process that is killed loses nothing that the system holds: that needs no disk, which takes most of the time.
    os.fsync = lambda fd: hook("os.fsync", ())
    work()


def steps(runs: Runs, folder: Path, stride: int = 1) -> Any:
    """Kill a save at each of its steps; what is there afterwards, and what the next save leaves."""
    os.fsync = lambda fd: None
    found, left = Counter[str](), set[str]()
    for step in range(0, 1000, stride):
        shutil.rmtree(folder, ignore_errors=True)
        runs.save(0, folder)
        (folder / "notes.txt").write_text("Mine.", encoding="utf-8")
        _, status = os.waitpid(forked(partial(killed_at, step, partial(runs.save, 1, folder))), 0)
        found[runs.found(folder)] += 1
        if (folder / "notes.txt").read_text(encoding="utf-8") != "Mine.":
            found["notes lost"] += 1
        runs.save(1, folder)
        left |= {path.name for path in folder.iterdir()}
        if os.waitstatus_to_exitcode(status) == 0:
            return {"found": found, "steps": step, "left": sorted(left), "at_last": runs.found(folder)}
    raise AssertionError("a save has no end")


def kills(runs: Runs, folder: Path, count: int) -> Any:
    """Kill processes that save in turn at random moments."""
    found, chance, hidden = Counter[str](), random.Random(SEED), Counter[str]()
    runs.save(0, folder)

    def forever() -> None:
        which = 0
        while True:
            which = 1 - which
            runs.save(which, folder)

    for _ in range(count):
        child = forked(forever)
        time.sleep(chance.uniform(0.01, 0.15))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        hidden.update(path.name for path in folder.iterdir() if path.name in HIDDEN_NAMES)
        found[runs.found(folder)] += 1
    return {"found": found, "left_by_kills": hidden}


def full(runs: Runs, folder: Path, count: int) -> Any:
    """Save under limits on the size of a file."""
    runs.save(0, folder)
    chance = random.Random(SEED)
    largest = max(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    found = Counter[str]()
    for _ in range(count):
        size = chance.randrange(largest)

        def work(size: int = size) -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
            try:
                runs.save(1, folder)
            except OSError as error:
                # The file in its place is named, and nothing hidden.
                if not any(name in str(error.filename) for name in HIDDEN_NAMES) and str(folder) in str(error.filename):
                    raise

        status = os.waitstatus_to_exitcode(os.waitpid(forked(work), 0)[1])
        hidden = any(path.name in HIDDEN_NAMES for path in folder.iterdir())
        found[f"{runs.found(folder)}, {'named' if status else 'not named'}{', hidden parts' if hidden else ''}"] += 1
    return {"found": found}


def readers(runs: Runs, folder: Path, count: int) -> Any:
    """Read while two processes save to the same folder."""
    runs.save(0, folder)

    def forever(which: int) -> None:
        while True:
            runs.save(which, folder)

    writers = [forked(partial(forever, which)) for which in (0, 1)]
    found = Counter(runs.found(folder) for _ in range(count))
    for writer in writers:
        os.kill(writer, signal.SIGKILL)
        os.waitpid(writer, 0)
    return {"found": found, "at_last": runs.found(folder)}


if __name__ == "__main__":
    what, where, *number = sys.argv[1:]
    works: dict[str, Callable[..., Any]] = {"steps": steps, "random": kills, "full": full, "readers": readers}
    print(json.dumps(works[what](Runs(), Path(where), *map(int, number))))
