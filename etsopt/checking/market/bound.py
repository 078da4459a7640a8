r"""A lower bound of the cost from multipliers alone, whatever they are.

With the multipliers $\mu_{at}$ of `account_balance`, $\nu_{at} \le 0$ of `offset_limit`, $\omega_{at} \le 0$ of
`newly_owed`, $y_t$ of `market_balance`, $z_t$ of `reserve_stock` and $w_t \le 0$ of `offsets_on_offer`, no answer costs
less than

$$\sum_i \min_{j} \Bigl[ c_j + \sum_t \mu_{at} (E_{jt} - A_{jt}) + (\kappa \nu_{at} + \omega_{at}) E_{jt} \Bigr]
  + \sum_v \min_{\underline v \le v \le \overline v} r_v v + \sum_t (y_t N_t + w_t K_t)$$

over all plans $j$ of every unit and all other variables $v$ with their reduced costs $r_v$ and the bounds that the page
of `clearing` states. Rows of equality take any multiplier; of the others one of the wrong sign counts as zero.

Each variable but offsets leads from one multiplier to another: $r_v = x_i - x_j - c_v$, where the $x$ are $\mu$, $-y$,
$-z$ and a ground of zero. So where rounding alone separates $r_v$ from zero it can be made to vanish, by raising
multipliers until none of these differences is short: a noise of 1e-12 CNY is not paid for 1e9 t. It converges where the
differences agree with each other; where they do not it ends after some rounds, and the bound holds all the same.

Where every enterprise has an account of its own, its best whole plan may cost more than any mixture of plans that $\mu$
and $\nu$ allow. There the bound of an enterprise is raised to that of its whole plans: `whole_plans`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.checking.market.search import least_of_all_plans
from etsopt.checking.market.whole_plans import raised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.checking.market.accounts import Accounts, Terms
    from etsopt.checking.market.baseline import Baseline
    from etsopt.checking.market.choices import Choices

NOISE = 1e-9
"""A reduced cost that is rounding, against the largest multiplier."""

SWEEPS = 200

REPAIRED = 200_000
"""Up to so many multipliers are repaired together; of more accounts each pays for the rounding of its own tonnes."""


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

    def least_total(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The least that each variable comes to between its bounds [CNY]."""
        reduced = self.reduced(x)
        return np.where(reduced > 0, reduced * self.least, reduced * self.most)


class _Nodes:
    """Positions of the multipliers in one array: the ground, prices, reserve, accounts."""

    def __init__(self, count: int, years: int, stated: bool) -> None:
        steps = np.arange(years)
        # A price that is stated is no multiplier but a number above the ground.
        self.price = 0 * steps if stated else 1 + steps
        self.reserve = 1 + years + steps
        self.account = 1 + 2 * years + np.arange(count * years).reshape(count, years)
        self.size = 1 + 2 * years + count * years

    def filled(self, given: Multipliers) -> NDArray[np.float64]:
        x = np.zeros(self.size)
        if self.price[-1]:
            x[self.price] = -given.market_balance
        x[self.reserve], x[self.account] = -given.reserve_stock, given.account_balance
        return x


def lower_bound(
    found: Baseline,
    offered: Choices,
    own: Accounts,
    deal: Terms,
    given: Multipliers,
    spent: NDArray[np.float64] | None = None,
    missing_most: float = 0.0,
) -> tuple[float, float]:
    """Lower bound of the cost, and the sum of what it adds in absolute terms [CNY].

    Without discount factors nothing costs anything; what is missing then counts alone, and both are tonnes.

    Parameters
    ----------
    own
        Accounts of the program: one for all where trading costs nothing.
    spent
        What each account comes to at the prices of the market with what it does, shape ``(accounts,)`` [CNY]; None
        where plans may be mixed or one account stands for all, so that multipliers alone bound the cost.
    missing_most
        What may be missing in a year, each tonne of it at a cost of one [t].
    """
    stated = bool(np.isfinite(deal.expected).all())
    nodes = _Nodes(len(own.emissions), len(found.years), stated)
    of_market = [] if stated else _of_market(found, deal, nodes, missing_most)
    x = nodes.filled(given)
    limit, due = np.minimum(given.offset_limit, 0.0), np.minimum(given.newly_owed, 0.0)
    if nodes.size <= REPAIRED:
        x = _joined([*_of_accounts(found, own, deal, nodes, due), *of_market]).repaired(x)
    need, emitted = x[nodes.account], deal.offset_share * limit + due
    offers = np.minimum(given.offsets_on_offer, 0.0)
    price = found.discount * deal.expected if stated else x[nodes.price]
    trade = Trade(found, deal, price, found.discount * deal.offset_price - offers)
    plans = least_of_all_plans(found, offered, need[own.of_unit], emitted[own.of_unit])
    values, size = trade.least(own, need, limit, due)
    values += np.bincount(own.of_unit, plans, len(values))
    if spent is not None:
        values = raised(found, offered, own, trade, (need, emitted), values, spent)
    market = _joined(of_market).least_total(x) if of_market else np.zeros(0)
    rest = np.concatenate([market, offers * deal.offset_supply])
    return float(values.sum() + rest.sum()), size + float(np.abs(plans).sum() + np.abs(rest).sum())


@dataclass(frozen=True)
class Trade:
    """Prices at which accounts deal, in terms of the first year, shape ``(years,)`` [CNY/t]."""

    found: Baseline
    deal: Terms
    price: NDArray[np.float64]
    offset_price: NDArray[np.float64]

    def least(
        self, own: Accounts, need: NDArray[np.float64], limit: NDArray[np.float64], due: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], float]:
        """The least that dealings of accounts come to at multipliers of their rows, and its terms in absolute value.

        Parameters
        ----------
        need, limit, due
            Multipliers of `account_balance` and, none above zero, of `offset_limit` and `newly_owed`, shape
            ``(accounts, years)``.

        Returns
        -------
        values, size
            Shape ``(accounts,)``, and a number [CNY].
        """
        nodes = _Nodes(len(need), len(self.price), stated=False)
        x = np.zeros(nodes.size)
        x[nodes.price], x[nodes.account] = self.price, need
        most = np.minimum(self.deal.offset_share * own.emissions, self.deal.offset_supply)
        offsets = np.minimum(self.offset_price - need - limit - due, 0.0) * most
        values, size = offsets.sum(axis=1), float(-offsets.sum())
        # A stated price counts as the price of the market here.
        deal = replace(self.deal, expected=np.zeros(1))
        for head, tail, constant, least, bound in _of_accounts(self.found, own, deal, nodes, due):
            reduced = x[head] - x[tail] - constant
            terms = (np.where(reduced > 0, least, bound) * reduced).reshape(len(values), -1)
            values += terms.sum(axis=1)
            size += float(np.abs(terms).sum())
        return values, size


def _joined(parts: list[tuple[Any, ...]]) -> Arcs:
    columns = [[values.ravel() for values in np.broadcast_arrays(*part)] for part in parts]
    head, tail, *rest = (np.concatenate(column) for column in zip(*columns, strict=True))
    return Arcs(head.astype(np.int64), tail.astype(np.int64), *(values.astype(float) for values in rest))


def _of_accounts(
    found: Baseline, own: Accounts, deal: Terms, nodes: _Nodes, due: NDArray[np.float64]
) -> list[tuple[Any, ...]]:
    """Bought, sold, banked and owed: head, tail, constant, least and most."""
    account, price = nodes.account, nodes.price
    friction = found.discount * deal.friction
    above = found.discount * np.nan_to_num(deal.expected)
    owing = found.discount * np.where(np.isfinite(deal.owing), deal.owing, 0.0)
    owed_most = np.where(np.isfinite(deal.owing), own.so_far, 0.0)
    ends, between = account[:, -1], slice(0, -1)
    return [
        (price, account, -friction - above, 0.0, own.dealt),
        (account, price, above - friction, 0.0, own.dealt),
        (0, account[:, 0], 0.0, own.opening, own.opening),
        (account[:, between], account[:, 1:], 0.0, -own.borrowed_most[:, between], own.held_most[:, between]),
        (ends, 0, found.discount[-1] * deal.worth, 0.0, own.held_most[:, -1]),
        (
            account[:, 1:],
            account[:, between],
            due[:, between] - due[:, 1:] - owing[between],
            0.0,
            owed_most[:, between],
        ),
        (0, ends, due[:, -1] - owing[-1], 0.0, owed_most[:, -1]),
    ]


def _of_market(found: Baseline, deal: Terms, nodes: _Nodes, missing_most: float) -> list[tuple[Any, ...]]:
    """Left over in auctions, missing, sold, bought and held by the reserve, and what stands right in the market."""
    price, reserve, supply = nodes.price, nodes.reserve, deal.auctioned - deal.demand
    sells = np.isfinite(deal.ceiling)
    ceiling = np.where(sells, deal.ceiling, 0.0)
    return [
        (0, price, 0.0, supply, supply),
        (price, 0, 0.0, 0.0, deal.auctioned),
        (0, price, -1.0, 0.0, missing_most),
        (reserve, price, -found.discount * ceiling, 0.0, deal.capacity * sells),
        (price, reserve, found.discount * deal.floor, 0.0, deal.capacity * (deal.floor > 0)),
        (0, reserve[0], 0.0, deal.reserve, deal.reserve),
        (reserve[:-1], reserve[1:], 0.0, 0.0, deal.capacity),
        (reserve[-1], 0, 0.0, 0.0, deal.capacity),
    ]
