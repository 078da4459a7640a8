"""Parquet beside CSV: the same instance and the same results, the same messages, and what to install."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import etsopt
from etsopt.cli import main
from etsopt.common.errors import DataError, UsageError
from etsopt.data.files.write import write_instance
from tests.builders import random_instance
from tests.folders import policy_toml

pytest.importorskip("pyarrow", reason="pyarrow is optional for users; the environment for developing has it")

POLICY = {"year": 2025, "rule": {"name": "cn-2025"}}


def frame(**columns: Any) -> pd.DataFrame:
    """Two clinker lines, with columns added, replaced, or left out by None."""
    lines = {
        "unit_id": ["b", "a"],
        "enterprise_id": ["firm", "firm"],
        "sector": ["cement"] * 2,
        "province": ["安徽"] * 2,
    }
    numbers = {"emissions_tco2e": [780_000.0, 830_000.0], "output_t": [1_000_000, 1_000_000]}
    table = {**lines, **numbers, **columns}
    return pd.DataFrame({name: cells for name, cells in table.items() if cells is not None})


def folder_of(path: Path, table: pd.DataFrame, policy: str = "") -> Path:
    path.mkdir()
    (path / "policy.toml").write_text(policy_toml(policy), encoding="utf-8")
    table.to_parquet(path / "units.parquet", index=False)
    return path


def problems_of(path: Path) -> list[str]:
    with pytest.raises(DataError) as caught:
        etsopt.read(path)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("name", ["tiny", "cn-2025-2035"])
def test_an_instance_has_one_hash_in_csv_and_in_parquet(tmp_path: Path, name: str) -> None:
    instance = etsopt.read(name)
    for kind in ("csv", "parquet"):
        write_instance(instance, tmp_path / kind, table_format=kind)
        again = etsopt.read(tmp_path / kind)
        assert again.hash == instance.hash
        for table in instance.tables:
            pd.testing.assert_frame_equal(again.tables[table], instance.tables[table])
    assert sorted(path.name for path in (tmp_path / "parquet").iterdir()) == sorted(
        [*(f"{table}.parquet" for table in instance.tables), "policy.toml"]
    )


def test_columns_of_the_users_own_are_the_same_text_in_both(tmp_path: Path) -> None:
    own = {"x_note": ["=1", None], "x_share": [0.1, None], "x_count": [1, 2], "x_true": [True, False]}
    instance = etsopt.Instance.from_frames(frame(**own), POLICY)
    hashes = {instance.hash, etsopt.read(folder_of(tmp_path / "own", frame(**own))).hash}
    for kind in ("csv", "parquet"):
        write_instance(instance, tmp_path / kind, table_format=kind)
        hashes.add(etsopt.read(tmp_path / kind).hash)
    assert len(hashes) == 1


@pytest.mark.parametrize(
    "kinds",
    [
        {"sector": "category", "province": "category"},
        {"emissions_tco2e": "int64", "output_t": "float32"},
        {"emissions_tco2e": "Int64", "unit_id": "string"},
        {"emissions_tco2e": "str"},
    ],
)
def test_every_type_that_can_be_what_the_schema_says_is_taken(tmp_path: Path, kinds: dict[str, str]) -> None:
    assert etsopt.read(folder_of(tmp_path / "plant", frame().astype(kinds))).hash == (
        etsopt.Instance.from_frames(frame(), POLICY).hash
    )


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"emissions_tco2e": ["780000", "many"]},
            "units.parquet, emissions_tco2e: 1 cell is not a number: row 2 'many'.\n"
            "Write a plain finite number [tCO2e]: digits with a point, no formula, separator, unit or NaN.",
        ),
        (
            {"emissions_tco2e": [True, False]},
            "units.parquet, emissions_tco2e: 2 cells are not numbers: row 1 'True', row 2 'False'.\n"
            "Write a plain finite number [tCO2e]: digits with a point, no formula, separator, unit or NaN.",
        ),
        (
            {"emissions_tco2e": [1.0, None]},
            "units.parquet, emissions_tco2e: 1 cell is empty: row 2.\n"
            "Fill it in every row [tCO2e]: verified emissions: base of the allocation, and the obligation.",
        ),
        (
            {"sector": ["cement", "cemet"]},
            "units.parquet, sector: 1 value is not known: row 2 'cemet'.\n"
            "Did you mean 'cement'? Use one of cement, steel, aluminium, power.",
        ),
        (
            {"unit_id": ["a", "a"]},
            "units.parquet, unit_id: 2 rows share an identifier: row 1 'a', row 2 'a'.\nGive each row its own.",
        ),
        (
            {"output_t": [1_000.0, 1_000_000.0]},
            "units.parquet, emissions_tco2e or output_t: 1 unit has about 1000 times the plausible intensity of its "
            "sector: row of b '780 t/t'.\nOne of the two figures of each row is 1000 times too large or too small. "
            "Check for kt, 10 000 t (万吨) or kg: emissions and output are in tonnes.",
        ),
        ({"province": None}, "units.parquet, province: the column is missing.\nAdd it: province that allocates to it."),
    ],
)
def test_a_problem_is_told_as_in_csv(tmp_path: Path, columns: dict[str, Any], message: str) -> None:
    assert problems_of(folder_of(tmp_path / "plant", frame(**columns))) == [message]


def test_a_column_that_is_there_twice_is_told_as_in_csv(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    folder = folder_of(tmp_path / "twice", frame())
    table = pyarrow.Table.from_pandas(frame(), preserve_index=False)
    pyarrow.parquet.write_table(table.append_column("sector", table["sector"]), folder / "units.parquet")
    assert problems_of(folder) == ["units.parquet: has 2 columns named 'sector'.\nKeep one of them."]


def test_long_whole_numbers_beside_absent_ones_keep_their_digits(tmp_path: Path) -> None:
    code = 913_407_001_234_567_891
    units = frame(x_code=pd.array([code, None], dtype="Int64"), x_few=pd.array([None, None], dtype="Int64"))
    assert etsopt.read(folder_of(tmp_path / "long", units)).units["x_code"].to_list() == ["", str(code)]


def test_a_table_in_both_formats_is_refused(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "plant", frame())
    frame().to_csv(folder / "units.csv", index=False)
    assert problems_of(folder) == ["units.csv: is present beside units.parquet.\nKeep one of them."]


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "plant", frame())
    content = (folder / "units.parquet").read_bytes()
    for damaged in (b"", b"unit_id\na\n", content[: len(content) // 2], content[:4] + bytes(40) + content[44:]):
        (folder / "units.parquet").write_bytes(damaged)
        (problem,) = problems_of(folder)
        assert problem.startswith("units.parquet: is not a Parquet file (")
        assert problem.endswith("Write it again, or provide a CSV file.")


def test_a_text_in_another_encoding_is_refused(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "plant", frame(name=["Aciérie", "Line 1"]))
    content = (folder / "units.parquet").read_bytes()
    assert "Aciérie".encode() in content
    (folder / "units.parquet").write_bytes(content.replace("Aciérie".encode(), b"Aci\xe9\xe9rie"))
    (problem,) = problems_of(folder)
    assert problem.startswith("units.parquet: is not a Parquet file (")


def test_without_pyarrow_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folder_of(tmp_path / "plant", frame())
    result = etsopt.solve(etsopt.read("tiny"))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    message = r"Parquet needs pyarrow, which is not installed\.\n\nInstall it, `pip install \"etsopt\[parquet\]\"`, or"
    with pytest.raises(UsageError, match=message):
        etsopt.read(folder)
    with pytest.raises(UsageError, match=message):
        result.save(tmp_path / "run", table_format="parquet")
    assert not (tmp_path / "run").exists()
    with pytest.raises(UsageError, match=r"There is no format 'xlsx'\.\n\nChoose one of csv, parquet\."):
        write_instance(etsopt.read("tiny"), tmp_path / "copy", table_format="xlsx")


def test_a_run_in_parquet_is_the_run_in_csv(tmp_path: Path) -> None:
    instance = random_instance(3, 12, exceptions={"units": 1, "lower": 0.2, "upper": 0.2})
    result = etsopt.solve(instance)
    for kind in ("csv", "parquet", "csv"):
        result.save(tmp_path / "run", instance, kind)
        again = etsopt.load(tmp_path / "run")
        assert sorted(again.tables) == sorted(result.tables)
        for name, table in again.tables.items():
            stated = result.tables[name].fillna({"at_bound": "", "target_sense": ""})
            pd.testing.assert_frame_equal(table, stated.astype(object).astype(table.dtypes), check_index_type=False)
        assert not etsopt.check(etsopt.read(tmp_path / "run" / "instance"), again).violations
        assert {path.suffix for path in (tmp_path / "run" / "tables").iterdir()} == {f".{kind}"}


def test_the_command_line_writes_and_checks_parquet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made, run = tmp_path / "made", tmp_path / "run"
    assert main(["generate", "--units", "20", "--out", str(made), "--format", "parquet", "--json"]) == 0
    stated = json.loads(capsys.readouterr().out)
    assert (made / "units.parquet").is_file()
    assert etsopt.read(made).hash == stated["hash"] == etsopt.generate(20).hash
    assert main(["solve", str(made), "--out", str(run), "--format", "parquet"]) == 0
    assert main(["check", str(run)]) == 0
    assert {path.suffix for path in (run / "instance").iterdir()} == {".parquet", ".toml"}
    assert main(["solve", "tiny", "--format", "xlsx"]) == 2
    assert "There is no format 'xlsx'." in capsys.readouterr().err
