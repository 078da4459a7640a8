"""A segment of a market's price is proven by the answers at its ends, or not at all."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking import Answer, Question
from etsopt.checking.arithmetic import gamma
from etsopt.checking.price_segments import End, _bent, _rounding, bends_of_markets, bends_of_policies, certify, line_of
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.rules import as_given
from tests.checking.market.small import baseline_of, market_of, terms_of
from tests.studies.curves.test_price_curve import AUCTION, WORTH, by_hand

if TYPE_CHECKING:
    from etsopt.checking.market.derived import Market


class Case:
    """Answers at places of a line, judged as they are or changed."""

    def __init__(self, key: str, instance: etsopt.Instance) -> None:
        self.key, self.instance = key, instance

    def end(self, value: float, table: str = "", **change: Any) -> End:
        """Return the answer at a value, of which a table may be changed in its first row."""
        there = as_given(self.instance.with_policy({self.key: value}), True)
        results = etsopt.solve(there, "clearing")
        tables = {name: found.copy() for name, found in results.tables.items()}
        for column, cell in change.items():
            where = (tables[table]["level"] == "cost").idxmax() if table == "duals" else 0
            tables[table].loc[where, column] = cell
        return End.of(Question(there, "clearing"), Answer(tables, results.levels))


STAIRS, LINES = Case(AUCTION, by_hand()), Case(WORTH, by_hand(market={"auctioned_t": 75.0}))


@pytest.fixture(scope="module")
def ends() -> dict[float, End]:
    return {value: STAIRS.end(value) for value in (10.0, 30.0, 70.0, 90.0)}


@pytest.fixture(scope="module")
def worths() -> dict[float, End]:
    return {value: LINES.end(value) for value in (0.0, 5.0, 20.0, 35.0)}


def test_multipliers_of_one_end_prove_a_step_and_no_more(ends: dict[float, End]) -> None:
    verdict = certify(ends[10.0], ends[30.0], ends[10.0])
    assert verdict.certified
    assert verdict.values == pytest.approx((2100.0, 1300.0))
    assert verdict.prices is not None
    assert verdict.prices.tolist() == [[pytest.approx(40.0)]] * 2
    # The step ends at 50 t, and no multiplier serves both sides: 20 t at 40 CNY/t are stated at 10 CNY/t.
    for owner in ends.values():
        wrong = certify(ends[30.0], ends[70.0], owner)
        assert not wrong.certified
        assert wrong.gap > 100.0


def test_one_answer_proves_a_line_and_no_more(worths: dict[float, End]) -> None:
    verdict = certify(worths[20.0], worths[35.0], worths[35.0])
    assert verdict.certified
    assert verdict.prices is not None
    assert verdict.prices.ravel().tolist() == pytest.approx([20.0, 35.0])
    for owner in worths.values():
        assert not certify(worths[5.0], worths[20.0], owner).certified


def test_a_line_touches_the_least_cost_at_its_answer(ends: dict[float, End], worths: dict[float, End]) -> None:
    line = line_of(ends[10.0], ends[90.0], ends[10.0])
    assert line == pytest.approx((2100.0, 2100.0 - 80 * 40.0))
    assert line_of(worths[0.0], worths[35.0], worths[35.0]) == pytest.approx((500.0, 500.0 - 35 * 25.0))


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("duals", {"multiplier": -39.0}),
        ("duals", {"multiplier": np.nan}),
        ("duals", {"multiplier": np.inf}),
        ("plans", {"share": 0.5}),
        ("plans", {"share": np.nan}),
        ("enterprise_years", {"bought_t": 5.0}),
        ("enterprise_years", {"bought_t": np.nan}),
        ("years", {"price_cny_per_t": 39.0}),
    ],
)
def test_what_is_changed_is_refused(ends: dict[float, End], table: str, change: dict[str, float]) -> None:
    forged = STAIRS.end(30.0, table, **change)
    for owner in (ends[10.0], forged):
        verdict = certify(ends[10.0], forged, owner)
        assert verdict.refused
        assert not verdict.certified
    # What only serves others is judged as well.
    assert certify(ends[10.0], ends[30.0], forged).refused


def test_multipliers_prove_by_themselves(ends: dict[float, End], worths: dict[float, End]) -> None:
    def with_price(end: End, factor: float) -> End:
        given = end.proven.given
        given = replace(
            given, **{name: getattr(given, name) * factor for name in ("market_balance", "account_balance")}
        )
        return replace(end, read=end.proven._replace(given=given))

    for factor in (1.0, 0.99, 1.01, np.nan):
        one = with_price(ends[10.0], factor)
        assert certify(one, ends[30.0], one).certified == (factor == 1.0)
    for factor in (0.99, 1.01, np.nan):
        assert not certify(with_price(worths[20.0], factor), worths[35.0], worths[35.0]).certified


def test_ends_are_those_of_their_own_policies(ends: dict[float, End], worths: dict[float, End]) -> None:
    swapped = replace(ends[10.0], given=ends[90.0].given), replace(ends[90.0], given=ends[10.0].given)
    assert not certify(*swapped, ends[10.0]).certified
    refused = certify(ends[10.0], ends[10.0], ends[10.0]).refused
    assert "no key of the policy differs between the ends" in map(str, refused)
    assert certify(ends[10.0], worths[20.0], ends[10.0]).refused


def test_nothing_else_may_move(ends: dict[float, End]) -> None:
    one, other = ends[10.0], ends[30.0]
    units = pd.DataFrame(other.given.units).assign(emissions_tco2e=1001.0)
    tables = replace(other, given=replace(other.given, units=units))
    assert "the ends have different tables units" in map(str, certify(one, tables, one).refused)
    market = other.proven.market
    given = replace(market.baseline, given=market.baseline.given + 1e-6)
    for moved, name in (
        (replace(market, terms=replace(market.terms, offset_share=0.9)), "terms.offset_share"),
        (replace(market, baseline=given), "baseline.given"),
    ):
        forged = replace(other, read=other.proven._replace(market=moved))
        reasons = map(str, certify(one, forged, one).refused)
        assert f"{name} of the market moves, which is no side of it" in reasons


def test_a_cap_that_one_end_alone_has_is_no_number_that_moves() -> None:
    without, capped = (
        InstanceInputs.of(by_hand(1000.0, **more)) for more in ({}, {"pathway": {"cap_t": {"2025": 9.0}}})
    )
    for pair in ((without, capped), (capped, without)):
        assert [*map(str, bends_of_policies(*pair))] == ["pathway.cap_t.2025 is no number at both ends"]


def test_the_rounding_of_limits_counts_at_the_highest_prices() -> None:
    """110 t are auctioned, 35 t demanded or supplied, 1,240 t held and 2,386 t traded at most."""
    market = market_of(terms=terms_of(transaction_cost=np.array([2.0, 3.0])))
    bound: Any = SimpleNamespace(market=market, repaired=np.array([4.0, -7.0, 3.0]))
    # A multiplier on either side, the larger cost of trading and the terminal price.
    assert _rounding(bound) == pytest.approx(gamma(8) * (2 * 7 + 3 + 5) * (110 + 35 + 1240 + 2386), rel=1e-12)


@pytest.mark.parametrize(
    ("year", "follows_output", "bends"),
    [(0, [False, False], False), (1, [False, False], True), (0, [True, False], True), (0, [False, True], False)],
)
def test_allowances_that_follow_a_unit_may_not_move(
    year: int, follows_output: list[bool], bends: bool, ends: dict[float, End]
) -> None:
    """Those of the second year follow emissions, whatever follows output."""
    baseline = baseline_of(follows_output=np.array(follows_output))
    given = baseline.given.copy()
    given[1, year] += 1.0
    markets = market_of(baseline=baseline), market_of(baseline=replace(baseline, given=given))
    reasons = [*map(str, bends_of_markets(ends[10.0].given, ends[30.0].given, *markets))]
    names = ["baseline.follows_output", "baseline.given"] if bends else ["baseline.given"]
    balances = "2026 is self-balancing: balance values move too (pathway.self_balancing_until)"
    assert reasons == [balances, *(f"{name} of the market moves, which is no side of it" for name in names)]


def test_a_cap_that_cuts_at_one_end_alone_bends_whatever_else_gets_nothing() -> None:
    """A unit without allowances is the same share of any cap."""
    first, last = (InstanceInputs.of(by_hand(1000.0, pathway={"cap_t": {"2025": cap}})) for cap in (900.0, 1100.0))

    def market(*tonnes: float) -> Market:
        given = baseline_of().given.copy()
        given[:, 0] = tonnes
        return market_of(baseline=baseline_of(given=given))

    assert _bent(first, last, market(900.0, 0.0, 0.0), market(1000.0, 0.0, 0.0)).tolist() == [True, False]
    assert _bent(first, last, market(900.0, 0.0, 0.0), market(1100.0, 0.0, 0.0)).tolist() == [False, False]
