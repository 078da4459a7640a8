"""Sources, demand and the market of an outlook as arrays by year, in millions: Mt, TWh and million CNY.

Arrays of the program of an outlook that are the same in every case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _
from etsopt.data.content import output_of
from etsopt.data.groups import Groups
from etsopt.data.policy.yearly import by_year, interpolated
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


def program_arrays(outlook: Outlook) -> dict[str, Any]:
    """Return the arrays of the program that are the same in every case."""
    columns, years, discount = outlook.columns, len(outlook.years), outlook.discount
    shared, limited, elastic, owner = outlook.shared, outlook.limited, outlook.elastic, outlook.owner
    new, most = np.cumsum(columns["largest_new_t"], axis=1), outlook.most
    least_new = np.where(np.isnan(columns["least_new_t"]), -new, columns["least_new_t"])
    flows = _flows(outlook)
    pairs = [(k, other) for k in limited.tolist() for other in _base_of(outlook, k).tolist()]
    limited_of, base = (
        (np.array(part, dtype=np.int64) for part in zip(*pairs, strict=True)) if pairs else (np.zeros(0, int),) * 2
    )
    abates = outlook.holds("supplies", "abatement")[limited_of]
    share = columns["largest_share"][limited_of] * np.where(abates[:, None], outlook.emissions[base], 1.0)
    sector_of_step = np.repeat(elastic, STEPS)
    place = np.tile(np.arange(STEPS), len(elastic))[:, None]
    # A step of a year in which demand does not answer has no size, and no worth.
    answers = outlook.elasticity > 0
    slope = np.divide(outlook.price, outlook.elasticity, out=np.zeros(answers.shape), where=answers)
    cost = np.where(answers, outlook.cost, 0.0)
    worth = cost[sector_of_step] + slope[sector_of_step] * (1 - FIRM - STEP * (place + 0.5))
    market = outlook.instance.policy.market
    offsets = by_year(market.ccer_supply_t, outlook.years, 0.0) / MILLION
    with_emissions = np.maximum(-outlook.emissions, 0.0) + columns["benchmark_tco2e_per_t"]
    gained = (with_emissions * most).sum(axis=0) + np.where(np.isinf(outlook.cap), 0.0, outlook.cap) + offsets
    banked = np.concatenate([[0.0], np.cumsum(gained)]) + outlook.opening
    return {
        "SOURCES": len(owner),
        "SECTORS": len(outlook.demand),
        "YEARS": years,
        "TIMES": years + 1,
        "STEPS": len(sector_of_step),
        "FLOWS": len(flows[0]),
        "PAIRS": len(base),
        "SHARED": shared,
        "LIMITED": limited,
        "FLOWS_OF_SECTOR": Groups.from_labels(flows[1], len(outlook.demand)),
        "STEPS_OF_SECTOR": Groups.from_labels(sector_of_step, len(outlook.demand)),
        "SOURCES_OF_OWNER": Groups.from_labels(owner, len(owner)),
        "PAIRS_OF_SOURCE": Groups.from_labels(limited_of, len(owner)),
        "flow_source": flows[0],
        "flow": flows[2],
        "pair_source": base,
        "share": share,
        "firm_demand": outlook.firm,
        "step_most": outlook.step[sector_of_step],
        "step_worth": discount * worth,
        "least": columns["least_t"],
        "most": np.where(np.isin(owner, shared)[:, None], most, columns["existing_t"]),
        "existing": columns["existing_t"],
        "built_most": np.concatenate([np.zeros((len(owner), 1)), new], axis=1),
        "least_new": least_new,
        "largest_new": columns["largest_new_t"],
        "emission": outlook.emissions,
        "benchmark": columns["benchmark_tco2e_per_t"],
        "source_cost": discount * columns["cost_cny_per_t"],
        "capacity_cost": discount * columns["capacity_cost_cny_per_t"],
        "offset_most": offsets,
        "offset_share": market.ccer_share,
        "offset_cost": discount * by_year(market.ccer_price_cny_per_t, outlook.years, 0.0),
        "banked_least": np.concatenate([[outlook.opening], np.zeros(years)]),
        "banked_most": np.where(_lasting(outlook), banked, 0.0),
    }


def _flows(outlook: Outlook) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Return source, sector and amount of each flow: an output into its sector, electricity out of that of power."""
    sectors, made = outlook.instance.sectors, outlook.holds("supplies", "output")
    of_sector = (
        outlook.sources["sector"]
        .map({name: place for place, name in enumerate(sectors)})
        .fillna(-1)
        .to_numpy(dtype=np.int64)
    )
    used = outlook.columns["electricity_mwh_per_t"]
    takes = np.flatnonzero((used != 0).any(axis=1)) if ELECTRICITY in sectors else np.zeros(0, dtype=np.int64)
    makes = np.flatnonzero(made)
    amount = np.concatenate([np.ones((len(makes), len(outlook.years))), -used[takes]])
    power = np.full(len(takes), sectors.index(ELECTRICITY) if len(takes) else 0)
    return np.concatenate([makes, takes]), np.concatenate([of_sector[makes], power]), amount


def _base_of(outlook: Outlook, k: int) -> NDArray[np.int64]:
    """Return the sources of the output, or of its emissions, of which a source may be a share."""
    return np.flatnonzero(
        outlook.holds("sector", outlook.sources["sector"].iloc[k]) & outlook.holds("supplies", "output")
    )


def _lasting(outlook: Outlook) -> NDArray[np.bool_]:
    """Return True for points in time at which allowances may be kept, the opening included, shape ``(t + 1,)``."""
    first = outlook.instance.policy.pathway.no_bank_from
    ends = np.concatenate([[outlook.years[0] - 2], outlook.years])
    return np.full(len(ends), True) if first is None else ends < first - 1
