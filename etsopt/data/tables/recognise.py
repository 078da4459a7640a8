"""The one recogniser of headings, for tables of an instance, annex tables and monthly reports alike.

A heading loses variants of width, case and joints, and the number of a list before it; then a year before or behind it,
and a unit of measure in brackets or behind a mark. What is left is looked up among the names and aliases of the columns
that the table may have.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from etsopt.common.errors import Problem, brief
from etsopt.common.language import _

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping

NUMBER = re.compile(r"^\s*(?:[①-⒛]|[(（]\d{1,2}[)）]|\d{1,2}(?!\s*\d)[.、)）]?)")
"""The number of a list before a heading."""

YEAR = re.compile(r"(20\d\d)年?度?(?!度?配额)(.+)|(.+?)[(\[]?(20\d\d)年?度?[)\]]?")
"""A year before or behind a heading in its plain form; before 配额 it is a vintage."""

IN_BRACKETS = re.compile(r"(.+)[(\[]((?!20\d\d)[^()\[\]]+)[)\]](\s*[(\[]?20\d\d\s*年?度?[)\]]?)?")
BEHIND = re.compile(r"(.+?)\s*(?:/|,|\bin\b)\s*([^/,]+)")
"""A unit of measure, in brackets or behind a mark."""


class Heading(NamedTuple):
    """The column that a heading names, empty if it is none, and the unit of measure and the year that it states."""

    column: str = ""
    unit: str = ""
    year: int = 0


def plain(text: str) -> str:
    """Return a heading without variants of width, case, spacing and joints, and without the number of a list.

    >>> plain("Unit ID") == plain("unit_id"), plain(" 省（区、市）"), plain("⑪机组经核查排放量（tCO₂e）")
    (True, '省(区、市)', '机组经核查排放量(tco2e)')
    """
    return re.sub(r"[\s_-]", "", unicodedata.normalize("NFKC", NUMBER.sub("", text))).casefold()


def known(aliases: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Return the column of every heading that names one, in its plain form, by the aliases of each column.

    The name of a column is no alias of another.

    Raises
    ------
    ValueError
        If two columns have one alias: what it names could not be told.
    """
    names = {plain(name): name for name in aliases}
    found = {**names}
    for name, words in aliases.items():
        for word in map(plain, words):
            if word not in names and found.setdefault(word, name) != name:
                raise ValueError(f"{word!r} names both {found[word]} and {name}.")
    return found


def recognised(text: str, columns: Mapping[str, str], is_unit: Callable[[str, str], bool]) -> Heading:
    """Return what a heading names.

    Parameters
    ----------
    columns
        Columns by their headings, from `known`.
    is_unit
        True for a unit of measure that the numbers of a column may have: behind a mark any word may stand, while in
        brackets a unit is meant, so that one that cannot be told may be refused.
    """
    for name, year in _without_year(plain(text)):
        if name in columns:
            return Heading(columns[name], "", year)
    stated = unicodedata.normalize("NFKC", NUMBER.sub("", text)).strip()
    for pattern in (IN_BRACKETS, BEHIND):
        if parts := pattern.fullmatch(stated):
            before, unit, *behind = parts.groups(default="")
            for name, year in _without_year(plain(before + "".join(behind))):
                if name in columns and (pattern is IN_BRACKETS or is_unit(columns[name], unit.strip())):
                    return Heading(columns[name], unit.strip(), year)
    return Heading()


def problems_of_repeats(
    place: str, headings: Mapping[str, list[tuple[str, str]]], of_years: Container[str] = ()
) -> list[Problem]:
    """Return the problem of each column that several headings name, by their places and texts.

    Parameters
    ----------
    of_years
        Columns with headings that state a year.
    """
    one = _("Keep one of them: which of them holds cannot be told.")
    two = _("Keep that of the year of the policy, which a sheet `policy` states, and that of the year before.")
    return [
        Problem(
            place,
            _("{count} headings are of one column", count=len(same)),
            two if column in of_years else one,
            column,
            tuple(same),
        )
        for column, same in headings.items()
        if len(same) > 1
    ]


def problem_of_unit(place: str, heading: Heading, cell: tuple[str, str], known_units: str) -> Problem:
    """Return the problem of a unit of measure in a heading that cannot be told; a column may have none at all."""
    what = _("the unit {unit} in the heading cannot be told", unit=brief(heading.unit))
    advice = _("Write the heading without brackets.")
    if known_units:
        advice = _("Use one of {known}, and convert the numbers.", known=known_units)
    return Problem(place, what, advice, heading.column, (cell,))


def _without_year(name: str) -> Iterator[tuple[str, int]]:
    """Yield a plain heading as it is, and then without the year that it states."""
    yield name, 0
    if parts := YEAR.fullmatch(name):
        yield parts[2] or parts[3], int(parts[1] or parts[4])
