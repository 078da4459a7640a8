"""The elastic program: by how many tonnes limits are missed at least, and what relaxing them leaves feasible."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import etsopt
from tests.builders import random_instance


def solve(instance: etsopt.Instance) -> etsopt.Results:
    """An allocation, which has to be certified."""
    result = etsopt.solve(instance)
    assert result.certified
    return result


def test_the_tonnes_that_are_missing_are_those_of_a_calculation_by_hand() -> None:
    # A band of 3 % leaves at least 0.97 x 560,000 = 543,200 t; a target of 4 % less is 537,600 t.
    changes = {"sectors.cement.target_change": -0.04, "provinces": {"names": "any"}}
    result = etsopt.solve(etsopt.read("tiny").with_policy(changes))
    assert (result.termination, result.status, result.certified) == ("infeasible", "infeasible_certified", True)
    assert result.infeasible_by_t == pytest.approx(5_600.0)
    assert result.levels[0].value == pytest.approx(5_600.0)
    relaxed = result.tables["relaxed_limits"].set_index(["way_out", "limit"])
    assert relaxed["index"].to_list() == ["cement"] * 3
    alone = relaxed.loc[("alone", "target")]
    assert (alone["by"], alone["from"], alone["to"]) == pytest.approx((5_600.0, 537_600.0, 543_200.0))
    assert relaxed.loc[("target_relaxation", "target"), "to"] == pytest.approx(543_200.0)
    # Bands: 4 % on both sides where 3 % stood.
    band = relaxed.loc[("band_relaxation", "band")]
    assert (band["by"], band["from"], band["to"]) == pytest.approx((0.01, 0.03, 0.04))
    assert band["unit"] == "rate"


@pytest.mark.nightly
def test_the_instance_is_feasible_once_its_limits_are_relaxed() -> None:
    for seed in range(10):
        instance = random_instance(seed, cases=False).with_policy({"sectors.cement.target_change": -0.09})
        result = etsopt.solve(instance)
        assert result.status == "infeasible_certified"
        relaxed = result.tables["relaxed_limits"]
        for way in ("target_relaxation", "band_relaxation"):
            lines = relaxed[relaxed["way_out"] == way]
            assert len(lines)
            relaxed_result = etsopt.solve(instance.with_policy(relaxation(instance, lines)))
            assert relaxed_result.termination == "optimal", (seed, way, relaxed_result.status, lines)


def relaxation(instance: etsopt.Instance, lines: pd.DataFrame) -> dict[str, Any]:
    """The policy with what a way out says, and a kilogram or a millionth more."""
    emissions = instance.units.groupby("province")["emissions_tco2e"].sum()
    stated = instance.policy.provinces.balance
    shares = dict(stated) if isinstance(stated, dict) else dict.fromkeys(instance.provinces, stated)
    changes: dict[str, Any] = {}
    for line in lines.itertuples():
        if line.limit == "target":
            changes[f"sectors.{line.index}.target_t"] = line.to + 0.1
        elif line.limit == "balance":
            shares[line.index] = (shares[line.index] or 0.0) + (line.by + 0.1) / emissions[line.index]
        elif line.limit == "nation":
            changes["national.target_t"] = line.to + 0.1
        else:
            band = instance.policy.sectors[line.index].band
            assert band is not None
            sides = {"lower": band.lower + line.by + 1e-6, "upper": band.upper + line.by + 1e-6}
            changes[f"sectors.{line.index}.band"] = sides
    if stated is not None:
        changes["provinces.balance"] = {name: share for name, share in shares.items() if share is not None}
    return changes


def test_the_shipped_instance_of_europe_lacks_a_million_tonnes_of_aluminium() -> None:
    instance = etsopt.read("eu-2019")
    result = etsopt.solve(instance)
    assert result.status == "infeasible_certified"
    assert result.infeasible_by_t is not None
    assert round(result.infeasible_by_t) == 1_014_305
    relaxed = result.tables["relaxed_limits"]
    assert set(relaxed["index"]) == {"aluminium"}
    # By hand: 97 % of emissions against the target.
    here = instance.units["sector"] == "aluminium"
    missing = 0.97 * instance.units.loc[here, "emissions_tco2e"].sum() - 7_298_304
    assert result.infeasible_by_t == pytest.approx(missing, abs=0.01)
    assert solve(instance.with_policy({"sectors.aluminium.band": 0.15})).certified


def test_the_shipped_instance_of_china_bears_a_cut_of_one_per_cent_and_not_of_four() -> None:
    instance = etsopt.read("cn-2025")
    assert solve(instance).certified
    assert solve(instance.with_policy({"sectors.cement.target_change": -0.01})).certified
    cut = instance.with_policy({"sectors.cement.target_change": -0.04})
    result = etsopt.solve(cut)
    assert result.status == "infeasible_certified"
    alone = result.tables["relaxed_limits"].query("way_out == 'alone'")
    assert alone["index"].tolist() == ["cement"]
    # The band's lower limits are rounded down to whole tonnes, unit by unit; the target is not.
    cement = instance.units.loc[instance.units["sector"] == "cement", "emissions_tco2e"]
    lowest = sum((97 * int(e)) // 100 for e in cement)
    assert alone["to"].item() == pytest.approx(lowest)
    assert alone["by"].item() == pytest.approx(lowest - 0.96 * cement.sum(), abs=0.01)


def test_a_thousand_units_are_relaxed_one_by_one_unless_cells_are_asked_for() -> None:
    """Either relaxation is least; over single units it is stated in one key of the policy."""
    hard = etsopt.read("cn-2025").with_policy({"sectors.cement.target_change": -0.03, "provinces.balance": 0.002})
    apart, whole, cells = (etsopt.solve(hard, method=method) for method in (None, "direct", "aggregation"))
    assert apart.provenance.method == "aggregation"
    assert [one.changes for one in apart.remedies] == [one.changes for one in whole.remedies]
    assert apart.infeasible_by_t == pytest.approx(cells.infeasible_by_t)
    assert {result.status for result in (apart, whole, cells)} == {"infeasible_certified"}
