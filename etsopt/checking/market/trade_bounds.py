"""Bound the cost of the trades of accounts at multipliers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.checking.arithmetic import gamma
from etsopt.checking.market.arcs import Nodes, joined, of_accounts

if TYPE_CHECKING:
    from etsopt.checking.arrays import Floats
    from etsopt.checking.market.accounts import Accounts
    from etsopt.checking.market.derived import Market
    from etsopt.checking.market.leeway import Leeway


@dataclass(frozen=True)
class Trading:
    """Prices at which accounts trade in a market, in CNY of the first year, shape ``(years,)`` [CNY/t]."""

    market: Market
    price: Floats
    offset_price: Floats
    leeway: Leeway

    def least(
        self, accounts: Accounts, demand_dual: Floats, limit: Floats, due: Floats, which: Any = slice(None)
    ) -> tuple[Floats, Floats]:
        """Return the least cost of the trades of accounts at multipliers of their rows, and a bound of its rounding.

        Parameters
        ----------
        demand_dual, limit, due
            Multipliers of `account_balance` and, none above zero, of `offset_limit` and `newly_owed`, shape
            ``(accounts, years)``.
        which
            Positions of the accounts among those of the leeway.

        Returns
        -------
        values, errors
            Shape ``(accounts,)`` [CNY].
        """
        nodes = Nodes(len(demand_dual), len(self.price), stated=False)
        x = np.zeros(nodes.size)
        x[nodes.price], x[nodes.account] = self.price, demand_dual
        leeway, terms = self.leeway.of_accounts(which), self.market.terms
        most = np.minimum(terms.offset_share * accounts.emissions, terms.offset_supply)
        reduced = self.offset_price - demand_dual - limit - due
        size = np.abs(self.offset_price) + np.abs(demand_dual) + np.abs(limit) + np.abs(due)
        # Misses of rows are paid at their multipliers.
        missed = limit * leeway.share + due * leeway.newly
        offsets = np.minimum(-reduced * leeway.offset, reduced * (most + leeway.offset)) + missed
        values = offsets.sum(axis=1)
        errors = gamma(12) * (size * (most + leeway.offset) + np.abs(missed)).sum(axis=1)
        # A stated price counts as the market price here.
        theirs = replace(self.market, accounts=accounts, terms=replace(terms, expected_price=np.zeros_like(self.price)))
        for part in of_accounts(theirs, nodes, due, leeway):
            costs, rounding = (each.reshape(len(values), -1) for each in joined([part]).least_total(x))
            values += costs.sum(axis=1)
            errors += rounding.sum(axis=1) + gamma(len(self.price) + 24) * np.abs(costs).sum(axis=1)
        return values, errors * (1 + gamma(60 + len(self.price)))
