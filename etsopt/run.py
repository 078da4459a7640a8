"""From an instance and the name of a model to checked results."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from etsopt import library, methods, preparing
from etsopt.checking import CheckReport
from etsopt.checking import check as check_tables
from etsopt.checking.checker import KINDS
from etsopt.claims import check_claims, check_parameters, is_checked
from etsopt.data.instance import Instance
from etsopt.data.read import read_instance
from etsopt.errors import UsageError
from etsopt.provenance import Clock, provenance
from etsopt.results import Results
from etsopt.rules import reference_allowances
from etsopt.solving.options import SolveOptions
from etsopt.step import Step, violations_of

if TYPE_CHECKING:
    from pathlib import Path


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
    given, clock = SolveOptions(**options), Clock()
    method = methods.choose(model, instance, given)
    chosen = preparing.with_gap(found, given)
    about = provenance(instance, model, chosen, method, clock.seconds)
    about |= kind_of(found)
    about["calculated"] = isinstance(found, library.CalculationModel)
    if about["calculated"]:
        tables = library.call(found, "calculate", instance)
        clock.lap("calculate")
        return _calculated(instance, tables, about, clock)
    first = None
    if name := getattr(found, "STARTS_FROM", ""):
        first = solve(instance, name, **methods.options_of_first(name, options))
        clock.lap(name)
        if name not in first.tables:
            return replace(first, provenance=first.provenance | {"model": about["model"], "stopped_at": name})
    parameters, notes = preparing.parameters_of(found, instance, chosen, method, first)
    about |= methods.after_notes(method, notes)
    clock.lap("build")
    aimed = preparing.with_aim(method.own, given, chosen)
    step = Step(found, model, instance, aimed, method, about, clock, notes)
    solution = step.solve_all(parameters)
    return solution if isinstance(solution, Results) else step.checked(solution, first)


def kind_of(model: Any) -> dict[str, Any]:
    """Whether the tables of a model claim what the checker knows, and what; what a user's own claims is unknown."""
    kind = getattr(model, "CHECKED_AS", "")
    return {"checked": kind in KINDS, "checked_as": kind}


def check(instance: Instance, results: Results) -> CheckReport:
    """Check results against their instance, and what they claim against what is found, without model or solver."""
    checkable = is_checked(results) and bool(results.tables or results.termination == "infeasible")
    gap = float(results.provenance.get("options", {}).get("gap", 0.0))
    kind = results.provenance.get("checked_as", KINDS[0])
    report = check_tables(instance, results.tables, results.levels, gap, kind) if checkable else CheckReport((), ())
    claims = (*check_claims(results, report), *check_parameters(instance, results))
    return replace(report, violations=(*report.violations, *claims))


def _calculated(instance: Instance, tables: Any, about: dict[str, Any], clock: Clock) -> Results:
    """Results of a calculation, where there is nothing to optimise."""
    report = check_tables(instance, tables, (), kind=about["checked_as"]) if about["checked"] else None
    clock.lap("check")
    certified = report is not None and not report.violations
    status = "certified_optimal" if certified else "feasible"
    return Results(tables, "optimal", status, certified, (), None, about, violations_of(report))
