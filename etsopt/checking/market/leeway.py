"""How far an answer leaves the bounds of its variables and rows, by which the bound of its cost is widened."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.checking.arithmetic import column_totals, gamma

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.checking.market.accounts import Accounts, Terms
    from etsopt.checking.market.baseline import Baseline
    from etsopt.checking.market.plans import Amounts
    from etsopt.checking.market.statements import Holdings


@dataclass(frozen=True)
class Leeway:
    """Tonnes beyond bounds, none below zero; shape ``(accounts, years)`` where not said otherwise.

    Parameters
    ----------
    dealt, banked, owed, offset
        Of what is bought or sold, held, owed and offset.
    share, newly
        Of the rows `offset_limit` and `newly_owed`.
    unsold, flow, reserve, offers
        Of what auctions leave, of what the reserve deals and holds, and of the row `offsets_on_offer`, shape
        ``(years,)``.
    """

    dealt: NDArray[np.float64]
    banked: NDArray[np.float64]
    owed: NDArray[np.float64]
    offset: NDArray[np.float64]
    share: NDArray[np.float64]
    newly: NDArray[np.float64]
    unsold: NDArray[np.float64]
    flow: NDArray[np.float64]
    reserve: NDArray[np.float64]
    offers: NDArray[np.float64]

    def of_accounts(self, which: Any) -> Leeway:
        """That of some accounts."""
        names = ("dealt", "banked", "owed", "offset", "share", "newly")
        return replace(self, **{name: getattr(self, name)[which] for name in names})

    @classmethod
    def none(cls, accounts: int, years: int) -> Leeway:
        """Every bound stands."""
        return cls.same(np.zeros((accounts, years)), np.zeros(years))

    @classmethod
    def same(cls, of_accounts: NDArray[np.float64], of_market: NDArray[np.float64]) -> Leeway:
        """The same for everything of an account, and of the market."""
        return cls(*[of_accounts] * 6, *[of_market] * 4)


def leeway_of(
    found: Baseline, own: Accounts, pool: Accounts, deal: Terms, held: Holdings, amounts: Amounts, years: pd.DataFrame
) -> Leeway:
    """What an answer needs so that it stands within all bounds, the rounding of its sums included.

    Parameters
    ----------
    own, pool
        Accounts of the answer, and of the program: one for all where trading costs nothing.
    """
    pooled = pool is not own

    def of(part: NDArray[np.float64]) -> NDArray[np.float64]:
        return column_totals(part)[0][None] if pooled else part

    roundings = column_totals(np.zeros((len(own.labels), 1)))[1]
    count = roundings + len(found.years) + int(np.bincount(own.of_unit).max(initial=0)) + 60
    bought, sold, offset, owed, banked = map(of, (held.bought, held.sold, held.offset, held.owed, held.banked))
    if pooled:
        # Without a transaction cost what is bought and sold at once is nothing.
        net = bought - sold
        bought, sold = np.maximum(net, 0.0), np.maximum(-net, 0.0)
    emissions, free = own.total(amounts.emissions), own.total(amounts.free)
    terms = (emissions, free, held.bought, held.sold, held.offset, held.owed)
    size = sum((of(np.abs(part)) for part in terms), np.zeros_like(bought))
    so_far = pool.opening[:, None] + np.cumsum(size, axis=1)
    rounding = gamma(count) * so_far
    most = np.minimum(deal.offset_share * pool.emissions, deal.offset_supply)
    allowed = np.where(np.isfinite(deal.owing), pool.so_far, 0.0)
    nothing = np.zeros(len(found.years))
    absorbed, released = (
        years[name].to_numpy(dtype=float) if name in years else nothing for name in ("intake_t", "released_t")
    )
    traded = column_totals(held.bought - held.sold)[0]
    unsold: NDArray[np.float64] = deal.auctioned - deal.demand - traded - absorbed + released
    reserve = deal.reserve + np.cumsum(absorbed - released)
    of_market = deal.reserve + np.cumsum(absorbed + released) + column_totals(size)[0]
    of_market = gamma(count) * (of_market + np.abs(deal.auctioned) + np.abs(deal.demand))
    sells, buys = (deal.capacity * there.astype(np.float64) for there in (np.isfinite(deal.ceiling), deal.floor > 0))
    flows = beyond(released, 0.0, sells) + beyond(absorbed, 0.0, buys)
    return Leeway(
        dealt=beyond(bought, 0.0, pool.dealt) + beyond(sold, 0.0, pool.dealt) + rounding * pooled,
        banked=beyond(banked, -pool.borrowed_most, pool.held_most) + rounding,
        owed=beyond(owed, 0.0, allowed) + rounding * pooled,
        offset=beyond(offset, 0.0, most) + rounding * pooled,
        share=beyond(offset, -np.inf, deal.offset_share * of(emissions)) + rounding,
        newly=beyond(of(held.surrendered), 0.0, np.inf) + rounding,
        unsold=beyond(unsold, 0.0, deal.auctioned) + of_market,
        flow=flows,
        reserve=beyond(reserve, 0.0, deal.capacity) + of_market,
        offers=beyond(column_totals(held.offset)[0], -np.inf, deal.offset_supply) + of_market,
    )


def beyond(
    value: NDArray[np.float64], least: NDArray[np.float64] | float, most: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """How far values lie outside their bounds."""
    outside: NDArray[np.float64] = np.maximum(np.maximum(least - value, value - most), 0.0)
    return outside
