"""The command ``reconcile``: evidence of monthly reports, and the model `reconciliation` on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.cli.printing import CHINESE, print_json

if TYPE_CHECKING:
    from argparse import Namespace

MODEL = "reconciliation"


def reconcile(options: Namespace) -> int:
    """Reconcile the monthly reports of a folder, print a summary, and write the run if `--out` names a folder."""
    from etsopt import accounting, progress
    from etsopt.cli import saving, show, show_reconciliation, terminal
    from etsopt.cli.commands import _exit_code, _pairs
    from etsopt.results.run_folder import see_that_writable
    from etsopt.running import run

    if options.out is not None:
        see_that_writable(options.out)
    with terminal.waiting(quiet=options.json) as tell, progress.watched(options.time_limit, tell):
        with progress.stopped_anywhere("reading"):
            reports = accounting.read_reports(options.data)
            factors = {**accounting.read_parameters(options.data), **_pairs(options.set, "--set")}
            instance = accounting.evidence_of(reports, options.year, factors, name=options.data)
        result = run.solve(instance, MODEL, time_limit_s=options.time_limit)
        written = options.out is not None and result.status not in ("none", "refused")
        if written:
            progress.tell("writing")
            result.save(options.out, instance)
    if options.json:
        print_json(result.summary())
        return _exit_code(result)
    if options.lang == CHINESE and MODEL in result.tables and result.status != "refused":
        show_reconciliation.reconciliation(terminal.plain_console(), result, chinese=True)
    else:
        show.result(result)
    if options.out is not None:
        print(saving.about(result, options.out, None, written))
    return _exit_code(result)
