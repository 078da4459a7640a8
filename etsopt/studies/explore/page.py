"""Write the page of a curve, and derive what it states again from its instance."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.errors import DataError, Problem, UsageError
from etsopt.common.language import _, in_both
from etsopt.data.files.atomic import write_file
from etsopt.presenting.documents.html import application, embedded
from etsopt.studies.curves.axes import Axis
from etsopt.studies.curves.curve_files import VALUES_AGREE, CurveCheck
from etsopt.studies.curves.line import SLIVER
from etsopt.studies.curves.solver import CurveSolver
from etsopt.studies.explore.box_cover import OPEN, BoxCover
from etsopt.studies.explore.data import Source, cover_of, data_of
from etsopt.studies.explore.texts import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from etsopt.data.instance import Instance
    from etsopt.studies.curves.result import Curve

UNITS_MAX = {1: 10_000, 2: 5_000}
"""Units of a page at most, by its sliders: with as many it has a megabyte, and a step takes 30 ms."""

ROWS_MAX = 300
"""Limits of a page that units share, at most: their prices are found from a system of as many numbers squared."""

BEFORE, AFTER = "const DATA = ", ";\n"
"""What the line of the program with the data begins and ends with."""

PROGRAM = (
    *("sound.js", "proof.js", "solve.js", "ranges.js", "position.js"),
    *("plant.js", "workbook.js", "sheets.js", "controls.js", "explore.js"),
)
"""Parts of the program behind the data, each of which uses those before it."""

NOTHING = 1e-12
"""Size of a multiplier that is rounding alone."""

APPROXIMATE = ("infeasible",)
"""Parts that follow from multipliers, which are known to their rounding; the others are the same to the last digit."""


def require_page(instance: Instance, axes: Sequence[Axis]) -> CurveSolver:
    """Require that a page holds an instance, and return what answers along its keys.

    Raises
    ------
    UsageError
        If it has too many units or limits, or one of these bends.
    """
    advice = _("Explore the units of one sector or province, or make a curve: etsopt curve.")
    if (count := len(instance.units)) > UNITS_MAX[len(axes)]:
        what = _("{name} has {count:,} units: a page holds {most:,} at most with one slider, and {of_two:,} with two.")
        what = _(what, name=instance.name, count=count, most=UNITS_MAX[1], of_two=UNITS_MAX[2])
        raise UsageError(what, advice)
    solver = CurveSolver(instance, axes)
    if (count := len(solver.rows)) > ROWS_MAX:
        what = _("{name} has {count:,} limits that units share: a page holds {most:,} at most.")
        raise UsageError(_(what, name=instance.name, count=count, most=ROWS_MAX), advice)
    return solver


def write_page(found: Curve | BoxCover, path: Path, source: Source | None = None, lang: str = "en") -> None:
    """Write the page of a curve, or of a box of two keys.

    Parameters
    ----------
    source
        How its instance is read again, for the commands of the page; by default by its name.
    lang
        Language in which it opens, ``en`` or ``zh``.

    Raises
    ------
    UsageError
        If the instance has too many units or limits, or jinja2 is not installed.
    OSError
        With the name of the file that cannot be written.
    """
    solver = found.solver
    require_page(solver.instance, solver.axes)
    cover = found if isinstance(found, BoxCover) else found.cover
    write_file(path, page_of(data_of(solver, cover, source or Source(solver.instance.name), lang)))


def page_of(data: Mapping[str, Any]) -> str:
    """Return the page of data, which is one file and loads nothing."""
    style, body = _file("explore.css"), _file("explore.html")
    # The page allows its program by the hash, so that a browser runs none over data that were altered by hand.
    script = f"{BEFORE}{embedded(data)}{AFTER}{''.join(map(_file, PROGRAM))}"
    keys = ", ".join(axis["name"][data["lang"]] for axis in data["axes"])
    title = f"{data['instance']['name']} · {keys}"
    return application(body, style, script, title, data["lang"], missing=in_both(MISSING))


def _file(name: str) -> str:
    return (files("etsopt.studies.explore") / name).read_text(encoding="utf-8")


def source_of(path: Path) -> Source:
    """Return how a page says that its instance is read.

    Raises
    ------
    DataError
        If the file is no page.
    """
    return Source(**_read(path)[1]["source"])


def check_page(path: Path, instance: Instance) -> CurveCheck:
    """Derive the data of a page again from its instance, and certify every piece of it by the checker.

    Raises
    ------
    DataError
        If the file is no page, or has data of another shape.
    UsageError
        If a limit bends in the instance.
    """
    text, data = _read(path)
    try:
        if data["instance"]["hash"] != instance.hash:
            other = _("the page is of another instance: its hash is {digest}…", digest=data["instance"]["hash"][:16])
            return CurveCheck(len(data["pieces"]), 0, 0.0, (str(other),))
        solver = CurveSolver(instance, [_axis(one["keys"]) for one in data["axes"]])
        cover = cover_of(solver, data)
        again = json.loads(embedded(data_of(solver, cover, Source(**data["source"]), data["lang"])))
        refused = [*_differing(data, again), *_overlapping(data["pieces"])]
        if not data["linear"] and not data["infeasible"]:
            refused.append(str(_("the page states nothing that is proven")))
        if text != page_of(data):
            refused.append(str(_("the program of the page is not that of etsopt {version}", version=again["version"])))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(path, _("has data of another shape: {error}", error=error)) from None
    if isinstance(cover, BoxCover):
        claimed = [one for one in data["points"] if one != OPEN]
        proven = sum(one != OPEN for one in cover.points)
        return CurveCheck(len(claimed), proven, cover.certified_share, tuple(refused), of_points=True)
    proven = sum(piece.certified for piece in cover.pieces)
    return CurveCheck(len(data["pieces"]), proven, cover.certified_share, tuple(refused))


def _axis(keys: Mapping[str, Any]) -> Axis:
    return Axis({key: (float(one["ends"][0]), float(one["ends"][1])) for key, one in keys.items()})


def _overlapping(pieces: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the pieces that do not follow the one before, so that a place would count twice."""
    before = 0.0
    for number, piece in enumerate(pieces, 1):
        if not before <= piece["from"] < piece["to"] <= 1:
            name = _("piece {number}", number=number)
            yield str(_("{piece} does not follow the one before", piece=name))
        before = piece["to"]


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    """Return a page and its data."""
    try:
        text = path.read_text(encoding="utf-8")
        data = json.loads(text.partition(BEFORE)[2].partition(AFTER)[0])
        source = Source(**data["source"])
        if all(isinstance(one, str) for one in (source.instance, source.emissions or "", *source.changes)):
            return text, data
    except (KeyError, TypeError, ValueError, RecursionError):
        pass
    raise _damaged(path, _("is no page of etsopt explore"))


def _damaged(path: Path, what: str) -> DataError:
    return DataError(_("The page"), [Problem(path.name, what, _("Write it again: etsopt explore."))])


def _differing(stated: Mapping[str, Any], again: Mapping[str, Any]) -> Iterator[str]:
    """Yield the parts of a page that do not follow from its instance."""
    for name in dict.fromkeys((*stated, *again)):
        one, other = stated.get(name), again.get(name, {})
        if one == other or (name in APPROXIMATE and _agree(one, other)):
            continue
        if name == "share" and _both((int, float), one) and abs(one - other) <= SLIVER:
            continue
        parts = [part for part in other if one.get(part) != other[part]] if isinstance(one, dict) else []
        what = ", ".join(f"{name}.{part}" for part in parts) or name
        yield str(_("{what} of the page does not follow from the instance", what=what))


def _both(kind: type | tuple[type, ...], *values: object) -> bool:
    return all(isinstance(value, kind) for value in values)


def _agree(one: Any, other: Any) -> bool:
    """Return True if values are the same, numbers but for their rounding against the largest of their list."""
    if _both(dict, one, other):
        return one.keys() == other.keys() and all(_agree(one[key], other[key]) for key in other)
    if _both((int, float), one, other):
        one, other = [one], [other]
    if not _both(list, one, other) or len(one) != len(other):
        return bool(one == other)
    if all(_both((int, float), *pair) for pair in zip(one, other, strict=True)):
        largest = max(map(abs, other), default=0.0)
        return bool(np.allclose(one, other, rtol=VALUES_AGREE, atol=VALUES_AGREE * largest + NOTHING))
    return all(map(_agree, one, other))
