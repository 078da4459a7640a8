"""Prices that a market takes from the policy: those that price takers expect, and those at which a reserve trades."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _
from etsopt.data.policy.yearly import by_year

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt.data.policy.market import MarketPolicy
    from etsopt_models._market.baseline import Baseline


def expected_prices(instance: Instance, years: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the price path of the policy, shape ``(years,)`` [CNY/t].

    Raises
    ------
    DataError
        If the policy states no price for one of the years.
    """
    prices = by_year(instance.policy.market.prices_cny_per_t, years)
    if np.isnan(prices).any():
        year = years[int(np.isnan(prices).argmax())]
        what = _("the price of {year} is missing, and enterprises take the price as given", year=year)
        advice = _("State one number for all years, or a table by year; a price applies until the next one stated.")
        raise DataError(_("The policy"), [Problem("policy.toml", what, advice, "market.prices_cny_per_t")])
    return prices


class Reserve(NamedTuple):
    """Prices at which a reserve buys and sells by year [CNY/t], zero and infinite for none, its stock and the most [t]."""

    floor: NDArray[np.float64]
    ceiling: NDArray[np.float64]
    at_start_t: float
    most_t: float


def reserve_of(instance: Instance, baseline: Baseline) -> Reserve:
    """Return the reserve of the market; that of a part of a nation is all outside, which trades at the stated price.

    Raises
    ------
    DataError
        If a part of a nation has no price from outside, or two; or a floor price is above the ceiling price.
    """
    market, years = instance.policy.market, baseline.years
    floor = by_year(market.floor_price_cny_per_t, years, 0.0)
    ceiling = by_year(market.ceiling_price_cny_per_t, years, np.inf)
    if instance.policy.coverage == "part":
        _refuse_price_of_a_part(market)
        outside = by_year(market.prices_cny_per_t, years)
        # It buys from the outside as much as it may sell there.
        most = _more_than_traded(instance, baseline)
        return Reserve(outside, outside, most, 2 * most)
    if (floor > ceiling).any():
        year = years[int(np.argmax(floor > ceiling))]
        what = _("the floor price of {year} is above the ceiling price", year=year)
        advice = _("Correct one of them: the reserve would buy dear and sell cheap without end.")
        raise DataError(_("The policy"), [Problem("policy.toml", what, advice, "market.floor_price_cny_per_t")])
    return Reserve(floor, ceiling, market.reserve_t, market.reserve_t + float(baseline.emissions.sum()))


def _more_than_traded(instance: Instance, baseline: Baseline) -> float:
    """Return more than a part can buy or sell in all years, so that no limit of the outside moves its price [t]."""
    market, table, years = instance.policy.market, instance.enterprises, baseline.years
    others = np.abs(by_year(market.external_demand_t, years, 0.0)) + by_year(market.auctioned_t, years, 0.0)
    opening = [] if table is None else [table[name].sum() for name in table if name.startswith("opening_")]
    held = sum(opening) + others.sum() + 2 * (baseline.emissions.sum() + baseline.entitlement.sum())
    return float((len(years) + 1) * held)


def _refuse_price_of_a_part(market: MarketPolicy) -> None:
    """Raise DataError unless the price of a part of a nation comes from outside alone."""
    if market.prices_cny_per_t is None:
        what = _(
            "is missing: the table covers a part of the nation, whose enterprises do not make the price among themselves"
        )
        advice = _("State the price of the national market, or solve abatement, which asks what enterprises do at one.")
        raise DataError(_("The policy"), [Problem("policy.toml", what, advice, "market.prices_cny_per_t")])
    for key in ("floor_price_cny_per_t", "ceiling_price_cny_per_t", "reserve_t"):
        if getattr(market, key):
            what = _("is stated, but a part of the nation trades at market.prices_cny_per_t, whatever it buys or sells")
            raise DataError(_("The policy"), [Problem("policy.toml", what, _("Leave it out."), f"market.{key}")])
