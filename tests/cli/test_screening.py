"""The command screen: output, files, languages, rules and errors."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from etsopt import accounting
from etsopt.accounting.screening import RULES
from etsopt.cli import main

NAME = "cn-2025-reports"
OWN_RULE = '''
from etsopt.accounting.screening import rule

@rule("no_evidence", "logic", "an example")
def no_evidence(data):
    """A row names no evidence."""
    rows = data.rows[data.rows["evidence"] == "ledger"].head(2)
    return rows.assign(size_t=0.0, reason="only a ledger")
'''


@pytest.mark.everyday("zh")
@pytest.mark.parametrize("language", ["en", "zh"])
def test_findings_are_printed_within_80_columns(capsys: pytest.CaptureFixture[str], language: str) -> None:
    assert main(["screen", NAME, "--lang", language]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    for word in ("477", "missing_month", "R33", "copied_unit", "tCO2e"):
        assert word in captured.out
    heading, finding = {"en": ("Likely causes", "Findings"), "zh": ("可能的原因", "审核问题")}[language]
    assert captured.out.index(heading) < captured.out.index(f"\n{finding}\n")
    assert ("关联" in captured.out) == (language == "zh")
    assert all(len(line) <= 80 for line in captured.out.splitlines())


def test_json_has_findings_and_rules(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["screen", NAME, "--json", "--set", "late_month.days=400"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["unit_months"] == 477
    names = {row["rule"] for row in content["findings"]}
    assert "missing_month" in names
    assert "late_month" not in names
    assert sum(row["findings"] for row in content["rules"]) == len(content["findings"])
    cause = next(row for row in content["causes"] if row["unit_id"] == "R22")
    assert (cause["flow"], cause["cause"], cause["factor"]) == ("test", "factor_10", 10.0)
    assert "decimal point" in cause["reason"]
    assert "小数点" in cause["reason_zh"]


@pytest.mark.nightly
def test_tables_are_written(tmp_path: Path) -> None:
    out = tmp_path / "findings"
    assert main(["screen", NAME, "--out", str(out)]) == 0
    assert {path.name for path in out.glob("*.csv")} == {
        *("causes.csv", "findings.csv", "flagged_months.csv", "rules.csv")
    }
    table = pd.read_csv(out / "findings.csv")
    assert [*table] == ["rule", "kind", "unit_id", "month", "item", "size_t", "reason", "reason_zh"]
    assert table["size_t"].is_monotonic_decreasing
    assert main(["screen", NAME, "--out", str(out), "--lang", "zh"]) == 0
    first = (out / "findings.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    causes = pd.read_csv(out / "causes.csv")
    assert "发热量单位有误" not in set(causes["原因"])
    assert {"缺少月份", "相差10倍"} <= set(causes["原因"])
    assert first == "规则,检查类型,单元编号,月份,燃料、物料或产品,涉及排放量（tCO2e）,理由"


def test_a_rule_of_a_file_joins_those_of_the_package(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "own.py"
    path.write_text(OWN_RULE, encoding="utf-8")
    try:
        assert main(["screen", NAME, "--rule", str(path), "--json"]) == 0
    finally:
        RULES.pop("no_evidence", None)
    content = json.loads(capsys.readouterr().out)
    assert [row["reason"] for row in content["findings"] if row["rule"] == "no_evidence"] == ["only a ledger"] * 2


def test_rules_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["screen", "--rules", "--set", "late_month.days=45"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in RULES)
    assert "days=45" in out
    assert main(["screen", "--rules", "--json"]) == 0
    assert [row["rule"] for row in json.loads(capsys.readouterr().out)] == [*RULES]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["screen"], "No folder is named."),
        (["screen", "nowhere"], "cn-2025-reports"),
        (["screen", NAME, "--set", "late.days=45"], "There is no rule of screening 'late'."),
        (["screen", NAME, "--rule", "nowhere.py"], "There is no rule file 'nowhere.py'."),
    ],
)
def test_a_wrong_call_is_refused(capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert "Traceback" not in captured.err


def test_a_folder_with_a_calorific_value_in_kcal_is_screened_and_not_accounted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "plants"
    accounting.write_example(folder, units=3, months=12, seed=1)
    path = folder / "reports" / "2025.csv"
    rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    place = rows.index[rows["flow"] == "test"][0]
    rows.loc[place, "ncv_gj_per_unit"] = "5551.4"
    rows.to_csv(path, index=False)
    assert main(["screen", str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    (own,) = (one for one in found["findings"] if one["rule"] == "calorific_range")
    assert own["reason"].startswith(
        f"reports/2025.csv, row {place + 2}: a calorific value of 5551.4 looks like kcal/kg;"
    )
    assert found["unit_months"] == 36
    assert main(["account", str(folder)]) == 2
    assert "It looks like kcal/kg: 5551.4 divided by 238.85 is 23.242 GJ/t." in capsys.readouterr().err
