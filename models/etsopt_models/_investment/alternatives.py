r"""Alternatives of units: the sets of measures that may be installed now, and the cost of each in every scenario.

A unit without an account of its own trades at the price. What it costs in a scenario follows from its set alone, so that
the best set of every unit is found over its few sets, for all units with the same structure at once.

Every alternative of every unit at the prices of the scenarios, and those that a coupled enterprise chooses from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from etsopt.common.progress import checkpoint
from etsopt.data.measure_steps import offers_of
from etsopt_models._investment.scenarios import Scenarios
from etsopt_models._market.baseline import baseline_of
from etsopt_models._market.measures import column, known
from etsopt_models._market.plans import Plans

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from etsopt.data.instance import Instance
    from etsopt_models._market.baseline import Baseline
    from etsopt_models._market.measures import Measures


class Amounts(NamedTuple):
    """Amounts of every set that runs in one year of a scenario, shape ``(sets, units)``.

    Emissions [tCO2e], free allowances [t], and the variable cost of measures [CNY], not discounted.
    """

    emissions: NDArray[np.float64]
    allowance: NDArray[np.float64]
    variable_cost: NDArray[np.float64]


@dataclass(frozen=True)
class Alternatives:
    """Sets of measures of units that share a structure.

    Parameters
    ----------
    measures, baseline, sector
        Measures, baseline before any scenario, and position of the sector of these units alone.
    first
        Position of the year in which each measure can run at the earliest if it is ordered now, shape ``(measures,)``;
        the number of years if it cannot within the horizon.
    installable
        True for sets that may be installed, shape ``(sets,)``.
    each_investment
        Investment of every measure at the cost of the year in which it is built, shape ``(units, measures)`` [CNY].
    """

    measures: Measures
    baseline: Baseline
    sector: NDArray[np.int64]
    first: NDArray[np.int64]
    installable: NDArray[np.bool_]
    each_investment: NDArray[np.float64]

    @cached_property
    def investment(self) -> NDArray[np.float64]:
        """Investment of every set, shape ``(sets, units)`` [CNY]."""
        return self.measures.family.sums(self.each_investment.T)

    @property
    def units(self) -> NDArray[np.int64]:
        """Positions of the units."""
        return self.measures.units

    def fixed_cost(self) -> NDArray[np.float64]:
        """Return the discounted cost of every set that is paid whether it runs or not, shape ``(sets, units)`` [CNY]."""
        part, total = self.measures, np.zeros((len(self.measures.family), len(self.units)))
        for t, elapsed in enumerate(part.elapsed.tolist()):
            there = (self.first <= t)[:, None]
            yearly = part.family.sums(np.where(there, (part.fixed * part.growth**elapsed).T, 0.0))
            total += self.baseline.discount[t] * yearly
        return total

    def yearly_fixed_cost(self, sets: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the yearly cost of one set of each unit, not discounted, shape ``(units, years)`` [CNY]."""
        part, has = self.measures, self.measures.family.has[sets]
        years = zip(range(len(self.baseline.years)), part.elapsed.tolist(), strict=True)
        yearly = [
            np.where(has & (self.first <= t), part.fixed * part.growth**elapsed, 0.0).sum(axis=1)
            for t, elapsed in years
        ]
        return np.column_stack(yearly)

    def amounts(self, scenarios: Scenarios, number: int) -> Iterator[Amounts]:
        """Yield the amounts of every set in each year of a scenario."""
        part, plans = self.measures, Plans(scenarios.applied(self.baseline, self.sector, number), [])
        everyone = np.arange(len(self.units))
        built = np.zeros(len(self.first), dtype=bool)
        left = plans.shares_left(self._built(built))
        output = known(plans.baseline.output)
        for t, elapsed in enumerate(part.elapsed.tolist()):
            there = self.first <= t
            if not np.array_equal(there, built):
                built = there
                left = plans.shares_left(self._built(there))
            emissions = left[0] * plans.baseline.emissions[:, t]
            given = plans.allowance(everyone, t, *left)
            allowance = np.broadcast_to(given, emissions.shape)
            variable = np.where(there, part.variable * part.growth**elapsed, 0.0)
            yield Amounts(emissions, allowance, part.family.sums(variable.T) * output[:, t])

    def _built(self, there: NDArray[np.bool_]) -> Measures:
        """Return the measures of these units alone, of which only some are there and leave less."""
        part, everyone = self.measures, np.arange(len(self.units))
        emissions, intensity, output = (
            np.where(there, left, 1.0) for left in (part.emissions_left, part.intensity_left, part.output_left)
        )
        return replace(part, units=everyone, emissions_left=emissions, intensity_left=intensity, output_left=output)

    def values(self, amounts: Amounts, price: float) -> NDArray[np.float64]:
        """Return the cost of every set that runs in a year at a price, infinite if a requirement is unmet [CNY]."""
        value = amounts.variable_cost + price * (amounts.emissions - amounts.allowance)
        value[~self.measures.admissible[-1]] = np.inf
        return value

    def costs(self, scenarios: Scenarios) -> NDArray[np.float64]:
        """Return the least discounted cost of every set in each scenario, shape ``(scenarios, sets, units)`` [CNY].

        In each year the best part of what is installed runs. Sets that may not be installed cost infinitely much.
        """
        fixed = self.fixed_cost()
        fixed[~self.installable] = np.inf
        costs = np.repeat(fixed[None], len(scenarios), axis=0)
        for number in range(len(scenarios)):
            checkpoint()
            for t, amounts in enumerate(self.amounts(scenarios, number)):
                least = self.measures.family.least_of_running(self.values(amounts, scenarios.price[number, t]))
                costs[number] += self.baseline.discount[t] * least
        return costs

    def running(
        self, sets: NDArray[np.int64], scenarios: Scenarios, number: int
    ) -> Iterator[tuple[NDArray[np.int64], Amounts]]:
        """Yield what runs of one installed set of each unit in each year of a scenario, and its amounts ``(units,)``."""
        may, everyone = self.measures.family.may_run(sets), np.arange(len(sets))
        for t, amounts in enumerate(self.amounts(scenarios, number)):
            value = np.where(may, self.values(amounts, scenarios.price[number, t]), np.inf)
            runs = value.argmin(axis=0)
            yield runs, Amounts(*(part[runs, everyone] for part in amounts))


def alternatives_of(instance: Instance, plans: Plans) -> Iterator[Alternatives]:
    """Yield the alternatives of all units, in parts whose sets stay in the processor's cache."""
    sector = instance.labels("sector").code
    for part in plans.parts():
        first = earliest(part)
        never = part.family.has[:, first == len(part.elapsed)].any(axis=1)
        yield Alternatives(
            part,
            plans.baseline.only(part.units),
            sector[part.units],
            first,
            part.admissible[-1] & ~never,
            _investment(instance, part, plans.baseline.base_output[part.units], first),
        )


def earliest(part: Measures) -> NDArray[np.int64]:
    """Return the position of the year in which each measure can run if it is ordered now, shape ``(measures,)``.

    It has its first year, those of all that it requires, and one step of a measure is built a year.
    """
    has, years = part.family.has, len(part.elapsed)
    first = np.full(has.shape[1], years)
    for t in reversed(range(years)):
        first[has[part.admissible[t]].any(axis=0)] = t
    inside = has[part.admissible[-1]]
    needs = np.array([inside[inside[:, k]].all(axis=0) for k in range(has.shape[1])]).reshape(
        has.shape[1], has.shape[1]
    )
    while True:
        later = np.array([first[needed].max(initial=first[k]) for k, needed in enumerate(needs)], dtype=np.int64)
        for group in part.family.groups:
            if group.reach:
                _build_in_steps(later, group.places, group.reach, years)
        if (later == first).all():
            return first
        first = later


def _build_in_steps(first: NDArray[np.int64], places: tuple[int, ...], reach: tuple[int, ...], years: int) -> None:
    """Move the first years of a chain to those in which its measures are within reach, in place."""
    built = 0
    for t in range(years):
        most = reach[built]
        while built < most and first[places[built]] <= t:
            first[places[built]] = t
            built += 1
    first[list(places[built:])] = years


def _investment(
    instance: Instance, part: Measures, base_output: NDArray[np.float64], first: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the investment of every measure at these units, shape ``(units, measures)`` [CNY]."""
    each = np.zeros(part.row.shape)
    of_table = part.row >= 0
    if of_table.any():
        rows = np.maximum(part.row, 0)
        per_t = column(instance, "capex_cny_per_t") * column(instance, "maximum_share") / offers_of(instance).steps
        built = part.elapsed[np.minimum(first, len(part.elapsed) - 1)]
        each = np.where(of_table, per_t[rows] * part.growth**built * base_output[:, None], 0.0)
    return each


class Options(NamedTuple):
    """Sets of measures among which units choose, sorted by unit.

    Position of the unit, number of the set, discounted cost in each scenario ``(options, scenarios)`` and investment
    [CNY].
    """

    unit: NDArray[np.int64]
    number: NDArray[np.int64]
    cost: NDArray[np.float64]
    investment: NDArray[np.float64]


@dataclass(frozen=True)
class Pricing:
    """Units at the prices of the scenarios, shape ``(units, ...)``.

    Parameters
    ----------
    baseline, scenarios, alternatives
        Baseline before any scenario, scenarios, and the sets of measures of all units.
    budget
        Most investment of each enterprise, shape ``(enterprises,)``, infinite without a limit [CNY].
    coupled
        True for enterprises whose units cannot decide one by one, shape ``(enterprises,)``: they have a budget, or
        weigh the worst scenarios.
    undecided
        True for coupled enterprises among whose options a program chooses, shape ``(enterprises,)``.
    best, at_mean
        Set of least expected cost, or of a coupled enterprise that is decided the best one, and set of least cost if every price and factor had its expected value.
    cost, cost_at_mean, least
        Cost of both in each scenario, and the least cost of any set if the scenario were known, shape
        ``(units, scenarios)`` [CNY].
    options
        Sets that units of undecided enterprises choose from: those that no other one beats in every scenario.
    """

    baseline: Baseline
    scenarios: Scenarios
    alternatives: list[Alternatives]
    budget: NDArray[np.float64]
    coupled: NDArray[np.bool_]
    undecided: NDArray[np.bool_]
    best: NDArray[np.int64]
    at_mean: NDArray[np.int64]
    cost: NDArray[np.float64]
    cost_at_mean: NDArray[np.float64]
    least: NDArray[np.float64]
    options: Options


def pricing_of(instance: Instance, before: Mapping[str, pd.DataFrame], *, every: bool = False) -> Pricing:
    """Return all units of an instance at the prices of its scenarios.

    Parameters
    ----------
    every
        True for options of all sets of all units, of enterprises that are not coupled too.
    """
    baseline = baseline_of(instance, before)
    scenarios = Scenarios.of(instance, baseline.years)
    mean, weights = scenarios.mean, scenarios.probability
    enterprise, policy = instance.labels("enterprise_id"), instance.policy.investment
    budget = budgets(instance)
    risky = policy.cvar_weight > 0 and policy.cvar_level > 0 and len(scenarios) > 1
    coupled = np.isfinite(budget) | risky
    shape = (len(instance.units), len(scenarios))
    best, at_mean = np.zeros((2, shape[0]), dtype=np.int64)
    cost, cost_at_mean, least = np.zeros((3, *shape))
    alternatives, options = list(alternatives_of(instance, Plans.of(instance, baseline))), []
    for part in alternatives:
        checkpoint()
        units, costs = part.units, part.costs(scenarios)
        everyone = np.arange(len(units))
        best[units] = np.tensordot(weights, costs, 1).argmin(axis=0)
        at_mean[units] = part.costs(mean)[0].argmin(axis=0)
        cost[units], cost_at_mean[units] = costs[:, best[units], everyone].T, costs[:, at_mean[units], everyone].T
        least[units] = costs.min(axis=1).T
        chosen = np.flatnonzero(coupled[enterprise.code[units]] | every)
        limited = np.isfinite(budget)[enterprise.code[units]]
        options += [_options_of(part, costs, place, bool(limited[place]), every) for place in chosen.tolist()]
    joined = _joined(options, len(scenarios))
    return Pricing(
        baseline, scenarios, alternatives, budget, coupled, coupled, best, at_mean, cost, cost_at_mean, least, joined
    )


def budgets(instance: Instance) -> NDArray[np.float64]:
    """Return the most investment of each enterprise, infinite without a limit, shape ``(enterprises,)`` [CNY]."""
    stated, names = instance.policy.investment.budget_cny, instance.labels("enterprise_id").names
    if isinstance(stated, dict):
        return np.array([stated.get(name, np.inf) for name in names])
    return np.full(len(names), np.inf if stated is None else stated)


def _options_of(part: Alternatives, costs: NDArray[np.float64], place: int, limited: bool, every: bool) -> Options:
    """Return the options of one unit."""
    sets = np.flatnonzero(part.installable)
    cost, investment = costs[:, sets, place].T, part.investment[sets, place]
    kept = np.arange(len(sets)) if every else nondominated(cost, investment if limited else np.zeros(len(sets)))
    return Options(np.full(len(kept), part.units[place]), sets[kept], cost[kept], investment[kept])


def nondominated(cost: NDArray[np.float64], investment: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the positions of the rows that no other row beats or equals in every cost and in its investment.

    >>> nondominated(np.array([[1.0, 5.0], [2.0, 6.0], [3.0, 1.0]]), np.zeros(3))
    array([0, 2])
    >>> nondominated(np.array([[1.0, 5.0], [2.0, 6.0], [3.0, 1.0]]), np.array([9.0, 0.0, 9.0]))
    array([0, 1, 2])
    """
    alive, kept = np.ones(len(cost), dtype=bool), []
    for row in np.lexsort((investment, cost.sum(axis=1))).tolist():
        if alive[row]:
            kept.append(row)
            alive &= ~((cost[row] <= cost).all(axis=1) & (investment[row] <= investment))
    return np.sort(np.array(kept, dtype=np.int64))


def _joined(options: list[Options], scenarios: int) -> Options:
    """Return the options of all units in the order of the units."""
    if not options:
        none = np.zeros(0, dtype=np.int64)
        return Options(none, none, np.zeros((0, scenarios)), np.zeros(0))
    unit, number, cost, investment = (np.concatenate(part) for part in zip(*options, strict=True))
    order = np.argsort(unit, kind="stable")
    return Options(unit[order], number[order], cost[order], investment[order])
