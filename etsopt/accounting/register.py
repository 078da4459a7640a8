"""Checks of the register: activities that fit the sector, and complexes of steel in one city."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from etsopt.accounting.schema import ACTIVITIES_OF, REGISTER
from etsopt.common.errors import Problem
from etsopt.common.language import _, chain
from etsopt.data.messages import counted
from etsopt.data.tables.headings import as_stated, in_schema
from etsopt.data.tables.validate import validate_table

if TYPE_CHECKING:
    from etsopt.data.tables.raw import RawTable


def validate_register(raw: RawTable) -> tuple[pd.DataFrame, list[Problem]]:
    """Validate the cells of the register, then each activity and complex; return it by unit, with its problems.

    Headings and words may be Chinese, as in a table of units; problems have those of the file.
    """
    found, problems = in_schema(raw, REGISTER, informal=True)
    units, of_cells = _validated(found) if not problems else (pd.DataFrame(), [])
    return units, [as_stated(problem, found) for problem in problems + of_cells]


def _validated(raw: RawTable) -> tuple[pd.DataFrame, list[Problem]]:
    units, problems = validate_table(raw, REGISTER)
    if problems:
        return units, problems
    pairs = zip(units["sector"], units["activity"], strict=True)
    wrong = [activity not in ACTIVITIES_OF[sector] for sector, activity in pairs]
    known = chain(
        (_("{sector} has {activities}", sector=name, activities=", ".join(own)) for name, own in ACTIVITIES_OF.items()),
        _("{first}; {second}"),
    )
    found = _problem(
        raw,
        units[wrong],
        "activity",
        (_("activity is not one of the sector"), _("activities are not of their sector")),
        _("Choose one of it: {known}.", known=known),
    )
    if "complex_id" not in units:
        return units, found
    joint = units[units["complex_id"] != ""]
    what = (_("unit of a complex is outside steel"), _("units of complexes are outside steel"))
    found += _problem(raw, joint[joint["sector"] != "steel"], "sector", what, _("Leave complex_id of it empty."))
    what = (_("complex has the id of a unit"), _("complexes have ids of units"))
    found += _problem(
        raw, joint[joint["complex_id"].isin(units["unit_id"])], "complex_id", what, _("Give it its own id.")
    )
    cities = joint["city"] if "city" in joint else joint["complex_id"].map(lambda name: "")
    apart = cities.groupby(joint["complex_id"]).transform(lambda cells: len(set(cells)) > 1 or "" in set(cells))
    what = (_("unit of a complex is not in its one city"), _("units of complexes are not in one city"))
    advice = _("State one city for all of a complex, or leave complex_id empty: its legal entities then report alone.")
    return units, found + _problem(raw, joint[apart.astype(bool)], "complex_id", what, advice)


def _problem(raw: RawTable, rows: pd.DataFrame, column: str, what: tuple[str, str], advice: str) -> list[Problem]:
    """Return the problem of some units, by the lines of the file; empty without units."""
    lines = dict(zip(map(str, raw.columns["unit_id"]), raw.rows, strict=True))
    cells = tuple(
        (str(lines.get(unit, f"of {unit}")), str(cell))
        for unit, cell in zip(rows["unit_id"], rows[column], strict=True)
    )
    return [Problem(raw.place, counted(len(cells), *what), advice, column, cells)] if cells else []
