"""Errors that tell what failed, because of what, and what to do.

Every message has two parts with a blank line between them: the failure with its cause, and the way out.
All errors survive pickling, because sweeps send them between processes.
"""

from __future__ import annotations

from dataclasses import dataclass

from etsopt.characters import escaped

PROBLEMS_SHOWN = 20
ROWS_SHOWN = 5
LONGEST_SHOWN = 80


def brief(value: object) -> str:
    r"""Return a value as Python writes it, a text in quotation marks, cut where it is long.

    >>> print(brief("a\x1b[31m"), brief("b" * 1000)[-24:])
    'a\x1b[31m' b'... (1,000 characters)
    """
    if isinstance(value, str) and len(value) > LONGEST_SHOWN:
        return escaped(f"{value[:LONGEST_SHOWN]!r}... ({len(value):,} characters)")
    text = repr(value)
    return escaped(text if isinstance(value, str) or len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}...")


def shortened(text: str, longest: int = LONGEST_SHOWN) -> str:
    """Return a text without quotation marks, cut where it is long."""
    return text if len(text) <= longest else f"{text[:longest]}... ({len(text):,} characters)"


class FormerNameWarning(FutureWarning):
    """A name of an earlier version, which is still accepted."""


class EtsoptError(Exception):
    """Base of every error this package raises on purpose."""

    def __init__(self, failure: str, advice: str = "") -> None:
        super().__init__(failure, advice)
        self.failure = failure
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.failure}\n\n{self.advice}" if self.advice else self.failure


class UsageError(EtsoptError):
    """The call itself is wrong: an unknown name, option or combination."""


class SolverError(EtsoptError):
    """The program could not be given to the solver, or the solver failed on it."""


class ModelError(EtsoptError):
    """A model file does not offer what the engine needs, or cannot be turned into a program."""


class StoppedError(EtsoptError):
    """The time is up, or somebody asked to stop, before anything was held.

    Parameters
    ----------
    termination
        ``time_limit`` or ``interrupted``.
    """

    def __init__(self, termination: str) -> None:
        Exception.__init__(self, termination)
        self.termination = termination
        over = termination == "time_limit"
        self.failure = f"{'The time limit has passed' if over else 'Interrupted'} before anything was held."
        self.advice = "Allow more time." if over else "Run it again."


@dataclass(frozen=True)
class Problem:
    """One defect of the input: where it is, what it is, and what to do about it.

    Parameters
    ----------
    place
        File or table, such as ``units.csv``.
    what
        The defect in words.
    advice
        What to do about it.
    column
        Column or policy key, empty where the whole table is meant.
    cells
        ``(row, value)`` of each offending cell, as the user sees them in the file.
    """

    place: str
    what: str
    advice: str
    column: str = ""
    cells: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        where = f"{self.place}, {escaped(shortened(self.column))}" if self.column else self.place
        return f"{where}: {self.what}{self._cells_in_words()}\n{self.advice}"

    def _cells_in_words(self) -> str:
        if not self.cells:
            return "."
        named = [(f"row {shortened(row)}", value) for row, value in self.cells[:ROWS_SHOWN]]
        shown = ", ".join(f"{row} {brief(value)}" if value else row for row, value in named)
        left = len(self.cells) - ROWS_SHOWN
        return f": {shown}" + (f" and {left} more." if left > 0 else ".")


class DataError(EtsoptError):
    """The input has defects; all of them are listed at once in ``problems``, the first of them in the message."""

    def __init__(self, subject: str, problems: list[Problem]) -> None:
        Exception.__init__(self, subject, problems)
        self.subject = subject
        self.problems = problems
        count = f"{len(problems):,} problems" if len(problems) > 1 else "a problem"
        self.failure = f"{subject} has {count}."
        self.advice = "\n".join(
            f"{number}. {str(problem).replace(chr(10), chr(10) + '   ')}"
            for number, problem in enumerate(problems[:PROBLEMS_SHOWN], 1)
        )
        if len(problems) > PROBLEMS_SHOWN:
            self.advice += f"\n\nThe first {PROBLEMS_SHOWN} are listed; correct them to see the others."
