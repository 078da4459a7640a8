"""Who would rather have another plan at the prices, and by how much: the uplift of whole plans."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.checking.allocation.totals import wrong_with
from etsopt.checking.report import Violation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.checking.market.bound import Bound
    from etsopt.checking.market.plans import Amounts
    from etsopt.data.instance import Instance

UPLIFT = "uplift"
LEAST_CNY, RELATIVE = 2.0, 1e-8
"""What an uplift may be off, and not be told at all, and the same against what the unit spends and earns."""


def uplift_follows(
    instance: Instance, units: Amounts, at: Bound, table: pd.DataFrame | None, whole: bool
) -> list[Violation]:
    """What a unit's plan costs more than its best at the multipliers of its account is what is stated.

    Parameters
    ----------
    whole
        Whether plans are whole: where they may be mixed nobody would rather have another.
    """
    if not whole:
        message = "where measures are divisible nobody would rather have another plan"
        return [] if table is None else [Violation(UPLIFT, "", 1.0, "tables", message)]
    if table is None or list(table.columns) != ["unit_id", "uplift_cny"]:
        message = (
            "it is there, with the columns unit_id and uplift_cny; a run from before there was one is solved again"
        )
        return [Violation(UPLIFT, "", 1.0, "tables", message)]
    for name in table.columns:
        if wrong := wrong_with(table, name, name == "uplift_cny"):
            return [Violation(UPLIFT, name, 1.0, "columns", f"the column {wrong}")]
    unit = pd.Index(instance.units["unit_id"]).get_indexer(table["unit_id"])
    if (unit < 0).any() or len(np.unique(unit)) < len(unit):
        return [Violation(UPLIFT, "", 1.0, "rows", "each row is of a unit of the instance, once")]
    need, emitted = (price[at.own.of_unit] for price in (at.need, at.emitted))
    cost = at.found.discount * units.cost
    spent: NDArray[np.float64] = cost.sum(axis=1)
    spent += (need * (units.emissions - units.free) + emitted * units.emissions).sum(axis=1)
    size = np.abs(cost).sum(axis=1) + (np.abs(need) * (units.emissions + np.abs(units.free))).sum(axis=1)
    stated = np.zeros(len(spent))
    stated[unit] = table["uplift_cny"].to_numpy(dtype=float)
    off = np.abs(stated - (spent - at.plans))
    labels = instance.units["unit_id"].to_numpy()
    message = "it is what the plan of the unit costs more at the prices than its best"
    bad = ~(off <= LEAST_CNY + RELATIVE * size)
    return [Violation(UPLIFT, str(labels[one]), float(off[one]), "CNY", message) for one in np.flatnonzero(bad)[:1]]
