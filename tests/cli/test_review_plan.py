"""The command ``review-plan``: from reports to a plan, in both languages, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import etsopt
from etsopt.accounting import read_reports, review_plan_instance, screen
from etsopt.accounting.chinese import HEADINGS
from etsopt.cli import main
from etsopt.common.errors import UsageError
from tests.review_plans import by_hand

DAYS = ["--days", "provincial=2", "--days", "provincial.Hebei=4", "--days", "national=4"]


def test_reports_become_a_plan_that_a_check_proves_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, tables = tmp_path / "run", tmp_path / "tables"
    written = ["--out", str(out), "--tables", str(tables)]
    command = ["review-plan", "cn-2025-reports", *DAYS, "--set", "national.drawn=2", *written]
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "cn-2025-reports · review_plan · compliance year 2025: certified optimal" in shown
    assert "at risk are covered" in shown
    assert "One more day covers about:" in shown
    assert main(["check", str(out)]) == 0
    run = etsopt.load(out)
    groups = run.tables["review_days"].set_index(["level", "province"])["available_days"]
    assert (groups[("provincial", "Hebei")], groups[("provincial", "Henan")]) == (4.0, 2.0)
    assert (run.tables["plan"]["reason"] == "drawn").sum() == 2
    capsys.readouterr()
    assert main([*command, "--lang", "zh"]) == 0
    assert "已证明最优" in capsys.readouterr().out
    plan = pd.read_csv(tables / "plan.csv", encoding="utf-8-sig")
    assert set(plan["审核级别"]) == {"市级", "省级", "国家级"}
    assert "审核覆盖的风险排放量（tCO2e）" in plan
    assert set(plan["列入理由"]) <= {"覆盖要求", "风险", "随机抽取"}
    for table in run.tables.values():
        assert set(table.columns) <= set(HEADINGS)


@pytest.mark.nightly
def test_missing_days_are_told_in_words_of_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["review-plan", "cn-2025-reports", "--days", "municipal=5"]
    assert main(command) == 3
    shown = " ".join(capsys.readouterr().out.split())
    assert "No plan of reviews exists: at least 1 reviewer days are missing." in shown
    assert (
        "Hebei municipal: 6 of 6 enterprises have to be reviewed. That takes at least 6 days with travel, and 5"
        in shown
    )
    assert main([*command, "--lang", "zh"]) == 3
    assert "河北 市级：须审核 6 家企业中的 6 家" in capsys.readouterr().out
    assert main([*command, "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["status"] == "infeasible_certified"


@pytest.mark.everyday("arguments2-is not LEVEL=DAYS")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--days", "provinc=3"], "is not LEVEL=DAYS"),
        (["--days", "national.Hebei=3"], "is not LEVEL=DAYS"),
        (["--days", "national=many"], "is not LEVEL=DAYS"),
        (["--days", "national=3", "--days", "national=4"], "are stated twice"),
        (["--days", "national=-1"], "greater than or equal to 0"),
        (["--days", "provincial.Hebei=4"], "names other provinces than those of the enterprises"),
        (["--set", "national.drwn=2"], "is not a key of the policy"),
        (["--year", "1999"], "No unit has reports of 1999"),
    ],
)
def test_what_is_wrong_is_told(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["review-plan", "cn-2025-reports", *arguments]) == 2
    assert told in " ".join(capsys.readouterr().err.split())


def test_an_instance_is_planned_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from etsopt.data.files.write import write_instance

    write_instance(by_hand(), tmp_path / "instance")
    assert main(["review-plan", str(tmp_path / "instance"), "--days", "national=0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["levels"][0]["value"] == 130.0
    # A province without a number of its own has that of the level.
    days = ["--days", "provincial=9", "--days", "provincial.Gansu=0"]
    assert main(["review-plan", str(tmp_path / "instance"), *days, "--json"]) == 0
    assert main(["review-plan", str(tmp_path / "instance"), "--year", "2025"]) == 2


def test_of_findings_in_a_month_the_largest_is_at_risk() -> None:
    found = screen(read_reports("cn-2025-reports"))
    instance = review_plan_instance(found)
    months = found.findings.groupby(["unit_id", "month"])["size_t"].max()
    assert instance.enterprises is not None
    assert instance.enterprises["at_risk_tco2e"].sum() == pytest.approx(months.sum())
    assert instance.units["emissions_tco2e"].sum() == pytest.approx(found.accounts.unit_years["emissions_tco2e"].sum())
    with pytest.raises(UsageError, match="Choose one of 2025"):
        review_plan_instance(found, year=2020)
