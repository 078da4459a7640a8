"""Instances in one file: workbooks and CSV files of people, in both languages, and what is refused with its cell."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import etsopt
from etsopt.common.errors import AssumedWarning, DataError, UsageError
from etsopt.data.files import shipped
from etsopt.data.files.instance_sheets import write_workbook
from etsopt.data.files.read import read_instance
from etsopt.data.files.template_words import EXAMPLES
from etsopt.data.policy.chinese import KEYS
from etsopt.data.policy.parsing import SECTIONS
from etsopt.data.policy.rule import RulePolicy
from etsopt.data.tables.chinese import WORDS
from etsopt.data.tables.provinces import ENGLISH
from etsopt.rules.registry import RULES

xlsxwriter = pytest.importorskip("xlsxwriter")
pytest.importorskip("python_calamine")

SECTOR_WORDS = {word for words in WORDS["sector"].values() for word in words}

HEAD = ["unit_id", "enterprise_id", "sector", "province", "emissions_tco2e", "output_t"]
ROWS: list[list[Any]] = [
    ["k1", "north", "cement", "Hebei", 830_000, 1_000_000],
    ["k2", "south", "cement", "Anhui", 640_000, 800_000],
]
POLICY: list[list[Any]] = [["key", "value"], ["year", 2025], ["rule.name", "cn-2025"]]


def book(path: Path, sheets: dict[str, list[list[Any]]], merged: str = "") -> Path:
    """A workbook of cells; a pair is a formula and its value, and ``#N/A`` an error."""
    with xlsxwriter.Workbook(path) as workbook:
        for name, cells in sheets.items():
            sheet = workbook.add_worksheet(name)
            for row, line in enumerate(cells):
                for column, cell in enumerate(line):
                    if isinstance(cell, tuple):
                        sheet.write_formula(row, column, cell[0], None, cell[1])
                    elif cell != "":
                        sheet.write(row, column, cell)
            if merged:
                sheet.merge_range(merged, "north")
    return path


def read(path: Path) -> etsopt.Instance:
    """The instance of a file; what it assumes is no subject here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AssumedWarning)
        return etsopt.read(path)


def problems(path: Path) -> list[str]:
    with pytest.raises(DataError) as caught:
        read(path)
    return [str(problem).partition("\n")[0] for problem in caught.value.problems]


def assumed(path: Path) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        etsopt.read(path)
    return [str(one.message) for one in caught if issubclass(one.category, AssumedWarning)]


@pytest.mark.everyday("tiny-False")
@pytest.mark.parametrize("in_chinese", [False, True])
@pytest.mark.parametrize("name", ["tiny", "eu-2019", "cn-2025"])
def test_a_shipped_instance_is_the_same_as_a_workbook(tmp_path: Path, name: str, in_chinese: bool) -> None:
    instance = read_instance(shipped.folder(name))
    write_workbook(tmp_path / "plants.xlsx", instance, in_chinese)
    found = read_instance(tmp_path / "plants.xlsx")
    assert found.hash == instance.hash
    for table in instance.tables:
        pd.testing.assert_frame_equal(found.tables[table], instance.tables[table], check_like=True)


@pytest.mark.parametrize("seed", range(6))
def test_a_random_instance_is_the_same_as_a_workbook(
    tmp_path: Path, seed: int, random_instance: Callable[..., etsopt.Instance]
) -> None:
    instance = random_instance(seed, 12)
    own: dict[str, list[Any]] = {
        "x_float": [1.0, 2.5],
        "x_code": ["007", "1e5"],
        "x_number": [1, 2],
        "x_text": ["=1+1", "水泥"],
    }
    units = instance.units.assign(
        **{name: (cells * len(instance.units))[: len(instance.units)] for name, cells in own.items()}
    )
    changed = etsopt.Instance.from_frames(units=units, policy=instance.policy.model_dump(exclude_unset=True))
    write_workbook(tmp_path / "plants.xlsx", changed)
    assert read_instance(tmp_path / "plants.xlsx").hash == changed.hash


def test_numbers_keep_all_their_digits(tmp_path: Path) -> None:
    rows = [["k1", "north", "cement", "Hebei", 830_000.1234567891, 1_000_000.1 + 0.2]]
    frame = pd.DataFrame(rows, columns=HEAD)
    instance = etsopt.Instance.from_frames(units=frame, policy={"year": 2025, "rule": {"name": "cn-2025"}})
    write_workbook(tmp_path / "plants.xlsx", instance)
    assert read_instance(tmp_path / "plants.xlsx").units["emissions_tco2e"].tolist() == [830_000.1234567891]
    assert read_instance(tmp_path / "plants.xlsx").units["output_t"].tolist() == [1_000_000.1 + 0.2]


def test_the_same_instance_is_the_same_file(tmp_path: Path) -> None:
    for name in ("one.xlsx", "other.xlsx"):
        write_workbook(tmp_path / name, etsopt.read("tiny"))
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "other.xlsx").read_bytes()


CHINESE: dict[str, list[Any]] = {
    "统一社会信用代码": ["甲", "乙"],
    "机组/生产线/工序编号": ["k1", "k2"],
    "所属行业": ["水泥", "水泥"],
}
CHINESE |= {"省份": ["安徽省", "河北"], "2025年度排放量（万吨）": [83.07, 64.0], "熟料产量（万吨）": [100.0, 80.0]}


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
def test_a_table_in_chinese_is_that_in_english(tmp_path: Path, suffix: str) -> None:
    frame = pd.DataFrame(CHINESE)
    path = tmp_path / f"plants{suffix}"
    frame.to_excel(path, index=False) if suffix == ".xlsx" else frame.to_csv(path, index=False, encoding="gbk")
    units = read(path).units
    assert units["province"].tolist() == ["Anhui", "Hebei"]
    assert units["sector"].tolist() == ["cement", "cement"]
    # 83.07 times 10,000 in floating point is 830,699.9999999999.
    assert units["emissions_tco2e"].tolist() == [830_700.0, 640_000.0]
    assert units["output_t"].tolist() == [1_000_000.0, 800_000.0]
    assert units["enterprise_id"].tolist() == ["甲", "乙"]


def test_frames_and_folders_understand_chinese_too(tmp_path: Path) -> None:
    frame, policy = (
        pd.DataFrame(CHINESE),
        {"year": 2025, "rule": {"name": "cn-2025"}, "sectors": {"水泥": {"band": 0.02}}},
    )
    instance = etsopt.Instance.from_frames(units=frame, policy=policy | {"provinces": {"balance": {"安徽": 0.1}}})
    assert instance.policy.sectors["cement"].band is not None
    assert instance.policy.provinces.balance == {"Anhui": 0.1}
    assert instance.with_policy({"sectors.水泥.band": 0.01}).policy.sectors["cement"].band.upper == 0.01  # type: ignore[union-attr]
    frame.to_csv(tmp_path / "units.csv", index=False)
    (tmp_path / "policy.toml").write_text('year = 2025\n[rule]\nname = "cn-2025"\n', encoding="utf-8")
    assert etsopt.read(tmp_path).units.equals(instance.units)


def test_a_sector_is_not_stated_twice_in_two_languages() -> None:
    policy = {"year": 2025, "rule": {"name": "cn-2025"}, "sectors": {"水泥": {"band": 0.02}, "cement": {"band": 0.03}}}
    with pytest.raises(DataError, match=r"sectors\.cement: is stated twice: cement too"):
        etsopt.Instance.from_frames(units=pd.DataFrame(CHINESE), policy=policy)


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
def test_the_table_of_a_newcomer_is_read_and_every_assumption_told(tmp_path: Path, suffix: str) -> None:
    frame = pd.DataFrame({"企业名称": ["甲", "乙"], "省份": ["安徽", "河北"], "行业": ["水泥"] * 2, "备注": ["x", ""]})
    frame = frame.assign(**{"排放量(万吨)": [83.0, 64.0], "熟料产量(万吨)": [100.0, 80.0]})
    path = tmp_path / f"plants{suffix}"
    frame.to_excel(path, index=False, sheet_name="数据") if suffix == ".xlsx" else frame.to_csv(path, index=False)
    place = "plants.xlsx, sheet 数据" if suffix == ".xlsx" else "plants.csv"
    assert assumed(path) == [
        f"{place}: '企业名称' identifies the enterprise, as there is no column enterprise_id.",
        f"{place}: every enterprise is one unit, as there is no column unit_id.",
        f"{place}: columns of your own, which are carried to the results and not used: '备注'.",
        f"plants{suffix}: the policy does not state the year 2026 and the rule cn, which are assumed; state year and "
        "rule.name in a sheet `policy`, or by --set.",
    ]
    instance = read(path)
    assert (instance.policy.year, instance.policy.rule.name) == (2026, "cn")
    assert etsopt.solve(instance).certified
    assert sorted(instance.units) == sorted(
        ["unit_id", "enterprise_id", "sector", "province", "emissions_tco2e", "output_t", "x_备注"]
    )


@pytest.mark.parametrize(
    ("file", "sheet", "title", "heading", "where"),
    [
        ("2024年配额.xlsx", "单元", "", "排放量", "the name of the file '2024年配额'"),
        ("plants.xlsx", "2024年", "", "排放量", "the name of the sheet '2024年'"),
        ("plants.xlsx", "单元", "2024年度重点排放单位", "排放量", "the title '2024年度重点排放单位'"),
        ("plants.xlsx", "单元", "", "2024年排放量", "the heading '2024年排放量'"),
        ("plants_2026-11-20.xlsx", "单元", "No. 202401, of 2024-05-06", "排放量", ""),
        ("2026.xlsx", "单元", "2026年度", "2026年排放量", ""),
    ],
)
def test_a_year_other_than_the_assumed_one_is_told(
    tmp_path: Path, file: str, sheet: str, title: str, heading: str, where: str
) -> None:
    cells = [[title], [*HEAD[:4], heading, HEAD[5]], *ROWS]
    path = book(tmp_path / file, {sheet: cells})
    said = [note for note in assumed(path) if "--set year=" in note]
    expected = (
        f"{file}: {where} is of 2024, but the year 2026 is assumed. If the figures are of 2024, state it: year = 2024 "
        "in a sheet `policy`, or --set year=2024."
    )
    assert said == ([expected] if where else [])
    if where:
        # A year that is stated is not doubted, and the remedy is understood.
        stated = book(tmp_path / file, {sheet: cells, "policy": [["key", "value"], ["year", 2025]]})
        assert [note for note in assumed(stated) if "--set year=" in note] == []
        with warnings.catch_warnings():
            warnings.simplefilter("error", AssumedWarning)
            assert etsopt.read(path, policy={"year": 2024, "rule.name": "cn-2024"}).policy.year == 2024


def test_what_is_assumed_is_told_at_the_line_that_reads(tmp_path: Path) -> None:
    (tmp_path / "my.csv").write_text(
        "企业编号,单元编号,行业,省份,排放量,熟料产量\na,b,水泥,安徽,900000,1000000\n", "utf-8"
    )
    with pytest.warns(AssumedWarning) as caught:
        etsopt.read(tmp_path / "my.csv")
    assert {one.filename for one in caught} == {__file__}


def test_changes_of_the_policy_come_before_its_rule(tmp_path: Path) -> None:
    frame = pd.DataFrame(ROWS, columns=HEAD).drop(columns="output_t")
    frame.to_csv(tmp_path / "plants.csv", index=False)
    with pytest.raises(DataError, match="output_t"):
        read(tmp_path / "plants.csv")
    # No plan is assumed, so that there is nothing to tell.
    changed = etsopt.read(tmp_path / "plants.csv", policy={"rule.name": "cn-2024", "year": 2024})
    assert changed.policy.rule.name == "cn-2024"


def test_enterprises_with_several_units_need_identifiers_of_units(tmp_path: Path) -> None:
    rows = [["north", *row[2:]] for row in ROWS]
    path = book(tmp_path / "plants.xlsx", {"units": [["enterprise_id", *HEAD[2:]], *rows], "policy": POLICY})
    assert problems(path) == ["plants.xlsx, sheet units, unit_id: the column is missing."]


def test_headings_may_stand_in_two_rows_below_a_title(tmp_path: Path) -> None:
    second = ["单元编号", "企业编号", "行业", "省份", "排放量(tCO2e)", "熟料产量(吨)"]
    cells = [["Plants of 2025"], [], HEAD, second, *ROWS]
    found = read(book(tmp_path / "plants.xlsx", {"units": cells, "政策": POLICY}))
    assert found.units["unit_id"].tolist() == ["k1", "k2"]
    assert found.policy.rule.name == "cn-2025"


@pytest.mark.parametrize(("word", "kept"), [("EXAMPLE", 2), ("示例", 2), ("example line", 3)])
def test_an_example_row_is_told_and_not_read(tmp_path: Path, word: str, kept: int) -> None:
    path = book(tmp_path / "plants.xlsx", {"units": [HEAD, [word, *ROWS[0][1:]], *ROWS], "policy": POLICY})
    assert len(read(path).units) == kept
    said = ["plants.xlsx, sheet units: row 2 is an example, and not read."]
    assert assumed(path) == (said if kept == 2 else [])


def test_several_example_rows_are_told_in_one_line(tmp_path: Path) -> None:
    path = book(tmp_path / "plants.xlsx", {"units": [HEAD, *[["示例", *ROWS[0][1:]]] * 2, *ROWS], "policy": POLICY})
    assert assumed(path) == ["plants.xlsx, sheet units: rows 2, 3 are examples, and not read."]


def test_the_examples_of_a_template_fit_their_schema_and_no_one_doubts_them(tmp_path: Path) -> None:
    examples = [row for row in EXAMPLES["units"][0] if row["sector"] == "steel"]
    assert {"intensity_output_t", "intensity_emissions_tco2e"} <= set(examples[0])
    frame = pd.DataFrame(EXAMPLES["units"][0]).assign(unit_id=["a", "b"])
    frame.to_csv(tmp_path / "plants.csv", index=False)
    assert [line for line in assumed(tmp_path / "plants.csv") if "policy" not in line] == []


def test_the_name_of_an_enterprise_that_is_one_unit_is_that_of_both(tmp_path: Path) -> None:
    frame = pd.DataFrame({"企业名称": ["北方水泥", "南方水泥"], **CHINESE}).drop(columns="机组/生产线/工序编号")
    frame.to_csv(tmp_path / "plants.csv", index=False)
    instance = read(tmp_path / "plants.csv")
    assert instance.enterprises is not None
    for identifier, table in (("unit_id", instance.units), ("enterprise_id", instance.enterprises)):
        assert dict(zip(table[identifier], table["name"], strict=True)) == {"甲": "北方水泥", "乙": "南方水泥"}
    said = "plants.csv: '企业名称' names the enterprises, which '统一社会信用代码' identifies."
    assert said in assumed(tmp_path / "plants.csv")


def test_unusual_figures_of_a_column_are_told_once_with_its_first_cell(tmp_path: Path) -> None:
    rows = [["k1", "a", "cement", "Hebei", 83_000.0, 1_000_000], ["k2", "b", "steel", "Anhui", 90_000.0, 1_000_000]]
    rows += [["k3", "c", "steel", "Hebe", 90_000.0, 1_000_000], ["k4", "d", "steel", "Nowhere", 90_000.0, 1_000_000]]
    path = book(
        tmp_path / "plants.xlsx", {"units": [["Plants"], HEAD, *rows], "policy": [*POLICY, ["provinces.names", "any"]]}
    )
    provinces, unusual = assumed(path)
    of = "Check the units of measure, emissions_tco2e from cell E3 on, output_t from cell F3 on: "
    assert of in unusual
    assert "the intensity of cement is" in unusual
    assert "the intensity of steel is" in unusual
    assert provinces.endswith("'Hebe', 'Nowhere' are no provinces of China. Did you mean 'Hebei'?")


def test_a_slip_of_a_whole_column_is_refused_with_its_cells(tmp_path: Path) -> None:
    cells = [["Plants"], ["unit_id", *HEAD[1:4], "排放量(吨)", HEAD[5]], *([*row[:4], 83, row[5]] for row in ROWS)]
    assert problems(book(tmp_path / "plants.xlsx", {"units": cells, "policy": POLICY})) == [
        "plants.xlsx, sheet units, emissions_tco2e or output_t: 2 units have about 1/10000 of the plausible intensity "
        "of their sector: cell E3 '8.3e-05 t/t', cell E4 '0.00010375 t/t'."
    ]


def test_own_numbers_are_numbers_of_a_workbook_and_words_are_those_of_the_lists_beside_them(tmp_path: Path) -> None:
    cells = [[*HEAD, "x_share", "x_code"], [*ROWS[0], 12.5, "007"], [*ROWS[1], 3, "1"]]
    instance = read(book(tmp_path / "plants.xlsx", {"units": cells, "policy": POLICY}))
    write_workbook(tmp_path / "again.xlsx", instance, in_chinese=True)
    assert read_instance(tmp_path / "again.xlsx").hash == instance.hash
    sheet = pd.read_excel(tmp_path / "again.xlsx", sheet_name="单元", header=None, engine="calamine").iloc[2:]
    assert sheet[2].tolist() == ["水泥", "水泥"]
    assert sheet[3].tolist() == ["河北", "安徽"]
    assert sheet[6].tolist() == [12.5, 3]
    assert sheet[7].tolist() == ["007", "1"]


CHINESE_POLICY: list[list[Any]] = [
    ["参数", "取值"],
    ["年度", 2025],
    ["规则", "cn-2025"],
    ["行业.水泥.盈缺率限值", "2.5%"],
    ["省份.平衡限值.河北", "50 ％"],
    ["分配.配额取整", "是"],
    ["分配.强度顺序", "否"],
    ["分配.限值适用对象", "企业"],
]


def test_a_policy_may_be_stated_in_chinese(tmp_path: Path) -> None:
    path = book(tmp_path / "plants.xlsx", {"units": [HEAD, *ROWS], "政策": CHINESE_POLICY})
    policy = read(path).policy
    assert (policy.year, policy.rule.name) == (2025, "cn-2025")
    assert policy.sectors["cement"].band.upper == 0.025  # type: ignore[union-attr]
    assert policy.provinces.balance == {"Hebei": 0.5}
    assert (policy.allocation.integer_allowances, policy.allocation.intensity_order) == (True, False)
    assert policy.allocation.band_on == "enterprise"
    assert assumed(path) == []
    folder = tmp_path / "folder"
    folder.mkdir()
    pd.DataFrame(ROWS, columns=HEAD).to_csv(folder / "units.csv", index=False)
    lines = ['"Year" = 2025', '"规则" = "cn-2025"', '["行业"."水泥"]', '"盈缺率限值" = 0.025', '["省份"]']
    lines += ['"平衡限值" = {"河北"=0.5}', '["分配"]', '"配额取整" = "是"', '"强度顺序" = false']
    (folder / "policy.toml").write_text("\n".join([*lines, '"限值适用对象" = "企业"']), encoding="utf-8")
    assert etsopt.read(folder).policy == policy


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("年度 = 2025", 'A Chinese key needs quotes: "年度" = 2026.'),
        ("[sectors.cement]\ntarget_change = -1%", "A share is a fraction: -0.01, not -1 %."),
        ('year=2025\n[sectors.cement]\ntarget_change = "-1%"', "Write -0.01, without quotes: a share is a fraction."),
    ],
)
def test_a_slip_in_a_policy_file_is_told_with_what_to_write(tmp_path: Path, text: str, said: str) -> None:
    pd.DataFrame(ROWS, columns=HEAD).to_csv(tmp_path / "units.csv", index=False)
    (tmp_path / "policy.toml").write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        etsopt.read(tmp_path)
    assert said in str(caught.value)


def test_every_key_of_the_policy_has_a_chinese_word_of_its_own() -> None:
    keys = {key for section in SECTIONS.values() for key in section.model_fields} | {*RulePolicy.model_fields}
    keys |= {key for rule in RULES.values() for key in rule.parameters.model_fields}
    assert keys == set(KEYS)
    words = [word for words in KEYS.values() for word in words]
    assert len(words) == len(set(words))
    # A word that is a sector's or a province's could not be told from it.
    assert [word for word in words if word in ENGLISH or word in SECTOR_WORDS] == []


def test_other_sheets_are_told(tmp_path: Path) -> None:
    sheets = {"my plants": [HEAD, *ROWS], "sums": [["total", 1_470_000]], "policy": POLICY, "notes": [["any"]]}
    path = book(tmp_path / "plants.xlsx", sheets)
    assert len(read(path).units) == 2
    (said,) = assumed(path)
    assert said.startswith("plants.xlsx: not read are the sheets 'sums'. Sheets that are read are named units,")


def test_two_sheets_may_be_the_units_or_none(tmp_path: Path) -> None:
    two = book(tmp_path / "two.xlsx", {"a": [HEAD, *ROWS], "b": [HEAD, *ROWS]})
    assert problems(two) == ["two.xlsx: has 2 sheets with headings of units."]
    none = book(tmp_path / "none.xlsx", {"a": [["x", "y"]], "policy": POLICY})
    assert problems(none) == ["none.xlsx: has no sheets with headings of units."]
    both = book(tmp_path / "both.xlsx", {"units": [HEAD, *ROWS], "单元": [HEAD, *ROWS]})
    assert problems(both)[0] == "both.xlsx: has 2 sheets of one table: units, 单元."


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        pytest.param(
            [[*HEAD, "排放量"], *([*row, 1] for row in ROWS)],
            "emissions_tco2e: 2 headings are of one column: cell E1 'emissions_tco2e', cell G1 '排放量'.",
            id="two headings of one column",
        ),
        pytest.param(
            [[*HEAD[:4], "排放量(磅)", HEAD[5]], *ROWS],
            "emissions_tco2e: the unit '磅' in the heading cannot be told: cell E1 '排放量(磅)'.",
            id="a unit that cannot be told",
        ),
        pytest.param(
            [[*HEAD[:4], "emissions_tco2e (mt)", HEAD[5]], *ROWS],
            "emissions_tco2e: the unit 'mt' in the heading cannot be told: cell E1 'emissions_tco2e (mt)'.",
            id="metric tons or short_figure",
        ),
        pytest.param(
            [HEAD, [*ROWS[0][:4], ("=A1*2", ""), 1], ROWS[1]],
            "1 formula has no value: cell E2 '=A1*2'.",
            id="a formula without a value",
        ),
        pytest.param(
            [["单元编号", *HEAD[1:4], "排放量(万吨)", HEAD[5]], [*ROWS[0][:4], "many", 1], ROWS[1]],
            "排放量(万吨) (emissions_tco2e): 1 cell is not a number: cell E2 'many'.",
            id="the heading and cell as they are in the file",
        ),
        pytest.param(
            [HEAD, [20250000000000012, *ROWS[0][1:]], ROWS[1]],
            "unit_id: 1 identifier has lost digits: cell A2 '2.025e+16'.",
            id="an identifier that lost digits",
        ),
        pytest.param(
            [[*HEAD, ""], [*ROWS[0], "left"], [*ROWS[1], ""]],
            "1 cell has no heading: cell G2 'left'.",
            id="a cell without a heading",
        ),
        pytest.param(
            [[*HEAD, "emision_tco2e"], *([*row, 1] for row in ROWS)],
            "emision_tco2e: is not a column of this table: cell G1.",
            id="a misspelt column is not one of the user's own",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_cell(tmp_path: Path, cells: list[list[Any]], said: str) -> None:
    path = book(tmp_path / "plants.xlsx", {"units": cells, "policy": POLICY})
    found = [
        line.removeprefix("plants.xlsx, sheet units, ").removeprefix("plants.xlsx, sheet units: ")
        for line in problems(path)
    ]
    assert said in found


def test_merged_cells_and_errors_are_refused(tmp_path: Path) -> None:
    path = book(tmp_path / "plants.xlsx", {"units": [HEAD, *ROWS]}, merged="B2:B3")
    assert problems(path)[0] == "plants.xlsx, sheet units: 1 range of cells is merged: cell B2:B3 'north'."
    with zipfile.ZipFile(book(tmp_path / "good.xlsx", {"units": [HEAD, *ROWS], "policy": POLICY})) as good:
        parts = {name: good.read(name) for name in good.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = re.sub(rb'<c r="E2"><v>830000</v></c>', b'<c r="E2" t="e"><v>#N/A</v></c>', parts[sheet])
    with zipfile.ZipFile(tmp_path / "error.xlsx", "w") as bad:
        for name, content in parts.items():
            bad.writestr(name, content)
    assert problems(tmp_path / "error.xlsx")[0] == "error.xlsx, sheet units: 1 cell is an error: cell E2 '#N/A'."


POLICY_CELLS: list[list[Any]] = [
    ["sectors.cement.band", "2.5 %"],
    ["sectors.水泥.target_change", -0.007],
    ["allocation.integer_allowances", True],
    ["allocation.intensity_order", "FALSE"],
    ["allocation.objectives", '["largest_change"]'],
    ["provinces.balance.河北", 0.5],
    ["national.target_t", ""],
]


def test_the_policy_is_a_sheet_of_keys_and_values(tmp_path: Path) -> None:
    path = book(tmp_path / "plants.xlsx", {"units": [HEAD, *ROWS], "policy": [*POLICY, *POLICY_CELLS]})
    policy = read(path).policy
    assert policy.sectors["cement"].band.lower == 0.025  # type: ignore[union-attr]
    assert policy.sectors["cement"].target_change == -0.007
    assert (policy.allocation.integer_allowances, policy.allocation.intensity_order) == (True, False)
    assert policy.allocation.objectives == ["largest_change"]
    assert policy.provinces.balance == {"Hebei": 0.5}
    assert policy.national is None


def test_wrong_keys_and_values_of_the_policy_are_told_with_their_cell(tmp_path: Path) -> None:
    wrong: list[list[Any]] = [
        ["sectors.cement.bnd", 0.02],
        ["allocation.band_on", "line"],
        ["rule.name", "cn-2024"],
        ["", 5],
    ]
    wrong += [["provinces.balance", 0.1], ["provinces.balance.Hebei", 0.2]]
    path = book(tmp_path / "plants.xlsx", {"units": [HEAD, *ROWS], "policy": [*POLICY, *wrong]})
    place = "plants.xlsx, sheet policy"
    found = problems(path)
    assert f"{place}, rule.name: key is there twice: cell B3, cell B6." in found
    assert f"{place}: value has no key: cell B7 '5'." in found
    assert f"{place}, provinces.balance.Hebei: is a value and a table of values at once: cell B9." in found
    assert any(line.startswith(f"{place}, sectors.cement.bnd: is not a key of the policy: cell B4") for line in found)
    assert any(line.startswith(f"{place}, allocation.band_on: is 'line'") and "cell B5" in line for line in found)


def test_a_sheet_of_the_policy_needs_its_headings(tmp_path: Path) -> None:
    path = book(tmp_path / "plants.xlsx", {"units": [HEAD, *ROWS], "policy": POLICY[1:]})
    assert problems(path) == ["plants.xlsx, sheet policy: has no row with the headings key and value."]


def test_a_missing_file_and_a_damaged_one_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no file"):
        etsopt.read(tmp_path / "plants.xlsx")
    (tmp_path / "plants.xlsx").write_bytes(b"no workbook")
    assert "is damaged or no workbook" in problems(tmp_path / "plants.xlsx")[0]
