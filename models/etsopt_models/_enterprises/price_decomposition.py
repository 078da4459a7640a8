r"""Price decomposition: the dual of the market's rows alone, with integer plans and trades of each enterprise within.

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
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.errors import SolverError
from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt_models._effort import (
    CONSTANT_PRICE_BISECTIONS,
    CONSTANT_PRICE_MIN_CNY_PER_T,
    ENTERPRISE_GROUPS,
    PRICE_BOX_FACTORS,
    PRICE_PASSES_MAX,
    RECENT_RESPONSES_KEPT,
)
from etsopt_models._enterprises.trading import Flows, TradeTerms, steady_prices
from etsopt_models._market.holdings import totals
from etsopt_models._tolerances import (
    CHOSEN_SHARE_MIN,
    GROUP_VALUE_BOUND_CNY_PER_T,
    IMBALANCE_RELATIVE,
    PRICE_BOUND_CNY_PER_T,
    TYPICAL_PRICE_CNY_PER_T,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt_models._enterprises.subproblem import Enterprises, Response


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
