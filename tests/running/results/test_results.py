"""Results: what they say of themselves, on disk and back."""

from __future__ import annotations

import dataclasses
import errno
import json
from pathlib import Path

import pandas as pd
import pytest

import etsopt
from etsopt.common.characters import HIDDEN
from etsopt.running.results.results import load_instance
from etsopt.running.results.run_folder import require_writable


@pytest.fixture(scope="module")
def solved() -> etsopt.Results:
    return etsopt.solve(etsopt.read("cn-2025"))


def test_every_unit_sector_and_province_of_cn_2025_is_where_it_must_be(solved: etsopt.Results) -> None:
    allocation, sectors, provinces = (solved.tables[name] for name in ("allocation", "sectors", "provinces"))
    assert solved.status == "certified_optimal"
    assert (allocation["surplus_rate"].abs() <= 0.03 + 1e-4).all()
    assert (allocation["allowance_t"] >= (0.97 * allocation["emissions_tco2e"]).astype(int) - 1e-3).all()
    assert (allocation["allowance_t"] <= 1.03 * allocation["emissions_tco2e"] + 1e-3).all()
    assert (sectors["allowance_t"] <= sectors["target_t"] + 0.02).all()
    assert (provinces["surplus_t"].abs() <= 0.005 * provinces["emissions_tco2e"] + 0.02).all()


def test_without_balances_and_at_present_emissions_it_is_the_rule_itself() -> None:
    instance = etsopt.read("cn-2025").with_policy({"provinces.balance": None})
    chosen = etsopt.solve(instance).tables["allocation"]
    rule = etsopt.solve(instance, "balance_value").tables["allocation"]
    assert (chosen["allowance_t"] - rule["allowance_t"]).abs().max() < 1e-6


def test_a_run_folder_reads_back_as_it_was(solved: etsopt.Results, tmp_path: Path) -> None:
    instance = etsopt.read("cn-2025")
    solved.save(tmp_path / "run", instance)
    again = etsopt.load(tmp_path / "run")
    content = json.loads((tmp_path / "run" / "result.json").read_text(encoding="utf-8"))
    assert content.pop("tables").keys() == solved.tables.keys()
    assert again.summary() == content
    assert again.levels == solved.levels
    assert again == solved
    for name, table in solved.tables.items():
        pd.testing.assert_frame_equal(again.tables[name], table, check_dtype=False, check_exact=True)
    assert load_instance(tmp_path / "run").hash == instance.hash
    assert etsopt.check(instance, again).certified
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"result.json", "tables", "instance"}


def test_results_and_instances_are_equal_by_what_they_hold(solved: etsopt.Results) -> None:
    instance, again = etsopt.read("tiny"), etsopt.read("tiny")
    other = instance.with_policy({"sectors.cement.band": 0.02})
    assert instance == again
    assert len({instance, again, other}) == 2
    one, two = etsopt.solve(instance), etsopt.solve(again)
    assert one == two
    assert len({one, two, solved}) == 2
    allocation = one.tables["allocation"].assign(allowance_t=lambda table: table["allowance_t"] + 1.0)
    assert dataclasses.replace(two, tables={**two.tables, "allocation": allocation}) != one
    assert instance != "tiny"


@pytest.mark.nightly
def test_the_hash_of_the_tables_is_of_their_cells_alone(tmp_path: Path) -> None:
    one = etsopt.solve(etsopt.read("tiny"))
    about = one.provenance.model_copy(update={"method": "another"})
    other = dataclasses.replace(one, status="feasible", provenance=about)
    assert other.hash != one.hash
    assert other.tables_hash == one.tables_hash
    one.save(tmp_path / "run")
    assert etsopt.load(tmp_path / "run").tables_hash == one.tables_hash
    for name, table in one.tables.items():
        for column in table:
            changed = table[column].astype(object).copy()
            changed.iloc[-1] = f"{changed.iloc[-1]}x" if isinstance(changed.iloc[-1], str) else changed.iloc[-1] + 1
            cell = {**one.tables, name: table.assign(**{column: changed.astype(table[column].dtype)})}
            assert dataclasses.replace(one, tables=cell).tables_hash != one.tables_hash, (name, column)
        assert dataclasses.replace(one, tables={**one.tables, name: table[:-1]}).tables_hash != one.tables_hash
        others = {key: kept for key, kept in one.tables.items() if key != name}
        assert dataclasses.replace(one, tables=others).tables_hash != one.tables_hash


def test_prices_have_a_level_a_row_and_a_unit(solved: etsopt.Results) -> None:
    prices = solved.prices
    change = prices[(prices["level"] == "change") & (prices["row"] == "sector_target")]
    assert set(change["index"]) == {"cement", "steel", "aluminium"}
    assert set(change["unit"]) == {"t/t"}
    assert (change["price"] <= 0).all()


def test_a_damaged_run_folder_is_explained(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text("{", encoding="utf-8")
    with pytest.raises(etsopt.DataError, match="is not valid JSON"):
        etsopt.load(tmp_path)


def test_a_used_folder_keeps_nothing_of_the_run_before(solved: etsopt.Results, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    europe = etsopt.read("eu-2019")
    etsopt.solve(europe).save(folder, europe)
    assert (folder / "tables" / "relaxed_limits.csv").is_file()
    (folder / "notes.txt").write_text("Mine.", encoding="utf-8")
    (folder / "instance" / "enterprises.csv").write_text("enterprise_id\nnobody\n", encoding="utf-8")
    instance = etsopt.read("cn-2025")
    solved.save(folder, instance)
    assert set(etsopt.load(folder).tables) == set(solved.tables)
    assert load_instance(folder).hash == instance.hash
    assert (folder / "notes.txt").is_file()
    dataclasses.replace(solved, held=None).save(folder)
    assert not list((folder / "instance").glob("*"))


def test_a_run_is_saved_with_the_instance_that_was_solved_and_one_that_holds_none_without_a_folder(
    tmp_path: Path,
) -> None:
    result = etsopt.solve(etsopt.read("tiny"))
    result.save(tmp_path / "run")
    loaded = etsopt.load(tmp_path / "run")
    assert loaded.instance.hash == etsopt.read("tiny").hash
    assert etsopt.check(loaded.instance, loaded).certified
    dataclasses.replace(result, held=None).save(tmp_path / "alone")
    assert not (tmp_path / "alone" / "instance").exists()
    # A run that was loaded is saved elsewhere with its instance too.
    loaded.save(tmp_path / "again")
    assert etsopt.load(tmp_path / "again").instance.hash == loaded.instance.hash


def test_a_save_that_fails_leaves_the_run_before(
    solved: etsopt.Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    solved.save(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def full(table: pd.DataFrame, path: Path) -> None:
        path.write_text("unit_id\n", encoding="utf-8")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("etsopt.running.results.run_folder.write_table", full)
        for folder in (tmp_path, tmp_path / "another" / "new"):
            with pytest.raises(OSError, match="No space"):
                solved.save(folder)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert not (tmp_path / "another").exists()
    solved.save(tmp_path)


@pytest.mark.parametrize("name", ["tables/mine.csv", "instance/units.csv", "result.json"])
def test_files_that_no_run_wrote_are_not_removed(solved: etsopt.Results, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine\n", encoding="utf-8")
    with pytest.raises(etsopt.UsageError, match=r"which no run wrote\.") as caught:
        solved.save(tmp_path)
    assert name in caught.value.failure.replace("\\", "/")
    assert path.read_text(encoding="utf-8") == "mine\n"


def test_a_table_of_the_users_own_beside_those_of_a_run_stays(solved: etsopt.Results, tmp_path: Path) -> None:
    solved.save(tmp_path)
    mine = tmp_path / "tables" / "mine.csv"
    mine.write_text("mine\n", encoding="utf-8")
    (tmp_path / "report.html").write_text("report", encoding="utf-8")
    assert set(etsopt.load(tmp_path).tables) == set(solved.tables)
    path = tmp_path / "result.json"
    # Also where something else in result.json is damaged.
    path.write_text(path.read_text(encoding="utf-8").replace("certified_optimal", "splendid"), encoding="utf-8")
    solved.save(tmp_path)
    assert mine.read_text(encoding="utf-8") == "mine\n"
    assert (tmp_path / "report.html").is_file()
    # A run with a table of that name would write over it.
    other = dataclasses.replace(solved, tables={**solved.tables, "mine": pd.DataFrame({"x": [1]})})
    with pytest.raises(etsopt.UsageError, match=r"mine\.csv, which no run wrote\."):
        other.save(tmp_path)
    assert mine.read_text(encoding="utf-8") == "mine\n"
    assert set(etsopt.load(tmp_path).tables) == set(solved.tables)


def test_the_first_run_in_a_folder_that_was_cut_short_is_finished(
    solved: etsopt.Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("etsopt.data.files.atomic_folder._move", lambda folder: None)
        solved.save(tmp_path)
    (tmp_path / ".etsopt-next" / "tables" / "duals.csv").replace(tmp_path / "tables" / "duals.csv")
    require_writable(tmp_path)
    assert set(etsopt.load(tmp_path).tables) == set(solved.tables)


@pytest.mark.parametrize("part", ["value", "gap"])
def test_a_level_without_a_number_is_a_damaged_file(solved: etsopt.Results, tmp_path: Path, part: str) -> None:
    solved.save(tmp_path)
    path = tmp_path / "result.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["levels"][0][part] = None
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(etsopt.DataError, match=r"result\.json, levels\.0"):
        etsopt.load(tmp_path)


def test_runs_without_an_allocation_cannot_be_compared(solved: etsopt.Results) -> None:
    infeasible = etsopt.solve(etsopt.read("eu-2019"))
    with pytest.raises(etsopt.UsageError, match="holds no allocation"):
        etsopt.compare(solved, infeasible)


def test_the_provenance_says_how_it_was_obtained(solved: etsopt.Results) -> None:
    about = solved.provenance
    assert about.instance_hash == etsopt.read("cn-2025").hash
    assert about.method == "aggregation"
    assert set(about.seconds) == {"build", "solve", "tables", "check"}
    assert all(version for name, version in about.versions)
    assert about.policy["rule"]["name"] == "cn-2025"


def test_public_names_are_there_and_unknown_ones_are_not() -> None:
    assert all(getattr(etsopt, name) is not None for name in etsopt.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        etsopt.nothing  # noqa: B018


def test_runs_of_different_units_cannot_be_compared(solved: etsopt.Results) -> None:
    with pytest.raises(etsopt.UsageError, match="do not have the same units"):
        etsopt.compare(solved, etsopt.solve(etsopt.read("tiny")))


def test_a_folder_may_be_named_by_text(solved: etsopt.Results, tmp_path: Path) -> None:
    solved.save(str(tmp_path / "run"))
    assert etsopt.load(str(tmp_path / "run")).status == solved.status


def test_a_result_file_holds_no_character_that_a_terminal_obeys(tmp_path: Path) -> None:
    name = "海螺\x1b[31m\x9b2J\u202e\u2028"
    instance = etsopt.Instance.from_frames(
        etsopt.read("tiny").units.assign(province="Hebei"), {"year": 2025, "rule": {"name": "cn-2025"}}, name=name
    )
    etsopt.solve(instance).save(tmp_path)
    text = (tmp_path / "result.json").read_text(encoding="utf-8")
    assert not HIDDEN.search(text.replace("\n", ""))
    assert "海螺" in text
    assert etsopt.load(tmp_path).provenance.instance == name


def test_a_name_in_place_of_an_instance_is_explained() -> None:
    with pytest.raises(etsopt.UsageError, match="An instance is needed, not 'tiny'"):
        etsopt.solve("tiny")  # type: ignore[arg-type]
