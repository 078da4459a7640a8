"""Problems of every layer at once: of files, cells, tables together, policy and rule, as far as they can be known."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import etsopt
from etsopt.common.errors import DataError
from etsopt.data.generate import generate
from tests.data.test_workbook_instances import HEAD, POLICY, ROWS, book, xlsxwriter
from tests.data.test_workbook_instances import problems as refused

UNITS = [HEAD, *ROWS]
ENTERPRISES: list[list[Any]] = [["enterprise_id", "name", "deduction_t"], ["north", "N", 0], ["south", "S", 0]]
MEASURES: list[list[Any]] = [
    ["measure_id", "unit_id", "sector", "abatement_rate", "lifetime_years"],
    ["m1", "k1", "", 0.1, 10],
    ["m2", "", "cement", 0.05, 10],
]
NO_ROW = "sheet enterprises, enterprise_id: 1 enterprise of units.csv has no row: south."
NO_UNIT = "sheet measures, unit_id: 1 row is of a unit that units.csv does not have: cell B4 'k9'."
NO_KEY = "sheet policy, sectors.cement.bnd: is not a key of the policy: cell B4."


def problems(folder: Path, **sheets: list[list[Any]]) -> list[str]:
    """First line of each problem of a workbook, without the name of the file."""
    lines = refused(book(folder / "plants.xlsx", {"policy": POLICY, **sheets}))
    return [line.removeprefix("plants.xlsx").removeprefix(", ").removeprefix(": ") for line in lines]


def with_cell(cells: list[list[Any]], row: int, column: int, value: Any) -> list[list[Any]]:
    changed = [list(line) for line in cells]
    changed[row][column] = value
    return changed


BAD_CELL = (
    (4, "many", "sheet units, emissions_tco2e: 1 cell is not a number: cell E3 'many'."),
    (5, -1, "sheet units, output_t: 1 value is out of range: cell F3 '-1'."),
    (3, "Hebai", "sheet units, province: 1 cell names no province of China: cell D3 'Hebai'."),
    (2, "cemnt", "sheet units, sector: 1 value is not known: cell C3 'cemnt'."),
)


@pytest.mark.parametrize(("column", "value", "said"), BAD_CELL)
def test_references_between_tables_are_reported_beside_a_wrong_cell(
    tmp_path: Path, column: int, value: Any, said: str
) -> None:
    units, measures = with_cell(UNITS, 2, column, value), [*MEASURES, ["m3", "k9", "", 0.1, 10]]
    found = problems(tmp_path, units=units, enterprises=ENTERPRISES[:2], measures=measures)
    assert found == [said, NO_ROW, NO_UNIT]


@pytest.mark.parametrize(("column", "value", "said"), BAD_CELL)
def test_a_wrong_cell_has_no_problem_in_a_later_layer(tmp_path: Path, column: int, value: Any, said: str) -> None:
    """Targets of the only unit of a sector or province, measures and cuts of its output all depend on the cell."""
    rows = [ROWS[0], ["k2", "south", "steel", "Anhui", 700_000, 800_000]]
    policy = [*POLICY, ["sectors.steel.band", 0.02], ["provinces.balance.安徽", 0.1]]
    policy += [["abatement.output_cut.steel.share", 0.1], ["abatement.output_cut.steel.margin_cny_per_t", 100]]
    measures = [*MEASURES, ["m3", "k2", "", 0.1, 10]]
    assert problems(tmp_path, units=with_cell([HEAD, *rows], 2, column, value), measures=measures, policy=policy) == [
        said
    ]


@pytest.mark.parametrize("key", [0, 1])
def test_nothing_is_concluded_from_an_identifier_that_is_wrong(tmp_path: Path, key: int) -> None:
    found = problems(tmp_path, units=with_cell(UNITS, 2, key, ""), enterprises=ENTERPRISES[:2], measures=MEASURES)
    assert found == [f"sheet units, {HEAD[key]}: 1 cell is empty: cell {'AB'[key]}3."]


def test_a_heading_that_is_not_understood_may_be_any_column(tmp_path: Path) -> None:
    """The output that a measure needs may stand below it."""
    units = [[*HEAD[:5], "ouput_t"], *ROWS]
    found = problems(tmp_path, units=units, measures=MEASURES, enterprises=ENTERPRISES[:2])
    assert found == ["sheet units, ouput_t: is not a column of this table: cell F1.", NO_ROW]


def test_problems_of_the_policy_are_reported_beside_those_of_tables(tmp_path: Path) -> None:
    policy = [*POLICY, ["provinces.balance.Henan", 0.02], ["horizon.last_year", 2024], ["sectors.steel.band", 0.02]]
    found = problems(tmp_path, units=with_cell(UNITS, 1, 4, "many"), policy=policy)
    assert found == [
        "sheet units, emissions_tco2e: 1 cell is not a number: cell E2 'many'.",
        "sheet policy, sectors.steel: the sector 'steel' has no unit: cell B6.",
        "sheet policy, provinces.balance: the province 'Henan' has no unit: cell B4.",
        "sheet policy, horizon.last_year: is 2024: expected 2025, the first year, or later: cell B5.",
    ]


def test_references_are_reported_beside_a_wrong_policy_and_its_year_is_not_guessed(tmp_path: Path) -> None:
    measures = [[*MEASURES[0], "price_year"], *([*row, 2025] for row in MEASURES[1:]), ["m3", "k9", "", 0.1, 10, 2025]]
    forecast: list[list[Any]] = [["unit_id", "year", "output_factor"], ["k1", 2026, 1.1]]
    policy = [*POLICY, ["sectors.cement.bnd", 0.02]]
    found = problems(
        tmp_path, units=UNITS, enterprises=ENTERPRISES[:2], measures=measures, forecast=forecast, policy=policy
    )
    assert found == [NO_KEY, NO_ROW, NO_UNIT]


def test_the_other_sheets_are_examined_without_a_sheet_of_units(tmp_path: Path) -> None:
    enterprises, measures = with_cell(ENTERPRISES, 1, 2, "x"), with_cell(MEASURES, 1, 3, "y")
    policy = [*POLICY, ["sectors.cement.bnd", 0.02]]
    assert problems(tmp_path, plants=[["a", "b"]], enterprises=enterprises, measures=measures, policy=policy) == [
        "has no sheets with headings of units.",
        NO_KEY,
        "sheet enterprises, deduction_t: 1 cell is not a number: cell C2 'x'.",
        "sheet measures, abatement_rate: 1 cell is not a number: cell D2 'y'.",
    ]


def test_a_folder_without_units_is_examined_too(tmp_path: Path) -> None:
    pd.DataFrame(ENTERPRISES[1:], columns=ENTERPRISES[0]).assign(deduction_t="x").to_csv(
        tmp_path / "enterprises.csv", index=False
    )
    (tmp_path / "policy.toml").write_text("year = 2025\n[rule]\nnam = 1\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        etsopt.read(tmp_path)
    assert [(problem.place, problem.column) for problem in caught.value.problems] == [
        ("units.csv", ""),
        ("policy.toml", "rule.name"),
        ("enterprises.csv", "deduction_t"),
    ]


def test_a_sheet_without_headings_hides_only_itself(tmp_path: Path) -> None:
    measures = [*MEASURES, ["m3", "k9", "", 0.1, 10]]
    found = problems(tmp_path, units=UNITS, enterprises=ENTERPRISES[1:], measures=measures)
    assert found == ["sheet enterprises: has no row of headings.", NO_UNIT]


def test_columns_beside_repeated_headings_are_examined(tmp_path: Path) -> None:
    units = [[*HEAD, "output_t"], [*ROWS[0], 1], [*ROWS[1][:4], "many", 1, 1]]
    found = problems(tmp_path, units=units, enterprises=ENTERPRISES[:2])
    assert found == [
        "sheet units: has 2 columns named 'output_t'.",
        "sheet units, emissions_tco2e: 1 cell is not a number: cell E3 'many'.",
        NO_ROW,
    ]


def test_merged_cells_are_not_taken_for_absent_output(tmp_path: Path) -> None:
    """The cells below the first of a merged range are empty in the file."""
    cells = [[*HEAD, "intensity_output_t", "intensity_emissions_tco2e"], [*ROWS[0], 1_000_000, 830_000]]
    cells.append([*ROWS[1][:5], None, None, 640_000])
    with xlsxwriter.Workbook(tmp_path / "plants.xlsx") as workbook:
        sheet = workbook.add_worksheet("units")
        for row, line in enumerate(cells):
            sheet.write_row(row, 0, line)
        for column in (5, 6):
            sheet.merge_range(1, column, 2, column, 1_000_000)
    assert refused(tmp_path / "plants.xlsx") == [
        "plants.xlsx, sheet units: 2 ranges of cells are merged: cell F2:F3 '1000000', cell G2:G3 '1000000'."
    ]


def test_a_half_of_what_measures_intensity_is_reported_beside_a_reference(tmp_path: Path) -> None:
    units = [[*HEAD, "intensity_output_t"], *([*row, row[5]] for row in ROWS)]
    found = problems(tmp_path, units=units, enterprises=ENTERPRISES[:2])
    assert found == [
        NO_ROW,
        "sheet units, intensity_output_t or intensity_emissions_tco2e: 2 units state one of intensity_output_t and "
        "intensity_emissions_tco2e and not the other: cell G2, cell G3.",
    ]


@pytest.mark.parametrize(
    ("sheets", "said"),
    [
        (
            {"units": with_cell(UNITS, 2, 5, "")},
            "sheet units, output_t: 1 unit has no output or no emissions on which to measure intensity: cell F3.",
        ),
        (
            {"units": [[*HEAD, "特殊情形"], [*ROWS[0], "igcc"], [*ROWS[1], ""]]},
            "sheet units, special_case: 1 unit has a special case that the rule cn-2025 does not have: cell G2 'igcc'.",
        ),
        (
            {"units": UNITS, "policy": [*POLICY, ["rule.slop", 0.1]]},
            "sheet policy, rule.slop: is not a parameter of the rule: cell B4.",
        ),
    ],
)
def test_what_the_rule_refuses_is_told_with_its_sheet_and_cell(
    tmp_path: Path, sheets: dict[str, list[list[Any]]], said: str
) -> None:
    assert problems(tmp_path, **sheets) == [said]


def test_a_key_that_the_caller_changed_is_not_looked_for_in_the_sheet(tmp_path: Path) -> None:
    sheets = {"units": UNITS, "policy": [*POLICY, ["horizon.last_year", 2030]]}
    book(tmp_path / "plants.xlsx", sheets)
    with pytest.raises(DataError) as caught:
        etsopt.read(tmp_path / "plants.xlsx", policy={"horizon.last_year": 2020})
    assert str(caught.value.problems[0]).startswith("policy.toml, horizon.last_year: is 2020: expected 2025")


def test_rows_of_measures_and_forecasts_are_told_with_their_cells_in_chinese_sheets(tmp_path: Path) -> None:
    measures: list[list[Any]] = [
        ["措施编号", "单元编号", "行业", "减排率", "使用年限"],
        ["m 1", "", "水泥", 0.1, 10],
        ["m3", "k9", "", 0.1, 10],
    ]
    forecast: list[list[Any]] = [["单元编号", "行业", "年度", "产量系数"], ["k7", "", 2027, 1], ["", "水泥", 2025, 1]]
    assert problems(tmp_path, 单元=UNITS, 措施=measures, 预测=forecast) == [
        "sheet 措施, unit_id: 1 row is of a unit that units.csv does not have: cell B3 'k9'.",
        "sheet 措施, measure_id: 1 name holds a space: cell A2 'm 1'.",
        "sheet 预测, unit_id: 1 row is of a unit that units.csv does not have: cell A2 'k7'.",
        "sheet 预测, year: 1 row is not after 2025: cell C3 '2025'.",
    ]


def test_parameters_of_the_rule_are_reported_beside_a_wrong_cell(tmp_path: Path) -> None:
    policy = [*POLICY, ["rule.slop", 0.1]]
    assert problems(tmp_path, units=with_cell(UNITS, 1, 4, "many"), policy=policy) == [
        "sheet policy, rule.slop: is not a parameter of the rule: cell B4.",
        "sheet units, emissions_tco2e: 1 cell is not a number: cell E2 'many'.",
    ]


def test_parameters_of_a_rule_that_the_caller_replaces_are_not_checked(tmp_path: Path) -> None:
    path = book(tmp_path / "plants.xlsx", {"units": UNITS, "policy": [*POLICY, ["rule.slop", 0.1]]})
    changed = etsopt.read(path, policy={"rule": {"name": "cn-2024"}, "year": 2024})
    assert changed.policy.rule.name == "cn-2024"


def test_a_wrong_special_case_hides_no_other_unit_without_output(tmp_path: Path) -> None:
    """The output that a unit needs depends on its case, so that none is asked of the unit whose case is wrong."""
    units = [[*HEAD, "special_case"], [*ROWS[0][:5], "", "igcc"], [*ROWS[1][:5], "", ""]]
    assert problems(tmp_path, units=units) == [
        "sheet units, special_case: 1 unit has a special case that the rule cn-2025 does not have: cell G2 'igcc'.",
        "sheet units, output_t: 1 unit has no output or no emissions on which to measure intensity: cell F3.",
    ]


BAD = ["", "x", -1, 1e13, "四穿", "Hebai", "cemnt", "a\x07", "=1+1"]


def told(tables: dict[str, pd.DataFrame], policy: dict[str, Any]) -> list[tuple[str, str]]:
    """Place and text of each problem of an instance of data frames."""
    try:
        etsopt.Instance.from_frames(policy=policy, **tables)
    except DataError as error:
        return [(problem.place, str(problem)) for problem in error.problems]
    return []


@pytest.mark.parametrize("seed", range(40))
def test_what_is_told_beside_a_wrong_cell_is_true_once_it_is_mended(seed: int) -> None:
    """Problems between the tables and with the policy, beside one of a cell of the units, or of a heading."""
    chosen, made = random.Random(seed), generate(20, seed, measures=4)
    tables = {name: table.astype(object) for name, table in made.tables.items()}
    tables["enterprises"] = tables["units"][["enterprise_id"]].drop_duplicates().iloc[1:]
    tables["measures"].insert(1, "unit_id", ["unknown", *[""] * (len(tables["measures"]) - 1)])
    tables["measures"].iloc[0, 2] = ""
    policy = made.policy.model_dump(exclude_unset=True, exclude_none=True)
    policy |= {"provinces": {"balance": {"Atlantis": 0.1}}, "horizon": {"last_year": made.policy.year - 1}}
    policy["abatement"] = {"output_cut": {key: {"share": 0.1, "margin_cny_per_t": 100.0} for key in made.sectors}}
    mended = {text for _, text in told(tables, policy)}
    assert len(mended) >= 4
    units = tables["units"].copy()
    column = chosen.randrange(len(units.columns))
    if seed % 4:
        units.iloc[chosen.randrange(len(units)), column] = chosen.choice(BAD)
    else:
        units = units.rename(columns={units.columns[column]: f"{units.columns[column]}s"})
    both = told({**tables, "units": units}, policy)
    if any(place == "units" for place, _ in both):
        assert {text for place, text in both if place != "units"} <= mended
