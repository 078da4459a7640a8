r"""The ledger of a store: a chain of hashes over its journal, in a file beside it, which shows what was altered.

The digest $d_n$ of entry $n$ has, of each table, the number of its rows and the SHA-256 of their sorted hashes; a row
is hashed as its cells, each with its length. The head after it covers its line, and all entries before:
$h_n = \mathrm{SHA256}(h_{n-1}, n, d_n, \dots)$, with $h_0$ zero.

A line is begun before the transaction of its entry is committed, and kept by another line after it; the transaction
puts its head into the store. So a command that is killed leaves either nothing, or an entry that agrees with its line;
a head is printed once it is kept. What was cut off behind the last entry is found while either file still tells of it.

Who can write the store can write the ledger too. What makes a head evidence is that it leaves the house: on every page
and receipt, in the hands of enterprises and of the next level. Against a head that was printed, a rewritten ledger and
an earlier state of both files are found. A figure that was false when it was filed is not.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etsopt.accounting.store.row_index import AlteredRow, altered_rows, hash_of_row, index_of, key_of, unpacked
from etsopt.accounting.store.schema import TABLES
from etsopt.common.errors import AssumedWarning, UsageError, warn
from etsopt.common.language import _
from etsopt.data.files.atomic import synchronise

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from etsopt.accounting.store.schema import Connection
    from etsopt.common.language import Text

START = "0" * 64
DIGITS = 32
"""Digits of a head that are printed: nobody finds other content for them, while the file has all 64."""

HEAD = re.compile("[0-9a-f]{64}")
JOURNALLED = tuple(name for name in TABLES if "entry" in TABLES[name])
"""Tables whose rows belong to entries."""

Content = dict[str, list[Any]]
"""Number of rows and their digest, by table."""


@dataclass(frozen=True)
class Line:
    """An entry in the ledger.

    Parameters
    ----------
    entry, at
        Number of the entry, and its time in UTC.
    before
        Last entry before the transaction of this one, which was committed when it began.
    content
        Number of rows and digest of each table that has some.
    rows
        Index of the rows of each table whose rows have a name, as `row_index` packs it.
    head
        Head of the chain after it.
    found
        True if the entry was there before the ledger was begun, and taken as it was.
    """

    entry: int
    at: str
    before: int
    found: bool
    content: Content
    rows: dict[str, str]
    head: str

    @classmethod
    def of(cls, stated: dict[str, Any]) -> Line:
        """Return the line of a record.

        Raises
        ------
        TypeError, ValueError
            If the record is no line.
        """
        line = cls(**stated)
        numbers = [line.entry, line.before, *(rows for rows, _digest in line.content.values())]
        texts = [line.at, *line.content, *(digest for _rows, digest in line.content.values())]
        texts += [one for pair in line.rows.items() for one in pair]
        if not (all(type(one) is int for one in numbers) and all(type(one) is str for one in texts)):
            raise TypeError
        if not (type(line.found) is bool and HEAD.fullmatch(line.head)):
            raise ValueError
        return line

    def follows(self, head: str) -> str:
        """Return the head after this line."""
        content = sorted([name, *parts] for name, parts in self.content.items())
        rows = sorted(
            (name, hashlib.sha256(unpacked(index).encode("utf-8", "surrogatepass")).hexdigest())
            for name, index in self.rows.items()
        )
        own = [self.entry, self.at, self.before, self.found, content, rows]
        text = json.dumps([head, *own], separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def stamp(self) -> Text:
        """What a page prints: entry, day, and the digits of the head in groups of four."""
        # One word, which no line breaks.
        digits = "\xa0".join(re.findall("....", self.head[:DIGITS]))
        return _("Entry {entry} of {day} (UTC), head {digits}.", entry=self.entry, day=self.at[:10], digits=digits)


@dataclass(frozen=True)
class Ledger:
    """The lines of a ledger.

    Parameters
    ----------
    lines
        By entry; a line that was begun again, because a command was killed, replaces the former one.
    kept
        Last entry whose transaction is known to be committed; 0 for none.
    damaged
        Numbers of the lines of the file that are none of a ledger, or begin an entry again that was kept.
    replaced
        Lines whose entry was begun again.
    """

    lines: Mapping[int, Line]
    kept: int
    damaged: tuple[int, ...]
    replaced: tuple[Line, ...]

    def entry_of(self, head: str) -> int:
        """Return the entry of the first digits of a head; 0 for that of none."""
        return max((entry for entry, line in self.lines.items() if head and line.head.startswith(head)), default=0)

    def with_kept(self, head: str) -> Ledger:
        """Return the ledger with all entries kept up to that of a head, which only a committed transaction leaves."""
        return replace(self, kept=max(self.kept, self.entry_of(head)))


@dataclass(frozen=True)
class Alteration:
    """A place at which a store and its ledger differ.

    Parameters
    ----------
    entry
        Its entry; 0 for the ledger itself, and for rows of no entry.
    table
        Its table; empty for the line of the entry, and for the ledger itself.
    what
        What differs.
    rows
        The rows, as far as they are known.
    """

    entry: int
    table: str
    what: Text
    rows: tuple[AlteredRow, ...] = ()


@dataclass(frozen=True)
class StoreVerification:
    """What the comparison of a store with its ledger found.

    Parameters
    ----------
    alterations
        Places at which they differ.
    entries
        Number of entries of the store.
    lines
        Lines of the entries that are or were there, by entry; none without a ledger.
    of_head
        Entry whose head was given; 0 without one.
    not_kept
        Lines that were begun and whose entry, as far as the two files tell, was never committed.
    """

    alterations: tuple[Alteration, ...]
    entries: int
    lines: Mapping[int, Line] = field(default_factory=dict)
    of_head: int = 0
    not_kept: tuple[Line, ...] = ()

    @property
    def under_head(self) -> int:
        """Number of places that concern what the given head covers, or rows of no entry."""
        return sum(one.entry <= self.of_head and (one.entry > 0 or one.table != "") for one in self.alterations)

    @property
    def last(self) -> Line | None:
        """Line of the last entry; None without any."""
        return self.lines[max(self.lines)] if self.lines else None

    @property
    def found(self) -> int:
        """Last entry that the ledger took as it was; 0 for none."""
        return max((line.entry for line in self.lines.values() if line.found), default=0)


def ledger_of(store: Path) -> Path:
    """Return the file of the ledger of a store.

    >>> ledger_of(Path("plants.duckdb")).name
    'plants.ledger.jsonl'
    """
    return store.with_suffix(".ledger.jsonl")


def read_ledger(store: Path) -> Ledger | None:
    """Return the ledger of a store; None if there is no file."""
    path = ledger_of(store)
    if not path.is_file():
        return None
    lines: dict[int, Line] = {}
    kept, damaged, replaced = 0, [], []
    # Nobody has the head of what a full disk cut off behind the last whole line.
    whole, _end, _torn = path.read_text("utf-8", "replace").rpartition("\n")
    for number, text in enumerate(whole.split("\n") if whole else (), start=1):
        try:
            stated = json.loads(text)
            if {*stated} == {"kept"}:
                kept = max(kept, min(stated["kept"], max(lines, default=0)))
                continue
            line = Line.of(stated)
            kept = max(kept, min(line.before, max(lines, default=0)))
            if line.entry <= kept:
                raise ValueError
            replaced += [lines[line.entry]] if line.entry in lines else []
            lines[line.entry] = line
        except (ValueError, TypeError, AttributeError, RecursionError):
            damaged.append(number)
    return Ledger(lines, kept, tuple(damaged), tuple(replaced))


def _head_in(opened: Connection) -> str:
    """Return the head that a store holds, that of its last entry; empty if it has none."""
    found = opened.execute("SELECT max(value) FROM about WHERE name = 'head'").fetchall()[0][0]
    return str(found or "")


def last_entry(opened: Connection) -> int:
    """Return the number of the last entry of a store; 0 without any."""
    return int(opened.execute("SELECT coalesce(max(entry), 0) FROM entries").fetchall()[0][0])


def require_none(store: Path) -> None:
    """Refuse to create a store beside the ledger of one that is gone.

    Raises
    ------
    UsageError
        If the ledger has entries.
    """
    ledger = read_ledger(store)
    if ledger is not None and ledger.kept:
        what = _("The ledger {path!r} is that of a store that is gone.", path=str(ledger_of(store)))
        raise UsageError(what, _("Put the store back, or move its ledger away and begin a new store."))


def entries_before(opened: Connection, store: Path) -> int:
    """Return the last entry of a store that is about to be written.

    Raises
    ------
    UsageError
        If it has other entries than its ledger, or rows of no entry: what is written next would hide that.
    """
    ledger, last, head = read_ledger(store), last_entry(opened), _head_in(opened)
    if ledger is not None and ledger.entry_of(head) != last:
        kept = ledger.with_kept(head).kept
        what = _("The store has {last:,} entries, and its ledger {kept:,}.", last=last, kept=kept)
        if last == kept:
            what = _("The head that the store holds is not that of entry {last:,} of its ledger.", last=last)
        raise UsageError(what, _("Put back the store of this ledger; or move the ledger away, to begin a new one."))
    for table in JOURNALLED:
        query = f'SELECT count(*) FROM "{table}" WHERE entry IS NULL OR entry NOT IN (SELECT entry FROM entries)'
        if count := int(opened.execute(query).fetchall()[0][0]):
            what = _("Table {table} of the store has {count:,} rows of no entry.", table=table, count=count)
            raise UsageError(what, _("Something else than etsopt wrote them: etsopt store verify STORE"))
    return last


def begin(opened: Connection, store: Path, before: int) -> int:
    """Write the lines of the entries that a transaction is about to commit; return the last of them, 0 for none.

    Parameters
    ----------
    before
        Last entry before the transaction.
    """
    if last_entry(opened) == before:
        return 0
    ledger = read_ledger(store)
    lines, known = ({}, None) if ledger is None else (ledger.lines, before)
    if ledger is None and before:
        what = _("The store has no ledger beside it: its {count:,} entries are taken as they are.", count=before)
        warn(what, AssumedWarning)
    head = lines[max(former)].head if (former := [entry for entry in lines if entry <= before]) else START
    times = dict(opened.execute("SELECT entry, strftime(at_utc, '%Y-%m-%dT%H:%M:%SZ') FROM entries").fetchall())
    added = list[Line]()
    for entry, content in sorted(digests(opened, known).items()):
        rows = {table: index_of(opened, table, entry) for table in content if key_of(table)}
        line = Line(entry, times.get(entry, ""), min(before, entry - 1), entry <= before, content, rows, "")
        head = line.follows(head)
        added.append(replace(line, head=head))
    opened.execute("DELETE FROM about WHERE name = 'head'")
    opened.execute("INSERT INTO about VALUES ('head', ?)", [head])
    _append(store, [vars(line) for line in added])
    return added[-1].entry


def keep(store: Path, entry: int) -> None:
    """Write that the transaction of entries up to one is committed; where that cannot be written the line agrees."""
    if entry:
        with suppress(OSError):
            _append(store, [{"kept": entry}])


def _append(store: Path, records: list[dict[str, Any]]) -> None:
    """Append lines to a ledger, in place of what was cut off behind its last whole line; all of them or none."""
    path = ledger_of(store)
    path.touch()
    with path.open("r+b") as file:
        size = file.read().rfind(b"\n") + 1
        try:
            file.truncate(size)
            file.seek(size)
            file.write("".join(json.dumps(record, separators=(",", ":")) + "\n" for record in records).encode())
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            file.truncate(size)
            raise
    synchronise(path.parent)


def digests(opened: Connection, after: int | None = None) -> dict[int, Content]:
    """Return the content of every entry, or of those after one: number of rows and digest of each table."""
    where = "" if after is None else f"WHERE entry > {after:d}"
    found: dict[int, Content] = {}
    for table in JOURNALLED:
        query = (
            f"SELECT coalesce(entry, 0), count(*), sha256(string_agg(h, '' ORDER BY h)) FROM "
            f'(SELECT entry, {hash_of_row(table)} AS h FROM "{table}" {where}) GROUP BY ALL'
        )
        for entry, count, digest in opened.execute(query).fetchall():
            found.setdefault(int(entry), {})[table] = [int(count), str(digest)]
    return found


def line_at(store: str | Path, entry: int) -> Line | None:
    """Return the line of an entry of a store; None without a ledger, or without that entry."""
    return ledger.lines.get(entry) if (ledger := read_ledger(Path(store).resolve())) else None


def compared(opened: Connection, store: Path, head: str) -> StoreVerification:
    """Compare a store with its ledger, and with a head that was printed, empty for none."""
    ledger, now = read_ledger(store), digests(opened)
    entries = last_entry(opened)
    if ledger is None:
        missing = Alteration(0, "", _("there is no ledger {path!r} beside it", path=ledger_of(store).name))
        return StoreVerification((missing,), entries)
    own = _head_in(opened)
    ledger = ledger.with_kept(own).with_kept(head)
    lines = {entry: line for entry, line in ledger.lines.items() if entry in now or entry <= ledger.kept}
    not_kept = (*ledger.replaced, *(line for entry, line in ledger.lines.items() if entry not in lines))
    found = [Alteration(0, "", _("line {number} is none of a ledger", number=number)) for number in ledger.damaged]
    if own != (lines[max(lines)].head if lines else ""):
        text = _("the head that the store holds is not that of the last entry: one of them was cut off or rewritten")
        found.append(Alteration(0, "", text))
    found += _differences(opened, lines, now)
    of_head = ledger.entry_of(head)
    if head and not of_head:
        text = _("the printed head is that of no entry: the ledger was rewritten, or is of an earlier state")
        if any(line.head.startswith(head) for line in not_kept):
            text = _("the printed head is that of an entry that is no longer there: the store was put back")
        found.append(Alteration(0, "", text))
    return StoreVerification(tuple(found), entries, lines, of_head, not_kept)


def _differences(opened: Connection, lines: Mapping[int, Line], now: dict[int, Content]) -> Iterator[Alteration]:
    """Yield the entries and tables in which a store differs from its ledger, and lines that break the chain.

    Parameters
    ----------
    lines
        Lines of the entries that are or were there.
    now
        Content of the entries that are there.
    """
    head = START
    for entry in sorted({*lines, *now}):
        line, have = lines.get(entry), now.get(entry, {})
        before, index = ({}, {}) if line is None else (line.content, line.rows)
        if line is None and entry:
            yield Alteration(entry, "", _("the entry is not in the ledger"))
        for table in sorted({*before, *have}):
            was, present = before.get(table, [0, ""]), have.get(table, [0, ""])
            if was != present:
                text = _("{before:,} rows became {after:,}", before=was[0], after=present[0])
                what = _("a row was changed") if was[0] == present[0] else text
                rows = altered_rows(opened, table, entry, index.get(table) if table in before else "")
                yield Alteration(entry, table, what, tuple(rows))
        if line is not None:
            head = line.follows(head)
            if head != line.head:
                yield Alteration(entry, "", _("the line of the ledger was changed"))
                head = line.head


def printed_head(stated: str) -> str:
    """Return the digits of a head as a person copies it from a page.

    Raises
    ------
    UsageError
        If it has too few digits, or others than hexadecimal ones.
    """
    digits = re.sub(r"\s", "", stated).lower()
    if not re.fullmatch(f"[0-9a-f]{{{DIGITS},64}}", digits):
        what = _("{head!r} is no head of a ledger.", head=stated)
        raise UsageError(what, _("Copy its {digits} digits from the page, with or without spaces.", digits=DIGITS))
    return digits
