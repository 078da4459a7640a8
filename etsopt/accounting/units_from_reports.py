"""Units of an instance: those of its monthly reports, beside what ``units.csv`` states of them and of other units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.accounting.schema import ALLOCATED_BY
from etsopt.common.errors import Problem
from etsopt.common.language import _
from etsopt.data.files.read import REGISTER, REPORTS
from etsopt.data.tables.raw import RawTable
from etsopt.data.tables.text_columns import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Texts = NDArray[np.object_]

IDENTIFYING = ("enterprise_id", "name", "sector", "province")
"""Columns of the register, which ``units.csv`` may repeat."""


@dataclass(frozen=True, eq=False)
class _Stated:
    """Rows of ``units.csv``, and the rows of the reported units that they are of, -1 for another unit."""

    raw: RawTable
    columns: dict[str, Texts]
    units: Texts
    place: NDArray[np.int64]

    @classmethod
    def of(cls, raw: RawTable, reported: pd.DataFrame) -> _Stated:
        columns = {name: _texts(cells) for name, cells in raw.columns.items()}
        units = np.array([normalise(cell) for cell in columns["unit_id"]], dtype=object)
        return cls(raw, columns, units, reported.index.get_indexer(pd.Index(units, dtype=object)))

    def cells(self, name: str) -> Texts:
        """Return the cells of a column, empty without it."""
        return self.columns.get(name, np.full(len(self.units), "", dtype=object))

    def problem(self, wrong: NDArray[np.bool_], column: str, what: str, advice: str) -> list[Problem]:
        """Return a problem of some rows; empty if there are none."""
        cells = self.cells(column)
        shown = tuple((str(self.raw.rows[row]), str(cells[row])) for row in np.flatnonzero(wrong))
        return [Problem(self.raw.place, what, advice, column, shown)] if shown else []


def units_from_reports(
    raw: RawTable | None, reported: pd.DataFrame, id_in_instance: pd.Series[str]
) -> tuple[RawTable, list[Problem]]:
    """Return the cells of all units, and problems.

    Parameters
    ----------
    raw
        Cells of ``units.csv``; None if it does not exist.
    reported
        What `etsopt.accounting.reported.Reported.units` returns.
    id_in_instance
        Unit of the instance by unit of the register.
    """
    problems = _below_zero(reported)
    if raw is None:
        return RawTable.from_frame(reported, REPORTS), problems + _without_reports(id_in_instance, reported.index)
    if "unit_id" not in raw.columns:
        missing = Problem(raw.place, _("the column is missing"), _("Add it: identifies the unit."), "unit_id")
        return RawTable.from_frame(reported, raw.place), [*problems, missing]
    stated = _Stated.of(raw, reported)
    problems += _stated_again(stated, reported, id_in_instance)
    problems += _without_reports(id_in_instance, {*reported.index, *stated.units})
    return _joined(stated, reported), problems


def _joined(stated: _Stated, reported: pd.DataFrame) -> RawTable:
    """Return the rows of ``units.csv`` with the cells of reported units filled in, then the other reported units."""
    rest = reported.index.difference(pd.Index(stated.units, dtype=object), sort=True)
    columns = {}
    for name in dict.fromkeys((*stated.columns, *reported.columns)):
        own_cells, more = stated.cells(name).copy(), np.full(len(rest), "", dtype=object)
        if name in reported:
            cells, own = pd.Series(_texts(reported[name].to_numpy()), reported.index), stated.place >= 0
            more = cells[rest].to_numpy()
            if name != "unit_id":
                there = cells.to_numpy()[stated.place]
                own &= (there != "") | (name not in ALLOCATED_BY)
                own_cells[own] = there[own]
        columns[name] = np.concatenate([own_cells, more])
    rows = np.concatenate([np.asarray(stated.raw.rows, dtype=object), [f"of {unit}" for unit in rest]])
    return RawTable(stated.raw.place, columns, rows)


def _stated_again(stated: _Stated, reported: pd.DataFrame, id_in_instance: pd.Series[str]) -> list[Problem]:
    """Find what ``units.csv`` states of reported units beside their reports, and units that report in a complex."""
    problems, own = [], stated.place >= 0
    measured = [name for name in reported.columns if name not in ("unit_id", *IDENTIFYING)]
    # What the accounts themselves wrote, as in their units.csv, states nothing else.
    again = {
        name: own & _other(stated.cells(name), _texts(reported[name].to_numpy())[stated.place], name in ALLOCATED_BY)
        for name in measured
    }
    if columns := [name for name, wrong in again.items() if wrong.any()]:
        what = _("states other figures than its monthly reports ({columns})", columns=", ".join(columns))
        advice = _("Leave these cells empty, or remove the reports of the unit.")
        problems += stated.problem(again[columns[0]], columns[0], what, advice)
    for name in IDENTIFYING:
        there = _texts(reported[name].to_numpy())
        differs = np.array(
            [
                row >= 0 and cell != "" and normalise(cell).casefold() != there[row].casefold()
                for cell, row in zip(stated.cells(name), stated.place, strict=True)
            ],
            dtype=bool,
        )
        advice = _(
            "Leave the cell empty, or correct one of the two. Of a complex, unit and enterprise are its complex_id."
        )
        problems += stated.problem(differs, name, _("differs from {register}", register=REGISTER), advice)
    members = id_in_instance[id_in_instance.to_numpy() != id_in_instance.index].to_dict()
    inside = np.array([unit in members for unit in stated.units], dtype=bool)
    complexes = ", ".join(sorted({members[unit] for unit in stated.units[inside]}))
    what = _("is part of a complex that reports as one ({complexes})", complexes=complexes)
    advice = _("State the complex, or remove the row.")
    return problems + stated.problem(inside, "unit_id", what, advice)


def _other(stated: Texts, reported: Texts, may_add: bool) -> NDArray[np.bool_]:
    """Return True for stated cells that are not those of the reports; some columns may add what these leave empty."""
    found = [
        cell not in ("", known) and _number(cell) != _number(known) and not (may_add and known == "")
        for cell, known in zip(stated, reported, strict=True)
    ]
    return np.array(found, dtype=bool)


def _number(cell: str) -> float:
    """Return a cell as a number; NaN, which is unlike any, for another text."""
    try:
        return float(cell)
    except ValueError:
        return np.nan


def _below_zero(reported: pd.DataFrame) -> list[Problem]:
    emissions = reported["emissions_tco2e"]
    cells = tuple((f"of {unit}", f"{value:g}") for unit, value in emissions[emissions < 0].items())
    advice = _("Correct their rows: etsopt screen and etsopt reconcile look for the false ones.")
    return [Problem(REPORTS, _("give emissions below 0"), advice, "emissions_tco2e", cells)] if cells else []


def _without_reports(id_in_instance: pd.Series[str], known: Iterable[str]) -> list[Problem]:
    cells = tuple((f"of {unit}", "") for unit in sorted({*id_in_instance} - {*known}))
    advice = _("Add its reports, state its emissions in units.csv, or take it out of the register.")
    what = _("has units without a report of the year of policy.toml")
    return [Problem(REGISTER, what, advice, "unit_id", cells)] if cells else []


def _texts(cells: NDArray[Any]) -> Texts:
    """Return cells as a file has them: numbers by their shortest exact text, absent ones empty."""
    if cells.dtype == object:
        return cells
    return np.array(["" if np.isnan(number) else repr(number) for number in cells.tolist()], dtype=object)
