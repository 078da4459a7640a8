r"""The best trades of accounts at given prices and with fixed plans: a path of multipliers through few levels.

An account with net demand $n_t$ in a year buys at $P_t + \tau_t$, sells at $P_t - \tau_t$, surrenders offsets at $W_t$
up to a share $\kappa$ of its emissions $e_t$, and may bank or borrow up to a limit. The dual of this flow has one
multiplier a year,

$$\max_\mu \sum_t \mu_t m_t - \kappa \sum_t e_t (\mu_t - W_t)^+, \qquad
  P_t - \tau_t \le \mu_t \le P_t + \tau_t, \quad \mu_1 \ge \dots \ge \mu_T \ge w,$$

where $m_t$ is the net demand with the limits of borrowing at the year's end and at its beginning, and $w$ the worth of
a tonne at the end. On the best path every $\mu_t$ is one of the levels $P_s \pm \tau_s$, $W_s$ and $w$, which are the
same for all accounts; so it follows year by year from the best path above each level. While the path is level the
account banks or borrows; where it falls the account borrows up to its limit. The net demand of a level stretch is
bought, and its surplus sold, in the year whose price set the level: of several such years the first to buy and the last
to sell, so that no allowance is sold before it is held.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.progress import checkpoint
from etsopt_models._effort import ACCOUNTS_AT_ONCE
from etsopt_models._tolerances import TRADED_PRICE_EQUALITY_RELATIVE

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Flows:
    """Trades of accounts, shape ``(accounts, years)`` [t], and holdings at the end, shape ``(accounts,)`` [t]."""

    bought: NDArray[np.float64]
    sold: NDArray[np.float64]
    offset: NDArray[np.float64]
    held: NDArray[np.float64]

    @classmethod
    def nothing(cls, accounts: int, years: int) -> Flows:
        """Return flows of zero."""
        bought, sold, offset = np.zeros((3, accounts, years))
        return cls(bought, sold, offset, np.zeros(accounts))

    @property
    def net(self) -> NDArray[np.float64]:
        """Purchases less sales [t]."""
        return self.bought - self.sold


@dataclass(frozen=True)
class TradeTerms:
    """Terms at which accounts trade, discounted to the first year, shape ``(years,)`` [CNY/t].

    Parameters
    ----------
    price, transaction_cost
        Price of an allowance, and transaction cost of each side of a trade.
    offset_price
        Price of an offset including its scarcity; infinite if none is on offer.
    offset_share, offset_supply
        Share of emissions that offsets may cover, a number; offsets on offer, the most that an account takes [t].
    worth
        Worth of a tonne held at the end, a number.
    """

    price: NDArray[np.float64]
    transaction_cost: NDArray[np.float64]
    offset_price: NDArray[np.float64]
    offset_share: float
    offset_supply: NDArray[np.float64]
    worth: float

    @cached_property
    def most(self) -> NDArray[np.float64]:
        """The highest path of multipliers: that of buyers."""
        return np.minimum.accumulate(self.price + self.transaction_cost)

    @cached_property
    def least(self) -> NDArray[np.float64]:
        """The lowest path of multipliers: that of sellers and keepers."""
        above: NDArray[np.float64] = np.maximum.accumulate((self.price - self.transaction_cost)[::-1])[::-1]
        return np.maximum(above, self.worth)

    @cached_property
    def same(self) -> float:
        """Difference up to which prices are the same [CNY/t]."""
        return TRADED_PRICE_EQUALITY_RELATIVE * float(np.abs(self.price).max(initial=1.0))

    @cached_property
    def _steps(self) -> NDArray[np.float64]:
        """The least price of each cluster of same prices, ascending."""
        every = np.sort(np.concatenate([self._buying, self._selling, self.offset_price, [self.worth]]))
        every = every[np.isfinite(every)]
        return every[np.diff(every, prepend=-np.inf) > self.same]

    def level_of(self, price: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the level of prices of allowances or offsets, shape of ``price`` [CNY/t]."""
        place = np.maximum(np.searchsorted(self._steps, price, side="right") - 1, 0)
        return np.where(np.isfinite(price), self._steps[place], np.inf)

    @cached_property
    def levels(self) -> NDArray[np.float64]:
        """Every level that a multiplier may have, ascending, shape ``(levels,)``."""
        low, high = self.level_of(self.least).min(), self.level_of(self.most).max()
        return self._steps[(self._steps >= low) & (self._steps <= high)]

    @property
    def _buying(self) -> NDArray[np.float64]:
        return self.price + self.transaction_cost

    @property
    def _selling(self) -> NDArray[np.float64]:
        return self.price - self.transaction_cost

    def offsets_most(self, emissions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the most offsets that accounts may surrender, shape of ``emissions`` [t]."""
        return np.minimum(self.offset_share * emissions, self.offset_supply)

    def saved(self, path: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the saving per offset at some multipliers, shape of ``path`` [CNY/t]."""
        return np.maximum(path - self.offset_price, 0.0)

    def best(
        self, weight: NDArray[np.float64], emissions: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the cost of the best trades of accounts, and their multipliers.

        Parameters
        ----------
        weight
            Net demand with the limits of borrowing, shape ``(accounts, years)`` [t].
        emissions
            Emissions, shape ``(accounts, years)`` [tCO2e].

        Returns
        -------
        value, path
            Shapes ``(accounts,)`` [CNY] and ``(accounts, years)`` [CNY/t].
        """
        value, path = np.empty(len(weight)), np.empty(weight.shape)
        for start in range(0, len(weight), ACCOUNTS_AT_ONCE):
            checkpoint()
            block = slice(start, start + ACCOUNTS_AT_ONCE)
            value[block], path[block] = self._best(weight[block].T, self.offsets_most(emissions[block]).T)
        return value, path

    def _best(
        self, weight: NDArray[np.float64], offsets: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        levels, years = self.levels[:, None], len(self.price)
        saved = self.saved(np.broadcast_to(levels, (len(levels), years)))
        inside = (levels >= self.level_of(self.least)) & (levels <= self.level_of(self.most))
        ahead, steps = np.zeros((len(levels), weight.shape[1])), []
        for year in range(years):
            ahead += levels * weight[year]
            if saved[:, year].any():
                ahead -= saved[:, [year]] * offsets[year]
            ahead[~inside[:, year]] = -np.inf
            best = np.empty(ahead.shape, dtype=np.uint8)
            best[-1] = len(levels) - 1
            for k in reversed(range(len(levels) - 1)):
                higher = ahead[k + 1] > ahead[k]
                best[k] = np.where(higher, best[k + 1], k)
                np.maximum(ahead[k], ahead[k + 1], out=ahead[k])
            steps.append(best)
        state, all_accounts = np.zeros(weight.shape[1], dtype=np.int64), np.arange(weight.shape[1])
        path = np.empty((weight.shape[1], years))
        for year in reversed(range(years)):
            state = steps[year][state, all_accounts].astype(np.int64)
            path[:, year] = self.levels[state]
        return ahead[0], path

    def trades(  # long because a level stretch is closed in one place, in the order of what costs less
        self, weight: NDArray[np.float64], emissions: NDArray[np.float64], path: NDArray[np.float64]
    ) -> Flows:
        """Return trades whose cost equals the bound of the best path of multipliers."""
        count, years = weight.shape
        most, offered = self.offsets_most(emissions), self.level_of(self.offset_price)
        offset = np.where(path > offered, most, 0.0)
        begins = np.ones(weight.shape, dtype=bool)
        begins[:, 1:] = path[:, 1:] != path[:, :-1]
        first, stretch = np.flatnonzero(begins), np.cumsum(begins) - 1
        net_demand = np.add.reduceat((weight - offset).ravel(), first)
        at_level = np.where(path == offered, most, 0.0)
        if at_level.any():
            room = np.add.reduceat(at_level.ravel(), first)
            used = np.divide(np.clip(net_demand, 0.0, room), room, out=np.zeros_like(room), where=room > 0)
            more = at_level * used[stretch].reshape(weight.shape)
            offset += more
            net_demand -= np.add.reduceat(more.ravel(), first)
        last = stretch.reshape(weight.shape)[:, -1]
        keeps = np.zeros(len(first), dtype=bool)
        keeps[last] = path[:, -1] == self.level_of(np.array([self.worth]))
        kept = np.where(keeps, np.maximum(-net_demand, 0.0), 0.0)
        net_demand += kept
        bought, sold = (np.zeros(weight.size + 1) for _ in range(2))
        # A stretch whose level no price set has no net demand and no trade: its position is beyond the last.
        nowhere, everywhere = weight.size, np.arange(weight.size)
        buys, sells = ((path == self.level_of(price)).ravel() for price in (self._buying, self._selling))
        bought[np.minimum.reduceat(np.where(buys, everywhere, nowhere), first)] = np.maximum(net_demand, 0.0)
        sold[np.maximum.reduceat(np.where(sells, everywhere, -1), first)] = np.maximum(-net_demand, 0.0)
        return Flows(bought[:-1].reshape(count, years), sold[:-1].reshape(count, years), offset, kept[last])


def steady_prices(price: NDArray[np.float64], terms: TradeTerms) -> NDArray[np.float64]:
    """Return prices raised until no account gains by buying only to sell later, shape ``(years,)`` [CNY/t]."""
    raised = price.copy()
    later = terms.worth
    for year in reversed(range(len(price))):
        raised[year] = max(raised[year], later - terms.transaction_cost[year])
        later = max(later, raised[year] - terms.transaction_cost[year])
    return raised
