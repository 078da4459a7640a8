"""Console, tables, number formats and progress shared by all summaries."""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from etsopt.characters import escaped
from etsopt.cli.remaining import Remaining
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
        if isinstance(renderable, Text) and HAN.search(renderable.plain):
            # Console.print turns the style of a text into a span over the whole of it.
            spans = renderable.spans
            if all((span.start, span.end) == (0, len(renderable)) for span in spans):
                lines = wrapped(renderable.plain, (options or self.options).max_width)
                renderable = Text(lines, spans[0].style if spans else renderable.style, justify=renderable.justify)
        return super().render(renderable, options)


HAN = re.compile("[\u4e00-\u9fff]")
PARTS = re.compile(r"[（“]*(?:[!-~−–±·×]+(?: [\u4e00-\u9fff])?|[^\n])[，。；：、）”？！]*|\n")
"""Parts of a text between which a line may end: a Chinese character or a word of others, with the marks at its ends."""


def wrapped(text: str, width: int) -> str:
    """Return a Chinese text in lines of a width in columns; rich would end lines at spaces alone.

    >>> wrapped("配额不超过 1,200 吨，见 result.json。", 16).split(chr(10))
    ['配额不超过', '1,200 吨，见', 'result.json。']
    """
    lines, line, continued = [], "", False
    for part in PARTS.findall(text):
        if part == "\n" or cell_len(f"{line}{part}") > width:
            lines.append(line.rstrip(" "))
            line, continued = "", part != "\n"
        # A line that continues another begins with no space, and an indented one keeps its own.
        if part != "\n" and not (continued and not line and part == " "):
            line += part
    return "\n".join([*lines, line])


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
    """Show step, elapsed time and what is left of a count on a terminal; yields the function that takes each line."""
    errors = plain_console(stderr=True)
    if quiet or not errors.is_terminal:
        yield lambda line: None
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=errors, transient=True) as shown:
        task, remaining = shown.add_task(""), Remaining()
        yield lambda line: shown.update(task, description=remaining.shown(line))
