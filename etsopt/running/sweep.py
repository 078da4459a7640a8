"""Solve one instance under many policies, and keep the answer of every unit and the status of each policy."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.errors import StoppedError, UsageError
from etsopt.language import _, ngettext
from etsopt.progress import checkpoint, watched
from etsopt.rules import as_given, parameters_of
from etsopt.running import library, methods, model_inputs
from etsopt.running.compiling import CompiledModels
from etsopt.running.policy_reads import ignored_keys, reads_years
from etsopt.running.provenance import Clock, name_of
from etsopt.running.solve_task import SolveTask
from etsopt.solving.options import SolveOptions
from etsopt.solving.solution import Solution, Termination

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt.documents.document import Document

ANSWERS_SHOWN = 6
"""Policies whose answers a notebook shows."""

UNCHECKED = "unchecked"
"""Status of an answer that was not checked."""


@dataclass(frozen=True)
class Sweep:
    """Answers of the units under many policies.

    Parameters
    ----------
    answers
        One row a unit by its ``unit_id``, one column a policy by its number; absent if a policy has no solution.
    levels
        One row a policy and objective: ``policy, level, value, unit``.
    terminations
        Reason for which the solve of each policy stopped.
    statuses
        Status of each policy, as in `Results.status`; ``unchecked`` for an answer that was not checked.
    """

    answers: pd.DataFrame
    levels: pd.DataFrame
    terminations: list[str]
    statuses: list[str]

    def _repr_html_(self) -> str:
        """Return status and objectives of each policy, and the first answers, for a notebook."""
        from etsopt.documents.notebook import output

        return output(_document(self))


def _document(swept: Sweep) -> Document:
    """Return status and objectives of each policy, and the answers of the first ones."""
    from etsopt.documents.columns import heading
    from etsopt.documents.document import Column, Document, Section, Table, clauses, named
    from etsopt.documents.quantities import NAME, WHOLE_TONNES, in_unit
    from etsopt.results.words import STATUSES
    from etsopt.vocabulary import word

    units = dict(zip(swept.levels["level"], swept.levels["unit"], strict=True))
    values = swept.levels.set_index(["policy", "level"])["value"].to_dict()
    objectives = (Column.of_figures(word("level", name), unit.replace("rate", "")) for name, unit in units.items())
    columns = (Column(_("policy"), NAME), Column(_("status")), *objectives)
    rows = tuple(
        (
            number,
            STATUSES.get(status, status),
            *(in_unit(values.get((number, name), np.nan), units[name]) for name in units),
        )
        for number, status in enumerate(swept.statuses)
    )
    first = swept.answers.iloc[:, :ANSWERS_SHOWN]
    answer = WHOLE_TONNES._replace(unit="")
    heads = (Column(heading("unit_id")), *(Column(_("policy {number}", number=number), answer) for number in first))
    tables = (
        Table(_("Policies"), columns, rows, key="policies"),
        Table(_("Answers of units"), heads, tuple(first.itertuples(name=None)), key="answers"),
    )
    title = ngettext("{count:,} policy", "{count:,} policies", len(swept.statuses))
    counts = (named(STATUSES.get(status, status), f"{count:,}") for status, count in Counter(swept.statuses).items())
    return Document(title, title, "", clauses(counts), False, sections=(Section("policies", "", tables),))


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
        Changes of the policy, each as `Instance.with_policy` takes them.
    model
        Name of a model with a function `answer`, such as `allocation`, whose answer is its allowances.
    checked
        Check every answer; without that a sweep is quicker, and its answers are ``unchecked``.
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
    found = library.choose(model)
    if found.answer is None:
        raise UsageError(
            _("The model {model} has no function `answer`.", model=model), _("Solve it with etsopt.solve.")
        )
    chosen = model_inputs.with_own_options(found, SolveOptions(**options))
    about = {"model": name_of(model), "options": {"gap": chosen.gap}}
    kept, answers, levels, terminations, statuses = CompiledModels(), [], [], [], []
    # Ctrl-C ends the policy that is being solved, and those after it before they begin.
    with watched(tell=chosen.progress):
        for number, change in enumerate(changes):
            limited = instance.with_policy(change)
            parameters_of(limited)
            limited = as_given(limited, reads_years(found))
            ignored_keys(found, limited)
            method = methods.choose(model, limited, chosen)
            if method.name != "pyomo":
                method = replace(method, build=kept)
            task = SolveTask(found, model, limited, chosen, method, about, Clock(), ())
            with watched(chosen.time_limit_s):
                solution, answer, status = _solved(task, checked)
            answers.append(answer)
            levels += [(number, level.name, level.value, level.unit) for level in solution.levels]
            terminations.append(str(solution.termination))
            statuses.append(status)
    table = pd.DataFrame(np.array(answers).T.reshape(len(instance.units), -1), index=instance.units["unit_id"])
    objectives = pd.DataFrame(levels, columns=["policy", "level", "value", "unit"])
    return Sweep(table, objectives, terminations, statuses)


def _solved(task: SolveTask, checked: bool) -> tuple[Solution, NDArray[np.float64], str]:
    """Return the solution of one policy, its answer, NaN without one, and its status."""
    instance = task.instance
    nothing = np.full(len(instance.units), np.nan)
    try:
        checkpoint()
        solution = task.solve_all(task.model.parameters(instance))
    except StoppedError as stopped:
        return Solution(Termination(stopped.termination), {}, ()), nothing, "none"
    if not isinstance(solution, Solution):
        # The infeasibility is explained and checked; it is no objective of the policy.
        return Solution(Termination(solution.termination), {}, ()), nothing, solution.status
    if not solution.values:
        return solution, nothing, task.checked(solution).status
    status = task.checked(solution).status if checked else UNCHECKED
    assert task.model.answer is not None
    return solution, task.model.answer(instance, solution), status
