"""A command as a user runs it: in a folder with the items that its words name, on a terminal of any width."""

from __future__ import annotations

import argparse
import contextlib
import io
import shlex
from collections.abc import Iterator, Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from etsopt import cli
from etsopt.common import clock
from etsopt.reports import certificate
from etsopt.rules import RULES
from tests.terminal.inputs import folder_of
from tests.terminal.memory import Memory

LOCALES = {"en": "en_GB.UTF-8", "zh": "zh_CN.UTF-8"}
AT = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
"""Time at which a command runs unless a test says another."""


@contextlib.contextmanager
def terminal(lang: str, width: int, at: datetime = AT) -> Iterator[tuple[io.StringIO, io.StringIO]]:
    """Yield the standard streams of a terminal of a language and a width in columns, without colours."""
    stated = {"LC_ALL": LOCALES[lang], "COLUMNS": str(width), "NO_COLOR": "1", "TERM": "dumb"}
    stated[clock.VARIABLE] = f"{at.timestamp():.0f}"
    out, errors = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(errors):
        for name, value in stated.items():
            patch.setenv(name, value)
        yield out, errors


NEGLIGIBLE_T = 0.1
"""Tonnes below which the largest miss of an allocation, or its distance from the one solution, is rounding."""


def _certified(*amounts: float | None) -> str:
    """Return the statement that is proven of an allocation without amounts of rounding, which decide its words."""
    return CERTIFIED(*(0.0 if own is not None and own < NEGLIGIBLE_T else own for own in amounts))


def _add_argument(self: Any, action: argparse.Action) -> None:
    """Add an action to a help, and measure it.

    Python before 3.13 measures the commands in a list without their indentation, and gives their column less room.
    """
    if action.help is not argparse.SUPPRESS:
        # The commands are indented only while they are listed.
        for own in chain([action], self._iter_indented_subactions(action)):
            length = len(self._format_action_invocation(own)) + self._current_indent
            self._action_max_length = max(self._action_max_length, length)
        self._add_item(self._format_action, [action])


CERTIFIED: Any = certificate.certified


@contextlib.contextmanager
def _steady() -> Iterator[None]:
    """Let nothing depend on rounding or on the version of Python."""
    with (
        mock.patch.object(argparse.HelpFormatter, "add_argument", _add_argument),
        mock.patch.object(certificate, "certified", _certified),
    ):
        yield


def run(words: Sequence[str], folder: Path, lang: str, width: int, at: datetime = AT) -> tuple[int, str, str]:
    """Return exit code, standard output and standard error of a command in a folder."""
    rules = dict(RULES)
    try:
        with chdir(folder), _steady(), terminal(lang, width, at) as (out, errors):
            try:
                code = cli.main([*words])
            except SystemExit as ended:
                code = int(ended.code or 0)
    finally:
        # A rule of a user's own is none of the package for the next command.
        RULES.clear()
        RULES.update(rules)
    return code, out.getvalue(), errors.getvalue()


@cache
def _memory(line: str) -> Memory:
    return Memory()


@cache
def shown(line: str, lang: str, width: int) -> tuple[int, str, str]:
    """Return exit code, standard output and standard error of a command line in a new folder."""
    words, memory = shlex.split(line), _memory(line)
    # A command that repeats results changes no file.
    with folder_of(words, linked=lang in memory.calls) as folder, memory.used(lang):
        return run(words, folder, lang, width)
