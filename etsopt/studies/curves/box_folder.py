"""A box on disk: points, each with the number of the region that proves it, and multipliers of the regions.

``curve.json`` says what moves, ``points``, ``regions`` and ``multipliers`` are tables, and ``anchor`` is the run of one
point with the instance. A region below zero is one of multipliers by which no allocation exists, and a point of region
0 was solved by itself, of which the folder has no proof: it is open.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _
from etsopt.running.results.results import load_both
from etsopt.studies.curves.axes import axes_of
from etsopt.studies.curves.box import Box
from etsopt.studies.curves.curve_files import (
    ADVICE,
    ANCHOR,
    VALUES_AGREE,
    CurveCheck,
    columns_added,
    instance_in,
    read_files,
    unread,
    write_files,
)
from etsopt.studies.curves.proofs import (
    Stated,
    duals_by_piece,
    joined_tables,
    missing,
    missing_of,
    of_anchor,
    of_multipliers,
)
from etsopt.studies.curves.result import INFEASIBLE, MULTIPLIERS, multipliers_of
from etsopt.studies.curves.solver import CurveSolver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from etsopt.running.results.results import Results
    from etsopt.studies.curves.solver import Region

    Array = NDArray[np.float64]

OPEN = "open"
"""Status of a point of which the folder has no proof."""

TABLES = {"points": ("status", "solved", "region"), "regions": ("region",), "multipliers": (*MULTIPLIERS,)}
"""Tables, and the columns that each needs beside the keys."""


def write_box(box: Box, folder: Path, points: pd.DataFrame, table_format: str) -> None:
    """Write points of a box, and what proves them, in place of an earlier one.

    Raises
    ------
    UsageError
        If the folder holds something else, or the format is unknown.
    """
    solver, regions, is_open = box.solver, dict(sorted(box.regions.items())), points["region"] == 0
    tonnes = [name for name in points if str(name).endswith("_t")]
    points = points.assign(status=points["status"].mask(is_open, OPEN), **points[tonnes].mask(is_open))
    tables = {"points": points, "regions": _regions(solver, regions)}
    tables["multipliers"] = _multipliers(solver, regions, dict(enumerate(box.missing, 1)))
    anchor = solver.results(next((one.point for one in regions.values()), np.full(len(solver.axes), 0.5)))
    stated = Stated(
        instance=anchor.provenance.instance,
        keys=_keys(solver, tables),
        termination=box.termination,
        certified_share=_share(points),
        solves=solver.solves,
        seconds=box.seconds,
        anchor=anchor.tables_hash,
    )
    write_files(folder, stated, tables, table_format, {ANCHOR: anchor})


def _regions(solver: CurveSolver, regions: dict[int, Region]) -> pd.DataFrame:
    """Return the point of each region, by its number."""
    rows = [
        (number, *(axis.shown(place) for axis, place in zip(solver.axes, one.point, strict=True)))
        for number, one in regions.items()
    ]
    return pd.DataFrame(rows, columns=["region", *(axis.key for axis in solver.axes)])


def _multipliers(solver: CurveSolver, regions: dict[int, Region], none: dict[int, Array]) -> pd.DataFrame:
    """Return the multipliers that prove regions, at their points, and where no allocation exists."""
    of_regions = (multipliers_of(solver, number, one, (one.point, one.point)) for number, one in regions.items())
    parts = (*of_regions, *(missing(solver, number, dual) for number, dual in none.items()))
    return joined_tables(pd.DataFrame(columns=MULTIPLIERS), *parts)


def _share(points: pd.DataFrame) -> float:
    """Return the share of points that are proven, of those that are not proven to have no allocation."""
    feasible = points["status"] != INFEASIBLE
    return float((points["status"] != OPEN)[feasible].mean()) if feasible.any() else 1.0


def _keys(solver: CurveSolver, tables: dict[str, pd.DataFrame]) -> dict[str, tuple[float, float]]:
    """Return both ends of what points and regions reach of each key, of a key of one value what is asked of it."""
    found = {}
    for axis in solver.axes:
        values = pd.concat([tables[name][axis.key] for name in ("points", "regions")]).astype(float)
        least, most = float(values.min()), float(values.max())
        start, end = axis.ends[axis.key]
        found[axis.key] = ((least, most) if start < end else (most, least)) if least < most else (start, end)
    return found


def read_box(folder: Path) -> Box:
    """Read a box: its regions are made again from their multipliers, and certified where they answer.

    Raises
    ------
    DataError
        If a file is damaged.
    """
    stated, _tables, _anchor, box = _box(folder)
    box.termination, box.seconds, box.solver.solves = stated.termination, stated.seconds, stated.solves
    return box


def _box(folder: Path) -> tuple[Stated, dict[str, pd.DataFrame], Results, Box]:
    """Return what a folder states, its tables, its anchor, and the box of its regions."""
    stated, tables = read_files(folder, Stated, TABLES)
    anchor, instance = load_both(folder / ANCHOR)
    # The folder of the anchor has a name of its own.
    box = Box(CurveSolver(replace(instance, name=stated.instance), axes_of(stated.keys, None)))
    lacking = [
        Problem(f"{name}.csv", _("is missing"), ADVICE, axis.key)
        for name in ("points", "regions")
        for axis in box.solver.axes
        if axis.key not in tables[name]
    ]
    if lacking:
        raise DataError(_("The curve"), lacking)
    box.regions = dict(_read(box.solver, tables))
    box.missing = [*_none(box.solver, tables["multipliers"]).values()]
    return stated, tables, anchor, box


def check_box(folder: Path) -> CurveCheck:
    """Check a box from its instance and multipliers alone; its anchor is checked as a run is.

    Raises
    ------
    DataError, UsageError
        If a file is damaged, or a limit bends.
    """
    stated, tables, anchor, box = _box(folder)
    solver, points, regions = box.solver, tables["points"], box.regions
    none = _none(solver, tables["multipliers"])
    rows = [_found(solver, row, regions, none) for row in points.to_dict("records")]
    found = pd.DataFrame(rows) if rows else points
    share = _share(found)
    refused = [*stated.refused(anchor.provenance.instance, share), *_of_points(points, found)]
    refused += of_anchor(solver, anchor, stated, bool(regions))
    refused += of_multipliers(_multipliers(solver, regions, none), tables["multipliers"])
    known = {"points": found, "regions": _regions(solver, regions), "multipliers": pd.DataFrame(columns=MULTIPLIERS)}
    for name, table in known.items():
        refused += columns_added(name, tables[name], table)
    twice = points.duplicated([axis.key for axis in solver.axes]).any()
    if twice or len(regions) != len(tables["regions"]):
        refused.append(str(_("a point or region is stated twice, or a region follows from no multipliers")))
    for key, (start, end) in _keys(solver, tables).items():
        if (start, end) != stated.keys[key]:
            text = _("points of {key} run from {start:g} to {end:g}, not from {first:g} to {last:g}")
            first, last = stated.keys[key]
            refused.append(str(_(text, key=key, start=start, end=end, first=first, last=last)))
    about = instance_in(folder, solver.instance, solver.axes, anchor.provenance.instance)
    beside = ("points: solved", *unread(folder, tables, ANCHOR, [anchor], about))
    proven = int((found["status"] != OPEN).sum())
    return CurveCheck(len(points), proven, share, tuple(refused), beside, of_points=True, instance=about)


def _place(solver: CurveSolver, row: dict[str, Any]) -> Array:
    """Return the place of a row of a table in the box."""
    return np.array([axis.place(row[axis.key]) for axis in solver.axes])


def _read(solver: CurveSolver, tables: dict[str, pd.DataFrame]) -> Iterator[tuple[int, Region]]:
    """Yield the regions of a folder by number, made from their multipliers."""
    duals_of = duals_by_piece(solver, tables["multipliers"])
    for row in tables["regions"].to_dict("records"):
        region = solver.parametric.region_of(_place(solver, row), duals_of(row["region"]))
        if region is not None:
            yield row["region"], region


def _none(solver: CurveSolver, multipliers: pd.DataFrame) -> dict[int, Array]:
    """Return the duals by which no allocation exists, by number."""
    numbers = sorted({-one for one in multipliers["piece"] if one < 0})
    return {number: missing_of(solver, number, multipliers) for number in numbers}


def _found(
    solver: CurveSolver, row: dict[str, Any], regions: dict[int, Region], none: dict[int, Array]
) -> dict[str, Any]:
    """Return the row of a point as its region proves it."""
    point, region, dual = _place(solver, row), regions.get(row["region"]), none.get(-row["region"])
    labels, status = solver.instance.labels("sector"), OPEN
    allowances = np.full(len(solver.box.free), np.nan)
    if region is not None and solver.certified(region, (point, point)).certified:
        status, allowances = "certified_optimal", solver.allowances(region, [point])[0]
    elif dual is not None and solver.infeasible_by_t([point], dual) > 0:
        status = INFEASIBLE
    tonnes = zip((f"{name}_t" for name in labels.names), labels.sums(allowances), strict=True)
    about = {name: row[name] for name in (*(axis.key for axis in solver.axes), "solved", "region")}
    return about | {"status": status, **dict(tonnes)}


def _of_points(points: pd.DataFrame, found: pd.DataFrame) -> Iterator[str]:
    """Yield the points of which something else is stated than their regions prove."""
    for number, (said, now) in enumerate(zip(points.to_dict("records"), found.to_dict("records"), strict=True), 1):
        for name, value in now.items():
            one = said.get(name, "")
            are_texts = isinstance(value, str) or isinstance(one, str)
            if one != value if are_texts else not np.isclose(one, value, rtol=VALUES_AGREE, atol=0.0, equal_nan=True):
                text = _("point {number}: {column} is {value}, not {stated}")
                yield str(_(text, number=number, column=name, value=value, stated=one))
