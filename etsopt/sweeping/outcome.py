"""The outcome of one scenario: its status, and the numbers of its tables as rows of one tidy table."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import pandas as pd

from etsopt.data.messages import did_you_mean
from etsopt.errors import EtsoptError, StoppedError
from etsopt.language import _
from etsopt.running.run import solve
from etsopt.units import format_tonnes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from etsopt.data.instance import Instance
    from etsopt.results.results import Results
    from etsopt.sweeping.scenario import Scenario

TOTALS = (
    *("sectors", "provinces", "years", "sector_years", "balance_values", "equilibrium"),
    *("compliance_sectors", "compliance_provinces", "nation"),
)
"""Tables whose numbers are kept if a sweep names none."""

LEVELS = "levels"
"""Name of the objectives among the tables."""

LABELS = ("sector", "province", "year")
IDENTIFIERS = (
    "enterprise_id",
    "unit_id",
    "measure_id",
    "quantity_id",
    "statement_id",
    "level",
    "row",
    "index",
    "cause",
)
"""Columns that say what a row is about, if they are there; the latter together are its ``id``."""

UNITS = {
    "_t": "t",
    "_tco2e": "tCO2e",
    "_cny": "CNY",
    "_cny_per_t": "CNY/t",
    "_rate": "1",
    "_share": "1",
    "_days": "days",
}
"""Unit of a column of numbers by the end of its name; the longest one counts."""

PROVEN = ("certified_optimal", "certified_gap", "certified_rounded", "certified_program", "calculated")
"""Statuses of an answer that is proven."""

NO_ANSWER = ("infeasible_certified", "infeasible_program")
"""Statuses of scenarios that are proven to have no answer."""

FAILED = ("failed", "lost", "none")
"""Statuses without an answer that may be different when the scenario is solved again."""


class Asked(Protocol):
    """What is solved in every scenario."""

    @property
    def model(self) -> str:
        """Name of the model."""

    @property
    def options(self) -> dict[str, Any]:
        """Options of each solve."""

    @property
    def tables(self) -> tuple[str, ...] | None:
        """Tables whose numbers are kept, or ``table.column`` for those of one column."""


class Label(NamedTuple):
    """What a number is: its table, its row, its column and its unit; absent parts are empty texts."""

    table: str
    sector: str
    province: str
    year: str
    id: str
    quantity: str
    unit: str


@dataclass(frozen=True)
class Outcome:
    """What came of one scenario.

    Parameters
    ----------
    number
        Number of the scenario in its sweep, from 0 on.
    status, termination
        As in `Results`; status ``failed`` with an error, ``lost`` with the worker that had it.
    certified
        True if the status is proven.
    seconds
        Time of changes, solve and check.
    message
        The error, or what makes an infeasible scenario feasible; else empty.
    values
        Every kept number by its label.
    """

    number: int
    status: str
    termination: str
    certified: bool
    seconds: float
    message: str
    values: dict[Label, float]

    def hash(self, scenario: tuple[str, str, str] | None) -> str:
        """Return the SHA-256 of all of it, and of its scenario by name, content and key."""
        # SQLite keeps no sign of zero.
        rows = sorted((*label, (float(value) + 0.0).hex()) for label, value in self.values.items())
        said = [self.status, self.termination, bool(self.certified), float(self.seconds).hex(), self.message]
        return hashlib.sha256(json.dumps([scenario, *said, rows]).encode()).hexdigest()


def outcome_of(
    number: int,
    scenario: Scenario,
    instance: Instance,
    model: str,
    options: Mapping[str, Any],
    tables: tuple[str, ...] | None = None,
) -> Outcome:
    """Solve a scenario; an error of its data is its outcome, and no error of the sweep.

    Raises
    ------
    StoppedError
        If a stop was requested meanwhile: there is no outcome.
    """
    began = time.perf_counter()
    try:
        results = solve(scenario.of(instance), model, **options)
    except StoppedError:
        raise
    except Exception as error:
        # One scenario must not end a sweep of thousands, whatever went wrong in it.
        said = str(error) if isinstance(error, EtsoptError) else f"{type(error).__name__}: {error}"
        return Outcome(number, "failed", "", False, time.perf_counter() - began, said, {})
    if results.termination == "interrupted":
        raise StoppedError("interrupted")
    values, said = dict(_values(results, tables)), _message(results, tables)
    seconds = time.perf_counter() - began
    return Outcome(number, results.status, results.termination, results.certified, seconds, said, values)


def _message(results: Results, tables: tuple[str, ...] | None) -> str:
    """Return how far an infeasible scenario is from a feasible one, or which tables to keep an answer does not have."""
    if results.violations:
        return f"{len(results.violations):,} violations, the first: {results.violations[0]['message']}"
    if results.termination != "infeasible":
        return " ".join(
            _missing(results, name) for name in tables or () if results.tables and not _is_there(results, name)
        )
    parts = (
        []
        if results.infeasible_by_t is None
        else [f"infeasible by at least {format_tonnes(results.infeasible_by_t)} t"]
    )
    parts += [f"{remedy.way[0]}: {remedy.text}" for remedy in results.remedies]
    return "; ".join(parts) or "infeasible"


def _is_there(results: Results, name: str) -> bool:
    """Return True if a result has a table, or the column of one, that is to be kept; no model has all the totals."""
    table, _, column = name.partition(".")
    frame = results.tables.get(table)
    return name in TOTALS if frame is None else not column or column in frame


def _missing(results: Results, name: str) -> str:
    """Say that a result has no such table, or its table no such column, with the nearest name."""
    table, _dot, column = name.partition(".")
    if table in results.tables:
        near = did_you_mean(column, map(str, results.tables[table])).rstrip()
        said = _("The table {table} of the result has no column {column}.", table=table, column=column)
    else:
        near = did_you_mean(table, results.tables).rstrip()
        said = _("The result has no table {table}.", table=table)
    return _("{first} {second}", first=said, second=near) if near else said


def _values(results: Results, tables: tuple[str, ...] | None) -> Iterator[tuple[Label, float]]:
    """Yield the finite numbers of the objectives and of the tables to keep, or of single columns of them."""
    for level in results.levels:
        for quantity, value, unit in (("value", level.value, level.unit), ("bound", level.bound, level.unit)):
            if np.isfinite(value):
                yield Label(LEVELS, "", "", "", level.name, quantity, unit), float(value)
    for name, _dot, column in (one.partition(".") for one in (TOTALS if tables is None else tables)):
        if name in results.tables:
            yield from _of_table(name, results.tables[name], column)


def _of_table(name: str, table: pd.DataFrame, only: str = "") -> Iterator[tuple[Label, float]]:
    """Yield the numbers of a table by label, column by column, or those of one column."""
    blank = [""] * len(table)
    where = [table[label].astype(str).tolist() if label in table else blank for label in LABELS]
    parts = [table[column].astype(str).tolist() for column in IDENTIFIERS if column in table]
    ids = ["/".join(part) for part in zip(*parts, strict=True)] if parts else blank
    for column in table:
        cells = table[column]
        of_rows = column in (*LABELS, *IDENTIFIERS) or not pd.api.types.is_numeric_dtype(cells.dtype)
        if of_rows or column != (only or column):
            continue
        priced = "price_unit" in table and str(column).startswith("price_")
        units = table["price_unit"].astype(str).tolist() if priced else [unit_of(str(column))] * len(table)
        for sector, province, year, one, unit, value in zip(*where, ids, units, cells.tolist(), strict=True):
            if np.isfinite(value):
                yield Label(name, sector, province, year, one, str(column), unit), float(value)


def unit_of(column: str) -> str:
    """Return the unit of a column of numbers by its name, empty for a count.

    >>> unit_of("allowance_t"), unit_of("price_cny_per_t"), unit_of("units")
    ('t', 'CNY/t', '')
    """
    fitting = [ending for ending in UNITS if column.endswith(ending)]
    return UNITS[max(fitting, key=len)] if fitting else ""
