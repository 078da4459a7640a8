"""Power units: worked figures to the cent, required inputs refused by name, and what follows from a month."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.accounting import Reports, account, evidence_of, screen, units_of, verify
from etsopt.accounting.chinese import in_words
from etsopt.accounting.figures import FIGURES
from etsopt.accounting.vocabulary import PROCESS_WORDS
from etsopt.common.errors import DataError, UsageError
from etsopt.common.language import speaking
from etsopt.reports.letters import write_letter
from etsopt.reports.monthly_sheets import write_monthly_sheets
from tests.accounting.builders import CEMENT_MONTH, REGISTER, Row, frame

POWER = pd.DataFrame(
    [("P1", "EP", "power", "Anhui", "grid_power"), ("P2", "EP", "power", "Anhui", "grid_power")],
    columns=REGISTER.columns,
)
OXIDATION = {"power.oxidation.coal": 0.99, "power.oxidation.gas": 0.99}


def row(item: str, flow: str, quantity: float, month: str = "2026-01", unit: str = "P1", **more: object) -> Row:
    measured = {"carbon": "tC/1e4 Nm3" if item.endswith("gas") else "tC/t", "oxidation": "%"}
    return (
        unit,
        month,
        "generation",
        item,
        flow,
        quantity,
        {"unit": measured[flow]} | more if flow in measured else more,
    )


def reports(*rows: Row, register: pd.DataFrame = POWER) -> Reports:
    return Reports.from_frames(register, frame(rows))


COAL = row("bituminous", "in", 120_000, ncv_gj_per_unit=20.112)
TEST = row("bituminous", "carbon", 0.5196)
GAS = (
    row("natural_gas", "in", 4_200),
    row("natural_gas", "carbon", 5.71, batch="a"),
    row("natural_gas", "carbon", 5.79, batch="b"),
)


def test_measured_carbon_counts_to_the_cent() -> None:
    found = account(reports(COAL, TEST, row("electricity", "product", 250_000)), OXIDATION)
    # 120,000 x 0.5196 x 0.99 x 44/12; 0.5196 is 0.5640 x (100 - 9.80)/(100 - 2.10).
    assert found.unit_months["emissions_tco2e"].item() == 226_337.76
    (month,) = found.power.to_dict("records")
    assert month["fuel_heat_gj"] == 2_413_440.0
    assert (month["electricity_emissions_tco2e"], month["heat_emissions_tco2e"]) == (226_337.76, 0.0)
    assert month["electricity_tco2_per_mwh"] == 0.9054
    assert found.substitutes.empty
    assert set(found.trail["role"]) == {"quantity", "carbon"}


def test_without_a_test_a_stated_default_counts_and_is_marked() -> None:
    key = "power.fuels.bituminous.carbon_tc_per_gj"
    found = account(reports(COAL), {**OXIDATION, key: 0.03085})
    # 120,000 x 20.112 x 0.03085 x 0.99 x 44/12.
    assert found.unit_months["emissions_tco2e"].item() == 270_270.29
    (line,) = found.lines.to_dict("records")
    assert (line["confidence"], line["formula"]) == ("stated", "power, carbon by heat")
    assert key in line["factors"].split()
    assert found.factors.set_index("factor")["confidence"][key] == "stated"
    (booked,) = found.substitutes.to_dict("records")
    assert (booked["substituted"], booked["value"]) == ("carbon_by_heat", 0.03085)
    assert booked["clause"] == "CETS-VG-01.01-V02-2026, table 8"


def test_heat_and_power_of_gas_are_apart_and_add_up() -> None:
    made = (row("electricity", "product", 210_000), row("heat", "product", 174_375.60))
    found = account(reports(*GAS, *made, row("heat_supply_ratio", "product", 20)), OXIDATION)
    # 4,200 x (5.71 + 5.79)/2 x 0.99 x 44/12.
    assert found.unit_months["emissions_tco2e"].item() == 87_664.50
    (month,) = found.power.to_dict("records")
    assert (month["heat_emissions_tco2e"], month["electricity_emissions_tco2e"]) == (17_532.90, 70_131.60)
    assert (month["heat_tco2_per_gj"], month["electricity_tco2_per_mwh"]) == (0.1005, 0.3340)
    # Without the ratio nothing is said of the parts; the emissions do not depend on it.
    (unknown,) = account(reports(*GAS, *made), OXIDATION).power.to_dict("records")
    assert unknown["emissions_tco2e"] == 87_664.50
    assert np.isnan(unknown["heat_emissions_tco2e"])
    assert np.isnan(unknown["electricity_tco2_per_mwh"])


REFUSED = {
    "carbon": ([COAL], OXIDATION, {"power.fuels.bituminous.carbon_tc_per_gj"}),
    "heat": (
        [row("bituminous", "in", 1)],
        {**OXIDATION, "power.fuels.bituminous.carbon_tc_per_gj": 0.03085},
        {"power.fuels.bituminous.ncv_gj_per_unit"},
    ),
    "oxidation": ([COAL, TEST, *GAS], {}, {"power.oxidation.coal", "power.oxidation.gas"}),
    "oil": (
        [row("diesel", "in", 1, "2025-12")],
        OXIDATION,
        {"power.fuels.diesel.carbon_tc_per_gj", "power.fuels.diesel.ncv_gj_per_unit", "power.oxidation_to_2025.oil"},
    ),
    "grid": ([row("bought_electricity", "in", 5, "2025-12")], {}, {"power.bought_electricity.tco2_per_mwh"}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_default_that_nobody_read_is_refused_by_its_key(name: str) -> None:
    rows, parameters, keys = REFUSED[name]
    with pytest.raises(DataError) as caught:
        account(reports(*rows), parameters)
    told = {key for key in FIGURES if any(f"--set {key}=VALUE" in problem.advice for problem in caught.value.problems)}
    assert told == keys
    for problem in caught.value.problems:
        assert "of P1" in str(problem)
        assert "--set power." in problem.advice
        assert "What decides: " in problem.advice


def test_oxidation_is_that_of_the_year_or_of_the_boiler() -> None:
    before = account(reports(row("bituminous", "in", 100, "2025-12"), row("bituminous", "carbon", 0.5, "2025-12")))
    # 100 x 0.5 x 0.99 x 44/12, by the text before the update.
    assert before.lines["emissions_tco2e"].tolist() == [181.5]
    assert before.lines["confidence"].tolist() == ["A"]
    own = account(reports(COAL, TEST, row("bituminous", "oxidation", 98.5)))
    # 120,000 x 0.5196 x 0.985 x 44/12.
    assert own.lines["emissions_tco2e"].tolist() == [225_194.64]
    assert own.lines["confidence"].tolist() == ["stated"]
    assert "oxidation" in set(own.trail["role"])


def test_batches_weight_their_carbon_by_their_tonnes() -> None:
    found = account(
        reports(
            row("bituminous", "in", 10_000),
            row("bituminous", "test", 4_000, batch="1", ncv_gj_per_unit=20.0),
            row("bituminous", "test", 6_000, batch="2", ncv_gj_per_unit=21.0),
            row("bituminous", "carbon", 0.52, batch="1"),
            row("bituminous", "carbon", 0.50, batch="2"),
        ),
        OXIDATION,
    )
    # 10,000 x 0.508 x 0.99 x 44/12.
    assert found.lines["emissions_tco2e"].tolist() == [18_440.40]
    # A batch whose tonnes weight the content is in the trail of the figure.
    assert found.trail["role"].tolist() == ["quantity", *["carbon"] * 4]
    burnt = account(
        reports(
            row("bituminous", "in", 4_000, batch="1"),
            row("bituminous", "in", 6_000, batch="2"),
            row("bituminous", "carbon", 0.52, batch="1"),
            row("bituminous", "carbon", 0.50, batch="2"),
        ),
        OXIDATION,
    )
    assert burnt.lines["emissions_tco2e"].tolist() == [18_440.40]
    with pytest.raises(DataError, match="batch of carbon has no tonnes"):
        reports(
            row("bituminous", "in", 4_000, batch="1"), *(row("bituminous", "carbon", 0.5, batch=one) for one in "12")
        )


def test_a_batch_without_a_test_does_not_have_the_mean_of_the_others() -> None:
    tested = row("bituminous", "in", 4_000, batch="1", ncv_gj_per_unit=20.0)
    with pytest.raises(DataError, match=r"(?s)batch has no calorific value: .*table 9"):
        reports(tested, row("bituminous", "in", 10, batch="2"))
    # The test of the month stands for rows that have none.
    rows = (row("bituminous", "in", quantity, batch=str(quantity)) for quantity in (4_000, 10))
    assert len(reports(*rows, row("bituminous", "test", 5, ncv_gj_per_unit=20.0)).rows) == 3


def test_two_rates_of_a_month_are_refused() -> None:
    with pytest.raises(DataError, match="rows of a figure share a month"):
        reports(COAL, *(row("bituminous", "oxidation", 99, batch=one) for one in "ab"))


def test_biomass_emits_nothing_and_its_heat_counts() -> None:
    biomass = row("biomass", "in", 10_000, ncv_gj_per_unit=15.0)
    found = account(reports(COAL, TEST, biomass), OXIDATION)
    assert found.unit_months["emissions_tco2e"].item() == 226_337.76
    # 150,000 of 150,000 + 2,413,440 GJ.
    assert found.power["biomass_heat_rate"].item() == 0.0585
    boiler = (row("boiler_heat", "product", 1_100_000), row("boiler_efficiency", "product", 92))
    coal = row("bituminous", "in", 50_250, ncv_gj_per_unit=20.112)
    # (1,100,000/0.92 - 50,250 x 20.112) / (1,100,000/0.92).
    assert account(reports(coal, TEST, *boiler), OXIDATION).power["biomass_heat_rate"].item() == 0.1547


def test_bought_electricity_is_gone_since_2026() -> None:
    rows = [row("bought_electricity", "in", 1_000, month) for month in ("2025-12", "2026-01")]
    found = account(reports(*rows), {"power.bought_electricity.tco2_per_mwh": 0.5})
    assert found.lines["emissions_tco2e"].tolist() == [500.0, 0.0]
    assert found.lines["confidence"].tolist() == ["stated", "A"]


def test_a_default_of_gas_is_read() -> None:
    found = account(reports(row("natural_gas", "in", 1_000)), OXIDATION)
    # 1,000 x 389.310 x 0.01532 x 0.99 x 44/12.
    assert found.lines["emissions_tco2e"].tolist() == [21_650.15]
    assert found.substitutes["clause"].str[-8:].tolist() == ["table 11", "table 12"]


def year(unit: str, *rows: Row) -> list[Row]:
    months = [f"2025-{number:02d}" for number in range(1, 13)]
    return [(unit, month, *one[2:]) for month in months for one in rows]


def write(folder: Path, register: pd.DataFrame, rows: list[Row]) -> Path:
    (folder / "reports").mkdir(parents=True)
    register.to_csv(folder / "register.csv", index=False)
    frame(rows).to_csv(folder / "reports" / "2025.csv", index=False)
    return folder


def test_power_units_of_reports_are_allocated_by_their_benchmarks(tmp_path: Path) -> None:
    made = row("electricity", "product", 250_000)
    gas = (*GAS, row("natural_gas", "oxidation", 99), row("electricity", "product", 210_000))
    folder = write(
        tmp_path / "plants", POWER, year("P1", COAL, TEST, made) + year("P2", *gas, row("heat", "product", 9))
    )
    (folder / "policy.toml").write_text('year = 2025\n[rule]\nname = "cn"\n', encoding="utf-8")
    classes = pd.DataFrame(
        {"unit_id": ["P1", "P2"], "unit_class": ["I", "IV"], "capacity_mw": [600, 400], "load_factor": [0.72, None]}
    )
    classes.to_csv(folder / "units.csv", index=False)
    instance = etsopt.read(folder)
    units = instance.units.set_index("unit_id")
    assert units["emissions_tco2e"].tolist() == [2_716_053.12, 1_051_974.0]
    assert units["generation_mwh"].tolist() == [3_000_000, 2_520_000]
    assert units["heat_gj"]["P2"] == 108
    assert units["x_confidence"].tolist() == ["A", "stated"]
    result = etsopt.solve(instance)
    assert result.tables["allocation"]["allowance_t"].gt(0).all()
    write_letter(result, "EP", tmp_path / "letter.html")
    told = "Emissions of P2 rest on factors that a user stated in place of official ones."
    assert told in (tmp_path / "letter.html").read_text(encoding="utf-8")
    low = etsopt.read(folder, emissions="low").units
    assert set(low["emissions_status"]) == {"accounted"}
    (tmp_path / "plants" / "units.csv").unlink()
    with pytest.raises(DataError, match="power units have no class"):
        etsopt.solve(etsopt.read(folder))


def test_reconciliation_leaves_power_units_as_accounted() -> None:
    register = pd.concat([REGISTER, POWER], ignore_index=True)
    power = year("P1", COAL, TEST)
    mixed = reports(*year("C1", *CEMENT_MONTH), *power, register=register)
    quantities = evidence_of(mixed).quantities
    assert quantities is not None
    assert set(quantities["unit_id"]) == {"C1"}
    with pytest.raises(UsageError, match="power units"):
        evidence_of(reports(*power))


def test_the_mark_is_on_page_and_sheet(tmp_path: Path) -> None:
    rows = year("P1", COAL, TEST, row("bituminous", "oxidation", 99))
    folder = write(tmp_path / "plants", POWER, rows)
    found = verify(folder)
    assert found.units["confidence"].tolist() == ["stated"]
    write_monthly_sheets(found, tmp_path / "sheets")
    sheet = (tmp_path / "sheets" / "EP.html").read_text(encoding="utf-8")
    assert sheet.count("stated") >= 12
    assert units_of(found.accounts)["x_confidence"].tolist() == ["stated"]


def test_screening_reads_months_of_power_units() -> None:
    rows = year("P1", COAL, TEST, row("heat_supply_ratio", "product", 20))
    for number, one in enumerate(rows):
        if one[4] == "in":
            rows[number] = (*one[:5], one[5] + 137.31 * number, *one[6:])
    found = screen(reports(*[one for one in rows if one[1] != "2025-06"])).findings
    assert set(found["rule"]) == {"missing_month"}
    assert found["month"].tolist() == ["2025-06"]


def test_chinese_reports_of_power_units_are_read() -> None:
    texts = pd.DataFrame(
        {
            "单元编号": "P1",
            "月份": "2025年12月",
            "工序": ["发电机组", "机组", "发电"],
            "项目": ["烟煤", "烟煤", "发电量"],
            "方向": ["输入", "元素碳含量", "产品"],
            "数量": [120_000, 0.5196, 25_000],
            "计量单位": ["吨", "吨碳/吨", "万千瓦时"],
        }
    )
    found = account(Reports.from_frames(POWER, texts))
    assert found.power["generation_mwh"].item() == 250_000
    assert found.unit_months["emissions_tco2e"].item() == 226_337.76
    with speaking("zh"):
        assert {"发电量（MWh）", "供热排放量（tCO2e）"} <= set(in_words(found.power).columns)
        assert (in_words(found.trail) == "元素碳含量").any(axis=None)
    assert PROCESS_WORDS["发电"] == "generation"
