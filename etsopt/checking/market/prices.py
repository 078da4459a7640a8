"""Multipliers as the table states them, and the prices that they prove."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.checking.market import statements as says
from etsopt.checking.market.arcs import Multipliers
from etsopt.checking.market.bound import lower_bound
from etsopt.checking.report import Violation
from etsopt.units import tolerance_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt.checking.market.accounts import Accounts, Terms
    from etsopt.checking.market.baseline import Baseline
    from etsopt.checking.market.choices import Choices
    from etsopt.checking.market.leeway import Leeway

COST = "cost"

CLEARS = 1.01e-7
"""Demand by which the interval of a price is felt out, against emissions, and cost that tells two prices apart."""


def multipliers(
    found: Baseline, own: Accounts, duals: pd.DataFrame, level: str, unit: str
) -> tuple[Multipliers, list[Violation]]:
    """Multipliers of the rows of accounts and market at a level; what is not in the table is zero."""
    table = duals[duals["level"] == level]
    account = pd.Index(own.labels).get_indexer(table["index"].fillna("").astype(object))
    year = pd.Index(found.years.astype(float)).get_indexer(table["year"].to_numpy(dtype=float))
    value, rows = table["multiplier"].to_numpy(dtype=float), table["row"].to_numpy()
    names = list(Multipliers.__dataclass_fields__)
    of_accounts = names[:3]
    of_account = np.isin(rows, of_accounts)
    bad = ~np.isin(rows, names) | (year < 0) | ~np.isfinite(value)
    bad |= np.where(of_account, account < 0, table["index"].fillna("").to_numpy() != "")
    bad |= table.duplicated(["row", "index", "year"]).to_numpy() | (table["unit"] != unit).to_numpy()
    message = f"a multiplier is a number in {unit} of a row of the program, once"
    broken = [Violation("duals", str(row), 1.0, "rows", message) for row in rows[bad]]
    arrays = {}
    for name in names:
        here = (rows == name) & ~bad
        shape = (len(own.labels) if name in of_accounts else 1, len(found.years))
        arrays[name] = np.zeros(shape)
        arrays[name][account[here] if name in of_accounts else 0, year[here]] = value[here]
    return Multipliers(*(arrays[name] if name in of_accounts else arrays[name][0] for name in names)), broken


def interval_is_proven(
    found: Baseline,
    offered: Choices,
    pool: Accounts,
    deal: Terms,
    leeway: Leeway,
    tables: Mapping[str, pd.DataFrame],
    price: NDArray[np.float64],
    bound: float,
) -> list[Violation]:
    """The interval of the price is spanned by prices that are stated, at each of which the market clears.

    It does where the multipliers with this price bound the cost as well as those of the price itself, but for what a
    little demand, `CLEARS` of all emissions, is worth between the two.
    """
    broken, prices, bounds, years = [], [price], [bound], tables["years"]
    levels = [name for name in pd.unique(tables["duals"]["level"]) if str(name).startswith(f"{COST}:")]
    for level in levels:
        end, wrong = multipliers(found, pool, tables["duals"], level, "CNY/t")
        broken += wrong
        prices.append(-end.market_balance / found.discount)
        bounds.append(lower_bound(found, offered, pool, deal, end, leeway))
    demand, best = CLEARS * float(found.emissions.mean(axis=1).sum()), max(bounds)
    for level, at, proven in zip([COST, *levels], prices, bounds, strict=True):
        apart = demand * max(float((found.discount * np.abs(other - at)).sum()) for other in prices)
        # Relaxations are solved to as much of their cost.
        if levels and not best - proven <= apart + tolerance_of(best, "CNY") + CLEARS * abs(best):
            message = "at the price, and at the ends of its interval, the market clears"
            broken.append(Violation("price", str(level), best - proven, "CNY", message))
    nobody = np.array([""], dtype=object)
    ends = {
        "price_lower_cny_per_t": np.min(prices, axis=0)[None],
        "price_upper_cny_per_t": np.max(prices, axis=0)[None],
    }
    return broken + says.columns_follow("years", nobody, found.years, years, ends)
