"""What a result says of itself beside its figures: what was assumed, and whose holdings are counted how."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import etsopt as ets
from etsopt.cli import main
from etsopt.common.language import in_both
from etsopt.running.results.notices import facts_of, notices

if TYPE_CHECKING:
    from pathlib import Path

UNITS = pd.DataFrame(
    {
        "unit_id": ["a", "b", "c"],
        "enterprise_id": ["x", "x", "y"],
        "sector": ["cement", "steel", "cement"],
        "province": ["Hebei"] * 3,
        "emissions_tco2e": [500_000.0, 5_000_000.0, 500_000.0],
        "output_t": [600_000.0, 2_600_000.0, 600_000.0],
    }
)
"""The first enterprise has units of two sectors, the larger one of steel."""


def held(*owners: str, year: int = 2025) -> ets.Instance:
    """Return the units, with 200,000 t of 2024 in the accounts of some enterprises."""
    enterprises = pd.DataFrame({"enterprise_id": list(dict.fromkeys(("x", "y", *owners)))})
    enterprises["opening_2024_t"] = 200_000.0 * enterprises["enterprise_id"].isin(owners)
    policy = {"year": year, "coverage": "nation", "rule": {"name": "cn"}, "market": {"prices_cny_per_t": 80.0}}
    return ets.Instance.from_frames(UNITS, policy, enterprises)


def test_whose_base_of_carry_over_is_taken_is_told_where_it_is_a_choice() -> None:
    found = ets.solve(held("x", "y"), "compliance")
    assert found.provenance.as_json()["holders"] == {"carry_over": [{"enterprise": "x", "sector": "steel"}]}
    assert notices(found.provenance) == ["The base of carry-over is that of the sector of the largest unit: x (steel)."]
    assert notices(facts_of(held("y"), "compliance")) == []
    # Carry-over belongs to compliance year 2025, and an allocation holds nothing.
    assert notices(facts_of(held("x", "y", year=2026), "compliance")) == []
    assert notices(facts_of(held("x", "y"), "allocation")) == []


def test_enterprises_without_units_are_warned_of() -> None:
    found = ets.solve(held("x", "y", *(f"z{k}" for k in range(7))), "compliance")
    assert found.provenance.as_json()["holders"]["without_units"] == [f"z{k}" for k in range(7)]
    english, chinese = in_both(notices(found.provenance)[0]).values()
    assert english.startswith("No unit of the table belongs to z0, z1, z2, z3, z4 and 2 more: what they hold counts")
    assert chinese.startswith("z0、z1、z2、z3、z4 等另 2 家在本表中没有单元")
    # What is said of them holds: they owe nothing, and 10,000 t are carried over as in power.
    rows = found.tables["compliance"].set_index("enterprise_id")
    assert rows.loc["z0", ["obligation_t", "carried_over_t"]].tolist() == [0, 10_000]
    assert rows.loc["x", "carried_over_t"] == 100_000


def test_what_was_assumed_of_a_file_is_in_the_result_and_what_is_stated_is_not(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    UNITS.assign(province=["Peking", "Hebei", "Hebei"]).to_csv(file, index=False)

    def assumed(*options: str) -> dict[str, list[str]]:
        out = tmp_path / "run"
        assert main(["solve", str(file), "--out", str(out), *options]) == 0
        told: dict[str, list[str]] = json.loads((out / "result.json").read_text("utf-8")).get("assumed", {})
        return told

    both = assumed()
    assert both["policy"][0].startswith("mine.csv: the policy does not state the year 2026 and the rule cn, which are")
    assert any("Peking" in sentence for sentence in both["tables"])
    of_rule = assumed("--set", "year=2025")
    assert of_rule["policy"][0].startswith("mine.csv: the policy does not state the rule cn, which is assumed")
    assert "policy" not in assumed("--set", "year=2025", "--set", "rule.name=cn")
    with pytest.warns(ets.AssumedWarning):
        instance = ets.read(file)
    assert "policy" in instance.assumed
    assert "policy" not in instance.with_policy({"year": 2025}).assumed
    assert instance.with_policy({"allocation.band_on": "unit"}).assumed == instance.assumed
