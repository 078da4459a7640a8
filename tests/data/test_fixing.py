"""A person's own file as a clean workbook: the same instance, a log of every change, and what is left in colour."""

from __future__ import annotations

import re
import warnings
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import etsopt
from etsopt.common.errors import AssumedWarning, DataError
from etsopt.common.language import pgettext, speaking
from etsopt.data.files.fixing import Change, Fixed
from etsopt.data.files.instance_sheets import write_workbook
from etsopt.running.reading import fix
from tests.data.test_own_workbooks import CODES, book

pytest.importorskip("xlsxwriter")
pytest.importorskip("python_calamine")

HEAD = [
    *("企业名称", "统一社会信用代码", "生产线", "单元编号", "省份", "行业", "2025年核查排放量(万吨)"),
    *("2024年核查排放量(万吨)", "2025年熟料产量", "2024年产量", "粗钢产量", "仓位"),
]
ROWS: list[list[Any]] = [
    ["甲水泥", CODES[0], "1#线", "U1", "安徽省", "水泥", 126, 120, "1,500,000", 3, "", "007"],
    ["甲水泥", CODES[0], "2#线", "Ｕ2", "安徽", "水泥熟料", 122.1, 121.5, "1,500,000.5", 3, "", "1.50"],
    ["乙钢铁", CODES[1], "", "U3", "河北", "钢铁", 840, 830, "", 3, "4,050,000", ""],
]
POLICY: list[list[Any]] = [["参数", "取值"], ["年度", 2025], ["规则", "cn-2025"], ["行业.水泥.盈缺率限值", "3%"]]
PLACE = "plants.xlsx, sheet 汇总表"


def plants(folder: Path, rows: list[list[Any]] = ROWS, head: list[str] = HEAD) -> Path:
    cells = [["2025年度重点排放单位"], head, *rows]
    return book(folder / "plants.xlsx", cells, sheets={"政策": POLICY, "草稿": [["x"]]})


def fixed(source: Path, language: str = "en", name: str = "clean.xlsx") -> tuple[Path, Fixed]:
    target = source.with_name(name)
    with speaking(language):
        return target, fix(source, target)


def read(path: Path) -> tuple[etsopt.Instance, list[str]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        instance = etsopt.read(path)
    return instance, [str(one.message) for one in caught if issubclass(one.category, AssumedWarning)]


def sheets(path: Path) -> dict[str, list[list[Any]]]:
    frames = pd.read_excel(path, sheet_name=None, header=None, engine="calamine", dtype=object)
    return {name: frame.fillna("").to_numpy().tolist() for name, frame in frames.items()}


@pytest.mark.parametrize(("language", "name"), [("en", "units"), ("zh", "单元")])
def test_the_workbook_is_the_instance_of_the_file_without_an_assumption(
    tmp_path: Path, language: str, name: str
) -> None:
    source = plants(tmp_path)
    of_file, told = read(source)
    target, found = fixed(source, language)
    again, notes = read(target)
    assert (again.hash, notes) == (of_file.hash, [])
    assert len(told) > 4
    assert (found.problems, found.doubts) == ([], [])
    assert again.order is None or again.order.tolist() == of_file.order.tolist()  # type: ignore[union-attr]
    # Cells in the order of the file, with headings in two rows as in a workbook to fill in.
    cells = sheets(target)[name]
    assert cells[0][0] == ("单元编号" if language == "zh" else "unit_id")
    assert [row[0] for row in cells[2:]] == ["U1", "U2", "U3"]
    assert [row[cells[language == "zh"].index("emissions_tco2e")] for row in cells[2:]] == [1.26e6, 1.221e6, 8.4e6]
    # What has been fixed needs no fixing, in either language.
    for other in ("en", "zh"):
        twice, nothing = fixed(target, other, f"twice-{other}.xlsx")
        assert nothing == Fixed([], [], [])
        assert read(twice)[0].hash == of_file.hash
    with speaking(language):
        log = str(pgettext("sheet", "changes"))
    once, twice_over = (sheets(tmp_path / one) for one in ("clean.xlsx", f"twice-{language}.xlsx"))
    assert {**once, log: [once[log][0]]} == twice_over


def test_every_change_is_listed_with_its_cell_and_why(tmp_path: Path) -> None:
    target, found = fixed(plants(tmp_path))
    at = {change.cell: change[1:] for change in found.changes if change.place == PLACE}
    assert at["B2"] == ("B2", "统一社会信用代码", "enterprise_id", "the heading of its column")
    assert at["D4"] == ("D4", "Ｕ2", "U2", "characters of one width, without spaces around them")
    assert at["E3"] == ("E3", "安徽省", "Anhui", "one name for a province")
    assert at["F4"] == ("F4", "水泥熟料", "cement", "one word for one thing")
    converted = "all numbers of the column are converted from 万吨 to tCO2e; this is the first"
    assert (at["G3"], at["H3"]) == (("G3", "126", "1260000", converted), ("H3", "120", "1200000", converted))
    assert at["H2"][1:3] == ("2024年核查排放量(万吨)", "prior_emissions_tco2e")
    assert at["I4"] == ("I4", "1,500,000.5", "1500000.5", "commas that separate thousands")
    assert at["K5"][1:3] == ("4,050,000", "4050000")
    assert at["J2"] == ("J2", "2024年产量", "x_2024年产量", "a column of your own begins with x_")
    # A word of the lists in either language is none of the changes.
    assert not {"E4", "E5", "F3", "F5", "G4", "C3", "L3"} & at.keys()
    of_policy = [change[1:4] for change in found.changes if change.place.endswith("政策")]
    assert of_policy[2] == ("B4", "行业.水泥.盈缺率限值 = 3%", "sectors.cement.band = 0.03")
    said = " ".join(change.why for change in found.changes if not change.cell)
    for part in ("not read are the sheets '草稿'", "headings of 2024 are last year's", "names the enterprises"):
        assert part in said
    # The sheet has them all.
    listed = sheets(target)["changes"]
    assert listed[0] == ["in the file", "cell", "as it was", "as it is", "why"]
    assert [tuple(row) for row in listed[1:]] == [tuple(change) for change in found.changes]
    assert "to do" not in sheets(target)


def styles(path: Path, number: int = 1) -> dict[str, str]:
    """Style of each cell of a sheet that has one."""
    with zipfile.ZipFile(path) as parts:
        text = parts.read(f"xl/worksheets/sheet{number}.xml").decode()
    return dict(re.findall(r'<c r="([A-Z]+\d+)" s="(\d+)"', text))


def test_what_is_refused_stays_as_it_is_in_colour_and_is_listed(tmp_path: Path) -> None:
    rows = [[*row] for row in ROWS]
    rows[0][6], rows[1][8], rows[2][4], rows[2][1], rows[1][7] = "many", "1,5", "Hebai", "", -5
    source = plants(tmp_path, [*rows, ["合计", *[""] * 5, 1088]])
    with pytest.raises(DataError) as caught:
        read(source)
    target, found = fixed(source)
    assert found.problems == caught.value.problems
    cells = sheets(target)
    units = [dict(zip(cells["units"][0], row, strict=True)) for row in cells["units"][2:]]
    assert [row["emissions_tco2e"] for row in units] == ["many", 1.221e6, 8.4e6]
    assert [row["output_t"] for row in units] == [1.5e6, "1,5", 4.05e6]
    assert [row["prior_emissions_tco2e"] for row in units] == [1.2e6, -50_000, 8.3e6]
    assert (units[2]["province"], units[2]["enterprise_id"]) == ("Hebai", "")
    coloured = {place for place in styles(target) if int(place[1:]) > 2}
    assert coloured == {"F3", "G4", "H4", "E5", "B5"}
    assert len({styles(target)[place] for place in coloured}) == 1
    to_do = {row[6]: row for row in cells["to do"][1:]}
    assert to_do["G3"][:3] == ["units!F3", "2025年核查排放量(万吨) (emissions_tco2e)", "many"]
    assert to_do["G3"][4].endswith("The unit of the column is tCO2e here, and 万吨 in the file.")
    assert [to_do["I4"][at] for at in (0, 2)] == ["units!G4", "1,5"]
    assert not to_do["I4"][4].endswith("in the file.")
    assert to_do["A6"][:4] == ["left out", "企业名称", "合计", "1 row looks like a total"]
    # A person's corrections in the workbook are all that is left.
    with pytest.raises(DataError) as left:
        read(target)
    assert {problem.column.rpartition(" ")[2].strip("()") for problem in left.value.problems} == {
        *("enterprise_id", "emissions_tco2e", "output_t", "prior_emissions_tco2e", "province")
    }


def test_a_needed_column_that_is_missing_is_there_to_be_filled_in(tmp_path: Path) -> None:
    head, rows = [*HEAD[:4], *HEAD[5:]], [[*row[:4], *row[5:]] for row in ROWS]
    target, found = fixed(plants(tmp_path, rows, head))
    assert [problem.what for problem in found.problems] == ["the column is missing"]
    cells = sheets(target)["units"]
    place = cells[0].index("province")
    assert [row[place] for row in cells[2:]] == [""] * 3
    assert {f"{'ABCDEFG'[place]}{row}" for row in (3, 4, 5)} <= styles(target).keys()


def test_a_second_column_of_one_meaning_is_kept_as_one_of_the_user(tmp_path: Path) -> None:
    target, found = fixed(plants(tmp_path, [[*row, 7] for row in ROWS], [*HEAD, "排放量"]))
    assert [problem.what for problem in found.problems] == ["2 headings are of one column"]
    cells = sheets(target)["units"]
    assert [row[cells[0].index("x_排放量")] for row in cells[2:]] == [7, 7, 7]


def test_a_file_without_a_policy_states_what_was_assumed_unless_the_file_contradicts_it(tmp_path: Path) -> None:
    head = "company,plant,province,industry,{}emissions (kt),output\n"
    rows = 'A,p1,Anhui,cement,1260,"1,500,000"\nB,p2,河北省,Steel,8400,4050000\n'
    source = tmp_path / "plants.csv"
    source.write_text(head.format("") + rows, encoding="utf-8")
    target, found = fixed(source)
    assert read(target)[1] == []
    assert [row[:2] for row in sheets(target)["policy"][1:3]] == [["year", 2026], ["rule.name", "cn"]]
    assert Change("plants.csv", "row 3", "河北省", "Hebei", "one name for a province") in found.changes
    assert ("row of headings", "company", "enterprise_id") in [change[1:4] for change in found.changes]
    assert "the policy does not state the year 2026 and the rule cn" in found.changes[-1].why
    source.write_text(head.format("2024 ") + rows, encoding="utf-8")
    target, found = fixed(source, name="doubt.xlsx")
    assert [row[:2] for row in sheets(target)["policy"][1:3]] == [["year", ""], ["rule.name", "cn"]]
    assert "is of 2024, but the year 2026 is assumed" in found.doubts[-1]
    assert found.doubts[-1] in [row[3] for row in sheets(target)["to do"]]
    assert any("does not state the year 2026" in note for note in read(target)[1])
    # A doubt that nobody has settled stays one.
    again, nothing = fixed(target, name="again.xlsx")
    assert (nothing.changes, len(nothing.doubts)) == ([], 1)
    assert sheets(again)["policy"] == sheets(target)["policy"]


def test_what_the_rule_refuses_is_left_to_do_as_well(tmp_path: Path) -> None:
    rows = [[*row] for row in ROWS]
    rows[1][8] = ""
    target, found = fixed(plants(tmp_path, rows))
    (problem,) = found.problems
    assert problem.what == "1 unit has no output or no emissions on which to measure intensity"
    (row,) = sheets(target)["to do"][1:]
    assert (row[0], row[6]) == ("units!G4", "I4")
    assert "G4" in styles(target)


def test_a_doubt_about_figures_is_no_change_and_stays(tmp_path: Path) -> None:
    rows = [[*row[:11], "2026年关停" if row[3] == "U1" else ""] for row in ROWS]
    rows[0][1] = "91350100M000100Y34"
    target, found = fixed(plants(tmp_path, rows, [*HEAD[:11], "备注"]))
    assert [re.sub("^.*?: ", "", doubt)[:24] for doubt in found.doubts] == [
        "credit codes whose check",
        "'备注' says '2026年关停' in r",
    ]
    # The code is on the sheet of the enterprises too.
    assert len(read(target)[1]) == 3


def test_a_file_without_units_has_nothing_to_write(tmp_path: Path) -> None:
    source = book(tmp_path / "plants.xlsx", [["a", "b"]])
    with pytest.raises(DataError, match="headings of units"):
        fixed(source)
    assert not (tmp_path / "clean.xlsx").exists()


@pytest.mark.parametrize("name", ["tiny", "eu-2019"])
def test_a_workbook_of_an_instance_needs_no_fixing(tmp_path: Path, name: str) -> None:
    write_workbook(tmp_path / "plants.xlsx", etsopt.read(name), in_chinese=True)
    target, found = fixed(tmp_path / "plants.xlsx", "zh")
    assert found == Fixed([], [], found.doubts)
    assert read(target)[0].hash == etsopt.read(name).hash
