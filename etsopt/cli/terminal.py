"""The console of all commands, what is shown on it, and progress."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from etsopt.cli.streams import below
from etsopt.cli.time_estimate import TimeEstimate
from etsopt.common.characters import escaped
from etsopt.presenting.documents import terminal as documents
from etsopt.presenting.documents.fitting import OWN_WRAPPING, longest_piece, wrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rich.console import ConsoleOptions, RenderableType
    from rich.segment import Segment

    from etsopt.presenting.documents.document import Block, Document


TOLD_S = 60.0
"""Time between two lines of progress where there is no terminal [s]."""


class SafeConsole(Console):
    """A console that escapes the texts it lays out and keeps the control sequences of its own colours.

    The command line handles a broken pipe.
    """

    def on_broken_pipe(self) -> None:
        """Raise the BrokenPipeError again."""
        raise

    def print(self, *objects: Any, **options: Any) -> None:
        """Print objects; a piece that is longer than the line stays whole."""
        super().print(*objects, **{"crop": False, **options})

    def render_str(self, text: str, **options: Any) -> Text:
        """Take a text in the language of the moment."""
        return super().render_str(str(text), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Lay out an object; every text of a table or title passes through here."""
        if isinstance(renderable, str | Text) and (safe := escaped(str(renderable))) != str(renderable):
            # An escaped text is longer than measured, so it is folded where it does not fit.
            renderable = Text(safe, renderable.style if isinstance(renderable, Text) else "", overflow="fold")
        if isinstance(renderable, Text):
            width = (options or self.options).max_width
            long = longest_piece(renderable.plain) > width
            # Console.print turns the style of a text into a span over the whole of it.
            plain = all((span.start, span.end) == (0, len(renderable)) for span in renderable.spans)
            if plain and (long or OWN_WRAPPING.search(renderable.plain)):
                style = renderable.spans[0].style if renderable.spans else renderable.style
                lines = wrapped(renderable.plain, width)
                # A piece that is longer than the line stays whole.
                renderable = Text(lines, style, justify=renderable.justify, overflow="ignore" if long else None)
        return super().render(renderable, options)


def plain_console(stderr: bool = False) -> Console:
    """Return the console of every command: no markup."""
    # Names in tables come from users: they must not be read as markup.
    console = SafeConsole(file=below(sys.stderr if stderr else sys.stdout), markup=False, highlight=False)
    return console


def show(document: Document, beside: str = "") -> None:
    """Print a document, and something behind its status."""
    documents.show(document, plain_console(), beside)


def show_blocks(blocks: Iterable[Block]) -> None:
    """Print blocks of a document."""
    documents.show_blocks(blocks, plain_console())


@contextmanager
def telling(quiet: bool, first: str = "") -> Iterator[Callable[[str], None]]:
    """Yield the receiver of lines of progress: those of a terminal; without one, the last is printed each minute.

    Parameters
    ----------
    first
        What is said before there is a line; nothing if it is empty.
    """
    if quiet or plain_console(stderr=True).is_terminal:
        with waiting(quiet) as tell:
            yield tell
        return
    from etsopt.common.progress import every

    last, remaining = str(first), TimeEstimate()

    def keep(line: str) -> None:
        nonlocal last
        last = remaining.shown(line)

    def say() -> None:
        if last:
            print(last, file=sys.stderr, flush=True)

    with every(TOLD_S, say):
        yield keep


@contextmanager
def waiting(quiet: bool) -> Iterator[Callable[[str], None]]:
    """Show step, elapsed time and what is left of a count on a terminal; yields the function that takes each line."""
    errors = plain_console(stderr=True)
    if quiet or not errors.is_terminal:
        yield lambda line: None
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=errors, transient=True) as shown:
        task, remaining = shown.add_task(""), TimeEstimate()
        yield lambda line: shown.update(task, description=remaining.shown(line))
