"""Scenarios of an investment, and the objective of costs in them.

Scenarios of an investment: probabilities, prices, and factors of outputs and allowances by sector and year.

Expected cost and CVaR of costs in scenarios, and the weighted objective.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _
from etsopt.data.policy.yearly import by_year
from etsopt.data.tables.row_scope import filled
from etsopt.data.tables.schema import SCENARIOS

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._market.baseline import Baseline


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


EXPECTED = _("expected")
"""Name of the one scenario of an instance that states none."""

FACTORS = ("output_factor", "balance_value_factor", "allowance_factor")


@dataclass(frozen=True)
class Scenarios:
    """States of the world, shape ``(scenarios, ...)``.

    Parameters
    ----------
    names, probability
        Identifiers in alphabetical order, and probabilities, which add up to 1.
    price
        Allowance price, shape ``(scenarios, years)``, not discounted [CNY/t].
    output, balance_value, allowance
        Factors of output, balance values and other allowances, shape ``(scenarios, sectors, years)``.
    """

    names: NDArray[np.object_]
    probability: NDArray[np.float64]
    price: NDArray[np.float64]
    output: NDArray[np.float64]
    balance_value: NDArray[np.float64]
    allowance: NDArray[np.float64]

    @classmethod
    def of(cls, instance: Instance, years: NDArray[np.int64]) -> Scenarios:
        """Return the scenarios of an instance; without any, the one that is expected by its policy.

        Raises
        ------
        DataError
            If neither a scenario nor the policy states the price of a year.
        """
        sectors = instance.sectors
        expected = by_year(instance.policy.market.prices_cny_per_t, years)
        if instance.scenarios is None:
            ones = np.ones((1, len(sectors), len(years)))
            found = cls(np.array([EXPECTED], dtype=object), np.ones(1), expected[None], ones, ones, ones)
        else:
            rows = filled(instance.scenarios, SCENARIOS)
            parts = [part for _, part in rows.groupby("scenario", sort=True)]
            names = np.array([part["scenario"].iloc[0] for part in parts], dtype=object)
            probability = np.array([part["probability"].iloc[0] for part in parts])
            price = np.array([_price(part, years, expected) for part in parts])
            factors = (
                np.array([[_factor(part, sector, name, years) for sector in sectors] for part in parts])
                for name in FACTORS
            )
            found = cls(names, probability / probability.sum(), price, *factors)
        _refuse_missing_price(found, years)
        return found

    def __len__(self) -> int:
        return len(self.names)

    @property
    def mean(self) -> Scenarios:
        """The one scenario with the expected price and factors of every year."""
        means = (np.tensordot(self.probability, part, 1)[None] for part in self._numbers)
        return Scenarios(np.array(["mean"], dtype=object), np.ones(1), *means)

    @property
    def _numbers(self) -> tuple[NDArray[np.float64], ...]:
        return self.price, self.output, self.balance_value, self.allowance

    def applied(self, baseline: Baseline, sector: NDArray[np.int64], number: int) -> Baseline:
        """Return the baseline of some units in a scenario.

        Parameters
        ----------
        sector
            Position of the sector of each of the units.
        """
        output = self.output[number, sector]
        # Allowances of a plan follow the output, other lump sums do not.
        grown = np.where(baseline.follows_output | baseline.follows, output, 1.0)
        scaled = {name: getattr(baseline, name) * output for name in ("output", "measured_output", "emissions")}
        balance_value = baseline.rule.balance_value * self.balance_value[number, sector]
        return replace(
            baseline,
            entitlement=baseline.entitlement * grown * self.allowance[number, sector],
            rule=replace(baseline.rule, balance_value=balance_value),
            **scaled,
        )


def _price(part: pd.DataFrame, years: NDArray[np.int64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the price of a scenario in each year, by default the expected one [CNY/t]."""
    rows = part[part["price_cny_per_t"].notna()]
    stated = dict(zip(rows["year"].astype(int).astype(str), rows["price_cny_per_t"], strict=True))
    price = by_year(stated or None, years)
    return np.where(np.isnan(price), expected, price)


def _factor(part: pd.DataFrame, sector: str, name: str, years: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return a factor of a sector in each year: by its own rows if it has some, else by those of all sectors."""
    rows = part[part["sector"] == sector]
    rows = rows if len(rows) else part[part["sector"] == ""]
    stated = dict(zip(rows["year"].astype(int).astype(str), rows[name], strict=True))
    return by_year(stated or None, years, 1.0)


def _refuse_missing_price(scenarios: Scenarios, years: NDArray[np.int64]) -> None:
    """Refuse a scenario without a price in some year."""
    missing = np.argwhere(np.isnan(scenarios.price))
    if len(missing):
        scenario, year = scenarios.names[missing[0][0]], years[missing[0][1]]
        what = _(
            "the price of {year} is missing in the scenario {scenario!r}, and enterprises take the price as given",
            year=year,
            scenario=scenario,
        )
        advice = _(
            "State price_cny_per_t in scenarios.csv, or market.prices_cny_per_t in the policy, from that year on."
        )
        raise DataError(_("The policy"), [Problem("policy.toml", what, advice, "market.prices_cny_per_t")])
