"""Arguments of the commands on a store of monthly reports. This module imports no heavy package."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich_argparse import RawDescriptionRichHelpFormatter as Formatter

if TYPE_CHECKING:
    from etsopt.cli.streams import Parser

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


def add_language(command: Parser) -> None:
    """Add the language of tables."""
    text = "language of tables (default: %(default)s)"
    command.add_argument("--lang", choices=("en", "zh"), default="en", help=text)


def add_commands(commands: argparse._SubParsersAction[Parser], machine: Parser) -> None:
    """Add `etsopt store`."""
    _add_store(commands, machine)


def _verbs(commands: argparse._SubParsersAction[Parser], name: str, text: str) -> Any:
    """Add a command with verbs of its own, and return the function that adds a verb."""
    parser = commands.add_parser(name, help=text, description=text, formatter_class=Formatter)
    return parser.add_subparsers(dest="verb", metavar="VERB", required=True)


def _add_store(commands: argparse._SubParsersAction[Parser], machine: Parser) -> None:
    verbs = _verbs(commands, "store", "keep monthly reports with every version of every row in one file")

    def add(name: str, text: str) -> Parser:
        verb: Parser = verbs.add_parser(name, help=text, description=text, parents=[machine], formatter_class=Formatter)
        verb.add_argument("store", metavar="STORE", help=STORE)
        return verb

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
    for verb in (put, back, log):
        add_language(verb)
