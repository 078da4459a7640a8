"""From accounts to an allocation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.accounting import Reports, account, generate, units_of
from etsopt.common.errors import UsageError
from tests.accounting.builders import CEMENT_MONTH, REGISTER, STEEL_MONTH, frame, reports


def test_units_have_the_columns_of_an_instance() -> None:
    units = units_of(account(reports([*STEEL_MONTH, *CEMENT_MONTH]))).set_index("unit_id")
    assert units["emissions_tco2e"].to_dict() == {"C1": 126_119.26, "S1": 1_209_555}
    assert units["output_t"].to_dict() == {"C1": 155_000, "S1": 595_000}
    assert units["intensity_output_t"].to_dict() == {"C1": 155_000, "S1": 600_000}
    assert units["intensity_emissions_tco2e"].to_dict() == {"C1": 126_119.26, "S1": 436_134.06}
    assert units["carbide_slag_rate"].round(4).fillna(-1).to_dict() == {"C1": 0.0232, "S1": -1}
    assert units["x_months"].to_dict() == {"C1": 1, "S1": 1}
    assert units["x_confidence"].to_dict() == {"C1": "C", "S1": "A"}
    exact = units_of(account(reports(STEEL_MONTH)), whole_tonnes=False)
    assert exact["emissions_tco2e"].item() == 1_209_554.86


def test_an_allocation_follows_from_monthly_reports() -> None:
    register, rows = generate(12, months=12, seed=3)
    units = units_of(account(Reports.from_frames(register, rows)))
    instance = etsopt.Instance.from_frames(units=units, policy={"year": 2025, "rule": {"name": "cn-2025"}})
    result = etsopt.solve(instance)
    assert result.status == "certified_optimal"
    table = result.tables["allocation"].set_index("unit_id")
    assert set(table["x_confidence"]) == {"A", "C"}
    own = units.set_index("unit_id")
    expected = own["intensity_emissions_tco2e"] / own["intensity_output_t"]
    assert np.allclose(table["intensity"], expected.reindex(table.index))


def test_a_complex_is_one_unit_with_the_intensity_of_both() -> None:
    joint = pd.concat([REGISTER, REGISTER[REGISTER["unit_id"] == "S1"].assign(unit_id="S2", enterprise_id="ET")])
    steel = joint["sector"] == "steel"
    joint = joint.assign(complex_id=np.where(steel, "K", ""), city=np.where(steel, "Tangshan", ""))
    rows = frame([*STEEL_MONTH, *(("S2", *row[1:]) for row in STEEL_MONTH), *CEMENT_MONTH])
    units = units_of(account(Reports.from_frames(joint, rows))).set_index("unit_id")
    assert units.index.tolist() == ["C1", "K"]
    assert units.loc["K", ["enterprise_id", "emissions_tco2e", "intensity_output_t"]].tolist() == [
        "K",
        2_419_110,
        1.2e6,
    ]


def test_the_room_is_loaded_at_first_use() -> None:
    assert etsopt.accounting.units_of is units_of
    assert "accounting" in dir(etsopt)


def test_a_year_without_reports_is_refused() -> None:
    accounts = account(reports(CEMENT_MONTH))
    with pytest.raises(UsageError, match=r"No unit has reports of 2030\.\n\nChoose one of 2025\."):
        units_of(accounts, 2030)
