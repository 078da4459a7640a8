"""Bad input: break one cell or key of a valid instance, and the right message must come, whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import etsopt
from etsopt.common.errors import AssumedWarning, DataError
from etsopt.data.files.read import read_instance
from etsopt.data.tables.schema import PLAUSIBLE_INTENSITY, SECTORS, TABLES
from tests.folders import VALID, message_of, policy_toml, units_csv

if TYPE_CHECKING:
    from etsopt.data.instance import Instance

Writer = Callable[..., Path]

NUMBER = "   Write a plain finite number [tCO2e]: digits with a point, no formula, separator, unit or NaN."
EMISSIONS = "   Correct it to at least 0 [tCO2e]: verified emissions: base of the allocation, and the obligation."
SLIPPED = (
    "   One of the two figures of each row is {} times too large or too small. Check for kt, 10 000 t (万吨) or kg: "
    "emissions and output are in tonnes."
)
FORMULA = "   Write the text itself, and leave an absent one empty: a spreadsheet would run the formula."
HIDDEN = "   Retype the text, on one line: hidden characters change how it looks, or make it a different text."

ENDINGS: dict[str, str | tuple[str, ...]] = {
    "t": "_t",
    "tCO2e": "_tco2e",
    "CNY/t": "_cny_per_t",
    "fraction": ("_rate", "_share", "_factor", "_ratio", "probability"),
    "fraction/year": "_share_a_year",
    "MW": "_mw",
    "MWh": "_mwh",
    "GJ": "_gj",
    "year": "year",
    "years": "_years",
    "days": "_days",
    "tCO2e/unit": "_tco2e_per_unit",
    "tCO2e/t": "_tco2e_per_t",
    "MWh/t": "_mwh_per_t",
    # Quantities of evidence have the unit of their row, and sums that of their quantities.
    **dict.fromkeys(("own unit", "unit of the sum", "number"), ""),
}
"""How the name of a column ends by its unit."""


def test_the_table_that_the_cases_break_is_valid(write_folder: Writer) -> None:
    instance = read_instance(write_folder(units_csv(), policy_toml()))
    assert instance.intensity.tolist() == [0.78, 0.82, 0.88]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        pytest.param(
            {"outptu_t": VALID["output_t"], "output_t": None},
            "outptu_t: is not a column of this table.\n"
            "   Did you mean 'output_t'? Rename it, or begin a column of your own with 'x_'.",
            id="unknown column with a near name",
        ),
        pytest.param(
            {"colour": ["red", "", ""]},
            "colour: is not a column of this table.\n   Rename it, or begin a column of your own with 'x_'.",
            id="unknown column",
        ),
        pytest.param(
            {"province": None},
            "province: the column is missing.\n   Add it: province that allocates to it.",
            id="missing required column",
        ),
        pytest.param(
            {"unit_id": ["line-1", "mill-1", "line-1"]},
            "unit_id: 2 rows share an identifier: row 2 'line-1', row 4 'line-1'.\n   Give each row its own.",
            id="duplicate id",
        ),
        pytest.param(
            {"unit_id": ["line-1", " ", "mill-1"]},
            "unit_id: 1 cell is empty: row 3 ' '.\n   Fill it in every row: identifies the unit.",
            id="empty id",
        ),
        pytest.param(
            {"unit_id": ["line-1", "x" * 65, "mill-1"]},
            f"unit_id: 1 text is too long: row 3 '{'x' * 65}'.\n   Use at most 64 characters.",
            id="too long id",
        ),
        pytest.param(
            {"province": ["He\x07bei", "Hebei", '"Hu\nnan"']},
            f"province: 2 cells hold control or invisible characters: row 2 'He\\x07bei', row 4 'Hu\\nnan'.\n{HIDDEN}",
            id="unprintable province",
        ),
        pytest.param(
            {"enterprise_id": ["", "", ""]},
            "enterprise_id: 3 cells are empty: row 2, row 3, row 4.\n"
            "   Fill it in every row: identifies the enterprise that owns it.",
            id="empty enterprises",
        ),
        pytest.param(
            {"emissions_tco2e": ["NaN", "inf", "-Infinity"]},
            f"emissions_tco2e: 3 cells are not numbers: row 2 'NaN', row 3 'inf', row 4 '-Infinity'.\n{NUMBER}",
            id="NaN and infinity",
        ),
        pytest.param(
            {"emissions_tco2e": ["780000", "9e999", "10500000"]},
            f"emissions_tco2e: 1 cell is not a number: row 3 '9e999'.\n{NUMBER}",
            id="a number beyond all floats",
        ),
        pytest.param(
            {"emissions_tco2e": ["780_000", "984000", "10500000"]},
            f"emissions_tco2e: 1 cell is not a number: row 2 '780_000'.\n{NUMBER}",
            id="underscore",
        ),
        pytest.param(
            {"emissions_tco2e": ['"780,000"', "984 000", "10500000"]},
            f"emissions_tco2e: 2 cells are not numbers: row 2 '780,000', row 3 '984 000'.\n{NUMBER} "
            "'780,000' may mean 780000 or 780.000.",
            id="thousands separators",
        ),
        pytest.param(
            {"emissions_tco2e": ["７８００００", "984000", "10500000"]},
            f"emissions_tco2e: 1 cell is not a number: row 2 '７８００００'.\n{NUMBER}",
            id="full-width digits",
        ),
        pytest.param(
            {"emissions_tco2e": ["780000 t", "0x10", "#REF!"]},
            f"emissions_tco2e: 3 cells are not numbers: row 2 '780000 t', row 3 '0x10', row 4 '#REF!'.\n{NUMBER}",
            id="unit, hexadecimal and a spreadsheet's error",
        ),
        pytest.param(
            {"emissions_tco2e": ["1.000.000", "--5", "5e"]},
            f"emissions_tco2e: 3 cells are not numbers: row 2 '1.000.000', row 3 '--5', row 4 '5e'.\n{NUMBER}",
            id="digits that make no number",
        ),
        pytest.param(
            {"emissions_tco2e": ["=B2*1000", "984000", "10500000"]},
            f"emissions_tco2e: 1 cell is not a number: row 2 '=B2*1000'.\n{NUMBER}",
            id="formula for a number",
        ),
        pytest.param(
            {"name": ["=HYPERLINK(A1)", "@SUM(A1)", "＝1+1"]},
            f"name: 3 cells hold a formula: row 2 '=HYPERLINK(A1)', row 3 '@SUM(A1)', row 4 '＝1+1'.\n{FORMULA}",
            id="formula for a text",
        ),
        pytest.param(
            {"emissions_tco2e": ["780000", "", "10500000"]},
            "emissions_tco2e: 1 cell is empty: row 3.\n"
            "   Fill it in every row [tCO2e]: verified emissions: base of the allocation, and the obligation.",
            id="empty emissions",
        ),
        pytest.param(
            {"emissions_tco2e": ["780000", "-984000", "10500000"]},
            f"emissions_tco2e: 1 value is out of range: row 3 '-984000'.\n{EMISSIONS}",
            id="negative emissions",
        ),
        pytest.param(
            {"output_t": ["1000000", "-0.5", "-5"]},
            "output_t: 2 values are out of range: row 3 '-0.5', row 4 '-5'.\n"
            "   Correct it to above 0 [t]: output of product; needed by rules and targets that use it; a "
            "power unit has generation_mwh instead.",
            id="output below zero",
        ),
        pytest.param(
            {"output_t": ["1000000", "0", "0.0"]},
            "output_t: 2 values are out of range: row 3 '0', row 4 '0.0'.\n"
            "   Empty the cell of a unit that stood still all year. With emissions 0 it gets no allowances; with "
            "emissions above 0 it needs a special_case, such as closed: no plan measures intensity without output.",
            id="no output",
        ),
        pytest.param(
            {"output_t": ["1000000", "1200000", "91430000123456789"]},
            "output_t: 1 value is far too large: row 4 '91430000123456789'.\n"
            "   Look for an identifier or a wrong unit of measure: no unit has 1e12 [t] or more.",
            id="an identifier for an output",
        ),
        pytest.param(
            {"sector": ["Cemnt", "cement", "steel"]},
            "sector: 1 value is not known: row 2 'Cemnt'.\n"
            "   Did you mean 'cement'? Use one of cement, steel, aluminium, power.",
            id="unknown sector",
        ),
        pytest.param(
            {"sector": ["glass", "C E M E N T", "steel"]},
            "sector: 2 values are not known: row 2 'glass', row 3 'C E M E N T'.\n"
            "   Use one of cement, steel, aluminium, power.",
            id="unknown sectors",
        ),
        pytest.param(
            {"special_case": ["white clinker", "", ""]},
            "special_case: 1 value is not known: row 2 'white clinker'.\n"
            "   Did you mean 'white_clinker'? "
            "Use one of new, closed, white_clinker, carbide_slag, gypsum_acid, hydrogen_furnace, biomass, own_gas, "
            "biomass_and_gas, special_gas, waste_gas, converted, oil_or_engine, igcc, reserve, hydrogen_ammonia.",
            id="unknown case",
        ),
        pytest.param(
            {"emissions_tco2e": ["780000", "984000000", "10500000"]},
            "emissions_tco2e or output_t: 1 unit has about 1000 times the plausible intensity of its sector: "
            f"row of line-2 '820 t/t'.\n{SLIPPED.format(1000)}",
            id="output in kt",
        ),
        pytest.param(
            {"output_t": ["100", "120", "5000000"]},
            "emissions_tco2e or output_t: 2 units have about 10000 times the plausible intensity of their sector: "
            f"row of line-1 '7800 t/t', row of line-2 '8200 t/t'.\n{SLIPPED.format(10000)}",
            id="output in ten thousand tonnes",
        ),
        pytest.param(
            {"emissions_tco2e": ["780", "984000", "10500000"]},
            "emissions_tco2e or output_t: 1 unit has about 1/1000 of the plausible intensity of its sector: "
            f"row of line-1 '0.00078 t/t'.\n{SLIPPED.format(1000)}",
            id="emissions in kt",
        ),
        pytest.param(
            {"emissions_tco2e": ["780000", "984000", "10500000000"]},
            "emissions_tco2e or output_t: 1 unit has about 1000 times the plausible intensity of its sector: "
            f"row of mill-1 '2100 t/t'.\n{SLIPPED.format(1000)}",
            id="emissions in kg where the rule measures a part",
        ),
        pytest.param(
            {"intensity_output_t": ["", "", "5000"]},
            "intensity_emissions_tco2e or intensity_output_t: 1 unit has about 1000 times the plausible intensity of "
            f"its sector: row of mill-1 '880 t/t'.\n{SLIPPED.format(1000)}",
            id="iron in kt",
        ),
        pytest.param(
            {"intensity_emissions_tco2e": ["", "", "10500001"]},
            "intensity_emissions_tco2e: 1 value exceeds the unit's whole emissions: row of mill-1 '10500001'.\n"
            "   State a part of emissions_tco2e: ironmaking and sintering of a steel enterprise.",
            id="a part above the whole",
        ),
    ],
)
def test_a_fault_of_the_units_is_told(write_folder: Writer, columns: dict[str, list[str] | None], message: str) -> None:
    assert message_of(write_folder(units_csv(**columns), policy_toml())) == f"units.csv, {message}"


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        pytest.param(
            policy_toml(year='"2025"'),
            "year: is '2025': expected a valid integer.\n   Write a whole number without quotes.",
            id="text for a number",
        ),
        pytest.param(
            policy_toml(year="1925"),
            "year: is 1925: expected greater than or equal to 2000.\n   Correct the value.",
            id="a year out of range",
        ),
        pytest.param(
            '[rule]\nname = "cn-2025"\n',
            "year: is missing.\n   Add the key; instances/README.md and `etsopt rules` list its values.",
            id="a missing key",
        ),
        pytest.param(
            "year = 2025\n[rule]\nslope = 0.15\n",
            "rule.name: is missing.\n   Add the key; instances/README.md and `etsopt rules` list its values.",
            id="a rule without a name",
        ),
        pytest.param(
            policy_toml("[sector.cement]\nband = 0.03"),
            "sector: is not a key of the policy.\n"
            "   Did you mean 'sectors'? Use one of year, coverage, rule, sectors, provinces, national, "
            "allocation, horizon, abatement, market, penalty, compliance, pathway, outlook, review_plan, investment.",
            id="an unknown table",
        ),
        pytest.param(
            policy_toml("[sectors.cement]\nbands = 0.03"),
            "sectors.cement.bands: is not a key of the policy.\n"
            "   Did you mean 'band'? "
            "Use one of target_change, target_t, band, target_intensity, target_sense, balance_value, "
            "balance_value_source, balance_value_mark.",
            id="an unknown key",
        ),
        pytest.param(
            policy_toml("[sectors.cement]\nband = {lower = 0.03, upper = 0.03, uper = 0.02}"),
            "sectors.cement.band.uper: is not a key of the policy.\n   Did you mean 'upper'? Use one of lower, upper.",
            id="an unknown side of a band",
        ),
        pytest.param(
            policy_toml("[sectors.cement]\nband = 300"),
            "sectors.cement.band: is 300: expected a number from 0 to 100, or {lower, upper}.\n"
            "   Correct the value; 0.03 is 3 %.",
            id="a band far beyond all emissions",
        ),
        pytest.param(
            policy_toml("[sectors.cement]\nband = nan"),
            "sectors.cement.band: is nan: expected a number from 0 to 100, or {lower, upper}.\n"
            "   Correct the value; 0.03 is 3 %.",
            id="a band that is not a number",
        ),
        pytest.param(
            policy_toml("[sectors.cement]\nband = true"),
            "sectors.cement.band: is True: expected a number from 0 to 100, or {lower, upper}.\n"
            "   Correct the value; 0.03 is 3 %.",
            id="a band that is true",
        ),
        pytest.param(
            policy_toml("[sectors.cement]\nband = {lower = -0.01, upper = 0.03}"),
            "sectors.cement.band.lower: is -0.01: expected greater than or equal to 0.\n"
            "   Correct the value: 0.03 means 3 %.",
            id="a negative side of a band",
        ),
        pytest.param(
            policy_toml("[sectors.cement]\nband = {lower = 0.01}"),
            "sectors.cement.band.upper: is missing.\n"
            "   Add the key; instances/README.md and `etsopt rules` list its values.",
            id="a band of one side",
        ),
        pytest.param(
            policy_toml("[sectors.cement]\ntarget_change = -1"),
            "sectors.cement.target_change: is -1: expected greater than -1.\n   Correct the value: -0.01 means -1 %.",
            id="a target that leaves nothing",
        ),
        pytest.param(
            policy_toml("[sectors.cement]\ntarget_change = -0.01\ntarget_t = 1700000"),
            "sectors.cement: states target_change and target_t: expected one of them.\n   Keep one of them.",
            id="two targets at once",
        ),
        pytest.param(
            policy_toml('[sectors.cement]\ntarget_sense = "at_least"'),
            "sectors.cement.target_sense: is 'at_least': expected 'at_most', 'exactly' or 'none'.\n"
            "   Correct the value.",
            id="an unknown sense",
        ),
        pytest.param(
            policy_toml('[national]\ntarget_sense = "exactly"'),
            "national: states target_sense, but no target.\n   State target_change or target_t, or remove it.",
            id="a sense of no target",
        ),
        pytest.param(
            policy_toml("[sectors]\ncement = 0.03"),
            "sectors.cement: is 0.03: expected a table.\n   Correct the value.",
            id="a number for a table",
        ),
        pytest.param(
            policy_toml("[sectors.cemnt]\nband = 0.03"),
            "sectors.cemnt: 'cemnt' is not a sector.\n"
            "   Did you mean 'cement'? Use one of cement, steel, aluminium, power.",
            id="an unknown sector",
        ),
        pytest.param(
            policy_toml("[sectors.power]\nband = 0.03"),
            "sectors.power: the sector 'power' has no unit.\n   Remove its table, or add its units.",
            id="a sector without units",
        ),
        pytest.param(
            policy_toml("[provinces]\nbalance = 2"),
            "provinces.balance: is 2: expected less than 1 or a table.\n   Correct the value.",
            id="a balance in per cent",
        ),
        pytest.param(
            policy_toml("[provinces.balance]\nHebei = 2"),
            "provinces.balance.Hebei: is 2: expected less than 1.\n   Correct the value.",
            id="a province's balance in per cent",
        ),
        pytest.param(
            policy_toml("[provinces.balance]\nHebie = 0.02\nHunan = 0.01"),
            "provinces.balance: the province 'Hebie' has no unit.\n"
            "   Did you mean 'Hebei'? Correct its name, or remove it.",
            id="an unknown province",
        ),
        pytest.param(
            policy_toml("[provinces.balance]\nTibet = 0.02"),
            "provinces.balance: the province 'Tibet' has no unit.\n   Correct its name, or remove it.",
            id="a province without units",
        ),
        pytest.param(
            policy_toml('[allocation]\nobjectives = ["change", "wrost"]'),
            "allocation.objectives.1: is 'wrost': expected 'change', 'largest_change', 'deficit' or 'spread'.\n"
            "   Correct the value.",
            id="an unknown level",
        ),
        pytest.param(
            policy_toml('[allocation]\nobjectives = ["change", "change"]'),
            "allocation: names an objective twice in objectives.\n   Keep one of them.",
            id="a level twice",
        ),
        pytest.param(
            policy_toml('[allocation]\nintensity_order = "true"'),
            "allocation.intensity_order: is 'true': expected a valid boolean.\n   Write true or false, without quotes.",
            id="text for true",
        ),
    ],
)
def test_a_fault_of_the_policy_is_told(write_folder: Writer, policy: str, message: str) -> None:
    assert message_of(write_folder(units_csv(), policy)) == f"policy.toml, {message}"


def test_a_target_of_intensity_needs_output_except_where_a_special_case_is_fixed(write_folder: Writer) -> None:
    policy = policy_toml("[sectors.cement]\ntarget_intensity = 0.81")
    advice = "   Fill the column, or state target_change or target_t."
    assert message_of(write_folder(units_csv(output_t=["1000000", "", "5000000"]), policy), etsopt.read) == (
        "units.csv, output_t: 1 unit of cement has no output, but the sector's target is an intensity: "
        f"row of line-2.\n{advice}"
    )
    assert message_of(write_folder(units_csv(output_t=None), policy), etsopt.read) == (
        "units.csv, output_t: 2 units of cement have no output, but the sector's target is an intensity: "
        f"row of line-1, row of line-2.\n{advice}"
    )
    special = units_csv(output_t=["1000000", "", "5000000"], special_case=["", "new", ""])
    assert etsopt.read(write_folder(special, policy)).policy.sectors["cement"].target_intensity == 0.81


@pytest.mark.parametrize(
    ("emissions", "threshold"),
    [
        pytest.param("0", 0.0, id="without emissions"),
        pytest.param("20000", 26_000.0, id="an enterprise below the threshold"),
    ],
)
def test_a_target_of_intensity_needs_no_output_of_a_unit_that_gets_its_emissions(
    write_folder: Writer, emissions: str, threshold: float
) -> None:
    columns: dict[str, list[str]] = {
        "enterprise_id": ["north", "west", "south"],
        "emissions_tco2e": ["780000", emissions, "10500000"],
        "output_t": ["1000000", "", "5000000"],
    }
    policy = f"year = 2025\n[rule]\nname = 'cn-2025'\nthreshold_tco2e = {threshold}\n"
    policy += "[sectors.cement]\ntarget_intensity = 0.77\n"
    instance = etsopt.read(write_folder(units_csv(**columns), policy))
    found = etsopt.solve(instance)
    assert found.status == "certified_optimal"
    assert found.tables["sectors"].set_index("sector").loc["cement", "target_t"] == pytest.approx(770_000.0)


@pytest.mark.parametrize(
    ("enterprises", "message"),
    [
        pytest.param(
            "enterprise_id,name\nnorth,North\n",
            "enterprise_id: 1 enterprise of units.csv has no row: south.\n   Add the rows, or leave the table out.",
            id="one missing",
        ),
        pytest.param(
            "enterprise_id,name\nwest,West\n",
            "enterprise_id: 2 enterprises of units.csv have no row: north, south.\n"
            "   Add the rows, or leave the table out.",
            id="two missing",
        ),
        pytest.param(
            "enterprise_id,name\nnorth,North\nsouth,South\nnorth,North\n",
            "enterprise_id: 2 rows share an identifier: row 2 'north', row 4 'north'.\n   Give each row its own.",
            id="twice",
        ),
        pytest.param(
            "enterprise_id,opening_2024_t,opening_2026_t\nnorth,-1,5\nsouth,,7\n",
            "opening_2024_t: 1 value is out of range: row 2 '-1'.\n"
            "   Correct it to at least 0 [t]: allowances of vintage 2024 held at the start.",
            id="negative holdings",
        ),
        pytest.param(
            "enterprise_id,openings_2019_t\nnorth,1\nsouth,2\n",
            "openings_2019_t: is not a column of this table.\n"
            "   Did you mean 'opening_2019_t'? Rename it, or begin a column of your own with 'x_'.",
            id="a misspelt vintage",
        ),
        pytest.param(
            "enterprise_id,net_sales_t\nnorth,-91430000123456789\nsouth,2\n",
            "net_sales_t: 1 value is far too large: row 2 '-91430000123456789'.\n"
            "   Look for an identifier or a wrong unit of measure: no unit has 1e12 [t] or more.",
            id="net purchases beyond all measure",
        ),
    ],
)
def test_a_fault_of_the_enterprises_is_told(write_folder: Writer, enterprises: str, message: str) -> None:
    folder = write_folder(units_csv(), policy_toml(), enterprises)
    assert message_of(folder) == f"enterprises.csv, {message}"


def test_of_many_bad_cells_the_first_five_are_shown(write_folder: Writer) -> None:
    rows = "".join(f"u{number},e,,cement,Hebei,?{number}\n" for number in range(1, 9))
    assert message_of(write_folder("unit_id,enterprise_id,name,sector,province,emissions_tco2e\n" + rows)) == (
        "units.csv, emissions_tco2e: 8 cells are not numbers: "
        f"row 2 '?1', row 3 '?2', row 4 '?3', row 5 '?4', row 6 '?5' and 3 more.\n{NUMBER}"
    )


def test_slips_of_different_factors_are_told_apart(write_folder: Writer) -> None:
    folder = write_folder(units_csv(emissions_tco2e=["780", "984000000", "10500000"]), policy_toml())
    with pytest.raises(DataError) as caught:
        read_instance(folder)
    assert [problem.what for problem in caught.value.problems] == [
        "1 unit has about 1/1000 of the plausible intensity of its sector",
        "1 unit has about 1000 times the plausible intensity of its sector",
    ]


def test_an_unusual_but_possible_intensity_is_no_slip(write_folder: Writer) -> None:
    # A hundredth of the typical intensity, and a unit without emissions.
    folder = write_folder(units_csv(emissions_tco2e=["9000", "0", "10500000"]), policy_toml())
    assert read_instance(folder).intensity.tolist() == [0.009, 0.0, 0.88]
    with pytest.warns(AssumedWarning) as told:
        etsopt.read(folder)
    assert "Output but no emissions at line-2" in str(told[0].message)
    assert "the intensity of cement is about 0.009, usually 0.83" in str(told[1].message)


def test_a_policy_is_changed_by_dotted_keys(write_folder: Writer) -> None:
    instance = read_instance(write_folder(units_csv(), policy_toml("[sectors.cement]\ntarget_t = 1700000")))
    changed = instance.with_policy(
        {"sectors.cement.band": 0.02, "sectors.steel.band.lower": 0.01, "sectors.steel.band.upper": 0.04, "year": 2026}
    )
    bands = {sector: section.band for sector, section in changed.policy.sectors.items()}
    assert {sector: (band.lower, band.upper) for sector, band in bands.items() if band} == {
        "cement": (0.02, 0.02),
        "steel": (0.01, 0.04),
    }
    assert changed.policy.sectors["cement"].target_t == 1_700_000
    assert changed.policy.year == 2026
    assert instance.policy.year == 2025
    assert instance.policy.sectors["cement"].band is None
    assert changed.units is instance.units


def test_one_side_of_a_band_can_be_changed_alone(write_folder: Writer) -> None:
    instance = read_instance(write_folder(units_csv(), policy_toml("[sectors.cement]\nband = 0.03")))
    band = instance.with_policy({"sectors.cement.band.lower": 0.05}).policy.sectors["cement"].band
    assert band is not None
    assert (band.lower, band.upper) == (0.05, 0.03)


def test_a_changed_target_takes_the_place_of_the_one_before(write_folder: Writer) -> None:
    instance = read_instance(write_folder(units_csv(), policy_toml("[sectors.cement]\ntarget_t = 1700000")))
    section = instance.with_policy({"sectors.cement.target_change": -0.01}).policy.sectors["cement"]
    assert (section.target_change, section.target_t, section.target_intensity) == (-0.01, None, None)


def test_a_balance_for_all_is_not_dropped_for_that_of_one_province(write_folder: Writer) -> None:
    instance = read_instance(write_folder(units_csv(), policy_toml("[provinces]\nbalance = 0.02")))
    with pytest.raises(DataError) as caught:
        instance.with_policy({"provinces.balance.Hebei": 0.01})
    assert str(caught.value) == (
        "The policy has a problem.\n\n1. the changed policy, provinces.balance: is the one value 0.02: expected a "
        "table with 'Hebei'.\n   Set provinces.balance itself, to a table of all values if it may be one."
    )
    changed = instance.with_policy({"provinces.balance": {"Hebei": 0.01}})
    assert changed.policy.provinces.balance == {"Hebei": 0.01}
    again = changed.with_policy({"provinces.balance.Hebei": 0.03}).policy.provinces.balance
    assert again == {"Hebei": 0.03}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param(
            {"sectors.cement.bnd": 0.02},
            "The policy has a problem.\n\n1. the changed policy, sectors.cement.bnd: is not a key of the policy.\n"
            "   Did you mean 'band'? "
            "Use one of target_change, target_t, band, target_intensity, target_sense, balance_value, "
            "balance_value_source, balance_value_mark.",
            id="unknown key",
        ),
        pytest.param(
            {"sectors.cement.band": 300},
            "The policy has a problem.\n\n1. the changed policy, sectors.cement.band: is 300: expected a number "
            "from 0 to 100, or {lower, upper}.\n   Correct the value; 0.03 is 3 %.",
            id="out of range",
        ),
        pytest.param(
            {"year.month": 3},
            "The policy has a problem.\n\n1. the changed policy, year: is the one value 2025: expected a table with "
            "'month'.\n   Set year itself, to a table of all values if it may be one.",
            id="a key below a value",
        ),
        pytest.param(
            {"sectors.power.band": 0.02},
            "The changed policy of 'plant' has a problem.\n\n1. policy.toml, sectors.power: the sector 'power' has "
            "no unit.\n   Remove its table, or add its units.",
            id="a sector without units",
        ),
    ],
)
def test_a_wrong_change_of_the_policy_is_refused(write_folder: Writer, changes: dict[str, Any], message: str) -> None:
    instance = read_instance(write_folder(units_csv(), policy_toml()))
    with pytest.raises(DataError) as caught:
        instance.with_policy(changes)
    assert str(caught.value) == message


def test_random_instances_are_valid_and_plausible(random_instance: Callable[..., Instance]) -> None:
    instance = random_instance(3, 60, **{"sectors.cement.band": 0.02})
    assert len(instance.units) == 60
    assert instance.sectors == ["aluminium", "cement", "steel"]
    assert instance.units.groupby("enterprise_id").size().max() == 3
    assert instance.emissions_tco2e.min() >= 3e4
    assert instance.emissions_tco2e.max() <= 1e7
    assert instance.hash == random_instance(3, 60, **{"sectors.cement.band": 0.02}).hash
    assert instance.hash != random_instance(4, 60, **{"sectors.cement.band": 0.02}).hash


def test_the_schema_says_of_every_column_what_it_means_and_in_which_unit() -> None:
    for table in TABLES:
        assert any(table.column(name).required for name in table.key)
        assert all(column.meaning for column in table.columns)
        assert all(bool(column.unit) == column.number for column in table.columns)
        assert all(column.name.endswith(ENDINGS[column.unit]) for column in table.columns if column.number)
    assert [table.name for table in TABLES] == [
        *("units", "enterprises", "measures", "forecast", "scenarios", "supply"),
        *("quantities", "statements", "terms"),
    ]
    assert set(PLAUSIBLE_INTENSITY) == set(SECTORS)


def test_a_change_of_a_sector_without_its_section_is_told_the_whole_key() -> None:
    with pytest.raises(etsopt.DataError, match=r"Did you mean 'sectors\.cement'\? Use one of year, coverage, rule"):
        etsopt.read("tiny").with_policy({"cement.band": 0.02})


def test_the_policy_of_frames_may_have_dotted_keys_as_its_changes_have() -> None:
    tiny = etsopt.read("tiny")
    policy = {"year": 2025, "rule.name": "cn-2025", "rule": {"slope": 0.2}, "sectors.cement.band": 0.02}
    policy |= {"provinces.names": "any"}
    stated = etsopt.Instance.from_frames(tiny.units, policy).policy
    assert (stated.rule.name, stated.rule.parameters) == ("cn-2025", {"slope": 0.2})
    band = stated.sectors["cement"].band
    assert band is not None
    assert band.upper == 0.02
    with pytest.raises(etsopt.UsageError, match=r"`policy` is None: expected a dictionary.\n\nPass at least a year"):
        etsopt.Instance.from_frames(tiny.units, None)  # type: ignore[arg-type]
