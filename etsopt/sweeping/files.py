"""What files of sweeps and of design searches share: how they are read, and how they name an instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etsopt.data.files.read import is_file
from etsopt.data.messages import did_you_mean
from etsopt.data.policy.toml import checked_content, parse_toml
from etsopt.errors import DataError, Problem, UsageError
from etsopt.wording import message

if TYPE_CHECKING:
    from pathlib import Path

    from etsopt.data.policy.section import Section


def read_toml(path: Path, subject: str) -> dict[str, Any]:
    """Read a file of keys.

    Raises
    ------
    UsageError, DataError
        If there is no such file, or it is no TOML.
    """
    if not path.is_file():
        what = message("There is no file {path!r}.", path=str(path))
        raise UsageError(what, "Name a file that states what to solve, in TOML.")
    try:
        return checked_content(parse_toml(path.read_text("utf-8-sig")), path.name)
    except (ValueError, UnicodeDecodeError) as error:
        advice = "Correct the file; the documentation has an example."
        raise DataError(subject, [Problem(path.name, message("is no TOML: {error}", error=error), advice)]) from None


def instance_at(folder: Path, stated: str) -> str:
    """Return the instance that a file in a folder states: one beside it, else a shipped one of that name."""
    own = folder / stated
    return str(own) if own.exists() or is_file(own) else stated


NOT_A_KEY_OF = {"sweep": "is not a key of a sweep", "design": "is not a key of a design"}
"""What is said of an unknown key, by the kind of file."""


def in_words_of(problem: Problem, file: type[Section], name: str) -> Problem:
    """Return a problem of a key in the words of a kind of file."""
    if problem.what != "is not a key of the policy" or "." in problem.column:
        return problem
    known = list(file.model_fields)
    guess = did_you_mean(problem.column, known)
    advice = message("{guess}Use one of {known}.", guess=guess, known=", ".join(known))
    return Problem(problem.place, NOT_A_KEY_OF[name], advice, problem.column)
