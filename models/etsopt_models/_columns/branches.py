"""Branches (a unit runs a measure in a year, or does not) and masks (the sets that branches leave to a unit)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Branch(NamedTuple):
    """A unit that runs, or does not run, a measure in a year; the measure by its place among those of its unit."""

    unit: int
    year: int
    measure: int
    runs: bool


class Masks(NamedTuple):
    """Units with branches, in order, and True for the sets that each may run, shape ``(units, years, sets)``."""

    units: NDArray[np.int64]
    may: NDArray[np.bool_]


NO_MASKS = Masks(np.zeros(0, dtype=np.int64), np.zeros((0, 0, 0), dtype=bool))
"""Masks without branches."""
