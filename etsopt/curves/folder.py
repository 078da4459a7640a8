"""A curve on disk: pieces, multipliers and the run of its anchor, from which everything is proven again.

The folder holds no allowances of pieces: they follow from the multipliers. ``curve.json`` says what moves,
``pieces``, ``multipliers`` and ``infeasible`` are tables, and ``anchor`` is the run of one place with the instance.
Multipliers of the first infeasible stretch have the piece -1, those of the second -2.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pydantic import Field

from etsopt.checking.theorem import INFEASIBLE
from etsopt.curves import price_folder
from etsopt.curves.axes import Axis
from etsopt.curves.curve_files import (
    ADVICE,
    VALUES_AGREE,
    CurveCheck,
    StatedCurve,
    columns_added,
    is_of_prices,
    read_files,
    write_files,
)
from etsopt.curves.line import Cover, Piece, joined, stretch_of
from etsopt.curves.result import Curve
from etsopt.curves.solver import MODEL, CurveSolver
from etsopt.data.files.write import FORMATS
from etsopt.errors import DataError, Problem
from etsopt.language import _
from etsopt.results.results import load_both
from etsopt.running.run import check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.curves.line import Stretch
    from etsopt.curves.price_curve import PriceCurve

ANCHOR = "anchor"

TABLES = {
    "pieces": ("piece", "from", "to", "certified"),
    "multipliers": ("piece", "level", "row", "index", "multiplier_from", "multiplier_to"),
    "infeasible": ("from", "to", "proven_from", "proven_to", "infeasible_by_t"),
}
"""Tables, and the columns that each needs."""


class Stated(StatedCurve):
    """What ``curve.json`` states of a curve of allocations."""

    anchor: str = Field(description="hash of the tables of the anchor")


def write_curve(curve: Curve, folder: str | Path, table_format: str = FORMATS[0]) -> None:
    """Write a curve in place of an earlier one.

    Raises
    ------
    UsageError
        If the folder holds something else, or the format is unknown.
    """
    tables = {"pieces": curve.pieces, "multipliers": _multipliers(curve), "infeasible": curve.infeasible}
    stated = Stated.of(curve, anchor=curve.anchor.tables_hash)
    folder = Path(folder)
    anchor = folder / ANCHOR
    write_files(folder, stated, tables, table_format, lambda: curve.anchor.save(anchor, table_format=table_format))


def _multipliers(curve: Curve) -> pd.DataFrame:
    """Return the multipliers that prove the pieces and the infeasible stretches."""
    # An empty table has no types, and a table joined to it would lose its own.
    parts = [part for part in (curve.multipliers, *_proofs(curve)) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else curve.multipliers


def _proofs(curve: Curve) -> Iterator[pd.DataFrame]:
    """Yield the multipliers that prove each infeasible stretch."""
    rows = curve.solver.rows
    for number, stretch in enumerate(curve.cover.stretches, 1):
        has_dual = np.flatnonzero(stretch.dual)
        columns: dict[str, Any] = {
            "piece": -number,
            "level": INFEASIBLE,
            "row": rows.rule[has_dual],
            "index": rows.index[has_dual],
        }
        yield pd.DataFrame(
            columns | {"multiplier_from": stretch.dual[has_dual], "multiplier_to": stretch.dual[has_dual]}
        )


def read_curve(folder: str | Path) -> Curve | PriceCurve:
    """Read a curve: its pieces are made again from multipliers, or answers, and certified by the checker.

    Raises
    ------
    UsageError
        If the folder holds no curve.
    DataError
        If a file is damaged.
    """
    if is_of_prices(Path(folder)):
        return price_folder.read_price_curve(Path(folder))[0]
    return _read(Path(folder))[0]


def _read(folder: Path) -> tuple[Curve, Stated, dict[str, pd.DataFrame]]:
    stated, tables = read_files(folder, Stated, TABLES)
    anchor, instance = load_both(folder / ANCHOR)
    solver = CurveSolver(instance, (Axis(stated.keys),))
    solver.solves = stated.solves
    cover = Cover([*_pieces(solver, tables)], joined([*_stretches(solver, tables)]), stated.termination)
    return Curve(solver, cover, anchor, stated.seconds), stated, tables


def _pieces(solver: CurveSolver, tables: dict[str, pd.DataFrame]) -> Iterator[Piece]:
    """Yield the pieces of a table, made from their multipliers and certified."""
    axis, names = solver.axes[0], {pair: place for place, pair in enumerate(solver.parametric.names)}
    multipliers = tables["multipliers"].fillna({"index": ""})
    of_piece = dict(list(multipliers.groupby("piece")))
    for row in tables["pieces"].to_dict("records"):
        start, end = (axis.place(row[name]) for name in ("from", "to"))
        duals = {name: np.zeros((2, len(names))) for name in solver.box.names}
        for one in of_piece.get(row["piece"], multipliers[:0]).itertuples(index=False):
            if (one.row, one.index) in names and one.level in duals:
                duals[one.level][:, names[one.row, one.index]] = one.multiplier_from, one.multiplier_to
        middle = np.array([(start + end) / 2])
        region = solver.parametric.region_of(middle, {name: both.mean(axis=0) for name, both in duals.items()})
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
    axis, multipliers = solver.axes[0], tables["multipliers"].fillna({"index": ""})
    for number, row in enumerate(tables["infeasible"].to_dict("records"), 1):
        own = multipliers[multipliers["piece"] == -number].rename(columns={"multiplier_from": "multiplier"})
        middle = (axis.place(row["proven_from"]) + axis.place(row["proven_to"])) / 2
        if found := stretch_of(solver, solver.rows.duals_of(own), middle):
            yield found


def check_curve(folder: str | Path) -> CurveCheck:
    """Check a curve from its instance and multipliers alone; its anchor is checked as a run is, and so is every run."""
    if is_of_prices(Path(folder)):
        return price_folder.check_price_curve(Path(folder))
    curve, stated, tables = _read(Path(folder))
    refused = [*stated.refused(curve), *_of_anchor(curve, stated), *_of_pieces(curve, tables["pieces"])]
    refused += _of_multipliers(_multipliers(curve), tables["multipliers"])
    for name, known in (("pieces", curve.pieces), ("multipliers", curve.multipliers), ("infeasible", curve.infeasible)):
        refused += columns_added(name, tables[name], known)
    refused += [str(_("a curve has no table {table}", table=name)) for name in stated.tables if name not in TABLES]
    stretches = tables["infeasible"][[*curve.infeasible]].astype(float)
    if curve.infeasible.shape != stretches.shape or not np.allclose(curve.infeasible, stretches, rtol=VALUES_AGREE):
        refused.append(str(_("the stretches without an allocation are not those that multipliers prove")))
    return CurveCheck.of(curve, refused)


def _of_multipliers(proven: pd.DataFrame, stated: pd.DataFrame) -> Iterator[str]:
    """Yield the pieces, or infeasible stretches, that other multipliers are stated of than those that prove them."""
    keys, ends = ["piece", "level", "row", "index"], ["multiplier_from", "multiplier_to"]
    twice = stated.duplicated(keys)
    tables = (table.fillna({"index": ""}).set_index(keys)[ends].astype(float) for table in (proven, stated[~twice]))
    both = pd.concat(tables, axis=1)
    shown = both.fillna(0.0).to_numpy()
    level = [both.index.get_level_values(name) for name in ("piece", "level")]
    size = pd.Series(np.abs(shown[:, :2]).max(axis=1), index=both.index).groupby(level).transform("max").to_numpy()
    off = np.abs(shown[:, :2] - shown[:, 2:]).max(axis=1) > VALUES_AGREE * size
    for piece in dict.fromkeys([*level[0][off], *stated.loc[twice, "piece"]]):
        yield str(_("piece {piece}: its multipliers are not those that prove it", piece=piece))


def _of_anchor(curve: Curve, stated: Stated) -> Iterator[str]:
    anchor, instance = curve.anchor, curve.solver.instance
    if anchor.tables_hash != stated.anchor or anchor.provenance.instance_hash != instance.hash:
        yield str(_("the anchor is not the one of the curve"))
    for violation in check(instance, anchor).violations:
        yield str(_("anchor: {where}: {message}", where=violation.where, message=violation.message))
    if MODEL in anchor.tables:
        # Reference allowances of the anchor follow the rule: the curve has to measure from the same.
        off = np.abs(anchor.tables[MODEL]["reference_t"].to_numpy() - curve.solver.reference.reference_t)
        if np.any(off != 0):
            yield str(_("the anchor has other reference allowances"))
    elif curve.cover.pieces:
        yield str(_("the anchor has no allocation"))


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
