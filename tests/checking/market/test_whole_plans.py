"""Whole plans of enterprises near the best, against every combination, and multipliers against every path of levels."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from etsopt.checking.market import whole_plans
from etsopt.checking.market.dealings import PlanSizes, Trading
from etsopt.checking.market.leeway import Leeway
from etsopt.checking.market.search import least_of_all_plans
from etsopt.checking.market.whole_plans import (
    NearOptimalPlans,
    _within_limits,
    best_path,
    near_optimal_plans,
    raised_bounds,
)
from tests.checking.market.small import accounts_of, market_of, table, terms_of
from tests.checking.market.test_search import cost_of

MARKET = market_of()
FOUND, OFFERED = MARKET.baseline, MARKET.offered
NEED, EMITTED = table((50, 60), (20, 10)), table((-2, 3), (5, 0))


def every_plan(unit: int) -> list[tuple[float, float, list[float], list[float]]]:
    """Of each plan that may be chosen what it comes to, its measures' cost, what it lacks, and what it emits."""
    at = np.array([0, 0, 1])
    zero = np.zeros((3, 2))
    ones = np.eye(2)
    plans = {}
    for starts in itertools.product(range(3), repeat=2):
        if OFFERED.code[unit, 0] < 0 and starts != (2, 2):
            continue

        def come(need: Any, emitted: Any, starts: tuple[int, ...] = starts) -> float:
            return cost_of(FOUND, OFFERED, unit, starts, need, emitted)

        value = come(NEED[at], EMITTED[at])
        if value == np.inf:
            continue
        cost = come(zero, zero)
        net_demand = [come(np.tile(one, (3, 1)), zero) - cost for one in ones]
        emissions = [come(zero, np.tile(one, (3, 1))) - cost for one in ones]
        plans[starts] = value, cost, net_demand, emissions
    return list(plans.values())


def combined(units: list[int]) -> list[list[float]]:
    """Of every combination what it comes to above the best, its cost, and what it lacks and emits each year."""
    rows = []
    for parts in itertools.product(*map(every_plan, units)):
        flows = [sum(part[k][year] for part in parts) for k in (2, 3) for year in range(2)]  # type: ignore[index, misc]
        rows.append([sum(part[0] for part in parts), sum(part[1] for part in parts), *flows])
    least = min(row[0] for row in rows)
    return sorted([row[0] - least, *row[1:]] for row in rows)


@pytest.mark.parametrize("budget", [(0.0, 0.0), (500.0, 0.0), (3000.0, 10.0), (1e9, 1e9)])
def test_all_plans_of_an_enterprise_within_its_budget_are_listed(budget: tuple[float, float]) -> None:
    plans, listed = near_optimal_plans(MARKET, (NEED, EMITTED), np.array(budget) + 1e-6)
    assert listed.tolist() == [True, True]
    for account, units in enumerate(([0, 1], [2])):
        known = [row for row in combined(units) if row[0] <= budget[account] + 1e-6]
        mine = plans.select(plans.owner == account)
        found = np.column_stack([mine.excess, mine.cost, mine.net_demand, mine.emissions])
        order = np.lexsort(found.round(6).T[::-1])
        assert found[order] == pytest.approx(np.array(known), abs=1e-6)


def test_of_an_enterprise_without_a_budget_nothing_is_listed() -> None:
    plans, listed = near_optimal_plans(MARKET, (NEED, EMITTED), np.array([-1.0, 5.0]))
    assert listed.tolist() == [False, True]
    assert plans.owner.tolist() == [1]
    nothing, listed = near_optimal_plans(MARKET, (NEED, EMITTED), np.array([-1.0, -1.0]))
    assert (len(nothing.owner), listed.tolist()) == (0, [False, False])


def test_an_enterprise_with_too_many_plans_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    count = len(combined([0, 1]))
    for most, kept in ((count, True), (count - 1, False)):
        monkeypatch.setattr(whole_plans, "MOST_PLANS", most)
        plans, listed = near_optimal_plans(MARKET, (NEED, EMITTED), np.full(2, 1e9))
        assert listed.tolist() == [kept, True]
        assert (plans.owner == 0).sum() == (count if kept else 0)


def test_few_plans_are_those_below_the_most_of_one_and_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (whole_plans.MOST_PLANS, whole_plans.MOST_ROWS, whole_plans.COMBINING_FACTOR) == (20_000, 2_000_000, 4)
    monkeypatch.setattr(whole_plans, "MOST_PLANS", 5)
    monkeypatch.setattr(whole_plans, "MOST_ROWS", 9)
    assert _within_limits(np.array([5, 6, 1])).tolist() == [True, False, True]
    assert _within_limits(np.array([4, 5, 1])).tolist() == [True, False, True]
    assert _within_limits(np.array([3, 5, 1])).tolist() == [True, True, True]
    assert _within_limits(np.array([10, 8, 1]), 2).tolist() == [False, True, True]


def value_of(path: tuple[float, ...], plans: NearOptimalPlans, row: int, trade: Trading) -> float:
    """What dealings of a plan come to at multipliers, as far as these decide it."""
    own, deal = accounts_of(), trade.market.terms
    total = -path[0] * own.opening[row]
    for t, level in enumerate(path):
        total += level * plans.net_demand[row, t]
        if deal.offset_supply[t] > 0:
            offsets = min(deal.offset_share * plans.emissions[row, t], deal.offset_supply[t])
            total -= max(level - trade.offset_price[t], 0.0) * offsets
        total -= level * own.borrowed_most[row, t]
        if t:
            total += level * own.borrowed_most[row, t - 1]
    return total


@pytest.mark.parametrize("seed", range(12))
def test_the_path_of_multipliers_is_the_dearest_of_all_that_never_rise(seed: int) -> None:
    random = np.random.default_rng(seed)
    deal = terms_of(offset_supply=np.array([10.0, [0.0, 4.0][seed % 2]]), terminal_price=float(random.uniform(5, 40)))
    price = random.uniform(30, 60, 2)
    trade = Trading(market_of(terms=deal), price, FOUND.discount * deal.offset_price, Leeway.none(2, 2))
    net_demand, emissions = random.uniform(-80, 80, (2, 2)), random.uniform(0, 300, (2, 2))
    plans = NearOptimalPlans(np.array([0, 1]), np.zeros(2), np.zeros(2), net_demand, emissions)
    path = best_path(accounts_of(), trade, plans)
    friction, worth = FOUND.discount * deal.transaction_cost, FOUND.discount[-1] * deal.terminal_price
    levels = {*(price + friction), *(price - friction), worth, *trade.offset_price[deal.offset_supply > 0]}
    most = np.minimum.accumulate(price + friction)
    least = np.maximum(np.maximum.accumulate((price - friction)[::-1])[::-1], worth)
    inside = [
        way
        for way in itertools.product(sorted(levels), repeat=2)
        if way[0] >= way[1] and all(least[t] <= way[t] <= most[t] for t in range(2))
    ]
    assert (np.diff(path, axis=1) <= 0).all()
    for row in range(2):
        if inside:
            best = max(value_of(way, plans, row, trade) for way in inside)
            assert value_of(tuple(path[row]), plans, row, trade) == pytest.approx(best)


def test_a_raised_bound_is_no_more_than_what_a_cheaper_plan_costs() -> None:
    """An answer that spends a million more than a plan with plain trades is not proven by what it spends itself."""
    terms = terms_of(offset_supply=np.zeros(2), outstanding_cost=np.full(2, np.inf))
    market = market_of(terms=terms)
    price = np.array([50.0, 40.0])
    trade = Trading(market, price, market.baseline.discount * terms.offset_price, Leeway.none(2, 2))
    need = np.tile(price, (2, 1))
    at = market.accounts.of_unit
    units = least_of_all_plans(market.baseline, market.offered, need[at], 0 * need[at])
    values, errors = trade.least(market.accounts, need, 0 * need, 0 * need)
    values = values + np.bincount(at, units)
    plans, listed = near_optimal_plans(market, (need, 0 * need), np.full(2, 1e6))
    assert listed.all()
    # Whatever a plan needs is bought in the year, and what is over is sold.
    traded = plans.net_demand - np.column_stack([market.accounts.opening[plans.owner], np.zeros(len(plans.owner))])
    friction = market.baseline.discount * terms.transaction_cost
    cost = plans.cost + (price * traded + friction * np.abs(traded)).sum(axis=1)
    cheapest = np.array([cost[plans.owner == account].min() for account in (0, 1)])
    sizes = PlanSizes.of(market)
    for spent in (cheapest + 1e6, cheapest + 10.0):
        raised = raised_bounds(trade, sizes, (need, 0 * need), (values, errors), spent)
        assert (raised <= cheapest).all()
        assert (raised >= values - errors).all()
