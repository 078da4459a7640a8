"""Derive everything that an investment takes as given again, from the instance and its allocation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.investment.objective import Objective
from etsopt.checking.investment.states import read_states
from etsopt.checking.readings.baseline import derive_baseline
from etsopt.checking.readings.choices import NOT_ON_OFFER, derive_choices
from etsopt.checking.readings.offers import cells_of, on_offer, steps_of

if TYPE_CHECKING:
    import pandas as pd

    from etsopt.checking.arrays import Floats, Ints
    from etsopt.checking.investment.states import States
    from etsopt.checking.readings.baseline import Baseline
    from etsopt.checking.readings.choices import Choices
    from etsopt.checking.readings.instance_inputs import InstanceInputs


@dataclass(frozen=True)
class Derived:
    """What follows from the instance and its allocation alone.

    Parameters
    ----------
    before, baselines
        Baseline before any scenario; that of every scenario, and last that of their mean.
    first
        Position of the first year in which each slot can run, the number of years if never, shape ``(units, slots)``.
    investment
        Investment of each slot, shape ``(units, slots)`` [CNY].
    budget
        Budget of each enterprise, infinite without one [CNY].
    """

    instance: InstanceInputs
    states: States
    before: Baseline
    baselines: list[Baseline]
    offered: Choices
    first: Ints
    investment: Floats
    objective: Objective
    budget: Floats

    @property
    def values_are_stated(self) -> bool:
        """True if the values of information are stated: there is no budget."""
        return not np.isfinite(self.budget).any()


def derive(instance: InstanceInputs, allocation: pd.DataFrame) -> Derived:
    """Derive scenarios, baselines, measures, budgets and the objective again."""
    before = derive_baseline(instance, allocation)
    states, offered = read_states(instance, before.years), derive_choices(instance, before)
    baselines = [states.baseline(instance, before, number) for number in range(len(states.names))]
    baselines.append(states.mean.baseline(instance, before, 0))
    first = first_years(before, offered)
    stated, names = instance.policy.investment.budget_cny, instance.labels("enterprise_id").names
    budget = [stated.get(name, np.inf) if isinstance(stated, dict) else stated for name in names]
    return Derived(
        instance,
        states,
        before,
        baselines,
        offered,
        first,
        investments(before, offered, _capital(instance, offered), first),
        Objective.of(instance, states.probability),
        np.array([np.inf if limit is None else limit for limit in budget], dtype=float),
    )


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


def _capital(instance: InstanceInputs, offered: Choices) -> Floats:
    """Return the investment of each slot per tonne of the base year's output, shape ``(units, slots)`` [CNY/t]."""
    capital = np.zeros(offered.code.shape)
    if instance.measures is None:
        return capital
    row, step, _ = steps_of(instance)
    share, each = cells_of(instance, "maximum_share"), cells_of(instance, "capex_cny_per_t")
    unit, offer = on_offer(instance)
    rows = row[offer]
    names = cells_of(instance, "measure_id")[rows]
    codes = np.searchsorted(offered.names[:-1].astype(str), names.astype(str))
    slot = offered.slot_of(unit, codes, step[offer])
    there = slot >= 0
    steps = offered.steps[unit[there], slot[there]]
    capital[unit[there], slot[there]] = (share * each)[rows[there]] / steps
    return capital
