"""The standard streams of a command: no text of a file or argument reaches a terminal unescaped.

A control character in a name could move the cursor, recolour the screen or type input for the user, so `Escaping`
escapes all printed text. Help and tables, whose colours are control sequences of this package, bypass it and escape
the names in them (`etsopt.cli.terminal`).
"""

from __future__ import annotations

import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import IO, TYPE_CHECKING, Any

from etsopt.common.characters import escaped

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
