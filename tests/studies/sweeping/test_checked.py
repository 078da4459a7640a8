"""Records that were changed, by carelessness and by skill, and what a check of them says."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import etsopt
from etsopt.cli import main
from etsopt.common.errors import UsageError
from etsopt.data.files.write import write_instance
from etsopt.studies.sweeping import Record, run_plan
from etsopt.studies.sweeping.checked import check_record, instance_of, plan_of_record
from etsopt.studies.sweeping.engine import Engine
from etsopt.studies.sweeping.outcome import Label, Outcome
from etsopt.studies.sweeping.plan import plan_of
from etsopt.studies.sweeping.scenario import Scenario, stated_in

TARGET = "sectors.cement.target_change"
CONTENT: dict[str, Any] = {"instance": "tiny", "grid": {TARGET: [-0.006, -0.005, -0.004, -0.5]}}


@pytest.fixture
def swept(tmp_path: Path) -> Path:
    """The folder of a sweep of four scenarios, the last of which is infeasible."""
    file = tmp_path / "s.toml"
    file.write_text(f'instance = "tiny"\n[grid]\n{TARGET} = [-0.006, -0.005, -0.004, -0.5]\n', "utf-8")
    assert main(["sweep", str(file), "--workers", "1"]) == 0
    return tmp_path / "s"


def changed(folder: Path, statement: str, again: bool = False) -> None:
    """Change the record by a statement in SQL, and make its hashes again if the forger is careful."""
    with closing(sqlite3.connect(folder / "sweep.sqlite")) as file:
        file.execute(statement)
        file.commit()
    if again:
        with Record(folder / "sweep.sqlite") as record:
            for number in record.known:
                made = record.outcome(number).hash(record.statement(number))
                record._file.execute("UPDATE outcomes SET hash = ? WHERE number = ?", (made, number))


def checked(folder: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = main(["check", str(folder), "--json", *options])
    return code, json.loads(capsys.readouterr().out)


def test_an_honest_record_holds(swept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = checked(swept, capsys, "--seed", "0")
    assert code == 0
    assert found == {
        **{"holds": True, "scenarios": 4, "outcomes": 4, "proven": 4, "damaged": [], "again": 4, "seed": 0},
        **{"differences": [], "other_files": [], "not_checked": ["file", "seconds", "versions"], "gap": None},
        "instance": {"name": "tiny", "year": 2025, "hash": etsopt.read("tiny").hash, "shipped": True},
    }
    capsys.readouterr()
    assert main(["check", str(swept), "--again", "2", "--seed", "5"]) == 0
    said = capsys.readouterr().out
    assert "All 4 outcomes are as they were kept." in said
    assert "2 of 4 proven ones were solved again with the same answer (chosen by the seed 5)." in said


@pytest.mark.parametrize(
    ("statement", "damaged"),
    [
        ('UPDATE "values" SET value = 2 * value WHERE number = 1 AND value > 0', ["grid-2"]),
        ("UPDATE outcomes SET status = 'certified_gap' WHERE number = 0", ["grid-1"]),
        ("UPDATE outcomes SET message = '' WHERE number = 3", ["grid-4"]),
        ("UPDATE outcomes SET message = 'feasible' WHERE number = 3", ["grid-4"]),
        ('UPDATE outcomes SET message = \'{"en": "feasible"}\' WHERE number = 3', ["grid-4"]),
        ('DELETE FROM "values" WHERE number = 2', ["grid-3"]),
        ("UPDATE scenarios SET content = replace(content, '-0.006', '-0.001') WHERE number = 0", ["grid-1"]),
    ],
)
def test_a_change_is_told_by_the_hash_and_no_sweep_goes_on_with_it(
    swept: Path, capsys: pytest.CaptureFixture[str], statement: str, damaged: list[str]
) -> None:
    changed(swept, statement)
    code, found = checked(swept, capsys, "--again", "0")
    assert (code, found["damaged"], found["again"]) == (5, damaged, 0)
    assert main(["check", str(swept), "--again", "0"]) == 5
    assert f"1 were changed since they were kept: {damaged[0]}." in capsys.readouterr().err
    assert main(["sweep", str(swept.with_suffix(".toml")), "--resume", "--workers", "1"]) == 2
    assert f"the first of {damaged[0]}" in capsys.readouterr().err


def test_a_change_with_a_new_hash_is_found_by_solving_again(swept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed(swept, 'UPDATE "values" SET value = 1.01 * value WHERE number = 1 AND value > 1000', again=True)
    code, found = checked(swept, capsys)
    assert (code, found["damaged"]) == (5, [])
    assert {scenario for scenario, *_ in found["differences"]} == {"grid-2"}
    # A choice that does not hold it confirms what it holds, and no more.
    rest = next(seed for seed in range(20) if 1 not in np.random.default_rng(seed).choice(range(4), 1))
    assert checked(swept, capsys, "--again", "1", "--seed", str(rest))[1]["differences"] == []
    assert checked(swept, capsys, "--again", "1", "--all")[0] == 5
    changed(swept, "UPDATE outcomes SET status = 'certified_optimal' WHERE number = 3", again=True)
    assert ["grid-4", "status", "certified_optimal", "infeasible_certified"] in checked(swept, capsys)[1]["differences"]
    assert main(["check", str(swept)]) == 5
    said = capsys.readouterr().err
    assert "grid-4, status: certified_optimal is kept, and infeasible_certified is found." in said


def test_files_beside_the_record_are_those_that_it_holds(swept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (swept / "values.csv").read_text("utf-8")
    (swept / "values.csv").write_text(text.replace("grid-1,", "grid-2,", 1), "utf-8")
    assert checked(swept, capsys, "--again", "0")[1]["other_files"] == ["values.csv"]
    assert main(["check", str(swept), "--again", "0"]) == 5
    assert "The file values.csv is not what the record holds." in capsys.readouterr().err
    (swept / "values.csv").unlink()
    assert checked(swept, capsys, "--again", "0")[0] == 0


def test_the_instance_is_the_one_that_was_solved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    instance = etsopt.read("tiny").with_policy({TARGET: -0.003})
    with Record(tmp_path / "sweep.sqlite") as record:
        run_plan(plan_of({"instance": "tiny", "scenarios": {"a": {}}}), instance, record)
        with pytest.raises(UsageError, match="not the instance that was solved"):
            instance_of(record)
    write_instance(instance, tmp_path / "own")
    assert main(["check", str(tmp_path)]) == 2
    assert checked(tmp_path, capsys, "--instance", str(tmp_path / "own"))[0] == 0
    assert main(["check", str(tmp_path), "--gap", "0.1"]) == 2
    assert "for a run" in capsys.readouterr().err
    assert main(["check", str(tmp_path), "--again", "-1"]) == 2


def test_a_plan_is_made_again_from_what_its_record_states(tmp_path: Path) -> None:
    plan = plan_of(
        {
            "instance": "tiny",
            "options": {"seed": 3},
            "tables": ["sectors.allowance_t"],
            "policy": {TARGET: -0.005},
            "scenarios": {"a": {"sectors.cement.band": {"lower": 0.01, "upper": 0.02}}, "b": {}},
            "grid": {"provinces.balance": [0.01, 0.02]},
            "paired": {"units.output_t.steel": [1, 1.5]},
            "sample": {
                "number": 2,
                "values": {
                    "units.emissions_tco2e": {"normal": [1.0, 0.1], "each": "row"},
                    "units.output_t.cement": {"uniform": [0.9, 1.1]},
                },
            },
        }
    )
    with Record(tmp_path / "sweep.sqlite") as record:
        record.begin(plan, "a" * 64, {})
        assert plan_of_record(record.about) == plan


def test_numbers_within_their_tolerance_are_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    label = Label("sectors", "cement", "", "", "", "allowance_t", "t")
    plan = plan_of({"instance": "tiny", "scenarios": {"a": {}}})
    instance = etsopt.read("tiny")
    kept = Outcome(0, "certified_optimal", "optimal", True, 0.1, "", {label: 1e5, label._replace(unit="1"): 0.5})
    with Record(tmp_path / "sweep.sqlite") as record:
        record.begin(plan, instance.hash, {})
        record.add([kept])
        for by, same in ((0.1, True), (0.2, False)):
            found = replace(kept, values={**kept.values, label: 1e5 + by})
            monkeypatch.setattr(Engine, "outcome", lambda *_, found=found: found)
            assert check_record(record, instance, plan).holds is same
        lacking = replace(kept, values={label: 1e5})
        monkeypatch.setattr(Engine, "outcome", lambda *_: lacking)
        (difference,) = check_record(record, instance, plan).differences
        assert difference == ("a", "sectors cement allowance_t", "0.5", "nan")


@pytest.mark.nightly
def test_a_design_search_is_checked_like_a_sweep(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("optuna")
    file = tmp_path / "d.toml"
    file.write_text(
        'instance = "tiny"\ngenerations = 1\npopulation = 6\n'
        f"[choose]\n{TARGET} = {{ lower = -0.006, upper = 0.0 }}\n"
        '[goals.change]\ntable = "levels"\nid = "change"\nquantity = "value"\n'
        '[goals.allowances]\ntable = "sectors"\nquantity = "allowance_t"\nbest = "least"\n',
        "utf-8",
    )
    assert main(["design", str(file), "--workers", "1"]) == 0, capsys.readouterr().err
    code, found = checked(tmp_path / "d", capsys)
    assert (code, found["again"], found["other_files"]) == (0, 7, [])
    with closing(sqlite3.connect(tmp_path / "d" / "design.sqlite")) as record:
        record.execute('UPDATE "values" SET value = value + 1')
        record.commit()
    code, found = checked(tmp_path / "d", capsys, "--again", "0")
    assert (code, len(found["damaged"]), found["other_files"]) == (5, 7, ["designs.csv", "front.csv"])
    enacted = json.dumps({TARGET: 0.0})
    for stated in (enacted, "7"):
        with closing(sqlite3.connect(tmp_path / "d" / "design.sqlite")) as record:
            record.execute("UPDATE about SET value = ? WHERE key = 'enacted'", (stated,))
            record.commit()
        differing = checked(tmp_path / "d", capsys, "--again", "0")[1]["differences"]
        assert ["design.sqlite", "enacted"] in [one[:2] for one in differing]
    (tmp_path / "mine.py").write_text("raise SystemExit(77)\n", "utf-8")
    with closing(sqlite3.connect(tmp_path / "d" / "design.sqlite")) as record:
        record.execute("UPDATE about SET value = ? WHERE key = 'model'", (json.dumps(str(tmp_path / "mine.py")),))
        record.execute("UPDATE scenarios SET name = 'the best' WHERE number = 3")
        record.commit()
    code, found = checked(tmp_path / "d", capsys)
    assert (code, found["again"]) == (5, 0)
    assert ["generation-1/3", "name", "'the best'", "'generation-1/3'"] in found["differences"]


@pytest.mark.parametrize(
    "change",
    [
        """UPDATE "values" SET value = 9e999 WHERE number = 1""",
        "UPDATE outcomes SET certified = 0 WHERE number = 1",
        "UPDATE outcomes SET termination = 'time_limit' WHERE number = 1",
        """UPDATE outcomes SET message = '{"en": "infeasible by 3 t", "zh": "3"}' WHERE number = 3""",
    ],
)
def test_what_a_careful_forger_changes_is_found(change: str, swept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed(swept, change, again=True)
    assert checked(swept, capsys, "--all")[0] == 5


def test_numbers_of_a_scenario_without_an_outcome_are_none(swept: Path) -> None:
    with Record(swept / "sweep.sqlite") as record:
        before = len(record.values)
    changed(swept, "DELETE FROM outcomes WHERE number = 1")
    with Record(swept / "sweep.sqlite") as record:
        assert 0 < len(record.values) < before
        assert "grid-2" not in set(record.values["scenario"])


def test_what_is_solved_again_hangs_on_no_seed_that_was_known(swept: Path) -> None:
    with Record(swept / "sweep.sqlite") as record:
        plan = plan_of_record(record.about)
        seeds = {check_record(record, instance_of(record), plan, 0).seed for _again in range(4)}
    assert len(seeds) > 1


def made_again(folder: Path) -> None:
    """Make the hash of the plan again from the scenarios that a record has, as a careful forger does."""
    with Record(folder / "sweep.sqlite") as record:
        about = record.about
        kept = tuple(Scenario(name, stated_in(content)) for name, content, _key in record.statements.values())
        plan = replace(plan_of_record(about), scenarios=kept)
        record._file.execute("UPDATE about SET value = ? WHERE key = 'plan'", (json.dumps(plan.hash),))


@pytest.mark.parametrize(
    ("statements", "difference"),
    [
        (
            [f"DELETE FROM {table} WHERE number = 3" for table in ('"values"', "outcomes", "scenarios")],
            ["name", "''", "'grid-4'"],
        ),
        (["UPDATE scenarios SET name = 'the worst' WHERE number = 3"], ["name", "'the worst'", "'grid-4'"]),
    ],
)
def test_a_scenario_that_is_left_out_or_renamed_is_missed_by_the_plan(
    statements: list[str], difference: list[str], swept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in swept.glob("*.csv"):
        path.unlink()
    for statement in statements:
        changed(swept, statement, again=True)
    made_again(swept)
    code, found = checked(swept, capsys, "--all")
    assert (code, found["damaged"]) == (5, [])
    assert ["grid-4", *difference] in found["differences"]
    assert main(["sweep", str(swept.with_suffix(".toml")), "--resume", "--workers", "1"]) == 2


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM outcomes WHERE number = 3",
        "UPDATE outcomes SET status = 'failed', certified = 0, message = 'no memory' WHERE number = 3",
    ],
)
def test_scenarios_without_a_proof_are_counted(statement: str, swept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in swept.glob("*.csv"):
        path.unlink()
    changed(swept, statement, again=True)
    assert main(["check", str(swept), "--all"]) == 0
    said = capsys.readouterr().out
    assert "Of 4 scenarios that the record states 1 have no proof: nothing is said of them." in said


def test_a_check_runs_no_file_that_a_record_names(swept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (swept / "mine.py").write_text("raise SystemExit(77)\n", "utf-8")
    changed(swept, f"UPDATE about SET value = '\"{swept / 'mine.py'}\"' WHERE key = 'model'", again=True)
    code, found = checked(swept, capsys)
    assert (code, found["again"]) == (5, 0)


def test_a_number_that_a_record_forges_is_a_difference_and_no_range(
    swept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(swept, "PRAGMA foreign_keys = OFF")
    changed(swept, "UPDATE scenarios SET number = 1000000000000000000 WHERE number = 1")
    code, found = checked(swept, capsys, "--again", "0")
    assert code == 5
    assert {("grid-2", "name")} <= {tuple(one[:2]) for one in found["differences"]}


def test_a_gap_that_no_check_of_a_run_accepts_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for gap, told in ((0.9, 0.9), (1e-5, None)):
        file = tmp_path / f"gap{gap}.toml"
        file.write_text(f'instance = "tiny"\n[options]\ngap = {gap}\n[grid]\n{TARGET} = [-0.005]\n', "utf-8")
        assert main(["sweep", str(file)]) == 0
        assert checked(file.with_suffix(""), capsys)[1]["gap"] == told
        assert main(["check", str(file.with_suffix(""))]) == 0
        said = "The record asks for a gap of 0.9 where a check of a run accepts 0.0001."
        assert (said in capsys.readouterr().out) is (told is not None)


def test_the_instance_of_a_record_is_named_with_its_hash(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own, file = tmp_path / "own" / "tiny", tmp_path / "s.toml"
    write_instance(etsopt.read("tiny").with_policy({"sectors.cement.band": 0.02}), own)
    for source, shipped in ((own, False), ("tiny", True)):
        file.write_text(f'instance = "{source}"\n[grid]\n{TARGET} = [-0.005]\n', "utf-8")
        assert main(["sweep", str(file), "--out", str(tmp_path / f"{shipped}")]) == 0
        found = checked(tmp_path / f"{shipped}", capsys)[1]
        assert found["instance"] == {"name": "tiny", "year": 2025, "hash": etsopt.read(source).hash, "shipped": shipped}
        assert ("instance" in found["not_checked"]) is not shipped
        assert main(["check", str(tmp_path / f"{shipped}")]) == 0
        digest = f"SHA-256 {etsopt.read(source).hash[:16]}…."
        words = f"Instance: tiny as it is shipped, {digest}" if shipped else f"Instance: tiny, {digest}"
        assert words in capsys.readouterr().out
