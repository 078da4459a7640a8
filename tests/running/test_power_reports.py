"""Monthly reports of power units on their way to an allocation: register, workbook, factors, stocks and the gate."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import etsopt
from etsopt import accounting
from etsopt.accounting.monthly.tables import is_monthly
from etsopt.accounting.monthly.workbook import write_monthly_workbook
from etsopt.accounting.reported import other_units
from etsopt.cli import main
from etsopt.common.errors import AssumedWarning, DataError, DoubtWarning, UsageError
from etsopt.common.language import speaking

if TYPE_CHECKING:
    from pathlib import Path

MONTHS = [f"2025-{month:02d}" for month in range(1, 13)]
REGISTER = pd.DataFrame(
    {
        "unit_id": ["P1"],
        "enterprise_id": ["91340600MA0000003X"],
        "enterprise_name": ["North Power"],
        "sector": ["power"],
        "province": ["Anhui"],
        "activity": ["grid_power"],
        "unit_class": ["I"],
        "capacity_mw": [600.0],
        "load_factor": [0.72],
    }
)
TOML = "[accounting]\npower.fuels.diesel.carbon_tc_per_gj = 0.0202\npower.oxidation_to_2025.oil = 0.98\n"
DIESEL = ["power.fuels.diesel.carbon_tc_per_gj=0.0202", "power.oxidation_to_2025.oil=0.98"]


def rows(months: list[str], *of_month: tuple[object, ...]) -> pd.DataFrame:
    columns = ["unit_id", "month", "process", "item", "flow", "quantity", "unit", "ncv_gj_per_unit"]
    return pd.DataFrame([("P1", month, "generation", *one) for month in months for one in of_month], columns=columns)


BURNT = ("bituminous", "in", 100_000.0, "t", None)
MADE = ("electricity", "product", 220_000.0, "MWh", None)
OIL = ("diesel", "in", 10.0, "t", 42.652)


def book(path: Path, *extra: tuple[object, ...], months: list[str] | None = None) -> Path:
    """A workbook of a power unit whose tests state calorific value and carbon content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    known = MONTHS if months is None else months
    tests = pd.DataFrame({"unit_id": "P1", "month": known, "process": "generation", "item": "bituminous"})
    tests = tests.assign(test=100_000.0, unit="t", ncv_gj_per_unit=20.112, x_carbon_tc_per_t=0.5196)
    stocks = tests[["unit_id", "month", "process", "item"]].assign(x_opening_t=7.0, purchase=100_000.0, stock=7.0)
    filled = {"register": REGISTER, "activity": rows(known, BURNT, MADE, *extra), "tests": tests, "stock": stocks}
    write_monthly_workbook(path, in_chinese=True, filled=filled)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An instance of the workbook and a policy alone."""
    book(tmp_path / "plant" / "reports" / "2025.xlsx")
    (tmp_path / "plant" / "policy.toml").write_text('year = 2025\n[rule]\nname = "cn"\n', encoding="utf-8")
    return tmp_path / "plant"


def test_carbon_of_the_sheet_of_tests_counts_as_measured_carbon_does(folder: Path) -> None:
    reports = accounting.read_reports(folder)
    found = accounting.account(reports)
    # 100,000 x 0.5196 x 0.99 x 44/12 each month.
    assert found.unit_months["emissions_tco2e"].tolist() == [188_614.8] * 12
    assert set(found.lines.loc[found.lines["item"] == "bituminous", "formula"]) >= {"power, measured carbon"}
    assert set(found.trail.loc[found.trail["role"] == "carbon", "file"]) == {"reports/2025.xlsx, sheet 检测"}
    # A row of the flow carbon takes precedence: 0.5 in January.
    both = pd.concat([reports.rows, rows(MONTHS[:1], ("bituminous", "carbon", 0.5, "tC/t", None))], ignore_index=True)
    first = accounting.account(accounting.Reports.from_frames(reports.register, both.drop(columns=["file", "line"])))
    assert first.unit_months["emissions_tco2e"].iloc[0] == 181_500.0


@pytest.mark.parametrize(
    ("carbon", "what"), [(51.96, "carbon content is not possible"), (None, "test has no carbon content")]
)
def test_carbon_of_a_test_is_possible_and_stated_for_every_batch(carbon: float | None, what: str) -> None:
    tests = rows(MONTHS[:1], *[("bituminous", "test", 1.0, "t", 20.0)] * 2).assign(batch=["a", "b"])
    tests["x_carbon_tc_per_t"] = [0.5, carbon]
    with pytest.raises(DataError, match=what):
        accounting.Reports.from_frames(REGISTER, tests)


def test_the_register_states_what_the_rule_of_power_needs(folder: Path) -> None:
    instance = etsopt.read(folder)
    (unit,) = instance.units.to_dict("records")
    assert (unit["unit_class"], unit["load_factor"], unit["capacity_mw"]) == ("I", 0.72, 600.0)
    assert instance.enterprises is not None
    assert instance.enterprises[["enterprise_id", "name"]].to_numpy().tolist() == [
        ["91340600MA0000003X", "North Power"]
    ]
    allowance = etsopt.solve(instance).tables["allocation"]["allowance_t"].item()
    stated = instance.units.assign(enterprise_id="E").drop(columns=["reports_sha256"])
    alone = etsopt.Instance.from_frames(stated, {"year": 2025, "rule": {"name": "cn"}})
    assert allowance == etsopt.solve(alone).tables["allocation"]["allowance_t"].item() > 0


def test_an_enterprise_without_a_name_keeps_its_code_beside_others_that_have_one(folder: Path) -> None:
    other = pd.DataFrame({"unit_id": ["K1"], "enterprise_id": ["EK"], "sector": ["cement"], "province": ["Anhui"]})
    other.assign(emissions_tco2e=831_500.0, output_t=1_000_000.0).to_csv(folder / "units.csv", index=False)
    enterprises = etsopt.read(folder).enterprises
    assert enterprises is not None
    assert dict(enterprises[["enterprise_id", "name"]].to_numpy()) == {"EK": "", "91340600MA0000003X": "North Power"}


def test_units_csv_of_the_accounts_may_lie_beside_the_reports(folder: Path) -> None:
    units = accounting.units_of(accounting.account(accounting.read_reports(folder)))
    units.to_csv(folder / "units.csv", index=False)
    instance = etsopt.read(folder)
    assert instance.units["emissions_status"].tolist() == ["accounted"]
    units.assign(emissions_tco2e=5.0).to_csv(folder / "units.csv", index=False)
    with pytest.raises(DataError, match=r"states other figures than its monthly reports \(emissions_tco2e\)"):
        etsopt.read(folder)
    # The register leaves the special case open, which units.csv states.
    units[["unit_id"]].assign(special_case="new").to_csv(folder / "units.csv", index=False)
    assert etsopt.read(folder).units["special_case"].tolist() == ["new"]
    units[["unit_id"]].assign(unit_class="II").to_csv(folder / "units.csv", index=False)
    with pytest.raises(DataError, match=r"states other figures than its monthly reports \(unit_class\)"):
        etsopt.read(folder)


def test_reports_without_a_register_beside_units_are_not_passed_over(folder: Path) -> None:
    units = accounting.units_of(accounting.account(accounting.read_reports(folder)))
    units.to_csv(folder / "units.csv", index=False)
    (folder / "reports" / "2025.xlsx").unlink()
    rows(MONTHS, BURNT, MADE).to_csv(folder / "reports" / "2025.csv", index=False)
    with pytest.raises(DataError, match=r"register.csv: the file is missing"):
        etsopt.read(folder)


def test_months_without_a_report_are_named_before_the_allocation(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book(folder / "reports" / "2025.xlsx", months=[month for month in MONTHS if month != "2025-11"])
    with pytest.warns(DoubtWarning, match=r"Months without a report.*: P1 \(2025-11\)"):
        instance = etsopt.read(folder)
    assert instance.units["missing_months"].tolist() == ["2025-11"]
    assert main(["solve", str(folder), "--strict"]) == 2
    assert "P1 (2025-11)" in capsys.readouterr().err
    assert main(["solve", str(folder)]) == 0
    assert "P1 (2025-11)" in capsys.readouterr().out
    # A unit that is new has months without a report.
    pd.DataFrame({"unit_id": ["P1"], "special_case": ["new"]}).to_csv(folder / "units.csv", index=False)
    with pytest.warns(DoubtWarning):
        assert etsopt.read(folder).units["missing_months"].tolist() == ["2025-11"]


@pytest.mark.filterwarnings("ignore:reports. Months with open findings:etsopt.DoubtWarning")
def test_a_new_unit_of_the_register_misses_no_month(tmp_path: Path) -> None:
    register = REGISTER.assign(special_case="new")
    tests = ("bituminous", "carbon", 0.5196, "tC/t", None)
    place = tmp_path / "new"
    (place / "reports").mkdir(parents=True)
    register.to_csv(place / "register.csv", index=False)
    rows(MONTHS[6:], BURNT, MADE, tests).to_csv(place / "reports" / "2025.csv", index=False)
    (place / "policy.toml").write_text('year = 2025\n[rule]\nname = "cn"\n', encoding="utf-8")
    assert "missing_months" not in etsopt.read(place).units


def test_factors_beside_a_workbook_are_read_and_told(tmp_path: Path) -> None:
    path = book(tmp_path / "2025.xlsx", OIL)
    with pytest.raises(DataError) as refused:
        accounting.account(accounting.read_reports(path))
    with speaking("zh"):
        text = str(refused.value)
    assert "2025.xlsx，工作表“月度数据”" in text
    assert "方向为“元素碳含量”" in text
    assert "2025-01 柴油" in text
    (tmp_path / "accounting.toml").write_text(TOML, encoding="utf-8")
    with pytest.warns(AssumedWarning, match=r"2025.xlsx: accounting.toml, which lies beside it"):
        source = accounting.read_source(path)
    assert source.parameters["power.oxidation_to_2025.oil"] == 0.98
    assert len(accounting.account(source.reports, source.parameters).unit_years) == 1


def test_factors_may_be_set_where_reports_are_screened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(book(tmp_path / "2025.xlsx", OIL))
    sets = [text for key in DIESEL for text in ("--set", key)]
    assert main(["screen", path, *sets, "--set", "late_month.days=45"]) == 0
    capsys.readouterr()
    assert main(["screen", path, *sets, "--set", "power.nothing=1"]) == 2
    assert "is not an accounting parameter" in capsys.readouterr().err


def test_screening_compares_stocks_of_power_units(folder: Path) -> None:
    found = accounting.screen(accounting.read_reports(folder)).findings
    assert "stock_balance" not in set(found["rule"])
    wrong = accounting.read_reports(folder)
    wrong.rows.loc[(wrong.rows["flow"] == "purchase") & (wrong.rows["month"] == "2025-05"), "quantity"] = 60_000.0
    found = accounting.screen(wrong).findings
    assert found.loc[found["rule"] == "stock_balance", "month"].tolist() == ["2025-05"]


def test_a_wrong_word_is_told_in_the_language_and_with_its_places(tmp_path: Path) -> None:
    path = book(tmp_path / "2025.xlsx", ("bituminous", "out", 1.0, "t", None))
    with pytest.raises(DataError) as refused:
        accounting.read_reports(path)
    with speaking("zh"):
        text = str(refused.value)
    assert "'烟煤'" in text
    assert "请改正工序或方向：烟煤应填在发电机组（输入）。" in text


def test_a_calorific_value_in_kcal_is_told_as_one() -> None:
    wrong = rows(MONTHS[:1], ("bituminous", "in", 1.0, "t", 5011.465))
    with pytest.raises(DataError, match=r"looks like kcal/kg: 5011.465 divided by 238.85 is 20.982 GJ/t"):
        accounting.Reports.from_frames(REGISTER, wrong)
    both = rows(MONTHS[:2], ("bituminous", "in", 1.0, "t", 5011.465))
    both.loc[1, "ncv_gj_per_unit"] = 20_900.0
    with pytest.raises(DataError) as refused:
        accounting.Reports.from_frames(REGISTER, both)
    told = [str(problem.advice) for problem in refused.value.problems]
    assert told[1:] == ["It looks like kJ/kg: 20900 divided by 1000 is 20.900 GJ/t."]
    assert told[0].startswith("It looks like kcal/kg")
    both.loc[1, "ncv_gj_per_unit"] = 2e6
    with pytest.raises(DataError, match="at most 1000"):
        accounting.Reports.from_frames(REGISTER, both)
    gas = rows(MONTHS[:1], ("natural_gas", "in", 1.0, "1e4 Nm3", 9_300.0))
    with pytest.raises(DataError, match=r"looks like kcal/Nm3: 9300 divided by 23.885 is 389.366 GJ/1e4 Nm3"):
        accounting.Reports.from_frames(REGISTER, gas)


def test_a_workbook_of_reports_and_a_store_are_no_instances(folder: Path, tmp_path: Path) -> None:
    path = folder / "reports" / "2025.xlsx"
    assert is_monthly(path)
    with pytest.raises(UsageError, match=r"2025.xlsx is a workbook of monthly data.*\n\n.*etsopt account 2025.xlsx"):
        etsopt.read(path)
    accounting.import_reports(tmp_path / "plants.duckdb", folder)
    with pytest.raises(UsageError, match=r"plants.duckdb is a store of monthly reports"):
        etsopt.read(tmp_path / "plants.duckdb")


def test_a_store_keeps_the_register_and_is_told_from_another(folder: Path, tmp_path: Path) -> None:
    store = tmp_path / "plants.duckdb"
    accounting.import_reports(store, folder)
    kept = accounting.read_reports(store).register
    columns = ["enterprise_name", "unit_class", "capacity_mw", "load_factor", "special_case"]
    assert kept[columns].to_numpy().tolist() == [["North Power", "I", 600.0, 0.72, ""]]
    instance = etsopt.read(folder)
    assert other_units(store, instance) == []
    shutil.copytree(folder, tmp_path / "other")
    book(tmp_path / "other" / "reports" / "2025.xlsx", ("natural_gas", "in", 0.0, "1e4 Nm3", None))
    accounting.import_reports(tmp_path / "other.duckdb", tmp_path / "other")
    assert other_units(tmp_path / "other.duckdb", instance) == ["P1"]
    assert main(["solve", str(folder), "--out", str(tmp_path / "run")]) == 0
    export = ["export", str(tmp_path / "run"), "--tables", "official", "--out", str(tmp_path / "annex"), "--store"]
    assert main([*export, str(tmp_path / "other.duckdb")]) == 2
    assert main([*export, str(store)]) == 0
    table = pd.read_csv(tmp_path / "annex" / "official-2-1.csv")
    assert table["重点排放单位名称"].tolist() == ["North Power"]


def test_steel_that_no_row_has_leave_the_enterprise_is_told() -> None:
    register = REGISTER.assign(sector="steel", activity="long_process", unit_class="", load_factor=None)
    made = rows(MONTHS[:1], ("crude_steel", "product", 100.0, "t", None), ("coke", "in", 50.0, "t", None))
    made["process"] = ["bof", "enterprise"]
    reports = accounting.Reports.from_frames(register, made)
    with pytest.warns(AssumedWarning, match=r"P1: crude steel is a product .* Its output is 0 t"):
        accounting.account(reports)
