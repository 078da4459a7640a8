"""The outcome of one scenario: its status, and the numbers of its tables as rows of one tidy table."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from etsopt.common.language import _, chain, in_both
from etsopt.common.units import format_tonnes
from etsopt.data.messages import did_you_mean
from etsopt.running.results.words import STATUSES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from etsopt.running.results.levels import LevelResult
    from etsopt.running.results.results import Results

TOTALS = (
    *("sectors", "provinces", "years", "sector_years", "balance_values", "equilibrium"),
    *("compliance_sectors", "compliance_provinces", "nation", "outlook", "outlook_years"),
)
"""Tables whose numbers are kept if a sweep names none."""

LEVELS = "levels"
"""Name of the objectives among the tables."""

LABELS = ("sector", "province", "year")
IDENTIFIERS = (
    *("enterprise_id", "unit_id", "measure_id", "quantity_id", "statement_id"),
    *("level", "row", "index", "cause", "case"),
)
"""Columns that say what a row is about, if they are there; the latter together are its ``id``."""

UNITS = {
    **{"_t": "t", "_tco2e": "tCO2e", "_cny": "CNY", "_cny_per_t": "CNY/t"},
    **{"_rate": "1", "_share": "1", "_days": "days"},
}
"""Unit of a column of numbers by the end of its name; the longest one counts."""

PROVEN = ("certified_optimal", "certified_gap", "certified_rounded", "certified_program", "calculated")
"""Statuses of an answer that is proven."""

NO_ANSWER = ("infeasible_certified", "infeasible_program")
"""Statuses of scenarios that are proven to have no answer."""

FAILED = ("failed", "lost", "none")
"""Statuses without an answer that may be different when the scenario is solved again."""

UNCHECKED = "unchecked"
"""Status of an answer that was not checked."""


ENDED = STATUSES | {
    "pending": _("not solved yet"),
    "failed": _("failed with an error"),
    "lost": _("lost with its worker"),
    UNCHECKED: _("not checked"),
}
"""How a scenario ended, in words."""


class Label(NamedTuple):
    """What a number is: its table, its row, its column and its unit; absent parts are empty texts."""

    table: str
    sector: str
    province: str
    year: str
    id: str
    quantity: str
    unit: str


_label = lru_cache(100_000)(Label)
"""A label is one object in all outcomes of a process, since they have the same ones."""


@dataclass(frozen=True)
class Outcome:
    """What came of one scenario.

    Parameters
    ----------
    number
        Number of the scenario in its sweep, from 0 on.
    status, termination
        As in `Results`; status ``failed`` with an error, ``lost`` with the worker that had it, ``unchecked`` if the
        answer was not checked.
    certified
        True if the status is proven.
    seconds
        Time of changes, solve and check.
    message
        The error, or what makes an infeasible scenario feasible; else empty.
    values
        Every kept number by its label.
    answer
        Number of every unit, shape ``(units,)``, which no record keeps; None without one, or if none is asked for.
    """

    number: int
    status: str
    termination: str
    certified: bool
    seconds: float
    message: str
    values: dict[Label, float]
    answer: NDArray[np.float64] | None = field(default=None, compare=False)

    def hash(self, scenario: tuple[str, str, str] | None) -> str:
        """Return the SHA-256 of all of it but the answer, and of its scenario by name, content and key."""
        # SQLite keeps no sign of zero.
        rows = sorted((*label, (float(value) + 0.0).hex()) for label, value in self.values.items())
        said = [self.status, self.termination, bool(self.certified), float(self.seconds).hex(), in_both(self.message)]
        return hashlib.sha256(json.dumps([scenario, *said, rows]).encode()).hexdigest()


def message_of(results: Results, tables: tuple[str, ...] | None) -> str:
    """Return how far an infeasible scenario is from a feasible one, or which tables to keep an answer does not have."""
    if found := results.violations:
        return _("{count:,} violations, the first: {first}", count=len(found), first=found[0]["message"])
    if results.termination != "infeasible":
        missing = [_missing(results, name) for name in tables or () if results.tables and not _is_there(results, name)]
        return chain(missing, _("{first} {second}")) if missing else ""
    lacking = results.infeasible_by_t
    parts = [] if lacking is None else [_("infeasible by at least {tonnes} t", tonnes=format_tonnes(lacking))]
    parts += [_("{name}: {text}", name=remedy.way, text=remedy.text) for remedy in results.remedies]
    return chain(parts or [_("infeasible")], _("{first}; {second}"))


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


def numbers_of(results: Results, tables: tuple[str, ...] | None) -> dict[Label, float]:
    """Return the finite numbers of the objectives and of the tables to keep, or of single columns of them."""
    values = dict(_of_levels(results.levels))
    for name, _dot, column in (one.partition(".") for one in (TOTALS if tables is None else tables)):
        if name in results.tables:
            for labels, numbers in _of_table(name, results.tables[name], column):
                values.update(
                    (label, float(number))
                    for label, number in zip(labels, numbers, strict=True)
                    if math.isfinite(number)
                )
    return values


def _of_levels(levels: Sequence[LevelResult]) -> Iterator[tuple[Label, float]]:
    """Yield value and bound of each objective."""
    for level in levels:
        for quantity, value in (("value", level.value), ("bound", level.bound)):
            if math.isfinite(value):
                yield _label(LEVELS, "", "", "", level.name, quantity, level.unit), float(value)


def _of_table(
    name: str, table: pd.DataFrame | Mapping[str, NDArray[Any]], only: str = ""
) -> Iterator[tuple[list[Label], Sequence[float]]]:
    """Yield the labels and numbers of each column of a table, or those of one column."""
    kept = [column for column in table if not only or column in (only, *LABELS, *IDENTIFIERS, "price_unit")]
    if isinstance(table, pd.DataFrame):
        own = table[kept] if only else table
        kinds = {str(column): kind.kind for column, kind in own.dtypes.items()}
        # All cells at once: each column that pandas is asked for costs as much as a dozen of numbers.
        cells = dict(zip(kinds, zip(*own.to_numpy(dtype=object).tolist(), strict=True), strict=False))
    else:
        kinds = {column: table[column].dtype.kind for column in kept}
        cells = {column: tuple(table[column].tolist()) for column in kept}
    names = (column for column in (*LABELS, *IDENTIFIERS, "price_unit") if column in cells)
    about = tuple((column, tuple(map(_word, cells[column]))) for column in names)
    columns = [column for column, kind in kinds.items() if kind in "biuf" and column not in (*LABELS, *IDENTIFIERS)]
    for column in columns:
        values = cells.get(column, ())
        yield _labels(name, column, about, len(values)), values


# Tables of the same rows have the same labels in every outcome of a process.
@lru_cache(256)
def _labels(name: str, column: str, about: tuple[tuple[str, tuple[str, ...]], ...], rows: int) -> list[Label]:
    """Return the labels of a column of numbers, from the words that say what each row is about."""
    words, blank = dict(about), ("",) * rows
    where = [words.get(label, blank) for label in LABELS]
    parts = [words[identifier] for identifier in IDENTIFIERS if identifier in words]
    ids = ["/".join(part) for part in zip(*parts, strict=True)] if parts else blank
    units = words["price_unit"] if "price_unit" in words and column.startswith("price_") else (unit_of(column),) * rows
    return [
        _label(name, sector, province, year, one, column, unit)
        for sector, province, year, one, unit in zip(*where, ids, units, strict=True)
    ]


def _word(cell: Any) -> str:
    """Return the text of a cell, empty without a value."""
    return "" if cell is None or cell is pd.NA or cell != cell else str(cell)


def unit_of(column: str) -> str:
    """Return the unit of a column of numbers by its name, empty for a count.

    >>> unit_of("allowance_t"), unit_of("price_cny_per_t"), unit_of("units")
    ('t', 'CNY/t', '')
    """
    fitting = [ending for ending in UNITS if column.endswith(ending)]
    return UNITS[max(fitting, key=len)] if fitting else ""
