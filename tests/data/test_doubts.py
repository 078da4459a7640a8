"""Slips in people's own tables: refused where an answer would be wrong, else told."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import etsopt
from etsopt.errors import AssumedWarning, DataError

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


@pytest.mark.parametrize("word", ["Total", "合计", "Total steel", "Subtotal", "钢铁小计"])
def test_a_row_of_totals_is_refused(tmp_path: Path, word: str) -> None:
    table = {name: [*cells, cells[-1]] for name, cells in STEEL.items()} | {"unit_id": ["s1", "s2", "s3", word]}
    said = refused(tmp_path, table)
    assert f"plants.csv, unit_id: 1 row looks like a total: row 5 '{word}'." in said


def test_fractions_under_a_heading_in_percent_are_refused(tmp_path: Path) -> None:
    table = STEEL | {"sector": ["cement"] * 3, "emissions_tco2e": [830_000.0, 1_600_000.0, 415_000.0]}
    said = refused(tmp_path, table | {"电石渣替代率(%)": [0.35, 0, 0]})
    assert any("no number under a heading in percent is above 1" in line for line in said)
    instance, _ = read(tmp_path, table | {"电石渣替代率(%)": [35, 0, 0]})
    assert instance.units["carbide_slag_rate"].tolist() == [0.35, 0.0, 0.0]


def test_far_intensities_and_idle_units_are_told(tmp_path: Path) -> None:
    _, notes = read(tmp_path, STEEL | {"output_t": [100_000.0, 2_000_000.0, 500_000.0]})
    assert notes == ["plants.csv: intensities far from the others of steel, 2.1, at s1."]
    _, notes = read(tmp_path, STEEL | {"output_t": [10_000_000.0, 20_000_000.0, 5_000_000.0]})
    assert "the intensity of steel is about 0.206, usually 0.88. Check the units of measure" in notes[0]


def test_a_misspelt_province_is_told(tmp_path: Path) -> None:
    _, notes = read(tmp_path, STEEL | {"province": ["Hebei", "Heibei", "Shandong Prov."]})
    assert notes == ["plants.csv: 'Heibei' is no province of China. Did you mean 'Hebei'?"]


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
