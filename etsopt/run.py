"""From an instance and the name of a model to checked results."""

from __future__ import annotations

import platform
import time
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt import library
from etsopt.checking import CheckReport
from etsopt.checking import check as check_tables
from etsopt.data.read import read_instance
from etsopt.errors import SolverError
from etsopt.results import LevelResult, Results
from etsopt.rules import reference_allowances
from etsopt.solving import highs
from etsopt.solving.levels import solve_levels
from etsopt.solving.options import SolveOptions
from etsopt.solving.solution import Solution, Termination
from etsopt.stamp.reference import build_program

if TYPE_CHECKING:
    from dataclasses import Field

    from etsopt.data.instance import Instance
    from etsopt.stamp.program import Program

CHECKED_MODELS = ("allocation", "balance_value")
"""Models whose tables the checker knows; those of a user's own model stay unchecked."""


def read(source: str | Path) -> Instance:
    """Read an instance and see that its rule can be evaluated on it.

    Parameters
    ----------
    source
        A folder, or the name of a shipped instance.

    Raises
    ------
    DataError
        With every problem of its files.
    """
    instance = read_instance(source)
    reference_allowances(instance)
    return instance


def solve(instance: Instance, model: str = "allocation", **options: Any) -> Results:
    """Solve a model on an instance and check the answer.

    Parameters
    ----------
    instance
        What `read` or `Instance.from_frames` returns.
    model
        Name of a model of the library, or path of a model file.
    options
        As `etsopt.solving.options.SolveOptions` takes them.

    Returns
    -------
    Results
        Certified or not; an infeasible instance gives results that say so, with the tonnes.

    Raises
    ------
    DataError, UsageError, ModelError
        If the instance, an option or the model is wrong.
    SolverError
        If the program is refused.
    """
    chosen = SolveOptions(**options)
    seconds: dict[str, float] = {}
    clock = _Clock(seconds)
    found = library.load(model)
    provenance = _provenance(instance, model, chosen, seconds)
    if not hasattr(found, "formulate"):
        tables = found.calculate(instance)
        clock.lap("calculate")
        return _calculated(instance, model, tables, provenance, clock)
    program = build_program(found.formulate(), found.parameters(instance))
    clock.lap("build")
    names = list(found.levels(instance)) if hasattr(found, "levels") else list(program.objectives)
    settle = {step: method for step in names if (method := library.method(model, step)) is not None}
    bound = {step: partial(method, found.parameters(instance)) for step, method in settle.items()}
    solution = solve_levels(program, names, chosen, bound)
    clock.lap("solve")
    if solution.termination is Termination.INFEASIBLE and not solution.levels:
        return _infeasible(instance, model, chosen, provenance, clock)
    tables = found.tables(instance, solution) if solution.values else {}
    clock.lap("tables")
    return _solved(instance, model, solution, tables, provenance, clock)


def check(instance: Instance, results: Results) -> CheckReport:
    """Check results against their instance, without model or solver."""
    return check_tables(instance, results.tables, results.levels)


class _Clock:
    """Seconds of each stage."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self.seconds = seconds
        self.last = time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = round(now - self.last, 6)
        self.last = now


def _provenance(
    instance: Instance, model: str, options: SolveOptions, seconds: dict[str, float]
) -> dict[str, Any]:
    versions = {name: _version(name) for name in ("etsopt", "pyomo", "highspy", "numpy", "pandas", "scipy")}
    return {
        "model": Path(model).stem,
        "method": options.method,
        "method_reason": "the reference way builds every row with Pyomo; it is the one there is",
        "instance": instance.name,
        "instance_hash": instance.hash,
        "policy": instance.policy.model_dump(mode="json", exclude_none=True),
        "options": {
            "time_limit_s": options.time_limit_s,
            "gap": options.gap,
            "solver_options": options.solver_options,
        },
        "seed": options.seed,
        "versions": versions | {"python": platform.python_version()},
        "seconds": seconds,
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "from a checkout"


def _calculated(instance: Instance, model: str, tables: Any, provenance: Any, clock: _Clock) -> Results:
    report = check_tables(instance, tables, ()) if Path(model).stem in CHECKED_MODELS else None
    clock.lap("check")
    certified = report is not None and not report.violations
    status = "certified_optimal" if certified else "feasible"
    violations = _violations(report)
    return Results(tables, "optimal", status, certified, (), None, provenance, violations)


def _solved(
    instance: Instance, model: str, solution: Solution, tables: Any, provenance: Any, clock: _Clock
) -> Results:
    report = None
    if tables and model in CHECKED_MODELS:
        report = check_tables(instance, tables, solution.levels)
        clock.lap("check")
    checks = {level.name: level for level in report.levels} if report else {}
    levels = []
    for level in solution.levels:
        known = checks.get(level.name)
        bound = known.bound if known else level.bound
        gap = known.gap if known else level.value - level.bound
        levels.append(
            LevelResult(
                level.name,
                level.value,
                bound,
                gap,
                level.unit,
                bool(known and known.certified),
                level.algorithm,
            )
        )
    certified = bool(report and report.certified) and solution.termination is Termination.OPTIMAL
    status = "certified_optimal" if certified else "feasible" if tables else "none"
    return Results(
        tables,
        solution.termination.value,
        status,
        certified,
        tuple(levels),
        None,
        provenance,
        _violations(report),
    )


def _violations(report: CheckReport | None) -> tuple[dict[str, Any], ...]:
    return tuple(report.table.to_dict("records")) if report else ()


def _infeasible(
    instance: Instance, model: str, options: SolveOptions, provenance: Any, clock: _Clock
) -> Results:
    """Find out what has to give way, at least, and prove it."""
    relief = f"{model}_relief"
    if relief not in library.names():
        return Results({}, "infeasible", "infeasible_unproven", False, (), None, provenance)
    found: Any = library.load(relief)
    program = build_program(found.formulate(), found.parameters(instance))
    solutions = {}
    for way, pinned in found.WAYS_OUT.items():
        solution = solve_levels(_pinned(program, pinned), [way], options, {})
        if solution.termination is Termination.OPTIMAL:
            solutions[way] = solution
    tables = found.tables(instance, solutions)
    clock.lap("explain")
    report = check_tables(instance, tables, ())
    clock.lap("check")
    certified = report.certified
    status = "infeasible_certified" if certified else "infeasible_unproven"
    levels = tuple(
        LevelResult(
            level.name,
            level.value,
            report.infeasible_by_t or 0.0,
            level.value - (report.infeasible_by_t or 0.0),
            level.unit,
            certified,
            level.algorithm,
        )
        for way in ("targets_give_way",)
        if way in solutions
        for level in solutions[way].levels
    )
    return Results(
        tables,
        "infeasible",
        status,
        certified,
        levels,
        report.infeasible_by_t,
        provenance,
        _violations(report),
    )


def _pinned(program: Program, variables: tuple[str, ...]) -> Program:
    """The program with some variables at zero."""
    side = np.zeros(len(program.column_lower), dtype=np.int8)
    for name in variables:
        side[program.columns[name]] = -1
    return program.narrowed(side, np.zeros(len(program.row_lower), dtype=np.int8))
