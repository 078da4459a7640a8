"""The command `etsopt explore`: a curve as one offline page with a slider, which the reader's browser proves."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.cli.curving import EXIT_CODES, add_keys, exit_code, keys_of
from etsopt.cli.options import add_instance, add_time_limit, instance_of
from etsopt.cli.reporting import kind_of
from etsopt.common.errors import UsageError
from etsopt.common.language import _, joined

if TYPE_CHECKING:
    from argparse import Namespace

    from etsopt.cli.parsing import Commands
    from etsopt.studies.curves import Curve
    from etsopt.studies.explore.box_cover import BoxCover
    from etsopt.studies.explore.data import Source


def register(commands: Commands) -> None:
    """Add the command."""
    text = _("one offline page with a slider, on which a browser proves the allocation of every value of a limit again")
    command = commands.add("explore", text, explore, EXIT_CODES)
    text = _("a folder, a workbook, a CSV file of units, or the name of a shipped instance; or the folder of a curve")
    add_instance(command, text)
    text = _("a key and both ends of its range, as sectors.cement.target_change=-0.01:0; twice for two sliders")
    add_keys(command, text)
    text = _("file to write (default: %(default)s)")
    command.add_argument("--out", type=Path, default=Path("explore.html"), metavar="FILE", help=text)
    add_time_limit(command)


def explore(options: Namespace) -> int:
    """Find a curve or read it, and write its page."""
    from etsopt.cli.validating import tell_doubts
    from etsopt.data.files.atomic import require_writable
    from etsopt.studies.curves import Curve
    from etsopt.studies.curves.axes import doubts_of
    from etsopt.studies.curves.curve_document import answer_of
    from etsopt.studies.explore import write_page

    require_writable(options.out)
    found, source = _read(options) if kind_of(Path(options.instance)) == "curve" else _solved(options)
    write_page(found, options.out, source, options.lang)
    pieces = found.cover.pieces if isinstance(found, Curve) else found.points
    doubts = doubts_of(found.solver.instance, found.solver.axes)
    if options.json:
        content = {"file": str(options.out), "bytes": options.out.stat().st_size, "pieces": len(pieces)}
        content |= {"certified_share": found.certified_share, "termination": found.termination, "doubts": doubts}
        print(json.dumps(content, ensure_ascii=False))
    else:
        tell_doubts(doubts)
        print(answer_of(found) if isinstance(found, Curve) else _told(found))
        print(_("Written to {path}, one file that needs no network.", path=options.out))
    return exit_code(found.termination, found.proven)


def _told(found: BoxCover) -> str:
    """Return what is known of a box, in a sentence."""
    from etsopt.common.language import capitalised
    from etsopt.studies.curves.curve_chart import axis_words
    from etsopt.studies.explore.box_cover import INFEASIBLE, OPEN

    points = found.points
    text = _(
        "{keys}: of {points:,} points tried, the middles of all cells of the map and some of its sides, {proven:,} are "
        "proven, at {infeasible:,} no allocation exists, and {open:,} are not proven."
    )
    counts = {"infeasible": points.count(INFEASIBLE), "open": points.count(OPEN)}
    proven = len(points) - sum(counts.values())
    keys = capitalised(joined(axis_words(axis) for axis in found.solver.axes))
    return _(text, keys=keys, points=len(points), proven=proven, **counts)


def _read(options: Namespace) -> tuple[Curve, Source]:
    """Return the curve of a folder, whose pieces are certified as they are read."""
    from etsopt.running.results.run_folder import INSTANCE
    from etsopt.studies.curves import PriceCurve
    from etsopt.studies.curves.curve_files import ANCHOR
    from etsopt.studies.curves.folder import read_line
    from etsopt.studies.explore.data import Source

    if options.vary or options.along or options.set or options.emissions or options.rule:
        what = _("{folder!r} is a curve, which states its keys and its instance.", folder=options.instance)
        raise UsageError(what, _("Leave the options that change these out, or name an instance."))
    found = read_line(options.instance)
    if isinstance(found, PriceCurve):
        what = _("{folder!r} is a curve of prices, which has no page.", folder=options.instance)
        raise UsageError(what, _("Draw it: etsopt report."))
    return found, Source(str(Path(options.instance) / ANCHOR / INSTANCE))


def _solved(options: Namespace) -> tuple[Curve | BoxCover, Source]:
    """Return the curve or box of an instance; what is wrong with the question is said before anything is solved."""
    from etsopt import curves
    from etsopt.cli import terminal
    from etsopt.studies.curves.axes import axes_of
    from etsopt.studies.explore.box_cover import BoxCover, cover_box
    from etsopt.studies.explore.data import Source
    from etsopt.studies.explore.page import require_page

    vary, along = keys_of(options)
    axes = axes_of(vary, along)
    with terminal.telling(quiet=options.json) as tell:
        instance = instance_of(options)
        solver, asked = require_page(instance, axes), {"time_limit_s": options.time_limit, "progress": tell}
        found = cover_box(solver, **asked) if len(axes) > 1 else curves.curve(instance, vary, along=along, **asked)
    assert isinstance(found, curves.Curve | BoxCover)
    return found, Source(options.instance, options.emissions, tuple(options.set))


def check(options: Namespace) -> int:
    """Derive the data of a page again from its instance, and print what holds."""
    from etsopt.cli.curving import print_check
    from etsopt.cli.options import pairs
    from etsopt.running import reading
    from etsopt.studies.explore.page import check_page, source_of

    source = source_of(options.page)
    instance = reading.read(options.run, source.emissions, pairs(list(source.changes)))
    if not options.json:
        # What a page asks comes before what is proven of it.
        if source.changes:
            print(_("The page changes the policy: {changes}.", changes=joined(list(source.changes))))
        if source.emissions:
            print(_("The page reads the emissions of {choice}.", choice=source.emissions))
    about = reading.instance_checked(instance, instance.name)
    found = replace(check_page(options.page, instance), instance=about)
    return print_check(found, options.json, {"changes": source.changes, "emissions": source.emissions})
