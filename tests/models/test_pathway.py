"""The pathway: allowances of the second phase by hand, the absolute cap, and the direction of costs and prices."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import etsopt

EMISSIONS, OUTPUT = [800_000.0, 1_000_000.0], [1_000_000.0, 1_000_000.0]


def path(last_year: int = 2028, measures: pd.DataFrame | None = None, **pathway: Any) -> etsopt.Instance:
    """Two lines of 0.8 and 1.0 tCO2e/t, balance value 0.9, under the rule of 2025 with a second phase from 2027."""
    units = pd.DataFrame(
        {
            "unit_id": ["a", "b"],
            "enterprise_id": ["a", "b"],
            "sector": "cement",
            "province": "p",
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
