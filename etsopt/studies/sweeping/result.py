"""What `etsopt.sweep` returns: its scenarios and their numbers as tables, and the answers of all units."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.common.language import _, ngettext
from etsopt.studies.sweeping.outcome import ENDED, LEVELS, Outcome
from etsopt.studies.sweeping.tables import number_table, scenario_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from etsopt.presenting.documents.document import Document
    from etsopt.studies.sweeping.engine import Engine
    from etsopt.studies.sweeping.plan import SweepPlan

ANSWERS_SHOWN = 6
"""Scenarios whose answers a notebook shows."""


@dataclass(frozen=True, eq=False, repr=False)
class Sweep:
    """Many scenarios of one instance, solved.

    Parameters
    ----------
    scenarios
        One row a scenario, ``scenario, status, termination, certified, message``, and the changes in which scenarios
        differ, one column a key. Status and termination are as in `Results`; also ``failed`` with an error as its
        message, ``lost`` with the worker that had it, ``unchecked`` if the answer was not checked, and ``none`` if the
        sweep was stopped before.
    answers
        One row a unit by its ``unit_id``, one column a scenario; NaN where a scenario has no solution. It has no column
        if answers are not kept.
    outcomes
        What came of each scenario, in their order, without its answer.
    plan
        What was solved.
    """

    scenarios: pd.DataFrame
    answers: pd.DataFrame
    outcomes: tuple[Outcome, ...]
    plan: SweepPlan

    @classmethod
    def of(cls, plan: SweepPlan, names: Sequence[Any], engine: Engine, found: Iterable[Outcome], ended: str) -> Sweep:
        """Return the tables of the outcomes of an engine, which came in any order.

        Parameters
        ----------
        names
            Name of each scenario of the plan, which need not be a text.
        ended
            Reason for which scenarios without an outcome were not solved.
        """
        units = pd.Index(engine.instance.units["unit_id"])
        solved = {one.number: one for one in found}
        pending = (Outcome(number, "none", ended, False, 0.0, "", {}) for number in range(len(names)))
        outcomes = tuple(solved.get(one.number, one) for one in pending)
        each = [*zip(names, outcomes, strict=True)]
        rows = ((name, one.status, one.termination, one.certified, one.message) for name, one in each)
        scenarios = scenario_table(rows, (one.changes_and_factors for one in plan.scenarios))
        nothing = np.full(len(units), np.nan)
        columns = {name: nothing if one.answer is None else one.answer for name, one in each if engine.answer}
        without = tuple(replace(one, answer=None) for one in outcomes)
        return cls(scenarios, pd.DataFrame(columns, units), without, plan)

    def __repr__(self) -> str:
        return f"<Sweep of {len(self.outcomes):,} scenarios: {dict(Counter(self.statuses))}>"

    @property
    def statuses(self) -> list[str]:
        """Status of each scenario."""
        return self.scenarios["status"].tolist()

    @property
    def terminations(self) -> list[str]:
        """Reason for which the solve of each scenario stopped."""
        return self.scenarios["termination"].tolist()

    @cached_property
    def numbers(self) -> pd.DataFrame:
        """One row a number: ``scenario, table, sector, province, year, id, quantity, value, unit, status``.

        A scenario that failed or is infeasible has a row without a number, whose ``id`` is its message.
        """
        return number_table(zip(self.scenarios["scenario"], self.outcomes, strict=True))

    @cached_property
    def levels(self) -> pd.DataFrame:
        """One row a scenario and objective: ``scenario, level, value, unit``; none of one that is infeasible."""
        infeasible = self.scenarios.loc[self.scenarios["termination"] == "infeasible", "scenario"]
        found = self.numbers[(self.numbers["table"] == LEVELS) & (self.numbers["quantity"] == "value")]
        found = found[~found["scenario"].isin(infeasible)]
        return found.rename(columns={"id": "level"})[["scenario", "level", "value", "unit"]].reset_index(drop=True)

    def _repr_html_(self) -> str:
        """Return status and objectives of each scenario, and the first answers, for a notebook."""
        from etsopt.presenting.documents.notebook import output

        return output(_document(self))


def _document(swept: Sweep) -> Document:
    """Return status and objectives of each scenario, and the answers of the first ones."""
    from etsopt.common.vocabulary import word
    from etsopt.presenting.documents.columns import heading
    from etsopt.presenting.documents.document import Column, Document, Section, Table, clauses, named
    from etsopt.presenting.documents.quantities import NAME, WHOLE_TONNES, quantity_in

    names, levels = swept.scenarios["scenario"], swept.levels
    units = dict(zip(levels["level"], levels["unit"], strict=True))
    objectives = (Column(word("level", name), quantity_in(unit)) for name, unit in units.items())
    columns = (Column(_("scenario"), NAME), Column(_("status")), *objectives)
    values = levels.pivot_table("value", "scenario", "level", aggfunc="first").reindex(names, columns=[*units])
    ended = (ENDED.get(status, status) for status in swept.statuses)
    rows = tuple((*row, *found) for *row, found in zip(names, ended, values.to_numpy().tolist(), strict=True))
    tables = [Table(_("Scenarios"), columns, rows, key="scenarios")]
    if len(first := swept.answers.iloc[:, :ANSWERS_SHOWN].columns):
        answer = WHOLE_TONNES._replace(unit="")
        heads = (Column(heading("unit_id")), *(Column(str(name), answer) for name in first))
        answers = tuple(swept.answers[[*first]].itertuples(name=None))
        tables.append(Table(_("Answers of units"), heads, answers, key="answers"))
    title = ngettext("{count:,} scenario", "{count:,} scenarios", len(swept.statuses))
    counts = (named(ENDED.get(status, status), f"{count:,}") for status, count in Counter(swept.statuses).items())
    return Document(title, title, "", clauses(counts), False, sections=(Section("scenarios", "", tuple(tables)),))
