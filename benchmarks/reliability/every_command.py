"""Commands of etsopt as users type them, and the runs that some of them need, created once per process."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.reliability.bad_input import in_memory
from benchmarks.reporting import python_path

if TYPE_CHECKING:
    from collections.abc import Sequence

SETTLED = ["--model", "compliance", "--set", "market.prices_cny_per_t=80", "--set", "sectors={}"]

COMMANDS: tuple[list[str], ...] = (
    ["--help"],
    ["models"],
    ["rules", "cn-2025"],
    ["instances", "--json"],
    ["validate", "cn-2025"],
    ["generate", "--units", "20", "--measures", "3", "--out", "made"],
    ["solve", "tiny", "--out", "written"],
    ["solve", "tiny", "--mps", "program.mps", "--json"],
    ["solve", "tiny", *SETTLED],
    ["check", "run"],
    ["compare", "run", "tightened"],
    ["report", "settled"],
)
"""Commands that exit with 0 in a folder of `folder`."""


@functools.cache
def runs() -> Path:
    """Return a folder with three runs."""
    place = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    in_memory(["solve", "tiny", "--out", str(place / "run")])
    in_memory(["solve", "tiny", "--set", "sectors.cement.target_change=-0.01", "--out", str(place / "tightened")])
    in_memory(["solve", "tiny", *SETTLED, "--out", str(place / "settled")])
    return place


def run(python: Sequence[str], arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a command beside copies of the runs, in a process with options of Python."""
    with tempfile.TemporaryDirectory() as place:
        shutil.copytree(runs(), place, dirs_exist_ok=True)
        return subprocess.run(
            [sys.executable, *python, *arguments],
            cwd=place,
            env=os.environ | {"PYTHONPATH": python_path()},
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
