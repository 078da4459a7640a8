"""Generated instances: any size, the same bytes, figures like those of the real system."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import etsopt
from etsopt.cli import main
from etsopt.data.generate import PROFILES, generate
from etsopt.data.measures import applicable
from etsopt.data.tables.row_scope import filled
from etsopt.data.tables.schema import MEASURES


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("one", "other"):
        assert main(["generate", "--units", "200", "--seed", "7", "--out", str(tmp_path / name)]) == 0
    assert "200 units written" in capsys.readouterr().out
    for file in ("units.csv", "policy.toml", "README.md"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "other" / file).read_bytes()
    assert generate(200, 8).hash != generate(200, 7).hash


def test_what_is_written_reads_back_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", "--units", "50", "--out", str(tmp_path / "made"), "--json"]) == 0
    stated = json.loads(capsys.readouterr().out)
    assert etsopt.read(tmp_path / "made").hash == stated["hash"] == generate(50, 0).hash


def test_the_first_line_of_its_readme_says_that_nothing_is_observed(tmp_path: Path) -> None:
    main(["generate", "--units", "3", "--out", str(tmp_path / "made"), "--json"])
    assert (tmp_path / "made" / "README.md").read_text(encoding="utf-8").startswith("Everything here is assumed")


@pytest.mark.parametrize("units", [3, 10, 1000])
def test_every_size_is_valid_and_has_every_sector(units: int) -> None:
    instance = generate(units, 3)
    assert len(instance.units) == units
    assert instance.sectors == sorted(PROFILES)


def test_sizes_and_intensities_follow_the_profiles() -> None:
    instance = generate(20_000, 1)
    for name, profile in PROFILES.items():
        here = (instance.units["sector"] == name).to_numpy()
        emissions, intensity = instance.emissions_tco2e[here], instance.intensity[here]
        assert here.mean() == pytest.approx(profile.share, rel=0.1)
        assert emissions.mean() == pytest.approx(profile.mean_emissions_t, rel=0.1)
        middle = np.abs(intensity / profile.intensity - 1) < 0.2
        assert np.median(intensity) == pytest.approx(profile.intensity, rel=0.01)
        assert np.std(np.log(intensity[middle])) == pytest.approx(profile.intensity_spread, rel=0.15)
        assert 0.001 < (~middle).mean() < 0.03


def test_a_generated_instance_solves_to_a_certificate() -> None:
    assert etsopt.solve(generate(300, 5)).status == "certified_optimal"


def test_measures_are_added_to_the_same_units(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["generate", "--units", "40", "--seed", "2", "--measures", "5", "--out", str(tmp_path / "made"), "--json"]
    assert main(command) == 0
    capsys.readouterr()
    instance, without = etsopt.read(tmp_path / "made"), generate(40, 2)
    assert instance.hash == generate(40, 2, 5).hash != generate(40, 3, 5).hash
    assert instance.units.equals(without.units)
    assert without.measures is None
    assert "`etsopt generate --units 40 --seed 2 --measures 5`" in (tmp_path / "made" / "README.md").read_text("utf-8")
    assert instance.policy.years == list(range(2025, 2035))


def test_units_of_one_sector_differ_where_their_measures_are_their_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["generate", "--units", "40", "--seed", "2", "--measures", "5", "--own-measures", "--json", "--out"]
    assert main([*command, str(tmp_path / "made")]) == 0
    capsys.readouterr()
    instance, shared = etsopt.read(tmp_path / "made"), generate(40, 2, 5)
    assert instance.hash == generate(40, 2, 5, own=True).hash
    assert instance.units.equals(shared.units)
    assert instance.policy == shared.policy
    assert "--measures 5 --own-measures`" in (tmp_path / "made" / "README.md").read_text("utf-8")
    assert instance.measures is not None
    assert shared.measures is not None
    assert set(np.diff(applicable(instance).starts)) == {5}
    sector = instance.units.set_index("unit_id")["sector"]
    own = instance.measures.assign(sector=instance.measures["unit_id"].map(sector))
    both = own.merge(shared.measures, on=["measure_id", "sector"], suffixes=("", "_shared"))
    for name in ("exclusive_group", "requires", "lifetime_years", "maximum_share"):
        assert (both[name] == both[f"{name}_shared"]).all()
    for name in ("abatement_rate", "variable_opex_cny_per_t", "fuel_saving_cny_per_t", "capex_cny_per_t"):
        assert both.groupby("measure_id")[name].nunique().min() > 1
        ratio = np.log((both[name] + 0.01) / (both[f"{name}_shared"] + 0.01))
        assert ratio.median() == pytest.approx(0, abs=0.1)
        assert ratio.abs().max() < 1.5
    assert both["abatement_rate"].between(0.01, 0.2).all()


def test_the_generated_pathway_is_scarce_in_every_year() -> None:
    result = etsopt.solve(generate(60, 1, 4, own=True).with_policy({"abatement.divisible_measures": True}), "pathway")
    assert result.status == "certified_optimal"
    assert (result.prices["price"] > 1).all()


@pytest.mark.parametrize("measures", range(1, 13))
def test_every_unit_gets_as_many_measures_as_asked_for_cheap_and_dear(measures: int) -> None:
    instance = generate(60, 4, measures)
    assert set(np.diff(applicable(instance).starts)) == {measures}
    assert instance.measures is not None
    table = filled(instance.measures, MEASURES)
    assert table["abatement_rate"].between(0.01, 0.2).all()
    yearly = table["capex_cny_per_t"] / table["lifetime_years"] + table["variable_opex_cny_per_t"]
    intensity = table["sector"].map({name: one.whole_intensity or one.intensity for name, one in PROFILES.items()})
    cost = (yearly - table["fuel_saving_cny_per_t"]) / (table["abatement_rate"] * intensity)
    assert cost.between(-41, 261).all()
    if measures == 12:
        assert cost.min() < 10
        assert cost.max() > 200


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(etsopt.UsageError, match=r"^`units` is 2: expected at least 3, one per sector\.\n\nIncrease it"):
        generate(2)
    with pytest.raises(etsopt.UsageError, match=r"^`seed` is -1: expected a whole number from 0 on\.\n\nChoose"):
        generate(5, -1)
    with pytest.raises(etsopt.UsageError, match=r"^`measures` is 13: expected 0 to 12 for a unit\.\n\nCorrect it\."):
        generate(5, 0, 13)
    with pytest.raises(
        etsopt.UsageError, match=r"^`measures` is 0, but `own` is True: expected 1 to 12\.\n\nIncrease it"
    ):
        generate(5, own=True)


def test_a_folder_in_use_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "units.csv").write_text("mine", encoding="utf-8")
    assert main(["generate", "--units", "5", "--out", str(tmp_path)]) == 2
    assert "is not empty" in capsys.readouterr().err
    assert (tmp_path / "units.csv").read_text(encoding="utf-8") == "mine"
