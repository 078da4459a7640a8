"""Slips in people's own tables: refused where an answer would be wrong, else told."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import etsopt
from etsopt.common.errors import AssumedWarning, DataError

STEEL: dict[str, list[Any]] = {
    "unit_id": ["s1", "s2", "s3"],
    "enterprise_id": ["a", "b", "c"],
    "sector": ["steel"] * 3,
    "province": ["Hebei", "hebei", "河北省"],
    "emissions_tco2e": [2_060_000.0, 4_200_000.0, 1_000_000.0],
    "output_t": [1_000_000.0, 2_000_000.0, 500_000.0],
}
POLICY = {"year": 2026, "rule.name": "cn-2026"}


def read(folder: Path, table: dict[str, Any]) -> tuple[etsopt.Instance, list[str]]:
    path = folder / "plants.csv"
    pd.DataFrame(table).to_csv(path, index=False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        instance = etsopt.read(path, policy=POLICY)
    return instance, [str(one.message) for one in caught if issubclass(one.category, AssumedWarning)]


def refused(folder: Path, table: dict[str, Any]) -> list[str]:
    with pytest.raises(DataError) as caught:
        read(folder, table)
    return [str(problem).partition("\n")[0] for problem in caught.value.problems]


def test_a_table_without_slips_is_read_in_silence(tmp_path: Path) -> None:
    instance, notes = read(tmp_path, STEEL)
    assert notes == []
    assert instance.provinces == ["Hebei"]


def test_half_of_what_measures_intensity_is_refused(tmp_path: Path) -> None:
    (said,) = refused(tmp_path, STEEL | {"铁水产量": [900_000, 1_800_000, 450_000], "炼铁排放": [8e5, 1.6e6, 4e5]})
    assert "3 units state one of intensity_output_t and intensity_emissions_tco2e and not the other" in said
    both = {"铁水产量": [900_000, 1_800_000, None], "炼铁及烧结排放量": [800_000, 1_600_000, None]}
    (said,) = refused(tmp_path, STEEL | both)
    assert "1 units of steel state no intensity_output_t, but others do: row of s3" in said


@pytest.mark.parametrize(
    ("cells", "read_as"),
    [
        (["2,060,000", "4,200,000", "1,000,000"], [2_060_000, 4_200_000, 1_000_000]),
        (["2，060，000", " 4,200,000.25 ", "1000000"], [2_060_000, 4_200_000.25, 1_000_000]),
        # What one cell shows holds for the single groups of its column.
        (["2,060,000", "620,000", "310,000"], [2_060_000, 620_000, 310_000]),
        (["2060000", "620,000.5", "310,000"], [2_060_000, 620_000.5, 310_000]),
    ],
)
def test_separators_of_thousands_are_left_out_where_they_can_be_nothing_else(
    tmp_path: Path, cells: list[str], read_as: list[float]
) -> None:
    plain = STEEL | {"emissions_tco2e": read_as}
    instance, notes = read(tmp_path, STEEL | {"emissions_tco2e": cells})
    assert instance.units["emissions_tco2e"].tolist() == read_as
    assert instance.hash == read(tmp_path, plain)[0].hash
    shown = [f"{row} {cell}" for row, cell in enumerate(cells, 2) if {",", "，"} & {*cell}]
    assert notes[0] == f"plants.csv: commas that separate thousands are left out: {', '.join(shown)}."


@pytest.mark.parametrize(
    ("cells", "refused_cells"),
    [
        (["780,000", "4200000", "1000000"], ["780,000"]),
        (["780,000", "620,000", "310,000"], ["780,000", "620,000", "310,000"]),
        (["2,060,000", "620,000", "12,34"], ["620,000", "12,34"]),
        (["2,060,000", "620,000", "1.234,5"], ["620,000", "1.234,5"]),
        (["2,060,000", "620,000", "1.000.000"], ["620,000", "1.000.000"]),
        (["12,34,567", "1,2345,678", "0,123,456"], ["12,34,567", "1,2345,678", "0,123,456"]),
        (["1,234,56", ",123,456", "1,234,567,"], ["1,234,56", ",123,456", "1,234,567,"]),
        (["1,234.567,890", "984 000", "1'000'000"], ["1,234.567,890", "984 000", "1'000'000"]),
    ],
)
def test_a_comma_of_which_nobody_can_tell_the_meaning_is_refused(
    tmp_path: Path, cells: list[str], refused_cells: list[str]
) -> None:
    (said,) = refused(tmp_path, STEEL | {"emissions_tco2e": cells})
    shown = ", ".join(f"row {cells.index(cell) + 2} {cell!r}" for cell in refused_cells)
    assert said.endswith(f"not {'a number' if len(refused_cells) == 1 else 'numbers'}: {shown}.")


def test_another_column_does_not_prove_a_separator_and_the_refusal_names_both_readings(tmp_path: Path) -> None:
    table = STEEL | {"emissions_tco2e": ["2,060,000"] * 3, "output_t": ["900,000", "1000000", "1000000"]}
    with pytest.raises(DataError) as caught:
        read(tmp_path, table | {"name": ["1,234,567"] * 3, "own": ["1,234,567"] * 3})
    (problem,) = caught.value.problems
    assert (problem.column, problem.cells) == ("output_t", (("2", "900,000"),))
    assert problem.advice.endswith("'900,000' may mean 900000 or 900.000.")


@pytest.mark.parametrize("word", ["Total", "合计", "Total steel", "Subtotal", "钢铁小计"])
def test_a_row_of_totals_is_refused(tmp_path: Path, word: str) -> None:
    table = {name: [*cells, cells[-1]] for name, cells in STEEL.items()} | {"unit_id": ["s1", "s2", "s3", word]}
    assert refused(tmp_path, table) == [f"plants.csv, unit_id: 1 row looks like a total: row 5 '{word}'."]


@pytest.mark.parametrize("column", ["unit_id", "enterprise_id", "企业名称", "序号", "sector"])
def test_a_row_of_totals_is_one_problem_wherever_its_word_stands(tmp_path: Path, column: str) -> None:
    frame = pd.DataFrame(STEEL | {"企业名称": ["甲", "乙", "丙"], "序号": [1, 2, 3]}).astype(object)
    total = {"emissions_tco2e": 7_260_000.0, "output_t": 3_500_000.0, column: "合计"}
    table = pd.concat([frame, pd.DataFrame([total])]).to_dict("list")
    with pytest.raises(DataError) as caught:
        read(tmp_path, table)
    (problem,) = caught.value.problems
    assert str(problem) == (
        f"plants.csv, {column}: 1 row looks like a total: row 5 '合计'.\nDelete row 5: its units would count twice."
    )


def test_several_rows_of_totals_are_one_problem(tmp_path: Path) -> None:
    table = {name: [*cells, cells[-1], cells[-1]] for name, cells in STEEL.items()}
    table |= {"unit_id": ["s1", "s2", "小计", "s3", ""], "enterprise_id": ["a", "b", "b", "c", "总计"]}
    with pytest.raises(DataError) as caught:
        read(tmp_path, table)
    (problem,) = caught.value.problems
    assert str(problem) == (
        "plants.csv: 2 rows look like totals: row 4 '小计', row 6 '总计'.\n"
        "Delete rows 4, 6: their units would count twice."
    )


def test_the_word_for_a_total_in_a_note_is_no_total(tmp_path: Path) -> None:
    instance, _ = read(tmp_path, STEEL | {"备注": ["total", "合计", ""]})
    assert len(instance.units) == 3


def test_fractions_under_a_heading_in_percent_are_refused(tmp_path: Path) -> None:
    table = STEEL | {"sector": ["cement"] * 3, "emissions_tco2e": [830_000.0, 1_600_000.0, 415_000.0]}
    said = refused(tmp_path, table | {"电石渣替代率(%)": [0.35, 0, 0]})
    assert any("no number under a heading in percent is above 1" in line for line in said)
    instance, _ = read(tmp_path, table | {"电石渣替代率(%)": [35, 0, 0]})
    assert instance.units["carbide_slag_rate"].tolist() == [0.35, 0.0, 0.0]


def test_far_intensities_and_idle_units_are_told(tmp_path: Path) -> None:
    _, notes = read(tmp_path, STEEL | {"output_t": [100_000.0, 2_000_000.0, 500_000.0]})
    assert notes == ["plants.csv: Intensities far from the others of steel, 2.1, at s1."]
    _, notes = read(tmp_path, STEEL | {"output_t": [10_000_000.0, 20_000_000.0, 5_000_000.0]})
    assert "Check the units of measure, emissions_tco2e" in notes[0]
    assert "the intensity of steel is about 0.206, usually 0.88." in notes[0]


@pytest.mark.parametrize(
    ("stated", "likely"),
    [
        ("Heibei", "'Hebei'"),
        ("Hebie", "'Hebei'"),
        ("hebe province", "'Hebei'"),
        ("四穿", "'四川'"),
        ("四穿省", "'四川'"),
        ("川", "'四川'"),
        ("Hanan", "'Henan' or 'Hunan' or 'Hainan'"),
        ("广州", "'广东' or '广西' or '贵州'"),
    ],
)
def test_a_province_one_letter_off_is_refused_with_its_cell(tmp_path: Path, stated: str, likely: str) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, STEEL | {"province": ["安徽省", stated, "Shandong Prov."]})
    (problem,) = caught.value.problems
    said, advice = str(problem).split("\n")
    assert said == f"plants.csv, province: 1 cell names no province of China: row 3 {stated!r}."
    assert advice.strip().startswith(f"Did you mean {likely}? Write a province of China, in English or Chinese.")


def test_a_misspelt_province_is_refused_beside_every_other_problem(tmp_path: Path) -> None:
    wrong = STEEL | {"province": ["Hebei", "Heibei", "Heibei"], "output_t": [1_000_000.0, "many", 500_000.0]}
    assert refused(tmp_path, wrong) == [
        "plants.csv, output_t: 1 cell is not a number: row 3 'many'.",
        "plants.csv, province: 2 cells name no province of China: row 3 'Heibei', row 4 'Heibei'.",
    ]


def test_a_misspelt_province_of_a_folder_and_of_frames_is_refused_too(tmp_path: Path) -> None:
    frame = pd.DataFrame(STEEL | {"province": ["Hebei", "四穿", "安徽"]})
    policy = {"year": 2026, "rule": {"name": "cn-2026"}}
    with pytest.raises(DataError, match=r"units, province: 1 cell names no province of China: row 1 '四穿'\."):
        etsopt.Instance.from_frames(frame, policy)
    frame.to_csv(tmp_path / "units.csv", index=False)
    (tmp_path / "policy.toml").write_text('year = 2026\n[rule]\nname = "cn-2026"\n', encoding="utf-8")
    with pytest.raises(DataError, match=r"units\.csv, province: 1 cell names no province of China: row 3 '四穿'\."):
        etsopt.read(tmp_path)


def test_common_short_names_of_provinces_are_understood(tmp_path: Path) -> None:
    instance, notes = read(tmp_path, STEEL | {"province": ["内蒙", "内蒙古自治区", "广西自治区"]})
    assert (instance.provinces, notes) == (["Guangxi", "Inner Mongolia"], [])


@pytest.mark.parametrize("emissions", [0.0, 120.0])
def test_the_remedy_for_a_unit_that_stood_still_can_be_followed(tmp_path: Path, emissions: float) -> None:
    """A line of an enterprise far above the threshold, so that the rule measures its intensity."""
    still = STEEL | {"enterprise_id": ["a", "a", "c"], "emissions_tco2e": [2_060_000.0, emissions, 1_000_000.0]}
    with pytest.raises(DataError) as caught:
        read(tmp_path, still | {"output_t": [1_000_000.0, 0, 500_000.0]})
    assert caught.value.problems[0].cells == (("3", "0.0"),)
    assert caught.value.problems[0].advice.startswith("Empty the cell of a unit that stood still all year.")
    emptied = still | {"output_t": [1_000_000.0, None, 500_000.0]}
    if emissions:
        with pytest.raises(DataError, match="A unit that stood still all year needs emissions 0 or a special_case"):
            read(tmp_path, emptied)
        emptied["special_case"] = ["", "closed", ""]
    instance, _ = read(tmp_path, emptied)
    plan = etsopt.solve(instance).tables["allocation"].set_index("unit_id")
    assert plan.loc["s2", "allowance_t"] == emissions


def test_an_output_below_zero_is_no_unit_that_stood_still(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, STEEL | {"output_t": [1_000_000.0, 0, -5.0]})
    still, wrong = caught.value.problems
    assert (still.cells, wrong.cells) == ((("3", "0.0"),), (("4", "-5.0"),))
    assert wrong.advice.startswith("Correct it to above 0 [t]: output of product")


def test_outputs_in_columns_of_their_own_are_joined(tmp_path: Path) -> None:
    table = {name: cells for name, cells in STEEL.items() if name != "output_t"}
    table |= {
        "粗钢产量(万吨)": [100, "", 50],
        "熟料产量(吨)": ["", 2_500_000, ""],
        "行业": ["钢铁行业", "水泥熟料", "Steel"],
    }
    del table["sector"]
    table["emissions_tco2e"] = [2_060_000.0, 2_075_000.0, 1_030_000.0]
    instance, notes = read(tmp_path, table)
    assert instance.units["output_t"].tolist() == [1_000_000.0, 2_500_000.0, 500_000.0]
    assert instance.units["sector"].tolist() == ["steel", "cement", "steel"]
    assert any("'粗钢产量(万吨)', '熟料产量(吨)' are one quantity" in note for note in notes)
    table["熟料产量(吨)"] = [7, 2_500_000, ""]
    assert any("2 headings are of one column" in line for line in refused(tmp_path, table))


def test_the_name_of_a_line_is_its_identifier_where_there_is_no_other(tmp_path: Path) -> None:
    table = {name: cells for name, cells in STEEL.items() if name not in ("unit_id", "enterprise_id")}
    instance, notes = read(tmp_path, table | {"企业名称": ["甲", "甲", "乙"], "生产线名称": ["1号", "2号", "3号"]})
    assert instance.units["unit_id"].tolist() == ["1号", "2号", "3号"]
    assert "plants.csv: the name identifies the unit, as there is no column unit_id." in notes


@pytest.mark.parametrize(
    ("heading", "cells", "said"),
    [
        ("备注", ["", "2026年新建", ""], "'备注' says '2026年新建' in row 3, which is not read"),
        ("status", ["running", "", "Closed in May"], "'status' says 'Closed in May' in row 4, which is not read"),
        ("Zustand", ["", "new", ""], "'Zustand' says 'new' in row 3, which is not read"),
        ("运行状态", ["关停", "关停", ""], "'运行状态' says '关停' in row 2 and the like in 1 more, which is not read"),
    ],
)
def test_a_special_case_in_a_column_of_notes_is_told(tmp_path: Path, heading: str, cells: list[str], said: str) -> None:
    _, notes = read(tmp_path, STEEL | {heading: cells})
    (note,) = [note for note in notes if "special_case" in note]
    assert note.startswith(f"plants.csv: {said}: only the column special_case (特殊情形) counts.")
    case = "new (当年新投产)" if "新" in said or "new" in said else "closed (配额核定前关停)"
    assert note.endswith(f"write {case} there.")


@pytest.mark.parametrize(
    "columns",
    [
        {"备注": ["", "新建", ""], "special_case": ["", "new", ""]},
        {"备注": ["", "新建", ""], "特殊情形": ["", "新建", ""]},
        {"备注": ["", "renewed", ""]},
        {"所在区县": ["", "南昌新建", ""]},
    ],
)
def test_a_note_beside_the_special_case_or_another_word_is_not_told(tmp_path: Path, columns: dict[str, Any]) -> None:
    _, notes = read(tmp_path, STEEL | columns)
    assert [note for note in notes if "not read" in note] == []
