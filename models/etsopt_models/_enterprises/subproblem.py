r"""Pricing subproblem of enterprises with accounts of their own: integer plans of all units, and trades with them.

Plans and trades of an enterprise depend on each other: the plans that are best at multipliers of its account imply
trades for which other multipliers are best. Most enterprises converge at once, since they buy, or sell, with every plan
that matters: if multipliers and plans reproduce each other, no plan is better. The others lie between buying and
selling. Bisection narrows their multipliers between the paths of sellers and of buyers, until few plans can beat the
best one found; these are enumerated and evaluated one by one. So every response is exact, and no mixture of plans.

The best trades of accounts at given prices and with fixed plans: a path of multipliers through few levels.

An account with net demand $n_t$ in a year buys at $P_t + \tau_t$, sells at $P_t - \tau_t$, surrenders offsets at $W_t$
up to a share $\kappa$ of its emissions $e_t$, and may bank or borrow up to a limit. The dual of this flow has one
multiplier a year,

$$\max_\mu \sum_t \mu_t m_t - \kappa \sum_t e_t (\mu_t - W_t)^+, \qquad
  P_t - \tau_t \le \mu_t \le P_t + \tau_t, \quad \mu_1 \ge \dots \ge \mu_T \ge w,$$

where $m_t$ is the net demand with the limits of borrowing at the year's end and at its beginning, and $w$ the worth of
a tonne at the end. On the best path every $\mu_t$ is one of the levels $P_s \pm \tau_s$, $W_s$ and $w$, which are the
same for all accounts; so it follows year by year from the best path above each level. While the path is level the
account banks or borrows; where it falls the account borrows up to its limit. The net demand of a level stretch is
bought, and its surplus sold, in the year whose price set the level: of several such years the first to buy and the last
to sell, so that no allowance is sold before it is held.

Bound of enterprises with accounts of their own over integer plans, which no mixture of plans weakens.

In the master the block is the unit, and an account's rows couple its units. So the relaxation may mix, within an
enterprise, a plan with which it buys and one with which it sells, and save the transaction cost of both. With the
enterprise as the block, the dual of the market's rows alone,

$$D(P, s) = \sum_a v_a(P, s) - \sum_t (P_t N_t - \min(P_t, 0) \, \overline u_t + s_t K_t),$$

excludes such mixtures: $v_a$ is the least cost of an enterprise over integer plans and trades at the prices $P$ and a
scarcity $s$ of offsets (`etsopt_models._enterprises.subproblem`). Any prices bound the cost, also those of the master.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt.data.policy.yearly import by_year
from etsopt_models._effort import ACCOUNTS_AT_ONCE, ENTERPRISE_PRICE_HALVINGS, ENTERPRISE_RESPONSES_MAX
from etsopt_models._market.holdings import totals
from etsopt_models._market.plans import combined, near_optimal_plans
from etsopt_models._tolerances import RESPONSE_GAP_RELATIVE, TRADED_PRICE_EQUALITY_RELATIVE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._market.accounts import Accounts
    from etsopt_models._market.column_generation import Market
    from etsopt_models._market.plans import Listed, Plans


@dataclass(frozen=True)
class Flows:
    """Trades of accounts, shape ``(accounts, years)`` [t], and holdings at the end, shape ``(accounts,)`` [t]."""

    bought: NDArray[np.float64]
    sold: NDArray[np.float64]
    offset: NDArray[np.float64]
    held: NDArray[np.float64]

    @classmethod
    def nothing(cls, accounts: int, years: int) -> Flows:
        """Return flows of zero."""
        bought, sold, offset = np.zeros((3, accounts, years))
        return cls(bought, sold, offset, np.zeros(accounts))

    @property
    def net(self) -> NDArray[np.float64]:
        """Purchases less sales [t]."""
        return self.bought - self.sold


@dataclass(frozen=True)
class TradeTerms:
    """Terms at which accounts trade, discounted to the first year, shape ``(years,)`` [CNY/t].

    Parameters
    ----------
    price, transaction_cost
        Price of an allowance, and transaction cost of each side of a trade.
    offset_price
        Price of an offset including its scarcity; infinite if none is on offer.
    offset_share, offset_supply
        Share of emissions that offsets may cover, a number; offsets on offer, the most that an account takes [t].
    worth
        Worth of a tonne held at the end, a number.
    """

    price: NDArray[np.float64]
    transaction_cost: NDArray[np.float64]
    offset_price: NDArray[np.float64]
    offset_share: float
    offset_supply: NDArray[np.float64]
    worth: float

    @cached_property
    def most(self) -> NDArray[np.float64]:
        """The highest path of multipliers: that of buyers."""
        return np.minimum.accumulate(self.price + self.transaction_cost)

    @cached_property
    def least(self) -> NDArray[np.float64]:
        """The lowest path of multipliers: that of sellers and keepers."""
        above: NDArray[np.float64] = np.maximum.accumulate((self.price - self.transaction_cost)[::-1])[::-1]
        return np.maximum(above, self.worth)

    @cached_property
    def same(self) -> float:
        """Difference up to which prices are the same [CNY/t]."""
        return TRADED_PRICE_EQUALITY_RELATIVE * float(np.abs(self.price).max(initial=1.0))

    @cached_property
    def _steps(self) -> NDArray[np.float64]:
        """The least price of each cluster of same prices, ascending."""
        every = np.sort(np.concatenate([self._buying, self._selling, self.offset_price, [self.worth]]))
        every = every[np.isfinite(every)]
        return every[np.diff(every, prepend=-np.inf) > self.same]

    def level_of(self, price: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the level of prices of allowances or offsets, shape of ``price`` [CNY/t]."""
        place = np.maximum(np.searchsorted(self._steps, price, side="right") - 1, 0)
        return np.where(np.isfinite(price), self._steps[place], np.inf)

    @cached_property
    def levels(self) -> NDArray[np.float64]:
        """Every level that a multiplier may have, ascending, shape ``(levels,)``."""
        low, high = self.level_of(self.least).min(), self.level_of(self.most).max()
        return self._steps[(self._steps >= low) & (self._steps <= high)]

    @property
    def _buying(self) -> NDArray[np.float64]:
        return self.price + self.transaction_cost

    @property
    def _selling(self) -> NDArray[np.float64]:
        return self.price - self.transaction_cost

    def offsets_most(self, emissions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the most offsets that accounts may surrender, shape of ``emissions`` [t]."""
        return np.minimum(self.offset_share * emissions, self.offset_supply)

    def saved(self, path: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the saving per offset at some multipliers, shape of ``path`` [CNY/t]."""
        return np.maximum(path - self.offset_price, 0.0)

    def best(
        self, weight: NDArray[np.float64], emissions: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the cost of the best trades of accounts, and their multipliers.

        Parameters
        ----------
        weight
            Net demand with the limits of borrowing, shape ``(accounts, years)`` [t].
        emissions
            Emissions, shape ``(accounts, years)`` [tCO2e].

        Returns
        -------
        value, path
            Shapes ``(accounts,)`` [CNY] and ``(accounts, years)`` [CNY/t].
        """
        value, path = np.empty(len(weight)), np.empty(weight.shape)
        for start in range(0, len(weight), ACCOUNTS_AT_ONCE):
            checkpoint()
            block = slice(start, start + ACCOUNTS_AT_ONCE)
            value[block], path[block] = self._best(weight[block].T, self.offsets_most(emissions[block]).T)
        return value, path

    def _best(
        self, weight: NDArray[np.float64], offsets: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        levels, years = self.levels[:, None], len(self.price)
        saved = self.saved(np.broadcast_to(levels, (len(levels), years)))
        inside = (levels >= self.level_of(self.least)) & (levels <= self.level_of(self.most))
        ahead, steps = np.zeros((len(levels), weight.shape[1])), []
        for year in range(years):
            ahead += levels * weight[year]
            if saved[:, year].any():
                ahead -= saved[:, [year]] * offsets[year]
            ahead[~inside[:, year]] = -np.inf
            best = np.empty(ahead.shape, dtype=np.uint8)
            best[-1] = len(levels) - 1
            for k in reversed(range(len(levels) - 1)):
                higher = ahead[k + 1] > ahead[k]
                best[k] = np.where(higher, best[k + 1], k)
                np.maximum(ahead[k], ahead[k + 1], out=ahead[k])
            steps.append(best)
        state, all_accounts = np.zeros(weight.shape[1], dtype=np.int64), np.arange(weight.shape[1])
        path = np.empty((weight.shape[1], years))
        for year in reversed(range(years)):
            state = steps[year][state, all_accounts].astype(np.int64)
            path[:, year] = self.levels[state]
        return ahead[0], path

    def trades(  # long because a level stretch is closed in one place, in the order of what costs less
        self, weight: NDArray[np.float64], emissions: NDArray[np.float64], path: NDArray[np.float64]
    ) -> Flows:
        """Return trades whose cost equals the bound of the best path of multipliers."""
        count, years = weight.shape
        most, offered = self.offsets_most(emissions), self.level_of(self.offset_price)
        offset = np.where(path > offered, most, 0.0)
        begins = np.ones(weight.shape, dtype=bool)
        begins[:, 1:] = path[:, 1:] != path[:, :-1]
        first, stretch = np.flatnonzero(begins), np.cumsum(begins) - 1
        net_demand = np.add.reduceat((weight - offset).ravel(), first)
        at_level = np.where(path == offered, most, 0.0)
        if at_level.any():
            room = np.add.reduceat(at_level.ravel(), first)
            used = np.divide(np.clip(net_demand, 0.0, room), room, out=np.zeros_like(room), where=room > 0)
            more = at_level * used[stretch].reshape(weight.shape)
            offset += more
            net_demand -= np.add.reduceat(more.ravel(), first)
        last = stretch.reshape(weight.shape)[:, -1]
        keeps = np.zeros(len(first), dtype=bool)
        keeps[last] = path[:, -1] == self.level_of(np.array([self.worth]))
        kept = np.where(keeps, np.maximum(-net_demand, 0.0), 0.0)
        net_demand += kept
        bought, sold = (np.zeros(weight.size + 1) for _round in range(2))
        # A stretch whose level no price set has no net demand and no trade: its position is beyond the last.
        nowhere, everywhere = weight.size, np.arange(weight.size)
        buys, sells = ((path == self.level_of(price)).ravel() for price in (self._buying, self._selling))
        bought[np.minimum.reduceat(np.where(buys, everywhere, nowhere), first)] = np.maximum(net_demand, 0.0)
        sold[np.maximum.reduceat(np.where(sells, everywhere, -1), first)] = np.maximum(-net_demand, 0.0)
        return Flows(bought[:-1].reshape(count, years), sold[:-1].reshape(count, years), offset, kept[last])


def steady_prices(price: NDArray[np.float64], terms: TradeTerms) -> NDArray[np.float64]:
    """Return prices raised until no account gains by buying only to sell later, shape ``(years,)`` [CNY/t]."""
    raised = price.copy()
    later = terms.worth
    for year in reversed(range(len(price))):
        raised[year] = max(raised[year], later - terms.transaction_cost[year])
        later = max(later, raised[year] - terms.transaction_cost[year])
    return raised


def declines(instance: Instance) -> str:
    """Return why enterprises cannot respond to prices separately, as a clause; empty if they can."""
    market = instance.policy.market
    offset_price = np.array(by_year(market.ccer_price_cny_per_t, instance.policy.years, np.inf))
    if instance.policy.abatement.divisible_measures:
        return _("accounts of enterprises need integer plans, and here plans may be mixed")
    collar = market.floor_price_cny_per_t is not None or market.ceiling_price_cny_per_t is not None
    if collar or instance.policy.coverage == "part":
        return _("a reserve trades at a floor or ceiling price, and trading has a cost")
    if (offset_price <= market.transaction_cost_cny_per_t).any():
        return _("an offset costs no more than a transaction")
    return ""


def terms_of(market: Market) -> TradeTerms:
    """Return the terms of trade at price zero."""
    policy, baseline = market.instance.policy.market, market.baseline
    offered = by_year(policy.ccer_supply_t, baseline.years, 0.0)
    price = np.where(offered > 0, by_year(policy.ccer_price_cny_per_t, baseline.years, 0.0), np.inf)
    return TradeTerms(
        np.zeros(len(baseline.years)),
        baseline.discount * policy.transaction_cost_cny_per_t,
        baseline.discount * price,
        policy.ccer_share,
        offered,
        float(baseline.discount[-1] * policy.terminal_price_cny_per_t),
    )


def is_steady(trade: TradeTerms) -> bool:
    """Return True if no account gains by buying only to sell or keep."""
    return bool((trade.least <= trade.most + trade.same).all())


def bound_of(market: Market, trade: TradeTerms, scarcity: NDArray[np.float64], response: Response) -> float:
    """Return the lower bound that the response of all enterprises to some terms proves for integer plans [CNY]."""
    bound = float(response.bound.sum() - scarcity @ market.extra["offset_supply"])
    if "supply" in market.extra:
        bound -= float(trade.price @ market.extra["supply"] - np.minimum(trade.price, 0.0) @ market.extra["auctioned"])
    return bound


def multipliers_of(
    market: Market, trade: TradeTerms, scarcity: NDArray[np.float64], response: Response
) -> dict[str, NDArray[np.float64]]:
    """Return the multipliers by row of the response of all enterprises to some terms, with nothing outstanding."""
    path = response.bound_path
    scarce = np.where(
        trade.offset_share * response.joint_plans.emissions <= trade.offset_supply, trade.saved(path), 0.0
    )
    multipliers = {
        "account_balance": path.ravel(),
        "offset_limit": -scarce.ravel(),
        "newly_owed": np.zeros(0),
        "offsets_on_offer": -scarcity,
    }
    if "supply" in market.extra:
        multipliers |= {"market_balance": -trade.price, "reserve_stock": np.zeros(len(trade.price))}
    return multipliers


@dataclass(frozen=True)
class JointPlans:
    """Joint plans of all units of accounts: cost of measures, and quantities by year, shape ``(accounts, years)`` [t].

    Parameters
    ----------
    cost
        Discounted, shape ``(accounts,)`` [CNY].
    weight
        Net demand, with the limits of borrowing at the year's end and at its beginning.
    emissions
        Emissions [tCO2e].
    """

    cost: NDArray[np.float64]
    weight: NDArray[np.float64]
    emissions: NDArray[np.float64]

    def select(self, which: NDArray[np.int64] | NDArray[np.bool_]) -> JointPlans:
        """Return the joint plans of some accounts."""
        return JointPlans(self.cost[which], self.weight[which], self.emissions[which])

    def put(self, which: NDArray[np.int64], other: JointPlans) -> None:
        """Replace the joint plans of some accounts."""
        self.cost[which], self.weight[which], self.emissions[which] = other.cost, other.weight, other.emissions


@dataclass
class Response:
    """Responses of enterprises to some prices.

    Parameters
    ----------
    sets
        Chain of measure sets of every unit, shape ``(units, years)``.
    joint_plans
        Their sums by account.
    value
        Cost with the best trades at the prices, shape ``(accounts,)`` [CNY].
    path
        Multipliers that are best for these plans, shape ``(accounts, years)`` [CNY/t].
    bound, bound_path
        Lower bound over all plans, and the multipliers that prove it.
    account
        Account of each unit.
    """

    sets: NDArray[np.int16]
    joint_plans: JointPlans
    value: NDArray[np.float64]
    path: NDArray[np.float64]
    bound: NDArray[np.float64]
    bound_path: NDArray[np.float64]
    account: NDArray[np.int64]

    def update(self, which: NDArray[np.int64], other: Response, units: NDArray[np.int64]) -> None:
        """Take over lower costs and higher bounds from a response of some accounts.

        Parameters
        ----------
        units
            Their units in the order of the other response, shape ``(units of these,)``.
        """
        cheaper = other.value < self.value[which]
        improved = which[cheaper]
        self.value[improved], self.path[improved] = other.value[cheaper], other.path[cheaper]
        self.joint_plans.put(improved, other.joint_plans.select(cheaper))
        change = cheaper[other.account]
        self.sets[units[change]] = other.sets[change]
        higher = other.bound > self.bound[which]
        self.bound[which[higher]], self.bound_path[which[higher]] = other.bound[higher], other.bound_path[higher]


class Enterprises:
    """All enterprises, or some of them, with their plans.

    Parameters
    ----------
    plans
        Plans of their units.
    account
        Account of each unit, shape ``(units,)``.
    shift
        Weight less emissions plus allowances, shape ``(accounts, years)`` [t].
    """

    def __init__(self, plans: Plans, account: NDArray[np.int64], shift: NDArray[np.float64]) -> None:
        self.plans, self.account, self.shift = plans, account, shift
        self.emissions = totals(plans.baseline.emissions, account, len(shift))

    @classmethod
    def of(cls, plans: Plans, accounts: Accounts) -> Enterprises:
        """Return the enterprises of some accounts."""
        # The opening balance, and the borrowing limit at each year's end but the last.
        limits = np.column_stack([accounts.opening, -accounts.borrowed_most[:, :-1], np.zeros(len(accounts.opening))])
        return cls(plans, accounts.of_unit, np.diff(limits, axis=1))

    def only(
        self, accounts: NDArray[np.int64], times: NDArray[np.float64] | None = None
    ) -> tuple[Enterprises, NDArray[np.int64]]:
        """Return some of the enterprises, each scaled by a factor, and their units."""
        larger = np.ones(len(accounts)) if times is None else times
        place = np.full(len(self.shift), -1)
        place[accounts] = np.arange(len(accounts))
        units = np.flatnonzero(place[self.account] >= 0)
        theirs = place[self.account[units]]
        plans = self.plans.only(units, larger[theirs])
        return Enterprises(plans, theirs, larger[:, None] * self.shift[accounts]), units

    def joint_plans(self, sets: NDArray[np.int16]) -> JointPlans:
        """Return the sums of the plans of all units by account."""
        quantities = self.plans.quantities(np.arange(len(self.account)), sets)
        return self._summed(quantities.cost @ self.plans.baseline.discount, quantities.emissions, quantities.allowance)

    def _summed(
        self, cost: NDArray[np.float64], emissions: NDArray[np.float64], allowance: NDArray[np.float64]
    ) -> JointPlans:
        count = len(self.shift)
        emitted, free = totals(emissions, self.account, count), totals(allowance, self.account, count)
        return JointPlans(np.bincount(self.account, cost, count).astype(float), emitted - free + self.shift, emitted)

    def at(self, trade: TradeTerms, path: NDArray[np.float64]) -> Response:
        """Return the plans that are best at some multipliers, with the best trades for them."""
        value, sets = self.plans.best(path[self.account], self.emitted(trade, path)[self.account])
        joint_plans = self.joint_plans(sets)
        trading_cost, best = trade.best(joint_plans.weight, joint_plans.emissions)
        bound = np.bincount(self.account, value, len(path)) + (path * self.shift).sum(axis=1)
        bound -= trade.saved(path) * self._capped(trade) @ trade.offset_supply
        return Response(sets, joint_plans, joint_plans.cost + trading_cost, best, bound, path.copy(), self.account)

    def _capped(self, trade: TradeTerms) -> NDArray[np.bool_]:
        """Return True where the offer, and not the share of emissions, limits offsets."""
        capped: NDArray[np.bool_] = trade.offset_share * self.emissions > trade.offset_supply
        return capped & np.isfinite(trade.offset_price)

    def emitted(self, trade: TradeTerms, path: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the separate cost of a tonne emitted: below zero, since offsets may cover a share of it [CNY/t]."""
        return np.where(self._capped(trade), 0.0, -trade.offset_share * trade.saved(path))

    def respond(self, trade: TradeTerms, path: NDArray[np.float64] | None = None) -> Response:
        """Return the best plans and trades of every enterprise.

        Parameters
        ----------
        path
            Multipliers at prices nearby, shape ``(accounts, years)``; None starts from those of buyers.
        """
        start = np.tile(trade.most, (len(self.shift), 1)) if path is None else np.clip(path, trade.least, trade.most)
        response = self.at(trade, start)
        some, left, units = self, np.arange(len(start)), np.arange(len(self.account))
        for _round in range(ENTERPRISE_RESPONSES_MAX):
            checkpoint()
            open_ = response.value[left] - response.bound[left] > RESPONSE_GAP_RELATIVE * (
                1 + np.abs(response.value[left])
            )
            if not open_.any():
                return response
            some, mine = some.only(np.flatnonzero(open_))
            left, units = left[open_], units[mine]
            response.update(left, some.at(trade, response.path[left]), units)
        _bisect(some, trade, response, left, units)
        open_ = response.value[left] - response.bound[left] > RESPONSE_GAP_RELATIVE * (1 + np.abs(response.value[left]))
        if open_.any():
            some, mine = some.only(np.flatnonzero(open_))
            _enumerate(some, trade, response, left[open_], units[mine])
        return response


def _bisect(
    some: Enterprises, trade: TradeTerms, response: Response, left: NDArray[np.int64], units: NDArray[np.int64]
) -> None:
    """Bisect multipliers that are equal in all years, as far as the prices allow.

    An account whose multiplier falls borrows up to its limit, which few do.
    """
    low, high = np.full(len(left), trade.least.min()), np.full(len(left), trade.most.max())
    for _round in range(ENTERPRISE_PRICE_HALVINGS):
        checkpoint()
        level = ((low + high) / 2)[:, None]
        path = np.clip(level, trade.least, trade.most)
        candidate = some.at(trade, path)
        response.update(left, candidate, units)
        offsets = np.where(path > trade.offset_price, trade.offsets_most(candidate.joint_plans.emissions), 0.0)
        short = np.where(path == level, candidate.joint_plans.weight - offsets, 0.0).sum(axis=1) > 0
        low, high = np.where(short, level[:, 0], low), np.where(short, high, level[:, 0])


def _enumerate(  # long because plans are enumerated, priced and taken over in one place
    some: Enterprises, trade: TradeTerms, response: Response, left: NDArray[np.int64], units: NDArray[np.int64]
) -> None:
    """Enumerate the plans that may beat the best so far, and take the best of them with its trades."""
    budget, path = response.value[left] - response.bound[left], response.bound_path[left]
    emitted = some.emitted(trade, path)
    of_units, sets = near_optimal_plans(some.plans, path[some.account], emitted[some.account], budget[some.account])
    listed = combined(of_units, some.account, budget)
    if not len(listed.owner):
        return
    joint_plans = joint_plans_of(some, of_units, sets, listed)
    trading_cost, best = trade.best(joint_plans.weight, joint_plans.emissions)
    value = joint_plans.cost + trading_cost
    order = np.lexsort((value, listed.owner))
    first = order[np.unique(listed.owner[order], return_index=True)[1]]
    owner = listed.owner[first]
    cheaper = value[first] < response.value[left[owner]]
    chosen, improved = first[cheaper], left[owner[cheaper]]
    parts = listed.parts[chosen]
    parts = parts[parts >= 0]
    response.sets[units[of_units.owner[parts]]] = sets[parts]
    response.value[improved], response.path[improved] = value[chosen], best[chosen]
    response.joint_plans.put(improved, joint_plans.select(chosen))
    # All plans that could be better were enumerated: the best of them is the best of all.
    response.bound[left[owner]] = np.maximum(
        response.bound[left[owner]], np.minimum(response.value[left[owner]], value[first])
    )


def joint_plans_of(some: Enterprises, of_units: Listed, sets: NDArray[np.int16], listed: Listed) -> JointPlans:
    """Return the sums of enumerated plans of accounts."""
    quantities = some.plans.quantities(of_units.owner, sets)
    cost = np.append(quantities.cost @ some.plans.baseline.discount, 0.0)[listed.parts].sum(axis=1)
    years = sets.shape[1]
    nothing = np.zeros((1, years))
    emissions, allowance = (
        np.concatenate([values, nothing])[listed.parts].sum(axis=1)
        for values in (quantities.emissions, quantities.allowance)
    )
    return JointPlans(cost, emissions - allowance + some.shift[listed.owner], emissions)
