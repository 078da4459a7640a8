"""What everyone does at prices that clear the market, and the small program of those who choose and deal anew."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt_models._enterprises.price_decomposition import cost_of
from etsopt_models._enterprises.whole_accounts import bound_of, multipliers_of
from etsopt_models._market.accounts import account_limits, outstanding_cost
from etsopt_models._market.column_generation import Found
from etsopt_models._market.column_pool import ColumnPool, PlanColumns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt_models._enterprises.subproblem import Answer, Enterprises
    from etsopt_models._enterprises.trading import Flows, Trade
    from etsopt_models._market.column_generation import Market

CORE, DEALERS = 80, 40
"""Enterprises that choose anew because they would lose least by it, as many because it would move most, and those that
deal most."""

MOST = {"bought": "buying_most", "sold": "selling_most", "offset": "offsets_most"}
"""Parameters that bound flows from above."""

SLACK = 1e-6
"""What flows may move beyond that, against all emissions: the relaxation holds its rows within rounding."""

SPARE_T = 1e-3
"""What may exceed a limit by rounding [t]."""

AIM_PART, NODES, CHOSEN = 0.01, 500, 0.5
"""Part of the gap that is asked at which branch and bound of the core stops, its nodes at most, and a choice that is nearer
to one."""

MENDED = 2 * CORE
"""Enterprises beyond their limits that deal anew in the core, at most."""

PLAIN = (5e-7, np.inf)
"""What mixtures of plans may save in the core at first, against the value of all, and where it is not proven with that:
then some enterprise that they would serve better may be the one that the others need."""


@dataclass(frozen=True)
class Settled:
    """What everyone does at the prices, before the core chooses anew.

    Parameters
    ----------
    terms, trade
        Terms of trade at no price, and at the prices.
    scarcity
        What one offset more on offer would save, shape ``(years,)`` [CNY/t].
    answer, flows
        Plans of all, and dealings with them.
    others
        Chains of sets of all units at prices nearby.
    plain
        What mixtures of plans may save in the core.
    """

    market: Market
    crowd: Enterprises
    terms: Trade
    trade: Trade
    scarcity: NDArray[np.float64]
    answer: Answer
    flows: Flows
    others: list[NDArray[np.int16]]
    plain: float = PLAIN[0]

    def breaks(self) -> str:
        """Why what everyone does is no answer, as a clause; empty where it is one, with some dealing anew."""
        owing = outstanding_cost(self.market.instance, self.market.found)
        if (self.trade.price + self.trade.friction > owing).any():
            return "an enterprise would rather owe"
        if self.trade.most.max() - self.trade.least.min() > owing.min():
            return "an enterprise would rather owe"
        beyond = int(self.beyond_limits.sum())
        if beyond > MENDED:
            return f"{beyond:,} enterprises would deal, hold or borrow beyond their limits"
        if self.offsets_lack(self._rest).any():
            return "more offsets would be used than are on offer"
        return ""

    def offsets_lack(self, of: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
        """Years in which some accounts, or all, would use more offsets than are on offer to all, shape ``(years,)``."""
        used = (self.flows.offset if of is None else self.flows.offset[of]).sum(axis=0)
        lack: NDArray[np.bool_] = used > self.market.more["offset_supply"] + SPARE_T
        return lack

    @cached_property
    def banked(self) -> NDArray[np.float64]:
        """What is held at the beginning of each year and at the end of the last, shape ``(accounts, years + 1)`` [t]."""
        own, flows = self.market.own, self.flows
        net_demand = np.cumsum(self.answer.joint.weight - flows.net - flows.offset, axis=1)
        # The weight holds what may be borrowed at the end of a year; what is held is above that.
        limit = np.column_stack([-own.borrowed_most[:, :-1], 0 * own.opening])
        return np.column_stack([own.opening, limit - net_demand])

    @cached_property
    def beyond_limits(self) -> NDArray[np.bool_]:
        """Accounts that use too many offsets, hold too much or borrow too much in some year, shape ``(accounts,)``."""
        own, flows, most = self.market.own, self.flows, account_limits(self.market.own)
        offsets = self.terms.offsets_most(self.answer.joint.emissions)
        room = SPARE_T + 1e-9 * own.emissions
        beyond: NDArray[np.bool_] = flows.offset > offsets + room
        beyond |= self.banked[:, 1:] < most["banked_least"][:, 1:] - room
        beyond |= self.banked[:, 1:] > most["banked_most"][:, 1:] + room
        return np.any(beyond, axis=1)

    def core(self) -> tuple[Market, ColumnPool, NDArray[np.int64], Found]:
        """The market of those near a tie, their plans and accounts, and what the tables need of everyone."""
        market, own, crowd = self.market, self.market.own, self.crowd
        unit, sets, accounts = self._near_ties
        units = np.flatnonzero(np.isin(own.of_unit, accounts))
        portfolio = ColumnPool.of(crowd.plans.only(units), np.arange(len(units)), self.answer.sets[units]).added(
            np.searchsorted(units, unit), sets
        )
        rest = self._rest
        few = own.some(accounts, units)
        years = len(self.trade.price)
        cost = float(cost_of(self.terms, self.answer, self.flows)[rest].sum())
        more, net, offset = dict(market.more), self.flows.net[rest].sum(axis=0), self.flows.offset[rest].sum(axis=0)
        more["offset_supply"] = np.maximum(more["offset_supply"] - offset, 0.0)
        if "supply" in more:
            more["supply"] = more["supply"] - net
        else:
            cost += float(net @ self.trade.price)
        nothing = np.zeros((1, years))
        others = PlanColumns(np.zeros(1, dtype=np.int64), np.array([cost]), nothing, nothing)
        small = replace(market, own=few, more=more, rest=others)
        everyone = ColumnPool.of(crowd.plans, np.arange(len(own.of_unit)), self.answer.sets)
        found = Found(portfolio, own, everyone=everyone, core=units, widened=Widened(self, accounts))
        return small, portfolio, accounts, found

    def proven(self, gap: float) -> tuple[dict[str, Any], Found] | None:
        """The core with the plans that its branch and bound chooses; None where these are not proven within a gap."""
        small, portfolio, accounts, found = self.core()
        parameters = self._near(small.parameters(portfolio), portfolio, accounts)
        aim = AIM_PART * self.market.relax.options.gap_or_default
        solution = self.market.relax.whole(parameters, "cost", aim, NODES)
        if not solution.levels:
            return None
        value = solution.levels[0].value
        if not value - bound_of(self.market, self.trade, self.scarcity, self.answer) <= gap * abs(value):
            return None
        chosen = portfolio.kept(solution.values["choice"] > CHOSEN)
        held = {name: parameters[name] for name in (*MOST.values(), "auctioned") if name in parameters}
        return small.parameters(chosen) | held, replace(found, portfolio=chosen)

    def _plain(self, accounts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of some accounts that no mixture of plans would serve much better.

        The others would leave branch and bound a gap that prices have closed already.
        """
        answer = self.answer
        bound = self.crowd.only(accounts)[0].at(self.trade, answer.bound_path[accounts]).bound
        most = self.plain * float(np.abs(answer.value).sum()) / (2 * CORE + DEALERS)
        plain: NDArray[np.int64] = accounts[np.abs(answer.value[accounts] - bound) <= most]
        return plain

    def _near(self, parameters: dict[str, Any], portfolio: ColumnPool, accounts: NDArray[np.int64]) -> dict[str, Any]:
        """The parameters, with flows held where the core can bring them: a solver's rows hold to a share of those.

        Whoever would break a limit is not held to what he would do.
        """
        demand_reduction, first = portfolio.menu.demand_reduction, portfolio.first
        reach = float(
            (np.maximum.reduceat(demand_reduction, first) - np.minimum.reduceat(demand_reduction, first)).sum()
        )
        reach += SLACK * float(self.market.own.emissions.sum())
        for flow, most in MOST.items():
            now = getattr(self.flows, flow)[accounts]
            now = np.where(self.beyond_limits[accounts, None], np.inf, now)
            parameters[most] = np.minimum(parameters[most], now + reach)
        if "auctioned" in parameters:
            unsold = np.maximum(self.market.more["supply"] - self.flows.net.sum(axis=0), 0.0)
            parameters["auctioned"] = np.minimum(parameters["auctioned"], unsold + reach)
        return parameters

    @cached_property
    def _rest(self) -> NDArray[np.bool_]:
        """Accounts that are not of the core, shape ``(accounts,)``."""
        rest = np.ones(len(self.market.own.labels), dtype=bool)
        rest[self._near_ties[2]] = False
        return rest

    @cached_property
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
        dealers = np.argsort(-np.abs(self.flows.net).sum(axis=1), kind="stable")[: 4 * DEALERS]
        asked = np.flatnonzero(np.isfinite(loss) | np.isin(np.arange(len(loss)), dealers))
        plain = self._plain(asked)
        loss[np.setdiff1d(asked, plain)], moved[np.setdiff1d(asked, plain)] = np.inf, 0.0
        # Those who move most take up what one of them leaves, those who lose least the remainder.
        chosen = np.concatenate([np.argsort(order, kind="stable")[:CORE] for order in (loss, -moved)])
        chosen = chosen[np.isfinite(loss[chosen])]
        beyond = np.flatnonzero(self.beyond_limits)
        accounts = np.unique(np.concatenate([chosen, dealers[np.isin(dealers, plain)][:DEALERS], beyond]))
        found.append((np.zeros(0, dtype=np.int64), answer.sets[:0]))
        unit, sets = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
        kept = np.isin(own.of_unit[unit], accounts)
        return unit[kept], sets[kept], accounts


@dataclass(frozen=True)
class Widened:
    """Makes of a solution of the core one of all accounts, with the multipliers of the prices."""

    settled: Settled
    accounts: NDArray[np.int64]

    def __call__(self, solution: Any) -> Any:
        """A solution with values of all accounts; the core's are its own."""
        settled, own = self.settled, self.settled.market.own
        years = len(settled.trade.price)
        flows = {"bought": settled.flows.bought, "sold": settled.flows.sold, "offset": settled.flows.offset}
        flows |= {"banked": settled.banked, "outstanding": np.zeros((len(own.labels), years + 1))}
        values = dict(solution.values)
        for name, whole in flows.items():
            whole = whole.copy()
            whole[self.accounts] = values[name].reshape(len(self.accounts), -1)
            values[name] = whole.ravel()
        multipliers = multipliers_of(settled.market, settled.trade, settled.scarcity, settled.answer)
        first = replace(solution.levels[0], multipliers=multipliers)
        return replace(solution, values=values, levels=(first, *solution.levels[1:]))
