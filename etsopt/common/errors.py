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

from etsopt.common.characters import escaped
from etsopt.common.language import Text, _, joined, speaking

if TYPE_CHECKING:
    from typing import Literal

PROBLEMS_SHOWN = 20
ROWS_SHOWN = 5
LONGEST_SHOWN = 80

PACKAGE = os.path.dirname(os.path.dirname(__file__)) + os.sep
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


class DoubtWarning(AssumedWarning):
    """A figure that is probably false."""


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
        return f"{self.failure}\n\n{self.advice}" if self.advice else str(self.failure)


class UsageError(EtsoptError):
    """A wrong call: an unknown name, option or combination."""


class SolverError(EtsoptError):
    """A failure to pass the program to the solver, or a failure of the solver."""


class ModelError(EtsoptError):
    """A model file that declares no model, whose functions fail, or that yields no program."""


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
        past = _("The time limit has passed before a solution was found.")
        self.failure = past if over else _("Interrupted before a solution was found.")
        self.advice = _("Increase the time limit.") if over else _("Run the command again.")


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
        Kind of defect, for programs: ``unknown_key``, ``unknown_name``, ``missing``, ``other_unit`` for a number that
        looks like one in another unit; empty for any other.
    """

    place: str
    what: str
    advice: str
    column: str = ""
    cells: tuple[tuple[str, str], ...] = ()
    code: Literal["", "unknown_key", "unknown_name", "missing", "other_unit"] = ""

    def __str__(self) -> str:
        where = self.place
        if self.column:
            where = _("{place}, {column}", place=self.place, column=escaped(shortened(str(self.column))))
        if not self.cells:
            return str(_("{where}: {what}.\n{advice}", where=where, what=self.what, advice=self.advice))
        cells = joined(
            f"{_label(row)} {brief(str(value))}".strip() if value else _label(row)
            for row, value in self.cells[:ROWS_SHOWN]
        )
        if (hidden := len(self.cells) - ROWS_SHOWN) > 0:
            cells = _("{cells} and {hidden} more", cells=cells, hidden=hidden)
        text = _("{where}: {what}: {cells}.\n{advice}", where=where, what=self.what, cells=cells, advice=self.advice)
        return str(text)


def _label(row: str) -> str:
    """Return the label of a row or cell as a sentence names it, nothing for what is in no table."""
    if not row:
        return ""
    if isinstance(row, Text):
        return str(_("row {row}", row=shortened(str(row))))
    kind, space, name = shortened(row).partition(" ")
    if space and kind == "cell":
        return str(_("cell {name}", name=name))
    if space and kind == "of":
        return str(_("row of headings") if name == "headings" else _("row of {name}", name=name))
    return str(_("row {number}", number=shortened(row)))


class DataError(EtsoptError):
    """Defects of the input: all of them in ``problems``, the first `PROBLEMS_SHOWN` in the message."""

    def __init__(self, subject: str, problems: list[Problem]) -> None:
        Exception.__init__(self, subject, problems)
        self.subject = subject
        self.problems = problems
        subject = subject if isinstance(subject, Text) else Text(subject)
        self.failure = (
            _("{subject} has {count:,} problems.", subject=subject, count=len(problems))
            if len(problems) > 1
            else _("{subject} has a problem.", subject=subject)
        )
        with speaking("en"):
            self.advice = self._listed()

    def __str__(self) -> str:
        return f"{self.failure}\n\n{self._listed()}"

    def _listed(self) -> str:
        """Return the first problems, one below the other."""
        texts = (str(problem).replace("\n", "\n   ") for problem in self.problems[:PROBLEMS_SHOWN])
        listed = "\n".join(f"{number}. {text}" for number, text in enumerate(texts, 1))
        if len(self.problems) > PROBLEMS_SHOWN:
            text = _("The first {count} are listed; correct them to see the others.", count=PROBLEMS_SHOWN)
            listed += f"\n\n{text}"
        return listed
