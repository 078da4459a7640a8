"""Result tables that prove the cost of a market: multipliers, leaves of integer plans, and uplift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt_models._market.column_generation import unit_prices
from etsopt_models._market.measure_tables import step_column
from etsopt_models._market.measures import OUTPUT_CUT, column
from etsopt_models._tolerances import UPLIFT_MIN_CNY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._market.column_generation import PreparedMarket
    from etsopt_models._market.column_pool import ColumnPool


def stated_of(
    prepared: PreparedMarket, multipliers: Mapping[str, NDArray[np.float64]]
) -> list[tuple[str, str, Mapping[str, NDArray[np.float64]]]]:
    """Return objective, unit and multipliers of the cost, of the ends of price intervals, and of the leaves."""
    stated = [("cost", "CNY", multipliers)]
    stated += [(f"cost:{number}", "CNY", end) for number, end in enumerate(prepared.ends, 2)]
    if prepared.tree is not None:
        units = {"cost": "CNY", "unmet_demand": "t"}
        tree = prepared.tree
        vectors = list(enumerate(tree.vectors))[1:]
        part = LEAF if tree.leaves else TOGETHER
        stated += [(level_of(kind, number, part), units[kind], given) for number, (kind, given) in vectors]
    return stated


def duals_table(
    prepared: PreparedMarket, stated: Sequence[tuple[str, str, Mapping[str, NDArray[np.float64]]]]
) -> pd.DataFrame:
    """Return the multipliers of the rows of accounts and of the market, discounted to the first year."""
    years, labels = prepared.baseline.years, prepared.accounts.labels
    of_account = np.repeat(labels, len(years))
    of_market = np.full(len(years), "", dtype=object)
    columns: dict[str, list[Any]] = {name: [] for name in ("level", "row", "index", "year", "multiplier", "unit")}
    for level, unit, multipliers in stated:
        for row, values in multipliers.items():
            # A price of zero is a price: those of balances are kept, whatever their value.
            kept = (values != 0) | (row in ("account_balance", "market_balance"))
            if row == "one_plan" or not kept.any():
                continue
            owner = of_account if row in OF_ACCOUNTS else of_market
            part = (level, row, owner[kept], np.resize(years, len(kept))[kept], values[kept], f"{unit}/t")
            for name, value in zip(columns, part, strict=True):
                columns[name].append(np.full(kept.sum(), value, dtype=object) if isinstance(value, str) else value)
    return pd.DataFrame({name: np.concatenate(parts) for name, parts in columns.items()})


def uplift_table(
    instance: Instance, prepared: PreparedMarket, pool: ColumnPool, multipliers: Mapping[str, NDArray[np.float64]]
) -> dict[str, pd.DataFrame]:
    """Return the uplift of units that have a better plan at the prices, the largest first [CNY]."""
    if instance.policy.abatement.divisible_measures:
        return {}
    prices = unit_prices(instance, prepared.accounts, multipliers)
    uplift = pool.values(*prices) - pool.plans.best(*prices)[0]
    more = np.flatnonzero(uplift > UPLIFT_MIN_CNY)
    more = more[np.argsort(-uplift[more], kind="stable")]
    names = instance.units["unit_id"].to_numpy(dtype=object)[more]
    return {"uplift": pd.DataFrame({"unit_id": names, "uplift_cny": uplift[more]})}


LEAF, TOGETHER = "leaf", "together"
"""Parts of names of multipliers: one vector proves a leaf, or all of them together prove every choice."""


def level_of(kind: str, vector: int, part: str = LEAF) -> str:
    """Return the name under which multipliers of a proof are stated; the first are those of the prices."""
    return f"{kind}:{part}:{vector}" if vector else kind


def leaves_table(instance: Instance, prepared: PreparedMarket) -> dict[str, pd.DataFrame]:
    """Return the branches of the leaves that prove the cost of integer plans; no table if prices alone prove it."""
    tree = prepared.tree
    if tree is None or not any(leaf.branches for leaf in tree.leaves):
        return {}
    plans, years = (prepared.full_pool or prepared.pool).plans, prepared.baseline.years
    ids = column(instance, "measure_id")
    units, rows = instance.units["unit_id"].to_numpy(dtype=object), []
    for number, leaf in enumerate(tree.leaves, 1):
        level = "" if leaf.vector < 0 else level_of(tree.vectors[leaf.vector][0], leaf.vector)
        for place, (unit, year, measure, runs) in enumerate(leaf.branches, 1):
            row = plans.rows[unit, measure]
            name = OUTPUT_CUT if row < 0 else ids[row]
            rows.append((number, place, level, units[unit], name, row, years[year], int(runs)))
    names = ["leaf", "place", "level", "unit_id", "measure_id", "step", "year", "runs"]
    table = pd.DataFrame(rows, columns=names)
    steps = step_column(instance, table["step"].to_numpy())
    return {"leaves": table.assign(**steps) if steps else table.drop(columns="step")}


OF_ACCOUNTS = ("account_balance", "offset_limit", "newly_owed")
