"""Numbers of a sweep as labelled arrays are the same numbers."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.common.errors import UsageError
from etsopt.studies.sweeping import as_dataset
from tests.markets import market

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("xarray")

CHANGES = {"today": {}, "never": {"sectors.cement.target_change": -0.5}, "a": {"sectors.cement.target_change": -0.005}}


def test_every_number_is_at_its_labels_and_an_infeasible_scenario_has_none() -> None:
    numbers = etsopt.sweep(etsopt.read("tiny"), CHANGES).numbers
    sectors = as_dataset(numbers, "sectors")
    assert sectors["allowance_t"].dims == ("scenario", "sector")
    assert sectors["scenario"].to_numpy().tolist() == ["today", "never", "a"]
    assert sectors["status"].sel(scenario="never").item() == "infeasible_certified"
    assert np.isnan(sectors["allowance_t"].sel(scenario="never")).all()
    rows = numbers[(numbers["table"] == "sectors") & numbers["value"].notna()]
    for row in rows.itertuples():
        array = sectors[str(row.quantity)]
        assert array.sel(scenario=row.scenario, sector=row.sector).item() == row.value
        assert array.attrs["units"] == row.unit
    assert int(sum((~np.isnan(array)).sum() for array in sectors.data_vars.values())) == len(rows)


def test_objectives_have_their_name_as_a_dimension_and_the_units_of_each() -> None:
    levels = as_dataset(etsopt.sweep(etsopt.read("tiny"), CHANGES).numbers, "levels")
    assert levels["value"].dims == ("scenario", "id")
    assert levels["value"].attrs["units"].split(", ")[0] in ("rate", "t")


def test_years_are_whole_numbers_and_a_file_of_arrays_keeps_them(tmp_path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    instance = market(
        {"emissions_tco2e": [1e6], "reference_t": [1.1e6]}, horizon={"last_year": 2026, "discount_rate": 0.0}
    )
    years = as_dataset(etsopt.sweep(instance, {"now": {}}, "clearing").numbers, "years")
    assert (years["year"].dtype, {array.dtype for array in years.data_vars.values()}) == (np.int64, {np.dtype(float)})
    assert years["price_cny_per_t"].sel(year=2026).dtype == np.float64
    years.to_netcdf(tmp_path / "years.nc")
    with xarray.open_dataset(tmp_path / "years.nc") as read:
        assert read["year"].to_numpy().tolist() == [2025, 2026]
        assert np.array_equal(read["price_cny_per_t"], years["price_cny_per_t"])


def test_a_table_read_from_a_file_gives_the_same_arrays(tmp_path: Path) -> None:
    numbers = etsopt.sweep(etsopt.read("tiny"), CHANGES).numbers
    numbers.drop(columns="status").to_csv(tmp_path / "values.csv", index=False)
    read = as_dataset(pd.read_csv(tmp_path / "values.csv"), "provinces")
    assert read.drop_vars("status", errors="ignore").equals(as_dataset(numbers, "provinces").drop_vars("status"))


def test_a_missing_table_and_a_missing_package_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = etsopt.sweep(etsopt.read("tiny"), CHANGES).numbers
    with pytest.raises(UsageError, match=r"no table 'years'.\n\nChoose one of levels, sectors"):
        as_dataset(numbers, "years")
    failed = etsopt.sweep(etsopt.read("tiny"), {"wrong": {"sectors.cement.target_change": -1.5}}).numbers
    with pytest.raises(
        UsageError, match=r"(?s)No scenario has an answer; of the first, wrong: .*change: is -1.5: expected"
    ):
        as_dataset(failed, "years")
    with pytest.raises(UsageError, match=r"No scenario has an answer.$"):
        as_dataset(failed.iloc[:0], "years")
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(UsageError, match=r"etsopt\[xarray\]"):
        as_dataset(numbers, "sectors")
