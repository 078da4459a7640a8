"""Vectors of multipliers together: what they prove, and what damaged ones do not."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.market import combinations
from etsopt.checking.market.combinations import least_of_choices
from tests.models.test_combinations import indifferent


@pytest.fixture(scope="module")
def proven() -> tuple[etsopt.Instance, etsopt.Results]:
    instance, _ = indifferent(0)
    return instance, etsopt.solve(instance, "clearing", gap=1e-9)


def judged(proven: tuple[etsopt.Instance, etsopt.Results], **columns: Any) -> etsopt.Verdict:
    instance, result = proven
    changed = result.tables["duals"].assign(**columns)
    return etsopt.check(instance, replace(result, tables={**result.tables, "duals": changed}), gap=1e-9)


def test_what_is_stated_proves_the_cost(proven: tuple[etsopt.Instance, etsopt.Results]) -> None:
    verdict = judged(proven)
    assert verdict.certified
    assert verdict.levels[-1].gap < 0.01


def test_the_prices_alone_prove_less(proven: tuple[etsopt.Instance, etsopt.Results]) -> None:
    honest = judged(proven).levels[-1]
    levels = proven[1].tables["duals"]["level"]
    together = sorted(level for level in levels.unique() if ":together:" in level)
    assert len(together) > 1
    for one in together:
        verdict = judged(proven, level=levels.where(levels != one, "x"))
        assert not verdict.certified, one
        assert verdict.levels[-1].bound < honest.bound


@pytest.mark.parametrize("factor", [-1.0, 0.0, 0.5, 2.0, 1e9, 1e300, 1e306])
def test_no_multipliers_prove_more_than_the_cost(factor: float, proven: tuple[etsopt.Instance, etsopt.Results]) -> None:
    duals = proven[1].tables["duals"]
    for level in duals["level"].unique():
        if ":together:" in level:
            changed = duals["multiplier"].where(duals["level"] != level, factor * duals["multiplier"])
            level_check = judged(proven, multiplier=changed).levels[-1]
            assert level_check.bound <= level_check.value


def test_a_dearer_answer_is_not_certified(proven: tuple[etsopt.Instance, etsopt.Results]) -> None:
    # All may owe nothing, and each unit that does not move today moves beside the others: 50 CNY/t for nothing.
    instance, result = proven
    dear = etsopt.solve(instance.with_policy({"market.external_demand_t": 2 * result_demand(instance)}), "clearing")
    tables = {**dear.tables, "duals": result.tables["duals"]}
    assert not etsopt.check(instance, replace(dear, tables=tables), gap=1e-9).certified


def result_demand(instance: etsopt.Instance) -> float:
    demand = instance.policy.market.external_demand_t
    assert isinstance(demand, float)
    return demand


@pytest.mark.parametrize("limit", ["COMBINATION_PLANS_MAX", "COMBINATION_SUMS_MAX", "COMBINATION_WORK_MAX"])
def test_where_there_are_too_many_choices_nothing_is_proven(
    limit: str, proven: tuple[etsopt.Instance, etsopt.Results], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(combinations, limit, 20)
    assert not judged(proven).certified


def test_many_vectors_are_not_looked_at(proven: tuple[etsopt.Instance, etsopt.Results]) -> None:
    instance, result = proven
    duals = result.tables["duals"]
    one = duals[duals["level"] == "cost:together:1"]
    more = [one.assign(level=f"cost:together:{number}") for number in range(100, 140)]
    tables = {**result.tables, "duals": pd.concat([duals, *more], ignore_index=True)}
    assert not etsopt.check(instance, replace(result, tables=tables), gap=1e-9).certified


@pytest.mark.nightly
def test_where_units_trade_on_their_own_accounts_nothing_is_proven_together() -> None:
    """Rounding is bounded by the units of an account, and sums run over all units."""
    instance, _ = indifferent(0)
    own = instance.with_policy({"market.transaction_cost_cny_per_t": 0.5})
    result = etsopt.solve(own, "clearing", gap=1e-6)
    duals = result.tables["duals"]
    forged = duals[duals["level"] == "cost"].assign(level="cost:together:1")
    tables = {**result.tables, "duals": pd.concat([duals, forged], ignore_index=True)}
    looked_at: list[float] = []

    def seen(_: Any, value: float) -> float:
        looked_at.append(value)
        return value

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(combinations, "bound_of_choices", seen)
        etsopt.check(own, replace(result, tables=tables))
        assert not looked_at
        etsopt.check(instance, etsopt.solve(instance, "clearing", gap=1e-9))
    assert looked_at


@pytest.mark.parametrize("seed", range(20))
def test_the_least_of_choices_is_that_of_all(seed: int) -> None:
    random = np.random.default_rng(seed)
    count, vectors = random.integers(1, 4, 5), int(random.integers(1, 4))
    ends = np.cumsum(count)
    worth, rest = random.uniform(-5, 5, (ends[-1], vectors)), random.uniform(-5, 5, vectors)
    choices = product(*(range(last - n, last) for last, n in zip(ends, count, strict=True)))
    least = min((rest + worth[list(choice)].sum(axis=0)).max() for choice in choices)
    assert least_of_choices(worth, rest, count, 1e6) == pytest.approx(least)
    assert least_of_choices(worth, rest, count, least - 1e-6) == least - 1e-6
