"""The answer of an allocation for two keys at once: regions, stored as they are met."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.common.clock import stopwatch
from etsopt.common.errors import StoppedError
from etsopt.common.language import _
from etsopt.common.offered import offered
from etsopt.common.progress import checkpoint
from etsopt.studies.curves.result import INFEASIBLE, Point
from etsopt.studies.curves.solver import InfeasibleError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etsopt.studies.curves.solver import CurveSolver, Region

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
    seconds
        Time that samples took [s].
    """

    def __init__(self, solver: CurveSolver) -> None:
        self.solver = solver
        self.regions: dict[int, Region] = {}
        self.missing: list[Array] = []
        self.termination, self.seconds = "optimal", 0.0

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
        for number in reversed([*self.regions]):
            region = self.regions[number]
            if region.holds(point, INSIDE_T) and self.solver.certified(region, (point, point)).certified:
                # What is met again is likely to be met soon.
                self.regions[number] = self.regions.pop(number)
                return Point(self.solver.allowances(region, [point])[0], "certified_optimal", False, number)
        nothing = np.full(len(self.solver.box.free), np.nan)
        for number, dual in enumerate(self.missing, 1):
            if self.solver.infeasible_by_t([point], dual) > 0:
                return Point(nothing, INFEASIBLE, False, -number)
        try:
            region_here = self.solver.region(point)
        except InfeasibleError:
            proof = self.solver.missing(point)
            if proof is not None and self.solver.infeasible_by_t([point], proof) > 0:
                self.missing.append(proof)
                return Point(nothing, INFEASIBLE, True, -len(self.missing))
            region_here = None
        if region_here is not None and self.solver.certified(region_here, (point, point)).certified:
            number = len(self.regions) + 1
            self.regions[number] = region_here
            return Point(self.solver.allowances(region_here, [point])[0], "certified_optimal", True, number)
        return Point.of_solve(self.solver, point)

    def sample(self, points: Sequence[tuple[float, float]]) -> pd.DataFrame:
        """Return the answers at many points as a table.

        Columns: one for each key, ``status``, ``solved`` by itself or not, the number of the ``region`` that proves it
        as of a `Point`, and ``<sector>_t``, its allowances [t]. Of a search that is stopped it has the points so far,
        and `termination` says why.
        """
        passed = stopwatch()
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
            row |= {"status": found.status, "solved": found.solved, "region": found.region}
            row |= dict(zip((f"{name}_t" for name in labels.names), labels.sums(found.allowance_t), strict=True))
            rows.append(row)
        names = [*(axis.key for axis in axes), "status", "solved", "region", *(f"{name}_t" for name in labels.names)]
        self.seconds += passed()
        return pd.DataFrame(rows, columns=names)

    def save(self, folder: str | Path, points: pd.DataFrame, table_format: str = "csv") -> None:
        """Write points of `sample` into a folder, with the regions that prove them, which `etsopt check` proves again.

        Raises
        ------
        UsageError
            If the folder holds something else.
        """
        offered("Box.save")(self, Path(folder), points, table_format)

    def __repr__(self) -> str:
        keys = " and ".join(axis.key for axis in self.solver.axes)
        return f"<Box of {self.solver.instance.name} over {keys}: {len(self.regions)} regions>"
