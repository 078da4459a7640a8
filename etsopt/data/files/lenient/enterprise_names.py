"""Names of enterprises that a person's own table of units states, beside the code of each enterprise.

They are those of a table of enterprises: a unit, such as a clinker line, has a name of its own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.errors import brief
from etsopt.common.language import _
from etsopt.data.messages import first_of
from etsopt.data.tables.chinese import ENTERPRISE_NAMES
from etsopt.data.tables.headings import column_of
from etsopt.data.tables.raw import RawTable
from etsopt.data.tables.recognise import plain
from etsopt.data.tables.schema import ENTERPRISES, UNITS
from etsopt.data.tables.text_columns import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable

    from etsopt.data.tables.table import Table

HEADINGS = frozenset(map(plain, ENTERPRISE_NAMES))
"""Headings, in their plain form, of the names of enterprises in a table of units."""


def heading_of_names(headings: Iterable[str]) -> str | None:
    """Return the first heading that names enterprises in a table of units; None without any."""
    return next((heading for heading in headings if plain(heading) in HEADINGS), None)


def _heading(raw: RawTable, table: Table, column: str) -> str | None:
    return next((name for name in raw.columns if column_of(name, table) == column), None)


def with_enterprise_names(tables: dict[str, RawTable], notes: list[str]) -> dict[str, RawTable]:
    """Return tables of a person's own file with the names of enterprises in theirs, made if the file has none.

    Names in a sheet of enterprises take precedence; the column of the units is then one of the user's own.
    """
    units, enterprises = tables[UNITS.name], tables.get(ENTERPRISES.name)
    named, identifier = heading_of_names(units.columns), _heading(units, UNITS, "enterprise_id")
    if named is None or identifier is None or (enterprises and _heading(enterprises, ENTERPRISES, "name")):
        return tables
    codes = [normalise(str(cell)) for cell in units.columns[identifier]]
    names = [normalise(str(cell)) for cell in units.columns[named]]
    first: dict[str, str] = {}
    row: dict[str, int] = {}
    for at, (code, name) in enumerate(zip(codes, names, strict=True)):
        if code:
            first[code] = first.get(code) or name
            row.setdefault(code, at)
    if not any(first.values()):
        return tables
    notes.append(
        _(
            "{place}: {named} names the enterprises, which {identifier} identifies.",
            place=units.place,
            named=brief(named),
            identifier=brief(identifier),
        )
    )
    notes += _notes_of_doubts(units.place, codes, names)
    if enterprises is None:
        columns = {"enterprise_id": np.array([*first], dtype=object), "name": np.array([*first.values()], dtype=object)}
        stated = {"enterprise_id": identifier, "name": named}
        letters = {column: units.letters[name] for column, name in stated.items() if name in units.letters}
        made = RawTable(units.place, columns, units.rows[[*row.values()]], letters, units.top)
    else:
        key = _heading(enterprises, ENTERPRISES, "enterprise_id")
        known = enterprises.columns[key] if key else [""] * len(enterprises.rows)
        own = np.array([first.get(normalise(str(code)), "") for code in known], dtype=object)
        made = replace(enterprises, columns={**enterprises.columns, "name": own})
    return {**tables, UNITS.name: _without_names(units, named, codes), ENTERPRISES.name: made}


def _without_names(units: RawTable, named: str, codes: list[str]) -> RawTable:
    """Return the units without the column; where every enterprise is one unit, which nothing else names, as theirs."""
    columns = {name: cells for name, cells in units.columns.items() if name != named}
    letters = {name: letter for name, letter in units.letters.items() if name != named}
    other = _heading(units, UNITS, "unit_id") or _heading(units, UNITS, "name")
    if other is None and len({*codes}) == len(codes):
        columns["name"] = units.columns[named]
        letters |= {"name": units.letters[named]} if named in units.letters else {}
    return replace(units, columns=columns, letters=letters)


def _notes_of_doubts(place: str, codes: list[str], names: list[str]) -> list[str]:
    """Return sentences on codes with several names, and on names with several codes."""
    of_code: dict[str, list[str]] = {}
    of_name: dict[str, list[str]] = {}
    for code, name in dict.fromkeys(zip(codes, names, strict=True)):
        if code and name:
            of_code.setdefault(code, []).append(name)
            of_name.setdefault(name, []).append(code)
    notes: list[str] = []
    if several := [f"{code} ({' / '.join(own)})" for code, own in of_code.items() if len(own) > 1]:
        text = _("{place}: enterprises with several names, of which the first counts: {which}.")
        notes.append(_(text, place=place, which=first_of(several)))
    if several := [f"{name} ({' / '.join(own)})" for name, own in of_name.items() if len(own) > 1]:
        text = _("{place}: names that several enterprises have, each with a code of its own: {which}.")
        notes.append(_(text, place=place, which=first_of(several)))
    return notes
