"""Prices of a result, and what leaves a market without one: balance values that do not repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.common.units import tolerance_of

if TYPE_CHECKING:
    from collections.abc import Mapping

STATED = "stated by the policy"
"""How a price that is no answer was obtained."""

FAR = 10.0
"""Tolerances beyond which a residual is more than the rounding of a certified market."""

NAMES = {
    "price_cny_per_t": "price",
    "price_lower_cny_per_t": "lower",
    "price_upper_cny_per_t": "upper",
    "price_unit": "unit",
    "price_obtained": "obtained",
}


def prices_of(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the prices of a market that has some, else shadow prices: see `etsopt.Results.prices`."""
    if "years" in tables:
        wanted, years = ["year", *NAMES.values()], tables["years"].rename(columns=NAMES)
        if not set(wanted) <= set(years) or not has_price(tables):
            return pd.DataFrame(columns=wanted)
        return years[wanted]
    empty = pd.DataFrame(columns=["level", "row", "index", "multiplier", "unit"])
    duals = tables.get("duals", empty)
    # A table without these columns, such as a damaged one, states no prices.
    duals = duals if {"level", "row"} <= set(duals) else empty
    rows = ("sector_target", "province_balance", "national_total")
    # Further proofs of an objective, which have a number, are not prices.
    stated = duals["row"].isin(rows) & ~duals["level"].astype(str).str.contains(":", regex=False)
    return duals[stated].rename(columns={"multiplier": "price"}).reset_index(drop=True)


def has_price(tables: Mapping[str, pd.DataFrame]) -> bool:
    """Return False if a market's price would be another at other balance values, which do not repeat."""
    years = tables["years"]
    return open_balance(tables) is None or bool(years["price_obtained"].eq(STATED).all())


def open_balance(tables: Mapping[str, pd.DataFrame]) -> dict[str, Any] | None:
    """Return the sector and year that is farthest from its balance value, None if all repeat or there is no such year.

    Its ``residual_t`` is allowances less emissions, its ``moved_t`` what is emitted above or below the emissions by
    which paid allowances are offered [t].
    """
    table = tables.get("balance_values")
    held = ("residual_t", "emissions_tco2e", "emissions_held_tco2e")
    if table is None or not len(table) or not set(held) <= set(table):
        return None
    residual, emissions, offered = (table[name].to_numpy(dtype=float) for name in held)
    moved = np.abs(emissions - offered)
    off = np.nan_to_num(np.maximum(np.abs(residual), moved))
    row = int(off.argmax())
    if off[row] <= FAR * tolerance_of(emissions[row], "t"):
        return None
    return {**table.iloc[row].to_dict(), "moved_t": float(moved[row])}
