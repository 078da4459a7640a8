r"""Measured calorific values: by month, and by year.

A month's value is the mean over its batches $b$, weighted by their tonnes $q_b$; of a gas it is the plain mean:

$$\mathrm{NCV}_m = \frac{\sum_b q_b\, \mathrm{NCV}_b}{\sum_b q_b}, \qquad
\mathrm{NCV}_y = \frac{\sum_m Q_m\, \mathrm{NCV}_m}{\sum_m Q_m}$$

with the month's consumption $Q_m$, both rounded to three decimals. Rows of the flow ``test`` are the batches; without
any, rows of consumption with a value of their own are. A fuel has one value for a unit and month, at all its processes.

Source: the steel guideline, CETS-AG-03.01-V01-2024, read in full. For clinker lines it is assumed to hold as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from etsopt.accounting.coded import FLOW, Coded
from etsopt.accounting.decimals import NCV_DECIMALS, rounded
from etsopt.accounting.vocabulary import ITEMS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

IS_GAS = np.array([item.phase == "gas" for item in ITEMS.values()])


@dataclass(frozen=True)
class MonthlyValues:
    """Measured values of the fuels of units in months: calorific values, carbon contents, oxidation rates.

    Parameters
    ----------
    fuel
        Position of each row's unit, month and item, shape ``(rows,)``.
    value
        Calorific value [GJ/unit], or other measured value, NaN if not measured, shape ``(fuels,)``.
    counts
        True for rows that enter the mean, shape ``(rows,)``.
    """

    fuel: NDArray[np.int64]
    value: Floats
    counts: NDArray[np.bool_]


def monthly_values(coded: Coded, quantity: Floats, ncv: Floats) -> MonthlyValues:
    """Return the measured calorific value of each fuel, unit and month.

    Parameters
    ----------
    quantity, ncv
        Quantity of each row, and its measured value or NaN, shape ``(rows,)``.
    """
    fuel, count = coded.fuel_month
    test = coded.flow == FLOW["test"]
    tested = np.zeros(count, dtype=bool)
    tested[fuel[test]] = True
    counts = ~np.isnan(ncv) & (test | ~tested[fuel])
    rows = np.flatnonzero(counts)
    mean = means(fuel[rows], ncv[rows], np.where(IS_GAS[coded.item[rows]], 1.0, quantity[rows]), count)
    return MonthlyValues(fuel, rounded(mean, NCV_DECIMALS), counts)


def means(fuel: NDArray[np.int64], value: Floats, weight: Floats, count: int) -> Floats:
    """Return the weighted mean of each fuel, NaN without a value, shape ``(count,)``."""
    # Batches of no tonnes alone, whose consumption is zero too, have their plain mean.
    weightless = np.bincount(fuel, weight, count) == 0
    weight = np.where(weightless[fuel], 1.0, weight)
    total = np.bincount(fuel, weight * value, count)
    weights = np.bincount(fuel, weight, count)
    return np.divide(total, weights, out=np.full(count, np.nan), where=weights > 0)
