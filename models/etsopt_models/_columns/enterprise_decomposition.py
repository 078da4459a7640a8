r"""Markets of very many enterprises with accounts of their own: prices first, then whole plans and dealings of everyone.

1. *Sample.* Some enterprises stand for the others of their size as ones that are so many times as large. Their prices
   are found first (`price_search`), and from these those of all.
2. *Rest.* At the best prices every enterprise has its plans, exact and whole. Its dealings are a mixture of those that are
   best for these plans at the prices that the search mixes, for at prices where somebody is indifferent when to buy no
   single answer clears the market.
3. *Core.* Enterprises that would nearly as well take other plans, some that deal much, and those whose mixture breaks a
   limit of theirs, choose and deal anew in the mixed-integer program of the model's own formulation; all others are
   fixed beside them.

Where prices are stated everyone answers by himself, unless the offsets on offer are too few for all who would use them:
then their scarcity is found as prices are.

The bound is that of the prices: of every enterprise the best whole plans with the best dealings, and no mixture of plans.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.data.yearly import by_year
from etsopt_models._columns.variable_fixing import sample_by_size
from etsopt_models._columns.whole_plans import OWN_PART, prepare_market
from etsopt_models._enterprises.core import MIXTURE_SAVINGS, MarketAtPrices
from etsopt_models._enterprises.price_decomposition import ENOUGH, GROUPS, USED, PriceSearch
from etsopt_models._enterprises.subproblem import Enterprises, JointPlans
from etsopt_models._enterprises.trading import Flows, TradeTerms
from etsopt_models._enterprises.whole_accounts import is_steady, terms_of
from etsopt_models._market.column_generation import Market, PreparedMarket
from etsopt_models._market.plans import Plans

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._enterprises.price_decomposition import Prices
    from etsopt_models._enterprises.subproblem import Response

TOGETHER = 1_000
"""Accounts times years up to which the tree is quick enough to be searched at once."""

ALL_TOGETHER = 50_000
"""Accounts times years up to which all of them stand in one program where the core is not proven; of more the core's
answer stands with its gap."""

FEW, ONE_IN = 2_000, 20
"""A sample has at least so many enterprises, and one in so many."""


def declines_prices(instance: Instance) -> str:
    """Why stated prices cannot be answered where every enterprise has an account of its own; empty where they can."""
    policy, years = instance.policy, np.array(instance.policy.years)
    friction = policy.market.transaction_cost_cny_per_t
    if not friction or policy.market.prices_cny_per_t is None:
        return ""
    discount = (1 + policy.horizon.discount_rate) ** -(years - years[0]).astype(float)
    nothing = np.zeros(len(years))
    worth = float(discount[-1] * policy.market.terminal_price_cny_per_t)
    price = discount * by_year(policy.market.prices_cny_per_t, years, 0.0)
    if not is_steady(TradeTerms(price, discount * friction, nothing + np.inf, 0.0, nothing, worth)):
        return "the expected price rises by more than interest and transaction costs, so that every account buys ahead"
    return ""


def prepare_by_enterprise(market: Market) -> tuple[dict[str, Any], PreparedMarket]:
    """Parameters of the program that is left, and what the tables need, as `etsopt_models._columns.whole_plans.solved`.

    Where the prices do not clear the market, or somebody would owe, or too many would deal beyond their limits, and
    where what the core chooses is not proven, all accounts stand in one program.
    """
    if market.accounts.emissions.size <= TOGETHER:
        return prepare_market(market)
    gap = OWN_PART * market.relax.options.gap_or_default
    plans = Plans.of(market.instance, market.baseline)
    population, terms = Enterprises.of(plans, market.accounts), terms_of(market)
    if "supply" not in market.extra:
        trade = replace(terms, price=market.extra["price"])
        at_prices = _respond_to_stated_prices(market, population, terms, trade) if is_steady(trade) else None
    else:
        at_prices = _clear_market(market, population, terms)
    if at_prices is None:
        return prepare_market(market, "no steady prices clear the market without outstanding obligations")
    if why := at_prices.violation():
        return prepare_market(market, why)
    most = gap if market.accounts.emissions.size <= ALL_TOGETHER else np.inf
    cores = (replace(at_prices, mixture_saving=saving).proven(most) for saving in MIXTURE_SAVINGS)
    return next((core for core in cores if core is not None), None) or prepare_market(market)


def _samples(population: Enterprises) -> list[Enterprises]:
    """A small and a larger sample of enterprises by size, who stand for the others; then all of them."""
    size = population.emissions.sum(axis=1)
    populations: list[Enterprises] = []
    for count in (FEW, len(size) // ONE_IN):
        if FEW <= count < len(size) / 2 and (not populations or count > 2 * FEW):
            populations.append(population.only(*sample_by_size(size, count))[0])
    return [*populations, population]


def _respond_to_stated_prices(
    market: Market, population: Enterprises, terms: TradeTerms, trade: TradeTerms
) -> MarketAtPrices | None:
    """At a price that is stated everyone answers by himself, as long as there are offsets for all."""
    response = population.respond(trade)
    flows = trade.trades(response.joint_plans.weight, response.joint_plans.emissions, response.path)
    at_prices = MarketAtPrices(market, population, terms, trade, np.zeros(len(trade.price)), response, flows, [])
    return _clear_market(market, population, terms, trade.price) if at_prices.offsets_short().any() else at_prices


def _clear_market(
    market: Market, population: Enterprises, terms: TradeTerms, stated: NDArray[np.float64] | None = None
) -> MarketAtPrices | None:
    """At prices that clear the market, or at stated ones with a scarcity of offsets; None where there are none."""
    price = np.zeros(0) if stated is None else stated
    scarcity, width = np.zeros(len(terms.price)), WIDTHS[0]
    for some in _samples(population):
        # Who stands for many may surrender as many times what is on offer.
        times = len(market.accounts.labels) / len(some.shift)
        theirs = replace(terms, offset_supply=times * terms.offset_supply)
        search = PriceSearch(some, theirs, market.extra, market.relax)
        price = price if len(price) else search.constant_price()
        prices = search.run(price, scarcity, width, ENOUGH if some is population else ENOUGH_OF_SAMPLE)
        price, scarcity, width = prices.trade.price, prices.scarcity, WIDTHS[1]
    if not prices.mixture.cleared:
        return None
    response = _assign_plans(prices, search)
    flows = _mix_trades(prices, search, market, response)
    apart = min(APART / len(market.accounts.labels), APART_MOST)
    for factor in (1 - apart, 1 + apart):
        search.respond_at(*((factor * price, scarcity) if stated is None else (price, factor * scarcity)))
    return MarketAtPrices(market, population, terms, prices.trade, scarcity, response, flows, [*search.sets.values()])


APART, APART_MOST = 100, 0.2
"""How far apart prices are, against them and times the enterprises, between which about as many choose otherwise as the
core has room for."""

WIDTHS = (0.1, 0.02)
"""How far the prices of a first sample, and of a larger crowd, may move at first, against the largest."""

ENOUGH_OF_SAMPLE = 1e-6


def _assign_plans(prices: Prices, search: PriceSearch) -> Response:
    """Whole plans of everyone: who answered in different ways takes one of them, by size in the shares of the mixture.

    Where many are indifferent, as where a measure costs the same everywhere, no single answer is near the mixture.
    """
    response, population = prices.response, search.population
    mixed = [number for number in search.sets if prices.mixture.weights[:, number : number + 1].max(initial=0.0) > USED]
    differs = np.zeros(len(population.shift), dtype=bool)
    for number in mixed:
        differs[population.account[(search.sets[number] != response.sets).any(axis=1)]] = True
    if not differs.any():
        return response
    accounts = np.flatnonzero(differs)
    size, group = population.emissions[accounts].sum(axis=1), search.group[accounts]
    order = np.lexsort((-size, group))
    after = np.cumsum(size[order])
    total = np.bincount(group, size, GROUPS)
    before = np.cumsum(total) - total
    place = (after - size[order] / 2 - before[group[order]]) / total[group[order]]
    # What is left of a group's shares, where an answer that it mixes is not remembered, falls to the best answer.
    shares = np.cumsum(prices.mixture.weights[:, mixed], axis=1)
    taken = np.empty(len(accounts), dtype=np.int64)
    taken[order] = (place[:, None] > shares[group[order]]).sum(axis=1)
    sets = response.sets.copy()
    pass_of = np.full(len(population.shift), -1)
    pass_of[accounts] = taken
    for place_of, number in enumerate(mixed):
        units = np.flatnonzero(pass_of[population.account] == place_of)
        sets[units] = search.sets[number][units]
    some, units = population.only(accounts)
    joint_plans = some.joint_plans(sets[units])
    trading_cost, path = prices.trade.best(joint_plans.weight, joint_plans.emissions)
    everyone = JointPlans(
        response.joint_plans.cost.copy(), response.joint_plans.weight.copy(), response.joint_plans.emissions.copy()
    )
    everyone.put(accounts, joint_plans)
    value, paths = response.value.copy(), response.path.copy()
    value[accounts], paths[accounts] = joint_plans.cost + trading_cost, path
    return replace(response, sets=sets, joint_plans=everyone, value=value, path=paths)


def _mix_trades(prices: Prices, search: PriceSearch, market: Market, response: Response) -> Flows:
    """Trades of everyone with his plans, mixed as the search mixes its answers, and what is kept to the end."""
    joint_plans, accounts = response.joint_plans, market.accounts
    flows = Flows.nothing(*joint_plans.weight.shape)
    for number, one in enumerate(prices.passes):
        weight = prices.mixture.weights[search.group, number]
        if weight.max() <= USED:
            continue
        _, path = one.trade.best(joint_plans.weight, joint_plans.emissions)
        flows_of_pass = one.trade.trades(joint_plans.weight, joint_plans.emissions, path)
        for name in ("bought", "sold", "offset", "held"):
            mine = getattr(flows_of_pass, name)
            getattr(flows, name)[:] += weight[:, None] * mine if mine.ndim > 1 else weight * mine
    if prices.mixture.kept.any():
        # Everybody keeps in proportion to emissions before abatement, what he may buy at most.
        share = accounts.emissions / accounts.emissions.sum(axis=0)
        bought_to_keep = share * np.maximum(prices.mixture.kept, 0.0)
        flows.bought[:] += bought_to_keep
        flows.held[:] += bought_to_keep.sum(axis=1)
    return flows
