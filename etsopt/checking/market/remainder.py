"""Derive the offer that makes up for rounding down again, from the text of the rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.allocation.statements import before_rounding
from etsopt.checking.readings import plan
from etsopt.checking.readings.targets import at_emissions, due_at_emissions, fixed_at_emissions, national_total
from etsopt.checking.tolerances import ALLOWANCE_ROUNDING_T, TOTAL_TOLERANCE_T

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from etsopt.checking.arrays import Floats
    from etsopt.checking.readings.baseline import Baseline
    from etsopt.checking.readings.instance_inputs import InstanceInputs


def remainder(instance: InstanceInputs, baseline: Baseline, tables: Mapping[str, pd.DataFrame]) -> Floats:
    """Return the loss by rounding in each year, rounded up to whole tonnes, shape ``(years,)`` [t].

    A unit counts if it gets at least the whole tonnes of the rule; what it gains where A = E is less loss. The losses
    of a sector count up to the tonnes left under its target, and all losses up to those left under the national one.
    Allowances that follow emissions are not rounded.
    """
    allowance = tables["allocation"]["allowance_t"].to_numpy(dtype=float)
    fixed, sectors = fixed_at_emissions(instance), tables["sectors"]
    exact = before_rounding(instance, sectors, fixed)
    whole = exact if instance.policy.rule.name == "given" else np.floor(exact + ALLOWANCE_ROUNDING_T)
    whole = np.where(at_emissions(instance), due_at_emissions(instance), whole)
    lost = np.where(exact < whole, exact - whole, np.maximum(exact - np.maximum(allowance, whole), 0.0))
    lost = np.where((allowance + TOTAL_TOLERANCE_T >= whole) & (np.abs(lost) >= ALLOWANCE_ROUNDING_T), lost, 0.0)
    for name, left in zip(sectors["sector"], sectors["under_target_t"].to_numpy(dtype=float), strict=True):
        in_sector = instance.labels("sector").where(name) & ~fixed
        total = float(lost[in_sector].sum())
        if total > max(left, 0.0):
            lost[in_sector] *= max(left, 0.0) / total
    lost *= _within_nation(instance, allowance, float(lost.sum()))
    emissions = plan.emissions_inside(instance)
    rounded = np.where(baseline.follows, 0.0, baseline.emissions)
    yearly = (lost / np.where(emissions > 0, emissions, np.inf)) @ rounded
    return np.where(yearly > TOTAL_TOLERANCE_T, np.ceil(yearly - ALLOWANCE_ROUNDING_T), 0.0)


def _within_nation(instance: InstanceInputs, allowance: Floats, lost: float) -> float:
    """Return the share of the loss that the national target leaves room for; one without a target."""
    total = national_total(instance, plan.emissions_inside(instance))
    if total is None or lost <= 0:
        return 1.0
    return min(1.0, max(0.0, total - float(allowance.sum())) / lost)
