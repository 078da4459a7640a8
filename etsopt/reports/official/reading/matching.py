"""Sheets recognised as annex tables: number and sector, the row of headings, the columns, and the last row."""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from etsopt.common.errors import Problem
from etsopt.common.language import _
from etsopt.data.tables.chinese import HEADINGS
from etsopt.data.tables.recognise import known, plain, recognised
from etsopt.reports.official.headings import ANNEXES, BY_NAME, NUMBERS_OF_USER, SECTORS, TEXTS_OF_USER, Annex

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etsopt.data.files.workbook import Cells
    from etsopt.reports.official.reading.sheets import Sheet

OPTIONAL = {"number", "merged", "fuel", "deviation_percent", "gap_percent", *NUMBERS_OF_USER, *TEXTS_OF_USER}
"""Columns that neither an instance nor an identity needs."""

ALIASES = {"capacity": ("装机容量(MW)",), "province": HEADINGS["province"]}
"""Headings beside those of the annex; it prints MWh for the rated power in MW."""

LAST_HEADING_ROW = 20
"""Rows from the top in which the headings are looked for."""

HEADING_MATCH_MIN = 0.6
"""Share of a table's headings by which a sheet without its number is recognised."""

NUMBERED = re.compile(r"(?<!\d)(?<!\d-)([12])-([1-5])(?!-?\d)")
TITLE = re.compile(r"表\s*([12]-[1-5])\s*[:：]?\s*(.*?)\s*(\d{4})\s*年度")
NOTE = re.compile("注|备注|说明|填|审|负责人|联系|日期")
"""Beginning of a line below the table, such as ``填表人：``."""

NATIONWIDE = ("", "全国", "省(区、市)")


@dataclass(frozen=True)
class Found:
    """An annex table in a sheet.

    Parameters
    ----------
    heads
        Headings as the file has them, by key.
    columns
        Cells of each column by key, a cell for each row of a unit or an enterprise.
    rows
        Number of each of these rows in the file.
    total
        Number and cells, by key, of the row of totals; None without one.
    year, province
        As the title states them; None and empty without a title.
    ignored
        Headings that are not of the annex.
    """

    annex: Annex
    place: str
    heads: Mapping[str, str]
    columns: Mapping[str, Cells]
    rows: list[int]
    total: tuple[int, Mapping[str, Any]] | None
    year: int | None
    province: str
    ignored: list[str]


def find_table(sheet: Sheet) -> tuple[Found | None, list[Problem]]:
    """Return the annex table of a sheet and the problems of its shape; no table if the sheet is none of the annex."""
    annex, problem = _annex_of(sheet)
    if annex is None:
        return None, [] if problem is None else [problem]
    row, headings = _heading_row(sheet, annex)
    at: dict[str, list[int]] = {}
    for position, heading in enumerate(headings):
        if key := key_of(heading, annex):
            at.setdefault(key, []).append(position)
    if len(at) < 2:
        what = _("has no row with the headings of table {name}", name=annex.name)
        return None, [Problem(sheet.place, what, _("Copy the headings from the annex into one row above the figures."))]
    heads = {key: headings[positions[0]] for key, positions in at.items()}
    problems = [
        Problem(
            sheet.place,
            _("has {count} columns of this heading", count=len(positions)),
            _("Keep one of them."),
            heads[key],
        )
        for key, positions in at.items()
        if len(positions) > 1
    ]
    others = [heading for heading in headings if heading and not key_of(heading, annex)]
    problems += _missing(annex, sheet.place, at, others)
    body, total = _body(sheet, row, {key: positions[0] for key, positions in at.items()})
    columns = {key: [_at(sheet.rows[line], positions[0]) for line in body] for key, positions in at.items()}
    if not body:
        problems.append(
            Problem(sheet.place, _("has no rows below its headings"), _("Fill it, or leave the table out."))
        )
    year, province = _titled(sheet, row)
    rows = [sheet.numbers[line] for line in body]
    return Found(annex, sheet.place, heads, columns, rows, total, year, province, others), problems


def _annex_of(sheet: Sheet) -> tuple[Annex | None, Problem | None]:
    """Return the annex of a sheet by its name, its title or its headings, or the problem of a table of no sector."""
    lines = [" ".join(str(cell) for cell in row if str(cell)) for row in sheet.rows[:LAST_HEADING_ROW]]
    title = next((line for line in lines if TITLE.search(unicodedata.normalize("NFKC", line))), "")
    for text in (sheet.name, title):
        number = NUMBERED.search(unicodedata.normalize("NFKC", text))
        if number is None:
            continue
        name = number[0]
        if number[2] != "5":
            return BY_NAME[name], None
        sectors = [key for key, word in SECTORS.items() if any(one in f"{sheet.name} {title}" for one in (key, word))]
        if len(sectors) == 1:
            return BY_NAME[f"{name}-{sectors[0]}"], None
        return None, _of_no_sector(sheet, name)
    scores = {annex.name: _score(sheet, annex) for annex in ANNEXES}
    best = max(scores, key=lambda name: scores[name])
    if scores[best] < HEADING_MATCH_MIN:
        return None, None
    if BY_NAME[best].number.endswith("-5"):
        return None, _of_no_sector(sheet, BY_NAME[best].number)
    return BY_NAME[best], None


def _of_no_sector(sheet: Sheet, number: str) -> Problem:
    what = _("is table {number} of an unknown sector", number=number)
    text = _("Put the sector into the name of the file or sheet, as in official-{number}-power.csv or {number} 发电.")
    advice = _(text, number=number)
    return Problem(sheet.place, what, advice)


def _score(sheet: Sheet, annex: Annex) -> float:
    """Return the share of the headings of an annex table that a sheet has."""
    _, headings = _heading_row(sheet, annex)
    return len({key_of(heading, annex) for heading in headings} - {"", "province"}) / len(annex.columns)


@cache
def _keys(annex: Annex) -> dict[str, str]:
    """Return the keys of the columns by their headings, in their plain form."""
    own = {key: (chinese,) for key, chinese, _ in annex.columns}
    return known({key: (*own.get(key, ()), *ALIASES.get(key, ())) for key in (*own, "province")})


def key_of(heading: str, annex: Annex) -> str:
    """Return the key of a heading, empty if it is none of the annex or states a unit of measure beside that there."""
    found = recognised(heading, _keys(annex), lambda key, unit: False)
    return "" if found.unit else found.column


def _heading_row(sheet: Sheet, annex: Annex) -> tuple[int, list[str]]:
    """Return the position of the row with most headings, and these; a heading of two rows is in the upper."""
    best, most, headings = 0, -1, []
    above: list[str] = []
    for position, row in enumerate(sheet.rows[:LAST_HEADING_ROW]):
        own = [str(cell).strip() for cell in row]
        merged = [text or (above[at] if at < len(above) else "") for at, text in enumerate(own)]
        count = len({key_of(text, annex) for text in merged} - {""})
        if count > most:
            best, most, headings = position, count, merged
        above = own
    return best, headings


def _missing(annex: Annex, place: str, at: Mapping[str, Any], others: list[str]) -> list[Problem]:
    """Return a problem for each missing column that is needed."""
    problems = []
    for key, chinese, english in annex.columns:
        if key in at or key in OPTIONAL:
            continue
        near = difflib.get_close_matches(plain(chinese), map(plain, others), 1, 0.7)
        stated = next((other for other in others if near and plain(other) == near[0]), "")
        text = _("Rename the column {stated!r}, or add it: {english}.") if stated else _("Add it: {english}.")
        advice = _(text, stated=stated, english=english)
        problems.append(Problem(place, _("the column is missing"), advice, chinese))
    return problems


def _body(sheet: Sheet, head: int, at: Mapping[str, int]) -> tuple[list[int], tuple[int, Mapping[str, Any]] | None]:
    """Return the positions of the rows of units or enterprises, and the row of totals; notes below are left out."""
    body, total = [], None
    for line in range(head + 1, len(sheet.rows)):
        row = sheet.rows[line]
        filled = [position for position, cell in enumerate(row) if str(cell).strip()]
        code = str(_at(row, at["uscc"])).strip() if "uscc" in at else ""
        labels = [_at(row, position) for position in (*filled[:1], at.get("number", 0), at.get("name", 0))]
        if not code and any("合计" in str(label) for label in labels):
            total = sheet.numbers[line], {key: _at(row, position) for key, position in at.items()}
        elif filled and not _is_note(row, filled, at.get("number", 0), code):
            body.append(line)
    return body, total


def _is_note(row: Cells, filled: list[int], number: int, code: str) -> bool:
    """Return True for a line of the form that holds no figures: a note below the table, or a number of a row alone."""
    first = str(_at(row, number)).strip()
    numbered = not first or re.fullmatch(r"[\d.]+", first) is not None
    return (not code and (not numbered or filled == [number])) or NOTE.match(first) is not None


def _titled(sheet: Sheet, head: int) -> tuple[int | None, str]:
    """Return year and province of the title above the headings; a title of the whole country names no province."""
    for row in sheet.rows[:head]:
        for cell in row:
            title = TITLE.search(unicodedata.normalize("NFKC", str(cell)))
            if title is not None:
                province = title[2].strip()
                return int(title[3]), "" if province in NATIONWIDE else province
    return None, ""


def _at(row: Cells, position: int) -> Any:
    return row[position] if position < len(row) else ""
