"""Rows that couple units: entries, limits, and the names by which duals are stated for them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.checking.allocation.bands import whole_limits
from etsopt.checking.allocation.certificate import Pull, upward_each
from etsopt.checking.arithmetic import ROUNDOFF, difference, exact_sums, gamma, most_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROW_TOLERANCE = {"intensity_order": 1e-8, "equal_rates": 1e-8}
ROW_TOLERANCE_T = 2e-2
"""A total may leave its limit by 20 kg, an order of rates by 1e-8."""

UNIT_TOLERANCE_T = 1e-3
"""An allowance may leave a bound by a kilogram."""


@dataclass(frozen=True)
class Totals:
    """Left-hand sides of rows, each as an unevaluated sum of two numbers, with a bound of its error."""

    high: NDArray[np.float64]
    low: NDArray[np.float64]
    error: NDArray[np.float64]

    @property
    def value(self) -> NDArray[np.float64]:
        """The nearest numbers."""
        return self.high + self.low


@dataclass(frozen=True)
class CouplingRows:
    """Rows over units: entries, limits, and the name and index of each row.

    Row ``r`` says ``least[r] <= sum of sign * A / divisor over its entries <= most[r]``; quotients are exact, and
    nothing stands for their rounded inverse.

    Parameters
    ----------
    row, position, sign, divisor
        Of every entry, shape ``(entries,)``; the divisor is one in rows of tonnes, and emissions in rows of rates.
    least, most
        Shape ``(rows,)``.
    rule, index
        What each row is called, and of what it is, shape ``(rows,)``; both together are unique.
    """

    row: NDArray[np.int64]
    position: NDArray[np.int64]
    sign: NDArray[np.float64]
    divisor: NDArray[np.float64]
    least: NDArray[np.float64]
    most: NDArray[np.float64]
    rule: NDArray[np.object_]
    index: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.rule)

    @property
    def tolerance(self) -> NDArray[np.float64]:
        """How far each row may be missed, in its unit."""
        found = np.full(len(self), ROW_TOLERANCE_T)
        for rule, tolerance in ROW_TOLERANCE.items():
            found[self.rule == rule] = tolerance
        return found

    @cached_property
    def in_rates(self) -> NDArray[np.bool_]:
        """Which rows are of rates, not of tonnes."""
        return np.isin(self.rule, list(ROW_TOLERANCE))

    @cached_property
    def most_of_unit(self) -> int:
        """Rows of a unit at most."""
        return int(np.bincount(self.position).max(initial=0))

    def totals(self, allowance: NDArray[np.float64]) -> Totals:
        """Left-hand side of every row."""
        count, quotient = len(self), self.in_rates[self.row]
        tonnes = ~quotient if quotient.any() else slice(None)
        high, low, error = exact_sums(self.row[tonnes], allowance[self.position[tonnes]], count)
        if not quotient.any():
            return Totals(high, low, error)
        row = self.row[quotient]
        rates = self.sign[quotient] * allowance[self.position[quotient]] / self.divisor[quotient]
        size, terms = np.bincount(row, np.abs(rates), count), np.bincount(row, minlength=count)
        return Totals(high + np.bincount(row, rates, count), low, error + gamma(2) * size + 2 * terms * ROUNDOFF * size)

    def misses(self, totals: Totals) -> NDArray[np.float64]:
        """By how much each row is missed at most."""
        missed = np.zeros(len(self))
        for side, sign in ((self.least, 1.0), (self.most, -1.0)):
            there = np.isfinite(side)
            # The difference from a side is exact where the total itself would be rounded.
            high, low = difference(np.where(there, side, 0.0), np.where(there, totals.high, 0.0))
            off = sign * (high + (low - totals.low))
            off = off + totals.error + gamma(4) * (np.abs(high) + np.abs(low) + np.abs(totals.low))
            missed = np.maximum(missed, np.where(there, off, 0.0))
        return missed

    def gap(self, totals: Totals, price: NDArray[np.float64]) -> float:
        """Sum over the rows of multiplier times distance from the priced side, at most."""
        here = price != 0
        if not np.isfinite(price[here]).all():
            return float("inf")
        side = np.where(price > 0, self.least, self.most)[here]
        high, low = difference(totals.high[here], side)
        away = np.sign(price[here]) * (high + (low + totals.low[here]))
        rounding = gamma(4) * (np.abs(high) + np.abs(low) + np.abs(totals.low[here]))
        with np.errstate(all="ignore"):
            worth = np.abs(price[here]) * (np.maximum(away, 0.0) + totals.error[here] + rounding)
            return most_of(upward_each(np.where(np.isnan(worth), np.inf, worth)))

    def priced(self, price: NDArray[np.float64]) -> NDArray[np.float64]:
        """Multipliers of the rows; zero where they price a side that does not exist."""
        without = ((price > 0) & ~np.isfinite(self.least)) | ((price < 0) & ~np.isfinite(self.most))
        return np.where(without, 0.0, price)

    def misses_t(self, totals: Totals) -> float:
        """The most by which a row is missed [t]; an order of rates by what its smaller unit would have to move."""
        smallest = np.full(len(self), np.inf)
        np.minimum.at(smallest, self.row, self.divisor)
        return float(np.max(self.misses(totals) * np.where(np.isfinite(smallest), smallest, 1.0), initial=0.0))

    def pull(self, price: NDArray[np.float64], units: int) -> Pull:
        """What the multipliers of the rows come to at every unit."""
        of_entry = price[self.row]
        if self.in_rates.any():
            of_entry = self.sign * of_entry / self.divisor
        parts = of_entry, np.abs(of_entry)
        at_unit, size = (np.bincount(self.position, part, units).astype(np.float64) for part in parts)
        return Pull(at_unit, size * (1 + gamma(2 * self.most_of_unit + 4)), self.most_of_unit)

    def reach(self, sizes: NDArray[np.float64]) -> NDArray[np.float64]:
        """What a unit of the given size adds at most to each row; zero where a row is empty."""
        largest = np.zeros(len(self))
        np.maximum.at(largest, self.row, sizes[self.position] / self.divisor)
        return largest

    def limits_of(self, rule: str) -> pd.DataFrame:
        """Columns ``least`` and ``most`` of the rows of one name, by their index."""
        here = self.rule == rule
        return pd.DataFrame({"least": self.least[here], "most": self.most[here]}, index=pd.Index(self.index[here]))

    def place_of(self, duals: pd.DataFrame) -> NDArray[np.int64]:
        """Number of the row that each multiplier is of, -1 where it is of none; shape ``(multipliers,)``."""
        found = np.full(len(duals), -1)
        rule, index = duals["row"].to_numpy(), duals["index"].fillna("").to_numpy()
        for name in pd.unique(self.rule):
            here, stated = np.flatnonzero(self.rule == name), np.flatnonzero(rule == name)
            if len(stated):
                place = pd.Index(self.index[here]).get_indexer(index[stated])
                found[stated] = np.where(place >= 0, here[place], -1)
        return found

    def prices(self, duals: pd.DataFrame) -> NDArray[np.float64]:
        """Multiplier of every row by the table of duals of one level; zero where it states none."""
        found, place = np.zeros(len(self)), self.place_of(duals)
        found[place[place >= 0]] = duals["multiplier"].to_numpy(dtype=float)[place >= 0]
        return found


class Collected:
    """Collects coupling rows; where allowances are whole, so are the limits in tonnes."""

    def __init__(self, whole: bool) -> None:
        self.whole, self.count = whole, 0
        self.parts: list[tuple[NDArray[Any], ...]] = []
        self.entries: list[tuple[NDArray[Any], ...]] = []

    def add(
        self,
        rule: str,
        index: NDArray[np.object_],
        limits: tuple[NDArray[np.float64], NDArray[np.float64]],
        row: NDArray[np.int64],
        position: NDArray[np.int64],
        sign: NDArray[np.float64] | float = 1.0,
        divisor: NDArray[np.float64] | float = 1.0,
    ) -> NDArray[np.int64]:
        """Add rows of one name; returns the numbers they got.

        Parameters
        ----------
        index
            Of what each row is, shape ``(rows,)``.
        limits
            Least and most of each row.
        row, position, sign, divisor
            Of each entry: its row among these, its unit, and what the unit's allowance is multiplied and divided by.
        """
        least, most = limits
        if self.whole and rule not in ROW_TOLERANCE:
            least, most = whole_limits(least, most)
        numbers = np.arange(self.count, self.count + len(index))
        self.count += len(index)
        self.parts.append((least, most, np.full(len(index), rule, dtype=object), index))
        factors = (np.broadcast_to(np.asarray(factor, float), position.shape) for factor in (sign, divisor))
        self.entries.append((numbers[row], position, *factors))
        return numbers

    def most_of(self, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
        """Upper limits of rows that have been added, by their numbers."""
        most: NDArray[np.float64] = np.concatenate([part[1] for part in self.parts])[numbers]
        return most

    def finish(self) -> CouplingRows:
        """All rows added, in their order."""
        row, position, sign, divisor = (np.concatenate([entry[k] for entry in self.entries]) for k in range(4))
        least, most, rule, index = (np.concatenate([part[k] for part in self.parts]) for k in range(4))
        return CouplingRows(row.astype(np.int64), position.astype(np.int64), sign, divisor, least, most, rule, index)
