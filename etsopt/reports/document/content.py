"""Content of a page, apart from its layout: sections of paragraphs, facts, tables and charts in one language."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from etsopt.language import _, in_chinese, speaking

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from etsopt.results.results import Results


class Told:
    """What a page tells."""

    @property
    def about(self) -> Mapping[str, Any]:
        """Provenance; its ``instance`` is a name."""
        raise NotImplementedError


def report_command(folder: str) -> str:
    """Return the command that writes the page of a folder in the language of the moment."""
    return f"etsopt report {folder}{' --lang zh' if in_chinese() else ''}"


@dataclass(frozen=True)
class Run(Told):
    """A run that a page tells."""

    results: Results
    folder: str = "RUN"
    """Name of its folder, for commands."""

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables of the run."""
        return self.results.tables

    @property
    def about(self) -> dict[str, Any]:
        """Provenance of the run."""
        return self.results.provenance

    @property
    def policy(self) -> Mapping[str, Any]:
        """Policy of the run."""
        stated: Mapping[str, Any] = self.about.get("policy", {})
        return stated


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
    """Heading of a column, its unit of measure, and whether it holds figures."""

    heading: str
    unit: str = ""
    figures: bool = True


@dataclass(frozen=True)
class Table:
    """A table of texts, ready to show.

    Parameters
    ----------
    caption
        What it shows; a screen reader reads it first.
    rows
        Cells, shape ``(rows, columns)``.
    foot
        A row of totals; empty for none.
    note
        A sentence below it, such as on rows that are left out.
    key
        Name by which the page's search box finds it; empty for a table that is all there.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    foot: tuple[str, ...] = ()
    note: str = ""
    key: str = ""

    @property
    def kind(self) -> str:
        """``listing`` for a table with a search box, else ``table``."""
        return "listing" if self.key else "table"


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
    """A section of a page under its title; `key` names it in links."""

    key: str
    title: str
    blocks: tuple[Block, ...]


class KeyFigure(NamedTuple):
    """A figure at the head of a page, with its unit and label."""

    value: str
    unit: str
    label: str


@dataclass(frozen=True)
class Document:
    """A whole page, whose texts are in its language once it is made.

    Parameters
    ----------
    lang
        ``en`` or ``zh``.
    title
        Name of the page in a browser.
    kicker
        Line above the answer: instance, model, year.
    answer
        The answer in one sentence.
    status
        Verdict in words.
    proven
        True if the checker proved it.
    figures
        Key figures below the answer.
    sections
        In their order.
    imprint
        Last line.
    """

    lang: str
    title: str
    kicker: str
    answer: str
    status: str
    proven: bool
    figures: tuple[KeyFigure, ...] = ()
    sections: tuple[Section, ...] = field(default_factory=tuple)
    imprint: str = ""

    def __post_init__(self) -> None:
        """Show every text, since templates compare texts, and JSON takes their characters."""
        with speaking(self.lang):
            for one in fields(self):
                object.__setattr__(self, one.name, _shown(getattr(self, one.name)))

    @property
    def charts(self) -> list[Figure]:
        """Charts of all sections."""
        return [block for section in self.sections for block in section.blocks if isinstance(block, Figure)]


def _shown(part: Any) -> Any:
    """Return a part of a page with its texts in the language of the moment."""
    if isinstance(part, str):
        return str(part)
    if isinstance(part, tuple):
        parts = map(_shown, part)
        return type(part)(*parts) if hasattr(part, "_fields") else tuple(parts)
    if is_dataclass(part) and not isinstance(part, type):
        return replace(part, **{one.name: _shown(getattr(part, one.name)) for one in fields(part)})
    return part
