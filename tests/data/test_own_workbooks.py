"""Workbooks that people made for another purpose: titles, notes, names of enterprises and headings in two levels."""

from __future__ import annotations

import re
import sys
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import etsopt
from etsopt.cli import main
from etsopt.common.errors import AssumedWarning, DataError, UsageError
from etsopt.common.language import speaking
from etsopt.data.files import workbook
from etsopt.data.files.lenient.credit_codes import check_character
from etsopt.data.files.lenient.unit_notes import stated_units
from etsopt.data.files.sheets import note_of_hidden
from etsopt.data.files.workbook import Flaws

xlsxwriter = pytest.importorskip("xlsxwriter")
pytest.importorskip("python_calamine")

CODES = ["91350100M000100Y43", "91110000802100433B"]
EMITTED = "2025年核查排放量"
HEAD = [
    "企业名称",
    "统一社会信用代码",
    "生产线",
    "单元编号",
    "省份",
    "行业",
    "2025年核查排放量",
    "熟料产量",
    "粗钢产量",
]
ROWS: list[list[Any]] = [
    ["甲水泥", CODES[0], "1#线", "U1", "安徽", "水泥", 1_260_000, 1_500_000, ""],
    ["甲水泥", CODES[0], "2#线", "U2", "安徽", "水泥", 1_220_000, 1_500_000, ""],
    ["乙钢铁", CODES[1], "", "U3", "河北", "钢铁", 8_400_000, "", 4_050_000],
]
TEN_THOUSAND = [[*row[:6], *(cell and cell / 10_000 for cell in row[6:])] for row in ROWS]
PLACE = "plants.xlsx, sheet 汇总表"
POLICY = {"year": 2026, "rule.name": "cn"}


def book(
    path: Path, cells: list[list[Any]], merged: tuple[str, ...] = (), sheets: dict[str, list[list[Any]]] | None = None
) -> Path:
    with xlsxwriter.Workbook(path) as workbook:
        for name, rows in {"汇总表": cells, **(sheets or {})}.items():
            sheet = workbook.add_worksheet(name)
            for row, line in enumerate(rows):
                for column, cell in enumerate(line):
                    if cell != "":
                        sheet.write(row, column, cell)
            for area in merged if name == "汇总表" else ():
                first, _, _ = area.partition(":")
                sheet.merge_range(area, cells[int(first[1:]) - 1][ord(first[0]) - ord("A")])
    return path


def read(path: Path) -> tuple[etsopt.Instance, list[str]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        instance = etsopt.read(path, policy=POLICY)
    return instance, [str(one.message) for one in caught if issubclass(one.category, AssumedWarning)]


def refused(path: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        read(path)
    return caught.value


def problems(path: Path) -> list[str]:
    return [str(problem) for problem in refused(path).problems]


NOTES_OF_UNITS = ["单位：万吨", "（单位：万吨）", "计量单位：万吨", "排放量和产量均以万吨计", "2025年汇总表（万吨）"]


@pytest.mark.parametrize("note", NOTES_OF_UNITS)
def test_a_unit_in_a_note_above_bare_headings_is_one_problem(tmp_path: Path, note: str) -> None:
    path = book(tmp_path / "plants.xlsx", [["重点排放单位汇总表"], ["", "", note], HEAD, *TEN_THOUSAND])
    assert problems(path) == [
        f"{PLACE}: the note {note!r} in cell C2 states a unit of measure, but 3 headings state none: "
        f"cell G3 '{EMITTED}', cell H3 '熟料产量', cell I3 '粗钢产量'.\nWrite the unit into each of these headings, "
        f"such as {EMITTED}(万吨), or {EMITTED}(吨) if that is the unit of its figures."
    ]


def test_the_remedy_for_a_unit_in_a_note_gives_the_figures_that_were_meant(tmp_path: Path) -> None:
    head = [*HEAD[:6], *(f"{heading}(万吨)" for heading in HEAD[6:])]
    instance, _ = read(book(tmp_path / "plants.xlsx", [["单位：万吨"], head, *TEN_THOUSAND]))
    assert instance.units["emissions_tco2e"].tolist() == [1_260_000, 1_220_000, 8_400_000]


def test_a_unit_in_a_note_is_one_problem_in_english_and_in_two_cells_and_below_the_table(tmp_path: Path) -> None:
    head = [
        "company name",
        "enterprise_id",
        "name",
        "unit_id",
        "province",
        "sector",
        "Verified emissions",
        "Output",
        "",
    ]
    for cells in (
        [["Unit: 10,000 t"], head, *(row[:8] for row in TEN_THOUSAND[:2])],
        [["计量单位：", "", "万吨"], HEAD, *TEN_THOUSAND],
        [HEAD, *TEN_THOUSAND, ["注：单位为万吨"]],
    ):
        said = problems(book(tmp_path / "plants.xlsx", cells))
        assert [one for one in said if "states a unit of measure, but" in one] == said[:1]


@pytest.mark.parametrize("note", ["单位：吨", "填报单位：百万吨级水泥厂", "年产100万吨以上的企业", "单位：万元"])
def test_a_note_of_tonnes_or_of_another_thing_is_no_problem(tmp_path: Path, note: str) -> None:
    instance, _ = read(book(tmp_path / "plants.xlsx", [[note], HEAD, *ROWS]))
    assert instance.units["emissions_tco2e"].sum() == 10_880_000


def test_a_unit_in_a_note_leaves_headings_with_their_own_alone(tmp_path: Path) -> None:
    head = [*HEAD[:6], "排放量(吨)", "output_t"]
    instance, _ = read(book(tmp_path / "plants.xlsx", [["单位：万吨"], head, *(row[:8] for row in ROWS[:2])]))
    assert instance.units["output_t"].tolist() == [1_500_000, 1_500_000]


def test_a_note_of_energy_is_of_energy_alone() -> None:
    assert stated_units("单位：万千瓦时") == ["万千瓦时"]
    assert stated_units("单位：万吨CO2e、吨") == ["万吨CO2e", "吨"]
    assert stated_units("日产5000吨熟料") == stated_units("2025年度") == stated_units("List of units") == []


def test_a_unit_that_only_the_second_row_of_headings_states_counts(tmp_path: Path) -> None:
    below = ["", "enterprise_id", "", "unit_id", "province", "sector", "emissions (10,000 t)", "output (10,000 t)"]
    cells = [HEAD[:8], below, *(row[:8] for row in TEN_THOUSAND[:2])]
    instance, _ = read(book(tmp_path / "plants.xlsx", cells))
    assert instance.units["emissions_tco2e"].tolist() == [1_260_000, 1_220_000]


def test_figures_below_the_threshold_in_every_enterprise_are_told(tmp_path: Path) -> None:
    _, notes = read(book(tmp_path / "plants.xlsx", [HEAD, *TEN_THOUSAND]))
    (said,) = (note for note in notes if "THE FIGURES MAY BE IN 10,000 t" in note)
    assert "every enterprise emits less than 26,000 t, the largest 840 t" in said
    assert "2025年核查排放量 from cell G2 on" in said
    _, notes = read(book(tmp_path / "plants.xlsx", [HEAD, *ROWS[:1], *TEN_THOUSAND[1:]]))
    assert not any("THE FIGURES MAY BE" in note for note in notes)


def of_two_years(last: str, this: str, more: tuple[str, ...] = ()) -> list[list[Any]]:
    """A sheet with the emissions and the output of two years, side by side."""
    head = [*HEAD[:6], f"{this}排放量", f"{last}排放量(万吨)", f"{this}产量", f"{last}产量", *more]
    return [head, *([*row[:6], row[6], row[6] // 8_000, row[7] or row[8], 9, *map(str, more)] for row in ROWS)]


@pytest.mark.parametrize(("last", "this"), [("2025年", "2026年"), ("2025", "2026年度"), ("2025年度", "")])
def test_the_columns_of_this_year_and_last_year_stand_in_one_sheet(tmp_path: Path, last: str, this: str) -> None:
    instance, notes = read(book(tmp_path / "plants.xlsx", of_two_years(last, this)))
    assert instance.units["emissions_tco2e"].tolist() == [1_260_000, 1_220_000, 8_400_000]
    assert instance.units["prior_emissions_tco2e"].tolist() == [1_570_000, 1_520_000, 10_500_000]
    assert instance.units["output_t"].tolist() == [1_500_000, 1_500_000, 4_050_000]
    assert instance.units[f"x_{last}产量"].tolist() == [9, 9, 9]
    said = f"'{last}排放量(万吨)' is prior_emissions_tco2e; '{last}产量' is not used"
    assert f"{PLACE}: the year is 2026, so that headings of 2025 are last year's: {said}." in notes


def test_the_later_of_two_years_is_this_year_where_no_policy_states_it(tmp_path: Path) -> None:
    path = book(tmp_path / "plants.xlsx", of_two_years("2023年", "2024年"))
    with pytest.warns(AssumedWarning) as told:
        instance = etsopt.read(path)
    said = [str(one.message) for one in told]
    assert any("the year is 2024, so that headings of 2023 are last year's" in one for one in said)
    # What the file says of its year is told beside the assumed one, and last year's headings say nothing of it.
    assert [one for one in said if "but the year 2026 is assumed" in one] == [
        "plants.xlsx: the heading '2024年排放量' is of 2024, but the year 2026 is assumed. If the figures are of 2024, "
        "state it: year = 2024 in a sheet `policy`, or --set year=2024."
    ]
    assert instance.units["prior_emissions_tco2e"].tolist() == [1_570_000, 1_520_000, 10_500_000]
    policy: list[list[Any]] = [["key", "value"], ["year", 2024], ["rule", "cn"]]
    stated, notes = book(tmp_path / "stated.xlsx", of_two_years("2023年", "2024年"), sheets={"policy": policy}), []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        etsopt.read(stated)
        notes = [str(one.message) for one in caught]
    assert not any("assumed" in one for one in notes)


@pytest.mark.parametrize(
    ("last", "this", "more"),
    [
        ("2025年", "2026年", ("2024年排放量",)),
        ("2023年", "2024年", ()),
        ("2024年", "2026年", ()),
        ("2025年", "2026年", ("排放量",)),
        ("2025年", "2026年", ("上年排放量",)),
    ],
)
def test_columns_of_other_years_are_refused_with_their_headings(
    tmp_path: Path, last: str, this: str, more: tuple[str, ...]
) -> None:
    cells = of_two_years(last, this, more)
    found = refused(book(tmp_path / "plants.xlsx", cells)).problems
    (problem,) = (one for one in found if one.column.endswith("emissions_tco2e"))
    assert problem.what == f"{len(problem.cells)} headings are of one column"
    shown = [heading for _, heading in problem.cells]
    if more == ("上年排放量",):
        assert shown == ["2025年排放量(万吨)", "上年排放量"]
        return
    # Beside two columns of this year, that of last year is certain.
    certain = {"2025年排放量(万吨)"} if more == ("排放量",) else set()
    assert shown == [heading for heading in cells[0] if "排放量" in heading and heading not in certain]
    assert problem.advice.startswith("Keep that of the year of the policy")


def test_a_heading_with_another_year_beside_none_is_that_of_this_year(tmp_path: Path) -> None:
    head = [*HEAD[:6], "2024年排放量", "熟料产量"]
    instance, _ = read(book(tmp_path / "plants.xlsx", [head, *(row[:8] for row in ROWS[:2])]))
    assert instance.units["emissions_tco2e"].tolist() == [1_260_000, 1_220_000]


def test_the_name_of_an_enterprise_is_that_of_the_enterprise_and_a_line_keeps_its_own(tmp_path: Path) -> None:
    instance, notes = read(book(tmp_path / "plants.xlsx", [["title"], HEAD, *ROWS]))
    assert instance.enterprises is not None
    named = dict(zip(instance.enterprises["enterprise_id"], instance.enterprises["name"], strict=True))
    assert named == {CODES[0]: "甲水泥", CODES[1]: "乙钢铁"}
    assert instance.units["name"].tolist() == ["1#线", "2#线", ""]
    assert f"{PLACE}: '企业名称' names the enterprises, which '统一社会信用代码' identifies." in notes
    results = etsopt.solve(instance)
    assert results.certified
    assert results.tables["enterprises"]["name"].tolist() == ["乙钢铁", "甲水泥"]


def test_two_names_of_an_enterprise_and_two_enterprises_of_a_name_are_told(tmp_path: Path) -> None:
    rows = [ROWS[0], ["甲水泥公司", *ROWS[1][1:]], ["甲水泥", *ROWS[2][1:]]]
    instance, notes = read(book(tmp_path / "plants.xlsx", [HEAD, *rows]))
    assert instance.enterprises is not None
    assert instance.enterprises["name"].tolist() == ["甲水泥", "甲水泥"]
    assert (
        f"{PLACE}: enterprises with several names, of which the first counts: {CODES[0]} (甲水泥 / 甲水泥公司)."
        in notes
    )
    both = " / ".join(CODES)
    assert f"{PLACE}: names that several enterprises have, each with a code of its own: 甲水泥 ({both})." in notes


def test_names_in_a_sheet_of_enterprises_take_precedence(tmp_path: Path) -> None:
    sheet: list[list[Any]] = [["企业编号", "企业名称"], [CODES[0], "甲"], [CODES[1], "乙"]]
    instance, notes = read(book(tmp_path / "plants.xlsx", [HEAD, *ROWS], sheets={"企业": sheet}))
    assert instance.enterprises is not None
    assert instance.enterprises["name"].tolist() == ["乙", "甲"]
    assert instance.units["x_企业名称"].tolist() == ["甲水泥", "甲水泥", "乙钢铁"]
    assert any("columns of your own" in note and "'企业名称'" in note for note in notes)


def test_a_sheet_of_enterprises_without_names_gets_those_of_the_units(tmp_path: Path) -> None:
    sheet: list[list[Any]] = [["企业编号", "2025年度配额期初持仓量"], [CODES[1], 5], [CODES[0], 7]]
    instance, _ = read(book(tmp_path / "plants.xlsx", [HEAD, *ROWS], sheets={"企业": sheet}))
    assert instance.enterprises is not None
    assert instance.enterprises["name"].tolist() == ["乙钢铁", "甲水泥"]
    assert instance.enterprises["opening_2025_t"].tolist() == [5, 7]


def test_the_check_character_is_that_of_the_standard_and_of_known_codes() -> None:
    # The example of GB 32100-2015, and the codes of two listed companies.
    for code in (*CODES, "91440300708461136T"):
        assert check_character(code) == code[-1]
    assert check_character("9135010OM000100Y43") == ""


def test_a_mistyped_credit_code_is_told_with_its_cell(tmp_path: Path) -> None:
    wrong = "91350100M000100Y34"
    rows = [[row[0], wrong if row[1] == CODES[0] else row[1], *row[2:]] for row in ROWS]
    _, notes = read(book(tmp_path / "plants.xlsx", [HEAD, *rows]))
    said = "credit codes whose check character is wrong, probably mistyped: cell B2 '91350100M000100Y34'."
    assert f"{PLACE}: {said}" in notes
    _, notes = read(book(tmp_path / "plants.xlsx", [HEAD, *ROWS]))
    assert not any("check character" in note for note in notes)


def test_rows_of_notes_are_one_problem_beside_that_of_totals(tmp_path: Path) -> None:
    below: list[list[Any]] = [
        ["合计", "", "", "", "", "", 10_880_000],
        ["注：经核查。"],
        ["填表人：张三", "", "审核人：李四"],
        ["备注"],
    ]
    path = book(tmp_path / "plants.xlsx", [HEAD, *ROWS, *below], merged=("A5:F5", "A6:I6"))
    assert problems(path) == [
        f"{PLACE}, 企业名称: 1 row looks like a total: cell A5 '合计'.\nDelete row 5: its units would count twice.",
        f"{PLACE}, 企业名称: 3 rows look like notes: cell A6 '注：经核查。', cell A7 '填表人：张三', "
        "cell A8 '备注'.\nDelete them, or move them to another sheet: rows 6, 7, 8.",
    ]


def test_a_row_of_a_unit_with_missing_figures_is_no_note(tmp_path: Path) -> None:
    rows = [*ROWS, ["丙水泥", CODES[1], "", "U4", "河北", "水泥", "", ""]]
    assert all("is empty" in one for one in problems(book(tmp_path / "plants.xlsx", [HEAD, *rows])))


def test_a_missing_identifier_of_units_is_told_in_chinese_and_why_the_name_is_none(tmp_path: Path) -> None:
    rows = [["1#线" if at == 2 else cell for at, cell in enumerate(row) if at != 3] for row in ROWS]
    path = book(tmp_path / "plants.xlsx", [[*HEAD[:3], *HEAD[4:]], *rows])
    with pytest.raises(DataError) as caught, pytest.warns(AssumedWarning) as told:
        etsopt.read(path, policy=POLICY)
    (problem,) = caught.value.problems
    assert str(problem).startswith(f"{PLACE}, 单元编号 (unit_id): the column is missing.")
    assert any(
        "'生产线' does not identify the units: rows 2, 3, 4 have '1#线' alike. A column unit_id (单元编号) with" in text
        for text in (str(one.message) for one in told)
    )


def test_headings_in_two_levels_are_one_problem(tmp_path: Path) -> None:
    above = [*HEAD[:7], "产品产量（万吨）", ""]
    below = [*[""] * 7, "熟料", "粗钢"]
    merged = (*(f"{letter}1:{letter}2" for letter in "ABCDEFG"), "H1:I1")
    path = book(tmp_path / "plants.xlsx", [above, below, *ROWS], merged=merged)
    said = (
        f"{PLACE}: the headings stand in two levels, in rows 1 and 2: cell H2 '熟料', cell I2 '粗钢'.\n"
        "Write them in one row without merged cells, each with its unit of measure, such as 熟料产量（万吨）, and "
        "delete the other row."
    )
    assert problems(path) == [said]


def test_a_slip_of_one_row_is_told_in_chinese_without_english_words(tmp_path: Path) -> None:
    rows = [[*ROWS[0][:7], 150], *(row[:8] for row in ROWS[1:2])]
    path = book(tmp_path / "plants.xlsx", [HEAD[:8], *rows])
    error = refused(path)
    with speaking("zh"):
        said = str(error)
    assert "emissions_tco2e或output_t：1 个单元的强度约为所属行业合理强度的 10000 倍：单元格 G2 '8400 t/t'。" in said
    assert "各行的两个数之一大了或小了约 10000 倍。" in said


def test_the_remedy_for_a_missing_reader_of_workbooks_is_in_chinese(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = book(tmp_path / "plants.xlsx", [HEAD, *ROWS])
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(UsageError) as caught:
        etsopt.read(path)
    with speaking("zh"):
        assert "将各工作表另存为 CSV 文件" in str(caught.value)


def test_units_outside_the_scope_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head, closed = [*HEAD, "特殊情形"], [*ROWS[1], "关停"]
    path = book(tmp_path / "plants.xlsx", [head, [*ROWS[0], ""], closed, [*ROWS[2], ""]])
    main(["solve", str(path), "--set", "year=2025", "--set", 'rule.name="cn-2025"', "--lang", "zh"])
    assert "另有 1 个单元不在当年度分配范围（U2）" in capsys.readouterr().out


SHEET = "xl/worksheets/sheet1.xml"


def edited(path: Path, edit: Callable[[bytes], Iterable[bytes]]) -> Path:
    """The workbook with the text of its first sheet changed, written piece by piece."""
    with zipfile.ZipFile(path) as old:
        parts = {part: old.read(part) for part in old.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for part, content in parts.items():
            with new.open(part, "w", force_zip64=True) as out:
                for piece in edit(content) if part == SHEET else [content]:
                    out.write(piece)
    return path


def test_hidden_rows_are_read_and_named(tmp_path: Path) -> None:
    path = book(tmp_path / "plants.xlsx", [HEAD, *ROWS])
    told = read(path)[1]
    assert not any("hidden" in note for note in told)
    last = 1 + len(ROWS)
    edited(path, lambda sheet: [sheet.replace(b'<row r="%d"' % last, b'<row hidden="1" r="%d"' % last)])
    assert f"{PLACE}: 1 hidden row is read like any other: {last}." in read(path)[1]
    # A row above the headings, or an empty one, holds nothing that is read.
    cells: list[list[Any]] = [["a"], ["b"], [""], *[["c"]] * 10]
    note = note_of_hidden("here", cells, Flaws(hidden=[0, 2, *range(3, 13), 20]), 0)
    assert note == "here: 10 hidden rows are read like any other: 4, 5, 6, 7, 8, 9, 10, 11 ... 13."


@pytest.mark.parametrize("name", [b"ZZZZZZ99999999999", b"a1", b"", b"A12345678"])
def test_a_cell_that_no_sheet_has_is_told_before_the_reader_breaks_on_it(tmp_path: Path, name: bytes) -> None:
    path = edited(
        book(tmp_path / "plants.xlsx", [HEAD, *ROWS]), lambda text: [text.replace(b'r="A2"', b'r="%s"' % name)]
    )
    (problem,) = refused(path).problems
    assert problem.what == f"has a cell named {name.decode()!r}, as no sheet has"


def test_a_workbook_that_unpacks_to_far_more_than_it_is_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def filled(sheet: bytes) -> Iterator[bytes]:
        before, after = sheet.split(b"</sheetData>")
        yield before + b"<row r='99'><c r='A99' t='inlineStr'><is><t>"
        yield from [b"A" * 1_000_000] * 3
        yield b"</t></is></c></row></sheetData>" + after

    path = edited(book(tmp_path / "plants.xlsx", [HEAD, *ROWS]), filled)
    assert not any("unpacks" in problem for problem in problems(path))
    monkeypatch.setattr(workbook, "MUCH", 2_000_000)
    (problem,) = refused(path).problems
    assert re.fullmatch(r"unpacks [\d,]+ bytes to 3,\d{3},\d{3}, as no table does", problem.what)


def test_a_panic_of_the_reader_is_a_damaged_workbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    panic = type("PanicException", (BaseException,), {"__module__": "pyo3_runtime"})

    def breaks(*_: object, **__: object) -> None:
        raise panic("index out of bounds")

    path = book(tmp_path / "plants.xlsx", [HEAD, *ROWS])
    monkeypatch.setattr(pd, "read_excel", breaks)
    (problem,) = refused(path).problems
    assert problem.what == "is damaged or no workbook (index out of bounds)"
    monkeypatch.setattr(pd, "read_excel", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        read(path)
