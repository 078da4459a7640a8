r"""Inequality of amounts against weights: Lorenz points, Gini, Theil, Hoover and Atkinson, for any number of members.

A member, such as a unit or a province, has an amount $a_i \ge 0$, such as its allowances, and a weight $w_i > 0$, such
as its emissions. With shares $p_i = w_i / W$ of the weights and $q_i = a_i / A$ of the amounts, its relative rate is
$x_i = q_i / p_i$: one for all if amounts are in proportion to weights. Every measure is then zero, none is negative,
and none changes if a member is split into parts of its rate.

| measure | formula |
| --- | --- |
| Lorenz points | $\bigl(\sum_{j \le k} p_j, \sum_{j \le k} q_j\bigr)$, from the lowest rate to the highest |
| Gini | $\tfrac12 \sum_i \sum_j p_i p_j \lvert x_i - x_j \rvert$ |
| Theil T | $\sum_i p_i\, x_i \ln x_i$, with $0 \ln 0 = 0$ |
| Hoover | $\tfrac12 \sum_i \lvert q_i - p_i \rvert$: the share of amounts that would have to move |
| Atkinson | $1 - \bigl(\sum_i p_i\, x_i^{1 - \varepsilon}\bigr)^{1 / (1 - \varepsilon)}$ with aversion $\varepsilon$ |

With aversion 1 Atkinson is $1 - \prod_i x_i^{p_i}$. Theil T of members is the sum of Theil T of groups, of their sums
of amounts and weights, and of a part within groups. Without any amount there are no shares, and every measure is NaN.
The Gini of $n$ equal weights divides by $n$, not by $n - 1$; Theil L, the mean logarithmic deviation, is another
measure, which some packages call Theil.

References: Cowell (2011), Measuring Inequality; Atkinson (1970), On the measurement of inequality; Theil (1967),
Economics and Information Theory.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

AVERSION = 0.5
"""Aversion to inequality of Atkinson's measure where none is stated: with 1 a single amount of zero makes it one."""

LEAST_RATE = 1e-300
"""Rate below which the product with its logarithm is that of a rate of zero."""


@dataclass(frozen=True)
class Distribution:
    """Shares of members in all weights and in all amounts, shape ``(members,)``; amounts are NaN if there are none."""

    weights: Floats
    amounts: Floats

    @classmethod
    def of(cls, amount: Floats, weight: Floats) -> Distribution:
        """Return the distribution of amounts, zero or more, over members with positive weights."""
        with np.errstate(invalid="ignore"):
            return cls(weight / weight.sum(), amount / amount.sum())

    @cached_property
    def rate(self) -> Floats:
        """Share of amounts by share of weights."""
        rate: Floats = self.amounts / self.weights
        return rate

    def lorenz(self) -> tuple[Floats, Floats]:
        """Return the cumulative shares of weights and of amounts from the lowest rate on, shapes ``(members + 1,)``.

        >>> Distribution.of(np.array([3.0, 1.0]), np.array([1.0, 1.0])).lorenz()
        (array([0. , 0.5, 1. ]), array([0.  , 0.25, 1.  ]))
        """
        order = np.argsort(self.rate)
        points = np.zeros((2, len(order) + 1))
        for line, part in zip(points, (self.weights, self.amounts), strict=True):
            np.cumsum(part[order], out=line[1:])
        return points[0], points[1]

    @property
    def gini(self) -> float:
        """Gini coefficient: twice the area between the Lorenz points and the line of equal rates."""
        order = np.argsort(self.rate)
        weights = self.weights[order]
        # Distances from the line are small where rates nearly agree, and so is their rounding. New arrays of many
        # units take longer than what is computed, so those at hand are used again.
        lack = weights - self.amounts[order]
        below = np.cumsum(lack)
        below *= 2
        below -= lack
        below *= weights
        return float(below.sum())

    @property
    def theil(self) -> float:
        """Theil T."""
        rate = self.rate
        # Terms x ln x - x + 1 are zero or more, so that no digits cancel; what is added to Theil's adds up to nothing.
        terms = np.log(np.maximum(rate, LEAST_RATE))
        terms *= rate
        terms -= rate
        terms += 1.0
        terms *= self.weights
        return float(terms.sum())

    @property
    def hoover(self) -> float:
        """Hoover index: the share of amounts that would have to move to make all rates equal."""
        apart = self.amounts - self.weights
        return float(np.abs(apart, out=apart).sum()) / 2

    def atkinson(self, aversion: float = AVERSION) -> float:
        """Return Atkinson's measure: the share of amounts that equal rates could save at the same welfare."""
        # With much aversion an amount of zero is worth minus infinity, and the measure is one.
        with np.errstate(divide="ignore"):
            if aversion == 1.0:
                return -float(np.expm1(np.sum(self.weights * np.log(self.rate))))
            worth = self.rate ** (1.0 - aversion)
            worth *= self.weights
            return 1.0 - float(worth.sum() ** (1.0 / (1.0 - aversion)))
