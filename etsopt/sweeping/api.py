"""The public function `etsopt.sweep`: many scenarios of one instance, as a list of policies or by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, overload

import pandas as pd

from etsopt.errors import DataError, UsageError, brief
from etsopt.language import _
from etsopt.running.sweep import Sweep
from etsopt.running.sweep import sweep as sweep_policies
from etsopt.sweeping.names import unknown_names
from etsopt.sweeping.outcome import Label
from etsopt.sweeping.plan import PLACE, SweepPlan, scenario_of
from etsopt.sweeping.scenario import is_column
from etsopt.sweeping.sweep import outcomes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from etsopt.data.instance import Instance
    from etsopt.sweeping.outcome import Outcome
    from etsopt.sweeping.scenario import Scenario
    from etsopt.sweeping.sweep import Progress

COLUMNS = ["scenario", *Label._fields[:-1], "value", "unit", "status"]
"""Columns of the tidy table."""


@overload
def sweep(
    instance: Instance, changes: Mapping[str, Mapping[str, Any]] | SweepPlan, model: str = "allocation", **options: Any
) -> pd.DataFrame: ...


@overload
def sweep(
    instance: Instance, changes: Iterable[Mapping[str, Any]], model: str = "allocation", **options: Any
) -> Sweep: ...


def sweep(
    instance: Instance,
    changes: Mapping[str, Mapping[str, Any]] | SweepPlan | Iterable[Mapping[str, Any]],
    model: str = "allocation",
    *,
    checked: bool = True,
    workers: int = 1,
    scheduler: str = "",
    tables: Sequence[str] | None = None,
    told: Callable[[Progress], None] | None = None,
    **options: Any,
) -> Sweep | pd.DataFrame:
    """Solve a model under many policies; each answer and its status are those of `etsopt.solve`.

    Parameters
    ----------
    changes
        A list of changes of the policy, each as `Instance.with_policy` takes them, for the answers of all units; or
        scenarios by name, for totals and prices of any model as a tidy table. A scenario may also multiply a column by
        a factor: ``{"dearer": {"measures.capex_cny_per_t": 1.2}}``. A plan, as `etsopt.sweeping.read_plan` returns it,
        has grids and samples too, and states model, tables and options itself.
    model
        Name of a model; for a list, one with a function `answer`, such as ``allocation``.
    checked
        Check every answer; without that a sweep of a list is quicker, and its answers are ``unchecked``.
    workers, scheduler
        Of scenarios by name: processes of a local cluster of Dask, or the address of a scheduler that runs already. A
        script that asks for processes needs ``if __name__ == "__main__":``.
    tables
        Of scenarios by name: tables whose numbers are kept, or ``table.column`` for one column; default totals of
        sectors, provinces and years.
    told
        Of scenarios by name: receiver of the progress after each one, a `etsopt.sweeping.Progress`. The logger
        ``etsopt`` has a line every half minute as well, at the level INFO.
    options
        As `etsopt.solve` takes them; a time limit counts for each policy by itself.

    Returns
    -------
    Sweep or pandas.DataFrame
        Of a list a `Sweep`. Of scenarios one row a number: ``scenario, table, sector, province, year, id, quantity,
        value, unit, status``. One that failed or is infeasible has a row without a number, whose ``id`` says why.

    Raises
    ------
    DataError, UsageError, ModelError, SolverError
        As `etsopt.solve` does; an infeasible policy is none. Of scenarios by name every unknown model, key, column or
        sector is reported before the first solve, and any other error is the outcome of its scenario.

    Examples
    --------
    >>> import etsopt
    >>> scenarios = {"today": {}, "tighter": {"sectors.cement.target_change": -0.005}}
    >>> numbers = etsopt.sweep(etsopt.read("tiny"), scenarios)
    >>> chosen = numbers[(numbers["table"] == "sectors") & (numbers["quantity"] == "allowance_t")]
    >>> chosen[["scenario", "sector", "value", "unit", "status"]].round().to_dict("records")[1]["scenario"]
    'tighter'

    Show where a long sweep stands:

    >>> def shown(now):
    ...     print(f"{now.done} of {now.of}, {now.last.status}, {now.left_s:.0f} s left")
    >>> numbers = etsopt.sweep(etsopt.read("tiny"), {"today": {}}, told=shown)
    1 of 1, certified_optimal, 0 s left
    """
    if isinstance(changes, SweepPlan):
        return _tidy(changes, instance, workers, scheduler, told)
    if not isinstance(changes, Mapping):
        of_names = {"workers": workers != 1, "scheduler": scheduler, "tables": tables is not None, "told": told}
        if given := [name for name, stated in of_names.items() if stated]:
            what = _("A list of policies is solved in this process: {given} is for scenarios by name.", given=given[0])
            raise UsageError(what, _("Give scenarios by name, or leave it out."))
        return sweep_policies(instance, changes, model, checked=checked, **options)
    for name, one in changes.items():
        if not isinstance(one, Mapping):
            what = _("The changes of {name} are {one}: expected a mapping.", name=brief(name), one=brief(one))
            raise UsageError(what, _("Give a list of mappings, or a mapping of names to mappings."))
        for key, factor in one.items():
            if is_column(key) and (not isinstance(factor, int | float) or isinstance(factor, bool)):
                text = _("The factor of {key} in {name} is {factor}: expected a number.")
                what = _(text, key=key, name=brief(name), factor=brief(factor))
                raise UsageError(what, _("Give a number by which the column is multiplied."))
    if not checked:
        raise UsageError(
            _("Scenarios by name are always checked."), _("Give a list of mappings for unchecked answers.")
        )
    scenarios = tuple(scenario_of(str(name), one) for name, one in changes.items())
    kept = None if tables is None else tuple(tables)
    plan = SweepPlan(instance.name, model, options, kept, scenarios)
    changes_of_all = {key: value for one in changes.values() for key, value in one.items()}
    if problems := list(unknown_names(model, changes_of_all, PLACE)):
        raise DataError(_("The sweep"), problems)
    return _tidy(plan, instance, workers, scheduler, told)


def _tidy(
    plan: SweepPlan, instance: Instance, workers: int, scheduler: str, told: Callable[[Progress], None] | None
) -> pd.DataFrame:
    """Solve a plan and return its numbers in the order of its scenarios."""
    found = outcomes_of(plan, instance, workers, scheduler, told)
    return table_of(plan.scenarios, sorted(found, key=lambda one: one.number))


def table_of(scenarios: Sequence[Scenario], outcomes: Iterable[Outcome]) -> pd.DataFrame:
    """Return the numbers of outcomes as a tidy table, with the status of each."""
    rows: list[tuple[Any, ...]] = []
    for outcome in outcomes:
        name = scenarios[outcome.number].name
        for label, value in outcome.values.items():
            rows.append((name, *label[:-1], value, label.unit, outcome.status))
        if outcome.message or not outcome.values:
            rows.append((name, "", "", "", "", outcome.message, "", float("nan"), "", outcome.status))
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.assign(year=pd.to_numeric(table["year"]).astype("Int64"))
