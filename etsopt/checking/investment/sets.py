"""Compute the cost of every set of measures that a unit may install, in every scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from etsopt.checking.readings.sets import batches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.checking.arrays import Floats, Ints, Mask
    from etsopt.checking.investment.derived import Derived
    from etsopt.checking.readings.families import Family
    from etsopt.checking.readings.sets import Sets


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
