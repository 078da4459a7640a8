"""The annex tables on paper: widths, scales and breaks worked out from the file itself, and pages of a PDF."""

from __future__ import annotations

import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
import zipfile
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.cli import main
from etsopt.common.language import speaking
from etsopt.reports import official_tables, read_official_tables, write_official_tables
from etsopt.reports.official.files import WORKBOOK
from etsopt.reports.official.headings import BY_NAME
from tests.reports.test_official import by_hand, enterprises, solved, units

pytest.importorskip("xlsxwriter")

OFFICE = shutil.which("soffice")

SPREADSHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
PAPERS_MM = {"9": (297.0, 210.0), "8": (420.0, 297.0)}
"""Width and height of A4 and A3 across, by their numbers in a workbook."""


class Printed(NamedTuple):
    """What a sheet says of its pages; lengths in mm at full scale."""

    paper: str
    room_mm: tuple[float, float]
    widths_mm: list[float]
    heights_mm: list[float]
    breaks: list[int]
    merged: list[str]
    footer: str

    @property
    def scale(self) -> float:
        """Scale at which the columns are one page wide, which spreadsheets round down to whole per cent."""
        return min(np.floor(100 * self.room_mm[0] / sum(self.widths_mm)) / 100, 1.0)


def sheets_of(path: Path) -> list[Printed]:
    with zipfile.ZipFile(path) as book:
        names = sorted((n for n in book.namelist() if "worksheets/sheet" in n), key=lambda n: int(re.sub(r"\D", "", n)))
        return [printed(ET.fromstring(book.read(name))) for name in names]


def printed(root: ET.Element) -> Printed:
    def one(tag: str) -> dict[str, str]:
        found = next(root.iter(SPREADSHEET + tag))
        return found.attrib | {"text": found.text or ""}

    setup, margins = one("pageSetup"), {name: float(inch) for name, inch in list(one("pageMargins").items())[:-1]}
    assert one("pageSetUpPr")["fitToPage"] == "1"
    # Where it is not stated a sheet is one page wide.
    assert (setup.get("fitToWidth", "1"), setup["fitToHeight"], setup["orientation"]) == ("1", "0", "landscape")
    width, height = PAPERS_MM[setup["paperSize"]]
    room = (
        width - 25.4 * (margins["left"] + margins["right"]),
        height - 25.4 * (margins["top"] + margins["bottom"]),
    )
    widths: list[float] = []
    for column in root.iter(SPREADSHEET + "col"):
        # The file states widths in digits of seven pixels, with what is beside them; 96 pixels are an inch.
        count = int(column.attrib["max"]) - int(column.attrib["min"]) + 1
        widths += [float(column.attrib["width"]) * 7 / 96 * 25.4] * count
    heights = [float(row.attrib["ht"]) / 72 * 25.4 for row in root.iter(SPREADSHEET + "row")]
    breaks = [int(found.attrib["id"]) for found in root.iter(SPREADSHEET + "brk")]
    merged = [found.attrib["ref"] for found in root.iter(SPREADSHEET + "mergeCell")]
    footer = next(root.iter(SPREADSHEET + "oddFooter")).text or ""
    return Printed(setup["paperSize"], room, widths, heights, breaks, merged, footer)


@cache
def anhui() -> dict[str, pd.DataFrame]:
    instance = etsopt.read("cn-2025").with_policy({"allocation.integer_allowances": True})
    return official_tables(instance, etsopt.solve(instance), "Anhui")


def test_each_table_is_one_page_wide_with_digits_of_at_least_seven_points(tmp_path: Path) -> None:
    for province, tables in (("Anhui", anhui()), ("", official_tables(*solved()))):
        write_official_tables(tables, tmp_path, province, 2026)
        found = dict(zip(tables, sheets_of(tmp_path / WORKBOOK), strict=True))
        for name, sheet in found.items():
            assert len(sheet.widths_mm) == len(tables[name].columns)
            assert 10 * sheet.scale >= 7, name
        # Twenty-three columns are too many for A4, and eight are not.
        assert found["2-3"].paper == "8"
        assert province or found["1-2"].paper == "9"


def test_no_page_is_fuller_than_the_paper_and_the_line_to_sign_is_with_the_last_row(tmp_path: Path) -> None:
    tables = anhui()
    for left_out in range(12):
        # Some of these numbers of rows fill a page to the line to sign.
        fewer = {"2-3": tables["2-3"].iloc[left_out:]}
        write_official_tables(fewer, tmp_path, "Anhui", 2025)
        (sheet,) = sheets_of(tmp_path / WORKBOOK)
        head, rows = sum(sheet.heights_mm[:2]), sheet.heights_mm[2:]
        assert len(rows) == len(fewer["2-3"]) + 1
        starts = [0, *(row - 2 for row in sheet.breaks), len(rows)]
        pages = [rows[first:last] for first, last in pairwise(starts)]
        assert all(0.75 < (head + sum(page)) * sheet.scale / sheet.room_mm[1] <= 1 for page in pages[:-1])
        assert (head + sum(pages[-1])) * sheet.scale <= sheet.room_mm[1]
        assert len(pages[-1]) >= 2


def cells_of(path: Path, sheet: int) -> dict[str, dict[str, str]]:
    """Number format of each cell of a sheet, and whether it has borders."""
    with zipfile.ZipFile(path) as book:
        styles = ET.fromstring(book.read("xl/styles.xml"))
        root = ET.fromstring(book.read(f"xl/worksheets/sheet{sheet}.xml"))
    codes = {one.attrib["numFmtId"]: one.attrib["formatCode"] for one in styles.iter(SPREADSHEET + "numFmt")}
    formats = [
        {"form": codes.get(one.attrib["numFmtId"], "General"), "border": one.attrib["borderId"]}
        for one in next(styles.iter(SPREADSHEET + "cellXfs"))
    ]
    return {
        cell.attrib["r"]: formats[int(cell.attrib["s"])]
        | {"value": next((value.text or "" for value in cell.iter(SPREADSHEET + "v")), "")}
        for cell in root.iter(SPREADSHEET + "c")
    }


def test_what_is_printed_is_rounded_and_what_is_held_is_not(tmp_path: Path) -> None:
    table = units()
    table.loc[table["unit_id"] == "c1", "emissions_tco2e"] = 800_000.25
    tables = official_tables(instance := by_hand(table), etsopt.solve(instance, "compliance"), "Fujian")
    write_official_tables(tables, tmp_path, "Fujian", 2026)
    cells = cells_of(tmp_path / WORKBOOK, list(tables).index("2-3") + 1)
    at = {key: chr(ord("A") + place) for place, (key, *_) in enumerate(BY_NAME["2-3"].columns)}
    forms = {"emissions": "#,##0", "determined": "#,##0", "intensity": "0.0000", "balance_value": "0.0000"}
    forms |= {"coefficient": "0.0000", "deviation_percent": "0.00", "number": "General"}
    assert {key: cells[f"{at[key]}3"]["form"] for key in forms} == forms
    assert cells[f"{at['emissions']}3"]["value"] == "800000.25"
    assert float(cells[f"{at['intensity']}3"]["value"]) == tables["2-3"].iloc[0, list(at).index("intensity")]
    # Headings and every cell of the table have borders, empty ones too; title and line to sign have none.
    assert {cells[f"{at[key]}{row}"]["border"] for key in at for row in range(2, 6)} == {"1"}
    assert {cells[f"A{row}"]["border"] for row in (1, 6)} == {"0"}


def hatched(path: Path, sheet: int) -> set[str]:
    with zipfile.ZipFile(path) as book:
        root = ET.fromstring(book.read(f"xl/worksheets/sheet{sheet}.xml"))
    return {one.attrib["sqref"] for one in root.iter(SPREADSHEET + "conditionalFormatting")}


def test_cells_to_fill_are_hatched_until_they_are_filled(tmp_path: Path) -> None:
    table = units().assign(x_line_capacity=["", "", "", "", "5000", "2500", "", "", "", ""])
    tables = official_tables(instance := by_hand(table), etsopt.solve(instance, "compliance"), "Fujian")
    write_official_tables(tables, tmp_path, "Fujian", 2026)
    found = hatched(tmp_path / WORKBOOK, list(tables).index("2-3") + 1)
    at = {key: chr(ord("A") + place) for place, (key, *_) in enumerate(BY_NAME["2-3"].columns)}
    # The code of the first of three lines; what only users know where no line has it, as the capacity of two.
    empty = ["slag", "slag_factor", "process_factor", "clinker_class", "clinker_kind"]
    empty += ["fuel_emissions", "process_emissions"]
    assert found == {f"{at['uscc']}3", *(f"{at[key]}3:{at[key]}5" for key in empty)}
    # What follows from a pre-allocation that nobody states is to be filled as well, but of no row of totals.
    unknown = units().assign(prior_emissions_tco2e=np.nan, pre_allocated_t=np.nan)
    unknown.loc[unknown["unit_id"] == "s1", "pre_allocated_t"] = 10.0
    tables = official_tables(instance := by_hand(unknown), etsopt.solve(instance, "compliance"), "Gansu")
    write_official_tables(tables, tmp_path, "Gansu", 2026)
    name = "2-5-aluminium"
    at = {key: chr(ord("A") + place) for place, (key, *_) in enumerate(BY_NAME[name].columns)}
    keys = ("uscc", "pre_allocated", "true_up", "deduction_returned", "deducted", "pre_issued", "issued")
    assert hatched(tmp_path / WORKBOOK, list(tables).index(name) + 1) == {f"{at[key]}3" for key in keys}


SIGNED = {
    "en": ["Prepared by:", "Reviewed by:", "Person in charge:", "Date:", "(Seal of the authority)"],
    "zh": ["填表人：", "审核人：", "负责人：", "日期：年月日", "（单位盖章）"],
}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_title_and_headings_repeat_and_the_line_to_sign_is_read_over(tmp_path: Path, lang: str) -> None:
    calamine = pytest.importorskip("python_calamine")
    codes = [f"9111000000000000{name}X" for name in "ACDPQRS"]
    instance = by_hand(owners=enterprises().assign(x_uscc=codes))
    tables = official_tables(instance, etsopt.solve(instance, "compliance"), "Fujian")
    with speaking(lang):
        write_official_tables(tables, tmp_path, "Fujian", 2026, stamp="Entry 7, head ab12")
    for name, sheet in zip(tables, sheets_of(tmp_path / WORKBOOK), strict=True):
        annex, cells = BY_NAME[name], calamine.CalamineWorkbook.from_path(tmp_path / WORKBOOK)
        title, *_rows, signed = cells.get_sheet_by_name(annex.sheet).to_python()
        assert title[0].startswith(f"表{annex.number}：福建省2026年度")
        assert re.sub(r"\s", "", signed[0]) == re.sub(r"\s", "", "".join(SIGNED[lang]))
        assert set(signed[1:]) == {""}
        last = chr(ord("A") + len(annex.columns) - 1)
        assert sheet.merged == [f"A1:{last}1", f"A{len(tables[name]) + 3}:{last}{len(tables[name]) + 3}"]
        foot = re.sub(r"\s", "", sheet.footer)
        assert foot == re.sub(r"\s", "", f"&L{''.join((*SIGNED[lang][:2], SIGNED[lang][3]))}&CEntry7,headab12&R&A&P/&N")
    with zipfile.ZipFile(tmp_path / WORKBOOK) as book:
        names = book.read("xl/workbook.xml").decode()
    assert names.count("_xlnm.Print_Titles") == names.count("$1:$2<") == len(tables)
    found = read_official_tables(tmp_path / WORKBOOK)
    assert sorted(found.units["unit_id"]) == ["c1", "c2", "c3", "p1", "p2", "q1", "r1"]


@pytest.mark.nightly
def test_long_tables_and_texts_have_room(tmp_path: Path) -> None:
    tables = official_tables(
        instance := by_hand(owners=enterprises().assign(name="长" * 3_000)), etsopt.solve(instance)
    )
    note = ("", "排放量未经核查，" * 30)
    write_official_tables(tables, tmp_path, "", 2026, note)
    for sheet in sheets_of(tmp_path / WORKBOOK):
        # The note has many lines above the words to sign, and no row is higher than a spreadsheet takes.
        assert sheet.heights_mm[-1] > 2 * 24 / 72 * 25.4
        assert 408 < max(sheet.heights_mm[2:]) / 25.4 * 72 <= 409


@pytest.mark.nightly
def test_the_foot_states_the_head_of_a_store_unless_it_was_altered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    duckdb = pytest.importorskip("duckdb")
    from etsopt import accounting
    from etsopt.accounting.store import import_reports

    accounting.write_example(tmp_path / "plants", units=3, months=12, seed=1)
    (tmp_path / "plants" / "policy.toml").write_text('year = 2025\n[rule]\nname = "cn-2025"\n', encoding="utf-8")
    store = tmp_path / "plants.duckdb"
    (added,) = import_reports(store, [tmp_path / "plants"])
    assert added.line is not None
    run = str(tmp_path / "run")
    assert main(["solve", str(tmp_path / "plants"), "--out", run]) == 0
    asked = ["export", run, "--tables", "official", "--out", str(tmp_path / "out"), "--store", str(store)]
    assert main(asked) == 0
    assert all(f"&C{added.line.stamp}&R" in sheet.footer for sheet in sheets_of(tmp_path / "out" / WORKBOOK))
    with duckdb.connect(str(store)) as opened:
        opened.execute("UPDATE rows SET quantity = quantity * 2")
    shutil.rmtree(tmp_path / "out")
    capsys.readouterr()
    assert main(asked) == 2
    told = capsys.readouterr().err
    assert f"The store {str(store)!r} and its ledger differ, so no page states its head." in told
    assert f"See where: etsopt store verify {store}" in told
    assert not (tmp_path / "out").exists()


def pages_of(path: Path, folder: Path) -> list[str]:
    profile = f"-env:UserInstallation={(folder / 'profile').resolve().as_uri()}"
    command = [str(OFFICE), "--headless", profile, "--convert-to", "pdf", "--outdir", str(folder), str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    text = ["pdftotext", "-layout", str(folder / path.with_suffix(".pdf").name), "-"]
    return subprocess.run(text, check=True, capture_output=True, text=True).stdout.split("\f")[:-1]


@pytest.mark.nightly
@pytest.mark.skipif(OFFICE is None or shutil.which("pdftotext") is None, reason="there is no LibreOffice or no poppler")
def test_the_tables_of_a_province_are_pages_that_can_be_signed(tmp_path: Path) -> None:
    tables = anhui()
    with speaking("zh"):
        write_official_tables(tables, tmp_path, "Anhui", 2025)
    pages = pages_of(tmp_path / WORKBOOK, tmp_path)
    assert len(tables) <= len(pages) <= 13
    for page in pages:
        # A table that columns cut apart has pages without its first or without its last heading.
        assert "安徽省2025年度" in page
        assert "序号" in page
        assert "需要特殊说明的事项" in page
    signed = [page for page in pages if "（单位盖章）" in page]
    assert len(signed) == len(tables)
    for page, table in zip(signed, tables.values(), strict=True):
        before, after = page.split("（单位盖章）")
        assert re.search(rf"^\s*{table['序号'].max()}\s", before, re.MULTILINE), "the last row is not above it"
        assert re.fullmatch(r"\s*填表人：\s+审核人：\s+日期：[年月日\s]+\d-\d \w+\s+\d+ / \d+\s*", after)
