"""Tables that never break a number, a code or a word.

Where a row does not fit a line, the columns of least importance are left out and named; where it still does not, or of
few rows, each becomes a record of lines.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rich import box, text
from rich.cells import cell_len
from rich.console import Group
from rich.table import Table

from etsopt.common.language import _, joined

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, ConsoleOptions, RenderResult

HAN = re.compile("[\u4e00-\u9fff]")
UNIT = r"(?:[ \xa0](?:[百十]?[万亿]?[吨元]|[\u4e00-\u9fff]))?"
SIGNS = "[!-~−–—±·×⌊⌋≤≥α]+"
PARTS = re.compile(rf"[（“]*(?:{SIGNS}(?:\xa0{SIGNS})*{UNIT}|[^\n])[，。；：、）”？！]*|\n")
"""Parts of a text between which a line may end: a Chinese character or a word of others, with the marks at its ends."""

OWN_WRAPPING = re.compile("[\u4e00-\u9fff\xa0]")
"""Characters of texts that rich would wrap where they have to stay in a line: it breaks at a no-break space."""

INDENT = "  "

WORD = 8
"""Width of a Chinese word of four characters, which stays in one line of a table [columns]."""


FEW_ROWS = 1
"""Rows of a table that becomes records rather than to leave out columns."""


class Text(text.Text):
    """A text of rich in the language of the moment: rich takes the characters of a text as they are."""

    def __init__(self, shown: object = "", *style: Any, **options: Any) -> None:
        super().__init__(str(shown), *style, **options)


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
    """A table that leaves out columns, or is printed as records, where its columns do not fit beside each other.

    Parameters
    ----------
    priorities
        By column, 1 to 3: columns of the highest number are left out first; none for columns that all stay.
    """

    def __init__(self, title: str = "", lines: bool = True, priorities: Sequence[int] = ()) -> None:
        super().__init__(
            title=f"{title}\n" if title else None,
            title_justify="left",
            title_style="bold",
            header_style="",
            box=box.SIMPLE_HEAD if lines else None,
            show_edge=False,
            pad_edge=False,
            padding=(0, 1, 0, 0),
        )
        self.priorities = priorities

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the table, its columns as wide as their longest pieces at least, or its rows as records."""
        texts = [[_plain(column.header), *map(_plain, column._cells)] for column in self.columns]
        least = [max(map(_least_width, column), default=0) for column in texts]
        body = [max(map(_natural, cells), default=0) for _head, *cells in texts]
        natural = [max(_natural(head), width) for (head, *_cells), width in zip(texts, body, strict=True)]
        kept = self._kept(least, options.max_width)
        if kept is None:
            yield from self._records(texts)
            return
        left_out = [_whole(column[0]) for place, column in enumerate(texts) if place not in kept]
        self.columns = [self.columns[place] for place in kept]
        for place, column in enumerate(self.columns):
            # By its place rich knows the last column, which has no padding.
            column._index = place
        least, body, natural = ([widths[place] for place in kept] for widths in (least, body, natural))
        room = self._room(options.max_width, len(kept))
        while sum(natural) > room:
            # Of the columns that may become narrower the widest does, first those whose heading alone is so wide.
            free = [at for at, width in enumerate(natural) if width > least[at]]
            heads = [at for at in free if natural[at] > body[at]]
            natural[max(heads or free, key=natural.__getitem__)] -= 1
        for column, width in zip(self.columns, natural, strict=True):
            # A string would be wrapped by rich, which breaks Chinese at spaces alone.
            column.header = Text(_plain(column.header))
            column.width, column.overflow = width, "fold"
        yield from super().__rich_console__(console, options)
        if left_out:
            yield Text(_("Not shown at this width: {columns}.", columns=joined(left_out)), style="dim")

    def _room(self, width: int, columns: int) -> int:
        """Return the width that the cells of so many columns have."""
        return width - (columns - 1 if self.box else 0) - self.padding[1] * columns

    def _kept(self, least: Sequence[int], width: int) -> list[int] | None:
        """Return the columns that fit beside each other, the most important ones; None if a record shows more."""
        kept = [*range(len(least))]
        while sum(least[place] for place in kept) > self._room(width, len(kept)):
            optional = [place for place in kept[1:] if self.priorities and self.priorities[place] > 1]
            if not optional or len(self.rows) <= FEW_ROWS:
                return None
            kept.remove(max(optional, key=lambda place: (self.priorities[place], place)))
        return kept

    def _records(self, texts: list[list[str]]) -> Iterator[Any]:
        """Yield the title, and each row as lines of a label and a cell."""
        lines = [Text(self.title, style="bold")] if self.title else []
        heads = [_whole(head) for head, *_cells in texts]
        for row in zip(*(cells for _head, *cells in texts), strict=True):
            filled = [(head, cell) for head, cell in zip(heads, row, strict=True) if cell.strip()]
            for place, (head, cell) in enumerate(filled):
                label = f"{INDENT if place else ''}{head}{'：' if HAN.search(head) else ': '}" if head else ""
                lines.append(Text(f"{label}{cell}"))
            lines += [Text("")] if filled else []
        yield Group(*lines[:-1])


def _whole(head: str) -> str:
    """Return a heading in one line; one that was hyphenated for a narrow column is whole."""
    return " ".join(head.replace("-\n", "").split())


def _plain(cell: Any) -> str:
    return cell.plain if isinstance(cell, Text) else str(cell)


def _natural(cell: str) -> int:
    """Return the width of a cell that is not wrapped."""
    return max(map(cell_len, cell.split("\n")))


def _least_width(cell: str) -> int:
    """Return the width below which a cell is not to read: of its longest piece, or of a short Chinese word."""
    return max(longest_piece(cell), min(_natural(cell), WORD))


def longest_piece(text: str) -> int:
    """Return the width of the longest piece between which a line may end."""
    pieces = PARTS.findall(text) if HAN.search(text) else re.split("[ \n]+", text)
    return max(map(cell_len, pieces), default=0)
