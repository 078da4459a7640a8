"""Derive the allowances of a path again: the rule of later years, power by the benchmarks of each, and the cap."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from etsopt.checking.readings import plan
from etsopt.checking.readings.instance_inputs import by_year
from etsopt.checking.readings.power import allowances_of_power
from etsopt.checking.readings.targets import fixed_at_emissions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.checking.readings.instance_inputs import InstanceInputs


class Rule(NamedTuple):
    """Slope and cap of the rule by year, and balance value by unit and year [t/t], NaN for a unit with A = E."""

    slope: NDArray[np.float64]
    cap: NDArray[np.float64]
    balance_value: NDArray[np.float64]

    def rate(self, intensity: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the surplus rate of every unit and year."""
        rate = np.clip(self.slope * (1 - intensity / self.balance_value), -self.cap, self.cap)
        return np.nan_to_num(rate)


def follows_output(instance: InstanceInputs, years: NDArray[np.int64], capped: bool) -> NDArray[np.bool_]:
    """Return the years in which the plan gives by the output of the year: those before an absolute cap of a path."""
    path = instance.policy.pathway
    starts = [int(year) for year in path.cap_t or {}] + ([path.cap_from] if path.cap_from is not None else [])
    by_plan = np.full(len(years), plan.follows_plan(instance))
    return by_plan & (years < min(starts)) if capped and starts else by_plan


def banks(instance: InstanceInputs, years: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return the years of a path at whose end allowances may be kept: those before the eve of `no_bank_from`."""
    first = instance.policy.pathway.no_bank_from
    return np.array([first is None or year < first - 1 for year in years.tolist()])


def tightened(instance: InstanceInputs, years: NDArray[np.int64], phase_2: NDArray[np.bool_], enacted: Rule) -> Rule:
    """Return the rule of the pathway: in the second phase, the balance value falls from that of the year before."""
    path = instance.policy.pathway
    fall = by_year(path.tightening, years, 0.0)
    tightened = enacted.balance_value.copy()
    for year in np.flatnonzero(phase_2).tolist():
        # A horizon that begins in the second phase starts from the balance value of its first year.
        before = tightened[:, max(year - 1, 0)]
        before = np.where(np.isnan(before), enacted.balance_value[:, year], before)
        tightened[:, year] = before * (1 - fall[year])
    slope, cap = by_year(path.slope, years, enacted.slope[0]), by_year(path.band, years, enacted.cap[0])
    return Rule(np.where(phase_2, slope, enacted.slope), np.where(phase_2, cap, enacted.cap), tightened)


def with_power(
    instance: InstanceInputs,
    years: NDArray[np.int64],
    grown: NDArray[np.float64],
    emissions: NDArray[np.float64],
    given: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the allocation with that of power units by the benchmarks of each year, shape ``(units, years)`` [t]."""
    fixed = fixed_at_emissions(instance)
    factor = grown * (emissions > 0)
    of_power = np.column_stack(
        [
            allowances_of_power(instance, fixed, year, factor[:, t], emissions[:, t])
            for t, year in enumerate(years.tolist())
        ]
    )
    return np.where(np.isnan(of_power), given, of_power)


def caps(instance: InstanceInputs, years: NDArray[np.int64], totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cap on all allowances of each year, infinite without one, from their totals before it [t]."""
    path = instance.policy.pathway
    if path.cap_t is not None:
        stated, tonnes = zip(*sorted((int(year), cap) for year, cap in path.cap_t.items()), strict=True)
        return np.where(years >= stated[0], np.interp(years, stated, tonnes), np.inf)
    if path.cap_from is None or path.cap_from > years[-1]:
        return np.full(len(years), np.inf)
    last_free = totals[years < path.cap_from][-1]
    falling = last_free * (1 + path.cap_change) ** (years - path.cap_from + 1.0)
    return np.where(years >= path.cap_from, falling, np.inf)


def below_cap(instance: InstanceInputs, years: NDArray[np.int64], given: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the allocation of the pathway, cut by one factor a year to the cap, shape ``(units, years)`` [t]."""
    totals = given.sum(axis=0)
    limit = caps(instance, years, totals)
    if np.isinf(limit).all():
        return given
    return given * np.minimum(1.0, np.divide(limit, totals, out=np.ones(len(years)), where=totals > 0))
