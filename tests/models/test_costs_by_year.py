"""Costs of measures that change from year to year: by hand, against an independent program, and in equilibrium."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.common.errors import DataError
from tests.markets import known, of_model, random_market


def one(last_year: int = 2030, rate: float = -0.1, **changes: Any) -> etsopt.Instance:
    """A line of 1 Mt and 1 t/t under the intensity rule, with a measure of 50 CNY per tonne abated at first."""
    units = pd.DataFrame(
        {
            "unit_id": ["a"],
            "enterprise_id": ["A"],
            "sector": "cement",
            "province": "Hebei",
            "emissions_tco2e": 1e6,
            "output_t": 1e6,
        }
    )
    measures = pd.DataFrame(
        {
            "measure_id": ["m"],
            "sector": "cement",
            "abatement_rate": 0.1,
            "lifetime_years": 1,
            "fixed_opex_cny_per_t": 2.0,
            "variable_opex_cny_per_t": 3.0,
            "cost_change_rate": rate,
        }
    )
    policy = {"year": 2025, "rule": {"name": "cn-2025"}, "horizon": {"last_year": last_year}, **changes}
    return etsopt.Instance.from_frames(units, policy, measures=measures)


def test_a_measure_waits_until_its_cost_has_fallen_to_the_price() -> None:
    """50, 45, 40.5 and 36.45 CNY/t: the fourth is below 40."""
    instance = one(market={"prices_cny_per_t": 40.0, "terminal_price_cny_per_t": 40.0})
    results = etsopt.solve(instance, "abatement")
    assert results.certified
    table = results.tables["measure_years"].set_index("year")
    assert table["abated_tco2e"].tolist() == [0, 0, 0, 1e5, 1e5, 1e5]
    assert table["measures_cost_cny"].tolist() == pytest.approx([0, 0, 0, *(5e6 * 0.9**years for years in (3, 4, 5))])
    units = results.tables["unit_years"].set_index("year")["measures_cost_cny"]
    assert units.tolist() == pytest.approx(table["measures_cost_cny"].tolist())


def test_a_horizon_that_begins_later_has_the_costs_of_its_years() -> None:
    instance = one(2029, horizon={"first_year": 2028, "last_year": 2029}, market={"prices_cny_per_t": 40.0})
    table = etsopt.solve(instance, "abatement").tables["measure_years"]
    assert table["measures_cost_cny"].tolist() == pytest.approx([5e6 * 0.9**3, 5e6 * 0.9**4])


@pytest.mark.parametrize("seed", range(16))
@pytest.mark.parametrize("divisible", [True, False])
def test_markets_with_changing_costs_are_those_of_an_independent_program(seed: int, divisible: bool) -> None:
    drawn = random_market(seed, years=1 + seed % 3)
    assert drawn.measures is not None
    rates = np.random.default_rng(seed).uniform(-0.3, 0.3, len(drawn.measures)).round(3)
    instance = replace(drawn, measures=drawn.measures.assign(cost_change_rate=rates, requires=""))
    instance = instance.with_policy({"abatement.divisible_measures": divisible})
    results = etsopt.solve(instance, "clearing")
    assert results.violations == ()
    if results.termination == "infeasible":
        return
    assert results.certified
    answer = known(instance, results)
    assert results.levels[-1].value == pytest.approx(answer.cost, rel=2e-4, abs=1e4)


def test_an_equilibrium_of_each_year_has_the_costs_of_the_year() -> None:
    units = pd.concat([one().units, one().units.assign(unit_id="b", enterprise_id="B", emissions_tco2e=1.1e6)])
    instance = etsopt.Instance.from_frames(
        units,
        {
            "year": 2025,
            "rule": {"name": "cn-2025"},
            "horizon": {"last_year": 2027},
            "market": {"prices_cny_per_t": 300.0},
        },
        measures=one(rate=-0.2).measures,
    )
    results = etsopt.solve(instance, "equilibrium")
    assert results.certified
    for year in (2025, 2026, 2027):
        alone = etsopt.solve(
            instance.with_policy({"horizon.first_year": year, "horizon.last_year": year}), "equilibrium"
        )
        here = results.tables["units"].loc[results.tables["units"]["year"] == year, "measures_cost_cny"]
        assert here.tolist() == pytest.approx(alone.tables["units"]["measures_cost_cny"].tolist())
        run = here > 0
        assert here[run].tolist() == pytest.approx([5e6 * 0.8 ** (year - 2025)] * int(run.sum()))
    assert (results.tables["units"]["measures_cost_cny"] > 0).any()


def test_a_path_of_power_with_falling_costs_is_certified() -> None:
    instance = of_model(one(2032, rate=-0.05, market={"terminal_price_cny_per_t": 60.0}), "pathway")
    results = etsopt.solve(instance, "pathway")
    assert results.certified
    assert results.violations == ()


@pytest.mark.parametrize("rate", [-1.0, 1.5])
def test_a_change_of_everything_or_more_is_refused(rate: float) -> None:
    with pytest.raises(DataError, match="cost_change_rate: 1 value is out of range"):
        one(rate=rate)
