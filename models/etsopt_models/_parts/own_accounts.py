r"""Markets of very many enterprises with accounts of their own: prices first, then whole plans and dealings of everyone.

1. *Sample.* Every so manieth enterprise, by size, stands for its neighbours as one that is so many times as large. Its
   prices are found first (`price_search`), and from these those of all.
2. *Rest.* At the best prices every enterprise has its plans, exact and whole. Its dealings are a mixture of those that are
   best for these plans at the prices that the search mixes, for at prices where somebody is indifferent when to buy no
   single answer clears the market.
3. *Core.* Enterprises that would nearly as well take other plans, and some that deal much, choose and deal anew in the
   mixed-integer program of the model's own formulation; all others are fixed beside them.

The bound is that of the prices: of every enterprise the best whole plans with the best dealings, and no mixture of plans.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.data.yearly import by_year
from etsopt_models._parts.accounts import owing_cost
from etsopt_models._parts.dealing import Flows, Trade
from etsopt_models._parts.enterprises import Enterprises
from etsopt_models._parts.plans import Plans
from etsopt_models._parts.portfolio import Menu, Portfolio
from etsopt_models._parts.price_search import ENOUGH, Search, cost_of
from etsopt_models._parts.search import NUDGE, Found, Market, search

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._parts.enterprises import Answer
    from etsopt_models._parts.price_search import Prices

FEW, ONE_IN = 2_000, 20
"""A sample has at least so many enterprises, and one in so many."""

CORE, DEALERS = 80, 40
"""Enterprises that choose anew because they would lose least by it, as many because it would move most, and those that
deal most."""

USED = 1e-9
"""Share of an answer in the mixture that is rounding."""

SPARE_T = 1e-3
"""What may exceed a limit by rounding [t]."""


def declines(instance: Instance) -> str:
    """Why prices cannot serve where every enterprise has an account of its own; empty where they can."""
    market = instance.policy.market
    offset_price = np.array(by_year(market.ccer_price_cny_per_t, instance.policy.years, np.inf))
    if instance.policy.abatement.divisible_measures:
        return "enterprises with accounts of their own are asked for whole plans, and here plans may be mixed"
    if market.floor_price_cny_per_t is not None or market.ceiling_price_cny_per_t is not None:
        return "a reserve deals at a floor or ceiling price, and trading costs something"
    if (offset_price <= market.transaction_cost_cny_per_t).any():
        return "an offset costs no more than a transaction"
    return ""


def by_accounts(market: Market) -> tuple[dict[str, Any], Found]:
    """Parameters of a small program over the core, as `etsopt_models._parts.search.search` returns.

    Where the prices do not clear the market, or somebody would owe or deal beyond his limits, the whole program is made.
    """
    plans = Plans.of(market.instance, market.found)
    crowd, terms = Enterprises.of(plans, market.own), terms_of(market)
    if "supply" not in market.more:
        trade = replace(terms, price=market.more["price"])
        settled = _Settled.at_price(market, crowd, trade) if _feasible(trade) else None
    else:
        settled = _Settled.cleared(market, crowd, terms)
    if settled is None or not settled.within_limits():
        return search(market)
    return settled.core()


def terms_of(market: Market) -> Trade:
    """Terms of trade at no price."""
    policy, found = market.instance.policy.market, market.found
    offered = by_year(policy.ccer_supply_t, found.years, 0.0)
    price = np.where(offered > 0, by_year(policy.ccer_price_cny_per_t, found.years, 0.0), np.inf)
    return Trade(
        np.zeros(len(found.years)),
        found.discount * policy.transaction_cost_cny_per_t,
        found.discount * price,
        policy.ccer_share,
        offered,
        float(found.discount[-1] * policy.terminal_price_cny_per_t),
    )


def _feasible(trade: Trade) -> bool:
    """Whether nobody gains from buying only to sell or keep."""
    return bool((trade.least <= trade.most + trade.same).all())


def _sampled(crowd: Enterprises, size: NDArray[np.float64]) -> list[Enterprises]:
    """A small and a larger sample of enterprises by size, each member as many times as large; then all of them."""
    crowds = []
    for count in (FEW, len(size) // ONE_IN):
        if FEW <= count < len(size) / 2 and (not crowds or count > 2 * FEW):
            step = len(size) / count
            order = np.argsort(size, kind="stable")
            chosen = np.sort(order[((np.arange(count) + 0.5) * step).astype(np.int64)])
            crowds.append(crowd.only(chosen, step)[0])
    return [*crowds, crowd]


@dataclass(frozen=True)
class _Settled:
    """What everyone does at the prices, before the core chooses anew.

    Parameters
    ----------
    trade, answer
        The terms, and the plans of all.
    flows
        Dealings of all, a mixture.
    others
        Chains of sets of all units at prices nearby.
    interval
        Of the price, where there is a market.
    """

    market: Market
    crowd: Enterprises
    trade: Trade
    scarcity: NDArray[np.float64]
    answer: Answer
    flows: Flows
    others: list[NDArray[np.int16]]
    interval: tuple[NDArray[np.float64], ...] = ()

    @classmethod
    def at_price(cls, market: Market, crowd: Enterprises, trade: Trade) -> _Settled:
        """At a price that is stated everyone answers by himself."""
        answer = crowd.answer(trade)
        flows = trade.dealings(answer.joint.weight, answer.joint.emissions, answer.path)
        return cls(market, crowd, trade, np.zeros(len(trade.price)), answer, flows, [])

    @classmethod
    def cleared(cls, market: Market, crowd: Enterprises, terms: Trade) -> _Settled | None:
        """At prices that clear the market; None where there are none."""
        price, scarcity, width = np.zeros(0), np.zeros(len(terms.price)), WIDTHS[0]
        for some in _sampled(crowd, market.own.emissions.sum(axis=1)):
            times = len(market.own.labels) / len(some.shift)
            own_terms = replace(terms, offset_supply=times * terms.offset_supply)
            asking = Search(some, own_terms, market.more, market.relax)
            price = price if len(price) else asking.level()
            prices = asking.run(price, scarcity, width, ENOUGH if some is crowd else ENOUGH_OF_SAMPLE)
            price, scarcity, width = prices.trade.price, prices.scarcity, WIDTHS[1]
        if not prices.cleared:
            return None
        nudge = NUDGE * float(market.found.emissions.mean(axis=1).sum())
        felt = [prices.trade.price]
        for change in (-nudge, nudge):
            mixed = asking.master(price, scarcity, WIDE * price.max(), {"supply": market.more["supply"] - change})
            felt.append(mixed.price)
        interval = tuple(edge(felt, axis=0) / market.found.discount for edge in (np.min, np.max))
        flows = _mixed(prices, asking, market)
        apart = min(APART / len(market.own.labels), APART_MOST)
        for factor in (1 - apart, 1 + apart):
            asking.ask(factor * price, scarcity)
        return cls(market, crowd, prices.trade, scarcity, prices.answer, flows, asking.recent, interval)

    def within_limits(self) -> bool:
        """Whether nobody deals beyond his own need, and nobody would rather owe."""
        instance, own = self.market.instance, self.market.own
        owing = owing_cost(instance, self.market.found)
        if (self.trade.price + self.trade.friction > owing).any():
            return False
        if self.trade.most.max() - self.trade.least.min() > owing.min():
            return False
        later = np.cumsum(own.emissions[:, ::-1], axis=1)[:, ::-1]
        gained = own.opening[:, None] + np.cumsum(own.allowance_most, axis=1)
        borrowed = np.column_stack([own.borrowed_most[:, :-1], np.zeros(len(later))])
        room = SPARE_T + 1e-9 * own.emissions
        buys, sells = self.flows.bought <= later + borrowed + room, self.flows.sold <= gained + borrowed + room
        return bool(buys.all() and sells.all())

    def core(self) -> tuple[dict[str, Any], Found]:
        """Parameters over those near a tie, and what the tables need of everyone."""
        market, own, crowd = self.market, self.market.own, self.crowd
        unit, sets, accounts = self._near_ties()
        units = np.flatnonzero(np.isin(own.of_unit, accounts))
        portfolio = Portfolio.of(crowd.plans.only(units), np.arange(len(units)), self.answer.sets[units]).added(
            np.searchsorted(units, unit), sets
        )
        rest = np.ones(len(own.labels), dtype=bool)
        rest[accounts] = False
        few = replace(
            own,
            labels=own.labels[accounts],
            of_unit=np.searchsorted(accounts, own.of_unit[units]),
            **{
                name: getattr(own, name)[accounts]
                for name in ("opening", "emissions", "allowance", "allowance_most", "borrowed_most")
            },
        )
        years = len(self.trade.price)
        cost = cost_of(terms_of(market), self.answer, self.flows)[rest].sum()
        more, net, offset = dict(market.more), self.flows.net[rest].sum(axis=0), self.flows.offset[rest].sum(axis=0)
        if "supply" in more:
            more["supply"] = more["supply"] - net
            more["offset_supply"] = np.maximum(more["offset_supply"] - offset, 0.0)
        else:
            cost += net @ self.trade.price
        nothing = np.zeros((1, years))
        others = Menu(np.zeros(1, dtype=np.int64), np.array([cost]), nothing, nothing)
        small = replace(market, own=few, more=more, rest=others)
        everyone = Portfolio.of(crowd.plans, np.arange(len(own.of_unit)), self.answer.sets)
        widened = _Widened(self, accounts)
        found = Found(portfolio, own, *self.interval, everyone=everyone, core=units, widened=widened)
        return small.parameters(portfolio), found

    def _near_ties(self) -> tuple[NDArray[np.int64], NDArray[np.int16], NDArray[np.int64]]:
        """Other plans of units whose enterprises would lose least by them: units, sets, and the accounts of the core."""
        own, answer = self.market.own, self.answer
        found: list[tuple[NDArray[np.int64], NDArray[np.int16]]] = []
        loss, moved = np.full(len(own.labels), np.inf), np.zeros(len(own.labels))
        for sets in self.others:
            differs = np.flatnonzero((sets != answer.sets).any(axis=1))
            some, units = self.crowd.only(np.unique(own.of_unit[differs]))
            if not len(units):
                continue
            joint = some.joint(sets[units])
            dealt, _ = self.trade.best(joint.weight, joint.emissions)
            accounts = np.unique(own.of_unit[units])
            loss[accounts] = np.minimum(loss[accounts], joint.cost + dealt - answer.value[accounts])
            much = np.abs(joint.weight - answer.joint.weight[accounts]).sum(axis=1)
            moved[accounts] = np.maximum(moved[accounts], much)
            found.append((units, sets[units]))
        # Those who move most take up what one of them leaves, those who lose least the remainder.
        chosen = np.concatenate([np.argsort(order, kind="stable")[:CORE] for order in (loss, -moved)])
        dealers = np.argsort(-np.abs(self.flows.net).sum(axis=1), kind="stable")[:DEALERS]
        accounts = np.unique(np.concatenate([chosen[np.isfinite(loss[chosen])], dealers]))
        kept = [np.isin(own.of_unit[units], accounts) for units, _ in found]
        none = np.zeros((0, len(self.trade.price)), dtype=np.int16)
        units = np.concatenate([accounts[:0], *(units[keep] for (units, _), keep in zip(found, kept, strict=True))])
        return (
            units,
            np.concatenate([none, *(sets[keep] for (_, sets), keep in zip(found, kept, strict=True))]),
            accounts,
        )


APART, APART_MOST = 100, 0.2
"""How far apart prices are, against them and times the enterprises, between which about as many choose otherwise as the
core has room for."""

WIDTHS = (0.1, 0.02)
"""How far the prices of a first sample, and of a larger crowd, may move at first, against the largest."""

ENOUGH_OF_SAMPLE = 1e-6
WIDE = 0.5
"""How far a price may be from its best when its interval is felt out, against the largest."""


def _mixed(prices: Prices, asking: Search, market: Market) -> Flows:
    """Dealings of everyone with his plans, mixed as the search mixes its answers, and what is kept to the end."""
    joint, own = prices.answer.joint, market.own
    flows = Flows(*(np.zeros(joint.weight.shape) for _ in range(3)), np.zeros(len(joint.weight)))
    for number, one in enumerate(prices.passes):
        weight = prices.weights[asking.group, number]
        if weight.max() <= USED:
            continue
        _, path = one.trade.best(joint.weight, joint.emissions)
        own_flows = one.trade.dealings(joint.weight, joint.emissions, path)
        for name in ("bought", "sold", "offset", "held"):
            mine = getattr(own_flows, name)
            getattr(flows, name)[:] += weight[:, None] * mine if mine.ndim > 1 else weight * mine
    if prices.kept.any():
        # Everybody keeps in proportion to emissions before abatement, what he may buy at most.
        share = own.emissions / own.emissions.sum(axis=0)
        more = share * np.maximum(prices.kept, 0.0)
        flows.bought[:] += more
        flows.held[:] += more.sum(axis=1)
    return flows


@dataclass(frozen=True)
class _Widened:
    """Makes of a solution of the core one of all accounts, with the multipliers of the prices."""

    settled: _Settled
    accounts: NDArray[np.int64]

    def __call__(self, solution: Any) -> Any:
        """A solution with values of all accounts; the core's are its own."""
        settled, own = self.settled, self.settled.market.own
        trade, answer, years = settled.trade, settled.answer, len(settled.trade.price)
        flows = {"bought": settled.flows.bought, "sold": settled.flows.sold, "offset": settled.flows.offset}
        lacking = np.cumsum(answer.joint.weight - flows["bought"] + flows["sold"] - flows["offset"], axis=1)
        # The weight holds what may be borrowed at the end of a year; what is held is above that.
        limit = np.column_stack([-own.borrowed_most[:, :-1], np.zeros(len(lacking))])
        flows["banked"] = np.column_stack([own.opening, limit - lacking])
        flows["owed"] = np.zeros((len(lacking), years + 1))
        values = dict(solution.values)
        for name, whole in flows.items():
            whole = whole.copy()
            whole[self.accounts] = values[name].reshape(len(self.accounts), -1)
            values[name] = whole.ravel()
        path = answer.bound_path
        scarce = np.where(trade.offset_share * answer.joint.emissions <= trade.offset_supply, trade.saved(path), 0.0)
        multipliers = {"account_balance": path.ravel(), "offset_limit": -scarce.ravel()}
        if "supply" in settled.market.more:
            multipliers |= {
                "market_balance": -trade.price,
                "reserve_stock": np.zeros(years),
                "offsets_on_offer": -settled.scarcity,
            }
        first = replace(solution.levels[0], multipliers=multipliers)
        return replace(solution, values=values, levels=(first, *solution.levels[1:]))
