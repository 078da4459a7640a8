"""A design search as a page tells it: its record, its designs, and the units of its goals."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etsopt.common.language import _
from etsopt.presenting.charts.designs import phrases
from etsopt.presenting.charts.fronts import GoalOf, choices, front
from etsopt.presenting.charts.texts import Number
from etsopt.presenting.documents.keys import axis_of
from etsopt.studies.designing.plan import ENACTED, design_of_record
from etsopt.studies.designing.search import designs_of
from etsopt.studies.sweeping.outcome import NO_ANSWER
from etsopt.studies.sweeping.sweep_document import RecordSummary, record_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from etsopt.presenting.charts.chart import Chart
    from etsopt.presenting.charts.designs import Axis
    from etsopt.studies.designing.plan import DesignPlan
    from etsopt.studies.sweeping.record import Record

RECORD = "design.sqlite"
"""Name of the record in the folder of a design search."""


@dataclass(frozen=True)
class DesignSummary(RecordSummary):
    """The record of a design search, with its tables."""

    plan: DesignPlan
    scenarios: pd.DataFrame
    designs: pd.DataFrame
    units: Mapping[str, str]
    """Unit of each goal and limit."""

    @classmethod
    def read(cls, folder: Path) -> DesignSummary:
        """Read the record of a folder.

        Raises
        ------
        UsageError
            If the folder has none, or another process holds it.
        """
        with record_in(folder, RECORD, _("Name a folder written by `etsopt design`.")) as record:
            plan = design_of_record(record.about)
            units = _units(plan, record)
            name = folder.resolve().name
            return cls(record.about, name, plan, record.scenarios, designs_of(plan, record), units)

    @cached_property
    def front(self) -> pd.DataFrame:
        """Designs that no other one beats, by the first goal, the best first."""
        (name, goal), *_ = self.plan.goals.items()
        found = self.designs[self.designs["on_front"]]
        return found.sort_values(name, ascending=goal.best == "least", kind="stable")

    @property
    def enacted(self) -> pd.Series[Any] | None:
        """The enacted design; None if the search ended before it was solved."""
        found = self.designs[self.designs["design"] == ENACTED]
        return found.iloc[0] if len(found) else None

    @property
    def numbers(self) -> dict[str, Number]:
        """Goals and limits with their units; their names are those of the file."""
        names = (*self.plan.goals, *self.plan.limits)
        return {name: Number(name, name, self.units.get(name, "")) for name in names}

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """Keys that are chosen, with the place of each design."""
        return tuple(axis_of(key, self.designs[key].tolist()) for key in self.plan.choose)

    @property
    def charts(self) -> tuple[Chart, ...]:
        """Goals against each other, with the front; and what designs choose."""
        goals = [GoalOf(self.numbers[name], goal.best) for name, goal in self.plan.goals.items()]
        designs = self.designs.assign(infeasible=self.designs["status"].isin(NO_ANSWER))
        return (
            front(designs, goals, phrases(self.axes), ENACTED, self.about),
            choices(designs, self.axes, goals, ENACTED, self.about["instance"]),
        )


def _units(plan: DesignPlan, record: Record) -> dict[str, str]:
    """Return the unit of each goal and limit, from the first outcome that has it."""
    found: dict[str, str] = {}
    asked = {**plan.goals, **plan.limits}
    for number in sorted(record.known):
        values = record.outcome(number).values
        for name in asked.keys() - found.keys():
            if (unit := asked[name].unit(values)) is not None:
                found[name] = unit
        if len(found) == len(asked):
            break
    return found
