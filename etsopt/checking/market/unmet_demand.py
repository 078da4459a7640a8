"""Prove from multipliers that a market cannot clear, and bound its unmet demand from below.

Every bound of accounts is a sum, so that what clears accounts of enterprises clears their pool as well: multipliers of
the pool prove unmet demand at every trading cost. Those of accounts, which earlier versions stated, prove it too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.checking.cells import are_whole, rows_are
from etsopt.checking.market import statements
from etsopt.checking.market.bound import Bound
from etsopt.checking.market.derived import derive_market
from etsopt.checking.market.leeway import Leeway
from etsopt.checking.market.prices import StatedMultipliers
from etsopt.checking.theorem import DUALS, UNMET, UNMET_TABLES
from etsopt.checking.tolerances import CELL_TOLERANCE, MISS_COMPARISON_FACTOR, NUMBER_RELATIVE
from etsopt.checking.verdict import Violation
from etsopt.common.language import _
from etsopt.common.units import tolerance_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from etsopt.checking.readings.instance_inputs import InstanceInputs


def check_unmet_demand(
    instance: InstanceInputs, tables: Mapping[str, pd.DataFrame], kind: str
) -> tuple[list[Violation], float | None, bool]:
    """Return the violations of a market that cannot clear, its proven unmet demand, and True if it is within tolerance.

    Parameters
    ----------
    tables
        ``unmet_demand`` and ``duals``, with the allocation from which the market started, if any.
    """
    # In self-balancing years a sector frees no allowances at any balance value.
    market = derive_market(instance, tables, kind, in_sum=True)
    baseline, duals = market.baseline, tables["duals"]
    violations = are_whole(tables, UNMET_TABLES | DUALS)
    violations = violations or statements.numbers_are_there("duals", duals, ["year"])
    if violations := violations or rows_are("unmet_demand", tables["unmet_demand"], {"year": baseline.years}):
        return violations, None, True
    of_enterprises = duals["level"].eq(UNMET) & duals["index"].fillna("").ne("")
    program = market.program if of_enterprises.any() else market.pooled
    given, violations = StatedMultipliers(baseline, program.accounts, duals).at(UNMET, "t/t")
    none = Leeway.none(len(program.accounts.labels), len(baseline.years))
    proven = max(Bound(program.costless, given, none, market.unmet_most).of_all(), 0.0)
    # The market cannot clear only if more is unmet than an answer may miss in every limit.
    of_accounts = CELL_TOLERANCE["t"] + NUMBER_RELATIVE * market.accounts.emissions
    if program is not market:
        of_accounts = of_accounts.sum(axis=0, keepdims=True)
    of_market = CELL_TOLERANCE["t"] + NUMBER_RELATIVE * baseline.emissions.sum(axis=0)
    tolerance = Leeway.same(MISS_COMPARISON_FACTOR * of_accounts, MISS_COMPARISON_FACTOR * of_market)
    tolerated = not Bound(program.costless, given, tolerance, market.unmet_most).of_all() > 0
    stated = tables["unmet_demand"]["unmet_t"].to_numpy(dtype=float)
    size = tolerance_of(proven, "t") + 1e-6 * proven
    if not (stated >= 0).all() or not abs(stated.sum() - proven) <= size:
        message = _("unmet demand is not negative and totals the proven {proven:.12g} t", proven=proven)
        violations.append(Violation("unmet_demand", "", abs(float(stated.sum()) - proven), "t", message))
    return violations, proven, tolerated
