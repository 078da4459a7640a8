"""Read the scenarios again, and derive the baseline in each of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.readings.instance_inputs import by_year

if TYPE_CHECKING:
    import pandas as pd

    from etsopt.checking.arrays import Floats, Ints
    from etsopt.checking.readings.baseline import Baseline
    from etsopt.checking.readings.instance_inputs import InstanceInputs

ONE = ("expected",)
"""Name of the scenario of an instance without a table of them."""


@dataclass(frozen=True)
class States:
    """Scenarios in alphabetical order.

    Parameters
    ----------
    names, probability
        Names and probabilities, shape ``(scenarios,)``.
    price
        Price of an allowance, shape ``(scenarios, years)`` [CNY/t].
    factors
        Factors of output, of balance values and of other allowances, shape ``(scenarios, 3, sectors, years)``.
    """

    names: tuple[str, ...]
    probability: Floats
    price: Floats
    factors: Floats

    @property
    def mean(self) -> States:
        """The state in which everything has its expected value."""
        price, factors = (
            np.average(part, axis=0, weights=self.probability)[None] for part in (self.price, self.factors)
        )
        return States(("mean",), np.ones(1), price, factors)

    def baseline(self, instance: InstanceInputs, before: Baseline, number: int) -> Baseline:
        """Return the baseline of a scenario: output scales what is emitted, and a plan's allowances with it."""
        output, balance, other = (part[instance.labels("sector").code] for part in self.factors[number])
        given = before.given * other
        given = np.where(before.follows | before.follows_output, given * output, given)
        return replace(
            before,
            output=before.output * output,
            emissions=before.emissions * output,
            measured_output=before.measured_output * output,
            given=given,
            balance_value=before.balance_value * balance,
        )


def read_states(instance: InstanceInputs, years: Ints) -> States:
    """Return the scenarios of the table, by default one at the prices of the policy."""
    table, sectors = instance.scenarios, instance.sectors
    default = by_year(instance.policy.market.prices_cny_per_t, years)
    if table is None:
        return States(ONE, np.ones(1), default[None], np.ones((1, 3, len(sectors), len(years))))
    names = tuple(sorted(set(table["scenario"])))
    price, factors, chances = [], np.ones((len(names), 3, len(sectors), len(years))), []
    for number, name in enumerate(names):
        rows = table[table["scenario"] == name].sort_values("year")
        chances.append(float(rows["probability"].iloc[0]))
        price.append(_holding(rows, "price_cny_per_t", years, default))
        own = rows["sector"] if "sector" in rows else rows["scenario"].where(rows["scenario"].isna(), "")
        for place, sector in enumerate(sectors):
            mine = rows[own == (sector if (own == sector).any() else "")]
            for kind, column in enumerate(("output_factor", "balance_value_factor", "allowance_factor")):
                factors[number, kind, place] = _holding(mine, column, years, np.ones(len(years)), absent=1.0)
    probability = np.array(chances)
    return States(names, probability / probability.sum(), np.array(price), factors)


def _holding(rows: pd.DataFrame, column: str, years: Ints, before: Floats, absent: float | None = None) -> Floats:
    """Return the last number stated up to each year; before the first one, the default.

    Parameters
    ----------
    absent
        Number of an empty cell, which else states nothing.
    """
    value = before.copy()
    for year, cell in zip(rows["year"], rows[column], strict=True) if column in rows else ():
        number = absent if np.isnan(cell) else cell
        if number is not None:
            value[years >= year] = number
    return value
