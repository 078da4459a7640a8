"""The baseline of every unit on the path: the rule of each year, its tightening, and the absolute cap."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _
from etsopt.data.policy.plans import NATIONAL
from etsopt.data.policy.yearly import by_year, interpolated
from etsopt.rules import fixed_units, parameters_of, power_allowances_of_years
from etsopt.rules.years import references_of_years
from etsopt_models._market.baseline import IntensityRule, SelfBalancing, enacted_rule, without_allowances

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._market.baseline import Baseline


def pathway_baseline_of(instance: Instance, before: Mapping[str, pd.DataFrame]) -> Baseline:
    """Return the baseline of every unit on the path: phase 1 as enacted, then tightened year by year.

    Under a rule that is no plan of China's, entitlements are the references of each year, and nothing is tightened.

    From ``phase_2_from`` on the balance value falls by ``tightening`` a year, with the band and slope of the policy,
    and a growing share of the allowances is auctioned. Power under the rule ``cn`` has the benchmarks of each year. All
    allowances, free and paid, stay below an absolute cap; those of every unit are cut by one factor.

    Parameters
    ----------
    before
        Tables of the passes that seek the balance values of self-balancing years, if there were any.

    Raises
    ------
    DataError
        If the rule has no references of later years, or a tightening is stated and it has no balance value.
    """
    _refuse_values_of_phase_2(instance)
    baseline = without_allowances(instance)
    of_years = None if instance.policy.follows_plan else _of_years(instance, baseline)
    path, years = instance.policy.pathway, baseline.years
    phase_2 = years >= path.phase_2_from
    balancing = SelfBalancing.of(instance, years, before, ~phase_2)
    # Phase 2 starts from the balance value before abatement: what was abated by then takes no allowances from it.
    rule = balancing.held(_tightened(instance, baseline, phase_2, enacted_rule(instance, baseline)))
    all_units = np.arange(len(baseline.emissions))
    rates = np.column_stack([rule.rates(all_units, t, baseline.intensity[:, t]) for t in range(len(years))])
    total = baseline.emissions * (1 + rates)
    if instance.policy.rule.name == NATIONAL:
        of_power = power_allowances_of_years(instance, years, baseline.emissions)
        total = np.where(np.isnan(of_power), total, of_power)
    if of_years is not None:
        at_emissions = fixed_units(instance, parameters_of(instance))
        total = np.where(at_emissions[:, None], total, of_years * instance.in_scope_in(years))
    total = np.where(balancing.balances, baseline.emissions, total)
    below_cap = total * _cap_factor(instance, years, total.sum(axis=0))
    return replace(
        baseline,
        entitlement=np.where(balancing.follows, total, below_cap),
        paid_share=np.where(phase_2, by_year(path.paid_share, years, 0.0), 0.0),
        follows=balancing.follows,
        outside=balancing.outside,
        follows_output=instance.policy.follows_plan & (years < _first_capped(instance)),
        rule=rule,
        banks=years + 1 < (np.inf if path.no_bank_from is None else path.no_bank_from),
    )


def _refuse_values_of_phase_2(instance: Instance) -> None:
    """Raise DataError if a balance value is stated for a year in which the path itself sets it."""
    first = instance.policy.pathway.phase_2_from
    for name, section in instance.policy.sectors.items():
        stated = section.balance_value
        later = [year for year in stated if int(year) >= first] if isinstance(stated, dict) else []
        if later:
            what = _("is stated for {year}, in which the path tightens that of the year before", year=later[0])
            advice = _("State it for years before {first} alone, or a later pathway.phase_2_from.", first=first)
            raise DataError(_("The policy"), [Problem("policy.toml", what, advice, f"sectors.{name}.balance_value")])


def _of_years(instance: Instance, baseline: Baseline) -> NDArray[np.float64]:
    """Return the references of each year under a rule that is no plan of China's, shape ``(units, years)`` [t]."""
    name, problems = instance.policy.rule.name, []
    for key in sorted(instance.policy.pathway.model_fields_set & {"tightening", "slope", "band"}):
        what = _("changes a balance value, and the rule {name!r} has none", name=name)
        problems.append(Problem("policy.toml", what, _("Leave it out."), f"pathway.{key}"))
    of_years = None if problems else references_of_years(instance, baseline.years.tolist())
    if of_years is None and not problems:
        what = _("the path needs the rule of each year, and {name!r} has references of one year alone", name=name)
        advice = _("State reference_t of each later year in forecast.csv, use another rule, or solve clearing.")
        problems.append(Problem("policy.toml", what, advice, "rule.name"))
    if problems or of_years is None:
        raise DataError(_("The policy"), problems)
    return of_years


def _tightened(
    instance: Instance, baseline: Baseline, phase_2: NDArray[np.bool_], rule: IntensityRule
) -> IntensityRule:
    """Return the enacted rule over the years with the slope, band and tightening of the path in phase 2."""
    path, years = instance.policy.pathway, baseline.years
    slope = np.where(phase_2, by_year(path.slope, years, rule.slope[0]), rule.slope)
    cap = np.where(phase_2, by_year(path.band, years, rule.cap[0]), rule.cap)
    fall = np.where(phase_2, by_year(path.tightening, years, 0.0), 0.0)
    # Phase 2 continues from the last balance value of phase 1: a unit that becomes cleaner then gains by it, since no
    # new balance takes the gain away.
    there = np.flatnonzero(~np.isnan(rule.balance_value).all(axis=0))
    last = max(int(np.searchsorted(years, path.phase_2_from)) - 1, int(there[0]) if len(there) else 0)
    start = np.where(phase_2, rule.balance_value[:, [last]], rule.balance_value)
    return IntensityRule(slope, cap, start * np.cumprod(1 - fall))


def _first_capped(instance: Instance) -> float:
    """Return the first year under an absolute cap; infinite without one."""
    path = instance.policy.pathway
    if path.cap_t is not None:
        return float(min(int(year) for year in path.cap_t))
    return np.inf if path.cap_from is None else float(path.cap_from)


def _cap_factor(instance: Instance, years: NDArray[np.int64], totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the factor that keeps the total of each year below the cap, shape ``(years,)``."""
    path = instance.policy.pathway
    if path.cap_t is not None:
        cap = interpolated(path.cap_t, years, np.inf)
    elif path.cap_from is not None:
        before = int(np.clip(np.searchsorted(years, path.cap_from) - 1, 0, len(years) - 1))
        change = (1 + path.cap_change) ** (years - years[before])
        cap = np.where(years >= path.cap_from, totals[before] * change, np.inf)
    else:
        return np.ones(len(years))
    return np.minimum(1.0, np.divide(cap, totals, out=np.ones(len(years)), where=totals > 0))
