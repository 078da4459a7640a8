"""Compute the cost of every set of measures that a unit may install, in every scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from etsopt.checking.readings.choices import NOT_ON_OFFER
from etsopt.checking.readings.sets import batches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.checking.arrays import Floats, Ints, Mask
    from etsopt.checking.investment.derived import Derived
    from etsopt.checking.readings.baseline import Baseline
    from etsopt.checking.readings.choices import Choices
    from etsopt.checking.readings.families import Family
    from etsopt.checking.readings.sets import Sets


def first_years(baseline: Baseline, offered: Choices) -> Ints:
    """Return the position of the first year in which each slot can run, the number of years if never.

    It waits for its first year, for the step before it, which takes a year, and for all that its measure requires.
    """
    years = len(baseline.years)
    first = np.minimum(np.searchsorted(baseline.years, offered.first_year), years)
    first[(offered.required == NOT_ON_OFFER).any(axis=2)] = years
    changed = True
    while changed:
        before = first.copy()
        for slot in range(offered.code.shape[1]):
            if slot:
                later = np.minimum(first[:, slot - 1] + 1, years)
                first[:, slot] = np.maximum(first[:, slot], np.where(offered.step[:, slot] > 1, later, 0))
            for needed in offered.required[:, slot].T:
                same = (offered.code == needed[:, None]) & (needed >= 0)[:, None]
                first[:, slot] = np.maximum(first[:, slot], np.where(same, first, 0).max(axis=1))
        changed = bool((before != first).any())
    return first


def investments(baseline: Baseline, offered: Choices, capital: Floats, first: Ints) -> Floats:
    """Return the investment of each slot in the year in which it is built, shape ``(units, slots)`` [CNY].

    Parameters
    ----------
    capital
        Investment per tonne of the output of the base year, shape ``(units, slots)`` [CNY/t].
    """
    built = baseline.years[np.minimum(first, len(baseline.years) - 1)] - offered.base_year
    return np.asarray(capital * baseline.base_output[:, None] * offered.growth**built)


class SetCosts(NamedTuple):
    """Costs of sets of some units.

    Sets; discounted cost of each in every scenario and at the mean of the scenarios, shapes
    ``(scenarios, sets, units)`` and ``(sets, units)``, infinite if it may not be installed; its investment, shape
    ``(sets, units)``; and the sum of the absolute terms of a cost in each scenario, ``(scenarios, units)`` [CNY].
    """

    sets: Sets
    cost: Floats
    at_mean: Floats
    investment: Floats
    size: Floats

    def numbers(self, installed: Mask) -> Ints:
        """Return the number of the set of each of these units, from the slots of all units ``(units, slots)``."""
        has = self.sets.family.has
        mine = installed[self.sets.units, : has.shape[1]]
        return (has[:, None] == mine[None]).all(axis=2).argmax(axis=0)


def set_costs(  # long because years, scenarios and sets are three loops over the same arrays
    derived: Derived,
) -> Iterator[SetCosts]:
    """Yield the costs of the sets of all units, some units at a time."""
    offered, before, states, first = derived.offered, derived.before, derived.states, derived.first
    prices = np.concatenate([states.price, states.mean.price])
    for sets in batches(before, offered, np.arange(len(offered.code))):
        slots = sets.family.has.shape[1]
        start = first[sets.units, :slots].T
        cost = np.zeros((len(prices), len(sets.family), len(sets.units)))
        size = np.zeros((len(prices), len(sets.units)))
        for t, year in enumerate(before.years):
            there = start <= t
            factor = offered.factor(year)[sets.units, :slots].T
            fixed, variable = (
                np.where(there, part[sets.units, :slots].T * factor, 0.0) for part in (offered.fixed, offered.variable)
            )
            left, kept, produced = (
                sets.family.accumulate(np.where(there, part[sets.units, :slots].T, 1.0), np.multiply)
                for part in (offered.left, offered.intensity_left, offered.output_left)
            )
            paid, running = sets.family.accumulate(fixed, np.add), sets.family.accumulate(variable, np.add)
            for number, (baseline, price) in enumerate(zip(derived.baselines, prices[:, t], strict=True)):
                emissions = left * baseline.emissions[sets.units, t]
                free = baseline.free(sets.units, t, emissions.T, kept.T, produced.T).T
                value = running * baseline.output[sets.units, t] + price * (emissions - free)
                value[~sets.possible] = np.inf
                least_of_parts(sets.family, value)
                cost[number] += before.discount[t] * (paid + value)
                most = np.abs(variable).sum(axis=0) * baseline.output[sets.units, t] + np.abs(fixed).sum(axis=0)
                size[number] += most + price * (emissions + np.abs(free)).max(axis=0)
        never = sets.family.accumulate((start == len(before.years)).astype(float), np.add) > 0
        cost[:, never | ~sets.possible] = np.inf
        invested = sets.family.accumulate(derived.investment[sets.units, :slots].T, np.add)
        yield SetCosts(sets, cost[:-1], cost[-1], invested, size[:-1])


def least_of_parts(family: Family, value: Floats) -> None:
    """Replace the value of every set by the least over the parts of it that may run, in place, ``(sets, units)``.

    What stops may rest: of a group of alternatives, the one; of a line, the last ones of it.
    """
    below = 1
    for group in family.groups:
        digits = value.reshape(-1, len(group.slots) + 1, below, value.shape[1])
        below *= len(group.slots) + 1
        if group.stops and group.measures:
            np.minimum.accumulate(digits, axis=1, out=digits)
        elif group.stops:
            digits[...] = np.minimum(digits, digits[:, :1])
