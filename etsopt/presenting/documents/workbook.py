"""Documents and tables as sheets of a workbook: exact numbers in the formats of their quantities, texts as texts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
from rich.cells import cell_len

from etsopt.data.files.spreadsheet import new_workbook, set_up_page
from etsopt.presenting.documents.document import Commands, Document, Facts, Paragraph, Points, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from etsopt.presenting.documents.document import Block

STYLES: dict[str, dict[str, Any]] = {
    "title": {"bold": True, "font_size": 15},
    "good": {"bold": True, "font_color": "#1B6E36"},
    "open": {"bold": True, "font_color": "#A15C00"},
    "section": {"bold": True, "font_size": 12},
    "heading": {"bold": True, "bg_color": "#1F4E79", "font_color": "#FFFFFF", "text_wrap": True, "valign": "vcenter"},
    "label": {"bold": True, "font_color": "#444B55", "text_wrap": True, "valign": "top"},
    "text": {"text_wrap": True, "valign": "top"},
    "warning": {"font_color": "#A15C00", "text_wrap": True, "valign": "top"},
}
"""Styles of texts."""


class Format(NamedTuple):
    """Format of a number, and the absolute value below which a number is written as the zero that it would show as."""

    code: str
    least: float = 0.0


FORMATS = {
    "tonnes": Format("#,##0;[Red]-#,##0;0", 0.5),
    "rate": Format("0.00%;[Red]-0.00%;0.00%", 0.5e-4),
    "price": Format("#,##0.00", 0.5e-2),
    "fine": Format("0.000000", 0.5e-6),
    "exact": Format("0.0E+00"),
    "plain": Format("0"),
    "general": Format("General"),
}
"""Formats by the names that quantities have for them."""

FIRST_WIDTH, WIDTH, LAST = 24, 18, 6
"""Widths of the first column of a document and of others, and the last column that its texts span."""

LEAST_WIDTH, MOST_WIDTH = 13, 40
"""Widths of the columns of a table."""

LINE = 15
"""Height of a line of text."""

LONGEST_NAME = 31
"""Characters of the name of a sheet."""


def write_workbook(path: Path, sheets: Iterable[tuple[str, Document | Table]], comments: Mapping[str, str]) -> None:
    """Write a workbook in the language of the moment.

    Parameters
    ----------
    sheets
        Names of sheets, and what is on each: a document, or a table that can be filtered.
    comments
        Comments at the headings of columns, by the names of these.

    Raises
    ------
    UsageError
        If xlsxwriter is not installed, or another process is writing the file.
    OSError
        With the name of the file that cannot be written.
    """
    with new_workbook(path) as book:
        styles = STYLES | {name: {"num_format": one.code} for name, one in FORMATS.items()}
        formats = {name: book.add_format(style) for name, style in styles.items()}
        for name, content in sheets:
            sheet = _Sheet(book.add_worksheet(str(name)[:LONGEST_NAME]), formats, comments)
            if isinstance(content, Document):
                sheet.write_document(content)
            else:
                sheet.write_table(content)


class _Sheet(NamedTuple):
    """A sheet that is being written, with the formats of its workbook and the comments at headings."""

    sheet: Any
    formats: Mapping[str, Any]
    comments: Mapping[str, str]

    def write_document(self, document: Document) -> None:
        """Write title, status and answer, and the sections below each other."""
        self.sheet.hide_gridlines(2)
        set_up_page(self.sheet, 0)
        self.sheet.set_column(0, 0, FIRST_WIDTH)
        self.sheet.set_column(1, LAST + 2, WIDTH)
        self._write(0, 0, document.title, "title")
        self._write(1, 0, document.status, "good" if document.proven else "open")
        row = 2
        for warning in document.warnings:
            row = self._write_line(row, warning.words, "warning")
        if document.answer:
            row = self._write_line(row, document.answer, "text")
        for section in document.sections:
            row += 1
            if section.title:
                self._write(row, 0, section.title, "section")
                row += 1
            for block in section.blocks:
                row = self._write_block(row, block)

    def _write_block(self, row: int, block: Block) -> int:
        """Write a block from a row on, and return the row below it."""
        match block:
            case Paragraph():
                row = self._write_line(row, block.words, "warning" if block.style == "warning" else "text")
            case Facts():
                for label, text in block.pairs:
                    row = self._write_line(row, text, "text", label)
            case Points() | Commands():
                for line in block.lines:
                    row = self._write_line(row, line, "text")
            case Table():
                self._write(row, 0, block.caption, "label")
                self._write_cells(row + 1, block)
                row += 2 + len(block.rows)
        return row

    def write_table(self, table: Table) -> None:
        """Write a table that can be filtered, and whose headings stay in view."""
        self._write_cells(0, table)
        set_up_page(self.sheet, 1)
        self.sheet.set_row(0, 2 * LINE + 2)
        self.sheet.freeze_panes(1, 1 if table.columns and table.columns[0].quantity.text is None else 0)
        if table.rows:
            self.sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)
        for place, (column, cells) in enumerate(zip(table.columns, table.cells(), strict=True)):
            widest = max((len(str(cell)) for cell in cells), default=0) if column.quantity.text is None else 0
            self.sheet.set_column(place, place, max(LEAST_WIDTH, min(MOST_WIDTH, 2 + widest)))

    def _write_cells(self, row: int, table: Table) -> None:
        """Write headings and cells from a row on."""
        for place, (column, cells) in enumerate(zip(table.columns, table.cells(), strict=True)):
            self._write(row, place, column.heading, "heading")
            if comment := self.comments.get(column.name):
                self.sheet.write_comment(row, place, str(comment), {"x_scale": 2.5, "author": "etsopt"})
            form = column.quantity.excel
            for below, cell in enumerate(cells, row + 1):
                if column.quantity.text is None:
                    self._write(below, place, "" if pd.isna(cell) else cell, form)
                elif isinstance(cell, bool):
                    self.sheet.write_boolean(below, place, cell, self.formats[form])
                elif not pd.isna(cell) and math.isfinite(cell):
                    # Otherwise a spreadsheet shows -0, in red.
                    number = 0.0 if abs(cell) < FORMATS[form].least else cell
                    self.sheet.write_number(below, place, number, self.formats[form])

    def _write(self, row: int, place: int, text: Any, style: str) -> None:
        """Write a text, in the language of the moment; an empty one leaves the cell empty."""
        if shown := str(text):
            self.sheet.write_string(row, place, shown, self.formats[style])

    def _write_line(self, row: int, text: str, style: str, label: str | None = None) -> int:
        """Write a text across the sheet, behind its label if it has one, and return the row below it."""
        place, width = (0, FIRST_WIDTH + WIDTH * LAST) if label is None else (1, WIDTH * LAST)
        self.sheet.merge_range(row, place, row, LAST, "", self.formats[style])
        self._write(row, place, text, style)
        lines = lines_of(text, width)
        if label is not None:
            self._write(row, 0, label, "label")
            lines = max(lines, lines_of(label, FIRST_WIDTH))
        self.sheet.set_row(row, LINE * lines)
        return row + 1


def lines_of(text: str, width: int) -> int:
    """Return in how many lines a text is written; letters are a little wider than the digits that measure a column."""
    return sum(1 + int(1.1 * cell_len(line)) // width for line in str(text).split("\n"))
