"""Helpers of all measurements: separate processes, description of the machine, tables for the README."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etsopt.common.clock import time_in_utc

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent


def child(module: str, *arguments: str, timeout_s: float | None = None, python: str = sys.executable) -> dict[str, Any]:
    """Run a module in a separate process and return the JSON of its last line; a failure is its `status`.

    The caller must stay small: on Linux a process inherits the peak memory of its parent.
    """
    environment = os.environ | {"PYTHONPATH": python_path()}
    command = [python, "-m", module, *arguments]
    try:
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout_s)
    except subprocess.TimeoutExpired:
        return {"status": f"stopped after {timeout_s:g} s"}
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"ended with {done.returncode}, perhaps for want of memory"]
        return {"status": f"failed: {said[-1]}"}
    lines = done.stdout.strip().splitlines()
    return json.loads(lines[-1]) if lines else {}


def write_data(problem: str, firms: int, path: str) -> None:
    """Generate and write the data of a problem in a separate process."""
    answer = child("benchmarks.problems", problem, str(firms), path)
    if answer:
        raise RuntimeError(f"The data of {problem} could not be written: {answer['status']}")


def python_path() -> str:
    """Return the `PYTHONPATH` of this checkout, for an installed package or none."""
    return os.pathsep.join([str(ROOT), str(ROOT / "models"), *filter(None, [os.environ.get("PYTHONPATH")])])


def machine() -> dict[str, Any]:
    """Return the hardware, the system and the date."""
    cpu = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        named = [line for line in information.read_text().splitlines() if line.startswith("model name")]
        cpu = named[0].partition(":")[2].strip() if named else cpu
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gib": round(memory),
        "system": platform.system(),
        "date": time_in_utc().date().isoformat(),
    }


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of Python and of the installed packages among those named."""
    found = {"python": platform.python_version()}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def provenance(found: dict[str, Any], names: dict[str, str]) -> str:
    """Return machine and versions as two sentences."""
    listed = ", ".join(f"{name} {number}" for name, number in names.items())
    where = f"{found['cores']} shared cores {found['cpu']}, {found['memory_gib']} GiB"
    return f"Machine: {where}, {found['date']}. {listed[0].upper()}{listed[1:]}."


def table(head: Sequence[str], rows: Iterable[Sequence[str]], words: Sequence[str] = ()) -> str:
    """Return a Markdown table: the first column and those in `words` left-aligned, the others right-aligned."""
    ruler = ["---", *("---" if name in words else "---:" for name in head[1:])]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ruler, *rows))


def fill(section: str, text: str, path: Path = FOLDER / "README.md") -> None:
    """Replace the text between the marks of a section of a file, by default of ``benchmarks/README.md``."""
    begin, end = f"<!-- begin {section} -->", f"<!-- end {section} -->"
    before, _, rest = path.read_text(encoding="utf-8").partition(begin)
    _, _, after = rest.partition(end)
    path.write_text(f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}", encoding="utf-8")


def write_json(name: str, figures: Any) -> None:
    """Write raw figures beside the README."""
    (FOLDER / name).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
