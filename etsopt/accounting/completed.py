"""Units of an instance: those of its monthly reports, beside what ``units.csv`` states of them and of other units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.data.tables.raw import RawTable
from etsopt.data.tables.text_columns import normalise
from etsopt.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

IDENTIFYING = ("enterprise_id", "name", "sector", "province")
"""Columns of the register, which ``units.csv`` may repeat."""

PLACE = "reports"


def completed(
    stated: RawTable | None, reported: pd.DataFrame, register: Iterable[str]
) -> tuple[RawTable, list[Problem]]:
    """Return the units of reports, with further columns and units as ``units.csv`` states them, and problems.

    Parameters
    ----------
    stated
        Cells of ``units.csv``, which need not exist.
    reported
        What `etsopt.accounting.reported.Reported.units` returns.
    register
        Units of the instance that the register has.
    """
    if stated is None or "unit_id" not in stated.columns:
        raw = RawTable.from_frame(reported, PLACE)
        return raw, _without_reports(register, reported.index)
    units = np.array([normalise(str(cell)) for cell in stated.columns["unit_id"]], dtype=object)
    place = reported.index.get_indexer(pd.Index(units))
    problems, columns = [], {name: _texts(cells) for name, cells in stated.columns.items()}
    rest = np.setdiff1d(np.arange(len(reported)), place)
    for name in reported.columns.drop("unit_id"):
        own, here = _texts(reported[name].to_numpy()), columns.get(name, np.full(len(units), "", dtype=object))
        wrong = (place >= 0) & (here != "")
        if name in IDENTIFYING:
            wrong &= [
                normalise(cell).casefold() != other.casefold() for cell, other in zip(here, own[place], strict=True)
            ]
        if wrong.any():
            shown = tuple((str(stated.rows[row]), str(here[row])) for row in np.flatnonzero(wrong))
            problems.append(_stated_twice(stated.place, name, shown))
        columns[name] = np.concatenate([np.where(place >= 0, own[place], here), own[rest]])
    count = len(units) + len(rest)
    for name, cells in columns.items():
        if len(cells) < count:
            ends = reported.index[rest] if name == "unit_id" else np.full(len(rest), "", dtype=object)
            columns[name] = np.concatenate([cells, ends])
    rows = np.concatenate([np.asarray(stated.rows, dtype=object), reported.index[rest]])
    return RawTable(stated.place, columns, rows), problems + _without_reports(register, {*reported.index, *units})


def _stated_twice(place: str, name: str, cells: tuple[tuple[str, str], ...]) -> Problem:
    if name in IDENTIFYING:
        return Problem(
            place, "differs from register.csv", "Correct one of the two, or leave the cell empty.", name, cells
        )
    advice = "Leave the cell empty, or remove the reports of the unit."
    return Problem(place, "is stated, and follows from the monthly reports as well", advice, name, cells)


def _without_reports(register: Iterable[str], known: Iterable[str]) -> list[Problem]:
    missing = sorted({*register} - {*known})
    if not missing:
        return []
    advice = "Add its reports, state its emissions in units.csv, or take it out of register.csv."
    what = "has units without a report of the year of policy.toml"
    return [Problem("register.csv", what, advice, "unit_id", tuple((unit, "") for unit in missing))]


def _texts(cells: NDArray[Any]) -> NDArray[np.object_]:
    """Return cells as a file has them: numbers by their shortest exact text, absent ones empty."""
    if cells.dtype == object:
        return cells
    return np.array(["" if np.isnan(number) else repr(number) for number in cells.tolist()], dtype=object)
