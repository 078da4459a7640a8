"""One instance under many policies, where only the answer of every unit and its certificate count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.data.former_names import MODELS, current, current_options
from etsopt.data.groups import Groups
from etsopt.errors import StoppedError, UsageError
from etsopt.progress import checkpoint, watched
from etsopt.rules import as_given, parameters_of
from etsopt.running import library, methods, model_inputs, run
from etsopt.running.policy_reads import ignored_keys
from etsopt.running.provenance import Clock
from etsopt.running.solve_task import Step
from etsopt.solving.options import SolveOptions
from etsopt.solving.solution import Solution, Termination

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from etsopt.compiler.compiled import CompiledModel
    from etsopt.data.instance import Instance
    from etsopt.program.program import Program
    from etsopt.running.model import Model

UNCHECKED = "unchecked"
"""Status of an answer that was not checked."""

MOST_STAMPS = 16
"""Programs of so many shapes are kept for policies to come."""


@dataclass(frozen=True)
class Sweep:
    """What becomes of the units under many policies.

    Parameters
    ----------
    answers
        One row a unit by its ``unit_id``, one column a policy by its number; absent where a policy has no solution.
    levels
        One row a policy and level: ``policy, level, value, unit``.
    terminations
        Why the solve of each policy stopped.
    statuses
        What is held of each policy, as `Results.status` says it; ``unchecked`` for an answer that nobody checked.
    """

    answers: pd.DataFrame
    levels: pd.DataFrame
    terminations: list[str]
    statuses: list[str]


def sweep(
    instance: Instance,
    changes: Iterable[Mapping[str, Any]],
    model: str = "allocation",
    *,
    checked: bool = True,
    **options: Any,
) -> Sweep:
    """Solve a model under many policies; each answer and its status are those of `etsopt.solve`.

    Parameters
    ----------
    changes
        Of the policy, each as `Instance.with_policy` takes them.
    model
        Name of a model that says what its answer is, as `allocation` does: its allowances.
    checked
        Whether every answer is checked; without that a sweep is quicker, and its answers are ``unchecked``.
    options
        As `etsopt.solve` takes them; a time limit counts for each policy by itself.

    Raises
    ------
    DataError, UsageError, ModelError, SolverError
        As `etsopt.solve` does; an infeasible policy is none.

    Examples
    --------
    >>> import etsopt
    >>> policies = [{"sectors.cement.target_t": target} for target in (557_200.0, 558_000.0)]
    >>> swept = etsopt.sweep(etsopt.read("tiny"), policies)
    >>> swept.answers.round().T
    unit_id   north-1   north-2   south-1
    0        101500.0  297300.0  158400.0
    1        101700.0  297900.0  158400.0
    >>> swept.statuses
    ['certified_optimal', 'certified_optimal']
    """
    model = current("model", MODELS, model)
    found = library.choose(model)
    if isinstance(changes, Mapping):
        raise UsageError("The changes are one mapping.", "Give a list of them, one for each policy.")
    if found.answer is None:
        raise UsageError(f"The model {model} does not say what its answer is.", "Solve it with etsopt.solve.")
    chosen = model_inputs.with_gap(found, SolveOptions(**current_options(options)))
    about = run.kind_of(found) | {"options": {"gap": chosen.gap}}
    kept, answers, levels, terminations, statuses = CompiledModels(), [], [], [], []
    # Ctrl-C ends the policy that is being solved, and those after it before they begin.
    with watched(tell=chosen.progress):
        for number, change in enumerate(changes):
            limited = instance.with_policy(change)
            parameters_of(limited)
            limited = as_given(limited)
            ignored_keys(found, limited)
            method = methods.choose(model, limited, chosen)
            if method.name != "pyomo":
                method = replace(method, build=kept)
            step = Step(found, model, limited, chosen, method, about, Clock(), ())
            with watched(chosen.time_limit_s):
                solution, answer, status = _solved(step, checked)
            answers.append(answer)
            levels += [(number, level.name, level.value, level.unit) for level in solution.levels]
            terminations.append(str(solution.termination))
            statuses.append(status)
    table = pd.DataFrame(np.array(answers).T.reshape(len(instance.units), -1), index=instance.units["unit_id"])
    held = pd.DataFrame(levels, columns=["policy", "level", "value", "unit"])
    return Sweep(table, held, terminations, statuses)


def _solved(step: Step, checked: bool) -> tuple[Solution, NDArray[np.float64], str]:
    """Solution of one policy, its answer, absent where there is none, and its status."""
    instance = step.instance
    nothing = np.full(len(instance.units), np.nan)
    try:
        checkpoint()
        solution = step.solve_all(step.found.parameters(instance))
    except StoppedError as stopped:
        return Solution(Termination(stopped.termination), {}, ()), nothing, "none"
    if not isinstance(solution, Solution):
        # What lacks has been explained and checked; it is no level of the policy.
        return Solution(Termination(solution.termination), {}, ()), nothing, solution.status
    if not solution.values:
        return solution, nothing, step.checked(solution).status
    status = step.checked(solution).status if checked else UNCHECKED
    assert step.found.answer is not None
    return solution, step.found.answer(instance, solution), status


class CompiledModels:
    """Compile a model on data; where only numbers differ from a program made before, only their readers are evaluated.

    The stamps used last are kept, so that a sweep needs no more memory for many policies than for some.
    """

    def __init__(self) -> None:
        self._stamps: dict[Any, CompiledModel] = {}

    def __call__(self, model: Model, parameters: dict[str, Any]) -> Program:
        """Program of a model on its data."""
        shape = model, *(np.shape(value) for value in parameters.values() if not isinstance(value, Groups))
        stamp = self._stamps.pop(shape, None)
        program = None if stamp is None else stamp.renew(parameters)
        if stamp is None or program is None:
            stamp = methods.stamp_of(model, parameters)
            program = stamp.program
        # What was put in last stands last.
        self._stamps[shape] = stamp
        if len(self._stamps) > MOST_STAMPS:
            del self._stamps[next(iter(self._stamps))]
        return program
