"""Measure one setting on one program: ``python -m benchmarks.solver_settings.measure PROBLEM SETTING FILE LIMIT``.

Prints one line of JSON.
"""

from __future__ import annotations

import json
import math
import pickle
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.modelling_layers import handing
from benchmarks.modelling_layers.arrays import build
from benchmarks.modelling_layers.measure import check
from benchmarks.problems import PROBLEMS
from benchmarks.solver_settings import LINEAR, WHOLE
from etsopt.modelling.solving.highs import OWN_OPTIONS
from etsopt.modelling.solving.scaling import scale

if TYPE_CHECKING:
    from etsopt.modelling.program.program import Program

DOUBTFUL = (1e-11, 1e-7)
"""Two powers of ten on each side of the threshold below which the product treats a dual as zero."""


def measured(problem_name: str, program: Program, options: dict[str, Any]) -> dict[str, Any]:
    """Return CPU time of HiGHS [s], status, objective, infeasibility and certified gap, in units of the program."""
    problem = PROBLEMS[problem_name]
    scaled = scale(program, problem.objective)
    highs = handing.hand_over(scaled.program, problem, OWN_OPTIONS | options)
    started = time.process_time()
    highs.run()
    figures: dict[str, Any] = {"cpu_s": time.process_time() - started}
    info, solution = highs.getInfo(), highs.getSolution()
    figures["status"] = highs.modelStatusToString(highs.getModelStatus())
    counts = (info.simplex_iteration_count, info.ipm_iteration_count, info.pdlp_iteration_count)
    figures["iterations"] = max(*counts, info.crossover_iteration_count)
    if not solution.value_valid:
        return figures
    x = np.asarray(solution.col_value) * scaled.column
    figures |= check(program, problem.objective, {name: x[block] for name, block in program.columns.items()})
    if problem.whole:
        bound = info.mip_dual_bound / scaled.objective
    else:
        dual = np.asarray(solution.row_dual)
        bound = certified_bound(scaled.program, problem.objective, dual) / scaled.objective
        figures["doubtful"] = doubtful(scaled.program, problem.objective, dual)
    figures["bound"] = bound
    return figures


def certified_bound(program: Program, objective: str, dual: Any) -> float:
    """Return the bound proven by any row duals, because every column has finite bounds."""
    dual = np.where(np.where(dual > 0, np.isfinite(program.row_lower), np.isfinite(program.row_upper)), dual, 0.0)
    reduced = program.objectives[objective].linear - program.matrix.transposed_times(dual)
    rows = dual * np.where(dual > 0, program.row_lower, np.where(dual < 0, program.row_upper, 0.0))
    columns = reduced * np.where(reduced > 0, program.column_lower, program.column_upper)
    return program.objectives[objective].constant + math.fsum(rows) + math.fsum(columns)


def doubtful(program: Program, objective: str, dual: Any) -> int:
    """Return the number of duals neither zero nor clearly nonzero, whose side is uncertain."""
    cost = program.objectives[objective].linear
    terms = np.abs(cost) + program.matrix.absolute().transposed_times(np.abs(dual))
    reduced = np.abs(cost - program.matrix.transposed_times(dual)) / np.where(terms > 0, terms, 1.0)
    sizes = np.concatenate([reduced, np.abs(dual)])
    return int(np.count_nonzero((sizes > DOUBTFUL[0]) & (sizes < DOUBTFUL[1])))


def main() -> None:
    name, setting, path, limit = sys.argv[1:]
    with Path(path).open("rb") as file:
        data = pickle.load(file)
    problem = PROBLEMS[name]
    program = build(problem, data)
    options = (WHOLE if problem.whole else LINEAR)[setting]
    print(json.dumps(measured(name, program, options | {"time_limit": float(limit)})))


if __name__ == "__main__":
    main()
