"""A curve on disk: pieces, multipliers and the run of its anchor, from which everything is proven again.

The folder holds no allowances of pieces: they follow from the multipliers. ``curve.json`` says what moves,
``pieces``, ``multipliers`` and ``infeasible`` are tables, and ``anchor`` is the run of one place with the instance.
Multipliers of the first infeasible stretch have the piece -1, those of the second -2.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.common.errors import DataError, Problem, UsageError
from etsopt.common.language import _
from etsopt.data.files.write import FORMATS
from etsopt.running.results.results import load_both
from etsopt.running.results.run_folder import INSTANCE
from etsopt.studies.curves import box_folder, price_folder
from etsopt.studies.curves.axes import axes_of
from etsopt.studies.curves.box import Box
from etsopt.studies.curves.curve_files import (
    ADVICE,
    ANCHOR,
    VALUES_AGREE,
    CurveCheck,
    columns_added,
    instance_in,
    kind_of,
    read_files,
    unread,
    write_files,
)
from etsopt.studies.curves.line import Cover, Piece, joined, stretch_of
from etsopt.studies.curves.proofs import (
    Stated,
    duals_by_piece,
    joined_tables,
    missing,
    missing_of,
    of_anchor,
    of_multipliers,
)
from etsopt.studies.curves.result import MULTIPLIERS, Curve
from etsopt.studies.curves.solver import CurveSolver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.studies.curves.line import Stretch
    from etsopt.studies.curves.price_curve import PriceCurve

TABLES = {
    "pieces": ("piece", "from", "to", "certified"),
    "multipliers": (*MULTIPLIERS,),
    "infeasible": ("from", "to", "proven_from", "proven_to", "infeasible_by_t"),
}
"""Tables, and the columns that each needs."""


def write_curve(curve: Curve, folder: str | Path, table_format: str = FORMATS[0]) -> None:
    """Write a curve in place of an earlier one.

    Raises
    ------
    UsageError
        If the folder holds something else, or the format is unknown.
    """
    tables = {"pieces": curve.pieces, "multipliers": _multipliers(curve), "infeasible": curve.infeasible}
    stated = Stated.of(curve, anchor=curve.anchor.tables_hash)
    write_files(Path(folder), stated, tables, table_format, {ANCHOR: curve.anchor})


def _multipliers(curve: Curve) -> pd.DataFrame:
    """Return the multipliers that prove the pieces and the infeasible stretches."""
    numbered = enumerate(curve.cover.stretches, 1)
    return joined_tables(curve.multipliers, *(missing(curve.solver, number, one.dual) for number, one in numbered))


def read_curve(folder: str | Path) -> Curve | PriceCurve | Box:
    """Read a curve or box: its pieces are made again from multipliers, or answers, and certified by the checker.

    Regions of a box are made again too, and certified at every point that they answer.

    Raises
    ------
    UsageError
        If the folder holds no curve.
    DataError
        If a file is damaged.
    """
    if (kind := kind_of(Path(folder))) == "box":
        return box_folder.read_box(Path(folder))
    if kind == "prices":
        return price_folder.read_price_curve(Path(folder))[0]
    return _read(Path(folder))[0]


def read_line(folder: str | Path) -> Curve | PriceCurve:
    """Read a curve as `read_curve` does, and refuse a box, which has no chart, page or results of its own.

    Raises
    ------
    UsageError
        If the folder holds no curve, or a box.
    DataError
        If a file is damaged.
    """
    found = read_curve(folder)
    if isinstance(found, Box):
        keys = " ".join(f"--vary {axis.key}={axis.shown(0.0):g}:{axis.shown(1.0):g}" for axis in found.solver.axes)
        command = f"etsopt explore {Path(folder) / ANCHOR / INSTANCE} {keys}"
        what = _("{folder!r} holds a box of two keys: expected a curve along one line.", folder=str(folder))
        advice = _("A page of both keys: {command}. In Python `etsopt.read_curve` answers at points.", command=command)
        raise UsageError(what, advice)
    return found


def _read(folder: Path) -> tuple[Curve, Stated, dict[str, pd.DataFrame]]:
    stated, tables = read_files(folder, Stated, TABLES)
    anchor, instance = load_both(folder / ANCHOR)
    solver = CurveSolver(instance, axes_of(None, stated.keys))
    solver.solves = stated.solves
    cover = Cover([*_pieces(solver, tables)], joined([*_stretches(solver, tables)]), stated.termination)
    return Curve(solver, cover, anchor, stated.seconds), stated, tables


def _pieces(solver: CurveSolver, tables: dict[str, pd.DataFrame]) -> Iterator[Piece]:
    """Yield the pieces of a table, made from their multipliers and certified."""
    axis, duals_of = solver.axes[0], duals_by_piece(solver, tables["multipliers"])
    for row in tables["pieces"].to_dict("records"):
        start, end = (axis.place(row[name]) for name in ("from", "to"))
        region = solver.parametric.region_of(np.array([(start + end) / 2]), duals_of(row["piece"]))
        if region is None:
            raise DataError(
                _("The curve"),
                [
                    Problem(
                        "multipliers.csv", _("piece {piece} follows from no multipliers", piece=row["piece"]), ADVICE
                    )
                ],
            )
        piece = Piece(start, end, region)
        yield Piece(start, end, region, solver.certified(region, piece.ends))


def _stretches(solver: CurveSolver, tables: dict[str, pd.DataFrame]) -> Iterator[Stretch]:
    """Yield the infeasible stretches of a table, as far as their multipliers prove them."""
    axis = solver.axes[0]
    for number, row in enumerate(tables["infeasible"].to_dict("records"), 1):
        middle = (axis.place(row["proven_from"]) + axis.place(row["proven_to"])) / 2
        if found := stretch_of(solver, missing_of(solver, number, tables["multipliers"]), middle):
            yield found


def check_curve(folder: str | Path) -> CurveCheck:
    """Check a curve or box from its instance and multipliers alone; its anchor and its runs are checked as runs are."""
    if (kind := kind_of(Path(folder))) == "box":
        return box_folder.check_box(Path(folder))
    if kind == "prices":
        return price_folder.check_price_curve(Path(folder))
    curve, stated, tables = _read(Path(folder))
    refused = [*stated.refused(curve.about.instance, curve.certified_share), *_of_pieces(curve, tables["pieces"])]
    refused += of_anchor(curve.solver, curve.anchor, stated, bool(curve.cover.pieces))
    refused += of_multipliers(_multipliers(curve), tables["multipliers"])
    for name, known in (("pieces", curve.pieces), ("multipliers", curve.multipliers), ("infeasible", curve.infeasible)):
        refused += columns_added(name, tables[name], known)
    stretches = tables["infeasible"][[*curve.infeasible]].astype(float)
    if curve.infeasible.shape != stretches.shape or not np.allclose(curve.infeasible, stretches, rtol=VALUES_AGREE):
        refused.append(str(_("the stretches without an allocation are not those that multipliers prove")))
    about = instance_in(Path(folder), curve.instance, [curve.axis], curve.about.instance)
    return CurveCheck.of(curve, refused, unread(Path(folder), tables, ANCHOR, [curve.anchor], about), about)


def _of_pieces(curve: Curve, table: pd.DataFrame) -> Iterator[str]:
    rows = table.to_dict("records")
    before = -1.0
    for row, piece in zip(rows, curve.cover.pieces, strict=True):
        name = _("piece {number}", number=row["piece"])
        if not before <= piece.start < piece.end:
            yield str(_("{piece} does not follow the one before", piece=name))
        before = piece.end
        if bool(row["certified"]) != piece.certified:
            yield str(_("{piece} is proven", piece=name) if piece.certified else _("{piece} is not proven", piece=name))
        assert piece.verdict is not None
        for level in piece.verdict.levels:
            # A gap follows from multipliers as they were rounded: it is known no better than its tolerance.
            ends = [
                (value, end, VALUES_AGREE * max(abs(value), level.tolerance))
                for value, end in zip(level.values, ("from", "to"), strict=True)
            ]
            for value, end, within in (*ends, (level.gap, "gap", level.tolerance)):
                said = row.get(f"{level.name}_{end}", np.nan)
                if not abs(said - value) <= within:
                    yield str(
                        _(
                            "{piece}: {level} is {value:.9g}, not {said:.9g}",
                            piece=name,
                            level=level.name,
                            value=value,
                            said=said,
                        )
                    )
