"""From an instance and the name of a model to checked results."""

from __future__ import annotations

import logging
import os
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from etsopt.checking import Answer, Question, Verdict, judge
from etsopt.checking.theorem import THEOREMS, default_gap
from etsopt.checking.verdict import PROVEN
from etsopt.data.instance import Instance
from etsopt.errors import StoppedError, UsageError
from etsopt.language import _
from etsopt.modelling import CalculationModel, OptimisedModel, PreparedModel
from etsopt.progress import checkpoint, tell, unlimited, watched
from etsopt.results.claims import check_claims, is_checked, is_stopped, violations_of
from etsopt.results.notices import Facts
from etsopt.results.results import Results
from etsopt.rules import as_given, parameters_of, plugins
from etsopt.rules.bands import moved_by_bands
from etsopt.running import library, methods, model_inputs, own_program
from etsopt.running.compiling import CompiledModels, compiled_program
from etsopt.running.policy_reads import covered, ignored_keys, keys_read, reads_years
from etsopt.running.provenance import Clock, name_of, provenance
from etsopt.running.solve_task import SolveTask
from etsopt.solving.options import SolveOptions
from etsopt.solving.solution import Termination

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from etsopt.modelling import Model, Prepared, TablesBefore
    from etsopt.provenance import BandMove, OwnRule, Provenance
    from etsopt.solving.solution import Solution


LOGGER = logging.getLogger("etsopt")


def solve(
    instance: Instance,
    model: str | Path = "allocation",
    *,
    time_limit_s: float | None = None,
    gap: float | None = None,
    seed: int = 0,
    method: str | None = None,
    solver_options: Mapping[str, bool | int | float | str] | None = None,
    mps: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> Results:
    """Solve a model on an instance and check the answer.

    Parameters
    ----------
    instance
        What `read` or `Instance.from_frames` returns.
    model
        Name of a model of the library, or path of a model file.
    time_limit_s
        Seconds for the whole solve; at its end the best answer so far is returned with its bound.
    gap
        Relative gap at which a mixed-integer program may stop; None leaves it to the model.
    seed
        Seed of the solver's random choices.
    method
        ``direct``, ``aggregation``, ``decomposition`` or ``pyomo``; None chooses the quickest at this size.
    solver_options
        Options of HiGHS by name.
    mps
        File to which the program of the first objective is written in MPS format.
    progress
        Function that receives a line on the current step, such as ``print``. The logger ``etsopt`` gets each line too,
        at the level DEBUG, and the end of every solve at INFO.

    Returns
    -------
    Results
        Certified or not; results of an infeasible instance state the infeasibility in tonnes.

    Raises
    ------
    DataError, UsageError, ModelError
        If the instance, an option or the model is wrong.
    SolverError
        If the program is refused.
    """
    if not isinstance(instance, Instance):
        raise UsageError(
            _("An instance is needed, not {instance!r}.", instance=instance),
            _("Read one: etsopt.solve(etsopt.read('tiny'))."),
        )
    model = os.fspath(model)
    options: dict[str, Any] = {"time_limit_s": time_limit_s, "gap": gap, "seed": seed, "method": method, "mps": mps}
    options |= {"solver_options": dict(solver_options or {}), "progress": progress}
    given, found = SolveOptions(**options), library.choose(model)
    instance, about = as_taken(found, instance)
    with watched(given.time_limit_s, given.progress):
        results = solve_model(found, instance, model, given)
    results = as_checked(found, instance, results, about)
    seconds = sum(results.provenance.seconds.values())
    LOGGER.info("%s, %s: %s, %.2f s", instance.name, results.provenance.model, results.status, seconds)
    return results


class Taken(NamedTuple):
    """What results say of an instance as a model takes it: keys that are ignored, and its own rule."""

    ignored: list[str]
    own_rule: OwnRule | None


def as_taken(model: Model, instance: Instance) -> tuple[Instance, Taken]:
    """Return an instance as a model takes it, and what results say of its rule and of the keys that are ignored.

    Raises
    ------
    DataError
        If a parameter of the rule is wrong, or a key that the model does not read was changed for it.
    """
    # A wrong parameter of the rule is reported before anything reads it.
    parameters_of(instance)
    given = as_given(instance, reads_years(model))
    return given, Taken(ignored_keys(model, given), plugins.about(instance))


def _moved_by_bands(model: Model, instance: Instance) -> list[BandMove] | None:
    """Return what results state of references that bands move; None if the model reads no band, or only shows it."""
    read = None if isinstance(model, CalculationModel) else keys_read(model)
    return moved_by_bands(instance) or None if read and covered("sectors.any.band", read) else None


def as_checked(model: Model, instance: Instance, results: Results, taken: Taken | None = None) -> Results:
    """Return the results with all that they say of themselves, checked once more if they are not proven.

    Parameters
    ----------
    instance, taken
        What `as_taken` returns; None of an instance that was taken before.
    """
    about = results.provenance
    about.moved_by_band = _moved_by_bands(model, instance)
    if taken is not None:
        about.ignored, about.own_rule = taken
    return _checked_again(instance, replace(results, held=instance))


def _checked_again(instance: Instance, results: Results) -> Results:
    """Return the results, refused if their own check refuses what they claim without a proof."""
    if results.certified or results.status in ("none", "refused") or not is_checked(results):
        return results
    with unlimited():
        verdict = check(instance, results)
    if not verdict.violations:
        return results
    return replace(results, status="refused", violations=violations_of(verdict))


class Solved(NamedTuple):
    """A solution of a model, and the task that makes its tables and checks them."""

    task: SolveTask
    solution: Solution

    def results(self) -> Results:
        """Return the results, with tables and verdict, even after the deadline."""
        return self.task.checked(self.solution)


def solve_model(
    found: Model, instance: Instance, model: str, given: SolveOptions, compiled: CompiledModels = compiled_program
) -> Results:
    """Return the results of a model by the deadline; `compiled` keeps programs from solve to solve."""
    solved = solution_of(found, instance, model, given, compiled)
    return solved if isinstance(solved, Results) else solved.results()


def solution_of(
    found: Model, instance: Instance, model: str, given: SolveOptions, compiled: CompiledModels
) -> Solved | Results:
    """Solve a model until the deadline: return the solution by then, or results without one.

    The model that it starts from is solved before it, whatever keys of the policy that one does not read.
    """
    clock = Clock()
    method = methods.choose(model, instance, given)
    if method.name != "pyomo":
        method = replace(method, build=compiled)
    chosen = model_inputs.with_own_options(found, given)
    about = provenance(instance, model, chosen, method, clock.seconds)
    try:
        checkpoint(_("parameters"))
        if isinstance(found, CalculationModel):
            tables = found.calculate(instance)
            clock.lap("calculate")
            return _calculated(instance, tables, about, clock)
        assert isinstance(found, OptimisedModel)
        first = None
        if name := found.starts_from if isinstance(found, PreparedModel) else "":
            own = methods.options_of_first(name, given)
            first = solve_model(library.load(name), instance, name, own, compiled)
            clock.lap(name)
            if name not in first.tables or first.termination != "optimal":
                return _stopped_at(name, first, about)
        prepare = partial(model_inputs.prepared_for, found, instance, chosen, method)
        new_task = partial(SolveTask, found, model, instance, chosen, method, about, clock, first=first)
        return _solve_again(found, prepare, new_task, first.tables if first else {})
    except StoppedError as stopped:
        return Results({}, stopped.termination, "none", False, (), None, about)


def _solve_again(
    found: OptimisedModel,
    prepare: Callable[[TablesBefore], Prepared],
    new_task: Callable[..., SolveTask],
    before: TablesBefore,
) -> Solved | Results:
    """Solve a model once, or until its answer no longer changes what it was prepared from.

    Parameters
    ----------
    prepare
        A function that prepares the model from the tables from which it starts.
    new_task
        A function that returns the task of what is prepared.
    before
        These tables.
    """
    held: Solved | None = None
    next_pass = found.next_pass if isinstance(found, PreparedModel) else None
    while True:
        try:
            checkpoint(_("parameters"))
            prepared = prepare(before)
            task, stopped = new_task(prepared=prepared), prepared.stopped
            if reason := methods.reason_of_fallback(task.method, prepared.fallback_reason):
                task.about.method, task.about.method_reason = "direct", reason
            task.clock.lap("build")
            # Where the preparation was stopped it holds an answer, which only has to be completed.
            with unlimited() if stopped else nullcontext():
                solution = task.solve_all()
            if isinstance(solution, Results):
                # The answer of an earlier pass is one still, unless it is proven that there is none.
                return solution if held is None or solution.certified else held
            held = Solved(task, replace(solution, termination=Termination(stopped)) if stopped else solution)
            following = next_pass(task.instance, before, solution, prepared) if next_pass and not stopped else None
        except StoppedError as stop:
            if held is None:
                raise
            return held._replace(solution=replace(held.solution, termination=Termination(stop.termination)))
        if following is None:
            return held
        before = following


def _stopped_at(name: str, first: Results, about: Provenance) -> Results:
    """Return the results if the model that another starts from has no optimum: its infeasibility or termination."""
    about.stopped_at = name
    if first.termination != "infeasible":
        return Results({}, first.termination, "none", False, (), None, about)
    stated = {key: value for key in ("model", "stopped_at", *Facts._fields) if (value := getattr(about, key))}
    return replace(first, provenance=first.provenance.model_copy(update=stated))


def check(instance: Instance, results: Results, gap: float | None = None, model: str | Path | None = None) -> Verdict:
    """Check results against their instance, and their claims against the verdict, without solver or model.

    Parameters
    ----------
    gap
        Largest relative gap that proves an objective of whole plans, whole tonnes or exceptions; default 1e-4, of plans
        of reviews 1e-3. If the results asked for less, that counts.
    model
        Name of the model whose theorem is to be proven, or file of the user's own, whose program is compiled and proven
        again; default the name that the results claim. A file that results name is never run.

    Raises
    ------
    UsageError
        If the checker has no theorem of the model that is asked for.
    """
    named = None if model is None else os.fspath(model)
    is_file = named is not None and library.is_file(named)
    if named is not None and not is_file and named not in THEOREMS:
        what = _("There is no theorem of the model {model!r}.", model=named)
        advice = _("The checker proves {known}, and programs of model files.", known=", ".join(THEOREMS))
        raise UsageError(what, advice)
    asked = named or results.provenance.model
    instance = as_given(instance, (is_file or asked in THEOREMS) and reads_years(library.load(asked)))
    accepted = default_gap(asked) if gap is None else gap
    if is_file:
        verdict = own_program.check_again(library.load(asked), name_of(asked), instance, results, accepted)
    elif asked not in THEOREMS:
        verdict = Verdict((), ())
    else:
        answer = Answer(results.tables, results.levels, is_stopped(results))
        verdict = judge(Question(instance, asked, min(results.provenance.options.gap, accepted)), answer)
        if not is_checked(results):
            # What a model of the user's own claims is no claim on the theorem that the reader asks for.
            return verdict
    return replace(verdict, violations=(*verdict.violations, *check_claims(instance, results, verdict)))


def _calculated(instance: Instance, tables: Any, about: Provenance, clock: Clock) -> Results:
    """Return the results of a calculation, which has nothing to optimise."""
    verdict = None
    if about.model in THEOREMS:
        with unlimited():
            tell(_("check"))
            verdict = judge(Question(instance, about.model), Answer(tables))
    clock.lap("check")
    status = "feasible" if verdict is None else verdict.status
    return Results(tables, "optimal", status, status in PROVEN, (), None, about, violations_of(verdict))
