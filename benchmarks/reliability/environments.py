"""Environments with another Python or other releases, created by `venv` and pip and kept in ``.cache``."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

from benchmarks.reporting import ROOT

FOLDER = ROOT / ".cache" / "environments"
PATIENCE_S = 900.0


def python_named(version: str) -> str | None:
    """Return the path of an interpreter by version, such as ``3.12``, that can create environments, or None."""
    program = f"python{version}"
    at = [shutil.which(program), *map(str, sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/{program}")))]
    for path in [*at, *(f"{folder}/{program}" for folder in ("/usr/bin", "/usr/local/bin"))]:
        if path and Path(path).exists() and _succeeds(path, "-c", "import ensurepip, venv"):
            return path
    return None


@cache
def environment(python: str = sys.executable, **pins: str) -> Path | None:
    """Return the interpreter of an environment with the requirements, some of them pinned, or None without one.

    The package itself is not installed: its checkout is on the path of the process, so that no range of its
    requirements refuses a pin.
    """
    stated = subprocess.run(
        [python, "-c", "import platform; print(platform.python_version())"], capture_output=True, text=True, check=True
    )
    name = "-".join([stated.stdout.strip(), *(f"{package}-{number}" for package, number in sorted(pins.items()))])
    made = FOLDER / name
    interpreter = made / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ready = made / "ready"
    if ready.exists():
        return interpreter
    shutil.rmtree(made, ignore_errors=True)
    made.parent.mkdir(parents=True, exist_ok=True)
    installs = (str(interpreter), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", *wanted(pins))
    if not (_succeeds(python, "-m", "venv", str(made)) and _succeeds(*installs)):
        shutil.rmtree(made, ignore_errors=True)
        return None
    ready.touch()
    return interpreter


def wanted(pins: dict[str, str]) -> list[str]:
    """Return the requirements of the package, with pins in place of ranges."""
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    others = [one for one in stated if re.split(r"[^\w-]", one)[0] not in pins]
    return [*others, *(f"{package}=={number}" for package, number in pins.items())]


def _succeeds(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=PATIENCE_S).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
