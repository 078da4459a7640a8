"""Markets of units with more than twelve measures, in groups of which a unit applies one measure at most."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.rules import pre_allocation_shares
from tests import market_oracle
from tests.markets import MARKETS, grouped_market, of_model

PRICE = 45.0


def some(seed: int, model: str, groups: int = 5, size: int = 4, years: int = 1) -> etsopt.Instance:
    """The market at a price, or with demand of other sectors and, every second time, a transaction cost."""
    if model == "abatement":
        return grouped_market(seed, groups, size, years, prices_cny_per_t=PRICE)
    cost = float(seed // 2 % 2)
    drawn = grouped_market(seed, groups, size, years, external_demand_t=60_000.0, transaction_cost_cny_per_t=cost)
    return of_model(drawn, model)


def known(instance: etsopt.Instance, result: etsopt.Results) -> market_oracle.Answer:
    """The independent answer to a market, given the free allowances of a result."""
    table = result.tables["unit_years"].pivot_table(index="unit_id", columns="year", values="allowance_t")
    share = float(pre_allocation_shares(instance, [instance.policy.year + 1])[0, 0])
    price = np.full(table.shape[1], PRICE) if "prices_cny_per_t" in instance.policy.market.model_fields_set else None
    return market_oracle.solve(instance, table.to_numpy(), share, price)


@pytest.mark.everyday("1-3-5-2-abatement")
@pytest.mark.parametrize("model", MARKETS)
@pytest.mark.parametrize(("seed", "groups", "size", "years"), [(1, 5, 4, 1), (2, 5, 4, 1), (1, 3, 5, 2), (2, 3, 5, 2)])
def test_many_measures_cost_what_an_independent_program_finds(
    model: str, seed: int, groups: int, size: int, years: int
) -> None:
    instance = some(seed, model, groups, size, years)
    result = etsopt.solve(instance, model, gap=1e-6)
    answer = known(instance, result)
    assert (result.status, result.violations) == ("certified_optimal", ())
    assert result.levels[-1].value == pytest.approx(answer.cost, rel=2e-6, abs=1.0)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(4))
def test_decomposition_finds_the_market_of_the_whole_program(seed: int) -> None:
    instance = some(seed, "clearing")
    by_prices, whole = (etsopt.solve(instance, "clearing", method=way, gap=1e-6) for way in ("decomposition", "direct"))
    assert by_prices.status == whole.status == "certified_optimal"
    assert by_prices.levels[-1].value == pytest.approx(whole.levels[-1].value, rel=2e-6)


@pytest.mark.nightly
def test_every_response_to_a_balance_value_is_the_best_of_all_sets() -> None:
    drawn = grouped_market(3, prices_cny_per_t=PRICE)
    policy = {"year": 2025, "rule": {"name": "cn-2025", "threshold_tco2e": 0.0}, "market": {"prices_cny_per_t": PRICE}}
    units = drawn.units.drop(columns="reference_t")
    instance = etsopt.Instance.from_frames(units, policy, measures=drawn.measures)
    result = etsopt.solve(instance, "equilibrium")
    assert result.certified
    assert drawn.measures is not None
    balance, row = result.tables["equilibrium"]["balance_value"].item(), result.tables["units"]
    for unit, found in zip(units.to_dict("records"), row.to_dict("records"), strict=True):
        groups = drawn.measures[drawn.measures["unit_id"] == unit["unit_id"]].groupby("exclusive_group")
        costs = []
        for way in product(*([None, *part.index] for _, part in groups)):
            own = drawn.measures.loc[[one for one in way if one is not None]]
            emissions = unit["emissions_tco2e"] * float(np.prod(1 - own["abatement_rate"]))
            rate = np.clip(0.15 * (1 - emissions / unit["output_t"] / balance), -0.03, 0.03)
            costs.append(float(own["variable_opex_cny_per_t"].sum()) * unit["output_t"] - PRICE * rate * emissions)
        assert found["total_cost_cny"] == pytest.approx(min(costs), rel=1e-6, abs=1.0)


def damaged(result: etsopt.Results, name: str, table: pd.DataFrame) -> etsopt.Results:
    return type(result)(**{**vars(result), "tables": {**result.tables, name: table}})


@pytest.mark.nightly
def test_a_damaged_table_of_many_measures_is_refused() -> None:
    instance = some(1, "clearing")
    result = etsopt.solve(instance, "clearing", gap=1e-6)
    assert instance.measures is not None
    assert etsopt.check(instance, result).certified
    plans, leaves = result.tables["plans"], result.tables["leaves"]
    first = plans.iloc[0]
    mine = instance.measures[instance.measures["unit_id"] == first["unit_id"]].set_index("measure_id")
    group = mine["exclusive_group"]
    other = group.index[(group == group[first["measure_id"]]) & (group.index != first["measure_id"])][0]

    def violated(name: str, table: pd.DataFrame) -> set[str]:
        return {violation.rule for violation in etsopt.check(instance, damaged(result, name, table)).violations}

    both = pd.concat([plans, plans.iloc[:1].assign(measure_id=other)], ignore_index=True)
    assert "exclusive_group" in violated("plans", both)
    assert violated("plans", plans.iloc[1:])
    assert violated("plans", plans.assign(measure_id=plans["measure_id"].where(plans.index > 0, other)))
    assert "leaves" in violated("leaves", leaves[leaves["leaf"] < leaves["leaf"].max()])
    assert "leaves" in violated("leaves", leaves.assign(measure_id=leaves["measure_id"].where(leaves.index > 0, "m99")))
    swapped = leaves.assign(
        measure_id=leaves["measure_id"].where(leaves["measure_id"] != leaves["measure_id"][0], other)
    )
    assert not etsopt.check(instance, damaged(result, "leaves", swapped)).certified


@pytest.mark.nightly
def test_a_leaf_proves_no_more_than_its_multipliers_do() -> None:
    instance = some(1, "clearing")
    result = etsopt.solve(instance, "clearing", gap=1e-6)
    duals = result.tables["duals"]
    for factor in (0.0, 1e9):
        of_leaves = duals["level"].str.contains("leaf", regex=False)
        forged = duals.assign(multiplier=np.where(of_leaves, factor, 1.0) * duals["multiplier"])
        assert not etsopt.check(instance, damaged(result, "duals", forged)).certified


@pytest.mark.everyday("True")
@pytest.mark.parametrize("divisible", [True, False])
def test_the_order_of_the_measures_changes_no_cost(divisible: bool) -> None:
    """Groups of neighbours and groups far apart are numbered in different ways."""
    instance = grouped_market(4, 3, 5, external_demand_t=60_000.0)
    stated: dict[str, Any] = {"abatement.divisible_measures": divisible}
    assert instance.measures is not None
    number = instance.measures["measure_id"].str[1:].astype(int)
    other = instance.measures.assign(measure_id=[f"m{one % 5 * 3 + one // 5:02d}" for one in number])
    policy = instance.policy.model_dump(mode="json", exclude_none=True)
    moved = etsopt.Instance.from_frames(instance.units, policy, measures=other)
    results = [etsopt.solve(one.with_policy(stated), "clearing", gap=1e-6) for one in (instance, moved)]
    assert [result.status for result in results] == ["certified_optimal"] * 2
    assert results[0].levels[-1].value == pytest.approx(results[1].levels[-1].value, rel=2e-6)


def test_a_cut_of_output_is_one_more_measure_beside_the_groups() -> None:
    # At 45 CNY/t a cut of 10 % at a margin of 1 CNY/t pays for units that emit a tonne per tonne.
    drawn = grouped_market(2, prices_cny_per_t=PRICE)
    policy = drawn.policy.model_dump(mode="json", exclude_none=True)
    policy["abatement"] = {"output_cut": {"cement": {"share": 0.1, "margin_cny_per_t": 1.0}}}
    instance = etsopt.Instance.from_frames(drawn.units, policy, measures=drawn.measures)
    result = etsopt.solve(instance, "abatement")
    assert result.status == "certified_optimal"
    assert (result.tables["plans"]["measure_id"] == "output_cut").sum() == 3
