"""Multipliers that serve a box of two keys, at the cells of its map.

Multipliers of the linear objectives serve far more of a box than a region has, since prices of the tie-break follow
from them at each place. So few of them answer everywhere: a point that none serves is solved, and adds its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.errors import StoppedError
from etsopt.common.language import _
from etsopt.common.progress import checkpoint, watched
from etsopt.studies.curves.solver import InfeasibleError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from etsopt.studies.curves.solver import CurveSolver

    Array = NDArray[np.float64]
    Duals = Mapping[str, Array]

CELLS = 28
"""Cells on each side of the map, whose middles are the points that are tried: so no cell is left open that can be
proven. As many leave about one place of a hundred of `cn-2025` without multipliers."""

STRIDE = 299
"""Steps from a cell to the one tried next, along rows: about the golden section of all, which spreads them, and without
a common factor with their number, so that each has its turn."""

SETS_MAX = 200
"""Multipliers of a page at most, about 80 kB of `cn-2025`; further points are left open."""

TRIED = 12
"""Multipliers tried at a point, those that served nearest to it first, as the page tries them."""

EDGE = 10
"""Points on each side of the box, from its corner on: readers look at ends, which a sequence does not reach. They are
the last, because a solve at an end is often degenerate, where multipliers from inside serve."""

INFEASIBLE, OPEN = -1, -2
"""What is said of a point where no multipliers serve: limits cannot be met, or nothing is proven."""


def points_count() -> int:
    """Return the number of all points, of cells and sides."""
    return CELLS**2 + 4 * EDGE


def point_of(number: int) -> Array:
    """Return a point: the middle of a cell, or after all of these a place on a side, shape ``(2,)``."""
    if (beyond := number - CELLS**2) >= 0:
        along = beyond // 4 / EDGE
        return np.array([(along, 0.0), (1.0, along), (1 - along, 1.0), (0.0, 1 - along)][beyond % 4])
    row, column = divmod(number * STRIDE % CELLS**2, CELLS)
    return (np.array([column, row]) + 0.5) / CELLS


@dataclass
class BoxCover:
    """What serves the points of a box.

    Parameters
    ----------
    solver
        What answers at points of the box.
    linear
        Duals of the checker's rows in each linear objective.
    missing
        Duals of the checker's rows that prove that no allocation exists.
    points
        For each point the number of what serves it, `INFEASIBLE` or `OPEN`.
    """

    solver: CurveSolver
    linear: list[Duals] = field(default_factory=list)
    missing: list[Array] = field(default_factory=list)
    points: list[int] = field(default_factory=list)
    termination: str = "optimal"

    @cached_property
    def places(self) -> Array:
        """All points, shape ``(points, 2)``."""
        return np.array([point_of(number) for number in range(points_count())])

    @property
    def certified_share(self) -> float:
        """Share of the points that are proven, of those that are not proven to have no allocation."""
        feasible = [point for point in self.points if point != INFEASIBLE]
        return sum(point != OPEN for point in feasible) / len(feasible) if feasible else 1.0

    @property
    def proven(self) -> bool:
        """True if every point is proven."""
        return OPEN not in self.points

    def serves(self, number: int, point: Array) -> bool:
        """Return True if the checker proves the answer that multipliers make at a point."""
        duals = {name: dual[self.solver.row_of] for name, dual in self.linear[number].items()}
        region = self.solver.parametric.region_of(point, duals)
        return region is not None and self.solver.certified(region, (point, point)).certified

    def is_infeasible(self, point: Array) -> bool:
        """Return True if it is proven that no allocation exists at a point."""
        return any(self.solver.infeasible_by_t([point], dual) > 0 for dual in self.missing)

    def nearby(self, point: Array) -> list[int]:
        """Return the numbers of the multipliers that served nearest to a point."""
        served = np.array(self.points, dtype=np.int64)
        distance = np.hypot(*(self.places[: len(served)] - point).T)
        order = np.lexsort((served, distance))
        return list(dict.fromkeys(served[order][served[order] >= 0].tolist()))[:TRIED]

    def add(self, point: Array) -> None:
        """Add a point, with multipliers of its own if none serves."""
        self.points.append(self._found(point))

    def _found(self, point: Array) -> int:
        if self.is_infeasible(point):
            return INFEASIBLE
        served = next((number for number in self.nearby(point) if self.serves(number, point)), None)
        if served is not None:
            return served
        try:
            region = self.solver.region(point)
        except InfeasibleError:
            dual = self.solver.missing(point)
            if dual is None or not self.solver.infeasible_by_t([point], dual) > 0:
                return OPEN
            self.missing.append(dual)
            return INFEASIBLE
        if region is None or len(self.linear) == SETS_MAX:
            return OPEN
        claim = self.solver.claim(region, (point, point))
        self.linear.append({name: dual for name, dual in claim.duals.items() if name != "least_squares"})
        if self.serves(len(self.linear) - 1, point):
            return len(self.linear) - 1
        self.linear.pop()
        return OPEN


def cover_box(
    solver: CurveSolver, time_limit_s: float | None = None, progress: Callable[[str], None] | None = None
) -> BoxCover:
    """Find multipliers that serve a box; at a deadline or Ctrl-C what is found by then is kept."""
    found = BoxCover(solver)
    try:
        with watched(time_limit_s, progress):
            for number in range(points_count()):
                checkpoint(_("points of the box:"), number, points_count())
                found.add(point_of(number))
    except StoppedError as stopped:
        found.termination = stopped.termination
    found.points += [OPEN] * (points_count() - len(found.points))
    return found


def certified_again(
    solver: CurveSolver, linear: Sequence[Duals], missing: Sequence[Array], points: Iterable[int]
) -> BoxCover:
    """Return what the checker proves of multipliers at the points of which it is said; the others are open."""
    found, stated_of = BoxCover(solver, list(linear), list(missing)), dict(enumerate(points))
    for number in range(points_count()):
        point, stated = point_of(number), stated_of.get(number, OPEN)
        holds = found.is_infeasible(point) if stated == INFEASIBLE else stated >= 0 and found.serves(stated, point)
        found.points.append(stated if holds else OPEN)
    return found
