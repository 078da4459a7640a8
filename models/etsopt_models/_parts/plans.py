r"""Plans of units, all of them without a list: the best chain of measure sets at any prices.

A unit's measures $k = 1, \dots, m$ make $2^m$ sets. A plan is a chain $S_1 \subseteq S_2 \subseteq \dots \subseteq S_T$ of
admissible sets, one for each year. What a set costs and emits in a year does not depend on the years before, so the
best chain at given prices follows from

$$V_t(S) = \min_{S' \supseteq S,\; S' \text{ admissible in } t} \bigl[ v_t(S') + V_{t+1}(S') \bigr], \qquad V_{T+1} = 0,$$

and a minimum over all supersets takes $m$ passes, one for each measure: the superset transform. So all plans are
searched at the cost of $m 2^m T$ operations for a unit, and none is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from etsopt_models._parts.measures import measures_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._parts.measures import Measures
    from etsopt_models._parts.prospects import Prospects

CELLS_AT_ONCE = 2_000_000
"""Units times sets that are held at one time."""


@dataclass(frozen=True)
class Quantities:
    """What plans come to in each year, shape ``(plans, years)``.

    Emissions [tCO2e], intensity that the rule measures [t/t], share of the output that is left, free allowances [t],
    and cost of measures [CNY].
    """

    emissions: NDArray[np.float64]
    intensity: NDArray[np.float64]
    output_left: NDArray[np.float64]
    allowance: NDArray[np.float64]
    cost: NDArray[np.float64]


class Plans:
    """Every plan of every unit of an instance."""

    def __init__(self, instance: Instance, found: Prospects) -> None:
        self.prospects = found
        self.kinds = measures_of(instance, found)
        self.kind = np.zeros(len(found.emissions), dtype=np.int64)
        self.place = np.zeros(len(found.emissions), dtype=np.int64)
        for number, kind in enumerate(self.kinds):
            self.kind[kind.units], self.place[kind.units] = number, np.arange(len(kind.units))

    def best(
        self, need_price: NDArray[np.float64], emissions_price: NDArray[np.float64], cost_weight: float = 1.0
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Best plan of every unit; of equally good ones that with the fewest measures, each as late as can be.

        Parameters
        ----------
        need_price, emissions_price
            What a tonne of emissions above allowances, and a tonne of emissions, costs each unit in each year in terms
            of the first, shape ``(units, years)`` [CNY/t].
        cost_weight
            What the cost of measures counts; nothing where only tonnes count.

        Returns
        -------
        value
            Discounted cost at these prices, shape ``(units,)`` [CNY].
        sets
            Chain of measure sets, shape ``(units, years)``.
        """
        value = np.zeros(len(self.kind))
        sets = np.zeros(self.prospects.emissions.shape, dtype=np.int64)
        for part in self.parts():
            value[part.units], sets[part.units] = self._best_of(part, need_price, emissions_price, cost_weight)
        return value, sets

    def parts(self) -> Iterator[Measures]:
        """Measures of all units, of few enough at a time that all their sets fit into memory."""
        for kind in self.kinds:
            step = max(1, CELLS_AT_ONCE // kind.admissible.shape[1])
            for start in range(0, len(kind.units), step):
                yield kind.part(slice(start, start + step))

    def _best_of(
        self,
        part: Measures,
        need_price: NDArray[np.float64],
        emissions_price: NDArray[np.float64],
        cost_weight: float,
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        found, units = self.prospects, part.units
        emissions_left, intensity_left = products(part.emissions_left), products(part.intensity_left)
        years = len(found.years)
        ahead = np.zeros(emissions_left.shape)
        choices = []
        for t in reversed(range(years)):
            cost = (
                cost_weight
                * found.discount[t]
                * sums(part.fixed + part.variable * known(found.output[units, t])[:, None])
            )
            emissions = found.emissions[units, t, None] * emissions_left
            value = cost + emissions_price[units, t, None] * emissions
            value += need_price[units, t, None] * (emissions - self._allowance(units, t, emissions, intensity_left))
            value += ahead
            value[:, ~part.admissible[t]] = np.inf
            ahead, choice = least_of_supersets(value)
            choices.append(choice)
        everyone, now = np.arange(len(units)), np.zeros(len(units), dtype=np.int32)
        sets = np.empty((len(units), years), dtype=np.int64)
        for t, choice in enumerate(reversed(choices)):
            now = choice[everyone, now]
            sets[:, t] = now
        return ahead[:, 0], sets

    def _allowance(
        self, units: NDArray[np.int64], t: int, emissions: NDArray[np.float64], intensity_left: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Free allowances in a year of units that keep some of their emissions and intensity."""
        found = self.prospects
        if not found.follows[t]:
            return found.allowance[units, t, None]
        rates = found.rule.rates(units, t, found.intensity[units, t, None] * intensity_left)
        allowance: NDArray[np.float64] = emissions * (1 + rates) * (1 - found.paid_share[t])
        return allowance

    def quantities(self, unit: NDArray[np.int64], sets: NDArray[np.int64]) -> Quantities:
        """What plans come to, given their units and chains of sets, shapes ``(plans,)`` and ``(plans, years)``."""
        found = self.prospects
        emissions, intensity, output, allowance, cost = (np.zeros(sets.shape) for _ in range(5))
        for number, kind in enumerate(self.kinds):
            here = np.flatnonzero(self.kind[unit] == number)
            units, place = unit[here], self.place[unit[here]]
            for t in range(sets.shape[1]):
                has = (sets[here, t, None] >> np.arange(kind.row.shape[1])) & 1 > 0
                left, intensity_left, output_left = (
                    np.where(has, factor[place], 1.0).prod(axis=1)
                    for factor in (kind.emissions_left, kind.intensity_left, kind.output_left)
                )
                intensity[here, t], output[here, t] = found.intensity[units, t] * intensity_left, output_left
                each = kind.fixed[place] + kind.variable[place] * known(found.output[units, t])[:, None]
                cost[here, t] = np.where(has, each, 0.0).sum(axis=1)
                emissions[here, t] = found.emissions[units, t] * left
                allowance[here, t] = self._allowance(units, t, emissions[here, t, None], intensity_left[:, None])[:, 0]
        return Quantities(emissions, intensity, output, allowance, cost)


def known(output: NDArray[np.float64]) -> NDArray[np.float64]:
    """Output where it is stated; a unit without it has no measure that costs anything for a tonne of it."""
    return np.where(np.isnan(output), 0.0, output)


def products(factors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Product of the factors of each set, shape ``(units, 2 ** measures)`` from ``(units, measures)``.

    >>> products(np.array([[0.5, 0.1]]))
    array([[1.  , 0.5 , 0.1 , 0.05]])
    """
    result = np.ones((len(factors), 1))
    for k in range(factors.shape[1]):
        result = np.concatenate([result, result * factors[:, [k]]], axis=1)
    return result


def sums(terms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of the terms of each set, shape ``(units, 2 ** measures)`` from ``(units, measures)``.

    >>> sums(np.array([[1.0, 10.0]]))
    array([[ 0.,  1., 10., 11.]])
    """
    result = np.zeros((len(terms), 1))
    for k in range(terms.shape[1]):
        result = np.concatenate([result, result + terms[:, [k]]], axis=1)
    return result


def least_of_supersets(value: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Least value over all sets that contain each set, and which set has it; of equal ones the smaller.

    >>> least_of_supersets(np.array([[3.0, 1.0, 2.0, 4.0]]))
    (array([[1., 1., 2., 4.]]), array([[1, 1, 2, 3]], dtype=int32))
    """
    units, sets = value.shape
    least, which = value.copy(), np.tile(np.arange(sets, dtype=np.int32), (units, 1))
    for k in range(sets.bit_length() - 1):
        # Sets without measure k stand beside the same sets with it.
        pairs, names = (array.reshape(units, -1, 2, 2**k) for array in (least, which))
        better = pairs[:, :, 1] < pairs[:, :, 0]
        pairs[:, :, 0] = np.where(better, pairs[:, :, 1], pairs[:, :, 0])
        names[:, :, 0] = np.where(better, names[:, :, 1], names[:, :, 0])
    return least, which
