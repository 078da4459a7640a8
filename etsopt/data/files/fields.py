"""Sheets to fill in: headings in two rows, cells that explain themselves, and lists of the words that they offer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from etsopt.data.files.spreadsheet import set_up_page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etsopt.data.files.book import Book

ROWS_OFFERED = 2000
"""Rows of a workbook to fill in that explain their cells."""

Words = tuple[tuple[str, ...], tuple[str, ...]]
"""Words in English and, each at the same place, in Chinese."""


class Field(NamedTuple):
    """A column of a sheet.

    Parameters
    ----------
    name
        Name in the schema.
    headings
        Heading in English and in Chinese; the same in both for a column of the user's own.
    meaning
        Meaning of a cell in the language of the workbook, with its unit; empty for a column of the user's own.
    required, number
        True if the cells have to be filled, and if they are numbers.
    words
        Words that the cells offer.
    source
        Range with the words that they offer in place of these, such as a column of another sheet.
    form
        Format of the cells, by its name in `etsopt.data.files.book.STYLES`; empty for none.
    """

    name: str
    headings: tuple[str, str]
    meaning: str = ""
    required: bool = False
    number: bool = False
    words: Words = ((), ())
    source: str = ""
    form: str = ""


def add_sheet(into: Book, name: str, fields: Sequence[Field]) -> Any:
    """Add a sheet with headings in two rows, the first in the language of the workbook, and with cells to fill in."""
    sheet = into.book.add_worksheet(name)
    sheet.freeze_panes(2, min(2, len(fields)))
    set_up_page(sheet, 2)
    sheet.set_row(0, 32)
    for place, field in enumerate(fields):
        first, second = field.headings[into.in_chinese], field.headings[not into.in_chinese]
        sheet.write_string(0, place, first, into.formats["needed" if field.required else "optional"])
        width = max(12, min(26, len(first) * (2 if into.in_chinese else 1) + 2))
        sheet.set_column(place, place, width, into.formats.get(field.form))
        if field.meaning:
            sheet.write_string(1, place, second, into.formats["other"])
            _explain(into, sheet, place, field)
    return sheet


def _explain(into: Book, sheet: Any, place: int, field: Field) -> None:
    """Show the meaning of a cell when it is chosen, offer its words, and accept numbers alone where it holds one."""
    needed = into.word("Required: ", "必填：") if field.required else ""
    options: dict[str, Any] = {
        "input_title": field.headings[into.in_chinese][:32],
        "input_message": f"{needed}{field.meaning}"[:255],
        "error_type": "warning",
    }
    words = field.words[into.in_chinese]
    if words or field.source:
        options |= {"validate": "list", "source": field.source or _listed(into, words)}
    elif field.number:
        limits = {"criteria": "between", "minimum": -1e12, "maximum": 1e12}
        message = into.word("Write a plain number.", "请填写数字。")
        options |= {"validate": "decimal", **limits, "error_message": message}
    else:
        options |= {"validate": "any"}
    sheet.data_validation(2, place, ROWS_OFFERED, place, options)


def _listed(into: Book, words: tuple[str, ...]) -> str:
    """Return the range of a list; a list in the cell itself may have 255 characters alone."""
    if words not in into.lists:
        letter = chr(ord("A") + len(into.lists))
        into.lists[words] = f"='{name_of_lists(into)}'!${letter}$1:${letter}${len(words)}"
    return into.lists[words]


def name_of_lists(into: Book) -> str:
    """Return the name of the hidden sheet of lists."""
    return into.word("lists", "选项")


def add_lists(into: Book) -> Any:
    """Add the hidden sheet with the lists that cells offer."""
    sheet = into.book.add_worksheet(name_of_lists(into))
    for place, words in enumerate(into.lists):
        sheet.write_column(0, place, words)
    sheet.hide()
    return sheet
