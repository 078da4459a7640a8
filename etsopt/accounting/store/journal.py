"""The journal of a store: an entry for every import and decision, and the state at an earlier one."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.accounting.coded import UNKNOWN, days
from etsopt.accounting.store.ledger import JOURNALLED, StoreVerification, compared, last_entry, printed_head
from etsopt.accounting.store.opening import open_store
from etsopt.accounting.store.schema import listed
from etsopt.common.clock import day_in_china, end_in_china, time_in_utc
from etsopt.common.errors import UsageError, brief
from etsopt.common.language import _

if TYPE_CHECKING:
    from etsopt.accounting.store.schema import Connection

LONGEST_NUMBER = 9


LOG = """
SELECT entry, at_utc, kind AS entry_kind, what, coalesce(rows_new, 0) AS rows_new,
    coalesce(rows_corrected, 0) AS rows_corrected, coalesce(rows_unchanged, 0) AS rows_unchanged,
    coalesce(files, 0) AS files
FROM entries LEFT JOIN imports USING (entry)
LEFT JOIN (SELECT entry, count(*) AS files FROM sources GROUP BY entry) USING (entry)
ORDER BY entry
"""


def new_entry(opened: Connection, kind: str, what: str) -> int:
    """Add an entry to the journal, and return its number."""
    entry = last_entry(opened) + 1
    at_utc = time_in_utc().replace(tzinfo=None)
    opened.execute("INSERT INTO entries VALUES (?, ?, ?, ?)", [entry, at_utc, kind, what])
    return entry


def day_of(opened: Connection, entry: int) -> date:
    """Return the day of an entry in China."""
    at_utc: datetime = opened.execute("SELECT at_utc FROM entries WHERE entry = ?", [entry]).fetchall()[0][0]
    return day_in_china(at_utc.replace(tzinfo=UTC))


def look_back(opened: Connection, as_of: int | str | None = None) -> int:
    """Create temporary views ``seen_...`` of all tables at an entry or day, and return the last entry that they have.

    Parameters
    ----------
    as_of
        Number of an entry, or a day such as 2026-01-31, whose end in China counts; None for the present.

    Raises
    ------
    UsageError
        If there is no such entry, or none until that day.
    """
    last = _entry_of(opened, as_of)
    for name in JOURNALLED:
        opened.execute(f'CREATE OR REPLACE TEMP VIEW "seen_{name}" AS SELECT * FROM "{name}" WHERE entry <= {last:d}')
    newest = "QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {order} DESC) = 1"
    key = listed(("unit_id", "month", "process", "item", "flow", "batch"))
    opened.execute(
        "CREATE OR REPLACE TEMP VIEW current_rows AS SELECT * FROM seen_rows " + newest.format(key=key, order="version")
    )
    opened.execute(
        "CREATE OR REPLACE TEMP VIEW current_units AS SELECT * FROM seen_units "
        + newest.format(key="unit_id", order="entry")
    )
    return last


def _entry_of(opened: Connection, as_of: int | str | None) -> int:
    last = last_entry(opened)
    if as_of is None:
        return last
    text = str(as_of).strip()
    if text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER:
        if not 1 <= int(text) <= last:
            raise UsageError(
                _("The store has no entry {text}: it has 1 to {last}.", text=text, last=last),
                _("List them: etsopt store log STORE"),
            )
        return int(text)
    day = int(days(np.array([text], dtype=object))[0])
    if day == UNKNOWN:
        what = _("{as_of} is neither an entry of the store nor a day.", as_of=brief(as_of))
        raise UsageError(what, _("Name an entry that `etsopt store log` lists, or a day such as 2026-01-31."))
    end = end_in_china(date.fromisoformat(text)).replace(tzinfo=None)
    # An entry by a clock that was behind does not bring those before it, which are later than the day.
    query = "SELECT coalesce(min(entry) FILTER (at_utc > ?) - 1, max(entry), 0) FROM entries"
    found = opened.execute(query, [end]).fetchall()[0][0]
    if not found:
        raise UsageError(_("The store had no entry until {text}.", text=text), _("Name a later day, or an entry."))
    return int(found)


def frame_of(opened: Connection, query: str) -> pd.DataFrame:
    """Return the result of a query: texts as Python strings, absent numbers as NaN."""
    columns: dict[str, Any] = {}
    for name, cells in opened.execute(query).fetchnumpy().items():
        if isinstance(cells, np.ma.MaskedArray):
            fill: Any = np.nan if cells.dtype.kind == "f" else "" if cells.dtype == object else 0
            cells = cells.filled(fill)
        columns[name] = pd.Series(cells, dtype=cells.dtype)
    return pd.DataFrame(columns)


def store_log(path: str | Path, wait_s: float | None = None) -> pd.DataFrame:
    """Return the journal of a store: entry, time in UTC, kind, what, and the rows and units of an import.

    Raises
    ------
    UsageError
        As `open_store` does.
    """
    with open_store(path, wait_s=wait_s) as opened:
        table = frame_of(opened, LOG)
    at = pd.to_datetime(table["at_utc"]).dt.strftime("%Y-%m-%d %H:%M:%S")
    return table.assign(at_utc=at.astype(object))


def verify_store(path: str | Path, head: str = "", wait_s: float | None = None) -> StoreVerification:
    """Compare a store with the ledger beside it, and with a head that was printed earlier.

    Parameters
    ----------
    head
        Digits of a head that a page or receipt has, with or without spaces; empty to compare with the ledger alone.
    wait_s
        Time to wait while another process has the store open [s]; None for 10.

    Returns
    -------
    StoreVerification
        What was altered, by entry and table. Without a head that left the house, a store and ledger that were rewritten
        together, or put back from a copy, cannot be distinguished from true ones.

    Raises
    ------
    UsageError
        As `open_store` does, or if the head is none.
    """
    digits = printed_head(head) if head else ""
    with open_store(path, wait_s=wait_s) as opened:
        return compared(opened, Path(path).resolve(), digits)
