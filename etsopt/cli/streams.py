"""The standard streams of a command: no text of a file or argument reaches a terminal unescaped.

A control character in a name could move the cursor, recolour the screen or type input for the user, so `Escaping`
escapes all printed text. Help and tables, whose colours are control sequences of this package, bypass it and escape
the names in them (`etsopt.cli.terminal`).
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import IO, TYPE_CHECKING, Any, NoReturn

from etsopt.characters import escaped
from etsopt.cli.language import translated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Escaping:
    """A stream that writes hidden characters escaped to the stream below it."""

    def __init__(self, stream: IO[str]) -> None:
        self.below = stream

    def write(self, text: str) -> int:
        """Write a text and return its length, as every stream does."""
        self.below.write(escaped(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several texts in order."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.below, name)


@contextmanager
def escaping() -> Iterator[None]:
    """Escape all text written to both standard streams; a closed stream stays closed."""
    out, errors = (stream and Escaping(stream) for stream in (sys.stdout, sys.stderr))
    with redirect_stdout(out), redirect_stderr(errors):
        yield


def below(stream: Any) -> Any:
    """Return the stream below the escaping, for texts whose names are already escaped."""
    return stream.below if isinstance(stream, Escaping) else stream


class Parser(ArgumentParser):
    """A parser that escapes arguments in its errors and keeps the colours of its help."""

    def format_help(self) -> str:
        """Return the help, its texts in the language of the command."""
        # A translated text is none of the catalogue, so that translating it again leaves it as it is.
        self.description, self.epilog = translated(self.description or ""), translated(self.epilog or "")
        for action in self._actions:
            for shown in (action, *getattr(action, "_choices_actions", ())):
                shown.help = translated(shown.help or "")
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """Print usage and message, then exit."""
        super().error(escaped(message))

    def _print_message(self, message: str, file: Any = None) -> None:
        stream = below(file or sys.stderr)
        if stream is not None:
            super()._print_message(message, stream)
            # The caller reports a full disk, not Python at exit.
            stream.flush()
