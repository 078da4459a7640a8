"""Unified social credit codes of enterprises and their check character (GB 32100-2015)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from etsopt.common.language import _
from etsopt.data.messages import first_of
from etsopt.data.tables.headings import column_of
from etsopt.data.tables.text_columns import normalise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.data.tables.raw import RawTable
    from etsopt.data.tables.table import Table

CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""Characters of a code by their value; I, O, S, V and Z are none of them, as they look like others."""

CODE = re.compile(r"[0-9A-Z]{2}[0-9]{6}[0-9A-Z]{10}")
"""Form of a code: kind of body, district, identifier of the body and check character."""


def check_character(code: str) -> str:
    """Return the check character of a code, by its first 17 characters; empty if one of them is in no code.

    >>> check_character("91350100M000100Y4")
    '3'
    """
    values = [CHARACTERS.find(character) for character in code[:17]]
    if min(values) < 0:
        return ""
    total = sum(value * pow(3, position, 31) for position, value in enumerate(values))
    return CHARACTERS[-total % 31]


def notes_of_codes(raw: RawTable, table: Table) -> Iterator[str]:
    """Yield a sentence on credit codes that are mistyped, by their check character."""
    for heading, cells in raw.columns.items():
        if column_of(heading, table) != "enterprise_id":
            continue
        first: dict[str, int] = {}
        for at, cell in enumerate(cells):
            first.setdefault(normalise(str(cell)), at)
        wrong = [
            f"{raw.letters.get(heading, '')}{raw.rows[at]} {code!r}"
            for code, at in first.items()
            if CODE.fullmatch(code) and check_character(code) != code[-1]
        ]
        if wrong:
            one = _("{place}: credit codes whose check character is wrong, probably mistyped: cell {which}.")
            several = _("{place}: credit codes whose check character is wrong, probably mistyped: row {which}.")
            yield _(one if raw.letters else several, place=raw.place, which=first_of(wrong))
