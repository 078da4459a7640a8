"""The measures, forecast and policies of the Chinese instances: made again, sourced, plausible."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.data.measures import applicable
from etsopt.data.policy.yearly import by_year
from etsopt.data.projection import development
from etsopt.rules import own_parameters

INSTANCES = Path(__file__).parents[2] / "instances"
MEASURES = runpy.run_path(str(INSTANCES / "build_measures.py"))
PATHWAY = runpy.run_path(str(INSTANCES / "build_cn_2025_2035.py"))
NAMES = ["cn-2025", "cn-2025-2035"]
INTENSITY = {"cement": 0.83, "steel": 2.06, "aluminium": 1.57}


def measures(name: str = "cn-2025") -> pd.DataFrame:
    """The table of an instance."""
    table = etsopt.read(name).measures
    assert table is not None
    return table.set_index("measure_id")


def direct(table: pd.DataFrame) -> pd.DataFrame:
    """Measures with an effect on emissions."""
    return table[table["electricity_only"] == "no"]


def written(name: str) -> bytes:
    """Content of a file of the instances."""
    return (INSTANCES / name).read_bytes()


def test_building_the_measures_again_gives_the_same_bytes() -> None:
    rows = MEASURES["rows"]()
    assert MEASURES["as_csv"](rows).encode() == written("cn-2025/measures.csv")
    assert MEASURES["page"](rows).encode() == written("cn-2025/measures.md")


def test_building_the_pathway_again_gives_the_same_bytes(tmp_path: Path) -> None:
    PATHWAY["write"](tmp_path)
    for path in sorted(tmp_path.iterdir()):
        assert path.read_bytes() == written(f"cn-2025-2035/{path.name}"), path.name
    assert {path.name for path in tmp_path.iterdir()} == {
        "units.csv",
        "enterprises.csv",
        "measures.csv",
        "forecast.csv",
    }


def test_each_sector_has_its_measures() -> None:
    table = measures()
    assert direct(table).groupby("sector").size().to_dict() == {"aluminium": 6, "cement": 10, "steel": 11}
    assert len(table) == 38


@pytest.mark.parametrize("name", NAMES)
def test_every_unit_has_six_to_eleven_measures(name: str) -> None:
    groups = applicable(etsopt.read(name))
    counts = np.diff(groups.starts)
    assert counts.min() == 6
    assert counts.max() == 11


def test_every_figure_has_a_source_and_a_mark() -> None:
    for identifier, row in direct(measures()).iterrows():
        figures = row["source"].rstrip(".").split("]; ")
        assert len(figures) >= 3, identifier
        for figure in figures:
            assert re.search(r"\[[ABC]\]?$", figure), (identifier, figure)
        # One for abatement, one for the share, and one for each cost or saving that is not 0.
        money = [name for name in row.index if name.endswith("_cny_per_t") and row[name] != 0]
        assert len(figures) >= 2 + len(money), identifier


def test_the_confidence_of_a_row_is_no_better_than_any_of_its_marks() -> None:
    table = direct(measures())
    worst = table["source"].map(lambda text: max(re.findall(r"\[([ABC])\]", text)))
    assert (table["confidence"] >= worst).all()
    assumed = table["source"].str.contains("assum|recalled", case=False)
    assert set(table["confidence"][assumed]) == {"C"}


def test_a_measure_without_effect_says_why() -> None:
    table = measures()
    idle = table[table["electricity_only"] == "yes"]
    assert len(idle) == 11
    assert (idle["abatement_rate"] == 0).all()
    assert idle["source"].str.startswith("No direct effect: ").all()


def test_rates_are_those_of_their_kind() -> None:
    table = direct(measures())
    capture = table.index.str.contains("capture|looping|oxyfuel|recycling|inert")
    assert table["abatement_rate"][capture].between(0.4, 0.95).all()
    assert table["abatement_rate"][~capture].between(0.0005, 0.2).all()
    assert (table["abatement_rate"] <= 1).all()
    assert (table["intensity_abatement_rate"] < 1).all()
    elsewhere = table["sector"] != "steel"
    assert (table["intensity_abatement_rate"] == table["abatement_rate"])[elsewhere].all()


def test_measures_outside_ironmaking_leave_the_intensity_of_steel_alone() -> None:
    rate = measures()["intensity_abatement_rate"]
    outside = ["steel-scrap", "steel-scrap-further", "steel-coke-oven-heating", "steel-amine-capture"]
    assert (rate[outside] == 0).all()


def test_conversions_are_those_of_the_page() -> None:
    table = measures()
    # 0.2 USD of 2000 by consumer prices of the USA and 7.1217 CNY per USD.
    cooler = table.loc["cement-cooler"]
    assert cooler["capex_cny_per_t"] == pytest.approx(0.2 * 313.689 / 172.2 * 7.1217, abs=0.005)
    assert cooler["abatement_rate"] == pytest.approx(0.0049 / 0.83, abs=1e-6)
    assert cooler["maximum_share"] == 0.95
    # Per tonne of hot metal, of which a tonne of crude steel takes 0.94, on 0.88 t per t of hot metal.
    control = table.loc["steel-furnace-control"]
    assert control["abatement_rate"] == pytest.approx(0.02 * 0.94 / 2.06, abs=1e-6)
    assert control["intensity_abatement_rate"] == pytest.approx(0.02 / 0.88, abs=1e-6)
    # 31.2 CNY of 2010, by every change of Chinese consumer prices from 2011 to 2024.
    changes = [5.6, 2.6, 2.6, 1.9, 1.4, 2.0, 1.6, 2.1, 2.9, 2.4, 1.0, 2.0, 0.2, 0.2]
    inflation = np.prod([1 + change / 100 for change in changes])
    assert table["capex_cny_per_t"]["cement-carbide-slag"] == pytest.approx(31.2 * inflation, abs=0.005)


def test_costs_per_tonne_are_plausible() -> None:
    cost = pd.Series({row["measure_id"]: cost_of(row) for row in MEASURES["rows"]() if row["electricity_only"] == "no"})
    assert cost.drop("cement-bricks").between(-700, 1300).all()
    # Capture costs several times the price of allowances; scrap is near it.
    assert cost[cost.index.str.contains("capture|looping|oxyfuel|recycling")].between(300, 1000).all()
    assert cost["steel-scrap"] == pytest.approx(60, abs=0.5)


def cost_of(row: dict[str, Any]) -> float:
    """CNY per tonne of CO2e, worked out again."""
    rate, life = 0.08, row["lifetime_years"]
    annuity = row["capex_cny_per_t"] / sum((1 + rate) ** -year for year in range(1, life + 1))
    cost = annuity + row["fixed_opex_cny_per_t"] + row["variable_opex_cny_per_t"] - row["fuel_saving_cny_per_t"]
    assert MEASURES["cost_cny_per_tco2e"](row) == pytest.approx(cost / row["abatement_rate"] / INTENSITY[row["sector"]])
    return float(cost / row["abatement_rate"] / INTENSITY[row["sector"]])


def test_perfluorocarbons_may_be_read_as_measured() -> None:
    rows = {row["measure_id"]: row for row in MEASURES["rows"](measured=True)}
    deep = rows["aluminium-anode-effects-deep"]
    assert deep["abatement_rate"] == pytest.approx(0.049 / 1.57, abs=1e-6)
    assert (deep["requires"], deep["confidence"]) == ("aluminium-anode-effects", "B")
    frame = pd.DataFrame(list(rows.values())).replace("", np.nan)
    base = etsopt.read("cn-2025")
    instance = etsopt.Instance.from_frames(
        units=base.units,
        policy={"year": 2025, "rule": {"name": "cn-2025"}, "horizon": {"price_year": 2024}},
        measures=frame,
    )
    assert np.diff(applicable(instance).starts).max() == 11


@pytest.mark.parametrize("name", NAMES)
def test_money_of_measures_and_policy_is_of_one_year(name: str) -> None:
    assert set(measures(name)["price_year"]) == {etsopt.read(name).policy.horizon.price_year} == {2024}


@pytest.mark.parametrize("name", NAMES)
def test_a_compliance_year_stands_beside_the_market_of_the_next_calendar_year(name: str) -> None:
    # Compliance 2025 is due in 2026: 84.0 from January to August, 86.51 and 97.90 in August; later 5 % more.
    policy = etsopt.read(name).policy
    growth = 1.05 ** np.arange(len(policy.years))
    for first, stated in (
        (84.0, policy.market.prices_cny_per_t),
        (86.51, policy.market.ccer_price_cny_per_t),
        (97.90, policy.penalty.reference_price_cny_per_t),
    ):
        np.testing.assert_allclose(by_year(stated, policy.years), first * growth, atol=0.051)
    assert by_year(policy.market.ccer_supply_t, policy.years).tolist() == [10e6] * len(policy.years)
    assert policy.market.terminal_price_cny_per_t == by_year(policy.market.prices_cny_per_t, policy.years)[-1]
    page = written(f"{name}/README.md").decode().partition("\n")[0]
    assert "2024, used for 2025" in page


def test_the_parameters_of_china_are_official() -> None:
    for name in NAMES:
        own = {entry.key for entry in own_parameters(etsopt.read(name))}
        assert own == set(), name


def test_the_pathway_begins_with_the_emissions_of_today_and_falls() -> None:
    instance = etsopt.read("cn-2025-2035")
    assert instance.policy.years == list(range(2025, 2036))
    path = development(instance, instance.policy.years)
    assert (path.output_factor[:, 0] == 1).all()
    assert (path.intensity_factor == 1).all()
    emissions = (path.output_factor * instance.emissions_tco2e[:, None]).sum(axis=0)
    assert (np.diff(emissions) < 0).all()
    assert emissions[-1] == pytest.approx(2_096.5e6, abs=0.05e6)


def test_both_instances_have_the_same_units_rule_and_targets() -> None:
    both = [etsopt.read(name) for name in NAMES]
    assert both[0].policy.rule == both[1].policy.rule
    assert both[0].policy.sectors == both[1].policy.sectors
    assert both[0].units.equals(both[1].units)
