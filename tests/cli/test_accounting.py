"""The commands account and inclusion: output, files, languages and errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from etsopt.accounting import write_example
from etsopt.cli import main


@pytest.fixture
def plants(tmp_path: Path) -> Path:
    return write_example(tmp_path / "plants", units=6, months=12, seed=1)


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = main([*arguments, "--json"])
    captured = capsys.readouterr()
    assert captured.err == ""
    return code, json.loads(captured.out)


def test_accounts_are_printed_within_80_columns(plants: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["account", str(plants)]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "1,008 rows of 6 units, 2025-01 to 2025-12" in captured.out
    for word in ("U1", "aluminium", "intensity", "CF4", "confidence C", "cement.fuels.*"):
        assert word in captured.out
    assert all(len(line) <= 80 for line in captured.out.splitlines())


def test_json_has_units_processes_and_uncertain_factors(plants: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, content = run_json(capsys, "account", str(plants))
    assert code == 0
    assert len(content["units"]) == 6
    assert {row["confidence"] for row in content["factors"]} == {"B", "C"}
    total = sum(row["emissions_tco2e"] for row in content["annual"])
    assert sum(row["emissions_tco2e"] for row in content["units"]) == pytest.approx(total, abs=1e-3)
    # An absent rate is null.
    assert {row["carbide_slag_rate"] is None for row in content["units"]} == {True, False}


def test_tables_are_written_as_they_are_computed(plants: Path, tmp_path: Path) -> None:
    out = tmp_path / "accounts"
    assert main(["account", str(plants), "--out", str(out)]) == 0
    names = {path.name for path in out.iterdir() if not path.name.startswith(".")}
    assert names == {
        *("annual.csv", "factors.csv", "fuels.csv", "lines.csv", "monthly.csv", "trail.csv", "unit_months.csv"),
        *("unit_years.csv", "units.csv"),
    }
    annual, years = (pd.read_csv(out / f"{name}.csv") for name in ("annual", "unit_years"))
    assert annual["emissions_tco2e"].sum() == pytest.approx(years["emissions_tco2e"].sum())
    before = (out / "units.csv").read_bytes()
    assert main(["account", str(plants), "--out", str(out), "--lang", "zh"]) == 0
    assert (out / "units.csv").read_bytes() == before
    assert (out / "monthly.csv").read_text(encoding="utf-8-sig").startswith("单元编号,月份,行业,工序,温室气体,")


def test_input_is_never_written_over(plants: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["account", str(plants), "--out", str(plants)]) == 2
    assert "holds register.csv" in capsys.readouterr().err
    assert not (plants / "units.csv").exists()


def test_factors_are_listed_and_replaced(plants: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["account", "--factors"]) == 0
    out = capsys.readouterr().out
    assert "aluminium.default_tco2e_per_t" in out
    assert "CETS-AG-03.01-V01-2024" in out
    (plants / "accounting.toml").write_text("[accounting]\ncement.deduct = false\n", encoding="utf-8")
    code, factors = run_json(capsys, "account", str(plants), "--factors", "--set", "aluminium.anode_effect=mass")
    assert code == 0
    stated = {row["factor"]: row["value"] for row in factors if row["confidence"] == "stated"}
    assert stated == {"cement.deduct": "false", "aluminium.anode_effect": "mass"}
    assert main(["account", str(plants), "--set", "aluminium.anode_effect=mass", "--lang", "zh"]) == 0
    assert "由用户设定" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "No folder is named."),
        (["nowhere"], "There is no folder 'nowhere'"),
        (["{plants}", "--set", "gwp=1"], "parameters, gwp: is not an accounting parameter"),
        (["{plants}", "--set", "gwp"], "is not KEY=VALUE"),
    ],
)
def test_a_wrong_call_is_refused(
    plants: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(["account", *(text.format(plants=plants) for text in arguments)]) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert "Traceback" not in captured.err


def test_bad_rows_are_an_error_in_two_parts(plants: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = plants / "reports" / "2025.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",coke,", ",cokes,", 1), encoding="utf-8")
    assert main(["account", str(plants)]) == 2
    error = capsys.readouterr().err
    assert "The folder of reports 'plants' has a problem." in error
    assert "reports/2025.csv, item: 1 item is not known: row " in error
    assert "Did you mean 'coke'?" in error
    code, content = run_json(capsys, "account", str(plants))
    assert code == 2
    assert content["problems"][0]["cells"][0][1] == "cokes"


def test_the_list_of_a_year_is_printed_and_explained(plants: Path, capsys: pytest.CaptureFixture[str]) -> None:
    register = pd.read_csv(plants / "register.csv", dtype=str)
    more = pd.DataFrame(
        [
            ("X1", "EX", "Small", "cement", "Anhui", "portland_clinker", "25500"),
            ("X2", "EY", "Arc", "steel", "Hebei", "short_process", "900000"),
            ("X3", "EZ", "Aluminate", "cement", "Hebei", "other_clinker", "40000"),
        ],
        columns=[*register.columns, "direct_emissions_tco2e"],
    )
    pd.concat([register, more]).to_csv(plants / "register.csv", index=False)
    assert main(["inclusion", str(plants)]) == 0
    out = capsys.readouterr().out
    assert "List of 2027: emissions of 2025, at least 26,000 tCO2e a year" in out
    for words in ("Within 5% of the line", "below threshold", "activity not in scope", "2026 scope"):
        assert words in out
    code, content = run_json(capsys, "inclusion", str(plants), "--year", "2026")
    assert code == 0
    reasons = {row["entity_id"]: row["reason"] for row in content["entities"]}
    assert (reasons["EX"], reasons["EY"], reasons["EZ"]) == (
        "below threshold",
        "activity not in scope",
        "activity not in scope",
    )
    assert main(["inclusion", str(plants), "--lang", "zh"]) == 0
    assert "低于纳入门槛" in capsys.readouterr().out


def test_long_lists_are_cut_and_short_years_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_example(tmp_path / "many", units=30, months=13, seed=2)
    register = pd.read_csv(folder / "register.csv", dtype=str)
    arcs = register.iloc[:25].assign(sector="steel", activity="short_process", direct_emissions_tco2e="30000")
    arcs = arcs.assign(unit_id="X" + arcs["unit_id"], enterprise_id="X" + arcs["enterprise_id"])
    pd.concat([register, arcs]).to_csv(folder / "register.csv", index=False)
    for language, cut, short, of_units in (
        ("en", "6 more rows.", "30 entities have fewer than 12 months", "30 years of units have fewer than 12 months."),
        ("zh", "另有 6 行未显示。", "30 家报告不足 12 个月", "30 个单元年度报告不足 12 个月。"),
    ):
        assert main(["inclusion", str(folder), "--lang", language]) == 0
        out = capsys.readouterr().out
        assert cut in out
        assert short in out
        assert main(["account", str(folder), "--lang", language]) == 0
        out = capsys.readouterr().out
        assert of_units in out
        # Of 30 units in two years a screen has the first ten.
        assert ("U01" in out, "U10" in out, "U11" in out) == (True, True, False)
        assert {"en": "40 more rows.", "zh": "另有 40 行未显示。"}[language] in out


def test_the_list_of_an_instance_and_of_a_register_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, content = run_json(capsys, "inclusion", "cn-2025")
    assert (code, content["year"], content["emissions_year"], content["activities_assumed"]) == (0, 2027, 2025, True)
    assert main(["inclusion", "tiny", "--lang", "zh"]) == 0
    assert "算例未登记生产类型" in capsys.readouterr().out
    text = (
        "unit_id,enterprise_id,sector,province,activity,direct_emissions_tco2e\nC1,E,cement,Hebei,portland_clinker,\n"
    )
    (tmp_path / "register.csv").write_text(text, encoding="utf-8")
    assert main(["inclusion", str(tmp_path)]) == 2
    assert "--year" in capsys.readouterr().err
    assert main(["inclusion", str(tmp_path), "--year", "2027"]) == 0
    assert "emissions unknown" in capsys.readouterr().out
