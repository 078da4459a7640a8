"""Processes killed while they solve or write: the old or the new files remain, complete."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import etsopt
from benchmarks.reliability.commands import (
    awaited,
    content,
    done,
    held,
    in_turn,
    paused,
    save_old,
    see,
    see_next_works,
    solve_new,
)
from benchmarks.reliability.row import Row
from etsopt.data.files.atomic_folder import LOCK, PART
from etsopt.data.files.write import write_instance
from etsopt.modelling.solving.mps import write_mps
from etsopt.running import library
from etsopt.running.compiling import compiled_program
from tests.compliance_years import by_hand
from tests.saving import Runs, forked, killed_at

if TYPE_CHECKING:
    from etsopt.data.instance import Instance
    from etsopt.running.results.results import Results

LOADED_S, SOLVED_S, WRITTEN_S = 0.9, 0.1, 0.04
"""Approximate time of a command on ``tiny`` to load, solve and write [s]."""


@cache
def runs() -> Runs:
    """Return the old and the new run, solved in this process."""
    return Runs()


def save_new(folder: Path, table_format: str = "csv") -> None:
    """Save the new run over the content of a folder."""
    runs().results[1].save(folder, runs().instances[1], table_format)


@cache
def save_s() -> float:
    """Return the approximate time of a save [s]."""
    with tempfile.TemporaryDirectory() as place:
        began = time.monotonic()
        save_new(Path(place))
        return time.monotonic() - began


def killed_process(number: int, folder: Path) -> str:
    """Kill a whole command while it loads, solves or writes, in turn."""
    random = Random(number)
    run, program = folder / "run", folder / "program.mps"
    save_old(run)
    process = solve_new(str(run), "--mps", str(program))
    # The program is written just before the solve.
    phase = number % 3
    if phase:
        awaited(process, *((program,) if phase == 1 else (run / LOCK, run / PART)))
    paused(random, (LOADED_S, SOLVED_S, WRITTEN_S)[phase])
    process.kill()
    process.communicate()
    which = held(run)
    see_next_works(run)
    return f"the {which} run is there, whole"


def killed(random: Random, work: Callable[[], Any], seconds: float) -> None:
    """Kill work in a child at a random moment of its approximate duration."""
    child = forked(work)
    paused(random, 1.3 * seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def killed_save(number: int, folder: Path) -> str:
    """Kill a save at a random moment."""
    run = folder / "run"
    save_old(run)
    killed(Random(number), partial(save_new, run), save_s())
    which = held(run)
    see_next_works(run)
    return f"the {which} run is there, whole"


def killed_step(number: int, folder: Path) -> str:
    """Kill a save before the system call of a given number."""
    run = folder / "run"
    save_old(run)
    runs()
    _, status = os.waitpid(forked(partial(killed_at, number, partial(save_new, run))), 0)
    which = held(run)
    see_next_works(run)
    ended = os.waitstatus_to_exitcode(status) == 0
    see(not ended or which == "new", "a save that ended left the old run")
    return f"the {which} run is there, whole"


@dataclass(frozen=True)
class Target:
    """A file or folder written over an older one or into an empty place, with a test that it is complete.

    Attributes
    ----------
    prepare
        Creates the older content; None without.
    write
        Writes the new files over it.
    read
        Checks that the content can be read.
    """

    prepare: Callable[[Path], Any] | None
    write: Callable[[Path], Any]
    read: Callable[[Path], Any]


def cut_short(target: Target, number: int, folder: Path) -> str:
    """Kill a write at a random moment; the next write must work and leave only its files."""
    place = {}
    for name in ("old", "new", "tried"):
        place[name] = folder / name
        place[name].mkdir()
        if target.prepare:
            target.prepare(place[name])
    began = time.monotonic()
    target.write(place["new"])
    # A child takes longer: pages of memory that either process writes to are copied.
    killed(Random(number), partial(target.write, place["tried"]), 2 * (time.monotonic() - began))
    if target.prepare or content(place["tried"]):
        target.read(place["tried"])
    found = content(place["tried"])
    hidden = {name for name in found if "etsopt-" in name}
    whole = {name: held for name, held in found.items() if name not in hidden}
    same = [which for which in ("old", "new") if whole == content(place[which])]
    see(len(same) == 1, f"what is there is neither old nor new: {sorted(whole)}")
    if target.prepare or same == ["old"]:
        target.write(place["tried"])
    see(content(place["tried"]) == content(place["new"]), "the next write did not write the same files")
    left = {path.name for path in place["tried"].iterdir() if path.name.startswith(".")}
    see(not left, f"left in the folder: {sorted(left)}")
    return f"the {same[0]} one is there, whole" if target.prepare or same == ["new"] else "nothing is there yet"


@cache
def _settlement() -> tuple[Results, Instance]:
    return etsopt.solve(by_hand(), "compliance"), by_hand()


def _write_settlement(folder: Path) -> None:
    results, instance = _settlement()
    results.save(folder / "run", instance)
    (folder / "report.html").write_text("<!DOCTYPE html>\nold\n</html>\n", encoding="utf-8")


def _write_report(folder: Path) -> None:
    done("report", str(folder / "run"), "--out", str(folder / "report.html"))


def _ends_with(name: str, last: str, folder: Path) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    see(text.rstrip().endswith(last), f"{name} ends with {text[-40:]!r}")


def _write_program(which: int, folder: Path) -> None:
    model: Any = library.load("allocation")
    instance = runs().instances[which]
    write_mps(compiled_program(model, model.parameters(instance)), "change", folder / "program.mps")


def _generate(folder: Path) -> None:
    done("generate", "--units", "300", "--measures", "2", "--seed", "7", "--out", str(folder))


def _validate(folder: Path) -> None:
    done("validate", str(folder))


def _save_parquet(which: int, folder: Path) -> None:
    if which:
        save_new(folder, "parquet")
    else:
        save_old(folder, "parquet")


TARGETS = (
    Target(_write_settlement, _write_report, partial(_ends_with, "report.html", "</html>")),
    Target(
        lambda folder: write_instance(by_hand(), folder),
        lambda folder: write_instance(runs().instances[1], folder),
        _validate,
    ),
    Target(None, _generate, _validate),
    Target(partial(_write_program, 0), partial(_write_program, 1), partial(_ends_with, "program.mps", "ENDATA")),
    Target(partial(_save_parquet, 0), partial(_save_parquet, 1), lambda folder: done("check", str(folder))),
)
"""Reports, instances over others and into new folders, programs as MPS, and runs in Parquet."""

ROWS = [
    Row(
        "C1",
        "kill -9 of `etsopt solve --out` while it loads, solves and writes, of saves at random moments, and at each of "
        "their steps",
        "the old run or the new one is there, byte by byte as an undisturbed command writes it, and checks with 0; "
        "the next solve works and leaves nothing else",
        300,
        6,
        in_turn(killed_process, killed_save, killed_step),
        patience_s=1200,
    ),
    Row(
        "C3",
        "kill -9 while a report, an instance, a program in MPS or a run in Parquet is written",
        "what is there is the old one or the new one, byte by byte; the next write works and leaves nothing else",
        200,
        10,
        in_turn(*(partial(cut_short, target) for target in TARGETS)),
    ),
]
