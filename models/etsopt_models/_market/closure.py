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
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.data.policy.yearly import by_year
from etsopt_models._market.accounts import account_limits, terminal_price_of
from etsopt_models._market.prices import reserve_of
from etsopt_models._tolerances import EMPTY_BANK_SHARE, OUTSTANDING_ROUNDING_T, PRICE_EQUALITY_RELATIVE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._market.baseline import Baseline
    from etsopt_models._market.column_generation import PreparedMarket


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
