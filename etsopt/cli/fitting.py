"""Tables that never break a number, a code or a word: where a row does not fit a line, it becomes a record of lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rich import box
from rich.cells import cell_len
from rich.console import Group
from rich.table import Table

from etsopt.cli.shown import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, ConsoleOptions, RenderResult

HAN = re.compile("[\u4e00-\u9fff]")
PARTS = re.compile(r"[（“]*(?:[!-~−–±·×⌊⌋≤≥α]+(?: [\u4e00-\u9fff])?|[^\n])[，。；：、）”？！]*|\n")
"""Parts of a text between which a line may end: a Chinese character or a word of others, with the marks at its ends."""

INDENT = "  "

WORD = 8
"""Width of a Chinese word of four characters, which stays in one line of a table [columns]."""


def wrapped(text: str, width: int) -> str:
    """Return a text in lines of a width in columns, in which no piece is broken.

    Of Chinese rich would end lines at spaces alone, and a word that is longer than a line it would fold.

    >>> wrapped("配额不超过 1,200 吨，见 result.json。", 16).split(chr(10))
    ['配额不超过', '1,200 吨，见', 'result.json。']
    """
    lines, line, continued = [], "", False
    for part in PARTS.findall(text) if HAN.search(text) else re.findall(r"[^ \n]+|[ \n]", text):
        if part == "\n" or (line.strip() and cell_len(f"{line}{part}") > width):
            lines.append(line.rstrip(" "))
            line, continued = "", part != "\n"
        # A line that continues another begins with no space, and an indented one keeps its own.
        if part != "\n" and not (continued and not line and part == " "):
            line += part
    return "\n".join([*lines, line])


class FittingTable(Table):
    """A table that is printed as records, a line for each cell, where its columns do not fit beside each other."""

    def __init__(self, title: str = "", lines: bool = True) -> None:
        super().__init__(
            title=title or None,
            title_justify="left",
            title_style="bold",
            header_style="",
            box=box.SIMPLE_HEAD if lines else None,
            pad_edge=False,
            padding=(0, 1, 0, 0),
        )

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the table, its columns as wide as their longest pieces at least, or its rows as records."""
        texts = [[_plain(column.header), *map(_plain, column._cells)] for column in self.columns]
        least = [max(map(_least_width, column), default=0) for column in texts]
        natural = [max((cell_len(line) for cell in column for line in cell.split("\n")), default=0) for column in texts]
        room = options.max_width - self._extra_width - self.padding[1] * len(texts)
        if sum(least) > room:
            yield from self._records(texts)
            return
        while sum(natural) > room:
            # The widest column that may become narrower does.
            widest = max(range(len(natural)), key=lambda at: natural[at] if natural[at] > least[at] else -1)
            natural[widest] -= 1
        for column, width in zip(self.columns, natural, strict=True):
            # A string would be wrapped by rich, which breaks Chinese at spaces alone.
            column.header = Text(_plain(column.header))
            column.width, column.overflow = width, "fold"
        yield from super().__rich_console__(console, options)

    def _records(self, texts: list[list[str]]) -> Iterator[Any]:
        """Yield the title, and each row as lines of a label and a cell."""
        lines = [Text(self.title, style="bold"), Text("")] if self.title else []
        # A heading that was hyphenated for a narrow column is whole in a record.
        heads = [" ".join(head.replace("-\n", "").split()) for head, *_ in texts]
        for row in zip(*(cells for _, *cells in texts), strict=True):
            filled = [(head, cell) for head, cell in zip(heads, row, strict=True) if cell.strip()]
            for place, (head, cell) in enumerate(filled):
                label = f"{INDENT if place else ''}{head}{'：' if HAN.search(head) else ': '}" if head else ""
                lines.append(Text(f"{label}{cell}"))
            lines += [Text("")] if filled else []
        yield Group(*lines)


def _plain(cell: Any) -> str:
    return cell.plain if isinstance(cell, Text) else str(cell)


def _least_width(cell: str) -> int:
    """Return the width below which a cell is not to read: of its longest piece, or of a short Chinese word."""
    words = (cell_len(line) for line in cell.split("\n") if cell_len(line) <= WORD)
    return max(longest_piece(cell), *words, 0)


def longest_piece(text: str) -> int:
    """Return the width of the longest piece between which a line may end."""
    pieces = PARTS.findall(text) if HAN.search(text) else text.split()
    return max(map(cell_len, pieces), default=0)
