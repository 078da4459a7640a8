"""The monthly workbook: what is filled in comes back to the last digit, and planted mistakes are coloured and found."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from etsopt import accounting
from etsopt.accounting.chinese import VOCABULARY
from etsopt.accounting.monthly.colours import COLOURS
from etsopt.cli import main
from etsopt.common.errors import DataError, UsageError

pytest.importorskip("xlsxwriter")
pytest.importorskip("python_calamine")

REGISTER = {
    "unit_id": ["C1", "S1"],
    "enterprise_id": ["E-C1", "E-S1"],
    "name": ["Line one", "Works"],
    "sector": ["cement", "steel"],
    "province": ["Anhui", "Hebei"],
    "activity": ["portland_clinker", "long_process"],
}
KILN = {"unit_id": "C1", "process": "clinker", "item": "bituminous"}
LEDGER = "账页 9，差 0.5 吨；见“汇总”"
"""Evidence whose full-width signs stay."""

STEEL = (
    *(("enterprise", "coke", "in", 66_000, "t"), ("enterprise", "crude_steel", "out", 180_000, "t")),
    *(("ironmaking", "coke", "in", 60_000, "t"), ("ironmaking", "pig_iron", "product", 160_000, "t")),
    ("ironmaking", "blast_furnace_gas", "in", 9_000, "1e4 Nm3"),
)
Sheets = dict[str, pd.DataFrame]


def year() -> Sheets:
    """The sheets of a year of a clinker line and a steel enterprise, without a mistake."""
    drawn = np.random.default_rng(7)
    activity, tests, stock, opening = [], [], [], 5200.0
    for number in range(12):
        month = f"2025-{number + 1:02d}"
        end = pd.Timestamp(f"{month}-01") + pd.offsets.MonthEnd(0)
        filed = {"month": month, "evidence": LEDGER, "reported_on": f"{end + pd.Timedelta(days=20):%Y-%m-%d}"}
        metered = filed | {"reported_by": "production", "calibrated_on": "2025-01-03" if number else "2024-11-03"}
        coal, clinker = (round(float(drawn.normal(middle, middle / 50)), 2) for middle in (12_350, 95_000))
        activity.append(metered | KILN | {"flow": "in", "quantity": coal, "unit": "t"})
        product = {"item": "portland_clinker", "flow": "product", "quantity": clinker, "unit": "t"}
        activity.append(metered | KILN | product)
        for process, item, flow, middle, unit in STEEL:
            quantity = round(float(drawn.normal(middle, middle / 50)), 2)
            row = {"unit_id": "S1", "process": process, "item": item, "flow": flow, "quantity": quantity, "unit": unit}
            activity.append(metered | row)
        for batch in (1, 2):
            heat = round(float(drawn.normal(22, 0.2)), 3)
            carbon = {"ncv_gj_per_unit": heat, "x_carbon_tc_per_t": round(heat * 0.0262, 4)}
            taken = pd.Timestamp(f"{month}-{batch}2")
            days = {"x_sampled_on": taken, "x_tested_on": taken + pd.Timedelta(days=18)}
            days = {name: f"{day:%Y-%m-%d}" for name, day in days.items()}
            tests.append(filed | KILN | carbon | days | {"test": 6000.0, "unit": "t", "batch": f"B{batch}"})
            tests[-1]["x_laboratory"] = "CMA"
        bought = round(coal + float(drawn.normal(0, 200)), 2)
        closing = round(opening + bought - coal, 2)
        of_month = {"x_opening_t": opening, "purchase": bought, "stock": closing, "x_used_t": coal}
        stock.append(filed | KILN | of_month)
        opening = closing
    named = {"activity": activity, "tests": tests, "stock": stock}
    return {"register": pd.DataFrame(REGISTER)} | {name: pd.DataFrame(rows) for name, rows in named.items()}


def as_rows(sheets: Sheets) -> pd.DataFrame:
    """The rows that a CSV file has in place of the sheets, which state a flow a heading."""
    tests = sheets["tests"].rename(columns={"test": "quantity"}).assign(flow="test")
    bought, left = (
        sheets["stock"].rename(columns={flow: "quantity"}).assign(flow=flow, unit="t") for flow in ("purchase", "stock")
    )
    rows = pd.concat([sheets["activity"], tests, bought.drop(columns="stock"), left.drop(columns="purchase")])
    return rows.reset_index(drop=True)


def as_folder(folder: Path, sheets: Sheets) -> Path:
    (folder / "reports").mkdir(parents=True)
    sheets["register"].to_csv(folder / "register.csv", index=False)
    as_rows(sheets).to_csv(folder / "reports" / "2025.csv", index=False)
    return folder


@pytest.fixture(params=["en", "zh"])
def write(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Sheets], Path]:
    """Fill a workbook in."""

    def written(sheets: Sheets) -> Path:
        path = tmp_path / "reports.xlsx"
        accounting.write_monthly_workbook(path, request.param == "zh", sheets)
        return path

    return written


def problems(source: Path) -> list[str]:
    with pytest.raises(DataError) as caught:
        accounting.read_reports(source)
    return [str(problem).partition("\n")[0] for problem in caught.value.problems]


def test_a_workbook_gives_the_accounts_of_the_same_figures_as_csv(
    write: Callable[[Sheets], Path], tmp_path: Path
) -> None:
    sheets = year()
    sheets["activity"].loc[0, "quantity"] = 12_345.678901234567
    path = write(sheets)
    found, expected = accounting.read_reports(path), accounting.read_reports(as_folder(tmp_path / "plants", sheets))
    order = ["unit_id", "month", "process", "item", "flow", "batch"]
    same = [*order, "quantity", "unit", "ncv_gj_per_unit", "evidence", "reported_on", "calibrated_on", "version"]
    ours, theirs = (one.rows.sort_values(order, ignore_index=True) for one in (found, expected))
    pd.testing.assert_frame_equal(ours[same], theirs[same])
    assert set(found.rows["evidence"]) == {LEDGER}
    own = ["x_carbon_tc_per_t", "x_opening_t", "x_used_t"]
    assert (ours[own].apply(pd.to_numeric).fillna(0) == theirs[own].apply(pd.to_numeric).fillna(0)).all(axis=None)
    one, other = accounting.account(found), accounting.account(expected)
    for table in ("lines", "unit_months", "annual"):
        pd.testing.assert_frame_equal(getattr(one, table), getattr(other, table))
    # The trail names the sheet and its row, of a stock as of a quantity.
    rows = found.rows.set_index(["month", "flow", "process"])
    of_stock = rows.loc[("2025-02", "stock", "clinker")]
    assert of_stock["line"] == 4
    assert re.fullmatch(r"reports\.xlsx, sheet (stock|库存)", of_stock["file"])
    evidence = ("stock_balance", "stock_opening", "carbon_per_heat", "test_evidence", "missing_evidence")
    assert not set(accounting.screen(found).findings["rule"]) & {*evidence, "late_month", "calibration"}


def test_an_empty_workbook_says_what_to_fill_in(write: Callable[[Sheets], Path]) -> None:
    first, second = problems(write({}))
    assert re.fullmatch(r"reports\.xlsx, sheet (activity|月度数据): has no rows\.", first)
    assert re.fullmatch(r"reports\.xlsx, sheet (register|单元登记): has no rows\.", second)


def at(table: pd.DataFrame, month: int, item: str, flow: str = "") -> int:
    """The row of an item of a month; of several the first."""
    own = (table["month"] == f"2025-{month:02d}") & (table["item"] == item)
    return int(table.index[own & (table["flow"] == flow)][0] if flow else table.index[own][0])


def planted() -> tuple[Sheets, dict[str, set[tuple[str, int, str]]]]:
    """A year with mistakes, and by their colours sheet, row and column of the cells that show them."""
    sheets = year()
    activity, tests, stock = (sheets[name] for name in ("activity", "tests", "stock"))
    colours: dict[str, set[tuple[str, int, str]]] = {name: set() for name in COLOURS}

    def plant(colour: str, sheet: str, row: int, column: str, value: object) -> None:
        sheets[sheet].loc[row, column] = value
        colours[colour].add((sheet, row, column))

    slip = at(activity, 3, "bituminous", "in")
    plant("red", "activity", slip, "quantity", 1000 * activity.loc[slip, "quantity"])
    # Seen from the month after, the slip is as unusual.
    colours["red"].add(("activity", at(activity, 4, "bituminous", "in"), "quantity"))
    for item, flow in (("bituminous", "in"), ("portland_clinker", "product")):
        copied = activity.loc[at(activity, 5, item, flow), "quantity"]
        plant("orange", "activity", at(activity, 6, item, flow), "quantity", copied)
    plant("orange", "activity", at(activity, 7, "portland_clinker"), "reported_on", "2025-09-20")
    plant("orange", "activity", at(activity, 8, "bituminous"), "calibrated_on", "2024-03-01")
    plant("yellow", "activity", at(activity, 9, "portland_clinker"), "evidence", "")
    plant("red", "tests", at(tests, 4, "bituminous"), "x_carbon_tc_per_t", 0.9)
    plant("orange", "tests", at(tests, 5, "bituminous"), "x_laboratory", "none")
    plant("orange", "tests", at(tests, 6, "bituminous"), "x_tested_on", "2025-09-20")
    row = at(stock, 10, "bituminous")
    stock.loc[row, "stock"] += 900
    stock.loc[row + 1, ["x_opening_t", "purchase"]] += [900, -900]
    colours["red"].add(("stock", row, "x_used_t"))
    row = at(stock, 4, "bituminous")
    plant("orange", "stock", row, "x_opening_t", stock.loc[row, "x_opening_t"] - 300)
    stock.loc[row, "purchase"] += 300
    return sheets, colours


FOUND = {
    ("item_jump", "2025-03"),
    ("copied_month", "2025-06"),
    ("late_month", "2025-07"),
    ("calibration", "2025-08"),
    ("missing_evidence", "2025-09"),
    ("carbon_per_heat", "2025-04"),
    ("test_evidence", "2025-05"),
    ("test_evidence", "2025-06"),
    ("stock_balance", "2025-10"),
    ("stock_opening", "2025-04"),
}
"""Rule and month of the mistakes that can be read."""


def refused(sheets: Sheets, colours: dict[str, set[tuple[str, int, str]]]) -> Sheets:
    """Plant further mistakes, which are no figures that an account could take."""
    activity = sheets["activity"]
    row = at(activity, 2, "blast_furnace_gas")
    activity.loc[row, "unit"] = "t"
    colours["red"].add(("activity", row, "unit"))
    row = at(sheets["tests"], 7, "bituminous")
    sheets["tests"].loc[row, "ncv_gj_per_unit"] = 5240.0
    colours["red"].add(("tests", row, "ncv_gj_per_unit"))
    row = at(activity, 8, "pig_iron")
    activity.loc[row, "quantity"] = np.nan
    colours["yellow"].add(("activity", row, "quantity"))
    first = at(activity, 1, "crude_steel")
    twins = (first, len(activity))
    colours["purple"] |= {("activity", row, name) for row in twins for name in ("month", "item")}
    return sheets | {"activity": pd.concat([activity, activity.loc[[first]]], ignore_index=True)}


@pytest.mark.everyday("zh")
def test_planted_mistakes_are_refused_or_found_by_a_rule(write: Callable[[Sheets], Path]) -> None:
    sheets, colours = planted()
    reports = accounting.read_reports(write(sheets))
    findings = accounting.screen(reports).findings
    assert set(zip(findings["rule"], findings["month"], strict=True)) >= FOUND
    cells = [re.findall(r"cell ([A-Z]+\d+)", problem) for problem in problems(write(refused(sheets, colours)))]
    assert cells == [["F57"], ["G15"], ["G16"], ["D6", "D87"]]


def test_rows_that_state_no_test_or_stock_have_no_finding_beside_others_that_do() -> None:
    sheets, _colours = planted()
    rows = as_rows(sheets)
    own = [name for name in rows if name.startswith("x_")]
    bare = rows[rows["unit_id"] == "C1"].drop(columns=own).assign(unit_id="C2")
    register = pd.concat([sheets["register"], sheets["register"][:1].assign(unit_id="C2")], ignore_index=True)
    both = accounting.Reports.from_frames(register, pd.concat([rows, bare], ignore_index=True))
    findings = accounting.screen(both).findings
    of_bare = set(findings.loc[findings["unit_id"] == "C2", "rule"])
    assert not of_bare & {"test_evidence", "carbon_per_heat", "stock_opening"}
    # Stocks of two months tell an opening one, which a ledger need not state.
    assert of_bare >= {"stock_balance", "missing_evidence"}


class Cells(HTMLParser):
    """Background of the cells of each table of a page, by row and column."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag == "td":
            self.tables[-1][-1].append(dict(attrs).get("bgcolor") or "")


@pytest.mark.nightly
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_colours_the_planted_mistakes_and_nothing_else(
    write: Callable[[Sheets], Path], tmp_path: Path
) -> None:
    sheets, expected = planted()
    sheets = refused(sheets, expected)
    office = ["soffice", f"-env:UserInstallation=file://{tmp_path}/office", "--headless", "--convert-to", "html"]
    subprocess.run([*office, "--outdir", str(tmp_path), str(write(sheets))], check=True, capture_output=True)
    page = Cells()
    page.feed((tmp_path / "reports.html").read_text(encoding="utf-8"))
    names = {str(style["bg_color"]): colour for colour, style in COLOURS.items()}
    found: dict[str, set[tuple[str, int, str]]] = {colour: set() for colour in COLOURS}
    # The first table of the page is that of the notes, with the key.
    for table, rows in zip(accounting.monthly.workbook.TABLES, page.tables[1:], strict=False):
        for row, cells in enumerate(rows[2:]):
            for column, background in zip(table.columns, cells, strict=False):
                if background in names:
                    found[names[background]].add((table.name, row, column.name))
    assert found == expected


@pytest.mark.everyday("zh")
def test_no_cell_has_a_formula_and_every_sheet_of_quantities_is_coloured(write: Callable[[Sheets], Path]) -> None:
    with zipfile.ZipFile(write(year())) as parts:
        sheets = [parts.read(f"xl/worksheets/sheet{number}.xml").decode() for number in range(1, 8)]
        assert "vbaProject" not in " ".join(parts.namelist())
        defined = re.findall(r'definedName name="(\w+)"', parts.read("xl/workbook.xml").decode())
    assert not any("<f>" in sheet for sheet in sheets)
    assert ["<conditionalFormatting" in sheet for sheet in sheets] == [False, True, True, True, True, False, False]
    used = set(re.findall(r"\b([A-Z]{2,})\(", " ".join(re.findall("<formula>(.*?)</formula>", "".join(sheets)))))
    both = {"ABS", "AND", "COUNT", "COUNTA", "DATE", "DATEVALUE", "IF", "ISERROR", "ISNUMBER", "LEFT", "LEN", "OR"}
    assert used == both | {"RIGHT", "SUMPRODUCT", "VLOOKUP"}
    assert {"etsopt_items", "etsopt_units"} <= set(defined)


def test_cells_of_a_sheet_of_flows_are_named_and_shared_ones_once(write: Callable[[Sheets], Path]) -> None:
    sheets = year()
    sheets["stock"] = sheets["stock"].astype({"purchase": object, "stock": object, "month": object})
    sheets["stock"].loc[0, "purchase"] = "about 12"
    sheets["stock"].loc[1, ["purchase", "stock"]] = ["", ""]
    sheets["stock"].loc[2, "month"] = "March"
    sheets["stock"].loc[3, "purchase"] = ""
    sheets["tests"].loc[0, "test"] = np.nan
    found = [re.sub(r"^.*?xlsx, sheet \w+, ", "", problem) for problem in problems(write(sheets))]
    ends = [problem.partition(": ")[2] for problem in found]
    assert ends == [
        "1 cell is empty: cell E3.",
        "1 cell is not a number: cell F3 'about 12'.",
        "1 cell is empty: cell F4.",
        "1 cell is empty: cell G4.",
        "1 value is not a month: cell B5 'March'.",
    ]


def test_a_heading_that_names_a_flow_serves_csv_as_well_and_stands_alone(tmp_path: Path) -> None:
    sheets = year()
    folder = as_folder(tmp_path / "plants", sheets | {"stock": sheets["stock"][:0]})
    kept = "unit_id,month,process,item,采购量（万吨）,期末库存（t）\nC1,2025-01,clinker,bituminous,1.23457,\n"
    (folder / "reports" / "stock.csv").write_text(kept, encoding="utf-8")
    rows = accounting.read_reports(folder).rows
    assert rows.loc[rows["flow"] == "purchase", ["quantity", "unit"]].to_numpy().tolist() == [[12345.7, "t"]]
    assert not (rows["flow"] == "stock").any()
    frame = pd.DataFrame({**KILN, "month": ["2025-01", "2025-02"], "unit": "t", "purchase": [5.0, 6.0]})
    read = accounting.Reports.from_frames(sheets["register"], frame.assign(stock=[np.nan, 7.5])).rows
    assert read[["month", "flow", "quantity"]].to_numpy().tolist() == [
        ["2025-01", "purchase", 5.0],
        ["2025-02", "purchase", 6.0],
        ["2025-02", "stock", 7.5],
    ]
    both = "unit_id,month,process,item,flow,采购量（t）,unit\nC1,2025-01,clinker,bituminous,purchase,1,t\n"
    (folder / "reports" / "stock.csv").write_text(both, encoding="utf-8")
    assert problems(folder) == [
        "reports/stock.csv, unit: two headings state the unit of the quantity: row of headings '采购量（t）', "
        "row of headings 'unit'.",
        "reports/stock.csv, flow: headings state the flow of a row, and columns of flows or quantities as well: row of "
        "headings '采购量（t）', row of headings 'flow'.",
    ]


@pytest.mark.everyday("en")
def test_a_register_may_be_in_one_workbook_of_a_folder(write: Callable[[Sheets], Path], tmp_path: Path) -> None:
    path = write(year())
    (tmp_path / "plants" / "reports").mkdir(parents=True)
    shutil.copy(path, tmp_path / "plants" / "reports" / "a.xlsx")
    alone, inside = accounting.read_reports(path), accounting.read_reports(tmp_path / "plants")
    pd.testing.assert_frame_equal(alone.register, inside.register)
    pd.testing.assert_frame_equal(accounting.account(alone).annual, accounting.account(inside).annual)
    (tmp_path / "plants" / "register.csv").write_text(pd.DataFrame(REGISTER).to_csv(index=False), encoding="utf-8")
    assert re.fullmatch(
        r"reports/a\.xlsx, sheet \S+: is present beside register\.csv\.", problems(tmp_path / "plants")[0]
    )
    with pytest.raises(UsageError, match="There is no file"):
        accounting.read_reports(tmp_path / "none.xlsx")


def test_a_workbook_without_a_register_says_so(tmp_path: Path) -> None:
    as_rows(year()).to_excel(tmp_path / "rows.xlsx", index=False, engine="xlsxwriter")
    assert problems(tmp_path / "rows.xlsx") == ["rows.xlsx: has no sheet with headings of the register."]


def test_the_words_that_cells_offer_are_those_that_are_read() -> None:
    from etsopt.accounting.monthly.tables import WORDS
    from etsopt.accounting.validated_rows import WORDS as READ
    from etsopt.accounting.vocabulary import folded

    for name in ("process", "item", "flow", "unit"):
        for english, chinese in zip(*WORDS[name], strict=True):
            read = [READ[name].get(word, READ[name].get(folded(word))) for word in (english, chinese)]
            assert read[0] is not None, english
            assert read[0] == read[1], chinese
    assert set(VOCABULARY["item"]) == set(WORDS["item"][0])


@pytest.mark.everyday("zh")
@pytest.mark.parametrize("language", ["en", "zh"])
def test_one_file_is_a_whole_for_every_command(
    language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("duckdb")
    monkeypatch.chdir(tmp_path)
    chosen = ["--lang", language]
    assert main(["new", "reports.xlsx", "--monthly", *chosen]) == 0
    assert "etsopt account reports.xlsx" in capsys.readouterr().out
    assert main(["new", "reports.xlsx", "--monthly", *chosen]) == 2
    assert main(["account", "reports.xlsx", *chosen]) == 2
    sheets = year()
    accounting.write_monthly_workbook(Path("reports.xlsx"), language == "zh", sheets)
    for command in (["account"], ["screen"], ["inclusion"], ["store", "import", "plants.duckdb"]):
        assert main([*command, "reports.xlsx", *chosen]) == 0, capsys.readouterr().err
    assert main(["account", "reports.xlsx", "--as-of", "1", *chosen]) == 2
    kept, read = accounting.read_reports("plants.duckdb"), accounting.read_reports("reports.xlsx")
    pd.testing.assert_frame_equal(accounting.account(kept).annual, accounting.account(read).annual)
    assert set(kept.rows["evidence"]) == {LEDGER}
    capsys.readouterr()
    assert main(["store", "import", "plants.duckdb", "reports.xlsx", "--json"]) == 0
    assert f'"rows_unchanged": {len(read.rows)}' in capsys.readouterr().out
