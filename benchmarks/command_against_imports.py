"""CPU time of a whole `etsopt solve` relative to importing its dependencies, within one run.

Run ``python benchmarks/command_against_imports.py``; it writes nothing and prints a table for ``benchmarks/README.md``.
Each figure is the median over alternating runs in separate processes, bytecode cached.
"""

from __future__ import annotations

import argparse
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import etsopt
from etsopt.data.files.write import write_instance

# Every third-party module that a solve loads, listed by the solve itself, then imported by name in a bare process.
LIST_MODULES = """
import contextlib, io, sys
from etsopt.cli import main
with contextlib.redirect_stdout(io.StringIO()):
    main(["solve", sys.argv[1]])
own = ("etsopt", "etsopt_models", "__main__")
print(" ".join(m for m in sys.modules if m.split(".")[0] not in own and not m.startswith("_")))
"""

IMPORT_MODULES = """
import importlib, sys
for name in sys.argv[1].split():
    try:
        importlib.import_module(name)
    except ImportError:
        pass
"""


def cpu_seconds(*command: str) -> float:
    """Return the CPU time of one process and its children, user and system [s]."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(units: int, runs: int) -> tuple[float, float, float]:
    """Return the median CPU time of solve and imports [s], and the median of their ratios."""
    with tempfile.TemporaryDirectory() as folder:
        write_instance(etsopt.generate(units, seed=1), Path(folder) / "instance")
        source = str(Path(folder) / "instance")
        listed = subprocess.run(
            [sys.executable, "-c", LIST_MODULES, source], check=True, capture_output=True, text=True
        ).stdout
        pairs = [
            (cpu_seconds("-m", "etsopt", "solve", source), cpu_seconds("-c", IMPORT_MODULES, listed))
            for _ in range(runs)
        ]
    ratio = statistics.median(solve / imports for solve, imports in pairs)
    return statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs), ratio


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, nargs="+", default=[150, 1500, 5000, 15000])
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    names = ("pyomo", "highspy", "numpy", "pandas", "scipy", "pydantic")
    print(f"Python {platform.python_version()}, " + ", ".join(f"{name} {version(name)}" for name in names))
    print("| units | solve, CPU s | imports, CPU s | ratio |\n| ---: | ---: | ---: | ---: |")
    for units in options.units:
        solve, imports, ratio = measure(units, options.runs)
        print(f"| {units:,} | {solve:.2f} | {imports:.2f} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
