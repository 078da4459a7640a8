"""Search designs by a genetic algorithm (NSGA-II of optuna), a generation at a time, on the engine of sweeps.

The optimiser only asks and is told: it proposes the designs of a generation, which are solved and checked as scenarios
of a sweep, and hears goals and excesses of limits. It is the same for the same seed, so a search that was ended goes on
by asking again; designs whose outcome is in the record are not solved again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.common.errors import StoppedError, UsageError
from etsopt.common.language import _
from etsopt.common.modules import optional
from etsopt.data.messages import did_you_mean
from etsopt.studies.designing.front import front_of
from etsopt.studies.designing.plan import ENACTED, Range, enacted_of
from etsopt.studies.sweeping.checked import begin
from etsopt.studies.sweeping.engine import Engine
from etsopt.studies.sweeping.names import check_names
from etsopt.studies.sweeping.outcome import PROVEN
from etsopt.studies.sweeping.progress import collect
from etsopt.studies.sweeping.workers import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from etsopt.data.instance import Instance
    from etsopt.studies.designing.plan import DesignPlan
    from etsopt.studies.sweeping.engine import Numbered
    from etsopt.studies.sweeping.outcome import Outcome
    from etsopt.studies.sweeping.progress import Progress
    from etsopt.studies.sweeping.record import Record
    from etsopt.studies.sweeping.scenario import Scenario


def load_optuna() -> Any:
    """Return the package that proposes designs.

    Raises
    ------
    UsageError
        If it is not installed.
    """
    optuna = optional(
        "optuna",
        _("A design search needs optuna, which is not installed."),
        _('Install it: pip install "etsopt[design]"'),
    )
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


@dataclass(frozen=True)
class Judgement:
    """What a design reaches: its goals and limited numbers, None where its outcome has no such number."""

    plan: DesignPlan
    goals: dict[str, float | None]
    limits: dict[str, float | None]

    @property
    def complete(self) -> bool:
        """True if every goal and limit has a number."""
        return None not in (*self.goals.values(), *self.limits.values())

    @property
    def excess(self) -> dict[str, float]:
        """How far each number is beyond its limits, zero or less within them."""
        found = {name: value for name, value in self.limits.items() if value is not None}
        return {name: self.plan.limits[name].excess(value) for name, value in found.items()}

    @property
    def within_limits(self) -> bool:
        """True if every number is there and within its limits."""
        return self.complete and all(excess <= 0 for excess in self.excess.values())


def judged(plan: DesignPlan, outcome: Outcome) -> Judgement:
    """Judge an outcome; one that is not proven has no numbers."""
    values = outcome.values if outcome.status in PROVEN else {}
    goals, limits = (
        {name: number.of(values) for name, number in numbers.items()} for numbers in (plan.goals, plan.limits)
    )
    return Judgement(plan, goals, limits)


def search(
    plan: DesignPlan,
    instance: Instance,
    record: Record,
    *,
    resume: bool = False,
    workers: int = 1,
    scheduler: str = "",
    progress: Callable[[Progress], None] | None = None,
) -> str:
    """Search designs generation by generation; return why it ended: ``optimal`` or ``interrupted``.

    Parameters
    ----------
    instance
        The instance of the plan, which states the enacted design.
    record
        An open record, new or of this search.
    resume
        Go on with a record that has outcomes.
    workers, scheduler
        As of a sweep.
    progress
        Receiver of the progress after each design.

    Raises
    ------
    UsageError
        If optuna is not installed, the record is of another search, or has outcomes and ``resume`` is not asked for, or
        an answer does not have a number of a goal or limit.
    DataError
        If the design names what the instance, its rule or the model does not have or read.
    """
    optuna = load_optuna()
    require_names(plan, instance)
    begin(record, plan.of_enacted(instance), instance, resume)
    best = {"least": "minimize", "largest": "maximize"}
    sampler = optuna.samplers.NSGAIISampler(population_size=plan.population, seed=plan.seed)
    study = optuna.create_study(directions=[best[goal.best] for goal in plan.goals.values()], sampler=sampler)
    try:
        with opened(Engine.of(plan, instance), workers, scheduler) as solve:
            run = _Run(record, solve, plan.count, progress)
            _require_numbers(plan, run.outcomes(0, [plan.design(ENACTED, {})])[0])
            for generation in range(plan.generations):
                _one_generation(optuna, study, plan, generation, run)
    except StoppedError as stopped:
        return stopped.termination
    return "optimal"


def require_names(plan: DesignPlan, instance: Instance) -> None:
    """Raise DataError for names that the instance, its rule or the model does not have or read."""
    check_names(instance, plan.model, [plan.first], plan.file, _("The design"))


def _require_numbers(plan: DesignPlan, outcome: Outcome) -> None:
    """Raise UsageError for a goal or limit whose number a proven answer does not have, before designs are solved."""
    for name, number in (plan.goals | plan.limits).items():
        if outcome.status not in PROVEN or number.of(outcome.values) is not None:
            continue
        known = sorted({label.quantity for label in outcome.values if label.table == number.table})
        what = _(
            "The answer has no number for {name}: {quantity!r} of the table {table!r}.",
            name=name,
            quantity=number.quantity,
            table=number.table,
        )
        if number.quantity in known:
            raise UsageError(what, _("Correct its sector, province, year or id, or leave them out."))
        tables = sorted({label.table for label in outcome.values})
        guess = did_you_mean(number.quantity, known) if known else did_you_mean(number.table, tables)
        listed = ", ".join(known or tables)
        raise UsageError(what, _("{guess}Use one of {known}.", guess=guess, known=listed))


def _one_generation(optuna: Any, study: Any, plan: DesignPlan, generation: int, run: _Run) -> None:
    """Ask for the designs of a generation, solve those that are not known, and tell what they reach."""
    trials = [study.ask() for _ in range(plan.population)]
    first = 1 + generation * plan.population
    designs = [
        plan.design(plan.name_of(number), _proposed(trial, plan.choose)) for number, trial in enumerate(trials, first)
    ]
    for trial, outcome in zip(trials, run.outcomes(first, designs), strict=True):
        found = judged(plan, outcome)
        if not found.complete:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
            continue
        for name, excess in found.excess.items():
            trial.set_constraint(name, excess)
        study.tell(trial, list(found.goals.values()))


def _proposed(trial: Any, choose: Mapping[str, Range | list[Any]]) -> dict[str, Any]:
    """Return the values that the optimiser proposes."""
    return {
        key: trial.suggest_float(key, one.lower, one.upper, log=one.log)
        if isinstance(one, Range)
        # Lists of lists or tables are proposed by place.
        else one[trial.suggest_int(key, 0, len(one) - 1)]
        for key, one in choose.items()
    }


@dataclass
class _Run:
    """The record, and the function that solves scenarios."""

    record: Record
    solve: Callable[[Sequence[Numbered]], Iterator[Outcome]]
    total: int
    progress: Callable[[Progress], None] | None

    def outcomes(self, first: int, designs: Sequence[Scenario]) -> list[Outcome]:
        """Return the outcomes of designs in their order; those in the record are not solved again."""
        numbered = list(enumerate(designs, first))
        self.record.extend(numbered)
        known = self.record.known
        missing = [(number, design) for number, design in numbered if number not in known]
        ended = collect(self.solve(missing), self.total, self.record.add, self.progress, done=len(known))
        if ended != "optimal":
            raise StoppedError(ended)
        return [self.record.outcome(number) for number, _ in numbered]


def designs_of(plan: DesignPlan, record: Record) -> pd.DataFrame:
    """Return every design with what was chosen and what it reaches.

    Returns
    -------
    pandas.DataFrame
        A row a design: ``design, status, certified``, a column for each key that may be chosen, one for each goal and
        limit in its unit, ``within_limits``, ``on_front``: no other proven design within the limits beats it, and
        ``same_goals``: designs that reach the same goals as one on the front, of which the first alone is on it.
    """
    rows, enacted = [], enacted_of(record.about)
    for number in sorted(record.known):
        outcome = record.outcome(number)
        found = judged(plan, outcome)
        name, chosen = record.scenario(number)
        chosen = enacted if name == ENACTED else chosen
        about = {"design": name, "status": outcome.status, "certified": outcome.certified}
        reached = {**found.goals, **found.limits, "within_limits": found.within_limits}
        rows.append({**about, **{key: chosen.get(key) for key in plan.choose}, **reached})
    columns = ["design", "status", "certified", *plan.choose, *plan.goals, *plan.limits, "within_limits"]
    table = pd.DataFrame(rows, columns=columns)
    # A whole number stays one, although the enacted design may state nothing.
    table = table.assign(**{key: pd.Series([row[key] for row in rows], dtype=object) for key in plan.choose})
    front = np.zeros(len(table), dtype=bool)
    within = table["within_limits"].to_numpy(dtype=bool)
    signs = [1.0 if goal.best == "least" else -1.0 for goal in plan.goals.values()]
    front[within] = front_of(table.loc[within, [*plan.goals]].to_numpy(dtype=float) * signs)
    of_goals = [tuple(f"{value:.9g}" for value in row) for row in table.loc[front, [*plan.goals]].to_numpy(dtype=float)]
    same: dict[tuple[str, ...], list[int]] = {}
    for goals, row in zip(of_goals, np.flatnonzero(front).tolist(), strict=True):
        same.setdefault(goals, []).append(row)
    others = np.full(len(table), "", dtype=object)
    for group in same.values():
        front[group[1:]] = False
        for row in group:
            others[row] = ", ".join(table["design"].iloc[one] for one in group if one != row)
    return table.assign(on_front=front, same_goals=others)
