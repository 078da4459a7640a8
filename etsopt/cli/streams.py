"""The standard streams of a command: nothing that comes from a file or an argument reaches a terminal unescaped.

A control character in a name could move the cursor, recolour the screen or answer for the user. So all that is printed
goes through `Escaping`; the help and the tables, whose colours are control sequences of our own, go past it, and
escape the names in them (`etsopt.cli.terminal`).
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import IO, TYPE_CHECKING, Any, NoReturn

from etsopt.characters import escaped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Escaping:
    """A stream that writes hidden characters escaped to the stream below it."""

    def __init__(self, stream: IO[str]) -> None:
        self.below = stream

    def write(self, text: str) -> int:
        """Write a text; returns its length, as every stream does."""
        self.below.write(escaped(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts, one after the other."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.below, name)


@contextmanager
def escaping() -> Iterator[None]:
    """Let both standard streams escape what is written to them; one that is closed stays so."""
    out, errors = (stream and Escaping(stream) for stream in (sys.stdout, sys.stderr))
    with redirect_stdout(out), redirect_stderr(errors):
        yield


def below(stream: Any) -> Any:
    """Return the stream past what escapes, for texts whose names are escaped already."""
    return stream.below if isinstance(stream, Escaping) else stream


class Parser(ArgumentParser):
    """A parser whose errors repeat what was typed escaped, and whose help keeps its colours."""

    def error(self, message: str) -> NoReturn:
        """Print usage and message, and exit."""
        super().error(escaped(message))

    def _print_message(self, message: str, file: Any = None) -> None:
        stream = below(file or sys.stderr)
        if stream is not None:
            super()._print_message(message, stream)
            # A full disk is told by whoever called, not by Python when it ends.
            stream.flush()
