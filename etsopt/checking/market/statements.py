"""What the tables of a market must satisfy: everything that follows from what is decided is derived again.

Decided are the plans, and in each year what enterprises buy, sell, owe and offset, and what the reserve does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.checking import plan
from etsopt.checking.allocation.totals import distance
from etsopt.checking.report import Violation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt.checking.market.accounts import Accounts, Terms
    from etsopt.checking.market.baseline import Baseline
    from etsopt.checking.market.plans import Amounts
    from etsopt.data.instance import Instance

    Columns = dict[str, NDArray[np.float64]]

RELATIVE = 1e-9
LEAST = {"t": 2e-2, "CNY": 1.0, "CNY/t": 1e-6, "units": 1e-6}
"""A number may differ by 20 kg, by a CNY, or by rounding."""

NO_SHORTFALL_T = 0.5
"""What is owed by rounding alone is no shortfall."""

ABATEMENT = "abatement"
OBTAINED = {True: "stated by the policy", False: "multiplier of the market balance over all plans"}


def unit_of(column: str) -> str:
    """Unit of a column by the end of its name."""
    for end, unit in (("_per_t", "CNY/t"), ("_cny", "CNY"), ("_t", "t"), ("_tco2e", "t")):
        if column.endswith(end):
            return unit
    return "units"


def grid(table: pd.DataFrame, column: str, years: int) -> NDArray[np.float64]:
    """A column of a table with a row for each key and year, shape ``(keys, years)``."""
    values: NDArray[np.float64] = table[column].to_numpy(dtype=float).reshape(-1, years)
    return values


def rows_are_there(
    name: str, table: pd.DataFrame | None, keys: Mapping[str, NDArray[np.object_]], years: NDArray[np.int64]
) -> list[Violation]:
    """The table has a row for every key and year, in their order."""
    count = len(next(iter(keys.values()))) if keys else 1
    wanted = {key: np.repeat(labels, len(years)) for key, labels in keys.items()} | {"year": np.tile(years, count)}
    if table is None:
        return [Violation("tables", name, 1.0, "tables", "the table is there")]
    for column, cells in wanted.items():
        if column not in table or table[column].tolist() != cells.tolist():
            message = f"a row for every {' and '.join(wanted)}, in their order"
            return [Violation("same_rows", f"{name}.{column}", 1.0, "rows", message)]
    return []


def numbers_are_there(name: str, table: pd.DataFrame, columns: list[str]) -> list[Violation]:
    """Columns of numbers are there and hold numbers."""
    message = "the column is there and holds numbers"
    return [
        Violation("tables", f"{name}.{column}", 1.0, "columns", message)
        for column in columns
        if column not in table or (len(table) and not pd.api.types.is_numeric_dtype(table[column]))
    ]


def columns_follow(
    rule: str, labels: NDArray[np.object_], years: NDArray[np.int64], table: pd.DataFrame, expected: Columns
) -> list[Violation]:
    """Every column is what follows from what is decided."""
    found = numbers_are_there(rule, table, list(expected))
    for column, values in () if found else expected.items():
        unit = unit_of(column)
        off = distance(grid(table, column, len(years)), values)
        found += beyond(rule, labels, years, column, off, LEAST[unit] + RELATIVE * np.abs(np.nan_to_num(values)), unit)
    return found


def texts_follow(rule: str, table: pd.DataFrame, column: str, expected: str) -> list[Violation]:
    """A column of texts says the same in every row."""
    if set(table.get(column, [])) == {expected}:
        return []
    return [Violation(rule, column, 1.0, "cells", f"the column says {expected}")]


def beyond(
    rule: str,
    labels: NDArray[np.object_],
    years: NDArray[np.int64],
    what: str,
    by: NDArray[np.float64],
    tolerance: NDArray[np.float64],
    unit: str,
) -> list[Violation]:
    """A violation wherever an amount is beyond its tolerance, or no number."""
    where = np.argwhere(~(by <= tolerance))
    return [Violation(rule, f"{labels[k]} {years[t]}".strip(), float(by[k, t]), unit, what) for k, t in where]


@dataclass(frozen=True)
class Holdings:
    """What enterprises decide, shape ``(enterprises, years)``, and what follows for their stocks [t]."""

    bought: NDArray[np.float64]
    sold: NDArray[np.float64]
    offset: NDArray[np.float64]
    owed: NDArray[np.float64]
    banked: NDArray[np.float64]
    surrendered: NDArray[np.float64]


def holdings(table: pd.DataFrame, own: Accounts, emissions: NDArray[np.float64], free: NDArray[np.float64]) -> Holdings:
    """Read what is decided, and add up what is held."""
    bought, sold, offset, owed = (
        grid(table, name, emissions.shape[1]) for name in ("bought_t", "sold_t", "offset_t", "outstanding_t")
    )
    surrendered = emissions - offset - np.diff(owed, axis=1, prepend=0.0)
    banked = own.opening[:, None] + np.cumsum(free + bought - sold - surrendered, axis=1)
    return Holdings(bought, sold, offset, owed, banked, surrendered)


def enterprise_columns(
    instance: Instance,
    found: Baseline,
    own: Accounts,
    deal: Terms,
    held: Holdings,
    amounts: Amounts,
    price: NDArray[np.float64],
) -> Columns:
    """Columns of ``enterprise_years``."""
    penalty = instance.policy.penalty
    # What is owed in the last year costs the reference price once more, which is no penalty.
    rate = np.where(np.isfinite(deal.owing), deal.owing, 0.0)
    rate[-1] *= penalty.multiple / (penalty.multiple + 1)
    fine = plan.fixed_fines(instance, found.years) * (held.owed > NO_SHORTFALL_T)
    measures, output = own.total(amounts.cost), own.total(found.output)
    costs = {
        "measures_cost_cny": measures,
        "allowances_cost_cny": price * (held.bought - held.sold),
        "transaction_cost_cny": deal.friction * (held.bought + held.sold),
        "offsets_cost_cny": deal.offset_price * held.offset,
        "penalty_cny": rate * held.owed + fine,
    }
    total = sum(costs.values(), np.zeros_like(measures))
    return {
        "emissions_before_tco2e": own.emissions,
        "emissions_tco2e": own.total(amounts.emissions),
        "allowance_t": own.total(amounts.free),
        "banked_before_t": np.column_stack([own.opening, held.banked[:, :-1]]),
        "surrendered_t": held.surrendered,
        "banked_t": held.banked,
        **costs,
        "total_cost_cny": total,
        "cost_cny_per_t": np.divide(total, output, out=np.full_like(total, np.nan), where=output > 0),
    }


def limits_of_accounts(
    found: Baseline, own: Accounts, deal: Terms, held: Holdings, emissions: NDArray[np.float64]
) -> list[Violation]:
    """Nobody deals less than nothing, borrows or offsets more than may be, or owes what is not due."""
    allowed = np.where(np.isfinite(deal.owing), own.so_far, 0.0)
    outside = {
        "not_negative": -least_of(held.bought, held.sold, held.offset, held.owed, held.surrendered),
        "borrowing": -own.borrowed_most - held.banked,
        "offset_limit": held.offset - deal.offset_share * emissions,
        "owed": held.owed - allowed,
    }
    size = LEAST["t"] + RELATIVE * own.emissions
    words = {
        "not_negative": "no amount is negative",
        "borrowing": "no more is borrowed than is issued in advance",
        "offset_limit": "offsets settle no more than their share of the obligation",
        "owed": "no more is owed than was emitted, and nothing without a reference price",
    }
    return [
        violation
        for rule, by in outside.items()
        for violation in beyond(rule, own.labels, found.years, words[rule], by, size, "t")
    ]


def dealings_within_need(found: Baseline, pool: Accounts, held: Holdings) -> list[Violation]:
    """Nobody holds more than he may have been given and may still need, which limits what he buys and sells.

    Where one account stands for all, this holds for all together.
    """
    banked = held.banked
    if len(pool.labels) < len(banked):
        banked = banked.sum(axis=0, keepdims=True)
    size, words = LEAST["t"] + RELATIVE * pool.emissions, "no more is held than is needed later"
    return list(beyond("held", pool.labels, found.years, words, banked - pool.held_most, size, "t"))


def least_of(*amounts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Least of several amounts in each place."""
    least: NDArray[np.float64] = np.stack(amounts).min(axis=0)
    return least


def year_columns(found: Baseline, deal: Terms, enterprises: pd.DataFrame, table: pd.DataFrame, kind: str) -> Columns:
    """Columns of ``years``: sums over the enterprises, and the market's own."""
    names = [name for name in enterprises if name.endswith(("_t", "_tco2e", "_cny")) and not name.endswith("_per_t")]
    columns = {name: grid(enterprises, name, len(found.years)).sum(axis=0, keepdims=True) for name in names}
    if kind == ABATEMENT:
        return columns
    absorbed, released = (grid(table, name, len(found.years)) for name in ("intake_t", "released_t"))
    traded = columns["bought_t"] - columns["sold_t"]
    unsold = (deal.auctioned - deal.demand)[None] - traded - absorbed + released
    return columns | {
        "unsold_t": unsold,
        "auctioned_t": deal.auctioned[None] - unsold,
        "external_demand_t": deal.demand[None],
        "rounding_remainder_t": deal.remainder[None],
        "reserve_t": deal.reserve + np.cumsum(absorbed - released, axis=1),
    }


def limits_of_market(found: Baseline, deal: Terms, table: pd.DataFrame, derived: Columns, kind: str) -> list[Violation]:
    """What auctions, the reserve and offsets on offer allow; the interval of a price holds it.

    Parameters
    ----------
    derived
        Columns that follow from what is decided: these are held to limits as the cells are that state them.
    """
    years, no_label = found.years, np.array([""], dtype=object)

    def cells(name: str) -> NDArray[np.float64]:
        return grid(table, name, len(years))

    size = LEAST["t"] + RELATIVE * found.emissions.sum(axis=0)[None]
    price = cells("price_cny_per_t")
    apart = np.maximum(cells("price_lower_cny_per_t") - price, price - cells("price_upper_cny_per_t"))
    violations = beyond("price", no_label, years, "the interval holds the price", apart, 1e-6 + 0 * price, "CNY/t")
    outside: dict[str, tuple[NDArray[np.float64], str]] = {
        "offsets_on_offer": (cells("offset_t") - deal.offset_supply, "no more offsets than are on offer")
    }
    if kind != ABATEMENT:
        absorbed, released = cells("intake_t"), cells("released_t")
        unsold = np.maximum(derived["unsold_t"], cells("unsold_t"))
        stocks = (derived["unsold_t"], cells("unsold_t"), derived["reserve_t"], cells("reserve_t"))
        least = least_of(absorbed, released, *stocks)
        without = np.where(np.isfinite(deal.ceiling), 0.0, released) + np.where(deal.floor > 0, 0.0, absorbed)
        outside["market_not_negative"] = (-least, "no amount is negative")
        outside["auctions"] = (unsold - deal.auctioned, "no more is left over than was on auction")
        outside["reserve"] = (without, "the reserve sells at a ceiling and buys at a floor alone")
    for rule, (by, message) in outside.items():
        violations += beyond(rule, no_label, years, message, by, size, "t")
    stated = kind == ABATEMENT
    if set(table.get("price_obtained", [])) != {OBTAINED[stated]}:
        violations.append(Violation("price", "price_obtained", 1.0, "cells", "it says how the price was obtained"))
    return violations
