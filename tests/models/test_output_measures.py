"""Measures that act on the output: before a cap the allowances of a plan fall with it, and after it they do not."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import etsopt
from etsopt.common.errors import DataError
from tests.markets import MARKETS

DEMAND_T = 4_000.0


def mill(
    rule: str = "cn-2024", years: int = 1, measure: dict[str, Any] | None = None, **policy: Any
) -> etsopt.Instance:
    """A unit at A = E = 100,000 t with a measure that takes a tenth of its output for 10 CNY/t abated."""
    units = pd.DataFrame(
        {
            "unit_id": ["a"],
            "enterprise_id": ["a"],
            "sector": "cement",
            "province": "Hebei",
            "emissions_tco2e": [100_000.0],
            "output_t": [100_000.0],
            "reference_t": [100_000.0],
        }
    )
    row = {"measure_id": "less", "sector": "cement", "abatement_rate": 0.1, "output_abatement_rate": 0.1}
    row |= {"variable_opex_cny_per_t": 1.0, "lifetime_years": 1} | (measure or {})
    content = {
        "year": 2025,
        "rule": {"name": rule},
        "horizon": {"last_year": 2024 + years, "discount_rate": 0.0},
        "abatement": {"divisible_measures": True},
        "market": {"external_demand_t": DEMAND_T, "ceiling_price_cny_per_t": 100.0, "reserve_t": 1e6},
        **policy,
    }
    return etsopt.Instance.from_frames(units, content, None, pd.DataFrame([row]))


def years_of(instance: etsopt.Instance, model: str = "clearing", **options: Any) -> pd.DataFrame:
    result = etsopt.solve(instance, model, **options)
    assert result.violations == ()
    assert result.certified
    return result.tables["years"]


@pytest.mark.parametrize("method", ["direct", "pyomo"])
@pytest.mark.parametrize("model", ["clearing", "pathway"])
def test_where_allowances_follow_the_output_a_cut_of_it_frees_none(model: str, method: str) -> None:
    years = years_of(mill(), model, method=method).iloc[0]
    # A = E: each tonne that goes takes an allowance with it, so that the reserve has to serve the others.
    assert years["price_cny_per_t"] == pytest.approx(100.0)
    assert years["released_t"] == pytest.approx(DEMAND_T)
    assert years["emissions_tco2e"] == pytest.approx(100_000.0)


def test_under_a_lump_sum_it_frees_every_tonne() -> None:
    years = years_of(mill("given")).iloc[0]
    assert years["price_cny_per_t"] == pytest.approx(10.0)
    assert years["emissions_tco2e"] == pytest.approx(96_000.0)
    # So does a measure on intensity, under any rule.
    years = years_of(mill(measure={"output_abatement_rate": 0.0})).iloc[0]
    assert years["price_cny_per_t"] == pytest.approx(10.0)


def test_of_a_measure_on_both_the_part_on_intensity_frees_allowances() -> None:
    # A tenth of the emissions goes for 1 CNY/t of output, 4 % of the output with it: 6 % are freed, at 1 / 0.06.
    years = years_of(mill(measure={"output_abatement_rate": 0.04})).iloc[0]
    assert years["price_cny_per_t"] == pytest.approx(1 / 0.06)
    assert years["allowance_t"] == pytest.approx(100_000 * (1 - 0.04 * DEMAND_T / 6_000))
    assert years["emissions_tco2e"] == pytest.approx(100_000 * (1 - 0.1 * DEMAND_T / 6_000))


@pytest.mark.parametrize(
    "cap", [{"cap_from": 2027, "cap_change": 0.0}, {"cap_t": {"2027": 100_000.0, "2028": 100_000.0}}]
)
def test_from_the_first_year_under_a_cap_on_it_earns_what_it_abates(cap: dict[str, Any]) -> None:
    instance = mill(years=3, pathway=cap, market={"external_demand_t": {"2027": DEMAND_T}})
    years = years_of(instance, "pathway").set_index("year")
    assert years["emissions_tco2e"].tolist() == pytest.approx([100_000, 100_000, 96_000])
    assert years["allowance_t"].tolist() == pytest.approx([100_000] * 3)
    assert years.loc[2027, "price_cny_per_t"] == pytest.approx(10.0)


def test_a_unit_above_its_allowances_earns_the_difference() -> None:
    # The other unit has the largest surplus, 3 % of 100,000 t, which is the deficit of this one.
    units = pd.DataFrame(
        {
            "unit_id": ["high", "low"],
            "enterprise_id": ["high", "low"],
            "sector": "cement",
            "province": "Hebei",
            "emissions_tco2e": [260_000.0, 100_000.0],
            "output_t": [100_000.0, 100_000.0],
        }
    )
    row = {"measure_id": "less", "unit_id": "high", "abatement_rate": 0.1, "output_abatement_rate": 0.1}
    measures = pd.DataFrame([row | {"fixed_opex_cny_per_t": 0.2, "lifetime_years": 1}])
    content = {
        "year": 2025,
        "rule": {"name": "cn-2025", "threshold_tco2e": 0.0},
        "pathway": {"self_balancing_until": 2024, "phase_2_from": 2030},
        "market": {"prices_cny_per_t": 70.0},
    }
    instance = etsopt.Instance.from_frames(units, content, None, measures)
    # At 70 CNY a tenth of the deficit is worth 21,000 CNY, more than the 20,000 of the measure; at 60 it is less.
    result = etsopt.solve(instance, "abatement")
    unit = result.tables["unit_years"].set_index("unit_id").loc["high"]
    deficit = 260_000 - result.tables["allocation"].set_index("unit_id").loc["high", "allowance_t"]
    assert result.certified
    assert deficit == pytest.approx(3_000, abs=1)
    assert unit["emissions_tco2e"] == pytest.approx(234_000)
    assert unit["surplus_t"] == pytest.approx(-0.9 * deficit)
    low = etsopt.solve(instance.with_policy({"market.prices_cny_per_t": 60.0}), "abatement")
    assert low.tables["unit_years"].set_index("unit_id").loc["high", "emissions_tco2e"] == 260_000


@pytest.mark.everyday("False-clearing", "True-pathway")
@pytest.mark.parametrize("model", MARKETS)
@pytest.mark.parametrize("divisible", [False, True])
def test_a_cut_of_output_of_the_policy_is_such_a_measure(model: str, divisible: bool) -> None:
    own = mill(measure={"abatement_rate": 0.0, "output_abatement_rate": 0.0, "variable_opex_cny_per_t": 1.0})
    cut = {"cement": {"share": 0.1, "margin_cny_per_t": 10.0}}
    changes = {"abatement.output_cut": cut, "abatement.divisible_measures": divisible}
    price = {"market.prices_cny_per_t": 50.0} if model == "abatement" else {}
    years = years_of(own.with_policy({**changes, **price}), model).iloc[0]
    # Under A = E it never pays; under lump sums it does.
    assert years["emissions_tco2e"] == pytest.approx(100_000.0)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"abatement_rate": 1.0, "output_abatement_rate": 1.0}, "leaves no output"),
        ({"abatement_rate": 0.05}, "takes more output than emissions"),
    ],
)
def test_a_measure_that_takes_too_much_output_is_refused(row: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words) as error:
        mill(measure=row)
    assert "output_abatement_rate" in str(error.value)
