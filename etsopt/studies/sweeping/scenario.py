"""One scenario of a sweep: changes of policy keys, and factors on columns of the tables."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from etsopt.common.errors import DataError, Problem, brief
from etsopt.common.language import _
from etsopt.data.messages import did_you_mean
from etsopt.data.tables.schema import SECTORS, SUPPLY, TABLES
from etsopt.studies.sweeping.sampling import Distribution

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt.data.tables.table import Column

    Floats = NDArray[np.float64]

BY_NAME = {table.name: table for table in TABLES}

PLACE = _("the changed tables")
"""Place of the problems of a scenario, as "the changed policy" is that of its keys of the policy."""

Factor = float | tuple[Distribution, int]
"""A factor of all rows, or a distribution and a seed by which each row draws one of its own."""


class Planned(Protocol):
    """A plan: what is solved, in scenarios that are all known before, or found by a search."""

    @property
    def model(self) -> str:
        """Name of the model."""

    @property
    def options(self) -> dict[str, Any]:
        """Options of each solve."""

    @property
    def tables(self) -> tuple[str, ...] | None:
        """Tables whose numbers are kept, or ``table.column`` for those of one column."""

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        """Scenarios known before."""

    @property
    def about(self) -> dict[str, Any]:
        """What they share."""

    @property
    def hash(self) -> str:
        """SHA-256 of what decides them."""

    @property
    def count(self) -> int:
        """Number of all scenarios, those that a search has not found yet included."""

    def scenario(self, number: int, stated: Mapping[str, Any]) -> Scenario | None:
        """Return the scenario of a number, of a search the one with the values that are stated; None without one."""


@dataclass(frozen=True)
class Scenario:
    """A named set of changes.

    Parameters
    ----------
    name
        Unique in its sweep, such as ``grid-2/sample-017``.
    changes
        New values of policy keys, as `Instance.with_policy` takes them.
    factors
        Factors on columns by ``table.column``, or ``table.column.sector`` for the rows of one sector.
    """

    name: str
    changes: dict[str, Any] = field(default_factory=dict)
    factors: dict[str, Factor] = field(default_factory=dict)

    def with_others(self, other: Scenario) -> Scenario:
        """Return this scenario with the changes of another one, whose name follows."""
        name = "/".join(filter(None, (self.name, other.name)))
        return Scenario(name, self.changes | other.changes, self.factors | other.factors)

    def of(self, instance: Instance) -> Instance:
        """Return the changed instance.

        Raises
        ------
        DataError
            If a key, table or column is unknown, or a value leaves its range.
        """
        problems: list[Problem] = []
        for key, factor in self.factors.items():
            try:
                instance = _scaled(instance, key, factor)
            except DataError as error:
                problems += error.problems
        try:
            changed = instance.with_policy(self.changes)
        except DataError as error:
            if not problems:
                raise
            problems += error.problems
        if problems:
            raise DataError(_("The scenario {name!r}", name=self.name), problems)
        return changed

    @property
    def changes_and_factors(self) -> dict[str, Any]:
        """Changes and factors by key; a factor that each row draws is its distribution and seed."""
        return {**self.changes, **dict(_as_json(self))}

    @property
    def content(self) -> str:
        """Changes and factors as JSON, the same for the same scenario."""
        return json.dumps({"changes": self.changes, "factors": dict(_as_json(self))}, sort_keys=True)

    def statement(self, shared: str) -> tuple[str, str, str]:
        """Return name, content, and key: the SHA-256 of the content and of what all scenarios of the sweep share."""
        return self.name, self.content, hashlib.sha256(f"{shared}\n{self.content}".encode()).hexdigest()


def _as_json(scenario: Scenario) -> Iterator[tuple[str, Any]]:
    for key, factor in scenario.factors.items():
        if isinstance(factor, tuple):
            yield key, {**factor[0].model_dump(exclude_none=True), "seed": factor[1]}
        else:
            yield key, factor


NOTHING = Scenario("").content
"""Content of a scenario without changes."""


def stated_in(content: str) -> dict[str, Any]:
    """Return the changes and factors of a scenario by key."""
    read = json.loads(content)
    return {**read["changes"], **read["factors"]}


def is_column(key: str) -> bool:
    """Return True if a key names a column of a table, and no key of the policy."""
    return key.partition(".")[0] in BY_NAME


def problem_of_column(key: str, place: str) -> Problem | None:
    """Return what is wrong with the names of a key of a column, whatever the instance; None if nothing is."""
    table, _dot, rest = key.partition(".")
    name, _dot, sector = rest.partition(".")
    known = [column.name for column in BY_NAME[table].columns if column.number and not column.whole]
    if name not in known:
        advice = _("{guess}Use one of {known}.", guess=did_you_mean(name, known), known=", ".join(known))
        return Problem(place, _("is no column of numbers that a factor may change"), advice, key)
    # A source of supply is known by the instance alone.
    if sector and sector not in SECTORS and table != SUPPLY.name:
        return Problem(place, _("names no sector"), _sector_advice(table, name, sector), key)
    return None


def _sector_advice(table: str, name: str, sector: str) -> str:
    return _(
        "{guess}Write {table}.{name}, or one of {sectors} after it.",
        guess=did_you_mean(sector, SECTORS),
        table=table,
        name=name,
        sectors=", ".join(SECTORS),
    )


def _scaled(instance: Instance, key: str, factor: Factor) -> Instance:
    """Return the instance with one column multiplied by a factor."""
    table, column, rows = _place(instance, key)
    frame = getattr(instance, table)
    cells = frame[column.name].to_numpy(dtype=float)
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.where(rows, cells * factors(factor, key, len(frame)), cells)
    if problems := list(_out_of_range(key, frame, column, scaled)):
        raise DataError(_("The sweep"), problems)
    return replace(instance, **{table: frame.assign(**{column.name: scaled})})


def _place(instance: Instance, key: str) -> tuple[str, Column, NDArray[np.bool_]]:
    """Return table and column of a key, and True for each row that it names."""
    if problem := problem_of_column(key, PLACE):
        raise DataError(_("The sweep"), [problem])
    table, name, *below = key.split(".", 2)
    frame: pd.DataFrame | None = getattr(instance, table, None)
    if frame is None or name not in frame:
        advice = _("Leave the key out, or add the column to the instance.")
        what = _("is not in the instance {name!r}", name=instance.name)
        raise DataError(_("The sweep"), [Problem(PLACE, what, advice, key)])
    column = BY_NAME[table].column(name)
    if not below:
        return table, column, np.ones(len(frame), dtype=bool)
    (sector,) = below
    if "sector" not in frame:
        what = _("names a sector, which the table {table} does not have", table=table)
        raise DataError(_("The sweep"), [Problem(PLACE, what, _sector_advice(table, name, sector), key)])
    rows = (frame["sector"] == sector).to_numpy()
    if table == SUPPLY.name:
        rows = rows | (frame["supply_id"] == sector).to_numpy()
        if not rows.any():
            what = _("names neither a sector nor a source of supply")
            guess = did_you_mean(sector, frame["supply_id"].unique()) or _sector_advice(table, name, sector)
            raise DataError(_("The sweep"), [Problem(PLACE, what, guess, key)])
    return table, column, rows


def factors(factor: Factor, key: str, count: int) -> float | Floats:
    """Return the factor of all rows, or one for each row, drawn by the seed and the key, shape ``(count,)``."""
    if not isinstance(factor, tuple):
        return factor
    distribution, seed = factor
    # Columns of one scenario draw independently of each other.
    own = int.from_bytes(hashlib.sha256(f"{seed} {key}".encode()).digest()[:8], "big")
    drawn: Floats = distribution.quantiles(np.random.default_rng(own).random(count)).astype(float)
    return drawn


def _out_of_range(key: str, frame: pd.DataFrame, column: Column, scaled: Floats) -> Iterator[Problem]:
    least = -np.inf if column.at_least is None else column.at_least
    most = np.inf if column.at_most is None else column.at_most
    above = -np.inf if column.above is None else column.above
    wrong = ~(np.isnan(scaled) | ((scaled >= least) & (scaled <= most) & (scaled > above) & np.isfinite(scaled)))
    if wrong.any():
        cells = tuple((str(frame.index[row] + 1), brief(float(scaled[row]))) for row in wrong.nonzero()[0])
        what = _(
            "leads to {count:,} values out of range: expected {value}",
            count=len(cells),
            value=column.limits or "finite numbers",
        )
        yield Problem(PLACE, what, _("Correct the factor."), key, cells)
