"""Units and enterprises of the annex tables: who they are, and the rows of each in all tables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.common.errors import Problem
from etsopt.common.language import Text, _
from etsopt.data.tables.chinese import CASES

if TYPE_CHECKING:
    from etsopt.reports.official.reading.tables import AnnexTable

UNIT_KEY = ["sector", "uscc", "number", "within"]
ISSUE_KEY = ["sector", "province", "uscc"]

STEEL = re.compile(r"钢铁企业[:：]\s*([^；;]+)")
AT_EMISSIONS = re.compile(r"配额与经核查排放量相等")
PLANNED = re.compile(r"按分配方案计算为(\d+)吨")
"""Parts of notes that `etsopt.reports.official.rows` writes."""


def stacked(tables: list[AnnexTable], numbers: tuple[str, ...]) -> pd.DataFrame:
    """Return the rows of all tables of some numbers, with the sector of each; empty without any."""
    frames = [table.frame.assign(sector=table.annex.sector) for table in tables if table.annex.number in numbers]
    if not frames:
        return pd.DataFrame(columns=["sector", "province", "uscc", "name", "unit", "notes", "place", "row"])
    return pd.concat(frames, ignore_index=True)


def texts_of(rows: pd.DataFrame, key: str) -> pd.Series:
    """Return a column of texts; empty where the tables have none."""
    if key not in rows:
        return pd.Series("", rows.index, dtype=object)
    return rows[key].astype(object).where(rows[key].notna(), "")


def with_numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """Add the number of each unit as its table states it, and the province within which it identifies the unit.

    Table 2-2 has no column of units: a steel enterprise is its own unit, or one of several that its note names.
    """
    number = texts_of(rows, "unit")
    steel = (rows["sector"] == "steel").to_numpy()
    named = [_steel_unit(note) for note in texts_of(rows, "notes")]
    number = np.where(steel, named, number).astype(object)
    within = np.where(steel & (number == ""), rows["province"], "").astype(object)
    return rows.assign(number=number, within=within)


def _steel_unit(note: str) -> str:
    found = STEEL.search(note)
    return found[1].strip() if found else ""


def identifiers(rows: pd.DataFrame) -> list[str]:
    """Return an identifier for each unit: its number, with the code of its enterprise where others have the same."""
    alone = rows["number"].where(rows["number"] != "", rows["uscc"])
    several = alone.duplicated(keep=False)
    steel = rows["number"] == ""
    once = ~rows.loc[steel, "uscc"].duplicated(keep=False).reindex(rows.index, fill_value=False)
    names = []
    for number, code, province, is_steel, in_one, many in zip(
        rows["number"], rows["uscc"], rows["province"], steel, once, several, strict=True
    ):
        if not many:
            names.append(number or code)
        else:
            names.append(f"{code}-{('steel' if in_one else province) if is_steel else number}")
    return names


def cases_of(rows: pd.DataFrame) -> tuple[list[str], list[Problem]]:
    """Return the special case that each note names, and a problem for each table with notes that name several."""
    cases, several = [], []
    for position, note in enumerate(texts_of(rows, "notes")):
        named = [case for case, words in CASES.items() if words in note.replace("％", "%")]
        cases.append(named[0] if named else "")
        if len(named) > 1:
            several.append(position)
    problems = [
        Problem(
            str(place),
            _("note names several special cases"),
            _("Name the one that applies."),
            "需要特殊说明的事项",
            tuple(zip(part["row"], part["notes"], strict=True)),
        )
        for place, part in rows.iloc[several].groupby("place", sort=False)
    ]
    return cases, problems


def problems_of_duplicates(rows: pd.DataFrame, key: list[str], what: str, heading: str) -> list[Problem]:
    """Return a problem for each table with rows of one unit or enterprise, and name both rows."""
    stated = rows[(rows[[one for one in key if one != "within" and one != "number"]] != "").all(axis=1)]
    twice = stated[stated.duplicated(key, keep=False)]
    advice = _("Keep one of the rows, or correct the code or the number of the other.")
    problems = []
    for _other, group in twice.groupby(key, sort=False):
        places = list(dict.fromkeys(group["place"]))
        label = _label(group.iloc[0], key)
        cells = tuple(
            (row if place == places[0] else _("{row} of {place}", row=row, place=place), label)
            for row, place in zip(group["row"], group["place"], strict=True)
        )
        many = _("{count} rows are of one {what}", count=len(group), what=Text(what))
        problems.append(Problem(places[0], many, advice, heading, cells))
    return problems


def _label(row: pd.Series, key: list[str]) -> str:
    return " ".join(str(row[one]) for one in key if one not in ("sector", "within") and row[one])
