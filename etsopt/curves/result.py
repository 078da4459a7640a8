"""The answer of an allocation for every value of a limit: pieces, each proven as a whole, and what lies between."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.curves.solver import MODEL

if TYPE_CHECKING:
    from pathlib import Path

    import xarray
    from numpy.typing import NDArray

    from etsopt.charts.chart import Chart
    from etsopt.curves.axes import Axis
    from etsopt.curves.line import Cover, Piece
    from etsopt.curves.solver import CurveSolver
    from etsopt.data.instance import Instance
    from etsopt.provenance import Provenance
    from etsopt.results.results import Results

    Array = NDArray[np.float64]

INFEASIBLE = "infeasible_certified"

MULTIPLIERS = ["piece", "level", "row", "index", "multiplier_from", "multiplier_to"]
"""Columns of the table of multipliers."""

ALL = 1 - 1e-9
"""Certified share from which on every value is proven, but for the rounding of ends."""


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
    """

    allowance_t: Array
    status: str
    solved: bool

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


@dataclass(frozen=True)
class Curve:
    """The answer along a line of policies.

    Parameters
    ----------
    solver
        What answers at points of the line, with the instance and its keys.
    cover
        Pieces of the line, and stretches without an allocation.
    anchor
        The answer in the middle of the widest proven piece, or of the line, with all its tables, solved and checked by
        itself. It states reference allowances and balance values, which no limit moves.
    seconds
        Time that the search took [s].
    """

    solver: CurveSolver
    cover: Cover
    anchor: Results
    seconds: float = field(default=0.0, compare=False)

    @property
    def instance(self) -> Instance:
        """The instance whose policy the keys move."""
        return self.solver.instance

    @property
    def about(self) -> Provenance:
        """Provenance of the anchor: instance, policy, versions."""
        return self.anchor.provenance

    @property
    def axis(self) -> Axis:
        """The keys that move."""
        return self.solver.axes[0]

    @property
    def units(self) -> list[str]:
        """Identifiers of the units, in the order of the answers."""
        return [str(name) for name in self.instance.units["unit_id"]]

    @property
    def certified_share(self) -> float:
        """Share of the feasible length whose every value is proven."""
        return self.cover.certified_share

    @property
    def proven(self) -> bool:
        """True if every value with an allocation is proven, but for the rounding of ends."""
        return self.certified_share >= ALL

    @property
    def termination(self) -> str:
        """``optimal`` if the whole line was searched, else why the search ended."""
        return self.cover.termination

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
    def infeasible(self) -> pd.DataFrame:
        """Stretches on which no allocation exists, with what limits are missed by where that is most.

        Columns: ``from, to, proven_from, proven_to, infeasible_by_t``; between ``proven_from`` and ``proven_to`` limits
        are missed by more than the tolerances of an answer.
        """
        shown = self.axis.shown
        rows = [
            (*(shown(at) for at in (one.start, one.end, one.proven_start, one.proven_end)), one.infeasible_by_t)
            for one in self.cover.stretches
        ]
        return pd.DataFrame(rows, columns=["from", "to", "proven_from", "proven_to", "infeasible_by_t"])

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
        region, names = piece.region, self.solver.parametric.names
        prices = [region.prices.at(end - region.point) for end in piece.ends]
        both = {**{name: (dual, dual) for name, dual in region.duals.items()}, "least_squares": prices}
        rows = [
            (number, level, *names[row], start[row], end[row])
            for level, (start, end) in both.items()
            for row in np.flatnonzero((start != 0) | (end != 0))
        ]
        return pd.DataFrame(rows, columns=MULTIPLIERS)

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

    def _piece_at(self, place: float) -> Piece | None:
        number = bisect_right(self._starts, place) - 1
        piece = self.cover.pieces[number] if number >= 0 else None
        return piece if piece is not None and place <= piece.end else None

    @cached_property
    def _starts(self) -> list[float]:
        return [piece.start for piece in self.cover.pieces]

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
        from etsopt.sweeping.labelled import load_xarray

        axis = self.axis.key or "place"
        pieces = [self._piece_at(place) for place in self.ends]
        answers = [self._answer(piece, place) for piece, place in zip(pieces, self.ends, strict=True) if piece]
        values = {"allowance_t": ((axis, "unit_id"), np.array(answers).reshape(len(self.ends), len(self.units)))}
        coordinates = {axis: [self.axis.shown(place) for place in self.ends], "unit_id": self.units}
        found: xarray.Dataset = load_xarray().Dataset(values, coordinates, {"instance": self.instance.name})
        return found

    def chart(self) -> Chart:
        """Return the chart of the curve: the first objective, surplus rates of units and totals of sectors."""
        from etsopt.curves.curve_chart import chart_of

        return chart_of(self)

    def plot(self) -> Any:
        """Return the chart of the curve as a figure of matplotlib.

        Raises
        ------
        UsageError
            If matplotlib is not installed.
        """
        from etsopt.charts.drawing import draw

        return draw(self.chart())

    def save(self, folder: str | Path, table_format: str = "csv") -> None:
        """Write the curve into a folder: pieces, multipliers, and the run of its anchor, which `etsopt check` proves.

        Raises
        ------
        UsageError
            If the folder holds something else.
        """
        from etsopt.curves.folder import write_curve

        write_curve(self, folder, table_format)

    def __repr__(self) -> str:
        about = f"{len(self.cover.pieces)} pieces, {100 * self.certified_share:.6g} % certified"
        return f"<Curve of {self.instance.name} over {self.axis.name}: {about}>"

    def _repr_html_(self) -> str:
        """Return the summary for a notebook."""
        from etsopt.curves.curve_document import document_of
        from etsopt.documents.notebook import output

        return output(document_of(self))
