"""Balance values at the price at which a market clears without the help of self-balancing sectors.

Scarcity elsewhere is met by the others in the end, since a self-balancing sector frees nothing in sum. At balance values
that are held, however, its units do help: each pass abates a little more, until the price has risen to that of the
others, or for ever if they cannot: then `etsopt_models._columns.unmet_demand` proves it before the first pass. Many small steps
are saved by a market in which the sector frees nothing (`Market.balanced_in_sum`): its price is that of the others, and
the balance values that best responses to it repeat are near those sought. The passes go on from there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt_models._columns.whole_plans import master_of
from etsopt_models._effort import BALANCE_PASSES_MAX, PLAIN_BALANCE_PASSES
from etsopt_models._market.balance_values import balanced, is_same, of_pass, pass_of
from etsopt_models._market.baseline import FOUND_PRICES, HELD
from etsopt_models._market.column_generation import unit_prices
from etsopt_models._market.column_pool import ColumnPool
from etsopt_models._market.plans import Plans

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from etsopt_models._market.column_generation import Market


def market_of_pass(make: Callable[[Mapping[str, pd.DataFrame]], Market], before: Mapping[str, pd.DataFrame]) -> Market:
    """Return the market of the next pass.

    Parameters
    ----------
    make
        A function that returns the market at the balance values held in some tables.
    before
        Tables from which the market starts, with the passes so far.
    """

    def made(tables: Mapping[str, pd.DataFrame]) -> Market:
        return replace(make(tables), start=before.get(FOUND_PRICES))

    market = made(before)
    if pass_of(before) != PLAIN_BALANCE_PASSES:
        return market
    root = master_of(market.balanced_in_sum).cleared()
    if root.share is None:
        return market
    prices = unit_prices(market.instance, market.accounts, root.multipliers)
    held = before[HELD][before[HELD]["pass"] == PLAIN_BALANCE_PASSES]
    for _ in range(BALANCE_PASSES_MAX):
        plans = Plans.of(market.instance, market.baseline)
        _, sets = plans.best(*prices)
        found = balanced(market.instance, ColumnPool.of(plans, np.arange(len(sets)), sets), np.ones(len(sets)))
        following = of_pass(found, PLAIN_BALANCE_PASSES, "balance_value_own", "emissions_tco2e")
        if is_same(following, held):
            break
        held = following
        market = made({**before, HELD: held})
    return market
