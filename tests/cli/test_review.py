"""The commands store, review and verify: output in both languages, files, JSON, and errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from etsopt.accounting import write_example
from etsopt.cli import main


@pytest.fixture
def store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    plants = write_example(tmp_path / "plants", units=3, months=12, seed=2)
    path = str(tmp_path / "plants.duckdb")
    assert main(["store", "import", path, str(plants)]) == 0
    assert "Entry 1, plants: 480 new rows, 0 corrected, 0 unchanged; 3 new units" in capsys.readouterr().out
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main([*arguments]) == code
    captured = capsys.readouterr()
    return captured.err if code else captured.out


@pytest.mark.nightly
def test_the_whole_way_from_reports_to_verified_emissions(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ("review", "pass", store, "--level", "municipal", "--by", "Li")
    assert "passed" in run(capsys, *given, "--unit", "U1")
    levels = ("municipal", "provincial", "national")
    rows = [f"pass,{level},Li,{unit}\n" for level in levels for unit in ("U1", "U2")]
    (tmp_path / "passes.csv").write_text("decision,level,who,unit_id\n" + "".join(rows), encoding="utf-8")
    assert "passed" in run(capsys, "review", "apply", store, str(tmp_path / "passes.csv"))
    find = ("review", "find", store, "--level", "municipal", "--by", "Li", "--unit", "U3", "--month", "2025-03")
    assert "提出 1 个问题" in run(capsys, *find, "--reason", "late", "--size", "10", "--lang", "zh")
    assert "1 finding " in run(capsys, "review", "findings", store)
    assert "Items by place and status" in run(capsys, "review", "status", store)
    out = tmp_path / "out"
    told = run(capsys, "verify", store, "--year", "2025", "--out", str(out))
    assert "2025: 2 of 3 units verified" in told
    table = pd.read_csv(out / "emissions.csv").set_index("unit_id")
    assert table["status"].to_dict() == {"U1": "verified", "U2": "verified", "U3": "open findings"}
    assert table["verified_emissions_tco2e"].isna().tolist() == [False, False, True]
    assert {path.name for path in (out / "sheets").glob("*.html")} == {"E1.html", "E2.html", "E3.html"}
    assert "3 个单元中 2 个已核查" in run(capsys, "verify", store, "--year", "2025", "--lang", "zh")
    content = json.loads(run(capsys, "verify", store, "--year", "2025", "--json"))
    assert [row["verified_emissions_tco2e"] is None for row in content["units"]] == [False, False, True]
    assert "late" in run(capsys, "review", "history", store, "--unit", "U3", "--month", "2025-03")


def test_tables_of_the_review_are_written_in_chinese(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = run(capsys, "review", "status", store, "--out", str(tmp_path / "out"), "--lang", "zh", "--on", "2026-12-31")
    assert "各地区各状态的数据项" in told
    items = pd.read_csv(tmp_path / "out" / "items.csv")
    assert set(items["状态"]) == {"已填报"}
    assert set(items["工序"]) >= {"熟料生产", "铝电解工序"}


def test_decisions_come_from_a_table(store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "decisions.csv"
    table.write_text("决定,层级,决定人,单元编号\n通过,市级,甲,U1\n通过,市级,甲,U2\n", encoding="utf-8-sig")
    assert "passed" in run(capsys, "review", "apply", store, str(table))
    told = run(capsys, "review", "apply", store, str(table))
    assert told == "Nothing changed. 2 decisions were applied before, and are left alone.\n"
    table.write_text("decision,level,who,unit_id\npass,national,Li,U1\n", encoding="utf-8")
    told = run(capsys, "review", "apply", store, str(table), code=2)
    assert "not passed by the provincial level" in told


def test_a_store_stands_for_a_folder_in_every_command(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (["account"], ["screen"], ["inclusion", "--year", "2027"]):
        told: list[Any] = [
            json.loads(run(capsys, command[0], source, *command[1:], "--json"))
            for source in (str(tmp_path / "plants"), store)
        ]
        assert told[0] == told[1]
    assert "no entry 7" in run(capsys, "account", store, "--as-of", "7", code=2)
    assert "no earlier state" in run(capsys, "inclusion", "cn-2025", "--as-of", "1", code=2)


def test_files_that_are_no_store_exit_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other.duckdb"
    other.write_text("no store", encoding="utf-8")
    for command in (["account"], ["screen"], ["inclusion"], ["store", "log"], ["review", "status"]):
        assert "is no store of monthly reports" in run(capsys, *command, str(other), code=2)
    assert "There is no store" in run(capsys, "verify", str(tmp_path / "none.duckdb"), "--year", "2025", code=2)


def test_the_journal_is_listed(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "导入" in run(capsys, "store", "log", store, "--lang", "zh")
    (entry,) = json.loads(run(capsys, "store", "log", store, "--json"))
    assert (entry["entry"], entry["entry_kind"], entry["rows_new"], entry["files"]) == (1, "import", 480, 2)


def test_several_findings_are_closed_by_one_command(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    for month in ("2025-03", "2025-04"):
        find = ("review", "find", store, "--level", "provincial", "--by", "Li", "--unit", "U1", "--month", month)
        run(capsys, *find, "--reason", "late")
    close = ("review", "close", store, "--level", "provincial", "--by", "Li", "--reason", "filed")
    assert "2 findings closed" in run(capsys, *close, "--finding", "1", "--finding", "2", "--finding", "1")
