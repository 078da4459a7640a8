"""Compute the total cost of the answer to a market, its spending, and the cost of every enterprise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.arithmetic import gamma, total, upward
from etsopt.checking.market import statements
from etsopt.checking.tolerances import NO_COST_CNY_PER_T
from etsopt.common.units import tolerance_of

if TYPE_CHECKING:
    import pandas as pd

    from etsopt.checking.arrays import Floats
    from etsopt.checking.market.derived import Market
    from etsopt.checking.market.plans import Amounts
    from etsopt.checking.market.statements import Holdings


def spent_by(market: Market, holdings: Holdings, units: Amounts, price: Floats, offers: Floats) -> Floats:
    """Return a lower bound of the cost of enterprises at discounted prices of allowances and scarce offsets [CNY].

    The shape is ``(accounts,)``; the uncertainty is subtracted.
    """
    baseline, terms, sizes = market.baseline, market.terms, market.sizes
    of_measures = baseline.discount * market.accounts.total(units.cost)
    yearly = np.concatenate([of_measures[None], _of_trading(market, holdings)])
    traded = np.stack([price * holdings.bought, -price * holdings.sold, -np.minimum(offers, 0.0) * holdings.offset])
    terminal_value = baseline.discount[-1] * terms.terminal_price
    spent: Floats = yearly.sum(axis=(0, 2)) + traded.sum(axis=(0, 2)) - terminal_value * holdings.banked[:, -1]
    size = np.abs(yearly).sum(axis=(0, 2)) + np.abs(traded).sum(axis=(0, 2)) + sizes.cost.sum(axis=1)
    return spent - gamma(sizes.roundings + sizes.units + 20) * (size + terminal_value * _stocks(market, holdings))


def _of_trading(market: Market, holdings: Holdings) -> Floats:
    """Return the discounted cost of transactions, offsets and obligations, shape ``(3, accounts, years)`` [CNY]."""
    terms = market.terms
    outstanding_cost = np.where(np.isfinite(terms.outstanding_cost), terms.outstanding_cost, 0.0)
    traded = terms.transaction_cost * (holdings.bought + holdings.sold)
    parts = (traded, terms.offset_price * holdings.offset, outstanding_cost * holdings.outstanding)
    return market.baseline.discount * np.stack(parts)


def _stocks(market: Market, holdings: Holdings) -> Floats:
    """Return the size of all tonnes that make up what is left at the end, shape ``(accounts,)`` [t]."""
    moved = (holdings.bought, holdings.sold, holdings.offset, holdings.outstanding)
    parts = (np.abs(part).sum(axis=1) for part in (market.sizes.steep, market.sizes.given, *moved))
    return np.asarray(np.abs(market.accounts.opening) + sum(parts))


def tolerance_of_cost(value: float, market: Market) -> float:
    """Return the tolerance of a cost of a market; where nothing has one, rounding alone is left [CNY]."""
    return max(tolerance_of(value, "CNY"), NO_COST_CNY_PER_T * float(market.baseline.emissions.sum()))


def cost_of(
    market: Market, holdings: Holdings, units: Amounts, years: pd.DataFrame, kind: str
) -> tuple[float, float, float]:
    """Return the cost of the objective from the decisions, a bound of its rounding, and the spending in it [CNY].

    Spending is the cost of measures of each unit, if positive, and that of trading, offsets,
    obligations and the reserve's sales. A gap is relative to it if the cost is near zero.
    """
    baseline, terms, sizes = market.baseline, market.terms, market.sizes
    turnover = 0.0
    if kind == statements.ABATEMENT:
        # What is bought and sold in the same year is no spending: any amount of it could be stated.
        more = terms.expected_price * (holdings.bought - holdings.sold)
        price = np.abs(baseline.discount * terms.expected_price)
        turnover = float((price * (holdings.bought + holdings.sold)).sum())
    else:
        ceiling = np.where(np.isfinite(terms.ceiling), terms.ceiling, 0.0)
        more = ceiling * years["released_t"].to_numpy() - terms.floor * years["intake_t"].to_numpy()
    terminal_value = baseline.discount[-1] * terms.terminal_price
    parts = (baseline.discount * units.cost, _of_trading(market, holdings), baseline.discount * more)
    summands = np.concatenate([*(part.ravel() for part in parts), -terminal_value * holdings.banked[:, -1]])
    value, error = total(summands)
    size = float(np.abs(summands).sum()) + turnover + float(sizes.cost.sum())
    size += terminal_value * float(_stocks(market, holdings).sum())
    of_units = (baseline.discount * units.cost).sum(axis=1)
    spending = np.maximum(of_units, 0.0).sum() + np.maximum(summands[units.cost.size :], 0.0).sum()
    return value, upward(error + gamma(sizes.roundings + sizes.units + 20) * size, 1000), float(spending)
