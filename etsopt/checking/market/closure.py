r"""Check what sets the prices: derived again from prices, bank, policy and multipliers.

A tonne banked at the end has the reduced cost $\mu_{aT} - \delta_T w$. Up to the least $\mu_{aT} / \delta_T$ of all
accounts that may bank, no reduced cost is negative, so no term of the bound of the cost falls: the multipliers that
bound it at the terminal price of the policy bound it as well at a higher one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.checking.theorem import MARKET
from etsopt.checking.tolerances import EMPTY_BANK_SHARE, OUTSTANDING_ROUNDING_T, PRICE_EQUALITY_RELATIVE
from etsopt.checking.verdict import Violation
from etsopt.common.language import _, chain

if TYPE_CHECKING:
    from etsopt.checking.market.arcs import Multipliers
    from etsopt.checking.market.bound import Bound
    from etsopt.checking.market.derived import Market

CLOSURE = "closure"
UNNAMED = ("abatement", "scarcity")
"""Reasons of a price that no instrument sets."""

COLUMNS = MARKET[CLOSURE]


def closure_follows(
    root: Bound, given: Multipliers, years: pd.DataFrame, table: pd.DataFrame | None
) -> list[Violation]:
    """Check the table ``closure``.

    Parameters
    ----------
    root, given
        Bound at the multipliers of the reported price, and these multipliers.
    years
        The table ``years``, which has been checked.
    """
    if table is None or tuple(table.columns) != COLUMNS or len(table) != len(years):
        columns = chain(COLUMNS, _("{first}, {second}"))
        message = _("the table has a row for every year and the columns {columns}", columns=columns)
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
            one, other = stated.to_numpy(dtype=float), wanted.to_numpy(dtype=float)
            near = np.isclose(one, other, rtol=PRICE_EQUALITY_RELATIVE, atol=0.0, equal_nan=True)
            with np.errstate(invalid="ignore"):
                right = bool((near | (np.abs(one - other) <= PRICE_EQUALITY_RELATIVE)).all())
        if not right:
            message = _("the column follows from prices, bank and policy")
            violations.append(Violation(CLOSURE, column, 1.0, "cells", message))
    return violations


def _up_to(root: Bound, given: Multipliers) -> float:
    """Return the least worth of a tonne in the last year to accounts that may bank, at least the terminal price."""
    market = root.market
    may_bank = (market.accounts.held_most[:, -1] > 0) & market.terms.banks[-1]
    worth = given.account_balance[may_bank, -1] / market.baseline.discount[-1]
    return max(float(worth.min(initial=np.inf)), market.terms.terminal_price)


def _balances_itself(market: Market, row: pd.Series[Any], year: int) -> bool:
    """Return True if allowances equal emissions in a year whatever units do, and nothing comes from outside."""
    baseline, terms = market.baseline, market.terms
    emitted = float(baseline.emissions[:, year].sum())
    of_paid = float(baseline.paid_share[year] * baseline.given[:, year].sum())
    follows = baseline.balances[baseline.emissions[:, year] > 0, year].all()
    supply = max(float(row["banked_before_t"]), abs(float(terms.auctioned[year]) - of_paid))
    return bool(follows) and supply <= EMPTY_BANK_SHARE * emitted and float(terms.demand[year]) == 0


def _expected(root: Bound, years: pd.DataFrame) -> pd.DataFrame:
    """Return the table again, but for its last column."""
    baseline, terms, offered = root.market.baseline, root.market.terms, root.market.offered
    rows: list[tuple[object, ...]] = []
    empty_in, later, spells = np.nan, np.nan, list[list[str]]()
    emitted, has_measures = baseline.emissions.sum(axis=0), bool((offered.code >= 0).any())
    for t in reversed(range(len(years))):
        row = years.iloc[t]
        price, bank = float(row["price_cny_per_t"]), float(row["banked_t"])
        room = PRICE_EQUALITY_RELATIVE * max(abs(price), 1.0) + float(terms.transaction_cost[t])
        is_empty = bank <= EMPTY_BANK_SHARE * emitted[t]
        empty_in = float(row["year"]) if is_empty else empty_in
        if is_empty and _balances_itself(root.market, row, t):
            by = "self-balancing"
        elif t == len(years) - 1 and abs(price - terms.terminal_price) <= room and price > room:
            by = "terminal price"
        elif abs(price) <= room:
            by = "no scarcity"
        elif abs(price - terms.ceiling[t]) <= room:
            by = "outside" if terms.floor[t] == terms.ceiling[t] else "ceiling"
        elif abs(price - terms.floor[t]) <= room:
            by = "floor"
        elif terms.offset_supply[t] > 0 and abs(price - terms.offset_price[t]) <= room:
            by = "offsets"
        elif row["outstanding_t"] > OUTSTANDING_ROUNDING_T:
            by = "penalty"
        else:
            by = "abatement" if has_measures else "scarcity"
        if is_empty or not spells or abs(price - later / baseline.discount[t]) > room:
            spells.append([])
        spells[-1].append(by)
        rows.append((row["year"], price, by, bank, empty_in, terms.terminal_price))
        later = price * float(baseline.discount[t])
    # Years linked by a bank share one discounted price; the latest reason but abatement holds for all of them.
    reasons = [next((by for by in spell if by not in UNNAMED), spell[0]) for spell in spells for _ in spell]
    rows = [(*row[:2], by, *row[3:]) for row, by in zip(rows, reasons, strict=True)]
    return pd.DataFrame(rows[::-1], columns=list(COLUMNS[:-1]))
