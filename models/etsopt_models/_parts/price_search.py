r"""Prices of a market of enterprises with accounts of their own: the dual of the market's rows alone, whole plans within.

At prices $P_t$, and scarcity $s_t$ of offsets, every enterprise answers by itself, so that

$$D(P, s) = \sum_a v_a(P, s) - \sum_t (P_t N_t - \min(P_t, 0) \, \overline u_t + s_t K_t)$$

bounds the cost from below; $v_a$ is what the best whole plans and dealings of an enterprise come to. An answer of all is a
joint plan of every group of enterprises, with its dealings; the model's own formulation over these, with one account on which
trading is free, is the master of a column generation. Its multipliers are the next prices to ask for. Two things
steady it: groups of enterprises mix their answers apart from each other, and prices stay within a trust region, in which the
market may be served at its edges: one more unit a year, that buys at the lower and sells at the upper price. Where a
tonne that is held at the end has a worth, one more unit buys in any year to keep until then.

Where prices are stated there is no market: what enterprises pay for allowances is part of their cost, nothing is sought
but the scarcity of the offsets that they share, and the master mixes their offsets alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.data.groups import Groups
from etsopt.progress import checkpoint
from etsopt_models._parts.accounts import totals
from etsopt_models._parts.dealing import Flows, Trade, priced

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from etsopt_models._parts.enterprises import Answer, Enterprises

GROUPS = 32
"""Groups of enterprises that mix their answers apart."""

PASSES_MOST = 150
RECENT, USED = 6, 1e-9
"""Of how many answers the plans are remembered beside those that are mixed, and a share that is rounding."""

ENOUGH = 5e-8
"""What better prices could add to the bound, against the cost, which is little enough."""

CLEAR = 1e-7
"""Share of an edge of the trust region that is rounding."""

SMALL = 1e-9
"""A flow of a group that is rounding, against the largest."""


@dataclass(frozen=True)
class Pass:
    """An answer of all enterprises: terms, and what groups come to, shapes ``(groups,)`` and ``(groups, years)``."""

    trade: Trade
    cost: NDArray[np.float64]
    net: NDArray[np.float64]
    offset: NDArray[np.float64]


@dataclass(frozen=True)
class Prices:
    """Where the search ended.

    Parameters
    ----------
    trade
        The terms with the best bound, and the enterprises' answer to them.
    scarcity
        What one offset more on offer would save, shape ``(years,)`` [CNY/t].
    passes, weights
        Answers of all, and how much of each the groups mix, shape ``(groups, passes)``.
    cleared
        Whether the mixture clears the market.
    kept
        What is bought in each year beyond need, to be kept to the end, shape ``(years,)`` [t].
    bound
        Lower bound of the cost [CNY].
    """

    trade: Trade
    answer: Answer
    scarcity: NDArray[np.float64]
    passes: list[Pass]
    weights: NDArray[np.float64]
    cleared: bool
    kept: NDArray[np.float64]
    bound: float


@dataclass(frozen=True)
class Mixture:
    """What the master mixes: cost [CNY], its multipliers [CNY/t], and how much of each answer."""

    value: float
    price: NDArray[np.float64]
    scarcity: NDArray[np.float64]
    weights: NDArray[np.float64]
    cleared: bool
    kept: NDArray[np.float64]


class Search:
    """Search for the prices of some enterprises.

    Parameters
    ----------
    crowd
        The enterprises.
    terms
        Terms of trade at no price.
    market
        Parameters of the market's rows; without ``supply`` prices are stated.
    relax
        Solves the relaxation of the model's formulation with some parameters.
    """

    def __init__(
        self,
        crowd: Enterprises,
        terms: Trade,
        market: Mapping[str, Any],
        relax: Callable[..., Any],
    ) -> None:
        self.crowd, self.terms, self.market, self.relax = crowd, terms, market, relax
        self.stated = "supply" not in market
        self.group = np.arange(len(crowd.shift)) % GROUPS
        self.passes: list[Pass] = []
        self.path: NDArray[np.float64] | None = None
        self.sets: dict[int, NDArray[np.int16]] = {}

    def ask(self, price: NDArray[np.float64], scarcity: NDArray[np.float64]) -> tuple[Answer, float]:
        """Ask all at some prices: their answer, and the bound that it proves."""
        checkpoint(f"prices of {len(self.crowd.shift):,} accounts, pass", len(self.passes) + 1)
        trade = replace(self.terms, price=priced(price, self.terms), offset_price=self.terms.offset_price + scarcity)
        answer = self.crowd.answer(trade, self.path)
        self.path = answer.path
        self.sets[len(self.passes)] = answer.sets
        joint = answer.joint
        done = trade.dealings(joint.weight, joint.emissions, answer.path)
        cost, net, rows = cost_of(self.terms, answer, done), done.net, 0.0
        if self.stated:
            cost, net = cost + net @ trade.price, 0 * net
        else:
            rows = trade.price @ self.market["supply"] - np.minimum(trade.price, 0.0) @ self.market["auctioned"]
        sums = (totals(flow, self.group, GROUPS) for flow in (net, done.offset))
        self.passes.append(Pass(trade, np.bincount(self.group, cost, GROUPS).astype(float), *sums))
        return answer, float(answer.value.sum() - rows - scarcity @ self.market["offset_supply"])

    def level(self) -> NDArray[np.float64]:
        """Prices at which those who buy pay the same in every year and the market clears in all, felt out by halving."""
        low, high = max(self.terms.worth, LEAST_PRICE), HIGHEST_PRICE
        nothing = np.zeros(len(self.terms.price))
        for _ in range(LEVELS):
            middle = np.sqrt(low * high)
            self.ask(middle - self.terms.friction, nothing)
            self.sets.clear()
            lacks = self.passes.pop().net.sum() > self.market["supply"].sum()
            low, high = (middle, high) if lacks else (low, middle)
        return low - self.terms.friction

    def run(self, price: NDArray[np.float64], scarcity: NDArray[np.float64], width: float, enough: float) -> Prices:
        """Search from some prices on.

        Parameters
        ----------
        width
            How far prices may move at first, against the largest.
        enough
            What better prices could add to the bound, against the cost, which is little enough.
        """
        best, answer, mixed = -np.inf, None, None
        center, asked = (price, scarcity), (price, scarcity)
        scale = float(np.abs(price).max())
        wide = width * scale
        for _ in range(PASSES_MOST):
            found, bound = self.ask(*asked)
            gained = 0.5 if mixed is None else (bound - best) / max(mixed.value - best, 1e-300)
            if bound > best:
                best, answer, center = bound, found, (self.passes[-1].trade.price, asked[1])
            wide *= next(factor for least, factor in STEPS if gained >= least)
            mixed = self.master(*center, wide)
            for number in [*self.sets]:
                if number < len(self.passes) - RECENT and mixed.weights[:, number].max() <= USED:
                    del self.sets[number]
            while not mixed.cleared and mixed.value - best <= enough * abs(mixed.value) and wide < scale:
                # Nothing is to be gained nearby, and the edges of a region so small cost nothing.
                wide *= 10
                mixed = self.master(*center, wide)
            asked = mixed.price, mixed.scarcity
            if mixed.cleared and mixed.value - best <= enough * abs(mixed.value):
                break
        assert answer is not None
        assert mixed is not None
        trade = replace(self.terms, price=center[0], offset_price=self.terms.offset_price + center[1])
        return Prices(trade, answer, center[1], self.passes, mixed.weights, mixed.cleared, mixed.kept, best)

    def master(
        self,
        price: NDArray[np.float64],
        scarcity: NDArray[np.float64],
        wide: float,
        changes: Mapping[str, Any] | None = None,
    ) -> Mixture:
        """Mix the answers so that the market clears at the least cost.

        Parameters
        ----------
        price, scarcity, wide
            Of the trust region: its middle, and how far prices may move [CNY/t].
        changes
            Parameters that differ.
        """
        many, years = len(self.passes), len(price)
        parameters = self._parameters(price, scarcity, wide)
        solution = self.relax(parameters | dict(changes or {}), "cost")
        rows, choice = solution.levels[0].multipliers, solution.values["choice"]
        groups, edges, keeps = np.split(choice, [GROUPS * many, GROUPS * many + 6 * years])
        return Mixture(
            solution.levels[0].value,
            price if self.stated else -rows["market_balance"],
            np.maximum(-rows["offsets_on_offer"], 0.0),
            groups.reshape(GROUPS, many),
            bool((edges.reshape(-1, 3)[:, 1:] <= CLEAR).all()),
            -(keeps[:, None] * parameters["relief"][len(choice) - len(keeps) :]).sum(axis=0),
        )

    def _parameters(self, price: NDArray[np.float64], scarcity: NDArray[np.float64], wide: float) -> dict[str, Any]:
        """Arrays of the model's formulation over joint plans of groups, and the edges of the trust region."""
        years, many = len(price), len(self.passes)
        net, offset = (
            np.stack([getattr(one, name) for one in self.passes], axis=1).reshape(-1, years)
            for name in ("net", "offset")
        )
        wanted = self.market["offset_supply" if self.stated else "supply"]
        largest = float(max(np.abs(net).max(initial=1.0), offset.max())) + float(np.abs(wanted).max())
        net, offset = (np.where(np.abs(flow) > SMALL * largest, flow, 0.0) for flow in (net, offset))
        cost = np.stack([one.cost for one in self.passes], axis=1).ravel()
        # Every year has a unit that does nothing, sells at the upper edge, or buys at the lower one; and one for offsets.
        much = GROUPS * largest
        edge = np.zeros((2, years, 3, years))
        edge[:, np.arange(years), 1, np.arange(years)], edge[:, np.arange(years), 2, np.arange(years)] = much, -much
        middle = np.stack([price, scarcity])
        paid = much * np.stack([0 * middle, middle + wide, -np.maximum(middle - wide, [[-np.inf], [0.0]])], axis=2)
        of_offsets = np.concatenate([0 * edge[0], edge[1]]).reshape(-1, years)
        keeps = np.vstack([np.zeros((1, years)), -much * np.eye(years)])
        kept = np.append(0.0, much * (self.terms.friction - self.terms.worth + NEVER * (self.terms.worth == 0)))
        if self.stated:
            # Allowances are dealt at their prices, and nobody else deals in them.
            edge[0], paid[0] = 0.0, 0.0
        units = [np.arange(GROUPS), GROUPS + np.arange(2 * years), GROUPS + np.array([2 * years])]
        unit = np.concatenate([np.repeat(own, count) for own, count in zip(units, (many, 3, years + 1), strict=True)])
        most, nothing, stock = np.full((1, years), 3 * years * much), np.zeros((1, years)), np.zeros((1, years + 1))
        free = np.zeros(years)
        return {
            "UNITS": GROUPS + 2 * years + 1,
            "PLANS": np.arange(len(unit)),
            "ACCOUNTS": 1,
            "YEARS": years,
            "TIMES": years + 1,
            "OWING": np.arange(0),
            "PLANS_OF_UNIT": Groups.from_labels(unit, GROUPS + 2 * years + 1),
            "PLANS_OF_ACCOUNT": Groups.from_labels(np.zeros_like(unit), 1),
            "plan_cost": np.concatenate([cost, paid.ravel(), kept]),
            # What a group buys and surrenders the one account delivers, offsets up to what the group surrenders.
            "relief": np.concatenate([-net - offset, edge.reshape(-1, years), keeps]),
            "abated": np.concatenate([-offset, of_offsets, 0 * keeps]),
            "offset_share": 1.0,
            "chosen_cost": 0.0,
            "lacking": nothing,
            "emissions": nothing,
            "buying_most": most * (not self.stated),
            "selling_most": most * (not self.stated),
            "offsets_most": most,
            **dict.fromkeys(("banked_least", "banked_most", "owed_most"), stock),
            **dict.fromkeys(("buying_cost", "selling_cost", "offset_cost"), free),
            **dict.fromkeys(("owing_cost", "banked_worth"), stock[0]),
            **self.market,
        }


LEAST_PRICE, HIGHEST_PRICE, LEVELS = 1e-2, 1e5, 24
"""Between which prices the level is felt out [CNY/t], and in how many steps."""

NEVER = 1e3
"""Cost of keeping what is worth nothing at the end [CNY/t]."""

STEPS = ((0.7, 2.5), (0.4, 1.5), (0.0, 1.0), (-np.inf, 0.4))
"""By what the trust region widens, from which share of what the master promised on that the bound gained."""


def cost_of(terms: Trade, answer: Answer, done: Flows) -> NDArray[np.float64]:
    """Cost of measures, of trading, and of offsets, less the worth of what is kept, shape ``(accounts,)`` [CNY]."""
    offset_cost = np.where(np.isfinite(terms.offset_price), terms.offset_price, 0.0)
    trade = (done.bought + done.sold) @ terms.friction + done.offset @ offset_cost
    cost: NDArray[np.float64] = answer.joint.cost + trade - terms.worth * done.held
    return cost
