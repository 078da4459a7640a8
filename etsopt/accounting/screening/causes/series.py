"""Quantities of reports as arrays of series by months, robust statistics along them, and suspicious figures of them.

Suspicious figures are, before they have words, an array for each of their values, shape ``(figures,)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.accounting.coded import FLOW, ITEM, Coded, joined
from etsopt.accounting.decimals import added, hundredths
from etsopt.accounting.periods import PERIODS
from etsopt.accounting.vocabulary import COUNTED, FLOWS, ITEMS, PROCESSES, RATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etsopt.accounting.rows import Reports

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Flags = NDArray[np.bool_]
    Suspects = dict[str, NDArray[Any]]

NONE = -1
NUMBERS = (
    *("probability", "factor", "ratio", "stated", "heat_share", "count", "months"),
    *("opening", "bought", "used", "closing", "gap"),
)
"""Figures that a reason may name; NaN where a cause has none."""
ABSENT = {"series": NONE, "other_unit": NONE, "other_month": NONE, "cause": "", "usual_by": "", "also": ""}

OF_COUNTED = [FLOW[name] for name in COUNTED]
ASIDE, OF_RATES = [FLOW[name] for name in ("monitor", "carbon", "oxidation")], [ITEM[name] for name in RATES]
"""Flows and items whose figures are no quantities of a month, or that nothing relates to its output."""

MOST_DIGITS = 7
LEAST_DIGITS = 1_000
"""A figure of fewer steps of its last digit may well be the sum of others by chance."""
DEGREES = 4.0
"""Degrees of freedom of the Student distribution that months are taken to have: series of plants have outliers."""
MEDIAN_DEVIATION = 0.741
"""Median absolute deviation of that distribution, in its scale."""
ROUNDS = 4
"""Steps of the estimate of centre and scale; further ones change the third digit."""
OUTLYING = 8.0
"""Scales from the centre beyond which a month says nothing of either, as it is a fault."""


@dataclass(frozen=True, eq=False)
class Series:
    """Quantities by unit, process, item and flow, in this order, and month; those of monitors are left out.

    Parameters
    ----------
    coded
        Codes of each series, shape ``(series,)``; its months are those of the first row.
    first
        Number of the first month.
    hundredths, present
        Quantity without totals beside their parts [0.01 of its unit], and whether a row states it, shape
        ``(series, months)``.
    total
        Totals that rows state beside their parts [0.01 of its unit], else 0, shape ``(series, months)``.
    """

    coded: Coded
    first: int
    hundredths: Integers
    present: Flags
    total: Integers

    @classmethod
    def of(cls, reports: Reports) -> Series:
        """Add up the current rows."""
        every = reports.coded
        used = np.flatnonzero(reports.current & ~np.isin(every.flow, ASIDE) & ~np.isin(every.item, OF_RATES))
        coded = reports.coded.select(used)
        amount = hundredths(reports.rows["quantity"].to_numpy(dtype=float)[used])
        _, of_series, series = np.unique(_key(coded), return_index=True, return_inverse=True)
        first = int(coded.month.min(initial=PERIODS))
        months = max(int(coded.month.max(initial=0)) - first + 1, 0)
        shape, cell = (len(of_series), months), series * months + coded.month - first
        present = np.zeros(shape, dtype=bool)
        present.flat[cell] = True
        total = np.where(np.isin(coded.flow, OF_COUNTED), _totals(amount, cell, present.size)[cell], 0)
        by_cell = np.zeros(shape, dtype=np.int64)
        by_cell.flat[cell] = total
        return cls(
            coded.select(of_series), first, added(cell, amount, present.size).reshape(shape) - by_cell, present, by_cell
        )

    @property
    def counted(self) -> Flags:
        """True for series that accounts count, shape ``(series,)``."""
        return np.isin(self.coded.flow, OF_COUNTED)

    def place(self, coded: Coded) -> Integers:
        """Return the position of the series of each row; all are there."""
        return np.searchsorted(self.key, _key(coded))

    def consumption(self) -> Integers:
        """Return the position of each series, of tests, purchases and stocks that of what is consumed, and -1 last."""
        own = self.coded
        inward = np.where(np.isin(own.flow, OF_COUNTED), own.flow, FLOW["in"])
        key = _key(Coded(own.units, own.sector_of_unit, own.unit, own.month, own.process, own.item, inward))
        place = np.minimum(np.searchsorted(self.key, key), len(self) - 1)
        return np.append(np.where(self.key[place] == key, place, NONE), NONE)

    @cached_property
    def process(self) -> Integers:
        """Number of the unit and process of each series, from 0 on."""
        key = joined(((self.coded.unit, 0), (self.coded.process, len(PROCESSES))))
        return np.unique(key, return_inverse=True)[1]

    @cached_property
    def key(self) -> Integers:
        """One number for each series, ascending."""
        return _key(self.coded)

    def suspects(self, series: Integers, column: Integers, **values: object) -> Suspects:
        """Return suspicious figures by their series and month, with cause, probability and what a reason may name."""
        stated = self.hundredths[series, column] / 100.0
        return suspects(self.coded.unit[series], series=series, column=column, **{"stated": stated, **values})

    def __len__(self) -> int:
        return len(self.coded)


def _key(coded: Coded) -> Integers:
    sizes = ((coded.unit, 0), (coded.process, len(PROCESSES)), (coded.item, len(ITEMS)), (coded.flow, len(FLOWS)))
    return joined(sizes)


def steps(amount: Integers) -> Integers:
    """Return the last digit that is not zero, as a power of ten.

    >>> steps(np.array([1200, 35, 0])).tolist()
    [100, 1, 10000000]
    """
    step = np.ones_like(amount)
    for digits in range(1, MOST_DIGITS + 1):
        step[amount % 10**digits == 0] = 10**digits
    return step


def _totals(amount: Integers, cell: Integers, cells: int) -> Integers:
    """Return the largest quantity of each cell if it is the sum of its others, of which two are not zero, else 0."""
    rows = np.bincount(cell[amount > 0], minlength=cells)
    some = np.flatnonzero(rows[cell] > 2)
    largest, least = np.zeros(cells, dtype=np.int64), np.full(cells, 10**MOST_DIGITS)
    np.maximum.at(largest, cell[some], amount[some])
    np.minimum.at(least, cell[some], steps(amount[some]))
    # Rounding of each part to hundredths may leave half of one.
    closes = np.abs(2 * largest - added(cell[some], amount[some], cells)) <= rows // 2
    return np.where(closes & (rows > 2) & (largest >= LEAST_DIGITS * least), largest, 0)


def suspects(unit: Integers, **values: object) -> Suspects:
    """Return suspicious figures of units; what is not stated is absent.

    Parameters
    ----------
    values
        ``series`` (-1 for a whole month) and ``column`` of the month, ``cause``, ``probability``, ``factor`` that fits,
        ``ratio`` of stated over usual figure, ``usual_by``, and others of `NUMBERS`.
    """
    every = {"unit": unit, **ABSENT, **dict.fromkeys(NUMBERS, np.nan), **values}
    texts = dict.fromkeys(("cause", "usual_by", "also"), object)
    return {
        name: np.broadcast_to(np.asarray(value, dtype=texts.get(name)), unit.shape) for name, value in every.items()
    }


def chained(parts: Sequence[Suspects]) -> Suspects:
    """Return suspicious figures one after the other."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def middle(values: Floats) -> Floats:
    """Return the median of each row of an array without its NaN, NaN where there is none, shape ``(rows,)``."""
    ordered = np.sort(values, axis=1)
    count = (~np.isnan(ordered)).sum(axis=1)
    row = np.arange(len(ordered))
    if not ordered.size:
        return np.full(len(ordered), np.nan)
    return (ordered[row, np.maximum(count - 1, 0) // 2] + ordered[row, np.minimum(count // 2, values.shape[1] - 1)]) / 2


def grouped_middle(values: Floats, group: Integers, groups: int) -> tuple[Floats, Integers]:
    """Return the median of each group of rows, and how many it is of, by column: shapes ``(groups, columns)``."""
    columns = values.shape[1]
    row, column = np.nonzero(~np.isnan(values))
    key, found = group[row] * columns + column, values[row, column]
    found = found[np.lexsort((found, key))]
    count = np.bincount(key, minlength=groups * columns)
    start = np.cumsum(count) - count
    result = np.full(groups * columns, np.nan)
    some = count > 0
    low, high = (start + (count - 1) // 2)[some], (start + count // 2)[some]
    result[some] = (found[low] + found[high]) / 2
    return result.reshape(groups, columns), count.reshape(groups, columns)


def centre_and_scale(values: Floats, fewest: int) -> tuple[Floats, Floats]:
    """Return centre and scale of the Student distribution of each row, NaN for rows of fewer values.

    The likeliest of both are found step by step, from median and median absolute deviation on, without outlying values.
    """
    centre = middle(values)
    scale = middle(np.abs(values - centre[:, None])) / MEDIAN_DEVIATION
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(ROUNDS):
            square = ((values - centre[:, None]) / scale[:, None]) ** 2
            weight = np.where(square < OUTLYING**2, (DEGREES + 1) / (DEGREES + square), 0.0)
            taken = (weight > 0).sum(axis=1)
            weighted = np.where(weight > 0, values, 0.0) * weight
            centre = np.where(scale > 0, weighted.sum(axis=1) / weight.sum(axis=1), centre)
            left = np.where(weight > 0, values - centre[:, None], 0.0)
            scale = np.where(scale > 0, np.sqrt((weight * left**2).sum(axis=1) / np.maximum(taken - 1, 1)), scale)
    few = (~np.isnan(values)).sum(axis=1) < fewest
    return np.where(few, np.nan, centre), np.where(few, np.nan, scale)
