r"""Variables of a market that lead from one multiplier to another, and what each comes to at least.

Each of them but offsets has the reduced cost $r_v = x_i - x_j - c_v$, where the $x$ are $\mu$, $-y$, $-z$ and a ground
of zero. So where rounding alone separates $r_v$ from zero it can be made to vanish, by raising multipliers until none
of these differences is short: a noise of 1e-12 CNY is not paid for 1e9 t. It converges where the differences agree with
each other; where they do not it ends after some rounds. Any multipliers bound the cost, so nothing rests on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.checking.arithmetic import gamma

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.checking.market.accounts import Accounts, Terms
    from etsopt.checking.market.baseline import Baseline
    from etsopt.checking.market.leeway import Leeway

NOISE = 1e-9
"""A reduced cost that is rounding, against the largest multiplier."""

SWEEPS = 200


@dataclass(frozen=True)
class Multipliers:
    """Multipliers of the rows in terms of the first year [CNY/t], shapes ``(accounts, years)`` and ``(years,)``."""

    account_balance: NDArray[np.float64]
    offset_limit: NDArray[np.float64]
    newly_owed: NDArray[np.float64]
    market_balance: NDArray[np.float64]
    reserve_stock: NDArray[np.float64]
    offsets_on_offer: NDArray[np.float64]


@dataclass(frozen=True)
class Arcs:
    """Variables with reduced costs ``x[head] - x[tail] - constant``, between their bounds [t]."""

    head: NDArray[np.int64]
    tail: NDArray[np.int64]
    constant: NDArray[np.float64]
    least: NDArray[np.float64]
    most: NDArray[np.float64]

    def reduced(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Reduced cost of each variable."""
        reduced: NDArray[np.float64] = x[self.head] - x[self.tail] - self.constant
        return reduced

    def repaired(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Multipliers at which reduced costs that are rounding vanish, as far as they can together."""
        scale = float(np.max(np.abs(x), initial=0.0))
        near = (np.abs(self.reduced(x)) <= NOISE * scale) & (self.least < self.most)
        # Raised from both sides, a difference ends at zero; the ground moves with the rest and is brought back.
        upper = np.concatenate([self.head[near], self.tail[near]])
        lower = np.concatenate([self.tail[near], self.head[near]])
        constant = np.concatenate([self.constant[near], -self.constant[near]])
        raised = x.copy()
        for _ in range(SWEEPS):
            before = raised.copy()
            np.maximum.at(raised, upper, before[lower] + constant)
            if np.all(raised - before <= 1e-16 * scale):
                break
        return raised - raised[0]

    def least_total(self, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The least that each variable comes to between its bounds, and a bound of its rounding [CNY]."""
        reduced = self.reduced(x)
        size = np.abs(x[self.head]) + np.abs(x[self.tail]) + np.abs(self.constant)
        error = gamma(10) * size * np.maximum(np.abs(self.least), np.abs(self.most))
        return np.where(reduced > 0, reduced * self.least, reduced * self.most), error


class Nodes:
    """Positions of the multipliers in one array: the ground, prices, reserve, accounts."""

    def __init__(self, count: int, years: int, stated: bool) -> None:
        steps = np.arange(years)
        # A price that is stated is no multiplier but a number above the ground.
        self.price = 0 * steps if stated else 1 + steps
        self.reserve = 1 + years + steps
        self.account = 1 + 2 * years + np.arange(count * years).reshape(count, years)
        self.size = 1 + 2 * years + count * years

    def filled(self, given: Multipliers) -> NDArray[np.float64]:
        """Multipliers at their positions."""
        x = np.zeros(self.size)
        if self.price[-1]:
            x[self.price] = -given.market_balance
        x[self.reserve], x[self.account] = -given.reserve_stock, given.account_balance
        return x


def joined(parts: list[tuple[Any, ...]]) -> Arcs:
    """Variables of several kinds in one array, from head, tail, constant, least and most of each kind."""
    columns = [[values.ravel() for values in np.broadcast_arrays(*part)] for part in parts]
    head, tail, *rest = (np.concatenate(column) for column in zip(*columns, strict=True))
    return Arcs(head.astype(np.int64), tail.astype(np.int64), *(values.astype(float) for values in rest))


def of_accounts(
    found: Baseline, own: Accounts, deal: Terms, nodes: Nodes, due: NDArray[np.float64], leeway: Leeway
) -> list[tuple[Any, ...]]:
    """Bought, sold, banked and owed: head, tail, constant, least and most."""
    account, price = nodes.account, nodes.price
    friction = found.discount * deal.friction
    above = found.discount * np.nan_to_num(deal.expected)
    owing = found.discount * np.where(np.isfinite(deal.owing), deal.owing, 0.0)
    owed_most = np.where(np.isfinite(deal.owing), own.so_far, 0.0)
    ends, between = account[:, -1], slice(0, -1)
    dealt, banked, owed = leeway.dealt, leeway.banked, leeway.owed
    return [
        (price, account, -friction - above, -dealt, own.dealt + dealt),
        (account, price, above - friction, -dealt, own.dealt + dealt),
        (0, account[:, 0], 0.0, own.opening, own.opening),
        (
            account[:, between],
            account[:, 1:],
            0.0,
            -own.borrowed_most[:, between] - banked[:, between],
            own.held_most[:, between] + banked[:, between],
        ),
        (ends, 0, found.discount[-1] * deal.worth, -banked[:, -1], own.held_most[:, -1] + banked[:, -1]),
        (
            account[:, 1:],
            account[:, between],
            due[:, between] - due[:, 1:] - owing[between],
            -owed[:, between],
            owed_most[:, between] + owed[:, between],
        ),
        (0, ends, due[:, -1] - owing[-1], -owed[:, -1], owed_most[:, -1] + owed[:, -1]),
    ]


def of_market(found: Baseline, deal: Terms, nodes: Nodes, leeway: Leeway, missing_most: float) -> list[tuple[Any, ...]]:
    """Left over in auctions, missing, sold, bought and held by the reserve, and what stands right in the market."""
    price, reserve, supply = nodes.price, nodes.reserve, deal.auctioned - deal.demand
    sells = np.isfinite(deal.ceiling)
    ceiling = np.where(sells, deal.ceiling, 0.0)
    unsold, flow, stock = leeway.unsold, leeway.flow, leeway.reserve
    return [
        (0, price, 0.0, supply, supply),
        (price, 0, 0.0, -unsold, deal.auctioned + unsold),
        (0, price, -1.0, 0.0, missing_most),
        (reserve, price, -found.discount * ceiling, -flow, deal.capacity * sells + flow),
        (price, reserve, found.discount * deal.floor, -flow, deal.capacity * (deal.floor > 0) + flow),
        (0, reserve[0], 0.0, deal.reserve, deal.reserve),
        (reserve[:-1], reserve[1:], 0.0, -stock[:-1], deal.capacity + stock[:-1]),
        (reserve[-1], 0, 0.0, -stock[-1], deal.capacity + stock[-1]),
    ]
