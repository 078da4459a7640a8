r"""Bound of enterprises with accounts of their own over integer plans, which no mixture of plans weakens.

In the master the block is the unit, and an account's rows couple its units. So the relaxation may mix, within an
enterprise, a plan with which it buys and one with which it sells, and save the transaction cost of both. With the
enterprise as the block, the dual of the market's rows alone,

$$D(P, s) = \sum_a v_a(P, s) - \sum_t (P_t N_t - \min(P_t, 0) \, \overline u_t + s_t K_t),$$

excludes such mixtures: $v_a$ is the least cost of an enterprise over integer plans and trades at the prices $P$ and a
scarcity $s$ of offsets (`etsopt_models._enterprises.subproblem`). Any prices bound the cost, also those of the master.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.language import _
from etsopt.data.policy.yearly import by_year
from etsopt_models._enterprises.trading import TradeTerms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._enterprises.subproblem import Response
    from etsopt_models._market.column_generation import Market


def declines(instance: Instance) -> str:
    """Return why enterprises cannot respond to prices separately, as a clause; empty if they can."""
    market = instance.policy.market
    offset_price = np.array(by_year(market.ccer_price_cny_per_t, instance.policy.years, np.inf))
    if instance.policy.abatement.divisible_measures:
        return _("accounts of enterprises need integer plans, and here plans may be mixed")
    collar = market.floor_price_cny_per_t is not None or market.ceiling_price_cny_per_t is not None
    if collar or instance.policy.coverage == "part":
        return _("a reserve trades at a floor or ceiling price, and trading has a cost")
    if (offset_price <= market.transaction_cost_cny_per_t).any():
        return _("an offset costs no more than a transaction")
    return ""


def terms_of(market: Market) -> TradeTerms:
    """Return the terms of trade at price zero."""
    policy, baseline = market.instance.policy.market, market.baseline
    offered = by_year(policy.ccer_supply_t, baseline.years, 0.0)
    price = np.where(offered > 0, by_year(policy.ccer_price_cny_per_t, baseline.years, 0.0), np.inf)
    return TradeTerms(
        np.zeros(len(baseline.years)),
        baseline.discount * policy.transaction_cost_cny_per_t,
        baseline.discount * price,
        policy.ccer_share,
        offered,
        float(baseline.discount[-1] * policy.terminal_price_cny_per_t),
    )


def is_steady(trade: TradeTerms) -> bool:
    """Return True if no account gains by buying only to sell or keep."""
    return bool((trade.least <= trade.most + trade.same).all())


def bound_of(market: Market, trade: TradeTerms, scarcity: NDArray[np.float64], response: Response) -> float:
    """Return the lower bound that the response of all enterprises to some terms proves for integer plans [CNY]."""
    bound = float(response.bound.sum() - scarcity @ market.extra["offset_supply"])
    if "supply" in market.extra:
        bound -= float(trade.price @ market.extra["supply"] - np.minimum(trade.price, 0.0) @ market.extra["auctioned"])
    return bound


def multipliers_of(
    market: Market, trade: TradeTerms, scarcity: NDArray[np.float64], response: Response
) -> dict[str, NDArray[np.float64]]:
    """Return the multipliers by row of the response of all enterprises to some terms, with nothing outstanding."""
    path = response.bound_path
    scarce = np.where(
        trade.offset_share * response.joint_plans.emissions <= trade.offset_supply, trade.saved(path), 0.0
    )
    multipliers = {
        "account_balance": path.ravel(),
        "offset_limit": -scarce.ravel(),
        "newly_owed": np.zeros(0),
        "offsets_on_offer": -scarcity,
    }
    if "supply" in market.extra:
        multipliers |= {"market_balance": -trade.price, "reserve_stock": np.zeros(len(trade.price))}
    return multipliers
