"""From an instance and the name of a model to checked results."""

from __future__ import annotations

import platform
import time
from dataclasses import asdict, replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt import library, preparing
from etsopt.checking import CheckReport
from etsopt.checking import check as check_tables
from etsopt.checking.checker import INFEASIBLE, KINDS
from etsopt.claims import check_claims, is_checked
from etsopt.data.instance import Instance
from etsopt.data.read import read_instance
from etsopt.errors import UsageError
from etsopt.results import LevelResult, Results
from etsopt.rules import reference_allowances
from etsopt.solving.levels import solve_levels
from etsopt.solving.options import METHODS, SolveOptions
from etsopt.solving.solution import Solution, Termination
from etsopt.stamp import reference, stamped
from etsopt.units import tolerance_of

if TYPE_CHECKING:
    from etsopt.stamp.program import Program

WAYS = {"stamped": stamped.build_program, "reference": reference.build_program}
"""How a program is made, by the name of the method."""

EASED_T = 1e-2
"""Tonnes that a limit may lack for want of rounding alone; the checker tolerates twice as much."""


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
    if not isinstance(instance, Instance):
        raise UsageError(f"An instance is needed, not {instance!r}.", "Read one: etsopt.solve(etsopt.read('tiny')).")
    found = library.choose(model)
    chosen = preparing.with_gap(found, SolveOptions(**options))
    clock = _Clock()
    about = _provenance(instance, model, chosen, clock.seconds)
    # A model says whether its tables claim what the checker knows; what a user's own model claims is unknown.
    about["checked"] = getattr(found, "CHECKED_AS", "") in KINDS
    about["checked_as"] = getattr(found, "CHECKED_AS", "")
    about["calculated"] = isinstance(found, library.CalculationModel)
    if about["calculated"]:
        tables = library.call(found, "calculate", instance)
        clock.lap("calculate")
        return _calculated(instance, tables, about, clock)
    first = None
    if name := getattr(found, "STARTS_FROM", ""):
        first = solve(instance, name, **options)
        clock.lap(name)
        if name not in first.tables:
            return replace(first, provenance=first.provenance | {"model": about["model"], "stopped_at": name})
    ready = preparing.ready(found, instance, chosen, WAYS[chosen.method], first)
    clock.lap("build")
    names = library.levels(found, instance, ready.program.objectives)
    faster = {step: partial(method, ready.parameters) for step in names if (method := library.method(model, step))}
    settles = getattr(found, "SETTLES", {})
    solution = solve_levels(ready.program, names, chosen, faster, settles)
    clock.lap("solve")
    if solution.termination is Termination.INFEASIBLE and hasattr(found, "explain"):
        tables = library.call(found, "explain", instance, *ready.notes)
        lacking = float(sum(table["missing_t"].sum() for table in tables.values())) or None
        return Results(tables, "infeasible", "infeasible_unproven", False, (), lacking, about)
    if solution.termination is Termination.INFEASIBLE and not solution.values:
        explained = _infeasible(instance, model, chosen, about, clock)
        if not explained.levels or explained.levels[0].value > EASED_T:
            return explained
        # Less lacks than the checker tolerates: sums of limits that meet exactly differ by their rounding.
        solution = solve_levels(_eased(ready.program, library.load(f"{model}_relief")), names, chosen, faster, settles)
        clock.lap("solve_eased")
        if solution.termination is Termination.INFEASIBLE and not solution.values:
            return explained
    tables = library.call(found, "tables", instance, solution, *ready.notes) if solution.values else {}
    clock.lap("tables")
    return _solved(instance, solution, tables, about, clock, first)


def check(instance: Instance, results: Results) -> CheckReport:
    """Check results against their instance, and what they claim against what is found, without model or solver."""
    checkable = is_checked(results) and bool(results.tables or results.termination == "infeasible")
    gap = float(results.provenance.get("options", {}).get("gap", 0.0))
    kind = results.provenance.get("checked_as", KINDS[0])
    report = check_tables(instance, results.tables, results.levels, gap, kind) if checkable else CheckReport((), ())
    return replace(report, violations=(*report.violations, *check_claims(results, report)))


class _Clock:
    """Seconds of each stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.last = time.perf_counter()

    def lap(self, stage: str) -> None:
        """Close a stage."""
        now = time.perf_counter()
        self.seconds[stage] = round(now - self.last, 6)
        self.last = now


def _provenance(instance: Instance, model: str, options: SolveOptions, seconds: dict[str, float]) -> dict[str, Any]:
    versions = {name: _version(name) for name in ("etsopt", "pyomo", "highspy", "numpy", "pandas", "scipy")}
    return {
        "model": Path(model).stem,
        "method": options.method,
        "method_reason": METHODS[options.method],
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


def _calculated(instance: Instance, tables: Any, about: dict[str, Any], clock: _Clock) -> Results:
    """Results of a calculation, where there is nothing to optimise."""
    report = check_tables(instance, tables, (), kind=about["checked_as"]) if about["checked"] else None
    clock.lap("check")
    certified = report is not None and not report.violations
    status = "certified_optimal" if certified else "feasible"
    return Results(tables, "optimal", status, certified, (), None, about, _violations(report))


def _solved(
    instance: Instance, solution: Solution, tables: Any, about: dict[str, Any], clock: _Clock, first: Results | None
) -> Results:
    """Results of a program, with the bounds that the checker recomputed where it knows the model."""
    report = None
    tables = preparing.with_tables_of(first, tables)
    if tables and about["checked"]:
        stated: list[Any] = [*(first.levels if first else ()), *solution.levels]
        report = check_tables(instance, tables, stated, about["options"]["gap"], about["checked_as"])
        clock.lap("check")
    checks = {level.name: level for level in report.levels} if report else {}
    levels = list(first.levels) if first else []
    for level in solution.levels:
        known = checks.get(level.name)
        bound, gap = (known.bound, known.gap) if known else (level.bound, level.value - level.bound)
        proven = known is not None and known.certified
        levels.append(LevelResult(level.name, level.value, bound, gap, level.unit, proven, level.algorithm))
    certified = report is not None and report.certified and solution.termination is Termination.OPTIMAL
    status = "feasible" if tables else "none"
    if certified and report is not None:
        status = "certified_optimal" if report.optimal else "certified_gap"
    return Results(
        tables, solution.termination.value, status, certified, tuple(levels), None, about, _violations(report)
    )


def _violations(report: CheckReport | None) -> tuple[dict[str, Any], ...]:
    return tuple(asdict(violation) for violation in report.violations) if report else ()


def _infeasible(instance: Instance, model: str, options: SolveOptions, about: dict[str, Any], clock: _Clock) -> Results:
    """Find out what has to give way, at least, and prove it."""
    if f"{model}_relief" not in library.names():
        return Results({}, "infeasible", "infeasible_unproven", False, (), None, about)
    relief: Any = library.load(f"{model}_relief")
    program = WAYS[options.method](relief.formulate(), relief.parameters(instance))
    options = replace(options, mps=None)
    ways = {}
    for way, pinned in relief.WAYS_OUT.items():
        solution = solve_levels(_pinned(program, pinned), [way], options, {})
        if solution.termination is Termination.OPTIMAL:
            ways[way] = solution
    tables = relief.tables(instance, ways)
    clock.lap("explain")
    report = check_tables(instance, tables, ())
    clock.lap("check")
    proven = report.infeasible_by_t or 0.0
    certified = report.certified
    levels = []
    for level in ways[INFEASIBLE].levels if INFEASIBLE in ways else ():
        gap = level.value - proven
        least = abs(gap) <= tolerance_of(level.value, level.unit)
        levels.append(LevelResult(level.name, level.value, proven, gap, level.unit, least, level.algorithm))
    status = "infeasible_certified" if certified else "infeasible_unproven"
    return Results(tables, "infeasible", status, certified, tuple(levels), proven, about, _violations(report))


def _eased(program: Program, relief: Any) -> Program:
    """The program with the limits in tonnes that may give way wider by what is rounding."""
    lower, upper = program.row_lower.copy(), program.row_upper.copy()
    for name in relief.GIVES:
        lower[program.rows[name]] -= EASED_T
        upper[program.rows[name]] += EASED_T
    return replace(program, row_lower=lower, row_upper=upper)


def _pinned(program: Program, variables: tuple[str, ...]) -> Program:
    """The program with some variables at zero, their lower bound."""
    side = np.zeros(len(program.column_lower), dtype=np.int8)
    for name in variables:
        side[program.columns[name]] = -1
    return program.narrowed(side, np.zeros(len(program.row_lower), dtype=np.int8))
