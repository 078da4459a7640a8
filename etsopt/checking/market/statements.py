"""Check the tables of a market: everything that follows from the decisions is derived again.

Decisions are the plans, and in each year purchases, sales, outstanding obligations, offsets and the reserve's trades.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from etsopt.checking.cells import distance
from etsopt.checking.readings import plan
from etsopt.checking.tolerances import CELL_TOLERANCE, NUMBER_RELATIVE, OUTSTANDING_ROUNDING_T
from etsopt.checking.verdict import Violation
from etsopt.common.language import _
from etsopt.data.tables.schema import USER_COLUMN_PREFIX

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.checking.arrays import Floats, Ints, Mask
    from etsopt.checking.market.accounts import Accounts, TradeTerms
    from etsopt.checking.market.derived import Market
    from etsopt.checking.market.plans import Amounts, SelectedPlans
    from etsopt.checking.readings.baseline import Baseline
    from etsopt.checking.readings.instance_inputs import InstanceInputs

    Columns = dict[str, Floats]

ABATEMENT = "abatement"
OBTAINED = {True: _("stated by the policy"), False: _("multiplier of the market balance over all plans")}


def unit_of(column: str) -> str:
    """Return the unit of a column by the end of its name."""
    for end, unit in (("_per_t", "CNY/t"), ("_cny", "CNY"), ("_t", "t"), ("_tco2e", "t")):
        if column.endswith(end):
            return unit
    return "units"


def grid(table: pd.DataFrame, column: str, years: int) -> Floats:
    """Return a column of a table with a row for each key and year, shape ``(keys, years)``."""
    return np.asarray(table[column].to_numpy(dtype=float).reshape(-1, years))


def numbers_are_there(name: str, table: pd.DataFrame, columns: list[str]) -> list[Violation]:
    """Check that columns of numbers are present and numeric."""
    message = _("the column is present and holds numbers")
    return [
        Violation("tables", f"{name}.{column}", 1.0, "columns", message)
        for column in columns
        if column not in table or (len(table) and not pd.api.types.is_numeric_dtype(table[column]))
    ]


def columns_follow(
    rule: str, labels: NDArray[np.object_], years: Ints, table: pd.DataFrame, expected: Columns
) -> list[Violation]:
    """Check that every column follows from the decisions."""
    violations = numbers_are_there(rule, table, list(expected))
    for column, values in () if violations else expected.items():
        unit = unit_of(column)
        off = distance(grid(table, column, len(years)), values)
        violations += violations_above(
            rule,
            labels,
            years,
            column,
            off,
            CELL_TOLERANCE[unit] + NUMBER_RELATIVE * np.abs(np.nan_to_num(values)),
            unit,
        )
    return violations


def texts_follow(rule: str, table: pd.DataFrame, column: str, expected: str) -> list[Violation]:
    """Check that a column of strings holds the expected one in every row."""
    if set(table.get(column, [])) == {expected}:
        return []
    return [Violation(rule, column, 1.0, "cells", _("the column holds {expected}", expected=expected))]


def violations_above(
    rule: str, labels: NDArray[np.object_], years: Ints, message: str, by: Floats, tolerance: Floats, unit: str
) -> list[Violation]:
    """Return a violation for every amount above its tolerance or NaN."""
    where = np.argwhere(~(by <= tolerance))
    return [Violation(rule, f"{labels[k]} {years[t]}".strip(), float(by[k, t]), unit, message) for k, t in where]


@dataclass(frozen=True)
class Holdings:
    """Decisions of enterprises, shape ``(enterprises, years)``, and the holdings left in each year that follow [t]."""

    bought: Floats
    sold: Floats
    offset: Floats
    outstanding: Floats
    banked: Floats
    surrendered: Floats


class Answer(NamedTuple):
    """Decisions of a market: plans, holdings and prices [CNY/t], and what plans give to units."""

    taken: SelectedPlans
    units: Amounts
    of_plans: Amounts
    holdings: Holdings
    price: Floats


def read_holdings(table: pd.DataFrame, accounts: Accounts, emissions: Floats, free: Floats, banks: Mask) -> Holdings:
    """Read the decisions, and compute surrender and what is left in each year, whether it is banked or lapses."""
    bought, sold, offset, outstanding = (
        grid(table, name, emissions.shape[1]) for name in ("bought_t", "sold_t", "offset_t", "outstanding_t")
    )
    surrendered = emissions - offset - np.diff(outstanding, axis=1, prepend=0.0)
    gained = free + bought - sold - surrendered
    left = accounts.opening[:, None] + np.cumsum(gained, axis=1)
    for year in np.flatnonzero(~banks[:-1]).tolist():
        # From a year on into which nothing comes, holdings are counted from nothing.
        left[:, year + 1 :] = np.cumsum(gained[:, year + 1 :], axis=1)
    return Holdings(bought, sold, offset, outstanding, left, surrendered)


def enterprise_columns(
    instance: InstanceInputs, market: Market, holdings: Holdings, amounts: Amounts, price: Floats
) -> Columns:
    """Return the columns of ``enterprise_years``."""
    baseline, accounts, terms = market.baseline, market.accounts, market.terms
    penalty = instance.policy.penalty
    # Outstanding obligations of the last year cost the reference price once more, which is no penalty.
    rate = np.where(np.isfinite(terms.outstanding_cost), terms.outstanding_cost, 0.0)
    rate[-1] *= penalty.multiple / (penalty.multiple + 1)
    fine = plan.fixed_fines(instance, baseline.years) * (holdings.outstanding > OUTSTANDING_ROUNDING_T)
    measures, output = accounts.total(amounts.cost), accounts.total(baseline.output_t)
    costs = {
        "measures_cost_cny": measures,
        "allowances_cost_cny": price * (holdings.bought - holdings.sold),
        "transaction_cost_cny": terms.transaction_cost * (holdings.bought + holdings.sold),
        "offsets_cost_cny": terms.offset_price * holdings.offset,
        "penalty_cny": rate * holdings.outstanding + fine,
    }
    total, kept = sum(costs.values(), np.zeros_like(measures)), np.where(terms.banks, holdings.banked, 0.0)
    lapsed = {} if terms.banks.all() else {"lapsed_t": holdings.banked - kept}
    return {
        "emissions_before_tco2e": accounts.emissions,
        "emissions_tco2e": accounts.total(amounts.emissions),
        "allowance_t": accounts.total(amounts.free),
        "banked_before_t": np.column_stack([accounts.opening, kept[:, :-1]]),
        "surrendered_t": holdings.surrendered,
        "banked_t": kept,
        **lapsed,
        **costs,
        "total_cost_cny": total,
        "cost_cny_per_t": np.divide(total, output, out=np.full_like(total, np.nan), where=output > 0),
    }


def limits_of_accounts(market: Market, holdings: Holdings, emissions: Floats) -> list[Violation]:
    """Check that no amount is negative, and that borrowing, offsets and outstanding obligations are within limits."""
    accounts, terms = market.accounts, market.terms
    allowed = np.where(np.isfinite(terms.outstanding_cost), accounts.so_far, 0.0)
    amounts = (holdings.bought, holdings.sold, holdings.offset, holdings.outstanding, holdings.surrendered)
    outside = {
        "not_negative": (-np.minimum.reduce(amounts), _("no amount is negative")),
        "borrowing": (
            -accounts.borrowed_most - holdings.banked,
            _("borrowing is at most the pre-allocation of the next year"),
        ),
        "offset_limit": (
            holdings.offset - terms.offset_share * emissions,
            _("offsets are at most their share of the obligation"),
        ),
        "owed": (
            holdings.outstanding - allowed,
            _("the outstanding obligation is at most the emissions so far, and zero without a reference price"),
        ),
    }
    size = CELL_TOLERANCE["t"] + NUMBER_RELATIVE * accounts.emissions
    return [
        violation
        for rule, (by, message) in outside.items()
        for violation in violations_above(rule, accounts.labels, market.baseline.years, message, by, size, "t")
    ]


def holdings_within_need(baseline: Baseline, pool: Accounts, holdings: Holdings) -> list[Violation]:
    """Check that holdings are at most those that the account may get and still need, which limits its trades.

    If all accounts are pooled, this holds for the pool.
    """
    banked = holdings.banked
    if len(pool.labels) < len(banked):
        banked = banked.sum(axis=0)[None]
    size, message = (
        CELL_TOLERANCE["t"] + NUMBER_RELATIVE * pool.emissions,
        _("holdings are at most what is needed later"),
    )
    return list(violations_above("held", pool.labels, baseline.years, message, banked - pool.held_most, size, "t"))


def year_columns(
    baseline: Baseline, terms: TradeTerms, enterprises: pd.DataFrame, table: pd.DataFrame, kind: str
) -> Columns:
    """Return the columns of ``years``: sums over the enterprises, and those of the market."""
    own = [name for name in enterprises if not name.startswith(USER_COLUMN_PREFIX)]
    names = [name for name in own if name.endswith(("_t", "_tco2e", "_cny")) and not name.endswith("_per_t")]
    columns = {name: grid(enterprises, name, len(baseline.years)).sum(axis=0, keepdims=True) for name in names}
    used = ("measures_cost_cny", "transaction_cost_cny", "offsets_cost_cny")
    columns["transfers_cny"] = columns["allowances_cost_cny"] + columns["penalty_cny"]
    columns["resource_cost_cny"] = sum((columns[name] for name in used), np.zeros((1, len(baseline.years))))
    if kind == ABATEMENT:
        return columns
    absorbed, released = (grid(table, name, len(baseline.years)) for name in ("intake_t", "released_t"))
    traded = columns["bought_t"] - columns["sold_t"]
    unsold = (terms.auctioned - terms.demand)[None] - traded - absorbed + released
    return columns | {
        "unsold_t": unsold,
        "auctioned_t": terms.auctioned[None] - unsold,
        "external_demand_t": terms.demand[None],
        "rounding_remainder_t": terms.remainder[None],
        "reserve_t": terms.reserve + np.cumsum(absorbed - released, axis=1),
    }


def limits_of_market(
    baseline: Baseline, terms: TradeTerms, table: pd.DataFrame, derived: Columns, kind: str
) -> list[Violation]:
    """Check the limits of auctions, the reserve and offsets on offer, and that price intervals contain the price.

    Parameters
    ----------
    derived
        Columns that follow from the decisions; they must meet the limits like the stated ones.
    """
    years, no_label = baseline.years, np.array([""], dtype=object)

    def cells(name: str) -> Floats:
        return grid(table, name, len(years))

    size = CELL_TOLERANCE["t"] + NUMBER_RELATIVE * baseline.emissions.sum(axis=0)[None]
    price = cells("price_cny_per_t")
    apart = np.maximum(cells("price_lower_cny_per_t") - price, price - cells("price_upper_cny_per_t"))
    rounding = np.full_like(price, CELL_TOLERANCE["CNY/t"])
    violations = violations_above(
        "price", no_label, years, _("the interval contains the price"), apart, rounding, "CNY/t"
    )
    outside: dict[str, tuple[Floats, str]] = {
        "offsets_on_offer": (cells("offset_t") - terms.offset_supply, _("offsets are at most those on offer"))
    }
    if kind != ABATEMENT:
        absorbed, released = cells("intake_t"), cells("released_t")
        unsold = np.maximum(derived["unsold_t"], cells("unsold_t"))
        stocks = (derived["unsold_t"], cells("unsold_t"), derived["reserve_t"], cells("reserve_t"))
        least = np.minimum.reduce([absorbed, released, *stocks])
        without = np.where(np.isfinite(terms.ceiling), 0.0, released) + np.where(terms.floor > 0, 0.0, absorbed)
        outside["market_not_negative"] = (-least, _("no amount is negative"))
        outside["auctions"] = (unsold - terms.auctioned, _("the unsold volume is at most the auctioned one"))
        outside["reserve"] = (without, _("the reserve sells only at a ceiling and buys only at a floor"))
    for rule, (by, message) in outside.items():
        violations += violations_above(rule, no_label, years, message, by, size, "t")
    return violations + texts_follow("price", table, "price_obtained", OBTAINED[terms.states_price])
