"""Tables of the store. Rows are only ever added, each with the entry of the journal that brought it.

A quantity is identified by unit, month, process, item, flow and batch; each of its versions is a row of ``rows``.
"""

from __future__ import annotations

from typing import Any

from etsopt.accounting.schema import ADDED_TO_REGISTER, REGISTER, ROWS

Connection = Any
"""A connection of DuckDB, which is optional and untyped."""

FORMAT = 1
"""Version of these tables; a store of a higher one was written by a newer release."""

KEY = ("unit_id", "month", "process", "item", "flow", "batch")
"""Columns that identify a quantity."""

CONTENT = (*(column.name for column in ROWS.columns if column.name not in (*KEY, "version")), "own")
"""Columns in which versions of a quantity differ; ``own`` has the user's columns as JSON."""

UNIT = (*(column.name for column in REGISTER.columns if column.name not in ADDED_TO_REGISTER), "own")
"""Columns of a unit; those that registers did not have when the tables were made are beside the user's in ``own``."""

_KEY = dict.fromkeys(KEY, "VARCHAR")
_TYPE = {column.name: "DOUBLE" if column.number else "VARCHAR" for column in (*REGISTER.columns, *ROWS.columns)}
_DECIDED = {"level": "VARCHAR", "who": "VARCHAR", "decided_on": "VARCHAR"}

TABLES: dict[str, dict[str, str]] = {
    "about": {"name": "VARCHAR", "value": "VARCHAR"},
    # The journal: imports, files of decisions, single decisions. `at_utc` is in UTC, `what` a sentence.
    "entries": {"entry": "INTEGER", "at_utc": "TIMESTAMP", "kind": "VARCHAR", "what": "VARCHAR"},
    "imports": {
        "entry": "INTEGER",
        **dict.fromkeys(("rows_new", "rows_corrected", "rows_unchanged"), "BIGINT"),
        **dict.fromkeys(("units_new", "units_changed"), "BIGINT"),
    },
    "sources": {"entry": "INTEGER", "folder": "VARCHAR", "file": "VARCHAR", "bytes": "BIGINT", "sha256": "VARCHAR"},
    "units": {"entry": "INTEGER", **{name: _TYPE.get(name, "VARCHAR") for name in UNIT}},
    "parameters": {"entry": "INTEGER", "content": "VARCHAR"},
    # `stated_version` is that of the file, 0 for a correction of the review.
    "rows": {
        **{"entry": "INTEGER", "position": "BIGINT", "file": "VARCHAR", "line": "BIGINT"},
        **_KEY,
        **{name: _TYPE.get(name, "VARCHAR") for name in CONTENT},
        **{"version": "INTEGER", "stated_version": "INTEGER"},
    },
    # Rows of decision files that were applied, by the hash of their cells.
    "decisions": {"entry": "INTEGER", "sha256": "VARCHAR"},
    "passes": {"entry": "INTEGER", **_DECIDED, **_KEY, "version": "INTEGER"},
    "findings": {
        **{"finding": "INTEGER", "entry": "INTEGER"},
        **_DECIDED,
        "rule": "VARCHAR",
        **_KEY,
        **{"size_t": "DOUBLE", "reason": "VARCHAR", "reason_zh": "VARCHAR"},
    },
    "closings": {"entry": "INTEGER", **_DECIDED, "finding": "INTEGER", "reason": "VARCHAR"},
    # Who corrected a quantity and why; `restored_version` is 0 for a new figure.
    "corrections": {
        "entry": "INTEGER",
        **_DECIDED,
        **_KEY,
        **{"version": "INTEGER", "restored_version": "INTEGER", "reason": "VARCHAR"},
    },
}
"""Columns and types of every table."""


def statements() -> list[str]:
    """Return the SQL that creates the tables of a new store."""
    nullable = {name for name, kind in _TYPE.items() if kind == "DOUBLE"} - {"quantity"}
    return [
        f'CREATE TABLE "{table}" ('
        + ", ".join(f'"{name}" {kind}{"" if name in nullable else " NOT NULL"}' for name, kind in columns.items())
        + ")"
        for table, columns in TABLES.items()
    ]


def join_on(left: str, right: str, columns: tuple[str, ...] = KEY) -> str:
    """Return the SQL condition that two rows agree in columns; absent numbers agree."""
    return " AND ".join(f'{left}."{name}" IS NOT DISTINCT FROM {right}."{name}"' for name in columns)


def listed(columns: tuple[str, ...], table: str = "") -> str:
    """Return columns as SQL, of a table if one is named."""
    return ", ".join(f'{table}."{name}"' if table else f'"{name}"' for name in columns)
