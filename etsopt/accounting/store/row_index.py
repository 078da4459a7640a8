"""The index of the rows of an entry: the key and a part of the hash of each, by which an altered row is named.

An index proves nothing. Whether rows were altered is decided by the digest of their whole hashes; which of them, by the
index, which is part of its line of the ledger and so under its head.
"""

from __future__ import annotations

import base64
import zlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from etsopt.accounting.store.schema import KEY, TABLES
from etsopt.common.language import _

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from etsopt.accounting.store.schema import Connection
    from etsopt.common.language import Text

HASH_DIGITS = 8
"""Digits of a row's hash: that two versions of one row have the same has a chance of 2e-10."""

LARGEST_INDEX = 1 << 28
"""Length up to which an index is unpacked, that of four million rows: a forged one takes no more memory [bytes]."""


@dataclass(frozen=True)
class AlteredRow:
    """A row in which a store and its ledger differ: its key by column, and what became of it."""

    key: Mapping[str, str]
    what: Text


def key_of(table: str) -> tuple[str, ...]:
    """Return the columns that name a row of a table.

    >>> key_of("closings"), key_of("units"), key_of("imports")
    (('finding',), ('unit_id',), ())
    """
    own = ("folder", "file") if table == "sources" else ("finding", *KEY)
    return tuple(name for name in own if name in TABLES[table])


def hash_of_row(table: str) -> str:
    """Return the SQL of the hash of a row: each cell with its length, so that no two rows read the same."""
    texts = [f'"{name}"::VARCHAR' for name in TABLES[table]]
    cells = [f"coalesce(strlen({text})::VARCHAR || ':' || {text}, '-:')" for text in texts]
    return "sha256(" + " || ".join([f"'{table};{','.join(TABLES[table])};'", *cells]) + ")"


def index_of(opened: Connection, table: str, entry: int) -> str:
    """Return the index of the rows of an entry, packed."""
    return base64.b64encode(zlib.compress("\n".join(sorted(_lines(opened, table, entry))).encode())).decode()


def unpacked(index: str) -> str:
    """Return the lines of an index, which are what a head covers: other releases may pack them otherwise.

    What is none stays as it is, and agrees with no head.
    """
    unpacking = zlib.decompressobj()
    try:
        text = unpacking.decompress(base64.b64decode(index), LARGEST_INDEX).decode()
    except (ValueError, zlib.error):
        return index
    return text if unpacking.eof else index


def altered_rows(opened: Connection, table: str, entry: int, index: str | None) -> Iterator[AlteredRow]:
    """Yield the rows of an entry that differ from an index; None for an unknown one, by which no row is named."""
    names = key_of(table)
    if index is None or not names or (was := _counted(index, len(names))) is None:
        return
    now = Counter(_lines(opened, table, entry))
    # Lines that agree, nearly all, are left out as sets, many times faster than as counts.
    before, after = (Counter(dict(one.items() - other.items())) for one, other in ((was, now), (now, was)))
    lost, fresh = (
        Counter(line.rpartition("\t")[0] for line in one.elements()) for one in (before - after, after - before)
    )
    changed = lost & fresh
    of = ((_("was changed"), changed), (_("is missing"), lost - changed), (_("was added"), fresh - changed))
    for told, keys in of:
        for key in sorted(keys.elements()):
            yield AlteredRow(dict(zip(names, key.split("\t"), strict=True)), told)


def _lines(opened: Connection, table: str, entry: int) -> list[str]:
    """Return the cells of the key and the hash of each row of an entry, apart by tabs."""
    # Tabs and ends of lines inside a cell would shift the others.
    cells = [f"""translate("{name}"::VARCHAR, chr(9) || chr(10), '  ')""" for name in key_of(table)]
    line = " || chr(9) || ".join([*cells, f"left({hash_of_row(table)}, {HASH_DIGITS})"])
    query = f'SELECT {line} FROM "{table}" WHERE coalesce(entry, 0) = {entry:d}'
    return [str(found) for (found,) in opened.execute(query).fetchall()]


def _counted(index: str, cells: int) -> Counter[str] | None:
    """Return how often an index has each line; None if it is none."""
    lines = unpacked(index).split("\n") if index else []
    return Counter(lines) if all(line.count("\t") == cells for line in lines) else None
