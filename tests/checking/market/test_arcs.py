"""Variables of a market between two multipliers: their ends, costs and bounds, and what they come to at least."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from etsopt.checking.arithmetic import gamma
from etsopt.checking.market import arcs as of_arcs
from etsopt.checking.market.accounts import Accounts
from etsopt.checking.market.arcs import Arcs, Multipliers, Nodes, joined, of_accounts, of_market
from etsopt.checking.market.leeway import Leeway
from tests.checking.market.small import accounts_of, baseline_of, market_of, table, terms_of

if TYPE_CHECKING:
    from collections.abc import Iterator

NODES = Nodes(2, 2, stated=False)


def leeway_of_numbers() -> Leeway:
    """Every part of it another number."""
    of_accounts_ = (table((k, k + 0.25), (k + 0.5, k + 0.75)) / 1024 for k in range(6))
    of_market_ = (np.array([k, k + 0.25]) / 64 for k in range(4))
    return Leeway(*of_accounts_, *of_market_)


def test_multipliers_stand_in_one_array_after_the_ground() -> None:
    assert NODES.price.tolist() == [1, 2]
    assert NODES.reserve.tolist() == [3, 4]
    assert NODES.account.tolist() == [[5, 6], [7, 8]]
    assert NODES.size == 9
    stated = Nodes(3, 2, stated=True)
    assert stated.price.tolist() == [0, 0]
    assert (stated.reserve.tolist(), stated.account.tolist(), stated.size) == ([3, 4], [[5, 6], [7, 8], [9, 10]], 11)
    given = Multipliers(
        table((1, 2), (3, 4)),
        table((9, 9), (9, 9)),
        table((9, 9), (9, 9)),
        *(np.array(p) for p in ([5.0, 6.0], [7.0, 8.0], [9.0, 9.0])),
    )
    assert NODES.filled(given).tolist() == [0, -5, -6, -7, -8, 1, 2, 3, 4]
    assert Nodes(2, 2, stated=True).filled(given).tolist() == [0, 0, 0, -7, -8, 1, 2, 3, 4]
    assert Nodes(2, 1, stated=False).price.tolist() == [1]
    one = Multipliers(*(np.full((1, 1), k) for k in (1.0, 2.0, 3.0)), *(np.array([k]) for k in (4.0, 5.0, 6.0)))
    assert Nodes(1, 1, stated=False).filled(one).tolist() == [0, -4, -5, 1]


def lines(arcs: list[tuple[Any, ...]]) -> list[list[list[float]]]:
    return [[np.ravel(part).tolist() for part in np.broadcast_arrays(*one)] for one in arcs]


def test_variables_of_accounts_lead_from_price_to_account_from_year_to_year_and_to_the_ground() -> None:
    own, deal, leeway = accounts_of(), terms_of(outstanding_cost=np.array([500.0, np.inf])), leeway_of_numbers()
    due = -table((1, 2), (3, 5))
    found = lines(of_accounts(market_of(accounts=own, terms=deal), NODES, due, leeway))
    friction, dealt = [2.0, 1.6] * 2, leeway.traded
    most = (own.traded_most + dealt).ravel().tolist()
    least = (-dealt).ravel().tolist()
    prices, accounts = [1, 2, 1, 2], [5, 6, 7, 8]
    assert found[0] == [prices, accounts, [-part for part in friction], least, most]
    assert found[1] == [accounts, prices, [-part for part in friction], least, most]
    assert found[2] == [[0, 0], [5, 7], [0, 0], [30, 7], [30, 7]]
    banked, owed = leeway.banked, leeway.outstanding
    held = own.held_most
    assert found[3] == [[5, 7], [6, 8], [0, 0], [-40 - banked[0, 0], -5 - banked[1, 0]], (held + banked)[:, 0].tolist()]
    assert found[4] == [[6, 8], [0, 0], [4, 4], (-banked[:, 1]).tolist(), (held + banked)[:, 1].tolist()]
    assert found[5] == [[6, 8], [5, 7], [1 - 500, 2 - 500], (-owed[:, 0]).tolist(), [320 + owed[0, 0], 50 + owed[1, 0]]]
    assert found[6] == [[0, 0], [6, 8], [-2, -5], (-owed[:, 1]).tolist(), owed[:, 1].tolist()]
    # What lapses at the end of the first year leads to the ground.
    lapses = terms_of(outstanding_cost=deal.outstanding_cost, banks=np.array([False, True]))
    other = lines(of_accounts(market_of(accounts=own, terms=lapses), NODES, due, leeway))
    assert other == [*found[:3], [found[3][0], [0, 0], *found[3][2:]], *found[4:]]
    stated = terms_of(expected_price=np.array([50.0, 60.0]))
    bought, sold = lines(of_accounts(market_of(accounts=own, terms=stated), NODES, due, leeway))[:2]
    assert bought[2] == [-52.0, -49.6] * 2
    assert sold[2] == [48.0, 46.4] * 2
    assert lines(of_accounts(market_of(accounts=own), NODES, due, leeway))[6][2] == [-2 - 560, -5 - 560]


def test_variables_of_the_market_lead_from_the_ground_and_the_reserve_to_the_price() -> None:
    deal, leeway = terms_of(), leeway_of_numbers()
    found = lines(of_market(market_of(terms=deal), NODES, leeway, 77.0))
    unsold, flow, stock = leeway.unsold, leeway.flow, leeway.reserve
    assert found == [
        [[0, 0], [1, 2], [0, 0], [45, 70], [45, 70]],
        [[1, 2], [0, 0], [0, 0], (-unsold).tolist(), [60 + unsold[0], 50 + unsold[1]]],
        [[0, 0], [1, 2], [-1, -1], [0, 0], [77, 77]],
        [[3, 4], [1, 2], [-90, 0], (-flow).tolist(), [1000 + flow[0], flow[1]]],
        [[1, 2], [3, 4], [10, 0], (-flow).tolist(), [1000 + flow[0], flow[1]]],
        [[0], [3], [0], [25], [25]],
        [[3], [4], [0], [-stock[0]], [1000 + stock[0]]],
        [[4], [0], [0], [-stock[1]], [1000 + stock[1]]],
    ]
    low = lines(of_market(market_of(terms=terms_of(floor=np.array([0.5, 0.0]))), NODES, leeway, 0.0))
    assert low[4][4] == [1000 + flow[0], flow[1]]


def arcs(*rows: tuple[float, ...]) -> Arcs:
    return joined([tuple(np.array([value]) for value in row) for row in rows])


def test_a_variable_comes_to_its_reduced_cost_at_the_bound_that_is_less() -> None:
    made = arcs((1, 0, 2.0, -3.0, 5.0), (0, 1, -11.0, 1.0, 4.0), (1, 2, 0.5, -7.0, 6.0))
    x = np.array([0.0, 10.0, 9.25])
    assert made.reduced(x).tolist() == [8.0, 1.0, 0.25]
    least, error = made.least_total(x)
    assert least.tolist() == [-24.0, 1.0, -1.75]
    assert error == pytest.approx([gamma(10) * 12 * 5, gamma(10) * 21 * 4, gamma(10) * 19.75 * 7], rel=1e-12, abs=0)
    least, _ = made.least_total(np.array([0.0, 1.5, 2.0]))
    assert least.tolist() == [-0.5 * 5, 9.5, -1.0 * 6]


def test_rounding_of_what_a_variable_comes_to_is_within_its_bound() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=50) * 1e3
    head, tail = random.integers(0, 50, 200), random.integers(0, 50, 200)
    constant, most = random.normal(size=200), np.abs(random.normal(size=200)) * 1e6
    made = Arcs(head, tail, constant, -most / 3, most)
    least, error = made.least_total(x)
    for k in range(200):
        reduced = Fraction(x[head[k]]) - Fraction(x[tail[k]]) - Fraction(constant[k])
        exact = min(reduced * Fraction(made.least[k]), reduced * Fraction(made.most[k]))
        assert abs(Fraction(least[k]) - exact) <= Fraction(error[k])


def test_reduced_costs_that_are_rounding_are_made_to_vanish_together() -> None:
    chain = arcs((1, 0, 100.0, 0.0, 9.0), (2, 1, 0.0, 0.0, 9.0), (3, 2, -7.0, 0.0, 9.0), (4, 3, 50.0, 0.0, 9.0))
    x = np.array([0.0, 100 - 3e-8, 100 + 2e-8, 93.0, 94.0])
    assert np.abs(chain.reduced(x)[:3]).max() > 1e-8
    repaired = chain.repaired(x)
    assert np.abs(chain.reduced(repaired)[:3]).max() <= 1e-13
    assert repaired[0] == 0.0
    assert repaired == pytest.approx(x, abs=1e-6)
    assert x[1] == 100 - 3e-8
    # What is no rounding, or can be nothing but one number, is left alone.
    far = arcs((1, 0, 100.0, 0.0, 9.0), (2, 0, 100.0, 9.0, 9.0))
    apart = np.array([0.0, 100 + 1.1e-7, 100 + 1e-8])
    assert far.repaired(apart).tolist() == apart.tolist()
    assert np.abs(far.reduced(far.repaired(np.array([0.0, 100 + 0.9e-7, 100.0]))))[0] <= 1e-13
    both = arcs((1, 0, 100.0, 0.0, 9.0), (1, 0, 100.0 + 1e-8, 0.0, 9.0))
    assert both.repaired(np.array([0.0, 100.0])) == pytest.approx([0.0, 100.0], abs=1e-5)


def test_a_long_chain_is_repaired_from_end_to_end() -> None:
    count = 150
    rows = [(k + 1, k, 1.0, 0.0, 9.0) for k in range(count)]
    chain = arcs(*rows)
    x = np.arange(count + 1.0) + np.random.default_rng(1).normal(size=count + 1) * 1e-8
    assert np.abs(chain.reduced(chain.repaired(x))).max() <= 1e-12


def test_a_chain_is_repaired_in_as_many_rounds_as_it_has_links() -> None:
    for links, repaired in ((200, True), (201, False)):
        chain = arcs(*((k + 1, k, 1.0, 0.0, 9.0) for k in range(links)))
        x = np.arange(links + 1.0) - 1e-8 * (np.arange(links + 1) > 0)
        off = np.abs(chain.reduced(chain.repaired(x))).max()
        assert off <= 1e-12 if repaired else off > 1e-9


def test_rounding_is_relative_to_the_largest_multiplier_however_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_arcs, "REDUCED_COST_ROUNDING_RELATIVE", 2.0**-30)
    for scale in (2.0**-10, 1.0, 2.0**10):
        for by, noise in ((2.0**-30, True), (2.0**-29, False)):
            one = arcs((1, 0, scale, 0.0, 9.0))
            x = np.array([0.0, scale * (1 - by), scale])
            assert bool(one.repaired(x)[1] == scale) is noise


def test_multipliers_are_raised_until_none_rises_by_more_than_its_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    # The largest multiplier is that of the last node; the others form a chain, of which each round raises one more.
    for scale, by, rounds in ((1.0, 1.5e-16, 2), (1.0, 0.5e-16, 1), (4.0, 1.5e-16, 1)):
        chain = arcs((1, 0, by, 0.0, 9.0), (2, 1, 0.0, 0.0, 9.0))
        assert chain.repaired(np.array([0.0, 0.0, 0.0, scale]))[:3].tolist() == [0.0, by, by if rounds > 1 else 0.0]

    def few(_: int) -> Iterator[int]:
        yield from range(3)
        pytest.fail("rounds go on where nothing rises")

    monkeypatch.setattr(of_arcs, "range", few, raising=False)
    assert chain.repaired(np.array([0.0, 3.0, 3.0, 5.0])).tolist() == [0.0, 3.0, 3.0, 5.0]
    assert arcs((1, 0, 0.0, 0.0, 9.0)).repaired(np.zeros(2)).tolist() == [0.0, 0.0]


def test_parts_are_joined_in_their_order() -> None:
    made = joined([(np.array([[1, 2]]), 0, 0.5, 0, np.array([3.0])), (np.array([4]), np.array([5]), 6, 7, 8)])
    assert made.head.tolist() == [1, 2, 4]
    assert made.tail.tolist() == [0, 0, 5]
    assert made.constant.tolist() == [0.5, 0.5, 6.0]
    assert (made.least.tolist(), made.most.tolist()) == ([0.0, 0.0, 7.0], [3.0, 3.0, 8.0])


def test_the_last_of_three_years_leads_to_the_ground_and_the_others_to_the_next() -> None:
    three = np.array([[3.0, 5.0, 7.0]])
    own = Accounts(
        np.array(["e"], dtype=object),
        np.zeros(1, dtype=np.int64),
        np.array([9.0]),
        three,
        three / 2,
        three,
        np.zeros(1),
    )
    found = baseline_of(years=np.array([2025, 2026, 2027]), discount=np.array([1.0, 0.5, 0.25]))
    deal = terms_of(
        transaction_cost=np.full(3, 2.0),
        outstanding_cost=np.array([100.0, 200.0, 500.0]),
        expected_price=np.full(3, np.nan),
        auctioned=np.full(3, 50.0),
        demand=np.zeros(3),
        floor=np.zeros(3),
        ceiling=np.full(3, np.inf),
    )
    steps = np.array([[1.0, 2.0, 4.0]]) / 8
    leeway, nodes = Leeway(*[steps] * 6, *[steps[0]] * 4), Nodes(1, 3, stated=False)
    due = -np.array([[1.0, 3.0, 7.0]])
    made = market_of(baseline=found, accounts=own, terms=deal)
    parts = lines(of_accounts(made, nodes, due, leeway))
    held = (own.held_most + steps)[0].tolist()
    assert parts[3] == [[7, 8], [8, 9], [0, 0], [-3.125, -5.25], held[:2]]
    assert parts[4] == [[9], [0], [1.25], [-0.5], held[2:]]
    assert parts[5] == [[8, 9], [7, 8], [2 - 100, 4 - 100], [-0.125, -0.25], [3.125, 8.25]]
    assert parts[6] == [[0], [9], [-7 - 125], [-0.5], [15.5]]
    stock = lines(of_market(made, nodes, leeway, 0.0))[6:]
    assert stock == [
        [[4, 5], [5, 6], [0, 0], [-0.125, -0.25], [1000.125, 1000.25]],
        [[6], [0], [0], [-0.5], [1000.5]],
    ]
    before = own.gained + own.later[:, :1] + own.borrowed_most
    assert own.traded_most.tolist() == np.add(before, [0.0, 3.0, 5.0]).tolist()
    given = Multipliers(three, three, three, three[0], three[0], three[0])
    assert nodes.filled(given)[1:4].tolist() == [-3.0, -5.0, -7.0]
