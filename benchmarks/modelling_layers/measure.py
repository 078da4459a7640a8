"""Measure one tool on one problem: ``python -m benchmarks.modelling_layers.measure TOOL PROBLEM FILE OPTIONS``.

Prints one line of JSON; `OPTIONS` are those of HiGHS as JSON, or ``null`` for no solve.
"""

from __future__ import annotations

import json
import pickle
import resource
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.modelling_layers import NotSolvedError, load
from benchmarks.problems import PROBLEMS, Problem
from etsopt.modelling.program.program import Program

MOST_MEMORY = 14 * 2**30


class Clock:
    """CPU time of each stage, over all threads of this process [s]."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = time.process_time()
        yield
        self.seconds[name] = time.process_time() - started


def measured(tool: str, problem: Problem, data: Mapping[str, Any], options: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return CPU time by stage [s], peak memory [MB], status, objective and relative infeasibility."""
    clock = Clock()
    with clock.stage("import"):
        layer = load(tool)
        if tool in ("reference", "stamped"):
            problem.module()
    with clock.stage("build"):
        built = layer.build(problem, data)
    with clock.stage("hand_over"):
        held = layer.hand_over(built, problem, options or {"output_flag": False})
    figures = {"seconds": clock.seconds, "peak_mb": peak_mb(), "status": "not solved"}
    # Reasons of a slow run: first access to memory, or a system slow to provide it.
    used = resource.getrusage(resource.RUSAGE_SELF)
    figures |= {"system_s": used.ru_stime, "page_faults": used.ru_minflt}
    # The product does this first. Here it comes second: otherwise hand-over would use memory already accessed.
    if hasattr(layer, "scale_and_gate"):
        with clock.stage("scale_and_gate"):
            layer.scale_and_gate(built, problem)
        figures["peak_gated_mb"] = peak_mb()
    if options is None:
        return figures
    try:
        with clock.stage("solve"):
            answer = layer.solve(held)
    except NotSolvedError as stopped:
        return figures | {"status": str(stopped)}
    with clock.stage("extract"):
        values = layer.extract(built, answer)
    figures |= {"status": "optimal", "peak_solved_mb": peak_mb()}
    # Checks use the arrays of the tool; for a tool without arrays, hand-made ones, not timed.
    program = built if isinstance(built, Program) else load("arrays").build(problem, data)
    with clock.stage("check"):
        figures |= check(program, problem.objective, values)
    return figures


def peak_mb() -> float:
    """Return the peak memory of this process so far [MB]."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def check(program: Program, objective: str, values: Mapping[str, Any]) -> dict[str, float]:
    """Return the objective at a point and its largest infeasibility, relative to limits above 1."""
    # Some tools do not pass a column without rows and cost; any value is then valid.
    x = np.array(program.column_lower, dtype=float)
    for name, block in program.columns.items():
        if values.get(name) is not None:
            x[block] = np.ravel(values[name])
    worst = 0.0
    for lower, upper, at in (
        (program.row_lower, program.row_upper, program.matrix @ x),
        (program.column_lower, program.column_upper, x),
    ):
        for limit, excess in ((lower, lower - at), (upper, at - upper)):
            finite = np.isfinite(limit)
            miss = excess[finite] / np.maximum(1.0, np.abs(limit[finite]))
            worst = max(worst, float(miss.max(initial=0.0)))
    return {"objective": program.objectives[objective].value(x), "infeasibility": worst}


def main() -> None:
    tool, problem, path, options = sys.argv[1:]
    # An error of this process is better than a swapping machine.
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    with Path(path).open("rb") as file:
        data = pickle.load(file)
    print(json.dumps(measured(tool, PROBLEMS[problem], data, json.loads(options))))


if __name__ == "__main__":
    main()
