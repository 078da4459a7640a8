"""The command ``verify``: annual emissions with what the review has settled, and monthly sheets of enterprises."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.cli.options import add_set, add_state, pairs
from etsopt.cli.printing import print_files, print_json, records
from etsopt.common.errors import UsageError
from etsopt.common.language import _

if TYPE_CHECKING:
    from argparse import Namespace

    from etsopt.cli.parsing import Commands


def register(commands: Commands) -> None:
    """Add the command."""
    text = _("write annual emissions with their status, the findings, and the monthly sheets of enterprises")
    command = commands.add("verify", text, verify)
    text = _("a store, an instance with monthly reports, or a folder of these, whose findings are those of screening")
    command.add_argument("data", metavar="DATA", help=text)
    text = _("year of the emissions (default: that of the policy, or the last of the reports)")
    command.add_argument("--year", type=int, help=text)
    command.add_argument("--out", type=Path, metavar="DIR", help=_("folder to write tables and sheets to"))
    text = _("write the sheet of this enterprise only; repeatable (default: all)")
    command.add_argument("--enterprise", action="append", default=[], metavar="ID", help=text)
    text = _("replace a factor, as for `etsopt account`; repeatable")
    add_set(command, text)
    add_state(command)


def verify(options: Namespace) -> int:
    """Write annual emissions with their status, findings and sheets."""
    from etsopt import accounting
    from etsopt.accounting.save import save_review
    from etsopt.cli import terminal
    from etsopt.common import progress
    from etsopt.reports import write_monthly_sheets
    from etsopt.reports.monthly.review import verified

    if options.enterprise and options.out is None:
        raise UsageError(_("--enterprise names sheets, but no folder to write them to."), _("Name it by --out."))
    with terminal.waiting(quiet=options.json) as tell, progress.watched(None, tell):
        changes = pairs(options.set, "--set")
        found = accounting.verify(options.data, options.year, changes, as_of=options.as_of, wait_s=options.wait)
        files = []
        if options.out is not None:
            state = found.review
            tables = {"emissions": found.units, "findings": state.findings, "corrections": state.corrections}
            tables |= {"rates": state.rates, "at_risk": state.at_risk, "months": state.months}
            files = save_review(tables, options.out)
            files += write_monthly_sheets(found, options.out / "sheets", options.enterprise)
    if options.json:
        print_json({"year": found.year, "entry": found.review.entry, "units": records(found.units), "files": files})
        return 0
    terminal.show(verified(found))
    print_files(files, options.out)
    return 0
