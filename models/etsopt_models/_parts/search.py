"""Find the plans that matter: solve the relaxation over some, price all, take in what is better, and again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.progress import checkpoint
from etsopt_models._parts.accounts import (
    Accounts,
    account_parameters,
    accounts,
    market_parameters,
    offsets_on_offer,
)
from etsopt_models._parts.plans import Plans
from etsopt_models._parts.portfolio import Portfolio

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._parts.portfolio import Menu
    from etsopt_models._parts.prospects import Prospects

ROUNDS_MOST = 300
ENOUGH = 1e-10
"""A total that all plans together could win, against the cost, which is none."""

MISSING_T = 2e-2
"""What is missing by rounding alone is nothing: what a total may miss."""

NUDGE = 1e-7
"""Demand by which the interval of a price is felt out, against emissions."""

CHOSEN = 1e-9
"""Share of a plan that is chosen; less is rounding."""


@dataclass(frozen=True)
class Found:
    """What was prepared before the program of a market was solved.

    Parameters
    ----------
    portfolio, accounts
        Plans among which the program chooses; accounts that deal.
    ends
        Solutions of the relaxation with a little more and a little less demand, where their prices are others: they span
        the interval of the price.
    shortage
        Solution of the relaxation over all plans in which least is missing, where the market cannot clear; else None.
    everyone
        Plan of every unit, chosen beforehand for all but those of the portfolio; None where the portfolio is of all.
    core
        Units of the portfolio among all, shape ``(units of the portfolio,)``.
    widened
        A function that makes of a solution of the core one of all accounts; None where the program has all of them.
    proof
        Solution of the relaxation whose multipliers bound the cost; None where it is that of the program itself.
    gave_way
        Why prices did not suffice, so that the program is that of all units, as a clause; empty where they did.
    """

    portfolio: Portfolio
    accounts: Accounts
    ends: tuple[Any, ...] = ()
    shortage: Any = None
    everyone: Portfolio | None = None
    core: NDArray[np.int64] | None = None
    widened: Any = None
    proof: Any = None
    gave_way: str = ""

    @property
    def prospects(self) -> Prospects:
        """What lies before every unit."""
        return (self.everyone or self.portfolio).plans.prospects

    def taken(self, choice: NDArray[np.float64]) -> tuple[Portfolio, NDArray[np.float64]]:
        """The plans that are chosen, and the share of each, which add up to one at every unit.

        Parameters
        ----------
        choice
            Of each plan of the program, rounding included.
        """
        kept = np.where(choice > CHOSEN, choice, 0.0)[: len(self.portfolio.unit)]
        kept = np.where(np.abs(kept - np.round(kept)) < CHOSEN, np.round(kept), kept)
        chosen = self.portfolio.kept(kept > 0)
        share = kept[kept > 0]
        share /= np.add.reduceat(share, chosen.first)[chosen.unit]
        if self.everyone is None or self.core is None:
            return chosen, share
        others = np.ones(len(self.everyone.unit), dtype=bool)
        others[self.core] = False
        rest = self.everyone.kept(others)
        unit = np.concatenate([rest.unit, self.core[chosen.unit]])
        order = np.argsort(unit, kind="stable")
        quantities = rest.quantities.beside(chosen.quantities).kept(order)
        both = Portfolio(rest.plans, unit[order], np.concatenate([rest.sets, chosen.sets])[order], quantities)
        return both, np.concatenate([np.ones(len(rest.unit)), share])[order]


@dataclass(frozen=True)
class Market:
    """The program of a market over some plans, and its relaxation over all plans of some units.

    Parameters
    ----------
    found, own
        What lies before all units; accounts, with that of each unit of the menus.
    relax
        Solves the linear relaxation of the program with some parameters; its levels hold the multipliers.
    more
        Parameters beside those of plans and accounts.
    rest
        What those come to together who have chosen already, on one account.
    """

    instance: Instance
    found: Prospects
    own: Accounts
    relax: Callable[..., Any]
    more: Mapping[str, Any]
    rest: Menu | None = None

    @property
    def lacking(self) -> NDArray[np.float64]:
        """What accounts lack before those abate who are still to choose, shape ``(accounts, years)`` [t]."""
        lacking = self.own.emissions - self.own.allowance
        return lacking if self.rest is None else lacking - self.rest.relief

    def parameters(self, portfolio: Portfolio, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Arrays of the program in which units choose among some plans."""
        own: dict[str, Any] = account_parameters(self.instance, self.found, portfolio.menu, self.own)
        if self.rest is not None:
            own["lacking"], own["emissions"] = self.lacking, self.own.emissions - self.rest.abated
            own["chosen_cost"] = float(self.rest.cost[0])
        return {**own, **self.more, **(changes or {})}

    def settle(
        self, portfolio: Portfolio, changes: Mapping[str, Any] | None = None, objective: str = "cost"
    ) -> tuple[Portfolio, Any]:
        """Take in plans until no other would lower the objective."""
        for number in range(ROUNDS_MOST):
            checkpoint(f"relaxation over {len(portfolio.unit):,} plans, round", number + 1)
            solution = self.relax(self.parameters(portfolio, changes), objective)
            if not solution.levels:
                break
            prices = unit_prices(self.instance, self.own, solution)
            better, gain = portfolio.improved(*prices, cost_weight=float(objective == "cost"))
            if better is portfolio or gain <= ENOUGH * (1 + abs(solution.levels[0].value)):
                break
            portfolio = better
        return portfolio, solution

    def least_missing(self, portfolio: Portfolio) -> tuple[Portfolio, Any]:
        """Plans with which least is missing, and the solution in which it is; None where nothing is."""
        if "supply" not in self.more:
            return portfolio, None
        anything = np.full(len(self.found.years), self.found.emissions.sum() + np.abs(self.more["supply"]).sum())
        portfolio, solution = self.settle(portfolio, {"missing_most": anything}, "missing_allowances")
        lacks = bool(solution.levels) and solution.values["missing"].sum() > MISSING_T
        return portfolio, solution if lacks else None

    def ends(self, portfolio: Portfolio, solution: Any) -> tuple[Any, ...]:
        """Solutions with a little more and a little less demand, where these have other prices."""
        if "supply" not in self.more:
            return ()
        price, found = market_prices(self.found, solution), []
        nudge = NUDGE * float(self.found.emissions.mean(axis=1).sum())
        for change in (-nudge, nudge):
            _, nudged = self.settle(portfolio, {"supply": self.more["supply"] - change})
            if nudged.levels and not np.allclose(market_prices(self.found, nudged), price, rtol=1e-9, atol=1e-9):
                found.append(nudged)
        return tuple(found)


def market_of(
    instance: Instance,
    found: Prospects,
    relax: Callable[..., Any],
    more: Mapping[str, Any] | None = None,
    *,
    market: bool,
) -> Market:
    """A market of all units.

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
    fixed = {**(market_parameters(instance, found) if market else {}), **(more or {})}
    fixed["offset_supply"] = offsets_on_offer(instance, found)
    return Market(instance, found, accounts(instance, found, pooled=pooled, market=market), relax, fixed)


def search(market: Market, gave_way: str = "") -> tuple[dict[str, Any], Found]:
    """Parameters over a portfolio that holds a best plan of every unit at the prices of the relaxation."""
    # At first nothing says that the plans at hand suffice: find those with which least is missing.
    portfolio, shortage = market.least_missing(Portfolio.start(Plans.of(market.instance, market.found)))
    if shortage is not None:
        return market.parameters(portfolio), Found(portfolio, market.own, shortage=shortage, gave_way=gave_way)
    portfolio, solution = market.settle(portfolio)
    if not solution.levels:
        return market.parameters(portfolio), Found(portfolio, market.own, gave_way=gave_way)
    ends = market.ends(portfolio, solution)
    return market.parameters(portfolio), Found(portfolio, market.own, ends, gave_way=gave_way)


def unit_prices(instance: Instance, own: Accounts, solution: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What a tonne that is lacking, and a tonne that is emitted, costs each unit, shapes ``(units, years)`` [CNY/t]."""
    multipliers = solution.levels[0].multipliers
    shape = own.emissions.shape
    need = multipliers["account_balance"].reshape(shape)
    emitted = instance.policy.market.ccer_share * multipliers["offset_limit"].reshape(shape)
    if len(multipliers["newly_owed"]):
        emitted = emitted + multipliers["newly_owed"].reshape(shape)
    return need[own.of_unit], emitted[own.of_unit]


def market_prices(found: Prospects, solution: Any) -> NDArray[np.float64]:
    """Price of an allowance in CNY of each year: what one tonne less on offer adds to the cost [CNY/t]."""
    prices: NDArray[np.float64] = -solution.levels[0].multipliers["market_balance"] / found.discount
    return prices
