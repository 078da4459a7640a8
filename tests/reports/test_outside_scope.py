"""Units outside the scope of the year, and pre-allocations that nothing states: no figure of them is a bare 0."""

from __future__ import annotations

import re
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.common.language import speaking
from etsopt.presenting.documents.document import shown
from etsopt.reports import official_tables, write_official_tables
from etsopt.reports.letters import addressee, write_letter
from etsopt.reports.official.files import NOTE
from etsopt.reports.official.gaps import columns_to_fill
from etsopt.reports.official.reading.read import read_back
from etsopt.reports.run import Run
from etsopt.reports.workbook import write_result_workbook
from etsopt.reports.write import report

UNITS = {
    # A has one line whose pre-allocation is not known, and two that are outside the scope.
    "a1": ("A", "甲一线", "cement", 1_000_000.0, 1_200_000.0, np.nan, np.nan, "", np.nan, np.nan),
    "a2": ("A", "甲二线", "cement", 400_000.0, 500_000.0, np.nan, np.nan, "new", np.nan, np.nan),
    "a3": ("A", "甲三线", "cement", 100_000.0, 130_000.0, np.nan, np.nan, "closed", np.nan, np.nan),
    # Of B one line gets more, the other has to return some.
    "b1": ("B", "乙一线", "cement", 900_000.0, 1_100_000.0, np.nan, np.nan, "", np.nan, 600_000.0),
    "b2": ("B", "乙二线", "cement", 800_000.0, 930_000.0, np.nan, np.nan, "", np.nan, 900_000.0),
    # All that C has is outside the scope.
    "c1": ("C", "丙一线", "cement", 300_000.0, 350_000.0, np.nan, np.nan, "new", np.nan, np.nan),
    "d1": ("D", "丁一线", "cement", 500_000.0, 600_000.0, np.nan, np.nan, "", 600_000.0, np.nan),
    "d2": ("D", "丁二线", "cement", 500_000.0, 610_000.0, np.nan, np.nan, "closed", 200_000.0, np.nan),
    # Of S crude steel alone is known, of T iron and the emissions of ironmaking and sintering as well.
    "s1": ("S", "钢甲", "steel", 9_000_000.0, 5_000_000.0, np.nan, np.nan, "", 9_000_000.0, np.nan),
    "t1": ("T", "钢乙", "steel", 12_000_000.0, 7_000_000.0, 6_500_000.0, 6_100_000.0, "", 9_000_000.0, np.nan),
}
COLUMNS = (
    *("enterprise_id", "name", "sector", "emissions_tco2e", "output_t", "intensity_output_t"),
    *("intensity_emissions_tco2e", "special_case", "prior_emissions_tco2e", "pre_allocated_t"),
)


@cache
def solved() -> etsopt.Results:
    table = pd.DataFrame.from_dict(UNITS, orient="index", columns=list(COLUMNS)).assign(province="Anhui")
    owners = pd.DataFrame({"enterprise_id": list("ABCDST"), "name": ["甲公司", "乙公司", "丙公司", "丁公司", "", ""]})
    policy: dict[str, Any] = {
        "year": 2025,
        "rule": {"name": "cn-2025", "threshold_tco2e": 0.0},
        "allocation": {"integer_allowances": True},
    }
    units = table.rename_axis("unit_id").reset_index()
    return etsopt.solve(etsopt.Instance.from_frames(units, policy, enterprises=owners, name="scope"))


@cache
def tables() -> dict[str, pd.DataFrame]:
    return official_tables(solved().instance, solved())


def cells(table: pd.DataFrame, beginning: str) -> list[Any]:
    (name,) = [name for name in table.columns if name.startswith(beginning)]
    return [None if cell is pd.NA or cell != cell else cell for cell in table[name]]


def letter_to(name: str, path: Path, lang: str = "en") -> str:
    write_letter(solved(), name, path, lang)
    body = path.read_text(encoding="utf-8").partition("<main")[2].partition("</main>")[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_crude_steel_is_no_output_of_ironmaking(tmp_path: Path) -> None:
    steel = tables()["2-2"]
    assert cells(steel, "①") == [None, 6_500_000]
    assert cells(steel, "④") == [None, pytest.approx(6_100_000 / 6_500_000)]
    assert cells(steel, "⑤") == [5_000_000, 7_000_000]
    told = [chinese for _, chinese in columns_to_fill(tables())]
    assert "①炼铁工序产品产量（t）：表 2-2 共 1 个空单元格；由单元表的 intensity_output_t 列填写。" in told
    assert any(line.startswith("④") and "intensity_output_t 列和 intensity_emissions_tco2e 列" in line for line in told)
    write_official_tables(tables(), tmp_path, "Anhui", 2025)
    found = read_back(tmp_path, 2025, "Anhui").instance.units.set_index("enterprise_id")
    assert found["intensity_output_t"][["S", "T"]].fillna(0).tolist() == [0, 6_500_000]
    assert found["intensity_emissions_tco2e"][["S", "T"]].fillna(0).tolist() == [0, 6_100_000]


def test_official_tables_have_no_zero_for_a_line_outside_the_scope(tmp_path: Path) -> None:
    cement = tables()["2-3"]
    outside = [2, 3, 6, 8]
    for sign in "②⑦⑧":
        shown = cells(cement, sign)
        assert [at for at, cell in enumerate(shown, 1) if cell is None] == outside
    notes = cells(cement, "需要")
    assert all(notes[at - 1].startswith("不在当年度配额分配范围") for at in outside)
    assert cells(tables()["2-5-cement"], "需要")[2].startswith("全部单元不在当年度配额分配范围")
    write_official_tables(tables(), tmp_path, "Anhui", 2025)
    reading = read_back(tmp_path, 2025, "Anhui")
    found = reading.instance.units.set_index("unit_id")
    assert found.loc[["a2", "a3", "c1", "d2"], "emissions_tco2e"].tolist() == [0] * 4
    assert (reading.comparison["units"] == reading.comparison["same"]).all()


def test_nothing_is_to_be_filled_of_a_line_outside_the_scope(tmp_path: Path) -> None:
    with speaking("zh"):
        write_official_tables(tables(), tmp_path, "Anhui", 2025)
    lines = (tmp_path / NOTE).read_text(encoding="utf-8-sig").splitlines()
    # Of a1, b1 and b2.
    prior = "- 上一年度经核查排放量：表 1-3 共 3 个空单元格；由单元表的 prior_emissions_tco2e 列填写。"
    assert prior in lines


def test_a_line_outside_the_scope_states_no_pre_allocation_of_its_enterprise() -> None:
    units, before, after = (tables()[name] for name in ("1-3", "1-5-cement", "2-5-cement"))
    assert cells(units, "水泥熟料生产线预分配配额") == [None, None, None, 600_000, 900_000, None, 420_000, None]
    # A total over rows of which some are unknown is none.
    assert cells(before, "①") == [None, 1_500_000, None, 420_000, None]
    assert cells(after, "重点排放单位预分配配额") == [None, 1_500_000, None, 420_000, None]
    assert cells(after, "①")[0::2] == [None, None, None]
    assert "预分配配额待填" in cells(after, "需要")[0]
    assert "部分" not in cells(after, "需要")[0]
    assert "待填" not in cells(after, "需要")[2].partition("；")[2].replace("统一社会信用代码待填", "")
    allowances = cells(after, "重点排放单位核定配额")
    assert allowances[-1] == sum(allowances[:-1])


def test_a_letter_states_no_top_up_that_a_line_outside_the_scope_alone_would_give(tmp_path: Path) -> None:
    text = letter_to("A", tmp_path / "a.html")
    assert "Pre-allocation: none is stated" in text
    assert "top-up to be issued" not in text
    assert "of the 3 units" not in text
    chinese = letter_to("A", tmp_path / "a-zh.html", "zh")
    assert "补发 " not in chinese
    assert "不在当年度分配范围：a2、a3。" in chinese
    assert re.search(r"a2 甲二线 水泥 安徽 - - - -", chinese)
    # Sentences that are parts of a line do not end within it.
    assert "。；" not in chinese
    assert "top-up to be issued" in letter_to("D", tmp_path / "d.html")


def test_a_letter_to_an_enterprise_outside_the_scope_says_so(tmp_path: Path) -> None:
    text = letter_to("C", tmp_path / "c.html")
    assert "No unit of 丙公司 is in the scope of 2025: it is due no allowances and owes none." in text
    assert "True-up" not in text
    chinese = letter_to("C", tmp_path / "c-zh.html", "zh")
    assert "丙公司 的单元均不在2025年度分配范围：不分配配额，也没有清缴义务。" in chinese


def test_a_letter_states_the_net_over_the_units_of_its_enterprise(tmp_path: Path) -> None:
    issued = solved().tables["enterprises"].set_index("enterprise_id").loc["B"]
    assert issued["top_up_t"] > 0 < issued["return_t"]
    net = int(issued["top_up_t"] - issued["return_t"])
    assert cells(tables()["2-5-cement"], "①")[1] == net
    text = letter_to("B", tmp_path / "b.html")
    assert f"top-up to be issued {net:,} t" in text
    assert "to be returned" not in text


def test_a_letter_is_found_by_names_and_named_by_its_enterprise(tmp_path: Path) -> None:
    for name in ("B", "乙公司", "乙二线", "b2"):
        (path,) = write_letter(solved(), name, tmp_path)
        assert path == tmp_path / "letter-B.html"
    with pytest.raises(etsopt.EtsoptError, match="The nearest names are 甲公司, 乙公司, 丙公司, 丁公司"):
        addressee(Run(solved()), "公司")


def test_sheets_for_people_leave_cells_empty_and_the_tables_of_the_run_do_not(tmp_path: Path) -> None:
    pytest.importorskip("xlsxwriter")
    pytest.importorskip("python_calamine")
    write_result_workbook(solved(), tmp_path / "result.xlsx")
    sheets = pd.read_excel(tmp_path / "result.xlsx", sheet_name=None, engine="calamine")
    units, owners = sheets["units"].set_index("unit_id"), sheets["enterprises"].set_index("enterprise_id")
    issued = ["pre_allocated_t", "top_up_t", "return_t"]
    assert units.loc[["a1", "a2", "a3", "c1", "d2"], issued].isna().all(axis=None)
    assert units.loc[["b1", "b2", "d1"], issued].notna().all(axis=None)
    assert units.loc[["a2", "a3", "c1", "d2"], ["emissions_tco2e", "allowance_t"]].isna().all(axis=None)
    assert owners.loc[["A", "C"], issued].isna().all(axis=None)
    assert owners.loc[["B", "D"], issued].notna().all(axis=None)
    assert solved().tables["allocation"][issued].notna().all(axis=None)


def test_the_headline_counts_the_units_in_the_scope() -> None:
    with speaking("zh"):
        page = shown(report(solved()))
    assert page.answer.startswith("6 个单元（另有 4 个不在当年度分配范围）排放")
    assert "6 units (4 more are outside the scope of the year) are due" in report(solved()).answer
    (section,) = [section for section in page.sections if section.key == "units"]
    (rows,) = [block.rows for block in section.blocks if hasattr(block, "rows")]
    (line,) = [row for row in rows if row[0] == "a2"]
    assert line[-1] == "不在当年度分配范围"
    assert "0" not in line
