"""The command `etsopt curve`: an allocation or price for every value of a limit, as a folder that anyone can check."""

from __future__ import annotations

import json
import sys
import unicodedata
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.cli.options import add_format, add_instance, add_time_limit, instance_of, pairs
from etsopt.common.errors import UsageError, brief
from etsopt.common.language import _, joined

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from etsopt.cli.parsing import Commands, Parser
    from etsopt.studies.curves.box import Box
    from etsopt.studies.curves.curve_files import CurveCheck
    from etsopt.studies.curves.price_curve import PriceCurve
    from etsopt.studies.curves.result import Curve

EXIT_CODES = _("""exit codes:
  0  every value is answered and proven, or proven to have no allocation
  2  invalid input or usage, or a limit that does not move in a straight line
  4  some values are not proven, or the search was stopped
  130, 143  interrupted: what was found is written""")

GRID = 21
"""Values of each of two keys at which a box is solved."""


def register(commands: Commands) -> None:
    """Add the command."""
    text = _("the allocation, or the price, for every value of a limit, each piece of the range proven as a whole")
    command = commands.add("curve", text, curve, EXIT_CODES)
    add_instance(command)
    text = _("allocation (default), or of a market, whose prices are found, clearing or pathway")
    command.add_argument("--model", default="allocation", metavar="MODEL", help=text)
    text = _("a key and both ends of its range, as sectors.cement.target_change=-0.01:0; twice for a box of two keys")
    add_keys(command, text)
    command.add_argument("--out", type=Path, metavar="DIR", help=_("folder to write to: curve.json, tables, and a run"))
    add_format(command)
    add_time_limit(command)


def curve(options: Namespace) -> int:
    """Find a curve, print what it is, and write its folder."""
    from etsopt import curves
    from etsopt.cli import terminal
    from etsopt.common.progress import watched
    from etsopt.data.files.write import check_format
    from etsopt.studies.curves.api import require_curves
    from etsopt.studies.curves.axes import axes_of

    check_format(options.format)
    vary, along = keys_of(options)
    replaced = options.out is not None and curves.require_free(options.out)
    # A mistake in the keys is reported before the instance is read.
    require_curves(options.model, len(axes_of(vary, along)))
    with terminal.telling(quiet=options.json) as tell:
        instance = instance_of(options)
        asked = {"model": options.model, "time_limit_s": options.time_limit, "progress": tell}
        found = curves.curve(instance, vary, along=along, **asked)
        if isinstance(found, curves.Box):
            with watched(options.time_limit, tell):
                return _box(options, found, replaced)
    if options.out is not None:
        found.save(options.out, options.format)
    _tell(options, found, replaced)
    return exit_code(found.termination, found.proven)


def exit_code(termination: str, proven: bool) -> int:
    """Return the exit code of what was found, and whether all of it is proven."""
    if termination == "interrupted":
        return 130
    return 0 if termination == "optimal" and proven else 4


def _tell(options: Namespace, found: Curve | PriceCurve, replaced: bool) -> None:
    """Print a curve as a summary, or as JSON."""
    from etsopt.studies.curves import Curve
    from etsopt.studies.curves.axes import doubts_of

    if options.json:
        content: dict[str, object] = {
            "doubts": doubts_of(found.instance, [found.axis]),
            "termination": found.termination,
            "pieces": len(found.cover.pieces),
            "certified_share": found.certified_share,
            "solves": found.solver.solves,
        }
        if isinstance(found, Curve):
            content["infeasible"] = found.infeasible.to_dict("records")
        print(json.dumps(content, ensure_ascii=False))
        return
    from etsopt.cli import terminal
    from etsopt.presenting.documents.quantities import SPACE
    from etsopt.studies.curves.curve_document import document_of

    terminal.show(document_of(found, str(options.out or "")), f"{found.seconds:.2f}{SPACE}s")
    if options.out is not None:
        _tell_written(options.out, replaced)


def _tell_written(folder: Path, replaced: bool) -> None:
    """Say where a curve was written, and whether one was there."""
    text = _("Written to {path}, in place of the curve that was there.") if replaced else _("Written to {path}.")
    print(_(text, path=folder))


def add_keys(command: Parser, text: str) -> None:
    """Add the keys that vary, of which a text tells, and those that move together."""
    command.add_argument("--vary", action="append", default=[], metavar="KEY=FROM:TO", help=text)
    text = _("several keys that move together on one line: KEY=FROM:TO,KEY=FROM:TO; repeatable")
    command.add_argument("--along", action="append", default=[], metavar="KEYS", help=text)


def keys_of(options: Namespace) -> tuple[dict[str, tuple[float, float]], dict[str, tuple[float, float]]]:
    """Return the keys that vary by themselves, and those that move together, with both ends of each.

    Raises
    ------
    UsageError
        If a text is no range, or a key is stated twice, by ``--set`` too: its change would have no effect.
    """
    from etsopt.data.policy.keys import english_path

    together = [one for keys in options.along for one in keys.split(",") if one]
    vary, along = _ranges(options.vary, "--vary"), _ranges(together, "--along")
    moved = {tuple(english_path(key.split("."))) for key in (*vary, *along)}
    for key in pairs(options.set):
        steps = english_path(key.split("."))
        if any(tuple(steps[:length]) in moved for length in range(1, len(steps) + 1)):
            what = _("--set names {key}, which varies.", key=brief(key))
            raise UsageError(what, _("Leave --set of it out: both ends of its range state it."))
    return vary, along


def _ranges(texts: list[str], flag: str) -> dict[str, tuple[float, float]]:
    """Parse ``key=from:to`` texts; ``3 %`` is 0.03."""
    from etsopt.data.policy.keys import english_path

    found: dict[str, tuple[float, float]] = {}
    for stated in texts:
        # A Chinese keyboard writes the full-width forms of the signs.
        text = unicodedata.normalize("NFKC", stated)
        name, _equals, both = text.partition("=")
        start, colon, end = both.partition(":")
        key = ".".join(english_path(name.strip().split(".")))
        example = _("For example: {flag} sectors.cement.target_change=-1%:0", flag=flag)
        if not (key and colon):
            raise UsageError(_("{flag} {text} is not KEY=FROM:TO.", flag=flag, text=brief(stated)), example)
        if key in found:
            raise UsageError(_("{flag} names {key} twice.", flag=flag, key=brief(key)), _("Keep one of them."))
        ends = [number_of(one) for one in (start, end)]
        if wrong := [brief(one) for one, number in zip((start, end), ends, strict=True) if number is None]:
            what = _(
                "{flag} {text} has ends that are no numbers: {wrong}.",
                flag=flag,
                text=brief(stated),
                wrong=joined(wrong),
            )
            raise UsageError(what, example)
        found[key] = ends[0] or 0.0, ends[1] or 0.0
    return found


def number_of(text: str) -> float | None:
    """Return the number that a text stands for, if it stands for one."""
    from etsopt.data.policy.keys import value_of_text

    try:
        value = value_of_text(text)
    except ValueError:
        return None
    # A truth is no number, though Python counts with it.
    return float(value) if type(value) in (int, float) else None


def check(options: Namespace) -> int:
    """Prove every piece of a saved curve again, and print what holds."""
    from etsopt.cli import terminal
    from etsopt.common.progress import watched
    from etsopt.studies.curves import check_curve

    if options.gap is not None or options.model is not None or options.model_file is not None:
        what = _("The options --gap, --as and --model are for a run: every piece of a curve is proven or not.")
        raise UsageError(what, _("Leave them out."))
    with terminal.telling(quiet=options.json) as tell, watched(None, tell):
        found = check_curve(options.run)
    code = print_check(found, options.json)
    if not (code or options.json):
        print(_("What the curve says beside its answer is not checked: {words}.", words=joined(found.not_checked)))
    return code


def print_check(found: CurveCheck, as_json: bool, asked: Mapping[str, object] | None = None) -> int:
    """Print what a check proved, in JSON with what was asked, and return its exit code."""
    about = found.instance
    if as_json:
        content = {"holds": found.holds, **asdict(found), **(asked or {}), "instance": about and about._asdict()}
        print(json.dumps(content, ensure_ascii=False))
        return 0 if found.holds else 5
    if about is not None:
        print(about.told)
    text = (
        _("{proven:,} of {pieces:,} points are proven; {share:.6f} % of those that are tried and feasible.")
        if found.of_points
        else _("{proven:,} of {pieces:,} pieces are proven at every value; {share:.6f} % of the feasible length.")
    )
    print(_(text, proven=found.proven, pieces=found.pieces, share=100 * found.certified_share))
    if found.holds:
        print(_("Every statement holds."))
        return 0
    print(*(_("It does not hold: {what}.", what=one) for one in found.refused), sep="\n", file=sys.stderr)
    return 5


def _box(options: Namespace, box: Box, replaced: bool) -> int:
    """Answer at a grid of two keys, and write its points with what proves them."""
    import numpy as np

    from etsopt.cli.validating import tell_doubts
    from etsopt.common.progress import unlimited
    from etsopt.studies.curves.axes import doubts_of
    from etsopt.studies.curves.result import INFEASIBLE

    grids = [[axis.shown(place) for place in np.linspace(0.0, 1.0, GRID)] for axis in box.solver.axes]
    places = [(first, second) for first in grids[0] for second in grids[1]]
    points = box.sample(places)
    if options.out is not None:
        with unlimited():
            box.save(options.out, points, options.format)
    proven, infeasible = (int(points["status"].str.contains(status).sum()) for status in ("certified", INFEASIBLE))
    counts = {
        "points": len(points),
        "proven": proven,
        "with_allocation": proven - infeasible,
        "infeasible": infeasible,
        "solved": int(points["solved"].sum()),
        "regions": len(box.regions),
    }
    doubts = doubts_of(box.solver.instance, box.solver.axes)
    if options.json:
        print(json.dumps(counts | {"doubts": doubts}, ensure_ascii=False))
    else:
        tell_doubts(doubts)
        print(
            _(
                "{points:,} points, {proven:,} proven: {with_allocation:,} have an allocation, at {infeasible:,} none "
                "exists. {regions:,} regions answer them, {solved:,} were solved.",
                **counts,
            )
        )
        if options.out is not None:
            _tell_written(options.out, replaced)
    if box.termination == "interrupted":
        return 130
    return 0 if proven == len(places) else 4
