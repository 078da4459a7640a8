"""Derive the baseline of every unit: output, emissions, intensity and allowances by year."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from etsopt.checking.readings import plan, references
from etsopt.checking.readings.balance import balance_value
from etsopt.checking.readings.forecast import factors
from etsopt.checking.readings.instance_inputs import by_year
from etsopt.checking.readings.path import Rule, below_cap, follows_output, tightened, with_power
from etsopt.checking.readings.targets import entitled_at_rest, fixed_at_emissions, gets_emissions

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.checking.readings.instance_inputs import InstanceInputs

NO_BALANCE = 1e-300
"""Balance value [t/t] that no allowance can follow, since it lies far below every intensity."""


class Held(NamedTuple):
    """What a market holds in self-balancing years, shape ``(sectors, years)``; NaN in others [t/t, tCO2e]."""

    balance_value: NDArray[np.float64]
    emissions: NDArray[np.float64]


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
    outside
        True in those of them in which they do so at a balance value from outside, which balances nothing.
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
    outside: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((1, 1), dtype=bool))
    in_sum: bool = False

    @property
    def balances(self) -> NDArray[np.bool_]:
        """True in self-balancing years of the sector."""
        return self.follows & ~self.outside

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
            np.where(self.balances, other, own) for other, own in ((np.nan, self.balance_value), (0.0, self.given))
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


def derive_baseline(instance: InstanceInputs, allocation: pd.DataFrame | None, held: Held | None = None) -> Baseline:
    """Derive the baseline of a pathway without an allocation, else that of the allowances in the table.

    Parameters
    ----------
    held
        Balance values and emissions of sectors in self-balancing years; None for those before abatement.
    """
    policy = instance.policy
    years = instance.years
    grown, cleaner = factors(instance, years)
    scope = plan.inside_in(instance, years)
    verified = instance.units["emissions_tco2e"].to_numpy(dtype=float)[:, None] * scope
    emissions = verified * grown * cleaner
    intensity = instance.intensity[:, None] * cleaner
    output = np.nan_to_num(instance.output) * scope.any(axis=1)
    sector = instance.labels("sector").code
    balances = plan.self_balancing(instance, years, allocation)[sector]
    outside = plan.at_value_from_outside(instance, years, allocation)[sector]
    follows = balances | outside
    rule = Rule(np.zeros(len(years)), np.zeros(len(years)), np.full(emissions.shape, np.nan))
    if allocation is None or follows.any():
        rule = _enacted(instance, emissions, intensity)
    if allocation is not None:
        paid_share = by_year(policy.market.paid_share, years, 0.0)
        balanced = emissions
        if held is not None:
            balanced = emissions * np.where(paid_share > 0, _kept(sector, emissions, held.emissions), 1.0)
        given = np.where(balances, balanced, _lump_sums(instance, allocation, emissions))
    else:
        phase_2 = years >= policy.pathway.phase_2_from
        paid_share = np.where(phase_2, by_year(policy.pathway.paid_share, years, 0.0), 0.0)
        rule = tightened(instance, years, phase_2, rule)
        given = emissions * (1 + rule.rate(intensity))
        if not plan.follows_plan(instance):
            given = _path_of_references(instance, emissions)
        if plan.of_power(instance).any():
            given = with_power(instance, years, grown, emissions, given)
        # A cap may begin from the total of a self-balancing year, which it does not cut.
        given = np.where(balances, emissions, given)
        given = np.where(follows, given, below_cap(instance, years, given))
    if held is not None:
        rule = _at_held(rule, held.balance_value[sector])
    return Baseline(
        years,
        (1 + policy.horizon.discount_rate) ** -(years - years[0]).astype(float),
        output,
        ~np.isnan(instance.first_stated("output_t")),
        output[:, None] * grown * scope,
        emissions,
        intensity,
        instance.measured_output[:, None] * grown,
        given,
        paid_share,
        follows,
        follows_output(instance, years, capped=allocation is None),
        *rule,
        outside,
    )


def _lump_sums(
    instance: InstanceInputs, allocation: pd.DataFrame, emissions: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the allowances of a table in each year, shape ``(units, years)`` [t].

    They grow with the emissions, or with the references of the years, which the table changes by a rate of emissions.
    """
    before, got = plan.emissions_inside(instance), allocation["allowance_t"].to_numpy(dtype=float)
    emits, inside = before > 0, plan.inside_in(instance, instance.years)
    # A line that joins the scope later gets its emissions, and an entitled one without emissions what it got.
    held = emissions * (np.where(emits, got, 1.0) / np.where(emits, before, 1.0))[:, None]
    held = np.where(entitled_at_rest(instance)[:, None], got[:, None] * inside, held)
    yearly = None if plan.follows_plan(instance) else references.by_year(instance, instance.years)
    if yearly is None:
        return held
    first = references.by_year(instance, np.array([instance.policy.year]))
    off = 0.0 if first is None else np.where(emits, got - np.nan_to_num(first[:, 0]), 0.0)
    moved = yearly + emissions * (off / np.where(emits, before, 1.0))[:, None]
    # A unit without output or emissions may have no reference.
    moved = np.where(emits[:, None], moved, np.nan_to_num(moved))
    return np.where(gets_emissions(instance)[:, None], held, np.maximum(moved, 0.0) * inside)


def _path_of_references(instance: InstanceInputs, emissions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the allowances of a path under a rule that is no plan, shape ``(units, years)`` [t]; NaN without any."""
    yearly = references.by_year(instance, instance.years)
    if yearly is None and instance.years.tolist() == [instance.policy.year]:
        yearly = references.outside_plans(instance)[:, None]
    if yearly is None:
        return np.full(emissions.shape, np.nan)
    at_rest = plan.emissions_inside(instance)[:, None] <= 0
    yearly = np.where(at_rest, np.nan_to_num(yearly), yearly) * plan.inside_in(instance, instance.years)
    return np.where(gets_emissions(instance)[:, None], emissions, yearly)


def _at_held(rule: Rule, held: NDArray[np.float64]) -> Rule:
    """Return a rule at balance values that are held, shape ``(units, years)``, NaN for none; A = E stays."""
    replaced = np.where(np.isnan(held), rule.balance_value, held)
    return rule._replace(balance_value=np.where(np.isnan(rule.balance_value), np.nan, replaced))


def _kept(sector: NDArray[np.int64], emissions: NDArray[np.float64], held: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of its sector's emissions that is held, of every unit; one where nothing is."""
    kept = np.ones_like(emissions)
    for number, years in enumerate(held):
        in_sector = sector == number
        total = emissions[in_sector].sum(axis=0)
        stated = (total > 0) & ~np.isnan(years)
        kept[in_sector] = np.divide(years, total, out=np.ones_like(total), where=stated)
    return kept


def _enacted(instance: InstanceInputs, emissions: NDArray[np.float64], intensity: NDArray[np.float64]) -> Rule:
    """Return the rule of every year; A = E for another rule, for power, and under the national rule up to 2024."""
    balance, years = np.full(emissions.shape, np.nan), instance.years
    name = instance.policy.rule.name
    balanced = (years >= 2025) if name == plan.NATIONAL else np.full(len(years), plan.has_balance_value(instance))
    if not balanced.any():
        return Rule(np.zeros(len(years)), np.zeros(len(years)), balance)
    slope, cap = plan.slope(instance), float(plan.parameter(instance, "cap", plan.CAP))
    free = ~fixed_at_emissions(instance) & ~plan.of_power(instance)
    for sector in instance.sectors:
        in_sector = np.flatnonzero(instance.labels("sector").where(sector) & free)
        outside = plan.balance_value_from_outside(instance, sector, years)
        for year in np.flatnonzero(balanced) if len(in_sector) else ():
            if plan.is_from_outside(instance, sector):
                balance[in_sector, year] = outside[year]
                continue
            value = balance_value(emissions[in_sector, year], intensity[in_sector, year], slope, cap)
            # Without an intensity there is no balance value, and no allowance is right.
            balance[in_sector, year] = NO_BALANCE if np.isnan(value) else value
    return Rule(np.full(len(years), slope), np.full(len(years), cap), balance)
