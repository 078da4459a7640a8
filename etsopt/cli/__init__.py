"""The command line: commands, options and exit codes.

This module imports no heavy package, so that ``etsopt --help`` responds at once.
"""

from __future__ import annotations

import argparse
import io
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from rich_argparse import RawDescriptionRichHelpFormatter as Formatter

from etsopt import __version__
from etsopt.cli.accounting_arguments import add_accounting, add_review_plan
from etsopt.cli.ending import run_to_exit_code
from etsopt.cli.language import LANGUAGES, _, in_chinese, language_of, speaking, translated
from etsopt.cli.reporting import add_arguments as add_report
from etsopt.cli.review_arguments import add_commands
from etsopt.cli.streams import Parser, escaping
from etsopt.cli.sweep_arguments import add_sweeps
from etsopt.errors import AssumedWarning

EXIT_CODES = """exit codes:
  0  solved: every limit checked, optimality proven within the requested gap
  2  invalid input or usage, or a damaged run folder
  3  infeasible: explained in tonnes, proven or not
  4  stopped, out of memory, or proven within a larger gap only; the best
     result found is kept, if there is one
  5  the checker found a violated limit or a false claim
  6  `etsopt check` of a model of your own: nothing could be checked
  130, 143  interrupted: `--out` still writes the best result found"""

BEGIN = """etsopt allocates carbon allowances by optimisation and certifies the result. Begin with one of

  etsopt solve cn-2025                        a shipped instance; `etsopt instances` lists them
  etsopt new plants.xlsx                      a workbook for plants of your own
  etsopt solve plants.xlsx --out result.xlsx  its allocation, as a workbook and a run folder
  etsopt explain result UNIT                  why a unit got its number
  etsopt --help                               all commands and exit codes"""

MODULES = {
    **dict.fromkeys(("account", "screen", "inclusion"), "accounting"),
    "import": "importing",
    "store": "storing",
    **dict.fromkeys(("review", "verify"), "reviewing"),
    "monitor": "monitoring",
    "review-plan": "review_plan",
    "reconcile": "reconciling",
    **dict.fromkeys(("new", "convert"), "workbooks"),
    "explain": "explaining",
    "plot": "plotting",
    "sweep": "sweeping",
    "design": "designing",
    "forecast": "forecasting",
    "report": "reporting",
    "schema": "listings",
    **dict.fromkeys(("models", "instances", "rules"), "listing"),
    "completion": "completing",
}
"""Modules of commands outside `etsopt.cli.commands`."""

INSTANCE = "a folder, a workbook, a CSV file of units, or the name of a shipped instance"

FUNCTIONS = {"import": "import_tables", "review-plan": "review_plan"}
"""Functions of commands whose name is none in Python."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal without Chinese characters shows question marks.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    arguments = sys.argv[1:] if arguments is None else arguments
    options = argparse.Namespace(json=False, lang=None)
    with escaping(), warnings.catch_warnings(), speaking(language_of(arguments)):
        warnings.showwarning = _warn
        warnings.simplefilter("always", AssumedWarning)
        return run_to_exit_code(lambda: _run(arguments, options), lambda: options.json)


def _warn(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Print a warning, such as of an assumption, without the code line that Python would add."""
    text = message.args[0] if isinstance(message, Warning) else message
    print(_("Warning: {text}", text=translated(text)), file=sys.stderr)


def _run(arguments: list[str], options: argparse.Namespace) -> int:
    """Run one command; fill `options` with its arguments."""
    _parser().parse_args(arguments, options)
    # What the terminal states holds where the command does not.
    options.lang = LANGUAGES[in_chinese()]
    if options.command is None:
        print(_(BEGIN))
        return 2
    from importlib import import_module

    module = import_module(f"etsopt.cli.{MODULES.get(options.command, 'commands')}")
    return int(getattr(module, FUNCTIONS.get(options.command, options.command))(options))


def _parser() -> Parser:
    parser = Parser(
        prog="etsopt",
        description="Allocate carbon allowances by optimisation and certify the result.",
        epilog=EXIT_CODES,
        formatter_class=Formatter,
    )
    parser.add_argument("--version", action="version", version=f"etsopt {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    machine = Parser(add_help=False)
    machine.add_argument("--json", action="store_true", help="print machine-readable output and nothing else")
    text = "language of what the command writes: en or zh (default: that of the terminal)"
    machine.add_argument("--lang", choices=LANGUAGES, help=text)
    _add_solve(commands, machine)
    _add_data_commands(commands, machine)
    add_accounting(commands, machine)
    add_commands(commands, machine)
    add_review_plan(commands, machine, EXIT_CODES)
    add_sweeps(commands, machine)
    for name, text in (
        ("models", "list the models"),
        ("rules", "list the allocation rules, their parameters and sources"),
        ("instances", "list the shipped instances"),
    ):
        added = commands.add_parser(name, help=text, description=text, parents=[machine], formatter_class=Formatter)
        if name == "rules":
            about = "print the official parameters of the rule's year with unit, source and confidence"
            added.add_argument("rule", nargs="?", metavar="RULE", help=about)
            about = "compliance year of the plans under the rule cn (default: the last one with a plan for power)"
            added.add_argument("--year", type=int, help=about)
    return parser


def _add_solve(commands: argparse._SubParsersAction[Parser], machine: Parser) -> None:
    text = "solve a model on an instance and check the result"
    solve = commands.add_parser(
        "solve", help=text, description=text, epilog=EXIT_CODES, parents=[machine], formatter_class=Formatter
    )
    solve.add_argument("instance", help=INSTANCE)
    solve.add_argument(
        "--model", default="allocation", help="name of a model, or path of a model file (default: %(default)s)"
    )
    _add_rule(solve)
    _add_emissions(solve)
    solve.add_argument(
        "--out",
        type=Path,
        help="folder to write the run to: tables, result.json, the instance; or a file that ends in .xlsx, for both",
    )
    _add_format(solve)
    _add_set(solve)
    solve.add_argument("--time-limit", type=float, metavar="S", help="limit for the whole command [s]")
    solve.add_argument("--gap", type=float, help="relative gap of integer programs (default: 1e-6, or the model's own)")
    solve.add_argument("--seed", type=int, default=0, help="seed of the solver (default: %(default)s)")
    help_method = "direct, aggregation, decomposition, or pyomo, which is slow (default: the fastest at this size)"
    solve.add_argument("--method", help=help_method)
    solve.add_argument(
        "--solver-option", action="append", default=[], metavar="KEY=VALUE", help="an option of HiGHS; repeatable"
    )
    text = "if the policy is infeasible, solve it with the limits relaxed as in remedy N, which the result lists"
    solve.add_argument("--apply-remedy", type=int, metavar="N", help=text)
    solve.add_argument(
        "--mps", type=Path, metavar="FILE", help="write the program of the first objective in MPS format"
    )


def _add_format(command: Parser) -> None:
    text = "table format: csv, or parquet, which needs the extra 'parquet' (default: %(default)s)"
    command.add_argument("--format", default="csv", help=text)


def _add_rule(command: Parser) -> None:
    text = "a Python file with a rule of your own, instead of the rule that the policy names"
    command.add_argument("--rule", type=Path, metavar="FILE", help=text)


def _add_emissions(command: Parser) -> None:
    text = (
        "of an instance with monthly reports, the emissions of units that are not verified: accounted (default), low, "
        "reconciled, high; verified refuses such units"
    )
    command.add_argument("--emissions", metavar="WHICH", help=text)


def _add_set(command: Parser) -> None:
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a policy key, such as sectors.cement.target_change=-0.01; repeatable",
    )


def _add_data_commands(commands: argparse._SubParsersAction[Parser], machine: Parser) -> None:
    def add(name: str, text: str) -> Parser:
        return commands.add_parser(name, help=text, description=text, parents=[machine], formatter_class=Formatter)

    _add_checks(add)
    _add_official_tables(add)
    _add_instances(add)


def _add_checks(add: Callable[[str, str], Parser]) -> None:
    validate = add("validate", "read an instance and list every defect")
    validate.add_argument("instance", help=INSTANCE)
    _add_rule(validate)
    _add_emissions(validate)
    _add_set(validate)
    check = add("check", "check a saved run from its instance and tables alone, or the record of a sweep or search")
    check.add_argument("run", type=Path, help="a run folder written by `etsopt solve --out`, or folder of a record")
    text = "largest relative gap that proves whole plans, whole tonnes and exceptions (default: 1e-4, of reviews 1e-3)"
    check.add_argument("--gap", type=float, metavar="G", help=text)
    text = "model whose theorem is to be proven (default: the one that the run names)"
    check.add_argument("--as", dest="model", metavar="MODEL", help=text)
    text = "file of your own model, whose program is compiled and proven again"
    check.add_argument("--model", dest="model_file", metavar="FILE", help=text)
    text = "of a record, how many of its proven outcomes are solved again (default: 20)"
    check.add_argument("--again", type=int, default=20, metavar="K", help=text)
    check.add_argument("--all", action="store_true", help="of a record, solve all proven outcomes again")
    check.add_argument(
        "--seed", type=int, default=0, metavar="S", help="of a record, seed of their choice (default: 0)"
    )
    text = "of a record, its instance, if it no longer lies where it lay"
    check.add_argument("--instance", metavar="INSTANCE", help=text)
    explain = add("explain", "explain the number of a unit: rule, limits, and what one tonne more would take")
    explain.add_argument("run", type=Path, help="a run folder written by `etsopt solve --out`")
    explain.add_argument("unit", help="unit_id or name of the unit, or the enterprise of a single one")
    shell = add("completion", "print the completion script of a shell, such as: etsopt completion bash >> ~/.bashrc")
    shell.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell")
    add("schema", "print the JSON schema of result.json")
    plot = add("plot", "draw a chart of a run, sweep or design search; without a kind, list those that there are")
    text = "folder of a run, written by `etsopt solve --out`, of a sweep or of a design search"
    plot.add_argument("run", type=Path, help=text)
    plot.add_argument("kind", nargs="?", metavar="KIND", help="such as surplus, prices, or front of a design search")
    plot.add_argument("--out", type=Path, metavar="FILE", help="file to write, .svg, .png or .html (default: KIND.svg)")
    plot.add_argument("--year", type=int, metavar="YEAR", help="of cost_curve and supply_demand, the year to draw")
    plot.add_argument("--inline", action="store_true", help="of .html, write the script of charts into the page")
    add_report(add("report", "write a run, sweep or design search as an HTML page with charts, or a letter"))


def _add_official_tables(add: Callable[[str, str], Parser]) -> None:
    export = add("export", "write the annex tables of the allocation plan from a run, as CSV files and a workbook")
    export.add_argument("run", type=Path, help="a run folder of allocation or compliance")
    export.add_argument("--tables", required=True, metavar="NAME", help="official: tables 1-1 to 1-5 and 2-1 to 2-5")
    export.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write the files to")
    export.add_argument("--province", default="", metavar="NAME", help="only this province (default: all)")
    back = add("import", "read annex tables of the allocation plan as an instance")
    back.add_argument("source", type=Path, help="a folder of CSV files as `etsopt export` writes them, or a workbook")
    back.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the instance: new, or empty")
    back.add_argument("--year", type=int, help="compliance year (default: that of the titles, which CSV files lack)")
    text = "province of tables that name none; of tables of several, only its rows are read"
    back.add_argument("--province", default="", metavar="NAME", help=text)


def _add_instances(add: Callable[[str, str], Parser]) -> None:
    new = add("new", "write a workbook to fill in: sheets of units, enterprises, measures and policy")
    new.add_argument("file", type=Path, metavar="FILE.xlsx", help="workbook to write")
    convert = add("convert", "write an instance as a workbook or a folder, without loss")
    convert.add_argument("instance", help=INSTANCE)
    convert.add_argument("to", type=Path, metavar="TO", help="a file that ends in .xlsx, or a folder: new, or empty")
    _add_format(convert)
    for command in (new, convert):
        command.add_argument("--force", action="store_true", help="replace what is there")
    roll = add("roll", "write next year's instance from a certified compliance year")
    roll.add_argument("run", type=Path, help="a run folder written by `etsopt solve --model compliance --out`")
    roll.add_argument("--out", type=Path, required=True, help="folder to write the instance to: new, or empty")
    text = "next year's units.csv (default: this year's emissions and output, as a forecast)"
    roll.add_argument("--units", type=Path, metavar="FILE", help=text)
    _add_format(roll)
    compare = add("compare", "compare the allocations of two runs: second minus first")
    compare.add_argument("one", type=Path, help="a run folder")
    compare.add_argument("other", type=Path, help="another run folder")
    generate = add("generate", "generate a random instance of any size from a seed")
    generate.add_argument("--units", type=int, required=True, help="number of allocation units")
    generate.add_argument("--seed", type=int, default=0, help="same seed, same bytes (default: %(default)s)")
    generate.add_argument(
        "--measures", type=int, default=0, help="abatement measures of each unit, 0 to 12 (default: %(default)s)"
    )
    text = "draw the figures of measures for each unit, around those of its sector"
    generate.add_argument("--own-measures", action="store_true", help=text)
    generate.add_argument("--out", type=Path, required=True, help="folder to write the instance to")
    _add_format(generate)
