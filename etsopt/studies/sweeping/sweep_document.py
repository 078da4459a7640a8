"""A sweep as a page tells it: its record, its statistics, and the numbers that come first."""

from __future__ import annotations

import shlex
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.common.errors import UsageError
from etsopt.common.language import _, joined
from etsopt.common.vocabulary import word
from etsopt.data.tables.provinces import name_of
from etsopt.presenting.charts.texts import Number
from etsopt.presenting.documents.columns import heading
from etsopt.presenting.documents.document import Commands, Facts, Section, report_command
from etsopt.reports.run import imprint
from etsopt.studies.sweeping.axes import decision_axes, drawn_axes, names_of
from etsopt.studies.sweeping.outcome import LEVELS, PROVEN
from etsopt.studies.sweeping.record import Record
from etsopt.studies.sweeping.sensitivity import SAME, SMALLEST, inputs_of, sensitivity
from etsopt.studies.sweeping.statistics import proven, states_of, summary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from etsopt.presenting.charts.designs import Axis

RECORD = "sweep.sqlite"
"""Name of the record in the folder of a sweep."""

FIRST = (
    ("years", "price_cny_per_t"),
    ("years", "emissions_tco2e"),
    ("years", "resource_cost_cny"),
    ("equilibrium", "price_cny_per_t"),
    ("equilibrium", "balance_value"),
    ("nation", "shortfall_t"),
    ("compliance_sectors", "allowance_t"),
    ("sectors", "allowance_t"),
    ("sectors", "surplus_rate"),
    ("sectors", "surplus_t"),
    ("sectors", "balance_value"),
)
"""Numbers that a page shows with a chart, table and column, if the sweep has them and they move; the first objective
precedes."""

OBJECTIVES = {
    "change": _("tonnes moved against the rule"),
    "largest_change": _("largest move of a unit"),
    "deficit": _("tonnes of deficit"),
    "cost": _("cost of all enterprises"),
}
"""Objectives in words."""

IN_TONNES = ("balance_value", "balance_value_before", "balance_value_lower", "balance_value_upper")
"""Columns in tonnes for each tonne of a product, where no power unit is among them."""

OUTCOME = ("scenario", "status", "termination", "certified", "message")
"""Columns of the table of scenarios before those of their changes."""

MOST_SHOWN = 6
"""Numbers with a chart."""


@dataclass(frozen=True)
class Shown:
    """A number with a chart: the rows of its statistics, one for each decision, sector and year."""

    number: Number
    table: str
    quantity: str
    rows: pd.DataFrame

    @property
    def by_year(self) -> bool:
        """True if it has several years."""
        return len(self.rows["year"].dropna().unique()) > 1

    @property
    def ends(self) -> pd.DataFrame:
        """Its rows of the last year."""
        return self.rows[self.rows["year"] == self.rows["year"].max()] if self.by_year else self.rows


@dataclass(frozen=True)
class RecordSummary:
    """The record of a sweep or a search."""

    record: Mapping[str, Any]
    """What it is about, as `Record.about` has it."""

    folder: str
    """Name of its folder, for commands."""

    @property
    def about(self) -> dict[str, Any]:
        """What it is about; its instance by name, wherever it lies."""
        return {**self.record, "instance": Path(str(self.record.get("instance", ""))).name}

    def reproduce(self, command: str, plan: str, *facts: tuple[str, str]) -> Section:
        """Return the section with the commands, versions and hashes that lead to the same tables.

        Parameters
        ----------
        command
            The command that solves it again.
        plan
            What its hash is of, in words.
        facts
            Further facts.
        """
        versions = joined(f"{name} {version}" for name, version in (self.record.get("versions") or {}).items())
        hashes = ((_("instance, SHA-256"), "instance_hash"), (plan, "plan"))
        stated = ((words, str(self.record.get(key, "–"))) for words, key in hashes)
        lines = (command, report_command(shlex.quote(self.folder)))
        found = Facts((*stated, *facts, (_("versions"), versions)))
        return Section("reproduce", _("How to reproduce it"), (Commands(lines), found))

    @property
    def imprint(self) -> str:
        """Last line of its pages."""
        version = (self.record.get("versions") or {}).get("etsopt", "")
        return imprint(version, str(self.record.get("instance_hash", "")))

    def kicker(self, done: str) -> str:
        """Return the line above the answer: instance, model, and what was done."""
        return " · ".join((self.about["instance"], str(self.about.get("model", "")), str(done)))


@contextmanager
def record_in(folder: Path, name: str, advice: str) -> Iterator[Record]:
    """Yield the record of a folder.

    Raises
    ------
    UsageError
        If the folder has none, or another process holds it.
    """
    if not (folder / name).is_file():
        raise UsageError(_("{folder!r} holds no record {record}.", folder=str(folder), record=name), advice)
    with Record(folder / name) as record:
        yield record


@dataclass(frozen=True)
class SweepSummary(RecordSummary):
    """The record of a sweep, with its tables, in which scenarios are named by their values."""

    scenarios: pd.DataFrame
    values: pd.DataFrame

    @classmethod
    def read(cls, folder: Path) -> SweepSummary:
        """Read the record of a folder, in the language of the moment.

        Raises
        ------
        UsageError
            If the folder has none, or another process holds it.
        """
        with record_in(folder, RECORD, _("Name a folder written by `etsopt sweep`.")) as record:
            about, scenarios, values = record.about, record.scenarios, record.values
        stated = about.get("stated") or {}
        names = dict(zip(scenarios["scenario"], names_of(stated, scenarios["scenario"].tolist()), strict=True))
        renamed = (table.assign(scenario=table["scenario"].map(names)) for table in (scenarios, values))
        return cls(about, folder.resolve().name, *renamed)

    @property
    def stated(self) -> dict[str, Any]:
        """Parts of the sweep file."""
        stated: dict[str, Any] = self.record.get("stated") or {}
        return stated

    @property
    def sampled(self) -> bool:
        """True if there are draws."""
        return "sample" in self.stated

    @property
    def answered(self) -> int:
        """Number of scenarios with a proven answer."""
        return int(self.scenarios["status"].isin(PROVEN).sum())

    @cached_property
    def proven(self) -> pd.DataFrame:
        """Numbers of proven answers."""
        return proven(self.values, self.scenarios)

    @cached_property
    def states(self) -> pd.DataFrame:
        """Decision and state of every scenario; without draws every scenario is a decision."""
        names = self.scenarios["scenario"].tolist()
        return states_of(names) if self.sampled else pd.DataFrame({"decision": names, "state": ""})

    @cached_property
    def summary(self) -> pd.DataFrame:
        """Statistics of every number by decision."""
        names = self.scenarios["scenario"].tolist()
        if self.sampled:
            return summary(self.proven, names)
        # Every scenario by itself: one state, whose name no scenario ends in.
        return summary(self.proven.assign(scenario=self.proven["scenario"] + "/"), [f"{name}/" for name in names])

    @cached_property
    def indices(self) -> pd.DataFrame:
        """Sobol indices of every number; empty without a Saltelli design."""
        inputs = inputs_of(self.stated)
        return sensitivity(self.proven, inputs, self.scenarios["scenario"].tolist()) if inputs else pd.DataFrame()

    @cached_property
    def shown(self) -> tuple[Shown, ...]:
        """Numbers with a chart, the first objective first."""
        return tuple(self._shown())[:MOST_SHOWN]

    def _shown(self) -> Iterator[Shown]:
        table = self.summary
        objectives = table[(table["table"] == LEVELS) & (table["quantity"] == "value")]
        for name in objectives["id"].unique()[:1]:
            yield from self._moving(objectives[objectives["id"] == name], LEVELS, "value", str(name))
        for name, quantity in FIRST:
            found = table[(table["table"] == name) & (table["quantity"] == quantity)]
            yield from self._moving(found, name, quantity, "")

    def _moving(self, rows: pd.DataFrame, table: str, quantity: str, name: str) -> Iterator[Shown]:
        """Yield a number where it moves: over the draws, or from scenario to scenario."""
        places = rows.groupby(["sector", "province", "year", "id"], sort=False, dropna=False)
        least, largest = places["least"].transform("min"), places["largest"].transform("max")
        precision = (SAME * np.maximum(least.abs(), largest.abs())).clip(lower=SMALLEST)
        # A year in which it does not move is one of its years.
        place = [rows[name] for name in ("sector", "province", "id")]
        rows = rows[(largest - least > precision).groupby(place).transform("any")]
        if rows.empty:
            return
        key = f"{table}-{quantity}" + (f"-{name}" if name else "")
        unit = str(rows["unit"].iloc[0])
        if quantity in IN_TONNES and "power" not in rows["sector"].tolist():
            unit = "t/t"
        yield Shown(Number(key, words_of(quantity, name), unit), table, quantity, rows)

    def drawn(self, shown: Shown) -> pd.DataFrame:
        """Return a row for each draw of a number, ``sector, value``."""
        same = (self.proven[["table", "quantity"]] == [shown.table, shown.quantity]).all(axis=1)
        for place in ("id", "sector"):
            same &= self.proven[place].isin(shown.rows[place].unique())
        if shown.by_year:
            same &= self.proven["year"] == shown.ends["year"].iloc[0]
        return self.proven[same]

    @cached_property
    def decisions(self) -> list[str]:
        """Names of the decisions, in their order."""
        return self.states["decision"].drop_duplicates().tolist()

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """Keys along which decisions differ, with the place of each decision."""
        return decision_axes(self.stated)

    @cached_property
    def drawn_keys(self) -> tuple[Axis, ...]:
        """Keys along which scenarios differ, with those that are drawn and the place of each scenario."""
        drawn = drawn_axes(self.stated, self.scenarios)
        draws = len(self.scenarios) // len(self.decisions)
        every = np.repeat(np.arange(len(self.decisions)), draws)
        return (*(axis.of(every) for axis in self.axes), *drawn) if drawn else ()

    @cached_property
    def changes(self) -> pd.DataFrame:
        """What each decision changes: ``decision``, and the keys in which decisions differ."""
        drawn = (self.stated.get("sample") or {}).get("values") or {}
        columns = [*self.scenarios.columns[len(OUTCOME) :]]
        table = self.scenarios[[key for key in columns if key not in drawn]]
        return table.assign(decision=self.states["decision"]).drop_duplicates("decision")


def words_of(quantity: str, name: str) -> str:
    """Return what a number is: its column, or the objective of that name."""
    if quantity == "value" and name:
        return OBJECTIVES.get(name) or _("objective {name}", name=word("level", name))
    return heading(quantity)


def place_of(row: Mapping[str, Any]) -> str:
    """Return where a number is: sector, province, year and id."""
    year = "" if pd.isna(row["year"]) else f"{int(row['year'])}"
    return joined(filter(None, (name_of(row["sector"]), name_of(row["province"]), year, row["id"])))
