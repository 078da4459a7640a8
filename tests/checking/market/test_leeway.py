"""How far an answer leaves each of its bounds, by hand: one amount beyond one bound at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from etsopt.checking.arithmetic import gamma
from etsopt.checking.market.accounts import pool_accounts
from etsopt.checking.market.leeway import Leeway, bound_violation, leeway_of
from etsopt.checking.market.plans import Amounts
from tests.checking.market.small import accounts_of, holdings_of, market_of, table, terms_of

NAMES = tuple(Leeway.__dataclass_fields__)


def amounts_of() -> Amounts:
    emissions, free = table((70, 80), (240, 220), (50, 0)), table((60, 70), (230, 220), (33, 2))
    return Amounts(emissions, free, *[0 * emissions] * 3)


def years_of(**changes: Any) -> pd.DataFrame:
    return pd.DataFrame({"intake_t": [2.0, 0.0], "released_t": [1.0, 0.0]} | changes)


def found(pooled: bool = False, terms: Any = None, years: pd.DataFrame | None = None, **changes: Any) -> Leeway:
    held = holdings_of(**{name: table(*rows) for name, rows in changes.items()})
    deal = terms_of(**({"demand": np.array([15.0, 20.0])} | (terms or {})))
    if pooled:
        deal = replace(deal, transaction_cost=np.zeros(2))
    return leeway_of(market_of(terms=deal), held, amounts_of(), years_of() if years is None else years)


def lists(leeway: Leeway) -> dict[str, Any]:
    return {name: np.round(getattr(leeway, name), 9).tolist() for name in NAMES}


NOTHING = {name: [[0.0, 0.0], [0.0, 0.0]] for name in NAMES[:6]} | {name: [0.0, 0.0] for name in NAMES[6:]}


def test_an_answer_within_all_bounds_needs_nothing_but_its_rounding() -> None:
    assert lists(found()) == NOTHING


@pytest.mark.parametrize(
    ("changes", "name", "place", "by"),
    [
        ({"bought": ((-3, 0), (6, 0))}, "traded", (0, 0), 3.0),
        ({"bought": ((955, 0), (6, 0))}, "traded", (0, 0), 955 - 943.0),
        ({"sold": ((0, -2), (0, 1))}, "traded", (0, 1), 2.0),
        ({"sold": ((0, 1250), (0, 1))}, "traded", (0, 1), 1250 - 1243.0),
        ({"banked": ((-41, 6), (2, 4))}, "banked", (0, 0), 1.0),
        ({"banked": ((584, 6), (2, 4))}, "banked", (0, 0), 1.0),
        ({"outstanding": ((-4, 2), (0, 0))}, "outstanding", (0, 0), 4.0),
        ({"outstanding": ((4, 640), (0, 0))}, "outstanding", (0, 1), 4.0),
        ({"offset": ((8, -3), (1, 0))}, "offset", (0, 1), 3.0),
        ({"surrendered": ((300, -2), (49, 0))}, "newly", (0, 1), 2.0),
    ],
)
def test_what_lies_beyond_a_bound_of_an_account_is_its_leeway(
    changes: Any, name: str, place: tuple[int, int], by: float
) -> None:
    known = {key: [list(row) if isinstance(row, list) else row for row in value] for key, value in NOTHING.items()}
    known[name][place[0]][place[1]] = by  # type: ignore[index]
    assert {key: value for key, value in lists(found(**changes)).items() if key in NAMES[:6]} == {
        key: value for key, value in known.items() if key in NAMES[:6]
    }


def test_offsets_beyond_the_share_and_the_supply_count_in_each_row() -> None:
    own = found(offset=((11, 3), (3, 3)))
    # The share of 320 t is 16 t and the supply 10 t; of 310 t that are emitted it is 15.5 t.
    assert own.offset == pytest.approx(table((1, 0), (0.5, 3)), abs=1e-9)
    assert own.share == pytest.approx(table((0, 0), (0.5, 3)), abs=1e-9)
    assert own.offers == pytest.approx([4.0, 2.0], abs=1e-9)


def test_without_a_reference_price_nothing_may_be_owed() -> None:
    own = found(terms={"outstanding_cost": np.array([np.inf, 700.0])})
    assert own.outstanding == pytest.approx(table((4, 0), (0, 0)), abs=1e-9)


def test_what_auctions_and_the_reserve_leave_beyond_their_bounds_counts() -> None:
    # Of 45 t on offer 26 t are bought net, and a tonne goes to the reserve.
    assert found(bought=((70, 0), (6, 0))).unsold == pytest.approx([32.0, 0.0], abs=1e-9)
    assert found(years=years_of(released_t=[99.0, 0.0])).unsold == pytest.approx([56.0, 0.0], abs=1e-9)
    out = found(years=years_of(intake_t=[0.0, 0.0], released_t=[30.0, 0.0]))
    assert out.reserve == pytest.approx([5.0, 5.0], abs=1e-9)
    assert out.flow == pytest.approx([0.0, 0.0])
    wrong = found(years=years_of(intake_t=[-3.0, 5.0], released_t=[0.0, 7.0]))
    assert wrong.flow == pytest.approx([3.0, 12.0])
    most = found(years=years_of(intake_t=[1001.0, 0.0], released_t=[1002.0, 0.0]))
    assert most.flow == pytest.approx([3.0, 0.0])
    full = found(years=years_of(intake_t=[980.0, 0.0], released_t=[1.0, 0.0]))
    assert full.reserve == pytest.approx([4.0, 4.0], abs=1e-9)
    assert full.unsold[0] == pytest.approx(960.0)
    low = found(terms={"floor": np.array([0.5, 0.0])})
    assert low.flow == pytest.approx([0.0, 0.0])
    without = found(years=pd.DataFrame({"year": [2025, 2026]}))
    assert lists(without) == NOTHING


def test_where_one_account_stands_for_all_what_is_bought_and_sold_at_once_is_nothing() -> None:
    pooled = found(True, bought=((2000, 0), (6, 0)), sold=((1990, 9), (0, 1)))
    assert pooled.traded == pytest.approx(table((0, 0)), abs=1e-9)
    assert pooled.traded.shape == (1, 2)
    net = found(True, bought=((2000, 0), (0, 0)), sold=((0, 2000), (0, 0)))
    pool = pool_accounts(accounts_of())
    assert net.traded == pytest.approx(table((2000 - pool.traded_most[0, 0], 2000 - pool.traded_most[0, 1])), abs=1e-9)
    # Of all together an account may lie below its bound where another makes up for it.
    assert found(True, banked=((-44, 6), (0, 4))).banked == pytest.approx(table((0, 0)), abs=1e-9)
    assert found(True, outstanding=((-1, 2), (1, 0))).outstanding == pytest.approx(table((0, 0)), abs=1e-9)
    assert found(True, offset=((11, 3), (1, 0))).offset == pytest.approx(table((2, 0)), abs=1e-9)


def test_where_nothing_moves_there_is_no_leeway_and_what_is_sold_is_left_in_the_auctions() -> None:
    names = ("bought", "sold", "offset", "outstanding", "banked", "surrendered")
    pooled = found(True, **dict.fromkeys(names, ((0, 0), (0, 0))))
    assert not pooled.outstanding.any()
    assert not pooled.offset.any()
    zeros = np.zeros((2, 2))
    empty = accounts_of(
        opening=np.zeros(2), emissions=zeros, free_most=zeros, borrowed_most=zeros, external_supply=np.zeros(2)
    )
    nothing = Amounts(*[np.zeros((3, 2))] * 5)
    market = market_of(accounts=empty, terms=terms_of(transaction_cost=np.zeros(2)))
    held = holdings_of(**dict.fromkeys(names, zeros))
    assert not leeway_of(market, held, nothing, years_of()).traded.any()
    # Of 30 t on offer none is bought and 31 t are sold, so 61 t of the 50 t auctioned would be unsold.
    assert found(sold=((0, 30), (0, 1))).unsold == pytest.approx([0.0, 11.0], abs=1e-9)


def test_rounding_is_measured_by_all_that_has_moved_so_far() -> None:
    count = 64 + 2 + 2 + 60
    moved = table((310 + 290 + 20 + 8 + 4, 300 + 290 + 9 + 3 + 2), (50 + 33 + 6 + 1, 2 + 1))
    so_far = np.array([[30.0], [7.0]]) + np.cumsum(moved, axis=1)
    own = found()
    assert own.banked == pytest.approx(gamma(count) * so_far, rel=1e-12, abs=0)
    assert own.share == pytest.approx(gamma(count) * so_far, rel=1e-12, abs=0)
    assert own.newly == pytest.approx(gamma(count) * so_far, rel=1e-12, abs=0)
    for name in ("traded", "outstanding", "offset", "flow"):
        assert not getattr(own, name).any()
    of_market = 25 + np.cumsum([3.0, 0.0]) + moved.sum(axis=0) + np.array([60 + 15, 50 + 20])
    for name in ("unsold", "reserve", "offers"):
        assert getattr(own, name) == pytest.approx(gamma(count) * of_market, rel=1e-12, abs=0)
    pooled = found(True)
    of_pool = 37 + np.cumsum(moved.sum(axis=0))[None]
    for name in ("traded", "banked", "outstanding", "offset", "share", "newly"):
        assert getattr(pooled, name) == pytest.approx(gamma(count) * of_pool, rel=1e-12, abs=0)


def test_leeway_of_some_accounts_is_theirs_and_that_of_the_market() -> None:
    own = found(bought=((-3, 0), (6, 0)))
    some = own.of_accounts(np.array([1, 0]))
    assert some.traded.tolist() == own.traded[::-1].tolist()
    assert some.offers.tolist() == own.offers.tolist()
    none = Leeway.none(2, 3)
    assert none.traded.shape == (2, 3)
    assert none.offers.shape == (3,)
    assert not none.traded.any()
    assert bound_violation(np.array([1.0, 5.0, 9.0]), 2.0, 7.0).tolist() == [1.0, 0.0, 2.0]
