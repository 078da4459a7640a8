"""A workbook with an instance while it is written, and sheets of texts in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from etsopt.data.files.spreadsheet import MOST_CHARACTERS, set_up_page

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STYLES = {
    "needed": {"bold": True, "bg_color": "#1F4E79", "font_color": "#FFFFFF", "text_wrap": True, "valign": "vcenter"},
    "optional": {"bold": True, "bg_color": "#DDE6EE", "font_color": "#1B1B1B", "text_wrap": True, "valign": "vcenter"},
    "other": {"italic": True, "font_color": "#595959", "text_wrap": True, "bottom": 1},
    "example": {"italic": True, "font_color": "#7F7F7F"},
    "wrapped": {"text_wrap": True, "valign": "top"},
    "top": {"valign": "top"},
    "wrong": {"bg_color": "#F8CBAD"},
    "title": {"bold": True, "font_size": 14},
    "text": {"num_format": "@"},
    "number": {"num_format": "#,##0.00##"},
    "day": {"num_format": "yyyy-mm-dd"},
}


class Book(NamedTuple):
    """A workbook that is being written: its formats, its language, and the lists that cells offer.

    Parameters
    ----------
    lists
        Range of each list on the hidden sheet, by the words in it.
    wrong
        Cells that are coloured, by table, column and row from 0 on, each with its text if it holds no number.
    """

    book: Any
    formats: Mapping[str, Any]
    in_chinese: bool
    lists: dict[tuple[str, ...], str]
    wrong: Mapping[tuple[str, str, int], str]

    def word(self, english: str, chinese_word: str) -> str:
        """Return the word of the language."""
        return chinese_word if self.in_chinese else english


class Listed(NamedTuple):
    """A further sheet of texts: its name, its headings, and the width of each column."""

    name: str
    headings: Mapping[str, int]
    rows: Sequence[Sequence[str]]


def write_listed(into: Book, listed: Listed) -> None:
    """Write a further sheet."""
    sheet = into.book.add_worksheet(str(listed.name))
    set_up_page(sheet, 1)
    sheet.freeze_panes(1, 0)
    for place, (text, width) in enumerate(listed.headings.items()):
        sheet.write_string(0, place, str(text), into.formats["optional"])
        sheet.set_column(place, place, width)
    for row, texts in enumerate(listed.rows, 1):
        for place, text in enumerate(texts):
            sheet.write_string(row, place, str(text)[:MOST_CHARACTERS], into.formats["wrapped"])
