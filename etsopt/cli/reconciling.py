"""The command ``reconcile``: evidence of monthly reports, and the model `reconciliation` on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.cli.exit_codes import exit_code
from etsopt.cli.options import add_set, add_time_limit, pairs
from etsopt.cli.printing import print_json
from etsopt.common.language import _

if TYPE_CHECKING:
    from argparse import Namespace

    from etsopt.cli.parsing import Commands

MODEL = "reconciliation"


def register(commands: Commands) -> None:
    """Add the command."""
    text = _("find false figures, substitutes and the interval of emissions that reports allow")
    command = commands.add("reconcile", text, reconcile)
    text = _("a folder with register.csv and reports, or a shipped one")
    command.add_argument("data", metavar="DATA", help=text)
    text = _("year of the emissions (default: the last one of the reports)")
    command.add_argument("--year", type=int, help=text)
    text = _("folder to write the run to: tables, result.json, the instance")
    command.add_argument("--out", type=Path, metavar="DIR", help=text)
    add_set(command, _("replace a factor, as for account; repeatable"))
    add_time_limit(command)


def reconcile(options: Namespace) -> int:
    """Reconcile the monthly reports of a folder, print a summary, and write the run if `--out` names a folder."""
    from etsopt import accounting
    from etsopt.cli import saving, terminal
    from etsopt.cli.solving import show_summary
    from etsopt.common import progress
    from etsopt.running import run
    from etsopt.running.results.run_folder import require_writable

    if options.out is not None:
        require_writable(options.out)
    with terminal.waiting(quiet=options.json) as tell, progress.watched(options.time_limit, tell):
        with progress.stopped_anywhere(_("reading")):
            reports = accounting.read_reports(options.data)
            factors = {**accounting.read_parameters(options.data), **pairs(options.set, "--set")}
            instance = accounting.evidence_of(reports, options.year, factors, name=options.data)
        result = run.solve(instance, MODEL, time_limit_s=options.time_limit)
        written = options.out is not None and result.status not in ("none", "refused")
        if written:
            progress.tell(_("writing"))
            result.save(options.out, instance)
    if options.json:
        print_json(result.summary())
        return exit_code(result)
    show_summary(result)
    if options.out is not None:
        print(saving.about(result, options.out, None, written))
    return exit_code(result)
