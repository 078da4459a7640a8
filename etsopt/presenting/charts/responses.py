r"""Abatement of a year at every price: the steps in which each unit responds, computed exactly.

In a year a unit may run any set $S$ of its measures that can be built by then. The set costs $C(S)$ in that year: the
annuity of its investment, fixed and variable cost, less savings. It leaves emissions $E(S)$ and free allowances $A(S)$.
At the price $p$ of an allowance the unit takes a set in

$$\arg\min_S \; C(S) + p \, (E(S) - A(S)).$$

As $p$ rises, the unit walks along the lower convex hull of the points $(E - A, C)$, from the set of no measures on.
Every edge is a *step*: from the price $-\Delta C / \Delta (E - A)$ on the next set pays. The steps of all units in
order of their prices are the curve; nothing is drawn from a list of prices. Costs alone, without allowances, give the
curve of abatement cost: then the quantity is $E(S)$, and the price of a step its cost per tonne abated.

Each year stands alone: what a model adds, such as banking, and measures that run on from one year to the next, is
left out. In self-balancing years a sector's allowances follow its emissions whatever it abates, so that its units
demand nothing on balance and have no steps of net demand. Costs, abatement and allowances are those that
`etsopt.checking.readings` derives, which shares no code with the models.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from etsopt.checking.readings.baseline import derive_baseline
from etsopt.checking.readings.choices import derive_choices
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.checking.readings.sets import batches

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from etsopt.checking.readings.baseline import Baseline
    from etsopt.checking.readings.choices import Choices
    from etsopt.checking.readings.sets import Sets
    from etsopt.data.instance import Instance

STEP_COLUMNS = ("sector", "measures", "price_cny_per_t", "amount_t")


class Market(NamedTuple):
    """The years of a run as the checker derives them, and the measures of every unit."""

    sector: NDArray[np.object_]
    baseline: Baseline
    offered: Choices


def market_of(instance: Instance, tables: Mapping[str, pd.DataFrame]) -> Market:
    """Return the market of a run: with the allowances of its table, or without one those of the path."""
    given = InstanceInputs.of(instance)
    # Of the sectors of self-balancing years only the sum matters here, and no balance value.
    baseline = derive_baseline(given, tables.get("allocation")).balanced_in_sum
    return Market(instance.units["sector"].to_numpy(object), baseline, derive_choices(given, baseline))


def net_demand_before(market: Market, year: int) -> float:
    """Return the emissions of a year before abatement less the free allowances [t]."""
    place, units = _place(market, year), np.arange(len(market.sector))
    emissions = market.baseline.emissions[:, place]
    free = market.baseline.free(units, place, emissions, np.ones_like(emissions))
    return float((emissions - free).sum())


def steps_of(market: Market, year: int, demand: bool) -> pd.DataFrame:
    """Return the steps of all units in a year, in order of their prices.

    Parameters
    ----------
    demand
        True for steps of net demand, False for those of emissions.

    Returns
    -------
    DataFrame
        ``sector``; ``measures`` that join, separated by spaces; ``price_cny_per_t`` from which on the step pays;
        ``amount_t`` by which net demand or emissions fall.
    """
    place, parts = _place(market, year), []
    for sets in batches(market.baseline, market.offered, np.arange(len(market.sector))):
        parts += list(_steps_of_sets(market, sets, place, demand))
    steps = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(STEP_COLUMNS))
    return steps.sort_values("price_cny_per_t", kind="stable", ignore_index=True)


def _place(market: Market, year: int) -> int:
    return int(np.flatnonzero(market.baseline.years == year)[0])


def _steps_of_sets(market: Market, sets: Sets, place: int, demand: bool) -> Iterator[pd.DataFrame]:
    """Yield one edge of the hull of every unit that has a further one, until none has."""
    baseline, year = market.baseline, int(market.baseline.years[place])
    fixed, variable = sets.costs(year)
    cost = fixed + variable * baseline.output[sets.units, place]
    cost[~_available(sets, baseline.years[: place + 1])] = np.inf
    amount = sets.left * baseline.emissions[sets.units, place]
    if demand:
        amount -= baseline.free(sets.units, place, amount.T, sets.kept.T, sets.produced.T).T
    # Differences of a rounding error are no abatement.
    least = 1e-9 * baseline.emissions[sets.units, place]
    all_units = np.arange(len(sets.units))
    at = np.zeros(len(sets.units), dtype=np.int64)
    while True:
        gained = amount[at, all_units] - amount
        with np.errstate(divide="ignore", invalid="ignore"):
            price = np.where(gained > least, (cost - cost[at, all_units]) / gained, np.inf)
        lowest = price.min(axis=0)
        # Of steps at one price the farthest is taken, so that an edge is a single step.
        ties = price <= lowest + 1e-9 * np.abs(lowest)
        after = np.where(ties, gained, -np.inf).argmax(axis=0)
        moves = np.flatnonzero(np.isfinite(lowest))
        if not len(moves):
            return
        yield pd.DataFrame(
            {
                "sector": market.sector[sets.units[moves]],
                "measures": _joined(market.offered, sets, at[moves], after[moves], moves),
                "price_cny_per_t": lowest[moves],
                "amount_t": gained[after[moves], moves],
            }
        )
        at[moves] = after[moves]


def _available(sets: Sets, years: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return True for sets that can run in the last of some years, shape ``(sets, units)``.

    A measure begins in its first year, and of one that is built in steps one step begins a year.
    """
    late = sets.first_year > years[-1]
    available: NDArray[np.bool_] = sets.possible & (sets.family.accumulate(late.astype(float), np.add) == 0)
    for group in sets.family.groups:
        if len(group.measures) == len(set(group.measures)):
            continue
        slots, highest = list(group.slots), np.array([group.highest(one) for one in range(len(group.slots) + 1)])
        digit = np.zeros(len(sets.units), dtype=np.int64)
        for year in years:
            begun = np.cumprod(sets.first_year[slots] <= year, axis=0).sum(axis=0)
            digit = np.maximum(digit, np.minimum(highest[digit], begun))
        available &= sets.family.has[:, slots].sum(axis=1)[:, None] <= digit
    return available


def _joined(
    offered: Choices, sets: Sets, before: NDArray[np.int64], after: NDArray[np.int64], places: NDArray[np.int64]
) -> NDArray[np.object_]:
    """Return the measures that join from one set to another, separated by spaces, for some of the units."""
    joins = sets.family.has[after] & ~sets.family.has[before]
    codes = np.where(joins, offered.code[sets.units[places], : joins.shape[1]], -1)
    distinct, kind = np.unique(codes, axis=0, return_inverse=True)
    texts = [" ".join(dict.fromkeys(offered.names[row[row >= 0]].tolist())) for row in distinct]
    return np.array(texts, dtype=object)[kind.ravel()]
