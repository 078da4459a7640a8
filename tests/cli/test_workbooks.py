"""Workbooks on the command line: a new one, conversion, a result, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import etsopt
from etsopt.cli import main

xlsxwriter = pytest.importorskip("xlsxwriter")
pytest.importorskip("python_calamine")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)


def test_a_new_workbook_asks_for_units_and_replaces_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "plants.xlsx"]) == 0
    assert "etsopt solve plants.xlsx" in capsys.readouterr().out
    assert main(["validate", "plants.xlsx"]) == 2
    shown = capsys.readouterr().err
    assert "row 3 is an example, and not read" in shown
    assert "1. plants.xlsx, sheet units: has no rows." in shown
    assert "2." not in shown
    before = Path("plants.xlsx").read_bytes()
    assert main(["new", "plants.xlsx"]) == 2
    assert "'plants.xlsx' exists." in capsys.readouterr().err
    assert Path("plants.xlsx").read_bytes() == before
    assert main(["new", "plants.xlsx", "--force", "--lang", "zh", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"file": "plants.xlsx"}
    assert Path("plants.xlsx").read_bytes() != before
    assert main(["new", "plants.csv"]) == 2
    assert "Name a file that ends in .xlsx" in capsys.readouterr().err


@pytest.mark.everyday("lang0-units")
@pytest.mark.parametrize(("lang", "sheet"), [(["--lang", "en"], "units"), (["--lang", "zh"], "单元"), ([], "单元")])
def test_a_workbook_that_was_filled_in_is_solved(
    lang: list[str], sheet: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without the option the language is that of the terminal.
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert main(["new", "plants.xlsx", *lang]) == 0
    frames = pd.read_excel("plants.xlsx", sheet_name=None, header=None, engine="calamine", dtype=object)
    units = frames[sheet].fillna("")
    units.iloc[2, 0] = "k1"
    with pd.ExcelWriter("filled.xlsx", engine="xlsxwriter") as writer:
        for name, frame in {**frames, sheet: units}.items():
            frame.to_excel(writer, sheet_name=name, header=False, index=False)
    capsys.readouterr()
    assert main(["solve", "filled.xlsx", "--out", "result.xlsx", *lang]) == 0
    shown = capsys.readouterr().out.replace("\n", " ")
    written = "Written to result.xlsx, and with every digit to the run folder result; `etsopt check result`"
    if sheet == "单元":
        written = "已写入 result.xlsx，并将全部数位写入结果文件夹 result；可用 `etsopt check result` 再次检查。"
    assert written in shown
    assert etsopt.load("result").tables["allocation"]["unit_id"].tolist() == ["k1"]
    assert sheet in pd.read_excel("result.xlsx", sheet_name=None, engine="calamine")
    assert main(["check", "result"]) == 0
    capsys.readouterr()
    assert main(["check", "result.xlsx"]) == 2
    assert "其结果在文件夹 'result' 中" in capsys.readouterr().err


MESSY = """company,plant,province,industry,emissions (kt),output
A,p1,安徽省,Cement,1260,"1,500,000"
B,p2,Hebei,iron and steel,8400,{}
"""


def test_a_messy_file_is_fixed_and_what_is_left_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    Path("plants.csv").write_text(MESSY.format("4050000"), encoding="utf-8")
    assert main(["fix", "plants.csv", "--out", "clean.xlsx", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["to"], found["problems"], found["doubts"]) == ("clean.xlsx", [], [])
    changed = {
        "place": "plants.csv",
        "cell": "row 2",
        "was": "安徽省",
        "now": "Anhui",
        "why": "one name for a province",
    }
    assert changed | {"why": "one name for a province"} in found["changes"]
    assert main(["validate", "clean.xlsx"]) == 0
    assert capsys.readouterr().err == ""
    assert main(["fix", "clean.xlsx", "--out", "again.xlsx"]) == 0
    assert capsys.readouterr().out == "Written to again.xlsx: nothing had to be changed.\n"
    Path("plants.csv").write_text(MESSY.format('"4,05"'), encoding="utf-8")
    before = Path("clean.xlsx").read_bytes()
    assert main(["fix", "plants.csv", "--out", "clean.xlsx"]) == 2
    assert "'clean.xlsx' exists." in capsys.readouterr().err
    assert Path("clean.xlsx").read_bytes() == before
    assert main(["fix", "plants.csv", "--out", "clean.xlsx", "--force"]) == 2
    said = capsys.readouterr()
    assert "Written to clean.xlsx. Changes, which are on the sheet `changes`: " in said.out
    assert "What is left to do is on the sheet `to do`, and in colour in the tables:" in said.out
    assert "1. plants.csv, output (output_t): 1 cell is not a number: row 3 '4,05'." in said.err
    assert main(["fix", "plants.csv", "--out", "other.xlsx", "--json"]) == 2
    assert [one["cells"] for one in json.loads(capsys.readouterr().out)["problems"]] == [[["3", "4,05"]]]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["plants.csv", "--out", "plants.csv"], "'plants.csv' is no name of a workbook."),
        (["clean.xlsx", "--out", "clean.xlsx", "--force"], "'clean.xlsx' is not replaced by its own repair."),
        (["folder", "--out", "clean.xlsx"], "'folder' is neither a workbook nor a CSV file."),
        (["none.csv", "--out", "clean.xlsx"], "There is no file 'none.csv'."),
    ],
)
def test_a_file_that_cannot_be_fixed_is_refused(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("folder").mkdir()
    assert main(["convert", "tiny", "clean.xlsx"]) == 0
    before = Path("clean.xlsx").read_bytes()
    assert main(["fix", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert Path("clean.xlsx").read_bytes() == before


def test_a_result_replaces_a_result_and_no_workbook_of_a_user(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", "tiny", "plants.xlsx"]) == 0
    before = Path("plants.xlsx").read_bytes()
    assert main(["solve", "plants.xlsx", "--out", "plants.xlsx"]) == 2
    assert "a result does not replace a workbook of your own" in capsys.readouterr().err
    assert Path("plants.xlsx").read_bytes() == before
    for _ in range(2):
        assert main(["solve", "plants.xlsx", "--out", "result.xlsx"]) == 0


def test_an_instance_is_converted_without_loss(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", "tiny", "tiny.xlsx"]) == 0
    assert main(["convert", "tiny.xlsx", "folder"]) == 0
    assert main(["convert", "folder", "again.xlsx", "--lang", "zh", "--json"]) == 0
    line = capsys.readouterr().out.strip().splitlines()[-1]
    assert json.loads(line) == {"to": "again.xlsx", "units": 3, "hash": etsopt.read("tiny").hash}
    assert {etsopt.read(place).hash for place in ("tiny", "tiny.xlsx", "folder", "again.xlsx")} == {
        json.loads(line)["hash"]
    }
    assert main(["convert", "tiny", "again.xlsx"]) == 2
    assert main(["convert", "tiny", "folder"]) == 2


def test_a_refused_or_missing_result_writes_no_workbook(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "tiny", "--time-limit", "1e-9", "--out", "result.xlsx"]) == 4
    assert "nothing is written to result.xlsx" in capsys.readouterr().out
    assert not Path("result.xlsx").exists()
    assert not Path("result").exists()


def test_problems_of_every_layer_are_told_in_chinese_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    head = ["单元编号", "企业编号", "行业", "省份", "排放量", "产量", "备注"]
    units = [
        [f"k{at}", f"e{at}", "水泥", province, 830_000, 1_000_000, ""] for at, province in enumerate(["河北", "安徽"])
    ]
    units += [["k2", "e2", "水泥", "四穿", "many", 0, "2026年关停"], ["合计", "", "", "", 2_490_000, 2_000_000, ""]]
    sheets = {
        "单元": [head, *units],
        "企业": [["企业编号", "企业名称"], ["e0", "甲"], ["e1", "乙"]],
        "措施": [["措施编号", "单元编号", "减排率", "使用年限"], ["m", "k9", 0.1, 10]],
        "政策": [["参数", "取值"], ["规则", "cn-2026"], ["rule.slop", 0.1], ["情景", 1]],
    }
    with pd.ExcelWriter("2025年.xlsx", engine="xlsxwriter") as writer:
        for name, cells in sheets.items():
            pd.DataFrame(cells).to_excel(writer, sheet_name=name, header=False, index=False)
    assert main(["validate", "2025年.xlsx", "--lang", "zh"]) == 2
    shown = capsys.readouterr().err
    for said in (
        "列 '备注' 第 4 行为 '2026年关停'；该列不参与计算，只有列 special_case (特殊情形) 有效。",
        "工作表“单元”，unit_id：有 1 行像是合计：单元格 A5 '合计'。\n   请删除第 5 行：",
        "工作表“单元”，排放量 (emissions_tco2e)：1 个单元格不是数值：单元格 E4 'many'。",
        "工作表“单元”，产量 (output_t)：1 个数值超出范围：单元格 F4 '0'。\n   全年停产的单元，请将该单元格留空。",
        "工作表“单元”，省份 (province)：1 个单元格不是中国的省份：单元格 D4 '四穿'。\n   是否指 '四川'？",
        "1 个企业在单元表中有单元，在企业表中没有对应的行：e2。",
        "工作表“措施”，unit_id：1 行的单元不在单元表中：单元格 B2 'k9'。",
    ):
        assert said in shown
