"""Exceptions: failure, cause and remedy.

Every message has two parts with a blank line between them: the failure with its cause, and the remedy.
All exceptions can be pickled, because sweeps send them between processes.
"""

from __future__ import annotations

import os
import sys
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from etsopt.characters import escaped
from etsopt.wording import Message, literal, message

if TYPE_CHECKING:
    from typing import Literal

PROBLEMS_SHOWN = 20
ROWS_SHOWN = 5
LONGEST_SHOWN = 80

PACKAGE = os.path.dirname(__file__) + os.sep
"""Beginning of the files of the package."""


def brief(value: object) -> str:
    r"""Return the repr of a value, cut at `LONGEST_SHOWN` characters, with hidden characters escaped.

    >>> print(brief("a\x1b[31m"), brief("b" * 1000)[-24:])
    'a\x1b[31m' b'... (1,000 characters)
    """
    if isinstance(value, str) and len(value) > LONGEST_SHOWN:
        return escaped(f"{value[:LONGEST_SHOWN]!r}... ({len(value):,} characters)")
    text = repr(value)
    return escaped(text if isinstance(value, str) or len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}...")


def shortened(text: str, longest: int = LONGEST_SHOWN) -> str:
    """Return a text without quotation marks, cut at ``longest`` characters."""
    return text if len(text) <= longest else f"{text[:longest]}... ({len(text):,} characters)"


class AssumedWarning(UserWarning):
    """An assumption about a file of the user, or a part of it that is not read."""


def warn(what: str, category: type[Warning]) -> None:
    """Warn at the line of the user's that called the package, and not at one of the package."""
    frame, level = sys._getframe(), 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(what, category, stacklevel=level)


class EtsoptError(Exception):
    """Base class of the exceptions that the package raises deliberately."""

    def __init__(self, failure: str, advice: str = "") -> None:
        super().__init__(failure, advice)
        self.failure = failure
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.failure}\n\n{self.advice}" if self.advice else self.failure


class UsageError(EtsoptError):
    """A wrong call: an unknown name, option or combination."""


class SolverError(EtsoptError):
    """A failure to pass the program to the solver, or a failure of the solver."""


class ModelError(EtsoptError):
    """A model file without the functions that the engine needs, or that yields no program."""


class StoppedError(EtsoptError):
    """The end of the time limit, or an interruption, before a solution was found.

    Parameters
    ----------
    termination
        ``time_limit`` or ``interrupted``.
    """

    def __init__(self, termination: str) -> None:
        Exception.__init__(self, termination)
        self.termination = termination
        over = termination == "time_limit"
        past = "The time limit has passed before a solution was found."
        self.failure = past if over else "Interrupted before a solution was found."
        self.advice = "Increase the time limit." if over else "Run the command again."


@dataclass(frozen=True)
class Problem:
    """One defect of the input: its place, description and remedy.

    Parameters
    ----------
    place
        File or table, such as ``units.csv``.
    what
        Description of the defect.
    advice
        The remedy.
    column
        Column or policy key; empty for a defect of the whole table.
    cells
        ``(row, value)`` of each wrong cell, as they are in the file; ``cell D5`` instead of a row names it in a sheet.
    code
        Kind of defect, for programs: ``unknown_key``, ``unknown_name``, ``missing``; empty for any other.
    """

    place: str
    what: str
    advice: str
    column: str = ""
    cells: tuple[tuple[str, str], ...] = ()
    code: Literal["", "unknown_key", "unknown_name", "missing"] = ""

    def __str__(self) -> str:
        where = f"{self.place}, {escaped(shortened(self.column))}" if self.column else self.place
        return f"{where}: {self.what}{self._cells_text()}\n{self.advice}"

    def _cells_text(self) -> str:
        if not self.cells:
            return "."
        labelled = [
            (f"{'' if row.startswith('cell ') else 'row '}{shortened(row)}", value)
            for row, value in self.cells[:ROWS_SHOWN]
        ]
        shown = ", ".join(f"{row} {brief(value)}" if value else row for row, value in labelled)
        hidden = len(self.cells) - ROWS_SHOWN
        return f": {shown}" + (f" and {hidden} more." if hidden > 0 else ".")


class DataError(EtsoptError):
    """Defects of the input: all of them in ``problems``, the first `PROBLEMS_SHOWN` in the message."""

    def __init__(self, subject: str, problems: list[Problem]) -> None:
        Exception.__init__(self, subject, problems)
        self.subject = subject
        self.problems = problems
        subject = subject if isinstance(subject, Message) else literal(subject)
        self.failure = (
            message("{subject} has {count:,} problems.", subject=subject, count=len(problems))
            if len(problems) > 1
            else message("{subject} has a problem.", subject=subject)
        )
        self.advice = "\n".join(
            f"{number}. {str(problem).replace(chr(10), chr(10) + '   ')}"
            for number, problem in enumerate(problems[:PROBLEMS_SHOWN], 1)
        )
        if len(problems) > PROBLEMS_SHOWN:
            self.advice += f"\n\nThe first {PROBLEMS_SHOWN} are listed; correct them to see the others."
