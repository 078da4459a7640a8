"""What is shown, apart from how it looks: sections of paragraphs, facts, tables and charts.

A document is made once for each subject, and renderers that know no subject show it: `terminal`, `html`, `notebook` and
`workbook`. Its texts are shown in the language of the moment.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from etsopt.common.language import _, in_chinese
from etsopt.presenting.documents.quantities import FIGURES, WORDS, Quantity, unit_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


def report_command(folder: str) -> str:
    """Return the command that writes the page of a folder in the language of the moment."""
    return f"etsopt report {folder}{' --lang zh' if in_chinese() else ''}"


def named(name: str, text: str) -> str:
    """Return a text behind its name and a colon."""
    return _("{name}: {text}", name=name, text=text)


def noted(text: str, note: str) -> str:
    """Return a text with a note in brackets."""
    return _("{text} ({note})", text=text, note=note)


def clauses(parts: Iterable[str]) -> str:
    """Return clauses of a sentence one after the other."""
    return str(_("; ")).join(map(str, parts))


@dataclass(frozen=True)
class Paragraph:
    """A text; `style` is ``plain``, ``note`` or ``warning``."""

    words: str
    style: str = "plain"
    kind: ClassVar[str] = "paragraph"


@dataclass(frozen=True)
class Facts:
    """Labels, and a text for each."""

    pairs: tuple[tuple[str, str], ...]
    kind: ClassVar[str] = "facts"


@dataclass(frozen=True)
class Points:
    """A list of sentences."""

    lines: tuple[str, ...]
    kind: ClassVar[str] = "points"


@dataclass(frozen=True)
class Commands:
    """Lines to type into a shell."""

    lines: tuple[str, ...]
    kind: ClassVar[str] = "commands"


class Column(NamedTuple):
    """A column of a table.

    Parameters
    ----------
    heading
        Without the unit of measure.
    quantity
        What its cells are.
    priority
        1 to 3: a narrow terminal leaves out the columns of the highest number, the last of them first. The first
        column of a table always stays.
    name
        Name in the tables of results; empty for a column that is made here.
    """

    heading: str
    quantity: Quantity = WORDS
    priority: int = 2
    name: str = ""

    @classmethod
    def of_figures(cls, heading: str, unit: str = "") -> Column:
        """Return a column of figures that are texts already."""
        return cls(heading, FIGURES._replace(unit=unit))


class Head(NamedTuple):
    """Heading of a column as it is shown: its unit of measure, whether it holds figures, and alarming ones."""

    heading: str
    unit: str
    figures: bool
    alarming: bool


class ShownTable(NamedTuple):
    """A table as texts."""

    caption: str
    columns: tuple[Head, ...]
    rows: tuple[tuple[str, ...], ...]
    foot: tuple[str, ...]
    note: str
    key: str

    @property
    def kind(self) -> str:
        """``listing`` for a table with a search box, else ``table``."""
        return "listing" if self.key else "table"


@dataclass(frozen=True)
class Table:
    """A table of values.

    Parameters
    ----------
    caption
        What it shows; a screen reader reads it first.
    rows
        Numbers and texts, shape ``(rows, columns)``.
    foot
        A row of totals; empty for none.
    note
        A sentence below it, such as on rows that are left out.
    key
        Name by which the page's search box finds it; empty for a table that is all there.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    foot: tuple[Any, ...] = ()
    note: str = ""
    key: str = ""

    def in_scale(self, exact: bool = False) -> Table:
        """Return the table with each column in the scale of its largest number.

        Parameters
        ----------
        exact
            True for tonnes and money in full, which are the same in every language.
        """
        columns = []
        for column, cells in zip(self.columns, self.cells(), strict=True):
            quantity = column.quantity
            if quantity.scaled:
                numbers = [abs(cell) for cell in cells if _is_finite(cell)]
                quantity = quantity.in_full(numbers) if exact else quantity.fitting(max(numbers, default=0.0))
            columns.append(column._replace(quantity=quantity))
        return replace(self, columns=tuple(columns))

    def shown(self, exact: bool = False) -> ShownTable:
        """Return the table as texts in the language of the moment, in a scale as `in_scale` returns it."""
        scaled = any(column.quantity.scaled for column in self.columns)
        columns = self.in_scale(exact).columns if scaled else self.columns
        heads, texts = [], []
        for column, cells in zip(columns, self.cells(), strict=True):
            quantity = column.quantity
            heads.append(Head(str(column.heading), unit_in(quantity.unit), quantity.figures, quantity.alarming))
            texts.append(map(quantity.shown, cells))
        shown = list(zip(*texts, strict=True))
        foot = tuple("" if text in NOTHING else text for text in shown.pop()) if self.foot else ()
        return ShownTable(str(self.caption), tuple(heads), tuple(shown), foot, str(self.note), self.key)

    def first(self, most: int) -> tuple[Table, str]:
        """Return the table with its first rows at most, and in words how many more it has; nothing for none."""
        left = len(self.rows) - most
        return (replace(self, rows=self.rows[:most]), _("{count:,} more rows.", count=left)) if left > 0 else (self, "")

    def cells(self) -> Iterable[tuple[Any, ...]]:
        """Return the cells of each column, the total last."""
        rows = (*self.rows, self.foot) if self.foot else self.rows
        return zip(*rows, strict=True) if rows else [()] * len(self.columns)


NOTHING = ("–", "-")
"""Texts of a cell without a value."""


def _is_finite(cell: Any) -> bool:
    return isinstance(cell, int | float) and math.isfinite(cell)


@dataclass(frozen=True)
class Figure:
    """A chart that one can hover: its title, a summary in words, and a figure of plotly for each panel.

    A compact one has no legends, so that three of its panels fit beside each other.
    """

    key: str
    title: str
    summary: str
    panels: tuple[Mapping[str, Any], ...]
    compact: bool = False
    kind: ClassVar[str] = "figure"


Block = Paragraph | Facts | Points | Commands | Table | Figure


@dataclass(frozen=True)
class Section:
    """A section of a page under its title; `key` names it in links, and without one it is a part of the one above.

    One that begins a page does so in print.
    """

    key: str
    title: str
    blocks: tuple[Block, ...]
    begins_page: bool = False


class KeyFigure(NamedTuple):
    """A figure at the head of a page, with its unit and label."""

    value: str
    unit: str
    label: str


@dataclass(frozen=True)
class Document:
    """What is shown as a whole.

    Parameters
    ----------
    title
        Name of the page in a browser.
    kicker
        Line above the answer: instance, model, year.
    answer
        The answer in one sentence.
    status
        Verdict in words; empty for none.
    proven
        True if the checker proved it.
    warnings
        What a reader has to know before any figure.
    figures
        Key figures below the answer.
    sections
        In their order.
    imprint
        Last line.
    """

    title: str
    kicker: str
    answer: str
    status: str = ""
    proven: bool = False
    warnings: tuple[Paragraph, ...] = ()
    figures: tuple[KeyFigure, ...] = ()
    sections: tuple[Section, ...] = field(default_factory=tuple)
    imprint: str = ""

    @property
    def charts(self) -> list[Figure]:
        """Charts of all sections."""
        return [block for section in self.sections for block in section.blocks if isinstance(block, Figure)]


def shown(part: Any, exact: bool = False) -> Any:
    """Return a part of a document with its texts in the language of the moment, and its tables by `Table.shown`.

    What takes the characters of a text, such as a template or JSON, needs them so.
    """
    if isinstance(part, str):
        return str(part)
    return part.shown(exact) if isinstance(part, Table) else parts_by(lambda one: shown(one, exact), part)


def parts_by(make: Callable[..., Any], part: Any, *others: Any) -> Any:
    """Return a part of a document of what a function returns of its parts, beside those of others like it."""
    if isinstance(part, tuple):
        parts = itertools.starmap(make, zip(part, *others, strict=True))
        return type(part)(*parts) if hasattr(part, "_fields") else tuple(parts)
    if is_dataclass(part) and not isinstance(part, type):
        names = [one.name for one in fields(part)]
        return replace(part, **{name: make(*(getattr(one, name) for one in (part, *others))) for name in names})
    return part
