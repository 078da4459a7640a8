"""Static analysis of the code, and every command with all warnings as errors."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.reliability.every_command import COMMANDS, run
from benchmarks.reliability.row import Found
from benchmarks.reporting import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

TOOLS = (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["lint-imports"], ["mypy"])
STRICT = ["-W", "error", "-X", "warn_default_encoding", "-m", "etsopt"]
COUNT = len(COMMANDS) + len(TOOLS)


def static_checks(numbers: Iterable[int]) -> Found:
    """Run each command without a warning, then each tool."""
    found = Found()
    for number in numbers:
        if number < len(COMMANDS):
            name, done = " ".join(COMMANDS[number][:1]), run(STRICT, COMMANDS[number])
            found.saw("command without a warning")
        else:
            tool = TOOLS[number - len(COMMANDS)]
            command = [str(Path(sys.executable).parent / tool[0]), *tool[1:]]
            name, done = tool[0], subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            found.saw("tool without an error")
        if done.returncode:
            found.failed(number, f"{name}: {done.stdout[-400:]}{done.stderr[-400:]}")
    return found
