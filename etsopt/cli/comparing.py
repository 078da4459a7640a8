"""Compare the allocations of two runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.common.language import _

if TYPE_CHECKING:
    from argparse import Namespace

    from etsopt.cli.parsing import Commands


def register(commands: Commands) -> None:
    """Add the command."""
    command = commands.add("compare", _("compare two runs: the second minus the first"), compare)
    command.add_argument("one", type=Path, help=_("a run folder"))
    command.add_argument("other", type=Path, help=_("another run folder"))


def compare(options: Namespace) -> int:
    """Print the differences between two runs."""
    from etsopt.cli import terminal
    from etsopt.reports.run import Run
    from etsopt.reports.run_comparison import run_comparison
    from etsopt.running.results import comparison, results

    one, other = results.load(options.one), results.load(options.other)
    if options.json:
        tables = comparison.compare(one, other)
        content = {name: table.to_dict("records") for name, table in tables.items()}
        print(json.dumps(results.finite(content), ensure_ascii=False, allow_nan=False))
    else:
        runs = (Run(run, folder.name) for run, folder in ((one, options.one), (other, options.other)))
        terminal.show(run_comparison(*runs))
    return 0
