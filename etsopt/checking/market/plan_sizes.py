"""Sizes of the plans of accounts, which bound the rounding of their sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.checking.arithmetic import gamma

if TYPE_CHECKING:
    from etsopt.checking.arrays import Floats
    from etsopt.checking.market.accounts import Accounts
    from etsopt.checking.readings.baseline import Baseline
    from etsopt.checking.readings.choices import Choices


@dataclass(frozen=True)
class PlanSizes:
    """Sizes that bound the rounding of plans, summed over the units of each account, shape ``(accounts, years)``.

    Parameters
    ----------
    cost
        Absolute discounted cost of all measures [CNY].
    emissions, steep, given
        Emissions; emissions and allowances that follow them; allowances that do not [t].
    roundings, units
        Largest number of roundings in a unit's plan, and of units of an account.
    """

    cost: Floats
    emissions: Floats
    steep: Floats
    given: Floats
    roundings: int
    units: int

    @classmethod
    def of(cls, baseline: Baseline, offered: Choices, accounts: Accounts) -> PlanSizes:
        """Return the sizes of every account."""
        fixed, variable = (
            np.column_stack([(np.abs(part) * offered.factor(year)).sum(axis=1) for year in baseline.years])
            for part in (offered.fixed, offered.variable)
        )
        relative = np.nan_to_num(np.abs(baseline.intensity / baseline.balance_value), posinf=0.0)
        steep = baseline.emissions * (2 + np.where(baseline.follows, baseline.slope, 0.0) * (1 + relative))
        units = int(np.bincount(accounts.of_unit).max(initial=0))
        parts = (
            baseline.discount * (fixed + variable * baseline.output),
            baseline.emissions,
            steep,
            np.abs(baseline.given),
        )
        roundings = 4 * int(offered.count.max(initial=0)) + 3 * len(baseline.years) + 60
        cost, emissions, steeply, given = (accounts.total(part) for part in parts)
        return cls(cost, emissions, steeply, given, roundings, units)

    def error(self, demand_dual: Floats, emission_dual: Floats, account: Any = slice(None)) -> Floats:
        """Return a bound of the rounding of plans at multipliers, of some accounts [CNY]."""
        size = self.cost[account] + np.abs(demand_dual) * (self.steep[account] + self.given[account])
        total_size = (size + emission_dual * self.emissions[account]).sum(axis=1)
        # The sums of sizes are rounded themselves, by far less than one part in a thousand.
        return np.asarray(1.001 * gamma(self.roundings) * total_size)
