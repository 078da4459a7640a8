"""Solve a model on an instance until the deadline: the model that it starts from, its program, and its passes."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from etsopt.checking import Answer, Question, judge
from etsopt.checking.theorem import THEOREMS
from etsopt.checking.verdict import PROVEN
from etsopt.common.errors import StoppedError
from etsopt.common.language import _
from etsopt.common.progress import checkpoint, tell, unlimited
from etsopt.modelling import CalculationModel, OptimisedModel, PreparedModel
from etsopt.modelling.solving.solution import Termination
from etsopt.running import library, methods, model_inputs
from etsopt.running.compiling import CompiledModels, compiled_program
from etsopt.running.provenance import StageTimes, provenance
from etsopt.running.results.claims import violations_of
from etsopt.running.results.notices import Facts
from etsopt.running.results.results import Results
from etsopt.running.solve_task import SolveTask

if TYPE_CHECKING:
    from collections.abc import Callable

    from etsopt.checking.readings.instance_inputs import InstanceInputs
    from etsopt.common.provenance import Provenance
    from etsopt.data.instance import Instance
    from etsopt.modelling import Model, Prepared, TablesBefore
    from etsopt.modelling.solving.options import SolveOptions
    from etsopt.modelling.solving.solution import Solution


class Solved(NamedTuple):
    """A solution of a model, and the task that makes its tables and checks them."""

    task: SolveTask
    solution: Solution

    def results(self, readings: InstanceInputs | None = None) -> Results:
        """Return the results, with tables and verdict, even after the deadline.

        Parameters
        ----------
        readings
            What the checker has read before, with which totals suffice for tables if a model states what proves them.
        """
        return self.task.checked(self.solution) if readings is None else self.task.claimed(self.solution, readings)


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
    times = StageTimes()
    method = methods.choose(model, instance, given)
    if method.name != "pyomo":
        method = replace(method, build=compiled)
    chosen = model_inputs.with_own_options(found, given)
    about = provenance(instance, model, chosen, method, times.seconds)
    try:
        checkpoint(_("parameters"))
        if isinstance(found, CalculationModel):
            tables = found.calculate(instance)
            times.lap("calculate")
            return _calculated(instance, tables, about, times)
        assert isinstance(found, OptimisedModel)
        first = None
        if name := found.starts_from if isinstance(found, PreparedModel) else "":
            own = methods.options_of_first(name, given)
            first = solve_model(library.load(name), instance, name, own, compiled)
            times.lap(name)
            if name not in first.tables or first.termination != "optimal":
                return _stopped_at(name, first, about)
        prepare = partial(model_inputs.prepared_for, found, instance, chosen, method)
        new_task = partial(SolveTask, found, model, instance, chosen, method, about, times, first=first)
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
            task.times.lap("build")
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


def _calculated(instance: Instance, tables: Any, about: Provenance, times: StageTimes) -> Results:
    """Return the results of a calculation, which has nothing to optimise."""
    verdict = None
    if about.model in THEOREMS:
        with unlimited():
            tell(_("check"))
            verdict = judge(Question(instance, about.model), Answer(tables))
    times.lap("check")
    status = "feasible" if verdict is None else verdict.status
    return Results(tables, "optimal", status, status in PROVEN, (), None, about, violations_of(verdict))
