"""A market of two years with everything that a policy may offer."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

import etsopt
from tests import markets


def a_market(market: Mapping[str, float] | None = None) -> etsopt.Instance:
    """Two years with everything on offer, accounts that hold something, and prices with an interval."""
    stated = {
        "external_demand_t": 3_000.0,
        "terminal_price_cny_per_t": 50.0,
        "floor_price_cny_per_t": 1.0,
        "ceiling_price_cny_per_t": 900.0,
        "reserve_t": 1_000.0,
        "ccer_price_cny_per_t": 30.0,
        "ccer_supply_t": 500.0,
        **(market or {}),
    }
    drawn = markets.random_market(7, 2, market=stated)
    held = {"opening_2024_t": 500.0, "opening_2025_t": 200.0, "net_sales_t": 10.0, "x_note": "seen"}
    enterprises = pd.DataFrame({"enterprise_id": sorted(set(drawn.units["enterprise_id"]))}).assign(**held)
    policy = drawn.policy.model_dump(mode="json", exclude_none=True)
    return etsopt.Instance.from_frames(drawn.units, policy, enterprises, drawn.measures, drawn.forecast)
