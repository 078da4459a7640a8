"""The pathway: allowances of the second phase by hand, the absolute cap, and the direction of costs and prices."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.common.errors import DataError

EMISSIONS, OUTPUT = [800_000.0, 1_000_000.0], [1_000_000.0, 1_000_000.0]


def path(last_year: int = 2028, measures: pd.DataFrame | None = None, **pathway: Any) -> etsopt.Instance:
    """Two lines of 0.8 and 1.0 tCO2e/t, balance value 0.9, under the rule of 2025 with a second phase from 2027."""
    units = pd.DataFrame(
        {
            "unit_id": ["a", "b"],
            "enterprise_id": ["a", "b"],
            "sector": "cement",
            "province": "Hebei",
            "emissions_tco2e": EMISSIONS,
            "output_t": OUTPUT,
        }
    )
    policy = {
        "year": 2025,
        "rule": {"name": "cn-2025", "threshold_tco2e": 0.0},
        "horizon": {"last_year": last_year},
        "penalty": {"reference_price_cny_per_t": 100.0},
        "pathway": pathway,
    }
    return etsopt.Instance.from_frames(units, policy, measures=measures)


def allowances(result: etsopt.Results) -> pd.DataFrame:
    """Free allowances by unit and year [t]."""
    assert result.certified, result.status
    return result.tables["unit_years"].pivot_table(index="year", columns="unit_id", values="allowance_t")


def test_the_balance_value_falls_by_the_tightening_from_the_second_phase_on() -> None:
    table = allowances(etsopt.solve(path(tightening=0.02), "pathway"))
    # 15 % of a deviation of 1/9 are 1.67 % of 800,000 and -1.67 % of 1,000,000 t: more is taken than given, so the
    # balance value is 0.8888... = 16/18, at which 0.15 (1 - 0.8/B) 0.8 + 0.15 (1 - 1/B) = 0.
    balance = (0.8 * 0.8 + 1.0 * 1.0) / (0.8 + 1.0)
    for year, value in ((2025, balance), (2026, balance), (2027, 0.98 * balance), (2028, 0.98**2 * balance)):
        for unit, emissions, intensity in zip("ab", EMISSIONS, (0.8, 1.0), strict=True):
            rate = min(max(0.15 * (1 - intensity / value), -0.03), 0.03)
            assert table.loc[year, unit] == pytest.approx(emissions * (1 + rate), abs=1e-3), (year, unit)
    assert table.loc[2026].sum() == pytest.approx(sum(EMISSIONS))


def test_band_slope_and_paid_share_of_the_second_phase_replace_those_of_the_rule() -> None:
    stated: dict[str, Any] = {"band": {"2027": 0.01}, "slope": {"2027": 0.3}, "paid_share": {"2028": 0.1}}
    result = etsopt.solve(path(**stated), "pathway")
    table = allowances(result)
    # A slope of 0.3 would give 3 %; the band leaves 1 %. In 2028 a tenth is auctioned.
    assert table.loc[2027].tolist() == pytest.approx([808_000, 990_000])
    assert table.loc[2028].tolist() == pytest.approx([0.9 * 808_000, 0.9 * 990_000])
    assert result.tables["years"].set_index("year").loc[2028, "auctioned_t"] == pytest.approx(179_800, abs=1.0)


def test_from_cap_from_on_all_allowances_stay_below_those_of_the_year_before() -> None:
    table = allowances(etsopt.solve(path(cap_from=2027, cap_change=-0.05), "pathway"))
    total = table.sum(axis=1)
    assert total[2027] == pytest.approx(0.95 * total[2026])
    assert total[2028] == pytest.approx(0.95 * total[2027])
    # Every unit is cut by one factor.
    assert (table.loc[2027] / table.loc[2026]).tolist() == pytest.approx([0.95, 0.95])


@pytest.mark.nightly
def test_a_tighter_path_never_costs_less() -> None:
    measures = pd.DataFrame(
        {
            "measure_id": ["cut", "deep"],
            "sector": "cement",
            "abatement_rate": [0.05, 0.1],
            "variable_opex_cny_per_t": [2.0, 9.0],
            "lifetime_years": 1,
        }
    )
    costs, prices = [], []
    for tightening in (0.0, 0.02, 0.05, 0.1):
        result = etsopt.solve(path(2030, measures, tightening=tightening), "pathway")
        assert result.certified
        costs.append(result.levels[-1].value)
        prices.append(result.prices["price"].max())
    assert costs == sorted(costs)
    assert prices == sorted(prices)
    assert costs[0] < costs[-1]


def test_a_cap_by_year_runs_on_straight_lines_and_stays_after_the_last() -> None:
    """Allowances of 1.8 Mt a year are cut to the cap from 2027 on; between 2027 and 2029 it lies halfway."""
    result = etsopt.solve(path(2031, cap_t={"2027": 1_790_000.0, "2029": 1_750_000.0}), "pathway")
    totals = allowances(result).sum(axis=1)
    assert totals.loc[2025:2026].tolist() == pytest.approx([1_800_000] * 2)
    assert totals.loc[2027:].tolist() == pytest.approx([1_790_000, 1_770_000, 1_750_000, 1_750_000, 1_750_000])


def test_a_cap_is_stated_by_year_or_from_a_year_on() -> None:
    with pytest.raises(DataError, match="pathway: states cap_t and cap_from"):
        path(cap_t={"2027": 1.0}, cap_from=2027)
    assert path(cap_from=2027).with_policy({"pathway.cap_t": {"2027": 1e6}}).policy.pathway.cap_from is None
    assert path(cap_t={"2027": 1e6}).with_policy({"pathway.cap_from": 2027}).policy.pathway.cap_t is None
    with pytest.raises(DataError, match=r"pathway\.cap_t: names no year"):
        path(cap_t={})


def national(last_year: int = 2028, **changes: Any) -> etsopt.Instance:
    """A power unit of class I, one of class III and a steelworks, with a forecast."""
    units = pd.DataFrame(
        {
            "unit_id": ["p", "q", "s"],
            "enterprise_id": ["P", "Q", "S"],
            "sector": ["power", "power", "steel"],
            "province": "Fujian",
            "emissions_tco2e": [2.0e6, 0.5e6, 1e6],
            "output_t": [np.nan, np.nan, 1e6],
            "unit_class": ["I", "III", ""],
            "generation_mwh": [2.4e6, 0.6e6, np.nan],
            "heat_gj": [1e6, np.nan, np.nan],
            "load_factor": [0.7, 0.6, np.nan],
        }
    )
    forecast = pd.DataFrame({"sector": ["power"], "year": [2027], "output_factor": [0.9]})
    policy = {
        "year": 2025,
        "rule": {"name": "cn", "benchmark_change": {"2027": -0.01, "2028": -0.02}},
        "horizon": {"last_year": last_year},
        "penalty": {"reference_price_cny_per_t": 100.0},
        **changes,
    }
    return etsopt.Instance.from_frames(units, policy, forecast=forecast)


def test_power_has_the_benchmarks_of_each_year_on_the_output_of_the_forecast() -> None:
    table = allowances(etsopt.solve(national(), "pathway"))
    years: dict[int, tuple[float, float, float, float]] = {
        2025: (1.0, 0.7902, 0.8162, 0.1027),
        2026: (0.95, 0.7894, 0.8080, 0.1021),
        2027: (0.9, 0.7894 * 0.99, 0.8080 * 0.99, 0.1021 * 0.99),
        2028: (0.9, 0.7894 * 0.99 * 0.98, 0.8080 * 0.99 * 0.98, 0.1021 * 0.99 * 0.98),
    }
    for year, (output, first, third, heat) in years.items():
        assert table.loc[year, "p"] == math.floor(2.4e6 * output * first + 1e-6) + math.floor(
            1e6 * output * heat + 1e-6
        )
        assert table.loc[year, "q"] == math.floor(0.6e6 * output * third + 1e-6)
        assert table.loc[year, "s"] == pytest.approx(1e6)


def test_industry_has_its_emissions_in_2024_and_is_balanced_from_2025_on() -> None:
    units = national().units.assign(emissions_tco2e=[2.0e6, 0.5e6, 1e6])
    more = units[units["unit_id"] == "s"].assign(unit_id="t", enterprise_id="T", emissions_tco2e=2e6)
    policy = {"year": 2024, "rule": {"name": "cn"}, "horizon": {"last_year": 2025}}
    instance = etsopt.Instance.from_frames(pd.concat([units, more]), policy)
    instance = instance.with_policy({"penalty.reference_price_cny_per_t": 100.0})
    table = allowances(etsopt.solve(instance, "pathway"))
    assert table.loc[2024, ["s", "t"]].tolist() == [1e6, 2e6]
    assert table.loc[2025, "s"] > 1e6
    assert table.loc[2025, ["s", "t"]].sum() == pytest.approx(3e6)


def test_a_path_beyond_the_last_plan_needs_its_continuation() -> None:
    with pytest.raises(
        DataError, match=r"rule\.benchmark_change: is missing, but no plan for power is enacted for 2028"
    ):
        etsopt.solve(national(rule={"name": "cn"}), "pathway")


def test_a_measure_of_power_costs_by_generation_and_its_sector_states_no_tonnes_of_output() -> None:
    measure = pd.DataFrame(
        [
            {
                "measure_id": "m",
                "sector": "power",
                "abatement_rate": 0.1,
                "lifetime_years": 1,
                "variable_opex_cny_per_t": 1.0,
            }
        ]
    )
    instance = replace(national(2025), measures=measure, forecast=None)
    result = etsopt.solve(instance.with_policy({"market.terminal_price_cny_per_t": 90.0}), "pathway")
    assert result.certified
    sectors = result.tables["sector_years"].set_index("sector")
    assert sectors.loc["power", "measures_cost_cny"] == pytest.approx(3.0e6)
    assert sectors.loc["power", "output_t"] == 0
    assert np.isnan(sectors.loc["power", "measures_cost_cny_per_t"])
    assert sectors.loc["power", "emissions_tco2e"] == pytest.approx(2.25e6)


def cement(year: int, **pathway: Any) -> etsopt.Instance:
    units = path().units
    policy = {
        "year": year,
        "rule": {"name": "cn", "threshold_tco2e": 0.0},
        "horizon": {"last_year": 2028},
        "penalty": {"reference_price_cny_per_t": 100.0},
        "pathway": pathway,
    }
    return etsopt.Instance.from_frames(units, policy)


def test_a_second_phase_that_begins_in_2025_tightens_tables_of_2024_as_well() -> None:
    tables = [
        allowances(etsopt.solve(cement(year, tightening=0.02, phase_2_from=2025), "pathway")) for year in (2024, 2025)
    ]
    assert tables[0].loc[2024].tolist() == EMISSIONS
    assert tables[0].loc[2025:].to_numpy() == pytest.approx(tables[1].to_numpy())
    assert tables[1].loc[2025].sum() < sum(EMISSIONS)


def test_a_unit_without_output_cannot_leave_its_sector_without_a_balance_value() -> None:
    """In 2024 the rule needs no output; the path needs it from 2025 on."""
    made = cement(2024)
    units = pd.concat([made.units, made.units.iloc[:1].assign(unit_id="c", enterprise_id="c", output_t=np.nan)])
    without = etsopt.Instance.from_frames(units, made.policy.model_dump(exclude_unset=True))
    assert etsopt.solve(without, "allocation").certified
    with pytest.raises(DataError, match="1 unit has no output or no emissions on which to measure intensity: row of c"):
        etsopt.solve(without, "pathway")


def test_special_cases_of_power_join_the_path_in_2025() -> None:
    units = national().units.assign(special_case=["biomass", "", ""])
    policy = {
        "year": 2024,
        "rule": {"name": "cn"},
        "horizon": {"last_year": 2026},
        "penalty": {"reference_price_cny_per_t": 100.0},
    }
    table = allowances(etsopt.solve(etsopt.Instance.from_frames(units, policy), "pathway"))
    assert table["p"].tolist() == [0, 2e6, 2e6]
