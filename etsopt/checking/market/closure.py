"""Check what sets the prices: derived again from prices, bank and policy, and proven by the bound of the cost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.checking.market.bound import Bound
from etsopt.checking.market.prices import CLEARS
from etsopt.checking.report import Violation
from etsopt.units import tolerance_of

if TYPE_CHECKING:
    from etsopt.checking.market.arcs import Multipliers

CLOSURE = "closure"
EQUAL, EMPTY, OUTSTANDING_T = 1e-6, 1e-6, 0.5
"""Relative difference of equal prices, share of emissions of an empty bank, and outstanding tonnes that count."""

COLUMNS = (
    *("year", "price_cny_per_t", "set_by", "banked_t", "bank_empty_in"),
    *("terminal_price_cny_per_t", "unchanged_up_to_cny_per_t"),
)


def closure_follows(
    root: Bound, given: Multipliers, years: pd.DataFrame, table: pd.DataFrame | None, relaxed: float
) -> list[Violation]:
    """Check the table ``closure``; a run from before it has none.

    Parameters
    ----------
    root, given, relaxed
        Bound at the multipliers of the reported price, these multipliers, and its value [CNY].
    years
        The table ``years``, which has been checked.
    """
    if table is None:
        return []
    if tuple(table.columns) != COLUMNS or len(table) != len(years):
        message = f"the table has a row for every year and the columns {', '.join(COLUMNS)}"
        return [Violation(CLOSURE, "", 1.0, "tables", message)]
    up_to = _up_to(root, given)
    expected = _expected(root, years).assign(unchanged_up_to_cny_per_t=up_to)
    violations = []
    for column in COLUMNS:
        stated, wanted = table[column], expected[column]
        if column == "set_by":
            right = (stated.astype(str).to_numpy() == wanted.to_numpy()).all()
        elif not pd.api.types.is_numeric_dtype(stated):
            right = False
        else:
            size = EQUAL * np.maximum(np.abs(wanted.to_numpy(dtype=float)), 1.0)
            off = np.abs(stated.to_numpy(dtype=float) - wanted.to_numpy(dtype=float))
            right = bool(((off <= size) | (stated.isna() & wanted.isna()).to_numpy()).all())
        if not right:
            message = "the column follows from prices, bank and policy"
            violations.append(Violation(CLOSURE, column, 1.0, "cells", message))
    # A larger worth of the bank at the end leaves the bound of the cost where it was.
    market, apart = root.market, up_to - root.market.terms.terminal_price
    higher = replace(market, terms=replace(market.terms, terminal_price=up_to))
    proven = Bound(higher, given, root.leeway).of_all()
    missed = market.baseline.discount[-1] * apart * float(root.leeway.banked[:, -1].sum())
    if not relaxed - proven <= 2 * missed + tolerance_of(relaxed, "CNY") + CLEARS * abs(relaxed):
        message = f"the prices stay up to a terminal price of {up_to:.6g} CNY/t"
        violations.append(Violation(CLOSURE, "unchanged_up_to_cny_per_t", relaxed - proven, "CNY", message))
    return violations


def _up_to(root: Bound, given: Multipliers) -> float:
    """Return the least worth of a tonne in the last year to accounts that may bank, at least the terminal price."""
    market = root.market
    may_bank = market.accounts.held_most[:, -1] > 0
    worth = given.account_balance[may_bank, -1] / market.baseline.discount[-1]
    return max(float(worth.min()), market.terms.terminal_price) if len(worth) else market.terms.terminal_price


def _expected(root: Bound, years: pd.DataFrame) -> pd.DataFrame:
    """Return the table again, but for its last column."""
    baseline, terms = root.market.baseline, root.market.terms
    rows, empty_in = [], np.nan
    at_the_end = True
    emitted = baseline.emissions.sum(axis=0)
    for t in reversed(range(len(years))):
        row = years.iloc[t]
        price, bank = float(row["price_cny_per_t"]), float(row["banked_t"])
        worth = terms.terminal_price * float(baseline.discount[-1] / baseline.discount[t])
        same = EQUAL * max(abs(price), 1.0)
        at_the_end = at_the_end and abs(price - worth) <= same
        if bank <= EMPTY * emitted[t]:
            empty_in = float(row["year"])
        if at_the_end and worth > 0:
            by = "terminal price"
        elif abs(price) <= same:
            by = "no scarcity"
        elif abs(price - terms.ceiling[t]) <= same:
            by = "ceiling"
        elif terms.floor[t] > 0 and abs(price - terms.floor[t]) <= same:
            by = "floor"
        elif terms.offset_supply[t] > 0 and abs(price - terms.offset_price[t]) <= same:
            by = "offsets"
        else:
            by = "penalty" if row["outstanding_t"] > OUTSTANDING_T else "abatement"
        rows.append((row["year"], price, by, bank, empty_in, terms.terminal_price))
    return pd.DataFrame(rows[::-1], columns=list(COLUMNS[:-1]))
