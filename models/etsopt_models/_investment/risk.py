"""Expected cost and CVaR of costs in scenarios, and the weighted objective."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance


@dataclass(frozen=True)
class Risk:
    """Weights of the objective: probabilities of the scenarios, level of CVaR and its weight."""

    probability: NDArray[np.float64]
    level: float
    weight: float

    @classmethod
    def of(cls, instance: Instance, probability: NDArray[np.float64]) -> Risk:
        """Return the weights that the policy states."""
        policy = instance.policy.investment
        return cls(probability, policy.cvar_level, policy.cvar_weight)

    def expected(self, costs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the expected cost, shape ``(...)`` from ``(..., scenarios)`` [CNY]."""
        expected: NDArray[np.float64] = costs @ self.probability
        return expected

    def weights(self, costs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the weight of each scenario in the objective of some costs, shape ``(..., scenarios)``.

        They add up to one, and no other weights that CVaR allows give a larger mean.

        >>> Risk(np.array([0.5, 0.25, 0.25]), 0.5, 1.0).weights(np.array([[1.0, 2.0, 6.0]]))
        array([[0. , 0.5, 0.5]])
        """
        order = np.argsort(-costs, axis=-1, kind="stable")
        chance = self.probability[order]
        # Of the worst scenarios as much as the tail holds.
        before = np.cumsum(chance, axis=-1) - chance
        inside = np.clip(1 - self.level - before, 0.0, chance)
        inside /= inside.sum(axis=-1, keepdims=True)
        worst = np.empty_like(inside)
        np.put_along_axis(worst, order, inside, -1)
        weights: NDArray[np.float64] = (1 - self.weight) * self.probability + self.weight * worst
        return weights

    def cvar(self, costs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean cost of the worst scenarios, whose probability is 1 less the level [CNY].

        >>> Risk(np.array([0.5, 0.25, 0.25]), 0.5, 1.0).cvar(np.array([[1.0, 2.0, 6.0]]))
        array([4.])
        """
        worst: NDArray[np.float64] = (replace(self, weight=1.0).weights(costs) * costs).sum(axis=-1)
        return worst

    def objective(self, costs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return expected cost and CVaR by their weights [CNY]."""
        value: NDArray[np.float64] = (self.weights(costs) * costs).sum(axis=-1)
        return value
