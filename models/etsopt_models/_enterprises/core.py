"""Responses of all enterprises at prices that clear the market, and the core program of those that choose again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt_models._effort import CORE_ENTERPRISES, CORE_NODES_MAX, CORE_TRADERS, RETRADING_ENTERPRISES_MAX
from etsopt_models._enterprises.price_decomposition import cost_of
from etsopt_models._enterprises.whole_accounts import bound_of, multipliers_of
from etsopt_models._market.accounts import account_limits, outstanding_cost
from etsopt_models._market.column_generation import PreparedMarket
from etsopt_models._market.column_pool import ColumnPool, PlanColumns
from etsopt_models._tolerances import (
    CHOSEN_INTEGER_MIN,
    CORE_GAP_SHARE,
    FLOW_REACH_MARGIN_RELATIVE,
    LIMIT_EXCESS_T,
    MIXTURE_SAVINGS_RELATIVE,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt_models._enterprises.subproblem import Enterprises, Response
    from etsopt_models._enterprises.trading import Flows, TradeTerms
    from etsopt_models._market.column_generation import Market

MOST = {"bought": "buying_most", "sold": "selling_most", "offset": "offsets_most"}
"""Parameters that bound flows from above."""


@dataclass(frozen=True)
class MarketAtPrices:
    """The market at some prices, before the core chooses again.

    Parameters
    ----------
    terms, trade
        Terms of trade at price zero, and at the prices.
    scarcity
        Saving per offset added to the offer, shape ``(years,)`` [CNY/t].
    response, flows
        Plans of all enterprises, and trades with them.
    others
        Chains of sets of all units at prices nearby.
    mixture_saving
        Largest saving by mixtures of plans in the core, relative to the total value.
    """

    market: Market
    population: Enterprises
    terms: TradeTerms
    trade: TradeTerms
    scarcity: NDArray[np.float64]
    response: Response
    flows: Flows
    others: list[NDArray[np.int16]]
    mixture_saving: float = MIXTURE_SAVINGS_RELATIVE[0]

    def violation(self) -> str:
        """Return why the flows are no answer even after the core trades again, as a clause; else empty."""
        per_outstanding_t = outstanding_cost(self.market.instance, self.market.baseline)
        if (self.trade.price + self.trade.transaction_cost > per_outstanding_t).any():
            return "an enterprise would prefer an outstanding obligation"
        if self.trade.most.max() - self.trade.least.min() > per_outstanding_t.min():
            return "an enterprise would prefer an outstanding obligation"
        beyond = int(self.beyond_limits.sum())
        if beyond > RETRADING_ENTERPRISES_MAX:
            return f"{beyond:,} enterprises would trade, hold or borrow beyond their limits"
        if self.offsets_short(self._rest).any():
            return "the use of offsets would exceed the offer"
        return ""

    def offsets_short(self, of: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
        """Return True for years in which some accounts, or all, exceed the offsets on offer, shape ``(years,)``."""
        used = (self.flows.offset if of is None else self.flows.offset[of]).sum(axis=0)
        short: NDArray[np.bool_] = used > self.market.extra["offset_supply"] + LIMIT_EXCESS_T
        return short

    @cached_property
    def banked(self) -> NDArray[np.float64]:
        """Balance at the beginning of each year and at the end of the last, shape ``(accounts, years + 1)`` [t]."""
        accounts, flows = self.market.accounts, self.flows
        net_demand = np.cumsum(self.response.joint_plans.weight - flows.net - flows.offset, axis=1)
        # The weight includes the limit of borrowing at the end of a year; the balance is counted from that limit.
        limit = np.column_stack([-accounts.borrowed_most[:, :-1], 0 * accounts.opening])
        return np.column_stack([accounts.opening, limit - net_demand])

    @cached_property
    def beyond_limits(self) -> NDArray[np.bool_]:
        """Accounts beyond a limit of offsets, holdings or borrowing in some year, shape ``(accounts,)``."""
        accounts, flows, most = self.market.accounts, self.flows, account_limits(self.market.accounts)
        offsets = self.terms.offsets_most(self.response.joint_plans.emissions)
        room = LIMIT_EXCESS_T + 1e-9 * accounts.emissions
        beyond: NDArray[np.bool_] = flows.offset > offsets + room
        beyond |= self.banked[:, 1:] < most["banked_least"][:, 1:] - room
        beyond |= self.banked[:, 1:] > most["banked_most"][:, 1:] + room
        return np.any(beyond, axis=1)

    def core(self) -> tuple[Market, NDArray[np.int64], PreparedMarket]:
        """Return the market of near-indifferent enterprises, their accounts, and the market of all."""
        market, accounts, population = self.market, self.market.accounts, self.population
        unit, sets, core_accounts = self._near_ties
        units = np.flatnonzero(np.isin(accounts.of_unit, core_accounts))
        pool = ColumnPool.of(
            population.plans.only(units), np.arange(len(units)), self.response.sets[units]
        ).with_columns(np.searchsorted(units, unit), sets)
        rest = self._rest
        few = accounts.some(core_accounts, units)
        years = len(self.trade.price)
        cost = float(cost_of(self.terms, self.response, self.flows)[rest].sum())
        extra, net, offset = dict(market.extra), self.flows.net[rest].sum(axis=0), self.flows.offset[rest].sum(axis=0)
        extra["offset_supply"] = np.maximum(extra["offset_supply"] - offset, 0.0)
        if "supply" in extra:
            extra["supply"] = extra["supply"] - net
        else:
            cost += float(net @ self.trade.price)
        nothing = np.zeros((1, years))
        others = PlanColumns(np.zeros(1, dtype=np.int64), np.array([cost]), nothing, nothing)
        small = replace(market, accounts=few, extra=extra, rest=others)
        full_pool = ColumnPool.of(population.plans, np.arange(len(accounts.of_unit)), self.response.sets)
        expand = CoreExpansion(self, core_accounts)
        prices = pd.DataFrame({"price": self.trade.price, "scarcity": self.scarcity})
        prepared = PreparedMarket(
            small.parameters(pool), pool, accounts, full_pool=full_pool, core=units, expand=expand, prices=prices
        )
        return small, core_accounts, prepared

    def proven(self, gap: float) -> PreparedMarket | None:
        """Return the core with the plans of its branch and bound; None if these are not proven within a gap."""
        small, core_accounts, prepared = self.core()
        pool, parameters = prepared.pool, self._with_tight_flows(prepared, core_accounts)
        aim = CORE_GAP_SHARE * self.market.relax.options.gap_or_default
        solution = self.market.relax.whole(parameters, "cost", aim, CORE_NODES_MAX)
        if not solution.levels:
            return None
        value = solution.levels[0].value
        if not value - bound_of(self.market, self.trade, self.scarcity, self.response) <= gap * abs(value):
            return None
        chosen = pool.select(solution.values["choice"] > CHOSEN_INTEGER_MIN)
        held = {name: parameters[name] for name in (*MOST.values(), "auctioned") if name in parameters}
        return replace(prepared, parameters=small.parameters(chosen) | held, pool=chosen)

    def _little_saved_by_mixing(self, accounts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return those of some accounts that save little by a mixture of plans.

        The others would leave branch and bound a gap that prices have closed already.
        """
        response = self.response
        bound = self.population.only(accounts)[0].at(self.trade, response.bound_path[accounts]).bound
        most = self.mixture_saving * float(np.abs(response.value).sum()) / (2 * CORE_ENTERPRISES + CORE_TRADERS)
        unmixed: NDArray[np.int64] = accounts[np.abs(response.value[accounts] - bound) <= most]
        return unmixed

    def _with_tight_flows(self, prepared: PreparedMarket, core_accounts: NDArray[np.int64]) -> dict[str, Any]:
        """Return parameters with flows bounded by the reach of the core: a solver's tolerance is a share of the bounds.

        Flows of an account beyond its limits are not bounded.
        """
        parameters: dict[str, Any] = dict(prepared.parameters)
        demand_reduction, first = prepared.pool.columns.demand_reduction, prepared.pool.first
        reach = float(
            (np.maximum.reduceat(demand_reduction, first) - np.minimum.reduceat(demand_reduction, first)).sum()
        )
        reach += FLOW_REACH_MARGIN_RELATIVE * float(self.market.accounts.emissions.sum())
        for flow, most in MOST.items():
            now = getattr(self.flows, flow)[core_accounts]
            now = np.where(self.beyond_limits[core_accounts, None], np.inf, now)
            parameters[most] = np.minimum(parameters[most], now + reach)
        if "auctioned" in parameters:
            unsold = np.maximum(self.market.extra["supply"] - self.flows.net.sum(axis=0), 0.0)
            parameters["auctioned"] = np.minimum(parameters["auctioned"], unsold + reach)
        return parameters

    @cached_property
    def _rest(self) -> NDArray[np.bool_]:
        """Accounts outside the core, shape ``(accounts,)``."""
        rest = np.ones(len(self.market.accounts.labels), dtype=bool)
        rest[self._near_ties[2]] = False
        return rest

    @cached_property
    def _near_ties(self) -> tuple[NDArray[np.int64], NDArray[np.int16], NDArray[np.int64]]:
        """Other plans of units whose enterprises lose least by them: units, sets, and the accounts of the core."""
        accounts, response = self.market.accounts, self.response
        plans: list[tuple[NDArray[np.int64], NDArray[np.int16]]] = []
        loss, moved = np.full(len(accounts.labels), np.inf), np.zeros(len(accounts.labels))
        for sets in self.others:
            differs = np.flatnonzero((sets != response.sets).any(axis=1))
            some, units = self.population.only(np.unique(accounts.of_unit[differs]))
            if not len(units):
                continue
            joint_plans = some.joint_plans(sets[units])
            trading_cost, _ = self.trade.best(joint_plans.weight, joint_plans.emissions)
            core_accounts = np.unique(accounts.of_unit[units])
            loss[core_accounts] = np.minimum(
                loss[core_accounts], joint_plans.cost + trading_cost - response.value[core_accounts]
            )
            much = np.abs(joint_plans.weight - response.joint_plans.weight[core_accounts]).sum(axis=1)
            moved[core_accounts] = np.maximum(moved[core_accounts], much)
            plans.append((units, sets[units]))
        traders = np.argsort(-np.abs(self.flows.net).sum(axis=1), kind="stable")[: 4 * CORE_TRADERS]
        asked = np.flatnonzero(np.isfinite(loss) | np.isin(np.arange(len(loss)), traders))
        unmixed = self._little_saved_by_mixing(asked)
        loss[np.setdiff1d(asked, unmixed)], moved[np.setdiff1d(asked, unmixed)] = np.inf, 0.0
        # Enterprises that move most take up what one of them leaves; those that lose least take up the remainder.
        chosen = np.concatenate([np.argsort(order, kind="stable")[:CORE_ENTERPRISES] for order in (loss, -moved)])
        chosen = chosen[np.isfinite(loss[chosen])]
        beyond = np.flatnonzero(self.beyond_limits)
        core_accounts = np.unique(np.concatenate([chosen, traders[np.isin(traders, unmixed)][:CORE_TRADERS], beyond]))
        plans.append((np.zeros(0, dtype=np.int64), response.sets[:0]))
        unit, sets = (np.concatenate(arrays) for arrays in zip(*plans, strict=True))
        kept = np.isin(accounts.of_unit[unit], core_accounts)
        return unit[kept], sets[kept], core_accounts


@dataclass(frozen=True)
class CoreExpansion:
    """Extension of a solution of the core to all accounts, with the multipliers of the prices."""

    at_prices: MarketAtPrices
    accounts: NDArray[np.int64]

    def __call__(self, solution: Any) -> Any:
        """Return the solution with the values of all accounts."""
        at_prices, accounts = self.at_prices, self.at_prices.market.accounts
        years = len(at_prices.trade.price)
        flows = {"bought": at_prices.flows.bought, "sold": at_prices.flows.sold, "offset": at_prices.flows.offset}
        flows |= {"banked": at_prices.banked, "outstanding": np.zeros((len(accounts.labels), years + 1))}
        values = dict(solution.values)
        for name, whole in flows.items():
            whole = whole.copy()
            whole[self.accounts] = values[name].reshape(len(self.accounts), -1)
            values[name] = whole.ravel()
        multipliers = multipliers_of(at_prices.market, at_prices.trade, at_prices.scarcity, at_prices.response)
        first = replace(solution.levels[0], multipliers=multipliers)
        return replace(solution, values=values, levels=(first, *solution.levels[1:]))
