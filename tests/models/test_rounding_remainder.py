"""What lacks by rounding down to whole tonnes alone is no scarcity: the regulator offers it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from tests.markets import MARKETS

EMISSIONS = (100_000.4, 200_000.7, 300_000.2)
"""To the nearest tonne they lack 0.4 - 0.3 + 0.2 = 0.3 t."""


def balanced(years: int = 1, forecast: pd.DataFrame | None = None, **policy: Any) -> etsopt.Instance:
    """Three enterprises that get A = E in whole tonnes, and a measure at 50 CNY/t."""
    units = pd.DataFrame(
        {
            "unit_id": ["a", "b", "c"],
            "enterprise_id": ["a", "b", "c"],
            "sector": "cement",
            "province": "Hebei",
            "emissions_tco2e": EMISSIONS,
            "output_t": EMISSIONS,
        }
    )
    cut = {"measure_id": "cut", "sector": "cement", "abatement_rate": 0.1, "variable_opex_cny_per_t": 5.0}
    stated = {"year": 2025, "rule": {"name": "cn-2024"}, "horizon": {"last_year": 2024 + years}} | policy
    return etsopt.Instance.from_frames(units, stated, None, pd.DataFrame([cut | {"lifetime_years": 1}]), forecast)


@pytest.mark.everyday("1e-09-direct", "2.0-decomposition")
@pytest.mark.parametrize("method", ["direct", "decomposition"])
@pytest.mark.parametrize("cost", [0.0, 1e-9, 2.0])
def test_the_regulator_offers_what_lacks_rounded_up(cost: float, method: str) -> None:
    result = etsopt.solve(balanced(market={"transaction_cost_cny_per_t": cost}), "clearing", method=method)
    assert result.status == "certified_optimal"
    years = result.tables["years"].iloc[0]
    assert years["rounding_remainder_t"] == 1
    # Two of them lack 0.6 t, of which the third may sell 0.3 t.
    assert 0.3 - 1e-4 <= years["auctioned_t"] <= 0.6 + 1e-4
    assert years["unsold_t"] == pytest.approx(1 - years["auctioned_t"], abs=1e-4)
    assert years["measures_cost_cny"] == 0
    # Enterprises hold whole tonnes.
    assert result.tables["unit_years"]["allowance_t"].tolist() == [100_000, 200_001, 300_000]
    # The tonne that is left over is worth nothing, and nobody sells: those who buy pay what trading costs.
    assert years["price_cny_per_t"] == pytest.approx(0.0, abs=1e-9)
    assert result.levels[-1].value == pytest.approx(0.6 * cost, abs=1e-3)


def test_what_rounding_takes_grows_with_emissions_and_is_offered_in_every_year() -> None:
    # Five times the output in 2026: 1.5 t.
    forecast = pd.DataFrame({"sector": ["cement"], "year": [2026], "output_factor": [5.0]})
    years = etsopt.solve(balanced(2, forecast), "clearing").tables["years"]
    assert years["rounding_remainder_t"].tolist() == [1, 2]
    # In 2025 allowances follow emissions, unrounded; those of 2026 are rounded down, and lack 1.3 t.
    ruled = {"rule": {"name": "cn-2025"}, "pathway": {"self_balancing_until": 2025}}
    result = etsopt.solve(balanced(2, forecast, **ruled), "clearing")
    assert result.violations == ()
    assert result.tables["years"]["rounding_remainder_t"].tolist() == [0, 7]


@pytest.mark.everyday("policy2-1")
@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        # A target that binds is scarcity, and what it leaves is all that may be offered beside allowances.
        ({"sectors": {"cement": {"band": 0.03, "target_change": -0.01}}}, 0),
        ({"sectors": {"cement": {"band": 0.03, "target_t": 600_001.2}}}, 1),
        ({"national": {"target_t": 600_001.2}}, 1),
        ({"national": {"target_change": -0.01}, "sectors": {"cement": {"band": 0.03}}}, 0),
        ({"rule": {"name": "given"}}, 0),
        # 99 % of emissions lose 0.396 + 0.693 + 0.198 t.
        ({"rule": {"name": "grandfathering"}}, 2),
    ],
)
def test_no_more_is_offered_than_rounding_took_and_targets_leave(policy: dict[str, Any], expected: int) -> None:
    instance = balanced(**policy)
    if "rule" in policy:
        stated = {"reference_t": np.array(EMISSIONS) - 0.5, "prior_emissions_tco2e": 0.99 * np.array(EMISSIONS)}
        units = instance.units.assign(**stated)
        content = instance.policy.model_dump(mode="json", exclude_unset=True)
        instance = etsopt.Instance.from_frames(units, content, measures=instance.measures)
    result = etsopt.solve(instance, "clearing")
    assert result.violations == ()
    assert result.tables["years"]["rounding_remainder_t"].tolist() == [expected]


def thirty(dear: bool) -> etsopt.Instance:
    """Thirty enterprises whose sector balances; their whole tonnes lack 12 to 13 t. A measure costs 446 CNY/t."""
    size = 1e6 * (0.83 + 0.01 * np.arange(30))
    names = [f"u{k:02d}" for k in range(30)]
    units = pd.DataFrame(
        {
            "unit_id": names,
            "enterprise_id": names,
            "sector": "cement",
            "province": "Hebei",
            "emissions_tco2e": size,
            "output_t": 1e6,
        }
    )
    measures = pd.DataFrame(
        [{"measure_id": "dear", "sector": "cement", "abatement_rate": 0.1, "fixed_opex_cny_per_t": 50.0}]
    ).assign(lifetime_years=1)
    policy = {
        "year": 2025,
        "rule": {"name": "cn-2025"},
        "pathway": {"phase_2_from": 2030, "self_balancing_until": 2024},
    }
    return etsopt.Instance.from_frames(units, policy, measures=measures if dear else None)


@pytest.mark.everyday("clearing-1.0-False-True")
@pytest.mark.parametrize("dear", [False, True])
@pytest.mark.parametrize("divisible", [False, True])
@pytest.mark.parametrize("cost", [0.0, 1.0])
@pytest.mark.parametrize("model", MARKETS)
def test_a_sector_that_the_rule_balances_clears_at_about_nothing(
    model: str, cost: float, divisible: bool, dear: bool
) -> None:
    changes = {"market.transaction_cost_cny_per_t": cost, "abatement.divisible_measures": divisible}
    changes |= {"market.prices_cny_per_t": 80.0} if model == "abatement" else {}
    result = etsopt.solve(thirty(dear).with_policy(changes), model)
    assert result.status == "certified_optimal"
    years = result.tables["years"].iloc[0]
    assert years["measures_cost_cny"] == 0
    if model != "abatement":
        # Who has too much sells as long as he is paid for more than trading costs him.
        assert years["price_cny_per_t"] == pytest.approx(cost)
        assert years["rounding_remainder_t"] == (13 if model == "clearing" else 0)


def test_a_remainder_that_rounding_did_not_leave_is_refused() -> None:
    instance = balanced(market={"external_demand_t": 1_000.0})
    result = etsopt.solve(instance, "clearing")
    assert result.violations == ()
    # A thousand tonnes more of it, so that nothing has to be abated: the table adds up, and the offer is not there.
    table = result.tables["years"]
    table["rounding_remainder_t"] += 1_000
    table["auctioned_t"] += 1_000
    wrong = {violation.message for violation in etsopt.check(instance, result).violations}
    assert {"rounding_remainder_t", "auctioned_t"} <= wrong
