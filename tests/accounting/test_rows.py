"""Bad input at its row: file, line, column, value and remedy, all problems at once, and what is accepted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from etsopt.accounting import Reports, account, generate, read_parameters, read_register, read_reports, write_example
from etsopt.accounting.factors import Factors
from etsopt.common.errors import DataError, Problem, UsageError
from tests.accounting.builders import CEMENT_MONTH, REGISTER, STEEL_MONTH, Row, frame, reports

REGISTER_CSV = """\
unit_id,enterprise_id,sector,province,activity
A1,EA,aluminium,Yunnan,primary_aluminium
C1,EC,cement,Anhui,portland_clinker
P1,EP,power,Anhui,grid_power
S1,ES,steel,Hebei,long_process
"""
HEADER = "unit_id,month,process,item,flow,quantity,unit,ncv_gj_per_unit,batch,version\n"
GOOD = (
    "C1,2025-01,clinker,portland_clinker,product,155000,t,,,\n",
    "C1,2025-01,clinker,bituminous,in,20000,t,,,\n",
)


def write(
    folder: Path, *lines: str, header: str = HEADER, register: str = REGISTER_CSV, file: str = "2025.csv"
) -> Path:
    """A folder of reports: the good rows, then others."""
    (folder / "reports").mkdir(exist_ok=True)
    (folder / "register.csv").write_text(register, encoding="utf-8")
    (folder / "reports" / file).write_text(header + "".join((*GOOD, *lines)), encoding="utf-8")
    return folder


def problems(folder: Path) -> list[Problem]:
    with pytest.raises(DataError) as caught:
        read_reports(folder)
    return caught.value.problems


BAD: dict[str, tuple[str, str, str, str, str]] = {
    # Row, column, what, value, and a part of the remedy.
    "unit": ("C9,2025-01,clinker,bituminous,in,1,t,,,", "unit_id", "is not in the register", "C9", "register.csv"),
    "power": ("P1,2025-01,power,bituminous,in,1,t,,,", "process", "not one of", "power", "power: generation"),
    "carbon": ("P1,2025-01,generation,bituminous,carbon,51.96,tC/t,,,", "quantity", "not possible", "51.96", "0.5196"),
    "air dried": ("P1,2025-01,generation,bituminous,carbon,0.5,%,,,", "unit", "wrong unit", "%", "counted in tC/t"),
    "fraction": ("P1,2025-01,generation,bituminous,oxidation,0.99,%,,,", "quantity", "not in percent", "0.99", "is 99"),
    "ratio": ("P1,2025-01,generation,heat_supply_ratio,product,120,%,,,", "quantity", "not in percent", "120", "100"),
    "heat of carbon": (
        "P1,2025-01,generation,bituminous,carbon,0.5,tC/t,20,,",
        "ncv_gj_per_unit",
        "has no use",
        "20",
        "fuels only",
    ),
    "month": ("C1,2025-1,clinker,bituminous,in,1,t,,b,", "month", "not a month", "2025-1", "2025-01"),
    "far month": ("C1,1025-01,clinker,bituminous,in,1,t,,b,", "month", "not a month", "1025-01", "2025-01"),
    "process": ("C1,2025-02,sintering,bituminous,in,1,t,,,", "process", "not one of", "sintering", "cement: clinker"),
    "new process": ("C1,2025-02,klinker,bituminous,in,1,t,,,", "process", "not known", "klinker", "'clinker'"),
    "item": ("C1,2025-02,clinker,bituminos,in,1,t,,,", "item", "not known", "bituminos", "'bituminous'"),
    "place": ("C1,2025-02,clinker,scrap,in,1,t,,,", "item", "no place", "scrap", "clinker counts, by in, anthracite"),
    "flow": ("C1,2025-02,clinker,bituminous,out,1,t,,,", "item", "no place", "bituminous", "its place at clinker (in)"),
    "new flow": ("C1,2025-02,clinker,bituminous,input,1,t,,,", "flow", "not known", "input", "Use one of in, out"),
    "measure": ("C1,2025-02,clinker,natural_gas,in,1,t,,,", "unit", "wrong unit", "t", "counted in 1e4 Nm3"),
    "new measure": ("C1,2025-02,clinker,natural_gas,in,1,kg,,,", "unit", "not known", "kg", "Use one of t"),
    "negative": ("C1,2025-02,clinker,bituminous,in,-1,t,,,", "quantity", "out of range", "-1", "at least 0"),
    "text": ("C1,2025-02,clinker,bituminous,in,1 t,t,,,", "quantity", "not a number", "1 t", "plain finite number"),
    "empty": ("C1,2025-02,clinker,bituminous,in,,t,,,", "quantity", "is empty", "", "Fill it"),
    "kJ": (
        "C1,2025-02,clinker,bituminous,in,1,t,23736,,",
        "ncv_gj_per_unit",
        "out of range",
        "23736",
        "looks like kJ/kg",
    ),
    "no fuel": ("C1,2025-02,clinker,carbide_slag,in,1,t,2,,", "ncv_gj_per_unit", "has no use", "2", "fuels only"),
    "coke": ("S1,2025-02,enterprise,coke,in,1,t,28,,", "ncv_gj_per_unit", "has no use", "28", "default of coke"),
    "test": (
        "C1,2025-02,clinker,bituminous,test,1,t,,,",
        "ncv_gj_per_unit",
        "no calorific value",
        "",
        "measured value",
    ),
    "batch": ("C1,2025-02,clinker,bituminous,test,0,t,23,,", "quantity", "has no quantity", "0", "weight its value"),
    "balance": ("S1,2025-03,bof,diesel,in,1,t,,,", "unit_id, month", "no enterprise", "2025-03", "mass balance"),
    "version": ("C1,2025-02,clinker,bituminous,in,1,t,,,1.5", "version", "not a whole", "1.5", "whole number"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_row_is_named_by_file_line_column_and_value(tmp_path: Path, name: str) -> None:
    row, column, what, value, remedy = BAD[name]
    (problem,) = problems(write(tmp_path, row + "\n"))
    assert problem.place == "reports/2025.csv"
    assert problem.column == column
    assert what in problem.what
    assert problem.cells == (("4", value),)
    assert remedy in problem.advice


def test_all_problems_of_all_files_are_reported_at_once(tmp_path: Path) -> None:
    rows = [row for row, *_ in BAD.values()]
    write(tmp_path, *(f"{row}\n" for row in rows), register=REGISTER_CSV + "X1,EX,cement,Anhui,rolling\n")
    write(
        tmp_path,
        "C1,2024-13,clinker,bituminous,in,1,t,,,\n",
        file="2024.csv",
        register=REGISTER_CSV + "X1,EX,cement,Anhui,rolling\n",
    )
    found = problems(tmp_path)
    assert {problem.place for problem in found} == {"register.csv", "reports/2024.csv", "reports/2025.csv"}
    named = {line for problem in found if problem.place == "reports/2025.csv" for line, _ in problem.cells}
    assert named >= {str(line) for line in range(4, 4 + len(rows))}


def test_repeated_rows_are_refused_also_across_files(tmp_path: Path) -> None:
    write(tmp_path)
    write(tmp_path, file="again.csv")
    one, other = problems(tmp_path)
    assert {one.place, other.place} == {"reports/2025.csv", "reports/again.csv"}
    assert one.what == "2 rows repeat each other"
    assert [line for line, _ in one.cells] == ["2", "3"]
    assert "next version" in one.advice


def test_minutes_of_a_month_are_one_row(tmp_path: Path) -> None:
    minutes = "A1,2025-01,electrolysis,anode_effect_minutes,in,{},min/pot-day,,{},\n"
    (problem,) = problems(write(tmp_path, minutes.format("0.1", "a"), minutes.format("0.2", "b")))
    assert problem.what == "2 rows of a figure share a month"


def test_a_measured_value_may_not_return_to_the_default_within_a_year() -> None:
    def coal(month: str, *, value: float | None) -> Row:
        more = {} if value is None else {"ncv_gj_per_unit": value}
        return ("C1", month, "clinker", "bituminous", "in", 100, more)

    def refused(*rows: Row) -> list[str]:
        with pytest.raises(DataError) as caught:
            reports(rows)
        (problem,) = caught.value.problems
        assert "may not return to the default" in problem.advice
        return [line for line, _ in problem.cells]

    first, second = coal("2025-01", value=23.0), coal("2025-02", value=None)
    assert refused(first, second) == ["1"]
    assert refused(coal("2025-03", value=24.0), second, coal("2025-04", value=None), coal("2025-05", value=23)) == ["2"]
    # From the default to measured values, another year, another fuel, and a month without consumption are valid.
    reports([coal("2025-01", value=None), coal("2025-02", value=23.0)])
    reports([first, coal("2026-01", value=None)])
    reports([first, ("C1", "2025-02", "clinker", "lignite", "in", 5)])
    reports([first, ("C1", "2025-02", "clinker", "bituminous", "in", 0)])
    # A test of the month is a measured value too; one that a later version takes back is none.
    test: Row = ("C1", "2025-02", "clinker", "bituminous", "test", 9, {"ncv_gj_per_unit": 23.0})
    reports([first, second, test])
    withdrawn: Row = ("C1", "2025-01", "clinker", "bituminous", "in", 100, {"version": 2})
    reports([first, withdrawn, second])


def test_words_may_be_chinese_or_spaced_and_full_width(tmp_path: Path) -> None:
    write(
        tmp_path,
        "Ｃ1,2025-02,熟料生产,烟煤,输入,100,吨,,,\n",
        "C1,2025-02,Clinker,Carbide slag,in,10,t,,,\n",
        "C1,2025-02,clinker,天然气,in,10,万Nm3,,,\n",
        "C1,2025-02,clinker,natural gas,in,10,10^4 Nm3,,b,\n",
    )
    rows = read_reports(tmp_path).rows.iloc[2:]
    assert rows["unit_id"].tolist() == ["C1"] * 4
    assert rows["process"].tolist() == ["clinker"] * 4
    assert rows["item"].tolist() == ["bituminous", "carbide_slag", "natural_gas", "natural_gas"]
    assert rows["unit"].tolist() == ["t", "t", "1e4 Nm3", "1e4 Nm3"]
    assert rows["line"].tolist() == [4, 5, 6, 7]


CHINESE_REGISTER = """\
单元编号,企业编号,行业,省份,生产类型
C1,EC,水泥,安徽省,硅酸盐水泥熟料
S1,ES,钢铁,河北,长流程炼钢
"""
CHINESE_ROWS = """\
单元编号,月份,工序,项目,方向,数量（万吨）
C1,2025年1月,熟料,硅酸盐水泥熟料,产量,15.5
C1,2025年1月,熟料生产,烟煤,消耗,2
S1,2025年1月,全厂,焦炭,输入,0.1
S1,2025年1月,炼铁,焦炭,投入,0.1
"""


def test_a_folder_may_be_chinese_from_its_headings_to_its_words(tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "register.csv").write_text(CHINESE_REGISTER, encoding="utf-8")
    (tmp_path / "reports" / "2025.csv").write_text(CHINESE_ROWS, encoding="utf-8")
    read = read_reports(tmp_path)
    assert read.register[["sector", "activity"]].to_numpy().tolist() == [
        ["cement", "portland_clinker"],
        ["steel", "long_process"],
    ]
    assert read.rows[["month", "process", "item", "flow", "quantity", "unit"]].to_numpy().tolist() == [
        ["2025-01", "clinker", "portland_clinker", "product", 155_000.0, "t"],
        ["2025-01", "clinker", "bituminous", "in", 20_000.0, "t"],
        ["2025-01", "enterprise", "coke", "in", 1_000.0, "t"],
        ["2025-01", "ironmaking", "coke", "in", 1_000.0, "t"],
    ]


@pytest.mark.parametrize(
    ("headings", "cells", "what"),
    [
        ("消耗量,数量,计量单位", "5,700,t", "2 headings are of one column"),
        ("2024年数量,2025年数量,计量单位", "5,7,t", "2 headings are of one column"),
        ("数量,数量（万吨）", "5,7", "2 headings are of one column"),
        ("数量（万吨）,计量单位", "5,t", "two headings state the unit"),
        ("计量单位,数量（万吨）", "t,5", "two headings state the unit"),
        ("数量（kg）", "5", "the unit 'kg' in the heading cannot be told"),
        ("数量,计量单位,低位发热量(tce/t)", "5,t,0.7", "the unit 'tce/t' in the heading cannot be told"),
        ("数量,计量单位,uncertainty_rate（%）", "5,t,0.5", "the unit '%' in the heading cannot be told"),
        ("数量,计量单位,批次,仪表编号", "5,t,B1,M1", "2 headings are of one column"),
    ],
)
def test_headings_that_leave_a_number_open_are_refused(tmp_path: Path, headings: str, cells: str, what: str) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "register.csv").write_text(CHINESE_REGISTER, encoding="utf-8")
    rows = f"单元编号,月份,工序,项目,方向,{headings}\nC1,2025年1月,熟料,烟煤,消耗,{cells}\n"
    (tmp_path / "reports" / "2025.csv").write_text(rows, encoding="utf-8")
    assert any(what in str(problem.what) for problem in problems(tmp_path))


def test_a_problem_of_a_chinese_file_has_its_heading_and_its_cell(tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "register.csv").write_text(CHINESE_REGISTER.replace("长流程炼钢", "炼钢"), encoding="utf-8")
    (tmp_path / "reports" / "2025.csv").write_text(
        CHINESE_ROWS.replace("2025年1月,炼铁", "一月,炼铁"), encoding="utf-8"
    )
    of_register, of_month = problems(tmp_path)
    assert (of_register.place, of_register.column) == ("register.csv", "生产类型 (activity)")
    assert of_register.cells == (("3", "炼钢"),)
    assert (of_month.place, of_month.cells) == ("reports/2025.csv", (("5", "一月"),))


def test_a_file_is_read_alike_by_columns_and_cell_by_cell(tmp_path: Path) -> None:
    write_example(tmp_path / "one", units=4, months=2, seed=5)
    write_example(tmp_path / "other", units=4, months=2, seed=5)
    path = tmp_path / "other" / "reports" / "2025.csv"
    # A blank line is read cell by cell.
    path.write_text(path.read_text(encoding="utf-8").replace("\n", "\n\n", 1), encoding="utf-8")
    one, other = (read_reports(tmp_path / name).rows for name in ("one", "other"))
    assert (other["line"] == one["line"] + 1).all()
    pd.testing.assert_frame_equal(one.drop(columns="line"), other.drop(columns="line"))


def test_rows_of_a_file_are_those_of_a_frame(tmp_path: Path) -> None:
    register, rows = generate(4, months=2, seed=5)
    write_example(tmp_path, units=4, months=2, seed=5)
    one, other = account(read_reports(tmp_path)), account(Reports.from_frames(register, rows))
    pd.testing.assert_frame_equal(one.lines, other.lines)


def test_own_columns_are_allowed_and_others_are_not(tmp_path: Path) -> None:
    header, row = HEADER.replace("version\n", "version,x_note\n"), GOOD[0].replace("\n", ",a note\n")
    folder = write(tmp_path)
    (folder / "reports" / "2025.csv").write_text(header + row, encoding="utf-8")
    assert "x_note" in read_reports(folder).rows
    (folder / "reports" / "2025.csv").write_text(header.replace("x_note", "note") + row, encoding="utf-8")
    (problem,) = problems(folder)
    assert (problem.column, problem.what) == ("note", "is not a column of this table")


@pytest.mark.parametrize(
    ("register", "what"),
    [
        ("unit_id,enterprise_id,sector,province,activity\nC1,E,cement,Anhui,rolling\n", "activity is not one of"),
        ("unit_id,enterprise_id,sector,province\nC1,E,cement,Anhui\n", "the column is missing"),
        (
            "unit_id,enterprise_id,sector,province,activity,complex_id,city\n"
            "S1,E,steel,Hebei,long_process,K,Tangshan\nS2,F,steel,Hebei,long_process,K,Handan\n"
            "C1,G,cement,Hebei,portland_clinker,,\n",
            "2 units of complexes are not in one city",
        ),
        (
            "unit_id,enterprise_id,sector,province,activity,complex_id,city\nC1,E,cement,Hebei,portland_clinker,K,Baoding\n",
            "outside steel",
        ),
    ],
)
def test_a_bad_register_is_refused(tmp_path: Path, register: str, what: str) -> None:
    folder = write(tmp_path, register=register)
    with pytest.raises(DataError, match=what):
        read_register(folder)
    assert any(what in problem.what and problem.place == "register.csv" for problem in problems(folder))


def test_missing_files_and_folders_are_named(tmp_path: Path) -> None:
    assert {problem.place for problem in problems(tmp_path)} == {"register.csv", "reports/*.csv"}
    with pytest.raises(UsageError, match="no folder"):
        read_reports(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="expected a data frame"):
        Reports.from_frames(REGISTER, [])
    write(tmp_path)
    (tmp_path / "reports" / "2025.csv").write_text("unit_id,month\nC1,2025-01\n", encoding="utf-8")
    found = problems(tmp_path)
    assert {problem.column for problem in found} == {"process", "item", "flow", "quantity", "unit"}
    (tmp_path / "reports" / "2026.xlsx").write_bytes(b"PK")
    (tmp_path / "reports" / "notes.md").write_text("not a table", encoding="utf-8")
    assert "reports/2026.xlsx" in {problem.place for problem in problems(tmp_path)}
    (tmp_path / "reports" / "2026.xlsx").unlink()
    (tmp_path / "reports" / "2025.csv").rename(tmp_path / "reports" / "2025.CSV")
    (tmp_path / "reports" / "2025.CSV").write_text("", encoding="utf-8")
    assert [problem.what for problem in problems(tmp_path)] == ["is empty"]


def test_tests_alone_make_no_figures() -> None:
    rows: list[Row] = [("C1", "2025-01", "clinker", "bituminous", "test", 9, {"ncv_gj_per_unit": 23.0})]
    accounts = account(reports([*rows, *STEEL_MONTH]))
    assert set(accounts.lines["unit_id"]) == {"S1"}
    assert account(reports(rows)).unit_years.empty


@pytest.mark.parametrize(
    ("stated", "key", "remedy"),
    [
        ({"cement.deductions.carbide_slg.tco2_per_t": 1}, "cement.deductions.carbide_slg.tco2_per_t", "carbide_slag"),
        ({"aluminium": {"anode_ash": 2.0}}, "aluminium.anode_ash", "at least 0 and at most 1 [fraction]"),
        ({"aluminium.cf4_gwp": "high"}, "aluminium.cf4_gwp", "a number of at least 0"),
        ({"aluminium.cf4_gwp": True}, "aluminium.cf4_gwp", "a number of at least 0"),
        ({"aluminium.cf4_gwp": float("nan")}, "aluminium.cf4_gwp", "a number of at least 0"),
        ({"cement.oxidation": 1}, "cement.oxidation", "true or false"),
        ({"aluminium.anode_effect": "slopes"}, "aluminium.anode_effect", "one of default, mass, slope"),
    ],
)
def test_a_wrong_factor_is_refused(stated: dict[str, object], key: str, remedy: str) -> None:
    with pytest.raises(DataError) as caught:
        Factors.of(stated)
    (problem,) = caught.value.problems
    assert problem.column == key
    assert remedy in problem.advice


def test_factors_of_a_file_are_read_and_refused_by_its_name(tmp_path: Path) -> None:
    assert read_parameters(tmp_path) == {}
    path = tmp_path / "accounting.toml"
    path.write_text("[accounting.cement.deductions.carbide_slag]\ntco2_per_t = 0.5\n", encoding="utf-8")
    stated = read_parameters(tmp_path)
    assert stated == {"cement.deductions.carbide_slag.tco2_per_t": 0.5}
    assert account(reports(CEMENT_MONTH), stated).unit_months["confidence"].item() == "stated"
    for text, what in (
        ("[accounting]\ngwp = 1\n", "is not an accounting parameter"),
        ("[policy]\nyear = 1\n", "is not a key of this file"),
        ("accounting = 1\n", "is not a table"),
        ("[accounting\n", "is not valid TOML"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(DataError) as caught:
            read_parameters(tmp_path)
        (problem,) = caught.value.problems
        assert (problem.place, what in problem.what) == ("accounting.toml", True)


def test_a_parameter_file_of_megabytes_or_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "accounting.toml"
    for content, what in ((b"#" * 1_000_001, "has 1,000,001 bytes"), (b"\xff\xfe[", "is encoded in UTF-16")):
        path.write_bytes(content)
        with pytest.raises(DataError, match=what):
            read_parameters(tmp_path)


CELLS = (
    "",
    "-1",
    "1e400",
    "nan",
    "0",
    "=1+1",
    "2025-02",
    "coke",
    "product",
    "in",
    "t",
    "C1\u200b",
    '"',
    "，",
    "1e13",
    "'",
)


@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_file_is_read_or_refused_and_never_a_traceback(tmp_path: Path, seed: int) -> None:
    folder = write_example(tmp_path, units=3, months=2, seed=1)
    path, random = folder / "reports" / "2025.csv", np.random.default_rng(seed)
    lines = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]
    for _ in range(random.integers(1, 6)):
        row, column = int(random.integers(len(lines))), int(random.integers(12))
        match random.integers(4):
            case 0:
                lines[row] = lines[row][: column + 1]
            case 1:
                lines.insert(row, lines[int(random.integers(len(lines)))])
            case _:
                lines[row] = [*lines[row]]
                lines[row][min(column, len(lines[row]) - 1)] = str(random.choice(CELLS))
    path.write_text("\n".join(map(",".join, lines)), encoding="utf-8")
    found: list[Problem] = []
    try:
        account(read_reports(folder))
    except DataError as error:
        found = error.problems
    assert all(problem.what and problem.advice for problem in found)


def test_a_frame_is_validated_as_files_are() -> None:
    rows = frame(CEMENT_MONTH).assign(item="bitumen")
    with pytest.raises(DataError, match="rows, item: 3 items are not known: row 0 'bitumen', row 1"):
        Reports.from_frames(REGISTER, rows)


@pytest.mark.parametrize("wrong", [{"units": 2}, {"months": 0}, {"seed": -1}, {"first_month": "2025"}])
def test_the_generator_refuses_numbers_out_of_range(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="out of range"):
        generate(**{"units": 4, **wrong})  # type: ignore[arg-type]
