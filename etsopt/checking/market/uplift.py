"""Check the uplift of whole plans: the units with a better plan at the prices, and its gain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.checking.cells import are_whole
from etsopt.checking.theorem import MARKET
from etsopt.checking.tolerances import UPLIFT_TOLERANCE_CNY, UPLIFT_TOLERANCE_RELATIVE
from etsopt.checking.verdict import Violation
from etsopt.common.language import _

if TYPE_CHECKING:
    from etsopt.checking.arrays import Floats
    from etsopt.checking.market.bound import Bound
    from etsopt.checking.market.plans import Amounts
    from etsopt.checking.readings.instance_inputs import InstanceInputs

UPLIFT = "uplift"


def uplift_follows(
    instance: InstanceInputs, units: Amounts, bound: Bound, table: pd.DataFrame | None, integer: bool
) -> list[Violation]:
    """Check the uplift of each unit: the cost of its plan less that of its best plan at its account's multipliers.

    Parameters
    ----------
    integer
        True if plans are whole; if they may be mixed, no unit has a better plan.
    """
    if not integer:
        message = _("divisible measures have no uplift")
        return [] if table is None else [Violation(UPLIFT, "", 1.0, "tables", message)]
    if table is None or list(table.columns) != ["unit_id", "uplift_cny"]:
        message = _("the table is present, with the columns unit_id and uplift_cny; solve a run from before it again")
        return [Violation(UPLIFT, "", 1.0, "tables", message)]
    if violations := are_whole({UPLIFT: table}, {UPLIFT: MARKET[UPLIFT]}):
        return violations
    unit = pd.Index(instance.units["unit_id"]).get_indexer(table["unit_id"])
    if (unit < 0).any() or len(np.unique(unit)) < len(unit):
        return [Violation(UPLIFT, "", 1.0, "rows", _("a row is of a unit of the instance, which has no other row"))]
    market, at_multipliers = bound.market, (bound.demand_dual, bound.emission_dual)
    demand_dual, emission_dual = (price[market.accounts.of_unit] for price in at_multipliers)
    cost = market.baseline.discount * units.cost
    spent: Floats = cost.sum(axis=1)
    spent += (demand_dual * (units.emissions - units.free) + emission_dual * units.emissions).sum(axis=1)
    size = np.abs(cost).sum(axis=1) + (np.abs(demand_dual) * (units.emissions + np.abs(units.free))).sum(axis=1)
    stated = np.zeros(len(spent))
    stated[unit] = table["uplift_cny"].to_numpy(dtype=float)
    off = np.abs(stated - (spent - bound.plans))
    labels = instance.units["unit_id"].to_numpy()
    message = _("the uplift is the cost of the unit's plan less that of its best plan at the prices")
    bad = ~(off <= UPLIFT_TOLERANCE_CNY + UPLIFT_TOLERANCE_RELATIVE * size)
    return [Violation(UPLIFT, str(labels[one]), float(off[one]), "CNY", message) for one in np.flatnonzero(bad)[:1]]
