"""A document as the output of a notebook."""

from __future__ import annotations

from html import escape
from io import StringIO
from typing import TYPE_CHECKING

from rich.console import Console

from etsopt.common.errors import UsageError
from etsopt.presenting.documents import html, terminal

if TYPE_CHECKING:
    from etsopt.presenting.documents.document import Document

WIDTH = 100
"""Characters of a line of text."""


def output(document: Document) -> str:
    """Return a document as HTML, where jinja2 is not installed as the text of a terminal."""
    try:
        return html.fragment(document)
    except UsageError:
        console = Console(file=StringIO(), width=WIDTH, markup=False, highlight=False, force_jupyter=False)
        with console.capture() as printed:
            terminal.show(document, console)
        return f"<pre>{escape(printed.get())}</pre>"
