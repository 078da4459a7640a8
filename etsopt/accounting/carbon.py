r"""Measured carbon contents and oxidation rates of the fuels of power units, by month.

A month's carbon content as received [tC/t] is the mean over its batches $b$, weighted by the coal $q_b$ burnt or
received with them; one composite of the month stands for itself, and a gas has the plain mean of its tests [tC/10^4
Nm3]:

$$C_{ar} = \frac{\sum_b q_b\, C_{ar,b}}{\sum_b q_b}$$

A row of the flow ``carbon`` has the content of its ``batch``; the tonnes are those of the row of flow ``test`` or, in a
month without tests, ``in`` with the same batch. In a month without such rows, those of flow ``test`` have it beside
their calorific value, in the column `OF_TEST`, and their own tonnes. A row of the flow ``oxidation`` has the
oxidation rate of the boiler.

Source: the verification guideline of power generation, CETS-VG-01.01-V02-2026, tables 8 and 11, read in full. The four
decimals are an assumption: the accounting guideline, CETS-AG-01.01-V04-2026, was not obtained.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.accounting.calorific import IS_GAS, MonthlyValues, means
from etsopt.accounting.coded import FLOW, SECTOR, joined
from etsopt.accounting.decimals import CARBON_DECIMALS, rounded
from etsopt.accounting.vocabulary import POWER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.accounting.coded import Coded

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]


OF_TEST = "x_carbon_tc_per_t"
"""Column of tests with the measured carbon content as received."""


def monthly_carbon(rows: pd.DataFrame, coded: Coded) -> MonthlyValues:
    """Return the measured carbon content of each fuel, unit and month [tC/unit]; tests that weight it count as well."""
    fuel, count = coded.fuel_month
    tonnes, weighs = tonnes_of_batches(rows, coded)
    quantity, content = rows["quantity"].to_numpy(dtype=float), carbon_of_tests(rows, coded)
    of_carbon = coded.flow == FLOW["carbon"]
    apart = np.bincount(fuel[of_carbon], minlength=count)[fuel] > 0
    of_test = ~np.isnan(content) & ~apart
    row = np.flatnonzero(of_carbon | of_test)
    weight = np.where(IS_GAS[coded.item], 1.0, np.nan_to_num(np.where(of_test, quantity, tonnes)))
    mean = means(fuel[row], np.where(of_test, content, quantity)[row], weight[row], count)
    counts = of_carbon | of_test | (weighs & (coded.flow == FLOW["test"]))
    return MonthlyValues(fuel, rounded(mean, CARBON_DECIMALS), counts)


def carbon_of_tests(rows: pd.DataFrame, coded: Coded) -> Floats:
    """Return the carbon content that tests of power units state beside the calorific value [tC/unit], else NaN."""
    if OF_TEST not in rows:
        return np.full(len(coded), np.nan)
    stated = pd.to_numeric(rows[OF_TEST], errors="coerce").to_numpy(dtype=float)
    return np.where((coded.sector == SECTOR[POWER]) & (coded.flow == FLOW["test"]) & coded.is_fuel, stated, np.nan)


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
