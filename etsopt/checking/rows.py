"""Rows that couple units: entries, limits, and the names by which duals are stated for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.checking.bands import whole_limits
from etsopt.units import sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROW_TOLERANCE = {"fair_order": 1e-8, "equal_rates": 1e-8}
ROW_TOLERANCE_T = 2e-2
"""A total may leave its limit by 20 kg, an order of rates by 1e-8."""


@dataclass(frozen=True)
class CouplingRows:
    """Rows over units: entries as triples, limits, and the name and index of each row.

    Row ``r`` says ``least[r] <= sum of coefficient * A over its entries <= most[r]``.

    Parameters
    ----------
    row, position, coefficient
        Of every entry, shape ``(entries,)``.
    least, most
        Shape ``(rows,)``.
    rule, index
        What each row is called, and of what it is, shape ``(rows,)``; both together are unique.
    """

    row: NDArray[np.int64]
    position: NDArray[np.int64]
    coefficient: NDArray[np.float64]
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

    def totals(self, allowance: NDArray[np.float64]) -> NDArray[np.float64]:
        """Left-hand side of every row."""
        return sums(self.row, self.coefficient * allowance[self.position], len(self))

    def reach(self, sizes: NDArray[np.float64]) -> NDArray[np.float64]:
        """What a unit of the given size adds at most to each row; zero where a row is empty."""
        largest = np.zeros(len(self))
        np.maximum.at(largest, self.row, np.abs(self.coefficient) * sizes[self.position])
        return largest

    def pull(self, price: NDArray[np.float64], units: int) -> NDArray[np.float64]:
        """What the prices of the rows add up to at every unit."""
        return np.bincount(self.position, self.coefficient * price[self.row], units).astype(float)

    def limits_of(self, rule: str) -> pd.DataFrame:
        """Columns ``least`` and ``most`` of the rows of one name, by their index."""
        here = self.rule == rule
        return pd.DataFrame({"least": self.least[here], "most": self.most[here]}, index=pd.Index(self.index[here]))

    def prices(self, duals: pd.DataFrame) -> NDArray[np.float64]:
        """Multiplier of every row by the table of duals of one level; zero where it states none."""
        found = np.zeros(len(self))
        rule = duals["row"].to_numpy()
        for name in pd.unique(self.rule):
            here, stated = np.flatnonzero(self.rule == name), duals[rule == name]
            place = pd.Index(self.index[here]).get_indexer(stated["index"])
            found[here[place[place >= 0]]] = stated["multiplier"].to_numpy(dtype=float)[place >= 0]
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
        coefficient: NDArray[np.float64] | float = 1.0,
    ) -> NDArray[np.int64]:
        """Add rows of one name; returns the numbers they got.

        Parameters
        ----------
        index
            Of what each row is, shape ``(rows,)``.
        limits
            Least and most of each row.
        row, position, coefficient
            Of each entry: its row among these, its unit, and the factor of the unit's allowance.
        """
        least, most = limits
        if self.whole and rule not in ROW_TOLERANCE:
            least, most = whole_limits(least, most)
        numbers = np.arange(self.count, self.count + len(index))
        self.count += len(index)
        self.parts.append((least, most, np.full(len(index), rule, dtype=object), index))
        self.entries.append((numbers[row], position, np.broadcast_to(np.asarray(coefficient, float), position.shape)))
        return numbers

    def most_of(self, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
        """Upper limits of rows that have been added, by their numbers."""
        most: NDArray[np.float64] = np.concatenate([part[1] for part in self.parts])[numbers]
        return most

    def finish(self) -> CouplingRows:
        """All rows added, in their order."""
        row, position, coefficient = (np.concatenate([entry[k] for entry in self.entries]) for k in range(3))
        least, most, rule, index = (np.concatenate([part[k] for part in self.parts]) for k in range(4))
        return CouplingRows(row.astype(np.int64), position.astype(np.int64), coefficient, least, most, rule, index)
