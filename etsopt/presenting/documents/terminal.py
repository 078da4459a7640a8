"""A document on a terminal: its tables in the width of the line, long ones by their first rows, and no charts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.common.language import _, joined
from etsopt.presenting.documents.document import Commands, Facts, Figure, Paragraph, Points, Table
from etsopt.presenting.documents.fitting import FittingTable, Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import Console, RenderableType

    from etsopt.presenting.documents.document import Block, Document

ROWS_SHOWN = 20
"""Rows of a table in which readers look for their own; any other is as long as it says."""

STYLES = {"plain": "", "note": "dim", "warning": "yellow", "good": "bold green"}
"""Styles of paragraphs."""


def show(document: Document, console: Console, beside: str = "") -> None:
    """Print a document.

    Parameters
    ----------
    beside
        What stands behind the status, such as the time that a solve took.
    """
    status = joined(filter(None, (document.status, beside)), "，")
    head, answer = (document.kicker, document.answer) if document.kicker else (document.answer, "")
    title = _("{name}: {text}", name=head, text=status) if status else head
    # Without a verdict a title has no colour.
    colour = "green" if document.proven else "yellow" if document.status else ""
    if title:
        console.print(Text(title, style=f"bold {colour}"))
        for warning in document.warnings:
            console.print(Text(warning.words, style=STYLES[warning.style]))
        if answer:
            console.print(Text(answer))
        console.print()
    for section in document.sections:
        blocks = [block for block in section.blocks if not isinstance(block, Figure)]
        captions = [block.caption for block in blocks if isinstance(block, Table)]
        # A table that comes first and is alone, or has the title of its section, needs no other.
        captioned = captions and isinstance(blocks[0], Table) and captions[:1] in (captions, [section.title])
        if blocks and section.title and not captioned:
            console.print(Text(section.title, style="bold"))
        show_blocks(blocks, console)


def show_blocks(blocks: Iterable[Block], console: Console) -> None:
    """Print blocks, an empty line behind each."""
    for block in blocks:
        if not isinstance(block, Figure):
            for part in _printed(block):
                console.print(part)
            console.print()


def _printed(block: Block) -> Iterator[RenderableType]:
    match block:
        case Paragraph():
            yield Text(block.words, style=STYLES[block.style])
        case Facts():
            table = FittingTable(lines=False)
            table.show_header = False
            for _column in ("label", "text"):
                table.add_column("")
            for label, text in block.pairs:
                table.add_row(Text(label), Text(text))
            yield table
        case Points():
            yield from (Text(f"- {line}") for line in block.lines)
        case Commands():
            yield from (Text(f"  {line}") for line in block.lines)
        case Table():
            yield from _table(block)


def _table(block: Table) -> Iterator[RenderableType]:
    first, left = block.first(ROWS_SHOWN) if block.key else (block, "")
    shown = first.shown()
    table = FittingTable(shown.caption, priorities=[column.priority for column in block.columns])
    for head in shown.columns:
        unit = f"\n[{head.unit}]" if head.unit else ""
        table.add_column(f"{head.heading}{unit}", justify="right" if head.figures else "left", vertical="bottom")
    for cells in shown.rows:
        table.add_row(*map(Text, cells))
    if shown.foot:
        table.add_section()
        table.add_row(*map(Text, shown.foot))
    yield table
    yield from (Text(note, style="dim") for note in (left, shown.note) if note)
