"""The annex tables read back: every message on wrong tables, and the command."""

from __future__ import annotations

import builtins
import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.cli import main
from etsopt.common.errors import DataError, Problem, UsageError
from etsopt.data.tables.schema import LONGEST_IDENTIFIER
from etsopt.reports import read_official_tables, write_official_tables
from etsopt.reports.official.files import WORKBOOK
from etsopt.reports.official.headings import BY_NAME
from etsopt.reports.official.reading import read_back
from tests.reports.test_reading import CODES, Tables, heading, put, stated, written


def problems_of(source: Path, **how: Any) -> list[Problem]:
    with pytest.raises(DataError) as caught:
        read_back(source, how.pop("year", 2026), **how)
    assert str(caught.value).startswith("The set of official tables has ")
    return caught.value.problems


def added(tables: Tables, name: str, row: int, **cells: Any) -> None:
    """Repeat a row of a table, with other cells."""
    copy = tables[name].iloc[[row]].copy()
    for beginning, value in cells.items():
        copy[heading(tables[name], beginning)] = value
    tables[name] = pd.concat([copy, tables[name]], ignore_index=True)


def dropped(tables: Tables, name: str, row: int) -> pd.DataFrame:
    tables[name] = tables[name].drop(index=row).reset_index(drop=True)
    return tables[name]


def renamed(tables: Tables, name: str, beginning: str, other: str) -> None:
    tables[name] = tables[name].rename(columns={heading(tables[name], beginning): other})


Q, P = CODES["Q"], CODES["P"]
EMISSIONS = "①机组经核查排放量(tCO2e)"
CODE = "统一社会信用代码"

BAD: dict[str, tuple[Callable[[Tables], Any], str]] = {
    "a missing column": (
        lambda t: t.update({"2-1": t["2-1"].drop(columns=EMISSIONS)}),
        "official-2-1.csv, ①机组经核查排放量(tCO2e): the column is missing.\nAdd it: verified emissions [tCO2e].",
    ),
    "a misspelt column": (
        lambda t: renamed(t, "2-1", "①", "①机组核查排放量(tCO2e)"),
        "official-2-1.csv, ①机组经核查排放量(tCO2e): the column is missing.\n"
        "Rename the column '①机组核查排放量(tCO2e)', or add it: verified emissions [tCO2e].",
    ),
    "two columns of one heading": (
        lambda t: t["2-1"].insert(5, " ①机组经核查排放量（tCO2e）", 1.0),
        "official-2-1.csv, ①机组经核查排放量（tCO2e）: has 2 columns of this heading.\nKeep one of them.",
    ),
    "a text in a cell of numbers": (
        lambda t: put(t, "2-1", "发电量", 2, "约100万"),
        "official-2-1.csv, 发电量(MWh): 1 cell is not a number: row 4 '约100万'.\n"
        "Write a plain number, without words or units; leave a cell empty if the figure is not known.",
    ),
    "negative tonnes": (
        lambda t: put(t, "2-4", "⑤", 0, -157_000),
        "official-2-4.csv, ⑤铝电解工序碳排放量（tCO2e）: 1 figure is negative: row 2 '-157000'.\n"
        "Correct it to a number from 0 on.",
    ),
    "a load above 100 %": (
        lambda t: put(t, "2-1", "统计期", 0, 620),
        "official-2-1.csv, 统计期机组负荷（出力）系数(%): 1 percentage is out of range: row 2 '620'.\n"
        "Correct it to a percentage above 0 and at most 100, or leave the cell of a special case empty.",
    ),
    "a rate of slag above 100 %": (
        lambda t: put(t, "2-3", "电石渣替代率", 0, 130),
        "official-2-3.csv, 电石渣替代率（%）: 1 percentage is out of range: row 2 '130'.\n"
        "Correct it to a percentage of at most 100.",
    ),
    "an unknown class": (
        lambda t: put(t, "2-1", "机组类别", 0, "V"),
        "official-2-1.csv, 机组类别: 1 class is not known: row 2 'V'.\nUse one of I, II, III, IV, I+II, I+III, II+III, "
        "I+II+III.",
    ),
    "empty emissions": (
        lambda t: put(t, "2-1", "①", 0, None),
        "official-2-1.csv, ①机组经核查排放量(tCO2e): 1 cell is empty: row 2.\n"
        "Fill it in every row, also in those over which a cell is merged.",
    ),
    "an empty code": (
        lambda t: put(t, "2-1", CODE, 2, ""),
        "official-2-1.csv, 统一社会信用代码: 1 cell is empty: row 4.\n"
        "Fill it in every row, also in those over which a cell is merged.",
    ),
    "a code that a spreadsheet shortened": (
        lambda t: put(t, "2-1", CODE, 2, "9.11100E+17"),
        "official-2-1.csv, 统一社会信用代码: 1 code has lost digits: row 4 '9.11100E+17'.\n"
        "Write the code as a text: a spreadsheet keeps 15 digits of a number.",
    ),
    "a unit twice": (
        lambda t: added(t, "2-1", 2),
        f"official-2-1.csv, 统一社会信用代码: 2 rows are of one unit: row 2 '{Q} q1', row 5 '{Q} q1'.\n"
        "Keep one of the rows, or correct the code or the number of the other.",
    ),
    "an enterprise twice": (
        lambda t: added(t, "2-5-power", 1),
        f"official-2-5-power.csv, 统一社会信用代码: 2 rows are of one enterprise: row 2 '福建省 {Q}', "
        f"row 4 '福建省 {Q}'.\n"
        "Keep one of the rows, or correct the code or the number of the other.",
    ),
    "an enterprise without row in table 2-5": (
        lambda t: dropped(t, "2-5-power", 1),
        f"official-2-1.csv, 统一社会信用代码: 1 enterprise has no row in table 2-5: row 4 '{Q}'.\n"
        "Add the row of the enterprise there, or correct the code.",
    ),
    "an enterprise without row in table 1-5": (
        lambda t: dropped(t, "1-5-power", 0),
        f"official-1-1.csv, 统一社会信用代码: 1 enterprise has no row in table 1-5: row 2 '{P}'.\n"
        "Add the row of the enterprise there, or correct the code.",
    ),
    "an enterprise without units": (
        lambda t: [dropped(t, name, 2) for name in ("2-1", "1-1")],
        f"official-2-5-power.csv, 统一社会信用代码: 1 enterprise has no unit in a table 2-1 to 2-4: row 3 '{Q}'.\n"
        "Add its units, or correct the code.",
    ),
    "a unit without row in table 2": (
        lambda t: dropped(t, "2-1", 1),
        f"official-1-1.csv, 统一社会信用代码: 1 unit has no row in table 2-1: row 3 '{P} p2'.\nMake both tables agree.",
    ),
    "a unit of two enterprises": (
        lambda t: put(t, "1-1", CODE, 1, Q),
        f"official-1-1.csv, 统一社会信用代码: 1 unit is of another enterprise in table 2: row 3 '{Q} "
        f"p2, but {P} in row 3 of "
        "official-2-1.csv'.\nMake both tables agree.",
    ),
    "a unit in two provinces": (
        lambda t: put(t, "1-1", "省", 1, "Gansu"),
        f"official-1-1.csv, 省（区、市）: 1 unit is in another province in table 2: row 3 '{P} p2 "
        "Gansu, but 福建省 in row 3 "
        "of official-2-1.csv'.\nMake both tables agree.",
    ),
    "an enterprise of two names": (
        lambda t: put(t, "2-5-power", "重点排放单位名称", 0, "电力"),
        "official-2-5-power.csv, 重点排放单位名称: 1 enterprise has another name in another table: "
        "row 2 '电力, but 电厂 in "
        "row 2 of official-2-1.csv'.\nCorrect the name or the code.",
    ),
    "allowances that are not the sum": (
        lambda t: put(t, "2-1", "④", 0, 799_609),
        "official-2-1.csv, ④机组核定配额量(tCO2e): 1 figure is not the sum of (2) and (3): row 2 '799,609, expected "
        "799,610'.\nCorrect the figure, or those that it follows from.",
    ),
    "initial allowances that are not the sum": (
        lambda t: put(t, "2-1", "供热配额量", 0, 10_211),
        "official-2-1.csv, ②机组初始配额量(tCO2e): 1 figure is not the sum of electricity and heat: "
        "row 2 '799,610, expected "
        "799,611'.\nCorrect the figure, or those that it follows from.",
    ),
    "allowances beside the coefficient": (
        lambda t: put(t, "2-3", "⑦", 0, 813_334),
        "official-2-3.csv, ⑦水泥熟料生产线核定配额(tCO2e): 1 figure is not emissions times 1 plus "
        "the coefficient: row 2 "
        "'813,334, expected 813,333'.\nCorrect the figure, or those that it follows from.",
    ),
    "a special case beside its emissions": (
        lambda t: put(t, "2-4", "⑨", 1, 9_999),
        "official-2-4.csv, ⑨铝电解工序核定配额(tCO2e): 1 figure of a special case is not its "
        "emissions: row 3 '9,999, expected "
        "10,000'.\nCorrect the figure, or those that it follows from.",
    ),
    "an obligation beside the emissions": (
        lambda t: put(t, "2-1", "⑤", 0, 8_000_000),
        "official-2-1.csv, ⑤机组应清缴配额量(tCO2e): 1 figure is not the verified emissions: row 2 "
        "'8,000,000, expected "
        "800,000'.\nCorrect the figure, or those that it follows from.",
    ),
    "an intensity above emissions over output": (
        lambda t: put(t, "2-4", "④", 0, 1.58),
        "official-2-4.csv, ④铝电解工序吨铝碳排放量（tCO2e/t铝）: 1 figure is above emissions over output: row 2 '1.58, "
        "expected 1.57'.\nCorrect the figure, or those that it follows from.",
    ),
    "an intensity beside its emissions": (
        lambda t: [put(t, "2-2", sign, 0, tonnes) for sign, tonnes in (("②", 600_000), ("③", 310_000))],
        "official-2-2.csv, ④重点工序（炼铁、烧结工序）排放总量与炼铁工序产品产量的比值（tCO2e/t 炼铁工序产品产量）: "
        "1 figure is not (2) plus (3) over (1): row 2 '0.9, expected 0.91'.\n"
        "Correct the figure, or those that it follows from.",
    ),
    "pre-allocation beside its share": (
        lambda t: put(t, "1-1", "发电机组预分配配额", 0, 1_790),
        "official-1-1.csv, 发电机组预分配配额: 1 figure is not the share of last year's emissions: "
        "row 2 '1,790, expected "
        "1,789'.\nCorrect the figure, or those that it follows from.",
    ),
    "issue that is not the sum": (
        lambda t: put(t, "2-5-power", "⑤", 0, 1),
        "official-2-5-power.csv, ⑤重点排放单位核定实发配额: 1 figure is not (1) plus (2) less (3): "
        "row 2 '1, expected 807,821'.\n"
        "Correct the figure, or those that it follows from.",
    ),
    "an enterprise that is not the sum of its units": (
        lambda t: put(t, "2-5-steel", "重点排放单位核定配额", 0, 2_000_001),
        "official-2-5-steel.csv, 重点排放单位核定配额: 1 figure is not the sum of its units: row 2 "
        "'2,000,001, expected "
        "2,000,000'.\nCorrect the figure, or those that it follows from.",
    ),
    "pre-allocation issued otherwise before": (
        lambda t: put(t, "2-5-power", "④", 0, 31_790),
        "official-2-5-power.csv, ④重点排放单位预分配实发配额: 1 figure is not that of table 1-5: row "
        "2 '31,790, expected "
        "31,789'.\nCorrect the figure, or those that it follows from.",
    ),
    "a wrong total": (
        lambda t: put(t, "2-5-power", "重点排放单位核定配额", 3, 2_177_563),
        "official-2-5-power.csv, 重点排放单位核定配额: total is not the sum of its rows: row 5 '2,177,563, expected "
        "2,177,562'.\nCorrect the total, or the row that is missing or wrong.",
    ),
    "a text in the total": (
        lambda t: put(t, "2-5-power", "重点排放单位核定配额", 3, "略"),
        "official-2-5-power.csv, 重点排放单位核定配额: 1 cell is not a number: row 5 '略'.\n"
        "Write a plain number, without words or units; leave a cell empty if the figure is not known.",
    ),
    "several special cases": (
        lambda t: put(t, "2-1", "需要", 0, "应急备用；整体煤气化联合循环发电"),
        "official-2-1.csv, 需要特殊说明的事项: note names several special cases: row 2 "
        "'应急备用；整体煤气化联合循环发电'.\n"
        "Name the one that applies.",
    ),
    "no rows": (
        lambda t: t.update({"1-2": t["1-2"].iloc[:0]}),
        "official-1-2.csv: has no rows below its headings.\nFill it, or leave the table out.",
    ),
}


@pytest.mark.everyday("a unit twice", "a misspelt column", "no rows", "a text in the total", "several special cases")
@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named(tmp_path: Path, name: str) -> None:
    damage, message = BAD[name]
    tables = stated()
    damage(tables)
    problems = [str(problem) for problem in problems_of(written(tmp_path, tables))]
    assert message in problems


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    tables = stated()
    for name in ("a text in a cell of numbers", "negative tonnes", "an enterprise of two names", "a wrong total"):
        BAD[name][0](tables)
    problems = problems_of(written(tmp_path, tables))
    # A wrong cell leaves sums open, and makes no further problem.
    assert [problem.place for problem in problems] == [
        "official-2-1.csv",
        "official-2-4.csv",
        "official-2-5-power.csv",
        "official-2-5-power.csv",
    ]


@pytest.mark.nightly
def test_a_rounded_coefficient_leaves_its_decimals_open(tmp_path: Path) -> None:
    tables = stated()
    for row, coefficient in enumerate((0.0167, -0.0167)):
        put(tables, "2-3", "⑥", row, coefficient)
    assert read_official_tables(written(tmp_path, tables), year=2026).hash
    # Half of the last decimal of 800,000 t is 40 t, and a whole tonne is lost by rounding down.
    put(tables, "2-3", "⑦", 0, 813_333 + 69)
    problems = problems_of(written(tmp_path, tables))
    assert "row 2 '813,402, expected 813,360'" in str(problems[0])


def test_a_rounded_intensity_leaves_its_decimals_open(tmp_path: Path) -> None:
    tables = stated()
    put(tables, "2-4", "①", 0, 100_003)
    # 157,000 t over 100,003 t are 1.569953.
    put(tables, "2-4", "④", 0, 1.57)
    put(tables, "2-4", "④", 1, 1.6667)
    units = read_official_tables(written(tmp_path, tables), year=2026).units
    assert "intensity_emissions_tco2e" in units
    assert units.loc[units["sector"] == "aluminium", "intensity_emissions_tco2e"].isna().all()


def test_problems_of_the_instance_name_rows_and_headings(tmp_path: Path) -> None:
    tables = {name: table for name, table in stated().items() if name[0] == "2" and "5" not in name}
    long = "l" * (LONGEST_IDENTIFIER + 1)
    put(tables, "2-1", "机组编号", 0, long)
    put(tables, "2-4", CODE, 0, "=1+1")
    problems = problems_of(written(tmp_path, tables))
    assert str(problems[0]).startswith(
        f"tables of units, 机组编号 (unit_id): 1 text is too long: row 2 of official-2-1.csv '{long}'"
    )
    assert str(problems[1]) == (
        "tables of units, 统一社会信用代码 (enterprise_id): 1 cell holds a formula: row 2 of official-2-4.csv '=1+1'.\n"
        "Write the text itself, and leave an absent one empty: a spreadsheet would run the formula."
    )


def test_problems_of_the_rule_name_rows_and_headings(tmp_path: Path) -> None:
    tables = {name: table for name, table in stated().items() if name[0] == "2" and "5" not in name}
    put(tables, "2-1", "机组类别", 2, "")
    put(tables, "2-1", "统计期", 0, "/")
    problems = [str(problem).partition("\n")[0] for problem in problems_of(written(tmp_path, tables))]
    assert problems == [
        "tables of units, 机组类别 (unit_class): 1 power unit has no class: row 4 of official-2-1.csv.",
        "tables of units, 统计期机组负荷（出力）系数(%) (load_factor): 1 unit of conventional coal "
        "has no load factor: row 2 of "
        "official-2-1.csv.",
    ]


def test_a_case_that_the_plan_does_not_have_is_told(tmp_path: Path) -> None:
    tables = {name: table for name, table in stated().items() if name[0] == "2" and "5" not in name}
    put(tables, "2-4", "需要", 0, "应急备用")
    problems = problems_of(written(tmp_path, tables))
    assert "需要特殊说明的事项 (special_case): 1 unit has a special case that the rule cn does not have" in str(
        problems[0]
    )
    assert "row 2 of official-2-4.csv 'reserve'" in str(problems[0])


def in_workbook(folder: Path) -> Path:
    pytest.importorskip("xlsxwriter")
    pytest.importorskip("python_calamine")
    write_official_tables(stated(), folder, "", 2026)
    return folder / WORKBOOK


@pytest.mark.nightly
def test_tables_of_another_year_are_told(tmp_path: Path) -> None:
    book = in_workbook(tmp_path)
    problems = problems_of(book, year=2025)
    assert len(problems) == 16
    assert str(problems[0]) == (
        f"{WORKBOOK}, sheet {BY_NAME['1-1'].sheet}: is of 2026, expected 2025.\n"
        "Take the table of the other year out, or state the right year with --year."
    )
    assert read_back(book).instance.policy.year == 2026


@pytest.mark.everyday("2024", "None")
@pytest.mark.parametrize("year", [None, 2024, 2027])
def test_a_year_without_a_plan_is_told(tmp_path: Path, year: int | None) -> None:
    with pytest.raises(UsageError) as caught:
        read_back(written(tmp_path, stated()), year)
    assert str(caught.value) == (
        "The compliance year is not stated: these tables have no titles.\n\nState it with --year, as in --year 2025."
        if year is None
        else f"The year is {year}: expected 2025 to 2026, which have plans with these tables.\n\n"
        "State the compliance year with --year."
    )


def test_provinces_that_are_not_there_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_back(written(tmp_path / "all", stated()), 2026, "East")
    assert str(caught.value) == "The tables have no province 'East'.\n\nTheir provinces are 甘肃省, 福建省."
    problems = problems_of(written(tmp_path / "one", {"2-4": stated(province="Gansu")["2-4"]}))
    assert list(map(str, problems)) == [
        "official-2-4.csv: does not name its province.\n"
        "State it with --province, as in --province Shaanxi, or add a column 省（区、市）."
    ]


def test_sources_without_tables_are_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "b.xlsx").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("none")
    only_issue = written(tmp_path / "issue", {"2-5-power": stated()["2-5-power"]})
    for name, what, advice in (
        ("nowhere", "There is no file or folder", "Name a folder of CSV files, or a workbook."),
        ("empty", "has no CSV files.", "Name the folder that `etsopt export` wrote, or a workbook."),
        ("book", "has no CSV files.", "Name the workbook itself: '"),
        ("notes.txt", "notes.txt is neither a CSV file nor a workbook.", "Save it as a workbook (.xlsx), or each"),
        ("issue", "issue has no rows of determined allowances, in tables 2-1 to 2-4.", "They hold the verified"),
    ):
        with pytest.raises(UsageError) as caught:
            read_back(tmp_path / name, 2026)
        assert what in caught.value.failure
        assert caught.value.advice.startswith(advice)
    assert only_issue.is_dir()


def test_tables_without_sector_or_headings_are_told(tmp_path: Path) -> None:
    tables = stated()
    folder = written(tmp_path, tables)
    (folder / "official-2-5-power.csv").rename(folder / "official-2-5.csv")
    tables["2-5-steel"].to_csv(folder / "发放.csv", index=False)
    (folder / "official-1-1.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (folder / "official-1-2.csv").write_text('a,"b\n', encoding="utf-8")
    (folder / "official-1-3.csv").write_bytes("省,\xe9".encode("utf-16"))
    found = [str(problem) for problem in problems_of(folder)]
    assert (
        "official-2-5.csv: is table 2-5 of an unknown sector.\nPut the sector into the name of the "
        "file or sheet, as in "
        "official-2-5-power.csv or 2-5 发电."
    ) in found
    assert any(one.startswith("发放.csv: is table 2-5 of an unknown sector.") for one in found)
    assert (
        "official-1-1.csv: has no row with the headings of table 1-1.\nCopy the headings from the "
        "annex into one row above "
        "the figures."
    ) in found
    assert any(
        one.startswith("official-1-2.csv: is not valid CSV in line 1 (unexpected end of data).") for one in found
    )
    assert any(one.startswith("official-1-3.csv: is encoded in UTF-16.") for one in found)


@pytest.mark.parametrize(
    ("content", "what", "advice"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "is encrypted, or of the format before 2007.", "Remove the"),
        (b"PK\x03\x04 cut", "is damaged or no workbook (", "Open it in a spreadsheet program and save it again"),
        (b"", "is damaged or no workbook (", "Open it in a spreadsheet program and save it again"),
        (b"a,b\n1,2\n", "is damaged or no workbook (", "Open it in a spreadsheet program and save it again"),
    ],
)
def test_a_workbook_that_cannot_be_read_is_told(tmp_path: Path, content: bytes, what: str, advice: str) -> None:
    pytest.importorskip("python_calamine")
    path = tmp_path / "tables.xlsx"
    path.write_bytes(content)
    (problem,) = problems_of(path)
    assert f"tables.xlsx: {what}" in str(problem)
    assert problem.advice.startswith(advice)


@pytest.mark.parametrize("cell", [(0, 16_383), (1_048_575, 60)])
def test_a_cell_far_beyond_the_table_is_told(tmp_path: Path, cell: tuple[int, int]) -> None:
    xlsxwriter = pytest.importorskip("xlsxwriter")
    pytest.importorskip("python_calamine")
    with xlsxwriter.Workbook(tmp_path / "t.xlsx") as book:
        sheet = book.add_worksheet("2-4")
        sheet.write(9_999, 0, "x")
        sheet.write(*cell, "x")
    (problem,) = problems_of(tmp_path / "t.xlsx")
    assert str(problem).startswith("t.xlsx: has a sheet that reaches to column ")
    assert problem.advice == "Delete the rows and columns outside the tables, and save it again."


def test_a_damaged_workbook_never_ends_in_a_traceback(tmp_path: Path) -> None:
    whole = in_workbook(tmp_path).read_bytes()
    generator = np.random.default_rng(3)
    path = tmp_path / "damaged.xlsx"
    for _ in range(40):
        content = bytearray(whole)
        for place in generator.integers(len(whole), size=int(generator.integers(1, 40))):
            content[place] = int(generator.integers(256))
        path.write_bytes(content[: int(generator.integers(1, len(whole) + 1))] if generator.random() < 0.3 else content)
        with contextlib.suppress(DataError, UsageError):
            read_back(path, 2026)


def test_without_the_extra_the_command_to_install_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "tables.xlsx"
    path.write_bytes(b"PK")
    real = builtins.__import__

    def refusing(name: str, *rest: Any) -> Any:
        if name == "python_calamine":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refusing)
    with pytest.raises(UsageError) as caught:
        read_back(path, 2026)
    assert str(caught.value) == (
        "Reading the workbook tables.xlsx needs python-calamine, which is not installed.\n\n"
        'Install it, `pip install "etsopt[excel]"`, or name a folder of CSV files.'
    )


def test_formulas_and_links_are_not_evaluated(tmp_path: Path) -> None:
    xlsxwriter = pytest.importorskip("xlsxwriter")
    pytest.importorskip("python_calamine")
    table = stated(province="Gansu")["2-4"].astype(object)
    with xlsxwriter.Workbook(tmp_path / "t.xlsx") as book:
        sheet = book.add_worksheet("2-4")
        for place, name in enumerate(table.columns):
            sheet.write_string(0, place, name)
            for row, cell in enumerate(table[name]):
                if name.startswith("①"):
                    # The value that the program saved with the formula is read.
                    sheet.write_formula(1 + row, place, "=1/0", None, cell)
                elif not pd.isna(cell):
                    sheet.write(1 + row, place, cell)
    found = read_official_tables(tmp_path / "t.xlsx", year=2026, province="Gansu").units
    assert found["output_t"].tolist() == [100_000, 6_000]


def test_the_command_writes_an_instance(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = written(tmp_path / "tables", stated()), tmp_path / "out"
    assert main(["import", str(source), "--out", str(out), "--year", "2026"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (f"10 units of 2 provinces (2 aluminium, 3 cement, 4 power, 1 steel), written to {out}.")
    assert lines[1] == "The rule cn of 2026 gives the allowances of the tables for 10 of 10 units."
    assert lines[2].startswith("Not in the tables: names of units, identifiers of steel enterprises as units, cities; ")
    assert sorted(path.name for path in out.iterdir()) == ["README.md", "enterprises.csv", "policy.toml", "units.csv"]
    readme = (out / "README.md").read_text(encoding="utf-8")
    assert readme.startswith("As the annex tables of 2026 state: 10 units of 2 provinces (2 aluminium, 3 cement, ")
    assert "- table 2-1: official-2-1.csv\n" in readme
    assert str(tmp_path) not in readme
    assert main(["validate", str(out)]) == 0
    found = etsopt.read(out)
    assert found.hash == read_official_tables(source, year=2026).hash
    capsys.readouterr()
    assert main(["import", str(source), "--out", str(out), "--year", "2026"]) == 2
    assert "is not empty.\n\nChoose a new folder: existing files are not overwritten." in capsys.readouterr().err


def test_the_command_says_where_the_rule_gives_other_allowances(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Of the two lines that balance each other one is left.
    tables = {"2-3": stated()["2-3"].iloc[:1]}
    source = written(tmp_path / "tables", tables)
    arguments = ["import", str(source), "--year", "2026", "--out"]
    assert main([*arguments, str(tmp_path / "one")]) == 0
    printed = capsys.readouterr().out
    assert (
        "cement: 1 of 1 units differ, 800,000 t by the rule, 813,333 t in the tables; the balance "
        "value of these units is "
        "0.8, that of the tables 0.9, from units that are not among them.\n"
        "To allocate as the tables do, from the column reference_t: --set 'rule={name=\"given\"}'.\n"
    ) in printed
    assert main([*arguments, str(tmp_path / "other"), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["year"] == 2026
    assert content["tables"] == {"2-3": ["official-2-3.csv"]}
    assert content["sectors"][0] == {
        "sector": "cement",
        "units": 1,
        "same": 0,
        "rule_t": 800_000,
        "tables_t": 813_333,
        "balance_value": pytest.approx(0.8),
        "balance_value_of_tables": pytest.approx(0.9),
    }


@pytest.mark.nightly
def test_the_command_prints_problems_without_a_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables = stated()
    put(tables, "2-1", "发电量", 2, "约100万")
    arguments = ["import", str(written(tmp_path / "tables", tables)), "--out", str(tmp_path / "out"), "--year", "2026"]
    assert main(arguments) == 2
    assert capsys.readouterr().err == (
        "The set of official tables has a problem.\n\n"
        "1. official-2-1.csv, 发电量(MWh): 1 cell is not a number: row 4 '约100万'.\n"
        "   Write a plain number, without words or units; leave a cell empty if the figure is not known.\n"
    )
    assert not (tmp_path / "out").exists()
