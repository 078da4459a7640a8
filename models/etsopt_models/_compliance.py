"""Accounts of a compliance year, their limits, and its result tables.

Accounts of enterprises before a compliance year, in whole tonnes: obligation, holdings, carry-over and issue.

Prices of a compliance year, and limits of purchases, offsets and shortfall of each enterprise.

Result tables of a compliance year, in whole tonnes, from surrenders, sales, purchases and shortfalls.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _
from etsopt.common.units import ROUNDING_NOISE_T, format_tonnes, nearest_tonnes, whole_tonnes
from etsopt.data.messages import counted
from etsopt.data.policy.yearly import by_year
from etsopt.rules import carried_over, deduction_shares, fixed_fines, issuance, reference_allowances
from etsopt_models._market.holdings import LASTING_FROM, enterprise_column, vintages_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance


@dataclass(frozen=True)
class Accounts:
    """Accounts before the compliance year: ``f`` enterprises in the order of their id, ``v`` vintages, oldest first.

    Parameters
    ----------
    enterprises, province
        Identifiers, and the province of the seat, else that of the unit with the most emissions, shape ``(f,)``.
    owner
        Position of the enterprise of each unit, shape ``(units,)``.
    units
        A row for each unit: allowances of the rule, pre-allocation, top-up and return [t].
    sectors
        Results of the rule by sector, such as its balance value.
    vintages, usable
        Calendar years, and True for those that may be surrendered for the year, shape ``(v,)``.
    newest
        Position of the vintage that is issued for the year.
    opening, converted, issued, cancelled
        Shape ``(f, v)`` [t]. A carry-over is negative if allowances leave a vintage; cancelled tonnes are the returned
        part of the pre-allocation, and the deduction for earlier shortfalls.
    emissions, outstanding, obligation
        Verified emissions [tCO2e]; obligations of earlier years, and these with the emissions of each unit to the nearest
        tonne [t]; shape ``(f,)``.
    at_risk
        True if the allowances go to the account of the province first, shape ``(f,)``.
    """

    enterprises: NDArray[np.object_]
    province: NDArray[np.object_]
    owner: NDArray[np.int64]
    units: pd.DataFrame
    sectors: pd.DataFrame
    vintages: NDArray[np.int64]
    usable: NDArray[np.bool_]
    newest: int
    opening: NDArray[np.float64]
    converted: NDArray[np.float64]
    issued: NDArray[np.float64]
    cancelled: NDArray[np.float64]
    emissions: NDArray[np.float64]
    outstanding: NDArray[np.float64]
    obligation: NDArray[np.float64]
    at_risk: NDArray[np.bool_]

    @property
    def held(self) -> NDArray[np.float64]:
        """Holdings before any trade, shape ``(f, v)`` [t]."""
        return self.opening + self.converted + self.issued - self.cancelled

    @property
    def available(self) -> NDArray[np.float64]:
        """Holdings that may be surrendered for the year, sold or kept, shape ``(f, v)`` [t]."""
        return np.where(self.usable, self.held, 0.0)

    @property
    def from_province(self) -> NDArray[np.float64]:
        """Tonnes that the account of the province receives and surrenders first, shape ``(2, f)`` [t]."""
        received = np.where(self.at_risk, (self.issued - self.cancelled)[:, self.newest], 0.0)
        return np.stack([received, np.minimum(received, self.obligation)])


def accounts_of(instance: Instance) -> Accounts:
    """Return the accounts of all enterprises that own a unit, also outside the scope, or hold allowances."""
    units, year = instance.units, instance.policy.year
    names = set(units["enterprise_id"])
    if instance.enterprises is not None:
        names |= set(instance.enterprises["enterprise_id"])
    enterprises = np.array(sorted(names), dtype=object)
    owner = np.searchsorted(enterprises, units["enterprise_id"].to_numpy(dtype=object))
    vintages = vintages_of(instance)
    newest = int(np.searchsorted(vintages, year))
    opening = np.stack(
        [enterprise_column(instance, enterprises, f"opening_{vintage}_t") for vintage in vintages], axis=1
    )
    opening = whole_tonnes(opening)
    net_sales = enterprise_column(instance, enterprises, "net_sales_t")
    old = np.where(vintages < LASTING_FROM, opening, 0.0)
    total = carried_over(instance, enterprises, old.sum(axis=1), net_sales)
    given, sectors = _issue(instance)
    issued, cancelled = np.zeros_like(opening), np.zeros_like(opening)
    gross = (given["pre_allocated_t"] + given["top_up_t"]).to_numpy()
    issued[:, newest] = np.bincount(owner, gross, len(enterprises))
    cancelled[:, newest] = np.bincount(owner, given["return_t"].to_numpy(), len(enterprises))
    # What exceeds the allowances of the year is deducted in a later one.
    deduction = whole_tonnes(enterprise_column(instance, enterprises, "deduction_t"))
    cancelled[:, newest] += np.minimum(deduction, (issued - cancelled)[:, newest])
    emissions, owed = (
        np.bincount(owner, tonnes, len(enterprises)).astype(float)
        for tonnes in (instance.emissions_tco2e, nearest_tonnes(instance.emissions_tco2e))
    )
    outstanding = whole_tonnes(enterprise_column(instance, enterprises, "outstanding_t"))
    return Accounts(
        enterprises=enterprises,
        province=_provinces(instance, enterprises, owner),
        owner=owner,
        units=given,
        sectors=sectors,
        vintages=vintages,
        usable=vintages >= LASTING_FROM if year >= LASTING_FROM else vintages <= year,
        newest=newest,
        opening=opening,
        converted=_converted(old, vintages, total),
        issued=issued,
        cancelled=cancelled,
        emissions=emissions,
        outstanding=outstanding,
        obligation=owed + outstanding,
        at_risk=_at_risk(instance, enterprises, owner),
    )


def _issue(instance: Instance) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the issue to each unit for the year: the only source of a compliance year's allowances."""
    reference = reference_allowances(instance)
    paid = by_year(instance.policy.market.paid_share, [instance.policy.year], 0.0)[0]
    allowance = whole_tonnes((1 - paid) * reference.reference_t)
    table = instance.units[["unit_id", "enterprise_id", "sector", "province"]].copy()
    table["emissions_tco2e"] = instance.emissions_tco2e
    if not instance.in_scope.all():
        table["in_scope"] = instance.in_scope
    table["reference_t"], table["allowance_t"] = reference.reference_t, allowance
    advance = whole_tonnes(issuance(instance, allowance)["pre_allocated_t"].to_numpy())
    table["pre_allocated_t"] = advance
    table["top_up_t"] = np.maximum(allowance - advance, 0.0)
    table["return_t"] = np.maximum(advance - allowance, 0.0)
    return table, reference.sectors


def _converted(
    old: NDArray[np.float64], vintages: NDArray[np.int64], total: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the carry-over of vintages 2019-2024 into 2025, oldest first, shape ``(f, v)`` [t]."""
    older = old.cumsum(axis=1) - old
    moved: NDArray[np.float64] = -np.clip(total[:, None] - older, 0.0, old)
    moved[:, vintages == LASTING_FROM] = total[:, None]
    return moved


def _provinces(instance: Instance, enterprises: NDArray[np.object_], owner: NDArray[np.int64]) -> NDArray[np.object_]:
    """Return the province of each enterprise; empty if it is unknown."""
    province = np.full(len(enterprises), "", dtype=object)
    # Written from the least emissions to the most; among equal ones the first unit is kept.
    order = np.lexsort((-np.arange(len(owner)), instance.emissions_tco2e))
    province[owner[order]] = instance.units["province"].to_numpy(dtype=object)[order]
    table = instance.enterprises
    if table is not None and "province" in table:
        seat = table.set_index("enterprise_id")["province"].reindex(enterprises).fillna("").to_numpy(dtype=object)
        province = np.where(seat == "", province, seat)
    return province


def _at_risk(instance: Instance, enterprises: NDArray[np.object_], owner: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return True for enterprises with a closed unit, and for those that the policy names."""
    risky = np.isin(enterprises, instance.policy.compliance.at_risk)
    if "special_case" in instance.units:
        risky[owner[(instance.units["special_case"] == "closed").to_numpy()]] = True
    return risky


@dataclass(frozen=True)
class Prices:
    """Costs of compliance per tonne, and the worth of an allowance sold or kept [CNY/t].

    ``market`` is the price itself, ``buy`` and ``sell`` the price plus and minus the transaction cost. ``shortfall`` is
    zero if no reference price is stated.
    """

    market: float
    buy: float
    sell: float
    keep: float
    offset: float
    shortfall: float


@dataclass(frozen=True)
class Limits:
    """Limits of purchases, offsets and shortfall, shape ``(f,)`` each [t]."""

    bought: NDArray[np.float64]
    offset: NDArray[np.float64]
    shortfall: NDArray[np.float64]


def prices(instance: Instance) -> Prices:
    """Return the prices of the compliance year.

    Raises
    ------
    DataError
        If the policy states no market price, or no price of offsets that are on offer.
    """
    policy = instance.policy
    market, year = policy.market, policy.year
    price, offset = (by_year(value, [year])[0] for value in (market.prices_cny_per_t, market.ccer_price_cny_per_t))
    problems = []
    if np.isnan(price):
        what = _("states no price of {year}, at which enterprises buy and sell", year=year)
        advice = _("State it, such as 80 [CNY/t]: --set market.prices_cny_per_t.{year}=80.", year=year)
        problems.append(Problem("policy.toml", what, advice, "market.prices_cny_per_t"))
    if np.isnan(offset) and by_year(market.ccer_supply_t, [year], 0.0)[0] > 0:
        what = _("states no price of {year}, though market.ccer_supply_t states a supply", year=year)
        problems.append(Problem("policy.toml", what, _("State it, such as 70 [CNY/t]."), "market.ccer_price_cny_per_t"))
    if problems:
        raise DataError(_("The policy"), problems)
    last = max(policy.years)
    keep = market.terminal_price_cny_per_t
    if year < last:
        keep = by_year(market.prices_cny_per_t, [year + 1])[0] / (1 + policy.horizon.discount_rate)
    return Prices(
        market=float(price),
        buy=float(price + market.transaction_cost_cny_per_t),
        sell=float(price - market.transaction_cost_cny_per_t),
        keep=float(keep),
        offset=float(np.nan_to_num(offset)),
        shortfall=float(np.nan_to_num(policy.penalty.multiple * reference_price(instance))),
    )


def reference_price(instance: Instance) -> float:
    """Return the average price of the month before the deadline [CNY/t]; NaN if the policy states none."""
    return float(by_year(instance.policy.penalty.reference_price_cny_per_t, [instance.policy.year])[0])


def limits_of(instance: Instance, accounts: Accounts) -> Limits:
    """Return the limits of each enterprise.

    Raises
    ------
    DataError
        If an enterprise must have a shortfall, and the policy states no reference price for the fine.
    """
    policy, obligation = instance.policy, accounts.obligation
    supply = by_year(policy.market.ccer_supply_t, [policy.year], 0.0)[0]
    # Obligations of earlier years had their offsets then.
    of_year = obligation - accounts.outstanding
    share = whole_tonnes(policy.market.ccer_share * of_year)
    offset = np.minimum(share, shared_supply(supply, of_year))
    without_purchases, speculates = (
        np.isin(accounts.enterprises, named)
        for named in (policy.compliance.without_purchases, policy.compliance.speculating)
    )
    needed = np.maximum(obligation - accounts.available.sum(axis=1), 0.0)
    bought = np.where(speculates, obligation, needed) * ~without_purchases
    beyond = np.maximum(needed - offset, 0.0)
    unmet = np.maximum(beyond - bought, 0.0)
    known = not np.isnan(reference_price(instance))
    if unmet.any() and not known:
        count = counted(
            int((unmet > 0).sum()), _("enterprise that does not buy falls"), _("enterprises that do not buy fall")
        )
        what = _(
            "states no price of {year}, but {count} short by {tonnes} t",
            year=policy.year,
            count=count,
            tonnes=format_tonnes(unmet.sum()),
        )
        advice = _("State the average price of the month before the deadline: the fine is a multiple of it.")
        raise DataError(_("The policy"), [Problem("policy.toml", what, advice, "penalty.reference_price_cny_per_t")])
    return Limits(bought, offset, beyond if known else 0.0 * beyond)


def shared_supply(supply_t: float, obligation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share a supply by obligation, rounded down to whole tonnes, shape ``(f,)`` [t].

    >>> shared_supply(10.0, np.array([100.0, 50.0, 0.0]))
    array([6., 3., 0.])
    """
    total = float(obligation.sum())
    return whole_tonnes(supply_t * (obligation / total)) if total > ROUNDING_NOISE_T else 0.0 * obligation


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
