"""The IAMC format: five columns and years, totals that add up, and pyam reads it where it is installed."""

from __future__ import annotations

import warnings
from math import nan
from pathlib import Path

import pandas as pd
import pytest

import etsopt
from etsopt.running.results.iamc import INDEX


@pytest.fixture(scope="module")
def path() -> etsopt.Results:
    return etsopt.solve(etsopt.read("cn-2025-2035"), "pathway")


def value(table: pd.DataFrame, variable: str, year: int, region: str = "China") -> float:
    row = table[(table["variable"] == variable) & (table["region"] == region)]
    assert len(row) == 1
    return float(row[year].iloc[0])


def test_a_pathway_has_prices_and_totals_of_each_year(path: etsopt.Results) -> None:
    table = path.to_iamc("tightening", "PRC")
    years = path.tables["years"].set_index("year")
    assert list(table) == [*INDEX, *years.index]
    assert set(table["scenario"]) == {"tightening"}
    for year in years.index:
        # Of 2025 and 2026 allowances equal emissions, so that every price from that of the next year up clears.
        price = years.loc[year, "price_cny_per_t"] if year > 2026 else None
        assert value(table, "Price|Carbon", year, "PRC") == (
            pytest.approx(price) if price else pytest.approx(nan, nan_ok=True)
        )
        total = value(table, "Emissions|ETS", year, "PRC")
        assert total == pytest.approx(years.loc[year, "emissions_tco2e"] / 1e6)
        parts = [value(table, f"Emissions|ETS|{name}", year, "PRC") for name in ("Aluminium", "Cement", "Steel")]
        assert sum(parts) == pytest.approx(total)
    assert table.loc[table["variable"] == "Price|Carbon", "unit"].tolist() == ["CNY 2024/t CO2"]


def test_an_allocation_has_provinces_as_regions() -> None:
    result = etsopt.solve(etsopt.read("tiny"))
    table = result.to_iamc()
    assert set(table["region"]) == {"China", "China|North", "China|South"}
    assert value(table, "Allowances|ETS|Free", 2025) == pytest.approx(0.5572)
    assert value(table, "Allowances|ETS|Free", 2025, "China|South") == pytest.approx(0.1584)
    assert value(table, "Allowances|ETS|Reference|Cement", 2025) == pytest.approx(0.56)
    assert not table.duplicated(INDEX).any()


def test_pyam_reads_it_back(path: etsopt.Results, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pyam = pytest.importorskip(
            "pyam", reason="a test of its own environment: pip install pyam-iamc", exc_type=ImportError
        )
        table = path.to_iamc()
        table.to_csv(tmp_path / "iamc.csv", index=False)
        frame = pyam.IamDataFrame(tmp_path / "iamc.csv")
    assert set(frame.variable) == set(table["variable"])
    read = frame.filter(variable="Price|Carbon").data.sort_values("year")["value"].to_numpy()
    # pandas inside pyam reads numbers of a file to the last digit but one.
    assert read == pytest.approx(path.tables["years"]["price_cny_per_t"].to_numpy(), rel=1e-15)
