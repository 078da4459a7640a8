"""Sources, demand and the market of an outlook as arrays by year, in millions: Mt, TWh and million CNY."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.data.content import output_of
from etsopt.data.policy.yearly import interpolated
from etsopt.data.projection import development
from etsopt.data.supply import along_years, problems_of_demand, sources_of
from etsopt.data.tables.schema import SUPPLY
from etsopt.errors import DataError, Problem
from etsopt.language import _

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance

    Floats = NDArray[np.float64]

MILLION = 1e6
STEPS = 30
"""Steps of a demand curve."""

FIRM = 0.8
"""Share of demand at the reference cost that is served at any price: the steps begin there."""

STEP = 0.01
"""Size of a step, as a share of that demand."""


@dataclass(frozen=True)
class Outlook:
    """What an instance says: ``k`` sources, ``s`` sectors, ``t`` years.

    Parameters
    ----------
    instance
        The instance.
    years, discount
        Compliance years, and the worth of a CNY in the first, shape ``(t,)``.
    sources
        Name, what it supplies, sector and source of the capacity, a row for each source.
    columns
        Figures of ``supply.csv``, each of shape ``(k, t)`` [Mt, TWh; CNY/t].
    emissions
        Emissions per supply [t/t], below 0 for abatement, shape ``(k, t)``.
    demand
        Demand at the reference cost, shape ``(s, t)`` [Mt, TWh].
    elasticity, price, cost
        Of demand, shape ``(s, t)``.
    cap
        Cap on allowances, infinite without one, shape ``(t,)`` [Mt].
    """

    instance: Instance
    years: NDArray[np.int64]
    discount: Floats
    sources: pd.DataFrame
    columns: dict[str, Floats]
    emissions: Floats
    demand: Floats
    elasticity: Floats
    price: Floats
    cost: Floats
    cap: Floats

    @classmethod
    def of(cls, instance: Instance) -> Outlook:
        """Return what an instance says.

        Raises
        ------
        DataError
            If it has no sources, states no form of the free part, or no demand.
        """
        _refuse(instance)
        supply, sectors, years = instance.supply, instance.sectors, np.array(instance.policy.years)
        assert supply is not None
        sources = sources_of(supply)
        columns = {
            column.name: along_years(
                supply, "supply_id", sources["supply_id"].tolist(), column.name, years.tolist(), _default(column)
            )
            / (MILLION if column.unit == "t" else 1.0)
            for column in SUPPLY.columns
            if column.number and column.name != "year"
        }
        abates = (sources["supplies"] == "abatement").to_numpy()[:, None]
        grown = output_of(instance.units)[:, None] * development(instance, years.tolist()).output_factor
        of_sector = np.array([instance.labels("sector").where(name) for name in sectors], dtype=float)
        elasticity, price, cost = (
            along_years(instance.forecast, "sector", sectors, name, years.tolist())
            for name in ("elasticity", "product_price_cny_per_t", "reference_cost_cny_per_t")
        )
        path, rate = instance.policy.pathway.cap_t, instance.policy.horizon.discount_rate
        found = cls(
            instance,
            years,
            (1 + rate) ** -(years - years[0]).astype(float),
            sources,
            columns,
            np.where(abates, -1.0, columns["emissions_tco2e_per_t"]),
            of_sector @ np.nan_to_num(grown) / MILLION,
            elasticity,
            price,
            np.where(np.isnan(cost), price, cost),
            np.full(len(years), np.inf) if path is None else interpolated(path, years, np.inf) / MILLION,
        )
        found.refuse_shortages()
        return found

    @property
    def most(self) -> Floats:
        """Largest supply of each source, its new capacity included, shape ``(k, t)`` [Mt, TWh]."""
        grown: Floats = self.columns["existing_t"] + np.cumsum(self.columns["largest_new_t"], axis=1)
        return grown[self.owner]

    def refuse_shortages(self) -> None:
        """Refuse sources that have to supply more than they can, and sectors whose sources cannot serve firm demand.

        Raises
        ------
        DataError
            With source or sector, year and amounts.
        """
        problems = []
        own = self.most * (self.holds_own & self.holds("supplies", "output"))[:, None]
        most = np.array([own[self.holds("sector", name)].sum(axis=0) for name in self.instance.sectors])
        for names, short, given, needed, what, advice in (
            (self.instance.sectors, most < self.firm, most, self.firm, _("is what sources can supply of {needed:,.6g} million that is served at any price"), _("Add capacity, let it grow faster, or lower the demand of the forecast.")),
            (self.sources["supply_id"].tolist(), self.columns["least_t"] > self.most, self.most, self.columns["least_t"], _("is what the source can supply of {needed:,.6g} million that it has to"), _("Lower least_t, or add capacity.")),
        ):  # fmt: skip
            if short.any():
                place, year = np.argwhere(short)[0]
                cells = ((f"of {names[place]} in {self.years[year]}", f"{given[place, year]:,.6g} million"),)
                problems.append(
                    Problem(
                        SUPPLY.file, _(what, needed=needed[place, year]), advice, "existing_t, largest_new_t", cells
                    )
                )
        if problems:
            raise DataError(_("The instance {name!r}", name=self.instance.name), problems)

    def holds(self, column: str, value: str) -> NDArray[np.bool_]:
        """Return True for sources with a text in a column, shape ``(k,)``."""
        found: NDArray[np.bool_] = (self.sources[column] == value).to_numpy()
        return found

    @property
    def elastic(self) -> NDArray[np.int64]:
        """Positions of sectors whose demand answers to its price in some year."""
        return np.flatnonzero((self.elasticity > 0).any(axis=1))

    @property
    def step(self) -> Floats:
        """Size of a step of demand, 0 in years in which it does not answer, shape ``(s, t)`` [Mt, TWh]."""
        return np.where(self.elasticity > 0, STEP * self.demand, 0.0)

    @property
    def firm(self) -> Floats:
        """Demand that is served at any price, shape ``(s, t)`` [Mt, TWh]."""
        return np.where(self.elasticity > 0, FIRM, 1.0) * self.demand

    @property
    def shared(self) -> NDArray[np.int64]:
        """Positions of sources whose capacity grows, or serves others as well."""
        grows = (self.columns["largest_new_t"] > 0).any(axis=1)
        names = self.sources["supply_id"]
        lends = names.isin(self.sources["capacity_of"][self.sources["capacity_of"] != names]).to_numpy()
        return np.flatnonzero((grows | lends) & self.holds_own)

    @property
    def holds_own(self) -> NDArray[np.bool_]:
        """True for sources with a capacity of their own, shape ``(k,)``."""
        found: NDArray[np.bool_] = (self.sources["capacity_of"] == self.sources["supply_id"]).to_numpy()
        return found

    @property
    def owner(self) -> NDArray[np.int64]:
        """Position of the source whose capacity each uses, shape ``(k,)``."""
        names = {name: place for place, name in enumerate(self.sources["supply_id"])}
        return self.sources["capacity_of"].map(names).to_numpy(dtype=np.int64)

    @property
    def limited(self) -> NDArray[np.int64]:
        """Positions of sources with a largest share."""
        return np.flatnonzero(~np.isnan(self.columns["largest_share"]).all(axis=1))

    @property
    def opening(self) -> float:
        """Allowances held before the first year [Mt]."""
        held = self.instance.enterprises
        names = [] if held is None else [name for name in held if name.startswith("opening_")]
        return 0.0 if held is None else float(np.nansum(held[names].to_numpy(dtype=float))) / MILLION


def _default(column: Any) -> float:
    return np.nan if column.default is None else float(column.default)


def _refuse(instance: Instance) -> None:
    problems: list[Problem] = []
    if instance.supply is None:
        what = _("there is none: an outlook needs the sources of output and abatement")
        problems.append(Problem(SUPPLY.file, what, _("Add it, or solve the shipped instance cn-outlook.")))
    else:
        problems += problems_of_demand(instance)
    if instance.policy.outlook.free_part is None:
        what = _("is not stated: the price of one cap depends on it more than on anything else")
        advice = _('State "fixed" or "output": free allowances under the cap that are fixed, or that follow output.')
        problems.append(Problem("policy.toml", what, advice, "outlook.free_part"))
    if problems:
        raise DataError(_("The instance {name!r}", name=instance.name), problems)
