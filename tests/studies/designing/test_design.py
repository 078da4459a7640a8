"""A design search: its numbers, its front, and a record that goes on."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.cli import main
from etsopt.common.errors import DataError, StoppedError, UsageError
from etsopt.studies.designing import design_of, designs_of, front_of, hypervolume, search
from etsopt.studies.designing import plan as of_plan
from etsopt.studies.designing.numbers import Limit, Number
from etsopt.studies.designing.search import load_optuna
from etsopt.studies.sweeping import Record
from etsopt.studies.sweeping.engine import Engine
from etsopt.studies.sweeping.outcome import Label, Outcome

if TYPE_CHECKING:
    from etsopt.studies.designing import DesignPlan
    from etsopt.studies.sweeping.scenario import Scenario

pytest.importorskip("optuna")

outcome = Engine.outcome
"""How a design is solved, whatever a test puts in its place."""

BAND = "sectors.cement.band"
JUDGED = ["on_front", "same_goals"]
FILE: dict[str, Any] = {
    "instance": "tiny",
    "seed": 2,
    "generations": 3,
    "population": 6,
    "choose": {
        BAND: {"lower": 0.01, "upper": 0.05},
        "sectors.cement.target_change": {"lower": -0.01, "upper": 0.0},
        "provinces.balance": [0.05, 0.1, 0.2],
    },
    "goals": {
        "moved": {"table": "levels", "id": "change", "quantity": "value"},
        "allowances": {"table": "sectors", "quantity": "allowance_t", "best": "largest"},
    },
    "limits": {"burden": {"table": "allocation", "quantity": "surplus_rate", "take": "least", "at_least": -0.025}},
}


def found(folder: Path, plan: DesignPlan, **asked: Any) -> tuple[str, pd.DataFrame]:
    folder.mkdir(exist_ok=True)
    with Record(folder / "design.sqlite") as record:
        ended = search(plan, etsopt.read("tiny"), record, **asked)
        return ended, designs_of(plan, record)


def test_a_number_takes_the_rows_that_it_names() -> None:
    def label(sector: str, year: str, quantity: str = "emissions_tco2e") -> Label:
        return Label("sector_years", sector, "", year, "", quantity, "tCO2e")

    values = {label("cement", "2025"): 3.0, label("cement", "2026"): 5.0, label("steel", "2025"): 7.0}
    values[label("steel", "2025", "other")] = 100.0

    def number(**asked: Any) -> float | None:
        return Number(table="sector_years", quantity="emissions_tco2e", **asked).of(values)

    assert number() == 15.0
    assert number(sector="cement", take="mean") == 4.0
    assert (number(take="least"), number(take="largest")) == (3.0, 7.0)
    assert number(year=2025, sector="steel") == 7.0
    assert number(year=2030) is None


def test_a_limit_is_exceeded_in_parts_of_itself() -> None:
    both = Limit(table="years", quantity="price_cny_per_t", at_least=50.0, at_most=200.0)
    assert both.excess(100.0) < 0
    assert both.excess(300.0) == 0.5
    assert both.excess(25.0) == 0.5
    assert Limit(table="a", quantity="b", at_most=0.0).excess(2.0) == 2.0


def test_the_front_and_its_volume_are_those_of_all_pairs_and_of_many_points() -> None:
    random = np.random.default_rng(4)
    for goals in (1, 2, 3, 4):
        costs = random.random((40, goals)).round(1)
        known = [not any((other <= one).all() and (other < one).any() for other in costs) for one in costs]
        assert front_of(costs).tolist() == known
        points = random.random((200_000, goals)) * 1.1
        below = np.zeros(len(points), dtype=bool)
        for one in costs:
            below |= (points >= one).all(axis=1)
        assert hypervolume(costs, np.full(goals, 1.1)) == pytest.approx(below.mean() * 1.1**goals, abs=0.01)
        assert hypervolume(costs, np.zeros(goals)) == 0.0


@pytest.mark.nightly
def test_every_design_is_that_of_a_solve_and_the_front_is_within_the_limits(tmp_path: Path) -> None:
    plan = design_of(FILE)
    ended, designs = found(tmp_path, plan)
    assert (ended, len(designs)) == ("optimal", 1 + 3 * 6)
    assert designs["design"].tolist()[:2] == ["enacted", "generation-1/1"]
    assert designs["status"].unique().tolist() == ["certified_optimal"]
    for row in designs.sample(5, random_state=1).to_dict("records"):
        changes = {} if row["design"] == "enacted" else {key: row[key] for key in plan.choose}
        result = etsopt.solve(etsopt.read("tiny").with_policy(changes))
        assert row["moved"] == {level.name: level.value for level in result.levels}["change"]
        assert row["allowances"] == pytest.approx(result.tables["sectors"]["allowance_t"].sum())
        assert row["burden"] == result.tables["allocation"]["surplus_rate"].min()
        assert row["within_limits"] == (row["burden"] >= -0.025)
    within = designs[designs["within_limits"]]
    assert 0 < len(within) < len(designs)
    costs = within[["moved", "allowances"]].to_numpy() * [1.0, -1.0]
    # Of designs that reach the same goals the first is on the front, and names the others.
    best = within[front_of(costs)]
    assert designs["on_front"].sum() == len(best[["moved", "allowances"]].round(6).drop_duplicates())
    assert len(best) >= 2
    assert len(best) == designs["on_front"].sum() + ((designs["same_goals"] != "") & ~designs["on_front"]).sum()
    assert not (designs["on_front"] & ~designs["within_limits"]).any()


@pytest.mark.nightly
def test_a_search_that_was_stopped_proposes_the_same_designs_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = design_of(FILE)
    whole = found(tmp_path / "whole", plan)[1]
    solved: list[int] = []

    def stopped_once(engine: Engine, number: int, scenario: Scenario) -> Outcome:
        if number == 9 and 9 not in solved:
            solved.append(number)
            raise StoppedError("interrupted")
        solved.append(number)
        return outcome(engine, number, scenario)

    monkeypatch.setattr(Engine, "outcome", stopped_once)
    ended, part = found(tmp_path / "part", plan)
    assert (ended, len(part)) == ("interrupted", 9)
    with pytest.raises(UsageError, match=r"has 9 outcomes.\n\nGo on with --resume"):
        found(tmp_path / "part", plan)
    ended, again = found(tmp_path / "part", plan, resume=True)
    assert solved == [*range(10), *range(9, 19)]
    assert again.to_csv() == whole.to_csv()
    # Further generations go on with the record; another question does not.
    more = found(tmp_path / "part", design_of(FILE | {"generations": 4}), resume=True)[1]
    assert len(more) == 25
    assert more.head(19).drop(columns=JUDGED).to_csv() == whole.drop(columns=JUDGED).to_csv()
    with pytest.raises(UsageError, match="other scenarios, model or options"):
        found(tmp_path / "part", design_of(FILE | {"seed": 3}), resume=True)


def test_a_design_without_a_proven_answer_is_listed_and_never_on_the_front(tmp_path: Path) -> None:
    choose = {"sectors.cement.target_change": [-0.5, 0.0]}
    plan = design_of(FILE | {"choose": choose, "generations": 1, "limits": {}})
    _, designs = found(tmp_path, plan)
    assert set(designs["status"]) == {"certified_optimal", "infeasible_certified"}
    infeasible = designs[designs["status"] == "infeasible_certified"]
    assert infeasible[["moved", "allowances"]].isna().all(axis=None)
    assert not infeasible[["within_limits", "on_front"]].any(axis=None)


def test_a_whole_number_that_is_chosen_stays_one_beside_the_enacted_design(tmp_path: Path) -> None:
    key = "allocation.exceptions.units"
    plan = design_of(FILE | {"choose": {key: [0, 1]}, "generations": 1, "limits": {}})
    _, designs = found(tmp_path, plan)
    # The enacted design allows no exceptions.
    assert designs[key][0] == 0
    assert {type(one) for one in designs[key]} == {int}
    for row in designs.tail(2).to_dict("records"):
        plan.design("again", {key: row[key]}).of(etsopt.read("tiny"))


@pytest.mark.parametrize(
    ("change", "key", "what"),
    [
        ({"goal": {}}, "goal", "is not a key of a design"),
        ({"goals": {}}, "goals", "at least 1"),
        ({"choose": {BAND: [0.02, 0.02]}}, f"choose.{BAND}", "leaves nothing to choose"),
        ({"choose": {BAND: {"lower": 0.2, "upper": 0.1}}}, f"choose.{BAND}", "is no range"),
        ({"policy": {BAND: 0.1}}, BAND, "is stated in policy and choose"),
        ({"limits": {"burden": {"table": "a", "quantity": "b"}}}, "limits.burden", "states no limit"),
        ({"limits": {"moved": {"table": "a", "quantity": "b", "at_most": 1.0}}}, "moved", "of a goal and of a limit"),
        ({"population": 2}, "population", "greater than or equal to 4"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_key(change: dict[str, Any], key: str, what: str) -> None:
    with pytest.raises(DataError) as error:
        design_of(FILE | change)
    (problem,) = error.value.problems
    assert problem.column == key
    assert what in problem.what


def test_unknown_names_of_a_design_are_told_at_once_and_before_the_first_solve(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Engine, "outcome", lambda *rest: pytest.fail("a design is solved"))
    choose = {"sectors.cement.bnd": {"lower": 0.01, "upper": 0.05}, "provinces.balence": [0.05, 0.1]}
    with pytest.raises(DataError) as error:
        design_of(FILE | {"model": "alocation", "choose": choose, "policy": {"sectors.cemnt.band": 0.02}, "seed": -1})
    assert [one.column for one in error.value.problems] == [
        *("seed", "model", "sectors.cemnt", "sectors.cement.bnd", "provinces.balence")
    ]
    plan = design_of(FILE | {"choose": {"rule.slop": [0.1, 0.2]}})
    with pytest.raises(DataError, match="The design") as error, Record(tmp_path / "design.sqlite") as record:
        search(plan, etsopt.read("tiny"), record)
    assert [(one.place, one.column) for one in error.value.problems] == [("design.toml", "rule.slop")]
    file = bands_file(tmp_path)
    file.write_text(file.read_text().replace("sectors.cement.band", "rule.slop"))
    assert main(["design", str(file)]) == 2
    assert "bands.toml, rule.slop: is not a parameter of the rule" in capsys.readouterr().err
    assert not (tmp_path / "bands").exists()


def test_a_missing_optimiser_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UsageError, match=r"etsopt\[design\]"):
        load_optuna()


def bands_file(folder: Path) -> Path:
    """Write a search of five designs of the bands of `tiny`."""
    file = folder / "bands.toml"
    file.write_text(
        'instance = "tiny"\ngenerations = 1\npopulation = 4\n'
        "[choose]\nsectors.cement.band = { lower = 0.02, upper = 0.04 }\n"
        '[goals.moved]\ntable = "levels"\nid = "change"\nquantity = "value"\n'
    )
    return file


def test_the_command_writes_designs_front_and_a_run_of_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = bands_file(tmp_path)
    assert main(["design", str(file), "--runs"]) == 0
    out = capsys.readouterr().out
    assert "5 designs of tiny, model allocation; generations: 1." in out
    assert "5 of 5 designs are certified, 5 of these keep the limits." in out
    front = pd.read_csv(tmp_path / "bands" / "front.csv")
    for name in front["design"]:
        assert main(["check", str(tmp_path / "bands" / "front" / name.replace("/", "-"))]) == 0
    capsys.readouterr()
    assert main(["design", str(file), "--resume", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["termination"], said["designs"], said["front"]) == ("optimal", 5, len(front))


def test_an_interrupted_command_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(engine: Engine, number: int, scenario: Scenario) -> Outcome:
        if number == 2:
            raise StoppedError("interrupted")
        return outcome(engine, number, scenario)

    monkeypatch.setattr(Engine, "outcome", interrupted)
    file = bands_file(tmp_path)
    assert main(["design", str(file)]) == 130
    assert "What is done is kept: go on with --resume." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (
            {"table": "sectors", "quantity": "allowance"},
            r"'allowance' of the table 'sectors'.\n\nDid you mean 'allowance_t'",
        ),
        ({"table": "sector", "quantity": "allowance_t"}, r"of the table 'sector'.\n\nDid you mean 'sectors'"),
        (
            {"table": "sectors", "quantity": "allowance_t", "sector": "steel"},
            r"Correct its sector, province, year or id",
        ),
    ],
)
def test_a_number_that_no_answer_has_ends_the_search_before_designs_are_solved(
    tmp_path: Path, number: dict[str, str], said: str
) -> None:
    plan = design_of(FILE | {"goals": {"moved": number}, "limits": {}})
    with Record(tmp_path / "design.sqlite") as record:
        with pytest.raises(UsageError, match=said):
            search(plan, etsopt.read("tiny"), record)
        assert len(record.known) == 1


def test_the_command_counts_designs_without_an_answer_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "targets.toml"
    file.write_text(
        'instance = "tiny"\ngenerations = 1\npopulation = 8\n'
        "[choose]\nsectors.cement.target_change = [0.0, -0.5]\n"
        '[goals.moved]\ntable = "levels"\nid = "change"\nquantity = "value"\n'
    )
    assert main(["design", str(file)]) == 0
    out = capsys.readouterr().out
    designs = pd.read_csv(tmp_path / "targets" / "designs.csv")
    proven = int((designs["status"] == "certified_optimal").sum())
    infeasible = int((designs["status"] == "infeasible_certified").sum())
    assert 0 < infeasible == 9 - proven < 9
    assert f"{proven} of 9 designs are certified, {proven} of these keep the limits." in out
    assert f"Designs that are proven to have no answer: {infeasible}." in out


def test_the_design_that_the_documentation_shows_is_read() -> None:
    text = Path(of_plan.__file__).with_name("README.md").read_text("utf-8")
    plan = design_of(tomllib.loads(text.split("```toml\n")[1].split("```")[0]))
    assert [*plan.goals] == ["moved", "burden"]
    plan.design("any", {"sectors.steel.band": 0.02, "allocation.intensity_order": True}).of(etsopt.read("cn-2025"))
