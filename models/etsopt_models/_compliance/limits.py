"""Prices of a compliance year, and limits of purchases, offsets and shortfall of each enterprise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _
from etsopt.common.units import ROUNDING_NOISE_T, format_tonnes, whole_tonnes
from etsopt.data.messages import counted
from etsopt.data.policy.yearly import by_year

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._compliance.accounts import Accounts


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
