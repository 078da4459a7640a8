"""The annex tables as a workbook that prints: each table is one page wide, and its last line is the one to sign.

Cells hold every digit; their formats say what is printed. Where pages break follows from the heights of rows and the
paper, and both are set here: a program that opens the workbook breaks no page by itself.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from rich.cells import cell_len

from etsopt.common.language import _
from etsopt.data.files.spreadsheet import A3, A4, is_text, new_workbook, set_up_page, write_column
from etsopt.presenting.documents.workbook import lines_of
from etsopt.reports.official.gaps import OF_PRE_ALLOCATION, cells_to_fill
from etsopt.reports.official.headings import BY_NAME, NOTES, PROVINCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.data.files.spreadsheet import Paper
    from etsopt.reports.official.headings import Annex

FIRST_ROW = 2
"""Position of the first row of a sheet below its title and its headings."""

SIZE_PT, LEAST_PT = 10.0, 7.0
"""Size of the digits of a cell, and the least on paper: a table whose digits are smaller on A4 is on A3 [pt]."""

FONT = {"font_name": "宋体", "font_size": SIZE_PT, "font_scheme": "none"}
"""Font of forms of authorities; at this size its digits have the width in which columns are measured."""

LINE_PT, TITLE_PT, SIGNED_PT, MOST_PT = 15.0, 24.0, 40.0, 409.0
"""Heights of a line of a cell, of one of the title, of the line on which people sign, and the most of a row [pt]."""

FILLED = 0.94
"""Share of a page that rows fill: programs differ by some percent in the widths of columns, and so in the scale."""

WHOLE, TWO, FOUR, AS_STATED = "#,##0", "0.00", "0.0000", "General"

FORMATS = dict.fromkeys(("intensity", "balance_value", "coefficient", "load_correction"), FOUR)
FORMATS |= dict.fromkeys(("process_factor", "slag_factor"), FOUR)
FORMATS |= dict.fromkeys(("number", "capacity", "iron_capacity"), AS_STATED)
"""Number formats by keys of headings; a percentage has two decimals, and all others are whole tonnes, MWh or GJ."""

PRINTED = {WHOLE: ",.0f", TWO: ".2f", FOUR: ".4f", AS_STATED: ".6g"}
SPECIMENS = {WHOLE: "99,999,999", TWO: "-99.99", FOUR: "-0.9999", AS_STATED: "99999"}
"""Formats of Python for the same, and figures for which a column that is still to be filled has room."""

WIDTHS = {"number": (4.0, 7.0), "uscc": (21.0, 21.0)}
OTHERS = (7.0, 30.0)
"""Least and most widths of columns [digits]: a code of 18 digits has one line, whoever writes it."""

NOTES_WIDTHS = (44, 36, 28)
"""Most widths of the notes, the first at which the digits are large enough; more lines take more pages [digits]."""

HEADING_LINES = 6
"""Lines in which a heading has room, whatever is below it."""

SIGNED = (_("Prepared by:"), _("Reviewed by:"), _("Person in charge:"), _("Date:"), _("(Seal of the authority)"))
"""Words of the line to sign; a foot has those of the first two and the date."""


class _Column(NamedTuple):
    """A column of a sheet: key and heading, cells, number format, and width [digits]."""

    key: str
    heading: str
    cells: pd.Series
    form: str
    width: float


def write_printable(
    tables: Mapping[str, pd.DataFrame],
    path: Path,
    province: str,
    year: int,
    note: tuple[str, str] | None = None,
    stamp: str = "",
) -> None:
    """Write a sheet for each table: title, headings, rows and the line to sign; no text is a formula or a link.

    Parameters
    ----------
    tables, province, year, note, stamp
        As in `etsopt.reports.official.files.write_official_tables`.
    """
    with new_workbook(path, FONT) as book:
        for name, table in tables.items():
            title = BY_NAME[name].title(province, year)
            _write_sheet(book, BY_NAME[name], table, title, f"注：{note[1]}\n" if note else "", stamp)


def _write_sheet(book: Any, annex: Annex, table: pd.DataFrame, title: str, note: str, stamp: str) -> None:
    """Write a table, and set up its pages; a note stands above the words to sign, as the title is that of the annex."""
    columns, paper, scale = _laid_out(annex, table)
    sheet, cell = book.add_worksheet(annex.sheet), {"border": 1, "valign": "vcenter"}
    last, bottom = len(columns) - 1, FIRST_ROW + len(table)
    heading = book.add_format(cell | {"bold": True, "text_wrap": True, "align": "center", "bg_color": "#EDEDED"})
    for place, column in enumerate(columns):
        sheet.set_column(place, place, column.width)
        sheet.write_string(1, place, column.heading, heading)
        style = {"num_format": column.form} if column.form else {"text_wrap": True, "indent": 1}
        form = book.add_format(cell | style | ({"align": "center"} if column.key == "number" else {}))
        for row in range(FIRST_ROW, bottom):
            sheet.write_blank(row, place, None, form)
        write_column(sheet, place, FIRST_ROW, column.cells, form)
    of_title = book.add_format(
        {"bold": True, "font_size": 14, "align": "center", "valign": "vcenter", "text_wrap": True}
    )
    sheet.merge_range(0, 0, 0, last, "", of_title)
    sheet.write_string(0, 0, title, of_title)
    across = sum(column.width for column in columns)
    of_note = LINE_PT * lines_of(note, int(across)) if note else 0.0
    heights = [TITLE_PT * lines_of(title, int(across / 1.4)), *_heights(columns), SIGNED_PT + of_note]
    for row, height in enumerate(heights):
        sheet.set_row(row, height)
    # One cell from the first column on: no column of figures or codes holds a word to sign.
    form = book.add_format({"valign": "vcenter", "font_size": 11, "text_wrap": bool(note)})
    sheet.merge_range(bottom, 0, bottom, last, "", form)
    sheet.write_string(bottom, 0, note + _to_sign(SIGNED, across / 6), form)
    _hatch(book, sheet, annex, table)
    sheet.freeze_panes(FIRST_ROW, 0)
    set_up_page(sheet, FIRST_ROW, paper, f"&L{_to_sign((*SIGNED[:2], SIGNED[3]), 14)}&C{stamp}&R&A  &P / &N")
    sheet.print_area(0, 0, bottom, last)
    room = FILLED * paper.height_pt / scale - sum(heights[:FIRST_ROW])
    sheet.set_h_pagebreaks([FIRST_ROW + row for row in _breaks(heights[FIRST_ROW:], room)])


def _laid_out(annex: Annex, table: pd.DataFrame) -> tuple[list[_Column], Paper, float]:
    """Return the columns, and the paper and the scale at which they are one page wide."""
    keys = {heading: key for key, heading, _english in (*annex.columns, PROVINCE)}
    natural = [_column(keys[str(heading)], str(heading), cells) for heading, cells in table.items()]
    for paper, most in product((A4, A3), NOTES_WIDTHS):
        columns = [one._replace(width=min(one.width, most)) if one.key == NOTES[0] else one for one in natural]
        scale = paper.scale_of([column.width for column in columns])
        if SIZE_PT * scale >= LEAST_PT:
            break
    return columns, paper, scale


def _column(key: str, heading: str, cells: pd.Series) -> _Column:
    """Return a column as wide as its longest cell, its heading in a few lines, or the figures that it is to take."""
    least, most = WIDTHS.get(key, OTHERS)
    least = max(least, cell_len(heading) / HEADING_LINES + 3)
    if is_text(cells):
        most = NOTES_WIDTHS[0] if key == NOTES[0] else most
        return _Column(key, heading, cells, "", max(least, min(max(map(cell_len, cells)) + 3, most)))
    form = TWO if key.endswith("_percent") else FORMATS.get(key, WHOLE)
    known = cells.dropna()
    shown = [format(float(end), PRINTED[form]) for end in (known.min(), known.max())] if len(known) else []
    return _Column(key, heading, cells, form, max(least, *map(len, shown or [SPECIMENS[form]])) + 1)


def _heights(columns: Sequence[_Column]) -> list[float]:
    """Return the heights of the row of headings and of the rows below it, by the text with most lines [pt]."""
    lines = np.ones(1 + len(columns[0].cells))
    for column in columns:
        texts = column.cells if is_text(column.cells) else ()
        own = [lines_of(text, int(column.width) - 2) for text in (column.heading, *texts)]
        lines[: len(own)] = np.maximum(lines[: len(own)], own)
    heights: list[float] = np.minimum(LINE_PT * lines + 2, MOST_PT).tolist()
    return heights


def _breaks(heights: Sequence[float], room: float) -> Iterator[int]:
    """Yield the rows with which a page begins; the last two, of which people sign the second, stay together.

    >>> list(_breaks([10, 10, 10, 10, 20], room=40)), list(_breaks([10, 10, 20], room=40))
    ([3], [])
    """
    filled = 0.0
    for row, height in enumerate([*heights[:-2], sum(heights[-2:])]):
        if row and filled + height > room:
            yield row
            filled = 0.0
        filled += height


def _to_sign(words: Sequence[object], gap: float) -> str:
    """Return words in a line, with room to write behind each."""
    return (" " * int(gap)).join(map(str, words))


def _hatch(book: Any, sheet: Any, annex: Annex, table: pd.DataFrame) -> None:
    """Hatch the cells that are to be filled, until they are."""
    hatch = book.add_format({"pattern": 14, "fg_color": "#A6A6A6", "bg_color": "#FFFFFF"})
    places = {heading: place for place, heading in enumerate(table)}
    for _key, heading, empty in cells_to_fill(annex.name, table, OF_PRE_ALLOCATION):
        for first, last in _runs(empty):
            area = (FIRST_ROW + first, places[heading], FIRST_ROW + last, places[heading])
            sheet.conditional_format(*area, {"type": "blanks", "format": hatch})


def _runs(marked: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last position of each run of marks.

    >>> [(int(first), int(last)) for first, last in _runs(np.array([True, True, False, True]))]
    [(0, 1), (3, 3)]
    """
    ends = np.flatnonzero(np.diff(marked, prepend=False, append=False))
    yield from zip(ends[::2], ends[1::2] - 1, strict=True)
