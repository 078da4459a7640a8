"""What every summary on a terminal is made of."""

from __future__ import annotations

import math
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from etsopt.characters import escaped
from etsopt.cli.streams import below

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rich.console import ConsoleOptions, RenderableType
    from rich.segment import Segment

NARROWEST = 80


class SafeConsole(Console):
    """A console that escapes what it is given to lay out; the control sequences of its own colours stay.

    What a reader that has gone means is left to the command line.
    """

    def on_broken_pipe(self) -> None:
        """Raise what was raised."""
        raise

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Lay out an object; texts, of which every table and title consists in the end, come by here."""
        if isinstance(renderable, str | Text) and (safe := escaped(str(renderable))) != str(renderable):
            # Longer than it was measured, an escaped text is folded where it does not fit.
            renderable = Text(safe, renderable.style if isinstance(renderable, Text) else "", overflow="fold")
        return super().render(renderable, options)


def plain_console(stderr: bool = False) -> Console:
    """Make the console of every command: names as they are, never narrower than 80 columns."""
    # Names in the tables come from users: they are shown as they are, never read as markup.
    # Narrower than 80 columns the terminal wraps whole lines, which is still read more easily than folded digits.
    console = SafeConsole(file=below(sys.stderr if stderr else sys.stdout), markup=False, highlight=False)
    console.width = max(console.width, NARROWEST)
    return console


def new_table(title: str, *columns: str) -> Table:
    """Make a table whose first column holds names and the others figures."""
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


def megatonnes(value: float) -> str:
    """Megatonnes with as many decimals as leave room for the digits before."""
    return f"{value:,.{3 if abs(value) < 1e4 else 1}f}" if math.isfinite(value) else "-"


@contextmanager
def waiting(quiet: bool) -> Iterator[Callable[[str], None]]:
    """Show on a terminal what is being done, and for how long; the lines go to the function that this gives."""
    errors = plain_console(stderr=True)
    if quiet or not errors.is_terminal:
        yield lambda line: None
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=errors, transient=True) as shown:
        task = shown.add_task("")
        yield lambda line: shown.update(task, description=line)
