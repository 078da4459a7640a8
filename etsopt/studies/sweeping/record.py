"""The record of a sweep: one SQLite file that holds every scenario and every outcome, whatever ends the sweep.

One process writes, the coordinator; every group of outcomes is one durable transaction. So a sweep that was killed goes
on where it was, and no scenario is there twice.
"""

from __future__ import annotations

import fnmatch
import json
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self, cast

import pandas as pd

from etsopt.common.errors import DataError, UsageError
from etsopt.common.language import LANGUAGES, Text, Translated, _, in_both
from etsopt.data.files.atomic import file_in_errors
from etsopt.data.files.lock import locked
from etsopt.studies.sweeping.cells import wrong_cells
from etsopt.studies.sweeping.outcome import FAILED, Label, Outcome
from etsopt.studies.sweeping.scenario import NOTHING, stated_in
from etsopt.studies.sweeping.schema import SCHEMA, STATEMENTS, VERSION
from etsopt.studies.sweeping.tables import NUMBERS, scenario_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from etsopt.studies.sweeping.scenario import Planned, Scenario


class Record:
    """The scenarios and outcomes of a sweep on disk; a context manager that one process holds at a time.

    Parameters
    ----------
    path
        File to create or to go on with.

    Raises
    ------
    UsageError
        If the file is no record of a sweep, or another process holds it.
    DataError
        With every field that holds something else than a sweep keeps there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._labels: dict[Label, int] = {}
        self._lock = locked(path.with_name(f"{path.name}.lock"), _("the record {path}", path=path), wait_s=0.0)

    def __enter__(self) -> Self:
        self._lock.__enter__()
        try:
            with self._naming():
                self._file = sqlite3.connect(self.path, isolation_level=None)
                self._file.execute("PRAGMA journal_mode = WAL")
                self._file.execute("PRAGMA synchronous = FULL")
                version = self._file.execute("PRAGMA user_version").fetchone()[0]
                kept = self._file.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
                statements = {" ".join(sql.split()) for (sql,) in kept}
                if (version, statements) not in ((0, set()), (VERSION, STATEMENTS)):
                    raise UsageError(
                        _("{path!r} is no record of a sweep.", path=str(self.path)),
                        _("Name another folder by --out."),
                    )
                if not version:
                    self._file.executescript(f"BEGIN; {SCHEMA} COMMIT;")
                if problems := [*wrong_cells(self._file, self.path.name)]:
                    raise DataError(_("The record {path}", path=self.path), problems)
        except BaseException:
            self._close()
            raise
        rows = self._file.execute(f"SELECT {', '.join(map(_quoted, Label._fields))}, label FROM labels")
        self._labels = {Label(*row[:-1]): row[-1] for row in rows}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()
            del self._file
        self._lock.__exit__(None, None, None)

    @property
    def about(self) -> dict[str, Any]:
        """What the sweep is about; empty before it has begun."""
        return {key: json.loads(value) for key, value in self._file.execute("SELECT key, value FROM about")}

    def begin(self, plan: Planned, instance_hash: str, versions: Mapping[str, str]) -> None:
        """State the scenarios of a sweep, or see that they are those of the record.

        Raises
        ------
        UsageError
            If the record is of another sweep, instance or version.
        """
        stated = {**plan.about, "plan": plan.hash, "instance_hash": instance_hash, "versions": dict(versions)}
        if about := self.about:
            other = [key for key in ("plan", "instance_hash", "versions") if about.get(key) != stated[key]]
            if other:
                what = {
                    "plan": _("scenarios, model or options"),
                    "instance_hash": _("instance"),
                    "versions": _("versions"),
                }
                names = " and ".join(what[key] for key in other)
                advice = _("Name another folder by --out, or remove this one to begin again.")
                raise UsageError(
                    _("{path!r} is the record of a sweep with other {names}.", path=str(self.path), names=names),
                    advice,
                )
            return
        with self._transaction():
            rows = ((key, json.dumps(value, ensure_ascii=False)) for key, value in stated.items())
            self._file.executemany("INSERT INTO about VALUES (?, ?)", rows)
            self._insert(enumerate(plan.scenarios))

    def extend(self, scenarios: Sequence[tuple[int, Scenario]]) -> None:
        """State further scenarios of a search, or see that they are those of the record.

        Raises
        ------
        UsageError
            If the record has others under their numbers.
        """
        stated = dict(self._file.execute("SELECT number, content FROM scenarios"))
        if any(stated.get(number, one.content) != one.content for number, one in scenarios):
            what = _("{path!r} has other designs than the search proposes now.", path=str(self.path))
            raise UsageError(what, _("The versions of the optimiser differ: name another folder by --out."))
        with self._transaction():
            self._insert((number, one) for number, one in scenarios if number not in stated)

    def _insert(self, scenarios: Iterable[tuple[int, Scenario]]) -> None:
        shared = self.shared
        rows = ((number, *one.statement(shared)) for number, one in scenarios)
        self._file.executemany("INSERT INTO scenarios VALUES (?, ?, ?, ?)", rows)

    @property
    def shared(self) -> str:
        """What decides an answer beside the scenario itself, wherever the instance lies."""
        about = self.about
        return json.dumps([about.get(key) for key in ("instance_hash", "model", "options", "versions")])

    @property
    def known(self) -> set[int]:
        """Numbers of scenarios with an outcome."""
        return {number for (number,) in self._file.execute("SELECT number FROM outcomes")}

    def outcome(self, number: int) -> Outcome:
        """Return the outcome of a scenario that has one."""
        row = self._file.execute("SELECT * FROM outcomes WHERE number = ?", (number,)).fetchone()
        fields = ", ".join(map(_quoted, Label._fields))
        query = f'SELECT {fields}, value FROM "values" JOIN labels USING (label) WHERE number = ? ORDER BY label'
        values = {Label(*one[:-1]): one[-1] for one in self._file.execute(query, (number,))}
        return Outcome(row[0], row[1], row[2], bool(row[3]), row[4], _message(row[5]), values)

    @property
    def hashes(self) -> dict[int, str]:
        """The hash that was kept with each outcome, by its number, in their order."""
        return dict(self._file.execute("SELECT number, hash FROM outcomes ORDER BY number").fetchall())

    def scenario(self, number: int) -> tuple[str, dict[str, Any]]:
        """Return the name of a scenario, and its changes and factors by key."""
        name, content, _ = self.statement(number) or ("", NOTHING, "")
        return name, stated_in(content)

    def statement(self, number: int) -> tuple[str, str, str] | None:
        """Return name, content as JSON, and key of a scenario; None if there is no such number."""
        query = "SELECT name, content, key FROM scenarios WHERE number = ?"
        return cast("tuple[str, str, str] | None", self._file.execute(query, (number,)).fetchone())

    @property
    def statements(self) -> dict[int, tuple[str, str, str]]:
        """Name, content as JSON, and key of every scenario by its number, in their order."""
        rows = self._file.execute("SELECT number, name, content, key FROM scenarios ORDER BY number")
        return {row[0]: row[1:] for row in rows}

    def pending(self, retry_failed: bool = False, only: str = "") -> list[int]:
        """Return the numbers of scenarios without an outcome, in their order.

        Parameters
        ----------
        retry_failed
            Include those that failed, were lost, or ended without an answer.
        only
            Pattern of names, such as ``tight/*``; empty for all.
        """
        marks = ", ".join("?" * len(FAILED))
        done = (
            f"SELECT number FROM outcomes WHERE status NOT IN ({marks})"
            if retry_failed
            else "SELECT number FROM outcomes"
        )
        query = f"SELECT number, name FROM scenarios WHERE number NOT IN ({done}) ORDER BY number"
        rows = self._file.execute(query, FAILED if retry_failed else ())
        return [number for number, name in rows if not only or fnmatch.fnmatchcase(name, only)]

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Keep some outcomes in one durable transaction; one of the same scenario is replaced.

        Raises
        ------
        OSError
            With the name of the record if it cannot be written; none of the outcomes is kept then.
        """
        known = dict(self._labels)
        with self._transaction():
            for one in outcomes:
                self._file.execute('DELETE FROM "values" WHERE number = ?', (one.number,))
                message = json.dumps(in_both(one.message), ensure_ascii=False) if one.message else ""
                said = (one.number, one.status, one.termination, one.certified, one.seconds, message)
                row = (*said, one.hash(self.statement(one.number)))
                self._file.execute("INSERT OR REPLACE INTO outcomes VALUES (?, ?, ?, ?, ?, ?, ?)", row)
                for label in one.values:
                    if label not in known:
                        known[label] = len(known) + 1
                        self._file.execute("INSERT INTO labels VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (known[label], *label))
                values = ((one.number, known[label], value) for label, value in one.values.items())
                self._file.executemany('INSERT INTO "values" VALUES (?, ?, ?)', values)
        self._labels = known

    @property
    def counts(self) -> dict[str, int]:
        """Number of scenarios by status; those without an outcome are ``pending``."""
        joined = "scenarios LEFT JOIN outcomes USING (number)"
        query = f"SELECT coalesce(status, 'pending') AS one, count(*) FROM {joined} GROUP BY one ORDER BY one"
        return dict(self._file.execute(query).fetchall())

    @property
    def scenarios(self) -> pd.DataFrame:
        """Every scenario with its outcome, and the changes in which they differ, one column a key."""
        query = (
            "SELECT name, coalesce(status, 'pending'), coalesce(termination, ''), coalesce(certified, 0), "
            "coalesce(message, ''), content FROM scenarios LEFT JOIN outcomes USING (number) ORDER BY number"
        )
        rows = self._file.execute(query).fetchall()
        ended = ((*row[:-2], _message(row[-2])) for row in rows)
        return scenario_table(ended, (stated_in(row[-1]) for row in rows))

    @property
    def values(self) -> pd.DataFrame:
        """Every kept number: ``scenario, table, sector, province, year, id, quantity, value, unit``."""
        order = ", ".join(f"labels.{_quoted(name)}" for name in Label._fields)
        query = (
            f'SELECT name AS scenario, {order}, value FROM "values" JOIN labels USING (label) '
            f"JOIN scenarios USING (number) JOIN outcomes USING (number) ORDER BY number, {order}"
        )
        table = pd.read_sql_query(query, self._file)[NUMBERS]
        return table.assign(year=pd.to_numeric(table["year"]).astype("Int64"))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._naming():
            self._file.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._file.execute("COMMIT")
            except BaseException:
                if self._file.in_transaction:
                    self._file.execute("ROLLBACK")
                raise

    @contextmanager
    def _naming(self) -> Iterator[None]:
        """Turn errors of the database into those of its file."""
        with file_in_errors(self.path):
            try:
                yield
            except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
                # What SQLite says of a damaged file may hold bytes of it.
                if isinstance(error, sqlite3.OperationalError):
                    raise OSError(None, str(error), str(self.path)) from error
                raise UsageError(
                    _("{path!r} is damaged: {error}.", path=str(self.path), error=error),
                    _("Name another folder by --out."),
                ) from error


def _message(kept: str) -> Text | str:
    """Return a message by the texts that are kept of it; one that was changed since is what it is now."""
    try:
        texts = json.loads(kept)
    except (ValueError, RecursionError):
        return kept
    known = isinstance(texts, dict) and [*texts] == [*LANGUAGES] and all(isinstance(one, str) for one in texts.values())
    return Translated(texts) if known else kept


def _quoted(name: str) -> str:
    return f'"{name}"'
