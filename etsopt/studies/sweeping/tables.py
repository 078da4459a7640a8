"""Tables of a sweep, as a record writes them and as Python gets them: its scenarios, and their numbers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd

from etsopt.studies.sweeping.outcome import Label

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

    from etsopt.studies.sweeping.outcome import Outcome

OUTCOME = ("scenario", "status", "termination", "certified", "message")
"""Columns of the table of scenarios before those of their changes."""

NUMBERS = ["scenario", *Label._fields[:-1], "value", "unit"]
"""Columns of the tidy table of numbers."""


def scenario_table(ended: Iterable[tuple[Any, ...]], stated: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return every scenario with its outcome, and the changes in which they differ, one column a key.

    Parameters
    ----------
    ended
        Values of the columns `OUTCOME` of each.
    stated
        Its changes and factors by key.
    """
    rows = [*ended]
    table = pd.DataFrame(rows, columns=[*OUTCOME])
    # Messages stay texts, which a page shows in its language.
    messages = pd.Series([row[-1] for row in rows], dtype=object)
    table = table.assign(certified=table["certified"].astype(bool), message=messages)
    changes = pd.DataFrame([_as_cells(one) for one in stated], index=table.index, dtype=object)
    differ = [key for key in changes if len(set(map(str, changes[key]))) > 1]
    return pd.concat([table, changes[differ]], axis=1)


def _as_cells(stated: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a scenario states as cells: numbers and texts as they are, others as JSON."""
    return {key: json.dumps(one) if isinstance(one, dict | list) else one for key, one in stated.items()}


def number_table(outcomes: Iterable[tuple[Hashable, Outcome]]) -> pd.DataFrame:
    """Return the numbers of outcomes as a tidy table, with the status of each.

    One that failed or is infeasible has a row without a number, whose ``id`` is its message.

    Parameters
    ----------
    outcomes
        Name of the scenario and its outcome.
    """
    rows: list[tuple[Any, ...]] = []
    for name, outcome in outcomes:
        rows += [(name, *label[:-1], value, label.unit, outcome.status) for label, value in outcome.values.items()]
        if outcome.message or not outcome.values:
            rows.append((name, "", "", "", "", str.__str__(outcome.message), "", float("nan"), "", outcome.status))
    table = pd.DataFrame(rows, columns=[*NUMBERS, "status"])
    return table.assign(year=pd.to_numeric(table["year"]).astype("Int64"))
