"""What the answer to a market costs, what is spent in it, and what every enterprise comes to, term by term."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from etsopt.checking.arithmetic import gamma, total, upward
from etsopt.checking.market import cost
from etsopt.checking.market.cost import cost_of, spent_by
from etsopt.checking.market.plans import Amounts
from tests.checking.market.small import (
    accounts_of,
    baseline_of,
    holdings_of,
    in_three_years,
    market_of,
    table,
    terms_of,
)

COST = table((10, 20), (-300, 40), (5, 0))
YEARS = pd.DataFrame({"intake_t": [2.0, 1.0], "released_t": [3.0, 4.0]})


def amounts_of() -> Amounts:
    emissions, free = table((70, 80), (240, 220), (50, 0)), table((60, 70), (230, 220), (33, 2))
    return Amounts(emissions, free, COST, 0 * COST, 0 * COST)


def costs(kind: str = "clearing", **terms: Any) -> tuple[float, float, float]:
    return cost_of(market_of(terms=terms_of(**terms)), holdings_of(), amounts_of(), YEARS, kind)


DISCOUNT = np.array([1.0, 0.8])
TERMS = [
    *(DISCOUNT * COST).ravel(),
    *(DISCOUNT * table((40, 18), (12, 2))).ravel(),
    *(DISCOUNT * table((160, 90), (20, 0))).ravel(),
    *(DISCOUNT * table((2000, 1400), (0, 0))).ravel(),
]
OF_RESERVE = [90 * 3 - 10 * 2, 0.0]
WORTH = [-4.0 * 6, -4.0 * 4]


def test_a_market_costs_what_is_done_in_it_less_what_is_left() -> None:
    value, uncertain, spending = costs()
    terms = np.array([*TERMS, *OF_RESERVE, *WORTH])
    assert value == pytest.approx(terms.sum(), rel=1e-14)
    # The measures of the second unit earn 268 CNY, which is no spending.
    measures = (10 + 16) + 5
    assert spending == pytest.approx(measures + sum(TERMS[6:]) + sum(OF_RESERVE), rel=1e-14)
    sizes = market_of().sizes
    stocks = 37 + sizes.steep.sum() + sizes.given.sum() + 26 + 10 + 12 + 6
    size = np.abs(terms).sum() + sizes.cost.sum() + 4 * stocks
    known = upward(total(terms)[1] + gamma(sizes.roundings + sizes.units + 20) * size, 1000)
    assert uncertain == pytest.approx(known, rel=1e-12, abs=0)


def test_price_takers_pay_the_price_that_is_stated() -> None:
    value, _, spending = costs("abatement", expected_price=np.array([50.0, 60.0]))
    bought, sold = DISCOUNT * table((1000, 0), (300, 0)), DISCOUNT * table((0, -540), (0, -60))
    assert value == pytest.approx(sum(TERMS) + bought.sum() + sold.sum() + sum(WORTH), rel=1e-14)
    assert spending == pytest.approx(31 + sum(TERMS[6:]) + 1300, rel=1e-14)


def test_what_is_bought_and_sold_in_the_same_year_is_no_spending() -> None:
    price = np.array([50.0, 60.0])
    market, holdings = market_of(terms=terms_of(expected_price=price, transaction_cost=np.zeros(2))), holdings_of()
    value, _, spending = cost_of(market, holdings, amounts_of(), YEARS, "abatement")
    both = replace(holdings, bought=holdings.bought + 1e6, sold=holdings.sold + 1e6)
    more, _, as_much = cost_of(market, both, amounts_of(), YEARS, "abatement")
    assert (more, as_much) == pytest.approx((value, spending), rel=1e-12)


def test_what_has_no_price_costs_nothing() -> None:
    value, _, _ = costs(outstanding_cost=np.full(2, np.inf), ceiling=np.full(2, np.inf))
    assert value == pytest.approx(sum(TERMS) - 2000 - 0.8 * 1400 - 20 + sum(WORTH), rel=1e-14)


def test_an_enterprise_comes_to_its_costs_at_discounted_prices_at_least() -> None:
    sizes = market_of().sizes
    price, offers = np.array([50.0, 48.0]), np.array([-1.0, 2.0])
    spent = spent_by(market_of(), holdings_of(), amounts_of(), price, offers)
    yearly = [[10 - 300 + 0.8 * 60, 5.0], [40 + 0.8 * 18, 12 + 0.8 * 2], [160 + 0.8 * 90, 20], [2000 + 0.8 * 1400, 0]]
    absolute = [290 + 0.8 * 60, 5.0], *yearly[1:]
    traded = [[20 * 50.0, 6 * 50.0], [-9 * 48.0, -48.0], [8.0, 1.0]]
    known = np.sum(yearly, axis=0) + np.sum(traded, axis=0) - np.array([4 * 6, 4 * 4])
    assert spent == pytest.approx(known, rel=1e-12)
    stocks = np.array([30, 7]) + sizes.steep.sum(axis=1) + sizes.given.sum(axis=1) + [20 + 9 + 11 + 6, 7 + 1]
    size = np.sum(absolute, axis=0) + np.abs(traded).sum(axis=0) + sizes.cost.sum(axis=1) + 4 * stocks
    off = gamma(sizes.roundings + sizes.units + 20) * size
    assert (spent < known).all()
    assert spent == pytest.approx(known - off, rel=2e-15)
    no_price = market_of(terms=terms_of(outstanding_cost=np.full(2, np.inf)))
    without = spent_by(no_price, holdings_of(), amounts_of(), price, offers)
    assert without == pytest.approx(known - np.array(yearly[3]), rel=1e-12)


def test_what_is_uncertain_of_an_enterprise_is_measured_by_all_its_parts() -> None:
    """Of two enterprises that do nothing only what is uncertain is left, which is that of their sizes."""
    sizes = market_of().sizes
    nothing = holdings_of(**{name: np.zeros((2, 2)) for name in ("bought", "sold", "offset", "outstanding", "banked")})
    free = Amounts(*[np.zeros((3, 2))] * 5)
    spent = spent_by(market_of(), nothing, free, np.zeros(2), np.zeros(2))
    stocks = np.array([30, 7]) + sizes.steep.sum(axis=1) + sizes.given.sum(axis=1)
    size = sizes.cost.sum(axis=1) + 4 * stocks
    assert -spent == pytest.approx(gamma(sizes.roundings + sizes.units + 20) * size, rel=1e-12, abs=0)


def test_a_tonne_left_at_the_end_of_the_last_year_is_worth_the_terminal_price() -> None:
    """Of three years the last is discounted by half, so a tonne is worth 2.5 CNY."""
    baseline = in_three_years(baseline_of(), years=np.array([2025, 2026, 2027]), discount=np.array([1.0, 0.8, 0.5]))
    market = market_of(
        baseline=baseline, accounts=in_three_years(accounts_of()), terms=in_three_years(terms_of(), floor=np.zeros(3))
    )
    years = pd.DataFrame({"intake_t": np.zeros(3), "released_t": np.zeros(3)})
    units, zeros = in_three_years(amounts_of()), np.zeros(3)

    def costs_with(*banked: Any) -> tuple[float, list[float]]:
        holdings = in_three_years(holdings_of(), banked=table(*banked))
        spent = spent_by(market, holdings, units, zeros, zeros)
        return cost_of(market, holdings, units, years, "clearing")[0], spent.tolist()

    value, (one, other) = costs_with((9, 9, 9), (9, 9, 9))
    assert costs_with((1, 2, 9), (3, 4, 9)) == (value, [one, other])
    more, spent = costs_with((9, 9, 13), (9, 9, 9))
    assert (more, *spent) == pytest.approx((value - 10, one - 10, other))


def test_what_is_uncertain_is_itself_summed_in_up_to_a_thousand_roundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "upward", lambda _, roundings: roundings)
    assert costs()[1] == 1000
