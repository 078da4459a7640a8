"""Sweeps whose workers, scheduler or coordinator are killed: every scenario has one outcome, with the same bytes."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from functools import cache
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from benchmarks.reliability.commands import MOST_S, awaited, done, each, ended, paused, see, started
from benchmarks.reliability.row import Row
from benchmarks.reporting import ROOT, python_path

if TYPE_CHECKING:
    from collections.abc import Sequence

SCENARIOS = 100
LASTS_S = 3.0
"""Approximate time of a sweep of them on two workers, from its first outcome on [s]."""

TABLES = ("scenarios.csv", "values.csv")
NOTICED_S = 15.0
"""Time within which a command notices that its scheduler has ended [s]."""


def sweep_file(folder: Path) -> Path:
    """Write a sweep of targets, of which every tenth is infeasible."""
    targets = [-0.5 if place % 10 == 9 else -place / 20_000 for place in range(SCENARIOS)]
    file = folder / "a.toml"
    file.write_text(f'instance = "tiny"\n[grid]\nsectors.cement.target_change = {targets}\n', encoding="utf-8")
    return file


@cache
def undisturbed() -> list[bytes]:
    """Return the tables of a sweep that nothing disturbs, in one process."""
    with tempfile.TemporaryDirectory() as place:
        done("sweep", str(sweep_file(Path(place))), "--workers", "1")
        return tables(Path(place))


def tables(folder: Path) -> list[bytes]:
    return [(folder / "a" / name).read_bytes() for name in TABLES]


def outcomes(folder: Path) -> list[tuple[Any, ...]]:
    """Return the outcomes in the record, with the seconds of each, by which one that is solved again is told."""
    record = folder / "a" / "sweep.sqlite"
    try:
        with closing(sqlite3.connect(f"file:{record}?mode=ro", uri=True)) as read:
            return list(read.execute("SELECT * FROM outcomes ORDER BY number"))
    except sqlite3.OperationalError:
        # The record is not there, or has no tables yet.
        return []


def begun(process: subprocess.Popen[str], folder: Path) -> None:
    """Wait until a sweep has its first outcomes, or has ended."""
    awaited(process, folder / "a" / "sweep.sqlite")
    until = time.monotonic() + MOST_S
    while process.poll() is None and not outcomes(folder):
        see(time.monotonic() < until, "no outcome came")
        time.sleep(0.01)


def see_whole(folder: Path) -> None:
    """Check that the tables are those of a sweep that nothing disturbed."""
    for name, found, wanted in zip(TABLES, tables(folder), undisturbed(), strict=True):
        see(found == wanted, f"{name} differs from that of an undisturbed sweep")


def children(process: subprocess.Popen[str]) -> list[int]:
    """Return the worker processes of a command with a local cluster."""
    import psutil

    try:
        below = psutil.Process(process.pid).children(recursive=True)
        return [one.pid for one in below if any("spawn_main" in part for part in one.cmdline())]
    except psutil.Error:
        return []


def killed_workers(number: int, folder: Path) -> str:
    """Kill a worker, and often another one later; the command solves what it had on the others."""
    random, kills = Random(number), 0
    process = started("sweep", str(sweep_file(folder)), "--workers", "2")
    begun(process, folder)
    for _ in range(random.choice((1, 1, 2, 3))):
        paused(random, LASTS_S / 2)
        if process.poll() is None and (workers := children(process)):
            try:
                os.kill(random.choice(workers), signal.SIGKILL)
                kills += 1
            except ProcessLookupError:
                pass
    code, _, errors = ended(process)
    see(code == 0, f"it ended with {code}: {errors.strip()[:300]}")
    see_whole(folder)
    return "every outcome once, as in one process" if kills else "it had done its work"


def killed_scheduler(number: int, folder: Path) -> str:
    """Kill the scheduler of a cluster that runs by itself; the command says so, and the next one goes on."""
    random, file = Random(number), folder / "scheduler.json"
    cluster = [dask("scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", str(file), folder=folder)]
    awaited(cluster[0], file)
    worker = ("worker", "--scheduler-file", str(file), "--nthreads", "1", "--no-dashboard")
    cluster += [dask(*worker, folder=folder) for _ in range(2)]
    try:
        address = json.loads(file.read_text(encoding="utf-8"))["address"]
        process = started("sweep", str(sweep_file(folder)), "--scheduler", address)
        begun(process, folder)
        paused(random, LASTS_S)
        if process.poll() is not None:
            return "it had done its work"
        cluster[0].kill()
        before = time.monotonic()
        code, _, errors = ended(process)
        see(time.monotonic() - before < NOTICED_S, f"noticed after {time.monotonic() - before:.0f} s")
    finally:
        for one in cluster:
            one.kill()
            one.communicate()
    if code == 0:
        see_whole(folder)
        return "it had done its work"
    see(code == 4 and "have no outcome" in errors, f"it ended with {code}: {errors.strip()[:300]}")
    return resumed(folder, "the scheduler is missed, and the next command goes on")


def dask(*arguments: str, folder: Path) -> subprocess.Popen[str]:
    """Start a command of dask in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": python_path(), "PWD": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def killed_coordinator(number: int, folder: Path) -> str:
    """Kill the command itself, some times; what is in the record stays, and the last one completes it."""
    random = Random(number)
    arguments: Sequence[str] = ("sweep", str(sweep_file(folder)), "--workers", str(1 + number % 2))
    for kill in range(random.choice((1, 2, 3))):
        before = outcomes(folder)
        process = started(*arguments, *(("--resume",) if kill else ()))
        if number % 4:
            begun(process, folder)
        paused(random, LASTS_S / 3)
        workers = children(process)
        process.kill()
        process.communicate()
        see(outcomes(folder)[: len(before)] == before or not before, "outcomes of the record have changed")
        see_ended(workers)
    return resumed(folder, "what was kept stays, and the next command completes it")


def see_ended(processes: Sequence[int]) -> None:
    """Check that the workers of a coordinator that was killed end by themselves."""
    until = time.monotonic() + MOST_S
    while any(Path("/proc", str(one)).exists() for one in processes):
        see(time.monotonic() < until, "workers outlive their coordinator")
        time.sleep(0.05)


def resumed(folder: Path, words: str) -> str:
    """Go on with a record in one process, and check that nothing is lost or solved twice."""
    before = outcomes(folder)
    done("sweep", str(folder / "a.toml"), "--workers", "1", "--resume")
    after = {one[0]: one for one in outcomes(folder)}
    see(len(after) == SCENARIOS, f"{len(after)} of {SCENARIOS} scenarios have an outcome")
    see(all(after[one[0]] == one for one in before), "an outcome was solved twice")
    see_whole(folder)
    return words


def killed_cluster(number: int, folder: Path) -> str:
    """Kill workers, and at every fifth trial the scheduler."""
    return killed_scheduler(number, folder) if number % 5 == 4 else killed_workers(number, folder)


ROWS = [
    Row(
        "C9",
        "kill -9 of one to three workers of `etsopt sweep --workers 2`, and at every fifth trial of the scheduler of a "
        "cluster that runs by itself, at random moments of 100 scenarios",
        "with workers killed every scenario has its outcome once, in the bytes of one process; the end of a scheduler "
        "is noticed within 15 s, with exit code 4, and `--resume` completes the sweep to the same bytes",
        30,
        # The suite has tests of its own, of a worker and of a scheduler that is killed.
        0,
        each(killed_cluster),
        chunk=5,
        patience_s=900.0,
    ),
    Row(
        "C12",
        "kill -9 of `etsopt sweep` itself, with one process and with two workers, one to three times in a sweep",
        "no outcome in the record changes, workers end, and `--resume` completes it to the bytes of a sweep that "
        "nothing disturbed, with nothing solved twice",
        20,
        1,
        each(killed_coordinator),
        chunk=5,
        patience_s=900.0,
    ),
]
