"""What a person's own file says beside the columns and keys that count: special cases in notes, and years in titles."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from etsopt.common.errors import brief
from etsopt.common.language import _
from etsopt.data.tables.chinese import CASES, HEADINGS
from etsopt.data.tables.headings import column_of
from etsopt.data.tables.recognise import plain
from etsopt.data.tables.schema import UNITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from etsopt.data.tables.raw import RawTable

CASE = "special_case"

SAID = {
    "new": re.compile(r"新建|新投产|新投运|\bnew(ly)?\b", re.IGNORECASE),
    "closed": re.compile(r"关停|关闭|停产|停运|拆除|\bclosed\b|\bshut ?down\b|\bdecommissioned\b", re.IGNORECASE),
}
"""Words by which notes say that a unit is a special case."""

OF_NOTES = re.compile(r"备注|状态|情况|说明|notes?|remarks?|comments?|status|state", re.IGNORECASE)
"""Words in the heading of a column of notes, whose cells may say more than one word."""

YEAR = re.compile(r"(?<![\d.-])20\d\d(?!\d|[-./]\d|年\d+月)")
"""A year that is not a part of a day or of a code."""


def notes_of_cases(raw: RawTable) -> Iterator[str]:
    """Yield a sentence on each case that a column of the user's own states for units without a special case."""
    columns = {heading: column_of(heading, UNITS) for heading in raw.columns}
    stated = next((raw.columns[heading] for heading, column in columns.items() if column == CASE), None)
    for heading, cells in raw.columns.items():
        if columns[heading]:
            continue
        of_notes = OF_NOTES.search(plain(heading)) is not None
        for case, words in SAID.items():
            # Elsewhere a name may have such a word in it, as that of a district or an enterprise.
            says = words.search if of_notes else words.fullmatch
            rows = [
                at
                for at, cell in enumerate(cells)
                if says(str(cell).strip()) and (stated is None or not str(stated[at]).strip())
            ]
            if rows:
                yield _note(raw, heading, case, rows)


def _note(raw: RawTable, heading: str, case: str, rows: list[int]) -> str:
    """Return the sentence on rows that say a case in one column."""
    first = rows[0]
    values = {
        "place": raw.place,
        "heading": brief(heading),
        "value": brief(str(raw.columns[heading][first])),
        "row": raw.rows[first],
        "case": f"{case} ({CASES[case]})",
        "column": f"{CASE} ({HEADINGS[CASE][0]})",
    }
    if len(rows) == 1:
        return _(
            "{place}: {heading} says {value} in row {row}, which is not read: only the column {column} counts. "
            "If the unit is such a case, write {case} there.",
            **values,
        )
    return _(
        "{place}: {heading} says {value} in row {row} and the like in {count} more, which is not read: only the column "
        "{column} counts. If the units are such a case, write {case} there.",
        **values,
        count=len(rows) - 1,
    )


def years_in(text: str, template: str) -> dict[int, str]:
    """Return the years in a text, each with the place of the text, by a template with ``{text}``.

    >>> years_in("2025年度重点排放单位 (2026-03-01)", "the title {text}")
    {2025: "the title '2025年度重点排放单位 (2026-03-01)'"}
    >>> years_in("2025年1-12月排放量，填表日期：2026年3月1日", "the title {text}").keys()
    dict_keys([2025])
    """
    where = _(template, text=brief(text))
    return {int(year): where for year in YEAR.findall(text)}


def notes_of_policy(name: str, assumed: Mapping[str, Any], years: Mapping[int, str]) -> Iterator[str]:
    """Yield sentences on what is assumed of the policy, and on a year of the file that is another one.

    Parameters
    ----------
    assumed
        Year and rule of the policy, where the file does not state them.
    years
        Years in titles and names, each with its place.
    """
    values = {"year": assumed.get("year"), "rule": assumed.get("rule", {}).get("name")}
    if len(assumed) > 1:
        what = _("the year {year} and the rule {rule}", **values)
    elif assumed:
        what = _("the year {year}", **values) if "year" in assumed else _("the rule {rule}", **values)
    else:
        return
    yield _(
        "{name}: the policy does not state {what}, which {grammar} assumed; state year and "
        "rule.name in a sheet `policy`, or by --set.",
        name=name,
        what=what,
        grammar="are" if len(assumed) > 1 else "is",
    )
    for other in sorted(years.keys() - {values["year"]}) if "year" in assumed else ():
        yield _(
            "{name}: {where} is of {other}, but the year {year} is assumed. If the figures are of {other}, state it: "
            "year = {other} in a sheet `policy`, or --set year={other}.",
            name=name,
            where=years[other],
            other=other,
            year=values["year"],
        )
