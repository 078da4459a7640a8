"""The national instance of China to 2060: how it is made, its measures and scenarios, and its page."""

from __future__ import annotations

import json
import re
import time
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from benchmarks import national_path
from etsopt.data.measure_steps import step_counts
from etsopt.data.projection import development
from etsopt.rules import own_parameters, reference_allowances
from instances import build_cn_national_2025_2060 as build

ROOT = Path(__file__).parents[2]
NAME = "cn-national-2025-2060"
FOLDER = ROOT / "instances" / NAME
PAGE = (FOLDER / "README.md").read_text(encoding="utf-8")
SCENARIOS = sorted(path.stem for path in (FOLDER / "scenarios").iterdir())


@cache
def national() -> etsopt.Instance:
    """The shipped instance."""
    return etsopt.read(NAME)


@cache
def measures() -> pd.DataFrame:
    """Its measures."""
    table = national().measures
    assert table is not None
    return table.set_index("measure_id")


def changes(name: str) -> dict[str, Any]:
    """Changes of the policy of a scenario."""
    return tomllib.loads((FOLDER / "scenarios" / f"{name}.toml").read_text(encoding="utf-8"))


def test_units_and_enterprises_are_those_of_the_year() -> None:
    for name in ("units.csv", "enterprises.csv"):
        assert (FOLDER / name).read_bytes() == (ROOT / "instances" / "cn-national-2025" / name).read_bytes()
    instance = national()
    assert len(instance.units) == 5_039
    assert instance.enterprises is not None
    assert len(instance.enterprises) == instance.units["enterprise_id"].nunique() == 2_661
    assert len(measures()) == 28


def test_building_it_again_gives_the_same_bytes(tmp_path: Path) -> None:
    build.write(tmp_path)
    for path in sorted(tmp_path.iterdir()):
        assert path.read_bytes() == (FOLDER / path.name).read_bytes(), path.name
    names = {"units.csv", "enterprises.csv", "forecast.csv", "measures.csv", "policy.toml"}
    assert {path.name for path in tmp_path.iterdir()} == names


def test_other_units_and_output_make_another_folder(tmp_path: Path) -> None:
    build.write(tmp_path, power="high", load_share=0.5, opening_t=150_000_000)
    (tmp_path / "README.md").write_text("Assumed: all.\n", encoding="utf-8")
    other = etsopt.read(tmp_path)
    assert other.enterprises is not None
    assert other.enterprises["opening_2025_t"].sum() == 150_000_000
    power = (other.units["sector"] == "power").to_numpy()
    short = (other.emissions_tco2e - reference_allowances(other).reference_t)[power].sum()
    assert 100 * short / other.emissions_tco2e[power].sum() == pytest.approx(2.52, abs=0.005)
    grown = development(other, [2060])
    factor = (grown.output_factor * grown.intensity_factor)[power, 0]
    assert np.allclose(factor, 0.55, atol=2e-6)


def test_another_intensity_trend_leaves_the_emissions_of_a_path_and_changes_its_output(tmp_path: Path) -> None:
    build.write(tmp_path, intensity_trend=0.0)
    assert set(pd.read_csv(tmp_path / "forecast.csv").query("sector == 'power'")["intensity_factor"]) == {1.0}
    (tmp_path / "README.md").write_text("Assumed: all.\n", encoding="utf-8")
    other = etsopt.read(tmp_path)
    power = (other.units["sector"] == "power").to_numpy()
    short = (other.emissions_tco2e - reference_allowances(other).reference_t)[power].sum()
    assert 100 * short / other.emissions_tco2e[power].sum() == pytest.approx(2.82, abs=0.005)
    here, there = development(national(), [2035]), development(other, [2035])
    both = [(path.output_factor * path.intensity_factor)[power, 0] for path in (here, there)]
    assert np.allclose(both[0], both[1], atol=2e-6)


def test_emissions_without_measures_are_those_of_the_page() -> None:
    years = [2026, 2030, 2035, 2040, 2050, 2060]
    path = development(national(), years)
    factors = path.output_factor * path.intensity_factor
    totals = (national().emissions_tco2e[:, None] * factors).sum(axis=0) / 1e6
    told = re.search(r"Emissions without measures are (.*?)\. The", PAGE, re.DOTALL)
    assert told is not None
    stated = [int(number.replace(",", "")) for number in re.findall(r"([\d,]+)(?: Mt)? in", told[1])]
    assert stated == [8_120, *np.round(totals).astype(int).tolist()]


def test_the_cap_is_what_the_page_says() -> None:
    cap = national().policy.pathway.cap_t
    path = development(national(), [2030])
    before = (national().emissions_tco2e[:, None] * path.output_factor * path.intensity_factor).sum()
    assert cap is not None
    assert cap["2030"] == pytest.approx(0.98 * before, abs=1e5)
    assert cap["2060"] == pytest.approx(0.1 * national().emissions_tco2e.sum(), abs=1e5)
    tight = changes("c-tight")["pathway.cap_t"]
    assert tight["2030"] == pytest.approx(0.95 * before, abs=1e5)


def test_what_the_policy_states_is_listed_as_an_assumption() -> None:
    assert [parameter.key for parameter in own_parameters(national())] == ["rule.benchmark_change"]


def test_every_measure_has_source_and_confidence() -> None:
    table = measures()
    assert table["source"].str.contains(r"\[[ABC]\]").all()
    worst = table["source"].map(lambda text: max(re.findall(r"\[([ABC])\]", text)))
    assert (table["confidence"] >= worst).all()
    assert (table["price_year"] == 2024).all()


def test_costs_per_output_are_those_per_tonne() -> None:
    table, per_output = measures(), build.intensities()
    yearly = table["variable_opex_cny_per_t"] - table["fuel_saving_cny_per_t"]
    tonnes = table["abatement_rate"] * table["sector"].map(per_output)
    left = 1 - pd.Series(
        {row["id"]: row.get("after", 0.0) for row in tomllib.loads(
            (ROOT / "instances" / "measures_2060.toml").read_text(encoding="utf-8"))["measures"]}
    ).reindex(table.index).fillna(0.0)  # fmt: skip
    assert np.allclose(yearly / tonnes / left, table["x_cny_per_tco2"], rtol=1e-3)


def test_measures_of_power_are_within_what_ramps_allow() -> None:
    power = measures()[measures()["sector"] == "power"]
    capture = power[power.index.str.contains("capture")]
    assert capture["first_year"].tolist() == [2030, 2037, 2047]
    assert power["abatement_rate"]["power-capture-2030"] * power["maximum_share"]["power-capture-2030"] < 0.003 * 5
    blocks = power[power.index.str.contains("renewables")]
    left = (1 - blocks["abatement_rate"] * blocks["maximum_share"]).prod()
    assert left == pytest.approx(0.15, abs=1e-4)
    # One after the other, at 2 % of emissions a year until 2030, then 4 %; capture at 0.3 % a year until 2035.
    steps = step_counts(blocks).tolist()
    assert steps == [5, 5, 7, 8]
    assert np.allclose(blocks["x_cny_per_tco2"], sorted(blocks["x_cny_per_tco2"]))
    assert 2026 + np.cumsum(steps)[1] - 1 == 2035
    assert 0.9 * power["largest_new_share_a_year"]["power-capture-2030"] <= 0.003
    assert (blocks["output_abatement_rate"] == 1).all()
    assert measures()["first_year"][measures()["sector"] != "power"].min() == 2027


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_changes_the_policy(name: str) -> None:
    changed = national().with_policy(changes(name))
    assert changed.hash != national().hash
    same_cap = changed.policy.pathway.cap_t == national().policy.pathway.cap_t
    assert same_cap == (name == "j-petrochemicals")
    assert same_cap == (changed.policy.market.external_demand_t != 0)


def test_each_scenario_has_a_file_or_options_and_is_on_the_page() -> None:
    scenarios = national_path.SCENARIOS
    assert {one.file for one in scenarios.values()} - {None} == set(SCENARIOS)
    for key, one in scenarios.items():
        assert key == "B" or one.file is not None or one.options
        assert one.file is None or f"`{one.file}.toml`" in PAGE


@pytest.mark.nightly
def test_the_path_to_2035_is_certified() -> None:
    before = time.process_time()
    instance = national().with_policy({"horizon.last_year": 2035, "market.terminal_price_cny_per_t": 60.0})
    results = etsopt.solve(instance, "pathway")
    assert results.certified
    assert results.violations == ()
    assert time.process_time() - before < 30
    years = results.tables["years"].set_index("year")
    allowances, cap = years["allowance_t"] + years["auctioned_t"], instance.policy.pathway.cap_t
    assert cap is not None
    assert allowances[2030] <= cap["2030"] * (1 + 1e-9)
    assert years["price_cny_per_t"].between(40, 130).all()


@cache
def figures() -> dict[str, Any]:
    """Figures of the benchmark."""
    found: dict[str, Any] = json.loads((ROOT / "benchmarks" / "national_path.json").read_text(encoding="utf-8"))
    return found


def test_the_page_has_the_prices_of_the_benchmark() -> None:
    assert list(figures()["scenarios"]) == list(national_path.SCENARIOS)
    for row in national_path.price_rows(figures()["scenarios"]):
        assert f"| {' | '.join(row)} |" in PAGE
    written = (ROOT / "benchmarks" / "national_path.md").read_text(encoding="utf-8")
    assert written == national_path.page(figures()["scenarios"], figures())


def test_where_prices_are_independent_another_terminal_price_gives_the_same() -> None:
    for key, found in figures()["scenarios"].items():
        assert {run["status"] for run in found.values()} <= {"certified_gap", "certified_optimal"}, key
        assert not any(run["violations"] for run in found.values()), key
        assert national_path.within(found), key
        for at in national_path.within(found):
            assert national_path.change(found, at) <= national_path.SAME, (key, at)


def test_the_page_states_what_is_assumed_first() -> None:
    first = PAGE.partition("\n")[0]
    for text in ("load share 0.3", "trend -0.7 % a year", "opening stock 240 Mt", "costs", "cap path"):
        assert text in first
    assert first.endswith("everything after 2026 is a scenario; nothing here is a forecast.")
