"""What the regulator offers for what rounding down took, derived again from the text of the rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.allocation.limits import fixed_at_emissions
from etsopt.checking.allocation.statements import before_rounding

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.checking.market.baseline import Baseline
    from etsopt.data.instance import Instance

UNSEEN_T, WHOLE_T = 1e-6, 2e-2
"""What rounding to doubles leaves of a unit's allowance, and what a total, or an allowance, may miss [t]."""


def remainder(instance: Instance, found: Baseline, tables: Mapping[str, pd.DataFrame]) -> NDArray[np.float64]:
    """The first whole number of tonnes above what rounding down takes in each year, shape ``(years,)`` [t].

    A unit counts where it gets no less than the rule gives in whole tonnes; units of a sector count no more than its
    target leaves, and all of them no more than the national one. A year in which allowances follow emissions has none.
    """
    allowance = tables["allocation"]["allowance_t"].to_numpy(dtype=float)
    fixed, sectors = fixed_at_emissions(instance), tables["sectors"]
    exact = before_rounding(instance, sectors, fixed)
    whole = exact if instance.policy.rule.name == "given" else np.floor(exact + UNSEEN_T)
    lost = np.where(allowance + WHOLE_T >= whole, exact - np.maximum(allowance, whole), 0.0)
    lost = np.where(lost >= UNSEEN_T, lost, 0.0)
    for name, left in zip(sectors["sector"], sectors["under_target_t"].to_numpy(dtype=float), strict=True):
        here = instance.labels("sector").where(name) & ~fixed
        total = float(lost[here].sum())
        if total > max(left, 0.0):
            lost[here] *= max(left, 0.0) / total
    lost *= _within_nation(instance, allowance, float(lost.sum()))
    emissions = instance.emissions_tco2e
    yearly = (lost / np.where(emissions > 0, emissions, np.inf)) @ found.emissions
    offered = np.where(yearly > WHOLE_T, 1 + np.floor(yearly + WHOLE_T), 0.0)
    return np.where(found.follows, 0.0, offered)


def _within_nation(instance: Instance, allowance: NDArray[np.float64], lost: float) -> float:
    """Share of what was lost that the national target leaves room for; one where there is none."""
    national = instance.policy.national
    if national is None or (national.target_t is None and national.target_change is None) or not lost:
        return 1.0
    total = national.target_t
    if total is None:
        total = float(instance.emissions_tco2e.sum()) * (1 + (national.target_change or 0.0))
    return min(1.0, max(0.0, total - float(allowance.sum())) / lost)
