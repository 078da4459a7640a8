"""The annex tables read back: figures by hand, round trips, variants of forms, and every message."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.common.errors import UsageError
from etsopt.data.tables.recognise import plain
from etsopt.reports import official_tables, read_official_tables, write_official_tables
from etsopt.reports.official.files import CSV_FILES, WORKBOOK
from etsopt.reports.official.headings import ANNEXES
from etsopt.reports.official.reading import read_back
from etsopt.rules import reference_allowances
from tests.reports.test_official import by_hand, deducting, enterprises, units

Tables = dict[str, pd.DataFrame]

BY_HAND = """\
序号,重点排放单位名称,统一社会信用代码,机组编号,机组类别,装机容量(MWh),发电量(MWh),供热量(GJ),\
统计期机组负荷（出力）系数(%),①机组经核查排放量(tCO2e),调峰修正系数,发电配额量(tCO2e),供热配额量(tCO2e),\
②机组初始配额量(tCO2e),③燃气机组豁免补发配额量(tCO2e),④机组核定配额量(tCO2e),⑤机组应清缴配额量(tCO2e),需要特殊说明的事项
1,甲电厂,91110000000000000X,1#,Ⅰ,600,"1,000,000","100,000",62,800000,1,789400,10210,799610,0,799610,800000,
2,甲电厂,91110000000000000X,2#,IV类,100,100000,/,,40000,1,32880,0,32880,7120,40000,40000,
3,乙电厂,92220000000000000X,1#,,350,1000000,0,,1100000,,,,,,1100000,1100000,配额与经核查排放量相等（应急备用）
"""
"""Table 2-1 of two plants in 2026: benchmarks 0.7894 of class I, 0.3288 of gas, and 0.1021 of heat.

1e6 x 0.7894 = 789,400 and 1e5 x 0.1021 = 10,210; 1e5 x 0.3288 = 32,880, topped up to 40,000. The third is a special
case.
"""


def written(folder: Path, tables: Tables) -> Path:
    """A folder of these tables as CSV files."""
    folder.mkdir(exist_ok=True)
    for name, table in tables.items():
        table.to_csv(folder / CSV_FILES[name], index=False, encoding="utf-8-sig")
    return folder


CODES = {name: f"9111000000000000{name}X" for name in "ACDPQRS"}


@cache
def hand(model: str = "compliance") -> tuple[etsopt.Instance, etsopt.Results]:
    instance = by_hand(owners=enterprises().assign(x_uscc=list(CODES.values())))
    return instance, etsopt.solve(instance, model)


def stated(model: str = "compliance", province: str = "") -> Tables:
    return {name: table.copy() for name, table in official_tables(*hand(model), province).items()}


def heading(table: pd.DataFrame, beginning: str) -> str:
    (name,) = [name for name in table.columns if name.startswith(beginning)]
    return str(name)


def put(tables: Tables, name: str, beginning: str, row: int, value: Any) -> pd.DataFrame:
    """Put a value into a table, and return it; rows count from 0."""
    column = heading(tables[name], beginning)
    tables[name][column] = tables[name][column].astype(object)
    tables[name].loc[row, column] = value
    return tables[name]


def test_a_table_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "official-2-1.csv"
    path.write_text(BY_HAND, encoding="utf-8")
    reading = read_back(path, 2026, "Shaanxi")
    found = reading.instance.units
    assert found["unit_id"].tolist() == ["2#", "91110000000000000X-1#", "92220000000000000X-1#"]
    assert found["enterprise_id"].tolist() == ["91110000000000000X", "91110000000000000X", "92220000000000000X"]
    assert set(found["province"]) == {"Shaanxi"}
    assert set(found["sector"]) == {"power"}
    assert found["emissions_tco2e"].tolist() == [40_000, 800_000, 1_100_000]
    assert found["unit_class"].tolist() == ["IV", "I", ""]
    assert found["capacity_mw"].tolist() == [100, 600, 350]
    assert found["generation_mwh"].tolist() == [1e5, 1e6, 1e6]
    assert found["special_case"].tolist() == ["", "", "reserve"]
    np.testing.assert_array_equal(found["heat_gj"], [np.nan, 1e5, 0])
    np.testing.assert_array_equal(found["load_factor"], [np.nan, 0.62, np.nan])
    assert found["reference_t"].tolist() == [40_000, 799_610, 1_100_000]
    owners = reading.instance.enterprises
    assert owners is not None
    assert owners.to_dict("list") == {
        "enterprise_id": ["91110000000000000X", "92220000000000000X"],
        "name": ["甲电厂", "乙电厂"],
    }
    assert reading.instance.policy.rule.name == "cn"
    assert reading.instance.policy.year == 2026
    assert reference_allowances(reading.instance).reference_t.tolist() == [40_000, 799_610, 1_100_000]
    assert reading.comparison[["units", "same"]].to_numpy().tolist() == [[3, 3]]


@cache
def of_shipped(name: str) -> tuple[etsopt.Instance, etsopt.Results]:
    instance = etsopt.read(name).with_policy({"allocation.integer_allowances": True})
    return instance, etsopt.solve(instance)


TEXTS = ("special_case", "unit_class")
NUMBERS = (
    *("emissions_tco2e", "output_t", "intensity_output_t", "intensity_emissions_tco2e", "capacity_mw"),
    *("generation_mwh", "heat_gj", "load_factor", "prior_emissions_tco2e"),
)


def assert_same_units(found: etsopt.Instance, before: etsopt.Instance) -> pd.DataFrame:
    """All columns that the tables hold are equal; return the units before, in the order of those found.

    A steel enterprise is its own unit, so that it has the identifier of the enterprise.
    """
    expected = before.units.copy()
    steel = expected["sector"] == "steel"
    several = expected[steel].duplicated("enterprise_id", keep=False).reindex(expected.index, fill_value=False)
    expected["unit_id"] = expected["unit_id"].where(~steel | several, expected["enterprise_id"])
    expected = expected.set_index("unit_id").loc[found.units["unit_id"]].reset_index()
    for column in ("enterprise_id", "sector", "province"):
        assert found.units[column].tolist() == expected[column].tolist()
    for column in TEXTS:
        known = found.units.get(column, pd.Series("", found.units.index))
        assert known.tolist() == expected.get(column, pd.Series("", expected.index)).tolist()
    for column in NUMBERS:
        one, other = (frame.reindex(columns=[column])[column].to_numpy(float) for frame in (found.units, expected))
        # Shares become percentages, and these shares again.
        np.testing.assert_allclose(one, other, rtol=1e-15, err_msg=column)
    return expected


@pytest.mark.nightly
@pytest.mark.parametrize("kind", ["csv", "workbook"])
@pytest.mark.parametrize("name", ["cn-2025", "cn-national-2025"])
def test_round_trips_of_shipped_instances(tmp_path: Path, name: str, kind: str) -> None:
    instance, results = of_shipped(name)
    write_official_tables(official_tables(instance, results), tmp_path, "", 2025)
    reading = read_back(tmp_path if kind == "csv" else tmp_path / WORKBOOK, 2025 if kind == "csv" else None)
    expected = assert_same_units(reading.instance, instance)
    assert (reading.comparison["units"] == reading.comparison["same"]).all()
    of_before = dict(zip(instance.units["unit_id"], reference_allowances(instance).reference_t, strict=True))
    owner_of = dict(zip(instance.units["enterprise_id"], instance.units["unit_id"], strict=True))
    allowances = [of_before.get(unit, of_before.get(owner_of.get(unit, ""))) for unit in expected["unit_id"]]
    assert reference_allowances(reading.instance).reference_t.tolist() == allowances
    again = etsopt.solve(reading.instance.with_policy({"allocation.integer_allowances": True}))
    assert again.certified
    if name == "cn-national-2025":
        # This run has the allowances of the plan; cn-2025 has a balance of provinces, which tables do not hold.
        before = results.tables["allocation"]
        assert again.tables["allocation"]["allowance_t"].sum() == before["allowance_t"].sum()
        assert again.tables["allocation"]["allowance_t"].tolist() == allowances
    assert official_tables(reading.instance, again)


def test_tables_without_codes_and_with_a_part_of_the_pre_allocations_are_read_back(tmp_path: Path) -> None:
    table = units()
    table.loc[table["unit_id"].isin(["p1", "q1", "a1", "a2"]), "prior_emissions_tco2e"] = np.nan
    instance = by_hand(table, enterprises().drop(columns="x_uscc"))
    tables = official_tables(instance, etsopt.solve(instance, "compliance"))
    found = read_back(written(tmp_path, tables), 2026).instance
    assert_same_units(found, instance)
    assert found.enterprises is not None
    assert found.enterprises["enterprise_id"].tolist() == list("ACDPQRS")


@pytest.mark.nightly
@pytest.mark.parametrize("kind", ["csv", "workbook"])
def test_round_trip_of_one_province(tmp_path: Path, kind: str) -> None:
    instance, results = of_shipped("cn-national-2025")
    write_official_tables(official_tables(instance, results, "Shaanxi"), tmp_path, "Shaanxi", 2025)
    # The title of the workbook names province and year.
    how: dict[str, Any] = {"year": 2025, "province": "Shaanxi"} if kind == "csv" else {}
    found = read_official_tables(tmp_path if kind == "csv" else tmp_path / WORKBOOK, **how)
    assert found.provinces == ["Shaanxi"]
    expected = assert_same_units(found, instance)
    table = results.tables["allocation"]
    before = pd.Series(table["allowance_t"].to_numpy(), index=table["unit_id"])
    owners = table.assign(enterprise_id=instance.units["enterprise_id"])[instance.labels("sector").where("steel")]
    steel = owners.set_index("enterprise_id")["allowance_t"]
    names = expected["unit_id"]
    allowances = [before[name] if name in before.index else steel[name] for name in names]
    power = (found.units["sector"] == "power").to_numpy()
    by_rule = reference_allowances(found).reference_t
    assert by_rule[power].tolist() == np.array(allowances)[power].tolist()
    # The balance values of industry are those of the country, of which one province has a part.
    assert not (by_rule[~power] == np.array(allowances)[~power]).any()
    given = found.with_policy({"rule": {"name": "given"}, "sectors.power.band": 99.0})
    again = etsopt.solve(given)
    assert again.certified
    assert again.tables["allocation"]["allowance_t"].tolist() == pytest.approx(allowances, abs=1e-6)


@pytest.mark.nightly
@pytest.mark.parametrize("model", ["allocation", "compliance"])
def test_round_trip_by_hand(tmp_path: Path, model: str) -> None:
    instance, _ = hand(model)
    reading = read_back(written(tmp_path, stated(model)), 2026)
    found = reading.instance
    steel = CODES["S"]
    assert found.units["unit_id"].tolist() == [steel, "a1", "a2", "c1", "c2", "c3", "p1", "p2", "q1", "r1"]
    table = instance.units.set_index("unit_id").rename(index={"s1": steel}).loc[found.units["unit_id"]]
    assert found.units["enterprise_id"].tolist() == [CODES[one] for one in table["enterprise_id"]]
    for column in NUMBERS:
        if column in found.units:
            np.testing.assert_array_equal(found.units[column], table[column])
    assert found.units["special_case"].tolist() == table["special_case"].tolist()
    assert list(found.policy.compliance.at_risk) == [CODES["R"]]
    assert "pre_allocated_t" not in found.units
    # Q is raised to 80 % of its emissions: q1 is its only unit.
    reference = dict(zip(found.units["unit_id"], found.units["reference_t"], strict=True))
    assert (reference["q1"], reference["c1"], reference["a2"]) == (880_000, 813_333, 10_000)
    assert (reading.comparison["units"] == reading.comparison["same"]).all()
    assert found.enterprises is not None
    assert found.enterprises["name"].tolist() == ["铝业", "C", "水泥", "电厂", "Q", "R", "S"]


@pytest.mark.nightly
def test_deductions_and_several_steel_units_are_read(tmp_path: Path) -> None:
    instance = deducting(P=1_000_000.0, Q=1_000.0)
    second = instance.units[instance.units["unit_id"] == "s1"].assign(unit_id="s2")
    owners = instance.enterprises
    assert owners is not None
    table = pd.concat(
        [
            units().assign(
                enterprise_id=instance.units.set_index("unit_id").loc[units()["unit_id"], "enterprise_id"].to_numpy()
            ),
            second,
        ]
    )
    owners = owners.assign(x_uscc=owners["enterprise_id"].map(CODES))
    both = by_hand(table[units().columns], owners)
    tables = official_tables(both, etsopt.solve(both, "compliance"))
    for numbers in (("1", "2"), ("2",)):
        part = {name: one for name, one in tables.items() if name[0] in numbers}
        found = read_back(written(tmp_path / "".join(numbers), part), 2026).instance
        assert {"s1", "s2"} < set(found.units["unit_id"])
        assert found.enterprises is not None
        due = found.enterprises.set_index("enterprise_id")["deduction_t"]
        assert due[CODES["P"]] == 1_000_000
        assert due[CODES["Q"]] == 1_000
        assert np.isnan(due[CODES["R"]])


@pytest.mark.nightly
def test_units_outside_the_scope_have_no_emissions_in_tables(tmp_path: Path) -> None:
    instance = by_hand(owners=enterprises().assign(x_uscc=list(CODES.values())), year=2025)
    tables = official_tables(instance, etsopt.solve(instance, "compliance"))
    reading = read_back(written(tmp_path, tables), 2025)
    found = reading.instance.units.set_index("unit_id").loc["a2"]
    assert (found["special_case"], found["emissions_tco2e"], found["output_t"]) == ("closed", 0, 6_000)
    assert (reading.comparison["units"] == reading.comparison["same"]).all()


def test_tables_of_issue_alone_know_of_deductions(tmp_path: Path) -> None:
    tables = {name: table for name, table in stated().items() if name[0] == "2" or name.startswith("1-5")}
    found = read_back(written(tmp_path, tables), 2026)
    assert found.notes[-1].startswith("Without tables 1-1 to 1-4, last year's emissions and pre-allocated allowances")
    assert "prior_emissions_tco2e" not in found.instance.units


@pytest.mark.nightly
def test_pre_allocation_other_than_the_share_is_read(tmp_path: Path) -> None:
    table = units().assign(pre_allocated_t=np.nan)
    table.loc[table["unit_id"] == "q1", "pre_allocated_t"] = 123_456.0
    instance = by_hand(table, enterprises().assign(x_uscc=list(CODES.values())))
    tables = official_tables(instance, etsopt.solve(instance, "compliance"))
    found = read_official_tables(written(tmp_path, tables), year=2026).units.set_index("unit_id")
    assert found["pre_allocated_t"].dropna().to_dict() == {"q1": 123_456}


@pytest.mark.nightly
def test_allowances_beside_the_plan_keep_those_of_the_plan(tmp_path: Path) -> None:
    changes = {"sectors": {"cement": {"target_change": -0.01}}, "allocation": {"integer_allowances": True}}
    instance = by_hand(owners=enterprises().assign(x_uscc=list(CODES.values())), **changes)
    tables = official_tables(instance, etsopt.solve(instance, "allocation"))
    found = read_official_tables(written(tmp_path, tables), year=2026).units.set_index("unit_id")
    assert found.loc[["c1", "c2"], "reference_t"].tolist() == [813_333, 786_666]


def test_columns_of_which_an_instance_knows_nothing_are_user_columns(tmp_path: Path) -> None:
    tables = stated()
    put(tables, "2-3", "批复的设计能力", 0, 5_000)
    put(tables, "2-1", "产品类别", 1, "热电联产")
    found = read_official_tables(written(tmp_path, tables), year=2026).units.set_index("unit_id")
    assert found["x_line_capacity"].dropna().to_dict() == {"c1": 5_000}
    assert found.loc["p2", "x_product"] == "热电联产"


def rewritten(path: Path, change: Callable[[str], str], encoding: str = "utf-8") -> None:
    path.write_bytes(change(path.read_text(encoding="utf-8-sig")).encode(encoding))


TITLE = "附件2,,\n表2-1：某省 2026 年度发电机组核定配额情况明细表,,\n"
VARIANTS: dict[str, Callable[[str], str]] = {
    "spaces and width": lambda text: text.replace("①机组经核查排放量(tCO2e)", " 机组经核查 排放量（tCO₂e） "),
    "the right unit of power": lambda text: text.replace("装机容量(MWh)", "装机容量（MW）"),
    "a title above": lambda text: TITLE + text,
    "a province with another heading": lambda text: text.replace("省（区、市）", "省份"),
    "notes below": lambda text: text + "注：1. 本表由省级主管部门填报。,,,\n填表人：,,,审核人：,,,\n6\n\n",
    "a total": lambda text: text + ",,合计" + "," * 11 + '"2,390,000"\n',
    "an extra column": lambda text: "\n".join(f"{line},x" if line else line for line in text.split("\n")),
}


@pytest.mark.nightly
@pytest.mark.parametrize("name", VARIANTS)
def test_variants_of_the_form_are_read(tmp_path: Path, name: str) -> None:
    folder = written(tmp_path, stated())
    expected = read_official_tables(folder, year=2026)
    rewritten(folder / "official-2-1.csv", VARIANTS[name])
    found = read_back(folder, 2026)
    assert found.instance.hash == expected.hash
    passed = [note for note in found.notes if "passed over" in note]
    assert passed == (
        ["Columns that are not of the annex, passed over: x of official-2-1.csv."] if name == "an extra column" else []
    )


@pytest.mark.nightly
def test_the_order_of_columns_and_rows_is_free(tmp_path: Path) -> None:
    tables = stated()
    expected = read_official_tables(written(tmp_path / "one", tables), year=2026)
    generator = np.random.default_rng(1)
    for name, table in tables.items():
        last = len(table) - name[2:].startswith("5")
        rows = [*generator.permutation(last), *range(last, len(table))]
        tables[name] = table.iloc[rows, generator.permutation(len(table.columns))]
    assert read_official_tables(written(tmp_path / "other", tables), year=2026).hash == expected.hash


@pytest.mark.nightly
def test_a_file_in_gbk_and_other_names_are_read(tmp_path: Path) -> None:
    folder = written(tmp_path, stated())
    expected = read_official_tables(folder, year=2026)
    rewritten(folder / "official-2-1.csv", lambda text: text, "gbk")
    (folder / "official-2-1.csv").rename(folder / "机组.csv")
    (folder / "official-2-5-power.csv").rename(folder / "表2-5 发电行业.csv")
    (folder / "addresses.csv").write_text("名称,电话\n甲,1\n", encoding="utf-8")
    found = read_back(folder, 2026)
    assert found.instance.hash == expected.hash
    assert found.tables["2-1"] == ["机组.csv"]
    assert found.notes[0] == "Not an annex table, passed over: addresses.csv."


@pytest.mark.nightly
def test_tables_of_provinces_are_read_together(tmp_path: Path) -> None:
    expected = read_official_tables(written(tmp_path / "all", stated()), year=2026)
    folder = tmp_path / "both"
    folder.mkdir()
    for province in ("Fujian", "Gansu"):
        for name, table in stated(province=province).items():
            table.insert(1, "省（区、市）", province)
            table.to_csv(folder / f"{province} {CSV_FILES[name]}", index=False)
    found = read_back(folder, 2026)
    assert found.instance.hash == expected.hash
    (folder / f"Gansu {CSV_FILES['1-3']}").write_bytes((folder / f"Fujian {CSV_FILES['1-3']}").read_bytes())
    for name in ("2-1", "2-3", "2-5-power", "2-5-cement"):
        (folder / f"Fujian {CSV_FILES[name]}").unlink()
    with pytest.raises(UsageError, match=r"both has no rows of determined allowances, in tables 2-1 to 2-4\."):
        read_official_tables(folder, year=2026, province="Fujian")
    alone = read_official_tables(folder, year=2026, province="Gansu")
    assert alone.provinces == ["Gansu"]
    assert len(alone.units) == 3


def test_headings_of_two_rows_and_numbers_in_a_workbook(tmp_path: Path) -> None:
    xlsxwriter = pytest.importorskip("xlsxwriter")
    pytest.importorskip("python_calamine")
    table = stated(province="Gansu")["2-4"].astype(object)
    with xlsxwriter.Workbook(tmp_path / "province.xlsx") as book:
        other = book.add_worksheet("说明")
        other.write(0, 0, "填表说明")
        sheet = book.add_worksheet("2-4 铝电解工序核定")
        sheet.write(0, 0, "表2-4：陕西省2026年度铝电解工序核定配额情况明细表")
        for place, name in enumerate(table.columns):
            # The first headings are merged over two rows, the others are below one over several columns.
            sheet.write(1 if place < 4 else 2, place, name)
            for row, cell in enumerate(table[name].astype(object)):
                if not pd.isna(cell):
                    sheet.write(3 + row, place, int(cell[1:]) if name == "工序编号" else cell)
        sheet.write(1, 4, "排放情况")
        sheet.write_url(6, 0, "https://example.org", string="注：略")
    found = read_back(tmp_path / "province.xlsx")
    assert found.instance.policy.year == 2026
    assert found.instance.provinces == ["Shaanxi"]
    assert found.instance.units["unit_id"].tolist() == ["1", "2"]
    assert found.notes[0] == "Not an annex table, passed over: province.xlsx, sheet 说明."
    assert "Without tables 1-5 and 2-5, deductions are not known." in found.notes


def test_headings_differ_without_their_signs() -> None:
    for annex in ANNEXES:
        names = [plain(chinese) for _, chinese, _ in annex.columns]
        assert len(set(names)) == len(names)
