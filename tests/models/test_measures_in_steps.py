"""Measures that are built in steps: a largest new share a year, by hand and against every way of building them."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.common.errors import DataError
from tests.markets import at_falling_prices, market

METHODS = ("direct", "pyomo")
CHAIN = (("a", ""), ("b", "a"), ("c", "b"))
RETROFIT: dict[str, Any] = {
    **{"measure_id": "retrofit", "sector": "cement", "abatement_rate": 1.0, "maximum_share": 0.3},
    **{"largest_new_share_a_year": 0.1, "variable_opex_cny_per_t": 50.0, "lifetime_years": 1},
}


def plant(measures: list[dict[str, Any]], years: int = 4, model_prices: float | None = 60.0, **policy: Any) -> Any:
    """A unit with 100,000 t a year whose retrofit abates 30,000 t at 50 CNY/t; nothing is discounted."""
    stated: dict[str, Any] = {
        "horizon": {"last_year": 2024 + years, "discount_rate": 0.0},
        "market": {"borrow_pre_allocation": False},
    }
    if model_prices is not None:
        stated["market"]["prices_cny_per_t"] = model_prices
    for name, section in policy.items():
        stated[name] = {**stated.get(name, {}), **section}
    return market({"emissions_tco2e": [1e5], "reference_t": [1e5]}, measures, **stated)


def solved(instance: etsopt.Instance, model: str = "abatement", **options: Any) -> etsopt.Results:
    result = etsopt.solve(instance, model, **options)
    assert result.violations == ()
    assert result.certified
    assert etsopt.check(instance, result).violations == ()
    return result


@pytest.mark.parametrize("method", METHODS)
def test_a_third_is_built_each_year(method: str) -> None:
    result = solved(plant([RETROFIT]), method=method)
    plans = result.tables["plans"]
    assert plans[["measure_id", "step", "start_year"]].to_numpy().tolist() == [
        ["retrofit", 1, 2025],
        ["retrofit", 2, 2026],
        ["retrofit", 3, 2027],
    ]
    table = result.tables["measure_years"].set_index("year")
    assert table["units"].tolist() == pytest.approx([1 / 3, 2 / 3, 1, 1])
    assert table["abated_tco2e"].tolist() == pytest.approx([1e4, 2e4, 3e4, 3e4])
    assert table["measures_cost_cny"].tolist() == pytest.approx([5e5, 1e6, 1.5e6, 1.5e6])


def test_a_share_that_is_no_multiple_is_built_in_equal_steps() -> None:
    table = solved(plant([RETROFIT | {"largest_new_share_a_year": 0.2}])).tables["measure_years"]
    assert table["abated_tco2e"].tolist() == pytest.approx([1.5e4, 3e4, 3e4, 3e4])
    at_once = solved(plant([RETROFIT | {"largest_new_share_a_year": 0.3}]))
    assert at_once.tables["measure_years"]["abated_tco2e"].tolist() == pytest.approx([3e4] * 4)
    assert "step" not in at_once.tables["plans"]


def test_the_first_year_is_that_of_the_first_step() -> None:
    table = solved(plant([RETROFIT | {"first_year": 2027}])).tables["measure_years"].set_index("year")
    assert table["abated_tco2e"].tolist() == pytest.approx([0, 0, 1e4, 2e4])


def test_what_pays_late_has_to_be_begun_early() -> None:
    # At 40 CNY the retrofit loses 10 CNY/t, at 90 it gains 40: the third step is worth two years of preparation.
    prices = {"2025": 40.0, "2026": 40.0, "2027": 90.0}
    stated = {"market": {"prices_cny_per_t": prices}, "pathway": {}}
    table = solved(plant([RETROFIT], 3, None, market=stated["market"])).tables["measure_years"]
    assert table["abated_tco2e"].tolist() == pytest.approx([1e4, 2e4, 3e4])
    # At 50 CNY it only gains 5 CNY/t in one year, which is worth the step of that year alone.
    prices["2027"] = 55.0
    table = solved(plant([RETROFIT], 3, None, market=stated["market"])).tables["measure_years"]
    assert table["abated_tco2e"].tolist() == pytest.approx([0, 0, 1e4])


def test_one_that_stops_begins_again_at_its_speed() -> None:
    prices = {"2025": 60.0, "2026": 60.0, "2027": 0.0, "2028": 60.0, "2029": 60.0}
    result = solved(plant([RETROFIT | {"stops": "yes"}], 5, None, market={"prices_cny_per_t": prices}))
    # A year at a price of zero would cost 500,000 CNY for the step that earns 100,000 a year later.
    assert result.tables["measure_years"]["abated_tco2e"].tolist() == pytest.approx([1e4, 2e4, 0, 1e4, 2e4])
    plans = result.tables["plans"]
    assert plans[["step", "start_year", "last_year"]].to_numpy().tolist() == [
        [1, 2025, 2026],
        [1, 2028, 2029],
        [2, 2026, 2026],
        [2, 2029, 2029],
    ]


@pytest.mark.everyday("rates2")
@pytest.mark.parametrize("rates", [(0.8, 0.8, 0.0), (0.8, 0.6, 0.5), (1.0, 0.3, 0.2)])
def test_all_steps_together_leave_what_the_measure_leaves(rates: tuple[float, float, float]) -> None:
    names = ("abatement_rate", "intensity_abatement_rate", "output_abatement_rate")
    measure = RETROFIT | dict(zip(names, rates, strict=True))
    units = {"emissions_tco2e": [1e5, 3e5], "output_t": [1e5, 2e5], "reference_t": [1e5, 3e5]}
    policy: dict[str, Any] = {
        "rule": {"name": "cn-2025"},
        "horizon": {"last_year": 2029, "discount_rate": 0.05},
        "market": {"prices_cny_per_t": 1e4},
        "pathway": {"self_balancing_until": 2024},
    }
    with_steps = solved(market(units, [measure], **policy))
    at_once = solved(market(units, [measure | {"largest_new_share_a_year": 1.0}], **policy))
    last = [table.tables["unit_years"].query("year == 2029") for table in (with_steps, at_once)]
    for column in ("emissions_tco2e", "allowance_t", "measures_cost_cny"):
        assert last[0][column].tolist() == pytest.approx(last[1][column].tolist(), rel=1e-12)


@pytest.mark.everyday("True-direct")
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("divisible", [False, True])
def test_a_demand_that_grows_is_met_step_by_step(method: str, divisible: bool) -> None:
    changes: dict[str, Any] = {
        "market": {
            "external_demand_t": {"2025": 5_000.0, "2026": 15_000.0, "2027": 30_000.0},
            "ceiling_price_cny_per_t": 300.0,
            "reserve_t": 1e6,
        },
        "abatement": {"divisible_measures": divisible},
    }
    result = solved(plant([RETROFIT], 3, None, **changes), "clearing", method=method)
    years = result.tables["years"].set_index("year")
    # Whole steps of 10, 20 and 20 kt meet the sum of the demand; what 2025 has over serves 2027.
    assert years["released_t"].abs().max() < 1e-3
    abated = result.tables["measure_years"]["abated_tco2e"].to_numpy()
    assert abated.sum() == pytest.approx(50_000, rel=1e-6)
    assert (np.diff(abated, prepend=0) <= 1e4 + 1e-3).all()


def random_plant(seed: int) -> tuple[etsopt.Instance, list[dict[str, Any]], np.ndarray]:
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = [
        {
            "measure_id": name,
            "sector": "cement",
            "abatement_rate": float(rng.uniform(0.1, 0.5)),
            "maximum_share": float(rng.uniform(0.3, 1.0)),
            "variable_opex_cny_per_t": float(rng.uniform(0, 20)),
            "first_year": int(2025 + rng.integers(0, 2)),
            "lifetime_years": 1,
            "stops": str(rng.choice(["yes", "no"], p=[0.3, 0.7])),
            "requires": "",
        }
        for name in ("a", "b", "c")
    ]
    for row, steps in zip(rows, (2, int(rng.integers(1, 4)), 1), strict=True):
        row["largest_new_share_a_year"] = row["maximum_share"] / steps
    rows[2]["largest_new_share_a_year"] = float("nan")
    rows[int(rng.integers(1, 3))]["requires"] = "a"
    if rng.random() < 0.5:
        rows[2]["requires"] = "b"
    instance, prices = at_falling_prices(rng, rows)
    return instance, rows, prices


def steps_of(row: dict[str, Any]) -> int:
    new = row["largest_new_share_a_year"]
    return 1 if np.isnan(new) else round(row["maximum_share"] / new)


def ways(row: dict[str, Any]) -> list[tuple[int, ...]]:
    """Every number of steps of a measure in three years."""
    steps, found = steps_of(row), []
    for built in product(range(steps + 1), repeat=3):
        grown = np.diff(built, prepend=0)
        late = any(count and 2025 + t < row["first_year"] for t, count in enumerate(built))
        if (grown <= 1).all() and (row["stops"] == "yes" or (grown >= 0).all()) and not late:
            found.append(built)
    return found


def least_of_every_way(rows: list[dict[str, Any]], prices: np.ndarray) -> float:
    """The least cost over all ways of building the measures."""
    names, best = [row["measure_id"] for row in rows], np.inf
    for every in product(*(ways(row) for row in rows)):
        cost = 0.0
        for t, price in enumerate(prices):
            left, paid, met = 1.0, 0.0, True
            for row, built in zip(rows, every, strict=True):
                part = built[t] / steps_of(row) * row["maximum_share"]
                left *= 1 - row["abatement_rate"] * part
                paid += row["variable_opex_cny_per_t"] * part * 1e5
                if built[t] and row["requires"]:
                    needed = names.index(row["requires"])
                    met &= every[needed][t] == steps_of(rows[needed])
            cost += (paid + price * 1e5 * (left - 1)) / 1.1**t if met else np.inf
        best = min(best, cost)
    return best


@pytest.mark.parametrize("seed", range(40))
def test_no_way_of_building_is_cheaper(seed: int) -> None:
    instance, rows, prices = random_plant(seed)
    result = solved(instance)
    assert result.levels[-1].value == pytest.approx(least_of_every_way(rows, prices), rel=1e-7, abs=1.0)


def several(seed: int = 0) -> etsopt.Instance:
    """Units of different sizes whose whole measures have to meet a demand of three years exactly."""
    sizes = np.random.default_rng(seed).uniform(5e4, 3e5, 6).round()
    units = {"emissions_tco2e": sizes.tolist(), "reference_t": sizes.tolist()}
    measures = [
        RETROFIT
        | {"variable_opex_cny_per_t": 20.0 + 7 * k, "sector": "", "unit_id": f"u{k}", "capex_cny_per_t": 9.0 * k}
        for k in range(6)
    ]
    demand = {str(2025 + t): float(0.1 * sizes.sum() * share) for t, share in enumerate((0.43, 1.1, 1.9))}
    stated: dict[str, Any] = {
        "horizon": {"last_year": 2027, "discount_rate": 0.1},
        "market": {
            "external_demand_t": demand,
            "ceiling_price_cny_per_t": 400.0,
            "reserve_t": 1e6,
            "borrow_pre_allocation": False,
        },
        "abatement": {"divisible_measures": False},
    }
    return market(units, measures, **stated)


def test_whole_steps_are_proven_with_leaves_that_name_them() -> None:
    instance = several()
    result = solved(instance, "clearing", gap=1e-9)
    leaves = result.tables["leaves"]
    assert list(leaves.columns) == ["leaf", "place", "level", "unit_id", "measure_id", "step", "year", "runs"]
    assert set(leaves["step"]) <= {1, 2, 3}
    changed = replace(result, tables=dict(result.tables) | {"leaves": leaves.assign(step=4 - leaves["step"])})
    assert not etsopt.check(instance, changed).certified


@pytest.mark.everyday("change1-steps")
@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"step": [1, 2, 4]}, "measures_are_on_offer"),
        ({"step": [1, 3, 2]}, "steps"),
        ({"start_year": [2025, 2025, 2027]}, "steps"),
        ({"start_year": [2026, 2026, 2027]}, "steps"),
        ({"start_year": [2026, 2025, 2027]}, "steps"),
        ({"step": [1, 1, 3]}, "plans_are_known"),
    ],
)
def test_a_plan_out_of_step_is_refused(change: dict[str, list[int]], rule: str) -> None:
    instance = plant([RETROFIT])
    result = solved(instance)
    changed = replace(result, tables=dict(result.tables) | {"plans": result.tables["plans"].assign(**change)})
    assert rule in {violation.rule for violation in etsopt.check(instance, changed).violations}


def test_steps_that_nobody_states_are_missed() -> None:
    instance = plant([RETROFIT])
    result = solved(instance)
    changed = replace(result, tables=dict(result.tables) | {"plans": result.tables["plans"].drop(columns="step")})
    assert "columns" in {violation.unit for violation in etsopt.check(instance, changed).violations}


def test_a_step_of_a_measure_that_has_none_is_refused() -> None:
    instance = plant([RETROFIT | {"largest_new_share_a_year": 0.3}])
    result = solved(instance)
    for step, rules in ((1, set[str]()), (2, {"measures_are_on_offer"}), (np.nan, {"measures_are_on_offer"})):
        changed = replace(result, tables=dict(result.tables) | {"plans": result.tables["plans"].assign(step=step)})
        found = {violation.rule for violation in etsopt.check(instance, changed).violations}
        assert found & {"measures_are_on_offer"} == rules


def test_in_an_equilibrium_of_one_year_the_first_step_is_what_there_is() -> None:
    units: dict[str, Any] = {"emissions_tco2e": [1e5, 1e5], "output_t": [1e5, 1.2e5], "enterprise_id": ["a", "b"]}
    policy: dict[str, Any] = {"rule": {"name": "cn-2025"}, "market": {"prices_cny_per_t": 1000.0}}
    result = solved(market(units, [RETROFIT], **policy), "equilibrium")
    table = result.tables["units"]
    assert table["measures"].tolist() == ["retrofit"] * 2
    assert table["emissions_tco2e"].tolist() == pytest.approx([9e4] * 2)


def test_what_cannot_be_built_in_steps_is_refused() -> None:
    with pytest.raises(DataError, match="row is of an exclusive group"):
        plant([RETROFIT | {"exclusive_group": "g"}])
    with pytest.raises(DataError, match=r"more than 4,096 sets"):
        plant([RETROFIT | {"measure_id": name, "largest_new_share_a_year": 0.01} for name in "abc"])
    # Measures that follow each other have as many sets as steps.
    fine = RETROFIT | {"largest_new_share_a_year": 0.01}
    chain = [fine | {"measure_id": name, "requires": needed} for name, needed in CHAIN]
    assert len(solved(plant(chain)).tables["plans"]) == 4


def test_the_column_is_a_share() -> None:
    for wrong in (0.0, 1.5, -0.1):
        with pytest.raises(DataError, match="largest_new_share_a_year"):
            plant([RETROFIT | {"largest_new_share_a_year": wrong}])
    frame = pd.DataFrame([RETROFIT, RETROFIT | {"measure_id": "other", "largest_new_share_a_year": np.nan}])
    assert plant(frame.to_dict("records")).measures is not None
