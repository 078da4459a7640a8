"""Run a sweep: all scenarios into tables, or those that have no outcome yet into a record."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from etsopt.common.errors import DataError, UsageError, brief
from etsopt.common.language import _
from etsopt.common.progress import LOGGER
from etsopt.running.run import require_instance
from etsopt.studies.sweeping.checked import begin
from etsopt.studies.sweeping.engine import Engine
from etsopt.studies.sweeping.names import check_names, unknown_names
from etsopt.studies.sweeping.outcome import PROVEN
from etsopt.studies.sweeping.plan import PLACE, SweepPlan, scenario_of
from etsopt.studies.sweeping.progress import collect
from etsopt.studies.sweeping.result import Sweep
from etsopt.studies.sweeping.scenario import is_column
from etsopt.studies.sweeping.workers import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from etsopt.data.instance import Instance
    from etsopt.studies.sweeping.outcome import Outcome
    from etsopt.studies.sweeping.progress import Progress
    from etsopt.studies.sweeping.record import Record


def sweep(
    instance: Instance,
    changes: Iterable[Mapping[str, Any]] | Mapping[Any, Mapping[str, Any]] | SweepPlan,
    model: str | Path = "allocation",
    *,
    workers: int = 1,
    scheduler: str = "",
    tables: Sequence[str] | None = None,
    answers: bool = True,
    checked: bool = True,
    progress: Callable[[Progress], None] | None = None,
    **options: Any,
) -> Sweep:
    """Solve a model in many scenarios; each answer and its status are those of `etsopt.solve`.

    Parameters
    ----------
    changes
        Changes of each scenario: a list, whose scenarios are named by their number, or a mapping of names. A key of the
        policy has its new value, as `Instance.with_policy` takes it, and a column the factor by which it is multiplied:
        ``{"dearer": {"measures.capex_cny_per_t": 1.2}}``. A plan, as `etsopt.sweeping.read_plan` returns it, has grids
        and samples too, and states model, tables and options itself.
    model
        Name of a model, or path of a model file.
    workers, scheduler
        Processes of a local cluster of Dask, or the address of a scheduler that runs already. A script that asks for
        processes needs ``if __name__ == "__main__":``.
    tables
        Tables whose numbers are kept, or ``table.column`` for one column; default totals of sectors, provinces and
        years.
    answers
        Keep the answer of every unit, if the model states one, such as the allowances of ``allocation``: eight bytes a
        unit and scenario.
    checked
        Make the tables of every answer and check them. Without that a sweep is quicker: its numbers are the objectives
        alone, and its answers are ``unchecked``.
    progress
        Receiver of the progress after each scenario, a `etsopt.sweeping.Progress`, such as ``print``. The logger
        ``etsopt`` has a line every half minute as well, at the level INFO.
    options
        As `etsopt.solve` takes them; a time limit counts for each scenario by itself.

    Returns
    -------
    Sweep
        Tables of scenarios, numbers, objectives and answers. After Ctrl-C those that were not solved have the status
        ``none`` and the termination ``interrupted``.

    Raises
    ------
    DataError
        With every unknown model, key, column or sector, before the first solve. Any other error is the outcome of its
        scenario, as is that a policy is infeasible.
    UsageError
        If the changes of a scenario are no mapping, a factor is no number, or an option is wrong; if several processes
        are asked for and dask is not installed, or no scheduler answers.
    LostClusterError
        If the scheduler ends.

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

    Scenarios by name, and where a long sweep stands:

    >>> scenarios = {"today": {}, "tighter": {"sectors.cement.target_change": -0.006}}
    >>> def shown(now):
    ...     print(f"{now.done} of {now.of}, {now.last.status}, {now.left_s:.0f} s left")
    >>> swept = etsopt.sweep(etsopt.read("tiny"), scenarios, progress=shown)  # doctest: +ELLIPSIS
    1 of 2, certified_optimal, ... s left
    2 of 2, certified_optimal, 0 s left
    >>> swept.numbers.query("table == 'sectors' and quantity == 'allowance_t'")["value"].tolist()
    [557200.0, 556640.0]
    """
    require_instance(instance)
    stated: Any = changes if isinstance(changes, Mapping | SweepPlan) else dict(enumerate(changes))
    given = isinstance(stated, SweepPlan)
    plan = stated if given else _plan_of(stated, instance.name, os.fspath(model), tables, options)
    names = [one.name for one in plan.scenarios] if given else [*stated]
    check_names(instance, plan.model, plan.scenarios, plan.place)
    engine = Engine.of(plan, instance, answers, checked)
    found: list[Outcome] = []
    warned = False

    def receive(now: Progress) -> None:
        nonlocal warned
        if now.last.status in PROVEN and now.last.message and not warned:
            # Such as a misspelt table to keep, which every other scenario would not have either.
            LOGGER.warning("%s: %s", names[now.last.number], now.last.message)
            warned = True
        if progress is not None:
            progress(now)

    with opened(engine, workers, scheduler) as solve:
        ended = collect(solve([*enumerate(plan.scenarios)]), len(names), found.extend, receive)
    return Sweep.of(plan, names, engine, found, ended)


def _plan_of(
    changes: Mapping[Any, Mapping[str, Any]], instance: str, model: str, tables: Any, options: dict[str, Any]
) -> SweepPlan:
    """Return the plan of scenarios by name that no file states."""
    for name, one in changes.items():
        if not isinstance(one, Mapping):
            what = _("The changes of {name} are {one}: expected a mapping.", name=brief(name), one=brief(one))
            raise UsageError(what, _("Give a list of mappings, or a mapping of names to mappings."))
        for key, factor in one.items():
            if is_column(key) and (not isinstance(factor, int | float) or isinstance(factor, bool)):
                text = _("The factor of {key} in {name} is {factor}: expected a number.")
                what = _(text, key=key, name=brief(name), factor=brief(factor))
                raise UsageError(what, _("Give a number by which the column is multiplied."))
    of_all = {key: value for one in changes.values() for key, value in one.items()}
    if problems := list(unknown_names(model, of_all, PLACE)):
        raise DataError(_("The sweep"), problems)
    scenarios = tuple(scenario_of(str(name), one) for name, one in changes.items())
    return SweepPlan(instance, model, options, None if tables is None else (*tables,), scenarios)


def run_plan(
    plan: SweepPlan,
    instance: Instance,
    record: Record,
    *,
    resume: bool = False,
    retry_failed: bool = False,
    only: str = "",
    workers: int = 1,
    scheduler: str = "",
    progress: Callable[[Progress], None] | None = None,
) -> str:
    """Solve the scenarios of a sweep that have no outcome, and return why it ended: ``optimal`` or ``interrupted``.

    Parameters
    ----------
    instance
        The instance of the plan, as `etsopt.read` returns it.
    record
        An open record, new or of this sweep.
    resume, retry_failed
        Go on with a record that has outcomes; with those again that failed.
    only
        Pattern of names of scenarios to solve.
    workers
        Processes of a local cluster of Dask; one solves in this process.
    scheduler
        Address of the scheduler of a cluster that runs already.
    progress
        Receiver of the progress after each scenario.

    Raises
    ------
    DataError
        With every name that the instance, its rule or the model does not have or read, before a solve.
    UsageError
        If the record is of another sweep, has outcomes and ``resume`` is not asked for, or no name fits; or if several
        processes are asked for and dask is not installed, or no scheduler answers.
    LostClusterError
        If the scheduler ends; the outcomes before are kept.
    OSError
        If the record cannot be written; the outcomes before are kept.
    """
    check_names(instance, plan.model, plan.scenarios, plan.place)
    begin(record, plan, instance, resume or retry_failed or bool(only))
    numbers = record.pending(retry_failed, only)
    if only and not numbers and not record.known:
        what = _("No scenario has a name like {only!r}.", only=only)
        raise UsageError(what, _("The first is {name!r}.", name=plan.scenarios[0].name))
    chosen = [(number, plan.scenarios[number]) for number in numbers]
    where = (workers, scheduler) if chosen else (1, "")
    with opened(Engine.of(plan, instance), *where) as solve:
        return collect(solve(chosen), len(chosen), record.add, progress)
