"""Measures that stop: they run in the years in which they pay, by hand and against every pattern of years."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

import etsopt
from etsopt.common.errors import DataError
from tests.markets import at_falling_prices, market

METHODS = ("direct", "pyomo")


def plant(stops: str = "yes", years: int = 4, **policy: Any) -> etsopt.Instance:
    """A unit with 100,000 t a year and a fuel that abates a tenth at 50 CNY/t; nothing is discounted."""
    measure = {
        **{"measure_id": "fuel", "sector": "cement", "abatement_rate": 0.1, "variable_opex_cny_per_t": 5.0},
        **{"lifetime_years": 1, "stops": stops},
    }
    stated: dict[str, Any] = {
        "horizon": {"last_year": 2024 + years, "discount_rate": 0.0},
        "market": {"ceiling_price_cny_per_t": 300.0, "reserve_t": 1e6, "borrow_pre_allocation": False},
    }
    for name, section in policy.items():
        stated[name] = {**stated.get(name, {}), **section}
    return market({"emissions_tco2e": [1e5], "reference_t": [1e5]}, [measure], **stated)


def solved(instance: etsopt.Instance, model: str = "clearing", **options: Any) -> etsopt.Results:
    result = etsopt.solve(instance, model, **options)
    assert result.violations == ()
    assert result.certified
    assert etsopt.check(instance, result).violations == ()
    return result


@pytest.mark.everyday("True-direct")
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("divisible", [False, True])
def test_it_runs_in_the_years_that_need_it_and_in_no_other(method: str, divisible: bool) -> None:
    demand = {"2025": 0.0, "2026": 10_000.0, "2027": 0.0, "2028": 10_000.0}
    changes: dict[str, Any] = {
        "market": {"external_demand_t": demand},
        "abatement": {"divisible_measures": divisible},
    }
    result = solved(plant(**changes), method=method)
    # What is banked of 2025 and 2027 would do as well, at the same price.
    years = result.tables["years"].set_index("year")
    assert years["measures_cost_cny"].sum() == pytest.approx(2 * 500_000)
    assert years["released_t"].abs().max() < 1e-3
    assert result.levels[-1].value == pytest.approx(1e6)
    # One that does not stop has to begin in 2026 at the latest, and runs to the end.
    lasting = solved(plant("no", **changes), method=method)
    assert lasting.levels[-1].value >= 2 * 500_000 - 1
    assert "last_year" not in lasting.tables["plans"]


def test_its_spells_are_rows_of_the_plan() -> None:
    # A price of 60 CNY pays for the fuel in 2025 and 2027 alone.
    prices = {"2025": 60.0, "2026": 40.0, "2027": 60.0, "2028": 40.0}
    result = solved(plant(market={"prices_cny_per_t": prices}), "abatement")
    plans = result.tables["plans"]
    assert plans[["start_year", "last_year"]].to_numpy().tolist() == [[2025, 2025], [2027, 2027]]
    assert set(plans["plan"]) == {0}
    table = result.tables["measure_years"].set_index("year")
    assert table["units"].tolist() == [1, 0, 1, 0]
    assert table["abated_tco2e"].tolist() == pytest.approx([1e4, 0, 1e4, 0])
    assert table["measures_cost_cny"].tolist() == pytest.approx([5e5, 0, 5e5, 0])


def test_measures_of_a_group_may_follow_each_other() -> None:
    rows: list[dict[str, object]] = [
        {"measure_id": name, "sector": "cement", "abatement_rate": rate, "variable_opex_cny_per_t": cost}
        for name, rate, cost in (("little", 0.1, 4.0), ("much", 0.2, 20.0))
    ]
    rows = [row | {"exclusive_group": "fuel", "stops": "yes", "lifetime_years": 1} for row in rows]
    prices = {"2025": 50.0, "2026": 500.0, "2027": 50.0, "2028": 10.0}
    stated: dict[str, Any] = {"horizon": {"last_year": 2028}, "market": {"prices_cny_per_t": prices}}
    result = solved(market({"emissions_tco2e": [1e5], "reference_t": [1e5]}, rows, **stated), "abatement")
    plans = result.tables["plans"]
    assert plans[["measure_id", "start_year", "last_year"]].to_numpy().tolist() == [
        ["little", 2025, 2025],
        ["little", 2027, 2027],
        ["much", 2026, 2026],
    ]


def random_plant(seed: int) -> tuple[etsopt.Instance, list[dict[str, Any]], np.ndarray]:
    rng = np.random.default_rng(seed)
    names = ("a", "b", "c")
    rows: list[dict[str, Any]] = [
        {
            "measure_id": name,
            "sector": "cement",
            "abatement_rate": float(rng.uniform(0.05, 0.3)),
            "variable_opex_cny_per_t": float(rng.uniform(0, 15)),
            "capex_cny_per_t": float(rng.uniform(0, 5)),
            "lifetime_years": 1,
            "first_year": int(2025 + rng.integers(0, 2)),
            "stops": str(rng.choice(["yes", "no"])),
            "exclusive_group": "",
            "requires": "",
        }
        for name in names
    ]
    if rng.random() < 0.5:
        for row in rows[:2]:
            row |= {"exclusive_group": "g", "stops": rows[0]["stops"]}
    if rng.random() < 0.5:
        rows[2]["requires"] = "a"
    instance, prices = at_falling_prices(rng, rows)
    return instance, rows, prices


def every_pattern(rows: list[dict[str, Any]], prices: np.ndarray) -> float:
    """The least cost over all years in which each measure may run."""
    best = np.inf
    for flat in product([False, True], repeat=3 * len(rows)):
        runs = np.array(flat).reshape(len(rows), 3)
        if any(
            row["stops"] == "no" and (np.diff(own.astype(int)) < 0).any() for row, own in zip(rows, runs, strict=True)
        ):
            continue
        if any(own[: row["first_year"] - 2025].any() for row, own in zip(rows, runs, strict=True)):
            continue
        if rows[0]["exclusive_group"] and (runs[0] & runs[1]).any():
            continue
        if rows[0]["exclusive_group"] and rows[0]["stops"] == "no" and runs[0].any() and runs[1].any():
            continue
        if rows[2]["requires"] and (runs[2] & ~runs[0]).any():
            continue
        cost = 0.0
        for t in range(3):
            left = np.prod([1 - row["abatement_rate"] for row, own in zip(rows, runs, strict=True) if own[t]])
            each = sum(
                row["variable_opex_cny_per_t"] + row["capex_cny_per_t"] * 1.1
                for row, own in zip(rows, runs, strict=True)
                if own[t]
            )
            cost += 1.1**-t * (1e5 * each + prices[t] * 1e5 * (left - 1))
        best = min(best, cost)
    return best


@pytest.mark.parametrize("seed", range(40))
def test_the_best_plan_is_that_of_every_pattern_of_years(seed: int) -> None:
    instance, rows, prices = random_plant(seed)
    result = solved(instance, "abatement", method=METHODS[seed % 2])
    assert result.levels[-1].value == pytest.approx(every_pattern(rows, prices), rel=1e-9, abs=1e-3)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(8))
def test_markets_of_a_few_units_have_one_cost_by_every_method(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows: list[dict[str, object]] = [
        {
            "measure_id": f"m{number}",
            "sector": "cement",
            "abatement_rate": float(rng.uniform(0.05, 0.3)),
            "variable_opex_cny_per_t": float(rng.uniform(0, 15)),
            "lifetime_years": int(rng.integers(1, 5)),
            "stops": ("yes", "no")[number % 2],
        }
        for number in range(3)
    ]
    emissions = np.round(10 ** rng.uniform(4, 6, 4))
    stated: dict[str, Any] = {
        "horizon": {"last_year": 2027},
        "market": {"transaction_cost_cny_per_t": float(rng.choice([0.0, 2.0])), "borrow_pre_allocation": False},
        "penalty": {"reference_price_cny_per_t": 200.0},
    }
    instance = market({"emissions_tco2e": list(emissions), "reference_t": list(0.93 * emissions)}, rows, **stated)
    direct, pyomo = (solved(instance, method=method) for method in METHODS)
    one, other = direct.levels[-1], pyomo.levels[-1]
    assert one.value >= other.bound - 1e-6 * abs(one.value)
    assert other.value >= one.bound - 1e-6 * abs(one.value)
    # What may stop is never dearer than what may not.
    measures = instance.measures
    assert measures is not None
    lasting = replace(instance, measures=measures.assign(stops="no"))
    assert solved(lasting).levels[-1].value >= one.bound - 1e-6 * abs(one.value)


@pytest.mark.everyday("start_year-2024")
@pytest.mark.parametrize(
    ("column", "number"), [("last_year", 2026), ("start_year", 2024), ("last_year", 2024), ("last_year", 2030)]
)
def test_a_changed_spell_is_refused(column: str, number: int) -> None:
    prices = {"2025": 60.0, "2026": 40.0, "2027": 60.0, "2028": 40.0}
    instance = plant(market={"prices_cny_per_t": prices})
    result = solved(instance, "abatement")
    table = result.tables["plans"].copy()
    table.loc[0, column] = number
    assert etsopt.check(instance, replace(result, tables={**result.tables, "plans": table})).violations
    without = {**result.tables, "plans": result.tables["plans"].drop(columns="last_year")}
    assert etsopt.check(instance, replace(result, tables=without)).violations


def test_one_that_does_not_stop_runs_to_the_end_or_is_refused() -> None:
    instance = plant("no", market={"prices_cny_per_t": 60.0})
    result = solved(instance, "abatement")
    table = result.tables["plans"].assign(last_year=2026)
    report = etsopt.check(instance, replace(result, tables={**result.tables, "plans": table}))
    assert "a measure that does not stop runs to the last year" in {one.message for one in report.violations}


def test_a_group_of_which_some_stop_is_refused() -> None:
    rows: list[dict[str, object]] = [
        {"measure_id": name, "sector": "cement", "abatement_rate": 0.1, "exclusive_group": "g", "stops": stops}
        for name, stops in (("a", "yes"), ("b", "no"))
    ]
    with pytest.raises(DataError, match="differ from others of their exclusive groups"):
        market({"emissions_tco2e": [1e5], "reference_t": [1e5]}, rows)


def test_holding_nothing_over_prices_differ_from_year_to_year() -> None:
    # Biomass is needed in 2026 alone: it sets the price of 2026, by what it costs in that year.
    demand = {"2025": 0.0, "2026": 5_000.0, "2027": 0.0}
    changes: dict[str, Any] = {
        "market": {"external_demand_t": demand},
        "abatement": {"divisible_measures": True},
    }
    years = solved(plant(years=4, **changes)).tables["years"].set_index("year")
    assert years.loc[2026, "price_cny_per_t"] == pytest.approx(50.0)
    lasting = solved(plant("no", years=4, **changes)).tables["years"].set_index("year")
    # Begun in 2025, a quarter of it abates half of the demand in each of two years, and is paid for in four.
    assert lasting.loc[2026, "price_cny_per_t"] == pytest.approx(4 * 50.0 / 2)
