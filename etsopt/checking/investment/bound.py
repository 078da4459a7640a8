r"""Bound the cost of every decision from below, by any weights of the scenarios and any multipliers of the budgets.

CVaR is the largest mean of the costs over the probabilities that are at most $p / (1 - \alpha)$. So weights $q$ between
$(1 - \beta) p$ and $(1 - \beta) p + \beta p / (1 - \alpha)$ that add up to one make the mean of the costs a lower bound
of the objective, and a multiplier $\lambda \ge 0$ of a budget adds what a decision exceeds it. Then the units of an
enterprise separate, and the sets of each are compared. Sets that by this bound alone lie above the answer are in no
better one; if the others combine in few ways, each combination is computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.arithmetic import gamma
from etsopt.checking.effort import INVESTMENT_COMBINATIONS_MAX
from etsopt.checking.tolerances import BUDGET_EXCESS_RELATIVE

if TYPE_CHECKING:
    from etsopt.checking.arrays import Floats, Ints
    from etsopt.checking.investment.objective import Objective
    from etsopt.checking.investment.sets import SetCosts


@dataclass(frozen=True)
class Enterprises:
    """What the bound needs of enterprises.

    Parameters
    ----------
    of_unit
        Enterprise of each unit.
    value
        Objective of the answer, shape ``(enterprises,)`` [CNY].
    account
        Least cost of the account in each scenario, whatever is emitted, shape ``(enterprises, scenarios)`` [CNY].
    budget
        Most investment, infinite without a limit, shape ``(enterprises,)`` [CNY].
    """

    of_unit: Ints
    value: Floats
    account: Floats
    budget: Floats


class Bound:
    """Lower bound of the objective of every enterprise, to which the units are added some at a time.

    Parameters
    ----------
    weights, multipliers
        Of the scenarios, shape ``(enterprises, scenarios)``, that add up to one, and of the budgets, zero or more.
    """

    def __init__(self, objective: Objective, enterprises: Enterprises, weights: Floats, multipliers: Floats) -> None:
        self.objective, self.enterprises, self.weights, self.multipliers = objective, enterprises, weights, multipliers
        limit = np.where(np.isfinite(enterprises.budget), enterprises.budget, 0.0)
        self.of_enterprise = (weights * enterprises.account).sum(axis=1) - multipliers * limit
        self.error = gamma(8 + weights.shape[1]) * (
            (weights * np.abs(enterprises.account)).sum(axis=1) + multipliers * limit
        )
        # Where nothing couples units, the weights are the probabilities and the bound is exact.
        self.coupled = np.isfinite(enterprises.budget) | (objective.weight > 0)
        # The largest saving by a CNY of investment, at the weights.
        self.most_saved = np.zeros(len(enterprises.value))
        self.options: dict[int, list[tuple[Floats, ...]]] = {}

    def add(self, costs: SetCosts) -> None:
        """Add units with the costs of their sets."""
        units, (scenarios, sets, _) = costs.sets.units, costs.cost.shape
        owner = self.enterprises.of_unit[units]
        priced = self.multipliers[owner] * costs.investment
        may = np.isfinite(costs.cost[0])
        for number in range(scenarios):
            priced = priced + self.weights[owner, number] * np.where(may, costs.cost[number], 0.0)
        # What may not be installed is no option, whatever the weights.
        priced[~may] = np.inf
        self._add_savings(owner, priced - self.multipliers[owner] * costs.investment, costs.investment)
        least = priced.min(axis=0)
        np.add.at(self.of_enterprise, owner, least)
        size = (self.weights[owner] * costs.size.T).sum(axis=1) + self.multipliers[owner] * costs.investment.max(axis=0)
        np.add.at(self.error, owner, gamma(64 + 4 * scenarios + sets.bit_length()) * 4 * size)
        for place in np.flatnonzero(self.coupled[owner]).tolist():
            is_priced = np.flatnonzero(np.isfinite(priced[:, place]))
            excess = priced[is_priced, place] - least[place]
            option = excess, costs.cost[:, is_priced, place].T, costs.investment[is_priced, place]
            self.options.setdefault(int(owner[place]), []).append(option)

    def _add_savings(self, owner: Ints, cost: Floats, investment: Floats) -> None:
        """Add what a CNY of investment saves at most: each set against the best one that needs none."""
        without = np.where(investment == 0, cost, np.inf).min(axis=0)
        saved = np.zeros_like(cost)
        np.divide(without - cost, investment, out=saved, where=(investment > 0) & np.isfinite(cost))
        np.maximum.at(self.most_saved, owner, saved.max(axis=0))

    def total(self) -> float:
        """Return the bound of all enterprises together [CNY]."""
        bounds = self.of_enterprise - self.error
        for owner, options in self.options.items():
            bounds[owner] = max(bounds[owner], self._of_combinations(owner, options, float(bounds[owner])))
        return float(bounds.sum())

    def _of_combinations(self, owner: int, options: list[tuple[Floats, ...]], bound: float) -> float:
        """Return the least objective of all combinations that may beat the answer; minus infinity if they are many."""
        value = float(self.enterprises.value[owner])
        open_by = max(value - bound, 0.0) + 2 * float(self.error[owner])
        kept = [tuple(part[excess <= open_by] for part in (cost, investment)) for excess, cost, investment in options]
        combinations = float(np.prod([float(len(cost)) for cost, _ in kept]))
        if combinations * len(self.objective.probability) > INVESTMENT_COMBINATIONS_MAX:
            return -np.inf
        costs, invested = self.enterprises.account[owner][None], np.zeros(1)
        for cost, investment in kept:
            costs = (costs[:, None] + cost[None]).reshape(len(costs) * len(cost), costs.shape[1])
            invested = (invested[:, None] + investment[None]).ravel()
        within = invested <= self.enterprises.budget[owner] * (1 + BUDGET_EXCESS_RELATIVE)
        least = self.objective.value(costs[within]).min(initial=np.inf)
        # All other combinations are no better than the answer.
        return float(min(least, value)) - 2 * float(self.error[owner]) / self.objective.tail
