"""The command ``monitor``: daily stack monitors beside calculated emissions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.cli.options import add_set, pairs
from etsopt.cli.printing import print_files, print_json, records
from etsopt.common.language import _

if TYPE_CHECKING:
    from argparse import Namespace

    from etsopt.cli.parsing import Commands


def register(commands: Commands) -> None:
    """Add the command."""
    text = _("compare daily stack monitors with calculated emissions: differences, gaps, drift")
    command = commands.add("monitor", text, monitor)
    text = _("a folder with register.csv, reports and monitor/*.csv")
    command.add_argument("data", metavar="DATA", help=text)
    command.add_argument("--out", type=Path, metavar="DIR", help=_("folder to write the tables to"))
    add_set(command, _("replace a setting, such as window_days=10; repeatable"))


def monitor(options: Namespace) -> int:
    """Compare the monitors of a folder with its accounts, print the units, and write tables if a folder is named."""
    from etsopt import accounting
    from etsopt.accounting.save import save_monitoring
    from etsopt.cli import terminal
    from etsopt.common import progress
    from etsopt.reports.monthly.monitoring import monitored

    settings = pairs(options.set, "--set")
    with terminal.waiting(quiet=options.json) as tell, progress.watched(None, tell):
        reports = accounting.read_reports(options.data)
        rows = accounting.read_monitor(options.data, reports.register)
        accounts = accounting.account(reports, accounting.read_parameters(options.data))
        found = accounting.monitor(accounts, rows, settings)
        files = [] if options.out is None else save_monitoring(found, options.out)
    if options.json:
        tables = {name: records(found.tables[name]) for name in ("monitor_units", "monitor_months")}
        print_json({**tables, "files": files})
        return 0
    terminal.show(monitored(found))
    print_files(files, options.out)
    return 0
