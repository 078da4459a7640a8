r"""Responses of all enterprises at prices that clear the market, and the core program of those that choose again.

Price decomposition: the dual of the market's rows alone, with integer plans and trades of each enterprise within.

At prices $P_t$, and scarcity $s_t$ of offsets, every enterprise responds separately, so that

$$D(P, s) = \sum_a v_a(P, s) - \sum_t (P_t N_t - \min(P_t, 0) \, \overline u_t + s_t K_t)$$

bounds the cost from below; $v_a$ is the least cost of an enterprise over integer plans and trades. Every response is a
plane above $D$. Let the measures and transactions of a group $g$ of enterprises cost $c_{gk}$ in response $k$, in which
it buys $n_{gk}$ and surrenders $o_{gk}$ offsets: then $\theta_g \le c_{gk} + n_{gk} P + o_{gk} s$. The next prices
maximise $\sum_g \theta_g - \sum_t (P_t N_t - q_t \overline u_t + s_t K_t)$ with $q_t \le \min(P_t, 0)$ in a box about
the best so far: the boxstep method of Marsten, Hogan and Blankenship (1975). The multipliers of the planes are the
weights with which groups mix responses so that the market clears. It has cleared if no price is bounded by the box. No
price falls below the worth of a tonne that is bought only to be kept to the end.

If prices are stated there is no market: payments for allowances are part of the enterprises' cost, only the scarcity of
the offsets that they share is unknown, and the groups mix their offsets alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.common.errors import SolverError
from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt_models._effort import (
    CONSTANT_PRICE_BISECTIONS,
    CONSTANT_PRICE_MIN_CNY_PER_T,
    CORE_ENTERPRISES,
    CORE_NODES_MAX,
    CORE_TRADERS,
    ENTERPRISE_GROUPS,
    PRICE_BOX_FACTORS,
    PRICE_PASSES_MAX,
    RECENT_RESPONSES_KEPT,
    RETRADING_ENTERPRISES_MAX,
)
from etsopt_models._enterprises.subproblem import Flows, TradeTerms, bound_of, multipliers_of, steady_prices
from etsopt_models._market.accounts import account_limits, outstanding_cost
from etsopt_models._market.column_generation import PreparedMarket
from etsopt_models._market.column_pool import ColumnPool, PlanColumns
from etsopt_models._market.holdings import totals
from etsopt_models._tolerances import (
    CHOSEN_INTEGER_MIN,
    CHOSEN_SHARE_MIN,
    CORE_GAP_SHARE,
    FLOW_REACH_MARGIN_RELATIVE,
    GROUP_VALUE_BOUND_CNY_PER_T,
    IMBALANCE_RELATIVE,
    LIMIT_EXCESS_T,
    MIXTURE_SAVINGS_RELATIVE,
    PRICE_BOUND_CNY_PER_T,
    TYPICAL_PRICE_CNY_PER_T,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt_models._enterprises.subproblem import Enterprises, Response
    from etsopt_models._market.column_generation import Market


@dataclass(frozen=True)
class Pass:
    """A response of all enterprises: terms, and sums by group, shapes ``(groups,)`` and ``(groups, years)``."""

    trade: TradeTerms
    cost: NDArray[np.float64]
    net: NDArray[np.float64]
    offset: NDArray[np.float64]


@dataclass(frozen=True)
class Prices:
    """Result of the price search.

    Parameters
    ----------
    trade
        Terms with the best bound.
    response
        Response of the enterprises to these terms.
    scarcity
        Saving per offset added to the offer, shape ``(years,)`` [CNY/t].
    passes, mixture
        Responses of all enterprises, and their mixture by group.
    """

    trade: TradeTerms
    response: Response
    scarcity: NDArray[np.float64]
    passes: list[Pass]
    mixture: Mixture


@dataclass(frozen=True)
class Mixture:
    """The greatest value in the box [CNY], its prices [CNY/t], and the mixture that clears the market there.

    Parameters
    ----------
    weights
        Weight of each response in each group, shape ``(groups, passes)``.
    cleared
        True if the mixture clears the market within the tolerance.
    kept
        Tonnes bought in each year to be kept to the end, shape ``(years,)`` [t].
    """

    value: float
    price: NDArray[np.float64]
    scarcity: NDArray[np.float64]
    weights: NDArray[np.float64]
    cleared: bool
    kept: NDArray[np.float64]


class PriceSearch:
    """Search for the prices of some enterprises.

    Parameters
    ----------
    population
        The enterprises.
    terms
        Terms of trade at price zero.
    market
        Parameters of the market's rows; without ``supply`` prices are stated.
    relax
        Solver of programs: `etsopt.running.model_inputs.Relaxation`.
    """

    def __init__(self, population: Enterprises, terms: TradeTerms, market: Mapping[str, Any], relax: Any) -> None:
        self.population, self.terms, self.market = population, terms, market
        self.stated = "supply" not in market
        self.group = np.arange(len(population.shift)) % ENTERPRISE_GROUPS
        self.passes: list[Pass] = []
        self.path: NDArray[np.float64] | None = None
        self.sets: dict[int, NDArray[np.int16]] = {}
        years = len(terms.price)
        self.supply, self.auctioned = (market.get(name, np.zeros(years)) for name in ("supply", "auctioned"))
        self.floor = np.full(years, -np.inf)
        if terms.worth and not self.stated:
            self.floor = terms.worth - terms.transaction_cost
        # Tonnes are scaled by those of a group in a year. Columns: prices, scarcities, prices below zero, and groups.
        self.tonnes = max(float(population.emissions.sum(axis=0).max()) / ENTERPRISE_GROUPS, 1.0)
        most = np.append(
            np.full(3 * years, PRICE_BOUND_CNY_PER_T), np.full(ENTERPRISE_GROUPS, GROUP_VALUE_BOUND_CNY_PER_T)
        )
        upper = most.copy()
        upper[2 * years : 3 * years] = 0.0
        self.program = relax.without_rows(-most, upper, TYPICAL_PRICE_CNY_PER_T)
        paid = np.concatenate([self.supply, market["offset_supply"], -self.auctioned]) / self.tonnes
        self.program.price(np.arange(len(most)), np.append(paid, np.full(ENTERPRISE_GROUPS, -1.0)))
        places = np.column_stack([2 * years + np.arange(years), np.arange(years)])
        self._add(np.zeros(years), places, np.tile([1.0, -1.0], (years, 1)))

    def _add(self, upper: NDArray[np.float64], places: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        upper = upper / TYPICAL_PRICE_CNY_PER_T
        self.program.add_rows(np.full(len(upper), -np.inf), upper, places, values / TYPICAL_PRICE_CNY_PER_T)

    def respond_at(self, price: NDArray[np.float64], scarcity: NDArray[np.float64]) -> tuple[Response, Pass, float]:
        """Return the response of all enterprises to some prices, its sums by group, and the bound that it proves."""
        checkpoint(_("prices of {count:,} accounts, pass", count=len(self.population.shift)), len(self.passes) + 1)
        trade = replace(
            self.terms, price=steady_prices(price, self.terms), offset_price=self.terms.offset_price + scarcity
        )
        response = self.population.respond(trade, self.path)
        self.path = response.path
        joint_plans = response.joint_plans
        flows = trade.trades(joint_plans.weight, joint_plans.emissions, response.path)
        cost, net = cost_of(self.terms, response, flows), flows.net
        if self.stated:
            cost, net, rows = cost + net @ trade.price, 0 * net, 0.0
        else:
            rows = float(trade.price @ self.supply - np.minimum(trade.price, 0.0) @ self.auctioned)
        sums = (totals(flow, self.group, ENTERPRISE_GROUPS) for flow in (net, flows.offset))
        passed = Pass(trade, np.bincount(self.group, cost, ENTERPRISE_GROUPS).astype(float), *sums)
        return response, passed, float(response.value.sum() - rows - scarcity @ self.market["offset_supply"])

    def add_pass(self, price: NDArray[np.float64], scarcity: NDArray[np.float64]) -> tuple[Response, float]:
        """Add the response of all enterprises to the mixture; return it and its bound."""
        response, passed, bound = self.respond_at(price, scarcity)
        self.sets[len(self.passes)] = response.sets
        self.passes.append(passed)
        years = len(price)
        of_group = 3 * years + np.arange(ENTERPRISE_GROUPS)
        places = np.column_stack([np.tile(np.arange(2 * years), (ENTERPRISE_GROUPS, 1)), of_group])
        values = np.column_stack([-passed.net / self.tonnes, -passed.offset / self.tonnes, np.ones(ENTERPRISE_GROUPS)])
        self._add(passed.cost / self.tonnes, places, values)
        return response, bound

    def constant_price(self) -> NDArray[np.float64]:
        """Return, by bisection, the constant buyer price that clears the market over the horizon [CNY/t]."""
        low, high = max(self.terms.worth, CONSTANT_PRICE_MIN_CNY_PER_T), PRICE_BOUND_CNY_PER_T
        nothing = np.zeros(len(self.terms.price))
        for _time in range(CONSTANT_PRICE_BISECTIONS):
            middle = np.sqrt(low * high)
            _, passed, _ = self.respond_at(middle - self.terms.transaction_cost, nothing)
            short = passed.net.sum() > self.supply.sum()
            low, high = (middle, high) if short else (low, middle)
        return low - self.terms.transaction_cost

    def run(self, price: NDArray[np.float64], scarcity: NDArray[np.float64], width: float, enough: float) -> Prices:
        """Search from given prices on.

        Parameters
        ----------
        width
            First half-width of the box, relative to the largest price.
        enough
            Relative gain of the bound from better prices at which the search stops.
        """
        best, best_response, mixture = -np.inf, None, None
        center, next_prices = (price, scarcity), (price, scarcity)
        scale = float(np.abs(price).max())
        wide = width * scale
        for _time in range(PRICE_PASSES_MAX):
            response, bound = self.add_pass(*next_prices)
            gained = 0.5 if mixture is None else (bound - best) / max(mixture.value - best, 1e-300)
            if bound > best:
                best, best_response, center = bound, response, (self.passes[-1].trade.price, next_prices[1])
            wide *= next(factor for least, factor in PRICE_BOX_FACTORS if gained >= least)
            mixture = self.best_mixture(*center, wide)
            for number in [*self.sets]:
                if (
                    number < len(self.passes) - RECENT_RESPONSES_KEPT
                    and mixture.weights[:, number].max() <= CHOSEN_SHARE_MIN
                ):
                    del self.sets[number]
            while not mixture.cleared and mixture.value - best <= enough * abs(mixture.value) and wide < scale:
                # The bound cannot gain nearby, and widening so small a box costs nothing.
                wide *= 10
                mixture = self.best_mixture(*center, wide)
            next_prices = mixture.price, mixture.scarcity
            if mixture.cleared and mixture.value - best <= enough * abs(mixture.value):
                break
        assert best_response is not None
        assert mixture is not None
        trade = replace(self.terms, price=center[0], offset_price=self.terms.offset_price + center[1])
        return Prices(trade, best_response, center[1], self.passes, mixture)

    def best_mixture(self, price: NDArray[np.float64], scarcity: NDArray[np.float64], wide: float) -> Mixture:
        """Return the greatest value in a box about some prices, and the mixture of responses there."""
        years, most = len(price), IMBALANCE_RELATIVE * ENTERPRISE_GROUPS * self.tonnes
        offers = self.market["offset_supply"] > 0
        lower = np.append(np.maximum(price - wide, self.floor), np.maximum(scarcity - wide, 0.0) * offers)
        upper = np.append(price + wide, (scarcity + wide) * offers)
        if self.stated:
            lower[:years] = upper[:years] = price
        self.program.hold(np.arange(2 * years), lower, upper)
        vertex = self.program.solve()
        if vertex is None:
            raise SolverError(
                _("The solver found no prices in the box about the best so far."), _("Report it with the instance.")
            )
        tonnes = -self.tonnes * vertex.multipliers / TYPICAL_PRICE_CNY_PER_T
        unsold, weights = tonnes[:years], tonnes[years:].reshape(-1, ENTERPRISE_GROUPS).T / self.tonnes
        net, offset = (
            np.einsum("gk,kgt->t", weights, np.stack([getattr(one, name) for one in self.passes]))
            for name in ("net", "offset")
        )
        best_price, scarce = vertex.x[:years], vertex.x[years : 2 * years]
        left, unused = self.supply - unsold - net, self.market["offset_supply"] - offset
        # Tonnes left at the least possible price are kept; offsets that are not scarce may stay unused.
        kept = np.where(best_price <= self.floor + IMBALANCE_RELATIVE * wide, np.maximum(left, 0.0), 0.0)
        unused = np.where(scarce <= IMBALANCE_RELATIVE * wide, np.minimum(unused, 0.0), unused)
        open_ = np.abs(unused) if self.stated else np.maximum(np.abs(left - kept), np.abs(unused))
        return Mixture(-vertex.value * self.tonnes, best_price, scarce, weights, bool((open_ <= most).all()), kept)


def cost_of(terms: TradeTerms, response: Response, flows: Flows) -> NDArray[np.float64]:
    """Return the cost of measures, trading and offsets, less the worth of tonnes kept, shape ``(accounts,)`` [CNY]."""
    offset_cost = np.where(np.isfinite(terms.offset_price), terms.offset_price, 0.0)
    trade = (flows.bought + flows.sold) @ terms.transaction_cost + flows.offset @ offset_cost
    cost: NDArray[np.float64] = response.joint_plans.cost + trade - terms.worth * flows.held
    return cost


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
