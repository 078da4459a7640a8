"""A check of a record ends in no traceback, and calls no record undamaged of which anything was changed."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from etsopt.cli import main
from tests.studies.sweeping.test_checked import TARGET

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = f'instance = "tiny"\n[options]\nseed = 1\n[grid]\n{TARGET} = [-0.005, -0.5]\n'
OTHERS: tuple[Any, ...] = (None, "x", "[]", '{"a": [1]}', 7.5, 7, -1, 9e999, b"\xff", "1" * 5000, "[" * 10_000)
INSIDE: tuple[Any, ...] = (None, "x", [], {"a": [1]}, 7.5, True, float("inf"))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sweep of two scenarios, the second of which is infeasible; copies of it are changed."""
    folder = tmp_path_factory.mktemp("kept")
    (folder / "s.toml").write_text(FILE, "utf-8")
    assert main(["sweep", str(folder / "s.toml"), "--workers", "1"]) == 0
    return folder / "s"


@pytest.fixture
def swept(kept: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kept, tmp_path / "s"))


def cells(folder: Path, table: str) -> list[tuple[str, str, Any]]:
    """The cells of the last row of a table, or of all that it says: where each is, its column, and its value."""
    with closing(sqlite3.connect(folder / "sweep.sqlite")) as file:
        found = file.execute(f'SELECT * FROM "{table}"')
        names = [one[0] for one in found.description]
        rows = found.fetchall()
    keys = {"about": ("key",), "labels": ("label",), "values": ("number", "label")}.get(table, ("number",))
    rows = rows if table == "about" else rows[-1:]
    return [
        (" AND ".join(f"{key} = {dict(zip(names, row, strict=True))[key]!r}" for key in keys), name, value)
        for row in rows
        for name, value in zip(names, row, strict=True)
    ]


def variants(value: Any) -> Iterator[Any]:
    """Other values in place of one: cells of every kind, and of JSON every value in it replaced or removed."""
    yield from (other for other in OTHERS if other != value)
    try:
        read = json.loads(value)
    except (TypeError, ValueError):
        return
    yield from (json.dumps(other) for other in within(read))


def within(value: Any) -> Iterator[Any]:
    """A value with each of its parts, or itself, replaced by something else or removed."""
    yield from (other for other in INSIDE if other != value or type(other) is not type(value))
    for key, one in value.items() if isinstance(value, dict) else ():
        yield {name: part for name, part in value.items() if name != key}
        yield from (value | {key: other} for other in within(one))
    if isinstance(value, dict):
        yield value | {"further": 1}
    for place, one in enumerate(value) if isinstance(value, list) else ():
        yield value[:place] + value[place + 1 :]
        yield from ([*value[:place], other, *value[place + 1 :]] for other in within(one))


def other_file(value: str, other: Any) -> bool:
    """True if nothing but the name of the file is another text, which the check names as not checked."""
    try:
        one, two = json.loads(value), json.loads(other)
        return isinstance(two["file"], str) and {**one, "file": two["file"]} == two
    except (TypeError, ValueError, RecursionError, LookupError):
        return False


@pytest.mark.everyday("scenarios")
@pytest.mark.parametrize("table", ["scenarios", "outcomes", "about", "labels", "values"])
def test_a_changed_cell_is_refused_and_never_a_traceback(
    table: str, swept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = swept / "sweep.sqlite"
    whole, passed, tried = record.read_bytes(), [], 0
    for where, column, value in cells(swept, table):
        for other in variants(value):
            record.write_bytes(whole)
            with closing(sqlite3.connect(record)) as file:
                try:
                    file.execute(f'UPDATE "{table}" SET "{column}" = ? WHERE {where}', (other,))
                except sqlite3.IntegrityError:
                    continue
                same = file.execute(f'SELECT 1 FROM "{table}" WHERE {where} AND "{column}" IS ?', (value,)).fetchone()
                file.commit()
            if same:
                continue
            if column == "value" and table == "about" and other_file(value, other):
                continue
            tried += 1
            code = main(["check", str(swept), "--again", "0"])
            if code not in (2, 5):
                passed.append((where, column, str(other)[:80]))
    capsys.readouterr()
    assert tried > 20
    assert passed == []


def dump(record: Path) -> list[str]:
    """What a record holds, as statements in SQL."""
    with closing(sqlite3.connect(record)) as file:
        return [*file.iterdump()]


@pytest.mark.parametrize("seed", range(4))
def test_changed_bytes_are_no_traceback_and_pass_if_they_change_nothing(
    seed: int, swept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record, random = swept / "sweep.sqlite", np.random.default_rng(seed)
    whole, honest, codes = record.read_bytes(), dump(record), set()
    for _change in range(60):
        found = np.frombuffer(whole, dtype=np.uint8).copy()
        found[random.integers(len(found), size=random.choice([1, 4, 50]))] = random.integers(256)
        for beside in swept.glob("sweep.sqlite-*"):
            beside.unlink()
        record.write_bytes(found.tobytes()[: int(random.choice([len(found), len(found) // 2], p=[0.9, 0.1]))])
        codes.add(code := main(["check", str(swept), "--again", "0"]))
        assert code in (0, 2, 5)
        assert code or dump(record) == honest
    capsys.readouterr()
    assert {0, 2} <= codes


def test_a_cell_of_another_kind_is_named_by_scenario_and_field(swept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(swept / "sweep.sqlite")) as file:
        file.execute("UPDATE \"values\" SET value = 'much' WHERE number = 0 AND label = 1")
        file.execute("UPDATE scenarios SET content = '[]' WHERE number = 1")
        file.commit()
    for command in ("check", "report"):
        assert main([command, str(swept)]) == 2
        said = " ".join(capsys.readouterr().err.split())
        assert "sweep.sqlite, scenarios.content: holds what no sweep keeps there: row grid-2 '[]'." in said
        assert "sweep.sqlite, values.value: holds what no sweep keeps there: row grid-1 'much'." in said


def test_a_record_has_the_tables_of_a_sweep_and_no_other(swept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(swept / "sweep.sqlite")) as file:
        file.execute("CREATE TRIGGER quiet AFTER UPDATE ON outcomes BEGIN DELETE FROM labels; END")
        file.commit()
    assert main(["check", str(swept)]) == 2
    assert "is no record of a sweep" in capsys.readouterr().err
