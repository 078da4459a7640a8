r"""The whole chain of `allocation` over cells, for very many units.

Coupling rows see a unit only by its sector, its province and the nation. Units that agree in these are a *cell*, and no
row can tell them apart: what a level costs a cell is a convex function of one number, the allowances of the cell. So
each level is the formulation of `allocation` over some hundred cells, exact for `change`, `deficit` and `spread` as
`_parts/merging.py` shows, and made exact in a few rounds for `worst`, `_parts/merged_worst.py`. The prices of its rows
tell for every unit at once what the level leaves open: an interval of its allowances. Over these intervals the last
step is solved for all units, by a price for each cell, `_parts/nearest.py`.

The multipliers are those of the rows of the whole program, so they prove the levels as they do there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.units import TONNE, tolerance_of
from etsopt_models._parts.cells import Cells
from etsopt_models._parts.merged_worst import solve_worst
from etsopt_models._parts.merging import MEASURES, Merged, Region, program_over, solve_linear
from etsopt_models._parts.nearest import Nearest
from etsopt_models._parts.newton import Entries

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._parts.merging import Run

FROM_UNITS = 3_000

ENOUGH_T = 1e-2
"""Violation of a row that is accepted where the rounding of the levels before allows no less [t]."""


def declines(instance: Instance) -> str:
    """Why the units of an instance cannot be merged; empty where they can."""
    allocation = instance.policy.allocation
    if allocation.fair_order:
        return "the fair order links each unit to its neighbours"
    if allocation.band_on == "enterprise":
        return "the bands of enterprises are rows of their own"
    if allocation.whole_allowances:
        return "allowances are whole tonnes"
    if allocation.exceptions.units:
        return "units may be exceptions"
    return ""


def solve(instance: Instance, parameters: dict[str, Any], names: list[str], run: Run) -> Any:
    """Solve the levels over cells.

    Parameters
    ----------
    parameters
        As `allocation.parameters` returns them.
    names
        Objectives in their order, the last of them ``closest``.
    run
        Solves `allocation` with other parameters through the engine.

    Returns
    -------
    Solution
        With the allowances of all units, and the multipliers of their rows.
    """
    cells, region = Cells.of(parameters), Region.of(parameters)
    levels: list[Any] = []
    found: Any = None
    for name in names:
        if name == "closest":
            continue
        covers = None
        found = solve_linear(parameters, cells, region, name, run) if name in MEASURES else None
        if name == "worst":
            found = solve_worst(parameters, cells, region, run)
            if isinstance(found, tuple):
                found, covers = found
        if not isinstance(found, Merged):
            return _stopped(found, levels, parameters, cells, region)
        level, region = found.solution.levels[-1], found.region
        multipliers = _multipliers(cells, found.price) | ({} if covers is None else {"worst_covers": covers})
        levels.append(_level(level, found.value, multipliers, f"{len(cells):,} cells, {level.algorithm}"))
    if levels:
        solution = found.solution
    else:
        # No level has told yet whether there is any allocation at all.
        solution = run(_nothing(parameters, cells, region), ["change"])
        if not solution.levels or solution.termination != "optimal":
            return solution
    allowance, level = _closest(parameters, cells, region, solution.levels[-1])
    return replace(solution, values=_values(allowance), levels=(*levels, level))


def _level(level: Any, value: float, multipliers: dict[str, NDArray[np.float64]], algorithm: str) -> Any:
    """A level of the whole program from that of the merged one."""
    tolerance = tolerance_of(value, level.unit)
    return replace(level, value=value, bound=value, tolerance=tolerance, multipliers=multipliers, algorithm=algorithm)


def _multipliers(cells: Cells, price: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    return {name: price[block] for name, block in cells.blocks.items()}


def _values(allowance: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    return {"allowance": allowance, "exceptional": np.zeros(0)}


def _nothing(parameters: Mapping[str, Any], cells: Cells, region: Region) -> dict[str, Any]:
    """Parameters of the program over cells with no level, which asks only whether there is any allocation."""
    low = cells.sums(region.lower)
    return program_over(
        parameters, cells, np.arange(len(cells)), cells.sums(region.upper) - low, region, cells.totals(low)
    )


def _stopped(solution: Any, levels: list[Any], parameters: Mapping[str, Any], cells: Cells, region: Region) -> Any:
    """What is held where a level has no optimum: the closest point of the levels before it."""
    if not levels:
        return replace(solution, values={}, levels=())
    allowance, _ = _closest(parameters, cells, region, levels[-1])
    return replace(solution, values=_values(allowance), levels=tuple(levels))


def _closest(parameters: Mapping[str, Any], cells: Cells, region: Region, like: Any) -> tuple[NDArray[np.float64], Any]:
    """The closest point of a region and its level, of the kind of another."""
    emissions, reference = parameters["emissions"], parameters["reference"]
    smallest, largest = (cells.totals(cells.sums(end)) for end in (region.lower, region.upper))
    equal = region.least == region.most
    at_least = np.flatnonzero(equal | (region.least > smallest))
    at_most = np.flatnonzero(~equal & (region.most < largest))
    rows = np.concatenate([at_least, at_most])
    signs = np.repeat([1.0, -1.0], [len(at_least), len(at_most)])
    free = np.concatenate([equal[at_least], np.zeros(len(at_most), dtype=bool)])
    row, cell = cells.entries
    # Of every side of a row its coefficients.
    side, entry = np.nonzero(rows[:, np.newaxis] == row)
    entries = Entries(side, cell[entry], signs[side], len(rows), len(cells))
    least = np.concatenate([region.least[at_least], -region.most[at_most]])
    enough = np.full(len(rows), ENOUGH_T)
    problem = Nearest(emissions, reference, region.lower, region.upper, cells.of_unit, entries, least, free, enough)
    prices, steps, reached = problem.maximise()
    allowance = problem.respond(prices)[0]
    value = float(np.sum((allowance - reference) ** 2 / emissions))
    multipliers = _multipliers(cells, np.bincount(rows, signs * prices, len(region.least)).astype(float))
    algorithm = f"prices, {steps} Newton steps{'' if reached else ', stopped short'}"
    return allowance, _level(replace(like, name="closest", unit=TONNE), value, multipliers, algorithm)
