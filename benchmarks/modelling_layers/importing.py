"""Import and compile 1,500 units, against imports of Pyomo and its companions alone, as whole processes."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys

from benchmarks import reporting

COMPILE = """
import pickle, sys
from benchmarks.problems.abatement import formulate
from etsopt.modelling.compiler.compiled import build_program
with open(sys.argv[1], "rb") as file:
    build_program(formulate(), pickle.load(file))
"""

# A model of the library has pandas with it, in which its instances and tables are.
COMPILE_OF_THE_LIBRARY = COMPILE.replace("benchmarks.problems.abatement", "etsopt_models.allocation")


def added_seconds(abatement: str, allocation: str, repetitions: int) -> dict[str, float]:
    """Return the median CPU time of whole processes in rotation [s]; `abatement` and `allocation` have the data."""
    codes = {
        "pyomo": ("import pyomo.environ",),
        "pyomo_and_numpy": ("import numpy, pyomo.environ",),
        "stamping": (COMPILE, abatement),
        "pyomo_numpy_and_pandas": ("import numpy, pandas, pyomo.environ",),
        "stamping_of_the_library": (COMPILE_OF_THE_LIBRARY, allocation),
    }
    found = [{name: cpu_seconds(*command) for name, command in codes.items()} for _ in range(repetitions)]
    return {name: statistics.median(run[name] for run in found) for name in codes}


def cpu_seconds(code: str, *arguments: str) -> float:
    """Return the CPU time of one process, user and system [s]."""
    environment = os.environ | {"PYTHONPATH": reporting.python_path()}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, env=environment, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
