"""Arguments of the commands `etsopt sweep`, `etsopt design` and `etsopt forecast`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich_argparse import RawDescriptionRichHelpFormatter as Formatter

if TYPE_CHECKING:
    import argparse

    from etsopt.cli.streams import Parser

EXIT_CODES = """exit codes:
  0  every scenario is solved and certified, or proven to be infeasible
  2  invalid input or usage
  4  some scenarios failed, or are not proven
  130, 143  interrupted: --resume goes on"""


def add_sweeps(commands: argparse._SubParsersAction[Parser], machine: Parser) -> None:
    """Add the commands."""
    _add_sweep(commands, machine)
    _add_design(commands, machine)
    _add_forecast(commands, machine)


def _add_design(commands: argparse._SubParsersAction[Parser], machine: Parser) -> None:
    text = "search designs of a policy: goals, limits, and the designs none of which beats another"
    design = commands.add_parser(
        "design", help=text, description=text, epilog=EXIT_CODES, parents=[machine], formatter_class=Formatter
    )
    design.add_argument("file", type=Path, metavar="FILE", help="a design file, such as design.toml")
    text = "folder to write to: design.sqlite, designs.csv, front.csv (default: that of FILE's name, beside it)"
    design.add_argument("--out", type=Path, metavar="DIR", help=text)
    design.add_argument("--resume", action="store_true", help="go on with what an earlier run has left")
    design.add_argument("--runs", action="store_true", help="write a run folder of every design of the front")
    _add_where(design)


def _add_forecast(commands: argparse._SubParsersAction[Parser], machine: Parser) -> None:
    text = "forecast balance values and own surpluses from own units and a stated prior"
    command = commands.add_parser("forecast", help=text, description=text, parents=[machine], formatter_class=Formatter)
    command.add_argument("file", type=Path, metavar="FILE", help="a forecast file, such as forecast.toml")
    text = "folder to write tables to: forecast, priors, sensitivity, draws (default: that of FILE's name, beside it)"
    command.add_argument("--out", type=Path, metavar="DIR", help=text)
    text = "draw distributions and intervals too, .svg or .png"
    command.add_argument("--chart", type=Path, metavar="FILE", help=text)
    _add_format(command)


def _add_where(command: Parser) -> None:
    text = "processes on this machine (default: as many as cores, if the extra 'sweep' is installed)"
    command.add_argument("--workers", type=int, metavar="N", help=text)
    command.add_argument("--scheduler", default="", metavar="ADDRESS", help="scheduler of a Dask cluster to solve on")
    _add_format(command)


def _add_format(command: Parser) -> None:
    text = "format of the tables: csv, or parquet, which needs the extra 'parquet' (default: %(default)s)"
    command.add_argument("--format", choices=("csv", "parquet"), default="csv", help=text)


def _add_sweep(commands: argparse._SubParsersAction[Parser], machine: Parser) -> None:
    text = "solve the scenarios of a sweep file: grids, lists, named ones and samples"
    sweep = commands.add_parser(
        "sweep", help=text, description=text, epilog=EXIT_CODES, parents=[machine], formatter_class=Formatter
    )
    sweep.add_argument("file", type=Path, metavar="FILE", help="a sweep file, such as sweep.toml")
    text = "folder to write to: sweep.sqlite, scenarios.csv, values.csv (default: that of FILE's name, beside it)"
    sweep.add_argument("--out", type=Path, metavar="DIR", help=text)
    sweep.add_argument("--count", action="store_true", help="say what the scenarios are, and solve none")
    sweep.add_argument("--resume", action="store_true", help="go on with what an earlier run has left")
    sweep.add_argument("--retry-failed", action="store_true", help="the same, and solve again what failed")
    sweep.add_argument("--only", default="", metavar="PATTERN", help="only scenarios of such names: 'tight/*'")
    _add_where(sweep)
