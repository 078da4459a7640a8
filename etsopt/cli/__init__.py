"""The command line. A command is registered by a module of this folder, which states its options and does its work.

No heavy package is imported before a command runs, so that ``etsopt --help`` responds at once.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import warnings
from importlib import import_module
from typing import TYPE_CHECKING, TextIO

from etsopt import __version__
from etsopt.cli.exit_codes import run_to_exit_code
from etsopt.cli.options import EXIT_CODES
from etsopt.cli.parsing import Commands, Parser, add_language, argparse_speaking, language_of
from etsopt.cli.streams import escaping
from etsopt.common.errors import AssumedWarning, UsageError, brief
from etsopt.common.language import LANGUAGES, _, in_chinese, speaking

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "solve": "solving",
    "validate": "validating",
    "check": "checking",
    "explain": "explaining",
    "plot": "plotting",
    "report": "reporting",
    "compare": "comparing",
    "methods": "comparing_methods",
    "export": "exporting",
    "import": "importing",
    **dict.fromkeys(("new", "convert"), "workbooks"),
    "fix": "fixing",
    "roll": "rolling",
    "generate": "generating",
    **dict.fromkeys(("account", "screen", "inclusion"), "accounting"),
    "monitor": "monitoring",
    "reconcile": "reconciling",
    "store": "storing",
    "review": "reviewing",
    "verify": "verifying",
    "review-plan": "review_plan",
    "sweep": "sweeping",
    "curve": "curving",
    "explore": "exploring",
    "design": "designing",
    "forecast": "forecasting",
    **dict.fromkeys(("models", "rules", "instances", "schema"), "list_commands"),
    "completion": "completing",
}
"""Modules of this folder by the commands that they register, in the order of the help."""

BEGIN = _("""etsopt allocates carbon allowances by optimisation and certifies the result. Begin with one of

  etsopt solve cn-2025                        a shipped instance; `etsopt instances` lists them
  etsopt new plants.xlsx                      a workbook for plants of your own
  etsopt solve plants.xlsx --out result.xlsx  its allocation, as a workbook and a run folder
  etsopt explain result UNIT                  why a unit got its number
  etsopt --help                               all commands and exit codes""")


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
    print(_("Warning: {text}", text=text), file=sys.stderr)


def _run(arguments: list[str], options: argparse.Namespace) -> int:
    """Run one command; fill `options` with its arguments."""
    if "SOURCE_DATE_EPOCH" in os.environ:
        from etsopt.common.clock import settle

        settle()
    with argparse_speaking():
        parser_of(arguments).parse_args(arguments, options)
    # What the terminal states holds where the command does not.
    options.lang = LANGUAGES[in_chinese()]
    if options.command is None:
        print(_(BEGIN))
        return 2
    return int(options.function(options))


def parser_of(arguments: Sequence[str] = ()) -> Parser:
    """Return the parser of a command line: of one command if it names one, of all for help.

    Raises
    ------
    UsageError
        If there is no command of the name.
    """
    parser = Parser(
        prog="etsopt",
        description=_("Allocate carbon allowances by optimisation and certify the result."),
        epilog=EXIT_CODES,
    )
    text = _("show program's version number and exit")
    parser.add_argument("--version", action="version", version=f"etsopt {__version__}", help=text)
    add_language(parser)
    commands, named = Commands(parser), _named(arguments)
    if named is not None and named not in COMMANDS:
        from etsopt.data.messages import did_you_mean

        what = _("There is no command {named}.", named=brief(named))
        guess = did_you_mean(named, COMMANDS)
        raise UsageError(what, _("{guess}`etsopt --help` lists all.", guess=guess))
    for module in dict.fromkeys(COMMANDS.values() if named is None else [COMMANDS[named]]):
        import_module(f"etsopt.cli.{module}").register(commands)
    return parser


def _named(arguments: Sequence[str]) -> str | None:
    """Return the command that a line names, the first word that is neither an option nor the language."""
    before = ["", *arguments]
    words = (word for last, word in zip(before, arguments, strict=False) if word[:1] != "-" and last != "--lang")
    return next(words, None)
