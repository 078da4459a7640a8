r"""Decomposition of markets with an account per enterprise: prices first, then integer plans and trades of all.

1. *Sample.* A sample of enterprises, scaled up, represents the others of their size. Its prices are found first
   (`price_decomposition`), and from these the prices of all.
2. *Rest.* At the best prices every enterprise has its exact integer plans. Its trades are a mixture of those that are
   best for these plans at the prices that the search mixes: if an enterprise is indifferent when to buy, no single
   response clears the market.
3. *Core.* The enterprises that are nearly indifferent between plans, some that trade most, and those whose mixture
   exceeds a limit choose and trade again in the mixed-integer program of the model's own formulation. All others are
   fixed beside them.

If prices are stated, every enterprise responds separately, unless the demand for offsets exceeds the offer: then their
scarcity is found in the same way as prices.

The bound is that of the prices: the best integer plans and trades of every enterprise, without mixtures of plans.

Decomposition of markets of very many units: one account for all if trading is free, else one per enterprise.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.language import _
from etsopt.data.policy.yearly import by_year
from etsopt_models._columns.variable_fixing import sample_by_size
from etsopt_models._columns.whole_plans import prepare_market
from etsopt_models._effort import (
    ENTERPRISE_GROUPS,
    NEARBY_PRICE_DISTANCE_MAX,
    NEARBY_PRICE_DISTANCE_TIMES_ENTERPRISES,
    PRICE_BOX_WIDTHS_RELATIVE,
    SAMPLE_ENTERPRISES_MIN,
    SAMPLE_ONE_IN_ENTERPRISES,
    SINGLE_PROGRAM_MAX_ACCOUNT_YEARS,
    TREE_AT_ONCE_MAX_ACCOUNT_YEARS,
)
from etsopt_models._enterprises import subproblem
from etsopt_models._enterprises.core import MarketAtPrices, PriceSearch
from etsopt_models._enterprises.subproblem import Enterprises, Flows, JointPlans, TradeTerms, is_steady, terms_of
from etsopt_models._market.column_generation import Market, PreparedMarket
from etsopt_models._market.plans import Plans
from etsopt_models._tolerances import (
    BOUND_GAIN_RELATIVE,
    CHOSEN_SHARE_MIN,
    MIXTURE_SAVINGS_RELATIVE,
    PROOF_GAP_SHARE,
    SAMPLE_BOUND_GAIN_RELATIVE,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._enterprises.core import Prices
    from etsopt_models._enterprises.subproblem import Response


def declines_prices(instance: Instance) -> str:
    """Return why enterprises with accounts of their own cannot respond to stated prices; empty if they can."""
    policy, years = instance.policy, np.array(instance.policy.years)
    transaction_cost = policy.market.transaction_cost_cny_per_t
    if not transaction_cost or policy.market.prices_cny_per_t is None:
        return ""
    discount = (1 + policy.horizon.discount_rate) ** -(years - years[0]).astype(float)
    nothing = np.zeros(len(years))
    worth = float(discount[-1] * policy.market.terminal_price_cny_per_t)
    price = discount * by_year(policy.market.prices_cny_per_t, years, 0.0)
    if not is_steady(TradeTerms(price, discount * transaction_cost, nothing + np.inf, 0.0, nothing, worth)):
        return _(
            "the expected price rises by more than interest and transaction costs, so that every account buys ahead"
        )
    return ""


def prepare_by_enterprise(market: Market) -> PreparedMarket:
    """Return the market with the remaining program, as `etsopt_models._columns.whole_plans.prepare_market`.

    One program holds all accounts if the prices do not clear the market, if an enterprise would prefer an outstanding
    obligation, if too many would exceed their limits, or if the core's choice is not proven.
    """
    if market.accounts.emissions.size <= TREE_AT_ONCE_MAX_ACCOUNT_YEARS:
        return prepare_market(market)
    gap = PROOF_GAP_SHARE * market.relax.options.gap_or_default
    plans = Plans.of(market.instance, market.baseline)
    population, terms = Enterprises.of(plans, market.accounts), terms_of(market)
    if "supply" not in market.extra:
        trade = replace(terms, price=market.extra["price"])
        at_prices = _respond_to_stated_prices(market, population, terms, trade) if is_steady(trade) else None
    else:
        at_prices = _clear_market(market, population, terms)
    without = "no steady prices clear the market without outstanding obligations"
    why = without if at_prices is None else at_prices.violation()
    if at_prices is None or why:
        return replace(prepare_market(market), fallback_reason=why)
    most = gap if market.accounts.emissions.size <= SINGLE_PROGRAM_MAX_ACCOUNT_YEARS else np.inf
    cores = (replace(at_prices, mixture_saving=saving).proven(most) for saving in MIXTURE_SAVINGS_RELATIVE)
    return next((core for core in cores if core is not None), None) or prepare_market(market)


def _samples(population: Enterprises) -> list[Enterprises]:
    """Return a small and a larger sample of enterprises by size, scaled to represent all; then all of them."""
    size = population.emissions.sum(axis=1)
    populations: list[Enterprises] = []
    for count in (SAMPLE_ENTERPRISES_MIN, len(size) // SAMPLE_ONE_IN_ENTERPRISES):
        if SAMPLE_ENTERPRISES_MIN <= count < len(size) / 2 and (not populations or count > 2 * SAMPLE_ENTERPRISES_MIN):
            populations.append(population.only(*sample_by_size(size, count))[0])
    return [*populations, population]


def _respond_to_stated_prices(
    market: Market, population: Enterprises, terms: TradeTerms, trade: TradeTerms
) -> MarketAtPrices | None:
    """Return the separate responses to stated prices; clear the market of offsets if the offer is too small."""
    response = population.respond(trade)
    flows = trade.trades(response.joint_plans.weight, response.joint_plans.emissions, response.path)
    at_prices = MarketAtPrices(market, population, terms, trade, np.zeros(len(trade.price)), response, flows, [])
    return _clear_market(market, population, terms, trade.price) if at_prices.offsets_short().any() else at_prices


def _clear_market(
    market: Market, population: Enterprises, terms: TradeTerms, stated: NDArray[np.float64] | None = None
) -> MarketAtPrices | None:
    """Return the market at clearing prices, or at stated ones with a scarcity of offsets; None if there are none."""
    price = np.zeros(0) if stated is None else stated
    scarcity, width = np.zeros(len(terms.price)), PRICE_BOX_WIDTHS_RELATIVE[0]
    samples = _samples(population)
    if stated is None and market.start is not None:
        # From pass to pass prices move less than from a sample to all.
        price, scarcity = (market.start[name].to_numpy() for name in ("price", "scarcity"))
        samples, width = [population], PRICE_BOX_WIDTHS_RELATIVE[1]
    for some in samples:
        # An enterprise that represents many may surrender as many times the offer.
        times = len(market.accounts.labels) / len(some.shift)
        theirs = replace(terms, offset_supply=times * terms.offset_supply)
        search = PriceSearch(some, theirs, market.extra, market.relax)
        price = price if len(price) else search.constant_price()
        prices = search.run(
            price, scarcity, width, BOUND_GAIN_RELATIVE if some is population else SAMPLE_BOUND_GAIN_RELATIVE
        )
        price, scarcity, width = prices.trade.price, prices.scarcity, PRICE_BOX_WIDTHS_RELATIVE[1]
    if not prices.mixture.cleared:
        return None
    response = _assign_plans(prices, search)
    flows = _mix_trades(prices, search, market, response)
    apart = min(NEARBY_PRICE_DISTANCE_TIMES_ENTERPRISES / len(market.accounts.labels), NEARBY_PRICE_DISTANCE_MAX)
    for factor in (1 - apart, 1 + apart):
        search.respond_at(*((factor * price, scarcity) if stated is None else (price, factor * scarcity)))
    return MarketAtPrices(market, population, terms, prices.trade, scarcity, response, flows, [*search.sets.values()])


def _assign_plans(prices: Prices, search: PriceSearch) -> Response:
    """Return integer plans of all: enterprises with different responses take one each, by size in the mixture's shares.

    If many are indifferent, as with a measure of equal cost everywhere, no single response is near the mixture.
    """
    response, population = prices.response, search.population
    mixed = [
        number
        for number in search.sets
        if prices.mixture.weights[:, number : number + 1].max(initial=0.0) > CHOSEN_SHARE_MIN
    ]
    differs = np.zeros(len(population.shift), dtype=bool)
    for number in mixed:
        differs[population.account[(search.sets[number] != response.sets).any(axis=1)]] = True
    if not differs.any():
        return response
    accounts = np.flatnonzero(differs)
    size, group = population.emissions[accounts].sum(axis=1), search.group[accounts]
    order = np.lexsort((-size, group))
    after = np.cumsum(size[order])
    total = np.bincount(group, size, ENTERPRISE_GROUPS)
    before = np.cumsum(total) - total
    place = (after - size[order] / 2 - before[group[order]]) / total[group[order]]
    # The remainder of a group's shares, if a response in its mixture was dropped, goes to the best response.
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
    all_joint_plans = JointPlans(
        response.joint_plans.cost.copy(), response.joint_plans.weight.copy(), response.joint_plans.emissions.copy()
    )
    all_joint_plans.put(accounts, joint_plans)
    value, paths = response.value.copy(), response.path.copy()
    value[accounts], paths[accounts] = joint_plans.cost + trading_cost, path
    return replace(response, sets=sets, joint_plans=all_joint_plans, value=value, path=paths)


def _mix_trades(prices: Prices, search: PriceSearch, market: Market, response: Response) -> Flows:
    """Return the trades with these plans, mixed as the search mixes its responses, and the tonnes kept to the end."""
    joint_plans, accounts = response.joint_plans, market.accounts
    flows = Flows.nothing(*joint_plans.weight.shape)
    for number, one in enumerate(prices.passes):
        weight = prices.mixture.weights[search.group, number]
        if weight.max() <= CHOSEN_SHARE_MIN:
            continue
        _, path = one.trade.best(joint_plans.weight, joint_plans.emissions)
        flows_of_pass = one.trade.trades(joint_plans.weight, joint_plans.emissions, path)
        for name in ("bought", "sold", "offset", "held"):
            mine = getattr(flows_of_pass, name)
            getattr(flows, name)[:] += weight[:, None] * mine if mine.ndim > 1 else weight * mine
    if prices.mixture.kept.any():
        # The tonnes kept to the end are divided among accounts in proportion to emissions before abatement.
        share = accounts.emissions / accounts.emissions.sum(axis=0)
        bought_to_keep = share * np.maximum(prices.mixture.kept, 0.0)
        flows.bought[:] += bought_to_keep
        flows.held[:] += bought_to_keep.sum(axis=1)
    return flows


def declines(instance: Instance) -> str:
    """Return why decomposition does not support an instance, as a clause; empty if it does."""
    return subproblem.declines(instance) if instance.policy.market.transaction_cost_cny_per_t > 0 else ""


def prepare_by_prices(market: Market) -> PreparedMarket:
    """Return the market of all units with a small program of the model's formulation."""
    if market.instance.policy.market.transaction_cost_cny_per_t > 0:
        return prepare_by_enterprise(market)
    return prepare_market(market)
