"""What each cell of a record is; one that was changed into something else is named by its scenario and its field."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from etsopt.common.errors import Problem
from etsopt.common.language import _
from etsopt.studies.sweeping.outcome import ENDED

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

TEXT, WHOLE, REAL = (f"typeof({{0}}) = '{kind}'" for kind in ("text", "integer", "real"))
"""Conditions of a cell in SQL."""

KINDS = {
    "outcomes.status": f"{{0}} IN ({', '.join(map(repr, ENDED))})",
    "outcomes.certified": "{0} IN (0, 1)",
    "outcomes.seconds": f"{REAL} AND abs({{0}}) < 9e999",
    "labels.year": f"{TEXT} AND ({{0}} = '' OR {{0}} GLOB '[0-9][0-9][0-9][0-9]')",
    "values.value": REAL,
    **dict.fromkeys(("scenarios.number", "outcomes.number", "values.number", "labels.label", "values.label"), WHOLE),
}
"""Condition of each column that holds something else than texts."""

NAMES = {
    "about": "t.key",
    "scenarios": "t.name",
    "outcomes": "(SELECT name FROM scenarios AS s WHERE s.number = t.number)",
    "labels": "t.label",
    "values": "(SELECT name FROM scenarios AS s WHERE s.number = t.number)",
}
"""What names a row of each table."""

JSON = {"about": "value", "scenarios": "content"}
"""Columns of JSON."""


def wrong_cells(file: sqlite3.Connection, place: str) -> Iterator[Problem]:
    """Yield the fields of a record that have cells of another kind than theirs.

    Raises
    ------
    sqlite3.DatabaseError
        If the file is damaged, or holds a text that is none.
    """
    for table, name in NAMES.items():
        for column in [row[1] for row in file.execute(f'PRAGMA table_info("{table}")')]:
            is_right = KINDS.get(f"{table}.{column}", TEXT).format(f't."{column}"')
            query = f'SELECT {name}, t."{column}" FROM "{table}" AS t'
            cells = file.execute(f"{query} WHERE ({is_right}) IS NOT TRUE").fetchall()
            if not cells and JSON.get(table) == column:
                cells = [row for row in file.execute(query) if not _is_read(row[1], of_scenario=table == "scenarios")]
            if cells:
                what, advice = _("holds what no sweep keeps there"), _("Sweep again: a record is not changed by hand.")
                shown = tuple((str(row), str(cell)) for row, cell in cells)
                yield Problem(place, what, advice, f"{table}.{column}", shown)
        for _row in file.execute(f'SELECT * FROM "{table}"') if table != "values" else ():
            # SQLite takes any bytes for a text: each is decoded once, and an error is one of the file.
            pass


def _is_read(text: str, of_scenario: bool) -> bool:
    """Return True if a text is JSON, and of a scenario has its changes and factors."""
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return False
    parts = [read.get(part) for part in ("changes", "factors")] if isinstance(read, dict) else [read]
    return not of_scenario or all(isinstance(part, dict) for part in parts)
