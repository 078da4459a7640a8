r"""A market that cannot clear, recognised before anything has a price.

Neither a trading cost nor a balance value adds an allowance to a market: limits of accounts add up, so that whatever
accounts of enterprises clear one account of all clears, and a self-balancing sector gets what it emits. So the least
unmet demand of one account in which such a sector frees nothing (`Market.balanced_in_sum`) is a lower bound at every
trading cost and every balance value.

Only sums matter there: a column is one plan of every unit, and the units together choose among these columns (Dantzig
and Wolfe 1960, with one block). At multipliers $y$ of the rows the best column has the best of all plans of each unit.
If none is better than those at hand, the multipliers prove the unmet demand; once nothing is unmet, the market clears
as far as tonnes go.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt_models._columns.master import IN_TONNES, UNMET
from etsopt_models._columns.variable_fixing import pooled
from etsopt_models._effort import PRICING_ROUNDS_MAX
from etsopt_models._market.accounts import account_parameters
from etsopt_models._market.balance_values import pass_of
from etsopt_models._market.column_generation import PreparedMarket, Shortage, unit_prices
from etsopt_models._market.column_pool import ColumnPool
from etsopt_models._market.plans import Plans
from etsopt_models._tolerances import PLAN_GAIN_RELATIVE, PRICING_GAIN_RELATIVE, UNMET_TOLERANCE_T

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from etsopt_models._market.column_generation import Market
    from etsopt_models._market.column_pool import PlanColumns


def prepare_pass(
    market: Market, before: Mapping[str, pd.DataFrame], prepare: Callable[[Market], PreparedMarket]
) -> PreparedMarket:
    """Prepare a market, in the first pass only if it can clear.

    The relaxation of one account with lump sums, which is solved first in any case, needs no such trial.

    Parameters
    ----------
    before
        Tables from which the market starts, with those of the passes so far.
    prepare
        A function that prepares a market.
    """
    needs_trial = len(market.accounts.labels) > 1 or market.baseline.follows.any()
    if needs_trial and not pass_of(before) and (short := short_market(market)):
        return short
    return prepare(market)


def short_market(market: Market) -> PreparedMarket | None:
    """Return the program without measures and the proof of the unmet demand; None if the market can clear.

    Of a market at stated prices, which needs no clearing, None as well.
    """
    if "supply" not in market.extra:
        return None
    one = pooled(market.balanced_in_sum)
    shortage = _shortage_of(one)
    if shortage is None:
        return None
    start = ColumnPool.start(Plans.of(market.instance, market.baseline))
    return PreparedMarket(market.parameters(start), start, one.accounts, shortage=shortage)


def _shortage_of(market: Market) -> Shortage | None:
    """Return the least unmet demand of one account, with its multipliers; None if there is none."""
    plans, instance = Plans.of(market.instance, market.baseline), market.instance
    at_hand = _sum_of(plans, np.zeros(market.baseline.emissions.shape, dtype=np.int16))
    grown = _program_of(market, at_hand)
    rows, unmet = grown.program.rows, grown.program.columns["unmet"]
    for number in range(PRICING_ROUNDS_MAX):
        checkpoint(_("unmet demand, round"), number + 1)
        vertex = grown.solve()
        if vertex is None or vertex.value <= UNMET_TOLERANCE_T:
            break
        multipliers = {name: vertex.multipliers[block] for name, block in rows.items() if name != "one_plan"}
        need, emitted = unit_prices(instance, market.accounts, multipliers)
        best = _sum_of(plans, plans.best(need, emitted, 0.0)[1])
        known, saved = ((need * one.demand_reduction + emitted * one.abated).sum(axis=1) for one in (at_hand, best))
        if saved.item() - known.max() <= PRICING_GAIN_RELATIVE * vertex.value + PLAN_GAIN_RELATIVE * abs(saved.item()):
            return Shortage(np.maximum(vertex.x[unmet], 0.0), multipliers)
        owing = rows["newly_owed"].stop - rows["newly_owed"].start
        parts = {
            "account_balance": best.demand_reduction,
            "offset_limit": instance.policy.market.ccer_share * best.abated,
            "newly_owed": best.abated[:, :owing],
            "one_plan": np.ones((1, 1)),
        }
        places = np.concatenate([np.arange(rows[name].start, rows[name].stop) for name in parts])
        grown.add_columns(np.zeros(1), places[None], np.hstack([*parts.values()]))
        at_hand = at_hand.followed_by(best)
    return None


def _program_of(market: Market, column: PlanColumns) -> Any:
    """Return the program of one account with one column so far, in the solver; any demand may be unmet."""
    baseline, together = market.baseline, replace(market.accounts, of_unit=np.zeros(1, dtype=np.int64))
    most = float(baseline.emissions.sum() + np.abs(market.extra["supply"]).sum())
    arrays = {**account_parameters(market.instance, baseline, column, together), **market.extra}
    arrays["unmet_most"] = np.full(len(baseline.years), most)
    # Tonnes are scaled by those of a typical unit, so that none of them is rounding to the solver.
    size = max(float(baseline.emissions.mean()), 1.0)
    return market.relax.growing(arrays, UNMET, dict.fromkeys(IN_TONNES, size), size)


def _sum_of(plans: Plans, sets: NDArray[np.int16]) -> PlanColumns:
    """Return one plan of every unit, by their chains of sets, as one column."""
    return ColumnPool.of(plans, np.arange(len(sets)), sets).columns.total
