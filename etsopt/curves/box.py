"""The answer of an allocation for two keys at once: regions, stored as they are met."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.curves.result import INFEASIBLE, Point
from etsopt.curves.solver import InfeasibleError
from etsopt.errors import StoppedError
from etsopt.language import _
from etsopt.progress import checkpoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etsopt.curves.solver import CurveSolver, Region

    Array = NDArray[np.float64]

INSIDE_T = 1e-6
"""Amount by which a point may be outside the margins of a region for the region to be tried there [t]."""


class Box:
    """Answers at points of two keys; a region that was met answers again wherever it is proven to.

    Parameters
    ----------
    solver
        What answers at points of the box, with the instance and its keys.

    Attributes
    ----------
    termination
        Why the last sample ended: ``optimal``, ``time_limit`` or ``interrupted``.
    """

    def __init__(self, solver: CurveSolver) -> None:
        self.solver = solver
        self.regions: list[Region] = []
        self.missing: list[Array] = []
        self.termination = "optimal"

    def at(self, first: float, second: float) -> Point:
        """Return the answer at values of both keys: of a region that is proven there, or of a solve.

        Raises
        ------
        UsageError
            If a value is outside the box.
        """
        axes = self.solver.axes
        point = np.array([axis.place(value) for axis, value in zip(axes, (first, second), strict=True)])
        return self._found(point)

    def _found(self, point: Array) -> Point:
        for place in range(len(self.regions) - 1, -1, -1):
            region = self.regions[place]
            if region.holds(point, INSIDE_T) and self.solver.certified(region, (point, point)).certified:
                # What is met again is likely to be met soon.
                self.regions.append(self.regions.pop(place))
                return Point(self.solver.allowances(region, [point])[0], "certified_optimal", False)
        nothing = np.full(len(self.solver.box.free), np.nan)
        if any(self.solver.infeasible_by_t([point], dual) > 0 for dual in self.missing):
            return Point(nothing, INFEASIBLE, False)
        try:
            region_here = self.solver.region(point)
        except InfeasibleError:
            dual = self.solver.missing(point)
            if dual is not None and self.solver.infeasible_by_t([point], dual) > 0:
                self.missing.append(dual)
                return Point(nothing, INFEASIBLE, True)
            region_here = None
        if region_here is not None and self.solver.certified(region_here, (point, point)).certified:
            self.regions.append(region_here)
            return Point(self.solver.allowances(region_here, [point])[0], "certified_optimal", True)
        return Point.of_solve(self.solver, point)

    def sample(self, points: Sequence[tuple[float, float]]) -> pd.DataFrame:
        """Return the answers at many points as a table.

        Columns: one for each key, ``status``, ``solved`` by itself or not, and ``<sector>_t``, its allowances [t]. Of a
        search that is stopped it has the points so far, and `termination` says why.
        """
        axes, labels = self.solver.axes, self.solver.instance.labels("sector")
        rows = []
        for number, (first, second) in enumerate(points):
            try:
                checkpoint(_("points of the box:"), number, len(points))
                found = self.at(first, second)
            except StoppedError as stopped:
                self.termination = stopped.termination
                break
            row: dict[str, Any] = {axes[0].key: first, axes[1].key: second}
            row |= {"status": found.status, "solved": found.solved}
            row |= dict(zip((f"{name}_t" for name in labels.names), labels.sums(found.allowance_t), strict=True))
            rows.append(row)
        names = [*(axis.key for axis in axes), "status", "solved", *(f"{name}_t" for name in labels.names)]
        return pd.DataFrame(rows, columns=names)

    def __repr__(self) -> str:
        keys = " and ".join(axis.key for axis in self.solver.axes)
        return f"<Box of {self.solver.instance.name} over {keys}: {len(self.regions)} regions>"
