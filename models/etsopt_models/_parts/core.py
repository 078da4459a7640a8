"""The core of a market: who is near a tie chooses whole plans in the model's own program, everyone else has chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt_models._parts.portfolio import Portfolio
from etsopt_models._parts.search import Found

if TYPE_CHECKING:
    from etsopt_models._parts.narrowing import Crowd

CORE = 300
"""Units among which branch and bound chooses."""

PLANS_OF_CORE = 16
"""Plans of each of them."""

SLACK = 1e-6
"""What flows may move beyond that, against all emissions: the relaxation holds its rows within rounding."""

MOST = {
    "bought": "buying_most",
    "sold": "selling_most",
    "offset": "offsets_most",
    "owed": "owed_most",
    "unsold": "auctioned",
    "released": "released_most",
    "absorbed": "absorbed_most",
}
"""Parameters that bound flows from above, and what is owed."""


def core_of(crowd: Crowd) -> tuple[dict[str, Any], Found] | None:
    """Parameters over the plans of those near a tie, and what the tables need of everyone.

    None where those cannot meet the demand, even if all that they can do is done.
    """
    portfolio = crowd.portfolio
    best, apart = portfolio.apart(crowd.prices)
    crowd.sets[crowd.left] = portfolio.sets[best]
    nearest = np.minimum.reduceat(apart, portfolio.first)
    chosen = np.zeros(len(crowd.left), dtype=bool)
    chosen[np.argsort(nearest, kind="stable")[:CORE]] = True
    crowd.leave(chosen)
    mine = portfolio.kept(chosen[portfolio.unit])
    own = crowd.plans.only(crowd.left)
    unit, sets = own.through_every_set(*crowd.prices)
    core = Portfolio.of(own, np.cumsum(chosen)[mine.unit] - 1, mine.sets).added(unit, sets)
    best, apart = core.apart(crowd.prices)
    apart[best] = 0.0
    order = np.lexsort((apart, core.unit))
    rank = np.arange(len(order)) - core.first[core.unit[order]]
    core = core.kept(np.sort(order[rank < PLANS_OF_CORE]))
    market = crowd.market_of(len(crowd.left))
    if not market.relax(market.parameters(_doing_most(core)), "cost").levels:
        return None
    everyone = Portfolio.of(crowd.plans, np.arange(len(crowd.sets)), crowd.sets)
    found = Found(core, crowd.market.own, everyone=everyone, core=crowd.left, proof=crowd.solution)
    return _near(crowd, core), found


def _near(crowd: Crowd, core: Portfolio) -> dict[str, Any]:
    """Parameters of the core's program, its flows and stocks held where the core can bring them.

    From where they are in the relaxation no choice of the core moves them farther than all its tonnes together. A
    solver's rows hold to a share of the largest flow they could have: without this, hundreds of tonnes at a million
    units.
    """
    relief, first = core.menu.relief, core.first
    reach = float((np.maximum.reduceat(relief, first) - np.minimum.reduceat(relief, first)).sum())
    reach += SLACK * float(crowd.market.own.emissions.sum())
    parameters, values = crowd.market_of(len(crowd.left)).parameters(core), crowd.solution.values
    for flow, most in MOST.items():
        if flow in values:
            now = values[flow].reshape(parameters[most].shape)
            parameters[most] = np.minimum(parameters[most], now + reach)
    for stock in ("banked", "reserve"):
        if stock in values:
            least, most = f"{stock}_least", f"{stock}_most"
            now = values[stock].reshape(parameters[most].shape)
            parameters[least] = np.maximum(parameters[least], np.minimum(now - reach, parameters[most]))
            parameters[most] = np.minimum(parameters[most], np.maximum(now + reach, parameters[least]))
    return parameters


def _doing_most(portfolio: Portfolio) -> Portfolio:
    """Of every unit the plan with the greatest relief."""
    order = np.lexsort((-portfolio.menu.relief.sum(axis=1), portfolio.unit))
    return portfolio.kept(order[portfolio.first])
