"""What a compliance year must be, derived again from the instance: accounts, limits, prices, and the least cost.

Written apart from the models on purpose, as `etsopt.checking.allocation.limits` is. The least cost needs no solver: an
enterprise settles with what is cheapest first, so filling its obligation in the order of cost gives the optimum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.checking import plan
from etsopt.checking.allocation.bands import floored, rounded
from etsopt.data.yearly import by_year

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance

SPLIT = 2025
"""Vintages and years before it stand apart from those since; fines too, by deadlines after 15 August 2026."""


@dataclass(frozen=True)
class Tariff:
    """Prices of one year [CNY/t]; NaN where the policy states none."""

    market: float
    transaction: float
    keep: float
    offset: float
    reference: float
    multiple: float

    @property
    def otherwise(self) -> float:
        """What an allowance brings that is not surrendered."""
        return max(self.market - self.transaction, self.keep)

    @property
    def sells(self) -> bool:
        """Whether it is sold rather than kept."""
        return self.market - self.transaction > self.keep


@dataclass(frozen=True)
class Best:
    """Levels of the best compliance of all enterprises; ``turnover`` is the absolute sum of all amounts [CNY]."""

    cost: float
    effort: float
    older_first: float
    turnover: float


def tariff(instance: Instance) -> Tariff:
    """Prices of the year of the tables."""
    policy, year = instance.policy, instance.policy.year
    market = policy.market
    keep = market.terminal_price_cny_per_t
    if policy.years[-1] > year:
        keep = float(by_year(market.prices_cny_per_t, [year + 1])[0]) / (1 + policy.horizon.discount_rate)
    price, offset, reference = (
        float(by_year(value, [year])[0])
        for value in (market.prices_cny_per_t, market.ccer_price_cny_per_t, policy.penalty.reference_price_cny_per_t)
    )
    return Tariff(price, market.transaction_cost_cny_per_t, keep, offset, reference, policy.penalty.multiple)


def enterprises(instance: Instance, units: pd.DataFrame) -> pd.DataFrame:
    """What is known of each enterprise before it settles, by its id.

    Parameters
    ----------
    units
        Table of the result: allowances of each unit.
    """
    policy = instance.policy
    own = instance.units.assign(
        emissions_tco2e=plan.emissions_inside(instance), counts=plan.inside(instance).astype(np.int64)
    )
    names = set(own["enterprise_id"])
    seats = pd.Series("", index=[], dtype=object)
    if instance.enterprises is not None:
        names |= set(instance.enterprises["enterprise_id"])
        if "province" in instance.enterprises:
            seats = instance.enterprises.set_index("enterprise_id")["province"].fillna("")
    table = pd.DataFrame(index=pd.Index(sorted(names), dtype=object))
    largest = own.sort_values(["emissions_tco2e", "unit_id"], ascending=[False, True], kind="stable")
    of_units = largest.drop_duplicates("enterprise_id").set_index("enterprise_id")["province"]
    seat = seats.reindex(table.index)
    table["province"] = seat.where(seat.fillna("") != "", of_units.reindex(table.index)).fillna("")
    groups = own.groupby("enterprise_id")
    table["units"] = groups["counts"].sum().reindex(table.index, fill_value=0)
    table["emissions"] = groups["emissions_tco2e"].sum().reindex(table.index, fill_value=0.0)
    table["obligation"] = rounded(table["emissions"].to_numpy(dtype=float))
    closed = own.loc[own["special_case"] == "closed", "enterprise_id"] if "special_case" in own else []
    table["at_risk"] = table.index.isin([*closed, *policy.compliance.at_risk])
    allowance = units.groupby("enterprise_id")["allowance_t"].sum().reindex(table.index, fill_value=0.0)
    table["received"] = allowance.where(table["at_risk"], 0.0)
    table["first"] = np.minimum(table["received"], table["obligation"])
    supply, total = by_year(policy.market.ccer_supply_t, [policy.year], 0.0)[0], table["obligation"].sum()
    shared = floored(supply * (table["obligation"].to_numpy() / total)) if total else 0.0
    table["offset_most"] = np.minimum(floored(policy.market.ccer_share * table["obligation"].to_numpy()), shared)
    table["buys"] = ~table.index.isin(policy.compliance.without_purchases)
    return table


def holdings(instance: Instance, units: pd.DataFrame, names: pd.Index) -> dict[str, pd.DataFrame]:
    """Opening, conversion, issue and cancellation: enterprises as rows, vintages as columns [t]."""
    year = instance.policy.year
    vintages = sorted({*range(2019, 2027), year})
    opening = pd.DataFrame(0.0, index=names, columns=vintages)
    net_sales = pd.Series(0.0, index=names)
    if instance.enterprises is not None:
        stated = instance.enterprises.set_index("enterprise_id").reindex(names)
        for vintage in vintages:
            if f"opening_{vintage}_t" in stated:
                opening[vintage] = floored(stated[f"opening_{vintage}_t"].fillna(0.0).to_numpy(dtype=float))
        if "net_sales_t" in stated:
            net_sales = stated["net_sales_t"].fillna(0.0)
    converted = pd.DataFrame(0.0, index=names, columns=vintages)
    old = [vintage for vintage in vintages if vintage < SPLIT]
    most = plan.most_carried_over(instance, names.to_numpy(), net_sales.to_numpy(dtype=float))
    left = pd.Series(floored(np.minimum(most, opening[old].sum(axis=1).to_numpy())), index=names)
    converted[SPLIT] = left
    for vintage in old:
        leaves = np.minimum(left, opening[vintage])
        converted[vintage] -= leaves
        left = left - leaves
    issued, cancelled = converted * 0, converted * 0
    sums = (
        units.groupby("enterprise_id")[["pre_allocated_t", "top_up_t", "return_t"]].sum().reindex(names, fill_value=0)
    )
    issued[year] = sums["pre_allocated_t"] + sums["top_up_t"]
    cancelled[year] = sums["return_t"]
    return {"opening_t": opening, "carried_over_t": converted, "issued_t": issued, "cancelled_t": cancelled}


def settles(vintage: NDArray[np.int64], year: int) -> NDArray[np.bool_]:
    """Whether allowances of a vintage settle the year."""
    return vintage >= SPLIT if year >= SPLIT else vintage <= year


def most_missing(known: pd.DataFrame, held: NDArray[np.float64]) -> NDArray[np.float64]:
    """Largest shortfall of an enterprise: what holdings and offsets cannot settle, shape ``(f,)`` [t]."""
    owed = (known["obligation"] - known["offset_most"]).to_numpy(dtype=float)
    return np.maximum(owed - held.sum(axis=1), 0.0)


def best(known: pd.DataFrame, held: NDArray[np.float64], newest: int, prices: Tariff) -> Best:
    """Levels of the compliance year that is best for every enterprise: each fills its obligation in the order of cost.

    Parameters
    ----------
    known
        What `enterprises` returns.
    held
        Allowances that settle the year, shape ``(f, v)``, the oldest vintage first [t].
    newest
        Column of the vintage of the year.
    """
    obligation, first = known["obligation"].to_numpy(dtype=float), known["first"].to_numpy(dtype=float)
    may_miss = most_missing(known, held) * (not np.isnan(prices.reference))
    # Cost, effort and most of each way to settle; what is surrendered is not sold or kept.
    ways = [
        (prices.otherwise, -1.0 * prices.sells, held.sum(axis=1) - first),
        (prices.offset, 1.0, known["offset_most"].to_numpy(dtype=float)),
        (prices.market + prices.transaction, 2.0, obligation * known["buys"].to_numpy()),
        (prices.multiple * prices.reference, 3.0, may_miss),
    ]
    order = sorted((way for way in range(4) if ways[way][2].any()), key=lambda way: ways[way][:2])
    left = obligation - first
    used = {0: np.zeros_like(left)}
    for way in order:
        used[way] = np.minimum(left, ways[way][2])
        left = left - used[way]
    surrendered = first + used[0]
    kept = held.sum(axis=1) - surrendered
    amounts = [-prices.otherwise * kept, *(ways[way][0] * used[way] for way in used if way)]
    effort = prices.sells * kept.sum() + sum(ways[way][1] * used[way].sum() for way in used if way)
    lots = held.copy()
    lots[:, newest] -= first
    older = np.cumsum(lots, axis=1) - lots
    taken = np.clip(used[0][:, None] - older, 0.0, lots)
    taken[:, newest] += first
    place = np.arange(held.shape[1])
    cost = float(sum(amount.sum() for amount in amounts))
    turnover = float(sum(np.abs(amount).sum() for amount in amounts))
    return Best(cost, float(effort), float((taken * place).sum()), turnover)
