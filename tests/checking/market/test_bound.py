"""The bound of a market under branchings: a unit without a plan leaves nothing, else the least of each unit counts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from etsopt.checking.arithmetic import gamma, upward
from etsopt.checking.effort import REPAIRED_MULTIPLIERS_MAX
from etsopt.checking.market import bound
from etsopt.checking.market.arcs import Multipliers
from etsopt.checking.market.bound import Bound
from etsopt.checking.market.leeway import Leeway
from tests.checking.market.small import market_of, table, terms_of


def bound_of(least: list[float]) -> float:
    """The bound of three units and one value, of which two units have branchings with such least costs."""
    given: Any = SimpleNamespace(
        plans=np.array([10.0, 20.0, 30.0]),
        market=SimpleNamespace(baseline=None, accounts=SimpleNamespace(of_unit=np.zeros(3, dtype=np.int64))),
        demand_dual=np.zeros((1, 2)),
        emission_dual=np.zeros((1, 2)),
        values=np.array([5.0]),
        errors=np.array([0.5]),
        _sum=lambda parts, errors: float(sum(part.sum() for part in parts) - sum(part.sum() for part in errors)),
    )
    restricted: Any = SimpleNamespace(least=lambda *_: (np.array([0, 2]), np.array(least)))
    return Bound.under(given, [], restricted)


def test_the_least_costs_under_branchings_replace_those_of_their_units() -> None:
    assert bound_of([12.0, 33.0]) == pytest.approx(12 + 20 + 33 + 5 - 0.5)


@pytest.mark.parametrize("least", [[np.inf, 33.0], [12.0, np.inf], [np.inf, np.inf]])
def test_one_unit_without_a_plan_is_enough_to_leave_nothing(least: list[float]) -> None:
    assert bound_of(least) == np.inf


def given_of(**changes: Any) -> Multipliers:
    """Of every row another multiplier; those of rows with one side have both signs."""
    rows: dict[str, Any] = {
        "account_balance": table((50, 60), (70, 80)),
        "offset_limit": table((-3, 5), (4, -2)),
        "newly_owed": table((7, -1), (-6, 9)),
        "market_balance": np.array([-40.0, -30.0]),
        "reserve_stock": np.array([-20.0, -10.0]),
        "offsets_on_offer": np.array([-8.0, 11.0]),
    }
    return Multipliers(**(rows | changes))


LEEWAY = Leeway(
    *(table((k, k + 1), (k + 2, k + 3)) / 8 for k in range(6)), *(np.array([k, k + 1]) / 8 for k in range(4))
)


def test_multipliers_of_the_wrong_sign_count_as_zero() -> None:
    made = Bound(market_of(), given_of(), LEEWAY)
    assert made.demand_dual.tolist() == [[50, 60], [70, 80]]
    assert made.emission_dual == pytest.approx(table((-0.15, -1), (-6, -0.1)))
    assert made.trading.price.tolist() == [40, 30]
    assert made.trading.offset_price == pytest.approx([20 + 8, 24])
    # What is on offer, and what the answer takes beyond it, is paid at its multiplier.
    assert made.summands[0].tolist() == [-8 * (10 + 3 / 8), 0]
    assert made.rounding[0].tolist() == [gamma(4) * 83, 0]
    assert len(made.summands) == 1 + 8
    # Nothing may be unmet unless it is said how much.
    assert made.summands[3].tolist() == [0, 0]
    assert Bound(market_of(), given_of(), LEEWAY, 77.0).summands[3].tolist() == [77 * -39, 77 * -29]
    sizes = made.sizes.error(made.demand_dual, np.abs(made.emission_dual))
    trades = made.trading.least(
        made.market.accounts, made.demand_dual, table((-3, 0), (0, -2)), table((0, -1), (-6, 0))
    )
    assert made.values.tolist() == trades[0].tolist()
    assert made.errors == pytest.approx(trades[1] + sizes, rel=1e-12)


def test_at_a_stated_price_there_is_no_market() -> None:
    stated = market_of(terms=terms_of(expected_price=np.array([50.0, 60.0])))
    made = Bound(stated, given_of(), LEEWAY)
    assert made.trading.price.tolist() == [50.0, 48.0]
    assert len(made.summands) == len(made.rounding) == 1


def test_rounding_of_multipliers_is_repaired_in_all_but_very_large_markets(monkeypatch: pytest.MonkeyPatch) -> None:
    assert REPAIRED_MULTIPLIERS_MAX == 200_000
    # A bank links the years of an account, whose multipliers are apart by rounding.
    near = given_of(account_balance=table((50, 50 + 1e-9), (70, 80)))
    for size, repaired in ((9, True), (8, False)):
        monkeypatch.setattr(bound, "REPAIRED_MULTIPLIERS_MAX", size)
        dual = Bound(market_of(), near, LEEWAY).demand_dual
        assert (dual[0, 0] == dual[0, 1]) is np.bool_(repaired)


def test_a_bound_is_a_sum_less_its_rounding_and_nothing_is_proven_by_what_is_not_finite() -> None:
    made: Any = SimpleNamespace(summands=[np.array([2.0**60])], rounding=[np.array([2.0**20])])
    proven = Bound._sum(made, [np.zeros(1)], [np.array([2.0**21])])
    # The sum passes 64 roundings.
    known = upward(gamma(64) * 2.0**60 + 3 * 2.0**20, 8)
    assert 2.0**60 - proven == pytest.approx(known, rel=1e-3)
    for nothing in (np.nan, np.inf, -np.inf):
        assert Bound._sum(made, [np.array([nothing])], []) == -np.inf


def test_whole_plans_are_bounded_from_the_sum_of_the_plans_of_every_account(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def raised(*given: Any) -> Any:
        asked.append(given)
        return np.array([100.0, 20.0])

    monkeypatch.setattr(bound, "raised_bounds", raised)
    made: Any = SimpleNamespace(
        plans=np.array([10.0, -20.0, 30.0]),
        market=SimpleNamespace(accounts=SimpleNamespace(of_unit=np.array([0, 0, 1]))),
        values=np.array([5.0, 7.0]),
        errors=np.array([0.5, 0.25]),
        sizes=SimpleNamespace(units=2),
        trading="trading",
        demand_dual="demand",
        emission_dual="emissions",
        _sum=lambda parts, errors: np.concatenate(parts).sum() + (1000 if errors == [made.errors] else len(errors)),
    )
    spent = np.array([1.0, 2.0])
    assert Bound.of_whole(made, spent) == 120
    trading, sizes, duals, (values, errors), stated = asked[0]
    assert (trading, sizes, duals) == ("trading", made.sizes, ("demand", "emissions"))
    assert stated is spent
    assert values.tolist() == [-5.0, 37.0]
    assert (errors - made.errors).tolist() == pytest.approx([gamma(2) * 30, gamma(2) * 30], rel=0.5)
    assert Bound.of_all(made) == 60 - 40 + 12 + 1000
