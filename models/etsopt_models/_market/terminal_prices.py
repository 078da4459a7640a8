r"""Prices at other terminal prices, where the end of the horizon sets them: none, and the last ceiling price.

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

from etsopt_models._market.accounts import market_parameters, terminal_price_of
from etsopt_models._market.column_generation import market_prices
from etsopt_models._market.measure_tables import plan_table
from etsopt_models._market.prices import reserve_of
from etsopt_models._market.proof_tables import duals_table
from etsopt_models._tolerances import PRICE_PROOF_RELATIVE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etsopt.data.instance import Instance
    from etsopt_models._market.column_generation import OtherEnd, PreparedMarket

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
