"""Prove from multipliers that a market cannot clear, and how many tonnes are missing at least."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.allocation.infeasibility import WITH_ROUNDING
from etsopt.checking.market import statements as says
from etsopt.checking.market.accounts import together
from etsopt.checking.market.bound import Bound
from etsopt.checking.market.leeway import Leeway
from etsopt.checking.market.market import derived
from etsopt.checking.market.prices import UNMET, Stated
from etsopt.checking.report import Violation
from etsopt.units import tolerance_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from etsopt.data.instance import Instance


def check_unmet_demand(
    instance: Instance, tables: Mapping[str, pd.DataFrame], kind: str
) -> tuple[list[Violation], float | None, bool]:
    """What a market that cannot clear breaks, the tonnes that are proven to be missing, and whether answers may.

    Parameters
    ----------
    tables
        With the allocation that it started from, if it did, ``unmet_demand`` and ``duals``.
    """
    found, own, offered, deal = derived(instance, tables, kind)
    broken = says.rows_are_there("unmet_demand", tables["unmet_demand"], {}, found.years)
    broken += says.numbers_are_there("unmet_demand", tables["unmet_demand"], ["unmet_t"])
    broken += says.numbers_are_there("duals", tables["duals"], ["year", "multiplier"])
    if broken:
        return broken, None, True
    pool = together(own) if instance.policy.market.transaction_cost_cny_per_t == 0 else own
    given, broken = Stated(found, pool, tables["duals"]).at(UNMET, "t/t")
    anything = float(found.emissions.sum() + np.abs(deal.auctioned - deal.demand).sum())
    free = replace(found, discount=np.zeros_like(found.discount))
    none = Leeway.none(len(pool.labels), len(found.years))
    proven = max(Bound(free, offered, pool, deal, given, none, anything).of_all(), 0.0)
    # As much as an answer is let off with in every limit lacks nobody.
    of_accounts = says.LEAST["t"] + says.RELATIVE * own.emissions
    if pool is not own:
        of_accounts = of_accounts.sum(axis=0, keepdims=True)
    of_market = says.LEAST["t"] + says.RELATIVE * found.emissions.sum(axis=0)
    let_off = Leeway.same(WITH_ROUNDING * of_accounts, WITH_ROUNDING * of_market)
    tolerated = not Bound(free, offered, pool, deal, given, let_off, anything).of_all() > 0
    stated = tables["unmet_demand"]["unmet_t"].to_numpy(dtype=float)
    size = tolerance_of(proven, "t") + 1e-6 * proven
    if not (stated >= 0).all() or not abs(stated.sum() - proven) <= size:
        message = f"no year lacks less than nothing, and all together the {proven:.12g} t that are proven"
        broken.append(Violation("unmet_demand", "", abs(float(stated.sum()) - proven), "t", message))
    return broken, proven, tolerated
