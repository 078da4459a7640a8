"""Bad input to `etsopt validate`: refused with exactly the wrong files, rows, columns and values."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from benchmarks.reliability import bad_files, bad_policies
from benchmarks.reliability.bad_cells import DEFECTS
from benchmarks.reliability.folders import valid_folder
from benchmarks.reliability.limits import within
from benchmarks.reliability.row import Found
from benchmarks.reporting import ROOT
from etsopt.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterable

# Importing these modules registers their defects.
OF_FILES, OF_POLICIES = bad_files, bad_policies

VARIANTS = 10
CPU_S, MIB = 5.0, 512.0


def refusals(numbers: Iterable[int]) -> Found:
    """Plant one defect in each folder; trial ``n`` plants the defect ``n`` modulo their number."""
    found, names = Found(), [*DEFECTS]
    for number in numbers:
        name, variant = names[number % len(names)], number // len(names)
        random = Random(number)
        folder = valid_folder(random)
        told = DEFECTS[name](folder, random)
        # Each defect runs once in a separate process.
        alone = variant % VARIANTS == number % len(names) % VARIANTS
        with tempfile.TemporaryDirectory() as place, within(found, number, CPU_S, MIB):
            path = Path(place) / "plant"
            folder.write(path)
            code, out, errors = (in_process if alone else in_memory)(["validate", str(path), *folder.arguments])
        found.saw("refused, in a process of its own" if alone else "refused")
        if wrong := difference(code, out, errors, told):
            found.failed(number, f"{name}: {wrong}")
    return found


def in_memory(arguments: list[str]) -> tuple[int, str, str]:
    """Run a command in this process; return its exit code and output."""
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        try:
            code = main(arguments)
        except SystemExit as ended:
            code = int(ended.code or 0)
    return code, out.getvalue(), errors.getvalue()


def in_process(arguments: list[str]) -> tuple[int, str, str]:
    """Run a command in a separate process; return its exit code and output."""
    command = [sys.executable, "-X", "utf8", "-m", "etsopt", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)
    return done.returncode, done.stdout, done.stderr


def difference(code: int, out: str, errors: str, told: list[str]) -> str:
    """Return the difference from a refusal with exactly these problems; … matches any text."""
    if (code, out) != (2, ""):
        return f"exit {code}, {out or errors!r}"
    if "Traceback" in errors:
        return errors
    if told[0].startswith("--set"):
        return "" if errors.startswith(told[0]) else errors
    heading = "has a problem." if len(told) == 1 else f"has {len(told)} problems."
    if heading not in errors.partition("\n")[0]:
        return f"not {heading}: {errors}"
    for problem in told:
        place = 0
        for part in problem.split("…"):
            place = errors.find(part, place)
            if place < 0:
                return f"{problem!r} is not told: {errors}"
    return ""
