"""Writer of the monthly workbook: what an enterprise fills in, and `etsopt account` reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.accounting.monthly.colours import COLOURS, KEY, add_look_up, colour_sheet
from etsopt.accounting.monthly.tables import ACTIVITY, EVIDENCE, SHEETS, STOCKS, TESTS, fields_of
from etsopt.accounting.schema import REGISTER
from etsopt.common.language import _, pgettext, speaking
from etsopt.data.files.book import STYLES, Book
from etsopt.data.files.fields import ROWS_OFFERED, add_lists, add_sheet
from etsopt.data.files.spreadsheet import new_workbook, require_fits, set_up_page, write_column

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from etsopt.data.tables.table import Table

TABLES = (REGISTER, ACTIVITY, TESTS, STOCKS)

NOTES = (
    _(
        "Fill in the register once: a row is a clinker line, an electrolysis process, a steel enterprise or a "
        "generating unit, which needs its class and, if it burns coal, its load factor for an allocation."
    ),
    _("Fill in the sheets of quantities every month, below the rows of the months before. Write months like 2025-01."),
    _(
        "A generating unit reports by process generation: fuels burnt (in), electricity and heat supplied (product), "
        "the measured carbon content (carbon, tC/t, or in the sheet of tests) and the oxidation rate (oxidation, %)."
    ),
    _("Dark headings are required. Cells offer their words; a unit of measure counts as it is written."),
    _("The sheet of tests has batches of a fuel, that of stocks what was bought and is left; either may stay empty."),
    _("Headings may move, and columns of your own begin with x_. Sheets and headings that are merged are not read."),
    _("etsopt account FILE.xlsx reads it, etsopt screen FILE.xlsx finds what colours cannot."),
)
"""How to fill the workbook in."""

STEEL, CEMENT, ALUMINIUM, POWER = (pgettext("sector", name) for name in ("steel", "cement", "aluminium", "power"))
LEDGER = _("ledger of purchases, sales and stocks, or of settlements")
METERS = _("ledger of the meters of production")
CALIBRATION = _("record of the calibration of the meter")
REPORT = _("test report with the mark of the laboratory")
RECORDS = (
    (STEEL, _("fuels and materials of the enterprise"), LEDGER),
    (STEEL, _("fuels of a process, and its output"), METERS),
    (STEEL, _("kind of coal"), _("purchase contract and test report on arrival")),
    (CEMENT, _("fuels and raw materials of the kiln"), LEDGER),
    (CEMENT, _("output of clinker"), METERS),
    (ALUMINIUM, _("anodes and molten aluminium"), METERS),
    (POWER, _("fuels of the generating unit, and their stock"), LEDGER),
    (POWER, _("electricity and heat"), METERS),
    (POWER, _("carbon content as received"), REPORT),
    (_("every sector"), _("any meter"), CALIBRATION),
    (_("every sector"), _("calorific value and carbon content"), REPORT),
)
"""Records by sector and figure: of steel those that its guideline asks for, of the others the same by assumption."""


def write_monthly_workbook(
    path: str | Path, in_chinese: bool = False, filled: Mapping[str, pd.DataFrame] | None = None
) -> None:
    """Write the monthly workbook, which `read_reports` reads once it is filled in.

    Parameters
    ----------
    in_chinese
        True for Chinese headings, words and notes above English ones.
    filled
        Cells to begin with, such as the register of last year: by sheet (``register``, ``activity``, ``tests``,
        ``stock``), with the English headings of its columns without their units.

    Raises
    ------
    UsageError
        If xlsxwriter is not installed, a table does not fit into a sheet, or another process is writing the file.
    OSError
        With the name of the file that cannot be written.
    """
    filled = filled or {}
    for name, cells in filled.items():
        require_fits(cells, name, above=2)
    with new_workbook(Path(path)) as book, speaking("zh" if in_chinese else "en"):
        styles = STYLES | {name: style | {"valign": "top"} for name, style in COLOURS.items()}
        into = Book(book, {name: book.add_format(style) for name, style in styles.items()}, in_chinese, {}, {})
        _write_notes(into)
        register, records = (into.word(name, SHEETS[name]) for name in (REGISTER.name, EVIDENCE.name))
        sources = {
            "unit_id": f"='{register}'!$A$3:$A${ROWS_OFFERED + 1}",
            "evidence": f"='{records}'!$C$3:$C${ROWS_OFFERED + 1}",
        }
        for table in TABLES:
            _write_table(into, table, sources, filled.get(table.name))
        sheet = add_sheet(into, records, fields_of(EVIDENCE, {}))
        for row, texts in enumerate(RECORDS, 2):
            sheet.write_row(row, 0, [str(text) for text in texts])
        sheet.set_column(1, 2, 60)
        add_look_up(into, add_lists(into), len(into.lists))


def _write_table(into: Book, table: Table, sources: dict[str, str], cells: pd.DataFrame | None) -> None:
    """Write a sheet to fill in, with the cells that it begins with."""
    fields = fields_of(table, sources)
    sheet = add_sheet(into, into.word(table.name, SHEETS[table.name]), fields)
    for place, field in enumerate(fields):
        if cells is not None and field.name in cells:
            words = dict(zip(*field.words, strict=True)) if into.in_chinese else {}
            write_column(sheet, place, 2, cells[field.name].replace(words), into.formats.get(field.form))
    colour_sheet(into, sheet, table)


def _write_notes(into: Book) -> None:
    """Write how to fill the workbook in, and the key to its colours."""
    sheet = into.book.add_worksheet(into.word("notes", "说明"))
    set_up_page(sheet, 0)
    sheet.set_column(0, 0, 12)
    sheet.set_column(1, 1, 110)
    sheet.write_string(0, 0, str(_("Monthly reports")), into.formats["title"])
    for row, text in enumerate(NOTES, 1):
        sheet.write_string(row, 1, str(text), into.formats["wrapped"])
    for row, (colour, (name, meaning)) in enumerate(KEY.items(), len(NOTES) + 2):
        sheet.write_string(row, 0, str(name), into.formats[colour])
        sheet.write_string(row, 1, str(meaning), into.formats["wrapped"])
