"""Console, tables, number formats and progress shared by all summaries."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from etsopt.characters import escaped
from etsopt.cli.streams import below
from etsopt.scales import scale_of as scale_of
from etsopt.scales import three_decimals as three_decimals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rich.console import ConsoleOptions, RenderableType
    from rich.segment import Segment

NARROWEST = 80


class SafeConsole(Console):
    """A console that escapes the texts it lays out and keeps the control sequences of its own colours.

    The command line handles a broken pipe.
    """

    def on_broken_pipe(self) -> None:
        """Raise the BrokenPipeError again."""
        raise

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Lay out an object; every text of a table or title passes through here."""
        if isinstance(renderable, str | Text) and (safe := escaped(str(renderable))) != str(renderable):
            # An escaped text is longer than measured, so it is folded where it does not fit.
            renderable = Text(safe, renderable.style if isinstance(renderable, Text) else "", overflow="fold")
        return super().render(renderable, options)


def plain_console(stderr: bool = False) -> Console:
    """Return the console of every command: no markup, at least 80 columns wide."""
    # Names in tables come from users: they must not be read as markup.
    # Below 80 columns the terminal wraps whole lines, which are easier to read than folded digits.
    console = SafeConsole(file=below(sys.stderr if stderr else sys.stdout), markup=False, highlight=False)
    console.width = max(console.width, NARROWEST)
    return console


def new_table(title: str, *columns: str) -> Table:
    """Return an empty table: names in the first column, figures in the others."""
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for position, name in enumerate(columns):
        table.add_column(name, justify="left" if position == 0 else "right", overflow="fold", vertical="bottom")
    return table


@contextmanager
def waiting(quiet: bool) -> Iterator[Callable[[str], None]]:
    """Show the current step and elapsed time on a terminal; yields the function that takes each line."""
    errors = plain_console(stderr=True)
    if quiet or not errors.is_terminal:
        yield lambda line: None
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=errors, transient=True) as shown:
        task = shown.add_task("")
        yield lambda line: shown.update(task, description=line)
