"""Markets whose answers stand in textbooks, each solved by hand in the comment above it."""

import numpy as np
import pytest

import etsopt
from tests.markets import market

SCALE_T = 10_000.0
"""Tonnes that stand for one of the textbook's."""


MIXED = {"divisible_measures": True}


def steps(unit: str, slope: float, cuts: list[float]) -> list[dict[str, object]]:
    """Measures of one group that cut emissions of 100 by so much, the last tonne of a cut q for slope times q."""
    return [
        {
            "measure_id": f"cut-{cut:g}",
            "unit_id": unit,
            "abatement_rate": cut / 100,
            "variable_opex_cny_per_t": 0.5 * slope * cut**2 / 100,
            "exclusive_group": "cut",
        }
        for cut in cuts
    ]


def two_marginal_costs(one: list[float], other: list[float]) -> etsopt.Results:
    """Marginal costs 200 q1 and 100 q2, emissions of 100 each, and 21 to be cut."""
    units = {"emissions_tco2e": [100 * SCALE_T, 100 * SCALE_T], "reference_t": [89.5 * SCALE_T, 89.5 * SCALE_T]}
    return etsopt.solve(market(units, steps("u0", 200, one) + steps("u1", 100, other), abatement=MIXED), "clearing")


def cuts_of(result: etsopt.Results) -> list[float]:
    """What each unit cuts, in the textbook's tonnes."""
    units = result.tables["unit_years"]
    return list((units["emissions_before_tco2e"] - units["emissions_tco2e"]) / SCALE_T)


def test_marginal_costs_meet_where_the_cut_is_seven_and_fourteen() -> None:
    # 200 q1 = 100 q2 and q1 + q2 = 21: q = (7, 14), price 1,400; cost 100 * 49 + 50 * 196 = 14,700. Both are corners of
    # the pieces, so the answer is exact, and the price is only known between the slopes on both sides.
    result = two_marginal_costs([float(cut) for cut in range(1, 13)], [2.0 * cut for cut in range(1, 13)])
    assert cuts_of(result) == pytest.approx([7, 14])
    assert result.tables["years"]["measures_cost_cny"][0] == pytest.approx(14_700 * SCALE_T)
    year = result.tables["years"].iloc[0]
    # Slopes: 100 (49 - 36) = 1,300 and 100 (64 - 49) = 1,500 at the one, 50 (196 - 144) / 2 and 50 (256 - 196) / 2.
    assert year["price_lower_cny_per_t"] == pytest.approx(1_300)
    assert year["price_upper_cny_per_t"] == pytest.approx(1_500)
    assert 1_300 - 1e-6 <= year["price_cny_per_t"] <= 1_500 + 1e-6


def test_the_price_is_exact_inside_a_piece_and_the_cost_errs_by_its_curvature() -> None:
    # Corners at 6.5 and 7.5, at 13 and 15: the slope between them is 100 (56.25 - 42.25) = 50 (225 - 169) / 2 = 1,400.
    result = two_marginal_costs([0.5 + cut for cut in range(12)], [1.0 + 2 * cut for cut in range(12)])
    assert result.tables["years"]["price_cny_per_t"][0] == pytest.approx(1_400)
    cost = result.tables["years"]["measures_cost_cny"][0] / SCALE_T
    # A chord lies above its curve by at most the curvature times the square of the step over 8.
    most = 200 * 1**2 / 8 + 100 * 2**2 / 8
    assert 14_700 - 1e-6 <= cost <= 14_700 + most + 1e-6


def test_a_clean_technology_that_costs_one_makes_a_price_of_one() -> None:
    # Dirty: cost 0, 1 t; clean: cost 1, 0 t; demand 1, cap 0.5: half of each, and the last tonne costs 1.
    units = {"emissions_tco2e": [SCALE_T], "reference_t": [0.5 * SCALE_T]}
    clean = {"measure_id": "clean", "unit_id": "u0", "abatement_rate": 1.0, "variable_opex_cny_per_t": 1.0}
    result = etsopt.solve(market(units, [clean], abatement=MIXED), "clearing")
    assert result.tables["plans"]["share"].to_list() == pytest.approx([0.5])
    assert result.tables["years"]["price_cny_per_t"][0] == pytest.approx(1.0)


def test_two_technologies_that_differ_in_cost_and_factor() -> None:
    # Costs 1 and 2, factors 1.5 and 1, demand 1, cap 1.25: x = (0.5, 0.5), cost 1.5; a tonne less moves 2 of output
    # from the one to the other, so the price is 2. The clean technology costs 1 more and leaves 2/3.
    units = {"emissions_tco2e": [1.5 * SCALE_T], "reference_t": [1.25 * SCALE_T]}
    per_t = 1 / 1.5  # output_t equals emissions here, 1.5 for a demand of 1
    clean = {"measure_id": "clean", "unit_id": "u0", "abatement_rate": 1 / 3, "variable_opex_cny_per_t": per_t}
    result = etsopt.solve(market(units, [clean], abatement=MIXED), "clearing")
    assert result.tables["plans"]["share"].to_list() == pytest.approx([0.5])
    year = result.tables["years"].iloc[0]
    assert 1 + year["measures_cost_cny"] / SCALE_T == pytest.approx(1.5)
    assert year["price_cny_per_t"] == pytest.approx(2.0)


def test_under_one_cumulative_cap_prices_grow_at_the_rate_of_interest() -> None:
    # Everything is auctioned in 2020 and banked; at 5 % the prices of 2020, 2030 and 2040 stand as
    # 1 : 1.05^10 : 1.05^20.
    units = {"emissions_tco2e": [100 * SCALE_T] * 3, "reference_t": [SCALE_T] * 3}
    measures = [
        {"measure_id": f"m{k}", "sector": "cement", "abatement_rate": 0.1, "variable_opex_cny_per_t": 2.0 * (k + 1)}
        for k in range(3)
    ]
    years = {"first_year": 2020, "last_year": 2040, "discount_rate": 0.05}
    supply = {"auctioned_t": {"2020": 21 * 240 * SCALE_T, "2021": 0}}
    result = etsopt.solve(market(units, measures, horizon=years, market=supply, abatement=MIXED), "clearing")
    prices = result.tables["years"].set_index("year")["price_cny_per_t"]
    assert prices[2020] > 0
    assert list(prices[[2020, 2030, 2040]] / prices[2020]) == pytest.approx([1, 1.628895, 2.653298], rel=1e-6)


def test_the_same_answer_from_both_ways_to_make_the_program() -> None:
    units = {"emissions_tco2e": [100 * SCALE_T, 100 * SCALE_T], "reference_t": [89.5 * SCALE_T, 89.5 * SCALE_T]}
    instance = market(
        units, steps("u0", 200, [1.0, 2.0, 7.0, 9.0]) + steps("u1", 100, [3.0, 5.0, 14.0, 16.0]), abatement=MIXED
    )
    one, other = (etsopt.solve(instance, "clearing", method=method) for method in ("direct", "pyomo"))
    assert one.levels[-1].value == pytest.approx(other.levels[-1].value, rel=1e-12)
    np.testing.assert_allclose(cuts_of(one), cuts_of(other))
