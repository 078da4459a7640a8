"""The answer of an allocation for every value of a limit: pieces, each proven as a whole, and what lies between."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.common.offered import offered
from etsopt.studies.curves.line import Piece
from etsopt.studies.curves.line_curve import LineCurve
from etsopt.studies.curves.solver import MODEL, CurveSolver

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import xarray
    from numpy.typing import NDArray

    from etsopt.presenting.charts.chart import Chart
    from etsopt.running.results.results import Results
    from etsopt.studies.curves.axes import Axis
    from etsopt.studies.curves.solver import Region

    Array = NDArray[np.float64]

INFEASIBLE = "infeasible_certified"

MULTIPLIERS = ["piece", "level", "row", "index", "multiplier_from", "multiplier_to"]
"""Columns of the table of multipliers."""


@dataclass(frozen=True)
class Point:
    """The answer at one value of the keys.

    Parameters
    ----------
    allowance_t
        Allowances of all units in the order of the instance, shape ``(units,)`` [t]; NaN where there is no answer.
    status
        ``certified_optimal``, or the status of a solve.
    solved
        True if no proven piece had the answer, so that it was solved by itself.
    region
        Of a box the number of the region that proves it, below zero that of multipliers by which there is no answer;
        else 0.
    """

    allowance_t: Array
    status: str
    solved: bool
    region: int = 0

    @classmethod
    def of_solve(cls, solver: CurveSolver, point: Array) -> Point:
        """Solve and check at a point of the box."""
        results = solver.results(point)
        nothing = np.full(len(solver.box.free), np.nan)
        found = results.tables[MODEL]["allowance_t"].to_numpy() if MODEL in results.tables else nothing
        return cls(found, results.status, True)

    @property
    def certified(self) -> bool:
        """True if the status is proven."""
        return self.status.startswith("certified") or self.status == INFEASIBLE


def multipliers_of(solver: CurveSolver, number: int, region: Region, ends: Sequence[Array]) -> pd.DataFrame:
    """Return the multipliers of a region that are not zero, at both ends of a segment; columns `MULTIPLIERS`."""
    prices = [region.prices.at(end - region.point) for end in ends]
    both = {**{name: (dual, dual) for name, dual in region.duals.items()}, "least_squares": prices}
    rows = [
        (number, level, *solver.parametric.names[row], start[row], end[row])
        for level, (start, end) in both.items()
        for row in np.flatnonzero((start != 0) | (end != 0))
    ]
    return pd.DataFrame(rows, columns=MULTIPLIERS)


class Curve(LineCurve[CurveSolver, Piece]):
    """The answer along a line of policies.

    Its anchor is the answer in the middle of the widest proven piece, or of the line. It states reference allowances
    and balance values, which no limit moves.
    """

    @property
    def axis(self) -> Axis:
        """The keys that move."""
        return self.solver.axes[0]

    @property
    def units(self) -> list[str]:
        """Identifiers of the units, in the order of the answers."""
        return [str(name) for name in self.instance.units["unit_id"]]

    @cached_property
    def pieces(self) -> pd.DataFrame:
        """Every piece, with the value of each objective at both ends and the largest gap between.

        Columns: ``piece, from, to, certified``, and for each objective ``<name>_from, <name>_to, <name>_gap``, in its
        unit. ``from`` and ``to`` are values of the key; of keys that move together places from 0 to 1.
        """
        rows = []
        for number, piece in enumerate(self.cover.pieces, 1):
            row: dict[str, Any] = {
                "piece": number,
                "from": self.axis.shown(piece.start),
                "to": self.axis.shown(piece.end),
            }
            row["certified"] = piece.certified
            for level in piece.verdict.levels if piece.verdict else ():
                row |= {f"{level.name}_{end}": value for end, value in zip(("from", "to"), level.values, strict=True)}
                row[f"{level.name}_gap"] = level.gap
            rows.append(row)
        return pd.DataFrame(rows, columns=None if rows else ["piece", "from", "to", "certified"])

    @cached_property
    def multipliers(self) -> pd.DataFrame:
        """Multipliers that prove each piece, at both of its ends; those of linear objectives are the same there.

        Columns: ``piece, level, row, index, multiplier_from, multiplier_to``. Those of a target, balance or total are
        shadow prices: the change of the objective per tonne on its right-hand side.
        """
        parts = [self._multipliers_of(number, piece) for number, piece in enumerate(self.cover.pieces, 1)]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=MULTIPLIERS)

    def _multipliers_of(self, number: int, piece: Piece) -> pd.DataFrame:
        """Return the multipliers of one piece that are not zero."""
        return multipliers_of(self.solver, number, piece.region, piece.ends)

    @cached_property
    def slopes(self) -> pd.DataFrame:
        """Change of every unit's allowance per unit of the key, by piece; of keys that move together by place [t].

        One row a unit by its ``unit_id``, one column a piece by its number.
        """
        scale = self.axis.shown(1.0) - self.axis.shown(0.0)
        columns = {}
        for number, piece in enumerate(self.cover.pieces, 1):
            columns[number] = np.zeros(len(self.units))
            columns[number][self.solver.box.free] = piece.region.answer.slope[0] / scale
        return pd.DataFrame(columns, index=pd.Index(self.units, name="unit_id"))

    def at(self, value: float) -> Point:
        """Return the answer at a value of the key; of keys that move together at a place from 0 to 1.

        From a proven piece it takes microseconds; elsewhere the instance is solved and checked under that policy.

        Raises
        ------
        UsageError
            If the value is outside the curve.
        """
        place = self.axis.place(value)
        piece = self._piece_at(place)
        if piece is not None and piece.certified:
            return Point(self._answer(piece, place), "certified_optimal", False)
        if any(one.proven_start <= place <= one.proven_end for one in self.cover.stretches):
            return Point(np.full(len(self.units), np.nan), INFEASIBLE, False)
        return Point.of_solve(self.solver, np.array([place]))

    def results(self, value: float) -> Results:
        """Return the answer at a value of the key with all tables, as `etsopt.solve` does, and checked as that is.

        Raises
        ------
        UsageError
            If the value is outside the curve.
        """
        place = self.axis.place(value)
        piece, point = self._piece_at(place), np.array([place])
        if piece is not None and piece.certified:
            return self.solver.results_of(piece.region, point)
        return self.solver.results(point)

    def _answer(self, piece: Piece, place: float) -> Array:
        """Return the allowances of all units at a place of a piece [t]."""
        answer: Array = self.solver.allowances(piece.region, [np.array([place])])[0]
        return answer

    @cached_property
    def ends(self) -> Array:
        """Places of the ends of pieces in their order, each end of a gap apart, shape ``(ends,)``."""
        return np.array(sorted({place for piece in self.cover.pieces for place in (piece.start, piece.end)}))

    def to_xarray(self) -> xarray.Dataset:
        """Return the allowances of units at the ends of the pieces, between which they are affine.

        Returns
        -------
        xarray.Dataset
            ``allowance_t`` with the dimensions of the key and of ``unit_id`` [t]. The name of the key is the dimension;
            keys that move together have the dimension ``place``.

        Raises
        ------
        UsageError
            If xarray is not installed.
        """
        from etsopt.studies.sweeping.labelled import load_xarray

        axis = self.axis.key or "place"
        pieces = [self._piece_at(place) for place in self.ends]
        answers = [self._answer(piece, place) for piece, place in zip(pieces, self.ends, strict=True) if piece]
        values = {"allowance_t": ((axis, "unit_id"), np.array(answers).reshape(len(self.ends), len(self.units)))}
        coordinates = {axis: [self.axis.shown(place) for place in self.ends], "unit_id": self.units}
        found: xarray.Dataset = load_xarray().Dataset(values, coordinates, {"instance": self.instance.name})
        return found

    def chart(self) -> Chart:
        """Return the chart of the curve: the first objective, surplus rates of units and totals of sectors."""
        drawn: Chart = offered("Curve.chart")(self)
        return drawn

    def save(self, folder: str | Path, table_format: str = "csv") -> None:
        """Write the curve into a folder: pieces, multipliers, and the run of its anchor, which `etsopt check` proves.

        Raises
        ------
        UsageError
            If the folder holds something else.
        """
        offered("Curve.save")(self, folder, table_format)
