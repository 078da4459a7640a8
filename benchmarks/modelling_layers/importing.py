"""Importing and stamping 1,500 units against importing Pyomo, both as whole processes."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys

from benchmarks import reporting

IMPORT = "import highspy, numpy, pyomo.environ"

STAMP = """
import highspy, pickle, sys
from etsopt.stamp.stamped import build_program
from etsopt_models.allocation import formulate
with open(sys.argv[1], "rb") as file:
    build_program(formulate(), pickle.load(file))
"""


def stamping_over_importing(path: str, repetitions: int) -> dict[str, float]:
    """Median CPU seconds of both processes, in turn, and the median of their ratios; `path` has the data."""
    pairs = [(cpu_seconds(STAMP, path), cpu_seconds(IMPORT)) for _ in range(repetitions)]
    return {
        "stamping_s": statistics.median(stamping for stamping, _ in pairs),
        "importing_s": statistics.median(importing for _, importing in pairs),
        "ratio": statistics.median(stamping / importing for stamping, importing in pairs),
    }


def cpu_seconds(code: str, *arguments: str) -> float:
    """CPU seconds, user and system, of one process."""
    environment = os.environ | {"PYTHONPATH": reporting.python_path()}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, env=environment, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
