"""Accounts of enterprises in every scenario: limits of holdings, and the gain from holding allowances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from etsopt_models._market.accounts import accounts_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._investment.scenarios import Scenarios
    from etsopt_models._market.baseline import Baseline


@dataclass(frozen=True)
class ScenarioAccounts:
    """Accounts of the enterprises in every scenario.

    Parameters
    ----------
    traded_most
        Most that is bought, and most that is sold, in a year, shape ``(enterprises, scenarios, years)`` [t].
    banked_least, banked_most
        Limits of the balance at each point in time, shape ``(enterprises, scenarios, times)`` [t].
    price
        Discounted allowance price, shape ``(scenarios, years)`` [CNY/t].
    terminal
        Discounted worth of an allowance that is left after the last year [CNY/t].
    """

    traded_most: NDArray[np.float64]
    banked_least: NDArray[np.float64]
    banked_most: NDArray[np.float64]
    price: NDArray[np.float64]
    terminal: float

    @property
    def banked(self) -> NDArray[np.float64]:
        """Balance at each point in time that costs least, whatever is emitted: the price alone decides [t].

        The least one where nothing depends on it.
        """
        worth = np.column_stack([self.price[:, 1:], np.full(len(self.price), self.terminal)])
        gains = np.column_stack([np.zeros(len(self.price)), worth - self.price]) > 0
        return np.where(gains, self.banked_most, self.banked_least)

    @property
    def holding_cost(self) -> NDArray[np.float64]:
        """Discounted cost of these balances, shape ``(enterprises, scenarios)`` [CNY]; negative is a gain."""
        banked = self.banked
        bought = (self.price * np.diff(banked, axis=2)).sum(axis=2)
        cost: NDArray[np.float64] = bought - self.terminal * banked[:, :, -1]
        return cost


def accounts_in(instance: Instance, baseline: Baseline, scenarios: Scenarios) -> ScenarioAccounts:
    """Return the accounts of all enterprises in every scenario.

    An account keeps at most what it holds at the start and the surpluses of its years before abatement. It neither
    borrows nor buys to hold: that would be a bet on the path of a scenario, which nobody knows.
    """
    sector, traded, limits = instance.labels("sector").code, [], []
    for number in range(len(scenarios)):
        there = scenarios.applied(baseline, sector, number)
        accounts = accounts_of(instance, there, pooled=False, market=False)
        surplus = np.maximum(accounts.allowance - accounts.emissions, 0.0)
        most = np.column_stack([accounts.opening, accounts.opening[:, None] + np.cumsum(surplus, axis=1)])
        limits.append(most)
        traded.append(accounts.emissions + accounts.allowance_most + most[:, :-1] + most[:, 1:])
    most = np.stack(limits, axis=1)
    least = most.copy()
    least[:, :, 1:] = 0.0
    terminal = baseline.discount[-1] * instance.policy.market.terminal_price_cny_per_t
    return ScenarioAccounts(np.stack(traded, axis=1), least, most, baseline.discount * scenarios.price, float(terminal))
