r"""Exceptions of `allocation` over cells, and what has to give way there.

What the wider band of a unit adds counts in the rows as that of any other unit of its cell. So of two units in a cell
an exception of the one that comes first, the larger or of equal ones the first by `unit_id`, is always as good as one
of the other, unless the other's band becomes wider by more tonnes, as the smaller may where limits are rounded. A unit
behind as many that are as good as there may be exceptions is none. Those that remain are a few in each cell; they stay
units of their own, and the rest of each cell is merged.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt_models._aggregation.aggregation import program_over
from etsopt_models._aggregation.cells import Cells, numbered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt_models._aggregation.aggregation import OptimalFace, Run


def first_in_cells(
    cells: Cells, order: NDArray[np.float64], widening: tuple[NDArray[np.float64], NDArray[np.float64]], most: int
) -> NDArray[np.bool_]:
    """Units that may be among the best of their cell, of which up to ``most`` are taken.

    Parameters
    ----------
    order
        The units with the least numbers go first, those of equal numbers by their position.
    widening
        By how much the band of each unit becomes wider below and above [t].
    """
    widens = (widening[0] > 0) | (widening[1] > 0)
    if not most:
        return np.zeros_like(widens)
    sorted_units = np.lexsort((order, ~widens, cells.of_unit))
    starts = np.concatenate([[0], np.cumsum(np.bincount(cells.of_unit, minlength=len(cells)))[:-1]])
    place = np.empty(len(order), dtype=np.int64)
    place[sorted_units] = np.arange(len(order))
    first = widens & (place - starts[cells.of_unit] < most)
    kept = first.copy()
    for side in widening:
        # Who adds more than the least of the first, however small it is.
        least = np.full(len(cells), np.inf)
        np.minimum.at(least, cells.of_unit[first], side[first])
        kept |= side > least[cells.of_unit]
    return kept


def _apart(cells: Cells, alone: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Part of every unit where some are parts of their own and the rest of each cell is one.

    Returns
    -------
    tuple
        The part of every unit, the cell of every part, and the unit of every part; -1 where it is the rest of a cell.
    """
    units = np.flatnonzero(alone)
    code = cells.of_unit.copy()
    code[units] = len(cells) + np.arange(len(units))
    of_unit, codes = numbered(code, len(cells) + len(units))
    unit = np.where(codes < len(cells), -1, 0)
    unit[codes >= len(cells)] = units
    cell = np.where(unit < 0, codes, cells.of_unit[unit])
    return of_unit, cell, unit


def elastic_cells(parameters: Mapping[str, Any]) -> tuple[dict[str, Any], NDArray[np.int64]]:
    """Parameters of `allocation_elastic` over cells, from those over units, and the part of every unit."""
    # The bands of a sector become wider together, whether or not it has a target.
    cells = Cells.of(parameters, parameters["sector"])
    sector = np.zeros(len(cells), dtype=np.int64)
    sector[cells.of_unit] = parameters["sector"]
    widening = parameters["widening_lower"], parameters["widening_upper"]
    most = parameters["exceptions_most"]
    alone = np.zeros(len(cells.of_unit), dtype=bool)
    for side in widening:
        # Exceptions have no order here: who adds most to either side may be one.
        alone |= first_in_cells(cells, -side, (side, 0 * side), most)
    of_unit, cell, unit = _apart(cells, alone)
    sums = {
        name: np.bincount(of_unit, parameters[name], len(cell)).astype(float)
        for name in ("emissions", "band_lower", "band_upper", "allowance_most")
    }
    wider = {
        name: np.where(unit < 0, 0.0, side[unit])
        for name, side in zip(("widening_lower", "widening_upper"), widening, strict=True)
    }
    aggregated = {
        **parameters,
        **sums,
        **wider,
        "UNITS": len(cell),
        "WITH_OWN_BAND": np.arange(len(cell)),
        "per_emission": 1 / sums["emissions"],
        "sector": sector[cell],
        **cells.groups(cell),
    }
    return aggregated, of_unit


def choose_exceptions(
    parameters: Mapping[str, Any], cells: Cells, face: OptimalFace, names: list[str], run: Run
) -> tuple[Any, NDArray[np.float64], OptimalFace]:
    """The levels of exceptions: a solution of them, who is one, and the intervals with these; the region is without."""
    lower, upper = parameters["widening_lower"], parameters["widening_upper"]
    most = parameters["exceptions_most"]
    of_unit, cell, unit = _apart(cells, first_in_cells(cells, parameters["smaller"], (lower, upper), most))
    exists = unit >= 0
    below, above = np.where(exists, lower[unit], 0.0), np.where(exists, upper[unit], 0.0)
    low, high = (np.bincount(of_unit, end, len(cell)).astype(float) for end in (face.lower, face.upper))
    # Allowances count from the widest lower ends on.
    base = cells.totals(np.bincount(cell, low - below, len(cells)).astype(float))
    everyone = np.arange(len(cell))
    program = program_over(parameters, cells, cell, high - low + below + above, face, base) | {
        "MAY_BE_EXCEPTIONAL": everyone,
        "WITH_OWN_BAND": everyone,
        "LIMITED": 1,
        "band_lower": below,
        "band_upper": below + high - low,
        "widening_lower": below,
        "widening_upper": above,
        # What is merged adds nothing as an exception, and goes last.
        "smaller": np.where(exists, parameters["smaller"][unit], np.max(parameters["smaller"], initial=0.0)),
        "place": np.where(exists, parameters["place"][unit], len(of_unit) + 1.0),
    }
    solution = run(program, names, by_solver=False)
    exceptional = np.zeros(len(of_unit))
    if solution.values:
        exceptional[unit[(solution.values["exceptional"] > 0.5) & exists]] = 1.0
    wider = replace(face, lower=face.lower - exceptional * lower, upper=face.upper + exceptional * upper)
    return solution, exceptional, wider
