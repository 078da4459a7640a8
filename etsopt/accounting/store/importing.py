"""Imports: folders of monthly reports are read with all their checks, and what is new of them joins the store.

A row that the store has is left alone, so that a folder may be imported again, or after it has grown. A row that
differs from its version in the store becomes the next version. One transaction holds all folders of an import.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.accounting.factors import parameters_file, read_parameters
from etsopt.accounting.rows import find_reports, read_reports
from etsopt.accounting.schema import REGISTER
from etsopt.accounting.store.checks_across_entries import check_across_entries
from etsopt.accounting.store.journal import look_back, new_entry
from etsopt.accounting.store.ledger import line_at
from etsopt.accounting.store.opening import is_store, open_store
from etsopt.accounting.store.own_columns import packed
from etsopt.accounting.store.reading import parameters_text
from etsopt.accounting.store.schema import CONTENT, KEY, UNIT, join_on, listed
from etsopt.common.errors import DataError, Problem, UsageError
from etsopt.common.language import _
from etsopt.common.progress import checkpoint, tell
from etsopt.data.files.read import REPORTS
from etsopt.data.messages import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etsopt.accounting.rows import Reports
    from etsopt.accounting.store.ledger import Line
    from etsopt.accounting.store.schema import Connection

IMPORT = "import"


@dataclass(frozen=True)
class Imported:
    """What the import of a folder added.

    Parameters
    ----------
    entry
        Its number in the journal.
    folder
        Name of the folder.
    rows_new, rows_corrected, rows_unchanged
        Rows of quantities that the store did not have, new versions of quantities that it had, and rows that it had.
    units_new, units_changed
        Units that joined the register, and those of which a cell changed.
    parameters_changed
        True if the folder's ``accounting.toml`` replaced another.
    line
        Line of the entry in the ledger: its ``stamp`` is the receipt.
    """

    entry: int
    folder: str
    rows_new: int
    rows_corrected: int
    rows_unchanged: int
    units_new: int
    units_changed: int
    parameters_changed: bool
    line: Line | None = None


def import_reports(
    path: str | Path, sources: str | Path | Sequence[str | Path], wait_s: float | None = None
) -> list[Imported]:
    """Add the monthly reports of folders and workbooks to a store, which is created if it does not exist.

    Parameters
    ----------
    sources
        A folder with ``register.csv`` and ``reports``, a workbook with the register and rows, or several.
    wait_s
        Time to wait while another process has the store open [s]; None for 10.

    Returns
    -------
    list
        For every folder the numbers of rows and units that are new, changed and unchanged.

    Raises
    ------
    UsageError
        As `open_store` does, or if a folder is missing.
    DataError
        With every problem of a folder, or of its rows together with those of the store, which stays as it was.
    """
    folders = [sources] if isinstance(sources, str | Path) else list(sources)
    if not folders:
        raise UsageError(_("No folder is named."), _("For example: etsopt store import plants.duckdb plants"))
    for folder in folders:
        if is_store(folder):
            raise UsageError(
                _("{folder!r} is a store.", folder=str(folder)),
                _("Export it to a folder first: etsopt store export"),
            )
    # Files are read before the store is held, as that takes the most time.
    read = [_Folder.read(find_reports(folder)) for folder in folders]
    with open_store(path, write=True, create=True, wait_s=wait_s) as opened:
        added = _added(opened, read)
    return [replace(one, line=line_at(path, one.entry)) for one in added]


@dataclass(frozen=True, eq=False)
class _Folder:
    """A folder or workbook as it was read."""

    path: Path
    reports: Reports
    parameters: str
    sources: pd.DataFrame

    @classmethod
    def read(cls, path: Path) -> _Folder:
        tell(_("reading {name}", name=path.name))
        reports = read_reports(path)
        read_parameters(path)
        toml = parameters_file(path)
        root = toml.parent
        of_reports = [path] if path.is_file() else [path / REGISTER.file, *sorted((path / REPORTS).iterdir())]
        files = [file for file in (*of_reports, toml) if file.is_file() and not file.name.startswith(".")]
        content = [(file.relative_to(root).as_posix(), file.read_bytes()) for file in files]
        sources = pd.DataFrame(
            [(path.name, name, len(held), hashlib.sha256(held).hexdigest()) for name, held in content],
            columns=["folder", "file", "bytes", "sha256"],
        )
        return cls(path, reports, toml.read_text(encoding="utf-8-sig") if toml.is_file() else "", sources)


def _added(opened: Connection, folders: Sequence[_Folder]) -> list[Imported]:
    """Add folders one after the other, and check the rows of all changed units together with those of the store."""
    added = []
    for number, folder in enumerate(folders):
        checkpoint(_("importing"), number, len(folders))
        entry = new_entry(opened, IMPORT, folder.path.name)
        look_back(opened)
        changed = _add_parameters(opened, entry, folder)
        totals = (*_add_rows(opened, entry, folder), *_add_units(opened, entry, folder))
        _insert(opened, "sources", folder.sources.assign(entry=entry))
        opened.execute("INSERT INTO imports VALUES (?, ?, ?, ?, ?, ?)", [entry, *totals])
        added.append(Imported(entry, folder.path.name, *totals, changed))
    # The rows of one folder were checked when it was read.
    if added[-1].entry > 1:
        check_across_entries(opened, added[0].entry)
    return added


def _insert(opened: Connection, table: str, frame: pd.DataFrame) -> None:
    """Append a frame to a table by the names of its columns."""
    opened.register("appended", frame)
    opened.execute(f'INSERT INTO "{table}" BY NAME SELECT * FROM appended')
    opened.unregister("appended")


def _add_parameters(opened: Connection, entry: int, folder: _Folder) -> bool:
    """Keep the parameters of a folder that has some, and return True if they replace others."""
    before = parameters_text(opened)
    if folder.parameters in ("", before):
        return False
    _insert(opened, "parameters", pd.DataFrame({"entry": [entry], "content": [folder.parameters]}))
    return bool(before)


def _add_units(opened: Connection, entry: int, folder: _Folder) -> tuple[int, int]:
    """Add the units that are new or changed, and return their numbers."""
    register = folder.reports.register
    frame = register[[name for name in UNIT if name in register]].assign(own=packed(register))
    opened.register("staged_units", frame)
    same = join_on("s", "c", UNIT)
    opened.execute(
        f"CREATE OR REPLACE TEMP TABLE fresh_units AS SELECT * FROM staged_units s ANTI JOIN current_units c ON {same}"
    )
    opened.unregister("staged_units")
    count = "SELECT count(*), count(c.unit_id) FROM fresh_units f LEFT JOIN current_units c USING (unit_id)"
    fresh, changed = opened.execute(count).fetchall()[0]
    opened.execute(f"INSERT INTO units BY NAME SELECT {entry:d} AS entry, * FROM fresh_units")
    return int(fresh - changed), int(changed)


def _add_rows(opened: Connection, entry: int, folder: _Folder) -> tuple[int, int, int]:
    """Add the rows that the store does not have, and return the numbers of new, corrected and unchanged ones."""
    rows = folder.reports.rows
    frame = rows[["file", "line", *KEY, *(name for name in CONTENT if name in rows)]].assign(
        own=packed(rows),
        version=rows["version"].to_numpy(dtype=np.int64),
        position=np.arange(len(rows)),
    )
    opened.register("staged", frame)
    opened.execute(
        f"CREATE OR REPLACE TEMP TABLE fresh AS SELECT * FROM staged s "
        f"ANTI JOIN seen_rows r ON {join_on('s', 'r', (*KEY, *CONTENT))} AND s.version = r.stated_version"
    )
    # A folder that `etsopt store export` wrote states the versions of the store.
    opened.execute(
        f"CREATE OR REPLACE TEMP TABLE fresh AS SELECT * FROM fresh s "
        f"ANTI JOIN seen_rows r ON {join_on('s', 'r', (*KEY, *CONTENT))} AND s.version = r.version"
    )
    opened.execute(
        f"CREATE OR REPLACE TEMP TABLE numbered AS WITH "
        f"highest AS (SELECT {listed(KEY)}, max(version) AS version FROM seen_rows GROUP BY ALL), "
        f"top AS (SELECT {listed(KEY)}, max(version) AS version FROM staged GROUP BY ALL) "
        f"SELECT f.*, h.version IS NOT NULL AS known, r.version IS NOT NULL AS taken, f.version = t.version AS latest, "
        f"h.version AS highest FROM fresh f JOIN top t ON {join_on('f', 't')} LEFT JOIN highest h ON "
        f"{join_on('f', 'h')} LEFT JOIN (SELECT {listed(KEY)}, version FROM seen_rows) r "
        f"ON {join_on('f', 'r')} AND f.version = r.version"
    )
    opened.unregister("staged")
    _refuse_rewritten(opened)
    opened.execute(
        f"INSERT INTO rows BY NAME SELECT {entry:d} AS entry, position, file, line, {listed((*KEY, *CONTENT))}, "
        f"CASE WHEN taken THEN highest + 1 ELSE version END AS version, version AS stated_version "
        f"FROM numbered ORDER BY position"
    )
    fresh, known = opened.execute("SELECT count(*), count(*) FILTER (known) FROM numbered").fetchall()[0]
    return int(fresh - known), int(known), len(rows) - int(fresh)


def _refuse_rewritten(opened: Connection) -> None:
    """Raise DataError if a version that its own file replaces differs from that of the store."""
    found = opened.execute(
        "SELECT file, line, version FROM numbered WHERE taken AND NOT latest ORDER BY position"
    ).fetchall()
    problems = []
    for file in dict.fromkeys(row[0] for row in found):
        cells = tuple((str(line), str(version)) for name, line, version in found if name == file)
        what = (
            _("replaced version differs from that of the store"),
            _("replaced versions differ from those of the store"),
        )
        advice = _("Leave versions that are filed as they are, and give a correction the next version.")
        problems.append(Problem(file, counted(len(cells), *what), advice, "version", cells))
    if problems:
        raise DataError(_("The import"), problems)
