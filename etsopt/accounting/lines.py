"""Lines of an account: the rows of one unit, month, process, item and flow together, and what they emit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from etsopt.accounting.calorific import MonthlyValues, monthly_values
from etsopt.accounting.carbon import monthly_carbon, monthly_oxidation
from etsopt.accounting.coded import FLOW, YEARS, Coded, joined
from etsopt.accounting.decimals import added, hundredths
from etsopt.accounting.vocabulary import FLOWS, ITEMS, MEASURED, PROCESSES

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

NO_LINE = -1


@dataclass(frozen=True)
class Lines:
    """Quantities by unit, month, process, item and flow, in this order.

    Parameters
    ----------
    coded
        Codes of each line.
    hundredths
        Quantity in hundredths of its unit: the sum of the rows, each rounded to two decimals.
    ncv
        Measured calorific value of the month [GJ/unit], NaN without one.
    of_row
        Line of every row, -1 for tests and other measured values.
    fuel
        Position of the unit, month and item of each line in the values.
    file
        File of the first row of each line, and the sheet of a workbook.
    values, carbon, oxidation
        Calorific values, carbon contents [tC/unit] and oxidation rates, and the rows that they come from.
    """

    coded: Coded
    hundredths: Integers
    ncv: Floats
    of_row: Integers
    fuel: Integers
    file: NDArray[np.object_]
    values: MonthlyValues
    carbon: MonthlyValues
    oxidation: MonthlyValues

    @classmethod
    def of(cls, rows: pd.DataFrame, coded: Coded) -> Lines:
        """Add up the rows of each line; measured values have none."""
        quantity = rows["quantity"].to_numpy(dtype=float)
        values = monthly_values(coded, quantity, rows["ncv_gj_per_unit"].to_numpy(dtype=float))
        consumed = np.flatnonzero(~np.isin(coded.flow, [FLOW[name] for name in MEASURED]))
        sizes = ((coded.unit, 0), (coded.month, 12 * (YEARS[1] + 1)), (coded.process, len(PROCESSES)))
        key = joined([*sizes, (coded.item, len(ITEMS)), (coded.flow, len(FLOWS))])[consumed]
        _, first, line = np.unique(key, return_index=True, return_inverse=True)
        of_row = np.full(len(coded), NO_LINE, dtype=np.int64)
        of_row[consumed] = line
        taken = consumed[first]
        codes = (coded.unit, coded.month, coded.process, coded.item, coded.flow)
        own = Coded(coded.units, coded.sector_of_unit, *(code[taken] for code in codes))
        total = added(line, hundredths(quantity[consumed]), len(taken))
        fuel = values.fuel[taken]
        file, measured = rows["file"].to_numpy()[taken], (monthly_carbon(rows, coded), monthly_oxidation(rows, coded))
        return cls(own, total, values.value[fuel], of_row, fuel, file, values, *measured)

    @property
    def quantity(self) -> Floats:
        """Quantity of every line in its unit."""
        return self.hundredths / 100.0

    def __len__(self) -> int:
        return len(self.hundredths)


@dataclass(frozen=True)
class Emitted:
    """Emissions of lines by one formula.

    Parameters
    ----------
    line
        Positions of the lines.
    hundredths
        Emissions of each in hundredths of a tonne, negative for carbon that leaves.
    formula, gas
        Names of the formula and gas.
    keys
        Keys of the factor used by each line, separated by spaces, by its item; one text for all lines if they share it.
    mark
        Position of the confidence of its factors.
    ncv
        Calorific value used, NaN without one.
    factor
        The product of the factors beside quantity and calorific value [tCO2e/unit or tCO2e/GJ].
    """

    line: Integers
    hundredths: Integers
    formula: str
    gas: str
    keys: tuple[str, ...]
    mark: Integers
    ncv: Floats
    factor: Floats


def emitted(
    lines: Lines, which: NDArray[np.bool_], formula: str, keys: tuple[str, ...], factor: Floats, mark: Integers
) -> Emitted:
    """Return quantities times a factor of their item, for formulas without a calorific value.

    Parameters
    ----------
    keys
        Key of the factor by item.
    factor, mark
        Factor [tCO2e/unit] and mark by item.
    """
    line = np.flatnonzero(which)
    item = lines.coded.item[line]
    amount = hundredths(lines.quantity[line] * factor[item])
    nothing = np.full(len(line), np.nan)
    return Emitted(line, amount, formula, "CO2", keys, mark[item], nothing, factor[item])
