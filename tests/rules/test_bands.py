"""Bands that the policy or the rule states, by hand: none unless stated, and a remark where one moves references."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import etsopt
from etsopt.cli import main
from etsopt.common.provenance import BandMove
from etsopt.rules import reference_allowances
from etsopt.rules.bands import band_rates, moved_by_bands
from tests.builders import given

if TYPE_CHECKING:
    from pathlib import Path

ROWS = [(name, owner, "cement", "Hebei", 830_000.0, 639_600.0) for name, owner in (("a", "e"), ("b", "e"))]


def instance(**policy: Any) -> etsopt.Instance:
    """Two kilns with a million tonnes of clinker each: 0.656 t/t of the European benchmark, times 0.975 of 2026."""
    return given(ROWS, policy)


def test_without_a_stated_band_the_allocation_is_the_rule_and_nothing_is_said() -> None:
    found = etsopt.solve(instance())
    assert found.tables["allocation"]["allowance_t"].tolist() == [639_600.0, 639_600.0]
    assert found.status == "certified_optimal"
    assert found.provenance.moved_by_band is None
    assert band_rates(instance(), reference_allowances(instance()))[0].tolist() == [np.inf, np.inf]


def test_a_stated_band_says_how_many_units_and_tonnes_it_moves() -> None:
    # 97 % of 830,000 t are 805,100 t: 165,500 t more for each of two units.
    stated = instance(sectors={"cement": {"band": 0.03}})
    entry = BandMove(lower=0.03, upper=0.03, units=2, tonnes=331_000.0)
    found = etsopt.solve(stated)
    assert found.provenance.moved_by_band == [entry]
    assert found.tables["allocation"]["allowance_t"].tolist() == [805_100.0, 805_100.0]
    assert etsopt.solve(stated.with_policy({"sectors.cement.band": 0.3})).provenance.moved_by_band is None
    # The balance value shows the rule alone, which no band moves.
    assert etsopt.solve(stated, "balance_value").provenance.moved_by_band is None


def test_a_band_of_all_sectors_is_that_of_each_that_states_none() -> None:
    rows = [*ROWS, ("c", "f", "glass", "Hebei", 1_000.0, 900.0)]
    stated = given(rows, {"allocation": {"band": 0.03}, "sectors": {"glass": {"band": {"lower": 0.05, "upper": 0.0}}}})
    down, up = band_rates(stated, reference_allowances(stated))
    assert (down.tolist(), up.tolist()) == ([0.03, 0.03, 0.05], [0.03, 0.03, 0.0])
    found = etsopt.solve(stated)
    assert found.tables["allocation"]["allowance_t"].tolist() == [805_100.0, 805_100.0, 950.0]
    assert etsopt.check(stated, found).certified


@pytest.mark.everyday("unit-allocation", "enterprise-abatement")
@pytest.mark.parametrize("model", ["allocation", "abatement", "balance_value"])
@pytest.mark.parametrize("band_on", ["unit", "enterprise"])
def test_a_band_of_all_sectors_gives_what_the_same_band_of_each_gives(model: str, band_on: str) -> None:
    shipped = etsopt.read("cn-2025")
    policy = shipped.policy.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    policy["allocation"]["band_on"] = band_on
    each = {name: section | {"band": 0.02} for name, section in policy["sectors"].items()}
    none = {name: {key: section[key] for key in section if key != "band"} for name, section in each.items()}
    of_all = policy | {"sectors": none, "allocation": policy["allocation"] | {"band": 0.02}}
    one, other = (
        etsopt.solve(etsopt.Instance.from_frames(shipped.units, stated, shipped.enterprises, shipped.measures), model)
        for stated in (policy | {"sectors": each}, of_all)
    )
    assert one.tables_hash == other.tables_hash
    assert one.provenance.moved_by_band == other.provenance.moved_by_band
    assert not any("band" in key for key in other.provenance.ignored)


def test_power_has_the_band_of_all_sectors_where_one_is_stated() -> None:
    shipped = etsopt.read("cn-national-2025")
    power = (shipped.units["sector"] == "power").to_numpy()
    own = shipped.with_policy({"sectors": {}})
    assert (band_rates(own, reference_allowances(own))[0][power] > 1.0).all()
    stated = own.with_policy({"allocation.band": {"lower": 0.2, "upper": 0.1}, "allocation.band_on": "enterprise"})
    down, up = band_rates(stated, reference_allowances(stated))
    assert ((down[power] == 0.2) & (up[power] == 0.1)).all()
    assert etsopt.solve(stated.with_policy({"provinces.balance": None})).certified


def test_a_band_at_a_wrong_place_is_answered_by_the_key_of_all_sectors(capsys: pytest.CaptureFixture[str]) -> None:
    for key in ("band", "rule.band", "sectors.band"):
        assert main(["solve", "tiny", "--set", f"{key}=0.02"]) == 2
        assert "Did you mean 'allocation.band'?" in capsys.readouterr().err


def test_a_remedy_widens_a_band_of_all_sectors_for_the_sector_alone() -> None:
    tight = etsopt.read("tiny").with_policy({"sectors.cement": {"target_change": -0.04}, "allocation.band": 0.03})
    assert tight.policy.sectors["cement"].band is None
    remedy = etsopt.solve(tight).remedies[-1]
    assert {"sectors.cement.band.lower": 0.04, "sectors.cement.band.upper": 0.03}.items() <= remedy.changes.items()
    assert etsopt.solve(tight.with_policy(remedy.changes)).certified


def test_enterprises_share_a_band_which_one_unit_may_leave() -> None:
    rows = [("a", "e", "cement", "Hebei", 1000.0, 900.0), ("b", "e", "cement", "Hebei", 1000.0, 1100.0)]
    policy = {"sectors": {"cement": {"band": 0.05}}}
    assert moved_by_bands(given(rows, policy)) == [BandMove(lower=0.05, upper=0.05, units=2, tonnes=100.0)]
    assert moved_by_bands(given(rows, policy | {"allocation": {"band_on": "enterprise"}})) == []
    both = given([(*row[:5], 800.0) for row in rows], policy | {"allocation": {"band_on": "enterprise"}})
    # 95 % of 2,000 t are 1,900 t, and both together have 1,600 t.
    (moved,) = moved_by_bands(both)
    assert (moved.lower, moved.upper, moved.units) == (0.05, 0.05, 2)
    assert moved.tonnes == pytest.approx(300.0)


def test_the_band_of_a_plan_moves_none_of_its_references() -> None:
    assert moved_by_bands(etsopt.read("cn-2025")) == []
    narrower = etsopt.read("tiny").with_policy({"sectors.cement.band": {"lower": 0.001, "upper": 0.03}})
    assert [entry.lower for entry in moved_by_bands(narrower)] == [0.001]


def test_terminal_and_json_say_what_a_band_moves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from etsopt.data.files.write import write_instance

    write_instance(instance(), tmp_path / "kilns")
    run = tmp_path / "run"
    arguments = [str(tmp_path / "kilns"), "--set", "sectors.cement.band={lower=0.03, upper=0.1}", "--out", str(run)]
    assert main(["solve", *arguments]) == 0
    assert "At the band of -3/+10 %: 2 units, 331,000 t moved." in capsys.readouterr().out.splitlines()[1]
    assert json.loads((run / "result.json").read_text("utf-8"))["moved_by_band"][0]["tonnes"] == 331_000.0
    assert main(["check", str(run)]) == 0
    forged = json.loads((run / "result.json").read_text("utf-8"))
    forged["moved_by_band"][0]["tonnes"] = 331.0
    (run / "result.json").write_text(json.dumps(forged), "utf-8")
    assert main(["check", str(run)]) == 5
    report = etsopt.check(etsopt.load(run).instance, etsopt.load(run))
    assert [violation.where for violation in report.violations] == ["moved_by_band"]
