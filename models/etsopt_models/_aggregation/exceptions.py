r"""Exceptions of `allocation` over cells, and the elastic program there.

The margin of an exception counts in the rows like that of any other unit of its cell. So of two units in a cell, an
exception of the first (the larger, or of equal ones the first by `unit_id`) is as good as one of the other, unless the
other's margin is larger, as that of a smaller unit may be by rounding. A unit behind as many equally good ones as
exceptions are allowed is never an exception. The few others in each cell stay separate, and the rest is aggregated.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt_models._aggregation.aggregation import Ranges, program_over
from etsopt_models._aggregation.cells import Cells, numbered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt_models._aggregation.aggregation import OptimalFace, Run


def first_in_cells(
    cells: Cells, order: NDArray[np.float64], widening: tuple[NDArray[np.float64], NDArray[np.float64]], most: int
) -> NDArray[np.bool_]:
    """Return True for units that may be among the ``most`` best of their cell.

    Parameters
    ----------
    order
        Units with the least numbers come first, equal ones by their position.
    widening
        Margins of each unit below and above its band [t].
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
        # Units with a margin above the least of the first ones, however small they are.
        least = np.full(len(cells), np.inf)
        np.minimum.at(least, cells.of_unit[first], side[first])
        kept |= side > least[cells.of_unit]
    return kept


def _apart(cells: Cells, alone: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the parts if some units are parts of their own and the rest of each cell is one.

    Returns
    -------
    tuple
        The part of every unit, the cell of every part, and the unit of every part; -1 if it is the rest of a cell.
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
    """Return the parameters of `allocation_elastic` over cells, from those over units, and the part of every unit."""
    # The bands of a sector widen together, with a target or without.
    cells = Cells.of(parameters, parameters["sector"])
    sector = np.zeros(len(cells), dtype=np.int64)
    sector[cells.of_unit] = parameters["sector"]
    widening = parameters["widening_lower"], parameters["widening_upper"]
    most = parameters["exceptions_most"]
    alone = np.zeros(len(cells.of_unit), dtype=bool)
    for side in widening:
        # Exceptions have no order here: the units with the largest margin on either side may be one.
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
    """Return a solution of the objectives of exceptions, the exceptions, and the face with them; `face` is without."""
    lower, upper = parameters["widening_lower"], parameters["widening_upper"]
    most = parameters["exceptions_most"]
    of_unit, cell, unit = _apart(cells, first_in_cells(cells, parameters["size_gap"], (lower, upper), most))
    exists = unit >= 0
    below, above = np.where(exists, lower[unit], 0.0), np.where(exists, upper[unit], 0.0)
    low, high = (np.bincount(of_unit, end, len(cell)).astype(float) for end in (face.lower, face.upper))
    # Allowances count from the widest lower ends on.
    base = cells.totals(np.bincount(cell, low - below, len(cells)).astype(float))
    all_parts = np.arange(len(cell))
    program = program_over(parameters, cells, face, Ranges(cell, high - low + below + above, base)) | {
        "MAY_BE_EXCEPTIONAL": all_parts,
        "WITH_OWN_BAND": all_parts,
        "LIMITED": 1,
        "band_lower": below,
        "band_upper": below + high - low,
        "widening_lower": below,
        "widening_upper": above,
        # An aggregated part has no margin as an exception, and comes last.
        "size_gap": np.where(exists, parameters["size_gap"][unit], np.max(parameters["size_gap"], initial=0.0)),
        "place": np.where(exists, parameters["place"][unit], len(of_unit) + 1.0),
    }
    solution = run(program, names, by_solver=False)
    exceptional = np.zeros(len(of_unit))
    if solution.values:
        exceptional[unit[(solution.values["exceptional"] > 0.5) & exists]] = 1.0
    wider = replace(face, lower=face.lower - exceptional * lower, upper=face.upper + exceptional * upper)
    return solution, exceptional, wider
