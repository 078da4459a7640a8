r"""Derive the baseline of every unit again: output, emissions, intensity and allowances by year.

The sector's balance value $V$ is the root of $\sum_i E_i \,\mathrm{clip}(\sigma (V - I_i)/V, \pm d)$, which never falls
in $V$: bisection finds the ends of its interval of zero, and the units between their caps give the last digits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking import plan
from etsopt.checking.allocation.limits import fixed_at_emissions
from etsopt.checking.market.path import Rule, below_cap, follows_output, tightened, with_power
from etsopt.data.content import intensity_base
from etsopt.data.policy.yearly import by_year
from etsopt.data.projection import development

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.checking.market.self_balancing import Held
    from etsopt.data.instance import Instance

NO_BALANCE = 1e-300
"""Balance value [t/t] that no allowance can follow, since it lies far below every intensity."""

ROUNDING = 2.0**-50
"""Bound of a computed sum that is exactly zero, relative to the sum of its absolute terms."""


@dataclass(frozen=True)
class Baseline:
    """Baseline before any measure, shape ``(units, years)`` unless stated otherwise.

    Parameters
    ----------
    years, discount
        Compliance years, and the value of a CNY of each in the first, shape ``(years,)``.
    base_output, output
        Output of the year of the tables, shape ``(units,)``, and of each year [t, of power MWh]; zero without a stated
        output.
    in_tonnes
        True for units that state it in tonnes, shape ``(units,)``.
    emissions, intensity, measured_output
        Verified emissions [tCO2e], intensity under the rule [t/t], and the output to which it refers [t].
    given
        Allocation of the rule or of the table, paid shares included [t].
    paid_share
        Share of it that is auctioned, shape ``(years,)``.
    follows
        True in self-balancing years, in which free allowances follow a unit's own emissions.
    follows_output
        True in years in which other allowances follow the output, shape ``(years,)``: those of a plan, before a cap.
    slope, cap
        Parameters of the rule, shape ``(years,)``.
    balance_value
        Balance value of the sector [t/t]; NaN for a unit with A = E.
    in_sum
        True if allowances of self-balancing years are the emissions of every plan, and free.
    """

    years: NDArray[np.int64]
    discount: NDArray[np.float64]
    base_output: NDArray[np.float64]
    in_tonnes: NDArray[np.bool_]
    output: NDArray[np.float64]
    emissions: NDArray[np.float64]
    intensity: NDArray[np.float64]
    measured_output: NDArray[np.float64]
    given: NDArray[np.float64]
    paid_share: NDArray[np.float64]
    follows: NDArray[np.bool_]
    follows_output: NDArray[np.bool_]
    slope: NDArray[np.float64]
    cap: NDArray[np.float64]
    balance_value: NDArray[np.float64]
    in_sum: bool = False

    @property
    def output_t(self) -> NDArray[np.float64]:
        """Output of the units that state it in tonnes, zero for others [t]."""
        return self.output * self.in_tonnes[:, None]

    @property
    def free_share(self) -> NDArray[np.float64]:
        """Share of the allowances of self-balancing years that is free, shape ``(years,)``."""
        return np.ones(len(self.years)) if self.in_sum else 1 - self.paid_share

    @property
    def balanced_in_sum(self) -> Baseline:
        """The baseline in which plans get their emissions in self-balancing years, as sectors do in sum."""
        balance, given = (
            np.where(self.follows, other, own) for other, own in ((np.nan, self.balance_value), (0.0, self.given))
        )
        return replace(self, balance_value=balance, given=given, in_sum=True)

    def free(
        self,
        units: NDArray[np.int64],
        year: int,
        emissions: NDArray[np.float64],
        kept: NDArray[np.float64],
        output_left: NDArray[np.float64] | float = 1.0,
    ) -> NDArray[np.float64]:
        """Return the free allowances in a year of units with these emissions and shares of intensity and output [t].

        Parameters
        ----------
        emissions, kept, output_left
            Emissions, and shares of intensity and output that measures leave, of shape ``(units, ...)``; one if no
            measure takes output.
        """
        shape = (len(units), *[1] * (emissions.ndim - 1))
        lump = (self.given[units, year] * (1 - self.paid_share[year])).reshape(shape)
        lump_sum = np.broadcast_to(lump * output_left if self.follows_output[year] else lump, emissions.shape)
        follows = self.follows[units, year]
        if not follows.any():
            return lump_sum
        relative = (self.intensity[units, year] / self.balance_value[units, year]).reshape(shape) * kept
        rate = np.clip(self.slope[year] * (1 - relative), -self.cap[year], self.cap[year])
        free = emissions * (1 + np.nan_to_num(rate)) * self.free_share[year]
        return np.where(follows.reshape(shape), free, lump_sum)


def derive_baseline(instance: Instance, allocation: pd.DataFrame | None, held: Held | None = None) -> Baseline:
    """Derive the baseline of a pathway without an allocation, else that of the allowances in the table.

    Parameters
    ----------
    held
        Balance values and emissions of sectors in self-balancing years; None for those before abatement.
    """
    policy = instance.policy
    years = np.array(policy.years)
    projected = development(instance, policy.years)
    scope = plan.inside_in(instance, years)
    verified = instance.units["emissions_tco2e"].to_numpy(dtype=float)[:, None] * scope
    emissions = verified * projected.output_factor * projected.intensity_factor
    intensity = instance.intensity[:, None] * projected.intensity_factor
    columns = instance.units.reindex(columns=["output_t", "generation_mwh"])
    output = columns.bfill(axis=1)["output_t"].fillna(0.0).to_numpy(dtype=float) * scope.any(axis=1)
    sector = instance.labels("sector").code
    follows = plan.self_balancing(instance, years, allocation)[sector]
    rule = Rule(np.zeros(len(years)), np.zeros(len(years)), np.full(emissions.shape, np.nan))
    if allocation is None or follows.any():
        rule = _enacted(instance, emissions, intensity)
    if allocation is not None:
        paid_share = by_year(policy.market.paid_share, years, 0.0)
        balanced = emissions
        if held is not None:
            balanced = emissions * np.where(paid_share > 0, _kept(sector, emissions, held.emissions), 1.0)
        given = np.where(follows, balanced, _lump_sums(instance, allocation, emissions))
    else:
        phase_2 = years >= policy.pathway.phase_2_from
        paid_share = np.where(phase_2, by_year(policy.pathway.paid_share, years, 0.0), 0.0)
        rule = tightened(instance, years, phase_2, rule)
        given = emissions * (1 + rule.rate(intensity))
        if plan.of_power(instance).any():
            given = with_power(instance, years, projected.output_factor, emissions, given)
        # A cap may begin from the total of a self-balancing year, which it does not cut.
        given = np.where(follows, emissions, given)
        given = np.where(follows, emissions, below_cap(instance, years, given))
    if held is not None:
        rule = _at_held(rule, held.balance_value[sector])
    return Baseline(
        years,
        (1 + policy.horizon.discount_rate) ** -(years - years[0]).astype(float),
        output,
        columns["output_t"].notna().to_numpy(),
        output[:, None] * projected.output_factor * scope,
        emissions,
        intensity,
        intensity_base(instance.units)[0][:, None] * projected.output_factor,
        given,
        paid_share,
        follows,
        follows_output(instance, years, capped=allocation is None),
        *rule,
    )


def _lump_sums(instance: Instance, allocation: pd.DataFrame, emissions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the allowances of a table, scaled with the emissions of each year, shape ``(units, years)`` [t]."""
    before = plan.emissions_inside(instance)
    # A line that joins the scope later gets its emissions.
    got = np.where(before > 0, allocation["allowance_t"].to_numpy(dtype=float), 1.0)
    return emissions * (got / np.where(before > 0, before, 1.0))[:, None]


def _at_held(rule: Rule, held: NDArray[np.float64]) -> Rule:
    """Return a rule at balance values that are held, shape ``(units, years)``, NaN for none; A = E stays."""
    replaced = np.where(np.isnan(held), rule.balance_value, held)
    return rule._replace(balance_value=np.where(np.isnan(rule.balance_value), np.nan, replaced))


def _kept(sector: NDArray[np.int64], emissions: NDArray[np.float64], held: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of its sector's emissions that is held, of every unit; one where nothing is."""
    kept = np.ones_like(emissions)
    for number, years in enumerate(held):
        here = sector == number
        total = emissions[here].sum(axis=0)
        stated = (total > 0) & ~np.isnan(years)
        kept[here] = np.divide(years, total, out=np.ones_like(total), where=stated)
    return kept


def _enacted(instance: Instance, emissions: NDArray[np.float64], intensity: NDArray[np.float64]) -> Rule:
    """Return the rule of every year; A = E for another rule, for power, and under the national rule up to 2024."""
    balance, years = np.full(emissions.shape, np.nan), np.array(instance.policy.years)
    name = instance.policy.rule.name
    balanced = (years >= 2025) if name == plan.NATIONAL else np.full(len(years), plan.has_balance_value(instance))
    if not balanced.any():
        return Rule(np.zeros(len(years)), np.zeros(len(years)), balance)
    slope, cap = plan.slope(instance), float(plan.stated(instance, "cap", plan.CAP))
    free = ~fixed_at_emissions(instance) & ~plan.of_power(instance)
    for sector in instance.sectors:
        here = np.flatnonzero(instance.labels("sector").where(sector) & free)
        for year in np.flatnonzero(balanced) if len(here) else ():
            value = balance_value(emissions[here, year], intensity[here, year], slope, cap)
            # Without an intensity there is no balance value, and no allowance is right.
            balance[here, year] = NO_BALANCE if np.isnan(value) else value
    return Rule(np.full(len(years), slope), np.full(len(years), cap), balance)


def balance_value(emissions: NDArray[np.float64], intensity: NDArray[np.float64], slope: float, cap: float) -> float:
    """Return the balance value of a sector, the middle of its interval if there is one [t/t]."""
    weight = float(emissions.sum())
    # NumPy adds in pairs, and loses at most 40 units in the last place of a sum of terms up to the cap.
    zero = max(ROUNDING, 40 * cap * np.finfo(float).eps) * weight

    def rates(value: float) -> NDArray[np.float64]:
        return np.clip(slope * (1 - intensity / value), -cap, cap)

    def edge(side: float) -> float:
        # At the least intensity no unit has a surplus, and at the largest none a deficit.
        low, high = float(intensity.min()), float(intensity.max())
        while low < (middle := (low + high) / 2) < high:
            above = float((emissions * rates(middle)).sum()) > side * zero
            low, high = (low, middle) if above else (middle, high)
        return middle

    lower, upper = edge(-1.0), edge(1.0)
    middle = (lower + upper) / 2
    surplus_rates = rates(middle)
    inner = np.abs(surplus_rates) < cap
    if not inner.any():
        return middle
    surplus = cap * float(emissions[surplus_rates >= cap].sum() - emissions[surplus_rates <= -cap].sum())
    return slope * float((emissions * intensity)[inner].sum()) / (slope * float(emissions[inner].sum()) + surplus)
