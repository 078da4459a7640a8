"""Prove from multipliers that a market cannot clear, and how many tonnes are missing at least."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.market import statements as says
from etsopt.checking.market.accounts import together
from etsopt.checking.market.bound import lower_bound
from etsopt.checking.market.market import ROUNDING, derived, multipliers
from etsopt.checking.report import Violation
from etsopt.units import tolerance_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from etsopt.data.instance import Instance

MISSING = "missing_allowances"
"""Level that is minimised where a market cannot clear: what nobody has, whatever is paid [t]."""


def check_shortage(
    instance: Instance, tables: Mapping[str, pd.DataFrame], kind: str
) -> tuple[list[Violation], float | None]:
    """Statements that do not hold where a market cannot clear, and the tonnes that its multipliers prove to be missing.

    Parameters
    ----------
    tables
        With the allocation that it started from, if it did, ``missing`` and ``duals``.
    """
    found, own, offered, deal = derived(instance, tables, kind)
    broken = says.rows_are_there("missing", tables["missing"], {}, found.years)
    broken += says.numbers_are_there("missing", tables["missing"], ["missing_t"])
    broken += says.numbers_are_there("duals", tables["duals"], ["year", "multiplier"])
    if broken:
        return broken, None
    pool = together(own) if instance.policy.market.transaction_cost_cny_per_t == 0 else own
    given, broken = multipliers(found, pool, tables["duals"], MISSING, "t/t")
    anything = float(found.emissions.sum() + np.abs(deal.auctioned - deal.demand).sum())
    free = replace(found, discount=np.zeros_like(found.discount))
    bound, size = lower_bound(free, offered, pool, deal, given, missing_most=anything)
    proven = bound - ROUNDING * size
    stated = tables["missing"]["missing_t"].to_numpy(dtype=float)
    if not (stated >= 0).all() or not stated.sum() >= proven - tolerance_of(proven, "t"):
        message = f"no year lacks less than nothing, and all together at least {proven:.12g} t"
        broken.append(Violation("missing", "", abs(float(stated.sum()) - proven), "t", message))
    return broken, proven
