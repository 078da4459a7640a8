"""Every alternative of every unit at the prices of the scenarios, and those that a coupled enterprise chooses from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from etsopt.common.progress import checkpoint
from etsopt_models._investment.alternatives import alternatives_of
from etsopt_models._investment.scenarios import Scenarios
from etsopt_models._market.baseline import baseline_of
from etsopt_models._market.plans import Plans

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._investment.alternatives import Alternatives
    from etsopt_models._market.baseline import Baseline


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
