"""What trades of accounts come to at multipliers, against a search over all corners, and what their rounding is."""

from __future__ import annotations

import itertools
import sys
from typing import Any

import numpy as np
import pytest

from etsopt.checking.arithmetic import gamma
from etsopt.checking.market import arcs, trade_bounds
from etsopt.checking.market.leeway import Leeway
from etsopt.checking.market.trade_bounds import Trading
from tests.checking.market.small import accounts_of, baseline_of, choices_of, market_of, table, terms_of
from tests.checking.market.test_arcs import leeway_of_numbers


def test_sizes_of_plans_are_sums_of_absolute_terms() -> None:
    balance = table((1, 2), (1, 2), (np.nan, np.nan))
    found = market_of(baseline=baseline_of(balance_value=balance)).sizes
    first = [400 + 5 * 100, 0.8 * (400 + 5 * 110)]
    second = [950 + 5 * 200, 0.8 * (950 + 5 * 190)]
    assert found.cost == pytest.approx(np.array([np.add(first, second), [0, 0]]))
    assert found.emissions.tolist() == [[320, 316], [50, 0]]
    steep = [[80 * 2 + 240 * 2, 88 * (2 + 0.5 * 1.4) + 228 * (2 + 0.5 * 1.6)], [100, 0]]
    assert found.steep == pytest.approx(np.array(steep))
    assert found.given.tolist() == [[300, 295], [45, 3]]
    assert found.roundings == 4 * 2 + 3 * 2 + 60
    assert found.units == 2


def test_costs_of_measures_count_as_they_grow_and_units_without_a_balance_value_have_no_slope() -> None:
    balance = table((1, 1), (1, np.finfo(float).tiny), (np.nan, np.nan))
    grown = choices_of(growth=np.full((3, 2), 2.0), base_year=2024)
    parts = {"emissions": table((80, 88), (240, 228), (50, 60)), "intensity": table((0.8, 0.8), (8, 8), (9, 9))}
    with np.errstate(over="ignore"):
        found = market_of(baseline=baseline_of(balance_value=balance, **parts), offered=grown).sizes
    first, second = [400 + 5 * 100, 0.8 * (400 + 5 * 110)], [950 + 5 * 200, 0.8 * (950 + 5 * 190)]
    assert found.cost[0] == pytest.approx(np.add(first, second) * [2, 4])
    # An intensity far above a balance value is at the cap, which has no slope.
    assert found.steep[:, 1] == pytest.approx([88 * (2 + 0.5 * 1.8) + 228 * (2 + 0.5), 60 * (2 + 0.5)])
    nothing = market_of(offered=choices_of(code=np.full((3, 2), -1))).sizes
    assert nothing.roundings == 3 * 2 + 60


def test_errors_have_their_own_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a roundoff of 2^-20 the rounding of the errors themselves is 62 parts of it."""
    for module in (arcs, trade_bounds, sys.modules[__name__]):
        monkeypatch.setattr(module, "gamma", lambda roundings: roundings * 2.0**-20)
    trade, need = trade_of(leeway_of_numbers()), table((50, 60), (70, 30))
    limit, due = -table((1, 2), (3, 4)), -table((5, 6), (7, 8))
    values, errors = trade.least(accounts_of(), need, limit, due)
    known, uncertain = by_hand(trade, need, limit, due)
    assert values == pytest.approx(known, rel=1e-12)
    assert errors == pytest.approx(np.array(uncertain) * (1 + 62 * 2.0**-20), rel=1e-12)


def test_rounding_of_plans_is_measured_by_their_sizes_at_the_multipliers() -> None:
    sizes = market_of().sizes
    need, emitted = table((2, -3), (5, 7)), table((0.5, 0.25), (1, 2))
    total = sizes.cost + np.abs(need) * (sizes.steep + sizes.given) + emitted * sizes.emissions
    known = 1.001 * gamma(sizes.roundings) * total.sum(axis=1)
    assert sizes.error(need, emitted) == pytest.approx(known, rel=1e-12, abs=0)
    assert sizes.error(need[1:], emitted[1:], np.array([1])) == pytest.approx(known[1:], rel=1e-12, abs=0)


def trade_of(leeway: Leeway | None = None, **terms: Any) -> Trading:
    market = market_of(terms=terms_of(**terms))
    none = Leeway.none(2, 2) if leeway is None else leeway
    offset_price = market.baseline.discount * market.terms.offset_price + [1.0, 0.5]
    return Trading(market, np.array([50.0, 40.0]), offset_price, none)


def by_hand(trade: Trading, need: np.ndarray, limit: np.ndarray, due: np.ndarray) -> tuple[list[float], list[float]]:
    """Every variable at the better of its bounds, one after the other, and the rounding of all."""
    own, deal, way, found = accounts_of(), trade.market.terms, trade.leeway, trade.market.baseline
    totals, errors = [], []
    for a, _ in enumerate(own.labels):
        total, error = 0.0, 0.0
        for t, _ in enumerate(found.years):
            friction, price = found.discount[t] * deal.transaction_cost[t], trade.price[t]
            last = t == len(found.years) - 1
            ahead = 0.0 if last else need[a, t + 1]
            worth = found.discount[t] * deal.terminal_price if last else 0.0
            after = 0.0 if last else due[a, t + 1]
            owing = due[a, t] - after - found.discount[t] * deal.outstanding_cost[t]
            least = -way.banked[a, t] - (0.0 if last else own.borrowed_most[a, t])
            # Head and tail, what is taken off their difference, and bounds.
            arcs = [
                (price, need[a, t], -friction, -way.traded[a, t], own.traded_most[a, t] + way.traded[a, t]),
                (need[a, t], price, -friction, -way.traded[a, t], own.traded_most[a, t] + way.traded[a, t]),
                (need[a, t], ahead, worth, least, own.held_most[a, t] + way.banked[a, t]),
                (ahead, need[a, t], owing, -way.outstanding[a, t], own.so_far[a, t] + way.outstanding[a, t]),
            ]
            if t == 0:
                arcs.append((0.0, need[a, 0], 0.0, own.opening[a], own.opening[a]))
            for head, tail, constant, low, high in arcs:
                cost = head - tail - constant
                came = min(cost * low, cost * high)
                total += came
                error += gamma(10) * (abs(head) + abs(tail) + abs(constant)) * max(abs(low), abs(high))
                error += gamma(2 + 24) * abs(came)
            most = min(deal.offset_share * own.emissions[a, t], deal.offset_supply[t]) + way.offset[a, t]
            cost = trade.offset_price[t] - need[a, t] - limit[a, t] - due[a, t]
            missed = limit[a, t] * way.share[a, t] + due[a, t] * way.newly[a, t]
            total += min(-cost * way.offset[a, t], cost * most) + missed
            size = trade.offset_price[t] + abs(need[a, t]) + abs(limit[a, t]) + abs(due[a, t])
            error += gamma(12) * (size * most + abs(missed))
        totals.append(total)
        errors.append(error)
    return totals, errors


@pytest.mark.parametrize(("with_leeway", "seed"), list(itertools.product([False, True], range(4))))
def test_dealings_come_to_each_variable_at_the_better_of_its_bounds(with_leeway: bool, seed: int) -> None:
    random = np.random.default_rng(seed)
    trade = trade_of(leeway_of_numbers() if with_leeway else None)
    need = random.uniform(0, 90, (2, 2))
    limit, due = -random.uniform(0, 20, (2, 2)), -random.uniform(0, 20, (2, 2))
    values, errors = trade.least(accounts_of(), need, limit, due)
    known, uncertain = by_hand(trade, need, limit, due)
    assert values == pytest.approx(known, rel=1e-12)
    assert errors == pytest.approx(uncertain, rel=1e-12, abs=0)
    assert (np.abs(values - known) <= errors + 1e-9).all()
    assert (errors < 1e-10 * (np.abs(values) + 1e5)).all()
    own = accounts_of(
        labels=np.array(["f"], dtype=object),
        **{
            n: getattr(accounts_of(), n)[1:]
            for n in ("opening", "emissions", "free_most", "borrowed_most", "external_supply")
        },
    )
    some, _ = trade.least(own, need[1:], limit[1:], due[1:], np.array([1]))
    assert some == pytest.approx(known[1:], rel=1e-12)
