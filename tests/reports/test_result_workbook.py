"""Results as workbooks: every cell is that of its table, in both languages, and nothing in it is active."""

from __future__ import annotations

import re
import zipfile
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import etsopt
from etsopt.common.language import speaking
from etsopt.common.vocabulary import CODES, OBJECTIVES, ROWS, word
from etsopt.presenting.documents.columns import COLUMNS, heading_of_result
from etsopt.reports.workbook import write_result_workbook
from etsopt.running import library
from etsopt.running.results.words import TABLES

pytest.importorskip("xlsxwriter")
pytest.importorskip("python_calamine")


def solved(**changes: Any) -> etsopt.Results:
    """The allocation of tiny in two provinces of China, with a pre-allocation of every unit."""
    tiny = etsopt.read("tiny")
    units = tiny.units.assign(province=["Anhui", "Anhui", "Hebei"], pre_allocated_t=[70_000.0, 210_000.0, 200_000.0])
    policy = tiny.policy.model_dump(exclude_unset=True)
    return etsopt.solve(etsopt.Instance.from_frames(units=units, policy=policy, name="tiny").with_policy(changes))


def summary(path: Path) -> list[list[str]]:
    """The rows of the first sheet that have something in them, without empty cells."""
    read = pd.read_excel(path, header=None, engine="calamine", keep_default_na=False)
    rows = ([str(cell) for cell in row if cell != ""] for row in read.itertuples(index=False))
    return [row for row in rows if row]


def sheets(path: Path) -> dict[str, pd.DataFrame]:
    read: dict[str, pd.DataFrame] = pd.read_excel(path, sheet_name=None, engine="calamine", keep_default_na=False)
    return read


@pytest.mark.parametrize("in_chinese", [False, True])
def test_a_sheet_has_every_cell_of_its_table(tmp_path: Path, in_chinese: bool) -> None:
    result = solved()
    with speaking("zh" if in_chinese else "en"):
        write_result_workbook(result, tmp_path / "result.xlsx")
        titles = {name: str(TABLES[name]) for name in result.tables}
        headings = {name: [heading_of_result(column) for column in table] for name, table in result.tables.items()}
    found = sheets(tmp_path / "result.xlsx")
    assert next(iter(found)) == ("摘要" if in_chinese else "summary")
    assert in_chinese or all(headings[name] == [*table] for name, table in result.tables.items())
    for name, table in result.tables.items():
        sheet, names = found[titles[name]], headings[name]
        assert list(sheet) == names
        for column, heading in zip(table, names, strict=True):
            if pd.api.types.is_numeric_dtype(table[column]):
                assert pd.to_numeric(sheet[heading]).tolist() == pytest.approx(
                    table[column].tolist(), abs=0, nan_ok=True
                )
    allocation = found["单元" if in_chinese else "units"]
    province = "省份" if in_chinese else "province"
    assert set(allocation[province]) == ({"安徽", "河北"} if in_chinese else {"Anhui", "Hebei"})


def test_what_a_sheet_shows_as_zero_is_zero_and_never_a_red_minus_zero(tmp_path: Path) -> None:
    result = solved()
    table = result.tables["allocation"].assign(surplus_t=[-0.4, 0.4, -0.5], surplus_rate=[-4e-5, 0.0, -6e-5])
    changed = etsopt.Results(**{**vars(result), "tables": {"allocation": table}})
    write_result_workbook(changed, tmp_path / "result.xlsx")
    found = sheets(tmp_path / "result.xlsx")["units"]
    assert found["surplus_t"].tolist() == [0.0, 0.0, -0.5]
    assert found["surplus_rate"].tolist() == [0.0, 0.0, -6e-5]


def test_sheets_print_all_columns_on_a_page_across_with_headings_and_numbers(tmp_path: Path) -> None:
    write_result_workbook(solved(), tmp_path / "result.xlsx")
    with zipfile.ZipFile(tmp_path / "result.xlsx") as book:
        units = book.read("xl/worksheets/sheet2.xml").decode()
        names = book.read("xl/workbook.xml").decode()
    assert '<pageSetup paperSize="9" fitToHeight="0" orientation="landscape"/>' in units
    assert "<oddFooter>&amp;L&amp;A&amp;R&amp;P / &amp;N</oddFooter>" in units
    assert "_xlnm.Print_Titles" in names
    assert "units!$1:$1" in names


@pytest.mark.parametrize("in_chinese", [False, True])
def test_the_summary_says_what_was_asked_and_what_is_proven(tmp_path: Path, in_chinese: bool) -> None:
    result = solved()
    with speaking("zh" if in_chinese else "en"):
        write_result_workbook(result, tmp_path / "result.xlsx", "runs/tiny")
    rows = summary(tmp_path / "result.xlsx")
    text = "\n".join(" ".join(row) for row in rows)
    # Rows of a label and what it says.
    facts = dict(row for row in rows if len(row) == 2)
    year, rule = ("履约年度", "分配规则") if in_chinese else ("compliance year", "rule")
    assert facts[year] == ("2025年度" if in_chinese else "2025")
    assert "cn-2025" in facts[rule]
    verdict = "已证明最优" if in_chinese else "certified optimal"
    assert rows[:2] == [["tiny：allocation" if in_chinese else "tiny: allocation"], [verdict]]
    assert facts["结论" if in_chinese else "verdict"] == verdict
    assert result.provenance.instance_hash in text
    assert result.hash in text
    assert ["etsopt check runs/tiny"] in rows
    allowances = f"{result.tables['allocation']['allowance_t'].sum() / (1e4 if in_chinese else 1e3):.3f}"
    assert allowances in rows[2][0]


def test_a_workbook_without_a_run_folder_names_no_command(tmp_path: Path) -> None:
    write_result_workbook(solved(), tmp_path / "result.xlsx")
    rows = summary(tmp_path / "result.xlsx")
    assert not any("etsopt check" in cell or "etsopt solve" in cell for row in rows for cell in row)
    assert any(solved().provenance.instance_hash in row for row in rows)


def test_an_infeasible_policy_is_a_workbook_too(tmp_path: Path) -> None:
    result = solved(**{"sectors.cement.target_change": -0.5})
    write_result_workbook(result, tmp_path / "result.xlsx")
    found, rows = sheets(tmp_path / "result.xlsx"), summary(tmp_path / "result.xlsx")
    assert rows[1] == ["infeasible, proven"]
    text = "\n".join(" ".join(row) for row in rows)
    assert all(remedy.text in text for remedy in result.remedies)
    # The policy has a label of its own, between what was asked and the certificate.
    labels = [row[0] for row in rows]
    assert labels.index("What was asked") < labels.index("policy") < labels.index("Certificate")
    assert rows[labels.index("policy")] == ["policy", "sectors.cement.target_change = -0.5"]
    assert ["infeasible by at least", f"{result.infeasible_by_t:,.0f}\N{NO-BREAK SPACE}t"] in rows
    assert len(found["relaxed limits"]) == len(result.tables["relaxed_limits"])


def test_texts_of_a_user_stay_texts(tmp_path: Path) -> None:
    frame = etsopt.read("tiny").units.assign(x_note=["=1+1", "https://example.org", "@SUM(A1)"])
    policy = etsopt.read("tiny").policy.model_dump(exclude_unset=True)
    result = etsopt.solve(etsopt.Instance.from_frames(units=frame, policy=policy))
    write_result_workbook(result, tmp_path / "result.xlsx")
    assert sheets(tmp_path / "result.xlsx")["units"]["x_note"].tolist() == frame["x_note"].tolist()
    with zipfile.ZipFile(tmp_path / "result.xlsx") as parts:
        content = {name: parts.read(name) for name in parts.namelist()}
    assert not any(re.search(rb"<f\b|<hyperlink\b|externalLink|vbaProject", part) for part in content.values())
    assert not any("macro" in name.lower() or "external" in name.lower() for name in content)


def test_every_column_of_the_main_tables_has_a_chinese_heading() -> None:
    with speaking("zh"):
        for name in ("allocation", "enterprises", "sectors", "provinces", "duals"):
            for column in solved().tables[name]:
                assert heading_of_result(str(column)) != column or str(column).startswith("x_")
        assert len({heading_of_result(column) for column in COLUMNS}) > 100


def test_units_stand_in_the_order_of_their_file(tmp_path: Path) -> None:
    units = etsopt.read("tiny").units.assign(province="Hebei")
    order = ["south-1", *units["unit_id"][units["unit_id"] != "south-1"]][::-1]
    frame = units.set_index("unit_id").loc[order].reset_index()
    frame.to_csv(tmp_path / "plants.csv", index=False)
    policy = {"year": 2025, "rule": {"name": "cn-2025"}}
    read = etsopt.read(tmp_path / "plants.csv", policy=policy)
    # The order is no part of the content.
    assert read.hash == etsopt.Instance.from_frames(units=units, policy=policy).hash
    result = etsopt.solve(read.with_policy({"sectors.cement.band": 0.02}))
    write_result_workbook(result, tmp_path / "result.xlsx")
    assert sheets(tmp_path / "result.xlsx")["units"]["unit_id"].tolist() == order
    assert result.tables["allocation"]["unit_id"].tolist() == sorted(order)


def test_words_in_cells_are_chinese_and_figures_stay(tmp_path: Path) -> None:
    result = solved()
    with speaking("zh"):
        write_result_workbook(result, tmp_path / "result.xlsx")
        rows, objectives = ({word(column, code) for code in CODES[column]} for column in ("row", "level"))
    found = sheets(tmp_path / "result.xlsx")
    assert not rows & {*ROWS}
    assert set(found["对偶乘子"]["约束"]) <= rows
    assert "水泥" in set(found["价格"]["对象"])
    assert set(found["价格"]["目标层级"]) <= objectives
    assert found["证明"]["算法"].str.contains("单纯形法|对偶价格法").all()
    assert not found["证明"]["目标层级"].str.contains("[a-z]").any()


def test_every_objective_and_row_of_the_models_has_a_chinese_word() -> None:
    pyomo = pytest.importorskip("pyomo.environ")
    for name in library.names():
        formulate = getattr(import_module(f"{library.LIBRARY}.{name}"), "formulate", None)
        if formulate is None:
            continue
        components = formulate()
        for kind, words in ((pyomo.Objective, OBJECTIVES), (pyomo.Constraint, ROWS)):
            assert {one.local_name for one in components.component_objects(kind)} <= {*words}


def test_units_at_their_emissions_are_explained_beside_the_targets(tmp_path: Path) -> None:
    tiny = etsopt.read("tiny")
    units = tiny.units.assign(special_case=["new", "", ""])
    policy = tiny.policy.model_dump(exclude_unset=True) | {"rule": {"name": "cn-2025", "threshold_tco2e": 0.0}}
    policy["rule"]["special_cases"] = ["new"]
    policy["rule"]["outside_scope"] = []
    result = etsopt.solve(etsopt.Instance.from_frames(units=units, policy=policy))
    write_result_workbook(result, tmp_path / "result.xlsx")
    words = (
        "1 of 3 units get A = E (special cases, enterprises below the threshold, or without emissions); a target "
        "leaves them out, the emissions and allowances beside it do not."
    )
    assert ["equal allocation", words] in summary(tmp_path / "result.xlsx")
    # At the heading of targets in the summary and in the sheet of sectors.
    with zipfile.ZipFile(tmp_path / "result.xlsx") as parts:
        comments = [parts.read(name).decode() for name in parts.namelist() if "comments" in name]
    assert [words in text for text in comments] == [True, True]
