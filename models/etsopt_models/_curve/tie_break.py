"""Prices of the tie-break where earlier objectives left an interval to each unit and sides to each row."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt_models._projection.least_squares import Projection
from etsopt_models._projection.newton import Entries
from etsopt_models._projection.proximal import maximise
from etsopt_models._tolerances import EARLIER_OBJECTIVES_MISS_T

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt_models._curve.affine import Affine

    Array = NDArray[np.float64]


def prices_between(
    rows: Entries, emissions: Array, reference: Array, units: tuple[Affine, Affine], sides: tuple[Affine, Affine]
) -> Array:
    """Return duals of the rows at which units respond with the tie-break, shape ``(rows,)``.

    Parameters
    ----------
    units
        Lower and upper ends of the intervals of units.
    sides
        Lower and upper sides of the rows; a row with equal ones is an equality.
    """
    (lower, upper), (least, most) = units, (side.value for side in sides)
    equal = least == most
    # Each side is a row of its own: the upper ones with their signs reversed, an equality once.
    below, above = np.flatnonzero(np.isfinite(least)), np.flatnonzero(np.isfinite(most) & ~equal)
    parts = [(below, 1.0), (above, -1.0)]
    row, column, value = [], [], []
    for first, (which, sign) in zip((0, len(below)), parts, strict=True):
        place = np.full(rows.rows, -1)
        place[which] = first + np.arange(len(which))
        of = place[rows.row]
        row.append(of[of >= 0])
        column.append(rows.column[of >= 0])
        value.append(sign * rows.value[of >= 0])
    stacked = replace(
        rows,
        row=np.concatenate(row),
        column=np.concatenate(column),
        value=np.concatenate(value),
        rows=len(below) + len(above),
    )
    asked = np.concatenate([least[below], -most[above]])
    is_equality = np.concatenate([equal[below], np.zeros(len(above), dtype=bool)])
    ends = np.minimum(lower.value, upper.value), upper.value
    enough = np.full(len(asked), EARLIER_OBJECTIVES_MISS_T)
    duals, _, _ = maximise(Projection(emissions, reference, *ends, None, stacked, asked, is_equality, enough))
    found = np.zeros(rows.rows)
    found[below] = duals[: len(below)]
    found[above] -= duals[len(below) :]
    return found
