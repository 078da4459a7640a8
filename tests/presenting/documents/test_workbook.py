"""Workbooks of documents and tables: typed cells in the formats of their quantities, and texts that stay texts."""

from __future__ import annotations

import math
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from etsopt.common.language import _, speaking
from etsopt.presenting.documents import quantities as of
from etsopt.presenting.documents.document import (
    Column,
    Commands,
    Document,
    Facts,
    Figure,
    Paragraph,
    Points,
    Section,
    Table,
)
from etsopt.presenting.documents.workbook import FORMATS, write_workbook

pytest.importorskip("xlsxwriter")
calamine = pytest.importorskip("python_calamine")

UNITS = Table(
    "Units",
    (
        Column("unit", name="unit_id"),
        Column("due", of.TONNES, name="allowance_t"),
        Column("rate", of.RATE),
        Column("found", of.YES),
        Column("year", of.NAME),
    ),
    (
        ("=1+1", 560_008.8179, -4e-5, True, 2025),
        ("https://example.org", -0.4, 0.01, False, 2025),
        ("", math.nan, math.inf, None, None),
    ),
)


def written(path: Path, sheets: list[tuple[str, Any]], comments: dict[str, str] | None = None) -> dict[str, list[Any]]:
    """Write a workbook, and return the rows of its sheets."""
    write_workbook(path, sheets, comments or {})
    book = calamine.CalamineWorkbook.from_path(str(path))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def part(path: Path, name: str) -> str:
    with zipfile.ZipFile(path) as book:
        return book.read(name).decode()


def test_cells_keep_every_digit_and_noise_is_the_zero_that_it_would_be_shown_as(tmp_path: Path) -> None:
    rows = written(tmp_path / "book.xlsx", [("units", UNITS)])["units"]
    assert rows == [
        ["unit", "due", "rate", "found", "year"],
        ["=1+1", 560_008.8179, 0.0, True, 2025],
        ["https://example.org", 0.0, 0.01, False, 2025],
        # What has no value is empty, not the text of a terminal.
    ]
    cells = part(tmp_path / "book.xlsx", "xl/worksheets/sheet1.xml")
    assert not re.search(r"<f\b|<hyperlink\b", cells)


def test_columns_have_the_formats_of_their_quantities(tmp_path: Path) -> None:
    written(tmp_path / "book.xlsx", [("units", UNITS)])
    styles = part(tmp_path / "book.xlsx", "xl/styles.xml")
    codes = dict(re.findall(r'<numFmt numFmtId="(\d+)" formatCode="([^"]*)"', styles))
    applied = re.findall(r'<xf numFmtId="(\d+)"', styles.partition("<cellXfs")[2])
    cells = part(tmp_path / "book.xlsx", "xl/worksheets/sheet1.xml")
    shown = {place: codes.get(applied[int(style)], applied[int(style)]) for place, style in FORMAT.findall(cells)}
    assert shown["B2"] == FORMATS["tonnes"].code
    assert shown["C2"] == FORMATS["rate"].code
    # The numbers of the formats "General" and "0".
    assert (shown["A2"], shown["E2"]) == ("0", "1")


FORMAT = re.compile(r'<c r="(\w+)" s="(\d+)"')


def test_every_quantity_has_a_format_of_a_workbook() -> None:
    quantities = [value for value in vars(of).values() if isinstance(value, of.Quantity)]
    assert len(quantities) > 10
    assert {one.excel for one in quantities} <= {*FORMATS}


def test_a_table_can_be_filtered_and_its_headings_stay_in_view(tmp_path: Path) -> None:
    numbers = Table("Numbers", UNITS.columns[1:], tuple(row[1:] for row in UNITS.rows))
    nothing = Table("Nothing", UNITS.columns, ())
    sheets = [("units", UNITS), ("numbers", numbers), ("nothing", nothing)]
    written(tmp_path / "book.xlsx", sheets, {"allowance_t": "What is due."})
    named, bare, empty = (part(tmp_path / "book.xlsx", f"xl/worksheets/sheet{number}.xml") for number in (1, 2, 3))
    assert '<pane xSplit="1" ySplit="1"' in named
    assert '<pane ySplit="1"' in bare
    assert '<autoFilter ref="A1:E4"/>' in named
    assert "autoFilter" not in empty
    assert "What is due." in part(tmp_path / "book.xlsx", "xl/comments1.xml")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_document_has_its_blocks_below_each_other_and_no_chart(tmp_path: Path, language: str) -> None:
    blocks = (
        Paragraph("A warning.", "warning"),
        Facts(((_("instance"), "tiny"), ("", "and more"))),
        Points(("first", "second")),
        Commands(("etsopt check run",)),
        Figure("chart", "A chart", "Its summary.", ({},)),
        UNITS,
    )
    section = Section("found", "What was found", blocks)
    document = Document("tiny", "tiny", "The answer.", _("certified optimal"), True, sections=(section,))
    with speaking(language):
        rows = written(tmp_path / "book.xlsx", [("summary", document)])["summary"]
    found = [[cell for cell in row if cell != ""] for row in rows]
    assert [row for row in found if row][:-3] == [
        ["tiny"],
        ["certified optimal" if language == "en" else "已证明最优"],
        ["The answer."],
        ["What was found"],
        ["A warning."],
        ["instance" if language == "en" else "算例", "tiny"],
        ["and more"],
        ["first"],
        ["second"],
        ["etsopt check run"],
        ["Units"],
    ]
    assert [row for row in found if row][-3:] == [
        ["unit", "due", "rate", "found", "year"],
        ["=1+1", 560_008.8179, 0.0, True, 2025],
        ["https://example.org", 0.0, 0.01, False, 2025],
    ]


def test_a_long_text_has_as_many_lines_as_it_needs(tmp_path: Path) -> None:
    facts = Facts(
        (("label", "word " * 100), ("a label that is longer than its column by far", "short"), ("one", "two"))
    )
    document = Document("tiny", "tiny", "", "", True, sections=(Section("found", "", (facts,)),))
    written(tmp_path / "book.xlsx", [("summary", document)])
    cells = part(tmp_path / "book.xlsx", "xl/worksheets/sheet1.xml")
    heights = dict(re.findall(r'<row r="(\d+)"[^>]* ht="(\d+)"', cells))
    # The usual height of a row is not stated.
    assert {row: int(height) for row, height in heights.items()} == {"4": 90, "5": 45}
