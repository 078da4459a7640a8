"""The command `etsopt explain`: why a unit got its number."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.cli.options import add_time_limit
from etsopt.language import _

if TYPE_CHECKING:
    from argparse import Namespace

    from etsopt.cli.parsing import Commands


def register(commands: Commands) -> None:
    """Add the command."""
    text = _("explain the number of a unit: rule, limits, what one tonne more would take, and what is just as good")
    command = commands.add("explain", text, explain)
    command.add_argument("run", type=Path, help=_("a run folder written by `etsopt solve --out`"))
    command.add_argument("unit", help=_("unit_id or name of the unit, or the enterprise of a single one"))
    add_time_limit(command)


def explain(options: Namespace) -> int:
    """Print the explanation of a unit of a run."""
    from etsopt.cli import terminal
    from etsopt.progress import watched
    from etsopt.reports.explained import explained
    from etsopt.results import results

    with terminal.waiting(quiet=options.json) as tell, watched(options.time_limit, tell):
        found = results.load(options.run).explain(options.unit, near_optimal=True)
    if options.json:
        print(json.dumps(results.finite(found.as_dict()), ensure_ascii=False, allow_nan=False))
    else:
        terminal.show(explained(found))
    return 0
