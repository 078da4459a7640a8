"""Forecasts: how output and intensity develop, and each check, which one wrong cell makes fire with its message."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from etsopt.data.files.read import read_instance
from etsopt.data.files.write import write_instance
from etsopt.data.instance import Instance
from etsopt.data.projection import development
from tests.folders import Writer, message_of, policy_toml, units_csv

VALID: dict[str, list[str]] = {
    "unit_id": ["", "", "", "line-2"],
    "sector": ["cement", "cement", "steel", ""],
    "year": ["2027", "2029", "2026", "2026"],
    "output_t": ["", "", "", "600000"],
    "output_factor": ["0.9", "1.3", "0.5", ""],
    "intensity_factor": ["0.8", "", "", ""],
}


def forecast_csv(**columns: list[str] | None) -> str:
    """The valid table with columns replaced, added, or left out by None."""
    table = {name: cells for name, cells in {**VALID, **columns}.items() if cells is not None}
    rows = [",".join(cells) for cells in zip(*table.values(), strict=True)]
    return "\n".join([",".join(table), *rows]) + "\n"


def folder(write: Writer, **columns: list[str] | None) -> Path:
    return write(units_csv(), policy_toml(), forecast_csv=forecast_csv(**columns))


def test_output_and_intensity_go_straight_between_stated_years_and_stay_after_the_last(write_folder: Writer) -> None:
    found = development(read_instance(folder(write_folder)), [2025, 2026, 2027, 2028, 2029, 2035])
    # line-1 follows cement from 1 in 2025; line-2, which made 1.2 Mt, its own row alone; the mill follows steel.
    np.testing.assert_allclose(
        found.output_factor,
        [[1, 0.95, 0.9, 1.1, 1.3, 1.3], [1, 0.5, 0.5, 0.5, 0.5, 0.5], [1, 0.5, 0.5, 0.5, 0.5, 0.5]],
        rtol=1e-15,
    )
    line = [1, 0.9, 0.8, 0.9, 1, 1]
    np.testing.assert_allclose(found.intensity_factor, [line, [1.0] * 6, [1.0] * 6], rtol=1e-15)


def test_without_a_forecast_and_for_units_without_rows_nothing_changes(write_folder: Writer) -> None:
    bare = development(read_instance(write_folder(units_csv(), policy_toml())), [2025, 2030])
    assert bare.output_factor.tolist() == bare.intensity_factor.tolist() == [[1, 1]] * 3
    other = read_instance(folder(write_folder, sector=["power", "power", "power", ""]))
    assert development(other, [2025, 2030]).output_factor.tolist() == [[1, 1], [1, 0.5], [1, 1]]


@pytest.mark.parametrize("seed", range(20))
def test_every_path_is_the_interpolation_of_its_own_rows(seed: int) -> None:
    random = np.random.default_rng(seed)
    units = pd.DataFrame(
        {
            "unit_id": [f"u{number}" for number in range(12)],
            "enterprise_id": "firm",
            "sector": random.choice(["cement", "steel"], 12),
            "province": "Hebei",
            "emissions_tco2e": 1e6,
            "output_t": 1e6,
        }
    )
    places = [*random.choice(units["unit_id"], 4, replace=False), *(["cement"] if seed % 2 else ["cement", "steel"])]
    rows = [
        {"unit_id": place if place.startswith("u") else "", "sector": "" if place.startswith("u") else place, "year": y}
        for place in places
        for y in random.choice(np.arange(2026, 2041), random.integers(1, 6), replace=False)
    ]
    forecast = pd.DataFrame(rows)
    forecast["output_factor"] = random.uniform(0.5, 1.5, len(rows))
    forecast["intensity_factor"] = random.uniform(0.5, 1.0, len(rows))
    policy = {"year": 2025, "rule": {"name": "cn-2025"}}
    instance = Instance.from_frames(units, policy, forecast=forecast)
    years = list(range(2025, 2046))
    found = development(instance, years)
    for position, unit in enumerate(instance.units.to_dict("records")):
        own = forecast[forecast["unit_id"] == unit["unit_id"]]
        path = (own if len(own) else forecast[forecast["sector"] == unit["sector"]]).sort_values("year")
        for name in ("output_factor", "intensity_factor"):
            wanted = np.interp(years, [2025, *path["year"]], [1.0, *path[name]])
            np.testing.assert_allclose(getattr(found, name)[position], wanted, rtol=1e-12)


def test_a_forecast_is_written_read_and_hashed(write_folder: Writer, tmp_path: Path) -> None:
    instance = read_instance(folder(write_folder))
    write_instance(instance, tmp_path / "copy" / "plant")
    assert read_instance(tmp_path / "copy" / "plant").hash == instance.hash
    other = read_instance(folder(write_folder, intensity_factor=["0.9", "", "", ""]))
    assert instance.hash != other.hash


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        pytest.param(
            {"year": ["2027", "2029", "2026", "26"]},
            "year: 1 value is out of range: row 5 '26'.\n"
            "   Correct it to at least 2000 and at most 2100 [year]: compliance year, after that of the tables.",
            id="a year of two digits",
        ),
        pytest.param(
            {"year": ["2027", "2029.5", "2026", "2026"]},
            "year: 1 value is not a whole number: row 3 '2029.5'.\n"
            "   Correct it to a whole number [year]: compliance year, after that of the tables.",
            id="a broken year",
        ),
        pytest.param(
            {"year": ["2027", "", "2026", "2026"]},
            "year: 1 cell is empty: row 3.\n   Fill it in every row [year]: compliance year, after that of the tables.",
            id="no year",
        ),
        pytest.param(
            {"year": ["2027", "2027", "2026", "2026"]},
            "unit_id, sector, year: 2 rows share an identifier: row 2 'cement 2027', row 3 'cement 2027'.\n"
            "   Give each row its own.",
            id="a year twice",
        ),
        pytest.param(
            {"year": ["2025", "2029", "2026", "2024"]},
            "year: 2 rows are not after 2025: row of cement in 2025 '2025', row of line-2 in 2024 '2024'.\n"
            "   Remove it: units.csv holds output and emissions of the policy's year.",
            id="a year that is not later",
        ),
        pytest.param(
            {"output_factor": ["0.9", "0", "0.5", ""]},
            "output_factor: 1 value is out of range: row 3 '0'.\n"
            "   Correct it to above 0 and at most 1000 [fraction]: output relative to units.csv; this or output_t.",
            id="no output",
        ),
        pytest.param(
            {"output_factor": ["0.9", "1200000", "0.5", ""]},
            "output_factor: 1 value is out of range: row 3 '1200000'.\n"
            "   Correct it to above 0 and at most 1000 [fraction]: output relative to units.csv; this or output_t.",
            id="tonnes for a factor",
        ),
        pytest.param(
            {"output_t": ["", "", "", "-1"]},
            "output_t: 1 value is out of range: row 5 '-1'.\n"
            "   Correct it to above 0 [t]: output of the unit; this or output_factor.",
            id="a negative output",
        ),
        pytest.param(
            {"intensity_factor": ["-0.8", "", "", ""]},
            "intensity_factor: 1 value is out of range: row 2 '-0.8'.\n"
            "   Correct it to above 0 and at most 1000 [fraction]: emissions per output relative to units.csv, "
            "without measures.",
            id="a negative intensity",
        ),
        pytest.param(
            {"output_factor": ["0.9", "", "0.5", "0.7"]},
            "output_t, output_factor: 2 rows do not state exactly one of the two: row of cement in 2029, row of "
            "line-2 in 2026.\n   State output_t in tonnes, or output_factor relative to units.csv: 1 for no change.",
            id="output stated twice and not at all",
        ),
        pytest.param(
            {"output_t": ["", "1200000", "", "600000"], "output_factor": ["0.9", "", "0.5", ""]},
            "output_t: 1 row of a sector states output in tonnes: row of cement in 2029 '1200000'.\n"
            "   State output_factor: tonnes would apply to every unit.",
            id="tonnes of a sector",
        ),
        pytest.param(
            {"unit_id": ["", "", "mill-1", "line-2"]},
            "unit_id, sector: 1 row does not name exactly one of the two: row of mill-1 steel in 2026.\n"
            "   Name the unit, or the sector for all its units.",
            id="of a unit and a sector",
        ),
        pytest.param(
            {"unit_id": ["", "", "", "line-3"]},
            "unit_id: 1 row is of a unit that units.csv does not have: row of line-3 in 2026 'line-3'.\n"
            "   Correct the unit_id, or remove the row.",
            id="of an unknown unit",
        ),
    ],
)
def test_a_fault_of_the_forecast_is_told(
    write_folder: Writer, columns: dict[str, list[str] | None], message: str
) -> None:
    assert message_of(folder(write_folder, **columns)) == f"forecast.csv, {message}"


@pytest.mark.parametrize("output", [["1000000", "", "5000000"], None])
def test_output_in_tonnes_needs_output_in_the_year_of_the_tables(
    write_folder: Writer, output: list[str] | None
) -> None:
    units = units_csv(output_t=output)
    assert message_of(write_folder(units, policy_toml(), forecast_csv=forecast_csv())) == (
        "forecast.csv, output_t: 1 row is of a unit without output in units.csv: row of line-2 in 2026 '600000'.\n"
        "   Fill output_t there, or state output_factor."
    )
