"""Represent the rows that couple units: entries, limits, and the names under which their duals are stated."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.checking.allocation.bands import whole_limits
from etsopt.checking.allocation.certificate import DualActivity, upward_each
from etsopt.checking.arithmetic import ROUNDOFF, difference, exact_sums, gamma, sum_at_most
from etsopt.checking.tolerances import RATE_ROW_TOLERANCES, TOTAL_TOLERANCE_T

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Totals:
    """Left-hand sides of rows, each an unevaluated sum of two numbers, with a bound of its error."""

    high: NDArray[np.float64]
    low: NDArray[np.float64]
    error: NDArray[np.float64]

    @property
    def value(self) -> NDArray[np.float64]:
        """Nearest floating-point numbers."""
        return self.high + self.low


@dataclass(frozen=True)
class CouplingRows:
    """Rows over units: entries, limits, and the name and index of each row.

    Row ``r`` demands ``least[r] <= sum of sign * A / divisor over its entries <= most[r]``; quotients are exact, and no
    rounded inverse is used.

    Parameters
    ----------
    row, position, sign, divisor
        Of every entry, shape ``(entries,)``; the divisor is one in rows of tonnes, and emissions in rows of rates.
    least, most
        Limits, shape ``(rows,)``.
    rule, index
        Name and index of each row, unique together, shape ``(rows,)``.
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
        """Amount by which each row may be missed, in its unit."""
        tolerances = np.full(len(self), TOTAL_TOLERANCE_T)
        for rule, tolerance in RATE_ROW_TOLERANCES.items():
            tolerances[self.rule == rule] = tolerance
        return tolerances

    @cached_property
    def in_rates(self) -> NDArray[np.bool_]:
        """Rows in rates, not in tonnes."""
        return np.isin(self.rule, list(RATE_ROW_TOLERANCES))

    @cached_property
    def most_of_unit(self) -> int:
        """Largest number of rows of a unit."""
        return int(np.bincount(self.position).max(initial=0))

    def totals(self, allowance: NDArray[np.float64]) -> Totals:
        """Return the left-hand side of every row."""
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
        """Return an upper bound of the miss of each row."""
        missed = np.zeros(len(self))
        for side, sign in ((self.least, 1.0), (self.most, -1.0)):
            there = np.isfinite(side)
            # The difference from a side is exact even if the total itself would be rounded.
            high, low = difference(side[there], totals.high[there])
            off = sign * (high + (low - totals.low[there]))
            off = off + totals.error[there] + gamma(4) * (np.abs(high) + np.abs(low) + np.abs(totals.low[there]))
            missed[there] = np.maximum(missed[there], off)
        return missed

    def gap(self, totals: Totals, dual: NDArray[np.float64]) -> float:
        """Return an upper bound of the sum over rows of dual times distance from the supported side."""
        has_dual = dual != 0
        if not np.isfinite(dual[has_dual]).all():
            return float("inf")
        side = np.where(dual > 0, self.least, self.most)[has_dual]
        high, low = difference(totals.high[has_dual], side)
        away = np.sign(dual[has_dual]) * (high + (low + totals.low[has_dual]))
        rounding = gamma(4) * (np.abs(high) + np.abs(low) + np.abs(totals.low[has_dual]))
        with np.errstate(all="ignore"):
            worth = np.abs(dual[has_dual]) * (np.maximum(away, 0.0) + totals.error[has_dual] + rounding)
            return sum_at_most(upward_each(np.where(np.isnan(worth), np.inf, worth)))

    def supported_duals(self, dual: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the duals, zero if they support a side that does not exist."""
        return np.where(np.isfinite(np.where(dual > 0, self.least, self.most)), dual, 0.0)

    def misses_t(self, totals: Totals) -> float:
        """Return the largest miss of a row [t]; an order of rates counts as the move of its smaller unit."""
        smallest = np.full(len(self), np.inf)
        np.minimum.at(smallest, self.row, self.divisor)
        return float(np.max(self.misses(totals) * np.where(np.isfinite(smallest), smallest, 1.0), initial=0.0))

    def dual_activity(self, dual: NDArray[np.float64], units: int) -> DualActivity:
        """Return the activity of the row duals at every unit."""
        of_entry = dual[self.row]
        if self.in_rates.any():
            of_entry = self.sign * of_entry / self.divisor
        parts = of_entry, np.abs(of_entry)
        at_unit, size = (np.bincount(self.position, part, units).astype(np.float64) for part in parts)
        return DualActivity(at_unit, size * (1 + gamma(2 * self.most_of_unit + 4)), self.most_of_unit)

    def reach(self, sizes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the largest contribution of a unit of the given size to each row, zero if the row is empty."""
        largest = np.zeros(len(self))
        np.maximum.at(largest, self.row, sizes[self.position] / self.divisor)
        return largest

    def limits_of(self, rule: str) -> dict[str, tuple[float, float]]:
        """Return the least and the most of each row of one name, by its index."""
        of_rule = self.rule == rule
        pairs = zip(self.least[of_rule].tolist(), self.most[of_rule].tolist(), strict=True)
        return dict(zip(self.index[of_rule], pairs, strict=True))

    def place_of(self, duals: pd.DataFrame) -> NDArray[np.int64]:
        """Return the row of each multiplier, -1 if it has none, shape ``(multipliers,)``."""
        places = np.full(len(duals), -1)
        rule, index = duals["row"].to_numpy(), duals["index"].fillna("").to_numpy()
        for name in pd.unique(self.rule):
            of_rule, stated = np.flatnonzero(self.rule == name), np.flatnonzero(rule == name)
            if len(stated):
                place = pd.Index(self.index[of_rule]).get_indexer(index[stated])
                places[stated] = np.where(place >= 0, of_rule[place], -1)
        return places

    def duals_of(self, duals: pd.DataFrame) -> NDArray[np.float64]:
        """Return the dual of every row from the duals of one objective, zero if none is stated, shape ``(rows,)``."""
        return self.duals_at(self.place_of(duals), duals["multiplier"].to_numpy(dtype=float))

    def duals_at(self, places: NDArray[np.int64], multipliers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the dual of every row from multipliers at known places, -1 for no row, shape ``(rows,)``."""
        duals, known = np.zeros(len(self)), places >= 0
        duals[places[known]] = multipliers[known]
        return duals


class RowBuilder:
    """Builder of coupling rows; for integer allowances it rounds limits in tonnes inward."""

    def __init__(self, integer: bool) -> None:
        self.integer, self.count = integer, 0
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
        """Add rows of one name and return their numbers.

        Parameters
        ----------
        index
            Index of each row, shape ``(rows,)``.
        limits
            Least and most of each row.
        row, position, sign, divisor
            Of each entry: its row among these, its unit, and the sign and divisor of the unit's allowance.
        """
        least, most = limits
        if self.integer and rule not in RATE_ROW_TOLERANCES:
            least, most = whole_limits(least, most)
        numbers = np.arange(self.count, self.count + len(index))
        self.count += len(index)
        self.parts.append((least, most, np.full(len(index), rule, dtype=object), index))
        factors = (np.broadcast_to(np.asarray(factor, float), position.shape) for factor in (sign, divisor))
        self.entries.append((numbers[row], position, *factors))
        return numbers

    def upper_limits(self, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the upper limits of added rows, by their numbers."""
        most: NDArray[np.float64] = np.concatenate([part[1] for part in self.parts])[numbers]
        return most

    def finish(self) -> CouplingRows:
        """Return all added rows, in their order."""
        row, position, sign, divisor = (np.concatenate([entry[k] for entry in self.entries]) for k in range(4))
        least, most, rule, index = (np.concatenate([part[k] for part in self.parts]) for k in range(4))
        return CouplingRows(row.astype(np.int64), position.astype(np.int64), sign, divisor, least, most, rule, index)
