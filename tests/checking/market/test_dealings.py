"""What trades of accounts come to at multipliers, against a search over all corners, and what their rounding is."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from etsopt.checking.arithmetic import gamma
from etsopt.checking.market.dealings import PlanSizes, Trade
from etsopt.checking.market.leeway import Leeway
from tests.checking.market.small import accounts_of, baseline_of, choices_of, table, terms_of
from tests.checking.market.test_arcs import leeway_of_numbers


def test_sizes_of_plans_are_sums_of_absolute_terms() -> None:
    found = PlanSizes.of(baseline_of(), choices_of(), accounts_of())
    first = [400 + 5 * 100, 0.8 * (400 + 5 * 110)]
    second = [950 + 5 * 200, 0.8 * (950 + 5 * 190)]
    assert found.cost == pytest.approx(np.array([np.add(first, second), [0, 0]]))
    assert found.emissions.tolist() == [[320, 316], [50, 0]]
    steep = [[80 * 2 + 240 * 2, 88 * (2 + 0.5 * 1.8) + 228 * (2 + 0.5 * 2.2)], [100, 0]]
    assert found.steep == pytest.approx(np.array(steep))
    assert found.given.tolist() == [[300, 295], [45, 3]]
    assert found.roundings == 3 * 2 + 3 * 2 + 60
    assert found.units == 2


def test_rounding_of_plans_is_measured_by_their_sizes_at_the_multipliers() -> None:
    sizes = PlanSizes.of(baseline_of(), choices_of(), accounts_of())
    need, emitted = table((2, -3), (5, 7)), table((0.5, 0.25), (1, 2))
    total = sizes.cost + np.abs(need) * (sizes.steep + sizes.given) + emitted * sizes.emissions
    known = 1.001 * gamma(sizes.roundings) * total.sum(axis=1)
    assert sizes.error(need, emitted) == pytest.approx(known, rel=1e-12, abs=0)
    assert sizes.error(need[1:], emitted[1:], np.array([1])) == pytest.approx(known[1:], rel=1e-12, abs=0)


def trade_of(leeway: Leeway | None = None, **terms: Any) -> Trade:
    found, deal = baseline_of(), terms_of(**terms)
    none = Leeway.none(2, 2) if leeway is None else leeway
    return Trade(found, deal, np.array([50.0, 40.0]), found.discount * deal.offset_price + [1.0, 0.5], none)


def by_hand(trade: Trade, need: np.ndarray, limit: np.ndarray, due: np.ndarray) -> list[float]:
    """Every variable at the better of its bounds, one after the other."""
    own, deal, way, found = accounts_of(), trade.deal, trade.leeway, trade.found
    totals = []
    for a, _ in enumerate(own.labels):
        total = 0.0
        for t, _ in enumerate(found.years):
            friction, price = found.discount[t] * deal.friction[t], trade.price[t]
            most = min(deal.offset_share * own.emissions[a, t], deal.offset_supply[t])
            terms = [
                (price + friction - need[a, t], -way.dealt[a, t], own.dealt[a, t] + way.dealt[a, t]),
                (need[a, t] - price + friction, -way.dealt[a, t], own.dealt[a, t] + way.dealt[a, t]),
                (
                    trade.offset_price[t] - need[a, t] - limit[a, t] - due[a, t],
                    -way.offset[a, t],
                    most + way.offset[a, t],
                ),
            ]
            last = t == len(found.years) - 1
            ahead = found.discount[t] * deal.worth if last else need[a, t + 1]
            least = -way.banked[a, t] - (0.0 if last else own.borrowed_most[a, t])
            terms.append((need[a, t] - ahead, least, own.held_most[a, t] + way.banked[a, t]))
            owing = found.discount[t] * deal.owing[t]
            after = 0.0 if last else need[a, t + 1] + due[a, t + 1]
            terms.append((after - need[a, t] - due[a, t] + owing, -way.owed[a, t], own.so_far[a, t] + way.owed[a, t]))
            total += sum(min(cost * least, cost * most) for cost, least, most in terms)
            total += limit[a, t] * way.share[a, t] + due[a, t] * way.newly[a, t]
        total -= need[a, 0] * own.opening[a]
        totals.append(total)
    return totals


@pytest.mark.parametrize(("with_leeway", "seed"), list(itertools.product([False, True], range(4))))
def test_dealings_come_to_each_variable_at_the_better_of_its_bounds(with_leeway: bool, seed: int) -> None:
    random = np.random.default_rng(seed)
    trade = trade_of(leeway_of_numbers() if with_leeway else None)
    need = random.uniform(0, 90, (2, 2))
    limit, due = -random.uniform(0, 20, (2, 2)), -random.uniform(0, 20, (2, 2))
    values, errors = trade.least(accounts_of(), need, limit, due)
    known = by_hand(trade, need, limit, due)
    assert values == pytest.approx(known, rel=1e-12)
    assert (np.abs(values - known) <= errors + 1e-9).all()
    assert (errors < 1e-10 * (np.abs(values) + 1e5)).all()
    own = accounts_of(
        labels=np.array(["f"], dtype=object),
        **{n: getattr(accounts_of(), n)[1:] for n in ("opening", "emissions", "free_most", "borrowed_most", "pressed")},
    )
    some, _ = trade.least(own, need[1:], limit[1:], due[1:], np.array([1]))
    assert some == pytest.approx(known[1:], rel=1e-12)


def test_rounding_of_offsets_counts_twelve_roundings_of_their_sizes() -> None:
    """With nothing else to deal in, what is uncertain is that of offsets and of the ends of accounts."""
    own = accounts_of(
        opening=np.zeros(2), free_most=np.zeros((2, 2)), borrowed_most=np.zeros((2, 2)), pressed=np.zeros(2)
    )
    zero = np.zeros((2, 2))
    tiny = terms_of(
        owing=np.full(2, np.inf), worth=0.0, friction=np.zeros(2), offset_supply=np.array([1e9, 1e9]), offset_share=1e6
    )
    trade = Trade(baseline_of(), tiny, np.zeros(2), np.array([20.0, 24.0]), Leeway.none(2, 2))
    values, errors = trade.least(own, zero, zero - 1e3, zero)
    assert values.tolist() == [0.0, 0.0]
    most = np.minimum(1e6 * own.emissions, 1e9)
    offsets = gamma(12) * ((np.array([20.0, 24.0]) + 1e3) * most).sum(axis=1)
    assert errors[0] == pytest.approx(offsets[0], rel=1e-6)
    values, errors = trade.least(own, zero + 30.0, zero - 1e3, zero - 7.0)
    assert errors[0] == pytest.approx(gamma(12) * ((np.array([20.0, 24.0]) + 1037.0) * most).sum(axis=1)[0], rel=1e-3)
