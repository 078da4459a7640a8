"""Arguments of the commands on a store of monthly reports. This module imports no heavy package."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from rich_argparse import RawDescriptionRichHelpFormatter as Formatter

if TYPE_CHECKING:
    from etsopt.cli.streams import Parser

Add = Callable[[str, str], "Parser"]
"""A function that adds a verb by name and text."""

PLACE = ("unit", "month", "item")
STORE = "file of the store, which ends in .duckdb"


def add_state(command: Parser) -> None:
    """Add the options for an earlier state of a store, and for a store in use."""
    text = "state of a store: an entry that `etsopt store log` lists, or a day such as 2026-01-31 (default: now)"
    command.add_argument("--as-of", metavar="WHEN", help=text)
    add_wait(command)


def add_wait(command: Parser) -> None:
    """Add the time to wait for a store that is in use."""
    text = "time to wait while another process has the store open (default: 10)"
    command.add_argument("--wait", type=seconds, metavar="S", help=text)


def seconds(text: str) -> float:
    """Return a time of at least 0 s."""
    value = float(text)
    if not 0 <= value < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is no time in seconds from 0 on")
    return value


def add_commands(commands: argparse._SubParsersAction[Parser], machine: Parser) -> None:
    """Add `etsopt store`, `etsopt review` and `etsopt verify`."""
    _add_store(commands, machine)
    _add_review(commands, machine)
    _add_verify(commands, machine)


def _adder(commands: argparse._SubParsersAction[Parser], machine: Parser, name: str, text: str) -> Add:
    """Add a command with verbs of its own, and return the function that adds a verb on a store."""
    parser = commands.add_parser(name, help=text, description=text, formatter_class=Formatter)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)

    def add(name: str, text: str) -> Parser:
        verb: Parser = verbs.add_parser(name, help=text, description=text, parents=[machine], formatter_class=Formatter)
        verb.add_argument("store", metavar="STORE", help=STORE)
        return verb

    return add


def _add_store(commands: argparse._SubParsersAction[Parser], machine: Parser) -> None:
    text = "keep monthly reports with every version of every row in one file"
    add = _adder(commands, machine, "store", text)
    text = "add folders of monthly reports: what is there already stays, a changed row becomes a new version"
    put = add("import", text)
    put.add_argument("data", nargs="+", metavar="DATA", help="a folder with register.csv and reports/*.csv")
    add_wait(put)
    back = add("export", "write the store as a folder of reports, or its tables as Parquet files")
    back.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write to: new, or empty")
    text = "csv: a folder of reports; parquet: all tables with journal and review (default: %(default)s)"
    back.add_argument("--format", default="csv", help=text)
    add_state(back)
    log = add("log", "list imports and decisions, with the rows that they added")
    add_wait(log)


def _add_review(commands: argparse._SubParsersAction[Parser], machine: Parser) -> None:
    text = "review monthly reports in a store at the municipal, provincial and national level"
    add = _adder(commands, machine, "review", text)
    status = add("status", "summarise items, first-pass rates, open findings, late months and enterprises at risk")
    status.add_argument("--year", type=int, help="only months of this year (default: all)")
    text = "day by which months without a report count as missing after their deadline (default: today)"
    status.add_argument("--on", metavar="DAY", help=text)
    text = "folder to write all tables to: items, months, findings, corrections and the others"
    status.add_argument("--out", type=Path, metavar="DIR", help=text)
    add_state(status)
    findings = add("findings", "list findings")
    findings.add_argument("--year", type=int, help="only months of this year (default: all)")
    findings.add_argument("--all", action="store_true", help="also those that are closed")
    add_state(findings)
    history = add("history", "list every version of the items of a month, and every decision on them")
    _add_item(history, needed=("unit", "month"))
    add_state(history)
    apply = add("apply", "apply a table of decisions, all or none; rows that were applied before are left alone")
    text = "a CSV file with a decision a row: pass, find, close, correct or restore"
    apply.add_argument("decisions", type=Path, metavar="FILE", help=text)
    add_wait(apply)
    screen = add("screen", "take over the findings of `etsopt screen`; what was closed stays closed")
    _add_who(screen)
    screen.add_argument("--least", type=float, default=0.0, metavar="T", help="least size of a finding [tCO2e]")
    screen.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="replace a threshold; repeatable"
    )
    _add_decisions(add)


def _add_decisions(add: Add) -> None:
    """Add a verb for each decision on a single item, or on all that match."""
    grant = add("pass", "pass items: those of a unit, month, process or item")
    find = add("find", "open a finding on a month or item")
    close = add("close", "close a finding")
    correct = add("correct", "correct a quantity: a new version, which passes the levels again")
    restore = add("restore", "bring an earlier version back, as a new one")
    for verb, needed in ((grant, ("unit",)), (find, ("unit", "month")), (correct, PLACE), (restore, PLACE)):
        _add_item(verb, needed)
    for verb in (grant, find, close, correct, restore):
        _add_who(verb)
        verb.add_argument("--day", metavar="DAY", default="", help="day of the decision (default: today)")
    for verb in (find, close, correct, restore):
        verb.add_argument("--reason", required=True, help="why")
    find.add_argument("--size", type=float, metavar="T", help="emissions concerned [tCO2e]")
    close.add_argument("--finding", type=int, required=True, metavar="N", help="number of the finding")
    correct.add_argument("--quantity", type=float, metavar="X", help="corrected quantity (default: as it is)")
    text = "version that was reviewed: another that is present is refused (default: the present one)"
    grant.add_argument("--version", type=int, metavar="N", help=text)
    text = "corrected calorific value [GJ/t or GJ/1e4 Nm3] (default: as it is)"
    correct.add_argument("--ncv", type=float, metavar="X", help=text)
    restore.add_argument("--version", type=int, required=True, metavar="N", help="version that comes back")


def _add_item(verb: Parser, needed: tuple[str, ...]) -> None:
    """Add the options that choose items; those that are left out stand for all."""
    for name in ("unit", "month", "process", "item", "flow", "batch"):
        text = f"{name} of the items" + ("" if name in needed else " (default: all)")
        verb.add_argument(f"--{name}", default="", required=name in needed, help=text)


def _add_who(verb: Parser) -> None:
    text = "level that decides: municipal, provincial or national; enterprise for a correction of its own"
    verb.add_argument("--level", required=True, help=text)
    verb.add_argument("--by", required=True, metavar="NAME", help="person or department that decides")
    add_wait(verb)


def _add_verify(commands: argparse._SubParsersAction[Parser], machine: Parser) -> None:
    text = "write annual emissions with their status, the findings, and the monthly sheets of enterprises"
    verify = commands.add_parser("verify", help=text, description=text, parents=[machine], formatter_class=Formatter)
    text = "a store, an instance with monthly reports, or a folder of these, whose findings are those of screening"
    verify.add_argument("data", metavar="DATA", help=text)
    text = "year of the emissions (default: that of the policy, or the last of the reports)"
    verify.add_argument("--year", type=int, help=text)
    verify.add_argument("--out", type=Path, metavar="DIR", help="folder to write tables and sheets to")
    text = "write the sheet of this enterprise only; repeatable (default: all)"
    verify.add_argument("--enterprise", action="append", default=[], metavar="ID", help=text)
    text = "replace a factor, as for `etsopt account`; repeatable"
    verify.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help=text)
    add_state(verify)
