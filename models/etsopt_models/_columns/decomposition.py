"""Decomposition of markets of very many units: one account for all if trading is free, else one per enterprise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt_models._columns import enterprise_decomposition
from etsopt_models._columns.whole_plans import prepare_market
from etsopt_models._enterprises import whole_accounts

if TYPE_CHECKING:
    from etsopt.data.instance import Instance
    from etsopt_models._market.column_generation import Market, PreparedMarket


def declines(instance: Instance) -> str:
    """Return why decomposition does not support an instance, as a clause; empty if it does."""
    return whole_accounts.declines(instance) if instance.policy.market.transaction_cost_cny_per_t > 0 else ""


def prepare_by_prices(market: Market) -> PreparedMarket:
    """Return the market of all units with a small program of the model's formulation."""
    if market.instance.policy.market.transaction_cost_cny_per_t > 0:
        return enterprise_decomposition.prepare_by_enterprise(market)
    return prepare_market(market)
