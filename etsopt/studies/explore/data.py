"""The data of a page: units, limits as straight lines of the keys, and multipliers of what is proven.

It holds no allowances, and no prices of the tie-break: they follow from the multipliers of the other objectives, in the
page and wherever it is checked. A list of numbers that keys move has one list for the origin and one for the end of
each key, any other a single one.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from etsopt.checking.allocation.infeasibility import ELASTIC_ROWS
from etsopt.common import __version__
from etsopt.common.language import _, capitalised, in_both, pgettext
from etsopt.data.tables.provinces import name_of
from etsopt.presenting.charts.texts import NAMES_IN
from etsopt.presenting.explanation.program import ROWS
from etsopt.studies.curves.axes import Axis
from etsopt.studies.curves.curve_chart import axis_words, unit_of
from etsopt.studies.curves.line import Cover, Piece, joined, piece_of, stretch_of
from etsopt.studies.curves.solver import InfeasibleError
from etsopt.studies.explore import box_cover
from etsopt.studies.explore.box_cover import BoxCover, certified_again
from etsopt.studies.explore.texts import OBJECTIVES, TEXTS, meanings
from etsopt.studies.explore.tiles import TILES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from etsopt.studies.curves.solver import CurveSolver, Region
    from etsopt.studies.explore.box_cover import Duals

STEPS = 200
"""Positions of the slider, at least; a step is a power of ten."""

NAME = "{}"
"""Stands for the name of a unit in that of its enterprise."""


@dataclass(frozen=True)
class Source:
    """How an instance is read.

    Parameters
    ----------
    instance
        Its name, file or folder.
    emissions
        Choice of its emissions, None for the usual one.
    changes
        Changes of keys of its policy, as ``--set`` takes them.
    """

    instance: str
    emissions: str | None = None
    changes: Sequence[str] = ()


def data_of(solver: CurveSolver, cover: Cover[Piece] | BoxCover, source: Source, lang: str = "en") -> dict[str, Any]:
    """Return what a page states of a curve or box, as plain values for JSON.

    Parameters
    ----------
    source
        How its instance is read.
    lang
        Language in which the page opens.
    """
    origin = np.zeros(len(solver.axes))
    ends = [solver.box.at(point) for point in (origin, *np.eye(len(origin)))]
    targets = [end.kinks["spread"] for end in ends] if "spread" in solver.box.names else []
    proven = _of_box(cover) if isinstance(cover, BoxCover) else _of_line(solver, cover)
    return {
        "lang": lang,
        "version": __version__,
        "source": asdict(source),
        "instance": {"name": solver.instance.name, "hash": solver.instance.hash},
        "axes": [_axis(axis) for axis in solver.axes],
        "levels": [{"name": name, "words": in_both(OBJECTIVES[name])} for name in solver.box.names],
        "units": _units(solver),
        "limits": {
            "lower": _moving([end.lower for end in ends]),
            "upper": _moving([end.upper for end in ends]),
            "target": _moving(targets),
        },
        "rows": _rows(solver),
        **proven,
        "share": cover.certified_share,
        "sequence": {"cells": box_cover.CELLS, "stride": box_cover.STRIDE, "edge": box_cover.EDGE},
        "texts": {key: in_both(text) for key, text in TEXTS.items()},
    }


def _of_line(solver: CurveSolver, cover: Cover[Piece]) -> dict[str, Any]:
    """Return the pieces of a line, the multipliers of each, and where no allocation exists."""
    linear: list[dict[str, Any]] = []
    pieces = []
    for piece in cover.pieces:
        if not piece.certified:
            continue
        duals = solver.claim(piece.region, piece.ends).duals
        own = {name: _plain(dual) for name, dual in duals.items() if name != "least_squares"}
        # Multipliers are often those of the neighbour.
        if not linear or linear[-1] != own:
            linear.append(own)
        pieces.append({"from": piece.start, "to": piece.end, "linear": len(linear) - 1})
    infeasible = [
        {"from": one.start, "to": one.end, "proven": [one.proven_start, one.proven_end], "dual": _plain(one.dual)}
        for one in cover.stretches
    ]
    return {"pieces": pieces, "points": [], "linear": linear, "infeasible": infeasible}


def _of_box(cover: BoxCover) -> dict[str, Any]:
    """Return the multipliers of a box, and which of them serves each point."""
    linear = [{name: _plain(dual) for name, dual in duals.items()} for duals in cover.linear]
    infeasible = [{"dual": _plain(dual)} for dual in cover.missing]
    return {"pieces": [], "points": cover.points, "linear": linear, "infeasible": infeasible}


def _axis(axis: Axis) -> dict[str, Any]:
    """Return what moves, and the steps of the slider."""
    whole = _moves(axis)
    first, last = whole["ends"]
    step = whole["divisor"] * 10.0 ** math.floor(math.log10(abs(last - first) / whole["divisor"] / STEPS))
    means = [in_both(one) for one in meanings(axis)]
    return whole | {
        "step": step,
        "means": means,
        "keys": {key: _moves(Axis({key: ends})) for key, ends in axis.ends.items()},
    }


def _moves(axis: Axis) -> dict[str, Any]:
    """Return what moves in words, from where to where, and how that is shown."""
    divisor, unit = unit_of(axis)
    words = {"name": in_both(axis_words(axis), capitalised), "unit": in_both(pgettext("unit", unit) if unit else "")}
    return words | {"divisor": divisor, "ends": [axis.shown(place) for place in (0.0, 1.0)]}


def _units(solver: CurveSolver) -> dict[str, Any]:
    """Return all units in the order of the instance, and the places of those that no limit moves."""
    instance = solver.instance
    table = instance.units
    enterprises = instance.enterprises
    owned = {}
    if enterprises is not None and "name" in enterprises:
        owned = dict(zip(enterprises["enterprise_id"], enterprises["name"], strict=True))
    columns = ["unit_id", "name", *(column for column in NAMES_IN.values() if column in table)]
    texts = table.reindex(columns=columns).rename(
        columns={"unit_id": "id"} | {own: one for one, own in NAMES_IN.items()}
    )
    texts["owner"] = table["enterprise_id"].map(lambda name: owned.get(name, name))
    found: dict[str, Any] = texts.astype(object).fillna("").astype(str).to_dict("list")
    # Most enterprises have the name of their unit, or one with it, which need not be there twice.
    both = zip(found["owner"], found["name"], strict=True)
    owners = [owner.replace(name, NAME) if name else owner for owner, name in both]
    places = {owner: place for place, owner in enumerate(dict.fromkeys(owners))}
    found |= {"owners": list(places), "owner": [places[owner] for owner in owners]}
    for place in ("sector", "province"):
        labels = instance.labels(place)
        found[place] = labels.code.tolist()
        found[f"{place}s"] = [in_both(name_of(name)) for name in labels.names]
    found["tiles"] = [TILES.get(str(name)) for name in instance.labels("province").names]
    found |= {"emissions": _plain(solver.box.all_emissions), "reference": _plain(solver.reference.reference_t)}
    return found | {"fixed": np.flatnonzero(~solver.box.free).tolist()}


def _moving(ends: Sequence[NDArray[np.float64]]) -> list[list[float | None]]:
    """Return numbers at the origin and ends, once if they are the same; None for those that are not finite."""
    same = len(ends) > 1 and all(np.array_equal(ends[0], end, equal_nan=True) for end in ends[1:])
    return [_plain(end) for end in ends[: 1 if same else None]]


def _plain(numbers: NDArray[np.float64]) -> list[float | None]:
    """Return numbers for JSON: whole ones without a fraction, None for those that are not finite."""
    return [int(one) if one.is_integer() else one if math.isfinite(one) else None for one in numbers.tolist()]


def _rows(solver: CurveSolver) -> dict[str, Any]:
    """Return the limits that units share: names, sides, and the row of each adjustable unit by their kind."""
    rows, free = [demands.rows for demands in solver.box.demands], solver.box.free
    first = rows[0]
    of = np.full((len(kinds := list(dict.fromkeys(first.rule))), len(free)), -1)
    for place, kind in enumerate(kinds):
        of_kind = (first.rule == kind)[first.row]
        of[place, first.position[of_kind]] = first.row[of_kind]
    names = [
        _(ROWS[rule], name=name_of(index)) if rule in ROWS else _("Band of {name}", name=name_of(index))
        for rule, index in zip(first.rule, first.index, strict=True)
    ]
    return {
        "names": [in_both(name) for name in names],
        "elastic": np.isin(first.rule, ELASTIC_ROWS).tolist(),
        "least": _moving([one.least for one in rows]),
        "most": _moving([one.most for one in rows]),
        "of": of[:, free].tolist(),
    }


def cover_of(solver: CurveSolver, data: Mapping[str, Any]) -> Cover[Piece] | BoxCover:
    """Return what a page states to be proven, made again from its multipliers and certified.

    Raises
    ------
    KeyError, IndexError, TypeError, ValueError
        If the data are damaged.
    """
    linear = [{name: np.array(one[name], float) for name in solver.box.names[:-1]} for one in data["linear"]]
    missing = [np.array(one["dual"], float) for one in data["infeasible"]]
    if len(solver.axes) > 1:
        return certified_again(solver, linear, missing, map(int, data["points"]))
    proven = [sum(one["proven"]) / 2 for one in data["infeasible"]]
    stretches = [stretch_of(solver, dual, place) for dual, place in zip(missing, proven, strict=True)]
    return Cover(list(_pieces(solver, data, linear)), joined([one for one in stretches if one is not None]))


def _pieces(solver: CurveSolver, data: Mapping[str, Any], linear: Sequence[Duals]) -> Iterator[Piece]:
    for one in data["pieces"]:
        duals = {name: dual[solver.row_of] for name, dual in linear[one["linear"]].items()}
        piece = _certified(solver, one["from"], one["to"], duals)
        if piece is not None:
            yield piece


def _certified(solver: CurveSolver, start: float, end: float, duals: Duals) -> Piece | None:
    """Return a piece by a region at its middle, certified if it is of any; None without a region."""
    found = None
    for region in _regions(solver, np.array([(start + end) / 2]), duals):
        found = piece_of(solver, start, end, region)
        if found.certified:
            break
    return found


def _regions(solver: CurveSolver, middle: NDArray[np.float64], duals: Duals) -> Iterator[Region]:
    """Yield the region of some multipliers at a point, and that of a solve there with the same multipliers."""
    region = solver.parametric.region_of(middle, duals)
    if region is not None:
        yield region
    # Which units leave their bounds beside the point may hang on rounding, and a solve finds it otherwise.
    with suppress(InfeasibleError):
        solved = solver.region(middle)
        if solved is not None:
            yield replace(cast("Any", solved), duals=duals)
