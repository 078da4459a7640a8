r"""Check prices at other terminal prices: each end is a market of its own, with plans, trades and multipliers.

A terminal price $w$ changes the worth of what is left at the end and nothing else. So an end is proven like the answer:
its plans are admissible, though they may be mixed; its trades keep every limit; and the multipliers stated for it bound
the cost at $w$ from below by what these plans and trades cost. Balance values are those of the answer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from etsopt.checking.cells import are_whole, crossed, rows_are
from etsopt.checking.market import statements
from etsopt.checking.market.bound import Bound
from etsopt.checking.market.cost import cost_of, tolerance_of_cost
from etsopt.checking.market.leeway import leeway_of
from etsopt.checking.market.plans import of_units, plans_are_admissible, read_plans
from etsopt.checking.theorem import COST
from etsopt.checking.tolerances import PRICE_PROOF_RELATIVE
from etsopt.checking.verdict import Violation
from etsopt.common.language import _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt.checking.market.derived import Market
    from etsopt.checking.market.prices import StatedMultipliers
    from etsopt.checking.readings.instance_inputs import InstanceInputs

PRICES, PLANS = "terminal_prices", "terminal_plans"
OF_ANSWER, PROVEN, UNPROVEN, UNSOLVED = "this result", "certified", "not certified", "not found"
PRICE, SHARE, TERMINAL = "price_cny_per_t", "explained_share", "terminal_price_cny_per_t"
FLOWS = ("offset_t", "outstanding_t", "unsold_t", "released_t", "intake_t")
COPIED = (PRICE, "emissions_tco2e", "banked_t", *FLOWS)


class End(NamedTuple):
    """A terminal price: the number of it in ascending order, itself [CNY/t], its rows, and plans if it has some."""

    number: int
    price: float
    rows: pd.DataFrame
    plans: pd.DataFrame | None


def terminal_prices_follow(
    instance: InstanceInputs, market: Market, stated: StatedMultipliers, tables: Mapping[str, pd.DataFrame], kind: str
) -> list[Violation]:
    """Check the tables of other terminal prices, which are there if the end of a path has an effect on its prices.

    Parameters
    ----------
    market
        Market of the answer.
    tables
        Tables of the result, of which ``years`` and ``closure`` have been checked.
    """
    wanted, table, years = ends_of(market, tables["closure"], kind), tables.get(PRICES), market.baseline.years
    if not wanted:
        return [
            Violation("tables", name, 1.0, "tables", _("the end of the path has no other price, and no table"))
            for name in (PRICES, PLANS)
            if name in tables
        ]
    if table is None:
        return are_whole(tables, {PRICES: ()})
    if violations := rows_are(PRICES, table, crossed(terminal_price_cny_per_t=wanted, year=years)):
        return violations
    plans = tables.get(PLANS)
    violations = statements.numbers_are_there(PRICES, table, [*COPIED, SHARE])
    if violations := violations or _unreadable(market, table, plans, wanted):
        return violations
    price = statements.grid(table, PRICE, len(years))
    with np.errstate(all="ignore"):
        share = np.where(price <= 0, 0.0, 1 - price[0] / price)
    labels = np.array([f"{one:g}" for one in wanted], dtype=object)
    violations = statements.columns_follow(PRICES, labels, years, table, {SHARE: share})
    for number, one in enumerate(wanted):
        rows = table.iloc[number * len(years) : (number + 1) * len(years)].reset_index(drop=True)
        of_price = None if plans is None else plans[plans[TERMINAL] == one].reset_index(drop=True)
        violations += _end_follows(instance, market, stated, End(number, one, rows, of_price), tables["years"])
    return violations


def _unreadable(
    market: Market, table: pd.DataFrame, plans: pd.DataFrame | None, wanted: list[float]
) -> list[Violation]:
    """Return the violations of columns that cannot be read, and of plans of no other terminal price."""
    if plans is None:
        return are_whole({PRICES: table}, {PRICES: ("status",)})
    read = (TERMINAL, "plan", "share", *market.offered.numbers_of_plans, "unit_id", "measure_id")
    violations = are_whole({PRICES: table, PLANS: plans}, {PRICES: ("status",), PLANS: read})
    if violations or plans[TERMINAL].isin({*wanted} - {market.terms.terminal_price}).all():
        return violations
    message = _("the column {demand}", demand=_("holds one of the other terminal prices"))
    return [Violation("tables", f"{PLANS}.{TERMINAL}", 1.0, "columns", message)]


def ends_of(market: Market, closure: pd.DataFrame, kind: str) -> list[float]:
    """Return the terminal prices that the table has, in ascending order: none if no other one moves a path's price."""
    last, ceiling = closure.iloc[-1], float(market.terms.ceiling[-1])
    up_to, has_bank = float(last["unchanged_up_to_cny_per_t"]), last["bank_empty_in"] != last["year"]
    moved = up_to < np.inf and (has_bank or up_to < ceiling)
    sought = kind == "pathway" and not market.terms.transaction_cost.any()
    if not sought or last["set_by"] == "self-balancing" or not moved:
        return []
    ends = {0.0, float(market.terms.terminal_price), *({ceiling} - {np.inf})}
    return sorted(ends) if len(ends) > 1 else []


def _end_follows(
    instance: InstanceInputs, market: Market, stated: StatedMultipliers, end: End, years: pd.DataFrame
) -> list[Violation]:
    """Check the rows of one terminal price."""
    status = set(end.rows["status"])
    of_answer = end.price == market.terms.terminal_price
    if len(status) > 1 or not status <= ({OF_ANSWER} if of_answer else {PROVEN, UNPROVEN, UNSOLVED}):
        return [Violation(PRICES, f"{end.price:g}", 1.0, "cells", _("a terminal price has one status"))]
    if of_answer:
        expected = {name: years[name].to_numpy(dtype=float)[None] for name in COPIED}
        return statements.columns_follow(PRICES, _label(end), market.baseline.years, end.rows, expected)
    if status == {UNSOLVED}:
        empty = bool(end.rows[list(COPIED)].isna().all(axis=None))
        message = _("a program without a solution has no numbers")
        return [] if empty else [Violation(PRICES, f"{end.price:g}", 1.0, "cells", message)]
    return _is_solved(instance, market, stated, end, status == {PROVEN})


def _is_solved(
    instance: InstanceInputs, market: Market, stated: StatedMultipliers, end: End, claims: bool
) -> list[Violation]:
    """Check plans, trades and price of an end, and that they are proven if it claims so."""
    at_end = replace(market, terms=replace(market.terms, terminal_price=end.price)).program
    baseline, terms, pool, label = at_end.baseline, at_end.terms, at_end.accounts, _label(end)
    given, violations = stated.at(f"{COST}:terminal:{end.number}", "CNY/t")
    if end.plans is None or not np.isfinite(end.rows[list(COPIED)].to_numpy(dtype=float)).all():
        return [Violation(PRICES, f"{end.price:g}", 1.0, "tables", _("a terminal price has plans and finite numbers"))]
    taken, wrong = read_plans(instance, baseline, market.offered, end.plans)
    if taken is None:
        return wrong
    violations += plans_are_admissible(instance, baseline, market.offered, taken, divisible=True)
    price = -given.market_balance / baseline.discount
    units = of_units(baseline, market.offered, taken, price)[0]
    emissions, free = pool.total(units.emissions), pool.total(units.free)
    cells = {name: end.rows[name].to_numpy(dtype=float) for name in FLOWS}
    bought = terms.auctioned - terms.demand + cells["released_t"] - cells["intake_t"] - cells["unsold_t"]
    trades = end.rows.assign(bought_t=np.maximum(bought, 0.0), sold_t=np.maximum(-bought, 0.0))
    holdings = statements.read_holdings(trades, pool, emissions, free, terms.banks)
    derived = {
        PRICE: price[None],
        "emissions_tco2e": emissions,
        "banked_t": holdings.banked,
        "unsold_t": cells["unsold_t"][None],
        "reserve_t": terms.reserve + np.cumsum(cells["intake_t"] - cells["released_t"])[None],
    }
    shown = {name: derived[name] for name in (PRICE, "emissions_tco2e", "banked_t")}
    violations += statements.columns_follow(PRICES, label, baseline.years, end.rows, shown)
    violations += statements.limits_of_accounts(at_end, holdings, emissions)
    violations += statements.holdings_within_need(baseline, pool, holdings)
    of_years = trades.assign(reserve_t=derived["reserve_t"][0], price_lower_cny_per_t=price)
    of_years = of_years.assign(price_upper_cny_per_t=price, price_obtained=statements.OBTAINED[terms.states_price])
    violations += statements.limits_of_market(baseline, terms, of_years, derived, "pathway")
    value, uncertain, spending = cost_of(at_end, holdings, units, of_years, "pathway")
    bound = Bound(at_end, given, leeway_of(at_end, holdings, units, of_years)).of_all() - uncertain
    # The cost may be near zero, since what is kept has a worth: a little demand has a value as well.
    demand = float(baseline.emissions.mean(axis=1).sum() * np.abs(given.market_balance).sum())
    if claims and not value - bound <= tolerance_of_cost(value, market) + PRICE_PROOF_RELATIVE * (
        max(abs(value), spending) + demand
    ):
        message = _("the multipliers of a certified terminal price bound the cost of its plans and trades")
        violations.append(Violation(PRICES, f"{end.price:g}", value - bound, "CNY", message))
    return violations


def _label(end: End) -> NDArray[np.object_]:
    return np.array([f"{end.price:g}"], dtype=object)
