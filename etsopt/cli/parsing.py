"""The parser of the command line: every module of commands registers its own, and help speaks the language."""

from __future__ import annotations

import argparse
import os
import re
import sys
import textwrap
from argparse import SUPPRESS, ArgumentParser, HelpFormatter, Namespace
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from etsopt.cli.streams import below
from etsopt.common.characters import escaped
from etsopt.common.language import LANGUAGES, _, gettext, in_chinese

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Function = Callable[[Namespace], int]
"""A command: it takes its options and returns its exit code."""


class Formatter(HelpFormatter):
    """Help as it is written, brackets included; no word is cut, and a Chinese character counts two in a line."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        prose = " ".join(text.split())
        if not in_chinese():
            return textwrap.wrap(prose, width, break_long_words=False, break_on_hyphens=False)
        from etsopt.presenting.documents.fitting import wrapped

        return wrapped(prose, width).split("\n")

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        """Break lines of prose; a line of a list goes on below its text."""
        lines = []
        for line in text.splitlines():
            mark = re.match(r" *(?:\S+ {2,})?", line)
            before = "" if mark is None else mark[0]
            first, *others = self._split_lines(line[len(before) :], max(width - len(before), 1)) or [""]
            lines += [before + first, *(" " * len(before) + other for other in others)]
        return "\n".join(indent + line for line in lines)


class Parser(ArgumentParser):
    """A parser that escapes arguments in its errors."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"formatter_class": Formatter, "allow_abbrev": False, **options})
        # A negative share such as -0.5% is a value too, and no option.
        self._negative_number_matcher = re.compile(r"-\d*\.?\d+ ?%?$")

    def format_help(self) -> str:
        """Return the help, its texts in the language of the command."""
        self.description, self.epilog = str(self.description or ""), str(self.epilog or "")
        for action in self._actions:
            for shown in (action, *getattr(action, "_choices_actions", ())):
                shown.help = str(shown.help or "")
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """Print usage and message, then exit."""
        super().error(escaped(message))

    def _print_message(self, message: str, file: Any = None) -> None:
        stream = below(file or sys.stderr)
        if stream is not None:
            stream.write(message)
            # The caller reports a full disk, not Python at exit.
            stream.flush()


class Commands:
    """What `register` of a module of commands gets: a function that adds one, and one that adds one with verbs."""

    def __init__(self, parser: Parser, dest: str = "command", metavar: str = "COMMAND") -> None:
        self._added: argparse._SubParsersAction[Parser] = parser.add_subparsers(
            dest=dest, metavar=metavar, required=dest != "command"
        )

    def add(self, name: str, text: str, function: Function, epilog: str | None = None) -> Parser:
        """Add a command with the options that every command has."""
        parser = self._added.add_parser(name, help=text, description=text, epilog=epilog)
        parser.set_defaults(function=function)
        parser.add_argument("--json", action="store_true", help=_("print machine-readable output and nothing else"))
        add_language(parser)
        return parser

    def with_verbs(self, name: str, text: str) -> Commands:
        """Add a command with verbs of its own, and return what adds these."""
        parser = self._added.add_parser(name, help=text, description=text)
        add_language(parser)
        return Commands(parser, "verb", "VERB")


def is_chinese(lang: str | None) -> bool:
    """Return True for Chinese: ``--lang zh``, or a Chinese locale where the command states no language."""
    if lang is not None:
        return lang == "zh"
    stated = next(filter(None, (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return stated.casefold().startswith("zh")


def language_of(arguments: Sequence[str]) -> str:
    """Return the language that a command line asks for, before it is parsed: its help and errors are in it too.

    >>> language_of(["solve", "--lang", "zh"]), language_of(["solve", "--lang=en"])
    ('zh', 'en')
    """
    stated = None
    for position, argument in enumerate(arguments):
        if argument == "--lang":
            stated = arguments[position + 1] if position + 1 < len(arguments) else None
        elif argument.startswith("--lang="):
            stated = argument.partition("=")[2]
    return "zh" if is_chinese(stated) else "en"


@contextmanager
def argparse_speaking() -> Iterator[None]:
    """Let argparse write its own words in the language of the moment; other packages have parsers of their own."""
    before = vars(argparse)["_"]
    vars(argparse)["_"] = lambda text: str(gettext(text))
    try:
        yield
    finally:
        vars(argparse)["_"] = before


def add_language(parser: Parser) -> None:
    """Add the language, which may stand before the command or after it."""
    text = _("language of what the command writes: en or zh (default: that of the terminal)")
    parser.add_argument("--lang", choices=LANGUAGES, default=SUPPRESS, help=text)
