"""Sectors beyond China's plans: any name under another rule, and under a plan only those of the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import etsopt
from etsopt.cli import main
from etsopt.common.errors import DataError
from etsopt.data.files.write import write_instance
from tests.builders import given

if TYPE_CHECKING:
    from pathlib import Path

ROWS = [
    ("a", "a", "glass", "Hebei", 1000.0, 900.0),
    ("b", "b", "glass", "Anhui", 2000.0, 2100.0),
    ("c", "c", "paper", "Fujian", 500.0, 500.0),
]
RULE = '''from etsopt.rules import rule


@rule("own", "an example")
def own(instance, parameters, fixed):
    """Nine tenths of the emissions."""
    return 0.9 * instance.emissions_tco2e
'''


def works(**policy: Any) -> etsopt.Instance:
    return given(ROWS, policy, output_t=[1000.0, 2000.0, 400.0], prior_emissions_tco2e=[1000.0, 2000.0, 500.0])


def test_a_sector_of_ones_own_has_a_target_and_a_band_and_is_certified() -> None:
    stated = works(sectors={"glass": {"target_t": 2900.0, "band": 0.1}})
    found = etsopt.solve(stated)
    assert found.certified
    assert found.tables["sectors"].set_index("sector")["allowance_t"].to_dict() == {"glass": 2900.0, "paper": 500.0}
    assert etsopt.check(stated, found).violations == ()


@pytest.mark.parametrize("model", ["balance_value", "clearing", "compliance", "abatement"])
def test_other_models_take_sectors_of_ones_own(model: str) -> None:
    policy = {
        "rule": {"name": "given"},
        "market": {"prices_cny_per_t": 80.0, "ceiling_price_cny_per_t": 900.0, "reserve_t": 1e6},
        "abatement": {"output_cut": {"glass": {"margin_cny_per_t": 100.0, "share": 0.5}}},
    }
    stated = works(**(policy if model != "balance_value" else {}))
    found = etsopt.solve(stated, model)
    assert found.certified
    assert etsopt.check(stated, found).violations == ()


def test_under_a_plan_a_sector_of_ones_own_is_refused_in_units_and_policy() -> None:
    with pytest.raises(DataError, match="units, sector: 3 values are not known"):
        works(rule={"name": "cn-2026"})
    with pytest.raises(DataError, match="3 units are of a sector that the rule cn-2026 does not have"):
        works().with_policy({"rule": {"name": "cn-2026"}})
    with pytest.raises(DataError, match=r"sectors\.glass: 'glass' is not a sector"):
        etsopt.read("tiny").with_policy({"sectors.glass.band": 0.03})
    with pytest.raises(DataError, match=r"sectors\.glas: the sector 'glas' has no unit"):
        works(sectors={"glas": {"band": 0.03}})


def test_a_rule_file_replaces_the_plan_of_a_folder_before_its_sectors_count(tmp_path: Path) -> None:
    folder, run = tmp_path / "works", tmp_path / "run"
    write_instance(works(), folder)
    (folder / "policy.toml").write_text('year = 2026\nrule.name = "cn-2026"\n', "utf-8")
    (tmp_path / "own.py").write_text(RULE, "utf-8")
    assert main(["solve", str(folder)]) == 2
    assert main(["solve", str(folder), "--rule", str(tmp_path / "own.py"), "--out", str(run)]) == 0
    assert main(["check", str(run)]) == 0
    assert main(["solve", str(folder), "--set", 'rule={name="given"}']) == 0
    forecast = pd.DataFrame([{"sector": "glass", "year": 2030, "output_factor": 0.9}])
    forecast.to_csv(folder / "forecast.csv", index=False)
    assert main(["solve", str(folder), "--set", 'rule={name="given"}']) == 0
