"""Workbooks of monthly reports: equal to CSV files, units converted exactly, and every lost cell refused."""

from __future__ import annotations

import builtins
import datetime
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from etsopt.accounting import account, read_reports, write_example
from etsopt.accounting.chinese import VOCABULARY
from etsopt.accounting.headings import ROW_HEADINGS
from etsopt.cli import main
from etsopt.common.errors import DataError, UsageError
from tests.accounting.test_rows import REGISTER_CSV

xlsxwriter = pytest.importorskip("xlsxwriter")
pytest.importorskip("python_calamine")

HEAD = ["单元编号", "月份", "工序", "燃料、物料或产品", "方向", "数量", "计量单位", "版本"]
GOOD = [
    ["C1", "2025-01", "熟料生产", "硅酸盐水泥熟料", "产品", 15.5, "万吨", ""],
    ["C1", "2025-01", "熟料生产", "烟煤", "输入", 20000, "吨", ""],
]


def book(folder: Path, cells: list[list[Any]], merged: str = "", register: str = REGISTER_CSV) -> Path:
    """A folder whose reports are one workbook with the sheet 一月."""
    (folder / "reports").mkdir(exist_ok=True)
    (folder / "register.csv").write_text(register, encoding="utf-8")
    with xlsxwriter.Workbook(folder / "reports" / "2025.xlsx") as workbook:
        sheet = workbook.add_worksheet("一月")
        dates = workbook.add_format({"num_format": "yyyy-mm"})
        for row, line in enumerate(cells):
            for column, cell in enumerate(line):
                if isinstance(cell, tuple):
                    sheet.write_formula(row, column, cell[0], None, cell[1])
                elif isinstance(cell, datetime.date):
                    sheet.write_datetime(row, column, cell, dates)
                elif cell != "":
                    sheet.write(row, column, cell)
        if merged:
            sheet.merge_range(merged, "C1")
    return folder


def problems(folder: Path) -> list[str]:
    with pytest.raises(DataError) as caught:
        read_reports(folder)
    return [str(problem).partition("\n")[0] for problem in caught.value.problems]


@pytest.mark.parametrize("chinese", [True, False])
def test_a_workbook_has_the_rows_and_accounts_of_its_csv_file(tmp_path: Path, chinese: bool) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    write_example(one, units=6, months=3, seed=2)
    write_example(other, units=6, months=3, seed=2)
    (path,) = (other / "reports").glob("*.csv")
    table = pd.read_csv(path, dtype={"unit_id": str, "batch": str}, keep_default_na=False)
    for name in ("quantity", "ncv_gj_per_unit"):
        table[name] = pd.to_numeric(table[name])
    if chinese:
        words = {name: table[name].replace(own) for name, own in VOCABULARY.items() if name in table}
        table = table.assign(**words)
        table = table.rename(columns={name: words[0] for name, words in ROW_HEADINGS.items()})
    # Two sheets with a title each; a month is a date of the spreadsheet.
    with pd.ExcelWriter(path.with_suffix(".xlsx"), engine="xlsxwriter") as writer:
        for number, part in enumerate((table.iloc[:40], table.iloc[40:])):
            part.to_excel(writer, sheet_name=f"sheet {number}", index=False, startrow=number)
        writer.sheets["sheet 1"].write(0, 0, "title")
        writer.book.add_worksheet("empty")
    path.unlink()
    (other / "reports" / "~$2025.xlsx").write_bytes(b"open elsewhere")
    expected, found = read_reports(one), read_reports(other)
    place = ["file", "line"]
    pd.testing.assert_frame_equal(expected.rows.drop(columns=place), found.rows.drop(columns=place))
    assert found.rows["line"].tolist()[38:42] == [40, 41, 3, 4]
    of_csv, of_book = account(expected), account(found)
    pd.testing.assert_frame_equal(of_csv.lines, of_book.lines)
    pd.testing.assert_frame_equal(of_csv.annual, of_book.annual)
    assert set(of_book.trail["file"]) == {f"reports/{path.stem}.xlsx, sheet sheet {number}" for number in (0, 1)}


def test_units_are_converted_exactly_and_months_may_be_dates(tmp_path: Path) -> None:
    day = datetime.date(2025, 2, 1)
    rows = [
        ["C1", day, "clinker", "烟煤", "in", 0.1234567, "万吨", ""],
        ["C1", "2025年3月", "clinker", "烟煤", "in", 1.1, "万t", ""],
        ["C1", "2025-04", "clinker", "天然气", "in", 1234567.8, "Nm3", ""],
        ["C1", "2025-05", "clinker", "天然气", "in", ("=8*0.5", 4), "万Nm³", 1],
    ]
    read = read_reports(book(tmp_path, [HEAD, *GOOD, [], *rows])).rows
    assert read["quantity"].tolist() == [155000.0, 20000.0, 1234.567, 11000.0, 123.45678, 4.0]
    assert read["unit"].tolist() == ["t"] * 4 + ["1e4 Nm3"] * 2
    assert read["month"].tolist()[2:] == ["2025-02", "2025-03", "2025-04", "2025-05"]
    assert read["line"].tolist() == [2, 3, 5, 6, 7, 8]


def test_a_heading_may_state_the_unit_and_a_csv_file_the_same_words(tmp_path: Path) -> None:
    head = [*HEAD[:5], "数量（万吨）", "x_note"]
    read = read_reports(book(tmp_path, [["monthly report"], head, ["C1", "2025-01", *GOOD[0][2:5], 15.5, "a"]])).rows
    assert (read["quantity"].item(), read["unit"].item(), read["x_note"].item()) == (155000.0, "t", "a")
    text = "unit_id,month,process,item,flow,quantity,unit\nC1,2025-01,clinker,bituminous,in,0.07,万吨\n"
    (tmp_path / "reports" / "2025.xlsx").unlink()
    (tmp_path / "reports" / "2025.csv").write_text(text, encoding="utf-8")
    assert read_reports(tmp_path).rows["quantity"].item() == 700.0  # 0.07 times 10,000 is 700.0000000000001


PLACE = "reports/2025.xlsx, sheet 一月"
BAD: dict[str, tuple[list[Any], list[str]]] = {
    "error": (
        ["C1", "2025-02", "clinker", "烟煤", "in", ("=1/0", "#DIV/0!"), "t", ""],
        ["1 cell is an error: cell F4 '#DIV/0!'.", "数量 (quantity): 1 cell is not a number: cell F4 '#DIV/0!'."],
    ),
    "formula without a value": (
        ["C1", "2025-02", "clinker", "烟煤", "in", ("=F2*2", ""), "t", ""],
        ["1 formula has no value: cell F4 '=F2*2'.", "数量 (quantity): 1 cell is not a number: cell F4 '=F2*2'."],
    ),
    "unit": (
        ["C1", "2025-02", "clinker", "烟煤", "in", 1, "万", ""],
        ["计量单位 (unit): 1 value is not known: cell G4 '万'."],
    ),
    "unit of another item": (
        ["C1", "2025-02", "clinker", "天然气", "in", 1, "吨", ""],
        ["计量单位 (unit): 1 quantity is in the wrong unit: cell G4 't'."],
    ),
    "number": (
        ["C1", "2025-02", "clinker", "烟煤", "in", "about 5", "t", ""],
        ["数量 (quantity): 1 cell is not a number: cell F4 'about 5'."],
    ),
    "unit of the register": (
        [7, "2025-02", "clinker", "烟煤", "in", 5, "t", ""],
        ["单元编号 (unit_id): 1 unit is not in the register: cell A4 '7'."],
    ),
    "date": (
        ["C1", "2025-02", "clinker", datetime.date(2025, 1, 2), "in", 5, "t", ""],
        ["1 cell is a date: cell D4 '2025-01-02 00:00:00'.", "燃料、物料或产品 (item): 1 item is not known: cell D4"],
    ),
    "lost digits": (
        [9.1e16, "2025-02", "clinker", "烟煤", "in", 5, "t", ""],
        ["1 identifier has lost digits: cell A4", "单元编号 (unit_id): 1 unit is not in the register: cell A4"],
    ),
    "no heading": (
        ["C1", "2025-02", "clinker", "烟煤", "in", 5, "t", "", "beside"],
        ["1 cell has no heading: cell I4 'beside'."],
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_cell_is_named_by_file_sheet_cell_and_value(tmp_path: Path, name: str) -> None:
    row, expected = BAD[name]
    found = problems(book(tmp_path, [HEAD, *GOOD, row]))
    assert len(found) == len(expected)
    for message, beginning in zip(found, expected, strict=True):
        assert message.startswith((f"{PLACE}: {beginning}", f"{PLACE}, {beginning}"))


def test_all_bad_cells_are_reported_at_once(tmp_path: Path) -> None:
    rows = [row for name, (row, _) in BAD.items() if name != "no heading"]
    found = " ".join(problems(book(tmp_path, [HEAD, *GOOD, *rows], merged="A20:A21")))
    for row in range(4, 4 + len(rows)):
        assert f"{row} " in found
    assert "1 range of cells is merged: cell A20:A21 'C1'" in found


HEADINGS: dict[str, tuple[list[str], str]] = {
    "twice": ([*HEAD, "消耗量"], "quantity: 2 headings are of one column: cell F1 '数量', cell I1 '消耗量'."),
    "in two languages": ([*HEAD, "unit_id"], "unit_id: 2 headings are of one column: cell A1 '单元编号', cell I1"),
    "unit twice": (
        [*HEAD[:5], "数量(万吨)", *HEAD[6:]],
        "unit: two headings state the unit of the quantity: cell F1 '数量(万吨)', cell G1 '计量单位'.",
    ),
    "unit of quantity": ([*HEAD[:5], "数量(斤)"], "quantity: the unit '斤' in the heading cannot be told: cell F1"),
    "unit of heat": (
        [*HEAD, "低位发热量(kJ/kg)"],
        "ncv_gj_per_unit: the unit 'kJ/kg' in the heading cannot be told: cell I1",
    ),
    "unknown": ([*HEAD, "备注"], "备注: is not a column of this table: cell I1."),
    "none": (["a", "b"], "has no row of headings."),
}


@pytest.mark.parametrize("name", HEADINGS)
def test_a_wrong_heading_is_refused(tmp_path: Path, name: str) -> None:
    head, expected = HEADINGS[name]
    (message,) = problems(book(tmp_path, [head, *([*GOOD[0][:7], "", "1"][: len(head)] for _ in range(1))]))
    assert message.startswith((f"{PLACE}, {expected}", f"{PLACE}: {expected}"))


def test_a_damaged_workbook_is_refused_by_name_and_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = book(tmp_path, [HEAD, *GOOD]) / "reports" / "2025.xlsx"
    assert main(["account", str(tmp_path), "--json"]) == 0
    path.write_bytes(path.read_bytes()[:-200])
    assert main(["account", str(tmp_path)]) == 2
    assert "reports/2025.xlsx: is damaged or no workbook" in capsys.readouterr().err


def test_a_sheet_of_another_writer_has_prefixes_and_absolute_targets(tmp_path: Path) -> None:
    path = book(tmp_path, [HEAD, *GOOD, BAD["error"][0]]) / "reports" / "2025.xlsx"
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    rels = parts["xl/_rels/workbook.xml.rels"]
    parts["xl/_rels/workbook.xml.rels"] = rels.replace(b'"worksheets/', b'"/xl/worksheets/')
    sheet = parts["xl/worksheets/sheet1.xml"]
    for tag in (b"worksheet", b"sheetData", b"row", b"c", b"v", b"f"):
        sheet = sheet.replace(b"<" + tag + b" ", b"<x:" + tag + b" ").replace(b"<" + tag + b">", b"<x:" + tag + b">")
        sheet = sheet.replace(b"</" + tag + b">", b"</x:" + tag + b">")
    parts["xl/worksheets/sheet1.xml"] = sheet.replace(b"xmlns=", b"xmlns:x=").replace(b"<x:", b"<x:")
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    assert problems(tmp_path)[0] == f"{PLACE}: 1 cell is an error: cell F4 '#DIV/0!'."


def test_a_layout_that_cannot_be_examined_is_refused(tmp_path: Path) -> None:
    path = book(tmp_path, [HEAD, *GOOD, BAD["error"][0]]) / "reports" / "2025.xlsx"
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"]

    def with_sheet(content: bytes) -> list[str]:
        with zipfile.ZipFile(path, "w") as archive:
            for name, part in parts.items():
                archive.writestr(name, content if name == "xl/worksheets/sheet1.xml" else part)
        return problems(tmp_path)

    # Quotation marks of either kind are valid; a cell without its place cannot be named.
    assert with_sheet(sheet.replace(b't="e"', b"t='e'"))[0] == f"{PLACE}: 1 cell is an error: cell F4 '#DIV/0!'."
    (message,) = with_sheet(sheet.replace(b' r="F4"', b""))
    assert "its cells cannot be examined" in message


@pytest.mark.parametrize("name", ["Bob's sheet", "一月 & 二月"])
def test_a_sheet_may_have_any_name(tmp_path: Path, name: str) -> None:
    folder = book(tmp_path, [HEAD, *GOOD])
    with xlsxwriter.Workbook(folder / "reports" / "2025.xlsx") as workbook:
        sheet = workbook.add_worksheet(name)
        for row, line in enumerate([HEAD, *GOOD]):
            sheet.write_row(row, 0, line)
    assert set(read_reports(folder).rows["file"]) == {f"reports/2025.xlsx, sheet {name}"}


def test_without_the_extra_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    book(tmp_path, [HEAD, *GOOD])
    real = builtins.__import__

    def refusing(name: str, *rest: Any) -> Any:
        if name == "python_calamine":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refusing)
    with pytest.raises(UsageError, match=r"etsopt\[excel\]"):
        read_reports(tmp_path)
    assert main(["account", str(tmp_path)]) == 2
    assert 'pip install "etsopt[excel]"' in capsys.readouterr().err
