"""Prove from multipliers that a market cannot clear, and bound its unmet demand from below."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.allocation.infeasibility import WITH_ROUNDING
from etsopt.checking.market import statements
from etsopt.checking.market.accounts import pool_accounts
from etsopt.checking.market.bound import Bound
from etsopt.checking.market.leeway import Leeway
from etsopt.checking.market.market import derived
from etsopt.checking.market.prices import UNMET, StatedMultipliers
from etsopt.checking.report import Violation
from etsopt.units import tolerance_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from etsopt.data.instance import Instance


def check_unmet_demand(
    instance: Instance, tables: Mapping[str, pd.DataFrame], kind: str
) -> tuple[list[Violation], float | None, bool]:
    """Return the violations of a market that cannot clear, its proven unmet demand, and True if it is within tolerance.

    Parameters
    ----------
    tables
        ``unmet_demand`` and ``duals``, with the allocation from which the market started, if any.
    """
    baseline, accounts, offered, terms = derived(instance, tables, kind)
    violations = statements.rows_are_there("unmet_demand", tables["unmet_demand"], {}, baseline.years)
    violations += statements.numbers_are_there("unmet_demand", tables["unmet_demand"], ["unmet_t"])
    violations += statements.numbers_are_there("duals", tables["duals"], ["year", "multiplier"])
    if violations:
        return violations, None, True
    pool = pool_accounts(accounts) if instance.policy.market.transaction_cost_cny_per_t == 0 else accounts
    given, violations = StatedMultipliers(baseline, pool, tables["duals"]).at(UNMET, "t/t")
    unmet_most = float(baseline.emissions.sum() + np.abs(terms.auctioned - terms.demand).sum())
    costless = replace(baseline, discount=np.zeros_like(baseline.discount))
    none = Leeway.none(len(pool.labels), len(baseline.years))
    proven = max(Bound(costless, offered, pool, terms, given, none, unmet_most).of_all(), 0.0)
    # The market cannot clear only if more is unmet than an answer may miss in every limit.
    of_accounts = statements.LEAST["t"] + statements.RELATIVE * accounts.emissions
    if pool is not accounts:
        of_accounts = of_accounts.sum(axis=0, keepdims=True)
    of_market = statements.LEAST["t"] + statements.RELATIVE * baseline.emissions.sum(axis=0)
    tolerance = Leeway.same(WITH_ROUNDING * of_accounts, WITH_ROUNDING * of_market)
    tolerated = not Bound(costless, offered, pool, terms, given, tolerance, unmet_most).of_all() > 0
    stated = tables["unmet_demand"]["unmet_t"].to_numpy(dtype=float)
    size = tolerance_of(proven, "t") + 1e-6 * proven
    if not (stated >= 0).all() or not abs(stated.sum() - proven) <= size:
        message = f"unmet demand is not negative and totals the proven {proven:.12g} t"
        violations.append(Violation("unmet_demand", "", abs(float(stated.sum()) - proven), "t", message))
    return violations, proven, tolerated
