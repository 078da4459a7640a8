"""Find the plans that matter: solve the relaxation over some, price all, take in what is better, and again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt_models._parts.accounts import Accounts, account_parameters, accounts, market_parameters
from etsopt_models._parts.plans import Plans
from etsopt_models._parts.portfolio import Portfolio

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._parts.prospects import Prospects

ROUNDS_MOST = 300
ENOUGH = 1e-10
"""A total that all plans together could win, against the cost, which is none."""

MISSING_T = 2e-2
"""What is missing by rounding alone is nothing: what a total may miss."""

NUDGE = 1e-7
"""Demand by which the interval of a price is felt out, against emissions."""


@dataclass(frozen=True)
class Found:
    """What was prepared before the program of a market was solved.

    Parameters
    ----------
    portfolio, accounts
        Plans among which the program chooses; accounts that deal.
    price_lower, price_upper
        Interval of the price, in CNY of each year, shape ``(years,)`` [CNY/t]; None where there is no market.
    missing
        Allowances that are missing in each year where the market cannot clear, shape ``(years,)`` [t]; else None.
    """

    portfolio: Portfolio
    accounts: Accounts
    price_lower: NDArray[np.float64] | None = None
    price_upper: NDArray[np.float64] | None = None
    missing: NDArray[np.float64] | None = None

    @property
    def prospects(self) -> Prospects:
        """What lies before every unit."""
        return self.portfolio.plans.prospects


def search(  # long because the order of what is asked of the relaxation is told in one place
    instance: Instance,
    found: Prospects,
    relax: Callable[..., Any],
    more: Mapping[str, Any] | None = None,
    *,
    market: bool,
) -> tuple[dict[str, Any], Found]:
    """Parameters over a portfolio that holds a best plan of every unit at the prices of the relaxation.

    Parameters
    ----------
    relax
        Solves the linear relaxation of the program with some parameters; its levels hold the multipliers.
    more
        Parameters of the model's own.
    market
        Whether the market's rows are part of the program.
    """
    pooled = instance.policy.market.transaction_cost_cny_per_t == 0
    portfolio = Portfolio.start(Plans(instance, found))
    own = accounts(instance, found, portfolio, pooled)
    fixed = {**(market_parameters(instance, found) if market else {}), **(more or {})}

    def parameters(portfolio: Portfolio, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return {**account_parameters(instance, found, portfolio, own), **fixed, **(changes or {})}

    def settle(
        portfolio: Portfolio, changes: Mapping[str, Any] | None = None, objective: str = "cost"
    ) -> tuple[Portfolio, Any]:
        """Take in plans until no other would lower the objective."""
        for _ in range(ROUNDS_MOST):
            solution = relax(parameters(portfolio, changes), objective)
            if not solution.levels:
                break
            prices = unit_prices(instance, own, solution)
            better, gain = portfolio.improved(*prices, cost_weight=float(objective == "cost"))
            if better is portfolio or gain <= ENOUGH * (1 + abs(solution.levels[0].value)):
                break
            portfolio = better
        return portfolio, solution

    if not market:
        portfolio, _ = settle(portfolio)
        return parameters(portfolio), Found(portfolio, own)
    # At first nothing says that the plans at hand suffice: find those with which least is missing.
    anything = {"missing_most": np.full(len(found.years), float(found.emissions.sum() + np.abs(fixed["supply"]).sum()))}
    portfolio, solution = settle(portfolio, anything, "missing_allowances")
    missing = solution.values.get("missing", np.zeros(len(found.years)))
    if missing.sum() > MISSING_T:
        return parameters(portfolio), Found(portfolio, own, missing=missing)
    portfolio, solution = settle(portfolio)
    if not solution.levels:
        return parameters(portfolio), Found(portfolio, own)
    prices = [market_prices(found, solution)]
    nudge = NUDGE * float(found.emissions.mean(axis=1).sum())
    for change in (-nudge, nudge):
        _, nudged = settle(portfolio, {"supply": fixed["supply"] - change})
        prices += [market_prices(found, nudged)] if nudged.levels else []
    return parameters(portfolio), Found(portfolio, own, np.min(prices, axis=0), np.max(prices, axis=0))


def unit_prices(instance: Instance, own: Accounts, solution: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What a tonne that is lacking, and a tonne that is emitted, costs each unit, shapes ``(units, years)`` [CNY/t]."""
    multipliers = solution.levels[0].multipliers
    shape = own.emissions.shape
    need = multipliers["account_balance"].reshape(shape)
    emitted = instance.policy.market.ccer_share * multipliers["offset_limit"].reshape(shape)
    return need[own.of_unit], emitted[own.of_unit]


def market_prices(found: Prospects, solution: Any) -> NDArray[np.float64]:
    """Price of an allowance in CNY of each year: what one tonne less on offer adds to the cost [CNY/t]."""
    prices: NDArray[np.float64] = -solution.levels[0].multipliers["market_balance"] / found.discount
    return prices
