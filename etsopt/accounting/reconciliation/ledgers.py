"""Statements from further rows of reports and from balances: purchases, stocks, stack monitors, steel and its fuels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.accounting.coded import month_number
from etsopt.accounting.reconciliation.assumptions import figure
from etsopt.accounting.reconciliation.series import HEAT, KEY, MONTHS, median
from etsopt.accounting.reconciliation.statements import Statements
from etsopt.accounting.vocabulary import ENTERPRISE, ITEMS, STATED, STEEL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from etsopt.accounting.reconciliation.series import Series
    from etsopt.accounting.reconciliation.statements import TypicalValues
    from etsopt.accounting.rows import Reports

    Floats = NDArray[np.float64]
    Places = NDArray[np.int64]

CRUDE_STEEL = "crude_steel"


def stated_rates(reports: Reports, series: Series, year: int) -> Floats:
    """Return the relative uncertainty that reports state, weighted by quantity, NaN without one, shape ``(n, 12)``."""
    rows = reports.rows[reports.counted & (reports.rows["flow"] != "test").to_numpy()]
    rows = rows[rows["month"].str.startswith(f"{year:04d}-") & rows["uncertainty_rate"].notna()]
    return _wide(series, rows.assign(value=rows["uncertainty_rate"]), "value", year, rows["quantity"])


def _wide(series: Series, rows: pd.DataFrame, name: str, year: int, weight: pd.Series[float] | None = None) -> Floats:
    """Return a column by series and month: the sum of its rows, or their mean with weights; NaN without rows."""
    place = pd.MultiIndex.from_frame(series.keys[KEY]).get_indexer(pd.MultiIndex.from_frame(rows[KEY]))
    month = np.array([month_number(one) - 12 * year for one in rows["month"]], dtype=np.int64)
    in_year = (place >= 0) & (month >= 0) & (month < MONTHS)
    cell = (place * MONTHS + month)[in_year]
    size = len(series.keys) * MONTHS
    values = rows[name].to_numpy(dtype=float)[in_year]
    # Rows of nothing at all have equal weights.
    weights = np.ones(len(cell)) if weight is None else np.maximum(weight.to_numpy(dtype=float)[in_year], 1e-9)
    total = np.bincount(cell, weights * values, size)
    divisor = np.bincount(cell, weights, size)
    found = np.divide(total, divisor if weight is not None else 1.0, out=np.full(size, np.nan), where=divisor > 0)
    return found.reshape(-1, MONTHS)


def ledgers(reports: Reports, usual: TypicalValues, year: int) -> Iterator[Statements]:
    """Yield the statements of purchases, stocks and monitors of a year."""
    rows = reports.rows[reports.current & reports.rows["flow"].isin(STATED).to_numpy()]
    if len(rows):
        yield _purchases(rows, usual, year)
        yield _monitors(rows, usual, year)


def _purchases(rows: pd.DataFrame, usual: TypicalValues, year: int) -> Statements:
    """Return consumption as purchases less the change of stock; without both stocks, as purchases alone."""
    series = usual.series
    # Consumption enters the boundary: rows of ledgers belong to the series of that flow.
    bought = _wide(series, rows[rows["flow"] == "purchase"].assign(flow="in"), "quantity", year)
    stocks = rows[rows["flow"] == "stock"].assign(flow="in")
    closing, last = (_wide(series, stocks, "quantity", one) for one in (year, year - 1))
    opening = np.concatenate([last[:, -1:], closing[:, :-1]], axis=1)
    is_known = ~np.isnan(opening) & ~np.isnan(closing)
    used = bought + np.where(is_known, opening - closing, 0.0)
    # A false calorific value of the month must not confirm itself: the usual one of the year counts.
    ncv = median(series.ncv)[:, None]
    value = np.maximum(used, 0.0) * np.where(np.isnan(ncv), 1.0, ncv)
    rate = np.where(is_known, figure("purchase"), figure("purchase_alone"))
    rate = np.where(np.isnan(ncv), rate, np.hypot(rate, figure("usual_calorific")))
    has_value = series.exists & ~np.isnan(value)
    return usual.single(
        "purchases", "ledger of purchases and stocks", "purchase", has_value, (value,) * 3, rate * usual.typical
    )


def _monitors(rows: pd.DataFrame, usual: TypicalValues, year: int) -> Statements:
    """Return the carbon dioxide of a unit and month as a stack monitor states it."""
    series = usual.series
    monitored = rows[(rows["flow"] == "monitor") & rows["month"].str.startswith(f"{year:04d}-")]
    total = monitored.groupby(["unit_id", "month"], sort=True)["quantity"].sum().reset_index()
    own = series.keys["unit_id"].to_numpy()
    place, month = np.nonzero(series.exists & (series.carbon_factor != 0))
    names = pd.MultiIndex.from_frame(total[["unit_id"]].assign(month=total["month"].str[5:].astype(int) - 1))
    owner = names.get_indexer(pd.MultiIndex.from_arrays([own[place], month]))
    place, month, owner = place[owner >= 0], month[owner >= 0], owner[owner >= 0]
    factor = series.carbon_factor[place, month]
    # A month without quantities has nothing to compare the monitor with.
    told, first, number = np.unique(owner, return_index=True, return_inverse=True)
    size = np.abs(np.bincount(number, factor * usual.typical[place, month], len(told)))
    value = total["quantity"].to_numpy(dtype=float)[told]
    return Statements.of(
        ("monitor", "stack monitor, [C]", "monitor"),
        (place[first], month[first]),
        (value, value, value),
        figure("monitor") * np.where(size > 0, size, value),
        [(number, place, month, factor)],
    )


def balances(usual: TypicalValues) -> Iterator[Statements]:
    """Yield the balances of steel: no more fuel is used than is bought and made, and the steel that is made leaves.

    A fuel without a row of the enterprise has none: nothing is known of what is bought of it.
    """
    keys = usual.series.keys
    of_steel, outer = keys["sector"] == STEEL, keys["process"] == ENTERPRISE
    leaves = np.where(keys["flow"] == "out", -1.0, 1.0)
    used = np.where(outer, -leaves, leaves) * (keys["unit"] == HEAT)
    yield _balance(usual, of_steel & (keys["unit"] == HEAT), used, ("fuel", "fuel_balance"), exact=False)
    steel = of_steel & (keys["item"] == CRUDE_STEEL) & keys["flow"].isin(("out", "product"))
    yield _balance(usual, steel, np.where(outer, 1.0, -1.0), ("steel", "steel_balance"), exact=True)


def _balance(
    usual: TypicalValues, which: pd.Series[bool], sign: Floats, names: tuple[str, str], exact: bool
) -> Statements:
    """Return a balance for each unit, item and month: zero within a margin, or at most that."""
    series, keys = usual.series, usual.series.keys
    # What of a gas the enterprise makes itself is in the balance of that gas.
    gas = keys["item"].map(lambda item: ITEMS[item].own_of or item)
    item = keys.groupby(["unit_id", gas], sort=False).ngroup().to_numpy()
    place, month = np.nonzero(series.exists & which.to_numpy()[:, None])
    pair = item[place] * MONTHS + month
    count = int(pair.max(initial=-1)) + 1
    outer = (keys["process"] == ENTERPRISE).to_numpy()[place]
    has = [np.bincount(pair[outer == side], minlength=count) > 0 for side in (True, False)]
    kept = (has[0] & has[1])[pair]
    place, month, pair = place[kept], month[kept], pair[kept]
    told, first, owner = np.unique(pair, return_index=True, return_inverse=True)
    used = np.maximum(sign[place], 0.0) * usual.typical[place, month]
    size = np.maximum(np.bincount(owner, used, len(told)), 1.0)
    margin, nothing = figure(names[1]) * size, np.full(len(told), np.nan)
    values = nothing, -margin if exact else nothing, margin
    uncertainty = figure("balance_beyond") * size
    source = "balance of the enterprise, [C]"
    return Statements.of(
        ("balance", source, names[0]),
        (place[first], month[first]),
        values,
        uncertainty,
        [(owner, place, month, sign[place])],
    )
