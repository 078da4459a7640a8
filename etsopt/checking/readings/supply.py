"""Read the sources of output and abatement, and the demand that answers to its price, in millions of tonnes and MWh."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.checking.readings.forecast import factors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etsopt.checking.readings.instance_inputs import InstanceInputs

    Floats = NDArray[np.float64]

MILLION = 1e6
DEMAND_STEPS, STEP_SHARE, FIRM_SHARE = 30, 0.01, 0.8
"""A demand curve has 30 steps, each a hundredth of the demand at the reference cost, above eight tenths of it."""

USER_OF_POWER = "power"
AMOUNTS = ("existing_t", "least_t", "largest_new_t", "least_new_t")
FIGURES = (
    *("cost_cny_per_t", "capacity_cost_cny_per_t", "emissions_tco2e_per_t", "benchmark_tco2e_per_t"),
    *("electricity_mwh_per_t", "largest_share"),
)


@dataclass(frozen=True)
class Sources:
    """Sources by name, ``k`` of them, and their figures by year.

    Parameters
    ----------
    names, supplies, sector, owner
        Names in order; what each supplies, its sector, and the position of the source whose capacity each uses.
    figures
        Columns of shape ``(k, t)``; NaN where a source never states it [Mt, TWh; CNY/t; t/t].
    """

    names: list[str]
    supplies: NDArray[np.object_]
    sector: NDArray[np.object_]
    owner: NDArray[np.int64]
    figures: dict[str, Floats]

    @property
    def emissions(self) -> Floats:
        """Emissions per supply; abatement takes one away, shape ``(k, t)``."""
        emitted = np.nan_to_num(self.figures["emissions_tco2e_per_t"])
        emitted[self.supplies == "abatement"] = -1.0
        return emitted

    def makes(self, sector: str) -> NDArray[np.bool_]:
        """Return True for sources of the output of a sector, shape ``(k,)``."""
        return np.asarray((self.supplies == "output") & (self.sector == sector))


@dataclass(frozen=True)
class Demand:
    """Demand of each sector by year, shape ``(s, t)``: amount at the reference cost, and the line through it."""

    amount: Floats
    elasticity: Floats
    price: Floats
    cost: Floats

    @property
    def answers(self) -> NDArray[np.int64]:
        """Positions of sectors whose demand answers to its price in at least one year."""
        return np.flatnonzero(self.elasticity.max(axis=1) > 0)

    @property
    def firm(self) -> Floats:
        """Demand that is served at any price, shape ``(s, t)``: all of it in a year whose elasticity is 0."""
        firm = self.amount.copy()
        firm[self.elasticity > 0] *= FIRM_SHARE
        return firm

    def size(self, sector: int) -> Floats:
        """Return how much each step of a sector has, nothing in a year whose elasticity is 0, shape ``(t,)``."""
        return STEP_SHARE * self.amount[sector] * (self.elasticity[sector] > 0)

    def worth(self, sector: int) -> Floats:
        """Return what each step of a sector is worth, 0 if it has no size, shape ``(steps, t)`` [CNY/t]."""
        middle = FIRM_SHARE + STEP_SHARE * (np.arange(DEMAND_STEPS)[:, None] + 0.5)
        worth = np.zeros((DEMAND_STEPS, self.amount.shape[1]))
        for t in np.flatnonzero(self.elasticity[sector] > 0):
            by_share = self.price[sector, t] / self.elasticity[sector, t]
            worth[:, t] = self.cost[sector, t] + by_share * (1 - middle[:, 0])
        return worth


def read_sources(instance: InstanceInputs) -> Sources:
    """Return the sources of an instance that has some."""
    rows = instance.supply
    assert rows is not None
    names = sorted(set(rows["supply_id"]))
    first = rows.groupby("supply_id").first().reindex(names)
    none = pd.Series("", index=names)
    supplies, sector, owner = (
        first.get(column, none).fillna("").to_numpy(dtype=object) for column in ("supplies", "sector", "capacity_of")
    )
    lent = np.array([names.index(lender or name) for name, lender in zip(names, owner.tolist(), strict=True)])
    figures = {column: _lines(rows, "supply_id", names, column, instance.years) for column in (*AMOUNTS, *FIGURES)}
    return Sources(names, supplies, sector, lent, figures | {column: figures[column] / MILLION for column in AMOUNTS})


def read_demand(instance: InstanceInputs) -> Demand:
    """Return the demand of every sector, in the order of `InstanceInputs.sectors`."""
    output = np.nan_to_num(instance.output)[:, None] * factors(instance, instance.years)[0]
    of_unit = instance.units["sector"].to_numpy()
    amount = np.array([output[of_unit == sector].sum(axis=0) for sector in instance.sectors]) / MILLION
    rows = instance.forecast if instance.forecast is not None else pd.DataFrame({"sector": [], "year": []})
    elasticity, price, cost = (
        _lines(rows, "sector", instance.sectors, column, instance.years)
        for column in ("elasticity", "product_price_cny_per_t", "reference_cost_cny_per_t")
    )
    return Demand(amount, elasticity, price, np.where(np.isnan(cost), price, cost))


def _lines(rows: pd.DataFrame, key: str, names: Sequence[str], column: str, years: NDArray[np.int64]) -> Floats:
    """Return a column by name and year: straight between stated years and level outside; NaN without any."""
    found = np.full((len(names), len(years)), np.nan)
    if column not in rows:
        return found
    of_row = pd.Index(names).get_indexer(rows[key])
    year, value = (rows[name].to_numpy(dtype=float) for name in ("year", column))
    for place in range(len(names)):
        stated = np.flatnonzero((of_row == place) & ~np.isnan(value))
        if len(stated):
            stated = stated[np.argsort(year[stated])]
            found[place] = np.interp(years, year[stated], value[stated])
    return found
