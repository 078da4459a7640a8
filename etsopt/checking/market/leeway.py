"""Measure the distance of an answer from the bounds of its variables and rows, which widens the bound of its cost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.checking.arithmetic import column_totals, gamma

if TYPE_CHECKING:
    import pandas as pd

    from etsopt.checking.arrays import Floats
    from etsopt.checking.market.derived import Market
    from etsopt.checking.market.plans import Amounts
    from etsopt.checking.market.statements import Holdings


@dataclass(frozen=True)
class Leeway:
    """Tonnes beyond bounds, none negative; shape ``(accounts, years)`` unless stated otherwise.

    Parameters
    ----------
    traded, banked, outstanding, offset
        Of purchases and sales, banking, outstanding obligations and offsets.
    share, newly
        Of the rows `offset_limit` and `newly_owed`.
    unsold, flow, reserve, offers
        Of unsold auction volumes, the reserve's trades and stock, and the row `offsets_on_offer`, shape
        ``(years,)``.
    """

    traded: Floats
    banked: Floats
    outstanding: Floats
    offset: Floats
    share: Floats
    newly: Floats
    unsold: Floats
    flow: Floats
    reserve: Floats
    offers: Floats

    def of_accounts(self, which: Any) -> Leeway:
        """Return the leeway of some accounts."""
        names = ("traded", "banked", "outstanding", "offset", "share", "newly")
        return replace(self, **{name: getattr(self, name)[which] for name in names})

    @classmethod
    def none(cls, accounts: int, years: int) -> Leeway:
        """Return a leeway of zero."""
        return cls.same(np.zeros((accounts, years)), np.zeros(years))

    @classmethod
    def same(cls, of_accounts: Floats, of_market: Floats) -> Leeway:
        """Return the same leeway for everything of an account, and for everything of the market."""
        return cls(*[of_accounts] * 6, *[of_market] * 4)


def leeway_of(market: Market, holdings: Holdings, amounts: Amounts, years: pd.DataFrame) -> Leeway:
    """Return the leeway that an answer needs to meet all bounds of the program, with the rounding of its sums."""
    baseline, accounts, terms, pool = market.baseline, market.accounts, market.terms, market.program.accounts
    pooled = pool is not accounts

    def of(part: Floats) -> Floats:
        return column_totals(part)[0][None] if pooled else part

    roundings = column_totals(np.zeros(len(accounts.labels)))[1]
    count = roundings + len(baseline.years) + int(np.bincount(accounts.of_unit).max(initial=0)) + 60
    bought, sold, offset, outstanding, banked = map(
        of, (holdings.bought, holdings.sold, holdings.offset, holdings.outstanding, holdings.banked)
    )
    if pooled:
        # Without a transaction cost, simultaneous purchases and sales cancel.
        net = bought - sold
        bought, sold = np.maximum(net, 0.0), np.maximum(-net, 0.0)
    emissions, free = accounts.total(amounts.emissions), accounts.total(amounts.free)
    stocks = (emissions, free, holdings.bought, holdings.sold, holdings.offset, holdings.outstanding)
    size = sum((of(np.abs(part)) for part in stocks), np.zeros_like(bought))
    so_far = pool.opening[:, None] + np.cumsum(size, axis=1)
    rounding = gamma(count) * so_far
    most = np.minimum(terms.offset_share * pool.emissions, terms.offset_supply)
    allowed = np.where(np.isfinite(terms.outstanding_cost), pool.so_far, 0.0)
    nothing = np.zeros(len(baseline.years))
    absorbed, released = (
        years[name].to_numpy(dtype=float) if name in years else nothing for name in ("intake_t", "released_t")
    )
    traded = column_totals(holdings.bought - holdings.sold)[0]
    unsold: Floats = terms.auctioned - terms.demand - traded - absorbed + released
    reserve = terms.reserve + np.cumsum(absorbed - released)
    of_market = terms.reserve + np.cumsum(absorbed + released) + column_totals(size)[0]
    of_market = gamma(count) * (of_market + np.abs(terms.auctioned) + np.abs(terms.demand))
    sells, buys = (terms.capacity * there.astype(np.float64) for there in (np.isfinite(terms.ceiling), terms.floor > 0))
    flows = bound_violation(released, 0.0, sells) + bound_violation(absorbed, 0.0, buys)
    return Leeway(
        traded=bound_violation(bought, 0.0, pool.traded_most)
        + bound_violation(sold, 0.0, pool.traded_most)
        + rounding * pooled,
        banked=bound_violation(banked, -pool.borrowed_most, pool.held_most) + rounding,
        # A sum of zeros is exact.
        outstanding=bound_violation(outstanding, 0.0, allowed) + rounding * (pooled & (outstanding != 0)),
        offset=bound_violation(offset, 0.0, most) + rounding * (pooled & (offset != 0)),
        share=bound_violation(offset, -np.inf, terms.offset_share * of(emissions)) + rounding,
        newly=bound_violation(of(holdings.surrendered), 0.0, np.inf) + rounding,
        unsold=bound_violation(unsold, 0.0, terms.auctioned) + of_market,
        flow=flows,
        reserve=bound_violation(reserve, 0.0, terms.capacity) + of_market,
        offers=bound_violation(column_totals(holdings.offset)[0], -np.inf, terms.offset_supply) + of_market,
    )


def bound_violation(value: Floats, least: Floats | float, most: Floats | float) -> Floats:
    """Return the distance of values outside their bounds."""
    return np.asarray(np.maximum(np.maximum(least - value, value - most), 0.0))
