"""Trades of accounts at multipliers, the least that they come to, and what the rounding of plans is measured by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.checking.arithmetic import gamma
from etsopt.checking.market.arcs import Nodes, joined, of_accounts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.checking.market.accounts import Accounts, Terms
    from etsopt.checking.market.baseline import Baseline
    from etsopt.checking.market.choices import Choices
    from etsopt.checking.market.leeway import Leeway


@dataclass(frozen=True)
class PlanSizes:
    """What the rounding of plans is measured by, in sums over the units of each account, shape ``(accounts, years)``.

    Parameters
    ----------
    cost
        Of all measures, discounted, in absolute terms [CNY].
    emissions, steep, given
        Emissions; with allowances that follow them; allowances that do not [t].
    roundings, units
        That a plan of a unit passes through at most, and units of an account at most.
    """

    cost: NDArray[np.float64]
    emissions: NDArray[np.float64]
    steep: NDArray[np.float64]
    given: NDArray[np.float64]
    roundings: int
    units: int

    @classmethod
    def of(cls, found: Baseline, offered: Choices, own: Accounts) -> PlanSizes:
        """Of every account."""
        fixed, variable = (np.abs(part).sum(axis=1)[:, None] for part in (offered.fixed, offered.variable))
        relative = np.nan_to_num(np.abs(found.intensity / found.balance_value), nan=0.0, posinf=0.0, neginf=0.0)
        steep = found.emissions * (2 + np.where(found.follows, found.slope, 0.0) * (1 + relative))
        units = int(np.bincount(own.of_unit).max(initial=0))
        parts = (found.discount * (fixed + variable * found.output), found.emissions, steep, np.abs(found.given))
        roundings = 3 * int(offered.count.max(initial=0)) + 3 * len(found.years) + 60
        cost, emissions, steeply, given = (own.total(part) for part in parts)
        return cls(cost, emissions, steeply, given, roundings, units)

    def error(
        self, need: NDArray[np.float64], emitted: NDArray[np.float64], account: Any = slice(None)
    ) -> NDArray[np.float64]:
        """A bound of the rounding of plans at multipliers, of some accounts [CNY]."""
        size = self.cost[account] + np.abs(need) * (self.steep[account] + self.given[account])
        total_size = (size + emitted * self.emissions[account]).sum(axis=1)
        # The sums of sizes are rounded themselves, by far less than one part in a thousand.
        error: NDArray[np.float64] = 1.001 * gamma(self.roundings) * total_size
        return error


@dataclass(frozen=True)
class Trade:
    """Prices at which accounts deal, in terms of the first year, shape ``(years,)`` [CNY/t]."""

    found: Baseline
    deal: Terms
    price: NDArray[np.float64]
    offset_price: NDArray[np.float64]
    leeway: Leeway

    def least(
        self,
        own: Accounts,
        need: NDArray[np.float64],
        limit: NDArray[np.float64],
        due: NDArray[np.float64],
        which: Any = slice(None),
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The least that dealings of accounts come to at multipliers of their rows, and a bound of its rounding.

        Parameters
        ----------
        need, limit, due
            Multipliers of `account_balance` and, none above zero, of `offset_limit` and `newly_owed`, shape
            ``(accounts, years)``.
        which
            Positions of the accounts among those that the leeway is of.

        Returns
        -------
        values, errors
            Shape ``(accounts,)`` [CNY].
        """
        nodes = Nodes(len(need), len(self.price), stated=False)
        x = np.zeros(nodes.size)
        x[nodes.price], x[nodes.account] = self.price, need
        leeway = self.leeway.of_accounts(which)
        most = np.minimum(self.deal.offset_share * own.emissions, self.deal.offset_supply)
        reduced = self.offset_price - need - limit - due
        size = np.abs(self.offset_price) + np.abs(need) + np.abs(limit) + np.abs(due)
        # What rows are missed by is paid at their multipliers.
        missed = limit * leeway.share + due * leeway.newly
        offsets = np.where(reduced > 0, -reduced * leeway.offset, reduced * (most + leeway.offset)) + missed
        values = offsets.sum(axis=1)
        errors = gamma(12) * (size * (most + leeway.offset) + np.abs(missed)).sum(axis=1)
        # A stated price counts as the price of the market here.
        deal = replace(self.deal, expected=np.zeros(1))
        for part in of_accounts(self.found, own, deal, nodes, due, leeway):
            terms, rounding = (each.reshape(len(values), -1) for each in joined([part]).least_total(x))
            values += terms.sum(axis=1)
            errors += rounding.sum(axis=1) + gamma(len(self.price) + 24) * np.abs(terms).sum(axis=1)
        return values, errors * (1 + gamma(60 + len(self.price)))
