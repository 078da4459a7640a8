"""Cells: units in the same coupling rows, which no row distinguishes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.data.groups import Groups
from etsopt_models._allocation.limits import IN_TONNES
from etsopt_models._effort import COUNTED_CODES_PER_UNIT_MAX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Cells:
    """Cells of units; the rows of all components are numbered one after another.

    Parameters
    ----------
    of_unit
        Cell of every unit, shape ``(units,)``.
    sector, province
        Row of every cell; -1 for no sector with a target, no province with a balance.
    counts
        Number of rows of each component, in the order of `IN_TONNES`.
    """

    of_unit: NDArray[np.int64]
    sector: NDArray[np.int64]
    province: NDArray[np.int64]
    counts: tuple[int, int, int]

    @classmethod
    def of(cls, parameters: Mapping[str, Any], apart: NDArray[np.int64] | None = None) -> Cells:
        """Return the cells of the units that the parameters of `allocation` describe.

        Parameters
        ----------
        apart
            Labels from 0 on; units that differ in them are in different cells. None for no labels.
        """
        counts = parameters["SECTORS"], parameters["PROVINCES"], parameters["NATION"]
        sector = _labels(parameters["UNITS_IN_SECTOR"], parameters["UNITS"])
        province = _labels(parameters["UNITS_IN_PROVINCE"], parameters["UNITS"])
        most = (counts[0] + 1) * (counts[1] + 1)
        code = (sector + 1) * (counts[1] + 1) + province + 1
        label = np.zeros_like(code) if apart is None else apart
        number, codes = numbered(label * most + code, (int(np.max(label, initial=0)) + 1) * most)
        codes = codes % most
        return cls(number, codes // (counts[1] + 1) - 1, codes % (counts[1] + 1) - 1, counts)

    def __len__(self) -> int:
        return len(self.sector)

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum of the values of the units in every cell."""
        return np.bincount(self.of_unit, values, len(self)).astype(float)

    @cached_property
    def blocks(self) -> dict[str, slice]:
        """Positions of the rows of each component."""
        ends = np.cumsum([0, *self.counts]).tolist()
        return {name: slice(*part) for name, part in zip(IN_TONNES, pairwise(ends), strict=True)}

    @cached_property
    def entries(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Row and cell of each coefficient, all of which are one."""
        all_cells = np.arange(len(self))
        sector, province, nation = (self.blocks[name].start for name in IN_TONNES)
        targeted, counted = np.flatnonzero(self.sector >= 0), np.flatnonzero(self.province >= 0)
        of_nation = all_cells[: len(self) * self.counts[2]]
        rows = [self.sector[targeted] + sector, self.province[counted] + province, np.full(len(of_nation), nation)]
        return np.concatenate(rows), np.concatenate([targeted, counted, of_nation])

    def totals(self, by_cell: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the left-hand side of every row."""
        rows, cells = self.entries
        return np.bincount(rows, by_cell[cells], sum(self.counts)).astype(float)

    def dual_activity(self, duals: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the dual activity of every cell: the sum of the duals of its rows."""
        rows, cells = self.entries
        return np.bincount(cells, duals[rows], len(self)).astype(float)

    def largest(self, by_row: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the largest value among the rows of each cell; zero if it is in none."""
        rows, cells = self.entries
        largest = np.zeros(len(self))
        np.maximum.at(largest, cells, by_row[rows])
        return largest

    def groups(self, cell: NDArray[np.int64]) -> dict[str, Groups]:
        """Return the grouped sets of `allocation` for parts of cells, by the cell of each."""
        sector, province, _ = self.counts
        return {
            "UNITS_IN_SECTOR": Groups.from_labels(self.sector[cell], sector),
            "UNITS_IN_PROVINCE": Groups.from_labels(self.province[cell], province),
        }


def numbered(codes: NDArray[np.int64], most: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number the codes that occur, which are from 0 to below ``most``: the number of each, and the code of each number.

    >>> numbered(np.array([7, 2, 7]), 9)
    (array([1, 0, 1]), array([2, 7]))
    """
    if most > COUNTED_CODES_PER_UNIT_MAX * len(codes) + 1000:
        occurring, number = np.unique(codes, return_inverse=True)
        return number, occurring
    occurring = np.flatnonzero(np.bincount(codes, minlength=most))
    place = np.zeros(most, dtype=np.int64)
    place[occurring] = np.arange(len(occurring))
    return place[codes], occurring


def _labels(groups: Groups, units: int) -> NDArray[np.int64]:
    """Return the group of every unit; -1 for none."""
    label = np.full(units, -1)
    label[groups.members] = np.repeat(np.arange(len(groups)), np.diff(groups.starts))
    return label
