"""Annex tables as frames: cells converted, with province, file and row of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.common.errors import Problem, UsageError, brief
from etsopt.common.language import _
from etsopt.data.messages import counted
from etsopt.data.tables.provinces import one_name
from etsopt.data.tables.text_columns import normalise
from etsopt.reports.official.gaps import NO_CODE
from etsopt.reports.official.headings import OUTSIDE
from etsopt.reports.official.reading.cells import TEXTS, WrongCellError, decimals_of, number_of, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etsopt.reports.official.headings import Annex
    from etsopt.reports.official.reading.matching import Found

REQUIRED = ("uscc", "unit", "province")
"""Columns that no row may leave empty, beside the emissions of tables 2-1 to 2-4."""

ROUNDED = ("coefficient", "intensity")
"""Columns that forms print with few decimals, and from which tonnes follow."""

TOTALS_T = 0.01
"""Largest difference of a row of totals from the sum of its rows, by the rounding of cells [t]."""


@dataclass(frozen=True)
class AnnexTable:
    """A converted annex table.

    Parameters
    ----------
    frame
        A column for each key of the annex, NaN or empty where the file has none, and ``place`` and ``row``.
    decimals
        Largest number of decimals in each column of `ROUNDED`.
    """

    annex: Annex
    place: str
    frame: pd.DataFrame
    decimals: dict[str, int]


def convert(found: Found, province: str) -> tuple[AnnexTable, list[Problem]]:
    """Convert the cells of a table, and return the problems of its cells and its row of totals.

    Parameters
    ----------
    province
        Province of a table without a column of it.
    """
    problems: list[Problem] = []
    columns: dict[str, Any] = {}
    keys = [key for key, _, _ in found.annex.columns if key != "number"]
    for key in (*keys, "province"):
        cells = _codes(found) if key == "uscc" else found.columns.get(key)
        if cells is None:
            fill: Any = province if key == "province" else "" if key in TEXTS else np.nan
            columns[key] = [fill] * len(found.rows)
        else:
            columns[key], of_column = _converted(found, key, cells)
            problems += of_column
    frame = pd.DataFrame(
        {key: pd.Series(cells, dtype=object if key in TEXTS else float) for key, cells in columns.items()}
    )
    frame = frame.assign(place=found.place, row=[str(row) for row in found.rows])
    decimals = {key: max(map(decimals_of, frame[key]), default=0) for key in ROUNDED if key in frame}
    # A wrong cell would make the total of its column wrong as well.
    wrong = {problem.column for problem in problems}
    problems += [problem for problem in _totals(found, frame) if problem.column not in wrong]
    return AnnexTable(found.annex, found.place, frame, decimals), problems


def _codes(found: Found) -> list[Any] | None:
    """Return the codes of the rows; the identifier that the note of a row without a code names."""
    cells, notes = found.columns.get("uscc"), found.columns.get("notes")
    if cells is None or notes is None:
        return cells
    named = [NO_CODE.search(str(note)) for note in notes]
    return [match[1] if match and not str(cell).strip() else cell for cell, match in zip(cells, named, strict=True)]


def _converted(found: Found, key: str, cells: list[Any]) -> tuple[list[Any], list[Problem]]:
    """Return the values of a column, NaN or empty for a wrong cell, and a problem for each kind of wrong cell."""
    convert_one = text_of if key in TEXTS else number_of
    values: list[Any] = []
    wrong: dict[tuple[tuple[str, str], str], list[tuple[str, str]]] = {}
    of_emissions = key == "emissions" and found.annex.number.startswith("2-")
    notes = found.columns.get("notes") or [""] * len(cells)
    empty = (
        (_("cell is empty"), _("cells are empty")),
        _("Fill it in every row, also in those over which a cell is merged."),
    )
    for row, cell, note in zip(found.rows, cells, notes, strict=True):
        value: Any = "" if key in TEXTS else np.nan
        try:
            value = convert_one(cell, key)
        except WrongCellError as error:
            wrong.setdefault((error.words, error.advice), []).append((str(row), str(cell)))
        else:
            needed = key in REQUIRED or (of_emissions and OUTSIDE not in str(note))
            if needed and (value == "" or value != value):
                wrong.setdefault(empty, []).append((str(row), ""))
        values.append(value)
    return values, [
        Problem(found.place, counted(len(rows), *words), advice, found.heads[key], tuple(rows))
        for (words, advice), rows in wrong.items()
    ]


def _totals(found: Found, frame: pd.DataFrame) -> list[Problem]:
    """Return a problem for each figure in the row of totals that is not the sum of the rows above."""
    if found.total is None:
        return []
    number, cells = found.total
    problems = []
    for key, cell in cells.items():
        if key in TEXTS or key in ("number", "gap_percent"):
            continue
        try:
            stated = number_of(cell, "true_up")
        except WrongCellError as error:
            problems.append(
                Problem(
                    found.place, counted(1, *error.words), error.advice, found.heads[key], ((str(number), str(cell)),)
                )
            )
            continue
        summed = frame[key].sum()
        if not np.isnan(stated) and abs(stated - summed) > TOTALS_T:
            differs = _("{stated:,.10g}, expected {summed:,.10g}", stated=stated, summed=summed)
            shown = ((str(number), differs),)
            advice = _("Correct the total, or the row that is missing or wrong.")
            problems.append(
                Problem(found.place, _("total is not the sum of its rows"), advice, found.heads[key], shown)
            )
    return problems


def year_of(found: Sequence[Found], stated: int | None) -> tuple[int, list[Problem]]:
    """Return the compliance year, stated or by the titles, and the problem of every table of another year.

    Raises
    ------
    UsageError
        If neither states a year.
    """
    titled = [table.year for table in found if table.year is not None]
    if stated is None and not titled:
        what = _("The compliance year is not stated: these tables have no titles.")
        raise UsageError(what, _("State it with --year, as in --year 2025."))
    year = titled[0] if stated is None else stated
    advice = _("Take the table of the other year out, or state the right year with --year.")
    problems = [
        Problem(table.place, _("is of {year}, expected {expected}", year=table.year, expected=year), advice)
        for table in found
        if table.year not in (None, year)
    ]
    return year, problems


def province_of(found: Found, stated: str) -> tuple[str, list[Problem]]:
    """Return the province of a table without a column of it, stated or by its title, and the problem of none."""
    province = normalise(stated or found.province)
    if "province" in found.columns or province:
        return province, []
    advice = _("State it with --province, as in --province Shaanxi, or add a column 省（区、市）.")
    return "", [Problem(found.place, _("does not name its province"), advice)]


def of_province(tables: list[AnnexTable], province: str) -> list[AnnexTable]:
    """Return the tables with the rows of one province; all rows if it is empty.

    Raises
    ------
    UsageError
        If there are none.
    """
    if not province:
        return tables
    name = one_name(normalise(province))
    there = sorted({str(one) for table in tables for one in table.frame["province"]} - {""})
    if name not in map(one_name, there):
        what = _("The tables have no province {name}.", name=brief(province))
        raise UsageError(what, _("Their provinces are {known}.", known=", ".join(there)))
    chosen = [
        AnnexTable(one.annex, one.place, one.frame[in_province.to_numpy()].reset_index(drop=True), one.decimals)
        for one in tables
        for in_province in [one.frame["province"].astype(str).map(one_name) == name]
    ]
    return [table for table in chosen if len(table.frame)]
