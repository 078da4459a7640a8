"""From an instance and the name of a model to checked results."""

from __future__ import annotations

import logging
import os
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from etsopt.checking import Answer, Question, Verdict, judge
from etsopt.checking.theorem import THEOREMS, default_gap
from etsopt.checking.verdict import PROVEN
from etsopt.data.instance import Instance
from etsopt.errors import StoppedError, UsageError
from etsopt.language import _
from etsopt.progress import checkpoint, tell, unlimited, watched
from etsopt.results.claims import FACTS, check_claims, is_checked, is_stopped, violations_of
from etsopt.results.results import Results
from etsopt.rules import as_given, parameters_of, plugins
from etsopt.rules.bands import moved_by_bands
from etsopt.running import library, methods, model_inputs, own_program
from etsopt.running.policy_reads import covered, ignored_keys, keys_read, reads_years
from etsopt.running.provenance import Clock, name_of, provenance
from etsopt.running.solve_task import SolveTask
from etsopt.solving.options import SolveOptions
from etsopt.solving.solution import Termination

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pandas as pd

    from etsopt.running.model import Model
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
    # A wrong parameter of the rule is reported before anything reads it.
    parameters_of(instance)
    about_rule, instance = plugins.about(instance), as_given(instance, reads_years(found))
    ignored = ignored_keys(found, instance)
    with watched(given.time_limit_s, given.progress):
        results = solve_model(found, instance, model, given)
    about = results.provenance | {"ignored": ignored, **about_rule, **_moved_by_bands(found, instance)}
    LOGGER.info("%s, %s: %s, %.2f s", instance.name, about["model"], results.status, sum(about["seconds"].values()))
    return _as_checked(instance, replace(results, provenance=about, held=instance))


def _moved_by_bands(model: Model, instance: Instance) -> dict[str, Any]:
    """Return what results state of references that bands move; nothing if the model reads no band, or only shows it."""
    read = keys_read(model) if model.calculate is None else None
    entries = moved_by_bands(instance) if read and covered("sectors.any.band", read) else []
    return {"moved_by_band": entries} if entries else {}


def _as_checked(instance: Instance, results: Results) -> Results:
    """Return the results, refused if their own check refuses what they claim without a proof."""
    if results.certified or results.status in ("none", "refused") or not is_checked(results):
        return results
    with unlimited():
        verdict = check(instance, results)
    if not verdict.violations:
        return results
    return replace(results, status="refused", violations=violations_of(verdict))


def solve_model(found: Model, instance: Instance, model: str, given: SolveOptions) -> Results:
    """Solve a model until the deadline: return the solution by then, or results without one.

    The model that it starts from is solved before it, whatever keys of the policy that one does not read.
    """
    clock = Clock()
    method = methods.choose(model, instance, given)
    chosen = model_inputs.with_own_options(found, given)
    about = provenance(instance, model, chosen, method, clock.seconds)
    try:
        checkpoint(_("parameters"))
        if found.calculate is not None:
            tables = found.calculate(instance)
            clock.lap("calculate")
            return _calculated(instance, tables, about, clock)
        first = None
        if name := found.starts_from:
            first = solve_model(library.load(name), instance, name, methods.options_of_first(name, given))
            clock.lap(name)
            if name not in first.tables or first.termination != "optimal":
                return _stopped_at(name, first, about)
        prepare = partial(model_inputs.parameters_of, found, instance, chosen, method)
        new_task = partial(SolveTask, found, model, instance, chosen, method, about, clock, first=first)
        return _solve_again(found, prepare, new_task, first.tables if first else {})
    except StoppedError as stopped:
        return Results({}, stopped.termination, "none", False, (), None, about)


def _solve_again(
    found: Model,
    prepare: Callable[..., tuple[dict[str, Any], tuple[Any, ...]]],
    new_task: Callable[..., SolveTask],
    before: Mapping[str, pd.DataFrame],
) -> Results:
    """Solve a model once, or until its answer no longer changes what it was prepared from.

    Parameters
    ----------
    prepare
        A function that returns parameters and notes from the tables from which the model starts.
    new_task
        A function that returns the task of some notes.
    before
        These tables.
    """
    held: tuple[SolveTask, Solution] | None = None
    while True:
        try:
            checkpoint(_("parameters"))
            parameters, notes = prepare(before)
            task = new_task(notes=notes)
            task.about.update(methods.after_notes(task.method, notes))
            task.clock.lap("build")
            stopped = next((note.stopped for note in notes if getattr(note, "stopped", "")), "")
            # Where the preparation was stopped it holds an answer, which only has to be completed.
            with unlimited() if stopped else nullcontext():
                solution = task.solve_all(parameters)
            if isinstance(solution, Results):
                # The answer of an earlier pass is one still, unless it is proven that there is none.
                return solution if held is None or solution.certified else held[0].checked(held[1])
            held = task, replace(solution, termination=Termination(stopped)) if stopped else solution
            following = found.again(task.instance, before, solution, *notes) if found.again and not stopped else None
        except StoppedError as stop:
            if held is None:
                raise
            return held[0].checked(replace(held[1], termination=Termination(stop.termination)))
        if following is None:
            return held[0].checked(held[1])
        before = following


def _stopped_at(name: str, first: Results, about: dict[str, Any]) -> Results:
    """Return the results if the model that another starts from has no optimum: its infeasibility or termination."""
    if first.termination == "infeasible":
        facts = {name: about[name] for name in FACTS if name in about}
        return replace(first, provenance=first.provenance | facts | {"model": about["model"], "stopped_at": name})
    return Results({}, first.termination, "none", False, (), None, about | {"stopped_at": name})


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
    asked = named or str(results.provenance.get("model"))
    instance = as_given(instance, (is_file or asked in THEOREMS) and reads_years(library.load(asked)))
    own = float(results.provenance.get("options", {}).get("gap", 0.0))
    accepted = default_gap(asked) if gap is None else gap
    if is_file:
        verdict = own_program.check_again(library.load(asked), name_of(asked), instance, results, accepted)
    elif asked not in THEOREMS:
        verdict = Verdict((), ())
    else:
        answer = Answer(results.tables, results.levels, is_stopped(results))
        verdict = judge(Question(instance, asked, min(own, accepted)), answer)
        if not is_checked(results):
            # What a model of the user's own claims is no claim on the theorem that the reader asks for.
            return verdict
    return replace(verdict, violations=(*verdict.violations, *check_claims(instance, results, verdict)))


def _calculated(instance: Instance, tables: Any, about: dict[str, Any], clock: Clock) -> Results:
    """Return the results of a calculation, which has nothing to optimise."""
    verdict = None
    if about["model"] in THEOREMS:
        with unlimited():
            tell(_("check"))
            verdict = judge(Question(instance, about["model"]), Answer(tables))
    clock.lap("check")
    status = "feasible" if verdict is None else verdict.status
    return Results(tables, "optimal", status, status in PROVEN, (), None, about, violations_of(verdict))
