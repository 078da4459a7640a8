"""Commands to which the system refuses resources: disk space, a folder, the disk, memory."""

from __future__ import annotations

import atexit
import contextlib
import os
import resource
import shutil
import subprocess
import tempfile
import time
from functools import cache, partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from benchmarks.reliability.commands import (
    MOST_S,
    WrongError,
    done,
    each,
    ended,
    held,
    in_turn,
    save_old,
    see,
    see_next_works,
    solve_new,
    started,
)
from benchmarks.reliability.row import Row
from etsopt.data.files.atomic_folder import HIDDEN_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOM = 1 << 20
"""More bytes than two runs need."""

SYNCHRONISED = 17
"""Number of calls of a save that synchronise files or folders with the disk."""

BROKEN_FSYNC = """
import errno, os
left, whole = [{number}], os.fsync
def fsync(handle):
    left[0] -= 1
    if left[0] == -1:
        raise OSError(errno.EIO, os.strerror(errno.EIO))
    whole(handle)
os.fsync = fsync
"""
"""Code that lets the disk fail once, at one of the synchronising calls."""

NATIVE = {1: "OpenBLAS error: Memory allocation", -6: "std::bad_alloc", -11: "", 130: "OpenBLAS"}
"""Exit codes and messages of native code that ends a process out of memory before etsopt can report it."""

HEARD_S = 10.0
"""Time within which a signal ends Python code [s]."""

UNITS = 20_000


def see_refused(run: Path, code: int, errors: str) -> None:
    """Check that a command exited with 2 and named a file."""
    see(code == 2, f"it ended with {code}: {errors.strip()[-300:]}")
    see("Traceback" not in errors, errors.strip()[-300:])
    see(
        str(run) in errors and not any(name in errors for name in HIDDEN_NAMES),
        f"no file is named: {errors.strip()[-300:]}",
    )


def limited_size(number: int, folder: Path) -> str:
    """Limit the size of files to less than the largest of the new run."""
    run = folder / "run"
    save_old(run)
    size = Random(number).randrange(5000)
    code, _, errors = ended(solve_new(str(run), limit=partial(resource.setrlimit, resource.RLIMIT_FSIZE, (size, size))))
    see_refused(run, code, errors)
    which = held(run)
    see(which == "old", "the old run has gone")
    see_next_works(run)
    return "refused, and the old run is there"


@contextlib.contextmanager
def mounted(folder: Path, *options: str) -> Iterator[bool]:
    """Mount a file system at a folder; return True if the system allows it."""
    allowed = subprocess.run(["mount", *options, str(folder)], capture_output=True).returncode == 0
    try:
        yield allowed
    finally:
        if allowed:
            subprocess.run(["umount", str(folder)], check=True)


def full_disk(number: int, folder: Path) -> str:
    """Write to a disk with space for the old run and a part of the new one."""
    run = folder / "run"
    run.mkdir()
    with mounted(run, "-t", "tmpfs", "-o", f"size={ROOM}", "none") as allowed:
        if not allowed:
            return "not tried: nothing may be mounted here"
        save_old(run)
        about = os.statvfs(run)
        blocks = about.f_blocks - about.f_bfree + Random(number).randrange(1, 10)
        subprocess.run(["mount", "-o", f"remount,size={blocks * about.f_frsize}", str(run)], check=True)
        code, _, errors = ended(solve_new(str(run)))
        see_refused(run, code, errors)
        see(held(run) == "old", "the old run has gone")
        subprocess.run(["mount", "-o", f"remount,size={ROOM}", str(run)], check=True)
        see_next_works(run)
    return "refused, and the old run is there"


def read_only(number: int, folder: Path) -> str:
    """Write to a read-only folder."""
    run = folder / "run"
    save_old(run)
    with mounted(run, "--bind", str(run)) as allowed:
        if allowed:
            subprocess.run(["mount", "-o", "remount,bind,ro", str(run)], check=True)
        else:
            run.chmod(0o555)
        if os.access(run, os.W_OK):
            return "not tried: every folder may be written to here"
        code, _, errors = ended(solve_new(str(run)))
        see_refused(run, code, errors)
        see(held(run) == "old", "the old run has gone")
    run.chmod(0o755)
    see_next_works(run)
    return "refused, and the old run is there"


def broken_disk(number: int, folder: Path) -> str:
    """Let the disk fail once while files are synchronised; once in place, the new run must remain."""
    run = folder / "run"
    save_old(run)
    before = BROKEN_FSYNC.format(number=Random(number).randrange(SYNCHRONISED))
    code, _, errors = ended(solve_new(str(run), before=before))
    see_refused(run, code, errors)
    which = held(run)
    see_next_works(run)
    return f"refused, and the {which} run is there"


@cache
def _many_units() -> Path:
    """Return a generated instance that takes more memory to solve than to load."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    done("generate", "--units", str(UNITS), "--measures", "4", "--out", str(folder))
    return folder


def never_ends(process: subprocess.Popen[str]) -> bool:
    """Return True if a process ignores signals and must be killed; Python code would end at a signal.

    CPython allocates a number to unwind a frame; without memory for it, it unwinds forever (3.11, `ceval.c`).
    """
    until = time.monotonic() + MOST_S
    while process.poll() is None and time.monotonic() < until:
        # The output is short, so that the pipe can buffer it.
        time.sleep(0.05)
    if process.poll() is not None:
        return False
    process.terminate()
    try:
        process.communicate(timeout=HEARD_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True
    raise WrongError(f"it had not ended after {MOST_S:g} s")


def little_memory(number: int, folder: Path) -> str:
    """Solve with too little memory: for loading the packages, or for reading, building and solving many units."""
    run, random = folder / "run", Random(number)
    save_old(run)
    loading = number % 2 == 0
    most = random.randrange(30, 420) if loading else random.randrange(400, 700)
    instance = "tiny" if loading else str(_many_units())
    limit = partial(resource.setrlimit, resource.RLIMIT_AS, (most << 20, most << 20))
    how = () if loading else ("--method", "direct")
    process = started("solve", instance, *how, "--out", str(run), limit=limit)
    if never_ends(process):
        see(held(run) == "old", "the old run has gone")
        see_next_works(run)
        return "Python itself never ended: it heard no signal"
    code, out, errors = ended(process)
    see("Traceback" not in errors, f"{most} MiB: {errors.strip()[-300:]}")
    if code == 0:
        done("check", str(run))
        return "it was enough"
    see(held(run) == "old", "the old run has gone")
    see_next_works(run)
    if code in NATIVE and NATIVE[code] in errors:
        return f"native code ended the process with {code}"
    see(code == 4 and "memory" in out + errors, f"{most} MiB: it ended with {code}: {(out + errors).strip()[-300:]}")
    return "a message, and exit code 4"


ROWS = [
    Row(
        "C2",
        "a limit on the size of files, a full disk, a folder that may only be read, a disk that fails while files are "
        "brought to it",
        "exit code 2 and a message that names the file; the old run is there, or the new one where only that it is in "
        "place could not be brought to the disk; the next solve works",
        30,
        4,
        in_turn(limited_size, full_disk, read_only, broken_disk),
    ),
    Row(
        "C6",
        "solves with too little memory, of 30 to 700 MiB",
        "a message and exit code 4, no traceback, the old run is there and the next solve works; native code and "
        "Python itself, where they end or hang before any of ours can tell, are counted",
        20,
        2,
        each(little_memory),
    ),
]
