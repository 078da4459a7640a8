"""Headings of two years in a person's own table: those of last year are columns of their own, or not used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.common.errors import brief
from etsopt.common.language import Text, _, chain
from etsopt.data.tables.headings import heading_of
from etsopt.data.tables.schema import USER_COLUMN_PREFIX

if TYPE_CHECKING:
    from etsopt.data.tables.raw import RawTable
    from etsopt.data.tables.recognise import Heading
    from etsopt.data.tables.table import Table

PRIOR = "prior_"
"""Beginning of the name of a column with last year's figures of another."""


def with_last_year(raw: RawTable, table: Table, year: int | None) -> tuple[RawTable, list[Text]]:
    """Return a table in which no heading of last year names a column of this year, and a sentence on these headings.

    Headings of further years stay, so that they are refused: several of them name one column.

    Parameters
    ----------
    year
        Year of the policy; None if it is not stated, so that the later one of two years is this year.
    """
    named = {heading: heading_of(heading, table, informal=True) for heading in raw.columns}
    years: dict[str, set[int]] = {}
    for found in named.values():
        years.setdefault(found.column, set()).add(found.year)
    several = [own for column, own in years.items() if column and len(own) > 1]
    this = year or max((max(own) for own in several if len(own - {0}) > 1), default=0)
    if not several or not this:
        return raw, []
    renamed, told = {}, list[Text]()
    for heading, found in named.items():
        if found.column and found.year == this - 1 and years[found.column] <= {0, this, this - 1}:
            renamed[heading] = _of_last_year(heading, found, table)
            own = renamed[heading].startswith(USER_COLUMN_PREFIX)
            text = _("{heading} is not used") if own else _("{heading} is {column}")
            told.append(_(text, heading=brief(heading), column=PRIOR + found.column))
    if not told:
        return raw, []
    text = _("{place}: the year is {year}, so that headings of {last} are last year's: {which}.")
    which = chain(told, _("{first}; {second}"))
    return raw.renamed(renamed), [_(text, place=raw.place, year=this, last=this - 1, which=which)]


def _of_last_year(heading: str, found: Heading, table: Table) -> str:
    """Return a heading of last year as one of the column with these figures, or of one of the user's own."""
    prior = f"{PRIOR}{found.column}"
    if prior not in {column.name for column in table.columns}:
        return f"{USER_COLUMN_PREFIX}{heading}"
    return f"{prior}({found.unit})" if found.unit else prior
