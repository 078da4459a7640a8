"""Opening of a store: the lock, the connection, and errors of a file that is none, newer, or damaged.

One process at a time has the store open, also to read it: the system releases the lock when a process is killed. The
file is untrusted, so the connection can reach no other file and load no extension, and a view in place of a table is
refused.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etsopt.accounting.store import ledger
from etsopt.accounting.store.schema import FORMAT, TABLES, Connection, statements
from etsopt.common.errors import UsageError, shortened
from etsopt.common.language import _
from etsopt.common.modules import optional
from etsopt.data.files.atomic import file_in_errors, synchronise
from etsopt.data.files.lock import POLL_S, WAIT_S, locked

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIX = ".duckdb"
"""A path with this suffix is a store, every other a folder."""

SETTINGS: dict[str, Any] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_persistent_secrets": False,
}
LONGEST_REASON = 300
NOT_WRITTEN = ("Could not write", "No space left", "Permission denied", "Read-only file system", "Could not truncate")
"""Parts of DuckDB's messages on a disk that takes no more, or a place that may not be written to."""

COPY = _("Restore a copy of it, or import the folders into a new store.")


def is_store(source: str | Path) -> bool:
    """Return True for a path with the suffix of a store."""
    return Path(source).suffix.lower() == SUFFIX


@contextmanager
def open_store(
    path: str | Path,
    *,
    write: bool = False,
    create: bool = False,
    wait_s: float | None = None,
    reach: Path | None = None,
) -> Iterator[Connection]:
    """Open a store for the code inside; while it runs, other processes wait.

    Parameters
    ----------
    write
        True to write: all changes are one transaction, which an exception takes back.
    create
        True to create the store if it does not exist. It is made beside its place and renamed at the end.
    wait_s
        Time to wait while another process has the store open [s]; None for 10.
    reach
        A folder that statements may write files to.

    Yields
    ------
    duckdb.DuckDBPyConnection
        The connection.

    Raises
    ------
    UsageError
        If DuckDB is not installed, the file is missing, no store, damaged or newer, or in use after ``wait_s``.
    OSError
        With the name of the file that could not be read or written.
    """
    duckdb, path = _duckdb(), Path(path)
    if not is_store(path):
        what = _("{path!r} is no name of a store.", path=str(path))
        raise UsageError(what, _("Let the name end in {suffix}, such as plants{suffix}.", suffix=SUFFIX))
    _check_place(path, create)
    real = path.resolve()
    with file_in_errors(path), _held(real, path, write, wait_s), _translated(duckdb, path):
        # Another process may have created or removed it meanwhile.
        _check_place(path, create)
        if not path.exists():
            ledger.require_none(real)
            with _made_aside(real) as part, _connected(duckdb, part, write=True, wait_s=wait_s, reach=reach) as opened:
                _created(opened)
                yield opened
                begun = ledger.begin(opened, real, 0)
        else:
            with _connected(duckdb, real, write, wait_s, reach) as opened:
                _examined(opened, path)
                before = ledger.entries_before(opened, real) if write else 0
                yield opened
                begun = ledger.begin(opened, real, before) if write else 0
        ledger.keep(real, begun)


def _duckdb() -> Any:
    """Import DuckDB only when needed: it is optional."""
    return optional(
        "duckdb",
        _("A store of reports needs DuckDB, which is not installed."),
        _('Install it, `pip install "etsopt[mrv]"`. A folder of reports needs none, but to verify it.'),
    )


def _check_place(path: Path, create: bool) -> None:
    """Raise UsageError if there is no store, and none may be created there."""
    if path.exists() and not path.is_file():
        raise UsageError(_("{path!r} is a folder, or no file.", path=str(path)), _("Name the file of the store."))
    if not path.exists() and not create:
        advice = _("Create it: etsopt store import {path} FOLDER", path=path)
        raise UsageError(_("There is no store {path!r}.", path=str(path)), advice)
    if not path.parent.is_dir():
        raise UsageError(
            _("There is no folder {parent!r} for the store.", parent=str(path.parent)),
            _("Create it, or name another."),
        )


@contextmanager
def _held(real: Path, path: Path, write: bool, wait_s: float | None) -> Iterator[None]:
    """Hold the lock of a store; in a folder that may not be written to, readers need none, as there is no writer."""
    if not write and not os.access(real.parent, os.W_OK):
        yield
        return
    with locked(
        real.with_name(f".{real.name}.etsopt-lock"), _("The store {path!r}", path=str(path)), _("in use by"), wait_s
    ):
        yield


@contextmanager
def _made_aside(real: Path) -> Iterator[Path]:
    """Yield a hidden file that becomes the store at the end; what a killed import left of it is removed."""
    part = real.with_name(f".{real.stem}.etsopt-part{SUFFIX}")
    log = part.with_name(f"{part.name}.wal")
    for old in (part, log):
        old.unlink(missing_ok=True)
    try:
        yield part
        if log.exists():
            raise OSError(None, "the database was not closed completely", str(real))
        synchronise(part)
        os.replace(part, real)
        synchronise(real.parent)
    finally:
        for old in (part, log):
            with suppress(OSError):
                old.unlink(missing_ok=True)


@contextmanager
def _connected(
    duckdb: Any, file: Path, write: bool, wait_s: float | None, reach: Path | None = None
) -> Iterator[Connection]:
    """Connect, and end the transaction of a writer."""
    deadline = time.monotonic() + (WAIT_S if wait_s is None else wait_s)
    while True:
        try:
            opened = duckdb.connect(str(file), read_only=not write, config=SETTINGS)
            break
        except duckdb.IOException as error:
            # Another program than etsopt does not know our lock, but DuckDB's own.
            holder = re.search(r"onflicting lock is held in (.{1,200}?)\. ", str(error))
            if holder is None:
                raise
            if time.monotonic() > deadline:
                advice = _("Wait until it has finished, or close it.")
                raise UsageError(
                    _("The store {file!r} is in use by {holder}.", file=str(file), holder=holder[1]), advice
                ) from None
            time.sleep(POLL_S)
    try:
        if reach is not None:
            opened.execute("SET allowed_directories = ?", [[str(reach)]])
        opened.execute("SET enable_external_access = false")
        opened.execute("SET lock_configuration = true")
        opened.execute("BEGIN")
        yield opened
        opened.execute("COMMIT" if write else "ROLLBACK")
    finally:
        # A transaction without its end is taken back.
        opened.close()


def _created(opened: Connection) -> None:
    for statement in statements():
        opened.execute(statement)
    opened.execute("INSERT INTO about VALUES ('format', ?)", [str(FORMAT)])


def _definitions(opened: Connection) -> dict[str, str]:
    """Return the SQL of each table, as this version of DuckDB words it."""
    query = (
        "SELECT table_name, sql FROM system.main.duckdb_tables() WHERE NOT internal AND schema_name = 'main' "
        "AND database_name = current_database()"
    )
    return dict(opened.execute(query).fetchall())


@cache
def _definitions_of_a_new_store() -> dict[str, str]:
    with _duckdb().connect(":memory:") as opened:
        for statement in statements():
            opened.execute(statement)
        return _definitions(opened)


def _examined(opened: Connection, path: Path) -> None:
    """Raise UsageError if the tables are not those of a store of this format."""
    # A function of the file would stand in place of one of DuckDB, and make the same of other rows.
    own = opened.execute(
        "SELECT function_name FROM system.main.duckdb_functions() WHERE NOT internal LIMIT 1"
    ).fetchall()
    if own:
        what = _("The store {path!r} is damaged: it has a function {name}.", path=str(path), name=own[0][0])
        raise UsageError(what, COPY)
    columns = opened.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal "
        "AND database_name = current_database() ORDER BY column_index"
    ).fetchall()
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in columns:
        found.setdefault(table, {})[column] = kind
    # A view has columns as well.
    views = opened.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
    found |= {name: {} for (name,) in views}
    if found.get("about") != TABLES["about"]:
        what = _("The file {path!r} is a database, but no store of monthly reports.", path=str(path))
        raise UsageError(what, _("Name a store, or another file for a new one."))
    about = dict(opened.execute("SELECT name, value FROM about LIMIT 100").fetchall())
    number = about.get("format", "")
    if number.isdecimal() and len(number) < 10 and int(number) > FORMAT:
        what = _(
            "The store {path!r} has format {number}: this version of etsopt reads up to {format}.",
            path=str(path),
            number=number,
            format=FORMAT,
        )
        raise UsageError(what, _("Install a newer etsopt."))
    # A column that is computed, or compares otherwise, would show this program other values than it shows others.
    given, right = _definitions(opened), _definitions_of_a_new_store()
    wrong = sorted(name for name in TABLES if found.get(name) != TABLES[name] or given.get(name) != right[name])
    if number != str(FORMAT) or wrong:
        where = _("table {name}", name=wrong[0]) if wrong else _("its format")
        raise UsageError(
            _("The store {path!r} is damaged: {where} is not as written.", path=str(path), where=where), COPY
        )


@contextmanager
def _translated(duckdb: Any, path: Path) -> Iterator[None]:
    """Turn errors of DuckDB on a bad file, or about the disk or memory, into messages; errors of our own SQL remain."""
    try:
        yield
    except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException):
        raise
    except duckdb.OutOfMemoryException as error:
        raise MemoryError(str(error)) from None
    except duckdb.InterruptException:
        raise KeyboardInterrupt from None
    except duckdb.Error as error:
        raise _error_of(str(error).partition("\n")[0].strip(), path) from None


def _error_of(reason: str, path: Path) -> UsageError:
    """Return the message for an error of DuckDB."""
    if "not a valid DuckDB database" in reason:
        return UsageError(
            _("The file {path!r} is no store of monthly reports.", path=str(path)), _("Name another file.")
        )
    if "version number" in reason or "newer version" in reason.lower():
        advice = _('Install a newer one: pip install --upgrade "etsopt[mrv]"')
        return UsageError(_("The store {path!r} was written by another version of DuckDB.", path=str(path)), advice)
    if any(words in reason for words in NOT_WRITTEN):
        advice = _("Free disk space, or choose a place that you may write to; the store is as it was.")
        cause = reason.rpartition(": ")[2]
        return UsageError(
            _(
                "The store {path!r} could not be written: {cause}.",
                path=str(path),
                cause=shortened(cause, LONGEST_REASON),
            ),
            advice,
        )
    return UsageError(
        _("The store {path!r} is damaged ({reason}).", path=str(path), reason=shortened(reason, LONGEST_REASON)),
        COPY,
    )
