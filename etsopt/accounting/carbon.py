r"""Measured carbon contents and oxidation rates of the fuels of power units, by month.

A month's carbon content as received [tC/t] is the mean over its batches $b$, weighted by the coal $q_b$ burnt or
received with them; one composite of the month stands for itself, and a gas has the plain mean of its tests [tC/10^4
Nm3]:

$$C_{ar} = \frac{\sum_b q_b\, C_{ar,b}}{\sum_b q_b}$$

A row of the flow ``carbon`` has the content of its ``batch``; the tonnes are those of the row of flow ``test`` or, in a
month without tests, ``in`` with the same batch. A row of the flow ``oxidation`` has the oxidation rate of the boiler.

Source: the verification guideline of power generation, CETS-VG-01.01-V02-2026, tables 8 and 11, read in full. The four
decimals are an assumption: the accounting guideline, CETS-AG-01.01-V04-2026, was not obtained.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.accounting.calorific import IS_GAS, MonthlyValues, means
from etsopt.accounting.coded import FLOW, joined
from etsopt.accounting.decimals import CARBON_DECIMALS, rounded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.accounting.coded import Coded

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]


def monthly_carbon(rows: pd.DataFrame, coded: Coded) -> MonthlyValues:
    """Return the measured carbon content of each fuel, unit and month [tC/unit]; tests that weight it count as well."""
    fuel, count = coded.fuel_month
    tonnes, weighs = tonnes_of_batches(rows, coded)
    row = np.flatnonzero(coded.flow == FLOW["carbon"])
    weight = np.where(IS_GAS[coded.item[row]], 1.0, np.nan_to_num(tonnes[row]))
    mean = means(fuel[row], rows["quantity"].to_numpy(dtype=float)[row], weight, count)
    counts = (coded.flow == FLOW["carbon"]) | (weighs & (coded.flow == FLOW["test"]))
    return MonthlyValues(fuel, rounded(mean, CARBON_DECIMALS), counts)


def tonnes_of_batches(rows: pd.DataFrame, coded: Coded) -> tuple[Floats, Mask]:
    """Return the quantity of the batch of each row of carbon, NaN without one, and which rows have these quantities."""
    found = np.full(len(coded), np.nan)
    of_carbon = np.flatnonzero(coded.flow == FLOW["carbon"])
    if not len(of_carbon):
        return found, np.zeros(len(coded), dtype=bool)
    fuel, count = coded.fuel_month
    batch, names = pd.factorize(rows["batch"].to_numpy())
    key = joined([(fuel, count), (batch.astype(np.int64), len(names))])
    tested = np.zeros(count, dtype=bool)
    tested[fuel[coded.flow == FLOW["test"]]] = True
    weighs = np.where(tested[fuel], coded.flow == FLOW["test"], coded.flow == FLOW["in"])
    weighs &= np.isin(key, key[of_carbon]) & ~IS_GAS[coded.item]
    sums = pd.Series(rows["quantity"].to_numpy(dtype=float)[weighs]).groupby(key[weighs]).sum()
    found[of_carbon] = sums.reindex(key[of_carbon]).to_numpy()
    return found, weighs


def monthly_oxidation(rows: pd.DataFrame, coded: Coded) -> MonthlyValues:
    """Return the oxidation rate that reports state of each fuel, unit and month; a month has one row at most."""
    fuel, count = coded.fuel_month
    stated = coded.flow == FLOW["oxidation"]
    value = np.full(count, np.nan)
    value[fuel[stated]] = rows["quantity"].to_numpy(dtype=float)[stated] / 100
    return MonthlyValues(fuel, value, stated)
