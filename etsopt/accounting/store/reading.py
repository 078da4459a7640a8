"""Reader of a store: the reports and parameters of now or of an earlier state, as if they came from a folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from etsopt.accounting.factors import parameters_of
from etsopt.accounting.rows import Reports
from etsopt.accounting.schema import REGISTER, ROWS
from etsopt.accounting.store.journal import frame_of, look_back
from etsopt.accounting.store.opening import open_store
from etsopt.accounting.store.own_columns import unpacked
from etsopt.accounting.store.schema import UNIT, listed
from etsopt.accounting.validated_rows import with_defaults
from etsopt.common.errors import DataError
from etsopt.common.language import _
from etsopt.common.progress import checkpoint

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from etsopt.accounting.store.schema import Connection

_COLUMNS = (*(column.name for column in ROWS.columns), "own")


@dataclass(frozen=True, eq=False)
class Content:
    """Reports and parameters of one state of a store.

    Parameters
    ----------
    reports
        Register and rows with all their versions, in the order in which they came; ``file`` and ``line`` are those of
        the imported folder.
    parameters
        Factors in place of the official ones, by dotted keys.
    entry
        Last entry of the journal that they have.
    """

    reports: Reports
    parameters: dict[str, Any]
    entry: int


def read_store(path: str | Path, as_of: int | str | None = None, wait_s: float | None = None) -> Content:
    """Read a store, validated as a folder is.

    Parameters
    ----------
    as_of
        Number of an entry of the journal, or a day such as 2026-01-31; None for the present.
    wait_s
        Time to wait while another process has the store open [s]; None for 10.

    Raises
    ------
    UsageError
        As `open_store` does, or if there is no such entry.
    DataError
        If the rows are not valid, because something else changed the file.
    """
    with open_store(path, wait_s=wait_s) as opened:
        entry = look_back(opened, as_of)
        checkpoint(_("reading the store"))
        return Content(reports_of(opened), parameters_in(opened), entry)


def reports_of(opened: Connection) -> Reports:
    """Return the reports that the views of `look_back` show, validated as those of a folder are."""
    found = unchecked(opened)
    try:
        checked = Reports.from_frames(found.register, found.rows.drop(columns=["file", "line"]))
    except DataError as error:
        raise DataError(_("The store"), error.problems) from None
    # Places are those of the folders, and not of the frame.
    return Reports(checked.register, checked.rows.assign(file=found.rows["file"], line=found.rows["line"]))


def unchecked(opened: Connection, units: str = "") -> Reports:
    """Return the reports that the views show as they are, with file and line of the imported folders.

    Parameters
    ----------
    units
        SQL condition on ``unit_id``; empty for all.
    """
    where = f"WHERE {units}" if units else ""
    rows = frame_of(opened, f"SELECT file, line, {listed(_COLUMNS)} FROM seen_rows {where} ORDER BY entry, position")
    return Reports(register_of(opened), unpacked(rows))


def register_of(opened: Connection) -> pd.DataFrame:
    """Return the register that the views show."""
    found = unpacked(frame_of(opened, f"SELECT {listed(UNIT)} FROM current_units ORDER BY unit_id"))
    return with_defaults(found, REGISTER.columns)


def parameters_in(opened: Connection) -> dict[str, Any]:
    """Return the parameters of the latest import that brought some."""
    return parameters_of(text.encode()) if (text := parameters_text(opened)) else {}


def parameters_text(opened: Connection) -> str:
    """Return the ``accounting.toml`` of the latest import that brought one, else the empty text."""
    found = opened.execute("SELECT content FROM seen_parameters ORDER BY entry DESC LIMIT 1").fetchall()
    return str(found[0][0]) if found else ""
