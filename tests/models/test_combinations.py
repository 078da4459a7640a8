"""Markets of units that are indifferent at the price: which of them move is a sum of subsets, proven without a tree."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

import etsopt
from etsopt_models._columns import combinations, whole_plans
from etsopt_models._columns.combinations import least_combination
from tests.markets import market

COUNT, COST_CNY_PER_T = 14, 50.0


def indifferent(seed: int, **policy: Any) -> tuple[etsopt.Instance, float]:
    """Units of which each may abate a tenth at the same cost of a tonne, and the least cost of what lacks."""
    random = np.random.default_rng(seed)
    emissions = np.round(10 ** random.uniform(5, 6.5, COUNT))
    abated, lacking = 0.1 * emissions, np.round(0.04 * emissions.sum()) + 0.25
    measure = {"measure_id": "m", "sector": "cement", "abatement_rate": 0.1, "fixed_opex_cny_per_t": 5.0}
    chosen = np.array(list(product([0, 1], repeat=COUNT))) @ abated
    least = COST_CNY_PER_T * float(chosen[chosen >= lacking].min())
    units = {"emissions_tco2e": list(emissions), "reference_t": list(emissions)}
    return market(units, [measure], market={"external_demand_t": lacking}, **policy), least


@pytest.mark.parametrize("penalty", [{}, {"reference_price_cny_per_t": 200.0}], ids=["no one may owe", "some may owe"])
@pytest.mark.parametrize("seed", range(3))
def test_the_least_sum_of_a_subset_is_proven(seed: int, penalty: dict[str, float]) -> None:
    instance, least = indifferent(seed, penalty=penalty)
    result = etsopt.solve(instance, "clearing", gap=1e-9)
    assert result.status == "certified_optimal"
    assert result.levels[-1].value == pytest.approx(least, abs=0.01)
    assert "leaves" not in result.tables
    assert {"cost", "cost:together:1"} <= set(result.tables["duals"]["level"])


@pytest.mark.nightly
def test_a_tree_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_plans, "prove_by_combinations", lambda *_: None)
    instance, least = indifferent(0)
    result = etsopt.solve(instance, "clearing", gap=1e-6)
    assert result.levels[-1].value == pytest.approx(least, rel=1e-6)
    assert "leaves" in result.tables


@pytest.mark.everyday("100")
@pytest.mark.parametrize("most", [100, 3_000])
def test_a_tree_takes_over_where_combinations_are_too_many(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(combinations, "COMBINATION_SUMS_MAX", most)
    instance, least = indifferent(1)
    result = etsopt.solve(instance, "clearing", gap=1e-4)
    assert result.certified
    assert result.levels[-1].value == pytest.approx(least, rel=1e-4)


@pytest.mark.everyday("3000-125.0-0.0001")
@pytest.mark.parametrize(("count", "cost_cny", "gap"), [(450, 104.9, 1e-3), (450, 104.999, 1e-5), (3_000, 125.0, 1e-4)])
def test_a_large_unit_beside_many_equal_ones_takes_a_tree_of_two_leaves(
    count: int, cost_cny: float, gap: float
) -> None:
    """Either the large unit moves or four small ones: combinations of some of hundreds are not formed."""
    emissions = [1e7, *[1e5] * count]
    measures = [
        {"measure_id": "m", "unit_id": f"u{k}", "abatement_rate": 0.1, "fixed_opex_cny_per_t": cost_cny if k else 5.0}
        for k in range(count + 1)
    ]
    units = {"emissions_tco2e": emissions, "reference_t": emissions}
    result = etsopt.solve(market(units, measures, market={"external_demand_t": 4e5}), "clearing", gap=gap)
    assert result.status == "certified_optimal"
    assert result.levels[-1].value == pytest.approx(5e7)
    assert len(result.tables["leaves"]) == 2


@pytest.mark.parametrize("seed", range(20))
def test_the_least_combination_is_that_of_all(seed: int) -> None:
    random = np.random.default_rng(seed)
    counts, vectors = random.integers(1, 4, 5), int(random.integers(1, 4))
    ends = np.cumsum(counts)
    worth, rest = random.uniform(-5, 5, (ends[-1], vectors)), random.uniform(-5, 5, vectors)
    choices = [np.array(one) for one in product(*(range(last - n, last) for last, n in zip(ends, counts, strict=True)))]
    bounds = np.array([(rest + worth[choice].sum(axis=0)).max() for choice in choices])
    found = least_combination(worth, rest, ends - counts, np.inf)
    assert found is not None
    assert found[0] == pytest.approx(bounds.min())
    assert found[1].tolist() == choices[int(np.argmin(bounds))].tolist()
    enough = float(bounds.min()) - 1e-6
    assert least_combination(worth, rest, ends - counts, enough)[0] == enough  # type: ignore[index]
