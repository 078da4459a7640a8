"""From an instance and the name of a model to checked results."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from etsopt import library, methods, preparing
from etsopt.checking import CheckReport
from etsopt.checking import check as check_tables
from etsopt.checking.checker import INFEASIBLE, KINDS
from etsopt.claims import check_claims, is_checked
from etsopt.data.instance import Instance
from etsopt.data.read import read_instance
from etsopt.errors import UsageError
from etsopt.provenance import Clock, provenance
from etsopt.results import LevelResult, Results
from etsopt.rules import reference_allowances
from etsopt.solving.easing import EASED_T, pinned
from etsopt.solving.levels import solve_levels
from etsopt.solving.options import SolveOptions
from etsopt.solving.solution import Solution, Termination
from etsopt.units import tolerance_of

if TYPE_CHECKING:
    from pathlib import Path

    from etsopt.methods import Method
    from etsopt.stamp.program import Program

LEAST_TIME_S = 1e-3
"""What is left of a time limit that is over."""


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
    chosen, clock = SolveOptions(**options), Clock()
    given = chosen
    method = methods.choose(model, instance, chosen)
    chosen = preparing.with_gap(method.own if hasattr(method.own, "GAP") else found, chosen)
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
    return replace(report, violations=(*report.violations, *check_claims(results, report)))


@dataclass(frozen=True)
class Step:
    """Solve one program of a model, and where it has no solution explain why."""

    found: Any
    model: str
    instance: Instance
    options: SolveOptions
    method: Method
    about: dict[str, Any]
    clock: Clock
    notes: tuple[Any, ...]

    def solve_all(self, parameters: dict[str, Any]) -> Solution | Results:
        """Solve the model, and what it wants solved afterwards: a solution, or results that say what lacks."""
        solution = self.solve(self.instance, parameters)
        if isinstance(solution, Solution) and solution.termination is Termination.OPTIMAL:
            return self.solve_afterwards(solution)
        return solution

    def checked(self, solution: Solution, first: Results | None = None) -> Results:
        """The results of a solution, checked where the checker knows the model; ``first`` are those it started from."""
        tables = library.call(self.found, "tables", self.instance, solution, *self.notes) if solution.values else {}
        self.clock.lap("tables")
        return _solved(self.instance, solution, tables, self.about, self.clock, first)

    def solve(
        self, limited: Instance, parameters: dict[str, Any], names: list[str] | None = None
    ) -> Solution | Results:
        """Solve the model with some parameters: a solution, or results that say what lacks.

        Parameters
        ----------
        limited
            The instance whose limits the parameters state.
        names
            Objectives in their order; None for the model's own.
        """
        solution = self.levels(parameters, names)
        self.clock.lap("solve")
        if solution.termination is not Termination.INFEASIBLE or solution.values:
            return solution
        if hasattr(self.found, "explain"):
            tables = library.call(self.found, "explain", self.instance, *self.notes)
            lacking = float(sum(table["missing_t"].sum() for table in tables.values())) or None
            return Results(tables, "infeasible", "infeasible_unproven", False, (), lacking, self.about)
        explained = _infeasible(self.instance, limited, self.model, self.options, self.method, self.about, self.clock)
        if not explained.levels or explained.levels[0].value > EASED_T:
            return explained
        # Less lacks than the checker tolerates: sums of limits that meet exactly differ by their rounding.
        wider = library.call(library.load(f"{self.model}_relief"), "eased", parameters, EASED_T)
        solution = self.levels(wider, names)
        self.clock.lap("solve_eased")
        infeasible = solution.termination is Termination.INFEASIBLE and not solution.values
        return explained if infeasible else solution

    def levels(self, parameters: dict[str, Any], names: list[str] | None = None) -> Solution:
        """Minimise the objectives in their order, by the model's own method or over the whole program."""
        if self.method.solves:
            names = names or library.levels(self.found, self.instance, None)
            found: Solution = library.call(self.method.own, "solve", self.instance, parameters, names, self._run)
            return found
        program = self._program(parameters)
        names = names or library.levels(self.found, self.instance, program.objectives)
        return self._minimise(program, parameters, names, self.options)

    def _minimise(
        self, program: Program, parameters: dict[str, Any], names: list[str], options: SolveOptions
    ) -> Solution:
        """Minimise objectives of a program in their order, each by a faster method where the model has one."""
        faster = {name: partial(method, parameters) for name in names if (method := library.method(self.model, name))}
        return solve_levels(program, names, options, faster, getattr(self.found, "SETTLES", {}))

    def _program(self, parameters: dict[str, Any]) -> Program:
        program = preparing.program_of(self.found, self.instance, self.method.build, parameters)
        self.clock.lap("build")
        return program

    def _run(self, parameters: dict[str, Any], names: list[str], by_solver: bool = True) -> Solution:
        """Solve the model's own formulation with other parameters, within the time that is left.

        Parameters
        ----------
        by_solver
            Whether the solver minimises every objective, or a faster method that the model has for it.
        """
        program = preparing.program_of(self.found, self.instance, self.method.build, parameters)
        if by_solver:
            return solve_levels(program, names, self._within_time(), {})
        return self._minimise(program, parameters, names, self._within_time())

    def _within_time(self) -> SolveOptions:
        """The options, with what is left of the time limit."""
        limit = self.options.time_limit_s
        left = None if limit is None else max(limit - self.clock.passed(), LEAST_TIME_S)
        return replace(self.options, mps=None, time_limit_s=left)

    def solve_afterwards(self, first: Solution) -> Solution | Results:
        """Solve what the model wants solved once its levels are, within the time that is left."""
        after = (
            library.call(self.found, "afterwards", self.instance, first) if hasattr(self.found, "afterwards") else None
        )
        if after is None:
            return first
        second = replace(self, options=self._within_time()).solve(*after)
        if isinstance(second, Results):
            return second
        if not second.values:
            # What is held is the first solution.
            return replace(first, termination=second.termination)
        return replace(second, levels=(*first.levels, *second.levels), before=first)


def _calculated(instance: Instance, tables: Any, about: dict[str, Any], clock: Clock) -> Results:
    """Results of a calculation, where there is nothing to optimise."""
    report = check_tables(instance, tables, (), kind=about["checked_as"]) if about["checked"] else None
    clock.lap("check")
    certified = report is not None and not report.violations
    status = "certified_optimal" if certified else "feasible"
    return Results(tables, "optimal", status, certified, (), None, about, _violations(report))


def _solved(
    instance: Instance, solution: Solution, tables: Any, about: dict[str, Any], clock: Clock, first: Results | None
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
        status = report.proves
    rounded_by_t = report.rounded_by_t if report else None
    termination, violations = solution.termination.value, _violations(report)
    return Results(
        tables, termination, status, certified, tuple(levels), None, about, violations, rounded_by_t=rounded_by_t
    )


def _violations(report: CheckReport | None) -> tuple[dict[str, Any], ...]:
    return tuple(asdict(violation) for violation in report.violations) if report else ()


def _infeasible(
    instance: Instance,
    limited: Instance,
    model: str,
    options: SolveOptions,
    method: Method,
    about: dict[str, Any],
    clock: Clock,
) -> Results:
    """Find out which limits of an instance have to give way, at least, and prove it."""
    if f"{model}_relief" not in library.names():
        return Results({}, "infeasible", "infeasible_unproven", False, (), None, about)
    relief: Any = library.load(f"{model}_relief")
    parameters = relief.parameters(limited)
    if hasattr(method.own, "relief"):
        parameters = library.call(method.own, "relief", parameters)
    program = method.build(relief, parameters)
    options = replace(options, mps=None)
    ways = {}
    for way, at_zero in relief.WAYS_OUT.items():
        solution = solve_levels(pinned(program, at_zero), [way], options, {})
        if solution.termination is Termination.OPTIMAL:
            ways[way] = solution
    tables = relief.tables(limited, ways)
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
