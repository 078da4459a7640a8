"""Options of the commands on monthly reports that need no store; like `etsopt.cli`, it imports no heavy package."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich_argparse import RawDescriptionRichHelpFormatter as Formatter

from etsopt.cli.review_arguments import add_state

if TYPE_CHECKING:
    import argparse

    from etsopt.cli.streams import Parser


def add_accounting(commands: argparse._SubParsersAction[Parser], machine: Parser) -> None:  # long: a list of options
    """Add the commands that compute from monthly reports."""

    def add(name: str, text: str) -> Parser:
        return commands.add_parser(name, help=text, description=text, parents=[machine], formatter_class=Formatter)

    account = add("account", "compute emissions by unit, month, process and gas from monthly reports")
    account.add_argument(
        "data", nargs="?", metavar="DATA", help="a folder with register.csv and reports/*.csv, or a store"
    )
    account.add_argument(
        "--out", type=Path, metavar="DIR", help="folder to write the tables, their trail and units.csv to"
    )
    account.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="replace a factor, such as aluminium.default_tco2e_per_t=0.26316; repeatable",
    )
    account.add_argument("--factors", action="store_true", help="list all factors with source and confidence instead")
    text = "look for missing and late months, jumps, unlikely ratios and copies in monthly reports"
    screen = add("screen", text)
    screen.add_argument("data", nargs="?", metavar="DATA", help="a folder or store as above, or cn-2025-reports")
    screen.add_argument("--out", type=Path, metavar="DIR", help="folder to write the findings to")
    text = "a Python file with rules of your own, beside those of the package; repeatable"
    screen.add_argument("--rule", type=Path, action="append", default=[], metavar="FILE", help=text)
    text = "replace a threshold, such as late_month.days=45; repeatable"
    screen.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help=text)
    screen.add_argument("--rules", action="store_true", help="list all rules with kind, thresholds and source instead")
    inclusion = add(
        "inclusion", "list the entities that a year covers, those outside it and why, and those near the line"
    )
    inclusion.add_argument(
        "data", metavar="DATA", help="a folder with register.csv, a store, an instance, or a shipped one"
    )
    text = "year of the list (default: two years after the emissions)"
    inclusion.add_argument("--year", type=int, help=text)
    text = "year of the emissions (default: two years before --year, else the last of the reports)"
    inclusion.add_argument("--emissions-year", type=int, metavar="YEAR", help=text)
    monitor = add("monitor", "compare daily stack monitors with calculated emissions: differences, gaps, drift")
    monitor.add_argument("data", metavar="DATA", help="a folder with register.csv, reports and monitor/*.csv")
    monitor.add_argument("--out", type=Path, metavar="DIR", help="folder to write the tables to")
    text = "replace a setting, such as window_days=10; repeatable"
    monitor.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help=text)
    reconcile = add("reconcile", "find false figures, substitutes and the interval of emissions that reports allow")
    reconcile.add_argument("data", metavar="DATA", help="a folder with register.csv and reports, or a shipped one")
    reconcile.add_argument("--year", type=int, help="year of the emissions (default: the last one of the reports)")
    text = "folder to write the run to: tables, result.json, the instance"
    reconcile.add_argument("--out", type=Path, metavar="DIR", help=text)
    text = "replace a factor, as for account; repeatable"
    reconcile.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help=text)
    reconcile.add_argument("--time-limit", type=float, metavar="S", help="limit for the whole command [s]")
    for command in (account, screen, inclusion):
        add_state(command)


def add_review_plan(commands: argparse._SubParsersAction[Parser], machine: Parser, exit_codes: str) -> None:
    """Add the command that plans reviews."""
    text = "plan the reviews of three levels that cover the most tonnes at risk, from findings of screening"
    plan = commands.add_parser(
        "review-plan", help=text, description=text, epilog=exit_codes, parents=[machine], formatter_class=Formatter
    )
    plan.add_argument("data", metavar="DATA", help="a folder with register.csv and reports, or an instance")
    text = "reviewer days: national=60, or of every province, provincial=20, or of one, provincial.Hebei=40; repeatable"
    plan.add_argument("--days", action="append", default=[], metavar="LEVEL=DAYS", help=text)
    text = "change a key of [review_plan], such as provincial.least_share=0.2 or seed=7; repeatable"
    plan.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help=text)
    plan.add_argument("--year", type=int, help="year of the findings (default: the last of the reports)")
    text = "folder to write the run to; `etsopt check` checks it again"
    plan.add_argument("--out", type=Path, metavar="DIR", help=text)
    plan.add_argument("--tables", type=Path, metavar="DIR", help="folder to write the tables to, in the language")
    plan.add_argument("--gap", type=float, help="relative gap that may stay open (default: 1e-3)")
    plan.add_argument("--time-limit", type=float, metavar="S", help="limit for the whole command [s]")
