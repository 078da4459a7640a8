"""The store of monthly reports: imports, versions, past states, exports, locks, and files that are no store."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from etsopt import accounting
from etsopt.accounting.store import open_store
from etsopt.accounting.store.ledger import ledger_of
from etsopt.accounting.store.schema import KEY
from etsopt.common.errors import DataError, UsageError
from etsopt.data.files.write import write_table
from tests.accounting.builders import REGISTER, Row, frame

CLINKER: list[Row] = [
    ("C1", "2025-01", "clinker", "portland_clinker", "product", 1000.0),
    ("C1", "2025-01", "clinker", "bituminous", "in", 130.0),
]


def folder(place: Path, rows: Iterable[Row], name: str = "plants", /, **register: Any) -> Path:
    """Write a folder of reports."""
    return written(place / name, REGISTER.assign(**register), frame(rows))


def written(place: Path, register: pd.DataFrame, rows: pd.DataFrame, file: str = "2025.csv") -> Path:
    (place / "reports").mkdir(parents=True, exist_ok=True)
    write_table(register, place / "register.csv")
    write_table(rows, place / "reports" / file)
    return place


def quantity(store: Path, item: str = "bituminous", as_of: int | str | None = None) -> list[float]:
    """Return the quantities of all versions of an item, in the order of versions."""
    rows = accounting.read_reports(store, as_of=as_of).rows
    return rows[rows["item"] == item].sort_values("version")["quantity"].tolist()


def changed(amount: float, **more: Any) -> list[Row]:
    """The rows of the clinker line with another quantity of coal."""
    return [CLINKER[0], (*CLINKER[1][:5], amount, more)]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The place of a store."""
    return tmp_path / "plants.duckdb"


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("imported")
    accounting.import_reports(place / "plants.duckdb", folder(place, CLINKER))
    return place / "plants.duckdb"


@pytest.fixture
def filled(imported: Path, store: Path) -> Path:
    """A store of one month of the clinker line."""
    shutil.copy(ledger_of(imported), ledger_of(store))
    return Path(shutil.copy(imported, store))


@pytest.mark.nightly
def test_a_store_gives_the_same_accounts_findings_and_list_as_the_folder(tmp_path: Path, store: Path) -> None:
    plants = accounting.write_example(tmp_path / "plants", units=6, months=24, seed=1)
    (plants / "accounting.toml").write_text("[accounting.aluminium]\nanode_effect = 'mass'\n", encoding="utf-8")
    (added,) = accounting.import_reports(store, plants)
    assert (added.rows_new, added.rows_corrected, added.rows_unchanged, added.units_new) == (2016, 0, 0, 6)
    one, other = accounting.read_source(plants), accounting.read_source(store)
    assert one.parameters == other.parameters == {"aluminium.anode_effect": "mass"}
    accounts = [accounting.account(source.reports, source.parameters) for source in (one, other)]
    for name, table in accounts[0].tables.items():
        pd.testing.assert_frame_equal(table, accounts[1].tables[name])
    found = [accounting.screen(source.reports, source.parameters).findings for source in (one, other)]
    pd.testing.assert_frame_equal(*found)
    lists = [accounting.inclusion(own.register, own).entities for own in accounts]
    pd.testing.assert_frame_equal(*lists)


def test_the_same_import_again_changes_nothing(tmp_path: Path, store: Path) -> None:
    plants = accounting.write_example(tmp_path / "plants", units=6, months=12, seed=1)
    accounting.import_reports(store, plants)
    before = accounting.read_reports(store)
    (again,) = accounting.import_reports(store, plants)
    assert (again.rows_new, again.rows_corrected, again.rows_unchanged) == (0, 0, 1008)
    assert (again.units_new, again.units_changed, again.parameters_changed) == (0, 0, False)
    pd.testing.assert_frame_equal(accounting.read_reports(store).rows, before.rows)
    log = accounting.store_log(store)
    assert log[["entry", "rows_new", "rows_unchanged", "files"]].to_numpy().tolist() == [
        [1, 1008, 0, 2],
        [2, 0, 1008, 2],
    ]


def test_an_import_records_the_hash_of_its_files(tmp_path: Path, store: Path) -> None:
    plants = folder(tmp_path, CLINKER)
    accounting.import_reports(store, plants)
    with open_store(store) as opened:
        found = opened.execute("SELECT file, sha256 FROM sources ORDER BY file").fetchall()
    files = ("register.csv", "reports/2025.csv")
    assert found == [(name, hashlib.sha256((plants / name).read_bytes()).hexdigest()) for name in files]


@pytest.mark.nightly
def test_a_changed_row_becomes_the_next_version_and_an_old_file_brings_none_back(tmp_path: Path, store: Path) -> None:
    old, new = folder(tmp_path, CLINKER), folder(tmp_path, changed(140.0), "new")
    accounting.import_reports(store, old)
    (added,) = accounting.import_reports(store, new)
    assert (added.rows_new, added.rows_corrected, added.rows_unchanged) == (0, 1, 1)
    assert quantity(store) == [130.0, 140.0]
    for plants in (old, new):
        (added,) = accounting.import_reports(store, plants)
        assert (added.rows_corrected, added.rows_unchanged) == (0, 2)
    accounting.import_reports(store, folder(tmp_path, changed(150.0), "third"))
    rows = accounting.read_reports(store).rows
    assert rows[rows["item"] == "bituminous"]["version"].tolist() == [1.0, 2.0, 3.0]
    assert quantity(store) == [130.0, 140.0, 150.0]
    assert quantity(store, as_of=1) == [130.0]
    assert quantity(store, as_of=2) == [130.0, 140.0]


def test_stated_versions_are_kept_and_the_highest_counts(tmp_path: Path, store: Path) -> None:
    both = [CLINKER[0], CLINKER[1], (*CLINKER[1][:5], 135.0, {"version": 3})]
    accounting.import_reports(store, folder(tmp_path, [*both[:2], (*both[2][:6], both[2][6])]))
    assert quantity(store) == [130.0, 135.0]
    # A version that the store lacks joins where it belongs; an untold change of the current one comes after it.
    (added,) = accounting.import_reports(store, folder(tmp_path, changed(133.0, version=2), "late"))
    assert (added.rows_corrected, quantity(store)) == (1, [130.0, 133.0, 135.0])
    accounting.import_reports(store, folder(tmp_path, changed(136.0, version=3), "again"))
    assert quantity(store) == [130.0, 133.0, 135.0, 136.0]


def test_a_replaced_version_that_its_file_changed_is_refused(tmp_path: Path, store: Path) -> None:
    accounting.import_reports(store, folder(tmp_path, CLINKER))
    rewritten = [CLINKER[0], (*CLINKER[1][:5], 131.0, {"version": 1}), (*CLINKER[1][:5], 132.0, {"version": 2})]
    with pytest.raises(DataError, match=r"(?s)1 replaced version differs .* row 3 '1'.*next version"):
        accounting.import_reports(store, folder(tmp_path, rewritten, "new"))
    assert quantity(store) == [130.0]


@pytest.mark.parametrize("seed", range(2))
def test_any_order_of_imports_keeps_every_content_once_and_the_last_change_counts(
    tmp_path: Path, store: Path, seed: int
) -> None:
    random = np.random.default_rng(seed)
    amounts = random.choice([130.0, 140.0, 150.0, 160.0], size=4).tolist()
    expected: list[float] = []
    for number, amount in enumerate(amounts):
        accounting.import_reports(store, folder(tmp_path, changed(amount), str(number)))
        expected += [] if amount in expected else [amount]
    assert quantity(store) == expected
    rows = accounting.read_reports(store).rows
    assert not rows.duplicated([*KEY, "version"]).any()


def test_an_import_is_checked_together_with_the_store_and_refused_as_a_whole(tmp_path: Path, store: Path) -> None:
    measured = [(*CLINKER[1][:6], {"ncv_gj_per_unit": 23.0})]
    accounting.import_reports(store, folder(tmp_path, [CLINKER[0], *measured]))
    later: list[Row] = [(row[0], "2025-02", *row[2:]) for row in CLINKER]
    good = folder(tmp_path, [("A1", "2025-01", "electrolysis", "aluminium", "product", 9.0)], "good")
    with pytest.raises(DataError, match=r"(?s)together with the rows of the store.*only the default in a later month"):
        accounting.import_reports(store, [good, folder(tmp_path, later, "later")])
    assert len(accounting.store_log(store)) == 1
    assert quantity(store, "aluminium") == []


def test_units_keep_their_versions_as_well(tmp_path: Path, store: Path) -> None:
    accounting.import_reports(store, folder(tmp_path, CLINKER))
    (added,) = accounting.import_reports(store, folder(tmp_path, CLINKER, "new", name=["", "Line 1", ""]))
    assert (added.units_new, added.units_changed) == (0, 1)
    names = [accounting.read_reports(store, as_of=entry).register["name"].tolist() for entry in (1, 2)]
    assert names == [["", "", ""], ["", "Line 1", ""]]


def test_a_past_day_gives_the_state_at_its_end(tmp_path: Path, store: Path) -> None:
    accounting.import_reports(store, folder(tmp_path, CLINKER))
    accounting.import_reports(store, folder(tmp_path, changed(140.0), "new"))
    with open_store(store, write=True) as opened:
        opened.execute("UPDATE entries SET at_utc = '2025-03-01 10:00:00' WHERE entry = 1")
        opened.execute("UPDATE entries SET at_utc = '2025-07-01 10:00:00' WHERE entry = 2")
    assert quantity(store, as_of="2025-06-30") == [130.0]
    with pytest.raises(UsageError, match="had no entry until 2025-02-20"):
        quantity(store, as_of="2025-02-20")
    with pytest.raises(UsageError, match="no entry 3: it has 1 to 2"):
        quantity(store, as_of=3)
    with pytest.raises(UsageError, match="neither an entry of the store nor a day"):
        quantity(store, as_of="soon")


def test_an_entry_by_a_clock_that_was_behind_brings_none_before_it(tmp_path: Path, store: Path) -> None:
    accounting.import_reports(store, folder(tmp_path, CLINKER))
    accounting.import_reports(store, folder(tmp_path, changed(140.0), "new"))
    with open_store(store, write=True) as opened:
        opened.execute("UPDATE entries SET at_utc = '2026-12-07 10:00:00' WHERE entry = 1")
        opened.execute("UPDATE entries SET at_utc = '1980-01-01 00:00:00' WHERE entry = 2")
    with pytest.raises(UsageError, match="had no entry until 2026-12-06"):
        quantity(store, as_of="2026-12-06")
    assert quantity(store, as_of="2026-12-07") == [130.0, 140.0]


def test_an_export_gives_the_folder_back_without_loss(tmp_path: Path, store: Path) -> None:
    plants = accounting.write_example(tmp_path / "plants", units=4, months=14, seed=3)
    rows = pd.read_csv(plants / "reports" / "2026.csv", keep_default_na=False)
    rows.insert(rows.columns.get_loc("version"), "reported_on", "2026-03-01")
    written(
        plants,
        pd.read_csv(plants / "register.csv").assign(x_code=["007", "b", "", "=1"]),
        rows.assign(x_note=np.where(rows.index % 3 == 0, "checked, twice", ""), x_level=1.5),
        "2026.csv",
    )
    (plants / "accounting.toml").write_text("# mine\n[accounting.cement]\noxidation = false\n", encoding="utf-8")
    accounting.import_reports(store, plants)
    files = accounting.export_reports(store, tmp_path / "back")
    assert files == ["accounting.toml", "register.csv", "reports/2025.csv", "reports/2026.csv"]
    for name in files:
        assert (tmp_path / "back" / name).read_bytes() == (plants / name).read_bytes(), name
    one, other = (accounting.read_reports(place) for place in (plants, tmp_path / "back"))
    pd.testing.assert_frame_equal(one.rows, other.rows)
    pd.testing.assert_frame_equal(one.register, other.register)


@pytest.mark.nightly
def test_an_export_has_every_version_and_imports_again_with_nothing_new(tmp_path: Path, store: Path) -> None:
    for number, amount in enumerate((130.0, 140.0, 150.0)):
        accounting.import_reports(store, folder(tmp_path, changed(amount), str(number)))
    accounting.export_reports(store, tmp_path / "back")
    (added,) = accounting.import_reports(store, tmp_path / "back")
    assert (added.rows_new, added.rows_corrected, added.rows_unchanged) == (0, 0, 4)
    copy = tmp_path / "copy.duckdb"
    accounting.import_reports(copy, tmp_path / "back")
    assert quantity(copy) == quantity(store) == [130.0, 140.0, 150.0]
    with pytest.raises(UsageError, match="not empty"):
        accounting.export_reports(store, tmp_path / "back")


def test_parquet_files_answer_the_same_sql(tmp_path: Path, store: Path) -> None:
    import duckdb

    accounting.import_reports(store, accounting.write_example(tmp_path / "plants", units=4, months=3, seed=3))
    accounting.export_reports(store, tmp_path / "tables", "parquet")
    query = "SELECT month, count(*), sum(quantity) FROM {} GROUP BY ALL ORDER BY month"
    with open_store(store) as opened:
        expected = opened.execute(query.format("rows")).fetchall()
    assert duckdb.sql(query.format(f"'{tmp_path / 'tables' / 'rows.parquet'}'")).fetchall() == expected


HOLD = """
import sys, time
from pathlib import Path
from etsopt.accounting.store import open_store
with open_store(sys.argv[1], write=sys.argv[2] == "write"):
    Path(sys.argv[1] + ".held").touch()
    time.sleep(float(sys.argv[3]))
"""


def held(store: Path, use: str, seconds: float) -> subprocess.Popen[bytes]:
    """Hold a store in another process."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(store), use, str(seconds)])
    until = time.monotonic() + 60
    while not Path(f"{store}.held").exists():
        assert time.monotonic() < until
        time.sleep(0.01)
    return process


@pytest.mark.nightly
@pytest.mark.everyday("write")
@pytest.mark.parametrize("use", ["read", "write"])
def test_while_a_process_has_the_store_open_others_are_refused_with_its_name(
    tmp_path: Path, filled: Path, use: str
) -> None:
    plants, store = folder(tmp_path, CLINKER), filled
    process = held(store, use, 60.0)
    wanted = rf"The store .+ is in use by process {process.pid} on .+ \(-c .*\) since \d\d:\d\d:\d\d\."
    try:
        for work in (
            lambda: accounting.read_reports(store, wait_s=0.1),
            lambda: accounting.import_reports(store, plants, 0.1),
        ):
            with pytest.raises(UsageError, match=wanted):
                work()
    finally:
        process.kill()
        process.wait()
    # The system releases the lock of a killed process.
    assert quantity(store) == [130.0]


@pytest.mark.nightly
def test_a_process_waits_for_the_store(filled: Path) -> None:
    store = filled
    process = held(store, "write", 0.3)
    assert accounting.read_reports(store, wait_s=60).rows["quantity"].tolist() == [1000.0, 130.0]
    assert process.wait() == 0


def test_another_program_that_has_the_file_open_is_named_as_well(filled: Path) -> None:
    store = filled
    code = "import duckdb, sys, time\nc = duckdb.connect(sys.argv[1])\nopen(sys.argv[1] + '.held', 'w')\ntime.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code, str(store)])
    try:
        while not Path(f"{store}.held").exists():
            time.sleep(0.01)
        with pytest.raises(UsageError, match=rf"is in use by .*python.* \(PID {process.pid}\)"):
            accounting.read_reports(store, wait_s=0.1)
    finally:
        process.kill()
        process.wait()


def _sql(*statements: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        import duckdb

        with duckdb.connect(str(path)) as opened:
            for statement in statements:
                opened.execute(statement)

    return change


def _other_database(path: Path) -> None:
    path.unlink()
    _sql("CREATE TABLE mine (a INTEGER)")(path)


BAD: dict[str, tuple[Callable[[Path], Any], str]] = {
    "text": (lambda path: path.write_text("unit_id,month\n", encoding="utf-8"), "is no store of monthly reports"),
    "empty": (lambda path: path.write_bytes(b""), "is no store of monthly reports"),
    "short": (lambda path: os.truncate(path, path.stat().st_size // 2), "is damaged"),
    "database": (_other_database, "is a database, but no store"),
    "newer": (_sql("UPDATE about SET value = '2'"), "has format 2: this version of etsopt reads up to 1"),
    "format": (_sql("UPDATE about SET value = 'x'"), "is damaged: its format"),
    "column": (_sql("ALTER TABLE rows DROP COLUMN evidence"), "is damaged: table rows"),
    "compared": (_sql("ALTER TABLE rows ALTER unit_id TYPE VARCHAR COLLATE NOCASE"), "is damaged: table rows"),
    "view": (_sql("DROP TABLE units", "CREATE VIEW units AS SELECT 1 AS unit_id"), "is damaged: table units"),
    "word": (_sql("UPDATE rows SET process = 'smelting'"), "The store has"),
    "number": (_sql("UPDATE rows SET quantity = 'nan'"), "The store has"),
    "unit": (_sql("UPDATE rows SET unit_id = 'X'"), "not in the register"),
    "own": (_sql("UPDATE rows SET own = '{'"), "columns of the user are not as written"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_no_store_or_a_damaged_one_is_refused(filled: Path, name: str) -> None:
    spoil, words = BAD[name]
    spoil(filled)
    with pytest.raises((UsageError, DataError), match=words):
        accounting.read_reports(filled)


def test_a_store_cannot_reach_other_files(filled: Path) -> None:
    import duckdb

    with open_store(filled) as opened:
        for statement in (
            "SELECT * FROM read_csv('/etc/hostname')",
            "SET enable_external_access = true",
            "INSTALL httpfs",
        ):
            with pytest.raises(duckdb.Error):
                opened.execute(statement)


def test_wrong_places_are_named(tmp_path: Path, store: Path) -> None:
    plants = folder(tmp_path, CLINKER)
    with pytest.raises(UsageError, match="There is no store"):
        accounting.read_reports(store)
    with pytest.raises(UsageError, match="no name of a store"):
        accounting.import_reports(tmp_path / "plants.db", plants)
    (tmp_path / "x.duckdb").mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        accounting.import_reports(tmp_path / "x.duckdb", plants)
    with pytest.raises(UsageError, match=r"no folder .* for the store"):
        accounting.import_reports(tmp_path / "none" / "x.duckdb", plants)
    with pytest.raises(UsageError, match="is a store"):
        accounting.import_reports(store, store)
    with pytest.raises(UsageError, match="A folder has no earlier state"):
        accounting.read_source(plants, as_of=1)
    assert not store.exists()


def test_without_duckdb_the_extra_is_named(tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(UsageError, match=r"etsopt\[mrv\]"):
        accounting.import_reports(store, folder(tmp_path, CLINKER))
    assert accounting.read_source(folder(tmp_path, CLINKER)).parameters == {}


def test_a_failed_first_import_leaves_no_file(tmp_path: Path, store: Path) -> None:
    # Each register is valid; together a steel complex would be in two cities.
    steel = REGISTER.assign(city=["", "", "T"], complex_id=["", "", "X"])
    other = steel.assign(unit_id=["A1", "C1", "S2"], city=["", "", "U"])
    places = [
        written(tmp_path / str(number), register, frame(CLINKER)) for number, register in enumerate((steel, other))
    ]
    with pytest.raises(DataError, match="not in one city"):
        accounting.import_reports(store, places)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1"]


@pytest.mark.nightly
@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files")
def test_a_disk_that_takes_no_more_leaves_the_store_as_it_was(tmp_path: Path, filled: Path) -> None:
    code = (
        "import resource, signal, sys\nfrom etsopt.cli import main\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)\n"
        "sys.exit(main(['store', 'import', sys.argv[1], sys.argv[2]]))"
    )
    plants = accounting.write_example(tmp_path / "plants", units=6, months=12, seed=1)
    command = [sys.executable, "-c", code, str(filled), str(plants), str(1 << 16)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "could not be written: File too large.\n\nFree disk space" in done.stderr
    assert quantity(filled) == [130.0]
