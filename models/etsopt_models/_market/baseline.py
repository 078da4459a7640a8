"""The baseline of every unit over the years: output, emissions, intensity and free allowances before abatement.

Free allowances are lump sums, except in self-balancing years, in which they follow the unit's own emissions.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from etsopt.data.content import intensity_base, output_of
from etsopt.data.policy.official import FIRST_YEAR_OF_INDUSTRY, POWER
from etsopt.data.policy.plans import NATIONAL
from etsopt.data.policy.yearly import by_year
from etsopt.data.projection import development
from etsopt.rules import fixed_units, parameters_of, reference_allowances
from etsopt.rules.balance import balance_value
from etsopt.rules.intensity import IntensityParameters, check_intensity, stated_balance_values
from etsopt.rules.years import references_of_years
from etsopt_models._market.remainder import rounding_remainder
from etsopt_models._market.self_balancing import IntensityRule, SelfBalancing

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance


@dataclass(frozen=True)
class Baseline:
    """Quantities before abatement, shape ``(units, years)`` unless stated otherwise.

    Parameters
    ----------
    years, discount
        Compliance years, and the worth of a CNY of each in the first, shape ``(years,)``.
    base_output, output
        Output of the base year, shape ``(units,)``, and of each year [t, of power MWh]; NaN if a unit states none.
    measured_output
        Output on which the rule measures intensity, of each year [t]; NaN if a unit states none.
    emissions, intensity
        Verified emissions [tCO2e], and intensity as the rule measures it [t/t].
    entitlement
        Allowances of the rule or the allocation before abatement, free and paid [t].
    paid_share
        Share of them that is auctioned instead of given, shape ``(years,)``.
    follows
        Years in which free allowances follow the unit's own emissions.
    follows_output
        Years in which other free allowances follow the output, shape ``(years,)``: those of a plan, before a cap.
    rule
        The rule that they follow.
    rounding_remainder
        Tonnes that the regulator offers for the loss by rounding, shape ``(years,)`` [t].
    banks
        Years at whose end allowances may be kept, shape ``(years,)``; in others what is left lapses.
    outside
        Of the years in which they follow emissions those at a balance value from outside, which nothing balances.
    in_sum
        True if allowances that follow emissions equal those of every plan, as they do in sum at every balance value.
    """

    years: NDArray[np.int64]
    discount: NDArray[np.float64]
    base_output: NDArray[np.float64]
    output: NDArray[np.float64]
    measured_output: NDArray[np.float64]
    emissions: NDArray[np.float64]
    intensity: NDArray[np.float64]
    entitlement: NDArray[np.float64]
    paid_share: NDArray[np.float64]
    follows: NDArray[np.bool_]
    follows_output: NDArray[np.bool_]
    rule: IntensityRule
    rounding_remainder: NDArray[np.float64]
    banks: NDArray[np.bool_]
    outside: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((1, 1), dtype=bool))
    in_sum: bool = False

    @property
    def balances(self) -> NDArray[np.bool_]:
        """True in self-balancing years, in which the allowances of a sector equal its emissions."""
        return self.follows & ~self.outside

    @property
    def allowance(self) -> NDArray[np.float64]:
        """Free allowances before abatement as lump sums [t]."""
        return self.entitlement * (1 - self.paid_share)

    @cached_property
    def free(self) -> NDArray[np.float64]:
        """Free allowances before abatement [t], with those that follow emissions at the emissions before abatement."""
        free = self.allowance
        for t in np.flatnonzero(self.follows.any(axis=0)).tolist():
            units = np.flatnonzero(self.follows[:, t])
            rates = self.rule.rates(units, t, self.intensity[units, t])
            free[units, t] = self.emissions[units, t] * (1 + rates) * self.free_share[t]
        return free

    @property
    def free_share(self) -> NDArray[np.float64]:
        """Share of the allowances that follow emissions that is free, shape ``(years,)``."""
        return np.ones(len(self.years)) if self.in_sum else 1 - self.paid_share

    @property
    def balanced_in_sum(self) -> Baseline:
        """The baseline in which a plan gets its emissions, free, where its sector does: it frees none."""
        balance = np.where(self.balances, np.nan, self.rule.balance_value)
        others = np.where(self.balances, 0.0, self.entitlement)
        return replace(self, rule=replace(self.rule, balance_value=balance), entitlement=others, in_sum=True)

    def allowance_of(self, units: NDArray[np.int64], year: int) -> NDArray[np.float64]:
        """Return the `allowance` of some units in a year, shape ``(units,)`` [t]."""
        return self.entitlement[units, year] * (1 - self.paid_share[year])

    def only(self, units: NDArray[np.int64]) -> Baseline:
        """Return the baseline of some of the units."""
        names = ("base_output", "output", "measured_output", "emissions", "intensity", "entitlement", "follows")
        rule = replace(self.rule, balance_value=self.rule.balance_value[units])
        outside = np.broadcast_to(self.outside, self.follows.shape)[units]
        return replace(self, rule=rule, outside=outside, **{name: getattr(self, name)[units] for name in names})

    def times(self, factor: NDArray[np.float64]) -> Baseline:
        """Return the baseline of units scaled by a factor each."""
        names = ("output", "measured_output", "emissions", "entitlement")
        larger = {name: getattr(self, name) * factor[:, None] for name in names}
        return replace(self, base_output=self.base_output * factor, **larger)

    def of_year(self, year: int) -> Baseline:
        """Return the baseline of a horizon of one year, given by its position, in CNY of that year."""
        of_year = slice(year, year + 1)
        names = ("output", "measured_output", "emissions", "intensity", "entitlement", "follows")
        rule = IntensityRule(self.rule.slope[of_year], self.rule.cap[of_year], self.rule.balance_value[:, of_year])
        return replace(
            self,
            years=self.years[of_year],
            discount=np.ones(1),
            paid_share=self.paid_share[of_year],
            follows_output=self.follows_output[of_year],
            rule=rule,
            rounding_remainder=self.rounding_remainder[of_year],
            banks=self.banks[of_year],
            outside=np.broadcast_to(self.outside, self.follows.shape)[:, of_year],
            **{name: getattr(self, name)[:, of_year] for name in names},
        )

    @property
    def auctioned(self) -> NDArray[np.float64]:
        """Allowances auctioned because of paid shares and rounding, shape ``(years,)`` [t]."""
        auctioned: NDArray[np.float64] = self.paid_share * self.entitlement.sum(axis=0) + self.rounding_remainder
        return auctioned


def baseline_of(instance: Instance, before: Mapping[str, pd.DataFrame]) -> Baseline:
    """Return the baseline of every unit under an allocation.

    The surplus rate of the allocation is constant: a unit's lump sum is proportional to its emissions before abatement.
    If the rule has references of its own in each year, a lump sum is that of the year, with the allocation's change to
    the reference as a constant rate of emissions; it is never negative.

    Parameters
    ----------
    before
        Tables of the model ``allocation``: allowances of the base year, and targets of sectors. With them those of the
        passes that seek the balance values of self-balancing years.
    """
    baseline = without_allowances(instance)
    balancing = SelfBalancing.of(instance, baseline.years, before)
    follows = balancing.follows
    allowance = before["allocation"]["allowance_t"].to_numpy(dtype=float)
    lump_sums = _lump_sums(instance, baseline, allowance)
    # Allowances that follow emissions are not rounded.
    remainder = rounding_remainder(instance, before, np.where(follows, 0.0, baseline.emissions))
    paid_share = by_year(instance.policy.market.paid_share, baseline.years, 0.0)
    return replace(
        baseline,
        entitlement=np.where(balancing.balances, balancing.emissions_held(baseline.emissions, paid_share), lump_sums),
        paid_share=paid_share,
        follows=follows,
        outside=balancing.outside,
        follows_output=np.full(len(baseline.years), instance.policy.follows_plan),
        # Lump sums come from the allocation, whatever the rule.
        rule=balancing.held(enacted_rule(instance, baseline)) if follows.any() else no_rule(follows.shape),
        rounding_remainder=remainder,
    )


def _lump_sums(instance: Instance, baseline: Baseline, allowance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the allowances of each year as lump sums from those of the base year, shape ``(units, years)`` [t]."""
    emissions = instance.emissions_tco2e
    # A unit without emissions in the base year gets A = E in the years in which it has some.
    rate = np.divide(allowance, emissions, out=np.ones(len(emissions)), where=emissions > 0)
    held = rate[:, None] * baseline.emissions
    present = instance.in_scope_in(baseline.years)
    # A unit without emissions that the rule entitles keeps its allowances.
    held += np.where(emissions > 0, 0.0, allowance)[:, None] * present
    of_years = references_of_years(instance, baseline.years.tolist())
    if of_years is None:
        return held
    reference = reference_allowances(instance)
    change = np.divide(allowance - reference.reference_t, emissions, out=np.zeros(len(emissions)), where=emissions > 0)
    moved = np.maximum(of_years + change[:, None] * baseline.emissions, 0.0) * present
    return np.where(fixed_units(instance, parameters_of(instance))[:, None], held, moved)


def no_rule(shape: tuple[int, ...]) -> IntensityRule:
    """Return the rule A = E for all units in all years."""
    return IntensityRule(np.zeros(shape[1]), np.zeros(shape[1]), np.full(shape, np.nan))


def without_allowances(instance: Instance) -> Baseline:
    """Return the baseline without allowances and rule; quantities outside the scope are zero."""
    years = np.array(instance.policy.years)
    horizon = instance.policy.horizon
    grown = development(instance, list(years))
    units, scope = instance.units, instance.in_scope_in(years)
    base = output_of(units)
    base = np.where(scope.any(axis=1), base, 0.0)
    factor = grown.output_factor if scope.all() else np.where(scope, grown.output_factor, 0.0)
    nothing = np.zeros(len(years))
    return Baseline(
        years,
        (1 + horizon.discount_rate) ** -(years - years[0]).astype(float),
        base,
        base[:, None] * factor,
        intensity_base(units)[0][:, None] * factor,
        units["emissions_tco2e"].to_numpy(dtype=float)[:, None] * factor * grown.intensity_factor,
        instance.intensity[:, None] * grown.intensity_factor,
        np.zeros((len(units), len(years))),
        nothing,
        np.zeros((len(units), len(years)), dtype=bool),
        np.zeros(len(years), dtype=bool),
        IntensityRule(nothing, nothing, np.zeros((len(units), 0))),
        nothing,
        np.ones(len(years), dtype=bool),
    )


def enacted_rule(instance: Instance, baseline: Baseline) -> IntensityRule:
    """Return the rule as enacted, balanced in each year over emissions before abatement; A = E in 2024 and for power."""
    parameters, shape = parameters_of(instance), baseline.emissions.shape
    if not isinstance(parameters, IntensityParameters):
        return no_rule(shape)
    balance, fixed = np.full(shape, np.nan), reference_allowances(instance).fixed
    national = instance.policy.rule.name == NATIONAL
    balanced = np.flatnonzero((baseline.years > FIRST_YEAR_OF_INDUSTRY) | (not national)).tolist()
    if balanced:
        # In 2024 the rule itself needs no intensity.
        power = instance.labels("sector").mapped(dict.fromkeys(POWER, 1.0), 0.0) > 0
        check_intensity(instance, ~(instance.intensity > 0) & ~fixed & ~(national & power))
    for name in instance.sectors:
        units = np.flatnonzero(instance.labels("sector").where(name) & ~fixed)
        if national and name in POWER:
            continue
        stated = stated_balance_values(instance.policy, name, baseline.years)
        for year in balanced if len(units) else ():
            if not np.isnan(stated[year]):
                balance[units, year] = stated[year]
                continue
            emissions, intensity = baseline.emissions[units, year], baseline.intensity[units, year]
            balance[units, year] = balance_value(emissions, intensity, parameters.slope, parameters.cap).value
    return IntensityRule(np.full(shape[1], parameters.slope), np.full(shape[1], parameters.cap), balance)
