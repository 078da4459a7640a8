"""The limits of an allocation as affine functions of a few keys of the policy, and its rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt_models._allocation.limits import IN_TONNES
from etsopt_models._curve.affine import Affine, shifted
from etsopt_models._curve.region import region_of
from etsopt_models._projection.newton import Entries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from etsopt_models._curve.region import Region

    Array = NDArray[np.float64]

ROWS = {**IN_TONNES, "enterprise_band": ("enterprise_lower", "enterprise_upper")}
"""Rows that couple units, and the parameters of their limits."""

MOVING = (
    *("lower", "upper", "reference", "obligation", "at_target_rate"),
    *(name for limits in ROWS.values() for name in limits),
)
"""Parameters of `allocation` that limits move."""


@dataclass(frozen=True)
class Parametric:
    """Parameters of `allocation` over a box of values of some keys.

    Parameters
    ----------
    origin
        Parameters at the first corner of the box.
    corners
        Parameters at the corner of each axis.
    names
        Name and index of each row.
    free
        Positions of the adjustable units in the instance.
    """

    origin: Mapping[str, Any]
    corners: Sequence[Mapping[str, Any]]
    names: Sequence[tuple[str, str]]
    free: NDArray[np.int64]

    @property
    def axes(self) -> int:
        """Number of axes of the box."""
        return len(self.corners)

    @cached_property
    def emissions(self) -> Array:
        """Emissions of adjustable units, shape ``(units,)`` [tCO2e]."""
        emissions: Array = self.origin["emissions"]
        return emissions

    @property
    def spread_weight(self) -> float:
        """Weight of a tonne in the objective `spread`."""
        return float(self.origin["per_total_emissions"])

    @cached_property
    def slopes(self) -> dict[str, Array]:
        """Move of every parameter along each axis, shape ``(axes, n)``."""
        return {
            name: np.stack([np.asarray(corner[name]) - np.asarray(self.origin[name]) for corner in self.corners])
            for name in MOVING
        }

    @cached_property
    def rows(self) -> Entries:
        """Rows over units, all components one after another; every coefficient is one."""
        units, row, column, first = self.origin["UNITS"], [], [], 0
        groups = [self.origin[name] for name in ("UNITS_IN_SECTOR", "UNITS_IN_PROVINCE")]
        parts = [(np.repeat(np.arange(len(group)), np.diff(group.starts)), group.members) for group in groups]
        parts.append(
            (np.zeros(units * self.origin["NATION"], dtype=np.int64), np.arange(units * self.origin["NATION"]))
        )
        owned = self.origin["UNITS_OF_ENTERPRISE"]
        parts.append((np.repeat(np.arange(len(owned)), np.diff(owned.starts)), owned.members))
        for (own, members), (least, _) in zip(parts, ROWS.values(), strict=True):
            row.append(first + own)
            column.append(members)
            first += len(self.origin[least])
        rows, columns = np.concatenate(row), np.concatenate(column)
        return Entries(rows, columns, np.ones(len(rows)), first, units)

    def given(self, point: Array) -> dict[str, Any]:
        """Return the parameters at a point of the unit box."""
        return {
            **self.origin,
            **{name: shifted(self.origin[name], point, along) for name, along in self.slopes.items()},
        }

    def limits(self, point: Array) -> dict[str, Affine]:
        """Return the moving parameters at a point, those of the rows joined as ``least`` and ``most``."""
        limits = {name: Affine(shifted(self.origin[name], point, along), along) for name, along in self.slopes.items()}
        sides = ([limits.pop(pair[k]) for pair in ROWS.values()] for k in (0, 1))
        least, most = (Affine.joined(side) for side in sides)
        return {**limits, "least": least, "most": most}

    def duals(self, multipliers: Mapping[str, Array]) -> Array:
        """Return the duals of all rows from the multipliers of a level, by component."""
        return np.concatenate(
            [multipliers.get(name, np.zeros(len(self.origin[least]))) for name, (least, _) in ROWS.items()]
        )

    def multipliers(self, duals: Array) -> dict[str, Array]:
        """Return the multipliers of a level by component from the duals of all rows."""
        ends = np.cumsum([len(self.origin[least]) for least, _ in ROWS.values()])
        return dict(zip(ROWS, np.split(duals, ends[:-1]), strict=True))

    def solved(
        self, weight: Array, active: NDArray[np.bool_], right: Array, most_missed: float, redundant: float
    ) -> Array | None:
        """Return duals of active rows that move their totals by some right-hand sides, zero for the other rows.

        Parameters
        ----------
        weight
            Move of every unit with its dual activity, shape ``(units,)``.
        right
            Shape ``(axes, rows)``.
        most_missed
            Miss of a right-hand side above which there is no solution.
        """
        moved = np.zeros((len(right), self.rows.rows))
        place = np.flatnonzero(active)
        if not len(place):
            return moved
        matrix = self._curvature(weight)[np.ix_(place, place)]
        wanted = right[:, place].T
        found = np.linalg.lstsq(matrix, wanted, rcond=redundant)[0]
        if np.max(np.abs(matrix @ found - wanted), initial=0.0) > most_missed:
            return None
        moved[:, place] = found.T
        return moved

    def _curvature(self, weight: Array) -> Array:
        """Return the rows times the weights of units times the transposed rows, shape ``(rows, rows)``."""
        count = self.rows.rows
        one, other, unit = self._pairs
        return np.bincount(one * count + other, weight[unit], count * count).reshape(count, count).astype(float)

    @cached_property
    def _pairs(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Both rows and the unit of every pair of entries of a unit."""
        order = np.argsort(self.rows.column, kind="stable")
        row, unit = self.rows.row[order], self.rows.column[order]
        parts, distance = [(row, row, unit)], 1
        while len(same := np.flatnonzero(unit[distance:] == unit[:-distance])):
            parts += [(row[same], row[same + distance], unit[same]), (row[same + distance], row[same], unit[same])]
            distance += 1
        one, other, of = (np.concatenate([part[k] for part in parts]) for k in range(3))
        return one, other, of

    def region(self, point: Array, solution: Any) -> Region | None:
        """Return the region around a point that was solved; None where its multipliers are degenerate."""
        duals = {level.name: self.duals(level.multipliers) for level in solution.levels}
        return region_of(self, point, duals)

    def region_of(self, point: Array, duals: Mapping[str, Array]) -> Region | None:
        """Return the region around a point from the duals of the rows by objective; those of the tie-break may be left out."""
        return region_of(self, point, duals)
