r"""The baseline of every unit over the years: output, emissions, intensity and free allowances before abatement.

Free allowances are lump sums, except in self-balancing years, in which they follow the unit's own emissions.

Tonnes that a rule loses by rounding down: the regulator offers them, so they are no scarcity.

Self-balancing years: the allowances of a sector equal its emissions after abatement.

The plans of 2025 and 2026 take the balance value $V$ from verified emissions, so that $\sum_i A_{it} = \sum_i E_{it}$
over a sector whatever its units abate. No unit moves $V$ noticeably: each takes it as given, and earns its marginal
incentive (`etsopt_models._market.incentives`). Hence a fixed point. The market is solved at balance values $V$, with
the allowances of every plan at these; the answer has balance values $V'$ of its own, with which it is solved again,

$$\sum_j x_j E_{jt} \,\mathrm{clip}\bigl(\sigma (1 - I_{jt} / V'), \pm d\bigr) = 0,$$

until $V'$ and the emissions of every sector and year repeat to 1e-9 (`etsopt_models._market.balance_values`). The first
balance values are those before abatement, and lower ones where passes come back in a cycle. Units that get $A = E$ do so
after abatement. There may be several fixed points.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _
from etsopt.common.units import LEAST_TOLERANCE, ROUNDING_NOISE_T, TONNE
from etsopt.data.content import intensity_base, output_of
from etsopt.data.policy.official import FIRST_YEAR_OF_INDUSTRY, POWER
from etsopt.data.policy.plans import NATIONAL
from etsopt.data.policy.self_balancing import follows_outside_until, self_balancing_until, states_self_balancing
from etsopt.data.policy.yearly import by_year
from etsopt.data.projection import development
from etsopt.rules import fixed_units, parameters_of, reference_allowances
from etsopt.rules.balance import balance_value
from etsopt.rules.intensity import IntensityParameters, check_intensity, stated_balance_values
from etsopt.rules.years import references_of_years
from etsopt_models._market.holdings import totals

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt.data.tables.labels import Labels


SAME_T = LEAST_TOLERANCE[TONNE]
"""Tolerance within which an allowance is that of the rule, and a total is in whole tonnes [t]."""


def rounding_remainder(
    instance: Instance, before: Mapping[str, pd.DataFrame], emissions: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the whole tonnes that the regulator auctions for the loss by rounding, shape ``(years,)`` [t].

    The loss is less than a tonne for each unit that gets no less than the rule gives; what a unit gains by rounding
    where A = E is less loss. It is scaled with the unit's emissions and stays within the targets of its sector and of
    the nation. The offer is the loss, rounded up.

    Parameters
    ----------
    before
        Tables of the model ``allocation``.
    emissions
        Emissions before abatement, shape ``(units, years)`` [tCO2e].
    """
    reference, base = reference_allowances(instance), instance.emissions_tco2e
    allowance = before["allocation"]["allowance_t"].to_numpy(dtype=float)
    gained = np.minimum(reference.exact_t - reference.reference_t, 0.0)
    taken = np.maximum(reference.exact_t - np.maximum(allowance, reference.reference_t), gained)
    taken[(allowance < reference.reference_t - SAME_T) | (np.abs(taken) < ROUNDING_NOISE_T)] = 0.0
    sector, sectors = instance.labels("sector"), before["sectors"].set_index("sector")
    free = np.where(reference.fixed, 0.0, taken)
    room = sectors["under_target_t"].reindex(sector.names).to_numpy(dtype=float)
    taken -= free * (1 - _share(room, sector.sums(free)))[sector.code]
    national = instance.policy.national
    if national is not None and (national.target_t is not None or national.target_change is not None):
        most = national.target_t
        most = base.sum() * (1 + (national.target_change or 0.0)) if most is None else most
        taken *= _share(most - allowance.sum(), taken.sum())
    rate = np.divide(taken, base, out=np.zeros_like(taken), where=base > 0)
    total = rate @ emissions
    return np.where(total > SAME_T, np.ceil(total - ROUNDING_NOISE_T), 0.0)


def _share(room: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of the wanted tonnes that fits into the room; one if there is no limit."""
    share = np.divide(np.maximum(room, 0.0), wanted, out=np.ones(np.shape(wanted)), where=wanted > 0)
    return np.where(np.isnan(share), 1.0, np.minimum(share, 1.0))


HELD = "balance_values"
"""Table of the balance values at which a market is solved; of earlier passes while they are sought."""

FOUND_PRICES = "found_prices"
"""Table of the prices that the search of the pass before found, with which the next one starts."""


def self_balancing_years(
    instance: Instance, years: NDArray[np.int64], before: Mapping[str, pd.DataFrame]
) -> NDArray[np.bool_]:
    """Return True for the self-balancing years of every sector, shape ``(sectors, years)``.

    A sector whose years the policy does not state has none in a market that starts from an allocation with more or
    fewer allowances than emissions: a target then makes the scarcity that the plan avoids.

    Raises
    ------
    DataError
        If the policy states such years for a sector whose rule does not balance it.
    """
    policy, names = instance.policy, instance.labels("sector").names
    is_self_balancing = np.zeros((len(names), len(years)), dtype=bool)
    for number, name in enumerate(names):
        until = self_balancing_until(policy, name)
        if until is None or not (states_self_balancing(policy, name) or _stands_at_emissions(instance, name, before)):
            continue
        is_self_balancing[number] = years <= until
        if is_self_balancing[number].any() and not policy.balances(name):
            what = _(
                "the rule {name!r} does not make the allowances of {sector} equal its emissions",
                name=policy.rule.name,
                sector=name,
            )
            advice = _("Omit the key for lump-sum allowances, name the sectors that a plan balances, or use its rule.")
            raise DataError(_("The policy"), [Problem("policy.toml", what, advice, "pathway.self_balancing_until")])
    return is_self_balancing


def years_at_value_from_outside(
    instance: Instance, years: NDArray[np.int64], before: Mapping[str, pd.DataFrame]
) -> NDArray[np.bool_]:
    """Return the years in which allowances follow a balance value from outside, shape ``(sectors, years)``.

    A market that starts from another allocation than that of the rule has lump sums, as where sectors balance.
    """
    names = instance.labels("sector").names
    until = [follows_outside_until(instance.policy, name) for name in names]
    last = np.array(
        [
            -1 if year is None or not _is_of_rule(instance, name, before) else year
            for name, year in zip(names, until, strict=True)
        ]
    )
    until_last: NDArray[np.bool_] = years <= last[:, None]
    return until_last


def _is_of_rule(instance: Instance, name: str, before: Mapping[str, pd.DataFrame]) -> bool:
    """Return True if an allocation, if there is one, gives a sector what the rule does, but for a tonne of each unit."""
    if "allocation" not in before:
        return True
    in_sector, table = instance.labels("sector").where(name), before["allocation"]
    return bool(
        abs((table["allowance_t"] - table["reference_t"]).to_numpy(dtype=float)[in_sector].sum()) <= in_sector.sum()
    )


def _stands_at_emissions(instance: Instance, name: str, before: Mapping[str, pd.DataFrame]) -> bool:
    """Return True if an allocation, if there is one, gives a sector its emissions, but for rounding of each unit."""
    if "allocation" not in before:
        return True
    in_sector = instance.labels("sector").where(name)
    allowance = before["allocation"]["allowance_t"].to_numpy(dtype=float)[in_sector]
    return bool(abs(allowance.sum() - instance.emissions_tco2e[in_sector].sum()) <= in_sector.sum())


@dataclass(frozen=True)
class IntensityRule:
    """The intensity-coefficient method over the years.

    Parameters
    ----------
    slope, cap
        Slope and cap of the surplus rate in each year, shape ``(years,)``.
    balance_value
        Balance value of each unit's sector, shape ``(units, years)`` [t/t]; NaN if a unit gets A = E.
    """

    slope: NDArray[np.float64]
    cap: NDArray[np.float64]
    balance_value: NDArray[np.float64]

    def rates(self, units: NDArray[np.int64], year: int, intensity: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the surplus rates of units at an intensity, shape ``(..., units)`` [t/t]; zero if A = E."""
        balance = self.balance_value[units, year]
        rates = np.clip(self.slope[year] * (balance - intensity) / balance, -self.cap[year], self.cap[year])
        return np.where(np.isnan(rates), 0.0, rates)


@dataclass(frozen=True)
class SelfBalancing:
    """Self-balancing years, and the balance values and emissions of sectors at which a market is solved.

    Parameters
    ----------
    follows, outside
        Years in which the allowances of a unit follow its own emissions, and those of them in which they do at a balance
        value from outside, shape ``(units, years)``.
    sector
        Sector of every unit.
    balance_value, emissions
        Those held, shape ``(sectors, years)`` [t/t, tCO2e]; NaN if they are those before abatement. Emissions decide
        how many allowances are auctioned by a paid share.
    """

    follows: NDArray[np.bool_]
    outside: NDArray[np.bool_]
    sector: Labels
    balance_value: NDArray[np.float64]
    emissions: NDArray[np.float64]

    @property
    def balances(self) -> NDArray[np.bool_]:
        """Self-balancing years, shape ``(units, years)``."""
        return self.follows & ~self.outside

    @classmethod
    def of(
        cls,
        instance: Instance,
        years: NDArray[np.int64],
        before: Mapping[str, pd.DataFrame],
        phase_1: NDArray[np.bool_] | bool = True,
    ) -> SelfBalancing:
        """Return the self-balancing years of a market, and what is held in them.

        Parameters
        ----------
        before
            Tables from which the market starts, with those of the passes so far, if there were any.
        phase_1
            Years of phase 1, shape ``(years,)``: no year after it balances itself.
        """
        sector = instance.labels("sector")
        balances = self_balancing_years(instance, years, before) & phase_1
        outside = years_at_value_from_outside(instance, years, before) & phase_1
        balance, emissions = np.full(balances.shape, np.nan), np.full(balances.shape, np.nan)
        if HELD in before:
            passes = before[HELD]
            last = passes[passes["pass"] == passes["pass"].max()]
            sector_of_row = np.searchsorted(sector.names.astype(str), last["sector"].to_numpy(dtype=str))
            at = np.searchsorted(years, last["year"])
            balance[sector_of_row, at], emissions[sector_of_row, at] = last["balance_value"], last["emissions_tco2e"]
        return cls((balances | outside)[sector.code], outside[sector.code], sector, balance, emissions)

    def held(self, rule: IntensityRule) -> IntensityRule:
        """Return a rule at the balance values held; units that get A = E keep it."""
        held = self.balance_value[self.sector.code]
        value = np.where(np.isnan(held) | np.isnan(rule.balance_value), rule.balance_value, held)
        return replace(rule, balance_value=value)

    def emissions_held(self, emissions: NDArray[np.float64], paid_share: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the emissions of units by which paid allowances are offered, shape ``(units, years)`` [tCO2e].

        Those of a sector add up to what is held in years with a paid share, and are shared by emissions before
        abatement. In other years nothing depends on them.
        """
        unabated = totals(emissions, self.sector.code, len(self.sector))
        share = np.divide(self.emissions, unabated, out=np.ones_like(unabated), where=unabated > 0)
        share = np.where(np.isnan(share) | (paid_share == 0), 1.0, share)
        held: NDArray[np.float64] = emissions * share[self.sector.code]
        return held


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
