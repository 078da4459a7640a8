"""Vectors of multipliers together: what they prove, and what damaged ones do not."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import etsopt
from etsopt.checking.market import combinations
from etsopt.checking.market.combinations import bound_of_choices, least_of_choices, proven_together
from etsopt.checking.market.whole_plans import NearOptimalPlans
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


@pytest.mark.everyday("-1.0", "2.0", "1e+306")
@pytest.mark.parametrize("factor", [-1.0, 0.0, 0.5, 2.0, 1e9, 1e300, 1e306])
def test_no_multipliers_prove_more_than_the_cost(factor: float, proven: tuple[etsopt.Instance, etsopt.Results]) -> None:
    duals = proven[1].tables["duals"]
    for level in duals["level"].unique():
        if ":together:" in level:
            changed = duals["multiplier"].where(duals["level"] != level, factor * duals["multiplier"])
            verdict = judged(proven, multiplier=changed)
            # A multiplier beyond all numbers is none: its table is refused, and nothing has a bound.
            overflown = not np.isfinite(changed).all()
            assert overflown == any(one.rule == "tables" for one in verdict.violations)
            assert verdict.levels[-1].bound <= (np.inf if overflown else verdict.levels[-1].value)
            assert not (overflown and verdict.certified)


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


@pytest.mark.parametrize(
    ("levels", "accounts", "bound"), [(0, 1, -np.inf), (1, 1, 2.0), (31, 1, 32.0), (32, 1, -np.inf), (1, 2, -np.inf)]
)
def test_few_vectors_are_looked_at_and_those_of_one_account_alone(
    levels: int, accounts: int, bound: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rounding is bounded by the units of an account, and sums run over all units."""
    looked_at: list[str] = []

    def at(level: str, unit: str) -> tuple[str, list[Any]]:
        looked_at.append(level)
        return level, [f"{level} [{unit}]"]

    names = [f"cost:together:{number}" for number in range(levels)]
    stated: Any = SimpleNamespace(places=dict.fromkeys([*names, "cost", "cost:together:x", "cost:together:1:x"]), at=at)
    market = SimpleNamespace(accounts=SimpleNamespace(labels=np.arange(accounts)))
    root: Any = SimpleNamespace(market=market, leeway="leeway")
    monkeypatch.setattr(combinations, "Bound", lambda *parts: parts)

    def count_of(bounds: list[Any], value: float) -> float:
        assert bounds[0] is root
        assert bounds[1:] == [(market, name, "leeway") for name in names]
        assert value == 7.0
        return float(len(bounds))

    monkeypatch.setattr(combinations, "bound_of_choices", count_of)
    found, bounds, violations = proven_together(stated, root, 7.0)
    assert bounds == ([] if bound < 0 else [root, *((market, name, "leeway") for name in names)])
    assert found == bound
    assert [*map(str, violations)] == ([] if bound < 0 else [f"{name} [CNY/t]" for name in names])
    assert looked_at == ([] if bound < 0 else names)


def bound_by_hand(demand: list[float], emitted: list[float], **parts: Any) -> Any:
    """The bound of two units at multipliers of two years: 50 CNY in all, of which 10 and 20 CNY are their plans."""
    sizes = SimpleNamespace(error=lambda *_: np.array([0.25]), units=3, roundings=6)
    market = SimpleNamespace(accounts=SimpleNamespace(of_unit=np.zeros(2, dtype=int)), sizes=sizes)
    own = {"market": market, "plans": np.array([10.0, 20.0]), "errors": np.array([0.5, 1.0]), "of_all": lambda: 50.0}
    return SimpleNamespace(demand_dual=np.array([demand]), emission_dual=np.array([emitted]), **(own | parts))


PLANS = NearOptimalPlans(
    np.array([0, 0, 1]),
    np.zeros(3),
    np.array([1.0, 2.0, 3.0]),
    np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
    np.array([[7.0, 8.0], [1.0, 2.0], [5.0, 1.0]]),
)


def test_a_choice_costs_what_its_plans_cost_at_the_multipliers_less_their_rounding(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(combinations, "_listed", lambda *_: PLANS)
    # Worth 1 + 8 + 37 and 2 + 18 + 7, and 3 + 28 + 17 CNY; 0.25 CNY of rounding counts four times.
    one = bound_by_hand([2.0, 3.0], [3.0, 2.0])
    assert bound_of_choices([one], 1e6) == (50 - 30 - 1) + 27 + 48
    # Worth 1 - 1 + 3.5 and 2 - 1 + 0.5, and 3 - 1 + 2.5 CNY: the larger bound of each choice counts.
    other = bound_by_hand([1.0, -1.0], [0.5, 0.0], of_all=lambda: 120.0)
    assert bound_of_choices([one, other], 1e6) == (120 - 30 - 1) + 1.5 + 4.5
    # What is no number proves nothing, and the others count.
    for broken in ([np.inf, 3.0], [np.nan, 3.0], [1e308, 1e308]):
        assert bound_of_choices([one, bound_by_hand(broken, [3.0, 2.0])], 1e6) == 19 + 27 + 48
        assert bound_of_choices([bound_by_hand(broken, [3.0, 2.0])], 1e6) == -np.inf
    monkeypatch.setattr(combinations, "_listed", lambda *_: None)
    assert bound_of_choices([one], 1e6) == -np.inf


def test_plans_are_listed_below_the_value_and_four_times_its_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    root, asked = bound_by_hand([2.0, 3.0], [3.0, 2.0]), []
    parts = [(np.array([0]), PLANS.select(np.array([0, 1]))), (np.array([1]), PLANS.select(np.array([2])))]

    def plans(market: Any, multipliers: Any, budget: Any, units: Any) -> Any:
        asked.append((market, multipliers, budget.tolist(), units.tolist()))
        return iter(parts)

    monkeypatch.setattr(combinations, "plans_of_units", plans)
    for value, budget in ((44.0, 0.0), (80.0, 36.0)):
        found = combinations._listed(root, value)
        assert found is not None
        assert found.cost.tolist() == [1.0, 2.0, 3.0]
        assert asked.pop() == (root.market, (root.demand_dual, root.emission_dual), [budget] * 2, [0, 1])
    for value in (43.9, np.inf, np.nan):
        assert combinations._listed(root, value) is None
    assert not asked
    for most, is_listed in ((3, True), (2, False)):
        monkeypatch.setattr(combinations, "COMBINATION_PLANS_MAX", most)
        assert (combinations._listed(root, 80.0) is not None) is is_listed
    # A unit without a plan has too many.
    parts[1] = (np.array([1]), PLANS.select(np.array([], dtype=int)))
    assert combinations._listed(root, 80.0) is None


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


@pytest.mark.parametrize(("limit", "enough"), [("COMBINATION_SUMS_MAX", 8), ("COMBINATION_WORK_MAX", 16)])
def test_units_that_rule_out_most_choices_come_first(limit: str, enough: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the second unit one plan is left below 9 CNY, so that the others meet one sum and two, not two and four."""
    worth = np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 0.0], [8.0, 0.0], [0.0, 0.0], [0.0, 0.0], [2.0, 2.0]])
    for most, least in ((enough, 1.0), (enough - 1, -np.inf)):
        monkeypatch.setattr(combinations, limit, most)
        assert least_of_choices(worth, np.array([1.0, 0.0]), np.array([2, 2, 1, 2]), 9.0) == least
