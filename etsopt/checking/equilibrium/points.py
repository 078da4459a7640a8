"""Evaluate a year of an equilibrium at any balance value, and check the totals of the fixed points of its sectors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.readings.sets import batches
from etsopt.checking.tolerances import NUMBER_RELATIVE
from etsopt.checking.verdict import Violation
from etsopt.common.language import _

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from etsopt.checking.arrays import Floats, Mask
    from etsopt.checking.readings.baseline import Baseline
    from etsopt.checking.readings.choices import Choices
    from etsopt.checking.readings.instance_inputs import InstanceInputs


@dataclass(frozen=True)
class Year:
    """The year and the rule without the balance value."""

    baseline: Baseline
    offered: Choices
    price: float
    slope: float
    cap: float
    free: Mask

    def at(self, balance: Floats) -> Baseline:
        """Return the year at a balance value of each unit, shape ``(units,)``."""
        return replace(self.baseline, balance_value=np.where(self.free, balance, np.nan)[:, None])

    def best(self, balance: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the cost of each unit's best responses, and the least and most emissions of its best responses.

        All have shape ``(units,)`` [CNY, tCO2e].
        """
        now, demand_dual = self.at(balance), np.full_like(self.baseline.emissions, self.price)
        cost, cleanest, dirtiest = (np.zeros(len(self.free)) for _ in range(3))
        for sets in batches(now, self.offered, np.arange(len(self.free))):
            of_units = demand_dual[sets.units]
            value = sets.running_cost(now, 0, of_units, np.zeros_like(of_units))
            value[~sets.family.next(np.array([0]))[0]] = np.inf
            emissions = sets.left * now.emissions[sets.units, 0]
            least = value.min(axis=0)
            scale = self.price * now.emissions[sets.units, 0] + np.abs(sets.costs(now.years[0])[0]).max(axis=0) + 1
            ties = value <= least + NUMBER_RELATIVE * scale
            cost[sets.units] = least
            cleanest[sets.units] = np.where(ties, emissions, np.inf).min(axis=0)
            dirtiest[sets.units] = np.where(ties, emissions, -np.inf).max(axis=0)
        return cost, cleanest, dirtiest

    def excess(self, balance: float, emissions: Floats, intensity: Floats) -> float:
        """Return the allowances of the rule less the emissions of some units [t]."""
        rates = np.clip(self.slope * (balance - intensity) / balance, -self.cap, self.cap)
        return float(emissions @ rates)


def fixed_points(instance: InstanceInputs, year: Year, tables: Mapping[str, pd.DataFrame]) -> list[Violation]:
    """Check the totals of each fixed point against its best responses; the reported balance value is a fixed point."""
    of_unit, kept, violations = instance.units["sector"].to_numpy(), 1 - year.baseline.paid_share[0], []
    reported = tables["equilibrium"].set_index("sector")["balance_value"]
    for name, points in tables["fixed_points"].groupby("sector"):
        free = (of_unit == name) & year.free
        violations += _in_order(str(name), points)
        if not np.isclose(points["balance_value"], reported.get(name, np.nan), rtol=NUMBER_RELATIVE, atol=0).any():
            message = _("the balance value of the sector is one of its fixed points")
            violations.append(Violation("fixed_points", str(name), 1.0, "rows", message))
        for row in points.to_dict("records"):
            least, cleanest, dirtiest = (part[free] for part in year.best(np.full(len(of_unit), row["balance_value"])))
            emissions = row["emissions_tco2e"]
            outside = max(float(cleanest.sum()) - emissions, emissions - float(dirtiest.sum()))
            if not outside <= 2e-2 + NUMBER_RELATIVE * float(dirtiest.sum()):
                message = _("the emissions are those of best responses")
                violations.append(Violation("fixed_points", f"{name} {row['number']}", outside, "t", message))
            stated = row["measures_cost_cny"] + year.price * (emissions - kept * (emissions + row["residual_t"]))
            off = abs(float(least.sum()) - stated)
            if not off <= 1.0 + NUMBER_RELATIVE * (float(np.abs(least).sum()) + year.price * emissions):
                message = _("the cost of the fixed point is that of the best responses to it")
                violations.append(Violation("fixed_points", f"{name} {row['number']}", off, "CNY", message))
    return violations


def _in_order(name: str, points: pd.DataFrame) -> list[Violation]:
    """Check that fixed points are numbered by their balance values."""
    values = points["balance_value"].to_numpy(dtype=float)
    if points["number"].tolist() == list(range(1, len(points) + 1)) and (np.diff(values) > 0).all():
        return []
    return [Violation("fixed_points", name, 1.0, "rows", _("fixed points are numbered by their balance values"))]
