"""Measures: what applies to which unit, and each check, which one wrong cell makes fire with its whole message."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from etsopt.common.errors import DataError
from etsopt.data.files.read import read_instance
from etsopt.data.files.write import write_instance
from etsopt.data.instance import Instance
from etsopt.data.measures import applicable
from etsopt.data.tables.row_scope import filled
from etsopt.data.tables.schema import MEASURES
from tests.folders import Writer, message_of, policy_toml, units_csv

VALID: dict[str, list[str]] = {
    "measure_id": ["burner", "capture", "capture", "heat"],
    "unit_id": ["", "", "line-2", ""],
    "sector": ["cement", "cement", "", "cement"],
    "abatement_rate": ["0.05", "0.8", "0.7", "0"],
    "lifetime_years": ["10", "20", "25", "15"],
    "capex_cny_per_t": ["20", "900", "800", "60"],
    "requires": ["", "burner", "", ""],
    "electricity_only": ["", "no", "", "yes"],
}


def measures_csv(**columns: list[str] | None) -> str:
    """The valid table with columns replaced, added, or left out by None."""
    table = {name: cells for name, cells in {**VALID, **columns}.items() if cells is not None}
    rows = [",".join(cells) for cells in zip(*table.values(), strict=True)]
    return "\n".join([",".join(table), *rows]) + "\n"


def folder(write: Writer, **columns: list[str] | None) -> Path:
    return write(units_csv(), policy_toml(), measures_csv=measures_csv(**columns))


def test_a_units_own_row_goes_before_that_of_its_sector_and_power_savings_are_no_measures(write_folder: Writer) -> None:
    instance = read_instance(folder(write_folder))
    groups = applicable(instance)
    assert instance.measures is not None
    # Sorted by measure, unit and sector: burner, capture at the sector, capture at line-2, heat.
    assert instance.measures["measure_id"].tolist() == ["burner", "capture", "capture", "heat"]
    assert instance.measures["unit_id"].tolist() == ["", "", "line-2", ""]
    assert [groups[unit].tolist() for unit in range(3)] == [[0, 1], [0, 2], []]


def test_a_units_own_row_can_take_a_measure_away(write_folder: Writer) -> None:
    only = {"abatement_rate": ["0.05", "0.8", "0", "0"], "electricity_only": ["", "no", "yes", "yes"]}
    groups = applicable(read_instance(folder(write_folder, **only)))
    assert [groups[unit].tolist() for unit in range(3)] == [[0, 1], [0], []]


def test_without_measures_none_applies(write_folder: Writer) -> None:
    groups = applicable(read_instance(write_folder(units_csv(), policy_toml())))
    assert [groups[unit].tolist() for unit in range(3)] == [[], [], []]


def test_a_measure_of_a_sector_without_units_applies_to_nothing(write_folder: Writer) -> None:
    instance = read_instance(folder(write_folder, sector=["power", "cement", "", "cement"], requires=[""] * 4))
    groups = applicable(instance)
    assert [groups[unit].tolist() for unit in range(3)] == [[1], [2], []]


@pytest.mark.parametrize("seed", range(20))
def test_what_applies_is_what_a_plain_search_finds(seed: int) -> None:
    random = np.random.default_rng(seed)
    units = pd.DataFrame(
        {
            "unit_id": [f"u{number}" for number in range(8)],
            "enterprise_id": "firm",
            "sector": random.choice(["cement", "steel"], 8),
            "province": "Hebei",
            "emissions_tco2e": 1e6,
            "output_t": 1e6,
        }
    )
    keys = sorted(
        {
            (f"m{random.integers(5)}", *(("", place) if place in ("cement", "steel") else (place, "")))
            for place in random.choice([*units["unit_id"], "cement", "steel"], 20)
        }
    )
    measures = pd.DataFrame(keys, columns=["measure_id", "unit_id", "sector"])
    power = random.random(len(keys)) < 0.3
    measures["electricity_only"] = np.where(power, "yes", "")
    measures["abatement_rate"] = np.where(power, 0.0, 0.1)
    measures["lifetime_years"] = 10
    policy = {"year": 2025, "rule": {"name": "cn-2025"}}
    instance = Instance.from_frames(units, policy, measures=measures.sample(frac=1, random_state=seed))
    groups = applicable(instance)
    for position, unit in enumerate(instance.units.to_dict("records")):
        wanted = []
        for name in sorted(set(measures["measure_id"])):
            own = [row for row, key in enumerate(keys) if key == (name, unit["unit_id"], "")]
            other = [row for row, key in enumerate(keys) if key == (name, "", unit["sector"])]
            wanted += [row for row in (own or other) if not power[row]]
        assert groups[position].tolist() == wanted


def test_absent_cells_stand_for_the_defaults_of_the_schema(write_folder: Writer) -> None:
    instance = read_instance(folder(write_folder, intensity_abatement_rate=["0.1", "", "", ""]))
    assert instance.measures is not None
    complete = filled(instance.measures, MEASURES)
    assert list(complete) == [column.name for column in MEASURES.columns]
    assert complete["intensity_abatement_rate"].tolist() == [0.1, 0.8, 0.7, 0.0]
    assert complete["maximum_share"].tolist() == [1.0] * 4
    assert complete["fuel_saving_cny_per_t"].tolist() == [0.0] * 4
    assert complete["electricity_only"].tolist() == ["no", "no", "no", "yes"]
    assert complete["exclusive_group"].tolist() == [""] * 4
    assert complete["first_year"].isna().all()


def test_measures_are_written_read_and_hashed(write_folder: Writer, tmp_path: Path) -> None:
    instance = read_instance(folder(write_folder))
    write_instance(instance, tmp_path / "copy" / "plant")
    assert read_instance(tmp_path / "copy" / "plant").hash == instance.hash
    assert list(instance.tables) == ["units", "measures"]
    other = read_instance(folder(write_folder, capex_cny_per_t=["20", "900", "800", "61"]))
    without = read_instance(write_folder(units_csv(), policy_toml(), name="bare"))
    assert len({instance.hash, other.hash, without.hash}) == 3


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        pytest.param(
            {"abatement_rate": ["5", "0.8", "0.7", "0"]},
            "abatement_rate: 1 value is out of range: row 2 '5'.\n"
            "   Correct it to at least 0 and at most 1 [fraction]: fraction of the unit's emissions, net of earlier "
            "measures, that it abates where it is applied.",
            id="a rate in per cent",
        ),
        pytest.param(
            {"maximum_share": ["-0.1", "", "1.5", ""]},
            "maximum_share: 2 values are out of range: row 2 '-0.1', row 4 '1.5'.\n"
            "   Correct it to at least 0 and at most 1 [fraction]: fraction of the unit to which it can be applied; "
            "abatement and costs are proportional to it.",
            id="shares on both sides of the range",
        ),
        pytest.param(
            {"intensity_abatement_rate": ["2", "", "", ""]},
            "intensity_abatement_rate: 1 value is out of range: row 2 '2'.\n"
            "   Correct it to at least 0 and at most 1 [fraction]: the same for the emissions on which the rule "
            "measures intensity.",
            id="a rate of intensity above the whole",
        ),
        pytest.param(
            {"lifetime_years": ["10", "0", "25", "15"]},
            "lifetime_years: 1 value is out of range: row 3 '0'.\n"
            "   Correct it to at least 1 and at most 100 [years]: years from one investment to the next.",
            id="no lifetime",
        ),
        pytest.param(
            {"lifetime_years": ["10", "12.5", "25", "15"]},
            "lifetime_years: 1 value is not a whole number: row 3 '12.5'.\n"
            "   Correct it to a whole number [years]: years from one investment to the next.",
            id="a broken lifetime",
        ),
        pytest.param(
            {"lifetime_years": None},
            "lifetime_years: the column is missing.\n   Add it: years from one investment to the next.",
            id="lifetimes missing",
        ),
        pytest.param(
            {"first_year": ["27", "", "", ""]},
            "first_year: 1 value is out of range: row 2 '27'.\n"
            "   Correct it to at least 2000 and at most 2100 [year]: earliest compliance year in which it can run; "
            "absent: any.",
            id="a year of two digits",
        ),
        pytest.param(
            {"first_year": ["2027", "2028.5", "", ""]},
            "first_year: 1 value is not a whole number: row 3 '2028.5'.\n"
            "   Correct it to a whole number [year]: earliest compliance year in which it can run; absent: any.",
            id="a broken year",
        ),
        pytest.param(
            {"capex_cny_per_t": ["-20", "900", "800", "60"]},
            "capex_cny_per_t: 1 value is out of range: row 2 '-20'.\n"
            "   Correct it to at least 0 [CNY/t]: investment per tonne of annual output_t.",
            id="a negative investment",
        ),
        pytest.param(
            {"fuel_saving_cny_per_t": ["-1", "", "", ""]},
            "fuel_saving_cny_per_t: 1 value is out of range: row 2 '-1'.\n"
            "   Correct it to at least 0 [CNY/t]: fuel saving per tonne of the year's output.",
            id="a negative saving",
        ),
        pytest.param(
            {"fixed_opex_cny_per_t": ["-2e12", "", "", ""]},
            "fixed_opex_cny_per_t: 1 value is far too large: row 2 '-2e12'.\n"
            "   Look for an identifier or a wrong unit of measure: no unit has 1e12 [CNY/t] or more.",
            id="a saving beyond all measure",
        ),
        pytest.param(
            {"electricity_only": ["", "maybe", "", "yes"]},
            "electricity_only: 1 value is not known: row 3 'maybe'.\n   Use one of yes, no.",
            id="neither yes nor no",
        ),
        pytest.param(
            {"confidence": ["D", "", "", ""]},
            "confidence: 1 value is not known: row 2 'D'.\n   Use one of A, B, C.",
            id="an unknown mark of confidence",
        ),
        pytest.param(
            {"measure_id": ["burner", "capture", "capture", "burner"], "electricity_only": [""] * 4},
            "measure_id, unit_id, sector: 2 rows share an identifier: row 2 'burner cement', row 5 'burner cement'.\n"
            "   Give each row its own.",
            id="a measure twice at a sector",
        ),
        pytest.param(
            {"unit_id": ["line-1", "", "line-2", ""]},
            "unit_id, sector: 1 row does not name exactly one of the two: row of burner at line-1 cement.\n"
            "   Name the unit, or the sector for all its units.",
            id="at a unit and a sector",
        ),
        pytest.param(
            {"sector": ["", "cement", "", "cement"], "requires": [""] * 4},
            "unit_id, sector: 1 row does not name exactly one of the two: row of burner at nothing.\n"
            "   Name the unit, or the sector for all its units.",
            id="at nothing",
        ),
        pytest.param(
            {"unit_id": ["", "", "line-9", ""]},
            "unit_id: 1 row is of a unit that units.csv does not have: row of capture at line-9 'line-9'.\n"
            "   Correct the unit_id, or remove the row.",
            id="at an unknown unit",
        ),
        pytest.param(
            {"measure_id": ["burner", "capture", "capture", "waste heat"]},
            "measure_id: 1 name holds a space: row of waste heat at cement 'waste heat'.\n"
            "   Write it as one word, since requires separates names by spaces.",
            id="a name of two words",
        ),
        pytest.param(
            {"measure_id": ["output_cut", "capture", "capture", "heat"], "requires": [""] * 4},
            "measure_id: 1 row has the name of the policy's own measure: row of output_cut at cement 'output_cut'.\n"
            "   Choose another name: the policy's table abatement.output_cut adds a measure of this name.",
            id="the policy's own name",
        ),
        pytest.param(
            {"abatement_rate": ["0.05", "0.8", "0.7", "0.01"]},
            "electricity_only: 1 such measure has an abatement rate above 0: row of heat at cement 'yes'.\n"
            "   Write 0 for it, or electricity_only no: emissions of electricity are outside this system.",
            id="a power saving that abates",
        ),
        pytest.param(
            {"intensity_abatement_rate": ["", "", "", "0.01"]},
            "electricity_only: 1 such measure has an abatement rate above 0: row of heat at cement 'yes'.\n"
            "   Write 0 for it, or electricity_only no: emissions of electricity are outside this system.",
            id="a power saving that lowers the intensity",
        ),
        pytest.param(
            {"price_year": ["2025", "2020", "", "2025"]},
            "price_year: 1 row is not in CNY of 2025, the price year of the policy: row of capture at cement '2020'.\n"
            "   Convert the costs, or state their year as horizon.price_year in policy.toml.",
            id="CNY of another year",
        ),
        pytest.param(
            {"requires": ["", "burnr", "", ""]},
            "requires: 'capture' requires 'burnr', which is not a measure of the same unit: row of line-1.\n"
            "   Add it there, correct its name, or remove the requirement.",
            id="an unknown requirement",
        ),
        pytest.param(
            {"requires": ["heat", "", "", ""]},
            "requires: 'burner' requires 'heat', which is not a measure of the same unit: row of line-1, row of "
            "line-2.\n"
            "   Add it there, correct its name, or remove the requirement.",
            id="a requirement that is never chosen",
        ),
        pytest.param(
            {"requires": ["burner", "", "", ""]},
            "requires: 'burner' requires itself, directly or indirectly: row of line-1, row of line-2.\n"
            "   Remove a requirement of the cycle.",
            id="a requirement of itself",
        ),
        pytest.param(
            {"exclusive_group": ["kiln", "kiln", "", ""]},
            "requires: 'capture' can never run: it and its requirements include two measures of the group 'kiln': "
            "row of line-1.\n   Remove the requirement, or change a group: a unit applies at most one measure of a "
            "group.",
            id="required and excluded",
        ),
    ],
)
def test_a_fault_of_the_measures_is_told(
    write_folder: Writer, columns: dict[str, list[str] | None], message: str
) -> None:
    assert message_of(folder(write_folder, **columns)) == f"measures.csv, {message}"


def test_a_circle_of_requirements_is_told_of_each_measure_in_it(write_folder: Writer) -> None:
    with pytest.raises(DataError) as caught:
        read_instance(folder(write_folder, requires=["capture", "burner", "burner", ""]))
    cycle, advice = "directly or indirectly: row of line-1, row of line-2", "   Remove a requirement of the cycle."
    assert str(caught.value) == (
        "The instance 'plant' has 2 problems.\n\n"
        f"1. measures.csv, requires: 'burner' requires itself, {cycle}.\n{advice}\n"
        f"2. measures.csv, requires: 'capture' requires itself, {cycle}.\n{advice}"
    )


def test_a_group_is_exclusive_along_a_chain_of_requirements_too(write_folder: Writer) -> None:
    chain = {
        "measure_id": ["a", "b", "c", "d"],
        "unit_id": ["line-1"] * 4,
        "sector": [""] * 4,
        "electricity_only": None,
        "requires": ["b", "c", "", "a"],
        "exclusive_group": ["kiln", "", "kiln", ""],
    }
    with pytest.raises(DataError) as caught:
        read_instance(folder(write_folder, **chain))
    assert [problem.what for problem in caught.value.problems] == [
        "'a' can never run: it and its requirements include two measures of the group 'kiln'",
        "'d' can never run: it and its requirements include two measures of the group 'kiln'",
    ]


def test_a_unit_with_measures_needs_output(write_folder: Writer) -> None:
    bare = units_csv(output_t=["1000000", "", ""])
    assert message_of(write_folder(bare, policy_toml(), measures_csv=measures_csv())) == (
        "units.csv, output_t: 1 unit has measures, but no output: row of line-2.\n"
        "   Fill output_t (of power generation_mwh), or remove the measures: their costs are per unit of it."
    )
    without = units_csv(output_t=None)
    assert "2 units have measures, but no output: row of line-1, row of line-2.\n" in message_of(
        write_folder(without, policy_toml(), measures_csv=measures_csv())
    )


def test_more_than_4096_sets_of_measures_at_one_unit_are_too_many(write_folder: Writer) -> None:
    def many(*sizes: int) -> dict[str, list[str] | None]:
        groups = [str(number) if size > 1 else "" for number, size in enumerate(sizes) for _ in range(size)]
        count = len(groups)
        names = [f"m{number:04d}" for number in range(count)]
        same = {name: [text] * (count + 1) for name, text in (("abatement_rate", "0"), ("lifetime_years", "10"))}
        power = {"measure_id": [*names, "power"], "electricity_only": ["no"] * count + ["yes"]}
        place = {"unit_id": ["line-1"] * (count + 1), "sector": [""] * (count + 1)}
        group = {"exclusive_group": [*groups, ""]}
        return {**same, **power, **place, **group, "capex_cny_per_t": None, "requires": None}

    advice = (
        "   Leave out those that never pay, build them in fewer steps, or give alternatives an exclusive_group, of "
        "which a set has one at most; "
        "measures that save electricity alone do not count."
    )
    # A group of three counts fourfold, as two measures without a group do.
    for sizes in ([1] * 12, [4] * 5, [3] * 6, [3] * 5 + [1, 1], [99, 39], [1] * 10 + [3], [4095]):
        assert len(applicable(read_instance(folder(write_folder, **many(*sizes))))[0]) == sum(sizes)
    for sizes, count in (
        ([1] * 13, "8192"),
        ([4] * 6, "15625"),
        ([3] * 5 + [4], "5120"),
        ([1] * 11 + [2], "6144"),
        ([4096], "4097"),
        ([1] * 1100, "1.071508607e+301"),
    ):
        assert message_of(folder(write_folder, **many(*sizes))) == (
            "measures.csv, measure_id: 1 unit has more than 4,096 sets of measures: "
            f"row of line-1 '{count} sets'.\n{advice}"
        )


def test_a_price_year_of_the_policy_makes_costs_of_that_year_right(write_folder: Writer) -> None:
    stated = measures_csv(price_year=["2020", "2020", "", "2020"])
    policy = policy_toml("[horizon]\nprice_year = 2020")
    assert read_instance(write_folder(units_csv(), policy, measures_csv=stated)).policy.price_year == 2020


def test_a_fault_of_a_frame_is_told_as_one_of_a_file(write_folder: Writer) -> None:
    instance = read_instance(folder(write_folder))
    assert instance.measures is not None
    with pytest.raises(DataError) as caught:
        Instance.from_frames(
            instance.units,
            {"year": 2025, "rule": {"name": "cn-2025"}},
            measures=instance.measures.assign(lifetime_years=0.5),
            name="made",
        )
    assert str(caught.value) == (
        "The instance 'made' has a problem.\n\n"
        "1. measures, lifetime_years: 4 values are out of range: row 0 '0.5', row 1 '0.5', row 2 '0.5', row 3 '0.5'.\n"
        "   Correct it to at least 1 and at most 100 [years]: years from one investment to the next."
    )
