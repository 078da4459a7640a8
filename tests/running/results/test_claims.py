"""What result.json claims: each claim that is changed, and each table that it stood on, is noticed."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import etsopt
from etsopt.checking.verdict import LevelCheck
from etsopt.cli import main
from etsopt.common.errors import UsageError
from etsopt.common.provenance import Options
from etsopt.running.results.claims import check_claims
from tests import forging
from tests.cli.test_cli import USER_MODEL, run_json

IN_ORDER = [
    "allocation.intensity_order=true",
    "allocation.integer_allowances=true",
    "sectors.cement.target_change=-0.0083457",
]

RUNS = {
    "optimal": ["solve", "tiny"],
    "infeasible": ["solve", "eu-2019"],
    "rounded": ["solve", "tiny", *(word for change in IN_ORDER for word in ("--set", change))],
    "calculated": ["solve", "tiny", "--model", "balance_value"],
}


OWN_PARAMETER = {
    **{"key": "rule.slope", "sectors": ["cement"], "years": [2025], "official": "0.15", "here": 0.2},
    **{"unit": "", "source": "invented"},
}

NOT_PROVEN = {("claim", "status"), ("claim", "certified")}
OF_NO_LEVEL = ("duals", "least_squares, level_is_kept largest_change")

NOT_ROUNDED = {
    ("claim", "rounded_by_t"),
    ("not_moved", "north-1"),
    ("targets_are_stated", "cement"),
    ("prices_are_stated", "rounding"),
}
"""What whole tonnes are held to that are said to be real."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    for name, command in RUNS.items():
        main([*command, "--out", str(folder / name), "--json"])
    return folder


@pytest.fixture
def copy_of(runs: Path, tmp_path: Path) -> Callable[[str], Path]:
    return lambda name: Path(shutil.copytree(runs / name, tmp_path / name))


def change(run: Path, **claims: Any) -> None:
    path = run / "result.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    for key, value in claims.items():
        content[key] = value(content[key]) if callable(value) else value
    path.write_text(json.dumps(content), encoding="utf-8")


def claimed(run: Path, capsys: pytest.CaptureFixture[str]) -> set[tuple[str, str]]:
    """Rule and place of everything that is refused; the terminal shows the same and both exit with five."""
    capsys.readouterr()
    code, content = run_json(capsys, "check", str(run))
    assert code == 5
    assert content["certified"] is False
    assert main(["check", str(run)]) == 5
    out = capsys.readouterr().out
    assert "The checker refuses the result" in out
    assert "Every statement holds" not in out
    assert "recomputed.\n" not in out
    return {(item["rule"], item["where"]) for item in content["violations"]}


@pytest.mark.everyday("rounded")
@pytest.mark.parametrize("name", RUNS)
def test_what_is_claimed_truly_is_accepted(runs: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, content = run_json(capsys, "check", str(runs / name))
    assert (code, content["violations"]) == (0, [])
    assert content["certified"] is True
    assert content["checked"] is True


def of_level(part: str, value: Any) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]]:
    return lambda levels: [{**levels[0], part: value}, *levels[1:]]


@pytest.mark.parametrize(
    ("name", "claims", "refused"),
    [
        ("optimal", {"status": "feasible"}, {("claim", "status")}),
        ("optimal", {"certified": False}, {("claim", "certified")}),
        ("optimal", {"termination": "infeasible"}, {("claim", "termination")}),
        ("optimal", {"infeasible_by_t": 5.0}, {("claim", "infeasible_by_t")}),
        ("optimal", {"levels": []}, NOT_PROVEN),
        (
            "optimal",
            {"levels": lambda levels: levels[:2]},
            {*NOT_PROVEN, ("prices_are_stated", "least_squares"), OF_NO_LEVEL},
        ),
        ("optimal", {"levels": of_level("value", 9000.0)}, {*NOT_PROVEN, ("level_is_kept", "change")}),
        ("optimal", {"levels": of_level("bound", 9100.0)}, {("claim", "change, bound")}),
        ("optimal", {"levels": of_level("bound", None)}, {("claim", "change, bound"), ("claim", "change, gap")}),
        ("optimal", {"levels": of_level("gap", 100.0)}, {("claim", "change, gap")}),
        ("optimal", {"levels": of_level("certified", False)}, {("claim", "change, certified")}),
        ("optimal", {"levels": of_level("unit", "kg")}, {("claim", "change, unit")}),
        ("optimal", {"prices": []}, {("claim", "prices")}),
        ("optimal", {"prices": lambda prices: [{**prices[0], "price": 7.0}, *prices[1:]]}, {("claim", "prices")}),
        ("rounded", {"status": "certified_optimal"}, {("claim", "status")}),
        ("rounded", {"rounded_by_t": 5.0}, {("claim", "rounded_by_t")}),
        ("rounded", {"levels": lambda levels: levels[:-1]}, {*NOT_PROVEN, *NOT_ROUNDED}),
        ("optimal", {"rounded_by_t": 0.5}, {("claim", "rounded_by_t")}),
        ("infeasible", {"status": "infeasible_unproven"}, {("claim", "status")}),
        ("infeasible", {"certified": False}, {("claim", "certified")}),
        ("infeasible", {"termination": "optimal"}, {("claim", "termination")}),
        ("infeasible", {"infeasible_by_t": 2e6}, {("claim", "infeasible_by_t")}),
        ("infeasible", {"infeasible_by_t": None}, {("claim", "infeasible_by_t")}),
        ("infeasible", {"levels": of_level("bound", 0.0)}, {("claim", "target_relaxation, bound")}),
        (
            "infeasible",
            {"levels": of_level("value", 2e6)},
            {
                ("claim", "target_relaxation, gap"),
                ("claim", "target_relaxation, certified"),
                ("level_is_kept", "target_relaxation"),
            },
        ),
        ("calculated", {"status": "feasible"}, {("claim", "status")}),
        ("calculated", {"status": "certified_optimal"}, {("claim", "status")}),
        ("optimal", {"policy": lambda policy: {**policy, "year": 1999}}, {("claim", "policy")}),
        ("optimal", {"own_parameters": [OWN_PARAMETER]}, {("claim", "own_parameters")}),
        ("optimal", {"instance_hash": "0" * 64}, {("claim", "instance_hash")}),
        ("optimal", {"violations": [{"rule": "sector_target", "where": "cement"}]}, {("claim", "violations")}),
    ],
)
def test_a_claim_that_does_not_hold_is_refused(
    copy_of: Callable[[str], Path],
    name: str,
    claims: dict[str, Any],
    refused: set[tuple[str, str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = copy_of(name)
    change(run, **claims)
    assert claimed(run, capsys) == refused


def test_infeasibility_without_its_proof_is_refused(
    copy_of: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    run = copy_of("infeasible")
    duals = run / "tables" / "duals.csv"
    duals.write_text(duals.read_text(encoding="utf-8").split("\n")[0] + "\n", encoding="utf-8")
    assert {("claim", "status"), ("claim", "infeasible_by_t")} <= claimed(run, capsys)
    # What claims no more than the solver's word is honest.
    change(run, status="infeasible_unproven", certified=False, infeasible_by_t=None, prices=[], levels=[])
    code, content = run_json(capsys, "check", str(run))
    assert (code, content["certified"], content["violations"]) == (0, False, [])
    change(run, infeasible_by_t=5.0)
    assert claimed(run, capsys) == {("claim", "infeasible_by_t")}


def test_what_answers_may_miss_proves_no_infeasibility_and_none_is_stated() -> None:
    instance = etsopt.read("eu-2019")
    results = etsopt.solve(instance)
    report = replace(etsopt.check(instance, results), tolerated=True)
    unproven = replace(results, status="infeasible_unproven", certified=False, infeasible_by_t=None, levels=())
    assert report.infeasible_by_t is not None
    assert report.infeasible_by_t > 1e6
    assert check_claims(instance, unproven, report) == []
    stated = check_claims(instance, replace(unproven, infeasible_by_t=report.infeasible_by_t), report)
    assert [violation.where for violation in stated] == ["infeasible_by_t"]


@pytest.mark.parametrize("names", [["allocation"], ["duals"], ["allocation", "duals", "sectors"]])
def test_an_optimum_without_its_tables_is_refused(
    copy_of: Callable[[str], Path], names: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    run = copy_of("optimal")
    for name in names:
        (run / "tables" / f"{name}.csv").unlink()
    lost = {("tables", f"tables/{name}") for name in names}
    assert {("claim", "status"), *lost} <= claimed(run, capsys)


def test_a_table_that_is_listed_and_not_there_is_named_though_every_claim_holds(
    copy_of: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    run = copy_of("infeasible")
    (run / "tables" / "relaxed_limits.csv").unlink()
    assert claimed(run, capsys) == {("tables", "tables/relaxed_limits"), ("tables", "relaxed_limits"), *NOT_PROVEN}


def test_an_optimum_without_any_table_is_refused(
    copy_of: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("optimal", "infeasible"):
        run = copy_of(name)
        shutil.rmtree(run / "tables")
        assert ("claim", "status") in claimed(run, capsys)


def test_a_run_of_the_users_own_model_is_checked_with_its_file_alone_and_claims_no_theorem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, run = tmp_path / "mine.py", tmp_path / "run"
    path.write_text(USER_MODEL, encoding="utf-8")
    assert main(["solve", "tiny", "--model", str(path), "--out", str(run)]) == 0
    capsys.readouterr()
    code, content = run_json(capsys, "check", str(run))
    assert (code, content["certified"], content["checked"], content["violations"]) == (6, False, False, [])
    assert main(["check", str(run)]) == 6
    assert "Nothing was checked: a check runs no file that a run names." in capsys.readouterr().out
    change(run, status="certified_optimal", certified=True)
    assert claimed(run, capsys) == {("claim", "status")}


def test_a_run_that_was_stopped_claims_no_more_than_it_holds(
    copy_of: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = copy_of("optimal")
    change(run, termination="time_limit", status="feasible", certified=False)
    code, content = run_json(capsys, "check", str(run))
    assert (code, content["certified"], content["violations"]) == (0, False, [])
    shutil.rmtree(run / "tables")
    change(run, status="none", levels=[], prices=[], tables={})
    assert main(["check", str(run)]) == 0
    assert "The run has no result: there is nothing to check.\n" in capsys.readouterr().out


def test_a_gap_of_infinite_terms_that_cancel_proves_nothing_and_is_stated_as_such() -> None:
    # As NaN it differed from itself, and an honest run broke its own claim.
    level = LevelCheck("least_squares", "t", 1.0, math.nan, math.nan, 0.02)
    assert (level.bound, level.gap, level.certified) == (-math.inf, math.inf, False)


def test_a_reader_asks_for_a_theorem_and_a_run_does_not_choose_another(
    runs: Path, copy_of: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_json(capsys, "check", str(runs / "optimal"), "--as", "allocation")[0] == 0
    for name, model in (("optimal", "clearing"), ("optimal", "balance_value"), ("calculated", "allocation")):
        code, content = run_json(capsys, "check", str(runs / name), "--as", model)
        assert (code, content["theorem"], content["certified"]) == (5, model, False)
    renamed = copy_of("optimal")
    change(renamed, model="balance_value", status="calculated", levels=[])
    assert ("tables", "duals") in claimed(renamed, capsys)
    # A model of one's own claims no theorem, and states no coverage; its tables may have that of an allocation.
    own = tmp_path / "own"
    shutil.copytree(runs / "optimal", own)
    change(own, model="mine.py", status="feasible", certified=False)
    assert main(["check", str(own)]) == 5
    change(own, coverage=None)
    assert main(["check", str(own)]) == 6
    assert main(["check", str(own), "--as", "allocation"]) == 0
    change(own, levels=[])
    assert main(["check", str(own), "--as", "allocation"]) == 4


def test_a_check_names_the_theorem_its_gap_and_what_is_not_checked(
    copy_of: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    run = copy_of("optimal")
    change(run, assumed={"policy": ["invented"]}, method="decomposition")
    (run / "tables" / "final.csv").write_text("unit_id,allowance_t\nnorth-1,9\n", encoding="utf-8")
    capsys.readouterr()
    assert main(["check", str(run)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "Theorem of allocation: certified optimal. The largest relative gap is " in out
    named = out.partition("is not checked: ")[2]
    assert {"method,", "assumed,", "tables/final.csv."} <= set(named.split())
    code, content = run_json(capsys, "check", str(run))
    assert (code, content["status"], content["largest_gap"] < 1e-9) == (0, "certified_optimal", True)
    assert {"method", "assumed", "tables/final.csv"} <= set(content["not_checked"])


def test_a_check_names_the_instance_of_which_it_proves_something(
    copy_of: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    run, tiny = copy_of("optimal"), etsopt.read("tiny")
    _code, content = run_json(capsys, "check", str(run))
    assert content["instance"] == {"name": "tiny", "year": 2025, "hash": tiny.hash, "shipped": True}
    assert "instance" not in content["not_checked"]
    assert main(["check", str(run)]) == 0
    assert f"Instance: tiny as it is shipped, SHA-256 {tiny.hash[:16]}…." in capsys.readouterr().out
    # Another name than that of a shipped instance with these cells is the run's own word, and none of a headline.
    for name in ("Approved by the ministry", "eu-2019"):
        change(run, instance=name)
        _code, content = run_json(capsys, "check", str(run))
        assert content["instance"] == {"name": "optimal", "year": 2025, "hash": tiny.hash, "shipped": False}
        assert "instance" in content["not_checked"]
        assert main(["check", str(run)]) == 0
        out = capsys.readouterr().out
        assert name not in out
        assert out.startswith("optimal · allocation")


def test_a_run_of_another_instance_is_refused_in_every_word(
    copy_of: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    run = copy_of("optimal")
    change(run, instance_hash="0" * 64)
    code, content = run_json(capsys, "check", str(run))
    assert (code, content["status"], content["certified"]) == (5, "refused", False)
    assert main(["check", str(run)]) == 5
    out = capsys.readouterr().out
    assert "refused by the checker" in out
    assert "certified optimal" not in out
    assert main(["report", str(run)]) == 5
    assert etsopt.check(etsopt.read("tiny"), etsopt.load(run)).status == "refused"
    change(run, model="mine.py", status="feasible", certified=False, coverage=None)
    assert main(["check", str(run), "--as", "allocation"]) == 5
    assert main(["report", str(run)]) == 5


def test_columns_and_words_that_no_statement_covers_are_named(
    copy_of: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    run = copy_of("optimal")
    path = run / "tables" / "sectors.csv"
    header, *rows = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([f"{header},x_approved", *(f"{row},yes" for row in rows)]) + "\n", encoding="utf-8")
    change(run, levels=of_level("algorithm", "signed by the ministry"))
    code, content = run_json(capsys, "check", str(run))
    assert code == 0
    assert {"sectors.x_approved", "levels: algorithm"} <= {*content["not_checked"]}
    capsys.readouterr()
    assert main(["check", str(run)]) == 0
    assert "sectors.x_approved" in capsys.readouterr().out


@pytest.mark.parametrize("gap", ["nan", "inf", "-1", "1", "1e9"])
def test_a_gap_that_is_no_fraction_is_refused(
    copy_of: Callable[[str], Path], gap: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = copy_of("optimal")
    assert main(["check", str(run), f"--gap={gap}"]) == 2
    assert "expected a fraction from 0 up to 1" in capsys.readouterr().err
    with pytest.raises(UsageError, match="expected a fraction"):
        etsopt.check(etsopt.read("tiny"), etsopt.load(run), gap=float(gap))
    with pytest.raises(UsageError, match="expected a number"):
        etsopt.check(etsopt.read("tiny"), etsopt.load(run), gap="0.5")  # type: ignore[arg-type]


def test_the_gap_that_counts_is_the_readers() -> None:
    instance, true = forging.instance_of("exceptions"), forging.honest_of("exceptions")
    tables = forging.with_prices(forging.others("exceptions")[0].tables, true.tables)
    tables["duals"] = true.tables["duals"]
    words = true.provenance.model_copy(update={"options": Options(gap=0.999)})
    forged = forging.agreeing(instance, replace(true, tables=tables, provenance=words))
    assert forged.status == "certified_gap"
    assert etsopt.check(instance, forged, gap=0.999).status == "certified_gap"
    assert etsopt.check(instance, forged).status == "refused"
    assert etsopt.check(instance, true, gap=0.0).status == "certified_optimal"
