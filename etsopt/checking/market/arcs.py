r"""Represent variables of a market as arcs between multipliers, and bound the least cost of each.

Every variable but offsets has the reduced cost $r_v = x_i - x_j - c_v$, where the $x$ are $\mu$, $-y$, $-z$ and a
ground of zero. If only rounding separates $r_v$ from zero, it is removed by raising multipliers until none of these
differences is short, so that a noise of 1e-12 CNY/t is not paid for 1e9 t. This converges if the differences
are consistent and otherwise ends after some rounds. Any multipliers bound the cost, so the proof does not depend on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.checking.arithmetic import gamma
from etsopt.checking.effort import REPAIR_SWEEPS_MAX
from etsopt.checking.tolerances import REDUCED_COST_ROUNDING_RELATIVE

if TYPE_CHECKING:
    from etsopt.checking.arrays import Floats, Ints
    from etsopt.checking.market.derived import Market
    from etsopt.checking.market.leeway import Leeway


@dataclass(frozen=True)
class Multipliers:
    """Multipliers of the rows in CNY of the first year [CNY/t], shapes ``(accounts, years)`` and ``(years,)``."""

    account_balance: Floats
    offset_limit: Floats
    newly_owed: Floats
    market_balance: Floats
    reserve_stock: Floats
    offsets_on_offer: Floats


@dataclass(frozen=True)
class Arcs:
    """Variables with reduced costs ``x[head] - x[tail] - constant``, between their bounds [t]."""

    head: Ints
    tail: Ints
    constant: Floats
    least: Floats
    most: Floats

    def reduced(self, x: Floats) -> Floats:
        """Return the reduced cost of each variable."""
        return np.asarray(x[self.head] - x[self.tail] - self.constant)

    def repaired(self, x: Floats) -> Floats:
        """Return multipliers at which reduced costs due to rounding vanish, as far as they can together."""
        scale = float(np.max(np.abs(x), initial=0.0))
        near = (np.abs(self.reduced(x)) <= REDUCED_COST_ROUNDING_RELATIVE * scale) & (self.least < self.most)
        # Raised from both sides, a difference ends at zero; the ground moves with the rest and is moved back.
        upper = np.concatenate([self.head[near], self.tail[near]])
        lower = np.concatenate([self.tail[near], self.head[near]])
        constant = np.concatenate([self.constant[near], -self.constant[near]])
        raised = x.copy()
        for _ in range(REPAIR_SWEEPS_MAX):
            before = raised.copy()
            np.maximum.at(raised, upper, before[lower] + constant)
            if np.all(raised - before <= 1e-16 * scale):
                break
        return raised - raised[0]

    def least_total(self, x: Floats) -> tuple[Floats, Floats]:
        """Return the least cost of each variable between its bounds, and a bound of its rounding [CNY]."""
        reduced = self.reduced(x)
        size = np.abs(x[self.head]) + np.abs(x[self.tail]) + np.abs(self.constant)
        error = gamma(10) * size * np.maximum(np.abs(self.least), np.abs(self.most))
        return np.minimum(reduced * self.least, reduced * self.most), error


class Nodes:
    """Positions of the multipliers in one array: the ground, prices, reserve, accounts."""

    def __init__(self, count: int, years: int, stated: bool) -> None:
        steps = np.arange(years)
        # A stated price is no multiplier but a constant above the ground.
        self.price = 0 * steps if stated else 1 + steps
        self.reserve = 1 + years + steps
        self.account = 1 + 2 * years + np.arange(count * years).reshape(count, years)
        self.size = 1 + 2 * years + count * years

    def filled(self, given: Multipliers) -> Floats:
        """Return the multipliers at their positions."""
        x = np.zeros(self.size)
        if self.price[0]:
            x[self.price] = -given.market_balance
        x[self.reserve], x[self.account] = -given.reserve_stock, given.account_balance
        return x


def joined(parts: list[tuple[Any, ...]]) -> Arcs:
    """Return variables of several kinds in one array, from head, tail, constant, least and most of each kind."""
    columns = [[values.ravel() for values in np.broadcast_arrays(*part)] for part in parts]
    head, tail, *rest = (np.concatenate(column) for column in zip(*columns, strict=True))
    return Arcs(head.astype(np.int64), tail.astype(np.int64), *(values.astype(float) for values in rest))


def of_accounts(market: Market, nodes: Nodes, due: Floats, leeway: Leeway) -> list[tuple[Any, ...]]:
    """Return head, tail, constant, least and most of purchases, sales, banking and outstanding obligations."""
    baseline, accounts, terms = market.baseline, market.accounts, market.terms
    account, price = nodes.account, nodes.price
    transaction_cost = baseline.discount * terms.transaction_cost
    above = baseline.discount * np.nan_to_num(terms.expected_price)
    outstanding_cost = baseline.discount * np.where(np.isfinite(terms.outstanding_cost), terms.outstanding_cost, 0.0)
    outstanding_most = np.where(np.isfinite(terms.outstanding_cost), accounts.so_far, 0.0)
    ends, between = account[:, -1], slice(0, -1)
    traded, banked, outstanding = leeway.traded, leeway.banked, leeway.outstanding
    return [
        (price, account, -transaction_cost - above, -traded, accounts.traded_most + traded),
        (account, price, above - transaction_cost, -traded, accounts.traded_most + traded),
        (0, account[:, 0], 0.0, accounts.opening, accounts.opening),
        (
            account[:, between],
            # What lapses goes to the ground, and not to the next year.
            np.where(terms.banks[between], account[:, 1:], 0),
            0.0,
            -accounts.borrowed_most[:, between] - banked[:, between],
            accounts.held_most[:, between] + banked[:, between],
        ),
        (
            ends,
            0,
            baseline.discount[-1] * terms.terminal_price,
            -banked[:, -1],
            accounts.held_most[:, -1] + banked[:, -1],
        ),
        (
            account[:, 1:],
            account[:, between],
            due[:, between] - due[:, 1:] - outstanding_cost[between],
            -outstanding[:, between],
            outstanding_most[:, between] + outstanding[:, between],
        ),
        (0, ends, due[:, -1] - outstanding_cost[-1], -outstanding[:, -1], outstanding_most[:, -1] + outstanding[:, -1]),
    ]


def of_market(market: Market, nodes: Nodes, leeway: Leeway, unmet_most: float) -> list[tuple[Any, ...]]:
    """Return head, tail, constant, least and most of supply, unsold and unmet tonnes, and the reserve."""
    baseline, terms = market.baseline, market.terms
    price, reserve, supply = nodes.price, nodes.reserve, terms.auctioned - terms.demand
    sells = np.isfinite(terms.ceiling)
    ceiling = np.where(sells, terms.ceiling, 0.0)
    unsold, flow, stock = leeway.unsold, leeway.flow, leeway.reserve
    return [
        (0, price, 0.0, supply, supply),
        (price, 0, 0.0, -unsold, terms.auctioned + unsold),
        (0, price, -1.0, 0.0, unmet_most),
        (reserve, price, -baseline.discount * ceiling, -flow, terms.capacity * sells + flow),
        (price, reserve, baseline.discount * terms.floor, -flow, terms.capacity * (terms.floor > 0) + flow),
        (0, reserve[0], 0.0, terms.reserve, terms.reserve),
        (reserve[:-1], reserve[1:], 0.0, -stock[:-1], terms.capacity + stock[:-1]),
        (reserve[-1], 0, 0.0, -stock[-1], terms.capacity + stock[-1]),
    ]
