"""Derive the accounts, limits, prices and least cost of a compliance year again from the instance.

This module is independent of the models, as `etsopt.checking.allocation.limits` is. The least cost needs no solver: an
enterprise that fills its obligation in the order of cost reaches the optimum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.checking.readings import plan
from etsopt.checking.readings.instance_inputs import by_year
from etsopt.checking.readings.targets import due_at_emissions, floored

if TYPE_CHECKING:
    from etsopt.checking.arrays import Floats, Ints, Mask
    from etsopt.checking.readings.instance_inputs import InstanceInputs

FIRST_CURRENT_VINTAGE = 2025
"""First vintage and year of the current rules, which do not mix with earlier ones."""


@dataclass(frozen=True)
class Tariff:
    """Prices of one year [CNY/t]; NaN without a price in the policy."""

    market: float
    transaction: float
    keep: float
    offset: float
    reference: float
    multiple: float

    @property
    def alternative(self) -> float:
        """Revenue or value of an allowance that is not surrendered [CNY/t]."""
        return max(self.market - self.transaction, self.keep)

    @property
    def sells(self) -> bool:
        """True if such an allowance is sold rather than banked."""
        return self.market - self.transaction > self.keep


@dataclass(frozen=True)
class Best:
    """Objectives of the least-cost compliance of all enterprises; ``turnover`` sums the absolute amounts [CNY]."""

    cost: float
    effort: float
    older_first: float
    turnover: float


def vintages_of(instance: InstanceInputs) -> list[int]:
    """Return the vintages that a table of holdings may have: to 2026, those that enterprises hold, that of the year."""
    names = [] if instance.enterprises is None else [name for name in instance.enterprises if name[:8] == "opening_"]
    return sorted({*range(2019, 2027), *(int(name[8:12]) for name in names), instance.policy.year})


def stated_tonnes(instance: InstanceInputs, names: pd.Index, column: str) -> Floats:
    """Return a column of the enterprises in whole tonnes, zero if it states nothing, shape ``(f,)`` [t]."""
    table = instance.enterprises
    if table is None or column not in table:
        return np.zeros(len(names))
    return floored(table.set_index("enterprise_id")[column].reindex(names).fillna(0.0).to_numpy(dtype=float))


def tariff(instance: InstanceInputs) -> Tariff:
    """Return the prices of the year of the tables."""
    policy, year = instance.policy, instance.policy.year
    market = policy.market
    keep = market.terminal_price_cny_per_t
    if instance.years[-1] > year:
        keep = float(by_year(market.prices_cny_per_t, [year + 1])[0]) / (1 + policy.horizon.discount_rate)
    price, offset, reference = (
        float(by_year(value, [year])[0])
        for value in (market.prices_cny_per_t, market.ccer_price_cny_per_t, policy.penalty.reference_price_cny_per_t)
    )
    return Tariff(price, market.transaction_cost_cny_per_t, keep, offset, reference, policy.penalty.multiple)


def enterprises(instance: InstanceInputs, units: pd.DataFrame) -> pd.DataFrame:
    """Return the data of each enterprise before compliance, by its id.

    Parameters
    ----------
    units
        Allowances of each unit in the result.
    """
    policy = instance.policy
    scoped = instance.units.assign(
        emissions_tco2e=plan.emissions_inside(instance),
        owed=due_at_emissions(instance),
        counts=plan.inside(instance).astype(np.int64),
    )
    names = set(scoped["enterprise_id"])
    seats = pd.Series("", index=[], dtype=object)
    if instance.enterprises is not None:
        names |= set(instance.enterprises["enterprise_id"])
        if "province" in instance.enterprises:
            seats = instance.enterprises.set_index("enterprise_id")["province"].fillna("")
    table = pd.DataFrame(index=pd.Index(sorted(names), dtype=object))
    largest = scoped.sort_values(["emissions_tco2e", "unit_id"], ascending=[False, True], kind="stable")
    of_units = largest.drop_duplicates("enterprise_id").set_index("enterprise_id")["province"]
    seat = seats.reindex(table.index)
    table["province"] = seat.where(seat.fillna("") != "", of_units.reindex(table.index)).fillna("")
    groups = scoped.groupby("enterprise_id")
    table["units"] = groups["counts"].sum().reindex(table.index, fill_value=0)
    table["emissions"] = groups["emissions_tco2e"].sum().reindex(table.index, fill_value=0.0)
    of_year = groups["owed"].sum().reindex(table.index, fill_value=0.0).to_numpy(dtype=float)
    table["obligation"] = of_year + stated_tonnes(instance, table.index, "outstanding_t")
    closed = scoped.loc[scoped["special_case"] == "closed", "enterprise_id"] if "special_case" in scoped else []
    table["at_risk"] = table.index.isin([*closed, *policy.compliance.at_risk])
    allowance = units.groupby("enterprise_id")["allowance_t"].sum().reindex(table.index, fill_value=0.0)
    table["deducted"] = np.minimum(stated_tonnes(instance, table.index, "deduction_t"), allowance)
    table["received"] = (allowance - table["deducted"]).where(table["at_risk"], 0.0)
    table["from_province"] = np.minimum(table["received"], table["obligation"])
    # Offsets are a share of the year's own obligation.
    supply, total = by_year(policy.market.ccer_supply_t, [policy.year], 0.0)[0], of_year.sum()
    shared = floored(supply * (of_year / total)) if total else 0.0
    table["offset_most"] = np.minimum(floored(policy.market.ccer_share * of_year), shared)
    table["buys"] = ~table.index.isin(policy.compliance.without_purchases)
    table["speculates"] = table.index.isin(policy.compliance.speculating)
    return table


def holdings(instance: InstanceInputs, units: pd.DataFrame, names: pd.Index) -> dict[str, pd.DataFrame]:
    """Return opening, carry-over, issue and cancellation: enterprises as rows, vintages as columns [t]."""
    year = instance.policy.year
    vintages = vintages_of(instance)
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
    old = [vintage for vintage in vintages if vintage < FIRST_CURRENT_VINTAGE]
    most = plan.most_carried_over(instance, names.to_numpy(), net_sales.to_numpy(dtype=float))
    left = pd.Series(floored(np.minimum(most, opening[old].sum(axis=1).to_numpy())), index=names)
    converted[FIRST_CURRENT_VINTAGE] = left
    for vintage in old:
        carried = np.minimum(left, opening[vintage])
        converted[vintage] -= carried
        left = left - carried
    issued, cancelled = converted * 0, converted * 0
    sums = (
        units.groupby("enterprise_id")[["pre_allocated_t", "top_up_t", "return_t"]].sum().reindex(names, fill_value=0)
    )
    issued[year] = sums["pre_allocated_t"] + sums["top_up_t"]
    due = stated_tonnes(instance, names, "deduction_t")
    cancelled[year] = sums["return_t"] + np.minimum(due, issued[year] - sums["return_t"])
    return {"opening_t": opening, "carried_over_t": converted, "issued_t": issued, "cancelled_t": cancelled}


def usable(vintage: Ints, year: int) -> Mask:
    """Return True for vintages that may be surrendered for the year."""
    return vintage >= FIRST_CURRENT_VINTAGE if year >= FIRST_CURRENT_VINTAGE else vintage <= year


def largest_shortfall(enterprises: pd.DataFrame, held: Floats) -> Floats:
    """Return the largest shortfall of each enterprise: obligation less offsets and holdings, shape ``(f,)`` [t]."""
    owed = (enterprises["obligation"] - enterprises["offset_most"]).to_numpy(dtype=float)
    return np.maximum(owed - held.sum(axis=1), 0.0)


def most_bought(enterprises: pd.DataFrame, held: Floats) -> Floats:
    """Return the most that each enterprise may buy: what it needs, or all that it owes if it speculates [t]."""
    owed = enterprises["obligation"].to_numpy(dtype=float)
    needed = np.maximum(owed - held.sum(axis=1), 0.0)
    return np.where(enterprises["speculates"], owed, needed) * enterprises["buys"].to_numpy()


def best(enterprises: pd.DataFrame, held: Floats, newest: int, prices: Tariff) -> Best:
    """Return the objectives of the least-cost compliance, in which obligations are filled in the order of cost.

    Parameters
    ----------
    enterprises
        Result of `enterprises`.
    held
        Usable allowances, shape ``(f, v)``, the oldest vintage first [t].
    newest
        Column of the vintage of the year.
    """
    obligation, from_province = (
        enterprises["obligation"].to_numpy(dtype=float),
        enterprises["from_province"].to_numpy(dtype=float),
    )
    shortfall_most = largest_shortfall(enterprises, held) * (not np.isnan(prices.reference))
    # Cost, effort and limit of each option; a surrendered allowance is neither sold nor banked.
    options = [
        (prices.alternative, -1.0 * prices.sells, held.sum(axis=1) - from_province),
        (prices.offset, 1.0, enterprises["offset_most"].to_numpy(dtype=float)),
        (prices.market + prices.transaction, 2.0, most_bought(enterprises, held)),
        (prices.multiple * prices.reference, 3.0, shortfall_most),
    ]
    order = sorted((option for option in range(4) if options[option][2].any()), key=lambda option: options[option][:2])
    left = obligation - from_province
    used = {0: np.zeros_like(left)}
    for option in order:
        used[option] = np.minimum(left, options[option][2])
        left = left - used[option]
    surrendered = from_province + used[0]
    kept = held.sum(axis=1) - surrendered
    amounts = [-prices.alternative * kept, *(options[option][0] * used[option] for option in used if option)]
    effort = prices.sells * kept.sum() + sum(options[option][1] * used[option].sum() for option in used if option)
    available = held.copy()
    available[:, newest] -= from_province
    older = np.cumsum(available, axis=1) - available
    by_vintage = np.clip(used[0][:, None] - older, 0.0, available)
    by_vintage[:, newest] += from_province
    place = np.arange(held.shape[1])
    cost = float(sum(amount.sum() for amount in amounts))
    turnover = float(sum(np.abs(amount).sum() for amount in amounts))
    return Best(cost, float(effort), float((by_vintage * place).sum()), turnover)
