"""The command `etsopt explain`: why a unit got its number."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.cli.options import add_time_limit
from etsopt.common.errors import UsageError, brief
from etsopt.common.language import _

if TYPE_CHECKING:
    from argparse import Namespace

    from etsopt.cli.parsing import Commands
    from etsopt.running.results.results import Results


def register(commands: Commands) -> None:
    """Add the command."""
    text = _("explain the number of a unit: rule, limits, what one tonne more would take, and what is just as good")
    command = commands.add("explain", text, explain)
    command.add_argument(
        "run", type=Path, help=_("a run folder written by `etsopt solve --out`, or of --at, of a curve")
    )
    command.add_argument("unit", help=_("unit_id or name of the unit, or the enterprise of a single one"))
    text = _("of a curve, the value of its key, as -0.73%%; of keys that move together, the place from 0 to 1")
    command.add_argument("--at", metavar="VALUE", help=text)
    add_time_limit(command)


def explain(options: Namespace) -> int:
    """Print the explanation of a unit of a run."""
    from etsopt.cli import terminal
    from etsopt.common.progress import watched
    from etsopt.reports.explained import explained
    from etsopt.running.results import results

    with terminal.waiting(quiet=options.json) as tell, watched(options.time_limit, tell):
        run = results.load(options.run) if options.at is None else _at(options.run, options.at)
        found = run.explain(options.unit, near_optimal=True)
    if options.json:
        print(json.dumps(results.finite(found.as_dict()), ensure_ascii=False, allow_nan=False))
    else:
        terminal.show(explained(found))
    return 0


def _at(folder: Path, stated: str) -> Results:
    """Return the answer of a curve at a value, checked as a solve is."""
    from etsopt.cli.curving import number_of
    from etsopt.studies.curves.folder import read_line

    value = number_of(stated)
    if value is None:
        what = _("--at {text} is no number.", text=brief(stated))
        raise UsageError(what, _("For example: {example}", example="--at -0.73%"))
    return read_line(folder).results(value)
