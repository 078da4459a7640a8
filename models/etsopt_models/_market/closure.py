r"""What sets the price of each year, and up to which terminal price the prices stay.

With the multipliers $\mu_{aT}$ of `account_balance` in the last year, a tonne banked at the end costs an account
$\mu_{aT}$ and is worth $\delta_T w$ at the terminal price $w$. So up to

$$\overline w = \min_a \mu_{aT} / \delta_T$$

no account gains by banking, and the multipliers bound the cost as well as at $w$: the prices, and with divisible
measures the plans and trades, stay optimal at every terminal price from $w$ to $\overline w$. If $\overline w = w$, a
higher terminal price would be met by a bank at the end. If a bank is left at $w$, the price of the last year is the
terminal price: an assumption, not an answer. Without an account that may bank, as where allowances lapse at the end,
$\overline w$ is infinite.

Years linked by a bank share one discounted price, and what sets it in one of them sets it in all. A year is
self-balancing as a whole if the allowances of every unit follow emissions, nothing comes from outside and no bank
reaches or leaves it: then every price clears from that up at which a bank would be worth its cost, and none is found.

Prices at other terminal prices, where the end of the horizon sets them: none, and the last ceiling price.

If a bank is left at the end, or one would be left at the last ceiling price, the prices of all years linked to it rest
on the terminal price $w$, which is assumed. Nobody pays more than the last ceiling price for an allowance, so the
prices lie between those at $w = 0$ and at that price; without a ceiling the upper end is open. Both ends are programs of
their own: the relaxation over all plans at the balance values of the result. With the prices $p_t(w)$,

$$1 - p_t(0) / p_t(w)$$

is the share of a price that the terminal price explains. Where trading has a cost no end is sought.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.data.policy.yearly import by_year
from etsopt_models._market.accounts import account_limits, market_parameters, reserve_of, terminal_price_of
from etsopt_models._market.column_generation import market_prices
from etsopt_models._market.proof_tables import duals_table, plan_table
from etsopt_models._tolerances import (
    EMPTY_BANK_SHARE,
    OUTSTANDING_ROUNDING_T,
    PRICE_EQUALITY_RELATIVE,
    PRICE_PROOF_RELATIVE,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._market.baseline import Baseline
    from etsopt_models._market.column_generation import OtherEnd, PreparedMarket


def closure_table(
    instance: Instance,
    prepared: PreparedMarket,
    multipliers: Mapping[str, NDArray[np.float64]],
    years: pd.DataFrame,
) -> pd.DataFrame:
    """Return a row for each year: the price, what sets it, the bank, and the terminal prices without effect.

    Parameters
    ----------
    multipliers
        Multipliers by row of the reported prices.
    years
        The table ``years``.
    """
    year = years["year"].to_numpy()
    price, banked = years["price_cny_per_t"].to_numpy(dtype=float), years["banked_t"].to_numpy(dtype=float)
    empty = banked <= EMPTY_BANK_SHARE * prepared.baseline.emissions.sum(axis=0)
    # The first year from each on in which the bank is empty, backwards from none.
    empty_in = np.full(len(year), np.nan)
    for t in reversed(range(len(year))):
        after = empty_in[t + 1] if t + 1 < len(year) else np.nan
        empty_in[t] = year[t] if empty[t] else after
    return pd.DataFrame(
        {
            "year": year,
            "price_cny_per_t": price,
            "set_by": _set_by(instance, prepared, years, ~empty),
            "banked_t": banked + 0.0,
            "bank_empty_in": empty_in,
            "terminal_price_cny_per_t": terminal_price_of(instance, prepared.baseline),
            "unchanged_up_to_cny_per_t": _unchanged_up_to(instance, prepared, multipliers),
        }
    )


def _unchanged_up_to(
    instance: Instance, prepared: PreparedMarket, multipliers: Mapping[str, NDArray[np.float64]]
) -> float:
    """Return the largest terminal price at which the multipliers bound the cost as well [CNY/t]."""
    accounts, baseline = prepared.accounts, prepared.baseline
    balance = multipliers["account_balance"].reshape(accounts.emissions.shape)[:, -1] / baseline.discount[-1]
    holds = (account_limits(accounts)["banked_most"][:, -1] > 0) & baseline.banks[-1]
    least = float(np.min(balance[holds], initial=np.inf))
    return max(least, terminal_price_of(instance, baseline)) + 0.0


def _self_balancing(baseline: Baseline, years: pd.DataFrame, bank: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return True in years in which allowances equal emissions whatever is done, and nothing is left over."""
    emissions = baseline.emissions.sum(axis=0)
    follows = (baseline.balances | (baseline.emissions == 0)).all(axis=0)
    opened = years["banked_before_t"].to_numpy(dtype=float) > EMPTY_BANK_SHARE * emissions
    outside = years["external_demand_t"].to_numpy(dtype=float) != 0
    offered = years["auctioned_t"].to_numpy(dtype=float) + years["unsold_t"].to_numpy(dtype=float)
    # A paid share only moves allowances from the free to the auctioned ones.
    extra = np.abs(offered - baseline.paid_share * baseline.entitlement.sum(axis=0)) > EMPTY_BANK_SHARE * emissions
    alone: NDArray[np.bool_] = follows & ~(opened | bank | outside | extra)
    return alone


def _set_by(
    instance: Instance, prepared: PreparedMarket, years: pd.DataFrame, bank: NDArray[np.bool_]
) -> NDArray[np.object_]:
    """Return what sets the price of each year, in words; years in which a bank is left are linked to the next."""
    market, baseline = instance.policy.market, prepared.baseline
    price = years["price_cny_per_t"].to_numpy(dtype=float)
    # Buyer and seller see prices that differ by the transaction cost from that of the market.
    room = PRICE_EQUALITY_RELATIVE * np.maximum(np.abs(price), 1.0) + market.transaction_cost_cny_per_t

    def is_price(other: NDArray[np.float64]) -> NDArray[np.bool_]:
        with np.errstate(invalid="ignore"):
            near: NDArray[np.bool_] = np.abs(price - other) <= room
        return near

    last = np.arange(len(price)) == len(price) - 1
    floor, ceiling, *_ = reserve_of(instance, baseline)
    on_offer = by_year(market.ccer_supply_t, baseline.years, 0.0) > 0
    cases = {
        "self-balancing": _self_balancing(baseline, years, bank),
        "terminal price": last & is_price(np.full(len(price), terminal_price_of(instance, baseline))) & (price > room),
        "no scarcity": is_price(np.zeros(len(price))),
        "outside": is_price(ceiling) & (floor == ceiling),
        "ceiling": is_price(ceiling),
        "floor": is_price(np.where(floor > 0, floor, np.inf)),
        "offsets": is_price(by_year(market.ccer_price_cny_per_t, baseline.years, np.inf)) & on_offer,
        "penalty": years["outstanding_t"].to_numpy(dtype=float) > OUTSTANDING_ROUNDING_T,
    }
    kinds = (prepared.full_pool or prepared.pool).plans.kinds
    measures = any(kind.row.shape[1] for kind in kinds)
    words = np.array("abatement" if measures else "scarcity", dtype=object)
    by = np.select(list(cases.values()), [np.array(name, dtype=object) for name in cases], words)
    worth = price * baseline.discount
    linked = bank[:-1] & (np.abs(worth[:-1] - worth[1:]) <= room[:-1] * baseline.discount[:-1])
    spell = np.cumsum(np.append(True, ~linked))
    for number in np.unique(spell):
        of_spell = spell == number
        named = by[of_spell & (by != words)]
        # An instrument that meets the last tonne in one of the years sets the price of all of them.
        by[of_spell] = named[-1] if len(named) else words
    return by


OF_RESULT, CERTIFIED, UNPROVEN, NOT_FOUND = "this result", "certified", "not certified", "not found"
"""Status of a terminal price: that of the policy, or one whose program is proven, solved or not solved."""

FLOWS = ("offset_t", "banked_t", "outstanding_t", "unsold_t", "released_t", "intake_t")


def terminal_price_tables(
    instance: Instance, prepared: PreparedMarket, tables: Mapping[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """Return prices and quantities by terminal price and year, with plans and multipliers that prove the other ends.

    Parameters
    ----------
    tables
        Tables of the result; its multipliers are part of those returned.
    """
    ends, at_policy = _ends(instance, prepared, tables["closure"]), terminal_price_of(instance, prepared.baseline)
    if prepared.at_terminal_price is None or not ends:
        return {}
    parts, plans, duals = [], [], [tables["duals"]]
    for number, terminal in enumerate(ends):
        if terminal == at_policy:
            columns = ["year", "price_cny_per_t", "emissions_tco2e", *FLOWS]
            parts.append(tables["years"][columns].assign(terminal_price_cny_per_t=terminal, status=OF_RESULT))
            continue
        end = prepared.at_terminal_price(terminal)
        parts.append(_rows(instance, prepared, end).assign(terminal_price_cny_per_t=terminal))
        if end is not None:
            plans.append(plan_table(instance, end.pool, end.share).assign(terminal_price_cny_per_t=terminal))
            duals.append(duals_table(prepared, [(f"cost:terminal:{number}", "CNY", end.multipliers)]))
    table = pd.concat(parts, ignore_index=True)
    price = table["price_cny_per_t"].to_numpy(dtype=float).reshape(len(ends), -1)
    with np.errstate(divide="ignore", invalid="ignore"):
        table["explained_share"] = np.where(price <= 0, 0.0, 1 - price[0] / price).ravel()
    first = ["terminal_price_cny_per_t", "year", "status", "price_cny_per_t", "explained_share", "emissions_tco2e"]
    stated = {"terminal_plans": pd.concat(plans, ignore_index=True)} if plans else {}
    return {"terminal_prices": table[[*first, *FLOWS]], **stated, "duals": pd.concat(duals, ignore_index=True)}


def _ends(instance: Instance, prepared: PreparedMarket, closure: pd.DataFrame) -> list[float]:
    """Return the terminal prices in ascending order, that of the policy included; none where the end has no effect."""
    last, highest = closure.iloc[-1], float(reserve_of(instance, prepared.baseline).ceiling[-1])
    is_left = last["bank_empty_in"] != last["year"]
    reaches = last["unchanged_up_to_cny_per_t"]
    if last["set_by"] == "self-balancing" or reaches == np.inf or not (is_left or reaches < highest):
        return []
    at_policy = float(last["terminal_price_cny_per_t"])
    ends = sorted({0.0, at_policy, *([highest] if highest < np.inf else [])})
    return ends if len(ends) > 1 else []


def _rows(instance: Instance, prepared: PreparedMarket, end: OtherEnd | None) -> pd.DataFrame:
    """Return a row for each year of an end: status, price, emissions and flows."""
    baseline = prepared.baseline
    if end is None:
        table = pd.DataFrame({"year": baseline.years, "status": NOT_FOUND})
        return table.assign(**dict.fromkeys(("price_cny_per_t", "emissions_tco2e", *FLOWS), np.nan))
    emissions, free = (
        (end.share[:, None] * part).sum(axis=0)
        for part in (end.pool.quantities.emissions, end.pool.quantities.allowance)
    )
    flows = {name: np.maximum(end.flows[name], 0.0) for name in ("offset", "unsold", "released", "intake")}
    outstanding = np.maximum(end.flows["outstanding"], 0.0)
    surrendered = emissions - flows["offset"] - np.diff(outstanding)
    bought = market_parameters(instance, baseline)["supply"] + flows["released"] - flows["intake"] - flows["unsold"]
    size = abs(float(end.pool.cost @ end.share))
    size += float(baseline.emissions.mean(axis=1).sum() * np.abs(end.multipliers["market_balance"]).sum())
    return pd.DataFrame(
        {
            "year": baseline.years,
            "status": CERTIFIED if end.gap <= PRICE_PROOF_RELATIVE * size else UNPROVEN,
            "price_cny_per_t": market_prices(baseline, end.multipliers),
            "emissions_tco2e": emissions,
            "offset_t": flows["offset"],
            "banked_t": prepared.accounts.opening.sum() + np.cumsum(free + bought - surrendered),
            "outstanding_t": outstanding[1:],
            "unsold_t": flows["unsold"],
            "released_t": flows["released"],
            "intake_t": flows["intake"],
        }
    )
