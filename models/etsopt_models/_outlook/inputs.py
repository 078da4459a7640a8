"""Sources, demand and the market of an outlook as arrays by year, in millions: Mt, TWh and million CNY."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _
from etsopt.data.content import output_of
from etsopt.data.policy.yearly import interpolated
from etsopt.data.projection import development
from etsopt.data.supply import along_years, problems_of_demand, sources_of
from etsopt.data.tables.schema import SUPPLY
from etsopt_models._tolerances import MADE_RELATIVE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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

ELECTRICITY = "power"
"""Sector whose product others use."""


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
        """Refuse sources that have to supply more than they can, and sectors with too little supply or too much.

        Raises
        ------
        DataError
            With every source or sector, its years and both amounts.
        """
        sectors, names = self.instance.sectors, self.sources["supply_id"].tolist()
        least, most, used = self.columns["least_t"], self.most, self.columns["electricity_mwh_per_t"]
        asked = self.firm + STEPS * self.step
        if ELECTRICITY in sectors:
            asked[sectors.index(ELECTRICITY)] += (np.maximum(used, 0.0) * most).sum(axis=0)
        can = self._made_by(most * self.holds_own[:, None])
        problems = [
            *self._amiss(sectors, can, self.firm, can < self.firm, "existing_t, largest_new_t",
                _("what sources can supply of {name} is below what is served at any price"),
                _("Add capacity, let it grow faster, or lower the demand of the forecast.")),
            *self._amiss(names, least, most, least > most, "least_t",
                _("the least supply of {name} is above what it can supply"), _("Lower least_t, or add capacity.")),
            *self._amiss(sectors, self._made_by(least), asked, self._made_by(least) > asked * (1 + MADE_RELATIVE), "least_t",
                _("the least output of {name} is above the most that is demanded"),
                _("Lower least_t of its sources, or raise the demand of the forecast.")),
        ]  # fmt: skip
        if problems:
            raise DataError(_("The instance {name!r}", name=self.instance.name), problems)

    def _made_by(self, supply: Floats) -> Floats:
        """Return the output of each sector at some supply, electricity beside other output included, shape ``(s, t)``."""
        sectors, used = self.instance.sectors, self.columns["electricity_mwh_per_t"]
        makes = self.holds("supplies", "output")
        made = np.array([supply[makes & self.holds("sector", name)].sum(axis=0) for name in sectors])
        if ELECTRICITY in sectors:
            made[sectors.index(ELECTRICITY)] += (np.maximum(-used, 0.0) * supply).sum(axis=0)
        return made

    def _amiss(
        self,
        names: Sequence[str],
        one: Floats,
        other: Floats,
        bad: NDArray[np.bool_],
        column: str,
        what: str,
        advice: str,
    ) -> Iterator[Problem]:
        """Yield a problem of each name, with both amounts in each year in which they contradict each other."""
        for place in np.flatnonzero(bad.any(axis=1)).tolist():
            cells = tuple(
                (
                    f"of {names[place]} in {self.years[t]}",
                    _("{one:,.6g} against {other:,.6g} million", one=one[place, t], other=other[place, t]),
                )
                for t in np.flatnonzero(bad[place]).tolist()
            )
            yield Problem(SUPPLY.file, _(what, name=names[place]), advice, column, cells)

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
