"""A sweep's outcomes are those of so many solves, and its record survives whatever ends it."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import etsopt
from etsopt.cli import main, terminal
from etsopt.cli.sweeping import teller
from etsopt.cli.terminal import telling
from etsopt.cli.time_estimate import TimeEstimate
from etsopt.common.errors import DataError, StoppedError, UsageError
from etsopt.common.language import speaking
from etsopt.studies.sweeping import Progress, Record, run_plan
from etsopt.studies.sweeping import progress as of_progress
from etsopt.studies.sweeping.engine import Engine
from etsopt.studies.sweeping.outcome import Label, Outcome
from etsopt.studies.sweeping.plan import SweepPlan, plan_of
from tests.markets import market

if TYPE_CHECKING:
    from pathlib import Path

    from etsopt.studies.sweeping.scenario import Scenario

outcome = Engine.outcome
"""How a scenario is solved, whatever a test puts in its place."""

BAND, TARGET = "sectors.cement.band", "sectors.cement.target_change"
PARTS: dict[str, Any] = {"instance": "tiny", "grid": {BAND: [0.02, 0.03, 0.05], TARGET: [0.0, -0.005, -0.5]}}


def etsopt_command(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(list(arguments))
    return code, *capsys.readouterr()


def swept(folder: Path, plan: SweepPlan, **asked: Any) -> tuple[str, pd.DataFrame, pd.DataFrame]:
    with Record(folder / "sweep.sqlite") as record:
        ended = run_plan(plan, etsopt.read(plan.instance), record, **asked)
        return ended, record.scenarios, record.values


@pytest.mark.nightly
def test_every_number_is_that_of_a_solve(tmp_path: Path) -> None:
    plan = plan_of(PARTS)
    ended, scenarios, values = swept(tmp_path, plan)
    assert ended == "optimal"
    assert scenarios["scenario"].tolist() == [f"grid-{number}" for number in range(1, 10)]
    assert scenarios[[BAND, TARGET]].to_numpy().tolist() == [
        [band, target] for band in (0.02, 0.03, 0.05) for target in (0.0, -0.005, -0.5)
    ]
    for one, (band, target) in zip(scenarios.to_dict("records"), scenarios[[BAND, TARGET]].to_numpy(), strict=True):
        result = etsopt.solve(etsopt.read("tiny").with_policy({BAND: float(band), TARGET: float(target)}))
        assert (one["status"], one["termination"], one["certified"]) == (
            *(result.status, result.termination, result.certified),
        )
        here = values[values["scenario"] == one["scenario"]].set_index(["table", "id", "quantity"])["value"]
        for level in result.levels:
            assert here["levels", level.name, "value"] == level.value
            assert here["levels", level.name, "bound"] == level.bound
        if result.termination == "infeasible":
            assert "infeasible by at least" in one["message"]
            assert str(result.remedies[0].text) in one["message"]
            continue
        kept = values[(values["scenario"] == one["scenario"]) & (values["table"] == "provinces")]
        provinces = result.tables["provinces"].set_index("province")
        assert len(kept) == provinces.select_dtypes("number").notna().sum().sum()
        for row in kept.to_dict("records"):
            assert row["value"] == provinces.loc[row["province"], row["quantity"]]
    units = values.drop_duplicates("quantity").set_index("quantity")["unit"]
    assert units[["allowance_t", "emissions_tco2e", "surplus_rate", "units"]].tolist() == ["t", "tCO2e", "1", ""]


def test_prices_have_their_unit_and_years_are_numbers() -> None:
    instance = market(
        {"emissions_tco2e": [1e6], "reference_t": [1.1e6]}, horizon={"last_year": 2026, "discount_rate": 0.0}
    )
    result = etsopt.solve(instance, "clearing")
    table = etsopt.sweep(instance, {"now": {}}, "clearing").numbers
    prices = table[table["quantity"] == "price_cny_per_t"]
    assert prices["year"].tolist() == [2025, 2026]
    assert prices["value"].tolist() == result.prices["price"].tolist()
    assert prices["unit"].tolist() == result.prices["unit"].tolist()
    assert set(prices["status"]) == {result.status}


def test_numbers_are_a_tidy_table_and_an_error_is_the_outcome_of_its_scenario() -> None:
    given: dict[str, dict[str, Any]] = {
        "today": {},
        "tight": {TARGET: -0.5},
        "wrong": {TARGET: -1.5},
        "more": {"units.output_t": 1.1},
    }
    seen: list[Progress] = []
    swept = etsopt.sweep(etsopt.read("tiny"), given, progress=seen.append)
    statuses = ["certified_optimal", "infeasible_certified", "failed", "certified_optimal"]
    assert (swept.scenarios["scenario"].tolist(), swept.statuses) == ([*given], statuses)
    assert swept.terminations == ["optimal", "infeasible", "", "optimal"]
    assert swept.scenarios[TARGET].tolist()[1:3] == [-0.5, -1.5]
    table = swept.numbers
    assert dict(zip(table["scenario"], table["status"], strict=True)) == dict(zip(given, statuses, strict=True))
    said = table[table["value"].isna()].set_index("scenario")["id"]
    assert said.to_dict() == swept.scenarios.set_index("scenario")["message"][["tight", "wrong"]].map(str).to_dict()
    assert f"the changed policy, {TARGET}: is -1.5: expected" in said["wrong"]
    assert said["tight"].startswith("infeasible by at least")
    assert [(one.done, one.of) for one in seen] == [(number, 4) for number in range(1, 5)]
    assert seen[-1].left_s == 0
    assert str(seen[-1]).startswith("scenarios 4 of 4, ")
    sectors = table[
        (table["table"] == "sectors") & (table["quantity"] == "allowance_t") & (table["scenario"] == "today")
    ]
    result = etsopt.solve(etsopt.read("tiny"))
    assert sectors["value"].tolist() == result.tables["sectors"]["allowance_t"].tolist()
    assert sectors["unit"].tolist() == ["t"]
    kept = etsopt.sweep(etsopt.read("tiny"), {"today": {}}, tables=["allocation"]).numbers
    units = kept[(kept["table"] == "allocation") & (kept["quantity"] == "allowance_t")].set_index("id")["value"]
    assert units.to_numpy().tolist() == result.tables["allocation"]["allowance_t"].tolist()


def test_a_message_is_shown_in_both_languages_wherever_it_was_made(tmp_path: Path) -> None:
    plan = plan_of({"instance": "tiny", "scenarios": {"tight": {TARGET: -0.5}, "wrong": {TARGET: -1.5}}})
    with speaking("zh"):
        _, scenarios, _ = swept(tmp_path, plan)
        shown = [str(message) for message in scenarios["message"]]
    tight, wrong = scenarios["message"]
    # A text is its English, which files have.
    assert tight.startswith(
        "infeasible by at least 274,400 t; relax targets and balances: sectors.cement.target_change="
    )
    assert wrong.startswith("The policy has a problem.")
    assert "放宽目标和平衡：sectors.cement.target_change=" in shown[0]
    assert shown[1].startswith("政策有 1 处问题。")
    again = etsopt.sweep(etsopt.read("tiny"), plan).scenarios["message"]
    assert again.tolist() == [tight, wrong]
    with speaking("zh"):
        assert [str(message) for message in again] == shown


def test_one_column_of_a_table_is_kept_and_a_table_that_no_answer_has_is_told() -> None:
    asked = ["allocation.surplus_rate", "sectors", "allocaton", "allocation.surplusrate"]
    kept = etsopt.sweep(
        etsopt.read("tiny"), {"today": {}, "tight": {"sectors.cement.target_change": -0.5}}, tables=asked
    ).numbers
    today = kept[(kept["scenario"] == "today") & kept["value"].notna()]
    assert set(today["quantity"][today["table"] == "allocation"]) == {"surplus_rate"}
    assert len(today[today["table"] == "allocation"]) == 3
    assert "allowance_t" in set(today["quantity"][today["table"] == "sectors"])
    said = kept[kept["value"].isna()].set_index("scenario")["id"]
    assert said["today"] == (
        "The result has no table allocaton. Did you mean 'allocation'? "
        "The table allocation of the result has no column surplusrate. Did you mean 'surplus_rate'?"
    )
    assert said["tight"].startswith("infeasible by at least")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"a": 1}, "The changes of 'a' are 1"),
        ([1], "The changes of 0 are 1"),
        ({"a": {"units.output_t": "b"}}, "The factor of units.output_t in 'a' is 'b'"),
        ([{"units.output_t": True}], "The factor of units.output_t in 0 is True"),
    ],
)
def test_changes_that_are_none_are_said(changes: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        etsopt.sweep(etsopt.read("tiny"), changes)


@pytest.mark.nightly
def test_a_sweep_that_was_stopped_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(PARTS)
    solved: list[int] = []

    def stopped_at_the_fifth(engine: Engine, number: int, scenario: Scenario) -> Outcome:
        if number == 4 and 4 not in solved:
            solved.append(number)
            raise StoppedError("interrupted")
        solved.append(number)
        return outcome(engine, number, scenario)

    monkeypatch.setattr(Engine, "outcome", stopped_at_the_fifth)
    ended, scenarios, _ = swept(tmp_path, plan)
    assert ended == "interrupted"
    assert scenarios["status"].tolist()[3:] == ["certified_optimal", *["pending"] * 5]
    with pytest.raises(UsageError, match=r"has 4 outcomes.\n\nGo on with --resume"):
        swept(tmp_path, plan)
    ended, scenarios, values = swept(tmp_path, plan, resume=True)
    assert solved == [0, 1, 2, 3, 4, 4, 5, 6, 7, 8]
    assert (ended, (scenarios["status"] == "pending").sum()) == ("optimal", 0)
    (tmp_path / "whole").mkdir()
    _, whole, values_of_whole = swept(tmp_path / "whole", plan)
    assert scenarios.to_csv() == whole.to_csv()
    assert values.to_csv() == values_of_whole.to_csv()
    assert swept(tmp_path, plan, resume=True)[0] == "optimal"
    assert len(solved) == 19


def test_what_failed_is_solved_again_if_asked_and_names_may_be_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of({"instance": "tiny", "scenarios": {"a": {}, "b": {TARGET: -1.5}, "c": {}}})
    _, scenarios, values = swept(tmp_path, plan, only="[ab]")
    assert scenarios["status"].tolist() == ["certified_optimal", "failed", "pending"]
    assert set(values["scenario"]) == {"a"}
    (tmp_path / "new").mkdir()
    with pytest.raises(UsageError, match="No scenario has a name like 'x'"):
        swept(tmp_path / "new", plan, only="x")
    solved: list[int] = []

    def feasible(engine: Engine, number: int, scenario: Scenario) -> Outcome:
        solved.append(number)
        return Outcome(number, "feasible", "time_limit", False, 1.0, "", {})

    monkeypatch.setattr(Engine, "outcome", feasible)
    _, scenarios, _ = swept(tmp_path, plan, resume=True)
    assert (solved, scenarios["status"].tolist()) == ([2], ["certified_optimal", "failed", "feasible"])
    _, scenarios, _ = swept(tmp_path, plan, retry_failed=True)
    assert (solved, scenarios["status"].tolist()) == ([2, 1], ["certified_optimal", "feasible", "feasible"])


@pytest.mark.parametrize(
    ("parts", "what"),
    [
        ({"grid": {BAND: [0.02]}}, "other scenarios, model or options"),
        ({"options": {"gap": 0.1}}, "other scenarios, model or options"),
        ({"instance": "cn-2025"}, "other instance"),
    ],
)
def test_a_record_of_another_sweep_is_refused(tmp_path: Path, parts: dict[str, Any], what: str) -> None:
    swept(tmp_path, plan_of({"instance": "tiny", "scenarios": {"a": {}}}))
    with pytest.raises(UsageError, match=what):
        swept(tmp_path, plan_of({"instance": "tiny", "scenarios": {"a": {}}} | parts), resume=True)


def test_a_file_that_is_no_record_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "sweep.sqlite"
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(UsageError, match="is damaged: file is not a database"), Record(path):
        pass
    assert path.read_bytes() == b"no database at all" * 100
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE a (b)")
    other.close()
    with pytest.raises(UsageError, match="is no record of a sweep"), Record(path):
        pass


def test_one_process_holds_a_record_at_a_time(tmp_path: Path) -> None:
    with Record(tmp_path / "a"), pytest.raises(UsageError, match="is being written by process"), Record(tmp_path / "a"):
        pass
    with Record(tmp_path / "a"):
        pass


def test_outcomes_are_kept_together_or_not_at_all(tmp_path: Path) -> None:
    plan = plan_of({"instance": "tiny", "scenarios": {"a": {}, "b": {}}})
    good = Outcome(0, "feasible", "optimal", False, 1.0, "", {Label("a", "", "", "", "", "q", "t"): 1.0})
    bad = Outcome(7, "feasible", "optimal", False, 1.0, "", {})
    with Record(tmp_path / "a") as record:
        record.begin(plan, "hash", {})
        record._file.execute("PRAGMA foreign_keys = ON")
        with pytest.raises(sqlite3.IntegrityError):
            record._file.execute("INSERT INTO outcomes VALUES (9, '', '', 0, 0, '', '')")
        with pytest.raises(UsageError, match="damaged"):
            record.add([good, bad])
        assert record.counts == {"pending": 2}
        record.add([good])
        record.add([good])
        assert record.counts == {"feasible": 1, "pending": 1}
        assert record.values["value"].tolist() == [1.0]


def test_the_command_counts_solves_and_says_where_the_tables_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bands.toml"
    file.write_text(
        'instance = "tiny"\n[grid]\nsectors.cement.band = [0.02, 0.03]\nsectors.cement.target_change = [0, -0.5]\n'
    )
    code, out, err = etsopt_command(capsys, "sweep", str(file), "--count")
    doubt = "Warning: sectors.cement.target_change is -0.5, which is -50 %: -0.01 means -1 %.\n"
    assert (code, err) == (0, doubt)
    assert out == "4 scenarios of tiny, model allocation: grid-1, grid-2, grid-3, ..., grid-4.\n"
    assert not (tmp_path / "bands").exists()
    code, out, err = etsopt_command(capsys, "sweep", str(file))
    assert code == 0
    assert "certified optimal" in out
    assert "infeasible, proven" in out
    assert f"Written to {tmp_path / 'bands' / 'scenarios.csv'} and {tmp_path / 'bands' / 'values.csv'}." in out
    scenarios = pd.read_csv(tmp_path / "bands" / "scenarios.csv")
    assert scenarios["status"].tolist() == ["certified_optimal", "infeasible_certified"] * 2
    assert etsopt_command(capsys, "sweep", str(file))[0] == 2
    code, out, _ = etsopt_command(capsys, "sweep", str(file), "--resume", "--json")
    assert json.loads(out)["counts"] == {"certified_optimal": 2, "infeasible_certified": 2}
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").write_text("a")
    code, _, err = etsopt_command(capsys, "sweep", str(file), "--out", str(tmp_path / "other"))
    assert code == 2
    assert "holds no record sweep.sqlite" in err


def test_the_progress_of_a_sweep_is_a_phase_with_a_count_to_which_the_terminal_adds_what_is_left() -> None:
    lines: list[str] = []
    progress = teller(lines.append, quiet=True, name_of=str)
    last = Outcome(0, "certified_optimal", "optimal", True, 1.0, "", {})
    times = iter([0.0, 10.0])
    remaining = TimeEstimate(lambda: next(times))
    for done in (1, 2):
        progress(Progress(done, 12, 5.0 * done, 0.0, last))
    assert lines == ["scenarios 1 of 12, 0.2 a second", "scenarios 2 of 12, 0.2 a second"]
    assert [remaining.shown(line) for line in lines] == [lines[0], f"{lines[1]}, at most 1:40 left"]


def test_a_command_with_a_failure_ends_with_4_and_names_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.toml"
    file.write_text('instance = "tiny"\n[scenarios.good]\n[scenarios.bad]\nsectors.cement.target_change = -1.5\n')
    code, out, err = etsopt_command(capsys, "sweep", str(file))
    assert code == 4
    assert "bad: failed The policy has a problem." in err
    assert "failed" in out
    assert etsopt_command(capsys, "sweep", str(file), "--workers", "0", "--resume")[0] == 2


def test_unknown_names_are_told_before_the_first_solve_and_by_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Engine, "outcome", lambda *rest: pytest.fail("a scenario is solved"))
    tiny = etsopt.read("tiny")
    with pytest.raises(DataError) as error:
        etsopt.sweep(tiny, {"a": {"sectors.cement.bnd": 0.02}, "b": {"units.output_t.cemnt": 1.0}}, "pathwy")
    assert [one.column for one in error.value.problems] == ["model", "sectors.cement.bnd", "units.output_t.cemnt"]
    with pytest.raises(DataError) as error:
        etsopt.sweep(tiny, {"a": {"rule.slop": 0.1, "units.heat_gj": 1.1}, "b": {"measures.capex_cny_per_t": 2.0}})
    assert [(one.place, one.column) for one in error.value.problems] == [
        *(("the scenarios", "units.heat_gj"), ("the scenarios", "measures.capex_cny_per_t")),
        ("the scenarios", "rule.slop"),
    ]
    # In a list as by name, and a key that the model does not read, although a value before it is wrong.
    listed = [{TARGET: -1.5, "market.paid_share": 0.1}, {TARGET: 0.0, "market.paid_share": 0.1}]
    with pytest.raises(DataError, match=r"market\.paid_share: the model allocation does not read it"):
        etsopt.sweep(tiny, listed)
    file = tmp_path / "names.toml"
    file.write_text('instance = "tiny"\n[grid]\nrule.slop = [0.1, 0.2]\nunits.heat_gj = [1.1]\n')
    for further in (["--count"], []):
        code, _, err = etsopt_command(capsys, "sweep", str(file), *further)
        assert code == 2
        assert "names.toml, rule.slop: is not a parameter of the rule" in err
        assert "names.toml, units.heat_gj: is not in the instance 'tiny'" in err
    assert not (tmp_path / "names").exists()


def test_parameters_of_a_rule_that_a_scenario_names_itself_are_known_in_that_scenario() -> None:
    found = etsopt.sweep(
        etsopt.read("tiny"), {"a": {"rule": {"name": "benchmark"}, "rule.benchmarks": {"cement": 0.8}}}
    )
    assert "is not a parameter" not in found.scenarios["message"][0]


def test_the_logger_tells_where_a_sweep_stands_also_while_a_scenario_is_solved(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def slow(engine: Engine, number: int, scenario: Scenario) -> Outcome:
        time.sleep(0.2)
        return outcome(engine, number, scenario)

    monkeypatch.setattr(Engine, "outcome", slow)
    monkeypatch.setattr(of_progress, "LOGGED_S", 0.05)
    with caplog.at_level("INFO", logger="etsopt"):
        etsopt.sweep(etsopt.read("tiny"), {"a": {}, "b": {TARGET: -1.5}})
    lines = [one.getMessage() for one in caplog.records if one.getMessage().startswith("scenarios ")]
    assert lines[0].startswith("scenarios 0 of 2, 0 without a proven answer")
    assert any(line.startswith("scenarios 1 of 2") for line in lines)
    assert lines[-1].startswith("scenarios 2 of 2, 1 without a proven answer")


def test_a_misspelt_table_is_told_after_the_first_outcome(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    etsopt.sweep(etsopt.read("tiny"), {"a": {}, "b": {}}, tables=["sectrs"])
    said = "The result has no table sectrs. Did you mean 'sectors'?"
    assert [one.getMessage() for one in caplog.records if one.levelname == "WARNING"] == [f"a: {said}"]
    file = tmp_path / "a.toml"
    file.write_text('instance = "tiny"\ntables = ["sectrs"]\n')
    code, _, err = etsopt_command(capsys, "sweep", str(file))
    assert (code, err) == (0, f"base: certified_optimal {said}\n")


def test_without_a_terminal_the_command_tells_where_it_stands_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "TOLD_S", 0.05)
    with telling(quiet=False, first="No scenario has ended yet.") as tell:
        time.sleep(0.2)
        tell("scenarios 1 of 12")
        time.sleep(0.2)
    lines = capsys.readouterr().err.splitlines()
    assert (lines[0], lines[-1]) == ("No scenario has ended yet.", "scenarios 1 of 12")
    with telling(quiet=True) as tell:
        tell("scenarios 1 of 12")
        time.sleep(0.2)
    assert capsys.readouterr().err == ""


@pytest.mark.nightly
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_process_that_is_killed_leaves_whole_outcomes_and_the_next_one_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text(
        'instance = "tiny"\n[grid]\nsectors.cement.target_change = ['
        + ", ".join(f"-0.00{n:03}" for n in range(400))
        + "]\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "etsopt", "sweep", str(file), "--workers", "1"], stdout=subprocess.DEVNULL
    )
    record = tmp_path / "a" / "sweep.sqlite"

    def outcomes() -> int:
        try:
            with closing(sqlite3.connect(f"file:{record}?mode=ro", uri=True)) as read:
                return int(read.execute("SELECT count(*) FROM outcomes").fetchone()[0])
        except sqlite3.OperationalError:
            return 0

    while process.poll() is None and not outcomes():
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = outcomes()
    assert 0 < before < 400
    with Record(record) as kept:
        whole = kept.values.groupby("scenario").size()
        assert len(whole) == before
        assert len({*whole}) == 1
    with Record(record) as kept:
        assert len(kept.pending()) == 400 - before
