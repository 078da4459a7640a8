"""Workbooks (.xlsx) that the package writes: exact numbers, texts that stay texts, and no active content.

The extra ``excel`` brings xlsxwriter.
"""

from __future__ import annotations

import datetime
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from etsopt.common.errors import UsageError
from etsopt.common.language import _
from etsopt.data.files.atomic import replaced

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    import pandas as pd

MOST_ROWS, MOST_CHARACTERS = 1_048_576, 32_767
"""Rows of a sheet, and characters of a cell."""

MARGINS = {"left": 0.4, "right": 0.4, "top": 0.5, "bottom": 0.6}
"""Margins of a page [inch]."""

INCH_MM, INCH_PT, INCH_PX = 25.4, 72, 96
DIGIT_PX, PADDING_PX = 7, 5
"""A column of a width has this many pixels for each digit, and these beside them."""


class Paper(NamedTuple):
    """A format of paper across: its number in a workbook, width and height [mm]."""

    number: int
    width_mm: float
    height_mm: float

    @property
    def height_pt(self) -> float:
        """Height between the margins [pt]."""
        return (self.height_mm / INCH_MM - MARGINS["top"] - MARGINS["bottom"]) * INCH_PT

    def scale_of(self, widths: Iterable[float]) -> float:
        """Return the scale at which columns of these widths are one page wide, in whole per cent.

        >>> A4.scale_of([13] * 10), A4.scale_of([13] * 20), A3.scale_of([13] * 20)
        (1.0, 0.54, 0.78)
        """
        across = sum(DIGIT_PX * width + PADDING_PX for width in widths) / INCH_PX
        room = self.width_mm / INCH_MM - MARGINS["left"] - MARGINS["right"]
        return min(int(100 * room / across), 100) / 100


A4, A3 = Paper(9, 297, 210), Paper(8, 420, 297)

MADE = datetime.datetime(2000, 1, 1)
"""Date of creation in every workbook, so that the same content is the same file."""

PLAIN = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}


def load_xlsxwriter(name: str) -> Any:
    """Return the package that writes workbooks.

    Raises
    ------
    UsageError
        If it is not installed.
    """
    try:
        import xlsxwriter.worksheet
    except ImportError:
        what = _("Writing the workbook {name} needs xlsxwriter, which is not installed.", name=name)
        raise UsageError(what, _('Install it, `pip install "etsopt[excel]"`, or name a folder.')) from None
    return xlsxwriter


@contextmanager
def new_workbook(path: Path, font: Mapping[str, Any] | None = None) -> Iterator[Any]:
    """Yield a workbook that replaces the file, as a whole, after the block.

    Its method ``add_worksheet`` returns sheets that write every digit of a number; xlsxwriter writes sixteen.

    Parameters
    ----------
    font
        Properties of the font of every cell, whose digits measure the widths of columns; None for that of Excel.

    Raises
    ------
    UsageError
        If xlsxwriter is not installed, or another process is writing the file.
    OSError
        With the name of the file that cannot be written.
    """
    xlsxwriter = load_xlsxwriter(path.name)

    class ExactWorksheet(xlsxwriter.worksheet.Worksheet):  # type: ignore[misc, name-defined]
        def _xml_number_element(self, number: float, attributes: Any = ()) -> None:
            attributes = "".join(f' {name}="{value}"' for name, value in attributes)
            self.fh.write(f"<c{attributes}><v>{repr(float(number)).removesuffix('.0')}</v></c>")

    class ExactWorkbook(xlsxwriter.Workbook):  # type: ignore[misc, name-defined]
        def add_worksheet(self, name: str | None = None, worksheet_class: Any = None) -> Any:
            return super().add_worksheet(name, ExactWorksheet)

    options = PLAIN | ({} if font is None else {"default_format_properties": dict(font)})
    with replaced(path) as part, part.open("wb") as file, ExactWorkbook(file, options) as book:
        book.set_properties({"created": MADE})
        yield book


def set_up_page(sheet: Any, headings: int, paper: Paper = A4, footer: str = "&L&A&R&P / &N") -> None:
    """Let a sheet print across, all columns on one page, with its rows of headings, name and number on each."""
    sheet.set_paper(paper.number)
    sheet.set_landscape()
    sheet.set_margins(**MARGINS)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer(footer)
    if headings:
        sheet.repeat_rows(0, headings - 1)


def require_fits(table: pd.DataFrame, name: str, above: int) -> None:
    """Check that a table fits into a sheet, below rows of titles and headings.

    Raises
    ------
    UsageError
        If it has more rows, or a text more characters, than a sheet takes.
    """
    if len(table) > MOST_ROWS - above:
        what = _(
            "The table {name} has {count:,} rows: a sheet takes {most_rows:,}.",
            name=name,
            count=len(table),
            most_rows=MOST_ROWS - above,
        )
        raise UsageError(what, _("Name a folder instead of a workbook."))
    for column in table:
        if not is_text(table[column]):
            continue
        lengths = table[column].astype(str).str.len()
        if (lengths > MOST_CHARACTERS).any():
            what = _(
                "The table {name}, row {argmax}, {column}, has a text of more than ",
                name=name,
                argmax=int(lengths.to_numpy().argmax()) + 1,
                column=column,
            )
            raise UsageError(
                _(
                    "{what}{most_characters:,} characters: a cell takes no more.",
                    what=what,
                    most_characters=MOST_CHARACTERS,
                ),
                _("Name a folder instead."),
            )


def is_text(cells: pd.Series) -> bool:
    """Return True for a column of texts, whatever type pandas has for them."""
    return cells.dtype == object or str(cells.dtype).startswith("str")


def write_column(sheet: Any, place: int, first: int, cells: pd.Series, form: Any = None) -> None:
    """Write the cells of a column from a row on; absent numbers and empty texts stay empty."""
    if is_text(cells):
        for row, text in enumerate(cells.tolist(), first):
            if text is not None and text == text and text != "":
                sheet.write_string(row, place, str(text), form)
    elif cells.dtype.kind == "b":
        for row, truth in enumerate(cells.tolist(), first):
            sheet.write_boolean(row, place, truth, form)
    else:
        for row, number in enumerate(cells.to_numpy(dtype=float, na_value=np.nan).tolist(), first):
            if number == number:
                sheet.write_number(row, place, number, form)
