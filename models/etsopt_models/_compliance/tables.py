"""Result tables of a compliance year, in whole tonnes, from surrenders, sales, purchases and shortfalls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.common.units import whole_tonnes
from etsopt.rules import deduction_shares, fixed_fines
from etsopt_models._compliance.limits import prices, reference_price

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._compliance.accounts import Accounts

AMENDED_LAW_FROM = 2025
"""First compliance year whose deadline, at the end of the next year, is after 15 August 2026."""

REGIMES = ("until 2026-08-14", "from 2026-08-15")
"""Validity of the laws that fine a shortfall, by its deadline."""


def compliance_tables(
    instance: Instance, accounts: Accounts, moved: Mapping[str, NDArray[np.float64]]
) -> dict[str, pd.DataFrame]:
    """Return the tables of a compliance year.

    Parameters
    ----------
    moved
        Whole tonnes: ``surrendered`` and ``sold`` of the holdings, shape ``(f, v)``; ``bought``, ``offset`` and
        ``shortfall``, shape ``(f,)``.

    Returns
    -------
    dict
        ``compliance`` and ``shortfalls`` by enterprise, ``holdings`` by enterprise and vintage, totals in
        ``compliance_provinces`` and ``nation``, and the starting point, ``issuance`` by unit and
        ``compliance_sectors``.
    """
    flows = _flows(accounts, moved)
    compliance = _whole(_compliance(instance, accounts, moved, flows))
    units = _whole(accounts.units)
    return {
        "compliance": compliance,
        "holdings": _whole(_holdings(accounts, flows)),
        "compliance_provinces": _totals(compliance, "province"),
        "nation": _totals(compliance.assign(year=instance.policy.year), "year"),
        "shortfalls": _shortfalls(instance, compliance),
        "issuance": units,
        "compliance_sectors": _sectors(instance, accounts, units),
    }


def _whole(table: pd.DataFrame) -> pd.DataFrame:
    """Convert whole tonnes to integers; emissions and the allowances of the rule may be fractional."""
    whole = [name for name in table.columns if name.endswith("_t") and name != "reference_t"]
    return table.astype(dict.fromkeys(whole, np.int64))


def _totals(compliance: pd.DataFrame, key: str) -> pd.DataFrame:
    """Return counts and sums over enterprises."""
    counted = compliance.assign(
        enterprises=1,
        enterprises_at_risk=compliance["at_risk"].astype(np.int64),
        enterprises_with_shortfall=(compliance["shortfall_t"] > 0).astype(np.int64),
    )
    numbers = compliance.columns.difference([key, "enterprise_id", "province", "at_risk"], sort=False)
    columns = ["enterprises", "enterprises_at_risk", "enterprises_with_shortfall", *numbers]
    return counted.groupby(key, sort=True)[columns].sum().reset_index()


def _flows(accounts: Accounts, moved: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """Return the flows of each vintage and account, shape ``(f, v)`` [t]; purchases are of the year's vintage."""
    bought = np.zeros_like(accounts.opening)
    bought[:, accounts.newest] = moved["bought"]
    flows = {
        "opening_t": accounts.opening,
        "carried_over_t": accounts.converted,
        "issued_t": accounts.issued,
        "bought_t": bought,
        "surrendered_t": moved["surrendered"] + bought,
        "sold_t": moved["sold"],
        "cancelled_t": accounts.cancelled,
    }
    return flows | {"closing_t": accounts.held - moved["surrendered"] - moved["sold"]}


def _compliance(
    instance: Instance,
    accounts: Accounts,
    moved: Mapping[str, NDArray[np.float64]],
    flows: Mapping[str, NDArray[np.float64]],
) -> pd.DataFrame:
    """Return one row for each enterprise."""
    total = {name: flow.sum(axis=1) for name, flow in flows.items()}
    # What leaves some vintages and joins another adds up to zero: the tonnes that moved are told.
    total["carried_over_t"] = np.maximum(flows["carried_over_t"], 0.0).sum(axis=1)
    received, surrendered_first = accounts.from_province
    deduction_share = deduction_shares(instance.policy, [instance.policy.year])[0]
    kept = np.where(accounts.usable, flows["closing_t"], 0.0).sum(axis=1)
    columns = {
        "enterprise_id": accounts.enterprises,
        "province": accounts.province,
        "at_risk": accounts.at_risk,
        "units": np.bincount(accounts.owner[instance.in_scope], minlength=len(accounts.enterprises)),
        "emissions_tco2e": accounts.emissions,
        "obligation_t": accounts.obligation,
        **total,
        "offset_t": moved["offset"],
        "shortfall_t": moved["shortfall"],
        "deducted_next_year_t": whole_tonnes(deduction_share * moved["shortfall"]),
        "province_received_t": received,
        "province_surrendered_t": surrendered_first,
        "province_released_t": received - surrendered_first,
        **_costs(instance, moved, total["bought_t"], total["sold_t"]),
        "kept_worth_cny": prices(instance).keep * kept,
    }
    return pd.DataFrame(columns)


def _costs(
    instance: Instance,
    moved: Mapping[str, NDArray[np.float64]],
    bought: NDArray[np.float64],
    sold: NDArray[np.float64],
) -> dict[str, NDArray[np.float64]]:
    """Return the payments of each enterprise, its sales, and its cost: payments less sales [CNY]."""
    price, policy, shortfall = prices(instance), instance.policy, moved["shortfall"]
    money = {
        "purchases_cny": price.market * bought,
        "offsets_cny": price.offset * moved["offset"],
        "sales_cny": price.market * sold,
        "transactions_cny": policy.market.transaction_cost_cny_per_t * (bought + sold),
        "penalty_cny": price.shortfall * shortfall,
        "fixed_fine_cny": fixed_fines(policy, [policy.year])[0] * (shortfall > 0),
    }
    paid = sum(amount for name, amount in money.items() if name != "sales_cny")
    return money | {"cost_cny": paid - money["sales_cny"]}


def _holdings(accounts: Accounts, flows: Mapping[str, NDArray[np.float64]]) -> pd.DataFrame:
    """Return one row for each vintage with a flow or a balance of an enterprise."""
    seen = np.any([flow != 0 for flow in flows.values()], axis=0)
    enterprise, vintage = np.nonzero(seen)
    columns = {"enterprise_id": accounts.enterprises[enterprise], "vintage": accounts.vintages[vintage]}
    columns |= {"usable": accounts.usable[vintage]}
    return pd.DataFrame(columns | {name: flow[seen] for name, flow in flows.items()})


def _shortfalls(instance: Instance, compliance: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each enterprise with a shortfall, the largest first."""
    names = ["enterprise_id", "province", "obligation_t", "shortfall_t", "penalty_cny", "fixed_fine_cny"]
    table = compliance.loc[compliance["shortfall_t"] > 0, [*names, "deducted_next_year_t"]]
    table = table.sort_values("shortfall_t", ascending=False, kind="stable").reset_index(drop=True)
    table.insert(4, "regime", REGIMES[instance.policy.year >= AMENDED_LAW_FROM])
    table.insert(5, "reference_price_cny_per_t", reference_price(instance))
    table.insert(6, "multiple", instance.policy.penalty.multiple)
    return table


def _sectors(instance: Instance, accounts: Accounts, units: pd.DataFrame) -> pd.DataFrame:
    """Return the issue by sector, the units in the scope, and the balance value of the rule."""
    sums = ["emissions_tco2e", "reference_t", "allowance_t", "pre_allocated_t", "top_up_t", "return_t"]
    groups = units.groupby("sector", sort=True)
    table = groups[sums].sum()
    inside = units[instance.in_scope].groupby("sector")["enterprise_id"]
    table.insert(0, "units", inside.size().reindex(table.index, fill_value=0))
    table.insert(0, "enterprises", inside.nunique().reindex(table.index, fill_value=0))
    return table.join(accounts.sectors).reset_index()
