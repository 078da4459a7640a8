"""Near-optimal enumeration: the best choice among all plans of small reduced cost, by the solver's branch and bound.

With a bound $L$ and an answer of cost $U$, no better answer has a plan whose reduced cost exceeds $U - L$. Baldacci,
Christofides and Mingozzi (2008) enumerate the others; the model's own formulation over them is exact. If they are too
many, those with the least reduced cost can only improve the answer. Accounts without a choosing unit trade as in the
known answer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.errors import SolverError
from etsopt_models._columns.incumbents import value_of
from etsopt_models._effort import (
    LISTED_PLANS_FAST_MAX,
    LISTED_PLANS_OF_ACCOUNTS_FAST_MAX,
    REDUCED_COST_LIMIT_FACTOR,
    RETRADING_MAX_ACCOUNT_YEARS,
)
from etsopt_models._market.column_pool import ColumnPool
from etsopt_models._market.near_optimal_plans import near_optimal_plans
from etsopt_models._tolerances import CHOSEN_INTEGER_MIN, SUPPLY_WITHHELD_RELATIVE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt_models._columns.incumbents import Incumbent
    from etsopt_models._columns.master import Master, Priced
    from etsopt_models._market.column_generation import Market


def improve_by_listing(master: Master, root: Priced, incumbent: Incumbent, gap: float, most: int) -> bool:
    """Choose among at most `most` enumerated plans, and take better ones; return True if no better answer is left.

    If plans are too many, those with the least reduced cost are tried first; a better incumbent then leaves fewer.
    """
    all_accounts = master.market.accounts.emissions.size <= RETRADING_MAX_ACCOUNT_YEARS
    few = LISTED_PLANS_FAST_MAX if len(master.market.accounts.labels) == 1 else LISTED_PLANS_OF_ACCOUNTS_FAST_MAX
    while True:
        before, complete = incumbent.value, all_accounts
        budget = max(incumbent.value - root.bound, 0.0)
        plans = listed_plans(master, root, budget, most if all_accounts else few)
        while most > few and plans is None and budget > gap * abs(incumbent.value) * REDUCED_COST_LIMIT_FACTOR**8:
            budget, complete = REDUCED_COST_LIMIT_FACTOR * budget, False
            plans = listed_plans(master, root, budget, few)
        if plans is None:
            return False
        ended = _choose_listed(master, plans.with_columns(*incumbent.arrays), gap, incumbent, all_accounts)
        if ended and complete:
            return True
        if not before - incumbent.value > incumbent.allowed(gap):
            return False


def listed_plans(master: Master, root: Priced, budget: float, most: int) -> ColumnPool | None:
    """Return all plans with a reduced cost within a budget; None if units with several have too many."""
    units, years = len(master.row), master.years
    need, emitted = (np.broadcast_to(prices, (units, years)) for prices in master.prices(root.multipliers))
    near, sets = near_optimal_plans(master.plans, need, emitted, np.full(units, budget))
    count = np.bincount(near.owner, minlength=units)
    if not count.all() or (count > 1) @ count > most:
        return None
    return ColumnPool.of(master.plans, near.owner, sets)


def _choose_listed(master: Master, plans: ColumnPool, gap: float, incumbent: Incumbent, all_accounts: bool) -> bool:
    """Run branch and bound among enumerated plans and return True if it ended; units with one plan are fixed."""
    market = master.market
    many = np.diff(np.append(plans.first, len(plans.unit)))
    choosing = np.flatnonzero(many > 1)
    if not len(choosing):
        return True
    alone, kept = plans.select(plans.first[many == 1]), plans.select(np.isin(plans.unit, choosing))
    small = _market_of(master, incumbent, alone, choosing, all_accounts)
    size = float(market.baseline.emissions.sum(axis=0).max())
    # With stated prices no market has to clear, so no supply is withheld.
    clears = "supply" in small.extra
    for margin in SUPPLY_WITHHELD_RELATIVE if clears else SUPPLY_WITHHELD_RELATIVE[:1]:
        changes = {"supply": small.extra["supply"] - margin * size} if clears else {}
        try:
            solution = market.relax.whole(small.parameters(kept.among(choosing), changes), "cost", gap)
        except SolverError:
            # Coefficients that span too many decades are not passed to the solver; the tree follows.
            return False
        if not solution.levels:
            return False
        taken = kept.select(solution.values["choice"] > CHOSEN_INTEGER_MIN)
        picked = master.picked(np.concatenate([taken.unit, alone.unit]), np.concatenate([taken.sets, alone.sets]))
        value = value_of(master, picked)
        incumbent.update(master, value, picked)
        if np.isfinite(value):
            return str(solution.termination) == "optimal"
    return False


def _market_of(
    master: Master, incumbent: Incumbent, alone: ColumnPool, choosing: NDArray[np.int64], all_accounts: bool
) -> Market:
    """Return the market of choosing units, with the others fixed; of all accounts, or of theirs alone."""
    market, accounts = master.market, master.market.accounts
    if all_accounts:
        rest = alone.columns.on_accounts(accounts.of_unit, len(accounts.labels))
        return market.of(choosing, rest)
    chosen = np.unique(accounts.of_unit[choosing])
    value_of(master, master.places(*incumbent.arrays))
    others = np.ones(len(accounts.labels), dtype=bool)
    others[chosen] = False
    flows = {
        name: master.flows[name].reshape(len(others), -1)[others].sum(axis=0) for name in ("bought", "sold", "offset")
    }
    extra = dict(market.extra)
    extra["offset_supply"] = np.maximum(extra["offset_supply"] - flows["offset"], 0.0)
    if "supply" in extra:
        extra["supply"] = extra["supply"] - flows["bought"] + flows["sold"]
    beside = alone.select(~others[accounts.of_unit[alone.unit]])
    place = np.minimum(np.searchsorted(chosen, accounts.of_unit), len(chosen) - 1)
    rest = beside.columns.on_accounts(place, len(chosen))
    return replace(market, accounts=accounts.some(chosen, choosing), extra=extra, rest=rest)
