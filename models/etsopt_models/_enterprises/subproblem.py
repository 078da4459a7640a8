r"""Pricing subproblem of enterprises with accounts of their own: integer plans of all units, and trades with them.

Plans and trades of an enterprise depend on each other: the plans that are best at multipliers of its account imply
trades for which other multipliers are best. Most enterprises converge at once, since they buy, or sell, with every plan
that matters: if multipliers and plans reproduce each other, no plan is better. The others lie between buying and
selling. Bisection narrows their multipliers between the paths of sellers and of buyers, until few plans can beat the
best one found; these are enumerated and evaluated one by one. So every response is exact, and no mixture of plans.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.progress import checkpoint
from etsopt_models._effort import ENTERPRISE_PRICE_HALVINGS, ENTERPRISE_RESPONSES_MAX
from etsopt_models._market.holdings import totals
from etsopt_models._market.near_optimal_plans import combined, near_optimal_plans
from etsopt_models._tolerances import RESPONSE_GAP_RELATIVE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt_models._enterprises.trading import TradeTerms
    from etsopt_models._market.accounts import Accounts
    from etsopt_models._market.near_optimal_plans import Listed
    from etsopt_models._market.plans import Plans


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
        for _ in range(ENTERPRISE_RESPONSES_MAX):
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
    for _ in range(ENTERPRISE_PRICE_HALVINGS):
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
