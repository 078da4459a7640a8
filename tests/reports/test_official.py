"""The annex tables of the plan: figures by hand, official examples, identities, files read back, and every message."""

from __future__ import annotations

import builtins
import csv
import json
import re
import zipfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt import reports
from etsopt.cli import main
from etsopt.common.errors import DataError, UsageError
from etsopt.common.language import speaking
from etsopt.data.tables.chinese import CASES
from etsopt.data.tables.schema import SPECIAL_CASES
from etsopt.reports import official_tables, write_official_tables
from etsopt.reports.official import files, identities, printing
from etsopt.reports.official.headings import ANNEXES, BY_NAME, NUMBERS_OF_USER, TEXTS_OF_USER
from etsopt.reports.official.issue import _issued, issue_rows
from etsopt.reports.official.rows import unit_rows

MARKET = {"prices_cny_per_t": 80.0, "terminal_price_cny_per_t": 80.0}
AS_THEY_ARE = {"market": MARKET, "penalty": {"reference_price_cny_per_t": 90.0}}

POWER = {
    "p1": ("P", "I", 600.0, 1e6, 1e5, 0.62, 800_000.0, 3_579.4),
    "p2": ("P", "IV", 100.0, 1e5, 0.0, np.nan, 40_000.0, 60_000.0),
    "q1": ("Q", "II", 350.0, 1e6, 0.0, 0.7, 1_100_000.0, 1_000_000.0),
    "r1": ("R", "I", 600.0, 5e5, 0.0, 0.4, 450_000.0, 2_000_000.0),
}
INDUSTRY = {
    "c1": ("C", "cement", "Fujian", 800_000.0, 1_000_000.0, np.nan, np.nan, "", 900_000.0),
    "c2": ("D", "cement", "Fujian", 800_000.0, 800_000.0, np.nan, np.nan, "", 700_001.0),
    "c3": ("D", "cement", "Fujian", 100_000.0, 90_000.0, np.nan, np.nan, "white_clinker", 100_000.0),
    "s1": ("S", "steel", "Gansu", 2_000_000.0, 1_100_000.0, 1_000_000.0, 900_000.0, "", 1_900_000.0),
    "a1": ("A", "aluminium", "Gansu", 157_000.0, 100_000.0, np.nan, np.nan, "", 150_000.0),
    "a2": ("A", "aluminium", "Gansu", 10_000.4, 6_000.0, np.nan, np.nan, "closed", 60_000.0),
}
"""Allowances of the plan of 2026, in whole tonnes:

p1 1e6 x 0.7894 + 1e5 x 0.1021 = 789,400 + 10,210. p2 1e5 x 0.3288 = 32,880, topped up to 40,000. q1 1e6 x 0.7985 =
798,500; Q gets 0.8 x 1,100,000 = 880,000. r1 5e5 x 0.7894 x 1.160254 = 457,952.25.
Cement: equal emissions at 0.8 and 1.0 t/t balance at 0.9, so X is +-1/9, the coefficients +-1/60, A = 813,333.3 and
786,666.7. Steel and aluminium have one adjustable unit each, which is its own balance value.
"""


def units() -> pd.DataFrame:
    names = ["enterprise_id", "unit_class", "capacity_mw", "generation_mwh", "heat_gj", "load_factor"]
    power = pd.DataFrame.from_dict(
        POWER, orient="index", columns=[*names, "emissions_tco2e", "prior_emissions_tco2e"]
    ).assign(sector="power", province="Fujian")
    names = ["enterprise_id", "sector", "province", "emissions_tco2e", "output_t", "intensity_output_t"]
    names += ["intensity_emissions_tco2e", "special_case", "prior_emissions_tco2e"]
    industry = pd.DataFrame.from_dict(INDUSTRY, orient="index", columns=names)
    table = pd.concat([power, industry]).rename_axis("unit_id").reset_index()
    return table.fillna({"unit_class": "", "special_case": ""})


def enterprises() -> pd.DataFrame:
    table = pd.DataFrame({"enterprise_id": list("ACDPQRS"), "name": ["铝业", "", "水泥", "电厂", "", "", ""]})
    return table.assign(x_uscc=["", "", "=1+1", "91110000000000000X", "", "", ""])


def by_hand(table: pd.DataFrame | None = None, owners: pd.DataFrame | None = None, **policy: Any) -> etsopt.Instance:
    stated = {"year": 2026, "coverage": "nation", "rule": {"name": "cn", "threshold_tco2e": 0.0}}
    stated |= {"compliance": {"at_risk": ["R"]}}
    table = units() if table is None else table
    owners = enterprises() if owners is None else owners
    return etsopt.Instance.from_frames(table, stated | AS_THEY_ARE | policy, enterprises=owners, name="hand")


@cache
def solved(model: str = "compliance") -> tuple[etsopt.Instance, etsopt.Results]:
    instance = by_hand()
    results = etsopt.solve(instance, model)
    assert results.certified
    return instance, results


def of(instance: etsopt.Instance, model: str = "compliance", **how: Any) -> dict[str, pd.DataFrame]:
    return official_tables(instance, etsopt.solve(instance, model), **how)


def column(table: pd.DataFrame, beginning: str) -> list[Any]:
    """Cells of the one column whose heading begins so."""
    (name,) = [name for name in table.columns if name.startswith(beginning)]
    return [None if cell is pd.NA or cell != cell else cell for cell in table[name]]


def no_code(enterprise: str) -> str:
    return f"统一社会信用代码待填（企业编号：{enterprise}）"


def test_a_balance_value_of_crude_steel_is_none_of_ironmaking() -> None:
    """A second works states crude steel alone: column (8) of both is empty, with a note; (9) and (10) stand."""
    works = units()
    assert column(of(by_hand(works), "allocation")["2-2"], "⑧") == [pytest.approx(0.9)]
    more = works[works["unit_id"] == "s1"].assign(
        unit_id="s2", intensity_output_t=np.nan, intensity_emissions_tco2e=np.nan
    )
    table = of(by_hand(pd.concat([works, more])), "allocation")["2-2"]
    assert column(table, "⑧") == [None, None]
    assert None not in column(table, "⑨") + column(table, "⑩")
    note = "平衡值未全部按炼铁工序产品产量计算，⑧栏不填"
    assert all(note in cell for cell in column(table, "需要"))
    # A works with A = E has no part in it.
    special = pd.concat([works, more.assign(special_case="closed")])
    assert column(of(by_hand(special), "allocation")["2-2"], "⑧") == [pytest.approx(0.9), None]


@pytest.mark.everyday("allocation")
@pytest.mark.parametrize("model", ["allocation", "compliance"])
def test_the_tables_of_units_are_those_by_hand(model: str) -> None:
    tables = official_tables(*solved(model))
    assert list(tables) == [annex.name for annex in ANNEXES]
    power = tables["2-1"]
    assert column(power, "机组编号") == ["p1", "p2", "q1", "r1"]
    assert column(power, "重点排放单位名称") == ["电厂", "电厂", "Q", "R"]
    assert column(power, "统一社会信用代码") == ["91110000000000000X", "91110000000000000X", "", ""]
    assert column(power, "需要") == ["", "", no_code("Q"), no_code("R")]
    assert column(power, "主体燃料类型") == ["燃煤", "燃气", "燃煤", "燃煤"]
    assert column(power, "调峰修正系数") == [1, 1, 1, 1.160254]
    assert column(power, "发电配额量") == [789_400, 32_880, 798_500, 457_952]
    assert column(power, "供热配额量") == [10_210, 0, 0, 0]
    assert column(power, "②") == [799_610, 32_880, 798_500, 457_952]
    assert column(power, "③") == [0, 7_120, 0, 0]
    assert column(power, "④") == [799_610, 40_000, 798_500, 457_952]
    assert column(power, "⑤") == column(power, "①") == [800_000, 40_000, 1_100_000, 450_000]
    steel, cement, aluminium = (tables[f"2-{number}"] for number in (2, 3, 4))
    assert column(steel, "①") == [1_000_000]
    assert column(steel, "⑤") == [1_100_000]
    assert column(steel, "⑩") == [2_000_000]
    assert column(cement, "⑦") == [813_333, 786_666, 100_000]
    assert column(cement, "④") == [pytest.approx(100 / 9), pytest.approx(-100 / 9), None]
    assert column(cement, "⑤") == [pytest.approx(0.9), pytest.approx(0.9), None]
    assert column(cement, "⑥") == [pytest.approx(1 / 60), pytest.approx(-1 / 60), None]
    assert column(cement, "需要") == [no_code("C"), "", "配额与经核查排放量相等（仅生产白色硅酸盐水泥熟料）"]
    assert column(aluminium, "⑨") == [157_000, 10_000]
    assert column(aluminium, "⑩") == [157_000, 10_000]


@pytest.mark.parametrize("model", ["allocation", "compliance"])
def test_the_tables_of_issue_are_those_by_hand(model: str) -> None:
    tables = official_tables(*solved(model))
    # The official example of rounding down: half of 3,579.40 is 1,789.70.
    assert column(tables["1-1"], "发电机组预分配配额") == [1_789, 30_000, 500_000, 1_000_000]
    assert column(tables["1-3"], "水泥熟料生产线预分配配额") == [450_000, 350_000, 50_000]
    assert column(tables["1-2"], "预分配比例") == [50]
    power = tables["2-5-power"]
    assert column(power, "重点排放单位名称") == ["电厂", "Q", "R", "合计"]
    assert column(power, "序号") == [1, 2, 3, None]
    assert column(power, "重点排放单位初始配额") == [839_610, 798_500, 457_952, 2_096_062]
    assert column(power, "初始配额履约缺口率") == [0.05, 27.41, -1.77, None]
    assert column(power, "履约缺口率上限豁免补发配额") == [0, 81_500, 0, 81_500]
    assert column(power, "重点排放单位核定配额") == [839_610, 880_000, 457_952, 2_177_562]
    assert column(power, "①") == [807_821, 380_000, -542_048, 645_773]
    assert column(power, "⑤") == [807_821, 380_000, -542_048, 645_773]
    assert column(power, "⑥") == [839_610, 880_000, 457_952, 2_177_562]
    assert column(power, "重点排放单位应清缴配额") == [840_000, 1_100_000, 450_000, 2_390_000]
    assert column(power, "是否属于") == ["否", "否", "是", ""]
    assert column(power, "差异化具体情况") == ["", "", "存在履约风险；清缴后发放7952吨", ""]
    assert column(tables["1-5-power"], "差异化具体情况") == ["", "", "存在履约风险", ""]
    aluminium = tables["2-5-aluminium"]
    assert column(aluminium, "重点排放单位初始配额") == [None, None]
    assert column(aluminium, "重点排放单位应清缴配额") == [167_000, 167_000]
    assert column(aluminium, "差异化具体情况") == ["存在关停的机组、生产线、工序；清缴后发放0吨", ""]


@pytest.mark.nightly
def test_one_province_has_the_layout_of_the_annex() -> None:
    tables = official_tables(*solved(), province="Gansu")
    assert set(tables) == {"1-2", "1-4", "1-5-steel", "1-5-aluminium", "2-2", "2-4", "2-5-steel", "2-5-aluminium"}
    for name, table in tables.items():
        assert list(table.columns) == [chinese for _, chinese, _ in BY_NAME[name].columns]
    assert column(tables["2-5-steel"], "重点排放单位名称") == ["S", "全省（区、市）合计"]
    assert all("省（区、市）" in table for table in official_tables(*solved()).values())


@pytest.mark.parametrize("model", ["allocation", "compliance"])
def test_the_official_example_of_a_deduction(model: str) -> None:
    # Note 8 of table 2-5: pre-allocated 50,000, determined 30,000, to be deducted 70,000.
    table = units().assign(pre_allocated_t=np.nan)
    table.loc[table["unit_id"] == "a1", ["enterprise_id", "emissions_tco2e", "pre_allocated_t"]] = ("B", 3e4, 5e4)
    owners = pd.concat([enterprises(), pd.DataFrame({"enterprise_id": ["B"], "name": [""], "x_uscc": [""]})])
    owners["deduction_t"] = np.where(owners["enterprise_id"] == "B", 70_000.0, np.nan)
    tables = of(by_hand(table, owners), model, province="Gansu")
    before, after = tables["1-5-aluminium"], tables["2-5-aluminium"]
    assert [column(before, sign)[1] for sign in "①②③④"] == [50_000, 50_000, 0, 20_000]
    assert [column(after, sign)[1] for sign in "①②③④⑤⑥⑦"] == [-20_000, 20_000, 0, 0, 0, 0, 40_000]
    assert column(after, "重点排放单位核定配额")[1] == 30_000


@pytest.mark.parametrize(
    ("pre", "determined", "deduct", "issued"),
    [
        # Pre-deducted, pre-issued, true-up, returned, deducted, issued, in all, remaining.
        (50, 80, 0, (0, 50, 30, 0, 0, 30, 80, 0)),
        (50, 80, 20, (20, 30, 30, 0, 0, 30, 60, 0)),
        (50, 80, 60, (50, 0, 30, 0, 10, 20, 20, 0)),
        (50, 80, 80, (50, 0, 30, 0, 30, 0, 0, 0)),
        (50, 80, 100, (50, 0, 30, 0, 30, 0, 0, 20)),
        (50, 30, 10, (10, 40, -20, 0, 0, -20, 20, 0)),
        (50, 30, 40, (40, 10, -20, 10, 0, -10, 0, 10)),
        (0, 30, 40, (0, 0, 30, 0, 30, 0, 0, 10)),
    ],
)
def test_deductions_in_both_steps(pre: float, determined: float, deduct: float, issued: tuple[float, ...]) -> None:
    found = _issued(*(np.array([float(tonnes)]) for tonnes in (pre, determined, deduct)))
    names = ("pre_deducted", "pre_issued", "true_up", "deduction_returned", "deducted", "issued", "issued_in_all")
    assert tuple(found[name][0] for name in (*names, "remaining")) == issued


@pytest.mark.parametrize(("allowance", "words"), [(1_200_000.0, "清缴后发放200000吨"), (800_000.0, "应补缴200000吨")])
def test_the_official_examples_of_differentiated_issue(allowance: float, words: str) -> None:
    # Note 9 of table 2-5: A gets 1,200,000 and owes 1,000,000; B gets 800,000.
    table = pd.DataFrame({"unit_id": ["u"], "enterprise_id": ["e"], "sector": ["steel"], "province": ["Fujian"]})
    table = table.assign(emissions_tco2e=1e6, reference_t=allowance)
    policy = {"year": 2026, "rule": {"name": "given"}, "compliance": {"at_risk": ["e"]}, **AS_THEY_ARE}
    instance = etsopt.Instance.from_frames(table, policy)
    results = etsopt.solve(instance, "compliance")
    tables = official_tables(instance, results)
    assert column(tables["2-5-steel"], "差异化具体情况")[0] == f"存在履约风险；{words}"
    assert results.tables["compliance"]["province_released_t"].item() == max(allowance - 1e6, 0)
    # Nothing is known of pre-allocation, nor of a balance value.
    assert list(tables) == ["2-2", "2-5-steel"]
    assert column(tables["2-2"], "⑧") == [None]


@pytest.mark.nightly
def test_allowances_other_than_those_of_the_plan_are_noted() -> None:
    changes = {"sectors": {"cement": {"target_change": -0.01}}, "allocation": {"integer_allowances": True}}
    tables = of(by_hand(**changes), "allocation")
    assert sum(column(tables["2-3"], "⑦")[:2]) <= 0.99 * 1_600_000
    assert column(tables["2-3"], "需要")[:2] == [
        f"按分配方案计算为813333吨；{no_code('C')}",
        "按分配方案计算为786666吨",
    ]
    other = "配额与按分配方案计算的不同"
    assert column(tables["2-5-cement"], "需要")[:2] == [f"{other}；{no_code('C')}", other]
    paid = of(by_hand(market=MARKET | {"paid_share": 0.1}))
    assert column(paid["2-1"], "需要")[0] == "按分配方案计算为799610吨"
    assert column(paid["2-5-power"], "履约缺口率上限豁免补发配额")[:3] == [0, 0, 0]


def test_units_outside_the_scope_are_in_the_tables_with_nothing() -> None:
    tables = of(by_hand(year=2025))
    assert column(tables["2-4"], "⑨") == [157_000, None]
    assert column(tables["2-4"], "⑤") == [157_000, None]
    assert column(tables["2-4"], "需要")[1] == f"不在当年度配额分配范围（配额核定前关停）；{no_code('A')}"
    assert column(tables["1-4"], "铝电解工序预分配配额") == [105_000, None]
    assert column(tables["1-4"], "预分配比例") == [70, None]


def test_an_identifier_that_is_a_credit_code_is_written_as_one() -> None:
    code = "91110000000000000Q"
    table, owners = (
        units().replace({"enterprise_id": {"Q": code}}),
        enterprises().replace({"enterprise_id": {"Q": code}}),
    )
    assert code in column(of(by_hand(table, owners))["2-1"], "统一社会信用代码")


@pytest.mark.nightly
@pytest.mark.parametrize("model", ["allocation", "compliance"])
def test_no_figure_follows_from_a_pre_allocation_that_nothing_states(model: str) -> None:
    table = units()
    table.loc[table["unit_id"].isin(["p1", "q1"]), "prior_emissions_tco2e"] = np.nan
    tables = of(by_hand(table), model)
    power = tables["1-1"]
    assert column(power, "发电机组预分配配额") == [None, 30_000, None, 1_000_000]
    assert column(power, "需要") == ["预分配配额待填", "", f"{no_code('Q')}；预分配配额待填", no_code("R")]
    before, after = tables["1-5-power"], tables["2-5-power"]
    # Of P one unit is stated, of Q none.
    assert [column(before, sign)[:2] for sign in "①②③④"] == [[30_000, None], [0, None], [30_000, None], [0, None]]
    assert [column(after, sign)[:2] for sign in "①②③④⑤"] == [
        *([809_610, None], [0, None], [0, None], [30_000, None], [809_610, None]),
    ]
    assert [column(after, sign)[:2] for sign in "⑥⑦"] == [[839_610, 880_000], [0, 0]]
    assert column(after, "需要")[:3] == ["部分预分配配额待填", f"{no_code('Q')}；预分配配额待填", no_code("R")]


@pytest.mark.nightly
def test_the_note_names_each_column_to_fill_and_what_fills_it(tmp_path: Path) -> None:
    table = units().assign(x_line_capacity=["", "", "", "", "5000", "2500", "", "", "", ""])
    table.loc[table["unit_id"] == "q1", "prior_emissions_tco2e"] = np.nan
    tables = of(by_hand(table), province="Fujian")
    write_official_tables(tables, tmp_path, "Fujian", 2026)
    lines = (tmp_path / files.NOTE).read_text(encoding="utf-8-sig").splitlines()
    assert lines[1].startswith("Columns to fill, in the instance and then exported again")
    assert "- 上一年度经核查排放量: 1 empty cells in 1-1; filled by the column prior_emissions_tco2e of units." in lines
    with speaking("zh"):
        write_official_tables(tables, tmp_path, "Fujian", 2026)
    lines = (tmp_path / files.NOTE).read_text(encoding="utf-8-sig").splitlines()
    assert "MWh" in lines.pop(0)
    assert lines[0] == "待填写的列（在算例中填写后重新导出，或直接填入各表）："
    code = "表 1-1、1-3、1-5-power、1-5-cement、2-1、2-3、2-5-power、2-5-cement 共 12 个空单元格"
    assert lines[1] == f"- 统一社会信用代码：{code}；由企业表的 x_uscc 列填写。"
    assert "- 产品类别：表 2-1 共 4 个空单元格；由单元表的 x_product 列填写。" in lines
    assert not [line for line in lines if "empty cells" in line]
    # Only some lines have one.
    assert not [line for line in lines if "批复的设计能力" in line]
    whole = {name: frame.replace("", "x").fillna(1) for name, frame in tables.items()}
    write_official_tables(whole, tmp_path, "Fujian", 2026)
    (line,) = (tmp_path / files.NOTE).read_text(encoding="utf-8-sig").splitlines()
    assert line.startswith("Table 2-1 prints the rated power")


def test_columns_that_an_instance_does_not_know_come_from_user_columns() -> None:
    table = units().assign(x_line_capacity=["", "", "", "", "5000", "2500", "", "", "", ""], x_product="热电联产")
    tables = of(by_hand(table))
    assert column(tables["2-3"], "批复的设计能力") == [5_000, 2_500, None]
    assert column(tables["2-1"], "产品类别") == ["热电联产"] * 4


def test_every_special_case_has_its_words() -> None:
    assert set(CASES) == set(SPECIAL_CASES)


def test_the_page_lists_the_user_columns() -> None:
    page = (Path(reports.__file__).parent / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(x_\w+)`", page)) == {"x_uscc", *(f"x_{key}" for key in NUMBERS_OF_USER + TEXTS_OF_USER)}


def test_every_heading_is_stated_once_in_its_table() -> None:
    for annex in ANNEXES:
        keys, chinese, english = zip(*annex.columns, strict=True)
        assert len(set(keys)) == len(set(chinese)) == len(keys)
        assert all(english)
        assert len(annex.sheet) <= 31
    assert len({annex.sheet for annex in ANNEXES}) == len(ANNEXES)


UNIT_BREAKS = [
    ("determined", "p1", 799_609.0, "table 2-1, ④", "figure is not the sum of (2) and (3)"),
    ("determined", "c1", 813_334.0, "table 2-3, ⑦", "figure is not emissions times 1 plus the coefficient"),
    ("determined", "a2", 9_999.0, "table 2-4, ⑨", "figure of a special case is not its emissions"),
    ("determined", "s1", 2_000_001.0, "table 2-2, ⑩", "figure is not pre-allocated plus top-up less return"),
    ("determined", "s1", 0.5, "table 2-2, ⑩", "figure is not whole tonnes from 0 on"),
    ("pre_allocated", "p1", 1_789.7, "table 1-1, 发电机组预分配配额", "figure is not whole tonnes from 0 on"),
    (
        "pre_allocated",
        "p1",
        1_790.0,
        "table 1-1, 发电机组预分配配额",
        "figure is not the share of last year's emissions",
    ),
]


@pytest.mark.parametrize(("key", "unit", "figure", "place", "words"), UNIT_BREAKS)
def test_a_violated_identity_of_a_unit_is_named(key: str, unit: str, figure: float, place: str, words: str) -> None:
    instance, results = solved()
    rows = unit_rows(instance, results)
    issue = issue_rows(instance, rows)
    expected = rows.loc[rows["unit"] == unit, key].item()
    rows.loc[rows["unit"] == unit, key] = figure
    with pytest.raises(DataError) as caught:
        identities.check_identities(rows, issue, results)
    text = str(caught.value)
    assert place in text
    assert words in text
    assert f"row of {unit} " in text
    assert f"expected {expected:,.0f}" in text or "whole tonnes" in text


ISSUE_BREAKS = [
    ("pre_issued", "table 1-5-power, ③预分配实发配额", "figure is not (1) less (2)"),
    ("pre_remaining", "table 1-5-power, ④", "figure is not what is left to deduct"),
    ("determined", "table 2-5-power, 重点排放单位核定配额", "figure is not initial allowances plus exemption"),
    ("determined", "table 2-5-power, 重点排放单位核定配额", "figure is not the sum of its units"),
    ("issued_in_all", "tables/compliance, issued_t", "total is not the sum of its rows"),
    ("pre_allocated", "table 1-5-power, ①预分配配额", "figure is not the sum of its units"),
    ("pre_allocated", "table 2-5-power, 重点排放单位预分配配额", "figure is not the sum of its units"),
    ("true_up", "table 2-5-power, ①多退少补配额", "figure is not determined less pre-allocated"),
    ("issued", "table 2-5-power, ⑤", "figure is not (1) plus (2) less (3)"),
    ("issued_in_all", "table 2-5-power, ⑥", "figure is not (4) plus (5)"),
    ("issued_in_all", "table 2-5-power, ⑥", "figure is not determined less what is deducted"),
    ("remaining", "table 2-5-power, ⑦", "figure is not what is left to deduct"),
    ("obligation", "table 2-5-power, 重点排放单位应清缴配额", "figure is not the emissions"),
    ("obligation", "tables/compliance, obligation_t", "total is not the sum of its rows"),
]


@pytest.mark.everyday("pre_allocated")
@pytest.mark.parametrize(("key", "place", "words"), ISSUE_BREAKS)
def test_a_violated_identity_of_an_enterprise_is_named(key: str, place: str, words: str) -> None:
    instance, results = solved()
    rows = unit_rows(instance, results)
    issue = issue_rows(instance, rows)
    issue.loc[issue["enterprise_id"] == "Q", key] += 1
    with pytest.raises(DataError) as caught:
        identities.check_identities(rows, issue, results)
    assert any(f"{place}" in str(problem) and words in str(problem) for problem in caught.value.problems)
    assert "row of Q '" in str(caught.value)


def test_an_issue_within_the_deduction_is_zero() -> None:
    instance = deducting(Q=1_000_000.0)
    results = etsopt.solve(instance, "compliance")
    rows = unit_rows(instance, results)
    issue = issue_rows(instance, rows)
    assert issue.loc[issue["enterprise_id"] == "Q", "issued"].item() == 0
    issue.loc[issue["enterprise_id"] == "Q", ["issued", "deducted"]] = (1.0, 379_999.0)
    with pytest.raises(DataError, match=r"figure is not 0, though \(1\) is at most what is to be deducted"):
        identities.check_identities(rows, issue, results)


@pytest.mark.parametrize("name", ["allowance_t", "pre_allocated_t", "top_up_t"])
def test_a_total_of_an_allocation_that_is_not_the_sum_is_named(name: str) -> None:
    instance, results = solved("allocation")
    wrong = results.tables["enterprises"].assign(**{name: results.tables["enterprises"][name] + 1})
    with pytest.raises(DataError, match=f"tables/enterprises, {name}: 7 totals are not the sums of their rows"):
        official_tables(instance, replace(results, tables=results.tables | {"enterprises": wrong}))


def changed(results: etsopt.Results, **columns: Any) -> etsopt.Results:
    table = results.tables["allocation"].assign(**columns)
    return replace(results, tables=results.tables | {"allocation": table})


def test_damaged_runs_are_told() -> None:
    instance, results = solved("allocation")
    table = results.tables["allocation"]
    with pytest.raises(DataError, match="tables/allocation, unit_id: does not hold the units of the instance"):
        official_tables(instance, changed(results, unit_id=table["unit_id"].to_numpy()[::-1]))
    with pytest.raises(DataError, match="tables/allocation, reference_t: 10 of its figures are not those of the"):
        official_tables(instance, changed(results, reference_t=table["reference_t"] + 1))
    with pytest.raises(DataError, match="tables/allocation, allowance_t: the column is missing"):
        official_tables(
            instance, replace(results, tables=results.tables | {"allocation": table.drop(columns="allowance_t")})
        )
    with pytest.raises(DataError, match="tables/enterprises: the table is missing"):
        official_tables(
            instance, replace(results, tables={k: v for k, v in results.tables.items() if k != "enterprises"})
        )


def test_runs_without_official_tables_are_refused() -> None:
    instance, results = solved("allocation")
    advice = r"\n\nSolve first: etsopt solve INSTANCE --out DIR, or the same with --model compliance\."
    for run in (replace(results, tables={}), replace(results, status="refused")):
        with pytest.raises(UsageError, match=r"^The run holds no allowances of units\." + advice):
            official_tables(instance, run)
    infeasible = etsopt.read("eu-2019")
    with pytest.raises(UsageError, match=r"The run holds no allowances of units\."):
        official_tables(infeasible, etsopt.solve(infeasible))
    early = by_hand(year=2024)
    with pytest.raises(UsageError) as caught:
        official_tables(early, etsopt.solve(early))
    assert str(caught.value) == (
        "The run is of 2024: the official tables are those of the plans from 2025 on.\n\nSolve a later compliance year."
    )


def test_an_unknown_province_is_told() -> None:
    with pytest.raises(UsageError) as caught:
        official_tables(*solved(), province="Gans")
    assert str(caught.value) == (
        "The run has no province 'Gans'.\n\nDid you mean 'Gansu'? Its provinces are Fujian, Gansu."
    )


def deducting(**tonnes: float) -> etsopt.Instance:
    """The instance by hand, with deductions, and with s1 as a unit of P beside its power units."""
    table, owners = units(), enterprises()[lambda owners: owners["enterprise_id"] != "S"]
    table.loc[table["unit_id"] == "s1", "enterprise_id"] = "P"
    return by_hand(table, owners.assign(deduction_t=owners["enterprise_id"].map(tonnes), outstanding_t=5.0))


def test_the_command_names_provinces_in_the_language_of_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, changes = str(tmp_path / "run"), ["--set", "allocation.integer_allowances=true"]
    assert main(["solve", "cn-2025", "--out", run, *changes]) == 0
    asked = ["export", run, "--tables", "official", "--out", str(tmp_path / "out"), "--province"]
    capsys.readouterr()
    assert main([*asked, "甘素省", "--lang", "zh"]) == 2
    told = capsys.readouterr().err
    assert "本次结果不含省份 '甘素省'。" in told
    assert "安徽、北京、重庆" in told
    assert main([*asked, "Gansoo", "--lang", "en"]) == 2
    assert "Did you mean 'Gansu'? Its provinces are Anhui, Beijing" in capsys.readouterr().err


def test_deductions_of_an_enterprise_with_several_rows() -> None:
    tables = of(deducting(P=1_000_000.0, Q=1_000.0))
    assert column(tables["2-5-steel"], "重点排放单位名称") == ["电厂", "合计"]
    # P has 839,610 t as a power plant, of which 31,789 t are pre-allocated.
    assert column(tables["1-5-power"], "②") == [31_789, 1_000, 0, 32_789]
    assert column(tables["2-5-power"], "③") == [807_821, 0, 0, 807_821]
    assert column(tables["2-5-power"], "⑥") == [0, 879_000, 457_952, 1_336_952]
    assert column(tables["1-5-steel"], "②") == [160_390, 160_390]
    assert column(tables["2-5-steel"], "⑥") == [1_839_610, 1_839_610]
    # Five tonnes of R are outstanding.
    assert column(tables["2-5-power"], "差异化具体情况")[2] == "存在履约风险；清缴后发放7947吨"


def saved(folder: Path, model: str = "compliance") -> str:
    instance, results = solved(model)
    results.save(folder, instance)
    return str(folder)


def csv_rows(path: Path) -> list[list[str]]:
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(content.decode("utf-8-sig").splitlines()))


@pytest.mark.nightly
def test_the_command_writes_what_the_function_returns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, out = saved(tmp_path / "run"), tmp_path / "out"
    assert main(["export", run, "--tables", "official", "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith(f"16 tables of a run that is certified_optimal written to {out}: official-1-1.csv,")
    assert printed.err == "official-note.txt lists the columns that are to be filled.\n"
    tables = official_tables(*solved())
    assert sorted(path.name for path in out.iterdir()) == sorted(
        [*(f"official-{n}.csv" for n in tables), files.WORKBOOK, files.NOTE]
    )
    for name, table in tables.items():
        head, *rows = csv_rows(out / f"official-{name}.csv")
        assert head == list(table.columns)
        assert len(rows) == len(table)
        for row, cells in zip(rows, table.itertuples(index=False), strict=True):
            for text, cell in zip(row, cells, strict=True):
                if isinstance(cell, str):
                    assert text == ("'=1+1" if cell == "=1+1" else cell)
                else:
                    assert text == "" if pd.isna(cell) else float(text) == cell


@pytest.mark.nightly
def test_the_workbook_holds_every_cell(tmp_path: Path) -> None:
    calamine = pytest.importorskip("python_calamine")
    pytest.importorskip("xlsxwriter")
    tables = official_tables(*solved())
    write_official_tables(tables, tmp_path, "", 2026)
    book = calamine.CalamineWorkbook.from_path(tmp_path / files.WORKBOOK)
    assert book.sheet_names == [BY_NAME[name].sheet for name in tables]
    for name, table in tables.items():
        title, head, *rows, signed = book.get_sheet_by_name(BY_NAME[name].sheet).to_python()
        assert title[0] == BY_NAME[name].title("", 2026)
        assert head == list(table.columns)
        assert signed[0].startswith("Prepared by:")
        for row, cells in zip(rows, table.itertuples(index=False), strict=True):
            for shown, cell in zip(row, cells, strict=True):
                assert shown == (cell if isinstance(cell, str) else "" if pd.isna(cell) else cell)
    assert BY_NAME["2-1"].title("Fujian", 2026) == "表2-1：福建省2026年度发电机组核定配额情况明细表"
    first = (tmp_path / files.WORKBOOK).read_bytes()
    write_official_tables(tables, tmp_path, "", 2026)
    assert (tmp_path / files.WORKBOOK).read_bytes() == first


HOSTILE = [
    "0123",
    "=1+1",
    "+1",
    "@SUM(A1)",
    "-2",
    '=HYPERLINK("x")',
    "https://a.b/c",
    "mailto:a@b",
    "internal:A1",
    "{=1}",
    "a,b",
]


@pytest.mark.nightly
@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_is_a_formula_or_a_link(tmp_path: Path, name: str) -> None:
    calamine = pytest.importorskip("python_calamine")
    instance = by_hand(units().assign(x_product=name), enterprises().assign(name="https://a.b", x_uscc=name))
    write_official_tables(of(instance), tmp_path, "", 2026)
    book = calamine.CalamineWorkbook.from_path(tmp_path / files.WORKBOOK)
    rows = book.get_sheet_by_name(BY_NAME["2-1"].sheet).to_python()[2:-1]
    assert [row[2:4] for row in rows] == [["https://a.b", name]] * 4
    assert [row[8] for row in rows] == [name] * 4
    with zipfile.ZipFile(tmp_path / files.WORKBOOK) as parts:
        content = b"".join(parts.read(part) for part in parts.namelist() if "worksheets" in part)
    assert b"<f>" not in content
    assert b"hyperlink" not in content
    (text,) = {row[3] for row in csv_rows(tmp_path / "official-2-1.csv")[1:]}
    assert text in (name, f"'{name}")
    # A signed number is one to a spreadsheet as well.
    assert text[0] not in "=@"


def without_xlsxwriter(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refusing(name: str, *rest: Any) -> Any:
        if name == "xlsxwriter":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refusing)


def test_without_the_extra_csv_files_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run, out = saved(tmp_path / "run", "allocation"), tmp_path / "out"
    out.mkdir()
    (out / files.WORKBOOK).write_text("of an earlier export")
    (out / "notes.txt").write_text("mine")
    without_xlsxwriter(monkeypatch)
    assert main(["export", run, "--tables", "official", "--out", str(out), "--province", "Gansu", "--json"]) == 0
    printed = capsys.readouterr()
    names = [f"official-{name}.csv" for name in official_tables(*solved("allocation"), province="Gansu")]
    names.append(files.NOTE)
    assert json.loads(printed.out) == {"folder": str(out), "files": names, "status": "certified_optimal"}
    assert printed.err == (
        "official-note.txt lists the columns that are to be filled.\n"
        "The workbook needs xlsxwriter, which is not installed: only CSV files are written.\n\n"
        'Install it, `pip install "etsopt[excel]"`, and export again.\n'
    )
    assert sorted(path.name for path in out.iterdir()) == sorted([*names, "notes.txt"])


def test_a_text_or_table_that_excel_does_not_take_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("xlsxwriter")
    tables = of(by_hand(owners=enterprises().assign(name="长" * 32_768)))
    with pytest.raises(UsageError) as caught:
        write_official_tables(tables, tmp_path / "out", "", 2026)
    assert str(caught.value) == (
        "Table 1-1, row 1, 重点排放单位名称: the text has more than 32,767 characters.\n\n"
        "Shorten it in the instance, and solve again: a cell of Excel takes no more."
    )
    monkeypatch.setattr(files, "MOST_ROWS", 4)
    with pytest.raises(UsageError, match=r"Table 1-1 has 4 rows: a sheet of Excel takes 1\.\n\nExport province by"):
        write_official_tables(official_tables(*solved()), tmp_path / "out", "", 2026)
    assert not (tmp_path / "out").exists()


def test_a_violated_identity_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, out = Path(saved(tmp_path / "run", "allocation")), tmp_path / "out"
    path = run / "tables" / "allocation.csv"
    path.write_text(
        path.read_text(encoding="utf-8").replace("799610.0,0.0,-390.0", "799609.0,0.0,-390.0"), encoding="utf-8"
    )
    assert main(["export", str(run), "--tables", "official", "--out", str(out)]) == 2
    message = capsys.readouterr().err
    assert "table 2-1, ④机组核定配额量(tCO2e): 1 figure is not" in message
    assert "row of p1 '799,609, expected 799,610'" in message
    assert not out.exists()


@pytest.mark.nightly
def test_a_failed_write_leaves_the_earlier_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("xlsxwriter")
    tables = official_tables(*solved())
    write_official_tables(tables, tmp_path, "", 2026)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(printing, "write_printable", full)
    with pytest.raises(OSError, match="No space left") as caught:
        write_official_tables(official_tables(*solved(), province="Gansu"), tmp_path, "Gansu", 2026)
    assert Path(str(caught.value.filename)).name == files.WORKBOOK
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.nightly
def test_a_later_export_of_fewer_tables_removes_the_others(tmp_path: Path) -> None:
    write_official_tables(official_tables(*solved()), tmp_path, "", 2026)
    written, _ = write_official_tables(official_tables(*solved(), province="Gansu"), tmp_path, "Gansu", 2026)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(written)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--tables", "other"], "There are no tables 'other'.\n\nChoose official."),
    ],
)
def test_wrong_options_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    options = ["--tables", "official", "--out", str(tmp_path / "out"), *arguments]
    assert main(["export", saved(tmp_path / "run"), *options]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.nightly
@pytest.mark.parametrize(("name", "power"), [("cn-2025", False), ("cn-national-2025", True)])
@pytest.mark.parametrize("model", ["allocation", "compliance"])
def test_shipped_instances(tmp_path: Path, name: str, power: bool, model: str) -> None:
    instance = etsopt.read(name).with_policy(
        {"allocation.integer_allowances": True} if model == "allocation" else MARKET_2025
    )
    results = etsopt.solve(instance, model)
    tables = official_tables(instance, results)
    # cn-2025 knows nothing of last year.
    wanted = [annex for annex in ANNEXES if power or (annex.sector != "power" and annex.number.startswith("2-"))]
    assert list(tables) == [annex.name for annex in wanted]
    of_units = [table for key, table in tables.items() if key.startswith("2-") and not key.startswith("2-5")]
    assert sum(map(len, of_units)) == len(instance.units)
    allowance = results.tables["allocation" if model == "allocation" else "issuance"]["allowance_t"].sum()
    totals = [column(table, "重点排放单位核定配额")[-1] for key, table in tables.items() if key.startswith("2-5")]
    assert sum(totals) == allowance
    written, _ = write_official_tables(tables, tmp_path, "", 2025)
    assert len(written) >= len(tables)


def test_an_allocation_in_fractions_is_refused() -> None:
    instance = etsopt.read("cn-2025")
    with pytest.raises(DataError) as caught:
        official_tables(instance, etsopt.solve(instance))
    text = str(caught.value)
    assert (
        "table 2-4, ⑨铝电解工序核定配额(tCO2e): 94 figures are not whole tonnes from 0 on: row of ALU-SEED-001" in text
    )
    assert "Solve with --set allocation.integer_allowances=true, and state pre_allocated_t in whole tonnes." in text


MARKET_2025 = {"market.prices_cny_per_t": 84.0, "market.terminal_price_cny_per_t": 84.0}
