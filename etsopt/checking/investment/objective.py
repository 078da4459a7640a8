"""The objective of an investment: expected cost and the mean of the worst scenarios."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from etsopt.checking.arrays import Floats
    from etsopt.checking.readings.instance_inputs import InstanceInputs


@dataclass(frozen=True)
class Objective:
    """Expected cost and CVaR at a level with their weights.

    Parameters
    ----------
    probability
        Of the scenarios, shape ``(scenarios,)``.
    tail
        Probability of the worst scenarios.
    weight
        Weight of CVaR.
    """

    probability: Floats
    tail: float
    weight: float

    @classmethod
    def of(cls, instance: InstanceInputs, probability: Floats) -> Objective:
        """Return the objective that the policy states."""
        stated = instance.policy.investment
        return cls(probability, 1 - stated.cvar_level, stated.cvar_weight)

    def cvar(self, costs: Floats) -> Floats:
        """Return the least over $z$ of $z$ and the expected excess above it, over the tail, of ``(..., scenarios)``.

        The least is attained at one of the costs.
        """
        best = np.full(costs.shape[:-1], np.inf)
        for place in range(costs.shape[-1]):
            quantile = costs[..., place]
            excess = np.maximum(costs - quantile[..., None], 0.0) @ self.probability
            best = np.minimum(best, quantile + excess / self.tail)
        return best

    def value(self, costs: Floats) -> Floats:
        """Return the objective of costs in scenarios, shape ``(...)`` from ``(..., scenarios)`` [CNY]."""
        value = (1 - self.weight) * (costs @ self.probability)
        return value + self.weight * self.cvar(costs) if self.weight else value

    def nearest_weights(self, stated: Floats) -> Floats:
        """Return weights that prove a bound, near the stated ones, shape ``(enterprises, scenarios)``."""
        lower = (1 - self.weight) * self.probability
        room = self.weight * self.probability / self.tail
        above = np.clip(np.nan_to_num(stated) - lower, 0.0, room)
        total = above.sum(axis=1, keepdims=True)
        less = above * np.divide(self.weight, total, out=np.ones_like(total), where=total > self.weight)
        left = room - above
        missing = np.maximum(self.weight - total, 0.0)
        rest = left.sum(axis=1, keepdims=True)
        more = above + left * np.divide(missing, rest, out=np.zeros_like(rest), where=rest > 0)
        return np.asarray(lower + np.where(total > self.weight, less, more))
