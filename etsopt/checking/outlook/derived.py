r"""Derive the program of an outlook again: rows, bounds and cost, from the instance and the allowances of a case.

Columns are, in this order: supply of every source, new capacity of those that build or lend (at the end of each year),
steps of demand, offsets, and allowances kept at the end of each year, each by year. Amounts are millions of tonnes and
MWh, money is CNY million.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.checking.program.bounds import Goal
from etsopt.checking.readings.instance_inputs import by_year
from etsopt.checking.readings.path import banks, caps
from etsopt.checking.readings.supply import DEMAND_STEPS, MILLION, USER_OF_POWER, read_demand, read_sources
from etsopt.checking.theorem import COST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from etsopt.checking.arrays import Floats, Ints, Mask
    from etsopt.checking.readings.instance_inputs import InstanceInputs
    from etsopt.checking.readings.supply import Demand, Sources

Term = tuple[int, Any, int]
"""First column of a block of years, coefficient by year, and the years by which the column precedes its row."""

SUPPLY, BUILT, STEP, OFFSET, BANKED = "supply", "built", "step", "offset", "banked"


@dataclass(frozen=True)
class Matrix:
    """Sparse rows, as the proof of programs takes them."""

    data: Floats
    indices: NDArray[np.int32]
    indptr: Ints


@dataclass(frozen=True)
class Derived:
    """A program, as the proof of programs takes it."""

    matrix: Matrix
    row_lower: Floats
    row_upper: Floats
    column_lower: Floats
    column_upper: Floats
    integer: Mask
    rows: Mapping[str, slice]
    columns: Mapping[str, slice]
    objectives: Mapping[str, Goal]


@dataclass
class Parts:
    """Rows as they are added, each block with a row for every year."""

    years: int
    row: list[Ints] = field(default_factory=list)
    column: list[Ints] = field(default_factory=list)
    data: list[Floats] = field(default_factory=list)
    lower: list[Floats] = field(default_factory=list)
    upper: list[Floats] = field(default_factory=list)
    begun: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, terms: Sequence[Term], lower: Floats | float, upper: Floats | float) -> None:
        """Add a row a year."""
        start = self.years * len(self.lower)
        self.begun.setdefault(name, start)
        for first, amount, lag in terms:
            at = np.arange(lag, self.years)
            values = np.broadcast_to(np.asarray(amount, dtype=float), self.years)[at]
            kept = values != 0
            self.row.append(start + at[kept])
            self.column.append(first + at[kept] - lag)
            self.data.append(values[kept])
        for sides, value in ((self.lower, lower), (self.upper, upper)):
            sides.append(np.array(np.broadcast_to(np.asarray(value, dtype=float), self.years)))

    @property
    def matrix(self) -> Matrix:
        """All rows."""
        row, column, data = (np.concatenate(part) for part in (self.row, self.column, self.data))
        order = np.lexsort((column, row))
        starts = np.searchsorted(row[order], np.arange(self.years * len(self.lower) + 1))
        return Matrix(np.asarray(data[order], dtype=float), column[order].astype(np.int32), starts)

    @property
    def slices(self) -> dict[str, slice]:
        """Place of each component."""
        ends = [*list(self.begun.values())[1:], self.years * len(self.lower)]
        return {name: slice(first, end) for (name, first), end in zip(self.begun.items(), ends, strict=True)}


@dataclass(frozen=True)
class Model:
    """What is read once for all cases of an instance: ``k`` sources, ``t`` years."""

    instance: InstanceInputs
    years: Ints
    discount: Floats
    sources: Sources
    demand: Demand
    cap: Floats
    opening: float

    @classmethod
    def of(cls, instance: InstanceInputs) -> Model:
        """Read an instance."""
        years, policy = instance.years, instance.policy
        cap = (
            caps(instance, years, np.zeros(len(years))) / MILLION
            if policy.pathway.cap_t
            else np.full(len(years), np.inf)
        )
        held, holders = 0.0, instance.enterprises
        if holders is not None:
            held = sum(float(holders[column].sum()) for column in holders if str(column).startswith("opening_"))
        yearly = 1 + policy.horizon.discount_rate
        discount = np.cumprod(np.full(len(years), 1 / yearly)) * yearly
        return cls(instance, years, discount, read_sources(instance), read_demand(instance), cap, held / MILLION)

    def figure(self, column: str) -> Floats:
        """Return a figure of the sources, 0 where none is stated, shape ``(k, t)``."""
        return np.nan_to_num(self.sources.figures[column])

    @property
    def owner(self) -> Ints:
        """Position of the source whose capacity each uses, shape ``(k,)``."""
        return self.sources.owner

    @cached_property
    def builders(self) -> Ints:
        """Positions of sources that build, or lend their capacity."""
        own = self.owner == np.arange(len(self.owner))
        lends = np.bincount(self.owner, minlength=len(own)) > 1
        return np.flatnonzero(own & (lends | (self.figure("largest_new_t") > 0).any(axis=1)))

    @property
    def limited(self) -> Ints:
        """Positions of sources with a largest share."""
        return np.flatnonzero(np.isfinite(self.sources.figures["largest_share"]).any(axis=1))

    @property
    def offsets(self) -> Floats:
        """Offsets on offer, shape ``(t,)`` [Mt]."""
        return by_year(self.instance.policy.market.ccer_supply_t, self.years, 0.0) / MILLION

    @property
    def keeps(self) -> Mask:
        """True for years at whose end allowances may be kept, shape ``(t,)``."""
        return banks(self.instance, self.years)


def derive(model: Model, free_share: Floats, volume: Floats, terminal_price: float) -> Derived:
    """Return the program of a case.

    Parameters
    ----------
    free_share, volume
        Share of the rule's allowances that follow output, and allowances that do not [Mt], shape ``(t,)``.
    terminal_price
        Worth of an allowance kept after the last year [CNY/t].
    """
    years, count, builders = len(model.years), len(model.owner), model.builders
    answers = model.demand.answers
    blocks = {SUPPLY: count, BUILT: len(builders), STEP: DEMAND_STEPS * len(answers), OFFSET: 1, BANKED: 1}
    ends = np.cumsum([size * years for size in blocks.values()])
    columns = {
        name: slice(int(end - size * years), int(end)) for (name, size), end in zip(blocks.items(), ends, strict=True)
    }
    lower, upper = _bounds(model)
    parts = _rows(model, columns, free_share, volume)
    linear = np.concatenate(_costs(model, terminal_price))
    integer = np.zeros(len(linear), dtype=bool)
    sides = np.concatenate(parts.lower), np.concatenate(parts.upper)
    goal = Goal(linear, np.zeros_like(linear), 0.0, "CNY million")
    return Derived(parts.matrix, *sides, lower, upper, integer, parts.slices, columns, {COST: goal})


def _grown(model: Model) -> Floats:
    """Return the most new capacity of each source at the end of a year, shape ``(k, t)``."""
    return np.cumsum(model.figure("largest_new_t"), axis=1)


def _bounds(model: Model) -> tuple[Floats, Floats]:
    """Return the bounds of all columns."""
    grown, demand = _grown(model), model.demand
    most = (model.figure("existing_t") + grown)[model.owner]
    # More than all that could be given, abated or offset is never kept.
    gained = ((model.figure("benchmark_tco2e_per_t") + np.maximum(-model.sources.emissions, 0.0)) * most).sum(axis=0)
    gained = np.cumsum(gained + np.where(np.isinf(model.cap), 0.0, model.cap) + model.offsets)
    steps = [np.tile(demand.size(sector), DEMAND_STEPS) for sector in model.demand.answers]
    upper = [most.ravel(), grown[model.builders].ravel(), *steps, model.offsets]
    upper.append(np.where(model.keeps, model.opening + gained, 0.0))
    high = np.concatenate(upper)
    low = np.zeros(len(high))
    low[: most.size] = model.figure("least_t").ravel()
    return low, high


def _costs(model: Model, terminal_price: float) -> list[Floats]:
    """Return the cost of all columns, block by block [CNY million per million]."""
    kept = np.zeros(len(model.years))
    kept[-1] = -model.discount[-1] * terminal_price
    price = by_year(model.instance.policy.market.ccer_price_cny_per_t, model.years, 0.0)
    return [
        (model.discount * model.figure("cost_cny_per_t")).ravel(),
        (model.discount * model.figure("capacity_cost_cny_per_t"))[model.builders].ravel(),
        *((-model.discount * model.demand.worth(sector)).ravel() for sector in model.demand.answers),
        model.discount * price,
        kept,
    ]


def _rows(model: Model, columns: Mapping[str, slice], free_share: Floats, volume: Floats) -> Parts:
    """Return the rows, in the order of the page."""
    years, owner = len(model.years), model.owner
    parts, at = Parts(years), {name: place.start for name, place in columns.items()}
    supply = at[SUPPLY] + years * np.arange(len(owner))
    _served(model, parts, supply, at[STEP])
    built = {c: at[BUILT] + years * place for place, c in enumerate(model.builders.tolist())}
    for c, first in built.items():
        users: list[Term] = [(supply[k], 1.0, 0) for k in np.flatnonzero(owner == c)]
        parts.add("capacity", [*users, (first, -1.0, 0)], -np.inf, model.figure("existing_t")[c])
    stated = model.sources.figures["least_new_t"]
    least = np.where(np.isnan(stated), -np.inf, stated)
    for c, first in built.items():
        parts.add("build_rate", [(first, 1.0, 0), (first, -1.0, 1)], least[c], model.figure("largest_new_t")[c])
    _shares(model, parts, supply)
    emissions, given = model.sources.emissions, model.figure("benchmark_tco2e_per_t")
    most = model.instance.policy.market.ccer_share
    limited: list[Term] = [(supply[k], -most * emissions[k], 0) for k in range(len(owner))]
    parts.add("offset_limit", [(at[OFFSET], 1.0, 0), *limited], -np.inf, 0.0)
    needed: list[Term] = [(supply[k], emissions[k] - free_share * given[k], 0) for k in range(len(owner))]
    held: list[Term] = [(at[BANKED], 1.0, 0), (at[BANKED], -1.0, 1), (at[OFFSET], -1.0, 0)]
    opening = np.where(np.arange(years) == 0, model.opening, 0.0)
    parts.add("bank", [*held, *needed], -np.inf, volume + opening)
    return parts


def _served(model: Model, parts: Parts, supply: Ints, steps: int) -> None:
    """Add the rows by which demand is met; power serves those that use electricity as well."""
    sources, years, answers = model.sources, len(model.years), model.demand.answers.tolist()
    used = model.figure("electricity_mwh_per_t")
    for s, sector in enumerate(model.instance.sectors):
        terms: list[Term] = [(supply[k], 1.0, 0) for k in np.flatnonzero(sources.makes(sector))]
        if sector == USER_OF_POWER:
            terms += [(supply[k], -used[k], 0) for k in np.flatnonzero(used.any(axis=1))]
        if s in answers:
            first = steps + years * DEMAND_STEPS * answers.index(s)
            terms += [(first + years * j, -1.0, 0) for j in range(DEMAND_STEPS)]
        parts.add("served", terms, model.demand.firm[s], np.inf)


def _shares(model: Model, parts: Parts, supply: Ints) -> None:
    """Add the rows of largest shares: of the output of the sector, or for abatement of its emissions."""
    sources, emissions = model.sources, model.sources.emissions
    for k in model.limited.tolist():
        share = sources.figures["largest_share"][k]
        weights = emissions if sources.supplies[k] == "abatement" else np.ones_like(emissions)
        base = np.flatnonzero(sources.makes(sources.sector[k]))
        terms: list[Term] = [(supply[one], -share * weights[one], 0) for one in base]
        parts.add("share_limit", [(supply[k], 1.0, 0), *terms], -np.inf, 0.0)
