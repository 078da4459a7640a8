"""A curve of prices on disk: pieces, prices, and the runs of the answers that prove them.

``curve.json`` says what moves and where each run is on the line; ``runs`` has a folder each, by number. A piece names
three of them: the answers at its ends, and the one whose multipliers, or decisions, serve all of it.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field, FiniteFloat

from etsopt.checking.price_segments import MODELS
from etsopt.common.errors import DataError, Problem, UsageError
from etsopt.common.language import _
from etsopt.common.progress import quietly, tell
from etsopt.running.results.results import load_both
from etsopt.studies.curves.axes import axes_of, instance_at
from etsopt.studies.curves.curve_files import (
    ADVICE,
    FILE,
    RUNS,
    VALUES_AGREE,
    CurveCheck,
    StatedCurve,
    columns_added,
    instance_in,
    of_run,
    read_files,
    unread,
    write_files,
)
from etsopt.studies.curves.line import Cover
from etsopt.studies.curves.price_curve import PriceCurve
from etsopt.studies.curves.price_search import Priced, PricePiece, PriceSolver

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd


OF_RUNS = ("first_run", "last_run", "owner_run")
TABLES = {
    "pieces": (
        *("piece", "from", "to", "cost_from_cny", "cost_to_cny", "gap_cny", "tolerance_cny", "certified", *OF_RUNS),
    ),
    "prices": ("piece", "year", "price_from_cny_per_t", "price_to_cny_per_t", "price_unit"),
}
"""Tables, and the columns that each needs."""


class StatedPrices(StatedCurve):
    """What ``curve.json`` states of a curve of prices."""

    model: str = Field(description="model of the market")
    places: list[FiniteFloat] = Field(description="place of each run, from 0 to 1")


def write_price_curve(curve: PriceCurve, folder: str | Path, table_format: str) -> None:
    """Write a curve of prices in place of an earlier one.

    Raises
    ------
    UsageError
        If it has no piece, the folder holds something else, or the format is unknown.
    """
    folder, pieces = Path(folder), curve.cover.pieces
    if not pieces:
        what = _("The curve has no piece to write: the search ended before both of its ends were solved.")
        raise UsageError(what, _("Give the search more time: --time-limit."))
    used = {one.place: one for piece in pieces for one in (piece.first, piece.last, piece.owner)}
    places = sorted(used)
    numbers = [[places.index(one.place) + 1 for one in (piece.first, piece.last, piece.owner)] for piece in pieces]
    runs = dict(zip(OF_RUNS, np.array(numbers).T, strict=True))
    stated = StatedPrices.of(curve, model=curve.solver.model, places=places)
    saved = {f"{RUNS}/{number}": used[place].results for number, place in enumerate(places, 1)}
    write_files(folder, stated, {"pieces": curve.pieces.assign(**runs), "prices": curve.prices}, table_format, saved)


def read_price_curve(folder: Path) -> tuple[PriceCurve, StatedPrices, dict[str, pd.DataFrame], list[Priced]]:
    """Read a curve of prices with the answers of its runs, which are judged, and its pieces certified, again.

    Raises
    ------
    DataError
        If a file is damaged, or a run is not of the instance and the policy at its place.
    """
    stated, tables = read_files(folder, StatedPrices, TABLES)
    loaded = [load_both(folder / RUNS / str(number)) for number in range(1, len(stated.places) + 1)]
    if not loaded or stated.model not in MODELS or len(set(stated.places)) < len(loaded):
        raise DataError(_("The curve"), [Problem(FILE, _("names no runs of a market"), ADVICE)])
    instance, (axis,) = loaded[0][1], axes_of(None, stated.keys)
    solver = PriceSolver(instance, axis, stated.model)
    solver.solves = stated.solves
    for number, (place, (results, own)) in enumerate(zip(stated.places, loaded, strict=True), 1):
        there = instance_at(instance, (axis,), [place]).hash if 0 <= place <= 1 else ""
        if not there == own.hash == results.provenance.instance_hash or results.provenance.model != stated.model:
            what = _("is of another instance, policy or model than the curve")
            raise DataError(_("The curve"), [Problem(f"{RUNS}/{number}", what, ADVICE)])
    answers = list[Priced]()
    for place, (results, _own) in zip(stated.places, loaded, strict=True):
        tell(_("{phase} {done:,} of {of:,}", phase=_("runs of the curve:"), done=len(answers), of=len(loaded)))
        with quietly():
            answers.append(solver.read(place, results))
    numbers = tables["pieces"][[*OF_RUNS]].to_numpy(dtype=float)
    if not (np.isin(numbers, np.arange(1, len(answers) + 1)).all() and len(numbers)):
        raise DataError(_("The curve"), [Problem("pieces.csv", _("names runs that are not there"), ADVICE)])
    of_pieces = [[answers[number - 1] for number in row] for row in numbers.astype(int).tolist()]
    pieces = [PricePiece.of(first, last, (owner,)) for first, last, owner in of_pieces]
    cover = Cover(pieces, termination=stated.termination)
    return PriceCurve(solver, cover, loaded[0][0], stated.seconds), stated, tables, answers


def check_price_curve(folder: Path) -> CurveCheck:
    """Check a curve of prices from its instance and answers alone."""
    curve, stated, tables, answers = read_price_curve(folder)
    refused = [*stated.refused(curve.about.instance, curve.certified_share), *_refused(curve, tables)]
    for number, answer in enumerate(answers, 1):
        refused += of_run(f"{RUNS}/{number}", curve.solver.refused(answer))
    about = instance_in(folder, curve.instance, [curve.axis], curve.about.instance)
    return CurveCheck.of(curve, refused, unread(folder, tables, RUNS, [one.results for one in answers], about), about)


def _refused(curve: PriceCurve, tables: dict[str, pd.DataFrame]) -> Iterator[str]:
    """Yield what tables state and answers do not prove."""
    pieces = curve.cover.pieces
    in_order = all(before.end <= after.start for before, after in pairwise(pieces))
    if not (in_order and all(piece.start < piece.end for piece in pieces)):
        yield str(_("the pieces do not follow one another"))
    for name, found in (("pieces", curve.pieces), ("prices", curve.prices)):
        own = tables[name].drop(columns=[*OF_RUNS], errors="ignore") if name == "pieces" else tables[name]
        yield from columns_added(name, own, found)
        said = tables[name][[*found]]
        for column in found:
            texts = column == "price_unit"
            if len(said) != len(found) or not (
                said[column].tolist() == found[column].tolist() if texts else _agree(column, said, found)
            ):
                yield str(_("{column} of {name} is not what the answers prove", column=column, name=name))


def _agree(column: str, said: pd.DataFrame, found: pd.DataFrame) -> bool:
    """Return True if a stated column holds the numbers that are found; a gap is known no better than its tolerance."""
    one, other = (table[column].to_numpy(dtype=float) for table in (said, found))
    within = found["tolerance_cny"].to_numpy(dtype=float) if column == "gap_cny" else 0.0
    near = np.isclose(one, other, rtol=VALUES_AGREE, atol=0.0, equal_nan=True)
    with np.errstate(invalid="ignore"):
        return bool((near | (np.abs(one - other) <= within)).all())
