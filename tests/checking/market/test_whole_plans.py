"""Whole plans of enterprises near the best, against every combination, and multipliers against every path of levels."""

from __future__ import annotations

import itertools
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from etsopt.checking.arithmetic import gamma
from etsopt.checking.effort import COMBINED_PLANS_FACTOR, ENUMERATED_PLANS_MAX, OWNER_PLANS_MAX
from etsopt.checking.market import whole_plans
from etsopt.checking.market.leeway import Leeway
from etsopt.checking.market.search import least_of_all_plans
from etsopt.checking.market.trade_bounds import Trading
from etsopt.checking.market.whole_plans import (
    NearOptimalPlans,
    _within_limits,
    best_path,
    near_optimal_plans,
    raised_bounds,
)
from tests.checking.market.small import accounts_of, in_three_years, market_of, table, terms_of
from tests.checking.market.test_search import cost_of

if TYPE_CHECKING:
    from etsopt.checking.market.accounts import Accounts

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
        monkeypatch.setattr(whole_plans, "OWNER_PLANS_MAX", most)
        plans, listed = near_optimal_plans(MARKET, (NEED, EMITTED), np.full(2, 1e9))
        assert listed.tolist() == [kept, True]
        assert (plans.owner == 0).sum() == (count if kept else 0)


def test_a_unit_with_too_many_plans_gives_up_its_enterprise(monkeypatch: pytest.MonkeyPatch) -> None:
    """The unit of the second enterprise has one plan, and those of the first have more."""
    monkeypatch.setattr(whole_plans, "OWNER_PLANS_MAX", 1)
    plans, listed = near_optimal_plans(MARKET, (NEED, EMITTED), np.full(2, 1e9))
    assert listed.tolist() == [False, True]
    assert plans.owner.tolist() == [1]


def test_an_enterprise_with_too_many_combinations_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_plans, "COMBINED_PLANS_FACTOR", 0)
    plans, listed = near_optimal_plans(MARKET, (NEED, EMITTED), np.full(2, 1e9))
    assert (len(plans.owner), listed.tolist()) == (0, [False, False])


def test_without_an_excess_the_best_plan_is_listed() -> None:
    plans, listed = near_optimal_plans(MARKET, (NEED, EMITTED), np.zeros(2))
    assert (plans.owner.tolist(), plans.excess.tolist(), listed.tolist()) == ([0, 1], [0.0, 0.0], [True, True])


def test_few_plans_are_those_below_the_most_of_one_and_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (OWNER_PLANS_MAX, ENUMERATED_PLANS_MAX, COMBINED_PLANS_FACTOR) == (20_000, 2_000_000, 4)
    monkeypatch.setattr(whole_plans, "OWNER_PLANS_MAX", 5)
    monkeypatch.setattr(whole_plans, "ENUMERATED_PLANS_MAX", 9)
    assert _within_limits(np.array([5, 6, 1])).tolist() == [True, False, True]
    assert _within_limits(np.array([4, 5, 1])).tolist() == [True, False, True]
    assert _within_limits(np.array([3, 5, 1])).tolist() == [True, True, True]
    assert _within_limits(np.array([10, 8, 1]), 2).tolist() == [False, True, True]


def value_of(path: tuple[float, ...], plans: NearOptimalPlans, row: int, trade: Trading, own: Accounts) -> float:
    """What dealings of a plan come to at multipliers, as far as these decide it."""
    deal = trade.market.terms
    total = -path[0] * own.opening[row]
    for t, level in enumerate(path):
        total += level * plans.net_demand[row, t]
        if deal.offset_supply[t] > 0:
            offsets = min(deal.offset_share * plans.emissions[row, t], deal.offset_supply[t])
            total -= max(level - trade.offset_price[t], 0.0) * offsets
        total -= level * own.borrowed_most[row, t]
        if t:
            total += level * own.borrowed_most[row, t - 1]
    return float(total)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("years", [2, 3])
def test_the_path_of_multipliers_is_the_dearest_of_all_that_never_rise(seed: int, years: int) -> None:
    random = np.random.default_rng(seed)
    deal = terms_of(offset_supply=np.array([10.0, [0.0, 4.0][seed % 2]]), terminal_price=float(random.uniform(5, 40)))
    own, found = accounts_of(), FOUND
    if years == 3:
        # In the third year offsets are many, and cost less than the price.
        offsets = {
            "offset_supply": np.array([*deal.offset_supply, 400.0]),
            "offset_price": np.array([20.0, 30.0, 60.0]),
        }
        deal = in_three_years(deal, offset_share=0.5, **offsets)
        own = in_three_years(own, borrowed_most=table((40, 25, 0), (5, 30, 0)))
        found = in_three_years(found, years=np.array([2025, 2026, 2027]), discount=np.array([1.0, 0.8, 0.5]))
    price = random.uniform(30, 60, years)
    if seed % 3:
        price = np.sort(price)[::-1]
    market = market_of(baseline=found, accounts=own, terms=deal)
    trade = Trading(market, price, found.discount * deal.offset_price, Leeway.none(2, years))
    net_demand, emissions = random.uniform(-80, 80, (2, years)), random.uniform(0, 300, (2, years))
    plans = NearOptimalPlans(np.array([0, 1]), np.zeros(2), np.zeros(2), net_demand, emissions)
    path = best_path(own, trade, plans)
    friction, worth = found.discount * deal.transaction_cost, found.discount[-1] * deal.terminal_price
    levels = {*(price + friction), *(price - friction), worth, *trade.offset_price[deal.offset_supply > 0]}
    most = np.minimum.accumulate(price + friction)
    least = np.maximum(np.maximum.accumulate((price - friction)[::-1])[::-1], worth)
    inside = [
        way
        for way in itertools.product(sorted(levels), repeat=years)
        if (np.diff(way) <= 0).all() and all(least[t] <= way[t] <= most[t] for t in range(years))
    ]
    assert (np.diff(path, axis=1) <= 0).all()
    for row in range(2):
        if inside:
            best = max(value_of(way, plans, row, trade, own) for way in inside)
            assert value_of(tuple(path[row]), plans, row, trade, own) == pytest.approx(best)


def test_plans_that_earn_later_are_listed_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """At multipliers below zero the years ahead of a plan count for less than nothing."""
    monkeypatch.setattr(sys.modules[__name__], "NEED", -NEED)
    for budget in (500.0, 3000.0):
        plans, listed = near_optimal_plans(MARKET, (NEED, EMITTED), np.full(2, budget))
        assert listed.tolist() == [True, True]
        known = [row[0] for row in combined([0, 1]) if row[0] <= budget]
        assert sorted(plans.excess[plans.owner == 0]) == pytest.approx(known, abs=1e-6)


def test_plans_are_listed_above_a_billionth_of_the_mean_spending_and_raise_complete_accounts_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of 4 and -2 billion CNY, 3 CNY are small enough to stay unproven."""
    asked: list[Any] = []
    plans = NearOptimalPlans(np.array([0, 1, 1]), np.zeros(3), np.zeros(3), np.zeros((3, 2)), np.zeros((3, 2)))
    complete = np.array([True, True])

    def listed(_: Any, multipliers: Any, budget: Any) -> Any:
        asked.append((multipliers, budget.tolist()))
        return plans, complete

    spent, errors = np.array([4e9, -2e9]), np.array([0.25, 0.5])
    values = spent - [3.0, 3.01]
    monkeypatch.setattr(whole_plans, "near_optimal_plans", listed)
    monkeypatch.setattr(whole_plans, "_with_trades", lambda *_: spent[[0, 1, 1]] + [5.0, -1.0, -2.0])
    trade: Any = SimpleNamespace(market=None)
    sizes: Any = None
    for both, raised in (
        ((True, True), [0.0, -2.0]),
        ((False, True), [-3.0 - 0.25, -2.0]),
        ((True, False), [0.0, -3.01 - 0.5]),
    ):
        complete = np.array(both)
        found = raised_bounds(trade, sizes, (NEED, EMITTED), (values, errors), spent)
        assert found - spent == pytest.approx(raised, abs=1e-5)
        assert asked[-1] == ((NEED, EMITTED), [-1.0, pytest.approx(3.01 + 4 * 0.5, abs=1e-5)])
    nothing = plans.select(np.zeros(3, dtype=bool))
    monkeypatch.setattr(whole_plans, "near_optimal_plans", lambda *_: (nothing, np.zeros(2, dtype=bool)))
    monkeypatch.setattr(whole_plans, "_with_trades", lambda *_: pytest.fail("no plan is listed"))
    found = raised_bounds(trade, sizes, (NEED, EMITTED), (values, errors), spent)
    assert found.tolist() == (values - errors).tolist()
    monkeypatch.setattr(whole_plans, "near_optimal_plans", listed)
    complete = np.array([True, True])
    # A bound below that of all plans raises nothing.
    monkeypatch.setattr(whole_plans, "_with_trades", lambda *_: spent[[0, 1, 1]] - 9.0)
    lower = raised_bounds(trade, sizes, (NEED, EMITTED), (values, errors), spent)
    assert lower - spent == pytest.approx([-3.25, -3.51], abs=1e-5)


def test_offsets_have_a_multiplier_where_their_share_is_less_than_what_is_on_offer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of 10 and 4 t on offer, a share of 5 % is 10 t of 200 t emitted, and 5 t of 100 t."""
    asked: list[Any] = []

    def least(_: Any, demand_dual: Any, limit: Any, due: Any, which: Any) -> Any:
        asked.append((demand_dual.tolist(), limit.tolist(), due.tolist(), which.tolist()))
        return np.zeros(2), np.zeros(2)

    monkeypatch.setattr(whole_plans, "best_path", lambda *_: table((50, 40), (50, 40)))
    trade: Any = SimpleNamespace(market=MARKET, price=np.zeros(2), offset_price=np.array([20.0, 45.0]), least=least)
    sizes: Any = SimpleNamespace(units=0, roundings=1, error=lambda *_: np.zeros(2))
    emissions = table((200, 100), (201, 10))
    plans = NearOptimalPlans(np.array([1, 0]), np.zeros(2), np.zeros(2), table((3, 5), (7, 11)), emissions)
    found = whole_plans._with_trades(trade, sizes, plans)
    assert asked == [([[50, 40], [50, 40]], [[-30, 0], [0, 0]], [[0, 0], [0, 0]], [1, 0])]
    assert found == pytest.approx([50 * 3 + 40 * 5 - 0.05 * 30 * 200, 50 * 7 + 40 * 11])


@pytest.mark.parametrize("parts", [("values", "cost"), ("cost", "paid"), ("paid", "values")])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_rounding_of_every_part_is_taken_off_the_bound_of_a_plan(
    parts: tuple[str, str], sign: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two parts of 2^60 CNY cancel, so their eight roundings and the errors are left."""
    size = {name: np.zeros(1) for name in ("values", "cost", "paid")}
    size[parts[0]], size[parts[1]] = sign * np.array([2.0**60]), -sign * np.array([2.0**60])
    monkeypatch.setattr(whole_plans, "best_path", lambda *_: np.array([[size["paid"][0], 0.0]]))
    least: Any = lambda *_: (size["values"], np.array([2.0**11]))  # noqa: E731
    trade: Any = SimpleNamespace(market=MARKET, price=np.zeros(2), offset_price=np.full(2, np.inf), least=least)
    sizes: Any = SimpleNamespace(units=3, roundings=6, error=lambda *_: np.array([2.0**11]))
    plans = NearOptimalPlans(np.zeros(1, dtype=np.int64), np.zeros(1), size["cost"], np.ones((1, 2)), np.zeros((1, 2)))
    # Those of plans count half as often again, since three units have six roundings each.
    known = -2.5 * 2.0**11 - gamma(8) * 2.0**61
    assert whole_plans._with_trades(trade, sizes, plans) == pytest.approx(known, rel=1e-12)


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
    sizes = market.sizes
    for spent in (cheapest + 1e6, cheapest + 10.0):
        raised = raised_bounds(trade, sizes, (need, 0 * need), (values, errors), spent)
        assert (raised <= cheapest).all()
        assert (raised >= values - errors).all()
